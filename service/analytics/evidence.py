"""What parts rest on: the ties and topics behind each raw value, and how much of it each of them is.

A contribution is what the raw value would lose without that tie (or those posts), partition and normalisers held fixed:
the sums that others share in (what a follower gives in all, exposures, means) stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.compiled import compiled, unsigned
from service.analytics.graph import entries_of, lengths, strengths
from service.analytics.measures import Resonance, Trust, lost_reach
from service.analytics.rounding import significant
from service.analytics.sparse import pointers_of
from service.analytics.ties import TieGraph, TieParts
from service.analytics.topics import CommunityTopics, Relevance
from service.domain import Bool, Float64, Graph, Int32, Int64, PartName, ScoringRules


@dataclass(frozen=True)
class Measured:
    """A community with its measures, as evidence needs them.

    Attributes:
        graph: the community's own graph, k accounts.
        ties: those inside it, m.
        parts: what each incoming tie consists of (places of `in_idx`).
        in_degree: int64[k], followers in the whole graph.
        influence: float64[m], p of each incoming tie.
        trust, resonance, relevance: those measures and what they rest on; None where the community lacks the data.
        topics: what the community talks about more than others.
        raw: float64[k] of each part that is not null, as published.
    """

    graph: Graph
    ties: TieGraph
    parts: TieParts
    in_degree: Int64
    influence: Float64
    trust: Trust
    resonance: Resonance | None
    relevance: Relevance | None
    topics: CommunityTopics
    raw: dict[PartName, Float64]


@dataclass(frozen=True)
class Strongest:
    """What contributes most to a part, for each of some accounts, one account after the other.

    Attributes:
        ends: int64[a+1]; that of account c is at `ends[c]:ends[c + 1]`, largest contribution first.
        entry: int64[t], places of incoming ties, or of topics of accounts.
        contribution: float64[t], above 0, rounded to significant digits.
    """

    ends: Int64
    entry: Int64
    contribution: Float64


def strongest_ties(measured: Measured, accounts: Int32, rules: ScoringRules) -> tuple[dict[PartName, Strongest], Int64]:
    """Find the ties that contribute most to each part of some accounts, at most `evidence_items` each.

    Ties of equal contribution go by the follower's key. Who has opted out is not shown.

    Args:
        measured: the community.
        accounts: int32[a], members.
        rules: damping, priors, and how many to show.

    Returns:
        By part, for those that are not null; and for each account how many others paths of one or two steps reach.
    """
    ties = measured.ties
    entries = entries_of(ties.in_ptr, accounts)
    ends = pointers_of(lengths(ties.in_ptr, accounts))
    shown = ~measured.graph.opted_out[ties.in_idx[entries]]
    reach, reached = reach_evidence(ties, measured.influence, accounts)
    contributions: dict[PartName, Float64] = {
        "authority": authority_evidence(ties, measured.raw["authority"], accounts, rules),
        "reach": reach,
        "trust": trust_evidence(ties, measured.trust, accounts, rules),
    }
    if measured.resonance is not None:
        contributions["resonance"] = resonance_evidence(ties, measured.resonance, accounts)
    found = {
        part: _strongest(entries, ends, contribution, shown, rules.evidence_items)
        for part, contribution in contributions.items()
    }
    return found, reached


def strongest_topics(measured: Measured, accounts: Int32, rules: ScoringRules) -> Strongest:
    """Find the topics that contribute most to the relevance of some accounts, ties by name."""
    graph = measured.graph
    entries = entries_of(graph.topic_ptr, accounts)
    ends = pointers_of(lengths(graph.topic_ptr, accounts))
    contribution = relevance_evidence(graph, measured.relevance, accounts, rules)
    return _strongest(entries, ends, contribution, np.ones(len(entries), dtype=np.bool_), rules.evidence_items)


# --- contributions of each incoming tie, the rows of `in_idx` of some accounts one after the other -------------------


def authority_evidence(ties: TieGraph, pagerank: Float64, accounts: Int32, rules: ScoringRules) -> Float64:
    """Inflow of PageRank from each follower j: damping · π_j · w_ji / s_j, s_j all weight j gives inside the community.

    A candidate's PageRank is the sum of these and of what everybody gets: (1 − damping + damping · π of the members
    who give nobody anything inside) / k.
    """
    entries = entries_of(ties.in_ptr, accounts)
    follower = ties.in_idx[entries]
    given = strengths(ties.out_ptr, ties.out_weight)[follower]
    result: Float64 = rules.damping * pagerank[follower] * (ties.in_weight[entries] / given)
    return result


def reach_evidence(ties: TieGraph, influence: Float64, accounts: Int32) -> tuple[Float64, Int64]:
    """What an account's reach loses without the tie of each follower k, all else held fixed; whom it may reach.

    Without it k itself is no longer moved directly, and nobody by way of k:
    1/(n − 1) · Σ_j (probability that j is missed without the factor of this tie − with it).

    Returns:
        float64 by tie, and for each account the number of others that paths of one or two steps lead to.
    """
    lost, reached = lost_reach(*unsigned(ties.in_ptr, ties.in_idx), influence, accounts)
    return lost / max(ties.n - 1, 1), reached


def trust_evidence(ties: TieGraph, trust: Trust, accounts: Int32, rules: ScoringRules) -> Float64:
    """What each tie adds to trust: s_ji / (n_i + prior)."""
    count = lengths(ties.in_ptr, accounts)
    return trust.tie[entries_of(ties.in_ptr, accounts)] / (np.repeat(count, count) + rules.trust_prior_ties)


def resonance_evidence(ties: TieGraph, resonance: Resonance, accounts: Int32) -> Float64:
    """What the responses of each tie add to resonance: y_ji / (e_i + ẽ)."""
    seen = (resonance.exposure + resonance.median)[accounts]
    return resonance.tie[entries_of(ties.in_ptr, accounts)] / np.repeat(seen, lengths(ties.in_ptr, accounts))


def relevance_evidence(community: Graph, relevance: Relevance | None, accounts: Int32, rules: ScoringRules) -> Float64:
    """What the posts of an account about each topic add to relevance: q_t · p_it / (P_i + prior); 0 where it is null.

    One value for each topic of some accounts, the rows of `topic_idx` one after the other.
    """
    entries = entries_of(community.topic_ptr, accounts)
    if relevance is None:
        return np.zeros(len(entries))
    posts = np.repeat(relevance.posts[accounts], lengths(community.topic_ptr, accounts))
    weight = relevance.weight[community.topic_idx[entries]]
    result: Float64 = weight * community.topic_posts[entries] / (posts + rules.relevance_prior_posts)
    return result


def _strongest(entries: Int64, ends: Int64, contribution: Float64, shown: Bool, items: int) -> Strongest:
    rounded = significant(np.where(shown, contribution, 0.0))
    places, counts = largest(rounded, ends, items)
    return Strongest(pointers_of(counts), entries[places], rounded[places])


@compiled
def largest(values: Float64, ends: Int64, items: int) -> tuple[Int64, Int64]:
    """Find the largest values above 0 of each stretch, at most `items`, largest first, of equals the first.

    Args:
        values: float64[m].
        ends: int64[k+1]; stretch c is `values[ends[c]:ends[c + 1]]`.
        items: how many of each.

    Returns:
        Their places, stretch after stretch, and how many there are of each.
    """
    counts = np.zeros(len(ends) - 1, np.int64)
    found = np.empty(len(counts) * items, np.int64)
    at = 0
    for c in range(len(counts)):
        count = 0
        for place in range(ends[c], ends[c + 1]):
            value = values[place]
            if not value > 0 or items == 0 or (count == items and value <= values[found[at + count - 1]]):
                continue
            to = count if count < items else items - 1
            while to > 0 and values[found[at + to - 1]] < value:
                found[at + to] = found[at + to - 1]
                to -= 1
            found[at + to] = place
            count = min(count + 1, items)
        counts[c] = count
        at += count
    return found[:at].copy(), counts
