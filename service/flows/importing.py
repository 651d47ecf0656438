"""Import of everything people know about their graph: from a file or a folder, batch by batch, into the graph."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from service.domain import Applied, EmbeddedConfig, Follow, Frozen, Progress, StoreAddress
from service.errors import BadInput, NothingImported, UnreadableFile
from service.files.account_lists import ListFile, open_list
from service.files.follows import FollowFile, open_follows
from service.files.lines import STANDARD_INPUT
from service.files.manifest import listed_files, read_manifest
from service.files.reading import LineReader
from service.files.records import Entry, open_records
from service.files.rejects import Rejected, RejectReport
from service.files.schemas import SCHEMAS
from service.flows.import_options import ImportFile
from service.records import Match, Statement
from service.store.changes import apply_batch, check_batch
from service.store.driver import Store
from service.store.edges import ended_by
from service.store.matching import NoMatch, matched

if TYPE_CHECKING:
    from service.flows.loading import FirstLoad

BATCH_LINES = 20_000
"""Lines in one transaction. Measured with follows: 12,100 a second in batches of 5,000, 16,900 in batches of 10,000,
19,300 of 20,000, 20,600 of 50,000, which lose more when an import is cut off."""

BATCH_CHARACTERS = 8 << 20
"""A batch ends earlier where its texts are long: a transaction is held in memory, here and in Neo4j."""

FOLLOWS_BACK = "follows_back"
"""What the second follow of a line counts as, in lists of mutual connections: a line is new or not by its first."""

WAITING_SECONDS = 0.5
"""How often progress is told while lines are read and nothing is written."""


class ImportReport(Frozen):
    """What the import of a file did, or would do.

    `lines` = `used` + all `skipped` + all `rejected`; `used` = `created` + `updated` + `unchanged`.
    """

    kind: str = Field(description="Which schema its lines follow.")
    file: str = Field(description="The file, or - for standard input.")
    check: bool = Field(description="Whether nothing was written: the counts say what an import would do.")
    lines: int = Field(description="Lines read.")
    used: int = Field(description="Lines that say something usable.")
    skipped: dict[str, int] = Field(
        description="Lines that say nothing, by kind: header, empty, comment, continued; or why."
    )
    rejected: dict[str, int] = Field(description="Lines left out, by reason.")
    report: Path | None = Field(description="Where each rejected line stands with number and reason, if there are any.")
    ignored: tuple[str, ...] = Field(description="Columns that were not read, because the schema does not know them.")
    accounts_created: int = Field(description="Accounts that were not in the graph.")
    created: int = Field(description="Lines that made something new: a follow, a post, counts of a pair and day, ...")
    updated: int = Field(description="Lines that changed what was there: a later time, another value, one more event.")
    unchanged: int = Field(description="Lines that said what was known already, or something older.")
    also_created: dict[str, int] = Field(
        description="What lines made or changed beside that: responses to posts; in lists who accounts are, follows "
        "back, and of when a complete list is; unfollows, follows that complete lists ended."
    )
    not_complete: str | None = Field(
        default=None,
        description="Why a list of all followers was not taken as complete, so that no follow ended; null where it "
        "was, and of other files.",
    )
    version: int | None = Field(description="Version of the graph afterwards; null where nothing was written.")
    seconds: float


class Done(Frozen):
    """How far an import has come: so many lines from the beginning are in the graph, skipped, or in the report.

    Numbers are those of ImportReport; `report_bytes` is how long the report of rejected lines then was.
    """

    lines: int = 0
    used: int = 0
    skipped: dict[str, int] = Field(default={})
    rejected: dict[str, int] = Field(default={})
    report_bytes: int = 0
    accounts_created: int = 0
    created: int = 0
    updated: int = 0
    also_created: dict[str, int] = Field(default={})
    version: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Resumption:
    """An import that goes on where it was cut off.

    Attributes:
        done: how far it had come.
        report: the report of rejected lines; what it held beyond `done.report_bytes` is written anew.
        note: called after each batch, when it is in the graph, with how far the import has come. What it raises ends
            the import.
    """

    done: Done
    report: RejectReport
    note: Callable[[Done], None]


class FolderReport(Frozen):
    """What the import of a folder, or of what holds several kinds of lines, did or would do, in the order of import."""

    folder: str = Field(description="The folder; or the file, or the mapping, that holds several kinds of lines.")
    description: str = Field(description="What its manifest says about it, or what was found in it.")
    synthetic: bool = Field(description="Whether its manifest says that everything in it was invented.")
    files: tuple[ImportReport, ...]
    seconds: float

    @property
    def rejected(self) -> int:
        """How many lines were left out."""
        return sum(sum(one.rejected.values()) for one in self.files)


def line_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each kind of lines that can be imported, by kind."""
    return {kind: schema.json_schema() for kind, schema in SCHEMAS.items()}


