"""What the HTTP service asks of the store beside the published sets: runs, and whether all is well."""

from __future__ import annotations

from service.domain import Run, RunSpec
from service.errors import MigrationError
from service.flows.definitions import with_definitions
from service.store.driver import AsyncStore
from service.store.migrations import expected_version
from service.store.runs import create_run, get_run


async def request_run(
    store: AsyncStore, spec: RunSpec, publish: bool, idempotency_key: str | None, request_digest: str
) -> tuple[Run, bool]:
    """Queue a run for the engine, or return the one that answers already; see `store.runs.create_run`.

    Communities that people defined are among what it scores, unless the specification says which.
    """
    return await create_run(
        store,
        await with_definitions(store, spec),
        publish,
        idempotency_key,
        request_digest if idempotency_key is not None else None,
    )


async def run_by_id(store: AsyncStore, run_id: str) -> Run:
    """Read one run. Raises RunNotFound."""
    return await get_run(store, run_id)


async def check_ready(store: AsyncStore) -> None:
    """Raise unless Neo4j answers and is migrated to the version this code needs.

    Raises:
        StoreUnavailable: Neo4j does not answer.
        MigrationError: the schema is of another version.
    """
    rows = await store.read("schema/version")
    found = rows[0]["version"] if rows else "none"
    if found != expected_version():
        raise MigrationError(
            f"The graph is at migration {found} and this version needs {expected_version()}; run `entourage migrate`."
        )
