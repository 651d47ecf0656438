"""Reweightings of ties and intervals of ranks, against slow plain versions with the same draws."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.intervals import (
    REWEIGHTED,
    rank_intervals,
    replicate_scores,
    replicate_x,
)
from service.analytics.reweighting import EXPONENTIAL, reweighted
from service.analytics.scoring import exponential_scores
from service.domain import DAY_MS, MILLION, Graph, PartName, ScoringRules
from tests.unit.analytics_graphs import edge_lists, edges_of, laws, make_graph
from tests.unit.plain_scores import plain_x
from tests.unit.test_analytics_measures import TODAY, interactions, measured

MASK = 2**64 - 1
RULES = ScoringRules(reweightings=7)


def draw(seed: int, turn: int, tie: int) -> float:
    """The weight of a tie in a reweighting, by whole numbers: splitmix64, its first 12 bits."""
    z = (seed * 0x9E3779B97F4A7C15 + turn * 0xD1B54A32D192ED03 + (tie + 1) * 0x9E3779B97F4A7C15) & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return -math.log1p(-(((z ^ (z >> 31)) >> 52) + 0.5) / 4096)


def test_draws_are_exponential() -> None:
    drawn = np.array([draw(42, turn, tie) for turn in range(50) for tie in range(200)])
    assert drawn.mean() == pytest.approx(1, abs=0.03)
    assert np.mean(drawn > 1) == pytest.approx(math.exp(-1), abs=0.015)
    assert np.mean(EXPONENTIAL) == pytest.approx(1, abs=1e-3)
    by_turn = drawn.reshape(50, 200)
    assert abs(np.corrcoef(by_turn[0], by_turn[1])[0, 1]) < 0.25


@laws
@given(edge_lists(), interactions(), st.integers(0, 2**31 - 1))
def test_measures_are_taken_again_with_the_ties_as_drawn(
    edges: list[tuple[str, str, float]], engaged: list[object], seed: int
) -> None:
    graph: Graph = make_graph(edges, engaged=engaged, at=TODAY * DAY_MS)  # type: ignore[arg-type]
    one = measured(graph)
    ties, n = one.ties, graph.n
    accounts = np.arange(n, dtype=np.int32)[::-1].copy()
    found = reweighted(one, accounts, seed, RULES)
    assert found.shape == (7, n, 4)
    followee = np.repeat(np.arange(n), np.diff(ties.in_ptr))
    for turn in range(7):
        w = np.array([draw(seed, turn, tie) for tie in range(ties.m)])
        walk = nx.DiGraph()
        walk.add_nodes_from(range(n))
        weight = (ties.in_weight * w).tolist()
        walk.add_weighted_edges_from(zip(ties.in_idx.tolist(), followee.tolist(), weight, strict=True))
        pagerank = nx.pagerank(walk, alpha=0.85, tol=1e-12, max_iter=1_000)
        p = one.influence * w
        onward = np.bincount(followee, weights=p, minlength=n)
        paths = np.bincount(followee, weights=p * (1 + onward[ties.in_idx]), minlength=n)
        plain = np.bincount(followee, weights=one.influence, minlength=n)
        before = np.bincount(followee, weights=one.influence * (1 + plain[ties.in_idx]), minlength=n)
        for at, i in enumerate(accounts.tolist()):
            own = followee == i
            assert found[turn, at, 0] == pytest.approx(pagerank[i], rel=2e-3)
            if before[i]:
                reach = one.raw["reach"][i] * paths[i] / before[i]
                assert found[turn, at, 1] == pytest.approx(reach, rel=1e-5)
            if one.resonance is not None:
                r = one.resonance
                seen = w[own].sum() * r.days + r.median
                expected = ((w * r.tie)[own].sum() + r.mean * r.median) / seen if seen else 0
                assert found[turn, at, 2] == pytest.approx(expected, rel=1e-5)
            trusted = ((w * one.trust.tie)[own].sum() + 10 * one.trust.mean) / (w[own].sum() + 10)
            assert found[turn, at, 3] == pytest.approx(trusted, rel=1e-5)


def test_ties_as_they_are_would_give_the_measures_themselves() -> None:
    """With many reweightings their mean is near what was measured: reweighting adds noise, and no bias to speak of."""
    edges = [(f"x:{i}", f"x:{j}", 1.0) for i, j in itertools.permutations(range(12), 2) if (i * j + i) % 3]
    engaged = [(a, b, TODAY - 3, (1, 1, 0, 0)) for a, b, _ in edges[::2]]
    one = measured(make_graph(edges, engaged=engaged))
    found = reweighted(one, np.arange(12, dtype=np.int32), 1, ScoringRules(reweightings=600))
    for column, part in enumerate(REWEIGHTED):
        mean = found[:, :, column].mean(axis=0)
        assert mean == pytest.approx(one.raw[part], rel=0.06), part
    again = reweighted(one, np.arange(12, dtype=np.int32), 1, ScoringRules(reweightings=600))
    np.testing.assert_array_equal(found, again)
    assert not np.array_equal(found, reweighted(one, np.arange(12, dtype=np.int32), 2, ScoringRules(reweightings=600)))


def test_edges_named_in_another_order_give_the_same_reweightings() -> None:
    edges = [(f"x:{i}", f"x:{(i * 5 + k) % 9}", 1.0 + k) for i in range(9) for k in (1, 2) if (i * 5 + k) % 9 != i]
    one, other = (measured(make_graph(given_)) for given_ in (edges, edges[::-1]))
    assert edges_of(one.graph) == edges_of(other.graph)
    everybody = np.arange(9, dtype=np.int32)
    np.testing.assert_array_equal(reweighted(one, everybody, 3, RULES), reweighted(other, everybody, 3, RULES))


# --- intervals -----------------------------------------------------------------------------------------------

values = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75])


@laws
@given(st.lists(st.lists(st.tuples(*[values] * 4), min_size=3, max_size=3), min_size=1, max_size=4),
       st.lists(values, min_size=1, max_size=8), st.lists(st.integers(0, 10**7), min_size=3, max_size=3))  # fmt: skip
def test_scores_of_reweightings(drawn: list[list[tuple[float, ...]]], base: list[float], fixed: list[int]) -> None:
    ordered = np.sort(np.array(base))
    known: dict[PartName, np.ndarray] = {"authority": ordered, "trust": ordered}  # type: ignore[type-arg]
    weights: dict[PartName, float] = dict.fromkeys(("authority", "reach", "resonance", "trust"), 0.25)  # type: ignore[arg-type]
    x = replicate_x(np.array(drawn, dtype=np.float32), known)
    found = replicate_scores(x, weights, np.array(fixed))
    for turn, of_turn in enumerate(drawn):
        for at, four in enumerate(of_turn):
            score = fixed[at]
            for value in (four[0], four[3]):
                score += round(25 * MILLION * plain_x(value, base))
            assert found[turn, at] == score


def test_x_of_what_was_measured_are_those_that_are_published() -> None:
    raw = np.array([0.5, 0.25, 0.0, 0.75, 0.25])
    x = replicate_x(np.repeat(raw[None, :, None], 4, axis=2).astype(np.float32), {"reach": np.sort(raw)})
    np.testing.assert_array_equal(x[1, 0], exponential_scores(raw))
    assert not x[[0, 2, 3]].any(), "null parts give nothing"


@laws
@given(st.integers(1, 6).flatmap(lambda k: st.tuples(
    st.permutations(range(1, k + 1)),
    st.lists(st.lists(st.integers(0, 3), min_size=k, max_size=k), max_size=12))),
    st.sampled_from([0.5, 0.8, 0.9]))  # fmt: skip
def test_intervals_are_the_middle_ranks(drawn: tuple[list[int], list[list[int]]], interval: float) -> None:
    rank, scores = drawn
    k = len(rank)
    found = rank_intervals(np.array(scores, dtype=np.int64).reshape(-1, k), np.array(rank), interval)
    low, high = [], []
    for i in range(k):
        ranks = sorted(1 + sum((-other[j], rank[j]) < (-other[i], rank[i]) for j in range(k)) for other in scores)
        if not ranks:
            low.append(rank[i])
            high.append(rank[i])
            continue
        cut = Fraction(1) - Fraction(str(interval))
        first, last = cut / 2 * (len(ranks) - 1), (1 - cut / 2) * (len(ranks) - 1)
        low.append(min(rank[i], ranks[math.floor(first)]))
        high.append(max(rank[i], ranks[math.ceil(last)]))
    assert (found.low.tolist(), found.high.tolist()) == (low, high)
    overlapping = [sum(low[j] <= high[i] and high[j] >= low[i] for j in range(k) if j != i) for i in range(k)]
    assert found.tied_with.tolist() == overlapping
