"""The importer: files that were handed in are imported, one at a time, in order. One process a journal."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from service.domain import EmbeddedConfig, ImportFailure, ImportTurn, StoreAddress
from service.errors import (
    BadInput,
    ConfigurationError,
    DiskFull,
    EntourageError,
    JournalError,
    JournalFull,
    JournalUnavailable,
    StoreError,
    StoreRefused,
)
from service.files.rejects import ContinuedReport
from service.flows.import_options import ImportOptions, file_to_import
from service.flows.importing import Done, Resumption, import_file
from service.flows.processes import alone
from service.journal.imports import Imports, cancelled, rejects_address, rejects_path, upload_path
from service.journal.journal import Journal
from service.journal.uploads import tidy

IDLE_SECONDS = 0.25
PROGRESS_SECONDS = 0.5
TIDY_SECONDS = 600.0
LONGEST_BACK_OFF_SECONDS = 15.0

log = logging.getLogger(__name__)


def importer_loop(
    address: StoreAddress,
    folder: Path,
    stop: threading.Event,
    *,
    most_expanded: int | None = None,
    embedded: EmbeddedConfig | None = None,
    graphs: Path | None = None,
) -> None:
    """Carry out imports until `stop` is set. This is what the importer process does.

    While Neo4j is away it waits and tries again. Where another process imports for the same journal, it waits until
    that one has ended. An import that is under way when `stop` is set goes on at the next start.

    Args:
        address: the graph, migrated.
        folder: of the journal.
        stop: ends the loop, after the batch that is under way.
        most_expanded: bytes that a packed file may expand to; None: any number.
        embedded: how the embedded Neo4j is run, where the graph is in one.
        graphs: folder in which graphs of analyses are kept.

    Raises:
        JournalError: the journal cannot be used.
    """
    with alone(folder / "importer.lock", stop) as first:
        if not first:
            return
        threading.Thread(target=_note_stop, args=(folder, stop), name="note-stop", daemon=True).start()
        with Journal(folder) as journal:
            Importer(address, Imports(journal), most_expanded, embedded, graphs).run(stop)


def _note_stop(folder: Path, stop: threading.Event) -> None:
    """When the process is asked to end, note it by another connection: this one may be busy for long."""
    stop.wait()
    with suppress(JournalError), Journal(folder) as journal:
        Imports(journal).stopping()


class _Stopped(Exception):
    """The process is to end."""


class _Cancelled(Exception):
    """Somebody cancelled the import."""


class Importer:
    """Carries out the imports of one journal."""

    def __init__(
        self,
        address: StoreAddress,
        imports: Imports,
        most_expanded: int | None,
        embedded: EmbeddedConfig | None,
        graphs: Path | None = None,
    ) -> None:
        self._address = address
        self._imports = imports
        self._most_expanded = most_expanded
        self._embedded = embedded
        self._graphs = graphs
        self._tidied = float("-inf")
        self._at: str | None = None
        self._left: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; while the journal cannot be written, wait."""
        while not stop.is_set():
            try:
                if time.monotonic() - self._tidied > TIDY_SECONDS:
                    tidy(self._imports)
                    self._tidied = time.monotonic()
                if not self.turn(stop):
                    stop.wait(IDLE_SECONDS)
            except (JournalFull, JournalUnavailable) as error:
                log.warning("Imports wait: %s", error.message)
                self._left = self._at
                stop.wait(LONGEST_BACK_OFF_SECONDS)

    def turn(self, stop: threading.Event) -> bool:
        """Carry out the import whose turn it is, to its end or until `stop` is set; False where none waits."""
        turn = self._imports.next(self._left)
        if turn is None:
            return False
        self._at = turn.id
        done = Done() if turn.done is None else Done.model_validate_json(turn.done)
        failures = 0
        while True:
            work = _Work(self._imports, turn, done, stop)
            try:
                work.look()
                # What a first load met once it may meet again, with Neo4j standing still each time: then by batches.
                self._carry_out(turn, work, self._embedded if failures == 0 else None)
            except _Stopped:
                self._imports.put_back(turn.id)
            except _Cancelled:
                self._imports.end(turn.id, "cancelled", None, cancelled(work.done.lines, turn.check))
            except DiskFull as error:
                self._fail(turn, error.message, error)
            except StoreRefused as error:
                log.warning("Import %s failed: %s", turn.id, error.message)
                self._fail(turn, "Neo4j refused what a batch of lines says; the service's log says why.", error)
            except StoreError as error:
                failures = 1 if work.done.lines > done.lines else failures + 1
                done = work.done
                if failures == 1:
                    log.warning("Import %s waits: %s", turn.id, error.message)
                self._imports.wait(turn.id, "It waits for Neo4j, and goes on when that answers.")
                self._pause(turn, stop, min(0.25 * 2 ** (failures - 1), LONGEST_BACK_OFF_SECONDS))
                continue
            except (BadInput, ConfigurationError) as error:
                self._fail(turn, error.message, error)
            return True

    def _carry_out(self, turn: ImportTurn, work: _Work, embedded: EmbeddedConfig | None) -> None:
        folder = self._imports.folder
        options = ImportOptions.model_validate_json(turn.options)
        file = file_to_import(upload_path(folder, turn.id), options, name=turn.name)
        assert file is not None  # noqa: S101 - what was handed in is no folder
        report = ContinuedReport(rejects_path(folder, turn.id), Path(rejects_address(turn.id)), work.done.report_bytes)
        done = import_file(
            self._address,
            file,
            folder,
            work.progress,
            check=turn.check,
            most_expanded=self._most_expanded,
            resumption=Resumption(work.done, report, work.note),
            embedded=embedded,
            graphs=self._graphs,
        )
        self._imports.end(turn.id, "done", done.model_dump_json(), None, done.lines)

    def _fail(self, turn: ImportTurn, message: str, error: EntourageError) -> None:
        failure = ImportFailure.model_validate({**error.fields, "code": error.code, "message": message})
        lines = error.fields.get("lines")
        self._imports.end(turn.id, "failed", None, failure, lines if isinstance(lines, int) else None)

    def _pause(self, turn: ImportTurn, stop: threading.Event, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._imports.is_cancelling(turn.id) and not stop.wait(0.2):
            pass


class _Work:
    """One attempt at an import: how far it has come, in the journal and here."""

    def __init__(self, imports: Imports, turn: ImportTurn, done: Done, stop: threading.Event) -> None:
        self.done = done
        self._imports = imports
        self._turn = turn
        self._stop = stop
        self._read = 0
        self._told = time.monotonic()

    def look(self) -> None:
        """Raise _Cancelled or _Stopped where the import is not to go on now."""
        if self._imports.is_cancelling(self._turn.id):
            raise _Cancelled
        if self._stop.is_set():
            raise _Stopped

    def progress(self, stage: str, read: int, total: int | None) -> None:  # noqa: ARG002 - the protocol of Progress
        """Note how much of the file was read, now and then."""
        if stage.startswith("import"):  # what Neo4j's importer does is told in other units
            self._read = read
        if time.monotonic() - self._told > PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._imports.note_read(self._turn.id, self._read)
            self.look()  # a first load has no batches after which it would be heard

    def note(self, done: Done) -> None:
        """Note that a batch is in the graph."""
        kept = None if self._turn.check else done.model_dump_json()
        self._imports.note(self._turn.id, kept, self._read, done.lines)
        if not self._turn.check:
            self.done = done
        self.look()
