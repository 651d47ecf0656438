"""The synthetic sample as a graph, without a store: the columns that reading it back would give."""

from __future__ import annotations

import csv
import functools
from collections import Counter
from dataclasses import replace

import numpy as np

from service.analytics.graph import build_graph
from service.content.words import read_text
from service.domain import (
    PAID_UNKNOWN,
    STANCE_UNKNOWN,
    AccountColumns,
    BrandColumns,
    EndorsementColumns,
    EngagementColumns,
    FollowColumns,
    Graph,
    MentionColumns,
    Past,
    PostingColumns,
    Snapshot,
    TopicColumns,
    bio_digest,
)
from service.sample import BRANDS, DAY, DEMO_FOLLOWS, SEED, UNKNOWN, Sample, make_sample, topic_name
from service.sample_files import _post_lines
from service.sample_words import BOUGHT_BIO, TOPICS
from tests.unit.analytics_graphs import words_of

LINK, REPOSTED, REPOST = 1, 4, 3  # kinds of posts, and of interactions
KINDS = (0, 1, 2, 3)  # of interactions: like, reply, mention, repost, in the order of the counts


@functools.cache
def sample_and_graph(follows: int = DEMO_FOLLOWS, seed: int = SEED) -> tuple[Sample, Graph]:
    """The sample, and its graph; account i of the sample is account i of the graph."""
    sample = make_sample(follows, seed)
    return sample, build_graph(snapshot_of(sample))


