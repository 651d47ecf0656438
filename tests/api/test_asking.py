"""Questions over HTTP: brands, objectives, topics, weights, filters; influencers, explanations, defined communities."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.api.schemas import (
    AmbassadorPage,
    BrandAmbassadorPage,
    CommunityPage,
    DefinedAnswer,
    DetractorPage,
    ExcludedPage,
    ExplanationAnswer,
    InfluencersAnswer,
    PostNow,
)
from service.domain import Candidate, FittingCommunity, Follow, RunSpec, ScoringRules
from service.flows.analyze import execute
from service.flows.asking import _posts_now
from service.flows.definitions import define, with_definitions
from service.flows.published import PublishedReader
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows
from service.store.runs import claim
from tests.api.conftest import api_settings, publish, two_circles
from tests.api.test_empty import is_problem

SPEC = RunSpec(rules=ScoringRules(micro_share=1.0, macro_top_share=0, rewirings=0))
"""Everybody who is followed is a candidate."""

NOW = "2024-06-30T12:00:00Z"


def fill(store: Store) -> None:
    """Two circles who follow, like and write to each other, post about topics, and have to do with a brand."""
    two_circles(store)
    store.statement("MATCH ({key: 't:a7'})-[f:FOLLOWS]->() SET f.at = datetime($now)", now=NOW)
    store.statement("CREATE (:Brand {key: 'bee', name: 'Bee', v: 1}), (:Brand {key: 'owl', v: 1})")
    for account, kind in (("a0", "EMPLOYEE_OF"), ("a0", "CUSTOMER_OF"), ("a1", "CUSTOMER_OF"), ("b0", "USES")):
        store.statement(
            f"MATCH (a:Account {{key: $key}}), (b:Brand {{key: 'bee'}}) CREATE (a)-[:{kind} {{v: 1}}]->(b)",
            key=f"t:{account}",
        )
    store.statement("MATCH (a:Account {key: 't:b5'}), (b:Brand {key: 'bee'}) CREATE (a)-[:ACCOUNT_OF {v: 1}]->(b)")
    store.statement(
        "MATCH (a:Account)-[:FOLLOWS]->(b:Account) WHERE (a.n + b.n) % 2 = 0 CREATE (a)-[:ENGAGED "
        "{day: date('2024-06-20'), likes: 1 + a.n % 3, replies: a.n % 2, mentions: 0, reposts: 0, v: 1}]->(b)"
    )
    posts = [("a0", "jazz", 1), ("a1", "jazz", None), ("a2", "tea", -1), ("a2", "tea", -1), ("b0", "jazz", None)]
    for number, (account, topic, stance) in enumerate([*posts, ("a3", "tea", None)]):
        store.statement(
            "MATCH (a:Account {key: $key}), (b:Brand {key: 'bee'}) MERGE (t:Topic {name: $topic}) CREATE (a)-[:POSTED "
            "{v: 1}]->(p:Post {key: $post, at: datetime('2024-06-15T10:00:00Z'), kind: 'text', v: 1})-[:ABOUT]->(t) "
            "FOREACH (s IN $stance | CREATE (p)-[:MENTIONS {stance: s, v: 1}]->(b))",
            key=f"t:{account}", topic=topic, post=f"t:p{number}", stance=[] if stance is None else [stance],
        )  # fmt: skip


@pytest.fixture
def asked(api: TestClient, store: Store) -> TestClient:
    fill(store)
    publish(store, SPEC)
    return api


def first(api: TestClient) -> str:
    found: str = api.get("/v1/communities").json()["items"][0]["id"]
    return found


def ambassadors(api: TestClient, community: str, **query: Any) -> AmbassadorPage:
    answer = api.get(f"/v1/communities/{community}/ambassadors", params=query)
    assert answer.status_code == 200, answer.text
    return AmbassadorPage.model_validate(answer.json())


def test_answers_to_questions_add_up_and_say_what_was_asked(asked: TestClient) -> None:
    community = first(asked)
    plain = ambassadors(asked, community)
    assert plain.question.weights == SPEC.rules.weights
    assert plain.rules == SPEC.rules
    for query in (
        {"weights": "authority:0.5,trust:0.5"}, {"brand": "bee"}, {"topic": "#Jazz"}, {"objective": "targeted"},
        {"objective": "advocacy", "brand": "bee"}, {"brand": "owl", "topic": "tea"},
        {"brief": "All that #JAZZ, and teas"}, {"brief": "jazz", "brand": "bee", "weights": "relevance:1"},
        {"weights": "lens.standing:0.5,trust:0.5"}, {"objective": "visibility", "brief": "jazz", "brand": "bee"},
    ):  # fmt: skip
        page = ambassadors(asked, community, **query)
        assert page.items
        for one in page.items:
            assert sum(part.points_millionths or 0 for part in one.parts) == one.score_millionths
            assert (one.brand is not None) == ("brand" in query)
        assert page.question.brand == query.get("brand")
        assert (page.question.objective.name if page.question.objective else None) == query.get("objective")
    assert ambassadors(asked, community, topic="#Jazz").question.topic == "jazz"
    told = ambassadors(asked, community, brand="bee", objective="advocacy")
    assert told.question.objective is not None
    assert set(told.question.objective.why_not) == {"macro"}
    assert {one.key: sorted(of.relation for of in one.relations) for one in told.items} == {
        "t:a0": ["customer", "employee"],  # two relations, and both are shown
        "t:a1": ["customer"],
    }
    [best] = [one for one in told.items if one.key == "t:a0"]
    assert best.brand is not None
    assert (best.brand.advocate, best.brand.favourable, best.brand.track) == (True, 1, "employees_collaborators")
    everybody = ambassadors(asked, community, brand="bee")
    assert "t:a2" not in {one.key for one in everybody.items}, "a detractor of this brand"
    assert "t:a2" in {one.key for one in plain.items}, "of this brand, not of others"
    assert "1 detractor of Bee left out" in everybody.items[0].population


def test_lenses_are_extra_parts_of_a_question(asked: TestClient) -> None:
    """They are what lenses say, weigh as asked, and are the recipe's unless the question has weights of its own."""
    community = first(asked)
    page = ambassadors(asked, community, weights="lens.standing:0.3,lens.market:0.2,reach:0.5")
    assert page.question.lenses == {"standing": 0.3, "market": 0.2}
    assert (page.question.weights.reach, page.question.weights.trust) == (0.5, 0)
    for one in page.items:
        extra = {part.part: part for part in one.parts[6:]}
        assert list(extra) == ["lens.standing", "lens.market"]
        card = asked.get(f"/v1/accounts/{one.key}/scorecard").json()["lenses"]
        for lens in ("standing", "market"):
            part = extra[f"lens.{lens}"]  # type: ignore[index]
            assert part.raw == card[lens]["value"]
            gave = {item.part: item.contribution for item in part.evidence if item.kind == "lens"}
            assert gave == {name: points for name, points in card[lens]["parts"].items() if points}
    visible = ambassadors(asked, community, objective="visibility")
    assert visible.question.lenses == {"social_capital": 0.3, "context": 0.3}
    assert [part.part for part in visible.items[0].parts[6:]] == ["lens.social_capital", "lens.context"]
    influencers = asked.get(f"/v1/communities/{community}/influencers", params={"objective": "visibility"}).json()
    assert influencers["micros"]["items"] == [one.model_dump(mode="json") for one in visible.items]
    assert influencers["macros"]["asked"] is False
    own = ambassadors(asked, community, objective="visibility", weights="trust:1")
    assert (own.question.lenses, own.question.weights.trust) == ({}, 1)
    answer = asked.get("/v1/brands/bee/ambassadors", params={"weights": "lens.context:1", "track": "open"})
    across = BrandAmbassadorPage.model_validate(answer.json())
    assert across.items
    notes = {part.note for one in across.items for part in one.parts[6:] if part.evidence}
    assert notes == {"The value is relative to the account's own community."}


