"""From raw values to scores: who is compared, types, x, points, ranks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from service.analytics.activity import Activity, by_network
from service.domain import (
    GATE_NAMES,
    MILLION,
    PART_NAMES,
    TYPE_NAMES,
    Bool,
    CommunityScores,
    Float64,
    Graph,
    Int8,
    Int32,
    Int64,
    PartName,
    PartWeights,
    ScoringRules,
)
from service.errors import InvalidRequest

NULL_REASONS: dict[PartName, str] = {
    "resonance": "Nobody in this community is known to have responded to another member in the window.",
    "relevance": "There is nothing that this community is known to write and share about more than others do.",
    "affinity": "No brand is named.",
}
"""Why parts are null where the whole community lacks the data for them."""

MEMBER, MICRO, MACRO = (TYPE_NAMES.index(name) for name in ("member", "micro", "macro"))


Part = TypeVar("Part", bound=str)


def weights_in_force(weights: Mapping[Part, float], null: Iterable[str]) -> dict[Part, float]:
    """Weights of parts after those of null parts were shared out in proportion; 0 for null parts.

    All are 0 where only null parts have any weight.
    """
    lacking = set(null)
    known = {part: 0.0 if part in lacking else weight for part, weight in weights.items()}
    total = sum(known.values())
    return {part: weight / total if total else 0.0 for part, weight in known.items()}


def by_part(weights: PartWeights) -> dict[PartName, float]:
    """Weights of the six parts, in the order of PART_NAMES."""
    return {part: float(getattr(weights, part)) for part in PART_NAMES}


def require_weights(rules: ScoringRules) -> None:
    """Raise InvalidRequest where only affinity has any weight, which needs a brand, and a run is about none."""
    if not any(weights_in_force(by_part(rules.weights), ["affinity"]).values()):
        others = ", ".join(PART_NAMES[:-1])
        raise InvalidRequest(
            f"The rules give weight only to affinity, and a run names no brand; give some to {others}, and name the "
            "brand when you ask for ambassadors."
        )


@dataclass(frozen=True)
class MacroRule:
    """What makes an account macro that is known before its community is.

    Attributes:
        reported: bool[n], macro by reported followers.
        top: bool[n], in the top share of its network by in-degree: macro if it also stands out in its community.
        in_degree: int64[n], followers in the whole graph.
    """

    reported: Bool
    top: Bool
    in_degree: Int64


def macro_rule(graph: Graph, rules: ScoringRules) -> MacroRule:
    """Prepare the rule of macro accounts for each network (the part of a key before the colon) of a graph.

    Where at least 90% of a network's accounts report followers, those that report are judged by it: macro from
    100,000. Everyone else is judged by in-degree: in the top 0.5% of the network, which are ⌈0.005 · accounts⌉
    accounts and those that tie with the last of them; never without followers.
    """
    in_degree = np.diff(graph.in_ptr)
    reported = np.zeros(graph.n, dtype=np.bool_)
    top = np.zeros(graph.n, dtype=np.bool_)
    for accounts in by_network(graph):
        reports = graph.followers[accounts] >= 0
        reporting = np.count_nonzero(reports) >= share_of(rules.macro_reporting_share, len(accounts))
        by_report = reports & reporting
        reported[accounts] = by_report & (graph.followers[accounts] >= rules.macro_reported_followers)
        degree = in_degree[accounts]
        first = np.sort(degree)[::-1][: share_of(rules.macro_top_share, len(accounts))]
        if len(first):
            top[accounts] = ~by_report & (degree >= max(int(first[-1]), 1))
    return MacroRule(reported, top, in_degree)


def macros_of(rule: MacroRule, members: Int32, rules: ScoringRules) -> Bool:
    """Say which members of a community are macro: bool[k].

    By in-degree an account must also have at least 20 times the median in-degree of the community's members, all
    counted over the whole graph. A median below 1 counts as 1: a multiple of nothing would make anybody macro.
    """
    median = max(float(np.median(rule.in_degree[members])), 1.0)
    stands_out = rule.in_degree[members] >= rules.macro_median_multiple * median
    return rule.reported[members] | (rule.top[members] & stands_out)


def share_of(share: float, count: int) -> int:
    """How many of `count` things a share is, rounded up.

    A product that exceeds a whole number only by a rounding error (0.07 · 100) is that number.
    """
    return math.ceil(round(share * count, 9))


def score_table(size: int) -> Float64:
    """Exponential scores by place among `size` values: float64[2 · size + 1].

    A place is the number of values below plus the number not above; over 2 · size it is the mid-rank percentile p. The
    score is ln(1 / (1 − p)) / ln(2 · size), rounded to 9 decimals: 1 for who is alone at the top, and the same step
    each time the share of values ahead halves (Savage 1956). Percentiles themselves make the first and the tenth of a
    thousand all but equal, though most of what is worth anything is often the first one's.
    """
    table = np.ones(2 * size + 1)  # the last place is only taken by what is above all of them
    table[: 2 * size] = place_scores(np.arange(2 * size), size)
    return table


def place_scores(places: Int64, size: int | Int64) -> Float64:
    """Exponential scores of places below 2 · size among `size` values, see `score_table`; of any shape."""
    twice = np.maximum(2 * np.asarray(size), 2)
    scores: Float64 = np.round(-np.log1p(-places / twice) / np.log(twice), 9)
    return scores


def exponential_scores(raw: Float64) -> Float64:
    """Score values by their places among each other, see `score_table`; 0 for 0."""
    ordered = np.sort(raw)
    places = np.searchsorted(ordered, raw, side="left") + np.searchsorted(ordered, raw, side="right")
    return np.where(raw == 0, 0.0, score_table(len(raw))[places])


def points_of(x: Float64, weights: Mapping[Part, float]) -> Int64:
    """Points of each part, 100 · weight · x, in millionths: int64[p, k]; 0 where a part is null or has no weight.

    Each is rounded by itself, so that of who has x = 1 in several parts they could come to more than 100 in all. What
    is too much, a few millionths, is then taken from the part with the largest weight.

    Args:
        x: float64[p, k] in the order of the weights, NaN where a part is null.
        weights: those in force.
    """
    weight = np.array(list(weights.values()))
    points: Int64 = np.rint(100 * MILLION * weight[:, None] * np.nan_to_num(x)).astype(np.int64)
    points[np.argmax(weight)] -= np.maximum(points.sum(axis=0) - 100 * MILLION, 0)
    return points


def gates_of(community: Graph, doing: Activity, members: Int32) -> Int8:
    """Say which gate keeps each member of a community out of its base: int8[k], position in GATE_NAMES, -1 for none.

    Args:
        community: the community's own graph, k accounts.
        doing: what all accounts of the whole graph do.
        members: int32[k], their indices there.
    """
    gate = np.full(community.n, -1, dtype=np.int8)
    gate[doing.inactive[members]] = GATE_NAMES.index("inactive")
    gate[community.brand_account] = GATE_NAMES.index("brand_account")
    gate[community.opted_out] = GATE_NAMES.index("opted_out")
    return gate


def audience_of(followers: Int64, in_degree: Int64) -> Int64:
    """Size of each account's audience: reported followers, else followers in the graph (both int64[k])."""
    return np.where(followers >= 0, followers, in_degree)


