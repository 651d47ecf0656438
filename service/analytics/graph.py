"""Follows and whatever else accounts do as arrays: building them, cutting communities out, handing them to networkx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.analytics.families import (
    Accounts,
    Brands,
    Endorsements,
    Engagements,
    Follows,
    Mentions,
    Postings,
    Topics,
    Words,
    accounts_of,
    brands_of,
    endorsements_of,
    engagements_of,
    follows_of,
    mentions_of,
    postings_of,
    topics_of_accounts,
    words_of,
)
from service.analytics.sparse import cut_out, in_both, pointers_of, row_sums, rows_both_ways, summed, turned
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import (
    DAY_MS,
    AccountColumns,
    Bool,
    BrandColumns,
    EndorsementColumns,
    EngagementColumns,
    Float64,
    FollowColumns,
    Graph,
    Int32,
    Int64,
    MentionColumns,
    PostingColumns,
    Snapshot,
    TopicColumns,
    WordColumns,
)

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class Projection:
    """The undirected projection of a graph: a pair's weight is w_ij + w_ji. Symmetric compressed sparse rows.

    Neighbours of i are `idx[ptr[i]:ptr[i + 1]]`, ascending, with weights (positive) in the same places; each pair
    stands in both rows. A node is an account, or many of them together: then the ties among these are in its strength.

    Attributes:
        ptr: int64[n+1]; idx: int32[2 · pairs]; weight: float64[2 · pairs].
        strength: float64[n], weight of all ties of each node; a tie within it counts twice.
        skew: float64[n], weight that a node gives minus weight that it gets; all 0 where ties have no direction.
        size: float64[n], how many accounts with ties a node stands for.
    """

    ptr: Int64
    idx: Int32
    weight: Float64
    strength: Float64
    skew: Float64
    size: Float64

    @classmethod
    def of(cls, ptr: Int64, idx: Int32, weight: Float64, skew: Float64 | None = None) -> Projection:
        """Put the ties of n accounts together with what follows from them."""
        n = len(ptr) - 1
        tied = (np.diff(ptr) > 0).astype(np.float64)
        return cls(ptr, idx, weight, row_sums(ptr, weight), np.zeros(n) if skew is None else skew, tied)

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.ptr) - 1


def build_graph(snapshot: Snapshot) -> Graph:
    """Build the arrays of a graph from columns as the store returns them, in any order.

    The order of the columns does not matter: accounts, brands and topics are sorted by key or name (code points),
    follows by their ends, interactions by their ends and day, brands' own accounts by account and brand, relations to
    brands by account, brand, relation and times, topics of accounts by account and topic, words by account and word,
    quoted posts by account and key, posts by account and day, mentions by account, time, brand and post, endorsements
    by their ends.

    Args:
        snapshot: columns of n accounts, m follows, interactions, b brands with their own accounts and relations,
            topics and words of accounts, posts, mentions of brands and endorsements.

    Raises:
        RunFailed: what was read is no such graph: an account or brand twice, anything of an unknown account or brand,
            an account that follows, engages with or endorses itself, a pair (of interactions: a pair and day; of
            posts: an account and day; of mentions: an account, post and brand) that occurs twice, a weight that is not
            positive and finite, a count that is below 0 or beyond MOST_COUNTED, of posts not in 1..MOST_POSTS or less
            than the links and reposts among them, a stance or payment of a mention that is not known, a time that no
            calendar shows.
    """
    accounts = accounts_of(snapshot.accounts)
    brands = brands_of(snapshot.brands, accounts)
    return assembled(
        version=snapshot.version,
        followed_at=snapshot.followed_at,
        accounts=accounts,
        follows=follows_of(snapshot.follows, accounts),
        engaged=engagements_of(snapshot.engagements, accounts),
        brands=brands,
        topics=topics_of_accounts(snapshot.topics, accounts),
        words=words_of(snapshot.words, accounts),
        posted=postings_of(snapshot.postings, accounts),
        mentions=mentions_of(snapshot.mentions, accounts, brands),
        endorsed=endorsements_of(snapshot.endorsements, accounts),
    )


def assembled(
    *,
    version: int,
    followed_at: int,
    accounts: Accounts,
    follows: Follows,
    engaged: Engagements,
    brands: Brands,
    topics: Topics,
    words: Words,
    posted: Postings,
    mentions: Mentions,
    endorsed: Endorsements,
) -> Graph:
    """Put a graph together from what it consists of, all of the same accounts."""
    latest = [DAY_MS * int(day.max()) for day in (engaged.day, posted.day) if len(day)]
    latest += [time for time in (followed_at, endorsed.latest) if time >= 0]
    of, brand, name, since, until = brands.relations
    return Graph(
        version=version,
        as_of=max(latest, default=None),
        followed_at=followed_at,
        number=accounts.number,
        keys=accounts.keys,
        handles=accounts.handles,
        opted_out=accounts.opted_out,
        followers=accounts.followers,
        bio=accounts.bio,
        out_ptr=follows.ptr,
        out_idx=follows.idx,
        out_weight=follows.weight,
        out_day=follows.day,
        in_ptr=follows.in_ptr,
        in_idx=follows.in_idx,
        engaged_ptr=engaged.ptr,
        engaged_idx=engaged.idx,
        engaged_day=engaged.day,
        engaged_code=engaged.code,
        engaged_counts=engaged.counts,
        brand_keys=brands.keys,
        brand_names=brands.names,
        own_account=brands.own_account,
        own_brand=brands.own_brand,
        relation_account=of.astype(np.int32),
        relation_brand=brand.astype(np.int32),
        relation_name=name.astype(np.int8),
        relation_since=since,
        relation_until=until,
        topic_names=topics.names,
        topic_ptr=topics.ptr,
        topic_idx=topics.idx,
        topic_posts=topics.posts,
        topic_first=topics.first,
        topic_post=topics.post,
        topic_latest=topics.latest,
        word_names=words.names,
        word_ptr=words.ptr,
        word_idx=words.idx,
        word_posts=words.posts,
        word_post=words.post,
        quoted_ptr=words.quoted_ptr,
        quoted_post=words.quoted_post,
        quoted_at=words.quoted_at,
        posted_ptr=posted.ptr,
        posted_day=posted.day,
        posted_counts=posted.counts,
        mention_ptr=mentions.ptr,
        mention_brand=mentions.brand,
        mention_post=mentions.post,
        mention_at=mentions.at,
        mention_stance=mentions.stance,
        mention_paid=mentions.paid,
        mention_answered=mentions.answered,
        mention_read=mentions.read,
        endorsed_ptr=endorsed.ptr,
        endorsed_idx=endorsed.idx,
        endorsed_at=endorsed.at,
        endorsed_latest=endorsed.latest,
    )


def columns_of(graph: Graph) -> Snapshot:
    """Turn a graph back into columns, the opposite of `build_graph`: what comes out builds the same graph."""

    def numbers(rows: Int32 | Int64) -> Int64:
        return graph.number[rows].astype(np.int64)

    def brands(places: Int32) -> list[str]:
        return [graph.brand_keys[k] for k in places.tolist()]

    names = list(graph.topic_names)
    return Snapshot(
        version=graph.version,
        accounts=AccountColumns(
            n=graph.number.astype(np.int64),
            key=list(graph.keys),
            handle=[handle or None for handle in graph.handles],
            opted_out=graph.opted_out,
            followers=graph.followers,
            bio=graph.bio,
        ),
        follows=FollowColumns(
            source=numbers(rows_of(graph.out_ptr)),
            target=numbers(graph.out_idx),
            weight=graph.out_weight,
            day=graph.out_day.astype(np.int64),
        ),
        followed_at=graph.followed_at,
        engagements=EngagementColumns(
            source=numbers(rows_of(graph.engaged_ptr)),
            target=numbers(graph.engaged_idx),
            day=graph.engaged_day.astype(np.int64),
            counts=graph.engaged_counts[graph.engaged_code],
        ),
        brands=BrandColumns(
            key=graph.brand_keys,
            name=graph.brand_names,
            own=numbers(graph.own_account),
            own_brand=brands(graph.own_brand),
            account=numbers(graph.relation_account),
            brand=brands(graph.relation_brand),
            relation=graph.relation_name,
            since=graph.relation_since,
            until=graph.relation_until,
        ),
        topics=TopicColumns(
            account=numbers(rows_of(graph.topic_ptr)),
            topic=[names[k] for k in graph.topic_idx.tolist()],
            posts=graph.topic_posts.astype(np.int64),
            first=graph.topic_first,
            post=list(graph.topic_post),
            latest=graph.topic_latest,
        ),
        postings=PostingColumns(
            account=numbers(rows_of(graph.posted_ptr)),
            day=graph.posted_day.astype(np.int64),
            counts=graph.posted_counts.astype(np.int64),
        ),
        mentions=MentionColumns(
            account=numbers(rows_of(graph.mention_ptr)),
            brand=brands(graph.mention_brand),
            post=list(graph.mention_post),
            at=graph.mention_at,
            stance=graph.mention_stance,
            paid=graph.mention_paid,
            answered=graph.mention_answered,
            read=graph.mention_read,
        ),
        words=WordColumns(
            names=list(graph.word_names),
            account=numbers(rows_of(graph.word_ptr)),
            word=graph.word_idx.astype(np.int64),
            posts=graph.word_posts.astype(np.int64),
            post=graph.word_post.astype(np.int64),
            quoted_account=numbers(rows_of(graph.quoted_ptr)),
            quoted_post=list(graph.quoted_post),
            quoted_at=graph.quoted_at,
        ),
        endorsements=EndorsementColumns(
            source=numbers(rows_of(graph.endorsed_ptr)),
            target=numbers(graph.endorsed_idx),
            at=graph.endorsed_at,
            latest=graph.endorsed_latest,
        ),
    )


def rows_of(ptr: Int64) -> Int64:
    """Row of each entry of compressed sparse rows: int64[m]."""
    return np.repeat(np.arange(len(ptr) - 1, dtype=np.int64), np.diff(ptr))


def lengths(ptr: Int64, rows: Int32 | Int64) -> Int64:
    """Number of entries of some rows: int64[k], in time that does not grow with all rows."""
    counts: Int64 = ptr[rows + 1] - ptr[rows]
    return counts


def entries_of(ptr: Int64, rows: Int32 | Int64) -> Int64:
    """Positions of all entries of some rows, row after row, as one array."""
    counts = lengths(ptr, rows)
    before = np.cumsum(counts) - counts
    return np.repeat(ptr[rows] - before, counts) + np.arange(int(counts.sum()), dtype=np.int64)


def strengths(ptr: Int64, weight: Float64) -> Float64:
    """Sum of the weights in each row: float64[n]."""
    return row_sums(ptr, weight)


def subgraph(graph: Graph, members: Int32) -> Graph:
    """Cut out the graph of some accounts with what is among them, numbered as in `members`.

    These are follows, interactions and endorsements. Their relations to brands, topics, posts and mentions come with
    them. Takes time in proportion to what the members have of each, not to the whole graph.

    Args:
        graph: the whole.
        members: int32[k], indices into it, ascending (so that the order of keys is kept).
    """
    out_ptr, out_idx, out_entry = cut_out(graph.out_ptr, graph.out_idx, members)
    in_ptr, in_idx, _ = turned(out_ptr, out_idx)
    engaged_ptr, engaged_idx, engaged_entry = cut_out(graph.engaged_ptr, graph.engaged_idx, members)
    endorsed_ptr, endorsed_idx, endorsed_entry = cut_out(graph.endorsed_ptr, graph.endorsed_idx, members)
    own, own_account = _entries_among(graph.own_account, members)
    relations, relation_account = _entries_among(graph.relation_account, members)
    topics = entries_of(graph.topic_ptr, members)
    words = entries_of(graph.word_ptr, members)
    quoted = entries_of(graph.quoted_ptr, members)
    posted = entries_of(graph.posted_ptr, members)
    mentions = entries_of(graph.mention_ptr, members)
    return Graph(
        version=graph.version,
        as_of=graph.as_of,
        followed_at=graph.followed_at,
        number=graph.number[members],
        keys=graph.keys.take(members),
        handles=graph.handles.take(members),
        opted_out=graph.opted_out[members],
        followers=graph.followers[members],
        bio=graph.bio[members],
        out_ptr=out_ptr,
        out_idx=out_idx,
        out_weight=graph.out_weight[out_entry],
        out_day=graph.out_day[out_entry],
        in_ptr=in_ptr,
        in_idx=in_idx,
        engaged_ptr=engaged_ptr,
        engaged_idx=engaged_idx,
        engaged_day=graph.engaged_day[engaged_entry],
        engaged_code=graph.engaged_code[engaged_entry],
        engaged_counts=graph.engaged_counts,
        brand_keys=graph.brand_keys,
        brand_names=graph.brand_names,
        own_account=own_account,
        own_brand=graph.own_brand[own],
        relation_account=relation_account,
        relation_brand=graph.relation_brand[relations],
        relation_name=graph.relation_name[relations],
        relation_since=graph.relation_since[relations],
        relation_until=graph.relation_until[relations],
        topic_names=graph.topic_names,
        topic_ptr=pointers_of(lengths(graph.topic_ptr, members)),
        topic_idx=graph.topic_idx[topics],
        topic_posts=graph.topic_posts[topics],
        topic_first=graph.topic_first[topics],
        topic_post=graph.topic_post.take(topics),
        topic_latest=graph.topic_latest[topics],
        word_names=graph.word_names,
        word_ptr=pointers_of(lengths(graph.word_ptr, members)),
        word_idx=graph.word_idx[words],
        word_posts=graph.word_posts[words],
        word_post=graph.word_post[words],
        quoted_ptr=pointers_of(lengths(graph.quoted_ptr, members)),
        quoted_post=graph.quoted_post.take(quoted),
        quoted_at=graph.quoted_at[quoted],
        posted_ptr=pointers_of(lengths(graph.posted_ptr, members)),
        posted_day=graph.posted_day[posted],
        posted_counts=graph.posted_counts[posted],
        mention_ptr=pointers_of(lengths(graph.mention_ptr, members)),
        mention_brand=graph.mention_brand[mentions],
        mention_post=graph.mention_post.take(mentions),
        mention_at=graph.mention_at[mentions],
        mention_stance=graph.mention_stance[mentions],
        mention_paid=graph.mention_paid[mentions],
        mention_answered=graph.mention_answered[mentions],
        mention_read=graph.mention_read[mentions],
        endorsed_ptr=endorsed_ptr,
        endorsed_idx=endorsed_idx,
        endorsed_at=graph.endorsed_at[endorsed_entry],
        endorsed_latest=graph.endorsed_latest,
    )


def _entries_among(account: Int32, members: Int32) -> tuple[Int64, Int32]:
    """Positions at which members stand in an ascending array of accounts, and which of the members each is."""
    first = np.searchsorted(account, members)
    counts = np.searchsorted(account, members, side="right") - first
    entries = np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()), dtype=np.int64)
    return entries, np.repeat(np.arange(len(members), dtype=np.int32), counts)


def project(graph: Graph | WeightedGraph) -> Projection:
    """Project ties, or follows alone, to undirected ones: the weight of a pair is w_ij + w_ji."""
    ties = both_ways(graph)
    return _projection(ties.out_ptr, ties.out_idx, ties.out_weight, ties.in_ptr, ties.in_idx, ties.in_weight)


def projected(source: Int32, target: Int32, weight: Float64, n: int) -> Projection:
    """Do what `project` does for ties in no order: int32[m], int32[m] and float64[m], among n accounts."""
    return _projection(*rows_both_ways(source, target, weight, n))


def _projection(
    out_ptr: Int64, out_idx: Int32, out_weight: Float64, in_ptr: Int64, in_idx: Int32, in_weight: Float64
) -> Projection:
    skew = strengths(out_ptr, out_weight) - strengths(in_ptr, in_weight)
    return Projection.of(*summed(out_ptr, out_idx, out_weight, in_ptr, in_idx, in_weight), skew)


def followed_back(graph: Graph) -> Bool:
    """Say of each incoming follow whether it is mutual: bool[m], in the places of `in_idx`."""
    return in_both(graph.in_ptr, graph.in_idx, graph.out_ptr, graph.out_idx)


@dataclass(frozen=True)
class FollowArrays:
    """Follows of n accounts as compressed sparse rows, for analysts: copies, that may be changed.

    Account i follows `idx[ptr[i]:ptr[i + 1]]`, ascending; weight and day of these follows are in the same places.

    Attributes:
        keys: keys of the accounts, ascending; an account is its place here. n texts.
        ptr: int64[n+1]; idx: int32[m]; weight: float64[m].
        day: int32[m], days since 1970-01-01 UTC on which follows were said; -1 where unknown.
        opted_out: bool[n], who does not want to be a candidate.
        version: of the graph.
    """

    keys: list[str]
    ptr: Int64
    idx: Int32
    weight: Float64
    day: Int32
    opted_out: Bool
    version: int

    def matrix(self) -> csr_array:
        """The weights as scipy's sparse array, float64[n, n]: row i, column j where i follows j."""
        from scipy.sparse import csr_array

        n = len(self.keys)
        return csr_array((self.weight, self.idx, self.ptr), shape=(n, n))


