"""Follows and whatever else accounts do as arrays: building them, cutting communities out, handing them to networkx."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import networkx as nx
import numpy as np

from service.analytics.sparse import cut_out, first_twice, in_both, row_sums, rows_both_ways, summed, turned
from service.analytics.ties import WeightedGraph, both_ways
from service.domain import (
    DAY_MS,
    PAID_UNKNOWN,
    POSTING_NAMES,
    STANCE_UNKNOWN,
    AccountColumns,
    Bool,
    BrandColumns,
    EngagementColumns,
    Float64,
    FollowColumns,
    Graph,
    Int8,
    Int32,
    Int64,
    MentionColumns,
    PostingColumns,
    Snapshot,
    Texts,
    TopicColumns,
    WordColumns,
)
from service.errors import RunFailed

YEARS_MS = (-62_135_596_800_000, 253_402_300_799_999)
"""First and last millisecond of the years 1 to 9999, which dates can show."""

MOST_COUNTED = 10**12
"""Largest count of a day that is taken, as in an import: the counts of a window then add up in 64 bits."""

MOST_POSTS = int(np.iinfo(np.int32).max)
"""Largest number of posts of an account that is taken: about one topic, or of one day."""


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
    quoted posts by account and key, posts by account and day, mentions by account, time, brand and post.

    Args:
        snapshot: columns of n accounts, m follows, interactions, b brands with their own accounts and relations,
            topics and words of accounts, posts and mentions of brands.

    Raises:
        RunFailed: what was read is no such graph: an account or brand twice, anything of an unknown account or brand,
            an account that follows or engages with itself, a pair (of interactions: a pair and day; of posts: an
            account and day; of mentions: an account, post and brand) that occurs twice, a weight that is not positive
            and finite, a count that is below 0 or beyond MOST_COUNTED, of posts not in 1..MOST_POSTS or less than the
            links and reposts among them, a stance or payment of a mention that is not known, a time that no calendar
            shows.
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
    if n and (sorted_number[0] < 0 or sorted_number[-1] > np.iinfo(np.int32).max):
        raise RunFailed("An account has a number that is not in 0..2147483647; export the graph and import it anew.")

    source = _positions("follow", follows.source, sorted_number, by_number).astype(np.int32)
    target = _positions("follow", follows.target, sorted_number, by_number).astype(np.int32)
    if bool(np.any(source == target)):
        itself = keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} follows itself; delete that FOLLOWS relationship and analyse again.")
    if not bool(np.all(np.isfinite(follows.weight) & (follows.weight > 0))):
        raise RunFailed("A follow has a weight that is not positive and finite; set it right and analyse again.")

    out_ptr, out_idx, out_weight, in_ptr, in_idx, _ = rows_both_ways(source, target, follows.weight, n)
    day = np.full(len(source), -1, dtype=np.int64) if follows.day is None else follows.day
    if bool(np.any((day < YEARS_MS[0] // DAY_MS) | (day > YEARS_MS[1] // DAY_MS))):
        raise RunFailed("A follow has a time outside the years 1 to 9999; set it right and analyse again.")
    out_day = rows_both_ways(source, target, day.astype(np.float64), n)[2].astype(np.int32)
    twice = first_twice(out_ptr, out_idx)
    if twice != (-1, -1):
        pair = f"{keys[twice[0]]} follows {keys[twice[1]]}"
        raise RunFailed(f"A follow exists twice ({pair}); delete one of the relationships and analyse again.")

    engaged = _engagements(snapshot.engagements, sorted_number, by_number, keys)

    brands = snapshot.brands
    order = sorted(range(len(brands.key)), key=brands.key.__getitem__)
    brand_keys = [brands.key[k] for k in order]
    if any(a == b for a, b in itertools.pairwise(brand_keys)):
        raise RunFailed("A brand was read twice; check that the constraint on Brand.key exists.")
    brand_place = {key: k for k, key in enumerate(brand_keys)}
    own_account, own_brand = _own(
        _positions("brand's own account", brands.own, sorted_number, by_number),
        _brand_positions("brand's own account", brands.own_brand, brand_place),
    )
    account = _positions("relation", brands.account, sorted_number, by_number)
    of, brand, name, since, until = _relations(
        brands, _brand_positions("relation", brands.brand, brand_place), account, keys
    )

    topics = _topics(snapshot.topics, sorted_number, by_number, keys)
    words = _words(snapshot.words, sorted_number, by_number, keys)
    posted = _postings(snapshot.postings, sorted_number, by_number, keys)
    mentions = _mentions(snapshot.mentions, sorted_number, by_number, keys, brand_place)

    latest = [DAY_MS * int(day.max()) for day in (engaged.day, posted.day) if len(day)]
    latest += [snapshot.followed_at] if snapshot.followed_at >= 0 else []
    return Graph(
        version=snapshot.version,
        as_of=max(latest, default=None),
        followed_at=snapshot.followed_at,
        number=number.astype(np.int32),
        keys=Texts.of(keys),
        handles=Texts.of(accounts.handle[i] or "" for i in by_key.tolist()),
        opted_out=accounts.opted_out[by_key],
        followers=accounts.followers[by_key],
        bio=np.zeros(n, dtype=np.int64) if accounts.bio is None else accounts.bio[by_key],
        out_ptr=out_ptr,
        out_idx=out_idx,
        out_weight=out_weight,
        out_day=out_day,
        in_ptr=in_ptr,
        in_idx=in_idx,
        engaged_ptr=engaged.ptr,
        engaged_idx=engaged.idx,
        engaged_day=engaged.day,
        engaged_code=engaged.code,
        engaged_counts=engaged.counts,
        brand_keys=brand_keys,
        brand_names=[brands.name[k] for k in order],
        own_account=own_account,
        own_brand=own_brand,
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
    )


@dataclass(frozen=True)
class _Engagements:
    """Interactions as `domain.Graph` has them."""

    ptr: Int64
    idx: Int32
    day: Int32
    code: Int32
    counts: Int64


def _engagements(columns: EngagementColumns, sorted_number: Int64, by_number: Int64, keys: list[str]) -> _Engagements:
    """Sort interactions by their ends and day, and number the different counts.

    Raises:
        RunFailed: they name an unknown account, are with oneself, stand twice, or have a count or day that cannot be.
    """
    source = _positions("count of interactions", columns.source, sorted_number, by_number)
    target = _positions("count of interactions", columns.target, sorted_number, by_number)
    day, counts = columns.day, columns.counts
    if bool(np.any(source == target)):
        itself = keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} engages with itself; delete that ENGAGED relationship and analyse again.")
    if bool(np.any((counts < 0) | (counts > MOST_COUNTED))):
        raise RunFailed(f"A count of interactions is not in 0..{MOST_COUNTED:,}; set it right and analyse again.")
    if bool(np.any((day < YEARS_MS[0] // DAY_MS) | (day > YEARS_MS[1] // DAY_MS))):
        raise RunFailed("Interactions have a day outside the years 1 to 9999; set it right and analyse again.")
    n = len(keys)
    pair = source * n + target
    order = np.lexsort((day, pair))
    pair, day, counts = pair[order], day[order], counts[order]
    twice = np.flatnonzero((np.diff(pair) == 0) & (np.diff(day) == 0))
    if len(twice):
        one, other = divmod(int(pair[twice[0]]), n)
        raise RunFailed(
            f"Interactions of {keys[one]} with {keys[other]} stand twice on one day; delete one of the ENGAGED "
            "relationships and analyse again."
        )
    by_counts = np.lexsort(counts.T[::-1])
    ordered = counts[by_counts]
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    code = np.empty(len(ordered), dtype=np.int32)
    code[by_counts] = np.cumsum(new) - 1
    return _Engagements(
        ptr=_pointers(pair // max(n, 1), n),
        idx=(pair % max(n, 1)).astype(np.int32),
        day=day.astype(np.int32),
        code=code,
        counts=ordered[new],
    )


def _own(account: Int64, brand: Int64) -> tuple[Int32, Int32]:
    """Sort accounts that are a brand's own by account, then brand; pairs alike become one."""
    pairs = np.unique(np.stack([account, brand], axis=1), axis=0)
    return pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)


