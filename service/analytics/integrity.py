"""Signs of manipulation, and the graph without the follows that carry them: what was bought or agreed counts nothing.

Two signs need nothing but follows and who was ever seen to do anything, and are looked for where the latter is known:

- *empty accounts* follow others and do nothing else: they were never seen to post or to engage, nobody ever engaged
  with them, nobody who was seen follows them but in return, and fewer than `real_followers` do that. Bought followers
  are like this; so are some who only read, and what these would add is left out, too.
- a *follow ring* is a group whose members follow nearly all of each other without anybody ever engaging with another:
  a part of the `ring_members − 1`-core of mutual follows without a word (Seidman 1983), connected and dense.

Follows from and to empty accounts, and follows in return within a ring, are no ties. Everything else of these accounts
counts as before.

Two more signs are named and cost nothing by themselves, as there are harmless reasons for both: *bursts of follows*,
where half of an account's followers came on one day on which not so many follows were made everywhere, and *copied
bios*, which many accounts have word for word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.analytics.activity import Activity
from service.analytics.centrality import core_numbers
from service.analytics.graph import projected, rows_of
from service.analytics.sparse import entries_pointers, in_both, turned
from service.domain import Bool, Graph, Int32, Int64, ScoringRules


@dataclass(frozen=True)
class Integrity:
    """What carries signs of manipulation in a graph of n accounts.

    Attributes:
        counted: the graph without the follows that do not count; the same one where all do.
        empty: bool[n], empty accounts.
        empty_followers: int64[n], how many followers of each account are empty.
        ring: int32[n], number of the ring that an account is in, from 1 by their first accounts; 0 for none.
        ring_follows: int64[n], how many of each account's followers do not count because of the ring.
        copied: bool[n], accounts whose bio as many as `copied_bios` accounts have.
        burst_day: int32[n], the day of an account's burst of follows, in days since 1970 UTC; -1 where there is none.
    """

    counted: Graph
    empty: Bool
    empty_followers: Int64
    ring: Int32
    ring_follows: Int64
    copied: Bool
    burst_day: Int32


def integrity(graph: Graph, doing: Activity, rules: ScoringRules) -> Integrity:
    """Look for signs of manipulation; with `leave_out_suspicious` false none is looked for, and all follows count.

    Args:
        graph: the whole graph, as it was read.
        doing: what its accounts do; signs are looked for among those whose activity is known.
        rules: `leave_out_suspicious`, `real_followers`, `ring_members`, `ring_density`, `copied_bios`, `follow_burst`,
            `burst_share`.
    """
    n = graph.n
    empty, ring = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int32)
    nothing = np.zeros(n, dtype=np.int64)
    copied, burst_day = np.zeros(n, dtype=np.bool_), np.full(n, -1, dtype=np.int32)
    if rules.leave_out_suspicious:
        copied, burst_day = _copied(graph, rules), _follow_bursts(graph, rules)
    if not rules.leave_out_suspicious or not doing.known.any() or not graph.m:
        return Integrity(graph, empty, nothing, ring, nothing, copied, burst_day)
    source, target = rows_of(graph.out_ptr).astype(np.int32), graph.out_idx
    mutual = in_both(graph.out_ptr, graph.out_idx, graph.in_ptr, graph.in_idx)
    empty = _empty(graph, doing, source, target, mutual, rules)
    ring, in_ring = _rings(graph, doing, empty, source, target, mutual, rules)
    emptied = empty[source] | empty[target]
    kept = ~(emptied | in_ring)
    return Integrity(
        counted=graph if kept.all() else _with_follows(graph, source, kept),
        empty=empty,
        empty_followers=np.bincount(target[empty[source]], minlength=n).astype(np.int64),
        ring=ring,
        ring_follows=np.bincount(target[in_ring & ~emptied], minlength=n).astype(np.int64),
        copied=copied,
        burst_day=burst_day,
    )


TIMES_USUAL = 3
"""A day is an account's burst only where its share of the account's follows is so many times its share of all."""


def _copied(graph: Graph, rules: ScoringRules) -> Bool:
    """Accounts whose bio so many accounts have."""
    _, place, count = np.unique(graph.bio, return_inverse=True, return_counts=True)
    copied: Bool = (graph.bio != 0) & (count[place] >= rules.copied_bios)
    return copied


def _follow_bursts(graph: Graph, rules: ScoringRules) -> Int32:
    """The day of each account's burst of follows, -1 for none; of two alike the earlier one."""
    burst = np.full(graph.n, -1, dtype=np.int32)
    dated = np.flatnonzero(graph.out_day >= 0)
    if not len(dated):
        return burst
    followee, day = graph.out_idx[dated].astype(np.int64), graph.out_day[dated].astype(np.int64)
    first = int(day.min())
    everywhere = np.bincount(day - first)
    pair, count = np.unique(followee * len(everywhere) + (day - first), return_counts=True)
    account, day = pair // len(everywhere), pair % len(everywhere)
    followers = np.bincount(followee, minlength=graph.n)[account]
    found = (
        (count >= rules.follow_burst)
        & (count >= rules.burst_share * followers)
        & (count * len(dated) >= TIMES_USUAL * everywhere[day] * followers)
    )
    order = np.flatnonzero(found)
    order = order[np.lexsort((-day[order], count[order]))]  # the last one that is written stands
    burst[account[order]] = day[order] + first
    return burst


