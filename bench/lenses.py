"""Lenses beside communities and centralities of the same run: seconds, and how alike the lenses are.

    python -m bench.lenses --follows 1000000 --interactions 3000000

A generated graph in memory (planted communities, heavy-tailed popularity; ten follows an account) with a year of
interactions, most of them with whom one follows, posts and topics, is analysed as a run does it, several times.
Every lens is then timed by itself, and the rank correlations of all of them are printed.

The last line is one JSON object: for each figure its value, its target (null where none is set) and whether it holds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.generate import write_follows
from bench.pipeline import Stages, figure
from service.analytics.activity import activity
from service.analytics.analysis import analyse
from service.analytics.graph import build_graph
from service.analytics.lenses.all import LENSES
from service.analytics.lenses.combining import rank_correlations
from service.analytics.lenses.observed import Observed
from service.analytics.ties import tie_graph
from service.domain import (
    PART_NAMES,
    AccountColumns,
    Analysis,
    BrandColumns,
    EngagementColumns,
    FollowColumns,
    Graph,
    MentionColumns,
    PostingColumns,
    RunSpec,
    Snapshot,
    TopicColumns,
)
from service.files.spool import Spool

LAST_DAY, YEAR = 20_000, 365


def main() -> None:
    """Generate, analyse, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--follows", type=int, default=1_000_000, help="ten for each account")
    parser.add_argument("--interactions", type=int, default=3_000_000, help="pairs and days with interactions")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the median counts")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        graph = generated(Path(folder), given.follows, given.interactions, given.seed)
        console.print(f"{graph.n:,} accounts, {graph.m:,} follows, {len(graph.engaged_idx):,} interactions")
        runs: list[dict[str, float]] = []
        for _ in range(given.repeats + 1):
            stages = Stages()
            with Spool(Path(folder)) as spool:
                analysis = analyse(graph, RunSpec(), stages.progress, spool.keep)
            stages.end()
            runs.append(stages.seconds)
    median = {stage: statistics.median(run[stage] for run in runs[1:]) for stage in runs[0]}  # the first one compiles
    alone = each_lens(graph, analysis, given.repeats)

    table = Table(title=f"Seconds, median of {given.repeats}")
    table.add_column("stage or lens")
    table.add_column("seconds", justify="right")
    for name, seconds in {**median, **alone}.items():
        table.add_row(name, f"{seconds:.2f}")
    console.print(table)
    print_correlations(console, analysis)
    others = median["communities"] + median["measures"]
    figures = {
        "lenses_s": figure(round(median["lenses"], 2), None),
        "communities_and_measures_s": figure(round(others, 2), None),
        "communities_and_measures_over_lenses": figure(round(others / median["lenses"], 2), 1.0),
    }
    print(json.dumps(figures))


def each_lens(graph: Graph, analysis: Analysis, repeats: int) -> dict[str, float]:
    """Median seconds of each lens by itself."""
    raw = np.full((len(PART_NAMES), graph.n), np.nan)
    for one in analysis.scores:
        raw[:, one.members] = one.raw
    rules, none = RunSpec().rules, np.zeros(graph.n, dtype=np.int64)
    ties, doing = tie_graph(graph, rules), activity(graph, rules)
    found = {}
    for name, measure in LENSES.items():
        seconds = []
        for _ in range(repeats):
            seen = Observed(graph, ties, analysis.labels, rules, doing, raw, none, none.astype(np.int32))
            begin = time.perf_counter()
            measure(seen)
            seconds.append(time.perf_counter() - begin)
        found[f"lens {name}, alone"] = statistics.median(seconds)
    return found


def print_correlations(console: Console, analysis: Analysis) -> None:
    """Print how alike the lenses rank all accounts."""
    values = np.array([np.where(one.null < 0, one.value, np.nan) for one in analysis.lenses])
    found, _ = rank_correlations(values)
    table = Table(title="Spearman's rank correlation over all accounts")
    table.add_column("")
    for one in analysis.lenses:
        table.add_column(one.lens, justify="right")
    for one, row in zip(analysis.lenses, found.tolist(), strict=True):
        table.add_row(one.lens, *(f"{value:.2f}" for value in row))
    console.print(table)


def generated(folder: Path, follows: int, interactions: int, seed: int) -> Graph:
    """A graph with a year of interactions: four of five with whom one follows; a third of the accounts post."""
    path = folder / "follows.csv"
    write_follows(path, follows, seed)
    pairs = np.loadtxt(path, delimiter=",", skiprows=1, converters=lambda text: float(text[1:]), dtype=np.int64)
    rng = np.random.default_rng(seed)
    n = int(pairs.max()) + 1
    drawn = pairs[rng.integers(0, len(pairs), interactions)]
    strangers = rng.random(interactions) < 0.2
    drawn[strangers, 1] = rng.integers(0, n, int(strangers.sum()))
    drawn = drawn[drawn[:, 0] != drawn[:, 1]]
    day = LAST_DAY - rng.integers(0, YEAR, len(drawn))
    _, first = np.unique((drawn[:, 0] * n + drawn[:, 1]) * YEAR + LAST_DAY - day, return_index=True)
    drawn, day = drawn[first], day[first]
    counts = np.column_stack([rng.poisson(mean, len(drawn)) for mean in (1.0, 0.4, 0.2, 0.3)])
    counts[counts.sum(axis=1) == 0, 0] = 1
    posting = np.flatnonzero(rng.random(n) < 1 / 3)
    author = np.repeat(posting, 30)
    posted = LAST_DAY - rng.integers(0, YEAR, len(author))
    _, first = np.unique(author * YEAR + LAST_DAY - posted, return_index=True)
    author, posted = author[first], posted[first]
    writing = np.repeat(np.arange(n), 4)
    topic = (rng.pareto(0.8, len(writing)) * 3).astype(np.int64).clip(0, 2_000)
    _, first = np.unique(writing * 3_000 + topic, return_index=True)
    writing, topic = writing[first], topic[first]
    number = np.arange(1, n + 1, dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    snapshot = Snapshot(
        version=1,
        accounts=AccountColumns(
            n=number, key=[f"bench:{i}" for i in range(n)], handle=[None] * n,
            opted_out=np.zeros(n, dtype=np.bool_), followers=np.full(n, -1, dtype=np.int64),
        ),
        follows=FollowColumns(
            number[pairs[:, 0]], number[pairs[:, 1]], np.ones(len(pairs)),
            LAST_DAY - rng.integers(0, 2 * YEAR, len(pairs)),
        ),
        followed_at=-1,
        engagements=EngagementColumns(number[drawn[:, 0]], number[drawn[:, 1]], day, counts),
        brands=BrandColumns([], [], none, [], none, [], none.astype(np.int8), none, none),
        topics=TopicColumns(
            number[writing], [f"topic {one}" for one in topic.tolist()], rng.integers(1, 9, len(writing)),
            np.full(len(writing), -1, dtype=np.int64),
        ),
        postings=PostingColumns(
            number[author], posted, np.column_stack([np.full(len(author), 2), rng.integers(0, 2, (len(author), 2))])
        ),
        mentions=MentionColumns(
            none, [], [], none, none.astype(np.int8), none.astype(np.int8), none.astype(np.bool_)
        ),
    )  # fmt: skip
    return build_graph(snapshot)


if __name__ == "__main__":
    main()
