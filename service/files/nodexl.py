"""Sheets of NodeXL workbooks, saved as CSV: rows of Edges as follows and interactions, of Vertices as accounts.

A row is what NDJSON would say, with its cells by their columns. Beside them it has `@element`, which tells where it
stands in the file, and of an interaction `@kind` and `@id`. The id is made from what the row says, so that the same row
is the same interaction. A row whose relationship is not understood, or is of another kind than the one that is read, is
passed over with the reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.errors import UnreadableFile
from service.files.lines import ELEMENT, MAX_LINE_BYTES, Line, TextStream, beginning, bounded, open_lines

NODEXL_KINDS = ("accounts", "follows", "interactions")
HEAD_BYTES = 1 << 14
MOST_REASONS = 20
OTHERS = "other relationships"

RELATIONSHIPS = {
    "followed": "follow",
    "follows": "follow",
    "mentions": "mention",
    "replies to": "reply",
    "retweet": "repost",
    "retweets": "repost",
}
"""What a relationship says, in small letters."""

_FROM, _TO, _RELATIONSHIP, _DATE, _VERTEX = "Vertex 1", "Vertex 2", "Relationship", "Relationship Date (UTC)", "Vertex"
_SAME_EVENT = (_RELATIONSHIP, _FROM, _TO, _DATE, "Imported ID", "Tweet")
_OF_VERTICES = {"Followed", "Followers", "Tweets", "Description", "Shape", "Visibility", "Degree", "In-Degree"}
_DELIMITERS = (",", ";", "\t")
_UTC = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)


@dataclass(frozen=True)
class _Header:
    """Names of the columns, and what separates them."""

    names: list[str]
    delimiter: str

    @property
    def of_edges(self) -> bool:
        return _RELATIONSHIP in self.names


def is_nodexl(path: Path) -> bool:
    """Whether a file begins as a sheet of a NodeXL workbook does that was saved as CSV."""
    text = beginning(path, HEAD_BYTES).decode("utf-8-sig", errors="replace")
    return _header(list(io.StringIO(text, newline=""))[:2]) is not None


def _header(first: Sequence[str]) -> _Header | None:
    """Find the names of the columns among the first rows: above them may stand what groups of columns are called."""
    for line in first:
        for delimiter in _DELIMITERS:
            try:
                names = [one.strip() for one in next(csv.reader([line], delimiter=delimiter), [])]
            except csv.Error:
                continue
            if {_FROM, _TO, _RELATIONSHIP} <= set(names) or (_VERTEX in names and _OF_VERTICES & set(names)):
                return _Header(names, delimiter)
    return None


@contextmanager
def open_nodexl(
    path: Path, kind: str, *, name: str | None = None, most_expanded: int | None = None
) -> Iterator[NodeXlStream]:
    """Open a sheet to read those of its rows as lines that hold a kind, one of `NODEXL_KINDS`.

    Raises:
        UnreadableFile: it cannot be read, or its columns are none of such a sheet, or of the other one.
        ExpandsTooFar: it expands to more than it may.
    """
    with open_lines(path, "csv", name=name, most_expanded=most_expanded) as stream:
        assert isinstance(stream, TextStream)  # noqa: S101 - it was said to be no Parquet
        yield NodeXlStream(stream, kind)


def nodexl_kinds(path: Path, *, name: str | None = None, most_expanded: int | None = None) -> Counter[str]:
    """Return how many rows there are of each kind that is there. Errors as of `open_nodexl`."""
    found: Counter[str] = Counter()
    with open_lines(path, "csv", name=name, most_expanded=most_expanded) as stream:
        assert isinstance(stream, TextStream)  # noqa: S101 - it was said to be no Parquet
        rows = NodeXlStream(stream, None)
        for row in rows.rows():
            kind = rows.kind_of(row)
            found[kind if kind in found or len(found) < MOST_REASONS or kind in NODEXL_KINDS else OTHERS] += 1
    return found


class NodeXlStream:
    """The rows of a sheet as NDJSON lines, numbered from 1 without those above the data.

    Attributes:
        name: what to call the file in messages.
        total_bytes: its size on disk.
        columns: names of its columns.
        fields: which column holds a field.
        keys: nothing is said of ids.
    """

    keys = False

    def __init__(self, stream: TextStream, kind: str | None) -> None:
        self.name = stream.name
        self.total_bytes = stream.total_bytes
        self._stream = stream
        self._kind = kind
        self._at = 0
        self._texts = self._decoded()
        first: list[str] = []
        header = None
        while header is None and len(first) < 2 and (text := next(self._texts, None)) is not None:
            first.append(text)
            header = _header(first)
        wanted = "Vertex" if kind == "accounts" else "Vertex 1, Vertex 2 and Relationship"
        if header is None or (kind is not None and header.of_edges == (kind == "accounts")):
            raise UnreadableFile(
                f"{self.name} is no sheet of a NodeXL workbook that holds {kind or 'edges or vertices'}: its first or "
                f"second row names no columns {wanted}."
            )
        self._header = header
        self.columns: Sequence[str] | None = list(dict.fromkeys(one for one in header.names if one))
        self.fields: Mapping[str, str] = {"account": _VERTEX}
        if kind == "accounts" and "Description" in header.names:
            self.fields = {"account": _VERTEX, "bio": "Description"}
        elif kind == "follows":
            self.fields = {"follower": _FROM, "followee": _TO}
        elif kind == "interactions":
            self.columns += ["@id", "@kind"]
            self.fields = {"id": "@id", "account": _FROM, "target": _TO, "kind": "@kind", "at": _DATE}

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file on disk were read so far."""
        return self._stream.read_bytes

    def kind_of(self, row: Mapping[str, str]) -> str:
        """Return of which kind a row is; for one that is not understood, what it says, as far as that can be shown."""
        if not self._header.of_edges:
            return "accounts"
        said = row.get(_RELATIONSHIP, "").strip()
        found = RELATIONSHIPS.get(said.lower())
        if found is None:
            return f"relationship {said[:40]!r}"
        return "follows" if found == "follow" else "interactions"

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the cells of each row by column. Raises UnreadableFile."""
        reader = csv.reader(self._texts, delimiter=self._header.delimiter, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UnreadableFile(
                    f"{self.name} cannot be read beyond line {self._at:,} ({error}): write a quote in quotes twice.",
                    line=self._at,
                ) from None
            if cells is None:
                return
            if any(one.strip() for one in cells):
                yield {name: _in_utc(name, one) for name, one in zip(self._header.names, cells, strict=False) if name}

    def __iter__(self) -> Iterator[Line]:
        """Yield each row. Raises UnreadableFile where reading stops on the way."""
        reasons: dict[str, None] = {}
        for number, row in enumerate(self.rows(), start=1):
            said = {ELEMENT: f"row {number}, to line {self._at}", **row}
            kind = self.kind_of(row)
            skip = None if kind == self._kind else kind
            if skip is None and kind == "interactions":
                said["@kind"] = RELATIONSHIPS[row[_RELATIONSHIP].strip().lower()]
                event = json.dumps([row.get(one, "") for one in _SAME_EVENT])
                said["@id"] = f"nodexl-{hashlib.sha256(event.encode()).hexdigest()[:32]}"
            elif skip is not None and skip not in reasons:
                if len(reasons) >= MOST_REASONS:
                    skip = OTHERS
                reasons[skip] = None
            data = json.dumps(said, ensure_ascii=False).encode()
            yield bounded(number, data, skip)

    def _decoded(self) -> Iterator[str]:
        for line in self._stream:
            self._at = line.number
            if not line.whole:
                raise UnreadableFile(
                    f"Line {line.number:,} of {self.name} is longer than {MAX_LINE_BYTES:,} bytes.", line=line.number
                )
            try:
                yield line.data.decode() + "\n"
            except UnicodeDecodeError:
                raise UnreadableFile(
                    f"Line {line.number:,} of {self.name} is not UTF-8; save the sheet as CSV UTF-8.", line=line.number
                ) from None


def _in_utc(column: str, cell: str) -> str:
    """A time of a column that says that it is UTC, with that said."""
    text = cell.strip()
    if column.endswith("(UTC)") and (match := _UTC.fullmatch(text)):
        return f"{text}{'' if match[1] else ':00'}Z"
    return cell
