"""Measures of single accounts over the whole network: which there are, and computing those asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from service.analytics.betweenness import betweenness
from service.analytics.centrality import (
    bridging,
    core_numbers,
    local_clustering,
    participation,
    personalised_pagerank,
    within_module_z,
)
from service.analytics.compiled import compiled
from service.analytics.engine import Engine
from service.analytics.graph import Projection, strengths
from service.analytics.rounding import significant
from service.analytics.ties import TieGraph
from service.domain import (
    MEASURE_NAMES,
    Float64,
    Graph,
    Int32,
    Int64,
    MeasureName,
    Progress,
    RunSpec,
    SecondaryMemberships,
)
from service.errors import InvalidRequest

Values = dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]
"""Property of an account → its value for each account."""


@dataclass(frozen=True)
class Network:
    """What measures look at: follows, ties both ways, ties without direction, and each account's community."""

    graph: Graph
    ties: TieGraph
    projection: Projection
    labels: Int32
    engine: Engine
    spec: RunSpec


@dataclass(frozen=True)
class Measure:
    """A measure of accounts.

    Attributes:
        meaning: what it says, in one line.
        cost: what its time grows with.
        compute: returns its properties, as they are written back to the graph.
    """

    meaning: str
    cost: str
    compute: Callable[[Network], Values]


def measure_network(
    graph: Graph,
    ties: TieGraph,
    projection: Projection,
    labels: Int32,
    engine: Engine,
    spec: RunSpec,
    progress: Progress,
) -> tuple[Values, SecondaryMemberships]:
    """Compute the measures that a specification asks for, and to which communities accounts belong besides their own.

    Args:
        graph: n accounts and their follows.
        ties: their ties.
        projection: the same, undirected.
        labels: int32[n], community of each account, -1 for accounts without ties.
        engine: computes PageRank.
        spec: names the measures.
        progress: told of stage `measures`, a step for each.

    Returns:
        Properties with an array of n values each (floats rounded to significant digits), always with `share`: how much
        of the weight of an account's ties is to its own community. And the secondary memberships.

    Raises:
        InvalidRequest: PageRank of a brand is asked for that is not in the graph or has to do with no account.
    """
    network = Network(graph, ties, projection, labels, engine, spec)
    steps = len(spec.measures) + 1
    progress("measures", 0, steps)
    share, secondary = memberships(network.projection, labels, spec.rules.secondary_share)
    values: Values = {"share": significant(share)}
    for done, name in enumerate(spec.measures, 1):
        progress("measures", done, steps)
        for measured, array in MEASURES[name].compute(network).items():
            values[measured] = significant(cast("Float64", array)) if array.dtype == np.float64 else array
    progress("measures", steps, steps)
    return values, secondary


# --- memberships -----------------------------------------------------------------------------------------------


def memberships(projection: Projection, labels: Int32, least: float) -> tuple[Float64, SecondaryMemberships]:
    """Share of the weight of each account's ties that goes to each community.

    Args:
        projection: undirected ties of n accounts.
        labels: int32[n], community of each account, -1 for accounts without ties.
        least: smallest share, above 0, that makes a secondary membership.

    Returns:
        float64[n], the share of an account's own community (0 without ties); and the other communities with a share of
        at least `least`, by account, then community.
    """
    share, account, community, other = shares_kernel(
        projection.ptr, projection.idx, projection.weight, labels, int(labels.max(initial=-1)) + 1, least
    )
    order = np.lexsort((community, account))
    return share, SecondaryMemberships(
        account[order].astype(np.int32), community[order].astype(np.int32), significant(other[order])
    )


@compiled
def shares_kernel(
    ptr: Int64, idx: Int32, weight: Float64, labels: Int32, communities: int, least: float
) -> tuple[Float64, Int64, Int64, Float64]:
    """Add up the ties of each account by community; see `memberships`."""
    n = len(ptr) - 1
    inside = np.zeros(n)
    toward = np.zeros(communities)
    met = np.empty(communities, np.int64)
    most = n * int(1 / least)
    account, community, share = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    count = 0
    for i in range(n):
        different = 0
        total = 0.0
        for e in range(ptr[i], ptr[i + 1]):
            c = labels[idx[e]]
            if toward[c] == 0.0:
                met[different] = c
                different += 1
            toward[c] += weight[e]
            total += weight[e]
        for k in range(different):
            c = met[k]
            if c == labels[i]:
                inside[i] = toward[c] / total
            elif toward[c] >= least * total:
                account[count], community[count], share[count] = i, c, toward[c] / total
                count += 1
            toward[c] = 0.0
    return inside, account[:count].copy(), community[:count].copy(), share[:count].copy()


