"""Briefs: relevance to what a text says, against a slow plain version, and against the interests that were planted."""

from __future__ import annotations

import functools
import json
from dataclasses import replace

import numpy as np
import pytest

from service.analytics.analysis import analyse
from service.content.relevance import word_index
from service.content.words import read_brief
from service.domain import Analysis, Candidate, Graph, RunSpec, ScoringRules, WordIndex, no_progress
from service.errors import InvalidRequest
from service.flows.asking import asked_question, described_question
from service.flows.briefs import CommunityWords, measure_brief
from service.flows.questions import (
    NOBODY_ON_BRIEF,
    NOT_ON_BRIEF,
    Population,
    Question,
    community_population,
    document,
    selected,
    union_population,
)
from service.sample import make_sample
from service.sample_words import TOPICS
from tests.unit.plain_scores import plain_x
from tests.unit.sample_graph import with_texts

RULES = ScoringRules(rewirings=0, reweightings=20)
BRIEF = "Du jazz, des vinyles et des voyages en train: comics for those who travel by train, and xylophones"


@functools.cache
def published() -> tuple[Graph, WordIndex, Analysis, dict[str, list[bytes]]]:
    """A small sample with its texts, as its authors wrote them, analysed; and its published parts by name."""
    graph = with_texts(make_sample(4_000, 5))
    words = word_index(graph)
    assert words is not None
    analysis = analyse(graph, RunSpec(rules=RULES), no_progress, words=words)
    return graph, words, analysis, {part.name: list(part.lines) for part in analysis.parts}


def population_of(place: int) -> Population:
    _, _, analysis, parts = published()
    one = analysis.communities[place]
    found = community_population(one.label, parts[f"candidates/{one.id}"], parts[f"basis/{one.id}"])
    found.words.append(CommunityWords.of(parts[f"words/{one.id}"]))
    return found


def answers(of: Population, question: Question) -> list[Candidate]:
    ranking = of.ranking(question, RULES)
    return [Candidate.model_validate_json(document(of, ranking, at, None)) for at in selected(of, ranking, question)]


@functools.cache
def counted() -> dict[str, dict[str, float]]:
    """What each word counts for each account, as plain dictionaries."""
    graph, words, _, _ = published()
    found: dict[str, dict[str, float]] = {}
    for i, key in enumerate(graph.keys):
        own = range(int(words.ptr[i]), int(words.ptr[i + 1]))
        # Rounded, as they are published: who says the same ties.
        found[key] = {words.names[int(words.idx[e])]: float(f"{words.weight[e]:.9g}") for e in own}
    return found


def plain_relevance(key: str, brief: str) -> float:
    of = counted()[key]
    return float(f"{sum(max(of.get(form, 0.0) for form in forms) for _, forms in read_brief(brief).words):.9g}")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_relevance_to_a_brief_is_that_of_a_slow_plain_version(place: int) -> None:
    graph, _, analysis, _ = published()
    scores, keys = analysis.scores[place], list(graph.keys)
    base = [plain_relevance(keys[i], BRIEF) for i in scores.members[scores.in_base].tolist()]
    question = Question(brief=read_brief(BRIEF))
    of = population_of(place)
    found = answers(of, question)
    assert len(found) == analysis.communities[place].candidates > 3
    assert any(base)
    for one in found:
        [part] = [part for part in one.parts if part.part == "relevance"]
        raw = plain_relevance(one.key, BRIEF)
        assert part.raw == pytest.approx(raw, abs=1e-8)
        assert part.x == pytest.approx(plain_x(raw, base), abs=1.1e-9)
        assert one.score_millionths == sum(part.points_millionths or 0 for part in one.parts)
        said = [item for item in part.evidence if item.kind == "word"]
        assert [item.kind for item in part.evidence] == ["word"] * len(said)
        assert part.note == (None if raw else NOT_ON_BRIEF)
        assert sum(item.share for item in said) <= 1 + 1e-6
        for item in said:
            forms = dict(read_brief(BRIEF).words)[item.word]
            assert item.contribution == pytest.approx(max(counted()[one.key].get(form, 0) for form in forms), rel=1e-8)
            assert item.posts >= 1
            assert item.post is not None
        reasons = [reason for reason in one.reasons if reason.about == "relevance"]
        assert len(reasons) == bool(raw)
        assert not raw or said[0].word in reasons[0].en
    assert [(-one.score_millionths, one.key) for one in found] == sorted((-o.score_millionths, o.key) for o in found)
    words = described_question(question, RULES, of.ranking(question, RULES).brief)["brief"]["words"]
    for word in words:
        forms = dict(read_brief(BRIEF).words)[word["word"]]
        members = [counted()[keys[i]] for i in scores.members[scores.in_base].tolist()]
        assert word["accounts"] == sum(any(form in one for form in forms) for one in members)
    assert {word["word"]: word["accounts"] for word in words}["xylophones"] == 0