def _relations(brands: BrandColumns, brand: Int64, account: Int64, keys: list[str]) -> Int64:
    """Relations as five rows (account, brand, relation, since, until), in this order; those alike in all become one.

    Raises:
        RunFailed: a relation has a time that no calendar shows.
    """
    for times in (brands.since, brands.until):
        _check_times("A relation of account {} to a brand has a time", times, account, keys)
    table = np.stack([account, brand, brands.relation.astype(np.int64), brands.since, brands.until])
    table = table[:, np.lexsort(table[::-1])]
    new = np.ones(table.shape[1], dtype=np.bool_)
    new[1:] = np.any(np.diff(table, axis=1) != 0, axis=0)
    return table[:, new]


def _check_times(says: str, times: Int64, account: Int64, keys: list[str]) -> None:
    """Refuse times in milliseconds that no calendar shows; `says` has a place for the account's key."""
    wrong = (times < YEARS_MS[0]) | (times > YEARS_MS[1])
    if bool(np.any(wrong)):
        where = says.format(keys[int(account[wrong].min())])
        raise RunFailed(f"{where} outside the years 1 to 9999; set it right and analyse again.")


@dataclass(frozen=True)
class _Topics:
    """Topics of accounts as `domain.Graph` has them."""

    names: Texts
    ptr: Int64
    idx: Int32
    posts: Int32
    first: Int64
    post: Texts
    latest: Int64