def test_a_run_without_lenses_says_so_and_shares_their_weight_out(api: TestClient, store: Store) -> None:
    fill(store)
    publish(store, SPEC.model_copy(update={"lenses": ()}))
    community = first(api)
    page = ambassadors(api, community, weights="lens.standing:0.5,trust:0.5")
    assert [one.key for one in page.items] == [one.key for one in ambassadors(api, community, weights="trust:1").items]
    for one in page.items:
        assert (one.parts[6].part, one.parts[6].weight, one.parts[6].raw) == ("lens.standing", 0, None)
        assert "did not measure through this lens" in str(one.parts[6].null_reason)


def test_a_community_of_which_nobody_is_compared_stops_no_question_about_lenses(api: TestClient, store: Store) -> None:
    fill(store)
    store.statement("MATCH (a:Account) WHERE a.key STARTS WITH 't:b' SET a.opted_out = true")
    publish(store, SPEC)
    listed = api.get("/v1/communities").json()["items"]
    assert [(one["respectable"], one["base"]) for one in listed if one["base"] == 0] == [(True, 0)]
    answer = api.get("/v1/brands/bee/ambassadors", params={"weights": "lens.standing:1"})
    assert answer.status_code == 200
    assert BrandAmbassadorPage.model_validate(answer.json()).items


