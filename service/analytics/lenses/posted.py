"""What accounts posted in the days in which habits are looked for: what `profile` and `context` rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.observed import Observed
from service.domain import POSTING_NAMES, Bool, Int64


@dataclass(frozen=True)
class Posted:
    """What each account posted in the last `role_days` days; arrays have a value for each account.

    Attributes:
        known: bool[n], whether what the account posts is known.
        posts: int64[n], all of its posts, with links and reposts.
        links, reposts: int64[n], how many of these are links, and reposts; none is both.
    """

    known: Bool
    posts: Int64
    links: Int64
    reposts: Int64


def posted(seen: Observed) -> Posted:
    """Count posts as `activity` does: of reposts told twice, as posts and as interactions, the larger number counts.

    In a network of which at least `activity_known_share` of the accounts ever posted, an account that is not known to
    have posted did not. Else that is known only of those that did: the posts of others may be missing from what was
    imported, though likes of theirs are not.
    """
    graph = seen.graph
    author = rows_of(graph.posted_ptr)
    lately = seen.within(graph.posted_day, seen.rules.role_days)
    counts = graph.posted_counts[lately, POSTING_NAMES.index("links")]
    # Sums of whole numbers are exact as floats.
    links = np.bincount(author[lately], weights=counts, minlength=seen.n).astype(np.int64)
    known = np.bincount(author[graph.posted_day <= seen.today], minlength=seen.n) > 0
    for accounts in seen.networks:
        posting = np.count_nonzero(known[accounts])
        if posting and posting >= seen.rules.activity_known_share * len(accounts):
            known[accounts] = True
    return Posted(known=known, posts=seen.doing.posts, links=links, reposts=seen.doing.passed_on - links)
