"""Keys of the API: what needs which scope, whom they let see which brands, and what is kept of them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.access import NEEDED, OPEN
from service.api.app import create_app
from service.domain import ApiKey, Definition, RunSpec, Scope, ScoringRules, StoreAddress
from service.errors import BadInput, KeyNotFound
from service.flows.brand_limits import limited
from service.flows.keys import add_key, list_keys, revoke_key, synchronise_keys
from service.journal.journal import Journal
from service.store.driver import Store
from tests.api.conftest import api_settings, publish
from tests.api.test_empty import is_problem
from tests.e2e.test_brand_candidates import brands

ADMIN_ONLY = {
    ("GET", "accounts/data"), ("PATCH", "accounts"), ("DELETE", "accounts"), ("GET", "erasures"),
    ("GET", "sources"), ("POST", "sources"), ("PUT", "sources"), ("GET", "keys"), ("POST", "keys"),
}  # fmt: skip


@pytest.fixture
def locked(store_address: StoreAddress, store: Store, journal: Path) -> Iterator[TestClient]:
    """The API over an empty graph, asking for keys."""
    app = create_app(api_settings(store_address, authentication=True), journal)
    with TestClient(app, base_url="http://anything.example", raise_server_exceptions=False) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def made(
    address: StoreAddress, journal: Path, *scopes: Scope, brands: Sequence[str] | None = None, name: str = "x"
) -> dict[str, str]:
    return bearer(add_key(address, journal, name, scopes, brands)[1])


def operations(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path, one) for path, methods in paths.items() for method, one in methods.items()]


def area_of(path: str) -> str:
    if re.fullmatch(r"/v1/runs/[^/]+/changes", path):
        return "runs/changes"
    if re.fullmatch(r"/v1/accounts/[^/]+/data", path):
        return "accounts/data"
    return path.removeprefix("/v1/").strip("/").split("/")[0]


def test_every_operation_is_open_or_needs_a_scope_that_was_chosen(locked: TestClient) -> None:
    areas = {(method, area_of(path)) for method, path, _ in operations(locked)}
    assert {one for one in areas if one[1] not in OPEN} == NEEDED.keys() | ADMIN_ONLY
    assert {area for _, area in areas} & OPEN == {"health", "webhooks", "schemas", "event-schemas", "platforms"}


@pytest.mark.parametrize("scope", ["read", "ingest", "run", "admin"])
def test_a_key_does_what_its_scope_says_and_no_more(
    locked: TestClient, store_address: StoreAddress, journal: Path, scope: Scope
) -> None:
    key = made(store_address, journal, scope)
    for method, path, operation in operations(locked):
        address, area = re.sub(r"\{\w+\}", "x", path), area_of(path)
        answer = locked.request(method, address, headers=key)
        if area in OPEN:
            assert "security" not in operation
            assert answer.json().get("code") not in ("key_required", "key_invalid", "scope_missing"), path
            continue
        assert operation["security"] == [{"key": []}]
        assert {"401", "403"} <= operation["responses"].keys()
        without = is_problem(locked.request(method, address), 401, "key_required")
        assert without["detail"].count("entourage keys add") == 1
        if scope == "admin" or scope in NEEDED.get((method, area), ()):
            assert answer.status_code not in (401, 403), (method, path, answer.text)
        else:
            refused = is_problem(answer, 403, "scope_missing")
            assert refused["needed"] == [*NEEDED.get((method, area), ()), "admin"]
            assert answer.headers["www-authenticate"].startswith('Bearer realm="entourage", error="insufficient_scope"')


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "key_required"),
        ({"Authorization": ""}, "key_required"),
        ({"Authorization": "Bearer"}, "key_required"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "key_required"),
        ({"Authorization": "Bearer nonsense"}, "key_invalid"),
        ({"Authorization": f"Bearer ent_0123abcd_{'A' * 43}"}, "key_invalid"),
        ({"Authorization": f"Bearer ent_0123abcd_{'A' * 10_000}"}, "key_invalid"),
        ({"Authorization": b"Bearer ent_\xff\x00"}, "key_invalid"),
        ({"X-Api-Key": "ent_"}, "key_required"),
    ],
)
def test_requests_without_a_good_key(locked: TestClient, headers: dict[str, str], code: str) -> None:
    for method, path in (
        ("GET", "/v1/communities"),
        ("POST", "/v1/runs"),
        ("GET", "/v1/nonsense"),
        ("HEAD", "/v1/runs/r"),
    ):
        answer = locked.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith('Bearer realm="entourage"')
        if method != "HEAD":
            assert "A" * 20 not in is_problem(answer, 401, code)["detail"]


def test_a_key_goes_in_the_header_and_nowhere_else(
    locked: TestClient, store_address: StoreAddress, journal: Path
) -> None:
    _, secret = add_key(store_address, journal, "x", ["read"], None)
    is_problem(locked.get("/v1/brands", params={"key": secret}), 401, "key_required")
    assert (
        locked.get("/v1/brands", headers={"authorization": f"bEARER  {secret} "}).json()["code"] == "nothing_published"
    )


def test_a_body_is_not_read_before_the_key(locked: TestClient) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b" " * 65_536

    answer = locked.post("/v1/runs", content=endless(), headers={"Content-Type": "application/json"})
    is_problem(answer, 401, "key_required")
    assert answer.headers["connection"] == "close"
    assert taken == 0


def test_what_was_read_before_a_key_was_revoked_is_not_written_after_it(
    store_address: StoreAddress, store: Store, journal: Path
) -> None:
    """The writer copies keys all the time, beside those who make and revoke them."""
    key, _ = add_key(store_address, journal, "x", ["read"], None)
    reads = 0

    def slow() -> dict[str, str]:
        nonlocal reads
        reads += 1
        found = {one.id: one.model_dump_json(exclude={"last_used_at"}) for one in list_keys(store_address)}
        if reads == 1:
            revoke_key(store_address, journal, key.id)
            add_key(store_address, journal, "y", ["read"], None)
        return found

    with Journal(journal) as opened:
        opened.keep_keys(slow)
        assert reads == 2
        kept = {one.name: one for one in map(ApiKey.model_validate_json, opened.keys().values())}
    assert kept["x"].revoked_at is not None
    assert kept["y"].revoked_at is None


def test_keys_are_made_listed_and_revoked_over_http(
    locked: TestClient, store_address: StoreAddress, journal: Path
) -> None:
    admin = made(store_address, journal, "admin", name="first")
    asked = {"name": "Dashboard", "scopes": ["read"], "brands": ["zenit", "aubade", "zenit"]}
    answer = locked.post("/v1/keys", json=asked, headers=admin)
    assert answer.status_code == 201, answer.text
    key, secret = answer.json()["key"], answer.json()["secret"]
    assert re.fullmatch(rf"ent_{key['id']}_[A-Za-z0-9_-]{{43}}", secret)
    assert (key["scopes"], key["brands"], key["revoked_at"]) == (["read"], ["aubade", "zenit"], None)
    assert is_problem(locked.get("/v1/brands", headers=bearer(secret)), 404, "nothing_published")
    listed = locked.get("/v1/keys", headers=admin)
    assert [one["name"] for one in listed.json()["items"]] == ["first", "Dashboard"]
    assert secret not in listed.text
    assert "sha256" not in listed.text
    revoked = locked.post(f"/v1/keys/{key['id']}/revoke", headers=admin).json()
    assert revoked["revoked_at"]
    is_problem(locked.get("/v1/brands", headers=bearer(secret)), 401, "key_invalid")
    again = locked.post(f"/v1/keys/{key['id']}/revoke", headers=admin).json()
    assert again["revoked_at"] == revoked["revoked_at"], "the first time stays"
    is_problem(locked.post("/v1/keys/none/revoke", headers=admin), 404, "key_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["write"]},
        {"name": "x"},
        {"name": "x", "scopes": ["read"], "nonsense": 1},
    ],
)
def test_keys_that_cannot_be_made(
    locked: TestClient, store_address: StoreAddress, journal: Path, body: dict[str, Any]
) -> None:
    admin = made(store_address, journal, "admin")
    is_problem(locked.post("/v1/keys", json=body, headers=admin), 422, "invalid_request")
    assert len(list_keys(store_address)) == 1


def test_a_key_of_some_brands_only_reads(store_address: StoreAddress, store: Store, journal: Path) -> None:
    for scopes in (["admin"], ["run"], ["read", "ingest"]):
        with pytest.raises(BadInput, match="read alone"):
            add_key(store_address, journal, "x", scopes, ["aubade"])
    for wrong in ([], [""], ["x" * 501]):
        with pytest.raises(BadInput, match="brands"):
            add_key(store_address, journal, "x", ["read"], wrong)
    for name in ("", " ", "a\nb", "x" * 201):
        with pytest.raises(BadInput, match="name"):
            add_key(store_address, journal, name, ["read"], None)
    assert list_keys(store_address) == []
    with pytest.raises(KeyNotFound):
        revoke_key(store_address, journal, "none")


def test_nothing_is_kept_of_a_key_with_which_one_could_ask(
    locked: TestClient, store_address: StoreAddress, store: Store, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = add_key(store_address, journal, "x", ["read"], None)
    locked.get("/v1/communities", headers=bearer(secret))
    locked.get("/v1/communities", headers=bearer(secret[:-1] + "x"))
    random_part = secret.split("_", 2)[2].encode()
    in_graph = json.dumps(store.statement("MATCH (k:ApiKey) RETURN k {.*} AS key"), default=str)
    assert random_part not in in_graph.encode()
    for file in journal.iterdir():
        assert random_part not in file.read_bytes(), file
    assert random_part.decode() not in caplog.text


def test_it_is_known_when_a_key_was_last_used(
    locked: TestClient, store_address: StoreAddress, store: Store, journal: Path
) -> None:
    used = add_key(store_address, journal, "used", ["read"], None)
    add_key(store_address, journal, "unused", ["read"], None)
    for _ in range(3):
        locked.get("/v1/communities", headers=bearer(used[1]))
    locked.app.state.deliveries._note_uses()  # type: ignore[attr-defined]  # what its thread does four times a second
    with Journal(journal) as opened:
        synchronise_keys(store, opened)
        documents = opened.keys()
        synchronise_keys(store, opened)
        assert opened.keys() == documents
    times = {key.name: key.last_used_at for key in list_keys(store_address)}
    assert times["unused"] is None
    assert times["used"] is not None
    assert times["used"] >= used[0].created_at


def test_keys_are_known_while_neo4j_is_away(store_address: StoreAddress, store: Store, journal: Path) -> None:
    """A machine that starts while Neo4j is away knows who may ask from its journal."""
    key = made(store_address, journal, "read")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        away = StoreAddress(
            f"bolt://127.0.0.1:{taken.getsockname()[1]}", store_address.user, store_address.password, "neo4j"
        )
        app = create_app(api_settings(away, authentication=True), journal)
        with TestClient(app, raise_server_exceptions=False) as client:
            is_problem(client.get("/v1/communities", headers=key), 503, "store_unavailable")
            is_problem(client.get("/v1/communities"), 401, "key_required")


def test_readiness_tells_a_first_load_from_a_failure(
    store_address: StoreAddress, journal: Path, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = StoreAddress(
            f"bolt://127.0.0.1:{taken.getsockname()[1]}", store_address.user, store_address.password, "neo4j"
        )
        app = create_app(api_settings(away), journal, tmp_path / "loading")
        with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
            is_problem(client.get("/health/ready"), 503, "store_unavailable")
            (tmp_path / "loading").mkdir()
            is_problem(client.get("/health/ready"), 503, "store_loading")


def test_without_a_journal_nobody_is_let_in(store_address: StoreAddress, store: Store, journal: Path) -> None:
    key = made(store_address, journal, "read")
    for file in journal.glob("journal.db*"):
        file.unlink()
    (journal / "journal.db").write_bytes(b"nonsense" * 1000)
    app = create_app(api_settings(store_address, authentication=True), journal)
    with TestClient(app, raise_server_exceptions=False) as client:
        is_problem(client.get("/v1/communities", headers=key), 503, "journal_corrupt")
        assert client.get("/health/live").status_code == 200


# --- brands -----------------------------------------------------------------------------------------------------------

SPEC = RunSpec(
    rules=ScoringRules(micro_share=1.0, macro_top_share=0),
    communities=(
        Definition(name="Nordlys people", brand="nordlys"),
        Definition(name="Aubade people", brand="aubade"),
        Definition(name="Some", accounts=("t:a0", "t:a1", "t:a2")),
    ),
)
HIDDEN = ("nordlys", "Nordlys", "caf")
"""Keys and names of brands that a key of Aubade may not see."""


@pytest.fixture
def run(store: Store) -> str:
    brands(store)
    store.statement("MATCH (a:Account {key: 't:a6'}), (b:Brand {key: 'aubade'}) CREATE (a)-[:ACCOUNT_OF {v: 1}]->(b)")
    return publish(store, SPEC)


@pytest.fixture
def of_aubade(store_address: StoreAddress, journal: Path) -> dict[str, str]:
    return made(store_address, journal, "read", brands=["aubade", "unheard-of"])


@pytest.fixture
def of_all(store_address: StoreAddress, journal: Path) -> dict[str, str]:
    return made(store_address, journal, "read", "run")


QUESTIONS = (
    "ambassadors?include_not_respectable=true",
    "ambassadors?brand=aubade",
    "ambassadors?brand=aubade&track=customers_users&include_not_respectable=true",
    "ambassadors?weights=trust:1&include_not_respectable=true",
    "influencers",
    "influencers?size_band=lt1k",
    "excluded",
)


def addresses(client: TestClient, key: dict[str, str], run: str) -> list[str]:
    """Everything that can be read of a run, as whoever sees all of it is led there."""
    found = [f"/v1/runs/{run}", "/v1/brands", "/v1/communities", "/v1/communities?kind=defined"]
    found += ["/v1/runs", f"/v1/runs/{run}/events", f"/v1/runs/{run}/changes?since={run}&limit=200"]
    communities = [
        one["id"]
        for kind in ("found", "defined")
        for one in client.get(f"/v1/communities?kind={kind}", headers=key).json()["items"]
    ]
    assert len(communities) >= 5
    for one in communities:
        found.append(f"/v1/communities/{one}")
        for what in QUESTIONS:
            found.append(f"/v1/communities/{one}/{what}")
        found += [f"/v1/communities/{one}/accounts/t:{name}" for name in ("a0", "a1", "a3", "b0", "b2")]
    found += [f"/v1/brands/aubade/{what}" for what in ("ambassadors", "ambassadors?track=open", "detractors")]
    found += [f"/v1/accounts/t:{name}" for name in ("a0", "a3", "b0", "b2", "e0")]
    return found


def test_nothing_of_another_brand_is_in_any_answer(
    locked: TestClient, run: str, of_all: dict[str, str], of_aubade: dict[str, str]
) -> None:
    asked = addresses(locked, of_all, run)
    named = answered = 0
    for address in asked:
        whole = locked.get(address, headers=of_all)  # first, so that it could be remembered
        assert whole.status_code in (200, 404), address
        named += any(f'"{name}"' in whole.text or f" {name}" in whole.text for name in HIDDEN)
        shown = locked.get(address, headers=of_aubade)
        assert shown.status_code in (200, 404), (address, shown.text)
        answered += shown.status_code == 200
        for name in HIDDEN:
            assert not re.search(rf"\b{name}\b", shown.text), (address, name, shown.text)
        etag = whole.headers.get("etag")
        if etag and shown.status_code == 200:
            assert shown.headers["etag"] != etag
            assert locked.get(address, headers={**of_aubade, "If-None-Match": etag}).status_code == 200
            own = shown.headers["etag"]
            assert locked.get(address, headers={**of_aubade, "If-None-Match": own}).status_code == 304
        assert locked.get(address, headers=of_all).content == whole.content
    assert named > 10, "there was something to hide"
    assert answered > 40


def test_what_is_of_its_own_brand_is_whole(
    locked: TestClient, run: str, of_all: dict[str, str], of_aubade: dict[str, str]
) -> None:
    for address in ("/v1/brands/aubade/ambassadors", "/v1/brands/aubade/ambassadors?track=employees_collaborators",
                    "/v1/brands/aubade/detractors"):  # fmt: skip
        whole, shown = (locked.get(address, headers=key).json() for key in (of_all, of_aubade))
        assert shown["total"] == whole["total"]
        for one, other in zip(whole["items"], shown["items"], strict=True):
            expected = [relation for relation in one.get("relations", ()) if relation["brand"] == "aubade"]
            assert other.get("relations", []) == expected
            hidden = [reason for reason in one.get("reasons", ()) if reason["brand"] not in (None, "aubade")]
            left = [reason for reason in one.get("reasons", ()) if reason not in hidden]
            assert {**other, "relations": None, "reasons": left} == {**one, "relations": None, "reasons": left}
            assert other.get("reasons", []) == left
    listed = locked.get("/v1/brands", headers=of_aubade).json()["items"]
    assert listed == [{"key": "aubade", "name": "Maison Aubade"}]
    defined = locked.get("/v1/communities?kind=defined", headers=of_aubade).json()
    assert {one["label"] for one in defined["items"]} == {"Aubade people", "Some"}
    assert defined["total"] == 2


def test_the_track_of_an_account_comes_from_the_brands_that_are_seen(
    locked: TestClient, run: str, of_all: dict[str, str], of_aubade: dict[str, str]
) -> None:
    def track(key: dict[str, str]) -> str:
        [standing] = [one for one in locked.get("/v1/accounts/t:b0", headers=key).json()["standings"] if one["primary"]]
        found: str = standing["candidate"]["track"]
        return found

    assert track(of_all) == "employees_collaborators", "of Nordlys"
    assert track(of_aubade) == "customers_users", "of Aubade"


def test_another_brand_is_as_if_it_were_not_there(
    locked: TestClient, run: str, of_all: dict[str, str], of_aubade: dict[str, str]
) -> None:
    community = locked.get("/v1/communities", headers=of_all).json()["items"][0]["id"]
    for address in ("/v1/brands/{}/ambassadors", "/v1/brands/{}/detractors",
                    f"/v1/communities/{community}/ambassadors?brand={{}}"):  # fmt: skip
        assert locked.get(address.format("nordlys"), headers=of_all).status_code == 200
        refusals = [
            is_problem(locked.get(address.format(brand), headers=of_aubade), 404, "brand_not_found")
            for brand in ("nordlys", "no-such")
        ]
        assert refusals[0]["detail"].replace("nordlys", "no-such") == refusals[1]["detail"]
    [hidden] = [
        one["id"]
        for one in locked.get("/v1/communities?kind=defined", headers=of_all).json()["items"]
        if one["label"] == "Nordlys people"
    ]
    is_problem(locked.get(f"/v1/communities/{hidden}", headers=of_aubade), 404, "community_not_found")
    is_problem(locked.get(f"/v1/communities/{hidden}/ambassadors", headers=of_aubade), 404, "community_not_found")
    is_problem(
        locked.get(f"/v1/communities/{community}/ambassadors?track=employees_collaborators", headers=of_aubade),
        422,
        "invalid_request",
    )
    is_problem(locked.post("/v1/runs", json={}, headers=of_aubade), 403, "scope_missing")


def test_sentences_of_an_earlier_version_do_not_say_whose_brand_they_speak_of() -> None:
    reasons = [{"about": "relation", "en": "Employee of Nordlys."}, {"about": "trust", "en": "Follows back."}]
    assert limited({"reasons": reasons}, frozenset({"aubade"})) == {"reasons": reasons[1:]}
