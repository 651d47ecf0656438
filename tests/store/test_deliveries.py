"""From journal to graph: groups in one transaction, crashes between the two, poison, and any order of events."""

from __future__ import annotations

import itertools
import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain import JournalMark, NewDelivery
from service.errors import StoreRefused, StoreUnavailable
from service.files.events import EventSource, read_events
from service.flows import writing
from service.flows.receiving import dead_items, delivery_id
from service.flows.writing import Writer, grouped
from service.journal.journal import Journal
from service.store.changes import apply_deliveries, journal_mark
from service.store.driver import Store
from service.store.snapshots import read_snapshot
from tests.conftest import clear
from tests.plain_events import Event, PlainGraph
from tests.store.graph_dump import dump, graph_version

NOW = 1_750_000_000_000
_NUMBERS = itertools.count()


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal(tmp_path / "journal") as journal:
        yield journal


def journaled(journal: Journal, *events: Event, name: str | None = None, now: int = NOW) -> int:
    """Put a delivery into the journal as the receiver does; return its sequence."""
    items = read_events(list(events), EventSource("s", "t"), now)
    webhook_id = name or f"m{next(_NUMBERS)}"
    body = json.dumps(events).encode()
    new = NewDelivery(
        delivery_id("s", webhook_id), "s", "t", webhook_id, body, now, sum(one.code is None for one in items), body,
        dead_items(items),
    )  # fmt: skip
    return journal.append([new])[0].sequence


def follow(a: str, b: str, at: int, kind: str = "created", **more: Any) -> Event:
    return {"type": f"follow.{kind}", "timestamp": at, "data": {"follower": a, "followee": b, **more}}


def written(store: Store, journal: Journal) -> None:
    writer = Writer(store, journal)
    while writer.turn():
        pass


def edges(store: Store) -> tuple[dict[tuple[str, str], tuple[int, float]], dict[tuple[str, str], int]]:
    """Follows and tombstones as the graph has them."""
    rows = store.statement(
        "MATCH (a:Account)-[r:FOLLOWS|UNFOLLOWED]->(b:Account) "
        "RETURN a.key AS a, b.key AS b, type(r) AS type, r.at.epochMillis AS at, r.weight AS weight"
    )
    follows = {(row["a"], row["b"]): (row["at"], row["weight"]) for row in rows if row["type"] == "FOLLOWS"}
    assert len(rows) == len({(row["a"], row["b"]) for row in rows}), "a pair has one relationship only"
    return follows, {(row["a"], row["b"]): row["at"] for row in rows if row["type"] == "UNFOLLOWED"}


def test_what_is_journaled_is_in_the_graph_once_and_the_mark_with_it(store: Store, journal: Journal) -> None:
    journaled(journal, follow("1", "2", 100), follow("2", "3", 100, weight=2))
    last = journaled(journal, follow("1", "2", 90, "deleted"), follow("3", "1", 100))
    written(store, journal)
    assert edges(store) == (
        {("t:1", "t:2"): (100_000, 1.0), ("t:2", "t:3"): (100_000, 2.0), ("t:3", "t:1"): (100_000, 1.0)},
        {},
    )
    mark = journal_mark(store, journal.id)
    assert mark is not None
    assert mark.applied == last == journal.applied_up_to()
    assert graph_version(store) == 1, "both deliveries are one transaction"
    assert [(one.state, one.version) for one in journal.deliveries(None, None, 99, 9)] == [("applied", 1)] * 2


def test_a_crash_before_the_journal_knows_applies_nothing_twice(store: Store, journal: Journal) -> None:
    journaled(journal, follow("1", "2", 100))
    [one] = journal.pending(10, 10**6)
    items = read_events(json.loads(one.body), EventSource("s", "t"), one.received_at)
    apply_deliveries(store, grouped(items), JournalMark(journal.id, one.sequence, one.token))
    before = dump(store), graph_version(store)
    assert journal.applied_up_to() == 0
    written(store, journal)
    assert journal.applied_up_to() == 1
    assert (dump(store), graph_version(store)) == before


def test_a_journal_that_was_put_back_loses_nothing_that_is_acknowledged_afterwards(
    store: Store, journal: Journal, tmp_path: Path
) -> None:
    """The graph's mark is ahead of the sequence of new deliveries, and must not make them look applied."""
    for i in range(3):
        journaled(journal, follow(f"{i}", "9", 100))
    written(store, journal)
    with Journal(tmp_path / "other") as other:
        other._db.execute("UPDATE meta SET value = ? WHERE key = 'id'", (journal.id,))
        other.id = journal.id
        journaled(other, follow("7", "9", 100))
        written(store, other)
        assert ("t:7", "t:9") in edges(store)[0]
        assert other.applied_up_to() == 1


