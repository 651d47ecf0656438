"""Lenses together: mixes of them, ranked within a population, and how alike they rank it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service.analytics.lenses.exact import weighted
from service.analytics.rounding import significant
from service.analytics.scoring import exponential_scores
from service.domain import Float64, Int32, Int64


@dataclass(frozen=True)
class Mixed:
    """A mix of measures over k accounts that are compared with each other; arrays have a row for each measure.

    Attributes:
        names: of the measures, in the order of the mix.
        weights: in force, after the weight of measures that nobody has was shared out; 0 for these.
        x: float64[c, k], place of each account by each measure, in 0..1.
        points: int64[c, k], in millionths of 100 points.
        score: int64[k], their sums.
        rank: int32[k], from 1 on, best first; ties in the order of the accounts.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    x: Float64
    points: Int64
    score: Int64
    rank: Int32


def mixed(values: Mapping[str, Float64], weights: Mapping[str, float]) -> Mixed | None:
    """Score accounts by a mix of measures: 100 · Σ weight · x, x by places among these accounts.

    x is 0 for 0 and for who has no value (NaN), else `scoring.exponential_scores`. A measure that nobody has is left
    out, and its weight shared out in proportion.

    Args:
        values: of each measure float64[k], from 0 on, NaN where unknown; accounts in the order of their keys.
        weights: of each measure, from 0 on, one of them more.

    Returns:
        None where nobody has any measure that has weight.
    """
    names = tuple(values)
    known = [bool((~np.isnan(values[name])).any()) for name in names]
    total = sum(weights[name] for name, is_known in zip(names, known, strict=True) if is_known)
    if total <= 0:
        return None
    force = tuple(weights[name] / total if is_known else 0.0 for name, is_known in zip(names, known, strict=True))
    x = np.array([exponential_scores(np.nan_to_num(values[name])) for name in names])
    score, parts = weighted(dict(zip(names, x, strict=True)), dict(zip(names, force, strict=True)))
    points = np.array([parts[name] for name in names])
    rank = np.empty(len(score), dtype=np.int32)
    rank[np.lexsort((np.arange(len(score)), -score))] = np.arange(1, len(score) + 1)
    return Mixed(names, force, x, points, score, rank)


def rank_correlations(values: Float64) -> tuple[Float64, Int64]:
    """Spearman's rank correlation of each two measures, over the accounts that have both.

    Ties have their mean rank; the correlation is Pearson's of these ranks (Spearman 1904).

    Args:
        values: float64[c, k], NaN where unknown.

    Returns:
        float64[c, c], rounded to 9 digits, NaN where fewer than 3 accounts have both or one of them is the same for
        all; and int64[c, c], how many accounts have both.
    """
    count = len(values)
    found, both = np.full((count, count), np.nan), np.zeros((count, count), dtype=np.int64)
    for i in range(count):
        for j in range(i, count):
            known = ~np.isnan(values[i]) & ~np.isnan(values[j])
            both[i, j] = both[j, i] = np.count_nonzero(known)
            if both[i, j] >= 3:
                one, other = (_mean_ranks(values[row, known]) for row in (i, j))
                spread = np.sqrt((one @ one) * (other @ other))
                if spread > 0:
                    found[i, j] = found[j, i] = significant(np.array([np.clip(one @ other / spread, -1, 1)]))[0]
    return found, both


def _mean_ranks(values: Float64) -> Float64:
    """Twice the mean rank of each value, less the mean of all: whole numbers, which add up exactly."""
    ordered = np.sort(values)
    places = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return (places - len(values)).astype(np.float64)
