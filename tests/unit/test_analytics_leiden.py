"""Leiden's kernels against definitions written out plainly, python-louvain, planted truth, and laws."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import community as python_louvain
import networkx as nx
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.communities import canonical, connected_parts, find_communities
from service.analytics.engine import get_engine
from service.analytics.fast import FastEngine
from service.analytics.graph import Projection, project, to_networkx
from service.analytics.leiden import (
    MOVE_GAIN,
    aggregate,
    compact,
    leiden,
    move_nodes,
    null_model,
    rearranged,
    refine,
    sorted_by,
    visiting_order,
)
from service.domain import EngineName, Graph, QualityFunction, RunSpec, no_progress
from tests.unit.analytics_graphs import (
    Edge,
    clique,
    congress,
    default_ties,
    edge_lists,
    laws,
    lfr,
    make_graph,
    mutual,
    uk_faculty,
    undirected,
)

Shared = Callable[[str], Path]
RESOLUTIONS = st.sampled_from([0.25, 1.0, 3.0])


def ties_of(projection: Projection) -> dict[tuple[int, int], float]:
    """Each pair once, by plain loops."""
    return {
        (i, int(projection.idx[e])): float(projection.weight[e])
        for i in range(projection.n)
        for e in range(int(projection.ptr[i]), int(projection.ptr[i + 1]))
        if i < projection.idx[e]
    }


def plain_modularity(projection: Projection, labels: list[int], resolution: float) -> float:
    """Q_γ from its definition."""
    ties = ties_of(projection)
    total = math.fsum(ties.values())
    inside, strength = defaultdict(float), defaultdict(float)
    for (i, j), weight in ties.items():
        strength[labels[i]] += weight
        strength[labels[j]] += weight
        if labels[i] == labels[j]:
            inside[labels[i]] += weight
    return math.fsum(inside[c] / total - resolution * (strength[c] / (2 * total)) ** 2 for c in strength)


def quality_of(graph: Graph, labels: list[int], resolution: float, function: QualityFunction) -> float:
    """A quality of a partition of follows, from networkx or from its definition, but for what no partition changes."""
    groups = list(grouped(graph, np.array(labels)))
    if function == "directed_modularity":
        return float(nx.community.modularity(to_networkx(graph), groups, resolution=resolution))
    if function == "modularity":
        return float(nx.community.modularity(undirected(graph), groups, resolution=resolution))
    plain = undirected(graph)
    tied = [node for node in plain if plain.degree(node)]
    density = resolution * 2 * plain.size(weight="weight") / len(tied) ** 2
    same = [plain.subgraph(set(members) & set(tied)) for members in groups]
    inside = math.fsum(part.size(weight="weight") - density * math.comb(len(part), 2) for part in same)
    return inside / plain.size(weight="weight")


def parts_of(projection: Projection) -> np.ndarray:
    """The order in which nodes are visited."""
    return visiting_order(projection.ptr.view(np.uint64), 7)


def unsigned(projection: Projection) -> tuple[np.ndarray, np.ndarray]:
    return projection.ptr.view(np.uint64), projection.idx.view(np.uint32)


QUALITIES: tuple[QualityFunction, ...] = ("modularity", "directed_modularity", "cpm")


@st.composite
def started(draw: st.DrawFn) -> tuple[Graph, np.ndarray, float, QualityFunction]:
    """A graph with an isolate, a partition of it, a resolution and a quality."""
    graph = make_graph(draw(edge_lists(most=12)), ["x:zz"])
    labels = draw(st.lists(st.integers(0, graph.n - 1), min_size=graph.n, max_size=graph.n))
    return graph, np.array(labels, dtype=np.uint32), draw(RESOLUTIONS), draw(st.sampled_from(QUALITIES))


Started = tuple[Graph, np.ndarray, float, QualityFunction]


# --- kernels -------------------------------------------------------------------------------------------------


@laws
@given(started())
def test_the_gain_that_is_claimed_is_the_gain_measured(start: Started) -> None:
    graph, labels, resolution, function = start
    projection = project(graph)
    before = quality_of(graph, labels.tolist(), resolution, function)
    gained = move_nodes(
        *unsigned(projection), projection.weight, *_with_rate(projection, resolution, function, labels),
        parts_of(projection), 0.0, MOVE_GAIN,
    )  # fmt: skip
    after = quality_of(graph, labels.tolist(), resolution, function)
    assert gained >= 0
    assert after - before == pytest.approx(2 * gained / projection.weight.sum(), abs=1e-12)


def _with_rate(
    projection: Projection, resolution: float, function: QualityFunction, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, float]:
    mass, skew, rate = null_model(projection, resolution, function)
    return mass, skew, labels, rate


@laws
@given(started())
def test_refined_parts_are_connected_pieces_of_their_community(start: Started) -> None:
    graph, labels, resolution, function = start
    projection = project(graph)
    part = refine(
        *unsigned(projection), projection.weight, *_with_rate(projection, resolution, function, labels),
        parts_of(projection),
    )  # fmt: skip
    plain = nx.Graph(list(ties_of(projection)))
    plain.add_nodes_from(range(projection.n))
    members = defaultdict(list)
    for v, p in enumerate(part.tolist()):
        members[p].append(v)
    for of_part in members.values():
        assert len({int(labels[v]) for v in of_part}) == 1
        assert nx.is_connected(plain.subgraph(of_part))
    alone = quality_of(graph, list(range(projection.n)), resolution, function)
    assert quality_of(graph, part.tolist(), resolution, function) >= alone - 1e-12


@laws
@given(started())
def test_the_smaller_graph_is_the_graph_between_parts(start: Started) -> None:
    graph, labels, resolution, _ = start
    projection = project(graph)
    mass, skew, _, rate = _with_rate(projection, resolution, "directed_modularity", labels)
    assert skew is not None
    parts = refine(*unsigned(projection), projection.weight, mass, skew, labels, rate, parts_of(projection))
    count = compact(parts)
    ptr, idx, weight, coarse_mass, coarse_skew, coarse_labels = aggregate(
        *unsigned(projection), projection.weight, mass, skew, labels, parts, count
    )
    assert coarse_skew is not None
    expected: dict[tuple[int, int], float] = defaultdict(float)
    for (i, j), tie in ties_of(projection).items():
        if parts[i] != parts[j]:
            expected[min(parts[i], parts[j]), max(parts[i], parts[j])] += tie
    assert ties_of(Projection.of(ptr, idx, weight)) == pytest.approx(dict(expected))
    for p in range(count):
        assert coarse_mass[p] == pytest.approx(mass[parts == p].sum())
        assert coarse_skew[p] == pytest.approx(skew[parts == p].sum(), abs=1e-12)
    for i, j in itertools.combinations(range(projection.n), 2):
        assert (labels[i] == labels[j]) == (coarse_labels[parts[i]] == coarse_labels[parts[j]])


def asking_ahead(kernel: Any) -> Any:
    """The same kernel, compiled to ask the memory ahead in graphs of any size, as it does in large ones only."""
    plain = kernel.py_func
    return numba.njit(error_model="numpy")(FunctionType(plain.__code__, {**plain.__globals__, "FAR": 0}))


def test_what_is_asked_of_the_memory_ahead_changes_nothing() -> None:
    draw = random.Random(1)
    names = [f"x:{i:03}" for i in range(400)]
    pairs = {(draw.choice(names), draw.choice(names)) for _ in range(3000)}
    hub = [(name, names[0]) for name in names[1:]]  # with more ties than are asked for
    projection = project(make_graph(mutual(*{(min(a, b), max(a, b)) for a, b in [*pairs, *hub] if a != b})))
    ptr, idx = unsigned(projection)
    mass, skew, rate = null_model(projection, 1.0, "directed_modularity")
    moved = [np.arange(projection.n, dtype=np.uint32) for _ in range(2)]
    graph = ptr, idx, projection.weight, mass, skew
    for labels, kernel in zip(moved, (move_nodes, asking_ahead(move_nodes)), strict=True):
        kernel(*graph, labels, rate, parts_of(projection), 0.0, MOVE_GAIN)
    assert np.array_equal(*moved)
    parts = refine(*graph, moved[0], rate, parts_of(projection))
    count = compact(parts)
    order = sorted_by(parts, count)[1]
    for kernel, more in ((aggregate, (mass, skew, moved[0], parts, count)), (rearranged, (order,))):
        one, other = (of(ptr, idx, projection.weight, *more) for of in (kernel, asking_ahead(kernel)))
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@laws
@given(started())
def test_nodes_put_side_by_side_make_the_same_graph(start: Started) -> None:
    graph, labels, _, _ = start
    projection = project(graph)
    ptr, order = sorted_by(labels, graph.n)
    assert order.tolist() == sorted(range(graph.n), key=lambda v: (labels[v], v))
    assert [labels[order[ptr[c] : ptr[c + 1]]].tolist() for c in range(graph.n)] == [
        [c] * labels.tolist().count(c) for c in range(graph.n)
    ]
    found = ties_of(Projection.of(*rearranged(*unsigned(projection), projection.weight, order)))
    there = {tuple(sorted((int(order[i]), int(order[j])))): weight for (i, j), weight in found.items()}
    assert there == ties_of(projection)


def test_every_node_with_ties_is_visited_once_in_an_order_drawn_from_the_seed() -> None:
    names = [f"x:{i:05}" for i in range(2000)]
    graph = make_graph(mutual(*itertools.pairwise(names)), ["x:00000a", "x:01000a"])
    ptr = project(graph).ptr
    tied = np.flatnonzero(np.diff(ptr))
    orders = [visiting_order(ptr.view(np.uint64), seed).tolist() for seed in (0, 1, 1, 2**31 - 1)]
    assert all(sorted(order) == tied.tolist() for order in orders)
    assert orders[1] == orders[2]
    assert len({tuple(order) for order in orders}) == 3


# --- partitions ----------------------------------------------------------------------------------------------


def musae(find: Shared, name: str) -> list[Edge]:
    with find(f"musae-twitch/{name}_edges.csv").open(newline="") as lines:
        return mutual(*{(f"t:{min(a, b)}", f"t:{max(a, b)}") for a, b in list(csv.reader(lines))[1:] if a != b})


def collegemsg(find: Shared) -> list[Edge]:
    with find("collegemsg/CollegeMsg.txt").open() as lines:
        sent = Counter(tuple(line.split()[:2]) for line in lines)
    return [(f"c:{a}", f"c:{b}", float(times)) for (a, b), times in sorted(sent.items()) if a != b]


def lastfm(find: Shared) -> list[Edge]:
    with find("lastfm-asia/edges.csv").open(newline="") as lines:
        return mutual(*{(f"l:{min(a, b)}", f"l:{max(a, b)}") for a, b in list(csv.reader(lines))[1:] if a != b})


def dblp(find: Shared) -> list[Edge]:
    with gzip.open(find("com-dblp/dblp.csv.gz"), "rt") as lines:
        return [(f"d:{a}", f"d:{b}", 1.0) for a, b in (line.split() for line in lines) if a != b]


READERS: dict[str, Callable[[Shared], list[Edge]]] = {
    "uk-faculty": uk_faculty,
    "congress": congress,
    "collegemsg": collegemsg,
    "lastfm": lastfm,
    "twitch-ENGB": lambda find: musae(find, "ENGB"),
    "twitch-PTBR": lambda find: musae(find, "PTBR"),
    "lfr-0.1": lambda find: lfr(find, "0.1")[0],
    "lfr-0.3": lambda find: lfr(find, "0.3")[0],
    "dblp": dblp,
}


@pytest.mark.parametrize("name", [*sorted(set(READERS) - {"dblp"}), pytest.param("dblp", marks=pytest.mark.long)])
def test_modularity_is_not_below_python_louvain(name: str, shared_data: Shared) -> None:
    graph = make_graph(READERS[name](shared_data))
    projection = project(graph)
    labels = leiden(projection, 1.0, 42)
    plain: nx.Graph[int] = nx.Graph()
    plain.add_nodes_from(range(graph.n))
    plain.add_weighted_edges_from((i, j, weight) for (i, j), weight in ties_of(projection).items())
    other = python_louvain.best_partition(plain, random_state=42)
    ours = python_louvain.modularity(dict(enumerate(labels.tolist())), plain)
    assert ours >= python_louvain.modularity(other, plain) - 0.005
    assert ours == pytest.approx(plain_modularity(projection, labels.tolist(), 1.0), abs=1e-9)
    assert connected_parts(projection, labels).max() == labels.max()


def partitions(things: list[int]) -> Iterator[list[list[int]]]:
    """All partitions of some things."""
    if not things:
        yield []
        return
    first, rest = things[0], things[1:]
    for parts in partitions(rest):
        yield [[first], *parts]
        for position, part in enumerate(parts):
            yield [*parts[:position], [first, *part], *parts[position + 1 :]]


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("function", QUALITIES)
def test_small_graphs_are_parted_nearly_at_their_best(function: QualityFunction, engine: EngineName) -> None:
    """Against the best of all partitions of graphs of seven accounts, drawn at random."""
    draw = random.Random(11)
    names = [f"x:{i}" for i in range(7)]
    everything = list(partitions(list(range(7))))
    best, found = [], []
    for _ in range(25):
        given = np.array(
            [[draw.choice([1.0, 2.0, 0.25]) * (i != j and draw.random() < 0.3) for j in range(7)] for i in range(7)]
        )
        edges = [(names[i], names[j], given[i, j]) for i, j in itertools.permutations(range(7), 2) if given[i, j]]
        graph = make_graph(edges, names)
        ties = given + given.T
        strength, tied = ties.sum(axis=0), ties.any(axis=0).astype(float)
        expected = {
            "modularity": np.outer(strength, strength) / strength.sum(),
            "directed_modularity": 2 * np.outer(given.sum(axis=1), given.sum(axis=0)) / given.sum(),
            "cpm": np.outer(tied, tied) * strength.sum() / tied.sum() ** 2,
        }[function]
        gain = (ties - expected) / strength.sum()
        labels = get_engine(engine).partition(project(graph), 1.0, 42, function).tolist()
        groups = [[i for i in range(7) if labels[i] == label] for label in set(labels)]
        best.append(max(sum(gain[np.ix_(part, part)].sum() for part in parts) for parts in everything))
        found.append(sum(gain[np.ix_(part, part)].sum() for part in groups))
        assert found[-1] <= best[-1] + 1e-12
    assert sum(one == pytest.approx(other, abs=1e-12) for one, other in zip(found, best, strict=True)) >= 18
    assert sum(found) >= 0.97 * sum(best)


@pytest.mark.parametrize("name", ["uk-faculty", "congress", "collegemsg"])
def test_directed_modularity_is_not_below_networkx(name: str, shared_data: Shared) -> None:
    graph = make_graph(READERS[name](shared_data))
    plain = to_networkx(graph)
    labels = leiden(project(graph), 1.0, 42, "directed_modularity")
    ours = nx.community.modularity(plain, grouped(graph, labels))
    other = nx.community.louvain_communities(plain, seed=42)
    assert ours >= nx.community.modularity(plain, other) - 0.005


def test_directed_modularity_sees_what_modularity_cannot() -> None:
    """Two groups who follow each other at random, and fans of one of them: only who gives and who gets tells fans."""
    draw = random.Random(5)
    one, two = ([f"x:{name}{i:02}" for i in range(20)] for name in "ab")
    edges = [(a, b, 1.0) for names in (one, two) for a, b in itertools.permutations(names, 2) if draw.random() < 0.4]
    edges += [(a, draw.choice(two), 1.0) for a in one for _ in range(3)]
    graph = make_graph({(a, b): (a, b, w) for a, b, w in edges}.values())
    labels = leiden(project(graph), 1.0, 42, "directed_modularity")
    assert grouped(graph, labels) == {frozenset(one), frozenset(two)}


@pytest.mark.parametrize("function", QUALITIES)
def test_engines_find_partitions_of_one_quality(function: QualityFunction, shared_data: Shared) -> None:
    graph = make_graph(uk_faculty(shared_data))
    fast, plain = (
        quality_of(graph, get_engine(name).partition(project(graph), 1.0, 42, function).tolist(), 1.0, function)
        for name in ("fast", "reference")
    )
    assert fast >= plain - 0.005


def test_the_constant_potts_model_has_no_resolution_limit() -> None:
    """Modularity merges neighbouring cliques of a long ring (Fortunato and Barthélemy 2007); cpm does not."""
    cliques = [[f"x:{c:02}-{i}" for i in range(5)] for c in range(40)]
    bridges = [(a[0], b[1]) for a, b in zip(cliques, [*cliques[1:], cliques[0]], strict=True)]
    graph = make_graph([edge for names in cliques for edge in clique(names)] + mutual(*bridges))
    apart = {frozenset(names) for names in cliques}
    assert grouped(graph, leiden(project(graph), 4.0, 42, "cpm")) == apart
    assert grouped(graph, leiden(project(graph), 1.0, 42)) != apart


def mutual_information(one: list[int], other: list[int]) -> float:
    """Normalised mutual information 2·I/(H + H'), from its definition."""
    n = len(one)
    both, a, b = Counter(zip(one, other, strict=True)), Counter(one), Counter(other)
    shared = math.fsum(c / n * math.log(c * n / (a[x] * b[y])) for (x, y), c in both.items())
    entropies = [-math.fsum(c / n * math.log(c / n) for c in counts.values()) for counts in (a, b)]
    return 2 * shared / sum(entropies)


def test_planted_communities_are_found(shared_data: Shared) -> None:
    edges, planted = lfr(shared_data, "0.1")
    graph = make_graph(edges)
    labels = leiden(project(graph), 1.0, 42)
    assert mutual_information(labels.tolist(), [planted[key] for key in graph.keys]) >= 0.95


def test_the_karate_club_is_parted_at_its_best() -> None:
    """The greatest modularity of the unweighted club is 0.4198 (Brandes et al. 2008)."""
    club = nx.karate_club_graph()
    projection = project(make_graph([(f"k:{a:02}", f"k:{b:02}", 1.0) for a, b in club.edges]))
    found = max(plain_modularity(projection, leiden(projection, 1.0, seed).tolist(), 1.0) for seed in range(5))
    assert found == pytest.approx(0.4198, abs=5e-5)


def test_a_ring_of_cliques() -> None:
    cliques = [[f"x:{c:02}-{i}" for i in range(6)] for c in range(12)]
    bridges = [(a[0], b[1]) for a, b in zip(cliques, [*cliques[1:], cliques[0]], strict=True)]
    graph = make_graph([edge for names in cliques for edge in clique(names)] + mutual(*bridges))
    labels = leiden(project(graph), 1.0, 42).tolist()
    assert labels == [c for c in range(12) for _ in range(6)]


SPECIAL: dict[str, tuple[list[Edge], list[str]]] = {
    "nobody": ([], []),
    "one": ([], ["x:a"]),
    "isolates": ([], ["x:a", "x:b", "x:c"]),
    "one follow": ([("x:a", "x:b", 1.0)], []),
    "star": ([(f"x:{i}", "x:hub", 1.0) for i in range(50)], []),
    "clique": (clique(f"x:{i}" for i in range(8)), []),
    "two cliques and a bridge": (
        clique(f"x:a{i}" for i in range(6)) + clique(f"x:b{i}" for i in range(6)) + mutual(("x:a0", "x:b0")),
        ["x:c"],
    ),
    "huge and tiny weights": ([("x:a", "x:b", 1e300), ("x:b", "x:c", 1e-300), ("x:c", "x:d", 5e-324)], []),
    "path": ([(f"x:{i:03}", f"x:{i + 1:03}", 1.0) for i in range(300)], []),
}


@pytest.mark.parametrize("function", QUALITIES)
@pytest.mark.parametrize("resolution", [1e-308, 0.25, 1.0, 4.0, 1e308])
@pytest.mark.parametrize("name", SPECIAL)
def test_special_graphs(name: str, resolution: float, function: QualityFunction) -> None:
    edges, accounts = SPECIAL[name]
    graph = default_ties(make_graph(edges, accounts))
    labels = leiden(project(graph), resolution, 1, function)
    assert labels.dtype == np.int32
    assert labels.shape == (graph.n,)
    assert sorted(set(labels.tolist())) == list(range(len(set(labels.tolist()))))
    if name == "two cliques and a bridge" and 0.1 < resolution < 2:
        assert labels.tolist() == [0] * 6 + [1] * 6 + [2]
    if name == "huge and tiny weights" and resolution == 1.0 and function != "directed_modularity":  # a follow gains 0
        assert labels[0] == labels[1]
    if resolution > 1e100 and name != "huge and tiny weights":  # there even 10⁹ · s² is nothing beside the tie
        assert len(set(labels.tolist())) == graph.n


# --- the same answer ---------------------------------------------------------------------------------------


def grouped(graph: Graph, labels: np.ndarray) -> set[frozenset[str]]:
    members = defaultdict(set)
    for key, label in zip(graph.keys, labels.tolist(), strict=True):
        members[label].add(key)
    return {frozenset(keys) for keys in members.values()}


@laws
@given(edge_lists(most=12), RESOLUTIONS, st.integers(0, 100), st.sampled_from(QUALITIES))
def test_isolates_change_nobody(edges: list[Edge], resolution: float, seed: int, function: QualityFunction) -> None:
    plain, more = make_graph(edges), make_graph(edges, ["a:0", "x:00", "x:5a", "z:9"])
    one, two = (grouped(graph, leiden(project(graph), resolution, seed, function)) for graph in (plain, more))
    assert two - one == {frozenset([key]) for key in ("a:0", "x:00", "x:5a", "z:9")}


def test_order_and_threads_do_not_show(shared_data: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = congress(shared_data)
    answers = set()
    for threads, shuffle in itertools.product((1, 2, 4), (None, 1, 2)):
        monkeypatch.setattr(FastEngine, "threads", threads)
        graph = make_graph(edges, ["zz:isolate"], shuffle=shuffle)
        found = find_communities(graph, project(graph), get_engine("fast"), RunSpec(), no_progress)
        answers.add((found.labels.tobytes(), found.levels))
    assert len(answers) == 1


def test_names_change_the_order_of_visits_but_not_what_is_clear() -> None:
    """Accounts of a planted partition get other keys: the same communities come out."""
    groups = [[f"{c}-{i}" for i in range(30)] for c in range(5)]
    draw = random.Random(3)
    pairs = [pair for names in groups for pair in itertools.combinations(names, 2) if draw.random() < 0.5]
    pairs += [(draw.choice(groups[a]), draw.choice(groups[b])) for a, b in itertools.combinations(range(5), 2)]
    names = [name for members in groups for name in members]
    for seed in range(3):
        other = dict(zip(names, random.Random(seed).sample(names, len(names)), strict=True))
        graph = make_graph(mutual(*((f"x:{other[a]}", f"x:{other[b]}") for a, b in pairs)))
        expected = {frozenset(f"x:{other[name]}" for name in members) for members in groups}
        assert grouped(graph, leiden(project(graph), 1.0, seed)) == expected


def test_labels_are_canonical_after_splitting(shared_data: Shared) -> None:
    projection = project(make_graph(uk_faculty(shared_data)))
    labels = canonical(connected_parts(projection, leiden(projection, 1.0, 42)))
    sizes = np.bincount(labels)
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    graph = undirected(make_graph(uk_faculty(shared_data)))
    keys = make_graph(uk_faculty(shared_data)).keys
    for c in range(len(sizes)):
        assert nx.is_connected(graph.subgraph([keys[i] for i in np.flatnonzero(labels == c)]))
