"""PageRank of each community over the whole network, many communities at a time.

The plain version, one community after the other by power iteration, is in `reference.py`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from service.analytics.centrality import MOST_DAMPING, PAGERANK_ERROR
from service.analytics.compiled import UInt32, UInt64, compiled, unsigned
from service.analytics.graph import strengths
from service.analytics.measures import ROUNDING, pagerank_steps
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import Float64, Graph, Int32, Int64
from service.errors import InvalidRequest

LANES = 4
"""So many communities are solved in one pass over the ties. More of them read the ties less often, but their values
then no longer stay in the caches of a processor: 8 and 16 were slower."""


def community_pagerank(graph: Graph | WeightedGraph, labels: Int32, damping: float, threads: int = 1) -> Float64:
    """Give each account its PageRank in a walk over the whole network that restarts at its own community.

    The value of account i of community c is π_i of

        π = d · Pᵀπ + (1 − d + d · D) · r,  r_j = 1 / |c| for members j of c, else 0

    that is `centrality.personalised_pagerank` with the members of c as restarts (Haveliwala 2002). One solution for
    each community is needed, of which the values of its members are kept: time grows with communities · ties.

    LANES communities share each pass over the ties. Accounts are renumbered so that those of a community, who mostly
    look at each other, are side by side in memory; and so that parts of the network without a tie between them are,
    too: a community costs nothing beyond the parts that it and those it is solved with lie in. See `lanes_kernel` for
    how the solutions are found, and how near they are. Each is found by one thread alone.

    Args:
        graph: n accounts and their ties (of a graph of follows, these).
        labels: int32[n], community of each account, 0 or more; -1 for none.
        damping: d, above 0 and at most 0.998, chance to go on along a tie.
        threads: how many passes are made side by side. The answer does not depend on it.

    Returns:
        float64[n]: at least (1 − d) / |c| for a member of c, 0 for accounts without a community. The values of one
        community over all accounts would sum to 1, those of its members to at most 1. L1 distance from the limit, over
        all accounts, at most 1e-12 for each community, rounding aside.

    Raises:
        InvalidRequest: `damping` is out of range, or `labels` of another length.
    """
    if not 0 < damping <= MOST_DAMPING:
        raise InvalidRequest(f"PageRank cannot have a damping of {damping:g}; choose above 0 and at most 0.998.")
    if labels.shape != (graph.n,):
        raise InvalidRequest(f"There are {graph.n} accounts, but labels of shape {labels.shape}; give one each.")
    steps = pagerank_steps(damping, PAGERANK_ERROR)
    ties = both_ways(graph)
    part = parts_kernel(ties.out_ptr, ties.out_idx, labels)
    order = np.lexsort((labels, part))
    part, label = part[order], labels[order]
    given = strengths(ties.out_ptr, ties.out_weight)
    ptr, idx, share = renumbered_kernel(ties.in_ptr, ties.in_idx, ties.in_weight, given, order)
    rows, followers = unsigned(ptr, idx)

    # Members of a community are side by side now: number the communities in that order, from 0 on.
    starts = (label >= 0) & np.append(True, label[1:] != label[:-1])[: graph.n]
    community = np.where(label >= 0, np.cumsum(starts) - 1, -1)
    first_member = np.flatnonzero(starts)
    size = np.bincount(community[label >= 0])

    def solved(first: int) -> Float64:
        """Values of the members of communities first .. first + LANES - 1, one community after the other."""
        last = min(first + LANES, len(size)) - 1
        begin = int(np.searchsorted(part, part[first_member[first]], side="left"))
        end = int(np.searchsorted(part, part[first_member[last]], side="right"))
        lane = community[begin:end] - first
        lane[(lane < 0) | (lane >= LANES)] = -1
        restart = np.zeros(LANES)
        restart[: last + 1 - first] = 1 / size[first : last + 1]
        rank = lanes_kernel(
            rows[begin : end + 1], followers, share, np.uint64(begin), lane, restart, damping, PAGERANK_ERROR, steps
        )
        members = np.flatnonzero(lane >= 0)
        values: Float64 = rank[members, lane[members]]
        return values

    result = np.zeros(graph.n)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        found = list(pool.map(solved, range(0, len(size), LANES)))
    if found:
        result[order[label >= 0]] = np.concatenate(found)
    return result


@compiled
def parts_kernel(out_ptr: Int64, out_idx: Int32, labels: Int32) -> Int32:
    """Smallest account of the part of each account: int32[n]. Between two parts there is no tie and no community.

    By union-find. The root of a set is its smallest account, so that one last pass in ascending order finds all roots.
    """
    n = len(labels)
    parent = np.arange(n).astype(np.int32)
    member = np.full(labels.max() + 1 if n else 0, -1, np.int32)  # the first of each community
    for i in range(n):
        for e in range(out_ptr[i], out_ptr[i + 1]):
            join(parent, i, out_idx[e])
        if labels[i] >= 0:
            if member[labels[i]] < 0:
                member[labels[i]] = i
            join(parent, i, member[labels[i]])
    for i in range(n):
        parent[i] = parent[parent[i]]
    return parent


@compiled
def join(parent: Int32, one: int, other: int) -> None:
    """Put the sets of two accounts together; ways to roots are halved as they are walked."""
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    while parent[other] != other:
        parent[other] = parent[parent[other]]
        other = parent[other]
    parent[max(one, other)] = min(one, other)


@compiled
def renumbered_kernel(
    in_ptr: Int64, in_idx: Int32, in_weight: Float64, given: Float64, order: Int64
) -> tuple[Int64, Int32, Float64]:
    """Rows of incoming ties with accounts in a new order, and P at each: what its share is of all that j gives.

    Args:
        in_ptr, in_idx, in_weight: incoming ties of n accounts.
        given: float64[n], weight of all that each account gives.
        order: int64[n], the accounts in their new order.
    """
    n = len(order)
    place = np.empty(n, np.int32)
    for at in range(n):
        place[order[at]] = at
    ptr, idx, share = np.zeros(n + 1, np.int64), np.empty(len(in_idx), np.int32), np.empty(len(in_idx))
    to = 0
    for at in range(n):
        i = order[at]
        for e in range(in_ptr[i], in_ptr[i + 1]):
            idx[to] = place[in_idx[e]]
            share[to] = in_weight[e] / given[in_idx[e]]
            to += 1
        ptr[at + 1] = to
    return ptr, idx, share


@compiled
def lanes_kernel(
    ptr: UInt64, idx: UInt32, share: Float64, begin: np.uint64, lane: Int64, restart: Float64,
    damping: float, error: float, steps: int,
) -> Float64:  # fmt: skip
    """Solve y = d · Pᵀy + (1 − d) · r for LANES vectors r at once, and divide each y by its sum, which gives π.

    (Mass that ends at accounts that give nothing only changes the coefficient of r: see
    `centrality.personalised_pagerank`.) By over-relaxed sweeps, as `fast.sweeps` makes them, beginning from 0: account
    after account is moved by ω times what its equation asks. A sweep that changes y by Δ leaves it within

        ((ω − 1)/ω + d) / (1 − d) · ‖Δ‖₁

    of the solution y* (proof there). y* has no value below 0, so that ‖y*‖₁ is its sum, and with s the sum of y

        ‖y/s − y*/‖y*‖₁‖₁ ≤ ‖y − y*‖₁/s + |‖y*‖₁ − s|/s ≤ 2 · ‖y − y*‖₁/s

    The sweeps go on until twice the bound is at most `error` · s in all lanes, or what changes is rounding.

    Args:
        ptr: rows of k accounts, positions in `idx` and `share`.
        idx: followers; they are all among the k accounts, which are numbered from `begin` on.
        share: P at each incoming tie.
        begin: number of the first of the k accounts.
        lane: int64[k], in which vector r an account is a member, -1 for none.
        restart: float64[LANES], r of a member; 0 for vectors without members, whose values stay 0.
        damping: d, above 0.
        error: largest L1 distance of each π from its limit.
        steps: as many as power iteration would take; after twice as many sweeps it ends in any case.

    Returns:
        float64[k, LANES]: π, each lane with members summing to 1.
    """
    k = len(lane)
    y = np.zeros((k, LANES))
    inflow, changed, total = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    relaxation = min(1.2, 1 / damping)
    expected = 4.0  # power iteration changes y by no more
    for _ in range(2 * steps):
        changed[:] = 0.0
        total[:] = 0.0
        for i in range(k):
            inflow[:] = 0.0
            for e in range(ptr[i], ptr[i + 1]):
                j = idx[e] - begin
                for c in range(LANES):
                    inflow[c] += share[e] * y[j, c]
            for c in range(LANES):
                inflow[c] *= damping
            if lane[i] >= 0:
                inflow[lane[i]] += (1 - damping) * restart[lane[i]]
            for c in range(LANES):
                change = relaxation * (inflow[c] - y[i, c])
                y[i, c] += change
                changed[c] += abs(change)
                total[c] += y[i, c]
        bound = 2 * ((relaxation - 1) / relaxation + damping) / (1 - damping)
        if np.all((bound * changed <= error * total) | (changed <= ROUNDING * total)):
            break
        expected *= damping
        if changed.max() > expected:
            relaxation = 1.0
    for c in range(LANES):
        if total[c] > 0:  # not of a lane without members
            y[:, c] /= total[c]
    return y
