"""The journal where the disk fails it: refused with a clear error, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.domain import DAY_MS, JournalMark, NewDead, NewDelivery, Receipt, SecretUse, Settled
from service.errors import (
    DeliveryNotFound,
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalFull,
    JournalUnavailable,
)
from service.journal.committer import Committer
from service.journal.journal import FILE, KEPT_DAYS, KEPT_DEAD_DAYS, Journal, now_ms

MIB = 1 << 20


def delivery(name: str, body: bytes = b"{}", dead: tuple[NewDead, ...] = ()) -> NewDelivery:
    return NewDelivery(f"d{name}", "s", "t", name, hashlib.sha256(body).digest(), now_ms(), 1, body, dead)


def use(name: str = "s", at: int = 0) -> SecretUse:
    return SecretUse(name, "x", at)


def appended(folder: Path, deliveries: list[NewDelivery], **bounds: int) -> list[Receipt | JournalError]:
    """Hand all of them to a committer at the same time."""

    async def work() -> Any:
        committer = Committer(folder, **{"most_bytes": 100 * MIB, "least_free_bytes": 0, **bounds})
        done = await asyncio.gather(*(committer.append(one, use()) for one in deliveries), return_exceptions=True)
        await asyncio.to_thread(committer.close)
        return done

    found: list[Receipt | JournalError] = asyncio.run(work())
    return found


def test_requests_share_commits_and_each_has_its_own_place(tmp_path: Path) -> None:
    receipts = appended(tmp_path, [delivery(str(i)) for i in range(500)])
    assert sorted(one.sequence for one in receipts if isinstance(one, Receipt)) == list(range(1, 501))
    with Journal(tmp_path) as journal:
        assert [one.sequence for one in journal.pending(1_000, MIB)] == list(range(1, 501))


def test_the_same_delivery_at_the_same_time_is_journaled_once(tmp_path: Path) -> None:
    receipts = appended(tmp_path, [delivery("1", b"a"), delivery("1", b"a"), delivery("1", b"b")])
    assert [(one.sequence, one.same_body) for one in receipts if isinstance(one, Receipt)] == [
        (1, True), (1, True), (1, False),
    ]  # fmt: skip


def test_too_much_that_waits_and_too_little_room_are_refused(tmp_path: Path) -> None:
    assert isinstance(appended(tmp_path, [delivery("1", b"x" * MIB)], most_bytes=1000)[0], Receipt)
    assert isinstance(appended(tmp_path, [delivery("2")], most_bytes=1000)[0], JournalBusy)
    assert isinstance(appended(tmp_path, [delivery("2")], least_free_bytes=2**60)[0], JournalFull)
    with Journal(tmp_path) as journal:
        assert journal.size().deliveries == 1


FILLING = """
import asyncio, resource, sys
from pathlib import Path
from service.errors import JournalError
from service.journal.committer import Committer
from tests.faults.test_journal import MIB, delivery, use

# Writes beyond this fail, as on a device without room.
resource.setrlimit(resource.RLIMIT_FSIZE, (3 * MIB, 3 * MIB))

async def fill():
    committer = Committer(Path(sys.argv[1]), most_bytes=100 * MIB, least_free_bytes=0)
    refused = 0
    for i in range(100):
        try:
            await committer.append(delivery(str(i), b"x" * 100_000), use())
            print(i, flush=True)
        except JournalError as error:
            refused += 1
            print(error.code, error.message, file=sys.stderr)
    assert refused > 10
    await asyncio.to_thread(committer.close)

