"""Bytes of a file or of standard input as numbered lines: gunzipped, bounded, never held whole."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from service.errors import ExpandsTooFar, UnreadableFile

BLOCK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 17
"""A longer line is rejected. It is also the default limit of a field of Python's csv module."""

STANDARD_INPUT = Path("-")
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ELEMENT = "@element"
"""In a line that was made of a piece of a file, what that is called there: for the report, and no column."""

_KEPT_OF_LONG_LINE = 1_000


class Line(NamedTuple):
    """One physical line without its end. `whole` is False where it was too long: `data` is its beginning.

    `skip` says why a line is passed over, where that was known before it was taken apart. `ended` is False of the last
    line of a text that has no line break at its end: there may have been more of it.
    """

    number: int
    data: bytes
    whole: bool
    skip: str | None = None
    ended: bool = True


class _Blocks(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...


class _Source(io.RawIOBase):
    """The file as it lies there, counting what was read; its first bytes can be looked at before reading."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self.read_bytes = 0
        self.start = b""
        # A pipe may hand over a single byte at first.
        while len(self.start) < len(PARQUET) and (block := raw.read(len(PARQUET) - len(self.start))):
            self.start += block
        self._unread = self.start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._unread:
            size = min(len(buffer), len(self._unread))
            buffer[:size], self._unread = self._unread[:size], self._unread[size:]
        else:
            size = self._raw.readinto(buffer) or 0
        self.read_bytes += size
        return size


class LineStream(Protocol):
    """A file being read, line by line."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def total_bytes(self) -> int | None:
        """Its size on disk (compressed), None where it is a pipe."""

    @property
    def columns(self) -> Sequence[str] | None:
        """Names of its columns, where the file says them apart from its lines; else None."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Which column holds a field, where its format says so."""

    @property
    def keys(self) -> bool:
        """Whether it says itself that its ids are whole keys, `network:id`."""

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file on disk were read so far."""

    def __iter__(self) -> Iterator[Line]:
        """Yield every line; raise UnreadableFile where reading stops on the way."""


@dataclass(frozen=True)
class TextStream:
    """A file of text, gzip or not."""

    name: str
    total_bytes: int | None
    _source: _Source
    _blocks: _Blocks
    columns: None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    keys: bool = False

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file on disk were read so far."""
        return self._source.read_bytes

    def __iter__(self) -> Iterator[Line]:
        r"""Yield every line; lines end with \n, \r\n or a lone \r. A byte order mark is left out.

        Raises:
            UnreadableFile: reading failed on the way, or gzip data ends early. What was read of the last,
                unfinished line is not yielded: it may have been cut in the middle of an id.
        """
        number = 0

        def done() -> int:
            return number

        for block in self.blocks(done):
            *lines, last = block.splitlines()
            for data in lines:
                number += 1
                yield numbered(number, data)
            number += 1
            yield numbered(number, last)._replace(ended=block.endswith((b"\n", b"\r")))

    def blocks(self, lines_done: Callable[[], int]) -> Iterator[bytes]:
        """Yield the bytes of the file in blocks of whole lines, of which the last may have no end.

        Args:
            lines_done: says how many lines were taken of the blocks so far: it is asked where reading stops.

        Raises:
            UnreadableFile: as when lines are read.
        """
        pending = b""
        for piece in self.pieces(lines_done):
            block = pending + piece
            # A final \r may be the first half of \r\n, so its line is kept back as well.
            end = len(block) if block.endswith(b"\n") else 1 + max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1))
            pending = block[end:]
            if len(pending) > MAX_LINE_BYTES:
                pending = pending[: MAX_LINE_BYTES + 1] + (b"\r" if pending.endswith(b"\r") else b"")
            if end:
                yield block[:end]
        if pending:
            yield pending

    def pieces(self, lines_done: Callable[[], int]) -> Iterator[bytes]:
        """Yield the bytes of the file as they come, however long its lines are. Arguments and errors as of `blocks`."""
        while piece := self._read(lines_done()):
            yield piece

    def _read(self, lines_done: int) -> bytes:
        try:
            return self._blocks.read1(BLOCK_BYTES)
        except ExpandsTooFar as error:
            raise ExpandsTooFar(error.message, line=lines_done) from error
        except (EOFError, OSError, zlib.error) as error:
            where = f"after line {lines_done:,}" if lines_done else "before its first line ended"
            message = f"Reading {self.name} stopped {where}: {_reason(error)}."
            damaged = {"damaged": True} if isinstance(error, gzip.BadGzipFile | zlib.error) else {}
            raise UnreadableFile(message, line=lines_done, **damaged) from error


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "its gzip data ends early, as if a download or copy was cut off"
    if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
        return error.strerror or str(error)
    return "its gzip data is damaged, and what came before may be wrong, too"


