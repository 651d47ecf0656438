"""Figures about an audience: in which hours of a week it is active, and what growth to expect."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from service.analytics.rounding import significant
from service.domain import Float64, Int64

HOURS: Final = 7 * 24

LEAST_OBSERVATIONS, LEAST_ACCOUNTS = 100, 5
"""With fewer account-hours, or from fewer accounts, no hour is called better than another (c)."""

LEAST_IN_HOUR = 3
"""Accounts that must have been active in an hour of the week for it to be among the best (c)."""

MOST_DISPERSION: Final = 198.15
"""95% point of χ² with 167 degrees of freedom: hours that differ less differ no more than by chance."""

BEST = 5

FEWEST_WEEKS = 4
"""Whole weeks of growth from which a forecast is made (c)."""

T_95: Final = (2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796)
"""95% points of Student's t with 3 to 11 degrees of freedom: for 4 to 12 weeks."""

FEW_OBSERVATIONS = (
    f"Fewer than {LEAST_OBSERVATIONS} hours of activity, or those of fewer than {LEAST_ACCOUNTS} accounts, do not say "
    "which hours are better."
)
NO_DIFFERENCE = "The hours of the week differ no more than they would by chance."
FEW_IN_HOURS = f"In no hour of the week that is above the mean were {LEAST_IN_HOUR} accounts active."
NO_DATES = "It is not known of any follow when it began or ended."
FEW_WEEKS = f"Growth is known of fewer than {FEWEST_WEEKS} whole weeks."


@dataclass(frozen=True)
class Week:
    """How active an audience is in each hour of the week.

    Attributes:
        table: int64[7, 24], Monday first: account-hours, of each account every hour of every day at most once.
        accounts: how many were active at any time.
        best: weekday (0 is Monday), hour, account-hours and accounts of the best hours, and how many times the mean of
            all hours that is; the best first. None where there is too little to say.
        reason: why it is None.
    """

    table: Int64
    accounts: int
    best: list[dict[str, float | int]] | None
    reason: str | None


def week_of(active: Sequence[Iterable[int]], zone: ZoneInfo) -> Week:
    """Say in which hours of the week accounts are active, in the time of a zone.

    How many times the mean m an hour with c account-hours is, is estimated as (c + a) / (m + a): the mean of what may
    be behind c, where rates of hours vary as a gamma distribution with shape a around their mean (empirical Bayes). a
    is m² / (s² - m) for the variance s² of the counts: where hours differ hardly more than by chance, it is large, and
    all are near 1.

    In a zone that is off by part of an hour, an hour counts where its middle is.

    Args:
        active: of each account the hours in which it was active, in hours since 1970 UTC, each once.
        zone: whose days and hours to count by.
    """
    rows = [np.fromiter(one, dtype=np.int64) for one in active]
    moments, place = np.unique(np.concatenate([*rows, np.empty(0, np.int64)]), return_inverse=True)
    slots = np.array([_slot(hour, zone) for hour in moments.tolist()], dtype=np.int64)[place]
    who = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    counts = np.bincount(slots, minlength=HOURS)
    accounts = np.bincount(np.unique(slots * max(len(rows), 1) + who) // max(len(rows), 1), minlength=HOURS)
    some = sum(len(row) > 0 for row in rows)
    table = counts.reshape(7, 24)
    if counts.sum() < LEAST_OBSERVATIONS or some < LEAST_ACCOUNTS:
        return Week(table, some, None, FEW_OBSERVATIONS)
    mean = counts.sum() / HOURS
    if ((counts - mean) ** 2).sum() / mean <= MOST_DISPERSION:
        return Week(table, some, None, NO_DIFFERENCE)
    shape = mean**2 / (counts.var(ddof=1) - mean)
    times: Float64 = significant((counts + shape) / (mean + shape))
    order = [
        at for at in np.argsort(-counts, kind="stable").tolist() if accounts[at] >= LEAST_IN_HOUR and times[at] > 1
    ]
    best: list[dict[str, float | int]] = [
        {
            "weekday": at // 24, "hour": at % 24, "observations": int(counts[at]), "accounts": int(accounts[at]),
            "times_average": float(times[at]),
        }
        for at in order[:BEST]
    ]  # fmt: skip
    return Week(table, some, best, None) if best else Week(table, some, None, FEW_IN_HOURS)


def _slot(hour: int, zone: ZoneInfo) -> int:
    """Which hour of the week, in a zone, an hour since 1970 UTC is."""
    middle = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=30)
    local = middle.astimezone(zone)
    return local.weekday() * 24 + local.hour


@dataclass(frozen=True)
class Expected:
    """Net growth that is expected until the end of a week, and the interval that it is in with 90% probability."""

    net: float
    low: float
    high: float


def net_forecast(gained: Sequence[int], lost: Sequence[int], ahead: int) -> list[Expected] | None:
    """Say what net growth to expect over the next weeks, from that of past weeks; None where these are too few.

    The mean m of the past n weeks goes on: h · m after h weeks, ± t · s · √(h + h² / n), with Student's t of n - 1
    degrees of freedom. The first summand is what weeks vary by themselves, the second how well n weeks tell their mean.
    s² is the variance of net growth between weeks, whatever it comes from, and at least 1 / n: what has not happened in
    n weeks may. A trend is not looked for: twelve numbers tell more of the mean than of its slope.

    Args:
        gained, lost: of each past week, whole weeks only.
        ahead: weeks to come.
    """
    n = len(gained)
    if n < FEWEST_WEEKS:
        return None
    net = [a - b for a, b in zip(gained, lost, strict=True)]
    mean = sum(net) / n
    variance = sum((one - mean) ** 2 for one in net) / (n - 1)
    spread = math.sqrt(max(variance, 1 / n))
    t = T_95[min(n - FEWEST_WEEKS, len(T_95) - 1)]
    found = []
    for h in range(1, ahead + 1):
        wide = t * spread * math.sqrt(h + h * h / n)
        expected, low, high = significant(np.array([h * mean, h * mean - wide, h * mean + wide])).tolist()
        found.append(Expected(expected, low, high))
    return found
