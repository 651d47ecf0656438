"""Measures that all engines share: influence, what reach rests on, trust."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.analytics.compiled import UInt32, UInt64, compiled
from service.analytics.graph import followed_back
from service.analytics.ties import TieGraph
from service.domain import Bool, Float64, Graph, Int32, Int64, ScoringRules
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
        raw: float64[k], (Σ_j s_ij + prior · mean) / (n_i + prior) over followers j in the community.
        tie: float64[k], s of each mutual tie of the account; 0 where it has none.
        mean: s̄, mean of s over all follows inside the community.
        followed_back: int64[k], how many followers each follows back.
        mutual: bool[m], whether each incoming follow is mutual (places of `in_idx`).
    """

    raw: Float64
    tie: Float64
    mean: float
    followed_back: Int64
    mutual: Bool


def trust(community: Graph, rules: ScoringRules) -> Trust:
    """Trust by reciprocity, from follows alone: s_ij = mutual · (1 − ½ · share of i's followers that i follows back).

    Followers, n_i and the mean are those inside the community. All mutual ties of an account have the same s, so the
    sums come from counts and do not depend on any order. An account that nobody follows has the prior, the mean.
    """
    mutual = followed_back(community)
    followers = np.diff(community.in_ptr)
    back = np.bincount(np.repeat(np.arange(community.n), followers)[mutual], minlength=community.n)
    tie = np.where(back > 0, 1 - rules.follow_back_discount * back / np.maximum(followers, 1), 0.0)
    sums = back * tie
    mean = math.fsum(sums.tolist()) / max(community.m, 1)
    weight = followers + rules.trust_prior_ties
    raw = np.divide(sums + rules.trust_prior_ties * mean, weight, out=np.zeros(community.n), where=weight > 0)
    return Trust(raw, tie, mean, back, mutual)
