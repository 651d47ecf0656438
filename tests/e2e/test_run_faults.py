"""Runs that are cut short, however and wherever: readers keep the previous set whole, and the next run completes."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from service.domain import (
    EmbeddedConfig,
    EngineName,
    Progress,
    PublishedPart,
    Run,
    RunSpec,
    ScoringRules,
    StoreAddress,
    no_progress,
)
from service.errors import EmptyGraph, EntourageError, RunFailed, StoreUnavailable
from service.files.snapshots import IDENTITY
from service.flows.processes import end, spawn
from service.flows.runs import RUN_NICE, analyze, engine_loop
from service.settings import Settings
from service.store.driver import AsyncStore, Store
from service.store.embedded import ensure_alive, running, status
from service.store.migrations import migrate
from service.store.published import current_run_id, read_part
from service.store.results import digest_of
from service.store.runs import create_run, read_run
from tests.conftest import clear

TIMEOUT = 300
# The kernels are through a small graph before anybody sees the stage; the plain engine gives the tests time to act.
ENGINE: EngineName = "reference"
SLOW = RunSpec(engine=ENGINE, rules=ScoringRules(rewirings=0, confidence_seeds=2))
STAGES = (
    "queued",
    "snapshot",
    "words",
    "communities",
    "confidence",
    "measures",
    "scores",
    "lenses",
    "pages",
    "write_back",
    "publish",
)


def grow(store: Store, accounts: int, follows: int, seed: int) -> None:
    """Put a random graph of planted communities of about 100 accounts in the store, as a new version."""
    rng = np.random.default_rng(seed)
    follower = rng.integers(0, accounts, follows)
    near = (follower // 100 * 100 + rng.integers(0, 100, follows)) % accounts
    followee = np.where(rng.random(follows) < 0.8, near, rng.integers(0, accounts, follows))
    pairs = sorted({(a, b) for a, b in zip(follower.tolist(), followee.tolist(), strict=True) if a != b})
    [row] = store.statement("MATCH (g:Graph {id: 1}) SET g.v = g.v + 1, g.n = $n RETURN g.v AS v", n=accounts)
    store.statement(
        "UNWIND range(0, $n - 1) AS i MERGE (a:Account {key: 'net:' + i}) "
        "ON CREATE SET a.n = i + 1, a.network = 'net', a.native_id = toString(i), a.v = $v",
        n=accounts, v=row["v"],
    )  # fmt: skip
    for first in range(0, len(pairs), 10_000):
        store.statement(
            "UNWIND $pairs AS p MATCH (a:Account {n: p[0] + 1}), (b:Account {n: p[1] + 1}) "
            "MERGE (a)-[f:FOLLOWS]->(b) ON CREATE SET f.weight = 1.0, f.v = $v",
            pairs=pairs[first : first + 10_000], v=row["v"],
        )  # fmt: skip


async def read_published(address: StoreAddress) -> tuple[str | None, list[PublishedPart]]:
    """What a reader gets who asks now: the current run and all its parts, checked."""
    async with AsyncStore(address) as store:
        run_id = await current_run_id(store)
        if run_id is None:
            return None, []
        communities = await read_part(store, run_id, "communities")
        wanted = {f"candidates/{json.loads(line)['id']}" for line in communities.lines}
        wanted |= {"communities", "defined", "groups", "brands", "detractors"}
        with Store(address) as asked:
            rows = asked.statement("MATCH (f:RunFile {run: $run}) RETURN DISTINCT f.part AS part", run=run_id)
        names = {row["part"] for row in rows}
        assert wanted <= names
        assert {name.split("/")[0] for name in names - wanted} <= {"basis", "lenses", "macros", "excluded", "subtopics"}
        return run_id, [await read_part(store, run_id, name) for name in sorted(names)]


def is_whole(store: Store, run: Run) -> bool:
    """Whether pages, memberships and what lenses say are all there of a run, each page as it was published."""
    assert run.quality is not None
    [found] = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->()<-[m:MEMBER_OF {primary: true}]-() RETURN count(m) AS n", run=run.id
    )
    [scored] = store.statement("MATCH (:Run {id: $run})<-[s:SCORED]-() RETURN count(s.details) AS n", run=run.id)
    current, parts = asyncio.run(read_published(store.address))
    return (
        current == run.id
        and sum(part.name.startswith("candidates/") for part in parts) == run.quality.communities
        and digest_of(parts) == run.digest
        and found["n"] == run.quality.accounts - run.quality.isolates
        and scored["n"] == (run.quality.accounts if run.spec.lenses else 0)
    )


def left_by(store: Store, run_id: str) -> int:
    """Nodes and relationships in the graph that belong to a run, beside its own node."""
    rows = store.statement(
        "MATCH (x:Community|RunFile {run: $run}) RETURN count(x) AS n "
        "UNION ALL MATCH (:Run {id: $run})-[:FOUND]->(c) RETURN count(c) AS n "
        "UNION ALL MATCH (:Run {id: $run})-[:FOUND]->()<-[m:MEMBER_OF]-() RETURN count(m) AS n "
        "UNION ALL MATCH (:Run {id: $run})<-[s:SCORED]-() RETURN count(s) AS n",
        run=run_id,
    )
    return sum(row["n"] for row in rows)


def left_on_disk() -> list[str]:
    """What lies in the folder of kept graphs beside these: nothing of the candidates that runs put aside there."""
    return [path.name for path in (Settings().data_dir / "graphs").iterdir() if not IDENTITY.fullmatch(path.name)]


def last_run(store: Store) -> Run:
    [row] = store.statement("MATCH (r:Run) RETURN r.id AS id ORDER BY r.created_at DESC LIMIT 1")
    return read_run(store, row["id"])


def run_children(parent: int | None = None) -> list[psutil.Process]:
    """Children of a process (of this one when not said) that carry out a run."""

    def carries_out_a_run(child: psutil.Process) -> bool:
        try:
            return "_run" in child.cmdline()
        except psutil.Error:  # it ended meanwhile
            return False

    return [child for child in psutil.Process(parent).children() if carries_out_a_run(child)]


def at(stage: str, act: Callable[[], None]) -> Progress:
    """Progress that acts once, as soon as a run is in a stage or beyond."""
    acted = False

    def progress(now: str, done: int, total: int | None) -> None:
        nonlocal acted
        if not acted and STAGES.index(now) >= STAGES.index(stage):
            acted = True
            act()

    return progress


def is_under_way(run: Run) -> bool:
    """Whether a run has begun to compute. On a busy machine any one stage may be over before it is seen."""
    return run.state == "running" and run.stage not in (None, "snapshot")


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


# --- the child dies -------------------------------------------------------------------------------------


def test_killed_children_leave_the_previous_run_served(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    grow(store, 1_000, 8_000, seed=1)
    first, created = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert created
    assert first.state == "done"
    assert is_whole(store, first)
    assert left_by(store, first.id) > 1_000

    grow(store, 2_000, 8_000, seed=2)
    killed: list[str] = []
    stages = ["snapshot", "communities", "scores", "write_back"]
    for turn, stage in enumerate(stages):
        caught = None
        # On a fast machine a run may be through before it is seen in its stage: then it is the previous one from there.
        for attempt in range(20):
            kill = at(stage, lambda: [child.kill() for child in run_children()])
            try:
                first, _ = analyze(
                    store.address, SLOW.model_copy(update={"seed": 100 * turn + attempt}), True, kill, TIMEOUT
                )
            except RunFailed as error:
                caught = error
                break
        assert caught is not None, f"no run was killed at {stage}"
        assert "SIGKILL" in caught.message
        failed = last_run(store)
        assert caught.fields == {"run": failed.id, "run_code": "run_child_died"}
        assert (failed.state, failed.error and failed.error.code) == ("failed", "run_child_died")
        assert run_children() == []
        assert is_whole(store, read_run(store, first.id)), f"killed at {stage}"
        killed.append(failed.id)
        if stage == "write_back" and left_by(store, failed.id) == 0 and len(killed) < 10:
            stages.append(stage)  # it had written nothing yet: once more
    assert left_by(store, killed[-1]) > 0, "killed in the middle of writing"

    second, created = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert created
    assert second.current
    assert is_whole(store, second)
    assert [left_by(store, run_id) for run_id in killed] == [0] * len(killed)
    assert left_on_disk() == []
    assert left_by(store, first.id) > 1_000, "a kept run stays readable"
    assert analyze(store.address, RunSpec(), True, no_progress, TIMEOUT) == (second, False)
    assert capfd.readouterr().err == "", "nothing but the error itself for a child that was killed"


def test_why_a_child_died_is_told_in_a_notebook_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """There standard error takes texts only."""
    grow(store, 1_000, 8_000, seed=1)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caught = None
    for seed in range(20):  # as above: a run may be through before it is killed
        kill = at("communities", lambda: [child.kill() for child in run_children()])
        try:
            analyze(store.address, SLOW.model_copy(update={"seed": seed}), True, kill, TIMEOUT)
        except RunFailed as error:
            caught = error
            break
    assert caught is not None
    assert caught.fields["run_code"] == "run_child_died"


def test_a_child_that_takes_too_long_or_is_cancelled_is_ended(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    with pytest.raises(RunFailed) as caught:
        analyze(store.address, SLOW, True, no_progress, 0.5)
    assert caught.value.fields["run_code"] == "run_timeout"
    assert last_run(store).error is not None

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze(store.address, SLOW, True, at("communities", interrupt), TIMEOUT)
    cancelled = last_run(store)
    assert (cancelled.state, cancelled.error and cancelled.error.code) == ("cancelled", "run_cancelled")
    assert run_children() == []
    assert asyncio.run(read_published(store.address)) == (None, [])


def test_a_run_that_is_marked_failed_by_others_stops(store: Store) -> None:
    """As when it was taken for dead: it must neither publish nor go on computing for nobody."""
    grow(store, 1_000, 8_000, seed=1)

    def give_up() -> None:
        store.statement(
            "MATCH (r:Run {state: 'running'}) SET r.state = 'failed', r.error_code = 'x', r.error_message = 'y'"
        )

    with pytest.raises(RunFailed, match=r"^y$"):
        analyze(store.address, SLOW, True, at("communities", give_up), TIMEOUT)
    assert left_by(store, last_run(store).id) == 0
    assert asyncio.run(read_published(store.address)) == (None, [])


def test_the_child_is_nice_and_tells_nobody_the_password(store: Store) -> None:
    grow(store, 500, 3_000, seed=1)
    seen: list[tuple[int, list[str]]] = []
    look = at("snapshot", lambda: seen.extend((child.nice(), child.cmdline()) for child in run_children()))
    analyze(store.address, RunSpec(), True, look, TIMEOUT)
    [(nice, command)] = seen
    assert nice == min(psutil.Process().nice() + RUN_NICE, 19)
    assert not any(store.address.password.get_secret_value() in part for part in command)


def test_an_empty_graph_is_said_to_be_empty(store: Store) -> None:
    with pytest.raises(EmptyGraph) as caught:
        analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    failed = last_run(store)
    assert failed.error is not None
    assert (failed.state, failed.error.code, failed.error.message) == ("failed", "empty_graph", caught.value.message)


def test_a_run_without_room_is_refused_before_it_begins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(store, 500, 3_000, seed=1)
    monkeypatch.setenv("ENTOURAGE_RUN_MEMORY_MB", "1")
    with pytest.raises(RunFailed, match="would need about") as caught:
        analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert caught.value.fields["run_code"] == "run_too_large"
    assert "ENTOURAGE_RUN_MEMORY_MB" in caught.value.message
    assert left_by(store, last_run(store).id) == 0
    with command(store.address, "analyze", "--dry-run", "--json", stdout=subprocess.PIPE) as asked:
        answer, _ = asked.communicate(timeout=60)
        assert asked.returncode == 0
    estimate = json.loads(answer)
    assert (estimate["accounts"], estimate["fits"], estimate["available_bytes"]) == (500, False, 2**20)
    assert store.statement("MATCH (r:Run) RETURN count(r) AS n") == [{"n": 1}], "a dry run asks for nothing"
    monkeypatch.delenv("ENTOURAGE_RUN_MEMORY_MB")
    run, _ = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert is_whole(store, run)


def test_a_run_without_a_place_for_its_candidates_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    grow(store, 500, 3_000, seed=1)
    (tmp_path / "graphs").write_text("not a folder")
    monkeypatch.setenv("ENTOURAGE_DATA_DIR", str(tmp_path))
    with pytest.raises(RunFailed, match=r"could not be put aside in .*ENTOURAGE_DATA_DIR") as caught:
        analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert caught.value.fields["run_code"] == "run_failed"
    assert left_by(store, last_run(store).id) == 0


# --- readers --------------------------------------------------------------------------------------------


def test_a_reader_sees_one_run_whole_at_every_moment(store: Store) -> None:
    grow(store, 1_000, 6_000, seed=1)
    first, _ = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    grow(store, 1_000, 4_000, seed=2)
    digests: list[tuple[str | None, str]] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            current, parts = asyncio.run(read_published(store.address))
            digests.append((current, digest_of(parts)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        eventually(lambda: len(digests) > 1)
        second, _ = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
        before = len(digests)
        eventually(lambda: len(digests) > before + 2)
    finally:
        over.set()
        reader.join()
    assert set(digests) == {(first.id, first.digest), (second.id, second.digest)}
    assert first.digest != second.digest
    assert digests == sorted(digests, key=lambda seen: seen[0] == second.id), "never back to the first"


# --- parents --------------------------------------------------------------------------------------------


@contextmanager
def command(
    address: StoreAddress, *arguments: str, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """The `entourage` command as a person would run it, ended at the latest on leaving."""
    environment = {
        **os.environ,
        "ENTOURAGE_NEO4J_URI": address.uri,
        "ENTOURAGE_NEO4J_USER": address.user,
        "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def the_child(parent: int) -> psutil.Process:
    found: list[psutil.Process] = []
    eventually(lambda: bool(found.extend(run_children(parent)) or found))
    return found[0]


def test_a_killed_command_takes_its_run_along(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    with command(store.address, "analyze", "--engine", ENGINE) as parent:
        child = the_child(parent.pid)
        eventually(lambda: is_under_way(last_run(store)))
        parent.kill()
        parent.wait()
        psutil.wait_procs([child], timeout=20)
        assert not child.is_running()
    abandoned = last_run(store)
    assert abandoned.state == "running", "nobody was left to say more"
    store.statement(
        "MATCH (r:Run {id: $id}) SET r.heartbeat_at = datetime() - duration('PT2M')", id=abandoned.id
    )  # two minutes later
    second, _ = analyze(store.address, RunSpec(), True, no_progress, TIMEOUT)
    assert is_whole(store, second)
    assert read_run(store, abandoned.id).state == "queued", "swept: it waits for an engine"
    engine = spawn(["_engine"], store.address)
    try:
        eventually(lambda: read_run(store, abandoned.id).state == "done", TIMEOUT)
        assert is_whole(store, read_run(store, abandoned.id))
    finally:
        end(engine)


def test_ctrl_c_ends_the_run_and_says_so(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    with command(store.address, "analyze", "--engine", ENGINE) as parent:
        child = the_child(parent.pid)
        assert os.getpgid(child.pid) != os.getpgid(parent.pid), "a terminal does not reach it"
        eventually(lambda: is_under_way(last_run(store)))
        parent.send_signal(signal.SIGINT)
        assert parent.wait(30) == 130
        assert not child.is_running()
    cancelled = last_run(store)
    assert (cancelled.state, cancelled.error and cancelled.error.code) == ("cancelled", "run_cancelled")


def ask(store: Store, spec: RunSpec) -> str:
    async def create() -> Run:
        async with AsyncStore(store.address) as pool:
            return (await create_run(pool, spec, True))[0]

    return asyncio.run(create()).id


def test_the_engine_works_off_what_is_asked(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    asked = [ask(store, RunSpec(seed=seed)) for seed in (1, 2)]
    engine = spawn(["_engine"], store.address)
    try:
        eventually(lambda: read_run(store, asked[1]).state == "done", TIMEOUT)
        first, second = (read_run(store, run_id) for run_id in asked)
        assert first.finished_at is not None
        assert second.started_at is not None
        assert first.finished_at <= second.started_at, "one at a time, oldest first"
        assert is_whole(store, second)

        # Asked to end in the middle of a run, it ends the run's child and puts the run back in the queue.
        third = ask(store, SLOW.model_copy(update={"seed": 3}))
        child = the_child(engine.pid)
        eventually(lambda: is_under_way(read_run(store, third)))
        engine.terminate()
        assert engine.wait(30) == 0
        assert not child.is_running()
        stopped = read_run(store, third)
        assert (stopped.state, stopped.attempts, stopped.error) == ("queued", 0, None)
        assert is_whole(store, read_run(store, asked[1]))
    finally:
        end(engine)


def test_a_killed_engine_takes_its_run_along(store: Store) -> None:
    grow(store, 1_000, 8_000, seed=1)
    ask(store, RunSpec())
    engine = spawn(["_engine"], store.address)
    try:
        child = the_child(engine.pid)
        engine.kill()
        psutil.wait_procs([child], timeout=20)
        assert not child.is_running()
    finally:
        end(engine)


# --- Neo4j dies -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_server(
    embedded_config: EmbeddedConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbeddedConfig, StoreAddress]]:
    """A Neo4j of these tests' own, which they may kill."""
    config = EmbeddedConfig(
        home=tmp_path_factory.mktemp("own") / "neo4j",
        cache_dir=embedded_config.cache_dir,
        version=embedded_config.version,
        port=7790,
        heap_mb=512,
        page_cache_mb=128,
    )
    with running(config) as address:
        with Store(address) as store:
            migrate(store)
        yield config, address


