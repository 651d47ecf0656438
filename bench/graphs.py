"""Graphs for `bench.engine` as arrays of follows, and the analysis of some in a process of its own.

    python -m bench.graphs small.npz large.npz

analyses one after the other, and prints a JSON line for each: seconds from columns to the analysis, megabytes by
which resident memory grew to its peak beside the graph itself.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import psutil

from bench.generate import write_follows
from bench.plain import peak_megabytes
from service.analytics.analysis import analyse
from service.analytics.graph import build_graph
from service.domain import (
    AccountColumns,
    BrandColumns,
    EngagementColumns,
    FollowColumns,
    Graph,
    Int64,
    MentionColumns,
    PostingColumns,
    RunSpec,
    ScoringRules,
    Snapshot,
    Texts,
    TopicColumns,
    no_progress,
)
from service.files.spool import Spool

WITHOUT_CHANCE = RunSpec(rules=ScoringRules(rewirings=0))
"""The plain peer makes no rewired graphs either."""


@dataclass(frozen=True)
class Follows:
    """Distinct follows among accounts 0..n-1, each of weight 1: account source[e] follows account target[e]."""

    n: int
    source: Int64
    target: Int64


def generated(follows: int, seed: int) -> Follows:
    """The graph of `bench.generate`, its accounts in shuffled order."""
    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as folder:
        file = Path(folder) / "follows.csv"
        write_follows(file, follows, seed)
        numbers = io.BytesIO(file.read_bytes().replace(b"u", b""))
    return shuffled(np.loadtxt(numbers, delimiter=",", skiprows=1, dtype=np.int64), seed)


def edge_list(path: Path, seed: int) -> Follows:
    """An undirected graph from a compressed list of tab-separated pairs: the two of a pair follow each other."""
    with gzip.open(path) as file:
        pairs = np.loadtxt(file, dtype=np.int64)
    return shuffled(np.concatenate([pairs, pairs[:, ::-1]]), seed)


def both_ways(pairs: Int64) -> Int64:
    """Pairs of accounts, a row each, in both directions and each once; none with itself."""
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return both[both[:, 0] != both[:, 1]]


def shuffled(pairs: Int64, seed: int) -> Follows:
    """Number the accounts that occur in random order.

    The generator numbers the members of a community consecutively. No real graph does, and it would put accounts that
    are used together side by side in memory, which makes any program faster.
    """
    accounts, place = np.unique(pairs, return_inverse=True)
    ends = np.random.default_rng(seed).permutation(len(accounts))[place.reshape(-1, 2)]
    return Follows(len(accounts), np.ascontiguousarray(ends[:, 0]), np.ascontiguousarray(ends[:, 1]))


def save(path: Path, follows: Follows) -> None:
    """Write follows as arrays."""
    np.savez(path, n=follows.n, source=follows.source, target=follows.target)


def snapshot_of(path: Path) -> Snapshot:
    """Saved follows as columns, as the store returns them."""
    with np.load(path) as arrays:
        n, source, target = int(arrays["n"]), arrays["source"], arrays["target"]
    return ties_alone([f"bench:u{i}" for i in range(n)], source, target)


def ties_alone(keys: list[str], source: Int64, target: Int64, engagements: EngagementColumns | None = None) -> Snapshot:
    """Accounts with follows, each of weight 1, interactions, and nothing else; ends are positions among the keys."""
    n, nothing, small = len(keys), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int8)
    return Snapshot(
        version=1,
        accounts=AccountColumns(
            n=np.arange(n),
            key=keys,
            handle=[None] * n,
            opted_out=np.zeros(n, dtype=np.bool_),
            followers=np.full(n, -1),
        ),
        follows=FollowColumns(source, target, np.ones(len(source))),
        followed_at=-1,
        engagements=engagements or EngagementColumns(nothing, nothing, nothing, np.zeros((0, 4), dtype=np.int64)),
        brands=BrandColumns([], [], nothing, [], nothing, [], small, nothing, nothing),
        topics=TopicColumns(nothing, [], nothing, nothing),
        postings=PostingColumns(nothing, nothing, np.zeros((0, 3), dtype=np.int64)),
        mentions=MentionColumns(nothing, [], [], nothing, small, small, np.zeros(0, dtype=np.bool_)),
    )


def main(paths: list[Path]) -> None:
    """Analyse each graph with the default rules."""
    for path in paths:
        snapshot = snapshot_of(path)
        before = psutil.Process().memory_info().rss / 2**20
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="entourage-bench-") as folder, Spool(Path(folder)) as spool:
            graph = build_graph(snapshot)
            analyse(graph, WITHOUT_CHANCE, no_progress, spool.keep)
        seconds = time.perf_counter() - begin
        grown = peak_megabytes() - before - graph_bytes(graph) / 2**20
        print(json.dumps({"seconds": seconds, "grown_mb": grown}), flush=True)


def graph_bytes(graph: Graph) -> int:
    """Bytes of the arrays of a graph."""
    parts = [getattr(graph, one.name) for one in fields(graph)]
    arrays = [array for part in parts for array in ((part.data, part.offsets) if isinstance(part, Texts) else (part,))]
    return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
