"""Would scores of before have said who is responded to afterwards? Rankings of one time against outcomes of the next.

Within each community of the time before, everybody who could be a candidate (the base without macros) is ranked by the
ambassador score, by each of its parts, through each lens, and by what is simple to count: followers, ties, PageRank,
interactions received so far, and nothing at all. What each of them was worth is counted afterwards: interactions
received from the community, and members who respond for the first time.

Intervals: each draw takes communities with replacement, and gives every member who responds an exponential weight of
mean 1 (the Bayesian bootstrap, Rubin 1981): what would have been measured in other communities like these, had other
people responded. All rankings see the same draws, so that differences have intervals of their own. Weights add noise
to what accounts are worth, which brings every ranking nearer to chance; so an interval is moved until the mean of the
draws is what was seen (cf. Efron and Tibshirani 1993, chapter 10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from service.analytics.forecast import expected_responses
from service.analytics.past import day_span, responses
from service.analytics.ranking_quality import at_places, discounts, ndcg, precision, standard_ranks
from service.analytics.scoring import MACRO, by_part, exponential_scores, points_of, weights_in_force
from service.analytics.ties import tie_graph
from service.domain import (
    LENS_NAMES,
    LENS_PARTS,
    OUTCOMES,
    PART_NAMES,
    SMALL_FOLLOWERS,
    Analysis,
    BacktestSpec,
    Community,
    CommunityScores,
    Coverage,
    Float64,
    Graph,
    Int32,
    Int64,
    LensName,
    MeasuredCommunity,
    Outcome,
    Progress,
    QualityMeasure,
    RankingFigure,
    RankingKind,
    ScorePart,
    lens_part,
)
from service.errors import NothingToTest

BASELINES = ("engagement", "followers", "degree", "pagerank", "random")
"""Interactions received from the community so far; followers in the graph; ties both ways; PageRank over the whole
network; every order as likely as any other."""

RANKINGS: dict[str, RankingKind] = {
    "score": "score",
    **dict.fromkeys(PART_NAMES[:-1], "part"),
    **dict.fromkeys(LENS_PARTS, "lens"),
    **dict.fromkeys(BASELINES, "baseline"),
}
"""All rankings by name, and of which kind they are. Affinity is none: a back-test is about no brand."""

DIGITS = 6
"""Figures are rounded to so many decimals, so that last bits do not show."""

Key = tuple[Outcome, QualityMeasure, int | None]


@dataclass(frozen=True)
class Ranked:
    """Those of a community who are ranked, and by what; whoever computed it has not seen what came afterwards.

    Attributes:
        community: the community, as it was before.
        members: int64[k], all its members, positions in the graph of before, ascending.
        ranked: int64[r], which of `members` are ranked, ascending.
        x: float64[5, r], x of the parts but affinity, NaN where a part is null.
        values: float64[r, len(RANKINGS)], by what each ranking orders them, in the order of RANKINGS.
    """

    community: Community
    members: Int64
    ranked: Int64
    x: Float64
    values: Float64


@dataclass(frozen=True)
class Outcomes:
    """Who responded to whom afterwards in one community: parallel arrays, a pair once.

    Attributes:
        who: int64[p], position among the members of whoever responded.
        whom: int64[p], position among those who are ranked.
        count: float64[p], interactions.
        new: float64[p], 1 where it had never done so before, else 0.
    """

    who: Int64
    whom: Int64
    count: Float64
    new: Float64

    def worth(self, outcome: Outcome, ranked: int, weight: Float64 | None = None) -> Float64:
        """What each of those ranked was worth: float64[ranked]; `weight` is what each member's responses count."""
        value = self.count if outcome == "engagement" else self.new
        counted = np.bincount(self.whom, value if weight is None else value * weight[self.who], minlength=ranked)
        return counted.astype(np.float64)


