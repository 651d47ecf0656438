"""Read-only access: what Neo4j Community answers, what would be said to Enterprise, and that reads cannot write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from neo4j import Query
from typer.testing import CliRunner

from service.__main__ import app as command
from service.domain import StoreAddress
from service.errors import Conflict, NoReadOnlyUsers, StoreRefused, StoreTimedOut
from service.flows.analyst import give_analyst, remove_analyst
from service.store.analyst import CREATE, GRANT, REMOVE, RENEW, statements
from service.store.driver import Store


def users(store: Store) -> set[str]:
    return {row["user"] for row in store.administer("SHOW USERS YIELD user")}


def test_community_has_no_user_that_can_only_read(store: Store) -> None:
    for reset in (False, True):
        with pytest.raises(NoReadOnlyUsers, match="has no roles"):
            give_analyst(store.address, reset=reset)
    assert users(store) == {store.address.user}
    assert not remove_analyst(store.address)


def test_community_takes_every_statement_but_that_about_a_role(store: Store) -> None:
    """So their syntax is right; that Enterprise then lets the user read only is Neo4j's to keep."""
    store.administer(CREATE, password="a password of some length")
    try:
        assert users(store) == {store.address.user, "analyst"}
        store.administer(RENEW, password="another password of some length")
        with pytest.raises(StoreRefused, match="UnsupportedAdministrationCommand"):
            store.administer(GRANT)
        with pytest.raises(StoreRefused) as refused:
            store.administer(CREATE, password="a third password of some length")
        assert "third" not in str(refused.value)
    finally:
        assert remove_analyst(store.address)
    assert users(store) == {store.address.user}
    with pytest.raises(StoreRefused):
        store.administer(REMOVE)


@pytest.mark.parametrize(
    ("roles", "reset", "said"),
    [
        (None, False, [CREATE, GRANT]),
        (None, True, [CREATE, GRANT]),
        (["PUBLIC", "reader"], True, [RENEW, GRANT]),
        (["PUBLIC"], True, [RENEW, GRANT]),
    ],
)
def test_what_enterprise_is_asked(roles: list[str] | None, reset: bool, said: list[str]) -> None:
    assert statements("enterprise", roles, reset=reset) == said


def test_a_user_that_is_there_is_not_taken_over_unasked() -> None:
    with pytest.raises(Conflict, match="--reset"):
        statements("enterprise", ["PUBLIC", "reader"], reset=False)
    for roles in (["PUBLIC", "admin"], ["PUBLIC", "reader", "publisher"]):
        with pytest.raises(Conflict, match=r"other roles.*(admin|publisher)"):
            statements("enterprise", roles, reset=True)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE (x:Nope)",
        "MATCH (g:Graph) SET g.v = 0",
        "MATCH (g:Graph) DETACH DELETE g",
        "MATCH (g:Graph) CALL (g) { SET g.v = 0 } IN TRANSACTIONS",
        "CREATE INDEX nope FOR (x:Nope) ON (x.a)",
        "CALL db.createLabel('Nope')",
    ],
)
def test_a_session_that_reads_cannot_write(store: Store, statement: str) -> None:
    """Community holds to the access mode, whoever the user is."""
    with pytest.raises(StoreRefused, match="AccessMode"), store._session(default_access_mode="READ") as session:
        session.run(statement).consume()  # type: ignore[arg-type]


def test_reads_of_the_service_and_of_queries_cannot_write(store: Store) -> None:
    with pytest.raises(StoreRefused, match="AccessMode"):
        store.read_within(5, "names/carry", rows=[{"id": "a", "predecessor": "b", "question": "split"}])
    assert store.statement("MATCH (n:CommunityName) RETURN n") == []


def test_a_query_that_takes_too_long_is_ended(store: Store) -> None:
    with pytest.raises(StoreTimedOut), store._session(default_access_mode="READ") as session:
        session.run(Query("UNWIND range(1, 1000000000) AS i RETURN max(i * i % 7)", timeout=0.2)).consume()


def test_a_query_that_needs_too_much_memory_is_refused_and_the_server_lives(store: Store) -> None:
    """Neo4j keeps transactions to a part of its heap: 0.7 unless it is told otherwise."""
    with pytest.raises(Exception, match="MemoryPoolOutOfMemory"), store._session(default_access_mode="READ") as session:
        session.run("UNWIND range(1, 100000000) AS i RETURN DISTINCT toString(i) AS x ORDER BY x LIMIT 1").consume()
    assert store.statement("RETURN 1 AS one") == [{"one": 1}]


def run(address: StoreAddress, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", address.password.get_secret_value())
    return CliRunner().invoke(command, ["store", "analyst", *options])


def test_the_command_says_what_protects_instead(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = run(store.address, monkeypatch)
    assert isinstance(refused.exception, NoReadOnlyUsers)
    assert "docs/read-only.md" in refused.exception.message
    assert run(store.address, monkeypatch, "--reset", "--remove").exit_code == 2
    assert "no user analyst" in run(store.address, monkeypatch, "--remove").output
    assert run(store.address, monkeypatch, "--remove", "--json").output == '{"user": "analyst", "removed": false}\n'


@pytest.mark.parametrize("as_json", [False, True])
def test_the_password_is_printed(store: Store, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr("service.flows.analyst.give_access", lambda *_, **__: None)
    done = run(store.address, monkeypatch, *(["--json"] if as_json else []))
    assert done.exit_code == 0
    password = json.loads(done.output)["password"] if as_json else done.output.split()[-1]
    assert len(password) >= 32
