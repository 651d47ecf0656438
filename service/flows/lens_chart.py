"""How alike lenses rank accounts, as a picture: a square for each two, the darker the more alike. Plain SVG."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

LEFT, TOP, CELL, RIGHT, BOTTOM = 150, 110, 84, 24, 40
ALIKE, OPPOSITE, UNKNOWN = (11, 110, 79), (200, 85, 61), "#f3f4f6"
WORDS = {
    "en": {
        "title": "How alike the lenses rank {accounts} accounts",
        "below": "Spearman's rank correlation; 1: the same order, 0: nothing in common, −1: the reverse",
    },
    "fr": {
        "title": "À quel point les lentilles classent pareillement {accounts} comptes",
        "below": "corrélation de rang de Spearman ; 1 : même ordre, 0 : rien en commun, −1 : l'inverse",
    },
}


def correlation_chart(found: dict[str, Any], lang: Literal["en", "fr"] = "en") -> str:
    """Draw what `flows.lenses.correlations` found: a square for each two lenses, with the number in it.

    Two that cannot be compared have an empty square.
    """
    names, words = found["lenses"], WORDS[lang]
    width = max(LEFT + CELL * len(names) + RIGHT, 560)
    height = TOP + CELL * len(names) + BOTTOM
    title = words["title"].format(accounts=f"{found['accounts']:,}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600" fill="#1b1f24">{escape(title)}</text>',
        f'<text x="16" y="{height - 14}" fill="#57606a" font-size="12">{escape(words["below"])}</text>',
    ]
    for place, name in enumerate(names):
        middle = CELL * place + CELL / 2
        shown = escape(name.replace("_", " "))
        lines.append(f'<text x="{LEFT - 12}" y="{TOP + middle + 5}" text-anchor="end" fill="#1b1f24">{shown}</text>')
        lines.append(
            f'<text x="{LEFT + middle}" y="{TOP - 12}" text-anchor="middle" fill="#1b1f24" font-size="12">'
            f"{shown}</text>"
        )
    for row, correlations in enumerate(found["correlation"]):
        for column, value in enumerate(correlations):
            x, y = LEFT + CELL * column, TOP + CELL * row
            colour, ink = _colours(value)
            said = "–" if value is None else f"{value:.2f}".replace("-", "−")
            lines.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{CELL - 2}" height="{CELL - 2}" rx="4" fill="{colour}"/>'
                f'<text x="{x + CELL / 2}" y="{y + CELL / 2 + 5}" text-anchor="middle" fill="{ink}">{said}</text>'
            )
    return "\n".join([*lines, "</svg>", ""])


def _colours(value: float | None) -> tuple[str, str]:
    """Colour of a square, and of the number in it."""
    if value is None:
        return UNKNOWN, "#57606a"
    end, strength = (ALIKE if value >= 0 else OPPOSITE), abs(value)
    mixed = [round(255 + (one - 255) * strength) for one in end]
    return f"rgb({mixed[0]},{mixed[1]},{mixed[2]})", "#ffffff" if strength > 0.55 else "#1b1f24"
