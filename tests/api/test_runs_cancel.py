"""Cancelling runs over HTTP: what is queued, what runs, what has ended."""

from __future__ import annotations

from fastapi.testclient import TestClient

from service.domain import Run
from service.store.driver import Store
from service.store.runs import CANCELLED, claim, fail, read_run
from tests.api.test_empty import is_problem


def asked(api: TestClient, seed: int) -> str:
    answer = api.post("/v1/runs", json={"spec": {"seed": seed}})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def test_a_queued_run_is_cancelled_and_stays_so(api: TestClient, store: Store) -> None:
    run_id = asked(api, seed=1)
    answer = api.post(f"/v1/runs/{run_id}/cancel")
    assert answer.status_code == 200
    run = Run.model_validate_json(answer.content)
    assert (run.state, run.error) == ("cancelled", CANCELLED)
    assert run == read_run(store, run_id)
    again = api.post(f"/v1/runs/{run_id}/cancel")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert api.get(f"/v1/runs/{run_id}").json() == answer.json()
    refused = api.get("/v1/communities", params={"run": run_id})
    assert "is cancelled and has published nothing" in is_problem(refused, 404, "run_not_found")["detail"]


def test_a_running_run_is_asked_to_end(api: TestClient, store: Store) -> None:
    run_id = asked(api, seed=1)
    token = claim(store, run_id).token
    answer = api.post(f"/v1/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert answer.json()["cancel_asked_at"] is not None
    assert "token" not in answer.json(), "that is between processes"
    fail(store, run_id, CANCELLED, token)
    assert api.post(f"/v1/runs/{run_id}/cancel").json()["state"] == "cancelled"


def test_what_has_ended_is_refused(api: TestClient, run_id: str) -> None:
    refused = is_problem(api.post(f"/v1/runs/{run_id}/cancel"), 409, "conflict")
    assert refused["detail"] == f"Run {run_id} is done; only one that is queued or running can be cancelled."
    assert api.get(f"/v1/runs/{run_id}").json()["state"] == "done"
    is_problem(api.post("/v1/runs/r-none/cancel"), 404, "run_not_found")
    is_problem(api.post(f"/v1/runs/{run_id}/cancel", params={"now": "yes"}), 422, "invalid_request")


def test_a_back_test_is_cancelled_as_a_run_is(api: TestClient) -> None:
    asked_for = api.post("/v1/backtests", json={})
    assert asked_for.status_code == 202
    answer = api.post(f"/v1/runs/{asked_for.json()['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    shown = api.get(asked_for.headers["location"]).json()
    assert (shown["state"], shown["error"]["code"], shown["report"]) == ("cancelled", "run_cancelled", None)