asyncio.run(fill())
"""


def test_where_the_device_is_full_nothing_is_acknowledged_and_nothing_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path)], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acknowledged = {f"{line}" for line in done.stdout.split()}
    assert len(acknowledged) > 5
    assert set(done.stderr.split()) & {"journal_full", "journal_unavailable"}
    with Journal(tmp_path) as journal:
        kept = {one.webhook_id for one in journal.deliveries(None, None, 2**62, 1_000)}
        assert acknowledged <= kept
        assert isinstance(journal.append([delivery("after")])[0], Receipt), "room again: it goes on"


def test_a_journal_that_cannot_be_written_is_refused_and_works_again_later(tmp_path: Path) -> None:
    async def work() -> None:
        committer = Committer(tmp_path / "j", most_bytes=MIB, least_free_bytes=0)
        assert (await committer.append(delivery("1"), use())).sequence == 1
        assert committer._journal is not None
        committer._journal._db.execute("PRAGMA query_only = 1")
        with pytest.raises(JournalUnavailable, match="READONLY"):
            await committer.append(delivery("2"), use())
        assert (await committer.append(delivery("2"), use())).sequence == 2, "it was opened anew"
        await asyncio.to_thread(committer.close)

    asyncio.run(work())
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalUnavailable, match="file"):
        Journal(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the test before this one does the same")
def test_a_folder_without_rights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir(mode=0o500)
    with pytest.raises(JournalUnavailable):
        Journal(tmp_path / "j")


@pytest.mark.parametrize("damage", ["header", "pages", "text"])
def test_a_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    with Journal(tmp_path) as journal:
        journal.append([delivery(str(i), b"x" * 2_000) for i in range(200)])
    path = tmp_path / FILE
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:100] = b"\0" * 100
    elif damage == "pages":
        content[4096 : len(content) // 2] = os.urandom(len(content) // 2 - 4096)
    else:
        content = bytearray(b"this is no database" * 1_000)
    path.write_bytes(content)
    with pytest.raises(JournalCorrupt, match="damaged"):
        Journal(tmp_path)
    [refused] = appended(tmp_path, [delivery("new")])
    assert isinstance(refused, JournalCorrupt)
    assert path.read_bytes() == bytes(content)


def test_outcomes_are_kept_for_a_week_and_dead_letters_for_a_month(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        bad = (NewDead(0, "bad_id", "No.", '"x"'),)
        journal.append([delivery("old"), delivery("dead", dead=bad), delivery("last"), delivery("waits")])
        journal.settle([Settled(1, "applied"), Settled(2, "applied"), Settled(3, "applied")], 5)

        def kept(days: float) -> list[str]:
            journal.compact(now_ms() + int(days * DAY_MS))
            return [one.webhook_id for one in journal.deliveries(None, None, 99, 99)]

        assert kept(KEPT_DAYS - 0.1) == ["waits", "last", "dead", "old"]
        assert kept(KEPT_DAYS + 0.1) == ["waits", "last", "dead"], "the latest stays for the graph's mark"
        assert kept(KEPT_DEAD_DAYS + 0.1) == ["waits", "last"]
        with pytest.raises(DeliveryNotFound):
            journal.delivery("dold")
        assert journal.applied_up_to() == 3
        assert journal.append([delivery("new")])[0].sequence == 5, "sequences are never given twice"


def test_room_of_applied_bodies_is_given_back(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for start in range(0, 100, 20):
            journal.append([delivery(str(i), os.urandom(100_000)) for i in range(start, start + 20)])
        assert journal.size().file_bytes > 8 * MIB
        journal.settle([Settled(i + 1, "applied") for i in range(100)], 1)
        journal.compact()
        journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert journal.size().file_bytes < MIB


def test_the_mark_of_the_graph_settles_what_it_covers(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append([delivery(str(i)) for i in range(5)])
        third = journal.pending(3, MIB)[2]
        assert journal.settle_up_to(JournalMark(journal.id, third.sequence, "another")) is None
        assert journal.applied_up_to() == 0
        assert journal.settle_up_to(JournalMark(journal.id, third.sequence, third.token)) == 3
        assert journal.applied_up_to() == 3
        assert [one.sequence for one in journal.pending(10, MIB)] == [4, 5]


def test_a_group_ends_by_events_and_by_bytes(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append([delivery(str(i), json.dumps("x" * 1_000).encode()) for i in range(10)])
        assert len(journal.pending(4, MIB)) == 4
        assert len(journal.pending(100, 3_100)) == 3
        assert len(journal.pending(1, 1)) == 1, "one at least"


def test_limits_of_this_process_are_untouched() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
