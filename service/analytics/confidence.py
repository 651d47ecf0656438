"""How sure it is that an account belongs to its community: would another search have put it there, too?

A search for communities visits accounts in an order that a seed draws, and accounts between communities end here or
there by that order. So communities are looked for again with other seeds (consensus: Lancichinetti and Fortunato 2012),
each from nothing, and of each account is counted how often its community is the one that its own continues in.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from service.analytics.communities import connected_parts
from service.analytics.engine import Engine
from service.analytics.graph import Projection
from service.analytics.lineage import agreed
from service.analytics.rounding import significant
from service.domain import Float64, Int32, Progress, RunSpec


def confidence(
    projection: Projection,
    labels: Int32,
    resolution: float,
    engine: Engine,
    spec: RunSpec,
    progress: Progress,
    known: Float64 | None = None,
) -> Float64:
    """Chance that an account is in its community under another seed.

    Of few seeds the share that agree says too much of those at either end: it is drawn towards the mean of all accounts
    as far as chance explains the differences (`steady`).

    Args:
        projection: undirected ties of n accounts.
        labels: int32[n], their communities in canonical order, -1 for none.
        resolution: γ at which they were found.
        engine: searches.
        spec: seed, rules; how many other seeds.
        progress: told of each seed as stage `confidence`.
        known: float64[n], of accounts of which it need not be found out again; NaN for the others.

    Returns:
        float64[n] in 0..1; NaN for accounts without a community, and for all where no other seeds are asked for.
    """
    rules = spec.rules
    sure = np.full(projection.n, np.nan)
    members = labels >= 0
    if not rules.confidence_seeds or not members.any():
        return sure
    if known is not None and not np.isnan(known[members]).any():
        return known

    def agrees(seed: int) -> Int32:
        found = connected_parts(projection, engine.partition(projection, resolution, seed, rules.quality_function))
        return agreed(labels, found, rules.lineage_most, rules.lineage_least)

    times = np.zeros(projection.n, dtype=np.int32)
    progress("confidence", 0, rules.confidence_seeds)
    first = spec.seed + 1
    with ThreadPoolExecutor(max_workers=engine.threads) as threads:
        for done, one in enumerate(threads.map(agrees, range(first, first + rules.confidence_seeds)), 1):
            times += one
            progress("confidence", done, rules.confidence_seeds)
    sure[members] = steady(times[members], rules.confidence_seeds)
    sure = significant(sure)
    return sure if known is None else np.where(np.isnan(known), sure, known)


def steady(times: Int32, draws: int) -> Float64:
    """Estimate a chance of each account from how often it came true, knowing how the others fared.

    Chances are taken to be distributed as Beta(a, b), so that counts are beta-binomial; a and b are fitted by the
    moments of the counts (Skellam 1948), and the estimate is (times + a)/(draws + a + b).

    Args:
        times: int32[n ≥ 1], of `draws`.
        draws: at least 1.

    Returns:
        float64[n].
    """
    share = float(times.mean()) / draws
    binomial = draws * share * (1 - share)
    if binomial == 0.0 or draws == 1:
        return np.full(len(times), share)  # nothing is known of how chances differ
    # Variance of a beta-binomial: binomial · (1 + (draws - 1) · rho), with rho = 1 / (a + b + 1).
    rho = float(np.clip((times.var() / binomial - 1) / (draws - 1), 1e-6, 1 - 1e-6))
    strength = 1 / rho - 1
    return np.asarray((times + share * strength) / (draws + strength), dtype=np.float64)
