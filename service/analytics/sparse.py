"""Kernels that build and compare compressed sparse rows. All take time in proportion to their entries.

Rows are `ptr` (int64[n+1]), `idx` (int32[m], ascending in each row) and `weight` (float64[m]).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from service.analytics.compiled import compiled
from service.domain import Bool, Float64, Int32, Int64

T = TypeVar("T", bound=np.generic)


def pointers_of(counts: Int64) -> Int64:
    """Row pointers, from the number of entries in each row: int64[n+1]."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])


def entries_pointers(rows: Int32 | Int64, n: int) -> Int64:
    """Row pointers of n rows, from the row of each entry: int64[n+1]."""
    return pointers_of(np.bincount(rows, minlength=n))


@compiled
def rows_both_ways(
    source: Int32 | Int64, target: Int32 | Int64, weight: Float64, n: int
) -> tuple[Int64, Int32, Float64, Int64, Int32, Float64]:
    """Sort follows into rows by follower and rows by followee, whatever their order.

    By counting, thrice: dealing follows out by followee and then, in that order, by follower leaves each follower's row
    ascending; dealing those out by followee does the same for the rows of followees. Only the last is needed where they
    come in order.

    Args:
        source, target: int[m], ends of each follow in 0..n-1.
        weight: float64[m].

    Returns:
        ptr, idx, weight of rows by source (idx are targets), then of rows by target (idx are sources). A pair that
        occurs twice stands twice, side by side.
    """
    m = len(source)
    out_ptr = np.zeros(n + 1, np.int64)
    in_ptr = np.zeros(n + 1, np.int64)
    ordered = True
    for e in range(m):
        if e and (source[e] < source[e - 1] or (source[e] == source[e - 1] and target[e] < target[e - 1])):
            ordered = False
        out_ptr[source[e] + 1] += 1
        in_ptr[target[e] + 1] += 1
    for i in range(n):
        out_ptr[i + 1] += out_ptr[i]
        in_ptr[i + 1] += in_ptr[i]
    out_idx, out_weight = np.empty(m, np.int32), np.empty(m, np.float64)
    in_idx, in_weight = np.empty(m, np.int32), np.empty(m, np.float64)
    if ordered:
        out_idx[:] = target
        out_weight[:] = weight
    else:
        place = in_ptr.copy()
        for e in range(m):
            at = place[target[e]]
            in_idx[at] = source[e]
            in_weight[at] = weight[e]
            place[target[e]] += 1
        _deal(in_ptr, in_idx, in_weight, out_ptr, out_idx, out_weight)
    _deal(out_ptr, out_idx, out_weight, in_ptr, in_idx, in_weight)
    return out_ptr, out_idx, out_weight, in_ptr, in_idx, in_weight


@compiled
def _deal(
    ptr: Int64, idx: Int32, weight: Float64, turned_ptr: Int64, turned_idx: Int32, turned_weight: Float64
) -> None:
    """Put the entries of rows into the rows by column, of which only the pointers are there yet; ascending."""
    place = turned_ptr.copy()
    for i in range(len(ptr) - 1):
        for e in range(ptr[i], ptr[i + 1]):
            at = place[idx[e]]
            turned_idx[at] = i
            turned_weight[at] = weight[e]
            place[idx[e]] += 1


@compiled
def first_twice(ptr: Int64, idx: Int32) -> tuple[int, int]:
    """First row and column that stand twice in ascending rows; (-1, -1) where none does."""
    for i in range(len(ptr) - 1):
        for e in range(ptr[i] + 1, ptr[i + 1]):
            if idx[e] == idx[e - 1]:
                return i, idx[e]
    return -1, -1


@compiled
def summed(
    ptr: Int64, idx: Int32, weight: npt.NDArray[T], other_ptr: Int64, other_idx: Int32, other_weight: npt.NDArray[T]
) -> tuple[Int64, Int32, npt.NDArray[T]]:
    """Add two matrices of n rows: ptr, idx and weight of the sum, rows ascending. Weights may be of any one type."""
    n = len(ptr) - 1
    sum_ptr = np.zeros(n + 1, np.int64)
    sum_idx = np.empty(len(idx) + len(other_idx), np.int32)  # more than is needed: what is not written costs no memory
    sum_weight = np.empty(len(sum_idx), weight.dtype)
    at = 0
    for i in range(n):
        a, a_end = ptr[i], ptr[i + 1]
        b, b_end = other_ptr[i], other_ptr[i + 1]
        while a < a_end and b < b_end:
            if idx[a] < other_idx[b]:
                sum_idx[at], sum_weight[at] = idx[a], weight[a]
                a += 1
            elif idx[a] > other_idx[b]:
                sum_idx[at], sum_weight[at] = other_idx[b], other_weight[b]
                b += 1
            else:
                sum_idx[at], sum_weight[at] = idx[a], weight[a] + other_weight[b]
                a += 1
                b += 1
            at += 1
        while a < a_end:
            sum_idx[at], sum_weight[at] = idx[a], weight[a]
            a += 1
            at += 1
        while b < b_end:
            sum_idx[at], sum_weight[at] = other_idx[b], other_weight[b]
            b += 1
            at += 1
        sum_ptr[i + 1] = at
    return sum_ptr, sum_idx[:at], sum_weight[:at]


