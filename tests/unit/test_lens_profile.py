"""Profile, against its documented example, a slow plain version, and its laws."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.observed import Observed
from service.analytics.lenses.profile import (
    AUDIENCE_UNKNOWN,
    NOBODY_ANSWERED,
    NOBODY_FOLLOWED,
    POSTS_UNKNOWN,
    RESPONSES_UNKNOWN,
    profile,
    tier_bounds,
)
from service.domain import DAY_MS, MILLION, LensValues

from .analytics_graphs import Engaged, Posting, laws, make_graph
from .lens_examples import assert_adds_up, assert_documented, documented, observed, seen_in

TODAY = 20_000
NAMES = [*(f"x:{i}" for i in range(6)), *(f"y:{i}" for i in range(3))]
TIERS = ["novice", "casual", "power", "celebrity"]


def looked_at(
    followers: dict[str, int],
    engaged: list[Engaged],
    posts: list[Posting],
    names: list[str] = NAMES,
    follows: list[tuple[str, str]] | None = None,
    shuffle: int | None = None,
) -> Observed:
    graph = make_graph(
        [(a, b, 1.0) for a, b in follows or []],
        names,
        followers=followers,
        engaged=engaged,
        postings=posts,
        unfollowed=TODAY * DAY_MS,
        shuffle=shuffle,
    )
    return seen_in(graph, np.full(graph.n, -1, dtype=np.int32))


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Followers, interactions and posts of accounts of two networks."""
    pairs = st.sampled_from([(a, b) for a in NAMES for b in NAMES if a != b])
    days = st.sampled_from([TODAY, TODAY - 100, TODAY - 364, TODAY - 365])
    counts = st.tuples(*[st.integers(0, 5)] * 4)
    kinds = st.tuples(*[st.integers(0, 3)] * 3).map(lambda one: (1 + sum(one), one[1], one[2]))
    done = draw(st.dictionaries(st.tuples(pairs, days), counts, max_size=20))
    told = draw(st.dictionaries(st.tuples(st.sampled_from(NAMES), days), kinds, max_size=14))
    return {
        "followers": draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0, 1, 2, 50, 3000]))),
        "engaged": [(a, b, day, one) for ((a, b), day), one in done.items()],
        "posts": [(a, day, one) for (a, day), one in told.items()],
        "follows": draw(st.lists(pairs, unique=True, max_size=8)),
    }


def place_score(value: float, among: list[float]) -> float:
    """x of a value: ln 1/(1 − p) over ln 2n, with the mid-rank percentile p."""
    if value == 0:
        return 0.0
    n = len(among)
    p = (sum(one < value for one in among) + sum(one <= value for one in among)) / (2 * n)
    return math.log(1 / (1 - p)) / math.log(2 * n)


def plain_profile(history: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """x of both parts, None where not known, tier, posts and rate of each account, by reading the history."""
    found: dict[str, dict[str, Any]] = {}
    for network in "xy":
        names = [name for name in NAMES if name.startswith(network)]
        audience = {
            name: history["followers"].get(name, sum(b == name for _, b in history["follows"])) for name in names
        }
        responses = {
            name: sum(
                min(times, 3)
                for _, b, day, counts in history["engaged"]
                for times in counts
                if b == name and day > TODAY - 365
            )
            for name in names
        }
        ever = {name for name, _, _ in history["posts"]} & set(names)
        posts: dict[str, tuple[int, int, int]] = {}
        for name in names:
            year = [counts for a, day, counts in history["posts"] if a == name and day > TODAY - 365]
            every, links, reposts = (sum(one[k] for one in year) for k in range(3))
            passed_on = sum(counts[3] for a, _, day, counts in history["engaged"] if a == name and day > TODAY - 365)
            if name in ever or (ever and 2 * len(ever) >= len(names)):
                posts[name] = (every - reposts + max(reposts, passed_on), links, max(reposts, passed_on))
        posting = [name for name in posts if posts[name][0]]
        rates: dict[str, float] = {}
        if any(responses.values()) and posting:
            mean = sum(responses[name] for name in posting) / sum(posts[name][0] for name in posting)
            usual = median(posts[name][0] for name in posting)
            rates = {
                name: float(f"{100 * (responses[name] + mean * usual) / (posts[name][0] + usual):.9g}")
                for name in posting
            }
        known = any(audience.values()) or any(name in history["followers"] for name in names)
        for name in names:
            level = 0
            for tier, share in enumerate([0.5, 0.2, 0.01], 1):
                if audience[name] and sum(one >= audience[name] for one in audience.values()) <= share * len(names):
                    level = tier
            heard = any(responses.values()) and name in posts
            found[name] = {
                "audience": place_score(audience[name], list(map(float, audience.values()))) if known else None,
                "responses": place_score(rates.get(name, 0.0), list(rates.values())) if heard else None,
                "posts": posts.get(name),
                "rate": rates.get(name),
                "tier": TIERS[level] if known else None,
            }
    return found


def figure(values: LensValues, name: str) -> Any:
    return values.figures[name]


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_documented_example_is_what_comes_out(shuffle: int | None) -> None:
    [example] = documented("profile")
    seen = observed(example, shuffle)
    values = profile(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])
    assert values.cut_offs["tiers"] == {"net": {"casual": 8, "power": 41, "celebrity": 501}}


