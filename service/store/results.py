"""Results of a run into the graph: the analysts' view, and the published set of prepared pages.

Nothing here is seen by readers before `finish`, one transaction that marks the run as done and moves the pointer to the
current run. Every batch first sees that the run is still running, and writing it twice changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from service.domain import (
    GATE_NAMES,
    MICRO_ROLES,
    MILLION,
    PART_NAMES,
    ROLE_NAMES,
    SPREADING,
    TYPE_NAMES,
    Analysis,
    Before,
    Community,
    CommunityGroup,
    CommunityScores,
    Graph,
    Int64,
    LineageEvent,
    Progress,
    PublishedPart,
    Quality,
)
from service.store.driver import Row, Store, Tx
from service.store.runs import lock, require_running, write_run

FILE_BYTES = 1_048_576
"""A published file is at most this large, unless a single line is larger."""

MEMBERS_FORMAT = b"memberships 2"
"""Changed when the properties of memberships change, so that all of them are written anew."""

SLACK = 1e-3
"""Raw values and measures of the whole network in the graph may be off by this share of what the latest run found."""

COMMUNITIES_A_BATCH = 1_000
MEMBERS_A_BATCH = 2_000
BYTES_A_BATCH = 8 * FILE_BYTES
FILES_A_BATCH = 1_000

WRITTEN = ("scored", "members", "communities", "files")
"""What a run writes, in the order in which it can be removed."""

T = TypeVar("T")


# --- the analysts' view ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Succession:
    """What the last transaction of a run has to do to communities of the run before, as rows of statements.

    `shared` are those that belong to both runs, because all their memberships are the same; `ended` what became of
    those that are no more; `names` where people are to be asked whether a name is still right.
    """

    shared: list[Row]
    ended: list[Row]
    names: list[Row]


NOBODY = Succession([], [], [])


def write_back(
    store: Store,
    run_id: str,
    graph: Graph,
    analysis: Analysis,
    progress: Progress,
    token: int | None = None,
    before: Before | None = None,
    *,
    share: bool = False,
) -> Succession:
    """Write communities, the groups that they are part of, and memberships with their scores, in batches.

    The membership of an account in its own community has primary, share, type and in_base; gate where one keeps it out;
    roles; score and, of a candidate, rank, rank_low and rank_high, of a macro macro_rank; of each part its raw value
    (`authority`), x (`authority_x`) and points of 100 (`authority_points`); and every measure of the whole network that
    was asked for. What is null is absent. In a community that people defined a membership has all of this but share and
    measures, and primary is false. Secondary memberships have primary (false) and share. What lenses say of an account
    is on its SCORED to the run: of each the value by its name, some figures, and everything as JSON in `details`; and
    `community`, the id of its own one. Accounts that have gone since the snapshot are left out.

    With `share`, a community of which nothing was found that the run before had not written is not written again: it
    belongs to both runs once this one is published, see `finish`. Raw values and measures that one follow anywhere
    changes a little everywhere may then be off by SLACK at most.

    Raises:
        Conflict: the run is no longer running.
    """
    digests = members_digests(graph, analysis)
    communities = analysis.scored
    written: dict[tuple[str, str], str] = {}
    if before is not None and share:
        rows = store.read("results/written_before", run=before.run)
        written = {(row["id"], row["members_digest"]): row["run"] for row in rows}
        same = [place for place, one in enumerate(communities) if (one.id, digests[place]) in written]
        for place in set(same) - still_true(store, before.run, graph, analysis, same):
            del written[communities[place].id, digests[place]]
    fresh = [(one.id, digest) not in written for one, digest in zip(communities, digests, strict=True)]
    new = {one.id for one, is_fresh in zip(communities, fresh, strict=True) if is_fresh}

    described = [_community_row(one, digest) for one, digest in zip(communities, digests, strict=True)]
    events = {one.id: one.event for one in analysis.lineage}
    groups = [group for level in analysis.groups for group in level]
    parts = [(one.id, one.part_of) for one in analysis.communities if one.part_of is not None and one.id in new]
    parts += [(one.id, one.part_of) for one in groups if one.part_of is not None]
    origins = [] if before is None else list(_origin_rows(analysis, before, new))
    members = sum(len(scores.members) for scores, is_fresh in zip(analysis.scores, fresh, strict=True) if is_fresh)
    members += sum(fresh[community] for community in analysis.secondary.community.tolist())
    scored = graph.n if analysis.lenses else 0
    total = len(new) + len(groups) + len(parts) + len(origins) + members + scored
    done = 0
    batches = [
        (
            "results/write_communities",
            _batches(iter([_with_event(row, events) for row in described if row["id"] in new]), COMMUNITIES_A_BATCH),
        ),
        ("results/write_communities", _batches(map(_group_row, groups), COMMUNITIES_A_BATCH)),
        ("results/write_parts", _batches(map(_part_row, parts), COMMUNITIES_A_BATCH)),
        ("lineage/write", _batches(iter(origins), COMMUNITIES_A_BATCH)),
        ("results/write_members", _batches(_member_rows(graph, analysis, fresh), MEMBERS_A_BATCH)),
        ("results/write_scored", _batches(_scored_rows(graph, analysis), MEMBERS_A_BATCH)),
    ]
    for query, rows_of_batches in batches:
        with closing(_ahead(rows_of_batches)) as ready:
            for rows in ready:
                progress("write_back", done, total)
                _write_rows(store, run_id, query, rows, token)
                done += len(rows)
    progress("write_back", total, total)
    shared = [
        {**row, "run": written[row["id"], digest], "part_of": one.part_of}
        for row, one, digest in zip(described, communities, digests, strict=True)
        if row["id"] not in new
    ]
    return NOBODY if before is None else Succession(shared, _ended_rows(analysis, before), _name_rows(analysis))


def _write_rows(store: Store, run_id: str, query: str, rows: list[Row], token: int | None) -> None:
    def work(tx: Tx) -> None:
        require_running(tx, run_id, token)
        tx.run(query, run=run_id, rows=rows)

    write_run(store, work)


def _ahead(batches: Iterator[T]) -> Generator[T, None, None]:
    """The same, the next one made by a thread while Neo4j takes in the last."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def _batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(rows, size)):
        yield batch


