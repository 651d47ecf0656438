"""Weights of the parts that would have ranked best: fitted to what happened, not negative, so that scores stay sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from service.domain import PART_NAMES, Float64, PartWeights

RIDGE = 1e-3
"""Pull of every weight towards 0: weights stay finite where a part orders perfectly, and parts that are alike equal."""

DECIMALS = 3
"""Weights are rounded to so many decimals: more would say what the data does not."""


def fit_weights(communities: Sequence[tuple[Float64, Float64]]) -> Float64:
    """Fit weights of parts by ListNet (Cao et al. 2007): float64[p], at least 0, summing to 1.

    Of each community the share of all that was received which went to each member is compared with the softmax of
    their scores Σ β·x, by cross entropy; the mean over communities, with RIDGE · Σ β², is smallest for one β ≥ 0 alone,
    as it is convex. A sum of squared errors would be about the size of what the first few receive, not about order.
    Everything is 0 where no part helps: then all weigh the same.

    Args:
        communities: of each, float64[n, p], x of the parts, and float64[n], what its members were worth, some of it
            above 0.
    """
    shares = [(x, worth / worth.sum()) for x, worth in communities]
    parts = shares[0][0].shape[1]

    def loss(beta: Float64) -> tuple[float, Float64]:
        value, slope = RIDGE * float(beta @ beta), 2 * RIDGE * beta
        for x, share in shares:
            scores = x @ beta
            scores = scores - scores.max()
            total = np.log(np.exp(scores).sum())
            value -= float(share @ (scores - total)) / len(shares)
            slope = slope - x.T @ (share - np.exp(scores - total)) / len(shares)
        return value, slope

    found = minimize(loss, np.ones(parts), jac=True, method="L-BFGS-B", bounds=[(0, None)] * parts)
    beta = np.maximum(found.x, 0.0)
    return np.asarray(beta / beta.sum() if beta.sum() > 0 else np.full(parts, 1 / parts))


def part_weights(fitted: Float64, documented: PartWeights) -> PartWeights:
    """Weights of all parts: affinity as documented, as a back-test knows nothing of it, the others share the rest."""
    rest = round(1 - documented.affinity, DECIMALS)
    shares = np.round(fitted * rest, DECIMALS)
    shares[int(np.argmax(shares))] += rest - shares.sum()  # so that they sum to 1
    named = {part: round(float(share), DECIMALS) for part, share in zip(PART_NAMES[:-1], shares, strict=True)}
    return PartWeights(**named, affinity=documented.affinity)
