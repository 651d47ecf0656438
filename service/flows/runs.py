"""Getting runs done: ask for one, carry each out in a child process of its own, and mark what became of it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile

from service.domain import (
    FOR_EVER,
    BacktestSpec,
    Progress,
    Retention,
    Run,
    RunError,
    RunSpec,
    StoreAddress,
    no_progress,
)
from service.errors import Conflict, EmptyGraph, EntourageError, NothingToTest, RunFailed, StoreError, StoreUnavailable
from service.flows.definitions import ask_for_run
from service.flows.processes import GRACE_SECONDS, end, spawn
from service.flows.retention import Pruner
from service.flows.schedules import Lookout
from service.flows.waiting import finished
from service.store.driver import AsyncStore, Store
from service.store.results import clean_failed
from service.store.runs import (
    CANCELLED,
    cancel_run,
    claim,
    claim_next,
    create_run,
    fail,
    interrupt,
    is_any_queued,
    read_run,
    sweep_interrupted,
)

RUN_NICE = 10
POLL_SECONDS = 0.2
IDLE_SECONDS = 0.5
SWEEP_EVERY_SECONDS = 30.0
CANCEL_GRACE_SECONDS = 1.0
"""How long a child whose run is cancelled may take to end before it is killed; shorter than usual, somebody waits."""
MARK_SECONDS = 20.0
"""How long to go on trying to mark what became of a run while Neo4j is away; later it is swept."""
LONGEST_BACK_OFF_SECONDS = 10.0

STOPPED = RunError(code="run_interrupted", message="The service was stopped during the analysis; ask for it again.")

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

    While another run is running, it waits in the queue; the engine of a running service may then carry it out. What
    failed runs left behind is removed first.

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
        KeyboardInterrupt: Ctrl-C; the run is cancelled.
    """
    with Store(address) as store:
        sweep_interrupted(store)
        clean_failed(store)
        run, created = finished(_create(address, spec, publish, backtest))
        if not created:
            return run, False
        try:
            return _carry_out(store, run, progress, timeout_s), True
        except (KeyboardInterrupt, SystemExit):  # nobody waits for it any more
            with suppress(EntourageError):
                cancel(address, run.id)
            raise


def _carry_out(store: Store, run: Run, progress: Progress, timeout_s: float) -> Run:
    """Carry out a queued run as soon as nothing else is running, unless another process was faster; wait for it."""
    while run.state in ("queued", "running"):
        if run.state == "queued":
            try:
                run = claim(store, run.id)
            except Conflict:
                progress("queued", 0, None)
            else:
                run = run_in_child(store.address, run, progress, timeout_s)
                continue
        _relay(run, progress)
        time.sleep(IDLE_SECONDS)
        sweep_interrupted(store)
        run = read_run(store, run.id)
    return _result(run)


def cancel(address: StoreAddress, run_id: str) -> Run:
    """Cancel a run for the command; see `store.runs.cancel_run`."""

    async def ask() -> Run:
        async with AsyncStore(address) as store:
            return await cancel_run(store, run_id)

    return finished(ask())


def run_in_child(
    address: StoreAddress,
    run: Run,
    progress: Progress,
    timeout_s: float,
    stop: threading.Event | None = None,
    *,
    again: bool = False,
) -> Run:
    """Carry out a claimed run in a child process at nice 10, and return it when it is done.

    However the child ends, the run is done, failed, cancelled or queued again afterwards; where Neo4j is away so long
    that it cannot be marked, it is swept later.

    Args:
        address: the graph.
        run: claimed by the caller.
        progress: told of each stage, with progress in thousandths.
        timeout_s: after so many seconds the child is ended.
        stop: set by another thread or a signal to end the child; the run is then queued again, as if it had not begun.
        again: whether the run is queued again also where the child dies, until it was begun MOST_ATTEMPTS times.

    Returns:
        The run: done, or, where it was queued again or taken over by another process, as it is now.

    Raises:
        EmptyGraph: there is no account to analyse.
        NothingToTest: there is nothing that a back-test could measure.
        RunFailed: the run failed or was cancelled; its own sentence is the message, its own code the field `run_code`.
        StoreUnavailable: Neo4j went away and stays away.
        KeyboardInterrupt: Ctrl-C; the child is ended and the run cancelled.
    """
    assert run.token is not None  # noqa: S101 - it was claimed

    def died(error: RunError) -> Run:
        return mark_interrupted(address, run, error) if again else mark_failed(address, run.id, error, run.token)

    with TemporaryFile() as child_log:
        try:
            child = spawn(["_run", run.id, str(run.token)], address, RUN_NICE, stderr=child_log)
        except OSError as error:
            said = (
                f"No process could be started for the analysis ({error.strerror}); try again when the machine has room."
            )
            return _result(died(RunError(code="run_child_died", message=said)))
        try:
            given_up = _watch(child, address, run, progress, timeout_s, stop)
        except BaseException as error:  # Ctrl-C above all; whatever ends this process's work ends the child's
            end(child)
            with suppress(EntourageError):
                if isinstance(error, Exception):
                    died(RunError(code="run_child_died", message="The process that watched the analysis failed."))
                else:
                    mark_failed(address, run.id, CANCELLED, run.token)
            raise
        status = end(child, CANCEL_GRACE_SECONDS if given_up is CANCELLED else GRACE_SECONDS)
        ended: Run | None = None
        try:
            # None of it changes a run that is done, that the child itself has marked with a better reason, or that is
            # no longer ours.
            if given_up is STOPPED:
                ended = mark_interrupted(address, run, STOPPED, in_order=True)
            elif given_up is not None:
                ended = mark_failed(address, run.id, given_up, run.token)
            else:
                ended = died(_death(status))
        finally:
            unexplained = (EntourageError.code, "run_child_died")
            if ended is None or (ended.error.code in unexplained if ended.error else ended.state == "queued"):
                child_log.seek(0)
                # As text: in a notebook there is no buffer.
                sys.stderr.write(child_log.read().decode(errors="replace"))
                sys.stderr.flush()
    return _result(ended)


