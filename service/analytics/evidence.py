"""What a candidate's parts rest on: the ties behind each raw value, and sentences with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import to_json

from service.analytics.brands import relation_reasons, relations_of, track_of
from service.analytics.compiled import compiled, unsigned
from service.analytics.graph import entries_of, strengths
from service.analytics.measures import Trust, lost_reach
from service.analytics.rounding import significant
from service.analytics.scoring import NULL_REASONS, weights_in_force
from service.analytics.ties import TieGraph, tie_parts
from service.domain import (
    ENGAGEMENT_NAMES,
    MILLION,
    PART_NAMES,
    TYPE_NAMES,
    CommunityScores,
    Float64,
    Graph,
    Int32,
    Int64,
    PartName,
    ScoringRules,
    account_name,
)


@dataclass(frozen=True)
class Measured:
    """A community with its measures, as evidence needs them.

    Attributes:
        graph: the community's own graph, k accounts.
        ties: those inside it.
        in_degree: int64[k], followers in the whole graph.
        influence: float64[m], p of each incoming tie.
        trust: trust and what it rests on.
        raw: float64[k] of each part that is not null, as published.
    """

    graph: Graph
    ties: TieGraph
    in_degree: Int64
    influence: Float64
    trust: Trust
    raw: dict[PartName, Float64]


def candidate_lines(measured: Measured, scores: CommunityScores, community: str, rules: ScoringRules) -> list[bytes]:
    """Write out the candidates of a community, best first, with parts, evidence and reasons.

    Args:
        measured: the community and its measures.
        scores: what was scored from them.
        community: its id.
        rules: weights and how much evidence to show.

    Returns:
        The JSON document of a `domain.Candidate` each, as bytes: objects of them would be many times larger and slower.
    """
    graph, ties = measured.graph, measured.ties
    base = int(np.count_nonzero(scores.in_base))
    population = f"{_count(base, 'account')} of community {community} that pass the integrity gates"
    weights = weights_in_force(rules)
    ranked = np.flatnonzero(scores.rank).astype(np.int32)
    accounts = ranked[np.argsort(scores.rank[ranked])]
    keys, handles = list(graph.keys), list(graph.handles)
    lost, reached = reach_evidence(ties, measured.influence, accounts)
    contributions = {
        "authority": (ties.in_ptr, ties.in_idx, authority_evidence(ties, measured.raw["authority"], accounts, rules)),
        "reach": (ties.in_ptr, ties.in_idx, lost),
        "trust": (graph.in_ptr, graph.in_idx, trust_evidence(graph, measured.trust, accounts, rules)),
    }
    shown = {
        name: _shown(measured, accounts, scores.raw[PART_NAMES.index(name), accounts], rules.evidence_items, *of_part,
                     keys, handles)
        for name, of_part in contributions.items()
    }  # fmt: skip
    below, equal, others = _compared(scores, measured.raw["authority"], accounts)
    lines = []
    for position, i in enumerate(accounts.tolist()):
        parts = []
        for row, name in enumerate(PART_NAMES):
            known = name not in NULL_REASONS
            points = int(scores.points[row, i])
            parts.append(
                {
                    "part": name,
                    "weight": weights[name],
                    "raw": float(scores.raw[row, i]) if known else None,
                    "x": float(scores.x[row, i]) if known else None,
                    "points": points / MILLION if known else None,
                    "points_millionths": points if known else None,
                    "null_reason": None if known else NULL_REASONS[name],
                    "evidence": shown[name][position] if known else [],
                }
            )
        sentences: dict[PartName, str] = {
            "authority": _authority_reason(measured, int(below[position]), int(equal[position]), others, i),
            "reach": _reach_reason(ties, int(reached[position]), i),
            "trust": _trust_reason(measured, i),
        }
        score = int(scores.score[i])
        relations = relations_of(graph, i)
        lines.append(
            to_json(
                {
                    "key": keys[i],
                    "handle": handles[i] or None,
                    "name": account_name(keys[i], handles[i]),
                    "community": community,
                    "rank": int(scores.rank[i]),
                    "score": score / MILLION,
                    "score_millionths": score,
                    "population": population,
                    "type": TYPE_NAMES[scores.type[i]],
                    "track": track_of(relations),
                    "relations": [relation.model_dump(mode="json") for relation in relations],
                    "followers": int(measured.in_degree[i]),
                    "followers_in_community": int(graph.in_ptr[i + 1] - graph.in_ptr[i]),
                    # What was measured comes first: it is why an account is a candidate at all.
                    "reasons": _strongest_first(scores, i, sentences) + relation_reasons(relations),
                    "parts": parts,
                }
            )
        )
    return lines


# --- contributions of each incoming tie (trust: follow), the rows of `in_idx` of some accounts one after the other ----


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


def trust_evidence(community: Graph, trust: Trust, accounts: Int32, rules: ScoringRules) -> Float64:
    """What each mutual tie adds to trust: s_ij / (n_i + prior); 0 for follows that are not returned."""
    followers = np.diff(community.in_ptr)[accounts]
    each = np.repeat(trust.tie[accounts] / (followers + rules.trust_prior_ties), followers)
    return np.where(trust.mutual[entries_of(community.in_ptr, accounts)], each, 0.0)


def _shown(
    measured: Measured, accounts: Int32, raw: Float64, items: int, ptr: Int64, idx: Int32, contribution: Float64,
    keys: list[str], handles: list[str],
) -> list[list[dict[str, Any]]]:  # fmt: skip
    """The ties of followers that contribute most, ties by the follower's key; who has opted out is not shown.

    Returns:
        Of each account, documents of `domain.Evidence`.
    """
    graph = measured.graph
    follower = idx[entries_of(ptr, accounts)]
    ends = np.concatenate([[0], np.cumsum(np.diff(ptr)[accounts])])
    rounded = significant(np.where(graph.opted_out[follower], 0.0, contribution))
    places, counts = largest(rounded, ends, items)
    follower, contribution = follower[places], rounded[places]
    parts = tie_parts(graph, measured.ties.window, follower, np.repeat(accounts, counts))
    columns = zip(
        follower.tolist(), np.repeat(accounts, counts).tolist(), (parts.follow > 0).tolist(), parts.mutual.tolist(),
        significant(parts.weight).tolist(), parts.counts.tolist(), contribution.tolist(),
        significant(contribution / np.repeat(raw, counts)).tolist(), strict=True,
    )  # fmt: skip
    documents = [
        {
            "kind": "follow" if follow else "engagement",
            "follower": keys[j],
            "follower_handle": handles[j] or None,
            "followee": keys[i],
            "mutual": mutual,
            "weight": weight,
            **dict(zip(ENGAGEMENT_NAMES, done, strict=True)),
            "contribution": value,
            "share": share,
        }
        for j, i, follow, mutual, weight, done, value, share in columns
    ]
    last = np.cumsum(counts)
    return [documents[end - count : end] for end, count in zip(last.tolist(), counts.tolist(), strict=True)]


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


# --- reasons --------------------------------------------------------------------------------------------------


def _strongest_first(scores: CommunityScores, i: int, sentences: dict[PartName, str]) -> tuple[str, ...]:
    """One sentence for each part that gave points, most points first (ties in the order of the parts)."""
    points = {name: int(scores.points[PART_NAMES.index(name), i]) for name in sentences}
    scored = sorted((name for name in sentences if points[name]), key=lambda name: -points[name])
    return tuple(sentences[name] for name in scored)


def _compared(scores: CommunityScores, raw: Float64, accounts: Int32) -> tuple[Int64, Int64, int]:
    """How many accounts of the base are below each of some of its accounts, and equal to it, of how many others."""
    compared = np.sort(raw[scores.in_base])
    below = np.searchsorted(compared, raw[accounts], side="left")
    equal = np.searchsorted(compared, raw[accounts], side="right") - below - 1
    return below, equal, len(compared) - 1


def _authority_reason(measured: Measured, below: int, equal: int, others: int, i: int) -> str:
    graph = measured.graph
    followers = int(graph.in_ptr[i + 1] - graph.in_ptr[i])
    engaging = int(measured.ties.in_ptr[i + 1] - measured.ties.in_ptr[i]) - followers
    follow = f"{_count(followers, 'member')} {'follows' if followers == 1 else 'follow'} this account"
    if engaging:
        follow += f", and {engaging:,} more {'engages' if engaging == 1 else 'engage'} with it"
    if 0 < below == others > 1:
        return f"Listened to more than any of the {others:,} other accounts compared; {follow}."
    if below:
        return f"Listened to more than {_of(below, others, 'other account', ' compared')}; {follow}."
    if equal:
        return f"Listened to as much as {_of(equal, others, 'other account', ' compared')}; {follow}."
    return f"{follow}."


def _reach_reason(ties: TieGraph, reached: int, i: int) -> str:
    direct, others = int(ties.in_ptr[i + 1] - ties.in_ptr[i]), ties.n - 1
    if reached == direct:
        return f"Reaches {_of(reached, others, 'other member')} directly."
    return (
        f"Reaches {_of(reached, others, 'other member')} within two steps: "
        f"{direct:,} directly and {reached - direct:,} through {'that one' if direct == 1 else 'them'}."
    )


def _trust_reason(measured: Measured, i: int) -> str:
    followers = int(measured.graph.in_ptr[i + 1] - measured.graph.in_ptr[i])
    back = int(measured.trust.followed_back[i])
    if back == 0:
        whom = "the only follower" if followers == 1 else f"any of the {followers:,} followers"
        return (
            f"Does not follow back {whom} in this community; "
            f"trust rests on the community's average alone ({measured.trust.mean:.2f})."
        )
    ways = "this tie goes" if back == 1 else "these ties go"
    return f"Follows back {_of(back, followers, 'follower', ' in this community')}, so {ways} both ways."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _of(some: int, all_: int, noun: str, after: str = "") -> str:
    """Say how many of how many: `the only other member`, `all 12 other members`, `3 of the 12 other members (25%)`.

    Percentages are rounded down, so that they never claim too much.
    """
    if some == all_:
        return f"the only {noun}{after}" if all_ == 1 else f"all {all_:,} {noun}s{after}"
    percent = 100 * some // all_
    return f"{some:,} of the {all_:,} {noun}s{after}" + (f" ({percent}%)" if percent else "")
