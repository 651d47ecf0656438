"""Who follows an account or a brand, or makes up a community: when to reach them, how many come and go, who they are.

All of it is as the graph has it now; what has a time, up to the day of a run's data.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from service.analytics.audience import FEW_WEEKS, NO_DATES, net_forecast, week_of
from service.analytics.lenses.audience import WINDOW_DAYS
from service.analytics.rounding import significant
from service.domain import Community, Run
from service.errors import InvalidRequest
from service.flows.lenses import DAY_ONE, end_of, last_day, summary_of
from service.flows.masking import Mask
from service.store.audience import (
    count_follows_inside,
    count_graph,
    read_facts,
    read_followers,
    read_growth,
    read_hours,
    read_members,
    read_own_accounts,
    read_unfollowed,
)
from service.store.driver import AsyncStore, Row

AudienceKind = Literal["account", "community", "brand"]

SAMPLE = 2_000
"""Of larger audiences so many are looked at."""

HOUR_DAYS = 13 * 7
"""Days of activity: whole weeks, so that each day of the week occurs as often as any other."""

WEEKS_BACK, WEEKS_AHEAD = 12, 4
"""Weeks of growth that are shown, and that are forecast."""

MOST_UNFOLLOWED, MOST_SAID = 20, 10
"""How many who stopped to follow, and how many languages and places, are named."""

MOST_AUDIENCE = 500_000
"""Larger audiences are not looked at while somebody waits."""

LEAST_ACCOUNTS = 5
"""Hours of the week are not told of fewer: they would be those of a person."""

LEAST_SAID = 3
"""A language or a place that fewer say is not named: it would point at them."""

NOBODY = "Nobody is known to be in this audience."
NOT_KNOWN = "Of nobody in this audience is it known whether they are active."
MEMBERS = "A community has members and no followers; what runs say of it tells who came and who left."
NO_HOURS = "Of nothing that this audience does is the hour known: it was imported as counts by day."
FEW_PERSONS = "Too few were active: their hours would be those of single persons."
MOSTLY_UNDATED = "Of most follows nobody knows when they began."
ALONE = "There is only one account in this audience."


@dataclass(frozen=True)
class Audience:
    """Whose audience it is, and who is in it.

    Attributes:
        kind, key: an account, a community or a brand.
        name: handle, label or name; None where unknown.
        targets: keys of the accounts whose followers are the audience; none of a community.
        keys: of the audience.
        community: the community of the account, or the one that is asked about.
    """

    kind: AudienceKind
    key: str
    name: str | None
    targets: list[str]
    keys: list[str]
    community: Community | None = None

    def named(self) -> dict[str, Any]:
        """Whose it is, as answers say it."""
        return {"kind": self.kind, "key": self.key, "name": self.name}


async def audience_of(
    store: AsyncStore, run: Run, kind: AudienceKind, key: str, name: str | None, community: Community | None = None
) -> Audience:
    """Read who follows an account or a brand's own accounts, or is a member of a community; it must exist.

    Raises:
        InvalidRequest: it is too large.
    """
    if kind == "community":
        targets, keys = [], await read_members(store, run.id, key, MOST_AUDIENCE + 1)
    else:
        targets = [key] if kind == "account" else await read_own_accounts(store, key)
        keys = await read_followers(store, targets, MOST_AUDIENCE + 1)
    if len(keys) > MOST_AUDIENCE:
        raise InvalidRequest(f"More than {MOST_AUDIENCE:,} accounts are in this audience; ask about a smaller one.")
    return Audience(kind, key, name, targets, keys, community)


async def about_audience(store: AsyncStore, run: Run, audience: Audience, zone: ZoneInfo, mask: Mask) -> dict[str, Any]:
    """Say all that is known of an audience.

    Args:
        store: the graph.
        run: up to the day of whose data things count.
        audience: whose and who.
        zone: in whose time to tell hours.
        mask: whom an answer may not name.
    """
    last = last_day(run)
    until = end_of(last)
    sample = await asyncio.to_thread(sampled, audience.keys)
    facts, hours, inside, whole, growth, unfollowed = await asyncio.gather(
        read_facts(store, sample, last, until),
        read_hours(store, [one for one in sample if not mask.hides(one)], last - timedelta(days=HOUR_DAYS - 1), last),
        count_follows_inside(store, sample),
        count_graph(store),
        read_growth(store, audience.targets, until),
        read_unfollowed(store, audience.targets, until, MOST_UNFOLLOWED + len(mask.keys)),
    )
    week = await asyncio.to_thread(week_of, hours, zone)
    summary = summary_of(run, "audience")
    networks = [] if summary is None else summary.cut_offs["networks_known"]
    activity = _activity(facts, networks, last)
    few = week.accounts < LEAST_ACCOUNTS
    no_hours = NO_HOURS if activity["active"] and not week.accounts else FEW_PERSONS if few else week.reason
    return {
        "audience": audience.named(),
        "size": len(audience.keys),
        "sampled": {"looked_at": len(sample), "of": len(audience.keys)},
        "hours": {
            "timezone": zone.key,
            "first": last - timedelta(days=HOUR_DAYS - 1),
            "last": last,
            "observations": int(week.table.sum()),
            "accounts": week.accounts,
            "table": None if few else week.table.tolist(),
            "best": week.best,
            "reason": no_hours,
        },
        "growth": _growth(audience, growth, last),
        "unfollowed": _unfollowed(audience, unfollowed, mask),
        "activity": activity,
        "languages": said_by_most((None if mask.hides(row["key"]) else row["lang"] for row in facts), LEAST_SAID),
        "places": said_by_most((None if mask.hides(row["key"]) else row["location"] for row in facts), LEAST_SAID),
        "interconnection": _interconnection(audience, len(sample), inside, whole),
    }


def sampled(keys: Sequence[str], most: int = SAMPLE) -> list[str]:
    """Return so many of some keys, ascending: those with the lowest hashes, so that it is the same ones every time."""
    if len(keys) <= most:
        return sorted(keys)
    return sorted(heapq.nsmallest(most, keys, key=lambda key: (blake2b(key.encode(), digest_size=8).digest(), key)))


def overlap(audience: Audience, other: Audience) -> dict[str, Any]:
    """Say how many are in both of two audiences, which are looked at as a whole."""
    here, there = set(audience.keys), set(other.keys)
    both = len(here & there)
    return {
        "with": other.named(),
        "size": len(there),
        "both": both,
        "jaccard": _ratio(both, len(here) + len(there) - both),
        "share_of_this": _ratio(both, len(here)),
        "share_of_other": _ratio(both, len(there)),
    }


def said_by_most(said: Iterable[str | None], least: int) -> dict[str, Any]:
    """Count what accounts say: what most say first, and how many say nothing.

    Upper and lower case and spaces make no difference; shown is how most of them write it. What fewer than `least` say
    is only counted.
    """
    written: dict[str, Counter[str]] = {}
    silent = 0
    for one in said:
        text = " ".join((one or "").split())
        if text:
            written.setdefault(text.casefold(), Counter())[text] += 1
        else:
            silent += 1
    total = sum(ways.total() for ways in written.values())
    order = sorted(written.items(), key=lambda one: (-one[1].total(), one[0]))
    items = [
        {
            "value": min(ways, key=lambda way: (-ways[way], way)),
            "accounts": ways.total(),
            "share": _ratio(ways.total(), total),
        }
        for _, ways in order
        if ways.total() >= least
    ][:MOST_SAID]
    return {"said": total, "not_said": silent, "items": items}


def _activity(facts: Sequence[Row], networks: Sequence[str], last: date) -> dict[str, Any]:
    """How many were active in the last days, and how many were not, by what the lens takes as known."""
    today = (last - DAY_ONE).days
    active = sum(row["day"] is not None and row["day"] > today - WINDOW_DAYS for row in facts)
    known = sum(row["day"] is not None or row["network"] in networks for row in facts)
    return {
        "window_days": WINDOW_DAYS,
        "active": active,
        "inactive": known - active,
        "not_known": len(facts) - known,
        "inactive_share": _ratio(known - active, known),
        "reason": None if known else NOT_KNOWN if facts else NOBODY,
    }


def _growth(audience: Audience, rows: Sequence[Row], last: date) -> dict[str, Any]:
    """How many began and stopped to follow, week by week, and what to expect."""
    nothing: dict[str, Any] = {"weeks": None, "undated": None, "undated_lost": None, "forecast": None}
    if not audience.targets:
        return {**nothing, "reason": MEMBERS if audience.kind == "community" else NOBODY}
    undated, undated_lost = (sum(row[what] for row in rows if row["day"] is None) for what in ("gained", "lost"))
    dated = [row for row in rows if row["day"] is not None]
    if not dated:
        return {**nothing, "undated": undated, "undated_lost": undated_lost, "reason": NO_DATES}
    today = (last - DAY_ONE).days
    gained, lost = Counter[int](), Counter[int]()
    for row in dated:
        back = (today - row["day"]) // 7
        gained[back] += row["gained"]
        lost[back] += row["lost"]
    backwards = range(WEEKS_BACK - 1, -1, -1)
    weeks = [
        {
            "first": last - timedelta(days=7 * back + 6),
            "last": last - timedelta(days=7 * back),
            "gained": gained[back],
            "lost": lost[back],
            "net": gained[back] - lost[back],
        }
        for back in backwards
    ]
    # A week counts where something was known before it: until then nobody may have written anything down.
    known = [back for back in backwards if today - (7 * back + 6) >= dated[0]["day"]]
    expected = net_forecast([gained[back] for back in known], [lost[back] for back in known], WEEKS_AHEAD)
    mostly_undated = undated > sum(gained.values())
    forecast, nobody = None, -float(len(audience.keys))  # more than all cannot leave
    if expected is not None and not mostly_undated:
        forecast = [
            {
                "last": last + timedelta(days=7 * ahead),
                "net": max(one.net, nobody),
                "low": max(one.low, nobody),
                "high": max(one.high, nobody),
            }
            for ahead, one in enumerate(expected, 1)
        ]
    return {
        "weeks": weeks,
        "undated": undated,
        "undated_lost": undated_lost,
        "forecast": forecast,
        "reason": None if forecast else MOSTLY_UNDATED if mostly_undated else FEW_WEEKS,
    }


def _unfollowed(audience: Audience, rows: Sequence[Row], mask: Mask) -> list[dict[str, Any]]:
    shown = [row for row in rows if not mask.hides(row["account"])][:MOST_UNFOLLOWED]
    if audience.kind == "account":  # which may be named to who asked about it
        return [{**row, "followed": audience.key} for row in shown]
    named = (None if row["followed"] is None or mask.hides(row["followed"]) else row["followed"] for row in shown)
    return [{**row, "followed": followed} for row, followed in zip(shown, named, strict=True)]


def _interconnection(audience: Audience, n: int, follows: int, whole: tuple[int, int]) -> dict[str, Any]:
    """The share of ordered pairs of the accounts looked at that follow, beside that of community and graph."""
    accounts, all_follows = whole
    community = audience.community
    return {
        "share": _ratio(follows, n * (n - 1)),
        "follows": follows,
        "accounts": n,
        "community_share": None
        if community is None
        else _ratio(community.follows_inside, community.size * (community.size - 1)),
        "graph_share": _ratio(all_follows, accounts * (accounts - 1)),
        "reason": None if n > 1 else ALONE if n else NOBODY,
    }


def _ratio(part: int, whole: int) -> float | None:
    return float(significant(np.array([part / whole]))[0]) if whole else None


def parse_audience(text: str) -> tuple[AudienceKind, str] | None:
    """Read `account:KEY`, `community:ID` or `brand:KEY`; None where it is neither."""
    kind, _, key = text.partition(":")
    kinds: Mapping[str, AudienceKind] = {"account": "account", "community": "community", "brand": "brand"}
    return (kinds[kind], key) if kind in kinds and key else None
