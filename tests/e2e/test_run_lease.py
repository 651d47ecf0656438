"""Several services on one graph: one analysis at a time, none lost, none done twice, none that cannot be cancelled."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from service.domain import Run, RunSpec, ScoringRules, no_progress
from service.errors import RunFailed
from service.flows.processes import end, spawn
from service.flows.runs import RUN_NICE, analyze, cancel
from service.store.driver import Store
from service.store.runs import CANCELLED, claim, fail, read_run
from tests.e2e.test_run_faults import (
    SLOW,
    STAGES,
    TIMEOUT,
    ask,
    at,
    command,
    eventually,
    grow,
    is_whole,
    last_run,
    left_by,
    run_children,
    the_child,
)
from tests.serving import Service, wait_for
from tests.store.test_runs import silence

QUICK = RunSpec(rules=ScoringRules(rewirings=0, confidence_seeds=2))


@contextmanager
def engines(store: Store, number: int = 1) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Engines as so many services have them, ended on leaving."""
    with ExitStack() as stack:
        started = []
        for _ in range(number):
            started.append(spawn(["_engine"], store.address))
            stack.callback(end, started[-1])
        yield started


def states(store: Store) -> dict[str, str]:
    rows = store.statement("MATCH (r:Run) RETURN r.id AS id, r.state AS state")
    return {row["id"]: row["state"] for row in rows}


def ended(store: Store, run_id: str, seconds: float = TIMEOUT) -> Run:
    eventually(lambda: read_run(store, run_id).state not in ("queued", "running"), seconds)
    return read_run(store, run_id)


def in_stage(store: Store, run_id: str, stage: str) -> None:
    """Wait until a run is in a stage, or a later one: it tells only twice a second where it is."""
    eventually(lambda: read_run(store, run_id).stage in STAGES[STAGES.index(stage) :], TIMEOUT)


# --- one at a time --------------------------------------------------------------------------------------


def test_three_engines_do_each_run_once_and_one_at_a_time(store: Store) -> None:
    grow(store, 500, 3_000, seed=1)
    asked = [ask(store, QUICK.model_copy(update={"seed": seed})) for seed in range(5)]
    most = 0
    with engines(store, 3) as started:

        def over() -> bool:
            nonlocal most
            now = list(states(store).values())
            most = max(most, now.count("running"))
            return "queued" not in now and "running" not in now

        eventually(over, TIMEOUT)
        assert all(engine.poll() is None for engine in started)
    runs = [read_run(store, run_id) for run_id in asked]
    assert [(run.state, run.attempts) for run in runs] == [("done", 1)] * 5
    assert most == 1
    for before, after in pairwise(runs):
        assert before.finished_at is not None
        assert after.started_at is not None
        assert before.finished_at <= after.started_at
    assert sorted(run.token or 0 for run in runs) == [1, 2, 3, 4, 5]
    assert is_whole(store, runs[-1])


