"""Communities of a useful size: partitions at several resolutions, the choice among them, ids and labels."""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from service.analytics.chance import rewired
from service.analytics.engine import Engine
from service.analytics.graph import Projection, projected, strengths
from service.analytics.rounding import significant
from service.analytics.sparse import components, weight_inside
from service.analytics.ties import WeightedGraph
from service.domain import Before, Chance, Float64, Graph, Int32, LevelTried, Progress, RunSpec, ScoringRules

CHANCE_HOLDS = 0.1
"""What is known of chance holds until the number of ties has changed by this share."""

ISOLATE = -1
"""Label of an account without any tie: counted, in no community."""


@dataclass(frozen=True)
class Partition:
    """The communities that were chosen, and what they were chosen from.

    Attributes:
        labels: int32[n], position of each account's community in canonical order, ISOLATE for none.
        members: of each community, int32[size], ascending.
        useful_min, useful_max: smallest and largest useful size, in accounts.
        levels: one row for each resolution tried, in the order of the rules; exactly one is chosen.
        chance: modularity that the same search finds in rewired graphs; None where none was asked for.
    """

    labels: Int32
    members: list[Int32]
    useful_min: int
    useful_max: int
    levels: tuple[LevelTried, ...]
    chance: Chance | None

    @property
    def chosen(self) -> LevelTried:
        """The level that was chosen."""
        return next(level for level in self.levels if level.chosen)


def find_communities(
    graph: Graph | WeightedGraph,
    projection: Projection,
    engine: Engine,
    spec: RunSpec,
    progress: Progress,
    before: Before | None = None,
) -> Partition:
    """Partition a graph at each resolution of the rules and take the finest one that is good enough.

    Each community is split into its connected parts, whatever the engine found. Without any tie there are no
    communities at any level.

    Args:
        graph: the ties of n ≥ 1 accounts (of a graph of follows, these).
        projection: the same, undirected.
        engine: finds a partition at one resolution.
        spec: seed and rules.
        progress: told of each resolution and each rewiring as stage `communities`.
        before: the run whose communities the search begins with; its resolution is kept while that is nearly as good as
            the rules ask, and what it knows of chance where the graph is about as large.
    """
    low, high = useful_sizes(graph.n, spec.rules)
    resolutions = spec.rules.resolutions
    found: list[Int32] = []
    quality: list[tuple[float, float]] = []

    def partition(resolution: float) -> Int32:
        start = None if before is None else before.labels
        found = engine.partition(projection, resolution, spec.seed, spec.rules.quality_function, start)
        return canonical(connected_parts(projection, found))

    steps = len(resolutions) + (spec.rules.rewirings if graph.m else 0)
    progress("communities", 0, steps)
    # Side by side: each resolution is computed by one thread alone, so that their number does not show.
    with ThreadPoolExecutor(max_workers=engine.threads) as threads:
        for labels in threads.map(partition, resolutions):
            sizes = community_sizes(labels)
            useful = sizes[(sizes >= low) & (sizes <= high)].sum() / graph.n
            found.append(labels)
            quality.append((float(significant(np.array([modularity(projection, labels)]))[0]), float(useful)))
            progress("communities", len(found), steps)
    kept = None if before is None else before.quality.resolution
    best = choose_level(resolutions, quality, spec.rules, kept)
    levels = tuple(
        LevelTried(
            resolution=resolution,
            communities=len(community_sizes(labels)),
            modularity=q,
            useful_share=u,
            chosen=position == best,
        )
        for position, (resolution, labels, (q, u)) in enumerate(zip(resolutions, found, quality, strict=True))
    )
    known = None if before is None else known_chance(graph, before, resolutions[best], spec)
    if known is not None:
        progress("communities", steps, steps)
    chance = known or modularity_by_chance(
        graph,
        engine,
        resolutions[best],
        spec,
        lambda done, _: progress("communities", len(resolutions) + done, steps),
    )
    return Partition(found[best], members_of(found[best]), low, high, levels, chance)