def test_a_brief_is_answered_with_its_words_and_the_posts_that_say_them(asked: TestClient) -> None:
    community = first(asked)
    page = ambassadors(asked, community, brief="All that JAZZ, and xylophones", weights="relevance:1")
    assert page.question.brief is not None
    assert page.question.topic is None
    words = {word.word: word.accounts for word in page.question.brief.words}
    assert words.keys() == {"jazz", "xylophones"}
    assert words["xylophones"] == 0
    assert (words["jazz"] or 0) >= 2
    said = [one for one in page.items if one.parts[4].evidence]
    assert said
    for one in said:
        [item] = one.parts[4].evidence
        assert item.kind == "word"
        assert (item.account, item.word, item.share) == (one.key, "jazz", 1.0)
        assert item.post is not None
        assert item.post.startswith("t:p")
        [reason] = [reason for reason in one.reasons if reason.about == "relevance"]
        assert reason.en.startswith("Says 1 of the 2 words (50%) of the brief: “jazz” in ")
        assert reason.fr.startswith("Dit 1 des 2 mots (50 %) du brief : « jazz » dans ")
    by_topic = ambassadors(asked, community, topic="jazz", weights="relevance:1")
    assert {one.key for one in said} == {one.key for one in by_topic.items if one.parts[4].evidence}
    assert {item.post for one in by_topic.items for item in one.parts[4].evidence if item.kind == "topic"} == {
        item.post for one in said for item in one.parts[4].evidence if item.kind == "word"
    }
    listed = CommunityPage.model_validate(asked.get("/v1/communities", params={"brief": "jazz"}).json())
    fits = [one.fit for one in listed.items if isinstance(one, FittingCommunity)]
    assert len(fits) == len(listed.items) == CommunityPage.model_validate(asked.get("/v1/communities").json()).total
    assert [fit.relevance for fit in fits] == sorted((fit.relevance for fit in fits), reverse=True)
    in_each = {one.id: one.fit.accounts for one in listed.items if isinstance(one, FittingCommunity)}
    assert in_each[community] == words["jazz"]
    is_problem(asked.get("/v1/communities", params={"brief": "the"}), 422, "invalid_request")
    is_problem(asked.get("/v1/communities", params={"brief": "jazz", "level": 1}), 422, "invalid_request")
    answer = asked.get("/v1/brands/bee/ambassadors", params={"brief": "jazz", "track": "open"})
    across = BrandAmbassadorPage.model_validate(answer.json())
    assert across.question.brief is not None
    assert (across.question.brief.words[0].accounts or 0) >= (words["jazz"] or 0)


def test_pages_of_a_question_are_the_whole_cut_up(asked: TestClient) -> None:
    community = first(asked)
    query = {"weights": "reach:0.25,resonance:0.75", "track": "open"}
    whole = ambassadors(asked, community, **query)
    assert 1 < whole.total < ambassadors(asked, community).total
    cursor, items = None, []
    while True:
        page = ambassadors(asked, community, limit=2, **query, **({"cursor": cursor} if cursor else {}))
        assert page.total == whole.total
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert items == whole.items
    start = ambassadors(asked, community, limit=2, **query).next_cursor
    other = asked.get(f"/v1/communities/{community}/ambassadors", params={"limit": 2, "cursor": start})
    is_problem(other, 400, "invalid_cursor")