def numbered(number: int, data: bytes) -> Line:
    """Return a line of a file, its bytes without their end."""
    if number == 1 and data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    return bounded(number, data)


def bounded(number: int, data: bytes, skip: str | None = None, *, whole: bool = True) -> Line:
    """Return a line; of one that is too long, or known not to be `whole`, its beginning."""
    whole = whole and len(data) <= MAX_LINE_BYTES
    return Line(number, data if whole else data[:_KEPT_OF_LONG_LINE], whole, skip)


def beginning(path: Path, size: int) -> bytes:
    """Return what a file begins with, unpacked; nothing of a pipe, or of what cannot be read (reading it says why)."""
    if path == STANDARD_INPUT or not path.is_file():
        return b""
    try:
        with path.open("rb") as raw:
            head = raw.read(size)
            if head.startswith(GZIP):
                raw.seek(0)
                head = gzip.GzipFile(fileobj=raw).read(size)
    except (OSError, EOFError, zlib.error):
        return b""
    return head


@contextmanager
def open_lines(
    path: Path, file_format: str | None = None, *, name: str | None = None, most_expanded: int | None = None
) -> Iterator[LineStream]:
    """Open a file (`-` is standard input); gzip and Parquet are known by first bytes, whatever the file is called.

    A gzip file is unpacked twice: its checksum stands at its end, and wrong ids must not be used before it is seen. Of
    one that was cut off what is there is right, and it is read; a pipe cannot be read twice.

    Args:
        path: the file.
        file_format: what it was said to be; None: find out.
        name: what to call it in messages; its path when not said.
        most_expanded: bytes that it may expand to, where it is packed; None: any number.

    Raises:
        UnreadableFile: there is no such file, it is a folder, it may not be read, its gzip data is damaged, or it is
            no Parquet file that can be read.
        ExpandsTooFar: it expands to more than it may.
    """
    if path == STANDARD_INPUT:
        name = "standard input"
    name = str(path) if name is None else name
    with ExitStack() as stack:
        try:
            if path == STANDARD_INPUT:
                raw, size = cast(io.BufferedReader, sys.stdin.buffer), None
            else:
                raw = stack.enter_context(path.open("rb"))
                status = os.fstat(raw.fileno())
                size = status.st_size if stat.S_ISREG(status.st_mode) else None
                if size is not None:
                    _check_gzip(name, raw, most_expanded)
            source = _Source(raw)
        except OSError as error:
            raise UnreadableFile(f"{name} cannot be read: {error.strerror}.") from error
        except (AttributeError, ValueError) as error:  # standard input is closed; a NUL in a name
            raise UnreadableFile(f"{name!r} cannot be read: there is no such file.") from error
        if file_format == "parquet" or (file_format is None and source.start == PARQUET):
            if size is None:
                raise UnreadableFile(
                    f"{name} holds Parquet, which is read from its end, and a pipe has none yet; save it to a file "
                    "and import that."
                )
            from service.files.parquet import open_parquet

            yield stack.enter_context(open_parquet(name, raw, size, most_expanded))
        else:
            yield TextStream(name, size, source, _unpacked(name, source, most_expanded))


def _check_gzip(name: str, raw: io.BufferedReader, most_expanded: int | None) -> None:
    if raw.read(len(GZIP)) == GZIP:
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) as packed:
            unpacked = _Limited(name, packed, most_expanded)
            try:
                while unpacked.read1(BLOCK_BYTES):
                    pass
            except EOFError:
                pass  # cut off: reading it will say where
            except (gzip.BadGzipFile, zlib.error) as error:
                message = f"{name} is damaged: its gzip checksum fails, so nothing of it was read; get it again."
                raise UnreadableFile(message) from error
    raw.seek(0)


class _Limited:
    """What a gzip file expands to, read up to a limit."""

    def __init__(self, name: str, blocks: _Blocks, most: int | None) -> None:
        self._name = name
        self._blocks = blocks
        self._most = most
        self._size = 0

    def read1(self, size: int = -1, /) -> bytes:
        """Read a block. Raises ExpandsTooFar."""
        block = self._blocks.read1(size)
        self._size += len(block)
        if self._most is not None and self._size > self._most:
            raise expands_too_far(self._name, self._most)
        return block


def expands_too_far(name: str, most: int) -> ExpandsTooFar:
    """The error for a file that expands to more than it may."""
    return ExpandsTooFar(
        f"{name} expands to more than {most >> 20:,} MiB, as much as a file may; import it in parts, or raise "
        "ENTOURAGE_IMPORT_MAX_EXPANDED_MB."
    )


def _unpacked(name: str, source: _Source, most_expanded: int | None) -> _Blocks:
    buffered = io.BufferedReader(source, 1 << 16)
    if not source.start.startswith(GZIP):
        return buffered
    return _Limited(name, gzip.GzipFile(fileobj=buffered), most_expanded)
