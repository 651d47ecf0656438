"""A platform's first day: a file of follows into an empty embedded store, then more into the filled one; and kills.

    python -m bench.load --follows 10000000
    python -m bench.load --follows 200000 --kills 20

Each import is `entourage import` in a process of its own, as people run it. The first load is measured beside Neo4j's
importer alone, the import into the filled store beside a bare loop of UNWIND and MERGE over the same number of follows
with the same driver in batches of the same size. With `--kills`, so many first loads, imports into a filled store, and
erasures of its most followed account are ended by SIGKILL at moments spread over them; half of them together with Neo4j
and all that they started.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from service.domain import EmbeddedConfig, StoreAddress, no_progress
from service.files.follow_arrays import AccountNumbers, open_follow_arrays, standing
from service.files.follows import FollowFile, open_follows
from service.flows.importing import BATCH_LINES
from service.settings import Settings
from service.store import loading
from service.store.driver import Store
from service.store.embedded import running
from service.store.migrations import migrate

PORT = 7790
FURTHER = 200_000
FIRST_LOAD, PEAK_MB, OF_BARE_LOOP = 100_000, 4096, 0.8
IMPORT = """
import sys
from service.flows import loading
loading.BULK_BYTES = int(sys.argv.pop(1))
from service.__main__ import main
main()
"""
BARE = """
UNWIND $rows AS row
MERGE (a:Account {key: row.follower})
MERGE (b:Account {key: row.followee})
MERGE (a)-[f:FOLLOWS]->(b)
SET f.weight = row.weight
"""


@dataclass(frozen=True)
class Measured:
    """An import as a process: its report, seconds from its start to its end, peak memory of all its processes."""

    report: dict[str, Any]
    seconds: float
    peak_mb: float


def write_file(path: Path, follows: int, seed: int, accounts: int) -> None:
    """Write lines of follows: popularity far from even, ids of 10 to 24 letters, some lines again, some of no use."""
    rng = np.random.default_rng(seed)
    names = [
        f"{'user_' if i % 3 else 'm.'}{i * 2_654_435_761 % 2**32:x}{'.' * (i % 5 == 0)}{i % 97}"
        for i in range(accounts)
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write("follower,followee\n")
        for begin in range(0, follows, 1_000_000):
            size = min(1_000_000, follows - begin)
            follower = rng.integers(0, accounts, size=size)
            followee = (accounts * rng.random(size) ** 3).astype(np.int64)
            again = rng.random(size) < 0.02
            follower[again], followee[again] = np.roll(follower, 1)[again], np.roll(followee, 1)[again]
            lines = [
                f"{names[a]},{names[b]}\n" for a, b in zip(follower.tolist(), followee.tolist(), strict=True) if a != b
            ]
            for place in rng.integers(0, len(lines), size=size // 1_000).tolist():
                lines[place] = f"{lines[place][:8].strip(',')}\n"
            file.write("".join(lines))


def environment(data: Path) -> dict[str, str]:
    """How a command finds the embedded store of a folder."""
    return {
        **os.environ, "ENTOURAGE_DATA_DIR": str(data), "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
        "ENTOURAGE_NEO4J_PORT": str(PORT), "ENTOURAGE_NEO4J_HEAP_MB": "1024",
    }  # fmt: skip


def config_of(data: Path) -> EmbeddedConfig:
    """The embedded store of a folder."""
    return EmbeddedConfig(home=data / "neo4j", cache_dir=Settings().cache_dir, port=PORT, heap_mb=1024)


def command(data: Path, file: Path, bulk_bytes: int) -> subprocess.Popen[str]:
    """Start an import."""
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(bulk_bytes), "import", str(file), "--network", "bench", "--json"],
        env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def imported(data: Path, file: Path, bulk_bytes: int) -> Measured:
    """Import to the end, watching memory."""
    begin = time.perf_counter()
    process = command(data, file, bulk_bytes)
    peak = 0.0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.2):
            with suppress(psutil.Error):
                peak = max(peak, sum(map(_megabytes, family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said, _ = process.communicate()
    ended.set()
    watcher.join()
    return Measured(json.loads(said), time.perf_counter() - begin, peak)


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    own = psutil.Process(pid)
    return [own, *own.children(recursive=True)]


def _megabytes(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(process.memory_info().rss) / 2**20
    return 0.0


def bare_importer(folder: Path, file: Path) -> float:
    """Follows a second of Neo4j's importer, with files made for it; nothing can be asked of what it makes yet."""
    accounts = AccountNumbers()
    with open_follow_arrays(FollowFile(file, network="bench"), lambda _: None) as reader:
        table = standing(accounts, [list(reader.parts(accounts))], BATCH_LINES).table
    stage = config_of(folder)
    stage.home.mkdir(parents=True)
    begin = time.perf_counter()
    loading._import(stage, folder, table, 1, no_progress, lambda: None)
    return len(table.source) / (time.perf_counter() - begin)