def known_chance(graph: Graph | WeightedGraph, before: Before, resolution: float, spec: RunSpec) -> Chance | None:
    """What an earlier run knows of chance, where it looked for the same in a graph of nearly as many ties.

    It depends on degrees alone, so that a little change of the graph hardly changes it, and measuring it again would be
    most of the work of a run.
    """
    chance = before.quality.chance
    if chance is None or before.quality.resolution != resolution or before.quality.engine != spec.engine:
        return None
    if before.rules.quality_function != spec.rules.quality_function or chance.rewirings != spec.rules.rewirings:
        return None
    if abs(graph.m - chance.ties) > CHANCE_HOLDS * chance.ties:
        return None
    return chance if chance.run is not None else chance.model_copy(update={"run": before.run})


def modularity_by_chance(
    graph: Graph | WeightedGraph, engine: Engine, resolution: float, spec: RunSpec, progress: Callable[[int, int], None]
) -> Chance | None:
    """Modularity at γ = 1 that the same search finds where ties are rewired at random, with the same degrees.

    Any graph has partitions of high modularity, a random one too (Guimerà, Sales-Pardo and Amaral 2004): only what a
    graph has beyond that says something about its communities.

    Args:
        graph: accounts with the weights of their ties.
        engine: searches.
        resolution: γ of the search.
        spec: seed, and how many rewirings are made.
        progress: told how many are done, of how many.

    Returns:
        None where no rewirings are asked for, or there are no ties.
    """
    rewirings = spec.rules.rewirings
    if rewirings == 0 or graph.m == 0:
        return None

    def found(seed: int) -> float:
        projection = projected(*rewired(graph.out_ptr, graph.out_idx, graph.out_weight, seed), graph.n)
        labels = engine.partition(projection, resolution, spec.seed, spec.rules.quality_function)
        return modularity(projection, connected_parts(projection, labels))

    qualities = []
    with ThreadPoolExecutor(max_workers=engine.threads) as threads:
        for quality in threads.map(found, range(spec.seed, spec.seed + rewirings)):
            qualities.append(quality)
            progress(len(qualities), rewirings)
    mean, deviation = significant(np.array([np.mean(qualities), np.std(qualities)])).tolist()
    return Chance(rewirings=rewirings, mean=mean, deviation=deviation, ties=graph.m)


