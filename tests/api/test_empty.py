"""What the API says before anything was published, and to requests it cannot use."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.app import create_app
from service.api.paging import make_cursor, read_cursor
from service.domain import StoreAddress
from service.errors import ConfigurationError, InvalidCursor
from service.store.driver import Store
from tests.api.conftest import api_settings


def is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"/errors#{code}"
    assert body["title"]
    assert body["detail"].endswith(".")
    return body


def test_health(api: TestClient) -> None:
    assert api.get("/health/live").json() == {"status": "live"}
    assert api.get("/health/ready").json() == {
        "status": "ready", "applied_up_to": 0,
        "run": None, "as_of": None, "graph_version": None, "graph_version_now": 0, "age_s": None,
    }  # fmt: skip


def test_not_ready_where_the_schema_is_of_another_version(api: TestClient, store: Store) -> None:
    store.statement("CREATE (:__Neo4jMigration {version: '9999'})")
    try:
        assert "9999" in is_problem(api.get("/health/ready"), 503, "migration_error")["detail"]
    finally:
        store.statement("MATCH (m:__Neo4jMigration {version: '9999'}) DELETE m")


@pytest.mark.parametrize("address", ["/v1/communities", "/v1/communities/c1", "/v1/accounts/t:a"])
def test_nothing_published_yet(api: TestClient, address: str) -> None:
    assert "entourage analyze" in is_problem(api.get(address), 404, "nothing_published")["detail"]


def test_unknown_things(api: TestClient) -> None:
    is_problem(api.get("/v1/nonsense"), 404, "route_not_found")
    answer = api.delete("/v1/runs")
    is_problem(answer, 405, "route_not_found")
    assert answer.headers["allow"] == "POST"
    is_problem(api.get("/v1/runs/r-none"), 404, "run_not_found")
    is_problem(api.get("/v1/communities?run=r-none"), 404, "run_not_found")
    is_problem(api.get("/v1/accounts/"), 422, "invalid_request")
    is_problem(api.post("/health/live"), 405, "route_not_found")
    assert api.post("/health/live").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/health/live", 200),
        ("/openapi.json", 200),
        ("/v1/runs", 200),
        ("/v1/runs/r-none", 404),
        ("/v1/runs/r-none/events", 404),
        ("/v1/nonsense", 404),
        ("/v1/deliveries/replay/x", 404),
    ],
)
def test_head_is_get_without_the_body(api: TestClient, address: str, status: int) -> None:
    head, get = api.head(address), api.get(address)
    assert (head.status_code, head.content) == (get.status_code, b"") == (status, b"")
    assert dict(head.headers) == dict(get.headers)
    assert int(head.headers["content-length"]) == len(get.content) > 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=x", "query.limit"),
        ("limit=201", "query.limit"),
        ("nonsense=1", "query.nonsense"),
    ],
)
def test_each_wrong_parameter_of_a_list_is_named(api: TestClient, query: str, field: str) -> None:
    body = is_problem(api.get(f"/v1/communities?{query}"), 422, "invalid_request")
    assert [one["field"] for one in body["errors"]] == [field]


BODIES: dict[str, dict[str, Any]] = {
    "/v1/sources/try": {"example": {}},
    "/v1/communities": {"definition": {"name": "x", "topic": "x"}},
    "/v1/deliveries/replay": {"delivery": "x"},
    "/v1/sources": {"name": "x"},
    "/v1/imports": {},
    "/v1/keys": {"name": "x", "scopes": ["read"]},
    "/v1/schedules": {"daily_at": "03:00"},
    "/v1/scores": {"weights": {"standing": 1}},
}


def test_no_route_takes_a_parameter_it_does_not_know(api: TestClient) -> None:
    for path, operations in api.get("/openapi.json").json()["paths"].items():
        for method in operations:
            address = re.sub(r"\{\w+\}", "x", path.replace("{lens}", "standing"))
            patched = {"opted_out": True} if "accounts" in path else {"name": "x"}
            body = BODIES.get(path, {}) if method == "post" else patched
            if method == "put":
                body = {"mapping": {}} if "sources" in path else {"weights": {"standing": 1}}
            sent = {"json": body} if method in ("post", "patch", "put") else {}
            answer = api.request(method, address, params={"nonsense": "1", "dry_run": "true"}, **sent)
            refused = is_problem(answer, 422, "invalid_request")
            assert {one["field"] for one in refused["errors"]} == {"query.nonsense", "query.dry_run"}, path


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"publish": "yes"}, "body.publish"),
        ({"publish": 1}, "body.publish"),
        ({"publish": None}, "body.publish"),
        ({"spec": {"seed": "42"}}, "body.spec.seed"),
        ({"spec": {"seed": 42.0}}, "body.spec.seed"),
        ({"spec": {"seed": True}}, "body.spec.seed"),
        ({"spec": {"rules": {"damping": "0.5"}}}, "body.spec.rules.damping"),
        ({"spec": {"rules": {"evidence_items": 3.0}}}, "body.spec.rules.evidence_items"),
        ({"spec": {"rules": {"weights": {"trust": "0.2"}}}}, "body.spec.rules.weights.trust"),
        ({"spec": {"rules": {"resolutions": [1, "2"]}}}, "body.spec.rules.resolutions.1"),
        ({"spec": {"rules": {"resolutions": {"0": 1}}}}, "body.spec.rules.resolutions"),
        ([], "body"),
        ("{}", "body"),
        ({"publish": "perhaps"}, "body.publish"),
        ({"nonsense": 1}, "body.nonsense"),
        ({"spec": {"seed": -1}}, "body.spec.seed"),
        ({"spec": {"rules": {"damping": 1.5}}}, "body.spec.rules.damping"),
        ({"spec": {"engine": "steam"}}, "body.spec.engine"),
    ],
)
def test_each_wrong_field_is_named(api: TestClient, body: dict[str, Any], field: str) -> None:
    problem = is_problem(api.post("/v1/runs", json=body), 422, "invalid_request")
    assert [one["field"] for one in problem["errors"]] == [field]


def test_whole_numbers_and_arrays_are_what_json_has_for_them(api: TestClient) -> None:
    rules = {"resolutions": [1, 2.5], "influence_prior_days": 7, "micro_share": 1}
    asked = api.post("/v1/runs", json={"publish": False, "spec": {"seed": 7, "rules": rules}})
    assert asked.status_code == 202, asked.text
    spec = asked.json()["spec"]
    assert (spec["seed"], spec["rules"]["resolutions"], spec["rules"]["influence_prior_days"]) == (7, [1.0, 2.5], 7.0)


def test_no_depth_of_a_body_makes_the_service_fail(api: TestClient) -> None:
    for depth in range(100, 1100, 3):
        body = b'{"spec":' + b"[" * depth + b"]" * depth + b"}"
        answer = api.post("/v1/runs", content=body, headers={"Content-Type": "application/json"})
        assert answer.json()["code"] == "invalid_request", answer.text


def test_bodies_that_are_no_json(api: TestClient) -> None:
    json_type = {"Content-Type": "application/json"}
    is_problem(api.post("/v1/runs", content=b"{", headers=json_type), 400, "invalid_request")
    is_problem(api.post("/v1/runs", content=b"\xff\xfe", headers=json_type), 400, "invalid_request")
    is_problem(api.post("/v1/runs", content=b"[" * 100_000, headers=json_type), 400, "invalid_request")
    is_problem(api.post("/v1/runs", content=b'{"spec": {"seed": NaN}}', headers=json_type), 422, "invalid_request")
    is_problem(api.post("/v1/runs", content=b"a=1", headers={"Content-Type": "text/plain"}), 415, "invalid_request")


def test_bodies_over_the_limit_are_not_read(api: TestClient) -> None:
    is_problem(api.post("/v1/runs", json={"x": "y" * 2_000_000}), 413, "body_too_large")
    taken = 0

    def endless() -> Any:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    is_problem(api.post("/v1/runs", content=endless(), headers=headers), 413, "body_too_large")


def test_other_names_of_this_address_are_refused(api: TestClient) -> None:
    is_problem(api.get("/health/live", headers={"Host": "evil.example"}), 421, "invalid_request")
    assert api.get("/health/live", headers={"Host": "localhost:8000"}).status_code == 200
    assert api.get("/health/live", headers={"Host": "[::1]:8000"}).status_code == 200


def test_an_open_address_needs_authentication(store_address: StoreAddress) -> None:
    with pytest.raises(ConfigurationError, match="ENTOURAGE_AUTHENTICATION"):
        create_app(api_settings(store_address, host="0.0.0.0"))
    create_app(api_settings(store_address, host="0.0.0.0", authentication=True))


def test_an_unforeseen_error_tells_nothing_but_its_incident(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("service.api.routes.run_by_id", broken)
    body = is_problem(api.get("/v1/runs/r-1"), 500, "internal")
    assert "secret" not in json.dumps(body)
    assert body["incident"] in caplog.text


def test_every_error_of_every_route_is_declared(api: TestClient) -> None:
    schema = api.get("/openapi.json").json()
    assert "Problem" in schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], path
    references = set(json.dumps(schema).split('"#/components/schemas/')[1:])
    assert {one.split('"')[0] for one in references} <= set(schema["components"]["schemas"])


@given(st.text(max_size=300))
def test_a_mangled_cursor_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(text, "communities")


@given(st.text(max_size=20), st.integers(min_value=0), st.text(max_size=30))
def test_a_cursor_is_read_back_for_its_own_question_only(run: str, offset: int, question: str) -> None:
    run = run.replace("|", "")
    cursor = make_cursor(run, question, offset)
    assert read_cursor(cursor, question) == (run, offset)
    with pytest.raises(InvalidCursor):
        read_cursor(cursor, question + "x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=40), name=st.text(min_size=1, max_size=10), value=st.text(max_size=60))
def test_no_address_or_query_makes_the_service_fail(api: TestClient, path: str, name: str, value: str) -> None:
    from urllib.parse import quote

    for address in (
        f"/v1/communities/{quote(path, safe='')}/ambassadors",
        f"/v1/accounts/{quote(path, safe='')}",
        "/v1/communities",
    ):
        answer = api.get(address, params={name: value, "cursor": value})
        assert 300 <= answer.status_code < 500 or answer.status_code == 307, answer.text
