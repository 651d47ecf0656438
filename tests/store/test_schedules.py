"""Schedules of runs: what is due when, each occasion once however many look, and no run asked for in a circle."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Definition, Follow, NewSchedule, Run, RunError, RunSpec, Schedule, StoreAddress
from service.errors import ScheduleNotFound
from service.flows import schedules as flow
from service.flows.schedules import Lookout, add_schedule, ask_where_due, list_schedules, moment_due, remove_schedule
from service.store.definitions import keep_definition
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows
from service.store.results import finish
from service.store.runs import claim, create_run, fail, read_run
from service.store.schedules import KeptSchedule, schedule_id
from tests.graph_model_page import documented_properties
from tests.store.test_runs import BROKEN, QUALITY

T = TypeVar("T")

MADE = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def over(address: StoreAddress, work: Callable[[AsyncStore], Coroutine[Any, Any, T]]) -> T:
    async def connected() -> T:
        async with AsyncStore(address) as store:
            return await work(store)

    return asyncio.run(connected())


def add(store: Store, now: datetime = MADE, **said: Any) -> Schedule:
    return over(store.address, lambda pool: add_schedule(pool, NewSchedule(**said), now))[0]


def listed(store: Store, now: datetime) -> list[Schedule]:
    return over(store.address, lambda pool: list_schedules(pool, now))


def runs(store: Store) -> list[Run]:
    rows = store.statement("MATCH (r:Run) RETURN r.id AS id ORDER BY r.created_at, r.id")
    return [read_run(store, row["id"]) for row in rows]


def follow(store: Store, first: int, count: int) -> int:
    """Add follows; return the version of the graph."""
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(first, first + count)])
    return version(store)


def version(store: Store) -> int:
    return int(store.statement("MATCH (g:Graph) RETURN g.v AS v")[0]["v"])


def end(store: Store, run_id: str, publish: bool = True) -> None:
    claim(store, run_id)
    finish(store, run_id, QUALITY, "d" * 64, None, version(store), publish)


@pytest.fixture
def filled(store: Store) -> Store:
    follow(store, 0, 5)
    return store


# --- at a time of day -----------------------------------------------------------------------------------


def test_a_daily_run_is_asked_for_when_its_time_has_come(filled: Store) -> None:
    schedule = add(filled, daily_at="12:30")
    assert schedule.next_at == datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
    assert ask_where_due(filled, MADE + timedelta(hours=2, minutes=29, seconds=59)) == []
    [run_id] = ask_where_due(filled, MADE + timedelta(hours=2, minutes=30))
    assert read_run(filled, run_id).state == "queued"
    assert read_run(filled, run_id).publish
    later = MADE + timedelta(hours=3)
    assert ask_where_due(filled, later) == [], "once a day"
    [shown] = listed(filled, later)
    assert (shown.last_run, shown.last_asked_at) == (run_id, MADE + timedelta(hours=2, minutes=30))
    assert shown.next_at == datetime(2026, 3, 11, 12, 30, tzinfo=UTC)


def test_days_before_a_schedule_was_made_are_not_made_up_for(filled: Store) -> None:
    assert add(filled, daily_at="03:00").next_at == datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    assert ask_where_due(filled, MADE) == []
    assert ask_where_due(filled, MADE + timedelta(hours=16, minutes=59)) == []
    assert len(ask_where_due(filled, MADE + timedelta(hours=17))) == 1


def test_of_days_that_were_missed_the_latest_is_made_up_for(filled: Store) -> None:
    add(filled, daily_at="03:00")
    back = MADE + 4 * DAY + timedelta(hours=1)
    [overdue] = listed(filled, back)
    assert overdue.next_at == datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
    assert len(ask_where_due(filled, back)) == 1
    assert ask_where_due(filled, back + timedelta(hours=1)) == []
    assert len(ask_where_due(filled, datetime(2026, 3, 15, 3, 0, tzinfo=UTC))) == 1


def test_an_unchanged_graph_is_answered_by_the_current_run(filled: Store) -> None:
    add(filled, daily_at="12:00")
    [run_id] = ask_where_due(filled, MADE + timedelta(hours=2))
    end(filled, run_id)
    assert ask_where_due(filled, MADE + DAY + timedelta(hours=2)) == [run_id]
    assert len(runs(filled)) == 1
    [shown] = listed(filled, MADE + DAY + timedelta(hours=3))
    assert shown.last_asked_at == MADE + DAY + timedelta(hours=2)
    follow(filled, 10, 1)
    [new] = ask_where_due(filled, MADE + 2 * DAY + timedelta(hours=2))
    assert new != run_id


def test_a_daily_run_that_failed_waits_for_the_next_day(filled: Store) -> None:
    add(filled, daily_at="12:00")
    noon = MADE + timedelta(hours=2)
    [run_id] = ask_where_due(filled, noon)
    fail(filled, run_id, BROKEN)
    for hours in range(24):
        assert ask_where_due(filled, noon + timedelta(hours=hours)) == []
    [next_id] = ask_where_due(filled, noon + DAY)
    assert next_id != run_id


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 9)),
    st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=2)), max_size=20),
    st.integers(0, 23),
    st.integers(0, 59),
)
def test_whenever_it_is_looked_each_day_is_dealt_with_at_most_once(
    made: datetime, steps: list[timedelta], hour: int, minute: int
) -> None:
    """Against a plain model: the moments since it was made, each dealt with by the first look after it, or passed."""
    made = made.replace(tzinfo=UTC)
    schedule = Schedule(
        id="s", after_changes=None, daily_at=f"{hour:02}:{minute:02}", next_at=None, last_run=None, last_asked_at=None,
        created_at=made, publish=True, spec=RunSpec(),
    )  # fmt: skip
    first = made.replace(hour=hour, minute=minute, second=0, microsecond=0)
    moments = [first + i * DAY for i in range(60) if first + i * DAY > made]
    kept = KeptSchedule(schedule, None, False, -1, 0, 1)
    now, before = made, made
    for step in steps:
        now += step
        found = moment_due(kept, now)
        passed = [moment for moment in moments if before < moment <= now]
        assert found == (passed[-1] if passed else None)
        kept = KeptSchedule(schedule, found or kept.due_at, False, -1, 0, 1)
        before = now


# --- after changes --------------------------------------------------------------------------------------


def test_a_run_is_asked_for_after_so_many_changes_since_the_current_one_saw_the_graph(store: Store) -> None:
    add(store, after_changes=5)
    follow(store, 0, 4)
    assert ask_where_due(store, MADE) == []
    follow(store, 10, 1)
    [first] = ask_where_due(store, MADE)
    assert listed(store, MADE)[0].last_run == first
    end(store, first)
    assert ask_where_due(store, MADE) == [], "the current run saw all of it"
    follow(store, 20, 4)
    assert ask_where_due(store, MADE) == []
    follow(store, 30, 2)
    [second] = ask_where_due(store, MADE)
    assert second != first
    assert listed(store, MADE)[0].next_at is None


def test_a_run_of_anybody_counts_when_it_is_current(filled: Store) -> None:
    add(filled, after_changes=5)
    run, _ = over(filled.address, lambda pool: create_run(pool, RunSpec(seed=7), True))
    end(filled, run.id)
    assert ask_where_due(filled, MADE) == []


def test_nothing_more_is_asked_for_before_the_run_has_ended(filled: Store) -> None:
    add(filled, after_changes=2)
    [run_id] = ask_where_due(filled, MADE)
    follow(filled, 10, 9)
    assert ask_where_due(filled, MADE) == [], "it is queued"
    claim(filled, run_id)
    assert ask_where_due(filled, MADE) == [], "it is running"
    finish(filled, run_id, QUALITY, "d" * 64, None, version(filled) - 1, True)
    assert len(ask_where_due(filled, MADE)) == 1, "it read the graph before the last changes"


def test_a_run_that_failed_is_asked_for_again_after_as_many_further_changes(filled: Store) -> None:
    add(filled, after_changes=3)
    [first] = ask_where_due(filled, MADE)
    fail(filled, first, BROKEN)
    for minute in range(5):
        assert ask_where_due(filled, MADE + timedelta(minutes=minute)) == []
    follow(filled, 10, 2)
    assert ask_where_due(filled, MADE + DAY) == []
    follow(filled, 20, 1)
    [second] = ask_where_due(filled, MADE + DAY)
    assert second != first


def test_a_run_that_is_not_published_is_not_asked_for_in_a_circle(filled: Store) -> None:
    add(filled, after_changes=3, publish=False)
    [first] = ask_where_due(filled, MADE)
    end(filled, first, publish=False)
    assert not read_run(filled, first).current
    assert ask_where_due(filled, MADE) == []
    follow(filled, 10, 3)
    assert len(ask_where_due(filled, MADE)) == 1


def test_interactions_posts_and_reposts_are_changes(store: Store) -> None:
    add(store, after_changes=3)
    store.statement(
        "CREATE (a:Account {key: 't:a', n: 1, v: 1})-[:ENGAGED {v: 1}]->(b:Account {key: 't:b', n: 2, v: 1}), "
        "(b)-[:RESPONDED {kind: 'repost', v: 1}]->(:Post {key: 't:p', v: 1}), "
        "(b)-[:RESPONDED {kind: 'like', v: 1}]->(:Post {key: 't:q'}) WITH 1 AS x MATCH (g:Graph) SET g.v = 1, g.n = 2"
    )
    assert len(ask_where_due(store, MADE)) == 1


# --- both -----------------------------------------------------------------------------------------------


def test_an_empty_graph_asks_for_nothing(store: Store) -> None:
    add(store, after_changes=1)
    add(store, daily_at="12:00")
    assert ask_where_due(store, MADE + DAY) == []
    assert runs(store) == []
    daily = listed(store, MADE + DAY)[1]
    assert (daily.last_run, daily.last_asked_at) == (None, None)
    assert daily.next_at == datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
    follow(store, 0, 1)
    assert len(ask_where_due(store, MADE + DAY)) == 1, "after changes; the time of day comes tomorrow"
    assert len(ask_where_due(store, MADE + DAY + timedelta(hours=2))) == 1


def at_once(address: StoreAddress, engines: int, now: datetime) -> list[str]:
    def look(_: int) -> list[str]:
        with Store(address) as store:
            return ask_where_due(store, now)

    with ThreadPoolExecutor(engines) as pool:
        return [run for found in pool.map(look, range(engines)) for run in found]


def test_of_several_services_one_asks(filled: Store) -> None:
    add(filled, after_changes=2)
    add(filled, daily_at="12:00", spec=RunSpec(seed=1))
    for day in range(4):
        found = at_once(filled.address, 4, MADE + day * DAY + timedelta(hours=2))
        assert len(found) == len(set(found)) == 2
        asked = [run for run in runs(filled) if run.state == "queued"]
        assert {run.id for run in asked} == set(found)
        for run in asked:
            if day % 2:
                fail(filled, run.id, BROKEN)
            else:
                end(filled, run.id)
        follow(filled, 100 * (day + 1), 2)
    assert len(runs(filled)) == 8


def test_who_is_stopped_before_it_is_noted_finds_the_same_run(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(filled, after_changes=2)
    add(filled, daily_at="12:00", spec=RunSpec(seed=1))
    stopped: list[str] = []

    def stop(asked: Run) -> Run:
        stopped.append(asked.id)
        raise KeyboardInterrupt

    create = flow._create
    monkeypatch.setattr(flow, "_create", lambda *given: _after(create(*given), stop))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            ask_where_due(filled, MADE + DAY)
    monkeypatch.undo()
    assert stopped[0] == stopped[1]
    assert ask_where_due(filled, MADE + DAY)[0] == stopped[0]
    assert len(runs(filled)) == 2


async def _after(asking: Coroutine[Any, Any, Run], then: Callable[[Run], Run]) -> Run:
    return then(await asking)


def test_what_people_defined_is_scored_by_the_next_run(filled: Store) -> None:
    add(filled, daily_at="12:00")
    add(filled, MADE + timedelta(minutes=1), daily_at="12:00", spec=RunSpec(communities=()))
    definition = Definition(name="x", topic="x")
    over(filled.address, lambda pool: keep_definition(pool, definition))
    found = [read_run(filled, run) for run in ask_where_due(filled, MADE + timedelta(hours=2))]
    assert [run.spec.communities for run in found] == [(definition,), ()]


def test_the_same_schedule_twice_is_one(store: Store) -> None:
    first = add(store, daily_at="03:00")
    assert re.fullmatch(r"daily-0300-[a-z2-7]{8}", first.id)
    assert add(store, MADE + DAY, daily_at="03:00", spec=RunSpec()) == first.model_copy(
        update={"next_at": datetime(2026, 3, 11, 3, 0, tzinfo=UTC)}
    )
    others: list[dict[str, Any]] = [
        {"daily_at": "03:00", "publish": False},
        {"daily_at": "03:00", "spec": RunSpec(seed=1)},
        {"daily_at": "03:00", "spec": RunSpec(communities=())},
        {"daily_at": "03:01"},
        {"after_changes": 300},
    ]
    made = [add(store, **said).id for said in others]
    assert made[-1].startswith("after-300-")
    assert len({first.id, *made}) == 6
    assert {one.id for one in listed(store, MADE)} == {first.id, *made}


def test_a_schedule_that_is_removed_can_be_made_again(filled: Store) -> None:
    schedule = add(filled, after_changes=2, spec=RunSpec(seed=3))
    [first] = ask_where_due(filled, MADE)
    said = over(filled.address, lambda pool: remove_schedule(pool, schedule.id))
    assert schedule_id(said) == schedule.id
    assert "communities" not in said.spec.model_fields_set
    assert listed(filled, MADE) == []
    assert ask_where_due(filled, MADE) == []
    with pytest.raises(ScheduleNotFound):
        over(filled.address, lambda pool: remove_schedule(pool, schedule.id))
    fail(filled, first, BROKEN)
    over(filled.address, lambda pool: add_schedule(pool, said, MADE + DAY))
    [second] = ask_where_due(filled, MADE + DAY)
    assert second != first, "what it asked for before it was removed is nothing to it"


def test_an_engine_looks_now_and_then(filled: Store) -> None:
    add(filled, datetime.now(UTC), after_changes=2)
    lookout = Lookout(filled)
    lookout.look()
    [run] = runs(filled)
    fail(filled, run.id, RunError(code="x", message="x"))
    follow(filled, 10, 3)
    lookout.look()
    assert len(runs(filled)) == 1, "it looked a moment ago"
    Lookout(filled).look()
    assert len(runs(filled)) == 2


def test_what_a_schedule_holds_is_documented(filled: Store) -> None:
    add(filled, after_changes=2)
    add(filled, daily_at="12:00")
    ask_where_due(filled, MADE + DAY)
    [found] = filled.statement("MATCH (x:Schedule) UNWIND keys(x) AS key RETURN collect(DISTINCT key) AS keys")
    assert documented_properties("Schedule") == set(found["keys"])
