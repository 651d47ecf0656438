"""Imports end to end into a real graph: real files, again, shuffled, cut off, two at once."""

from __future__ import annotations

import ast
import csv
import gzip
import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.domain import StoreAddress, no_progress
from service.errors import ConfigurationError, NothingImported, UnreadableFile
from service.files.follows import FollowFile
from service.flows import importing
from service.flows.importing import ImportReport, import_file
from service.store.driver import Store
from tests.conftest import clear
from tests.store.graph_dump import edges

Shared = Callable[[str], Path]


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Callable[..., ImportReport]:
    """Import a file into the tests' graph; the counts of the report must add up."""

    def run(path: Path, **options: Any) -> ImportReport:
        report = import_file(store.address, FollowFile(path, **options), tmp_path / "imports", no_progress)
        assert report.lines == report.used + sum(report.skipped.values()) + sum(report.rejected.values())
        counts = (report.created, report.updated, report.unchanged)
        assert report.used == sum(counts)
        assert min(counts) >= 0
        return report

    return run


def test_congress(store: Store, load: Callable[..., ImportReport], shared_data: Shared) -> None:
    path = shared_data("congress117-twitter/congress.edgelist")
    expected = {}
    for line in path.read_text().splitlines():
        author, sharer, data = line.split(" ", 2)
        expected[f"twitter:{sharer}", f"twitter:{author}"] = (ast.literal_eval(data)["weight"], None)
    first = load(path, network="twitter", reverse=True, weight_column="weight")
    assert edges(store) == expected
    assert (first.lines, first.created, first.accounts_created) == (13_289, 13_289, 475)
    assert (first.rejected, first.report, first.version) == ({}, None, 1)
    again = load(path, network="twitter", reverse=True, weight_column="weight")
    assert (again.unchanged, again.version) == (13_289, 1)


def test_uk_faculty(store: Store, load: Callable[..., ImportReport], shared_data: Shared) -> None:
    path = shared_data("uk-faculty/edges.csv")
    with path.open(newline="") as lines:
        expected = {(f"uk:{r['from']}", f"uk:{r['to']}"): (float(r["weight"]), None) for r in csv.DictReader(lines)}
    report = load(path, network="uk", weight_column="weight")
    assert edges(store) == expected
    assert (report.lines, report.skipped, report.created) == (818, {"header": 1}, 817)


def test_messages_keep_the_latest_time_of_each_pair(
    store: Store, load: Callable[..., ImportReport], shared_data: Shared
) -> None:
    path = shared_data("collegemsg/CollegeMsg.txt")
    expected: dict[tuple[str, str], int] = {}
    for line in path.read_text().splitlines():
        one, other, time = line.split()
        pair = (f"c:{one}", f"c:{other}")
        expected[pair] = max(expected.get(pair, 0), int(time) * 1000)
    report = load(path, network="c", time_column="3")
    assert edges(store) == {pair: (1.0, at) for pair, at in expected.items()}
    assert (report.lines, report.created, report.accounts_created) == (59_835, 20_296, 1_899)


