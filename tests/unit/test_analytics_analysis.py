"""The whole analysis: laws over real and adversarial graphs, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.activity import activity
from service.analytics.analysis import analyse
from service.analytics.fast import FastEngine
from service.analytics.integrity import integrity
from service.analytics.reference import ReferenceEngine
from service.domain import (
    DAY_MS,
    LENS_NAMES,
    PART_NAMES,
    TYPE_NAMES,
    Analysis,
    Graph,
    RunSpec,
    ScoringRules,
    no_progress,
)
from service.errors import EmptyGraph, InvalidRequest
from tests.unit.analytics_graphs import (
    Edge,
    clique,
    congress,
    edge_lists,
    edges_of,
    follows,
    laws,
    make_graph,
    mutual,
    uk_faculty,
)

Shared = Callable[[str], Path]


def published(analysis: Analysis) -> bytes:
    """Everything of an analysis as bytes: documents as they are published, arrays as they are."""
    parts = [analysis.quality.model_dump_json().encode(), analysis.labels.tobytes()]
    for part in analysis.parts:
        parts += [part.name.encode(), *part.lines]
    parts += analysis.lens_documents
    for community, scores in zip(analysis.communities, analysis.scores, strict=True):
        parts += [community.model_dump_json().encode()]
        parts += [getattr(scores, name).tobytes() for name in
                  ("members", "in_base", "type", "raw", "x", "points", "score", "rank")]  # fmt: skip
    return b"\n".join(parts)


def check_laws(graph: Graph, analysis: Analysis) -> None:
    """What holds of every analysis of every graph."""
    quality, labels = analysis.quality, analysis.labels
    keys = np.array(graph.keys)
    counted = integrity(graph, activity(graph, ScoringRules()), ScoringRules())  # has tests of its own
    assert quality.empty_accounts == np.count_nonzero(counted.empty)
    assert quality.follows_left_out == graph.m - counted.counted.m
    known = edges_of(counted.counted)
    tied = {key for pair in known for key in pair}
    assert {graph.keys[i] for i in np.flatnonzero(labels == -1)} == set(graph.keys) - tied
    assert quality.isolates == graph.n - len(tied)
    assert sum(one.size for one in analysis.communities) + quality.isolates == quality.accounts == graph.n
    assert quality.follows == graph.m
    assert (quality.communities, quality.engine) == (len(analysis.communities), "fast")
    assert quality.candidates == sum(map(len, analysis.candidates))
    assert quality.respectable == sum(one.respectable for one in analysis.communities)
    assert sum(level.chosen for level in quality.levels) == 1
    assert len({one.id for one in analysis.communities}) == len(analysis.communities)
    order = [(-one.size, graph.keys[int(s.members[0])]) for one, s in
             zip(analysis.communities, analysis.scores, strict=True)]  # fmt: skip
    assert order == sorted(order)
    for position, (community, scores, candidates) in enumerate(
        zip(analysis.communities, analysis.scores, analysis.candidates, strict=True)
    ):
        members = set(keys[scores.members])
        assert scores.members.tolist() == np.flatnonzero(labels == position).tolist()
        assert community.size == len(members)
        passed = [test.passed for test in community.tests]
        assert passed[0] == (community.size >= quality.useful_min)
        [suspicious] = [test for test in community.tests if test.test == "suspicious_share"]
        assert suspicious.passed is (None if suspicious.value is None else suspicious.value < 0.2)
        sure = community.confidence
        assert passed[3] is (None if sure is None else sure >= 0.7)
        assert community.respectable == all(one is not False for one in passed)
        kept_out = sum(gate.excluded for gate in community.gates)
        assert community.base == int(scores.in_base.sum()) == community.size - kept_out
        known_gates = {"opted_out"} | ({"brand_account"} if graph.brand_keys else set())
        assert {gate.gate for gate in community.gates if gate.known} - {"inactive", "suspicious"} == known_gates
        types = [TYPE_NAMES[one] for one in scores.type.tolist()]
        in_base = scores.in_base.tolist()
        assert sum(one == "macro" and of for one, of in zip(types, in_base, strict=True)) == community.macros
        assert types.count("micro") == community.micros
        assert community.micros == community.candidates == len(candidates)
        assert (community.no_candidates_reason is None) == bool(candidates)
        inside = [pair for pair in known if set(pair) <= members]
        assert community.follows_inside == len(inside)
        assert community.follows_in == sum(b in members and a not in members for a, b in known)
        assert community.follows_out == sum(a in members and b not in members for a, b in known)
        returned = sum((b, a) in known for a, b in inside) / max(len(inside), 1)
        assert community.reciprocity == pytest.approx(returned)
        assert set(community.most_followed) <= members
        assert scores.raw.shape == scores.x.shape == scores.points.shape == (6, len(members))
        assert np.nansum(scores.raw[0]) == pytest.approx(1)
        by_rank = {int(rank): i for i, rank in enumerate(scores.rank.tolist()) if rank}
        assert sorted(by_rank) == list(range(1, len(candidates) + 1))
        assert candidates == sorted(candidates, key=lambda one: (-one.score_millionths, one.key))
        for candidate in candidates:
            i = by_rank[candidate.rank]
            assert candidate.key == keys[scores.members[i]]
            assert (candidate.type, candidate.community) == ("micro", community.id)
            assert candidate.track == "open" or candidate.relations
            assert candidate.score_millionths == scores.score[i]
            assert candidate.score == candidate.score_millionths / 1_000_000
            assert sum(part.points_millionths or 0 for part in candidate.parts) == candidate.score_millionths
            assert [part.part for part in candidate.parts] == list(PART_NAMES)
            assert sum(part.weight for part in candidate.parts) == pytest.approx(1)
            assert all(part.weight == 0 for part in candidate.parts if part.null_reason)
            interval = candidate.rank_interval
            assert interval is not None
            assert 1 <= interval.low <= candidate.rank <= interval.high <= len(candidates)
            assert 0 <= interval.tied_with < len(candidates)
            assert [gate.gate for gate in candidate.gates] == [gate.gate for gate in community.gates]
            assert all(gate.passed in (True, None) for gate in candidate.gates)
            assert candidate.followers == sum(b == candidate.key for _, b in known)
            assert candidate.followers_in_community == sum(b == candidate.key for _, b in inside) > 0
            assert candidate.reasons


# --- real graphs -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def congress_edges(data_root: Path) -> list[Edge]:
    return congress(lambda name: data_root / name)


def test_congress(congress_edges: list[Edge]) -> None:
    graph = make_graph(congress_edges)
    told: list[tuple[str, int, int | None]] = []
    analysis = analyse(graph, RunSpec(), lambda *said: told.append(said))
    check_laws(graph, analysis)
    assert analysis.quality.candidates > 50
    steps = 5 + 20  # resolutions and rewirings
    assert told[: steps + 1] == [("communities", done, steps) for done in range(steps + 1)]
    told = told[steps + 1 :]
    seeds = RunSpec().rules.confidence_seeds
    assert told[: seeds + 1] == [("confidence", done, seeds) for done in range(seeds + 1)]
    told = told[seeds + 1 :]
    measured = told[: told.index(("scores", 0, graph.n))]
    measures = len(RunSpec().measures) + 1  # and memberships
    assert (measured[0], measured[-1]) == (("measures", 0, measures), ("measures", measures, measures))
    assert [said[1] for said in measured] == sorted(said[1] for said in measured)
    lenses = [said for said in told if said[0] == "lenses"]
    assert lenses == [("lenses", done, len(LENS_NAMES)) for done in range(len(LENS_NAMES) + 1)]
    assert told[-len(lenses) :] == lenses
    scored = told[len(measured) : -len(lenses)]
    assert scored[-1] == ("scores", graph.n, graph.n)
    assert [said[1] for said in scored] == sorted(said[1] for said in scored)
    assert {said[0] for said in scored} == {"scores"}
    assert analysis.quality.chance is not None
    assert analysis.quality.chance.rewirings == 20
    assert analysis.quality.chance.mean < analysis.quality.modularity


def test_order_of_reading_does_not_matter(congress_edges: list[Edge]) -> None:
    spec = RunSpec(rules=ScoringRules(resolutions=(1.0,)))
    expected = published(analyse(make_graph(congress_edges), spec, no_progress))
    for shuffle in (1, 2):
        assert published(analyse(make_graph(congress_edges, shuffle=shuffle), spec, no_progress)) == expected


def test_hash_seed_does_not_matter(shared_data: Shared) -> None:
    program = """