def bare_loop(address: StoreAddress, file: Path) -> float:
    """Follows a second of UNWIND and MERGE."""
    with open_follows(FollowFile(file, network="bench"), lambda _: None) as reader:
        follows = list(reader)
    rows = [{"follower": one.follower, "followee": one.followee, "weight": one.weight} for one in follows]
    batches = [rows[i : i + BATCH_LINES] for i in range(0, len(rows), BATCH_LINES)]
    auth = (address.user, address.password.get_secret_value())
    with neo4j.GraphDatabase.driver(address.uri, auth=auth) as driver, driver.session() as session:
        begin = time.perf_counter()
        for batch in batches:
            session.execute_write(lambda tx, batch=batch: tx.run(BARE, rows=batch).consume())
        return len(rows) / (time.perf_counter() - begin)


def digest(address: StoreAddress) -> str:
    """A mark of all follows, whatever their order; and of what is held beside them."""
    with Store(address) as store:
        rows = store.statement("MATCH (a)-[f:FOLLOWS]->(b) RETURN a.key + ' ' + b.key + ' ' + f.weight AS line")
        held = store.statement(
            "MATCH (k:ApiKey) RETURN k.id AS line UNION ALL MATCH (j:Journal {id: 'j'}) RETURN j.id AS line"
        )
    return hashlib.sha256("\n".join(sorted(row["line"] for row in [*rows, *held])).encode()).hexdigest()


def accounts_in(address: StoreAddress) -> int:
    """How many accounts there are."""
    with Store(address) as store:
        return int(store.statement("MATCH (a:Account) RETURN count(a) AS n")[0]["n"])


def killed(
    folder: Path,
    template: Path,
    begun: Callable[[Path], subprocess.Popen[str]],
    kills: Sequence[float],
    console: Console,
    *,
    at_once: bool,
) -> dict[str, int]:
    """End what changes copies of a store at moments spread over it, look what is left, and do it again to its end.

    Args:
        folder: where the copies are made.
        template: data of the store.
        begun: begins to change the store of a folder.
        kills: when, in shares of the time it takes.
        console: told of each.
        at_once: nothing may be left in between.
    """
    data = folder / "whole"
    shutil.copytree(template, data)
    with running(config_of(data)) as address:
        before = digest(address)
    begin = time.perf_counter()
    begun(data).communicate()
    seconds = time.perf_counter() - begin
    with running(config_of(data)) as address:
        whole = digest(address)
    if whole == before:
        raise RuntimeError("What is to be ended changes nothing even where it is not ended.")
    shutil.rmtree(data)
    found = {"complete": 0, "as before": 0, "between": 0, "wrong": 0, "not finished": 0}
    for number, moment in enumerate(kills):
        data = folder / "killed"
        shutil.copytree(template, data)
        process = begun(data)
        time.sleep(seconds * moment)
        with suppress(psutil.Error):
            for one in family(process.pid)[: None if number % 2 else 1]:
                with suppress(psutil.Error):
                    one.kill()
        process.communicate()
        with running(config_of(data)) as address:
            state = digest(address)
            half = at_once and state not in (before, whole)
            kind = "complete" if state == whole else "as before" if state == before else "wrong" if half else "between"
            left = (data / "neo4j" / "loading").exists()
            found[kind] += 1
            begun(data).communicate()
            found["not finished"] += digest(address) != whole or left
        shutil.rmtree(data)
        console.print(f"kill {number + 1} of {len(kills)}, at {moment:.3f}: {kind}")
    return found


