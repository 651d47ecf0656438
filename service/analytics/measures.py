"""Measures that all engines share: influence, what reach rests on, trust, resonance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.analytics.compiled import UInt32, UInt64, compiled
from service.analytics.graph import rows_of
from service.analytics.sparse import row_sums
from service.analytics.ties import TieGraph, TieParts
from service.domain import Float64, Graph, Int32, Int64, ScoringRules
from service.errors import InvalidRequest

ALMOST_CERTAIN = 1 - 2.0**-53
"""Largest probability below 1: it leaves something to divide by, so that a certain path can be taken out."""

ROUNDING = 1e-15
"""Changes below this share of a sum are rounding errors."""

PAGERANK_STEPS = 20_000
"""More steps than this are not begun."""


def pagerank_steps(damping: float, error: float) -> int:
    """Steps of power iteration that bring PageRank this near to its limit: after t of them it is at most 2·damping^t.

    Raises:
        InvalidRequest: damping is so near 1 that it would take very many.
    """
    steps = math.ceil(math.log(error / 2) / math.log(damping))
    if steps > PAGERANK_STEPS:
        raise InvalidRequest(f"PageRank with damping {damping:g} takes {steps:,} steps; choose at most 0.998.")
    return steps


def influence(ties: TieGraph, rules: ScoringRules) -> Float64:
    """Probability p_ij that i influences j, for each incoming tie j → i: float64[m], places of `in_idx`.

    p_ij = (d_ij + 10 · p₀) / (D_i + 10) after Goyal, Bonchi and Lakshmanan (2010), where d_ij are the days of the
    window on which j engaged with i, and D_i those on which i was engaged with by anybody (or posted, once posts are
    read). p₀ is Σ d / Σ D over all ties, and without any interactions that of the rules. d_ij is at most D_i, so that
    p_ij is in 0..1. Where nobody engaged with i it is p₀.
    """
    prior = rules.influence_prior if ties.mean_influence is None else ties.mean_influence
    days = np.repeat(ties.active_days, np.diff(ties.in_ptr))
    weight = rules.influence_prior_days
    return np.where(days == 0, prior, (ties.in_days + weight * prior) / (days + weight))


@compiled
def lost_reach(ptr: UInt64, idx: UInt32, p: Float64, accounts: Int32) -> tuple[Float64, Int64]:
    """What the expected number of others whom accounts move loses without each incoming tie, all else held fixed.

    Without the tie of k, k itself is no longer moved directly, and nobody by way of k. Who is missed by all paths
    with chance q, is missed by all but one of probability a with chance q/(1 − a): that path gives a·q/(1 − a).

    Returns:
        float64, by tie, the rows of `accounts` one after the other; and for each how many others any path leads to.
    """
    n = len(ptr) - 1
    missed = np.ones(n)
    met = np.empty(n, np.uint32)
    reached = np.zeros(len(accounts), np.int64)
    ties = 0
    for i in accounts:
        ties += ptr[i + 1] - ptr[i]
    lost = np.zeros(ties)
    at = 0
    seen = np.zeros(n, np.bool_)
    for position in range(len(accounts)):
        i = accounts[position]
        count = 0
        for e in range(ptr[i], ptr[i + 1]):
            k = idx[e]
            direct = min(p[e], ALMOST_CERTAIN)
            missed[k] *= 1 - direct
            if not seen[k]:
                seen[k] = True
                met[count] = k
                count += 1
            for f in range(ptr[k], ptr[k + 1]):
                j = idx[f]
                if j == i:
                    continue
                missed[j] *= 1 - direct * p[f]
                if not seen[j]:
                    seen[j] = True
                    met[count] = j
                    count += 1
        for e in range(ptr[i], ptr[i + 1]):
            k = idx[e]
            direct = min(p[e], ALMOST_CERTAIN)
            gone = direct * missed[k] / (1 - direct)
            for f in range(ptr[k], ptr[k + 1]):
                if idx[f] != i:
                    path = direct * p[f]
                    gone += path * missed[idx[f]] / (1 - path)
            lost[at] = gone
            at += 1
        reached[position] = count
        for place in range(count):
            missed[met[place]] = 1.0
            seen[met[place]] = False
    return lost, reached


@dataclass(frozen=True)
class Trust:
    """Trust in each account of a community, and what it rests on.

    Attributes:
        raw: float64[k], (Σ_j s_ji + prior · mean) / (n_i + prior) over incoming ties j → i in the community.
        tie: float64[m], s of each incoming tie (places of the ties' `in_idx`).
        mean: s̄, mean of s over all ties inside the community.
        followed_back: int64[k], how many followers each follows back.
        exchanging: int64[k], with how many of those who follow or engage there was an exchange in the last weeks.
    """

    raw: Float64
    tie: Float64
    mean: float
    followed_back: Int64
    exchanging: Int64


def trust(community: Graph, ties: TieGraph, parts: TieParts, rules: ScoringRules, *, follows: bool) -> Trust:
    """Trust by what ties are like: s_ji of a tie j → i is the mean of what is available of

        mutual · (1 − ½ · share of i's followers that i follows back)     where the graph holds follows at all
        share of the last 12 weeks in which one engaged with the other    where anybody engaged with anybody
        replies, mentions and reposts of j with i / all j did with i      where j engaged with i in the window

    Followers, n_i and the mean are those inside the community. Sums go over the ties of an account in order of keys. An
    account without ties has the prior, the mean.

    Args:
        community: the community's own graph, k accounts.
        ties: those inside it, m.
        parts: what each incoming tie consists of (places of `in_idx`).
        rules: prior, discount and weeks.
        follows: whether the whole graph holds any follows.
    """
    followee = rows_of(ties.in_ptr)
    followers = np.diff(community.in_ptr)
    back = np.bincount(followee[parts.mutual], minlength=community.n)
    discount = 1 - rules.follow_back_discount * back / np.maximum(followers, 1)
    total, available = np.zeros(ties.m), np.zeros(ties.m)
    if follows:
        total += np.where(parts.mutual, discount[followee], 0.0)
        available += 1
    if ties.mean_influence is not None:
        total += parts.weeks / rules.trust_weeks
        available += 1
        done = parts.counts.sum(axis=1)
        talked = np.divide(done - parts.counts[:, 0], done, out=np.zeros(ties.m), where=done > 0)
        total += talked
        available += done > 0
    tie = np.divide(total, available, out=np.zeros(ties.m), where=available > 0)
    mean = math.fsum(tie.tolist()) / max(ties.m, 1)
    weight = np.diff(ties.in_ptr) + rules.trust_prior_ties
    sums = row_sums(ties.in_ptr, tie)
    raw = np.divide(sums + rules.trust_prior_ties * mean, weight, out=np.zeros(community.n), where=weight > 0)
    exchanging = np.bincount(followee[parts.weeks > 0], minlength=community.n)
    return Trust(raw, tie, mean, back, exchanging)


@dataclass(frozen=True)
class Resonance:
    """How much of what accounts of a community show gets a response from it, and what that rests on.

    Attributes:
        raw: float64[k], (y + μ · ẽ) / (e + ẽ): interactions per day for each who follows or engages.
        received: int64[k], y, interactions received from members in the window.
        tie: int64[m], those of each incoming tie (places of the ties' `in_idx`).
        exposure: float64[k], e, those who follow or engage inside the community × days observed.
        median: ẽ, the median of e.
        mean: μ = Σ y / Σ e.
        days: days of the window observed: from the first with any interaction in the graph.
    """

    raw: Float64
    received: Int64
    tie: Int64
    exposure: Float64
    median: float
    mean: float
    days: int


def resonance(ties: TieGraph, parts: TieParts, days: int, most: int) -> Resonance | None:
    """Responses for each who is there to respond, drawn to the community's mean where little was observed.

    (y + μ · ẽ) / (e + ẽ) is what is expected of a rate of which y was seen over e and whose prior has mean μ and the
    weight of the median exposure ẽ (Poisson counts with a gamma prior): few observations do not win. Every interaction
    counts 1, whatever its kind, but of one member not more than `most` for each day on which it engaged: a burst from a
    few accounts is no resonance.

    Args:
        ties: those inside the community, k accounts.
        parts: what each incoming tie consists of (places of `in_idx`).
        days: days of the window for which interactions are known, at least 1.
        most: `responses_a_day`.

    Returns:
        None where nobody in the community engaged with another member in the window.
    """
    tie = np.minimum(parts.counts.sum(axis=1), most * ties.in_days.astype(np.int64))
    received = np.bincount(rows_of(ties.in_ptr), weights=tie, minlength=ties.n).astype(np.int64)
    total = int(received.sum())
    if total == 0:
        return None
    exposure = np.diff(ties.in_ptr).astype(np.float64) * days
    median, mean = float(np.median(exposure)), total / float(exposure.sum())
    seen = exposure + median
    raw = np.divide(received + mean * median, seen, out=np.zeros(ties.n), where=seen > 0)
    return Resonance(raw, received, tie, exposure, median, mean, days)


def days_observed(graph: Graph, ties: TieGraph) -> int:
    """Days of the window from the first on which anybody in the graph engaged with anybody; 0 without any."""
    window = ties.window
    age = window.last_day - graph.engaged_day[window.value[graph.engaged_code] > 0]
    return int(age[(age >= 0) & (age < len(window.decay))].max(initial=-1)) + 1
