"""A Neo4j graph with labels of its own, in the tests' own server: read by a mapping, imported, and left as it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.domain import StoreAddress, no_progress
from service.errors import BadInput, EntourageError, NothingImported, StoreAuthFailed, StoreTimedOut, StoreUnavailable
from service.flows.importing import FolderReport, import_parts
from service.flows.other_graphs import parts_of_graph
from service.store.driver import Store
from service.store.others import OtherGraph
from tests.store.graph_dump import graph_version

Load = Callable[..., FolderReport]

MAPPING = """
network = "shop"

[neo4j]
uri = "{uri}"
user = "{user}"
password_env = "OTHER_PASSWORD"

[[lines]]
kind = "follows"
relationship = "FOLLOWS_USER"
fields = { follower = "start.uid", followee = "end.uid", at = "since", weight = "strength" }

[[lines]]
kind = "accounts"
label = "User"
fields = { account = "uid", handle = "screen name", followers = "count", created_at = "joined" }

[[lines]]
kind = "brand_relations"
statement = "MATCH (u:User)-[:BOUGHT]->(:Thing) RETURN DISTINCT u.uid AS who, date('2024-02-03') AS since"
fields = { account = "who" }
values = { brand = "aubade", relation = "customer" }

[[lines]]
kind = "posts"
label = "Nothing"
fields = { post = "id" }
"""


def written(text: str, uri: str, user: str) -> str:
    return text.replace("{uri}", uri).replace("{user}", user)


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    """Import by a mapping, of which `{uri}` and `{user}` are those of the tests' Neo4j."""

    def run(text: str = MAPPING, check: bool = False, password: str | None = None) -> FolderReport:
        path = tmp_path / "mapping.toml"
        path.write_text(written(text, store.address.uri, store.address.user))
        secret = store.address.password.get_secret_value() if password is None else password
        with parts_of_graph(path, {"OTHER_PASSWORD": secret}, no_progress) as parts:
            return import_parts(store.address, parts, tmp_path / "imports", no_progress, check=check)

    return run


def others(store: Store) -> Any:
    return store.statement(
        "MATCH (n:User|Thing) OPTIONAL MATCH (n)-[r:FOLLOWS_USER|BOUGHT]->(m) "
        "RETURN labels(n), properties(n), type(r), properties(r), m.uid ORDER BY n.uid, m.uid"
    )


def make(store: Store, people: int = 60) -> dict[tuple[str, str], tuple[float, str]]:
    chance = random.Random(9)
    ties: dict[tuple[str, str], tuple[float, str]] = {}
    while len(ties) < 300:
        a, b = chance.sample(range(people), 2)
        ties[str(a), str(b)] = (chance.choice([0.5, 2.0]), f"20{chance.randrange(10, 25)}-05-06T07:08:09Z")
    store.statement(
        "UNWIND range(0, $people - 1) AS i CREATE (:User {uid: i, `screen name`: 'h' + i, count: i * 2, "
        "joined: localdatetime('2019-01-02T03:04:05'), place: point({x: 1, y: 2})})",
        people=people,
    )
    store.statement(
        "UNWIND $ties AS tie MATCH (a:User {uid: toInteger(tie[0])}), (b:User {uid: toInteger(tie[1])}) "
        "CREATE (a)-[:FOLLOWS_USER {strength: tie[2], since: datetime(tie[3])}]->(b)",
        ties=[[a, b, weight, at] for (a, b), (weight, at) in ties.items()],
    )
    store.statement("MATCH (u:User) WHERE u.uid < 7 CREATE (u)-[:BOUGHT]->(:Thing), (u)-[:BOUGHT]->(:Thing)")
    return ties


def test_another_graph_is_imported_and_left_as_it_is(store: Store, load: Load) -> None:
    ties = make(store)
    before = others(store)
    looked = load(check=True)
    assert graph_version(store) == 0
    report = load()
    assert others(store) == before
    assert [(one.kind, one.created, one.rejected) for one in report.files] == [
        ("accounts", 60, {}), ("follows", 300, {}), ("brand_relations", 7, {}),
    ]  # fmt: skip
    assert [one.created for one in looked.files] == [60, 300, 7]
    assert "0 rows of lines.4 (posts)" in report.description
    rows = store.statement(
        "MATCH (a:Account)-[f:FOLLOWS]->(b:Account) RETURN a.key AS a, b.key AS b, f.weight AS w, toString(f.at) AS at"
    )
    assert {(row["a"], row["b"]): (row["w"], row["at"]) for row in rows} == {
        (f"shop:{a}", f"shop:{b}"): (weight, at) for (a, b), (weight, at) in ties.items()
    }
    people = store.statement(
        "MATCH (a:Account) RETURN a.key AS key, a.handle AS h, a.followers AS n, toString(a.created_at) AS at"
    )
    assert {row["key"]: (row["h"], row["n"], row["at"]) for row in people} == {
        f"shop:{i}": (f"h{i}", 2 * i, "2019-01-02T03:04:05Z") for i in range(60)
    }
    customers = store.statement(
        "MATCH (a:Account)-[r:CUSTOMER_OF]->(:Brand {key: 'aubade'}) RETURN a.key AS key, r.since AS since"
    )
    assert {row["key"] for row in customers} == {f"shop:{i}" for i in range(7)}
    version = graph_version(store)
    assert all((one.created, one.updated) == (0, 0) for one in load().files)
    assert graph_version(store) == version


