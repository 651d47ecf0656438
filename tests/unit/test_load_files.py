"""The files that Neo4j's importer reads say what the arrays hold, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from service.domain import UNKNOWN_TIME, FollowTable, Texts, no_progress
from service.store import loading

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_9999 = 253_402_300_799_999


def test_follows_with_any_number_weight_and_time(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    rows = 20_000
    at = chance.integers(0, YEAR_9999 + 1, rows)
    at[::3] = UNKNOWN_TIME
    at[:5] = [0, 951_782_399_999, 951_782_400_000, 951_868_800_000, YEAR_9999]  # about the leap day of 2000
    weight = np.where(chance.random(rows) < 0.5, 1.0, chance.random(rows) * 10.0 ** chance.integers(-300, 300, rows))
    ends = chance.integers(0, 2**31 - 1, (2, rows)).astype(np.int32)
    ends[:, 0] = 0, 2**31 - 2
    file = tmp_path / "follows.csv"
    loading._write_follows(file, FollowTable(Texts.of([]), ends[0], ends[1], weight, at), no_progress)
    header, *lines = file.read_text().splitlines()
    assert header.split("\x1f") == [":START_ID", ":END_ID", "weight:double", "at:datetime"]
    found = [line.split("\x1f") for line in lines]
    assert [int(row[0]) for row in found] == ends[0].tolist()
    assert [int(row[1]) for row in found] == ends[1].tolist()
    assert [float(row[2]) for row in found] == weight.tolist()
    times = [(datetime.fromisoformat(row[3]) - EPOCH) // timedelta(milliseconds=1) if row[3] else -1 for row in found]
    assert times == at.tolist()


def test_times_have_no_column_where_none_is_known(tmp_path: Path) -> None:
    zero = np.zeros(1, dtype=np.int32)
    table = FollowTable(Texts.of(["t:a", 't:é|,"']), zero, zero + 1, np.ones(1), np.full(1, UNKNOWN_TIME))
    loading._write_follows(tmp_path / "follows.csv", table, no_progress)
    loading._write_accounts(tmp_path / "accounts.csv", table.keys, 2)
    assert (tmp_path / "follows.csv").read_text().splitlines()[1] == "0\x1f1\x1f1.0"
    assert (tmp_path / "accounts.csv").read_text("utf-8").splitlines()[1:] == [
        "0\x1ft:a\x1f1\x1ft\x1fa\x1f2", '1\x1ft:é|,"\x1f2\x1ft\x1fé|,"\x1f2',
    ]  # fmt: skip
