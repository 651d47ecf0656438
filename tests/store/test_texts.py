"""What posts say, read from their texts: words and quoted posts, and topics where none were stated."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from service.analytics.graph import build_graph, columns_of, subgraph
from service.content.words import read_text
from service.domain import DAY_MS, Graph, no_progress
from service.flows.snapshots import read_graph
from service.store import snapshots
from service.store.driver import Store
from service.store.past import read_past
from service.store.snapshots import read_snapshot
from tests.store.test_catching_up import base, respond
from tests.store.test_snapshot_posts import say
from tests.unit.analytics_graphs import assert_equal

TEXTS = [
    "Le pain au levain du dimanche #Boulangerie",
    "Baking sourdough breads #boulangerie #SlowFood",
    "https://www.lemonde.fr/jardin/potager-d-hiver un article",
    "Nothing but words about gardens",
    "",
    None,
]
Said = dict[tuple[str, str], tuple[int, str, int]]


def shared_posts(store: Store) -> list[dict[str, Any]]:
    """Posts that accounts wrote or reposted, each once for each of them: when it first did, and what is stated."""
    rows = store.statement(
        "MATCH (a:Account)-[r:POSTED|RESPONDED]->(p:Post) WHERE type(r) = 'POSTED' OR r.kind = 'repost' "
        "RETURN a.key AS account, p.key AS post, p.text AS text, coalesce(p.lang, '') AS lang, "
        "CASE type(r) WHEN 'POSTED' THEN p.at.epochMillis ELSE r.at.epochMillis END AS at, "
        "COLLECT { MATCH (p)-[:ABOUT]->(t) RETURN t.name } AS topics"
    )
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault((row["account"], row["post"]), dict(row))
        known = [at for at in (one["at"], row["at"]) if at is not None]
        one["at"] = min(known) if known else None
    return list(found.values())


def plainly_said(posts: Iterable[dict[str, Any]]) -> tuple[Said, dict[tuple[str, str], tuple[int, int]]]:
    """Words of accounts (posts, latest post and its time), and their topics (posts, first time), post by post."""
    words: Said = {}
    topics: dict[tuple[str, str], tuple[int, int]] = {}
    for row in posts:
        account, at = row["account"], -1 if row["at"] is None else row["at"]
        content = read_text(row["text"] or "", row["lang"])
        for word in content.words:
            count, latest, when = words.get((account, word), (0, "", -1))
            when, latest = max((when, latest), (at, row["post"]))
            words[account, word] = (count + 1, latest, when)
        for topic in row["topics"] or content.topics:
            count, first = topics.get((account, topic), (0, -1))
            topics[account, topic] = (count + 1, min((one for one in (first, at) if one >= 0), default=-1))
    return words, topics


def held(graph: Graph) -> tuple[Said, dict[tuple[str, str], tuple[int, int]]]:
    """The same as the arrays hold it, by plain loops."""
    words: Said = {}
    topics = {}
    for i, key in enumerate(graph.keys):
        quoted = int(graph.quoted_ptr[i])
        own = [graph.quoted_post[e] for e in range(quoted, int(graph.quoted_ptr[i + 1]))]
        assert own == sorted(set(own))
        for e in range(int(graph.word_ptr[i]), int(graph.word_ptr[i + 1])):
            place = quoted + int(graph.word_post[e])
            words[key, graph.word_names[int(graph.word_idx[e])]] = (
                int(graph.word_posts[e]), graph.quoted_post[place], int(graph.quoted_at[place]),
            )  # fmt: skip
        for e in range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1])):
            topics[key, graph.topic_names[int(graph.topic_idx[e])]] = (
                int(graph.topic_posts[e]), int(graph.topic_first[e]),
            )  # fmt: skip
    return words, topics


def change(store: Store, rng: random.Random, turn: int) -> None:
    account, key, now = f"t:{rng.randrange(12)}", f"t:p{rng.randrange(15)}", 10_000 + turn
    match rng.randrange(4):
        case 0 | 1:
            say(
                store, "posts", (key,), now, account=account,
                text=rng.choice(TEXTS), lang=rng.choice([None, "fr", "en", "de"]),
                at=rng.choice([None, 5 * DAY_MS, 6 * DAY_MS + turn]), topics=rng.choice([None, (), ("jazz",)]),
            )  # fmt: skip
        case 2:
            respond(store, account, key, rng.choice(["repost", "like"]), 7 * DAY_MS + turn)
        case 3:
            say(store, "posts", (key,), now, text=rng.choice(TEXTS))


def test_words_and_topics_of_texts_are_read_and_caught_up(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any change what is caught up is to the byte what is read whole, and both are what single posts say."""
    monkeypatch.setattr(snapshots, "TEXTS_A_ROW", 3)
    base(store)
    rng = random.Random(8)
    for turn in range(40):
        change(store, rng, turn)
    for turn in range(40, 70):
        graph = read_graph(store, tmp_path, no_progress)
        assert_equal(graph, build_graph(read_snapshot(store, read_text=read_text)))
        assert_equal(build_graph(columns_of(graph)), graph)
        assert held(graph) == plainly_said(shared_posts(store))
        for _ in range(rng.randrange(1, 4)):
            change(store, rng, turn)
    words, topics = held(graph)
    assert {"boulangerie", "slowfood", "lemonde.fr", "jazz"} == {topic for _, topic in topics}
    assert len(words) > 50
    some = build_graph(columns_of(graph))
    half = subgraph(some, some.in_idx[:0].astype(some.in_idx.dtype))
    assert held(half) == ({}, {})


def test_what_an_account_says_most_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "WORDS_KEPT", 3)
    base(store)
    for number, text in enumerate(["bread oven", "bread apple", "zebra bread oven", "mango"]):
        say(store, "posts", (f"t:p{number}",), 1, account="t:1", text=text)
    words, _ = held(build_graph(read_snapshot(store, read_text=read_text)))
    assert {word: posts for (_, word), (posts, *_) in words.items()} == {"bread": 3, "oven": 2, "apple": 1}


def test_topics_of_texts_before_a_day(store: Store) -> None:
    """What was written or shared before counts, with stated topics or with those of the text; later texts do not."""
    base(store)
    say(store, "posts", ("t:early",), 1, account="t:1", at=5 * DAY_MS, text=TEXTS[0])
    say(store, "posts", ("t:stated",), 1, account="t:1", at=5 * DAY_MS + 1, text=TEXTS[0], topics=("jazz",))
    say(store, "posts", ("t:late",), 1, account="t:1", at=9 * DAY_MS, text="#late")
    say(store, "posts", ("t:undated",), 1, account="t:1", text="#undated")
    respond(store, "t:2", "t:early", "repost", 6 * DAY_MS)
    respond(store, "t:3", "t:early", "repost", 9 * DAY_MS)
    past = read_past(store, 8, False, no_progress, read_text)
    number = {row["n"]: row["key"] for row in store.statement("MATCH (a:Account) RETURN a.n AS n, a.key AS key")}
    found = zip(past.topics.account.tolist(), past.topics.topic, past.topics.posts.tolist(), strict=True)
    assert {(number[n], topic): posts for n, topic, posts in found} == {
        ("t:1", "boulangerie"): 1, ("t:1", "jazz"): 1, ("t:2", "boulangerie"): 1,
    }  # fmt: skip
    assert past.topics_at == 6 * DAY_MS
