"""Context, against its documented example, a slow plain version, and its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from service.analytics.lenses.context import (
    NO_COMMUNITY,
    NO_FOLLOWERS,
    NO_RESPONSES,
    NO_TOPICS,
    NOTHING_KNOWN,
    SHAPES,
    context,
    rates_within,
    scores_within,
)
from service.analytics.lenses.exact import weighted
from service.analytics.scoring import exponential_scores
from service.domain import ENGAGEMENT_NAMES, MILLION

from .analytics_graphs import laws
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f", "g"]
AS_OF = "2026-03-31"
DAYS = ["2025-03-31", "2025-04-01", "2025-12-01", "2026-02-20", AS_OF]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What seven accounts did, in two communities and outside."""
    pairs = st.sampled_from([(a, b) for a in NAMES for b in NAMES if a != b])
    counts = st.fixed_dictionaries({kind: st.integers(0, 5) for kind in ENGAGEMENT_NAMES})
    placed = draw(st.permutations(NAMES))
    communities = [placed[:4], placed[4:6]]
    topical = [one for one in communities if draw(st.booleans())]
    done = draw(st.dictionaries(st.tuples(pairs, st.sampled_from(DAYS)), counts, max_size=14))
    told = draw(
        st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(DAYS)), st.integers(1, 12), max_size=8)
    )
    return {
        "as_of": AS_OF,
        "communities": communities,
        "accounts": NAMES,
        "followers": draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0, 1, 40, 2_000, 10**6]))),
        "follows": [[*pair, None] for pair in draw(st.lists(pairs, unique=True, max_size=10))],
        "interactions": [[a, b, day, one] for ((a, b), day), one in done.items()],
        "posts": [[name, day, {"posts": posts}] for (name, day), posts in told.items()],
        "raw": {"relevance": {name: draw(st.sampled_from([0.0, 0.25, 0.5])) for one in topical for name in one}},
    }


def age(day: str) -> int:
    return day_of(AS_OF) - day_of(day)


def plain_x(value: float, among: list[float]) -> float:
    """x of a value: ln 1/(1 − p) over ln 2n, with the mid-rank percentile p."""
    if value == 0:
        return 0.0
    n = len(among)
    p = (sum(one < value for one in among) + sum(one <= value for one in among)) / (2 * n)
    return math.log(1 / (1 - p)) / math.log(2 * n)


class Plain:
    """What a history says of its accounts, read line by line."""

    def __init__(self, history: dict[str, Any]) -> None:
        year = [(a, b, day, done) for a, b, day, done in history["interactions"] if age(day) < 365]
        any_done = [row for row in year if any(row[3].values())]
        self.days = max((age(day) + 1 for _, _, day, _ in any_done), default=0)
        self.y: dict[str, int] = {}
        self.likes: dict[str, int] = {}
        self.e: dict[str, int] = {}
        self.audience: dict[str, int] = {}
        for name in NAMES:
            mine = [(a, done) for a, b, _, done in any_done if b == name]
            self.y[name] = sum(min(times, 3) for _, done in mine for times in done.values())
            self.likes[name] = sum(min(done["likes"], 3) for _, done in mine)
            following = sum(b == name for _, b, _ in history["follows"])
            self.audience[name] = history["followers"].get(name, following)
            self.e[name] = max(self.audience[name], len({a for a, _ in mine})) * self.days
        active = {a for a, _, day, done in history["interactions"] if any(done.values()) and age(day) < 90}
        active |= {a for a, day, _ in history["posts"] if age(day) < 90}
        seen = {a for a, _, _, done in history["interactions"] if any(done.values())}
        posting = {a for a, _, _ in history["posts"]}
        seen |= posting
        self.known = set(NAMES) if 2 * len(seen) >= len(NAMES) else seen
        self.active = active & self.known
        self.posts: dict[str, int] = {}
        for name in NAMES:
            if name in posting or 2 * len(posting) >= len(NAMES):
                reposts = sum(done["reposts"] for a, _, _, done in year if a == name)
                own = sum(counts["posts"] for a, day, counts in history["posts"] if a == name and age(day) < 365)
                self.posts[name] = own + reposts
        if not posting:
            self.posts = {}
        self.followers = {name: [a for a, b, _ in history["follows"] if b == name] for name in NAMES}

    def prior(self, members: list[str]) -> tuple[float, float] | None:
        """Shape and mean of a community's rates."""
        if not any(self.y[name] for name in members):
            return None
        over = [self.e[name] for name in members if self.e[name] > 0]
        rates = [self.y[name] / self.e[name] for name in members if self.e[name] > 0]
        weights = [float(e) for e in over]
        for _ in range(3):
            every = sum(weights)
            mean = sum(w * r for w, r in zip(weights, rates, strict=True)) / every
            variance = 0.0
            if len(over) > 1:
                chance = sum(w * (1 - w / every) * mean / e for w, e in zip(weights, over, strict=True))
                apart = sum(w * (r - mean) ** 2 for w, r in zip(weights, rates, strict=True))
                variance = (apart - chance) / sum(w * (1 - w / every) for w in weights)
            shape = 10.0 if variance <= 0 else min(max(mean**2 / variance, 0.5), 10.0)
            weights = [1 / (mean / shape + 1 / e) for e in over]
        return shape, mean


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_documented_example_is_what_comes_out(shuffle: int | None) -> None:
    [example] = documented("context")
    seen = observed(example, shuffle)
    values = context(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])
    assert values.cut_offs["days_observed"] == 10


