"""Records of follows: an end that names only the record, whichever of the two comes first."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.files.events import EventSource, read_events
from service.flows.writing import Writer, grouped
from service.journal.journal import Journal
from service.records import Statement
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import Change
from service.store.follow_records import put_follow_records
from service.store.queries import bundled
from tests.conftest import clear
from tests.store.graph_dump import Edges, edges
from tests.store.test_deliveries import journaled, written

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
        "MATCH (a)-[r:FOLLOW_RECORD]->(b) RETURN r.record AS record, a.key AS a, b.key AS b, r.at.epochMillis AS at, "
        "r.ended_at.epochMillis AS ended_at, r.weight AS weight ORDER BY record, a, b"
    )
    pending = store.statement("MATCH (e:EndedRecord) RETURN e.record AS record, e.at.epochMillis AS at ORDER BY record")
    return dict(sorted(edges(store).items())), dict(sorted(unfollows(store).items())), records, pending


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
    assert (edges(store), unfollows(store)) == ({}, {("t:a", "t:b"): NOW + 5})


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
    """One record of a follow: from when to when, in milliseconds, and whether its end names the two accounts."""

    record: str
    pair: tuple[str, str]
    begin: int
    end: int | None
    named: bool


ACCOUNTS = "abcd"
START = 10**12
pairs = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS)).filter(lambda pair: pair[0] != pair[1])


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """Records in no order: of the same pair, beside each other, ended in the millisecond in which another began."""
    found = []
    for number in range(draw(st.integers(1, 9))):
        begin = draw(st.integers(1, 12))
        end = draw(st.none() | st.integers(begin, 14))
        found.append(Life(f"r{number}", draw(pairs), begin, end, end is not None and draw(st.booleans())))
    return found


def standing(records: list[Life]) -> tuple[Edges, dict[tuple[str, str], int]]:
    """Who follows whom, by the definition: as long as one record of the two has not ended, by itself or with others."""
    follows: Edges = {}
    ended: dict[tuple[str, str], int] = {}
    for pair in {one.pair for one in records}:
        of_pair = [one for one in records if one.pair == pair]
        keys = f"t:{pair[0]}", f"t:{pair[1]}"
        until = max((one.end or 0 for one in of_pair if one.named), default=0)
        if any(one.end is None and one.begin > until for one in of_pair):
            follows[keys] = 1.0, START + max(one.begin for one in of_pair)
        else:
            ended[keys] = START + max(max(one.begin, one.end or 0) for one in of_pair)
    return follows, ended


@pytest.mark.parametrize("examples", [40, pytest.param(600, marks=pytest.mark.long)])
def test_any_order_any_batches_and_repeats_give_the_same(store: Store, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(lives(), st.integers(0, 2**32))
    def try_one(records: list[Life], seed: int) -> None:
        events = []
        for one in records:
            a, b = one.pair
            events.append(created(one.record, a, b, START + one.begin))
            if one.end is not None:
                pair = {"follower": a, "followee": b} if one.named else {}
                events.append(deleted(one.record, START + one.end, **pair))
        draw = random.Random(seed)
        found = []
        for _ in range(2):
            clear(store)
            order = events + draw.choices(events, k=len(events) // 2)
            draw.shuffle(order)
            while order:
                size = draw.randint(1, len(order))
                say(store, *order[:size])
                order = order[size:]
            found.append(kept(store))
        assert found[0][:2] == tuple(dict(sorted(one.items())) for one in standing(records))
        assert found[0] == found[1]

    try_one()


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.long)])
def test_without_times_what_came_last_of_a_record_first_stands(store: Store, examples: int) -> None:
    """As ActivityPub tells: no times, some again later, several in a body; each pair has one record at a time."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(pairs, min_size=1, max_size=14), st.integers(0, 2**32))
    def try_one(toggled: list[tuple[str, str]], seed: int) -> None:
        draw = random.Random(seed)
        live: dict[tuple[str, str], str] = {}
        told: list[Event] = []
        for number, (a, b) in enumerate(toggled):
            pair = {"follower": a, "followee": b}
            if (a, b) in live:
                named = draw.choice([{}, pair])
                told.append({"type": "follow.deleted", "data": {"record": live.pop((a, b)), **named}})
            else:
                live[a, b] = f"r{number}"
                told.append({"type": "follow.created", "data": {"record": f"r{number}", **pair}})
            if draw.random() < 0.3:
                told.append(draw.choice(told))
        clear(store)
        at = NOW
        while told:
            size = draw.randint(1, len(told))
            say(store, *told[:size], received_at=at)
            told, at = told[size:], at + size
        assert edges(store).keys() == {(f"t:{a}", f"t:{b}") for a, b in live}

    try_one()


def test_a_follow_lasts_as_long_as_one_of_its_records_unless_the_two_are_named(store: Store) -> None:
    pair = {"follower": "a", "followee": "b"}
    follows = [created(f"r{n}", "a", "b", START + n) for n in (1, 2, 3)]
    say(store, *follows, deleted("r3", START + 5))
    assert edges(store) == {("t:a", "t:b"): (1.0, START + 3)}
    say(store, deleted("r2", START + 6, **pair))
    assert (edges(store), unfollows(store)) == ({}, {("t:a", "t:b"): START + 6})
    say(store, *follows, deleted("r3", START + 9, **pair))
    assert unfollows(store) == {("t:a", "t:b"): START + 6}, "that it had ended was known"
    say(store, created("r4", "a", "b", START + 6))
    assert edges(store) == {}, "until then"
    say(store, created("r5", "a", "b", START + 7))
    assert edges(store) == {("t:a", "t:b"): (1.0, START + 7)}


