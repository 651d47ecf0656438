"""Authority, after PeerIndex: whom those rely on who know a topic, with an audience and steady activity.

What PeerIndex published ("Opening the temple door", blog.peerindex.com; help.peerindex.com, 2011–2013): *authority* is
how much others rely on somebody's recommendations and opinion, in general and on particular topics. It is calculated in
eight benchmark topics, relative to everybody else in the topic, from 120 days of actions, a sliding window; it is
affirmed where what somebody shares is approved by someone else with authority on the topic, and a few days of frantic
activity must not move it. *Audience* is who is receptive, without spam and inactive accounts; *activity* is whether
somebody is more active than others in the topic. Topic resonance is calculated for topics with a large enough
community. Authority came out of an algorithm like PageRank; weights were not published.

What is done here: benchmark topics are the eight topics with most accounts that may be named. An account that writes or
shares about t has p_t posts about it. With n_itd for what others who write or share about t did with i on day d of the
last 120, Σ_kinds min(times, 3) over them,

    T_it         = Σ_d ln(1 + n_itd)                           of who writes or shares about t
    a_it         = ln(1 + T_it) / ln(1 + max T_t)              the maximum over all who do
    authority_i  = Σ_t p_it · a_it / (Σ_t p_it + 5)
    audience_i   = ln(1 + followers that are not inactive) / ln(1 + the most that anybody has)
    activity_i   = ln(1 + A_i) / ln(1 + max A)                 A_i = Σ_d ln(1 + what i did on day d)
    value        = 100 · (0.6 · authority + 0.2 · audience + 0.2 · activity)

A hundred responses on one day are ln 101 = 4.6, ten a day on ten days 10 · ln 11 = 24: bursts count little. Five posts
about something else (`relevance_prior_posts`) are added to everybody's: one post makes no authority. Where no topic is
a benchmark topic, authority is that of all responses as if all were about one topic, without these five.

Different from PeerIndex: benchmark topics are those of the graph; authority is passed on once and not for ever, from
all who write about a topic alike; activity is compared with everybody's.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.communities import useful_sizes
from service.analytics.compiled import compiled
from service.analytics.graph import rows_of
from service.analytics.lenses.exact import log_scaled, weighted
from service.analytics.lenses.observed import Observed
from service.analytics.rounding import significant, steadied
from service.analytics.sensitive import may_be_named
from service.domain import ENGAGEMENT_NAMES, POSTING_NAMES, Bool, Float64, Graph, Int32, Int64, LensValues

WEIGHTS: Final = {"authority": 0.6, "audience": 0.2, "activity": 0.2}
"""Weights of the parts (c)."""

WINDOW_DAYS: Final = 120
"""Days of actions that count (PeerIndex's)."""

BENCHMARKS: Final = 8
"""So many topics are benchmark topics (PeerIndex's) ..."""

LEAST_ACCOUNTS: Final = 3
"""... each of at least so many accounts (c): an authority has others who know the topic."""

NO_DATA = "Nobody in this graph is known to follow, to post, or to respond to anybody."
PART_REASONS: Final = {
    "authority": "Nobody in this graph is known to have responded to anybody.",
    "audience": "Nobody in this graph is known to be followed.",
    "activity": "Nobody in this graph is known to have done anything.",
}
"""Why parts are null where the graph lacks the data for them."""


def authority(seen: Observed) -> LensValues:
    """Measure authority, audience and activity of all accounts; see the module for formulas.

    Figures have a column for each benchmark topic, and are NaN in those beyond the last:

    topic_authority: a, 0 for topics that the account has nothing about; all NaN for who has none of them.
    fingerprint: share of each topic in the account's posts about benchmark topics; all NaN likewise.
    topic_resonance: share of the members of the account's community who have the topic, without itself, that responded
        to it in the window; NaN for a topic that fewer than min(50, ⌈√N⌉) members have, and outside communities.
    """
    topics = benchmark_topics(seen.graph)
    posts = _posts(seen.graph, topics)
    responses = seen.done(seen.rules.responses_a_day).sum(axis=1)
    counted = seen.lately(WINDOW_DAYS) & (responses > 0)
    by_topic = _topic_authority(seen, posts > 0, responses, counted)
    least, _ = useful_sizes(max(seen.n, 1), seen.rules)
    audience = _audience(seen)
    x: dict[str, Float64] = {}
    if seen.interacted:
        prior = seen.rules.relevance_prior_posts
        x["authority"] = (
            significant(steadied((posts * by_topic).sum(axis=1) / (posts.sum(axis=1) + prior)))
            if topics
            else _scaled(_steady(seen, responses, counted))
        )
    if seen.graph.m or seen.audience.any():
        x["audience"] = _scaled(audience)
    if seen.interacted or len(seen.graph.posted_day):
        x["activity"] = _scaled(_activity(seen))
    if x:
        value, parts = weighted(x, WEIGHTS)
    else:
        value, parts = np.zeros(seen.n, dtype=np.int64), {"authority": np.zeros(seen.n, dtype=np.int64)}
    about = posts.sum(axis=1)
    some = about > 0
    return LensValues(
        lens="authority",
        value=value,
        parts=parts,
        null=np.full(seen.n, -1 if x else 0, dtype=np.int8),
        reasons=(NO_DATA,),
        part_reasons={part: why for part, why in PART_REASONS.items() if part not in x},
        figures={
            "topic_authority": _columns(by_topic, some if seen.interacted else np.zeros(seen.n, dtype=np.bool_)),
            "fingerprint": _columns(_shares(posts, about[:, None]), some),
            "topic_resonance": _columns(_resonance(seen, posts > 0, counted, least), seen.labels >= 0),
        },
        cut_offs={
            "window_days": WINDOW_DAYS,
            "weights": dict(WEIGHTS),
            "times_a_day": seen.rules.responses_a_day,
            "benchmark_topics": [seen.graph.topic_names[t] for t in topics],
            "prior_posts": seen.rules.relevance_prior_posts,
            "least_members": least,
        },
    )


def benchmark_topics(graph: Graph) -> list[int]:
    """Find the benchmark topics: those with most accounts that may be named, ties by name; positions, at most 8.

    Who has opted out does not count: what is named is not theirs alone.
    """
    known = graph.topic_idx[~graph.opted_out[rows_of(graph.topic_ptr)]]
    accounts = np.bincount(known, minlength=len(graph.topic_names))
    found: list[int] = []
    for topic in np.argsort(-accounts, kind="stable").tolist():  # topics are in the order of their names
        if len(found) == BENCHMARKS or accounts[topic] < LEAST_ACCOUNTS:
            break
        if may_be_named(graph.topic_names[topic]):
            found.append(topic)
    return found


def _posts(graph: Graph, topics: list[int]) -> Int64:
    """Posts of each account about each of some topics: int64[n, topics]."""
    column = np.full(len(graph.topic_names), -1, dtype=np.int64)
    column[topics] = np.arange(len(topics))
    place = column[graph.topic_idx]
    found = place >= 0
    posts = np.zeros((graph.n, len(topics)), dtype=np.int64)
    posts[rows_of(graph.topic_ptr)[found], place[found]] = graph.topic_posts[found]
    return posts


def _steady(seen: Observed, responses: Int64, of: Bool) -> Float64:
    """Σ_d ln(1 + responses received on day d), of some interactions: float64[n]."""
    who, day = seen.target[of], seen.graph.engaged_day[of]
    keys, place = np.unique(who.astype(np.int64) * WINDOW_DAYS + (seen.today - day), return_inverse=True)
    count = np.bincount(place, weights=responses[of], minlength=len(keys))
    total = np.bincount(keys // WINDOW_DAYS, weights=np.log1p(count), minlength=seen.n)
    return steadied(total.astype(np.float64))


def _topic_authority(seen: Observed, has: Bool, responses: Int64, counted: Bool) -> Float64:
    """Authority of each account on each topic: float64[n, topics] in 0..1, from accounts that have it, to those."""
    found = np.zeros(has.shape)
    for topic in range(has.shape[1]):
        own = has[:, topic]
        among = counted & own[seen.actor] & own[seen.target]
        found[:, topic] = _scaled(_steady(seen, responses, among))
    return found


def _audience(seen: Observed) -> Int64:
    """Followers of each account, reported or in the graph, without those that are known to be inactive: int64[n]."""
    graph = seen.graph
    asleep = seen.doing.inactive[rows_of(graph.out_ptr)]
    lost = np.bincount(graph.out_idx[asleep], minlength=seen.n)
    return np.maximum(seen.audience, np.diff(graph.in_ptr)) - lost


def _activity(seen: Observed) -> Float64:
    """Σ_d ln(1 + posts and interactions of the account on day d): float64[n].

    Of the reposts of a day, which may be told as posts, as interactions or as both, the larger number counts.
    """
    graph = seen.graph
    done = np.minimum(graph.engaged_counts, seen.rules.responses_a_day)
    shared = done[:, ENGAGEMENT_NAMES.index("reposts")]
    own = done.sum(axis=1) - shared
    posts, posted_on = (graph.posted_counts[:, POSTING_NAMES.index(name)] for name in ("posts", "reposts"))
    return steadied(
        _busy(
            graph.engaged_ptr, graph.engaged_day, graph.engaged_code, own, np.ascontiguousarray(shared),
            graph.posted_ptr, graph.posted_day, posts - posted_on, np.ascontiguousarray(posted_on),
            seen.today, WINDOW_DAYS,
        )
    )  # fmt: skip


@compiled
def _busy(
    ptr: Int64, day: Int32, code: Int32, own: Int64, shared: Int64,
    posted_ptr: Int64, posted_day: Int32, written: Int32, passed_on: Int32, today: int, span: int,
) -> Float64:  # fmt: skip
    """Add up ln(1 + what an account did) over the last `span` days: float64[n].

    Args:
        ptr, day, code: interactions by account. own, shared: of each code, other interactions and reposts.
        posted_ptr, posted_day: days of posts by account. written, passed_on: own posts and reposts of each.
        today: the last day that counts.
        span: days.
    """
    n = len(ptr) - 1
    total = np.zeros(n)
    did, given, told = np.zeros(span, np.int64), np.zeros(span, np.int64), np.zeros(span, np.int64)
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            age = today - day[e]
            if 0 <= age < span:
                did[age] += own[code[e]]
                given[age] += shared[code[e]]
        for e in range(posted_ptr[i], posted_ptr[i + 1]):
            age = today - posted_day[e]
            if 0 <= age < span:
                did[age] += written[e]
                told[age] += passed_on[e]
        for age in range(span):
            times = did[age] + max(given[age], told[age])
            if times:
                total[i] += np.log1p(times)
            did[age] = given[age] = told[age] = 0
    return total


def _resonance(seen: Observed, has: Bool, counted: Bool, least: int) -> Float64:
    """Share of the other members with each topic who responded to each account: float64[n, topics], see `authority`."""
    labels = seen.labels
    inside = counted & (labels[seen.actor] == labels[seen.target]) & (labels[seen.actor] >= 0)
    actor, target, _ = seen.by_pair(np.ones(len(counted)), inside)
    found = np.full(has.shape, np.nan)
    member = np.flatnonzero(labels >= 0)
    for topic in range(has.shape[1]):
        own = has[:, topic]
        members = np.bincount(labels[member[own[member]]], minlength=int(labels.max(initial=-1)) + 1)[labels[member]]
        others = members - own[member]
        responded = np.bincount(target[own[actor]], minlength=seen.n)[member]
        enough = (members >= least) & (others > 0)
        found[member[enough], topic] = significant(responded[enough] / others[enough])
    return found


def _scaled(raw: Float64 | Int64) -> Float64:
    """On a log scale relative to the largest: float64[n] in 0..1."""
    return log_scaled(raw, float(raw.max(initial=0)))


def _shares(values: Int64, whole: Int64) -> Float64:
    """Divide, 0 where the whole is 0, and round; of any shape."""
    found: Float64 = np.divide(values, whole, out=np.zeros(values.shape), where=whole > 0)
    return significant(found.ravel()).reshape(found.shape)


def _columns(values: Float64, known: Bool) -> Float64:
    """A column for each benchmark topic that there can be, NaN beyond the last, and in rows that are not known."""
    found = np.full((len(values), BENCHMARKS), np.nan)
    found[known, : values.shape[1]] = values[known]
    return found
