"""What a community publishes about its accounts: candidates and macro-influencers as JSON, and what questions need.

Documents are put together from the JSON of their fields, column by column: objects of them would be many times larger
and slower. They are to the byte what the models of `service.domain` would write.
"""

from __future__ import annotations

import base64
import bisect
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pydantic_core import to_json

from service.analytics.activity import Activity
from service.analytics.affinity import BrandTies, brand_basis, relation_strength
from service.analytics.brands import time_of, track_of
from service.analytics.evidence import Measured, Strongest, strongest_ties, strongest_topics
from service.analytics.graph import entries_of, lengths, rows_of
from service.analytics.integrity import Integrity
from service.analytics.intervals import Intervals
from service.analytics.packing import packed
from service.analytics.roles import Roles
from service.analytics.rounding import significant
from service.analytics.sentences import (
    audience_reason,
    authority_reason,
    reach_reason,
    relation_reason,
    relevance_reason,
    resonance_reason,
    role_reason,
    sign_sentence,
    trust_reason,
)
from service.analytics.ties import NO_DAY
from service.domain import (
    ENGAGEMENT_NAMES,
    GATE_NAMES,
    MILLION,
    PART_NAMES,
    SIZE_BAND_FROM,
    SIZE_BANDS,
    TYPE_NAMES,
    Bool,
    BrandRelation,
    Candidate,
    CandidateBasis,
    CandidateWords,
    CommunityBasis,
    CommunityScores,
    Excluded,
    Float32,
    Float64,
    Frozen,
    Graph,
    Int32,
    Int64,
    Part,
    PartName,
    PassedGate,
    RankInterval,
    Reason,
    Role,
    ScoringRules,
    Sign,
    SignName,
    SizeBand,
    TieEvidence,
    TopicEvidence,
    WordBasis,
    WordIndex,
    WordsHead,
    account_name,
)

AT_ONCE = 100
"""So many accounts of a community are written out together, in about 20 KB each; fewer would take more time."""

NOTES: dict[PartName, str] = {
    "resonance": "No response to it is known: the community's average stands for it, less with many followers.",
    "trust": "Nobody in this community follows or engages: the community's average stands for this account.",
    "relevance": "Nothing that this account wrote or shared about any topic is known.",
}
"""What a part's value stands for where the account has no data of its own."""


@dataclass(frozen=True)
class Described:
    """All that is said of the accounts of one community.

    Attributes:
        whole: the whole graph, without the follows that do not count.
        read: the same with them.
        signs: of manipulation, of all accounts.
        measured: the community and its measures.
        scores: what was scored from them.
        roles: who has which.
        doing: what all accounts of the whole graph do.
        brands: what accounts of the whole graph have to do with brands.
        community: its id.
        confidence: float64[k], of its members, NaN where unknown.
        rules: weights, cut-offs, and how much evidence to show.
    """

    whole: Graph
    read: Graph
    signs: Integrity
    measured: Measured
    scores: CommunityScores
    roles: Roles
    doing: Activity
    brands: BrandTies
    community: str
    confidence: Float64
    rules: ScoringRules


def ranked(ranks: Int32) -> Int32:
    """Accounts with a rank, best first: int32."""
    accounts = np.flatnonzero(ranks).astype(np.int32)
    return accounts[np.argsort(ranks[accounts])]


def size_band(audience: int) -> SizeBand:
    """The band that an audience is in."""
    return SIZE_BANDS[bisect.bisect_right(SIZE_BAND_FROM, audience)]


