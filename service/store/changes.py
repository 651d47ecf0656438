"""Changes of the graph by what people bring, of any kind: one batch, or all that several deliveries say, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from service.domain import Applied, JournalMark
from service.records import THINGS
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
    for thing, batch in groups.items():
        new, changed = _put(change, thing, batch)
        created, updated = created + new, updated + changed
    return created, updated


def journal_mark(store: Store, journal: str) -> JournalMark | None:
    """Return how far a journal is applied to the graph; None where nothing of it ever was."""
    rows = store.read("journals/mark", journal=journal)
    return JournalMark(journal, rows[0]["applied"], rows[0]["token"]) if rows else None


def _put(change: Change, thing: str, batch: Any) -> tuple[int, int]:
    if thing in _EDGES:
        return _EDGES[thing][0](change, batch)
    return put_statements(change, THINGS[thing], batch)