def test_the_latest_post_with_a_word_is_named() -> None:
    """Of texts, and of topics that no text names."""
    graph, _, _, _ = published()
    question = Question(brief=read_brief("vinyles"))
    for one in answers(population_of(0), question):
        [part] = [part for part in one.parts if part.part == "relevance"]
        for item in part.evidence:
            assert item.kind == "word"
            i = list(graph.keys).index(one.key)
            own = {
                graph.word_names[int(graph.word_idx[e])]: int(graph.quoted_ptr[i]) + int(graph.word_post[e])
                for e in range(int(graph.word_ptr[i]), int(graph.word_ptr[i + 1]))
            }
            texts = [own[form] for form in dict(read_brief("vinyles").words)["vinyles"] if form in own]
            times = [int(graph.quoted_at[place]) for place in texts]
            if times and item.latest is not None:
                assert int(item.latest.timestamp() * 1000) == max(times)
                assert item.post == graph.quoted_post[texts[int(np.argmax(times))]]


def test_across_communities_everybody_is_compared() -> None:
    graph, _, analysis, parts = published()
    chosen = [place for place, one in enumerate(analysis.communities) if one.respectable]
    of = union_population(
        [
            (one.label, parts[f"candidates/{one.id}"], parts[f"basis/{one.id}"])
            for one in (analysis.communities[place] for place in chosen)
        ]
    )
    of.words.extend(CommunityWords.of(parts[f"words/{analysis.communities[place].id}"]) for place in chosen)
    keys = list(graph.keys)
    base = [
        plain_relevance(keys[i], BRIEF)
        for place in chosen
        for i in analysis.scores[place].members[analysis.scores[place].in_base].tolist()
    ]
    assert len(base) == of.size
    found = answers(of, Question(brief=read_brief(BRIEF)))
    assert len(found) > 20
    for one in found:
        [part] = [part for part in one.parts if part.part == "relevance"]
        assert part.raw == pytest.approx(plain_relevance(one.key, BRIEF), abs=1e-8)
        assert part.x == pytest.approx(plain_x(part.raw, base), abs=1.1e-9)


def test_who_was_planted_to_care_for_a_topic_is_more_relevant_to_a_text_about_it() -> None:
    """Over all topics of the sample, whose names in French and English are the briefs: far better than chance."""
    sample, (graph, _, _, _) = make_sample(4_000, 5), published()
    talks = np.diff(graph.word_ptr) > 0
    areas = []
    for topic, (_, french, english) in enumerate(TOPICS):
        cares = (sample.people.topic == topic).any(axis=1)[talks]
        score = np.array(
            [plain_relevance(graph.keys[i], f"{french}, {english}") for i in np.flatnonzero(talks).tolist()]
        )
        if cares.any():
            above = (score[cares][:, None] > score[~cares]).mean()
            areas.append(above + (score[cares][:, None] == score[~cares]).mean() / 2)
    assert np.mean(areas) > 0.75


def test_where_nobody_says_what_a_brief_says() -> None:
    of = population_of(0)
    found = answers(of, Question(brief=read_brief("xylophones")))
    assert found
    for one in found:
        [part] = [part for part in one.parts if part.part == "relevance"]
        assert (part.raw, part.points, part.null_reason) == (None, None, NOBODY_ON_BRIEF)
        assert sum(part.weight for part in one.parts) == pytest.approx(1)


def test_a_run_without_words_says_so() -> None:
    """Of a run of earlier times, or where no post has a text, nothing is published."""
    of = replace(population_of(0), words=[CommunityWords.of([])])
    found = answers(of, Question(brief=read_brief(BRIEF)))
    assert {part.null_reason for one in found for part in one.parts if part.part == "relevance"} == {NOBODY_ON_BRIEF}
    assert measure_brief(read_brief(BRIEF), [], 3).raw.tolist() == [0, 0, 0]


def test_who_opted_out_counts_nowhere() -> None:
    graph, words, _, parts = published()
    for i in np.flatnonzero(graph.opted_out).tolist():
        assert words.ptr[i] == words.ptr[i + 1]
    keys = {
        json.loads(line)["key"] for name, lines in parts.items() if name.startswith("candidates/") for line in lines
    }
    assert not keys & {graph.keys[i] for i in np.flatnonzero(graph.opted_out).tolist()}


def test_what_cannot_be_asked() -> None:
    with pytest.raises(InvalidRequest, match="two ways") as both:
        asked_question(None, None, "jazz", None, None, None, None, brief="vinyl")
    assert both.value.fields["errors"][0]["field"] == "query.brief"  # type: ignore[index]
    with pytest.raises(InvalidRequest, match="no word"):
        asked_question(None, None, None, None, None, None, None, brief="the and of, les!")
    question = asked_question(None, None, None, None, None, None, None, brief="Vinyl for a jazz café")
    assert described_question(question, RULES)["brief"] == {
        "text": "Vinyl for a jazz café",
        "words": [{"word": word, "accounts": None} for word in ("vinyl", "jazz", "café")],
    }
