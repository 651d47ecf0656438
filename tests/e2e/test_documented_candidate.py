"""The candidate that the documentation shows is the one that the sample has, to the last digit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from service.api.app import create_app
from service.domain import StoreAddress, no_progress
from service.flows.importing import import_folder
from service.sample_files import write_sample
from service.store.driver import Store
from tests.api.conftest import api_settings, publish

PAGE = Path(__file__).resolve().parents[2] / "docs" / "http-api.md"
QUESTION = {"brand": "velora", "track": "employees_collaborators", "limit": 1}


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as the documentation shows it: the first candidate, evidence cut to one item a part."""
    [item] = answer["items"]
    for part in item["parts"]:
        part["evidence"] = part["evidence"][:1]
    run = {**answer["run"], "id": "r-...", "finished_at": "..."}
    return {"run": run, "items": [item]}


def test_the_documented_candidate_is_that_of_the_sample(
    store_address: StoreAddress, store: Store, tmp_path: Path
) -> None:
    import_folder(store_address, write_sample(tmp_path / "sample"), tmp_path / "imports", no_progress)
    publish(store)
    with TestClient(create_app(api_settings(store_address)), base_url="http://127.0.0.1:8000") as api:
        community = api.get("/v1/communities").json()["items"][0]["id"]
        answer = api.get(f"/v1/communities/{community}/ambassadors", params=QUESTION)
        assert answer.status_code == 200, answer.text
        found = shown(answer.json())
    section = PAGE.read_text(encoding="utf-8").partition("## One candidate")[2]
    [documented] = re.findall(r"```json\n(\{\n.*?\n\})\n```", section, re.DOTALL)
    assert json.loads(documented) == found, "paste: " + json.dumps(found, indent=2, ensure_ascii=False)
