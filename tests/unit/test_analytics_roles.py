"""Roles, one by one, against plain formulas; and how early accounts take up what spreads, against all orders."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.activity import activity
from service.analytics.graph import project
from service.analytics.roles import Roles, early_tail, habits, roles_of, trends
from service.domain import DAY_MS, ROLE_NAMES, Graph, ScoringRules
from tests.unit.analytics_graphs import default_ties, edge_lists, laws, make_graph, mutual

TODAY = 20_000
RULES = ScoringRules()


def roles(graph: Graph, labels: Iterable[int], macro: Iterable[str] = (), authority: object = None) -> Roles:
    """Roles in the community with label 0, of which everybody is in the base."""
    label = np.array(list(labels), dtype=np.int32)
    seen = habits(graph, project(default_ties(graph)), label, activity(graph, RULES), RULES)
    members = np.flatnonzero(label == 0).astype(np.int32)
    keys = [graph.keys[i] for i in members]
    flags = np.array([key in set(macro) for key in keys], dtype=np.bool_)
    rank = np.ones(len(members)) if authority is None else np.array([authority[key] for key in keys])  # type: ignore[index]
    return roles_of(members, np.ones(len(members), bool), flags, rank, np.diff(graph.in_ptr)[members], seen, RULES)


def who(graph: Graph, found: Roles, role: str, members: list[int]) -> set[str]:
    return {graph.keys[members[k]] for k in np.flatnonzero(found.has[ROLE_NAMES.index(role)])}  # type: ignore[arg-type]


@laws
@given(edge_lists(), st.lists(st.integers(0, 1), min_size=9, max_size=9))
def test_networkers(edges: list[tuple[str, str, float]], drawn: list[int]) -> None:
    graph = make_graph(edges)
    label = dict(zip(graph.keys, drawn, strict=False))
    found = roles(graph, label.values())
    members = [i for i, key in enumerate(graph.keys) if label[key] == 0]
    if not members:
        return
    pairs = {(a, b) for a, b, _ in edges}
    participation, reciprocity = {}, {}
    for key in graph.keys:
        near = {b for a, b in pairs if a == key} | {a for a, b in pairs if b == key}
        shares = [sum(label[one] == c for one in near) / len(near) for c in (0, 1)] if near else []
        participation[key] = 1 - sum(share**2 for share in shares) if near else 0.0
        followers = [a for a, b in pairs if b == key]
        reciprocity[key] = sum((key, a) in pairs for a in followers) / len(followers) if followers else 0.0
    own = [graph.keys[i] for i in members]
    quarter = sorted((participation[key] for key in own), reverse=True)[math.ceil(len(own) / 4) - 1]
    middle = statistics.median(reciprocity[key] for key in own)
    expected = {
        key for key in own if participation[key] >= max(0.3, quarter) - 1e-9 and reciprocity[key] > middle + 1e-9
    }
    assert who(graph, found, "networker", members) == expected


def circle(**more: object) -> Graph:
    names = [f"x:{i:02}" for i in range(20)]
    return make_graph(mutual(*itertools.pairwise(names)), unfollowed=TODAY * DAY_MS, **more)


def test_broadcasters() -> None:
    posts = [
        ("x:00", TODAY - 1, (20, 6, 4)),  # half of twenty
        ("x:01", TODAY - 1, (20, 5, 4)),  # less than half
        ("x:02", TODAY - 1, (19, 19, 0)),  # too few
        ("x:03", TODAY - 1, (40, 20, 20)),  # nobody passes it on
        ("x:04", TODAY - 365, (40, 20, 20)),  # too long ago
        ("x:05", TODAY - 2, (4, 0, 4)),  # reposts told as interactions: 16 and more
    ]
    engaged = [("x:19", f"x:{i:02}", TODAY, (0, 0, 0, 1)) for i in (0, 1, 2, 4, 5)]
    engaged += [("x:05", "x:06", TODAY - day, (0, 0, 0, 4)) for day in range(4, 10)]
    graph = circle(postings=posts, engaged=engaged)
    found = roles(graph, [0] * 20)
    assert who(graph, found, "broadcaster", list(range(20))) == {"x:00", "x:05"}
    [role] = [one for one in found.of(0, macro=False) if one.role == "broadcaster"]
    measured = {one.measure: (one.value, one.threshold) for one in role.measures}
    assert measured == {"posts": (20, 20), "passed_on_share": (0.5, 0.5), "reposts_received": (1, 0)}
    assert (role.strength, role.emerging) == (0.5, False)


def test_heavy_users_are_the_top_tenth_by_active_days() -> None:
    posts = [("x:00", TODAY - day, (1, 0, 0)) for day in range(5)]
    posts += [("x:01", TODAY - day, (1, 0, 0)) for day in range(4)]
    posts += [("x:02", TODAY - day, (9, 0, 0)) for day in range(3)]
    engaged = [("x:01", "x:05", TODAY - day, (1, 0, 0, 0)) for day in (0, 7)]  # one more day
    graph = circle(postings=posts, engaged=engaged)
    found = roles(graph, [0] * 20)
    assert who(graph, found, "heavy_user", list(range(20))) == {"x:00", "x:01"}, "5 days each"
    assert who(circle(), roles(circle(), [0] * 20), "heavy_user", list(range(20))) == set(), "nobody does anything"


def test_roles_of_macros_are_emerging_in_others() -> None:
    topics = [("x:00", "jazz", 9), ("x:01", "jazz", 5), ("x:01", "coffee", 5), ("x:02", "jazz", 3), ("x:03", "tea", 4)]
    topics += [(f"x:{i:02}", topic, 2) for i in range(4, 10) for topic in ("a", "b", "c")]
    graph = circle(topics=topics)
    authority = {key: 1 / (2 + i) for i, key in enumerate(graph.keys)}
    found = roles(graph, [0] * 20, macro=["x:00", "x:07"], authority=authority)
    everybody = list(range(20))
    # Of eight with at least five posts on topics the quarter with the lowest entropy: 0 bits and 1 bit.
    assert who(graph, found, "specialist", everybody) == {"x:00", "x:01"}
    assert who(graph, found, "opinion_leader", everybody) == {"x:00"}
    assert who(graph, found, "celebrity", everybody) == {"x:07"}
    assert [(one.role, one.emerging) for one in found.of(0, macro=True)] == [
        ("opinion_leader", False),
        ("specialist", False),
    ]
    [specialist] = found.of(1, macro=False)
    assert (specialist.role, specialist.emerging) == ("specialist", True)
    assert {one.measure: one.value for one in specialist.measures} == {"topic_entropy_bits": 1.0, "topic_posts": 10.0}


# --- trends --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adopters", [[3, 4], [2, 3, 3], [4, 4, 2]])
def test_the_chance_of_a_low_median_is_that_of_all_orders(adopters: list[int]) -> None:
    """Every combination of places is as likely as any other."""
    every = list(itertools.product(*(range(1, n + 1) for n in adopters)))
    half = (len(adopters) + 1) // 2

    def median(places: Iterable[int]) -> float:
        return sorted(place / n for place, n in zip(places, adopters, strict=True))[half - 1]

    for places in every:
        expected = sum(median(other) <= median(places) + 1e-12 for other in every) / len(every)
        shares = np.array([place / n for place, n in zip(places, adopters, strict=True)])
        found, p = early_tail(np.array([0, len(adopters)]), shares, np.array(adopters, dtype=np.float64), 1)
        assert found[0] == median(places)
        assert p[0] == pytest.approx(expected)


def test_trend_discoverers_take_up_early_what_spreads() -> None:
    rng = random.Random(4)
    people = [f"x:{i:02}" for i in range(20)]
    topics = []
    for number in range(6):
        others = rng.sample(people[1:], 15)
        topics += [(key, f"t{number}", 1, 10 + place) for place, key in enumerate(others)]
        topics.append(("x:00", f"t{number}", 1, 1))
    topics += [(key, "old", 1, -1) for key in people]  # nobody knows when
    topics += [(key, "small", 1, place) for place, key in enumerate(people[:9])]
    graph = circle(topics=topics)
    found = trends(graph, RULES)
    assert found.items[0] == 6, "neither the topic without times, nor the one of nine accounts"
    assert found.median[0] == pytest.approx(1 / 16)
    assert found.p[0] == pytest.approx(sum(math.comb(6, k) * 15 ** (6 - k) for k in range(3, 7)) / 16**6)
    roles_found = roles(graph, [0] * 20)
    assert who(graph, roles_found, "trend_discoverer", list(range(20))) == {"x:00"}
    [role] = [one for one in roles_found.of(0, macro=False) if one.role == "trend_discoverer"]
    assert role.emerging


def test_equal_times_share_a_place_and_order_does_not_matter() -> None:
    topics = [(f"x:{i:02}", f"t{n}", 1, 5 if i < 4 else 9) for n in range(5) for i in range(12)]
    one, other = (trends(circle(topics=given_), RULES) for given_ in (topics, topics[::-1]))
    np.testing.assert_array_equal(one.median, other.median)
    assert one.median[0] == pytest.approx(2.5 / 12)
    assert one.median[11] == pytest.approx(8.5 / 12)
    gone = trends(circle(topics=topics, opted_out=["x:00", "x:01", "x:02"]), RULES)
    assert not gone.items.any(), "nine are left: those who opted out do not count"
