"""Answers to questions that were not prepared: another brand, objective, topic or mix of weights, and filters.

All of it is array work over what a run published: raw values of the base and of candidates, their reweightings, and the
prepared documents, of which only what the question changes is written anew. Nothing here reads or waits.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from pydantic_core import from_json, to_json

from service.analytics.brands import time_of
from service.analytics.intervals import REWEIGHTED, Intervals, rank_intervals, replicate_scores, replicate_x
from service.analytics.packing import unpacked
from service.analytics.rounding import significant
from service.analytics.scoring import NULL_REASONS, by_part, points_of, score_table, share_of, weights_in_force
from service.analytics.sentences import brief_reason, lens_reason, relevance_reason
from service.content.words import Brief
from service.domain import (
    MILLION,
    PART_NAMES,
    Bool,
    BrandStanding,
    Float32,
    Float64,
    Int64,
    LensName,
    LensShares,
    PartName,
    PartWeights,
    Recipe,
    RoleName,
    ScorePart,
    ScoringRules,
    SizeBand,
    Track,
    lens_part,
)
from service.flows.briefs import BriefMeasure, CommunityWords, SaidWord, measure_brief
from service.flows.lens_parts import WITHIN_COMMUNITIES, LensMeasure

Scoring = tuple[str | None, str | None, str | None, PartWeights | None, tuple[tuple[LensName, float], ...]]
"""Brand, topic, brief and weights of a question, those of lenses last."""

NO_POSTS = [0, -1, "", -1]
"""Posts about a topic of who has none, when the first was, and key and time of the latest."""

NOBODY_ON_BRIEF = (
    "Nobody who is compared is known to have written or shared anything that this brief says; posts are read that were "
    "imported with texts or topics before the run."
)
NOT_ON_BRIEF = "Nothing that this account wrote or shared is known to say what this brief says."
NOBODY_ON_TOPIC = "Nobody who is compared is known to have written or shared about this topic."
NO_TIE_TO_BRAND = "Has nothing to do with this brand, as far as is known."
NOT_ON_TOPIC = "Nothing that this account wrote or shared about this topic is known."
WITHIN_COMMUNITY = "The value is relative to the account's own community."


@dataclass(frozen=True)
class Question:
    """What is asked of candidates, beside where.

    Attributes:
        brand, topic: measure affinity and relevance to these.
        brief: measure relevance to this text instead of a topic.
        recipe: that of the objective.
        weights, lenses: those given with the question, of parts and of lenses as extra parts; they win over the
            recipe's, and these over the run's.
        tracks, roles, size_band: filters; empty or None: any. They select, and change no rank.
        standing: filter: advocates, or untapped, of the brand.
    """

    brand: str | None = None
    topic: str | None = None
    brief: Brief | None = None
    recipe: Recipe | None = None
    weights: PartWeights | None = None
    lenses: LensShares = field(default_factory=dict)
    tracks: tuple[Track, ...] = ()
    roles: tuple[RoleName, ...] = ()
    size_band: SizeBand | None = None
    standing: str | None = None

    @property
    def prepared(self) -> bool:
        """Whether the published candidates answer it as they are."""
        return self == Question()

    @property
    def mix(self) -> tuple[PartWeights | None, LensShares]:
        """Weights of the parts, None for those of the run, and of lenses: of the question, or else of its recipe."""
        if self.weights is not None or self.recipe is None:
            return self.weights, self.lenses
        return self.recipe.weights, self.recipe.lenses

    @property
    def scoring(self) -> Scoring:
        """What ranks depend on: brand, topic, brief and weights, but no filter."""
        weights, lenses = self.mix
        return self.brand, self.topic, None if self.brief is None else self.brief.text, weights, tuple(lenses.items())


@dataclass(frozen=True)
class Population:
    """Candidates that are compared with each other, of one community or of several.

    Attributes:
        communities: length k, id of each candidate's community; `labels` of each community.
        lines: length k, their documents as published.
        candidates: length k, each `domain.CandidateBasis` as parsed JSON.
        size: how many accounts are compared: the base.
        base: float64[size] by part, ascending; parts that are null are not in it.
        null_reasons: why of the others.
        raw: float64[6, k] in the order of PART_NAMES, as it is compared; NaN where a part is null.
        replicates: float32[r, k, 4], columns as `intervals.REWEIGHTED`, as they are compared.
        topics: of each community, relevance to each topic of those of its base who have it, as base64.
        named: what the population is called.
        words: of each community, what accounts say; filled when the first brief comes.
        defined: whether it is a community that people defined, whose members are of several that were found.
        lenses: what lenses say, by lens; each is filled when the first question comes that gives it weight.
    """

    communities: list[str]
    labels: dict[str, str]
    lines: list[bytes]
    candidates: list[dict[str, Any]]
    size: int
    base: dict[PartName, Float64]
    null_reasons: dict[PartName, str]
    raw: Float64
    replicates: Float32
    topics: list[dict[str, str]]
    named: str
    documents: dict[int, Document] = field(default_factory=dict)
    rankings: dict[Scoring, Ranking] = field(default_factory=dict)
    words: list[CommunityWords] = field(default_factory=list)
    lenses: dict[LensName, LensMeasure] = field(default_factory=dict)
    defined: bool = False

    @cached_property
    def x(self) -> Float64:
        """Scores of the raw values by their places in the base: float64[6, k], NaN where a part is null."""
        x = np.full(self.raw.shape, np.nan)
        for row, part in enumerate(PART_NAMES):
            if part in self.base:
                x[row] = scores_among(self.base[part], self.size, self.raw[row])
        return x

    @cached_property
    def x_again(self) -> Float64:
        """The same of the reweighted values: float64[4, r, k]; 0 where a part is null."""
        return replicate_x(self.replicates, {part: values for part, values in self.base.items() if part in REWEIGHTED})

    @cached_property
    def order(self) -> Int64:
        """Places of candidates in the order of their keys, by which ties of score are broken: int64[k]."""
        keys = [one["key"] for one in self.candidates]
        return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], self.communities[i])), dtype=np.int64)

    def document(self, i: int) -> Document:
        """The published document of a candidate, taken apart; those asked for lately are kept."""
        if i not in self.documents:
            while len(self.documents) >= DOCUMENTS_KEPT:
                self.documents.pop(next(iter(self.documents)))
            self.documents[i] = Document(self.lines[i])
        return self.documents[i]

    def ranking(self, question: Question, rules: ScoringRules) -> Ranking:
        """The ranking that answers a question; those asked for lately are kept."""
        asked = question.scoring
        if asked not in self.rankings:
            while len(self.rankings) >= RANKINGS_KEPT:
                self.rankings.pop(next(iter(self.rankings)))
            self.rankings[asked] = rank_candidates(self, question, rules)
        return self.rankings[asked]


RANKINGS_KEPT, DOCUMENTS_KEPT = 32, 200
"""Rankings of a population, and documents taken apart, that are kept; the oldest go first."""


@dataclass(frozen=True)
class Ranking:
    """Candidates in the order in which they answer a question; arrays are by rank unless said otherwise.

    Attributes:
        question: the one that was asked first; others may differ in filters.
        places: int64[q], which candidates of the population, best first; a brand's detractors are left out.
        score: int64[q], in millionths.
        intervals: of their ranks.
        raw, x: float64[parts, q], NaN where a part is null. points: int64[parts, q].
        weights, null_reasons: in force; weights are of the six parts, then of the lenses that were given any.
        detractors: how many were left out.
        untapped: bool[q].
        brief: the brief as it was measured, if one was asked; its arrays are by candidate of the population.
        lenses: those that have weight, as they were measured; likewise.
    """

    question: Question
    places: Int64
    score: Int64
    intervals: Intervals
    raw: Float64
    x: Float64
    points: Int64
    weights: dict[ScorePart, float]
    null_reasons: dict[ScorePart, str]
    detractors: int
    untapped: Bool
    brief: BriefMeasure | None
    lenses: tuple[LensMeasure, ...]
    evidence_items: int

    @property
    def parts(self) -> tuple[ScorePart, ...]:
        """What the rows of the arrays are of."""
        return tuple(self.weights)


def scores_among(base: Float64, size: int, values: Float64) -> Float64:
    """Score values that are among those of a base by their places (`scoring.score_table`); 0 for 0.

    Args:
        base: ascending; those of `size` accounts, of which the ones that are not in it have 0.
        size: accounts compared.
        values: float64[k].
    """
    zeros = size - len(base)
    places = np.searchsorted(base, values) + np.searchsorted(base, values, side="right") + 2 * zeros
    return np.where(values == 0, 0.0, score_table(size)[places])


def rank_candidates(population: Population, question: Question, rules: ScoringRules) -> Ranking:
    """Rank the candidates of a population by what a question asks for.

    Args:
        population: whom to rank.
        question: what they are ranked by; filters do not matter.
        rules: those of the run.
    """
    raw, x = population.raw.copy(), population.x.copy()
    null: dict[ScorePart, str] = dict(population.null_reasons.items())
    count = len(population.candidates)
    places = population.order
    standings: list[dict[str, Any] | None] = [None] * count
    if question.topic is not None:
        _measure_topic(population, question.topic, rules, raw, x, null)
    brief = None
    if question.brief is not None:
        brief = measure_brief(question.brief, population.words, count)
        _measure_brief(population, brief, raw, x, null)
    if question.brand is not None:
        found = [one["brands"].get(question.brand) for one in population.candidates]
        standings = [None if one is None else one["standing"] for one in found]
        affinity = np.array([0.0 if one is None else one["affinity"] for one in standings])
        row = PART_NAMES.index("affinity")
        raw[row], x[row] = affinity, affinity
        null.pop("affinity", None)
        against = np.array([one is not None and one["detractor"] for one in standings], dtype=np.bool_)
        places = places[~against[places]]
    of_parts, of_lenses = question.mix
    asked: dict[ScorePart, float] = dict(by_part(of_parts or rules.weights).items())
    asked.update((lens_part(lens), weight) for lens, weight in of_lenses.items())
    lenses = tuple(population.lenses[lens] for lens in of_lenses)
    raw, x = _with_lenses(population, lenses, raw, x, null)
    weights = weights_in_force(asked, null)
    points = points_of(x, weights)
    score = points.sum(axis=0)
    places = places[np.argsort(-score[places], kind="stable")]
    fixed = np.asarray(sum(points[row] for row, part in enumerate(weights) if part not in REWEIGHTED), dtype=np.int64)
    again, ranks = replicate_scores(population.x_again, weights, fixed), np.zeros(count, dtype=np.int64)
    ranks[places] = np.arange(1, len(places) + 1)
    if len(places) < count:
        again, ranks = again[:, ranks > 0], ranks[ranks > 0]
    by_rank = np.argsort(ranks)
    intervals = Intervals(*(values[by_rank] for values in rank_intervals(again, ranks, rules.interval)))
    return Ranking(
        question=question,
        places=places,
        score=score[places],
        intervals=intervals,
        raw=raw[:, places],
        x=x[:, places],
        points=points[:, places],
        weights=weights,
        null_reasons=null,
        detractors=count - len(places),
        untapped=_untapped([standings[i] for i in places.tolist()], question, rules),
        brief=brief,
        lenses=lenses,
        evidence_items=rules.evidence_items,
    )


def _measure_topic(
    population: Population, topic: str, rules: ScoringRules, raw: Float64, x: Float64, null: dict[ScorePart, str]
) -> None:
    """Put relevance to a topic in place of relevance to what communities talk about."""
    row = PART_NAMES.index("relevance")
    packed = [of[topic] for of in population.topics if topic in of]
    if not packed:
        raw[row], x[row] = np.nan, np.nan
        null["relevance"] = NOBODY_ON_TOPIC
        return
    base = np.sort(np.concatenate([unpacked(one) for one in packed]))
    posts = np.array([one["topics"].get(topic, NO_POSTS)[0] for one in population.candidates], dtype=np.float64)
    every = np.array([one["topic_posts"] for one in population.candidates], dtype=np.float64)
    raw[row] = significant(posts / (every + rules.relevance_prior_posts))
    x[row] = scores_among(base, population.size, raw[row])
    null.pop("relevance", None)


def _measure_brief(
    population: Population, brief: BriefMeasure, raw: Float64, x: Float64, null: dict[ScorePart, str]
) -> None:
    """Put relevance to a brief in place of relevance to what communities talk about."""
    row = PART_NAMES.index("relevance")
    if not len(brief.base):
        raw[row], x[row] = np.nan, np.nan
        null["relevance"] = NOBODY_ON_BRIEF
        return
    raw[row] = brief.raw
    x[row] = scores_among(brief.base, population.size, brief.raw)
    null.pop("relevance", None)


def _with_lenses(
    population: Population, lenses: Sequence[LensMeasure], raw: Float64, x: Float64, null: dict[ScorePart, str]
) -> tuple[Float64, Float64]:
    """Add a row to raw values and to x for each lens, NaN where nobody who is compared has a value."""
    for one in lenses:
        own = np.full((2, len(one.raw)), np.nan)
        if one.null_reason is None:
            own[0], own[1] = one.raw, scores_among(one.base, population.size, one.raw)
        else:
            null[lens_part(one.lens)] = one.null_reason
        raw, x = np.vstack([raw, own[0]]), np.vstack([x, own[1]])
    return raw, x


def _untapped(standings: list[dict[str, Any] | None], question: Question, rules: ScoringRules) -> Bool:
    """Say who is in the top share of their track and has not spoken well of the brand: bool[q], by rank."""
    untapped = np.zeros(len(standings), dtype=np.bool_)
    if question.brand is None:
        return untapped
    tracks: dict[str, list[int]] = {}
    for position, one in enumerate(standings):
        tracks.setdefault("open" if one is None else one["track"], []).append(position)
    for positions in tracks.values():
        for position in positions[: share_of(rules.untapped_share, len(positions))]:
            standing = standings[position]
            untapped[position] = standing is None or not standing["spoken_well"]
    return untapped


def selected(
    population: Population, ranking: Ranking, question: Question, hides: Callable[[str], bool] = lambda _: False
) -> list[int]:
    """Positions in a ranking of those that pass the filters of a question and may be named, best first.

    With a brand, the track is the one that relations to this brand lead to, else that of any brand.
    """
    positions = [at for at, i in enumerate(ranking.places.tolist()) if not hides(population.candidates[i]["key"])]
    if not (question.tracks or question.roles or question.size_band or question.standing):
        return positions
    found = []
    for position in positions:
        one = population.candidates[int(ranking.places[position])]
        of_brand = one["brands"].get(question.brand) if question.brand is not None else None
        track = one["track"] if question.brand is None else of_brand["standing"]["track"] if of_brand else "open"
        if question.tracks and track not in question.tracks:
            continue
        if question.roles and not set(question.roles) & set(one["roles"]):
            continue
        if question.size_band and one["size_band"] != question.size_band:
            continue
        if question.standing == "untapped" and not ranking.untapped[position]:
            continue
        if question.standing == "advocate" and not (of_brand and of_brand["standing"]["advocate"]):
            continue
        found.append(position)
    return found


# --- documents --------------------------------------------------------------------------------------------------------


class Document:
    """A published candidate taken apart: what a question does not change stays as JSON."""

    def __init__(self, line: bytes) -> None:
        parsed = from_json(line)
        self.parts: list[dict[str, Any]] = parsed["parts"]
        self.evidence = [to_json(part.pop("evidence")) for part in self.parts]
        self.reasons: list[dict[str, Any]] = parsed["reasons"]
        self.population: str = parsed["population"]
        self.fields: dict[str, bytes] = {name: to_json(value) for name, value in parsed.items()}


def document(population: Population, ranking: Ranking, position: int, brand_name: str | None) -> bytes:
    """Write the candidate at a position of a ranking as it answers the question: a `domain.Candidate` as JSON."""
    i = int(ranking.places[position])
    one, prepared, question = population.candidates[i], population.document(i), ranking.question
    of_brand = one["brands"].get(question.brand) if question.brand is not None else None
    score = int(ranking.score[position])
    changed = {
        "rank": position + 1,
        "rank_interval": {
            "low": int(ranking.intervals.low[position]),
            "high": int(ranking.intervals.high[position]),
            "tied_with": int(ranking.intervals.tied_with[position]),
        },
        "score": score / MILLION,
        "score_millionths": score,
        "population": population_of(population, ranking, brand_name),
        "reasons": _reasons(population, ranking, position, of_brand),
    }
    fields = dict(prepared.fields)
    fields.update((name, to_json(value)) for name, value in changed.items())
    if question.brand is not None:
        standing = of_brand["standing"] if of_brand else no_standing(question.brand, brand_name)
        fields["brand"] = to_json({**standing, "untapped": bool(ranking.untapped[position])})
        fields["track"] = to_json(standing["track"])
    parts = [_part(population, ranking, position, row, prepared, of_brand) for row in range(len(PART_NAMES))]
    parts += [_lens_part(population, ranking, position, row) for row in range(len(PART_NAMES), len(ranking.parts))]
    fields["parts"] = b"[" + b",".join(parts) + b"]"
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items()) + b"}"


def population_of(population: Population, ranking: Ranking, brand_name: str | None) -> str:
    """Say whom scores compare, and who was left out."""
    if not ranking.detractors:
        return population.named
    who = "detractor" if ranking.detractors == 1 else "detractors"
    return f"{population.named}; {ranking.detractors:,} {who} of {brand_name or ranking.question.brand} left out"


def no_standing(brand: str, brand_name: str | None) -> dict[str, Any]:
    """The standing of an account that has nothing to do with a brand."""
    return BrandStanding(
        brand=brand, brand_name=brand_name, track="open", relations=(), relation_strength=0, mention_strength=0,
        affinity=0, favourable_unpaid=0, favourable=0, unfavourable=0, other_mentions=0, exchanges=0,
        answered_share=None, last_contact=None, spoken_well=False, advocate=False, detractor=False,
    ).model_dump(mode="json")  # fmt: skip


def _part(
    population: Population,
    ranking: Ranking,
    position: int,
    row: int,
    prepared: Document,
    of_brand: dict[str, Any] | None,
) -> bytes:
    name, question, part = PART_NAMES[row], ranking.question, dict(prepared.parts[row])
    evidence = prepared.evidence[row]
    one = population.candidates[int(ranking.places[position])]
    part["weight"] = ranking.weights[name]
    if name in ranking.null_reasons:
        part.update(raw=None, x=None, points=None, points_millionths=None, note=None)
        part["null_reason"], evidence = ranking.null_reasons[name], b"[]"
    else:
        points = int(ranking.points[row, position])
        part.update(x=float(ranking.x[row, position]), points=points / MILLION, points_millionths=points)
        part["null_reason"] = None
        if name == "relevance" and question.topic is not None:
            raw = float(ranking.raw[row, position])
            posts, first, post, latest = one["topics"].get(question.topic, NO_POSTS)
            part.update(raw=raw, note=None if posts else NOT_ON_TOPIC)
            item = {
                "kind": "topic", "account": one["key"], "topic": question.topic, "posts": posts,
                "first": time_of(first), "post": post or None, "latest": time_of(latest),
                "contribution": raw, "share": 1.0,
            }  # fmt: skip
            evidence = to_json([item] if posts else [])
        elif name == "relevance" and ranking.brief is not None:
            raw = float(ranking.raw[row, position])
            part.update(raw=raw, note=None if raw else NOT_ON_BRIEF)
            said = ranking.brief.strongest(int(ranking.places[position]), ranking.evidence_items)
            evidence = to_json([_word_evidence(one["key"], word, raw) for word in said])
        elif name == "affinity":
            part.update(raw=float(ranking.raw[row, position]), note=None if of_brand else NO_TIE_TO_BRAND)
            evidence = to_json(of_brand["evidence"] if of_brand else [])
        elif part["raw"] is None:  # of several communities, this one lacks the data
            part.update(raw=0.0, note=prepared.parts[row]["null_reason"])
        elif name == "authority" and len(population.labels) > 1:
            part["note"] = f"Compared as {ranking.raw[row, position]:.3g} times the average of its community."
    return to_json(part)[:-1] + b',"evidence":' + evidence + b"}"


def _lens_part(population: Population, ranking: Ranking, position: int, row: int) -> bytes:
    """A lens as a part: a `domain.Part`."""
    name, lens, i = ranking.parts[row], ranking.lenses[row - len(PART_NAMES)], int(ranking.places[position])
    nothing: dict[str, Any] = dict.fromkeys(("raw", "x", "points", "points_millionths", "null_reason", "note"))
    part = {"part": name, "weight": ranking.weights[name], **nothing, "evidence": []}
    if lens.null_reason is not None:
        return to_json({**part, "null_reason": lens.null_reason})
    points = int(ranking.points[row, position])
    part |= {"raw": lens.raw[i], "x": float(ranking.x[row, position])}
    part |= {"points": points / MILLION, "points_millionths": points}
    said = lens.said(i)
    if said["value"] is None:
        part["note"] = said["reason"]
    else:
        part["evidence"] = lens.evidence(population.candidates[i]["key"], i, said["parts"])
        several = population.defined or len(population.labels) > 1
        part["note"] = WITHIN_COMMUNITY if several and lens.lens in WITHIN_COMMUNITIES else None
    return to_json(part)


def _word_evidence(account: str, said: SaidWord, raw: float) -> dict[str, Any]:
    """A `domain.WordEvidence`."""
    return {
        "kind": "word", "account": account, "word": said.word, "posts": said.posts, "post": said.post or None,
        "latest": time_of(said.latest), "contribution": said.counts,
        "share": float(significant(np.array([said.counts / raw]))[0]),
    }  # fmt: skip


def _reasons(
    population: Population, ranking: Ranking, position: int, of_brand: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Reasons of parts that gave points, most points first, then all others; those of the brand belong to affinity."""
    i = int(ranking.places[position])
    prepared, one, question = population.document(i), population.candidates[i], ranking.question
    reasons_of: dict[str, list[dict[str, Any]]] = {}
    rest = []
    for reason in prepared.reasons:
        if reason["about"] in PART_NAMES:
            reasons_of.setdefault(reason["about"], []).append(reason)
        else:
            rest.append(reason)
    if question.topic is not None:
        posts = one["topics"].get(question.topic, NO_POSTS)[0]
        said = relevance_reason(posts, one["topic_posts"], (question.topic,)) if posts else None
        reasons_of["relevance"] = [said.model_dump()] if said else []
    if ranking.brief is not None:
        asked = len(ranking.brief.accounts)
        words = [(one.word, one.posts) for one in ranking.brief.strongest(i, asked)]
        reasons_of["relevance"] = [brief_reason(words, asked).model_dump()] if words else []
    if of_brand is not None:
        reasons_of["affinity"] = of_brand["reasons"]
        rest = [reason for reason in rest if reason not in of_brand["reasons"]]
    for lens in ranking.lenses:
        standing = lens_reason(lens.lens, float(lens.raw[i]), lens.ahead(i), population.size)
        reasons_of[lens_part(lens.lens)] = [standing.model_dump()]
    points = ranking.points[:, position].tolist()
    order = sorted((row for row in range(len(points)) if points[row]), key=lambda row: -points[row])
    return [reason for row in order for reason in reasons_of.get(ranking.parts[row], [])] + rest


