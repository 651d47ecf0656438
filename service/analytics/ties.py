"""Ties: what the follows and interactions of a window say together about who listens to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.compiled import UInt16, compiled
from service.analytics.sparse import cut_out, in_turn, turned
from service.domain import DAY_MS, ENGAGEMENT_NAMES, Bool, Float64, Graph, Int8, Int32, Int64, ScoringRules


@dataclass(frozen=True)
class WeightedGraph:
    """Weighted edges among n accounts as compressed sparse rows, both ways; an edge j → i leads from j to i.

    Attributes:
        out_ptr: int64[n+1]; j leads to `out_idx[out_ptr[j]:out_ptr[j+1]]`, ascending.
        out_idx: int32[m].
        out_weight: float64[m], positive, finite.
        in_ptr, in_idx: the same for those that lead to i. Their weights are only in `out_weight`.
    """

    out_ptr: Int64
    out_idx: Int32
    out_weight: Float64
    in_ptr: Int64
    in_idx: Int32

    @property
    def in_weight(self) -> Float64:
        """Weight of each edge in the places of `in_idx`: float64[m], made anew each time, which takes O(m)."""
        return in_turn(self.out_idx, self.out_weight, self.in_ptr)

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.out_ptr) - 1

    @property
    def m(self) -> int:
        """Number of edges."""
        return len(self.out_idx)


@dataclass(frozen=True)
class Window:
    """How much interactions count, by their day and by what was done.

    Attributes:
        last_day: the last day that counts, that of the graph's `as_of`, in days since 1970 UTC.
        decay: float64[days], weight of an interaction by its age in days: 2^(−age / half-life).
        value: float64[k], Σ c · count for each row of the graph's `engaged_counts`. Where it is 0, nobody engaged.
        weeks: how many weeks count for trust, the last one ending with `last_day`.
    """

    last_day: int
    decay: Float64
    value: Float64
    weeks: int


@dataclass(frozen=True)
class TieGraph(WeightedGraph):
    """Ties: there is one j → i where j follows i, or engaged with i in the window.

    The weight of a tie is w_ji = follow weight (0 without a follow) + ln(1 + Σ c · 2^(−age in days / 30)) over the
    interactions of j with i in the window, those of one day counting as at most `responses_a_day`. All weights are
    scaled by one power of two, see `tie_graph`.

    Attributes:
        out_days: uint16[m], d_ij, on how many days of the window j engaged with i, for each outgoing tie.
        active_days: int32[n], D_i, on how many days of the window i posted or anybody engaged with i, anywhere.
        mean_influence: p₀ = Σ d_ij / Σ D_i over all ties of the whole graph; None where nobody engaged with anybody.
        window: what counts how much.
        exponent: weights times 2 to this power are those before they were scaled.
    """

    out_days: UInt16
    active_days: Int32
    mean_influence: float | None
    window: Window
    exponent: int

    @property
    def in_days(self) -> UInt16:
        """`out_days` in the places of `in_idx`: uint16[m], made anew each time, which takes O(m)."""
        return in_turn(self.out_idx, self.out_days, self.in_ptr)


@dataclass(frozen=True)
class TieParts:
    """What some ties consist of; arrays are parallel.

    Attributes:
        follow: float64[k], weight of the follow, 0 without one.
        mutual: bool[k], whether both follow each other.
        counts: int64[k, 4], interactions in the window, a column for each of ENGAGEMENT_NAMES.
        decayed: float64[k], Σ c · 2^(−age / half-life), added by day.
        last: int32[k], the last day of the window with interactions, in days since 1970 UTC; NO_DAY without any.
        weeks: int8[k], in how many of the last `trust_weeks` weeks either of the two engaged with the other.
    """

    follow: Float64
    mutual: Bool
    counts: Int64
    decayed: Float64
    last: Int32
    weeks: Int8

    @property
    def weight(self) -> Float64:
        """Weight of each tie, follow + ln(1 + decayed): float64[k], not scaled."""
        weight: Float64 = self.follow + np.log1p(self.decayed)
        return weight


NO_DAY = np.iinfo(np.int32).min
"""Stands for no day."""


def both_ways(graph: Graph | WeightedGraph) -> WeightedGraph:
    """Give follows their weights in both directions; ties have them already.

    Measures that look at weights take a graph of follows as well: then follows are all they look at.
    """
    if isinstance(graph, WeightedGraph):
        return graph
    return WeightedGraph(graph.out_ptr, graph.out_idx, graph.out_weight, graph.in_ptr, graph.in_idx)


def window_of(graph: Graph, rules: ScoringRules) -> Window:
    """Say how much the interactions of a graph count: the window ends with the day of `as_of`, and has all its days.

    Powers come from the C library and not from NumPy, whose last digit depends on the processor.
    """
    return Window(
        last_day=0 if graph.as_of is None else graph.as_of // DAY_MS,
        decay=decay_of(rules),
        value=interaction_value(graph.engaged_counts, rules),
        weeks=rules.trust_weeks,
    )


def decay_of(rules: ScoringRules) -> Float64:
    """What an interaction counts by its age in days: float64[window_days], 2^(−age / half-life)."""
    return np.array([0.5 ** (age / rules.half_life_days) for age in range(rules.window_days)], dtype=np.float64)


def interaction_value(counts: Int64, rules: ScoringRules) -> Float64:
    """What the interactions of a pair and day count before they age: Σ c · count, float64[k].

    Beyond `responses_a_day` all of them count proportionally less.

    Args:
        counts: int64[k, 4], a column for each of ENGAGEMENT_NAMES.
        rules: c, and how many count.
    """
    value = np.zeros(len(counts))
    for column, name in enumerate(ENGAGEMENT_NAMES):
        value += getattr(rules.engagement, name) * counts[:, column]
    done = counts.sum(axis=1)
    much = done > rules.responses_a_day
    value[much] *= rules.responses_a_day / done[much]
    return value


def tie_graph(graph: Graph, rules: ScoringRules) -> TieGraph:
    """Weigh the ties of a graph, from its follows and the interactions of the window.

    Only ratios of weights matter to any measure, so all are scaled by one power of two (exact, no digit changes) that
    brings the largest into [½, 1): sums cannot overflow, however large the weights were. What would vanish beside the
    largest is kept at the smallest normal number: a tie stays a tie.

    Time in proportion to follows and interactions. Where no interaction counts, ties share the rows of follows.
    """
    window = window_of(graph, rules)
    engaged = graph.engaged_ptr, graph.engaged_idx, graph.engaged_day, graph.engaged_code
    counting = window.value, window.decay, window.last_day
    active, any_engaged = days_seen(*engaged, graph.posted_ptr, graph.posted_day, *counting)
    ptr, idx, weight = graph.out_ptr, graph.out_idx, graph.out_weight
    in_ptr, in_idx = graph.in_ptr, graph.in_idx
    days = np.zeros(graph.m, np.uint16)
    if any_engaged:
        ptr, idx, weight, days = tie_rows(ptr, idx, weight, *engaged, *counting)
        in_ptr, in_idx, _ = turned(ptr, idx)
    exponent = 0
    if len(weight):
        exponent = int(np.frexp(weight.max())[1])
        with np.errstate(under="ignore"):
            weight = np.ldexp(weight, -exponent)
        np.maximum(weight, np.finfo(np.float64).tiny, out=weight)
    possible = int((np.diff(in_ptr) * active).sum())
    return TieGraph(
        out_ptr=ptr,
        out_idx=idx,
        out_weight=weight,
        in_ptr=in_ptr,
        in_idx=in_idx,
        out_days=days,
        active_days=active,
        # Posts alone say nothing of how often followers respond.
        mean_influence=int(days.sum(dtype=np.int64)) / possible if possible and any_engaged else None,
        window=window,
        exponent=exponent,
    )


def ties_among(ties: TieGraph, members: Int32) -> TieGraph:
    """Cut out the ties among some accounts, numbered in the order of `members` (int32[k], ascending).

    The days of D_i and p₀ stay those of the whole graph. Takes time in proportion to the members' ties.
    """
    out_ptr, out_idx, entry = cut_out(ties.out_ptr, ties.out_idx, members)
    in_ptr, in_idx, _ = turned(out_ptr, out_idx)
    return TieGraph(
        out_ptr=out_ptr,
        out_idx=out_idx,
        out_weight=ties.out_weight[entry],
        in_ptr=in_ptr,
        in_idx=in_idx,
        out_days=ties.out_days[entry],
        active_days=ties.active_days[members],
        mean_influence=ties.mean_influence,
        window=ties.window,
        exponent=ties.exponent,
    )


def tie_parts(graph: Graph, window: Window, followers: Int32, followees: Int32) -> TieParts:
    """Say what some ties consist of.

    Args:
        graph: follows and interactions.
        window: how much these count (`window_of`).
        followers: int32[k], those who follow or engage; ties that are not there have parts of 0.
        followees: int32[k], whom they follow or engage with.
    """
    return TieParts(
        *parts_kernel(
            graph.out_ptr, graph.out_idx, graph.out_weight,
            graph.engaged_ptr, graph.engaged_idx, graph.engaged_day, graph.engaged_code, graph.engaged_counts,
            window.value, window.decay, window.last_day, window.weeks, followers, followees,
        )
    )  # fmt: skip


@compiled
def tie_rows(
    ptr: Int64, idx: Int32, weight: Float64,
    engaged_ptr: Int64, engaged_idx: Int32, engaged_day: Int32, engaged_code: Int32,
    value: Float64, decay: Float64, last_day: int,
) -> tuple[Int64, Int32, Float64, UInt16]:  # fmt: skip
    """Merge rows of follows and rows of interactions into rows of ties.

    Returns:
        ptr, idx (ascending), weight, and days of the window with interactions, of each tie.
    """
    n = len(ptr) - 1
    most = len(idx) + len(engaged_idx)  # more than is needed: what is not written costs no memory
    tie_ptr, tie_idx, tie_weight = np.zeros(n + 1, np.int64), np.empty(most, np.int32), np.empty(most, np.float64)
    tie_days = np.empty(most, np.uint16)
    at = 0
    for j in range(n):
        a, a_end = ptr[j], ptr[j + 1]
        b, b_end = engaged_ptr[j], engaged_ptr[j + 1]
        while a < a_end or b < b_end:
            next_is_follow = b == b_end or (a < a_end and idx[a] <= engaged_idx[b])
            i = idx[a] if next_is_follow else engaged_idx[b]
            follow = a < a_end and idx[a] == i
            total = 0.0
            if follow:
                total = weight[a]
                a += 1
            decayed = 0.0
            days = 0
            while b < b_end and engaged_idx[b] == i:
                age = last_day - engaged_day[b]
                worth = value[engaged_code[b]]
                if 0 <= age < len(decay) and worth > 0:
                    decayed += worth * decay[age]
                    days += 1
                b += 1
            if follow or days:
                tie_idx[at], tie_weight[at], tie_days[at] = i, total + np.log1p(decayed), days
                at += 1
        tie_ptr[j + 1] = at
    return tie_ptr, tie_idx[:at], tie_weight[:at], tie_days[:at]


@compiled
def days_seen(
    engaged_ptr: Int64, engaged_idx: Int32, engaged_day: Int32, engaged_code: Int32,
    posted_ptr: Int64, posted_day: Int32, value: Float64, decay: Float64, last_day: int,
) -> tuple[Int32, bool]:  # fmt: skip
    """Count the days of the window on which each account posted or anybody engaged with it.

    Days are dealt out by account first, so that one row of marks, a mark for each day, serves all accounts.

    Returns:
        int32[n]; and whether anybody engaged with anybody in the window.
    """
    n = len(engaged_ptr) - 1
    ptr = np.zeros(n + 2, np.int64)
    for e in range(len(engaged_idx)):
        ptr[engaged_idx[e] + 2] += 1
    for i in range(n):
        ptr[i + 2] += ptr[i + 1]
    age_of = np.empty(len(engaged_idx), np.int32)
    engaged = False
    for e in range(len(engaged_idx)):  # ptr[i + 1] moves from the begin of row i to its end
        age = last_day - engaged_day[e]
        if 0 <= age < len(decay) and value[engaged_code[e]] > 0:
            age_of[ptr[engaged_idx[e] + 1]] = age
            engaged = True
        else:
            age_of[ptr[engaged_idx[e] + 1]] = -1
        ptr[engaged_idx[e] + 1] += 1
    marked = np.full(len(decay), -1, np.int64)
    days = np.zeros(n, np.int32)
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            if age_of[e] >= 0 and marked[age_of[e]] != i:
                marked[age_of[e]] = i
                days[i] += 1
        for e in range(posted_ptr[i], posted_ptr[i + 1]):
            age = last_day - posted_day[e]
            if 0 <= age < len(decay) and marked[age] != i:
                marked[age] = i
                days[i] += 1
    return days, engaged


@compiled
def parts_kernel(
    ptr: Int64, idx: Int32, weight: Float64,
    engaged_ptr: Int64, engaged_idx: Int32, engaged_day: Int32, engaged_code: Int32, engaged_counts: Int64,
    value: Float64, decay: Float64, last_day: int, weeks: int, followers: Int32, followees: Int32,
) -> tuple[Float64, Bool, Int64, Float64, Int32, Int8]:  # fmt: skip
    """Look ties up in the rows of who follows or engages; returns the fields of `TieParts`."""
    follow = np.zeros(len(followers))
    mutual = np.zeros(len(followers), np.bool_)
    counts = np.zeros((len(followers), engaged_counts.shape[1]), np.int64)
    decayed = np.zeros(len(followers))
    last = np.full(len(followers), -(2**31), np.int32)
    exchanged = np.zeros(len(followers), np.int8)
    met = np.full(weeks, -1, np.int64)
    for k in range(len(followers)):
        j, followee = followers[k], followees[k]
        a = ptr[j] + np.searchsorted(idx[ptr[j] : ptr[j + 1]], followee)
        if a < ptr[j + 1] and idx[a] == followee:
            follow[k] = weight[a]
            back = idx[ptr[followee] : ptr[followee + 1]]
            place = np.searchsorted(back, j)
            mutual[k] = place < len(back) and back[place] == j
        if len(engaged_idx) == 0:
            continue
        for turn in range(2):
            by, to = (j, followee) if turn == 0 else (followee, j)
            b = engaged_ptr[by] + np.searchsorted(engaged_idx[engaged_ptr[by] : engaged_ptr[by + 1]], to)
            while b < engaged_ptr[by + 1] and engaged_idx[b] == to:
                age = last_day - engaged_day[b]
                worth = value[engaged_code[b]]
                if turn == 0 and 0 <= age < len(decay):
                    counts[k] += engaged_counts[engaged_code[b]]
                    last[k] = max(last[k], engaged_day[b])
                    if worth > 0:
                        decayed[k] += worth * decay[age]
                if 0 <= age < 7 * weeks and worth > 0 and met[age // 7] != k:
                    met[age // 7] = k
                    exchanged[k] += 1
                b += 1
    return follow, mutual, counts, decayed, last, exchanged
