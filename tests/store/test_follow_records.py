"""Records of follows: an end that names only the record, whichever of the two comes first."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.files.events import EventSource, read_events
from service.flows.writing import grouped
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import Change
from service.store.follow_records import put_follow_records
from tests.conftest import clear
from tests.plain_events import PlainGraph
from tests.store.graph_dump import edges

NOW = 1_700_000_000_000
Event = dict[str, Any]


def created(record: str | None, follower: str, followee: str, at: int) -> Event:
    data = {"follower": follower, "followee": followee, "at": at}
    return {"type": "follow.created", "data": data if record is None else {**data, "record": record}}


def deleted(record: str, at: int, **pair: str) -> Event:
    return {"type": "follow.deleted", "data": {"record": record, "at": at, **pair}}


def say(store: Store, *events: Event, received_at: int = NOW, source: str = "s") -> None:
    """Apply events as one delivery of a source."""
    items = read_events(list(events), EventSource(source, "t"), received_at)
    assert all(item.code is None for item in items), items
    for thing, batch in grouped(items).items():
        if thing == "follows":
            batch = list(batch.strongest.values())
        apply_batch(store, thing, batch)


def unfollows(store: Store) -> dict[tuple[str, str], int]:
    """All follows that ended, and when."""
    rows = store.statement("MATCH (a)-[u:UNFOLLOWED]->(b) RETURN a.key AS a, b.key AS b, u.at.epochMillis AS at")
    return {(row["a"], row["b"]): row["at"] for row in rows}


def kept(store: Store) -> tuple[Any, ...]:
    """All that a graph holds of follows and their records."""
    records = store.statement(
        "MATCH (a)-[r:FOLLOW_RECORD]->(b) RETURN r.record AS record, a.key AS a, b.key AS b, r.at.epochMillis AS at "
        "ORDER BY record, a, b"
    )
    ended = store.statement("MATCH (e:EndedRecord) RETURN e.record AS record, e.at.epochMillis AS at ORDER BY record")
    return dict(sorted(edges(store).items())), dict(sorted(unfollows(store).items())), records, ended


def test_an_end_that_names_only_the_record(store: Store) -> None:
    say(store, created("r1", "a", "b", 1_000_000_000_000), created("r2", "a", "c", 1_000_000_000_000))
    assert edges(store).keys() == {("t:a", "t:b"), ("t:a", "t:c")}
    say(store, deleted("r1", 1_000_000_005_000))
    assert edges(store).keys() == {("t:a", "t:c")}
    assert unfollows(store) == {("t:a", "t:b"): 1_000_000_005_000}


def test_the_end_may_come_first_also_where_times_are_those_of_arrival(store: Store) -> None:
    say(store, {"type": "follow.deleted", "data": {"record": "r"}}, received_at=NOW)
    assert (edges(store), unfollows(store)) == ({}, {})
    say(store, {"type": "follow.created", "data": {"follower": "a", "followee": "b", "record": "r"}},
        received_at=NOW + 5)  # fmt: skip
    assert (edges(store), unfollows(store)) == ({}, {("t:a", "t:b"): NOW})


def test_what_is_told_again_does_not_touch_the_follow_that_came_after(store: Store) -> None:
    """Without times of their own: a follow, its end, another follow of the same two; then the first two once more."""
    pair = {"follower": "a", "followee": "b"}
    follow, again = ({"type": "follow.created", "data": {**pair, "record": record}} for record in ("r1", "r2"))
    end, named = ({"type": "follow.deleted", "data": {"record": "r1", **more}} for more in ({}, pair))
    for at, event in enumerate((follow, named, again, end, named, follow)):
        say(store, event, received_at=NOW + at)
    assert edges(store) == {("t:a", "t:b"): (1.0, NOW + 2)}


def test_records_are_known_to_all_sources_of_a_network_and_to_no_other(store: Store) -> None:
    say(store, created("r", "a", "b", 1_000_000_000_000), source="one")
    items = read_events([deleted("r", 1_000_000_001_000)], EventSource("two", "u"), NOW)
    apply_batch(store, "follow_records", items[0].said)
    assert edges(store), "that was the record of another network"
    say(store, deleted("r", 1_000_000_001_000), source="two")
    assert not edges(store)


def test_a_record_and_the_pair_say_the_same(store: Store) -> None:
    """An end that names both ends the follow though its record was never seen, and the record for good."""
    apply_batch(store, "follows", read_events([created(None, "a", "b", 1_000_000_000_000)],
                                              EventSource("s", "t"), NOW)[0].said)  # fmt: skip
    say(store, deleted("r", 1_000_000_001_000, follower="a", followee="b"))
    assert (edges(store), unfollows(store)) == ({}, {("t:a", "t:b"): 1_000_000_001_000})
    say(store, created("r", "a", "b", 1_000_000_002_000))
    assert not edges(store)


def test_it_takes_its_turn_in_a_transaction_and_counts_what_changed(store: Store) -> None:
    said = [
        item.said[0]
        for item in read_events(
            [created("r1", "a", "b", 1), created("r2", "a", "c", 2), deleted("r2", 3)], EventSource("s", "t"), NOW
        )
    ]

    def counts() -> tuple[int, int, int]:
        def work(tx: Any) -> tuple[int, int, int]:
            change = Change(tx)
            done = put_follow_records(change, said)
            return *done, change.done(*done).version

        return store.write_transaction(work)

    assert counts() == (2, 0, 1), "a follow, and the end of another"
    assert counts() == (0, 0, 1)


class Life(NamedTuple):
    """One record of a follow: from when to when."""

    record: str
    pair: tuple[str, str]
    begin: int
    end: int | None


ACCOUNTS = "abcd"
pairs = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS)).filter(lambda pair: pair[0] != pair[1])


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    found = []
    for number in range(draw(st.integers(1, 8))):
        begin = draw(st.integers(1, 30))
        end = draw(st.none() | st.integers(begin, 40))
        found.append(Life(f"r{number}", draw(pairs), begin, end))
    return found


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.long)])
def test_any_order_any_batches_and_repeats_give_the_same(store: Store, examples: int) -> None:
    """Against a plain model that is told of each record's pair: what it says of times does not know of records."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(lives(), st.lists(st.tuples(pairs, st.integers(1, 40), st.booleans()), max_size=4), st.integers(0, 2**32))
    def try_one(records: list[Life], others: list[tuple[tuple[str, str], int, bool]], seed: int) -> None:
        plain = PlainGraph()
        events = []
        for one in records:
            (a, b), at = one.pair, 10**12
            events.append(created(one.record, a, b, at + one.begin * 1000))
            plain.add({**created(None, a, b, 0), "timestamp": 10**9 + one.begin})
            if one.end is not None:
                events.append(deleted(one.record, at + one.end * 1000))
                plain.add({"type": "follow.deleted", "data": {"follower": a, "followee": b},
                           "timestamp": 10**9 + one.end})  # fmt: skip
        for (a, b), when, ended in others:
            data = {"follower": a, "followee": b, "at": 10**12 + when * 1000}
            kind = "follow.deleted" if ended else "follow.created"
            events.append({"type": kind, "data": data})
            plain.add({"type": kind, "data": {"follower": a, "followee": b}, "timestamp": 10**9 + when})
        follows, tombstones = plain.standing()
        draw = random.Random(seed)
        seen = set()
        for _ in range(2):
            clear(store)
            order = events + draw.choices(events, k=len(events) // 2)
            draw.shuffle(order)
            while order:
                size = draw.randint(1, len(order))
                say(store, *order[:size])
                order = order[size:]
            found = kept(store)
            assert {pair: at for pair, (_, at) in found[0].items()} == {pair: at for pair, (at, _) in follows.items()}
            assert found[1] == tombstones
            seen.add(repr(found))
        assert len(seen) == 1

    try_one()