def cut_days(graph: Graph, spec: BacktestSpec) -> tuple[int, int, int]:
    """First day with interactions, first day afterwards, and the one after the last that counts, in days since 1970.

    Raises:
        NothingToTest: there are no interactions, or none on one of the two sides.
    """
    span = day_span(graph)
    if span is None:
        raise NothingToTest(
            "The graph holds no interactions, and a back-test measures who is responded to; import some with "
            "`entourage import FILE --kind interactions`, or push them."
        )
    first, end = span
    shown = f"{date_of(first)} to {date_of(end - 1)}"
    cut = first + round(spec.share * (end - first)) if spec.cut is None else (spec.cut - date(1970, 1, 1)).days
    if not first < cut < end:
        raise NothingToTest(
            f"Interactions are of {shown}; the cut ({date_of(cut)}) must be after the first of these days "
            "and not after the last."
        )
    return first, cut, end if spec.horizon_days is None else min(end, cut + spec.horizon_days)


def date_of(day: int) -> date:
    """The date of a day in days since 1970."""
    return date(1970, 1, 1) + timedelta(days=day)


def rank_members(was: Graph, analysis: Analysis, spec: BacktestSpec) -> Iterator[Ranked | tuple[Community, str]]:
    """Rank the members of each community of the time before; of those left out, say why instead.

    Args:
        was: the graph of the time before, and nothing else: what is not in it cannot count.
        analysis: of that graph, with the measure `pagerank` and all lenses.
        spec: how many count from the top; the rules.
    """
    ties = tie_graph(was, spec.rules)
    degree = np.diff(ties.in_ptr) + np.bincount(ties.in_idx, minlength=was.n)
    so_far = _received_inside(was, analysis.labels, day_span(was))
    followers, pagerank = np.diff(was.in_ptr), analysis.measures["pagerank"]
    for community, scores in zip(analysis.communities, analysis.scores[: len(analysis.communities)], strict=True):
        if not community.respectable:
            yield community, "not respectable"
            continue
        members = scores.members.astype(np.int64)
        ranked = np.flatnonzero(scores.in_base & (scores.type != MACRO))
        if len(ranked) < 2 * spec.first[0]:
            yield community, "too few to rank"
            continue
        some = members[ranked]
        simple = {
            "engagement": so_far[some],
            "followers": followers[some],
            "degree": degree[some],
            "pagerank": pagerank[some],
            "random": np.zeros(len(ranked)),
        }
        parts = np.nan_to_num(scores.raw[: len(PART_NAMES) - 1, ranked])
        lenses = {lens.lens: lens.value[members] for lens in analysis.lenses}
        score = _mixed_score(scores, lenses, spec)[ranked] if spec.lenses else scores.score[ranked]
        values = [score, *parts, *(lenses[name][ranked] for name in LENS_NAMES), *(simple[name] for name in BASELINES)]
        yield Ranked(
            community=community,
            members=members,
            ranked=ranked,
            x=scores.x[: len(PART_NAMES) - 1, ranked],
            values=np.stack([np.asarray(one, dtype=np.float64) for one in values], axis=1),
        )


def _mixed_score(scores: CommunityScores, lenses: Mapping[LensName, Int64], spec: BacktestSpec) -> Int64:
    """Score the members of a community by parts and lenses together: int64[k] in millionths, 0 outside the base.

    Args:
        scores: of the community.
        lenses: int64[k] of each lens, 0 for who has no value.
        spec: what lenses weigh; the parts share what is left as its rules say.
    """
    base = np.flatnonzero(scores.in_base)
    x = np.full((len(PART_NAMES) + len(spec.lenses), len(base)), np.nan)
    x[: len(PART_NAMES)] = scores.x[:, base]
    left = 1 - sum(spec.lenses.values())
    of_parts = weights_in_force(by_part(spec.rules.weights), [])
    weights: dict[ScorePart, float] = {part: weight * left for part, weight in of_parts.items()}
    null: set[ScorePart] = {*scores.null_reasons}
    for row, (lens, weight) in enumerate(spec.lenses.items(), len(PART_NAMES)):
        weights[lens_part(lens)] = weight
        if lenses[lens][base].any():
            x[row] = exponential_scores(lenses[lens][base].astype(np.float64))
        else:
            null.add(lens_part(lens))
    score = np.zeros(len(scores.members), dtype=np.int64)
    score[base] = points_of(x, weights_in_force(weights, null)).sum(axis=0)
    return score


