"""The heavy kernels beside igraph and NetworKit: building the graph, Leiden communities, PageRank.

All get the same follows as arrays in memory, in one run, one after the other and that several times (A B A B);
shown are medians. Ours uses one thread, so does igraph but for PageRank, where it takes what there are; NetworKit two.
Another program on the same machine slows two threads that wait for each other far more than it slows one. So each run
waits for a quiet machine, though not for long, and shown is the share of the processors that others took meanwhile.

    python -m bench.engine --follows 1000000
    python -m bench.engine --follows 1000000 10000000 --repeats 1
    python -m bench.engine --dblp com-dblp.csv.gz
    python -m bench.engine --follows 100000 --plain

`--plain` runs networkx + python-louvain too (`bench.plain`), on all measures of a default run; it is slow.
The last line is one JSON object: for each figure its value, its target (null where none is set) and whether it holds.
Whatever holds, the exit code is 0: a benchmark reports.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import igraph
import networkit
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bench.graphs import Follows, edge_list, generated, save
from service.analytics.fast import pagerank
from service.analytics.graph import Projection
from service.analytics.leiden import ROUNDS, leiden
from service.analytics.sparse import rows_both_ways, summed
from service.analytics.ties import WeightedGraph
from service.domain import Float64, Int64
from service.flows.processes import GIVES_MEMORY_BACK

THREADS = 2  # of NetworKit
DAMPING = 0.85
ERROR = 1e-10  # L1 distance to which PageRank is asked for

# NetworKit stops when a step changes the ranks by less than a tolerance. A step that changes them by Δ leaves them
# within d/(1 − d)·Δ of the limit, so this tolerance promises the distance that ours promises.
NETWORKIT_TOLERANCE = ERROR * (1 - DAMPING) / DAMPING


@dataclass
class Contender:
    """One program on one task. `answer` is not timed; it makes an array of what `kernel` returned."""

    name: str
    notes: str
    build: Callable[[], Any]
    kernel: Callable[[Any], Any]
    answer: Callable[[Any], Any]
    building: list[float] = field(default_factory=list)
    working: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds of all threads
    disturbed: list[float] = field(default_factory=list)  # share of the processors that other programs took
    answers: list[Any] = field(default_factory=list)

    def run(self) -> None:
        """Once, without Python's garbage collector, as `timeit` does: its collections double the time igraph builds."""
        gc.collect()
        gc.disable()
        all_before, own_before = busy_seconds(), time.process_time()
        begin = time.perf_counter()
        graph = self.build()
        built = time.perf_counter()
        done = self.kernel(graph)
        end = time.perf_counter()
        own = time.process_time() - own_before
        others = busy_seconds() - all_before - own
        gc.enable()
        self.building.append(built - begin)
        self.working.append(end - built)
        self.processor.append(own)
        self.disturbed.append(max(others, 0.0) / (end - begin) / (psutil.cpu_count() or 1))
        self.answers.append(np.asarray(self.answer(done)))

    @property
    def build_s(self) -> float:
        return statistics.median(self.building)

    @property
    def kernel_s(self) -> float:
        return statistics.median(self.working)

    @property
    def all_s(self) -> float:
        return statistics.median(map(sum, zip(self.building, self.working, strict=True)))


