"""Communities by the Leiden algorithm (Traag, Waltman and van Eck 2019), as compiled kernels.

Maximised is modularity at a resolution γ on undirected weighted ties,

    Q_γ = Σ_c [w_c / W − γ · (s_c / 2W)²]

with W all tie weight, w_c that inside community c, s_c the summed strength of its members. Two more qualities differ
in what is expected of a pair alone, where modularity expects γ · k_i · k_j / 2W of accounts of strengths k:

- directed modularity (Leicht and Newman 2008), with o what an account gives and e what it gets:
  γ · (o_i · e_j + e_i · o_j) / W, which is γ · (k_i · k_j − b_i · b_j) / 2W, b being o − e;
- the constant Potts model (Traag, Van Dooren and Nesterov 2011): the same of each pair, γ · 2W / N², N accounts having
  ties. (γ is often said to be all of that, which cannot be compared between graphs.)

So each node has a mass (its strength, or its share of all strength), and with directed modularity a skew, b.

After some sweeps over single accounts come rounds. One round moves nodes between communities while that gains, refines
each community into well-connected parts, makes each part one node of a smaller graph, and goes on there. The next round
starts from what the last one found.

Large graphs do not fit into the caches of a processor, and there the time goes into waiting for memory. So nodes are
visited nearly in the order in which their rows lie, after some sweeps accounts of one community are put side by side,
and what a node needs is asked of the memory some nodes ahead. Everything happens in one order that follows from the
arrays and the seed alone.
"""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import UInt32, UInt64, compiled, prefetch, unsigned
from service.analytics.graph import Projection
from service.domain import Float64, Int32, QualityFunction

EXTREME = 1e9
"""A resolution beyond this is taken as this: nothing is left to merge or split, and sums would overflow."""

ROUNDS = 10
"""At most so many rounds."""

ROUND_GAIN, LARGE = 0.01, 1_000_000
"""A round that gains less Q_γ than this is the last; in a graph of fewer entries than LARGE, less in proportion: there
a round costs next to nothing."""

PARTS_GAIN = 0.0002
"""A round in which moves of whole parts gain less Q_γ than this is the last too: single accounts are where they want to
be, and nothing new has been found for them."""

SWEEP_GAIN = 0.05
"""Before accounts of one community stand side by side, a sweep that gains less Q_γ than this is the last."""

FIRST_SWEEP_GAIN = 0.01
"""In the first round a sweep that gains less Q_γ than this is a level's last: the rest is gained sooner later on."""

MOVE_GAIN = 1e-12
"""A node must gain more than this share of its strength to move: below that, gains are rounding errors."""

STAY_GAIN = 0.02
"""The same where communities are known from before, for accounts and parts of communities: there are many partitions
nearly as good as any, and who is as well off in their community stays. On real graphs where nothing or 1% changed five
to fifteen times fewer accounts move than without this, and what is found is as good (`python -m bench.runs`)."""

NONE = np.uint32(2**32 - 1)
"""No node has this number."""

AHEAD, AHEAD_LABELS, AHEAD_TIES = 2, 4, np.uint64(64)
"""What a node needs is asked of the memory so many visits ahead: communities of neighbours, before that their labels.
Of nodes with very many ties only the first: the rest comes soon enough by itself."""

FAR = 200_000
"""Where there are no more nodes than this, what a node needs lies in the caches or near: nothing is asked ahead."""

TO, MASS = 0, 1
"""Columns."""

BLOCK = 64
"""So many nodes are visited in the order of their rows; the order of blocks is drawn."""


