"""Lenses over HTTP: scorecards, statements that add up, whom accounts influence, mixes, correlations."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scipy.stats import spearmanr

from service.api.lens_schemas import (
    CorrelationsAnswer,
    InfluencePage,
    LensAnswer,
    LensesAnswer,
    LensInfluencersAnswer,
    MixList,
    ScorecardAnswer,
    ScoresAnswer,
)
from service.domain import LENS_NAMES, MIXABLE, Follow, LensMix, RunSpec
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.conftest import publish
from tests.api.test_asking import SPEC, fill, first
from tests.api.test_empty import is_problem


@pytest.fixture
def measured(api: TestClient, store: Store) -> TestClient:
    fill(store)
    store.statement(
        "MATCH (a:Account {key: 't:a1'}), (b:Account {key: 't:a0'}) CREATE (a)-[:ENGAGED "
        "{day: date('2024-05-02'), likes: 7, replies: 2, mentions: 0, reposts: 1, v: 1}]->(b)"
    )
    publish(store, SPEC)
    return api


def got(api: TestClient, path: str, **parameters: Any) -> Any:
    answer = api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_scorecard_has_every_lens_with_parts_that_add_up(measured: TestClient) -> None:
    card = got(measured, "/v1/accounts/t:a0/scorecard")
    ScorecardAnswer.model_validate(card, strict=False)
    assert list(card["lenses"]) == list(LENS_NAMES)
    assert card["account"] == {"key": "t:a0", "handle": None, "opted_out": False}
    assert card["community"]["id"] in {one["id"] for one in got(measured, "/v1/communities")["items"]}
    for name, said in card["lenses"].items():
        one = got(measured, f"/v1/accounts/t:a0/lenses/{name}")
        LensAnswer.model_validate(one)
        assert {key: one[key] for key in said} == said
        assert one["cut_offs"]
        assert one["history"] == [{"run": one["run"]["id"], "as_of": one["run"]["as_of"], "value": one["value"]}]
        for change in said["change"].values():
            assert change["difference"] is None
            assert change["reason"]
        if said["value"] is None:
            assert said["reason"]
            assert said["parts"] == {}
        else:
            assert said["reason"] is None
            assert math.fsum(said["parts"].values()) == pytest.approx(said["value"], abs=1e-9)


def test_who_is_alone_has_a_reason_instead_of_a_value(measured: TestClient, store: Store) -> None:
    store.statement("CREATE (:Account {key: 't:later', n: 999, network: 't', native_id: 'later', v: 1})")
    card = got(measured, "/v1/accounts/t:later/scorecard")
    assert card["community"] is None
    for said in card["lenses"].values():
        assert (said["value"], said["reason"]) == (None, "This account is newer than what the run saw.")
    is_problem(measured.get("/v1/accounts/t:nobody/scorecard"), 404, "account_not_found")
    is_problem(measured.get("/v1/accounts/t:nobody/lenses/standing"), 404, "account_not_found")
    is_problem(measured.get("/v1/accounts/t:a0/lenses/karma"), 422, "invalid_request")


def test_a_statement_adds_up_to_the_points_of_the_run(measured: TestClient, store: Store) -> None:
    everybody = [f"t:a{i}" for i in range(8)] + [f"t:b{i}" for i in range(6)]
    seen = 0
    for key in everybody:
        answer = got(measured, f"/v1/accounts/{key}/lenses/standing", limit=1_000)
        statement = answer["statement"]
        assert statement["changed_since"] == 0
        assert sum(one["points"] for one in statement["items"]) == statement["points"] == answer["figures"]["points"]
        assert statement["total"] == len(statement["items"])
        for one in statement["items"]:
            base = {"likes": 2, "follows": 1}.get(one["kind"], 10)
            assert one["points"] == base * one["counted"] * one["weight"]
            assert one["counted"] == min(one["times"], 3)
        days = [one["day"] or "" for one in statement["items"]]
        assert days == sorted(days, reverse=True)
        seen += statement["total"]
    assert seen > 50
    likes = [
        one
        for one in got(measured, "/v1/accounts/t:a0/lenses/standing", limit=1_000)["statement"]["items"]
        if (one["actor"], one["day"]) == ("t:a1", "2024-05-02")
    ]
    assert {(one["kind"], one["times"], one["counted"]) for one in likes} == {
        ("likes", 7, 3), ("replies", 2, 2), ("reposts", 1, 1),
    }  # fmt: skip


def test_a_statement_is_read_page_by_page(measured: TestClient) -> None:
    path = "/v1/accounts/t:a0/lenses/standing"
    whole = got(measured, path, limit=1_000)["statement"]["items"]
    pages: list[Any] = []
    cursor = None
    while True:
        page = got(measured, path, limit=4, **({"cursor": cursor} if cursor else {}))["statement"]
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == whole
    first_page = got(measured, path, limit=4)["statement"]
    other = measured.get("/v1/accounts/t:a1/lenses/standing", params={"cursor": first_page["next_cursor"]})
    is_problem(other, 400, "invalid_cursor")
    both = measured.get(path, params={"cursor": first_page["next_cursor"], "run": "r"})
    is_problem(both, 422, "invalid_request")


def test_what_changed_since_the_run_is_said(measured: TestClient, store: Store) -> None:
    store.statement(
        "MATCH (:Account {key: 't:a1'})-[e:ENGAGED {day: date('2024-05-02')}]->(:Account {key: 't:a0'}) DELETE e"
    )
    statement = got(measured, "/v1/accounts/t:a0/lenses/standing", limit=1_000)["statement"]
    assert sum(one["points"] for one in statement["items"]) + statement["changed_since"] == statement["points"]
    assert statement["changed_since"] == 36


def test_who_opted_out_acts_without_a_name(measured: TestClient) -> None:
    before = got(measured, "/v1/accounts/t:a0/lenses/standing", limit=1_000)["statement"]
    assert measured.patch("/v1/accounts/t:a1", json={"opted_out": True}).status_code == 200
    answer = measured.get("/v1/accounts/t:a0/lenses/standing", params={"limit": 1_000})
    assert "t:a1" not in answer.text
    after = answer.json()["statement"]
    assert [one["points"] for one in after["items"]] == [one["points"] for one in before["items"]]
    hidden = [one for one in before["items"] if one["actor"] == "t:a1"]
    assert hidden
    assert sum(one["actor"] is None for one in after["items"]) == len(hidden)
    for path in ("/v1/accounts/t:a0/influences", f"/v1/communities/{first(measured)}/influencers?lens=standing"):
        assert "t:a1" not in measured.get(path).text
    assert got(measured, "/v1/accounts/t:a1/scorecard")["account"]["opted_out"] is True


def test_who_opted_out_before_the_run_is_not_named_either(measured: TestClient, store: Store) -> None:
    store.statement(
        "MATCH (a:Account {key: 't:a1'}), (b:Account {key: 't:a0'}), (g:Graph) SET g.v = g.v + 1 "
        "CREATE (a)-[:ENDORSES {topic: '', v: g.v}]->(b)"
    )
    assert measured.patch("/v1/accounts/t:a1", json={"opted_out": True}).status_code == 200
    publish(store, SPEC)
    community = next(one["id"] for one in got(measured, "/v1/communities")["items"] if "t:a0" in one["most_followed"])
    for path in (
        "/v1/accounts/t:a0/lenses/standing?limit=1000", "/v1/accounts/t:a0/lenses/market",
        "/v1/accounts/t:a0/lenses/profile", "/v1/accounts/t:a0/influences",
        "/v1/accounts/t:a0/influences?direction=influenced_by",
        f"/v1/communities/{community}/influencers?lens=standing",
    ):  # fmt: skip
        answer = measured.get(path)
        assert answer.status_code == 200, answer.text
        assert "t:a1" not in answer.text, path
    statement = got(measured, "/v1/accounts/t:a0/lenses/standing", limit=1_000)["statement"]
    assert any(one["actor"] is None for one in statement["items"])
    assert sum(one["points"] for one in statement["items"]) == statement["points"]
    backers = got(measured, "/v1/accounts/t:a0/lenses/market")["evidence"]["backers"]
    assert [one["account"] for one in backers] == [None]
    asked = {"weights": {"standing": 1}, "population": {"accounts": ["t:a0", "t:a1", "t:a2"]}}
    scores = measured.post("/v1/scores", json=asked).json()
    assert {one["key"] for one in scores["items"]} == {"t:a0", "t:a2"}
    assert scores["not_compared"] == ["t:a1"]


def test_a_statement_of_a_follow_ring_adds_up(api: TestClient, store: Store) -> None:
    """Twenty-four who follow each other and never talk, but for one pair; what is known of others makes it a ring."""
    fill(store)
    ring = [f"t:r{i:02}" for i in range(24)]
    apply_follows(store, sorted(Follow(a, b) for a in ring for b in ring if a != b))
    store.statement(
        "MATCH (a:Account {key: 't:r00'}), (b:Account {key: 't:r01'}), (c:Account {key: 't:a0'}), (g:Graph) "
        "CREATE (a)-[:ENGAGED {day: date('2024-06-20'), likes: 1, replies: 0, mentions: 0, reposts: 0, v: g.v}]->(b) "
        "CREATE (c)-[:ENGAGED {day: date('2024-06-20'), likes: 1, replies: 0, mentions: 0, reposts: 0, v: g.v}]->(b)"
    )
    store.statement(
        "MATCH (a:Account), (b:Account {key: 't:a0'}), (g:Graph) WHERE a.key STARTS WITH 't:r' "
        "CREATE (a)-[:ENGAGED {day: date('2024-06-21'), likes: 1, replies: 0, mentions: 0, reposts: 0, v: g.v}]->(b)"
    )
    publish(store, SPEC)
    rings = store.statement("MATCH (a:Account)-[s:SCORED]->() WHERE s.follow_ring IS NOT NULL RETURN count(*) AS n")
    assert rings[0]["n"] >= 20, "a ring was found"
    for key in ring[:4]:
        statement = got(api, f"/v1/accounts/{key}/lenses/standing", limit=1_000)["statement"]
        assert statement["changed_since"] == 0
        listed = got(api, f"/v1/accounts/{key}/influences", limit=1_000)["items"]
        assert len([one for one in listed if one["account"].startswith("t:r") and one["follows"]]) <= 1


def test_a_price_has_its_backers_and_its_days(measured: TestClient, store: Store) -> None:
    for giver, taker, at in (("a1", "a0", "2024-06-25"), ("a2", "a0", None), ("a0", "a3", None), ("a3", "a0", None)):
        store.statement(
            "MATCH (a:Account {key: $a}), (b:Account {key: $b}), (g:Graph) SET g.v = g.v + 1 "
            "CREATE (a)-[e:ENDORSES {topic: '', v: g.v}]->(b) SET e.at = datetime($at)",
            a=f"t:{giver}", b=f"t:{taker}", at=at,
        )  # fmt: skip
    publish(store, SPEC)
    found = got(measured, "/v1/accounts/t:a0/lenses/market")
    backers = {one["account"]: one for one in found["evidence"]["backers"]}
    assert {key: one["counts"] for key, one in backers.items()} == {"t:a1": True, "t:a2": True, "t:a3": False}
    counted = math.fsum(one["weight"] for one in backers.values() if one["counts"])
    assert found["parts"]["backing"] == pytest.approx(counted, abs=1e-9)
    prices = {one["day"]: one["price"] for one in found["evidence"]["prices"]}
    assert len(prices) == 90
    assert prices["2024-06-30"] == found["value"]
    before = got(measured, "/v1/accounts/t:a0/lenses/market")["evidence"]["prices"][-6]
    assert before["day"] == "2024-06-25"
    assert prices["2024-06-25"] - prices["2024-06-24"] > backers["t:a1"]["weight"] - 1
    for one in got(measured, f"/v1/communities/{first(measured)}/influencers", lens="market", limit=200)["items"]:
        again = got(measured, f"/v1/accounts/{one['key']}/lenses/market")
        assert again["evidence"]["prices"][-1]["price"] == again["value"] == one["measures"][0]["value"]


def test_influences_are_all_ties_with_shares(measured: TestClient, store: Store) -> None:
    for direction, pattern in (("influences", "<-[r:FOLLOWS|ENGAGED]-"), ("influenced_by", "-[r:FOLLOWS|ENGAGED]->")):
        page = got(measured, "/v1/accounts/t:a0/influences", direction=direction, limit=1_000)
        InfluencePage.model_validate(page)
        rows = store.statement(f"MATCH (:Account {{key: 't:a0'}}){pattern}(o) RETURN DISTINCT o.key AS key")
        assert {one["account"] for one in page["items"]} == {row["key"] for row in rows}
        assert math.fsum(one["share"] for one in page["items"]) == pytest.approx(1)
        assert [one["share"] for one in page["items"]] == sorted((one["share"] for one in page["items"]), reverse=True)
    # 2024-06-30 is the last day; of ten interactions of a day three count: 3 · (7·1 + 2·3 + 1·2) / 10, aged 59 days.
    [one] = [one for one in got(measured, "/v1/accounts/t:a0/influences")["items"] if one["account"] == "t:a1"]
    aged = [4.5 * 2 ** (-59 / 30)]
    recent = store.statement(
        "MATCH (:Account {key: 't:a1'})-[e:ENGAGED {day: date('2024-06-20')}]->(:Account {key: 't:a0'}) "
        "RETURN e.likes AS likes, e.replies AS replies"
    )
    for row in recent:
        done = row["likes"] + row["replies"]
        aged.append((row["likes"] + 3 * row["replies"]) * min(1, 3 / done) * 2 ** (-10 / 30))
    assert one["weight"] == pytest.approx(1 + math.log1p(sum(aged)), rel=1e-8)
    assert (one["follows"], one["reposts"]) == (True, 1)
    is_problem(measured.get("/v1/accounts/t:nobody/influences"), 404, "account_not_found")
    is_problem(measured.get("/v1/accounts/t:a0/influences?direction=up"), 422, "invalid_request")


def test_influencers_by_a_lens_are_in_the_order_of_its_values(measured: TestClient) -> None:
    community = first(measured)
    page = got(measured, f"/v1/communities/{community}/influencers", lens="standing", limit=200)
    LensInfluencersAnswer.model_validate(page)
    values = [one["measures"][0]["value"] for one in page["items"]]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1000
    assert (page["total"], page["compared"]) == (len(page["items"]), page["community"]["base"])
    assert [one["rank"] for one in page["items"]] == list(range(1, page["total"] + 1))
    for one in page["items"]:
        assert one["score_millionths"] == sum(part["points_millionths"] for part in one["measures"])
        scorecard = got(measured, f"/v1/accounts/{one['key']}/scorecard")
        assert scorecard["lenses"]["standing"]["value"] == one["measures"][0]["value"]


def test_a_mix_is_what_its_weights_say_page_by_page(measured: TestClient) -> None:
    community, weights = first(measured), f"{LENS_NAMES[0]}:0.25,standing:0.5,score.trust:0.25"
    path = f"/v1/communities/{community}/influencers"
    page = got(measured, path, lens="standing", weights=weights, limit=200)
    for one in page["items"]:
        assert {part["measure"] for part in one["measures"]} == {LENS_NAMES[0], "standing", "score.trust"}
        assert one["score"] == pytest.approx(
            sum(100 * part["weight"] * part["x"] for part in one["measures"]), abs=1e-5
        )
    found, cursor = [], None
    while True:
        part = got(measured, path, weights=weights, limit=3, **({"cursor": cursor} if cursor else {}))
        found += part["items"]
        if (cursor := part["next_cursor"]) is None:
            break
    assert found == page["items"]
    posted = measured.post(
        "/v1/scores",
        json={
            "population": {"community": community},
            "weights": {LENS_NAMES[0]: 0.25, "standing": 0.5, "score.trust": 0.25},
            "limit": 200,
        },
    )
    assert posted.status_code == 200, posted.text
    ScoresAnswer.model_validate(posted.json())
    assert posted.json()["items"] == page["items"]


def test_scores_are_of_the_population_that_is_asked_about(measured: TestClient) -> None:
    body: dict[str, Any] = {"weights": {"standing": 1}, "limit": 200}
    everybody = measured.post("/v1/scores", json=body).json()
    bases = [one["base"] for one in got(measured, "/v1/communities")["items"]]
    assert everybody["compared"] == everybody["total"] == sum(bases)
    assert Counter(one["community"] for one in everybody["items"]).total() == sum(bases)
    some = {"accounts": ["t:b1", "t:a0", "t:b1", "t:e0"]}
    few = measured.post("/v1/scores", json={**body, "population": some}).json()
    assert few["population"]["accounts"] == ["t:b1", "t:a0", "t:e0"]
    assert {one["key"] for one in few["items"]} == {"t:b1", "t:a0", "t:e0"}
    assert few["items"][0]["score"] == 100
    missing = measured.post("/v1/scores", json={**body, "population": {"accounts": ["t:a0", "t:none"]}})
    problem = is_problem(missing, 422, "invalid_request")
    assert [one["field"] for one in problem["errors"]] == ["body.population.accounts.1"]
    nowhere = measured.post("/v1/scores", json={**body, "population": {"community": "none"}})
    is_problem(nowhere, 404, "community_not_found")


def test_accounts_newer_than_the_run_are_said_to_be_left_out(measured: TestClient, store: Store) -> None:
    store.statement("CREATE (:Account {key: 't:later', n: 999, network: 't', native_id: 'later', v: 1})")
    asked = {"weights": {"standing": 1}, "population": {"accounts": ["t:later", "t:a0"]}}
    scores = measured.post("/v1/scores", json=asked).json()
    assert (scores["not_compared"], scores["compared"]) == (["t:later"], 1)


def test_authority_compares_across_communities_by_their_members(measured: TestClient) -> None:
    """PageRank sums to 1 in each community: times its members, the mean is 1 in all of them."""
    asked = {"weights": {"score.authority": 0.5, "standing": 0.5}, "limit": 200}
    scores = measured.post("/v1/scores", json=asked).json()
    assert scores["relative_to_communities"] == ["standing"]
    values: dict[str, list[float]] = {}
    for one in scores["items"]:
        values.setdefault(one["community"], []).append(one["measures"][1]["value"])
    sizes = {one["id"]: one["size"] for one in got(measured, "/v1/communities")["items"]}
    whole = [community for community in values if len(values[community]) == sizes[community]]
    assert whole
    for community in whole:
        assert math.fsum(values[community]) / sizes[community] == pytest.approx(1, abs=1e-6)
    one = measured.post("/v1/scores", json={**asked, "population": {"community": whole[0]}}).json()
    assert one["relative_to_communities"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"weights": {"standing": 0.5}}, "body.weights"),
        ({"weights": {"karma": 1}}, "body.weights"),
        ({"weights": {"standing": -1, "score.trust": 2}}, "body.weights"),
        ({"weights": {"standing": "1"}}, "body.weights.standing"),
        ({"weights": {"standing": 1}, "mix": "m"}, "body"),
        ({"weights": {"standing": 1}, "population": {"community": "c", "accounts": ["t:a"]}}, "body.population"),
        ({"weights": {"standing": 1}, "population": {"accounts": []}}, "body.population.accounts"),
        ({"weights": {"standing": 1}, "limit": 0}, "body.limit"),
        ({"weights": {"standing": 1}, "cursor": "c", "run": "r"}, "body"),
        ({"weights": {"standing": 1}, "more": 1}, "body.more"),
    ],
)
def test_what_is_wrong_with_a_question_is_named(api: TestClient, body: dict[str, Any], field: str) -> None:
    problem = is_problem(api.post("/v1/scores", json=body), 422, "invalid_request")
    assert [one["field"] for one in problem["errors"]] == [field]


def test_what_is_wrong_with_a_ranking_is_said(measured: TestClient) -> None:
    community = first(measured)
    for query in (
        "weights=standing:0.5",
        "weights=karma:1",
        "lens=karma",
        "weights=standing:1&mix=m",
        "lens=standing&mix=m",
        "lens=standing&objective=mass",
        "lens=standing&role=networker",
        "cursor=abc",
        f"lens={LENS_NAMES[0]}&weights=standing:1",
        "weights=standing:1,standing:0",
        "weights=standing:nan",
    ):
        answer = measured.get(f"/v1/communities/{community}/influencers?{query}")
        is_problem(answer, 422, "invalid_request")


def test_mixes_are_kept_under_names(measured: TestClient) -> None:
    assert got(measured, "/v1/mixes") == {"items": []}
    body = {"weights": {"score.trust": 0.25, "standing": 0.75}}
    made = measured.put("/v1/mixes/our-way", json=body)
    assert made.status_code == 201, made.text
    LensMix.model_validate(made.json())
    assert measured.put("/v1/mixes/our-way", json=body).status_code == 200
    listed = got(measured, "/v1/mixes")
    MixList.model_validate(listed)
    assert listed["items"] == [made.json()]
    community = first(measured)
    by_name = got(measured, f"/v1/communities/{community}/influencers", mix="our-way")
    by_weights = got(measured, f"/v1/communities/{community}/influencers", weights="standing:0.75,score.trust:0.25")
    assert by_name["items"] == by_weights["items"]
    assert by_name["weights"] == {"standing": 0.75, "score.trust": 0.25}
    posted = measured.post("/v1/scores", json={"mix": "our-way", "population": {"community": community}})
    assert posted.json()["items"] == by_name["items"]
    path, named = f"/v1/communities/{community}/influencers", {"mix": "our-way"}
    cursor = got(measured, path, **named, limit=2)["next_cursor"]
    body_cursor = measured.post("/v1/scores", json={**named, "limit": 2}).json()["next_cursor"]
    measured.put("/v1/mixes/our-way", json={"weights": {"standing": 1}})
    is_problem(measured.get(path, params={**named, "cursor": cursor}), 400, "invalid_cursor")
    is_problem(measured.post("/v1/scores", json={**named, "cursor": body_cursor}), 400, "invalid_cursor")
    assert got(measured, "/v1/mixes")["items"][0]["weights"] == {"standing": 1}
    gone = measured.delete("/v1/mixes/our-way")
    assert gone.json()["weights"] == {"standing": 1}
    is_problem(measured.delete("/v1/mixes/our-way"), 404, "mix_not_found")
    is_problem(measured.get(f"/v1/communities/{community}/influencers?mix=our-way"), 404, "mix_not_found")
    is_problem(measured.post("/v1/scores", json={"mix": "our-way"}), 404, "mix_not_found")
    is_problem(measured.put("/v1/mixes/Our Way", json=body), 422, "invalid_request")
    is_problem(measured.put("/v1/mixes/m", json={"weights": {"standing": 0.5}}), 422, "invalid_request")


def test_correlations_are_those_of_the_values(measured: TestClient) -> None:
    community = first(measured)
    for asked in ({"community": community}, {}):
        found = got(measured, "/v1/lenses/correlations", **asked)
        CorrelationsAnswer.model_validate(found)
        everybody = measured.post(
            "/v1/scores", json={"weights": {name: 1 / len(LENS_NAMES) for name in LENS_NAMES}, "limit": 200,
                                "population": asked}
        ).json()["items"]  # fmt: skip
        values = {
            name: {
                one["key"]: part["value"] for one in everybody for part in one["measures"] if part["measure"] == name
            }
            for name in LENS_NAMES
        }
        assert found["accounts"] == len(everybody)
        for i, one in enumerate(found["lenses"]):
            for j, other in enumerate(found["lenses"]):
                both = [k for k in values[one] if values[one][k] is not None and values[other][k] is not None]
                assert found["compared"][i][j] == len(both)
                a, b = ([values[name][k] for k in both] for name in (one, other))
                if len(both) >= 3 and len(set(a)) > 1 and len(set(b)) > 1:
                    assert found["correlation"][i][j] == pytest.approx(spearmanr(a, b).statistic, abs=1e-6)
                else:
                    assert found["correlation"][i][j] is None
    picture = measured.get("/v1/lenses/correlations/chart", params={"community": community, "lang": "fr"})
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.count("<rect") == 1 + len(LENS_NAMES) ** 2
    is_problem(measured.get("/v1/lenses/correlations?community=none"), 404, "community_not_found")


def test_the_lenses_of_a_run_account_for_everybody(measured: TestClient) -> None:
    listed = got(measured, "/v1/lenses")
    LensesAnswer.model_validate(listed)
    run = got(measured, f"/v1/runs/{listed['run']['id']}")
    for one in listed["items"]:
        assert one["accounts"] + sum(null["accounts"] for null in one["null"]) == run["quality"]["accounts"]


def test_a_run_without_lenses_says_so(api: TestClient, store: Store) -> None:
    fill(store)
    publish(store, RunSpec(rules=SPEC.rules, lenses=()))
    assert got(api, "/v1/lenses")["items"] == []
    assert got(api, "/v1/accounts/t:a0/scorecard")["lenses"] == {}
    one = got(api, "/v1/accounts/t:a0/lenses/standing")
    assert one["value"] is None
    assert "statement" not in one
    assert "left the lens out" in one["reason"]
    problem = is_problem(api.post("/v1/scores", json={"weights": {"standing": 1}}), 422, "invalid_request")
    assert "measured through no lens" in problem["detail"]
    is_problem(api.get(f"/v1/communities/{first(api)}/influencers?lens=standing"), 422, "invalid_request")
    is_problem(api.get("/v1/lenses/correlations"), 422, "invalid_request")


def test_a_run_of_which_nothing_is_kept_any_more_is_not_found(measured: TestClient, store: Store) -> None:
    """Also where a service has pages of it in memory; it does not say that accounts are newer than the run."""
    key = store.statement("MATCH (a:Account)-[s:SCORED]->() WHERE s.standing > 1 RETURN a.key AS key LIMIT 1")[0]["key"]
    for address in (f"/v1/accounts/{key}/scorecard", f"/v1/accounts/{key}/lenses/standing"):
        assert measured.get(address).status_code == 200
    store.statement("MATCH (:Account)-[s:SCORED]->(r:Run) SET r.removed_at = datetime() DELETE s")
    for address in (f"/v1/accounts/{key}/scorecard", f"/v1/accounts/{key}/lenses/standing"):
        is_problem(measured.get(address), 404, "run_not_found")


def test_changes_are_told_against_older_data(measured: TestClient, store: Store) -> None:
    """Three runs whose data is 0, 2 and 9 days older."""
    then = got(measured, "/v1/accounts/t:a0/lenses/standing")
    store.statement("MATCH (r:Run {id: $id}) SET r.as_of = r.as_of - duration('P9D')", id=then["run"]["id"])
    store.statement(
        "MATCH (a:Account {key: 't:b3'})-[e:ENGAGED]->() WITH a, e LIMIT 1 MATCH (b:Account {key: 't:a0'}), (g:Graph) "
        "SET g.v = g.v + 1 WITH a, b, g CREATE (a)-[:ENGAGED {day: date('2024-06-29'), likes: 1, replies: 0, "
        "mentions: 0, reposts: 0, v: g.v}]->(b)"
    )
    second = publish(store, SPEC)
    store.statement("MATCH (r:Run {id: $id}) SET r.as_of = r.as_of - duration('P2D')", id=second)
    store.statement("MATCH (a:Account {key: 't:b3'}), (g:Graph) SET g.v = g.v + 1, a.v = g.v, a.handle = 'x'")
    publish(store, SPEC)
    now = got(measured, "/v1/accounts/t:a0/lenses/standing")
    assert len(now["history"]) == 3
    change = now["change"]
    assert change["day"]["run"] == second
    assert change["week"]["run"] == then["run"]["id"]
    assert change["week"]["difference"] == pytest.approx(now["value"] - then["value"])
    assert change["week"]["before"] == then["value"]
    assert (change["month"]["run"], change["month"]["difference"]) == (None, None)
    assert "28 to 56 days" in change["month"]["reason"]


def test_everything_that_can_be_mixed_is_a_lens_or_a_part() -> None:
    assert set(LENS_NAMES) <= set(MIXABLE)
    assert {name.removeprefix("score.") for name in MIXABLE if name.startswith("score.")} == {
        "authority", "reach", "resonance", "trust", "relevance",
    }  # fmt: skip
