"""The graph as it was before a time: what is needed to ask whether scores would have said what happened next.

Nothing that became known later may be in it. What has no time is left out, as it may be from afterwards; so are the
reported numbers of followers and what accounts say of themselves, which are kept as they are now alone. What cannot be
told: a follow that was ended, or an endorsement that was withdrawn, later is not known to have been there, one that was
renewed later counts as later, and stances and whom an account belongs to are as they are known now. Who opts out later
is already compared with nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from service.analytics.graph import build_graph, columns_of, rows_of
from service.domain import (
    DAY_MS,
    Bool,
    BrandColumns,
    EndorsementColumns,
    EngagementColumns,
    Graph,
    Int64,
    LeftOut,
    MentionColumns,
    Past,
    PostingColumns,
    no_words,
)
from service.errors import FutureLeaked

T = TypeVar("T")


def as_it_was(graph: Graph, past: Past) -> tuple[Graph, Int64, LeftOut]:
    """Return the graph as it was before a day.

    An account is in it where anything of the time before names it: it follows or is followed, engages or is engaged
    with, posts, mentions a brand or has to do with one, endorses or is endorsed. The result is the same whatever
    happened from that day on.

    Args:
        graph: as it is now.
        past: follows and topics of the time before, which the graph does not hold by time; of accounts and follows
            that the graph does not hold, nothing is taken.

    Returns:
        The graph, the position that each of its accounts has in the graph of now (int64, ascending), and what was
        left out of it.

    Raises:
        FutureLeaked: something in it is from that day or later.
    """
    now, before = columns_of(graph), DAY_MS * past.before_day
    follows = now.follows
    dated = _pairs(past.source, past.target)
    kept_follows = np.isin(_pairs(follows.source, follows.target), dated)
    engaged = now.engagements
    kept_engaged = engaged.day < past.before_day
    kept_posted = now.postings.day < past.before_day
    kept_mentions = (now.mentions.at >= 0) & (now.mentions.at < before)
    kept_relations = (now.brands.since >= 0) & (now.brands.since < before)
    kept_endorsed = (now.endorsements.at >= 0) & (now.endorsements.at < before)
    known_topics = np.isin(past.topics.account, now.accounts.n)

    named = np.concatenate([
        follows.source[kept_follows], follows.target[kept_follows],
        engaged.source[kept_engaged], engaged.target[kept_engaged],
        now.postings.account[kept_posted], now.mentions.account[kept_mentions],
        now.brands.account[kept_relations], now.brands.own, past.topics.account[known_topics],
        now.endorsements.source[kept_endorsed], now.endorsements.target[kept_endorsed],
    ])  # fmt: skip
    there = np.isin(now.accounts.n, named)
    topics = past.topics
    places = np.flatnonzero(known_topics)
    until = np.where(now.brands.until >= before, -1, now.brands.until)[kept_relations]
    snapshot = replace(
        now,
        accounts=replace(
            now.accounts,
            n=now.accounts.n[there],
            key=_some(now.accounts.key, there),
            handle=_some(now.accounts.handle, there),
            opted_out=now.accounts.opted_out[there],
            followers=np.full(int(there.sum()), -1, dtype=np.int64),
            bio=np.zeros(int(there.sum()), dtype=np.int64),
        ),
        follows=replace(
            follows,
            source=follows.source[kept_follows],
            target=follows.target[kept_follows],
            weight=follows.weight[kept_follows],
            day=None if follows.day is None else follows.day[kept_follows],
        ),
        followed_at=past.followed_at,
        engagements=EngagementColumns(
            engaged.source[kept_engaged],
            engaged.target[kept_engaged],
            engaged.day[kept_engaged],
            engaged.counts[kept_engaged],
        ),
        brands=BrandColumns(
            key=now.brands.key,
            name=now.brands.name,
            own=now.brands.own,
            own_brand=now.brands.own_brand,
            account=now.brands.account[kept_relations],
            brand=_some(now.brands.brand, kept_relations),
            relation=now.brands.relation[kept_relations],
            since=now.brands.since[kept_relations],
            until=until,
        ),
        topics=replace(
            topics,
            account=topics.account[places],
            topic=[topics.topic[i] for i in places.tolist()],
            posts=topics.posts[places],
            first=topics.first[places],
            post=_some(topics.post, known_topics) if topics.post else [],
            latest=None if topics.latest is None else topics.latest[places],
        ),
        postings=PostingColumns(
            now.postings.account[kept_posted], now.postings.day[kept_posted], now.postings.counts[kept_posted]
        ),
        mentions=MentionColumns(
            account=now.mentions.account[kept_mentions],
            brand=_some(now.mentions.brand, kept_mentions),
            post=_some(now.mentions.post, kept_mentions),
            at=now.mentions.at[kept_mentions],
            stance=now.mentions.stance[kept_mentions],
            paid=now.mentions.paid[kept_mentions],
            answered=np.zeros(int(kept_mentions.sum()), dtype=np.bool_),  # no time says when
            read=graph.mention_read[kept_mentions],
        ),
        words=no_words(),  # no back-test asks for them
        endorsements=EndorsementColumns(
            now.endorsements.source[kept_endorsed],
            now.endorsements.target[kept_endorsed],
            now.endorsements.at[kept_endorsed],
            int(now.endorsements.at[kept_endorsed].max(initial=-1)),
        ),
    )
    was = build_graph(snapshot)
    require_no_future(was, past)
    left_out = LeftOut(
        accounts=graph.n - was.n,
        follows=graph.m - was.m,
        follows_without_time=past.follows_without_time,
        posts_without_time=past.posts_without_time,
        relations=int(np.count_nonzero(~kept_relations)),
        mentions=int(np.count_nonzero(~kept_mentions)),
    )
    return was, np.flatnonzero(there), left_out


def require_no_future(was: Graph, past: Past) -> None:
    """Raise FutureLeaked where a graph of the past holds anything of its first day afterwards, or later."""
    before = DAY_MS * past.before_day
    latest = {
        "a follow": max(was.followed_at, DAY_MS * int(was.out_day.max(initial=-1))),
        "a post or share on a topic": past.topics_at,
        "an interaction": DAY_MS * int(was.engaged_day.max(initial=-1)),
        "a post": DAY_MS * int(was.posted_day.max(initial=-1)),
        "the first use of a topic": int(was.topic_first.max(initial=-1)),
        "the latest post on a topic": int(was.topic_latest.max(initial=-1)),
        "words of posts": before if len(was.word_idx) else -1,
        "a bio": before if bool(np.any(was.bio)) else -1,
        "a mention of a brand": int(was.mention_at.max(initial=-1)),
        "an endorsement": max(was.endorsed_latest, int(was.endorsed_at.max(initial=-1))),
        "a relation to a brand": int(max(was.relation_since.max(initial=-1), was.relation_until.max(initial=-1))),
        "a reported number of followers": before if bool(np.any(was.followers >= 0)) else -1,
    }
    leaked = [name for name, at in latest.items() if at >= before]
    if leaked:
        raise FutureLeaked(
            f"The graph of the time before holds {', '.join(leaked)} of the time afterwards; its scores would prove "
            "nothing, so there are none. Please report this."
        )


def day_span(graph: Graph) -> tuple[int, int] | None:
    """First day with interactions, and the one after the last, in days since 1970 UTC; None where there are none."""
    if not len(graph.engaged_day):
        return None
    return int(graph.engaged_day.min()), int(graph.engaged_day.max()) + 1


def interactions(graph: Graph, first_day: int, until_day: int) -> int:
    """How many interactions there are of the days from `first_day` up to, not with, `until_day`."""
    inside = (graph.engaged_day >= first_day) & (graph.engaged_day < until_day)
    return int(graph.engaged_counts.sum(axis=1)[graph.engaged_code[inside]].sum())


def responses(graph: Graph, first_day: int, until_day: int) -> tuple[Int64, Int64, Int64]:
    """Interactions of the days from `first_day` up to, not with, `until_day`: who, with whom, how many; int64 each.

    A pair stands once. Numbers of all kinds are added up.
    """
    inside = np.flatnonzero((graph.engaged_day >= first_day) & (graph.engaged_day < until_day))
    source, target = rows_of(graph.engaged_ptr)[inside].astype(np.int64), graph.engaged_idx[inside].astype(np.int64)
    count = graph.engaged_counts.sum(axis=1)[graph.engaged_code[inside]]
    pair, place = np.unique(source * max(graph.n, 1) + target, return_inverse=True)
    total = np.zeros(len(pair), dtype=np.int64)
    np.add.at(total, place, count)
    some = total > 0
    return pair[some] // max(graph.n, 1), pair[some] % max(graph.n, 1), total[some]


def _pairs(source: Int64, target: Int64) -> Int64:
    """One number for each pair; numbers of accounts are below 2³¹."""
    return (source << 32) | target


def _some(values: list[T], which: Bool) -> list[T]:
    return [values[i] for i in np.flatnonzero(which).tolist()]
