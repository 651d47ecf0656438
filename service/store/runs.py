"""Runs as kept in the graph: asked for, claimed, watched, ended.

    queued ──claim──> running ──finish───> done
      │  <─interrupt──┘ │ └─────fail─────> failed
      └─────────────────┴──────cancel────> cancelled

A run never leaves `done`, `failed` or `cancelled`. Everything that changes a run first locks its node and then looks at
its state, so that of two processes that want the same run, one gets it.

One run at a time is running, over all processes that share the graph: whoever claims a run first locks the lease, a
node that names the run that was claimed last. It is free when that run is no longer running. Each claim has a token
that is larger than those before; what is written for a run names the token of the attempt that writes it, so that a
process that was taken for dead, and whose run was begun again, writes nothing when it wakes up.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from service.domain import AUTO, COLD, BacktestReport, BacktestSpec, Quality, Run, RunError, RunSpec, RunState
from service.errors import Conflict, IdempotencyConflict, InvalidRequest, RunNotFound
from service.store.driver import AsyncStore, AsyncTx, Row, Store, Tx

SILENT_SECONDS = 60
"""A running run without a heartbeat for this long is taken for dead.

No transaction about a run may take longer: a process that was paused in the middle of one would otherwise keep its
locks, and nobody could begin the run again.
"""

MOST_ATTEMPTS = 2
"""A run whose process died is begun again until it was begun this often."""

CANCELLED = RunError(code="run_cancelled", message="The analysis was cancelled; ask for it again if it is wanted.")
INTERRUPTED = RunError(
    code="run_interrupted",
    message="The analysis stopped without a word, as when its machine is switched off; ask for it again.",
)

T = TypeVar("T")


def canonical_json(spec: RunSpec) -> str:
    """Write a specification as JSON that is equal for equal specifications: keys sorted, nothing left out."""
    return json.dumps(spec.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def question_of(spec: RunSpec) -> str:
    """What a specification asks of a graph, whatever it starts from: the same JSON without `start`."""
    return json.dumps(spec.model_dump(mode="json", exclude={"start"}), sort_keys=True, separators=(",", ":"))


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
    specification and the graph has not changed since; where the request starts from whichever run is current, it does
    not matter from which the current run itself started. A key is remembered with the request it came with and the run
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
        InvalidRequest: it is to start from a run that is not there, or not done.
    """
    question, new_id = question_of(spec), _new_id()

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
        start = None if spec.start == AUTO else spec.start
        answers = await tx.run("runs/current_of_spec", question=question, start=start) if backtest is None else ()
        for current in answers:
            if idempotency_key is not None:
                await tx.run("runs/answer_key", idempotency_key=idempotency_key, run=current["id"])
            return await _row(tx, current["id"]), False
        asked = None if backtest is None else backtest.model_dump_json()
        await _check_start(tx, spec.start)
        text = canonical_json(spec)
        await tx.run("runs/create", id=new_id, spec=text, question=question, publish=publish, backtest=asked)
        return await _row(tx, new_id), True

    row, created = await store.write_transaction(work)
    return _run(row), created


async def _check_start(tx: AsyncTx, start: str) -> None:
    """Refuse a run that is not there, is a back-test, or is not done; nothing else can be started from."""
    if start in (AUTO, COLD):
        return
    rows = await tx.run("runs/get", id=start)
    kept = rows[0]["run"] if rows else {}
    if kept.get("state") != "done" or kept.get("backtest") or kept.get("removed_at"):
        raise InvalidRequest(
            f"No run can start from {start[:80]!r}: `start` is the id of an analysis that is done and kept, `auto` for "
            "the one that readers see, or `cold` for none."
        )


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


async def cancel_run(store: AsyncStore, run_id: str) -> Run:
    """Cancel a run, or ask whoever watches over its process to do it; it then happens within seconds.

    One that is queued, or that gives no sign of life any more, is cancelled at once.

    Raises:
        RunNotFound: there is none with this id.
        Conflict: it has ended.
    """

    async def work(tx: AsyncTx) -> Row:
        found = _found(await tx.run("runs/lock", id=run_id), run_id)
        if found["state"] in ("done", "failed"):
            raise Conflict(f"Run {run_id} is {found['state']}; only one that is queued or running can be cancelled.")
        if found["state"] == "queued" or _silent(found):
            await tx.run("runs/fail", **_end_of(run_id, CANCELLED))
        elif found["state"] == "running":
            await tx.run("runs/ask_to_cancel", id=run_id)
        return await _row(tx, run_id)

    return _run(await store.write_transaction(work, timeout_s=SILENT_SECONDS))


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
    """Take a queued run: it is running from now on, and nobody else can take it, nor any other run.

    Raises:
        RunNotFound: there is none with this id.
        Conflict: it is not queued, for instance because another process took it; or another run is running.
    """

    def work(tx: Tx) -> Row:
        if (other := _running_by_lease(tx)) is not None:
            raise Conflict(f"Run {other} is running, and one runs at a time; run {run_id} has to wait.")
        state = lock(tx, run_id)["state"]
        if state != "queued":
            raise Conflict(f"Run {run_id} is {state}, not queued; it cannot be claimed.")
        return _begin(tx, run_id)

    return _run(write_run(store, work))


