"""Who opted out or is to be erased is in no answer from that moment on, whatever was remembered before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.domain import StoreAddress
from service.flows.erasing import Places
from service.flows.importing import import_folder
from service.flows.writing import Writer
from service.journal.journal import Journal
from service.store.driver import Store
from tests.api.conftest import api_settings, publish
from tests.api.test_empty import is_problem
from tests.store.test_erasures import Person, World, best_candidate, found_in, write_circles


@pytest.fixture
def world(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[tuple[TestClient, World]]:
    """The API over two published circles, and what a writer needs to carry an erasure out."""
    sample = write_circles(tmp_path / "circles")
    import_folder(store.address, sample, tmp_path / "imports", lambda *_: None)
    run = publish(store)
    app = create_app(api_settings(store_address, data_dir=tmp_path), tmp_path / "journal")
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        address = client.app.state.administration.address  # type: ignore[attr-defined]
        with Store(address) as own, Journal(tmp_path / "journal") as journal:
            yield client, World(own, journal, Places(tmp_path / "graphs", tmp_path / "imports"), sample, run)


def addresses(client: TestClient, who: Person) -> list[str]:
    """Everything there is to ask about a run."""
    ids = [one["id"] for one in client.get("/v1/communities").json()["items"]]
    brands = "/v1/brands/garden"
    found = ["/v1/communities", "/v1/brands", f"{brands}/ambassadors", f"{brands}/ambassadors?track=open"]
    found += [f"{brands}/detractors", "/v1/runs"]
    run = client.get("/v1/communities").json()["run"]["id"]
    for one in ids:
        found += [f"/v1/communities/{one}"]
        for ask in ("ambassadors", "ambassadors?topic=trees", "ambassadors?brand=garden", "ambassadors?brief=words",
                    "influencers", "influencers?objective=mass", "excluded"):  # fmt: skip
            pinned = f"{ask}{'&' if '?' in ask else '?'}run={run}&include_not_respectable=true"
            found += [
                f"/v1/communities/{one}/{ask}",
                f"/v1/communities/{one}/{pinned if 'ambassadors' in ask else ask}",
            ]
        members = [
            row["key"]
            for row in client.get(f"/v1/communities/{one}/ambassadors?include_not_respectable=true").json()["items"]
        ]
        found += [f"/v1/communities/{one}/accounts/{key}" for key in members if key != who.key]
        found += [f"/v1/accounts/{key}" for key in members if key != who.key]
    return found


def answers(client: TestClient, asked: list[str]) -> dict[str, Any]:
    given = {address: client.get(address) for address in asked}
    assert {one.status_code for one in given.values()} == {200}, {
        a: g.text for a, g in given.items() if g.status_code != 200
    }
    return given


def named_in(given: dict[str, Any], who: Person) -> list[str]:
    return [address for address, one in given.items() if found_in(one.text, who)]


def test_who_opts_out_is_in_no_answer_and_can_take_it_back(world: tuple[TestClient, World]) -> None:
    client, place = world
    who = best_candidate(place)
    asked = addresses(client, who)
    before = answers(client, asked)
    answers(client, asked)  # now they are remembered
    named = named_in(before, who)
    assert any("/ambassadors" in one for one in named)
    assert any("/accounts/" in one for one in named), "it is evidence of somebody else"

    assert client.patch(f"/v1/accounts/{who.key}", json={"opted_out": True}).json() == {
        "key": who.key,
        "opted_out": True,
    }
    after = answers(client, asked)
    assert named_in(after, who) == []
    for address in named:
        if etag := before[address].headers.get("etag"):
            assert after[address].headers["etag"] != etag, address
            assert client.get(address, headers={"If-None-Match": etag}).status_code == 200
    own = client.get(f"/v1/accounts/{who.key}").json()
    assert own["opted_out"] is True
    for standing in own["standings"]:
        assert standing["rank"] is None
        assert standing["candidate"] is None
        assert "opted out" in standing["not_candidate_reason"]
    listed = [a for a in named if a.endswith("/ambassadors")]
    for address in listed:
        assert after[address].json()["total"] == before[address].json()["total"] - 1

    client.patch(f"/v1/accounts/{who.key}", json={"opted_out": False})
    again = answers(client, asked)
    assert named_in(again, who) == named
    for address in asked:
        if "/accounts/" not in address:
            assert again[address].json() == before[address].json(), address
    is_problem(client.patch("/v1/accounts/forest:nobody", json={"opted_out": True}), 404, "account_not_found")
    is_problem(client.patch(f"/v1/accounts/{who.key}", json={}), 422, "invalid_request")


def test_who_is_to_be_erased_is_in_no_answer_before_and_after_it_was_done(world: tuple[TestClient, World]) -> None:
    client, place = world
    who = best_candidate(place)
    asked = addresses(client, who)
    before = answers(client, asked)
    named = named_in(before, who)
    answer = client.delete(f"/v1/accounts/{who.key}")
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert receipt["state"] == "asked"
    assert not found_in(answer.text, who)
    assert answer.headers["location"] == f"/v1/erasures/{receipt['id']}"
    assert client.get(answer.headers["location"]).json() == receipt
    pending = answers(client, asked)
    assert named_in(pending, who) == []
    is_problem(client.get(f"/v1/accounts/{who.key}"), 404, "account_not_found")

    writer = Writer(place.store, place.journal, place.places)
    for _ in range(3):  # on its way, after each step
        writer.turn()
        assert named_in(answers(client, asked), who) == []
    while writer.turn() or writer.erasing:
        pass
    assert client.get(answer.headers["location"]).json()["state"] == "done"
    after = answers(client, asked)
    assert named_in(after, who) == []
    for address in named:
        if etag := before[address].headers.get("etag"):
            assert client.get(address, headers={"If-None-Match": etag}).status_code == 200
    is_problem(client.get(f"/v1/accounts/{who.key}"), 404, "account_not_found")
    again = client.delete(f"/v1/accounts/{who.key}")
    assert (again.status_code, again.json()["id"]) == (200, receipt["id"])
    assert again.json()["removed"]["accounts"] == 1
    assert [one["id"] for one in client.get("/v1/erasures").json()["items"]] == [receipt["id"]]
    is_problem(client.get("/v1/erasures/e-none"), 404, "erasure_not_found")
    is_problem(client.delete("/v1/accounts/forest:nobody"), 404, "account_not_found")


def test_pages_in_memory_do_not_outlive_an_erasure_that_nobody_saw(world: tuple[TestClient, World]) -> None:
    client, place = world
    who = best_candidate(place)
    asked = addresses(client, who)
    assert named_in(answers(client, asked), who)
    client.delete(f"/v1/accounts/{who.key}")
    writer = Writer(place.store, place.journal, place.places)
    while writer.turn() or writer.erasing:
        pass
    assert named_in(answers(client, asked), who) == []


def test_an_analysis_after_an_erasure_is_that_of_a_graph_without_the_account(
    world: tuple[TestClient, World], tmp_path: Path
) -> None:
    client, place = world
    who = best_candidate(place)
    client.delete(f"/v1/accounts/{who.key}")
    writer = Writer(place.store, place.journal, place.places)
    while writer.turn() or writer.erasing:
        pass
    run = publish(place.store)
    pages = place.store.statement("MATCH (f:RunFile {run: $run}) RETURN f.part AS part, f.bytes AS bytes", run=run)
    left = {row["part"]: json.dumps(bytes(row["bytes"]).decode()) for row in pages}
    assert not any(found_in(text, who) for text in left.values())
    assert place.store.statement("MATCH (c:Community {run: $run}) RETURN count(c) AS n", run=run)[0]["n"] > 0
