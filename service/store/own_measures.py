"""Measures of their own that analysts write to the graph under names, beside what runs find.

Values are written, and removed, some at a time: whoever writes to their accounts meanwhile, an import or an erasure,
does not wait long. Until all are there the measure is `pending`, under a name of its own that nobody asks for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from service.domain import OwnMeasure
from service.errors import AccountNotFound, OwnMeasureNotFound
from service.store.driver import Store

VALUES_AT_ONCE = 10_000
"""Values of one transaction."""


def list_own_measures(store: Store) -> list[OwnMeasure]:
    """Return what analysts wrote, by name."""
    return [
        OwnMeasure(**{**row, "written_at": row["written_at"].to_native()}) for row in store.read("own_measures/all")
    ]


def write_own_measure(
    store: Store, name: str, meaning: str, values: Mapping[str, float], graph_version: int
) -> OwnMeasure:
    """Write a measure instead of the one that had this name. Readers see all of the one or all of the other.

    Raises:
        AccountNotFound: a key is not in the graph; the first of them is named, and what was there stays.
    """
    for left in store.read("own_measures/left_behind"):
        _remove(store, left["name"])
    rows = [{"key": key, "value": values[key]} for key in sorted(values)]
    pending, replaced = _hidden(name), _hidden(name)
    store.write("own_measures/begin", name=pending, meaning=meaning, graph_version=graph_version)
    try:
        for first in range(0, len(rows), VALUES_AT_ONCE):
            [found] = store.write("own_measures/values", name=pending, rows=rows[first : first + VALUES_AT_ONCE])
            if found["unknown"]:
                raise AccountNotFound(
                    f"Nothing was written: {found['unknown'][0][:200]} is not in the graph (any more). Read the graph "
                    "anew, and write values of its accounts."
                )
        [finished] = store.write("own_measures/finish", pending=pending, name=name, replaced=replaced)
    except BaseException:
        _remove(store, pending)
        raise
    _remove(store, replaced)
    return OwnMeasure(
        name=name,
        meaning=meaning,
        graph_version=graph_version,
        written_at=finished["written_at"].to_native(),
        accounts=len(rows),
    )


def remove_own_measure(store: Store, name: str) -> None:
    """Forget a measure with all its values.

    Raises:
        OwnMeasureNotFound: there is none of this name.
    """
    hidden = _hidden(name)
    [row] = store.write("own_measures/hide", name=name, hidden=hidden)
    if not row["found"]:
        raise OwnMeasureNotFound(f"No measure was written as {name[:80]!r}; own_measures() lists those that there are.")
    _remove(store, hidden)


def _hidden(name: str) -> str:
    """A name that no measure can have, because it has a space in it."""
    return f"{name[:80]} {secrets.token_hex(8)}"


def _remove(store: Store, name: str) -> None:
    while [row["left"] for row in store.write("own_measures/remove", name=name, most=VALUES_AT_ONCE)] == [1]:
        pass
