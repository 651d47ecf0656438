"""Removing what is older than it may be kept, in batches.

Each batch is one transaction under the version lock, so that events that wait for the graph wait for one batch at most.
What is removed leaves nothing that tells, and so each batch moves the graph's `removed_v` (see `store.snapshots`). A
removal may end at any moment: what is left is found again by its age.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from service.domain import Cutoffs
from service.store.driver import Store, Tx
from service.store.edges import Change
from service.store.results import old_runs, remove_run

THINGS_A_BATCH = 5_000
POSTS_A_BATCH = 1_000

SILENT_MS = 60_000
"""A service that gave no sign of life for so long does not remove anything any more."""


class Claim(NamedTuple):
    """Whether what became too old by a day is removed, and if not, whether the asking process is to remove it."""

    done: bool
    mine: bool


def count_due(store: Store, cutoffs: Cutoffs) -> dict[str, int]:
    """Count what is older than it may be kept, by kind: what `remove_due` would remove, if nothing changed meanwhile.

    Responses that go with their post are not counted, unless they are too old themselves.
    """
    [row] = store.read("retention/due", interactions=cutoffs.interactions, unfollows=cutoffs.unfollows)
    posts = 0 if cutoffs.posts is None else store.read("retention/count_posts", before=cutoffs.posts)[0]["posts"]
    runs = 0 if cutoffs.runs is None else len(old_runs(store, None, cutoffs.runs))
    return {**row, "posts": posts, "runs": runs}


def remove_due(store: Store, cutoffs: Cutoffs) -> Iterator[tuple[str, int]]:
    """Remove what is older than it may be kept; yield after each batch its kind and how many of it were removed.

    It may be left after any of them. The run that readers see stays, however old it is.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not do a batch; then nothing of it is removed.
    """
    for kind, before in (
        ("interactions", cutoffs.interactions),
        ("responses", cutoffs.interactions),
        ("unfollows", cutoffs.unfollows),
        ("ended_records", cutoffs.unfollows),
        ("withdrawals", cutoffs.unfollows),
    ):
        while before is not None and (removed := _remove_some(store, kind, before)):
            yield kind, removed
    if cutoffs.posts is not None:
        due = (row["post"] for row in store.stream("retention/due_posts", before=cutoffs.posts))
        while posts := list(islice(due, POSTS_A_BATCH)):
            yield "posts", _remove_posts(store, posts, cutoffs.posts)
    if cutoffs.runs is not None:
        for run_id in old_runs(store, None, cutoffs.runs):
            yield "runs", int(remove_run(store, run_id))


def _remove_some(store: Store, kind: str, before: datetime) -> int:
    def work(tx: Tx) -> int:
        change = Change(tx)
        removed = int(tx.run(f"retention/remove_{kind}", before=before, most=THINGS_A_BATCH)[0]["removed"])
        if removed and kind != "ended_records":  # which no snapshot holds
            change.note_removed()
        change.done(0, 0)
        return removed

    return store.write_transaction(work)


def _remove_posts(store: Store, posts: list[str], before: datetime) -> int:
    """Remove posts; before them, where there are very many, the responses to them, in transactions of their own."""

    def work(tx: Tx) -> int | None:
        change = Change(tx)
        [row] = tx.run("retention/remove_responses_to", posts=posts, before=before, most=THINGS_A_BATCH)
        removed = None
        if row["removed"] < THINGS_A_BATCH:
            removed = int(tx.run("retention/remove_posts", posts=posts, before=before)[0]["removed"])
        if row["removed"] or removed:
            change.note_removed()
        change.done(0, 0)
        return removed

    while (removed := store.write_transaction(work)) is None:
        pass
    return removed


def claim_pruning(store: Store, day: str, by: str, now: int) -> Claim:
    """Ask whether this process is to remove what became too old by a day, and say that it lives.

    Of several that ask at the same time one is told so, until it notes that all is removed or falls silent. Should one
    that was silent go on after all, two remove the same, which does no harm.

    Args:
        store: the graph.
        day: in UTC, YYYY-MM-DD.
        by: name of the process, which no other has.
        now: in milliseconds since 1970 UTC.
    """
    [row] = store.write("retention/claim", day=day, by=by, now=now, silent_ms=SILENT_MS)
    return Claim(row["done"], row["mine"])


def note_pruned(store: Store, day: str, by: str) -> None:
    """Note that all is removed that became too old by a day."""
    store.write("retention/done", day=day, by=by)