def candidate_lines(described: Described, accounts: Int32, intervals: Intervals | None) -> Iterator[bytes]:
    """Write out candidates, or macro-influencers, of a community in this order, with parts, evidence and reasons.

    Args:
        described: the community.
        accounts: int32[a], members of its base.
        intervals: of the ranks of these candidates; None for macros, whose ranks have none.

    Yields:
        The JSON document of a `domain.Candidate` each, as bytes.
    """
    if len(accounts) == 0:
        return
    measured, scores, rules = described.measured, described.scores, described.rules
    graph = measured.graph
    base = int(np.count_nonzero(scores.in_base))
    population = f"{base:,} account{'' if base == 1 else 's'} of community {described.community} that pass the "
    population += "integrity gates"
    ties, reached = strongest_ties(measured, accounts, rules)
    topics = strongest_topics(measured, accounts, rules)
    named = _Named(graph)
    reasons = _reasons(described, accounts, reached, topics, macro=intervals is None)
    relations = _relations(described, accounts)
    ranks = scores.rank if intervals is not None else scores.macro_rank
    types = [_json(name) for name in TYPE_NAMES]
    notes = _notes(measured)
    passed = {known: _models(_passed(described, known=known)) for known in (False, True)}

    for first in range(0, len(accounts), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        block = accounts[some]
        members, audience = block.tolist(), scores.audience[block]
        parts = []
        for name in PART_NAMES:
            evidence = (
                _topic_evidence(measured, accounts, some, topics, named)
                if name == "relevance"
                else _tie_evidence(measured, accounts, some, ties[name], scores.raw[PART_NAMES.index(name)], named)
                if name in ties
                else None
            )
            parts.append(_parts(name, scores, block, evidence, notes.get(name)))
        of_roles = [_shown_roles(described, i) for i in members]
        columns: dict[str, Iterable[object]] = {
            "key": [named.keys[i] for i in members],
            "handle": [named.handles[i] for i in members],
            "name": [named.names[i] for i in members],
            "community": itertools.repeat(_json(described.community)),
            "confidence": ["null" if math.isnan(sure) else sure for sure in described.confidence[block].tolist()],
            "rank": ranks[block].tolist(),
            "rank_interval": _intervals(intervals, some),
            "score": _numbers(scores.score[block] / MILLION),
            "score_millionths": scores.score[block].tolist(),
            "population": itertools.repeat(_json(population)),
            "type": [types[one] for one in scores.type[block].tolist()],
            "size_band": [_json(size_band(one)) for one in audience.tolist()],
            "track": [_json(track_of(of)) for of in relations[some]],
            "relations": [_models(of) for of in relations[some]],
            "roles": [_models(of) for of in of_roles],
            "followers": measured.in_degree[block].tolist(),
            "reported_followers": ["null" if count < 0 else count for count in graph.followers[block].tolist()],
            "followers_in_community": lengths(graph.in_ptr, block).tolist(),
            "brand": itertools.repeat("null"),
            "reasons": [
                _models((*reasons(position, i), *_relation_reasons(described, of), *map(role_reason, has)))
                for position, (i, of, has) in enumerate(zip(members, relations[some], of_roles, strict=True), first)
            ],
            "parts": [f"[{','.join(of_account)}]" for of_account in zip(*parts, strict=True)],
            "gates": [passed[known] for known in described.doing.known[scores.members[block]].tolist()],
            "signs": [_models(_signs(described, i)) for i in members],
        }
        yield from map(str.encode, _documents(Candidate, columns))


def excluded_lines(described: Described) -> Iterator[bytes]:
    """Name the members that gates keep out, by gate, then key: a `domain.Excluded` each. Who opted out is not named."""
    graph, gates = described.measured.graph, described.scores.gate
    for gate, name in enumerate(GATE_NAMES):
        if name in ("erased", "opted_out"):
            continue
        for i in np.flatnonzero(gates == gate).tolist():
            yield Excluded(key=graph.keys[i], handle=graph.handles[i] or None, gate=name).model_dump_json().encode()


def basis_lines(described: Described, accounts: Int32, replicates: Float32) -> Iterator[bytes]:
    """Write out what questions need that were not prepared: a `domain.CommunityBasis`, then each candidate's.

    Args:
        described: the community.
        accounts: int32[a], its candidates, best first.
        replicates: float32[r, a, 4], see `reweighting.reweighted`.
    """
    measured, scores, rules = described.measured, described.scores, described.rules
    graph = measured.graph
    base = np.flatnonzero(scores.in_base)
    posts = np.bincount(rows_of(graph.topic_ptr), weights=graph.topic_posts, minlength=graph.n).astype(np.int64)
    yield (
        CommunityBasis(
            community=described.community,
            size=graph.n,
            base=len(base),
            raw={part: packed(np.sort(values[base])) for part, values in measured.raw.items()},
            null_reasons=scores.null_reasons,
            topics=_topic_raws(graph, posts, scores, rules),
        )
        .model_dump_json()
        .encode()
    )
    columns = np.ascontiguousarray(replicates.transpose(1, 0, 2).astype("<f4"))
    relations = _relations(described, accounts)
    for position, i in enumerate(accounts.tolist()):
        topics = slice(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1]))
        own = int(scores.members[i])
        yield (
            CandidateBasis.model_construct(
                key=graph.keys[i],
                track=track_of(relations[position]),
                size_band=size_band(int(scores.audience[i])),
                roles=tuple(role.role for role in _shown_roles(described, i)),
                raw={part: float(values[i]) for part, values in measured.raw.items()},
                replicates=base64.b64encode(columns[position]).decode(),
                topic_posts=int(posts[i]),
                topics={
                    graph.topic_names[topic]: (count, first, post, latest)
                    for topic, count, first, post, latest in zip(
                        graph.topic_idx[topics].tolist(),
                        graph.topic_posts[topics].tolist(),
                        graph.topic_first[topics].tolist(),
                        graph.topic_post[topics] if topics.start < topics.stop else (),
                        graph.topic_latest[topics].tolist(),
                        strict=True,
                    )
                },
                brands={
                    described.whole.brand_keys[brand]: brand_basis(
                        described.whole, described.brands, measured.ties.window, own, brand, rules
                    )
                    for brand in described.brands.brands_of(own)
                },
            )
            .model_dump_json()
            .encode()
        )