def test_self_loops_go_to_the_report(store: Store, load: Callable[..., ImportReport], shared_data: Shared) -> None:
    path = shared_data("lfr/networks/LFR_N1000_ad5_mc50_mu0.1.csv.gz")
    rows = [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    loops = [i for i, row in enumerate(rows, start=1) if row[0] == row[1]]
    report = load(path)
    assert edges(store).keys() == {(f"local:{a}", f"local:{b}") for a, b, _ in rows if a != b}
    assert report.rejected == {"self_loop": len(loops)}
    assert report.report is not None
    said = [json.loads(line) for line in report.report.read_text().splitlines()]
    assert [one["line"] for one in said] == loops
    assert report.report.name.startswith(path.name)
    assert ImportReport.model_validate_json(report.model_dump_json()) == report


def test_shuffled_and_repeated_lines_end_in_the_same_graph(
    store: Store, load: Callable[..., ImportReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_LINES", 150)
    chance = random.Random(3)
    lines = [
        f"{chance.randrange(60)},{chance.randrange(60, 120)},{chance.choice([1, 2, 5])},"
        f"{chance.choice(['1700000000', '2023-11-14T22:13:21Z', '1700000002000'])}\n"
        for _ in range(1_000)
    ]
    options = {"network": "x", "weight_column": "3", "time_column": "4"}
    (tmp_path / "one.csv").write_text("".join(lines))
    load(tmp_path / "one.csv", **options)
    expected = edges(store)
    assert len(expected) > 700
    for _ in range(2):
        clear(store)
        more = [*lines, *chance.sample(lines, 300)]
        chance.shuffle(more)
        (tmp_path / "other.csv").write_text("".join(more))
        load(tmp_path / "other.csv", **options)
        assert edges(store) == expected


CRASHING = """
import json, os, sys
from pathlib import Path
from pydantic import SecretStr
from service.domain import StoreAddress
from service.files.follows import FollowFile
from service.flows import importing
given = json.loads(sys.stdin.read())
importing.BATCH_LINES = importing.PROGRESS_LINES = 500
def progress(stage, done, total):
    if done > total * 0.6:
        os._exit(9)
address = StoreAddress(given["uri"], given["user"], SecretStr(given["password"]), given["database"])
importing.import_file(address, FollowFile(Path(given["file"])), Path(given["reports"]), progress)
"""


def test_a_crash_in_the_middle_then_again_is_as_one_import(
    store: Store, load: Callable[..., ImportReport], tmp_path: Path, store_address: StoreAddress
) -> None:
    chance = random.Random(4)
    path = tmp_path / "follows.csv"
    # Long lines, so that the file has more than one block of bytes and progress is told on the way.
    pad = "x" * 200
    path.write_text("".join(f"{chance.randrange(900)},{chance.randrange(900, 1800)},{pad}\n" for _ in range(5_000)))
    load(path)
    expected = edges(store)
    clear(store)
    given = {
        "uri": store_address.uri, "user": store_address.user, "database": store_address.database,
        "password": store_address.password.get_secret_value(), "file": str(path), "reports": str(tmp_path),
    }  # fmt: skip
    crashed = subprocess.run([sys.executable, "-c", CRASHING], input=json.dumps(given), text=True, check=False)
    assert crashed.returncode == 9
    half = edges(store)
    assert 0 < len(half) < len(expected)
    assert half.items() <= expected.items()
    rest = load(path)
    assert rest.created == len(expected) - len(half)
    assert edges(store) == expected
    numbers = [row["n"] for row in store.statement("MATCH (a:Account) RETURN a.n AS n ORDER BY n")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_file_that_is_cut_off(store: Store, load: Callable[..., ImportReport], tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{i // 100},{9_000 + i % 100}\n" for i in range(30_000)).encode())
    path = tmp_path / "follows.csv.gz"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    with pytest.raises(UnreadableFile) as stopped:
        load(path)
    done = stopped.value.fields["line"]
    assert isinstance(done, int)
    assert 20_000 < done < 30_000
    for words in (f"after line {done:,}", f"{done:,} usable lines before that are in the graph", "safe"):
        assert words in stopped.value.message
    assert len(edges(store)) == done
    path.write_bytes(whole)
    report = load(path)
    assert (report.unchanged, report.created) == (done, 30_000 - done)


def test_a_file_with_nothing_usable(store: Store, load: Callable[..., ImportReport], tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("from,to,at\na,a,1\nb,,1\n,c,1\nd,e,soon\n")
    with pytest.raises(NothingImported) as refused:
        load(path, time_column="at")
    for words in ("2 empty_id", "1 self_loop", "1 bad_time", str(tmp_path / "imports" / "bad.csv")):
        assert words in refused.value.message
    assert refused.value.fields["rejected"] == {"self_loop": 1, "empty_id": 2, "bad_time": 1}
    for content in ("", "from,to\n\n"):
        path.write_text(content)
        with pytest.raises(NothingImported, match="nothing to import"):
            load(path)
    assert edges(store) == {}
    assert store.statement("MATCH (g:Graph) RETURN g.v AS v") == [{"v": 0}]
    blocked = tmp_path / "file"
    blocked.write_text("")
    path.write_text("a,b\nc,c\n")
    with pytest.raises(ConfigurationError):
        import_file(store.address, FollowFile(path), blocked, no_progress)


def test_two_imports_at_once(store: Store, load: Callable[..., ImportReport], tmp_path: Path) -> None:
    chance = random.Random(6)
    pairs = [(chance.randrange(400), chance.randrange(400, 800)) for _ in range(6_000)]
    for name, part in (("a", pairs[:4_000]), ("b", pairs[2_000:])):
        (tmp_path / name).write_text("".join(f"{one} {other}\n" for one, other in part))
    reports: list[ImportReport] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "BATCH_LINES", 400)
        threads = [threading.Thread(target=lambda n=n: reports.append(load(tmp_path / n))) for n in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(reports) == 2
    assert edges(store).keys() == {(f"local:{one}", f"local:{other}") for one, other in pairs}
    assert sum(one.created for one in reports) == len(set(pairs))
    numbers = [row["n"] for row in store.statement("MATCH (a:Account) RETURN a.n AS n ORDER BY n")]
    assert numbers == list(range(1, sum(one.accounts_created for one in reports) + 1))


def test_progress_is_told_in_bytes_of_the_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "follows.csv.gz"
    path.write_bytes(gzip.compress("".join(f"{i // 100},{9_000 + i % 100}\n" for i in range(30_000)).encode(), 0))
    told: list[tuple[str, int, int | None]] = []
    import_file(store.address, FollowFile(path), tmp_path, lambda *one: told.append(one))
    size = path.stat().st_size
    assert {(stage, total) for stage, _, total in told} == {("import", size)}
    done = [one for _, one, _ in told]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert done[-1] == size