def is_any_queued(store: Store) -> bool:
    """Say whether a run waits to be carried out."""
    return bool(store.read("runs/next_queued"))


def claim_next(store: Store) -> Run | None:
    """Take the run that has been queued longest; None where none is queued, or another one is running."""

    def work(tx: Tx) -> Row | None:
        if _running_by_lease(tx) is not None:
            return None
        while waiting := tx.run("runs/next_queued"):
            run_id = waiting[0]["id"]
            if lock(tx, run_id)["state"] == "queued":  # it may have been cancelled since it was found
                return _begin(tx, run_id)
        return None

    if not is_any_queued(store):  # idle, nobody needs a lock
        return None
    row = write_run(store, work)
    return None if row is None else _run(row)


def _begin(tx: Tx, run_id: str) -> Row:
    """Mark a run as running. Only now it is known which run it starts from, where that is the current one."""
    tx.run("runs/start", id=run_id)
    row = _found(tx.run("runs/get", id=run_id), run_id)
    run = _run(row)
    start = run.spec.start
    if start == AUTO:
        current = tx.run("runs/current") if run.backtest is None else []
        start = (current[0]["id"] if current else None) or COLD
    tx.run("runs/set_start", id=run_id, start=start)
    return {**row, "run": {**row["run"], "start": start}}


def _running_by_lease(tx: Tx) -> str | None:
    """Lock the lease and return the run that has it; one that is silent loses it, and is no longer running."""
    [lease] = tx.run("runs/lock_lease")
    run_id: str | None = lease["run"]
    if run_id is None or (lease["silent_s"] >= SILENT_SECONDS and _swept(tx, run_id)):
        return None
    return run_id


def write_run(store: Store, work: Callable[[Tx], T]) -> T:
    """Run queries about a run in one write transaction, which Neo4j ends after SILENT_SECONDS."""
    return store.write_transaction(work, timeout_s=SILENT_SECONDS)


def report(store: Store, run_id: str, stage: str, progress: float | None, token: int | None = None) -> None:
    """Say how far a running run has come; this is its heartbeat, too.

    Raises:
        Conflict: the run was ended or taken over by somebody else, or is to be cancelled; whoever computes it should
            stop.
    """

    def work(tx: Tx) -> None:
        require_running(tx, run_id, token)
        tx.run("runs/report", id=run_id, stage=stage, progress=progress)

    write_run(store, work)


def finish_backtest(store: Store, run_id: str, report: BacktestReport, token: int | None = None) -> None:
    """Mark a back-test as done, with its report.

    Raises:
        Conflict: it is no longer running, for instance because it was taken for dead.
    """
    text = report.model_dump_json()

    def work(tx: Tx) -> None:
        # Done is what this same call has done: the commit had arrived, only its answer was lost.
        if lock(tx, run_id)["state"] != "done":
            require_running(tx, run_id, token)
            tx.run("runs/finish_backtest", id=run_id, report=text, graph_version=report.graph_version)

    write_run(store, work)


def fail(store: Store, run_id: str, error: RunError, token: int | None = None) -> None:
    """End a run without a result, unless it has ended already: what is done stays done, the first failure stands.

    With CANCELLED as the error it is cancelled, as it is where that was asked for meanwhile. With a token, nothing
    happens where the run is no longer, or not yet again, that attempt's.
    """

    def work(tx: Tx) -> None:
        found = lock(tx, run_id)
        if found["state"] in ("queued", "running") and token in (None, found["token"]):
            tx.run("runs/fail", **_end_of(run_id, CANCELLED if found["cancel_asked"] else error))

    write_run(store, work)


