"""Lenses as extra parts of the ambassador score: array work over what a run published of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import from_json

from service.analytics.packing import unpacked
from service.analytics.rounding import significant
from service.domain import Float64, LensName

WITHIN_COMMUNITIES: tuple[LensName, ...] = ("standing", "context")
"""Lenses whose values are relative to each account's own community."""

NOT_MEASURED = "The run did not measure through this lens: its specification left it out."

NOTHING: dict[str, Any] = {"value": None, "parts": {}, "reason": NOT_MEASURED}
"""What a lens through which the run did not measure says."""


@dataclass(frozen=True)
class LensMeasure:
    """A lens over candidates and everybody they are compared with.

    Attributes:
        lens: its name.
        base: float64, values of those of the base who have one, ascending.
        raw: float64[k], values of the candidates; 0 for who has none.
        lines: length k, `domain.CandidateLenses` of each as published; none where the run measured through no lens.
        null_reason: why nobody has a value; None where somebody does.
    """

    lens: LensName
    base: Float64
    raw: Float64
    lines: list[bytes]
    null_reason: str | None

    def said(self, i: int) -> dict[str, Any]:
        """What the lens says of candidate i: a `domain.SaidByLens`."""
        found: dict[str, Any] = from_json(self.lines[i]).get("lenses", {}).get(self.lens, NOTHING)
        return found

    def ahead(self, i: int) -> int:
        """How many of those compared have a higher value than candidate i."""
        return len(self.base) - int(np.searchsorted(self.base, self.raw[i], side="right"))

    def evidence(self, key: str, i: int, parts: dict[str, float]) -> list[dict[str, Any]]:
        """What parts of the lens give to the value of candidate i, most first: `domain.LensEvidence` each."""
        value = self.raw[i]
        gave = sorted(parts.items(), key=lambda part: -part[1])
        return [
            {
                "kind": "lens", "account": key, "lens": self.lens, "part": part, "contribution": points,
                "share": float(significant(np.array([points / value]))[0]),
            }
            for part, points in gave
            if points > 0
        ]  # fmt: skip


def measure_lenses(
    lenses: Sequence[LensName], parts: Sequence[Sequence[bytes]], candidates: int
) -> dict[LensName, LensMeasure]:
    """Look through lenses at the candidates of communities, in their order, and at their bases together.

    Args:
        lenses: which.
        parts: of each community the lines of `lenses/<id>`; none where the run measured through no lens.
        candidates: how many there are.
    """
    heads = [from_json(lines[0]) for lines in parts if lines]
    lines = [line for of in parts for line in of[1:]]
    values = {lens: np.zeros(candidates) for lens in lenses}
    for i, line in enumerate(lines):
        said = from_json(line).get("lenses", {})  # of who was erased nothing but the place is left
        for lens in lenses:
            values[lens][i] = said.get(lens, NOTHING)["value"] or 0.0
    return {lens: _measured(lens, heads, lines, values[lens]) for lens in lenses}


def _measured(lens: LensName, heads: list[dict[str, Any]], lines: list[bytes], raw: Float64) -> LensMeasure:
    known = [unpacked(head["values"][lens]) for head in heads if lens in head["values"]]
    base = np.sort(np.concatenate([np.zeros(0), *known]))
    reasons = [head["null_reasons"][lens] for head in heads if lens in head["null_reasons"]]
    return LensMeasure(lens, base, raw, lines, None if len(base) else (reasons or [NOT_MEASURED])[0])