@dataclass(frozen=True)
class Parts:
    """Files that are imported as one.

    Attributes:
        name: what they are together.
        description: what is said about them.
        files: each with how it is read, in the order of import.
        synthetic: whether everything in them was invented.
    """

    name: str
    description: str
    files: Sequence[ImportFile]
    synthetic: bool = False


def import_folder(
    address: StoreAddress,
    folder: Path,
    reports: Path,
    progress: Progress,
    *,
    check: bool = False,
    most_expanded: int | None = None,
    embedded: EmbeddedConfig | None = None,
    graphs: Path | None = None,
) -> FolderReport:
    """Import the files that the manifest of a folder lists, accounts first.

    Done again it changes nothing; an import that was cut off is finished by starting it again. A file without one
    usable line does not stop the others: it is in the report. Where large files of follows are loaded as a whole, as
    `import_file` says, they come before all others.

    Args:
        address: the graph, migrated.
        folder: the folder, or its `manifest.json`.
        reports: folder for the reports of rejected lines; made when it is needed.
        progress: told of a stage for each file, in bytes of it.
        check: only say what an import would do.
        most_expanded: bytes that a packed file may expand to; None: any number.
        embedded, graphs: as in `import_file`.

    Raises:
        UnreadableFile: the manifest or a file cannot be used, and nothing is in the graph; or reading one stopped on
            the way: then what came before is in the graph.
        ConfigurationError: a report cannot be written.
        StoreError: Neo4j did not take a batch; the batches before it are in the graph.
    """
    manifest = read_manifest(folder)
    parts = Parts(str(folder), manifest.description, listed_files(folder, manifest), manifest.synthetic)
    return import_parts(
        address, parts, reports, progress, check=check, most_expanded=most_expanded, embedded=embedded, graphs=graphs
    )


def import_parts(
    address: StoreAddress,
    parts: Parts,
    reports: Path,
    progress: Progress,
    *,
    check: bool = False,
    most_expanded: int | None = None,
    embedded: EmbeddedConfig | None = None,
    graphs: Path | None = None,
) -> FolderReport:
    """Import several files as one, in their order; see `import_folder`, of which arguments and errors are."""
    started = time.perf_counter()
    files = parts.files
    for file in files:  # what is wrong with how one is read is found before anything of another is in the graph
        with _opened(file, lambda _: None, most_expanded):
            pass
    follows = [file for file in files if isinstance(file, FollowFile)]
    loaded = None
    if not check:
        loaded = _first_load(embedded, address, follows, partial(_report_of, reports), progress, graphs, most_expanded)
    done = []
    for file in files:
        if loaded is not None and isinstance(file, FollowFile):
            if not loaded.reports and loaded.stopped is not None:
                raise loaded.stopped
            done.append(loaded.reports.pop(0))
            continue
        stage = f"import {file.path.name}"
        done.append(_import(address, file, reports, progress, stage, check=check, most_expanded=most_expanded))
    return FolderReport(
        folder=parts.name,
        description=parts.description,
        synthetic=parts.synthetic,
        files=tuple(done),
        seconds=round(time.perf_counter() - started, 3),
    )


