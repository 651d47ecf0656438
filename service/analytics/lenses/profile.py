"""Profile, after Twtrland: the card of an account: its tier, what it posts, and what it gets for it.

What Twtrland published, later under the name of Klear (adweek.com, "To Follow Or Not To Follow"; help.klear.com/faq;
help.meltwater.com, article 4064615): one page for each Twitter account, with a pie chart of its plain tweets, replies,
pictures, links, mentions and retweets, retweets and replies for each 100 tweets, its most retweeted tweets ("famous
words"), top followers, and the skills it tweets about. Accounts are in four tiers: novice (the lower half of a
network), casual (up to the top 20%), power users (up to the top 1%) and celebrities (the top 1%); by what exactly,
activity, popularity and more, was not published.

What is done here, all of it within the network of an account i (the part of its key before the colon):

    tier_i = the highest whose top share (50%, 20%, 1%) has room for i and all with at least as many followers
    r_i = 100 · (y_i + μ · p̃) / (p_i + p̃)
    profile_i = 100 · (½ · x(followers of i) + ½ · x(r_i))

p_i are i's posts of the last 365 days and y_i the interactions that it received in them, of one kind at most 3 of a
pair and day (`responses_a_day`). μ = Σ y / Σ p over those who posted, and p̃ is the median of p: r is what is expected
of a rate whose prior has that mean and the weight of an ordinary account's posts (gamma and Poisson), so that who
posted once does not win. x is the exponential score of an account's place (`scoring.score_table`), of r among those who
posted; it is 0 for who has no followers, or did not post. Places are used because audiences and responses differ by
powers of ten, and because on a scale up to the largest a single account, coming or going, would move everybody else.

Different from Twtrland: tiers are by followers alone, which anybody can check, with cut-offs that are shown; pictures
and check-ins are not told apart, because the graph does not hold them; rates are drawn to the mean.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from service.analytics.lenses.exact import weighted
from service.analytics.lenses.observed import Observed
from service.analytics.lenses.posted import posted
from service.analytics.rounding import significant
from service.analytics.scoring import exponential_scores
from service.domain import Float64, Int64, LensValues

LOWEST: Final = "novice"
TOP_SHARES: Final = {"casual": 0.50, "power": 0.20, "celebrity": 0.01}
"""Tiers above the lowest, each with the share of a network's accounts that are in it or above it (c)."""

WEIGHTS: Final = {"audience": 0.5, "responses": 0.5}
"""What the value consists of (c)."""

PER_POSTS: Final = 100
"""Responses are told for each so many posts."""

AUDIENCE_UNKNOWN = "Nobody is known to follow any account of this network."
POSTS_UNKNOWN = "It is not known what this account posts."
RESPONSES_UNKNOWN = "In the days that count nobody is known to have responded to any account of this network."
NOBODY_FOLLOWED = "Nobody is known to follow anybody."
NOBODY_ANSWERED = "There is no network of which both posts and responses to them are known."


def profile(seen: Observed) -> LensValues:
    """Measure the card of each account; see the module for formulas.

    Figures: `tier` (None where nobody of the network has a follower), `posts` of the last `role_days` days (NaN where
    they are not known), `share_texts`, `share_links` and `share_reposts` of them, in 0..1, and
    `responses_per_100_posts` (all NaN where there are no posts; the last also where no responses are known).
    """
    graph, audience, days = seen.graph, seen.audience, seen.rules.role_days
    did = posted(seen)
    responses = seen.received(seen.done(seen.rules.responses_a_day).sum(axis=1), seen.lately(days))
    has_posts = did.known & (did.posts > 0)
    rate = np.full(seen.n, np.nan)
    x = {part: np.full(seen.n, np.nan) for part in WEIGHTS}
    tier = np.full(seen.n, None, dtype=object)
    bounds: dict[str, dict[str, int]] = {}
    names = np.array([LOWEST, *TOP_SHARES], dtype=object)
    for accounts in seen.networks:
        if audience[accounts].any() or (graph.followers[accounts] >= 0).any():
            x["audience"][accounts] = exponential_scores(audience[accounts].astype(np.float64))
            least = tier_bounds(audience[accounts])
            tier[accounts] = names[np.searchsorted(least, audience[accounts], side="right")]
            network = graph.keys[int(accounts[0])].split(":", 1)[0]
            bounds[network] = dict(zip(TOP_SHARES, least.tolist(), strict=True))
        if responses[accounts].any():
            x["responses"][accounts[did.known[accounts]]] = 0.0
            posting = accounts[has_posts[accounts]]
            rate[posting] = _rates(responses[posting], did.posts[posting])
            x["responses"][posting] = exponential_scores(rate[posting])

    why = {"audience": NOBODY_FOLLOWED, "responses": NOBODY_ANSWERED}
    lacking = {part: why[part] for part, scores in x.items() if np.isnan(scores).all()}
    null = np.full(seen.n, -1, dtype=np.int8)
    if "responses" not in lacking:
        null[np.isnan(x["responses"])] = 2
        null[~did.known] = 1
    if "audience" not in lacking or len(lacking) == len(x):
        null[np.isnan(x["audience"])] = 0
    value, parts = weighted({part: x[part] for part in x if part not in lacking} or x, WEIGHTS)
    texts = did.posts - did.links - did.reposts
    return LensValues(
        lens="profile",
        value=np.where(null < 0, value, 0),
        parts={part: np.where(null < 0, points, 0) for part, points in parts.items()},
        null=null,
        reasons=(AUDIENCE_UNKNOWN, POSTS_UNKNOWN, RESPONSES_UNKNOWN),
        part_reasons=lacking,
        figures={
            "tier": tier.tolist(),
            "posts": np.where(did.known, did.posts.astype(np.float64), np.nan),
            **{
                f"share_{kind}": significant(np.divide(count, did.posts, out=np.full(seen.n, np.nan), where=has_posts))
                for kind, count in (("texts", texts), ("links", did.links), ("reposts", did.reposts))
            },
            "responses_per_100_posts": rate,
        },
        cut_offs={
            "window_days": days,
            "times_a_day": seen.rules.responses_a_day,
            "top_shares": dict(TOP_SHARES),
            "tiers": bounds,
            "weights": dict(WEIGHTS),
        },
    )


def tier_bounds(audience: Int64) -> Int64:
    """Fewest followers of each of the tiers TOP_SHARES among some accounts, at least one: int64[3], ascending.

    Of n accounts a share s has room for ⌊s · n⌋. Who has more followers than the first that finds no room is in it, so
    that accounts with as many followers are in the same tier, and who has none is a novice. Among few accounts, or
    where all have as many, there may be nobody with as many followers as a tier asks for.
    """
    ordered = np.sort(audience)[::-1]
    # A product that falls short of a whole number only by a rounding error is that number.
    room = [math.floor(round(share * len(ordered), 9)) for share in TOP_SHARES.values()]
    return ordered[room] + 1


def _rates(responses: Float64, posts: Int64) -> Float64:
    """Responses for each 100 posts of accounts that posted, drawn to their mean: float64[k]."""
    if not len(posts):
        return np.zeros(0)
    mean, median = responses.sum() / posts.sum(), float(np.median(posts))
    return significant(PER_POSTS * (responses + mean * median) / (posts + median))
