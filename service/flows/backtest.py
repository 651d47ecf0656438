"""A back-test: cut the graph at a day, score what came before, measure against what came afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.analytics.analysis import analyse
from service.analytics.backtest import (
    RANKINGS,
    Outcomes,
    Ranked,
    coverage,
    cut_days,
    date_of,
    measure_rankings,
    outcomes_after,
    rank_members,
)
from service.analytics.past import as_it_was, interactions
from service.content.words import read_text
from service.domain import (
    BacktestReport,
    BacktestSpec,
    Graph,
    Int32,
    LeftOut,
    Past,
    Progress,
    RankingFigure,
    RunSpec,
    Said,
    Verdict,
)
from service.errors import NothingToTest
from service.flows.snapshots import read_graph
from service.store.driver import Store
from service.store.past import read_past
from service.store.snapshots import read_state

READS = 3
"""How often the graph is read again because it changed meanwhile."""

READABLE = {
    "engagement": Said(en="interactions received so far", fr="les interactions reçues jusque-là"),
    "followers": Said(en="follower count", fr="le nombre d'abonnés"),
    "degree": Said(en="number of ties", fr="le nombre de liens"),
    "pagerank": Said(en="PageRank", fr="PageRank"),
    "random": Said(en="chance", fr="le hasard"),
}
"""Baselines in words."""


def backtest(graph: Graph, past: Past, spec: BacktestSpec, progress: Progress) -> BacktestReport:
    """Score the time before a cut and measure the rankings against the time afterwards.

    A function of its arguments alone.

    Args:
        graph: as it is now.
        past: what the graph does not hold by time, read for `cut_days(graph, spec)`.
        spec: what is asked.
        progress: told of each stage.

    Raises:
        NothingToTest: there is nothing to score before, or to measure afterwards.
        FutureLeaked: what is to be scored holds something of the time afterwards.
    """
    first, cut, until = cut_days(graph, spec)
    split = split_at(graph, past, spec, (cut, until), progress)
    figures, measured, silent = measure_rankings(split.found, spec, progress)
    return BacktestReport(
        graph_version=graph.version,
        began=date_of(first),
        cut=date_of(cut),
        until=date_of(until),
        accounts=split.was.n,
        follows=split.was.m,
        interactions_before=interactions(graph, first, cut),
        interactions_after=interactions(graph, cut, until),
        left_out=split.left_out,
        with_undated=past.with_undated,
        communities=tuple(measured),
        left_out_communities=dict(sorted((split.why + silent).items())),
        figures=tuple(figures),
        verdicts=tuple(_verdicts(figures)),
        coverage=coverage(split.was, split.labels, split.found, (first, cut, until), spec),
        notes=tuple(_notes(split.left_out, past)),
    )


@dataclass(frozen=True)
class Split:
    """A graph split at a cut.

    Attributes:
        was: the graph of the time before; `left_out` says what is not in it.
        labels: int32, community of each of its accounts, -1 for none.
        found: communities of that time whose members are ranked, with what came of them afterwards.
        why: of the other communities, how many were left out for which reason.
    """

    was: Graph
    left_out: LeftOut
    labels: Int32
    found: list[tuple[Ranked, Outcomes]]
    why: Counter[str]


def split_at(graph: Graph, past: Past, spec: BacktestSpec, days: tuple[int, int], progress: Progress) -> Split:
    """Analyse and rank the time before a cut, and look up what came afterwards.

    Args:
        graph, past, spec, progress: as of `backtest`.
        days: first day of the time afterwards and the one after its last, in days since 1970 UTC.

    Raises:
        NothingToTest, FutureLeaked: as `backtest`.
    """
    was, there, left_out = as_it_was(graph, past)
    found, why, labels = ranked_before(was, spec, progress)
    outcomes = outcomes_after(graph, there, labels, found, days)
    return Split(was, left_out, labels, list(zip(found, outcomes, strict=True)), why)


def run_of_backtest(spec: BacktestSpec) -> RunSpec:
    """The analysis of the time before that a back-test rests on."""
    return RunSpec(seed=spec.seed, rules=spec.rules, measures=("pagerank",))


def read_and_backtest(store: Store, kept: Path, spec: BacktestSpec, progress: Progress) -> BacktestReport:
    """Do a back-test of the graph that a store holds.

    The graph is read as for an analysis, and what it does not hold by time besides. Where something was written between
    the two, both are read again, at most READS times: then what was said meanwhile about the time before may be in it.

    Args:
        store: the graph.
        kept: folder in which graphs are kept, see `flows.snapshots.read_graph`.
        spec: what is asked.
        progress: told of each stage.

    Raises:
        NothingToTest: there is nothing to score before, or to measure afterwards.
        FutureLeaked: what is to be scored holds something of the time afterwards.
        StoreError: Neo4j did not answer.
    """
    for _ in range(READS):
        graph = read_graph(store, kept, progress)
        past = read_past(store, cut_days(graph, spec)[1], spec.undated_follows == "keep", progress, read_text)
        if read_state(store).version == graph.version:
            break
    return backtest(graph, past, spec, progress)


def ranked_before(was: Graph, spec: BacktestSpec, progress: Progress) -> tuple[list[Ranked], Counter[str], Int32]:
    """Analyse the graph of the time before, and rank its members; the rest by why it is left out, and all labels.

    Raises:
        NothingToTest: nothing happened before.
    """
    if was.n == 0:
        raise NothingToTest("Nothing in the graph is known to be older than the cut; move it.")
    analysis = analyse(was, run_of_backtest(spec), progress, keep=lambda _: [])
    found: list[Ranked] = []
    why: Counter[str] = Counter()
    for one in rank_members(was, analysis, spec):
        if isinstance(one, Ranked):
            found.append(one)
        else:
            why[one[1]] += 1
    return found, why, analysis.labels


def _verdicts(figures: list[RankingFigure]) -> Iterator[Verdict]:
    """The score beside the strongest baseline of each measure; of several alike the first in the order of RANKINGS."""
    asked = dict.fromkeys((one.outcome, one.measure, one.first) for one in figures)
    names = list(RANKINGS)
    for key in asked:
        baselines = [one for one in figures if (one.outcome, one.measure, one.first) == key and one.kind == "baseline"]
        strongest = max(baselines, key=lambda one: (one.value, -names.index(one.ranking)))
        ahead, low, high = strongest.ahead or 0.0, strongest.ahead_low or 0.0, strongest.ahead_high or 0.0
        says = "ahead" if low > 0 else "behind" if high < 0 else "level"
        yield Verdict(
            outcome=strongest.outcome,
            measure=strongest.measure,
            first=strongest.first,
            strongest=strongest.ranking,
            ahead=ahead,
            low=low,
            high=high,
            says=says,
            sentence=_sentence(says, strongest, ahead, low, high),
        )


OUTCOME_WORDS = {
    "engagement": Said(
        en="interactions received from the community afterwards",
        fr="les interactions reçues ensuite de la communauté",
    ),
    "responders": Said(
        en="members who respond for the first time", fr="les membres qui réagissent pour la première fois"
    ),
}


def measure_name(measure: str, first: int | None) -> str:
    """How people write a measure: NDCG@20, precision@10, Spearman's correlation."""
    return {"ndcg": f"NDCG@{first}", "precision": f"precision@{first}"}.get(measure, "Spearman's correlation")


