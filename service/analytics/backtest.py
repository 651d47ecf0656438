"""Would scores of before have said who is responded to afterwards? Rankings of one time against outcomes of the next.

Within each community of the time before, everybody who could be a candidate (the base without macros) is ranked by the
ambassador score, by each of its parts, and by what is simple to count: followers, ties, PageRank, interactions received
so far, and nothing at all. What each of them was worth is counted afterwards: interactions received from the community,
and members who respond for the first time.

Intervals: each draw takes communities with replacement, and gives every member who responds an exponential weight of
mean 1 (the Bayesian bootstrap, Rubin 1981): what would have been measured in other communities like these, had other
people responded. All rankings see the same draws, so that differences have intervals of their own. Weights add noise
to what accounts are worth, which brings every ranking nearer to chance; so an interval is moved until the mean of the
draws is what was seen (cf. Efron and Tibshirani 1993, chapter 10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from service.analytics.forecast import expected_responses
from service.analytics.past import day_span, responses
from service.analytics.ranking_quality import at_places, discounts, ndcg, precision, standard_ranks
from service.analytics.scoring import MACRO
from service.analytics.ties import tie_graph
from service.domain import (
    OUTCOMES,
    PART_NAMES,
    SMALL_FOLLOWERS,
    Analysis,
    BacktestSpec,
    Community,
    Coverage,
    Float64,
    Graph,
    Int32,
    Int64,
    MeasuredCommunity,
    Outcome,
    Progress,
    QualityMeasure,
    RankingFigure,
    RankingKind,
)
from service.errors import NothingToTest

BASELINES = ("engagement", "followers", "degree", "pagerank", "random")
"""Interactions received from the community so far; followers in the graph; ties both ways; PageRank over the whole
network; every order as likely as any other."""

RANKINGS: dict[str, RankingKind] = {
    "score": "score",
    **dict.fromkeys(PART_NAMES[:-1], "part"),
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
        analysis: of that graph, with the measure `pagerank`.
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
        values = [scores.score[ranked], *parts, *(simple[name] for name in BASELINES)]
        yield Ranked(
            community=community,
            members=members,
            ranked=ranked,
            x=scores.x[: len(PART_NAMES) - 1, ranked],
            values=np.stack([np.asarray(one, dtype=np.float64) for one in values], axis=1),
        )


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
    measured: list[MeasuredCommunity] = []
    values: dict[Key, list[Float64]] = {}
    left_out: Counter[str] = Counter()
    for done, (ranked, outcomes) in enumerate(found):
        progress("outcomes", done, len(found))
        engagement, responders = (int(outcomes.worth(one, len(ranked.ranked)).sum()) for one in OUTCOMES)
        if not engagement:
            left_out["nobody responded to"] += 1
            continue
        measured.append(
            MeasuredCommunity(
                id=ranked.community.id,
                label=ranked.community.label,
                size=ranked.community.size,
                ranked=len(ranked.ranked),
                engagement=engagement,
                responders=responders,
            )
        )
        for key, rows in _measure_one(ranked, outcomes, spec, seed=(spec.seed, done)).items():
            values.setdefault(key, []).append(rows)
    progress("outcomes", len(found), len(found))
    if not measured:
        raise NothingToTest(
            "No community of the time before can be measured: none is respectable, has enough members to rank and was "
            "responded to afterwards. Move the cut, lengthen the time afterwards, or lower `first`."
        )
    figures = [
        figure for key in sorted(values, key=_order) for figure in _figures(key, np.stack(values[key]), spec, rankings)
    ]
    return figures, measured, left_out


def _order(key: Key) -> tuple[int, int, int]:
    outcome, measure, first = key
    return OUTCOMES.index(outcome), ("ndcg", "precision", "spearman").index(measure), first or 0


def _measure_one(ranked: Ranked, outcomes: Outcomes, spec: BacktestSpec, seed: tuple[int, int]) -> dict[Key, Float64]:
    """Each measure of all rankings in one community: float64[1 + draws, rankings]; the first row is what was seen."""
    n = len(ranked.ranked)
    usable = [first for first in spec.first if n >= 2 * first]
    columns = range(ranked.values.shape[1])
    weights = {first: discounts(first) for first in usable}
    gains = {first: np.stack([at_places(ranked.values[:, c], weights[first]) for c in columns], 1) for first in usable}
    hits = {first: np.stack([at_places(ranked.values[:, c], np.ones(first)) for c in columns], 1) for first in usable}
    ranks = np.stack([standard_ranks(ranked.values[:, c]) for c in columns], axis=1)
    rows: dict[Key, list[Float64]] = {}
    rng = np.random.default_rng(seed)
    seen = [one for one in OUTCOMES if outcomes.worth(one, n).any()]
    for draw in range(spec.draws + 1):
        weight = rng.exponential(size=len(ranked.members)) if draw else np.ones(len(ranked.members))
        for outcome in seen:
            worth = outcomes.worth(outcome, n, weight)
            for first in usable:
                rows.setdefault((outcome, "ndcg", first), []).append(ndcg(worth, gains[first], weights[first]))
                rows.setdefault((outcome, "precision", first), []).append(precision(worth, hits[first], first))
            rows.setdefault((outcome, "spearman", None), []).append(standard_ranks(worth) @ ranks)
    return {key: np.stack(found) for key, found in rows.items()}


def _figures(
    key: Key, values: Float64, spec: BacktestSpec, rankings: Mapping[str, RankingKind]
) -> Iterator[RankingFigure]:
    """Means over communities with their intervals, from float64[communities, 1 + draws, rankings]."""
    outcome, measure, first = key
    communities, rows, _ = values.shape
    mean = values[:, 0].mean(axis=0)
    drawn = resampled(values[:, 1:], np.random.default_rng(spec.seed).integers(0, communities, (rows - 1, communities)))
    drawn += mean - drawn.mean(axis=0)
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
            communities=communities,
        )


def resampled(values: Float64, chosen: npt.NDArray[np.int64]) -> Float64:
    """Mean of each draw over the communities that were chosen for it: float64[draws, rankings].

    Args:
        values: float64[communities, draws, rankings].
        chosen: int64[draws, communities].
    """
    draws = np.arange(chosen.shape[0])[:, None]
    return np.asarray(values[chosen, draws].mean(axis=1))


def _rounded(value: float) -> float:
    return round(float(value), DIGITS) + 0.0  # no -0.0
