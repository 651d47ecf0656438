"""From a file of follows to published ambassador candidates, stage by stage, beside networkx + python-louvain.

Ours: import into an empty embedded Neo4j, read the snapshot, analyse, publish and write back. The peer does the same
measures from the same file in memory (`bench.plain`), without a database. Both run in processes of their own; memory
is resident memory of the Python process at its peak in that stage, Neo4j's is shown apart.

    python -m bench.pipeline --follows 100000

The last line is one JSON object: for each figure its value, its target (null where none is set) and whether it holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.generate import write_follows
from bench.plain import digest
from service.domain import EmbeddedConfig, RunSpec
from service.files.follows import FollowFile
from service.flows.importing import import_file
from service.flows.published import read_candidates
from service.flows.runs import analyze
from service.flows.store import open_store
from service.settings import Settings
from service.store.driver import Store
from service.store.snapshots import read_snapshot

FOLLOWS_READ = 1_000_000
"""Follows a second that reading a whole graph of 10^6 follows or more should reach."""


class Stages:
    """Seconds and peak resident memory of each stage, as told by a progress callback."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.megabytes: dict[str, float] = {}
        self.neo4j_megabytes: dict[str, float] = {}
        self._stage: str | None = None
        self._since = time.perf_counter()

    def progress(self, stage: str, done: int, total: int | None) -> None:  # noqa: ARG002 - the protocol of Progress
        if stage != self._stage:
            self.end()
            self._stage = stage

    def end(self) -> None:
        now = time.perf_counter()
        if self._stage is not None:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = None, now

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Sample memory ten times a second: this process with its children, and Neo4j apart."""
        stop = threading.Event()
        me = psutil.Process()

        def sample() -> None:
            while not stop.wait(0.1):
                stage = self._stage
                if stage is None:
                    continue
                ours = neo4j = 0.0
                for process in [me, *me.children(recursive=True)]:
                    try:
                        resident, java = process.memory_info().rss / 2**20, "java" in process.name()
                    except psutil.Error:
                        continue
                    ours, neo4j = (ours, neo4j + resident) if java else (ours + resident, neo4j)
                self.megabytes[stage] = max(self.megabytes.get(stage, 0.0), ours)
                self.neo4j_megabytes[stage] = max(self.neo4j_megabytes.get(stage, 0.0), neo4j)

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def ours(file: Path, home: Path) -> tuple[Stages, float, dict[str, int], dict[str, list[str]]]:
    """Run the pipeline on an empty store.

    Returns stages, follows read a second once Neo4j is warm, and sizes and five candidates by digest of the members.
    """
    settings = Settings()
    config = EmbeddedConfig(home=home, cache_dir=settings.cache_dir, version=settings.neo4j_version)
    stages = Stages()
    with open_store(config) as address, stages.sampled():
        import_file(address, FollowFile(path=file), home / "imports", lambda _, d, t: stages.progress("import", d, t))
        stages.end()
        run, _ = analyze(address, RunSpec(), True, stages.progress, 3600)
        stages.end()
        with Store(address) as store:
            begin = time.perf_counter()
            read = len(read_snapshot(store).follows.source) / (time.perf_counter() - begin)
            rows = store.statement(
                "MATCH (a:Account)-[:MEMBER_OF {run: $run, primary: true}]->(c) "
                "RETURN c.id AS id, collect(a.native_id) AS members",
                run=run.id,
            )
        names = {row["id"]: digest(row["members"]) for row in rows}
        sizes = {digest(row["members"]): len(row["members"]) for row in rows}
        first = {
            name: [one.key.split(":", 1)[1] for one in asyncio.run(read_candidates(address, community, run.id))[:5]]
            for community, name in names.items()
        }
    return stages, read, sizes, first


def main() -> None:
    """Measure both and print a table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--follows", type=int, default=100_000, help="size of the graph (default 100000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the graph")
    arguments = parser.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as folder:
        file = Path(folder) / "follows.csv"
        follows = write_follows(file, arguments.follows, arguments.seed)
        console.print(f"{follows:,} follows, ours first, then networkx + python-louvain (one thread each)")
        stages, read, sizes, first = ours(file, Path(folder) / "neo4j")
        text = subprocess.run(  # fixed arguments
            [sys.executable, "-m", "bench.plain", str(file)], check=True, capture_output=True, text=True
        ).stdout
    peer: dict[str, Any] = json.loads(text)
    # Louvain has many answers of equal quality; where both found the same members, candidates must be the same.
    alike = sizes.keys() & peer["sizes"].keys()
    accounts_alike = sum(sizes[name] for name in alike) / sum(sizes.values())
    same = all(first[name] == peer["first"][name] for name in alike)

    table = Table("", "stage", "seconds", "peak MB", "Neo4j MB", title=f"pipeline, {follows:,} follows")
    for name, seconds in stages.seconds.items():
        table.add_row(
            "ours",
            name,
            f"{seconds:.2f}",
            f"{stages.megabytes.get(name, 0):.0f}",
            f"{stages.neo4j_megabytes.get(name, 0):.0f}",
        )
    for name, stage in peer["stages"].items():
        table.add_row("peer", name, f"{stage['seconds']:.2f}", f"{stage['mb']:.0f}", "–")
    total = sum(stages.seconds.values())
    peer_total = sum(stage["seconds"] for stage in peer["stages"].values())
    table.add_row("ours", "all", f"{total:.2f}", "", "")
    table.add_row("peer", "all", f"{peer_total:.2f}", "", "")
    console.print(table)
    console.print(
        f"communities: ours {len(sizes)}, peer {len(peer['sizes'])}; found alike by both: {len(alike)} with "
        f"{accounts_alike:.1%} of accounts, candidates there {'equal' if same else 'NOT EQUAL'}\n"
        f"time ours / peer, database included: {total / peer_total:.2f}"
    )

    console.print(f"the whole graph read once more: {read:,.0f} follows a second")

    figures: dict[str, dict[str, object]] = {
        "candidates_equal": {"value": same, "target": True, "holds": same and bool(alike)},
        "accounts_alike": {"value": round(accounts_alike, 4), "target": None, "holds": True},
        "follows_read_per_s": {"value": round(read), "target": FOLLOWS_READ, "holds": read >= FOLLOWS_READ},
        "time_over_peer": {"value": round(total / peer_total, 3), "target": None, "holds": True},
    }
    for name, seconds in stages.seconds.items():
        figures[f"{name}_s"] = {"value": round(seconds, 3), "target": None, "holds": True}
        figures[f"{name}_mb"] = {"value": round(stages.megabytes.get(name, 0)), "target": None, "holds": True}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
