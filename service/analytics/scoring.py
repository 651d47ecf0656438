"""From raw values to scores: who is compared, types, percentiles, points, ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.domain import (
    MILLION,
    PART_NAMES,
    TYPE_NAMES,
    Bool,
    CommunityScores,
    Float64,
    Graph,
    Int32,
    Int64,
    PartName,
    ScoringRules,
)
from service.errors import InvalidRequest

NULL_REASONS: dict[PartName, str] = {
    "resonance": "How much of what is shown gets a response is not measured yet.",
    "relevance": "Posts are not measured yet.",
    "affinity": "No brand is named.",
}
"""The parts that are not measured yet, and why they are null."""

MEMBER, MICRO, MACRO = (TYPE_NAMES.index(name) for name in ("member", "micro", "macro"))


def weights_in_force(rules: ScoringRules) -> dict[PartName, float]:
    """Weights of the parts after those of null parts were shared out in proportion; 0 for null parts.

    Raises:
        InvalidRequest: no part that can be measured has any weight.
    """
    asked: dict[PartName, float] = {part: getattr(rules.weights, part) for part in PART_NAMES}
    known = {part: weight for part, weight in asked.items() if part not in NULL_REASONS}
    total = sum(known.values())
    if total == 0:
        raise InvalidRequest(
            f"The rules give weight only to parts without data ({', '.join(NULL_REASONS)}); "
            f"give some to {', '.join(known)}."
        )
    return {part: known.get(part, 0.0) / total for part in PART_NAMES}


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
    networks: dict[str, int] = {}
    numbered = (networks.setdefault(key.split(":", 1)[0], len(networks)) for key in graph.keys)
    network = np.fromiter(numbered, dtype=np.int32, count=graph.n)
    order = np.argsort(network, kind="stable")
    for accounts in np.split(order, np.cumsum(np.bincount(network, minlength=len(networks)))[:-1]):
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


def percentiles(raw: Float64) -> Float64:
    """Mid-rank percentiles: share of values below plus half the share of values equal, itself included; 0 for 0.

    A value on its own has 0.5: nobody is below or above it.
    """
    ordered = np.sort(raw)
    below = np.searchsorted(ordered, raw, side="left")
    not_above = np.searchsorted(ordered, raw, side="right")
    return np.where(raw == 0, 0.0, (below + not_above) / (2 * max(len(raw), 1)))


def score_community(
    community: Graph,
    members: Int32,
    raw: dict[PartName, Float64],
    macro: Bool,
    rules: ScoringRules,
) -> CommunityScores:
    """Score the members of one community that are in its base.

    The base B are the members that have not opted out and are no brand's own account; erased, suspicious and inactive
    accounts will be left out too as the data for these gates comes. Micro: not macro, in B, among the ⌈0.15 · |B|⌉
    first of B by authority (ties by key), and followed by at least one other member, because others may engage
    with an account to contradict it, while a follow is a choice to listen. Candidates are ranked by score, ties by key.

    Args:
        community: the community's own graph, k accounts.
        members: int32[k], their indices in the whole graph.
        raw: float64[k] of each part that is not null, rounded to significant digits.
        macro: bool[k].
        rules: weights and cut-offs.
    """
    in_base = ~(community.opted_out | community.brand_account)
    base = np.flatnonzero(in_base)
    weights = weights_in_force(rules)
    shape = (len(PART_NAMES), community.n)
    raws, x, points = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for row, part in enumerate(PART_NAMES):
        if part in raw:
            raws[row] = raw[part]
            x[row, base] = percentiles(raw[part][base])
            points[row, base] = np.rint(100 * MILLION * weights[part] * x[row, base]).astype(np.int64)
    score = np.where(in_base, points.sum(axis=0), -1)

    kind = np.full(community.n, MEMBER, dtype=np.int8)
    if len(base):
        first = base[np.lexsort((base, -raw["authority"][base]))][: share_of(rules.micro_share, len(base))]
        kind[first[np.diff(community.in_ptr)[first] > 0]] = MICRO
    kind[macro] = MACRO

    micro = np.flatnonzero(kind == MICRO)
    rank = np.zeros(community.n, dtype=np.int32)
    rank[micro[np.lexsort((micro, -score[micro]))]] = np.arange(1, len(micro) + 1)
    return CommunityScores(members, in_base, kind, raws, x, points, score, rank)


def why_no_candidates(community: Graph, scores: CommunityScores) -> str | None:
    """Say why a community has no candidates; None where it has."""
    if bool(np.any(scores.type == MICRO)):
        return None
    if not bool(np.any(scores.in_base)):
        if bool(np.all(community.opted_out)):
            return "Every member has opted out."
        return "Every member has opted out or is a brand's own account."
    authority = np.where(scores.in_base, scores.raw[PART_NAMES.index("authority")], -1.0)
    first = scores.in_base & (authority == authority.max()) & (np.diff(community.in_ptr) > 0)
    if bool(np.any(first & (scores.type == MACRO))):
        return "Those with most authority are macro-influencers, who are not ambassador candidates."
    return "None of those who could be candidates is followed by another member."
