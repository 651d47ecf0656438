"""The first load of an empty embedded store: what it makes, what it keeps, and what cutting it off leaves."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.domain import EmbeddedConfig, StoreAddress, no_progress
from service.errors import StoreError, UnreadableFile
from service.files.follows import FollowFile
from service.flows import importing, loading
from service.flows import snapshots as graphs_flow
from service.flows.importing import ImportReport, import_file, import_folder
from service.flows.snapshots import read_graph
from service.store import loading as store_loading
from service.store.driver import Store
from service.store.embedded import Replacement, ensure_alive, loading_folder, running, status
from service.store.migrations import migrate
from service.store.migrations import status as migrations_status
from tests.store.graph_dump import dump, graph_version

HELD = """
CREATE (:ApiKey {id: 'k1', name: 'ops', scopes: ['read', 'write'], sha256: 'abc',
  created_at: datetime('2026-01-02T03:04:05.678Z')})
CREATE (:Source {name: 'shop', disabled: false, created_at: datetime('2026-01-02T03:04:05Z')})
  -[:HAS_SECRET {since: date('2026-01-02')}]->(:SourceSecret {id: 's1', sealed: $sealed, place: 0})
CREATE (:Journal {id: 'j1', applied: 41, token: 'x'})
CREATE (:Lease {id: 1, token: 7, lock: 1})
CREATE (:Definition:Extra {id: 'd1', share: 0.1, many: [1, 2, 3], parts: [0.5, 1.0], none: []})
CREATE (x {of: 'no label'})-[:SELF]->(x)
CREATE (:Run {id: 'r1', state: 'done', heartbeat_at: datetime('2026-01-02T03:04:05+02:00')})
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, embedded_config: EmbeddedConfig) -> EmbeddedConfig:
    return replace(embedded_config, home=tmp_path_factory.mktemp("loaded"), port=7720, heap_mb=512)


@pytest.fixture
def empty(config: EmbeddedConfig, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreAddress]:
    """A server of its own that holds no account, into which also small files are loaded as a whole."""
    monkeypatch.setattr(loading, "BULK_BYTES", 0)
    monkeypatch.setattr(importing, "BATCH_LINES", 70)
    with running(config) as address:
        with Store(address) as store:
            migrate(store)
            store.statement("MATCH (a:Account) DETACH DELETE a")
            store.statement("MATCH (x) WHERE NOT x:__Neo4jMigration AND NOT x:Graph DETACH DELETE x")
            store.statement("MATCH (g:Graph {id: 1}) SET g += {v: 3, n: 0, complete_lists: false}")
            store.statement(HELD, sealed=b"\x00\xff")
            store.statement("CREATE INDEX by_hand IF NOT EXISTS FOR (k:ApiKey) ON (k.name)")
        yield address


def held(store: Store) -> list[Any]:
    """All that is no account, with types; sorted."""
    nodes = store.statement(
        "MATCH (x) WHERE NOT x:Account AND NOT x:Graph AND NOT x:__Neo4jMigration AND NOT x:__Neo4jMigrationsLock "
        "RETURN labels(x) AS labels, properties(x) AS properties"
    )
    ties = store.statement(
        "MATCH (a)-[r]->(b) WHERE NOT a:Account AND NOT a:__Neo4jMigration "
        "RETURN properties(a) AS a, type(r) AS type, properties(r) AS properties, properties(b) AS b"
    )
    return sorted(repr(in_order(row)) for row in [*nodes, *ties])


def in_order(value: Any) -> Any:
    """Maps as sorted pairs: properties have no order."""
    return sorted((name, in_order(one)) for name, one in value.items()) if isinstance(value, dict) else value


def nasty(path: Path, seed: int) -> Path:
    """A file in which follows come again, earlier and later, heavier and lighter, among lines that are none."""
    chance = random.Random(seed)
    lines = ["follower,followee,weight,at"]
    for _ in range(600):
        one, other = chance.randrange(60), chance.randrange(70)
        weight = chance.choice(["1", "0.1", "2.5", "1e-3", "3.0000000000000004"])
        at = chance.choice(["", "1714521600", "2024-05-01T00:00:00.001Z", "2024-04-30", "1970-01-01T00:00:00+00:00"])
        lines.append(f"u{one},é{other},{weight},{at}" if chance.random() < 0.3 else f"u{one},u{other},{weight},{at}")
    for place in range(220, 600, 40):
        lines[place] = chance.choice(
            ['"a,b",c;d,1,', '"', "x", "x,,1,", "x,y,-1,", "x,y,1,2999-01-01", "", "l\x01,m,1,"]
        )
    path.write_text("\n".join(lines))
    return path


