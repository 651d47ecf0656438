"""Partitions, the choice among them, ids and labels, against networkx and python-louvain."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import community as python_louvain
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.communities import (
    ISOLATE,
    canonical,
    choose_level,
    community_id,
    community_label,
    connected_parts,
    find_communities,
    members_of,
    modularity,
    most_followed,
    useful_sizes,
)
from service.analytics.engine import get_engine
from service.analytics.graph import project
from service.domain import Graph, RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import (
    Edge,
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
    undirected,
)

Shared = Callable[[str], Path]
RULES = ScoringRules()
ENGINE = get_engine("reference")
SPEC = RunSpec(rules=ScoringRules(rewirings=0))


def groups(graph: Graph, labels: np.ndarray) -> list[set[str]]:
    found: dict[int, set[str]] = {}
    for key, label in zip(graph.keys, labels.tolist(), strict=True):
        found.setdefault(label, set()).add(key)
    return [members for label, members in sorted(found.items()) if label != ISOLATE]


# --- partitions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", RULES.resolutions)
@pytest.mark.parametrize("name", ["congress", "uk-faculty", "lfr"])
def test_louvain_maximises_modularity_at_the_resolution_asked(
    name: str, resolution: float, shared_data: Shared
) -> None:
    """As good as networkx's own Louvain at each γ: the resolution of python-louvain is not simply γ."""
    edges = {"congress": congress, "uk-faculty": uk_faculty, "lfr": lambda find: lfr(find, "0.2")[0]}[name](shared_data)
    graph = make_graph(edges)
    projected = undirected(graph)
    found = groups(graph, ENGINE.partition(project(graph), resolution, 42))
    other = nx.community.louvain_communities(projected, resolution=resolution, seed=42)
    ours = nx.community.modularity(projected, found, resolution=resolution)
    assert ours >= nx.community.modularity(projected, other, resolution=resolution) - 0.015


def test_at_resolution_one_it_is_python_louvain(shared_data: Shared) -> None:
    graph = make_graph(uk_faculty(shared_data))
    plain = nx.relabel_nodes(undirected(graph), {key: i for i, key in enumerate(graph.keys)})
    ordered = nx.Graph()
    ordered.add_nodes_from(range(graph.n))
    ordered.add_edges_from(sorted((min(a, b), max(a, b), d) for a, b, d in plain.edges(data=True)))
    expected = python_louvain.best_partition(ordered, resolution=1.0, random_state=7)
    found = ENGINE.partition(project(graph), 1.0, 7)
    assert found.tolist() == [expected[i] for i in range(graph.n)]


@pytest.mark.parametrize("resolution", [5e-324, 1e-12, 0.25, 1.0, 4.0, 1e12, 1e308])
def test_extreme_resolutions_end(resolution: float) -> None:
    graph = make_graph(clique(["x:a", "x:b", "x:c"]) + mutual(("x:d", "x:e")), ["x:f"])
    labels = ENGINE.partition(project(graph), resolution, 1)
    assert len(labels) == graph.n
    if resolution > 1e9:
        assert len(set(labels[:5].tolist())) == 5
    if resolution < 1e-9:
        assert len(set(labels[:5].tolist())) == 2  # only neighbours are ever merged


@pytest.mark.parametrize("name", ["congress", "uk-faculty"])
def test_communities_are_connected_in_order_and_account_for_everybody(name: str, shared_data: Shared) -> None:
    edges = {"congress": congress, "uk-faculty": uk_faculty}[name](shared_data)
    graph = make_graph(edges, ["zz:isolate", "aa:isolate"])
    projected = undirected(graph)
    found = find_communities(graph, project(graph), ENGINE, SPEC, no_progress)
    assert found.labels.tolist().count(ISOLATE) == 2
    assert sum(len(members) for members in found.members) + 2 == graph.n
    for position, members in enumerate(found.members):
        assert members.tolist() == np.flatnonzero(found.labels == position).tolist()
        assert nx.is_connected(projected.subgraph([graph.keys[i] for i in members]))
    order = [(-len(members), graph.keys[int(members[0])]) for members in found.members]
    assert order == sorted(order)
    # the table of levels, recomputed from the partition that was chosen
    chosen = found.chosen
    assert [level.chosen for level in found.levels].count(True) == 1
    assert [level.resolution for level in found.levels] == list(RULES.resolutions)
    assert chosen.communities == len(found.members)
    parts = [*groups(graph, found.labels), {"zz:isolate"}, {"aa:isolate"}]
    assert chosen.modularity == pytest.approx(nx.community.modularity(projected, parts), rel=1e-8)
    useful = sum(len(m) for m in found.members if found.useful_min <= len(m) <= found.useful_max)
    assert chosen.useful_share == useful / graph.n


