"""Social capital, after Klout: how many listen, how much they respond, and how influential those are who do.

What Klout published ("How is the Klout Score measured?", support.klout.com, 2011; "Klout Scores 101", 2010): a score of
1 to 100, which is relative: everybody is measured against all others. It is made of *True Reach*, how many people one
influences, without inactive and spam accounts; *Amplification*, how much one influences them, the likelihood that
messages lead to actions; and *Network*, how influential those are who respond. Neither formulas nor weights of these
were published; Golliher (2011) found 94% of its variance in the logarithm of followers or of retweets alone. Later
(Rao, Spasojevic, Li and DSouza 2015, "Klout Score: Measuring Influence Across Multiple Social Networks",
arXiv:1510.08487) more than 3,600 features were weighted by models that were trained on people's judgements.

What is done here: listeners L of i are the accounts that follow i and are not inactive, or responded to i in the last
90 days. With r_ij for what j did with i on these days, Σ_days Σ_kinds c_kind · min(times, 3), responders R of i being
those with r_ij > 0,

    reach_i         = ln(1 + |L_i|)
    amplification_i = Σ_{j in R_i} ln(1 + r_ij) / (|L_i| + 10)
    network_i       = Σ_{j in R_i} ln(1 + |L_j|) / (|R_i| + 10)
    social_capital  = 100 · Σ weight · part / max part              each weight 1/3, the maxima over the whole graph

c is what the rules give an interaction of each kind in the weight of a tie. Amplification and network are means: a sum
over listeners would be reach once more. A mean of few is little evidence, so that everybody is taken to have ten more
listeners who never respond, and ten more responders to whom nobody listens; and what one listener does counts by its
logarithm: a likelihood is about how many act, not about how often the same one does.

Different from Klout: the scale begins at 0, for who has no listeners; every account is compared with all of the graph,
of whatever network it is; nothing is trained.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.exact import weighted
from service.analytics.lenses.observed import Observed
from service.analytics.rounding import significant, steadied
from service.domain import ENGAGEMENT_NAMES, Float64, Int64, LensValues

WEIGHTS: Final = {"reach": 1 / 3, "amplification": 1 / 3, "network": 1 / 3}
"""Weights of the parts (c)."""

WINDOW_DAYS: Final = 90
"""Days whose responses count (c)."""

PRIOR: Final = 10
"""Everybody is taken to have so many more listeners who never respond, and responders to whom nobody listens (c)."""

NO_DATA = "Nobody in this graph is known to follow or to respond to anybody."
NO_RESPONSES = "Nobody in this graph is known to have responded to anybody."


def social_capital(seen: Observed) -> LensValues:
    """Measure reach, amplification and network of all accounts; see the module for formulas.

    Figures: `listeners` (L), `responders` (R), and `responses`: interactions of any kind that has a weight, of one kind
    at most `responses_a_day` of a pair and day.
    """
    n, rules = seen.n, seen.rules
    c = np.array([getattr(rules.engagement, kind) for kind in ENGAGEMENT_NAMES], dtype=np.float64)
    times = seen.done(rules.responses_a_day)
    value = times @ c
    counted = seen.lately(WINDOW_DAYS) & (value > 0)
    actor, target, r = seen.by_pair(value, counted)
    listeners = _listeners(seen, actor, target)
    responders = np.bincount(target, minlength=n).astype(np.int64)

    def mean(values: Float64, among: Int64) -> Float64:
        total: Float64 = np.bincount(target, weights=values, minlength=n).astype(np.float64)
        return total / (among + PRIOR)

    raw = {"reach": np.log1p(listeners)}
    if seen.interacted:
        raw["amplification"] = mean(np.log1p(r), listeners)
        raw["network"] = mean(np.log1p(listeners[actor]), responders)
    points, parts = weighted({part: _relative(values) for part, values in raw.items()}, WEIGHTS)
    known = seen.interacted or seen.graph.m > 0
    return LensValues(
        lens="social_capital",
        value=points,
        parts=parts,
        null=np.full(n, -1 if known else 0, dtype=np.int8),
        reasons=(NO_DATA,),
        part_reasons={part: NO_RESPONSES for part in WEIGHTS if part not in raw},
        figures={
            "listeners": listeners,
            "responders": responders,
            "responses": seen.received(times @ (c > 0), counted).astype(np.int64),
        },
        cut_offs={
            "window_days": WINDOW_DAYS,
            "weights": dict(WEIGHTS),
            "responses": rules.engagement.model_dump(),
            "times_a_day": rules.responses_a_day,
            "prior": PRIOR,
        },
    )


def _listeners(seen: Observed, actor: Int64, target: Int64) -> Int64:
    """How many accounts listen to each: follow it and are not inactive, or are actors of which it is the target."""
    follower = rows_of(seen.graph.out_ptr)
    awake = ~seen.doing.inactive[follower]
    follows = follower[awake] * seen.n + seen.graph.out_idx[awake]
    pairs = np.sort(np.concatenate([follows, actor * seen.n + target]), kind="stable")
    once = pairs[np.diff(pairs, prepend=-1) > 0]
    return np.bincount(once % max(seen.n, 1), minlength=seen.n).astype(np.int64)


def _relative(raw: Float64) -> Float64:
    """Over the largest: float64[n] in 0..1; 0 where that is 0."""
    most = raw.max(initial=0.0)
    return significant(steadied(raw / most)) if most > 0 else np.zeros(len(raw))
