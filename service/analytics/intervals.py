"""Intervals of ranks: where accounts stand when every tie weighs at random more or less (see `reweighting`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from service.analytics.compiled import compiled
from service.analytics.scoring import score_table
from service.domain import MILLION, Float32, Float64, Int32, Int64, PartName

REWEIGHTED: tuple[PartName, ...] = ("authority", "reach", "resonance", "trust")
"""The parts that rest on ties, in the order of the columns of what was reweighted."""


class Intervals(NamedTuple):
    """Intervals of the ranks of some accounts; parallel arrays.

    `low` and `high` are int64[a], the best and worst rank of the interval, the account's own rank always in it.
    `tied_with` is int64[a], the others whose intervals overlap with it.
    """

    low: Int64
    high: Int64
    tied_with: Int64


def replicate_x(replicates: Float32, base: Mapping[PartName, Float64]) -> Float64:
    """Compare the values of some accounts in each reweighting with the base as it is.

    What is compared with stays: x is 0 where the value is 0, else the score of the place that it would have among the
    raw values of the base (`scoring.score_table`).

    Args:
        replicates: float32[r, a, 4], values of the parts REWEIGHTED, in which ties were reweighted.
        base: float64[b], ascending, raw values of the base by part, of each part as many; parts that are null are not
            in it.

    Returns:
        float64[4, r, a], x of each part; 0 where it is null.
    """
    none = np.zeros(0)
    ordered = [base.get(part, none) for part in REWEIGHTED]
    ends = np.cumsum([0, *map(len, ordered)])
    table = score_table(max(map(len, ordered)))
    return scores_in(np.ascontiguousarray(replicates), np.concatenate(ordered), ends, table)


def replicate_scores(x: Float64, weights: Mapping[Any, float], fixed: Int64) -> Int64:
    """Score some accounts in each reweighting.

    Args:
        x: float64[4, r, a], see `replicate_x`.
        weights: those in force.
        fixed: int64[a], points in millionths of the parts that do not rest on ties.

    Returns:
        int64[r, a], scores in millionths.
    """
    scores = np.repeat(fixed[None, :], x.shape[1], axis=0)
    for of_part, part in zip(x, REWEIGHTED, strict=True):
        if weights[part] > 0:
            scores += np.rint(100 * MILLION * weights[part] * of_part).astype(np.int64)
    return scores


@compiled
def scores_in(replicates: Float32, base: Float64, ends: Int64, table: Float64) -> Float64:
    """Do what `replicate_x` says; values of the base of part p are at `ends[p]:ends[p + 1]`.

    `table` is `score_table` of as many values as the base of a part has.
    """
    turns, accounts, parts = replicates.shape
    x = np.zeros((parts, turns, accounts))
    for part in range(parts):
        of = base[ends[part] : ends[part + 1]]
        if len(of) == 0:
            continue
        for turn in range(turns):
            for at in range(accounts):
                value = np.float64(replicates[turn, at, part])
                if value != 0:
                    places = np.searchsorted(of, value) + np.searchsorted(of, value, side="right")
                    x[part, turn, at] = table[places]
    return x


def rank_intervals(scores: Int64, rank: Int32 | Int64, interval: float) -> Intervals:
    """Say which ranks accounts take in the middle share of the reweightings.

    Args:
        scores: int64[r, a], in each reweighting, in millionths; of equal ones the account of better `rank` ranks first.
        rank: int[a], 1.. each once: as they are ranked.
        interval: share of the reweightings, below 1: ranks at both ends of it are left out, half at each.

    Returns:
        Intervals; of r = 0 those of one rank.
    """
    low, high = rank.astype(np.int64), rank.astype(np.int64)
    count, accounts = scores.shape
    if count and accounts:
        # All different, so that no sort need be stable; the largest score takes 27 bits.
        order = np.argsort((-scores << 32) + rank, axis=1)
        ranks = np.empty(scores.shape, dtype=np.int32)
        np.put_along_axis(ranks, order, np.arange(1, accounts + 1, dtype=np.int32)[None, :], axis=1)
        first, last = (1 - interval) / 2 * (count - 1), (1 + interval) / 2 * (count - 1)
        # A product that differs from a whole number only by a rounding error is that number.
        ends = math.floor(round(first, 9)), math.ceil(round(last, 9))
        middle = np.partition(np.ascontiguousarray(ranks.T), ends, axis=1)
        low = np.minimum(low, middle[:, ends[0]])
        high = np.maximum(high, middle[:, ends[1]])
    after = np.searchsorted(np.sort(low), high, side="right")  # those that begin before this one ends
    before = np.searchsorted(np.sort(high), low)  # those that end before this one begins
    return Intervals(low, high, after - before - 1)
