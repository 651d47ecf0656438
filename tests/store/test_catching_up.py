"""Graphs kept between analyses: caught up with what changed, they are what reading everything gives."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.analytics.graph import build_graph, columns_of
from service.content.words import read_text
from service.domain import DAY_MS, Changes, ErasureRequest, Follow, Graph, ReadText, no_progress
from service.flows import snapshots as flow
from service.flows.snapshots import read_graph
from service.records import THINGS, Statement
from service.store import erasures
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import apply_follows, apply_unfollows
from service.store.snapshots import Held, read_changes, read_snapshot
from service.store.things import apply_statements
from tests.store.test_snapshots import endorse, engage
from tests.unit.analytics_graphs import assert_equal, endorsed_in, topics_in


def read_whole(store: Store) -> Graph:
    return build_graph(read_snapshot(store, read_text=read_text))


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each graph came: `kept`, `changes` or `all`, in turn; entries are added as graphs are read."""
    taken: list[str] = []

    def noted(way: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            taken.append(way)
            return function(*given)

        return call

    for name, way in (("load", "kept"), ("read_changes", "changes"), ("read_snapshot", "all")):
        monkeypatch.setattr(flow, name, noted(way, getattr(flow, name)))
    return taken


def caught_up(store: Store, kept: Path, ways: list[str]) -> tuple[Graph, str]:
    ways.clear()
    graph = read_graph(store, kept, no_progress)
    return graph, ways[-1]


TOPICS = ["jardin", "slow food", "vélo", "thé"]


def post(store: Store, key: str, at: int, **said: object) -> None:
    """Say something about a post: its `account`, its `topics`."""
    values = tuple(said.get(field) for field in THINGS["posts"].fields)
    apply_statements(store, THINGS["posts"], [Statement("posts", (key,), values, at)])


def respond(store: Store, account: str, key: str, kind: str, at: int) -> None:
    apply_statements(store, THINGS["responses"], [Statement("responses", (account, key, kind, at), (), at)])


def base(store: Store, count: int = 300) -> None:
    rng = random.Random(5)
    pairs = {(rng.randrange(60), rng.randrange(60)) for _ in range(count)}
    apply_follows(store, [Follow(f"t:{a}", f"t:{b}", 1.0, 1_000 + a) for a, b in pairs if a != b])
    engage(store, [(f"t:{a}", f"t:{b}", 100 + a, (1, 0, 2, 0)) for a, b in pairs if a < b])


def topics_counted(store: Store) -> list[tuple[str, str, int]]:
    """Topics of accounts anew, in plain Python: the posts that each wrote or shared, each post once."""
    rows = store.statement(
        "MATCH (a:Account)-[r]->(p:Post)-[:ABOUT]->(t:Topic) "
        "RETURN a.key AS account, type(r) AS type, r.kind AS kind, p.key AS post, t.name AS topic"
    )
    pairs = {
        (row["account"], row["topic"], row["post"])
        for row in rows
        if row["type"] == "POSTED" or (row["type"], row["kind"]) == ("RESPONDED", "repost")
    }
    counts: Counter[tuple[str, str]] = Counter((account, topic) for account, topic, _ in pairs)
    return sorted((account, topic, count) for (account, topic), count in counts.items())


def test_topics_of_accounts_are_caught_up(
    store: Store, tmp_path: Path, ways: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Posts that come, change topics, lose them, change authors, or are shared: as if all were read anew."""
    base(store)
    rng = random.Random(11)
    for number in range(20):
        post(store, f"t:p{number}", 1_000, account=f"t:{number % 12}", topics=tuple(sorted(rng.sample(TOPICS, 2))))
    assert caught_up(store, tmp_path, ways)[1] == "all"
    seen = set()
    for turn in range(25):
        for _ in range(rng.randrange(1, 4)):
            account, key = f"t:{rng.randrange(14)}", f"t:p{rng.randrange(24)}"
            match rng.randrange(6):
                case 0:
                    post(store, key, 2_000 + turn, topics=tuple(sorted(rng.sample(TOPICS, rng.randrange(1, 4)))))
                case 1:
                    post(store, key, 2_000 + turn, topics=())
                case 2 | 3:
                    post(store, key, 2_000 + turn, account=account)
                case 4:
                    respond(store, account, key, "repost", 3_000 + turn)
                case 5:
                    respond(store, account, key, "like", 3_000 + turn)
        graph, way = caught_up(store, tmp_path, ways)
        seen.add(way)
        assert_equal(graph, read_whole(store))
        assert topics_in(graph) == topics_counted(store)
    assert seen <= {"changes", "kept"}
    assert caplog.records == []


def test_who_lost_a_post_is_read_anew(store: Store, tmp_path: Path, ways: list[str]) -> None:
    """The post is another's now, and nothing but the mark on the earlier author says that it was theirs."""
    base(store)
    post(store, "t:p", 1_000, account="t:1", topics=("vélo",))
    assert topics_in(caught_up(store, tmp_path, ways)[0]) == [("t:1", "vélo", 1)]
    post(store, "t:p", 2_000, account="t:2")
    graph, way = caught_up(store, tmp_path, ways)
    assert (topics_in(graph), way) == ([("t:2", "vélo", 1)], "changes")
    post(store, "t:p", 3_000, topics=())
    graph, way = caught_up(store, tmp_path, ways)
    assert (topics_in(graph), list(graph.topic_names), way) == ([], [], "changes")


def test_where_very_many_posts_came_all_is_read(store: Store, tmp_path: Path, ways: list[str]) -> None:
    base(store)
    read_graph(store, tmp_path, no_progress)
    said = [
        Statement("posts", (f"t:p{i}",), tuple({"account": "t:1"}.get(field) for field in THINGS["posts"].fields), 1)
        for i in range(100)
    ]
    apply_statements(store, THINGS["posts"], said)
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "all"
    assert_equal(graph, read_whole(store))


def test_any_sequence_of_changes(
    store: Store, tmp_path: Path, ways: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    base(store)
    rng = random.Random(7)
    assert caught_up(store, tmp_path, ways)[1] == "all"
    for turn in range(12):
        for _ in range(rng.randrange(1, 4)):
            a, b = (f"t:{number}" for number in rng.sample(range(70), 2))
            match rng.randrange(9):
                case 0:
                    apply_follows(store, [Follow(a, b, rng.choice([1.0, 2.5]), 2_000 + turn)])
                case 1:
                    apply_follows(store, [Follow(a, b, 1.0, None)])
                case 2:
                    rows = store.statement("MATCH (a)-[:FOLLOWS]->(b) RETURN a.key AS a, b.key AS b ORDER BY a, b")
                    pair = rng.choice(rows)
                    apply_unfollows(store, [Statement("unfollows", (pair["a"], pair["b"]), (), 3_000 + turn)])
                case 3:
                    engage(store, [(a, b, 100 + turn * 30, (0, turn, 0, 1))])
                case 4:
                    handle = Statement(
                        "accounts", (a,), account_values(handle=f"h{turn}", followers=turn), 4_000 + turn
                    )
                    apply_statements(store, THINGS["accounts"], [handle])
                case 5:
                    apply_statements(
                        store, THINGS["accounts"], [Statement("accounts", (a,), account_values(opted_out=True), 5_000)]
                    )
                case 6:
                    store.statement(
                        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 WITH g MATCH (a:Account {key: $a}) "
                        "MERGE (b:Brand {key: $brand}) SET b.v = g.v MERGE (a)-[r:CUSTOMER_OF]->(b) SET r.v = g.v",
                        a="t:1", brand=f"brand{turn}",
                    )  # fmt: skip
                case 7:
                    endorse(store, a, b, rng.choice(["", "tea"]), 6_000 + turn)
                case 8:
                    rows = store.statement(
                        "MATCH (a)-[r:ENDORSES]->(b) RETURN a.key AS a, b.key AS b, r.topic AS topic"
                    )
                    if rows:
                        one = min(rows, key=lambda row: tuple(row.values()))
                        endorse(store, one["a"], one["b"], one["topic"], 7_000 + turn, withdrawn=True)
        graph, way = caught_up(store, tmp_path, ways)
        assert way in ("changes", "kept")  # kept where nothing really changed
        assert_equal(graph, read_whole(store))
    assert caught_up(store, tmp_path, ways)[1] == "kept"
    assert caplog.records == []


def test_endorsements_of_an_erased_account_go_with_it(store: Store, tmp_path: Path, ways: list[str]) -> None:
    with Store(replace(store.address, erasure_keys=lambda: (b"k" * 32,))) as own:
        base(own)
        endorse(own, "t:1", "t:2", "", 5_000)
        endorse(own, "t:3", "t:1", "", 5_000)
        endorse(own, "t:3", "t:2", "tea", 5_001)
        assert len(endorsed_in(caught_up(own, tmp_path, ways)[0])) == 3
        erasures.begin(own, ErasureRequest(erasures.id_of(own.address.erasure_keys, "t:1"), "t:1", None, 6_000))
        [pending] = erasures.pending(own)
        while erasures.remove_some_ties(own, pending):
            pass
        assert endorsed_in(caught_up(own, tmp_path, ways)[0]) == [("t:3", "t:2", 5_001)]
        erasures.remove_account(own, pending)
        graph, _ = caught_up(own, tmp_path, ways)
        assert endorsed_in(graph) == [("t:3", "t:2", 5_001)]
        assert_equal(graph, read_whole(own))


def account_values(**said: object) -> tuple[object, ...]:
    return tuple(said.get(field) for field in THINGS["accounts"].fields)


def test_columns_build_the_same_graph(store: Store) -> None:
    base(store)
    post(store, "t:p", 1_000, account="t:1", topics=("vélo", "é"))
    graph = read_whole(store)
    assert topics_in(graph) == [("t:1", "vélo", 1), ("t:1", "é", 1)]
    assert_equal(build_graph(columns_of(graph)), graph)


def test_where_very_much_changed_all_is_read(store: Store, tmp_path: Path, ways: list[str]) -> None:
    base(store)
    read_graph(store, tmp_path, no_progress)
    engage(store, [(f"t:{a}", f"t:{a + 1}", 500, (1, 0, 0, 0)) for a in range(59)])
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "all"
    assert_equal(graph, read_whole(store))


@pytest.mark.parametrize(
    "around",
    [
        "MATCH (:Account)-[f:FOLLOWS]->(:Account) WITH f LIMIT 1 DELETE f",
        "MATCH (:Account)-[e:ENGAGED]->(:Account) WITH e LIMIT 1 DELETE e",
        "MATCH (a:Account) WITH a LIMIT 1 DETACH DELETE a",
        "MATCH (a:Account {key: 't:1'}), (b:Account {key: 't:59'}) CREATE (a)-[:FOLLOWS {weight: 3.0}]->(b)",
    ],
)
def test_what_was_written_around_the_service_is_noticed(
    store: Store, tmp_path: Path, around: str, caplog: pytest.LogCaptureFixture
) -> None:
    base(store)
    apply_unfollows(store, [Statement("unfollows", ("t:1", "t:59"), (), 9_000)])
    read_graph(store, tmp_path, no_progress)
    store.statement(around)
    with caplog.at_level(logging.WARNING):
        graph = read_graph(store, tmp_path, no_progress)
    assert ["written around Entourage" in record.getMessage() for record in caplog.records] == [True]
    assert_equal(graph, read_whole(store))
    caplog.clear()
    assert_equal(read_graph(store, tmp_path, no_progress), graph)
    assert caplog.records == [], "once it was read whole, it is known"


def test_what_is_kept_of_another_graph_or_of_a_later_version_is_not_used(
    store: Store, tmp_path: Path, ways: list[str]
) -> None:
    base(store)
    apply_follows(store, [Follow("t:1", "t:59", 1.0, 9_999)])
    read_graph(store, tmp_path, no_progress)
    # As after a restore from an older backup.
    store.statement("MATCH (g:Graph {id: 1}) SET g.v = 1")
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "all"
    assert graph.version == 1
    # As when the graph was emptied and filled anew.
    store.statement("MATCH (g:Graph) SET g = {id: 1, v: g.v, n: g.n}")
    assert caught_up(store, tmp_path, ways)[1] == "all"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_damaged_or_deleted_is_read_again(
    store: Store, tmp_path: Path, ways: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    base(store)
    first = read_graph(store, tmp_path, no_progress)
    [array] = tmp_path.glob("*/*/out_idx.npy")
    array.write_bytes(array.read_bytes()[:-4])
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "all"
    assert_equal(graph, first)
    assert len(caplog.records) == 1
    assert caught_up(store, tmp_path, ways)[1] == "kept"


def test_writers_while_it_catches_up(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written between the first look and the lock is in the graph, too."""
    base(store)
    read_graph(store, tmp_path, no_progress)
    apply_follows(store, [Follow("t:1", "t:2", 1.0, 7_000)])

    def later(own: Store, after: int, read: ReadText) -> tuple[Changes, Held]:
        apply_unfollows(store, [Statement("unfollows", ("t:1", "t:2"), (), 8_000)])
        apply_follows(store, [Follow("t:2", "t:1", 1.0, 8_001)])
        return read_changes(own, after, read)

    monkeypatch.setattr(flow, "read_changes", later)
    graph = read_graph(store, tmp_path, no_progress)
    assert_equal(graph, read_whole(store))
    assert graph.as_of == read_whole(store).as_of


def test_what_a_complete_list_of_followers_ends_is_caught_up(store: Store, tmp_path: Path, ways: list[str]) -> None:
    base(store, 900)
    assert caught_up(store, tmp_path, ways)[1] == "all"
    before = store.statement("MATCH ()-[f:FOLLOWS]->() RETURN count(f) AS n")[0]["n"]
    lists = [Statement("complete_followers", (f"t:{b}",), (), 1_040) for b in range(2)]
    apply_batch(store, "complete_followers", lists)
    apply_follows(store, [Follow("t:new", "t:0", 1.0, 1_010), Follow("t:new", "t:1", 1.0, 1_040)])
    kinds = {
        row["type"]: row["n"]
        for row in store.statement("MATCH (:Account {key: 't:new'})-[r]->() RETURN type(r) AS type, count(r) AS n")
    }
    assert kinds == {"UNFOLLOWED": 1, "FOLLOWS": 1}
    after = store.statement("MATCH ()-[f:FOLLOWS]->() RETURN count(f) AS n")[0]["n"]
    assert after < before - 5
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "changes"
    assert_equal(graph, read_whole(store))


@pytest.mark.parametrize("list_first", [True, False])
def test_a_list_of_followers_does_not_say_since_when(
    store: Store, tmp_path: Path, ways: list[str], list_first: bool
) -> None:
    """Whoever is in it follows, and nobody knows since when; whoever came later, since then. In any order."""
    base(store)
    apply_follows(store, [Follow(f"t:{b}", "t:0", 1.0, 3 * DAY_MS) for b in (1, 2)])
    assert caught_up(store, tmp_path, ways)[1] == "all"
    named = [Follow(f"t:{b}", "t:0", 1.0, 10 * DAY_MS) for b in (1, 3)] + [Follow("t:4", "t:0", 1.0, 11 * DAY_MS)]
    steps: list[Callable[[], object]] = [
        lambda: apply_batch(store, "complete_followers", [Statement("complete_followers", ("t:0",), (), 10 * DAY_MS)]),
        lambda: apply_follows(store, named),
    ]
    for step in steps if list_first else reversed(steps):
        step()
        graph, way = caught_up(store, tmp_path, ways)
        assert way == "changes"
        assert_equal(graph, read_whole(store))
    keys = list(graph.keys)
    here = np.flatnonzero(graph.out_idx == keys.index("t:0"))
    follower = np.repeat(np.arange(graph.n), np.diff(graph.out_ptr))
    assert {keys[follower[e]]: int(graph.out_day[e]) for e in here} == {"t:1": -1, "t:3": -1, "t:4": 11}
    other = np.flatnonzero(graph.out_idx != keys.index("t:0"))
    assert (graph.out_day[other] == 0).all(), "those of others are as they were"
