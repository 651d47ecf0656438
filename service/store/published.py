"""What readers get: the published set of a run, and one account with its place in it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from service.domain import Current, Freshness, PublishedPart
from service.errors import AccountNotFound, CommunityNotFound, NotFound, PublishedSetCorrupt, RunNotFound
from service.store.driver import AsyncStore, Row
from service.store.runs import get_run, in_utc


async def read_current(store: AsyncStore) -> Current:
    """Say which run readers see by default, and how often people have named communities."""
    rows = await store.read("runs/current")
    if not rows:
        return Current(None, 0)
    return Current(rows[0]["id"], rows[0]["names_v"] or 0, rows[0]["masks_v"] or 0)


async def current_run_id(store: AsyncStore) -> str | None:
    """Return the id of the run that readers see by default; None before the first was published."""
    return (await read_current(store)).run


async def read_freshness(store: AsyncStore) -> Freshness:
    """Say which run readers see by default, what it saw of the graph, and at which version the graph is now."""
    rows = await store.read("published/freshness")
    if not rows:
        return Freshness(None, None, None, None, None)
    [row] = rows
    return Freshness(
        row["run"], in_utc(row["as_of"]), in_utc(row["finished_at"]), row["graph_version"], row["graph_version_now"]
    )


async def read_part(store: AsyncStore, run_id: str, name: str) -> PublishedPart:
    """Read one part of what a run published: `communities`, `groups` or `candidates/<community id>`.

    Raises:
        RunNotFound: there is no such run, or it has published nothing.
        CommunityNotFound: the run has no such community.
        NotFound: the run has no such part.
        PublishedSetCorrupt: what is stored is not what was published.
    """
    rows = await store.read("published/part", run=run_id, part=name)
    if not rows:
        run = await get_run(store, run_id)
        if run.state != "done":
            raise RunNotFound(f"Run {run_id} is {run.state} and has published nothing; read a run that is done.")
        if name.startswith("candidates/"):
            raise CommunityNotFound(
                f"There is no community {name.removeprefix('candidates/')} in run {run_id}; list its communities first."
            )
        raise NotFound(f"Run {run_id} has published no part {name}.")
    return PublishedPart(name=name, lines=[line for row in _checked(rows, run_id, name) for line in _lines(row)])


def _checked(rows: list[Row], run_id: str, name: str) -> list[Row]:
    """Raise PublishedSetCorrupt unless these are all files of the part, each as it was written."""
    whole = [row["seq"] for row in rows] == list(range(rows[0]["files"]))
    if not whole or any(
        sha256(row["bytes"] or b"").hexdigest() != row["sha256"] or len(_lines(row)) != row["lines"] for row in rows
    ):
        raise PublishedSetCorrupt(
            f"Part {name} of run {run_id} is not what was published: a file of it is damaged or missing. "
            "Change nothing by hand on RunFile nodes; a new analysis publishes a whole set."
        )
    return rows


def _lines(row: Row) -> list[bytes]:
    # Not splitlines(): JSON may hold other line ends unescaped, but never a newline.
    return bytes(row["bytes"] or b"").split(b"\n")[:-1]


async def read_neighbours(store: AsyncStore, run_id: str, community_id: str, key: str) -> dict[str, dict[str, Any]]:
    """Read who stands just above and just below an account in a community of a run: memberships with key and handle."""
    rows = await store.read("published/neighbours", run=run_id, community=community_id, key=key)
    return {row["side"]: row["membership"] for row in rows}


async def read_ties(store: AsyncStore, pairs: list[tuple[str, str]]) -> list[Row]:
    """Read ties, from who follows or engages to whom, as the graph has them now."""
    if not pairs:
        return []
    return await store.read(
        "published/ties", follower=[one for one, _ in pairs], followee=[other for _, other in pairs]
    )


async def read_posts(store: AsyncStore, keys: list[str]) -> list[Row]:
    """Read posts as the graph has them now; of who opted out neither author nor text."""
    return await store.read("published/posts", keys=keys) if keys else []


async def read_account(store: AsyncStore, run_id: str, key: str) -> dict[str, Any]:
    """Read one account as the graph has it now, and where a run put it.

    Returns:
        account: its properties; followers, following: counts of follows in the graph; memberships: a list with the
        properties of each `MEMBER_OF` of the run (primary, share, and in its own community type, in_base, score, rank,
        authority, ...), and under `community` that community's id, label, size and respectable. Its own community comes
        first; the list is empty for an account without ties.

    Raises:
        AccountNotFound: there is no account with this key.
    """
    rows = await store.read("published/account", run=run_id, key=key)
    if not rows:
        raise no_account(key)
    return rows[0]


def no_account(key: str) -> AccountNotFound:
    """The error for a key of which there is no account."""
    return AccountNotFound(f"There is no account {key}; a key is network:id, for instance mastodon:42.")
