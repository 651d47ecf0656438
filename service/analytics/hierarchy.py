"""Levels above the communities of a run: communities of communities, each a whole number of those below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from service.analytics.communities import ISOLATE, anchor_id, connected_parts, modularity, names_label
from service.analytics.compiled import compiled, unsigned
from service.analytics.engine import Engine
from service.analytics.graph import Projection, lengths
from service.analytics.leiden import aggregate
from service.analytics.rounding import significant
from service.analytics.sparse import turned
from service.analytics.ties import TieGraph
from service.domain import Community, CommunityGroup, Float64, Graph, Int32, Int64, Level, RunSpec

MOST_FOLLOWED = 5
"""So many of a group's most followed members are listed with it."""


@dataclass(frozen=True)
class Coarser:
    """One level above another.

    Attributes:
        resolution: γ at which it was found.
        parent: int32[communities of the level below], position of the one that each is part of, in canonical order:
            most accounts first, ties by the smallest account key.
        modularity: of accounts in the communities of the level, at γ = 1.
    """

    resolution: float
    parent: Int32
    modularity: float


def coarser_levels(
    projection: Projection, labels: Int32, chosen: float, engine: Engine, spec: RunSpec
) -> list[Coarser]:
    """Merge communities into larger ones, at each resolution of the rules that is coarser than theirs.

    Each level is found by the same search as the communities, in the graph whose nodes are those of the level below.
    So levels are nested, and each of their communities is connected. A resolution that merges nothing makes no level.

    Args:
        projection: undirected ties of n accounts.
        labels: int32[n], the communities in canonical order.
        chosen: γ at which they were found.
        engine: searches.
        spec: seed and rules.

    Returns:
        Levels, finest first.
    """
    tied = np.flatnonzero(labels != ISOLATE)
    _, first = np.unique(labels[tied], return_index=True)
    first, size = tied[first], np.bincount(labels[tied])
    of, nodes = labels, merged(projection, labels)
    levels = []
    for resolution in sorted({one for one in spec.rules.resolutions if one < chosen}, reverse=True):
        found = engine.partition(nodes, resolution, spec.seed, spec.rules.quality_function)
        parent = connected_parts(nodes, found)
        lone = np.flatnonzero(parent == ISOLATE)  # no ties to others: each stays what it is
        parent[lone] = parent.max(initial=ISOLATE) + 1 + np.arange(len(lone), dtype=np.int32)
        count = int(parent.max(initial=ISOLATE)) + 1
        if count == nodes.n:
            continue
        sizes, firsts = np.bincount(parent, size, count), np.full(count, len(labels))
        np.minimum.at(firsts, parent, first)
        place = np.empty(count, np.int32)
        place[np.lexsort((firsts, -sizes))] = np.arange(count, dtype=np.int32)
        parent = place[parent]
        of = np.where(of == ISOLATE, ISOLATE, parent[of]).astype(np.int32)
        levels.append(Coarser(resolution, parent, float(significant(np.array([modularity(projection, of)]))[0])))
        first, size = firsts[np.argsort(place)], sizes[np.argsort(place)]
        nodes = merged(nodes, parent)
    return levels


def merged(projection: Projection, labels: Int32) -> Projection:
    """Make each community (labels 0..k-1; ISOLATE for nodes of none) one node; ties within it are in its strength."""
    count = int(labels.max(initial=ISOLATE)) + 1
    parts = np.where(labels == ISOLATE, count, labels).astype(np.uint32)  # those of none: one node more, cut off below
    ptr, idx, weight, strength, _, _ = aggregate(
        *unsigned(projection.ptr, projection.idx), projection.weight, projection.strength, None, parts, parts,
        int(parts.max(initial=0)) + 1 if len(parts) else 0,
    )  # fmt: skip
    rows, columns, entry = turned(ptr[: count + 1].view(np.int64), idx.view(np.int32))  # ascending; both ways the same
    skew, size = (np.bincount(parts, values, count + 1)[:count] for values in (projection.skew, projection.size))
    return Projection(rows, columns, weight[entry], strength[:count], skew.astype(float), size.astype(float))


