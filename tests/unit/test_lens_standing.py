"""Standing, against its documented example, a slow plain version, and its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.exact import apportioned, weighted
from service.analytics.lenses.standing import action_weight, outreach_level, standing
from service.domain import ENGAGEMENT_NAMES, MILLION

from .analytics_graphs import laws
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f"]
DAYS = ["2025-09-01", "2026-01-01", "2026-01-20", "2026-02-20", "2026-03-31"]
POINTS = {"likes": 2, "replies": 10, "mentions": 10, "reposts": 10}


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What six accounts did, in two communities and outside."""
    pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
    done = st.fixed_dictionaries({kind: st.integers(0, 5) for kind in ENGAGEMENT_NAMES})
    placed = draw(st.permutations(NAMES))
    return {
        "as_of": "2026-03-31",
        "communities": [placed[:3], placed[3:5]],
        "accounts": NAMES,
        "followers": {name: draw(st.sampled_from([0, 9, 10, 12_345])) for name in NAMES},
        "follows": [
            [*pair, draw(st.sampled_from([None, *DAYS]))]
            for pair in draw(st.lists(st.sampled_from(pairs), unique=True))
        ],
        "interactions": [
            [*pair, day, draw(done)]
            for pair, day in draw(
                st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(DAYS)), unique=True, max_size=12)
            )
        ],
    }


def plain_points(history: dict[str, Any], name: str, days: int) -> int:
    """Points by reading the history line by line."""
    home = next((one for one in history["communities"] if name in one), None)
    if home is None:
        return 0
    last, total = day_of(history["as_of"]), 0
    for a, b, day, done in history["interactions"]:
        if b == name and a in home and last - days < day_of(day) <= last:
            digits = len(str(history["followers"][a]))
            total += digits * sum(POINTS[kind] * min(times, 3) for kind, times in done.items())
    for a, b, day in history["follows"]:
        if b == name and a in home and (day is None or last - days < day_of(day) <= last):
            total += len(str(history["followers"][a]))
    return total


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_documented_example_is_what_comes_out(shuffle: int | None) -> None:
    [example] = documented("standing")
    seen = observed(example, shuffle)
    values = standing(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])


@laws
@given(histories(), st.integers(0, 3))
def test_points_and_values_are_those_of_a_plain_count(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = standing(seen)
    assert_adds_up(seen, values)
    for community in history["communities"]:
        for days, points, value in ((90, "points", None), (60, "points_60", "value_60"), (30, "points_30", "value_30")):
            counted = {name: plain_points(history, name, days) for name in community}
            most = max(counted.values())
            for name in community:
                found = of_account(seen, values, name)
                assert found["figures"][points] == counted[name]
                at = found["value"] if value is None else found["figures"][value]
                if most == 0:
                    assert at is None or math.isnan(at)
                else:
                    wanted = 1 + 999 * math.log1p(counted[name]) / math.log1p(most)
                    assert at == pytest.approx(wanted, abs=2e-6)
            if most and value is None:
                best = max(community, key=lambda name: counted[name])
                assert of_account(seen, values, best)["value"] == 1000, "someone is at 1000 in each community"


@laws
@given(histories(), st.sampled_from(ENGAGEMENT_NAMES))
def test_parts_are_the_points_of_each_kind_in_proportion(history: dict[str, Any], kind: str) -> None:
    for done in history["interactions"]:
        done[3] = {kind: done[3][kind]}
    history["follows"] = []
    seen = observed(history)
    values = standing(seen)
    others = [name for name in ENGAGEMENT_NAMES if name != kind]
    assert all((values.parts[name] == 0).all() for name in (*others, "follows"))
    known = values.null < 0
    assert (values.parts["start"][known & (values.value > MILLION)] == MILLION).all()


@laws
@given(histories(), histories())
def test_outreach_never_falls(before: dict[str, Any], after: dict[str, Any]) -> None:
    first = standing(observed(before)).figures["outreach"]
    after["outreach_before"] = dict(zip(sorted(NAMES), first.tolist(), strict=True))  # type: ignore[union-attr]
    second = standing(observed(after)).figures["outreach"]
    assert (np.asarray(second) >= np.asarray(first)).all()


def test_more_of_what_happened_never_lowers_points() -> None:
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "communities": [NAMES],
        "interactions": [["a", "b", "2026-03-01", {"likes": 1}]],
    }
    less = of_account(seen := observed(history), standing(seen), "b")["figures"]["points"]
    history["interactions"].append(["c", "b", "2026-03-02", {"replies": 1}])
    more = of_account(seen := observed(history), standing(seen), "b")["figures"]["points"]
    assert (less, more) == (2, 12)


def test_flooding_does_not_pay() -> None:
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "communities": [NAMES],
        "interactions": [["a", "b", "2026-03-01", {"replies": 500}]],
    }
    assert of_account(seen := observed(history), standing(seen), "b")["figures"]["points"] == 30


def test_weights_and_levels() -> None:
    audience = np.array([0, 9, 10, 99, 100, 9_999, 10_000, 10**9], dtype=np.int64)
    assert action_weight(audience).tolist() == [len(str(one)) for one in audience.tolist()]
    points = np.array([0, 99, 100, 269, 270, 558, 559], dtype=np.int64)
    assert outreach_level(points).tolist() == [0, 0, 1, 1, 2, 2, 3]


@laws
@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 4), min_size=1, max_size=8))
def test_apportioning_adds_up_and_misses_nobody_by_more_than_one(rows: list[tuple[int, int, int, int]]) -> None:
    total = np.array([row[0] for row in rows], dtype=np.int64)
    shares = {name: np.array([row[1 + at] for row in rows], dtype=np.int64) for at, name in enumerate("xyz")}
    parts = apportioned(total, shares)
    assert np.array_equal(sum(parts.values()), total)
    for at, row in enumerate(rows):
        whole = sum(row[1:])
        for name, share in zip("xyz", row[1:], strict=True):
            wanted = row[0] * share / whole if whole else (row[0] if name == "x" else 0)
            assert abs(parts[name][at] - wanted) < 1 + 1e-6 * row[0]


def test_weights_of_unknown_parts_are_shared_out() -> None:
    value, parts = weighted(
        {"one": np.array([1.0, 0.5]), "two": np.array([1.0, 0.0])}, {"one": 0.5, "two": 0.2, "no": 0.3}
    )
    assert value.tolist() == [100 * MILLION, 35_714_286]
    assert np.array_equal(sum(parts.values()), value)


def test_three_thirds_are_a_whole() -> None:
    value, parts = weighted({name: np.ones(2) for name in "xyz"}, dict.fromkeys("xyz", 1 / 3))
    assert value.tolist() == [100 * MILLION] * 2
    assert np.array_equal(sum(parts.values()), value)
