"""Measures of accounts over the whole network, and secondary memberships: as networkx and plain loops have them."""

from __future__ import annotations

import random
from collections import defaultdict

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.analytics.analysis import analyse
from service.analytics.engine import get_engine
from service.analytics.graph import project
from service.analytics.network import MEASURES, Values, measure_network, memberships
from service.analytics.rounding import significant
from service.analytics.ties import tie_graph
from service.domain import (
    MEASURE_NAMES,
    MEASURED_PROPERTIES,
    EngineName,
    Graph,
    RunSpec,
    ScoringRules,
    SecondaryMemberships,
    no_progress,
)
from service.errors import InvalidRequest
from tests.unit.analytics_graphs import Edge, edge_lists, laws, make_graph, mutual, undirected

ALL = RunSpec(measures=MEASURE_NAMES, brand="shop")


def measured(graph: Graph, spec: RunSpec, labels: list[int] | None = None) -> tuple[Values, SecondaryMemberships]:
    ties = tie_graph(graph, spec.rules)
    if labels is None:
        labels = [i % 2 for i in range(graph.n)]
    return measure_network(
        graph, ties, project(ties), np.array(labels, dtype=np.int32), get_engine(spec.engine), spec, no_progress
    )


def a_network() -> Graph:
    random_graph = nx.gnm_random_graph(40, 260, seed=4, directed=True)
    order = random.Random(1)
    return make_graph(
        [(f"x:{a:02}", f"x:{b:02}", order.choice([1.0, 2.0, 0.5])) for a, b in random_graph.edges],
        relations=[("x:03", "shop", "employee", None, None), ("x:07", "shop", "user", None, None)],
        brands={"bank": None},
    )


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_measures_are_those_of_networkx(engine: EngineName) -> None:
    graph = a_network()
    values, _ = measured(graph, ALL.model_copy(update={"engine": engine}))
    directed = nx.DiGraph()
    directed.add_nodes_from(range(graph.n))
    for i in range(graph.n):
        for e in range(int(graph.out_ptr[i]), int(graph.out_ptr[i + 1])):
            directed.add_edge(i, int(graph.out_idx[e]), weight=float(graph.out_weight[e]))
    plain = undirected(graph)
    plain = nx.relabel_nodes(plain, {key: i for i, key in enumerate(graph.keys)})
    shop = {i: float(graph.keys[i] in ("x:03", "x:07")) for i in range(graph.n)}
    by_community = {}
    for c in (0, 1):
        members = {i: float(i % 2 == c) for i in range(graph.n)}
        ranks = nx.pagerank(directed, personalization=members, dangling=members, tol=1e-14, max_iter=1_000)
        by_community |= {i: ranks[i] for i in range(c, graph.n, 2)}
    expected = {
        "in_degree": dict(directed.in_degree),
        "out_degree": dict(directed.out_degree),
        "in_strength": dict(directed.in_degree(weight="weight")),
        "out_strength": dict(directed.out_degree(weight="weight")),
        "pagerank": nx.pagerank(directed, tol=1e-14, max_iter=1_000),
        "core": nx.core_number(plain),
        "betweenness": nx.betweenness_centrality(plain),
        "brand_pagerank": nx.pagerank(directed, personalization=shop, dangling=shop, tol=1e-14, max_iter=1_000),
        "community_pagerank": by_community,
    }
    for name, by_account in expected.items():
        assert values[name].tolist() == pytest.approx([by_account[i] for i in range(graph.n)], rel=1e-8), name
    assert set(values) == {"share", *MEASURED_PROPERTIES}
    for array in values.values():
        assert array.shape == (graph.n,)
        if array.dtype == np.float64:
            assert array.tolist() == significant(array).tolist()


def test_only_what_is_asked_for_is_measured() -> None:
    graph = a_network()
    assert set(measured(graph, RunSpec(measures=()))[0]) == {"share"}
    assert set(measured(graph, RunSpec(measures=("core", "degree")))[0]) == {"share", "core", "in_degree", "out_degree"}
    assert set(measured(graph, RunSpec())[0]) == {"share", *MEASURED_PROPERTIES[:9]}


def test_every_measure_is_described() -> None:
    assert tuple(MEASURES) == MEASURE_NAMES
    assert all(one.meaning and one.cost for one in MEASURES.values())


