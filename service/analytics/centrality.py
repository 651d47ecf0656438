"""Where an account stands in its network: cores, clustering, roles between communities, labels that spread, bridging
and PageRank from chosen accounts. Betweenness is in `betweenness.py`.

Each measure is a thin function around a compiled kernel that loops over compressed sparse rows. Counts are integers,
and sums of floats go in the order of the rows, so that the same arrays give the same bytes on any number of threads.
"""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import compiled
from service.analytics.graph import Projection, strengths
from service.analytics.sparse import summed
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import Float64, Graph, Int8, Int32, Int64
from service.errors import InvalidRequest

PAGERANK_ERROR = 1e-12
"""L1 distance from the limit at which personalised PageRank stops."""

MOST_DAMPING = 0.998
"""Beyond this, rounding errors alone may be greater than PAGERANK_ERROR."""


# --- cores -------------------------------------------------------------------------------------------------


def core_numbers(projection: Projection) -> Int32:
    """Core number of each account: the largest k of a k-core it belongs to.

    The k-core is the largest part of the network in which everybody has at least k neighbours in that part (Seidman
    1983). Weights and directions do not count. Time and memory in proportion to accounts and ties, by taking away
    accounts in the order of their remaining degree (Batagelj and Zaversnik 2003).

    Args:
        projection: undirected ties of n accounts.

    Returns:
        int32[n]; 0 for accounts without ties.
    """
    return core_kernel(projection.ptr, projection.idx)


@compiled
def core_kernel(ptr: Int64, idx: Int32) -> Int32:
    """Core numbers; `order` holds the accounts by remaining degree, in buckets that begin at `start`."""
    n = len(ptr) - 1
    degree = np.empty(n, np.int32)
    start = np.zeros(n + 1, np.int64)
    for v in range(n):
        degree[v] = ptr[v + 1] - ptr[v]
        start[degree[v] + 1] += 1
    for k in range(n):
        start[k + 1] += start[k]
    place = np.empty(n, np.int64)
    order = np.empty(n, np.int32)
    fill = start.copy()
    for v in range(n):
        place[v] = fill[degree[v]]
        order[place[v]] = v
        fill[degree[v]] += 1

    for at in range(n):
        v = order[at]
        for e in range(ptr[v], ptr[v + 1]):
            u = idx[e]
            if degree[u] > degree[v]:
                # u changes places with the first of its bucket, which then begins one later: u is in the one below.
                first = start[degree[u]]
                other = order[first]
                order[first], order[place[u]] = u, other
                place[other] = place[u]
                place[u] = first
                start[degree[u]] += 1
                degree[u] -= 1
    return degree


# --- clustering --------------------------------------------------------------------------------------------


def local_clustering(graph: Graph) -> Float64:
    """Local clustering coefficient: how many of the follows that could be among an account's neighbours there are.

        LCC_v = |{(a, b) : a, b ∈ N(v), a follows b}| / (d · (d − 1)),  N(v) who follows v or is followed, d = |N(v)|

    as in the LDBC Graphalytics specification (Iosup et al. 2016), section on LCC. Weights do not count. Time at most
    in proportion to ties · √ties: each triangle is found once, from its account of least degree (Latapy 2008).

    Args:
        graph: n accounts.

    Returns:
        float64[n] in 0..1; 0 for accounts with fewer than two neighbours.
    """
    each = np.ones(graph.m, np.int8)
    ptr, idx, follows = summed(graph.out_ptr, graph.out_idx, each, graph.in_ptr, graph.in_idx, each)  # of a pair 1 or 2
    return _clustering(ptr, idx, follows)


def local_clustering_undirected(projection: Projection) -> Float64:
    """Local clustering coefficient where ties have no direction: 2 · triangles of v / (d · (d − 1)).

    It is `local_clustering` of a graph in which all follows are mutual (Watts and Strogatz 1998). Weights do not count.

    Args:
        projection: undirected ties of n accounts.

    Returns:
        float64[n] in 0..1; 0 for accounts with fewer than two neighbours.
    """
    return _clustering(projection.ptr, projection.idx, np.full(len(projection.idx), 2, dtype=np.int8))


