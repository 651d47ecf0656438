"""Export of everything people brought: an import folder that, imported into an empty graph, gives the same graph."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from service.domain import Frozen, Progress, StoreAddress
from service.errors import ConfigurationError, Conflict, EmptyGraph
from service.files.exports import LineFile, follow_lines, said_lines, split_opt_outs, write_manifest
from service.files.tables import FileFormat
from service.records import THINGS
from service.store.driver import Store
from service.store.exports import version_of
from service.store.things import stored

PROGRESS_LINES = 5_000
_KINDS = {"engagements": "interaction_counts", "relations": "brand_relations"}


class ExportReport(Frozen):
    """What an export wrote."""

    folder: Path
    version: int = Field(description="Version of the graph when the export began.")
    changed_meanwhile: bool = Field(description="Whether the graph changed while it was read.")
    lines: dict[str, int] = Field(description="Lines written, by kind.")
    seconds: float


def export_folder(address: StoreAddress, folder: Path, file_format: FileFormat, progress: Progress) -> ExportReport:
    """Write everything people brought into a folder with a manifest; what analyses found is not in it.

    The folder appears only when it is whole. It is readable by its owner only.

    Args:
        address: the graph, migrated.
        folder: where to; it must not be there yet, or be empty.
        file_format: of its files; all are imported to the same graph.
        progress: told of stage `export`, in lines.

    Raises:
        Conflict: the folder holds something.
        EmptyGraph: there is nothing to export.
        ConfigurationError: it cannot be written.
        MigrationError: the graph has not been migrated.
    """
    started = time.perf_counter()
    with new_folder(folder) as partial, Store(address) as store:
        version = version_of(store)
        lines = _write(store, partial, file_format, version, progress)
        changed = version_of(store) != version
    return ExportReport(
        folder=folder.absolute(),
        version=version,
        changed_meanwhile=changed,
        lines=lines,
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside it to write into, readable by its owner only, which takes its name once it is whole.

    Raises:
        Conflict: the folder is there already and holds something, or cannot be replaced by another one.
        ConfigurationError: it cannot be written.
    """
    folder = folder.absolute()
    stays = Conflict(f"{folder} is a link, or where a disk begins, and cannot be replaced; name a new folder below it.")
    if not folder.name:
        raise stays
    partial = folder.with_name(f"{folder.name}.partial-{time.time_ns():x}")
    try:
        if folder.is_symlink() or folder.is_mount():
            raise stays
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Conflict(f"{folder} is there already and not empty; choose another folder, or remove it first.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        yield partial
        with suppress(FileNotFoundError):
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise ConfigurationError(
            f"The graph cannot be exported to {folder}: {error.strerror}; choose a folder that you may write to."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(store: Store, folder: Path, file_format: FileFormat, version: int, progress: Progress) -> dict[str, int]:
    files: dict[str, LineFile] = {}
    done = 0
    with ExitStack() as stack:

        def write(kind: str, line: dict[str, Any]) -> None:
            nonlocal done
            if kind not in files:
                files[kind] = stack.enter_context(LineFile(folder, kind, file_format))
            files[kind].write(line)
            done += 1
            if done % PROGRESS_LINES == 0:
                progress("export", done, None)

        for identity, state in stored(store, THINGS["accounts"]):
            for kind, line in split_opt_outs(said_lines("accounts", identity, state)):
                write(kind, line)
        for kind in ("follows", "unfollows", "complete_followers"):
            for line in follow_lines(store.stream(f"export/{kind}")):
                write(kind, line)
        for name, thing in THINGS.items():
            if name != "accounts":
                for identity, state in stored(store, thing):
                    for line in said_lines(name, identity, state):
                        write(_KINDS.get(name, name), line)
    if not files:
        raise EmptyGraph("The graph is empty; there is nothing to export.")
    progress("export", done, done)
    now = datetime.now(UTC).replace(microsecond=0)
    write_manifest(folder, files.values(), f"Everything in a graph at its version {version}.", now)
    return {kind: file.rows for kind, file in files.items()}
