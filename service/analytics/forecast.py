"""How many responses an account will receive: an estimate with an interval, honest also where little was observed."""

from __future__ import annotations

import numpy as np
from scipy.stats import nbinom

from service.domain import Float64

LEAST_SPREAD = 1e-9
"""Rates of a community are taken to differ by at least this share of their mean, so that its prior has a shape."""


def expected_responses(
    earlier: Float64, later: Float64, days: int, horizon: int, interval: float
) -> tuple[Float64, Float64] | None:
    """Say between which numbers the responses to each account of a community will be; float64[n] each.

    Responses come as a Poisson process whose rate differs from account to account after a gamma distribution, both
    fitted to the community by moments: so an account of which little was seen is taken for an average one, with a wide
    interval (Robbins 1956; Efron and Morris 1975). Responses come in bursts, so counts vary φ times as much as
    Poisson's: φ = Σ (a − b)² / Σ (a + b) over the two halves of the window, at least 1. The interval is that of the
    predictive distribution, which is negative binomial, in units of φ.

    Args:
        earlier, later: float64[n], responses from the community in the first and the second half of the window.
        days: of the whole window.
        horizon: days to come.
        interval: share of what may come that lies inside, half of the rest at each end.

    Returns:
        The lowest and the highest number; None where nobody received anything.
    """
    seen = earlier + later
    mean = float(seen.mean()) if len(seen) else 0.0
    if mean == 0:
        return None
    bursts = max(1.0, float(((earlier - later) ** 2).sum() / seen.sum()))
    spread = max(float(seen.var()) - bursts * mean, LEAST_SPREAD * mean * mean)
    shape, rate = mean * mean / spread, mean / spread
    size = shape + seen / bursts
    chance = (rate + 1 / bursts) / (rate + (1 + horizon / days) / bursts)
    low, high = (nbinom.ppf(tail, size, chance) * bursts for tail in ((1 - interval) / 2, (1 + interval) / 2))
    return np.floor(low), np.ceil(high)
