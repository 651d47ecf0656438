"""The peer of `bench.pipeline`: plain networkx and python-louvain, as one would write it in a notebook.

Reads the same file and does the same measures: five resolutions and the choice among them, PageRank, two-step
reach and trust inside each community, percentiles, scores, five candidates each. No database.
Prints one JSON object: seconds and peak memory of each stage, and the candidates.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import community as community_louvain
import networkx as nx

RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 4.0)
P0 = 0.05
WEIGHTS = {"authority": 0.20, "reach": 0.15, "trust": 0.20}


def main(path: Path) -> None:
    stages: dict[str, dict[str, float]] = {}
    clock = time.perf_counter()

    def stage(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        stages[name] = {"seconds": now - clock, "mb": peak_megabytes()}
        clock = now

    graph = nx.DiGraph()
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        graph.add_edges_from((follower, followee, {"weight": 1.0}) for follower, followee in rows)
    stage("read")
    groups = best_level(graph)
    stage("communities")
    cutoff = sorted((d for _, d in graph.in_degree()), reverse=True)[math.ceil(0.005 * len(graph)) - 1]
    result = {digest(members): candidates(graph, members, cutoff) for members in groups}
    stage("scores")
    print(
        json.dumps({"stages": stages, "sizes": {digest(members): len(members) for members in groups}, "first": result})
    )


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


def candidates(graph: nx.DiGraph, members: set[str], cutoff: int) -> list[str]:
    """The five first candidates of one community."""
    inner = nx.DiGraph()
    inner.add_nodes_from(sorted(members))
    inner.add_edges_from(sorted(graph.subgraph(members).edges(data=True), key=lambda edge: edge[:2]))
    raw = {
        "authority": nx.pagerank(inner, alpha=0.85, tol=1e-14, max_iter=1000) if len(inner) else {},
        "reach": reach(inner),
        "trust": trust(inner),
    }
    degrees = sorted(graph.in_degree(node) for node in members)
    middle = len(degrees) // 2
    median = degrees[middle] if len(degrees) % 2 else (degrees[middle - 1] + degrees[middle]) / 2
    macro = {node for node in members if graph.in_degree(node) >= cutoff and graph.in_degree(node) >= 20 * median}
    x = {part: percentiles(values) for part, values in raw.items()}
    share = sum(WEIGHTS.values())
    score = {node: sum(round(1e8 * WEIGHTS[part] / share * x[part][node]) for part in WEIGHTS) for node in members}
    authority = sorted(members, key=lambda node: (-float(f"{raw['authority'][node]:.9g}"), node))
    micro = set(authority[: math.ceil(0.15 * len(members))]) - macro
    return sorted(micro, key=lambda node: (-score[node], node))[:5]


def reach(inner: nx.DiGraph) -> dict[str, float]:
    """Expected share of the community reached within two steps."""
    result = {}
    for i in inner:
        direct = set(inner.predecessors(i))
        paths = Counter(j for k in direct for j in inner.predecessors(k) if j != i)
        missed = {j: (1 - P0 * P0) ** count for j, count in paths.items()}
        for j in direct:
            missed[j] = missed.get(j, 1.0) * (1 - P0)
        result[i] = sum(1 - value for value in missed.values()) / max(len(inner) - 1, 1)
    return result


def trust(inner: nx.DiGraph) -> dict[str, float]:
    """Share of incoming ties that are mutual, less for who follows everybody back, shrunk to the mean."""
    ties: dict[str, list[float]] = {}
    for i in inner:
        mutual = [inner.has_edge(i, j) for j in inner.predecessors(i)]
        discount = 1 - 0.5 * sum(mutual) / len(mutual) if mutual else 0
        ties[i] = [discount if is_mutual else 0.0 for is_mutual in mutual]
    every = [value for values in ties.values() for value in values]
    mean = sum(every) / len(every) if every else 0.0
    return {i: (sum(values) + 10 * mean) / (len(values) + 10) for i, values in ties.items()}


def percentiles(values: dict[str, float]) -> dict[str, float]:
    """Mid-rank percentile of each value; 0 for 0."""
    rounded = {node: float(f"{value:.9g}") for node, value in values.items()}
    counts = Counter(rounded.values())
    below, ranks = 0, {}
    for value in sorted(counts):
        ranks[value] = (below + counts[value] / 2) / len(values)
        below += counts[value]
    return {node: ranks[value] if value else 0.0 for node, value in rounded.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
