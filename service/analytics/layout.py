"""Places for pictures of communities: a disc for each, with its members inside.

Everything after the counts of follows is sums, products, quotients and square roots in a fixed order, which any machine
rounds alike; places are rounded to DECIMALS besides. So equal communities have equal places.
"""

from __future__ import annotations

import numpy as np

from service.analytics.compiled import compiled
from service.domain import Float64, Int64

DECIMALS = 3
GAP = 0.06
"""Room between two discs: this share of both radii, and never less than LEAST_GAP."""
LEAST_GAP = 0.5
STEPS = 120
MOST = 2_000
"""So many of the largest communities that have ties push each other apart, which takes time by the square of them."""
ATTRACTION = 6.0
ROOM = 1.5
"""The discs together would fill a disc; the picture before overlaps are removed is so many times as wide."""

TURN_COS, TURN_SIN = -0.7373688780783197, 0.6754902942615238
"""Cosine and sine of the golden angle, π(3 - √5), by which each place of a sunflower is turned from the one before."""


def place_communities(size: Int64, ties: tuple[Int64, Int64, Int64]) -> tuple[Float64, Float64]:
    """Place a disc for each community: its area is in proportion to its accounts, and no two discs overlap.

    Communities with many follows between them, for how many they have, are near each other: they are drawn together
    while all push each other apart (Fruchterman and Reingold 1991). Then the largest goes where that left it, and each
    next one to the free place nearest to where that left it. Communities without follows between them and others are in
    rows below, the largest first; so are those beyond the MOST largest.

    Args:
        size: accounts of each community: int64[c]; a community of none is drawn as one of one.
        ties: source and target community and number of follows: int64[t] each, in any order; both directions, and
            ties that are named several times, count together. Ties within a community say nothing.

    Returns:
        Centre, float64[c, 2], and radius, float64[c], the square root of the number of accounts; both rounded to
        DECIMALS. The middle of all discs is at 0, 0; y points up.
    """
    c = len(size)
    radius = np.sqrt(np.maximum(size, 1).astype(np.float64)).round(DECIMALS)
    order = np.lexsort((np.arange(c), -size))
    one, other, follows = _together(ties, c)
    total = np.bincount(one, follows, c) + np.bincount(other, follows, c)
    drawn = order[total[order] > 0][:MOST]
    rest = np.setdiff1d(order, drawn)
    rest = rest[np.lexsort((rest, -size[rest]))]

    place_of = np.full(c, -1)
    place_of[drawn] = np.arange(len(drawn))
    near = (place_of[one] >= 0) & (place_of[other] >= 0)
    strength = follows[near] / np.sqrt(total[one[near]] * total[other[near]])
    centre = np.empty((c, 2))
    wanted = _spread(radius[drawn], place_of[one[near]], place_of[other[near]], strength)
    centre[drawn] = _middle(_apart(wanted, radius[drawn]), radius[drawn])
    centre[rest] = _rows(radius[rest], centre[drawn], radius[drawn])
    return _middle(centre, radius).round(DECIMALS) + 0.0, radius  # + 0.0: no negative zero


def place_members(members: int, centre: Float64, radius: float) -> Float64:
    """Place members in a disc as seeds of a sunflower (Vogel 1979): the first in the middle, later ones further out.

    Args:
        members: how many.
        centre: float64[2].
        radius: of the disc; all members are inside, evenly spread.

    Returns:
        float64[members, 2], rounded to DECIMALS.
    """
    far = radius * np.sqrt(np.arange(members) / max(members, 1))
    return (np.asarray(centre) + far[:, None] * _sunflower(members)).round(DECIMALS) + 0.0


def _together(ties: tuple[Int64, Int64, Int64], c: int) -> tuple[Int64, Int64, Int64]:
    """Return each two communities with follows between them once, in order, with all their follows."""
    source, target, follows = (np.asarray(one, np.int64) for one in ties)
    between = (source != target) & (follows > 0)
    pair = np.minimum(source, target)[between] * c + np.maximum(source, target)[between]
    pairs, where = np.unique(pair, return_inverse=True)
    counted = np.zeros(len(pairs), np.int64)
    np.add.at(counted, where, follows[between])
    return pairs // max(c, 1), pairs % max(c, 1), counted


def _spread(radius: Float64, one: Int64, other: Int64, strength: Float64) -> Float64:
    """Return the places at which communities (int64[t] pairs with strength) push and pull each other to rest."""
    wide = ROOM * np.sqrt(np.sum(radius**2))
    count = len(radius)
    start = _sunflower(count) * (wide * np.sqrt(np.arange(count) / max(count, 1)))[:, None]
    places: Float64 = _pushed(start, radius, one, other, strength, wide)
    # In the order of how far from the middle they are, discs fill rings of their area: none flies off, no gap is left.
    far = np.sqrt(np.sum(places**2, axis=1))
    order = np.argsort(far, kind="stable")
    area = radius[order] ** 2
    ring = ROOM * np.sqrt(np.cumsum(area) - area / 2)
    places[order] *= (ring / np.maximum(far[order], 1e-9))[:, None]
    return places