def still_true(store: Store, run_id: str, graph: Graph, analysis: Analysis, places: list[int]) -> set[int]:
    """Say which communities have raw values and measures in the graph that are those of now, but for SLACK.

    Args:
        store: the graph.
        run_id: the run that has these communities.
        graph: of now.
        analysis: of now.
        places: communities, found and then defined, all of which has the same digest in that run.
    """
    communities = analysis.scored
    spreading = [name for name in SPREADING if name in analysis.measures]
    place_of = {communities[place].id: place for place in places}
    true: set[int] = set()
    for first in range(0, len(places), COMMUNITIES_A_BATCH):
        ids = [communities[place].id for place in places[first : first + COMMUNITIES_A_BATCH]]
        for row in store.read("results/values_before", run=run_id, ids=ids, names=[*PART_NAMES, *spreading]):
            place = place_of[row["id"]]
            scores = analysis.scores[place]
            now = [*scores.raw, *(analysis.measures[name][scores.members] for name in spreading)]
            if communities[place].kind != "found":  # measures of the whole network are said with the own community
                now[len(PART_NAMES) :] = [np.full(len(scores.members), np.nan)] * len(spreading)
            number, order = graph.number[scores.members], np.argsort(row["members"])
            there = np.array(row["members"], dtype=np.int64)[order]
            if not np.array_equal(np.sort(number), there):
                continue
            written = np.array(row["values"], dtype=np.float64)[order].T
            wanted = np.array(now, dtype=np.float64)[:, np.argsort(number)]
            if np.allclose(written, wanted, rtol=SLACK, atol=0.0, equal_nan=True):
                true.add(place)
    return true


