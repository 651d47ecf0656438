"""Topics of communities: what was planted is found, and nothing else is."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from service.analytics import topics as module
from service.analytics.analysis import analyse
from service.analytics.graph import subgraph
from service.analytics.topics import LEAST_Z, NAMED, surprise
from service.domain import Graph, RunSpec, ScoringRules, no_progress
from service.sample import make_sample, topic_name
from tests.unit.analytics_graphs import Topical, clique, laws, make_graph
from tests.unit.test_analytics_analysis import check_laws, published


def distinctive_topics(graph: Graph, labels: np.ndarray) -> list[tuple[str, ...]]:  # type: ignore[type-arg]
    """The topics that labels name."""
    return [one.names[:NAMED] for one in module.distinctive_topics(graph, labels)]


SPEC = RunSpec(rules=ScoringRules(rewirings=0))


def planted(topics: list[Topical], **more: object) -> tuple[Graph, np.ndarray]:
    """Two communities, x:a00 to x:a39 and x:b00 to x:b39, and twenty accounts without ties; and who is where."""
    accounts = [f"x:{community}{i:02}" for community in "ab" for i in range(40)] + [f"x:z{i:02}" for i in range(20)]
    graph = make_graph([("x:a00", "x:a01", 1.0)], accounts, topics=topics, **more)
    assert list(graph.keys) == accounts
    return graph, np.repeat(np.array([0, 1, -1], dtype=np.int32), [40, 40, 20])


def some(community: str, share: float, topic: str, posts: int = 1, first: int = 0) -> list[Topical]:
    """So large a share of 40 accounts of a community wrote about a topic."""
    return [(f"x:{community}{i:02}", topic, posts) for i in range(first, first + round(40 * share))]


def test_planted_topics_are_found() -> None:
    graph, labels = planted(
        [*some("a", 0.6, "coffee"), *some("a", 0.4, "latte art"), *some("b", 0.5, "cycling"), *some("b", 0.1, "coffee"),
         *some("a", 1.0, "photo"), *some("b", 1.0, "photo")]
    )  # fmt: skip
    assert distinctive_topics(graph, labels) == [("latte art", "coffee"), ("cycling",)]


def test_values_of_a_community_are_counted_with_examples() -> None:
    """Against the planted accounts: 24 of 40 write of coffee, four of the others; who did most stands first."""
    coffee = [("x:a00", "coffee", 3), ("x:a05", "coffee", 9), ("x:a07", "coffee", 9)]
    rest = [one for one in some("a", 0.6, "coffee") if one[0] not in {key for key, *_ in coffee}]
    graph, labels = planted(
        [*coffee, *rest, *some("b", 0.1, "coffee"), *some("a", 1.0, "photo"), *some("b", 1.0, "photo")],
        opted_out=["x:a05"],
    )
    topics = module.distinctive_topics(graph, labels)[0]
    members = np.flatnonzero(labels == 0).astype(np.int32)
    [value] = module.community_values(subgraph(graph, members), topics)
    assert (value.topic, value.members, value.strength) == ("coffee", 23, 1.0), "who opted out does not count"
    assert value.share == pytest.approx(23 / 39)
    assert value.share_elsewhere == pytest.approx(4 / 40)
    assert [(one.account, one.posts) for one in value.examples] == [("x:a07", 9), ("x:a00", 3), ("x:a01", 1)]


def test_what_everybody_talks_about_names_nobody() -> None:
    rng = random.Random(5)
    everywhere = [
        (f"x:{community}{i:02}", topic, 1)
        for community in "ab"
        for i in range(40)
        for topic in ("weather", "coffee", "news", "travel")
        if topic == "weather" or rng.random() < 0.5
    ]
    assert distinctive_topics(*planted(everywhere)) == [(), ()]
    alone = [*some("a", 1.0, "photo"), *some("b", 1.0, "photo")]
    assert distinctive_topics(*planted(alone)) == [(), ()]
    assert distinctive_topics(*planted([])) == [(), ()]


def test_chance_names_hardly_anybody() -> None:
    """Topics drawn without regard to communities: of 200 graphs with 30 topics, few labels have any."""
    named = 0
    for seed in range(200):
        rng = random.Random(seed)
        drawn = {(f"x:{rng.choice('ab')}{rng.randrange(40):02}", f"topic{rng.randrange(30)}") for _ in range(240)}
        found = distinctive_topics(*planted([(*one, 1) for one in sorted(drawn)]))
        named += sum(len(topics) for topics in found)
    assert named <= 8, "of 400 labels, in which 12,000 topics had a chance"


def test_a_loud_account_names_no_community() -> None:
    common = [*some("a", 0.5, "photo"), *some("b", 0.5, "photo")]
    loud = [("x:a39", f"crypto{i}", 1_000_000) for i in range(50)]
    assert distinctive_topics(*planted([*common, *loud])) == [(), ()]
    two = [*loud, *(("x:a38", topic, 1) for _, topic, _ in loud)]
    assert distinctive_topics(*planted([*common, *two])) == [(), ()], "two are no community either"
    # How often those who are many say it does not matter.
    once, often = ([*common, *some("a", 0.5, "coffee", posts)] for posts in (1, 900))
    assert distinctive_topics(*planted(once)) == distinctive_topics(*planted(often)) == [("coffee",), ()]


def test_one_in_twenty_members_with_topics_talk_about_it() -> None:
    accounts = [f"x:{i:03}" for i in range(1_000)]
    labels = np.repeat(np.array([0, 1], dtype=np.int32), [100, 900])

    def found(count: int, silent: int = 0) -> list[tuple[str, ...]]:
        topics: list[Topical] = [(account, "photo", 1) for account in accounts if silent <= int(account[2:])]
        topics += [(accounts[99 - i], "coffee", 1) for i in range(count)]
        return distinctive_topics(make_graph([], accounts, topics=topics), labels)

    assert found(5) == [("coffee",), ()]
    assert found(4) == [(), ()]
    assert found(4, silent=20) == [("coffee",), ()], "one in twenty of those who have topics"


def test_who_opted_out_does_not_count() -> None:
    topics = [*some("a", 0.5, "photo"), *some("b", 0.5, "photo"), *some("a", 0.25, "coffee")]
    assert distinctive_topics(*planted(topics)) == [("coffee",), ()]
    graph, labels = planted(topics, opted_out=[f"x:a{i:02}" for i in range(8)])
    assert distinctive_topics(graph, labels) == [(), ()], "two are left"
    graph, labels = planted(topics, opted_out=[f"x:{one}{i:02}" for one in "ab" for i in range(40)])
    assert distinctive_topics(graph, labels) == [(), ()]


def test_sensitive_topics_are_passed_over_for_the_next() -> None:
    strong = [
        "lgbtq",
        "ramadan",
        "vote2026",
        "breastcancer",
        "кофе",
        "☕",
        "a very long topic that is rather a sentence",
    ]
    topics = [one for topic in strong for one in some("a", 0.9, topic)]
    topics += [*some("a", 0.3, "coffee"), *some("b", 0.9, "photo")]
    assert distinctive_topics(*planted(topics)) == [("coffee",), ("photo",)]


def test_ties_are_broken_by_name() -> None:
    names = ["zebra", "Apple", "mango", "été"]
    topics = [one for topic in names for one in some("a", 0.5, topic)] + some("b", 0.5, "photo")
    for shuffle in range(5):
        graph, labels = planted(topics, shuffle=shuffle)
        assert distinctive_topics(graph, labels) == [("Apple", "mango"), ("photo",)]


@laws
@given(st.data())
def test_the_statistic_is_that_of_scipy(data: st.DataObject) -> None:
    n, outside = data.draw(st.integers(1, 10_000)), data.draw(st.integers(1, 10_000))
    x, others = data.draw(st.integers(0, n)), data.draw(st.integers(0, outside))
    [z] = surprise(*(np.array([one]) for one in (x, n, others, outside))).tolist()
    if 0 < x + others < n + outside:
        table = [[x, n - x], [others, outside - others]]
        expected = scipy.stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        assert z**2 == pytest.approx(expected, rel=1e-9, abs=1e-6)
    else:
        assert z == 0, "everybody or nobody"
    if abs(z) > 1e-3:
        assert (z > 0) == (x * outside > others * n), "members talk about it more than others do"


def test_where_there_is_nobody_else_nothing_is_surprising() -> None:
    graph, _ = planted(some("a", 0.5, "coffee"))
    assert distinctive_topics(graph, np.zeros(graph.n, dtype=np.int32)) == [()]


def test_little_more_than_others_is_not_enough_however_sure() -> None:
    accounts = [f"x:{i:05}" for i in range(20_000)]
    labels = np.repeat(np.array([0, 1], dtype=np.int32), 10_000)
    topics: list[Topical] = [(account, "photo", 1) for account in accounts]
    topics += [(account, "coffee", 1) for account in (*accounts[:3_600], *accounts[10_000:12_500])]
    topics += [(account, "tea", 1) for account in (*accounts[:3_800], *accounts[10_000:12_500])]
    assert surprise(*(np.array([one]) for one in (3_600, 10_000, 2_500, 10_000)))[0] > 10 > LEAST_Z
    assert distinctive_topics(make_graph([], accounts, topics=topics), labels) == [("tea",), ()]


@pytest.mark.parametrize("seed", [7, 8])
def test_topics_of_the_sample_are_those_that_were_planted(seed: int) -> None:
    """Members of a planted community mostly like its three favourites; trends that began there are the only others."""
    sample = make_sample(5_000, seed)
    people, posts = sample.people, sample.posts
    accounts = [f"x:{i:05}" for i in range(people.n)]
    counts = Counter(
        (accounts[author], topic_name(topic, sample.trends))
        for author, both in zip(posts.author.tolist(), posts.topic.tolist(), strict=True)
        for topic in both
        if topic >= 0
    )
    graph = make_graph([], accounts, topics=[(*pair, count) for pair, count in counts.items()])
    found = distinctive_topics(graph, people.community.astype(np.int32))
    assert sum(map(bool, found)) >= len(found) / 2
    trends = {trend.name for trend in sample.trends}
    for community, named in enumerate(found):
        liked = Counter(people.topic[people.community == community].ravel().tolist())
        favourites = {topic_name(topic, []) for topic, _ in liked.most_common(3)}
        assert set(named) <= favourites | trends


# --- in an analysis -----------------------------------------------------------------------------------------


def two_cliques(topics: list[Topical], **more: object) -> Graph:
    edges = [
        *clique(f"x:a{i:02}" for i in range(40)),
        *clique(f"x:b{i:02}" for i in range(40)),
        ("x:a00", "x:b00", 1.0),
    ]
    return make_graph(edges, topics=topics, **more)


PLANTED = [
    *some("a", 0.6, "coffee"), *some("a", 0.4, "latte art"), *some("b", 0.7, "ramadan"), *some("b", 0.5, "cycling"),
]  # fmt: skip


def test_labels_say_what_a_community_is_about() -> None:
    graph = two_cliques(PLANTED)
    analysis = analyse(graph, SPEC, no_progress)
    check_laws(graph, analysis)
    plain = analyse(two_cliques([]), SPEC, no_progress)
    for community, before, topics in zip(
        analysis.communities, plain.communities, [("coffee", "latte art"), ("cycling",)], strict=True
    ):
        assert (community.topics, before.topics, before.values) == (topics, (), ())
        assert tuple(one.topic for one in community.values)[: len(topics)] == topics
        assert before.label.startswith("around ")
        assert community.label == f"{' and '.join(topics)} · {before.label}"
    changed = [
        one.model_copy(update={"label": before.label, "topics": (), "values": ()})
        for one, before in zip(analysis.communities, plain.communities, strict=True)
    ]
    assert changed == plain.communities, "of what a community says, nothing else depends on topics"
    for candidates, before in zip(analysis.candidates, plain.candidates, strict=True):
        assert {one.key for one in candidates} == {one.key for one in before}
        raw = {one.key: [part.raw for part in one.parts if part.part != "relevance"] for one in before}
        assert all([part.raw for part in one.parts if part.part != "relevance"] == raw[one.key] for one in candidates)


def test_labels_do_not_depend_on_the_order_of_reading() -> None:
    expected = published(analyse(two_cliques(PLANTED), SPEC, no_progress))
    for shuffle in range(3):
        assert published(analyse(two_cliques(PLANTED, shuffle=shuffle), SPEC, no_progress)) == expected


PROGRAM = """
from service.analytics.analysis import analyse
from service.domain import no_progress
from tests.unit.test_analytics_topics import PLANTED, SPEC, two_cliques
for one in analyse(two_cliques(PLANTED), SPEC, no_progress).communities:
    print(one.label, one.topics)
"""


def test_labels_do_not_depend_on_the_hash_seed() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(said) == 1
    assert "coffee and latte art · around a00, a01 and a02 ('coffee', 'latte art')" in said.pop()
