"""Questions that were not prepared, against slow plain answers over what a run publishes."""

from __future__ import annotations

import functools
import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.packing import unpacked
from service.domain import (
    LENS_NAMES,
    MILLION,
    PART_NAMES,
    ROLE_NAMES,
    Analysis,
    Candidate,
    Community,
    CommunityBasis,
    Graph,
    HiddenAccount,
    LensName,
    PartWeights,
    RunSpec,
    ScoringRules,
    no_progress,
)
from service.errors import ConfigurationError, InvalidRequest
from service.flows.asking import asked_question, described_question, nobody_because, parse_weights
from service.flows.lens_parts import NOT_MEASURED, WITHIN_COMMUNITIES, measure_lenses
from service.flows.masking import Mask
from service.flows.questions import (
    Population,
    Question,
    community_population,
    document,
    selected,
    union_population,
)
from service.flows.recipes import FOLDER, read_recipe, recipe_of, recipes
from tests.unit.plain_scores import plain_x
from tests.unit.sample_graph import sample_and_graph

RULES = ScoringRules(rewirings=0)
BRANDS = ("aubade", "nordlys", "velora")


@functools.cache
def published() -> tuple[Graph, Analysis, dict[str, list[bytes]]]:
    """The sample, analysed, and its published parts by name."""
    _, graph = sample_and_graph()
    analysis = analyse(graph, RunSpec(rules=RULES), no_progress)
    return graph, analysis, {part.name: list(part.lines) for part in analysis.parts}


@functools.cache
def population(place: int) -> tuple[Community, Population]:
    _, analysis, parts = published()
    community = analysis.communities[place]
    lines, basis = (parts[f"{kind}/{community.id}"] for kind in ("candidates", "basis"))
    found = community_population(community.label, lines, basis)
    found.lenses.update(measure_lenses(LENS_NAMES, [parts[f"lenses/{community.id}"]], len(found.candidates)))
    return community, found


@functools.cache
def everybody() -> Population:
    _, analysis, parts = published()
    chosen = [one for one in analysis.communities if one.respectable]
    found = union_population([(one.label, parts[f"candidates/{one.id}"], parts[f"basis/{one.id}"]) for one in chosen])
    of_lenses = [parts[f"lenses/{one.id}"] for one in chosen]
    found.lenses.update(measure_lenses(LENS_NAMES, of_lenses, len(found.candidates)))
    return found


def answers(of: Population, question: Question, brand_name: str | None = None) -> list[Candidate]:
    """All candidates that answer, as objects: each must be a whole document."""
    ranking = of.ranking(question, RULES)
    return [
        Candidate.model_validate_json(document(of, ranking, at, brand_name)) for at in selected(of, ranking, question)
    ]


def test_a_question_with_the_rules_own_weights_gives_the_published_documents() -> None:
    _, analysis, parts = published()
    for place, community in enumerate(analysis.communities):
        if community.candidates == 0:
            continue
        _, of = population(place)
        question = Question(weights=RULES.weights)
        ranking = of.ranking(question, RULES)
        made = [json.loads(document(of, ranking, at, None)) for at in selected(of, ranking, question)]
        assert made == [json.loads(line) for line in parts[f"candidates/{community.id}"]]


