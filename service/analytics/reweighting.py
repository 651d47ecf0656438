"""How far ranks depend on single ties: measures taken again with every tie weighing at random more or less.

Each reweighting gives every tie an exponential weight of mean 1, as in the Bayesian bootstrap (Rubin 1981): as if the
ties that were observed were a sample of those there could have been. Communities stay as they are.
"""

from __future__ import annotations

import math

import numpy as np

from service.analytics.compiled import compiled
from service.analytics.evidence import Measured
from service.domain import Float32, Float64, Int32, Int64, ScoringRules

STEPS = 4096
EXPONENTIAL = np.array([-math.log1p(-(step + 0.5) / STEPS) for step in range(STEPS)])
"""Quantiles of the exponential distribution: a draw is one of them. Logarithms of the C library: NumPy's last digit
depends on the processor."""

NEAR, SWEEPS = 1e-4, 100
"""PageRank is taken again until a sweep changes it by less than this share: chance moves ranks far more."""


def reweighted(measured: Measured, accounts: Int32, seed: int, rules: ScoringRules) -> Float32:
    """Take the measures of some accounts again, in each of `reweightings`.

    Authority is PageRank of the reweighted ties. Reach changes by as much as the expected number of paths of at most
    two steps, Σ_k p_ik · (1 + Σ_j p_kj), with each p times the weight of its tie: to count only the accounts at their
    ends, as the measure itself does, would take many times longer; so it may exceed 1. Resonance and trust weigh what
    each tie adds; μ, ẽ and s̄ stay.

    Args:
        measured: a community of k accounts.
        accounts: int32[a], those that are wanted.
        seed: of everything random. Weights depend on it, the reweighting and the place of the tie alone.
        rules: damping, priors and how many reweightings.

    Returns:
        float32[r, a, 4], columns as `intervals.REWEIGHTED` (0 in that of resonance where it is not known).
    """
    ties, resonance, trust = measured.ties, measured.resonance, measured.trust
    return reweight(
        ties.in_ptr, ties.in_idx, ties.in_weight, measured.influence,
        trust.tie, resonance.tie if resonance else np.zeros(0, np.int64),
        measured.raw["authority"], measured.raw["reach"], accounts,
        float(resonance.days) if resonance else 0.0, resonance.median if resonance else 0.0,
        resonance.mean if resonance else 0.0, trust.mean, rules.trust_prior_ties,
        rules.damping, seed, rules.reweightings if len(accounts) else 0, resonance is not None, EXPONENTIAL,
    )  # fmt: skip


@compiled
def reweight(
    ptr: Int64, idx: Int32, weight: Float64, p: Float64, trust: Float64, responses: Int64,
    authority: Float64, reach: Float64, accounts: Int32,
    days: float, median: float, mean: float, mean_trust: float, prior: float,
    damping: float, seed: int, reweightings: int, known: bool, exponential: Float64,
) -> Float32:  # fmt: skip
    """Do what `reweighted` says; rows are those of incoming ties."""
    n = len(ptr) - 1
    result = np.zeros((reweightings, len(accounts), 4), np.float32)
    drawn = np.empty(len(idx))
    share = np.empty(len(idx))
    gives = np.empty(n)
    x, flow, onward = np.empty(n), np.empty(n), np.empty(n)
    before = np.empty(len(accounts))
    for turn in range(-1, reweightings):  # the first turn is that of the ties as they are
        for e in range(len(idx)):
            if turn < 0:
                drawn[e] = 1.0
            else:
                # splitmix64 (Steele, Lea and Flood 2014) of the seed, the reweighting and the tie
                z = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(turn) * np.uint64(0xD1B54A32D192ED03)
                z += np.uint64(e + 1) * np.uint64(0x9E3779B97F4A7C15)
                z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                z = z ^ (z >> np.uint64(31))
                drawn[e] = exponential[np.int64(z >> np.uint64(52))]
        for i in range(n):
            total = 0.0
            for e in range(ptr[i], ptr[i + 1]):
                total += p[e] * drawn[e]
            onward[i] = total
        if turn < 0:
            for at in range(len(accounts)):
                total = 0.0
                for e in range(ptr[accounts[at]], ptr[accounts[at] + 1]):
                    total += p[e] * (1 + onward[idx[e]])
                before[at] = total
            continue
        gives[:] = 0.0
        for e in range(len(idx)):
            gives[idx[e]] += weight[e] * drawn[e]
        for i in range(n):
            x[i] = authority[i] * n / (1 - damping)  # near the solution of x = 1 + damping · Σ share · x
            flow[i] = damping * x[i] / gives[i] if gives[i] > 0 else 0.0
        for e in range(len(idx)):
            share[e] = weight[e] * drawn[e]
        for _ in range(SWEEPS):
            changed, total = 0.0, 0.0
            for i in range(n):
                taken = 1.0
                for e in range(ptr[i], ptr[i + 1]):
                    taken += share[e] * flow[idx[e]]
                changed += abs(taken - x[i])
                total += taken
                x[i] = taken
                flow[i] = damping * taken / gives[i] if gives[i] > 0 else 0.0
            if changed <= NEAR * total:
                break
        for at in range(len(accounts)):
            i = accounts[at]
            paths, heard, trusted, answered = 0.0, 0.0, 0.0, 0.0
            for e in range(ptr[i], ptr[i + 1]):
                paths += p[e] * drawn[e] * (1 + onward[idx[e]])
                heard += drawn[e]
                trusted += drawn[e] * trust[e]
                if known:
                    answered += drawn[e] * responses[e]
            result[turn, at, 0] = x[i] / total
            result[turn, at, 1] = reach[i] * paths / before[at] if before[at] > 0 else 0.0
            if known and heard * days + median > 0:
                result[turn, at, 2] = (answered + mean * median) / (heard * days + median)
            if heard + prior > 0:
                result[turn, at, 3] = (trusted + prior * mean_trust) / (heard + prior)
    return result
