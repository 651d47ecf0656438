"""What lenses say of accounts, as runs wrote it; and the mixes of lenses that people named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

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


async def read_statement(store: AsyncStore, run_id: str, key: str, first: date, last: date) -> list[Row]:
    """Read the interactions that gave an account standing, the latest first: as the graph has them now."""
    rows = await store.read("lenses/statement", run=run_id, key=key, first=first, last=last)
    return [{**row, "day": row["day"].to_native()} for row in rows]


async def read_statement_follows(
    store: AsyncStore, run_id: str, key: str, first: datetime, until: datetime
) -> list[Row]:
    """Read the follows that gave an account standing, likewise; those without a time come before all others."""
    rows = await store.read("lenses/statement_follows", run=run_id, key=key, first=first, until=until)
    return [{**row, "day": None if row["day"] is None else row["day"].to_native()} for row in rows]


async def read_influences(
    store: AsyncStore, run_id: str, key: str, first: date, last: date, *, inwards: bool
) -> list[Row]:
    """Read who listens to an account (`inwards`), or whom it listens to: account, handle, hidden, follow, days; by key.

    Follows that the run left out, as they carry signs of manipulation, are no follows here.
    """
    name = "lenses/listeners" if inwards else "lenses/listened_to"
    return await store.read(name, run=run_id, key=key, first=first, last=last)


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


async def read_own_days(store: AsyncStore, key: str, first: date, last: date) -> list[Row]:
    """Read what an account did, and what was done with it, a row for each other account and day: kind, day, counts."""
    rows = await store.read("lenses/own_days", key=key, first=first, last=last)
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
