"""The plain engine: python-louvain over networkx, and formulas as they are written. Slow, obvious, and what a fast
engine is compared with.
"""

from __future__ import annotations

import math
import random

import community as python_louvain
import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from service.analytics.graph import Projection, entries_of, rows_of, strengths
from service.analytics.leiden import EXTREME, MOVE_GAIN, null_model, numbered
from service.analytics.measures import ALMOST_CERTAIN, pagerank_steps
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import Float64, Graph, Int32, QualityFunction

PAGERANK_ERROR = 1e-16
"""PageRank goes on until its L1 distance from the limit is below this: as near as floats come."""


class ReferenceEngine:
    """Louvain communities by python-louvain, PageRank by power iteration, reach account by account."""

    name = "reference"
    threads = 1

    def partition(
        self,
        projection: Projection,
        resolution: float,
        seed: int,
        quality_function: QualityFunction = "modularity",
        start: Int32 | None = None,
    ) -> Int32:
        """Louvain (Blondel et al. 2008) at resolution γ; see `engine.Engine.partition`.

        The `resolution` of python-louvain 0.16 is γ where it weighs moves (`__one_level`), but its inverse where it
        decides whether a pass has improved anything (`__modularity`), so that below 1 it stops after the first pass.
        Therefore γ > 1 is passed as it is, and γ < 1 is expressed by the graph instead: one more account, tied to
        nobody but itself with weight W/γ − W, makes all tie weight W/γ, and

            w_c / (W/γ) − (s_c / (2W/γ))²  =  γ · [w_c / W − γ · (s_c / 2W)²]

        is Q_γ but for a constant factor. Other qualities than modularity it does not know: see `louvain`.
        """
        if quality_function != "modularity":
            return louvain(projection, *null_model(projection, resolution, quality_function), seed, start)
        # Accounts without ties are left out, so that they do not change the order in which the others are visited.
        tied = np.flatnonzero(np.diff(projection.ptr))
        node = np.cumsum(np.diff(projection.ptr) > 0) - 1
        row = rows_of(projection.ptr)
        once = row < projection.idx  # each pair stands in two rows
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(tied)))
        ends = node[row[once]].tolist(), node[projection.idx[once]].tolist(), projection.weight[once].tolist()
        graph.add_weighted_edges_from(zip(*ends, strict=True))
        within = (projection.strength - strengths(projection.ptr, projection.weight)) / 2
        graph.add_weighted_edges_from((node[v], node[v], within[v]) for v in tied.tolist() if within[v] > 0)
        alone = float(projection.strength[np.diff(projection.ptr) == 0].sum()) / 2  # within nodes without other ties
        resolution = min(max(resolution, 1 / EXTREME), EXTREME)
        total = graph.size(weight="weight") + alone
        rest = total / min(resolution, 1.0) - total + alone
        if rest > 0 and total > alone:
            graph.add_edge(len(tied), len(tied), weight=rest)
        begun = None
        if start is not None:
            begun = dict(enumerate(numbered(start)[tied].tolist()))
            if len(tied) in graph:
                begun[len(tied)] = projection.n  # the account that only stands for γ, alone
        found = python_louvain.best_partition(graph, begun, resolution=max(resolution, 1.0), random_state=seed)
        labels = np.zeros(projection.n, dtype=np.int32)
        labels[tied] = [found[i] for i in range(len(tied))]
        return labels

    def pagerank(self, community: Graph | WeightedGraph, damping: float) -> Float64:
        """Plain power iteration (Page et al. 1999); see `engine.Engine.pagerank`.

        (networkx.pagerank stops by a tolerance instead, and raises where rounding keeps it from being met: the sums of
        an account with thousands of followers swing by more than 1e-14 for ever. Its answers are the same to within its
        tolerance.)

        Raises:
            InvalidRequest: damping is so near 1 that it would take very many steps.
        """
        return power_iteration(community, damping, np.full(community.n, 1 / community.n))

    def community_pagerank(self, ties: Graph | WeightedGraph, labels: Int32, damping: float) -> Float64:
        """One community after the other; see `engine.Engine.community_pagerank`.

        Raises:
            InvalidRequest: damping is so near 1 that it would take very many steps.
        """
        result = np.zeros(ties.n)
        for c in np.unique(labels[labels >= 0]).tolist():
            member = labels == c
            result[member] = power_iteration(ties, damping, member / member.sum())[member]
        return result

    def reach(self, community: Graph | WeightedGraph, influence: Float64) -> Float64:
        """From the formula; see `engine.Engine.reach`. The sum is exact (fsum), so order does not matter to it."""
        moved = [math.fsum(moved_by(community, influence, i).tolist()) for i in range(community.n)]
        return np.array(moved, dtype=np.float64) / max(community.n - 1, 1)


