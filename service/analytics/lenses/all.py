"""All lenses of a run, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from service.analytics.lenses.audience import audience
from service.analytics.lenses.authority import authority
from service.analytics.lenses.context import context
from service.analytics.lenses.market import market
from service.analytics.lenses.observed import Observed
from service.analytics.lenses.profile import profile
from service.analytics.lenses.social_capital import social_capital
from service.analytics.lenses.standing import standing
from service.domain import LensName, LensValues, Progress

LENSES: dict[LensName, Callable[[Observed], LensValues]] = {
    "social_capital": social_capital,
    "standing": standing,
    "authority": authority,
    "market": market,
    "audience": audience,
    "profile": profile,
    "context": context,
}


def measure_lenses(seen: Observed, names: Iterable[LensName], progress: Progress) -> list[LensValues]:
    """Measure all accounts through some lenses; `progress` is told of stage `lenses`, a step for each."""
    wanted, found = list(names), []
    for done, name in enumerate(wanted):
        progress("lenses", done, len(wanted))
        found.append(LENSES[name](seen))
    progress("lenses", len(wanted), len(wanted))
    return found
