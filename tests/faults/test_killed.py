"""Processes of a service are killed under load: what was acknowledged is in the graph, once, and whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.killing import killed


@pytest.mark.parametrize("cycles", [4, pytest.param(40, marks=pytest.mark.long)])
def test_killed_at_random_moments_nothing_acknowledged_is_lost(tmp_path: Path, cycles: int) -> None:
    outcome = killed(tmp_path, cycles, seed=cycles)
    assert sum(outcome.kills.values()) == cycles
    assert set(outcome.kills) == {"api", "writer", "neo4j"}
    assert outcome.deliveries > 20 * cycles
    assert outcome.attempts > outcome.deliveries, "some attempts failed, or nothing was really killed"
    assert (outcome.lost, outcome.wrong, outcome.in_parts) == (0, 0, 0), outcome
    assert outcome.likes == outcome.deliveries, "each interaction counts once"
    assert outcome.looked > 0
