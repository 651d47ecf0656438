"""Lists of accounts, from the file as a platform gives it into a real graph: twice, in any order, cut off, checked."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.console import import_summary
from service.domain import Follow, no_progress
from service.errors import NothingImported, UnreadableFile
from service.files.account_lists import ListFile
from service.files.list_mapping import list_mapping
from service.flows import importing
from service.flows.importing import ImportReport, import_file, import_folder
from service.records import Statement
from service.store.changes import apply_batch
from service.store.driver import Store
from tests.conftest import clear
from tests.store.graph_dump import dump, edges, graph_version

WRITTEN = 1_700_000_000
AT = WRITTEN * 1000
LEA = "mastodon:https://mastodon.social/users/lea"
NOOR, TARIQ = "mastodon:https://a.example/users/noor", "mastodon:https://b.example/users/tariq"
FOLLOWERS = b"Account address\nnoor@a.example\ntariq@b.example\n"
CONNECTIONS = (
    b'Notes:\n"They may not all have addresses."\n\n'
    b"First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
    b"Noor,Weiss,https://www.linkedin.com/in/noor,,,,05 Mar 2023\n"
    b"Tariq,Blum,https://www.linkedin.com/in/tariq,,,,\n"
    b",,https://www.linkedin.com/in/lea,,,,\nZoe,Neri,,,,,01 Jan 2024\n"
)

Load = Callable[..., ImportReport]


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    """Import a list; every line is accounted for in the report."""

    def run(name: str, account: str, content: bytes, *, check: bool = False, **options: Any) -> ImportReport:
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content)
        os.utime(path, (WRITTEN, WRITTEN))
        file = ListFile(path, list_mapping(name, None), name, account, **options)
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


def told(report: ImportReport) -> tuple[Any, ...]:
    return report.accounts_created, report.created, report.updated, report.unchanged, report.also_created


def test_connections_end_to_end_checked_once_and_twice(store: Store, load: Load) -> None:
    def run(**options: Any) -> ImportReport:
        return load("linkedin_connections", "https://www.linkedin.com/in/lea", CONNECTIONS, **options)

    checked = run(check=True)
    assert (dump(store), graph_version(store)) == ([], 0)
    first = run()
    assert told(first) == told(checked) == (3, 2, 0, 0, {"accounts": 2, "follows_back": 2})
    assert (first.rejected, first.skipped) == (
        {"empty_id": 1, "self_loop": 1}, {"preamble": 2, "empty": 1, "header": 1}
    )  # fmt: skip
    assert (first.kind, first.ignored) == ("follows", ("Email Address", "Company", "Position"))
    at, lea = 1_677_974_400_000, "linkedin:lea"
    assert edges(store) == {
        ("linkedin:noor", lea): (1.0, at), (lea, "linkedin:noor"): (1.0, at),
        ("linkedin:tariq", lea): (1.0, None), (lea, "linkedin:tariq"): (1.0, None),
    }  # fmt: skip
    people = store.statement("MATCH (a:Account) RETURN a.key AS key, a.handle AS handle, a.name AS name ORDER BY key")
    assert [list(one.values()) for one in people] == [
        [lea, None, None], ["linkedin:noor", "noor", "Noor Weiss"], ["linkedin:tariq", "tariq", "Tariq Blum"]
    ]  # fmt: skip
    whole, version = dump(store), graph_version(store)
    for again in (run(), run(check=True)):
        assert told(again) == (0, 0, 0, 2, {})
    assert (dump(store), graph_version(store)) == (whole, version)
    packed = load("linkedin_connections", "lea", gzip.compress(b"\xef\xbb\xbf" + CONNECTIONS), network="linkedin")
    assert told(packed) == (0, 0, 0, 2, {})
    assert dump(store) == whole


def test_a_complete_list_and_events_before_and_after_in_any_order(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who followed before and is not listed has left; who follows after, or is listed, follows."""
    zoe, ines, omar = (f"mastodon:https://c.example/users/{one}" for one in ("zoe", "ines", "omar"))
    steps: dict[str, Callable[[], Any]] = {
        "list": lambda: load("gotosocial_followers", "lea@mastodon.social", FOLLOWERS),
        "before": lambda: apply_batch(
            store, "follows", [Follow(zoe, LEA, 1.0, AT - 9_000), Follow(NOOR, LEA, 1.0, AT - 9_000), Follow(omar, LEA)]
        ),
        "after": lambda: apply_batch(store, "follows", [Follow(ines, LEA, 1.0, AT + 9_000)]),
        "left": lambda: apply_batch(store, "unfollows", [Statement("unfollows", (TARIQ, LEA), (), AT + 5_000)]),
    }
    monkeypatch.setattr(importing, "BATCH_LINES", 1)
    found = []
    for order in itertools.permutations(steps):
        clear(store)
        for step in order:
            steps[step]()
        assert edges(store) == {(NOOR, LEA): (1.0, AT), (ines, LEA): (1.0, AT + 9_000)}, order
        found.append([one for one in dump(store) if "FOLLOWS" in one or "UNFOLLOWED" in one])
        version = graph_version(store)
        steps["list"]()
        assert graph_version(store) == version, order
    assert all(one == found[0] for one in found)
    rows = store.statement("MATCH (a)-[u:UNFOLLOWED]->(b) RETURN a.key AS a, b.key AS b, u.at.epochMillis AS at")
    assert {(row["a"], row["b"]): row["at"] for row in rows} == {
        (zoe, LEA): AT - 1, (omar, LEA): AT - 1, (TARIQ, LEA): AT + 5_000
    }  # fmt: skip


