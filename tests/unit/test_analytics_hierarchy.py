"""Levels above communities against planted groups, networkx on the graph of communities, and laws."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.communities import canonical, connected_parts
from service.analytics.engine import get_engine
from service.analytics.graph import project
from service.analytics.hierarchy import coarser_levels, merged
from service.analytics.leiden import leiden
from service.domain import Analysis, EngineName, Graph, RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import Edge, congress, default_ties, edge_lists, laws, make_graph, undirected

Shared = Callable[[str], Path]
RULES = ScoringRules(rewirings=0, resolutions=(0.1, 0.5, 1.0, 4.0), modularity_kept=0.5, useful_kept=0.0)
"""The finest of these resolutions is chosen, so that there is something to merge."""


def nested(seed: int) -> tuple[list[Edge], dict[str, tuple[int, int]]]:
    """Three groups of four teams of twelve: dense teams, some ties within a group, few between groups."""
    draw = random.Random(seed)
    place = {f"x:{g}{t}{i:02}": (g, t) for g in range(3) for t in range(4) for i in range(12)}
    edges = []
    for a, b in itertools.permutations(place, 2):
        same_group, same_team = place[a][0] == place[b][0], place[a] == place[b]
        if draw.random() < (0.7 if same_team else 0.15 if same_group else 0.003):
            edges.append((a, b, 1.0))
    return edges, place


def members(analysis: Analysis, graph: Graph) -> dict[str, set[str]]:
    """Keys of the accounts in each community and, by way of `parts`, in each group."""
    found: dict[str, set[str]] = {one.id: set() for one in analysis.communities}
    for key, label in zip(graph.keys, analysis.labels.tolist(), strict=True):
        if label >= 0:
            found[analysis.communities[label].id].add(key)
    for level in analysis.groups:
        for group in level:
            found[group.id] = set().union(*(found[part] for part in group.parts))
    return found


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_planted_groups_of_teams_are_found(engine: EngineName) -> None:
    edges, place = nested(1)
    graph = make_graph(edges, ["x:isolate"])
    analysis = analyse(graph, RunSpec(engine=engine, rules=RULES), no_progress)
    found = members(analysis, graph)
    teams = {frozenset(keys) for one in analysis.communities for keys in [found[one.id]]}
    assert teams == {frozenset(key for key in place if place[key] == team) for team in set(place.values())}
    groups = {frozenset(found[group.id]) for group in analysis.groups[0]}
    assert groups == {frozenset(key for key in place if place[key][0] == g) for g in range(3)}
    assert [group.communities for group in analysis.groups[0]] == [4, 4, 4]


@pytest.mark.parametrize("name", ["congress", "nested"])
def test_every_level_accounts_for_everybody_and_is_nested_and_connected(name: str, shared_data: Shared) -> None:
    graph = make_graph(congress(shared_data) if name == "congress" else nested(2)[0], ["aa:isolate", "zz:isolate"])
    analysis = analyse(graph, RunSpec(rules=RULES), no_progress)
    plain = undirected(graph)
    found = members(analysis, graph)
    below = {one.id: one.part_of for one in analysis.communities}
    assert analysis.groups
    assert [row.level for row in analysis.quality.hierarchy] == list(range(1, len(analysis.groups) + 1))
    for row, level in zip(analysis.quality.hierarchy, analysis.groups, strict=True):
        assert row.communities == len(level) < len(below)
        assert sum(group.size for group in level) + 2 == graph.n
        assert {part: group.id for group in level for part in group.parts} == below
        assert [group.level for group in level] == [row.level] * len(level)
        sizes = [(-group.size, min(found[group.id])) for group in level]
        assert sizes == sorted(sizes)
        for group in level:
            assert group.size == len(found[group.id])
            assert nx.is_connected(plain.subgraph(found[group.id]))
        parts = [found[group.id] for group in level] + [{"aa:isolate"}, {"zz:isolate"}]
        assert row.modularity == pytest.approx(nx.community.modularity(plain, parts), abs=1e-8)
        below = {group.id: group.part_of for group in level}
    assert set(below.values()) == {None}
    everything = [one.id for one in analysis.communities] + [group.id for level in analysis.groups for group in level]
    assert len(set(everything)) == len(everything), "no id twice"


def test_what_a_group_says_of_its_follows_and_members(shared_data: Shared) -> None:
    graph = make_graph(congress(shared_data))
    analysis = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0)), no_progress)
    found = members(analysis, graph)
    follows = [(graph.keys[i], graph.keys[j]) for i in range(graph.n) for j in _followees(graph, i)]
    for group in analysis.groups[0]:
        inside = found[group.id]
        assert group.follows_inside == sum(a in inside and b in inside for a, b in follows)
        assert group.follows_in == sum(a not in inside and b in inside for a, b in follows)
        assert group.follows_out == sum(a in inside and b not in inside for a, b in follows)
        followers = Counter(b for a, b in follows if a in inside and b in inside)
        assert group.most_followed == tuple(sorted(followers, key=lambda key: (-followers[key], key))[:5])
        of_parts = [one.candidates for one in analysis.communities if one.part_of == group.id]
        assert group.candidates == sum(of_parts)


def _followees(graph: Graph, i: int) -> list[int]:
    return list(graph.out_idx[graph.out_ptr[i] : graph.out_ptr[i + 1]].tolist())


@laws
@given(edge_lists(most=12), st.integers(0, 3))
def test_merged_communities_are_the_graph_between_them(edges: list[Edge], seed: int) -> None:
    graph = default_ties(make_graph(edges, ["x:zz"]))
    projection = project(graph)
    labels = canonical(connected_parts(projection, leiden(projection, 2.0, seed)))
    nodes = merged(projection, labels)
    assert nodes.n == labels.max() + 1
    weight = {(i, j): 0.0 for i in range(nodes.n) for j in range(nodes.n)}
    for i in range(projection.n):
        for e in range(projection.ptr[i], projection.ptr[i + 1]):
            weight[int(labels[i]), int(labels[projection.idx[e]])] += projection.weight[e]
    for i in range(nodes.n):
        row = slice(nodes.ptr[i], nodes.ptr[i + 1])
        others = {j: weight[i, j] for j in range(nodes.n) if j != i and weight[i, j] > 0}
        assert nodes.idx[row].tolist() == sorted(others)
        assert nodes.weight[row].tolist() == pytest.approx([others[j] for j in sorted(others)])
        assert nodes.strength[i] == pytest.approx(sum(weight[i, j] for j in range(nodes.n)))
        assert nodes.skew[i] == pytest.approx(projection.skew[labels == i].sum(), abs=1e-9)
        assert nodes.size[i] == np.count_nonzero(labels == i)


@pytest.mark.parametrize("edges", [[], [("x:a", "x:b", 1.0)], [("x:a", "x:b", 1.0), ("x:c", "x:d", 1.0)]])
def test_where_nothing_can_be_merged_there_are_no_levels(edges: list[Edge]) -> None:
    graph = make_graph(edges, ["x:z"])
    analysis = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0)), no_progress)
    assert analysis.groups == []
    assert analysis.quality.hierarchy == ()
    assert all(one.part_of is None for one in analysis.communities)


def test_order_of_accounts_and_numbers_does_not_show() -> None:
    edges, _ = nested(3)
    answers = set()
    for shuffle in (None, 1, 2):
        graph = make_graph(edges, shuffle=shuffle)
        analysis = analyse(graph, RunSpec(rules=RULES), no_progress)
        answers.add(tuple(group.model_dump_json() for level in analysis.groups for group in level))
    assert len(answers) == 1


def test_opted_out_accounts_are_not_named_in_groups() -> None:
    edges, _ = nested(4)
    followers = Counter(b for _, b, _ in edges)
    best = max(followers, key=lambda key: followers[key])
    graph = make_graph(edges, opted_out=[best])
    analysis = analyse(graph, RunSpec(rules=RULES), no_progress)
    assert analysis.groups
    for level in analysis.groups:
        for group in level:
            assert best not in group.most_followed
            assert best.split(":")[1] not in group.label


def test_groups_without_follows_are_named_after_members_as_well() -> None:
    """Their members only engage with each other: nobody is most followed, and nobody has opted out."""
    edges, _ = nested(6)
    engaged = [(a, b, 0, (1, 0, 0, 0)) for a, b, _ in edges]
    analysis = analyse(make_graph([], engaged=engaged), RunSpec(rules=RULES), no_progress)
    assert analysis.groups
    for group in (group for level in analysis.groups for group in level):
        assert group.most_followed == ()
        assert "opted out" not in group.label


def test_levels_come_from_coarser_resolutions_only() -> None:
    graph = make_graph(nested(5)[0])
    projection = project(graph)
    labels = canonical(connected_parts(projection, leiden(projection, 4.0, 42)))
    levels = coarser_levels(projection, labels, 4.0, get_engine("fast"), RunSpec(rules=RULES))
    assert [level.resolution for level in levels] == sorted({level.resolution for level in levels}, reverse=True)
    assert all(level.resolution in (0.1, 0.5, 1.0) for level in levels)
    assert coarser_levels(projection, labels, 0.1, get_engine("fast"), RunSpec(rules=RULES)) == []
