"""The fast engine: compiled kernels over arrays. What they must equal is written plainly in `reference`."""

from __future__ import annotations

import os

import numpy as np

from service.analytics.community_rank import community_pagerank
from service.analytics.compiled import UInt32, UInt64, compiled, unsigned
from service.analytics.graph import Projection, strengths
from service.analytics.leiden import leiden
from service.analytics.measures import ROUNDING, pagerank_steps
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import Float64, Graph, Int32, QualityFunction

PAGERANK_ERROR = 1e-14
"""Largest L1 distance of a PageRank from its limit, so that digits that are shown do not depend on the way there."""

MOST_THREADS = 4
"""More threads than this would want more memory than a run may take."""


class FastEngine:
    """Leiden communities, PageRank by over-relaxed sweeps, reach by following every path of two steps once."""

    name = "fast"

    @property
    def threads(self) -> int:
        """One for each processor, at most MOST_THREADS: each needs memory of its own."""
        return min(MOST_THREADS, os.cpu_count() or 1)

    def partition(
        self,
        projection: Projection,
        resolution: float,
        seed: int,
        quality_function: QualityFunction = "modularity",
        start: Int32 | None = None,
    ) -> Int32:
        """Leiden (Traag et al. 2019) at resolution γ; see `engine.Engine.partition`."""
        return leiden(projection, resolution, seed, quality_function, start)

    def pagerank(self, community: Graph | WeightedGraph, damping: float) -> Float64:
        """PageRank (Page et al. 1999), dangling mass spread evenly; see `engine.Engine.pagerank`.

        Raises:
            InvalidRequest: damping is so near 1 that it would take very many steps.
        """
        return pagerank(community, damping, PAGERANK_ERROR)

    def community_pagerank(self, ties: Graph | WeightedGraph, labels: Int32, damping: float) -> Float64:
        """PageRank that restarts at each account's community; see `engine.Engine.community_pagerank`.

        Raises:
            InvalidRequest: damping is above 0.998.
        """
        return community_pagerank(ties, labels, damping, self.threads)

    def reach(self, community: Graph | WeightedGraph, influence: Float64) -> Float64:
        """Reach within two steps; see `engine.Engine.reach`. Time in proportion to the paths of two steps."""
        moved = moved_in_two_steps(*unsigned(community.in_ptr, community.in_idx), influence)
        return moved / max(community.n - 1, 1)


def pagerank(graph: Graph | WeightedGraph, damping: float, error: float) -> Float64:
    """PageRank along ties (or follows) in proportion to weight, dangling mass spread evenly over all accounts.

    Dangling mass and restarts go to the same places, so the solution of x = d·Pᵀx + 1, where dangling accounts have
    empty rows in P, is PageRank but for a factor (Del Corso, Gullí and Romani 2005). See `sweeps` for how it is found.

    Args:
        graph: n ≥ 1 accounts.
        damping: d, chance to go on along a tie.
        error: largest L1 distance from the limit, at least 1e-14.

    Returns:
        float64[n], summing to 1.

    Raises:
        InvalidRequest: damping is so near 1 that it would take very many steps.
    """
    steps = pagerank_steps(damping, error)
    shares = np.empty(0)  # of each incoming tie in what its follower gives; none where all give equally
    if graph.m and graph.out_weight.min() < graph.out_weight.max():
        ties = both_ways(graph)
        shares = ties.in_weight / strengths(ties.out_ptr, ties.out_weight)[ties.in_idx]
    equal = 1 / np.maximum(np.diff(graph.out_ptr), 1)
    # Scaled to a sum of 1, a distance at most doubles.
    rank = sweeps(*unsigned(graph.in_ptr, graph.in_idx), shares, equal, damping, error / 2, steps)
    result: Float64 = rank / rank.sum()
    return result


@compiled
def sweeps(
    ptr: UInt64, idx: UInt32, share: Float64, equal: Float64, damping: float, error: float, steps: int
) -> Float64:
    """Solve x_i = 1 + d·Σ_j share_ji·x_j over followers j of i, by successive over-relaxation (Young 1954).

    Account after account is moved by ω times what its equation asks, and its new value used at once, which takes about
    a third of the steps of power iteration. ω is 1.2, or 1/d where that is less, so that nothing grows along a path.

    A sweep that changes x by Δ leaves a residual of at most ((ω − 1)/ω + d)·‖Δ‖₁, so that x is within
    ((ω − 1)/ω + d)/(1 − d)·‖Δ‖₁ of the solution, since ‖(I − d·Pᵀ)⁻¹‖₁ is at most 1/(1 − d). Convergence is certain for
    ω = 1 only (long cycles can break it): where changes do not shrink as fast as those of power iteration would, by d a
    sweep, it goes on with ω = 1.

    Args:
        ptr, idx: followers of each account.
        share: float64[m] of each follow in what its follower gives; length 0 where each follower j gives equal[j] to
            all it follows.
        equal: float64[n].
        error: largest L1 distance from the solution, as a share of its norm, as far as rounding allows.
        steps: as many as power iteration would take; after twice as many sweeps it ends in any case.
    """
    n = len(ptr) - 1
    x = np.full(n, 1 / (1 - damping))
    given = x * equal
    relaxation = min(1.2, 1 / damping)
    expected = 4 * n / (1 - damping)  # power iteration changes x by no more
    for _ in range(2 * steps):
        changed = 0.0
        total = 0.0
        for i in range(n):
            taken = 0.0
            if len(share):
                for e in range(ptr[i], ptr[i + 1]):
                    taken += share[e] * x[idx[e]]
            else:
                for e in range(ptr[i], ptr[i + 1]):
                    taken += given[idx[e]]
            change = relaxation * (1 + damping * taken - x[i])
            x[i] += change
            given[i] = x[i] * equal[i]
            changed += abs(change)
            total += x[i]
        bound = ((relaxation - 1) / relaxation + damping) / (1 - damping) * changed
        if bound <= error * total or changed <= ROUNDING * total:
            break
        expected *= damping
        if changed > expected:
            relaxation = 1.0
    return x


@compiled
def moved_in_two_steps(ptr: UInt64, idx: UInt32, p: Float64) -> Float64:
    """Expected number of others that each account moves, directly or by way of one follower.

    Of account j is kept the probability q that it is moved by the paths seen so far; one more path of probability a
    makes it q + a·(1 − q), which loses no digits however small both are.
    """
    n = len(ptr) - 1
    moved = np.zeros(n)
    q = np.zeros(n)
    seen = np.empty(n, np.uint32)
    for i in range(n):
        count = 0
        for e in range(ptr[i], ptr[i + 1]):
            k = idx[e]
            direct = p[e]
            if direct == 0.0:
                continue
            if q[k] == 0.0:
                seen[count] = k
                count += 1
            q[k] += direct * (1 - q[k])
            for f in range(ptr[k], ptr[k + 1]):
                j = idx[f]
                path = direct * p[f]
                if j == i or path == 0.0:
                    continue
                if q[j] == 0.0:
                    seen[count] = j
                    count += 1
                q[j] += path * (1 - q[j])
        for at in range(count):
            moved[i] += q[seen[at]]
            q[seen[at]] = 0.0
    return moved
