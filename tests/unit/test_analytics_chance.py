"""Graphs rewired at random: degrees stay, everything else is chance."""

from __future__ import annotations

import itertools
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.chance import rewired
from service.analytics.communities import modularity_by_chance
from service.analytics.engine import get_engine
from service.domain import Graph, RunSpec, ScoringRules
from tests.unit.analytics_graphs import Edge, clique, edge_lists, laws, make_graph

Tie = tuple[int, int, float]


def rewired_ties(graph: Graph, seed: int) -> list[Tie]:
    source, target, weight = rewired(graph.out_ptr, graph.out_idx, graph.out_weight, seed)
    return list(zip(source.tolist(), target.tolist(), weight.tolist(), strict=True))


def ties_of(graph: Graph) -> list[Tie]:
    rows = itertools.pairwise(graph.out_ptr.tolist())
    return [
        (i, int(graph.out_idx[e]), float(graph.out_weight[e]))
        for i, (start, end) in enumerate(rows)
        for e in range(start, end)
    ]


@laws
@given(edge_lists(12), st.integers(0, 2**31 - 1))
def test_degrees_and_weights_stay(edges: list[Edge], seed: int) -> None:
    graph = make_graph(edges)
    before, after = ties_of(graph), rewired_ties(graph, seed)
    assert Counter((i, w) for i, _, w in after) == Counter((i, w) for i, _, w in before), "what each gives"
    assert Counter(j for _, j, _ in after) == Counter(j for _, j, _ in before), "by how many each is followed"
    assert all(i != j for i, j, _ in after)
    assert len({(i, j) for i, j, _ in after}) == len(after), "nobody follows somebody twice"
    assert rewired_ties(graph, seed) == after


@pytest.mark.parametrize(
    "edges",
    [
        clique([f"x:{i}" for i in range(6)]),
        [(f"x:{i}", "x:hub", 1.0) for i in range(7)],
        [("x:hub", f"x:{i}", 1.0) for i in range(7)],
        [("x:a", "x:b", 1.0)],
    ],
)
def test_where_no_other_graph_has_these_degrees_the_same_comes_back(edges: list[Edge]) -> None:
    graph = make_graph(edges)
    assert sorted(rewired_ties(graph, 3)) == ties_of(graph)


def test_without_ties() -> None:
    assert rewired_ties(make_graph([], ["x:a", "x:b"]), 1) == []


@pytest.mark.parametrize(
    "pairs",
    [
        ["ab", "bc", "cd", "da"],  # each follows one and is followed by one: a derangement of four
        ["ab", "ac", "bc", "cd", "da"],
        ["ab", "cb", "db", "ac", "ca", "bd"],
    ],
)
def test_all_graphs_of_the_same_degrees_come_up_equally_often(pairs: list[str]) -> None:
    graph = make_graph([(f"x:{a}", f"x:{b}", 1.0) for a, b in pairs])
    arcs = list(itertools.permutations(range(graph.n), 2))

    def degrees(chosen: tuple[tuple[int, int], ...]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        return sorted(Counter(i for i, _ in chosen).items()), sorted(Counter(j for _, j in chosen).items())

    original = tuple((i, j) for i, j, _ in ties_of(graph))
    possible = {
        chosen for chosen in itertools.combinations(arcs, len(original)) if degrees(chosen) == degrees(original)
    }
    draws = 400 * len(possible)
    found = Counter(tuple(sorted((i, j) for i, j, _ in rewired_ties(graph, seed))) for seed in range(draws))
    assert set(found) == possible
    statistic = sum((found[one] - 400) ** 2 / 400 for one in possible)
    freedom = len(possible) - 1
    assert statistic < freedom + 4.5 * (2 * freedom) ** 0.5 + 6, "χ², far beyond its 99.9th percentile"


def test_weights_are_dealt_out_among_all_targets_of_a_follower() -> None:
    """Also where the targets themselves cannot change."""
    graph = make_graph([("x:hub", "x:a", 1.0), ("x:hub", "x:b", 2.0), ("x:hub", "x:c", 3.0)])
    found = Counter(tuple(sorted(rewired_ties(graph, seed))) for seed in range(1_200))
    assert len(found) == 6
    assert min(found.values()) > 140


def test_communities_are_gone_where_they_were_planted() -> None:
    planted = nx.planted_partition_graph(8, 30, 0.4, 0.01, seed=1, directed=True)
    graph = make_graph([(f"x:{a:03}", f"x:{b:03}", 1.0) for a, b in planted.edges])
    truth = [{i for i in range(graph.n) if int(graph.keys[i][2:]) // 30 == block} for block in range(8)]
    before, after = nx.Graph(), nx.Graph()
    for network, ties in ((before, ties_of(graph)), (after, rewired_ties(graph, 7))):
        network.add_nodes_from(range(graph.n))
        network.add_edges_from((i, j) for i, j, _ in ties)
    assert nx.community.modularity(before, truth) > 0.6
    assert abs(nx.community.modularity(after, truth)) < 0.05


def test_modularity_by_chance_is_that_of_random_graphs() -> None:
    """Beside networkx's own rewiring of a random graph, where nothing but chance is there: the same modularity."""
    random = nx.gnm_random_graph(200, 1_200, seed=2, directed=True)
    graph = make_graph([(f"x:{a:03}", f"x:{b:03}", 1.0) for a, b in random.edges])
    engine, spec = get_engine("fast"), RunSpec(rules=ScoringRules(rewirings=30))
    chance = modularity_by_chance(graph, engine, 1.0, spec, lambda *_: None)
    assert chance is not None
    others = []
    for seed in range(30):
        nx.directed_edge_swap(random, nswap=1_200, max_tries=1_000_000, seed=seed)
        other = make_graph([(f"x:{a:03}", f"x:{b:03}", 1.0) for a, b in random.edges])
        found = modularity_by_chance(other, engine, 1.0, RunSpec(rules=ScoringRules(rewirings=1)), lambda *_: None)
        assert found is not None
        others.append(found.mean)
    assert chance.rewirings == 30
    error = np.hypot(chance.deviation, np.std(others)) / 30**0.5
    assert abs(chance.mean - np.mean(others)) < 5 * error


def test_none_are_made_where_none_are_asked_for_or_there_are_no_ties() -> None:
    engine = get_engine("fast")
    graph = make_graph([("x:a", "x:b", 1.0)])
    assert modularity_by_chance(graph, engine, 1.0, RunSpec(rules=ScoringRules(rewirings=0)), lambda *_: None) is None
    assert modularity_by_chance(make_graph([], ["x:a"]), engine, 1.0, RunSpec(), lambda *_: None) is None
