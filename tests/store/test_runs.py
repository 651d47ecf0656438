"""Runs in the graph: one answer to equal questions, one winner of each race, and no way back from an end."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.domain import PartWeights, Quality, Run, RunError, RunSpec, ScoringRules, StoreAddress
from service.errors import Conflict, IdempotencyConflict, RunNotFound, StoreError
from service.store import runs
from service.store.driver import AsyncStore, Store, Tx
from service.store.migrations import migrate
from service.store.queries import bundled
from service.store.results import finish, remove_old
from service.store.runs import (
    CANCELLED,
    MOST_ATTEMPTS,
    SILENT_SECONDS,
    cancel_run,
    canonical_json,
    claim,
    claim_next,
    create_run,
    fail,
    finish_backtest,
    get_run,
    interrupt,
    read_run,
    report,
    require_running,
    sweep_interrupted,
    write_run,
)
from tests.backtest_reports import REPORT, finished_backtest
from tests.graph_model_page import documented_properties

QUALITY = Quality(
    accounts=3, follows=2, isolates=0, communities=1, respectable=1, candidates=1, resolution=1.0, modularity=0.4,
    useful_min=1, useful_max=3, levels=(), engine="reference",
)  # fmt: skip
BROKEN = RunError(code="broken", message="It broke.")


def asked(address: StoreAddress, spec: RunSpec | None = None, publish: bool = True, **key: str) -> tuple[Run, bool]:
    async def ask() -> tuple[Run, bool]:
        async with AsyncStore(address) as store:
            return await create_run(store, spec or RunSpec(), publish, **key)

    return asyncio.run(ask())


def published(store: Store, spec: RunSpec | None = None, version: int = 0) -> Run:
    """A run that went all the way and is current."""
    run = claim(store, asked(store.address, spec)[0].id)
    finish(store, run.id, QUALITY, "d" * 64, 1_700_000_000_123, version, True)
    return read_run(store, run.id)


def cancelled(address: StoreAddress, run_id: str) -> Run:
    async def cancel() -> Run:
        async with AsyncStore(address) as store:
            return await cancel_run(store, run_id)

    return asyncio.run(cancel())


def silence(store: Store, run_id: str, seconds: int = SILENT_SECONDS + 1) -> None:
    """Let so much time have passed since a run's last sign of life."""
    store.statement(
        "MATCH (r:Run {id: $id}) SET r.heartbeat_at = datetime() - duration({seconds: $s})", id=run_id, s=seconds
    )


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def outcomes(address: StoreAddress, times: int, work: Callable[[Store], Any]) -> list[Any]:
    """What `work` gives, or raises, done by several threads at once."""

    def one(_: int) -> Any:
        with Store(address) as store:
            try:
                return work(store)
            except Conflict as error:
                return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


# --- asking ---------------------------------------------------------------------------------------------


def test_a_new_run_is_queued_as_asked(store: Store) -> None:
    spec = RunSpec(seed=7, rules=ScoringRules(resolutions=(0.1, 3.0), weights=PartWeights(authority=0.1, trust=0.3)))
    before = datetime.now(UTC) - timedelta(seconds=1)
    run, created = asked(store.address, spec, publish=False)
    assert created
    assert (run.state, run.stage, run.publish, run.current, run.spec) == ("queued", "queued", False, False, spec)
    assert before <= run.created_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert run.created_at.tzinfo is UTC
    assert (run.started_at, run.finished_at, run.quality, run.error, run.digest) == (None,) * 5
    assert read_run(store, run.id) == run

    async def get(run_id: str) -> Run:
        async with AsyncStore(store.address) as pool:
            return await get_run(pool, run_id)

    assert asyncio.run(get(run.id)) == run
    with pytest.raises(RunNotFound):
        asyncio.run(get("r-none"))
    with pytest.raises(RunNotFound):
        read_run(store, "r-none")


def test_the_same_specification_is_the_same_text(store: Store) -> None:
    text = canonical_json(RunSpec())
    shuffled = json.loads(text)
    shuffled["rules"] = dict(reversed(shuffled["rules"].items()))
    assert canonical_json(RunSpec.model_validate(dict(reversed(shuffled.items())))) == text
    assert RunSpec.model_validate_json(text) == RunSpec()
    run, _ = asked(store.address)
    [row] = store.statement("MATCH (r:Run {id: $id}) RETURN r.spec AS spec", id=run.id)
    assert row["spec"] == text


