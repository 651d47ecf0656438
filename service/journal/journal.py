"""One SQLite file that holds every delivery from its acknowledgement on, in the order in which they came.

Imports that were asked for over HTTP are in it, too: see `imports.py`.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from service.domain import (
    DAY_MS,
    Again,
    DeadItem,
    Delivery,
    DeliveryState,
    ErasureRequest,
    JournalMark,
    JournalSize,
    KeyUse,
    NewDead,
    NewDelivery,
    PendingDelivery,
    Reader,
    Receipt,
    SecretUse,
    Settled,
)
from service.errors import DeliveryNotFound, JournalCorrupt, JournalFull, JournalUnavailable

FILE = "journal.db"
KEPT_DAYS = 7
"""Outcomes are kept that long, deliveries with dead letters KEPT_DEAD_DAYS: then nothing is left of them."""

KEPT_DEAD_DAYS = 30
KEPT_IMPORTS_DAYS = 30
"""Imports that have ended are kept that long, with their reports of rejected lines."""

BUSY_SECONDS = 10.0
BUSY_WAIT_SECONDS = 0.001
SETTLED_AT_ONCE = 200
"""Outcomes noted in one transaction: whoever acknowledges deliveries waits for it. A crash between two does no harm."""


_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  network TEXT,
  webhook_id TEXT NOT NULL,
  digest BLOB NOT NULL,
  token TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  events INTEGER NOT NULL,
  size INTEGER NOT NULL,
  body BLOB,
  state TEXT NOT NULL,
  settled_at INTEGER,
  version INTEGER,
  replay_of TEXT,
  platform TEXT,
  mapping TEXT
);
CREATE INDEX IF NOT EXISTS pending ON deliveries (seq, size, events) WHERE state = 'journaled';
CREATE INDEX IF NOT EXISTS settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS dead (
  seq INTEGER NOT NULL, position INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, event TEXT NOT NULL,
  replayed_in TEXT,
  PRIMARY KEY (seq, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used (
  source TEXT NOT NULL, secret TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (source, secret)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS imports (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  key TEXT UNIQUE,
  name TEXT NOT NULL,
  options TEXT NOT NULL,
  checks INTEGER NOT NULL,
  digest BLOB NOT NULL,
  size INTEGER NOT NULL,
  state TEXT NOT NULL,
  cancelling INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  read_bytes INTEGER NOT NULL DEFAULT 0,
  lines INTEGER NOT NULL DEFAULT 0,
  done TEXT,
  note TEXT,
  report TEXT,
  error TEXT
);
CREATE INDEX IF NOT EXISTS waiting_imports ON imports (seq) WHERE state IN ('queued', 'running');
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used_keys (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasures (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, handle TEXT, asked_at INTEGER NOT NULL
) WITHOUT ROWID;
"""
_ADDED = ("platform", "mapping")
"""Columns that the first journals did not have."""

_ALL = 2**63 - 1
"""Beyond every sequence."""

_COLUMNS = "seq, id, source, webhook_id, received_at, events, state, settled_at, version, replay_of"


