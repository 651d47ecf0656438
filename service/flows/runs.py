"""Getting runs done: ask for one, carry each out in a child process of its own, and mark what became of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from tempfile import TemporaryFile

from service.domain import BacktestSpec, Progress, Run, RunError, RunSpec, StoreAddress, no_progress
from service.errors import Conflict, EmptyGraph, EntourageError, NothingToTest, RunFailed, StoreError, StoreUnavailable
from service.flows.definitions import with_definitions
from service.flows.processes import end, spawn
from service.flows.schedules import Lookout
from service.store.driver import AsyncStore, Store
from service.store.results import clean_failed
from service.store.runs import claim, claim_next, create_run, fail, read_run, sweep_interrupted

RUN_NICE = 10
POLL_SECONDS = 0.2
IDLE_SECONDS = 0.5
SWEEP_EVERY_SECONDS = 30.0
MARK_SECONDS = 20.0
"""How long to go on trying to mark a run as failed while Neo4j is away; later it is swept."""
LONGEST_BACK_OFF_SECONDS = 10.0

log = logging.getLogger(__name__)


def analyze(
    address: StoreAddress,
    spec: RunSpec,
    publish: bool,
    progress: Progress,
    timeout_s: float,
    backtest: BacktestSpec | None = None,
) -> tuple[Run, bool]:
    """Analyse the graph for the command: ask for a run, carry it out in a child process, wait for it.

    What failed runs left behind is removed first.

    Args:
        address: the graph.
        spec: what to compute.
        publish: whether readers see the run when it is done.
        progress: told of each stage.
        timeout_s: longest time the run may take, in seconds.
        backtest: what a back-test asks, where it is one; `spec` is then its analysis of the time before.

    Returns:
        The run, and False where the current run answers already.

    Raises:
        EmptyGraph: there is no account to analyse.
        NothingToTest: there is nothing that a back-test could measure.
        RunFailed: the run ended without a result.
    """
    with Store(address) as store:
        sweep_interrupted(store)
        clean_failed(store)
        run, created = asyncio.run(_create(address, spec, publish, backtest))
        if not created:
            return run, False
        try:
            run = claim(store, run.id)
        except Conflict:
            # The engine of a running service looks for queued runs too, and was faster.
            return _wait_for(store, run.id, progress), True
    return run_in_child(address, run, progress, timeout_s), True


def run_in_child(
    address: StoreAddress,
    run: Run,
    progress: Progress,
    timeout_s: float,
    stop: threading.Event | None = None,
) -> Run:
    """Carry out a claimed run in a child process at nice 10, and return it when it is done.

    However the child ends, the run is done or failed afterwards; where Neo4j is away so long that it cannot be marked,
    it is swept later.

    Args:
        address: the graph.
        run: claimed by the caller.
        progress: told of each stage, with progress in thousandths.
        timeout_s: after so many seconds the child is ended.
        stop: set by another thread or a signal to end the child.

    Raises:
        EmptyGraph: there is no account to analyse.
        NothingToTest: there is nothing that a back-test could measure.
        RunFailed: the run failed; its own sentence is the message, its own code the field `run_code`.
        StoreUnavailable: Neo4j went away and stays away.
        KeyboardInterrupt: Ctrl-C; the child is ended and the run marked failed.
    """
    with TemporaryFile() as child_log:
        try:
            child = spawn(["_run", run.id], address, RUN_NICE, stderr=child_log)
        except OSError as error:
            said = (
                f"No process could be started for the analysis ({error.strerror}); try again when the machine has room."
            )
            raise _failure(mark_failed(address, run.id, RunError(code="run_child_died", message=said))) from error
        try:
            given_up = _watch(child, address, run.id, progress, timeout_s, stop)
        except BaseException as error:  # Ctrl-C above all; whatever ends this process's work ends the child's
            end(child)
            cancelled = isinstance(error, KeyboardInterrupt)
            said = "The analysis was cancelled" if cancelled else "The process that watched the analysis failed"
            with suppress(EntourageError):
                mark_failed(address, run.id, RunError(code="run_cancelled", message=f"{said}; ask for it again."))
            raise
        status = end(child)
        ended: Run | None = None
        try:
            # Does not change a run that is done, or that the child itself has marked with a better reason.
            ended = mark_failed(address, run.id, given_up or _death(status))
        finally:
            if ended is None or (ended.error and ended.error.code in (EntourageError.code, "run_child_died")):
                child_log.seek(0)
                shutil.copyfileobj(child_log, sys.stderr.buffer)
                sys.stderr.buffer.flush()
    if ended.state == "failed":
        raise _failure(ended)
    return ended


def engine_loop(address: StoreAddress, stop: threading.Event, timeout_s: float) -> None:
    """Work off queued runs, one at a time, until `stop` is set. This is what the engine process does.

    Now and then it also marks runs that died without a word, and removes what failed runs left behind; while it has
    nothing to do it asks for the runs of schedules. While Neo4j is away it keeps trying, and says so once.
    """
    away = 0
    while not stop.is_set():
        try:
            with Store(address, retry_seconds=1.0) as store:
                sweep_interrupted(store)
                if away:
                    log.warning("Neo4j answers again; the engine goes on.")
                    away = 0
                _work_off(store, stop, timeout_s)
        except StoreError as error:
            if not away:
                log.warning("The engine waits for Neo4j: %s", error.message)
            stop.wait(min(IDLE_SECONDS * 2**away, LONGEST_BACK_OFF_SECONDS))
            away += 1


def mark_failed(address: StoreAddress, run_id: str, error: RunError) -> Run:
    """Mark a run as failed unless it has ended already, and return it as it is then.

    Raises:
        StoreUnavailable: Neo4j was away for MARK_SECONDS.
    """
    deadline = time.monotonic() + MARK_SECONDS
    while True:
        try:
            with Store(address, retry_seconds=1.0) as store:
                fail(store, run_id, error)
                return read_run(store, run_id)
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(IDLE_SECONDS)


async def _create(
    address: StoreAddress, spec: RunSpec, publish: bool, backtest: BacktestSpec | None
) -> tuple[Run, bool]:
    async with AsyncStore(address) as store:
        if backtest is not None:  # of communities that people define nobody knows whether they would have before
            return await create_run(store, spec, publish, backtest=backtest)
        return await create_run(store, await with_definitions(store, spec), publish)


def _watch(
    child: subprocess.Popen[bytes],
    address: StoreAddress,
    run_id: str,
    progress: Progress,
    timeout_s: float,
    stop: threading.Event | None,
) -> RunError | None:
    """Relay progress until the child has ended; return why where it is to be ended before."""
    deadline = time.monotonic() + timeout_s
    with Store(address, retry_seconds=0.0) as store:
        while True:
            try:
                child.wait(POLL_SECONDS)
                return None
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() > deadline:
                return RunError(
                    code="run_timeout",
                    message=f"The analysis took longer than {timeout_s:g} seconds and was ended; "
                    "raise ENTOURAGE_RUN_TIMEOUT_S to give it more time.",
                )
            if stop is not None and stop.is_set():
                return RunError(
                    code="run_interrupted", message="The service was stopped during the analysis; ask for it again."
                )
            with suppress(StoreError):  # Neo4j is away: the child itself decides what that means
                _relay(read_run(store, run_id), progress)


def _wait_for(store: Store, run_id: str, progress: Progress) -> Run:
    """Wait for a run that another process carries out."""
    while (run := read_run(store, run_id)).state in ("queued", "running"):
        _relay(run, progress)
        sweep_interrupted(store)
        time.sleep(IDLE_SECONDS)
    if run.state == "failed":
        raise _failure(run)
    return run


def _relay(run: Run, progress: Progress) -> None:
    if run.state == "running":
        share = run.progress
        progress(run.stage, round((share or 0.0) * 1000), None if share is None else 1000)


def _work_off(store: Store, stop: threading.Event, timeout_s: float) -> None:
    swept = -SWEEP_EVERY_SECONDS
    lookout = Lookout(store)
    while not stop.is_set():
        if time.monotonic() - swept >= SWEEP_EVERY_SECONDS:
            sweep_interrupted(store)
            clean_failed(store)
            swept = time.monotonic()
        run = claim_next(store)
        if run is None:
            lookout.look()
            stop.wait(IDLE_SECONDS)
            continue
        try:
            run_in_child(store.address, run, no_progress, timeout_s, stop)
        except (RunFailed, EmptyGraph, NothingToTest) as error:
            log.warning("Run %s failed: %s", run.id, error.message)


def _death(status: int) -> RunError:
    how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
    return RunError(
        code="run_child_died",
        message=f"The process of the analysis was {how} before it had a result; ask for it again, "
        "and look at the memory of the machine if it happens again.",
    )


def _failure(run: Run) -> EntourageError:
    """Make the error that tells a waiting caller why a run failed."""
    error = run.error or RunError(code=RunFailed.code, message="The analysis failed.")
    known = {kind.code: kind for kind in (EmptyGraph, NothingToTest)}
    return known.get(error.code, RunFailed)(error.message, run=run.id, run_code=error.code)
