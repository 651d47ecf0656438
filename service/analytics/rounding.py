"""Rounding that makes results independent of the last bits of floating point."""

from __future__ import annotations

import numpy as np

from service.domain import Float64

DIGITS = 9


def significant(values: Float64) -> Float64:
    """Round to 9 significant decimal digits, so that values equal but for rounding errors become equal.

    Symmetric accounts then tie, and the order in which floats were added does not show. By way of decimal text: it is
    the only rounding whose result is the float nearest to those digits.
    """
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.tolist()], dtype=np.float64)