def same_but_for_version(one: ImportReport, other: ImportReport) -> bool:
    apart = {"version": None, "seconds": 0.0, "report": None}
    return one.model_copy(update=apart) == other.model_copy(update=apart)


def test_a_load_makes_what_batches_make_and_keeps_all_else(
    empty: StoreAddress, config: EmbeddedConfig, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = FollowFile(nasty(tmp_path / "nasty.csv", 1), network="t", schema_names=True)
    graphs = tmp_path / "graphs"
    with Store(empty) as loaded:
        read_graph(loaded, tmp_path / "of before", no_progress)
        before = held(loaded)
        report = import_file(empty, file, tmp_path / "1", no_progress, embedded=config, graphs=graphs)
        batches = import_file(store.address, file, tmp_path / "2", no_progress)
        assert dump(loaded) == dump(store)
        assert same_but_for_version(report, batches)
        assert batches.updated > 5
        assert (report.version, graph_version(loaded)) == (4, 4)
        assert report.report is not None
        assert batches.report is not None
        assert report.report.read_bytes() == batches.report.read_bytes()

        assert held(loaded) == before
        accounts = loaded.statement("MATCH (a:Account) RETURN a.n AS n, a.v AS v")
        assert sorted(row["n"] for row in accounts) == list(range(1, report.accounts_created + 1))
        assert {row["v"] for row in accounts} == {4}
        assert loaded.statement("MATCH ()-[f:FOLLOWS]->() RETURN DISTINCT f.v AS v") == [{"v": None}]
        [graph] = loaded.statement("MATCH (g:Graph) RETURN g.n AS n, g.removed_v AS removed_v, g.identity AS identity")
        assert (graph["n"], graph["removed_v"]) == (report.accounts_created, 4)
        assert migrations_status(loaded).pending == ()
        indexes = "SHOW INDEXES YIELD name, state RETURN name, state"
        mine, theirs = ({row["name"]: row["state"] for row in one.statement(indexes)} for one in (loaded, store))
        assert mine == {**theirs, "by_hand": "ONLINE"}

        assert status(config).uri == empty.uri
        assert not loading_folder(config).exists()
        assert not ensure_alive(config)

        # The kept graph is what reading all of it gives, byte for byte, and nothing is read where it is there.
        read_graph(loaded, tmp_path / "read", no_progress)
        read_graph(loaded, tmp_path / "of before", no_progress)
        kept, read, later = (
            one / graph["identity"] / "4" for one in (graphs, tmp_path / "read", tmp_path / "of before")
        )
        whole = files(kept)
        assert whole == files(read) == files(later)
        monkeypatch.setattr(graphs_flow, "read_snapshot", lambda *_: pytest.fail("all was read"))
        read_graph(loaded, graphs, no_progress)

        # Once there are accounts, files go by batches.
        monkeypatch.setattr(loading, "load", lambda *_: pytest.fail("loaded twice"))
        again = import_file(empty, file, tmp_path / "1", no_progress, embedded=config, graphs=graphs)
        assert (again.unchanged, again.version) == (again.used, 4)

        # What changes from now on is found, in a follow that was loaded too.
        monkeypatch.undo()
        (tmp_path / "more.csv").write_text("follower,followee,weight,at\nu1,u2,9,2025-01-01\nu1,new,1,2025-01-01\n")
        more = FollowFile(tmp_path / "more.csv", network="t", schema_names=True)
        import_file(empty, more, tmp_path / "1", no_progress, embedded=config, graphs=graphs)
        read_graph(loaded, graphs, no_progress)
        read_graph(loaded, tmp_path / "read anew", no_progress)
        caught_up, anew = (one / graph["identity"] / "5" for one in (graphs, tmp_path / "read anew"))
        assert files(caught_up) == files(anew) != whole


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def raises(*_: Any) -> Any:
    raise StoreError("as if it had failed")


def other_writes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Let somebody write between the reading of what is held and the stop of the server, once."""
    done = []
    stop = Replacement.stop

    def late(self: Replacement) -> None:
        if not done:
            with Store(self.address) as store:
                store.statement("CREATE (:ApiKey {id: 'late', sha256: 'y'})")
        done.append(1)
        stop(self)

    monkeypatch.setattr(Replacement, "stop", late)
    return lambda: len(done)


def test_a_load_that_fails_leaves_all_as_it_was(
    empty: StoreAddress, config: EmbeddedConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = FollowFile(nasty(tmp_path / "nasty.csv", 2), network="t", schema_names=True)
    stops = other_writes(monkeypatch)
    monkeypatch.setattr(store_loading, "_import", raises)
    with Store(empty) as store:
        before = held(store)
        with pytest.raises(StoreError, match="as if"):
            import_file(empty, file, tmp_path / "1", no_progress, embedded=config)
        assert stops() == 2, "what was written after reading was noticed, and all was read again"
        assert status(config).uri == empty.uri
        assert not loading_folder(config).exists()
        assert len(held(store)) == len(before) + 1
        assert store.statement("MATCH (a:Account) RETURN count(a) AS n") == [{"n": 0}]


@pytest.mark.long
@pytest.mark.parametrize("step", ["_put_back", "commit"])
def test_a_load_that_ends_at_any_step(
    empty: StoreAddress, config: EmbeddedConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Without the graces of an error: the next one who starts the server finds what a killed process leaves."""
    file = FollowFile(nasty(tmp_path / "nasty.csv", 3), network="t", schema_names=True)
    monkeypatch.setattr(Replacement if step == "commit" else store_loading, step, raises)
    monkeypatch.setattr(Replacement, "close", lambda *_: None)
    with Store(empty) as store:
        before = held(store)
        with pytest.raises(StoreError, match="as if"):
            import_file(empty, file, tmp_path / "1", no_progress, embedded=config)
        assert loading_folder(config).exists()
        assert ensure_alive(config)
        assert not loading_folder(config).exists()
        assert status(config).uri == empty.uri
        assert held(store) == before
        if step == "commit":
            monkeypatch.undo()
            monkeypatch.setattr(loading, "BULK_BYTES", 0)
            assert import_file(empty, file, tmp_path / "1", no_progress, embedded=config).accounts_created > 50


@pytest.mark.long
def test_a_folder_is_loaded_at_once_and_the_rest_by_batches(
    empty: StoreAddress, config: EmbeddedConfig, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"entourage_import": 1, "network": "t", "as_of": "2026-01-01T00:00:00Z", "files": ['
        '{"file": "one.csv", "kind": "follows"}, {"file": "people.csv", "kind": "accounts"}, '
        '{"file": "two.csv", "kind": "follows"}, {"file": "ended.csv", "kind": "unfollows"}]}'
    )
    nasty(tmp_path / "one.csv", 4)
    nasty(tmp_path / "two.csv", 5)
    (tmp_path / "people.csv").write_text("account,handle\nu1,Anna\nu99,Bert\n")
    (tmp_path / "ended.csv").write_text("follower,followee,at\nu1,u2,2025-01-01\nu3,u4,2025-01-01\n")
    by_load = import_folder(empty, tmp_path, tmp_path / "1", no_progress, embedded=config)
    by_batches = import_folder(store.address, tmp_path, tmp_path / "2", no_progress)
    with Store(empty) as loaded:
        assert dump(loaded) == dump(store)
    assert [one.file for one in by_load.files] == [one.file for one in by_batches.files]
    # Follows were loaded before the file of accounts, so an account that both name is new to another of the files.
    (people, *rest), (people_first, *rest_later) = by_load.files, by_batches.files
    assert (people.used, people.created + people.updated) == (2, 2)
    assert people_first.created == 2
    assert [(one.created, one.updated) for one in rest] == [(one.created, one.updated) for one in rest_later]
    assert sum(one.accounts_created for one in by_load.files) == sum(one.accounts_created for one in by_batches.files)


@pytest.mark.long
def test_what_came_before_reading_stopped_is_loaded(
    empty: StoreAddress, config: EmbeddedConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    whole = gzip.compress(nasty(tmp_path / "nasty.csv", 6).read_bytes())
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-300])
    file = FollowFile(tmp_path / "cut.csv.gz", network="t", schema_names=True)
    with pytest.raises(UnreadableFile, match=r"usable lines before that are in the graph"):
        import_file(empty, file, tmp_path / "1", no_progress, embedded=config)
    with Store(empty) as store:
        assert store.statement("MATCH (a:Account) RETURN count(a) > 50 AS many") == [{"many": True}]
