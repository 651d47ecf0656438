"""The first import into an empty embedded store: all follows at once, read into arrays, by Neo4j's own importer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from service.analytics.graph import build_graph
from service.domain import (
    DAY_MS,
    ENGAGEMENT_NAMES,
    POSTING_NAMES,
    UNKNOWN_TIME,
    AccountColumns,
    BrandColumns,
    EmbeddedConfig,
    EngagementColumns,
    FollowColumns,
    FollowTable,
    Graph,
    MentionColumns,
    PostingColumns,
    Progress,
    Snapshot,
    StoreAddress,
    TopicColumns,
)
from service.errors import BadInput, EntourageError
from service.files.follow_arrays import AccountNumbers, FollowArrays, FollowPart, Standing, open_follow_arrays, standing
from service.files.follows import FollowFile
from service.files.lines import GZIP, PARQUET, STANDARD_INPUT
from service.files.rejects import RejectReport
from service.files.snapshots import forget_unused, save
from service.flows import importing
from service.flows.importing import ImportReport, import_report, reading_stopped
from service.store.driver import Store
from service.store.loading import Loaded, check_room, load, may_be_loaded

BULK_BYTES = 32 << 20
"""Smaller files are imported batch by batch. A load takes about 35 s longer than its lines, to start Neo4j twice (9 s
each) and the importer (4 s) and to run the migrations. In that time batches write 600,000 follows, and a line of two
ids has 20 to 50 bytes."""

PACKED = 3
"""How many times longer the text of a file of ids is that is packed, by gzip or as Parquet, about."""

LINE_BYTES = 20
"""A short line: two ids of nine digits."""

MEMORY_A_FOLLOW = 100
"""Bytes that reading, sorting and Neo4j's importer take for each; a load has half of the memory that is free."""

log = logging.getLogger(__name__)


class _TooLarge(Exception):
    """A packed file holds more follows than there is memory for: it goes by batches."""


def _fits(text: int) -> bool:
    """Whether there is memory for the arrays of so many bytes of text, and for what works beside it."""
    return text // LINE_BYTES * MEMORY_A_FOLLOW <= psutil.virtual_memory().available // 2


@dataclass(frozen=True)
class FirstLoad:
    """A report of each file that was read to its end, and what stopped reading the next one, if anything did."""

    reports: list[ImportReport]
    stopped: BadInput | None


@dataclass
class _Read:
    """What was read of a file."""

    file: FollowFile
    report: RejectReport
    parts: list[FollowPart]
    reader: FollowArrays | None = None
    accounts: int = 0
    whole: bool = False

    @property
    def used(self) -> int:
        return 0 if self.reader is None else self.reader.used


def first_load(
    config: EmbeddedConfig,
    address: StoreAddress,
    files: Sequence[FollowFile],
    report_of: Callable[[FollowFile], RejectReport],
    progress: Progress,
    graphs: Path | None,
    most_expanded: int | None = None,
) -> FirstLoad | None:
    """Load files of follows into the embedded store as a whole, if it holds no account and they are large.

    The graph is afterwards what importing them batch by batch makes of it, but for the numbers of accounts, and that
    all of it is one change. So are the counts of the reports. What was read before reading stopped is loaded.

    Args:
        config: the embedded server.
        address: where it answers.
        files: what to load, in the order in which lines count as new.
        report_of: makes the report of rejected lines of a file.
        progress: told of the stages.
        graphs: folder in which graphs of analyses are kept: the first analysis then reads nothing; None: none is kept.
        most_expanded: bytes that a packed file may expand to; None: any number.

    Returns:
        None where nothing was done, and batches are to be written.

    Raises:
        DiskFull: it does not fit on the disk; nothing was done.
        ConfigurationError: a report cannot be written; nothing was done.
        StoreError: the importer or the server failed; nothing was done.
    """
    starts = [_start(file) for file in files]
    text = sum(map(_bytes, files, starts))
    if text < BULK_BYTES or not _fits(text):
        return None
    with Store(address) as store:
        if not may_be_loaded(store):
            return None
    started = time.perf_counter()
    try:
        accounts, read, stopped = _read_all(files, report_of, progress, most_expanded)
    except _TooLarge:
        return None
    if not any(one.used for one in read):
        return FirstLoad([_report(one, 0, 0, None, started) for one in read if one.whole], stopped)
    check_room(config, sum(one.used for one in read), len(accounts), int(accounts.used[1]))
    with ThreadPoolExecutor(1, "follows") as aside:
        # While Neo4j stops, and later, while its importer works: neither keeps all processors busy.
        found = aside.submit(_standing, accounts, read)
        graph: list[Future[Graph]] = []

        def make_graph() -> None:
            if graphs is not None:
                graph.append(aside.submit(_graph_of, found.result().table))

        loaded = load(config, lambda: found.result().table, progress, make_graph)
        if loaded is None:
            for one in read:  # they are read again
                if one.report.path is not None:
                    one.report.path.unlink(missing_ok=True)
            return None
        if graph and graphs is not None and loaded.alone:
            try:
                _keep(graph[0], loaded, graphs)
            except (EntourageError, MemoryError) as error:  # it is loaded, and the first analysis reads it by itself
                log.warning("The graph of a first load could not be kept (%s).", type(error).__name__)
    counts = zip(read, found.result().created, found.result().updated, strict=True)
    return FirstLoad([_report(*one, loaded.version, started) for one in counts if one[0].whole], stopped)