HEAD = '[neo4j]\nuri = "{uri}"\nuser = "{user}"\npassword_env = "OTHER_PASSWORD"\n'


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (HEAD + '[[lines]]\nkind = "accounts"\nstatement = "MATCH (u:User) SET u.seen = 1 RETURN u.uid AS account"',
         BadInput, r"^lines\.1 \(accounts\) of .*mapping\.toml: .*AccessMode"),
        (HEAD + '[[lines]]\nkind = "accounts"\nstatement = "MATCH (u:User RETURN u"', BadInput,
         r"^lines\.1 .*SyntaxError"),
        (HEAD + '[[lines]]\nkind = "accounts"\nstatement = "MATCH (u:User) RETURN u AS account"', BadInput,
         r"^lines\.1 .*account holds a Node, which no field can hold"),
        (HEAD + '[[lines]]\nkind = "accounts"\nlabel = "User"\nfields = { account = "uid", name = "place" }', BadInput,
         r"^lines\.1 .*place holds a CartesianPoint"),
        (HEAD + '[[lines]]\nkind = "accounts"\nstatement = "RETURN 1 AS account, datetime({year: 12345}) AS as_of"',
         BadInput, r"^lines\.1 .*a row holds a value that cannot be read"),
        (HEAD + '[[lines]]\nkind = "accounts"\nlabel = "User"\nfields = { account = "x" }\n[[lines]]\nkind = "posts"\n'
         'statement = "UNWIND range(1, 10000000000) AS i WITH i WHERE i < 0 RETURN i AS post"', StoreTimedOut,
         r"^lines\.2 \(posts\)"),
        (HEAD + '[[lines]]\nkind = "accounts"\nlabel = "Nobody"\nfields = { account = "uid" }', NothingImported,
         "spelled"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_nothing_is_written(
    store: Store, load: Load, text: str, error: type[EntourageError], says: str
) -> None:
    make(store, people=25)
    before = others(store)
    timed = text.replace('password_env = "OTHER_PASSWORD"\n', 'password_env = "OTHER_PASSWORD"\ntimeout_s = 2\n')
    with pytest.raises(error, match=says):
        load(timed)
    assert others(store) == before
    assert store.statement("MATCH (a:Account) RETURN a") == []


def test_the_password_is_nowhere_but_in_the_environment(store: Store, load: Load, tmp_path: Path) -> None:
    make(store, people=25)
    with pytest.raises(StoreAuthFailed, match=r"lines\.1 .*refused the user or the password") as refused:
        load(password="wrong-secret")
    assert "wrong-secret" not in repr(refused.value.message)
    with (
        pytest.raises(BadInput, match=r"The environment variable OTHER_PASSWORD, .* is not set"),
        parts_of_graph(tmp_path / "mapping.toml", {}, no_progress),
    ):
        pass


def test_a_graph_that_does_not_answer(store_address: StoreAddress, tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(written(MAPPING, "bolt://127.0.0.1:1", "x"))
    with (
        pytest.raises(StoreUnavailable, match=r"lines\.1 .*does not answer"),
        parts_of_graph(path, {"OTHER_PASSWORD": "x"}, no_progress),
    ):
        pass


def test_the_other_graph_is_left_before_anything_is_imported(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(store, people=25)
    open_graphs: list[bool] = []

    class Watched(OtherGraph):
        def __enter__(self) -> Watched:
            open_graphs.append(True)
            return self

        def close(self) -> None:
            open_graphs.clear()
            super().close()

    monkeypatch.setattr("service.flows.other_graphs.OtherGraph", Watched)
    path = tmp_path / "mapping.toml"
    path.write_text(written(MAPPING, store.address.uri, store.address.user))
    with parts_of_graph(path, {"OTHER_PASSWORD": store.address.password.get_secret_value()}, no_progress) as parts:
        assert open_graphs == []
        assert len(parts.files) == 3


def test_the_own_store_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("service.flows.other_graphs.parts_of_graph", lambda path, *_: read.append(path))
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", "x")
    done = CliRunner().invoke(app, ["import-neo4j", str(tmp_path / "m.toml")])
    assert isinstance(done.exception, StoreUnavailable), done.output
    assert read == []
