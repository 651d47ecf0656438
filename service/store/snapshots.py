"""Reading the whole graph over Bolt, as columns, cut at one version.

Neo4j gives no snapshot isolation: a long read sees some of what is written meanwhile. So the version is noted, all is
read, and what changed after that version is read again in one transaction that holds the version lock: what comes out
is the graph at the version under that lock. Values come as lists, a range of accounts a row, because a row a value
costs many times more; `Account.n` stands for long keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from service.domain import AccountColumns, FollowColumns, Progress, no_progress
from service.store.driver import Store, Tx

ACCOUNTS_A_ROW = 10_000
FOLLOWS_OF_A_ROW = 1_000
"""Accounts whose follows come in one row: about ten follows each makes rows of 10,000 values."""


def read_snapshot(store: Store, progress: Progress = no_progress) -> tuple[AccountColumns, FollowColumns, int]:
    """Read all accounts and follows as they are at one version.

    Returns:
        The accounts and the follows, in no particular order, and the version of the graph they are cut at.

    Raises:
        StoreError: Neo4j did not answer.
    """
    state = store.read("snapshot/state")[0]
    total = state["n"]  # accounts are numbered from 1
    accounts, follows = _Accounts(), _Follows()
    for first in range(1, total + 1, ACCOUNTS_A_ROW):
        accounts.add(store.read("snapshot/accounts", first=first, last=first + ACCOUNTS_A_ROW))
    for first in range(1, total + 1, FOLLOWS_OF_A_ROW):
        progress("snapshot", first, total)
        follows.add(store.read("snapshot/follows", first=first, last=first + FOLLOWS_OF_A_ROW))

    def changed(tx: Tx) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
        version = tx.run("snapshot/lock")[0]["v"]
        if version == state["v"]:
            return version, [], []
        return (
            version,
            tx.run("snapshot/accounts_changed", after=state["v"]),
            tx.run("snapshot/follows_changed", after=state["v"]),
        )

    version, newer_accounts, newer_follows = store.write_transaction(changed)
    accounts.add(newer_accounts)
    follows.add(newer_follows)
    progress("snapshot", total, total)
    return accounts.columns(), follows.columns(), version


class _Accounts:
    """Gathers account columns; of an account that comes twice the later row stands."""

    def __init__(self) -> None:
        self.n: list[int] = []
        self.key: list[str] = []
        self.handle: list[str | None] = []
        self.opted_out: list[bool] = []
        self.followers: list[int] = []

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self.n += row["n"]
            self.key += row["key"]
            self.handle += [handle or None for handle in row["handle"]]
            self.opted_out += row["opted_out"]
            self.followers += row["followers"]

    def columns(self) -> AccountColumns:
        n = np.array(self.n, dtype=np.int64)
        last = _last_of_each(n)
        return AccountColumns(
            n=n[last],
            key=[self.key[i] for i in last],
            handle=[self.handle[i] for i in last],
            opted_out=np.array(self.opted_out, dtype=np.bool_)[last],
            followers=np.array(self.followers, dtype=np.int64)[last],
        )


class _Follows:
    """Gathers follow columns; of a follow that comes twice the later row stands."""

    def __init__(self) -> None:
        self.source: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.target: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.weight: list[npt.NDArray[np.float64]] = [np.empty(0, dtype=np.float64)]
        self.at: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self.source.append(np.array(row["source"], dtype=np.int64))
            self.target.append(np.array(row["target"], dtype=np.int64))
            self.weight.append(np.array(row["weight"], dtype=np.float64))
            self.at.append(np.array(row["at"], dtype=np.int64))

    def columns(self) -> FollowColumns:
        source, target = np.concatenate(self.source), np.concatenate(self.target)
        span = int(target.max(initial=0)) + 1
        last = _last_of_each(source * span + target)
        return FollowColumns(
            source=source[last],
            target=target[last],
            weight=np.concatenate(self.weight)[last],
            at=np.concatenate(self.at)[last],
        )


def _last_of_each(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Positions of the last occurrence of each distinct value, in order of value."""
    _, first_from_the_end = np.unique(values[::-1], return_index=True)
    return (len(values) - 1 - first_from_the_end).astype(np.int64)
