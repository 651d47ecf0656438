"""Reading the graph, and what a run found, to be written to files: in order of keys, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from service.domain import Float64, Int64, Run
from service.errors import CommunityNotFound, NothingPublished, RunNotFound
from service.store.driver import Row, Store, not_prepared
from service.store.runs import read_run

ACCOUNTS_AT_ONCE = 2_000
"""Accounts whose follows are read in one go: of most graphs ten thousands of follows."""


class Follows(NamedTuple):
    """Some follows, by the places of their ends in a list of accounts; `at` in milliseconds since 1970 UTC, or -1."""

    source: Int64
    target: Int64
    weight: Float64
    at: Int64


def version_of(store: Store) -> int:
    """Return the version of the graph.

    Raises:
        MigrationError: the graph has not been migrated.
    """
    states = store.write("snapshot/state")
    if not states:
        raise not_prepared()
    return int(states[0]["v"])


def exported_run(store: Store, run_id: str | None) -> Run | None:
    """Return the run to export; None where none is named and none has been published yet.

    Args:
        store: the graph.
        run_id: its id; None for the run that readers see.

    Raises:
        RunNotFound: there is no such run, it is no analysis that is done, or what it found is no longer kept.
    """
    if run_id is None:
        rows = store.read("runs/current")
        run_id = rows[0]["id"] if rows else None
        if run_id is None:
            return None
    run = read_run(store, run_id)
    if run.state != "done" or run.backtest is not None:
        what = "a back-test" if run.backtest is not None else run.state
        raise RunNotFound(f"Run {run_id} is {what} and found nothing to export; `entourage runs list` shows others.")
    if run.removed_at is not None:
        raise RunNotFound(f"What run {run_id} found is no longer kept; export the current run.")
    return run


def nothing_published() -> NothingPublished:
    """The error where results are asked for and there are none."""
    return NothingPublished(
        "No run has been published yet, so that there are no results; run `entourage analyze` first."
    )


def to_be_erased(store: Store) -> set[str]:
    """Return the keys of accounts that are to be erased: for every export they are as good as gone."""
    return {row["key"] for row in store.read("erasures/hidden") if row["v"] is None}


def read_communities(store: Store, run_id: str) -> list[Row]:
    """Read the properties of communities and groups of a run, with `part_of`; level by level, the largest first."""
    return [
        {**row["community"], "part_of": row["part_of"]} for row in store.read("export/communities_of_run", run=run_id)
    ]


def read_members(store: Store, run_id: str, community: str | None) -> list[tuple[str, int, Int64]]:
    """Read id, size and members (ids within Neo4j, best first) of each community that a run found, the largest first.

    With `community` of that one only, also where people defined it. Who opted out or is to be erased is in none.

    Raises:
        CommunityNotFound: the run has no such community.
    """
    rows = list(store.stream("export/members_of_run", rows_at_once=10, run=run_id, community=community))
    if community is not None and not rows:
        raise CommunityNotFound(f"There is no community {community[:80]} in run {run_id}; list its communities first.")
    return [(row["community"], row["size"], np.array(row["members"], dtype=np.int64)) for row in rows]


def read_nodes(store: Store, run_id: str | None, community: str | None) -> Iterator[Row]:
    """Yield accounts with what a run found of them, in order of keys; see cypher/export/nodes.cypher."""
    if community is None:
        return map(dict, store.stream("export/nodes", run=run_id))
    return map(dict, store.stream("export/nodes_of_community", run=run_id, community=community))


def read_follows(store: Store, accounts: Int64) -> Iterator[Follows]:
    """Yield all follows among some accounts, by the places of their ends; sorted by these.

    Args:
        store: the graph.
        accounts: their ids within Neo4j.
    """
    order = np.argsort(accounts)
    ids = accounts[order]
    for first in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        asked: Sequence[int] = accounts[first : first + ACCOUNTS_AT_ONCE].tolist()
        [row] = store.read("export/follows_of", accounts=asked)
        source, target, at = (np.array(row[name], dtype=np.int64) for name in ("source", "target", "at"))
        weight = np.array(row["weight"], dtype=np.float64)
        found = np.minimum(np.searchsorted(ids, target), len(ids) - 1)
        inside = ids[found] == target
        source = order[np.searchsorted(ids, source[inside])]
        target = order[found[inside]]
        by_ends = np.lexsort((target, source))
        yield Follows(source[by_ends], target[by_ends], weight[inside][by_ends], at[inside][by_ends])


def read_memberships(store: Store, run_id: str) -> Iterator[Row]:
    """Yield all memberships of a run, in order of keys; see cypher/export/memberships_of_run.cypher."""
    return map(dict, store.stream("export/memberships_of_run", run=run_id))


def read_scored(store: Store, run_id: str) -> Iterator[Row]:
    """Yield what lenses say of accounts, in order of keys; see cypher/export/scored_of_run.cypher."""
    return map(dict, store.stream("export/scored_of_run", run=run_id))


def read_measured(store: Store) -> Iterator[Row]:
    """Yield what measures of analysts give accounts; see cypher/export/measured.cypher."""
    return map(dict, store.stream("export/measured"))


def read_lineage(store: Store, run_id: str) -> list[Row]:
    """Read where communities of a run come from; see cypher/export/lineage_of_run.cypher."""
    return store.read("export/lineage_of_run", run=run_id)


def count_accounts(store: Store) -> int:
    """Count all accounts."""
    return int(store.read("export/accounts_count")[0]["accounts"])