def members_digests(graph: Graph, analysis: Analysis) -> list[str]:
    """SHA-256 in hex over the memberships of each community, found or defined: equal where all of them are.

    Left out is what `still_true` compares: raw values, and measures that one follow changes everywhere.
    """
    secondary = analysis.secondary
    order = np.argsort(secondary.community, kind="stable")
    ends = np.searchsorted(secondary.community[order], np.arange(len(analysis.communities) + 1))
    digests = []
    for place, (community, scores) in enumerate(zip(analysis.scored, analysis.scores, strict=True)):
        found = community.kind == "found"
        digest = sha256(MEMBERS_FORMAT)
        digest.update("\n".join(graph.keys.take(scores.members)).encode())
        columns = [scores.gate, scores.type, scores.x, scores.points, scores.score, scores.rank]
        columns += [scores.macro_rank, _ranks(scores, 0), _ranks(scores, 1)]
        columns += [] if scores.roles is None else [scores.roles]
        if found:
            exact = sorted(set(analysis.measures).difference(SPREADING))
            columns += [analysis.measures[name][scores.members] for name in exact]
            columns.append(analysis.between[scores.members])
            others = order[ends[place] : ends[place + 1]]
            digest.update("\n".join(graph.keys.take(secondary.account[others])).encode())
            columns.append(secondary.share[others])
            digest.update(",".join(sorted(analysis.measures)).encode())
        for column in columns:
            digest.update(np.ascontiguousarray(column).tobytes())
        digests.append(digest.hexdigest())
    return digests


def _with_event(row: Row, events: dict[str, LineageEvent]) -> Row:
    return {**row, "properties": {**row["properties"], "event": events.get(row["id"])}}


def _origin_rows(analysis: Analysis, before: Before, fresh: set[str]) -> Iterator[Row]:
    written = dict(zip(before.ids, before.written, strict=True))
    for lineage in analysis.lineage:
        for one in lineage.predecessors if lineage.id in fresh else ():
            properties = one.model_dump(include={"accounts", "share_of_it", "share_of_this", "counts"})
            yield {
                "id": lineage.id,
                "predecessor": one.id,
                "written": written[one.id],
                "relation": one.relation,
                "properties": properties,
            }


def _ended_rows(analysis: Analysis, before: Before) -> list[Row]:
    written = dict(zip(before.ids, before.written, strict=True))
    return [{**one.model_dump(mode="json", exclude={"size"}), "written": written[one.id]} for one in analysis.ended]


def _name_rows(analysis: Analysis) -> list[Row]:
    """Where a name may have to go elsewhere: to each part of what split, and to what others merged into."""
    rows = []
    goes_on = {one.id for lineage in analysis.lineage for one in lineage.predecessors if one.relation == "continues"}
    for lineage in analysis.lineage:
        for one in lineage.predecessors:
            if one.counts and one.relation == "merges":
                rows.append({"id": lineage.id, "predecessor": one.id, "question": "merged"})
            if one.counts and one.relation == "splits":
                rows.append({"id": lineage.id, "predecessor": one.id, "question": "split"})
                if one.id in goes_on:
                    rows.append({"id": one.id, "predecessor": one.id, "question": "split"})
    return rows


def _community_row(community: Community, members_digest: str) -> Row:
    # Tests, gates and values are nested and a property cannot be; the published pages hold them whole.
    properties = community.model_dump(exclude={"id", "tests", "gates", "values", "part_of", "name", "name_question"})
    properties["failed_tests"] = [test.test for test in community.tests if test.passed is False]
    properties["values"] = [value.topic for value in community.values]
    properties["values_share"] = [value.share for value in community.values]
    properties["values_share_elsewhere"] = [value.share_elsewhere for value in community.values]
    properties["members_digest"] = members_digest
    return {"id": community.id, "properties": properties}


def _group_row(group: CommunityGroup) -> Row:
    return {"id": group.id, "properties": group.model_dump(exclude={"id", "parts", "part_of"})}


def _part_row(part: tuple[str, str]) -> Row:
    return dict(zip(("part", "whole"), part, strict=True))


