"""Access requests: all that the graph and the journal hold about one account, beside other ways to ask for it."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.__main__ import app as command
from service.domain import LENS_NAMES, Follow, NewDead, NewDelivery, StoreAddress, no_progress
from service.errors import AccountNotFound, StoreError
from service.files import json_stream
from service.flows import access_request
from service.flows.access_request import account_data, write_account_data
from service.flows.exporting import export_folder
from service.flows.importing import import_folder
from service.flows.own_measures import keep_own_measure
from service.journal.journal import Journal
from service.records import Statement
from service.sample_files import write_sample
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.queries import bundled
from tests.api.conftest import publish, two_circles
from tests.api.test_empty import is_problem
from tests.conftest import clear
from tests.graph_model_page import documented_types

Line = dict[str, Any]


def data_of(address: StoreAddress, key: str, journal: Path | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(b"".join(account_data(address, key, journal)))
    assert list(document)[-1] == "complete"
    assert document["complete"] is True
    return document


@pytest.fixture(scope="module")
def sample(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path, str]]:
    """A sample with everything in it, analysed; and what an export writes of it."""
    folder = tmp_path_factory.mktemp("sample")
    with Store(store_address) as store:
        clear(store)
        import_folder(store_address, write_sample(folder / "sample", 2_000), folder / "reports", no_progress)
        apply_batch(store, "complete_followers", [Statement("complete_followers", ("sample:u000003",), (), 1_000)])
        records = [
            Statement("follow_records", (f"r{n}", "sample:u000005", f"sample:u{n:06}"), (1.0,), 1) for n in (1, 2)
        ]
        apply_batch(store, "follow_records", records)
        run = publish(store)
        values = {"sample:u000003": 3.0, "sample:u000004": 0.5}
        keep_own_measure(store_address, "mine", values.items(), meaning="what I think", graph_version=1)
        export_folder(store_address, folder / "out", "ndjson", no_progress)
        yield store, folder / "out", run


def exported(folder: Path, kind: str) -> list[Line]:
    file = folder / f"{kind}.ndjson"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def chosen(store: Store) -> list[str]:
    """Accounts that together have everything there is: of each kind of relationship who has most of it."""
    found = set()
    for direction in ("(a:Account)-[r]->()", "(a:Account)<-[r]-()"):
        types = store.statement(f"MATCH {direction} RETURN DISTINCT type(r) AS type")
        for row in types:
            [most] = store.statement(
                f"MATCH {direction} WHERE type(r) = $type "
                "RETURN a.key AS key, count(*) AS n ORDER BY n DESC, key LIMIT 1",
                type=row["type"],
            )
            found.add(most["key"])
    [out] = store.statement("MATCH (a:Account {opted_out: true}) RETURN min(a.key) AS key")
    return sorted({*found, out["key"], "sample:u000003"})


def test_every_relationship_of_accounts_is_asked_for(sample: tuple[Store, Path, str]) -> None:
    """A type that the queries of access requests do not name would be left out in silence."""
    store, _, _ = sample
    asked: set[str] = set()
    for file in (bundled("cypher") / "access").glob("*.cypher"):
        for types in re.findall(r"\[\w*:([A-Z_|]+)\]", file.read_text(encoding="utf-8")):
            asked.update(types.split("|"))
    there = {row["relationshipType"] for row in store.statement("CALL db.relationshipTypes()")}
    touching = {row["type"] for row in store.statement("MATCH (:Account|Post)-[r]-() RETURN DISTINCT type(r) AS type")}
    documented = documented_types()
    assert touching <= there
    assert touching <= asked
    not_of_accounts = {
        "COMPETES_WITH", "FOUND", "CONTINUES", "MERGES", "SPLITS", "PART_OF", "HAS_SECRET", "MIGRATED_TO",
    }  # fmt: skip
    assert documented - not_of_accounts <= asked
    assert touching | {"WITHDREW"} >= documented - not_of_accounts, "the sample has all of it"


def test_it_holds_what_an_export_holds_of_the_account(sample: tuple[Store, Path, str]) -> None:
    store, folder, _ = sample
    lines = {kind: exported(folder, kind) for kind in (
        "accounts", "opt_outs", "follows", "unfollows", "complete_followers", "interaction_counts", "posts", "mentions",
        "responses", "brand_relations", "brands", "endorsements", "persons",
    )}  # fmt: skip
    authors = {one["post"]: one.get("account") for one in lines["posts"]}
    owners = {one["person"] for one in lines["persons"]}
    assert owners
    seen: Counter[str] = Counter()

    def same(found: list[Line], expected: list[Line], what: str) -> None:
        seen[what] += len(found)
        assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, expected)), what

    def pick(kind: str, column: str, key: str) -> list[Line]:
        return [one for one in lines[kind] if one.get(column) == key]

    for key in chosen(store):
        document = data_of(store.address, key)
        assert document["account"] == document["stored"]["key"] == key
        assert document["changed_meanwhile"] is False
        assert document["journal"] is None
        for kind in ("accounts", "opt_outs", "complete_followers", "posts", "brand_relations"):
            same(document[kind], pick(kind, "account", key), kind)
        for kind in ("follows", "unfollows"):
            same(document[kind]["out"], pick(kind, "follower", key), f"{kind} out")
            same(document[kind]["in"], pick(kind, "followee", key), f"{kind} in")
        same(document["interaction_counts"]["out"], pick("interaction_counts", "account", key), "engaged out")
        same(document["interaction_counts"]["in"], pick("interaction_counts", "target", key), "engaged in")
        same(document["endorsements"]["given"], pick("endorsements", "account", key), "endorsements given")
        same(document["endorsements"]["received"], pick("endorsements", "endorsed", key), "endorsements received")
        same(document["responses"]["given"], pick("responses", "account", key), "responses given")
        to_it = [one for one in lines["responses"] if authors.get(one["post"]) == key]
        same(document["responses"]["received"], to_it, "responses received")
        mentions = [one for one in lines["mentions"] if authors.get(one["post"]) == key]
        same(document["mentions"], mentions, "mentions")
        persons = {one["person"] for one in pick("persons", "account", key)}
        same(document["persons"], [one for one in lines["persons"] if one["person"] in persons], "persons")
        own = [{"brand": one["brand"], "name": one["name"], "account": key} for one in lines["brands"]
               if key in one.get("accounts", [])]  # fmt: skip
        same(document["own_account_of"], own, "own_account_of")
    assert all(seen.values()), seen


def test_it_holds_where_runs_put_the_account(sample: tuple[Store, Path, str], api_of_sample: TestClient) -> None:
    store, _, run = sample
    ranked = store.statement(
        "MATCH (a:Account)-[m:MEMBER_OF]->(c:Community)<-[:FOUND]-(:Run {id: $run}) WHERE m.rank = 1 "
        "RETURN a.key AS key, c.id AS community ORDER BY c.size DESC LIMIT 2",
        run=run,
    )
    for row in ranked:
        document = data_of(store.address, row["key"])
        answer = api_of_sample.get(f"/v1/communities/{row['community']}/ambassadors").json()
        [candidate] = [one for one in answer["items"] if one["key"] == row["key"]]
        parts = {one["part"]: one for one in document["published"] if one["run"] == run and one["about_it"]}
        found = parts[f"candidates/{row['community']}"]["document"]
        assert {name: found[name] for name in ("reasons", "parts", "score", "rank")} == {
            name: candidate[name] for name in ("reasons", "parts", "score", "rank")
        }
        assert found["reasons"]
        assert parts[f"basis/{row['community']}"]["document"]
        through = parts[f"lenses/{row['community']}"]["document"]
        assert (through["key"], set(through["lenses"])) == (row["key"], set(LENS_NAMES))
        assert set(parts[f"words/{row['community']}"]["document"]) == {"place", "words"}
        standings = api_of_sample.get(f"/v1/accounts/{row['key']}").json()["standings"]
        here = [one for one in document["memberships"] if run in one["runs"]]
        assert {one["community"]["id"] for one in here} == {one["community"]["id"] for one in standings}
        [own] = [one["membership"] for one in here if one["community"]["id"] == row["community"]]
        assert own["rank"] == 1
        assert own["score"] == pytest.approx(found["score"], abs=0.01)
        counted = store.statement("MATCH (:Account {key: $key})-[m:MEMBER_OF]->() RETURN count(m) AS n", key=row["key"])
        assert len(document["memberships"]) == counted[0]["n"]

    every = "MATCH (f:RunFile {run: $run}) RETURN f.part AS part, f.bytes AS bytes"
    held = [(one["part"], line) for one in store.statement(every, run=run) for line in one["bytes"].split(b"\n")]
    key = ranked[0]["key"]
    naming = Counter(part for part, line in held if f'"{key}"'.encode() in line)
    document = data_of(store.address, key)
    here = [one["part"] for one in document["published"] if one["run"] == run]
    listed = Counter(part for part in here if not part.startswith("words/"))
    assert listed == naming
    for one in document["published"]:
        assert one["about_it"] or one["places"]
    for key_of, values in (("sample:u000003", [3.0]), ("sample:u000004", [0.5]), ("sample:u000005", [])):
        measured = data_of(store.address, key_of)["measured"]
        assert [(one["measure"], one["meaning"], one["value"]) for one in measured] == [
            ("mine", "what I think", value) for value in values
        ]
    most = store.statement("MATCH (c:Community) WHERE $key IN c.most_followed RETURN count(c) AS n", key=key)
    assert len(document["most_followed"]) == most[0]["n"]


@pytest.fixture
def api_of_sample(sample: tuple[Store, Path, str], tmp_path: Path) -> Iterator[TestClient]:
    from service.api.app import create_app
    from tests.api.conftest import api_settings

    with TestClient(create_app(api_settings(sample[0].address), tmp_path), base_url="http://127.0.0.1:8000") as client:
        yield client


# --- over HTTP, and by the command ----------------------------------------------------------------------


def test_keys_with_slashes_and_other_letters(api: TestClient, store: Store) -> None:
    keys = ["web:https://example.org/@lea/", "web:a/data", 'web:"é\\\u2028\U0001f600', "web:a"]
    apply_follows(store, [Follow(one, other, 2.5, 1_000) for one in keys for other in keys if one != other])
    for key in keys:
        answer = api.get(f"/v1/accounts/{quote(key, safe='')}/data")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        document = answer.json()
        assert document["account"] == key
        assert {one["follower"] for one in document["follows"]["in"]} == {*keys} - {key}
        assert all(one["at"] == "1970-01-01T00:00:01Z" for one in document["follows"]["out"])
    is_problem(api.get("/v1/accounts/web:none/data"), 404, "account_not_found")
    head = api.head("/v1/accounts/web:a/data")
    assert (head.status_code, head.content) == (200, b"")


def test_whoever_is_named_in_a_definition_is_told(api: TestClient, store: Store) -> None:
    two_circles(store)
    definition = {"name": "Ours", "accounts": ["t:a1", "t:a2"]}
    made = api.post("/v1/communities", json={"definition": definition}).json()
    schedule = {"daily_at": "03:00", "spec": {"communities": [definition]}}
    assert api.post("/v1/schedules", json=schedule).status_code == 201
    named = api.get("/v1/accounts/t:a1/data").json()["named_in"]
    assert ("definition", made["id"], ["/accounts/0"]) in [(one["in"], one["id"], one["places"]) for one in named]
    assert {one["in"] for one in named} == {"definition", "run", "schedule"}
    assert api.get("/v1/accounts/t:a/data").status_code == 404
    assert api.get("/v1/accounts/t:a3/data").json()["named_in"] == []


def test_what_the_journal_still_holds_is_in_it(api: TestClient, store: Store, journal: Path) -> None:
    apply_follows(store, [Follow("t:1", "u:1")])
    store.statement(
        "MATCH (a:Account {key: 't:1'}) SET a.handle = 'Lea.Martin', a.email_sha256 = $digest",
        digest="973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b",  # of test@example.com
    )

    def event(**data: object) -> dict[str, Any]:
        return {"type": "follow.created", "data": data}

    naming = [
        event(follower="1", followee="2"),
        event(follower="2", followee="1"),
        event(account="2", followers=["7", "1"]),
        event(account="@LEA.martin"),
        event(follower="9", followee="1", network="t"),
        event(account="2", note="t:1"),
        event(account="77", email=" Test@Example.com"),
    ]
    others = [event(follower="11", followee="2"), event(follower="1", followee="2", network="u"), event(account="lea")]

    def delivery(number: int, network: str | None, events: list[Any], dead: list[Any]) -> NewDelivery:
        return NewDelivery(
            id=f"d{number}", source="shop", network=network, webhook_id=f"m{number}", digest=bytes(32),
            received_at=int(time.time() * 1000), events=len(events), body=json.dumps(events).encode(),
            dead=tuple(NewDead(i, "bad_time", "No.", json.dumps(one)) for i, one in enumerate(dead)),
        )  # fmt: skip

    with Journal(journal) as own:
        own.append([
            delivery(1, "t", [*naming, *others], [others[0], naming[1]]),
            delivery(2, "u", [event(account="1"), event(account="t:1")], []),
            delivery(3, None, [event(account="1"), event(account="t:1")], [event(account="t:1")]),
        ])  # fmt: skip
    found = api.get("/v1/accounts/t:1/data").json()["journal"]
    whole = event(account="t:1")
    assert [one["event"] for one in found["pending"]] == [*naming, whole, whole]
    assert [(one["delivery"], one["index"], one["event"]) for one in found["dead_letters"]] == [
        ("d1", 1, naming[1]),
        ("d3", 0, whole),
    ]
    assert api.get("/v1/accounts/u:1/data").json()["journal"] == {
        "pending": [
            {**one, "event": wanted}
            for one, wanted in zip(
                api.get("/v1/accounts/u:1/data").json()["journal"]["pending"],
                [others[1], event(account="1")],
                strict=True,
            )
        ],
        "dead_letters": [],
    }


def test_an_account_with_many_followers_comes_in_pieces(store: Store) -> None:
    many = 6_000
    apply_follows(store, [Follow(f"t:{i:04}", "t:star") for i in range(many)])
    pieces = account_data(store.address, "t:star", None)
    whole = [next(pieces)]
    apply_follows(store, [Follow("t:late", "t:star")])
    whole += pieces
    assert len(whole) > 5
    assert max(map(len, whole)) < 200_000
    document = json.loads(b"".join(whole))
    followers = {one["follower"] for one in document["follows"]["in"]}
    assert followers >= {f"t:{i:04}" for i in range(many)}
    assert document["changed_meanwhile"] is True
    left = account_data(store.address, "t:star", None)
    next(left)
    left.close()  # type: ignore[attr-defined] - a client that went away


def test_what_fails_in_the_middle_does_not_look_whole(
    api: TestClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_circles(store)

    def broken(*_: object) -> Iterator[Line]:
        yield {"runs": []}
        raise StoreError("The lights went out.")

    monkeypatch.setattr(access_request, "read_memberships", broken)
    # By the character, so that all that came before the failure has left.
    monkeypatch.setattr(json_stream, "PIECE_CHARACTERS", 1)
    came: list[bytes] = []
    with pytest.raises(StoreError):
        came.extend(account_data(store.address, "t:a1", None))
    assert b"memberships" in b"".join(came)
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(came))
    with pytest.raises(StoreError):
        write_account_data(store.address, "t:a1", tmp_path / "a1.json", None, no_progress)
    assert list(tmp_path.glob("a1*")) == []
    try:
        answer = api.get("/v1/accounts/t:a1/data")
    except StoreError:  # cut off
        return
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_the_command_writes_it_for_its_owner_only(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_circles(store)
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", store.address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", store.address.password.get_secret_value())
    out = tmp_path / "a1.json"
    done = CliRunner().invoke(command, ["account-data", "t:a1", "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"file": str(out), "bytes": out.stat().st_size}
    assert out.stat().st_mode & 0o777 == 0o600
    document = json.loads(out.read_bytes())
    printed = json.loads(CliRunner().invoke(command, ["account-data", "t:a1"]).stdout)
    assert {**printed, "made_at": ""} == {**document, "made_at": ""}
    none = CliRunner().invoke(command, ["account-data", "t:none"])
    assert isinstance(none.exception, AccountNotFound)
    assert none.stdout == ""