def test_a_key_gives_one_run_and_refuses_another_request(store: Store) -> None:
    first, created = asked(store.address, idempotency_key="k", request_digest="one")
    assert created
    again, created = asked(store.address, idempotency_key="k", request_digest="one")
    assert (again, created) == (first, False)
    with pytest.raises(IdempotencyConflict):
        asked(store.address, idempotency_key="k", request_digest="two")
    other, created = asked(store.address, idempotency_key="l", request_digest="one")
    assert created
    assert other.id != first.id
    claim(store, first.id)
    kept, created = asked(store.address, idempotency_key="k", request_digest="one")
    assert (kept.id, kept.state, created) == (first.id, "running", False)


def test_a_run_that_answers_remembers_every_key(store: Store) -> None:
    first, _ = asked(store.address, idempotency_key="k1", request_digest="one")
    claim(store, first.id)
    finish(store, first.id, QUALITY, "d" * 64, None, 0, True)
    done = read_run(store, first.id)
    for key in ("k2", "k3"):
        assert asked(store.address, idempotency_key=key, request_digest="one") == (done, False)
    store.statement("MATCH (g:Graph) SET g.v = g.v + 1")
    for key in ("k1", "k2", "k3"):
        assert asked(store.address, idempotency_key=key, request_digest="one") == (done, False)
        with pytest.raises(IdempotencyConflict):
            asked(store.address, RunSpec(seed=1), idempotency_key=key, request_digest="two")
    assert len(store.statement("MATCH (r:Run) RETURN r.id")) == 1


def test_keys_at_once_are_each_remembered_with_the_current_run(store: Store) -> None:
    current = published(store)

    async def all_at_once() -> list[tuple[Run, bool]]:
        async with AsyncStore(store.address, retry_seconds=15) as pool:
            asking = [create_run(pool, RunSpec(), True, f"k{i % 4}", "one") for i in range(16)]
            return await asyncio.gather(*asking)

    assert asyncio.run(all_at_once()) == [(current, False)] * 16
    rows = store.statement("MATCH (k:IdempotencyKey) RETURN k.key AS key, k.run AS run ORDER BY key")
    assert rows == [{"key": f"k{i}", "run": current.id} for i in range(4)]


def test_a_refused_request_leaves_nothing(store: Store) -> None:
    asked(store.address, idempotency_key="k", request_digest="one")
    kept = "MATCH (x) WHERE x:Run OR x:IdempotencyKey RETURN properties(x) AS found ORDER BY labels(x)"
    before = store.statement(kept)
    with pytest.raises(IdempotencyConflict):
        asked(store.address, RunSpec(seed=1), idempotency_key="k", request_digest="two")
    assert store.statement(kept) == before


def test_keys_that_were_kept_on_runs_are_moved(store: Store, tmp_path: Path) -> None:
    def chain_up_to(version: str) -> None:
        store.statement("MATCH (m:__Neo4jMigration) DETACH DELETE m")
        for file in sorted(bundled("migrations").glob("*.cypher")):
            if file.name[1:5] <= version:
                shutil.copy(file, tmp_path)
        migrate(store, directory=tmp_path)

    try:
        store.statement("DROP CONSTRAINT idempotency_key")
        chain_up_to("0002")
        assert "run_idempotency_key" in {row["name"] for row in store.statement("SHOW CONSTRAINTS")}
        run, _ = asked(store.address)
        store.statement("MATCH (r:Run {id: $id}) SET r.idempotency_key = 'k', r.request_digest = 'one'", id=run.id)
    finally:
        migrate(store)
    names = {row["name"] for row in store.statement("SHOW CONSTRAINTS")}
    assert "idempotency_key" in names
    assert "run_idempotency_key" not in names
    [row] = store.statement("MATCH (r:Run) RETURN keys(r) AS keys")
    assert {"idempotency_key", "request_digest"}.isdisjoint(row["keys"])
    again, created = asked(store.address, idempotency_key="k", request_digest="one")
    assert (again.id, created) == (run.id, False)
    with pytest.raises(IdempotencyConflict):
        asked(store.address, idempotency_key="k", request_digest="two")