def busy_seconds() -> float:
    """Seconds that the processors have worked so far, for any program."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def wait_for_quiet() -> None:
    """Wait until other programs take less than a tenth of the processors, at most ten seconds."""
    for _ in range(20):
        if psutil.cpu_percent(0.5) < 10:
            break


def race(contenders: list[Contender], repeats: int) -> list[Contender]:
    """Let each run in turn, and all again."""
    for _ in range(repeats):
        for contender in contenders:
            wait_for_quiet()
            contender.run()
    return contenders


def merged(follows: Follows) -> tuple[Int64, Float64]:
    """Pairs of accounts with a follow either way, sorted, and w_ij + w_ji of each."""
    low, high = np.minimum(follows.source, follows.target), np.maximum(follows.source, follows.target)
    pair, weight = np.unique(low * follows.n + high, return_counts=True)
    return np.column_stack([pair // follows.n, pair % follows.n]), weight.astype(np.float64)


def leiden_contenders(follows: Follows, pairs: Int64, weight: Float64) -> list[Contender]:
    """Leiden at resolution 1 on undirected weighted ties. The peers get merged pairs; merging is not counted."""
    n = follows.n
    ones = np.ones(len(follows.source))
    one, other = pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)

    def build() -> Projection:
        out_ptr, out_idx, out_weight, *back = rows_both_ways(follows.source, follows.target, ones, n)
        return Projection.of(*summed(out_ptr, out_idx, out_weight, *back))

    def build_igraph() -> igraph.Graph:
        graph = igraph.Graph(n=n, edges=pairs)
        graph.es["weight"] = weight
        return graph

    return [
        Contender(
            "ours", f"1 thread, up to {ROUNDS} rounds", build, lambda ties: leiden(ties, 1.0, 42), lambda labels: labels
        ),
        Contender(
            "igraph",
            "1 thread, 2 iterations",
            build_igraph,
            lambda graph: graph.community_leiden(objective_function="modularity", weights="weight", n_iterations=2),
            lambda clustering: clustering.membership,
        ),
        Contender(
            "NetworKit",
            f"{THREADS} threads, 3 iterations",
            lambda: networkit.GraphFromCoo((weight, (one, other)), n=n, weighted=True, directed=False),
            lambda graph: networkit.community.ParallelLeiden(graph).run(),
            lambda algorithm: algorithm.getPartition().getVector(),
        ),
    ]


def pagerank_contenders(follows: Follows) -> list[Contender]:
    """PageRank on directed follows. All weigh 1, so the peers get graphs without weights."""
    n, m = follows.n, len(follows.source)
    ones = np.ones(m)
    both = np.column_stack([follows.source, follows.target])
    source, target = follows.source.astype(np.uint64), follows.target.astype(np.uint64)

    def build() -> WeightedGraph:
        return WeightedGraph(*rows_both_ways(follows.source, follows.target, ones, n)[:5])

    def networkit_pagerank(graph: networkit.Graph) -> Any:
        sinks = networkit.centrality.SinkHandling.DistributeSinks
        algorithm = networkit.centrality.PageRank(graph, DAMPING, tol=NETWORKIT_TOLERANCE, distributeSinks=sinks)
        algorithm.norm = networkit.centrality.Norm.L1_NORM
        return algorithm.run()

    return [
        Contender(
            "ours",
            f"1 thread, distance {ERROR:.0e}",
            build,
            lambda graph: pagerank(graph, DAMPING, ERROR),
            lambda rank: rank,
        ),
        Contender(
            "igraph",
            "PRPACK, threads by default",
            lambda: igraph.Graph(n=n, edges=both, directed=True),
            lambda graph: graph.pagerank(damping=DAMPING),
            lambda rank: rank,
        ),
        Contender(
            "NetworKit",
            f"{THREADS} threads, L1 change {NETWORKIT_TOLERANCE:.1e}",
            lambda: networkit.GraphFromCoo((source, target), n=n, weighted=False, directed=True),
            networkit_pagerank,
            lambda algorithm: algorithm.scores(),
        ),
    ]


def disconnected(n: int, pairs: Int64, labels: Int64) -> int:
    """How many communities fall apart without the ties that leave them."""
    inside = pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]]
    ties = coo_array((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), shape=(n, n))
    parts, part = connected_components(ties, directed=False)
    community = np.empty(parts, dtype=np.int64)
    community[part] = labels
    return int(np.count_nonzero(np.bincount(community) > 1))


def times_table(title: str, *more: str) -> Table:
    """An empty table with the columns of `times_of`."""
    return Table(
        "", "how", "build s", "kernel s", "both s", "CPU s", "others", "kernel/ours", "both/ours", *more, title=title
    )


def times_of(contender: Contender, ours: Contender) -> list[str]:
    """Its medians, and how they compare."""
    processor_s = statistics.median(contender.processor)
    seconds = [f"{value:.3f}" for value in (contender.build_s, contender.kernel_s, contender.all_s, processor_s)]
    others = f"{statistics.median(contender.disturbed):.0%}"
    ratios = [f"{contender.kernel_s / ours.kernel_s:.2f}", f"{contender.all_s / ours.all_s:.2f}"]
    return [contender.name, contender.notes, *seconds, others, *ratios]


def analysed_alone(files: list[Path], cache: Path) -> tuple[float, list[dict[str, float]]]:
    """Analyse in a new process that keeps compiled kernels in `cache`: seconds from its start to the first result."""
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.graphs", *map(str, files)],
        env={**GIVES_MEMORY_BACK, **os.environ, "NUMBA_CACHE_DIR": str(cache)},  # as a run is started
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        first = process.stdout.readline()
        seconds = time.perf_counter() - begin
        results = [json.loads(line) for line in [first, *process.stdout]]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return seconds, results


def plain_seconds(follows: Follows, folder: Path) -> float:
    """What networkx + python-louvain take for all measures, without reading the file."""
    file = folder / "follows.csv"
    with file.open("w", encoding="utf-8") as lines:
        lines.write("follower,followee\n")
        np.savetxt(lines, np.column_stack([follows.source, follows.target]), fmt="u%d", delimiter=",")
    text = subprocess.run(
        [sys.executable, "-m", "bench.plain", str(file)], check=True, capture_output=True, text=True
    ).stdout
    stages = json.loads(text)["stages"]
    return float(stages["communities"]["seconds"] + stages["scores"]["seconds"])


@dataclass
class Figures:
    """What was measured: for each figure its value, its target (None where none is set) and whether it holds."""

    rows: dict[str, dict[str, object]] = field(default_factory=dict)

    def add(self, name: str, value: float, least: float | None = None, most: float | None = None) -> None:
        holds = (least is None or value >= least) and (most is None or value <= most)
        target = least if least is not None else most
        self.rows[name] = {"value": float(f"{value:.4g}"), "target": target, "holds": bool(holds)}

    def seconds(self, name: str) -> float:
        return float(str(self.rows[name]["value"]))

    def show(self, console: Console) -> None:
        table = Table("figure", "value", "target", "holds", title="figures")
        for title, one in self.rows.items():
            target = "–" if one["target"] is None else str(one["target"])
            table.add_row(title, str(one["value"]), target, "yes" if one["holds"] else "NO")
        console.print(table)


def warmed_up(seed: int) -> float:
    """Seconds until our kernels are compiled or loaded, on a small graph; peers' threads are started too."""
    small = generated(2000, seed)
    warming = leiden_contenders(small, *merged(small)) + pagerank_contenders(small)
    for one in warming:
        one.run()
    return sum(one.build_s + one.kernel_s for one in warming if one.name == "ours")


