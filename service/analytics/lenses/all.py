"""All lenses of a run, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from service.analytics.lenses.market import market
from service.analytics.lenses.observed import Observed
from service.analytics.lenses.standing import standing
from service.domain import LensName, LensValues, Progress

LENSES: dict[LensName, Callable[[Observed], LensValues]] = {"standing": standing, "market": market}


def measure_lenses(seen: Observed, names: Iterable[LensName], progress: Progress) -> list[LensValues]:
    """Measure all accounts through some lenses; `progress` is told of stage `lenses`, a step for each."""
    wanted, found = [name for name in names if name in LENSES], []
    for done, name in enumerate(wanted):
        progress("lenses", done, len(wanted))
        found.append(LENSES[name](seen))
    progress("lenses", len(wanted), len(wanted))
    return found
