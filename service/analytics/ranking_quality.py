"""How well rankings put those first who matter: NDCG, precision and Spearman's correlation, exact where values tie.

Accounts that a ranking gives the same value stand in no order; a measure is then its mean over all their orders
(McSherry and Najork 2008). So a ranking that knows nothing has exactly what chance has, and no order of keys can help.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from service.domain import Bool, Float64


def discounts(first: int) -> Float64:
    """Weights of the first places: 1 / log2(place + 1) (Järvelin and Kekäläinen 2002)."""
    return 1 / np.log2(np.arange(2, first + 2))


def at_places(value: Float64, weights: Float64) -> Float64:
    """Give each account the weight of its place when all are ordered by value, highest first; float64[n].

    Accounts of one value share the weights of the places that they take. Places beyond `weights` weigh 0.

    Args:
        value: float64[n], by which accounts are ranked; no NaN.
        weights: float64[k] of the first places.
    """
    n = len(value)
    place = np.zeros(n)
    place[: min(n, len(weights))] = weights[:n]
    order = np.argsort(-value, kind="stable")
    starts = np.flatnonzero(np.diff(value[order], prepend=np.inf)) if n else np.zeros(0, dtype=np.int64)
    sizes = np.diff(starts, append=n)
    shared = np.repeat(np.add.reduceat(place, starts) / sizes, sizes) if n else place
    result = np.empty(n)
    result[order] = shared
    return result


def ndcg(gain: Float64, placed: Float64, weights: Float64) -> Float64:
    """Normalised discounted cumulative gain of rankings; float64[r].

    Args:
        gain: float64[n], what each account was worth; not negative, some of it positive.
        placed: float64[n, r], `at_places` of each ranking with these weights.
        weights: float64[k], `discounts`.
    """
    best = np.sort(gain)[::-1][: len(weights)]
    return np.asarray(gain @ placed / (best * weights[: len(best)]).sum())


def precision(gain: Float64, placed: Float64, first: int) -> Float64:
    """Share of the first accounts of rankings that are among the first by gain; float64[r].

    Among the first by gain are all that have at least the gain of the one in place `first`, and any at all.

    Args:
        gain: float64[n].
        placed: float64[n, r], `at_places` of each ranking with weights 1.
        first: how many.
    """
    return np.asarray(relevant(gain, first) @ placed / first)


def relevant(gain: Float64, first: int) -> Bool:
    """Say who is among the first by gain: bool[n]."""
    last = np.sort(gain)[::-1][min(first, len(gain)) - 1]
    return np.asarray((gain >= last) & (gain > 0))


def standard_ranks(value: Float64) -> Float64:
    """Ranks with mean 0 and length 1, ties sharing theirs: the product of two is Spearman's correlation.

    All 0 where everybody has the same value: such a ranking correlates with nothing.
    """
    ranks = rankdata(value)
    ranks = ranks - ranks.mean()
    length = float(np.sqrt(ranks @ ranks))
    return np.asarray(ranks / length if length else ranks)
