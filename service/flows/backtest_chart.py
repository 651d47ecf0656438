"""The figures of a back-test as a picture: a dot for each ranking, a line for its interval. Plain SVG."""

from __future__ import annotations

from html import escape
from typing import Literal

from service.domain import BacktestReport, Outcome, QualityMeasure, RankingFigure
from service.errors import InvalidRequest
from service.flows.backtest import OUTCOME_WORDS, READABLE, measure_name

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 760, 250, 70, 76, 28, 46
COLOURS = {"score": "#0b6e4f", "part": "#8a8f98", "lens": "#3b6ea8", "baseline": "#c8553d"}
WORDS = {
    "en": {
        "score": "ambassador score",
        "part": "part of it",
        "lens": "lens",
        "baseline": "simple baseline",
        "below": "scored on {began} to {cut}, measured from then to {until}; {communities} communities",
    },
    "fr": {
        "score": "score d'ambassadeur",
        "part": "une partie",
        "lens": "lentille",
        "baseline": "mesure simple",
        "below": "score du {began} au {cut}, mesure de là au {until} ; {communities} communautés",
    },
}


def chart(
    report: BacktestReport,
    outcome: Outcome,
    measure: QualityMeasure,
    first: int | None,
    lang: Literal["en", "fr"] = "en",
) -> str:
    """Draw the figures of one measure: the score first, then everything else, best first.

    Args:
        report: of a back-test.
        outcome: what was measured afterwards.
        measure: which measure.
        first: how many from the top counted; None for the most there are. Without meaning for Spearman's correlation.
        lang: of the words.

    Raises:
        InvalidRequest: the report has no such figures.
    """
    found = [one for one in report.figures if (one.outcome, one.measure) == (outcome, measure)]
    sizes = sorted({one.first for one in found if one.first is not None})
    if measure == "spearman":
        first = None
    elif first is None and sizes:
        first = sizes[-1]
    figures = [one for one in found if one.first == first]
    if not figures:
        there = ", ".join(map(str, sizes)) or "none"
        raise InvalidRequest(f"The report has no {measure_name(measure, first)} for {outcome}; `first` may be {there}.")
    figures.sort(key=lambda one: (one.kind != "score", -one.value))
    return _drawn(report, figures, lang)


def _drawn(report: BacktestReport, figures: list[RankingFigure], lang: Literal["en", "fr"]) -> str:
    words, one = WORDS[lang], figures[0]
    low = min(0.0, *(figure.low for figure in figures))
    height = TOP + ROW * len(figures) + BOTTOM

    def x(value: float) -> float:
        return LEFT + (value - low) / (1.0 - low) * (WIDTH - LEFT - RIGHT)

    title = f"{measure_name(one.measure, one.first)}: {getattr(OUTCOME_WORDS[one.outcome], lang)}"
    times = {"began": report.began, "cut": report.cut, "until": report.until, "communities": one.communities}
    below = words["below"].format(**times)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600" fill="#1b1f24">{escape(title)}</text>',
        f'<text x="16" y="48" fill="#57606a">{escape(below)}</text>',
    ]
    for tick in range(-10, 11, 2):
        at = tick / 10
        if at >= low:
            lines.append(
                f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{TOP - 10}" y2="{height - BOTTOM}" stroke="#e3e6ea"/>'
                f'<text x="{x(at):.1f}" y="{height - BOTTOM + 16}" text-anchor="middle" fill="#57606a">{at:.1f}</text>'
            )
    for place, figure in enumerate(figures):
        y, colour = TOP + ROW * place + 6, COLOURS[figure.kind]
        name = getattr(READABLE[figure.ranking], lang) if figure.kind == "baseline" else figure.ranking
        weight = "600" if figure.kind == "score" else "400"
        name = words["score"] if figure.kind == "score" else name
        lines.append(
            f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" font-weight="{weight}" fill="#1b1f24">{escape(name)}'
            f'</text><line x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
            f'stroke-width="3" stroke-opacity="0.45"/><circle cx="{x(figure.value):.1f}" cy="{y}" r="5" '
            f'fill="{colour}"/><text x="{WIDTH - RIGHT + 14}" y="{y + 4}" fill="#1b1f24">{figure.value:.3f}</text>'
        )
    there = {figure.kind for figure in figures}
    for place, kind in enumerate(kind for kind in COLOURS if kind in there):
        lines.append(
            f'<circle cx="{22 + 190 * place}" cy="{height - 14}" r="5" fill="{COLOURS[kind]}"/>'
            f'<text x="{34 + 190 * place}" y="{height - 10}" fill="#57606a">{escape(words[kind])}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])