def word_lines(described: Described, words: WordIndex, accounts: Int32) -> Iterator[bytes]:
    """Write out what briefs need: a `domain.WordsHead`, then each word of the base by code point, then each candidate.

    Args:
        described: the community.
        words: of all accounts of the whole graph.
        accounts: int32[a], its candidates, best first.
    """
    graph, scores = described.measured.graph, described.scores
    base = np.flatnonzero(scores.in_base)
    whole = scores.members[base]
    entries = entries_of(words.ptr, whole)
    word, place = words.idx[entries], np.repeat(np.arange(len(base)), lengths(words.ptr, whole))
    order = np.lexsort((place, word))
    word, place, weight = word[order], place[order], significant(words.weight[entries][order])
    starts = np.flatnonzero(np.diff(word, prepend=-1)).tolist()
    yield WordsHead(base=len(base), words=len(starts)).model_dump_json().encode()
    for start, end in itertools.pairwise([*starts, len(word)]):
        yield (
            WordBasis(
                word=words.names[int(word[start])],
                places=base64.b64encode(place[start:end].astype("<i4").tobytes()).decode(),
                weights=packed(weight[start:end]),
            )
            .model_dump_json()
            .encode()
        )
    where = np.searchsorted(base, accounts)
    for i, at in zip(accounts.tolist(), where.tolist(), strict=True):
        yield CandidateWords(place=at, words=_said_by(graph, i, words)).model_dump_json().encode()


def _said_by(graph: Graph, i: int, words: WordIndex) -> dict[str, tuple[int, str, int]]:
    """Words of a member, of texts or topics: in how many posts at least, and key and time of the latest of these."""
    said: dict[str, tuple[int, str, int]] = {}
    quoted = int(graph.quoted_ptr[i])
    for e in range(int(graph.word_ptr[i]), int(graph.word_ptr[i + 1])):
        post = quoted + int(graph.word_post[e])
        said[graph.word_names[int(graph.word_idx[e])]] = (
            int(graph.word_posts[e]), graph.quoted_post[post], int(graph.quoted_at[post]),
        )  # fmt: skip
    for e in range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1])):
        topic = int(graph.topic_idx[e])
        about = int(graph.topic_posts[e]), graph.topic_post[e], int(graph.topic_latest[e])
        for word in words.topic_idx[words.topic_ptr[topic] : words.topic_ptr[topic + 1]].tolist():
            name = words.names[word]
            known = said.get(name, (0, "", -1))
            latest = max(known, about, key=lambda one: (one[2], one[1]))
            said[name] = (max(known[0], about[0]), latest[1], latest[2])
    return said


