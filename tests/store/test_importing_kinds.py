"""Imports of every kind of lines into a real graph: files and folders, checks, customer lists, real data."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.domain import Follow, no_progress
from service.errors import NothingImported, UnreadableFile
from service.files.follows import FollowFile
from service.files.records import RecordFile
from service.files.schemas import SCHEMAS
from service.flows import importing
from service.flows.importing import FolderReport, ImportReport, import_file, import_folder
from service.sample import make_sample
from service.sample_files import write_sample
from service.store.changes import apply_batch
from service.store.driver import Store
from tests.conftest import clear
from tests.store.graph_dump import dump, graph_version

Load = Callable[..., ImportReport]


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    """Import text as a file of a kind; every line is accounted for in the report."""

    def run(kind: str, content: str, *, check: bool = False, **options: Any) -> ImportReport:
        path = tmp_path / f"{kind}.file"
        path.write_text(content, encoding="utf-8")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        file = RecordFile(path, kind, **options)
        report = import_file(store.address, file, tmp_path / "imports", no_progress, check=check)
        accounted(report)
        return report

    return run


def accounted(report: ImportReport) -> None:
    assert report.lines == report.used + sum(report.skipped.values()) + sum(report.rejected.values())
    assert report.used == report.created + report.updated + report.unchanged
    assert min(report.created, report.updated, report.unchanged) >= 0
    said = [] if report.report is None else [json.loads(line) for line in report.report.read_text().splitlines()]
    assert Counter(one["reason"] for one in said) == report.rejected
    assert len({one["line"] for one in said}) == len(said)


@pytest.fixture(scope="module")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "out", 2_000, 5)


def test_a_folder_in_one_command_again_and_checked(
    store: Store, tmp_path: Path, sample_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 700)  # so that things of one batch are known in the next

    def run(*, check: bool = False) -> FolderReport:
        report = import_folder(store.address, sample_folder, tmp_path / "imports", no_progress, check=check)
        for file in report.files:
            accounted(file)
        assert (report.rejected, report.synthetic) == (0, True)
        assert [one.kind for one in report.files] == [
            one for one in SCHEMAS if one not in ("crm", "interaction_counts", "complete_followers")
        ]
        return report

    checked = run(check=True)
    assert dump(store) == []
    assert graph_version(store) == 0
    first = run()
    whole, version = dump(store), graph_version(store)
    # A check of an empty graph does not see what the files before would bring, but what nobody else brings is told.
    told = {one.kind: one.created for one in checked.files}
    for kind in ("follows", "unfollows", "brands", "mentions", "brand_relations", "persons", "endorsements"):
        assert told[kind] == next(one.created for one in first.files if one.kind == kind), kind
    assert checked.files[0].accounts_created == first.files[0].accounts_created
    for report in (run(), run(check=True)):
        assert {(one.accounts_created, one.created, one.updated) for one in report.files} == {(0, 0, 0)}
    assert (dump(store), graph_version(store)) == (whole, version)

    # What is in the graph is what was drawn, counted without our reader.
    sample = make_sample(2_000, 5)
    [counts] = store.statement(
        "RETURN COUNT { (:Account) } AS accounts, COUNT { ()-[:FOLLOWS]->() } AS follows, COUNT { (:Post) } AS posts, "
        "COUNT { ()-[:UNFOLLOWED]->() } AS unfollows, COUNT { ()-[:HAS]->() } AS has, "
        "COUNT { (:Account {opted_out: true}) } AS out, COUNT { ()-[:MENTIONS]->() } AS mentions, "
        "COUNT { ()-[:ACCOUNT_OF]->() } AS own, COUNT { ()-[:WITHDREW]->() } AS withdrew"
    )
    assert counts == {
        "accounts": sample.people.n, "follows": 2_000, "posts": len(sample.posts.at), "unfollows": 2_000 // 60,
        "has": sample.persons.size, "out": int(sample.people.opted_out.sum()),
        "mentions": int((sample.posts.brand >= 0).sum()), "own": 4,
        "withdrew": int(sample.endorsements.withdrawn.sum()),
    }  # fmt: skip
    acts = sample.interactions
    days = Counter(zip(acts.account.tolist(), acts.target.tolist(), (acts.at // 86_400).tolist(), strict=True))
    kinds = Counter(acts.kind.tolist())
    [engaged] = store.statement(
        "MATCH ()-[e:ENGAGED]->() RETURN count(e) AS edges, sum(e.likes) AS likes, sum(e.replies) AS replies, "
        "sum(e.mentions) AS mentions, sum(e.reposts) AS reposts, sum(reduce(s = 0, h IN e.hours | s + h)) AS hours, "
        "sum(size(e.events)) AS events"
    )
    assert list(engaged.values()) == [len(days), *(kinds[i] for i in range(4)), len(acts.at), len(acts.at)]
    [responded] = store.statement("MATCH ()-[r:RESPONDED]->() RETURN count(r) AS count")
    about = acts.post >= 0
    columns = (acts.account[about], acts.post[about], acts.kind[about], acts.at[about])
    assert responded["count"] == len(set(zip(*(one.tolist() for one in columns), strict=True)))


def test_a_check_of_one_file_says_what_its_import_then_does(load: Load, store: Store) -> None:
    load("accounts", "account,handle\n1,a\n2,b\n")
    content = "account,handle,followers\n1,a,\n2,B,7\n3,c,\n2,,9\nx,c\n,d,1\n"
    said = load("accounts", content, check=True, as_of=1_700_500_000_000)
    whole = dump(store)
    assert (said.accounts_created, said.created, said.version) == (2, 2, None)
    done = load("accounts", content, as_of=1_700_500_000_000)
    assert dump(store) != whole
    for field in ("lines", "used", "rejected", "accounts_created", "created", "updated", "unchanged"):
        assert getattr(said, field) == getattr(done, field), field
    unfollows = "follower,followee,at\n1,2,\n2,9,\n1,7,6\n1,7,4\n"
    load("unfollows", "follower,followee,at\n1,7,5\n")
    said, done = load("unfollows", unfollows, check=True), load("unfollows", unfollows)
    assert (said.created, said.updated) == (done.created, done.updated) == (2, 1)


def test_lines_about_complete_lists_count_the_follows_that_they_end(load: Load, store: Store) -> None:
    pairs = {("1", "2"): 5_000, ("3", "2"): None, ("4", "2"): 90_000, ("1", "5"): 5_000}
    apply_batch(store, "follows", [Follow(f"local:{a}", f"local:{b}", at=at) for (a, b), at in pairs.items()])
    lines = "account,at\n2,80\n2,90\n9,90\n"
    for check in (True, False):
        report = load("complete_followers", lines, check=check)
        assert (report.created, report.also_created) == (2, {"unfollows": 2})
    assert load("complete_followers", lines).also_created == {}


def test_follows_are_checked_too(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "follows.csv"
    path.write_text("from,to,w\na,b,1\nb,c,1\na,b,2\n")
    file = FollowFile(path, weight_column="w")
    said = import_file(store.address, file, tmp_path, no_progress, check=True)
    assert dump(store) == []
    done = import_file(store.address, file, tmp_path, no_progress)
    assert (said.accounts_created, said.created) == (done.accounts_created, done.created) == (3, 2)
    path.write_text("from,to,w\na,b,5\nb,c,1\nc,d,1\n")
    said = import_file(store.address, file, tmp_path, no_progress, check=True)
    done = import_file(store.address, file, tmp_path, no_progress)
    assert (said.accounts_created, said.created, said.updated) == (1, 1, 1)
    assert (done.accounts_created, done.created, done.updated) == (1, 1, 1)


def test_customers_are_matched_and_never_made(load: Load, store: Store, tmp_path: Path) -> None:
    load("accounts", "account,handle,email\n1,Lea.Martin,lea@example.org\n2,twin,\n3,Twin,\n", network="m")
    before = store.statement("MATCH (a:Account) RETURN count(a) AS count")
    lines = (
        "handle,email,since\n@lea.martin,,2024-01-01\nhttps://m.example/@LEA.MARTIN,,\n,LEA@example.org ,\nnobody,,\n"
        "twin,,\nnobody,nobody@example.org,\n,not an address,\n,,2024-01-01\n"
    )
    report = load("crm", lines, network="m", values={"brand": "aubade", "relation": "customer"})
    assert report.rejected == {"no_match": 2, "ambiguous_match": 1, "bad_email": 1, "missing_field": 1}
    assert (report.used, report.created, report.accounts_created) == (3, 1, 0)
    assert store.statement("MATCH (a:Account) RETURN count(a) AS count") == before
    assert store.statement("MATCH (a)-[r:CUSTOMER_OF]->(b) RETURN a.key AS a, b.key AS b, r.since.year AS year") == [
        {"a": "m:1", "b": "aubade", "year": 2024}
    ]
    assert not any("example.org" in repr(one) for one in dump(store)), "of an address only its digest is kept"
    with pytest.raises(NothingImported, match="1 no_match"):
        load("crm", "handle\nnobody\n", values={"brand": "aubade", "relation": "user"})


def test_opt_outs_and_accounts_in_any_order(load: Load, store: Store) -> None:
    files = [
        ("opt_outs", "account,at\n1,2025-01-02\n"),
        ("opt_outs", "account,at,opted_out\n1,2025-01-01,false\n2,2025-01-03,false\n"),
        ("accounts", "account,handle,as_of\n1,old,2024-01-01\n2,b,\n"),
        ("accounts", "account,handle,as_of\n1,new,2024-05-01\n"),
    ]
    found = []
    for order in (files, files[::-1]):
        clear(store)
        for kind, content in order:
            load(kind, content)
        found.append(dump(store))
        rows = store.statement("MATCH (a:Account) RETURN a.key AS k, a.handle AS h, a.opted_out AS o ORDER BY k")
        assert [tuple(row.values()) for row in rows] == [("local:1", "new", True), ("local:2", "b", False)]
    assert found[0] == found[1]


def test_a_copy_of_a_file_changes_nothing(load: Load, store: Store, tmp_path: Path) -> None:
    content = "account,handle,bio\n1,a,x\n2,b,\n"
    load("accounts", content)
    whole, version = dump(store), graph_version(store)
    copy = tmp_path / "copy.csv"
    copy.write_text(content)  # written now, the first one in 2023
    report = import_file(store.address, RecordFile(copy, "accounts"), tmp_path, no_progress)
    assert (report.unchanged, report.updated) == (2, 0)
    assert (dump(store), graph_version(store)) == (whole, version)
    copy.write_text("account,handle\n1,c\n")
    assert import_file(store.address, RecordFile(copy, "accounts"), tmp_path, no_progress).updated == 1
    load("accounts", content)
    assert store.statement("MATCH (a:Account {key: 'local:1'}) RETURN a.handle AS h") == [{"h": "c"}], "older says less"


def test_a_folder_stops_at_a_file_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.csv").write_text("account\n1\n")
    (folder / "b.csv").write_text("nonsense\n1\n")
    (folder / "none.csv").write_text("account,at\n,2024-01-01\n")
    listed = [{"file": "b.csv", "kind": "posts"}, {"file": "a.csv", "kind": "accounts"}]
    (folder / "manifest.json").write_text(json.dumps({"entourage_import": 1, "files": listed}))
    with pytest.raises(UnreadableFile, match=r"b\.csv has no column for post.*nonsense"):
        import_folder(store.address, folder, tmp_path / "imports", no_progress)
    assert len(dump(store)) == 0, "each is opened before the first is imported"
    listed = [{"file": "none.csv", "kind": "opt_outs"}, {"file": "a.csv", "kind": "accounts"}]
    (folder / "manifest.json").write_text(json.dumps({"entourage_import": 1, "files": listed}))
    report = import_folder(store.address, folder / "manifest.json", tmp_path / "imports", no_progress)
    assert [one.rejected for one in report.files] == [{}, {"empty_id": 1}] or report.rejected == 1


# --- real data ---------------------------------------------------------------------------------------------------


def test_messages_are_interactions(store: Store, tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    rows = [line.split() for line in shared_data("collegemsg/CollegeMsg.txt").read_text().splitlines()]
    path = tmp_path / "messages.csv"
    lines = [f"{i},{a},{b},{t}\n" for i, (a, b, t) in enumerate(rows)]
    path.write_text("id,account,target,at\n" + "".join(lines))
    file = RecordFile(path, "interactions", network="c", values={"kind": "reply"})
    report = import_file(store.address, file, tmp_path / "imports", no_progress)
    accounted(report)
    expected = Counter((f"c:{a}", f"c:{b}", datetime.fromtimestamp(int(t), UTC).date()) for a, b, t in rows)
    found = store.statement(
        "MATCH (a)-[e:ENGAGED]->(b) RETURN a.key AS a, b.key AS b, e.day AS day, e.replies AS count"
    )
    assert {(row["a"], row["b"], row["day"].to_native()): row["count"] for row in found} == expected
    assert sum(expected.values()) == 59_835
    hours = Counter(int(t) // 3600 % 24 for _, _, t in rows)
    [total] = store.statement(
        "MATCH ()-[e:ENGAGED]->() UNWIND range(0, 23) AS h WITH h, sum(e.hours[h]) AS count ORDER BY h "
        "RETURN collect(count) AS hours"
    )
    assert total["hours"] == [hours[hour] for hour in range(24)]


def test_post_times_of_congress(store: Store, tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    """Ids beyond 2^53 keep every digit, and hold the time of the post, to compare with."""
    with (shared_data("congress117-twitter") / "tweet_ids.csv").open(newline="") as lines:
        ids = [cell for row in csv.reader(lines) for cell in row if cell.isdigit() and len(cell) > 15][:30_000]
    assert len(ids) == 30_000
    path = tmp_path / "posts.csv"
    milliseconds = {one: (int(one) >> 22) + 1_288_834_974_657 for one in ids}
    path.write_text("post,at\n" + "".join(f"{one},{at}\n" for one, at in milliseconds.items()))
    report = import_file(store.address, RecordFile(path, "posts", network="twitter"), tmp_path, no_progress)
    assert report.created == len(set(ids))
    found = store.statement("MATCH (p:Post) RETURN p.key AS key, p.at.epochMillis AS at")
    assert {row["key"]: row["at"] for row in found} == {f"twitter:{one}": at for one, at in milliseconds.items()}


# --- memory ------------------------------------------------------------------------------------------------------

IMPORT_MANY = """
import json, os, resource, sys, threading
from pathlib import Path
from pydantic import SecretStr
from service.domain import StoreAddress
from service.files.records import RecordFile
from service.flows.importing import import_file
given = json.loads(sys.stdin.read())
pipe, lines = Path(given["pipe"]), given["lines"]
os.mkfifo(pipe)
def feed():
    with pipe.open("w") as end:
        end.write("account,handle,bio,as_of\\n")
        for i in range(lines):
            end.write(f"{i % 500},name{i % 500},of {i % 500},2025-01-01\\n" if i % 10 else "bad,,,soon\\n")
threading.Thread(target=feed, daemon=True).start()
early = []
def progress(stage, done, total):
    early.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
address = StoreAddress(given["uri"], given["user"], SecretStr(given["password"]), given["database"])
report = import_file(address, RecordFile(pipe, "accounts"), Path(given["reports"]), progress)
# The first batches warm everything up: caches of the driver, pools of the allocator.
print(report.used, early[-1] - early[len(early) // 3])
"""


def import_many(store: Store, lines: int, folder: Path) -> None:
    address = store.address
    given = {
        "uri": address.uri, "user": address.user, "database": address.database, "lines": lines,
        "password": address.password.get_secret_value(), "pipe": str(folder / "pipe"), "reports": str(folder),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_MANY], input=json.dumps(given), text=True, capture_output=True, check=True
    )
    used, grown_kib = map(int, done.stdout.split())
    assert used == lines * 9 // 10
    assert grown_kib < 16 * 1024


def test_memory_does_not_grow_with_an_import(store: Store, tmp_path: Path) -> None:
    import_many(store, 150_000, tmp_path)


@pytest.mark.long
def test_memory_does_not_grow_with_an_import_long(store: Store, tmp_path: Path) -> None:
    import_many(store, 5_000_000, tmp_path)