def _topics(columns: TopicColumns, sorted_number: Int64, by_number: Int64, keys: list[str]) -> _Topics:
    """Sort topics of accounts by account, then name.

    Raises:
        RunFailed: they name an unknown account, stand twice, or have a count of posts or a time that cannot be.
    """
    account = _positions("count of posts", columns.account, sorted_number, by_number)
    names = sorted(set(columns.topic))
    position = {name: k for k, name in enumerate(names)}
    topic = np.array([position[name] for name in columns.topic], dtype=np.int64)
    if bool(np.any((columns.posts < 1) | (columns.posts > MOST_POSTS))):
        raise RunFailed(
            f"An account has a topic with a number of posts that is not in 1..{MOST_POSTS}; analyse again, "
            "and import your files anew if this comes back."
        )
    _check_times("A post that account {} wrote or shared has a time", columns.first, account, keys)
    order = np.lexsort((topic, account))
    account, topic = account[order], topic[order]
    twice = np.flatnonzero((np.diff(account) == 0) & (np.diff(topic) == 0))
    if len(twice):
        first = twice[0]
        raise RunFailed(
            f"Topic {names[topic[first]]} of account {keys[account[first]]} was read twice; "
            "check that the constraint on Topic.name exists."
        )
    return _Topics(
        names=Texts.of(names),
        ptr=_pointers(account, len(keys)),
        idx=topic.astype(np.int32),
        posts=columns.posts[order].astype(np.int32),
        first=columns.first[order],
        post=Texts.of([columns.post[e] for e in order.tolist()] if columns.post else [""] * len(order)),
        latest=np.full(len(order), -1, dtype=np.int64) if columns.latest is None else columns.latest[order],
    )


@dataclass(frozen=True)
class _Words:
    """Words of accounts and the posts that are quoted for them, as `domain.Graph` has them."""

    names: Texts
    ptr: Int64
    idx: Int32
    posts: Int32
    post: Int32
    quoted_ptr: Int64
    quoted_post: Texts
    quoted_at: Int64


