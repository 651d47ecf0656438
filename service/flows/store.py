"""Opening the graph store: an existing server, or the embedded one, brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from service.domain import EmbeddedConfig, Progress, StoreAddress, StoreSource, no_progress
from service.store.driver import Store
from service.store.embedded import running
from service.store.migrations import MigrationReport, migrate


@contextmanager
def open_store(
    source: StoreSource, progress: Progress = no_progress, *, migrated: bool = True
) -> Iterator[StoreAddress]:
    """Yield the address of a graph store that answers, migrated unless told otherwise.

    An embedded server is found or started, and stopped afterwards by its last user.

    Raises:
        StoreError: the server cannot be started or reached, or its schema cannot be brought up to date.
    """
    server = running(source, progress) if isinstance(source, EmbeddedConfig) else nullcontext(source)
    with server as address:
        if migrated:
            with Store(address) as store:
                migrate(store, progress=progress)
        yield address


def migrate_store(source: StoreSource, progress: Progress, *, dry_run: bool) -> MigrationReport:
    """Bring the schema up to date, or only say what is missing.

    Raises:
        MigrationError: files and graph do not agree, or a statement failed.
    """
    with open_store(source, progress, migrated=False) as address, Store(address) as store:
        return migrate(store, dry_run=dry_run, progress=progress)
