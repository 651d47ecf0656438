"""Runs as kept in the graph: asked for, claimed, watched, ended.

    queued ──claim──> running ──finish──> done
                         └──────fail────> failed

A run never leaves `done` or `failed`, and is never queued a second time. Everything that changes a run first locks its
node and then looks at its state, so that of two processes that want the same run, one gets it.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any

from service.domain import BacktestReport, BacktestSpec, Quality, Run, RunError, RunSpec, RunState
from service.errors import Conflict, IdempotencyConflict, RunNotFound
from service.store.driver import AsyncStore, AsyncTx, Row, Store, Tx

SILENT_SECONDS = 60
"""A running run without a heartbeat for this long is taken for dead."""


def canonical_json(spec: RunSpec) -> str:
    """Write a specification as JSON that is equal for equal specifications: keys sorted, nothing left out."""
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


# --- for the API and the command ------------------------------------------------------------------------


async def create_run(
    store: AsyncStore,
    spec: RunSpec,
    publish: bool,
    idempotency_key: str | None = None,
    request_digest: str | None = None,
    backtest: BacktestSpec | None = None,
) -> tuple[Run, bool]:
    """Queue a run, unless there is one that answers already.

    The run that answered this `idempotency_key` before answers again; so does the current run where it had the same
    specification and the graph has not changed since. A key is remembered with the request it came with and the run
    that answered, whichever that was: a retry gets the same run even when the graph has changed meanwhile.

    Args:
        store: the graph.
        spec: what to compute.
        publish: whether the run becomes current when it is done.
        idempotency_key: unique for one request of one client, who may send it again.
        request_digest: digest of that request; needed with a key.
        backtest: what is asked, where it is a back-test; no run that is there answers it.

    Returns:
        The run, and True where it is new.

    Raises:
        IdempotencyConflict: the key came with another request before.
    """
    text = canonical_json(spec)
    new_id = _new_id()

    async def work(tx: AsyncTx) -> tuple[Row, bool]:
        if idempotency_key is not None:
            # First of all: of two requests with one key, the second waits here until the first has its run.
            [kept] = await tx.run(
                "runs/remember_key", idempotency_key=idempotency_key, request_digest=request_digest, run=new_id
            )
            if kept["request_digest"] != request_digest:
                raise IdempotencyConflict(
                    "This Idempotency-Key was used before with another request; use a new key for a new request."
                )
            if kept["run"] != new_id:
                return await _row(tx, kept["run"]), False
        for current in await tx.run("runs/current_of_spec", spec=text) if backtest is None else ():
            if idempotency_key is not None:
                await tx.run("runs/answer_key", idempotency_key=idempotency_key, run=current["id"])
            return await _row(tx, current["id"]), False
        asked = None if backtest is None else backtest.model_dump_json()
        await tx.run("runs/create", id=new_id, spec=text, publish=publish, backtest=asked)
        return await _row(tx, new_id), True

    row, created = await store.write_transaction(work)
    return _run(row), created


async def get_run(store: AsyncStore, run_id: str) -> Run:
    """Read one run.

    Raises:
        RunNotFound: there is none with this id.
    """
    return _run(_found(await store.read("runs/get", id=run_id), run_id))


async def list_runs(store: AsyncStore, state: RunState | None, before: str | None, limit: int) -> list[Run]:
    """Read runs but for back-tests, those asked for last first; with `before` those that come after that run.

    Raises:
        RunNotFound: there is no run `before`.
    """
    if before is not None:
        await get_run(store, before)
    rows = await store.read("runs/list", state=state, before=before, limit=limit)
    return [_run(row) for row in rows]


async def report_of_backtest(store: AsyncStore, run_id: str) -> bytes | None:
    """Read what a back-test found, a `BacktestReport` as JSON; None before it is done.

    Raises:
        RunNotFound: there is no run with this id.
    """
    report = _found(await store.read("runs/report_of_backtest", id=run_id), run_id)["report"]
    return None if report is None else report.encode()


async def _row(tx: AsyncTx, run_id: str) -> Row:
    return _found(await tx.run("runs/get", id=run_id), run_id)


def _new_id() -> str:
    """An id that sorts by time, e.g. `r-20261123T031502-4f9a12`."""
    return f"r-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


# --- for the engine and its children --------------------------------------------------------------------


def read_run(store: Store, run_id: str) -> Run:
    """Read one run, without asyncio.

    Raises:
        RunNotFound: there is none with this id.
    """
    return _run(_found(store.read("runs/get", id=run_id), run_id))


def claim(store: Store, run_id: str) -> Run:
    """Take a queued run: it is running from now on, and nobody else can take it.

    Raises:
        RunNotFound: there is none with this id.
        Conflict: it is not queued, for instance because another process took it.
    """

    def work(tx: Tx) -> Row:
        state = lock(tx, run_id)["state"]
        if state != "queued":
            raise Conflict(f"Run {run_id} is {state}, not queued; it cannot be claimed.")
        tx.run("runs/start", id=run_id)
        return _found(tx.run("runs/get", id=run_id), run_id)

    return _run(store.write_transaction(work))


def claim_next(store: Store) -> Run | None:
    """Take the run that has been queued longest; None where none is queued."""
    while waiting := store.read("runs/next_queued"):
        try:
            return claim(store, waiting[0]["id"])
        except Conflict:
            continue  # another process was faster; look for the next one
    return None


def report(store: Store, run_id: str, stage: str, progress: float | None) -> None:
    """Say how far a running run has come; this is its heartbeat, too.

    Raises:
        Conflict: the run was ended by somebody else meanwhile; whoever computes it should stop.
    """

    def work(tx: Tx) -> None:
        require_running(tx, run_id)
        tx.run("runs/report", id=run_id, stage=stage, progress=progress)

    store.write_transaction(work)


def finish_backtest(store: Store, run_id: str, report: BacktestReport) -> None:
    """Mark a back-test as done, with its report.

    Raises:
        Conflict: it is no longer running, for instance because it was taken for dead.
    """
    text = report.model_dump_json()

    def work(tx: Tx) -> None:
        # Done is what this same call has done: the commit had arrived, only its answer was lost.
        if lock(tx, run_id)["state"] != "done":
            require_running(tx, run_id)
            tx.run("runs/finish_backtest", id=run_id, report=text, graph_version=report.graph_version)

    store.write_transaction(work)


def fail(store: Store, run_id: str, error: RunError) -> None:
    """Mark a run as failed, unless it has ended already: what is done stays done, the first failure stands."""

    def work(tx: Tx) -> None:
        if lock(tx, run_id)["state"] in ("queued", "running"):
            tx.run("runs/fail", id=run_id, code=error.code, message=error.message)

    store.write_transaction(work)


def sweep_interrupted(store: Store) -> list[str]:
    """Mark as failed what was running and has given no sign of life for SILENT_SECONDS; return the ids."""

    def work(run_id: str, tx: Tx) -> bool:
        # Looked at again under the lock: it may have ended, or come back, since it was found.
        found = lock(tx, run_id)
        silent = bool(found["state"] == "running" and found["silent_s"] >= SILENT_SECONDS)
        if silent:
            tx.run(
                "runs/fail",
                id=run_id,
                code="run_interrupted",
                message="The analysis stopped without a word, as when its machine is switched off; ask for it again.",
            )
        return silent

    ids = [row["id"] for row in store.read("runs/silent", seconds=SILENT_SECONDS)]
    return [run_id for run_id in ids if store.write_transaction(partial(work, run_id))]


def lock(tx: Tx, run_id: str) -> Row:
    """Lock a run for the rest of the transaction and return its `state`, `digest` and `silent_s`.

    Raises:
        RunNotFound: there is none with this id.
    """
    return _found(tx.run("runs/lock", id=run_id), run_id)


def require_running(tx: Tx, run_id: str) -> None:
    """Lock a run and see that it is still running: nothing may be written for a run that was given up.

    Raises:
        RunNotFound: there is none with this id.
        Conflict: it is not running.
    """
    state = lock(tx, run_id)["state"]
    if state != "running":
        raise Conflict(f"Run {run_id} is {state} and no longer running; its results are dropped.")


# --- rows -----------------------------------------------------------------------------------------------


def _found(rows: list[Row], run_id: str) -> Row:
    if not rows:
        raise RunNotFound(f"There is no run {run_id}; check the id.")
    return rows[0]


def _run(row: Row) -> Run:
    kept = row["run"]
    error = None
    if kept.get("error_code") is not None:
        error = RunError(code=kept["error_code"], message=kept["error_message"])
    return Run(
        id=kept["id"],
        state=kept["state"],
        stage=kept["stage"],
        progress=kept.get("progress"),
        publish=kept["publish"],
        current=row["current"],
        spec=RunSpec.model_validate_json(kept["spec"]),
        backtest=BacktestSpec.model_validate_json(kept["backtest"]) if kept.get("backtest") else None,
        graph_version=kept.get("graph_version"),
        as_of=_time(kept.get("as_of")),
        created_at=_time(kept["created_at"]),
        started_at=_time(kept.get("started_at")),
        finished_at=_time(kept.get("finished_at")),
        digest=kept.get("digest"),
        quality=Quality.model_validate_json(kept["quality"]) if kept.get("quality") else None,
        error=error,
    )


def _time(value: Any) -> datetime | None:
    """Turn the driver's own type of time into Python's, in UTC."""
    return None if value is None else value.to_native().astimezone(UTC)