@laws
@given(histories(), st.integers(0, 3))
def test_values_and_figures_are_those_of_a_plain_reading(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = context(seen)
    assert_adds_up(seen, values)
    plain = Plain(history)
    relevance = history["raw"]["relevance"]
    for community in history["communities"]:
        prior = plain.prior(community)
        found = {name: of_account(seen, values, name) for name in community}
        raw: dict[str, dict[str, float]] = {}
        if any(plain.audience[name] or name in history["followers"] for name in community):
            raw["reach"] = {name: float(plain.audience[name]) for name in community}
        if prior:
            shape, mean = prior
            rates = {name: (shape + plain.y[name]) / (shape / mean + plain.e[name]) for name in community}
            raw["resonance"] = {name: float(f"{rate:.9g}") for name, rate in rates.items()}
            for name in community:
                figures = found[name]["figures"]
                assert figures["resonance_rate"] == pytest.approx(1000 * rates[name])
                rate = gamma(shape + plain.y[name], scale=1000 / (shape / mean + plain.e[name]))
                assert rate.cdf(figures["resonance_low"]) == pytest.approx(0.05, abs=1e-6)
                assert rate.cdf(figures["resonance_high"]) == pytest.approx(0.95, abs=1e-6)
        if community[0] in relevance:
            raw["relevance"] = {name: relevance[name] for name in community}
        for name in community:
            assert math.isnan(found[name]["figures"]["relevance"]) == (name not in relevance)
            assert math.isnan(found[name]["figures"]["resonance_rate"]) == (prior is None)
            few = plain.audience[name] < 2_000 or plain.posts.get(name, 0) < 10
            assert found[name]["figures"]["estimated"] == int(prior is not None and few)
            if not raw:
                assert found[name]["reason"] == NOTHING_KNOWN
                continue
            x = {part: plain_x(by[name], list(by.values())) for part, by in raw.items()}
            assert found[name]["value"] == pytest.approx(100 * sum(x.values()) / len(x), abs=3e-6)
            for part, points in found[name]["parts"].items():
                assert points == pytest.approx(100 * x.get(part, 0.0) / len(x), abs=3e-6)
    for name in NAMES:
        home = next((one for one in history["communities"] if name in one), None)
        said = of_account(seen, values, name)
        if home is None:
            assert said["reason"] == NO_COMMUNITY
        posts = plain.posts.get(name, 0)
        followers = [one for one in plain.followers[name] if one in plain.known]
        share = sum(one in plain.active for one in followers) / len(followers) if followers else math.nan
        heard = plain.y[name] > 0 or (home is not None and plain.prior(home) is not None)
        wanted = {
            "visibility": plain.audience[name] * share if posts else math.nan,
            "impact": plain.y[name] / posts if posts and heard else math.nan,
            "trust": 1 - plain.likes[name] / plain.y[name] if posts and plain.y[name] else math.nan,
        }
        for figure, number in wanted.items():
            assert said["figures"][figure] == pytest.approx(number, nan_ok=True, rel=1e-8, abs=1e-9), figure


@laws
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 400), st.integers(1, 10**6)), min_size=1, max_size=40),
    st.integers(2, 50),
)
def test_intervals_hold_the_estimate_and_narrow_with_more_of_the_same(
    rows: list[tuple[int, int, int]], times: int
) -> None:
    rows = [*rows, *((community, 0, 0) for community in range(4))]  # of whom nothing was seen: they have the mean
    labels = np.array([row[0] for row in rows], dtype=np.int32)
    responses, exposure = (np.array([row[k] for row in rows], dtype=np.float64) for k in (1, 2))
    rates = rates_within(labels, responses, exposure)
    known = ~np.isnan(rates.mean)
    answered = {row[0] for row in rows[:-4] if row[0] >= 0 and row[1] > 0}
    assert known.tolist() == [row[0] in answered for row in rows]
    assert (rates.low[known] <= rates.mean[known]).all()
    assert (rates.mean[known] <= rates.high[known]).all()
    prior = {row[0]: rates.mean[len(rows) - 4 + row[0]] for row in rows[-4:]}
    for i in np.flatnonzero(known[:-4]):
        ends = sorted([responses[i] / exposure[i], prior[labels[i]]])
        assert ends[0] * (1 - 1e-8) <= rates.mean[i] <= ends[1] * (1 + 1e-8), "between its own rate and the mean"
    # Two accounts at the community's mean, one seen so many times as long.
    pair = rates_within(np.zeros(2, dtype=np.int32), np.array([3.0, 3.0 * times]), np.array([1000.0, 1000.0 * times]))
    assert pair.mean == pytest.approx([0.003, 0.003])
    assert pair.high[1] - pair.low[1] < pair.high[0] - pair.low[0]


