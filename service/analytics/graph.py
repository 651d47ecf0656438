"""Follower graphs as arrays: building them, cutting communities out of them, handing them to networkx."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from service.domain import AccountColumns, Bool, Float64, FollowColumns, Graph, Int32, Int64
from service.errors import RunFailed


@dataclass(frozen=True)
class Projection:
    """The undirected projection of a graph: a pair's weight is w_ij + w_ji. Symmetric compressed sparse rows.

    Neighbours of i are `idx[ptr[i]:ptr[i + 1]]`, ascending, with weights (positive) in the same places; each pair
    stands in both rows.

    Attributes:
        ptr: int64[n+1]; idx: int32[2 · pairs]; weight: float64[2 · pairs].
    """

    ptr: Int64
    idx: Int32
    weight: Float64

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.ptr) - 1


def build_graph(accounts: AccountColumns, follows: FollowColumns, version: int) -> Graph:
    """Build the arrays of a graph from columns as the store returns them, in any order.

    The order of the columns does not matter: accounts are sorted by key (code points), follows by their ends.

    Args:
        accounts: columns of length n.
        follows: columns of length m; `source` and `target` name accounts by their `n`.
        version: the graph version that was read.

    Raises:
        RunFailed: what was read is no follower graph: an account twice, a follow that names an unknown account, an
            account that follows itself, a pair that occurs twice, a weight that is not positive and finite.
    """
    n = len(accounts.key)
    by_key = np.array(sorted(range(n), key=accounts.key.__getitem__), dtype=np.int64)
    keys = [accounts.key[i] for i in by_key.tolist()]
    number = accounts.n[by_key]
    by_number = np.argsort(number, kind="stable")
    sorted_number = number[by_number]
    if any(a == b for a, b in itertools.pairwise(keys)) or bool(np.any(np.diff(sorted_number) == 0)):
        raise RunFailed("An account was read twice; check that the constraints on Account.key and Account.n exist.")

    source = _positions(follows.source, sorted_number, by_number)
    target = _positions(follows.target, sorted_number, by_number)
    if bool(np.any(source == target)):
        itself = keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} follows itself; delete that FOLLOWS relationship and analyse again.")
    if not bool(np.all(np.isfinite(follows.weight) & (follows.weight > 0))):
        raise RunFailed("A follow has a weight that is not positive and finite; set it right and analyse again.")

    outwards = np.argsort(source * n + target, kind="stable")
    inwards = np.argsort(target * n + source, kind="stable")
    twice = (np.diff(source[outwards]) == 0) & (np.diff(target[outwards]) == 0)
    if bool(np.any(twice)):
        first = outwards[int(np.argmax(twice))]
        pair = f"{keys[int(source[first])]} follows {keys[int(target[first])]}"
        raise RunFailed(f"A follow exists twice ({pair}); delete one of the relationships and analyse again.")

    known = follows.at[follows.at >= 0]
    return Graph(
        version=version,
        as_of=int(known.max()) if len(known) else None,
        keys=keys,
        handles=[accounts.handle[i] for i in by_key.tolist()],
        opted_out=accounts.opted_out[by_key],
        followers=accounts.followers[by_key],
        out_ptr=_pointers(source, n),
        out_idx=target[outwards].astype(np.int32),
        out_weight=follows.weight[outwards],
        in_ptr=_pointers(target, n),
        in_idx=source[inwards].astype(np.int32),
        in_weight=follows.weight[inwards],
    )


def _positions(numbers: Int64, sorted_number: Int64, by_number: Int64) -> Int64:
    """Translate `Account.n` to positions in key order."""
    if len(numbers) == 0:
        return np.zeros(0, dtype=np.int64)
    place = np.searchsorted(sorted_number, numbers)
    found = place < len(sorted_number)
    found[found] = sorted_number[place[found]] == numbers[found]
    if not bool(np.all(found)):
        unknown = int(numbers[~found].min())
        raise RunFailed(
            f"A follow names account number {unknown}, which was not read; analyse again, "
            "and import the follows anew if this comes back."
        )
    positions: Int64 = by_number[place]
    return positions


def _pointers(rows: Int64, n: int) -> Int64:
    """Row pointers of compressed sparse rows, from the row of each entry."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(rows, minlength=n), dtype=np.int64)])


def rows_of(ptr: Int64) -> Int64:
    """Row of each entry of compressed sparse rows: int64[m]."""
    return np.repeat(np.arange(len(ptr) - 1, dtype=np.int64), np.diff(ptr))