def test_events_that_the_graph_refuses_are_dead_letters_and_spoil_no_other(
    store: Store, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = writing.apply_deliveries, writing.try_deliveries

    def refusing(do: Any) -> Any:
        def wrapped(store: Store, groups: dict[str, Any], *rest: Any) -> Any:
            if "follows" in groups and {"t:bad", "t:worse"} & {*groups["follows"].keys}:
                raise StoreRefused("This is poison.")
            return do(store, groups, *rest)

        return wrapped

    monkeypatch.setattr(writing, "apply_deliveries", refusing(real[0]))
    monkeypatch.setattr(writing, "try_deliveries", refusing(real[1]))
    journaled(journal, follow("1", "2", 100), name="before")
    many = [follow(f"{i}", "z", 100) for i in range(20)]
    many[7:7] = [follow("bad", "z", 100)]
    many[15:15] = [follow("worse", "z", 100), {"type": "nonsense"}]
    journaled(journal, *many, name="mixed")
    journaled(journal, follow("bad", "1", 100), name="all dead")
    journaled(journal, follow("3", "4", 100), name="after")
    written(store, journal)
    follows, _ = edges(store)
    assert len(follows) == 22
    outcomes = {one.webhook_id: one for one in journal.deliveries(None, None, 99, 9)}
    assert {name: one.state for name, one in outcomes.items()} == {
        "before": "applied", "mixed": "applied", "all dead": "dead", "after": "applied",
    }  # fmt: skip
    dead = outcomes["mixed"].dead_letters
    assert [(one.index, one.code) for one in dead] == [(7, "refused"), (15, "refused"), (16, "unknown_type")]
    assert journal.applied_up_to() == 4
    monkeypatch.setattr(writing, "apply_deliveries", real[0])
    monkeypatch.setattr(writing, "try_deliveries", real[1])
    again = journal.replay(outcomes["mixed"].id, {})
    assert again is not None
    assert again[2] == 3
    assert journal.replay(outcomes["mixed"].id, {}) is None, "they are replayed already"
    written(store, journal)
    assert {("t:bad", "t:z"), ("t:worse", "t:z")} <= edges(store)[0].keys()
    replayed = journal.delivery(again[0])
    assert (replayed.state, replayed.replay_of) == ("applied", outcomes["mixed"].id)
    assert [one.code for one in replayed.dead_letters] == ["unknown_type"]


def test_poison_is_found_in_a_real_transaction(store: Store, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neo4j itself refuses: an integer beyond 64 bits cannot be packed, a bad parameter fails a statement."""
    real = read_events

    def spoiled(events: list[Any], source: EventSource, received_at: int) -> Any:
        items = real(events, source, received_at)
        for item in items:
            if isinstance(item.event, dict) and item.event["data"].get("spoil"):
                item.said[0] = item.said[0]._replace(at=2**70)  # type: ignore[union-attr]
        return items

    monkeypatch.setattr(writing, "read_events", spoiled)
    journaled(journal, *(follow(f"{i}", "z", 100, spoil=i == 5) for i in range(11)))
    written(store, journal)
    assert len(edges(store)[0]) == 10
    [one] = journal.deliveries(None, None, 99, 9)
    assert [(item.index, item.code) for item in one.dead_letters] == [(5, "refused")]


def test_while_neo4j_is_away_deliveries_wait(store: Store, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journaled(journal, follow("1", "2", 100))

    def away(*_: Any) -> Any:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(writing, "apply_deliveries", away)
        writer = Writer(store, journal)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                writer.turn()
    assert journal.applied_up_to() == 0
    written(store, journal)
    assert len(edges(store)[0]) == 1


def test_several_machines_write_to_one_graph(store: Store, tmp_path: Path) -> None:
    """Each has a journal and a writer of its own; what they say of the same pairs comes together."""
    rng = random.Random(3)
    plain, errors = PlainGraph(), list[BaseException]()

    def machine(folder: Path, deliveries: list[list[Event]]) -> None:
        try:
            with Journal(folder) as own, Store(store.address) as connection:
                writer = Writer(connection, own)
                for events in deliveries:
                    journaled(own, *events)
                    writer.turn()
                while writer.turn():
                    pass
                assert own.applied_up_to() == len(deliveries)
        except BaseException as error:
            errors.append(error)

    threads = []
    for number in range(3):
        deliveries = []
        for _ in range(15):
            pairs = [rng.sample(range(12), 2) for _ in range(5)]
            kinds = rng.choices(["created", "created", "deleted"], k=5)
            events = [
                follow(str(a), str(b), rng.randint(1, 50), kind) for (a, b), kind in zip(pairs, kinds, strict=True)
            ]
            for event in events:
                plain.add(event)
            deliveries.append(events)
        threads.append(threading.Thread(target=machine, args=(tmp_path / str(number), deliveries)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert edges(store) == plain.standing()
    assert store.statement("MATCH (j:Journal) RETURN count(j) AS n") == [{"n": 3}]


NAMES = ("a", "b", "c")
PAIRS = [(a, b) for a, b in itertools.product(NAMES, NAMES) if a != b]


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Events of few accounts at few times, so that they collide."""
    times = st.integers(1, 5)
    single = st.builds(
        lambda pair, at, kind, weight: follow(*pair, at, kind, **({"weight": weight} if kind == "created" else {})),
        st.sampled_from(PAIRS), times, st.sampled_from(["created", "deleted"]), st.sampled_from([1.0, 2.0]),
    )  # fmt: skip
    snapshots = st.builds(
        lambda account, followers, complete, at: {
            "type": "follow.snapshot", "timestamp": at,
            "data": {"account": account, "followers": sorted(followers - {account}), "complete": complete},
        },
        st.sampled_from(NAMES), st.frozensets(st.sampled_from(NAMES)), st.booleans(), times,
    )  # fmt: skip
    return draw(st.lists(st.one_of(single, single, snapshots), min_size=1, max_size=12))


def write_anyhow(
    store: Store, journal: Journal, events: list[Event], rng: random.Random, *, repeats: int, most: int
) -> None:
    """Into an empty graph: events shuffled, some repeated, in deliveries of at most so many, several a transaction."""
    sent = events + rng.choices(events, k=repeats)
    rng.shuffle(sent)
    clear(store)
    while sent:
        size = rng.randint(1, most)
        journaled(journal, *sent[:size])
        sent = sent[size:]
        if rng.random() < 0.5:
            written(store, journal)
    written(store, journal)


def check_any_order(store: Store, journal: Journal, events: list[Event], seed: int) -> None:
    """Shuffled, repeated and split anyhow, the graph is what the plain model says."""
    rng = random.Random(seed)
    plain = PlainGraph()
    for event in events:
        plain.add(event)
    write_anyhow(store, journal, events, rng, repeats=len(events) // 2, most=4)
    assert edges(store) == plain.standing()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=event_lists(), seed=st.integers(0, 2**32))
def test_events_in_any_order_and_multiplicity_end_in_the_same_graph(
    store: Store, journal: Journal, events: list[Event], seed: int
) -> None:
    check_any_order(store, journal, events, seed)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=event_lists(), seed=st.integers(0, 2**32))
def test_many_more_events_in_any_order(store: Store, journal: Journal, events: list[Event], seed: int) -> None:
    check_any_order(store, journal, events, seed)


def test_every_kind_of_event_in_any_order(store: Store, journal: Journal) -> None:
    """One life of a graph, in time order, and twenty shuffles of it with repeats: the same to the last property."""
    day = 86_400
    data: list[tuple[str, int, dict[str, Any]]] = [
        ("account.upserted", 1, {"account": "1", "handle": "lea", "followers": 10}),
        ("account.upserted", 5, {"account": "1", "handle": "lea.m"}),
        ("follow.created", 2, {"follower": "1", "followee": "2"}),
        ("follow.deleted", 4, {"follower": "1", "followee": "2"}),
        ("follow.created", 6, {"follower": "1", "followee": "2", "weight": 3}),
        ("follow.snapshot", 5, {"account": "2", "followers": ["3", "4"], "complete": True}),
        ("follow.created", 3, {"follower": "5", "followee": "2"}),
        ("interaction.recorded", 3, {"id": "e1", "account": "1", "target": "2", "kind": "like", "post": "p"}),
        ("interaction.recorded", 3, {"id": "e2", "account": "1", "target": "2", "kind": "reply"}),
        ("interaction.recorded", day, {"id": "e3", "account": "1", "target": "2", "kind": "repost", "post": "p"}),
        ("post.published", 2, {"post": "p", "account": "2", "kind": "text", "topics": ["jazz"],
                               "mentions": [{"brand": "b", "stance": 1}]}),
        ("post.published", 7, {"post": "p", "topics": ["blues"], "mentions": [{"brand": "b", "stance": -1}, "c"]}),
        ("brand_relation.set", 2, {"account": "1", "brand": "b", "relation": "customer", "since": 1}),
        ("brand_relation.removed", 4, {"account": "1", "brand": "b", "relation": "customer"}),
        ("brand_relation.set", 6, {"account": "1", "brand": "b", "relation": "customer"}),
        ("brand_relation.removed", 9, {"account": "3", "brand": "b", "relation": "employee"}),
        ("endorsement.given", 2, {"account": "1", "endorsed": "2", "topic": "jazz"}),
        ("endorsement.withdrawn", 3, {"account": "1", "endorsed": "2", "topic": "jazz"}),
        ("account.opted_out", 3, {"account": "4"}),
        ("account.opted_out", 4, {"account": "4", "opted_out": False}),
        ("account.erased", 8, {"account": "5"}),
    ]  # fmt: skip
    events = [{"type": kind, "timestamp": at, "data": given} for kind, at, given in sorted(data, key=lambda e: e[1])]
    journaled(journal, *events, name="in order")
    written(store, journal)
    expected = dump(store)
    assert ("Topic", "jazz", [("name", "'jazz'")]) not in expected, "no post is about it any more"
    [relation] = store.statement(
        "MATCH (:Account {key: 't:1'})-[r:CUSTOMER_OF]->() RETURN r.until.year AS until, r.since.epochMillis AS since"
    )
    assert relation == {"until": 9999, "since": 1000}, "set again after it was removed: it lasts"
    [erased] = store.statement(
        "MATCH (a:Account {key: 't:5'}) RETURN a.opted_out AS out, a.erasure_asked_at.epochMillis AS at"
    )
    assert erased == {"out": True, "at": 8000}
    [counts] = store.statement("MATCH ()-[e:ENGAGED {day: date('1970-01-01')}]->() RETURN e.likes AS l, e.replies AS r")
    assert counts == {"l": 1, "r": 1}
    for seed in range(20):
        rng = random.Random(seed)
        write_anyhow(store, journal, events, rng, repeats=6, most=8)
        assert dump(store) == expected, seed


@pytest.mark.parametrize("deliveries", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_many_deliveries_shuffled_with_duplicates_and_unfollows(
    store: Store, journal: Journal, deliveries: int
) -> None:
    rng = random.Random(7)
    plain = PlainGraph()
    sent = []
    accounts = deliveries // 20
    for i in range(deliveries):
        a, b = rng.sample(range(accounts), 2)
        event = follow(str(a), str(b), rng.randint(1, 1_000), "deleted" if rng.random() < 0.25 else "created")
        plain.add(event)
        sent.append((f"m{i}", event))
    sent += rng.choices(sent, k=deliveries * 3 // 7)  # 30% of what is sent are duplicates
    rng.shuffle(sent)
    writer = Writer(store, journal)
    for at in range(0, len(sent), 500):
        new = []
        for name, event in sent[at : at + 500]:
            body = json.dumps(event).encode()
            new.append(NewDelivery(delivery_id("s", name), "s", "t", name, body, NOW, 1, body))
        assert all(receipt.same_body for receipt in journal.append(new))
        if rng.random() < 0.2:
            writer.turn()
    while writer.turn():
        pass
    assert edges(store) == plain.standing()
    assert len(journal.deliveries(None, None, 2**62, 10**7)) == deliveries


def test_a_relation_that_lasts_has_no_end_for_an_analysis(store: Store, journal: Journal) -> None:
    given = {"account": "1", "brand": "b", "relation": "customer"}
    journaled(journal, {"type": "brand_relation.set", "timestamp": 1, "data": given})
    ended = {**given, "account": "2"}
    journaled(journal, {"type": "brand_relation.set", "timestamp": 1, "data": ended})
    journaled(journal, {"type": "brand_relation.removed", "timestamp": 5, "data": ended})
    written(store, journal)
    assert sorted(read_snapshot(store).brands.until.tolist()) == [-1, 5_000]