def leiden(
    projection: Projection,
    resolution: float,
    seed: int,
    quality_function: QualityFunction = "modularity",
    start: Int32 | None = None,
) -> Int32:
    """Find communities that maximise a quality. All are connected but for rare ones that a last move cut in two.

    Args:
        projection: undirected ties of n accounts, positive weights. Accounts without ties change nothing for others.
        resolution: γ > 0; higher is finer.
        seed: of the order in which nodes are visited.
        quality_function: which quality.
        start: int32[n], communities to begin with, -1 for accounts that are in none; None: each account alone. Where
            little has changed since they were found, little changes, and most of the work is done.

    Returns:
        int32[n], labels 0, 1, … in the order of each community's first account.
    """
    ptr, idx = unsigned(projection.ptr, projection.idx)
    weight = projection.weight
    labels = np.arange(projection.n, dtype=np.uint32) if start is None else numbered(start)
    mass, skew, rate = null_model(projection, resolution, quality_function)
    total = float(projection.strength.sum())
    if not len(idx):
        return labels.view(np.int32)
    least = MOVE_GAIN if start is None else STAY_GAIN
    half = total / 2  # moves say half of what they gain, in units of weight
    if start is None:
        move_nodes(ptr, idx, weight, mass, skew, labels, rate, visiting_order(ptr, seed), SWEEP_GAIN * half, least)
    order = sorted_by(labels, len(labels))[1]  # which account stands at each place of the arrays
    ptr, idx, weight = rearranged(ptr, idx, weight, order)
    mass, labels = mass[order], labels[order]
    skew = None if skew is None else skew[order]
    for at in range(ROUNDS):
        enough = FIRST_SWEEP_GAIN * half if at == 0 else 0.0
        labels, gained, by_parts = _one_round(ptr, idx, weight, mass, skew, labels, rate, seed + 1 + at, enough, least)
        if at > 0 and (gained < ROUND_GAIN * min(len(idx) / LARGE, 1.0) * half or by_parts < PARTS_GAIN * half):
            break
    result = np.empty_like(labels)
    result[order] = labels
    compact(result)
    return result.view(np.int32)


def numbered(start: Int32) -> UInt32:
    """Number communities 0, 1, … in the order of their first accounts; who is in none (-1) gets one alone."""
    labels = start.astype(np.int64)
    alone = np.flatnonzero(labels < 0)
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(len(alone))
    result = np.unique(labels, return_inverse=True)[1].astype(np.uint32)
    compact(result)
    return result


def null_model(
    projection: Projection, resolution: float, quality_function: QualityFunction
) -> tuple[Float64, Float64 | None, float]:
    """Say what a quality expects of a pair of nodes: rate · (mass_i · mass_j − skew_i · skew_j).

    Returns:
        mass and skew of each node (float64[n]; None where there is no skew), and the rate.
    """
    total = float(projection.strength.sum())
    rate = min(max(resolution, 1 / EXTREME), EXTREME) / total if total else 0.0
    if quality_function == "cpm":
        return projection.size * (total / max(float(projection.size.sum()), 1.0)), None, rate
    return projection.strength, projection.skew if quality_function == "directed_modularity" else None, rate


def _one_round(
    ptr: UInt64,
    idx: UInt32,
    weight: Float64,
    mass: Float64,
    skew: Float64 | None,
    labels: UInt32,
    rate: float,
    seed: int,
    enough: float,
    least: float,
) -> tuple[UInt32, float, float]:
    """One round from a given partition.

    Returns:
        The labels it ends with, what all moves have gained (as `move_nodes` says it), and of that what moves of parts
        have gained.
    """
    node = np.arange(len(mass), dtype=np.uint32)  # of the graph at hand, for each account
    gains = []
    while True:
        order = visiting_order(ptr, seed)
        gains.append(move_nodes(ptr, idx, weight, mass, skew, labels, rate, order, enough, least))
        parts = refine(ptr, idx, weight, mass, skew, labels, rate, order)
        count = compact(parts)
        if count == len(mass):
            break
        ptr, idx, weight, mass, skew, labels = aggregate(ptr, idx, weight, mass, skew, labels, parts, count)
        node = parts[node]
    labels = labels[node]
    compact(labels)
    return labels, sum(gains), sum(gains[1:])


