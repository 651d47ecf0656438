"""The peer of `bench.pipeline`: plain networkx and python-louvain, as one would write it in a notebook.

Reads the same follows and interactions and does the same measures: weighted ties, five resolutions and the choice among
them, PageRank, two-step reach, resonance and trust inside each community, scores, five candidates each. It
looks for no signs of manipulation and makes no intervals of ranks, no roles, no evidence, no reasons, nothing about
brands and topics.

Where ENTOURAGE_BENCH_URI and ENTOURAGE_BENCH_PASSWORD name an empty Neo4j, accounts and follows are loaded into it by
MERGE in batches of a thousand, and at the end each account's score is written with one statement of its own.

Prints one JSON object: seconds and peak memory of each stage, and the candidates.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

import community as community_louvain
import networkx as nx
from neo4j import GraphDatabase

RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 4.0)
P0 = 0.05
WEIGHTS = {"authority": 0.20, "reach": 0.15, "resonance": 0.20, "trust": 0.20}
A_DAY = 3  # interactions of a pair on one day that count
WORTH = {"like": 1, "reply": 3, "mention": 3, "repost": 2}
WINDOW = 90
WEEKS = 12
LOADED_AT_ONCE = 1000


@dataclass
class Pair:
    """What one account did with another: days and weeks of it, how often, and how much of it was more than a like."""

    worth: dict[int, int] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)
    weeks: set[int] = field(default_factory=set)
    done: int = 0
    talked: int = 0

    @property
    def decayed(self) -> float:
        """What was done, by age in days, older ones counting less; of one day as much as A_DAY times its mean."""
        return sum(worth * min(1.0, A_DAY / self.times[age]) * 2 ** (-age / 30) for age, worth in self.worth.items())


@dataclass
class Known:
    """What the files say: follows, and interactions of the window by pair (who, with whom)."""

    follows: nx.DiGraph
    pairs: dict[tuple[str, str], Pair]
    active: dict[str, int]
    observed: int
    p0: float


def main(folder: Path) -> None:
    stages: dict[str, dict[str, float]] = {}
    clock = time.perf_counter()

    def stage(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        stages[name] = {"seconds": now - clock, "mb": peak_megabytes()}
        clock = now

    known = read(folder)
    stage("read")
    uri = os.environ.get("ENTOURAGE_BENCH_URI")
    driver = None
    if uri is not None:
        driver = GraphDatabase.driver(uri, auth=("neo4j", os.environ["ENTOURAGE_BENCH_PASSWORD"]))
        load(driver, known.follows)
        stage("load")
    ties = weighted(known)
    groups = best_level(ties)
    stage("communities")
    cutoff = sorted((d for _, d in known.follows.in_degree()), reverse=True)[math.ceil(0.005 * len(ties)) - 1]
    scores: dict[str, int] = {}
    result = {digest(members): candidates(known, ties, members, cutoff, scores) for members in groups}
    stage("scores")
    if driver is not None:
        community = {account: number for number, members in enumerate(groups) for account in members}
        with driver.session() as session:
            for account, score in scores.items():
                session.run(
                    "MATCH (a:Account {id: $id}) SET a.score = $score, a.community = $community",
                    id=account, score=score / 1e6, community=community[account],
                ).consume()  # fmt: skip
        driver.close()
        stage("one write per account")
    print(
        json.dumps({"stages": stages, "sizes": {digest(members): len(members) for members in groups}, "first": result})
    )


def read(folder: Path) -> Known:
    """Read follows.csv and interactions.csv."""
    graph = nx.DiGraph()
    with (folder / "follows.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        graph.add_edges_from((follower, followee, {"weight": 1.0}) for follower, followee, _ in rows)
    events = []
    with (folder / "interactions.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for _, account, target, kind, at, _ in rows:
            events.append((account, target, kind, date.fromisoformat(at[:10]).toordinal()))
    graph.add_nodes_from(end for account, target, *_ in events for end in (account, target))  # some follow nobody
    today = max(day for *_, day in events)
    pairs: dict[tuple[str, str], Pair] = defaultdict(Pair)
    active: dict[str, set[int]] = defaultdict(set)
    for account, target, kind, day in events:
        age = today - day
        if age < 7 * WEEKS:
            pairs[account, target].weeks.add(age // 7)
        if age < WINDOW:
            pair = pairs[account, target]
            pair.worth[age] = pair.worth.get(age, 0) + WORTH[kind]
            pair.times[age] = pair.times.get(age, 0) + 1
            pair.days.add(day)
            pair.done += 1
            pair.talked += kind != "like"
            active[target].add(day)
    days = {account: len(found) for account, found in active.items()}
    possible = sum(days.get(target, 0) for _, target in set(graph.edges) | {pair for pair in pairs if pairs[pair].done})
    p0 = sum(len(pair.days) for pair in pairs.values()) / possible if possible else P0
    return Known(graph, dict(pairs), days, min(WINDOW, today - min(day for *_, day in events) + 1), p0)


def load(driver: object, graph: nx.DiGraph) -> None:
    """Load accounts and follows as most notebooks do: UNWIND and MERGE, a thousand at a time."""
    with driver.session() as session:  # type: ignore[attr-defined]
        session.run("CREATE CONSTRAINT account_id IF NOT EXISTS FOR (a:Account) REQUIRE a.id IS UNIQUE").consume()
        accounts, edges = list(graph), [list(edge) for edge in graph.edges]
        for begin in range(0, len(accounts), LOADED_AT_ONCE):
            session.run(
                "UNWIND $ids AS id MERGE (:Account {id: id})", ids=accounts[begin : begin + LOADED_AT_ONCE]
            ).consume()
        for begin in range(0, len(edges), LOADED_AT_ONCE):
            session.run(
                "UNWIND $edges AS e MATCH (a:Account {id: e[0]}), (b:Account {id: e[1]}) MERGE (a)-[:FOLLOWS]->(b)",
                edges=edges[begin : begin + LOADED_AT_ONCE],
            ).consume()


def weighted(known: Known) -> nx.DiGraph:
    """Ties: follow weight, and ln(1 + what was done in the window)."""
    ties = nx.DiGraph()
    ties.add_nodes_from(known.follows)
    ties.add_weighted_edges_from((a, b, weight) for a, b, weight in known.follows.edges(data="weight"))
    for (a, b), pair in known.pairs.items():
        if pair.done:
            before = ties[a][b]["weight"] if ties.has_edge(a, b) else 0.0
            ties.add_edge(a, b, weight=before + math.log1p(pair.decayed))
    return ties


def digest(members: Iterable[str]) -> str:
    """A name for a set of accounts, by which two programs can find the communities they have in common."""
    return hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()


def peak_megabytes() -> float:
    """Peak resident memory of this process so far. Not getrusage: that starts with the peak of the parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


