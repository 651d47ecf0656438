"""Writing follows into the graph: each batch is one transaction, ordered with all others by the version lock."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain import Applied, Follow
from service.errors import MigrationError
from service.store.driver import Store, Tx

_UNKNOWN_TIME = -1


def stronger(one: Follow, other: Follow) -> Follow:
    """Return which of two follows with the same ends stands: the later, or the heavier at the same time."""
    return max(one, other, key=lambda follow: (_UNKNOWN_TIME if follow.at is None else follow.at, follow.weight))


def apply_follows(store: Store, batch: Sequence[Follow]) -> Applied:
    """Put a batch of follows into the graph, with the accounts that are not there yet, in one transaction.

    Done again it changes nothing, and neither the order within a batch nor that of batches matters: of follows
    with the same ends the greatest `(at, weight)` stands. The graph's version goes up by one if anything changed,
    and whatever changed is stamped with it. Batches of several processes wait for each other.

    Args:
        store: the graph, migrated.
        batch: any number of follows, in any order, with duplicates or not.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """
    strongest: dict[tuple[str, str], Follow] = {}
    for follow in batch:
        ends = (follow.follower, follow.followee)
        strongest[ends] = stronger(strongest.get(ends, follow), follow)
    # Sorted, because neighbours in the batch are then neighbours on disk.
    follows = [strongest[ends] for ends in sorted(strongest)]
    keys = sorted({key for ends in strongest for key in ends})
    position = {key: i for i, key in enumerate(keys)}
    # Parallel lists of plain values: maps, one a follow, take the driver seven times as long to pack.
    columns = {
        "keys": keys,
        "followers": [position[follow.follower] for follow in follows],
        "followees": [position[follow.followee] for follow in follows],
        "weights": [float(follow.weight) for follow in follows],
        "times": [_UNKNOWN_TIME if follow.at is None else follow.at for follow in follows],
    }

    def work(tx: Tx) -> Applied:
        graph = tx.run("edges/lock")
        if not graph:
            raise MigrationError("The graph has not been prepared; run `entourage migrate`.")
        version, numbered = graph[0]["v"], graph[0]["n"]
        [unknown] = tx.run("edges/unknown_accounts", keys=keys)
        new = [keys[i] for i in unknown["missing"]]
        if new:
            ids = [key.split(":", 1) for key in new]
            tx.run(
                "edges/create_accounts",
                keys=new,
                networks=[network for network, _ in ids],
                native_ids=[native_id for _, native_id in ids],
                first=numbered + 1,
                v=version + 1,
            )
        [merged] = tx.run("edges/merge_follows", **columns, v=version + 1)
        if new or merged["created"] or merged["updated"]:
            version += 1
            tx.run("edges/set_version", v=version, n=numbered + len(new))
        return Applied(
            accounts_created=len(new),
            follows_created=merged["created"],
            follows_updated=merged["updated"],
            version=version,
        )

    return store.write_transaction(work)
