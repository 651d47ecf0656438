"""What texts say: topics they name, and words, by hand and by laws over drawn texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.content.words import LONGEST_TEXT, LONGEST_WORD, forms, language_of, read_brief, read_text


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Three hours in the garden #jardin #Potager", ("jardin", "potager")),
        ("#SlowFood, always", ("slowfood",)),
        ("#pâtisserie maison", ("pâtisserie",)),
        ("We are #1 and #2024 was good", ()),
        ("c# and f## are no tags, nor is a#b", ()),
        ("#jardin #JARDIN #jardin", ("jardin",)),
        ("Read https://www.lemonde.fr/jardin/2024/un-article", ("lemonde.fr",)),
        ("Read http://m.example.org:8080/a?b=c#d and www.Example.org", ("example.org",)),
        ("Look: https://bit.ly/3xyz https://www.youtube.com/watch?v=1 https://fr.wikipedia.org/wiki/Pain",
         ("fr.wikipedia.org",)),
        ("http://127.0.0.1/x http://localhost/y", ()),
        ("(https://blog.example.com).", ("blog.example.com",)),
        ("lea@example.com says hello to @paul.martin", ()),
        ("#寿司 が好き", ("寿司",)),
        ("", ()),
    ],
)  # fmt: skip
def test_topics_are_hashtags_and_sites(text: str, topics: tuple[str, ...]) -> None:
    assert read_text(text).topics == topics


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Les pâtisseries de ma tante", "fr", ("patisser", "tant")),
        ("les PATISSERIES de ma tante", "fr-CA", ("patisser", "tant")),
        ("Baking breads for the bakers", "en", ("bake", "bread", "baker")),
        ("L'escalade, c'est l'hiver", "fr", ("escalad", "hiv")),
        ("I don't think they're isn't", "en", ("think",)),
        ("Backofen und Brot", "de", ("backofen", "und", "brot")),
        ("mail lea@example.com or @paul about it", "en", ("mail",)),
        ("https://www.lemonde.fr/recettes/pain-au-levain-123.html?utm=x", "fr", ("recet", "pain", "levain")),
        ("#SlowFood", "en", ("slow", "food", "slowfood")),
        ("2024 42 a b 7up", "en", ("7up",)),
        ("x" * (LONGEST_WORD + 1), "en", ()),
    ],
)
def test_words_have_no_endings_accents_and_nothing_that_every_text_has(
    text: str, language: str, words: tuple[str, ...]
) -> None:
    assert read_text(text, language).words == words


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the bread that we bake in our oven", "en"),
        ("le pain que nous cuisons dans notre four", "fr"),
        ("sourdough levain", None),
        ("", None),
    ],
)
def test_the_language_is_that_of_the_most_stop_words(text: str, language: str | None) -> None:
    assert language_of(text.split()) == language


def test_a_language_that_nobody_stated_is_found() -> None:
    assert read_text("le pain et les levures dans notre four").words == read_text(
        "le pain et les levures dans notre four", "fr"
    ).words  # fmt: skip
    assert read_text("sourdough breads").words == ("sourdough", "breads"), (
        "without any stop word words stay as they are"
    )


texts = st.text(max_size=60) | st.lists(
    st.sampled_from(["#Jardin", "les", "pâtisseries", "the", "breads", "https://a.example/pain", "@lea", "ß", "ﬁ"]),
    max_size=8,
).map(" ".join)


@given(texts, st.sampled_from(["", "en", "fr", "de", "??"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    """Topics and words stand once each, are not empty, and words are found again by a brief that has them."""
    content = read_text(text, language)
    for said in content:
        assert len(set(said)) == len(said)
        assert all(said)
    assert content == read_text(text, language), "the same again"
    assert all(len(word) <= 2 * LONGEST_WORD for word in content.words)


@given(texts, st.sampled_from(["", "en", "fr", "de"]))
def test_who_says_all_words_of_a_brief_is_found_by_each(text: str, language: str) -> None:
    written = " ".join(word for word in text.split() if not word.startswith(("http", "www", "#", "@")))
    said = set(read_text(written, language).words)
    if "http" in written or "@" in written or "www" in written or any(one.isupper() for one in written):
        return
    for _, of in read_brief(written).words:
        assert said & set(of)


def test_a_brief_has_each_word_once_with_its_forms() -> None:
    brief = read_brief("Sourdough breads, bread and BREAD for the pâtisserie; see https://example.org/x or a@b.c")
    assert [word for word, _ in brief.words] == ["sourdough", "breads", "pâtisserie", "see"]
    assert dict(brief.words)["breads"] == ("breads", "bread")
    assert set(dict(brief.words)["pâtisserie"]) == {"patisserie", "patisseri", "patisser"}
    assert read_brief("the and les des").words == ()


def test_forms_are_those_of_each_language() -> None:
    assert forms("randonnées") == ("randonnees", "randonne", "randon")
    assert forms("the") == ()


def test_long_texts_are_read_as_far_as_they_go() -> None:
    assert read_text("a " * LONGEST_TEXT + "bread").words == ()
