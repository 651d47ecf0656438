"""Watching runs and imports while they work: each is asked for once, however many watch it; and listing runs."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeVar

from service.domain import Progress, Run, RunState, StoreAddress
from service.errors import JournalError, NotFound, RunFailed, RunNotFound, StoreError, TooManyWatchers
from service.store.driver import AsyncStore
from service.store.runs import get_run, list_runs

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
"""After so long without news a watcher is told that there is none."""

PATIENCE_SECONDS = 10.0
"""A question that has not been answered for so long is asked again."""

MOST_WATCHERS = 100


class Followed(Protocol):
    """What can be watched: it has an id and comes to an end."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def state(self) -> str:
        """Its state."""


T = TypeVar("T", bound=Followed)


class _Question(NamedTuple, Generic[T]):
    """What was asked about, and when."""

    at: float
    answer: asyncio.Task[T]


class Watches(ABC, Generic[T]):
    """All of one kind that one process watches. Each is asked about every half second, whoever waits for it.

    `ending` says whether the process ends, and with it all watches.
    """

    called: ClassVar[str]
    """What is watched, in the plural, as its address has it."""

    def __init__(self, ending: Callable[[], bool] = lambda: False) -> None:
        self._watchers: Counter[str] = Counter()
        self._questions: dict[str, _Question[T]] = {}
        self._asking: set[asyncio.Task[T]] = set()
        self.ending = ending

    @abstractmethod
    async def ask(self, watched_id: str) -> T:
        """Return how it stands now. Raises NotFound, StoreError, JournalError."""

    @abstractmethod
    def moment(self, watched: T) -> str:
        """Name how far it has come: the same while nothing has changed, whichever process says it."""

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return self._watchers.total()

    async def watch(self, watched_id: str) -> Watch[T]:
        """Begin to watch; whoever does has to close the watch.

        Raises:
            TooManyWatchers: as many watch as this process takes.
            NotFound: there is nothing with this id.
            StoreError, JournalError: Neo4j, or the journal, does not answer.
        """
        if self.watchers >= MOST_WATCHERS:
            raise TooManyWatchers(
                f"{MOST_WATCHERS} watch {self.called} here already; try again in a moment, or ask "
                f"GET /v1/{self.called}/{watched_id}."
            )
        self._watchers[watched_id] += 1
        try:
            return Watch(self, await asyncio.shield(self.question(watched_id)))
        except BaseException:
            self.leave(watched_id)
            raise

    def leave(self, watched_id: str) -> None:
        """Let one watcher go."""
        self._watchers[watched_id] -= 1
        if not self._watchers[watched_id]:
            del self._watchers[watched_id]
            self._questions.pop(watched_id, None)

    def question(self, watched_id: str) -> asyncio.Task[T]:
        """Return the question, which those who ask it at about the same time share; do not cancel it."""
        now = time.monotonic()
        last = self._questions.get(watched_id)
        if last is not None and now - last.at < (POLL_SECONDS if last.answer.done() else PATIENCE_SECONDS):
            return last.answer
        # Left to its own end, whoever goes away: the driver loses a connection that is cancelled as it opens.
        answer = asyncio.create_task(self.ask(watched_id))
        self._asking.add(answer)
        answer.add_done_callback(self._answered)
        self._questions[watched_id] = _Question(now, answer)
        return answer

    def _answered(self, answer: asyncio.Task[T]) -> None:
        self._asking.discard(answer)
        if not answer.cancelled():
            answer.exception()  # seen, also where nobody waits for it any more

    async def close(self) -> None:
        """Wait for the questions under way, not for ever."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=PATIENCE_SECONDS)


class Watch(Generic[T]):
    """One who watches. `watched` is what is known of it."""

    def __init__(self, watches: Watches[T], watched: T) -> None:
        self._watches = watches
        self.watched = watched
        self._closed = False

    @property
    def moment(self) -> str:
        """How far it has come."""
        return self._watches.moment(self.watched)

    def close(self) -> None:
        """Watch no more."""
        if not self._closed:
            self._closed = True
            self._watches.leave(self.watched.id)

    async def news(self, known: str | None = None) -> AsyncIterator[T | None]:
        """Yield what is watched unless its `moment` is `known`, and again whenever it has changed, to its end.

        None is yielded after each HEARTBEAT_SECONDS without news. While Neo4j or the journal is away there is none;
        what is no longer there ends this.
        """
        said = time.monotonic()
        while True:
            if self.moment != known:
                known, said = self.moment, time.monotonic()
                yield self.watched
            elif time.monotonic() - said >= HEARTBEAT_SECONDS:
                said = time.monotonic()
                yield None
            if has_ended(self.watched) or self._watches.ending():
                return
            await asyncio.sleep(POLL_SECONDS)
            answer = self._watches.question(self.watched.id)
            await asyncio.wait([answer], timeout=POLL_SECONDS)
            if answer.done():
                try:
                    self.watched = answer.result()
                except (StoreError, JournalError):
                    continue
                except NotFound:
                    return


def has_ended(watched: Followed) -> bool:
    """Whether nothing more will come of a run or an import."""
    return watched.state not in ("queued", "running")


class RunWatches(Watches[Run]):
    """The runs that one process watches: Neo4j is asked."""

    called = "runs"

    def __init__(self, store: AsyncStore, ending: Callable[[], bool] = lambda: False) -> None:
        super().__init__(ending)
        self._store = store

    async def ask(self, watched_id: str) -> Run:
        """Read a run. Raises RunNotFound, StoreError."""
        return await get_run(self._store, watched_id)

    def moment(self, watched: Run) -> str:
        """Name how far a run has come."""
        return f"{watched.state}.{watched.stage}.{watched.progress}"


# --- for the API and the command ------------------------------------------------------------------------


async def latest_runs(store: AsyncStore, state: RunState | None, before: str | None, limit: int) -> list[Run]:
    """Read runs but for back-tests, those asked for last first; with `before` those that come after that run.

    Raises:
        RunNotFound: there is no run `before`.
    """
    return await list_runs(store, state, before, limit)


async def read_latest_runs(address: StoreAddress, state: RunState | None, limit: int) -> list[Run]:
    """Read runs for the command, those asked for last first."""
    async with AsyncStore(address) as store:
        return await list_runs(store, state, None, limit)


async def read_one_run(address: StoreAddress, run_id: str) -> Run:
    """Read one run for the command. Raises RunNotFound."""
    async with AsyncStore(address) as store:
        return await get_run(store, run_id)


async def watch_to_the_end(address: StoreAddress, run_id: str, progress: Progress) -> Run:
    """Watch a run for the command, and return it when it is done.

    Args:
        address: the graph.
        run_id: the run; other processes carry it out.
        progress: told of each stage, with progress in thousandths.

    Raises:
        RunNotFound: there is no run with this id, or no longer.
        RunFailed: it ended without a result.
        StoreError: Neo4j does not answer at the beginning; later it is waited for.
    """
    async with AsyncStore(address) as store:
        watches = RunWatches(store)
        watch = await watches.watch(run_id)
        try:
            async for run in watch.news():
                if run is not None and not has_ended(run):
                    share = run.progress
                    progress(run.stage, round((share or 0.0) * 1000), None if share is None else 1000)
        finally:
            watch.close()
            await watches.close()
    if not has_ended(watch.watched):
        raise RunNotFound(f"Run {run_id} is no longer there.")
    if watch.watched.state != "done":
        error = watch.watched.error
        said = f"Run {run_id} is {watch.watched.state}." if error is None else error.message
        raise RunFailed(said, run=run_id, run_code=None if error is None else error.code)
    return watch.watched
