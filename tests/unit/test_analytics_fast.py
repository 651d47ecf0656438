"""The fast engine against the reference engine, published answers and exact solutions; rows against plain loops."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.engine import get_engine
from service.analytics.families import Accounts
from service.analytics.fast import pagerank
from service.analytics.graph import project, rows_of, subgraph
from service.analytics.rounding import significant
from service.analytics.sparse import components, first_twice, rows_both_ways
from service.domain import Graph, RunSpec, Texts, no_progress
from service.errors import RunFailed
from tests.unit.analytics_graphs import (
    Edge,
    congress,
    default_ties,
    edge_lists,
    edges_of,
    laws,
    lfr,
    make_graph,
    uk_faculty,
    undirected,
)

Shared = Callable[[str], Path]
FAST, REFERENCE = get_engine("fast"), get_engine("reference")


def test_auto_is_fast_and_a_specification_says_so() -> None:
    assert get_engine("auto").name == "fast"
    assert RunSpec().engine == RunSpec(engine="auto").engine == RunSpec.model_validate_json("{}").engine == "fast"
    assert RunSpec(engine="reference").engine == "reference"
    assert FAST.threads >= 1 == REFERENCE.threads


# --- beside the reference engine ----------------------------------------------------------------------------


@laws
@given(edge_lists(most=12), st.sampled_from([0.3, 0.85, 0.99]), st.data())
def test_engines_agree(edges: list[Edge], damping: float, data: st.DataObject) -> None:
    graph = make_graph(edges, ["x:zz"])
    np.testing.assert_allclose(FAST.pagerank(graph, damping), REFERENCE.pagerank(graph, damping), rtol=1e-10)
    p = np.array(data.draw(st.lists(st.floats(0, 1), min_size=graph.m, max_size=graph.m)))
    np.testing.assert_allclose(FAST.reach(graph, p), REFERENCE.reach(graph, p), rtol=1e-10, atol=1e-300)


def test_engines_agree_to_every_digit_that_is_shown(shared_data: Shared) -> None:
    for edges in (congress(shared_data), uk_faculty(shared_data), lfr(shared_data, "0.2")[0]):
        graph = make_graph(edges)
        one, other = (significant(engine.pagerank(graph, 0.85)) for engine in (FAST, REFERENCE))
        assert one.tolist() == other.tolist()
        p = np.full(graph.m, 0.05)
        one, other = (significant(engine.reach(graph, p)) for engine in (FAST, REFERENCE))
        assert one.tolist() == other.tolist()


def test_engines_publish_the_same_where_communities_are_clear() -> None:
    draw = random.Random(5)
    groups = [[f"x:{c}-{i:02}" for i in range(40)] for c in range(6)]
    edges = [(a, b, 1.0) for names in groups for a, b in itertools.permutations(names, 2) if draw.random() < 0.3]
    edges += [(draw.choice(a), draw.choice(b), 1.0) for a, b in itertools.permutations(groups, 2)]
    graph = make_graph(edges, ["x:zz"])
    one, other = (analyse(graph, RunSpec(engine=name), no_progress) for name in ("fast", "reference"))
    assert [community.size for community in one.communities] == [40] * 6
    assert sum(len(ranked) for ranked in one.candidates) == 36
    assert one.communities == other.communities
    assert one.candidates == other.candidates
    assert (one.quality.engine, other.quality.engine) == ("fast", "reference")


# --- PageRank ------------------------------------------------------------------------------------------------


def exact(graph: Graph, damping: float) -> np.ndarray:
    """π = damping · Pᵀπ + (1 − damping)/n, dangling rows of P being 1/n, as a dense linear system."""
    step = np.zeros((graph.n, graph.n))
    step[rows_of(graph.out_ptr), graph.out_idx] = graph.out_weight
    given_out = step.sum(axis=1, keepdims=True)
    step = np.where(given_out > 0, step / np.where(given_out > 0, given_out, 1), 1 / graph.n)
    return np.linalg.solve(np.eye(graph.n) - damping * step.T, np.full(graph.n, (1 - damping) / graph.n))


@pytest.mark.parametrize("damping", [0.5, 0.85, 0.95, 0.99])
@pytest.mark.parametrize("length", [2, 3, 4, 7, 8, 30, 31])
@pytest.mark.parametrize("forward", [True, False])
def test_pagerank_of_cycles_along_and_against_the_order_of_accounts(length: int, damping: float, forward: bool) -> None:
    """Over-relaxation alone diverges on some of them. One account also follows the first, so that it is not uniform."""
    names = [f"x:{i:02}" for i in range(length)]
    steps = list(zip(names, [*names[1:], names[0]], strict=True))
    edges = [(a, b, 1.0) if forward else (b, a, 1.0) for a, b in steps] + [("x:zz", names[0], 1.0)]
    graph = make_graph(edges)
    for weights in (graph, make_graph([(a, b, 1.0 + i) for i, (a, b, _) in enumerate(edges)])):
        np.testing.assert_allclose(FAST.pagerank(weights, damping), exact(weights, damping), rtol=1e-11)


@pytest.mark.parametrize("error", [1e-3, 1e-6, 1e-10])
def test_pagerank_is_as_near_as_it_was_asked_to_be(error: float, shared_data: Shared) -> None:
    for edges in (congress(shared_data), uk_faculty(shared_data), lfr(shared_data, "0.3")[0]):
        graph = make_graph(edges)
        for damping in (0.5, 0.85, 0.97):
            assert np.abs(pagerank(graph, damping, error) - exact(graph, damping)).sum() <= error


def test_pagerank_of_weights_that_are_far_apart() -> None:
    edges = [("x:a", "x:b", 1e-300), ("x:a", "x:c", 2e-300), ("x:b", "x:a", 1e300), ("x:c", "x:b", 5e-324)]
    graph = default_ties(make_graph(edges))
    np.testing.assert_allclose(FAST.pagerank(graph, 0.85), exact(graph, 0.85), rtol=1e-11)


@laws
@given(edge_lists(most=12), st.floats(1e-3, 1e3))
def test_only_ratios_of_weights_matter(edges: list[Edge], factor: float) -> None:
    one = make_graph(edges)
    other = make_graph([(a, b, w * factor) for a, b, w in edges])
    np.testing.assert_allclose(FAST.pagerank(one, 0.85), FAST.pagerank(other, 0.85), rtol=1e-10)


# --- rows ----------------------------------------------------------------------------------------------------


@laws
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from([1.0, 2.0, 0.5])), max_size=40),
    st.booleans(),
)
def test_rows_hold_every_follow_both_ways_in_order(follows: list[tuple[int, int, float]], ordered: bool) -> None:
    if ordered:
        follows = sorted(follows)
    ends = np.array([pair[:2] for pair in follows], dtype=np.int64).reshape(-1, 2)
    weight = np.array([pair[2] for pair in follows])
    source, target = ends[:, 0].copy(), ends[:, 1].copy()
    out_ptr, out_idx, out_weight, in_ptr, in_idx, in_weight = rows_both_ways(source, target, weight, 8)
    outwards = list(zip(rows_of(out_ptr).tolist(), out_idx.tolist(), out_weight.tolist(), strict=True))
    inwards = list(zip(in_idx.tolist(), rows_of(in_ptr).tolist(), in_weight.tolist(), strict=True))
    assert sorted(outwards) == sorted(inwards) == sorted(follows)
    assert [pair[:2] for pair in outwards] == sorted(pair[:2] for pair in follows)
    assert [(b, a) for a, b, _ in inwards] == sorted((b, a) for a, b, _ in follows)
    twice = [pair for pair, other in itertools.pairwise(sorted(pair[:2] for pair in follows)) if pair == other]
    assert first_twice(out_ptr, out_idx) == (twice[0] if twice else (-1, -1))


@laws
@given(st.dictionaries(st.integers(0, 60) | st.integers(0, 2**31 - 1), st.integers(0, 9), max_size=9), st.data())
def test_accounts_are_found_by_their_numbers(numbered: dict[int, int], data: st.DataObject) -> None:
    """Numbers without gaps and with the widest, in any order of keys."""
    numbers = sorted(numbered, key=lambda number: (numbered[number], number))
    nothing = np.zeros(len(numbers), dtype=np.int64)
    keys = Texts.of(f"t:{i}" for i in range(len(numbers)))
    accounts = Accounts.of(
        np.array(numbers, dtype=np.int32), keys, keys, np.zeros(len(numbers), dtype=np.bool_), nothing, nothing
    )
    asked = data.draw(st.lists(st.sampled_from(numbers or [3]) | st.integers(-1, 61), max_size=9))
    unknown = set(asked) - set(numbers)
    if unknown:
        with pytest.raises(RunFailed, match=f"account number {min(unknown)}, which"):
            accounts.positions("thing", np.array(asked, dtype=np.int64))
    else:
        positions = accounts.positions("thing", np.array(asked, dtype=np.int64))
        assert positions.dtype == np.int64
        assert positions.tolist() == [numbers.index(number) for number in asked]


@laws
@given(edge_lists(most=12), st.data())
def test_a_part_of_a_graph_holds_the_follows_among_its_members(edges: list[Edge], data: st.DataObject) -> None:
    graph = make_graph(edges, ["x:zz"])
    keep = data.draw(st.sets(st.integers(0, graph.n - 1), min_size=1))
    members = np.array(sorted(keep), dtype=np.int32)
    names = {graph.keys[i] for i in keep}
    part = subgraph(graph, members)
    assert edges_of(part) == {(a, b): w for (a, b), w in edges_of(graph).items() if a in names and b in names}
    assert part.in_idx.dtype == part.out_idx.dtype == np.int32


@laws
@given(edge_lists(most=12), st.data())
def test_components_within_labels(edges: list[Edge], data: st.DataObject) -> None:
    graph = make_graph(edges, ["x:zz"])
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=graph.n, max_size=graph.n)), dtype=np.int32)
    projection = project(graph)
    part = components(projection.ptr, projection.idx, labels)
    whole = undirected(graph)
    expected = set()
    for label in range(3):
        members = [key for key, of in zip(graph.keys, labels.tolist(), strict=True) if of == label]
        expected |= {frozenset(found) for found in nx.connected_components(whole.subgraph(members))}
    isolates = {frozenset([key]) for key in nx.isolates(whole)}
    found = {frozenset(graph.keys[i] for i in np.flatnonzero(part == number)) for number in range(int(part.max()) + 1)}
    assert found == expected - isolates
    assert {frozenset([graph.keys[i]]) for i in np.flatnonzero(part < 0)} == isolates
