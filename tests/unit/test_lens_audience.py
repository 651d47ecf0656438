"""Audience, against its documented examples, a slow plain version, and its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.audience import audience

from .analytics_graphs import laws
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f"]
DAYS = [
    "2025-09-01", "2025-12-31", "2026-01-01", "2026-02-03", "2026-03-03", "2026-03-04", "2026-03-24", "2026-03-25",
    "2026-03-31",
]  # fmt: skip
PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Who follows whom since when, and who was active when, by interactions and posts."""
    days = st.sampled_from(DAYS)
    times = st.integers(0, 1)
    return {
        "as_of": "2026-03-31",
        "accounts": NAMES,
        "follows": [
            [*pair, draw(st.one_of(st.none(), days))] for pair in draw(st.lists(st.sampled_from(PAIRS), unique=True))
        ],
        "interactions": [
            [*pair, day, {"likes": draw(times), "reposts": draw(times)}]
            for pair, day in draw(st.lists(st.tuples(st.sampled_from(PAIRS), days), unique=True, max_size=5))
        ],
        "posts": [
            [name, day, {"posts": 1}]
            for name, day in draw(st.lists(st.tuples(st.sampled_from(NAMES), days), unique=True, max_size=3))
        ],
    }


def plain(history: dict[str, Any], name: str) -> dict[str, Any]:
    """What the lens says of an account, by reading the history line by line."""
    today = day_of(history["as_of"])
    acted = [(who, day) for who, _, day, done in history["interactions"] if sum(done.values())]
    acted += [(who, day) for who, day, _ in history["posts"]]
    last = {who: max(day_of(day) for other, day in acted if other == who) for who, _ in acted}
    all_known = 2 * len(last) >= len(NAMES)
    followers = [(a, day) for a, b, day in history["follows"] if b == name]
    known = [a for a, _ in followers if all_known or a in last]
    ages = [today - last[a] for a in known if a in last]
    counts = [sum(low <= age < high for age in ages) for low, high in ((0, 7), (7, 28), (28, 90))]
    begun = [today - day_of(day) for _, day in followers if day is not None]
    gained = [float(sum(low <= age < low + 28 for age in begun)) if begun else math.nan for low in (0, 28)]
    return {"followers": len(followers), "known": len(known), "counts": counts, "gained": gained}


@pytest.mark.parametrize("shuffle", [None, 1, 2])
@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_examples_are_what_comes_out(number: int, shuffle: int | None) -> None:
    example = documented("audience")[number]
    seen = observed(example, shuffle)
    values = audience(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])
    assert values.cut_offs["networks_known"] == (["net"] if number == 0 else [])


@laws
@given(histories(), st.integers(0, 3))
def test_values_are_those_of_a_plain_count(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = audience(seen)
    assert_adds_up(seen, values)
    for name in NAMES:
        found, wanted = of_account(seen, values, name), plain(history, name)
        figures = found["figures"]
        assert (figures["followers"], figures["known"]) == (wanted["followers"], wanted["known"])
        assert np.array_equal([figures["gained_28"], figures["gained_28_before"]], wanted["gained"], equal_nan=True)
        if not wanted["known"]:
            assert found["value"] is None
            assert ("Nobody" in found["reason"]) == (wanted["followers"] == 0)
            assert math.isnan(figures["inactive_share"])
            continue
        shares = [count / wanted["known"] for count in wanted["counts"]]
        assert found["value"] == pytest.approx(100 * sum(shares), abs=1e-6)
        assert list(found["parts"].values()) == pytest.approx([100 * share for share in shares], abs=2e-6)
        assert figures["inactive_share"] == pytest.approx(1 - sum(shares), abs=1e-8)


@laws
@given(histories(), st.sampled_from(PAIRS))
def test_who_becomes_active_makes_whom_they_follow_easier_to_reach(
    history: dict[str, Any], pair: tuple[str, str]
) -> None:
    """Where all activity is known, both before and after."""
    history["posts"] = [[name, "2025-09-02", {"posts": 1}] for name in NAMES]
    before = audience(observed(history)).value
    history["interactions"] = [one for one in history["interactions"] if tuple(one[:3]) != (*pair, "2026-03-31")]
    history["interactions"].append([*pair, "2026-03-31", {"likes": 1}])
    assert (audience(observed(history)).value >= before).all()