def _rows(radius: Float64, above: Float64, radius_above: Float64) -> Float64:
    """Put discs side by side in rows, from left to right, below those that are placed."""
    room = np.maximum(GAP * radius, LEAST_GAP) + radius
    wide = max(2 * np.max(np.abs(above[:, 0]) + radius_above, initial=0.0), 2 * np.sqrt(np.sum(room**2)))
    low = float(np.min(above[:, 1] - radius_above - LEAST_GAP, initial=0.0))
    centre = np.empty((len(radius), 2))
    x = high = 0.0
    for place, half in enumerate(room.tolist()):
        if x > 0 and x + 2 * half > wide:
            x, low, high = 0.0, low - high, 0.0
        centre[place] = x + half - wide / 2, low - half
        x, high = x + 2 * half, max(high, 2 * half)
    return centre


def _middle(centre: Float64, radius: Float64) -> Float64:
    """Move discs so that the middle of the picture is at 0, 0."""
    if not len(radius):
        return centre
    low, high = (centre - radius[:, None]).min(axis=0), (centre + radius[:, None]).max(axis=0)
    moved: Float64 = centre - (low + high) / 2
    return moved


@compiled
def _sunflower(count: int) -> Float64:
    """Directions of the places of a sunflower: float64[count, 2], each of length one, turned by the golden angle."""
    found = np.empty((count, 2))
    x, y = 1.0, 0.0
    for place in range(count):
        found[place, 0], found[place, 1] = x, y
        x, y = x * TURN_COS - y * TURN_SIN, x * TURN_SIN + y * TURN_COS
        length = np.sqrt(x * x + y * y)
        x, y = x / length, y / length
    return found


@compiled
def _pushed(start: Float64, radius: Float64, one: Int64, other: Int64, strength: Float64, wide: float) -> Float64:
    """Let discs push each other apart and ties draw them together, in STEPS that become shorter and shorter.

    Each two push by the product of their radii over their distance, as charges in the plane do, and all are drawn to
    the middle so that without ties they would fill a disc that is `wide`.
    """
    count = len(radius)
    places, move = start.copy(), np.empty_like(start)
    gravity = radius.sum() / (wide * wide)
    for step in range(STEPS):
        for a in range(count):
            move[a, 0], move[a, 1] = -gravity * places[a, 0], -gravity * places[a, 1]
        for a in range(count):
            for b in range(a):
                x, y = places[a, 0] - places[b, 0], places[a, 1] - places[b, 1]
                push = 1.0 / (x * x + y * y + 1e-9)
                move[a, 0] += x * push * radius[b]
                move[a, 1] += y * push * radius[b]
                move[b, 0] -= x * push * radius[a]
                move[b, 1] -= y * push * radius[a]
        for tie in range(len(one)):
            a, b = one[tie], other[tie]
            pull = ATTRACTION * gravity * strength[tie] * np.sqrt(radius[a] * radius[b])
            x, y = places[a, 0] - places[b, 0], places[a, 1] - places[b, 1]
            move[a, 0] -= x * pull / radius[a]
            move[a, 1] -= y * pull / radius[a]
            move[b, 0] += x * pull / radius[b]
            move[b, 1] += y * pull / radius[b]
        longest = 0.2 * wide * (1.0 - step / STEPS)
        for a in range(count):
            length = np.sqrt(move[a, 0] * move[a, 0] + move[a, 1] * move[a, 1])
            scale = longest / length if length > longest else 1.0
            places[a, 0] += move[a, 0] * scale
            places[a, 1] += move[a, 1] * scale
    return places


@compiled
def _apart(wanted: Float64, radius: Float64) -> Float64:
    """Put discs one after the other to the free place nearest to the wanted one, as far as a sunflower around it tells.

    The seeds of the sunflower are as dense as a third of the disc's radius asks for.
    """
    count = len(radius)
    placed = np.empty((count, 2))
    for disc in range(count):
        blocking = 0
        step = radius[disc] / 3.0
        seed, x, y = 0, 1.0, 0.0
        while True:
            far = step * np.sqrt(float(seed))
            at_x, at_y = wanted[disc, 0] + far * x, wanted[disc, 1] + far * y
            free = True
            for turn in range(disc + 1):
                other = blocking if turn == 0 else turn - 1  # what was in the way of the last seed often still is
                if other >= disc:
                    continue
                both = radius[disc] + radius[other]
                least = both + max(GAP * both, LEAST_GAP)
                side, up = at_x - placed[other, 0], at_y - placed[other, 1]
                if side * side + up * up < least * least:
                    free, blocking = False, other
                    break
            if free:
                placed[disc, 0], placed[disc, 1] = at_x, at_y
                break
            seed += 1
            x, y = x * TURN_COS - y * TURN_SIN, x * TURN_SIN + y * TURN_COS
            length = np.sqrt(x * x + y * y)
            x, y = x / length, y / length
    return placed