def test_congress_divides_by_party_and_chamber(shared_data: Shared) -> None:
    """House Democrats, House Republicans, the Senate: what is known of these people, found from who shares whom."""
    graph = make_graph(congress(shared_data))
    people = json.loads(shared_data("congress117-twitter/labels/historical-users.json").read_text())
    known = {
        name.lower(): (person["party"], person["chamber"])
        for person in people
        for account in person.get("accounts", [])
        for name in [account["screen_name"], *account.get("prev_names", [])]
        if isinstance(name, str) and "party" in person
    }
    names = json.loads(shared_data("congress117-twitter/congress_network_data.json").read_text())[0]["usernameList"]
    person = [known[names[int(key.split(":")[1])].lower()] for key in graph.keys]
    found = find_communities(graph, project(graph), ENGINE, SPEC, no_progress).members
    parties = [Counter(person[i][0] for i in members) for members in found]
    assert sum(max(counts.values()) for counts in parties) / graph.n >= 0.85
    assert {max(counts, key=counts.__getitem__) for counts in parties[:2]} == {"D", "R"}
    assert all(max(counts.values()) / counts.total() >= 0.95 for counts in parties[:2])
    senators = sum(person[i][1] == "senate" for i in found[2]) / len(found[2])
    assert senators >= 0.5 > 2 * sum(chamber == "senate" for _, chamber in person) / graph.n


def test_planted_communities_are_found(shared_data: Shared) -> None:
    edges, planted = lfr(shared_data, "0.1")
    graph = make_graph(edges)
    found = find_communities(graph, project(graph), ENGINE, SPEC, no_progress)
    pure = sum(max(Counter(planted[graph.keys[i]] for i in members).values()) for members in found.members)
    whole = Counter((planted[graph.keys[i]], int(found.labels[i])) for i in range(graph.n))
    kept = sum(max(count for (p, _), count in whole.items() if p == c) for c in set(planted.values()))
    assert pure / graph.n >= 0.9
    assert kept / graph.n >= 0.8


def test_isolates_change_nothing_for_the_others() -> None:
    edges = [edge for g in "abcd" for edge in clique(f"x:{g}{i}" for i in range(5))] + follows(
        "a0>b0", "b1>c1", "c2>d2"
    )
    graph = make_graph(edges)
    wider = make_graph(edges, ["aa:first", "x:b00", "zz:last"])
    for resolution in RULES.resolutions:
        plain = groups(graph, connected_parts(project(graph), ENGINE.partition(project(graph), resolution, 42)))
        more = groups(wider, connected_parts(project(wider), ENGINE.partition(project(wider), resolution, 42)))
        assert sorted(map(sorted, plain)) == sorted(map(sorted, more))


@laws
@given(edge_lists(), st.data())
def test_parts_are_the_connected_components_inside_labels(edges: list[Edge], data: st.DataObject) -> None:
    graph = make_graph(edges, ["x:zz"])
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=graph.n, max_size=graph.n)), dtype=np.int32)
    parts = connected_parts(project(graph), labels)
    projected = undirected(graph)
    inside = nx.Graph((a, b) for a, b in projected.edges if labels[graph.keys.index(a)] == labels[graph.keys.index(b)])
    inside.add_nodes_from(key for key in graph.keys if projected.degree(key))
    assert sorted(map(sorted, groups(graph, parts))) == sorted(map(sorted, nx.connected_components(inside)))
    assert parts[graph.keys.index("x:zz")] == ISOLATE


@laws
@given(st.lists(st.integers(-1, 5), min_size=1, max_size=12))
def test_canonical_order(labels: list[int]) -> None:
    given_labels = np.array(labels, dtype=np.int32)
    result = canonical(given_labels)
    found = {label: [i for i, other in enumerate(labels) if other == label] for label in set(labels) - {ISOLATE}}
    expected = sorted(found.values(), key=lambda members: (-len(members), members[0]))
    assert [members.tolist() for members in members_of(result)] == expected
    assert [i for i, label in enumerate(result.tolist()) if label == ISOLATE] == [
        i for i, label in enumerate(labels) if label == ISOLATE
    ]


@laws
@given(edge_lists(), st.data())
def test_modularity_is_that_of_networkx_and_python_louvain(edges: list[Edge], data: st.DataObject) -> None:
    graph = make_graph(edges)
    labels = canonical(np.array(data.draw(st.lists(st.integers(0, 3), min_size=graph.n, max_size=graph.n))))
    projected = undirected(graph)
    ours = modularity(project(graph), labels)
    assert ours == pytest.approx(nx.community.modularity(projected, groups(graph, labels)), abs=1e-12)
    by_key = dict(zip(graph.keys, labels.tolist(), strict=True))
    assert ours == pytest.approx(python_louvain.modularity(by_key, projected), abs=1e-12)


