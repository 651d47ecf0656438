"""Import of follows: from a file, batch by batch, into the graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from service.domain import Applied, Follow, Frozen, Progress, StoreAddress
from service.errors import NothingImported, UnreadableFile
from service.files.follows import FollowFile, FollowReader, open_follows
from service.files.lines import STANDARD_INPUT
from service.files.rejects import RejectReport
from service.store.driver import Store
from service.store.edges import apply_follows, stronger

BATCH_FOLLOWS = 20_000
"""Distinct follows in one transaction. Measured: 12,100 follows a second in batches of 5,000, 16,900 in batches of
10,000, 19,300 of 20,000, 20,600 of 50,000, which lose more when an import is cut off."""

PROGRESS_FOLLOWS = 5_000
"""Progress is told whenever that many more were read."""


class ImportReport(Frozen):
    """What an import did.

    `lines` = `follows` + all `skipped` + all `rejected`;
    `follows` = `follows_created` + `follows_updated` + `unchanged` + `duplicates`.
    """

    file: str = Field(description="The file, or - for standard input.")
    lines: int = Field(description="Lines read.")
    follows: int = Field(description="Lines that hold a usable follow.")
    skipped: dict[str, int] = Field(description="Lines that hold none, by kind: header, empty, comment, continued.")
    rejected: dict[str, int] = Field(description="Lines left out, by reason.")
    report: Path | None = Field(description="Where each rejected line stands with number and reason, if there are any.")
    accounts_created: int
    follows_created: int
    follows_updated: int = Field(description="Follows that got a later time, or a greater weight at the same time.")
    unchanged: int = Field(description="Follows that were in the graph already, with this time and weight or beyond.")
    duplicates: int = Field(description="Follows with the same two ends as another one in the same batch.")
    version: int = Field(description="Version of the graph afterwards.")
    seconds: float


def import_follows(address: StoreAddress, file: FollowFile, reports: Path, progress: Progress) -> ImportReport:
    """Import a file of follows. Importing it again changes nothing; so does going on after an import that was cut off.

    Memory does not grow with the file. Each batch is one transaction; a line is in the graph, or skipped (header,
    comment, empty), or in the report of rejected lines.

    Args:
        address: the graph, migrated.
        file: the file, and how to read it.
        reports: folder for the report of rejected lines; made when it is needed.
        progress: told of the stage `import`, in bytes of the file.

    Raises:
        UnreadableFile: the file cannot be opened or understood; or reading stopped on the way: then what came
            before is in the graph, and `line` is the last line read.
        NothingImported: there is not one usable line in it.
        ConfigurationError: the report cannot be written.
        StoreError: Neo4j did not take a batch; the batches before it are in the graph.
    """
    started = time.perf_counter()
    name = "standard-input" if file.path == STANDARD_INPUT else file.path.name
    with (
        RejectReport(reports, name) as report,
        open_follows(file, report.write) as reader,
        Store(address) as store,
    ):
        done = Applied(0, 0, 0, 0)
        distinct = 0
        try:
            for batch in _batches(reader, progress):
                applied = apply_follows(store, batch)
                distinct += len(batch)
                done = Applied(
                    accounts_created=done.accounts_created + applied.accounts_created,
                    follows_created=done.follows_created + applied.follows_created,
                    follows_updated=done.follows_updated + applied.follows_updated,
                    version=applied.version,
                )
        except UnreadableFile as error:
            raise UnreadableFile(
                f"{error.message} {_so_far(reader)} Importing the whole file later is safe: it changes nothing twice.",
                **error.fields,
            ) from error
    if not reader.follows:
        raise NothingImported(_why_nothing(reader, report.path), rejected=dict(reader.rejected))
    return ImportReport(
        file=str(file.path),
        lines=reader.lines,
        follows=reader.follows,
        skipped=dict(sorted(reader.skipped.items())),
        rejected=dict(sorted(reader.rejected.items())),
        report=report.path,
        accounts_created=done.accounts_created,
        follows_created=done.follows_created,
        follows_updated=done.follows_updated,
        unchanged=distinct - done.follows_created - done.follows_updated,
        duplicates=reader.follows - distinct,
        version=done.version,
        seconds=round(time.perf_counter() - started, 3),
    )


def _batches(reader: FollowReader, progress: Progress) -> Iterator[list[Follow]]:
    """Yield the follows of a file in batches without duplicates; also the last ones before reading stopped."""
    batch: dict[tuple[str, str], Follow] = {}
    stopped = None
    follows = iter(reader)
    while True:
        try:
            follow = next(follows, None)
        except UnreadableFile as error:
            follow, stopped = None, error
        if follow is None:
            break
        if reader.follows % PROGRESS_FOLLOWS == 0:
            progress("import", reader.read_bytes, reader.total_bytes)
        ends = (follow.follower, follow.followee)
        known = batch.get(ends)
        batch[ends] = follow if known is None else stronger(known, follow)
        if len(batch) == BATCH_FOLLOWS:
            yield list(batch.values())
            batch = {}
    progress("import", reader.read_bytes, reader.total_bytes)
    if batch:
        yield list(batch.values())
    if stopped is not None:
        raise stopped


def _so_far(reader: FollowReader) -> str:
    if not reader.follows:
        return "Nothing was imported."
    return f"The {reader.follows:,} follows before that are in the graph."


def _why_nothing(reader: FollowReader, report: Path | None) -> str:
    if report is None:
        return f"{reader.name} holds no follow, only {', '.join(reader.skipped)}; there is nothing to import."
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in reader.rejected.most_common())
    return (
        f"Not one line of {reader.name} could be used ({reasons}); {report} says why for each. "
        "Are format and columns the ones meant?"
    )
