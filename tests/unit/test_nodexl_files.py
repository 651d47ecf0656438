"""Sheets of NodeXL workbooks as lines, and whatever else there may be in a file."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import UnreadableFile
from service.files.nodexl import NODEXL_KINDS, RELATIONSHIPS, is_nodexl, nodexl_kinds, open_nodexl

HEADER = ["Vertex 1", "Vertex 2", "Width", "Relationship", "Relationship Date (UTC)", "Tweet", "Imported ID"]
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]), st.sampled_from(["a", "b"]), CELL,
        st.one_of(st.sampled_from(["Followed", "MENTIONS ", "Replies to", "Retweet", "Tweet", ""]), CELL),
        st.sampled_from(["2020-01-02 03:04:05", "2020-01-02T03:04", "1/2/2020 3:04", ""]), CELL, CELL,
    )
)  # fmt: skip


def sheet(rows: list[list[str]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


@given(rows=ROWS, delimiter=st.sampled_from([",", ";", "\t"]), headings=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_row_is_of_one_kind_or_passed_over_with_a_reason(
    rows: list[tuple[str, ...]], delimiter: str, headings: bool
) -> None:
    above = [["", "", "Visual Properties", "", "", "", ""]] if headings else []
    content = sheet([*above, HEADER, *map(list, rows)], delimiter)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edges.csv"
        path.write_bytes(content)
        assert is_nodexl(path)
        counts = nodexl_kinds(path)
        lines = {}
        for kind in ("follows", "interactions"):
            with open_nodexl(path, kind) as stream:
                lines[kind] = list(stream)
    said = [RELATIONSHIPS.get(row[3].strip().lower()) for row in rows]
    expected = Counter("follows" if one == "follow" else "interactions" for one in said if one)
    assert {kind: counts[kind] for kind in expected} == expected
    assert sum(counts.values()) == len(rows)
    for kind, found in lines.items():
        assert len(found) == len(rows)
        used = [json.loads(line.data) for line in found if line.skip is None]
        assert len(used) == expected[kind]
        assert all(one["Relationship"].strip() for one in used)
        assert len({line.skip for line in found}) <= 23
    events = [json.loads(line.data) for line in lines["interactions"] if line.skip is None]
    same = {(*(one.get(name) for name in HEADER if name != "Width"), one["@id"]) for one in events}
    assert len(same) == len({one["@id"] for one in events}) == len({one[:-1] for one in same})


@given(content=st.one_of(st.binary(max_size=200), CELL.map(lambda text: sheet([HEADER]) + text.encode())))
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_a_file_it_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        is_nodexl(path)
        for kind in NODEXL_KINDS:
            try:
                with open_nodexl(path, kind) as stream:
                    list(stream)
            except UnreadableFile:
                continue


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(sheet([HEADER]))
    with (
        pytest.raises(UnreadableFile, match=r"holds accounts: its first or second row names no columns Vertex\."),
        open_nodexl(path, "accounts"),
    ):
        pass
    path.write_bytes(sheet([HEADER]) + "é".encode("latin-1"))
    with pytest.raises(UnreadableFile, match=r"Line 2 .* is not UTF-8; save the sheet as CSV UTF-8"):
        nodexl_kinds(path)
    path.write_bytes(sheet([HEADER]) + b'a,b,1,Followed,"x\n')
    with pytest.raises(UnreadableFile, match="cannot be read beyond line 2"):
        nodexl_kinds(path)
    path.write_bytes(b"follower,followee\na,b\n")
    assert not is_nodexl(path)
