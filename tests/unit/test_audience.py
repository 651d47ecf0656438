"""Hours of the week, forecasts, samples and counts of what accounts say, against plain versions and simulations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from scipy.stats import t as students_t

from service.analytics.audience import FEW_IN_HOURS, FEWEST_WEEKS, MOST_DISPERSION, T_95, net_forecast, week_of
from service.flows import audience as flow
from service.flows.audience import HOUR_DAYS, Audience, overlap, parse_audience, said_by_most, sampled

from .analytics_graphs import laws

Drawn = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
"""Draws how many come and go in some weeks."""

MONDAY = 24 * (datetime(2024, 3, 4, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]


@laws
@given(
    st.lists(st.lists(st.integers(MONDAY, MONDAY + 60 * 24), unique=True, max_size=20), max_size=6),
    st.sampled_from(ZONES),
)
def test_the_table_counts_local_hours_across_changes_of_the_clock(active: list[list[int]], name: str) -> None:
    zone = ZoneInfo(name)
    wanted = np.zeros((7, 24), dtype=int)
    for account in active:
        for hour in account:
            local = datetime.fromtimestamp(hour * 3600 + 1800, zone)
            wanted[local.weekday(), local.hour] += 1
    found = week_of(active, zone)
    assert np.array_equal(found.table, wanted)
    assert found.accounts == sum(map(bool, active))


def test_an_hour_in_summer_is_another_hour_in_winter() -> None:
    winter, summer = (
        datetime(2024, month, 1, 8, tzinfo=UTC).timestamp() // 3600
        for month in (1, 7)  # two Mondays
    )
    table = week_of([[int(winter), int(summer)]], ZoneInfo("Europe/Paris")).table
    assert (table[0, 9], table[0, 10], table.sum()) == (1, 1, 2)


def activity(rates: np.ndarray, accounts: int, weeks: int, seed: int) -> list[list[int]]:
    """Hours in which accounts are active, each with the rates of the 168 hours of a week."""
    random = np.random.default_rng(seed)
    drawn = random.random((accounts, weeks, 168)) < rates
    return [(MONDAY + np.flatnonzero(one.ravel())).tolist() for one in drawn]


def test_the_best_hours_are_those_in_which_accounts_are_most_active() -> None:
    rates = np.full(168, 0.02)
    rates[[9, 33, 57]] = 0.10
    week = week_of(activity(rates, 40, 13, 1), ZoneInfo("UTC"))
    assert week.best is not None
    assert {(one["weekday"], one["hour"]) for one in week.best[:3]} == {(0, 9), (1, 9), (2, 9)}
    truth = 0.10 / rates.mean()
    for one in week.best[:3]:
        assert one["times_average"] == pytest.approx(truth, rel=0.4)
        assert one["observations"] == week.table[int(one["weekday"]), int(one["hour"])]
        assert one["times_average"] < one["observations"] / (week.table.sum() / 168), "it is drawn towards the mean"
    assert [one["observations"] for one in week.best] == sorted(
        (one["observations"] for one in week.best), reverse=True
    )


def test_hours_that_differ_by_chance_are_not_called_better() -> None:
    said = [week_of(activity(np.full(168, 0.02), 20, 13, seed), ZoneInfo("UTC")).best for seed in range(40)]
    assert sum(best is not None for best in said) <= 6, "5% of them, by the test that is made"
    assert all(one["times_average"] < 2 for best in said if best is not None for one in best)


def test_one_busy_account_does_not_win() -> None:
    quiet = activity(np.where(np.arange(168) == 9, 0.2, 0.02), 30, 13, 2)
    busy = [MONDAY + 168 * week + 100 + hour for week in range(13) for hour in range(5)]
    week = week_of([*quiet, busy], ZoneInfo("UTC"))
    assert week.best is not None
    assert (week.best[0]["weekday"], week.best[0]["hour"]) == (0, 9)
    scattered = [[MONDAY + 1 + 4 * (7 * i + k) for k in range(7)] for i in range(6)]
    alone = week_of([busy, *scattered], ZoneInfo("UTC"))
    assert (alone.best, alone.table.sum(), alone.reason) == (None, 65 + 42, FEW_IN_HOURS)
    nobody = week_of([], ZoneInfo("UTC"))
    assert (nobody.best, nobody.accounts, nobody.table.sum()) == (None, 0, 0)
    assert nobody.reason


def test_constants_are_those_of_the_distributions() -> None:
    assert pytest.approx(chi2.ppf(0.95, 167), abs=0.01) == MOST_DISPERSION
    assert [students_t.ppf(0.95, n - 1) for n in range(FEWEST_WEEKS, 13)] == pytest.approx(T_95, abs=0.001)


def poisson(random: np.random.Generator, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    return random.poisson(3, weeks), random.poisson(1, weeks)


def many(random: np.random.Generator, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    return random.poisson(40, weeks), random.poisson(60, weeks)


def bursts(random: np.random.Generator, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    return random.negative_binomial(2, 2 / (2 + 20), weeks), random.poisson(4, weeks)


def few(random: np.random.Generator, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    return random.poisson(0.4, weeks), random.poisson(0.1, weeks)


@pytest.mark.parametrize("drawn", [poisson, many, bursts, few])
@pytest.mark.parametrize("weeks", [4, 12])
def test_nine_of_ten_times_growth_is_within_its_interval(drawn: Drawn, weeks: int) -> None:
    random, times, ahead = np.random.default_rng(7), 3_000, 4
    inside = np.zeros(ahead)
    for _ in range(times):
        gained, lost = drawn(random, weeks + ahead)
        expected = net_forecast(gained[:weeks].tolist(), lost[:weeks].tolist(), ahead)
        assert expected is not None
        net = np.cumsum((gained - lost)[weeks:])
        inside += [one.low <= value <= one.high for one, value in zip(expected, net, strict=True)]
    share = inside / times
    assert (share > 0.86).all()
    assert (share < (0.98 if drawn is few else 0.93)).all(), "no wider than it must be"


def test_a_forecast_goes_on_as_before() -> None:
    [first, *_, last] = net_forecast([5] * 12, [2] * 12, 4) or []
    assert (first.net, last.net) == (3, 12)
    assert last.high - last.net == pytest.approx(1.796 * np.sqrt(1 / 12 * (4 + 16 / 12)), rel=1e-6)
    [*_, last] = net_forecast([5, 7] * 6, [2] * 12, 4) or []
    assert (last.low, last.net) == (pytest.approx(16 - 1.796 * np.sqrt(12 / 11 * (4 + 16 / 12)), rel=1e-6), 16)
    assert net_forecast([1, 2, 3], [0, 0, 0], 4) is None


def test_a_sample_is_the_same_whatever_the_order() -> None:
    keys = [f"t:{i}" for i in range(500)]
    chosen = sampled(keys, 100)
    assert chosen == sampled(keys[::-1], 100)
    assert len(set(chosen)) == 100
    assert set(sampled(keys, 50)) < set(chosen)
    assert sampled(keys, 500) == sorted(keys)
    numbers = [int(key.removeprefix("t:")) for key in chosen]
    assert 200 < np.mean(numbers) < 300, "no matter how keys begin or end"


def test_what_few_say_is_counted_and_not_named() -> None:
    said = ["Paris", "paris ", "PARIS", "paris", None, "", "Rome", "Rome", "New  York", "New York", "new york"]
    found = said_by_most(said, 3)
    assert (found["said"], found["not_said"]) == (9, 2)
    assert [(one["value"], one["accounts"]) for one in found["items"]] == [("paris", 4), ("New York", 3)]
    assert found["items"][0]["share"] == pytest.approx(4 / 9)


@laws
@given(st.sets(st.sampled_from("abcdefgh")), st.sets(st.sampled_from("abcdefgh")))
def test_overlaps_are_those_of_sets(here: set[str], there: set[str]) -> None:
    one, other = Audience("account", "x", None, ["x"], list(here)), Audience("brand", "y", None, [], list(there))
    found, back = overlap(one, other), overlap(other, one)
    counted = Counter((key in here, key in there) for key in "abcdefgh")
    both, either = counted[True, True], 8 - counted[False, False]
    assert found["both"] == back["both"] == both
    assert found["jaccard"] == back["jaccard"] == (pytest.approx(both / either) if either else None)
    assert found["share_of_this"] == back["share_of_other"] == (pytest.approx(both / len(here)) if here else None)


def test_who_was_never_seen_is_inactive_only_where_all_activity_is_known() -> None:
    last = date(2024, 6, 30)
    today = (last - date(1970, 1, 1)).days
    seen = [("s", today), ("s", today - 89), ("s", today - 90), ("s", None), ("t", None), ("t", today - 400)]
    facts = [{"network": network, "day": day} for network, day in seen]
    for networks, inactive, not_known in (([], 2, 2), (["s"], 3, 1), (["s", "t"], 4, 0)):
        found = flow._activity(facts, networks, last)
        assert (found["active"], found["inactive"], found["not_known"]) == (2, inactive, not_known)
        assert found["inactive_share"] == pytest.approx(inactive / (2 + inactive))
    assert flow._activity(facts[4:5], [], last)["reason"] == flow.NOT_KNOWN


def test_other_audiences_are_read() -> None:
    assert parse_audience("account:mastodon:42") == ("account", "mastodon:42")
    assert parse_audience("community:c1") == ("community", "c1")
    for wrong in ("mastodon:42", "account:", "account", "", ":x"):
        assert parse_audience(wrong) is None


def test_days_of_the_week_occur_equally_often() -> None:
    days = Counter((datetime(2024, 6, 30, tzinfo=UTC) - timedelta(days=back)).weekday() for back in range(HOUR_DAYS))
    assert len(set(days.values())) == 1
