"""Parquet files: their rows say what the same lines say as NDJSON, and damaged ones are refused with one error."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import ExpandsTooFar, NothingImported, UnreadableFile
from service.files import parquet
from service.files.follows import FollowFile, open_follows
from service.files.manifest import listed_files, read_manifest
from service.files.rejects import Rejected
from service.files.schemas import SCHEMAS
from tests.unit import follow_reading, record_reading
from tests.unit.record_reading import WRITTEN

Row = dict[str, Any]


def write(path: Path, table: pa.Table, **options: Any) -> Path:
    pq.write_table(table, path, **options)
    os.utime(path, (WRITTEN, WRITTEN))
    return path


def table_of(rows: list[Row]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def both(folder: Path, kind: str, rows: list[Row], **options: Any) -> tuple[Any, Any]:
    """What a Parquet file says, and what the same rows say as NDJSON."""
    path = write(folder / "rows", table_of(rows), row_group_size=3)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if kind == "follows":
        options = {"schema_names": True, **options}
        return follow_reading.read_file(path, **options), follow_reading.read(folder, lines, **options)
    return record_reading.read_file(path, kind, **options), record_reading.read(folder, kind, lines, **options)


def without_text(reading: Any) -> Any:
    """A reading but for how lines are shown: keys that a line does not have are null in Parquet."""
    return reading._replace(rejected=[one._replace(text="") for one in reading.rejected])


@pytest.mark.parametrize("kind", SCHEMAS)
def test_rows_say_what_the_same_lines_say(tmp_path: Path, kind: str) -> None:
    schema = SCHEMAS[kind]
    example = schema.example
    rows = [
        example,
        {name: value for name, value in example.items() if name in schema.required},
        {**example, schema.required[0]: ""},
        {**example, schema.required[0]: " "},
        {**example, schema.required[-1]: None},
    ]
    if "as_of" in schema.fields:
        rows.append({**example, "as_of": "2024-05-01T12:00:00+02:00"})
    of_parquet, of_lines = both(tmp_path, kind, rows, network="m")
    assert without_text(of_parquet) == without_text(of_lines)
    assert of_lines.lines == len(rows)
    assert of_parquet.rejected, "there is something to leave out"


def test_columns_are_named_and_left_out_as_of_other_files(tmp_path: Path) -> None:
    rows = [{"Id": i, "Username": f"u{i}", "extra": {"a": [1]}} for i in range(5)]
    of_parquet, of_lines = both(tmp_path, "accounts", rows, columns={"account": "Id", "handle": "username"})
    assert without_text(of_parquet) == without_text(of_lines)
    assert of_parquet.ignored == ["extra"]
    with pytest.raises(UnreadableFile, match="no column for account"):
        record_reading.read_file(write(tmp_path / "x", pa.table({"other": ["a"]})), "accounts")
    with pytest.raises(UnreadableFile, match="no column 'nick'"):
        record_reading.read_file(write(tmp_path / "x", table_of(rows)), "accounts", columns={"handle": "nick"})
    follows = write(tmp_path / "y", pa.table({"von": ["a"], "nach": ["b"]}))
    with pytest.raises(UnreadableFile, match="von, nach"):
        follow_reading.read_file(follows)
    assert follow_reading.read_file(follows, follower_column="nach", followee_column="von").pairs == [("b", "a")]


def test_numbers_keep_every_digit_and_rows_their_numbers(tmp_path: Path) -> None:
    big = [2**63 - 1, 2**63 - 2, 9_007_199_254_740_993]
    read = follow_reading.read_file(
        write(tmp_path / "x", pa.table({"follower": [*big, None], "followee": [1, 2, 3, 4]}), row_group_size=2)
    )
    assert [pair[0] for pair in read.pairs] == [str(one) for one in big]
    assert read.reasons == [(4, "empty_id")]
    assert json.loads(read.rejected[0].text) == {"follower": None, "followee": 4}


MOMENT = dt.datetime(2024, 5, 1, 12, 0, 0, 123_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("column", "at"),
    [
        (pa.array([MOMENT], pa.timestamp("ms", "UTC")), 1_714_564_800_123),
        (pa.array([MOMENT], pa.timestamp("us", "Europe/Paris")), 1_714_564_800_123),
        (pa.array([1_714_564_800_123_456_789], pa.timestamp("ns")), 1_714_564_800_123),
        (pa.array([1_714_564_800], pa.timestamp("s")), 1_714_564_800_000),
        (pa.array([90_000], pa.timestamp("ms")), 90_000),
        (pa.array([dt.date(2024, 5, 1)]), 1_714_521_600_000),
        (pa.array([dt.date(2024, 5, 1)], pa.date64()), 1_714_521_600_000),
        (pa.array([1_714_564_800]), 1_714_564_800_000),
        (pa.array(["2024-05-01T12:00:00Z"]), 1_714_564_800_000),
        (pa.array(["2024-05-01T12:00:00Z"]).dictionary_encode(), 1_714_564_800_000),
        (pa.array([Decimal("1714564800.50")]), 1_714_564_800_500),
        (pa.array([None], pa.timestamp("us", "UTC")), None),
        (pa.array([2**62], pa.timestamp("us")), "bad_time"),
        (pa.array([-1], pa.timestamp("ns")), "bad_time"),
        (pa.array([2**30], pa.date32()), "bad_time"),
        (pa.array([5], pa.duration("s")), "bad_time"),
        (pa.array([dt.time(1, 2)]), "bad_time"),
        (pa.array([[MOMENT]]), "bad_time"),
        (pa.array([MOMENT + dt.timedelta(days=40_000)]), "time_in_future"),
    ],
    ids=str,
)
def test_times_of_every_type(tmp_path: Path, column: Any, at: int | str | None) -> None:
    table = pa.table({"follower": ["a"], "followee": ["b"], "at": column})
    read = follow_reading.read_file(write(tmp_path / "x", table), time_column="at")
    if isinstance(at, str):
        assert read.reasons == [(1, at)]
    else:
        assert [follow.at for follow in read.follows] == [at]


def test_lists_flags_decimals_and_bytes(tmp_path: Path) -> None:
    table = pa.table(
        {
            "post": [b"p1", b"p2"],
            "topics": pa.array([["Vinyl", "Jazz"], None], pa.large_list(pa.string())),
            "paid": [True, None],
            "text": pa.array(["one\x00two", "fine"], pa.large_string()),
        }
    )
    read = record_reading.read_file(write(tmp_path / "x", table), "posts")
    assert read.reasons == [(1, "bad_text")]
    counts = pa.table(
        {
            "account": ["a"], "target": ["b"], "day": [dt.date(2024, 5, 1)], "likes": [Decimal("3")],
            "hours": [[0] * 23 + [3]],
        }
    )  # fmt: skip
    lines = '{"account": "a", "target": "b", "day": "2024-05-01", "likes": 3, "hours": [%s3]}\n' % ("0, " * 23)
    of_parquet = record_reading.read_file(write(tmp_path / "y", counts), "interaction_counts")
    assert of_parquet.said == record_reading.read(tmp_path, "interaction_counts", lines).said


def test_text_that_is_no_utf8_costs_its_own_row_only(tmp_path: Path) -> None:
    broken = pa.array([b"a", b"\xc3(", b"c"]).view(pa.string())
    path = write(tmp_path / "x", pa.table({"follower": broken, "followee": ["x", "y", "z"]}))
    read = follow_reading.read_file(path)
    assert (read.pairs, read.reasons) == ([("a", "x"), ("c", "z")], [(2, "not_utf8")])
    nested = pa.array([[b"t"], [b"\xc3("]], pa.list_(pa.binary())).cast(pa.list_(pa.binary()))
    said = pa.table({"post": ["p", "q"], "topics": nested})
    assert record_reading.read_file(write(tmp_path / "y", said), "posts").reasons == [(2, "not_utf8")]


def test_long_rows_are_left_out(tmp_path: Path) -> None:
    table = pa.table({"follower": ["a", "b" * 200_000, "c"], "followee": ["x", "y", "z"]})
    read = follow_reading.read_file(write(tmp_path / "x", table))
    assert (read.pairs, read.reasons) == ([("a", "x"), ("c", "z")], [(2, "too_long")])


def test_what_is_no_file_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "x"
    good = write(path, pa.table({"follower": ["a"], "followee": ["b"]})).read_bytes()
    for content, says in (
        (good[:-20], "no Parquet file that can be read"), (b"PAR1", "no Parquet"), (b"PAR1" * 3, "no Parquet"),
        (good[:-8] + b"\xff\xff\xff\x7f" + b"PAR1", "no Parquet"),
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(UnreadableFile, match=says):
            follow_reading.read_file(path)
    with pytest.raises(UnreadableFile, match="no Parquet"):
        follow_reading.read(tmp_path, "a,b\n", format="parquet")
    path.write_bytes(gzip.compress(good))
    with pytest.raises(UnreadableFile, match="unpack it"):
        follow_reading.read_file(path)
    path.write_bytes(good)
    with pytest.raises(UnreadableFile, match="name no other format"):
        follow_reading.read_file(path, format="csv")
    with pytest.raises(UnreadableFile, match="without columns"):
        follow_reading.read_file(write(path, pa.table({"a": [1]}).select([])))
    with pytest.raises(NothingImported, match="is empty"):
        follow_reading.read_file(write(path, pa.table({"follower": pa.array([], pa.string()), "followee": []})))
    twice = pa.Table.from_arrays([pa.array(["a"])] * 3, names=["follower", "followee", "follower"])
    with pytest.raises(UnreadableFile, match="several columns of one name"):
        follow_reading.read_file(write(path, twice))


def test_a_pipe_cannot_be_parquet(tmp_path: Path) -> None:
    content = write(tmp_path / "x", pa.table({"follower": ["a"], "followee": ["b"]})).read_bytes()
    program = (
        "from pathlib import Path\nfrom service.files.follows import FollowFile, open_follows\n"
        "with open_follows(FollowFile(Path('-')), print): pass"
    )
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=False)
    assert b"UnreadableFile: standard input holds Parquet" in done.stderr


def test_rows_may_not_expand_without_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"follower": [f"a{i % 3}" for i in range(50_000)], "followee": ["b" * 200] * 50_000})
    path = write(tmp_path / "x", table)
    assert path.stat().st_size < 100_000
    with open_follows(FollowFile(path), pytest.fail, 100 << 20) as reader:
        assert sum(1 for _ in reader) == 50_000
        assert reader.read_bytes == reader.total_bytes
    with pytest.raises(ExpandsTooFar, match="1 MiB"), open_follows(FollowFile(path), pytest.fail, 1 << 20) as reader:
        list(reader)
    with pytest.raises(ExpandsTooFar), open_follows(FollowFile(path), pytest.fail, 1_000) as reader:
        list(reader)
    monkeypatch.setattr(parquet, "MOST_CHUNK_BYTES", 1_000)
    with pytest.raises(UnreadableFile, match="smaller row groups"):
        follow_reading.read_file(path)


def test_a_text_that_is_kept_once_and_read_a_thousand_times_is_read_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_BYTES", 16 << 20)
    texts = pa.DictionaryArray.from_arrays(pa.array([0] + [1] * 999, pa.int32()), ["x", "a" * 2_000_000])
    table = pa.table({"follower": texts, "followee": [str(i) for i in range(1_000)]})
    options = {"compression": "zstd", "dictionary_pagesize_limit": 1 << 30, "store_schema": False}
    path = write(tmp_path / "x", table, **options)
    assert path.stat().st_size < 20_000
    reasons: list[str] = []
    file = FollowFile(path)
    with open_follows(file, lambda one: reasons.append(one.reason), 64 << 20) as reader, pytest.raises(ExpandsTooFar):
        list(reader)
    assert reasons == ["too_long"] * len(reasons)
    assert 16 < len(reasons) < 40, "as many as come to 64 MiB"


def test_a_folder_may_list_parquet_files(tmp_path: Path) -> None:
    write(tmp_path / "follows.parquet", pa.table({"follower": ["a"], "followee": ["b"], "weight": [2.0]}))
    listed = [{"file": "follows.parquet", "kind": "follows", "format": "parquet"}]
    (tmp_path / "manifest.json").write_text(json.dumps({"entourage_import": 1, "files": listed}))
    [file] = listed_files(tmp_path, read_manifest(tmp_path))
    assert isinstance(file, FollowFile)
    with open_follows(file, pytest.fail) as reader:
        assert [(one.follower, one.weight) for one in reader] == [("local:a", 2.0)]


def nasty_bytes() -> bytes:
    columns = {
        "follower": [f"a{i}" for i in range(300)],
        "followee": list(range(300)),
        "at": pa.array([1_700_000_000 + i for i in range(300)], pa.timestamp("s")),
        "more": [[{"x": i, "y": None}] for i in range(300)],
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=100, compression="gzip")
    return file.getvalue()


GOOD = nasty_bytes()
DAMAGE = st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(DAMAGE, max_size=4), near_end=st.booleans(), cut=st.none() | st.integers(0, len(GOOD)))
def test_nothing_but_unreadable_leaves_a_nasty_file(
    tmp_path: Path, damage: list[tuple[int, int]], near_end: bool, cut: int | None
) -> None:
    content = bytearray(GOOD)
    for at, value in damage:
        content[len(GOOD) - 1 - at % 1_200 if near_end else at] = value
    path = tmp_path / "nasty"
    path.write_bytes(b"PAR1" + bytes(content[4:cut]))
    rejected: list[Rejected] = []
    file = FollowFile(path, time_column="at")
    with suppress(UnreadableFile, NothingImported), open_follows(file, rejected.append, 10 << 20) as reader:
        for follow in reader:
            assert follow.follower.startswith("local:")
        assert reader.lines == reader.used + len(rejected)