weights = (
    st.lists(st.integers(0, 20), min_size=6, max_size=6)
    .filter(any)
    .map(
        lambda parts: PartWeights(
            **{part: float(Fraction(one, sum(parts))) for part, one in zip(PART_NAMES, parts, strict=True)}
        )
    )
)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 5),
    weights,
    st.sampled_from([None, *BRANDS]),
    st.sampled_from([None, "jazz", "python", "nobody writes about this"]),
)
def test_answers_are_those_of_a_slow_plain_version(
    place: int, asked: PartWeights, brand: str | None, topic: str | None
) -> None:
    graph, analysis, _ = published()
    community, of = population(place)
    scores = analysis.scores[place]
    keys = list(graph.keys)
    base = [keys[i] for i in scores.members[scores.in_base].tolist()]
    raw: dict[str, dict[str, float]] = {}
    for row, part in enumerate(PART_NAMES):
        if part not in scores.null_reasons:
            raw[part] = {keys[i]: float(scores.raw[row, k]) for k, i in enumerate(scores.members.tolist())}
    if topic is not None:
        names = list(graph.topic_names)
        raw["relevance"] = {}
        for key in base:
            i = keys.index(key)
            own = range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1]))
            posts = {names[graph.topic_idx[e]]: int(graph.topic_posts[e]) for e in own}
            raw["relevance"][key] = float(f"{posts.get(topic, 0) / (sum(posts.values()) + 5):.9g}")
        if not any(raw["relevance"].values()):
            del raw["relevance"]
    found = answers(of, Question(brand=brand, topic=topic, weights=asked), "The brand")
    if brand is not None:
        raw["affinity"] = {one.key: one.brand.affinity for one in found if one.brand}
    total = sum(getattr(asked, part) for part in raw)
    in_force = {part: getattr(asked, part) / total if total else 0.0 for part in raw}
    for one in found:
        for part in one.parts:
            if part.part not in raw:
                assert (part.raw, part.x, part.points_millionths, part.weight) == (None, None, None, 0)
                assert part.null_reason
                continue
            value = raw[part.part][one.key]
            every = [raw[part.part][key] for key in base] if part.part != "affinity" else []
            x = value if part.part == "affinity" else plain_x(value, every)
            assert part.raw == value
            assert part.x == pytest.approx(x, abs=1.1e-9)
            assert part.weight == pytest.approx(in_force[part.part])
            assert part.points_millionths == round(100 * MILLION * part.weight * part.x)
        assert one.score_millionths == sum(part.points_millionths or 0 for part in one.parts)
        assert one.rank_interval is not None
        assert 1 <= one.rank_interval.low <= one.rank <= one.rank_interval.high <= len(found)
        of_parts = [reason.about for reason in one.reasons if reason.about in PART_NAMES]
        gave = sorted(
            (part for part in one.parts if part.points_millionths and part.part != "affinity"),
            key=lambda part: (-(part.points_millionths or 0), PART_NAMES.index(part.part)),
        )
        assert of_parts == [part.part for part in gave]
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    assert [(-one.score_millionths, one.key) for one in found] == sorted((-o.score_millionths, o.key) for o in found)
    left_out = {one["key"] for one in of.candidates} - {one.key for one in found}
    detractors = {
        one["key"] for one in of.candidates if brand in one["brands"] and one["brands"][brand]["standing"]["detractor"]
    }
    assert left_out == detractors
    assert all(("left out" in one.population) == bool(detractors) for one in found)
    assert community.candidates == len(of.candidates)


def test_filters_select_and_change_no_rank() -> None:
    _, of = population(0)
    for brand in (None, "velora"):
        whole = {one.key: one for one in answers(of, Question(brand=brand), "Velora")}
        tracks: list[Any] = ["employees_collaborators", "customers_users", "open"]
        seen = []
        for track in tracks:
            found = answers(of, Question(brand=brand, tracks=(track,)), "Velora")
            assert all(one == whole[one.key] and one.track == track for one in found)
            seen += [one.key for one in found]
        assert sorted(seen) == sorted(whole)
        for role in ROLE_NAMES:
            found = answers(of, Question(brand=brand, roles=(role,)), "Velora")
            assert found == [one for one in whole.values() if role in {of.role for of in one.roles}]
        bands = [answers(of, Question(brand=brand, size_band=band)) for band in ("lt1k", "1k_10k")]  # type: ignore[arg-type]
        assert [one.size_band for found in bands for one in found].count("lt1k") == len(bands[0])