def test_questions_that_cannot_be_answered(asked: TestClient) -> None:
    address = f"/v1/communities/{first(asked)}/ambassadors"
    for query, status, code in (
        ({"weights": "authority:2"}, 422, "invalid_request"),
        ({"weights": "authority:0.2"}, 422, "invalid_request"),
        ({"weights": "lens.fame:1"}, 422, "invalid_request"),
        ({"weights": "lens.market:0.5,trust:0.4"}, 422, "invalid_request"),
        ({"objective": "fame"}, 422, "invalid_request"),
        ({"objective": "advocacy"}, 422, "invalid_request"),
        ({"brand": "none"}, 404, "brand_not_found"),
        ({"role": "king"}, 422, "invalid_request"),
        ({"fame": "1"}, 422, "invalid_request"),
        ({"track": "x"}, 422, "invalid_request"),
        ({"topic": ""}, 422, "invalid_request"),
        ({"brief": ""}, 422, "invalid_request"),
        ({"brief": "the and of"}, 422, "invalid_request"),
        ({"brief": "x" * 2_001}, 422, "invalid_request"),
        ({"brief": "tea", "topic": "tea"}, 422, "invalid_request"),
    ):
        is_problem(asked.get(address, params=query), status, code)
    is_problem(asked.get("/v1/communities/cnone/influencers"), 404, "community_not_found")
    is_problem(asked.get("/v1/brands/none/ambassadors"), 404, "brand_not_found")
    is_problem(asked.get("/v1/brands/none/detractors"), 404, "brand_not_found")


def test_why_nobody_is_shown(asked: TestClient, store: Store) -> None:
    community = first(asked)
    mass = ambassadors(asked, community, objective="mass")
    assert mass.items == []
    assert "asks for macro-influencers" in str(mass.empty_reason)
    assert f"/v1/communities/{community}/influencers" in str(mass.empty_reason)
    nobody = ambassadors(asked, community, size_band="gt1m")
    assert (nobody.total, nobody.items) == (0, [])
    assert "passes the filters" in str(nobody.empty_reason)
    # Two who were seen, but not lately; who was never seen has no ties that count.
    store.statement(
        "UNWIND ['t:e0', 't:e1'] AS key MATCH (a:Account {key: key}) "
        "CREATE (a)-[:POSTED {v: 2}]->(:Post {key: key + '/old', at: datetime('2020-01-01T00:00:00Z')})"
    )
    store.statement(
        "MATCH (g:Graph) SET g.v = g.v + 1 WITH g MATCH (x:Account|Post) WHERE x.key STARTS WITH 't:e' SET x.v = g.v"
    )
    publish(store, SPEC)
    small = asked.get("/v1/communities").json()["items"][-1]["id"]
    assert ambassadors(asked, small, weights="trust:1").empty_reason == "Every member has done nothing lately."
    store.statement(
        "MATCH (a:Account {key: 't:e1'}) CREATE (a)-[:POSTED {v: 2}]->(:Post {key: 't:e', at: datetime($now)})", now=NOW
    )
    store.statement(
        "MATCH (g:Graph) SET g.v = g.v + 1 WITH g MATCH (x:Account|Post) WHERE x.key IN ['t:e1', 't:e'] SET x.v = g.v"
    )
    publish(store, SPEC)
    assert "None of those" in str(ambassadors(asked, small).empty_reason), "e1 follows, and nobody follows e1"


