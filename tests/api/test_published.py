"""Published runs over HTTP: pages, cursors, ETags, accounts, runs asked for, and a database that goes away."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient

from service.adapters.standard_webhooks import sign
from service.domain import Candidate, Community, Follow, RunSpec, ScoringRules
from service.flows.importer import Importer
from service.journal.imports import Imports
from service.journal.journal import Journal
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.queries import bundled
from tests.api.conftest import publish, two_circles
from tests.api.test_empty import is_problem
from tests.backtest_reports import finished_backtest


def finished_import(api: TestClient, store: Store, journal: Path) -> str:
    """Hand in a file of which one line is of no use, have it imported, and return the import's id."""
    body = b"follower,followee\ne0,a0\ne0,e0\n"
    asked = api.post("/v1/imports", params={"network": "t"}, content=body, headers={"Content-Type": "text/csv"})
    with Journal(journal) as opened:
        assert Importer(store.address, Imports(opened), 1 << 30, None).turn(threading.Event())
    return str(asked.json()["id"])


def communities(api: TestClient, **query: Any) -> list[Community]:
    answer = api.get("/v1/communities", params=query)
    assert answer.status_code == 200, answer.text
    return [Community.model_validate(one) for one in answer.json()["items"]]


def test_communities_with_the_run_they_come_from(api: TestClient, run_id: str) -> None:
    answer = api.get("/v1/communities").json()
    assert answer["run"]["id"] == run_id
    assert answer["run"]["stale"] is False
    assert [one.size for one in communities(api)] == [8, 6, 2]
    assert [one.size for one in communities(api, respectable=True)] == [8, 6]
    assert [one.size for one in communities(api, respectable=False)] == [2]
    first = answer["items"][0]
    one = api.get(f"/v1/communities/{first['id']}").json()
    assert one["community"] == first
    is_problem(api.get("/v1/communities/cnone"), 404, "community_not_found")
    is_problem(api.get("/v1/communities/cnone/ambassadors"), 404, "community_not_found")


