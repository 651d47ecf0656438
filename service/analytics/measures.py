"""Measures from follows alone that are plain array work: influence, two-step reach of one account, trust."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.analytics.graph import entries_of, followed_back
from service.domain import Bool, Float64, Graph, Int32, Int64, ScoringRules
from service.errors import InvalidRequest

ALMOST_CERTAIN = 1 - 2.0**-53
"""Largest probability below 1: the logarithm of its opposite is finite, so that a certain path can be taken out."""

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


def influence(graph: Graph, rules: ScoringRules) -> Float64:
    """Probability p_ij that i influences its follower j, for each incoming follow: float64[m], places of `in_idx`.

    p_ij = (d_ij + 10 · p₀) / (D_i + 10) after Goyal et al. (2010), where d_ij are days on which j engaged with i and
    D_i days on which i posted or was engaged with. From follows alone d = D = 0, which leaves p₀.
    """
    return np.full(graph.m, rules.influence_prior)


@dataclass(frozen=True)
class TwoSteps:
    """Whom one account i may move, directly or through one follower, and by which paths.

    Attributes:
        target: int32[t], accounts other than i that can be moved, ascending.
        moved: float64[t], probability that each is: 1 − (1 − p_ij) · Π_k (1 − p_ik · p_kj).
        log_missed: float64[t], logarithm of the opposite.
        direct: int32[f], place in `target` of each follower of i.
        log_direct: float64[f], log(1 − p_ij) of each follower.
        via, end: int64[paths], each two-step path: which follower of i (0..f-1), and place of its end in `target`.
        log_path: float64[paths], log(1 − p_ik · p_kj) of each.
    """

    target: Int32
    moved: Float64
    log_missed: Float64
    direct: Int64
    log_direct: Float64
    via: Int64
    end: Int64
    log_path: Float64


def two_steps(graph: Graph, influence: Float64, i: int) -> TwoSteps:
    """List whom account i may move within two steps; time and memory in proportion to accounts and two-step paths."""
    first = slice(int(graph.in_ptr[i]), int(graph.in_ptr[i + 1]))
    follower = graph.in_idx[first]
    entries = entries_of(graph.in_ptr, follower)
    via = np.repeat(np.arange(len(follower)), graph.in_ptr[follower + 1] - graph.in_ptr[follower])
    end = graph.in_idx[entries]
    away = end != i
    via, end, entries = via[away], end[away], entries[away]

    chance = np.minimum(influence[first], ALMOST_CERTAIN)
    log_direct = np.log1p(-chance)
    log_path = np.log1p(-chance[via] * influence[entries])
    movable = np.zeros(graph.n, dtype=np.bool_)
    movable[follower] = movable[end] = True
    target = np.flatnonzero(movable).astype(np.int32)
    place = np.empty(graph.n, dtype=np.int64)  # of an account in `target`; only those are ever looked up
    place[target] = np.arange(len(target))
    direct, end_place = place[follower], place[end]
    missed_directly = np.zeros(len(target))
    missed_directly[direct] = log_direct
    log_missed = missed_directly + np.bincount(end_place, weights=log_path, minlength=len(target))
    return TwoSteps(target, -np.expm1(log_missed), log_missed, direct, log_direct, via, end_place, log_path)


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
    """Trust by reciprocity: s_ij = mutual · (1 − ½ · share of i's followers that i follows back).

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