def test_a_command_waits_for_its_turn_and_says_so(store: Store) -> None:
    grow(store, 500, 3_000, seed=1)
    other = claim(store, ask(store, QUICK))
    told: list[str] = []
    with command(store.address, "analyze", "--seed", "7", stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr is not None
        told.append(waiting.stderr.readline().decode())
        assert told == ["queued ...\n"]
        assert (last_run(store).state, last_run(store).spec.seed) == ("queued", 7)
        assert read_run(store, other.id).state == "running"
        fail(store, other.id, CANCELLED)
        waiting.communicate(timeout=TIMEOUT)
        assert waiting.returncode == 0
    assert is_whole(store, last_run(store))


def test_ctrl_c_while_a_command_waits_cancels_its_run(store: Store) -> None:
    grow(store, 500, 3_000, seed=1)
    other = claim(store, ask(store, QUICK))
    with command(store.address, "analyze", "--seed", "7", stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == b"queued ...\n"
        waiting.send_signal(signal.SIGINT)
        waiting.communicate(timeout=60)
        assert waiting.returncode == 130
    assert (last_run(store).state, last_run(store).error) == ("cancelled", CANCELLED)
    assert read_run(store, other.id).state == "running"


@contextmanager
def paused_in(store: Store, stage: str, spec: RunSpec) -> Iterator[tuple[Run, subprocess.Popen[bytes]]]:
    """A run whose process was stopped in a stage, or a later one, so long ago that it counts as dead."""
    run = claim(store, ask(store, spec))
    paused = spawn(["_run", run.id, str(run.token)], store.address, RUN_NICE, stderr=subprocess.DEVNULL)
    try:
        in_stage(store, run.id, stage)
        paused.send_signal(signal.SIGSTOP)
        silence(store, run.id)
        yield run, paused
    finally:
        paused.kill()
        end(paused)


# --- processes that die, and such that come back ---------------------------------------------------------


@pytest.mark.parametrize("stage", ["communities", "write_back"])
def test_a_process_that_was_paused_and_taken_over_writes_nothing(store: Store, stage: str) -> None:
    # Long enough in that stage to be seen there: what a run does is reported twice a second.
    accounts, spec = (600, SLOW) if stage == "communities" else (6_000, QUICK)
    grow(store, accounts, 8 * accounts, seed=1)
    undisturbed, _ = analyze(store.address, spec, False, no_progress, TIMEOUT)
    with paused_in(store, stage, spec) as (run, paused):
        with engines(store):
            second = ended(store, run.id)
            assert (second.state, second.attempts, second.digest) == ("done", 2, undisturbed.digest)
            assert is_whole(store, second)
            before = left_by(store, run.id)
            assert before == left_by(store, undisturbed.id)
            paused.send_signal(signal.SIGCONT)
            assert paused.wait(60) != 0
        assert read_run(store, run.id) == second
        assert left_by(store, run.id) == before
        assert is_whole(store, second)


def test_a_process_that_wakes_up_while_the_second_attempt_is_at_work_stops(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    undisturbed, _ = analyze(store.address, SLOW, False, no_progress, TIMEOUT)
    with paused_in(store, "communities", SLOW) as (run, paused):
        with engines(store):
            eventually(lambda: read_run(store, run.id).attempts == 2)
            paused.send_signal(signal.SIGCONT)
            second = ended(store, run.id)
        assert paused.wait(60) != 0
        assert (second.state, second.attempts, second.digest) == ("done", 2, undisturbed.digest)
        assert is_whole(store, second)


def test_the_run_of_a_killed_engine_is_taken_up_by_another(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    undisturbed, _ = analyze(store.address, SLOW, False, no_progress, TIMEOUT)
    run_id = ask(store, SLOW)
    with engines(store) as [first], engines(store) as [second]:
        in_stage(store, run_id, "communities")
        killed, other = (first, second) if run_children(first.pid) else (second, first)
        child = the_child(killed.pid)
        killed.kill()
        killed.wait()
        psutil.wait_procs([child], timeout=20)
        assert not child.is_running()
        assert read_run(store, run_id).state == "running", "nobody was left to say more"
        silence(store, run_id)
        run = ended(store, run_id)
        assert other.poll() is None
    assert (run.state, run.attempts, run.digest) == ("done", 2, undisturbed.digest)
    assert is_whole(store, run)


def test_a_run_whose_process_dies_is_begun_a_second_time_and_no_third(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    once, twice = (ask(store, SLOW.model_copy(update={"seed": seed})) for seed in (1, 2))
    with engines(store) as [engine]:
        for run_id, deaths in ((once, 1), (twice, 2)):
            for attempt in range(1, deaths + 1):
                eventually(lambda run_id=run_id, n=attempt: read_run(store, run_id).attempts == n, TIMEOUT)  # type: ignore[misc]
                in_stage(store, run_id, "communities")
                the_child(engine.pid).kill()
        first, second = ended(store, once), ended(store, twice)
    assert (first.state, first.attempts, first.error) == ("done", 2, None)
    assert (second.state, second.attempts, second.error and second.error.code) == ("failed", 2, "run_child_died")
    assert is_whole(store, first)


@pytest.mark.long
def test_engines_that_are_killed_again_and_again_lose_no_run(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    asked = [ask(store, SLOW.model_copy(update={"seed": seed})) for seed in range(6)]
    for seed in range(3):
        run_id = asked[2 * seed]
        with engines(store, 3) as started:
            in_stage(store, run_id, "communities")
            at_work = next(engine for engine in started if run_children(engine.pid))
            child = the_child(at_work.pid)
            at_work.kill()
            psutil.wait_procs([child], timeout=20)
            silence(store, run_id)
            for each in asked[2 * seed : 2 * seed + 2]:
                assert ended(store, each).state == "done"
    runs = [read_run(store, run_id) for run_id in asked]
    assert [run.attempts for run in runs] == [2, 1] * 3


# --- cancelling -----------------------------------------------------------------------------------------


@pytest.fixture
def service(store: Store, tmp_path: Path) -> Iterator[Service]:
    """The service over the tests' Neo4j, with a graph that takes a while."""
    grow(store, 1_000, 8_000, seed=1)
    running = Service.over(store.address, tmp_path)
    yield running
    running.close()


def test_runs_are_cancelled_over_http(store: Store, service: Service) -> None:
    asked = [
        service.client.post("/v1/runs", json={"spec": SLOW.model_copy(update={"seed": seed}).model_dump(mode="json")})
        for seed in (1, 2, 3)
    ]
    running, queued, last = (one.json()["id"] for one in asked)
    child = service.child("_run")
    in_stage(store, running, "communities")

    answer = service.client.post(f"/v1/runs/{queued}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")

    begun = time.monotonic()
    answer = service.client.post(f"/v1/runs/{running}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    wait_for(lambda: service.get(f"/v1/runs/{running}")["state"] == "cancelled", "it to be cancelled")
    assert time.monotonic() - begun < 10
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()
    for run_id in (running, queued):
        again = service.client.post(f"/v1/runs/{run_id}/cancel")
        assert (again.status_code, again.json()["error"]["code"]) == (200, "run_cancelled")

    assert ended(store, last).state == "done"
    refused = service.client.post(f"/v1/runs/{last}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert service.get(f"/v1/runs/{last}")["state"] == "done"
    assert not service.get(f"/v1/runs/{running}")["current"]
    eventually(lambda: left_by(store, running) == 0)


def test_runs_are_cancelled_by_the_command(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    run_id = ask(store, SLOW)

    def told(*arguments: str) -> tuple[int, str]:
        with command(store.address, "runs", "cancel", *arguments, stdout=subprocess.PIPE) as asked:
            answer, _ = asked.communicate(timeout=150)
            return asked.returncode, " ".join(answer.decode().split())

    with engines(store) as [engine]:
        in_stage(store, run_id, "communities")
        child = the_child(engine.pid)
        child.suspend()  # or it may be done before the command has started
        code, said = told(run_id)
        assert code == 0
        assert said.startswith(f"Run {run_id} is being cancelled")
        assert ended(store, run_id, 10).state == "cancelled"
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running()
    assert told(run_id) == (0, f"Run {run_id} is cancelled.")
    queued = ask(store, SLOW)
    assert told(queued) == (0, f"Run {queued} is cancelled.")
    code, said = told(queued, "--json")
    assert Run.model_validate_json(said) == read_run(store, queued)
    done, _ = analyze(store.address, QUICK, False, no_progress, TIMEOUT)
    assert told(done.id)[0] == 5
    assert told("r-none")[0] == 4


def test_who_waits_for_a_run_that_is_cancelled_hears_of_it(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    stop = at("communities", lambda: cancel(store.address, last_run(store).id) and None)
    with pytest.raises(RunFailed, match="was cancelled") as caught:
        analyze(store.address, SLOW, True, stop, TIMEOUT)
    assert caught.value.fields == {"run": last_run(store).id, "run_code": "run_cancelled"}
    assert last_run(store).state == "cancelled"
    assert run_children() == []


def test_a_paused_process_does_not_keep_a_run_from_being_cancelled(store: Store) -> None:
    grow(store, 600, 5_000, seed=1)
    run_id = ask(store, SLOW)
    with engines(store) as [engine]:
        in_stage(store, run_id, "communities")
        child = the_child(engine.pid)
        child.suspend()
        assert cancel(store.address, run_id).state == "running"
        assert ended(store, run_id, 10).state == "cancelled"
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running()
