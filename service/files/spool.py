"""Lines that are put aside on disk while a run is made, because there are too many for memory.

They stand in a file without a name: the system frees it when it is closed, or when the process ends in whatever way, so
that nothing is ever left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self, overload

from service.errors import RunFailed

BLOCK_BYTES = 1_048_576
"""So much is written and read at once."""


class Spool:
    """Keeps lines, one batch after the other, until it is closed; what was kept other threads may read meanwhile.

    Args:
        folder: where there is room; made where it is not there.

    Raises:
        RunFailed: no file can be made there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = 0
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed by `__exit__`
        except OSError as error:
            raise self._failure(error) from error

    def keep(self, lines: Iterable[bytes]) -> Sequence[bytes]:
        """Put lines aside as they come, and return them as they can be read from there, as often as one likes.

        Args:
            lines: without line feeds.

        Raises:
            RunFailed: there is no room.
        """
        start, count = self._end, 0
        block = bytearray()
        for line in lines:
            block += line + b"\n"
            count += 1
            if len(block) >= BLOCK_BYTES:
                self._write(block)
                block.clear()
        self._write(block)
        return _Kept(self, start, self._end, count)

    def read(self, start: int, end: int) -> bytes:
        """Read what stands in the file; other threads may write to its end meanwhile."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(end - start)

    def _write(self, block: bytearray) -> None:
        try:
            with self._lock:
                self._file.seek(self._end)
                self._file.write(block)
                self._file.flush()
        except OSError as error:
            raise self._failure(error) from error
        self._end += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written for want of room is not needed any more
            self._file.close()

    def _failure(self, error: OSError) -> RunFailed:
        return RunFailed(
            f"Candidates could not be put aside in {self._folder} ({error.strerror}); make room there, or let "
            "ENTOURAGE_DATA_DIR name a folder with room that may be written to, and analyse again."
        )


class _Kept(Sequence[bytes]):
    """Lines of a file, read when they are asked for."""

    def __init__(self, spool: Spool, start: int, end: int, count: int) -> None:
        self._spool = spool
        self._start = start
        self._end = end
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        begun = b""  # of the line that the next block ends
        for at in range(self._start, self._end, BLOCK_BYTES):
            *lines, begun = (begun + self._spool.read(at, min(at + BLOCK_BYTES, self._end))).split(b"\n")
            yield from lines

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return list(self)[index]
