"""What the HTTP service asks of the store beside the published sets: runs, and whether all is well."""

from __future__ import annotations

from pathlib import Path

from service.domain import BacktestReport, BacktestSpec, Freshness, Run, StoreAddress
from service.errors import MigrationError, RunNotFound, StoreLoading, StoreUnavailable
from service.flows.backtest import run_of_backtest
from service.store.driver import AsyncStore
from service.store.migrations import expected_version
from service.store.published import read_freshness
from service.store.runs import cancel_run, create_run, get_run, report_of_backtest


async def request_backtest(
    store: AsyncStore, spec: BacktestSpec, idempotency_key: str | None, request_digest: str
) -> tuple[Run, bool]:
    """Queue a back-test for the engine, or return the one that answered this key before."""
    return await create_run(
        store,
        run_of_backtest(spec),
        publish=False,
        idempotency_key=idempotency_key,
        request_digest=request_digest,
        backtest=spec,
    )


async def backtest_by_id(store: AsyncStore, run_id: str) -> tuple[Run, bytes | None]:
    """Read a back-test, and its report as JSON where it is done.

    Raises:
        RunNotFound: there is no back-test with this id.
    """
    run = await get_run(store, run_id)
    if run.backtest is None:
        raise RunNotFound(f"Run {run_id} is an analysis, not a back-test; read it at /v1/runs/{run_id}.")
    return run, await report_of_backtest(store, run_id)


async def read_report(address: StoreAddress, run_id: str) -> BacktestReport:
    """Read the report of a back-test that is done, for the command."""
    async with AsyncStore(address) as store:
        _, report = await backtest_by_id(store, run_id)
    return BacktestReport.model_validate_json(report or b"")


async def run_by_id(store: AsyncStore, run_id: str) -> Run:
    """Read one run. Raises RunNotFound."""
    return await get_run(store, run_id)


async def cancel_by_id(store: AsyncStore, run_id: str) -> Run:
    """Cancel one run; see `store.runs.cancel_run`."""
    return await cancel_run(store, run_id)


async def freshness(store: AsyncStore) -> Freshness:
    """Say which run readers see by default, and what it saw of the graph."""
    return await read_freshness(store)


async def check_ready(store: AsyncStore, loading: Path | None = None) -> None:
    """Raise unless Neo4j answers and is migrated to the version this code needs.

    Args:
        store: the graph.
        loading: folder that is there while the embedded Neo4j stands still for a first load.

    Raises:
        StoreLoading: Neo4j does not answer because of a first load.
        StoreUnavailable: Neo4j does not answer.
        MigrationError: the schema is of another version.
    """
    try:
        rows = await store.read("schema/version")
    except StoreUnavailable as error:
        if loading is None or not loading.exists():
            raise
        raise StoreLoading(
            "A first load is going on, and Neo4j answers when it has ended; deliveries are taken meanwhile."
        ) from error
    found = rows[0]["version"] if rows else "none"
    if found != expected_version():
        raise MigrationError(
            f"The graph is at migration {found} and this version needs {expected_version()}; run `entourage migrate`."
        )