def interrupt(store: Store, run_id: str, error: RunError, token: int, *, in_order: bool = False) -> None:
    """Queue a running run again whose process has ended, or fail it where it was begun MOST_ATTEMPTS times.

    Nothing happens where the run has ended, or is no longer that attempt's.

    Args:
        store: the graph.
        run_id: the run.
        error: why it fails, if it does.
        token: of the attempt that has ended.
        in_order: the attempt was ended together with its service, and does not count.
    """

    def work(tx: Tx) -> None:
        found = lock(tx, run_id)
        if found["state"] == "running" and found["token"] == token:
            _interrupt(tx, run_id, found, error, in_order=in_order)

    write_run(store, work)


def interrupt_for_erasure(store: Store, run_id: str) -> None:
    """Have a running run begun once more, because it may have read what was erased since."""

    def work(tx: Tx) -> None:
        found = lock(tx, run_id)
        if found["state"] == "running":
            _interrupt(tx, run_id, found, INTERRUPTED, in_order=True)

    write_run(store, work)


def _interrupt(tx: Tx, run_id: str, found: Row, error: RunError, *, in_order: bool) -> None:
    attempts = found["attempts"] - in_order
    if found["cancel_asked"]:
        tx.run("runs/fail", **_end_of(run_id, CANCELLED))
    elif attempts < MOST_ATTEMPTS:
        tx.run("runs/queue_again", id=run_id, attempts=attempts)
    else:
        tx.run("runs/fail", **_end_of(run_id, error))


def sweep_interrupted(store: Store) -> list[str]:
    """Interrupt what is running and has given no sign of life for SILENT_SECONDS; return the ids.

    Such a run is queued again, failed, or, where that was asked for, cancelled.
    """
    ids = [row["id"] for row in store.read("runs/silent", seconds=SILENT_SECONDS)]
    return [run_id for run_id in ids if write_run(store, partial(_swept, run_id=run_id))]


def _swept(tx: Tx, run_id: str) -> bool:
    # Looked at again under the lock: it may have ended, or come back, since it was found.
    found = lock(tx, run_id)
    if silent := _silent(found):
        _interrupt(tx, run_id, found, INTERRUPTED, in_order=False)
    return silent


def _silent(found: Row) -> bool:
    return bool(found["state"] == "running" and found["silent_s"] >= SILENT_SECONDS)


def _end_of(run_id: str, error: RunError) -> dict[str, str]:
    state = "cancelled" if error.code == CANCELLED.code else "failed"
    return {"id": run_id, "state": state, "code": error.code, "message": error.message}


def lock(tx: Tx, run_id: str) -> Row:
    """Lock a run for the rest of the transaction and return what cypher/runs/lock.cypher says of it.

    Raises:
        RunNotFound: there is none with this id.
    """
    return _found(tx.run("runs/lock", id=run_id), run_id)


def require_running(tx: Tx, run_id: str, token: int | None = None) -> None:
    """Lock a run and see that it is still running: nothing may be written for a run that was given up.

    With a token, it must be running by that claim: a process whose run was begun again by another one stops here.

    Raises:
        RunNotFound: there is none with this id.
        Conflict: it is not running, or not by this claim, or is to be cancelled.
    """
    found = lock(tx, run_id)
    if found["state"] != "running":
        raise Conflict(f"Run {run_id} is {found['state']} and no longer running; its results are dropped.")
    if token not in (None, found["token"]):
        raise Conflict(f"Run {run_id} was begun again by another process; the results of this attempt are dropped.")
    if found["cancel_asked"]:
        raise Conflict(f"Run {run_id} is being cancelled; its results are dropped.")


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
    spec = RunSpec.model_validate_json(kept["spec"])
    if kept.get("start") is not None:
        spec = spec.model_copy(update={"start": kept["start"]})
    return Run(
        id=kept["id"],
        state=kept["state"],
        stage=kept["stage"],
        progress=kept.get("progress"),
        publish=kept["publish"],
        current=row["current"],
        spec=spec,
        backtest=BacktestSpec.model_validate_json(kept["backtest"]) if kept.get("backtest") else None,
        graph_version=kept.get("graph_version"),
        as_of=in_utc(kept.get("as_of")),
        created_at=in_utc(kept["created_at"]),
        attempts=kept.get("attempts", 0),
        token=kept.get("token"),
        started_at=in_utc(kept.get("started_at")),
        cancel_asked_at=in_utc(kept.get("cancel_asked_at")),
        finished_at=in_utc(kept.get("finished_at")),
        removed_at=in_utc(kept.get("removed_at")),
        digest=kept.get("digest"),
        quality=Quality.model_validate_json(kept["quality"]) if kept.get("quality") else None,
        error=error,
    )


def in_utc(value: Any) -> datetime | None:
    """Turn the driver's own type of time into Python's, in UTC."""
    return None if value is None else value.to_native().astimezone(UTC)
