"""What all readers of lines share: every line is used, skipped, or rejected with a reason."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from service.errors import UnreadableFile
from service.files.lines import MAX_LINE_BYTES, Line, LineStream
from service.files.rejects import SHOWN_CHARACTERS, Rejected
from service.files.values import BadLine

HEAD_DATA_LINES = 200
HEAD_BYTES = 1 << 20

S = TypeVar("S")
T = TypeVar("T")


class LineReader(ABC, Generic[T]):
    """What the lines of one file hold, in the order of the file. Iterate over it once.

    Attributes:
        used: lines yielded so far.
        skipped: lines that hold nothing and need not: `empty`, `header`, `comment`, `continued` (the rest of a
            record in quotes), and what a format passes over.
        rejected: lines that could not be used, by reason.
    """

    def __init__(self, stream: LineStream, reject: Callable[[Rejected], None]) -> None:
        self.used = 0
        self.skipped: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._stream = stream
        self._report = reject
        self._lines = self._opened(stream)

    def _opened(self, stream: LineStream) -> Lines:
        return Lines(iter(stream))

    @property
    def name(self) -> str:
        """What to call the file in messages."""
        return self._stream.name

    @property
    def ignored(self) -> list[str]:
        """Columns that were not read, as far as they were seen."""
        return []

    @property
    def not_complete(self) -> str | None:
        """Why what should have been all followers of an account was not taken so, as far as it was read; else None."""
        return None

    @property
    def lines(self) -> int:
        """Physical lines done so far: each was used, skipped or rejected."""
        return self.used + self.skipped.total() + self.rejected.total()

    @property
    def read_bytes(self) -> int:
        """Bytes of the file on disk read so far."""
        return self._stream.read_bytes

    @property
    def total_bytes(self) -> int | None:
        """Size of the file on disk; None for a pipe."""
        return self._stream.total_bytes

    def __iter__(self) -> Iterator[T]:
        """Yield what each usable line holds.

        Raises:
            UnreadableFile: reading failed on the way; `fields["line"]` is the last line that was read whole.
        """
        for line in self._lines:
            item = self.used_of(line)
            if item is not None:
                yield item

    def used_of(self, line: Line) -> T | None:
        """Return what a line holds, and count it as used; None where it was skipped or rejected, and counted so."""
        try:
            if line.skip is not None:
                raise SkippedLine(line.skip)
            item = self.taken(line, text_of(line))
        except SkippedLine as skipped:
            self.skipped[skipped.kind] += 1
        except BadLine as bad:
            self.reject(line, bad.reason, bad.message)
        else:
            self.used += 1
            return item
        return None

    @abstractmethod
    def taken(self, line: Line, text: str) -> T:
        """Return what a line holds; raise SkippedLine or BadLine where it holds nothing or nothing usable."""

    def reject(self, line: Line, reason: str, message: str) -> None:
        """Count and report a line that cannot be used."""
        self.rejected[reason] += 1
        text = line.data[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
        self._report(Rejected(line.number, reason, message, text))

    def give_back(self, line: Line, reason: str, message: str) -> None:
        """Reject a line that was yielded: what it says turned out not to be usable."""
        self.used -= 1
        self.reject(line, reason, message)

    def cells(self, text: str, delimiter: str | None, width: int | None, ids: Sequence[int]) -> list[str]:
        """Take a line of separated columns apart; a record in quotes may go on over several lines.

        Args:
            text: the line.
            delimiter: what separates columns; None is any white space.
            width: how many columns there are; None: not checked.
            ids: positions of columns that cannot hold a line break.
        """
        return checked(text.split(delimiter) if '"' not in text else self._quoted(text, delimiter or " ", ids), width)

    def _quoted(self, text: str, delimiter: str, ids: Sequence[int]) -> list[str]:
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
                    yield text_of(line) + "\n"
                except BadLine:
                    return

        try:
            reader = csv.reader(physical_lines(), delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True)
            row = next(reader, [])
            keys = [row[i] for i in ids if i < len(row)]
            if taken and any("\n" in key for key in keys):
                raise csv.Error
            # The end of such a record: `x",b` is no account called `x"`.
            if not taken and text.count('"') % 2 and any('"' in key for key in keys):
                raise csv.Error
        except csv.Error:
            self._lines.put_back(taken)
            raise BadLine("bad_quotes", "The line's quotes do not match; write a quote inside quotes twice.") from None
        if taken:
            self.skipped["continued"] += len(taken)
        return row


def checked(row: list[str], width: int | None) -> list[str]:
    """Refuse a line with more columns than there are: a separator inside an id moves all that follow."""
    if width is not None and len(row) > width and any(cell.strip() for cell in row[width:]):
        raise BadLine("too_many_fields", f"The line has {len(row)} columns instead of {width}.")
    return row


def json_object(text: str) -> dict[str, object]:
    """Return the JSON object that a line is.

    Raises:
        SkippedLine: it is empty.
        BadLine: it is anything else.
    """
    if not text.strip():
        raise SkippedLine("empty")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLine("bad_json", "The line is not valid JSON.") from None
    if not isinstance(value, dict):
        raise BadLine("bad_json", "The line is not a JSON object.")
    return value


class SkippedLine(Exception):
    """A line that holds nothing and need not."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Lines:
    """Lines, some of which can be put back. What stops reading them is raised after the last one that was read."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()
        self._stopped: UnreadableFile | None = None

    def __iter__(self) -> Iterator[Line]:
        while (line := self.next()) is not None:
            yield line
        self.raise_what_stopped()

    def raise_what_stopped(self) -> None:
        """Raise what stopped reading, if anything did; after the last line."""
        if self._stopped is not None:
            raise self._stopped

    def next(self) -> Line | None:
        """Return the next line, or None at the end, or where reading stopped."""
        if self._back:
            return self._back.popleft()
        return self._from_file(self._lines)

    def _from_file(self, items: Iterator[S]) -> S | None:
        """Return what comes next of the file; None at its end, or where reading stopped."""
        try:
            return next(items, None)
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


def text_of(line: Line) -> str:
    """Return the text of a line; raise BadLine where it is too long, holds NUL, or is not UTF-8."""
    data, whole = line.data, line.whole
    if not whole:
        raise BadLine("too_long", f"The line is longer than {MAX_LINE_BYTES:,} bytes.")
    if b"\0" in data:
        raise BadLine("nul", "The line holds a NUL character.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadLine("not_utf8", "The line is not UTF-8.") from None
