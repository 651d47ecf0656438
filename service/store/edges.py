"""Writing follows and unfollows into the graph: each batch is one transaction, ordered with all others by its lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from service.domain import Applied, Follow
from service.errors import MigrationError
from service.records import Statement
from service.store.driver import Store, Tx

_UNKNOWN_TIME = -1
Pair = tuple[str, str]


def stronger(one: Follow, other: Follow) -> Follow:
    """Return which of two follows with the same ends stands: the later, or the heavier at the same time."""
    return max(one, other, key=lambda follow: (_time(follow), follow.weight))


def _time(follow: Follow) -> int:
    return _UNKNOWN_TIME if follow.at is None else follow.at


class Change:
    """A transaction that changes the graph: it holds the version lock, and raises the version if anything changed.

    Raises:
        MigrationError: the graph has not been migrated.
    """

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        graph = tx.run("edges/lock")
        if not graph:
            raise MigrationError("The graph has not been prepared; run `entourage migrate`.")
        self._before, self._numbered = graph[0]["v"], graph[0]["n"]
        self.unfollowed: int = graph[0]["unfollowed"]
        self._new_accounts = self._new_others = 0

    @property
    def version(self) -> int:
        """The version with which everything that changes is stamped."""
        return int(self._before) + 1

    def ensure_accounts(self, keys: Sequence[str]) -> None:
        """Create the accounts that are not in the graph yet; each key is there once."""
        if not keys:
            return
        [unknown] = self.tx.run("edges/unknown_accounts", keys=keys)
        new = [keys[i] for i in unknown["missing"]]
        if new:
            ids = [key.split(":", 1) for key in new]
            self.tx.run(
                "edges/create_accounts",
                keys=new,
                networks=[network for network, _ in ids],
                native_ids=[native_id for _, native_id in ids],
                first=self._numbered + self._new_accounts + 1,
                v=self.version,
            )
            self._new_accounts += len(new)

    def ensure(self, kind: Literal["posts", "brands"], keys: Sequence[str]) -> None:
        """Create the posts or brands that are not in the graph yet, with nothing known of them."""
        if keys:
            [merged] = self.tx.run(f"{kind}/ensure", keys=keys, v=self.version)
            self._new_others += merged["created"]

    def done(self, created: int, updated: int) -> Applied:
        """End the change: nothing may follow it in its transaction."""
        version = int(self._before)
        if self._new_accounts or self._new_others or created or updated:
            version = self.version
            self.tx.run("edges/set_version", v=version, n=self._numbered + self._new_accounts)
        return Applied(self._new_accounts, created, updated, version)


def apply_follows(store: Store, batch: Sequence[Follow]) -> Applied:
    """Put a batch of follows into the graph, with the accounts that are not there yet, in one transaction.

    Done again it changes nothing, and neither the order within a batch nor that of batches matters: of follows
    with the same ends the greatest `(at, weight)` stands, unless there was an unfollow at that time or later. The
    graph's version goes up by one if anything changed, and whatever changed is stamped with it. Batches of several
    processes wait for each other.

    Args:
        store: the graph, migrated.
        batch: any number of follows, in any order, with duplicates or not.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """
    strongest: dict[Pair, Follow] = {}
    for follow in batch:
        ends = (follow.follower, follow.followee)
        strongest[ends] = stronger(strongest.get(ends, follow), follow)

    def work(tx: Tx) -> Applied:
        change = Change(tx)
        columns = _columns(list(strongest))
        change.ensure_accounts(columns["keys"])
        standing = _not_unfollowed(tx, strongest) if change.unfollowed else strongest
        columns = _columns(list(standing))
        [merged] = tx.run(
            "edges/merge_follows",
            **columns,
            weights=[float(standing[ends].weight) for ends in sorted(standing)],
            times=[_time(standing[ends]) for ends in sorted(standing)],
            v=change.version,
        )
        return change.done(merged["created"], merged["updated"])

    return store.write_transaction(work)


def _columns(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return pairs as the parameters of queries: sorted, because neighbours in the batch are then neighbours on disk.

    Parallel lists of plain values: maps, one a follow, take the driver seven times as long to pack.
    """
    keys = sorted({key for pair in pairs for key in pair})
    position = {key: i for i, key in enumerate(keys)}
    ordered = sorted(pairs)
    return {
        "keys": keys,
        "followers": [position[follower] for follower, _ in ordered],
        "followees": [position[followee] for _, followee in ordered],
    }


