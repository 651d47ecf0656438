"""Follows that their network names by an id of their own (a *record*), by which their end may be told.

Some platforms say of an unfollow only which record was deleted, not who followed whom; others say no times. So what
each record said is kept: whose follow it is, when it began and when it ended. Of several beginnings or ends of one
record the earliest stands: a network tells of each once, and what comes later is a repeat. A record that has ended
stays so.

What follows and unfollows there are is then decided pair by pair, from all records of the pair: as long as one of them
has not ended, it is a follow with the time of the latest beginning; else an unfollow with the time of the latest
beginning or end. An end that names the two accounts with the record ends all their records that began until then: so
ActivityPub means it, where a follow may have been told under several ids. None of that depends on the order in which it
became known. Where other events speak of the
same pair, the rules of `store.edges` put both together; only an unfollow that records alone brought about gives way
to a record that has not ended, whatever their times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from service.domain import Follow
from service.records import Statement
from service.store.edges import (
    Change,
    FollowBatch,
    Nodes,
    Pair,
    ends_by_lists,
    pair_columns,
    put_follows,
    put_unfollows,
)

_UNKNOWN = -1
_Key = tuple[str, Pair]
"""A record, and the pair of which it is."""


class _Known(NamedTuple):
    """What is known of a record: the earliest beginning and end, in milliseconds since 1970 UTC, where they are.

    `ends_pair` is whether its end is that of all records of the pair that began until then.
    """

    at: int | None
    ended_at: int | None
    weight: float
    ends_pair: bool = False


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
    before = _known(change, records)
    pending = {records[row["i"]]: row["at"] for row in change.tx.run("follow_records/pending", records=records)}
    after, unresolved = _together(before, begun, ended, named, pending)
    changed = {key: known for key, known in sorted(after.items()) if before.get(key) != known}
    nodes = change.ensure_accounts(sorted({one for _, pair in changed for one in pair}))
    _write(change, "create", {key: known for key, known in changed.items() if key not in before}, nodes)
    _write(change, "change", {key: known for key, known in changed.items() if key in before}, nodes)
    late = {record: at for record, at in unresolved.items() if pending.get(record) != at}
    if late:
        change.tx.run("follow_records/keep_pending", records=[*late], times=[*late.values()])
    resolved = sorted(pending.keys() - unresolved.keys())
    if resolved:
        change.tx.run("follow_records/remove_pending", records=resolved)
    return _put_pairs(change, sorted({pair for _, pair in changed}), nodes)


def _said(batch: Sequence[Statement]) -> tuple[dict[_Key, _Known], dict[str, int], set[_Key]]:
    """Return what a batch says began and ended, and of which records it says with their end whose follows they were."""
    begun: dict[_Key, _Known] = {}
    ended: dict[str, int] = {}
    named: set[_Key] = set()
    for statement in batch:
        record, *accounts = map(str, statement.identity)
        key = (record, (accounts[0], accounts[1])) if accounts else None
        if not statement.values:
            ended[record] = min(statement.at, ended.get(record, statement.at))
            named |= set() if key is None else {key}
        elif key is not None:
            told = _Known(statement.at, None, float(statement.values[0]))  # type: ignore[arg-type]
            begun[key] = _first(begun.get(key), told)
    return begun, ended, named


def _first(known: _Known | None, told: _Known) -> _Known:
    """Return the earlier of two beginnings, of two at once the heavier, with the end that is known."""
    if known is None:
        return told
    if known.at is None or (told.at is not None and (told.at, -told.weight) < (known.at, -known.weight)):
        return told._replace(ended_at=known.ended_at, ends_pair=known.ends_pair)
    return known


def _known(change: Change, records: list[str]) -> dict[_Key, _Known]:
    return {
        (records[row["i"]], (row["follower"], row["followee"])): _Known(
            row["at"], row["ended_at"], row["weight"], row["ends_pair"]
        )
        for row in change.tx.run("follow_records/known", records=records)
    }


def _together(
    before: dict[_Key, _Known],
    begun: dict[_Key, _Known],
    ended: dict[str, int],
    named: set[_Key],
    pending: dict[str, int],
) -> tuple[dict[_Key, _Known], dict[str, int]]:
    """Return all that is known of records, and when those ended of which nobody has said whose follows they are."""
    after = {**before, **{key: _first(before.get(key), told) for key, told in begun.items()}}
    nothing = _Known(None, None, 1.0)
    after |= {key: after.get(key, nothing)._replace(ends_pair=True) for key in sorted(named)}
    ends = [*ended.items(), *pending.items()]
    ends += [(record, known.ended_at) for (record, _), known in before.items() if known.ended_at is not None]
    first: dict[str, int] = {}
    for record, at in ends:
        first[record] = min(at, first.get(record, at))
    found = {record for record, _ in after}
    return (
        {key: known._replace(ended_at=first.get(key[0])) for key, known in after.items()},
        {record: at for record, at in sorted(first.items()) if record not in found},
    )


def _write(change: Change, how: Literal["create", "change"], changed: dict[_Key, _Known], nodes: Nodes) -> None:
    if changed:
        change.tx.run(
            f"follow_records/{how}",
            records=[record for record, _ in changed],
            **pair_columns((pair for _, pair in changed), nodes),
            begun=[_UNKNOWN if known.at is None else known.at for known in changed.values()],
            ended=[_UNKNOWN if known.ended_at is None else known.ended_at for known in changed.values()],
            weights=[known.weight for known in changed.values()],
            ends_pair=[known.ends_pair for known in changed.values()],
        )


def _put_pairs(change: Change, pairs: list[Pair], nodes: Nodes) -> tuple[int, int]:
    """Let follows and unfollows be what all records of these pairs say."""
    if not pairs:
        return 0, 0
    said: dict[Pair, list[_Known]] = {}
    for row in change.tx.run("follow_records/of_pairs", **pair_columns(pairs, nodes)):
        said.setdefault(pairs[row["i"]], []).append(_Known(row["at"], row["ended_at"], row["weight"], row["ends_pair"]))
    follows, unfollows = [], []
    for pair, records in sorted(said.items()):
        at, weight = max(((one.at, one.weight) for one in records if one.at is not None), default=(_UNKNOWN, 1.0))
        ends = [one.ended_at for one in records if one.ended_at is not None]
        all_until = max((one.ended_at or 0 for one in records if one.ends_pair), default=_UNKNOWN)
        if any(one.ended_at is None and (one.at or 0) > all_until for one in records):
            follows.append(Follow(*pair, weight, at))
        else:
            unfollows.append(Statement("unfollows", pair, (), max(at, *ends)))
    created = updated = 0
    if follows:
        _give_way(change, follows, nodes)
        created, updated = put_follows(change, FollowBatch.of(follows))
    if unfollows:
        more = put_unfollows(change, unfollows, of_records=True)
        created, updated = created + more[0], updated + more[1]
    return created, updated


def _give_way(change: Change, follows: Iterable[Follow], nodes: Nodes) -> None:
    """Remove unfollows that came of records alone, where one that has not ended is known now.

    What a complete list of followers ended stays so.
    """
    ends = ends_by_lists(change, [follow.followee for follow in follows])
    pairs = [one[:2] for one in follows if one.at is not None and one.at > ends.get(one.followee, _UNKNOWN)]
    gone = [pairs[row["i"]] for row in change.tx.run("follow_records/ended_pairs", **pair_columns(pairs, nodes))]
    if gone:
        change.tx.run("edges/remove_unfollowed", **pair_columns(sorted(gone), nodes))
        change.note_removed()  # it may have been the latest that was known, of which nothing tells any more
