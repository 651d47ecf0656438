"""Audience, after SocialBro: what share of its followers an account can reach, and how recently they were active.

What SocialBro published (its user guide at socialbro.com/userguide, 2011–2015; later Audiense): a dashboard of the
community of a Twitter account with its growth and a forecast of followers, who came, who left and who is inactive, and
reports of when followers last tweeted, and of the hours in which most of them are online. Audiense added how an
audience is interconnected. None of it was a score; see docs/lenses/audience.md for sources.

What is done here: one number can say of everybody what the inactive part of that dashboard said. With K_i the followers
of i in the graph whose activity is known, and d_j how many days ago j last posted or engaged (0: on the last day),

    value_i = 100 · |{j in K_i: d_j < 90}| / |K_i|

in three parts that sum to it: `week` (d < 7), `month` (7 to 27) and `quarter` (28 to 89). Of whom activity is known is
told as everywhere (`analytics.activity`): who was never seen is inactive only in a network of which most were seen.
Followers of whom it is not known are left out.

All else of the dashboard is answered when it is asked for, from the graph (`flows.audience`).

Different from SocialBro: activity is what is known of posts and interactions, and not the day of the last tweet.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.exact import apportioned
from service.analytics.lenses.observed import Observed
from service.analytics.rounding import significant
from service.domain import MILLION, Float64, Int64, LensValues

PARTS: Final = {"week": 7, "month": 28, "quarter": 90}
"""Parts by how recently followers were active: within so many days, and not within those of the part before (c)."""

WINDOW_DAYS: Final = 90
"""Who was active within so many days can be reached (c)."""

GAIN_DAYS: Final = 28
"""Days over which follows that began are counted (c): four whole weeks."""

NO_FOLLOWERS = "Nobody in this graph follows this account, as far as follows count."
NOT_KNOWN = "Of none of the followers of this account is it known whether they are active."


def audience(seen: Observed) -> LensValues:
    """Measure what share of the followers of each account can be reached; see the module for the formula.

    Figures: `followers` in the graph; `known`, those of them whose activity is known; `inactive_share` of these, NaN
    where there are none; `gained_28` and `gained_28_before`, follows that began in the last 28 days and in the 28
    before, and still stand, NaN where it is known of no follow of the account when it began.
    """
    graph, doing = seen.graph, seen.doing
    follower, followee = rows_of(graph.out_ptr), graph.out_idx
    of_known = doing.known[follower]
    known = np.bincount(followee[of_known], minlength=seen.n)
    age = seen.today - doing.last  # enormous for who was never seen
    counts: dict[str, Int64] = {}
    since = 0
    for part, until in PARTS.items():
        within = (age >= since) & (age < until)
        counts[part] = np.bincount(followee[within[follower]], minlength=seen.n)
        since = until
    reached = np.sum(list(counts.values()), axis=0)
    some = known > 0
    share = np.divide(reached, known, out=np.zeros(seen.n), where=some)
    value = np.rint(100 * MILLION * share).astype(np.int64)
    parts = apportioned(value, counts)
    followers = np.diff(graph.in_ptr)
    null = np.full(seen.n, -1, dtype=np.int8)
    null[~some] = 1
    null[followers == 0] = 0
    return LensValues(
        lens="audience",
        value=value,
        parts=parts,
        null=null,
        reasons=(NO_FOLLOWERS, NOT_KNOWN),
        figures={
            "followers": followers,
            "known": known,
            "inactive_share": np.where(some, significant(1 - share), np.nan),
            **_gained(seen),
        },
        cut_offs={
            "window_days": WINDOW_DAYS,
            "parts_days": dict(PARTS),
            "gain_days": GAIN_DAYS,
            "networks_known": _networks_known(seen),
        },
    )


def _gained(seen: Observed) -> dict[str, Float64]:
    graph = seen.graph
    age = seen.today - graph.out_day.astype(np.int64)
    dated = graph.out_day >= 0
    has_dates = np.bincount(graph.out_idx[dated], minlength=seen.n) > 0

    def begun(first: int, until: int) -> Float64:
        then = dated & (age >= first) & (age < until)
        return np.where(has_dates, np.bincount(graph.out_idx[then], minlength=seen.n).astype(np.float64), np.nan)

    return {"gained_28": begun(0, GAIN_DAYS), "gained_28_before": begun(GAIN_DAYS, 2 * GAIN_DAYS)}


def _networks_known(seen: Observed) -> list[str]:
    """Names of the networks of all of whose accounts the activity is known, ascending."""
    graph = seen.graph
    whole = (
        graph.keys[accounts[0]].split(":", 1)[0]
        for accounts in seen.networks
        if len(accounts) and seen.doing.known[accounts].all()
    )
    return sorted(whole)
