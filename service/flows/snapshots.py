"""The graph that an analysis reads: kept on disk, and caught up with what changed since."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from service.analytics.catching_up import caught_up
from service.analytics.graph import build_graph
from service.content.stance import read_stance
from service.content.words import read_text
from service.domain import STANCE_UNKNOWN, BrandColumns, Graph, MentionColumns, Progress, StoreAddress
from service.errors import RunFailed
from service.files.snapshots import forget_unused, load, save
from service.store.driver import Store
from service.store.snapshots import State, changed_since, read_changes, read_snapshot, read_state

log = logging.getLogger(__name__)

CHANGED_SHARE = 0.10
"""Where more than this share of follows, interactions, topics and posts changed, all is read: it is faster."""


def with_stances(mentions: MentionColumns, brands: BrandColumns) -> MentionColumns:
    """Read the stances that nobody stated from the texts of posts, as far as they can be told."""
    names = dict(zip(brands.key, brands.name, strict=True))
    stance, read = mentions.stance.copy(), np.zeros(len(mentions.stance), dtype=np.bool_)
    for place, text in enumerate(mentions.text):
        if text and stance[place] == STANCE_UNKNOWN:
            key = mentions.brand[place]
            value = read_stance(text, [key, names[key] or ""]).value
            if value is not None:
                stance[place], read[place] = value, True
    return replace(mentions, stance=stance, read=read, text=[])


def read_graph(store: Store, kept: Path, progress: Progress) -> Graph:
    """Return the graph as it is now: the one that was kept when it is up to date, else what changed since put on top.

    All is read where nothing usable is kept, where very much changed, where things were removed without a trace since,
    or where the graph turns out to hold another number of things than it should (a warning says so). The answer is the
    same in each case.

    Args:
        store: the graph.
        kept: folder in which graphs are kept, one folder for each graph store; it may be deleted at any time.
        progress: told of stage `snapshot`.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not answer, or holds what cannot be read.
        RunFailed: what it holds is no follower graph.
    """
    state = read_state(store)
    folder = kept / state.identity
    known = load(folder)
    if known is not None:
        held = (state.version, state.accounts, state.follows, state.engagements)
        if (known.version, known.n, known.m, len(known.engaged_idx)) == held:
            progress("snapshot", 1, 1)
            return known
    graph = None if known is None else _caught_up(store, known, state)
    if graph is None:
        known, read = None, read_snapshot(store, progress, read_text)
        graph = build_graph(replace(read, mentions=with_stances(read.mentions, read.brands)))
    save(graph, folder, known)
    forget_unused(kept)
    progress("snapshot", 1, 1)
    return graph


def read_graph_at(address: StoreAddress, kept: Path, progress: Progress) -> Graph:
    """Do what `read_graph` does, for notebooks."""
    with Store(address) as store:
        return read_graph(store, kept, progress)


def _caught_up(store: Store, known: Graph, state: State) -> Graph | None:
    """The graph with what changed since it was kept; None where that is too much, not all of it, or not adding up."""
    if known.version < state.removed:
        return None
    posts = int(known.posted_counts[:, 0].sum())
    most = int(CHANGED_SHARE * (known.m + len(known.engaged_idx) + len(known.topic_idx) + posts))
    if known.version > state.version or changed_since(store, known.version, most + 1) > most:
        return None
    changes, held = read_changes(store, known.version, read_text)
    if known.version < held.removed:
        return None
    changes = replace(changes, mentions=with_stances(changes.mentions, changes.brands))
    try:
        graph = caught_up(known, changes)
    except RunFailed as error:
        log.warning("What changed since version %s cannot be put on top (%s)", known.version, error.message)
        return None
    for things, there, expected in (
        ("accounts", graph.n, held.accounts),
        ("follows", graph.m, held.follows),
        ("engagements", len(graph.engaged_idx), held.engagements),
    ):
        if there != expected:
            log.warning(
                "The graph holds %s %s, but with what changed since version %s there would be %s: something was "
                "written around Entourage. All of it is read again.",
                f"{expected:,}", things, known.version, f"{there:,}",
            )  # fmt: skip
            return None
    return graph