def test_equal_requests_at_once_give_one_run(store: Store) -> None:
    async def ask(pool: AsyncStore, digest: str) -> tuple[Run, bool] | IdempotencyConflict:
        try:
            return await create_run(pool, RunSpec(), True, "k", digest)
        except IdempotencyConflict as error:
            return error

    async def all_at_once(digests: list[str]) -> list[tuple[Run, bool] | IdempotencyConflict]:
        async with AsyncStore(store.address, retry_seconds=15) as one, AsyncStore(store.address) as two:
            return await asyncio.gather(*(ask((one, two)[i % 2], digest) for i, digest in enumerate(digests)))

    forget = "MATCH (x) WHERE x:Run OR x:IdempotencyKey DETACH DELETE x"
    for _ in range(5):
        store.statement(forget)
        answers = asyncio.run(all_at_once(["same"] * 10))
        runs = [answer for answer in answers if isinstance(answer, tuple)]
        assert len(runs) == 10
        assert len({run.id for run, _ in runs}) == 1
        assert sum(created for _, created in runs) == 1
        assert len(store.statement("MATCH (r:Run) RETURN r.id")) == 1

    store.statement(forget)
    answers = asyncio.run(all_at_once(["one", "two"] * 4))
    assert sum(isinstance(answer, IdempotencyConflict) for answer in answers) == 4
    assert sum(answer[1] for answer in answers if isinstance(answer, tuple)) == 1


def test_the_current_run_answers_while_graph_and_specification_are_the_same(store: Store) -> None:
    current = published(store)
    assert current.current
    assert current.as_of == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert asked(store.address) == (current, False)
    assert asked(store.address, publish=False) == (current, False)
    assert asked(store.address, RunSpec(seed=1))[1], "another specification is another run"
    assert asked(store.address, idempotency_key="k", request_digest="one") == (current, False)

    store.statement("MATCH (g:Graph) SET g.v = g.v + 1")
    new, created = asked(store.address)
    assert created
    assert new.id != current.id
    retried, created = asked(store.address, idempotency_key="k", request_digest="one")
    assert (retried.id, created) == (current.id, False), "a retry gets the answer it got before"
    with pytest.raises(IdempotencyConflict):
        asked(store.address, idempotency_key="k", request_digest="two")


def test_a_run_that_is_not_current_does_not_answer(store: Store) -> None:
    first = published(store)
    second = published(store, RunSpec(seed=1))
    assert not read_run(store, first.id).current
    assert asked(store.address, RunSpec(seed=1)) == (second, False)
    assert asked(store.address)[1]


def test_what_a_run_and_a_key_hold_is_documented(store: Store) -> None:
    asked(store.address, RunSpec(seed=1), idempotency_key="k", request_digest="one")
    old = published(store)
    published(store, RunSpec(seed=8))
    assert remove_old(store, 1) == [old.id]
    failed, _ = asked(store.address, RunSpec(seed=2))
    claim(store, failed.id)
    report(store, failed.id, "scores", 0.5)
    fail(store, failed.id, BROKEN)
    finished_backtest(store)
    going, _ = asked(store.address, RunSpec(seed=3))
    claim(store, going.id)
    cancelled(store.address, going.id)
    for label in ("Run", "Lease", "IdempotencyKey"):
        [found] = store.statement(f"MATCH (x:{label}) UNWIND keys(x) AS key RETURN collect(DISTINCT key) AS keys")
        assert documented_properties(label) == set(found["keys"])


# --- claiming -------------------------------------------------------------------------------------------


def test_one_of_many_gets_a_run(store: Store) -> None:
    for _ in range(5):
        run, _ = asked(store.address)
        results = outcomes(store.address, 8, lambda each, run_id=run.id: claim(each, run_id))
        winners = [result for result in results if isinstance(result, Run)]
        assert [winner.state for winner in winners] == ["running"]
        assert sum(isinstance(result, Conflict) for result in results) == 7
        fail(store, run.id, BROKEN)


