"""Building follower graphs as arrays, and cutting communities out of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.graph import build_graph, columns_of, followed_back, project, subgraph, to_networkx
from service.domain import Graph
from service.errors import RunFailed
from tests.unit.analytics_graphs import (
    Edge,
    Endorsed,
    Related,
    assert_equal,
    columns,
    default_ties,
    edge_lists,
    edges_of,
    endorsed_in,
    engaged_in,
    follows,
    laws,
    make_graph,
    related_to_brands,
    relations_in,
    topics_in,
    undirected,
)


def assert_same(one: Graph, other: Graph) -> None:
    """All fields are equal but the accounts' numbers in the store, which are drawn anew for each order."""
    assert_equal(replace(one, number=other.number), other)


def assert_well_formed(graph: Graph) -> None:
    """The promises of `domain.Graph`: types, lengths, order, both directions telling the same."""
    assert list(graph.keys) == sorted(graph.keys)
    assert (len(graph.handles), len(graph.number), graph.number.dtype) == (graph.n, graph.n, np.int32)
    for ptr, idx in ((graph.out_ptr, graph.out_idx), (graph.in_ptr, graph.in_idx)):
        assert (ptr.dtype, idx.dtype) == (np.int64, np.int32)
        assert (len(ptr), ptr[0], ptr[-1], len(idx)) == (graph.n + 1, 0, graph.m, graph.m)
        for start, end in pairwise(ptr.tolist()):
            assert idx[start:end].tolist() == sorted(set(idx[start:end].tolist()))
    assert (graph.out_weight.dtype, len(graph.out_weight)) == (np.float64, graph.m)
    back = {
        (graph.keys[int(graph.in_idx[e])], graph.keys[i])
        for i in range(graph.n)
        for e in range(int(graph.in_ptr[i]), int(graph.in_ptr[i + 1]))
    }
    assert back == edges_of(graph).keys()
    engaged = len(graph.engaged_idx)
    assert (len(graph.engaged_ptr), graph.engaged_ptr[0], graph.engaged_ptr[-1]) == (graph.n + 1, 0, engaged)
    for column in ("idx", "day", "code"):
        array = getattr(graph, f"engaged_{column}")
        assert (array.dtype, len(array)) == (np.int32, engaged)
    assert (graph.engaged_counts.dtype, graph.engaged_counts.shape[1]) == (np.int64, 4)
    assert all(one < other for one, other in pairwise(graph.engaged_counts.tolist()))
    held = [one[:3] for one in engaged_in(graph)]
    assert held == sorted(set(held))
    assert list(graph.topic_names) == sorted(set(graph.topic_names))
    topics = len(graph.topic_idx)
    assert (len(graph.topic_ptr), graph.topic_ptr.dtype) == (graph.n + 1, np.int64)
    assert (graph.topic_ptr[0], graph.topic_ptr[-1], len(graph.topic_posts)) == (0, topics, topics)
    assert (graph.topic_idx.dtype, graph.topic_posts.dtype) == (np.int32, np.int32)
    held_topics = [one[:2] for one in topics_in(graph)]
    assert held_topics == sorted(set(held_topics))
    endorsed = len(graph.endorsed_idx)
    assert (graph.endorsed_ptr.dtype, graph.endorsed_idx.dtype, graph.endorsed_at.dtype) == (
        np.int64, np.int32, np.int64,
    )  # fmt: skip
    assert (len(graph.endorsed_ptr), graph.endorsed_ptr[0], graph.endorsed_ptr[-1]) == (graph.n + 1, 0, endorsed)
    held_endorsements = [one[:2] for one in endorsed_in(graph)]
    assert held_endorsements == sorted(set(held_endorsements))
    assert len(graph.endorsed_at) == endorsed
    count = len(graph.relation_brand)
    assert (len(graph.brand_keys), graph.brand_keys) == (len(graph.brand_names), sorted(set(graph.brand_keys)))
    assert (graph.brand_account.dtype, len(graph.brand_account)) == (np.bool_, graph.n)
    assert graph.relation_account.tolist() == sorted(graph.relation_account.tolist())
    for column, kind in (
        ("account", np.int32),
        ("brand", np.int32),
        ("name", np.int8),
        ("since", np.int64),
        ("until", np.int64),
    ):
        array = getattr(graph, f"relation_{column}")
        assert (array.dtype, len(array)) == (kind, count)


