"""What accounts are to brands: relations at a time, and the track they lead to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from service.domain import BRAND_TRACKS, RELATION_NAMES, TRACK_OF, BrandRelation, Graph, Track

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def relations_of(graph: Graph, i: int) -> tuple[BrandRelation, ...]:
    """List the relations of account i to brands, by brand, then relation and times.

    Active are, at the time `as_of` of the graph, those that have begun and not ended; all where it has none.
    """
    result = []
    first, last = np.searchsorted(graph.relation_account, [i, i + 1]).tolist()
    for entry in range(first, last):
        brand = int(graph.relation_brand[entry])
        name = RELATION_NAMES[graph.relation_name[entry]]
        since, until = int(graph.relation_since[entry]), int(graph.relation_until[entry])
        now = graph.as_of
        result.append(
            BrandRelation(
                brand=graph.brand_keys[brand],
                brand_name=graph.brand_names[brand],
                relation=name,
                track=TRACK_OF[name],
                since=time_of(since),
                until=time_of(until),
                active=now is None or ((since == -1 or since <= now) and (until == -1 or until > now)),
            )
        )
    return tuple(result)


def track_of(relations: Iterable[BrandRelation]) -> Track:
    """Return the track that active relations lead to: the first of BRAND_TRACKS that one is of, else open."""
    active = {relation.track for relation in relations if relation.active}
    return next((track for track in BRAND_TRACKS if track in active), "open")


def time_of(at: int) -> datetime | None:
    """Return milliseconds since 1970 UTC as a time; -1 is None."""
    return None if at == -1 else _EPOCH + timedelta(milliseconds=at)


def ms_of(time: datetime) -> int:
    """Return a time as milliseconds since 1970 UTC."""
    return (time - _EPOCH) // timedelta(milliseconds=1)