def measure_leiden(follows: Follows, repeats: int, console: Console, figures: Figures, of: str) -> None:
    """Communities of one graph: a table, and figures whose names end with `of`."""
    pairs, weight = merged(follows)
    console.print(f"{follows.n:,} accounts, {len(follows.source):,} follows, {len(pairs):,} pairs; {repeats} repeats")
    ours, *peers = race(leiden_contenders(follows, pairs, weight), repeats)
    judge = igraph.Graph(n=follows.n, edges=pairs)
    judge.es["weight"] = weight
    quality: dict[str, float] = {}
    table = times_table("Leiden at resolution 1", "modularity", "communities", "disconnected")
    for one in (ours, *peers):
        quality[one.name] = max(judge.modularity(labels, weights="weight") for labels in one.answers)
        labels = one.answers[-1]
        apart = disconnected(follows.n, pairs, labels)
        table.add_row(*times_of(one, ours), f"{quality[one.name]:.5f}", f"{len(np.unique(labels)):,}", str(apart))
        if one is ours:
            figures.add(f"leiden_disconnected{of}", apart, most=0)
    console.print(table)
    console.print("modularity by igraph for all, the best of the repeats; the rest of the last repeat")
    better = max(quality[one.name] for one in peers)
    figures.add(f"leiden_modularity_over_better_peer{of}", quality["ours"] - better, -0.001)
    for one, least_all, least_kernel in zip(peers, (4, 2), (1.5, 1), strict=True):
        figures.add(f"leiden_{one.name.lower()}_over_ours_all{of}", one.all_s / ours.all_s, least_all)
        figures.add(f"leiden_{one.name.lower()}_over_ours_kernel{of}", one.kernel_s / ours.kernel_s, least_kernel)
    figures.add(f"leiden_s{of}", ours.all_s)


