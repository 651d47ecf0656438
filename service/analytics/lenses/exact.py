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

    Weights of parts that are not in `x`, or not known of an account, are shared out in proportion. An account of which
    no part is known has 0.

    Args:
        x: of each part float64[n] in 0..1, NaN where it is not known.
        weights: of all parts.
        scale: value of who has 1 in all parts.

    Returns:
        value int64[n], and of each part of `x` int64[n]; both in millionths.
    """
    matrix = np.array(list(x.values()))
    weight = np.where(np.isnan(matrix), 0.0, np.array([weights[part] for part in x])[:, None])
    known = weight.sum(axis=0)
    shares = weight / np.where(known > 0, known, 1.0) * np.nan_to_num(matrix)
    # Rounded first, so that three thirds are a whole, and the last bits of a sum do not show.
    whole = np.minimum(np.round(shares.sum(axis=0), 12), 1.0)
    value: Int64 = np.rint(scale * MILLION * whole).astype(np.int64)
    return value, apportioned(value, dict(zip(x, shares, strict=True)))
