"""PageRank of communities against dense solutions, networkx, closed forms and the plain engine."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.centrality import personalised_pagerank
from service.analytics.community_rank import LANES, community_pagerank, lanes_kernel, parts_kernel, renumbered_kernel
from service.analytics.compiled import unsigned
from service.analytics.engine import get_engine
from service.analytics.fast import pagerank
from service.analytics.graph import strengths, to_networkx
from service.analytics.rounding import significant
from service.analytics.ties import both_ways
from service.domain import Graph, Int32
from service.errors import InvalidRequest
from tests.unit.analytics_graphs import (
    Edge,
    Shared,
    clique,
    congress,
    default_ties,
    edge_lists,
    follows,
    laws,
    lfr,
    make_graph,
    mutual,
    uk_faculty,
)
from tests.unit.test_analytics_centrality import EXTREMES, SPECIAL, by_key, exact_rank

LABELS = st.lists(st.integers(-1, 6), min_size=12, max_size=12)
DAMPINGS = st.sampled_from([0.01, 0.3, 0.85, 0.99, 0.998])


def labelled(labels: list[int] | np.ndarray) -> Int32:
    return np.array(labels, dtype=np.int32)


def exact(graph: Graph, labels: Int32, damping: float) -> np.ndarray:
    """A dense system for each community, of whose solution its members keep their values."""
    result = np.zeros(graph.n)
    for c in range(int(labels.max(initial=-1)) + 1):
        member = labels == c
        if member.any():
            result[member] = exact_rank(graph, damping, member.astype(np.float64))[member]
    return result


# --- what it must equal --------------------------------------------------------------------------------------


@laws
@given(edge_lists(most=11), LABELS, DAMPINGS)
def test_it_is_the_exact_solution(edges: list[Edge], given_labels: list[int], damping: float) -> None:
    """Also where labels are left out, communities hang together by nothing, and accounts have none."""
    graph = make_graph(edges, ["x:zz"])
    labels = labelled(given_labels[: graph.n])
    found = community_pagerank(graph, labels, damping)
    assert np.abs(found - exact(graph, labels, damping)).sum() <= 1e-11
    assert not found[labels < 0].any()


@pytest.mark.parametrize("graph", SPECIAL.values(), ids=SPECIAL.keys())
def test_special_graphs(graph: Graph) -> None:
    everybody_alone = np.arange(graph.n, dtype=np.int32)
    one_for_all = np.zeros(graph.n, dtype=np.int32)
    nobody = np.full(graph.n, -1, dtype=np.int32)
    for labels in (everybody_alone, one_for_all, nobody, everybody_alone % 5, everybody_alone // 5):
        found = community_pagerank(graph, labels, 0.85)
        assert np.abs(found - exact(graph, labels, 0.85)).sum() <= 1e-11


@laws
@given(edge_lists(most=10, weights=EXTREMES), LABELS)
def test_extreme_weights(edges: list[Edge], given_labels: list[int]) -> None:
    graph = default_ties(make_graph(edges))
    labels = labelled(given_labels[: graph.n])
    found = community_pagerank(graph, labels, 0.85)
    assert np.abs(found - exact(graph, labels, 0.85)).sum() <= 1e-11  # type: ignore[arg-type]


def test_it_is_that_of_networkx(shared_data: Shared) -> None:
    for edges in (congress(shared_data), uk_faculty(shared_data)):
        graph = make_graph(edges)
        labels = labelled([i % 6 for i in range(graph.n)])
        found = by_key(graph, community_pagerank(graph, labels, 0.85))
        directed = to_networkx(graph)
        for c in range(6):
            members = {key: 1.0 for key, label in zip(graph.keys, labels, strict=True) if label == c}
            expected = nx.pagerank(
                directed, 0.85, personalization=members, dangling=members, tol=1e-13 / graph.n, max_iter=1_000
            )
            for key in members:
                assert found[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-13)


@laws
@given(edge_lists(most=12), LABELS, st.sampled_from([0.3, 0.85, 0.99]))
def test_engines_agree(edges: list[Edge], given_labels: list[int], damping: float) -> None:
    graph = make_graph(edges)
    labels = labelled(given_labels[: graph.n])
    one, other = (get_engine(name).community_pagerank(graph, labels, damping) for name in ("fast", "reference"))
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_engines_agree_but_for_a_last_digit_that_is_shown(shared_data: Shared) -> None:
    edges, planted = lfr(shared_data, "0.2")
    graph = make_graph(edges)
    labels = labelled([planted[key] for key in graph.keys])
    one, other = (
        significant(get_engine(name).community_pagerank(graph, labels, 0.85)) for name in ("fast", "reference")
    )
    assert labels.max() > 2 * LANES
    np.testing.assert_allclose(one, other, rtol=1.1e-9)
    assert (one == other).mean() > 0.99


# --- laws ----------------------------------------------------------------------------------------------------


@laws
@given(edge_lists(most=11), st.lists(st.integers(-1, LANES - 1), min_size=12, max_size=12), DAMPINGS)
def test_each_vector_sums_to_one(edges: list[Edge], given_labels: list[int], damping: float) -> None:
    """Over all accounts; and is the PageRank with restarts at the members."""
    graph = make_graph(edges, ["x:zz"])
    lane = np.array(given_labels[: graph.n])
    ties = both_ways(graph)
    given_out = strengths(ties.out_ptr, ties.out_weight)
    ptr, idx, share = renumbered_kernel(ties.in_ptr, ties.in_idx, ties.in_weight, given_out, np.arange(graph.n))
    size = np.array([(lane == c).sum() for c in range(LANES)])
    restart = np.divide(1, size, out=np.zeros(LANES), where=size > 0)
    rank = lanes_kernel(*unsigned(ptr, idx), share, np.uint64(0), lane, restart, damping, 1e-12, 20_000)
    np.testing.assert_allclose(rank.sum(axis=0), size > 0, rtol=1e-12)
    for c in range(LANES):
        if size[c]:
            expected = personalised_pagerank(graph, damping, (lane == c).astype(np.float64))
            assert np.abs(rank[:, c] - expected).sum() <= 2e-12


@laws
@given(edge_lists(most=11), LABELS, DAMPINGS)
def test_what_members_get_is_no_more_than_what_there_is(
    edges: list[Edge], given_labels: list[int], damping: float
) -> None:
    graph = make_graph(edges)
    labels = labelled(given_labels[: graph.n])
    found = community_pagerank(graph, labels, damping)
    for c in range(int(labels.max(initial=-1)) + 1):
        member = labels == c
        assert found[member].sum() <= 1 + 1e-11
        assert (found[member] >= (1 - damping) / max(member.sum(), 1) * (1 - 1e-9)).all()


@laws
@given(edge_lists(most=12), DAMPINGS)
def test_one_community_of_all_is_pagerank(edges: list[Edge], damping: float) -> None:
    graph = make_graph(edges)
    found = community_pagerank(graph, np.zeros(graph.n, dtype=np.int32), damping)
    assert np.abs(found - pagerank(graph, damping, 1e-13)).sum() <= 2e-12


@laws
@given(
    edge_lists(most=12),
    LABELS,
    st.permutations([f"x:{i}" for i in range(12)]),
    st.permutations(range(7)),
    st.integers(0, 5),
)
def test_names_of_accounts_and_communities_do_not_matter(
    edges: list[Edge], given_labels: list[int], names: list[str], other_labels: list[int], shuffle: int
) -> None:
    """Nor does the order in which follows are read: that not in a single bit."""
    graph = make_graph(edges)
    label = dict(zip(graph.keys, given_labels, strict=False))
    plain = by_key(graph, community_pagerank(graph, labelled(list(label.values())), 0.85))

    again = make_graph(edges, shuffle=shuffle)
    assert by_key(again, community_pagerank(again, labelled([label[key] for key in again.keys]), 0.85)) == plain

    renamed = dict(zip([f"x:{i}" for i in range(12)], names, strict=True))
    was = {new: old for old, new in renamed.items()}
    swapped = make_graph([(renamed[a], renamed[b], w) for a, b, w in edges])
    labels = labelled([[*other_labels, -1][label[was[key]]] for key in swapped.keys])
    found = by_key(swapped, community_pagerank(swapped, labels, 0.85))
    assert {key: found[renamed[key]] for key in plain} == pytest.approx(plain, rel=1e-9, abs=1e-12)


def test_threads_do_not_matter() -> None:
    order = random.Random(2)
    groups = [[f"x:{c:02}-{i}" for i in range(6)] for c in range(40)]
    edges = [edge for names in groups for edge in clique(names)]
    edges += [(order.choice(a), order.choice(b), 1.0) for a, b in itertools.permutations(groups[:30], 2)]
    graph = make_graph(edges)
    labels = labelled([int(key[2:4]) for key in graph.keys])
    alone = community_pagerank(graph, labels, 0.85)
    for threads in (2, 3, 8):
        assert community_pagerank(graph, labels, 0.85, threads).tobytes() == alone.tobytes()


@laws
@given(edge_lists(most=9), edge_lists(most=9))
def test_a_part_without_ties_to_a_community_changes_nothing(edges: list[Edge], more: list[Edge]) -> None:
    """Whatever is solved in the same pass."""
    small = make_graph(edges)
    large = make_graph([*edges, *((f"y{a}", f"y{b}", w) for a, b, w in more)])
    labels = {key: place % 3 for place, key in enumerate(small.keys)}
    before = by_key(small, community_pagerank(small, labelled(list(labels.values())), 0.85))
    after = by_key(large, community_pagerank(large, labelled([labels.get(key, 3) for key in large.keys]), 0.85))
    assert {key: after[key] for key in before} == pytest.approx(before, rel=1e-11)


# --- by hand -------------------------------------------------------------------------------------------------


def test_attention_that_leaves_and_comes_back_counts() -> None:
    """Fans a look at b alone, who looks at c of another community, who looks at a."""
    graph = make_graph(follows("a>b", "b>c", "c>a"))
    found = by_key(graph, community_pagerank(graph, labelled([0, 0, 1]), 0.5))
    # One vector: a = ¼ + c/2, b = ¼ + a/2, c = b/2; of the other c = ½ + b/2 with b = a/2, a = c/2.
    assert found["x:a"] == pytest.approx(5 / 14)
    assert found["x:b"] == pytest.approx(3 / 7)
    assert found["x:c"] == pytest.approx(4 / 7)


def test_dangling_accounts_give_back_to_their_community() -> None:
    graph = make_graph(follows("a>b", "a>c"), ["x:d"])
    found = by_key(graph, community_pagerank(graph, labelled([0, 0, 1, -1]), 0.8))
    # y_a = 1/10, y_b = 1/10 + 4/100, y_c = 4/100, whose sum is 0.28; nobody of c's community is looked at by c.
    assert found == pytest.approx({"x:a": 0.1 / 0.28, "x:b": 0.14 / 0.28, "x:c": 1.0, "x:d": 0.0}, rel=1e-12)


def test_many_parts_cost_little_and_are_kept_apart() -> None:
    """Ten thousand pairs: each pass over the ties sees the pairs it solves alone."""
    pairs = 10_000
    graph = make_graph(mutual(*((f"x:{i:05}a", f"x:{i:05}b") for i in range(pairs))))
    labels = np.repeat(np.arange(pairs, dtype=np.int32), 2)
    np.testing.assert_allclose(community_pagerank(graph, labels, 0.85), 0.5, rtol=1e-12)
    np.testing.assert_allclose(community_pagerank(graph, labels[::-1].copy(), 0.85), 0.5, rtol=1e-12)


@pytest.mark.parametrize("forwards", [True, False])
def test_long_chains_do_not_grow(forwards: bool) -> None:
    """Over-relaxation by more than 1/d would grow along a chain until it overflows."""
    length = 3_000
    ends = [(f"x:{i:04}", f"x:{i + 1:04}") for i in range(length - 1)]
    graph = make_graph([(a, b, 1.0) if forwards else (b, a, 1.0) for a, b in ends])
    labels = np.arange(graph.n, dtype=np.int32) // 500
    for damping in (0.5, 0.85, 0.95):
        found = community_pagerank(graph, labels, damping)
        chain = found if forwards else found[::-1]
        first = np.cumsum(damping ** np.arange(500)) * (1 - damping) / 500  # of the first community, none comes back
        np.testing.assert_allclose(chain[:500], first, rtol=1e-9)


def test_parts_hold_ties_and_communities_together() -> None:
    graph = make_graph(follows("a>b", "d>c", "f>e"), ["x:g", "x:h", "x:i"])
    labels = labelled([0, 0, 1, 1, 2, 2, 1, 3, -1])
    part = parts_kernel(graph.out_ptr, graph.out_idx, labels)
    assert part.tolist() == [0, 0, 2, 2, 4, 4, 2, 7, 8]
    assert parts_kernel(graph.out_ptr, graph.out_idx, np.full(9, 5, dtype=np.int32)).tolist() == [0] * 9


# --- what is refused -----------------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused() -> None:
    graph = make_graph(follows("a>b"))
    for damping in (-0.1, 0.0, 0.9981, 1.0, float("nan")):
        with pytest.raises(InvalidRequest, match=r"at most 0\.998"):
            community_pagerank(graph, labelled([0, 0]), damping)
    with pytest.raises(InvalidRequest, match="one each"):
        community_pagerank(graph, labelled([0]), 0.85)


def test_nothing_is_changed_in_place() -> None:
    graph = SPECIAL["components"]
    labels = labelled([i % 4 for i in range(graph.n)])
    arrays = [value for value in vars(graph).values() if isinstance(value, np.ndarray)]
    before = [array.copy() for array in (*arrays, labels)]
    community_pagerank(graph, labels, 0.85, 2)
    assert all(np.array_equal(old, new) for old, new in zip(before, (*arrays, labels), strict=True))