def measure_pagerank(follows: Follows, repeats: int, console: Console, figures: Figures, of: str) -> None:
    """PageRank of one graph, likewise."""
    ours, *peers = race(pagerank_contenders(follows), repeats)
    graph = ours.build()
    exact = pagerank(graph, DAMPING, 1e-14)
    table = times_table(f"PageRank, damping {DAMPING}", "L1 distance")
    for one in (ours, *peers):
        table.add_row(*times_of(one, ours), f"{np.abs(one.answers[-1] - exact).sum():.1e}")
    console.print(table)
    console.print("distance to ours asked for 1e-14")
    figures.add(f"pagerank_distance{of}", np.abs(ours.answers[-1] - exact).sum(), most=ERROR)
    for one in peers:
        figures.add(f"pagerank_{one.name.lower()}_over_ours_all{of}", one.all_s / ours.all_s, 5)
        figures.add(f"pagerank_{one.name.lower()}_over_ours_kernel{of}", one.kernel_s / ours.kernel_s, 1.5)
    figures.add(f"pagerank_s{of}", ours.all_s)
    rows = (graph.out_ptr, graph.out_idx, graph.out_weight, graph.in_ptr, graph.in_idx)  # those of a domain.Graph
    figures.add(f"graph_bytes_a_follow{of}", sum(array.nbytes for array in rows) / len(follows.source))


def measure_analysis(follows: Follows, plain: bool, small: Path, cache: Path, figures: Figures, of: str) -> None:
    """A whole analysis in a process of its own; with `plain`, networkx and python-louvain on the same."""
    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as name:
        graph = Path(name) / "graph.npz"
        save(graph, follows)
        _, (_, alone) = analysed_alone([small, graph], cache)
        figures.add(f"all_measures_s{of}", alone["seconds"])
        figures.add(
            f"all_measures_grown_bytes_a_follow{of}",
            alone["grown_mb"] * 2**20 / len(follows.source),
            most=60,
        )
        if plain:
            figures.add(f"plain_over_ours{of}", plain_seconds(follows, Path(name)) / alone["seconds"], 50)


def main() -> None:
    """Measure all and print tables and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--follows", type=int, nargs="+", default=[1_000_000], help="sizes of graphs (default 1000000), growing"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the graphs")
    parser.add_argument("--dblp", type=Path, help="instead: a compressed list of tab-separated pairs, as com-dblp")
    parser.add_argument("--repeats", type=int, default=3, help="how often each runs (default 3)")
    parser.add_argument("--plain", action="store_true", help="networkx + python-louvain too, on all measures; slow")
    arguments = parser.parse_args()
    console = Console(width=160)
    networkit.setNumberOfThreads(THREADS)
    igraph.set_random_number_generator(None)  # its own generator, faster than Python's
    figures = Figures()
    figures.add("warm_up_s", warmed_up(arguments.seed))
    console.print(f"warm-up of ours in this process, not in the times below: {figures.seconds('warm_up_s')} s")

    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as name:
        small, cache = Path(name) / "small.npz", Path(name) / "cache"
        save(small, generated(2000, arguments.seed))
        figures.add("first_process_s", analysed_alone([small], cache)[0])
        second = statistics.median(analysed_alone([small], cache)[0] for _ in range(arguments.repeats))
        figures.add("second_process_s", second, most=3)
        sizes = [None] if arguments.dblp else arguments.follows
        names = [f"_{size}" if len(sizes) > 1 else "" for size in sizes]
        for size, of in zip(sizes, names, strict=True):
            seed = arguments.seed
            follows = edge_list(arguments.dblp, seed) if size is None else generated(size, seed)
            measure_leiden(follows, arguments.repeats, console, figures, of)
            measure_pagerank(follows, arguments.repeats, console, figures, of)
            measure_analysis(follows, arguments.plain, small, cache, figures, of)
            del follows
    for one, other in itertools.pairwise(zip(sizes, names, strict=True)):
        for task, tenfold in (("leiden", 16), ("pagerank", 30)):
            growth = figures.seconds(f"{task}_s{other[1]}") / figures.seconds(f"{task}_s{one[1]}")
            figures.add(
                f"{task}_growth{one[1]}{other[1]}", growth, most=round(tenfold ** math.log10(other[0] / one[0]))
            )
    figures.show(console)
    print(json.dumps(figures.rows))


if __name__ == "__main__":
    main()