def import_file(
    address: StoreAddress,
    file: ImportFile,
    reports: Path,
    progress: Progress,
    *,
    check: bool = False,
    most_expanded: int | None = None,
    resumption: Resumption | None = None,
    embedded: EmbeddedConfig | None = None,
    graphs: Path | None = None,
) -> ImportReport:
    """Import one file. Importing it again changes nothing; so does going on after an import that was cut off.

    Memory does not grow with the file. Each batch is one transaction; a line is in the graph, or skipped (header,
    comment, empty), or in the report of rejected lines.

    Into an embedded store without accounts a large file of follows is loaded as a whole, see `flows.loading`: with the
    same outcome, but all of it or, where it is cut off, nothing; memory then grows by some 100 bytes a follow.

    Args:
        address: the graph, migrated.
        file: the file, and how to read it.
        reports: folder for the report of rejected lines; made when it is needed.
        progress: told of the stage `import`, in bytes of the file.
        check: only say what an import would do to the graph as it is now; marks of what was seen are kept in memory,
            some 100 bytes for each new thing.
        most_expanded: bytes that a packed file may expand to; None: any number.
        resumption: where to go on, for an import that was cut off, and whom to tell how far it has come. Lines that
            are done are read again, and nothing else. A batch that got into the graph and was not noted any more is
            applied again, which changes nothing: its lines then count as unchanged.
        embedded: how the server at `address` is run, where it is the embedded one.
        graphs: folder in which graphs of analyses are kept.

    Raises:
        UnreadableFile: the file cannot be opened or understood; or reading stopped on the way: then what came
            before is in the graph, and `line` is the last line read.
        NothingImported: there is not one usable line in it.
        ConfigurationError: the report cannot be written.
        StoreError: Neo4j did not take a batch; the batches before it are in the graph.
    """
    loaded = None
    if isinstance(file, FollowFile) and not check and (resumption is None or not resumption.done.lines):
        report_of = partial(_report_of, reports, resumption=resumption)
        loaded = _first_load(embedded, address, [file], report_of, progress, graphs, most_expanded)
    if loaded is not None and loaded.stopped is not None:
        raise loaded.stopped
    report = (
        loaded.reports[0]
        if loaded
        else _import(
            address, file, reports, progress, "import", check=check, most_expanded=most_expanded, resumption=resumption
        )
    )
    if not report.used:
        raise NothingImported(
            _why_nothing(report), lines=report.lines, skipped=report.skipped, rejected=report.rejected
        )
    return report


def _report_of(reports: Path, file: ImportFile, resumption: Resumption | None = None) -> RejectReport:
    """The report of the lines of a file that are left out."""
    if resumption is not None:
        return resumption.report
    return RejectReport(reports, "standard-input" if file.path == STANDARD_INPUT else file.path.name)


def _first_load(
    embedded: EmbeddedConfig | None,
    address: StoreAddress,
    files: Sequence[FollowFile],
    report_of: Callable[[FollowFile], RejectReport],
    progress: Progress,
    graphs: Path | None,
    most_expanded: int | None,
) -> FirstLoad | None:
    if embedded is None:
        return None
    # Not before it is needed: kernels and their compiler take a second to import.
    from service.flows.loading import first_load

    return first_load(embedded, address, files, report_of, progress, graphs, most_expanded)


def _opened(
    file: ImportFile, reject: Callable[[Rejected], None], most_expanded: int | None
) -> AbstractContextManager[LineReader[Any]]:
    if isinstance(file, FollowFile):
        return open_follows(file, reject, most_expanded)
    if isinstance(file, ListFile):
        return open_list(file, reject, most_expanded)
    return open_records(file, reject, most_expanded)


def _import(
    address: StoreAddress,
    file: ImportFile,
    reports: Path,
    progress: Progress,
    stage: str,
    *,
    check: bool,
    most_expanded: int | None,
    resumption: Resumption | None = None,
) -> ImportReport:
    started = time.perf_counter()
    before = Done() if resumption is None else resumption.done
    with _report_of(reports, file, resumption) as report, Store(address) as store:

        def reject(rejected: Rejected) -> None:
            if rejected.line > before.lines:
                report.write(rejected)

        with _opened(file, reject, most_expanded) as reader:
            lists = isinstance(file, ListFile) and file.mapping.complete
            tally = _Tally(store, reader, check=check, lists=lists)
            tally.go_on_from(before)

            def tell(read_bytes: int) -> None:
                progress(stage, read_bytes, reader.total_bytes)

            tell(reader.read_bytes)
            leaving = threading.Event()
            batches = _batches(reader, report if resumption is not None else None, before, leaving)
            # Lines of customer lists may be given back when they are matched; a pipe may be silent for ever.
            if isinstance(file, FollowFile) and reader.total_bytes is not None:
                batches = _ahead(batches, lambda: tell(reader.read_bytes), leaving)
            try:
                with closing(batches):
                    for batch in batches:
                        tell(batch.read_bytes)
                        tally.add(batch)
                        if resumption is not None:
                            seconds = before.seconds + time.perf_counter() - started
                            resumption.note(tally.done(batch, report, round(seconds, 3)))
                tell(reader.read_bytes)
            except UnreadableFile as error:
                raise reading_stopped(error, reader, report.path, check=check) from error
    return import_report(
        file,
        reader,
        report,
        check=check,
        accounts_created=tally.accounts_created,
        created=tally.created,
        updated=tally.updated,
        also_created=dict(sorted(tally.also_created.items())),
        version=tally.version,
        seconds=round(before.seconds + time.perf_counter() - started, 3),
    )