def _clustering(ptr: Int64, idx: Int32, follows: Int8) -> Float64:
    """Clustering from the number of follows between each pair (int8, in the places of `idx`)."""
    degree = np.diff(ptr)
    possible = degree * (degree - 1)
    result: Float64 = triangle_kernel(ptr, idx, follows) / np.maximum(possible, 1)
    return result


@compiled
def triangle_kernel(ptr: Int64, idx: Int32, follows: Int8) -> Int64:
    """Count the follows among the neighbours of each account: int64[n].

    Each tie is kept at one end only, that of lower degree (the lower position where degrees are equal). Of a triangle,
    one account then holds two ties and another the third, so that it is found once; and no account holds more than
    √(2 · ties), so that hubs cost little.
    """
    n = len(ptr) - 1
    start = np.zeros(n + 1, np.int64)
    end = np.empty(len(idx) // 2, np.int32)
    count = np.empty(len(idx) // 2, np.int8)
    entries = 0
    for v in range(n):
        degree = ptr[v + 1] - ptr[v]
        for e in range(ptr[v], ptr[v + 1]):
            u = idx[e]
            others = ptr[u + 1] - ptr[u]
            if degree < others or (degree == others and v < u):
                end[entries] = u
                count[entries] = follows[e]
                entries += 1
        start[v + 1] = entries

    among = np.zeros(n, np.int64)
    near = np.zeros(n, np.int8)  # follows between v and an account whose tie v holds; 0 for all others
    for v in range(n):
        for e in range(start[v], start[v + 1]):
            near[end[e]] = count[e]
        for e in range(start[v], start[v + 1]):
            u = end[e]
            for f in range(start[u], start[u + 1]):
                w = end[f]
                if near[w] > 0:
                    among[v] += count[f]
                    among[u] += near[w]
                    among[w] += count[e]
        for e in range(start[v], start[v + 1]):
            near[end[e]] = 0
    return among


# --- roles between communities -----------------------------------------------------------------------------


def participation(projection: Projection, labels: Int32) -> Float64:
    """Participation coefficient: how evenly an account's ties are spread over communities.

        P_i = 1 − Σ_c (k_ic / k_i)²,  k_ic the ties of i into community c, k_i all of them

    (Guimerà and Amaral 2005). Weights and directions do not count. Time n · log n + ties.

    Args:
        projection: undirected ties of n accounts.
        labels: int32[n], community of each account from 0 on; -1 for accounts without ties.

    Returns:
        float64[n] in 0..1; 0 for accounts with all ties in one community, and for accounts without ties.

    Raises:
        InvalidRequest: `labels` is of another length, or an account with ties has a label below 0.
    """
    community = _communities(projection, labels)
    _, squares = community_kernel(projection.ptr, projection.idx, community)
    whole = np.maximum(np.diff(projection.ptr) ** 2, 1)
    return np.where(squares > 0, (whole - squares) / whole, 0.0)


def within_module_z(projection: Projection, labels: Int32) -> Float64:
    """Within-module degree z-score: how many ties an account has inside its community, beside the other members.

        z_i = (κ_i − mean of κ) / (standard deviation of κ),  κ_i the ties of i inside its own community

    with mean and (population) standard deviation over the members of that community (Guimerà and Amaral 2005).
    Weights and directions do not count. Time n · log n + ties.

    Args:
        projection: undirected ties of n accounts.
        labels: int32[n], community of each account from 0 on; -1 for accounts without ties.

    Returns:
        float64[n]; 0 where all members have equally many ties inside, and for accounts labelled -1.

    Raises:
        InvalidRequest: `labels` is of another length, or an account with ties has a label below 0.
    """
    community = _communities(projection, labels)
    own, _ = community_kernel(projection.ptr, projection.idx, community)
    size = np.maximum(np.bincount(community), 1)
    away = own - (np.bincount(community, weights=own) / size)[community]
    deviation = np.sqrt(np.bincount(community, weights=away**2) / size)[community]
    return np.divide(away, deviation, out=np.zeros(projection.n), where=deviation > 0)


def _communities(projection: Projection, labels: Int32) -> Int64:
    """Check labels, and number the communities they name 0, 1, …"""
    if labels.shape != (projection.n,):
        raise InvalidRequest(f"There are {projection.n} accounts, but labels of shape {labels.shape}; give one each.")
    if bool(np.any((labels < 0) & (np.diff(projection.ptr) > 0))):
        raise InvalidRequest("An account with ties has no community; only accounts without ties may be labelled -1.")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


@compiled
def community_kernel(ptr: Int64, idx: Int32, community: Int64) -> tuple[Int64, Int64]:
    """Count ties by community: those into the account's own, and Σ_c k_ic² over all communities; both int64[n]."""
    n = len(ptr) - 1
    own = np.zeros(n, np.int64)
    squares = np.zeros(n, np.int64)
    ties = np.zeros(n, np.int64)  # of the account at hand into each community
    for v in range(n):
        for e in range(ptr[v], ptr[v + 1]):
            ties[community[idx[e]]] += 1
        own[v] = ties[community[v]]
        for e in range(ptr[v], ptr[v + 1]):
            c = community[idx[e]]
            squares[v] += ties[c] * ties[c]
            ties[c] = 0  # so that each community is counted once
    return own, squares


# --- labels that spread ------------------------------------------------------------------------------------


def label_propagation(graph: Graph, steps: int) -> Int32:
    """Communities by label propagation, as LDBC Graphalytics specifies CDLP (Iosup et al. 2016; Raghavan et al. 2007).

    Everybody starts with a label of their own. At each step, all at once take the label that is most frequent among
    whom they follow and who follows them (who does both counts twice), the smallest where several are. Weights do not
    count. Time in proportion to accounts and follows a step; it ends early when a step changes nothing.

    Args:
        graph: n accounts.
        steps: how many steps at most.

    Returns:
        int32[n]: each label is the position of the account that started with it.

    Raises:
        InvalidRequest: `steps` is below 0.
    """
    if steps < 0:
        raise InvalidRequest(f"Labels cannot spread for {steps} steps; choose 0 or more.")
    labels = np.arange(graph.n, dtype=np.int32)
    for _ in range(steps):
        before = labels
        labels = label_kernel(graph.out_ptr, graph.out_idx, graph.in_ptr, graph.in_idx, before)
        if np.array_equal(labels, before):
            break
    return labels


@compiled
def label_kernel(out_ptr: Int64, out_idx: Int32, in_ptr: Int64, in_idx: Int32, labels: Int32) -> Int32:
    """One step of label propagation from given labels."""
    n = len(labels)
    new = np.empty(n, np.int32)
    count = np.zeros(n, np.int64)
    for v in range(n):
        best = labels[v]
        most = 0
        for e in range(out_ptr[v], out_ptr[v + 1]):
            label = labels[out_idx[e]]
            count[label] += 1
            if count[label] > most or (count[label] == most and label < best):
                best, most = label, count[label]
        for e in range(in_ptr[v], in_ptr[v + 1]):
            label = labels[in_idx[e]]
            count[label] += 1
            if count[label] > most or (count[label] == most and label < best):
                best, most = label, count[label]
        for e in range(out_ptr[v], out_ptr[v + 1]):
            count[labels[out_idx[e]]] = 0
        for e in range(in_ptr[v], in_ptr[v + 1]):
            count[labels[in_idx[e]]] = 0
        new[v] = best
    return new


# --- bridging ----------------------------------------------------------------------------------------------


def bridging(projection: Projection, betweenness: Float64) -> Float64:
    """Bridging centrality: how much an account lies between parts of the network that hold together themselves.

        bridging_v = betweenness_v · (1 / d_v) / Σ_{u ∈ N(v)} (1 / d_u),  d the number of neighbours

    after Hwang et al. (2008); the second factor, the bridging coefficient, is high for accounts of few ties between
    accounts of many. Weights and directions do not count. Time in proportion to accounts and ties.

    Args:
        projection: undirected ties of n accounts.
        betweenness: float64[n], for instance `values` of `betweenness.betweenness`.

    Returns:
        float64[n]; 0 for accounts without ties.

    Raises:
        InvalidRequest: `betweenness` is of another length.
    """
    if betweenness.shape != (projection.n,):
        raise InvalidRequest(
            f"There are {projection.n} accounts, but betweenness of shape {betweenness.shape}; give one value each."
        )
    return betweenness * bridging_kernel(projection.ptr, projection.idx)


@compiled
def bridging_kernel(ptr: Int64, idx: Int32) -> Float64:
    """Bridging coefficient of each account: float64[n]."""
    n = len(ptr) - 1
    coefficient = np.zeros(n)
    for v in range(n):
        around = 0.0
        for e in range(ptr[v], ptr[v + 1]):
            u = idx[e]
            around += 1 / (ptr[u + 1] - ptr[u])
        if around > 0:
            coefficient[v] = 1 / (ptr[v + 1] - ptr[v]) / around
    return coefficient


# --- PageRank from chosen accounts -------------------------------------------------------------------------


def personalised_pagerank(graph: Graph | WeightedGraph, damping: float, restart: Float64) -> Float64:
    """PageRank whose walker starts again at chosen accounts: attention that flows out from there along follows.

        π = d · Pᵀπ + (1 − d + d · D) · r

    with P_ij = w_ij / s_i, s_i all that i gives out, and D the sum of π_i over those who give nothing (Page et al.
    1999, section 6; Haveliwala 2002). At an account that follows nobody the walk ends, and begins again by r: dangling
    mass goes where restarts go, not to everybody.

    D only changes the coefficient of r, so π is in proportion to the solution y of y = d · Pᵀy + (1 − d) · r, and is
    got from it by dividing by Σy. y is found by sweeps (Gauss–Seidel) that use each new value at once, beginning
    from 0. How near they are: let Δ be what the last sweep changed. Its values miss the equation by at most d · ‖Δ‖₁,
    since each value that was used differs from the present one by its part of Δ or not at all, and the columns of
    d · Pᵀ sum to d or less; and ‖(I − d · Pᵀ)⁻¹‖₁ ≤ 1 / (1 − d). So they are within d / (1 − d) · ‖Δ‖₁ of y. Beginning
    from 0, they only grow towards y, so that dividing by their sum at most doubles the relative error:

        ‖error of π‖₁ ≤ 2 · d / (1 − d) · ‖Δ‖₁ / Σy ≤ 1e-12

    is where the sweeps stop. Rounding is not counted there: a row of k followers adds at most a share of about
    k · 2⁻⁵³ / (1 − d). Values also grow only where they are rounded (sums of terms that do not fall do not fall), so
    that sweeps come to rest. A sweep takes time in proportion to accounts and follows; about 90 are made at 0.85, half
    as many as power iteration needs.

    Args:
        graph: n accounts.
        damping: d in 0..0.998, chance to go on along a follow.
        restart: float64[n], chances to start at each account, ≥ 0, in any unit (only ratios count).

    Returns:
        float64[n], summing to 1 (nothing for an empty graph).

    Raises:
        InvalidRequest: `damping` is outside 0..0.998; `restart` is of another length, has a value that is below 0 or
            not finite, or is 0 everywhere.
    """
    if not 0 <= damping <= MOST_DAMPING:
        raise InvalidRequest(f"PageRank cannot have a damping of {damping:g}; choose at least 0 and at most 0.998.")
    if restart.shape != (graph.n,):
        raise InvalidRequest(f"There are {graph.n} accounts, but restarts of shape {restart.shape}; give one each.")
    if graph.n == 0:
        return np.zeros(0)
    if not bool(np.all(np.isfinite(restart) & (restart >= 0)) and np.any(restart > 0)):
        raise InvalidRequest("Restarts must be finite, 0 or more, and not all 0; name at least one account.")
    ties = both_ways(graph)
    given = strengths(ties.out_ptr, ties.out_weight)
    share = ties.in_weight / given[ties.in_idx]
    scaled = restart / restart.max()  # first, so that the sum cannot overflow
    return pagerank_kernel(ties.in_ptr, ties.in_idx, share, damping, scaled / scaled.sum())


@compiled
def pagerank_kernel(in_ptr: Int64, in_idx: Int32, share: Float64, damping: float, restart: Float64) -> Float64:
    """Sweep until the bound above holds. `share` is P at each incoming follow; `restart` sums to 1."""
    n = len(restart)
    rank = np.zeros(n)
    while True:
        change = 0.0
        total = 0.0
        for v in range(n):
            inflow = 0.0
            for e in range(in_ptr[v], in_ptr[v + 1]):
                inflow += share[e] * rank[in_idx[e]]
            new = damping * inflow + (1 - damping) * restart[v]
            change += abs(new - rank[v])
            rank[v] = new
            total += new
        if 2 * damping * change <= PAGERANK_ERROR * (1 - damping) * total:
            return rank / total
