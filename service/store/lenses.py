"""What lenses say of accounts, as runs wrote it; and the mixes of lenses that people named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from service.domain import LENS_NAMES, PART_NAMES, Float64, LensMix
from service.errors import MixNotFound
from service.store.driver import AsyncStore, AsyncTx, Row
from service.store.runs import in_utc


@dataclass(frozen=True)
class LensColumns:
    """What lenses say of k accounts, and the raw values of the ambassador score that they have in a community.

    Attributes:
        keys: of the accounts; as they were read, in no particular order.
        handles: of the accounts, empty where unknown.
        communities: id of the community in which each was found, None for none.
        types: macro, micro or member, None in no community.
        own: ids of the communities that they are in by what was found; None for accounts in none.
        values: float64[lenses, k] in the order of LENS_NAMES, NaN where a lens has no value.
        raw: float64[6, k] in the order of PART_NAMES, NaN likewise; authority, which sums to 1 in each community, times
            the number of its members, so that it compares across communities.
    """

    keys: list[str]
    handles: list[str]
    communities: list[str | None]
    types: list[str | None]
    own: set[str | None]
    values: Float64
    raw: Float64


async def read_members(store: AsyncStore, run_id: str, ids: Sequence[str]) -> LensColumns:
    """Read what lenses say of the members of some communities that are compared: those in their base."""
    rows = await store.read("lenses/members", run=run_id, ids=[*ids], lenses=[*LENS_NAMES], parts=[*PART_NAMES])
    return LensColumns(
        keys=[key for row in rows for key in row["keys"]],
        handles=[handle for row in rows for handle in row["handles"]],
        communities=[row["community"] for row in rows for _ in row["keys"]],
        types=[kind for row in rows for kind in row["types"]],
        own={own for row in rows for own in row["own"]},
        values=_table([values for row in rows for values in row["values"]], len(LENS_NAMES)),
        raw=_raw([raw for row in rows for raw in row["raw"]], [row["size"] for row in rows for _ in row["keys"]]),
    )


async def read_accounts(store: AsyncStore, run_id: str, keys: Sequence[str]) -> tuple[LensColumns, list[str]]:
    """Read what lenses say of some accounts.

    Returns:
        Columns of those that the run measured and that have not opted out, and the keys of all that are in the graph.
    """
    rows = await store.read("lenses/accounts", run=run_id, keys=[*keys], lenses=[*LENS_NAMES], parts=[*PART_NAMES])
    there = [row["key"] for row in rows]
    rows = [row for row in rows if row["scored"] and not row["hidden"]]
    columns = LensColumns(
        keys=[row["key"] for row in rows],
        handles=[row["handle"] for row in rows],
        communities=[row["community"] for row in rows],
        types=[row["type"] for row in rows],
        own={row["community"] for row in rows},
        values=_table([row["values"] for row in rows], len(LENS_NAMES)),
        raw=_raw([row["raw"] for row in rows], [row["size"] or 1 for row in rows]),
    )
    return columns, there


def _raw(rows: list[list[float]], sizes: list[int]) -> Float64:
    raw = _table(rows, len(PART_NAMES))
    raw[PART_NAMES.index("authority")] *= sizes
    return raw


def _table(rows: list[list[float]], columns: int) -> Float64:
    return np.array(rows, dtype=np.float64).reshape(-1, columns).T


async def read_scored(store: AsyncStore, run_id: str, key: str) -> Row | None:
    """Read what the lenses of a run say of an account: account, scored, label; None where there is no such account."""
    rows = await store.read("lenses/account", run=run_id, key=key)
    return rows[0] if rows else None


@dataclass(frozen=True)
class LensPast:
    """Values of lenses of one account in one published run, in the order of LENS_NAMES; None where null."""

    run: str
    as_of: datetime | None
    finished_at: datetime | None
    values: tuple[float | None, ...]


async def read_lens_history(store: AsyncStore, key: str) -> list[LensPast]:
    """Read what published runs that are kept said of an account, the earliest first."""
    rows = await store.read("lenses/history", key=key, names=[*LENS_NAMES])
    return [
        LensPast(row["run"], in_utc(row["as_of"]), in_utc(row["finished_at"]), tuple(row["values"])) for row in rows
    ]


@dataclass(frozen=True)
class StatementDay:
    """How many actions of one day gave an account standing, and how many points; `day` is None where nobody knows."""

    day: date | None
    actions: int
    points: int


async def read_statement_days(
    store: AsyncStore,
    run_id: str,
    key: str,
    first: date,
    last: date,
    points: Mapping[str, int],
    follows: int,
    most: int,
) -> list[StatementDay]:
    """Count the actions that gave an account standing, as the graph has them now, the latest day first and None last.

    Args:
        store: the graph.
        run_id: of the run whose communities and weights count.
        key: of the account.
        first, last: the days that count.
        points: of one interaction of each kind.
        follows: points of a follow.
        most: how many interactions of one kind, pair and day count.
    """
    rows = await store.read(
        "lenses/statement_days", run=run_id, key=key, first=first, last=last,
        kinds=[{"name": name, "points": one} for name, one in points.items()], follow_points=follows, most=most,
    )  # fmt: skip
    return [StatementDay(_day(row["day"]), row["actions"], row["points"]) for row in rows]


async def read_statement(
    store: AsyncStore, run_id: str, key: str, days: Sequence[date | None], kinds: Sequence[str], skip: int, limit: int
) -> list[Row]:
    """Read some of the actions that gave an account standing: day, actor, handle, hidden, kind, times, weight.

    The latest day comes first, and follows without a time (their day is None) last. On each day interactions come by
    actor and kind, then follows by actor.

    Args:
        store: the graph.
        run_id: of the run whose communities and weights count.
        key: of the account.
        days: in a row those of `read_statement_days` of which actions are read.
        kinds: of interactions, in their order.
        skip: so many of the actions of these days come before those that are read.
        limit: how many are read at most.
    """
    dated = [one for one in days if one is not None]
    rows = await store.read(
        "lenses/statement", run=run_id, key=key, first=min(dated, default=None), last=max(dated, default=None),
        undated=len(dated) < len(days), kinds=[*kinds], skip=skip, limit=limit,
    )  # fmt: skip
    return [{**row, "day": _day(row["day"])} for row in rows]


def _day(value: Any) -> date | None:
    return None if value is None else value.to_native()


@dataclass(frozen=True)
class Listening:
    """Whose ties are asked about, and which.

    Attributes:
        run: id of the run: follows that it left out, as they carry signs of manipulation, are no follows here.
        key: of the account.
        first, last: days whose interactions count.
        masked: keys of accounts that may not be named, beside those that opted out.
        inwards: whether those are asked about who listen to the account, or those to whom it listens.
    """

    run: str
    key: str
    first: date
    last: date
    masked: Sequence[str]
    inwards: bool


async def read_ties(store: AsyncStore, asked: Listening) -> list[Row]:
    """Read all ties, a row for each weight of follows: follow, quiet, quiet_shown, accounts, hidden, days."""
    return await _read_ties(store, "", asked)


async def read_ties_page(
    store: AsyncStore,
    asked: Listening,
    engaged: Iterable[tuple[str, int]],
    quiet: Iterable[tuple[float, int]],
    skip: int,
    limit: int,
) -> list[Row]:
    """Read whom some ties are with, in the order of places and then of keys: place, account, handle.

    Args:
        store: the graph.
        asked: whose ties.
        engaged: keys of accounts with interactions, each with the place of the weight of its tie.
        quiet: weights of follows without any, each with the place of the weight of such ties.
        skip: so many of these come before those that are read.
        limit: how many are read at most.
    """
    ties = {"engaged": [*map(list, engaged)], "quiet": [*map(list, quiet)]}
    return await _read_ties(store, "_page", asked, **ties, skip=skip, limit=limit)


async def _read_ties(store: AsyncStore, part: str, asked: Listening, **more: Any) -> list[Row]:
    name = "lenses/listeners" if asked.inwards else "lenses/listened_to"
    given = {"run": asked.run, "key": asked.key, "first": asked.first, "last": asked.last, "masked": [*asked.masked]}
    return await store.read(name + part, **given, **more)


async def read_topics(store: AsyncStore, key: str, until: datetime, most: int) -> list[Row]:
    """Read the topics that an account wrote or shared about: topic, posts, post and latest; most posts first."""
    rows = await store.read("lenses/topics", key=key, until=until, most=most)
    return [{**row, "latest": in_utc(row["latest"])} for row in rows]


async def read_entities(store: AsyncStore, key: str, until: datetime, topics: Sequence[str]) -> list[Row]:
    """Read the brands that an account named in posts about topics: topic, brand, name, posts."""
    return await store.read("lenses/entities", key=key, until=until, topics=[*topics])


async def read_engaged_followers(store: AsyncStore, key: str, first: date, last: date, most: int) -> list[Row]:
    """Read the followers of an account that engaged most with it: account, handle, followers, days, responses."""
    return await store.read("lenses/engaged_followers", key=key, first=first, last=last, most=most)


async def read_answered_posts(store: AsyncStore, key: str, first: datetime, until: datetime, most: int) -> list[Row]:
    """Read the posts of an account that got most responses: post, at, kind, likes, replies, reposts, audience."""
    rows = await store.read("lenses/answered_posts", key=key, first=first, until=until, most=most)
    return [{**row, "at": in_utc(row["at"])} for row in rows]


async def read_backers(store: AsyncStore, run_id: str, key: str) -> list[Row]:
    """Read who endorses an account: account, handle, hidden, at, weight, counts; those of most weight first."""
    rows = await store.read("lenses/backers", run=run_id, key=key)
    return [{**row, "at": in_utc(row["at"])} for row in rows]


async def read_own_days(store: AsyncStore, key: str, first: date, last: date, most: int) -> list[Row]:
    """Read what an account did, and what was done with it, by kind and day: kind, day, counts.

    Of one kind at most `most` interactions of a pair and day count.
    """
    rows = await store.read("lenses/own_days", key=key, first=first, last=last, most=most)
    return [{**row, "day": row["day"].to_native()} for row in rows]


# --- mixes -----------------------------------------------------------------------------------------------


async def list_mixes(store: AsyncStore) -> list[LensMix]:
    """Return the mixes that people named, by name."""
    return [_mix(row["name"], row) for row in await store.read("mixes/all")]


async def keep_mix(store: AsyncStore, name: str, weights: dict[str, float]) -> tuple[LensMix, bool]:
    """Keep a mix under a name, instead of one that has it; return it, and whether the name is new."""
    text = json.dumps(weights)

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run("mixes/write", name=name, weights=text)

    [row] = await store.write_transaction(work)
    return _mix(name, {**row, "weights": text}), bool(row["created"])


async def forget_mix(store: AsyncStore, name: str) -> LensMix:
    """Forget a mix, and return it, so that it can be kept again.

    Raises:
        MixNotFound: there is none of this name.
    """

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run("mixes/remove", name=name)

    rows = await store.write_transaction(work)
    if not rows:
        raise no_mix(name)
    return _mix(name, rows[0])


def no_mix(name: str) -> MixNotFound:
    """The error for a name that no mix has."""
    return MixNotFound(f"There is no mix {name[:80]!r}; GET /v1/mixes lists those that there are.")


def _mix(name: str, row: Row) -> LensMix:
    return LensMix(name=name, weights=json.loads(row["weights"]), created_at=in_utc(row["created_at"]))
