"""Asking what a run would take: an estimate, and nothing else happens."""

from __future__ import annotations

from fastapi.testclient import TestClient

from service.domain import RunEstimate
from service.store.driver import Store


def runs(store: Store) -> int:
    return int(store.statement("MATCH (x) WHERE x:Run OR x:IdempotencyKey RETURN count(x) AS n")[0]["n"])


def test_a_dry_run_is_an_estimate_and_asks_for_nothing(api: TestClient, store: Store, run_id: str) -> None:
    before = runs(store)
    answer = api.post("/v1/runs", json={"dry_run": True}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert "location" not in answer.headers
    found = RunEstimate.model_validate_json(answer.content)
    [held] = store.statement("MATCH (a:Account) RETURN count(a) AS n, COUNT { ()-[:FOLLOWS]->() } AS f")
    assert (found.accounts, found.follows, found.engagements) == (held["n"], held["f"], 0)
    assert found.fits
    assert found.available_bytes is not None
    assert runs(store) == before
    again = api.post("/v1/runs", json={"spec": {"seed": 5}}, headers={"Idempotency-Key": "k"})
    assert again.status_code == 202, "the key was not taken"


def test_what_cannot_be_asked_for_is_refused_there_too(api: TestClient) -> None:
    for wrong in ({"measures": ["fame"]}, {"measures": ["brand_pagerank"]}, {"seed": -1}):
        answer = api.post("/v1/runs", json={"dry_run": True, "spec": wrong})
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid_request"


def test_a_graph_that_is_not_prepared_is_said_to_be(api: TestClient, store: Store) -> None:
    store.statement("MATCH (g:Graph {id: 1}) DELETE g")
    try:
        answer = api.post("/v1/runs", json={"dry_run": True})
        assert (answer.status_code, answer.json()["code"]) == (503, "migration_error")
        assert "entourage migrate" in answer.json()["detail"]
    finally:
        store.statement("MERGE (g:Graph {id: 1}) SET g.v = 0, g.n = 0")