def best_level(graph: nx.DiGraph) -> list[set[str]]:
    """Louvain at each resolution, split into connected parts, the level chosen by modularity and useful sizes."""
    undirected = nx.Graph()
    undirected.add_nodes_from(sorted(graph))
    for a, b, weight in sorted(graph.edges(data="weight")):
        undirected.add_edge(a, b, weight=weight + (undirected[a][b]["weight"] if undirected.has_edge(a, b) else 0))
    n = len(graph)
    low, high = min(50, math.ceil(math.sqrt(n))), min(5000, n / 3)
    levels = []
    for resolution in RESOLUTIONS:
        labels = louvain(undirected, resolution)
        found: dict[int, set[str]] = {}
        for node, label in labels.items():
            found.setdefault(label, set()).add(node)
        parts = [part for members in found.values() for part in nx.connected_components(undirected.subgraph(members))]
        useful = sum(len(part) for part in parts if low <= len(part) <= high) / n
        levels.append((nx.community.modularity(undirected, parts), useful, resolution, parts))
    best = max(level[0] for level in levels)
    kept = [level for level in levels if level[0] >= 0.95 * best]
    most = max(level[1] for level in kept)
    return max((level for level in kept if level[1] >= 0.95 * most), key=lambda level: level[2])[3]


def louvain(undirected: nx.Graph, resolution: float) -> dict[str, int]:
    """python-louvain at a resolution γ (higher is finer).

    Its moves take γ, its test for stopping 1/γ, so that below 1 it stops at once: there a node of its own, tied to
    itself, stands for the difference.
    """
    if resolution >= 1:
        labels: dict[str, int] = community_louvain.best_partition(undirected, resolution=resolution, random_state=42)
        return labels
    heavier = undirected.copy()
    total = undirected.size(weight="weight")
    heavier.add_edge("", "", weight=total / resolution - total)
    labels = community_louvain.best_partition(heavier, random_state=42)
    del labels[""]
    return labels


