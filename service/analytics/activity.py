"""What accounts do, by day: who is active, how often, and how much of it is passing on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.compiled import compiled
from service.analytics.graph import rows_of
from service.domain import DAY_MS, Bool, Graph, Int32, Int64, ScoringRules

NEVER = -(2**62)
"""Stands for the last active day of who was never seen."""


@dataclass(frozen=True)
class Activity:
    """What accounts of a whole graph do, up to the day of `as_of`; arrays have a value for each account.

    Active is who posts or engages with others on a day; to be followed or engaged with is not enough.

    Attributes:
        known: bool[n], whether the account's activity is known, see `activity`.
        seen: bool[n], whether it was ever seen to post or to engage.
        last: int64[n], the last day on which it was active, in days since 1970 UTC; NEVER where it was never seen.
        active: bool[n], active on one of the last `inactive_days` days.
        days: int64[n], active days among the last `role_days`.
        posts: int64[n], posts of those days, and what the account passed on.
        passed_on: int64[n], how many of these are reposts and links.
        reposted: int64[n], how often others reposted the account in those days.
    """

    known: Bool
    seen: Bool
    last: Int64
    active: Bool
    days: Int64
    posts: Int64
    passed_on: Int64
    reposted: Int64

    @property
    def inactive(self) -> Bool:
        """Accounts whose activity is known and that were not active lately: bool[n]."""
        return self.known & ~self.active


def activity(graph: Graph, rules: ScoringRules) -> Activity:
    """Say what each account does.

    A network is the part of a key before the colon. Where at least `activity_known_share` of its accounts were ever
    seen to post or to engage, the activity of all of them is taken as known: who was never seen did nothing. Else only
    that of accounts that were seen: the rest may be missing from what was imported.

    A repost may be told as a post of its own kind or as an interaction with somebody else's post, or as both; of an
    account's reposts the larger of the two numbers counts, so that none counts twice.
    """
    n = graph.n
    last_day = 0 if graph.as_of is None else graph.as_of // DAY_MS
    days, last, given, received = active_days(
        graph.engaged_ptr, graph.engaged_idx, graph.engaged_day, graph.engaged_code, graph.engaged_counts,
        graph.posted_ptr, graph.posted_day, last_day, rules.role_days,
    )  # fmt: skip
    seen = last > NEVER
    known = seen.copy()
    for accounts in by_network(graph):
        if np.count_nonzero(seen[accounts]) >= rules.activity_known_share * len(accounts) and seen[accounts].any():
            known[accounts] = True
    lately = (graph.posted_day > last_day - rules.role_days) & (graph.posted_day <= last_day)
    author, counts = rows_of(graph.posted_ptr)[lately], graph.posted_counts[lately]

    def total(column: int) -> Int64:
        # Sums of whole numbers are exact as floats.
        return np.bincount(author, weights=counts[:, column], minlength=n).astype(np.int64)

    posts, links, reposts = total(0), total(1), total(2)
    own = posts - reposts
    reposts = np.maximum(reposts, given)
    active = last > last_day - rules.inactive_days
    return Activity(known, seen, last, active, days, own + reposts, links + reposts, received)


def by_network(graph: Graph) -> list[Int64]:
    """Accounts of each network (the part of a key before the colon), ascending."""
    networks: dict[str, int] = {}
    numbered = (networks.setdefault(key.split(":", 1)[0], len(networks)) for key in graph.keys)
    network = np.fromiter(numbered, dtype=np.int32, count=graph.n)
    order = np.argsort(network, kind="stable")
    ends = np.cumsum(np.bincount(network, minlength=len(networks)))
    return np.split(order, ends[:-1])


@compiled
def active_days(
    engaged_ptr: Int64, engaged_idx: Int32, engaged_day: Int32, engaged_code: Int32, engaged_counts: Int64,
    posted_ptr: Int64, posted_day: Int32, last_day: int, span: int,
) -> tuple[Int64, Int64, Int64, Int64]:  # fmt: skip
    """Count active days and reposts among the last `span` days, and find the last active day.

    Returns:
        int64[n] each: active days; the last active day of all, NEVER for none; reposts of others; reposts by others.
    """
    n = len(engaged_ptr) - 1
    days, last = np.zeros(n, np.int64), np.full(n, NEVER, np.int64)
    given, received = np.zeros(n, np.int64), np.zeros(n, np.int64)
    marked = np.full(span, -1, np.int64)
    for i in range(n):
        for e in range(engaged_ptr[i], engaged_ptr[i + 1]):
            counts = engaged_counts[engaged_code[e]]
            age = last_day - engaged_day[e]
            if age < 0 or counts.sum() == 0:
                continue
            last[i] = max(last[i], engaged_day[e])
            if age < span:
                given[i] += counts[3]
                received[engaged_idx[e]] += counts[3]
                if marked[age] != i:
                    marked[age] = i
                    days[i] += 1
        for e in range(posted_ptr[i], posted_ptr[i + 1]):
            age = last_day - posted_day[e]
            if age < 0:
                continue
            last[i] = max(last[i], posted_day[e])
            if age < span and marked[age] != i:
                marked[age] = i
                days[i] += 1
    return days, last, given, received
