"""Context, after Traackr: reach, resonance and relevance within each community, for small accounts as well.

What Traackr published (help.traackr.com, articles 980925, 2883170 and 2959000; wp.traackr.com, "Traackr's Relevance
Science", 2012): reach is the size of the whole audience; resonance is how much the audience engages with what is
posted, compared with others who have similar channels; relevance is how closely posts cover what one is interested in,
by mentions of keywords, how many different and how rare they are, how recent the posts, and how many. "Influencers with
fewer than 2,000 followers", and those with "less than 10 posts in the last 12 months", get no resonance. Each post that
mentions a brand has a visibility (its effective reach), an impact (the engagements) and a trust (how few other brands
it mentions), together "VIT".

What is done here, among the members of an account's community:

    context_i = 100 · (⅓ · x(followers of i) + ⅓ · x(λ_i) + ⅓ · x(relevance of i))
    y_i ~ Poisson(λ_i · e_i),  λ_i ~ Gamma(shape α, mean μ)    so that λ_i given y_i ~ Gamma(α + y_i, rate α / μ + e_i)

y_i are the interactions that i received from anybody in the last 365 days, of one kind at most 3 of a pair and day. e_i
are its followers, or those who responded where they are more, times the days among these for which anything is known.
λ_i, responses of a follower and day, is estimated by its mean (α + y_i) / (α / μ + e_i), with the middle 90% of its
distribution beside it. μ and α come from how much rates r = y / e of the community's n members differ beyond chance:

    μ = Σ w r / Σ w,    α = μ² / τ², from ½ to 10
    τ² = (Σ w (r − μ)² − μ · (Σ w / e − Σ (w² / e) / Σ w)) / (Σ w − Σ w² / Σ w)

(moments; DerSimonian and Kacker 2007, "Random-effects model for meta-analysis of clinical trials: an update"). Weights
w are e in a first round; in two more they are e · b / (e + b) with the last b = α / μ, which is how well the rate of
each account is known (the credibility of Bühlmann and Straub 1970): else the rate of one very large account would be
taken for everybody's.

Relevance is that of the ambassador score. x is the exponential score of a place (`scoring.score_table`). Where a part
is null in a community its weight is shared out there among the other two.

Different from Traackr: small and quiet accounts get an estimate, marked as one, with an interval as wide as what is not
known, and never a refusal. Rates are of followers and days and not of posts: of many accounts it is known who responds,
and not what they post. Visibility, impact and trust are means over all posts of an account, and trust is the share of
responses that take more than a like. Relevance to a topic or a brief is not part of it: that is answered when it is
asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.exact import weighted
from service.analytics.lenses.observed import Observed
from service.analytics.lenses.posted import posted
from service.analytics.rounding import significant
from service.analytics.scoring import place_scores
from service.domain import ENGAGEMENT_NAMES, Bool, Float64, Int32, LensValues

WEIGHTS: Final = {"reach": 1 / 3, "resonance": 1 / 3, "relevance": 1 / 3}
"""What the value consists of (c)."""

ENOUGH_FOLLOWERS, ENOUGH_POSTS = 2_000, 10
"""Below either of these resonance is marked as an estimate; Traackr refused it (c)."""

INTERVAL = 0.90
"""Share of the distribution of a rate that its interval holds (c)."""

SHAPES = 0.5, 10.0
"""Least and largest shape of the prior of rates (c). It counts for as many responses: even where all rates of a
community seem the same, that is no more certain than ten responses would make it."""

ROUNDS = 3
"""How often weights and prior are found from each other; more changes next to nothing."""

PER_FOLLOWERS: Final = 1_000
"""Rates are shown for so many followers."""

NO_COMMUNITY = "This account is in no community: it has no ties that count."
NOTHING_KNOWN = "Nothing is known of this community: no followers, no responses, and no topics of its own."
NO_FOLLOWERS = "Nobody is known to follow any member of a community."
NO_RESPONSES = "In the days that count nobody is known to have responded to any member of a community."
NO_TOPICS = "There is nothing that any community is known to write and share about more than others do."


def context(seen: Observed) -> LensValues:
    """Measure reach, resonance and relevance in each account's community; see the module for formulas.

    Figures: `resonance_rate` (λ, responses a day of 1,000 followers) with `resonance_low` and `resonance_high`, all NaN
    outside communities and where nobody responded to any member; `estimated`, 1 where that rests on little; `relevance`
    (NaN where it is null); and of the account's posts in the same days `visibility` (followers, as far as they are
    active), `impact` (responses for each post) and `trust` (share of the responses that are no likes).
    """
    rules, labels, audience = seen.rules, seen.labels, seen.audience
    did = posted(seen)
    lately = seen.lately(rules.role_days)
    done = seen.done(rules.responses_a_day)
    responses = seen.received(done.sum(axis=1), lately)
    likes = seen.received(done[:, ENGAGEMENT_NAMES.index("likes")], lately)
    lately &= done.any(axis=1)
    days = seen.today + 1 - int(seen.graph.engaged_day[lately].min(initial=seen.today + 1))

    _, target, _ = seen.by_pair(np.ones(len(lately)), lately)
    responders = np.bincount(target, minlength=seen.n)
    exposure = np.maximum(audience, responders) * float(days)
    rates = rates_within(labels, responses, exposure)
    reported = seen.graph.followers >= 0
    raw = {
        "reach": np.where(_any_within(labels, (audience > 0) | reported), audience, np.nan),
        "resonance": rates.mean,
        "relevance": seen.part("relevance"),
    }
    x = {part: scores_within(labels, values) for part, values in raw.items()}
    why = {"reach": NO_FOLLOWERS, "resonance": NO_RESPONSES, "relevance": NO_TOPICS}
    lacking = {part: why[part] for part, scores in x.items() if np.isnan(scores).all()}
    value, parts = weighted({part: x[part] for part in x if part not in lacking} or x, WEIGHTS)
    null = np.full(seen.n, -1, dtype=np.int8)
    null[np.all([np.isnan(scores) for scores in x.values()], axis=0)] = 1
    null[labels < 0] = 0

    known = ~np.isnan(rates.mean)
    few = (audience < ENOUGH_FOLLOWERS) | ~did.known | (did.posts < ENOUGH_POSTS)
    posts = did.known & (did.posts > 0)
    nan = np.full(seen.n, np.nan)
    return LensValues(
        lens="context",
        value=value,  # 0 where it is null: no part is known there
        parts=parts,
        null=null,
        reasons=(NO_COMMUNITY, NOTHING_KNOWN),
        part_reasons=lacking,
        figures={
            "resonance_rate": significant(PER_FOLLOWERS * rates.mean),
            "resonance_low": significant(PER_FOLLOWERS * rates.low),
            "resonance_high": significant(PER_FOLLOWERS * rates.high),
            "estimated": (known & few).astype(np.int64),
            "relevance": raw["relevance"],
            "visibility": np.where(posts, significant(audience * _active_share(seen)), np.nan),
            "impact": significant(
                np.divide(responses, did.posts, out=nan.copy(), where=posts & (known | (responses > 0)))
            ),
            "trust": significant(
                np.divide(responses - likes, responses, out=nan.copy(), where=posts & (responses > 0))
            ),
        },
        cut_offs={
            "window_days": rules.role_days,
            "days_observed": days,
            "times_a_day": rules.responses_a_day,
            "enough": {"followers": ENOUGH_FOLLOWERS, "posts": ENOUGH_POSTS},
            "interval": INTERVAL,
            "prior_shape": list(SHAPES),
            "weights": dict(WEIGHTS),
        },
    )


@dataclass(frozen=True)
class Rates:
    """Rates at which accounts are responded to, per unit of exposure; float64[n], NaN where nothing is known.

    Attributes:
        mean: what is expected.
        low, high: ends of the middle INTERVAL of the distribution.
    """

    mean: Float64
    low: Float64
    high: Float64


def rates_within(labels: Int32, responses: Float64, exposure: Float64) -> Rates:
    """Estimate rates with a prior for each community; see the module for formulas.

    Nothing is known of accounts of no community, and where nobody of a community got a response.

    Args:
        labels: int32[n], -1 for none.
        responses: float64[n], whole numbers.
        exposure: float64[n], above 0 for who got responses. Who has 0 has the prior.
    """
    from scipy.special import gammaincinv

    placed = labels >= 0

    def total(values: Float64) -> Float64:
        sums = np.bincount(labels[placed], weights=values[placed], minlength=int(labels.max(initial=-1)) + 1)
        return sums.astype(np.float64)

    def of_home(values: Float64) -> Float64:
        return np.append(values, 0.0)[labels]  # the last place is that of no community

    def divided(values: Float64, by: Float64) -> Float64:
        ratio: Float64 = np.divide(values, by, out=np.zeros(len(values)), where=by > 0)
        return ratio

    rate = divided(responses, exposure)
    several = total((exposure > 0).astype(np.float64)) > 1
    weight = exposure
    for _ in range(ROUNDS):
        every = total(weight)
        mean = divided(total(weight * rate), every)
        per_exposure = divided(weight, exposure)
        chance = mean * (total(per_exposure) - divided(total(weight * per_exposure), every))
        beyond = total(weight * (rate - of_home(mean)) ** 2) - chance
        spread = every - divided(total(weight**2), every)
        # Of one account, or none beyond chance, nothing says how much rates differ.
        differ = several & (beyond > 0)
        shape = np.full(len(mean), SHAPES[1])
        shape[differ] = np.clip(mean[differ] ** 2 * spread[differ] / beyond[differ], *SHAPES)
        prior = of_home(divided(shape, mean))
        weight = divided(exposure * prior, exposure + prior)

    known = of_home(mean) > 0
    count, seen_over = (of_home(shape) + responses)[known], (prior + exposure)[known]

    def everywhere(values: Float64) -> Float64:
        result = np.full(len(labels), np.nan)
        result[known] = significant(values / seen_over)
        return result

    tail = (1 - INTERVAL) / 2
    return Rates(everywhere(count), everywhere(gammaincinv(count, tail)), everywhere(gammaincinv(count, 1 - tail)))


def scores_within(labels: Int32, values: Float64) -> Float64:
    """Exponential scores of places in each community: float64[n], what `scoring.exponential_scores` says of each.

    NaN for accounts of no community, and where the value is NaN: these are not compared with.
    """
    result = np.full(len(labels), np.nan)
    at = np.flatnonzero((labels >= 0) & ~np.isnan(values))
    if not len(at):
        return result
    at = at[np.lexsort((values[at], labels[at]))]
    label, value = labels[at], values[at]
    first = np.append(True, label[1:] != label[:-1])
    changes = first | np.append(True, value[1:] != value[:-1])
    community, tie = np.cumsum(first) - 1, np.cumsum(changes) - 1
    begins, ties = np.flatnonzero(first), np.flatnonzero(changes)
    size = np.diff(begins, append=len(at))[community]
    below = ties[tie] - begins[community]
    places = 2 * below + np.diff(ties, append=len(at))[tie]
    result[at] = np.where(value == 0, 0.0, place_scores(places, size))
    return result


def _any_within(labels: Int32, of: Bool) -> Bool:
    """Whether it is so of any member of each account's community: bool[n]; False outside communities."""
    some = np.zeros(int(labels.max(initial=-1)) + 2, dtype=np.bool_)  # the last place is that of no community
    some[labels[of & (labels >= 0)]] = True
    return some[labels]


def _active_share(seen: Observed) -> Float64:
    """Share of each account's followers in the graph that are active, of those of whom it is known: float64[n]."""
    followee, follower = rows_of(seen.graph.in_ptr), seen.graph.in_idx
    known = np.bincount(followee[seen.doing.known[follower]], minlength=seen.n)
    active = np.bincount(followee[seen.doing.active[follower]], minlength=seen.n)
    share: Float64 = np.divide(active, known, out=np.full(seen.n, np.nan), where=known > 0)
    return share