def _received_inside(was: Graph, labels: Int32, days: tuple[int, int] | None) -> Float64:
    """Interactions of some days that each account received from others of its community: float64[n]."""
    if days is None:
        return np.zeros(was.n)
    who, whom, count = responses(was, *days)
    inside = (labels[who] == labels[whom]) & (labels[who] >= 0)
    return np.bincount(whom[inside], count[inside], minlength=was.n).astype(np.float64)


def outcomes_after(
    graph: Graph, there: Int64, labels: Int32, ranked: list[Ranked], days: tuple[int, int]
) -> list[Outcomes]:
    """Look up what came afterwards of communities.

    Args:
        graph: of now.
        there: int64, position in `graph` of each account of the graph of before.
        labels: int32, community of each of these in canonical order, -1 for none.
        ranked: the communities as they were.
        days: first day of the time afterwards and the one after its last, in days since 1970 UTC.
    """
    label = np.full(graph.n, -1, dtype=np.int64)
    label[there] = labels
    who, whom, count = responses(graph, *days)
    inside = (label[who] == label[whom]) & (label[who] >= 0)
    who, whom, count = who[inside], whom[inside], count[inside]
    before_who, before_whom, _ = responses(graph, int(graph.engaged_day.min(initial=days[0])), days[0])
    new = ~np.isin(who * graph.n + whom, before_who * graph.n + before_whom)
    by_community = np.argsort(label[who], kind="stable")
    ordered = label[who[by_community]]
    member, place = np.full(graph.n, -1, dtype=np.int64), np.full(graph.n, -1, dtype=np.int64)
    found: list[Outcomes] = []
    for one in ranked:
        now = there[one.members]
        member[now], place[now[one.ranked]] = np.arange(len(now)), np.arange(len(one.ranked))
        here = label[now[0]]
        rows = by_community[np.searchsorted(ordered, here) : np.searchsorted(ordered, here, side="right")]
        rows = rows[place[whom[rows]] >= 0]
        found.append(
            Outcomes(
                who=member[who[rows]],
                whom=place[whom[rows]],
                count=count[rows].astype(np.float64),
                new=new[rows].astype(np.float64),
            )
        )
    return found