import hashlib, json, sys
from service.analytics.analysis import analyse
from service.domain import RunSpec, no_progress
from tests.unit.analytics_graphs import make_graph
from tests.unit.test_analytics_analysis import published
edges, more = json.load(sys.stdin)
graph = make_graph([tuple(edge) for edge in edges], **more)
print(hashlib.sha256(published(analyse(graph, RunSpec(), no_progress))).hexdigest())
"""
    edges = uk_faculty(shared_data)
    keys = sorted({key for key, *_ in edges})
    kinds = ("employee", "collaborator", "customer", "user")
    more = {
        "own": keys[:2],
        "brands": {f"b{i}": f"Brand {i}" for i in range(4)},
        "relations": [(key, f"b{i % 7}", kinds[(i * i) % 4], i, None) for i, key in enumerate(keys + keys[::3])],
    }
    analysis = analyse(make_graph(edges, **more), RunSpec(), no_progress)
    assert any(one.relations for found in analysis.candidates for one in found)
    expected = hashlib.sha256(published(analysis)).hexdigest()
    for seed in ("0", "1", "4"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps([edges, more]), text=True, capture_output=True, check=True,
            cwd=Path(__file__).resolve().parents[2], env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.stdout.strip() == expected


def test_the_seed_and_the_rules_are_used(shared_data: Shared) -> None:
    graph = make_graph(uk_faculty(shared_data))
    first = analyse(graph, RunSpec(), no_progress)
    check_laws(graph, first)
    finer = analyse(graph, RunSpec(rules=ScoringRules(resolutions=(4.0,))), no_progress)
    assert finer.quality.resolution == 4.0
    assert finer.quality.communities > first.quality.communities
    undamped = analyse(graph, RunSpec(rules=ScoringRules(damping=0.5)), no_progress)
    assert undamped.labels.tolist() == first.labels.tolist()
    assert undamped.scores[0].raw[0].tolist() != first.scores[0].raw[0].tolist()


# --- drawn and adversarial graphs --------------------------------------------------------------------------


@laws
@given(edge_lists(most=12), st.integers(0, 99))
def test_laws_and_order_on_any_graph(edges: list[Edge], shuffle: int) -> None:
    details = {"opted_out": ["x:1", "x:2"], "followers": {"x:0": 200_000}}
    graph = make_graph(edges, ["x:zz"], **details)
    analysis = analyse(graph, RunSpec(), no_progress)
    check_laws(graph, analysis)
    again = make_graph(edges, ["x:zz"], **details, shuffle=shuffle)
    assert published(analyse(again, RunSpec(), no_progress)) == published(analysis)


BRIDGE = [*clique(f"x:a{i}" for i in range(6)), *clique(f"x:b{i}" for i in range(6)), *follows("a0>b0")]
GRAPHS: dict[str, Graph] = {
    "one account": make_graph([], ["x:a"]),
    "all isolates": make_graph([], [f"x:{i}" for i in range(10)]),
    "one follow": make_graph(follows("a>b")),
    "one pair": make_graph(mutual(("x:a", "x:b"))),
    "star": make_graph([(f"x:{i:02}", "x:hub", 1.0) for i in range(50)]),
    "star outwards": make_graph([("x:hub", f"x:{i:02}", 1.0) for i in range(50)]),
    "clique": make_graph(clique(f"x:{i:02}" for i in range(20))),
    "bridge": make_graph(BRIDGE),
    "opted out only": make_graph(BRIDGE, opted_out=[f"x:{side}{i}" for side in "ab" for i in range(6)]),
    "one side opted out": make_graph(BRIDGE, opted_out=[f"x:a{i}" for i in range(6)]),
    "huge weights": make_graph([(a, b, 1.7e308) for a, b, _ in BRIDGE]),
    "tiny weights": make_graph([(a, b, 5e-324) for a, b, _ in BRIDGE]),
    "both": make_graph([(a, b, 1.7e308 if a < b else 5e-324) for a, b, _ in BRIDGE]),
    "keys alike": make_graph(clique(["x:", "x::", "x", "", "é:1", "e\u0301:1"])),
}


@pytest.mark.parametrize("name", list(GRAPHS))
def test_adversarial_graphs(name: str) -> None:
    graph = GRAPHS[name]
    for spec in (RunSpec(), RunSpec(rules=ScoringRules(resolutions=(4.0,)))):
        check_laws(graph, analyse(graph, spec, no_progress))


def test_two_cliques_are_two_communities_whatever_the_weights() -> None:
    for name in ("bridge", "huge weights", "tiny weights", "one side opted out"):
        analysis = analyse(GRAPHS[name], RunSpec(), no_progress)
        assert [one.size for one in analysis.communities] == [6, 6], name
        assert analysis.communities[0].most_followed[:1] in [("x:a0",), ()]


def test_without_follows_there_are_no_communities() -> None:
    analysis = analyse(GRAPHS["all isolates"], RunSpec(), no_progress)
    assert (analysis.communities, analysis.scores, analysis.candidates) == ([], [], [])
    assert analysis.labels.tolist() == [-1] * 10
    assert analysis.quality.isolates == 10
    assert [level.communities for level in analysis.quality.levels] == [0] * 5


def test_a_star_has_no_candidate_that_nobody_follows() -> None:
    (community,) = analyse(GRAPHS["star"], RunSpec(), no_progress).communities
    assert (community.macros, community.candidates) == (1, 0)
    assert "macro" in str(community.no_candidates_reason)


def test_who_opted_out_is_named_nowhere() -> None:
    graph = make_graph(BRIDGE, opted_out=["x:a0"], handles={"x:a0": "secretive"})
    analysis = analyse(graph, RunSpec(rules=ScoringRules(micro_share=1.0, evidence_items=50)), no_progress)
    text = b"".join(
        [one.model_dump_json().encode() for one in analysis.communities]
        + [one.model_dump_json().encode() for candidates in analysis.candidates for one in candidates]
    )
    assert b"secretive" not in text
    assert b"x:a0" not in text
    assert b"x:a1" in text


def test_an_isolate_changes_nothing_for_the_others() -> None:
    spec = RunSpec(rules=ScoringRules(resolutions=(1.0,)))  # sizes depend on the number of accounts, and so U
    alone = analyse(make_graph(BRIDGE), spec, no_progress)
    for isolate in ("a:first", "x:a33", "z:last"):
        graph = make_graph(BRIDGE, [isolate])
        wider = analyse(graph, spec, no_progress)
        assert wider.quality.isolates == 1
        assert wider.candidates == alone.candidates
        for one, other in zip(alone.scores, wider.scores, strict=True):
            np.testing.assert_array_equal(one.raw, other.raw)
            np.testing.assert_array_equal(one.score, other.score)


def test_errors() -> None:
    with pytest.raises(EmptyGraph, match="import"):
        analyse(make_graph([]), RunSpec(), no_progress)
    weights = {"authority": 0, "reach": 0, "trust": 0, "resonance": 0, "relevance": 0, "affinity": 1}
    with pytest.raises(InvalidRequest, match="names no brand"):
        analyse(GRAPHS["bridge"], RunSpec.model_validate({"rules": {"weights": weights}}), no_progress)


def test_weight_on_parts_without_data_alone_gives_no_candidates_and_says_why() -> None:
    weights = {"authority": 0, "reach": 0, "trust": 0, "resonance": 1, "relevance": 0, "affinity": 0}
    analysis = analyse(GRAPHS["bridge"], RunSpec.model_validate({"rules": {"weights": weights}}), no_progress)
    check_laws(GRAPHS["bridge"], analysis)
    assert not any(analysis.candidates)
    assert all("lacks the data for" in str(one.no_candidates_reason) for one in analysis.communities)


def test_whoever_watches_may_end_it() -> None:
    def end(stage: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(GRAPHS["bridge"], RunSpec(), end)


@pytest.mark.parametrize("number", range(6))
def test_both_engines_publish_the_same_of_the_same_communities(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs with all that scores rest on; communities by the fast engine, so that they are the same."""
    rng = random.Random(number)
    names = [f"x:{i:02}" for i in range(24)]
    pairs = [(a, b) for a in names for b in names if a != b]
    near = [(a, b) for a, b in pairs if (int(a[2:]) // 8 == int(b[2:]) // 8) == (rng.random() < 0.9)]
    edges = [(a, b, rng.choice([1.0, 2.5])) for a, b in near if rng.random() < 0.5]
    engaged = [(a, b, 20_000 - rng.randrange(80), (rng.randrange(3), 1, 0, 1)) for a, b, _ in edges[::3]]
    graph = make_graph(
        edges, names, engaged=engaged, own=[("x:09", "bee")], opted_out=["x:01"],
        topics=[(name, rng.choice("abcd"), rng.randrange(1, 4), 5 + i) for i, name in enumerate(names)],
        postings=[(name, 19_990, (2, 1, 0)) for name in names[::2]],
        relations=[("x:03", "bee", "employee", None, None), ("x:03", "bee", "user", None, None)],
        mentions=[("x:03", "bee", "x:p1", 19_990 * DAY_MS, 1, None, False)],
    )  # fmt: skip
    spec = RunSpec(rules=ScoringRules(rewirings=0, micro_share=0.5))
    fast = analyse(graph, spec, no_progress)
    monkeypatch.setattr(ReferenceEngine, "partition", FastEngine.partition)
    plain = analyse(graph, spec.model_copy(update={"engine": "reference"}), no_progress)
    assert plain.communities == fast.communities
    assert any(fast.candidates)
    for one, other in zip(plain.parts, fast.parts, strict=True):
        assert (one.name, list(one.lines)) == (other.name, list(other.lines))
