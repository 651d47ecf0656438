"""Follows in the graph: the rule of two with the same ends, versions, numbers, and writers at the same time."""

from __future__ import annotations

import itertools
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain import Applied, Follow, StoreAddress
from service.errors import MigrationError
from service.store.driver import Store
from service.store.edges import apply_follows, stronger
from tests.conftest import clear
from tests.store.graph_dump import Edges, edges


def accounts(store: Store) -> list[dict[str, Any]]:
    return [row["a"] for row in store.statement("MATCH (a:Account) RETURN properties(a) AS a ORDER BY a.key")]


def version(store: Store) -> tuple[int, int]:
    [row] = store.statement("MATCH (g:Graph {id: 1}) RETURN g.v AS v, g.n AS n")
    return row["v"], row["n"]


def model(follows: list[Follow]) -> Edges:
    """What the graph must hold after all of these, by the definition: greatest (at, weight), unknown first."""
    found: Edges = {}
    for (one, other), group in itertools.groupby(sorted(follows, key=lambda f: f[:2]), key=lambda f: f[:2]):
        best = max(group, key=lambda f: (-1 if f.at is None else f.at, f.weight))
        found[one, other] = (best.weight, best.at)
    return found


def test_accounts_and_follows_with_all_their_properties(store: Store) -> None:
    at = datetime(2024, 5, 1, 12, 30, 15, 250_000, UTC)
    milliseconds = round(at.timestamp() * 1000)
    batch = [Follow("t:b:x", "t:ü", 0.5, milliseconds), Follow("t:ü", "u:9223372036854775807")]
    assert apply_follows(store, batch) == Applied(3, 2, 0, 1)
    assert accounts(store) == [
        {"key": "t:b:x", "network": "t", "native_id": "b:x", "n": 1, "v": 1},
        {"key": "t:ü", "network": "t", "native_id": "ü", "n": 2, "v": 1},
        {"key": "u:9223372036854775807", "network": "u", "native_id": "9223372036854775807", "n": 3, "v": 1},
    ]
    first, second = store.statement("MATCH ()-[f:FOLLOWS]->(b) RETURN properties(f) AS f, b.key AS b ORDER BY b.key")
    assert second["f"] == {"weight": 1.0, "v": 1}
    assert first["f"].keys() == {"weight", "v", "at"}
    assert first["f"]["at"].to_native() == at
    assert first["f"]["at"].to_native().utcoffset() == timedelta(0)
    [kind] = store.statement("MATCH ()-[f:FOLLOWS]->() WHERE f.at IS NOT NULL RETURN valueType(f.at) AS kind")
    assert kind["kind"] == "ZONED DATETIME NOT NULL"
    assert version(store) == (1, 3)


def test_nothing_new_changes_nothing_not_even_the_version(store: Store) -> None:
    batch = [Follow("t:a", "t:b", 2.0, 1000), Follow("t:b", "t:c")]
    assert apply_follows(store, batch).version == 1
    before = (edges(store), accounts(store), version(store))
    for again in (batch, batch[::-1], batch * 3, [Follow("t:a", "t:b", 9.0, 999)], [Follow("t:a", "t:b", 9.0)], []):
        assert apply_follows(store, again) == Applied(0, 0, 0, 1)
    assert (edges(store), accounts(store), version(store)) == before


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        ((1.0, None), (2.0, None), (2.0, None)), ((2.0, None), (1.0, None), (2.0, None)),
        ((2.0, None), (1.0, 0), (1.0, 0)), ((1.0, 0), (2.0, None), (1.0, 0)), ((2.0, 5), (1.0, 6), (1.0, 6)),
        ((1.0, 6), (2.0, 5), (1.0, 6)), ((1.0, 6), (2.0, 6), (2.0, 6)), ((2.0, 6), (1.0, 6), (2.0, 6)),
    ],
)  # fmt: skip
def test_the_later_follow_stands_then_the_heavier(
    store: Store, first: tuple[float, int | None], second: tuple[float, int | None], stands: tuple[float, int | None]
) -> None:
    one, other = Follow("t:a", "t:b", *first), Follow("t:a", "t:b", *second)
    changes = stands != first
    assert stronger(one, other)[2:] == stronger(other, one)[2:] == stands
    apply_follows(store, [one])
    assert apply_follows(store, [other]) == Applied(0, 0, int(changes), 1 + changes)
    assert edges(store) == {("t:a", "t:b"): stands}
    assert store.statement("MATCH ()-[f:FOLLOWS]->() RETURN f.v AS v") == [{"v": 1 + changes}]
    clear(store)
    assert apply_follows(store, [one, other]) == Applied(2, 1, 0, 1)
    assert apply_follows(store, [other, one, other]) == Applied(0, 0, 0, 1)
    assert edges(store) == {("t:a", "t:b"): stands}