def test_influencers_macro_and_micro_apart(api: TestClient, store: Store) -> None:
    fill(store)
    store.statement("MATCH (a:Account) SET a.followers = 10 + a.n")
    store.statement("MATCH (a:Account {key: 't:a0'}) SET a.followers = 250000")
    store.statement("MATCH (a:Account {key: 't:a3'}) SET a.followers = 100000")
    publish(store, SPEC)
    community = first(api)
    address = f"/v1/communities/{community}/influencers"
    both = InfluencersAnswer.model_validate(api.get(address).json())
    assert [(one.key, one.rank, one.type, one.size_band) for one in both.macros.items] == [
        ("t:a0", 1, "macro", "100k_1m"), ("t:a3", 2, "macro", "100k_1m"),
    ]  # fmt: skip
    assert all(one.rank_interval is None and one.reasons[0].about == "audience" for one in both.macros.items)
    assert all(sum(p.points_millionths or 0 for p in one.parts) == one.score_millionths for one in both.macros.items)
    assert all(one.roles for one in both.macros.items), "a macro has a role: celebrity where it has no other"
    assert {one.type for one in both.micros.items} == {"micro"}
    mass = InfluencersAnswer.model_validate(api.get(address, params={"objective": "mass"}).json())
    assert (mass.macros.items, mass.macros.asked, mass.micros.items) == (both.macros.items, True, [])
    assert mass.micros.why_not is not None
    one = api.get("/v1/accounts/t:a0").json()["standings"][0]
    assert one["macro"]["key"] == "t:a0"
    assert "Macro-influencer" in one["not_candidate_reason"]


def test_excluded_members_by_name(api: TestClient, store: Store) -> None:
    fill(store)
    store.statement("MATCH (a:Account {key: 't:b4'}) SET a.opted_out = true")
    publish(store, SPEC)
    community = api.get("/v1/communities").json()["items"][1]["id"]
    page = ExcludedPage.model_validate(api.get(f"/v1/communities/{community}/excluded").json())
    assert [(one.key, one.gate) for one in page.items] == [("t:b5", "brand_account"), ("t:b1", "inactive")]
    counted = {gate.gate: gate.excluded for gate in page.gates}
    assert (counted["brand_account"], counted["opted_out"], counted["inactive"]) == (1, 1, 1)
    one = api.get(f"/v1/communities/{community}/excluded", params={"gate": "inactive"}).json()
    assert (one["total"], [item["key"] for item in one["items"]]) == (1, ["t:b1"])
    none = api.get(f"/v1/communities/{community}/excluded", params={"gate": "suspicious"}).json()
    assert (none["total"], none["items"]) == (0, [])
    assert api.get(f"/v1/communities/{community}/excluded", params={"gate": "opted_out"}).status_code == 422


def test_candidates_and_detractors_of_a_brand(asked: TestClient) -> None:
    assert [one["key"] for one in asked.get("/v1/brands").json()["items"]] == ["bee", "owl"]
    page = BrandAmbassadorPage.model_validate(asked.get("/v1/brands/bee/ambassadors").json())
    assert {one.key for one in page.items} == {"t:a0", "t:a1", "t:b0"}
    assert {one.community for one in page.items} <= set(page.communities)
    employees = asked.get("/v1/brands/bee/ambassadors", params={"track": "employees_collaborators"}).json()["items"]
    assert [one["key"] for one in employees] == ["t:a0"]
    open_ = BrandAmbassadorPage.model_validate(asked.get("/v1/brands/bee/ambassadors", params={"track": "open"}).json())
    assert not {"t:a0", "t:a1", "t:b0", "t:a2", "t:b5"} & {one.key for one in open_.items}
    assert open_.items
    advocates = asked.get("/v1/brands/bee/ambassadors", params={"standing": "advocate"}).json()["items"]
    assert [one["key"] for one in advocates] == ["t:a0"]
    against = DetractorPage.model_validate(asked.get("/v1/brands/bee/detractors").json())
    assert [(one.key, one.unfavourable, one.unanswered) for one in against.items] == [("t:a2", 2, 2)]
    assert asked.get("/v1/brands/owl/detractors").json()["items"] == []
    assert asked.get("/v1/brands/owl/ambassadors").json()["total"] == 0