def _words(columns: WordColumns, sorted_number: Int64, by_number: Int64, keys: list[str]) -> _Words:
    """Sort words of accounts by account, then word; names that nobody says are left out.

    Raises:
        RunFailed: they name an unknown account or have a time that cannot be.
    """
    account = _positions("word", columns.account, sorted_number, by_number)
    quoted = _positions("quoted post", columns.quoted_account, sorted_number, by_number)
    _check_times("A post that account {} wrote or shared has a time", columns.quoted_at, quoted, keys)
    said, word = np.unique(columns.word, return_inverse=True)
    names = [columns.names[k] for k in said.tolist()]
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    place = np.empty(len(names), dtype=np.int64)
    place[by_name] = np.arange(len(names))
    word = place[word]
    order = np.lexsort((word, account))
    by_account = np.argsort(quoted, kind="stable")  # those of one account come ascending by key
    return _Words(
        names=Texts.of(names[k] for k in by_name.tolist()),
        ptr=_pointers(account, len(keys)),
        idx=word[order].astype(np.int32),
        posts=columns.posts[order].astype(np.int32),
        post=columns.post[order].astype(np.int32),
        quoted_ptr=_pointers(quoted, len(keys)),
        quoted_post=Texts.of(columns.quoted_post[k] for k in by_account.tolist()),
        quoted_at=columns.quoted_at[by_account],
    )


@dataclass(frozen=True)
class _Postings:
    """Days on which accounts posted as `domain.Graph` has them."""

    ptr: Int64
    day: Int32
    counts: Int32


def _postings(columns: PostingColumns, sorted_number: Int64, by_number: Int64, keys: list[str]) -> _Postings:
    """Sort posts counted by account and day by both.

    Raises:
        RunFailed: they name an unknown account, stand twice, or have a count or day that cannot be.
    """
    account = _positions("day of posts", columns.account, sorted_number, by_number)
    day, counts = columns.day, columns.counts
    parts = counts[:, 1:]
    # Each part is looked at alone first: sums of what is within bounds cannot overflow.
    wrong = (counts[:, 0] < 1) | (counts[:, 0] > MOST_POSTS) | np.any((parts < 0) | (parts > MOST_POSTS), axis=1)
    if bool(np.any(wrong)) or bool(np.any(parts.sum(axis=1) > counts[:, 0])):
        raise RunFailed(
            f"An account has a number of posts of a day that is not in 1..{MOST_POSTS}, or fewer posts than "
            f"{' and '.join(POSTING_NAMES[1:])} among them; analyse again, and import your files anew if this comes "
            "back."
        )
    _check_times("A post of account {} has a time", _moments(day), account, keys)
    order = np.lexsort((day, account))
    account, day = account[order], day[order]
    twice = np.flatnonzero((np.diff(account) == 0) & (np.diff(day) == 0))
    if len(twice):
        raise RunFailed(
            f"Posts of account {keys[account[twice[0]]]} on one day were read twice; analyse again, "
            "and import your files anew if this comes back."
        )
    return _Postings(_pointers(account, len(keys)), day.astype(np.int32), counts[order].astype(np.int32))


