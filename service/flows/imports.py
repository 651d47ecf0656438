"""Files that are handed in to be imported: taken to disk, journaled, and asked about; the importer does the rest."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from service.domain import Import, ImportState, NewImport, Progress
from service.errors import (
    ImportNotFound,
    InvalidRequest,
    MalformedBody,
    RunFailed,
)
from service.files.lines import GZIP
from service.flows.import_options import ImportOptions, as_parameter, file_to_import
from service.flows.importing import ImportReport
from service.flows.receiving import Deliveries
from service.flows.watching import POLL_SECONDS, Watches, has_ended
from service.journal.imports import Imports, rejects_path
from service.journal.journal import Journal, now_ms
from service.journal.uploads import Upload

WRITE_BYTES = 1 << 20
"""So much of a file is held in memory before it is written."""

MOST_NAME_CHARACTERS = 200

T = TypeVar("T")


class HandedIn:
    """Takes files in, and answers what became of them: what `take` returned for is on disk."""

    def __init__(self, deliveries: Deliveries, folder: Path, *, most_bytes: int, least_free_bytes: int) -> None:
        """Make one.

        Args:
            deliveries: by whose connection the journal is asked.
            folder: of the journal.
            most_bytes: what a file may hold, as it comes.
            least_free_bytes: room that stays free on the device.
        """
        self._deliveries = deliveries
        self._folder = folder
        self._most = most_bytes
        self._least_free = least_free_bytes

    async def take(
        self,
        options: ImportOptions,
        name: str | None,
        check: bool,
        key: str | None,
        announced: int | None,
        packed: bool,
        body: AsyncIterator[bytes],
    ) -> tuple[Import, bool]:
        """Take a file in, and return its import, and whether it is a new one.

        Args:
            options: how to read it.
            name: what to call it in reports.
            check: only say what an import would do.
            key: the Idempotency-Key: the same file and options under it are the same import.
            announced: how many bytes will come, where that was said.
            packed: whether it was said to be packed with gzip.
            body: the file. Nothing of it is asked for where options, key or size cannot be used.

        Raises:
            BadInput: options that do not go together.
            IdempotencyConflict: something else came under the key before.
            BodyTooLarge: it is larger than it may be.
            MalformedBody: it did not come whole, or is not what it was said to be.
            JournalError: there is no room for it, or it cannot be journaled.
        """
        name = shown_name(name)
        file_to_import(Path(name), options, as_parameter, name=name)
        said = json.dumps(options.model_dump(exclude_defaults=True))
        if key is not None:
            await self._ask(lambda imports: imports.known(key, said, check, None))
        upload = await asyncio.to_thread(Upload, self._folder, most_bytes=self._most, least_free_bytes=self._least_free)
        with upload:
            await asyncio.to_thread(upload.expect, announced or 0)
            await _written(upload, body)
            if announced not in (None, upload.size):
                raise MalformedBody(
                    f"{announced:,} bytes were announced and {upload.size:,} came; send the file again."
                )
            if not upload.size:
                raise MalformedBody("The body is empty; send the file as the body.")
            if packed and not upload.start.startswith(GZIP):
                raise MalformedBody("The body is not gzip, as its Content-Encoding says.")
            import_id = await asyncio.to_thread(
                upload.finish,
                lambda digest: self._deliveries.ask(
                    lambda journal: Imports(journal).add(
                        NewImport(upload.id, key, name, said, check, digest, upload.size, now_ms())
                    )
                ),
            )
        return await self.get(import_id), import_id == upload.id

    async def get(self, import_id: str) -> Import:
        """Return an import. Raises ImportNotFound, JournalError."""
        return await self._ask(lambda imports: imports.get(import_id))

    async def latest(self, state: ImportState | None, before: int | None, limit: int) -> list[Import]:
        """Return imports, latest first. Raises JournalError."""
        return await self._ask(lambda imports: imports.latest(state, before, limit))

    async def cancel(self, import_id: str) -> Import:
        """Cancel an import. Raises ImportNotFound, ImportEnded, JournalError."""
        return await self._ask(lambda imports: imports.cancel(import_id))

    async def rejects(self, import_id: str) -> Path:
        """Return where the report of rejected lines lies. Raises ImportNotFound, JournalError."""
        return await self._ask(lambda imports: rejects_of(imports, import_id))

    async def _ask(self, question: Callable[[Imports], T]) -> T:
        return await asyncio.to_thread(self._deliveries.ask, lambda journal: question(Imports(journal)))


async def _written(upload: Upload, body: AsyncIterator[bytes]) -> None:
    held: list[bytes] = []
    size = 0
    async for piece in body:
        held.append(piece)
        size += len(piece)
        if size >= WRITE_BYTES:
            await asyncio.to_thread(upload.write, b"".join(held))
            held, size = [], 0
    if held:
        await asyncio.to_thread(upload.write, b"".join(held))


def shown_name(name: str | None) -> str:
    """Return what a file is called in reports.

    Raises:
        InvalidRequest: the name has too many characters, or such that cannot be shown.
    """
    if name is None:
        return "file"
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.isprintable():
        raise InvalidRequest(f"The name of the file must be 1 to {MOST_NAME_CHARACTERS} characters that can be shown.")
    return name


def rejects_of(imports: Imports, import_id: str) -> Path:
    """Return the report of the rejected lines of an import. Raises ImportNotFound."""
    imports.get(import_id)
    path = rejects_path(imports.folder, import_id)
    if not path.exists():
        raise ImportNotFound(f"Import {import_id} has left no line out so far, so there is no report of such lines.")
    return path


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a report in blocks. Of one that is being written, the last line may not be there yet."""
    begun = b""
    with path.open("rb") as report:
        while block := report.read(WRITE_BYTES):
            lines, end, begun = (begun + block).rpartition(b"\n")
            if end:
                yield lines + end


class ImportWatches(Watches[Import]):
    """The imports that one process watches: the journal is asked."""

    called = "imports"

    def __init__(self, handed_in: HandedIn, ending: Callable[[], bool] = lambda: False) -> None:
        super().__init__(ending)
        self._handed_in = handed_in

    async def ask(self, watched_id: str) -> Import:
        """Read an import. Raises ImportNotFound, JournalError."""
        return await self._handed_in.get(watched_id)

    def moment(self, watched: Import) -> str:
        """Name how far an import has come."""
        progress = watched.progress
        waits = "" if watched.note is None else ".waits"
        cancelling = ".cancelling" if watched.cancelling else ""
        return f"{watched.state}.{watched.attempts}.{progress.read_bytes}.{progress.lines}{waits}{cancelling}"


def watch_import(folder: Path, import_id: str, progress: Progress) -> ImportReport:
    """Watch an import of this machine for the command, and return its report when it is done.

    Args:
        folder: of the journal.
        import_id: the import; the importer of a running service carries it out.
        progress: told of it in bytes of the file.

    Raises:
        ImportNotFound: there is no such import, or no longer.
        RunFailed: it ended without a result.
        JournalError: the journal cannot be used.
    """
    with Journal(folder) as journal:
        imports = Imports(journal)
        while not has_ended(one := imports.get(import_id)):
            progress(f"import {one.name} ({one.state})", one.progress.read_bytes, one.progress.total_bytes)
            time.sleep(POLL_SECONDS)
    if one.report is None:
        said = f"Import {one.id} is {one.state}." if one.error is None else one.error.message
        raise RunFailed(said, code_of_import=None if one.error is None else one.error.code)
    return ImportReport.model_validate(one.report)