def test_untapped_are_the_top_tenth_of_each_track_that_have_not_spoken_well() -> None:
    of = everybody()
    for brand in BRANDS:
        found = answers(of, Question(brand=brand), brand)
        for track in ("employees_collaborators", "customers_users", "open"):
            ranked = [one for one in found if one.track == track]
            first = {one.key for one in ranked[: -(-len(ranked) // 10)]}
            for one in ranked:
                assert one.brand is not None
                assert one.brand.untapped == (one.key in first and not one.brand.spoken_well)
        untapped = answers(of, Question(brand=brand, standing="untapped"), brand)
        assert untapped == [one for one in found if one.brand and one.brand.untapped]
        advocates = answers(of, Question(brand=brand, standing="advocate"), brand)
        assert advocates == [one for one in found if one.brand and one.brand.advocate]
        assert advocates


def test_across_communities_x_is_over_all_bases_together() -> None:
    _, analysis, parts = published()
    of = everybody()
    chosen = [one for one in analysis.communities if one.respectable]
    heads = [CommunityBasis.model_validate_json(parts[f"basis/{one.id}"][0]) for one in chosen]
    assert of.size == sum(head.base for head in heads)
    found = answers(of, Question(brand="velora"), "Velora")
    assert {one.community for one in found} == {one.id for one in chosen}
    values: dict[str, list[float]] = {}
    for head in heads:
        for part, packed in head.raw.items():
            times = head.size if part == "authority" else 1
            values.setdefault(part, []).extend((unpacked(packed) * times).tolist())
    sizes = {head.community: head.size for head in heads}
    for one in found[:40]:
        for part in one.parts:
            if part.part == "affinity":
                continue
            assert part.raw is not None
            raw = part.raw * (sizes[one.community] if part.part == "authority" else 1)
            every = values[part.part]
            assert part.x == pytest.approx(plain_x(raw, every), abs=1e-9)
        assert sum(part.points_millionths or 0 for part in one.parts) == one.score_millionths
        [authority] = [part for part in one.parts if part.part == "authority"]
        assert "times the average of its community" in str(authority.note)


# --- lenses as extra parts ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    st.one_of(st.none(), st.integers(0, 5)),
    weights,
    st.dictionaries(st.sampled_from(LENS_NAMES), st.integers(1, 20), min_size=1, max_size=4),
    st.sampled_from([None, "velora"]),
)
def test_lenses_are_parts_like_the_others(
    place: int | None, asked: PartWeights, of_lenses: dict[LensName, int], brand: str | None
) -> None:
    """Against a slow plain version that takes values of lenses from the analysis; of one community, and of all."""
    graph, analysis, _ = published()
    of = everybody() if place is None else population(place)[1]
    chosen = [place] if place is not None else [i for i, one in enumerate(analysis.communities) if one.respectable]
    base = [int(i) for at in chosen for i in analysis.scores[at].members[analysis.scores[at].in_base]]
    assert of.size == len(base)
    half = sum(of_lenses.values())
    shares = {lens: float(Fraction(of_lenses[lens], 2 * half)) for lens in LENS_NAMES if lens in of_lenses}
    halved = PartWeights(**{part: weight / 2 for part, weight in asked.model_dump().items()})
    question = Question(brand=brand, weights=halved, lenses=shares)
    found = answers(of, question, "Velora")
    without = {(one.community, one.key): one for one in answers(of, Question(brand=brand, weights=asked), "Velora")}
    assert len(without) == len(found)
    lenses = {lens.lens: lens for lens in analysis.lenses}
    keys = list(graph.keys)
    for one in found[:: max(1, len(found) // 40)]:
        names = [part.part for part in one.parts]
        assert names == [*PART_NAMES, *(f"lens.{lens}" for lens in shares)]
        plain = without[one.community, one.key]
        for mine, theirs in zip(one.parts, plain.parts, strict=False):
            assert (mine.raw, mine.x, mine.evidence) == (theirs.raw, theirs.x, theirs.evidence)
        i = keys.index(one.key)
        for part in one.parts[len(PART_NAMES) :]:
            lens = lenses[part.part.removeprefix("lens.")]  # type: ignore[index]
            values = {j: lens.value[j] / MILLION if lens.null[j] < 0 else None for j in base}
            every = [value or 0.0 for value in values.values()]
            if all(value is None for value in values.values()):
                assert (part.raw, part.x, part.weight, part.points_millionths) == (None, None, 0, None)
                assert part.null_reason in lens.reasons
                continue
            value = values[i]
            assert part.raw == (value or 0.0)
            assert part.x == pytest.approx(plain_x(value or 0.0, every), abs=1.1e-9)
            assert part.points_millionths is not None
            assert part.points_millionths == pytest.approx(100 * MILLION * part.weight * (part.x or 0), abs=1)
            if value is None:
                assert part.note in lens.reasons
                assert part.evidence == ()
                continue
            assert (part.note is not None) == (place is None and lens.lens in WITHIN_COMMUNITIES)
            gave = {item.part: item for item in part.evidence if item.kind == "lens"}
            assert sum(round(item.contribution * MILLION) for item in gave.values()) == lens.value[i]
            assert {name: round(item.contribution * MILLION) for name, item in gave.items()} == {
                name: points[i] for name, points in lens.parts.items() if points[i]
            }
            [said] = [reason for reason in one.reasons if reason.about == part.part] or [None]
            assert (said is not None) == (part.points_millionths > 0)
            ahead = sum(other > (value or 0.0) for other in every)
            if said is not None:
                assert said.en != said.fr
                assert f"number {ahead + 1:,} of the" in said.en if ahead else "none of the" in said.en
        assert one.score_millionths == sum(part.points_millionths or 0 for part in one.parts)
        assert sum(part.weight for part in one.parts) == pytest.approx(1)
        known = {name for name, part in zip(names, one.parts, strict=True) if part.raw is not None}
        given = halved.model_dump() | {f"lens.{lens}": share for lens, share in shares.items()}
        total = sum(weight for name, weight in given.items() if name in known)
        for part in one.parts:
            assert part.weight == pytest.approx(given[part.part] / total if part.part in known else 0)
        assert one.rank_interval is not None
        assert one.rank_interval.low <= one.rank <= one.rank_interval.high
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    order = [(-one.score_millionths, one.key, one.community) for one in found]
    assert order == sorted(order)


def test_a_lens_alone_ranks_candidates_by_its_values_and_leaves_nothing_to_chance() -> None:
    _, of = population(0)
    found = answers(of, asked_question(None, None, None, "lens.market:1", None, None, None))
    values = [next(part.raw for part in one.parts if part.part == "lens.market") for one in found]
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    for one in found:  # lenses rest on no reweighting of ties: only equals are tied
        assert one.rank_interval is not None
        assert one.rank_interval.low == one.rank == one.rank_interval.high


def test_a_lens_that_the_run_left_out_is_null_and_its_weight_shared_out() -> None:
    _, analysis, parts = published()
    community = analysis.communities[0]
    of = community_population(community.label, parts[f"candidates/{community.id}"], parts[f"basis/{community.id}"])
    of.lenses.update(measure_lenses(["market"], [[]], len(of.candidates)))
    found = answers(of, asked_question(None, None, None, "lens.market:0.5,trust:0.5", None, None, None))
    assert found == [
        one.model_copy(update={"parts": (*one.parts, found[0].parts[-1])})
        for one in answers(population(0)[1], asked_question(None, None, None, "trust:1", None, None, None))
    ]
    assert (found[0].parts[-1].part, found[0].parts[-1].null_reason) == ("lens.market", NOT_MEASURED)


def test_a_community_that_people_defined_says_that_values_are_of_others() -> None:
    _, analysis, parts = published()
    one = analysis.communities[0]
    of = community_population(one.label, parts[f"candidates/{one.id}"], parts[f"basis/{one.id}"], defined=True)
    of.lenses.update(population(0)[1].lenses)
    found = answers(of, asked_question(None, None, None, "lens.context:0.5,lens.market:0.5", None, None, None))
    notes = {part.part: part.note for part in found[0].parts[6:]}
    assert notes == {"lens.market": None, "lens.context": "The value is relative to the account's own community."}


def test_who_was_erased_stays_in_its_place_and_has_no_value() -> None:
    _, analysis, parts = published()
    community = analysis.communities[0]
    lines = list(parts[f"lenses/{community.id}"])
    key = json.loads(lines[3])["key"]
    cleaned = Mask((HiddenAccount(key, None, None),)).erased_lines(b"".join(line + b"\n" for line in lines))
    after = cleaned.split(b"\n")[:-1]
    assert len(after) == len(lines)
    assert key.encode() not in cleaned
    assert [now for now, then in zip(after, lines, strict=True) if now != then] == [after[3]]
    of = community_population(community.label, parts[f"candidates/{community.id}"], parts[f"basis/{community.id}"])
    of.lenses.update(measure_lenses(["context"], [after], len(of.candidates)))
    found = answers(of, asked_question(None, None, None, "lens.context:1", None, None, None))
    [gone] = [one for one in found if one.key == key]
    assert gone.score_millionths == 0


# --- what callers ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("authority:1.2", "between 0 and 1"),
        ("authority:-0.5,trust:1.5", "between 0 and 1"),
        ("authority:nan", "between 0 and 1"),
        ("authority:x", "no number"),
        ("fame:1", "no weight of a part"),
        ("authority", "no weight of a part"),
        ("authority:0.5,authority:0.5", "twice"),
        ("authority:0.5", "sum to 0.5"),
        ("", "no weight of a part"),
    ],
)
def test_weights_that_cannot_be_used(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as error:
        parse_weights(text)
    assert error.value.fields["errors"][0]["field"] == "query.weights"  # type: ignore[index]


def test_weights() -> None:
    parts, lenses = parse_weights("authority:0.4, trust:0.6")
    assert parts.model_dump() == {
        "authority": 0.4, "reach": 0, "resonance": 0, "trust": 0.6, "relevance": 0, "affinity": 0,
    }  # fmt: skip
    assert lenses == {}
    parts, lenses = parse_weights("lens.context:0.1,reach:0.2,lens.standing:0.7,lens.market:0")
    assert sum(parts.model_dump().values()) == parts.reach == 0.2
    assert list(lenses.items()) == [("standing", 0.7), ("context", 0.1)]


def test_recipes_say_whom_they_ask_for_and_why_not_others() -> None:
    assert list(recipes()) == ["mass", "targeted", "advocacy", "employee_advocacy", "trend_scouting", "visibility"]
    for recipe in recipes().values():
        assert sum([*recipe.weights.model_dump().values(), *recipe.lenses.values()]) == pytest.approx(1)
        assert set(recipe.why_not) == {"macro", "micro"} - set(recipe.types)
        for said in (recipe.title, recipe.why, *recipe.why_not.values()):
            assert said.en
            assert said.fr
            assert said.en != said.fr
    assert recipe_of("mass").rank_by == "audience"
    with pytest.raises(InvalidRequest, match="mass, targeted"):
        recipe_of("fame")


def test_an_objective_stands_where_nothing_is_said() -> None:
    question = asked_question("b", "employee_advocacy", None, None, None, None, None)
    assert question.tracks == ("employees_collaborators",)
    assert described_question(question, RULES)["weights"] == recipe_of("employee_advocacy").weights.model_dump()
    said = asked_question("b", "employee_advocacy", None, "trust:1", "open", "networker", None)
    assert (said.tracks, said.roles) == (("open",), ("networker",))
    assert described_question(said, RULES)["weights"]["trust"] == 1
    assert described_question(Question(), RULES)["weights"] == RULES.weights.model_dump()
    with pytest.raises(InvalidRequest, match="brand"):
        asked_question(None, "advocacy", None, None, None, None, None)
    mass = asked_question(None, "mass", None, None, None, None, None)
    community, _ = population(0)
    assert "influencers" in str(nobody_because(community, mass, include=True))
    visibility = asked_question(None, "visibility", None, None, None, None, None)
    described = described_question(visibility, RULES)
    assert described["lenses"] == {"social_capital": 0.3, "context": 0.3}
    assert sum(described["weights"].values()) == pytest.approx(0.4)
    said = asked_question(None, "visibility", None, "trust:1", None, None, None)
    assert described_question(said, RULES)["lenses"] == {}
    scouting = asked_question(None, "trend_scouting", None, None, None, None, None)
    assert nobody_because(community, scouting, include=True) is None
    assert scouting.roles == ("trend_discoverer",)
    assert Question().prepared
    assert not mass.prepared


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("authority = 0.15", "authority = 0.25"), "sum to 1"),
        (("[why_not.macro]", "[why_not.micro]"), "why_not"),
        (('types = ["micro"]', 'types = ["huge"]'), "types"),
        (('name = "targeted"', 'name = "other"'), "must be the same"),
        (("[weights]", "[weights"), "cannot be read"),
        (("[weights]", "[lenses]\nfame = 0.1\n[weights]"), "fame"),
        (("[weights]", "[lenses]\ncontext = 0.1\n[weights]"), "sum to 1"),
        (("[weights]", "[lenses]\ncontext = -0.1\n[weights]"), "lenses.context"),
        (("affinity = 0.0", "fame = 0.0"), "fame"),
    ],
)
def test_a_wrong_recipe_says_where(change: tuple[str, str], says: str, tmp_path: Any) -> None:
    text = (FOLDER / "targeted.toml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "targeted.toml"
    path.write_text(text, encoding="utf-8")
    assert read_recipe(path) == recipe_of("targeted")
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says):
        read_recipe(path)
