"""Reasons in English and French: forms for one and many, and no sentence without a number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.sentences import (
    audience_reason,
    authority_reason,
    number,
    reach_reason,
    relevance_reason,
    resonance_reason,
    role_reason,
    trust_reason,
)
from service.domain import ROLE_NAMES, Reason, Role, RoleMeasure
from tests.unit.analytics_graphs import laws

MEASURES = {
    "networker": ("participation", "reciprocity"),
    "broadcaster": ("posts", "passed_on_share", "reposts_received"),
    "heavy_user": ("active_days",),
    "opinion_leader": ("authority",),
    "specialist": ("topic_entropy_bits", "topic_posts"),
    "trend_discoverer": ("median_place", "topics_that_spread", "p_value"),
    "celebrity": ("audience",),
}


def holds_a_number(reason: Reason) -> None:
    assert re.search(r"\d|\bonly\b", reason.en), reason.en
    assert re.search(r"\d|\bseule?\b", reason.fr), reason.fr
    for text in (reason.en, reason.fr):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert "  " not in text
        assert "None" not in text


counts = st.integers(0, 3_000)


@laws
@given(counts, counts, counts, counts, counts)
def test_every_sentence_holds_a_number(a: int, b: int, c: int, d: int, e: int) -> None:
    holds_a_number(authority_reason(a, b, a + b + c, d + 1, e))
    holds_a_number(reach_reason(a + 1, a + 1 + b, a + 1 + b + c))
    holds_a_number(resonance_reason(a, b + 1, min(a, b + 1), c + 1, d / 100))
    holds_a_number(trust_reason(a + b, a, min(c, a + b + d), a + b + d, 12, e / 3_000))
    holds_a_number(trust_reason(a + b, a, None, a + b + d, 12, e / 3_000))
    holds_a_number(relevance_reason(a + 1, a + 1 + b, ("jazz", "tea", "bread", "coffee")[: 1 + c % 4]))
    holds_a_number(audience_reason(a, b))
    holds_a_number(audience_reason(None, b))


@pytest.mark.parametrize("name", ROLE_NAMES)
@pytest.mark.parametrize("emerging", [False, True])
def test_roles_in_sentences(name: str, emerging: bool) -> None:
    measures = tuple(RoleMeasure(measure=one, value=0.5, threshold=0.25) for one in MEASURES[name])
    reason = role_reason(Role(role=name, emerging=emerging, strength=0.5, measures=measures))  # type: ignore[arg-type]
    holds_a_number(reason)
    assert reason.about == name
    assert reason.en.startswith("Emerging ") == emerging
    assert reason.fr.startswith("Émergent ") == emerging


def test_one_and_many() -> None:
    assert (
        authority_reason(0, 1, 1, 1, 0).fr == "Aussi écouté que le seul autre compte comparé ; 1 membre suit ce compte."
    )
    assert authority_reason(9, 0, 9, 2, 1).fr == (
        "Plus écouté que chacun des 9 autres comptes comparés ; 2 membres suivent ce compte, et 1 de plus réagit."
    )
    assert authority_reason(3, 0, 4, 1, 2).en == (
        "Listened to more than 3 of the 4 other accounts compared (75%); 1 member follows this account, "
        "and 2 more engage "
        "with it."
    )
    assert reach_reason(1, 3, 1_300).fr == (
        "Touche en deux étapes 3 des 1\u202f300 autres membres : 1 directement et 2 par ce membre."
    )
    assert reach_reason(2, 2, 2).fr == "Touche directement les 2 autres membres."
    assert resonance_reason(1, 4, 1, 1, 0.5).en == (
        "Got 1 response from 1 member in 1 day: 25.0 for each 100 who follow or engage, where the "
        "community's average is "
        "50.0."
    )
    assert resonance_reason(1, 4, 1, 1, 0.5).fr == (
        "A reçu 1 réaction de 1 membre en 1 jour : 25,0 pour 100 personnes qui suivent ou réagissent, contre 50,0 en "
        "moyenne dans la communauté."
    )
    assert trust_reason(1, 1, None, 1, 12, 0.1).fr == (
        "Suit en retour le seul abonné de cette communauté : ce lien va dans les deux sens."
    )
    assert trust_reason(3, 0, None, 3, 12, 0.25).fr == (
        "Ne suit en retour aucun de ses 3 abonnés dans cette communauté ; la confiance repose sur la "
        "seule moyenne de la "
        "communauté (0,25)."
    )
    assert trust_reason(4, 2, 3, 5, 12, 0.25).en == (
        "Follows back 2 of the 4 followers in this community (50%), so these ties go both ways; "
        "exchanges with 3 of the "
        "5 members who listen (60%) in the last 12 weeks."
    )
    assert relevance_reason(1, 1, ("jazz",)).en == "The only post on topics is about jazz."
    assert relevance_reason(2, 3, ("jazz", "tea")).fr == (
        "2 des 3 publications thématiques (66 %) portent sur jazz et tea."
    )
    assert number(1_234_567) == "1\u202f234\u202f567"


def test_percentages_never_claim_too_much() -> None:
    def said(role: str, **values: float) -> str:
        measures = tuple(RoleMeasure(measure=name, value=value, threshold=0.2) for name, value in values.items())
        return role_reason(Role(role=role, emerging=False, strength=0.5, measures=measures)).en  # type: ignore[arg-type]

    assert "follows back 29% of" in said("networker", participation=0.5, reciprocity=0.29)
    assert "follows back 28% of" in said("networker", participation=0.5, reciprocity=0.2899)
    assert "among the first 18%" in said("trend_discoverer", median_place=0.171, topics_that_spread=5, p_value=0.01)
