"""The report of lines that were left out of an import: one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from service.errors import ConfigurationError

SHOWN_CHARACTERS = 200

log = logging.getLogger(__name__)


class Rejected(NamedTuple):
    """A line that was left out: its number, a stable reason, a sentence, and its first characters."""

    line: int
    reason: str
    message: str
    text: str


class RejectReport:
    """A report file that comes into being with the first rejected line. A context manager.

    `<folder>/<name of the file>-<time>.rejected.ndjson`, readable by its owner only: lines may hold what people
    would not want others to read.

    Attributes:
        path: the report, or None while nothing was rejected.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:100]
        self._file: IO[str] | None = None
        self.path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as failure:
                # What stopped the import matters more than that its report is not complete.
                if error is None:
                    raise self._unwritable(failure) from failure

    def write(self, rejected: Rejected) -> None:
        """Add a line.

        Raises:
            ConfigurationError: the report cannot be written.
        """
        try:
            if self._file is None:
                self._file = self._create()
            self._file.write(json.dumps(rejected._asdict()) + "\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def size(self) -> int:
        """Bring what was written to the disk, and return how many bytes that is.

        Raises:
            ConfigurationError: the report cannot be written.
        """
        if self._file is None:
            return 0
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            return os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise self._unwritable(error) from error

    def _create(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.path = self._folder / f"{self._name}-{now}.rejected.ndjson"
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii")

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The report of rejected lines cannot be written to {self._folder}: {error.strerror}; "
            "let ENTOURAGE_DATA_DIR name a folder with room that you may write to."
        )


def clean_reports(folder: Path, names: Callable[[str], bool], in_use: Callable[[str], bool] = lambda _: False) -> int:
    """Take the lines out of reports that name somebody, and return how many; a report is replaced whole or not at all.

    Args:
        folder: where reports are.
        names: whether a line of a file, or what is said about it, names somebody who is to be forgotten.
        in_use: whether a report of this name is still being written, and has to be left alone.
    """
    gone = 0
    for path in sorted(folder.glob("*.rejected.ndjson")):
        if in_use(path.name):
            continue
        try:
            gone += _clean_report(path, names)
        except FileNotFoundError:  # it was too old, and is gone
            continue
        except OSError as error:
            log.error("The report %s may name somebody who was erased, and cannot be rewritten (%s).", path, error)
    return gone


def _clean_report(path: Path, names: Callable[[str], bool]) -> int:
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    left = [line for line in lines if not any(names(text) for text in _texts_of(line))]
    if len(left) < len(lines):
        aside = path.with_name(path.name + ".part")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(left)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    return len(lines) - len(left)


def _texts_of(line: str) -> list[str]:
    """The line of a file that a line of a report shows; what is said about it holds numbers and words of its own."""
    try:
        return [str(json.loads(line).get("text", ""))]
    except ValueError:  # the last line of an import that was killed
        return [line]


class ContinuedReport(RejectReport):
    """The report of an import that may be cut off and go on: always the same file, in which it goes on.

    Attributes:
        path: where the report can be asked for, or None while nothing was rejected.
    """

    def __init__(self, file: Path, address: Path, kept: int) -> None:
        """Go on with a report of which the first `kept` bytes stand; it can be asked for at `address`.

        Entering it raises ConfigurationError where it cannot be written.
        """
        super().__init__(file.parent, file.name)
        self._at = file
        self._address = address
        self._kept = kept
        if kept:
            self.path = address

    def __enter__(self) -> Self:
        """Leave away what was written after the import was last noted."""
        try:
            if self._kept:
                os.truncate(self._at, min(self._kept, self._at.stat().st_size))  # lines may have been taken out
            else:
                self._at.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def size(self) -> int:
        """Bring what was written to the disk, and return how many bytes that is."""
        return super().size() if self._file is not None else self._kept

    def _create(self) -> IO[str]:
        descriptor = os.open(self._at, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.path = self._address
        return os.fdopen(descriptor, "w", encoding="ascii")
