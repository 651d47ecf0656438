"""Retention: removing what is older than it may be kept, by command and, in the service, once a day."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import Field

from service.domain import Frozen, Progress, Retention, StoreAddress
from service.store.driver import Store
from service.store.retention import claim_pruning, count_due, note_pruned, remove_due

LOOK_EVERY_SECONDS = 60.0
ALIVE_EVERY_SECONDS = 10.0

log = logging.getLogger(__name__)


class PrunedKind(Frozen):
    """What of one kind is older than it may be kept."""

    kind: str = Field(description="interactions, responses, unfollows, ended_records, withdrawals, posts or runs.")
    before: datetime = Field(description="What happened before that is not kept.")
    things: int = Field(description="How many were removed; of a dry run, how many would be.")


class PruneReport(Frozen):
    """What was removed because it was too old, or would be."""

    as_of: datetime = Field(description="The time from which ages are counted.")
    dry_run: bool
    kinds: tuple[PrunedKind, ...] = Field(description="Of kinds that are kept for ever nothing is said.")
    seconds: float


def prune(
    address: StoreAddress, retention: Retention, as_of: datetime, progress: Progress, *, dry_run: bool = False
) -> PruneReport:
    """Remove what is older than it may be kept, for the command; see `store.retention.remove_due`.

    Args:
        address: the graph, migrated.
        retention: for how long things are kept.
        as_of: the time from which ages are counted.
        progress: told of stage `prune`, in things.
        dry_run: only count.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not do what was asked; what is left is removed by the next call.
    """
    started = time.perf_counter()
    cutoffs = retention.cutoffs(as_of)
    with Store(address) as store:
        due = count_due(store, cutoffs)
        found = due
        if not dry_run:
            found, total = dict.fromkeys(due, 0), sum(due.values())
            for kind, removed in remove_due(store, cutoffs):
                found[kind] += removed
                done = sum(found.values())
                progress("prune", done, max(done, total))
    before = {
        "interactions": cutoffs.interactions, "responses": cutoffs.interactions,
        "unfollows": cutoffs.unfollows, "ended_records": cutoffs.unfollows, "withdrawals": cutoffs.unfollows,
        "posts": cutoffs.posts, "runs": cutoffs.runs,
    }  # fmt: skip
    return PruneReport(
        as_of=as_of,
        dry_run=dry_run,
        kinds=tuple(
            PrunedKind(kind=kind, before=moment, things=found[kind])
            for kind, moment in before.items()
            if moment is not None
        ),
        seconds=round(time.perf_counter() - started, 3),
    )


class Pruner:
    """Removes what is too old once a day, for an engine that has nothing else to do."""

    def __init__(self, store: Store, retention: Retention, busy: Callable[[], bool]) -> None:
        """Keep what it needs.

        Args:
            store: the graph.
            retention: for how long things are kept.
            busy: whether the engine has something else to do now; asked between batches.
        """
        self._store = store
        self._retention = retention
        self._busy = busy
        self._name = secrets.token_hex(8)
        self._done_day = ""
        self._next = 0.0

    def look(self, now: datetime | None = None) -> bool:
        """Remove what is too old, unless that was done today, here or by another service; return whether it is done.

        Where the engine has something else to do meanwhile, the rest is removed when it is idle again.
        """
        now = datetime.now(UTC) if now is None else now
        day = now.astimezone(UTC).date().isoformat()
        if day <= self._done_day:
            return True
        if not self._retention.anything or time.monotonic() < self._next:
            return False
        claim = claim_pruning(self._store, day, self._name, _milliseconds(now))
        if claim.mine:
            if not self._remove(now, day):
                return False
            note_pruned(self._store, day, self._name)
        elif not claim.done:
            self._next = time.monotonic() + LOOK_EVERY_SECONDS
            return False
        self._done_day = day
        return True

    def _remove(self, now: datetime, day: str) -> bool:
        """Remove all, or as much as can be before there is something else to do; return whether it was all."""
        removed: dict[str, int] = {}
        alive = time.monotonic()
        for kind, things in remove_due(self._store, self._retention.cutoffs(now)):
            removed[kind] = removed.get(kind, 0) + things
            if self._busy():
                return False
            if time.monotonic() > alive + ALIVE_EVERY_SECONDS:
                alive = time.monotonic()
                claim_pruning(self._store, day, self._name, _milliseconds(datetime.now(UTC)))
        if removed:
            log.warning("Removed as too old: %s.", ", ".join(f"{count:,} {kind}" for kind, count in removed.items()))
        return True


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
