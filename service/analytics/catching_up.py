"""Putting what changed on top of a graph: what comes out is what reading everything would give, byte for byte.

It is done kind by kind. Arrays of what did not change are those of the graph before, not copies, so that whoever keeps
graphs need not write them again.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

import numpy as np

from service.analytics.families import (
    YEARS_MS,
    Accounts,
    Engagements,
    Follows,
    Postings,
    Topics,
    Words,
    accounts_of,
    brands_of,
    distinct,
    endorsements_of,
    engagements_of,
    follows_of,
    mentions_of,
    postings_of,
    topics_of_accounts,
    words_of,
)
from service.analytics.graph import assembled, rows_of
from service.analytics.sparse import entries_pointers, merged_rows, pointers_of, turned
from service.domain import (
    DAY_MS,
    AccountColumns,
    Bool,
    Changes,
    EngagementColumns,
    FollowColumns,
    Graph,
    Int32,
    Int64,
    Texts,
)
from service.errors import RunFailed

FIRST_DAY = YEARS_MS[0] // DAY_MS
DAYS = YEARS_MS[1] // DAY_MS - FIRST_DAY + 1
"""Days of the years 1 to 9999, of which there can be interactions."""


def caught_up(known: Graph, changes: Changes) -> Graph:
    """Bring a graph to a later version.

    Args:
        known: the graph as it was.
        changes: what changed since.

    Raises:
        RunFailed: as `build_graph`; or an account goes by another key now.
    """
    accounts, place = _accounts(known, changes.accounts)
    renewed = accounts.positions("post", changes.renewed)
    brands = brands_of(changes.brands, accounts)
    return assembled(
        version=changes.version,
        followed_at=max(known.followed_at, changes.followed_at),
        accounts=accounts,
        follows=_follows(known, place, changes.follows, accounts),
        engaged=_engagements(known, place, changes.engagements, accounts),
        brands=brands,
        topics=_topics(known, place, renewed, topics_of_accounts(changes.topics, accounts)),
        words=_words(known, place, renewed, words_of(changes.words, accounts)),
        posted=_postings(known, place, renewed, postings_of(changes.postings, accounts)),
        mentions=mentions_of(changes.mentions, accounts, brands),
        endorsed=endorsements_of(changes.endorsements, accounts),
    )


def _accounts(known: Graph, columns: AccountColumns) -> tuple[Accounts, Int64]:
    """Accounts of now, and where among them each of those before is: int64[n], ascending."""
    before = Accounts.of(known.number, known.keys, known.handles, known.opted_out, known.followers, known.bio)
    if len(columns.key) == 0:
        return before, np.arange(known.n, dtype=np.int64)
    now = accounts_of(columns)
    was_there = np.isin(now.number, known.number)
    replaced = before.positions("changed account", now.number[was_there].astype(np.int64))
    if list(known.keys.take(replaced)) != list(now.keys.take(np.flatnonzero(was_there))):
        raise RunFailed("An account has another key than before; import your files anew.")
    # Who was there stands at odd places; who is new before the one that has the next key.
    rank = np.empty(now.n, dtype=np.int64)
    rank[was_there] = 2 * replaced + 1
    rank[~was_there] = [2 * bisect_left(known.keys, now.keys[i]) for i in np.flatnonzero(~was_there).tolist()]
    kept = np.delete(np.arange(known.n, dtype=np.int64), replaced)
    entry = np.argsort(np.concatenate([2 * kept + 1, rank]), kind="stable")
    place = np.empty(known.n, dtype=np.int64)
    stands = np.empty(len(entry), dtype=np.int64)
    stands[entry] = np.arange(len(entry))
    place[kept] = stands[: len(kept)]
    place[replaced] = stands[len(kept) :][was_there]
    merged = Accounts.of(
        number=np.concatenate([known.number[kept], now.number])[entry],
        keys=known.keys.take(kept).joined(now.keys).take(entry),
        handles=known.handles.take(kept).joined(now.handles).take(entry),
        opted_out=np.concatenate([known.opted_out[kept], now.opted_out])[entry],
        followers=np.concatenate([known.followers[kept], now.followers])[entry],
        bio=np.concatenate([known.bio[kept], now.bio])[entry],
    )
    return merged, place


def _follows(known: Graph, place: Int64, columns: FollowColumns, accounts: Accounts) -> Follows:
    if len(columns.source) == 0 and accounts.n == known.n:
        return Follows(known.out_ptr, known.out_idx, known.out_weight, known.out_day, known.in_ptr, known.in_idx)
    ended = np.isnan(columns.weight)
    changed = follows_of(replace(columns, weight=np.where(ended, 1.0, columns.weight)), accounts)
    source, target = (accounts.positions("follow", ends[ended]) for ends in (columns.source, columns.target))
    gone = np.isin(rows_of(changed.ptr) * accounts.n + changed.idx, source * accounts.n + target)
    before = place[known.out_idx]
    ptr, entry = merged_rows(
        _moved(known.out_ptr, place, accounts.n), before, changed.ptr, changed.idx.astype(np.int64), gone
    )
    idx = np.concatenate([before.astype(np.int32), changed.idx])[entry]
    in_ptr, in_idx, _ = turned(ptr, idx)
    return Follows(
        ptr=ptr,
        idx=idx,
        weight=np.concatenate([known.out_weight, changed.weight])[entry],
        day=np.concatenate([known.out_day, changed.day])[entry],
        in_ptr=in_ptr,
        in_idx=in_idx,
    )


def _engagements(known: Graph, place: Int64, columns: EngagementColumns, accounts: Accounts) -> Engagements:
    if len(columns.source) == 0 and accounts.n == known.n:
        return Engagements(
            known.engaged_ptr, known.engaged_idx, known.engaged_day, known.engaged_code, known.engaged_counts
        )
    changed = engagements_of(columns, accounts)
    before = place[known.engaged_idx]
    ptr, entry = merged_rows(
        _moved(known.engaged_ptr, place, accounts.n),
        before * DAYS + (known.engaged_day - FIRST_DAY),
        changed.ptr,
        changed.idx.astype(np.int64) * DAYS + (changed.day - FIRST_DAY),
        np.zeros(len(changed.idx), dtype=np.bool_),
    )
    counts, code = distinct(np.concatenate([known.engaged_counts, changed.counts]))
    codes = code[np.concatenate([known.engaged_code, changed.code + len(known.engaged_counts)])[entry]]
    used, codes = _used(codes, len(counts))
    return Engagements(
        ptr=ptr,
        idx=np.concatenate([before.astype(np.int32), changed.idx])[entry],
        day=np.concatenate([known.engaged_day, changed.day])[entry],
        code=codes,
        counts=counts[used],
    )


def _topics(known: Graph, place: Int64, renewed: Int64, now: Topics) -> Topics:
    n = len(now.ptr) - 1
    before = Topics(
        names=known.topic_names,
        ptr=_moved(known.topic_ptr, place, n),
        idx=known.topic_idx,
        posts=known.topic_posts,
        first=known.topic_first,
        post=known.topic_post,
        latest=known.topic_latest,
    )
    if len(renewed) == 0:
        return before
    ptr, entry = _replaced(before.ptr, now.ptr, renewed)
    names, idx = _renamed(before.names, before.idx, now.names, now.idx, entry)
    return Topics(
        names=names,
        ptr=ptr,
        idx=idx,
        posts=np.concatenate([before.posts, now.posts])[entry],
        first=np.concatenate([before.first, now.first])[entry],
        post=before.post.joined(now.post).take(entry),
        latest=np.concatenate([before.latest, now.latest])[entry],
    )


def _words(known: Graph, place: Int64, renewed: Int64, now: Words) -> Words:
    n = len(now.ptr) - 1
    before = Words(
        names=known.word_names,
        ptr=_moved(known.word_ptr, place, n),
        idx=known.word_idx,
        posts=known.word_posts,
        post=known.word_post,
        quoted_ptr=_moved(known.quoted_ptr, place, n),
        quoted_post=known.quoted_post,
        quoted_at=known.quoted_at,
    )
    if len(renewed) == 0:
        return before
    ptr, entry = _replaced(before.ptr, now.ptr, renewed)
    quoted_ptr, quoted = _replaced(before.quoted_ptr, now.quoted_ptr, renewed)
    names, idx = _renamed(before.names, before.idx, now.names, now.idx, entry)
    return Words(
        names=names,
        ptr=ptr,
        idx=idx,
        posts=np.concatenate([before.posts, now.posts])[entry],
        post=np.concatenate([before.post, now.post])[entry],
        quoted_ptr=quoted_ptr,
        quoted_post=before.quoted_post.joined(now.quoted_post).take(quoted),
        quoted_at=np.concatenate([before.quoted_at, now.quoted_at])[quoted],
    )


def _postings(known: Graph, place: Int64, renewed: Int64, now: Postings) -> Postings:
    before = Postings(_moved(known.posted_ptr, place, len(now.ptr) - 1), known.posted_day, known.posted_counts)
    if len(renewed) == 0:
        return before
    ptr, entry = _replaced(before.ptr, now.ptr, renewed)
    return Postings(
        ptr, np.concatenate([before.day, now.day])[entry], np.concatenate([before.counts, now.counts])[entry]
    )


def _moved(ptr: Int64, place: Int64, n: int) -> Int64:
    """Row pointers of the same rows at their places among n rows, the others of which are empty."""
    if len(ptr) == n + 1:
        return ptr
    counts = np.zeros(n, dtype=np.int64)
    counts[place] = np.diff(ptr)
    return pointers_of(counts)


def _replaced(ptr: Int64, new_ptr: Int64, renewed: Int64) -> tuple[Int64, Int64]:
    """Put new rows in place of those that are renewed: row pointers, and which entry, of the old and then the new ones,
    stands where.
    """
    rows = rows_of(ptr)
    kept = np.flatnonzero(~np.isin(rows, renewed))
    rows = np.concatenate([rows[kept], rows_of(new_ptr)])
    entries = np.concatenate([kept, int(ptr[-1]) + np.arange(int(new_ptr[-1]), dtype=np.int64)])
    return entries_pointers(rows, len(ptr) - 1), entries[np.argsort(rows, kind="stable")]


def _renamed(before: Texts, before_idx: Int32, now: Texts, now_idx: Int32, entry: Int64) -> tuple[Texts, Int32]:
    """Names in order that entries of before and now use, and which of them each entry has.

    Entries of before stay in order: names that both have keep their order.
    """
    names = sorted({*before, *now})
    position = {name: k for k, name in enumerate(names)}
    places = np.array([position[name] for some in (before, now) for name in some], dtype=np.int64)
    used, idx = _used(places[np.concatenate([before_idx, now_idx + len(before)])[entry]], len(names))
    return Texts.of(names[k] for k in np.flatnonzero(used).tolist()), idx


def _used(idx: Int64 | Int32, count: int) -> tuple[Bool, Int32]:
    """Which of so many things are pointed at, bool[count]; and the same pointers among these alone."""
    used = np.bincount(idx, minlength=count) > 0
    return used, (np.cumsum(used) - 1)[idx].astype(np.int32)
