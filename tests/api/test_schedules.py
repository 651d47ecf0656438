"""Schedules over HTTP, and how fresh answers say they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain import Follow, StoreAddress
from service.flows.keys import add_key
from service.flows.schedules import ask_where_due
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.test_empty import is_problem
from tests.api.test_keys import bearer
from tests.api.test_keys import locked as locked


def test_schedules_are_made_listed_and_removed(api: TestClient) -> None:
    assert api.get("/v1/schedules").json() == {"items": []}
    made = api.post("/v1/schedules", json={"daily_at": "03:00", "spec": {"seed": 7}})
    assert made.status_code == 201, made.text
    one = made.json()
    assert one["id"].startswith("daily-0300-")
    assert (one["publish"], one["spec"]["seed"], one["after_changes"], one["last_run"]) == (True, 7, None, None)
    assert one["next_at"].endswith("T03:00:00Z")
    assert "communities" not in one["spec"]
    again = api.post("/v1/schedules", json={"daily_at": "03:00", "spec": {"seed": 7}, "publish": True})
    assert (again.status_code, again.json()) == (200, one)
    other = api.post("/v1/schedules", json={"after_changes": 1000, "spec": {"communities": []}}).json()
    assert (other["next_at"], other["spec"]["communities"]) == (None, [])
    assert api.get("/v1/schedules").json() == {"items": [one, other]}
    for schedule in (one, other):
        removed = api.delete(f"/v1/schedules/{schedule['id']}")
        assert removed.status_code == 200
        assert removed.json() == {name: schedule[name] for name in ("after_changes", "daily_at", "publish", "spec")}
        is_problem(api.delete(f"/v1/schedules/{schedule['id']}"), 404, "schedule_not_found")
        remade = api.post("/v1/schedules", json=removed.json())
        assert (remade.status_code, remade.json()["id"]) == (201, schedule["id"])


def test_a_schedule_names_what_it_asked_for(api: TestClient, store: Store, run_id: str) -> None:
    made = api.post("/v1/schedules", json={"after_changes": 2}).json()
    apply_follows(store, [Follow("t:y", "t:x"), Follow("t:x", "t:y")])
    now = datetime.now(UTC)
    [asked] = ask_where_due(store, now)
    [shown] = api.get("/v1/schedules").json()["items"]
    assert shown == {**made, "last_run": asked, "last_asked_at": shown["last_asked_at"]}
    assert abs((datetime.fromisoformat(shown["last_asked_at"]) - now).total_seconds()) < 0.01
    assert api.get(f"/v1/runs/{asked}").json()["state"] == "queued"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"after_changes": 5, "daily_at": "03:00"}, "body"),
        ({"after_changes": 0}, "body.after_changes"),
        ({"after_changes": "5"}, "body.after_changes"),
        ({"after_changes": True}, "body.after_changes"),
        ({"after_changes": 10**30}, "body.after_changes"),
        ({"daily_at": "24:00"}, "body.daily_at"),
        ({"daily_at": "3:00"}, "body.daily_at"),
        ({"daily_at": "03:60"}, "body.daily_at"),
        ({"daily_at": "03:00\n"}, "body.daily_at"),
        ({"daily_at": 3}, "body.daily_at"),
        ({"daily_at": "03:00", "publish": "yes"}, "body.publish"),
        ({"daily_at": "03:00", "spec": {"seed": -1}}, "body.spec.seed"),
        ({"daily_at": "03:00", "nonsense": 1}, "body.nonsense"),
        ({"daily_at": "03:00", "spec": {"nonsense": 1}}, "body.spec.nonsense"),
    ],
)
def test_schedules_that_cannot_be_made(api: TestClient, body: dict[str, Any], field: str) -> None:
    refused = is_problem(api.post("/v1/schedules", json=body), 422, "invalid_request")
    assert [one["field"] for one in refused["errors"]] == [field]
    assert api.get("/v1/schedules").json() == {"items": []}


def test_schedules_need_the_scope_run(locked: TestClient, store_address: StoreAddress, journal: Any) -> None:
    _, reads = add_key(store_address, journal, "x", ["read"], None)
    _, runs = add_key(store_address, journal, "y", ["run"], None)
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/x")):
        answer = locked.request(method, f"/v1/schedules{path}", headers=bearer(reads))
        assert is_problem(answer, 403, "scope_missing")["needed"] == ["run", "admin"]
    made = locked.post("/v1/schedules", json={"daily_at": "03:00"}, headers=bearer(runs))
    assert made.status_code == 201


# --- how fresh answers are ------------------------------------------------------------------------------


def seconds_ago(store: Store, run_id: str, seconds: int) -> None:
    store.statement(
        "MATCH (r:Run {id: $id}) SET r.finished_at = datetime() - duration({seconds: $s})", id=run_id, s=seconds
    )


def test_every_answer_of_a_run_says_how_old_it_is(api: TestClient, store: Store, run_id: str) -> None:
    seconds_ago(store, run_id, 100)
    community = api.get("/v1/communities").json()["items"][0]["id"]
    for address in (
        "/v1/communities", "/v1/communities?level=1", f"/v1/communities?run={run_id}",
        f"/v1/communities/{community}", f"/v1/communities/{community}/ambassadors",
        f"/v1/communities/{community}/influencers", f"/v1/communities/{community}/excluded",
        f"/v1/communities/{community}/accounts/t:a0", "/v1/accounts/t:a0", "/v1/brands",
    ):  # fmt: skip
        for _ in range(2):  # the second one is remembered
            assert 100 <= int(api.get(address).headers["entourage-run-age"]) < 160, address
    for address in ("/health/ready", "/v1/schedules", f"/v1/runs/{run_id}", "/v1/communities/none"):
        assert "entourage-run-age" not in api.get(address).headers


def test_the_age_is_of_the_moment_and_no_part_of_the_answer(api: TestClient, store: Store, run_id: str) -> None:
    """Also of answers from memory, and where nothing but headers is sent."""
    answers = [api.get("/v1/communities") for _ in range(2)]
    tag = {"If-None-Match": answers[0].headers["etag"]}
    remembered = api.app.state.answers.get("/v1/communities", b"")  # type: ignore[attr-defined]
    remembered.finished_at = datetime.fromtimestamp(remembered.finished_at.timestamp() - 1000, UTC)
    answers += [api.get("/v1/communities"), api.get("/v1/communities", headers=tag)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 304]
    ages = [int(answer.headers["entourage-run-age"]) for answer in answers]
    assert ages[0] <= ages[1] < 100 < 1000 <= ages[2] <= ages[3]
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert answers[0].content == answers[1].content == answers[2].content
    api.app.state.answers.drop("/v1/communities", b"")  # type: ignore[attr-defined]
    anew = api.get("/v1/communities", headers=tag)
    assert (anew.status_code, int(anew.headers["entourage-run-age"]) < 100) == (304, True)
    head = api.head("/v1/communities")
    assert int(head.headers["entourage-run-age"]) < 100


def test_a_run_is_no_younger_than_now_where_clocks_differ(api: TestClient, store: Store, run_id: str) -> None:
    seconds_ago(store, run_id, -500)
    assert api.get("/v1/brands").headers["entourage-run-age"] == "0"


def test_readiness_says_how_fresh_the_current_run_is(api: TestClient, store: Store, run_id: str) -> None:
    run = api.get(f"/v1/runs/{run_id}").json()
    seconds_ago(store, run_id, 100)
    ready = api.get("/health/ready").json()
    assert (ready["run"], ready["as_of"], ready["graph_version"]) == (run_id, run["as_of"], run["graph_version"])
    assert ready["graph_version_now"] == run["graph_version"]
    assert 100 <= ready["age_s"] < 160
    apply_follows(store, [Follow("t:z1", "t:z2")])
    later = api.get("/health/ready").json()
    assert (later["graph_version"], later["graph_version_now"]) == (run["graph_version"], run["graph_version"] + 1)
