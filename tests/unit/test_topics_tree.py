"""Sub-topics, against counting all pairs of topics."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.topics_tree import subtopics
from service.domain import Graph

from .analytics_graphs import laws, make_graph

TOPICS = ["art", "beer", "coffee", "espresso", "food"]


def graph_of(has: dict[str, set[str]], shuffle: int | None = None, opted_out: Iterable[str] = ()) -> Graph:
    topics = [(account, topic, 1) for account, of in has.items() for topic in of]
    return make_graph([], has, topics=topics, shuffle=shuffle, opted_out=opted_out)


def named(graph: Graph) -> dict[str, str | None]:
    parents = subtopics(graph)
    assert parents.dtype == np.int32
    return {name: None if parents[t] < 0 else graph.topic_names[parents[t]] for t, name in enumerate(graph.topic_names)}


def plain(has: dict[str, set[str]]) -> dict[str, str | None]:
    """Every ordered pair of topics, by sets and exact fractions."""
    who = {topic: {a for a, of in has.items() if topic in of} for topic in set().union(*has.values())}
    over: dict[str, list[str]] = {topic: [] for topic in who}
    for a, b in permutations(who, 2):
        both, few, many = len(who[a] & who[b]), len(who[a]), len(who[b])
        if few >= 3 and Fraction(both, few) >= Fraction(4, 5) and Fraction(both, many) < Fraction(both, few):
            over[a].append(b)
    return {a: min(found, key=lambda b: (len(who[b]), b), default=None) for a, found in over.items()}


holdings = st.dictionaries(
    st.integers(0, 30).map(lambda i: f"x:{i:02}"), st.sets(st.sampled_from(TOPICS), min_size=1), min_size=1, max_size=25
)


@laws
@given(holdings, st.integers(0, 3))
def test_parents_are_those_of_all_pairs(has: dict[str, set[str]], shuffle: int) -> None:
    assert named(graph_of(has, shuffle)) == plain(has)


@laws
@given(holdings)
def test_no_topic_is_above_itself(has: dict[str, set[str]]) -> None:
    graph = graph_of(has)
    parents, accounts = subtopics(graph), np.bincount(graph.topic_idx, minlength=len(graph.topic_names))
    for topic in range(len(parents)):
        while parents[topic] >= 0:
            assert accounts[parents[topic]] > accounts[topic]
            topic = parents[topic]


def test_the_most_specific_of_several_topics_is_taken() -> None:
    has = {f"x:{i:02}": {"food"} for i in range(12)}
    for i in range(8):
        has[f"x:{i:02}"] |= {"coffee"}
    for i in range(4):
        has[f"x:{i:02}"] |= {"espresso"}
    has["x:12"] = {"espresso"}  # four of five have coffee, exactly 80%
    assert named(graph_of(has)) == {"coffee": "food", "espresso": "coffee", "food": None}
    has["x:13"] = {"espresso"}
    assert named(graph_of(has))["espresso"] is None, "four of six"


def test_topics_of_the_same_accounts_are_side_by_side_and_two_accounts_are_too_few() -> None:
    has = {f"x:{i}": {"beer", "coffee"} for i in range(5)}
    assert named(graph_of(has)) == {"beer": None, "coffee": None}
    for one in ("x:0", "x:1"):
        has[one] |= {"espresso"}
    assert named(graph_of(has))["espresso"] is None
    has["x:2"] |= {"espresso"}
    assert named(graph_of(has))["espresso"] == "beer", "of equally specific ones the first by name"


def test_who_has_opted_out_does_not_count() -> None:
    has = {f"x:{i}": {"food"} for i in range(6)}
    for i in range(3):
        has[f"x:{i}"] |= {"coffee"}
    assert named(graph_of(has))["coffee"] == "food"
    assert named(graph_of(has, opted_out={"x:0"}))["coffee"] is None


def test_without_topics_there_are_none() -> None:
    assert subtopics(make_graph([], ["x:a"])).tolist() == []