def coverage(
    was: Graph, labels: Int32, found: list[tuple[Ranked, Outcomes]], days: tuple[int, int, int], spec: BacktestSpec
) -> Coverage | None:
    """Compare what small accounts received afterwards with what was expected of them.

    Args:
        was: the graph of the time before.
        labels: community of each of its accounts.
        found: communities with what came of them.
        days: first day with interactions, first day afterwards and the one after its last.
        spec: its rules say how long the window before the cut is.

    Returns:
        None where nothing could be expected of anybody.
    """
    began, cut, until = days
    window = min(spec.rules.window_days, cut - began) // 2 * 2
    if window == 0:
        return None
    halves = [
        _received_inside(was, labels, (cut - window + half * window // 2, cut - window + (half + 1) * window // 2))
        for half in range(2)
    ]
    followers = np.diff(was.in_ptr)
    accounts = below = above = 0
    for ranked, after in found:
        members = ranked.members[ranked.ranked]
        expected = expected_responses(halves[0][members], halves[1][members], window, until - cut, spec.interval)
        if expected is None:
            continue
        small = followers[members] < SMALL_FOLLOWERS
        received = after.worth("engagement", len(members))
        accounts += int(np.count_nonzero(small))
        below += int(np.count_nonzero(small & (received < expected[0])))
        above += int(np.count_nonzero(small & (received > expected[1])))
    if not accounts:
        return None
    return Coverage(
        accounts=accounts,
        interval=spec.interval,
        covered=_rounded((accounts - below - above) / accounts),
        below=_rounded(below / accounts),
        above=_rounded(above / accounts),
    )


def measure_rankings(
    found: list[tuple[Ranked, Outcomes]],
    spec: BacktestSpec,
    progress: Progress,
    rankings: Mapping[str, RankingKind] = RANKINGS,
) -> tuple[list[RankingFigure], list[MeasuredCommunity], Counter[str]]:
    """Measure how well each ranking put those first who counted afterwards.

    Args:
        found: communities of the time before with what came of them.
        spec: how many count, draws, interval, seed.
        progress: told of stage `outcomes`, a step for each community.
        rankings: names and kinds of the columns of `Ranked.values`; the others are compared with the first.

    Returns:
        The figures, the communities measured, and how many were left out because nobody was responded to.

    Raises:
        NothingToTest: nothing is left to measure.
    """
    usable = [(ranked, after) for ranked, after in found if after.worth("engagement", len(ranked.ranked)).any()]
    if not usable:
        raise NothingToTest(
            "No community of the time before can be measured: none is respectable, has enough members to rank and was "
            "responded to afterwards. Move the cut, lengthen the time afterwards, or lower `first`."
        )
    sums: dict[Key, _Sum] = {}
    for place, (ranked, after) in enumerate(usable):
        for key in _keys(ranked, after, spec):
            sums.setdefault(key, _Sum()).communities.append(place)
    for one in sums.values():
        one.draw(spec)
    for place, (ranked, after) in enumerate(usable):
        progress("outcomes", place, len(usable))
        for key, rows in _measure_one(ranked, after, spec, seed=(spec.seed, place)).items():
            sums[key].add(place, rows)
    progress("outcomes", len(usable), len(usable))
    measured = [
        MeasuredCommunity(
            id=ranked.community.id,
            label=ranked.community.label,
            size=ranked.community.size,
            ranked=len(ranked.ranked),
            engagement=int(after.worth("engagement", len(ranked.ranked)).sum()),
            responders=int(after.worth("responders", len(ranked.ranked)).sum()),
        )
        for ranked, after in usable
    ]
    figures = [figure for key in sorted(sums, key=_order) for figure in _figures(key, sums[key], spec, rankings)]
    silent = Counter({"nobody responded to": len(found) - len(usable)} if len(found) > len(usable) else {})
    return figures, measured, silent


@dataclass
class _Sum:
    """One measure of all rankings, added up over communities: as it was seen, and in each draw.

    `times` is int64[draws, communities], how often each draw takes each community; `seen` is float64[rankings], `drawn`
    float64[draws, rankings].
    """

    communities: list[int] = field(default_factory=list)
    times: Int64 = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    seen: Float64 | None = None
    drawn: Float64 | None = None

    def draw(self, spec: BacktestSpec) -> None:
        """Choose communities with replacement, as many as there are, for each draw."""
        count = len(self.communities)
        chosen = np.random.default_rng(spec.seed).integers(0, count, (spec.draws, count))
        self.times = np.stack([np.bincount(one, minlength=count) for one in chosen])

    def add(self, community: int, rows: Float64) -> None:
        """Add a community's values, float64[1 + draws, rankings], those that were seen first."""
        times = self.times[:, self.communities.index(community)]
        self.seen = rows[0] + (0.0 if self.seen is None else self.seen)
        self.drawn = rows[1:] * times[:, None] + (0.0 if self.drawn is None else self.drawn)

    def means(self) -> tuple[Float64, Float64]:
        """Means over communities: float64[rankings], and float64[draws, rankings]."""
        assert self.seen is not None  # noqa: S101 - there is no sum without a community
        assert self.drawn is not None  # noqa: S101
        return self.seen / len(self.communities), self.drawn / len(self.communities)


def _keys(ranked: Ranked, outcomes: Outcomes, spec: BacktestSpec) -> list[Key]:
    """Which measures a community has: over the first k where twice as many are ranked, of what it gave anybody."""
    n, keys = len(ranked.ranked), list[Key]()
    for outcome in OUTCOMES:
        if outcomes.worth(outcome, n).any():
            firsts = [first for first in spec.first if n >= 2 * first]
            keys += [(outcome, measure, first) for first in firsts for measure in ("ndcg", "precision")]
            keys.append((outcome, "spearman", None))
    return keys


def _order(key: Key) -> tuple[int, int, int]:
    outcome, measure, first = key
    return OUTCOMES.index(outcome), ("ndcg", "precision", "spearman").index(measure), first or 0


def _measure_one(ranked: Ranked, outcomes: Outcomes, spec: BacktestSpec, seed: tuple[int, int]) -> dict[Key, Float64]:
    """Each measure of all rankings in one community: float64[1 + draws, rankings]; the first row is what was seen."""
    n, keys = len(ranked.ranked), _keys(ranked, outcomes, spec)
    firsts = {first for _, _, first in keys if first is not None}
    weights = {first: discounts(first) for first in firsts}
    gains = {first: _placed(ranked, weights[first]) for first in firsts}
    hits = {first: _placed(ranked, np.ones(first)) for first in firsts}
    ranks = np.stack([standard_ranks(value) for value in ranked.values.T], axis=1)
    rows: dict[Key, list[Float64]] = {key: [] for key in keys}
    rng = np.random.default_rng(seed)
    for draw in range(spec.draws + 1):
        weight = rng.exponential(size=len(ranked.members)) if draw else np.ones(len(ranked.members))
        worth = {outcome: outcomes.worth(outcome, n, weight) for outcome in OUTCOMES}
        for outcome, measure, first in keys:
            if measure == "spearman" or first is None:
                value = standard_ranks(worth[outcome]) @ ranks
            elif measure == "ndcg":
                value = ndcg(worth[outcome], gains[first], weights[first])
            else:
                value = precision(worth[outcome], hits[first], first)
            rows[outcome, measure, first].append(value)
    return {key: np.stack(found) for key, found in rows.items()}


def _placed(ranked: Ranked, weights: Float64) -> Float64:
    """Weights of the places that each ranking gives: float64[r, rankings]."""
    return np.stack([at_places(value, weights) for value in ranked.values.T], axis=1)


def _figures(key: Key, total: _Sum, spec: BacktestSpec, rankings: Mapping[str, RankingKind]) -> Iterator[RankingFigure]:
    """Means over communities with their intervals."""
    outcome, measure, first = key
    mean, drawn = total.means()
    drawn = drawn + mean - drawn.mean(axis=0)
    tails = [(1 - spec.interval) / 2, (1 + spec.interval) / 2]
    low, high = np.clip(np.quantile(drawn, tails, axis=0), -1.0 if measure == "spearman" else 0.0, 1.0)
    ahead_low, ahead_high = np.quantile(drawn[:, :1] - drawn, tails, axis=0)
    for column, (ranking, kind) in enumerate(rankings.items()):
        own = column == 0
        yield RankingFigure(
            outcome=outcome,
            measure=measure,
            first=first,
            ranking=ranking,
            kind=kind,
            value=_rounded(mean[column]),
            low=_rounded(low[column]),
            high=_rounded(high[column]),
            ahead=None if own else _rounded(mean[0] - mean[column]),
            ahead_low=None if own else _rounded(ahead_low[column]),
            ahead_high=None if own else _rounded(ahead_high[column]),
            communities=len(total.communities),
        )


def _rounded(value: float) -> float:
    return round(float(value), DIGITS) + 0.0  # no -0.0