def test_an_account_explained(asked: TestClient, store: Store) -> None:
    community = first(asked)
    ranked = ambassadors(asked, community).items
    for place, one in enumerate(ranked):
        found = ExplanationAnswer.model_validate(asked.get(f"/v1/communities/{community}/accounts/{one.key}").json())
        assert found.standing.candidate == one
        for neighbour, near in ((found.above, place - 1), (found.below, place + 1)):
            if not 0 <= near < len(ranked):
                assert neighbour is None
                continue
            assert neighbour is not None
            assert neighbour.key == ranked[near].key
            assert neighbour.difference_millionths == ranked[near].score_millionths - one.score_millionths
            assert sum(neighbour.parts_millionths.values()) == neighbour.difference_millionths
        shown = {
            (item.follower, item.followee) for part in one.parts for item in part.evidence if item.kind == "follow"
        }  # type: ignore[union-attr]
        assert {(tie.follower, tie.followee) for tie in found.evidence} >= shown
        assert all(tie.in_graph for tie in found.evidence)
    tie = found.evidence[0]
    rows = store.statement(found.cypher, follower=tie.follower, followee=tie.followee)
    assert rows
    address = f"/v1/communities/{community}/accounts/{one.key}"
    store.statement(
        "MATCH (:Account {key: $a})-[f:FOLLOWS]->(b:Account {key: $b}) SET f.at = datetime('2024-06-01T00:00:00Z')",
        a=tie.follower,
        b=tie.followee,
    )
    assert asked.get(address).json()["evidence"][0]["followed_at"] == "2024-06-01T00:00:00Z"
    store.statement("MATCH (b:Account {key: $b}) SET b.followers_complete_at = datetime('2024-06-01T00:00:00Z')",
                    b=tie.followee)  # fmt: skip
    listed = asked.get(address).json()["evidence"][0]
    assert (listed["follows"], listed["followed_at"]) == (True, None), "a list of all followers does not say since when"
    store.statement(
        "MATCH (a:Account {key: $a})-[r:FOLLOWS|ENGAGED]->(b:Account {key: $b}) DELETE r",
        a=tie.follower,
        b=tie.followee,
    )
    again = asked.get(address).json()["evidence"][0]
    assert (again["follower"], again["in_graph"]) == (tie.follower, False)
    brand = asked.get("/v1/communities").json()["items"][1]["id"]
    outside = asked.get(f"/v1/communities/{brand}/accounts/t:b5").json()
    assert outside["standing"]["gate"] == "brand_account"
    assert (outside["above"], outside["below"], outside["evidence"]) == (None, None, [])
    is_problem(asked.get(f"/v1/communities/{brand}/accounts/t:a0"), 404, "account_not_found")
    is_problem(asked.get(f"/v1/communities/{brand}/accounts/t:none"), 404, "account_not_found")


def test_posts_of_evidence_as_the_graph_has_them_now(asked: TestClient, store: Store) -> None:
    """With their text; not of who opted out; of those that are gone it is said."""
    store.statement("MATCH (p:Post {key: 't:p0'}) SET p.text = 'All that jazz', p.lang = 'en'")
    store.statement("MATCH (p:Post {key: 't:p4'}) SET p.text = 'Jazz again'")
    store.statement("MATCH (a:Account {key: 't:b0'}) SET a.opted_out = true")
    evidence = [
        {"kind": "topic", "topic": "jazz", "post": "t:p0"}, {"kind": "mention", "brand": "bee", "post": "t:p0"},
        {"kind": "topic", "topic": "jazz", "post": "t:p4"}, {"kind": "topic", "topic": "tea", "post": "t:gone"},
        {"kind": "topic", "topic": "tea", "post": None}, {"kind": "follow", "follower": "t:a1", "followee": "t:a0"},
    ]  # fmt: skip

    async def read() -> list[PostNow]:
        async with AsyncStore(store.address) as own:
            found = await _posts_now(PublishedReader(own), {"parts": [{"evidence": evidence}]})
            return [PostNow.model_validate(one) for one in found]

    at = datetime(2024, 6, 15, 10, tzinfo=UTC)
    unknown: dict[str, Any] = {"author": None, "lang": None, "text": None}
    assert asyncio.run(read()) == [
        PostNow(
            post="t:p0", evidence_of=["jazz", "bee"], in_graph=True, at=at, author="t:a0", kind="text", lang="en",
            text="All that jazz",
        ),
        PostNow(post="t:p4", evidence_of=["jazz"], in_graph=True, at=at, kind="text", **unknown),
        PostNow(post="t:gone", evidence_of=["tea"], in_graph=False, at=None, kind=None, **unknown),
    ]  # fmt: skip


# --- communities that people define --------------------------------------------------------------------------------


def carry_out(store: Store, run_id: str) -> None:
    claim(store, run_id)
    with TemporaryDirectory() as kept:
        execute(store.address, run_id, Path(kept))