def kill_server(config: EmbeddedConfig) -> None:
    pid = status(config).pid
    assert pid is not None
    server = psutil.Process(pid)
    server.kill()
    psutil.wait_procs([server], timeout=20)


def test_neo4j_is_killed_in_the_middle_of_a_run(own_server: tuple[EmbeddedConfig, StoreAddress]) -> None:
    """It is started again at once. The run may come through or fail; either way one run is served whole."""
    config, address = own_server
    with Store(address) as store:
        clear(store)
        grow(store, 500, 3_000, seed=1)
        first, _ = analyze(address, RunSpec(), True, no_progress, TIMEOUT)
        grow(store, 1_000, 8_000, seed=2)
        restarts = []

        def restart() -> None:
            kill_server(config)
            restarts.append(ensure_alive(config))

        try:
            expected, _ = analyze(address, SLOW, True, at("communities", restart), TIMEOUT)
        except EntourageError:
            expected = read_run(store, first.id)
            assert last_run(store).state == "failed"
        assert restarts == [True]
        assert is_whole(store, expected)
        second, _ = analyze(address, RunSpec(seed=2), True, no_progress, TIMEOUT)
        assert is_whole(store, second)
        for row in store.statement("MATCH (r:Run {state: 'failed'}) RETURN r.id AS id"):
            assert left_by(store, row["id"]) == 0