# --- the measures ----------------------------------------------------------------------------------------------


def _degree(network: Network) -> Values:
    graph = network.graph
    return {"in_degree": np.diff(graph.in_ptr), "out_degree": np.diff(graph.out_ptr)}


def _strength(network: Network) -> Values:
    ties = network.ties
    rows = {"in_strength": (ties.in_ptr, ties.in_weight), "out_strength": (ties.out_ptr, ties.out_weight)}
    with np.errstate(over="ignore"):  # a database keeps no infinite number: the largest finite one stands for it
        return {
            name: np.minimum(np.ldexp(strengths(ptr, weight), ties.exponent), np.finfo(np.float64).max)
            for name, (ptr, weight) in rows.items()
        }


def _pagerank(network: Network) -> Values:
    return {"pagerank": network.engine.pagerank(network.ties, network.spec.rules.damping)}


def _brand_pagerank(network: Network) -> Values:
    graph, brand = network.graph, network.spec.brand
    if brand is None or brand not in graph.brand_keys:
        there = ", ".join(graph.brand_keys[:20]) or "none"
        raise InvalidRequest(f"There is no brand {brand!r} to restart brand_pagerank at; brands are: {there}.")
    related = graph.relation_account[graph.relation_brand == graph.brand_keys.index(brand)]
    if len(related) == 0:
        raise InvalidRequest(f"Nobody has to do with brand {brand}; import its relations, or leave brand_pagerank out.")
    restart = np.zeros(graph.n)
    restart[related] = 1.0
    return {"brand_pagerank": personalised_pagerank(network.ties, network.spec.rules.damping, restart)}


def _community_pagerank(network: Network) -> Values:
    damping = network.spec.rules.damping
    return {"community_pagerank": network.engine.community_pagerank(network.ties, network.labels, damping)}


def _betweenness(network: Network) -> Values:
    return {"betweenness": betweenness(network.projection, seed=network.spec.seed).values}


def _bridging(network: Network) -> Values:
    between = betweenness(network.projection, seed=network.spec.seed).values
    return {"bridging": bridging(network.projection, between)}


MEASURES: dict[MeasureName, Measure] = {
    "degree": Measure("accounts that follow it (in_degree) and that it follows (out_degree)", "accounts", _degree),
    "strength": Measure("weight of the ties to it (in_strength) and from it (out_strength)", "ties", _strength),
    "pagerank": Measure("share of the attention of the whole network that arrives at it", "ties", _pagerank),
    "core": Measure(
        "largest k of a group in which everybody has k ties within it",
        "ties",
        lambda network: {"core": core_numbers(network.projection).astype(np.int64)},
    ),
    "participation": Measure(
        "how evenly its ties are spread over communities, 0 to 1",
        "ties",
        lambda network: {"participation": participation(network.projection, network.labels)},
    ),
    "within_module_z": Measure(
        "ties inside its community beside the other members, in standard deviations",
        "ties",
        lambda network: {"within_module_z": within_module_z(network.projection, network.labels)},
    ),
    "clustering": Measure(
        "share of the follows there could be among its neighbours that there are",
        "ties · √ties at most",
        lambda network: {"clustering": local_clustering(network.graph)},
    ),
    "betweenness": Measure(
        "share of shortest paths between others that lead through it; within 0.005 where sampled",
        "accounts · ties where that is small, else samples",
        _betweenness,
    ),
    "bridging": Measure("betweenness, for accounts of few ties between accounts of many", "as betweenness", _bridging),
    "brand_pagerank": Measure(
        "share of the attention of those who have to do with a brand that arrives at it; needs `brand`",
        "ties",
        _brand_pagerank,
    ),
    "community_pagerank": Measure(
        "share of the attention of its own community, followed through the whole network, that arrives at it",
        "ties · communities",
        _community_pagerank,
    ),
}
"""All measures, in the order of MEASURE_NAMES."""

if tuple(MEASURES) != MEASURE_NAMES:  # pragma: no cover
    raise AssertionError("MEASURES and MEASURE_NAMES differ")
