"""Changes of the graph by what people bring, of any kind: one batch, or all that several deliveries say, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from service.domain import Applied, JournalMark
from service.records import MENTION, THINGS, Statement, asks_erasure, mention_of, without_mentions
from service.store.driver import Store, Tx
from service.store.edges import (
    Change,
    FollowBatch,
    check_complete_lists,
    check_follows,
    check_unfollows,
    in_one_change,
    put_complete_lists,
    put_follows,
    put_unfollows,
)
from service.store.follow_records import put_follow_records
from service.store.things import check_statements, put_statements

_EDGES: dict[str, tuple[Callable[..., tuple[int, int]], Callable[..., tuple[set[str], set[Any], int]]]] = {
    "follows": (put_follows, check_follows),
    "unfollows": (put_unfollows, check_unfollows),
    "complete_followers": (put_complete_lists, check_complete_lists),
}


def apply_batch(store: Store, thing: str, batch: Sequence[Any]) -> Applied:
    """Put a batch about one kind of thing into the graph, in one transaction.

    Done again it changes nothing, and neither the order within a batch nor that of batches matters.

    Args:
        store: the graph, migrated.
        thing: `follows`, whose batch are `Follow`; or the name of what `Statement`s are about.
        batch: any number of them.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """
    ready = prepared(thing, batch)
    return in_one_change(store, lambda change: _put(change, thing, ready))


def prepared(thing: str, batch: Sequence[Any]) -> Any:
    """Do with a batch about one kind of thing what can be done before its transaction; `apply_batch` does so itself."""
    return FollowBatch.of(batch) if thing == "follows" else batch


def check_batch(store: Store, thing: str, batch: Sequence[Any]) -> tuple[set[str], set[Any], int]:
    """Say what a batch would do to the graph as it is now, without writing.

    Returns:
        Keys of accounts that are not in the graph, identities of things that are not, and how many lines would change
        a thing that is.
    """
    if thing in _EDGES:
        return _EDGES[thing][1](store, batch)
    return check_statements(store, THINGS[thing], batch)


def apply_deliveries(store: Store, groups: Mapping[str, Any], mark: JournalMark) -> Applied:
    """Put all that a group of deliveries says into the graph, and how far the journal is applied, in one transaction.

    Args:
        store: the graph, migrated.
        groups: batches by thing, as `prepared` returns them.
        mark: the journal, and its last delivery in the group.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take it; then nothing of it is in the graph.
    """

    def work(tx: Tx) -> Applied:
        change = Change(tx)
        created, updated = _put_all(change, groups)
        tx.run("journals/move", journal=mark.journal, applied=mark.applied, token=mark.token)
        return change.done(created, updated)

    return store.write_transaction(work)


def try_deliveries(store: Store, groups: Mapping[str, Any]) -> None:
    """Put all of it into the graph as `apply_deliveries` does, and take it back: raises what that would raise."""

    def work(tx: Tx) -> None:
        _put_all(Change(tx), groups)
        raise _TakenBack

    with suppress(_TakenBack):
        store.write_transaction(work)


class _TakenBack(Exception):
    """Rolls a transaction back."""


def _put_all(change: Change, groups: Mapping[str, Any]) -> tuple[int, int]:
    created = updated = 0
    for thing, batch in sorted(groups.items(), key=lambda group: _TURNS.get(group[0], 2)):
        new, changed = _put(change, thing, batch)
        created, updated = created + new, updated + changed
    return created, updated


_TURNS = {"follows": 0, "follow_records": 1, "deleted_accounts": 3}
"""Follows come first: an unfollow without a time leaves an earlier one as it is, unless there was a follow between. Who
was deleted comes last: only accounts that are known are erased, also where it is these very events that name them."""


def journal_mark(store: Store, journal: str) -> JournalMark | None:
    """Return how far a journal is applied to the graph; None where nothing of it ever was."""
    rows = store.read("journals/mark", journal=journal)
    return JournalMark(journal, rows[0]["applied"], rows[0]["token"]) if rows else None


def _put(change: Change, thing: str, batch: Any) -> tuple[int, int]:
    if change.any_erased:
        batch = _without_erased(change, thing, batch)
    if thing in _EDGES:
        return _EDGES[thing][0](change, batch)
    if thing == "follow_records":
        return put_follow_records(change, batch)
    if thing == "deleted_accounts":
        return _put_deleted(change, batch)
    return put_statements(change, THINGS[thing], batch)


def _put_deleted(change: Change, batch: Sequence[Statement]) -> tuple[int, int]:
    """Say of accounts that they are to be erased, of those that the graph knows: networks tell of all they ever had."""
    keys = sorted({str(statement.identity[0]) for statement in batch})
    known = change.known_accounts(keys)
    wishes = [asks_erasure(key, one.at) for one in batch if (key := str(one.identity[0])) in known]
    return put_statements(change, THINGS["accounts"], wishes) if wishes else (0, 0)


def _without_erased(change: Change, thing: str, batch: Any) -> Any:
    """Leave out of a batch what is about erased accounts and their posts: nothing that comes late brings them back."""
    if thing == "follows":
        gone = change.erased(batch.keys)
        return batch.without(gone) if gone else batch
    kind = THINGS.get(thing)
    # Of follows that ended, and of complete lists, the identity is all accounts; a record's digest is nobody's name.
    named = {
        i
        for i, name in enumerate(() if kind is None else (*kind.identity, *kind.fields))
        if kind is not None and name in (*kind.accounts, *kind.posts)
    }
    told = [i for i, name in enumerate(kind.fields) if name in ("text", "bio")] if kind is not None else []

    def names(statement: Statement) -> list[str]:
        parts = statement.identity if kind is None else [(*statement.identity, *statement.values)[i] for i in named]
        return [name for part in parts for name in ((part,) if isinstance(part, str) else part or ())]  # type: ignore[union-attr,misc]

    said = [text for one in batch for i in told if isinstance(text := one.values[i], str)]
    mentioned = {mention_of(handle) for text in said for handle in MENTION.findall(text)}
    gone = change.erased({name for statement in batch for name in names(statement)} | mentioned)
    if not gone:
        return batch
    left = []
    for one in batch:
        listed = [value for value in one.values if isinstance(value, tuple)]
        alone = [name for name in names(one) if not any(name in value for value in listed)]
        if gone.isdisjoint(alone):
            values = tuple(_unnamed(value, gone, told=i in told) for i, value in enumerate(one.values))
            left.append(one._replace(values=values))
    return left


def _unnamed(value: Any, gone: set[str], *, told: bool) -> Any:
    """A value without erased accounts: lists without their keys, texts without their handles."""
    if isinstance(value, tuple):
        return tuple(one for one in value if one not in gone)
    return without_mentions(value, gone) if told and isinstance(value, str) else value
