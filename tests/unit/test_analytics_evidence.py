"""Evidence behind each part, and sentences whose numbers can be checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics import documents
from service.analytics.analysis import analyse
from service.analytics.evidence import largest
from service.domain import PART_NAMES, Analysis, Candidate, Graph, Part, RunSpec, ScoringRules, no_progress
from service.files.spool import Spool
from service.flows.analyze import pages
from service.store.results import digest_of
from tests.unit.analytics_graphs import (
    Edge,
    analysed_congress,
    clique,
    edge_lists,
    edges_of,
    follows,
    laws,
    make_graph,
    mutual,
)

Shared = Callable[[str], Path]


def everyone_is_candidate(**rules: object) -> RunSpec:
    return RunSpec(rules=ScoringRules(resolutions=(0.1,), micro_share=1.0, macro_top_share=0, **rules))  # type: ignore[arg-type]


def found(analysis: Analysis) -> dict[str, Candidate]:
    return {one.key: one for candidates in analysis.candidates for one in candidates}


def candidate_lines(analysis: Analysis) -> list[list[bytes]]:
    """The published candidates of each community."""
    lines = {part.name: list(part.lines) for part in analysis.parts}
    return [lines[f"candidates/{community.id}"] for community in analysis.communities]


def part(candidate: Candidate, name: str) -> Part:
    return next(one for one in candidate.parts if one.part == name)


def check_evidence(graph: Graph, analysis: Analysis, spec: RunSpec) -> int:
    """What must hold of every candidate of every run; returns how many items were seen."""
    known = edges_of(graph)
    opted_out = {key for key, out in zip(graph.keys, graph.opted_out.tolist(), strict=True) if out}
    position = {key: i for i, key in enumerate(graph.keys)}
    seen = 0
    for candidate in found(analysis).values():
        assert candidate.key not in opted_out
        assert sum(one.points_millionths or 0 for one in candidate.parts) == candidate.score_millionths
        for one in candidate.parts:
            assert len(one.evidence) <= spec.rules.evidence_items
            assert (one.raw is None) == (one.x is None) == (one.points is None) == (one.null_reason is not None)
            ranked = [(-item.contribution, item.follower) for item in one.evidence]
            assert ranked == sorted(ranked)
            for item in one.evidence:
                seen += 1
                assert (item.follower, item.followee) in known
                assert item.followee == candidate.key
                assert item.follower not in opted_out
                assert item.mutual == ((item.followee, item.follower) in known)
                assert item.follower_handle == (graph.handles[position[item.follower]] or None)
                # both ends are members of the same community
                assert analysis.labels[position[item.follower]] == analysis.labels[position[item.followee]]
                assert one.raw is not None
                assert item.contribution > 0
                assert item.share == pytest.approx(item.contribution / one.raw, rel=1e-7)
            assert sum(item.share for item in one.evidence if one.part != "reach") <= 1 + 1e-7
    return seen


@laws
@given(edge_lists())
def test_evidence_is_in_the_graph(edges: list[Edge]) -> None:
    graph = make_graph(edges, handles={"x:1": "one"}, opted_out=["x:2"])
    spec = everyone_is_candidate(evidence_items=50)
    analysis = analyse(graph, spec, no_progress)
    check_evidence(graph, analysis, spec)
    for candidate in found(analysis).values():
        # authority lists every follower that may be named
        inside = {follower for follower, followee in edges_of(graph) if followee == candidate.key} - {"x:2"}
        assert {item.follower for item in part(candidate, "authority").evidence} == {
            follower
            for follower in inside
            if analysis.labels[graph.keys.index(follower)] == analysis.labels[graph.keys.index(candidate.key)]
        }


def test_evidence_of_a_real_graph(shared_data: Shared) -> None:
    graph, analysis = analysed_congress(shared_data)
    assert check_evidence(graph, analysis, RunSpec()) > 500


def test_lines_are_the_documents_of_candidates(shared_data: Shared) -> None:
    """What is published without making objects is to the byte what the objects would publish."""
    _, analysis = analysed_congress(shared_data)
    edges = [*clique(f"x:{i}" for i in range(6)), *follows("a>b", "b>c", "c>a")]
    related = [("x:1", "shop", "employee", 1_600_000_000_000, None), ("x:2", "shop", "user", None, None)]
    small = make_graph(edges, handles={"x:1": 'Zoé \\ "1"'}, relations=related, brands={"shop": "Épicerie"})
    for one in (analysis, analyse(small, everyone_is_candidate(), no_progress)):
        lines = [line for of_community in candidate_lines(one) for line in of_community]
        assert lines
        assert lines == [
            candidate.model_dump_json().encode() for candidates in one.candidates for candidate in candidates
        ]


KEYS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), min_size=9, max_size=9, unique=True)


@laws
@given(edge_lists(weights=st.sampled_from([1.0, 5e-324, 1e300, 0.1])), KEYS, st.integers(0, 50), st.integers(1, 4))
def test_lines_are_the_documents_of_candidates_whatever_the_graph(
    edges: list[Edge], texts: list[str], items: int, at_once: int
) -> None:
    """Keys and handles of any characters, numbers of any size, lines kept in memory or on disk, in whatever batches."""
    named = {f"x:{i}": f"x:{text}" for i, text in enumerate(texts)}
    handles = {key: key[::-1] for key in list(named.values())[::2]}
    engaged = [(named[b], named[a], 20_000, (1, 2, 3, 10**12)) for a, b, _ in edges[::3]]
    graph = make_graph([(named[a], named[b], w) for a, b, w in edges], handles=handles, engaged=engaged)
    spec = everyone_is_candidate(evidence_items=items)
    analysis = analyse(graph, spec, no_progress)
    assert candidate_lines(analysis) == [
        [one.model_dump_json().encode() for one in candidates] for candidates in analysis.candidates
    ]
    with TemporaryDirectory() as folder, Spool(Path(folder)) as spool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "AT_ONCE", at_once)
        assert digest_of(pages(analyse(graph, spec, no_progress, spool.keep))) == digest_of(pages(analysis))


@laws
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0]), max_size=12), max_size=4), st.integers(0, 5))
def test_the_largest_of_each_stretch(stretches: list[list[float]], items: int) -> None:
    ends = np.cumsum([0, *map(len, stretches)])
    values = np.array([value for stretch in stretches for value in stretch], dtype=np.float64)
    places, counts = largest(values, ends.astype(np.int64), items)
    expected = [
        sorted((at for at in range(start, start + len(one)) if values[at] > 0), key=lambda at: (-values[at], at))[
            :items
        ]
        for start, one in zip(ends.tolist(), stretches, strict=False)
    ]
    assert counts.tolist() == [len(one) for one in expected]
    assert places.tolist() == [at for one in expected for at in one]


def test_contributions_by_hand() -> None:
    # b (weight 3 of its 4) and c follow a; a follows back b
    graph = make_graph([("x:b", "x:a", 3.0), ("x:b", "x:c", 1.0), ("x:c", "x:a", 2.0), ("x:a", "x:b", 5.0)])
    analysis = analyse(graph, everyone_is_candidate(), no_progress)
    a, b = found(analysis)["x:a"], found(analysis)["x:b"]
    rank = dict(zip(graph.keys, analysis.scores[0].raw[0].tolist(), strict=True))
    inflow = part(a, "authority").evidence
    assert {item.follower: item.contribution for item in inflow} == pytest.approx(
        {"x:b": 0.85 * rank["x:b"] * 3 / 4, "x:c": 0.85 * rank["x:c"]}, rel=1e-8
    )
    (tie,) = part(a, "trust").evidence
    assert (tie.follower, tie.mutual) == ("x:b", True)
    assert tie.contribution == pytest.approx((1 - 0.5 / 2) / (2 + 10), rel=1e-8)
    # b is followed by a alone, who is followed by b itself and c: without a, neither a nor c is moved
    (only,) = part(b, "reach").evidence
    assert only.contribution == pytest.approx((0.05 + 0.05**2) / 2, rel=1e-8)
    assert only.share == pytest.approx(1)


def test_evidence_can_be_limited_and_left_out() -> None:
    graph = make_graph(clique(f"x:{i}" for i in range(9)))
    for items in (0, 1, 3):
        spec = everyone_is_candidate(evidence_items=items)
        for candidate in found(analyse(graph, spec, no_progress)).values():
            expected = [f"x:{i}" for i in range(9) if f"x:{i}" != candidate.key][:items]
            assert [item.follower for item in part(candidate, "trust").evidence] == expected


# --- reasons -----------------------------------------------------------------------------------------------


def reasons(edges: list[Edge], key: str, **more: object) -> tuple[str, ...]:
    candidate = found(analyse(make_graph(edges, **more), everyone_is_candidate(), no_progress))[key]
    assert all(reason.en and reason.fr for reason in candidate.reasons)
    return tuple(reason.en for reason in candidate.reasons if reason.about in PART_NAMES)


def test_reasons_in_the_singular() -> None:
    assert set(reasons(mutual(("x:a", "x:b")), "x:a")) == {
        "Listened to as much as the only other account compared; 1 member follows this account.",
        "Reaches the only other member directly.",
        "Follows back the only follower in this community, so this tie goes both ways.",
    }


def test_reasons_in_the_plural() -> None:
    edges = follows("b>a", "c>a", "a>b", "d>b", "e>b", "a>c")
    assert set(reasons(edges, "x:a")) == {
        "Listened to more than any of the 4 other accounts compared; 2 members follow this account.",
        "Reaches all 4 other members within two steps: 2 directly and 2 through them.",
        "Follows back all 2 followers in this community, so these ties go both ways.",
    }
    assert set(reasons(edges, "x:b")) == {
        "Listened to more than 3 of the 4 other accounts compared (75%); 3 members follow this account.",
        "Reaches all 4 other members within two steps: 3 directly and 1 through them.",
        "Follows back 1 of the 3 followers in this community (33%), so this tie goes both ways.",
    }
    assert set(reasons(edges, "x:c")) == {
        "Listened to more than 2 of the 4 other accounts compared (50%); 1 member follows this account.",
        "Reaches 2 of the 4 other members (50%) within two steps: 1 directly and 1 through that one.",
        "Follows back the only follower in this community, so this tie goes both ways.",
    }


def test_reasons_without_mutual_ties_say_what_trust_rests_on() -> None:
    edges = follows("b>a", "c>a", "b>c", "c>b")
    assert (
        "Does not follow back any of the 2 followers in this community; "
        "trust rests on the community's average alone (0.25)." in reasons(edges, "x:a")
    )
    # nobody at all follows back: the average is 0, so trust gives no points and no reason
    assert not any("follow back" in reason for reason in reasons(follows("b>a", "c>a"), "x:a"))


def test_one_account_compared_alone() -> None:
    said = reasons(follows("b>a"), "x:a", opted_out=["x:b"])
    assert said == ("1 member follows this account.", "Reaches the only other member directly.")


def test_reasons_stand_in_order_of_points_and_hold_numbers(shared_data: Shared) -> None:
    _, analysis = analysed_congress(shared_data)
    words = {"authority": "Listened", "reach": "Reaches", "trust": "follow"}
    for community, candidates in zip(analysis.communities, analysis.candidates, strict=True):
        for candidate in candidates:
            scored = [one for one in candidate.parts if one.points_millionths]
            order = sorted(scored, key=lambda one: -(one.points_millionths or 0))
            of_parts = candidate.reasons[: len(order)]
            assert [reason.about for reason in of_parts] == [one.part for one in order]
            assert len(order) == 3
            for reason, one in zip(of_parts, order, strict=True):
                assert words[one.part] in reason.en or words[one.part] in reason.en.lower()
            for reason in candidate.reasons:
                assert re.search(r"\d|only", reason.en)
                assert re.search(r"\d|seul", reason.fr)
                assert reason.en.endswith(".")
                assert reason.fr.endswith(".")
            assert f"{candidate.followers_in_community} member" in " ".join(reason.en for reason in candidate.reasons)
            assert candidate.population == (
                f"{community.base} accounts of community {community.id} that pass the integrity gates"
            )


def test_percentages_are_rounded_down() -> None:
    edges = mutual(*(("x:hub", f"x:{i:03}") for i in range(200))) + follows("late>hub")
    said = " ".join(reasons(edges, "x:hub"))
    assert "Follows back 200 of the 201 followers in this community (99%)" in said  # 99.5%