def _topic_raws(graph: Graph, posts: Int64, scores: CommunityScores, rules: ScoringRules) -> dict[str, str]:
    """Relevance to each topic alone of the members of the base who wrote or shared about it, ascending."""
    account = rows_of(graph.topic_ptr)
    kept = scores.in_base[account]
    account, topic = account[kept], graph.topic_idx[kept]
    raw = significant(graph.topic_posts[kept] / (posts[account] + rules.relevance_prior_posts))
    order = np.lexsort((raw, topic))
    topic, raw = topic[order], raw[order]
    ends = np.flatnonzero(np.diff(topic, append=-1)) + 1
    return {
        graph.topic_names[int(topic[start])]: packed(raw[start:end])
        for start, end in itertools.pairwise([0, *ends.tolist()])
    }


# --- one account at a time --------------------------------------------------------------------------------------------


def _shown_roles(described: Described, i: int) -> tuple[Role, ...]:
    """Roles of a candidate or macro: micro roles, and those of macros, which are emerging in others."""
    return described.roles.of(i, macro=TYPE_NAMES[described.scores.type[i]] == "macro")


def _relations(described: Described, accounts: Int32) -> list[tuple[BrandRelation, ...]]:
    own = described.scores.members[accounts].tolist()
    of = described.brands.relations
    return [tuple(one for brand in of.get(i, ()) for one in of[i][brand]) for i in own]


def _relation_reasons(described: Described, relations: tuple[BrandRelation, ...]) -> tuple[Reason, ...]:
    return tuple(
        relation_reason(one, relation_strength(one, described.whole.as_of, described.rules))
        for one in relations
        if one.active
    )


def _passed(described: Described, *, known: bool) -> tuple[PassedGate, ...]:
    """The gates, which an account of the base passes where they are known; `known`: what it does is known."""
    looked_at = {
        "opted_out": True,
        "brand_account": bool(described.whole.brand_keys),
        "suspicious": described.rules.leave_out_suspicious and known,
        "inactive": known,
    }
    return tuple(PassedGate(gate=gate, passed=True if looked_at.get(gate) else None) for gate in GATE_NAMES)


BURST_INTERACTIONS = 20
"""Fewer interactions than these are no burst."""


def _signs(described: Described, i: int) -> tuple[Sign, ...]:
    """Signs of manipulation of member i, and what counts nothing by them."""
    read, signs, rules, whole = described.read, described.signs, described.rules, int(described.scores.members[i])
    followers = read.in_idx[read.in_ptr[whole] : read.in_ptr[whole + 1]]
    found: list[Sign] = []
    if signs.empty_followers[whole]:
        empty = followers[signs.empty[followers]]
        found.append(_sign("empty_followers", len(empty), len(followers), len(empty), read, empty, rules))
    if signs.ring_follows[whole]:
        ring = followers[_count_nothing(signs, followers, whole) & ~signs.empty[followers]]
        found.append(_sign("follow_ring", len(ring), len(followers), len(ring), read, ring, rules))
    if signs.burst_day[whole] >= 0:
        days = _follow_days(read, followers, whole)
        came, dated = followers[days == signs.burst_day[whole]], int(np.count_nonzero(days >= 0))
        left_out = int(np.count_nonzero(_count_nothing(signs, came, whole)))
        day = np.datetime64(int(signs.burst_day[whole]), "D").item()
        found.append(_sign("follow_burst", len(came), dated, left_out, read, came, rules, day))
    copied = followers[signs.copied[followers]]
    if len(copied) >= rules.copied_bios:
        left_out = int(np.count_nonzero(_count_nothing(signs, copied, whole)))
        found.append(_sign("copied_bios", len(copied), len(followers), left_out, read, copied, rules))
    resonance, ties = described.measured.resonance, described.measured.ties
    if resonance is not None:
        entries = slice(int(ties.in_ptr[i]), int(ties.in_ptr[i + 1]))
        done = described.measured.parts.counts[entries].sum(axis=1)
        beyond = done - resonance.tie[entries]
        total, left_out = int(done.sum()), int(beyond.sum())
        if total >= BURST_INTERACTIONS and left_out >= rules.burst_share * total:
            most = np.lexsort((ties.in_idx[entries], -beyond))
            by = ties.in_idx[entries][most[beyond[most] > 0]]
            found.append(_sign("burst", left_out, total, left_out, described.measured.graph, by, rules))
    return tuple(found)


