"""Back-tests over HTTP: asked for, carried out, read, drawn, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.analytics.backtest import RANKINGS
from service.domain import BacktestReport, no_progress
from service.errors import NothingToTest
from service.flows.analyze import execute
from service.flows.importing import import_folder
from service.sample_files import write_sample
from service.store.driver import Store
from service.store.runs import claim, read_run

ASKED = {"share": 0.8, "draws": 20, "first": [5, 10]}


@pytest.fixture
def sample_store(store: Store, tmp_path: Path) -> Store:
    folder = write_sample(tmp_path / "sample", 6_000)
    import_folder(store.address, folder, tmp_path / "imports", no_progress)
    return store


def test_a_backtest_from_question_to_picture(api: TestClient, sample_store: Store, tmp_path: Path) -> None:
    asked = api.post("/v1/backtests", json=ASKED, headers={"Idempotency-Key": "one"})
    assert asked.status_code == 202, asked.text
    address = asked.headers["location"]
    one = asked.json()
    assert (one["state"], one["report"], one["spec"]["share"]) == ("queued", None, 0.8)
    assert address == f"/v1/backtests/{one['id']}"
    early = api.get(f"{address}/chart")
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    again = api.post("/v1/backtests", json=ASKED, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["id"]) == (200, one["id"])
    other = api.post("/v1/backtests", json={**ASKED, "share": 0.5}, headers={"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    without = api.post("/v1/backtests", json={**ASKED, "lenses": {"market": 0}}, headers={"Idempotency-Key": "one"})
    assert (without.status_code, without.json()["id"]) == (200, one["id"])
    weighed = api.post("/v1/backtests", json={**ASKED, "lenses": {"market": 0.2}}, headers={"Idempotency-Key": "one"})
    assert (weighed.status_code, weighed.json()["code"]) == (409, "idempotency_conflict")

    claim(sample_store, one["id"])
    execute(sample_store.address, one["id"], tmp_path / "graphs")
    done = api.get(address).json()
    report = BacktestReport.model_validate(done["report"])
    assert (done["state"], done["progress"], done["error"]) == ("done", 1.0, None)
    assert {figure.ranking for figure in report.figures} == set(RANKINGS)
    assert report.communities
    assert "report" not in api.get(f"/v1/runs/{one['id']}").json()

    drawn = api.get(f"{address}/chart", params={"measure": "precision", "first": 5, "lang": "fr"})
    assert drawn.status_code == 200
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "precision@5" in drawn.text
    wrong = api.get(f"{address}/chart", params={"first": 7})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")
    assert api.get(f"{address}/chart", params={"colour": "red"}).status_code == 422

    # It publishes nothing, and is no run that candidates could be read from.
    assert api.get("/v1/communities").json()["code"] == "nothing_published"
    no_run = api.get("/v1/communities", params={"run": one["id"]})
    assert (no_run.status_code, no_run.json()["code"]) == (404, "run_not_found")
    assert address in no_run.json()["detail"]


def test_what_there_is_no_data_for_fails_with_its_own_sentence(
    api: TestClient, store: Store, run_id: str, tmp_path: Path
) -> None:
    one = api.post("/v1/backtests", json={}).json()["id"]
    claim(store, one)
    with pytest.raises(NothingToTest):
        execute(store.address, one, tmp_path / "graphs")
    failed = api.get(f"/v1/backtests/{one}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "nothing_to_test")
    assert "holds no interactions" in failed["error"]["message"]
    assert read_run(store, run_id).state == "done"
    assert api.get("/v1/communities").json()["run"]["id"] == run_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0},
        {"share": 1},
        {"share": "0.5"},
        {"cut": "yesterday"},
        {"horizon_days": 0},
        {"first": []},
        {"first": [0]},
        {"draws": 1},
        {"undated_follows": "maybe"},
        {"rules": {"weights": {"authority": 2}}},
        {"cutt": "2026-01-01"},
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(api: TestClient, wrong: dict[str, object]) -> None:
    answer = api.post("/v1/backtests", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert next(iter(wrong)) in answer.text


def test_other_runs_are_no_backtests(api: TestClient, run_id: str) -> None:
    for address in (f"/v1/backtests/{run_id}", f"/v1/backtests/{run_id}/chart", "/v1/backtests/none"):
        answer = api.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
