"""Graphs for `bench.validity`, as an analysis reads them: messages with times, friendships with an outside truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from bench.graphs import both_ways, ties_alone
from service.analytics.graph import build_graph
from service.domain import EngagementColumns, Float64, Graph, Int64, Past, TopicColumns

DAY = 86_400


def messages(path: Path) -> Graph:
    """Lines `from to unixtime`: each message is a reply of its sender to whom it is for. Nobody follows anybody."""
    source, target, at = np.loadtxt(path, dtype=np.int64).T
    ids, ends = np.unique(np.concatenate([source, target]), return_inverse=True)
    rows = np.stack([ends[: len(source)], ends[len(source) :], at // DAY])
    pairs, count = np.unique(rows[:, rows[0] != rows[1]], axis=1, return_counts=True)
    counts = np.zeros((len(count), 4), dtype=np.int64)
    counts[:, 1] = count
    engaged = EngagementColumns(pairs[0], pairs[1], pairs[2], counts)
    return build_graph(ties_alone(_keys(len(ids)), _none(), _none(), engaged))


def without_follows(before_day: int) -> Past:
    """The time before a day of a graph that holds interactions alone."""
    topics = TopicColumns(_none(), [], _none(), _none())
    return Past(before_day, _none(), _none(), -1, topics, -1, 0, 0, False)


def friendships(edges: Path, targets: Path) -> tuple[Graph, Float64, Float64]:
    """Mutual follows, and of each account whether it is a partner and how many views it has (NaN where unknown)."""
    pairs = np.loadtxt(edges, delimiter=",", skiprows=1, dtype=np.int64)
    n = int(pairs.max()) + 1
    both = both_ways(pairs)
    partner, views = np.full(n, np.nan), np.full(n, np.nan)
    with targets.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            partner[int(row["new_id"])] = row["partner"] == "True"
            views[int(row["new_id"])] = float(row["views"])
    return build_graph(ties_alone(_keys(n), both[:, 0], both[:, 1])), partner, views


def _keys(n: int) -> list[str]:
    """Keys in the order of the accounts, so that account i of the graph is the i-th."""
    return [f"bench:u{i:08}" for i in range(n)]


def _none() -> Int64:
    return np.zeros(0, dtype=np.int64)
