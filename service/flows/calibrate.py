"""Calibration: weights of a score fitted to what happened in earlier windows, kept where a later one agrees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from service.analytics.backtest import (
    BASELINES,
    Outcomes,
    Ranked,
    cut_days,
    date_of,
    measure_rankings,
)
from service.analytics.calibration import fit_weights, part_weights
from service.content.words import read_text
from service.domain import (
    PART_NAMES,
    BacktestSpec,
    Calibration,
    FittedWindow,
    Float64,
    Graph,
    Outcome,
    PartWeights,
    Past,
    Progress,
    RankingFigure,
    RankingKind,
    Said,
    StoreAddress,
)
from service.errors import NothingToTest
from service.flows.backtest import measure_name, run_of_backtest, split_at
from service.flows.estimates import require_room
from service.flows.snapshots import read_graph
from service.store.driver import Store
from service.store.past import read_past

SHARES = (0.50, 0.65, 0.80)
"""Cuts, as shares of the days with interactions: weights are fitted on the windows after the first two, and compared on
the one after the last. No window looks into the next."""

RANKINGS: dict[str, RankingKind] = {"fitted": "score", "documented": "score", **dict.fromkeys(BASELINES, "baseline")}


def windows(graph: Graph, spec: BacktestSpec) -> list[tuple[int, int]]:
    """First day afterwards and the one after the last of each window, in days since 1970 UTC.

    Raises:
        NothingToTest: there are no interactions, or all are of too few days.
    """
    first, _, end = cut_days(graph, spec.model_copy(update={"cut": None, "share": SHARES[-1], "horizon_days": None}))
    cuts = [first + round(share * (end - first)) for share in SHARES]
    days = list(zip(cuts, [*cuts[1:], end], strict=True))
    if cuts[0] <= first or any(cut >= until for cut, until in days):
        raise NothingToTest(
            f"Interactions are of {end - first} days only; a calibration needs enough for three windows one after the "
            "other."
        )
    return days


def read_and_calibrate(
    address: StoreAddress,
    kept: Path,
    spec: BacktestSpec,
    outcome: Outcome,
    objective: str | None,
    progress: Progress,
    most_mb: int | None = None,
) -> Calibration:
    """Calibrate weights on the graph that a store holds; see `calibrate`.

    Args:
        address: the graph.
        kept: folder in which graphs are kept, see `flows.snapshots.read_graph`.
        spec, outcome, objective, progress: as of `calibrate`.
        most_mb: memory it may use at most, in MiB; None for what is free.

    Raises:
        RunTooLarge: there is not enough memory for it; it did not begin.
        StoreError: Neo4j did not answer.
        NothingToTest, FutureLeaked: as `calibrate`.
    """
    with Store(address) as store:
        require_room(store, run_of_backtest(spec), most_mb)
        graph = read_graph(store, kept, progress)
        undated = spec.undated_follows == "keep"
        pasts = [read_past(store, cut, undated, progress, read_text) for cut, _ in windows(graph, spec)]
    return calibrate(graph, pasts, spec, outcome, objective, progress)


def calibrate(
    graph: Graph, pasts: list[Past], spec: BacktestSpec, outcome: Outcome, objective: str | None, progress: Progress
) -> Calibration:
    """Fit the weights of the parts on earlier windows, and compare them with the documented ones on a later one.

    Args:
        graph: as it is now.
        pasts: what the graph does not hold by time, before the cut of each of `windows(graph, spec)`.
        spec: rules with the documented weights; how many count from the top, the largest of which decides; draws.
        outcome: what the weights are fitted to.
        objective: whose weights these are, to say so.
        progress: told of each stage.

    Raises:
        NothingToTest: a window has no community that can be measured.
        FutureLeaked: what is to be scored holds something of the time afterwards.
    """
    looked: list[FittedWindow] = []
    every: list[list[tuple[Ranked, Outcomes]]] = []
    for (cut, until), past in zip(windows(graph, spec), pasts, strict=True):
        found = split_at(graph, past, spec, (cut, until), progress).found
        usable = [(ranked, after) for ranked, after in found if after.worth(outcome, len(ranked.ranked)).any()]
        if not usable:
            raise NothingToTest(
                f"From {date_of(cut)} on there is no community that can be measured: none is respectable, has enough "
                "members to rank and was responded to afterwards. Import more of the past, or lower `first`."
            )
        looked.append(FittedWindow(cut=date_of(cut), until=date_of(until), communities=len(usable)))
        every.append(usable)
    *earlier, later = every
    documented = spec.rules.weights
    learnt = [(_x(ranked), after.worth(outcome, len(ranked.ranked))) for window in earlier for ranked, after in window]
    fitted = part_weights(fit_weights(learnt), documented)
    compared = [(_compared(ranked, fitted, documented), after) for ranked, after in later]
    figures, _, _ = measure_rankings(compared, spec, progress, RANKINGS)
    sizes = {one.first for one in figures if one.first is not None}
    if not sizes:
        raise NothingToTest("No community has twice as many members to rank as `first` asks for; lower it.")
    first = max(sizes)
    figures = [one for one in figures if (one.outcome, one.measure, one.first) == (outcome, "ndcg", first)]
    [beside] = [one for one in figures if one.ranking == "documented"]
    ahead, low, high = beside.ahead or 0.0, beside.ahead_low or 0.0, beside.ahead_high or 0.0
    return Calibration(
        graph_version=graph.version,
        outcome=outcome,
        first=first,
        objective=objective,
        documented=documented,
        fitted=fitted,
        windows=tuple(looked[:-1]),
        check=looked[-1],
        ahead=ahead,
        low=low,
        high=high,
        kept=low > 0,
        sentence=_sentence(beside, first, low > 0),
        figures=tuple(figures),
    )


def _x(ranked: Ranked) -> Float64:
    """x of the parts of those ranked, 0 where a part is null: float64[n, 5]. What all lack moves nobody."""
    return np.nan_to_num(ranked.x.T)


def _compared(ranked: Ranked, fitted: PartWeights, documented: PartWeights) -> Ranked:
    """The same community, ranked by fitted weights, by documented ones, and by the baselines."""
    scores = [_x(ranked) @ np.array([getattr(one, part) for part in PART_NAMES[:-1]]) for one in (fitted, documented)]
    baselines = ranked.values[:, -len(BASELINES) :]
    # Equal scores must be equal: what is beyond nine digits are rounding errors.
    return replace(ranked, values=np.column_stack([*np.round(scores, 9), baselines]))


def _sentence(beside: RankingFigure, first: int, kept: bool) -> Said:
    name, ahead = measure_name("ndcg", first), beside.ahead or 0.0
    shown = f"{beside.value + ahead:.3f}", f"{beside.value:.3f}", f"{ahead:+.3f}"
    low, high = f"{beside.ahead_low or 0.0:+.3f}", f"{beside.ahead_high or 0.0:+.3f}"
    if kept:
        return Said(
            en=f"On the later window the fitted weights rank better than the documented ones: {name} {shown[0]} beside "
            f"{shown[1]}, a difference of {shown[2]} ({low} to {high}). Keep them.",
            fr=f"Sur la fenêtre suivante, les poids ajustés classent mieux que les poids documentés : {name} "
            f"{shown[0]} contre {shown[1]}, soit {shown[2]} ({low} à {high}). Gardez-les.",
        )
    return Said(
        en=f"On the later window the fitted weights are not better than the documented ones beyond chance: {name} "
        f"{shown[0]} beside {shown[1]}, a difference of {shown[2]} ({low} to {high}). Keep the documented ones.",
        fr=f"Sur la fenêtre suivante, les poids ajustés ne font pas mieux que les poids documentés, au hasard près : "
        f"{name} {shown[0]} contre {shown[1]}, soit {shown[2]} ({low} à {high}). Gardez les poids documentés.",
    )
