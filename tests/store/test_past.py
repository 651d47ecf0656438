"""The time before a day as the store holds it, and back-tests of what is in the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from service.analytics.backtest import cut_days
from service.domain import BacktestSpec, Follow, Past, no_progress
from service.flows.backtest import backtest, read_and_backtest
from service.flows.importing import import_folder
from service.sample import DEMO_FOLLOWS
from service.sample_files import write_sample
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.past import read_past
from tests.unit.sample_graph import past_of, sample_and_graph

CUT_DAY = (datetime(2026, 3, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def pairs(store: Store, past: Past) -> set[tuple[str, str]]:
    keys = {row["n"]: row["key"] for row in store.statement("MATCH (a:Account) RETURN a.n AS n, a.key AS key")}
    return {(keys[a], keys[b]) for a, b in zip(past.source.tolist(), past.target.tolist(), strict=True)}


def test_follows_before_a_day_and_those_without_a_time(store: Store) -> None:
    apply_follows(
        store,
        [
            Follow("t:a", "t:b", at=at("2026-02-28T23:59:59.999+00:00")),
            Follow("t:a", "t:c", at=at("2026-03-01T00:00:00+00:00")),
            Follow("t:b", "t:c", at=at("2020-01-01T00:00:00+00:00")),
            Follow("t:c", "t:a"),
        ],
    )
    past = read_past(store, CUT_DAY, False, no_progress)
    assert pairs(store, past) == {("t:a", "t:b"), ("t:b", "t:c")}
    assert past.followed_at == at("2026-02-28T23:59:59.999+00:00")
    assert (past.follows_without_time, past.with_undated) == (1, False)
    kept = read_past(store, CUT_DAY, True, no_progress)
    assert pairs(store, kept) == {("t:a", "t:b"), ("t:b", "t:c"), ("t:c", "t:a")}
    assert kept.followed_at == past.followed_at


def test_topics_before_a_day(store: Store) -> None:
    """A post counts for who wrote it when it was written, for who shared it when it was shared; others not at all."""
    store.statement(
        """
        MERGE (g:Graph {id: 1}) SET g.n = 2
        CREATE (a:Account {key: 't:a', n: 1, v: 1}), (b:Account {key: 't:b', n: 2, v: 1})
        CREATE (jazz:Topic {name: 'jazz'}), (tea:Topic {name: 'tea'})
        CREATE (a)-[:POSTED]->(one:Post {key: 't:1', at: datetime('2026-02-01T10:00:00Z'), v: 1})-[:ABOUT]->(jazz)
        CREATE (a)-[:POSTED]->(two:Post {key: 't:2', at: datetime('2026-03-01T00:00:00Z'), v: 1})-[:ABOUT]->(jazz)
        CREATE (a)-[:POSTED]->(:Post {key: 't:3', v: 1})-[:ABOUT]->(tea)
        CREATE (one)-[:ABOUT]->(tea)
        CREATE (b)-[:RESPONDED {kind: 'repost', at: datetime('2026-02-10T00:00:00Z'), v: 1}]->(one)
        CREATE (b)-[:RESPONDED {kind: 'repost', at: datetime('2026-03-02T00:00:00Z'), v: 1}]->(two)
        CREATE (b)-[:RESPONDED {kind: 'like', at: datetime('2026-02-11T00:00:00Z'), v: 1}]->(one)
        """
    )
    past = read_past(store, CUT_DAY, False, no_progress)
    found = zip(past.topics.account.tolist(), past.topics.topic, past.topics.posts.tolist(), strict=True)
    assert set(found) == {(1, "jazz", 1), (1, "tea", 1), (2, "jazz", 1), (2, "tea", 1)}
    assert past.topics_at == at("2026-02-10T00:00:00+00:00")
    assert past.posts_without_time == 1


@pytest.fixture
def sample_store(store: Store, tmp_path: Path) -> Store:
    import_folder(store.address, write_sample(tmp_path / "sample"), tmp_path / "imports", no_progress)
    return store


def test_a_backtest_of_the_store_is_the_one_of_the_sample(sample_store: Store, tmp_path: Path) -> None:
    """Import, read, cut and measure give what the sample's own arrays give, to the last digit.

    What the graph does not tell by time is the same in both: reported followers and opted-out accounts.
    """
    spec = BacktestSpec(draws=20, share=0.8)
    sample, graph = sample_and_graph(DEMO_FOLLOWS)
    expected = backtest(graph, past_of(sample, cut_days(graph, spec)[1]), spec, no_progress)
    found = read_and_backtest(sample_store, tmp_path / "graphs", spec, no_progress)
    assert (found.cut, found.until) == (expected.cut, expected.until)
    assert found.interactions_after == expected.interactions_after
    assert np.array([one.value for one in found.figures]) == pytest.approx([one.value for one in expected.figures])
    assert [one.model_dump(exclude={"label"}) for one in found.communities] == [
        one.model_dump(exclude={"label"}) for one in expected.communities
    ]