@laws
@given(edge_lists(), st.integers(0, 2**16))
def test_arrays_hold_the_edges_whatever_the_order(edges: list[Edge], shuffle: int) -> None:
    details = {"opted_out": ["x:1"], "followers": {"x:0": 12}, "handles": {"x:1": "one"}}
    graph = make_graph(edges, ["x:zz"], **details)
    assert_well_formed(graph)
    assert edges_of(graph) == {(a, b): w for a, b, w in edges}
    assert_same(graph, make_graph(edges, ["x:zz"], **details, shuffle=shuffle))
    assert graph.opted_out.tolist() == [key == "x:1" for key in graph.keys]
    assert graph.followers.tolist() == [12 if key == "x:0" else -1 for key in graph.keys]
    assert list(graph.handles) == ["one" if key == "x:1" else "" for key in graph.keys]


def test_keys_are_in_code_point_order() -> None:
    # UTF-16 order, that of Java, would put the surrogate pair of the emoji before U+FFFD; locales would fold case.
    keys = ["x:a", "x:B", "x:é", "x:\ufffd", "x:😀", "x:10", "x:9"]
    assert list(make_graph([], keys).keys) == ["x:10", "x:9", "x:B", "x:a", "x:é", "x:\ufffd", "x:😀"]


def test_as_of_is_the_latest_known_time() -> None:
    snapshot = columns(follows("a>b", "b>c", "c>a"))
    assert build_graph(snapshot).as_of is None
    timed = replace(snapshot, version=7, followed_at=5)
    assert build_graph(timed).as_of == 5
    assert build_graph(timed).version == 7
    assert build_graph(replace(snapshot, followed_at=0)).as_of == 0


@laws
@given(edge_lists(), st.data(), st.integers(0, 2**16))
def test_brands_and_relations_are_held_whatever_the_order(edges: list[Edge], data: st.DataObject, shuffle: int) -> None:
    related = data.draw(related_to_brands(sorted({key for a, b, _ in edges for key in (a, b)})))
    details = {"brands": {"zest": None, "b1": "One"}, "own": ["x:0"] if edges[0][0] == "x:0" else [], "at": 5}
    graph = make_graph(edges, relations=related, **details)
    assert_well_formed(graph)
    held = relations_in(graph)
    assert held == sorted(set(related), key=lambda one: in_order(one))
    assert dict(zip(graph.brand_keys, graph.brand_names, strict=True)) == {
        **{brand: None for _, brand, *_ in related},
        "zest": None,
        "b1": "One",
    }
    assert [key for key, own in zip(graph.keys, graph.brand_account.tolist(), strict=True) if own] == details["own"]
    # Whoever says the same thing twice has said it once.
    assert_same(graph, make_graph(edges, relations=[*related, *related[:3]], **details, shuffle=shuffle))


def in_order(one: Related) -> tuple[str, str, int, int, int]:
    account, brand, relation, since, until = one
    place = ["employee", "collaborator", "customer", "user"].index(relation)
    return account, brand, place, -1 if since is None else since, -1 if until is None else until


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": ["b", "b"], "name": [None, None]}, "brand was read twice"),
        ({"brand": ["other"]}, "brand other"),
        ({"account": np.array([77])}, "relation names account number 77"),
        ({"own": np.array([77])}, "own account names account number 77"),
        ({"since": np.array([253_402_300_800_000])}, "x:a .*years 1 to 9999"),
        ({"until": np.array([-62_135_596_800_001])}, "x:a .*years 1 to 9999"),
    ],
)
def test_brands_that_make_no_sense_are_refused(change: dict[str, object], says: str) -> None:
    snapshot = columns(follows("a>b"), relations=[("x:a", "b", "user", None, None)])
    with pytest.raises(RunFailed, match=says):
        build_graph(replace(snapshot, brands=replace(snapshot.brands, **change)))


@st.composite
def topical(draw: st.DrawFn, accounts: list[str]) -> list[tuple[str, str, int]]:
    """Topics of some accounts."""
    pair = st.tuples(st.sampled_from(accounts), st.sampled_from(["velo", "Zen", "é", "\ufffd", "😀", "slow food"]))
    pairs = sorted(draw(st.sets(pair, max_size=15)))
    return [(*one, draw(st.integers(1, 2**31 - 1))) for one in pairs]


