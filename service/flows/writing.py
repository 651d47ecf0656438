"""The writer: what is journaled goes into the graph, in groups, one transaction each. One process a journal."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from service.domain import Follow, JournalMark, NewDead, PendingDelivery, Progress, Settled, StoreAddress
from service.errors import BadInput, StoreError, StoreRefused
from service.files.events import Item, read_body, read_events
from service.flows.erasing import Eraser, Places
from service.flows.keys import synchronise_keys
from service.flows.processes import alone
from service.flows.reading import event_source
from service.flows.receiving import dead_items
from service.flows.sources import synchronise
from service.journal.journal import Journal
from service.store.changes import apply_deliveries, journal_mark, prepared, try_deliveries
from service.store.driver import Store
from service.store.erasures import erasure_of

GROUP_EVENTS = 20_000
"""Events in one transaction; measured with imports, see there."""

GROUP_BYTES = 8 << 20
LEAST_GROUP_EVENTS = 1_000
IDLE_SECONDS = 0.05
SYNC_SECONDS = 2.0
COMPACT_SECONDS = 600.0
LONGEST_BACK_OFF_SECONDS = 5.0

log = logging.getLogger(__name__)


def writer_loop(address: StoreAddress, folder: Path, stop: threading.Event, places: Places) -> None:
    """Apply what is journaled, and erase who is to be erased, until `stop` is set: what the writer process does.

    While Neo4j is away it waits and tries again; nothing is lost meanwhile. Where another process writes for the same
    journal, it waits until that one has ended.

    Raises:
        JournalError: the journal cannot be used.
    """
    with alone(folder / "writer.lock", stop) as first:
        if not first:
            return
        with Journal(folder) as journal, Store(address) as store:
            Writer(store, journal, places).run(stop)


Parsed = tuple[PendingDelivery, list[Item]]


class Group(NamedTuple):
    """Deliveries that go into the graph in one transaction, and what they say, by what it is about."""

    read: list[Parsed]
    said: dict[str, Any]


class Writer:
    """Applies one journal to one graph. With `places` it carries out erasures, too."""

    def __init__(self, store: Store, journal: Journal, places: Places | None = None) -> None:
        self._store = store
        self._journal = journal
        self._eraser = None if places is None else Eraser(store, journal, places)
        self._most_events = GROUP_EVENTS
        self._synchronised = self._compacted = float("-inf")
        self._recovered = False
        self._parser = ThreadPoolExecutor(1, "parser")
        self._ahead: Future[Group] | None = None

    @property
    def waits_for(self) -> str | None:
        """What an erasure waits for that is still on its way into the graph: deliveries, imports."""
        return None if self._eraser is None else self._eraser.waits_for

    @property
    def erasing(self) -> bool:
        """Whether an erasure is being carried out."""
        return self._eraser is not None and self._eraser.busy

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        failures = 0
        while not stop.is_set():
            try:
                busy = self.turn()
                failures = 0
            except StoreError as error:
                failures += 1
                # A transaction that is too large for Neo4j's memory looks like this, too.
                self._most_events = max(self._most_events // 2, LEAST_GROUP_EVENTS)
                if failures == 1:
                    log.warning("Deliveries wait in the journal: %s", error.message)
                stop.wait(min(0.25 * 2 ** (failures - 1), LONGEST_BACK_OFF_SECONDS))
                continue
            if not busy:
                stop.wait(IDLE_SECONDS)

    def turn(self) -> bool:
        """Do what is due: sources and keys, one group of deliveries, a step of an erasure, compaction.

        Returns:
            False where nothing was pending.

        Raises:
            StoreError: Neo4j is away, or not as it should be; the group is still journaled.
        """
        if not self._recovered:
            self._recover()
        now = time.monotonic()
        if now - self._synchronised > SYNC_SECONDS:
            synchronise(self._store, self._journal)
            synchronise_keys(self._store, self._journal)
            if self._eraser is not None:
                self._eraser.look()
            self._synchronised = now
        if now - self._compacted > COMPACT_SECONDS:
            self._journal.compact()
            self._compacted = now
        ahead, self._ahead = self._ahead, None
        group = self._parsed(0).result() if ahead is None else ahead.result()
        if group.read:
            # While Neo4j works on this group, the next one is parsed.
            following = self._parsed(group.read[-1][0].sequence)
            self._apply(group)
            self._most_events = min(self._most_events * 2, GROUP_EVENTS)
            self._ahead = following if following.result().read else None
        erased = self._eraser is not None and self._eraser.step()
        return bool(group.read) or erased

    def _parsed(self, after: int) -> Future[Group]:
        pending = self._journal.pending(self._most_events, GROUP_BYTES, after)
        return self._parser.submit(lambda: _group([(one, _items(one)) for one in pending]))

    def _recover(self) -> None:
        """After a start: what the graph says is applied, the journal may not know yet."""
        mark = journal_mark(self._store, self._journal.id)
        if mark is not None and self._journal.settle_up_to(mark) is None:
            log.error(
                "The graph knows a delivery %s of this journal that the journal does not: it was put back to an "
                "earlier state. What was acknowledged after that and not applied is not in it.",
                mark.applied,
            )
        self._recovered = True

    def _apply(self, group: Group) -> None:
        """Apply a group of deliveries; where the graph refuses something of it, find it and leave it out."""
        read = group.read
        last = read[-1][0]
        mark = JournalMark(self._journal.id, last.sequence, last.token)
        try:
            applied = apply_deliveries(self._store, group.said, mark)
        except _REFUSED as error:
            if len(read) > 1:
                half = len(read) // 2
                self._apply(_group(read[:half]))
                self._apply(_group(read[half:]))
                return
            self._apply_without_poison(last, read[0][1], mark, error)
            return
        self._journal.settle([_settled(one.sequence, items) for one, items in read], applied.version)

    def _apply_without_poison(
        self, delivery: PendingDelivery, items: list[Item], mark: JournalMark, error: Exception
    ) -> None:
        poison = set(self._poison([item for item in items if item.code is None]))
        log.warning("The graph refused %d events of delivery %s: %s", len(poison), delivery.sequence, error)
        try:
            good = [item for item in items if item.index not in poison]
            applied = apply_deliveries(self._store, grouped(good), mark)
        except _REFUSED:  # what is fine by itself is not together: the rest must not wait for it
            poison = {item.index for item in items if item.code is None}
            applied = apply_deliveries(self._store, {}, mark)
        refused = [
            Item(item.index, item.event, [], "refused", "The graph refused this event; the service's log says why.")
            if item.index in poison
            else item
            for item in items
        ]
        self._journal.settle([_settled(delivery.sequence, refused)], applied.version)

    def _poison(self, items: list[Item]) -> Iterator[int]:
        """Yield the positions of events that the graph refuses, found by halves."""
        try:
            try_deliveries(self._store, grouped(items))
        except _REFUSED:
            if len(items) == 1:
                yield items[0].index
            else:
                half = len(items) // 2
                yield from self._poison(items[:half])
                yield from self._poison(items[half:])


_REFUSED = (StoreRefused, ValueError, OverflowError, TypeError)
"""What an event can bring about that no check of its schema foresaw: Neo4j refuses it, or the driver cannot pack it."""


def _items(delivery: PendingDelivery) -> list[Item]:
    """Read what is journaled. Whatever it is, it must not stop what comes after it: it is a dead letter then."""
    source = event_source(delivery.source, delivery.network, delivery.reader)
    try:
        body = read_body(delivery.body, of_platform=delivery.reader is not None)
    except BadInput as error:  # taken in by an earlier version, which let more through
        return [Item(0, delivery.body.decode(errors="replace"), [], error.code, error.message)]
    return read_events(body, source, delivery.received_at)


def _group(read: list[Parsed]) -> Group:
    return Group(read, grouped([item for _, items in read for item in items]))


def grouped(items: Sequence[Item]) -> dict[str, Any]:
    """Return what events say, by what it is about, ready to be put into the graph."""
    groups: dict[str, list[Any]] = {}
    for item in items:
        for one in item.said:
            groups.setdefault("follows" if isinstance(one, Follow) else one.thing, []).append(one)
    return {thing: prepared(thing, batch) for thing, batch in groups.items()}


def _settled(sequence: int, items: list[Item]) -> Settled:
    dead: tuple[NewDead, ...] = dead_items(items)
    return Settled(sequence, "dead" if len(dead) == len(items) else "applied", dead)


def erase_now(
    address: StoreAddress, folder: Path, places: Places, progress: Progress, erasure: str | None = None
) -> None:
    """Carry out erasures that were asked for, for the command: here, or by the writer of a service that is running.

    Args:
        address: the graph.
        folder: the journal's.
        places: what else the machine keeps.
        progress: told of the stage `erase`, in things removed.
        erasure: wait for this one; without, for all that this machine has to do. Where files that were handed in are
            still to be imported, which a service does, there is no waiting.

    Raises:
        StoreError: Neo4j is away; what was asked for is carried out later.
    """
    stop = threading.Event()
    with Journal(folder) as journal, Store(address) as store, alone(folder / "writer.lock", stop, wait=False) as first:
        writer = Writer(store, journal, places) if first else None
        while True:
            busy = writer is not None and writer.turn()
            receipt = None if erasure is None else erasure_of(store, erasure)
            progress("erase", 0 if receipt is None else sum(receipt.removed.values()), None)
            if writer is not None and writer.waits_for == "imports":
                return
            if receipt is not None:
                of_others = receipt.waiting_for and journal.id not in receipt.waiting_for
                if receipt.state == "done" or (of_others and not busy):
                    return
            elif erasure is None and not busy and (writer is None or not writer.erasing):
                return
            if not busy:
                time.sleep(IDLE_SECONDS)
