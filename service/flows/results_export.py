"""Export of what a run found as tables: communities, memberships, ties between communities, lineage, lenses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from service.domain import Frozen, Progress, StoreAddress
from service.files.results import COMMUNITY, MEMBERSHIP, SCORED, TABLES, types, write_results_manifest
from service.files.tables import FileFormat, TableFile
from service.flows.exporting import new_folder
from service.flows.network_export import ties_between
from service.store.driver import Row, Store
from service.store.exports import (
    exported_run,
    nothing_published,
    read_communities,
    read_follows,
    read_lineage,
    read_measured,
    read_members,
    read_memberships,
    read_scored,
    to_be_erased,
    version_of,
)

PROGRESS_ROWS = 5_000


class ResultsReport(Frozen):
    """What an export of results wrote."""

    folder: Path
    version: int = Field(description="Version of the graph when the export began.")
    changed_meanwhile: bool = Field(description="Whether the graph changed while it was read.")
    run: str
    rows: dict[str, int] = Field(description="Rows written, by table.")
    seconds: float


def export_results(
    address: StoreAddress, folder: Path, file_format: FileFormat, run_id: str | None, progress: Progress
) -> ResultsReport:
    """Write what a run found into a folder, a file for each table, with a manifest that says what the columns are.

    The folder appears only when it is whole. It is readable by its owner only. Accounts that opted out or are to be
    erased are in no table, and what names people beside them (labels, who is followed most) is left out.

    Args:
        address: the graph, migrated.
        folder: where to; it must not be there yet, or be empty.
        file_format: of the tables.
        run_id: the run; None for the one that readers see.
        progress: told of stage `results`, in rows.

    Raises:
        Conflict: the folder holds something.
        NothingPublished: no run was named, and none has been published yet.
        RunNotFound: there is no such run, or what it found is no longer kept.
        ConfigurationError: the folder cannot be written.
        MigrationError: the graph has not been migrated.
    """
    started = time.perf_counter()
    with new_folder(folder) as partial, Store(address) as store:
        version = version_of(store)
        run = exported_run(store, run_id)
        if run is None:
            raise nothing_published()
        about = {
            "run": run.id,
            "run_graph_version": run.graph_version,
            "run_as_of": None if run.as_of is None else run.as_of.isoformat().replace("+00:00", "Z"),
            "graph_version": version,
        }
        written = []
        done = 0
        for name, rows in _tables(store, run.id):
            file = f"{name}.{file_format}"
            with TableFile(partial / file, types(TABLES[name]), file_format) as table:
                for row in rows:
                    table.write(row)
                    if (done + table.rows) % PROGRESS_ROWS == 0:
                        progress("results", done + table.rows, None)
            done += table.rows
            written.append((name, file, table))
        progress("results", done, done)
        write_results_manifest(partial, about, written)
        changed = version_of(store) != version
    return ResultsReport(
        folder=folder.absolute(),
        version=version,
        changed_meanwhile=changed,
        run=run.id,
        rows={name: table.rows for name, _, table in written},
        seconds=round(time.perf_counter() - started, 3),
    )


def _tables(store: Store, run_id: str) -> Iterator[tuple[str, Iterable[Row]]]:
    """Yield the name of each table, and its rows as they are read."""
    erased = to_be_erased(store)
    yield "communities", (_only(row, COMMUNITY) for row in read_communities(store, run_id))
    yield (
        "memberships",
        (
            {"account": row["account"], "community": row["community"], **_only(row["membership"], MEMBERSHIP)}
            for row in read_memberships(store, run_id)
            if row["account"] not in erased
        ),
    )
    yield "community_ties", _ties(store, run_id)
    yield "lineage", read_lineage(store, run_id)
    yield (
        "lens_scores",
        (
            {"account": row["account"], **_only(row["scored"], SCORED)}
            for row in read_scored(store, run_id)
            if row["account"] not in erased
        ),
    )
    yield "own_measures", (row for row in read_measured(store) if row["account"] not in erased)


def _only(properties: Row, columns: Any) -> Row:
    """Those properties that are columns."""
    return {name: properties[name] for name in columns if properties.get(name) is not None}


def _ties(store: Store, run_id: str) -> Iterator[Row]:
    """Follows of today between members of different communities."""
    members = read_members(store, run_id, None)
    if not members:
        return
    names = [community for community, _, _ in members]
    labels = np.repeat(np.arange(len(members)), [len(ids) for _, _, ids in members])
    everybody = np.concatenate([ids for _, _, ids in members])
    columns = (column.tolist() for column in ties_between(labels, read_follows(store, everybody)))
    for source, target, follows in zip(*columns, strict=True):
        yield {"source": names[source], "target": names[target], "follows": follows}
