"""Files on their way in: written to disk piece by piece, and gone again unless they are journaled."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from service.errors import BodyTooLarge, JournalFull, JournalUnavailable
from service.journal.imports import FOLDER, Imports, is_ours
from service.journal.journal import journal_errors

LOOK_BYTES = 16 << 20
"""So much is written between two looks at how much room is left."""


class Upload:
    """A file that is being written beside the journal, readable by its owner only. A context manager.

    While it is locked it is being written: whoever tidies up leaves it alone. It is removed at the end unless it
    was journaled. Calls block for the time of a disk access.

    Attributes:
        id: of the import that it is for.
        size: bytes written so far.
        start: the first bytes.
    """

    def __init__(self, folder: Path, *, most_bytes: int, least_free_bytes: int) -> None:
        """Make the file.

        Args:
            folder: of the journal.
            most_bytes: what it may hold.
            least_free_bytes: room that stays free on the device.

        Raises:
            JournalFull, JournalUnavailable: it cannot be made.
        """
        self.id = f"i{secrets.token_hex(10)}"
        self.size = 0
        self.start = b""
        self._folder = folder / FOLDER
        self._path = self._folder / self.id
        self._most = most_bytes
        self._least_free = least_free_bytes
        self._looked = -LOOK_BYTES
        self._digest = hashlib.sha256()
        self._kept = self._closed = False
        # A request may be given up while a thread writes: the file must not be closed under it.
        self._lock = threading.Lock()
        with journal_errors(self._path):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            while True:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
                if os.fstat(self._file).st_nlink:
                    break
                os.close(self._file)  # somebody tidied up before it was locked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            if not self._kept:
                self._path.unlink(missing_ok=True)
            os.close(self._file)

    def expect(self, size: int) -> None:
        """Refuse a file for which there is no room, before it comes. Raises BodyTooLarge, JournalFull."""
        if size > self._most:
            raise BodyTooLarge(
                f"The file is larger than {self._most >> 20:,} MiB; pack it with gzip, import it in parts, or raise "
                "ENTOURAGE_IMPORT_MAX_MB."
            )
        with journal_errors(self._path):
            free = shutil.disk_usage(self._folder).free
        if free - size < self._least_free:
            raise JournalFull(
                f"Less than {self._least_free >> 20:,} MiB would stay free where files are kept until they are "
                "imported; free some room, then send it again."
            )

    def write(self, data: bytes) -> None:
        """Write on. Raises BodyTooLarge, JournalFull, JournalUnavailable."""
        with self._lock, journal_errors(self._path):
            if self._closed:
                return
            if self.size + len(data) > self._most or self.size - self._looked >= LOOK_BYTES:
                self.expect(self.size + len(data))
                self._looked = self.size
            self._digest.update(data)
            if len(self.start) < 4:
                self.start = (self.start + data)[:4]
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self.size += len(data)

    def finish(self, journal: Callable[[bytes], str]) -> str:
        """Bring the file to the disk, name and all, and then have it journaled.

        Args:
            journal: called with the SHA-256 of the file; returns the id under which it is journaled. The file is kept
                where that is its own.

        Returns:
            What `journal` returned.

        Raises:
            JournalError: it could not be journaled.
        """
        with self._lock:
            if self._closed:
                raise JournalUnavailable("The request was given up.")
            with journal_errors(self._path):
                os.fsync(self._file)
                for folder in (self._folder, self._folder.parent):
                    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)
            journaled = journal(self._digest.digest())
            self._kept = journaled == self.id
            return journaled


def tidy(imports: Imports) -> int:
    """Remove files that no import needs any more, or that were being written when a process died; return how many."""
    folder = imports.folder / FOLDER
    gone = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not is_ours(path.name) or imports.needs(path.name):
            continue
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It may have been journaled since.
            if not imports.needs(path.name):
                path.unlink(missing_ok=True)
                gone += 1
        except OSError:
            continue
        finally:
            os.close(file)
    return gone