def engine_loop(
    address: StoreAddress, stop: threading.Event, timeout_s: float, retention: Retention = FOR_EVER
) -> None:
    """Work off queued runs, one at a time, until `stop` is set. This is what the engine process does.

    Engines of several services take turns: one run at a time is running, over all of them. Now and then each also
    queues runs again that died without a word, and removes what failed runs left behind; while it has nothing to do it
    asks for the runs of schedules, and removes what is older than it may be kept. While Neo4j is away it keeps trying,
    and says so once.
    """
    away = 0
    while not stop.is_set():
        try:
            with Store(address, retry_seconds=1.0) as store:
                sweep_interrupted(store)
                if away:
                    log.warning("Neo4j answers again; the engine goes on.")
                    away = 0
                _work_off(store, stop, timeout_s, retention)
        except StoreError as error:
            if not away:
                log.warning("The engine waits for Neo4j: %s", error.message)
            stop.wait(min(IDLE_SECONDS * 2**away, LONGEST_BACK_OFF_SECONDS))
            away += 1


def mark_failed(address: StoreAddress, run_id: str, error: RunError, token: int | None = None) -> Run:
    """Mark a run as failed, or cancelled, unless it has ended already, and return it as it is then; see `fail`.

    Raises:
        StoreUnavailable: Neo4j was away for MARK_SECONDS.
    """
    return _marked(address, run_id, lambda store: fail(store, run_id, error, token))


def mark_interrupted(address: StoreAddress, run: Run, error: RunError, *, in_order: bool = False) -> Run:
    """Queue a run again whose process has ended, or mark it as failed, and return it as it is then; see `interrupt`.

    Raises:
        StoreUnavailable: Neo4j was away for MARK_SECONDS.
    """
    token = run.token or 0
    return _marked(address, run.id, lambda store: interrupt(store, run.id, error, token, in_order=in_order))


def _marked(address: StoreAddress, run_id: str, mark: Callable[[Store], None]) -> Run:
    deadline = time.monotonic() + MARK_SECONDS
    while True:
        try:
            with Store(address, retry_seconds=1.0) as store:
                mark(store)
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
        return await ask_for_run(store, spec, publish)


def _watch(
    child: subprocess.Popen[bytes],
    address: StoreAddress,
    run: Run,
    progress: Progress,
    timeout_s: float,
    stop: threading.Event | None,
) -> RunError | None:
    """Relay progress until the child has ended, or the run is no longer its; return why it is to be ended before."""
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
                return STOPPED
            try:
                now = read_run(store, run.id)
            except StoreError:
                continue  # Neo4j is away: the child itself decides what that means
            if now.state != "running" or now.token != run.token:
                # Mostly the child has marked it so, and is about to end. If not, it will hear that it works for nobody.
                with suppress(subprocess.TimeoutExpired):
                    child.wait(GRACE_SECONDS)
                return None
            if now.cancel_asked_at is not None:
                return CANCELLED
            _relay(now, progress)


def _relay(run: Run, progress: Progress) -> None:
    if run.state == "running":
        share = run.progress
        progress(run.stage, round((share or 0.0) * 1000), None if share is None else 1000)


def _work_off(store: Store, stop: threading.Event, timeout_s: float, retention: Retention) -> None:
    swept = -SWEEP_EVERY_SECONDS
    lookout = Lookout(store)
    pruner = Pruner(store, retention, lambda: stop.is_set() or is_any_queued(store))
    while not stop.is_set():
        if time.monotonic() - swept >= SWEEP_EVERY_SECONDS:
            sweep_interrupted(store)
            clean_failed(store)
            swept = time.monotonic()
        run = claim_next(store)
        if run is None:
            lookout.look()
            pruner.look()
            stop.wait(IDLE_SECONDS)
            continue
        try:
            ended = run_in_child(store.address, run, no_progress, timeout_s, stop, again=True)
        except (RunFailed, EmptyGraph, NothingToTest) as error:
            log.warning("Run %s failed: %s", run.id, error.message)
        else:
            if ended.state != "done":
                log.warning("Run %s was not finished here; it is %s now.", run.id, ended.state)


def _death(status: int) -> RunError:
    how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
    return RunError(
        code="run_child_died",
        message=f"The process of the analysis was {how} before it had a result; ask for it again, "
        "and look at the memory of the machine if it happens again.",
    )


def _result(run: Run) -> Run:
    """Return a run, or raise the error that tells a waiting caller why it has no result."""
    if run.state in ("failed", "cancelled"):
        raise _failure(run)
    return run


def _failure(run: Run) -> EntourageError:
    """Make the error that tells a waiting caller why a run failed."""
    error = run.error or RunError(code=RunFailed.code, message="The analysis failed.")
    known = {kind.code: kind for kind in (EmptyGraph, NothingToTest)}
    return known.get(error.code, RunFailed)(error.message, run=run.id, run_code=error.code)
