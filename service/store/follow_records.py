"""Follows that their network names by an id of their own (a *record*), by which their end may be told.

Some platforms say of an unfollow only which record was deleted, not who followed whom. What a record said is kept until
it ends, and that it ended is kept from then on, so that the end may come first. What is known of a record becomes
follows and unfollows, by whose rules the graph ends up the same in any order: where a record has not ended, a follow at
its beginning; where it has, an unfollow at its end, or at its beginning if that is later. Of several beginnings or ends
of the same record the earliest stands: a network tells of each once, so that what comes later is a repeat.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.domain import Follow
from service.records import Statement
from service.store.edges import Change, FollowBatch, Pair, put_follows, put_unfollows


def put_follow_records(change: Change, batch: Sequence[Statement]) -> tuple[int, int]:
    """Put what is said of records of follows into the graph, within a change.

    Args:
        change: the change.
        batch: statements about `follow_records`. With a value, the weight, one says that a follow began, its identity
            being (record, follower, followee); without, that the record ended: (record,), or with the accounts, too.

    Returns:
        How many follows and ends of follows were created and updated.
    """
    begun, ended, named = _said(batch)
    records = sorted({record for record, _ in begun} | set(ended))
    ends = {records[row["i"]]: row["at"] for row in change.tx.run("follow_records/ended", records=records)}
    live = {
        (records[row["i"]], (row["follower"], row["followee"])): row["at"]
        for row in change.tx.run("follow_records/live", records=records)
    }
    nodes = change.ensure_accounts(sorted({key for _, pair in begun for key in pair}))
    follows = []
    # Of whom the record is may be said with its end alone; that it ended again says nothing.
    unfollows = [Statement("unfollows", pair, (), ended[record]) for record, pair in named if record not in ends]
    kept: list[tuple[str, Pair, int]] = []
    for (record, pair), follow in sorted(begun.items()):
        at = follow.at or 0
        if record in ends:  # that it ended was known before it came
            unfollows.append(Statement("unfollows", pair, (), ends[record]))
        elif record in ended:
            unfollows.append(Statement("unfollows", pair, (), max(at, ended[record])))
        else:
            first = min(at, live.get((record, pair), at))
            follows.append(follow._replace(at=first))
            if live.get((record, pair)) != first:
                kept.append((record, pair, first))
    unfollows += [
        Statement("unfollows", pair, (), max(at, ended[record]))
        for (record, pair), at in live.items()
        if record in ended
    ]
    if kept:
        change.tx.run(
            "follow_records/begin",
            records=[record for record, _, _ in kept],
            followers=[nodes[pair[0]] for _, pair, _ in kept],
            followees=[nodes[pair[1]] for _, pair, _ in kept],
            times=[at for _, _, at in kept],
        )
    earlier = {record: at for record, at in sorted(ended.items()) if at < ends.get(record, at + 1)}
    if earlier:
        change.tx.run("follow_records/end", records=[*earlier], times=[*earlier.values()])
    created, updated = put_follows(change, FollowBatch.of(follows)) if follows else (0, 0)
    if unfollows:
        more = put_unfollows(change, unfollows)
        created, updated = created + more[0], updated + more[1]
    return created, updated


def _said(
    batch: Sequence[Statement],
) -> tuple[dict[tuple[str, Pair], Follow], dict[str, int], list[tuple[str, Pair]]]:
    """Return what a batch says began, by record and pair, and when records ended: the earliest of each.

    And of which records it says with their end whose follows they were.
    """
    begun: dict[tuple[str, Pair], Follow] = {}
    ended: dict[str, int] = {}
    named: set[tuple[str, Pair]] = set()
    for statement in batch:
        record, *accounts = map(str, statement.identity)
        pair = (accounts[0], accounts[1]) if accounts else None
        if not statement.values:
            ended[record] = min(statement.at, ended.get(record, statement.at))
            if pair is not None:
                named.add((record, pair))
        elif pair is not None:
            follow = Follow(*pair, float(statement.values[0]), statement.at)  # type: ignore[arg-type]
            known = begun.get((record, pair), follow)
            begun[record, pair] = min(known, follow, key=lambda one: (one.at or 0, -one.weight))
    return begun, ended, sorted(named)
