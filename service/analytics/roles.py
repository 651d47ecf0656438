"""Roles: what accounts are like, for one community at a time, each with the numbers that it rests on.

Micro roles are habits inside a community; the others are those of an account with a large audience. An account that is
micro may show the pattern of one of these, which is then called emerging.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.analytics.activity import Activity
from service.analytics.centrality import participation
from service.analytics.compiled import compiled
from service.analytics.graph import Projection, followed_back, rows_of
from service.analytics.rounding import significant
from service.domain import (
    ROLE_NAMES,
    Bool,
    Float64,
    Graph,
    Int32,
    Int64,
    Role,
    RoleMeasure,
    RoleName,
    ScoringRules,
)


@dataclass(frozen=True)
class Habits:
    """What roles look at, of all accounts of a graph.

    Attributes:
        participation: float64[n], participation coefficient over communities (Guimerà and Amaral 2005).
        reciprocity: float64[n], share of the account's followers that it follows back; 0 without followers.
        activity: what accounts do.
        entropy: float64[n], entropy of the account's posts over topics, in bits; NaN below `specialist_posts`.
        topic_posts: int64[n], posts about topics: one that is about two counts for each.
        trends: how early accounts take up what spreads.
    """

    participation: Float64
    reciprocity: Float64
    activity: Activity
    entropy: Float64
    topic_posts: Int64
    trends: Trends


@dataclass(frozen=True)
class Trends:
    """How early accounts take up topics that spread.

    Attributes:
        items: int64[n], topics that the account took up and that reached `trend_adopters` accounts.
        median: float64[n], median over these of its place among those who took the topic up, from 1 / adopters (the
            first) to 1 (the last); NaN where `items` is below `trend_items`.
        p: float64[n], chance that the median is at most this if those who took each topic up had done so in random
            order; NaN likewise.
    """

    items: Int64
    median: Float64
    p: Float64


@dataclass(frozen=True)
class Roles:
    """Roles in one community, rows in the order of ROLE_NAMES.

    Attributes:
        has: bool[7, k].
        strength: float64[7, k] in 0..1, of those who have the role.
        measured: numbers that each role rests on: name, float64[k], threshold (None: only shown).
    """

    has: Bool
    strength: Float64
    measured: dict[RoleName, list[tuple[str, Float64, float | None]]]

    def of(self, i: int, *, macro: bool) -> tuple[Role, ...]:
        """Roles of member i, in the order of ROLE_NAMES."""
        return tuple(
            Role(
                role=name,
                emerging=not macro and name not in ROLE_NAMES[:3],
                strength=float(self.strength[row, i]),
                measures=tuple(
                    RoleMeasure(measure=measure, value=float(values[i]), threshold=threshold)
                    for measure, values, threshold in self.measured[name]
                ),
            )
            for row, name in enumerate(ROLE_NAMES)
            if self.has[row, i]
        )


def habits(graph: Graph, projection: Projection, labels: Int32, doing: Activity, rules: ScoringRules) -> Habits:
    """Gather what roles look at.

    Args:
        graph: n accounts.
        projection: their ties, undirected; weights do not count.
        labels: int32[n], community of each account, -1 for accounts without ties.
        doing: what they do.
        rules: cut-offs.
    """
    followers = np.diff(graph.in_ptr)
    back = np.bincount(rows_of(graph.in_ptr)[followed_back(graph)], minlength=graph.n)
    account, posts = rows_of(graph.topic_ptr), graph.topic_posts.astype(np.float64)
    total = np.bincount(account, weights=posts, minlength=graph.n)
    # H = log₂ P − Σ p · log₂ p / P, by logarithms of the C library: NumPy's last digit depends on the processor.
    logs = {count: math.log2(count) for count in np.unique(np.concatenate([posts, total[total > 0]])).tolist()}
    each = np.array([logs[one] for one in posts.tolist()])
    inner = np.bincount(account, weights=posts * each, minlength=graph.n)
    whole = np.array([logs.get(one, 0.0) for one in total.tolist()])
    enough = total >= rules.specialist_posts
    entropy = np.where(enough, np.maximum(whole - inner / np.maximum(total, 1), 0), np.nan)
    return Habits(
        participation=significant(participation(projection, labels)),
        reciprocity=significant(back / np.maximum(followers, 1)),
        activity=doing,
        entropy=np.where(enough, significant(np.nan_to_num(entropy)), np.nan),
        topic_posts=total.astype(np.int64),
        trends=trends(graph, rules),
    )


def trends(graph: Graph, rules: ScoringRules) -> Trends:
    """Rank those who took up each topic by when they first wrote or shared about it (cf. Saez-Trumper et al. 2012).

    Who did so at the same time shares the place of the middle. Topics count that at least `trend_adopters` accounts
    took up at a known time. Under random order the places of an account in different topics are independent, so the
    chance of so low a median is found exactly: that at least half of the places are at most it (`early_tail`).
    """
    n = graph.n
    account, first = rows_of(graph.topic_ptr), graph.topic_first
    known = (first >= 0) & ~graph.opted_out[account]
    account, topic, first = account[known], graph.topic_idx[known], first[known]
    adopters = np.bincount(topic, minlength=len(graph.topic_names))
    spread = adopters[topic] >= rules.trend_adopters
    account, topic, first = account[spread], topic[spread], first[spread]
    order = np.lexsort((first, topic))
    place = np.empty(len(order))
    place[order] = middle_places(topic[order].astype(np.int64), first[order])
    items = np.bincount(account, minlength=n)
    ptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(items)])
    median, p = early_tail(ptr, place, adopters[topic].astype(np.float64), rules.trend_items)
    return Trends(items, median, p)


def roles_of(
    members: Int32, base: Bool, macro: Bool, authority: Float64, audience: Int64, seen: Habits, rules: ScoringRules
) -> Roles:
    """Say which roles the members of one community have.

    Top shares are of the base: a role is a place among those who are compared. Members outside the base have none.

    Args:
        members: int32[k], indices in the whole graph.
        base: bool[k].
        macro: bool[k].
        authority: float64[k], raw.
        audience: int64[k], reported followers, else followers in the graph.
        seen: what roles look at, of all accounts.
        rules: cut-offs.
    """
    k = len(members)
    has, strength = np.zeros((len(ROLE_NAMES), k), dtype=np.bool_), np.zeros((len(ROLE_NAMES), k))
    compared = np.flatnonzero(base)
    doing = seen.activity

    def value(values: Float64 | Int64) -> Float64:
        return values[members].astype(np.float64)

    def place(values: Float64) -> Float64:
        """Mid-rank share of the base below each value; 0 for what is not a number."""
        ordered = np.sort(values[compared])
        ordered = ordered[~np.isnan(ordered)]
        below = np.searchsorted(ordered, values) + np.searchsorted(ordered, values, side="right")
        return np.where(np.isnan(values) | (len(ordered) == 0), 0.0, below / (2 * max(len(ordered), 1)))

    def top(values: Float64, share: float) -> float:
        """The least value in this top share of the base; infinite where the base is empty."""
        ordered = np.sort(values[compared])[::-1]
        count = math.ceil(round(share * len(ordered), 9))
        return float(ordered[count - 1]) if count else math.inf

    def median(values: Float64) -> float:
        return float(np.median(values[compared])) if len(compared) else math.inf

    spread, reciprocity = value(seen.participation), value(seen.reciprocity)
    wide = max(rules.networker_participation, top(spread, rules.networker_share))
    has[0] = base & (spread >= wide) & (reciprocity > median(reciprocity))
    strength[0] = spread

    posts, passed, reposted = value(doing.posts), value(doing.passed_on), value(doing.reposted)
    share = passed / np.maximum(posts, 1)
    usual = median(reposted)
    has[1] = base & (posts >= rules.broadcaster_posts) & (share >= rules.broadcaster_share) & (reposted > usual)
    strength[1] = share

    days = value(doing.days)
    busy = max(1.0, top(days, rules.heavy_user_share))
    has[2] = base & (days >= busy)
    strength[2] = place(days)

    leading = top(authority, rules.opinion_leader_share)
    has[3] = base & (authority >= leading)
    strength[3] = place(authority)

    entropy = value(seen.entropy)
    narrow = entropy[compared][~np.isnan(entropy[compared])]
    count = math.ceil(round(rules.specialist_share * len(narrow), 9))
    focused = float(np.sort(narrow)[count - 1]) if count else -math.inf
    has[4] = base & (entropy <= focused)
    strength[4] = np.where(np.isnan(entropy), 0.0, 1 - place(entropy))

    early, chance = value(seen.trends.median), value(seen.trends.p)
    has[5] = base & (early <= rules.trend_first) & (chance < rules.trend_p)
    strength[5] = np.where(np.isnan(early), 0.0, 1 - early)

    has[6] = macro & base & ~has[3:6].any(axis=0)
    strength[6] = place(audience.astype(np.float64))
    return Roles(
        has,
        significant(strength.ravel()).reshape(strength.shape),
        {
            "networker": [("participation", spread, wide), ("reciprocity", reciprocity, median(reciprocity))],
            "broadcaster": [
                ("posts", posts, float(rules.broadcaster_posts)),
                ("passed_on_share", significant(share), rules.broadcaster_share),
                ("reposts_received", reposted, usual),
            ],
            "heavy_user": [("active_days", days, busy)],
            "opinion_leader": [("authority", authority, leading)],
            "specialist": [
                ("topic_entropy_bits", entropy, focused),
                ("topic_posts", value(seen.topic_posts), float(rules.specialist_posts)),
            ],
            "trend_discoverer": [
                ("median_place", early, rules.trend_first),
                ("topics_that_spread", value(seen.trends.items), float(rules.trend_items)),
                ("p_value", chance, rules.trend_p),
            ],
            "celebrity": [("audience", audience.astype(np.float64), None)],
        },
    )


@compiled
def middle_places(topic: Int64, first: Int64) -> Float64:
    """Place of each entry among those of its topic, over their number; equal times share the middle place.

    Args:
        topic: int64[t], ascending. first: int64[t], ascending within a topic.
    """
    place = np.empty(len(topic))
    start = 0
    while start < len(topic):
        end = start
        while end < len(topic) and topic[end] == topic[start]:
            end += 1
        at = start
        while at < end:
            after = at
            while after < end and first[after] == first[at]:
                after += 1
            middle = (at - start + 1 + after - start) / 2
            for one in range(at, after):
                place[one] = middle / (end - start)
            at = after
        start = end
    return place


@compiled
def early_tail(ptr: Int64, place: Float64, adopters: Float64, least: int) -> tuple[Float64, Float64]:
    """Median place of each account, and the chance of one that is at most as high under random order.

    The lower median of k places is at most m where at least ⌈k/2⌉ of them are; place i is with chance
    ⌊m · adopters_i⌋ / adopters_i, independently: the tail of a Poisson binomial distribution, added up term by term.

    Returns:
        float64[n] each, NaN for accounts with fewer than `least` places.
    """
    n = len(ptr) - 1
    median, p = np.full(n, np.nan), np.full(n, np.nan)
    for i in range(n):
        k = ptr[i + 1] - ptr[i]
        if k < least or k == 0:
            continue
        own = np.sort(place[ptr[i] : ptr[i + 1]])
        half = (k + 1) // 2
        median[i] = own[half - 1]
        chance = np.zeros(k + 1)
        chance[0] = 1.0
        for e in range(ptr[i], ptr[i + 1]):
            hit = min(np.floor(median[i] * adopters[e] + 1e-9) / adopters[e], 1.0)
            for count in range(k, 0, -1):
                chance[count] = chance[count] * (1 - hit) + chance[count - 1] * hit
            chance[0] *= 1 - hit
        tail = 0.0
        for count in range(half, k + 1):
            tail += chance[count]
        p[i] = min(tail, 1.0)
    return median, p