def useful_sizes(accounts: int, rules: ScoringRules) -> tuple[int, int]:
    """Smallest and largest useful community of a graph of N ≥ 1 accounts: min(50, ⌈√N⌉) and min(5,000, ⌊N/3⌋)."""
    root = math.isqrt(accounts - 1) + 1
    return min(rules.useful_min_cap, root), min(rules.useful_max_cap, accounts // 3)


def connected_parts(projection: Projection, labels: Int32) -> Int32:
    """Split each label into the connected parts of its accounts, and label accounts without ties ISOLATE.

    Returns:
        int32[n], labels in no particular order.
    """
    return components(projection.ptr, projection.idx, labels)


def canonical(labels: Int32) -> Int32:
    """Renumber communities by size, largest first, ties by the smallest account key; ISOLATE stays."""
    tied = labels != ISOLATE
    _, first, place, sizes = np.unique(labels[tied], return_index=True, return_inverse=True, return_counts=True)
    position = np.empty(len(sizes), dtype=np.int32)
    position[np.lexsort((first, -sizes))] = np.arange(len(sizes), dtype=np.int32)
    result = np.full(len(labels), ISOLATE, dtype=np.int32)
    result[tied] = position[place]
    return result


def community_sizes(labels: Int32) -> Int32:
    """Accounts in each community of canonical labels."""
    return np.bincount(labels[labels != ISOLATE]).astype(np.int32)


def members_of(labels: Int32) -> list[Int32]:
    """Members of each community of canonical labels, ascending."""
    order = np.argsort(labels, kind="stable").astype(np.int32)
    ends = np.cumsum(np.concatenate([[np.count_nonzero(labels == ISOLATE)], community_sizes(labels)]))
    return [order[start:end] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


def modularity(projection: Projection, labels: Int32) -> float:
    """Modularity at γ = 1 (Newman and Girvan 2004): Σ_c [w_c / W − (s_c / 2W)²]; 0 without ties.

    W is all tie weight, w_c that inside community c, s_c the summed strength of its accounts. ISOLATE has no ties.
    """
    twice_total = projection.weight.sum()
    if twice_total == 0:
        return 0.0
    strength = np.bincount(labels + 1, weights=strengths(projection.ptr, projection.weight))
    inside = weight_inside(projection.ptr, projection.idx, projection.weight, labels)
    return float(inside / twice_total - np.sum((strength / twice_total) ** 2))


def choose_level(
    resolutions: Sequence[float],
    quality: Sequence[tuple[float, float]],
    rules: ScoringRules,
    kept: float | None = None,
) -> int:
    """Choose among levels: Q ≥ 0.95 · max Q, of these U ≥ 0.95 · their max U, of these the finest.

    Q is modularity at γ = 1, U the share of accounts in communities of useful size. Where max Q is negative (no
    partition is better than chance) only it is kept. The resolution of the run before (`kept`) stays the chosen one
    while it misses neither by more than the rules allow, so that a level at the edge does not come and go.

    Returns:
        Position of the chosen level; of equal resolutions the first.
    """
    best = max(q for q, _ in quality)
    good = [i for i, (q, _) in enumerate(quality) if q >= min(best, rules.modularity_kept * best)]
    most = max(quality[i][1] for i in good)
    if kept in resolutions:
        stays = resolutions.index(kept)
        q, useful = quality[stays]
        enough = min(best, (rules.modularity_kept - rules.kept_slack) * best)
        if q >= enough and useful >= (rules.useful_kept - rules.kept_slack) * most:
            return stays
    good = [i for i in good if quality[i][1] >= rules.useful_kept * most]
    return max(good, key=lambda i: (resolutions[i], -i))


def community_id(community: Graph, ties: WeightedGraph, taken: Container[str] = ()) -> str:
    """Name a community after its anchor, the member with the largest weighted in-strength inside it (ties by key).

    Args:
        community: its own graph.
        ties: those inside it.
        taken: ids that others have; where the anchor's is one of them, it is made of the key and a number.

    Returns:
        `c` and 10 characters of the lower-case base32 of the SHA-256 of the anchor's key: the same for the same
        anchor, in any run.
    """
    strength = strengths(ties.in_ptr, ties.in_weight)
    key = community.keys[int(np.argmax(significant(strength)))]
    ids = (anchor_id(key if turn == 1 else f"{key} {turn}", level=0) for turn in itertools.count(1))
    return next(one for one in ids if one not in taken)


def anchor_id(key: str, level: int) -> str:
    """Name the community of a level whose anchor has this key: see `community_id`."""
    digest = hashlib.sha256((key if level == 0 else f"{level} {key}").encode()).digest()
    return "c" + base64.b32encode(digest).decode().lower()[:10]


def community_label(community: Graph, authority: Float64, topics: tuple[str, ...] = ()) -> str:
    """Label a community: "coffee and latte art · around @a, @b and @c".

    Args:
        community: its own graph.
        authority: float64[size]; the accounts with most of it are named (ties by key), but nobody who has opted out.
        topics: what it is about, if anything; see `distinctive_topics`, which leaves out what states religion,
            politics, health or sexuality.
    """
    order = np.lexsort((np.arange(community.n), -authority))
    around = names_label([community.name(i) for i in order[~community.opted_out[order]][:3].tolist()])
    return f"{' and '.join(topics)} · {around}" if topics else around


def names_label(names: Sequence[str]) -> str:
    """Label by some names: "around @a, @b and @c"."""
    if not names:
        return "around accounts that have opted out"
    return "around " + (" and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0])


def most_followed(community: Graph, count: int) -> tuple[str, ...]:
    """Keys of the members most followed inside the community, ties by key; nobody who has opted out."""
    degree = np.diff(community.in_ptr)
    order = np.lexsort((np.arange(community.n), -degree))
    shown = order[(degree[order] > 0) & ~community.opted_out[order]][:count]
    return tuple(community.keys[i] for i in shown.tolist())
