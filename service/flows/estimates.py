"""What a run would take, and whether there is memory for it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from service.analytics.engine import get_engine
from service.analytics.estimates import estimate
from service.domain import RunEstimate, RunSpec, StoreAddress
from service.errors import RunTooLarge
from service.store.driver import AsyncStore, Store
from service.store.snapshots import State, get_state, read_state

GROUP_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
"""Where Linux says how much memory a container may use, and how much it does: control groups version 2, and 1."""


def available_memory(most_mb: int | None) -> int:
    """Bytes that a run may use: what is free in the machine and in this container, and at most `most_mb` MiB."""
    room = [psutil.virtual_memory().available]
    for limit, used in GROUP_LIMITS:
        with suppress(OSError, ValueError):  # absent, or "max"
            room.append(int(limit.read_text()) - int(used.read_text()))
    if most_mb is not None:
        room.append(most_mb * 2**20)
    return max(min(room), 0)


def estimate_run(address: StoreAddress, spec: RunSpec, most_mb: int | None) -> RunEstimate:
    """Estimate what a run over the graph as it is now would take.

    Args:
        address: the graph.
        spec: what would be asked.
        most_mb: memory a run may use at most, in MiB; None for what is there.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not answer.
    """
    with Store(address) as store:
        return _estimate(read_state(store), spec, most_mb)


async def estimate_requested(store: AsyncStore, spec: RunSpec, most_mb: int | None) -> RunEstimate:
    """Do what `estimate_run` does, for the API."""
    return _estimate(await get_state(store), spec, most_mb)


def require_room(store: Store, spec: RunSpec, most_mb: int | None) -> None:
    """Refuse a run that there is no memory for, before it begins.

    Raises:
        RunTooLarge: says what it needs, what there is, and what helps.
    """
    estimated = _estimate(read_state(store), spec, most_mb)
    if not estimated.fits:
        largest = max(estimated.stages, key=lambda stage: stage.memory_bytes)
        raise RunTooLarge(
            f"This analysis would need about {estimated.memory_bytes / 2**20:,.0f} MiB of memory (for "
            f"{largest.stage}), and there are {(estimated.available_bytes or 0) / 2**20:,.0f}: give the machine more, "
            "stop other programs, or raise ENTOURAGE_RUN_MEMORY_MB where it is set."
        )


def _estimate(state: State, spec: RunSpec, most_mb: int | None) -> RunEstimate:
    threads = get_engine(spec.engine).threads
    counts = (state.accounts, state.follows, state.engagements)
    return estimate(*counts, spec, threads, available_memory(most_mb), state.about, state.posts, state.texts)