def now_ms() -> int:
    """Return the time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Let no exception of SQLite out: each leaves as one of ours, with what to do.

    Raises:
        JournalFull: there is no room left on the device.
        JournalCorrupt: the file is not what was written.
        JournalUnavailable: anything else.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        code = getattr(error, "sqlite_errorname", "") or ""
        if code == "SQLITE_FULL" or getattr(error, "errno", None) == 28:
            raise JournalFull(
                f"There is no room left to journal in {path.parent}; free some, then send it again."
            ) from error
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise JournalCorrupt(
                f"The journal {path} is damaged. Nothing was changed in it: copy its folder, put the file back from a "
                "backup or rescue it with `sqlite3 .recover`, and start again."
            ) from error
        raise JournalUnavailable(
            f"The journal {path} cannot be used ({code or error}); it must be a file that this user may write."
        ) from error


def _size(one: NewDelivery) -> int:
    """Bytes that a delivery takes while it waits: its body, and what that is read by."""
    return len(one.body) + (0 if one.reader is None or one.reader.mapping is None else len(one.reader.mapping))


class Journal:
    """A connection to the journal of this machine. A context manager; for one thread at a time.

    What a call wrote is on disk when it returns (WAL, synchronous=FULL). Several processes may use the file.
    """

    def __init__(self, folder: Path) -> None:
        """Open the journal, or make it where there is none.

        Raises:
            JournalFull, JournalCorrupt, JournalUnavailable: it cannot be used.
        """
        self.path = folder / FILE
        with journal_errors(self.path):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
            # From here on only `_begin` waits for others: in this mode nothing else does.
            self._db.execute("PRAGMA busy_timeout = 0")
        self.id = self.row("SELECT value FROM meta WHERE key = 'id'")[0]

    def _prepare(self) -> None:
        if not self._db.execute("PRAGMA schema_version").fetchone()[0]:
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        # What is deleted is overwritten: bodies and dead letters hold what people may want to be erased.
        self._db.execute("PRAGMA secure_delete = ON")
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            error = sqlite3.DatabaseError(found)
            error.sqlite_errorname = "SQLITE_CORRUPT"
            raise error
        self._db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            self._db.execute(statement)
        known = {row[1] for row in self._db.execute("PRAGMA table_info(deliveries)")}
        for column in _ADDED:
            if column not in known:
                self._db.execute(f"ALTER TABLE deliveries ADD COLUMN {column} TEXT")
        self._db.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (secrets.token_hex(8),))
        self._db.execute("COMMIT")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Change the journal in one transaction, which is on disk afterwards."""
        with journal_errors(self.path):
            self._begin()
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _begin(self) -> None:
        """Wait until no other connection writes. SQLite's own waiting sleeps up to 100 ms at a time."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                    raise
            time.sleep(BUSY_WAIT_SECONDS)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Read rows."""
        with journal_errors(self.path):
            return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Read one row; None where there is none."""
        with journal_errors(self.path):
            return self._db.execute(statement, values).fetchone()

    # --- deliveries ---------------------------------------------------------------------------------------------

    def append(self, deliveries: Sequence[NewDelivery], used: Sequence[SecretUse] = ()) -> list[Receipt]:
        """Journal deliveries in this order, all with one sync of the disk; those that are there already stay as is.

        Returns:
            Of each delivery what is journaled under its id: this one, an equal one from before, or another one.
        """
        receipts = []
        with self.changing() as db:
            for one in deliveries:
                row = db.execute("SELECT seq, received_at, digest FROM deliveries WHERE id = ?", (one.id,)).fetchone()
                if row is None:
                    row = (self._insert(db, one), one.received_at, one.digest)
                    self._bury(db, row[0], one.dead)
                    db.executemany("INSERT OR IGNORE INTO erasures VALUES (?, ?, ?, ?)", one.erasures)
                receipts.append(Receipt(row[0], row[1], row[2] == one.digest))
            db.executemany(
                "INSERT INTO used VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                [(one.source, one.secret, one.at) for one in used],
            )
        return receipts

    @staticmethod
    def _insert(db: sqlite3.Connection, one: NewDelivery, replay_of: str | None = None) -> int:
        """Journal a delivery and return its sequence."""
        done = db.execute(
            "INSERT INTO deliveries (id, source, network, webhook_id, digest, token, received_at, events, size, body, "
            "state, replay_of, platform, mapping) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'journaled', ?, ?, ?)",
            (
                one.id, one.source, one.network, one.webhook_id, one.digest, secrets.token_hex(8), one.received_at,
                one.events, _size(one), one.body, replay_of, *(one.reader or (None, None)),
            ),
        )  # fmt: skip
        return int(done.lastrowid or 0)

    @staticmethod
    def _bury(db: sqlite3.Connection, sequence: int, dead: Sequence[NewDead]) -> None:
        """Keep dead letters of a delivery; those that are there already stay as they are."""
        db.executemany(
            "INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?, ?, NULL)",
            [(sequence, item.position, item.code, item.message, item.event) for item in dead],
        )

    def pending(self, most_events: int, most_bytes: int, after: int = 0) -> list[PendingDelivery]:
        """Return deliveries beyond a sequence that are not in the graph yet, in order: no more than so much at once.

        At least one, where there is any.
        """
        rows = self.rows(
            "SELECT seq, size, events FROM deliveries WHERE state = 'journaled' AND seq > ? ORDER BY seq LIMIT ?",
            (after, most_events),
        )
        events = size = last = 0
        for seq, one_size, one_events in rows:
            events, size = events + one_events, size + one_size
            if last and (events > most_events or size > most_bytes):
                break
            last = seq
        found = self.rows(
            "SELECT seq, token, source, network, received_at, body, platform, mapping FROM deliveries "
            "WHERE state = 'journaled' AND seq > ? AND seq <= ? ORDER BY seq",
            (after, last),
        )
        return [
            PendingDelivery(
                seq, token, source, network, received_at, body, None if platform is None else Reader(platform, mapping)
            )
            for seq, token, source, network, received_at, body, platform, mapping in found
        ]

    def settle(self, settled: Sequence[Settled], version: int | None) -> None:
        """Note what became of deliveries: they are applied, or dead; of their bodies nothing is kept but dead items."""
        now = now_ms()
        for start in range(0, len(settled), SETTLED_AT_ONCE):
            self._settle(settled[start : start + SETTLED_AT_ONCE], version, now)

    def _settle(self, settled: Sequence[Settled], version: int | None, now: int) -> None:
        with self.changing() as db:
            for one in settled:
                db.execute(
                    "UPDATE deliveries SET state = ?, settled_at = ?, version = ?, body = NULL, mapping = NULL "
                    "WHERE seq = ?",
                    (one.state, now, version, one.seq),
                )
                self._bury(db, one.seq, one.dead)

    def settle_up_to(self, mark: JournalMark) -> int | None:
        """Note as applied what the graph says is, after a crash between the two; return how many deliveries that were.

        None where the journal does not know the delivery that the graph names: then it was put back to an earlier
        state, and what is pending has to be applied, which changes nothing that was before.
        """
        row = self.row("SELECT token FROM deliveries WHERE seq = ?", (mark.applied,))
        if row is None or row[0] != mark.token:
            return None
        found = self.rows("SELECT seq FROM deliveries WHERE state = 'journaled' AND seq <= ?", (mark.applied,))
        self.settle([Settled(seq, "applied") for (seq,) in found], None)
        return len(found)

    def applied_up_to(self) -> int:
        """Return the sequence up to which every delivery is in the graph, or dead."""
        row = self.row("SELECT min(seq) FROM deliveries WHERE state = 'journaled'")
        if row[0] is not None:
            return int(row[0]) - 1
        return self._sequence()

    def _sequence(self) -> int:
        """The sequence of the latest delivery that ever was."""
        return int(self.row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deliveries'")[0])

    def pending_bytes(self) -> int:
        """Return how many bytes of bodies wait for the graph: what `size` says of it, read from an index alone."""
        return int(self.row("SELECT coalesce(sum(size), 0) FROM deliveries WHERE state = 'journaled'")[0])

    def size(self) -> JournalSize:
        """Return how much is journaled."""
        deliveries, events, size = self.row(
            "SELECT count(*), coalesce(sum(events), 0), coalesce(sum(size), 0) FROM deliveries "
            "WHERE state = 'journaled'"
        )
        oldest = self.row("SELECT received_at FROM deliveries WHERE state = 'journaled' ORDER BY seq LIMIT 1")
        dead = self.row("SELECT count(*) FROM dead WHERE replayed_in IS NULL")[0]
        with journal_errors(self.path):
            files = sum(one.stat().st_size for one in self.path.parent.glob(f"{FILE}*"))
        return JournalSize(
            deliveries=deliveries,
            events=events,
            bytes=size,
            oldest_received_at=None if oldest is None else oldest[0],
            dead_letters=dead,
            sequence=self._sequence(),
            applied_up_to=self.applied_up_to(),
            file_bytes=files,
        )

    def delivery(self, delivery_id: str) -> Delivery:
        """Return a delivery and what became of it. Raises DeliveryNotFound."""
        row = self.row(f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?", (delivery_id,))  # noqa: S608 - a constant
        if row is None:
            raise DeliveryNotFound(
                f"There is no delivery {delivery_id[:80]}; outcomes are kept for {KEPT_DAYS} days, dead letters for "
                f"{KEPT_DEAD_DAYS}."
            )
        return self._delivery(row)

    def deliveries(
        self,
        state: DeliveryState | None,
        source: str | None,
        before: int | None,
        limit: int,
        *,
        with_dead_letters: bool = False,
    ) -> list[Delivery]:
        """Return deliveries, latest first, of a state or source, with a sequence below `before` where it is said.

        With `with_dead_letters` only those that have some which were not replayed.
        """
        rows = self.rows(
            f"SELECT {_COLUMNS} FROM deliveries WHERE seq < ? AND (? IS NULL OR source = ?) "  # noqa: S608
            "AND (? IS NULL OR state = ?) AND (? OR seq IN (SELECT seq FROM dead WHERE replayed_in IS NULL)) "
            "ORDER BY seq DESC LIMIT ?",
            (_ALL if before is None else before, source, source, state, state, not with_dead_letters, limit),
        )
        return [self._delivery(row) for row in rows]

    def _delivery(self, row: Sequence[Any]) -> Delivery:
        seq, delivery_id, source, webhook_id, received_at, events, state, settled_at, version, replay_of = row
        dead = self.rows(
            "SELECT position, code, message, event, replayed_in FROM dead WHERE seq = ? ORDER BY position", (seq,)
        )
        return Delivery.of(
            delivery_id, seq, source, webhook_id, state, received_at, events, settled_at, version, replay_of,
            [DeadItem(*one) for one in dead],
        )  # fmt: skip

    def dead_letters(self) -> Iterator[tuple[str, str, str | None, int, DeadItem]]:
        """Yield all dead letters, also those that were replayed, in order, reading ten deliveries at a time.

        Of each the id of its delivery, source, network of the source, when it came (ms since 1970 UTC), and itself.
        """
        after = -1
        while rows := self.rows(
            "SELECT x.seq, d.id, d.source, d.network, d.received_at, x.position, x.code, x.message, x.event, "
            "x.replayed_in FROM dead x JOIN deliveries d ON d.seq = x.seq WHERE x.seq IN "
            "(SELECT DISTINCT seq FROM dead WHERE seq > ? ORDER BY seq LIMIT 10) ORDER BY x.seq, x.position",
            (after,),
        ):
            for _, delivery, source, network, received_at, *item in rows:
                yield delivery, source, network, received_at, DeadItem(*item)
            after = rows[-1][0]

    def dead_deliveries(self, since: int, until: int, source: str | None) -> list[str]:
        """Return ids of deliveries with dead letters to replay, in order, by when they came (ms since 1970 UTC)."""
        rows = self.rows(
            "SELECT DISTINCT d.seq, d.id FROM deliveries d JOIN dead x ON x.seq = d.seq WHERE x.replayed_in IS NULL "
            "AND d.received_at >= ? AND d.received_at < ? AND (? IS NULL OR d.source = ?) ORDER BY d.seq",
            (since, until, source, source),
        )
        return [row[1] for row in rows]

    def replay(self, delivery_id: str, readers: Mapping[str, Reader | None]) -> Again | None:
        """Journal the dead letters of a delivery again, as a delivery of its own.

        Args:
            delivery_id: the delivery.
            readers: by what each source's deliveries are read now; one that is gone is read as it was then.

        Returns:
            The new delivery; None where no dead letter is left.

        Raises:
            DeliveryNotFound: there is no such delivery.
        """
        original = self.delivery(delivery_id)
        with self.changing() as db:
            rows = db.execute(
                "SELECT position, event FROM dead WHERE seq = ? AND replayed_in IS NULL ORDER BY position",
                (original.sequence,),
            ).fetchall()
            if not rows:
                return None
            network, platform, mapping = db.execute(
                "SELECT network, platform, mapping FROM deliveries WHERE id = ?", (delivery_id,)
            ).fetchone()
            then = None if platform is None else Reader(platform, mapping)
            again = NewDelivery(
                id=f"r{secrets.token_hex(10)}",
                source=original.source,
                network=network,
                webhook_id=original.webhook_id,
                digest=secrets.token_bytes(32),
                # An event without a time keeps the one at which it came first.
                received_at=int(original.received_at.timestamp() * 1000),
                events=len(rows),
                body=f"[{','.join(event for _, event in rows)}]".encode(),
                reader=readers.get(original.source, then),
            )
            seq = self._insert(db, again, delivery_id)
            db.execute(
                "UPDATE dead SET replayed_in = ? WHERE seq = ? AND replayed_in IS NULL", (again.id, original.sequence)
            )
        return Again(again.id, seq, len(rows))

    def compact(self, now: int | None = None) -> int:
        """Forget outcomes that are old enough, and give their room back; return how many.

        The latest delivery stays: by it the graph's mark is recognised after a crash.
        """
        now = now_ms() if now is None else now
        with self.changing() as db:
            db.execute(
                "DELETE FROM dead WHERE seq IN (SELECT seq FROM deliveries WHERE settled_at < ?)",
                (now - KEPT_DEAD_DAYS * DAY_MS,),
            )
            gone = db.execute(
                "DELETE FROM deliveries WHERE settled_at < ? AND seq NOT IN (SELECT seq FROM dead) "
                "AND seq < (SELECT max(seq) FROM deliveries WHERE settled_at IS NOT NULL)",
                (now - KEPT_DAYS * DAY_MS,),
            ).rowcount
            db.execute("DELETE FROM imports WHERE ended_at < ?", (now - KEPT_IMPORTS_DAYS * DAY_MS,))
        with journal_errors(self.path):
            # As a script: a statement without columns is only begun by execute(), and would free one page.
            self._db.executescript("PRAGMA incremental_vacuum;")
        return gone

    # --- erasures ---------------------------------------------------------------------------------------------------

    def ask_erasure(self, request: ErasureRequest) -> None:
        """Note that somebody is to be erased; asked before, nothing changes."""
        with self.changing() as db:
            db.execute("INSERT OR IGNORE INTO erasures VALUES (?, ?, ?, ?)", request)

    def erasures(self) -> list[ErasureRequest]:
        """Return who is to be erased and is not yet."""
        return [ErasureRequest(*row) for row in self.rows("SELECT id, key, handle, asked_at FROM erasures ORDER BY id")]

    def dead_letters_after(
        self, after: tuple[int, int], most: int
    ) -> list[tuple[int, int, str | None, str | None, str, str]]:
        """Return dead letters beyond one, in order.

        Of each sequence, position, network of the source, platform (None: events of ours), message, event.
        """
        return self.rows(
            "SELECT x.seq, x.position, d.network, d.platform, x.message, x.event FROM dead x "
            "LEFT JOIN deliveries d ON d.seq = x.seq WHERE (x.seq, x.position) > (?, ?) "
            "ORDER BY x.seq, x.position LIMIT ?",
            (*after, most),
        )

    def rewrite_dead(self, seq: int, position: int, message: str | None, event: str | None) -> None:
        """Replace a dead letter, or remove it where there is nothing to put in its place."""
        with self.changing() as db:
            if event is None:
                db.execute("DELETE FROM dead WHERE seq = ? AND position = ?", (seq, position))
            else:
                values = (message, event, seq, position)
                db.execute("UPDATE dead SET message = ?, event = ? WHERE seq = ? AND position = ?", values)

    def forget_erasures(self, ids: Sequence[str]) -> None:
        """Forget who was to be erased, and leave nothing of what was deleted in the journal's files.

        Raises:
            JournalUnavailable: another connection reads all the time, so that the write-ahead log cannot be emptied.
        """
        with self.changing() as db:
            db.executemany("DELETE FROM erasures WHERE id = ?", [(one,) for one in ids])
        self.truncate()

    def truncate(self) -> None:
        """Empty the write-ahead log, in which deleted content stands until it is written over.

        Raises:
            JournalUnavailable: another connection is in the way for too long.
        """
        deadline = time.monotonic() + BUSY_SECONDS
        with journal_errors(self.path):
            while self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise JournalUnavailable(
                        f"The journal {self.path} is read all the time; its log cannot be emptied."
                    )
                time.sleep(BUSY_WAIT_SECONDS)

    # --- the copy of sources, and of the keys of the API -----------------------------------------------------------

    def sources(self) -> dict[str, str]:
        """Return the documents of the sources by name, as they were when Neo4j last told."""
        return dict(self.rows("SELECT name, document FROM sources"))

    def keys(self) -> dict[str, str]:
        """Return the documents of the API's keys by id, as they were when Neo4j last told."""
        return dict(self.rows("SELECT id, document FROM keys"))

    def keep_sources(self, read: Callable[[], dict[str, str]]) -> None:
        """Replace the copy of the sources by what `read` returns; nothing is written where it is the same."""
        self._keep("sources", self.sources, read)

    def keep_keys(self, read: Callable[[], dict[str, str]]) -> None:
        """Replace the copy of the keys by what `read` returns; nothing is written where it is the same."""
        self._keep("keys", self.keys, read)

    def _keep(
        self, table: Literal["sources", "keys"], known: Callable[[], dict[str, str]], read: Callable[[], dict[str, str]]
    ) -> None:
        """Replace a copy by what `read` returns, read again where somebody else replaced it meanwhile.

        Else what was read before a key was revoked could be written after it, and the key would live again for a while.
        """
        while True:
            before = self._copies()
            documents = read()
            with self.changing() as db:
                if self._copies() == before:
                    if documents != known():
                        db.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two names
                        db.executemany(f"INSERT INTO {table} VALUES (?, ?)", sorted(documents.items()))  # noqa: S608
                        db.execute("INSERT OR REPLACE INTO meta VALUES ('copies', ?)", (str(before + 1),))
                    return

    def _copies(self) -> int:
        """How often a copy was replaced."""
        row = self.row("SELECT value FROM meta WHERE key = 'copies'")
        return 0 if row is None else int(row[0])

    def take_used(self) -> list[SecretUse]:
        """Return when secrets were last used, since this was last asked, and forget it."""
        if not self.rows("SELECT 1 FROM used LIMIT 1"):
            return []
        with self.changing() as db:
            rows = db.execute("DELETE FROM used RETURNING source, secret, at").fetchall()
        return sorted(SecretUse(*row) for row in rows)

    def note_used_keys(self, uses: Sequence[KeyUse]) -> None:
        """Note when keys were last used."""
        with self.changing() as db:
            db.executemany(
                "INSERT INTO used_keys VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", uses
            )

    def take_used_keys(self) -> list[KeyUse]:
        """Return when keys were last used, since this was last asked, and forget it."""
        if not self.rows("SELECT 1 FROM used_keys LIMIT 1"):
            return []
        with self.changing() as db:
            rows = db.execute("DELETE FROM used_keys RETURNING id, at").fetchall()
        return sorted(KeyUse(*row) for row in rows)
