"""Relevance of accounts to what their community talks about, against the formula written out plainly."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.evidence import strongest_topics
from service.analytics.topics import NO_TOPICS, CommunityTopics, relevance
from service.domain import Candidate, ScoringRules, TopicEvidence, no_progress
from tests.unit.analytics_graphs import Topical, laws, make_graph
from tests.unit.test_analytics_topics import PLANTED, SPEC, two_cliques

RULES = ScoringRules()
TOPICS = ["bread", "coffee", "tea"]

COUNTS = (np.zeros(2, dtype=np.int64),) * 4
"""How many accounts topics are of: of no matter for relevance."""


@laws
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["x:0", "x:1", "x:2"]), st.sampled_from(TOPICS)), st.integers(1, 9), min_size=1
    ),
    st.dictionaries(st.sampled_from(TOPICS), st.sampled_from([0.25, 0.5, 1.0]), min_size=1),
    st.sampled_from([1.0, 5.0]),
)
def test_relevance_is_its_formula(posts: dict[tuple[str, str], int], weights: dict[str, float], prior: float) -> None:
    topics: list[Topical] = [(account, topic, count) for (account, topic), count in posts.items()]
    graph = make_graph([], ["x:0", "x:1", "x:2"], topics=topics)
    known = [name for name in weights if name in list(graph.topic_names)]
    places = np.array([list(graph.topic_names).index(name) for name in known], dtype=np.int64)
    named = CommunityTopics(tuple(known), places, np.array([weights[name] for name in known]), *COUNTS)
    found = relevance(graph, named, ScoringRules(relevance_prior_posts=prior))
    assert (found is None) == (not known)
    if found is None:
        return
    for i, key in enumerate(graph.keys):
        own = {topic: count for (account, topic), count in posts.items() if account == key}
        expected = sum(weights[topic] * own.get(topic, 0) for topic in known) / (sum(own.values()) + prior)
        assert found.raw[i] == pytest.approx(expected)
        assert (found.posts[i], found.about[i]) == (sum(own.values()), sum(own.get(topic, 0) for topic in known))


def test_where_nothing_stands_out_relevance_is_null() -> None:
    assert relevance(two_cliques([]), NO_TOPICS, RULES) is None
    analysis = analyse(two_cliques([]), SPEC, no_progress)
    parts = [part for found in analysis.candidates for one in found for part in one.parts if part.part == "relevance"]
    assert parts
    assert all(part.raw is None and part.weight == 0 and part.null_reason for part in parts)


def test_candidates_say_which_topics_relevance_rests_on() -> None:
    graph = two_cliques(PLANTED)
    analysis = analyse(graph, SPEC, no_progress)
    counted = {(account, topic): posts for account, topic, posts, *_ in PLANTED}
    every = dict.fromkeys(graph.keys, 0)
    for account, _, posts, *_ in PLANTED:
        every[account] += posts
    seen = 0
    candidates: list[Candidate] = [one for found in analysis.candidates for one in found]
    for one in candidates:
        [part] = [part for part in one.parts if part.part == "relevance"]
        assert part.raw is not None
        assert (part.note is None) == (every[one.key] > 0)
        assert sum(item.contribution for item in part.evidence) == pytest.approx(part.raw, abs=1e-9)
        for item in part.evidence:
            assert isinstance(item, TopicEvidence)
            seen += 1
            assert (item.account, item.posts) == (one.key, counted[one.key, item.topic])
            assert item.share == pytest.approx(item.contribution / part.raw, rel=1e-7)
        said = [reason.en for reason in one.reasons if reason.about == "relevance"]
        assert len(said) == bool(part.points_millionths)
        assert all(f"{every[one.key]:,} " in text or "only" in text for text in said)
    assert seen > 10


def test_sensitive_topics_are_no_evidence() -> None:
    topics = [(account, topic.replace("coffee", "diabetes"), posts) for account, topic, posts, *_ in PLANTED]
    analysis = analyse(two_cliques(topics), SPEC, no_progress)
    lines = [line for part in analysis.parts if part.name.startswith("candidates/") for line in part.lines]
    assert lines
    assert not any(b"diabetes" in line for line in lines)
    assert any(b"latte art" in line for line in lines)


def test_the_strongest_topics_come_first() -> None:
    graph = make_graph([], ["x:0"], topics=[("x:0", "tea", 3), ("x:0", "coffee", 3), ("x:0", "bread", 1)])
    names = list(graph.topic_names)
    named = CommunityTopics(
        ("tea", "coffee"), np.array([names.index("tea"), names.index("coffee")]), np.array([1.0, 1.0]), *COUNTS
    )

    measured = SimpleNamespace(graph=graph, relevance=relevance(graph, named, RULES))
    found = strongest_topics(measured, np.array([0], dtype=np.int32), RULES)  # type: ignore[arg-type]
    assert [names[i] for i in graph.topic_idx[found.entry].tolist()] == ["coffee", "tea"]
    assert found.contribution.tolist() == pytest.approx([3 / 12, 3 / 12])
