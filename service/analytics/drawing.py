"""Random numbers inside kernels: the same from the same seed, on any machine."""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import UInt32, UInt64, compiled


@compiled
def mixed(number: np.uint64) -> np.uint64:
    """Scatter the bits of a number: the last step of splitmix64 (Steele et al. 2014)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled
def drawn(state: UInt64) -> float:
    """Draw a float in 0..1 (1 excluded, all multiples of 2⁻⁵³ equally often) by splitmix64; `state` is uint64[1]."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    return float(mixed(state[0]) >> np.uint64(11)) * 2.0**-53


@compiled
def shuffle(values: UInt32, count: int, state: UInt64) -> None:
    """Put the first `count` values in random order, in place (Fisher and Yates's shuffle); `state` as of `drawn`."""
    for last in range(count - 1, 0, -1):
        other = int(drawn(state) * (last + 1))
        values[last], values[other] = values[other], values[last]
