"""Watching runs while they work: each is asked for once, however many watch it; and listing them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from service.domain import Progress, Run, RunState, StoreAddress
from service.errors import RunFailed, RunNotFound, StoreError, TooManyWatchers
from service.store.driver import AsyncStore
from service.store.runs import get_run, list_runs

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
"""After so long without news a watcher is told that there is none."""

PATIENCE_SECONDS = 10.0
"""A question that has not been answered for so long is asked again."""

MOST_WATCHERS = 100


class _Question(NamedTuple):
    """What was asked of a run, and when."""

    at: float
    answer: asyncio.Task[Run]


class RunWatches:
    """All that one process watches. Neo4j is asked for a run every half second, whoever waits for it.

    `ending` says whether the process ends, and with it all watches.
    """

    def __init__(self, store: AsyncStore, ending: Callable[[], bool] = lambda: False) -> None:
        self._store = store
        self._watchers: Counter[str] = Counter()
        self._questions: dict[str, _Question] = {}
        self._asking: set[asyncio.Task[Run]] = set()
        self.ending = ending

    @property
    def watchers(self) -> int:
        """How many watch runs now."""
        return self._watchers.total()

    async def watch(self, run_id: str) -> Watch:
        """Begin to watch a run; whoever does has to close the watch.

        Raises:
            TooManyWatchers: as many watch as this process takes.
            RunNotFound: there is no run with this id.
            StoreError: Neo4j does not answer.
        """
        if self.watchers >= MOST_WATCHERS:
            raise TooManyWatchers(
                f"{MOST_WATCHERS} watch runs here already; try again in a moment, or ask GET /v1/runs/{run_id}."
            )
        self._watchers[run_id] += 1
        try:
            return Watch(self, await asyncio.shield(self.question(run_id)))
        except BaseException:
            self.leave(run_id)
            raise

    def leave(self, run_id: str) -> None:
        """Let one watcher of a run go."""
        self._watchers[run_id] -= 1
        if not self._watchers[run_id]:
            del self._watchers[run_id]
            self._questions.pop(run_id, None)

    def question(self, run_id: str) -> asyncio.Task[Run]:
        """Return the question for a run, which those who ask it at about the same time share; do not cancel it."""
        now = time.monotonic()
        last = self._questions.get(run_id)
        if last is not None and now - last.at < (POLL_SECONDS if last.answer.done() else PATIENCE_SECONDS):
            return last.answer
        # Left to its own end, whoever goes away: the driver loses a connection that is cancelled as it opens.
        answer = asyncio.create_task(get_run(self._store, run_id))
        self._asking.add(answer)
        answer.add_done_callback(self._answered)
        self._questions[run_id] = _Question(now, answer)
        return answer

    def _answered(self, answer: asyncio.Task[Run]) -> None:
        self._asking.discard(answer)
        if not answer.cancelled():
            answer.exception()  # seen, also where nobody waits for it any more

    async def close(self) -> None:
        """Wait for the questions under way, not for ever."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=PATIENCE_SECONDS)


class Watch:
    """One who watches a run. `run` is what is known of it."""

    def __init__(self, watches: RunWatches, run: Run) -> None:
        self._watches = watches
        self.run = run
        self._closed = False

    def close(self) -> None:
        """Watch no more."""
        if not self._closed:
            self._closed = True
            self._watches.leave(self.run.id)

    async def news(self, known: str | None = None) -> AsyncIterator[Run | None]:
        """Yield the run unless its `moment` is `known`, and again whenever it has changed, to its end.

        None is yielded after each HEARTBEAT_SECONDS without news. While Neo4j is away there is none; a run that is no
        longer there ends this.
        """
        said = time.monotonic()
        while True:
            if moment(self.run) != known:
                known, said = moment(self.run), time.monotonic()
                yield self.run
            elif time.monotonic() - said >= HEARTBEAT_SECONDS:
                said = time.monotonic()
                yield None
            if has_ended(self.run) or self._watches.ending():
                return
            await asyncio.sleep(POLL_SECONDS)
            answer = self._watches.question(self.run.id)
            await asyncio.wait([answer], timeout=POLL_SECONDS)
            if answer.done():
                try:
                    self.run = answer.result()
                except StoreError:
                    continue
                except RunNotFound:
                    return


def has_ended(run: Run) -> bool:
    """Whether nothing more will come of a run."""
    return run.state not in ("queued", "running")


def moment(run: Run) -> str:
    """Name how far a run has come: the same while nothing has changed, whichever process says it."""
    return f"{run.state}.{run.stage}.{run.progress}"


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
    if not has_ended(watch.run):
        raise RunNotFound(f"Run {run_id} is no longer there.")
    if watch.run.state != "done":
        error = watch.run.error
        said = f"Run {run_id} is {watch.run.state}." if error is None else error.message
        raise RunFailed(said, run=run_id, run_code=None if error is None else error.code)
    return watch.run