def entries_of(ptr: Int64, rows: Int32 | Int64) -> Int64:
    """Positions of all entries of some rows, row after row, as one array."""
    counts = ptr[rows + 1] - ptr[rows]
    before = np.cumsum(counts) - counts
    return np.repeat(ptr[rows] - before, counts) + np.arange(int(counts.sum()), dtype=np.int64)


def strengths(ptr: Int64, weight: Float64) -> Float64:
    """Sum of the weights in each row: float64[n]."""
    return np.bincount(rows_of(ptr), weights=weight, minlength=len(ptr) - 1).astype(np.float64)


def subgraph(graph: Graph, members: Int32) -> Graph:
    """Cut out the graph of some accounts and the follows among them, numbered in the order of `members`.

    Takes time in proportion to the members' follows, not to the whole graph.

    Args:
        graph: the whole.
        members: int32[k], indices into it, ascending (so that the order of keys is kept).
    """

    def side(ptr: Int64, idx: Int32, weight: Float64) -> tuple[Int64, Int32, Float64]:
        entries = entries_of(ptr, members)
        row = np.repeat(np.arange(len(members), dtype=np.int64), ptr[members + 1] - ptr[members])
        other = idx[entries]
        place = np.minimum(np.searchsorted(members, other), len(members) - 1)
        inside = members[place] == other
        return _pointers(row[inside], len(members)), place[inside].astype(np.int32), weight[entries][inside]

    out_ptr, out_idx, out_weight = side(graph.out_ptr, graph.out_idx, graph.out_weight)
    in_ptr, in_idx, in_weight = side(graph.in_ptr, graph.in_idx, graph.in_weight)
    return Graph(
        version=graph.version,
        as_of=graph.as_of,
        keys=[graph.keys[i] for i in members.tolist()],
        handles=[graph.handles[i] for i in members.tolist()],
        opted_out=graph.opted_out[members],
        followers=graph.followers[members],
        out_ptr=out_ptr,
        out_idx=out_idx,
        out_weight=out_weight,
        in_ptr=in_ptr,
        in_idx=in_idx,
        in_weight=in_weight,
    )


def tie_graph(graph: Graph) -> Graph:
    """Return the graph with the weights of ties that the measures use: today, from follows alone, the follow weight.

    Only ratios of weights matter to any measure, so all are scaled by one power of two (exact, no digit changes) that
    brings the largest into [½, 1): sums cannot overflow, however large the weights were. What would vanish beside the
    largest is kept at the smallest normal number: a tie stays a tie.
    """
    if graph.m == 0:
        return graph
    exponent = int(np.frexp(graph.out_weight.max())[1])

    def scaled(weight: Float64) -> Float64:
        with np.errstate(under="ignore"):
            return np.maximum(np.ldexp(weight, -exponent), np.finfo(np.float64).tiny)

    return dataclasses.replace(graph, out_weight=scaled(graph.out_weight), in_weight=scaled(graph.in_weight))


def project(graph: Graph) -> Projection:
    """Project a graph to undirected ties: the weight of a pair is w_ij + w_ji."""
    out = csr_array((graph.out_weight, graph.out_idx, graph.out_ptr), shape=(graph.n, graph.n))
    back = csr_array((graph.in_weight, graph.in_idx, graph.in_ptr), shape=(graph.n, graph.n))
    both = out + back
    both.sort_indices()
    return Projection(both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data)


def followed_back(graph: Graph) -> Bool:
    """Say of each incoming follow whether it is mutual: bool[m], in the places of `in_idx`."""
    incoming = rows_of(graph.in_ptr) * graph.n + graph.in_idx
    outgoing = rows_of(graph.out_ptr) * graph.n + graph.out_idx
    return np.isin(incoming, outgoing, assume_unique=True)


def to_networkx(graph: Graph) -> nx.DiGraph[str]:
    """Give the graph to analysts: nodes are keys with `handle`; an edge a → b with `weight` means a follows b."""
    result: nx.DiGraph[str] = nx.DiGraph()
    for key, handle in zip(graph.keys, graph.handles, strict=True):
        result.add_node(key, handle=handle)
    ends = zip(rows_of(graph.out_ptr).tolist(), graph.out_idx.tolist(), graph.out_weight.tolist(), strict=True)
    result.add_weighted_edges_from((graph.keys[i], graph.keys[j], weight) for i, j, weight in ends)
    return result
