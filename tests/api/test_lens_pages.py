"""Pages of statements and of influences, and what was done day by day, against plain readings of drawn graphs."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.domain import ENGAGEMENT_NAMES, EngagementWeights, HiddenAccount, Run, RunSpec, ScoringRules
from service.flows.lenses import influences, statement
from service.flows.masking import Mask
from service.store.driver import AsyncStore, Row, Store
from service.store.lenses import read_own_days

STAR = "t:star"
KEYS = ["t:B", "t:a", "t:a/b", "t:b", "t:z", "t:é", "t:～", "t:😀"]
FIRST, LAST = date(2024, 4, 2), date(2024, 6, 30)
DAYS = [date(2024, 4, 1), FIRST, date(2024, 5, 1), date(2024, 6, 29), LAST, date(2024, 7, 1)]
TIMES = [
    None, "2024-04-01T23:59:59Z", "2024-04-02T00:00:00Z", "2024-05-01T10:00:00Z", "2024-06-30T01:00:00+02:00",
    "2024-06-30T23:59:59Z", "2024-07-01T00:00:00Z",
]  # fmt: skip
RULES = [
    ScoringRules(),
    ScoringRules(responses_a_day=2, engagement=EngagementWeights(likes=0)),  # likes weigh as if there were none
    ScoringRules(window_days=200, half_life_days=1),
]
POINTS = {"likes": 2, "replies": 10, "mentions": 10, "reposts": 10}

World = dict[str, Any]
Page = Callable[[AsyncStore, int, int], Awaitable[tuple[list[dict[str, Any]], int]]]


def ties() -> st.SearchStrategy[dict[str, Any]]:
    """What one account has to do with another: a follow, and interactions by day."""
    counts = st.lists(st.sampled_from([None, 0, 1, 5]), min_size=4, max_size=4)
    follow = st.fixed_dictionaries(
        {"at": st.sampled_from(TIMES), "weight": st.sampled_from([None, 1.0, 1 + 1e-12, 2.5])}
    )
    return st.fixed_dictionaries(
        {"follow": st.none() | follow, "days": st.dictionaries(st.sampled_from(DAYS), counts, max_size=3)}
    )


SCORED = st.fixed_dictionaries(
    {
        "community": st.sampled_from(["c", "c", "c", "d", None]),
        "follow_ring": st.sampled_from([None, 1, 1]),
        "standing_weight": st.integers(1, 5),
    }
)
WORLDS = st.fixed_dictionaries(
    {
        "own": st.none() | SCORED,
        "listed": st.sampled_from([None, "2024-05-01T12:00:00+02:00"]),
        "rules": st.sampled_from(RULES),
        "others": st.dictionaries(
            st.sampled_from(KEYS),
            st.fixed_dictionaries(
                {
                    "hidden": st.sampled_from([None, None, None, "opted out", "masked"]),
                    "scored": st.none() | SCORED,
                    "to": ties(),
                    "from": ties(),
                }
            ),
            min_size=1,
        ),
    }
)

FOLLOW = {"at": "2024-06-30T23:59:59Z", "weight": None}


def ringed(done: list[int | None]) -> World:
    """Eight who follow, half of whom also did something on that day; five are of a follow ring, three in return."""
    quiet: dict[str, Any] = {"follow": FOLLOW, "days": {}}
    in_ring = {"community": "c", "follow_ring": 1, "standing_weight": 2}
    return {
        "own": in_ring,
        "listed": None,
        "rules": RULES[1],
        "others": {
            key: {
                "hidden": {3: "opted out", 4: "masked"}.get(place),
                "scored": {**in_ring, "follow_ring": 1 if place < 5 else None},
                "to": {**quiet, "days": {LAST: done}} if place % 2 else quiet,
                "from": quiet if place < 3 else {**quiet, "follow": None},
            }
            for place, key in enumerate(KEYS)
        },
    }


LIKED, ANSWERED = ringed([5, None, 0, 0]), ringed([5, 1, 2, None])
"""By these rules likes weigh nothing: who likes has a tie as strong as who only follows, and keys alone order them."""

drawn = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(store: Store, world: World) -> None:
    store.statement("MATCH (x) WHERE x:Account OR x:Run DETACH DELETE x")
    store.statement("CREATE (:Run {id: 'r', state: 'done'})")
    accounts = [{"key": STAR, "hidden": None, "scored": world["own"]}]
    accounts += [{"key": key, **one} for key, one in world["others"].items()]
    store.statement(
        "MATCH (r:Run) UNWIND $rows AS row CREATE (a:Account {key: row.key, handle: row.key + '!'}) "
        "SET a.opted_out = CASE WHEN row.hidden = 'opted out' THEN true END "
        "WITH r, a, row WHERE row.scored IS NOT NULL CREATE (a)-[s:SCORED]->(r) SET s += row.scored",
        rows=[{name: one[name] for name in ("key", "hidden", "scored")} for one in accounts],
    )  # fmt: skip
    store.statement(
        "MATCH (a:Account {key: $key}) SET a.followers_complete_at = datetime($at)", key=STAR, at=world["listed"]
    )
    both = [
        (a, b, world["others"][key][way])
        for key in world["others"]
        for a, b, way in ((key, STAR, "to"), (STAR, key, "from"))
    ]
    store.statement(
        "UNWIND $rows AS row MATCH (a:Account {key: row.a}), (b:Account {key: row.b}) CREATE (a)-[f:FOLLOWS]->(b) "
        "SET f.at = datetime(row.at), f.weight = row.weight",
        rows=[{"a": a, "b": b, **tie["follow"]} for a, b, tie in both if tie["follow"] is not None],
    )
    store.statement(
        "UNWIND $rows AS row MATCH (a:Account {key: row.a}), (b:Account {key: row.b}) "
        "CREATE (a)-[e:ENGAGED {day: row.day}]->(b) SET e += row.counts",
        rows=[
            {"a": a, "b": b, "day": day, "counts": dict(zip(ENGAGEMENT_NAMES, counts, strict=True))}
            for a, b, tie in both for day, counts in tie["days"].items()
        ],
    )  # fmt: skip


def run_of(world: World) -> Run:
    at = datetime(2024, 6, 30, 20, tzinfo=UTC)
    return Run(
        id="r", state="done", stage="done", publish=True, current=True, spec=RunSpec(rules=world["rules"]), as_of=at,
        created_at=at,
    )  # fmt: skip


def mask_of(world: World) -> Mask:
    return Mask(
        tuple(HiddenAccount(key, None, None) for key, one in world["others"].items() if one["hidden"] == "masked")
    )


def page_by_page(store: Store, page: Page, size: int) -> list[dict[str, Any]]:
    """All items, read in pages of a size, each of which is full but for the last."""

    async def read() -> list[dict[str, Any]]:
        async with AsyncStore(store.address) as asynchronous:
            found: list[dict[str, Any]] = []
            while True:
                items, total = await page(asynchronous, len(found), size)
                assert len(items) == min(size, total - len(found))
                found += items
                if not items:
                    return found

    return asyncio.run(read())


def in_ring(world: World, key: str) -> bool:
    """Whether a follow between the account and another is in return within a follow ring, of who never engaged."""
    own, one = world["own"], world["others"][key]
    return bool(
        own and one["scored"] and own["follow_ring"] and own["follow_ring"] == one["scored"]["follow_ring"]
        and one["to"]["follow"] and one["from"]["follow"] and not one["to"]["days"] and not one["from"]["days"]
    )  # fmt: skip


def plain_statement(world: World) -> list[dict[str, Any]]:
    most, actions = world["rules"].responses_a_day, []
    for key, one in world["others"].items():
        home = world["own"] and world["own"]["community"]
        if not home or not one["scored"] or one["scored"]["community"] != home:
            continue
        done: list[tuple[date | None, str, int, int]] = []
        for day, counts in one["to"]["days"].items():
            if FIRST <= day <= LAST:
                done += [(day, kind, n, POINTS[kind]) for kind, n in zip(POINTS, counts, strict=True) if n]
        follow = one["to"]["follow"]
        if follow and not in_ring(world, key):
            at = follow["at"] and datetime.fromisoformat(follow["at"]).astimezone(UTC)
            listed = world["listed"] and datetime.fromisoformat(world["listed"])
            day = None if at is None or at == listed else at.date()
            if day is None or FIRST <= day <= LAST:
                done.append((day, "follows", 1, 1))
        for day, kind, times, points in done:
            counted, weight = min(times, most), one["scored"]["standing_weight"]
            action = {"day": day, "kind": kind, "times": times, "counted": counted, "weight": weight}
            named = (
                {"actor": None, "actor_handle": None} if one["hidden"] else {"actor": key, "actor_handle": key + "!"}
            )
            order = (day is None, -(day or LAST).toordinal(), kind == "follows", key, [*POINTS, "follows"].index(kind))
            actions.append((order, {**action, **named, "points": points * counted * weight}))
    return [action for _, action in sorted(actions, key=lambda one: one[0])]


def plain_influences(world: World, way: str) -> list[dict[str, Any]]:
    rules, own, found = world["rules"], world["own"], []
    for key, one in world["others"].items():
        tie = one[way]
        nowhere = any(scored is not None and scored["community"] is None for scored in (own, one["scored"]))
        follows = tie["follow"] is not None and not nowhere and not in_ring(world, key)
        follow = (tie["follow"]["weight"] or 1.0) if follows else 0.0
        aged, counts = [], Counter(dict.fromkeys(ENGAGEMENT_NAMES, 0))
        for day, done in tie["days"].items():
            age = (LAST - day).days
            if 0 <= age < rules.window_days:
                times = dict(zip(ENGAGEMENT_NAMES, [n or 0 for n in done], strict=True))
                counts.update(times)
                value = sum(getattr(rules.engagement, kind) * n for kind, n in times.items())
                share = min(1.0, rules.responses_a_day / max(sum(times.values()), 1))
                aged.append(value * share * 0.5 ** (age / rules.half_life_days))
        weight = float(f"{follow + math.log1p(math.fsum(aged)):.9g}")
        if weight > 0:
            said = {"account": key, "handle": key + "!", "weight": weight, "follows": follows, **counts}
            found.append((one["hidden"], said))
    total = math.fsum(said["weight"] for _, said in found)
    found.sort(key=lambda one: (-one[1]["weight"], one[1]["account"]))
    return [{**said, "share": float(f"{said['weight'] / total:.9g}")} for hidden, said in found if not hidden]


@drawn
@given(WORLDS, st.integers(1, 7))
@example(ANSWERED, 2)
def test_the_pages_of_a_statement_are_all_actions_in_order(store: Store, world: World, size: int) -> None:
    write(store, world)
    run, mask, published, since = run_of(world), mask_of(world), 1_000, set()

    async def page(asynchronous: AsyncStore, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        items, total, changed = await statement(asynchronous, run, STAR, published, mask, offset, limit)
        since.add(changed)
        return items, total

    wanted = plain_statement(world)
    assert page_by_page(store, page, size) == wanted
    assert since == {published - sum(one["points"] for one in wanted)}


@drawn
@given(WORLDS, st.sampled_from(["to", "from"]), st.integers(1, 5))
@example(LIKED, "to", 2)
@example(LIKED, "from", 1)
def test_the_pages_of_influences_are_all_ties_in_order(store: Store, world: World, way: str, size: int) -> None:
    write(store, world)
    run, mask = run_of(world), mask_of(world)

    async def page(asynchronous: AsyncStore, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        return await influences(asynchronous, run, STAR, mask, offset, limit, inwards=way == "to")

    assert page_by_page(store, page, size) == plain_influences(world, way)


@drawn
@given(WORLDS, st.integers(1, 5))
def test_what_was_done_is_added_up_by_day(store: Store, world: World, most: int) -> None:
    write(store, world)

    async def read() -> list[Row]:
        async with AsyncStore(store.address) as asynchronous:
            return await read_own_days(asynchronous, STAR, FIRST, LAST, most)

    wanted: dict[tuple[str, date], list[int]] = {}
    for one in world["others"].values():
        for kind, way in (("given", "from"), ("gotten", "to")):
            for day, counts in one[way]["days"].items():
                if FIRST <= day <= LAST:
                    added = wanted.setdefault((kind, day), [0] * 4)
                    wanted[kind, day] = [
                        sum(pair) for pair in zip(added, (min(n or 0, most) for n in counts), strict=True)
                    ]
    rows = [{"kind": kind, "day": day, "counts": wanted[kind, day]} for kind, day in sorted(wanted)]
    assert asyncio.run(read()) == rows
