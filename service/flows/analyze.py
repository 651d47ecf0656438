"""One run: an analysis, from the graph to the published set, or a back-test. This is what its child process does."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from service.analytics.analysis import analyse
from service.content.relevance import word_index
from service.domain import COLD, Analysis, Progress, PublishedPart, Run, RunError, StoreAddress, no_progress
from service.errors import Conflict, EntourageError, StoreError
from service.files.spool import Spool
from service.flows.estimates import require_room
from service.flows.runs import mark_failed
from service.flows.snapshots import read_graph
from service.store.driver import Store
from service.store.lineage import read_before
from service.store.results import clean_attempts, finish, remove_old, write_back, write_pages
from service.store.runs import finish_backtest, read_run, report

REPORT_SECONDS = 0.5
"""Progress is reported to the graph at most this often."""

HEARTBEAT_SECONDS = 5.0
"""A run reports at least this often, as the sign that it lives."""


def execute(
    address: StoreAddress,
    run_id: str,
    kept: Path,
    progress: Progress = no_progress,
    most_mb: int | None = None,
    token: int | None = None,
    runs_kept: int | None = None,
) -> None:
    """Carry out a run that was claimed: snapshot, analysis, pages, write-back, and at last publication.

    Of a back-test: snapshot, the time before, its analysis, outcomes, and the report.

    Readers see nothing of it before its last transaction. A run that ends with an error is marked failed with the
    error's code and sentence.

    Args:
        address: the graph.
        run_id: a run in state `running`.
        kept: folder in which graphs are kept between runs, see `flows.snapshots.read_graph`; candidates are put aside
            there, too, until they are published.
        progress: told what the graph is told, stage by stage.
        most_mb: memory the run may use at most, in MiB; None for what is free.
        token: of the claim by which it is running; None for that of the claim that is found. Once the run is running
            by another one, nothing is written any more.
        runs_kept: before it begins, what earlier analyses published is removed, so that with this one so many are kept;
            None: nothing.

    Raises:
        Conflict: the run is not running, or was ended, cancelled or taken over by somebody else meanwhile.
        EmptyGraph: there is no account to analyse.
        NothingToTest: there is nothing that a back-test could measure.
        RunTooLarge: there is not enough memory for it; it did not begin.
        StoreError: Neo4j did not do what was asked.
    """
    with Store(address) as store:
        run = read_run(store, run_id)
        if run.state != "running" or run.token is None or token not in (None, run.token):
            raise Conflict(f"Run {run_id} is {run.state}, and not running by this claim; claim it first.")
        try:
            with _Reporter(address, run_id, run.token, progress) as reporter:
                require_room(store, run.spec, most_mb)
                if run.backtest is not None:
                    # What it needs of SciPy takes a second to import, which no other run should wait for.
                    from service.flows.backtest import read_and_backtest

                    found = read_and_backtest(store, kept, run.backtest, reporter.progress)
                    finish_backtest(store, run.id, found, run.token)
                else:
                    clean_attempts(store, run.id, run.token)
                    if runs_kept is not None:
                        remove_old(store, runs_kept - 1)
                    _analyse_and_publish(store, run, kept, reporter.progress)
        except EntourageError as error:
            mark_failed(address, run_id, RunError(code=error.code, message=error.message), run.token)
            raise
        except Exception as error:
            said = f"An error nobody foresaw ended the analysis ({type(error).__name__}); the log holds its traceback."
            mark_failed(address, run_id, RunError(code=EntourageError.code, message=said), run.token)
            raise


def _analyse_and_publish(store: Store, run: Run, kept: Path, progress: Progress) -> None:
    with Spool(kept) as spool:
        graph = read_graph(store, kept, progress)
        with _Pages(store, run) as published:
            with _no_search_for_garbage():
                progress("words", 0, None)
                words = word_index(graph)
                start = run.spec.start
                before = None if start == COLD else read_before(store, read_run(store, start), graph.number)
                analysis = analyse(graph, run.spec, progress, spool.keep, words, before, published.add)
            progress("pages", 0, None)
            for part in listed(analysis):
                published.add(part)
            digest = published.digest()
        succession = write_back(store, run.id, graph, analysis, progress, run.token, before, share=run.publish)
        progress("publish", 0, None)
        quality, publish = analysis.quality, run.publish
        finish(store, run.id, quality, digest, graph.as_of, graph.version, publish, run.token, succession)


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Make many small objects without Python looking through all of them again and again: a quarter of the time.

    None of them refer to each other in circles, so that nothing would be found.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def pages(analysis: Analysis) -> list[PublishedPart]:
    """Prepare what a run publishes: communities, groups of them, and candidates, as one JSON document a line.

    The bytes hold nothing of the run itself (id, times, graph version): the same graph and specification give the same
    bytes.
    """
    return [*listed(analysis), *analysis.parts]


def listed(analysis: Analysis) -> list[PublishedPart]:
    """The parts that list communities and groups of them, which are known when the analysis has ended."""
    communities = PublishedPart("communities", [one.model_dump_json().encode() for one in analysis.communities])
    groups = PublishedPart("groups", [one.model_dump_json().encode() for level in analysis.groups for one in level])
    defined = PublishedPart("defined", [one.model_dump_json().encode() for one in analysis.defined])
    return [communities, defined, groups]


class _Pages:
    """Writes what a run publishes from a thread, part by part, while the analysis makes the next ones.

    What the thread raises is raised by the next call. Left with an error, what waits to be written is dropped.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self._parts: SimpleQueue[PublishedPart | None] = SimpleQueue()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._dropped = False
        self._written = self._thread.submit(write_pages, store, run.id, self._in_turn(), run.token)

    def add(self, part: PublishedPart) -> None:
        """Have a part written, the lines of which can be read at any time."""
        if self._written.done():
            self._written.result()
        self._parts.put(part)

    def digest(self) -> str:
        """Wait until all are written, and return their digest; see `write_pages`."""
        self._parts.put(None)
        return self._written.result()

    def _in_turn(self) -> Iterator[PublishedPart]:
        while (part := self._parts.get()) is not None and not self._dropped:
            yield part

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dropped = kind is not None
        self._parts.put(None)
        self._thread.shutdown()