def _sentence(says: str, strongest: RankingFigure, ahead: float, low: float, high: float) -> Said:
    name = measure_name(strongest.measure, strongest.first)
    nom = name if strongest.first else "la corrélation de Spearman"
    outcome, baseline = OUTCOME_WORDS[strongest.outcome], READABLE[strongest.ranking]
    en = {
        "ahead": f"By {name} for {outcome.en}, the score is ahead of the strongest baseline, {baseline.en}",
        "behind": f"By {name} for {outcome.en}, the score is behind the strongest baseline, {baseline.en}",
        "level": f"By {name} for {outcome.en}, the score cannot be told from the strongest baseline, {baseline.en}",
    }[says]
    fr = {
        "ahead": f"Selon {nom} pour {outcome.fr}, le score devance la meilleure mesure simple, {baseline.fr}",
        "behind": f"Selon {nom} pour {outcome.fr}, la meilleure mesure simple, {baseline.fr}, devance le score",
        "level": f"Selon {nom} pour {outcome.fr}, rien ne départage le score et la meilleure mesure simple, "
        f"{baseline.fr}",
    }[says]
    return Said(
        en=f"{en}: {strongest.value + ahead:.3f} beside {strongest.value:.3f}, "
        f"a difference of {ahead:+.3f} ({low:+.3f} to {high:+.3f}).",
        fr=f"{fr} : {strongest.value + ahead:.3f} contre {strongest.value:.3f}, "
        f"soit {ahead:+.3f} ({low:+.3f} à {high:+.3f}).",
    )


def _notes(left_out: LeftOut, past: Past) -> Iterator[Said]:
    """What has to be known to read the figures."""
    undated = past.follows_without_time
    if undated and past.with_undated:
        yield Said(
            en=f"{undated:,} follows have no time and were taken for older than the cut: where some are not, the "
            "figures know a little of what came afterwards.",
            fr=f"{undated} abonnements sans date ont été tenus pour antérieurs à la coupure : si certains ne le sont "
            "pas, les chiffres connaissent un peu la suite.",
        )
    elif undated:
        yield Said(
            en=f"{undated:,} follows have no time and were left out; `undated_follows` can keep them.",
            fr=f"{undated} abonnements sans date ont été laissés de côté ; `undated_follows` permet de les garder.",
        )
    if left_out.posts_without_time:
        yield Said(
            en=f"{left_out.posts_without_time:,} posts have no time and were left out.",
            fr=f"{left_out.posts_without_time} publications sans date ont été laissées de côté.",
        )
    yield Said(
        en="Reported follower counts are known as of now alone and were left out, and so were follows that ended "
        "since. A figure is an association in this graph: it does not say that anybody caused others to act.",
        fr="Les nombres d'abonnés déclarés ne sont connus qu'à ce jour et ont été laissés de côté, comme les "
        "abonnements qui ont pris fin depuis. Un chiffre est une association dans ce graphe : il ne dit pas que "
        "quelqu'un a poussé les autres à agir.",
    )