def import_report(
    file: ImportFile,
    reader: LineReader[Any],
    report: RejectReport,
    *,
    check: bool,
    accounts_created: int,
    created: int,
    updated: int,
    also_created: dict[str, int],
    version: int | None,
    seconds: float,
) -> ImportReport:
    """Say what became of the lines of a file that was read to its end, and what they made; see `ImportReport`."""
    return ImportReport(
        kind="follows" if isinstance(file, FollowFile) else file.kind,
        file=str(file.path) if file.name is None else file.name,
        check=check,
        lines=reader.lines,
        used=reader.used,
        skipped=dict(sorted(reader.skipped.items())),
        rejected=dict(sorted(reader.rejected.items())),
        report=report.path,
        ignored=tuple(reader.ignored),
        accounts_created=accounts_created,
        created=created,
        updated=updated,
        unchanged=reader.used - created - updated,
        also_created=also_created,
        not_complete=reader.not_complete,
        version=version,
        seconds=seconds,
    )


@dataclass
class _Tally:
    """Puts batches into the graph, or only looks what they would do, and adds up what comes of it.

    `lists` says that the lines are a list of all followers of an account.
    """

    store: Store
    reader: LineReader[Any]
    check: bool
    lists: bool = False
    accounts_created: int = 0
    created: int = 0
    updated: int = 0
    also_created: Counter[str] = field(default_factory=Counter)
    version: int | None = None
    _seen: set[int] = field(default_factory=set)

    def go_on_from(self, done: Done) -> None:
        """Begin with what was counted before."""
        self.accounts_created, self.created, self.updated = done.accounts_created, done.created, done.updated
        self.also_created.update(done.also_created)
        self.version = done.version

    def done(self, batch: _Batch, report: RejectReport, seconds: float) -> Done:
        """How far the import has come, after a batch."""
        after = batch.after
        if isinstance(batch.items[0], Entry):  # some of its lines may have been given back
            after = _so_far(self.reader, report)
        return after.model_copy(
            update={
                "accounts_created": self.accounts_created,
                "created": self.created,
                "updated": self.updated,
                "also_created": dict(self.also_created),
                "version": self.version,
                "seconds": seconds,
            }
        )

    def add(self, batch: _Batch) -> None:
        groups: dict[str, Any] = {"follows": batch.items}
        if isinstance(batch.items[0], Entry):
            groups = _grouped(self.store, self.reader, batch.items)
        for place, (thing, group) in enumerate(groups.items()):
            of = "follows" if thing == FOLLOWS_BACK else thing
            applied = self._checked(of, group) if self.check else apply_batch(self.store, of, group)
            self.accounts_created += applied.accounts_created
            if place == 0:
                self.created += applied.created
                self.updated += applied.updated
            elif applied.created or applied.updated:
                self.also_created[thing] += applied.created + applied.updated
            if applied.ended:
                self.also_created["unfollows"] += applied.ended
            self.version = None if self.check else applied.version

    def _checked(self, thing: str, group: Sequence[Any]) -> Applied:
        accounts, created, updated = check_batch(self.store, thing, group)
        ended = 0
        if thing == "complete_followers":
            ended = self._not_seen("ended", ended_by(self.store, group))
        elif thing == "follows" and self.lists:  # who is listed does not leave
            self._not_seen("ended", {(follow.follower, follow.followee) for follow in group})
        # Nothing is written, so that what an earlier batch would have made is still missing.
        return Applied(self._not_seen("account", accounts), self._not_seen(thing, created), updated, 0, ended)

    def _not_seen(self, thing: str, identities: set[Any]) -> int:
        marks = {hash((thing, identity)) for identity in identities}
        new = len(marks - self._seen)
        self._seen |= marks
        return new