@laws
@given(edge_lists(), st.data(), st.integers(0, 2**16))
def test_topics_are_held_whatever_the_order(edges: list[Edge], data: st.DataObject, shuffle: int) -> None:
    topics = data.draw(topical(sorted({key for a, b, _ in edges for key in (a, b)})))
    graph = make_graph(edges, ["x:zz"], topics=topics)
    assert_well_formed(graph)
    assert topics_in(graph) == topics
    assert set(graph.topic_names) == {topic for _, topic, _ in topics}
    assert_same(graph, make_graph(edges, ["x:zz"], topics=topics, shuffle=shuffle))
    assert_equal(build_graph(columns_of(graph)), graph)
    members = np.array(data.draw(st.lists(st.integers(0, graph.n - 1), unique=True).map(sorted)), dtype=np.int32)
    part = subgraph(graph, members)
    assert_well_formed(part)
    assert topics_in(part) == [one for one in topics if one[0] in set(part.keys)]
    assert list(part.topic_names) == list(graph.topic_names), "a part knows all topics of the whole"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": np.array([77, 1])}, "count of posts names account number 77"),
        ({"account": np.array([1, 1])}, "Topic velo of account x:a was read twice"),
        ({"posts": np.array([1, 0])}, "not in 1..2147483647"),
        ({"posts": np.array([1, 2**31])}, "not in 1..2147483647"),
    ],
)
def test_topics_that_make_no_sense_are_refused(change: dict[str, object], says: str) -> None:
    snapshot = columns(follows("a>b"), topics=[("x:a", "velo", 1), ("x:b", "velo", 2)])
    with pytest.raises(RunFailed, match=says):
        build_graph(replace(snapshot, topics=replace(snapshot.topics, **change)))


@st.composite
def endorsements(draw: st.DrawFn, accounts: list[str]) -> list[Endorsed]:
    """Who endorses whom among some accounts."""
    pair = st.tuples(st.sampled_from(accounts), st.sampled_from(accounts)).filter(lambda one: one[0] != one[1])
    return [(*one, draw(st.sampled_from([None, -5, 0, 7, 10**12]))) for one in sorted(draw(st.sets(pair, max_size=12)))]


@laws
@given(edge_lists(), st.data(), st.integers(0, 2**16))
def test_endorsements_are_held_whatever_the_order(edges: list[Edge], data: st.DataObject, shuffle: int) -> None:
    endorsed = data.draw(endorsements([*sorted({key for a, b, _ in edges for key in (a, b)}), "x:zz"]))
    details = {"endorsed": endorsed, "withdrawn": data.draw(st.sampled_from([None, 3]))}
    graph = make_graph(edges, ["x:zz"], **details)
    assert_well_formed(graph)
    assert endorsed_in(graph) == endorsed
    times = [at for at in (details["withdrawn"], *(at for *_, at in endorsed)) if at is not None and at >= 0]
    assert graph.as_of == max(times, default=None)
    assert_same(graph, make_graph(edges, ["x:zz"], **details, shuffle=shuffle))
    assert_equal(build_graph(columns_of(graph)), graph)
    members = np.array(data.draw(st.lists(st.integers(0, graph.n - 1), unique=True).map(sorted)), dtype=np.int32)
    part = subgraph(graph, members)
    assert_well_formed(part)
    assert endorsed_in(part) == [one for one in endorsed if {*one[:2]} <= set(part.keys)]
    assert part.as_of == graph.as_of


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": np.array([77, 2])}, "endorsement names account number 77"),
        ({"target": np.array([1, 1])}, "x:a endorses itself"),
        ({"source": np.array([1, 1]), "target": np.array([2, 2])}, "x:a endorses x:b"),
        ({"at": np.array([7, 10**15])}, "years 1 to 9999"),
    ],
)
def test_endorsements_that_make_no_sense_are_refused(change: dict[str, object], says: str) -> None:
    snapshot = columns(follows("a>b"), endorsed=[("x:a", "x:b", 1), ("x:b", "x:a", 2)])
    build_graph(snapshot)
    with pytest.raises(RunFailed, match=says):
        build_graph(replace(snapshot, endorsements=replace(snapshot.endorsements, **change)))


def test_empty_graphs() -> None:
    nothing = make_graph([])
    assert (nothing.n, nothing.m) == (0, 0)
    assert_well_formed(nothing)
    lonely = make_graph([], ["x:a", "x:b"])
    assert (lonely.n, lonely.m) == (2, 0)
    assert_well_formed(lonely)


@pytest.mark.parametrize(
    ("edges", "change", "says"),
    [
        (["a>b"], {"target": np.array([99])}, "account number 99"),
        (["a>b"], {"target": np.array([-5])}, "account number -5"),
        (["a>b"], {"target": np.array([1])}, "x:a follows itself"),
        (["a>b", "b>a"], {"source": np.array([1, 1]), "target": np.array([2, 2])}, "x:a follows x:b"),
        (["a>b"], {"weight": np.array([0.0])}, "not positive"),
        (["a>b"], {"weight": np.array([np.nan])}, "not positive"),
        (["a>b"], {"weight": np.array([np.inf])}, "not positive"),
    ],
)
def test_what_is_no_follower_graph_is_refused(edges: list[str], change: dict[str, np.ndarray], says: str) -> None:
    snapshot = columns(follows(*edges))
    with pytest.raises(RunFailed, match=says):
        build_graph(replace(snapshot, follows=replace(snapshot.follows, **change)))


