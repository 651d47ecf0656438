"""Estimates of runs: they grow with the graph, and are neither below what is used nor far above it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.communities import find_communities
from service.analytics.engine import get_engine
from service.analytics.estimates import ACCOUNT, FOLLOW, PROJECTED, TIE, estimate
from service.analytics.graph import build_graph, project
from service.analytics.network import measure_network
from service.analytics.ties import tie_graph
from service.domain import MEASURE_NAMES, RunEstimate, RunSpec, ScoringRules, StageEstimate, no_progress
from service.files.spool import Spool
from tests.unit.analytics_graphs import columns

T = TypeVar("T")
SIZES = st.integers(0, 10**8)


def stage_of(found: RunEstimate, name: str) -> StageEstimate:
    [stage] = [one for one in found.stages if one.stage == name]
    return stage


@given(SIZES, SIZES, SIZES, SIZES, SIZES, SIZES)
def test_a_larger_graph_never_takes_less(n: int, f: int, e: int, more_n: int, more_f: int, more_e: int) -> None:
    one = estimate(n, f, e, RunSpec(), 2, None)
    other = estimate(n + more_n, f + more_f, e + more_e, RunSpec(), 2, None)
    assert one.memory_bytes <= other.memory_bytes
    assert one.seconds <= other.seconds
    for small, large in zip(one.stages, other.stages, strict=True):
        assert small.stage == large.stage
        assert small.memory_bytes <= large.memory_bytes
        assert small.seconds <= large.seconds


def test_topics_take_memory_and_time() -> None:
    """Of a graph that is little but topics: what is built is not above the estimate, nor below a quarter of it."""
    accounts, topics = 2_000, 100_000
    said = [(f"x:{i % accounts}", f"topic {i // accounts}", 1) for i in range(topics)]
    snapshot = columns([], [f"x:{i}" for i in range(accounts)], topics=said)
    without, found = (estimate(accounts, 0, 0, RunSpec(), 2, None, number) for number in (0, topics))
    assert without.seconds < found.seconds
    build_graph(snapshot)  # kernels are compiled, which takes memory too
    tracemalloc.start()
    try:
        columns([], [f"x:{i}" for i in range(accounts)], topics=said)
        graph = build_graph(snapshot)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(graph.topic_idx) == topics
    assert peak <= found.stages[0].memory_bytes <= 4 * peak


def test_the_whole_is_made_of_the_stages() -> None:
    found = estimate(100_000, 1_000_000, 50_000, RunSpec(), 2, 10**9)
    assert found.memory_bytes == max(stage.memory_bytes for stage in found.stages)
    assert found.seconds == pytest.approx(sum(stage.seconds for stage in found.stages), abs=0.1)
    assert (found.accounts, found.follows, found.engagements) == (100_000, 1_000_000, 50_000)


def test_it_fits_where_there_is_as_much_as_it_needs() -> None:
    needed = estimate(1_000, 10_000, 0, RunSpec(), 2, None).memory_bytes
    assert [estimate(1_000, 10_000, 0, RunSpec(), 2, there).fits for there in (needed - 1, needed, None)] == [
        False,
        True,
        True,
    ]


def test_what_is_asked_for_counts() -> None:
    def seconds(spec: RunSpec) -> float:
        return estimate(100_000, 1_000_000, 0, spec, 2, None).seconds

    assert seconds(RunSpec(rules=ScoringRules(rewirings=0))) < seconds(RunSpec()) < seconds(RunSpec(engine="reference"))
    assert seconds(RunSpec(measures=())) < seconds(RunSpec()) < seconds(RunSpec(measures=MEASURE_NAMES[:9]))


def test_pagerank_of_communities_takes_time_and_memory() -> None:
    def found(spec: RunSpec, threads: int) -> tuple[int, float]:
        measures = stage_of(estimate(100_000, 1_000_000, 0, spec, threads, None), "measures")
        return measures.memory_bytes, measures.seconds

    asked = RunSpec(measures=("community_pagerank",))
    memory, seconds = found(asked, 1)
    more_memory, fewer_seconds = found(asked, 2)
    plain_memory, plain_seconds = found(RunSpec(measures=("pagerank",)), 1)
    assert plain_memory < memory < more_memory
    assert plain_seconds < fewer_seconds < seconds < found(asked.model_copy(update={"engine": "reference"}), 1)[1]


@pytest.mark.parametrize("accounts", [5_000, 60_000])
def test_pagerank_of_communities_takes_the_memory_that_was_estimated(accounts: int) -> None:
    rng = np.random.default_rng(3)
    pairs = sorted({(a, b) for a, b in rng.integers(0, accounts, (60_000, 2)).tolist() if a != b})
    edges = [(f"x:{a}", f"x:{b}", 1.0) for a, b in pairs]
    graph = build_graph(columns(edges, [f"x:{i}" for i in range(accounts)]))
    labels = np.arange(accounts, dtype=np.int32) % 40
    engine, spec = get_engine("fast"), RunSpec(measures=("community_pagerank",))
    ties = tie_graph(graph, spec.rules)
    projection = project(ties)
    measure_network(graph, ties, projection, labels, engine, spec, no_progress)  # kernels are compiled
    stage = stage_of(estimate(accounts, len(pairs), 0, spec, engine.threads, None), "measures")
    there = ACCOUNT * accounts + (FOLLOW + TIE + PROJECTED) * len(pairs)  # the graph and its ties are not made here
    tracemalloc.start()
    try:
        measure_network(graph, ties, projection, labels, engine, spec, no_progress)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= stage.memory_bytes - there <= 4 * peak


@pytest.mark.parametrize(("accounts", "follows"), [(4_000, 60_000), (15_000, 60_000)])
def test_stages_take_what_was_estimated(accounts: int, follows: int, tmp_path: Path) -> None:
    """Peaks of arrays and objects: none above the estimate (for scores: of a whole analysis), none below a quarter."""
    rng = np.random.default_rng(3)
    source = rng.integers(0, accounts, 2 * follows)
    near = (source // 50 * 50 + rng.integers(0, 50, len(source))) % accounts
    target = np.where(rng.random(len(source)) < 0.8, near, rng.integers(0, accounts, len(source)))
    pairs = sorted({(a, b) for a, b in zip(source.tolist(), target.tolist(), strict=True) if a != b})
    edges = [(f"x:{a}", f"x:{b}", 1.0) for a, b in rng.permutation(pairs)[:follows].tolist()]
    keys = [f"x:{i}" for i in range(accounts)]
    engine, spec = get_engine("fast"), RunSpec(rules=ScoringRules(rewirings=2))
    found = estimate(accounts, follows, 0, spec, engine.threads, None)
    estimated = {stage.stage: stage.memory_bytes for stage in found.stages}
    peaks: dict[str, int] = {}

    def traced(stage: str, work: Callable[[], T]) -> T:
        tracemalloc.reset_peak()
        done = work()
        peaks[stage] = tracemalloc.get_traced_memory()[1]
        return done

    analyse(build_graph(columns(edges, keys)), spec, no_progress)  # kernels are compiled, which takes memory too
    tracemalloc.start()
    try:
        graph = traced("snapshot", lambda: build_graph(columns(edges, keys)))
        ties = tie_graph(graph, spec.rules)
        projection = project(ties)
        partition = traced("communities", lambda: find_communities(ties, projection, engine, spec, no_progress))
        traced(
            "measures",
            lambda: measure_network(graph, ties, projection, partition.labels, engine, spec, no_progress),
        )
        with Spool(tmp_path) as spool:  # as a run does
            traced("scores", lambda: analyse(graph, spec, no_progress, spool.keep))
    finally:
        tracemalloc.stop()
    for stage, peak in peaks.items():
        whole = ("communities", "lenses") if stage == "scores" else ()
        assert peak <= max(estimated[one] for one in (stage, *whole)), stage
        assert 4 * peak >= estimated[stage], stage