def test_a_list_with_a_line_left_out_or_cut_off_ends_no_follow(store: Store, load: Load) -> None:
    zoe = "mastodon:https://c.example/users/zoe"
    apply_batch(store, "follows", [Follow(zoe, LEA, 1.0, AT - 9_000)])
    assert load("gotosocial_followers", "lea@mastodon.social", FOLLOWERS + b"nowhere\n").rejected == {"bad_id": 1}
    assert edges(store)[zoe, LEA] == (1.0, AT - 9_000)
    chance = random.Random(3)
    many = b"Account address\n" + b"".join(b"%x@b.example\n" % chance.getrandbits(64) for _ in range(900))
    with pytest.raises(UnreadableFile, match=r"usable lines before that are in the graph"):
        load("gotosocial_followers", "lea@mastodon.social", gzip.compress(many)[:9_000])
    assert edges(store)[zoe, LEA] == (1.0, AT - 9_000)
    assert len(edges(store)) > 100
    with pytest.raises(NothingImported, match="holds no follows, only header"):
        load("gotosocial_followers", "lea@mastodon.social", b"Account address\n")
    assert edges(store)[zoe, LEA] == (1.0, AT - 9_000)
    done = load("gotosocial_followers", "lea@mastodon.social", FOLLOWERS, as_of=AT + 1)
    assert edges(store) == {(NOOR, LEA): (1.0, AT + 1), (TARIQ, LEA): (1.0, AT + 1)}
    assert done.also_created["complete_followers"] == 1


def test_a_report_says_how_many_follows_a_complete_list_ended_or_why_none(
    store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 1)

    def run(content: bytes, **options: Any) -> ImportReport:
        return load("gotosocial_followers", "lea@mastodon.social", content, **options)

    gone = [Follow(f"mastodon:https://c.example/users/{i}", LEA, 1.0, AT - i - 1) for i in range(5)]
    later = Follow("mastodon:https://c.example/users/later", LEA, 1.0, AT)
    apply_batch(store, "follows", [*gone, Follow(NOOR, LEA, 1.0, AT - 7), Follow(TARIQ, LEA), later, Follow(LEA, NOOR)])
    for content, why in (
        (FOLLOWERS + b"nowhere\nx y@z\n", "2 lines were left out"),
        (FOLLOWERS + b"tom@mastodon.so",
         "1 line was left out; the file does not end with a line break, as if it was cut off"),
    ):  # fmt: skip
        checked = run(content, check=True)
        assert (checked.not_complete, checked.also_created.get("unfollows")) == (why, None)
        assert f"no follow would be ended: {why}" in import_summary(checked)
    whole = FOLLOWERS + FOLLOWERS.partition(b"\n")[2] + b"lea@mastodon.social\n"
    checked, done, again = run(whole, check=True), run(whole), run(whole)
    for report in (checked, done):
        assert (report.not_complete, report.also_created["unfollows"]) == (None, len(gone))
        assert "5 follows that ended" in import_summary(report)
    assert (again.not_complete, again.also_created) == (None, {})
    assert len([one for one in edges(store) if one[1] == LEA]) == 3


def test_lists_meet_follows_that_come_otherwise(store: Store, load: Load) -> None:
    """An address is the same account as its actor in events, and who it is stays when a list without times comes."""
    apply_batch(store, "follows", [Follow(LEA, NOOR, 1.0, AT - 5)])
    done = load("mastodon_following", LEA.removeprefix("mastodon:"), b"Account address\nnoor@a.example\nx@y.z\n")
    assert told(done) == (1, 1, 0, 1, {"accounts": 2})
    assert edges(store) == {(LEA, NOOR): (1.0, AT - 5), (LEA, "mastodon:https://y.z/users/x"): (1.0, None)}


def test_a_folder_may_hold_lists(store: Store, tmp_path: Path) -> None:
    (tmp_path / "followers.csv").write_bytes(FOLLOWERS)
    (tmp_path / "vip.csv").write_text("Nick\nnoor\n")
    (tmp_path / "own.toml").write_text('about = "x"\nnetwork = "vip"\nholds = "followers"\n[id]\ncolumn = "nick"\n')
    (tmp_path / "people.csv").write_text("account,name\nhttps://mastodon.social/users/lea,Lea\n")
    files = [
        {"file": "vip.csv", "list": "own.toml", "account": "lea"},
        {"file": "followers.csv", "list": "gotosocial_followers", "account": "lea@mastodon.social"},
        {"file": "people.csv", "kind": "accounts", "network": "mastodon"},
    ]
    manifest = {"entourage_import": 1, "as_of": "2024-01-01T00:00:00Z", "files": files}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    report = import_folder(store.address, tmp_path, tmp_path / "imports", no_progress)
    assert [(Path(one.file).name, one.kind) for one in report.files] == [
        ("people.csv", "accounts"), ("vip.csv", "follows"), ("followers.csv", "follows")
    ]  # fmt: skip
    at = 1_704_067_200_000
    assert edges(store) == {
        ("vip:noor", "vip:lea"): (1.0, None), (NOOR, LEA): (1.0, at), (TARIQ, LEA): (1.0, at)
    }  # fmt: skip