# --- populations ------------------------------------------------------------------------------------------------------


def community_population(
    label: str, lines: Sequence[bytes], basis: Sequence[bytes], *, defined: bool = False
) -> Population:
    """The candidates of one community, compared with its base.

    Args:
        label: of the community.
        lines: its published candidates, by rank.
        basis: its published basis.
        defined: whether people defined it.
    """
    head, candidates = from_json(basis[0]), [from_json(line) for line in basis[1:]]
    base = {part: unpacked(values) for part, values in head["raw"].items()}
    noun = "account" if head["base"] == 1 else "accounts"
    return Population(
        communities=[head["community"]] * len(candidates),
        labels={head["community"]: label},
        lines=list(lines),
        candidates=candidates,
        size=head["base"],
        base=base,
        null_reasons=head["null_reasons"],
        raw=_raws(candidates, 1),
        replicates=_replicates(candidates),
        topics=[head["topics"]],
        named=f"{head['base']:,} {noun} of community {head['community']} that pass the integrity gates",
        defined=defined,
    )


def union_population(parts: Sequence[tuple[str, Sequence[bytes], Sequence[bytes]]]) -> Population:
    """The candidates of several communities together, compared with all their bases.

    PageRank sums to 1 in each community, so authority is taken times the community's size: how many times the average
    of its own community an account has. A part that only some communities lack the data for is 0 there.

    Args:
        parts: label, candidates and basis of each, as of `community_population`.
    """
    labels, communities, lines, candidates = {}, [], [], []
    raws, replicates, topics, size = [], [], [], 0
    base: dict[PartName, list[Float64]] = {}
    lacking: list[set[PartName]] = []
    for label, of_lines, of_basis in parts:
        head = from_json(of_basis[0])
        found = [from_json(line) for line in of_basis[1:]]
        labels[head["community"]] = label
        communities += [head["community"]] * len(found)
        lines += list(of_lines)
        candidates += found
        size += head["base"]
        topics.append(head["topics"])
        lacking.append(set(head["null_reasons"]))
        for part, values in head["raw"].items():
            times = head["size"] if part == "authority" else 1
            base.setdefault(part, []).append(unpacked(values) * times)
        raws.append(_raws(found, head["size"]))
        of_turns = _replicates(found).astype(np.float64)
        of_turns[:, :, 0] *= head["size"]
        replicates.append(of_turns.astype(np.float32))
    null = set.intersection(*lacking) if lacking else set(NULL_REASONS)
    raw = np.concatenate(raws, axis=1) if raws else np.zeros((len(PART_NAMES), 0))
    for row, part in enumerate(PART_NAMES):
        if part not in null:
            raw[row] = np.where(np.isnan(raw[row]), 0.0, raw[row])
    turns = [one for one in replicates if one.shape[1]]
    return Population(
        communities=communities,
        labels=labels,
        lines=lines,
        candidates=candidates,
        size=size,
        base={part: _filled(values, size) for part, values in base.items()},
        null_reasons={part: NULL_REASONS[part] for part in PART_NAMES if part in null},
        raw=raw,
        replicates=np.concatenate(turns, axis=1) if turns else np.zeros((0, 0, 4), np.float32),
        topics=topics,
        named=f"{size:,} accounts of {len(labels):,} respectable communities that pass the integrity gates",
    )


def _filled(values: list[Float64], size: int) -> Float64:
    """Raw values of all bases together, ascending, with 0 for those of communities without the data."""
    known = np.concatenate(values)
    return np.sort(np.concatenate([np.zeros(size - len(known)), known]))


def _raws(candidates: list[dict[str, Any]], size: int) -> Float64:
    """Raw values of candidates: float64[6, k], NaN where a part is null; authority times `size`."""
    raw = np.full((len(PART_NAMES), len(candidates)), np.nan)
    for i, one in enumerate(candidates):
        for row, part in enumerate(PART_NAMES):
            if part in one["raw"]:
                raw[row, i] = one["raw"][part] * (size if part == "authority" else 1)
    return raw


def _replicates(candidates: list[dict[str, Any]]) -> Float32:
    """Reweightings of candidates: float32[r, k, 4]."""
    columns = [
        np.frombuffer(base64.b64decode(one["replicates"]), dtype="<f4").reshape(-1, len(REWEIGHTED))
        for one in candidates
    ]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((0, 0, len(REWEIGHTED)), np.float32)