def test_queued_runs_are_taken_once_each_and_oldest_first(store: Store) -> None:
    ids = [asked(store.address)[0].id for _ in range(12)]
    taken: list[str] = []

    def work_off(each: Store) -> None:
        while len(taken) < len(ids):
            if (run := claim_next(each)) is not None:
                assert (run.state, run.stage) == ("running", "snapshot")
                assert run.started_at is not None
                [row] = each.statement("MATCH (r:Run {state: 'running'}) RETURN collect(r.id) AS ids")
                taken.append(run.id)
                assert row["ids"] == [run.id]
                fail(each, run.id, BROKEN, run.token)

    outcomes(store.address, 6, work_off)
    assert taken == ids, "each once, oldest first"
    assert claim_next(store) is None
    assert [run_id[:18] for run_id in ids] == sorted(run_id[:18] for run_id in ids), "ids sort by time"
    with pytest.raises(RunNotFound):
        claim(store, "r-none")


def test_of_several_queued_runs_one_is_claimed_at_a_time(store: Store) -> None:
    for _ in range(5):
        ids = [asked(store.address)[0].id for _ in range(8)]
        waiting = iter(ids)
        results = outcomes(store.address, 8, lambda each, left=waiting: claim(each, next(left)))
        [winner] = [result for result in results if isinstance(result, Run)]
        assert sum(isinstance(result, Conflict) for result in results) == 7
        assert outcomes(store.address, 8, claim_next) == [None] * 8
        assert [run_id for run_id in ids if read_run(store, run_id).state == "running"] == [winner.id]
        store.statement("MATCH (r:Run) DELETE r")


@pytest.mark.parametrize("how", ["done", "failed", "cancelled", "queued again"])
def test_the_lease_is_free_when_its_run_has_ended(store: Store, how: str) -> None:
    first, second = (asked(store.address, RunSpec(seed=seed))[0] for seed in (1, 2))
    first = claim(store, first.id)
    assert first.token is not None
    with pytest.raises(Conflict, match=first.id):
        claim(store, second.id)
    assert claim_next(store) is None
    assert read_run(store, second.id) == second
    if how == "done":
        finish(store, first.id, QUALITY, "d" * 64, None, 0, True, first.token)
    elif how == "queued again":
        interrupt(store, first.id, BROKEN, first.token)
    else:
        fail(store, first.id, CANCELLED if how == "cancelled" else BROKEN, first.token)
    assert read_run(store, first.id).state == how.split()[0]
    claimed = claim(store, second.id)
    assert claimed.token == first.token + 1
    [lease] = store.statement("MATCH (l:Lease) RETURN l.run AS run, l.token AS token")
    assert lease == {"run": second.id, "token": claimed.token}


def test_a_silent_run_loses_the_lease_to_whoever_claims(store: Store) -> None:
    first, second = (asked(store.address, RunSpec(seed=seed))[0] for seed in (1, 2))
    claim(store, first.id)
    silence(store, first.id, SILENT_SECONDS - 20)
    assert claim_next(store) is None
    silence(store, first.id)
    assert claim(store, second.id).state == "running"
    again = read_run(store, first.id)
    assert (again.state, again.attempts, again.created_at, again.spec) == ("queued", 1, first.created_at, first.spec)


def test_an_earlier_attempt_writes_nothing(store: Store) -> None:
    run, _ = asked(store.address)
    first = claim(store, run.id).token
    silence(store, run.id)
    assert sweep_interrupted(store) == [run.id]
    assert first is not None
    for state in ("queued", "running"):
        before = read_run(store, run.id)
        assert before.state == state
        for write in (
            lambda: report(store, run.id, "scores", 0.5, first),
            lambda: finish(store, run.id, QUALITY, "d" * 64, None, 0, True, first),
            lambda: finish_backtest(store, run.id, REPORT, first),
        ):
            with pytest.raises(Conflict):
                write()
        fail(store, run.id, BROKEN, first)
        interrupt(store, run.id, BROKEN, first)
        assert read_run(store, run.id) == before
        if state == "queued":
            second = claim_next(store)
    assert second is not None
    assert (second.id, second.attempts) == (run.id, 2)
    report(store, run.id, "scores", 0.5, second.token)
    finish(store, run.id, QUALITY, "e" * 64, None, 0, True, second.token)
    done = read_run(store, run.id)
    assert (done.state, done.digest, done.attempts, done.current) == ("done", "e" * 64, 2, True)


# --- reporting and ending -------------------------------------------------------------------------------


