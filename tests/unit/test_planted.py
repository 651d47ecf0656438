"""What was planted in the sample is found, beside the simple rankings that people use instead."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from service.analytics.affinity import brand_ties, detractors
from service.analytics.ties import window_of
from service.domain import TYPE_NAMES, ScoringRules
from tests.unit.planted import PLANTED_ROLES, Found, analysed, evaluate, interval

SEEDS = (7, 1, 2)


@functools.cache
def found(seed: int) -> Found:
    return evaluate(*analysed(seed=seed))


def difference(one: str, other: str) -> tuple[float, float, float]:
    """How much further ahead one ranking is, in the communities of several samples together, with its interval."""
    return interval(np.concatenate([found(seed).ndcg[one] - found(seed).ndcg[other] for seed in SEEDS]))


@pytest.mark.parametrize("baseline", ["followers", "pagerank", "chance"])
def test_candidates_are_more_influential_than_by_simple_rankings(baseline: str) -> None:
    mean, low, _ = difference("score", baseline)
    assert mean > 0.05
    assert low > 0


@pytest.mark.parametrize("baseline", ["followers", "pagerank", "engagement", "chance"])
def test_resonance_is_ahead_of_every_simple_ranking(baseline: str) -> None:
    """Also of engagement received so far: few observations do not win, and few followers do not lose."""
    _, low, _ = difference("resonance", baseline)
    assert low > 0


@pytest.mark.parametrize("role", PLANTED_ROLES)
def test_planted_roles_are_found_more_often_than_by_chance(role: str) -> None:
    right, wrong, missed = (sum(found(seed).roles[role][i] for seed in SEEDS) for i in range(3))
    share = float(np.mean([found(seed).share[role] for seed in SEEDS]))
    precision, recall = right / (right + wrong), right / (right + missed)
    assert precision > 2 * share, (precision, share)
    flagged = share * (right + wrong) / (right + missed)
    assert recall > 2 * flagged, (recall, flagged)


def test_planted_detractors_are_found_and_nobody_who_opted_out_or_is_a_brand_is_a_candidate() -> None:
    for seed in SEEDS:
        sample, graph, analysis = analysed(seed=seed)
        people, rules = sample.people, ScoringRules()
        window = window_of(graph, rules)
        listed = detractors(graph, brand_ties(graph, window), window, [None] * graph.n, rules)
        keys = list(graph.keys)
        planted = {keys[i] for i in np.flatnonzero(people.detractor & ~people.opted_out)}
        assert len(planted & {one.key for one in listed}) >= 0.9 * len(planted)
        assert len({one.key for one in listed}) <= 2 * len(planted)
        for community, scores in zip(analysis.communities, analysis.scores, strict=True):
            candidates = scores.members[scores.rank > 0]
            assert not people.opted_out[candidates].any()
            assert (people.brand[candidates] < 0).all()
            assert (scores.type[scores.rank > 0] == TYPE_NAMES.index("micro")).all()
            assert community.base + sum(gate.excluded for gate in community.gates) == community.size
