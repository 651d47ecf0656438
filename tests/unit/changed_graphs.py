"""Graphs as they could be some time later: a share of follows changed, or events of communities planted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.analytics.graph import build_graph, columns_of, rows_of
from service.domain import (
    AccountColumns,
    Analysis,
    Before,
    EngagementColumns,
    FollowColumns,
    Graph,
    Int32,
    Int64,
    Quality,
    ScoringRules,
    no_endorsements,
)


def follows_changed(graph: Graph, share: float, seed: int) -> Graph:
    """The graph after a share of its follows changed: half of them gone, as many new ones between any two accounts."""
    rng = np.random.default_rng(seed)
    snapshot = columns_of(graph)
    follows = snapshot.follows
    count = round(graph.m * share / 2)
    kept = np.ones(graph.m, dtype=np.bool_)
    kept[rng.choice(graph.m, count, replace=False)] = False
    source, target = (graph.number[rng.integers(0, graph.n, 2 * count)].astype(np.int64) for _ in range(2))
    pairs = np.stack(
        [np.concatenate([follows.source[kept], source[:count]]), np.concatenate([follows.target[kept], target[:count]])]
    )
    return build_graph(replace(snapshot, version=snapshot.version + 1, follows=_distinct(pairs)))


def _distinct(pairs: Int64) -> FollowColumns:
    """Follows of weight 1 between pairs of accounts (a column each), each once, nobody following themselves."""
    pairs = np.unique(pairs, axis=1)
    pairs = pairs[:, pairs[0] != pairs[1]]
    return FollowColumns(pairs[0], pairs[1], np.ones(pairs.shape[1]), np.full(pairs.shape[1], -1))


def seen_from(
    graph: Graph, then: Graph, analysis: Analysis, run: str = "r-before", rules: ScoringRules | None = None
) -> Before:
    """What an analysis of an earlier graph found, as a later graph sees it."""
    place = {key: i for i, key in enumerate(then.keys)}
    labels = np.array([analysis.labels[place[key]] if key in place else -1 for key in graph.keys], dtype=np.int32)
    ids = [one.id for one in analysis.communities]
    sizes = np.array([one.size for one in analysis.communities], dtype=np.int64)
    found = analysis.measures.get("confidence", np.full(then.n, np.nan))
    sure = np.array([found[place[key]] if key in place else np.nan for key in graph.keys])
    rules = rules or ScoringRules()
    return Before(run, ids, [run] * len(ids), sizes, labels, sure, analysis.quality, rules, nobody_reached_out(graph.n))


def nobody_reached_out(n: int) -> Int64:
    """Outreach of nobody."""
    return np.zeros(n, dtype=np.int64)


def partition_before(labels: Int32, quality: Quality) -> Before:
    """A partition of the same accounts as if a run had found it."""
    count = int(labels.max(initial=-1)) + 1
    ids = [f"c{k}" for k in range(count)]
    sizes = np.bincount(labels[labels >= 0], minlength=count).astype(np.int64)
    unknown = np.full(len(labels), np.nan)
    outreach, rules = nobody_reached_out(len(labels)), ScoringRules()
    return Before("r-before", ids, ["r-before"] * count, sizes, labels, unknown, quality, rules, outreach)


@dataclass(frozen=True)
class Planted:
    """What was planted, by positions of communities of then; born are the keys of new accounts."""

    merged: list[tuple[int, int]]
    split: list[tuple[int, list[str]]]
    born: list[list[str]]
    died: list[int]


def plant(graph: Graph, labels: Int32, chosen: list[int], seed: int) -> tuple[Graph, Planted]:
    """Change a graph so that communities merge, split, are born and die.

    Of the chosen communities the first two fifths merge in pairs (their members follow those of the other as densely as
    each other), the next fifth splits in halves (what led from one to the other leads to somebody of the same half),
    the next dies (its accounts are gone), and one new community of new accounts is born for each of another fifth.
    Interactions of then across what split, and of who is gone, are gone.
    """
    rng = np.random.default_rng(seed)
    snapshot = columns_of(graph)
    fifth = len(chosen) // 5
    pairs = list(zip(chosen[:fifth], chosen[fifth : 2 * fifth], strict=True))
    split, die = chosen[2 * fifth : 3 * fifth], chosen[3 * fifth : 4 * fifth]
    source, target = rows_of(graph.out_ptr), graph.out_idx.astype(np.int64)
    engaged_source, engaged_target = rows_of(graph.engaged_ptr), graph.engaged_idx.astype(np.int64)
    more: list[tuple[Int64, Int64]] = []
    for one, other in pairs:
        here, there = np.flatnonzero(labels == one), np.flatnonzero(labels == other)
        for ours, theirs in ((here, there), (there, here)):
            inside = int(np.count_nonzero((labels[source] == labels[ours[0]]) & (labels[target] == labels[ours[0]])))
            draws = 3 * inside
            more.append((rng.choice(ours, draws), rng.choice(theirs, draws)))
    half = np.zeros(graph.n, dtype=np.int64)
    halves = []
    for one in split:
        members = rng.permutation(np.flatnonzero(labels == one))
        half[members[: len(members) // 2]] = 1
        halves.append((one, [graph.keys[i] for i in members[: len(members) // 2].tolist()]))
    splits = np.isin(labels, split)
    crossing = splits[source] & (labels[source] == labels[target]) & (half[source] != half[target])
    for i in source[crossing].tolist():
        mates = np.flatnonzero((labels == labels[i]) & (half == half[i]))
        more.append((np.array([i]), rng.choice(mates, 1)))
    gone = np.isin(labels, die)
    kept = ~crossing & ~gone[source] & ~gone[target]
    engaged_crossing = (
        splits[engaged_source]
        & (labels[engaged_source] == labels[engaged_target])
        & (half[engaged_source] != half[engaged_target])
    )
    engaged_kept = ~engaged_crossing & ~gone[engaged_source] & ~gone[engaged_target]
    size = int(np.median([np.count_nonzero(labels == one) for one in chosen]))
    born, new_source, new_target, keys, numbers = [], [], [], [], []
    number = int(graph.number.max()) + 1
    for turn in range(fifth):
        fresh = np.arange(number, number + size)
        number += size
        names = [f"sample:new{turn:02}-{i:04}" for i in range(size)]
        born.append(names)
        keys += names
        numbers.append(fresh)
        new_source += [np.repeat(fresh, 12), rng.choice(fresh, size // 4)]
        new_target += [rng.choice(fresh, 12 * size), graph.number[rng.choice(np.flatnonzero(~gone), size // 4)]]
    added = np.concatenate([a for a, _ in more]), np.concatenate([b for _, b in more])
    stays = np.flatnonzero(~gone)
    accounts = snapshot.accounts
    fresh_numbers = np.concatenate(numbers)
    ends = [
        np.concatenate([graph.number[column[kept]], graph.number[extra], *new]).astype(np.int64)
        for column, extra, new in zip((source, target), added, (new_source, new_target), strict=True)
    ]
    nothing = np.zeros(0, dtype=np.int64)
    later = replace(
        snapshot,
        version=snapshot.version + 1,
        accounts=AccountColumns(
            n=np.concatenate([accounts.n[stays], fresh_numbers]),
            key=[accounts.key[i] for i in stays.tolist()] + keys,
            handle=[accounts.handle[i] for i in stays.tolist()] + [None] * len(keys),
            opted_out=np.concatenate([accounts.opted_out[stays], np.zeros(len(keys), dtype=np.bool_)]),
            followers=np.concatenate([accounts.followers[stays], np.full(len(keys), -1)]),
        ),
        follows=_distinct(np.stack(ends)),
        # New accounts do something, too: who only follows others counts as empty.
        engagements=EngagementColumns(
            np.concatenate([snapshot.engagements.source[engaged_kept], fresh_numbers]),
            np.concatenate([snapshot.engagements.target[engaged_kept], *(np.roll(one, 1) for one in numbers)]),
            np.concatenate([snapshot.engagements.day[engaged_kept], np.full(len(keys), graph.engaged_day.max())]),
            np.concatenate([snapshot.engagements.counts[engaged_kept], np.tile([1, 0, 0, 0], (len(keys), 1))]),
        ),
        brands=replace(
            snapshot.brands, own=nothing, own_brand=[], account=nothing, brand=[], relation=nothing.astype(np.int8),
            since=nothing, until=nothing,
        ),
        topics=replace(
            snapshot.topics, account=nothing, topic=[], posts=nothing, first=nothing, post=[], latest=nothing
        ),
        postings=replace(snapshot.postings, account=nothing, day=nothing, counts=np.zeros((0, 3), dtype=np.int64)),
        mentions=replace(
            snapshot.mentions, account=nothing, brand=[], post=[], at=nothing, stance=nothing.astype(np.int8),
            paid=nothing.astype(np.int8), answered=nothing.astype(np.bool_), read=nothing.astype(np.bool_),
        ),
        endorsements=no_endorsements(),
    )  # fmt: skip
    return build_graph(later), Planted(pairs, halves, born, die)


def recognised(planted: Planted, before: Before, analysis: Analysis, graph: Graph) -> dict[str, tuple[int, int]]:
    """Of each kind of event, how many of the planted ones the lineage names, and how many were planted."""
    of = {one.id: one for one in analysis.lineage}
    ended = {one.id: one for one in analysis.ended}
    places = {key: analysis.communities[label].id for key, label in zip(graph.keys, analysis.labels, strict=True)
              if label >= 0}  # fmt: skip

    def home(keys: list[str]) -> str:
        found = [places[key] for key in keys if key in places]
        return max(set(found), key=lambda one: (found.count(one), one))

    merges = 0
    for one, other in planted.merged:
        pair = {before.ids[one], before.ids[other]}
        merges += any(
            lineage.event == "merges" and pair <= {p.id for p in lineage.predecessors if p.counts}
            for lineage in of.values()
        )
    splits = 0
    for one, keys in planted.split:
        identity = before.ids[one]
        parts = {lineage.id for lineage in of.values() for p in lineage.predecessors if p.id == identity and p.counts}
        splits += len(parts) >= 2 and home(keys) in parts and any(of[part].event == "splits" for part in parts)
    births = sum(of[home(keys)].event == "born" for keys in planted.born)
    deaths = sum(before.ids[one] in ended and ended[before.ids[one]].event == "died" for one in planted.died)
    return {
        "merges": (merges, len(planted.merged)),
        "splits": (splits, len(planted.split)),
        "births": (births, len(planted.born)),
        "deaths": (deaths, len(planted.died)),
    }