def candidates(known: Known, ties: nx.DiGraph, members: set[str], cutoff: int, scores: dict[str, int]) -> list[str]:
    """The five first candidates of one community; scores of its members are added to `scores`."""
    inner = nx.DiGraph()
    inner.add_nodes_from(sorted(members))
    inner.add_edges_from(sorted(ties.subgraph(members).edges(data=True), key=lambda edge: edge[:2]))
    raw = {
        "authority": nx.pagerank(inner, alpha=0.85, tol=1e-14, max_iter=1000) if len(inner) else {},
        "reach": reach(known, inner),
        "resonance": resonance(known, inner),
        "trust": trust(known, inner),
    }
    middle = median(known.follows.in_degree(node) for node in members)
    macro = {node for node in members if known.follows.in_degree(node) >= max(cutoff, 20 * middle)}
    x = {part: scores_of_places(values) for part, values in raw.items()}
    share = sum(WEIGHTS.values())
    score = {node: sum(round(1e8 * WEIGHTS[part] / share * x[part][node]) for part in WEIGHTS) for node in members}
    scores.update(score)
    micro: set[str] = set()
    for part in ("authority", "resonance"):
        ordered = sorted(members, key=lambda node: (-float(f"{raw[part][node]:.9g}"), node))
        micro |= set(ordered[: math.ceil(0.15 * len(members))]) - macro
    return sorted(micro, key=lambda node: (-score[node], node))[:5]


def reach(known: Known, inner: nx.DiGraph) -> dict[str, float]:
    """Expected share of the community reached within two steps."""

    def p(j: str, i: str) -> float:
        """Chance that i moves j, who follows or engages with it."""
        pair = known.pairs.get((j, i))
        return ((len(pair.days) if pair else 0) + 10 * known.p0) / (known.active.get(i, 0) + 10)

    chance = {(j, i): p(j, i) for j, i in inner.edges}
    result = {}
    for i in inner:
        missed: dict[str, float] = {}
        for k in inner.predecessors(i):
            direct = chance[k, i]
            missed[k] = missed.get(k, 1.0) * (1 - direct)
            for j in inner.predecessors(k):
                if j != i:
                    missed[j] = missed.get(j, 1.0) * (1 - direct * chance[j, k])
        result[i] = sum(1 - value for value in missed.values()) / max(len(inner) - 1, 1)
    return result


def resonance(known: Known, inner: nx.DiGraph) -> dict[str, float]:
    """Responses for each who is there to respond, drawn to the community's mean."""
    near = {i: [known.pairs[j, i] for j in inner.predecessors(i) if (j, i) in known.pairs] for i in inner}
    y = {i: sum(min(pair.done, A_DAY * len(pair.days)) for pair in pairs) for i, pairs in near.items()}
    e = {i: inner.in_degree(i) * known.observed for i in inner}
    middle, every = median(e.values()), sum(e.values())
    mean = sum(y.values()) / every if every else 0.0
    return {i: (y[i] + mean * middle) / (e[i] + middle) if e[i] + middle else 0.0 for i in inner}


def trust(known: Known, inner: nx.DiGraph) -> dict[str, float]:
    """Mutual follows, weeks with exchanges and talk, of each incoming tie; shrunk to the mean."""
    follows, nothing = known.follows, Pair()
    ties: dict[str, list[float]] = {}
    for i in inner:
        followers = [j for j in inner.predecessors(i) if follows.has_edge(j, i)]
        share = sum(follows.has_edge(i, j) for j in followers) / len(followers) if followers else 0.0
        ties[i] = []
        for j in inner.predecessors(i):
            there, back = known.pairs.get((j, i), nothing), known.pairs.get((i, j), nothing)
            mutual = follows.has_edge(j, i) and follows.has_edge(i, j)
            available = [mutual * (1 - share / 2), len(there.weeks | back.weeks) / WEEKS]
            if there.done:
                available.append(there.talked / there.done)
            ties[i].append(sum(available) / len(available))
    every = [value for values in ties.values() for value in values]
    mean = sum(every) / len(every) if every else 0.0
    return {i: (sum(values) + 10 * mean) / (len(values) + 10) for i, values in ties.items()}


def scores_of_places(values: dict[str, float]) -> dict[str, float]:
    """ln(1 / (1 − p)) / ln(2n) of each value, p being its mid-rank percentile; 0 for 0."""
    rounded = {node: float(f"{value:.9g}") for node, value in values.items()}
    counts = Counter(rounded.values())
    below, ranks = 0, {}
    for value in sorted(counts):
        p = (below + counts[value] / 2) / len(values)
        ranks[value] = round(-math.log(1 - p) / math.log(2 * len(values)), 9)
        below += counts[value]
    return {node: ranks[value] if value else 0.0 for node, value in rounded.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
