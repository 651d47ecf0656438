"""Colours of communities that people with any sight of colours can tell apart."""

from __future__ import annotations

OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
"""The colours of Okabe and Ito (2008), but for black, which is left for text."""

GREYS = ("#8c8c8c", "#a6a6a6", "#bfbfbf")
"""Of all other communities, in turn, so that neighbours in size differ."""


def colours(communities: int) -> list[str]:
    """Return a colour (`#rrggbb`) for each of so many communities, which are ordered by size, the largest first.

    The largest have colours of their own, all others greys.
    """
    own = min(communities, len(OKABE_ITO))
    return [*OKABE_ITO[:own], *(GREYS[place % len(GREYS)] for place in range(communities - own))]