def test_communities_that_people_define(asked: TestClient, store: Store) -> None:
    listed = {"name": "My eight", "accounts": ["t:a0", "t:b0", "t:b1", "t:a1", "t:b2", "t:e0", "t:gone", "t:a0"]}
    asked_for = []
    for definition in (listed, {"name": "Jazz", "topic": "#JAZZ"}, {"name": "Bees", "brand": "bee"}):
        answer = asked.post("/v1/communities", json={"definition": definition, "publish": True})
        assert answer.status_code == 202, answer.text
        found = DefinedAnswer.model_validate(answer.json())
        assert found.created
        assert answer.headers["location"] == f"/v1/runs/{found.run.id}"
        assert found.run.spec.rules == SPEC.rules, "the rules of the run that is current"
        asked_for.append(found)
    again = asked.post("/v1/communities", json={"definition": {**listed, "name": "Our eight"}})
    assert (again.json()["id"], again.json()["created"]) == (asked_for[0].id, False)
    once, twice = (
        asked.post("/v1/communities", json={"definition": listed}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (once.status_code, twice.status_code) == (202, 200)
    assert once.json()["run"]["id"] == twice.json()["run"]["id"]
    assert asked.post("/v1/communities", json={"definition": {**listed, "name": "Our eight"}}).status_code == 202
    before = asked.get("/v1/communities").json()
    carry_out(store, asked_for[2].run.id)  # the last one scores all three
    page = asked.get("/v1/communities", params={"kind": "defined"}).json()
    by_name = {one["label"]: one for one in page["items"]}
    assert {name: (one["kind"], one["subject"], one["size"]) for name, one in by_name.items()} == {
        "My eight": ("accounts", None, 6), "Jazz": ("topic", "jazz", 3),
        "Bees": ("brand", "bee", by_name["Bees"]["size"]),
    }  # fmt: skip
    after = asked.get("/v1/communities").json()
    assert after["items"] == before["items"], "those that were found are as before"
    for one in by_name.values():
        assert asked.get(f"/v1/communities/{one['id']}").json()["community"] == one
        found_ = ambassadors(asked, one["id"], include_not_respectable=True)
        assert found_.total == one["candidates"]
        assert one["base"] + sum(gate["excluded"] for gate in one["gates"]) == one["size"]
    mine = by_name["My eight"]
    candidates = ambassadors(asked, mine["id"], include_not_respectable=True, weights="authority:1").items
    assert {item.key for item in candidates} <= {"t:a0", "t:b0", "t:b1", "t:a1", "t:b2", "t:e0"}
    standings = asked.get("/v1/accounts/t:a0").json()["standings"]
    assert {one["community"]["id"] for one in standings} >= {mine["id"], by_name["Jazz"]["id"]}
    assert [one["primary"] for one in standings].count(True) == 1
    gone = asked.delete(f"/v1/communities/{mine['id']}")
    assert gone.json()["name"] == "Our eight"
    assert asked.get(f"/v1/communities/{mine['id']}").status_code == 200, "runs that are kept say what they said"
    is_problem(asked.delete(f"/v1/communities/{mine['id']}"), 404, "community_not_found")
    is_problem(asked.delete(f"/v1/communities/{first(asked)}"), 404, "community_not_found")

    async def next_spec() -> RunSpec:
        async with AsyncStore(store.address) as asynchronous:
            spec = await with_definitions(asynchronous, RunSpec())
            assert await define(asynchronous, spec.communities[0]) is False
            return spec

    assert {one.name for one in asyncio.run(next_spec()).communities} == {"Jazz", "Bees"}


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "x"},
        {"name": "x", "topic": "a", "brand": "b"},
        {"name": "", "topic": "a"},
        {"name": "x", "accounts": []},
        {"name": "x", "accounts": [1]},
        {"name": "x", "topic": "a", "more": 1},
    ],
)
def test_definitions_that_cannot_be_used(api: TestClient, definition: dict[str, Any]) -> None:
    is_problem(api.post("/v1/communities", json={"definition": definition}), 422, "invalid_request")


# --- answers that are remembered -----------------------------------------------------------------------------------