def _start(file: FollowFile) -> bytes:
    """The first bytes of a file, by which its form is known; nothing of pipes, which cannot be read twice."""
    if file.path == STANDARD_INPUT or not file.path.is_file():
        return b""
    with file.path.open("rb") as opened:
        return opened.read(len(PARQUET))


def _bytes(file: FollowFile, start: bytes) -> int:
    """About how much text a file holds."""
    return file.path.stat().st_size * (PACKED if start.startswith((GZIP, PARQUET)) else 1) if start else 0


def _read_all(
    files: Sequence[FollowFile],
    report_of: Callable[[FollowFile], RejectReport],
    progress: Progress,
    most_expanded: int | None,
) -> tuple[AccountNumbers, list[_Read], BadInput | None]:
    accounts = AccountNumbers()
    read: list[_Read] = []
    follows = 0
    for file in files:
        one = _Read(file, report_of(file), [])
        before = len(accounts)
        try:
            with one.report, open_follow_arrays(file, one.report.write, most_expanded) as one.reader:
                read.append(one)
                for part in one.reader.parts(accounts):
                    one.parts.append(part)
                    follows += len(part.source)
                    if not _fits(follows * LINE_BYTES):
                        raise _TooLarge
                    progress(f"import {file.path.name}", one.reader.read_bytes, one.reader.total_bytes)
                one.whole = True
        except BadInput as error:
            if one.reader is None:
                return accounts, read, error
            return accounts, read, reading_stopped(error, one.reader, one.report.path, check=False)
        finally:
            one.accounts = len(accounts) - before
    return accounts, read, None


def _standing(accounts: AccountNumbers, read: Sequence[_Read]) -> Standing:
    found = standing(accounts, [one.parts for one in read], importing.BATCH_LINES)
    for one in read:
        one.parts.clear()
    return found


def _report(one: _Read, created: int, updated: int, version: int | None, started: float) -> ImportReport:
    assert one.reader is not None  # noqa: S101 - it was read to its end
    return import_report(
        one.file,
        one.reader,
        one.report,
        check=False,
        accounts_created=one.accounts,
        created=created,
        updated=updated,
        also_created={},
        version=version,
        seconds=round(time.perf_counter() - started, 3),
    )


def _graph_of(table: FollowTable) -> Graph:
    """The graph that an analysis reads of a store that holds these follows alone, but for its version."""
    nothing, small = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int8)
    count = len(table.keys)
    known = table.at != UNKNOWN_TIME
    return build_graph(
        Snapshot(
            version=0,
            accounts=AccountColumns(
                n=np.arange(1, count + 1),
                key=list(table.keys),
                handle=[None] * count,
                opted_out=np.zeros(count, dtype=np.bool_),
                followers=np.full(count, -1),
            ),
            follows=FollowColumns(
                source=table.source.astype(np.int64) + 1,
                target=table.target.astype(np.int64) + 1,
                weight=table.weight,
                day=np.where(known, table.at // DAY_MS, -1),
            ),
            followed_at=int(table.at.max(initial=UNKNOWN_TIME)),
            engagements=EngagementColumns(
                nothing, nothing, nothing, np.zeros((0, len(ENGAGEMENT_NAMES)), dtype=np.int64)
            ),
            brands=BrandColumns([], [], nothing, [], nothing, [], small, nothing, nothing),
            topics=TopicColumns(nothing, [], nothing, nothing),
            postings=PostingColumns(nothing, nothing, np.zeros((0, len(POSTING_NAMES)), dtype=np.int64)),
            mentions=MentionColumns(nothing, [], [], nothing, small, small, np.zeros(0, dtype=np.bool_)),
        )
    )


def _keep(graph: Future[Graph], loaded: Loaded, graphs: Path) -> None:
    save(replace(graph.result(), version=loaded.version), graphs / loaded.identity)
    forget_unused(graphs)