def _member_rows(graph: Graph, analysis: Analysis, fresh: list[bool]) -> Iterator[Row]:
    for community, scores, is_fresh in zip(analysis.scored, analysis.scores, fresh, strict=True):
        found = community.kind == "found"
        if not is_fresh:
            continue
        for first in range(0, len(scores.members), MEMBERS_A_BATCH):
            some = slice(first, first + MEMBERS_A_BATCH)
            members = scores.members[some]
            # Measures of the whole network are of an account, and said once: with its own community.
            measured: dict[str, list[Any]] = {}
            if found:
                measured = {name: values[members].tolist() for name, values in analysis.measures.items()}
                measured["between"] = [one or None for one in analysis.between[members].tolist()]
            for key, properties in zip(
                graph.keys.take(members), _member_properties(scores, some, measured), strict=True
            ):
                yield {"key": key, "community": community.id, "properties": {"primary": found, **properties}}
    secondary = analysis.secondary
    for account, community, share in zip(
        secondary.account.tolist(), secondary.community.tolist(), secondary.share.tolist(), strict=True
    ):
        if not fresh[community]:
            continue
        yield {
            "key": graph.keys[account],
            "community": analysis.communities[community].id,
            "properties": {"primary": False, "share": share},
        }


def _member_properties(
    scores: CommunityScores, some: slice, measured: dict[str, list[float]]
) -> Iterator[dict[str, Any]]:
    # As Python lists: reading arrays item by item is many times slower, and the driver takes no NumPy scalars.
    raw, x, points = (values[:, some].tolist() for values in (scores.raw, scores.x, scores.points))
    roles = _roles(scores, some)
    low, high = (_ranks(scores, end)[some].tolist() for end in (0, 1))
    columns = zip(
        *(values[some].tolist() for values in (scores.gate, scores.type, scores.score, scores.rank, scores.macro_rank)),
        strict=True,
    )
    for k, (gate, type_, score, rank, macro_rank) in enumerate(columns):
        properties: dict[str, Any] = {
            "type": TYPE_NAMES[type_],
            "in_base": gate < 0,
            "gate": GATE_NAMES[gate] if gate >= 0 else None,
            "score": score / MILLION if score >= 0 else None,
            "rank": rank or None,
            "roles": roles[k],
            "rank_low": low[k] or None,
            "rank_high": high[k] or None,
            "macro_rank": macro_rank or None,
        }
        for p, part in enumerate(PART_NAMES):
            scored = not math.isnan(x[p][k])
            properties[part] = None if math.isnan(raw[p][k]) else raw[p][k]
            properties[f"{part}_x"] = x[p][k] if scored else None
            properties[f"{part}_points"] = points[p][k] / MILLION if scored else None
        for name, values in measured.items():
            properties[name] = values[k]
        yield {name: value for name, value in properties.items() if value is not None}


def _scored_rows(graph: Graph, analysis: Analysis) -> Iterator[Row]:
    """What lenses say of each account; of none where the run measured through none."""
    if not analysis.lenses:
        return
    ids = [*(community.id for community in analysis.communities), None]  # the label of who is in none is -1
    details = iter(analysis.lens_documents)
    for first in range(0, graph.n, MEMBERS_A_BATCH):
        some = slice(first, min(first + MEMBERS_A_BATCH, graph.n))
        columns: dict[str, list[Any]] = {"community": [ids[label] for label in analysis.labels[some].tolist()]}
        for lens in analysis.lenses:
            known = (lens.null[some] < 0).tolist()
            values = (lens.value[some] / MILLION).tolist()
            columns[lens.lens] = [value if is_known else None for value, is_known in zip(values, known, strict=True)]
            for name, figure in lens.properties.items():
                column = lens.figures[figure][some]
                columns[name] = column if isinstance(column, list) else [_number(one) for one in column.tolist()]
        for k, (key, document) in enumerate(zip(graph.keys[some], details, strict=False)):
            properties = {name: values[k] for name, values in columns.items() if values[k] is not None}
            yield {"key": key, "properties": {**properties, "details": document.decode()}}


def _number(value: Any) -> Any:
    """A number, None for NaN."""
    return None if value != value else value


