"""The x of a score as it is written down, one value at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def plain_x(value: float, base: Sequence[float]) -> float:
    """ln(1 / (1 − p)) / ln(2n), p being the mid-rank percentile of a value in a base of n; 0 for 0, at most 1."""
    if value == 0:
        return 0.0
    n = len(base)
    percentile = Fraction(2 * sum(one < value for one in base) + sum(one == value for one in base), 2 * n)
    return 1.0 if percentile == 1 else round(math.log(1 / (1 - percentile)) / math.log(2 * n), 9)
