"""Bringing the schema of the graph up to date, after the conventions of neo4j-migrations.

Files are named `V0001__What_they_do.cypher` and never change once they were applied anywhere. What was applied is a
chain in the graph, `(:__Neo4jMigration {version: 'BASELINE'})-[:MIGRATED_TO]->(:__Neo4jMigration {version: '0001',
checksum, ...})-[:MIGRATED_TO]->...`, which the neo4j-migrations tools read too.

A file holds one kind of statements, because Neo4j runs each kind in transactions of its own:
- schema is run statement by statement, so its statements say IF NOT EXISTS;
- data is one transaction, together with the file's place in the chain;
- what commits in batches (`IN TRANSACTIONS`, or `:auto` before it) is run one by one too, and must be repeatable.
So a file that fails is recorded nowhere, and when it is applied again nothing is done twice.

A lock node under a unique constraint lets one process at a time migrate; a second one waits, and then finds nothing
left to do. The lock names its owner: host, process and the time of its last sign of life, given with each file. A lock
is taken over at once where its owner was a process of this host that has ended, and after STALE_SECONDS of silence
where it was on another host. Should that owner live after all, the chain, whose versions are unique, refuses the later
of the two.
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
from typing import Any, Literal

import psutil

from service.domain import Progress, no_progress
from service.errors import DatabaseNewer, MigrationChanged, MigrationError, MigrationGap, StoreError, StoreUnavailable
from service.store.driver import Store
from service.store.queries import bundled

STALE_SECONDS = 600
"""How long the owner of a lock on another host may give no sign of life; longer than one file should take."""

WAIT_SECONDS = STALE_SECONDS + 60

_FILE_NAME = re.compile(r"V(\d{4})__(\w+)\.cypher")
_SCHEMA = re.compile(
    r"\s*(CYPHER\s+\d+\s+)?((CREATE|DROP)\s+(\w+\s+)?(CONSTRAINT|INDEX)\b|CALL\s+db\.await)", re.IGNORECASE
)
_IN_BATCHES = re.compile(r"\s*:auto\b|.*\}\s*IN\s+(\d+\s+)?(CONCURRENT\s+)?TRANSACTIONS\b", re.IGNORECASE | re.DOTALL)
# A semicolon ends a statement unless it stands in a string, a quoted name or a comment.
_TOKENS = re.compile(
    r"""(?P<quoted>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`)|(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<open>['"`]|/\*)|(?P<end>;)|(?P<code>[^;'"`/]+|/)""",
    re.DOTALL,
)

Kind = Literal["schema", "data", "batches"]


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
        """Its statements, without comments around them; raises MigrationError where there is none to be found."""
        try:
            statements = split_statements(self.text)
        except MigrationError as error:
            raise MigrationError(f"Migration {self.file} cannot be read. {error.message}") from error
        if not statements:
            raise MigrationError(f"Migration {self.file} holds no statement; write one, or remove the file.")
        return statements

    @cached_property
    def checksum(self) -> str:
        """CRC-32 over its statements: comments between them and line ends may change."""
        checksum = 0
        for statement in self.statements:
            checksum = zlib.crc32(statement.encode(), checksum)
        return str(checksum)

    @cached_property
    def kind(self) -> Kind:
        """What its statements are; raises MigrationError where they are of several kinds."""
        kinds = [_kind(statement) for statement in self.statements]
        if len(set(kinds)) > 1:
            mixed = " and ".join(sorted(set(kinds), key=["schema", "data", "batches"].index))
            raise MigrationError(
                f"Migration {self.file} mixes {mixed}; put schema, data, and what commits in batches into files of "
                "their own."
            )
        return kinds[0]


def split_statements(text: str) -> tuple[str, ...]:
    """Split a file at the semicolons that end a statement; comments between statements are dropped.

    Raises:
        MigrationError: a string, a quoted name or a comment has no end.
    """
    statements, current = [], ""
    for token in _TOKENS.finditer(text.replace("\r\n", "\n")):
        match token.lastgroup:
            case "end":
                statements.append(current)
                current = ""
            case "open":
                raise MigrationError(f"What begins with «{text[token.start() :][:40].strip()}» has no end; close it.")
            case "comment" if not current.strip():
                continue
            case _:
                current += token[0]
    statements.append(current)
    return tuple(one.strip() for one in statements if _without_text(one).strip())


def _without_text(statement: str) -> str:
    """Return the statement with empty strings and names, and without comments: for looking at its words."""
    stand_in = {"quoted": "''", "comment": " "}
    return _TOKENS.sub(lambda token: stand_in.get(token.lastgroup or "", token[0]), statement)


def _kind(statement: str) -> Kind:
    words = _without_text(statement)
    if _IN_BATCHES.match(words):
        return "batches"
    return "schema" if _SCHEMA.match(words) else "data"


def load_migrations(directory: Path | None = None) -> tuple[Migration, ...]:
    """Read the migration files in order of version, by default those that ship with the service.

    Raises:
        MigrationGap: a version is missing or there twice.
        MigrationError: a file is not named as it should be, is empty, cannot be split, or mixes kinds of statements.
    """
    root = directory or bundled("migrations")
    migrations = []
    for path in sorted(root.glob("*.cypher")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"Migration {path.name} should be named like V0001__What_it_does.cypher.")
        migration = Migration(match[1], path.name, path.read_text(encoding="utf-8-sig"))
        _ = migration.kind  # so that all files are checked before the first is applied
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
    with _lock(store, progress) as lock:
        start = _check_chain(store, migrations)  # anew: another process may have done the work meanwhile
        for position in range(start, len(migrations)):
            progress("Migrating the graph", position, len(migrations))
            store.statement("MATCH (l:__Neo4jMigrationsLock {id: $id}) SET l.at = datetime()", id=lock)
            _apply(store, migrations, position)
            done.append(migrations[position].file)
    progress("Migrating the graph", len(migrations), len(migrations))
    return MigrationReport(tuple(done), (), migrations[-1].version)


def _check_chain(store: Store, migrations: tuple[Migration, ...]) -> int:
    """Compare the chain in the graph with the files; return how many files are applied."""
    rows = store.statement(
        "MATCH (m:__Neo4jMigration) WHERE m.version <> 'BASELINE' "
        "OPTIONAL MATCH (before:__Neo4jMigration)-[:MIGRATED_TO]->(m) "
        "RETURN m.version AS version, m.checksum AS checksum, before.version AS before ORDER BY m.version"
    )
    before = "BASELINE"
    for number, row in enumerate(rows, 1):
        if row["version"] != f"{number:04}" or row["before"] != before:
            raise MigrationGap(
                f"In the graph, migration {row['version']} does not follow {before}: the chain has a gap; restore the "
                "graph from a backup, or begin with an empty database."
            )
        before = row["version"]
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
    together: list[tuple[str, dict[str, Any]]] = []
    if migration.kind == "data":
        together = [(statement, {}) for statement in migration.statements]
    else:
        for number, statement in enumerate(migration.statements, 1):
            with _named(migration, f"statement {number}"):
                store.statement(re.sub(r"^:auto\s+", "", statement, flags=re.IGNORECASE))
    record = (
        "MERGE (base:__Neo4jMigration {version: 'BASELINE'}) "
        "WITH base OPTIONAL MATCH (before:__Neo4jMigration {version: $before}) "
        "WITH coalesce(before, base) AS last "
        "CREATE (last)-[:MIGRATED_TO {at: datetime(), by: $by, connectedAs: $connected, in: "
        "duration({milliseconds: $took}) + duration.inSeconds(datetime.transaction(), datetime.realtime())}]->"
        "(:__Neo4jMigration {version: $version, description: $description, type: 'CYPHER', source: $file, "
        "checksum: $checksum})",
        {
            "before": migrations[position - 1].version if position else "BASELINE",
            "took": round((time.monotonic() - begin) * 1000),  # the time of this transaction is added there
            "by": "entourage",
            "connected": store.address.user,
            "version": migration.version,
            "description": migration.description,
            "file": migration.file,
            "checksum": migration.checksum,
        },
    )
    statements = _Numbered([*together, record])
    with _named(migration, statements):
        store.statements(statements)


class _Numbered(list[tuple[str, dict[str, Any]]]):
    """Statements of one transaction that remember which one was begun last, to say which one failed."""

    number = 0

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for self.number, statement in enumerate(super().__iter__(), 1):
            yield statement

    def __str__(self) -> str:
        return f"statement {self.number}" if self.number < len(self) else "recording it"


@contextmanager
def _named(migration: Migration, where: object) -> Iterator[None]:
    """Say in which file and where in it a statement failed; `where` is asked when it did."""
    try:
        yield
    except StoreUnavailable:
        raise
    except StoreError as error:
        raise MigrationError(
            f"Migration {migration.file} failed at {where}: {error.message} Nothing after it was run; mend the cause "
            "and migrate again."
        ) from error


# --- the lock -------------------------------------------------------------------------------------------


@contextmanager
def _lock(store: Store, progress: Progress) -> Iterator[str]:
    """Hold the migration lock and yield its id; wait while another process has it."""
    _ensure_constraints(store)
    lock = secrets.token_hex(8)
    mine = {
        "id": lock,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
    }
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        [row] = store.statement(
            "MERGE (l:__Neo4jMigrationsLock {name: 'entourage'}) "
            "ON CREATE SET l.id = $id, l.host = $host, l.pid = $pid, l.started = $started, l.at = datetime() "
            "RETURN l {.*, silent_s: duration.inSeconds(l.at, datetime()).seconds} AS owner",
            **mine,
        )
        owner = row["owner"]
        if owner.get("id") is None or owner["silent_s"] is None:
            continue  # let go between being found and being read
        if owner["id"] == lock:
            break
        if _has_ended(owner) or owner["silent_s"] > STALE_SECONDS:
            store.statement("MATCH (l:__Neo4jMigrationsLock {id: $id}) DELETE l", id=owner["id"])
            continue
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Process {owner['pid']} on {owner['host']} is still migrating the graph; wait for it, or end it and "
                "try again."
            )
        progress("Waiting for another process to migrate the graph", 0, None)
        time.sleep(0.2)
    try:
        yield lock
    finally:
        store.statement("MATCH (l:__Neo4jMigrationsLock {id: $id}) DELETE l", id=lock)


def _has_ended(owner: dict[str, Any]) -> bool:
    """Whether the owner of a lock was a process of this host that is no more.

    Its number alone does not say so: after a container is started again, the same number is another process.
    """
    if owner["host"] != socket.gethostname():
        return False
    try:
        return bool(abs(psutil.Process(owner["pid"]).create_time() - owner["started"]) > 1)
    except psutil.NoSuchProcess:
        return True


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