@compiled
def visiting_order(ptr: UInt64, seed: int) -> UInt32:
    """Nodes that have ties, in blocks of neighbouring rows; the order of the blocks is drawn from the seed.

    Drawn by Fisher and Yates's shuffle with splitmix64 (Steele, Lea and Flood 2014).
    """
    n = len(ptr) - 1
    tied = np.empty(n, np.uint32)
    count = 0
    for v in range(n):
        if ptr[v + 1] > ptr[v]:
            tied[count] = v
            count += 1
    blocks = np.arange((count + BLOCK - 1) // BLOCK)
    state = np.uint64(seed)
    for last in range(len(blocks) - 1, 0, -1):
        state += np.uint64(0x9E3779B97F4A7C15)
        mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        other = np.int64(mixed % np.uint64(last + 1))
        blocks[last], blocks[other] = blocks[other], blocks[last]
    order = np.empty(count, np.uint32)
    at = 0
    for block in blocks:
        first = int(block) * BLOCK
        for place in range(first, min(first + BLOCK, count)):
            order[at] = tied[place]
            at += 1
    return order


@compiled
def move_nodes(
    ptr: UInt64,
    idx: UInt32,
    weight: Float64,
    mass: Float64,
    skew: Float64 | None,
    labels: UInt32,
    rate: float,
    order: UInt32,
    enough: float,
    least: float,
) -> float:
    """Move nodes one at a time to the neighbouring community that gains most, sweep after sweep.

    Moving a node of mass k from its community to c gains (w_c − rate·k·s_c) − (w_own − rate·k·(s_own − k)), w being the
    weight of its ties to each and s the mass of each, and the same of skew with the other sign; Q_γ gains twice that
    over 2W, rate being γ/2W. A node whose neighbour has moved away from it is visited again. Done when nobody is left
    to visit, or a sweep has gained less than `enough`.

    Args:
        mass, skew: what is expected of pairs, see `null_model`. For skew None a kernel without it is compiled.
        labels: uint32[n] in 0..n-1; changed in place.
        order: in which order nodes are visited.
        enough: see above.
        least: share of its strength that a node must gain to move.

    Returns:
        What all moves have gained, in units of weight.
    """
    n = len(mass)
    far = n > FAR
    # In one row, because they are wanted together: weight of the node's ties to a community, and its summed mass.
    whole = np.zeros((n, 2))
    size = np.zeros(n, np.int32)
    for v in range(n):
        whole[labels[v], MASS] += mass[v]
        size[labels[v]] += 1
    if skew is not None:
        tilt = np.zeros(n)  # summed skew
        for v in range(n):
            tilt[labels[v]] += skew[v]
    empty = np.empty(n, np.uint32)
    empties = 0
    for c in range(n - 1, -1, -1):
        if size[c] == 0:
            empty[empties] = c
            empties += 1
    near = np.empty(n + 1, np.uint32)
    waiting = np.zeros(n, np.bool_)
    waiting[order] = True
    left = len(order)
    all_gained = 0.0
    gained = enough
    while left > 0 and gained >= enough:
        gained = 0.0
        for turn in range(len(order)):
            if far and turn + AHEAD_LABELS < len(order):
                v = order[turn + AHEAD_LABELS]
                if waiting[v]:
                    for e in range(ptr[v], min(ptr[v + 1], ptr[v] + AHEAD_TIES)):
                        prefetch(labels, idx[e])
                v = order[turn + AHEAD]
                if waiting[v]:
                    for e in range(ptr[v], min(ptr[v + 1], ptr[v] + AHEAD_TIES)):
                        prefetch(whole, labels[idx[e]])
            v = order[turn]
            if not waiting[v]:
                continue
            waiting[v] = False
            left -= 1
            own = labels[v]
            nears = 0
            for e in range(ptr[v], ptr[v + 1]):
                c = labels[idx[e]]
                near[nears] = c  # kept only if it is new; a branch here would be guessed wrong half the time
                nears += whole[c, TO] == 0.0
                whole[c, TO] += weight[e]
            k = mass[v]
            pull = rate * k
            stay = whole[own, TO] - pull * (whole[own, MASS] - k)
            if skew is not None:
                lean = rate * skew[v]
                stay += lean * (tilt[own] - skew[v])
            whole[own, TO] = 0.0
            best, most = own, stay + least * k
            if size[own] > 1 and most < 0.0:
                best, most = empty[empties - 1], 0.0
            for at in range(nears):
                c = near[at]
                gain = whole[c, TO] - pull * whole[c, MASS]
                if skew is not None:
                    gain += lean * tilt[c]
                if gain > most:
                    best, most = c, gain
                whole[c, TO] = 0.0
            if best == own:
                continue
            gained += most - stay
            whole[own, MASS] -= k
            size[own] -= 1
            if skew is not None:
                tilt[own] -= skew[v]
                tilt[best] += skew[v]
            if size[best] == 0:
                empties -= 1
            if size[own] == 0:
                whole[own, MASS] = 0.0  # not what rounding has left
                if skew is not None:
                    tilt[own] = 0.0
                empty[empties] = own
                empties += 1
            whole[best, MASS] += k
            size[best] += 1
            labels[v] = best
            for e in range(ptr[v], ptr[v + 1]):
                u = idx[e]
                woken = (labels[u] != best) & ~waiting[u]  # no branch here either
                waiting[u] |= woken
                left += woken
        all_gained += gained
    return all_gained


@compiled
def refine(
    ptr: UInt64,
    idx: UInt32,
    weight: Float64,
    mass: Float64,
    skew: Float64 | None,
    labels: UInt32,
    rate: float,
    order: UInt32,
) -> UInt32:
    """Split each community into well-connected parts: nodes that stand alone join the part that gains most.

    A node, and a part that is joined, must hold to the rest of its community by at least what is expected of the two:
    rate·k·(s − k), k being its mass and s that of the community, and the same of skew with the other sign. Every part
    is connected, because a node only joins what it has a tie to.

    Returns:
        uint32[n], the part of each node, named by one of its nodes.
    """
    n = len(mass)
    community = np.zeros(n)
    for v in range(n):
        community[labels[v]] += mass[v]
    if skew is not None:
        tilt = np.zeros(n)
        for v in range(n):
            tilt[labels[v]] += skew[v]
        part_skew = skew.copy()
    hold = np.empty(n)  # weight of ties from a part to the rest of its community
    for v in range(n):
        held = 0.0
        for e in range(ptr[v], ptr[v + 1]):
            held += weight[e] if labels[idx[e]] == labels[v] else 0.0
        hold[v] = held
    part = np.arange(n).astype(np.uint32)
    part_mass = mass.copy()
    alone = np.ones(n, np.bool_)
    to = np.zeros(n)
    near = np.empty(n + 1, np.uint32)
    for v in order:
        own = labels[v]
        whole = community[own]
        k = mass[v]
        expected = rate * k * (whole - k)
        if skew is not None:
            expected -= rate * skew[v] * (tilt[own] - skew[v])
        if not alone[v] or hold[v] < expected:
            continue
        nears = 0
        for e in range(ptr[v], ptr[v + 1]):
            u = idx[e]
            if labels[u] == own:
                p = part[u]
                near[nears] = p
                nears += to[p] == 0.0
                to[p] += weight[e]
        best, most, tie = v, MOVE_GAIN * k, 0.0
        for at in range(nears):
            p = near[at]
            s = part_mass[p]
            gain = to[p] - rate * k * s
            expected = rate * s * (whole - s)
            if skew is not None:
                gain += rate * skew[v] * part_skew[p]
                expected -= rate * part_skew[p] * (tilt[own] - part_skew[p])
            if gain > most and hold[p] >= expected:
                best, most, tie = p, gain, to[p]
            to[p] = 0.0
        if best != v:
            part[v] = best
            alone[v] = False
            alone[best] = False
            part_mass[best] += k
            if skew is not None:
                part_skew[best] += skew[v]
            hold[best] += hold[v] - 2 * tie
    return part


@compiled
def compact(labels: UInt32) -> int:
    """Renumber labels (0..n-1) in place to 0, 1, … in the order of first occurrence; return how many there are."""
    new = np.full(len(labels), NONE, np.uint32)
    count = 0
    for v in range(len(labels)):
        if new[labels[v]] == NONE:
            new[labels[v]] = count
            count += 1
        labels[v] = new[labels[v]]
    return count


@compiled
def aggregate(
    ptr: UInt64,
    idx: UInt32,
    weight: Float64,
    mass: Float64,
    skew: Float64 | None,
    labels: UInt32,
    parts: UInt32,
    count: int,
) -> tuple[UInt64, UInt32, Float64, Float64, Float64 | None, UInt32]:
    """Make each part (0..count-1, within one community) one node. Ties inside a part stay in its mass only.

    Returns:
        ptr, idx, weight, mass and skew of the smaller graph, and the community of each of its nodes, named by the first
        node of that community.
    """
    n = len(mass)
    far = n > FAR
    start, member = sorted_by(parts, count)
    new_ptr = np.zeros(count + 1, np.uint64)
    new_idx = np.empty(len(idx) + 1, np.uint32)  # more than is needed: what is not written costs no memory
    new_weight = np.empty(len(idx), np.float64)
    new_mass = np.zeros(count)
    new_labels = np.empty(count, np.uint32)
    first = np.full(n, NONE, np.uint32)  # node by which a community is named
    to = np.zeros(count)
    end = 0
    for p in range(count):
        begin = end
        for at in range(start[p], start[p + 1]):
            if far and at + AHEAD_LABELS < n:
                v = member[at + AHEAD_LABELS]
                for e in range(ptr[v], min(ptr[v + 1], ptr[v] + AHEAD_TIES)):
                    prefetch(parts, idx[e])
                v = member[at + AHEAD]
                for e in range(ptr[v], min(ptr[v + 1], ptr[v] + AHEAD_TIES)):
                    prefetch(to, parts[idx[e]])
            v = member[at]
            new_mass[p] += mass[v]
            for e in range(ptr[v], ptr[v + 1]):
                q = parts[idx[e]]
                new_idx[end] = q
                end += (to[q] == 0.0) & (q != p)
                to[q] += weight[e]
        to[p] = 0.0
        for e in range(begin, end):
            new_weight[e] = to[new_idx[e]]
            to[new_idx[e]] = 0.0
        new_ptr[p + 1] = end
        community = labels[member[start[p]]]
        if first[community] == NONE:
            first[community] = p
        new_labels[p] = first[community]
    if skew is None:
        new_skew = None
    else:
        new_skew = np.zeros(count)
        for v in range(n):
            new_skew[parts[v]] += skew[v]
    return new_ptr, new_idx[:end], new_weight[:end], new_mass, new_skew, new_labels


@compiled
def sorted_by(labels: UInt32, count: int) -> tuple[UInt64, UInt32]:
    """Sort nodes by label (0..count-1), those of one label by number: where each label begins, and the nodes."""
    start = np.zeros(count + 1, np.uint64)
    for v in range(len(labels)):
        start[labels[v] + 1] += 1
    for c in range(count):
        start[c + 1] += start[c]
    place = start.copy()
    node = np.empty(len(labels), np.uint32)
    for v in range(len(labels)):
        node[place[labels[v]]] = v
        place[labels[v]] += 1
    return start, node


@compiled
def rearranged(ptr: UInt64, idx: UInt32, weight: Float64, order: UInt32) -> tuple[UInt64, UInt32, Float64]:
    """The same graph with node order[i] at place i."""
    n = len(order)
    far = n > FAR
    place = np.empty(n, np.uint32)
    for i in range(n):
        place[order[i]] = i
    new_ptr = np.zeros(n + 1, np.uint64)
    new_idx, new_weight = np.empty_like(idx), np.empty_like(weight)
    to = 0
    for i in range(n):
        if far and i + 2 * AHEAD_LABELS < n:
            prefetch(ptr, order[i + 2 * AHEAD_LABELS])
            v = order[i + AHEAD_LABELS]
            prefetch(idx, ptr[v])
            prefetch(weight, ptr[v])
            v = order[i + AHEAD]
            for e in range(ptr[v], min(ptr[v + 1], ptr[v] + AHEAD_TIES)):
                prefetch(place, idx[e])
        for e in range(ptr[order[i]], ptr[order[i] + 1]):
            new_idx[to], new_weight[to] = place[idx[e]], weight[e]
            to += 1
        new_ptr[i + 1] = to
    return new_ptr, new_idx, new_weight