FOLLOWS = st.builds(
    Follow,
    st.sampled_from(["t:a", "t:b", "t:c", "u:a"]),
    st.sampled_from(["t:x", "t:b", "t:c", "u:a"]),
    st.sampled_from([0.25, 1.0, 3.0]),
    st.sampled_from([None, 0, 1000, 1_700_000_000_123]),
).filter(lambda follow: follow.follower != follow.followee)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(FOLLOWS, max_size=12), max_size=4), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(store: Store, batches: list[list[Follow]], chance: random.Random) -> None:
    clear(store)
    everything = [follow for batch in batches for follow in batch]
    now, numbered, known = 0, 0, model([])
    for i, batch in enumerate(batches):
        applied = apply_follows(store, batch)
        before, known = known, model(list(itertools.chain(*batches[: i + 1])))
        assert applied.created == len(known) - len(before)
        assert applied.updated == sum(known[pair] != before[pair] for pair in before)
        assert applied.version == now + (known != before)
        now, numbered = applied.version, numbered + applied.accounts_created
    assert edges(store) == model(everything)
    assert version(store) == (now, numbered)
    assert sorted(account["n"] for account in accounts(store)) == list(range(1, numbered + 1))
    assert {account["key"] for account in accounts(store)} == {key for follow in everything for key in follow[:2]}
    clear(store)
    shuffled = [*everything, *chance.choices(everything, k=5)] if everything else []
    chance.shuffle(shuffled)
    for follow in shuffled:
        apply_follows(store, [follow])
    assert edges(store) == model(everything)


def test_each_change_is_found_by_its_version(store: Store) -> None:
    apply_follows(store, [Follow("t:a", "t:b"), Follow("t:c", "t:d")])
    apply_follows(store, [Follow("t:a", "t:b", 1.0, 5), Follow("t:c", "t:d"), Follow("t:a", "t:e")])
    rows = store.statement("MATCH (a)-[f:FOLLOWS]->(b) RETURN b.native_id AS b, f.v AS v ORDER BY b")
    assert rows == [{"b": "b", "v": 2}, {"b": "d", "v": 1}, {"b": "e", "v": 2}]
    assert [(a["native_id"], a["v"]) for a in accounts(store)] == [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 2)]


def test_writers_at_the_same_time_wait_for_each_other(store: Store, store_address: StoreAddress) -> None:
    chance = random.Random(5)
    people = [f"t:{i:03}" for i in range(200)]
    batches = [
        [
            Follow(*chance.sample(people, 2), chance.choice([1.0, 2.0]), chance.choice([None, 10, 20]))
            for _ in range(300)
        ]
        for _ in range(24)
    ]
    applied: list[Applied] = []

    def write(mine: list[list[Follow]]) -> None:
        with Store(store_address) as own:
            applied.extend(apply_follows(own, batch) for batch in mine)

    threads = [threading.Thread(target=write, args=(batches[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = list(itertools.chain(*batches))
    expected = model(everything)
    assert edges(store) == expected
    assert sum(one.created for one in applied) == len(expected)
    assert sum(one.accounts_created for one in applied) == len({key for pair in expected for key in pair})
    assert sorted(one.version for one in applied) == list(range(1, 25))
    assert version(store) == (24, sum(one.accounts_created for one in applied))
    numbers = [account["n"] for account in accounts(store)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_a_graph_that_was_not_migrated_is_refused_whole(store: Store) -> None:
    store.statement("MATCH (g:Graph) DELETE g")
    try:
        with pytest.raises(MigrationError, match="entourage migrate"):
            apply_follows(store, [Follow("t:a", "t:b")])
        assert accounts(store) == []
    finally:
        store.statement("CREATE (:Graph {id: 1, v: 0, n: 0})")
