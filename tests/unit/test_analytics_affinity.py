"""How accounts stand with brands, against the formulas written out plainly; and who speaks for or against one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.affinity import brand_basis, brand_ties, detractors
from service.analytics.analysis import analyse
from service.analytics.ties import window_of
from service.domain import DAY_MS, BrandBasis, CandidateBasis, Detractor, Graph, RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import clique, laws, make_graph

TODAY = 20_000
NOW = TODAY * DAY_MS
RULES = ScoringRules(evidence_items=50)
RING = [f"x:{i}" for i in range(6)]
WORTH = {"employee": 1.0, "collaborator": 0.9, "customer": 0.8, "user": 0.6}
Mention = tuple[str, str, str, int | None, int | None, bool | None, bool]


def ring(**more: Any) -> Graph:
    """Six people and a shop's own account, whom all follow; the last event is of today."""
    edges = [*clique(RING), *((key, "x:shop", 1.0) for key in RING)]
    return make_graph(edges, own=[("x:shop", "b")], brands={"b": "Bee", "other": None}, unfollowed=NOW, **more)


def basis(graph: Graph, key: str, brand: str = "b", rules: ScoringRules = RULES) -> BrandBasis:
    window = window_of(graph, rules)
    ties = brand_ties(graph, window)
    return brand_basis(graph, ties, window, list(graph.keys).index(key), graph.brand_keys.index(brand), rules)


def mention(days: float, stance: int | None = 1, paid: bool | None = None, answered: bool = False, by: str = "x:0",
            post: str | None = None) -> Mention:  # fmt: skip
    return (by, "b", post or f"x:p{days}{stance}", int(NOW - days * DAY_MS), stance, paid, answered)


related = st.tuples(
    st.sampled_from(sorted(WORTH)), st.sampled_from([None, -400, -1, 1]), st.sampled_from([None, -360, -180, 30])
)
mentioned = st.tuples(st.integers(0, 300), st.sampled_from([-1, 0, 1, None]), st.sampled_from([True, False, None]))


@laws
@given(st.lists(related, max_size=4, unique=True), st.lists(mentioned, max_size=5, unique_by=lambda one: one[0]))
def test_affinity_is_its_formula_and_evidence_is_what_is_lost_without_it(
    relations: list[tuple[str, int | None, int | None]], mentions: list[tuple[int, int | None, bool | None]]
) -> None:
    def expected(
        relations: list[tuple[str, int | None, int | None]], mentions: list[tuple[int, int | None, bool | None]]
    ) -> float:
        r = 0.0
        for name, since, until in relations:
            begun = since is None or since <= 0
            ended = until is not None and until <= 0
            if begun:
                r = max(r, WORTH[name] * (0.5 ** (-until / 180) if ended and until is not None else 1))
        p = sum(0.5 ** (days / 90) for days, stance, paid in mentions if stance == 1 and paid is not True)
        return 1 - (1 - r) * math.exp(-p / 3)

    def at(days: int | None) -> int | None:
        return None if days is None else NOW + days * DAY_MS

    told = [("x:0", "b", name, at(since), at(until)) for name, since, until in relations]
    said = [mention(days, stance, paid, post=f"x:p{days}") for days, stance, paid in mentions]
    if not (told or said):
        return
    found = basis(ring(relations=told, mentions=said), "x:0")
    whole = expected(relations, mentions)
    assert found.standing.affinity == pytest.approx(whole, rel=1e-8)
    shown = {(one.kind, getattr(one, "post", None) or one.relation): one for one in found.evidence}  # type: ignore[union-attr]
    for one in found.evidence:
        assert one.contribution > 0
        assert one.share == pytest.approx(one.contribution / whole, rel=1e-7)
    for place, (days, _, _) in enumerate(mentions):
        lost = whole - expected(relations, mentions[:place] + mentions[place + 1 :])
        item = shown.get(("mention", f"x:p{days}"))
        assert (item.contribution if item else 0.0) == pytest.approx(lost, rel=1e-6, abs=1e-12)
    lost_relations = sorted(
        whole - expected(relations[:place] + relations[place + 1 :], mentions) for place in range(len(relations))
    )
    contributions = [one.contribution for one in found.evidence if one.kind == "relation"]
    assert sorted(contributions) == pytest.approx([one for one in lost_relations if one > 1e-12], rel=1e-6)
    order = [one.contribution for one in found.evidence]
    assert order == sorted(order, reverse=True)