def test_beside_records_the_other_rules_hold(store: Store) -> None:
    """A complete list, and an unfollow that names the two, end what began before them, whatever a record says."""
    say(store, created("r1", "a", "b", START + 5))
    say(store, {"type": "follow.snapshot", "data": {"account": "b", "followers": ["c"], "complete": True,
                                                    "at": START + 9}})  # fmt: skip
    assert edges(store).keys() == {("t:c", "t:b")}
    say(store, created("r1", "a", "b", START + 5), created("r2", "a", "b", START + 7))
    assert edges(store).keys() == {("t:c", "t:b")}
    say(store, created("r3", "a", "b", START + 9))
    assert edges(store).keys() == {("t:c", "t:b"), ("t:a", "t:b")}
    say(store, {"type": "follow.deleted", "data": {"follower": "a", "followee": "b", "at": START + 20}})
    assert edges(store).keys() == {("t:c", "t:b")}
    say(store, created("r4", "a", "b", START + 15))
    assert edges(store).keys() == {("t:c", "t:b")}
    say(store, created("r5", "a", "b", START + 21), deleted("r5", START + 22), created("r6", "a", "b", START + 3))
    assert edges(store).keys() == {("t:c", "t:b"), ("t:a", "t:b")}


def test_in_one_body_the_later_of_two_without_times_stands(store: Store, tmp_path: Path) -> None:
    """Also without records: follow, unfollow and follow again, as they stand there."""
    pair = {"follower": "a", "followee": "b"}
    follow, end = ({"type": f"follow.{what}", "data": pair} for what in ("created", "deleted"))
    say(store, follow, end, follow)
    assert edges(store) == {("t:a", "t:b"): (1.0, NOW + 2)}
    say(store, follow, end, received_at=NOW + 10)
    assert edges(store) == {}
    with Journal(tmp_path) as journal:
        journaled(journal, end, follow, end, now=NOW + 20)
        written(store, journal)
    assert edges(store) == {}, "the second end is not a repeat of the first"


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.long)])
def test_without_times_or_records_what_came_last_stands(store: Store, tmp_path: Path, examples: int) -> None:
    """However deliveries are put together into transactions."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([("a", "b"), ("b", "a")])), min_size=1, max_size=12),
           st.integers(0, 2**32))  # fmt: skip
    def try_one(told: list[tuple[bool, tuple[str, str]]], seed: int) -> None:
        draw = random.Random(seed)
        clear(store)
        events = [{"type": "follow.created" if follows else "follow.deleted",
                   "data": {"follower": a, "followee": b}} for follows, (a, b) in told]  # fmt: skip
        with Journal(tmp_path / f"j{seed}-{draw.random()}") as journal:
            writer = Writer(store, journal)
            at, left = NOW, events
            while left:
                size = draw.randint(1, len(left))
                journaled(journal, *left[:size], now=at)
                left, at = left[size:], at + size
                if draw.random() < 0.3:
                    writer.turn()
            while writer.turn():
                pass
        stands = {pair: follows for follows, pair in told}
        assert edges(store).keys() == {(f"t:{a}", f"t:{b}") for (a, b), follows in stands.items() if follows}

    try_one()


def test_whom_very_many_follow_costs_no_more_than_others(store: Store) -> None:
    """Looks at the database, not time: of a pair, and of a record, only what belongs to it is looked at."""
    stars = [Statement("follow_records", (f"r{i}", f"t:u{i}", "t:star"), (1.0,), 1_000) for i in range(3_000)]
    chain = [Statement("follow_records", (f"s{i}", f"t:u{i}", f"t:u{i + 1}"), (1.0,), 1_000) for i in range(2_999)]
    apply_batch(store, "follow_records", stars + chain)
    rows = store.statement("MATCH (a:Account) WHERE a.key IN ['t:star', 't:u5'] RETURN id(a) AS id ORDER BY a.key")
    pair = {"followers": [rows[1]["id"]], "followees": [rows[0]["id"]]}
    said = {"begun": [5], "ended": [-1], "weights": [1.0], "ends_pair": [False]}
    for name, parameters in (
        ("of_pairs", pair), ("ended_pairs", pair), ("known", {"records": ["r5"]}), ("pending", {"records": ["r5"]}),
        ("change", {"records": ["r5"], **pair, **said}),
        ("create", {"records": ["new"], **pair, **said}),
    ):  # fmt: skip
        text = (bundled("cypher") / "follow_records" / f"{name}.cypher").read_text(encoding="utf-8")
        with store._session() as session:
            profile = session.run("PROFILE " + text, parameters).consume().profile  # type: ignore[arg-type]
        assert profile is not None
        assert _looks(profile) < 100, name


def _looks(profile: dict[str, Any]) -> int:
    return int(profile["args"].get("DbHits", 0)) + sum(map(_looks, profile.get("children", [])))
