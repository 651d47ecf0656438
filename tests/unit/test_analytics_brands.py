"""Brands in an analysis: relations of candidates, their tracks and reasons, and brands' own accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.brands import track_of
from service.analytics.sentences import relation_reason
from service.domain import (
    PART_NAMES,
    TRACK_OF,
    Analysis,
    BrandRelation,
    Candidate,
    Graph,
    RunSpec,
    ScoringRules,
    no_progress,
)
from tests.unit.analytics_graphs import (
    DAY,
    Edge,
    Related,
    clique,
    edge_lists,
    laws,
    make_graph,
    related_to_brands,
)
from tests.unit.test_analytics_analysis import check_laws, published

EVERYONE = RunSpec(rules=ScoringRules(resolutions=(0.1,), micro_share=1.0, macro_top_share=0, evidence_items=50))
RING = [f"x:{i}" for i in range(6)]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def candidates(graph: Graph, spec: RunSpec = EVERYONE) -> dict[str, Candidate]:
    analysis = analyse(graph, spec, no_progress)
    check_laws(graph, analysis)
    return {one.key: one for found in analysis.candidates for one in found}


def gate(analysis: Analysis, community: int = 0) -> tuple[bool, int]:
    (found,) = [one for one in analysis.communities[community].gates if one.gate == "brand_account"]
    return found.known, found.excluded


# --- relations and tracks -----------------------------------------------------------------------------------


def expected_relations(related: list[Related], account: str, as_of: int | None) -> list[tuple[object, ...]]:
    """The rules anew, in plain Python: what is said of an account, once each, and whether it holds at as_of."""
    places = ["employee", "collaborator", "customer", "user"]
    said = sorted(
        {one[1:] for one in related if one[0] == account},
        key=lambda one: (one[0], places.index(one[1]), *(-1 if time is None else time for time in one[2:])),
    )
    result: list[tuple[object, ...]] = []
    for brand, relation, since, until in said:
        begun = as_of is None or since is None or since <= as_of
        ended = as_of is not None and until is not None and until <= as_of
        result.append((brand, relation, since, until, begun and not ended))
    return result


@laws
@given(edge_lists(), st.data(), st.sampled_from([None, 0, DAY, 2 * DAY]), st.integers(0, 99))
def test_relations_and_tracks(edges: list[Edge], data: st.DataObject, as_of: int | None, shuffle: int) -> None:
    accounts = sorted({key for a, b, _ in edges for key in (a, b)})
    related = data.draw(related_to_brands(accounts))
    details = {"relations": related, "own": accounts[1:2], "brands": {"b1": "One"}, "opted_out": ["x:2"], "at": as_of}
    graph = make_graph(edges, **details)
    found = candidates(graph)
    assert not set(accounts[1:2]) & set(found)
    for key, candidate in found.items():
        expected = expected_relations(related, key, as_of)
        shown = [
            (one.brand, one.relation, *(None if time is None else round(time.timestamp() * 1000)
             for time in (one.since, one.until)), one.active)
            for one in candidate.relations
        ]  # fmt: skip
        assert shown == expected
        assert all(one.brand_name == ("One" if one.brand == "b1" else None) for one in candidate.relations)
        active = {relation for _, relation, *_, is_active in expected if is_active}
        if active & {"employee", "collaborator"}:
            track = "employees_collaborators"
        else:
            track = "customers_users" if active & {"customer", "user"} else "open"
        assert candidate.track == track
        said = [place for place, reason in enumerate(candidate.reasons) if reason.about == "relation"]
        assert len(said) == sum(bool(one[-1]) for one in expected)
        assert all(candidate.reasons[place].en.count(" of ") for place in said)
        measured = [place for place, reason in enumerate(candidate.reasons) if reason.about in PART_NAMES]
        assert not said or max(measured, default=-1) < min(said), "after all that was measured"
    again = make_graph(edges, **details, shuffle=shuffle)
    assert published(analyse(again, EVERYONE, no_progress)) == published(analyse(graph, EVERYONE, no_progress))


def test_relations_change_no_score() -> None:
    """What an account is to a brand says who they are, not how much they are listened to."""
    edges = [*clique(RING), ("x:7", "x:0", 1.0)]
    plain = candidates(make_graph(edges))
    told = candidates(make_graph(edges, relations=[("x:0", "b", "employee", None, None)], brands={"b": "Bee"}))
    assert plain.keys() == told.keys()
    for key, candidate in plain.items():
        assert candidate.parts == told[key].parts
        assert candidate.rank == told[key].rank
    assert {reason.en for reason in told["x:0"].reasons} - {reason.en for reason in plain["x:0"].reasons} == {
        "Employee of Bee (counts 1.00 of 1)."
    }


def test_sentences() -> None:
    def related(relation: str, since: str | None, until: str | None, name: str | None = "Maison Aubade") -> str:
        times = [None if one is None else datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (since, until)]
        made = BrandRelation(
            brand="aubade",
            brand_name=name,
            relation=relation,  # type: ignore[arg-type]
            track=TRACK_OF[relation],  # type: ignore[index]
            since=times[0],
            until=times[1],
            active=True,
        )
        return relation_reason(made, 0.5).en

    assert related("employee", "2023-03-01", None) == "Employee of Maison Aubade since March 2023 (counts 0.50 of 1)."
    assert related("collaborator", None, None) == "Collaborator of Maison Aubade (counts 0.50 of 1)."
    assert (
        related("customer", "1965-12-31", "2031-01-01", None)
        == "Customer of aubade from December 1965 until January 2031 (counts 0.50 of 1)."
    )
    assert related("user", None, "2031-08-01") == "User of Maison Aubade until August 2031 (counts 0.50 of 1)."
    assert track_of([]) == "open"


@pytest.mark.parametrize(
    ("since", "until", "as_of", "active"),
    [
        ("2024-01-01", None, "2024-01-01", True),  # begins at that very time
        ("2024-01-02", None, "2024-01-01", False),
        (None, "2024-01-01", "2024-01-01", False),  # ends at that very time
        (None, "2024-01-02", "2024-01-01", True),
        ("2020-01-01", "2021-01-01", None, True),  # no time at all: nothing has ended
        ("2090-01-01", None, None, True),
    ],
)
def test_what_is_active(since: str | None, until: str | None, as_of: str | None, active: bool) -> None:
    times = [None if one is None else ms(one) for one in (since, until)]
    graph = make_graph(
        clique(RING), at=None if as_of is None else ms(as_of), relations=[("x:0", "b", "customer", times[0], times[1])]
    )
    one = candidates(graph)["x:0"]
    assert [relation.active for relation in one.relations] == [active]
    assert one.track == ("customers_users" if active else "open")
    assert ("Customer of b" in " ".join(reason.en for reason in one.reasons)) == active


# --- brands' own accounts ---------------------------------------------------------------------------------------


def test_a_brands_own_account_is_no_candidate_but_may_be_named() -> None:
    edges = [*clique(RING), *((f"x:{i}", "x:shop", 1.0) for i in range(6)), ("x:shop", "x:0", 1.0)]
    plain = analyse(make_graph(edges), EVERYONE, no_progress)
    assert gate(plain) == (False, 0)
    assert "x:shop" in {one.key for one in plain.candidates[0]}
    graph = make_graph(edges, own=["x:shop"], brands={"b": None})
    analysis = analyse(graph, EVERYONE, no_progress)
    check_laws(graph, analysis)
    assert gate(analysis) == (True, 1)
    assert {one.key for one in analysis.candidates[0]} == set(RING)
    shop = graph.keys.index("x:shop")
    assert not analysis.scores[0].in_base[shop]
    assert (analysis.scores[0].score[shop], analysis.scores[0].type[shop]) == (-1, 0)
    # Compared are the six alone, but what was measured is as before, and the brand's account is evidence.
    np.testing.assert_array_equal(analysis.scores[0].raw, plain.scores[0].raw)
    best = next(one for one in analysis.candidates[0] if one.key == "x:0")
    assert best.population.startswith("6 accounts")
    assert "x:shop" in {item.follower for item in best.parts[0].evidence}
    assert analysis.communities[0].most_followed[0] == "x:0"
    assert "x:shop" in analysis.communities[0].most_followed


def test_gates_count_each_member_once() -> None:
    graph = make_graph(clique(RING), own=["x:0", "x:1"], opted_out=["x:1", "x:2"], brands={"b": None})
    analysis = analyse(graph, EVERYONE, no_progress)
    check_laws(graph, analysis)
    assert [(one.gate, one.excluded) for one in analysis.communities[0].gates if one.known] == [
        ("opted_out", 2),
        ("brand_account", 1),
    ]
    assert b"x:1" not in analysis.communities[0].model_dump_json().encode(), "who opted out is not named, brand or not"


def test_where_everybody_is_a_brand_there_is_no_candidate() -> None:
    edges = [(a, b, 1.0) for a, b in pairwise(RING)]
    graph = make_graph(edges, own=RING, brands={"b": None})
    analysis = analyse(graph, EVERYONE, no_progress)
    check_laws(graph, analysis)
    assert all("brand's own account" in str(one.no_candidates_reason) for one in analysis.communities)