# --- the choice among levels -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [(1, (1, 0)), (2, (2, 0)), (4, (2, 1)), (5, (3, 1)), (81, (9, 27)), (475, (22, 158)), (2500, (50, 833)),
     (2501, (50, 833)), (15_000, (50, 5000)), (1_000_000, (50, 5000))],
)  # fmt: skip
def test_useful_sizes(accounts: int, expected: tuple[int, int]) -> None:
    assert useful_sizes(accounts, RULES) == expected
    assert expected[0] == min(50, math.ceil(math.sqrt(accounts)))


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        # (Q, U) at γ = ¼, ½, 1, 2, 4
        ([(0.30, 0.0), (0.39, 0.6), (0.40, 0.8), (0.385, 0.9), (0.30, 1.0)], 3),  # 4 loses Q; 2 has the most U
        ([(0.30, 0.0), (0.39, 0.6), (0.40, 0.9), (0.385, 0.8), (0.30, 1.0)], 2),  # 0.8 < 0.95 · 0.9
        ([(0.40, 0.9), (0.40, 0.9), (0.40, 0.9), (0.40, 0.9), (0.40, 0.9)], 4),  # all alike: the finest
        ([(0.40, 0.0), (0.40, 0.0), (0.40, 0.0), (0.39, 0.0), (0.1, 0.0)], 3),  # nothing useful anywhere
        ([(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (-0.1, 0.9), (-0.2, 1.0)], 2),  # max Q = 0 keeps what has 0
        ([(-0.2, 0.0), (-0.1, 0.5), (-0.3, 1.0), (-0.4, 1.0), (-0.5, 1.0)], 1),  # all worse than chance: the best
        ([(0.38, 0.95), (0.4, 1.0), (0.2, 0.0), (0.2, 0.0), (0.2, 0.0)], 1),  # at the limits: kept, finest of two
    ],
)
def test_choice_by_hand(quality: list[tuple[float, float]], expected: int) -> None:
    assert choose_level(RULES.resolutions, quality, RULES) == expected


def test_choice_over_all_small_tables() -> None:
    """Beside the rule said again in other words: strike out, strike out, take the last by γ."""
    values = [(q, u) for q in (0.0, 0.38, 0.4) for u in (0.0, 0.76, 0.8)]
    for resolutions in ((0.5, 1.0, 2.0), (2.0, 0.5, 1.0)):
        for quality in itertools.product(values, repeat=3):
            rows = [(r, *qu) for r, qu in zip(resolutions, quality, strict=True)]
            rows = [row for row in rows if all(row[1] >= 0.95 * other[1] for other in rows)]
            rows = [row for row in rows if all(row[2] >= 0.95 * other[2] for other in rows)]
            assert resolutions[choose_level(resolutions, quality, RULES)] == max(rows)[0]


# --- ids and labels ----------------------------------------------------------------------------------------


def test_id_names_the_anchor() -> None:
    graph = make_graph([("x:a", "x:b", 1.0), ("x:c", "x:b", 1.0), ("x:b", "x:c", 2.5)])  # c has 2.5, b only 2
    found = community_id(graph, default_ties(graph))
    number = int.from_bytes(hashlib.sha256(b"x:c").digest()[:7], "big") >> 6  # the first 50 bits
    digits = string.ascii_lowercase + "234567"
    assert found == "c" + "".join(digits[number >> shift & 31] for shift in range(45, -1, -5))


def test_anchors_tie_by_key_whatever_the_last_bits() -> None:
    # 0.1 + 0.2 + 0.3 differs from 0.3 + 0.2 + 0.1 in its last bit; both anchors are equally strong
    edges = [(f"x:{j}", who, w) for who, weights in (("x:a", (0.1, 0.2, 0.3)), ("x:b", (0.3, 0.2, 0.1)))
             for j, w in enumerate(weights)]  # fmt: skip
    assert sum((0.1, 0.2, 0.3)) != sum((0.3, 0.2, 0.1))
    renamed = [(a, {"x:a": "x:b", "x:b": "x:a"}[b], w) for a, b, w in edges]
    one, other = make_graph(edges), make_graph(renamed)
    assert community_id(one, default_ties(one)) == community_id(other, default_ties(other))


def test_labels_name_those_with_most_authority() -> None:
    graph = make_graph(follows("a>b", "b>c", "c>d"), handles={"x:b": "bea", "x:c": "cy"})
    assert community_label(graph, np.array([0.1, 0.2, 0.3, 0.4])) == "around d, @cy and @bea"
    assert community_label(graph, np.array([0.25, 0.25, 0.25, 0.25])) == "around a, @bea and @cy"
    pair = make_graph(follows("a>b"))
    assert community_label(pair, np.array([0.3, 0.7])) == "around b and a"
    assert community_label(make_graph([], ["x:a"]), np.array([1.0])) == "around a"


def test_who_opted_out_is_not_named() -> None:
    graph = make_graph(follows("a>d", "b>d", "c>d", "d>a"), opted_out=["x:d"])
    assert community_label(graph, np.array([0.1, 0.2, 0.3, 0.4])) == "around c, b and a"
    assert most_followed(graph, 5) == ("x:a",)
    all_out = make_graph(follows("a>b"), opted_out=["x:a", "x:b"])
    assert community_label(all_out, np.array([0.5, 0.5])) == "around accounts that have opted out"
    assert most_followed(all_out, 5) == ()


def test_most_followed_ties_by_key() -> None:
    graph = make_graph(follows("a>b", "a>c", "b>c", "c>b", "b>a"))
    assert most_followed(graph, 2) == ("x:b", "x:c")
