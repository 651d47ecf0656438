"""Follower graphs of any size for the benchmarks: planted communities, heavy-tailed popularity, reciprocity."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_follows(path: Path, follows: int, seed: int) -> int:
    """Write about `follows` distinct follows as CSV (`follower,followee`); return how many were written.

    Ten follows an account, communities of 20 to a few hundred accounts, four of five follows inside one's own
    community, popularity after a Pareto law, a third of the follows returned.
    """
    rng = np.random.default_rng(seed)
    accounts = max(follows // 10, 50)
    sizes = np.minimum(20 + (rng.pareto(1.3, size=accounts // 20 + 1) * 40).astype(np.int64), accounts // 4 + 1)
    community = np.repeat(np.arange(len(sizes)), sizes)[:accounts]
    accounts = len(community)
    popularity = 1 + rng.pareto(1.6, size=accounts)
    start = np.searchsorted(community, np.arange(community[-1] + 1))
    end = np.append(start[1:], accounts)
    total = np.cumsum(popularity)

    draws = int(follows * 0.95)
    follower = rng.integers(0, accounts, size=draws)
    inside = rng.random(draws) < 0.8
    low = np.where(inside, np.append(0.0, total)[start[community[follower]]], 0.0)
    high = np.where(inside, total[end[community[follower]] - 1], total[-1])
    followee = np.searchsorted(total, low + rng.random(draws) * (high - low))
    returned = rng.random(draws) < 0.33
    pairs = np.unique(
        np.concatenate([follower * accounts + followee, followee[returned] * accounts + follower[returned]])
    )
    pairs = pairs[pairs // accounts != pairs % accounts]
    rng.shuffle(pairs)
    pairs = pairs[:follows]
    with path.open("w", encoding="utf-8") as file:
        file.write("follower,followee\n")
        np.savetxt(file, np.column_stack([pairs // accounts, pairs % accounts]), fmt="u%d", delimiter=",")
    return len(pairs)