def _empty(graph: Graph, doing: Activity, source: Int32, target: Int32, mutual: Bool, rules: ScoringRules) -> Bool:
    silent = doing.known & ~doing.seen & (np.diff(graph.out_ptr) > 0)
    silent[graph.engaged_idx] = False
    real = ~silent[source]
    chosen = np.bincount(target[real & ~mutual], minlength=graph.n)
    back = np.bincount(target[real & mutual], minlength=graph.n)
    empty: Bool = silent & (chosen == 0) & (back < rules.real_followers)
    return empty


def _rings(
    graph: Graph, doing: Activity, empty: Bool, source: Int32, target: Int32, mutual: Bool, rules: ScoringRules
) -> tuple[Int32, Bool]:
    """Find rings: the number of each account's, and which follows are in return within one."""
    n, ring = graph.n, np.zeros(graph.n, dtype=np.int32)
    in_ring = np.zeros(graph.m, dtype=np.bool_)
    able = doing.known & ~empty
    entry = np.flatnonzero(mutual & able[source] & able[target])
    engaged = rows_of(graph.engaged_ptr).astype(np.int64) * n + graph.engaged_idx
    pair, back = source[entry].astype(np.int64) * n + target[entry], target[entry].astype(np.int64) * n + source[entry]
    entry = entry[~np.isin(pair, engaged) & ~np.isin(back, engaged)]
    if not len(entry):
        return ring, in_ring
    one, other = source[entry], target[entry]
    core = core_numbers(projected(one, other, np.ones(len(entry)), n)) >= rules.ring_members - 1
    inside = core[one] & core[other]
    if not inside.any():
        return ring, in_ring
    entry, one, other = entry[inside], one[inside], other[inside]
    # Takes a while to import, and few graphs have such cores.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(csr_array((np.ones(len(one)), (one, other)), shape=(n, n)), directed=False)
    members = np.bincount(label[core], minlength=n)
    follows = np.bincount(label[one], minlength=n)
    dense = follows >= rules.ring_density * members * (members - 1)
    found = core & dense[label]
    _, first = np.unique(label[found], return_index=True)
    order = np.zeros(n, dtype=np.int32)
    order[label[found][np.sort(first)]] = np.arange(1, len(first) + 1)
    ring[found] = order[label[found]]
    in_ring[entry[found[one]]] = True
    return ring, in_ring


def _with_follows(graph: Graph, source: Int32, kept: Bool) -> Graph:
    """The same graph with some of its follows alone."""
    ptr = entries_pointers(source[kept], graph.n)
    idx = graph.out_idx[kept]
    in_ptr, in_idx, _ = turned(ptr, idx)
    return replace(
        graph,
        out_ptr=ptr,
        out_idx=idx,
        out_weight=graph.out_weight[kept],
        out_day=graph.out_day[kept],
        in_ptr=in_ptr,
        in_idx=in_idx,
    )
