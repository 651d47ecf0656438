"""The plain engine: python-louvain and networkx. Slow, obvious, and what a fast engine is compared with."""

from __future__ import annotations

import math

import community as python_louvain
import networkx as nx
import numpy as np

from service.analytics.graph import Projection, rows_of
from service.analytics.measures import two_steps
from service.domain import Float64, Graph, Int32
from service.errors import RunFailed

PAGERANK_L1 = 1e-14
"""PageRank stops when an iteration moves less than this in all: far below the nine digits that are kept."""


MOST_ITERATIONS = 20_000
"""PageRank gives up after so many, which is enough for any graph up to a damping of 0.998."""

EXTREME = 1e9
"""A resolution beyond this is taken as this: nothing is left to merge or split, and sums would overflow."""


class ReferenceEngine:
    """Louvain communities by python-louvain, PageRank by networkx, reach from its formula account by account."""

    name = "reference"

    def partition(self, projection: Projection, resolution: float, seed: int) -> Int32:
        """Louvain (Blondel et al. 2008) at resolution γ; see `engine.Engine.partition`.

        The `resolution` of python-louvain 0.16 is γ where it weighs moves (`__one_level`), but its inverse where it
        decides whether a pass has improved anything (`__modularity`), so that below 1 it stops after the first pass.
        Therefore γ > 1 is passed as it is, and γ < 1 is expressed by the graph instead: one more account, tied to
        nobody but itself with weight W/γ − W, makes all tie weight W/γ, and

            w_c / (W/γ) − (s_c / (2W/γ))²  =  γ · [w_c / W − γ · (s_c / 2W)²]

        is Q_γ but for a constant factor.
        """
        # Accounts without ties are left out, so that they do not change the order in which the others are visited.
        tied = np.flatnonzero(np.diff(projection.ptr))
        node = np.cumsum(np.diff(projection.ptr) > 0) - 1
        row = rows_of(projection.ptr)
        once = row < projection.idx  # each pair stands in two rows
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(tied)))
        ends = node[row[once]].tolist(), node[projection.idx[once]].tolist(), projection.weight[once].tolist()
        graph.add_weighted_edges_from(zip(*ends, strict=True))
        resolution = min(max(resolution, 1 / EXTREME), EXTREME)
        total = graph.size(weight="weight")
        if resolution < 1 and total > 0:
            graph.add_edge(len(tied), len(tied), weight=total / resolution - total)
        found = python_louvain.best_partition(graph, resolution=max(resolution, 1.0), random_state=seed)
        labels = np.zeros(projection.n, dtype=np.int32)
        labels[tied] = [found[i] for i in range(len(tied))]
        return labels

    def pagerank(self, community: Graph, damping: float) -> Float64:
        """Page et al. 1999, by networkx; see `engine.Engine.pagerank`.

        The error after t iterations is at most 2 · damping^t, which says how many are enough.

        Raises:
            RunFailed: it did not settle, because damping is too near 1.
        """
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(community.n))
        ends = zip(
            rows_of(community.out_ptr).tolist(), community.out_idx.tolist(), community.out_weight.tolist(), strict=True
        )
        graph.add_weighted_edges_from(ends)
        enough = min(math.ceil(math.log(PAGERANK_L1 / 2) / math.log(damping)) + 100, MOST_ITERATIONS)
        try:
            # networkx compares the L1 difference with tol times the number of nodes
            rank = nx.pagerank(graph, alpha=damping, tol=PAGERANK_L1 / community.n, max_iter=enough)
        except nx.PowerIterationFailedConvergence as error:
            raise RunFailed(
                f"PageRank with damping {damping:g} did not settle in {enough:,} iterations; choose a lower damping."
            ) from error
        return np.array([rank[i] for i in range(community.n)], dtype=np.float64)

    def reach(self, community: Graph, influence: Float64) -> Float64:
        """From the formula; see `engine.Engine.reach`. The sum is exact (fsum), so order does not matter to it."""
        others = community.n - 1
        moved = [math.fsum(two_steps(community, influence, i).moved.tolist()) for i in range(community.n)]
        return np.array(moved, dtype=np.float64) / max(others, 1)