class _Reporter:
    """Tells the graph, from a thread of its own, how far a run has come and that it lives.

    The analysis never waits for it. When it learns that the run was ended or taken over by somebody else, or is to be
    cancelled, the next call of `progress` raises Conflict, so that nothing goes on computing for nobody.
    """

    def __init__(self, address: StoreAddress, run_id: str, token: int, relay: Progress) -> None:
        self._address = address
        self._run_id = run_id
        self._token = token
        self._relay = relay
        self._now: tuple[str, float | None] = ("snapshot", None)
        self._news = threading.Event()
        self._stop = threading.Event()
        self._ended: Conflict | None = None
        self._thread = threading.Thread(target=self._report, name="run-reporter", daemon=True)

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Take note of progress; the thread reports it."""
        if self._ended is not None:
            raise self._ended
        self._now = (stage, done / total if total else None)
        self._news.set()
        self._relay(stage, done, total)

    def _report(self) -> None:
        # A short retry: what matters is the latest word, not that each one arrives.
        with Store(self._address, retry_seconds=1.0) as store:
            while not self._stop.is_set():
                self._news.clear()
                stage, share = self._now
                try:
                    report(store, self._run_id, stage, share, self._token)
                except Conflict as ended:
                    self._ended = ended
                    return
                except StoreError:
                    pass  # Neo4j is away: the analysis itself decides what that means when it needs it
                if not self._stop.wait(REPORT_SECONDS):
                    self._news.wait(HEARTBEAT_SECONDS - REPORT_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._news.set()
        self._thread.join()
