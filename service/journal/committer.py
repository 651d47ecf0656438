"""Commits of the journal that concurrent requests share: one sync of the disk for all that wait."""

from __future__ import annotations

import asyncio
import queue
import shutil
import threading
import time
from pathlib import Path

from service.domain import NewDelivery, Receipt, SecretUse
from service.errors import EntourageError, JournalBusy, JournalFull, JournalUnavailable
from service.journal.journal import Journal, journal_errors

MOST_AT_ONCE = 256
LOOK_SECONDS = 0.5
"""How often it is looked how much is pending and how much room is left."""

USE_SECONDS = 60
"""How exactly it is known when a secret was last used."""

_Waiting = tuple[NewDelivery, SecretUse, asyncio.AbstractEventLoop, "asyncio.Future[Receipt]"]


class Committer:
    """A thread that journals what requests hand it, and answers each when its delivery is on disk.

    The journal is opened when it is first needed, and again after an error: until it can be used, each delivery is
    refused with the reason.
    """

    def __init__(self, folder: Path, *, most_bytes: int, least_free_bytes: int) -> None:
        """Start the thread.

        Args:
            folder: where the journal is.
            most_bytes: bodies that may wait for the graph; beyond that deliveries are refused for a while.
            least_free_bytes: room that stays free on the device.
        """
        self._folder = folder
        self._most_bytes = most_bytes
        self._least_free_bytes = least_free_bytes
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._journal: Journal | None = None
        self._pending_bytes = self._free_bytes = 0
        self._looked = float("-inf")
        self._used: dict[tuple[str, str], int] = {}
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    async def append(self, delivery: NewDelivery, use: SecretUse) -> Receipt:
        """Journal a delivery; when this returns, it is on disk.

        Raises:
            JournalBusy: too much waits for the graph.
            JournalFull, JournalCorrupt, JournalUnavailable: the journal cannot be written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._queue.put((delivery, use, loop, future))
        return await future

    def close(self) -> None:
        """Journal what waits, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            waiting = self._next()
            if waiting:
                self._commit([one for one in waiting if one is not None])
            if None in waiting:
                if self._journal is not None:
                    self._journal.close()
                return

    def _next(self) -> list[_Waiting | None]:
        waiting = [self._queue.get()]
        while waiting[-1] is not None and len(waiting) < MOST_AT_ONCE:
            try:
                waiting.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return waiting

    def _commit(self, waiting: list[_Waiting]) -> None:
        if not waiting:
            return
        outcome: list[Receipt] | EntourageError
        try:
            journal = self._open()
            self._check_room(journal)
            uses = self._uses([use for _, use, *_ in waiting])
            outcome = journal.append([delivery for delivery, *_ in waiting], uses)
            self._pending_bytes += sum(len(delivery.body) for delivery, *_ in waiting)
        except EntourageError as error:
            outcome = error
            if not isinstance(error, JournalBusy | JournalFull):
                self._reopen()
        except Exception as error:  # whoever waits must hear of it, and the thread must live on
            outcome = JournalUnavailable(f"The journal in {self._folder} cannot be used ({error}).")
            self._reopen()
        for at, (_, _, loop, future) in enumerate(waiting):
            result = outcome if isinstance(outcome, EntourageError) else outcome[at]
            try:
                loop.call_soon_threadsafe(_settle, future, result)
            except RuntimeError:  # its loop has ended: nobody waits any more
                continue

    def _open(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self._folder)
        return self._journal

    def _reopen(self) -> None:
        if self._journal is not None:
            self._journal.close()
        self._journal = None
        self._looked = float("-inf")

    def _check_room(self, journal: Journal) -> None:
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._pending_bytes = journal.pending_bytes()
            with journal_errors(journal.path):
                self._free_bytes = shutil.disk_usage(self._folder).free
            self._looked = time.monotonic()
        if self._free_bytes < self._least_free_bytes:
            raise JournalFull(
                f"Less than {self._least_free_bytes >> 20:,} MiB are free where deliveries are journaled; free some "
                "room, then send it again."
            )
        if self._pending_bytes > self._most_bytes:
            raise JournalBusy(
                f"More than {self._most_bytes >> 20:,} MiB of deliveries wait for the graph; send this one again later."
            )

    def _uses(self, uses: list[SecretUse]) -> list[SecretUse]:
        """Leave out uses of a secret shortly after one that was noted."""
        new = []
        for use in uses:
            key = (use.source, use.secret)
            if use.at - self._used.get(key, 0) >= USE_SECONDS * 1000:
                self._used[key] = use.at
                new.append(use)
        return new


def _settle(future: asyncio.Future[Receipt], result: Receipt | EntourageError) -> None:
    if future.done():  # the request was given up
        return
    if isinstance(result, EntourageError):
        future.set_exception(result)
    else:
        future.set_result(result)