def _follow_days(graph: Graph, followers: Int32, followee: int) -> Int32:
    """Since which day each follower of an account follows it, -1 where unknown."""
    entries = entries_of(graph.out_ptr, followers)
    days: Int32 = graph.out_day[entries[graph.out_idx[entries] == followee]]
    return days


def _count_nothing(signs: Integrity, followers: Int32, followee: int) -> Bool:
    """Say of some followers of an account whether their follows count nothing."""
    counted = signs.counted
    return ~np.isin(followers, counted.in_idx[counted.in_ptr[followee] : counted.in_ptr[followee + 1]])


def _sign(
    name: SignName,
    count: int,
    total: int,
    left_out: int,
    graph: Graph,
    by: Int32,
    rules: ScoringRules,
    day: date | None = None,
) -> Sign:
    """A sign of `count` of `total`, of which `left_out` count nothing; `by` are accounts of `graph` they come from."""
    said = sign_sentence(name, count, total, left_out, day)
    named = by[~graph.opted_out[by]][: rules.evidence_items]
    return Sign(
        sign=name,
        count=count,
        total=total,
        left_out=left_out,
        share=float(significant(np.array([count / total]))[0]),
        accounts=tuple(graph.keys[j] for j in named.tolist()),
        en=said.en,
        fr=said.fr,
    )


def _reasons(
    described: Described, accounts: Int32, reached: Int64, topics: Strongest, *, macro: bool
) -> Callable[[int, int], tuple[Reason, ...]]:
    """Make the function that says one sentence for each part that gave points: most points first.

    It is called with the position of an account among `accounts`, and the account; ties go in the order of the parts.
    """
    measured, scores, rules = described.measured, described.scores, described.rules
    graph, ties, trust, resonance = measured.graph, measured.ties, measured.trust, measured.resonance
    compared = np.sort(measured.raw["authority"][scores.in_base])
    below = np.searchsorted(compared, measured.raw["authority"][accounts], side="left").tolist()
    equal = (np.searchsorted(compared, measured.raw["authority"][accounts], side="right") - below - 1).tolist()
    followers, heard = np.diff(graph.in_ptr)[accounts].tolist(), np.diff(ties.in_ptr)[accounts].tolist()
    back, exchanging = trust.followed_back[accounts].tolist(), trust.exchanging[accounts].tolist()
    weeks_known = ties.mean_influence is not None
    responding = np.bincount(rows_of(ties.in_ptr)[resonance.tie > 0], minlength=graph.n) if resonance else None
    points = scores.points[:, accounts].T.tolist()

    def sentence(name: PartName, position: int, i: int) -> Reason:
        if name == "authority":
            others, listening = len(compared) - 1, heard[position] - followers[position]
            return authority_reason(below[position], equal[position], others, followers[position], listening)
        if name == "reach":
            return reach_reason(heard[position], int(reached[position]), ties.n - 1)
        if name == "resonance":
            assert resonance is not None  # noqa: S101 - a part without data has no points
            assert responding is not None  # noqa: S101
            return resonance_reason(
                int(resonance.received[i]), heard[position], int(responding[i]), resonance.days, resonance.mean
            )
        if name == "trust":
            known = exchanging[position] if weeks_known else None
            return trust_reason(
                followers[position], back[position], known, heard[position], rules.trust_weeks, trust.mean
            )
        assert measured.relevance is not None  # noqa: S101
        own = topics.entry[topics.ends[position] : topics.ends[position + 1]]
        names = tuple(graph.topic_names[topic] for topic in graph.topic_idx[own].tolist()) or measured.topics.names
        return relevance_reason(int(measured.relevance.about[i]), int(measured.relevance.posts[i]), names)

    def said(position: int, i: int) -> tuple[Reason, ...]:
        gave = [(-points[position][row], row) for row in range(len(PART_NAMES)) if points[position][row]]
        first: tuple[Reason, ...] = ()
        if macro:
            reported = int(graph.followers[i])
            first = (audience_reason(reported if reported >= 0 else None, int(measured.in_degree[i])),)
        return (*first, *(sentence(PART_NAMES[row], position, i) for _, row in sorted(gave)))

    return said