def test_remembered_answers_are_those_of_the_run_that_is_current(asked: TestClient, store: Store) -> None:
    community = first(asked)
    for query in ({}, {"weights": "trust:1"}):
        address = f"/v1/communities/{community}/ambassadors"
        made = asked.get(address, params=query, headers={"Accept-Encoding": "identity"})
        again = asked.get(address, params=query, headers={"Accept-Encoding": "identity"})
        assert again.content == made.content
        assert again.headers["etag"] == made.headers["etag"]
        with asked.stream("GET", address, params=query, headers={"Accept-Encoding": "gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.headers["vary"].lower() == "accept-encoding"
            tag = packed.headers["etag"]
            assert gzip.decompress(b"".join(packed.iter_raw())) == made.content
        assert asked.get(address, params=query, headers={"If-None-Match": tag}).status_code == 304
        assert asked.get(address, params=query, headers={"If-None-Match": '"other"'}).status_code == 200
        none = asked.get(address, params=query, headers={"Accept-Encoding": "gzip;q=0, br"})
        assert "content-encoding" not in none.headers
    kept = asked.get("/v1/communities", params={"run": json.loads(made.content)["run"]["id"]}).json()
    assert asked.get("/v1/communities").json()["run"]["id"] == kept["run"]["id"]
    apply_follows(store, [Follow("t:new", "t:a0")])
    run = publish(store, SPEC)
    address = "/v1/communities"
    for _ in range(2):
        assert asked.get(address).json()["run"]["id"] == run
        assert asked.get("/v1/communities", params={"run": kept["run"]["id"]}).json() == kept
    head = asked.head(address)
    assert (head.status_code, head.content) == (200, b"")


def test_a_run_of_earlier_times_answers_only_what_it_published(asked: TestClient, store: Store) -> None:
    """Its parts are not there: the candidates it published are served, and other questions refused with a reason."""
    community = first(asked)
    whole = asked.get(f"/v1/communities/{community}/ambassadors").json()
    store.statement("MATCH (f:RunFile) WHERE f.part STARTS WITH 'basis/' OR f.part = 'brands' DETACH DELETE f")
    with TestClient(create_app(api_settings(store.address)), base_url="http://127.0.0.1:8000") as fresh:
        assert fresh.get(f"/v1/communities/{community}/ambassadors").json()["items"] == whole["items"]
        refused = fresh.get(f"/v1/communities/{community}/ambassadors", params={"weights": "trust:1"})
        is_problem(refused, 422, "invalid_request")
        assert "analyse again" in refused.json()["detail"]
        assert fresh.get("/v1/brands").json()["items"] == []


def test_a_run_from_before_lenses_were_parts_refuses_them_and_nothing_else(asked: TestClient, store: Store) -> None:
    """Such a run kept no specification of lenses, and none of what they say: neither is taken for a wish."""
    community = first(asked)
    store.statement("MATCH (f:RunFile) WHERE f.part STARTS WITH 'lenses/' DETACH DELETE f")
    [row] = store.statement("MATCH (r:Run) RETURN r.id AS id, r.spec AS spec, r.quality AS quality")
    older = {name: json.dumps({key: value for key, value in json.loads(row[name]).items() if key != "lenses"})
             for name in ("spec", "quality")}  # fmt: skip
    store.statement("MATCH (r:Run {id: $id}) SET r.spec = $spec, r.quality = $quality", id=row["id"], **older)
    with TestClient(create_app(api_settings(store.address)), base_url="http://127.0.0.1:8000") as fresh:
        address = f"/v1/communities/{community}/ambassadors"
        refused = fresh.get(address, params={"objective": "visibility"})
        is_problem(refused, 422, "invalid_request")
        assert "analyse again" in refused.json()["detail"]
        assert fresh.get(address, params={"objective": "targeted"}).status_code == 200


def test_every_candidate_is_a_whole_document(asked: TestClient) -> None:
    for community in asked.get("/v1/communities").json()["items"]:
        for item in asked.get(
            f"/v1/communities/{community['id']}/ambassadors", params={"include_not_respectable": True}
        ).json()["items"]:
            assert Candidate.model_validate(item).model_dump(mode="json") == item