def test_strengths_are_in_the_unit_of_weights_however_large() -> None:
    edges = [("x:a", "x:b", 1e300), ("x:c", "x:b", 1e300), ("x:b", "x:a", 3.0)]
    values, _ = measured(make_graph(edges), RunSpec(measures=("strength",)), [0, 0, 0])
    assert values["in_strength"].tolist() == [pytest.approx(3.0), 2e300, 0.0]
    largest = float(np.finfo(np.float64).max)
    values, _ = measured(make_graph([("x:a", "x:b", largest), ("x:c", "x:b", largest)]), RunSpec(), [0, 0, 0])
    assert values["in_strength"].tolist()[1] == significant(np.array([largest]))[0]


def test_a_specification_names_each_measure_once_in_one_order() -> None:
    one = RunSpec(measures=("core", "degree", "core"))
    assert one == RunSpec(measures=("degree", "core"))
    assert one.measures == ("degree", "core")


def test_a_brand_is_needed_for_its_pagerank_and_for_nothing_else() -> None:
    for wrong in ({"measures": ("brand_pagerank",)}, {"brand": "shop"}, {"measures": ("fame",)}):
        with pytest.raises(ValidationError):
            RunSpec.model_validate(wrong)
    graph = a_network()
    for brand, said in (("none", "bank, shop"), ("bank", "Nobody has to do with brand bank")):
        with pytest.raises(InvalidRequest, match=said):
            measured(graph, RunSpec(measures=("brand_pagerank",), brand=brand))


# --- memberships -----------------------------------------------------------------------------------------------


@laws
@given(edge_lists(9), st.lists(st.integers(0, 2), min_size=9, max_size=9), st.sampled_from([0.01, 0.2, 0.5, 1.0]))
def test_shares_are_those_of_plain_loops(edges: list[Edge], places: list[int], least: float) -> None:
    graph = make_graph(edges)
    labels = np.array(places[: graph.n], dtype=np.int32)
    projection = project(graph)
    share, secondary = memberships(projection, labels, least)
    expected_own, expected = [], []
    for i in range(graph.n):
        toward: dict[int, float] = defaultdict(float)
        for e in range(int(projection.ptr[i]), int(projection.ptr[i + 1])):
            toward[int(labels[projection.idx[e]])] += float(projection.weight[e])
        total = sum(toward.values())
        expected_own.append(toward.pop(int(labels[i]), 0.0) / total if total else 0.0)
        expected += [(i, c, pytest.approx(w / total)) for c, w in sorted(toward.items()) if w >= least * total]
    assert share.tolist() == pytest.approx(expected_own)
    assert (
        list(zip(secondary.account.tolist(), secondary.community.tolist(), secondary.share.tolist(), strict=True))
        == expected
    )


def test_somebody_between_two_groups_belongs_to_both() -> None:
    left = [f"x:l{i}" for i in range(6)]
    right = [f"x:r{i}" for i in range(6)]
    pairs = [(a, b) for group in (left, right) for a in group for b in group if a < b]
    edges = mutual(*pairs) + mutual(*((("x:m", one)) for one in left[:4] + right[:3]))
    analysis = analyse(make_graph(edges), RunSpec(rules=ScoringRules(rewirings=0)), no_progress)
    graph = make_graph(edges)
    between = list(graph.keys).index("x:m")
    own, secondary = int(analysis.labels[between]), analysis.secondary
    assert analysis.measures["share"][between] == pytest.approx(4 / 7)
    assert secondary.account.tolist() == [between]
    assert secondary.community.tolist() == [1 - own]
    assert secondary.share.tolist() == [pytest.approx(3 / 7, rel=1e-8)]
    assert sorted(one.secondary_members for one in analysis.communities) == [0, 1]


def test_every_account_is_accounted_for_and_tiny_communities_are_listed() -> None:
    edges = mutual(*((f"x:{i}", f"x:{j}") for i in range(12) for j in range(i)), ("y:a", "y:b"), ("y:c", "y:d"))
    analysis = analyse(make_graph(edges, ["z:alone"]), RunSpec(), no_progress)
    quality = analysis.quality
    assert (quality.tiny, quality.accounts_in_tiny, quality.isolates) == (2, 4, 1)
    assert sum(one.size for one in analysis.communities) + quality.isolates == quality.accounts == 17
    failed = [[test.test for test in one.tests if test.passed is False] for one in analysis.communities]
    assert failed == [[], ["size"], ["size"]]