@pytest.mark.parametrize("change", [{"key": ["x:a", "x:a"]}, {"n": np.array([3, 3])}])
def test_an_account_read_twice_is_refused(change: dict[str, object]) -> None:
    snapshot = columns([], ["x:a", "x:b"])
    with pytest.raises(RunFailed, match="read twice"):
        build_graph(replace(snapshot, accounts=replace(snapshot.accounts, **change)))


def test_follows_of_nobody_are_refused() -> None:
    with pytest.raises(RunFailed, match="account number"):
        build_graph(replace(columns([]), follows=columns(follows("a>b")).follows))


@laws
@given(edge_lists(), st.data())
def test_subgraph_is_that_of_networkx(edges: list[Edge], data: st.DataObject) -> None:
    accounts = sorted({key for a, b, _ in edges for key in (a, b)})
    related = data.draw(related_to_brands(accounts))
    graph = make_graph(edges, handles={"x:1": "one"}, opted_out=["x:0"], relations=related, own=accounts[:1])
    chosen = sorted(data.draw(st.sets(st.integers(0, graph.n - 1))))
    part = subgraph(graph, np.array(chosen, dtype=np.int32)) if chosen else None
    if part is None:
        return
    assert_well_formed(part)
    assert list(part.keys) == [graph.keys[i] for i in chosen]
    assert list(part.handles) == [graph.handles[i] for i in chosen]
    assert part.opted_out.tolist() == [bool(graph.opted_out[i]) for i in chosen]
    assert relations_in(part) == [one for one in relations_in(graph) if one[0] in part.keys]
    assert (part.brand_keys, part.brand_names) == (graph.brand_keys, graph.brand_names)
    assert part.brand_account.tolist() == [key == accounts[0] for key in part.keys]
    expected = to_networkx(graph).subgraph(part.keys).edges(data="weight")
    assert edges_of(part) == {(a, b): w for a, b, w in expected}


@laws
@given(edge_lists())
def test_networkx_gets_the_same_graph(edges: list[Edge]) -> None:
    given_out = to_networkx(make_graph(edges, ["x:zz"], handles={"x:1": "one"}))
    expected = nx.DiGraph()
    expected.add_weighted_edges_from(edges)
    expected.add_node("x:zz")
    assert set(given_out) == set(expected)
    assert {(a, b): w for a, b, w in given_out.edges(data="weight")} == {(a, b): w for a, b, w in edges}
    assert given_out.nodes["x:zz"] == {"handle": None, "opted_out": False}
    assert "x:1" not in given_out or given_out.nodes["x:1"] == {"handle": "one", "opted_out": False}


@laws
@given(edge_lists())
def test_projection_adds_both_directions(edges: list[Edge]) -> None:
    graph = make_graph(edges, ["x:zz"])
    projection = project(graph)
    pairs = {
        (graph.keys[i], graph.keys[int(projection.idx[e])]): float(projection.weight[e])
        for i in range(graph.n)
        for e in range(int(projection.ptr[i]), int(projection.ptr[i + 1]))
    }
    expected = undirected(graph)
    assert pairs == {
        (a, b): expected[a][b]["weight"] for a, b in list(expected.edges) + [e[::-1] for e in expected.edges]
    }
    for start, end in pairwise(projection.ptr.tolist()):
        assert projection.idx[start:end].tolist() == sorted(projection.idx[start:end].tolist())


@laws
@given(edge_lists())
def test_mutual_follows(edges: list[Edge]) -> None:
    graph = make_graph(edges)
    known = edges_of(graph)
    said = followed_back(graph)
    for i in range(graph.n):
        for e in range(int(graph.in_ptr[i]), int(graph.in_ptr[i + 1])):
            assert said[e] == ((graph.keys[i], graph.keys[int(graph.in_idx[e])]) in known)


@laws
@given(edge_lists(weights=st.sampled_from([5e-324, 1e-300, 0.1, 1.0, 3.0, 1e300, 1.7976931348623157e308])))
def test_ties_of_any_size_stay_ties_and_cannot_overflow(edges: list[Edge]) -> None:
    graph = make_graph(edges)
    ties = default_ties(graph)
    np.testing.assert_array_equal(ties.out_ptr, graph.out_ptr)
    np.testing.assert_array_equal(ties.out_idx, graph.out_idx)
    assert np.all(ties.out_weight > 0)
    assert 0.5 <= ties.out_weight.max() < 1
    assert np.isfinite(project(ties).weight.sum())
    # ratios are exact wherever both weights are within the range of floats from the largest
    near = graph.out_weight > graph.out_weight.max() * 1e-290
    np.testing.assert_array_equal(
        ties.out_weight[near] / ties.out_weight.max(), graph.out_weight[near] / graph.out_weight.max()
    )
