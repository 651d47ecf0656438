"""Who belongs to communities that people define."""

from __future__ import annotations

import bisect

import numpy as np

from service.analytics.graph import entries_of, rows_of
from service.analytics.ties import Window
from service.domain import Definition, Graph, Int32


def defined_members(graph: Graph, window: Window, definition: Definition) -> Int32:
    """Find the members of a community by its definition (see `domain.Definition`): int32[k], ascending.

    There may be none: no such account, topic or brand is in the graph.

    Args:
        graph: n accounts.
        window: days and kinds of interactions that count.
        definition: accounts, a topic or a brand.
    """
    if definition.accounts is not None:
        return _listed(graph, definition.accounts)
    if definition.topic is not None:
        names = list(graph.topic_names)
        place = bisect.bisect_left(names, definition.topic)
        if place == len(names) or names[place] != definition.topic:
            return np.zeros(0, dtype=np.int32)
        return np.unique(rows_of(graph.topic_ptr)[graph.topic_idx == place]).astype(np.int32)
    if definition.brand not in graph.brand_keys:
        return np.zeros(0, dtype=np.int32)
    own = np.unique(graph.own_account[graph.own_brand == graph.brand_keys.index(definition.brand)])
    followers = graph.in_idx[entries_of(graph.in_ptr, own)]
    age = window.last_day - graph.engaged_day
    counts = (age >= 0) & (age < len(window.decay)) & (window.value[graph.engaged_code] > 0)
    engaging = rows_of(graph.engaged_ptr)[counts & np.isin(graph.engaged_idx, own)]
    return np.unique(np.concatenate([own, followers, engaging])).astype(np.int32)


def _listed(graph: Graph, accounts: tuple[str, ...]) -> Int32:
    """Positions of those of some keys (ascending) that the graph holds."""
    wanted = set(accounts)
    return np.array([i for i, key in enumerate(graph.keys) if key in wanted], dtype=np.int32)
