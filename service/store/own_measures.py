"""Measures of their own that analysts write to the graph under names, beside what runs find."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain import OwnMeasure
from service.errors import AccountNotFound, OwnMeasureNotFound
from service.store.driver import Store, Tx

ROWS_AT_ONCE = 10_000
"""Values of one statement."""


def list_own_measures(store: Store) -> list[OwnMeasure]:
    """Return what analysts wrote, by name."""
    return [
        OwnMeasure(**{**row, "written_at": row["written_at"].to_native()}) for row in store.read("own_measures/all")
    ]


def write_own_measure(
    store: Store, name: str, meaning: str, values: Mapping[str, float], graph_version: int
) -> OwnMeasure:
    """Write a measure instead of the one that had this name: all of it or, where that fails, nothing.

    Raises:
        AccountNotFound: a key is not in the graph; the first of them is named.
    """
    rows = [{"key": key, "value": values[key]} for key in sorted(values)]

    def work(tx: Tx) -> OwnMeasure:
        [row] = tx.run("own_measures/write", name=name, meaning=meaning, graph_version=graph_version)
        for first in range(0, len(rows), ROWS_AT_ONCE):
            [found] = tx.run("own_measures/values", name=name, rows=rows[first : first + ROWS_AT_ONCE])
            if found["unknown"]:
                raise AccountNotFound(
                    f"Nothing was written: {found['unknown'][0][:200]} is not in the graph (any more). Read the graph "
                    "anew, and write values of its accounts."
                )
        return OwnMeasure(
            name=name,
            meaning=meaning,
            graph_version=graph_version,
            written_at=row["written_at"].to_native(),
            accounts=len(rows),
        )

    return store.write_transaction(work)


def remove_own_measure(store: Store, name: str) -> None:
    """Forget a measure with all its values.

    Raises:
        OwnMeasureNotFound: there is none of this name.
    """
    [row] = store.write("own_measures/remove", name=name)
    if not row["removed"]:
        raise OwnMeasureNotFound(f"No measure was written as {name[:80]!r}; own_measures() lists those that there are.")
