"""Measures of their own that analysts write back to the graph, to rank by them beside the score."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from service.domain import OwnMeasure, StoreAddress
from service.errors import InvalidRequest
from service.store.access import read_version
from service.store.driver import Store
from service.store.own_measures import list_own_measures, remove_own_measure, write_own_measure

NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


def own_measures(address: StoreAddress) -> list[OwnMeasure]:
    """Return the measures that analysts wrote, by name."""
    with Store(address) as store:
        return list_own_measures(store)


def keep_own_measure(
    address: StoreAddress,
    name: str,
    values: Iterable[tuple[str, float]],
    *,
    meaning: str,
    graph_version: int | None = None,
) -> OwnMeasure:
    """Write a measure to the graph: a node under its name, and a value for each account. Written again, it is replaced.

    Args:
        address: the graph, migrated.
        name: lower-case letters, digits and underscores, at most 50.
        values: key and value of each account that has one.
        meaning: what is measured, for whoever finds it in the graph.
        graph_version: version of the graph that it was computed on; None: the one of now.

    Raises:
        InvalidRequest: the name cannot be used, there is no value, one is no finite number, or an account has two; it
            is named.
        AccountNotFound: a key is not in the graph; nothing was written.
        StoreError: Neo4j did not take it; nothing was written.
    """
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise InvalidRequest(
            f"A measure cannot be called {str(name)[:80]!r}: take lower-case letters, digits and _, a letter first, "
            "at most 50."
        )
    if not isinstance(meaning, str) or not meaning.strip():
        raise InvalidRequest(f"Measure {name} needs a meaning: a sentence for whoever finds it in the graph.")
    numbers: dict[str, float] = {}
    for key, value in values:
        if not isinstance(key, str):
            raise InvalidRequest(f"Measure {name}: {str(key)[:200]} is no key of an account; keys are network:id.")
        if key in numbers:
            raise InvalidRequest(f"Measure {name}: {key[:200]} has two values; give one.")
        try:
            numbers[key] = float(value)
        except (TypeError, ValueError):
            numbers[key] = math.nan
        if not math.isfinite(numbers[key]):
            raise InvalidRequest(
                f"Measure {name}: the value of {key[:200]} is no finite number; leave out accounts that have none."
            )
    if not numbers:
        raise InvalidRequest(f"Measure {name} has no value; give one for each account that has one.")
    with Store(address) as store:
        version = read_version(store) if graph_version is None else graph_version
        return write_own_measure(store, name, meaning, numbers, version)


def forget_own_measure(address: StoreAddress, name: str) -> None:
    """Remove a measure from the graph, with all its values.

    Raises:
        OwnMeasureNotFound: there is none of this name.
    """
    with Store(address) as store:
        remove_own_measure(store, name)