def _notes(measured: Measured) -> dict[PartName, tuple[str, Any]]:
    """By part, the JSON of its note and which accounts it is said of: bool[k]."""
    lacking: dict[PartName, Any] = {"trust": np.diff(measured.ties.in_ptr) == 0}
    if measured.resonance is not None:
        lacking["resonance"] = measured.resonance.received == 0
    if measured.relevance is not None:
        lacking["relevance"] = measured.relevance.posts == 0
    return {part: (_json(NOTES[part]), of) for part, of in lacking.items()}


def _intervals(intervals: Intervals | None, some: slice) -> Iterable[str]:
    if intervals is None:
        return itertools.repeat("null")
    columns = (intervals.low[some].tolist(), intervals.high[some].tolist(), intervals.tied_with[some].tolist())
    return _documents(RankInterval, dict(zip(RankInterval.model_fields, columns, strict=True)))


# --- parts and evidence -----------------------------------------------------------------------------------------------


class _Named:
    """JSON of keys, handles and names of all members."""

    def __init__(self, graph: Graph) -> None:
        keys, handles = list(graph.keys), list(graph.handles)
        self.keys = _each(keys)
        self.handles = _each([handle or None for handle in handles])
        self.names = _each([account_name(key, handle) for key, handle in zip(keys, handles, strict=True)])


def _parts(
    name: PartName, scores: CommunityScores, accounts: Int32, evidence: list[str] | None, note: tuple[str, Any] | None
) -> list[str]:
    """JSON of a part of some accounts: a `domain.Part` each."""
    if name in scores.null_reasons:
        part = Part(
            part=name, weight=scores.weights[name], raw=None, x=None, points=None, points_millionths=None,
            null_reason=scores.null_reasons[name],
        )  # fmt: skip
        return [part.model_dump_json()] * len(accounts)
    row = PART_NAMES.index(name)
    points = scores.points[row, accounts]
    columns: dict[str, Iterable[object]] = {
        "part": itertools.repeat(_json(name)),
        "weight": itertools.repeat(_json(scores.weights[name])),
        "raw": _numbers(scores.raw[row, accounts]),
        "x": _numbers(scores.x[row, accounts]),
        "points": _numbers(points / MILLION),
        "points_millionths": points.tolist(),
        "null_reason": itertools.repeat("null"),
        "note": itertools.repeat("null")
        if note is None
        else [note[0] if said else "null" for said in note[1][accounts].tolist()],
        "evidence": evidence or itertools.repeat("[]"),
    }
    return _documents(Part, columns)


