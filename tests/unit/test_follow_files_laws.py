"""Laws of reading files of follows: every line accounted for, nothing but our errors, flat memory, real files."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain import Follow
from service.errors import EntourageError
from service.files import lines as lines_module
from service.files.follows import FollowFile, open_follows
from tests.unit.follow_reading import Reading, read, read_file

Shared = Callable[[str], Path]
ODD_BYTES = st.sampled_from(
    [b"a", b"b2", b"17", b"9223372036854775807", b",", b";", b"\t", b"|", b" ", b'"', b'""', b"'", b"{", b"}", b"[",
     b"#", b"%", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3", "é".encode(), "\u2028".encode(),
     b"\xef\xbb\xbf", b"\x1f\x8b",
     b"from", b"to", b"follower,followee", b'{"from": 1, "to": 2}', b'{"from": "a", "to": "b", "w": 1e999}', b"weight",
     b"a b {'weight': 0.5}", b"1e309", b"-", b"nan", b"2024-05-01T00:00:00Z", b"1714521600", b"\\", b"\\ud800",
     b"x" * 300, b"9" * 5000]
)  # fmt: skip
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["csv", "ndjson", "edgelist"]),
        "delimiter": st.sampled_from([",", ";", "\t", " ", "'", "#", "a"]),
        "has_header": st.booleans(),
        "reverse": st.booleans(),
        "follower_column": st.sampled_from(["1", "3", "from", "nobody", ""]),
        "followee_column": st.sampled_from(["2", "to", "²"]),
        "weight_column": st.sampled_from(["3", "w", "weight"]),
        "time_column": st.sampled_from(["3", "4", "t"]),
    },
)


def read_bytes(content: bytes, **options: Any) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), content, **options)


@settings(max_examples=400, deadline=None)
@given(st.lists(ODD_BYTES | st.binary(max_size=8), max_size=60).map(b"".join), OPTIONS)
@example(b'a,b\n"', {})
@example(b'"\n"\n"', {"format": "csv"})
@example(b"{'a':\n1 2 {", {"weight_column": "w"})
def test_any_bytes_are_read_or_refused(content: bytes, options: dict[str, Any]) -> None:
    with suppress(EntourageError):
        reading = read_bytes(content, **options)
        assert reading.lines == len(content.removeprefix(b"\xef\xbb\xbf").splitlines()) or content[:2] == b"\x1f\x8b"
        for follower, followee, weight, at in reading.follows:
            assert follower != followee
            for key in (follower, followee):
                network, colon, native_id = key.partition(":")
                assert (network, colon) == ("local", ":")
                assert 1 <= len(native_id) <= 256
                assert native_id == native_id.strip()
                key.encode()
            assert 0 < weight < float("inf")
            assert at is None or 0 <= at < (time.time() + 600) * 1000


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.lists(ODD_BYTES | st.binary(max_size=8), max_size=60).map(b"".join), OPTIONS)
def test_any_bytes_are_read_or_refused_long(content: bytes, options: dict[str, Any]) -> None:
    test_any_bytes_are_read_or_refused.hypothesis.inner_test(content, options)  # type: ignore[attr-defined]


IDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12
).map(str.strip).filter(bool)  # fmt: skip
PAIRS = st.lists(st.tuples(IDS, IDS).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(
    PAIRS, st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20),
    st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 40),
)  # fmt: skip
def test_what_a_csv_writer_wrote_is_what_is_read(
    pairs: list[tuple[str, str]], note: str, delimiter: str, end: str, quote_all: bool, block: int
) -> None:
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["follower", "note", "followee"])
    for one, other in pairs:
        # Outside of quotes a reader takes such a character for an end of line, and no writer quotes it.
        writer.writerow([one, note if quote_all else note.replace("\r", ""), other])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "BLOCK_BYTES", block)
        reading = read_bytes(text.getvalue().encode(), delimiter=delimiter)
    assert reading.pairs == pairs
    assert reading.rejected == []


@settings(max_examples=100, deadline=None)
@given(PAIRS, st.booleans(), st.lists(st.sampled_from([b"", b"{", b"\xff", b"[]", b"\0", b'{"from": 1}']), max_size=5))
def test_objects_survive_among_bad_lines(pairs: list[tuple[str, str]], ascii_: bool, bad: list[bytes]) -> None:
    good = [json.dumps({"from": one, "to": other}, ensure_ascii=ascii_).encode() for one, other in pairs]
    mixed = [line for i, line in enumerate(good) for line in ([bad[i % len(bad)], line] if bad else [line])]
    reading = read_bytes(b"\n".join(mixed), format="ndjson")
    assert reading.pairs == pairs
    assert len(reading.rejected) + reading.skipped.get("empty", 0) == len(mixed) - len(good)


# --- cost -----------------------------------------------------------------------------------------------


def test_a_line_without_end_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"from,to\na1,b2\n")
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(b"\nb2,c3\n")
    tracemalloc.start()
    reading = read_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reading.pairs == [("a1", "b2"), ("b2", "c3")]
    assert reading.reasons == [(3, "too_long")]
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "line", [b'a,"\n', b'a,"b""\n', b'"\n', b"a" * 25_000 + b" " * 25_000 + b"\n", b"1 2 {" + b"}" * 50_000 + b"x\n"]
)
def test_no_line_costs_more_than_its_length(tmp_path: Path, line: bytes) -> None:
    """Quadratic behaviour would take hours here; the limit is that of the test run."""
    content = line * (100_000 // len(line))
    for options in ({"format": "csv"}, {"format": "edgelist"}, {"format": "csv", "weight_column": "2"}, {}):
        with suppress(EntourageError):
            read(tmp_path, content, **options)


READ_MANY = """
import os, resource, sys, threading
from pathlib import Path
from service.files.follows import FollowFile, open_follows
lines, pipe = int(sys.argv[1]), Path(sys.argv[2])
os.mkfifo(pipe)
def feed():
    with pipe.open("w") as end:
        end.write("follower,followee,at\\n")
        for i in range(lines):
            end.write(f"user{i * 7919 % 1000003},user{i},{1600000000 + i}\\n" if i % 10 else "bad\\n")
