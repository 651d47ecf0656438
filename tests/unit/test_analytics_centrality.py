"""Cores, clustering, roles, label propagation, betweenness, bridging and personalised PageRank against networkx,
published answers, closed forms and the definitions written out plainly.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from service.analytics.betweenness import LARGE, betweenness, interval_error, joined, looks_at, sample_kernel
from service.analytics.centrality import (
    bridging,
    core_numbers,
    label_propagation,
    local_clustering,
    local_clustering_undirected,
    participation,
    personalised_pagerank,
    within_module_z,
)
from service.analytics.graph import project, to_networkx
from service.domain import Graph
from service.errors import InvalidRequest
from tests.unit.analytics_graphs import (
    Edge,
    Shared,
    clique,
    congress,
    default_ties,
    edge_lists,
    edges_of,
    follows,
    laws,
    make_graph,
    mutual,
    uk_faculty,
    undirected,
)

EXTREMES = st.sampled_from([1e-300, 1e-9, 1.0, 7.5, 1e300])
ALWAYS = 1 - 1e-9
"""A confidence at which no test fails by chance."""


def ring(count: int) -> list[Edge]:
    return mutual(*((f"x:{i:03}", f"x:{(i + 1) % count:03}") for i in range(count)))


def diamonds(count: int) -> list[Edge]:
    """Joints j0, j1, … with two accounts a and b between each and the next: 2 ** count paths from end to end."""
    sides = [(f"{side}{i:04}", i) for i in range(count) for side in "ab"]
    return mutual(*((side, f"j{i + end:04}") for side, i in sides for end in (0, 1)))


SPECIAL: dict[str, Graph] = {
    "empty": make_graph([]),
    "one account": make_graph([], ["x:a"]),
    "two accounts": make_graph([], ["x:a", "x:b"]),
    "one follow": make_graph(follows("a>b")),
    "one follow and an isolate": make_graph(follows("a>b"), ["x:c"]),
    "a mutual follow": make_graph(mutual(("x:a", "x:b"))),
    "isolates": make_graph([], [f"x:{i}" for i in range(7)]),
    "star of followers": make_graph([(f"x:{i}", "x:hub", 1.0) for i in range(40)]),
    "star of followees": make_graph([("x:hub", f"x:{i}", 1.0) for i in range(40)]),
    "clique": make_graph(clique(f"x:{i}" for i in range(12))),
    "path": make_graph([(f"x:{i:03}", f"x:{i + 1:03}", 1.0) for i in range(60)]),
    "ring": make_graph(ring(31)),
    "components": make_graph(
        [*clique(["x:a", "x:b", "x:c"]), *follows("d>e", "e>f", "f>d", "g>h"), *ring(6)], ["x:z1", "x:z2"]
    ),
    "barbell": make_graph(
        [*clique(f"x:l{i}" for i in range(6)), *follows("l0>m", "m>r0"), *clique(f"x:r{i}" for i in range(6))]
    ),
    "two sides, all across": make_graph([(f"x:a{i}", f"x:b{j}", 1.0) for i in range(5) for j in range(8)]),
    "diamonds": make_graph(diamonds(20)),
}
special = pytest.mark.parametrize("graph", SPECIAL.values(), ids=SPECIAL.keys())


def real_graphs(find: Shared) -> list[Graph]:
    return [make_graph(congress(find)), make_graph(uk_faculty(find))]


def by_key(graph: Graph, values: np.ndarray) -> dict[str, float]:
    assert values.shape == (graph.n,)
    return dict(zip(graph.keys, values.tolist(), strict=True))


def neighbours(graph: Graph) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {key: set() for key in graph.keys}
    for a, b in edges_of(graph):
        result[a].add(b)
        result[b].add(a)
    return result


def ldbc(name: str, find: Shared) -> tuple[Graph, dict[str, str], bool]:
    """A validation graph, its properties, and whether it is directed. Keys sort as the numbers of its vertices do."""
    folder = find("ldbc-graphalytics")
    properties = dict(
        line.split(" = ") for line in (folder / f"{name}.properties").read_text().splitlines() if " = " in line
    )
    edges = [
        (f"l:{int(a):06}", f"l:{int(b):06}", 1.0)
        for a, b, *_ in map(str.split, (folder / f"{name}.e").read_text().splitlines())
    ]
    directed = properties[f"graph.{name}.directed"] == "true"
    if not directed:
        edges += [(b, a, w) for a, b, w in edges]
    keys = [f"l:{int(line):06}" for line in (folder / f"{name}.v").read_text().split()]
    return make_graph(edges, keys), properties, directed


def ldbc_answer(name: str, algorithm: str, find: Shared) -> dict[str, float]:
    lines = (find("ldbc-graphalytics") / f"{name}-{algorithm}").read_text().splitlines()
    return {f"l:{int(vertex):06}": float(value) for vertex, value in map(str.split, lines)}


# --- cores -------------------------------------------------------------------------------------------------


def check_cores(graph: Graph) -> None:
    found = core_numbers(project(graph))
    assert found.dtype == np.int32
    assert by_key(graph, found) == nx.core_number(undirected(graph))


@special
def test_cores_of_special_graphs(graph: Graph) -> None:
    check_cores(graph)


def test_cores_of_real_graphs(shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        check_cores(graph)


@laws
@given(edge_lists(most=14))
def test_cores_are_those_of_networkx(edges: list[Edge]) -> None:
    check_cores(make_graph(edges, ["x:zz"]))


# --- clustering --------------------------------------------------------------------------------------------


def plain_clustering(graph: Graph) -> dict[str, float]:
    edges, near = edges_of(graph), neighbours(graph)
    result = dict.fromkeys(graph.keys, 0.0)
    for key, others in near.items():
        if len(others) >= 2:
            among = sum((a, b) in edges for a in others for b in others)
            result[key] = among / (len(others) * (len(others) - 1))
    return result


def check_clustering(graph: Graph) -> None:
    assert by_key(graph, local_clustering(graph)) == plain_clustering(graph)
    assert by_key(graph, local_clustering_undirected(project(graph))) == pytest.approx(
        nx.clustering(undirected(graph)), rel=1e-12
    )


@pytest.mark.parametrize("name", ["example-directed", "example-undirected"])
def test_clustering_of_ldbc_graphalytics(name: str, shared_data: Shared) -> None:
    graph, _, directed = ldbc(name, shared_data)
    answer = pytest.approx(ldbc_answer(name, "LCC", shared_data), abs=1e-6)
    assert by_key(graph, local_clustering(graph)) == answer
    if not directed:
        assert by_key(graph, local_clustering_undirected(project(graph))) == answer


@special
def test_clustering_of_special_graphs(graph: Graph) -> None:
    check_clustering(graph)


def test_clustering_of_real_graphs(shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        check_clustering(graph)


@laws
@given(edge_lists(most=12))
def test_clustering_counts_follows_among_neighbours(edges: list[Edge]) -> None:
    check_clustering(make_graph(edges, ["x:zz"]))


@laws
@given(edge_lists())
def test_undirected_clustering_is_that_of_all_follows_returned(edges: list[Edge]) -> None:
    pairs = {(min(a, b), max(a, b)) for a, b, _ in edges}
    graph = make_graph(mutual(*sorted(pairs)))
    np.testing.assert_array_equal(local_clustering(graph), local_clustering_undirected(project(graph)))


# --- roles between communities -----------------------------------------------------------------------------


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Graph, np.ndarray]:
    """A graph with isolates, and any labels; isolates have -1."""
    graph = make_graph(draw(edge_lists(most=12)), ["x:y", "x:zz"])
    labels = draw(st.lists(st.sampled_from([0, 1, 2, 7, 2**31 - 1]), min_size=graph.n, max_size=graph.n))
    tied = np.diff(project(graph).ptr) > 0
    return graph, np.where(tied, labels, -1).astype(np.int32)


def plain_participation(near: dict[str, set[str]], label: dict[str, float]) -> dict[str, float]:
    result = dict.fromkeys(near, 0.0)
    for key, others in near.items():
        into = Counter(label[other] for other in others)
        if others:
            result[key] = 1 - math.fsum((count / len(others)) ** 2 for count in into.values())
    return result


def plain_z(near: dict[str, set[str]], label: dict[str, float]) -> dict[str, float]:
    inside = {key: sum(label[other] == label[key] for other in others) for key, others in near.items()}
    result = dict.fromkeys(near, 0.0)
    for key in near:
        members = [inside[other] for other in near if label[other] == label[key]]
        mean = sum(members) / len(members)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in members) / len(members))
        if deviation > 0 and label[key] >= 0:
            result[key] = (inside[key] - mean) / deviation
    return result


def check_roles(graph: Graph, labels: np.ndarray) -> None:
    near, label = neighbours(graph), by_key(graph, labels)
    projection = project(graph)
    found = participation(projection, labels)
    assert by_key(graph, found) == pytest.approx(plain_participation(near, label), abs=1e-12)
    assert np.all((found >= 0) & (found <= 1))
    assert by_key(graph, within_module_z(projection, labels)) == pytest.approx(plain_z(near, label), abs=1e-9)


@laws
@given(labelled())
def test_roles_follow_their_definitions(drawn: tuple[Graph, np.ndarray]) -> None:
    check_roles(*drawn)


@special
def test_roles_in_special_graphs(graph: Graph) -> None:
    tied = np.diff(project(graph).ptr) > 0
    for communities in (1, 2, 5):
        check_roles(graph, np.where(tied, np.arange(graph.n) % communities, -1).astype(np.int32))


def test_roles_in_real_graphs(shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        check_roles(graph, label_propagation(graph, 10))
        check_roles(graph, (np.arange(graph.n) % 6).astype(np.int32))


def test_roles_of_a_connector_by_hand() -> None:
    """Four ties, two into each community: P = 1/2. Six ties into five communities: 1 − (4 + 4 · 1) / 36."""
    graph = make_graph(follows("m>a", "m>b", "c>m", "d>m"))
    assert participation(project(graph), np.array([0, 0, 1, 1, 0], dtype=np.int32)).tolist() == [0, 0, 0, 0, 0.5]
    star = make_graph([("x:m", f"x:{i}", 1.0) for i in range(6)])
    assert participation(project(star), np.array([0, 0, 1, 2, 3, 4, 4], dtype=np.int32))[6] == 1 - 8 / 36


def test_equal_ties_inside_have_no_z() -> None:
    graph = make_graph([*ring(1_001), *((f"y{a}", f"y{b}", w) for a, b, w in ring(7))])
    assert not within_module_z(project(graph), np.zeros(graph.n, dtype=np.int32)).any()


@pytest.mark.parametrize("measure", [participation, within_module_z])
def test_labels_must_fit(measure: type) -> None:
    projection = project(make_graph(follows("a>b"), ["x:c"]))
    for wrong in ([0, 0], [0, 0, 0, 0]):
        with pytest.raises(InvalidRequest, match="one each"):
            measure(projection, np.array(wrong, dtype=np.int32))
    with pytest.raises(InvalidRequest, match="no community"):
        measure(projection, np.array([0, -1, -1], dtype=np.int32))


# --- labels that spread ------------------------------------------------------------------------------------


def plain_labels(graph: Graph, steps: int) -> dict[str, float]:
    position = {key: i for i, key in enumerate(graph.keys)}
    label: dict[str, float] = dict(position)
    for _ in range(steps):
        seen: dict[str, Counter[float]] = {key: Counter() for key in graph.keys}
        for a, b in edges_of(graph):
            seen[a][label[b]] += 1
            seen[b][label[a]] += 1
        label = {
            key: min(counts, key=lambda one: (-counts[one], one)) if counts else label[key]
            for key, counts in seen.items()
        }
    return label


@pytest.mark.parametrize(
    "name", ["example-directed", "example-undirected", "test-cdlp-directed", "test-cdlp-undirected"]
)
def test_labels_of_ldbc_graphalytics(name: str, shared_data: Shared) -> None:
    graph, properties, _ = ldbc(name, shared_data)
    labels = label_propagation(graph, int(properties[f"graph.{name}.cdlp.max-iterations"]))
    assert labels.dtype == np.int32
    vertices = [int(graph.keys[label].removeprefix("l:")) for label in labels]
    assert by_key(graph, np.array(vertices)) == ldbc_answer(name, "CDLP", shared_data)


@laws
@given(edge_lists(most=12), st.integers(0, 6))
def test_labels_follow_the_definition(edges: list[Edge], steps: int) -> None:
    graph = make_graph(edges, ["x:zz"])
    assert by_key(graph, label_propagation(graph, steps)) == plain_labels(graph, steps)


@special
def test_labels_of_special_graphs(graph: Graph) -> None:
    for steps in (0, 1, 5):
        assert by_key(graph, label_propagation(graph, steps)) == plain_labels(graph, steps)


def test_labels_of_real_graphs(shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        assert by_key(graph, label_propagation(graph, 10)) == plain_labels(graph, 10)


def test_steps_below_zero_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="0 or more"):
        label_propagation(SPECIAL["path"], -1)


# --- betweenness -------------------------------------------------------------------------------------------


def check_betweenness(graph: Graph, error: float = 0.03) -> None:
    """Exact beside networkx, sampled beside exact."""
    projection = project(graph)
    exact = betweenness(projection)
    assert (exact.samples, exact.error, exact.confidence) == (0, 0.0, 1.0)
    expected = nx.betweenness_centrality(undirected(graph))
    assert by_key(graph, exact.values) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    sampled = betweenness(projection, error=error, confidence=ALWAYS, exact_up_to=0)
    assert np.abs(sampled.values - exact.values).max(initial=0.0) <= sampled.error <= error


@special
def test_betweenness_of_special_graphs(graph: Graph) -> None:
    check_betweenness(graph)


def test_betweenness_of_real_graphs(shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        check_betweenness(graph, error=0.005)


@laws
@given(edge_lists(most=12))
def test_betweenness_is_that_of_networkx(edges: list[Edge]) -> None:
    check_betweenness(make_graph(edges, ["x:zz"]), error=0.05)


def test_betweenness_with_more_shortest_paths_than_floats_can_count() -> None:
    """In a row of k diamonds each of a_i and b_i is on half of the paths between those before and those behind it.

    A joint is on all of them, and on half of the paths between the two accounts to its left, and to its right.
    """
    k = 1_300
    graph = make_graph(diamonds(k))
    pairs = (graph.n - 1) * (graph.n - 2) / 2
    expected = {}
    for i in range(k):
        expected[f"a{i:04}"] = expected[f"b{i:04}"] = (1 + 3 * i) * (1 + 3 * (k - 1 - i)) / 2 / pairs
    for i in range(k + 1):
        expected[f"j{i:04}"] = (9 * i * (k - i) + 0.5 * (i > 0) + 0.5 * (i < k)) / pairs
    projection = project(graph)
    found = betweenness(projection)
    assert by_key(graph, found.values) == pytest.approx(expected, rel=1e-9)
    sampled = betweenness(projection, error=0.05, confidence=ALWAYS, exact_up_to=0)
    assert np.abs(sampled.values - found.values).max() <= sampled.error <= 0.05


def test_few_paths_beside_very_many() -> None:
    """From end to end: 2 ** 110 paths through a row of diamonds, and a single one of the same length beside it."""
    beside = ["j0000", *(f"p{i:04}" for i in range(2 * 110 - 1)), "j0110"]
    graph = make_graph([*diamonds(110), *mutual(*itertools.pairwise(beside))])
    expected = nx.betweenness_centrality(undirected(graph))
    assert by_key(graph, betweenness(project(graph)).values) == pytest.approx(expected, rel=1e-9)


@given(*[st.floats(1, 1e12), st.integers(0, 3)] * 2)
def test_numbers_of_paths_add_up_with_lifts(paths: float, lift: int, more: float, more_lift: int) -> None:
    total, total_lift, share = joined(paths, lift, more, more_lift)

    def value(number: float, at: int) -> Fraction:
        return Fraction(number) * Fraction(LARGE) ** at

    exact = value(paths, lift) + value(more, more_lift)
    assert abs(value(total, total_lift) / exact - 1) < 1e-15
    assert share == pytest.approx(float(value(more, more_lift) / exact), rel=1e-15)


def test_samples_depend_on_seed_and_number_only(shared_data: Shared) -> None:
    projection = project(make_graph(uk_faculty(shared_data)))

    def through(seed: int, *cuts: int) -> list[int]:
        counts = np.zeros(projection.n, dtype=np.int64)
        for first, last in itertools.pairwise(cuts):
            sample_kernel(projection.ptr, projection.idx, np.uint64(seed), first, last, counts)
        return counts.tolist()

    whole = through(3, 0, 5_000)
    assert through(3, 0, 17, 18, 2_500, 5_000) == whole
    assert through(4, 0, 5_000) != whole
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: through(3, 0, 5_000), range(8))) == [whole] * 8


def test_sampled_betweenness_is_repeatable_for_any_seed(shared_data: Shared) -> None:
    projection = project(make_graph(uk_faculty(shared_data)))
    for seed in (0, 1, -1, 2**63, 2**64 + 5):
        first, second = (betweenness(projection, error=0.05, seed=seed, exact_up_to=0) for _ in range(2))
        assert first.values.tobytes() == second.values.tobytes()
        assert dataclasses.replace(first, values=second.values) == second


def test_the_sampled_mean_is_the_exact_value(shared_data: Shared) -> None:
    """With 400,000 samples, counts are within five standard deviations: pairs and paths are drawn evenly."""
    for graph in (make_graph(uk_faculty(shared_data)), SPECIAL["diamonds"], SPECIAL["components"]):
        projection = project(graph)
        counts = np.zeros(graph.n, dtype=np.int64)
        samples = 400_000
        sample_kernel(projection.ptr, projection.idx, np.uint64(7), 0, samples, counts)
        share = betweenness(projection).values * (graph.n - 2) / graph.n
        allowed = 5 * np.sqrt(samples * share * (1 - share)) + 1e-6
        assert not np.any(np.abs(counts - samples * share) > allowed)


def test_intervals_are_those_of_clopper_and_pearson() -> None:
    for through, samples in [(0, 50), (1, 50), (25, 50), (49, 50), (50, 50), (3, 1_000), (700, 100_000)]:
        interval = binomtest(through, samples).proportion_ci(confidence_level=1 - 2e-5, method="exact")
        widest = max(interval.high - through / samples, through / samples - interval.low)
        assert interval_error(np.array([through]), samples, 1e-5) == pytest.approx(widest, rel=1e-6)


@given(st.integers(3, 10**8), st.floats(1e-5, 0.99), st.floats(1e-9, 0.99))
def test_the_last_look_is_always_enough(n: int, error: float, failure: float) -> None:
    looks, fail = looks_at(n, error, failure)
    assert 1 <= looks[0] <= looks[-1]
    assert looks == sorted(looks)
    assert 2 * n * len(looks) * fail <= failure * (1 + 1e-12)
    half = looks[-1] // 2
    for through in (0, looks[-1] // 100, half, looks[-1]):
        assert interval_error(np.array([through]), looks[-1], fail) <= error * (1 + 1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, math.nan])
def test_errors_and_confidences_outside_0_to_1_are_refused(value: float) -> None:
    projection = project(SPECIAL["path"])
    with pytest.raises(InvalidRequest, match="an error of"):
        betweenness(projection, error=value)
    with pytest.raises(InvalidRequest, match="a confidence of"):
        betweenness(projection, confidence=value)


# --- bridging ----------------------------------------------------------------------------------------------


def plain_bridging(graph: Graph) -> dict[str, float]:
    near, between = neighbours(graph), nx.betweenness_centrality(undirected(graph))
    result = dict.fromkeys(graph.keys, 0.0)
    for key, others in near.items():
        if others:
            result[key] = between[key] * (1 / len(others)) / math.fsum(1 / len(near[other]) for other in others)
    return result


def check_bridging(graph: Graph) -> None:
    projection = project(graph)
    found = bridging(projection, betweenness(projection).values)
    assert by_key(graph, found) == pytest.approx(plain_bridging(graph), rel=1e-9, abs=1e-12)


@special
def test_bridging_in_special_graphs(graph: Graph) -> None:
    check_bridging(graph)


@laws
@given(edge_lists(most=12))
def test_bridging_follows_its_definition(edges: list[Edge]) -> None:
    check_bridging(make_graph(edges, ["x:zz"]))


def test_the_account_between_two_cliques_bridges_most() -> None:
    graph = SPECIAL["barbell"]
    found = bridging(project(graph), betweenness(project(graph)).values)
    assert graph.keys[int(np.argmax(found))] == "x:m"


def test_bridging_needs_one_value_each() -> None:
    with pytest.raises(InvalidRequest, match="one value each"):
        bridging(project(SPECIAL["path"]), np.zeros(3))


# --- PageRank from chosen accounts -------------------------------------------------------------------------


def exact_rank(graph: Graph, damping: float, restart: np.ndarray) -> np.ndarray:
    """Solve π = d · Pᵀπ + (1 − d) · r exactly, as a dense linear system whose dangling rows of P are r."""
    restart = restart / restart.sum()
    step = np.tile(restart, (graph.n, 1))
    for i in range(graph.n):
        row = slice(int(graph.out_ptr[i]), int(graph.out_ptr[i + 1]))
        if row.stop > row.start:
            step[i] = 0
            step[i, graph.out_idx[row]] = graph.out_weight[row] / graph.out_weight[row].sum()
    return np.linalg.solve(np.eye(graph.n) - damping * step.T, (1 - damping) * restart)


RESTARTS = st.lists(st.sampled_from([0.0, 0.0, 1.0, 3.5, 1e-6]), min_size=12, max_size=12)


@laws
@given(edge_lists(most=11), RESTARTS, st.sampled_from([0.0, 0.3, 0.85, 0.99, 0.998]))
def test_personalised_pagerank_is_the_exact_solution(edges: list[Edge], restarts: list[float], damping: float) -> None:
    graph = make_graph(edges, ["x:zz"])
    restart = np.array(restarts[: graph.n])
    restart[0] += not restart.any()
    rank = personalised_pagerank(graph, damping, restart)
    assert math.fsum(rank) == pytest.approx(1, abs=1e-12)
    assert np.abs(rank - exact_rank(graph, damping, restart)).sum() <= 1e-11


@pytest.mark.parametrize("damping", [0.5, 0.85, 0.99])
def test_personalised_pagerank_of_real_graphs(damping: float, shared_data: Shared) -> None:
    for graph in real_graphs(shared_data):
        restart = np.zeros(graph.n)
        restart[[3, 5, 8]] = [1, 2, 0.5]
        rank = personalised_pagerank(graph, damping, restart)
        assert np.abs(rank - exact_rank(graph, damping, restart)).sum() <= 2e-12
        if damping < 0.99:
            chosen = {graph.keys[i]: restart[i] for i in (3, 5, 8)}
            expected = nx.pagerank(
                to_networkx(graph), damping, personalization=chosen, tol=1e-13 / graph.n, max_iter=1_000
            )
            assert by_key(graph, rank) == pytest.approx(expected, rel=1e-9, abs=1e-13)


@special
def test_personalised_pagerank_of_special_graphs(graph: Graph) -> None:
    for place in range(0, graph.n, 7):
        restart = np.zeros(graph.n)
        restart[place] = 2
        rank = personalised_pagerank(graph, 0.85, restart)
        assert np.abs(rank - exact_rank(graph, 0.85, restart)).sum() <= 2e-12
    assert personalised_pagerank(graph, 0.85, np.ones(graph.n)).shape == (graph.n,)


@laws
@given(edge_lists(most=10, weights=EXTREMES))
def test_personalised_pagerank_with_extreme_weights(edges: list[Edge]) -> None:
    graph = default_ties(make_graph(edges))
    restart = np.arange(1.0, graph.n + 1)
    rank = personalised_pagerank(graph, 0.85, restart)
    assert np.abs(rank - exact_rank(graph, 0.85, restart)).sum() <= 1e-11


@pytest.mark.parametrize("leaves", [5, 5_000])
def test_personalised_pagerank_of_hubs_by_hand(leaves: int) -> None:
    """Restarts at the hub: hub = (1 − d) + d · leaves · leaf and leaf = d · hub / leaves."""
    graph = make_graph(mutual(*(("x:hub", f"x:{i:04}") for i in range(leaves))))
    restart = np.zeros(graph.n)
    restart[-1] = 1e308
    rank = personalised_pagerank(graph, 0.85, restart)
    hub = 0.15 / (1 - 0.85**2)
    assert rank[-1] == pytest.approx(hub, rel=1e-11)
    assert rank[:-1].tolist() == pytest.approx([0.85 * hub / leaves] * leaves, rel=1e-11)
    assert len(set(rank[:-1].tolist())) == 1


def test_only_ratios_of_restarts_count() -> None:
    graph = SPECIAL["components"]
    rank = personalised_pagerank(graph, 0.85, np.ones(graph.n))
    for unit in (1e308, 5e-324, 2.0**-1000):
        np.testing.assert_array_equal(personalised_pagerank(graph, 0.85, np.full(graph.n, unit)), rank)


def test_who_cannot_be_reached_has_no_rank() -> None:
    graph = make_graph(follows("a>b", "c>d", "d>c"))
    rank = personalised_pagerank(graph, 0.85, np.array([1.0, 0, 0, 0]))
    assert rank.tolist() == pytest.approx([1 / 1.85, 0.85 / 1.85, 0, 0], rel=1e-12)
    assert rank[2:].tolist() == [0, 0]


def test_restarts_and_damping_that_make_no_sense_are_refused() -> None:
    graph = make_graph(follows("a>b"))
    for wrong in ([0, 0], [1, -1], [1, math.nan], [1, math.inf]):
        with pytest.raises(InvalidRequest, match="not all 0"):
            personalised_pagerank(graph, 0.85, np.array(wrong, dtype=np.float64))
    with pytest.raises(InvalidRequest, match="one each"):
        personalised_pagerank(graph, 0.85, np.ones(3))
    for damping in (-0.1, 0.9981, 1.0, math.nan):
        with pytest.raises(InvalidRequest, match=r"at most 0\.998"):
            personalised_pagerank(graph, damping, np.ones(2))


# --- laws of all -------------------------------------------------------------------------------------------


def all_measures(graph: Graph) -> dict[str, dict[str, float]]:
    """Every measure that does not depend on the names of accounts; betweenness as a count of pairs."""
    projection = project(graph)
    between = betweenness(projection).values
    community = np.array([len(key) % 2 for key in graph.keys], dtype=np.int32)  # by key, so that it moves along
    restart = np.array([1.0 + len(key) for key in graph.keys])
    pairs = max((graph.n - 1) * (graph.n - 2), 1)
    found = {
        "core": core_numbers(projection),
        "clustering": local_clustering(graph),
        "undirected clustering": local_clustering_undirected(projection),
        "participation": participation(projection, community),
        "z": within_module_z(projection, community),
        "betweenness": between * pairs,
        "bridging": bridging(projection, between * pairs),
        "rank": personalised_pagerank(graph, 0.85, restart),
    }
    return {name: by_key(graph, values) for name, values in found.items()}


def renamed(key: str, names: list[str]) -> str:
    """Another name of the same length, so that labels and restarts by length stay."""
    return names[int(key.removeprefix("x:"))]


@laws
@given(edge_lists(most=10), st.permutations([f"x:{i}" for i in range(10)]), st.integers(0, 5))
def test_names_and_order_of_reading_do_not_matter(edges: list[Edge], names: list[str], shuffle: int) -> None:
    edges = [*edges, ("x:0", "longer", 1.0), ("longer", "y:0", 2.0)]
    plain = all_measures(make_graph(edges))
    again = all_measures(make_graph(edges, shuffle=shuffle))
    assert again == plain
    swapped = {a: a if a in ("longer", "y:0") else renamed(a, names) for edge in edges for a in edge[:2]}
    other = all_measures(make_graph([(swapped[a], swapped[b], w) for a, b, w in edges], shuffle=shuffle))
    for name, values in plain.items():
        assert {key: other[name][swapped[key]] for key in values} == pytest.approx(values, rel=1e-9, abs=1e-12), name


@laws
@given(edge_lists(most=10))
def test_an_isolate_changes_nobody(edges: list[Edge]) -> None:
    """Betweenness counts shares of all pairs, so it is the count of pairs that stays. Rank without restarts at it."""
    small, large = make_graph(edges), make_graph(edges, ["x:00", "y"])
    before, after = all_measures(small), all_measures(large)
    for name in ("core", "clustering", "undirected clustering", "participation", "betweenness", "bridging"):
        there = {key: after[name][key] for key in before[name]}
        assert there == pytest.approx(before[name], rel=1e-9, abs=1e-12), name
        assert after[name]["x:00"] == after[name]["y"] == 0
    tied = np.array([key not in ("x:00", "y") for key in large.keys])
    community = np.where(tied, 0, -1).astype(np.int32)
    z = within_module_z(project(large), community)
    np.testing.assert_array_equal(z[tied], within_module_z(project(small), community[tied]))
    rank = personalised_pagerank(large, 0.85, tied.astype(np.float64))
    np.testing.assert_allclose(rank[tied], personalised_pagerank(small, 0.85, np.ones(small.n)), rtol=1e-11)
    labels = label_propagation(large, 5)
    assert [large.keys[i] for i in labels[tied]] == [small.keys[i] for i in label_propagation(small, 5)]


@laws
@given(edge_lists(most=10), edge_lists(most=10, weights=EXTREMES))
def test_weights_count_for_rank_alone(edges: list[Edge], others: list[Edge]) -> None:
    weights = [w for _, _, w in others]
    heavy = [(a, b, weights[place % len(weights)]) for place, (a, b, _) in enumerate(edges)]
    graph = make_graph(heavy)
    scaled = dataclasses.replace(
        graph, out_weight=default_ties(graph).out_weight
    )  # so that sums of weights cannot overflow
    one, two = all_measures(make_graph(edges)), all_measures(scaled)
    assert {name: one[name] for name in one if name != "rank"} == {name: two[name] for name in two if name != "rank"}


def test_nobody_is_changed_in_place(shared_data: Shared) -> None:
    graph = make_graph(uk_faculty(shared_data))
    arrays = [value for value in vars(graph).values() if isinstance(value, np.ndarray)]
    before = [array.copy() for array in arrays]
    all_measures(graph)
    betweenness(project(graph), error=0.1, exact_up_to=0)
    label_propagation(graph, 3)
    assert all(np.array_equal(old, new) for old, new in zip(before, arrays, strict=True))
