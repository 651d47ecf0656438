"""What a candidate's parts rest on: the ties behind each raw value, and sentences with their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.brands import relation_reasons, relations_of, track_of
from service.analytics.compiled import unsigned
from service.analytics.graph import strengths
from service.analytics.measures import Trust, lost_reach
from service.analytics.rounding import DIGITS, significant
from service.analytics.scoring import NULL_REASONS, weights_in_force
from service.analytics.ties import TieGraph, tie_parts
from service.domain import (
    ENGAGEMENT_NAMES,
    MILLION,
    PART_NAMES,
    TYPE_NAMES,
    Candidate,
    CommunityScores,
    Evidence,
    Float64,
    Graph,
    Int32,
    Int64,
    Part,
    PartName,
    ScoringRules,
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


def candidates_of(measured: Measured, scores: CommunityScores, community: str, rules: ScoringRules) -> list[Candidate]:
    """Write out the candidates of a community, best first, with parts, evidence and reasons.

    Args:
        measured: the community and its measures.
        scores: what was scored from them.
        community: its id.
        rules: weights and how much evidence to show.
    """
    graph, ties = measured.graph, measured.ties
    base = int(np.count_nonzero(scores.in_base))
    population = f"{_count(base, 'account')} of community {community} that pass the integrity gates"
    strength = strengths(ties.out_ptr, ties.out_weight)
    weights = weights_in_force(rules)
    ranked = np.flatnonzero(scores.rank)
    result = []
    for i in ranked[np.argsort(scores.rank[ranked])].tolist():
        lost, reached = reach_evidence(ties, measured.influence, i)
        tied = ties.in_idx[ties.in_ptr[i] : ties.in_ptr[i + 1]]
        followers = graph.in_idx[graph.in_ptr[i] : graph.in_ptr[i + 1]]
        contributions = {
            "authority": (tied, authority_evidence(ties, measured.raw["authority"], strength, i, rules)),
            "reach": (tied, lost),
            "trust": (followers, trust_evidence(graph, measured.trust, i, rules)),
        }
        parts = []
        for row, name in enumerate(PART_NAMES):
            if name in NULL_REASONS:
                parts.append(
                    Part(
                        part=name, weight=weights[name], raw=None, x=None, points=None, points_millionths=None,
                        null_reason=NULL_REASONS[name],
                    )
                )  # fmt: skip
                continue
            points = int(scores.points[row, i])
            parts.append(
                Part(
                    part=name,
                    weight=weights[name],
                    raw=float(scores.raw[row, i]),
                    x=float(scores.x[row, i]),
                    points=points / MILLION,
                    points_millionths=points,
                    evidence=_shown(measured, i, *contributions[name], float(scores.raw[row, i]), rules.evidence_items),
                )
            )
        score = int(scores.score[i])
        relations = relations_of(graph, i)
        result.append(
            Candidate(
                key=graph.keys[i],
                handle=graph.handles[i] or None,
                name=graph.name(i),
                community=community,
                rank=int(scores.rank[i]),
                score=score / MILLION,
                score_millionths=score,
                population=population,
                type=TYPE_NAMES[scores.type[i]],
                track=track_of(relations),
                relations=relations,
                followers=int(measured.in_degree[i]),
                followers_in_community=int(graph.in_ptr[i + 1] - graph.in_ptr[i]),
                # What was measured comes first: it is why an account is a candidate at all.
                reasons=_reasons(measured, scores, reached, i, parts) + relation_reasons(relations),
                parts=tuple(parts),
            )
        )
    return result


# --- contributions of each incoming tie (trust: follow), in the places of account i's row of `in_idx` -------


def authority_evidence(ties: TieGraph, pagerank: Float64, strength: Float64, i: int, rules: ScoringRules) -> Float64:
    """Inflow of PageRank from each follower j: damping · π_j · w_ji / s_j, s_j all weight j gives inside the community.

    A candidate's PageRank is the sum of these and of what everybody gets: (1 − damping + damping · π of the members
    who give nobody anything inside) / k.
    """
    row = slice(int(ties.in_ptr[i]), int(ties.in_ptr[i + 1]))
    follower = ties.in_idx[row]
    result: Float64 = rules.damping * pagerank[follower] * (ties.in_weight[row] / strength[follower])
    return result


def reach_evidence(ties: TieGraph, influence: Float64, i: int) -> tuple[Float64, int]:
    """What an account's reach loses without the tie of each follower k, all else held fixed; whom it may reach.

    Without it k itself is no longer moved directly, and nobody by way of k:
    1/(n − 1) · Σ_j (probability that j is missed without the factor of this tie − with it).

    Returns:
        float64[f] by tie, and the number of others that paths of one or two steps lead to.
    """
    lost, reached = lost_reach(*unsigned(ties.in_ptr, ties.in_idx), influence, i)
    return lost / max(ties.n - 1, 1), int(reached)


def trust_evidence(community: Graph, trust: Trust, i: int, rules: ScoringRules) -> Float64:
    """What each mutual tie adds to trust: s_ij / (n_i + prior); 0 for follows that are not returned."""
    row = slice(int(community.in_ptr[i]), int(community.in_ptr[i + 1]))
    followers = row.stop - row.start
    return np.where(trust.mutual[row], trust.tie[i], 0.0) / (followers + rules.trust_prior_ties)


def _shown(
    measured: Measured, i: int, follower: Int32, contribution: Float64, raw: float, items: int
) -> tuple[Evidence, ...]:
    """The ties of followers that contribute most, ties by the follower's key; who has opted out is not shown."""
    graph = measured.graph
    contribution = np.where(graph.opted_out[follower], 0.0, contribution)
    places = np.arange(len(contribution))
    if 0 < items < len(contribution) // 4:  # most of them are far from being shown: rounding is slow
        least = np.partition(contribution, -items)[-items]
        places = np.flatnonzero(contribution >= least * (1 - 10.0 ** (1 - DIGITS)))
    rounded = significant(contribution[places])
    order = np.lexsort((places, -rounded))
    order = order[rounded[order] > 0][:items]
    follower, contribution = follower[places[order]], rounded[order]
    parts = tie_parts(graph, measured.ties.window, follower, i)
    columns = zip(
        follower.tolist(), (parts.follow > 0).tolist(), parts.mutual.tolist(), significant(parts.weight).tolist(),
        parts.counts.tolist(), contribution.tolist(), significant(contribution / raw).tolist(), strict=True,
    )  # fmt: skip
    return tuple(
        Evidence(
            kind="follow" if follow else "engagement",
            follower=graph.keys[j],
            follower_handle=graph.handles[j] or None,
            followee=graph.keys[i],
            mutual=mutual,
            weight=weight,
            **dict(zip(ENGAGEMENT_NAMES, counts, strict=True)),
            contribution=value,
            share=share,
        )
        for j, follow, mutual, weight, counts, value, share in columns
    )


# --- reasons --------------------------------------------------------------------------------------------------


def _reasons(measured: Measured, scores: CommunityScores, reached: int, i: int, parts: list[Part]) -> tuple[str, ...]:
    """One sentence for each part that gave points, most points first (ties in the order of the parts)."""
    sentences = {
        "authority": lambda: _authority_reason(measured, scores, i),
        "reach": lambda: _reach_reason(measured.ties, reached, i),
        "trust": lambda: _trust_reason(measured, i),
    }
    scored = sorted((part for part in parts if part.points_millionths), key=lambda part: -(part.points_millionths or 0))
    return tuple(sentences[part.part]() for part in scored)


def _authority_reason(measured: Measured, scores: CommunityScores, i: int) -> str:
    graph, raw = measured.graph, measured.raw["authority"]
    compared = raw[scores.in_base]
    others = len(compared) - 1
    below = int(np.count_nonzero(compared < raw[i]))
    equal = int(np.count_nonzero(compared == raw[i])) - 1
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