def power_iteration(graph: Graph | WeightedGraph, damping: float, restart: Float64) -> Float64:
    """PageRank (Page et al. 1999) whose walker starts again by `restart`, also where somebody gives nothing.

    Args:
        graph: n ≥ 1 accounts.
        damping: chance to go on along a tie.
        restart: float64[n], summing to 1.

    Returns:
        float64[n], summing to 1.

    Raises:
        InvalidRequest: damping is so near 1 that it would take very many steps.
    """
    steps = pagerank_steps(damping, PAGERANK_ERROR)
    n = graph.n
    ties = both_ways(graph)
    given = strengths(ties.out_ptr, ties.out_weight)
    shares = ties.in_weight / given[ties.in_idx]
    flow = csr_array((shares, ties.in_idx, ties.in_ptr), shape=(n, n))
    dangling = given == 0
    rank = restart
    for _ in range(steps):
        before = rank
        rank = damping * (flow @ before + before[dangling].sum() * restart) + (1 - damping) * restart
        if np.array_equal(rank, before):
            break
    return rank


def louvain(
    projection: Projection, mass: Float64, skew: Float64 | None, rate: float, seed: int, start: Int32 | None = None
) -> Int32:
    """Communities of any quality that expects rate · (mass_i · mass_j − skew_i · skew_j) of a pair, by Louvain.

    Nodes move to the neighbouring community that gains most (of equals the one of the first neighbour), in an order
    drawn anew each time, while that gains; then communities become nodes, and so on.

    Args:
        projection: undirected ties of n nodes.
        mass, skew, rate: see `leiden.null_model`.
        seed: of the orders.
        start: int32[n], communities to begin with, -1 for accounts of none.

    Returns:
        int32[n], labels in no particular order.
    """
    draw = random.Random(seed)  # noqa: S311
    tilt = np.zeros(projection.n) if skew is None else skew
    nodes = [(float(k), float(b)) for k, b in zip(mass, tilt, strict=True)]
    ties: list[dict[int, float]] = [{} for _ in nodes]
    for i, j, weight in zip(rows_of(projection.ptr).tolist(), projection.idx.tolist(), projection.weight, strict=True):
        ties[i][j] = float(weight)
    labels = np.arange(projection.n)
    community = list(range(len(nodes))) if start is None else numbered(start).tolist()
    while True:
        whole = [(0.0, 0.0)] * len(nodes)  # mass and skew of each community
        for i, c in enumerate(community):
            whole[c] = (whole[c][0] + nodes[i][0], whole[c][1] + nodes[i][1])
        moved = True
        while moved:
            moved = False
            for i in draw.sample(range(len(nodes)), len(nodes)):
                k, b = nodes[i]
                own = community[i]
                whole[own] = (whole[own][0] - k, whole[own][1] - b)
                to: dict[int, float] = {}
                for j, weight in ties[i].items():
                    to[community[j]] = to.get(community[j], 0.0) + weight
                gains = {c: w - rate * (k * whole[c][0] - b * whole[c][1]) for c, w in to.items()}
                stay = gains.get(own, -rate * (k * whole[own][0] - b * whole[own][1]))
                best = max(gains, key=lambda c: gains[c], default=own)
                if gains.get(best, stay) <= stay + MOVE_GAIN * k:
                    best = own
                moved = moved or best != own
                community[i] = best
                whole[best] = (whole[best][0] + k, whole[best][1] + b)
        names = sorted(set(community))
        if len(names) == len(nodes):
            return labels.astype(np.int32)
        number = {c: position for position, c in enumerate(names)}
        labels = np.array([number[community[v]] for v in labels.tolist()])
        merged: list[dict[int, float]] = [{} for _ in names]
        for i, row in enumerate(ties):
            own = number[community[i]]
            for j, weight in row.items():
                other = number[community[j]]
                if other != own:
                    merged[own][other] = merged[own].get(other, 0.0) + weight
        nodes, ties = [whole[c] for c in names], merged
        community = list(range(len(nodes)))


def moved_by(graph: Graph | WeightedGraph, influence: Float64, i: int) -> Float64:
    """Probability that account i moves each account: 1 − (1 − p_ij) · Π_k (1 − p_ik · p_kj), 0 for itself.

    Sums of logarithms, so that no digits are lost where probabilities are small.
    """
    first = slice(int(graph.in_ptr[i]), int(graph.in_ptr[i + 1]))
    follower = graph.in_idx[first]
    entries = entries_of(graph.in_ptr, follower)
    via = np.repeat(np.arange(len(follower)), graph.in_ptr[follower + 1] - graph.in_ptr[follower])
    chance = np.minimum(influence[first], ALMOST_CERTAIN)
    log_missed = np.zeros(graph.n)
    log_missed += np.bincount(
        graph.in_idx[entries], weights=np.log1p(-chance[via] * influence[entries]), minlength=graph.n
    )
    log_missed[follower] += np.log1p(-chance)
    log_missed[i] = 0
    return -np.expm1(log_missed)
