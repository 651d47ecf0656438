"""What a candidate's parts rest on: the ties behind each raw value, and sentences with their numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import to_json

from service.analytics.brands import relation_reasons, relations_of, track_of
from service.analytics.compiled import compiled, unsigned
from service.analytics.graph import entries_of, lengths, pointers_of, strengths
from service.analytics.measures import Trust, lost_reach
from service.analytics.rounding import significant
from service.analytics.scoring import NULL_REASONS, weights_in_force
from service.analytics.ties import TieGraph, tie_parts
from service.domain import (
    ENGAGEMENT_NAMES,
    MILLION,
    PART_NAMES,
    TYPE_NAMES,
    Bool,
    Candidate,
    CommunityScores,
    Evidence,
    Float64,
    Frozen,
    Graph,
    Int32,
    Int64,
    Part,
    PartName,
    ScoringRules,
    account_name,
)

CANDIDATES_AT_ONCE = 100
"""So many candidates of a community are written out together, in about 14 KB each; fewer would take more time."""


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


@dataclass(frozen=True)
class _Strongest:
    """The ties that contribute most to a part, for each of some accounts, one account after the other.

    Attributes:
        ends: int64[k+1]; those of account c are `follower[ends[c]:ends[c + 1]]`, largest contribution first.
        follower: int32[t], who follows or engages.
        contribution: float64[t], above 0, rounded to significant digits.
    """

    ends: Int64
    follower: Int32
    contribution: Float64


def candidate_lines(
    measured: Measured, scores: CommunityScores, community: str, rules: ScoringRules
) -> Iterator[bytes]:
    """Write out the candidates of a community, best first, with parts, evidence and reasons.

    Args:
        measured: the community and its measures.
        scores: what was scored from them.
        community: its id.
        rules: weights and how much evidence to show.

    Yields:
        The JSON document of a `domain.Candidate` each, as bytes. They are put together from the JSON of their fields,
        column by column: objects of them would be many times larger and slower.
    """
    graph, ties = measured.graph, measured.ties
    base = int(np.count_nonzero(scores.in_base))
    population = f"{_count(base, 'account')} of community {community} that pass the integrity gates"
    weights = weights_in_force(rules)
    ranked = np.flatnonzero(scores.rank).astype(np.int32)
    accounts = ranked[np.argsort(scores.rank[ranked])]
    authority = authority_evidence(ties, measured.raw["authority"], accounts, rules)
    reach, reached = reach_evidence(ties, measured.influence, accounts)
    trust = trust_evidence(graph, measured.trust, accounts, rules)
    strongest = {
        "authority": _strongest(graph, ties.in_ptr, ties.in_idx, authority, accounts, rules.evidence_items),
        "reach": _strongest(graph, ties.in_ptr, ties.in_idx, reach, accounts, rules.evidence_items),
        "trust": _strongest(graph, graph.in_ptr, graph.in_idx, trust, accounts, rules.evidence_items),
    }
    below, equal, others = _compared(scores, measured.raw["authority"], accounts)
    related = set(graph.relation_account.tolist())
    keys, handles = list(graph.keys), list(graph.handles)
    named = [(_json(key), _json(handle) if handle else "null") for key, handle in zip(keys, handles, strict=True)]
    types = [_json(name) for name in TYPE_NAMES]

    def said(position: int, i: int) -> dict[PartName, str]:
        return {
            "authority": _authority_reason(measured, int(below[position]), int(equal[position]), others, i),
            "reach": _reach_reason(ties, int(reached[position]), i),
            "trust": _trust_reason(measured, i),
        }

    for first in range(0, len(accounts), CANDIDATES_AT_ONCE):
        some = slice(first, first + CANDIDATES_AT_ONCE)
        block = accounts[some]
        parts = []
        for row, name in enumerate(PART_NAMES):
            if name in NULL_REASONS:
                parts.append([_null_part(name, weights[name])] * len(block))
            else:
                evidence = _evidence_documents(measured, accounts, some, strongest[name], scores.raw[row], named)
                parts.append(_part_documents(name, weights[name], scores, block, evidence))
        relations = [relations_of(graph, i) if i in related else () for i in block.tolist()]
        columns: dict[str, Iterable[object]] = {
            "key": [named[i][0] for i in block.tolist()],
            "handle": [named[i][1] for i in block.tolist()],
            "name": [_json(account_name(keys[i], handles[i])) for i in block.tolist()],
            "community": itertools.repeat(_json(community)),
            "rank": scores.rank[block].tolist(),
            "score": _numbers(scores.score[block] / MILLION),
            "score_millionths": scores.score[block].tolist(),
            "population": itertools.repeat(_json(population)),
            "type": [types[one] for one in scores.type[block].tolist()],
            "track": [_json(track_of(one)) for one in relations],
            "relations": [_json([relation.model_dump(mode="json") for relation in one]) for one in relations],
            "followers": measured.in_degree[block].tolist(),
            "followers_in_community": lengths(graph.in_ptr, block).tolist(),
            # What was measured comes first: it is why an account is a candidate at all.
            "reasons": [
                _json(_strongest_first(scores, i, said(position, i)) + relation_reasons(one))
                for position, (i, one) in enumerate(zip(block.tolist(), relations, strict=True), first)
            ],
            "parts": [f"[{','.join(of_account)}]" for of_account in zip(*parts, strict=True)],
        }
        yield from map(str.encode, _documents(Candidate, columns))


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
    followers = lengths(community.in_ptr, accounts)
    each = np.repeat(trust.tie[accounts] / (followers + rules.trust_prior_ties), followers)
    return np.where(trust.mutual[entries_of(community.in_ptr, accounts)], each, 0.0)


def _strongest(graph: Graph, ptr: Int64, idx: Int32, contribution: Float64, accounts: Int32, items: int) -> _Strongest:
    """Find the ties that contribute most, at most `items` an account, ties by the follower's key.

    Who has opted out is not shown. `contribution` is that of each incoming tie of `accounts`, row after row.
    """
    follower = idx[entries_of(ptr, accounts)]
    rounded = significant(np.where(graph.opted_out[follower], 0.0, contribution))
    places, counts = largest(rounded, pointers_of(lengths(ptr, accounts)), items)
    return _Strongest(pointers_of(counts), follower[places], rounded[places])


def _evidence_documents(
    measured: Measured, accounts: Int32, some: slice, strongest: _Strongest, raw: Float64, named: list[tuple[str, str]]
) -> list[str]:
    """What a part of some of the accounts rests on: JSON of a list of `domain.Evidence` each.

    Args:
        measured: the community.
        accounts: those that `strongest` is about.
        some: which of them.
        strongest: the ties to show.
        raw: float64[n], raw values of the part, of all members.
        named: JSON of key and handle of all members.
    """
    ends = strongest.ends[some.start : some.stop + 1]
    ties = slice(ends[0], ends[-1])
    follower, contribution = strongest.follower[ties], strongest.contribution[ties]
    followee = np.repeat(accounts[some], np.diff(ends))
    parts = tie_parts(measured.graph, measured.ties.window, follower, followee)
    columns: dict[str, Iterable[object]] = {
        "kind": np.where(parts.follow > 0, '"follow"', '"engagement"').tolist(),
        "follower": [named[j][0] for j in follower.tolist()],
        "follower_handle": [named[j][1] for j in follower.tolist()],
        "followee": [named[i][0] for i in followee.tolist()],
        "mutual": _numbers(parts.mutual),
        "weight": _numbers(significant(parts.weight)),
        **{done: parts.counts[:, column].tolist() for column, done in enumerate(ENGAGEMENT_NAMES)},
        "contribution": _numbers(contribution),
        "share": _numbers(significant(contribution / raw[followee])),
    }
    documents = _documents(Evidence, columns)
    return [f"[{','.join(documents[start:end])}]" for start, end in itertools.pairwise((ends - ends[0]).tolist())]


def _part_documents(
    name: PartName, weight: float, scores: CommunityScores, accounts: Int32, evidence: list[str]
) -> list[str]:
    """JSON of a part of some accounts: a `domain.Part` each."""
    row = PART_NAMES.index(name)
    points = scores.points[row, accounts]
    columns: dict[str, Iterable[object]] = {
        "part": itertools.repeat(_json(name)),
        "weight": itertools.repeat(_json(weight)),
        "raw": _numbers(scores.raw[row, accounts]),
        "x": _numbers(scores.x[row, accounts]),
        "points": _numbers(points / MILLION),
        "points_millionths": points.tolist(),
        "null_reason": itertools.repeat("null"),
        "evidence": evidence,
    }
    return _documents(Part, columns)


def _null_part(name: PartName, weight: float) -> str:
    """JSON of a part that the whole community lacks the data for."""
    part = Part(
        part=name, weight=weight, raw=None, x=None, points=None, points_millionths=None, null_reason=NULL_REASONS[name]
    )
    return part.model_dump_json()


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


# --- JSON -----------------------------------------------------------------------------------------------------


def _documents(model: type[Frozen], columns: dict[str, Iterable[object]]) -> list[str]:
    """JSON documents of a model out of the JSON of its fields: a column each, by name; a constant may be endless."""
    template = "{" + ",".join(f'"{field}":%s' for field in model.model_fields) + "}"
    return [template % row for row in zip(*(columns[field] for field in model.model_fields), strict=False)]


def _json(value: Any) -> str:
    return to_json(value).decode()


def _numbers(values: Float64 | Bool) -> list[str]:
    """JSON of each value: all at once, which is much faster."""
    return _json(values.tolist())[1:-1].split(",") if len(values) else []
