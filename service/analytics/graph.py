"""Follower graphs as arrays: building them, cutting communities out of them, handing them to networkx."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import networkx as nx
import numpy as np

from service.analytics.sparse import cut_out, first_twice, in_both, row_sums, rows_both_ways, summed
from service.domain import Bool, BrandColumns, Float64, Graph, Int32, Int64, Snapshot
from service.errors import RunFailed

YEARS_MS = (-62_135_596_800_000, 253_402_300_799_999)
"""First and last millisecond of the years 1 to 9999, which dates can show."""


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


def build_graph(snapshot: Snapshot) -> Graph:
    """Build the arrays of a graph from columns as the store returns them, in any order.

    The order of the columns does not matter: accounts and brands are sorted by key (code points), follows by their
    ends, relations to brands by account, brand, relation and times.

    Args:
        snapshot: columns of n accounts, m follows, b brands and their relations.

    Raises:
        RunFailed: what was read is no follower graph: an account or brand twice, a follow or relation that names an
            unknown account or brand, an account that follows itself, a pair that occurs twice, a weight that is not
            positive and finite, a time that no calendar shows.
    """
    accounts, follows = snapshot.accounts, snapshot.follows
    n = len(accounts.key)
    by_key = np.array(sorted(range(n), key=accounts.key.__getitem__), dtype=np.int64)
    keys = [accounts.key[i] for i in by_key.tolist()]
    number = accounts.n[by_key]
    by_number = np.argsort(number, kind="stable")
    sorted_number = number[by_number]
    if any(a == b for a, b in itertools.pairwise(keys)) or bool(np.any(np.diff(sorted_number) == 0)):
        raise RunFailed("An account was read twice; check that the constraints on Account.key and Account.n exist.")

    source = _positions("follow", follows.source, sorted_number, by_number)
    target = _positions("follow", follows.target, sorted_number, by_number)
    if bool(np.any(source == target)):
        itself = keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} follows itself; delete that FOLLOWS relationship and analyse again.")
    if not bool(np.all(np.isfinite(follows.weight) & (follows.weight > 0))):
        raise RunFailed("A follow has a weight that is not positive and finite; set it right and analyse again.")

    out_ptr, out_idx, out_weight, in_ptr, in_idx, in_weight = rows_both_ways(source, target, follows.weight, n)
    twice = first_twice(out_ptr, out_idx)
    if twice != (-1, -1):
        pair = f"{keys[twice[0]]} follows {keys[twice[1]]}"
        raise RunFailed(f"A follow exists twice ({pair}); delete one of the relationships and analyse again.")

    brands = snapshot.brands
    order = sorted(range(len(brands.key)), key=brands.key.__getitem__)
    brand_keys = [brands.key[k] for k in order]
    brand_account = np.zeros(n, dtype=np.bool_)
    brand_account[_positions("brand's own account", brands.own, sorted_number, by_number)] = True
    account = _positions("relation", brands.account, sorted_number, by_number)
    of, brand, name, since, until = _relations(brands, brand_keys, account, keys)

    known = follows.at[follows.at >= 0]
    return Graph(
        version=snapshot.version,
        as_of=int(known.max()) if len(known) else None,
        keys=keys,
        handles=[accounts.handle[i] for i in by_key.tolist()],
        opted_out=accounts.opted_out[by_key],
        followers=accounts.followers[by_key],
        out_ptr=out_ptr,
        out_idx=out_idx,
        out_weight=out_weight,
        in_ptr=in_ptr,
        in_idx=in_idx,
        in_weight=in_weight,
        brand_keys=brand_keys,
        brand_names=[brands.name[k] for k in order],
        brand_account=brand_account,
        relation_ptr=_pointers(of, n),
        relation_brand=brand.astype(np.int32),
        relation_name=name.astype(np.int8),
        relation_since=since,
        relation_until=until,
    )


def _relations(brands: BrandColumns, brand_keys: list[str], account: Int64, keys: list[str]) -> Int64:
    """Relations as five rows (account, brand, relation, since, until), in this order; those alike in all become one.

    Raises:
        RunFailed: a brand stands twice, a relation names an unknown one, or has a time that no calendar shows.
    """
    if any(a == b for a, b in itertools.pairwise(brand_keys)):
        raise RunFailed("A brand was read twice; check that the constraint on Brand.key exists.")
    position = {key: k for k, key in enumerate(brand_keys)}
    unknown = {key for key in brands.brand if key not in position}
    if unknown:
        raise RunFailed(f"A relation names brand {min(unknown)}, which was not read; analyse again.")
    brand = np.array([position[key] for key in brands.brand], dtype=np.int64)
    for times in (brands.since, brands.until):
        wrong = (times < YEARS_MS[0]) | (times > YEARS_MS[1])
        if bool(np.any(wrong)):
            first = np.flatnonzero(wrong)[np.argmin(account[wrong])]
            raise RunFailed(
                f"A relation of account {keys[account[first]]} to a brand has a time outside the years 1 to 9999; "
                "set it right and analyse again."
            )
    table = np.stack([account, brand, brands.relation.astype(np.int64), brands.since, brands.until])
    table = table[:, np.lexsort(table[::-1])]
    new = np.ones(table.shape[1], dtype=np.bool_)
    new[1:] = np.any(np.diff(table, axis=1) != 0, axis=0)
    return table[:, new]


def _positions(what: str, numbers: Int64, sorted_number: Int64, by_number: Int64) -> Int64:
    """Translate `Account.n` to positions in key order."""
    if len(numbers) == 0:
        return np.zeros(0, dtype=np.int64)
    place = np.searchsorted(sorted_number, numbers)
    found = place < len(sorted_number)
    found[found] = sorted_number[place[found]] == numbers[found]
    if not bool(np.all(found)):
        unknown = int(numbers[~found].min())
        raise RunFailed(
            f"A {what} names account number {unknown}, which was not read; analyse again, "
            "and import your files anew if this comes back."
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
    return row_sums(ptr, weight)


def subgraph(graph: Graph, members: Int32) -> Graph:
    """Cut out the graph of some accounts and the follows among them, numbered in the order of `members`.

    Their relations to brands come with them. Takes time in proportion to the members' follows and relations, not to the
    whole graph.

    Args:
        graph: the whole.
        members: int32[k], indices into it, ascending (so that the order of keys is kept).
    """

    out_ptr, out_idx, out_weight = cut_out(graph.out_ptr, graph.out_idx, graph.out_weight, members)
    in_ptr, in_idx, in_weight = cut_out(graph.in_ptr, graph.in_idx, graph.in_weight, members)
    relations = entries_of(graph.relation_ptr, members)
    counts = graph.relation_ptr[members + 1] - graph.relation_ptr[members]
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
        brand_keys=graph.brand_keys,
        brand_names=graph.brand_names,
        brand_account=graph.brand_account[members],
        relation_ptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)]),
        relation_brand=graph.relation_brand[relations],
        relation_name=graph.relation_name[relations],
        relation_since=graph.relation_since[relations],
        relation_until=graph.relation_until[relations],
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
    out, back = (graph.out_ptr, graph.out_idx, graph.out_weight), (graph.in_ptr, graph.in_idx, graph.in_weight)
    return Projection(*summed(*out, *back))


def followed_back(graph: Graph) -> Bool:
    """Say of each incoming follow whether it is mutual: bool[m], in the places of `in_idx`."""
    return in_both(graph.in_ptr, graph.in_idx, graph.out_ptr, graph.out_idx)


def to_networkx(graph: Graph) -> nx.DiGraph[str]:
    """Give the graph to analysts: nodes are keys with `handle`; an edge a → b with `weight` means a follows b."""
    result: nx.DiGraph[str] = nx.DiGraph()
    for key, handle in zip(graph.keys, graph.handles, strict=True):
        result.add_node(key, handle=handle)
    ends = zip(rows_of(graph.out_ptr).tolist(), graph.out_idx.tolist(), graph.out_weight.tolist(), strict=True)
    result.add_weighted_edges_from((graph.keys[i], graph.keys[j], weight) for i, j, weight in ends)
    return result