def score_community(
    community: Graph,
    members: Int32,
    raw: dict[PartName, Float64],
    macro: Bool,
    gate: Int8,
    in_degree: Int64,
    rules: ScoringRules,
) -> CommunityScores:
    """Score the members of one community that are in its base.

    The base B are the members that no gate keeps out. Micro: not macro, in B, among the ⌈0.15 · |B|⌉ first of B by
    authority or by resonance (ties by key), and followed by at least one other member, because others may engage
    with an account to contradict it, while a follow is a choice to listen. Candidates are ranked by score, ties by key.
    Where only null parts have any weight there are no points, and no candidates.

    Args:
        community: the community's own graph, k accounts.
        members: int32[k], their indices in the whole graph.
        raw: float64[k] of each part that is not null, rounded to significant digits.
        macro: bool[k].
        gate: int8[k], see `gates_of`.
        in_degree: int64[k], followers in the whole graph.
        rules: weights and cut-offs.
    """
    in_base = gate < 0
    base = np.flatnonzero(in_base)
    null: dict[PartName, str] = {part: why for part, why in NULL_REASONS.items() if part not in raw}
    weights = weights_in_force(by_part(rules.weights), null)
    shape = (len(PART_NAMES), community.n)
    raws, x = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, part in enumerate(PART_NAMES):
        if part in raw:
            raws[row] = raw[part]
            x[row, base] = exponential_scores(raw[part][base])
    points = points_of(x, weights)
    score = np.where(in_base, points.sum(axis=0), -1)

    kind = np.full(community.n, MEMBER, dtype=np.int8)
    if any(weights.values()):
        followed = np.diff(community.in_ptr) > 0
        for part in ("authority", "resonance"):
            if part in raw:
                first = base[np.lexsort((base, -raw[part][base]))][: share_of(rules.micro_share, len(base))]
                kind[first[followed[first]]] = MICRO
    kind[macro] = MACRO

    micro, macros = np.flatnonzero(kind == MICRO), np.flatnonzero((kind == MACRO) & in_base)
    rank = np.zeros(community.n, dtype=np.int32)
    rank[micro[np.lexsort((micro, -score[micro]))]] = np.arange(1, len(micro) + 1)
    audience = audience_of(community.followers, in_degree)
    macro_rank = np.zeros(community.n, dtype=np.int32)
    macro_rank[macros[np.lexsort((macros, -audience[macros]))]] = np.arange(1, len(macros) + 1)
    return CommunityScores(
        members=members, gate=gate, type=kind, raw=raws, x=x, points=points, score=score, rank=rank,
        macro_rank=macro_rank, audience=audience, weights=weights, null_reasons=null,
    )  # fmt: skip


def why_no_candidates(community: Graph, scores: CommunityScores) -> str | None:
    """Say why a community has no candidates; None where it has."""
    if bool(np.any(scores.type == MICRO)):
        return None
    if not bool(np.any(scores.in_base)):
        kept_out = {GATE_NAMES[gate] for gate in np.unique(scores.gate).tolist()}
        said = {
            "opted_out": "has opted out",
            "brand_account": "is a brand's own account",
            "inactive": "has done nothing lately",
        }
        return f"Every member {' or '.join(said[gate] for gate in GATE_NAMES if gate in kept_out)}."
    if not any(scores.weights.values()):
        lacking = ", ".join(scores.null_reasons)
        return f"The rules give weight only to parts that this community lacks the data for: {lacking}."
    authority = np.where(scores.in_base, scores.raw[PART_NAMES.index("authority")], -1.0)
    first = scores.in_base & (authority == authority.max()) & (np.diff(community.in_ptr) > 0)
    if bool(np.any(first & (scores.type == MACRO))):
        return "Those with most authority are macro-influencers, who are not ambassador candidates."
    return "None of those who could be candidates is followed by another member."
