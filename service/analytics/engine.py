"""The heavy measures behind one interface, so that a fast engine can stand beside the plain one."""

from __future__ import annotations

from typing import Protocol

from service.analytics.fast import FastEngine
from service.analytics.graph import Projection
from service.analytics.ties import WeightedGraph
from service.domain import EngineName, Float64, Graph, Int32, QualityFunction


class Engine(Protocol):
    """What an engine computes. Everything else is array work that all engines share.

    An engine is deterministic: the same arrays and arguments give the same answer, whatever the hash seed or the
    number of threads. Values may differ between engines in their last bits: they are rounded before use
    (`scoring.significant`).
    """

    @property
    def name(self) -> str:
        """Name of the engine as shown in the quality of a run."""

    @property
    def threads(self) -> int:
        """How many calls are worth making side by side. The answers do not depend on it."""

    def partition(
        self,
        projection: Projection,
        resolution: float,
        seed: int,
        quality_function: QualityFunction = "modularity",
        start: Int32 | None = None,
    ) -> Int32:
        """Assign accounts to communities that maximise a quality at a resolution γ.

        modularity: Q_γ = Σ_c [w_c / W − γ · (s_c / 2W)²], with W all tie weight, w_c that inside c, s_c the summed
        strength of c's members. directed_modularity: γ · o_c · e_c / W² instead of the last term, o_c being what c's
        members give and e_c what they get. cpm: γ · (n_c / N)², n_c of N accounts with ties being in c.
        Communities need not be connected yet, nor labels be in any order; accounts without ties may get any label, and
        change nothing for the others.

        Args:
            projection: undirected ties of n accounts.
            resolution: γ > 0; higher is finer.
            seed: of everything random.
            quality_function: which quality.
            start: int32[n], communities to begin with, -1 for accounts of none; None: each account alone.

        Returns:
            int32[n], labels from 0 on.
        """

    def pagerank(self, community: Graph | WeightedGraph, damping: float) -> Float64:
        """PageRank along ties j → i in proportion to weight, dangling mass spread evenly over all accounts.

        Args:
            community: the ties it is taken over (of a graph of follows, these), k ≥ 1 accounts.
            damping: chance to go on along a tie.

        Returns:
            float64[k], summing to 1; L1 distance from the limit at most 1e-12.
        """

    def community_pagerank(self, ties: Graph | WeightedGraph, labels: Int32, damping: float) -> Float64:
        """PageRank of each account in a walk along all ties that starts again at members of its own community alone.

        π = d · Pᵀπ + (1 − d + d · D) · r with r_j = 1 / |c| for the members j of c, P_ij = w_ij / s_i, and D the sum of
        π over accounts that give nothing; of the π of each community c, the values of its members.

        Args:
            ties: of n accounts (of a graph of follows, these).
            labels: int32[n], community of each account, -1 for none.
            damping: d, chance to go on along a tie.

        Returns:
            float64[n]; 0 for accounts without a community. L1 distance from the limit at most 1e-12 for each community.
        """

    def reach(self, community: Graph | WeightedGraph, influence: Float64) -> Float64:
        """Expected share of the other accounts that i moves, directly or through one other account.

        reach_i = mean over j ≠ i of 1 − (1 − p_ij) · Π_k (1 − p_ik · p_kj)

        Args:
            community: the ties it is taken over (of a graph of follows, these), k accounts.
            influence: float64[m], p of each incoming tie (places of `in_idx`): at the tie j → i it is p_ij, the
                probability that i influences j. No tie, no influence.

        Returns:
            float64[k] in 0..1; 0 where there is nobody else.
        """


def get_engine(name: EngineName) -> Engine:
    """Return the engine of this name; `auto` is `fast`, as in a specification (domain.RunSpec)."""
    if name == "reference":
        # networkx and SciPy take a while to import, which runs with the other one should not wait for.
        from service.analytics.reference import ReferenceEngine

        return ReferenceEngine()
    return FastEngine()