def _grouped(store: Store, reader: LineReader[Any], batch: Sequence[Entry]) -> dict[str, list[Any]]:
    """Return what a batch says by what it is about; lines of customer lists are matched first."""
    matches = [entry for entry in batch if isinstance(entry.said, Match)]
    groups: dict[str, list[Any]] = {}
    for entry, found in zip(matches, matched(store, [entry.said for entry in matches]), strict=True):  # type: ignore[misc]
        if isinstance(found, NoMatch):
            reader.give_back(entry.line, found.reason, found.message)
        else:
            groups.setdefault(found.thing, []).append(found)
    for entry in batch:
        if not isinstance(entry.said, Match):
            for place, said in enumerate(entry.said):
                thing = (FOLLOWS_BACK if place else "follows") if isinstance(said, Follow) else said.thing
                groups.setdefault(thing, []).append(said)
    return groups


class _Batch(NamedTuple):
    """What some lines hold, how far the reader and the report of rejected lines were after them, and in the file."""

    items: list[Any]
    after: Done
    read_bytes: int


def _so_far(reader: LineReader[Any], report: RejectReport | None) -> Done:
    return Done(
        lines=reader.lines,
        used=reader.used,
        skipped=dict(reader.skipped),
        rejected=dict(reader.rejected),
        report_bytes=0 if report is None else report.size(),
    )


def _ahead(
    batches: Generator[_Batch, None, None], waiting: Callable[[], None], leaving: threading.Event
) -> Generator[_Batch, None, None]:
    """Yield batches, the next of which is read by a thread meanwhile: while Neo4j writes, this process has time.

    `waiting` is called now and then while there is none yet; `leaving` is set when no more is to be read.
    """
    with ThreadPoolExecutor(1, "reader") as thread:
        following = thread.submit(next, batches, None)
        try:
            while True:
                try:
                    batch = following.result(WAITING_SECONDS)
                except TimeoutError:
                    waiting()
                    continue
                if batch is None:
                    return
                following = thread.submit(next, batches, None)
                yield batch
        finally:
            leaving.set()


def _batches(
    reader: LineReader[Any], report: RejectReport | None, before: Done, leaving: threading.Event
) -> Generator[_Batch, None, None]:
    """Yield what a file holds in batches, beyond what is done; also the last one before reading stopped.

    Where `leaving` is set, no more is read.
    """
    batch: list[Any] = []
    size = 0
    stopped = None
    items = iter(reader)
    while True:
        try:
            item = next(items, None)
        except UnreadableFile as error:
            item, stopped = None, error
        if leaving.is_set():
            return
        if item is None:
            if before.lines and reader.lines == before.lines:
                _restore(reader, before)
            break
        if reader.lines <= before.lines:
            if reader.lines == before.lines:
                _restore(reader, before)
            continue
        batch.append(item)
        size += _characters(item)
        if len(batch) == BATCH_LINES or size >= BATCH_CHARACTERS:
            yield _Batch(batch, _so_far(reader, report), reader.read_bytes)
            batch, size = [], 0
    if batch:
        yield _Batch(batch, _so_far(reader, report), reader.read_bytes)
    if stopped is not None:
        raise stopped


def _restore(reader: LineReader[Any], before: Done) -> None:
    """Count what became of lines that are done as it is known, better than by reading: some were given back."""
    reader.used = before.used
    reader.skipped, reader.rejected = Counter(before.skipped), Counter(before.rejected)


def _characters(item: Any) -> int:
    """How long the texts of a line are; ids are too short to matter."""
    if not isinstance(item, Entry) or isinstance(item.said, Match):
        return 0
    statements = (one for one in item.said if isinstance(one, Statement))
    return sum(len(value) for one in statements for value in one.values if isinstance(value, str | tuple))


def reading_stopped(error: BadInput, reader: LineReader[Any], report: Path | None, *, check: bool) -> BadInput:
    """Say what is in the graph of a file whose reading stopped on the way."""
    if check or not reader.used:
        done = "Nothing was imported."
    else:
        done = f"The {reader.used:,} usable lines before that are in the graph."
    rejected = "" if report is None else f" Lines that were left out are in {report}."
    again = " Importing the whole file later is safe: it changes nothing twice."
    if check or "damaged" in error.fields:
        again = ""
    return type(error)(f"{error.message} {done}{rejected}{again}", **error.fields)


def _why_nothing(report: ImportReport) -> str:
    name = "standard input" if report.file == str(STANDARD_INPUT) else report.file
    if report.report is None:
        return f"{name} holds no {report.kind}, only {', '.join(report.skipped)}; there is nothing to import."
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in Counter(report.rejected).most_common())
    return (
        f"Not one line of {name} could be used ({reasons}); {report.report} says why for each. "
        "Are format and columns the ones meant?"
    )
