"""Bringing the schema of the graph up to date, after the conventions of neo4j-migrations.

Files are named `V0001__What_they_do.cypher` and never change once they were applied anywhere. What was applied is a
chain in the graph, `(:__Neo4jMigration {version: 'BASELINE'})-[:MIGRATED_TO]->(:__Neo4jMigration {version: '0001',
checksum, ...})-[:MIGRATED_TO]->...`, which the neo4j-migrations tools read too. A lock node under a unique constraint
lets one process at a time migrate; a second one waits, and then finds nothing left to do.

A file holds either schema or data: Neo4j cannot mix them in one transaction. A schema file is run statement by
statement, so its statements say IF NOT EXISTS; a data file is one transaction together with its place in the chain.
A statement that commits in batches (`IN TRANSACTIONS`) is run by itself and must be repeatable.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from service.domain import Progress, no_progress
from service.errors import DatabaseNewer, MigrationChanged, MigrationError, MigrationGap, StoreError, StoreUnavailable
from service.store.driver import Store
from service.store.queries import bundled

STALE_SECONDS = 600
"""A lock of another machine is taken over after this long; one of a process of ours that is gone, at once."""

WAIT_SECONDS = STALE_SECONDS + 60

_FILE_NAME = re.compile(r"V(\d{4})__(\w+)\.cypher$")
_SCHEMA = re.compile(r"\s*(CREATE|DROP|SHOW)\s+(\w+\s+)?(CONSTRAINT|INDEX)|\s*CALL\s+db\.await", re.IGNORECASE)
_IN_BATCHES = re.compile(r"\bIN\s+(\d+\s+CONCURRENT\s+)?TRANSACTIONS\b|^\s*:auto\b", re.IGNORECASE)
# What may hold a semicolon that ends nothing: strings, quoted names, comments.
_TOKENS = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|//[^\n]*|/\*.*?\*/|;|[^;'"`/]+|/""", re.DOTALL
)
_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class MigrationReport:
    """What a migration did: files applied now, files not applied yet, and the version the graph is at."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class Migration:
    """One file: version ("0001"), name and text."""

    version: str
    file: str
    text: str

    @property
    def description(self) -> str:
        """The file's name in words."""
        return self.file.split("__", 1)[1].removesuffix(".cypher").replace("_", " ")

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """Its statements, without comments around them."""
        return split_statements(self.text)

    @cached_property
    def checksum(self) -> str:
        """CRC-32 over its statements: comments between them and line ends may change."""
        checksum = 0
        for statement in self.statements:
            checksum = zlib.crc32(statement.encode(), checksum)
        return str(checksum)

    @cached_property
    def is_schema(self) -> bool:
        """Whether it holds schema; raises MigrationError where it holds both schema and data."""
        schema = [_SCHEMA.match(statement) is not None for statement in self.statements]
        if any(schema) and not all(schema):
            raise MigrationError(f"Migration {self.file} mixes schema and data; put them into two files.")
        return all(schema)


def split_statements(text: str) -> tuple[str, ...]:
    """Split a file at the semicolons that end a statement; comments before and after statements are dropped."""
    statements, current = [], ""
    for piece in _TOKENS.findall(text.replace("\r\n", "\n")):
        if piece == ";":
            statements.append(current)
            current = ""
        elif not current.strip() and piece.startswith(("//", "/*")):
            continue
        else:
            current += piece
    statements.append(current)
    return tuple(one.strip() for one in statements if _COMMENTS.sub("", one).strip())


def load_migrations(directory: Path | None = None) -> tuple[Migration, ...]:
    """Read the migration files in order of version, by default those that ship with the service.

    Raises:
        MigrationGap: a version is missing or there twice.
        MigrationError: a file is not named as it should be, is empty, or mixes schema and data.
    """
    root = directory or bundled("migrations")
    migrations = []
    for path in sorted(root.glob("*.cypher")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"Migration {path.name} should be named like V0001__What_it_does.cypher.")
        migration = Migration(match[1], path.name, path.read_text(encoding="utf-8"))
        if not migration.statements:
            raise MigrationError(f"Migration {path.name} holds no statement.")
        _ = migration.is_schema
        migrations.append(migration)
    for number, migration in enumerate(migrations, 1):
        if int(migration.version) != number:
            raise MigrationGap(
                f"Migration version {number:04} is missing, or there twice, before {migration.file} in {root}; "
                "the installation is incomplete."
            )
    if not migrations:
        raise MigrationGap(f"There are no migrations in {root}; the installation is incomplete.")
    return tuple(migrations)


def expected_version(directory: Path | None = None) -> str:
    """Return the version this code needs the graph to be at."""
    return load_migrations(directory)[-1].version


def status(store: Store, directory: Path | None = None) -> MigrationReport:
    """Say what is applied and what is pending, and change nothing.

    Raises:
        MigrationError: chain and files do not agree; see its subclasses.
    """
    migrations = load_migrations(directory)
    applied = _check_chain(store, migrations)
    pending = tuple(migration.file for migration in migrations[applied:])
    return MigrationReport((), pending, migrations[applied - 1].version if applied else "none")