@compiled
def merged_rows(ptr: Int64, key: Int64, new_ptr: Int64, new_key: Int64, gone: Bool) -> tuple[Int64, Int64]:
    """Put entries into rows. Of two with one key in a row the new one stands; where it is `gone`, neither does.

    Args:
        ptr: int64[n+1] of the rows that there are.
        key: int64[m], ascending in each row.
        new_ptr, new_key: likewise of the new entries.
        gone: bool[k], which of these only take away.

    Returns:
        ptr, and which entry stands where: places among the old entries and then, counting on, the new ones.
    """
    n, m = len(ptr) - 1, len(key)
    merged_ptr = np.zeros(n + 1, np.int64)
    entry = np.empty(m + len(new_key), np.int64)
    at = 0
    for i in range(n):
        a, a_end = ptr[i], ptr[i + 1]
        for b in range(new_ptr[i], new_ptr[i + 1]):
            while a < a_end and key[a] < new_key[b]:
                entry[at] = a
                a += 1
                at += 1
            if a < a_end and key[a] == new_key[b]:
                a += 1
            if not gone[b]:
                entry[at] = m + b
                at += 1
        while a < a_end:
            entry[at] = a
            a += 1
            at += 1
        merged_ptr[i + 1] = at
    return merged_ptr, entry[:at].copy()


@compiled
def in_both(ptr: Int64, idx: Int32, other_ptr: Int64, other_idx: Int32) -> Bool:
    """Say of each entry of a matrix whether another one of n rows has it too: bool[m], in the places of `idx`."""
    found = np.zeros(len(idx), np.bool_)
    for i in range(len(ptr) - 1):
        b, b_end = other_ptr[i], other_ptr[i + 1]
        for a in range(ptr[i], ptr[i + 1]):
            while b < b_end and other_idx[b] < idx[a]:
                b += 1
            found[a] = b < b_end and other_idx[b] == idx[a]
    return found


@compiled
def row_sums(ptr: Int64, weight: Float64) -> Float64:
    """Sum of the weights in each row, added in their order: float64[n]."""
    sums = np.zeros(len(ptr) - 1)
    for i in range(len(sums)):
        for e in range(ptr[i], ptr[i + 1]):
            sums[i] += weight[e]
    return sums


@compiled
def turned(ptr: Int64, idx: Int32) -> tuple[Int64, Int32, Int64]:
    """Turn rows of n accounts round: ptr and idx of the rows by column, ascending, and where each entry stood before.

    `column[entry]` brings any values that are parallel to `idx` into the new order.
    """
    n, m = len(ptr) - 1, len(idx)
    turned_ptr = np.zeros(n + 1, np.int64)
    for e in range(m):
        turned_ptr[idx[e] + 1] += 1
    for i in range(n):
        turned_ptr[i + 1] += turned_ptr[i]
    turned_idx, entry = np.empty(m, np.int32), np.empty(m, np.int64)
    place = turned_ptr.copy()
    for i in range(n):
        for e in range(ptr[i], ptr[i + 1]):
            at = place[idx[e]]
            turned_idx[at], entry[at] = i, e
            place[idx[e]] += 1
    return turned_ptr, turned_idx, entry


@compiled
def in_turn(idx: Int32, values: npt.NDArray[T], turned_ptr: Int64) -> npt.NDArray[T]:
    """Bring values that are parallel to the `idx` of rows into the order of the rows by column.

    Args:
        idx: int32[m], columns of the rows, ascending in each.
        values: one for each.
        turned_ptr: int64[n+1] of the rows by column, as `turned` returns them.
    """
    result = np.empty_like(values)
    place = turned_ptr.copy()
    for e in range(len(idx)):
        result[place[idx[e]]] = values[e]
        place[idx[e]] += 1
    return result


@compiled
def cut_out(ptr: Int64, idx: Int32, members: Int32) -> tuple[Int64, Int32, Int64]:
    """Rows of some members with the entries among them: ptr and idx, numbered as in `members` (ascending), and where
    each entry stood before.

    A column may stand several times in a row. Takes time in proportion to the members' entries, not to the whole.
    """
    k = len(members)
    most = 0
    for at in range(k):
        most += ptr[members[at] + 1] - ptr[members[at]]
    new_ptr = np.zeros(k + 1, np.int64)
    new_idx, entry = np.empty(most, np.int32), np.empty(most, np.int64)
    to = 0
    for at in range(k):
        place = 0
        for e in range(ptr[members[at]], ptr[members[at] + 1]):
            # Members and row are ascending both, so that the search begins where the last one ended.
            low, high = place, k
            while low < high:
                middle = (low + high) // 2
                if members[middle] < idx[e]:
                    low = middle + 1
                else:
                    high = middle
            place = low
            if place < k and members[place] == idx[e]:
                new_idx[to], entry[to] = place, e
                to += 1
        new_ptr[at + 1] = to
    return new_ptr, new_idx[:to].copy(), entry[:to].copy()


@compiled
def components(ptr: Int64, idx: Int32, labels: Int32) -> Int32:
    """Number the connected parts within each label by walking through them: int32[n], -1 for rows without entries.

    Parts are numbered 0, 1, … in the order of their first row. Entries must stand both ways.
    """
    n = len(ptr) - 1
    part = np.full(n, -1, np.int32)
    stack = np.empty(n, np.int32)
    count = 0
    for first in range(n):
        if part[first] >= 0 or ptr[first] == ptr[first + 1]:
            continue
        part[first] = count
        stack[0] = first
        height = 1
        while height:
            height -= 1
            v = stack[height]
            for e in range(ptr[v], ptr[v + 1]):
                u = idx[e]
                if part[u] < 0 and labels[u] == labels[v]:
                    part[u] = count
                    stack[height] = u
                    height += 1
        count += 1
    return part


@compiled
def weight_inside(ptr: Int64, idx: Int32, weight: Float64, labels: Int32) -> float:
    """Sum of the weights of entries whose ends have the same label, row by row."""
    total = 0.0
    for v in range(len(ptr) - 1):
        inside = 0.0
        for e in range(ptr[v], ptr[v + 1]):
            if labels[idx[e]] == labels[v]:
                inside += weight[e]
        total += inside
    return total