def _moments(day: Int64) -> Int64:
    """First moments of days, in milliseconds; of days far beyond the years 1 to 9999 some that are, too."""
    moments: Int64 = DAY_MS * np.clip(day, YEARS_MS[0] // DAY_MS - 1, YEARS_MS[1] // DAY_MS + 1)
    return moments


@dataclass(frozen=True)
class _Mentions:
    """Mentions of brands as `domain.Graph` has them."""

    ptr: Int64
    brand: Int32
    post: Texts
    at: Int64
    stance: Int8
    paid: Int8
    answered: Bool
    read: Bool


def _mentions(
    columns: MentionColumns, sorted_number: Int64, by_number: Int64, keys: list[str], brand_place: dict[str, int]
) -> _Mentions:
    """Sort mentions by account, time, brand (its place among `brand_place`), post.

    Raises:
        RunFailed: they name an unknown account or brand, stand twice, or have a stance, payment or time that cannot be.
    """
    account = _positions("mention", columns.account, sorted_number, by_number)
    brand = _brand_positions("mention", columns.brand, brand_place)
    names = sorted(set(columns.post))
    place = {name: k for k, name in enumerate(names)}
    post = np.array([place[name] for name in columns.post], dtype=np.int64)
    for what, values, known in (
        ("stance", columns.stance, (-1, 0, 1, STANCE_UNKNOWN)),
        ("payment", columns.paid, (0, 1, PAID_UNKNOWN)),
    ):
        wrong = ~np.isin(values, known)
        if bool(np.any(wrong)):
            raise RunFailed(
                f"A mention of a brand in post {names[int(post[wrong].min())]} has a {what} that cannot be; "
                "set it right and analyse again."
            )
    _check_times("A post of account {} that mentions a brand has a time", columns.at, account, keys)
    order = np.lexsort((brand, post, account))
    alike = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in (account, post, brand):
        alike &= np.diff(column[order]) == 0
    twice = order[:-1][alike]
    if len(twice):
        first = int(twice[0])
        raise RunFailed(
            f"Post {columns.post[first]} mentions brand {columns.brand[first]} twice; delete one of the MENTIONS "
            "relationships and analyse again."
        )
    order = np.lexsort((post, brand, columns.at, account))
    return _Mentions(
        ptr=_pointers(account, len(keys)),
        brand=brand[order].astype(np.int32),
        post=Texts.of(names).take(post[order]),
        at=columns.at[order],
        stance=columns.stance[order],
        paid=columns.paid[order],
        answered=columns.answered[order],
        read=np.zeros(len(order), dtype=np.bool_) if columns.read is None else columns.read[order],
    )


def _brand_positions(what: str, names: list[str], place: dict[str, int]) -> Int64:
    """Translate keys of brands to positions in their order."""
    unknown = {name for name in names if name not in place}
    if unknown:
        raise RunFailed(f"A {what} names brand {min(unknown)}, which was not read; analyse again.")
    return np.array([place[name] for name in names], dtype=np.int64)


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
    return pointers_of(np.bincount(rows, minlength=n))


def pointers_of(counts: Int64) -> Int64:
    """Row pointers of compressed sparse rows, from the number of entries in each row: int64[n+1]."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])


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
    """Cut out the graph of some accounts with the follows and interactions among them, numbered as in `members`.

    Their relations to brands, topics, posts and mentions come with them. Takes time in proportion to what the members
    have of each, not to the whole graph.

    Args:
        graph: the whole.
        members: int32[k], indices into it, ascending (so that the order of keys is kept).
    """
    out_ptr, out_idx, out_entry = cut_out(graph.out_ptr, graph.out_idx, members)
    in_ptr, in_idx, _ = turned(out_ptr, out_idx)
    engaged_ptr, engaged_idx, engaged_entry = cut_out(graph.engaged_ptr, graph.engaged_idx, members)
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


def to_networkx(graph: Graph) -> nx.DiGraph[str]:
    """Give the follows to analysts: nodes are keys with `handle`; an edge a → b with `weight` means a follows b.

    `handle` is None where it is not known.
    """
    result: nx.DiGraph[str] = nx.DiGraph()
    keys = list(graph.keys)
    for key, handle in zip(keys, graph.handles, strict=True):
        result.add_node(key, handle=handle or None)
    ends = zip(rows_of(graph.out_ptr).tolist(), graph.out_idx.tolist(), graph.out_weight.tolist(), strict=True)
    result.add_weighted_edges_from((keys[i], keys[j], weight) for i, j, weight in ends)
    return result
