"""Values that are exactly the sum of their parts: whole numbers of millionths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from service.analytics.rounding import significant
from service.domain import MILLION, Float64, Int64


def apportioned(total: Int64, shares: Mapping[str, Float64 | Int64]) -> dict[str, Int64]:
    """Split totals in proportion to shares, so that the parts of each sum to it exactly.

    Each part is rounded down, and what is left goes, one by one, to the parts that lost most, of equal ones to the
    first (largest remainders, after Hamilton). Where all shares are 0, all goes to the first part.

    Args:
        total: int64[n], from 0 on.
        shares: of each part float64[n] or int64[n], finite, from 0 on.

    Returns:
        Of each part int64[n].
    """
    matrix = significant(np.array([np.asarray(one, dtype=np.float64) for one in shares.values()]).ravel())
    matrix = matrix.reshape(len(shares), len(total))
    whole = matrix.sum(axis=0)
    matrix[0, whole == 0] = 1.0
    exact = matrix / np.where(whole == 0, 1.0, whole) * total
    parts = np.floor(exact).astype(np.int64)
    left = total - parts.sum(axis=0)
    # Rounded, so that remainders that are equal but for rounding errors are equal.
    order = np.argsort(-np.round(exact - parts, 6), axis=0, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(shares))[:, None], axis=0)
    parts += place < left
    # Rounding may have left one too many or too few to share out in a single round: the largest part settles it.
    rest = total - parts.sum(axis=0)
    largest = np.argmax(matrix, axis=0)
    parts[largest, np.arange(len(total))] += rest
    return dict(zip(shares, parts, strict=True))


def log_scaled(raw: Float64 | Int64, most: float | Float64) -> Float64:
    """ln(1 + raw) / ln(1 + most): float64[n] in 0..1; 0 where `most` is 0.

    Rounded to 9 significant digits, so that the C library's last bits do not show.

    Args:
        raw: from 0 on.
        most: what is 1: one number, or float64[n].
    """
    top = np.log1p(np.broadcast_to(most, np.shape(raw)))
    return significant(np.minimum(np.divide(np.log1p(raw), top, out=np.zeros(len(raw)), where=top > 0), 1.0))


def weighted(
    x: Mapping[str, Float64], weights: Mapping[str, float], scale: int = 100
) -> tuple[Int64, dict[str, Int64]]:
    """Sum parts in 0..1 by weight, to `scale` at most: the value in millionths, and those of each part, exactly.

    Weights of parts that are not in `x` are shared out in proportion.

    Args:
        x: of each part that is known float64[n] in 0..1.
        weights: of all parts.
        scale: value of who has 1 in all parts.

    Returns:
        value int64[n], and of each part of `x` int64[n]; both in millionths.
    """
    known = sum(weights[part] for part in x)
    parts = {
        part: np.rint(scale * MILLION * weights[part] / known * values).astype(np.int64) for part, values in x.items()
    }
    value: Int64 = np.sum(list(parts.values()), axis=0, dtype=np.int64)
    beyond = np.maximum(value - scale * MILLION, 0)  # each part is rounded by itself: a millionth or two too many
    heaviest = max(x, key=lambda part: weights[part])
    parts[heaviest] -= beyond
    return value - beyond, parts
