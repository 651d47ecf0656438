"""What a snapshot holds of posts, mentions of brands and first uses of topics, against plain counting in Python."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import pytest

from service.analytics.graph import build_graph, columns_of
from service.content.words import read_text
from service.domain import DAY_MS, Graph, no_progress
from service.errors import RunFailed
from service.flows.snapshots import read_graph
from service.records import THINGS, Statement
from service.store import snapshots
from service.store.driver import Store
from service.store.snapshots import read_snapshot
from service.store.things import apply_statements
from tests.store.test_catching_up import base, post, respond
from tests.unit.analytics_graphs import assert_equal

TOPICS = ["jazz", "tea", "vélo"]
BRANDS = ["bee", "owl"]


def say(store: Store, thing: str, identity: tuple[Any, ...], when: int, **said: object) -> None:
    values = tuple(said.get(field) for field in THINGS[thing].fields)
    apply_statements(store, THINGS[thing], [Statement(thing, identity, values, when)])


def counted(store: Store) -> tuple[dict[Any, Any], list[Any], dict[Any, Any]]:
    """Posts by author and day, mentions, and first uses of topics, from rows of single posts."""
    posts = store.statement(
        "MATCH (a:Account)-[:POSTED]->(p:Post) RETURN a.key AS account, p.key AS post, p.at AS at, p.kind AS kind, "
        "p.paid AS paid"
    )
    days: dict[Any, list[int]] = {}
    for row in posts:
        if row["at"] is None:
            continue
        day = int(row["at"].to_native().timestamp() * 1000) // DAY_MS
        counts = days.setdefault((row["account"], day), [0, 0, 0])
        counts[0] += 1
        counts[1] += row["kind"] == "link"
        counts[2] += row["kind"] == "repost"
    author = {row["post"]: row for row in posts}
    replies = {
        (row["post"], row["brand"])
        for row in store.statement(
            "MATCH (b:Brand)<-[:ACCOUNT_OF]-(:Account)-[r:RESPONDED {kind: 'reply'}]->(p:Post) "
            "RETURN p.key AS post, b.key AS brand"
        )
    }
    mentions = []
    for row in store.statement(
        "MATCH (p:Post)-[m:MENTIONS]->(b:Brand) "
        "RETURN p.key AS post, b.key AS brand, m.stance AS stance, m.paid AS paid"
    ):
        if row["post"] not in author:
            continue
        of = author[row["post"]]
        said = [one for one in (row["paid"], of["paid"]) if one is not None]
        at = -1 if of["at"] is None else int(of["at"].to_native().timestamp() * 1000)
        stance = 9 if row["stance"] is None else row["stance"]
        paid = int(any(said)) if said else -1
        answered = (row["post"], row["brand"]) in replies
        mentions.append((of["account"], at, row["brand"], row["post"], stance, paid, answered))
    first: dict[Any, int] = {}
    for row in store.statement(
        "MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post)-[:ABOUT]->(t:Topic) "
        "WHERE type(r) = 'POSTED' OR r.kind = 'repost' "
        "RETURN a.key AS account, t.name AS topic, CASE type(r) WHEN 'POSTED' THEN p.at ELSE r.at END AS at"
    ):
        pair = row["account"], row["topic"]
        at = None if row["at"] is None else int(row["at"].to_native().timestamp() * 1000)
        known = [one for one in (first.get(pair), at) if one is not None and one != -1]
        first[pair] = min(known, default=-1)
    return days, sorted(mentions), first


def held(graph: Graph) -> tuple[dict[Any, Any], list[Any], dict[Any, Any]]:
    """The same as the arrays hold it, by plain loops."""
    days, mentions, first = {}, [], {}
    for i, key in enumerate(graph.keys):
        for e in range(int(graph.posted_ptr[i]), int(graph.posted_ptr[i + 1])):
            days[key, int(graph.posted_day[e])] = graph.posted_counts[e].tolist()
        for e in range(int(graph.mention_ptr[i]), int(graph.mention_ptr[i + 1])):
            mentions.append(
                (
                    key, int(graph.mention_at[e]), graph.brand_keys[int(graph.mention_brand[e])], graph.mention_post[e],
                    int(graph.mention_stance[e]), int(graph.mention_paid[e]), bool(graph.mention_answered[e]),
                )
            )  # fmt: skip
        for e in range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1])):
            first[key, graph.topic_names[int(graph.topic_idx[e])]] = int(graph.topic_first[e])
    assert mentions == sorted(mentions), "by account, time, brand and post"
    return days, mentions, first


def change(store: Store, rng: random.Random, turn: int) -> None:
    """One thing that people say, drawn by chance."""
    account, key = f"t:{rng.randrange(14)}", f"t:p{rng.randrange(16)}"
    now, brand = 10_000 + turn, rng.choice(BRANDS)
    match rng.randrange(8):
        case 0 | 1:
            said = {
                "account": account, "kind": rng.choice(["text", "link", "repost", None]),
                "at": rng.choice([None, 5 * DAY_MS - 1, 5 * DAY_MS, 6 * DAY_MS + turn]),
                "topics": rng.choice([None, tuple(sorted(rng.sample(TOPICS, 2)))]),
                "paid": rng.choice([None, True, False]),
            }  # fmt: skip
            say(store, "posts", (key,), now, **said)
        case 2:
            post(store, key, now, kind=rng.choice(["text", "link", "repost"]))
        case 3:
            say(
                store, "mentions", (key, brand), now, stance=rng.choice([None, -1, 0, 1]), paid=rng.choice([None, True])
            )
        case 4:
            respond(store, account, key, rng.choice(["reply", "repost"]), 7 * DAY_MS + turn)
        case 5:
            owners = tuple(sorted(f"t:{i}" for i in rng.sample(range(14), rng.randrange(3))))
            say(store, "brands", (brand,), now, accounts=owners)
        case 6:
            respond(store, account, key, "like", 7 * DAY_MS + turn)
        case 7:
            post(store, key, now, topics=())


def test_posts_mentions_and_first_uses_are_read_and_caught_up(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After any change what is caught up is to the byte what is read whole, and both are what single posts say."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 5)
    base(store)
    rng = random.Random(3)
    for turn in range(30):
        change(store, rng, turn)
    assert held(build_graph(read_snapshot(store))) == counted(store)
    with caplog.at_level(logging.WARNING):
        for turn in range(30, 70):
            for _ in range(rng.randrange(1, 4)):
                change(store, rng, turn)
            graph = read_graph(store, tmp_path, no_progress)
            assert_equal(graph, build_graph(read_snapshot(store, read_text=read_text)))
            if turn % 8 == 0:
                assert held(graph) == counted(store)
                assert_equal(build_graph(columns_of(graph)), graph)
    assert held(graph) == counted(store)
    assert len(graph.mention_at) > 3
    assert len(graph.posted_day) > 5
    assert graph.mention_answered.any()
    assert caplog.records == []


def test_a_post_counts_for_the_time_of_the_graph(store: Store) -> None:
    base(store)
    before = build_graph(read_snapshot(store)).as_of
    assert before is not None
    say(store, "posts", ("t:p",), 1, account="t:1", at=900 * DAY_MS + 5)
    assert build_graph(read_snapshot(store)).as_of == 900 * DAY_MS, "the first moment of its day"


def test_a_stance_that_nobody_knows_is_refused(store: Store) -> None:
    base(store)
    post(store, "t:p", 1, account="t:1")
    say(store, "mentions", ("t:p", "bee"), 2, stance=1)
    store.statement("MATCH ()-[m:MENTIONS]->() SET m.stance = 5")
    with pytest.raises(RunFailed, match="stance"):
        build_graph(read_snapshot(store))
