"""Who an audience is and what it does, as the graph has it now, up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from service.store.driver import AsyncStore, Row
from service.store.runs import in_utc


async def read_own_accounts(store: AsyncStore, brand: str) -> list[str]:
    """Return the keys of a brand's own accounts, ascending."""
    return [row["account"] for row in await store.read("audience/own_accounts", brand=brand)]


async def read_followers(store: AsyncStore, targets: Sequence[str], most: int) -> list[str]:
    """Return the keys of who follows any of some accounts without being one of them, in no order; at most so many."""
    return await _keys(store, "audience/followers", targets=[*targets], most=most)


async def read_members(store: AsyncStore, run_id: str, community_id: str, most: int) -> list[str]:
    """Return the keys of the members of a community of a run, in no order; at most so many."""
    return await _keys(store, "audience/members", run=run_id, id=community_id, most=most)


async def _keys(store: AsyncStore, name: str, **parameters: object) -> list[str]:
    [row] = await store.read(name, **parameters)
    keys: list[str] = row["keys"]
    return keys


async def read_facts(store: AsyncStore, keys: Sequence[str], last: date, until: datetime) -> list[Row]:
    """Read of some accounts: key, network, lang, location, and the last active day, None where never seen."""
    return await store.read("audience/facts", keys=[*keys], last=last, until=until)


async def read_hours(store: AsyncStore, keys: Sequence[str], first: date, last: date) -> list[list[int]]:
    """Read the hours since 1970 UTC in which some accounts were active, of each of those that were at any time."""
    return [row["hours"] for row in await store.read("audience/hours", keys=[*keys], first=first, last=last)]


async def read_growth(store: AsyncStore, targets: Sequence[str], until: datetime) -> list[Row]:
    """Read how many began and stopped to follow some accounts: day (None where unknown), gained, lost; by day."""
    return await store.read("audience/growth", targets=[*targets], until=until)


async def read_unfollowed(store: AsyncStore, targets: Sequence[str], until: datetime, most: int) -> list[Row]:
    """Read who stopped to follow some accounts last: account, handle, followed, at."""
    rows = await store.read("audience/unfollowed", targets=[*targets], until=until, most=most)
    return [{**row, "at": in_utc(row["at"])} for row in rows]


async def count_follows_inside(store: AsyncStore, keys: Sequence[str]) -> int:
    """Count the follows between some accounts."""
    [row] = await store.read("audience/follows_inside", keys=[*keys])
    return int(row["follows"])


async def count_graph(store: AsyncStore) -> tuple[int, int]:
    """Count the accounts and the follows of the graph."""
    [row] = await store.read("audience/density")
    return int(row["accounts"]), int(row["follows"])
