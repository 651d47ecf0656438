"""Migrations on the real store: order, immutability, gaps, two processes at once, recovery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain import StoreAddress
from service.errors import DatabaseNewer, MigrationChanged, MigrationError, MigrationGap
from service.store.driver import Store
from service.store.migrations import expected_version, load_migrations, migrate, split_statements, status


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A chain of three: schema, data, and a statement that commits in batches."""
    (tmp_path / "V0001__Names_are_unique.cypher").write_text(
        "// Schema; with a semicolon.\nCREATE CONSTRAINT thing_name IF NOT EXISTS\n"
        "FOR (t:Thing) REQUIRE t.name IS UNIQUE;\nCREATE INDEX thing_size IF NOT EXISTS FOR (t:Thing) ON (t.size);\n"
    )
    (tmp_path / "V0002__Two_things.cypher").write_text(
        "CREATE (:Thing {name: 'a;b', size: 1}); CREATE (:Thing {name: \"it's // no comment\", size: 2})"
    )
    (tmp_path / "V0003__Grow.cypher").write_text(
        "MATCH (t:Thing) CALL (t) { SET t.size = 10 } IN TRANSACTIONS OF 1 ROWS;"
    )
    return tmp_path


@pytest.fixture
def fresh(store: Store) -> Iterator[Store]:
    """A graph to which nothing was applied; the tests' own chain is put back afterwards."""
    forget = "MATCH (m) WHERE m:__Neo4jMigration OR m:Thing OR m:__Neo4jMigrationsLock DETACH DELETE m"
    store.statement(forget)
    yield store
    store.statement(forget)
    store.statement("DROP CONSTRAINT thing_name IF EXISTS")
    store.statement("DROP INDEX thing_size IF EXISTS")
    migrate(store)


def things(store: Store) -> list[tuple[str, int]]:
    rows = store.statement("MATCH (t:Thing) RETURN t.name AS name, t.size AS size ORDER BY name")
    return [(row["name"], row["size"]) for row in rows]


def test_files_are_applied_in_order_and_once(fresh: Store, files: Path) -> None:
    names = sorted(path.name for path in files.iterdir())
    planned = migrate(fresh, directory=files, dry_run=True)
    assert (planned.applied, planned.pending, planned.version) == ((), tuple(names), "none")
    assert things(fresh) == []
    assert migrate(fresh, directory=files).applied == tuple(names)
    assert things(fresh) == [("a;b", 10), ("it's // no comment", 10)]
    again = migrate(fresh, directory=files)
    assert (again.applied, again.pending, again.version) == ((), (), "0003")
    chain = fresh.statement(
        "MATCH p = (:__Neo4jMigration {version: 'BASELINE'})-[:MIGRATED_TO*]->(last) WHERE NOT (last)-->() "
        "RETURN [m IN nodes(p) | m.version] AS versions, [m IN nodes(p) | m.source] AS sources"
    )
    assert chain[0]["versions"] == ["BASELINE", "0001", "0002", "0003"]
    assert chain[0]["sources"][1:] == names
    assert {row["name"] for row in fresh.statement("SHOW INDEXES")} >= {"thing_name", "thing_size"}


def test_an_applied_file_that_was_changed_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    changed = files / "V0002__Two_things.cypher"
    changed.write_text(changed.read_text().replace("size: 1", "size: 3"))
    for attempt in (lambda: migrate(fresh, directory=files), lambda: status(fresh, files)):
        with pytest.raises(MigrationChanged, match=r"V0002__Two_things\.cypher"):
            attempt()


def test_comments_and_line_ends_of_an_applied_file_may_change(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    kept = files / "V0003__Grow.cypher"
    kept.write_bytes(b"// why\r\n" + kept.read_bytes())
    assert status(fresh, files).pending == ()


def test_a_missing_version_is_refused(fresh: Store, files: Path) -> None:
    (files / "V0002__Two_things.cypher").unlink()
    with pytest.raises(MigrationGap, match="0002"):
        migrate(fresh, directory=files)


def test_a_hole_in_the_chain_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    fresh.statement("MATCH (m:__Neo4jMigration {version: '0002'}) DETACH DELETE m")
    with pytest.raises(MigrationGap, match="0002"):
        migrate(fresh, directory=files)


def test_a_newer_database_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    (files / "V0003__Grow.cypher").unlink()
    with pytest.raises(DatabaseNewer, match="0003"):
        migrate(fresh, directory=files)


def test_a_failing_file_is_named_and_leaves_nothing_half_done(fresh: Store, files: Path) -> None:
    broken = files / "V0002__Two_things.cypher"
    whole = broken.read_text()
    broken.write_text("CREATE (:Thing {name: 'kept?'}); CREATE (:Thing {size: 1 / 0});")
    with pytest.raises(MigrationError, match="V0002__Two_things"):
        migrate(fresh, directory=files)
    assert things(fresh) == []
    assert status(fresh, files).version == "0001"
    broken.write_text(whole)
    assert migrate(fresh, directory=files).applied == ("V0002__Two_things.cypher", "V0003__Grow.cypher")


def test_schema_and_data_do_not_mix(files: Path) -> None:
    (files / "V0004__Mixed.cypher").write_text("CREATE INDEX x IF NOT EXISTS FOR (t:Thing) ON (t.x); CREATE (:Thing);")
    with pytest.raises(MigrationError, match="mixes schema and data"):
        load_migrations(files)


def test_a_file_with_another_name_is_refused(files: Path) -> None:
    (files / "next.cypher").write_text("CREATE (:Thing);")
    with pytest.raises(MigrationError, match=r"next\.cypher"):
        load_migrations(files)


def test_two_processes_may_start_at_once(fresh: Store, files: Path) -> None:
    reports, errors = [], []

    def work(address: StoreAddress) -> None:
        try:
            with Store(address) as store:
                reports.append(migrate(store, directory=files))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(fresh.address,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert sorted(len(report.applied) for report in reports) == [0, 0, 0, 3]
    assert things(fresh) == [("a;b", 10), ("it's // no comment", 10)]
    assert fresh.statement("MATCH (l:__Neo4jMigrationsLock) RETURN l") == []


def test_the_lock_of_a_process_that_is_gone_is_taken_over(fresh: Store, files: Path) -> None:
    import socket

    fresh.statement(
        "CREATE (:__Neo4jMigrationsLock {name: 'entourage', id: 'x', host: $host, pid: 4194300, at: datetime()})",
        host=socket.gethostname(),
    )
    assert len(migrate(fresh, directory=files).applied) == 3


def test_the_schema_that_ships_is_there(store: Store) -> None:
    assert status(store).version == expected_version()
    names = {row["name"] for row in store.statement("SHOW INDEXES")}
    assert {"account_key", "account_n", "follows_v", "community_id_run", "run_file"} <= names
    assert {row["state"] for row in store.statement("SHOW INDEXES")} == {"ONLINE"}


def test_statements_are_split_where_they_end_only() -> None:
    text = 'RETURN \'a;b\'; // c;d\nRETURN `e;f` /* g;h */;\n\n;RETURN "i\\";j"'
    assert split_statements(text) == ("RETURN 'a;b'", "RETURN `e;f` /* g;h */", 'RETURN "i\\";j"')