def test_progress_and_failure_are_seen(store: Store) -> None:
    run, _ = asked(store.address)
    with pytest.raises(Conflict):
        report(store, run.id, "scores", 0.5)
    claim(store, run.id)
    report(store, run.id, "scores", 0.25)
    assert (read_run(store, run.id).stage, read_run(store, run.id).progress) == ("scores", 0.25)
    report(store, run.id, "pages", None)
    assert (read_run(store, run.id).stage, read_run(store, run.id).progress) == ("pages", None)
    fail(store, run.id, BROKEN)
    failed = read_run(store, run.id)
    assert (failed.state, failed.stage, failed.error) == ("failed", "pages", BROKEN)
    assert failed.finished_at is not None
    fail(store, run.id, RunError(code="later", message="Too late."))
    assert read_run(store, run.id) == failed, "the first failure stands"
    with pytest.raises(Conflict):
        report(store, run.id, "publish", 1.0)


def test_what_is_done_stays_done(store: Store) -> None:
    done = published(store)
    assert (done.state, done.stage, done.progress, done.quality) == ("done", "done", 1.0, QUALITY)
    fail(store, done.id, BROKEN)
    with pytest.raises(Conflict):
        report(store, done.id, "scores", 0.1)
    with pytest.raises(Conflict):
        finish(store, done.id, QUALITY, "e" * 64, None, 0, True)
    assert read_run(store, done.id) == done


def test_only_silent_running_runs_are_swept(store: Store) -> None:
    done = published(store)
    queued, _ = asked(store.address, RunSpec(seed=4))
    alive, silent = (asked(store.address, RunSpec(seed=seed))[0] for seed in (1, 2))
    claim(store, alive.id)
    silence(store, alive.id, SILENT_SECONDS - 20)
    silence(store, done.id, 9_999)
    assert sweep_interrupted(store) == []
    fail(store, alive.id, BROKEN)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claim(store, silent.id)
        assert sweep_interrupted(store) == []
        silence(store, silent.id)
        assert sweep_interrupted(store) == [silent.id]
        swept = read_run(store, silent.id)
        assert swept.attempts == attempt
        if attempt < MOST_ATTEMPTS:
            assert (swept.state, swept.stage, swept.progress, swept.started_at) == ("queued", "queued", None, None)
            assert (swept.created_at, swept.spec, swept.error) == (silent.created_at, silent.spec, None)
    assert (swept.state, swept.error and swept.error.code) == ("failed", "run_interrupted")
    assert [read_run(store, run.id).state for run in (queued, done)] == ["queued", "done"]
    assert sweep_interrupted(store) == []


def test_who_is_paused_in_the_middle_of_writing_does_not_keep_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SILENT_SECONDS", 2)
    run, _ = asked(store.address)
    token = claim(store, run.id).token
    locked, go_on = threading.Event(), threading.Event()

    def paused() -> None:
        def work(tx: Tx) -> None:
            require_running(tx, run.id, token)
            locked.set()
            go_on.wait(120)
            tx.run("runs/report", id=run.id, stage="scores", progress=0.5)

        with Store(store.address) as own, pytest.raises(StoreError):
            write_run(own, work)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(paused)
        try:
            assert locked.wait(60)
            eventually(lambda: sweep_interrupted(store) == [run.id])
        finally:
            go_on.set()
        writing.result(60)
    assert (read_run(store, run.id).state, read_run(store, run.id).stage) == ("queued", "queued")


def test_a_run_that_was_stopped_in_order_is_queued_again_as_if_it_had_not_begun(store: Store) -> None:
    run, _ = asked(store.address)
    for _ in range(MOST_ATTEMPTS + 2):
        token = claim(store, run.id).token
        assert token is not None
        interrupt(store, run.id, BROKEN, token, in_order=True)
        assert read_run(store, run.id) == run
    for _ in range(MOST_ATTEMPTS):
        token = claim(store, run.id).token
        assert token is not None
        interrupt(store, run.id, BROKEN, token)
        interrupt(store, run.id, BROKEN, token)  # the same commit, tried again by the driver
    failed = read_run(store, run.id)
    assert (failed.state, failed.error, failed.attempts) == ("failed", BROKEN, MOST_ATTEMPTS)


# --- cancelling -----------------------------------------------------------------------------------------