def snapshot_of(sample: Sample) -> Snapshot:
    """What the store would return after importing the sample."""
    people, posts, acts, rel = sample.people, sample.posts, sample.interactions, sample.relations
    n = people.n
    rng = np.random.default_rng(0)
    inside = np.bincount(sample.follows.followee, minlength=n)
    pair_day, row = np.unique(np.stack([acts.account, acts.target, acts.at // DAY]), axis=1, return_inverse=True)
    counts = np.zeros((pair_day.shape[1], 4), dtype=np.int64)
    np.add.at(counts, (row.ravel(), acts.kind), 1)
    author_day, row = np.unique(np.stack([posts.author, posts.at // DAY]), axis=1, return_inverse=True)
    posted = np.zeros((author_day.shape[1], 3), dtype=np.int64)
    for column, those in enumerate((np.ones(len(posts.at), dtype=bool), posts.kind == LINK, posts.kind == REPOSTED)):
        np.add.at(posted[:, column], row.ravel(), those)
    named = np.flatnonzero(posts.brand >= 0)
    own = np.flatnonzero(people.brand >= 0)
    replied = _answered(sample)
    return Snapshot(
        version=1,
        accounts=AccountColumns(
            n=np.arange(n),
            key=[f"sample:u{i:06}" for i in range(n)],
            handle=[None] * n,
            opted_out=people.opted_out,
            followers=inside + np.floor(inside * rng.lognormal(0, 1, n)).astype(np.int64),
            bio=np.where(people.bought, bio_digest(BOUGHT_BIO), 0),
        ),
        follows=FollowColumns(
            sample.follows.follower,
            sample.follows.followee,
            np.ones(len(sample.follows.at)),
            sample.follows.at // DAY,
        ),
        followed_at=1000 * int(max(sample.follows.at.max(), sample.unfollows.at.max())),
        engagements=EngagementColumns(pair_day[0], pair_day[1], pair_day[2], counts),
        brands=BrandColumns(
            key=[key for key, *_ in BRANDS],
            name=[name for _, name, *_ in BRANDS],
            own=own,
            own_brand=[BRANDS[brand][0] for brand in people.brand[own].tolist()],
            account=rel.account,
            brand=[BRANDS[brand][0] for brand in rel.brand.tolist()],
            relation=rel.relation.astype(np.int8),
            since=1000 * rel.since,
            until=np.where(rel.until < 0, -1, 1000 * rel.until),
        ),
        topics=_topics(sample),
        postings=PostingColumns(author_day[0], author_day[1], posted),
        mentions=MentionColumns(
            account=posts.author[named],
            brand=[BRANDS[brand][0] for brand in posts.brand[named].tolist()],
            post=[f"sample:p{i}" for i in named.tolist()],
            at=1000 * posts.at[named],
            stance=np.where(posts.stance[named] == UNKNOWN, STANCE_UNKNOWN, posts.stance[named]).astype(np.int8),
            paid=np.where(posts.paid[named] == UNKNOWN, PAID_UNKNOWN, posts.paid[named]).astype(np.int8),
            answered=replied[named],
        ),
        endorsements=_endorsements(sample),
    )


def _endorsements(sample: Sample) -> EndorsementColumns:
    """Endorsements that stand: those that were not withdrawn later."""
    all_of_them = sample.endorsements
    pair = all_of_them.account * sample.people.n + all_of_them.endorsed
    kept = ~np.isin(pair, pair[all_of_them.withdrawn])
    return EndorsementColumns(
        all_of_them.account[kept],
        all_of_them.endorsed[kept],
        1000 * all_of_them.at[kept],
        1000 * int(all_of_them.at.max(initial=-1)),
    )


def with_texts(sample: Sample) -> Graph:
    """The sample's graph with what its authors say in the posts that they wrote; what they shared is left out."""
    names = [topic_name(i, sample.trends) for i in range(len(TOPICS) + len(sample.trends))]
    ids = [f"u{i:06}" for i in range(sample.people.n)]
    lines = [line for some in _post_lines(sample, ids, names) for line in some.splitlines()]
    counts: Counter[tuple[str, str]] = Counter()
    latest: dict[tuple[str, str], tuple[int, str]] = {}
    for row, at in zip(csv.reader(lines), sample.posts.at.tolist(), strict=True):
        for word in read_text(row[5], row[4]).words:
            said = f"sample:{row[1]}", word
            counts[said] += 1
            latest[said] = max(latest.get(said, (-1, "")), (1000 * at, f"sample:{row[0]}"))
    snapshot = snapshot_of(sample)
    number = dict(zip(snapshot.accounts.key, snapshot.accounts.n.tolist(), strict=True))
    said_by = [(*said, posts, latest[said][1], latest[said][0]) for said, posts in counts.items()]
    return build_graph(replace(snapshot, words=words_of(said_by, number)))


def past_of(sample: Sample, before_day: int) -> Past:
    """What the store would return of the sample's time before a day."""
    before = before_day * DAY
    older = sample.follows.at < before
    topics = _topics(sample, before)
    return Past(
        before_day=before_day,
        source=sample.follows.follower[older],
        target=sample.follows.followee[older],
        followed_at=1000 * int(sample.follows.at[older].max(initial=-1)),
        topics=topics,
        topics_at=int(topics.first.max(initial=-1)),
        follows_without_time=0,
        posts_without_time=0,
        with_undated=False,
    )


def _topics(sample: Sample, before: int | None = None) -> TopicColumns:
    """Topics of what each account wrote, and of what it passed on by a repost that names the post; or of older ones."""
    posts, acts = sample.posts, sample.interactions
    shared = np.flatnonzero((acts.kind == REPOST) & (acts.post >= 0))
    seen: dict[tuple[int, int], set[int]] = {}
    first: Counter[tuple[int, int]] = Counter()
    last: dict[tuple[int, int], tuple[int, str]] = {}
    for account, post, at in zip(
        np.concatenate([posts.author, acts.account[shared]]).tolist(),
        np.concatenate([np.arange(len(posts.at)), acts.post[shared]]).tolist(),
        np.concatenate([posts.at, acts.at[shared]]).tolist(),
        strict=True,
    ):
        for topic in posts.topic[post].tolist():
            if topic >= 0 and (before is None or at < before):
                pair = (account, topic)
                seen.setdefault(pair, set()).add(post)
                first[pair] = min(first.get(pair, at), at)
                last[pair] = max(last.get(pair, (-1, "")), (1000 * at, f"sample:p{post}"))
    pairs = list(seen)
    return TopicColumns(
        account=np.array([account for account, _ in pairs], dtype=np.int64),
        topic=[topic_name(topic, sample.trends) for _, topic in pairs],
        posts=np.array([len(seen[pair]) for pair in pairs], dtype=np.int64),
        first=np.array([1000 * first[pair] for pair in pairs], dtype=np.int64),
        post=[last[pair][1] for pair in pairs],
        latest=np.array([last[pair][0] for pair in pairs], dtype=np.int64),
    )


def _answered(sample: Sample) -> np.ndarray:  # type: ignore[type-arg]
    """Which posts an account of the brand they mention replied to."""
    acts, posts = sample.interactions, sample.posts
    about = np.flatnonzero((acts.post >= 0) & (acts.kind == 1))
    brand = sample.people.brand[acts.account[about]]
    answered = np.zeros(len(posts.at), dtype=np.bool_)
    answered[acts.post[about][(brand >= 0) & (brand == posts.brand[acts.post[about]])]] = True
    return answered
