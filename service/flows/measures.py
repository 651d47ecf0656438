"""Which measures of accounts an analysis can write to the graph."""

from __future__ import annotations

from dataclasses import dataclass

from service.analytics.network import MEASURES
from service.domain import RunSpec


@dataclass(frozen=True)
class MeasureInfo:
    """A measure: its name, what it says, what its time grows with, and whether it is made when none is named."""

    name: str
    meaning: str
    cost: str
    default: bool


def measures() -> list[MeasureInfo]:
    """All measures, in the order in which they are made."""
    default = RunSpec().measures
    return [MeasureInfo(name, one.meaning, one.cost, name in default) for name, one in MEASURES.items()]
