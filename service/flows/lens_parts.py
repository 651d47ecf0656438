"""Lenses as extra parts of the ambassador score: array work over what a run published of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import from_json

from service.analytics.rounding import significant
from service.domain import Float64, LensName
from service.flows.packing import unpacked

WITHIN_COMMUNITIES: tuple[LensName, ...] = ("standing", "context")
"""Lenses whose values are relative to each account's own community."""

NOT_MEASURED = "The run did not measure through this lens: its specification left it out."


@dataclass(frozen=True)
class CommunityLenses:
    """What lenses say of a community, as a run published it.

    Attributes:
        values: of each lens, as base64, the values of those compared who have one.
        null_reasons: why there are none, of the other lenses.
        candidates: the lines of the candidates, in the order of their ranks.
    """

    values: dict[LensName, str]
    null_reasons: dict[LensName, str]
    candidates: Sequence[bytes]

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> CommunityLenses:
        """Take the part `lenses/<id>` apart; without lines, the run measured through no lens."""
        if not lines:
            return cls({}, {}, ())
        head = from_json(lines[0])
        return cls(head["values"], head["null_reasons"], lines[1:])


@dataclass(frozen=True)
class LensMeasure:
    """A lens over candidates and everybody they are compared with.

    Attributes:
        lens: its name.
        base: float64, values of those of the base who have one, ascending.
        raw: float64[k], values of the candidates; 0 for who has none.
        said: length k, `domain.SaidByLens` of each as parsed JSON.
        null_reason: why nobody has a value; None where somebody does.
    """

    lens: LensName
    base: Float64
    raw: Float64
    said: list[dict[str, Any]]
    null_reason: str | None

    def ahead(self, i: int) -> int:
        """How many of those compared have a higher value than candidate i."""
        return len(self.base) - int(np.searchsorted(self.base, self.raw[i], side="right"))

    def evidence(self, key: str, i: int) -> list[dict[str, Any]]:
        """What each part of the lens gives to the value of candidate i, most first: `domain.LensEvidence` each."""
        value = self.raw[i]
        gave = sorted(self.said[i]["parts"].items(), key=lambda part: -part[1])
        return [
            {
                "kind": "lens", "account": key, "lens": self.lens, "part": part, "contribution": points,
                "share": float(significant(np.array([points / value]))[0]),
            }
            for part, points in gave
            if points > 0
        ]  # fmt: skip


def measure_lens(lens: LensName, communities: Sequence[CommunityLenses], candidates: int) -> LensMeasure:
    """Look through a lens at the candidates of communities, in their order, and at their bases together."""
    nothing: dict[str, Any] = {"value": None, "parts": {}, "reason": NOT_MEASURED}
    said = [from_json(line).get("lenses", {}).get(lens, nothing) for of in communities for line in of.candidates]
    if not said:  # the run has published nothing of any lens
        said = [nothing] * candidates
    base = np.sort(
        np.concatenate([np.zeros(0), *(unpacked(of.values[lens]) for of in communities if lens in of.values)])
    )
    reasons = [of.null_reasons[lens] for of in communities if lens in of.null_reasons]
    return LensMeasure(
        lens=lens,
        base=base,
        raw=np.array([one["value"] or 0.0 for one in said]),
        said=said,
        null_reason=None if len(base) else (reasons or [NOT_MEASURED])[0],
    )
