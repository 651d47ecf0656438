"""Reading follows from a file, line by line: every line is either a follow, or skipped, or rejected."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from service.domain import Follow
from service.errors import UnreadableFile
from service.files.layout import (
    COMMENT,
    HEAD_BYTES,
    HEAD_DATA_LINES,
    FollowFile,
    find_layout,
    is_comment,
)
from service.files.lines import MAX_LINE_BYTES, Line, LineStream, open_lines
from service.files.rejects import SHOWN_CHARACTERS, Rejected
from service.files.values import BadLine, dictionary, native_id, time_ms, weight

__all__ = ["FollowFile", "FollowReader", "open_follows"]

FUTURE_MS = 5 * 60 * 1000
"""How far ahead of the clock a follow's time may be: clocks differ. The latest time wins, so a wrong one would stay."""


@contextmanager
def open_follows(file: FollowFile, reject: Callable[[Rejected], None]) -> Iterator[FollowReader]:
    """Open a file of follows; `reject` is called with each line that cannot be used.

    Raises:
        UnreadableFile: it cannot be opened, is of another kind, or its columns cannot be told.
        NothingImported: it is empty.
    """
    with open_lines(file.path) as stream:
        yield FollowReader(file, stream, reject)


class FollowReader:
    """The follows of one file, each once, in the order of the file. Iterate over it once.

    Attributes:
        follows: follows yielded so far.
        skipped: lines that hold no follow and are none: `empty`, `header`, `comment`, `continued` (the rest of a
            record in quotes).
        rejected: lines that could not be used, by reason.
    """

    def __init__(self, file: FollowFile, stream: LineStream, reject: Callable[[Rejected], None]) -> None:
        self.follows = 0
        self.skipped: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._stream = stream
        self._report = reject
        self._latest = int(time.time() * 1000) + FUTURE_MS
        self._prefix = f"{file.network}:"
        self._reverse = file.reverse
        self._lines = _Lines(iter(stream))
        self._layout = find_layout(file, stream.name, self._lines.head())

    @property
    def name(self) -> str:
        """What to call the file in messages."""
        return self._stream.name

    @property
    def lines(self) -> int:
        """Physical lines done so far: each is a follow, or was skipped or rejected."""
        return self.follows + self.skipped.total() + self.rejected.total()

    @property
    def read_bytes(self) -> int:
        """Bytes of the file on disk read so far."""
        return self._stream.read_bytes

    @property
    def total_bytes(self) -> int | None:
        """Size of the file on disk; None for a pipe."""
        return self._stream.total_bytes

    def __iter__(self) -> Iterator[Follow]:
        """Yield each follow.

        Raises:
            UnreadableFile: reading failed on the way; `fields["line"]` is the last line that was read whole.
        """
        columns = {"csv": self._csv, "edgelist": self._edge_list, "ndjson": self._ndjson}[self._layout.format]
        for line in self._lines:
            try:
                follow = self._follow(columns(line, _text(line)))
            except _Skipped as skipped:
                self.skipped[skipped.kind] += 1
            except BadLine as bad:
                self._reject(line, bad)
            else:
                self.follows += 1
                yield follow

    def _reject(self, line: Line, bad: BadLine) -> None:
        self.rejected[bad.reason] += 1
        text = line.data[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
        self._report(Rejected(line.number, bad.reason, bad.message, text))

    def _follow(self, row: Any) -> Follow:
        """Make a follow of a row, in which the layout's columns can be looked up."""
        layout = self._layout
        try:
            follower = native_id(row[layout.follower], "follower")
            followee = native_id(row[layout.followee], "followee")
            if follower == followee:
                raise BadLine("self_loop", "An account cannot follow itself.")
            tie = 1.0 if layout.weight is None else weight(row[layout.weight])
            at = None if layout.time is None else time_ms(row[layout.time], self._latest)
        except LookupError:
            raise self._missing(row) from None
        if self._reverse:
            follower, followee = followee, follower
        return Follow(self._prefix + follower, self._prefix + followee, tie, at)

    def _missing(self, row: Any) -> BadLine:
        layout = self._layout
        needed = {
            "follower": layout.follower,
            "followee": layout.followee,
            "weight": layout.weight,
            "time": layout.time,
        }
        there = row if isinstance(row, dict) else range(len(row))
        name = next(name for name, column in needed.items() if column is not None and column not in there)
        return BadLine("missing_field", f"The line has no {name}.")

    # --- the columns of one line, or _Skipped ---

    def _ndjson(self, line: Line, text: str) -> dict[str, object]:  # noqa: ARG002 - like the others
        if not text.strip():
            raise _Skipped("empty")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise BadLine("bad_json", "The line is not valid JSON.") from None
        if not isinstance(value, dict):
            raise BadLine("bad_json", "The line is not a JSON object.")
        return value

    def _edge_list(self, line: Line, text: str) -> Sequence[str] | dict[int | str, object]:
        layout = self._layout
        if not text.strip():
            raise _Skipped("empty")
        if is_comment(text):
            raise _Skipped("comment")
        if layout.has_header and line.number == layout.first_line:
            raise _Skipped("header")
        if not layout.dict_data:
            return self._checked(text.split(layout.delimiter))
        cells = text.split(layout.delimiter, 2)
        row: dict[int | str, object] = dict(enumerate(cells[:2]))
        if layout.weight is not None or layout.time is not None:
            row.update(dictionary(cells[2] if len(cells) == 3 else ""))
        return row

    def _csv(self, line: Line, text: str) -> Sequence[str]:
        layout = self._layout
        if not text.strip():
            raise _Skipped("empty")
        if line.number <= layout.first_line:
            if line.number < layout.first_line and text.lstrip().startswith(COMMENT):
                raise _Skipped("comment")
            if layout.has_header and line.number == layout.first_line:
                raise _Skipped("header")
        if '"' not in text:
            return self._checked(text.split(layout.delimiter))
        return self._checked(self._quoted(text))

    def _quoted(self, text: str) -> list[str]:
        """Read a record that may go on over several lines. One stray quote costs its own line only.

        A record whose quotes do not close, or whose ids contain a line break (a stray quote closed by another one
        far below), is rejected with its first line; the lines after it are read as lines of their own.
        """
        taken: list[Line] = []

        def physical_lines() -> Iterator[str]:
            yield text + "\n"
            size = len(text)
            while (line := self._lines.next()) is not None:
                taken.append(line)
                size += len(line.data)
                if size > MAX_LINE_BYTES:
                    return
                try:
                    yield _text(line) + "\n"
                except BadLine:
                    return

        try:
            delimiter = self._layout.delimiter or " "
            reader = csv.reader(physical_lines(), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True)
            row = next(reader, [])
            if taken and any("\n" in cell for cell in self._ids(row)):
                raise csv.Error
        except csv.Error:
            self._lines.put_back(taken)
            raise BadLine("bad_quotes", "The line's quotes do not match; write a quote inside quotes twice.") from None
        if taken:
            self.skipped["continued"] += len(taken)
        return row

    def _ids(self, row: Sequence[str]) -> list[str]:
        ends = (self._layout.follower, self._layout.followee)
        return [row[i] for i in ends if isinstance(i, int) and i < len(row)]

    def _checked(self, row: list[str]) -> list[str]:
        """Refuse a line with more columns than there are: a separator inside an id moves all that follow."""
        width = self._layout.width
        if width is not None and len(row) > width and any(cell.strip() for cell in row[width:]):
            raise BadLine("too_many_fields", f"The line has {len(row)} columns instead of {width}.")
        return row


class _Skipped(Exception):
    """A line that holds no follow and is none."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Lines:
    """Lines, some of which can be put back. What stops reading them is raised after the last one that was read."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()
        self._stopped: UnreadableFile | None = None

    def __iter__(self) -> Iterator[Line]:
        while (line := self.next()) is not None:
            yield line
        if self._stopped is not None:
            raise self._stopped

    def next(self) -> Line | None:
        """Return the next line, or None at the end, or where reading stopped."""
        if self._back:
            return self._back.popleft()
        try:
            return next(self._lines, None)
        except UnreadableFile as error:
            self._stopped = error
            return None

    def put_back(self, lines: Sequence[Line]) -> None:
        """Have these lines come next, in this order."""
        self._back.extendleft(reversed(lines))

    def head(self) -> list[Line]:
        """Look at as many lines as it needs to know the layout.

        Raises:
            UnreadableFile: not one line could be read.
        """
        head: list[Line] = []
        data_lines = size = 0
        while data_lines < HEAD_DATA_LINES and size < HEAD_BYTES and (line := self.next()) is not None:
            head.append(line)
            size += len(line.data)
            data_lines += bool(line.data.strip()) and not line.data.lstrip().startswith((b"#", b"%"))
        if self._stopped is not None and not head:
            raise self._stopped
        self.put_back(head)
        return head


def _text(line: Line) -> str:
    _, data, whole = line
    if not whole:
        raise BadLine("too_long", f"The line is longer than {MAX_LINE_BYTES:,} bytes.")
    if b"\0" in data:
        raise BadLine("nul", "The line holds a NUL character.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadLine("not_utf8", "The line is not UTF-8.") from None
