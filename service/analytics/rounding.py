"""Rounding that makes results independent of the last bits of floating point."""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import compiled
from service.domain import Bool, Float64

DIGITS, STEADY = 9, 13

POWERS = np.array([float(f"1e{exponent}") for exponent in range(23)])
"""10⁰ to 10²², the powers of ten that are floats exactly."""


def significant(values: Float64) -> Float64:
    """Round to 9 significant decimal digits, so that values equal but for rounding errors become equal.

    Symmetric accounts then tie, and the order in which floats were added does not show. The result is the float nearest
    to those digits, as by way of decimal text; text is slow, and used only where arithmetic might say something else.
    """
    result, unsure = by_arithmetic(np.ascontiguousarray(values), POWERS)
    for place in np.flatnonzero(unsure).tolist():
        result[place] = float(f"{values[place]:.{DIGITS}g}")
    return result


def steadied(values: Float64) -> Float64:
    """Drop what lies beyond 13 significant digits: of values of long sums and products that is rounding errors.

    A value that would lie exactly at a half of the ninth digit lies there whatever the order of adding up, so that
    `significant` rounds it the same way. Values are finite; the result is not quite the float nearest to 13 digits.
    """
    result = values.copy()
    some = values != 0
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # where the scale is no number, see below
        scale = 10.0 ** (STEADY - 1 - np.floor(np.log10(np.abs(values[some]))))
        rounded = np.rint(values[some] * scale) / scale
    result[some] = np.where(np.isfinite(scale) & (scale > 0), rounded, values[some])
    return result


@compiled
def by_arithmetic(values: Float64, powers: Float64) -> tuple[Float64, Bool]:
    """Round by scaling to a whole number of 9 digits and back.

    A whole number below 2⁵³ over or times an exact power of ten is the float nearest to the decimal number. The number
    is the right one unless scaling, whose error is below 2·10⁻⁷, was so near to a half that it may have crossed it.

    Returns:
        The rounded values, and where to be unsure of them: near a half, infinite, or beyond the exact powers.
    """
    result = np.zeros(len(values))
    unsure = np.zeros(len(values), np.bool_)
    for place in range(len(values)):
        value = values[place]
        if value == 0.0 or np.isnan(value):
            result[place] = value  # zero keeps its sign
            continue
        size = abs(value)
        if not 1e-13 < size < 1e21:
            unsure[place] = True
            continue
        power = int(8 - np.floor(np.log10(size)))
        scaled = size * powers[power] if power >= 0 else size / powers[-power]
        if abs(scaled - (1e9 - 0.5)) < 1e-6:
            unsure[place] = True
            continue
        if scaled >= 1e9 - 0.5:  # the logarithm was rounded, or the digits round up to 10⁹
            power -= 1
            scaled = size * powers[power] if power >= 0 else size / powers[-power]
        elif scaled < 1e8 - 0.5:
            power += 1
            scaled = size * powers[power] if power >= 0 else size / powers[-power]
        whole = np.floor(scaled + 0.5)
        unsure[place] = abs(scaled + 0.5 - np.rint(scaled + 0.5)) < 1e-6 or whole >= 1e9
        found = whole / powers[power] if power >= 0 else whole * powers[-power]
        result[place] = found if value > 0 else -found
    return result, unsure