def _ranks(scores: CommunityScores, end: int) -> Int64:
    """Best (0) or worst (1) rank of the interval of each candidate, 0 for everybody else: int64[k]."""
    ranks = np.zeros(len(scores.members), dtype=np.int64)
    if scores.intervals is not None:
        candidates = np.flatnonzero(scores.rank)
        ranks[candidates] = scores.intervals[end][scores.rank[candidates] - 1]
    return ranks


def _roles(scores: CommunityScores, some: slice) -> list[list[str] | None]:
    """Roles of members by name: those of macros only of macros and, emerging, of candidates; None without any."""
    if scores.roles is None:
        return [None] * len(scores.members[some])
    shown = scores.roles[:, some].copy()
    shown[len(MICRO_ROLES) :, scores.type[some] == TYPE_NAMES.index("member")] = False
    return [[name for name, has in zip(ROLE_NAMES, of, strict=True) if has] or None for of in shown.T.tolist()]


# --- the published set ----------------------------------------------------------------------------------


def write_pages(store: Store, run_id: str, parts: Iterable[PublishedPart], token: int | None = None) -> str:
    """Write the published set of a run as files of at most FILE_BYTES, as parts come, and return its digest.

    A line is never split: one that is larger than FILE_BYTES has a file of its own. A part without lines is one empty
    file, so that it can be told from a part that is not there.

    Returns:
        SHA-256 in hex over names and contents of all parts in order of name; run and files do not matter to it.

    Raises:
        Conflict: the run is no longer running.
    """
    batch: list[Row] = []
    size = 0
    written: list[tuple[PublishedPart, int]] = []
    for part in parts:
        length = 0
        for row in _file_rows(part):
            length += len(row["bytes"])
            if batch and (size + len(row["bytes"]) > BYTES_A_BATCH or len(batch) == FILES_A_BATCH):
                _write_rows(store, run_id, "results/write_files", batch, token)
                batch, size = [], 0
            batch.append(row)
            size += len(row["bytes"])
        written.append((part, length))
    if batch:
        _write_rows(store, run_id, "results/write_files", batch, token)
    return _digest(written)


def digest_of(parts: list[PublishedPart]) -> str:
    """Return SHA-256 in hex over names and contents of parts, in order of name."""
    return _digest([(part, sum(len(line) + 1 for line in part.lines)) for part in parts])


def _digest(parts: list[tuple[PublishedPart, int]]) -> str:
    digest = sha256()
    for part, length in sorted(parts, key=lambda one: one[0].name):
        # With the length said before, no two sets of parts give the same bytes.
        digest.update(f"{part.name}\n{length}\n".encode())
        for lines in _files(part):
            digest.update(b"".join(lines))
    return digest.hexdigest()


def _file_rows(part: PublishedPart) -> Iterator[Row]:
    contents = _files(part)
    first = next(contents)
    files = 1 + sum(1 for _ in contents)  # of large parts all is read once more rather than kept in memory
    for seq, lines in enumerate([first] if files == 1 else _files(part)):
        content = b"".join(lines)
        yield {
            "part": part.name,
            "seq": seq,
            "files": files,
            "bytes": content,
            "sha256": sha256(content).hexdigest(),
            "lines": len(lines),
        }


def _files(part: PublishedPart) -> Iterator[list[bytes]]:
    """Lines of each file, with their ends; at least one file, which may be empty."""
    lines: list[bytes] = []
    size = 0
    for line in part.lines:
        if lines and size + len(line) + 1 > FILE_BYTES:
            yield lines
            lines, size = [], 0
        lines.append(line + b"\n")
        size += len(line) + 1
    yield lines


