"""Imports that were asked for over HTTP: kept in the journal from their acknowledgement on, done in order.

The file of each lies in a folder beside the journal until the import has ended, its report of rejected lines as long as
the import is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from service.domain import Import, ImportFailure, ImportProgress, ImportState, ImportTurn, NewImport, moment_of
from service.errors import IdempotencyConflict, ImportEnded, ImportNotFound
from service.journal.journal import KEPT_IMPORTS_DAYS, Journal, now_ms

FOLDER = "imports"
MOST_CRASHES = 3
"""An import is begun so often without getting further before it has failed: its file may be what kills the process."""

UNNAMED_FILE = "a file"
"""What a file is called whose name or columns named somebody who was erased."""

_REJECTS = ".rejected.ndjson"
_ID = re.compile(r"i[0-9a-f]{20}")
_ALL = 2**63 - 1
_COLUMNS = (
    "seq, id, name, options, checks, digest, size, state, cancelling, attempts, created_at, started_at, ended_at, "
    "read_bytes, lines, note, report, error"
)


def upload_path(folder: Path, import_id: str) -> Path:
    """Where the file of an import lies, beside the journal in `folder`."""
    return folder / FOLDER / import_id


def rejects_path(folder: Path, import_id: str) -> Path:
    """Where the report of its rejected lines lies, if there is one."""
    return folder / FOLDER / f"{import_id}{_REJECTS}"


def rejects_address(import_id: str) -> str:
    """Where that report can be asked for over HTTP."""
    return f"/v1/imports/{import_id}/rejects"


class Imports:
    """The imports of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.folder = journal.path.parent

    # --- for those who ask for imports ---

    def known(self, key: str, options: str, check: bool, digest: bytes | None) -> str | None:
        """Return the id of the import that was asked for under an Idempotency-Key.

        Args:
            key: the Idempotency-Key.
            options: how the file is to be read.
            check: whether nothing is to be written.
            digest: of the file; None while it is not known.

        Raises:
            IdempotencyConflict: another file, or other options, came with it before.
        """
        row = self._journal.row("SELECT id, options, checks, digest FROM imports WHERE key = ?", (key,))
        if row is None:
            return None
        if (row[1], bool(row[2])) != (options, check) or digest not in (None, row[3]):
            raise IdempotencyConflict(
                "This Idempotency-Key came with another file or other parameters before; use a key of its own for each."
            )
        return str(row[0])

    def add(self, new: NewImport) -> str:
        """Journal an import, and return its id: that of before where the same was asked for under its key.

        Raises:
            IdempotencyConflict: something else was asked for under its key.
        """
        with self._journal.changing() as db:
            known = None if new.key is None else self.known(new.key, new.options, new.check, new.digest)
            if known is not None:
                return known
            db.execute(
                "INSERT INTO imports (id, key, name, options, checks, digest, size, state, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?)",
                (new.id, new.key, new.name, new.options, new.check, new.digest, new.size, new.created_at),
            )
        return new.id

    def get(self, import_id: str) -> Import:
        """Return an import and what became of it. Raises ImportNotFound."""
        row = self._journal.row(f"SELECT {_COLUMNS} FROM imports WHERE id = ?", (import_id,))  # noqa: S608 - a constant
        if row is None:
            raise ImportNotFound(
                f"There is no import {import_id[:80]}; they are kept for {KEPT_IMPORTS_DAYS} days after their end."
            )
        return self._import(row)

    def latest(self, state: ImportState | None, before: int | None, limit: int) -> list[Import]:
        """Return imports, latest first, of a state, with a sequence below `before` where it is said."""
        rows = self._journal.rows(
            f"SELECT {_COLUMNS} FROM imports WHERE seq < ? AND (? IS NULL OR state = ?) "  # noqa: S608 - a constant
            "ORDER BY seq DESC LIMIT ?",
            (_ALL if before is None else before, state, state, limit),
        )
        return [self._import(row) for row in rows]

    def cancel(self, import_id: str) -> Import:
        """Cancel an import that waits, or ask for it where it is carried out; a cancelled one stays as it is.

        Raises:
            ImportNotFound: there is no such import.
            ImportEnded: it is done, or has failed.
        """
        with self._journal.changing() as db:
            one = self.get(import_id)
            if one.state in ("done", "failed"):
                raise ImportEnded(f"Import {one.id} has ended; it is {one.state}.")
            if one.state == "running":
                db.execute("UPDATE imports SET cancelling = 1 WHERE id = ?", (import_id,))
            elif one.state == "queued":
                self._end(db, import_id, "cancelled", None, cancelled(one.progress.lines, one.check))
        one = self.get(import_id)
        if one.state == "cancelled":
            upload_path(self.folder, import_id).unlink(missing_ok=True)
        return one

    def _import(self, row: Sequence[Any]) -> Import:
        (
            seq, import_id, name, options, checks, digest, size, state, cancelling, attempts, created, started, ended,
            read, lines, note, report, error,
        ) = row  # fmt: skip
        there = rejects_path(self.folder, import_id).exists()
        return Import(
            id=import_id,
            sequence=seq,
            name=name,
            options=json.loads(options),
            check=bool(checks),
            state=state,
            cancelling=bool(cancelling) and ended is None,
            sha256=digest.hex(),
            attempts=attempts,
            created_at=moment_of(created),
            started_at=None if started is None else moment_of(started),
            finished_at=None if ended is None else moment_of(ended),
            progress=ImportProgress(read_bytes=read, total_bytes=size, lines=lines),
            note=note,
            report=None if report is None else json.loads(report),
            error=None if error is None else ImportFailure.model_validate_json(error),
            rejects=rejects_address(import_id) if there else None,
        )

    # --- for whoever carries them out, alone ---

    def next(self, left: str | None = None) -> ImportTurn | None:
        """Return the import whose turn it is, begun now; None where none waits.

        One that is running already was cut off: nobody else carries imports out. Without getting further this happens
        MOST_CRASHES times, and then it has failed. `left` is one that this process left without dying.
        """
        while True:
            row = self._journal.row(
                "SELECT id, name, options, checks, done, cancelling, state, crashes FROM imports "
                "WHERE state IN ('queued', 'running') ORDER BY seq LIMIT 1"
            )
            if row is None:
                return None
            import_id, name, options, checks, done, cancelling, state, crashes = row
            crashes += state == "running" and import_id != left
            with self._journal.changing() as db:
                if crashes < MOST_CRASHES:
                    begun = db.execute(
                        "UPDATE imports SET state = 'running', attempts = attempts + 1, crashes = ?, note = NULL, "
                        "started_at = coalesce(started_at, ?) WHERE id = ? AND state = ?",
                        (crashes, now_ms(), import_id, state),
                    )
                    if begun.rowcount:
                        return ImportTurn(import_id, name, options, bool(checks), done, bool(cancelling))
            if crashes >= MOST_CRASHES:
                self.end(
                    import_id,
                    "failed",
                    None,
                    ImportFailure(
                        code="import_interrupted",
                        message=f"The process that carried it out died {crashes} times without getting further. "
                        "What came before is in the graph; importing the whole file later is safe.",
                    ),
                )

    def note(self, import_id: str, done: str | None, read_bytes: int, lines: int) -> bool:
        """Note how far an import has come, and return whether it is to be cancelled.

        Args:
            import_id: the import.
            done: where to go on after it was cut off; None where nothing is written that could be gone on from.
            read_bytes: bytes of its file that were read.
            lines: lines that are done.
        """
        with self._journal.changing() as db:
            db.execute(
                "UPDATE imports SET done = ?, read_bytes = max(read_bytes, ?), lines = ?, note = NULL, "
                "crashes = CASE WHEN ? THEN 0 ELSE crashes END WHERE id = ?",
                (done, read_bytes, lines, done is not None, import_id),
            )
        return self.is_cancelling(import_id)

    def note_read(self, import_id: str, read_bytes: int) -> None:
        """Note how much of its file was read."""
        with self._journal.changing() as db:
            db.execute("UPDATE imports SET read_bytes = max(read_bytes, ?) WHERE id = ?", (read_bytes, import_id))

    def is_cancelling(self, import_id: str) -> bool:
        """Whether an import is to be cancelled."""
        return bool(self._journal.row("SELECT cancelling FROM imports WHERE id = ?", (import_id,))[0])

    def wait(self, import_id: str, note: str) -> None:
        """Note what an import waits for; it stays running."""
        with self._journal.changing() as db:
            db.execute("UPDATE imports SET note = ? WHERE id = ?", (note, import_id))

    def put_back(self, import_id: str) -> None:
        """Put an import back in the queue, as its process ends in order."""
        with self._journal.changing() as db:
            db.execute(
                "UPDATE imports SET state = 'queued', note = NULL, crashes = max(crashes, 0) WHERE id = ?", (import_id,)
            )

    def stopping(self) -> None:
        """Note that the process is asked to end: should it be killed because it takes long, that is no crash."""
        with self._journal.changing() as db:
            db.execute("UPDATE imports SET crashes = crashes - 1 WHERE state = 'running'")

    def end(
        self,
        import_id: str,
        state: ImportState,
        report: str | None,
        error: ImportFailure | None,
        lines: int | None = None,
    ) -> None:
        """Note how an import ended; its file goes away at once."""
        with self._journal.changing() as db:
            self._end(db, import_id, state, report, error)
            if lines is not None:
                db.execute("UPDATE imports SET lines = ?, read_bytes = size WHERE id = ?", (lines, import_id))
        upload_path(self.folder, import_id).unlink(missing_ok=True)

    @staticmethod
    def _end(db: Any, import_id: str, state: ImportState, report: str | None, error: ImportFailure | None) -> None:
        db.execute(
            "UPDATE imports SET state = ?, ended_at = ?, report = ?, error = ?, note = NULL, done = NULL WHERE id = ?",
            (state, now_ms(), report, None if error is None else error.model_dump_json(), import_id),
        )

    def handed_in(self) -> int:
        """Return the sequence of the latest import that was handed in; 0 before the first."""
        return int(self._journal.row("SELECT coalesce(max(seq), 0) FROM imports")[0])

    def is_open(self, name: str) -> bool:
        """Whether a file of the folder of imports is of one that waits or is being carried out."""
        row = self._journal.row("SELECT ended_at FROM imports WHERE id = ?", (name.removesuffix(_REJECTS),))
        return row is not None and row[0] is None

    def forget(self, names: Callable[[str], bool]) -> int:
        """Take what names somebody out of what is said of imports that have ended; return of how many."""
        rows = self._journal.rows("SELECT id, name, options, error, report FROM imports WHERE ended_at IS NOT NULL")
        told = [row for row in rows if any(names(text) for text in row[1:] if text)]
        with self._journal.changing() as db:
            for import_id, name, options, error, report in told:
                if error is not None and names(error):
                    error = json.dumps({"code": json.loads(error)["code"], "message": "What was wrong named somebody."})
                if report is not None and names(report):
                    report = json.dumps({**json.loads(report), "file": UNNAMED_FILE, "ignored": []})
                db.execute(
                    "UPDATE imports SET name = ?, options = ?, error = ?, report = ? WHERE id = ?",
                    (
                        UNNAMED_FILE if names(name) else name,
                        "{}" if names(options) else options,
                        error,
                        report,
                        import_id,
                    ),
                )
        return len(told)

    def all_ended(self, up_to: int) -> bool:
        """Whether all imports up to a sequence have ended, so that nothing is left of their files."""
        waiting = "SELECT 1 FROM imports WHERE seq <= ? AND state IN ('queued', 'running') LIMIT 1"
        return self._journal.row(waiting, (up_to,)) is None

    def lines(self, import_id: str) -> int:
        """How many lines of an import are done."""
        return int(self._journal.row("SELECT lines FROM imports WHERE id = ?", (import_id,))[0])

    def needs(self, name: str) -> bool:
        """Whether a file in the folder of imports is still of use."""
        import_id = name.removesuffix(_REJECTS)
        row = self._journal.row("SELECT ended_at FROM imports WHERE id = ?", (import_id,))
        return row is not None and (row[0] is None or name != import_id)


def is_ours(name: str) -> bool:
    """Whether a file of this name in the folder of imports is one that we put there."""
    return _ID.fullmatch(name.removesuffix(_REJECTS)) is not None


def cancelled(lines: int, check: bool) -> ImportFailure:
    """What is said of an import that was cancelled when so many lines were done."""
    kept = (
        f"What its first {lines:,} lines say is in the graph, and stays there."
        if lines and not check
        else "Nothing of it was imported."
    )
    return ImportFailure(code="import_cancelled", message=f"It was cancelled. {kept}")