def migrate(
    store: Store, *, directory: Path | None = None, dry_run: bool = False, progress: Progress = no_progress
) -> MigrationReport:
    """Apply the migrations that are pending, in order.

    Args:
        store: the graph.
        directory: where the files are; those that ship with the service by default.
        dry_run: only check and say what is pending.
        progress: told how many files are applied.

    Raises:
        MigrationChanged: an applied file was edited.
        MigrationGap: a version is missing among the files or in the chain.
        DatabaseNewer: the chain goes on beyond the files.
        MigrationError: a statement failed; it is named, and nothing after it was run.
    """
    before = status(store, directory)
    if dry_run or not before.pending:
        return before
    migrations = load_migrations(directory)
    done = []
    with _lock(store, progress):
        start = _check_chain(store, migrations)  # anew: another process may have done the work meanwhile
        for position in range(start, len(migrations)):
            progress("Migrating the graph", position, len(migrations))
            _apply(store, migrations, position)
            done.append(migrations[position].file)
    progress("Migrating the graph", len(migrations), len(migrations))
    return MigrationReport(tuple(done), (), migrations[-1].version)


def _check_chain(store: Store, migrations: tuple[Migration, ...]) -> int:
    """Compare the chain in the graph with the files; return how many files are applied."""
    rows = store.statement(
        "MATCH (m:__Neo4jMigration) WHERE m.version <> 'BASELINE' "
        "RETURN m.version AS version, m.checksum AS checksum ORDER BY m.version"
    )
    for number, row in enumerate(rows, 1):
        if row["version"] != f"{number:04}":
            raise MigrationGap(
                f"The graph has migration {row['version']} but not {number:04}; restore it from a backup, "
                "or begin with an empty database."
            )
    if len(rows) > len(migrations):
        raise DatabaseNewer(
            f"The graph is at migration {rows[-1]['version']}, and this version of Entourage knows only up to "
            f"{migrations[-1].version}; install the newer version."
        )
    for row, migration in zip(rows, migrations, strict=False):
        if row["checksum"] != migration.checksum:
            raise MigrationChanged(
                f"Migration {migration.file} was changed after it was applied; put its old text back, and put the "
                "change into a new file."
            )
    return len(rows)


def _apply(store: Store, migrations: tuple[Migration, ...], position: int) -> None:
    migration = migrations[position]
    begin = time.monotonic()
    apart = migration.is_schema or any(_IN_BATCHES.search(statement) for statement in migration.statements)
    if apart:
        for number, statement in enumerate(migration.statements, 1):
            with _named(migration, number):
                store.statement(re.sub(r"^\s*:auto\s+", "", statement, flags=re.IGNORECASE))
    record = (
        "MERGE (base:__Neo4jMigration {version: 'BASELINE'}) "
        "WITH base OPTIONAL MATCH (before:__Neo4jMigration {version: $before}) "
        "WITH coalesce(before, base) AS last "
        "CREATE (last)-[:MIGRATED_TO {at: datetime(), in: duration({milliseconds: $took}), by: $by, "
        "connectedAs: $connected}]->(:__Neo4jMigration {version: $version, description: $description, "
        "type: 'CYPHER', source: $file, checksum: $checksum})",
        {
            "before": migrations[position - 1].version if position else "BASELINE",
            "took": round((time.monotonic() - begin) * 1000),
            "by": "entourage",
            "connected": store.address.user,
            "version": migration.version,
            "description": migration.description,
            "file": migration.file,
            "checksum": migration.checksum,
        },
    )
    with _named(migration, None):
        store.statements([*([] if apart else [(statement, {}) for statement in migration.statements]), record])


@contextmanager
def _named(migration: Migration, number: int | None) -> Iterator[None]:
    try:
        yield
    except StoreUnavailable:
        raise
    except StoreError as error:
        where = f"statement {number}" if number else "a statement"
        raise MigrationError(
            f"Migration {migration.file} failed at {where}: {error.message} Nothing after it was run; mend the cause "
            "and migrate again."
        ) from error


# --- the lock -------------------------------------------------------------------------------------------


@contextmanager
def _lock(store: Store, progress: Progress) -> Iterator[None]:
    """Hold the migration lock; wait while another process has it."""
    _ensure_constraints(store)
    mine = {"id": secrets.token_hex(8), "host": socket.gethostname(), "pid": os.getpid()}
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        [row] = store.statement(
            "MERGE (l:__Neo4jMigrationsLock {name: 'entourage'}) "
            "ON CREATE SET l.id = $id, l.host = $host, l.pid = $pid, l.at = datetime() "
            "RETURN l.id AS id, l.host AS host, l.pid AS pid, duration.inSeconds(l.at, datetime()).seconds AS age",
            **mine,
        )
        if row["id"] == mine["id"]:
            break
        gone = row["host"] == mine["host"] and not psutil.pid_exists(row["pid"])
        if gone or row["age"] > STALE_SECONDS:
            store.statement("MATCH (l:__Neo4jMigrationsLock {id: $id}) DELETE l", id=row["id"])
            continue
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Process {row['pid']} on {row['host']} has been migrating the graph for {row['age']} seconds; "
                "wait for it, or end it and try again."
            )
        progress("Waiting for another process to migrate the graph", 0, None)
        time.sleep(0.2)
    try:
        yield
    finally:
        store.statement("MATCH (l:__Neo4jMigrationsLock {id: $id}) DELETE l", id=mine["id"])


def _ensure_constraints(store: Store) -> None:
    """Create what the lock and the chain rest on. Two processes that do so at once may disturb each other."""
    for name, label, key in (
        ("entourage_migrations_lock", "__Neo4jMigrationsLock", "name"),
        ("entourage_migrations_version", "__Neo4jMigration", "version"),
    ):
        for attempt in range(5):
            try:
                store.statement(f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (x:{label}) REQUIRE x.{key} IS UNIQUE")
                break
            except StoreError:
                if attempt == 4:
                    raise
                time.sleep(0.2 * (attempt + 1))
