"""Lines that are put aside on disk while a run is made, because there are too many for memory.

They stand in a file without a name: the system frees it when it is closed, or when the process ends in whatever way, so
that nothing is ever left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self, overload

from service.errors import RunFailed


class Spool:
    """Keeps lines, one batch after the other, until it is closed.

    Args:
        folder: where there is room; made where it is not there.

    Raises:
        RunFailed: no file can be made there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = 0
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
        try:
            self._file.seek(start)
            for line in lines:
                self._file.write(line + b"\n")
                self._end += len(line) + 1
                count += 1
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error
        return _Kept(self._file, start, count)

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

    def __init__(self, file: IO[bytes], start: int, count: int) -> None:
        self._file = file
        self._start = start
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        at = self._start
        for _ in range(self._count):
            self._file.seek(at)  # others read the same file meanwhile; within what is buffered it costs nothing
            line = self._file.readline()
            at += len(line)
            yield line[:-1]

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return list(self)[index]
