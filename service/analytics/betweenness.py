"""Betweenness: which accounts the shortest paths of a network lead through. Exact where that is affordable, else from
sampled paths with a stated error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betainccinv, betaincinv

from service.analytics.compiled import UInt64, compiled
from service.analytics.drawing import drawn, mixed
from service.analytics.graph import Projection
from service.domain import Float64, Int32, Int64
from service.errors import InvalidRequest

EXACT_UP_TO = 2 * 10**8
"""Exact while accounts · ties are at most this, which takes some seconds."""

LARGE = 2.0**100
"""Numbers of shortest paths can be astronomic. Above this they are kept as number / LARGE, with a count of divisions
called lift, so that neither they nor products of two overflow."""


@dataclass(frozen=True)
class Betweenness:
    """Betweenness of all accounts, and how far off it may be.

    Attributes:
        values: float64[n] in 0..1.
        samples: how many paths were sampled; 0 where it is exact.
        error: with `confidence`, no value is further than this from the exact one; 0.0 where it is exact.
        confidence: chance that this holds for all accounts at once; 1.0 where it is exact.
    """

    values: Float64
    samples: int
    error: float
    confidence: float


def betweenness(
    projection: Projection,
    *,
    error: float = 0.005,
    confidence: float = 0.9,
    seed: int = 0,
    exact_up_to: int = EXACT_UP_TO,
) -> Betweenness:
    """Betweenness: the share of shortest paths between two others that lead through an account.

        b_v = 1 / ((n − 1)(n − 2)) · Σ_{s ≠ t, both ≠ v} σ_st(v) / σ_st

    with σ_st the number of shortest paths from s to t and σ_st(v) that of those through v (Freeman 1977); a pair
    without a path counts as 0. Ties are undirected and weights do not count. It is exact, by Brandes (2001), where
    accounts · ties are at most `exact_up_to`.

    Else pairs of accounts and one of their shortest paths are drawn evenly (Riondato and Kornaropoulos 2016), each by a
    search from both ends (Borassi and Natale 2016). The share of r samples that lead through v is then a binomial share
    with mean p_v = b_v · (n − 2) / n. Its error is that of the exact binomial interval (Clopper and Pearson 1934).
    Samples are added until the interval of every account is within `error`. Intervals are wide enough to hold with
    `confidence` all together: for n accounts, on both sides, at each of the at most K times they are looked at, each
    fails with chance at most (1 − confidence) / (2 · n · K). These times are fixed beforehand. At the last, Hoeffding's
    inequality promises `error` for any p; usually far fewer samples do, because no account is on more than a small
    share of the paths.

    Sample k depends on `seed` and k alone: more samples begin with the same ones.

    Args:
        projection: undirected ties of n accounts.
        error: how far any value may be from the exact one, in 0..1 (both excluded).
        confidence: chance that all are that near, in 0..1 (both excluded).
        seed: of the samples.
        exact_up_to: accounts · ties up to which it is exact; 0 for samples always.

    Raises:
        InvalidRequest: `error` or `confidence` is not between 0 and 1.
    """
    if not 0 < error < 1:
        raise InvalidRequest(f"Betweenness cannot have an error of {error:g}; choose one between 0 and 1.")
    if not 0 < confidence < 1:
        raise InvalidRequest(f"Betweenness cannot have a confidence of {confidence:g}; choose one between 0 and 1.")
    n, ties = projection.n, len(projection.idx) // 2
    if n < 3 or ties == 0:
        return Betweenness(np.zeros(n), 0, 0.0, 1.0)
    if n * ties <= exact_up_to:
        return Betweenness(exact_kernel(projection.ptr, projection.idx) / ((n - 1) * (n - 2)), 0, 0.0, 1.0)

    scale = n / (n - 2)  # from shares of all pairs to shares of the pairs without v
    looks, fail = looks_at(n, error / scale, 1 - confidence)
    through = np.zeros(n, dtype=np.int64)
    done, off = 0, 1.0
    for samples in looks:
        sample_kernel(projection.ptr, projection.idx, np.uint64(seed % 2**64), done, samples, through)
        done = samples
        off = scale * interval_error(np.unique(through), samples, fail)
        if off <= error:
            break
    return Betweenness(np.minimum(through * (scale / done), 1.0), done, off, confidence)


def looks_at(n: int, error: float, failure: float) -> tuple[list[int], float]:
    """After how many samples intervals are looked at, and the chance with which each side of each may fail.

    The first is what an account on no sampled path needs: (1 − error)^r ≤ chance. The last is that of Hoeffding's
    inequality: exp(−2 · r · error²) ≤ chance. Between them, each is half as many again as the one before.
    """
    times = 2 + math.ceil(math.log(1 / (2 * error), 1.5)) if error < 0.5 else 2
    fail = failure / (2 * n * times)
    first = math.ceil(math.log(fail) / math.log1p(-error))
    last = math.ceil(-math.log(fail) / (2 * error**2))
    looks = [math.ceil(first * 1.5**at) for at in range(times - 1)]
    return [*(look for look in looks if look < last), last], fail


def interval_error(through: Int64, samples: int, fail: float) -> float:
    """Half-width of the widest interval: largest distance of through / samples from either end of its interval."""
    low = betaincinv(np.maximum(through, 1), samples - through + 1, fail)
    high = betainccinv(through + 1, np.maximum(samples - through, 1), fail)
    share = through / samples
    below = np.where(through == 0, 0.0, share - low)
    above = np.where(through == samples, 0.0, high - share)
    return float(np.maximum(below, above).max())


# --- shortest paths ----------------------------------------------------------------------------------------


@compiled
def joined(paths: float, lift: int, more: float, more_lift: int) -> tuple[float, int, float]:
    """Add two numbers of paths; also say which share of the sum the second one is."""
    if lift < more_lift:
        paths *= LARGE ** (lift - more_lift)
        lift = more_lift
    elif lift > more_lift:
        more *= LARGE ** (more_lift - lift)
    paths += more
    return paths, lift, more / paths


@compiled
def exact_kernel(ptr: Int64, idx: Int32) -> Float64:
    """Sum over all s and t of the share of shortest paths through each account (Brandes 2001): float64[n].

    From each source, accounts are visited by distance and their shortest paths counted. Then, from the farthest back,
    an account v gets the dependency of the source on it: δ_v = Σ σ_v / σ_w · (1 + δ_w) over neighbours w one step
    farther.
    """
    n = len(ptr) - 1
    total = np.zeros(n)
    distance = np.full(n, -1, np.int32)
    paths = np.zeros(n)
    lift = np.zeros(n, np.int32)
    part = np.zeros(n)  # (1 + δ) / σ
    queue = np.empty(n, np.int32)
    for source in range(n):
        distance[source], paths[source], lift[source] = 0, 1.0, 0
        queue[0] = source
        length = 1
        at = 0
        while at < length:
            v = queue[at]
            at += 1
            if paths[v] > LARGE:
                paths[v] /= LARGE
                lift[v] += 1
            for e in range(ptr[v], ptr[v + 1]):
                w = idx[e]
                if distance[w] < 0:
                    distance[w], paths[w], lift[w] = distance[v] + 1, paths[v], lift[v]
                    queue[length] = w
                    length += 1
                elif distance[w] == distance[v] + 1:
                    paths[w], lift[w], _ = joined(paths[w], lift[w], paths[v], lift[v])
        for at in range(length - 1, -1, -1):
            v = queue[at]
            onwards = 0.0
            for e in range(ptr[v], ptr[v + 1]):
                w = idx[e]
                if distance[w] == distance[v] + 1:
                    onwards += part[w] if lift[w] == lift[v] else part[w] * LARGE ** (lift[v] - lift[w])
            dependency = paths[v] * onwards
            part[v] = (1 + dependency) / paths[v]
            if v != source:
                total[v] += dependency
        for at in range(length):
            distance[queue[at]] = -1
    return total


# --- sampled paths -----------------------------------------------------------------------------------------


@compiled
def sample_kernel(ptr: Int64, idx: Int32, seed: np.uint64, first: int, last: int, through: Int64) -> None:
    """Draw samples `first` to `last - 1`; add to `through` (int64[n], in place) the accounts inside each path.

    The arrays of the two searches, one from each end, are made once; each sample cleans up what it has visited.
    """
    n = len(ptr) - 1
    place = np.full((n, 2), -1, np.int32)
    queue = np.empty((2, n), np.int32)
    paths = np.empty((2, n))
    lift = np.empty((2, n), np.int32)
    parent = np.empty((2, n), np.int32)
    length = np.empty(2, np.int64)
    state = np.empty(1, np.uint64)
    for sample in range(first, last):
        state[0] = mixed(mixed(seed) + np.uint64(sample))
        source = int(drawn(state) * n)
        target = int(drawn(state) * (n - 1))
        if target >= source:
            target += 1
        queue[0, 0], queue[1, 0] = source, target
        middle = search(ptr, idx, place, queue, paths, lift, parent, length, state)
        if middle >= 0:
            if middle != source and middle != target:
                through[middle] += 1
            for side in range(2):
                at = place[middle, side]
                while at > 0:
                    at = parent[side, at]
                    if at > 0:
                        through[queue[side, at]] += 1
        for side in range(2):
            for at in range(length[side]):
                place[queue[side, at], side] = -1


@compiled
def search(
    ptr: Int64,
    idx: Int32,
    place: Int32,
    queue: Int32,
    paths: Float64,
    lift: Int32,
    parent: Int32,
    length: Int64,
    state: UInt64,
) -> int:
    """Search from both ends, level by level, until the searches meet; draw one of the shortest paths, all alike.

    The next level is always that of the side with fewer ties to look at. When it is done and has met the other side,
    the accounts on it that the other side has reached are where shortest paths cross from one search to the other; each
    path crosses in one of them. Such a middle is drawn in proportion to its paths (to one end times to the other).
    Every account has drawn its parent on each side while its paths were counted: each comer replaces the parent drawn
    before with the chance of its share of the paths so far.

    Args:
        place: int32[n, 2], the account's place in the queue of each side; -1 where it has not been reached.
        queue: int32[2, n], accounts that each side has reached, by distance; the first are the two ends.
        paths, lift, parent: [2, n], of each place: shortest paths to the end, and the place of one drawn parent.
        length: int64[2], how many places are filled.
        state: of the random numbers.

    Returns:
        The middle, from whose places `parent` leads to both ends; -1 where there is no path.
    """
    begin = np.zeros(2, np.int64)  # place of the first account on the last level
    ties = np.empty(2, np.int64)  # of the accounts on the last level
    for side in range(2):
        v = queue[side, 0]
        place[v, side], paths[side, 0], lift[side, 0] = 0, 1.0, 0
        length[side] = 1
        ties[side] = ptr[v + 1] - ptr[v]
    met = False
    side = 0
    while not met:
        side = 0 if ties[0] <= ties[1] else 1
        if ties[side] == 0:
            return -1
        ties[side] = 0
        level = length[side]  # places from here on are on the new level
        for at in range(begin[side], level):
            v = queue[side, at]
            if paths[side, at] > LARGE:
                paths[side, at] /= LARGE
                lift[side, at] += 1
            for e in range(ptr[v], ptr[v + 1]):
                w = idx[e]
                to = place[w, side]
                if to < 0:
                    to = length[side]
                    length[side] += 1
                    place[w, side], queue[side, to] = to, w
                    paths[side, to], lift[side, to], parent[side, to] = paths[side, at], lift[side, at], at
                    ties[side] += ptr[w + 1] - ptr[w]
                    met = met or place[w, 1 - side] >= 0
                elif to >= level:
                    both = joined(paths[side, to], lift[side, to], paths[side, at], lift[side, at])
                    paths[side, to], lift[side, to], share = both
                    if drawn(state) < share:
                        parent[side, to] = at
        begin[side] = level

    middle = -1
    total, total_lift = 0.0, 0
    for at in range(begin[side], length[side]):
        w = queue[side, at]
        other = place[w, 1 - side]
        if other >= 0:
            crossing = paths[side, at] * paths[1 - side, other]
            crossing_lift = lift[side, at] + lift[1 - side, other]
            total, total_lift, share = joined(total, total_lift, crossing, crossing_lift)
            if drawn(state) < share:
                middle = w
    return middle
