"""The fast reader of follows and the plain one give the same of any file: follows, skipped and rejected lines."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain import UNKNOWN_TIME, Follow
from service.errors import EntourageError, UnreadableFile
from service.files import follow_arrays
from service.files import lines as lines_module
from service.files.follow_arrays import AccountNumbers, FollowPart, open_follow_arrays, standing
from service.files.follows import FollowFile, open_follows
from service.files.rejects import Rejected
from service.store.edges import stronger
from tests.unit.test_follow_files_laws import ODD_BYTES

CELLS = st.sampled_from(
    ["a", "b2", "17", "user_1", "local:x", "m:a", "M:a", ":a", "m: a", "m:", "a b", "é", "x" * 256, "x" * 257, "", " ",
     "  a ", '"a"', '"', "#a", "%", "a\x7f", "a\x1f", "0", "1", "1.5", "0.1", "2.", ".5", "-1", "1e3", "nan",
     "123456789012345", "1234567890123456", "0.123456789012345678", "1714521600", "1714521600000", "99999999999",
     "100000000000", "253402300800000", "2024-05-01", "2024-02-30", "2024-02-29", "2024-13-01", "1969-12-31",
     "1970-01-01", "2024-05-01T12:00:00Z", "2024-05-01 12:00:00Z", "2024-05-01T12:00:00.123Z", "2024-05-01T12:00:60Z",
     "2024-05-01T24:00:00Z", "2024-05-01T12:00:00", "2024-05-01T12:00:00+02:00", "2999-01-01", "2024-5-01"]
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=30)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["csv", "ndjson", "edgelist"]),
        "network": st.sampled_from([None, "m", "local"]),
        "delimiter": st.sampled_from([",", ";", "\t", " ", "'", "#", "a", "1", "\x01", "é"]),
        "has_header": st.booleans(),
        "reverse": st.booleans(),
        "schema_names": st.booleans(),
        "follower_column": st.sampled_from(["1", "2", "3"]),
        "followee_column": st.sampled_from(["2", "1", "4"]),
        "weight_column": st.sampled_from(["3", "4", "1"]),
        "time_column": st.sampled_from(["3", "4", "5"]),
    },
)
Outcome = tuple[list[Follow], list[Rejected], dict[str, int], int, str | None]


def read_plainly(path: Path, options: dict[str, Any]) -> Outcome:
    rejected: list[Rejected] = []
    follows: list[Follow] = []
    stopped = None
    with open_follows(FollowFile(path, **options), rejected.append) as reader:
        try:
            follows.extend(reader)
        except UnreadableFile as error:
            stopped = error.message
        assert reader.used == len(follows)
        return follows, rejected, dict(reader.skipped), reader.lines, stopped


def read_fast(path: Path, options: dict[str, Any]) -> Outcome:
    rejected: list[Rejected] = []
    parts: list[FollowPart] = []
    accounts = AccountNumbers()
    stopped = None
    with open_follow_arrays(FollowFile(path, **options), rejected.append) as reader:
        try:
            parts.extend(reader.parts(accounts))
        except UnreadableFile as error:
            stopped = error.message
        follows = as_follows(accounts, parts)
        assert reader.used == len(follows)
        return follows, rejected, dict(reader.skipped), reader.lines, stopped


def keys_of(accounts: AccountNumbers) -> list[str]:
    keys, place = accounts.ranked()
    assert list(keys) == sorted(set(keys))
    return [keys[int(i)] for i in place]


def as_follows(accounts: AccountNumbers, parts: list[FollowPart]) -> list[Follow]:
    keys = keys_of(accounts)
    return [
        Follow(keys[one], keys[other], weight, None if at == UNKNOWN_TIME else at)
        for part in parts
        for one, other, weight, at in zip(*(column.tolist() for column in part), strict=True)
    ]


def check(content: bytes, options: dict[str, Any], block: int, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "some file"
        path.write_bytes(content)
        # Only 200 lines are looked at to find the layout; all of these few must not be read the slow way for that.
        patch.setattr("service.files.reading.HEAD_DATA_LINES", 3)
        patch.setattr(lines_module, "BLOCK_BYTES", block)
        patch.setattr(follow_arrays, "ROWS", rows)
        assert refused_or(read_fast, path, options) == refused_or(read_plainly, path, options)


def refused_or(read: Callable[..., Outcome], path: Path, options: dict[str, Any]) -> Outcome | tuple[str, str]:
    try:
        return read(path, options)
    except EntourageError as error:
        return error.code, error.message


TABLES = given(
    ROWS, st.sampled_from([",", ";", "\t", " ", "  ", "#", "a"]), st.sampled_from(["\n", "\r\n", "\r"]), OPTIONS,
    st.sampled_from([1, 7, 40, 1 << 18]), st.sampled_from([1, 3, 1 << 16]), st.booleans(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@TABLES
@example([["a", "b", "c"]] * 4 + [["a", '"b', "c"], ["d", 'e"', "f"], ["g", "h", ""]], ",", "\n", {}, 7, 3, True)
@example([["a", "b"]] * 4 + [["#", "b", "c"]], "#", "\n", {"format": "edgelist", "delimiter": "#"}, 40, 3, True)
def test_tables_are_read_alike(
    table: list[list[str]], delimiter: str, end: str, options: dict[str, Any], block: int, rows: int, ended: bool
) -> None:
    content = end.join(delimiter.join(row) for row in [["a", "b", "1", "2024-05-01"]] * 3 + table) + end * ended
    check(content.encode(), options, block, rows)


@settings(max_examples=200, deadline=None)
@given(st.lists(ODD_BYTES | st.binary(max_size=8), max_size=60).map(b"".join), OPTIONS, st.sampled_from([1, 5, 64]))
def test_any_bytes_are_read_alike(content: bytes, options: dict[str, Any], block: int) -> None:
    check(b"a,b\n" * 3 + content, options, block, 5)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None)
@TABLES
def test_tables_are_read_alike_long(
    table: list[list[str]], delimiter: str, end: str, options: dict[str, Any], block: int, rows: int, ended: bool
) -> None:
    test_tables_are_read_alike.hypothesis.inner_test(  # type: ignore[attr-defined]
        table, delimiter, end, options, block, rows, ended
    )


def test_many_lines_with_a_few_odd_ones(tmp_path: Path) -> None:
    """Enough accounts for the tables to grow, enough lines for several blocks, long ids, long lines."""
    chance = random.Random(5)
    odd = ['x"y,z', "", "a,a", "é,b", "nothing", '"q,r",s', "a,b,c,d", "u" * 300 + ",v", "w" * 200_000, ",", "l,m\r"]
    lines = [
        f"user_{chance.randrange(40_000)},{'y' * chance.randrange(250)}{chance.randrange(40_000)},1.5"
        for _ in range(30_000)
    ]
    for place in range(250, len(lines), 97):
        lines[place] = chance.choice(odd)
    content = "\n".join(["follower,followee,weight", *lines]).encode()
    options = {"weight_column": "weight"}
    (tmp_path / "many.csv").write_bytes(content)
    expected = read_plainly(tmp_path / "many.csv", options)
    assert len(expected[0]) > 29_000
    assert {one.reason for one in expected[1]} >= {"bad_quotes", "self_loop", "missing_field", "too_long", "bad_id"}
    assert read_fast(tmp_path / "many.csv", options) == expected
    cut_off = tmp_path / "cut.csv"
    cut_off.write_bytes(gzip.compress(content)[:-5_000])
    expected = read_plainly(cut_off, options)
    assert expected[4] is not None
    assert read_fast(cut_off, options) == expected


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    table = pa.table({
        "follower": ["a", "b", None, "c", "d", "é", " e "] * 30,
        "followee": [1, 2, 3, 4, None, 6, 7] * 30,
        "weight": [1.0, 0.5, 1.0, -1.0, 1.0, None, 2.0] * 30,
        "at": pa.array([0, 5, 5, 5, 5, None, 1_714_521_600_000] * 30, pa.timestamp("ms", "UTC")),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "table", row_group_size=50)
    expected = read_plainly(tmp_path / "table", {"network": "m", "schema_names": True})
    assert len(expected[0]) == 120
    assert {one.reason for one in expected[1]} == {"empty_id", "bad_weight"}
    assert expected[0][0] == Follow("m:a", "m:1", 1.0, 0)
    assert read_fast(tmp_path / "table", {"network": "m", "schema_names": True}) == expected


PAIRS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(4, 6), st.sampled_from([1.0, 2.0, 0.5]), st.sampled_from([-1, 0, 5, 7])),
    max_size=40,
)


def by_batches(files: list[list[Follow]], batch: int) -> tuple[dict[tuple[str, str], Follow], list[int], list[int]]:
    """What an import batch by batch would come to, said plainly."""
    known: dict[tuple[str, str], Follow] = {}
    created, updated = [0] * len(files), [0] * len(files)
    for place, follows in enumerate(files):
        for begin in range(0, len(follows), batch):
            best: dict[tuple[str, str], Follow] = {}
            for follow in follows[begin : begin + batch]:
                ends = (follow.follower, follow.followee)
                best[ends] = stronger(best.get(ends, follow), follow)
            for ends, follow in best.items():
                if ends not in known:
                    created[place] += 1
                    known[ends] = follow
                elif (stood := stronger(known[ends], follow)) != known[ends]:
                    updated[place] += 1
                    known[ends] = stood
    return known, created, updated


@settings(max_examples=200, deadline=None)
@given(st.lists(PAIRS, min_size=1, max_size=3), st.sampled_from([1, 2, 5]))
def test_the_strongest_follow_of_each_pair_stands(files: list[list[tuple[int, int, float, int]]], batch: int) -> None:
    accounts = AccountNumbers()
    parts, plain = [], []
    for rows in files:
        ends = [[accounts.number(f"t:é{one}") for one in row[:2]] for row in rows]
        parts.append(
            [
                FollowPart(
                    np.array([one for one, _ in ends], dtype=np.int32),
                    np.array([two for _, two in ends], dtype=np.int32),
                    np.array([row[2] for row in rows], dtype=np.float64),
                    np.array([row[3] for row in rows], dtype=np.int64),
                )
            ]
        )  # fmt: skip
        plain.append([Follow(f"t:é{a}", f"t:é{b}", w, None if at == -1 else at) for a, b, w, at in rows])
    known, created, updated = by_batches(plain, batch)
    found = standing(accounts, parts, batch)
    table = found.table
    follows = [
        Follow(table.keys[a], table.keys[b], w, None if at == UNKNOWN_TIME else at)
        for a, b, w, at in zip(
            table.source.tolist(), table.target.tolist(), table.weight.tolist(), table.at.tolist(), strict=True
        )
    ]
    assert follows == [known[ends] for ends in sorted(known)]
    assert (found.created, found.updated) == (created, updated)


def test_nothing_at_all() -> None:
    table = standing(AccountNumbers(), [[]], 10).table
    assert (len(table.keys), len(table.source)) == (0, 0)
