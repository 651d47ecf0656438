"""What is asked and answered over HTTP about audiences."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from service.api.schemas import ReadQuery, RunSummary
from service.flows.audience import parse_audience


@cache
def zones() -> frozenset[str]:
    """Names of the time zones that there are: of places and of UTC, and not that of the machine."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


class AudienceQuery(ReadQuery):
    """Which run's day to read up to, in whose time to tell hours, and what to compare with."""

    tz: str = Field(
        default="UTC",
        min_length=1,
        max_length=64,
        description="Name of a time zone, such as Europe/Paris: days and hours are told in its time.",
    )
    other: str | None = Field(
        default=None,
        alias="with",
        max_length=1_000,
        description="Another audience to compare with: `account:` and a key, `community:` and an id, or `brand:` and a "
        "key.",
    )

    @field_validator("tz")
    @classmethod
    def _known(cls, tz: str) -> str:
        if tz not in zones():
            raise PydanticCustomError(
                "timezone", "there is no time zone of this name; write one like Europe/Paris or UTC"
            )
        return tz

    @field_validator("other")
    @classmethod
    def _an_audience(cls, other: str | None) -> str | None:
        if other is not None and parse_audience(other) is None:
            raise PydanticCustomError(
                "audience", "write account:KEY, community:ID or brand:KEY, for instance account:mastodon:42"
            )
        return other


class AudienceName(BaseModel):
    """Whose audience it is."""

    kind: Literal["account", "community", "brand"]
    key: str = Field(description="Of a community its id.")
    name: str | None = Field(description="Handle, label or name.")


class Sampled(BaseModel):
    """How many of an audience were looked at: of large ones the same 2,000 every time, those with the lowest hashes."""

    looked_at: int
    of: int


class BestHour(BaseModel):
    """An hour of the week in which an audience is active more than on average."""

    weekday: int = Field(description="0 is Monday.")
    hour: int
    observations: int = Field(description="Account-hours of activity.")
    accounts: int
    times_average: float = Field(description="How many times as active as in the mean of all 168 hours, estimated.")


class ActiveHours(BaseModel):
    """When those who were looked at did something with others: of each account every hour of every day at most once."""

    timezone: str
    first: date = Field(description="The first day that counts, in UTC.")
    last: date
    observations: int
    accounts: int = Field(description="Of how many it is known at which hours of these days they were active.")
    table: list[list[int]] | None = Field(
        description="Account-hours of 7 days, Monday first, of 24 hours each; null of fewer than five accounts."
    )
    best: list[BestHour] | None
    reason: str | None = Field(description="Why no hour is called better than others.")


class GrowthWeek(BaseModel):
    """Accounts that began to follow in a week and still do, and that stopped in it."""

    first: date
    last: date
    gained: int
    lost: int
    net: int


class ForecastWeek(BaseModel):
    """Net growth from now to the end of a week: what is expected, and between what it is with a chance of 90%."""

    last: date
    net: float
    low: float
    high: float


class Growth(BaseModel):
    """How an audience grew in twelve weeks, the earliest first, and may grow in the next four."""

    weeks: list[GrowthWeek] | None
    undated: int | None = Field(description="Accounts of which nobody knows when they began to follow.")
    undated_lost: int | None = Field(description="Accounts of which nobody knows when they stopped.")
    forecast: list[ForecastWeek] | None
    reason: str | None = Field(description="Why there is no forecast.")


class Unfollowed(BaseModel):
    """Who stopped to follow which account, and when."""

    account: str
    handle: str | None
    followed: str | None
    at: datetime


class AudienceActivity(BaseModel):
    """How many of those who were looked at were active lately, and were not."""

    window_days: int
    active: int
    inactive: int
    not_known: int = Field(description="Of so many nobody knows: they were never seen, and may be missing in the data.")
    inactive_share: float | None = Field(description="Of those of whom it is known.")
    reason: str | None


class SaidByMany(BaseModel):
    """Something that at least three say of themselves, as most of them write it."""

    value: str
    accounts: int
    share: float = Field(description="Among those who say anything.")


class SaidOfThemselves(BaseModel):
    """What those who were looked at say of themselves: what most say first."""

    said: int
    not_said: int
    items: list[SaidByMany]


class Interconnection(BaseModel):
    """The share of ordered pairs of accounts of which the first follows the second."""

    share: float | None = Field(description="Among those who were looked at.")
    follows: int
    accounts: int
    community_share: float | None = Field(description="In the community that is asked about, or of the account.")
    graph_share: float | None = Field(
        description="In the whole graph as it is now. That of the community is of the run, without follows that count "
        "nothing; the others are of all follows."
    )
    reason: str | None


class Overlap(BaseModel):
    """How many are in both of two whole audiences."""

    audience: AudienceName = Field(alias="with")
    size: int
    both: int
    jaccard: float | None = Field(description="Those in both among those in either.")
    share_of_this: float | None
    share_of_other: float | None


class AudienceAnswer(BaseModel):
    """All about an audience, as the graph has it now, up to the day of the run's data."""

    run: RunSummary
    audience: AudienceName
    size: int
    sampled: Sampled
    hours: ActiveHours
    growth: Growth
    unfollowed: list[Unfollowed] = Field(description="The latest first.")
    activity: AudienceActivity
    languages: SaidOfThemselves
    places: SaidOfThemselves
    interconnection: Interconnection
    overlap: Overlap | None