def test_pages_are_the_list_cut_up(api: TestClient, run_id: str) -> None:
    whole = communities(api)
    cursor, items = None, []
    for _ in whole:
        answer = api.get("/v1/communities", params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
        assert answer["total"] == len(whole)
        items += answer["items"]
        cursor = answer["next_cursor"]
    assert cursor is None
    assert [Community.model_validate(one) for one in items] == whole


def test_a_cursor_stays_with_its_run_and_question(api: TestClient, run_id: str, store: Store) -> None:
    first = api.get("/v1/communities", params={"limit": 1}).json()
    apply_follows(store, [Follow("t:z1", "t:z2")])
    newer = publish(store)
    assert api.get("/v1/communities").json()["run"]["id"] == newer, "a reader sees the run that was published last"
    going_on = api.get("/v1/communities", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert going_on["run"]["id"] == run_id
    assert going_on["total"] == first["total"]
    kept = api.get("/v1/communities", params={"run": run_id}).json()
    assert kept["run"]["id"] == run_id
    assert kept["items"][:2] == first["items"] + going_on["items"]
    wrong = api.get("/v1/communities", params={"respectable": True, "cursor": first["next_cursor"]})
    is_problem(wrong, 400, "invalid_cursor")
    both = api.get("/v1/communities", params={"run": newer, "cursor": first["next_cursor"]})
    is_problem(both, 422, "invalid_request")


def test_candidates_add_up_and_a_community_that_is_not_respectable_gives_them_on_request(
    api: TestClient, run_id: str
) -> None:
    for community in communities(api):
        address = f"/v1/communities/{community.id}/ambassadors"
        shown = api.get(address).json()
        asked = api.get(address, params={"include_not_respectable": True}).json()
        found = [Candidate.model_validate(one) for one in asked["items"]]
        assert len(found) == community.candidates
        for candidate in found:
            assert candidate.score_millionths == sum(part.points_millionths or 0 for part in candidate.parts)
        if community.respectable:
            assert shown["items"] == asked["items"] != []
            assert shown["empty_reason"] is None
        else:
            assert shown["items"] == []
            assert "size" in shown["empty_reason"]


def test_groups_of_communities_that_belong_together(api: TestClient, store: Store) -> None:
    two_circles(store)
    publish(store, RunSpec(rules=ScoringRules(resolutions=(0.01, 1.0), rewirings=0)))
    communities = api.get("/v1/communities").json()["items"]
    page = api.get("/v1/communities", params={"level": 1}).json()
    groups = page["items"]
    assert page["total"] == len(groups) == 2
    assert [(group["level"], group["size"], group["communities"]) for group in groups] == [(1, 14, 2), (1, 2, 1)]
    assert groups[0]["parts"] == [one["id"] for one in communities[:2]]
    assert [one["part_of"] for one in communities] == [groups[0]["id"], groups[0]["id"], groups[1]["id"]]
    [level] = api.get(f"/v1/runs/{page['run']['id']}").json()["quality"]["hierarchy"]
    assert (level["level"], level["resolution"], level["communities"]) == (1, 0.01, 2)
    first = api.get("/v1/communities", params={"level": 1, "limit": 1}).json()
    rest = api.get("/v1/communities", params={"level": 1, "limit": 1, "cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == groups
    one = api.get(f"/v1/communities/{groups[0]['id']}").json()
    assert one["community"] == groups[0]
    asked = api.get(f"/v1/communities/{groups[0]['id']}/ambassadors").json()
    assert asked["community"] == groups[0]
    assert (asked["items"], asked["total"], asked["next_cursor"]) == ([], 0, None)
    assert all(part in asked["empty_reason"] for part in groups[0]["parts"])
    assert api.get("/v1/communities", params={"level": 2}).json()["items"] == []
    refused = api.get("/v1/communities", params={"level": 1, "respectable": True})
    assert refused.status_code == 422
    assert "respectable" in refused.json()["detail"]
    assert api.get("/v1/communities", params={"level": -1}).status_code == 422
    cursor = api.get("/v1/communities", params={"limit": 1}).json()["next_cursor"]
    assert api.get("/v1/communities", params={"limit": 1, "level": 1, "cursor": cursor}).status_code == 400


def test_accounts_tell_where_they_stand_and_why_they_are_no_candidates(
    api: TestClient, run_id: str, store: Store
) -> None:
    community = communities(api)[0]
    best = api.get(f"/v1/communities/{community.id}/ambassadors").json()["items"][0]
    account = api.get(f"/v1/accounts/{best['key']}").json()
    assert account["standings"][0]["candidate"] == best
    assert account["standings"][0]["not_candidate_reason"] is None
    assert account["followers"] == best["followers"]
    assert account["standings"][0]["parts"]["authority"]["raw"] == best["parts"][0]["raw"]
    other = api.get("/v1/accounts/t:a6").json()["standings"][0]
    assert other["candidate"] is None
    assert "cut-off" in other["not_candidate_reason"]
    is_problem(api.get("/v1/accounts/t:none"), 404, "account_not_found")
    apply_follows(store, [Follow("t:late", "t:a0")])
    assert api.get("/v1/accounts/t:late").json()["standings"] == []


def test_an_opted_out_account_is_no_candidate(api: TestClient, run_id: str, store: Store) -> None:
    best = api.get(f"/v1/communities/{communities(api)[0].id}/ambassadors").json()["items"][0]["key"]
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 "
        "WITH g MATCH (a:Account {key: $key}) SET a.opted_out = true, a.v = g.v",
        key=best,
    )
    publish(store)
    account = api.get(f"/v1/accounts/{best}").json()
    assert account["opted_out"] is True
    assert account["standings"][0]["candidate"] is None
    assert "opted out" in account["standings"][0]["not_candidate_reason"]
    for community in communities(api):
        address = f"/v1/communities/{community.id}/ambassadors"
        found = api.get(address, params={"include_not_respectable": True}).json()["items"]
        assert best not in {one["key"] for one in found}


def test_accounts_with_slashes_in_their_id(api: TestClient, store: Store) -> None:
    two_circles(store)
    keys = ["t:a/b", "t:https://social.example/@ann", "t:/", "t:c//d/"]
    apply_follows(store, [Follow(key, "t:a0") for key in sorted(keys)])
    publish(store)
    for key in keys:
        for spelled in (quote(key, safe=""), quote(key)):
            answer = api.get(f"/v1/accounts/{spelled}")
            assert answer.status_code == 200, answer.text
            assert answer.json()["key"] == key
    is_problem(api.get("/v1/accounts/t:a%2Fc"), 404, "account_not_found")


def test_the_answers_that_carry_an_etag_are_those_of_the_documentation(
    api: TestClient, run_id: str, store: Store, journal: Path
) -> None:
    page = (bundled("migrations").parent / "docs" / "http-api.md").read_text(encoding="utf-8")
    said = page.partition("- **Caching.**")[2].partition("\n- **")[0]
    documented = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"`GET ([^`]+)`", said)}
    store.statement("CREATE (:Brand {key: 'bee', v: 1})")
    store.statement("MATCH (g:Graph) SET g.v = g.v + 1")
    run_id = publish(store)
    secret = api.post("/v1/sources", json={"name": "s", "network": "t"}).json()["secret"]
    body, now = b'{"type": "account.opted_out", "data": {"account": "a9"}}', int(time.time())
    signed = {"webhook-id": "m", "webhook-timestamp": str(now), "webhook-signature": sign(secret, "m", now, body)}
    headers = {**signed, "content-type": "application/json"}
    values = {
        "delivery": api.post("/v1/webhooks/s", content=body, headers=headers).json()["delivery"],
        "backtest_id": finished_backtest(store),
        "erasure": api.delete("/v1/accounts/t:e1").json()["id"], "import_id": finished_import(api, store, journal),
        "run_id": run_id, "community_id": communities(api)[0].id, "key": "t:a0", "brand": "bee",
        "lens": "standing", "source": "x",
    }  # fmt: skip
    api.post("/v1/sources", json={"name": "x", "platform": "x", "secret": "a secret of nobody".replace(" ", "-")})
    carrying, declared = set(), set()
    for path, operations in api.get("/openapi.json").json()["paths"].items():
        if "get" in operations:
            general = re.sub(r"\{\w+\}", "{}", path)
            values["kind"] = "follow.created" if "event" in path else "posts"
            asked = {"crc_token": "abc"} if general == "/v1/webhooks/{}" else None
            answer = api.get(path.format(**values), params=asked)
            assert answer.status_code == 200, answer.text
            carrying |= {general} if "etag" in answer.headers else set()
            declared |= {general} if "304" in operations["get"]["responses"] else set()
    assert documented == carrying == declared


def test_etags(api: TestClient, run_id: str, store: Store) -> None:
    first = api.get("/v1/communities")
    tag = first.headers["etag"]
    again = api.get("/v1/communities", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert api.get("/v1/communities?limit=1").headers["etag"] != tag
    head = api.head("/v1/communities")
    assert (head.status_code, head.headers["etag"], head.content) == (200, tag, b"")
    assert api.head("/v1/communities", headers={"If-None-Match": tag}).status_code == 304
    apply_follows(store, [Follow("t:z1", "t:z2")])
    publish(store)
    assert api.get("/v1/communities", headers={"If-None-Match": tag}).status_code == 200


def test_runs_asked_for(api: TestClient, store: Store) -> None:
    two_circles(store)
    asked = api.post("/v1/runs", json={"publish": True}, headers={"Idempotency-Key": "k1"})
    assert asked.status_code == 202
    run = asked.json()
    assert run["state"] == "queued"
    assert asked.headers["location"] == f"/v1/runs/{run['id']}"
    assert api.get(asked.headers["location"]).json() == run
    again = api.post("/v1/runs", json={"publish": True}, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["id"]) == (200, run["id"])
    other = api.post("/v1/runs", json={"publish": False}, headers={"Idempotency-Key": "k1"})
    is_problem(other, 409, "idempotency_conflict")
    is_problem(api.get("/v1/communities", params={"run": run["id"]}), 404, "run_not_found")


def test_the_run_that_answers_already_is_returned(api: TestClient, run_id: str) -> None:
    asked = api.post("/v1/runs", json={"publish": True})
    assert (asked.status_code, asked.json()["id"]) == (200, run_id)
    assert asked.json()["quality"]["candidates"] > 0
    assert api.post("/v1/runs", json={"spec": {"seed": 7}}).status_code == 202
    assert RunSpec().seed != 7


def test_keys_of_requests_that_one_run_answers(api: TestClient, run_id: str, store: Store) -> None:
    for key in ("k1", "k2"):
        asked = api.post("/v1/runs", json={"publish": True}, headers={"Idempotency-Key": key})
        assert (asked.status_code, asked.json()["id"]) == (200, run_id)
    apply_follows(store, [Follow("t:z1", "t:z2")])
    for key in ("k1", "k2"):
        again = api.post("/v1/runs", json={"publish": True}, headers={"Idempotency-Key": key})
        assert (again.status_code, again.json()["id"]) == (200, run_id)
        other = api.post("/v1/runs", json={"spec": {"seed": 7}}, headers={"Idempotency-Key": key})
        is_problem(other, 409, "idempotency_conflict")


def test_a_damaged_page_is_never_served(api: TestClient, run_id: str, store: Store) -> None:
    store.statement("MATCH (f:RunFile {part: 'communities'}) SET f.sha256 = 'wrong'")
    is_problem(api.get("/v1/communities"), 500, "published_set_corrupt")


def test_answers_are_the_bytes_that_were_published(api: TestClient, run_id: str, store: Store) -> None:
    stored = store.statement("MATCH (f:RunFile {part: 'communities'}) RETURN f.bytes AS bytes")[0]["bytes"]
    items = api.get("/v1/communities").json()["items"]
    assert items == [json.loads(line) for line in bytes(stored).splitlines()]