@laws
@given(histories(), st.integers(0, 3))
def test_values_and_figures_are_those_of_a_plain_reading(history: dict[str, Any], shuffle: int) -> None:
    seen = looked_at(**history, shuffle=shuffle)
    values = profile(seen)
    assert_adds_up(seen, values)
    plain = plain_profile(history)
    lacking = {part for part in ("audience", "responses") if all(one[part] is None for one in plain.values())}
    assert set(values.part_reasons) == lacking
    for i, key in enumerate(seen.graph.keys):
        said = plain[key]
        assert figure(values, "tier")[i] == said["tier"]
        posts, links, reposts = said["posts"] or (math.nan, 0, 0)
        assert figure(values, "posts")[i] == pytest.approx(posts, nan_ok=True)
        mix = [
            figure(values, name)[i] * posts if posts > 0 else figure(values, name)[i]
            for name in ("share_texts", "share_links", "share_reposts")
        ]
        wanted = [posts - links - reposts, links, reposts] if posts > 0 else [math.nan] * 3
        assert mix == pytest.approx(wanted, nan_ok=True)
        rate = math.nan if said["rate"] is None else said["rate"]
        assert figure(values, "responses_per_100_posts")[i] == pytest.approx(rate, nan_ok=True)
        known = [said[part] for part in ("audience", "responses") if part not in lacking]
        if None in known or not known:
            assert values.null[i] >= 0
        else:
            assert values.null[i] < 0
            assert values.value[i] / MILLION == pytest.approx(100 * sum(known) / len(known), abs=2e-6)


@laws
@given(st.lists(st.integers(0, 12), min_size=1, max_size=120))
def test_tiers_have_room_and_ties_stay_together(audience: list[int]) -> None:
    least = tier_bounds(np.array(audience, dtype=np.int64)).tolist()
    assert least == sorted(least)
    assert least[0] > 0, "who has no followers is a novice"
    for bound, share in zip(least, (0.5, 0.2, 0.01), strict=True):
        within = [one for one in audience if one >= bound]
        assert len(within) <= share * len(audience)
        below = [one for one in audience if one < bound]
        assert below, "no tier above novice holds everybody"
        next_too = [one for one in audience if one >= max(below)]
        assert len(next_too) > share * len(audience), "the next ones found no room"


def test_tiers_of_a_hundred() -> None:
    least = tier_bounds(np.arange(100, dtype=np.int64))
    assert least.tolist() == [50, 80, 99]
    assert tier_bounds(np.array([5], dtype=np.int64)).tolist() == [6, 6, 6]
    assert tier_bounds(np.full(100, 7, dtype=np.int64)).tolist() == [8, 8, 8]


def test_who_posted_once_does_not_win() -> None:
    posts: list[Posting] = [("x:0", TODAY, (1, 0, 0)), *((f"x:{i}", TODAY, (20, 0, 0)) for i in (1, 2, 3))]
    engaged: list[Engaged] = [("x:4", "x:0", TODAY, (1, 0, 0, 0))]
    engaged += [("x:4", "x:1", TODAY - day, (3, 0, 0, 0)) for day in range(6)]
    values = profile(looked_at({}, engaged, posts))
    rate = figure(values, "responses_per_100_posts")
    assert rate[0] < rate[1], "18 responses to 20 posts are more than 1 to 1"


def test_what_is_not_known_is_null() -> None:
    some: list[Posting] = [("x:0", TODAY, (2, 0, 0)), ("x:1", TODAY, (1, 0, 0))]
    like: list[Engaged] = [("x:3", "x:0", TODAY, (1, 0, 0, 0))]
    followers = dict.fromkeys(NAMES[:6], 10)

    seen = looked_at(followers, like, some)
    values = profile(seen)
    assert [values.reasons[one] if one >= 0 else "" for one in values.null.tolist()] == [
        "", "", *[POSTS_UNKNOWN] * 4, *[AUDIENCE_UNKNOWN] * 3
    ]  # fmt: skip
    assert np.isnan(figure(values, "posts")[2:]).all()
    assert figure(values, "tier")[:6] == ["novice"] * 6
    assert figure(values, "tier")[6:] == [None] * 3

    silent: list[Posting] = [*some, ("y:0", TODAY, (1, 0, 0)), ("y:1", TODAY, (1, 0, 0))]
    values = profile(looked_at(dict.fromkeys(NAMES, 1), like, silent))
    assert [values.reasons[one] for one in values.null[6:].tolist()] == [RESPONSES_UNKNOWN] * 3

    values = profile(looked_at(followers, [], some, names=NAMES[:6]))
    assert values.part_reasons == {"responses": NOBODY_ANSWERED}
    assert (values.null < 0).all()
    assert (values.value == values.parts["audience"]).all()
    assert values.value.max() > 0

    values = profile(looked_at({}, like, some, names=NAMES[:6]))
    assert values.part_reasons == {"audience": NOBODY_FOLLOWED}
    assert (values.null[:2] < 0).all()
    assert values.value[0] == 100 * MILLION

    seen = looked_at({}, [], [], names=NAMES[:6])
    values = profile(seen)
    assert_adds_up(seen, values)
    assert (values.null >= 0).all()

    seen = looked_at({}, [], [], names=[])
    assert_adds_up(seen, profile(seen))


def test_an_account_that_did_not_post_has_no_rate_and_no_points_for_it() -> None:
    posts: list[Posting] = [(f"x:{i}", TODAY, (2, 0, 0)) for i in range(3)]
    engaged: list[Engaged] = [("x:0", "x:5", TODAY, (3, 3, 3, 0)), ("x:5", "x:0", TODAY, (1, 0, 0, 0))]
    values = profile(looked_at(dict.fromkeys(NAMES[:6], 10), engaged, posts, names=NAMES[:6]))
    assert values.null[5] < 0
    assert math.isnan(figure(values, "responses_per_100_posts")[5])
    assert values.parts["responses"][5] == 0
    assert values.parts["responses"][0] > 0