def describe_levels(
    graph: Graph, ties: TieGraph, labels: Int32, levels: Sequence[Coarser], communities: Sequence[Community]
) -> tuple[list[Community], list[list[CommunityGroup]], tuple[Level, ...]]:
    """Write levels out for people: what each group is, what it consists of, and what it is part of.

    Args:
        graph: n accounts and their follows.
        ties: their ties.
        labels: int32[n], the communities in canonical order.
        levels: the levels above them, finest first.
        communities: the communities, in the same order.

    Returns:
        The communities, each with the group that it is part of; the groups of each level, in canonical order; and what
        there is of each level.
    """
    described: list[list[CommunityGroup]] = []
    rows: list[Level] = []
    of = labels
    for number, level in enumerate(levels, 1):
        of = np.where(of == ISOLATE, ISOLATE, level.parent[of]).astype(np.int32)
        groups = _groups(graph, ties, of, number, level.parent, described[-1] if described else communities)
        if described:
            described[-1] = _joined(described[-1], level.parent, groups)
        else:
            communities = _joined(communities, level.parent, groups)
        described.append(groups)
        rows.append(
            Level(level=number, resolution=level.resolution, communities=len(groups), modularity=level.modularity)
        )
    return list(communities), described, tuple(rows)


Described = TypeVar("Described", Community, CommunityGroup)


def _joined(below: Sequence[Described], parent: Int32, groups: Sequence[CommunityGroup]) -> list[Described]:
    """The same, each saying which group it is part of."""
    return [one.model_copy(update={"part_of": groups[p].id}) for one, p in zip(below, parent.tolist(), strict=True)]


def _groups(
    graph: Graph, ties: TieGraph, labels: Int32, level: int, parent: Int32, below: Sequence[Community | CommunityGroup]
) -> list[CommunityGroup]:
    count = int(parent.max(initial=ISOLATE)) + 1
    degree, _ = inside_rows(graph.in_ptr, graph.in_idx, np.empty(0), labels)
    _, strength = inside_rows(ties.in_ptr, ties.in_idx, ties.in_weight, labels)
    strength = significant(strength)
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(count + 1))
    parts: list[list[Community | CommunityGroup]] = [[] for _ in range(count)]
    for one, p in zip(below, parent.tolist(), strict=True):
        parts[p].append(one)
    groups = []
    for p in range(count):
        members = order[ends[p] : ends[p + 1]]
        named = members[~graph.opted_out[members]]
        named = named[np.lexsort((named, -degree[named]))][:MOST_FOLLOWED]
        inside = int(degree[members].sum())
        groups.append(
            CommunityGroup(
                id=anchor_id(graph.keys[int(members[np.argmax(strength[members])])], level),
                level=level,
                label=names_label([graph.name(i) for i in named[:3].tolist()]),
                size=len(members),
                parts=tuple(one.id for one in parts[p]),
                communities=sum(1 if isinstance(one, Community) else one.communities for one in parts[p]),
                candidates=sum(one.candidates for one in parts[p]),
                follows_inside=inside,
                follows_in=int(lengths(graph.in_ptr, members).sum()) - inside,
                follows_out=int(lengths(graph.out_ptr, members).sum()) - inside,
                most_followed=tuple(graph.keys[i] for i in named[degree[named] > 0].tolist()),
            )
        )
    return groups


@compiled
def inside_rows(ptr: Int64, idx: Int32, weight: Float64, labels: Int32) -> tuple[Int64, Float64]:
    """Count, and add the weights of, the entries of each row that have the label of the row; no weights, sums of 0."""
    n = len(ptr) - 1
    count, total = np.zeros(n, np.int64), np.zeros(n)
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            if labels[idx[e]] == labels[i]:
                count[i] += 1
                if len(weight):
                    total[i] += weight[e]
    return count, total
