"""What two kept runs say of the same communities and accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.store.driver import AsyncStore, Row


async def published_before(store: AsyncStore, run_id: str) -> str | None:
    """Return the id of the published run that finished last before another one; None where there is none."""
    rows = await store.read("differences/published_before", run=run_id)
    return rows[0]["id"] if rows else None


async def read_member_changes(
    store: AsyncStore, run_id: str, since_id: str, communities: Mapping[str, Sequence[str]], most: int
) -> dict[str, Row]:
    """Read who came to communities and who left them between two runs, and where some accounts are in the later one.

    Who opted out since is counted among those who came and left, and not among the keys and accounts.

    Args:
        store: the graph.
        run_id, since_id: the later and the earlier run.
        communities: ids of communities of either run, each with keys of accounts to look up.
        most: how many keys to give of those who came to a community, and of those who left it.

    Returns:
        By community id: `came` and `left`, counts; `came_keys` and `left_keys`; `accounts`, each with `key`, `here`
        (its membership of this community in the later run) and `own` (that of its own community, with the id as
        `community`), None where there is none.
    """
    if not communities:
        return {}
    rows = await store.read(
        "differences/members",
        run=run_id,
        since=since_id,
        communities=[{"id": one, "accounts": list(accounts)} for one, accounts in communities.items()],
        most=most,
    )
    return {row["community"]: row for row in rows}