@pytest.mark.long
def test_neo4j_stays_away_until_the_run_is_given_up(own_server: tuple[EmbeddedConfig, StoreAddress]) -> None:
    config, address = own_server
    with Store(address) as store:
        clear(store)
        grow(store, 500, 3_000, seed=1)
        first, _ = analyze(address, RunSpec(), True, no_progress, TIMEOUT)
        grow(store, 3_000, 30_000, seed=2)  # seconds of work are left once it is seen to look for communities
        with pytest.raises(StoreUnavailable):
            analyze(address, SLOW, True, at("communities", lambda: kill_server(config)), TIMEOUT)
        assert run_children() == []
        assert ensure_alive(config)
        assert is_whole(store, read_run(store, first.id))
        abandoned = last_run(store)
        assert abandoned.state == "running", "nobody could say more"
        store.statement("MATCH (r:Run {state: 'running'}) SET r.heartbeat_at = datetime() - duration('PT2M')")
        second, _ = analyze(address, RunSpec(), True, no_progress, TIMEOUT)
        assert is_whole(store, second)
        assert read_run(store, abandoned.id).state == "queued"


def test_the_engine_outlives_neo4j(
    own_server: tuple[EmbeddedConfig, StoreAddress], caplog: pytest.LogCaptureFixture
) -> None:
    config, address = own_server
    stop = threading.Event()
    engine = threading.Thread(target=engine_loop, args=(address, stop, TIMEOUT))
    engine.start()
    try:
        with Store(address) as store, caplog.at_level(logging.WARNING):
            kill_server(config)
            eventually(lambda: any("waits for Neo4j" in record.getMessage() for record in caplog.records))
            assert ensure_alive(config)
            clear(store)
            grow(store, 300, 2_000, seed=1)
            run_id = ask(store, RunSpec())
            eventually(lambda: read_run(store, run_id).state == "done", TIMEOUT)
            assert sum("waits for Neo4j" in record.getMessage() for record in caplog.records) == 1
    finally:
        stop.set()
        engine.join(30)
    assert not engine.is_alive()