def test_a_queued_run_is_cancelled_at_once(store: Store) -> None:
    run, _ = asked(store.address)
    ended = cancelled(store.address, run.id)
    assert (ended.state, ended.error) == ("cancelled", CANCELLED)
    assert ended.finished_at is not None
    assert cancelled(store.address, run.id) == ended
    assert claim_next(store) is None
    with pytest.raises(Conflict):
        claim(store, run.id)
    with pytest.raises(RunNotFound):
        cancelled(store.address, "r-none")


def test_a_running_run_that_is_to_be_cancelled_has_no_other_end(store: Store) -> None:
    run, _ = asked(store.address)
    token = claim(store, run.id).token
    going = cancelled(store.address, run.id)
    assert going.state == "running"
    assert going.cancel_asked_at is not None
    assert cancelled(store.address, run.id) == going, "asked again"
    with pytest.raises(Conflict, match="being cancelled"):
        report(store, run.id, "scores", 0.5, token)
    with pytest.raises(Conflict):
        finish(store, run.id, QUALITY, "d" * 64, None, 0, True, token)
    fail(store, run.id, BROKEN, token)
    ended = read_run(store, run.id)
    assert (ended.state, ended.error) == ("cancelled", CANCELLED)
    assert store.statement("MATCH (c:Current) RETURN c") == []


@pytest.mark.parametrize("asked_first", [True, False])
def test_a_silent_run_is_cancelled_by_whoever_looks(store: Store, asked_first: bool) -> None:
    run, _ = asked(store.address)
    claim(store, run.id)
    if asked_first:
        cancelled(store.address, run.id)
        silence(store, run.id)
        assert sweep_interrupted(store) == [run.id]
    else:
        silence(store, run.id)
        cancelled(store.address, run.id)
    assert (read_run(store, run.id).state, read_run(store, run.id).error) == ("cancelled", CANCELLED)


def test_what_has_ended_is_not_cancelled(store: Store) -> None:
    done = published(store)
    failed, _ = asked(store.address, RunSpec(seed=1))
    fail(store, failed.id, BROKEN)
    for run in (done, read_run(store, failed.id)):
        with pytest.raises(Conflict, match=rf"is {run.state}; only one that is queued or running"):
            cancelled(store.address, run.id)
        assert read_run(store, run.id) == run


def test_no_sequence_of_events_leaves_the_states_a_run_may_have(store: Store) -> None:
    """Random events against a plain model: the state after each, and the current run, are as the model says."""
    rng = random.Random(5)
    model: dict[str, str] = {}
    current: str | None = None
    for _ in range(300):
        event = rng.choice(["ask", "claim", "claim", "report", "fail", "interrupt", "cancel", "finish", "publish"])
        if event == "ask" or not model:
            run, created = asked(store.address, RunSpec(seed=len(model)))
            assert created
            model[run.id] = "queued"
            continue
        run_id = rng.choice(list(model))
        before, allowed = model[run_id], True
        try:
            if event == "claim":
                allowed = before == "queued" and "running" not in model.values()
                claim(store, run_id)
                model[run_id] = "running"
            elif event == "report":
                allowed = before == "running"
                report(store, run_id, "scores", 0.5)
            elif event == "fail":
                fail(store, run_id, BROKEN)
                model[run_id] = "failed" if before in ("queued", "running") else before
            elif event == "interrupt":
                was = read_run(store, run_id)
                interrupt(store, run_id, BROKEN, was.token or 0)
                if before == "running":
                    model[run_id] = "queued" if was.attempts < MOST_ATTEMPTS else "failed"
            elif event == "cancel":
                allowed = before not in ("done", "failed")
                cancelled(store.address, run_id)
                if before == "running":
                    fail(store, run_id, BROKEN)  # whoever watched over it ends it
                model[run_id] = "cancelled"
            else:
                allowed = before == "running"
                finish(store, run_id, QUALITY, rng.randbytes(8).hex(), None, -1, event == "publish")
                model[run_id] = "done"
                current = run_id if event == "publish" else current
        except Conflict:
            assert not allowed, (event, before)
        else:
            assert allowed, (event, before)
        assert {run: read_run(store, run).state for run in (run_id,)} == {run_id: model[run_id]}
    assert {row["id"]: row["s"] for row in store.statement("MATCH (r:Run) RETURN r.id AS id, r.state AS s")} == model
    assert store.statement("MATCH (c:Current) RETURN c.run AS run") == [{"run": current}]
    assert set(model.values()) >= {"queued", "failed", "done", "cancelled"}
