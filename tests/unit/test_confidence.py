"""Confidence of memberships: calibrated under seeds that it has not seen, and laws of the estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.communities import canonical, connected_parts, find_communities, members_of
from service.analytics.confidence import confidence, steady
from service.analytics.engine import get_engine
from service.analytics.graph import project
from service.analytics.lineage import agreed
from service.analytics.ties import tie_graph
from service.domain import RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import clique, make_graph, mutual
from tests.unit.changed_graphs import seen_from
from tests.unit.sample_graph import sample_and_graph

RULES = ScoringRules(rewirings=0, reweightings=0)


def test_of_accounts_said_90_percent_90_percent_keep_their_community() -> None:
    _, graph = sample_and_graph()
    projection, engine = project(tie_graph(graph, RULES)), get_engine("fast")
    partition = find_communities(tie_graph(graph, RULES), projection, engine, RunSpec(rules=RULES), no_progress)
    gamma = partition.chosen.resolution
    said = confidence(projection, partition.labels, gamma, engine, RunSpec(rules=RULES), no_progress)
    known = partition.labels >= 0
    assert np.isnan(said[~known]).all()
    seeds = range(1_000, 1_030)
    kept = np.mean(
        [agreed(partition.labels, connected_parts(projection, engine.partition(projection, gamma, seed)), 0.5, 0.1)
         for seed in seeds],
        axis=0,
    )  # fmt: skip
    assert abs(said[known].mean() - kept[known].mean()) < 0.03
    for low, high in ((0.5, 0.8), (0.8, 0.97), (0.97, 1.01)):
        those = known & (said >= low) & (said < high)
        if those.sum() >= 100:
            assert abs(said[those].mean() - kept[those].mean()) < 0.1, (low, high)


@given(st.integers(1, 40), st.data())
def test_an_estimate_lies_between_the_share_and_the_mean(draws: int, data: st.DataObject) -> None:
    times = np.array(data.draw(st.lists(st.integers(0, draws), min_size=1, max_size=50)), dtype=np.int32)
    found, share = steady(times, draws), times / draws
    mean = share.mean()
    assert ((found >= np.minimum(share, mean) - 1e-9) & (found <= np.maximum(share, mean) + 1e-9)).all()
    assert found.mean() == pytest.approx(mean)
    order = np.argsort(times, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


@pytest.mark.parametrize("strength", [2.0, 10.0])
def test_chances_that_are_drawn_are_found_again(strength: float) -> None:
    """Beta-binomial counts, by drawing: of those that are said so much, so many come true the next time."""
    rng = np.random.default_rng(1)
    chance = rng.beta(0.8 * strength, 0.2 * strength, 40_000)
    said = steady(rng.binomial(10, chance).astype(np.int32), 10)
    for value in np.unique(said):
        those = said == value
        if those.sum() > 1_000:
            assert chance[those].mean() == pytest.approx(value, abs=0.02)


def test_cliques_are_certain_and_a_ring_may_be_cut_anywhere() -> None:
    circles = [[f"net:{circle}{i}" for i in range(8)] for circle in "abcdefgh"]
    ring = [f"net:ring{i:03}" for i in range(640)]
    edges = [edge for circle in circles for edge in clique(circle)]
    edges += mutual(*zip(ring, [*ring[1:], ring[0]], strict=True))
    graph = make_graph(edges, ["net:alone"])
    rules = RULES.model_copy(update={"resolutions": (1.0,), "secondary_share": 0.1})
    analysis = analyse(graph, RunSpec(rules=rules), no_progress)
    sure = {key: analysis.measures["confidence"][i] for i, key in enumerate(graph.keys)}
    assert np.isnan(sure["net:alone"])
    certain, arbitrary = [sure[one] for circle in circles for one in circle], [sure[one] for one in ring]
    assert min(certain) > np.mean(arbitrary)
    assert min(certain) > min(arbitrary) + 0.2
    place = {key: i for i, key in enumerate(graph.keys)}
    assert not any(analysis.between[place[one]] for circle in circles for one in circle)
    secondary = set(analysis.secondary.account.tolist())
    for one in ring:
        assert analysis.between[place[one]] == (place[one] in secondary and sure[one] < 0.7)
    for position, community in enumerate(analysis.communities):
        members = np.flatnonzero(analysis.labels == position)
        assert community.confidence == pytest.approx(analysis.measures["confidence"][members].mean())
        assert community.between_members == analysis.between[members].sum()
        [test] = [one for one in community.tests if one.test == "confidence"]
        assert test.passed is (community.confidence >= 0.7)


def test_without_seeds_nothing_is_said() -> None:
    graph = make_graph(clique([f"net:a{i}" for i in range(5)]))
    analysis = analyse(graph, RunSpec(rules=RULES.model_copy(update={"confidence_seeds": 0})), no_progress)
    assert "confidence" not in analysis.measures
    assert [one.confidence for one in analysis.communities] == [None]
    projection = project(tie_graph(graph, RULES))
    labels = canonical(connected_parts(projection, np.zeros(5, dtype=np.int32)))
    spec = RunSpec(rules=RULES.model_copy(update={"confidence_seeds": 3}))
    again = confidence(projection, labels, 1.0, get_engine("fast"), spec, no_progress)
    assert again.tolist() == [1.0] * 5


def test_what_is_known_is_kept_and_the_rest_found_out() -> None:
    _, graph = sample_and_graph(5_000)
    projection, engine = project(tie_graph(graph, RULES)), get_engine("fast")
    spec = RunSpec(rules=RULES)
    partition = find_communities(tie_graph(graph, RULES), projection, engine, spec, no_progress)
    gamma, labels = partition.chosen.resolution, partition.labels
    fresh = confidence(projection, labels, gamma, engine, spec, no_progress)
    some = np.where(labels == 0, 0.25, np.nan)
    found = confidence(projection, labels, gamma, engine, spec, no_progress, some)
    assert (found[labels == 0] == 0.25).all()
    assert np.array_equal(found[labels != 0], fresh[labels != 0], equal_nan=True)
    everything = np.where(labels >= 0, 0.5, np.nan)

    def never(*_: object) -> None:
        raise AssertionError("nothing is to be found out")

    found = confidence(projection, labels, gamma, engine, spec, never, everything)
    assert np.array_equal(found, everything, equal_nan=True)


def test_members_of_unchanged_communities_keep_their_confidence() -> None:
    """While what is known of chance stands; another question, or a changed community, is measured anew."""
    rules = ScoringRules(rewirings=1, reweightings=0, confidence_seeds=3)
    _, graph = sample_and_graph(5_000)
    first = analyse(graph, RunSpec(rules=rules), no_progress)
    before = seen_from(graph, graph, first, rules=rules)
    marked = replace(before, confidence=np.where(before.labels >= 0, 0.125, np.nan))
    again = analyse(graph, RunSpec(rules=rules, seed=5), no_progress, before=marked)
    kept = again.measures["confidence"] == 0.125
    same = [one for one in again.lineage if one.event == "continues"]
    assert len(same) == len(again.communities)
    for place, members in enumerate(members_of(again.labels)):
        then = np.unique(before.labels[members])
        unchanged = len(then) == 1 and before.sizes[then[0]] == len(members)
        assert kept[members].all() if unchanged else not kept[members].any(), place
    assert kept.any()
    assert kept[again.labels < 0].sum() == 0
    other = RunSpec(rules=rules.model_copy(update={"confidence_seeds": 4}))
    assert not (analyse(graph, other, no_progress, before=marked).measures["confidence"] == 0.125).any()
    unmeasured = replace(marked, quality=first.quality.model_copy(update={"chance": None}))
    again = analyse(graph, RunSpec(rules=rules), no_progress, before=unmeasured)
    assert not (again.measures["confidence"] == 0.125).any()
