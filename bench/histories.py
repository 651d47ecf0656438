"""Graphs for `bench.validity`, as an analysis reads them: messages with times, friendships with an outside truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from service.analytics.graph import build_graph
from service.domain import (
    AccountColumns,
    BrandColumns,
    EngagementColumns,
    Float64,
    FollowColumns,
    Graph,
    Int64,
    MentionColumns,
    Past,
    PostingColumns,
    Snapshot,
    TopicColumns,
)

DAY = 86_400


def messages(path: Path) -> Graph:
    """Lines `from to unixtime`: each message is a reply of its sender to whom it is for. Nobody follows anybody."""
    source, target, at = np.loadtxt(path, dtype=np.int64).T
    ids, ends = np.unique(np.concatenate([source, target]), return_inverse=True)
    rows = np.stack([ends[: len(source)], ends[len(source) :], at // DAY])
    pairs, count = np.unique(rows[:, rows[0] != rows[1]], axis=1, return_counts=True)
    counts = np.zeros((len(count), 4), dtype=np.int64)
    counts[:, 1] = count
    return _graph(len(ids), _none(), _none(), EngagementColumns(pairs[0], pairs[1], pairs[2], counts))


def without_follows(before_day: int) -> Past:
    """The time before a day of a graph that holds interactions alone."""
    topics = TopicColumns(_none(), [], _none(), _none())
    return Past(before_day, _none(), _none(), -1, topics, -1, 0, 0, False)


def friendships(edges: Path, targets: Path) -> tuple[Graph, Float64, Float64]:
    """Mutual follows, and of each account whether it is a partner and how many views it has (NaN where unknown)."""
    pairs = np.loadtxt(edges, delimiter=",", skiprows=1, dtype=np.int64)
    n = int(pairs.max()) + 1
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    both = both[both[:, 0] != both[:, 1]]
    partner, views = np.full(n, np.nan), np.full(n, np.nan)
    with targets.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            partner[int(row["new_id"])] = row["partner"] == "True"
            views[int(row["new_id"])] = float(row["views"])
    engaged = EngagementColumns(_none(), _none(), _none(), np.zeros((0, 4), dtype=np.int64))
    return _graph(n, both[:, 0], both[:, 1], engaged), partner, views


def _graph(n: int, source: Int64, target: Int64, engagements: EngagementColumns) -> Graph:
    """A graph of these ties and nothing else; account i has the i-th key."""
    small = np.zeros(0, dtype=np.int8)
    return build_graph(
        Snapshot(
            version=1,
            accounts=AccountColumns(
                n=np.arange(n),
                key=[f"bench:u{i:08}" for i in range(n)],
                handle=[None] * n,
                opted_out=np.zeros(n, dtype=np.bool_),
                followers=np.full(n, -1),
            ),
            follows=FollowColumns(source, target, np.ones(len(source))),
            followed_at=-1,
            engagements=engagements,
            brands=BrandColumns([], [], _none(), [], _none(), [], small, _none(), _none()),
            topics=TopicColumns(_none(), [], _none(), _none()),
            postings=PostingColumns(_none(), _none(), np.zeros((0, 3), dtype=np.int64)),
            mentions=MentionColumns(_none(), [], [], _none(), small, small, np.zeros(0, dtype=np.bool_)),
        )
    )


def _none() -> Int64:
    return np.zeros(0, dtype=np.int64)
