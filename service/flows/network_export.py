"""Export of accounts and follows, with what a run found, as one network file that Gephi, igraph and networkx read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from pydantic import Field

from service.analytics.layout import place_communities, place_members
from service.analytics.palette import colours
from service.domain import Float64, Frozen, Int64, Progress, StoreAddress
from service.errors import ConfigurationError, Conflict, EmptyGraph
from service.files.exports import time_text
from service.files.networks import GexfFile, GraphmlFile, Look, NetworkFormat, network_file, writable
from service.files.results import ACCOUNT, MEMBERSHIP, Column, Columns, types
from service.store.driver import Row, Store
from service.store.exports import (
    Follows,
    count_accounts,
    exported_run,
    nothing_published,
    read_follows,
    read_members,
    read_nodes,
    to_be_erased,
    version_of,
)

PROGRESS_NODES = 5_000

NODE: Columns = {
    **ACCOUNT,
    "community": Column("text", "id of its community"),
    "community_topics": Column("texts", "topics in the label of its community"),
    **MEMBERSHIP,
}
"""Attributes of nodes."""

SCALE = 10.0
"""Positions are those of the layout, so many times as far apart: then nodes of these sizes do not touch."""

SMALLEST, LARGEST = 4.0, 14.0
"""Sizes of nodes without a score, and of a score of 100."""

APART = "#d9d9d9"
"""Colour of accounts that are in no community, or of which nothing may be said."""


class NetworkReport(Frozen):
    """What an export of a network wrote."""

    file: Path
    format: NetworkFormat
    version: int = Field(description="Version of the graph when the export began.")
    changed_meanwhile: bool = Field(description="Whether the graph changed while it was read.")
    run: str | None = Field(description="Id of the run whose results are in it; null where there was none.")
    community: str | None = Field(description="Id of the community to which it is restricted.")
    accounts: int
    follows: int
    left_out: int = Field(description="Accounts whose key XML cannot hold; they are not in the file.")
    seconds: float


def export_network(
    address: StoreAddress,
    file: Path,
    file_format: NetworkFormat,
    run_id: str | None,
    community: str | None,
    progress: Progress,
    *,
    force: bool = False,
) -> NetworkReport:
    """Write accounts as nodes and follows as edges, with what a run found, into a file.

    The file appears only when it is whole. It is readable by its owner only. Accounts that are to be erased are not in
    it; those that opted out are, without results. Nodes are in order of keys, edges in order of their ends.

    Args:
        address: the graph, migrated.
        file: where to.
        file_format: GEXF also says where, how large and in which colour nodes are drawn.
        run_id: the run whose results are in it; None for the one that readers see, without results where there is none.
        community: id of the community to whose members, and follows among them, it is restricted.
        progress: told of stages `layout` (GEXF only), `accounts` and `follows`.
        force: replace a file that is there.

    Raises:
        Conflict: the file is there already and is not to be replaced.
        EmptyGraph: there is no account to export.
        RunNotFound: there is no such run, or what it found is no longer kept.
        CommunityNotFound: the run has no such community.
        NothingPublished: a community is asked for before anything was published.
        ConfigurationError: the file cannot be written.
        MigrationError: the graph has not been migrated.
    """
    started = time.perf_counter()
    with new_file(file, force=force) as out, Store(address) as store:
        version = version_of(store)
        run = exported_run(store, run_id)
        if run is None and community is not None:
            raise nothing_published()
        found = None if run is None else run.id
        members: list[tuple[str, int, Int64]] = []
        # Who is in which community is known beforehand only for a picture, or because the one asked for may not exist.
        if found is not None and (file_format == "gexf" or community is not None):
            members = read_members(store, found, community)
        erased = to_be_erased(store)
        total = sum(size for _, size, _ in members) if community is not None else count_accounts(store)
        picture = _picture(store, members, total, progress) if file_format == "gexf" else None
        about = {"graph_version": version, "run": found, "only_community": community}
        writing = network_file(file_format, out, types(NODE), about)
        rows = (row for row in read_nodes(store, found, community) if row["account"]["key"] not in erased)
        keys, ids, left_out = _write_nodes(writing, rows, picture, total, progress)
        if not keys:
            raise EmptyGraph("There is no account to export.")
        follows = _write_follows(writing, keys, read_follows(store, ids), progress)
        writing.end()
        changed = version_of(store) != version
    return NetworkReport(
        file=file.absolute(),
        format=file_format,
        version=version,
        changed_meanwhile=changed,
        run=found,
        community=community,
        accounts=len(keys),
        follows=follows,
        left_out=left_out,
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[TextIO]:
    """Give a file to write text into, readable by its owner only, which takes its name once it is whole.

    Raises:
        Conflict: the file is there already and is not to be replaced, or is a folder.
        ConfigurationError: it cannot be written.
    """
    file = file.absolute()
    folder = Conflict(f"{file} is a folder; name a file in it.")
    if not file.name:
        raise folder
    partial = file.with_name(f"{file.name}.partial-{time.time_ns():x}")
    there = Conflict(f"{file} is there already; choose another file, or replace it with --force.")
    try:
        if file.is_dir():
            raise folder
        if file.exists() and not force:
            raise there
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if not force:
            try:
                os.link(partial, file)
            except FileExistsError:  # it came meanwhile
                raise there from None
            except OSError:  # there are no links on some disks
                pass
            else:
                return
        partial.rename(file)
    except OSError as error:
        raise ConfigurationError(
            f"The graph cannot be exported to {file}: {error.strerror}; choose one in a folder that you may write to."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


class _Picture(NamedTuple):
    """Where members of communities are, and in which colour; and where all others are, in the order in which they come.

    `ids` (within Neo4j, ascending), `places` (float64[n, 2]) and `labels` are of members; `rest` is float64[k, 2].
    """

    ids: Int64
    places: Float64
    labels: Int64
    colours: list[tuple[int, int, int]]
    rest: Float64


def _picture(store: Store, members: list[tuple[str, int, Int64]], total: int, progress: Progress) -> _Picture:
    """Place communities by the follows between them, and accounts in them, the best in the middle."""
    progress("layout", 0, None)
    sizes = np.array([len(ids) for _, _, ids in members], dtype=np.int64)
    everybody = np.concatenate([np.zeros(0, np.int64), *(ids for _, _, ids in members)])
    labels = np.repeat(np.arange(len(members)), sizes)
    ties = ties_between(labels, read_follows(store, everybody)) if len(members) > 1 else (labels[:0],) * 3
    rest = max(total - len(everybody), 0)
    centre, radius = place_communities(np.append(sizes, rest) if rest else sizes, ties)
    discs = [place_members(size, centre[place], radius[place]) for place, size in enumerate(sizes.tolist())]
    places = np.concatenate([np.zeros((0, 2)), *discs])
    order = np.argsort(everybody)
    return _Picture(
        ids=everybody[order],
        places=SCALE * places[order],
        labels=labels[order],
        colours=[_rgb(one) for one in [*colours(len(members)), APART]],
        rest=SCALE * place_members(rest, centre[-1], radius[-1]) if rest else np.zeros((0, 2)),
    )


def ties_between(labels: Int64, follows: Iterable[Follows]) -> tuple[Int64, Int64, Int64]:
    """Count follows from each community to each other one.

    Args:
        labels: community of each account, int64[n].
        follows: by places of accounts.

    Returns:
        Source and target community and number of follows (int64[t]), in order of the two; only where there are any.
    """
    count = int(labels.max(initial=-1)) + 1
    pairs, counted = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for some in follows:
        source, target = labels[some.source], labels[some.target]
        new = (source * count + target)[source != target]
        pairs, where = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        together = np.bincount(where[: len(counted)], counted, len(pairs)) + np.bincount(
            where[len(counted) :], None, len(pairs)
        )
        counted = together.astype(np.int64)
    return pairs // max(count, 1), pairs % max(count, 1), counted


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _write_nodes(
    writing: GraphmlFile | GexfFile, rows: Iterable[Row], picture: _Picture | None, total: int, progress: Progress
) -> tuple[list[str], Int64, int]:
    """Write all nodes; return their keys, their ids within Neo4j, and how many accounts could not be written."""
    keys: list[str] = []
    ids: list[int] = []
    left_out = apart = 0
    for row in rows:
        key = row["account"]["key"]
        if not writable(key):
            left_out += 1
            continue
        attributes = node_attributes(row)
        look = None
        if picture is not None:
            look = _look(picture, row["id"], attributes.get("score"), apart)
            apart += row["community"] is None
        writing.node(key, attributes.get("handle") or key, attributes, look)
        keys.append(key)
        ids.append(row["id"])
        if len(keys) % PROGRESS_NODES == 0:
            progress("accounts", len(keys), max(total, len(keys)))
    progress("accounts", len(keys), len(keys))
    return keys, np.array(ids, dtype=np.int64), left_out


def node_attributes(row: Row) -> dict[str, Any]:
    """Return what is written of an account, as `read_nodes` yields it: by the names of NODE, what is known."""
    account, membership = row["account"], row["membership"] or {}
    values = {
        **{name: account.get(name) for name in ACCOUNT},
        "created_at": time_text(account["created_at"]),
        "community": row["community"],
        "community_topics": row["topics"],
        **{name: membership.get(name) for name in MEMBERSHIP},
    }
    return {name: value for name, value in values.items() if value is not None}


def _look(picture: _Picture, account: int, score: float | None, apart: int) -> Look:
    """How an account is drawn; `apart` counts those before it that are in no community."""
    size = SMALLEST + (LARGEST - SMALLEST) * (score or 0.0) / 100
    place = int(np.searchsorted(picture.ids, account))
    if place < len(picture.ids) and picture.ids[place] == account:
        (x, y), colour = picture.places[place].tolist(), picture.colours[picture.labels[place]]
    else:  # where accounts came meanwhile there may be more of them than were counted
        x, y = picture.rest[apart % len(picture.rest)].tolist() if len(picture.rest) else (0.0, 0.0)
        colour = picture.colours[-1]
    return Look(round(x, 3), round(y, 3), round(size, 3), colour)


def _write_follows(
    writing: GraphmlFile | GexfFile, keys: list[str], follows: Iterable[Follows], progress: Progress
) -> int:
    done = 0
    progress("follows", done, None)
    for some in follows:
        columns = (column.tolist() for column in some)
        for source, target, weight, at in zip(*columns, strict=True):
            writing.edge(keys[source], keys[target], weight, time_text(at))
        done += len(some.source)
        progress("follows", done, None)
    progress("follows", done, done)
    return done
