"""Random graphs in which everybody follows and is followed by as many as in a given one: what chance alone would do."""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import UInt32, UInt64, compiled, unsigned
from service.analytics.drawing import shuffle
from service.domain import Float64, Int32, Int64

TRADES = 10
"""How often everybody trades. With strong communities among 10,000 accounts, 5 leave as little of them as 40 do."""

FEW = 1_000
"""Among few accounts many pairs have nothing to trade, so that more trades are needed: FEW / accounts more."""


def rewired(ptr: Int64, idx: Int32, weight: Float64, seed: int) -> tuple[Int32, Int32, Float64]:
    """Draw a graph from those in which each account has as many out-ties and in-ties as in this one.

    Global curveball trades (Carstens, Hamann, Meyer, Penschuck, Tran and Wagner 2018): all accounts are paired at
    random, and the two of each pair put together what only one of them follows, and deal it out again at random. Nobody
    comes to follow themselves, nobody to follow somebody twice. All graphs that trades lead to are drawn nearly evenly;
    they do not lead to graphs that differ in nothing but the direction of a ring of three. The weights of each
    follower's ties stay with the follower, dealt out at random likewise. Where no other graph has these degrees, as for
    a star or a clique, the same graph comes back.

    Args:
        ptr, idx, weight: rows of followers: int64[n+1], int32[m], float64[m].
        seed: of everything random.

    Returns:
        Source and target (int32[m]) and weight of each tie, by source, targets in no particular order.
    """
    n = len(ptr) - 1
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(ptr))
    target = traded(*unsigned(ptr, idx), np.uint64(seed), TRADES + FEW // max(n, 1))
    return source, target.view(np.int32), weight


@compiled
def traded(ptr: UInt64, idx: UInt32, seed: np.uint64, trades: int) -> UInt32:
    """Targets after so many trades of everybody, in the places of `idx`, in no particular order within a row."""
    n = len(ptr) - 1
    state = np.array([seed], np.uint64)
    idx = idx.copy()
    order = np.arange(n).astype(np.uint32)
    pool, places = np.empty(n, np.uint32), np.empty(n, np.uint32)
    met = np.zeros(n, np.uint32)  # the last trade in which a target was seen in the second row, or in both
    trade = np.uint32(0)
    for _ in range(trades):
        shuffle(order, n, state)
        for pair in range(n // 2):
            a, c = order[2 * pair], order[2 * pair + 1]
            if ptr[a] == ptr[a + 1] or ptr[c] == ptr[c + 1]:
                continue
            if trade >= 2**32 - 4:
                met[:] = 0
                trade = np.uint32(0)
            in_c, in_both = np.uint32(trade + 1), np.uint32(trade + 2)
            trade = in_both
            for e in range(ptr[c], ptr[c + 1]):
                met[idx[e]] = in_c
            count = 0
            for e in range(ptr[a], ptr[a + 1]):
                if met[idx[e]] == in_c:
                    met[idx[e]] = in_both
                elif idx[e] != c:
                    pool[count] = idx[e]
                    places[count] = e - ptr[a]
                    count += 1
            of_a = count
            for e in range(ptr[c], ptr[c + 1]):
                if met[idx[e]] == in_c and idx[e] != a:
                    pool[count] = idx[e]
                    places[count] = e - ptr[c]
                    count += 1
            if of_a == 0 or of_a == count:
                continue
            shuffle(pool, count, state)
            for k in range(of_a):
                idx[ptr[a] + places[k]] = pool[k]
            for k in range(of_a, count):
                idx[ptr[c] + places[k]] = pool[k]
    # Weights are in the order of a row: without this those who were never traded would keep their weights.
    for i in range(n):
        count = ptr[i + 1] - ptr[i]
        for k in range(count):
            pool[k] = idx[ptr[i] + k]
        shuffle(pool, count, state)
        for k in range(count):
            idx[ptr[i] + k] = pool[k]
    return idx
