"""Migrations on the real store: order, immutability, gaps, two processes at once, recovery."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from service.domain import StoreAddress
from service.errors import DatabaseNewer, MigrationChanged, MigrationError, MigrationGap
from service.store.driver import Store
from service.store.migrations import expected_version, migrate, status


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


def test_a_link_that_is_missing_in_the_chain_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    fresh.statement("MATCH ()-[r:MIGRATED_TO]->(:__Neo4jMigration {version: '0002'}) DELETE r")
    with pytest.raises(MigrationGap, match="0002"):
        status(fresh, files)


def test_a_missing_version_is_refused(fresh: Store, files: Path) -> None:
    (files / "V0002__Two_things.cypher").unlink()
    with pytest.raises(MigrationGap, match="0002"):
        migrate(fresh, directory=files)


def test_a_hole_in_the_chain_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    fresh.statement("MATCH (m:__Neo4jMigration {version: '0002'}) DETACH DELETE m")
    with pytest.raises(MigrationGap, match="0003 does not follow 0001"):
        migrate(fresh, directory=files)


def test_a_newer_database_is_refused(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    (files / "V0003__Grow.cypher").unlink()
    with pytest.raises(DatabaseNewer, match="0003"):
        migrate(fresh, directory=files)


def test_a_failing_file_is_named_and_leaves_nothing_half_done(fresh: Store, files: Path) -> None:
    broken = files / "V0002__Two_things.cypher"
    whole = broken.read_text()
    broken.write_text("CREATE (:Thing {name: 'kept?'}); CREATE (:Thing {size: 1 / 0}); CREATE (:Thing);")
    with pytest.raises(MigrationError, match=r"V0002__Two_things\.cypher failed at statement 2:"):
        migrate(fresh, directory=files)
    assert things(fresh) == []
    assert status(fresh, files).version == "0001"
    broken.write_text(whole)
    assert migrate(fresh, directory=files).applied == ("V0002__Two_things.cypher", "V0003__Grow.cypher")


def test_a_schema_file_that_fails_is_continued(fresh: Store, files: Path) -> None:
    broken = files / "V0001__Names_are_unique.cypher"
    whole = broken.read_text()
    broken.write_text(whole + "CREATE CONSTRAINT again FOR (t:Thing) REQUIRE t.name IS UNIQUE;")
    with pytest.raises(MigrationError, match=r"V0001__Names_are_unique\.cypher failed at statement 3:"):
        migrate(fresh, directory=files)
    assert status(fresh, files).version == "none"
    broken.write_text(whole)
    assert len(migrate(fresh, directory=files).applied) == 3


def test_batches_may_be_marked_for_auto_commit(fresh: Store, files: Path) -> None:
    (files / "V0004__Shrink.cypher").write_text(
        ":auto MATCH (t:Thing) CALL (t) { SET t.size = 1 } IN CONCURRENT TRANSACTIONS OF 1 ROWS;"
    )
    migrate(fresh, directory=files)
    assert things(fresh) == [("a;b", 1), ("it's // no comment", 1)]


def test_what_the_chain_says_of_a_file(fresh: Store, files: Path) -> None:
    migrate(fresh, directory=files)
    [row] = fresh.statement(
        "MATCH ()-[r:MIGRATED_TO]->(m:__Neo4jMigration {version: '0002'}) RETURN m {.*} AS m, r.by AS by, "
        "r.connectedAs AS connected, r.at > datetime() - duration('PT1H') AS recent, r.in >= duration('PT0S') AS took"
    )
    assert row["m"].pop("checksum").isdecimal()
    assert row["m"] == {
        "version": "0002", "description": "Two things", "type": "CYPHER", "source": "V0002__Two_things.cypher"
    }  # fmt: skip
    assert (row["by"], row["connected"], row["recent"]) == ("entourage", fresh.address.user, True)


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


def lock_of(fresh: Store, **owner: object) -> None:
    fresh.statement(
        "CREATE (l:__Neo4jMigrationsLock {name: 'entourage', id: 'x', at: datetime()}) SET l += $owner", owner=owner
    )


def test_the_lock_of_a_process_that_was_killed_is_taken_over(fresh: Store, files: Path) -> None:
    """A real process, killed while it holds the lock."""
    program = """
import json, sys, time
from pydantic import SecretStr
from service.domain import StoreAddress, no_progress
from service.store.driver import Store
from service.store.migrations import _lock
given = json.load(sys.stdin)
with Store(StoreAddress(given["uri"], given["user"], SecretStr(given["password"]))) as store, _lock(store, no_progress):
    print("locked", flush=True)
    time.sleep(600)
"""
    address = fresh.address
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        try:
            assert holder.stdin
            assert holder.stdout
            given = {"uri": address.uri, "user": address.user, "password": address.password.get_secret_value()}
            holder.stdin.write(json.dumps(given))
            holder.stdin.close()
            assert holder.stdout.readline() == "locked\n"
        finally:
            holder.send_signal(signal.SIGKILL)
    assert len(fresh.statement("MATCH (l:__Neo4jMigrationsLock) RETURN l")) == 1
    assert len(migrate(fresh, directory=files).applied) == 3


def test_a_process_that_got_the_number_of_the_owner_is_not_the_owner(fresh: Store, files: Path) -> None:
    me = psutil.Process()
    lock_of(fresh, host=socket.gethostname(), pid=me.pid, started=me.create_time() - 60)
    assert len(migrate(fresh, directory=files).applied) == 3


def test_a_lock_of_another_host_is_taken_over_after_silence_only(
    fresh: Store, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.migrations.WAIT_SECONDS", 0.5)
    lock_of(fresh, host="elsewhere.example", pid=1, started=0.0)
    waited: list[str] = []
    with pytest.raises(MigrationError, match=r"Process 1 on elsewhere\.example"):
        migrate(fresh, directory=files, progress=lambda stage, *_: waited.append(stage))
    assert set(waited) == {"Waiting for another process to migrate the graph"}
    assert things(fresh) == []
    fresh.statement("MATCH (l:__Neo4jMigrationsLock) SET l.at = datetime() - duration({seconds: 601})")
    assert len(migrate(fresh, directory=files).applied) == 3


def test_the_lock_is_let_go_and_taken_over_and_over(fresh: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a lock that is being let go at the same moment is no error, and nobody enters twice."""
    from service.domain import no_progress
    from service.store import migrations

    monkeypatch.setattr(migrations.time, "sleep", lambda _: None)
    inside: list[int] = []
    most: list[int] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with Store(fresh.address) as store:
                for _ in range(10):
                    with migrations._lock(store, no_progress):
                        inside.append(1)
                        most.append(len(inside))
                        inside.pop()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert most == [1] * 40


def test_the_schema_that_ships_is_there(store: Store) -> None:
    assert status(store).version == expected_version()
    names = {row["name"] for row in store.statement("SHOW INDEXES")}
    assert {"account_key", "account_n", "follows_v", "community_id_run", "run_file"} <= names
    assert {row["state"] for row in store.statement("SHOW INDEXES")} == {"ONLINE"}