def finish(
    store: Store,
    run_id: str,
    quality: Quality,
    digest: str,
    as_of: int | None,
    graph_version: int,
    publish: bool,
    token: int | None = None,
    succession: Succession = NOBODY,
) -> None:
    """Mark a run as done and, with `publish`, make it the current one: both or neither.

    Args:
        store: the graph.
        run_id: the run.
        quality: what it found as a whole.
        digest: as `write_pages` returned it.
        as_of: latest event time, in milliseconds since 1970 UTC; None where nothing has a time.
        graph_version: version of the graph that was analysed.
        publish: whether readers see it from now on.
        token: of the claim by which it is running.
        succession: what becomes of communities of the run before, where this one is published.

    Raises:
        Conflict: the run is no longer running by this claim, for instance because it was taken for dead; or it is to be
            cancelled.
    """
    batches = [
        (query, {**named, "rows": rows[first : first + COMMUNITIES_A_BATCH]})
        for query, named, rows in (
            ("results/share", {"run": run_id}, succession.shared),
            ("lineage/end", {"run": run_id}, succession.ended),
            ("names/carry", {}, succession.names),
        )
        for first in range(0, len(rows), COMMUNITIES_A_BATCH)
    ]

    def work(tx: Tx) -> None:
        found = lock(tx, run_id)
        if found["state"] == "done" and found["digest"] == digest:
            return  # the commit had arrived, only its answer was lost, and the driver tries again
        require_running(tx, run_id, token)
        tx.run(
            "runs/finish",
            id=run_id, quality=quality.model_dump_json(), digest=digest,
            as_of=None if as_of is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=as_of),
            graph_version=graph_version,
        )  # fmt: skip
        if publish:
            for query, parameters in batches:
                tx.run(query, **parameters)
            tx.run("runs/make_current", id=run_id)

    write_run(store, work)


def clean_attempts(store: Store, run_id: str, token: int) -> None:
    """Remove, in batches, what earlier attempts at a run left behind, before this one writes anything.

    Raises:
        Conflict: the run is no longer running by this claim.
    """
    for what in WRITTEN:
        _remove(store, what, run_id, lambda tx: require_running(tx, run_id, token))


def clean_failed(store: Store) -> list[str]:
    """Remove, in batches, what failed and cancelled runs left behind; return the ids of these runs, which stay."""
    ids = [row["id"] for row in store.read("results/failed_runs")]
    for run_id in ids:
        for what in WRITTEN:
            _remove(store, what, run_id)
    return ids


def _remove(store: Store, what: str, run_id: str, check: Callable[[Tx], None] = lambda _: None) -> None:
    """Remove what a run has written of a kind, in batches; `check` raises in the transaction where that must not be."""

    def work(tx: Tx) -> int:
        check(tx)
        return int(tx.run(f"results/remove_some_{what}", run=run_id)[0]["removed"])

    while write_run(store, work):
        pass


def old_runs(store: Store, most: int | None, before: datetime | None = None) -> list[str]:
    """Return the analyses that are not among the latest `most`, or ended before a time, and are not removed yet.

    Neither the current run is among them, nor what another run is to start from.
    """
    return [row["id"] for row in store.read("results/old_runs", most=most, before=before)]


def remove_old(store: Store, most: int) -> list[str]:
    """Remove what analyses published that are not among the latest; return the ids of these runs, which stay.

    Of the published ones their communities stay, too, without members, so that lineages go back further. The current
    run is kept, and what another run is to start from. What a removal that was cut off has left is removed, too.

    Args:
        store: the graph.
        most: how many of the latest are kept, besides the current one.
    """
    removed = [run_id for run_id in old_runs(store, most) if store.write("results/mark_removed", id=run_id)]
    for run_id in removed:
        _empty(store, run_id)
    return removed


def remove_run(store: Store, run_id: str) -> bool:
    """Remove what an old run published, as `remove_old` does; False where it has become the current one meanwhile."""
    if not store.write("results/mark_removed", id=run_id):
        return False
    _empty(store, run_id)
    return True


def _empty(store: Store, run_id: str) -> None:
    """Remove, in batches, what a run published of which it is marked that nobody reads it any more."""
    _remove(store, "files", run_id)
    _remove(store, "scored", run_id)
    store.auto_commit("results/remove_old_members", run=run_id)
    store.auto_commit("results/remove_old_communities", run=run_id)
    store.write("results/mark_emptied", id=run_id)