def _not_unfollowed(tx: Tx, follows: dict[Pair, Follow]) -> dict[Pair, Follow]:
    """Leave out the follows that an unfollow ended; take away the unfollows that a follow came after."""
    pairs = sorted(follows)
    ended = {pairs[row["i"]]: row["at"] for row in tx.run("edges/unfollowed", **_columns(pairs))}
    again = [pair for pair, at in ended.items() if _time(follows[pair]) > at]
    if again:
        tx.run("edges/remove_unfollowed", **_columns(again))
    return {pair: follow for pair, follow in follows.items() if pair not in ended or pair in again}


def apply_unfollows(store: Store, batch: Sequence[Statement]) -> Applied:
    """End follows, in one transaction: the same promises as `apply_follows`.

    An unfollow ends the follows with the same ends of that time and earlier ones, also those that come later, so it
    leaves a tombstone. A statement without a time of its own does not make a known unfollow newer.

    Args:
        store: the graph, migrated.
        batch: statements about `unfollows`; their identity is (follower, followee).

    Returns:
        `created` counts new tombstones, `updated` those that became newer.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """

    def work(tx: Tx) -> Applied:
        change = Change(tx)
        pairs = sorted({_pair(statement) for statement in batch})
        change.ensure_accounts(_columns(pairs)["keys"])
        known, times, created, updated = _standing_unfollows(tx.run, pairs, batch)
        changed = sorted(pair for pair, at in times.items() if known.get(pair) != at)
        if changed:
            tx.run(
                "edges/merge_unfollows", **_columns(changed), times=[times[pair] for pair in changed], v=change.version
            )
        return change.done(created, updated)

    return store.write_transaction(work)


def _pair(statement: Statement) -> Pair:
    follower, followee = statement.identity
    return str(follower), str(followee)


def _standing_unfollows(
    run: Any, pairs: Sequence[Pair], batch: Sequence[Statement]
) -> tuple[dict[Pair, int], dict[Pair, int], int, int]:
    """Return tombstones as they are, tombstones as they should be, and how many lines create and change one."""
    follows = {pairs[row["i"]]: row["at"] for row in run("edges/known_follows", **_columns(pairs))}
    known = {pairs[row["i"]]: row["at"] for row in run("edges/unfollowed", **_columns(pairs))}
    times = dict(known)
    created = updated = 0
    for statement in batch:
        pair = _pair(statement)
        if statement.at < follows.get(pair, _UNKNOWN_TIME):
            continue
        if pair not in times:
            created += 1
        elif statement.dated and statement.at > times[pair]:
            updated += 1
        else:
            continue
        times[pair] = statement.at
    return known, times, created, updated


def check_follows(store: Store, batch: Sequence[Follow]) -> tuple[set[str], set[Pair], int]:
    """Say what a batch of follows would do to the graph as it is now, without writing.

    Returns:
        Keys of accounts that are not in the graph, pairs that do not follow yet, and how many follows would change.
    """
    pairs = sorted({(follow.follower, follow.followee) for follow in batch})
    columns = _columns(pairs)
    known = {pairs[row["i"]]: (row["at"], row["weight"]) for row in store.read("edges/known_follows", **columns)}
    ended = {pairs[row["i"]]: row["at"] for row in store.read("edges/unfollowed", **columns)}
    created: set[Pair] = set()
    updated: set[Pair] = set()
    for follow in batch:
        pair = (follow.follower, follow.followee)
        if pair in ended and _time(follow) <= ended[pair]:
            continue
        if pair not in known:
            created.add(pair)
        elif (_time(follow), follow.weight) > known[pair]:
            updated.add(pair)
    return missing_accounts(store, columns["keys"]), created, len(updated)


def check_unfollows(store: Store, batch: Sequence[Statement]) -> tuple[set[str], set[Pair], int]:
    """Say what a batch of unfollows would do to the graph as it is now, without writing; see `check_follows`."""
    pairs = sorted({_pair(statement) for statement in batch})
    known, times, _, updated = _standing_unfollows(store.read, pairs, batch)
    return missing_accounts(store, _columns(pairs)["keys"]), times.keys() - known.keys(), updated


def missing_accounts(store: Store, keys: Sequence[str]) -> set[str]:
    """Return which of these accounts are not in the graph."""
    [unknown] = store.read("edges/unknown_accounts", keys=keys)
    return {keys[i] for i in unknown["missing"]}