def test_a_standing_by_hand() -> None:
    engaged = [
        ("x:0", "x:shop", TODAY - 2, (2, 1, 0, 0)),
        ("x:shop", "x:0", TODAY - 30, (0, 1, 0, 0)),
        ("x:0", "x:shop", TODAY - 90, (9, 9, 9, 9)),
    ]
    mentions = [
        mention(40, 1),  # the shop wrote to x:0 ten days later
        mention(20, 1, paid=True),  # nobody answered
        mention(10, None, answered=True),
        mention(5, -1),
        mention(91, 1),  # before the window
    ]
    relations = [("x:0", "b", "customer", None, None), ("x:0", "b", "employee", NOW - DAY_MS, None)]
    graph = ring(engaged=engaged, mentions=mentions, relations=relations)
    standing = basis(graph, "x:0").standing
    counted = (standing.favourable, standing.favourable_unpaid, standing.unfavourable, standing.other_mentions)
    assert counted == (2, 1, 1, 1)
    assert standing.exchanges == 4
    assert standing.answered_share == 0.5
    assert str(standing.last_contact) == "2024-10-02"
    assert (standing.track, standing.relation_strength) == ("employees_collaborators", 1.0)
    assert [one.relation for one in standing.relations] == ["employee", "customer"], "two relations, and both are shown"
    assert (standing.advocate, standing.detractor, standing.spoken_well) == (True, False, True)
    said = [reason.en for reason in basis(graph, "x:0").reasons]
    assert said[0].startswith("Employee of Bee since October 2024 (counts 1.00 of 1)")
    assert said[-1] == (
        "Mentioned Bee 4 times in 90 days, 2 of them favourably (1 not paid for) and 1 unfavourably; "
        "4 exchanges with its accounts."
    )


def test_detractors_are_listed_with_their_complaints() -> None:
    mentions = [
        mention(3, -1, post="x:late"),
        mention(50, -1, post="x:early", answered=True),
        mention(4, 1, post="x:kind"),
        mention(3, -1, by="x:1", post="x:once"),
        mention(3, -1, by="x:2", post="x:q1"), mention(4, -1, by="x:2", post="x:q2"),
        mention(5, 1, by="x:2", post="x:q3"), mention(6, 1, by="x:2", post="x:q4"),
        mention(3, -1, by="x:3", post="x:o1"), mention(4, -1, by="x:3", post="x:o2"),
        mention(95, -1, by="x:4", post="x:w1"), mention(4, -1, by="x:4", post="x:w2"),
        mention(3, -1, by="x:shop", post="x:s1"), mention(4, -1, by="x:shop", post="x:s2"),
    ]  # fmt: skip
    graph = ring(mentions=mentions, opted_out=["x:3"])
    window = window_of(graph, RULES)
    communities: list[str | None] = ["c"] * graph.n
    [found] = detractors(graph, brand_ties(graph, window), window, communities, RULES)
    assert (found.key, found.brand, found.unfavourable, found.favourable, found.unanswered) == ("x:0", "b", 2, 1, 1)
    assert [(one.post, one.answered) for one in found.complaints] == [("x:late", False), ("x:early", True)]
    analysis = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0, micro_share=1.0, macro_top_share=0)), no_progress)
    lines = {part.name: list(part.lines) for part in analysis.parts}
    [line] = lines["detractors"]
    assert Detractor.model_validate_json(line).model_copy(update={"community": "c"}) == found
    assert Detractor.model_validate_json(line).community == analysis.communities[0].id
    standings = {
        one.key: one.brands["b"].standing
        for one in map(CandidateBasis.model_validate_json, lines[f"basis/{analysis.communities[0].id}"][1:])
        if "b" in one.brands
    }
    assert {key: standing.detractor for key, standing in standings.items()} == {
        "x:0": True, "x:1": False, "x:2": False, "x:4": False,
    }  # fmt: skip
    assert all(b"x:3" not in line for of_part in lines.values() for line in of_part), "who opted out is named nowhere"


def test_a_mention_of_an_unknown_time_does_not_count() -> None:
    graph = ring(mentions=[("x:0", "b", "x:p", None, 1, None, False)])
    standing = basis(graph, "x:0").standing
    assert (standing.affinity, standing.favourable, standing.spoken_well, standing.last_contact) == (0, 0, True, None)
