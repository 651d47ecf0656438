"""Places and colours of pictures: laws that hold for any communities, and planted neighbourhoods."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.layout import DECIMALS, MOST, place_communities, place_members
from service.analytics.palette import GREYS, OKABE_ITO, colours
from tests.unit.analytics_graphs import laws

NONE = np.zeros(0, np.int64)
HALF = 10.0**-DECIMALS
ROOT = Path(__file__).resolve().parents[2]


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, int]]]:
    sizes = draw(st.lists(st.integers(0, 400), max_size=30))
    if not sizes:
        return [], []
    places = st.integers(0, len(sizes) - 1)
    return sizes, draw(st.lists(st.tuples(places, places, st.integers(0, 1_000)), max_size=60))


def arrays(ties: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one, other, follows = np.array(ties, np.int64).reshape(-1, 3).T
    return one, other, follows


def overlap(centre: np.ndarray, radius: np.ndarray) -> float:
    """By how much the two discs that are nearest overlap; negative where none do."""
    apart = np.sqrt(((centre[:, None] - centre[None]) ** 2).sum(axis=-1)) - radius[:, None] - radius[None]
    np.fill_diagonal(apart, np.inf)
    return float(-apart.min(initial=np.inf))


@laws
@given(pictures())
def test_discs_have_their_area_and_never_overlap(given: tuple[list[int], list[tuple[int, int, int]]]) -> None:
    sizes, ties = given
    centre, radius = place_communities(np.array(sizes, np.int64), arrays(ties))
    assert centre.shape == (len(sizes), 2)
    assert np.isfinite(centre).all()
    np.testing.assert_allclose(radius, np.sqrt(np.maximum(sizes, 1)), atol=HALF)
    assert overlap(centre, radius) < 0
    assert np.array_equal(centre, centre.round(DECIMALS))
    if sizes:
        low, high = (centre - radius[:, None]).min(axis=0), (centre + radius[:, None]).max(axis=0)
        np.testing.assert_allclose(low, -high, atol=2 * HALF)


@laws
@given(pictures(), st.randoms(use_true_random=False))
def test_the_order_the_direction_and_the_pieces_of_ties_say_nothing(
    given: tuple[list[int], list[tuple[int, int, int]]], draw: object
) -> None:
    sizes, ties = given
    other = [(b, a, n) if draw.random() < 0.5 else (a, b, n) for a, b, n in ties]  # type: ignore[attr-defined]
    other = [piece for a, b, n in other for piece in ((a, b, n // 3), (b, a, n - n // 3))]
    draw.shuffle(other)  # type: ignore[attr-defined]
    first, _ = place_communities(np.array(sizes, np.int64), arrays(ties))
    second, _ = place_communities(np.array(sizes, np.int64), arrays(other))
    assert first.tobytes() == second.tobytes()


def test_none_one_and_two() -> None:
    centre, radius = place_communities(NONE, (NONE, NONE, NONE))
    assert centre.shape == (0, 2)
    assert radius.shape == (0,)
    centre, radius = place_communities(np.array([9]), (NONE, NONE, NONE))
    assert centre.tolist() == [[0, 0]]
    assert radius.tolist() == [3]
    for ties in ([], [(0, 1, 5)]):
        centre, radius = place_communities(np.array([9, 4]), arrays(ties))
        assert 5 < np.linalg.norm(centre[0] - centre[1]) < 15


def test_communities_that_follow_each_other_are_near_each_other() -> None:
    """Five planted neighbourhoods of twelve communities, in shuffled order."""
    draw = np.random.default_rng(3)
    home = draw.permutation(np.repeat(np.arange(5), 12))
    size = draw.integers(5, 300, 60)
    ties = [(a, b, 30 if home[a] == home[b] else 1) for a, b in itertools.combinations(range(60), 2)]
    centre, _ = place_communities(size, arrays(ties))
    apart = np.sqrt(((centre[:, None] - centre[None]) ** 2).sum(axis=-1))
    same = home[:, None] == home[None]
    assert apart[same & (apart > 0)].mean() < 0.6 * apart[~same].mean()
    np.fill_diagonal(apart, np.inf)
    assert np.mean(home[apart.argmin(axis=1)] == home) > 0.8


def test_no_community_flies_off_however_weak_its_ties_are() -> None:
    size = np.array([400, 300, 200, 100, 50, 5, 3])
    ties = [(a, b, 10_000) for a, b in itertools.combinations(range(4), 2)] + [(4, 0, 1), (5, 1, 1), (6, 5, 1)]
    centre, radius = place_communities(size, arrays(ties))
    wide = 2 * np.sqrt(size.sum())
    assert ((centre + radius[:, None]).max(axis=0) - (centre - radius[:, None]).min(axis=0)).max() < 2 * wide


def test_communities_without_ties_stand_below_the_others() -> None:
    size = np.array([50, 40, 30, 20, 10, 1, 1])
    centre, radius = place_communities(size, arrays([(0, 1, 3), (1, 2, 3), (3, 3, 9)]))
    assert (centre[3:, 1] + radius[3:]).max() < (centre[:3, 1] - radius[:3]).min()


@pytest.mark.parametrize("shape", ["star", "chain", "communities", "alone"])
def test_thousands_of_communities(shape: str) -> None:
    count = MOST + 500
    later, draw = np.arange(1, count), np.random.default_rng(1)
    ends = {
        "star": (later * 0, later),
        "chain": (later - 1, later),
        "communities": (draw.integers(0, count, 8 * count), draw.integers(0, count, 8 * count)),
        "alone": (NONE, NONE),
    }[shape]
    size = np.maximum(50_000 // np.arange(1, count + 1), 3)
    centre, radius = place_communities(size, (*ends, np.ones_like(ends[0])))
    assert overlap(centre, radius) < 0


@pytest.mark.parametrize("members", [0, 1, 2, 5_000])
def test_members_are_inside_their_disc_the_first_in_the_middle(members: int) -> None:
    centre, radius = np.array([10.5, -3.25]), float(np.sqrt(members))
    places = place_members(members, centre, radius)
    assert places.shape == (members, 2)
    away = np.linalg.norm(places - centre, axis=1)
    assert (away <= radius + HALF).all()
    assert (np.diff(away) >= -2 * HALF).all()
    if members:
        assert places[0].tolist() == centre.tolist()
    if members > 2:
        inner = away <= radius / 2
        assert inner.sum() == pytest.approx(members / 4, abs=2)  # a quarter of the area, a quarter of the members
        near = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=-1))
        np.fill_diagonal(near, np.inf)
        assert near.min() > 1 - 2 * HALF


def test_places_are_the_same_in_another_process() -> None:
    program = (
        "import numpy as np\nfrom service.analytics.layout import place_communities, place_members\n"
        "draw = np.random.default_rng(5)\n"
        "ties = tuple(draw.integers(0, 40, (3, 200)))\n"
        "centre, radius = place_communities(draw.integers(0, 90, 40), ties)\n"
        "print(centre.tobytes().hex(), place_members(40, centre[0], radius[0]).tobytes().hex())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_the_largest_communities_have_colours_of_their_own() -> None:
    assert colours(0) == []
    assert colours(3) == list(OKABE_ITO[:3])
    many = colours(50)
    assert len(many) == 50
    assert len(set(many[: len(OKABE_ITO)])) == len(OKABE_ITO) == 7
    assert set(many[len(OKABE_ITO) :]) == set(GREYS)
    assert "#000000" not in many
    assert not set(GREYS) & set(OKABE_ITO)