@pytest.mark.parametrize("shape", [SHAPES[0], 1.0, 3.0, SHAPES[1]])
def test_intervals_cover_the_true_rate_of_nine_in_ten(shape: float) -> None:
    draw = np.random.default_rng(20_260_331)
    n = 6_000
    labels = np.repeat(np.arange(3, dtype=np.int32), n // 3)
    mean = np.array([1e-5, 1e-3, 0.2])[labels]
    exposure = np.round(np.exp(draw.normal(2, 2, n)) / mean) + 1
    true = draw.gamma(shape, mean / shape)
    rates = rates_within(labels, draw.poisson(true * exposure).astype(np.float64), exposure)
    covered = (rates.low <= true) & (true <= rates.high)
    for one in range(3):
        assert covered[labels == one].mean() == pytest.approx(0.9, abs=0.025)
    # So it is for the fifth of whom least is known.
    little = exposure * mean < np.quantile(exposure * mean, 0.2)
    assert covered[little].mean() == pytest.approx(0.9, abs=0.03)


@laws
@given(st.lists(st.tuples(st.integers(-1, 4), st.sampled_from([math.nan, 0.0, 1.0, 2.5, 7.0])), max_size=30))
def test_places_are_those_of_each_community_by_itself(rows: list[tuple[int, float]]) -> None:
    labels = np.array([row[0] for row in rows], dtype=np.int32)
    values = np.array([row[1] for row in rows], dtype=np.float64)
    wanted = np.full(len(rows), np.nan)
    for one in set(labels.tolist()) - {-1}:
        among = (labels == one) & ~np.isnan(values)
        wanted[among] = exponential_scores(values[among])
    np.testing.assert_array_equal(scores_within(labels, values), wanted)


def test_one_lucky_response_does_not_win() -> None:
    history: dict[str, Any] = {
        "as_of": AS_OF,
        "communities": [NAMES],
        "followers": {**dict.fromkeys(NAMES, 5_000), "a": 1},
        "interactions": [["c", "a", AS_OF, {"likes": 1}], ["c", "g", "2025-12-01", {"likes": 1}]],
    }
    history["interactions"] += [
        [NAMES[k], "b", f"2026-03-{day:02}", {"replies": 3}] for k in range(2, 7) for day in range(1, 31)
    ]
    seen = observed(history)
    values = context(seen)
    lucky, loved = (of_account(seen, values, name)["figures"] for name in "ab")
    assert lucky["resonance_rate"] / 1000 < 1 / 122, "less than its one response of 122 days"
    assert loved["resonance_high"] / loved["resonance_low"] < 1.25 < lucky["resonance_high"] / lucky["resonance_low"]


def test_one_very_large_account_is_not_taken_for_everybody() -> None:
    draw = np.random.default_rng(7)
    exposure = np.array([10.0**9, *[10_000.0] * 30, 0.0])
    responses = np.array([1_000.0, *draw.poisson(100, 30), 0.0])
    rates = rates_within(np.zeros(32, dtype=np.int32), responses, exposure)
    assert responses.sum() / exposure.sum() < 5e-6
    assert 0.005 < rates.mean[-1] < 0.012, "of whom nothing was seen is taken for one of the thirty"
    assert rates.mean[0] == pytest.approx(1e-6, rel=0.1)


def test_weights_of_parts_that_are_not_known_of_an_account_are_shared_out() -> None:
    nan = math.nan
    x = {"one": np.array([1.0, nan, nan, 0.3]), "two": np.array([1.0, 0.5, nan, nan]), "no": np.array([1.0, 1, nan, 1])}
    value, parts = weighted(x, {"one": 0.5, "two": 0.3, "no": 0.2})
    assert value.tolist() == [100 * MILLION, 70 * MILLION, 0, 50 * MILLION]
    assert np.array_equal(np.sum(list(parts.values()), axis=0), value)
    assert [part[1] for part in parts.values()] == [0, 30 * MILLION, 40 * MILLION]


def test_small_and_quiet_accounts_are_marked_and_not_refused() -> None:
    history: dict[str, Any] = {
        "as_of": AS_OF,
        "communities": [["a", "b", "c", "d"]],
        "followers": {"a": 2_000, "b": 1_999, "c": 2_000, "d": 2_000},
        "posts": [["a", AS_OF, {"posts": 10}], ["b", AS_OF, {"posts": 10}], ["c", AS_OF, {"posts": 9}]],
        "interactions": [["d", "a", AS_OF, {"likes": 1}]],
    }
    seen = observed(history)
    values = context(seen)
    assert np.asarray(values.figures["estimated"]).tolist() == [0, 1, 1, 1]
    assert not np.isnan(values.figures["resonance_high"]).any()  # type: ignore[arg-type]
    assert (values.value > 0).all()


def test_parts_that_are_null_everywhere_are_named() -> None:
    history: dict[str, Any] = {"as_of": AS_OF, "communities": [["a", "b"]], "followers": {"a": 5, "b": 0}}
    values = context(observed(history))
    assert values.part_reasons == {"resonance": NO_RESPONSES, "relevance": NO_TOPICS}
    assert list(values.parts) == ["reach"]
    assert values.value.tolist() == [100 * MILLION, 0]

    history = {"as_of": AS_OF, "communities": [["a", "b"]], "raw": {"relevance": {"a": 0.5, "b": 0.1}}}
    values = context(observed(history))
    assert values.part_reasons == {"reach": NO_FOLLOWERS, "resonance": NO_RESPONSES}
    assert values.value[0] == 100 * MILLION

    seen = observed({"as_of": AS_OF, "communities": [["a", "b"]]})
    values = context(seen)
    assert_adds_up(seen, values)
    assert [values.reasons[one] for one in values.null.tolist()] == [NOTHING_KNOWN] * 2
    seen = observed({"as_of": AS_OF})
    assert_adds_up(seen, context(seen))
