"""Runs after a change, beside runs from nothing: what is read, how long it takes, what is written, which ids are kept.

    python -m bench.runs --follows 1000000 --data FOLDER

The first part is on arrays alone: 1% of follows change (half of them gone, as many new ones between any two accounts),
and the communities found from those of before are compared with these; merges, splits, births and deaths are planted.
FOLDER holds lastfm-asia and com-dblp; graphs that it does not hold are passed over.

The second part is on an embedded Neo4j with a generated graph (`bench.generate`): a full read and catching up; a run
from nothing (cold) and one from the run before (warm), each with all its stages; what the write-back writes and how
fast, beside a bare loop of batched MERGE and SET with the same driver and rows; the same question again; answers of the
API with and without a run going on.

The last line is one JSON object: for each figure its value, its target (null where none is set) and whether it holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.generate import write_follows
from bench.graphs import both_ways, edge_list, ties_alone
from bench.pipeline import Stages, api_of, figure
from service.analytics.analysis import analyse
from service.analytics.communities import find_communities
from service.analytics.engine import get_engine
from service.analytics.graph import build_graph, project
from service.analytics.lineage import continued, overlaps
from service.analytics.ties import tie_graph
from service.domain import (
    EmbeddedConfig,
    Follow,
    Graph,
    Int64,
    Quality,
    Run,
    RunSpec,
    ScoringRules,
    StoreAddress,
    no_progress,
)
from service.files.follows import FollowFile
from service.flows.importing import import_file
from service.flows.published import read_communities
from service.flows.runs import analyze
from service.flows.snapshots import read_graph
from service.flows.store import open_store
from service.settings import Settings
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.results import MEMBERS_A_BATCH
from service.store.snapshots import read_snapshot
from tests.unit.changed_graphs import follows_changed, partition_before, plant, recognised, seen_from
from tests.unit.sample_graph import sample_and_graph

PLAIN = ScoringRules(rewirings=0, reweightings=0, confidence_seeds=0)
CHANGED = 0.01
LARGE = 50
"""Communities of then with fewer accounts do not count."""

TURNS = 20
CONNECTIONS = 4
console = Console(width=110)
Figures = dict[str, dict[str, object]]


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--follows", type=int, default=1_000_000, help="size of the graph in Neo4j; 0 for none")
    parser.add_argument("--data", type=Path, help="folder with lastfm-asia and com-dblp")
    parser.add_argument("--repeats", type=int, default=3, help="changes of 1% after each other in Neo4j")
    given = parser.parse_args()
    figures: Figures = {}
    kept_ids(given.data, figures)
    planted_events(figures)
    if given.follows:
        with tempfile.TemporaryDirectory(prefix="entourage-bench-") as folder:
            in_neo4j(Path(folder), given.follows, given.repeats, figures)
    for name, one in figures.items():
        if one["target"] is not None and not one["holds"]:
            console.print(f"[red]missed:[/] {name} {one['value']}, target {one['target']}")
    print(json.dumps(figures))


# --- on arrays ------------------------------------------------------------------------------------------


def kept_ids(data: Path | None, figures: Figures) -> None:
    """Share of accounts of large communities whose community keeps its id after 1% of follows changed."""
    columns = ("graph", "accounts", "follows", "cold", "warm", f"Q after {TURNS} runs, over cold")
    table = Table(*columns, title="accounts that keep the id of their community after 1% changed")
    for name, graph, target in graphs(data):
        cold, warm = [], []
        before = found(graph, None)
        for seed in (1, 2, 3):
            later = follows_changed(graph, CHANGED, seed)
            warm.append(share_kept(before, found(later, before)))
            cold.append(share_kept(before, found(later, None)))
        drift = quality_over_cold(graph, before) if target is not None else math.nan
        table.add_row(
            name, f"{graph.n:,}", f"{graph.m:,}", f"{np.mean(cold):.1%}", f"{np.mean(warm):.1%}", f"{drift:.3f}"
        )
        figures[f"ids_kept_{name}"] = figure(round(float(np.mean(warm)), 4), target)
    console.print(table)


def graphs(data: Path | None) -> Iterator[tuple[str, Graph, float | None]]:
    """Graphs by name, with what is to be reached."""
    yield "sample", sample_and_graph()[1], 0.95
    if data is not None and (data / "lastfm-asia").is_dir():
        pairs = np.loadtxt(data / "lastfm-asia" / "edges.csv", delimiter=",", skiprows=1, dtype=np.int64)
        yield "lastfm_asia", mutual(pairs), 0.95
    if data is not None and (data / "com-dblp" / "dblp.csv.gz").is_file():
        ties = edge_list(data / "com-dblp" / "dblp.csv.gz", 1)
        yield "com_dblp", graph_of(ties.n, ties.source, ties.target), None


def mutual(pairs: Int64) -> Graph:
    """The two of a pair follow each other."""
    accounts, ends = np.unique(pairs, return_inverse=True)
    ends = ends.reshape(-1, 2)
    both = both_ways(ends)
    return graph_of(len(accounts), both[:, 0], both[:, 1])


def graph_of(n: int, source: Int64, target: Int64) -> Graph:
    """The graph of follows among n accounts."""
    return build_graph(ties_alone([f"bench:u{i:08}" for i in range(n)], source, target))


def found(graph: Graph, before: Any) -> Any:
    """Communities as a run finds them, from nothing or from those of before."""
    ties = tie_graph(graph, PLAIN)
    start = None
    if before is not None:
        # As much of the quality of a run as the next one looks at.
        quality = SimpleNamespace(resolution=before.chosen.resolution, chance=None)
        start = partition_before(before.labels, cast("Quality", quality))
    return find_communities(ties, project(ties), get_engine("fast"), RunSpec(rules=PLAIN), no_progress, start)


def share_kept(before: Any, now: Any) -> float:
    """Share of accounts of large communities of then that are in the community that continues theirs."""
    sizes_then, sizes_now = (
        np.array([len(members) for members in one.members], dtype=np.int64) for one in (before, now)
    )
    of = continued(
        overlaps(before.labels, now.labels, sizes_then, sizes_now), len(sizes_now), PLAIN.lineage_most,
        PLAIN.lineage_least,
    )  # fmt: skip
    large = (before.labels >= 0) & (sizes_then[np.maximum(before.labels, 0)] >= LARGE)
    same = (now.labels >= 0) & (of[np.maximum(now.labels, 0)] == before.labels)
    return float(same[large].mean())


def quality_over_cold(graph: Graph, before: Any) -> float:
    """Modularity of communities that started from those before TURNS times, over that of a search from nothing."""
    for turn in range(TURNS):
        graph = follows_changed(graph, CHANGED, turn)
        before = found(graph, before)
    return float(before.chosen.modularity / found(graph, None).chosen.modularity)


def planted_events(figures: Figures) -> None:
    """Merges, splits, births and deaths in the sample, and what is said of a graph that did not change."""
    rows: Counter[str] = Counter()
    invented = 0
    for seed in (7, 1):
        _, graph = sample_and_graph(seed=seed)
        analysis = analyse(graph, RunSpec(rules=PLAIN), no_progress)
        again = analyse(graph, RunSpec(rules=PLAIN), no_progress, before=seen_from(graph, graph, analysis))
        invented += sum(one.event != "continues" for one in again.lineage) + len(again.ended)
        large = [place for place, one in enumerate(analysis.communities) if one.size >= LARGE]
        for turn in range(5):
            chosen = np.random.default_rng(turn).permutation(large).tolist()
            later, planted = plant(graph, analysis.labels, chosen, turn)
            before = seen_from(later, graph, analysis)
            then = analyse(later, RunSpec(rules=PLAIN), no_progress, before=before)
            for event, (right, all_of_them) in recognised(planted, before, then, later).items():
                rows[event] += right
                rows[f"{event} planted"] += all_of_them
    table = Table("event", "planted", "recognised", title="planted in the sample")
    for event in ("merges", "splits", "births", "deaths"):
        table.add_row(event, str(rows[f"{event} planted"]), str(rows[event]))
        figures[f"{event}_recognised"] = figure(round(rows[event] / rows[f"{event} planted"], 4), 0.95)
    console.print(table)
    console.print(f"events said of an unchanged graph: {invented}")
    figures["invented_events"] = at_most(invented, 0)


# --- in Neo4j -------------------------------------------------------------------------------------------


def in_neo4j(folder: Path, follows: int, repeats: int, figures: Figures) -> None:
    """All that needs a store, on an empty embedded one."""
    settings = Settings()
    config = EmbeddedConfig(home=folder / "neo4j", cache_dir=settings.cache_dir, version=settings.neo4j_version)
    written = write_follows(folder / "follows.csv", follows, 1)
    with open_store(config) as address, Store(address) as store:
        begin = time.perf_counter()
        import_file(address, FollowFile(folder / "follows.csv", network="bench"), folder / "reports", no_progress)
        console.print(f"imported {written:,} follows in {time.perf_counter() - begin:.0f} s")
        read_snapshot(store)  # Neo4j's first read after a start takes several times as long
        full = [timed(lambda turn=turn: read_graph(store, folder / f"kept{turn}", no_progress)) for turn in range(3)]
        kept = folder / "kept"
        read_graph(store, kept, no_progress)
        cold, cold_stages = run(address, "cold")
        caught, warm, ratios = [], [], []
        rng = np.random.default_rng(2)
        for _ in range(repeats):
            change(store, written, rng)
            caught.append(timed(lambda: read_graph(store, kept, no_progress)))
            again, stages = run(address, "auto")
            warm.append(stages)
            ratios.append(without_writing(stages) / without_writing(cold_stages))
        show(cold_stages, warm)
        console.print(f"full read {statistics.median(full):.2f} s, catching up {statistics.median(caught):.2f} s")
        figures["catching_up_over_full_read"] = at_most(
            round(statistics.median(caught) / statistics.median(full), 4), 0.15
        )
        figures["warm_over_cold_run"] = at_most(round(statistics.median(ratios), 4), 0.5)
        nothing_new(store, address, again, figures)
        writing(store, again, statistics.median(stages.seconds["write_back"] for stages in warm), figures)
        one_follow(store, address, figures)
        reads(address, cold, figures)


def run(address: StoreAddress, start: str) -> tuple[Run, Stages]:
    """One published run, with the seconds of each of its stages."""
    stages = Stages()
    done, _ = analyze(address, RunSpec(start=start), True, stages.progress, 3600)
    stages.end()
    return done, stages


def without_writing(stages: Stages) -> float:
    """Seconds of a run but for its write-back."""
    return sum(seconds for stage, seconds in stages.seconds.items() if stage != "write_back")


def show(cold: Stages, warm: list[Stages]) -> None:
    """A table of stages, and what they come to without the write-back."""
    table = Table("stage", "cold", "warm", title="seconds of a run (warm: medians)")
    for stage, seconds in cold.seconds.items():
        later = statistics.median(one.seconds.get(stage, 0.0) for one in warm)
        table.add_row(stage, f"{seconds:.2f}", f"{later:.2f}")
    console.print(table)
    console.print(
        f"without write-back: cold {without_writing(cold):.1f} s, "
        f"warm {statistics.median(map(without_writing, warm)):.1f} s"
    )


def change(store: Store, follows: int, rng: np.random.Generator) -> None:
    """Half of 1% of follows go, as many come, in batches as the writer applies them."""
    count = round(follows * CHANGED / 2)
    accounts = store.statement("MATCH (a:Account) RETURN count(a) AS n")[0]["n"]
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 WITH g.v AS v "
        "CALL (v) { MATCH (a:Account)-[f:FOLLOWS]->(b:Account) WITH a, f, b, rand() AS turn ORDER BY turn LIMIT $count "
        "DELETE f CREATE (a)-[:UNFOLLOWED {at: datetime(), v: v}]->(b) RETURN count(*) AS gone } RETURN gone",
        count=count,
    )
    ends = rng.integers(0, accounts, (count, 2))
    batch = [Follow(f"bench:u{one}", f"bench:u{other}") for one, other in ends.tolist() if one != other]
    for first in range(0, len(batch), 1_000):
        apply_follows(store, batch[first : first + 1_000])


def nothing_new(store: Store, address: StoreAddress, last: Run, figures: Figures) -> None:
    """The same question of an unchanged graph."""
    before = counts(store)
    again, created = analyze(address, RunSpec(), True, no_progress, 3600)
    same = again.id == last.id and not created and counts(store) == before
    console.print(f"asked again of the unchanged graph: {'the same run, nothing written' if same else 'ANOTHER RUN'}")
    figures["unchanged_is_same_run"] = figure(float(same), 1.0)


def counts(store: Store) -> list[dict[str, Any]]:
    """How many of everything the results are made of."""
    return store.statement(
        "RETURN COUNT { (:Run) } AS runs, COUNT { (:Community) } AS communities, COUNT { (:RunFile) } AS files, "
        "COUNT { ()-[:MEMBER_OF]->() } AS members"
    )


def writing(store: Store, last: Run, seconds: float, figures: Figures) -> None:
    """Memberships a second of the write-back, beside a bare loop that writes the same again under another run."""
    rows = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c:Community {run: $run})<-[m:MEMBER_OF]-(a:Account) "
        "RETURN a.key AS key, c.id AS community, m {.*} AS properties",
        run=last.id,
    )
    store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c:Community {run: $run}) CREATE (:Community {id: c.id, run: 'bare'})",
        run=last.id,
    )
    begin = time.perf_counter()
    for first in range(0, len(rows), MEMBERS_A_BATCH):
        store.statement(
            "UNWIND $rows AS row MATCH (a:Account {key: row.key}) MATCH (c:Community {id: row.community, run: 'bare'}) "
            "MERGE (a)-[m:MEMBER_OF]->(c) SET m += row.properties",
            rows=rows[first : first + MEMBERS_A_BATCH],
        )
    bare = len(rows) / (time.perf_counter() - begin)
    ours = len(rows) / seconds
    console.print(f"memberships written a second: ours {ours:,.0f}, bare loop {bare:,.0f} ({len(rows):,} rows)")
    figures["write_back_over_bare_loop"] = figure(round(ours / bare, 3), 0.8)
    store.statement("MATCH (c:Community {run: 'bare'}) CALL (c) { DETACH DELETE c } IN TRANSACTIONS OF 10 ROWS")


def one_follow(store: Store, address: StoreAddress, figures: Figures) -> None:
    """One new follow inside a community: how much of all memberships is written anew.

    In a community in the middle by size, of those with LARGE accounts, and in the largest one.
    """
    sizes = store.statement(
        "MATCH (x:Current {id: 1}) MATCH (:Run {id: x.run})-[:FOUND]->(c:Community {level: 0, kind: 'found'}) "
        "WHERE c.size >= $large RETURN c.id AS id, c.size AS size ORDER BY size DESC",
        large=LARGE,
    )
    for which, chosen in (("middle", sizes[len(sizes) // 2]), ("largest", sizes[0])):
        [pair] = store.statement(
            "MATCH (x:Current {id: 1}) MATCH (:Run {id: x.run})-[:FOUND]->(c:Community {id: $id}) "
            "MATCH (a:Account)-[:MEMBER_OF {primary: true}]->(c)<-[:MEMBER_OF {primary: true}]-(b:Account) "
            "WHERE a <> b AND NOT (a)-[:FOLLOWS]->(b) RETURN a.key AS one, b.key AS other LIMIT 1",
            id=chosen["id"],
        )
        apply_follows(store, [Follow(pair["one"], pair["other"])])
        last, _ = run(address, "auto")
        [row] = store.statement(
            "MATCH (r:Run {id: $run})-[:FOUND]->(c:Community {level: 0}) WITH r, c, "
            "COUNT { (c)<-[:MEMBER_OF]-() } AS members, COUNT { (c)<-[:FOUND]-() } = 1 AS fresh "
            "RETURN sum(members) AS all, sum(CASE WHEN fresh THEN members ELSE 0 END) AS written",
            run=last.id,
        )
        share = row["written"] / row["all"]
        console.print(
            f"after one new follow in the {which} community ({chosen['size']:,} accounts): {row['written']:,} of "
            f"{row['all']:,} memberships written ({share:.1%})"
        )
        figures[f"written_after_one_follow_{which}"] = figure(round(share, 4), None)


def reads(address: StoreAddress, cold: Run, figures: Figures) -> None:
    """How long answers take that CONNECTIONS connections ask for, without a run and beside one."""
    chosen = [one.id for one in asyncio.run(read_communities(address)) if one.respectable and one.candidates][:20]
    paths = [f"/v1/communities/{one}/ambassadors?limit=20" for one in chosen]
    with api_of(address) as port:
        for seconds in (3.0, 15.0):  # the first time pages are still read
            until = time.perf_counter() + seconds
            quiet = answers(port, paths, lambda until=until: time.perf_counter() > until)  # type: ignore[misc]
        ended = threading.Event()

        def work() -> None:
            try:
                analyze(address, RunSpec(start="cold", seed=cold.spec.seed + 1), False, no_progress, 3600)
            finally:
                ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        busy = answers(port, paths, ended.is_set)
        thread.join()
    before, beside = (statistics.quantiles(one, n=100)[98] * 1000 for one in (quiet, busy))
    console.print(f"answers, p99: {before:.1f} ms ({len(quiet):,}), beside a run {beside:.1f} ms ({len(busy):,})")
    figures["read_p99_beside_a_run"] = at_most(round(beside / before, 2), 2.0)


def answers(port: int, paths: list[str], over: Callable[[], bool]) -> list[float]:
    """Seconds of each answer, asked over kept connections: each waits 5 ms before it asks again."""

    async def ask(turn: int) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken = []
        while not over():
            path = paths[turn % len(paths)]
            turn += CONNECTIONS
            begin = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            taken.append(time.perf_counter() - begin)
            await asyncio.sleep(0.005)
        writer.close()
        return taken

    async def all_of_them() -> list[float]:
        return [one for some in await asyncio.gather(*map(ask, range(CONNECTIONS))) for one in some]

    return asyncio.run(all_of_them())


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def at_most(value: float, target: float) -> dict[str, object]:
    """A figure that is to be at most its target."""
    return {"value": value, "target": target, "holds": value <= target}


if __name__ == "__main__":
    main()