def to_arrays(graph: Graph) -> FollowArrays:
    """Give the follows to analysts as arrays; see `FollowArrays`."""
    return FollowArrays(
        keys=list(graph.keys),
        ptr=graph.out_ptr.copy(),
        idx=graph.out_idx.copy(),
        weight=graph.out_weight.copy(),
        day=graph.out_day.astype(np.int32),
        opted_out=graph.opted_out.copy(),
        version=graph.version,
    )


def to_networkx(graph: Graph) -> nx.DiGraph[str]:
    """Give the follows to analysts: nodes are keys with `handle`; an edge a → b with `weight` means a follows b.

    `handle` is None where it is not known; `opted_out` says who does not want to be a candidate. The graph has the
    attribute `version`.
    """
    import networkx as nx  # takes a while, and no run needs it

    result: nx.DiGraph[str] = nx.DiGraph(version=graph.version)
    keys = list(graph.keys)
    for key, handle, out in zip(keys, graph.handles, graph.opted_out.tolist(), strict=True):
        result.add_node(key, handle=handle or None, opted_out=out)
    ends = zip(rows_of(graph.out_ptr).tolist(), graph.out_idx.tolist(), graph.out_weight.tolist(), strict=True)
    result.add_weighted_edges_from((keys[i], keys[j], weight) for i, j, weight in ends)
    return result