def most_followed(data: Path) -> str:
    """Key of the account that most follow."""
    with running(config_of(data)) as address, Store(address) as store:
        statement = "MATCH (a:Account) RETURN a.key AS key ORDER BY COUNT { (a)<-[:FOLLOWS]-() } DESC, key LIMIT 1"
        return str(store.statement(statement)[0]["key"])


def erasing(data: Path, key: str) -> subprocess.Popen[str]:
    """Begin to erase an account."""
    return subprocess.Popen(
        [sys.executable, "-m", "service", "erase", key, "--yes", "--json"],
        env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def filled(data: Path, file: Path | None) -> None:
    """Make a migrated store with a key and the mark of a journal; with a file, import it."""
    data.mkdir(parents=True)
    with running(config_of(data)) as address, Store(address) as store:
        migrate(store)
        store.statement(
            "CREATE (:ApiKey {id: 'k', sha256: 'x', name: 'n', scopes: ['read'], created_at: datetime()}) "
            "CREATE (:Journal {id: 'j', applied: 5, token: 't'})"
        )
    if file is not None:
        imported(data, file, 0)


def main() -> None:
    """Measure, and print a table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--follows", type=int, default=10_000_000)
    parser.add_argument("--further", type=int, default=FURTHER, help="follows imported into the filled store")
    parser.add_argument("--kills", type=int, default=0, help="only end so many of each kind by SIGKILL")
    given = parser.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as name:
        folder = Path(name)
        accounts = max(given.follows // 12, 100)
        write_file(folder / "follows.csv", given.follows, 1, accounts)
        if given.kills:
            filled(folder / "empty", None)
            filled(folder / "filled", folder / "follows.csv")
            write_file(folder / "more.csv", given.further, 2, accounts)
            key = most_followed(folder / "filled")
            first, more = folder / "follows.csv", folder / "more.csv"
            kinds: list[tuple[str, str, Callable[[Path], subprocess.Popen[str]], bool]] = [
                ("first load", "empty", lambda data: command(data, first, 0), True),
                ("into a filled store", "filled", lambda data: command(data, more, 1 << 60), False),
                ("erasure", "filled", lambda data: erasing(data, key), False),
            ]
            kills = [(number + 0.5) / given.kills for number in range(given.kills)]
            for what, template, begun, at_once in kinds:
                found = killed(folder, folder / template, begun, kills, console, at_once=at_once)
                console.print(what, found)
                print(json.dumps({what: found}))
            return
        data = folder / "data"
        filled(data, None)
        loaded = imported(data, folder / "follows.csv", 0)
        importer = bare_importer(folder / "bare", folder / "follows.csv")
        for number in range(4):
            write_file(folder / f"{number}.csv", given.further if number > 1 else 2 * BATCH_LINES, 2 + number, accounts)
        with running(config_of(data)) as address:
            # Both write to a warm server.
            imported(data, folder / "0.csv", 0)
            bare_loop(address, folder / "1.csv")
            more = imported(data, folder / "2.csv", 0).report
            loop = bare_loop(address, folder / "3.csv")

    rate = loaded.report["lines"] / loaded.report["seconds"]
    batches = more["used"] / more["seconds"]
    figures: dict[str, tuple[float, float | None, bool]] = {
        "first_load_lines_per_s": (round(rate), FIRST_LOAD, rate >= FIRST_LOAD),
        "first_load_s": (round(loaded.report["seconds"], 1), None, True),
        "first_load_command_s": (round(loaded.seconds, 1), None, True),
        "first_load_peak_mb": (round(loaded.peak_mb), PEAK_MB, loaded.peak_mb <= PEAK_MB),
        "importer_alone_per_s": (round(importer), None, True),
        "further_per_s": (round(batches), None, True),
        "bare_loop_per_s": (round(loop), None, True),
        "further_over_bare_loop": (round(batches / loop, 2), OF_BARE_LOOP, batches / loop >= OF_BARE_LOOP),
    }
    table = Table("figure", "value", "target", "ratio", title=f"import, {given.follows:,} follows")
    for figure, (value, target, _) in figures.items():
        table.add_row(figure, f"{value:,}", f"{target:,}" if target else "", f"{value / target:.2f}" if target else "")
    console.print(table)
    console.print(f"others took part of the machine: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(json.dumps({name: {"value": v, "target": t, "holds": h} for name, (v, t, h) in figures.items()}))


if __name__ == "__main__":
    main()