threading.Thread(target=feed, daemon=True).start()
with open_follows(FollowFile(pipe, time_column="at"), lambda one: None) as reader:
    early = None
    for follow in reader:
        if reader.used == 9000:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(reader.used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early)
"""


def read_many(lines: int, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_MANY, str(lines), str(folder / "pipe")], capture_output=True, text=True, check=True
    )
    follows, grown_kib = map(int, done.stdout.split())
    assert follows == lines * 9 // 10
    assert grown_kib < 4 * 1024


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    read_many(300_000, tmp_path)


@pytest.mark.long
def test_memory_does_not_grow_with_the_file_long(tmp_path: Path) -> None:
    read_many(5_000_000, tmp_path)


# --- real files, read independently -----------------------------------------------------------------------


def plain(path: Path, separator: str | None, header: bool = False) -> list[list[str]]:
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    return [line.split(separator) for line in text.splitlines()[header:]]


@pytest.mark.parametrize(
    ("name", "separator", "header", "rows"),
    [
        ("lastfm-asia/edges.csv", ",", True, 27_806),
        ("musae-twitch/ENGB_edges.csv", ",", True, 35_324),
        ("musae-twitch/PTBR_edges.csv", ",", True, 31_299),
        ("lfr/networks/LFR_N1000_ad5_mc50_mu0.1.csv.gz", "\t", False, 2_209),
        ("lfr/networks/LFR_N1000_ad5_mc50_mu0.3.csv.gz", "\t", False, 2_248),
        ("collegemsg/CollegeMsg.txt", " ", False, 59_835),
        ("ldbc-graphalytics/example-directed.e", " ", False, 17),
        ("ldbc-graphalytics/test-pr-directed.e", " ", False, 246),
    ],
)
def test_real_edges(shared_data: Shared, name: str, separator: str, header: bool, rows: int) -> None:
    expected = [(row[0], row[1]) for row in plain(shared_data(name), separator, header)]
    assert len(expected) == rows
    reading = read_file(shared_data(name))
    loops = sum(one == other for one, other in expected)
    assert Counter(reading.pairs) == Counter((one, other) for one, other in expected if one != other)
    assert [reason for _, reason in reading.reasons] == ["self_loop"] * loops
    assert reading.skipped == ({"header": 1} if header else {})


def test_congress_is_turned_round_with_its_weights(shared_data: Shared) -> None:
    path = shared_data("congress117-twitter/congress.edgelist")
    rows = [line.split(" ", 2) for line in path.read_text().splitlines()]
    expected = [Follow(f"twitter:{b}", f"twitter:{a}", ast.literal_eval(data)["weight"]) for a, b, data in rows]
    assert len(expected) == 13_289
    assert read_file(path, network="twitter", reverse=True, weight_column="weight").follows == expected


def test_uk_faculty_with_its_weights(shared_data: Shared) -> None:
    path = shared_data("uk-faculty/edges.csv")
    with path.open(newline="") as lines:
        expected = [Follow(f"uk:{r['from']}", f"uk:{r['to']}", float(r["weight"])) for r in csv.DictReader(lines)]
    assert len(expected) == 817
    assert read_file(path, network="uk", weight_column="weight").follows == expected


def test_messages_with_their_times(shared_data: Shared) -> None:
    path = shared_data("collegemsg/CollegeMsg.txt")
    expected = [Follow(f"c:{a}", f"c:{b}", 1.0, int(t) * 1000) for a, b, t in plain(path, " ")]
    assert read_file(path, network="c", time_column="3").follows == expected


@pytest.mark.long
def test_dblp_whole(shared_data: Shared) -> None:
    path = shared_data("com-dblp/dblp.csv.gz")
    expected = plain(path, "\t")
    assert len(expected) == 1_049_866
    with open_follows(FollowFile(path), pytest.fail) as reader:
        for (one, other), follow in zip(expected, reader, strict=True):
            assert (follow.follower, follow.followee) == (f"local:{one}", f"local:{other}")
        assert reader.read_bytes == reader.total_bytes
