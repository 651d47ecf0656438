"""Stance of posts about a brand: sentences made by hand, in English and French, with negation and irony."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.content.stance import Stance, read_stance
from tests.unit.analytics_graphs import laws

NAMES = ("Velora Cycles", "velora")

FAVOURABLE = [
    "I love my new Velora Cycles bike!",
    "Velora is the best brand I know.",
    "Honestly impressed by Velora Cycles, great service.",
    "Would recommend velora to anyone.",
    "J'adore mon vélo Velora, il est parfait.",
    "Velora Cycles, c'est génial !",
    "Très satisfaite de Velora, je recommande.",
    "Merci Velora pour la réparation",
    "Velora 😍",
    "I hate mornings. But Velora makes great bikes.",
    "La meilleure marque reste Velora.",
]
UNFAVOURABLE = [
    "Velora Cycles is awful, avoid.",
    "My Velora bike is broken after two days.",
    "Not happy with velora at all.",
    "I don't recommend Velora.",
    "Never buying Velora again, worst service.",
    "Velora, c'est nul.",
    "Très déçu par Velora Cycles.",
    "Je ne recommande pas Velora.",
    "Velora n'est pas fiable.",
    "Quelle arnaque, Velora !",
    "Velora 😡",
    "I love cycling. Velora is terrible.",
]
UNSURE = [
    "Great, thanks Velora for the broken wheel.",
    "Velora is great but the saddle is awful.",
    "Merci Velora pour ces trois semaines de retard.",
    "Velora is amazing /s",
    "Super service chez Velora, vraiment parfait #ironie",
    'Velora calls this "excellent" service.',
    "Velora, best bike ever. Yeah right.",
]
UNKNOWN = [
    "I saw a Velora today.",
    "Is Velora any good?",
    "Velora, c'est bien fiable ?",
    "Velora is not bad.",
    "Velora, pas mal du tout",
    "Velora ist ein Fahrrad.",
    "ヴェロラ最高",
    "",
    "   ",
]


@pytest.mark.parametrize("text", FAVOURABLE)
def test_favourable(text: str) -> None:
    assert read_stance(text, NAMES).value == 1, read_stance(text, NAMES)


@pytest.mark.parametrize("text", UNFAVOURABLE)
def test_unfavourable(text: str) -> None:
    assert read_stance(text, NAMES).value == -1, read_stance(text, NAMES)


@pytest.mark.parametrize("text", UNSURE)
def test_praise_and_blame_and_irony_are_unsure(text: str) -> None:
    found = read_stance(text, NAMES)
    assert (found.value, found.unsure) == (None, True), found


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_says_nothing_is_not_known(text: str) -> None:
    assert read_stance(text, NAMES) == Stance(None)


def test_a_brand_that_is_called_like_praise_is_not_praised_by_its_name() -> None:
    assert read_stance("I bought Top Love shoes.", ("Top Love",)) == Stance(None)
    assert read_stance("I bought Top Love shoes and I am disappointed.", ("Top Love",)).value == -1


def test_other_sentences_do_not_count_where_one_names_the_brand() -> None:
    text = "What an awful day, everything is broken. Velora Cycles made it perfect."
    assert read_stance(text, NAMES) == Stance(1, ("perfect",))


@laws
@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_can_be_read(text: str, names: list[str]) -> None:
    found = read_stance(text, names)
    assert found.value in (None, -1, 1)
    assert found.value is None or (found.words and not found.unsure)
