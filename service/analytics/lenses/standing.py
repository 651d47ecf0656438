"""Standing, after Kred: influence from 1 to 1000 in each community, and outreach, both itemised.

What Kred published (score.kred/rules and docs.score.kred, 2011–2014): influence counts what others do because of
somebody: "10 points for common actions" such as a reply, a mention or a retweet, more where the one who acts has more
than 10,000 followers; points are turned into 1 to 1,000 on a curve that grows steeper, with a scale of its own in each
community, so that somebody stands at 1,000 in each. Outreach counts what somebody does for others; it is cumulative and
never falls; its level 1 is reached with 100 points, level 2 with 270, each step 1.7 times the last. An activity
statement shows every action with its points.

What is done here:

    S_i = Σ_j w_j · (Σ_days Σ_kinds c_kind · min(times, 3) + c_follow · [j began to follow i])
    standing_i = 1 + 999 · ln(1 + S_i) / ln(1 + max S)        the maximum over i's community

over the other members j of i's community and the last 90 days. c is 10 for a reply, mention or repost, 2 for a like, 1
for a follow; w_j is the number of digits of j's audience (1 below 10 followers, 5 from 10,000 on). Of one kind at most
3 of a pair and day count (`responses_a_day`): flooding does not pay. A follow counts on the day it began, or, where
nobody knows since when, as long as it stands.

Outreach is the same sum over what i did for anybody, ever, without w and without follows (which can be taken back). It
is never below that of the run from which this one starts, whatever was removed since.

Different from Kred: a statement holds all actions of one window and not the latest ones; the weight of a large account
grows in steps of ten instead of once; nothing that people say of themselves is counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.exact import apportioned, log_scaled
from service.analytics.lenses.observed import Observed
from service.domain import ENGAGEMENT_NAMES, MILLION, Bool, Float64, Int64, LensValues

POINTS: Final = {"likes": 2, "replies": 10, "mentions": 10, "reposts": 10}
"""Points of one interaction, by kind, before the weight of who did it (c)."""

FOLLOW_POINTS: Final = 1
"""Points of a follow, likewise (c)."""

WINDOWS: Final = (90, 60, 30)
"""Days of the windows; the first is that of the value."""

TOP: Final = 1000

FIRST_LEVEL, GROWTH = 100, 1.7
"""Outreach of level 1, and how many times as much as the last step each further level takes (as Kred's first two)."""

NO_COMMUNITY = "This account is in no community: it has no ties that count."
NOTHING_DONE = "No member of this community is known to have done anything with another one in these 90 days."


def standing(seen: Observed) -> LensValues:
    """Measure influence within each account's community, and outreach; see the module for formulas.

    Figures: `points` (S), `points_60` and `points_30` likewise of the last 60 and 30 days, `value_60` and `value_30`
    (NaN where nobody of the community has points), `weight` (w), `outreach` in points, `outreach_level`, and `ring`:
    the follow ring that an account is in, NaN for none; follows in return within it count nothing.
    """
    weight = action_weight(seen.audience)
    by_kind = {days: _points(seen, weight, days) for days in WINDOWS}
    totals = {days: np.sum(list(kinds.values()), axis=0) for days, kinds in by_kind.items()}
    values = {days: _scaled(seen, points) for days, points in totals.items()}
    first = WINDOWS[0]
    null = np.full(seen.n, -1, dtype=np.int8)
    null[np.isnan(values[first])] = 1
    null[seen.labels < 0] = 0
    value = np.where(null < 0, np.rint(np.nan_to_num(values[first]) * MILLION), 0).astype(np.int64)
    start = np.where(null < 0, MILLION, 0)  # the scale begins at 1
    shares = {"start": np.zeros(seen.n), **by_kind[first]}
    parts = apportioned(value - start, {name: shares[name] for name in (*by_kind[first], "start")})
    parts = {"start": start + parts.pop("start"), **parts}
    outreach = np.maximum(_outreach(seen), seen.outreach_before)
    return LensValues(
        lens="standing",
        value=value,
        parts={name: np.where(null < 0, part, 0) for name, part in parts.items()},
        null=null,
        reasons=(NO_COMMUNITY, NOTHING_DONE),
        figures={
            "points": totals[first].astype(np.int64),
            **{f"points_{days}": totals[days].astype(np.int64) for days in WINDOWS[1:]},
            **{f"value_{days}": values[days] for days in WINDOWS[1:]},
            "weight": weight,
            "outreach": outreach,
            "outreach_level": outreach_level(outreach),
            "ring": np.where(seen.ring > 0, seen.ring, np.nan),
        },
        cut_offs={
            "window_days": first,
            "points": {**POINTS, "follows": FOLLOW_POINTS},
            "times_a_day": seen.rules.responses_a_day,
        },
        properties={
            "standing_points": "points",
            "standing_weight": "weight",
            "outreach": "outreach",
            "outreach_level": "outreach_level",
            "follow_ring": "ring",
        },
    )


def action_weight(audience: Int64) -> Int64:
    """How many times an action of each account counts: the digits of its number of followers, int64[n], from 1 on."""
    bounds = 10 ** np.arange(1, 19, dtype=np.int64)
    return 1 + np.searchsorted(bounds, audience, side="right").astype(np.int64)


def outreach_level(outreach: Int64) -> Int64:
    """Level of some outreach, 0 below 100 points: 1 from 100 on, 2 from 270, and so on."""
    bounds, step, total = [], float(FIRST_LEVEL), 0
    while total < 2**53:
        total += round(step)
        bounds.append(total)
        step *= GROWTH
    return np.searchsorted(np.array(bounds, dtype=np.int64), outreach, side="right").astype(np.int64)


def _points(seen: Observed, weight: Int64, days: int) -> dict[str, Float64]:
    """Points of each account from its community in the last days, by kind: float64[n] of whole numbers."""
    labels, graph = seen.labels, seen.graph
    here = seen.lately(days) & (labels[seen.actor] == labels[seen.target]) & (labels[seen.actor] >= 0)
    times = seen.done(seen.rules.responses_a_day)
    by = weight[seen.actor]
    points: dict[str, Float64] = {
        kind: seen.received(POINTS[kind] * times[:, column] * by, here) for column, kind in enumerate(ENGAGEMENT_NAMES)
    }
    follower = rows_of(graph.out_ptr)
    begun: Bool = (graph.out_day < 0) | seen.within(graph.out_day, days)
    inside = begun & (labels[follower] == labels[graph.out_idx]) & (labels[follower] >= 0)
    points["follows"] = np.bincount(
        graph.out_idx[inside], weights=FOLLOW_POINTS * weight[follower[inside]], minlength=seen.n
    ).astype(np.float64)
    return points


def _scaled(seen: Observed, points: Float64) -> Float64:
    """1 to 1000 within each community: float64[n]; NaN where nobody of it has points, and outside communities."""
    result = np.full(seen.n, np.nan)
    count = int(seen.labels.max(initial=-1)) + 1
    most = np.zeros(count)
    placed = seen.labels >= 0
    np.maximum.at(most, seen.labels[placed], points[placed])
    own = np.where(placed, most[seen.labels] if count else 0.0, 0.0)
    some = own > 0
    result[some] = 1 + (TOP - 1) * log_scaled(points[some], own[some])
    return result


def _outreach(seen: Observed) -> Int64:
    times = seen.done(seen.rules.responses_a_day)
    ever: Bool = seen.graph.engaged_day <= seen.today
    points = sum(POINTS[kind] * times[:, column] for column, kind in enumerate(ENGAGEMENT_NAMES))
    return seen.given(np.asarray(points), ever).astype(np.int64)