def _tie_evidence(
    measured: Measured, accounts: Int32, some: slice, strongest: Strongest, raw: Float64, named: _Named
) -> list[str]:
    """The ties that a part of some of the accounts rests on: JSON of a list of `domain.TieEvidence` each."""
    ends, entry, contribution, followee = _of_some(strongest, accounts, some)
    follower, parts = measured.ties.in_idx[entry], measured.parts
    days = parts.last[entry].tolist()
    dated = {day: "null" if day == NO_DAY else f'"{np.datetime64(day, "D")}"' for day in set(days)}
    counts = parts.counts[entry]
    weight = parts.follow[entry] + np.log1p(parts.decayed[entry])
    columns: dict[str, Iterable[object]] = {
        "kind": np.where(parts.follow[entry] > 0, '"follow"', '"engagement"').tolist(),
        "follower": [named.keys[j] for j in follower.tolist()],
        "follower_handle": [named.handles[j] for j in follower.tolist()],
        "followee": [named.keys[i] for i in followee.tolist()],
        "mutual": _numbers(parts.mutual[entry]),
        "weight": _numbers(significant(weight)),
        **{done: counts[:, column].tolist() for column, done in enumerate(ENGAGEMENT_NAMES)},
        "last_engaged": [dated[day] for day in days],
        "contribution": _numbers(contribution),
        "share": _numbers(significant(contribution / raw[followee])),
    }
    return _lists(_documents(TieEvidence, columns), ends)


def _topic_evidence(
    measured: Measured, accounts: Int32, some: slice, strongest: Strongest, named: _Named
) -> list[str] | None:
    """The topics that relevance of some of the accounts rests on: JSON of a list of `domain.TopicEvidence` each."""
    if measured.relevance is None:
        return None
    graph = measured.graph
    ends, entry, contribution, account = _of_some(strongest, accounts, some)
    columns: dict[str, Iterable[object]] = {
        "kind": itertools.repeat('"topic"'),
        "account": [named.keys[i] for i in account.tolist()],
        "topic": [_json(graph.topic_names[topic]) for topic in graph.topic_idx[entry].tolist()],
        "posts": graph.topic_posts[entry].tolist(),
        "first": [_json(time_of(at)) for at in graph.topic_first[entry].tolist()],
        "post": [_json(post or None) for post in graph.topic_post.take(entry)],
        "latest": [_json(time_of(at)) for at in graph.topic_latest[entry].tolist()],
        "contribution": _numbers(contribution),
        "share": _numbers(significant(contribution / measured.raw["relevance"][account])),
    }
    return _lists(_documents(TopicEvidence, columns), ends)


def _of_some(strongest: Strongest, accounts: Int32, some: slice) -> tuple[Int64, Int64, Float64, Int64]:
    """Cut out what is about some of the accounts: ends from 0, entries, contributions, and the account of each."""
    ends = strongest.ends[some.start : some.start + len(accounts[some]) + 1]
    of = slice(int(ends[0]), int(ends[-1]))
    account = np.repeat(accounts[some].astype(np.int64), np.diff(ends))
    return ends - ends[0], strongest.entry[of], strongest.contribution[of], account


def _lists(documents: list[str], ends: Int64) -> list[str]:
    return [f"[{','.join(documents[start:end])}]" for start, end in itertools.pairwise(ends.tolist())]


# --- JSON -------------------------------------------------------------------------------------------------------------


def _documents(model: type[Frozen], columns: dict[str, Iterable[object]]) -> list[str]:
    """JSON documents of a model out of the JSON of its fields: a column each, by name; a constant may be endless."""
    template = "{" + ",".join(f'"{field}":%s' for field in model.model_fields) + "}"
    return [template % row for row in zip(*(columns[field] for field in model.model_fields), strict=False)]


def _models(of: Iterable[Frozen]) -> str:
    return f"[{','.join(one.model_dump_json() for one in of)}]"


def _json(value: Any) -> str:
    return to_json(value).decode()


def _each(values: Sequence[str | None]) -> list[str]:
    """JSON of each text: all at once, a line each, which is much faster; line feeds within texts are escaped."""
    return [line.strip(" ").removesuffix(",") for line in to_json(values, indent=1).decode().split("\n")[1:-1]]


def _numbers(values: Any) -> list[str]:
    """JSON of each value: all at once, which is much faster."""
    return _json(values.tolist())[1:-1].split(",") if len(values) else []
