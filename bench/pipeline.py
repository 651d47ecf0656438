"""From files to served ambassador candidates, stage by stage, beside networkx + python-louvain.

Ours: a synthetic sample with a year of interactions, posts, brands and all the rest is imported into an empty embedded
Neo4j, read, analysed, published, written back, and served. The peer does the plain measures of the same follows and
interactions in memory (`bench.plain`); its database gets accounts and follows by MERGE, and one statement per account.
Both run in processes of their own; memory is resident memory of the Python process at its peak in that stage, Neo4j's
is shown apart. At last the API is asked, by a load generator in another process (`bench.asking`): questions that were
prepared (20 candidates), and questions that were not, each for the first time: filters, with brands, topics and an
objective among them, and questions that all have weights of their own.

    python -m bench.pipeline --follows 100000

The last line is one JSON object: for each figure its value, its target (null where none is set) and whether it holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.plain import digest
from service.domain import Community, EmbeddedConfig, RunSpec, ScoringRules, StoreAddress
from service.flows.importing import import_folder
from service.flows.processes import end, spawn
from service.flows.published import read_candidates, read_communities
from service.flows.runs import analyze
from service.flows.store import open_store
from service.sample_files import write_sample
from service.settings import Settings
from service.store.driver import Store
from service.store.snapshots import read_snapshot

FOLLOWS_READ = 1_000_000
"""Follows a second that reading a whole graph of 10^6 follows or more should reach."""

TIMES_FASTER = 20
"""Ours beside the peer, as a whole, databases included."""

PREPARED, UNPREPARED = 5_000, 500
"""Answers a second of one API process: prepared questions, and others when they are asked for the first time."""

CONNECTIONS, ROUNDS, SECONDS = 48, 5, 3.0


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


@dataclass
class Ours:
    """What our pipeline gave: stages, follows read a second once Neo4j is warm, sizes and five candidates by digest of
    the members, and answers a second and bytes of an answer, by kind of question.
    """

    stages: Stages
    read: float
    sizes: dict[str, int]
    first: dict[str, list[str]]
    served: dict[str, float]
    answer_bytes: float


def ours(folder: Path, home: Path) -> Ours:
    """Run the pipeline on an empty store."""
    settings = Settings()
    config = EmbeddedConfig(home=home, cache_dir=settings.cache_dir, version=settings.neo4j_version)
    stages = Stages()
    with open_store(config) as address, stages.sampled():
        import_folder(address, folder, home / "imports", lambda _, d, t: stages.progress("import", d, t))
        stages.end()
        run, _ = analyze(address, RunSpec(rules=ScoringRules(rewirings=0)), True, stages.progress, 3600)
        stages.end()
        with Store(address) as store:
            begin = time.perf_counter()
            read = len(read_snapshot(store).follows.source) / (time.perf_counter() - begin)
            rows = store.statement(
                "MATCH (a:Account)-[:MEMBER_OF {primary: true}]->(c:Community {run: $run}) "
                "RETURN c.id AS id, collect(a.native_id) AS members",
                run=run.id,
            )
        names = {row["id"]: digest(row["members"]) for row in rows}
        sizes = {digest(row["members"]): len(row["members"]) for row in rows}
        listed = asyncio.run(read_communities(address, run.id))
        first = {
            names[one.id]: [
                candidate.key.split(":", 1)[1]
                for candidate in asyncio.run(read_candidates(address, one.id, run.id))[:5]
            ]
            for one in listed
        }
        served, answer_bytes = serve(address, listed)
    return Ours(stages, read, sizes, first, served, answer_bytes)


@contextmanager
def api_of(address: StoreAddress) -> Iterator[int]:
    """One API process that answers on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.TemporaryDirectory()
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--journal", folder.name, "--no-authentication"]
    api = spawn(["_api", *arguments], address)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        end(api)
        folder.cleanup()


def serve(address: StoreAddress, communities: list[Community]) -> tuple[dict[str, float], float]:
    """Ask one API process as fast as it answers: answers a second by kind of question, and bytes of an answer."""
    with api_of(address) as port:
        chosen = [one.id for one in communities if one.respectable and one.candidates >= 20][:10]
        prepared = [f"/v1/communities/{one}/ambassadors?limit=20" for one in chosen]
        asked(port, 0, prepared)
        rounds = [asked(port, SECONDS, prepared) for _ in range(ROUNDS)]
        rng = random.Random(1)
        filters = unprepared(rng, chosen, weights=False)
        weights = unprepared(rng, chosen, weights=True)
        for one in chosen:  # what every question of a community needs is read once
            asked(port, 0, [f"/v1/communities/{one}/ambassadors?limit=1&weights=trust:1"])
        fresh, weighed = [asked(port, 0, filters)], [asked(port, 0, weights)]

    def rate(found: list[dict[str, float]]) -> float:
        assert not any(one["wrong"] for one in found), "an answer was no 200"
        return statistics.median(one["answers"] / one["seconds"] for one in found)

    served = {"prepared": rate(rounds), "unprepared": rate(fresh), "new_weights": rate(weighed)}
    return served, rounds[0]["bytes"]


def unprepared(rng: random.Random, communities: list[str], *, weights: bool) -> list[str]:
    """A thousand different questions: filters, brands, topics, an objective; or all with weights of their own."""
    questions = set()
    while len(questions) < 1000:
        query = []
        if weights:
            share = rng.randrange(1, 1000)
            query.append(f"weights=authority:{share / 1000:.3f},resonance:{(1000 - share) / 1000:.3f}")
        for name, values in (
            ("role", ["networker", "broadcaster", "heavy_user"]),
            ("track", ["open", "customers_users", "employees_collaborators"]),
            ("size_band", ["lt1k", "1k_10k"]),
            ("topic", ["jazz", "python", "photo"]),
            ("brand", ["velora", "nordlys", "aubade"]),
            ("objective", ["targeted"]),
        ):
            if rng.random() < 0.4:
                query.append(f"{name}={rng.choice(values)}")
        if query:
            questions.add(f"/v1/communities/{rng.choice(communities)}/ambassadors?limit=20&{'&'.join(query)}")
    return sorted(questions, key=lambda _: rng.random())


def asked(port: int, seconds: float, paths: list[str]) -> dict[str, float]:
    """Ask for so many seconds, or each path once, from a process of its own; answers come as gzip where they do."""
    arguments = ["127.0.0.1", str(port), str(seconds), str(CONNECTIONS), "1"]
    text = subprocess.run(
        [sys.executable, "-m", "bench.asking", *arguments],
        input="\n".join(paths), check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, float] = json.loads(text)
    return found


def peer_of(folder: Path, home: Path) -> dict[str, Any]:
    """Run the peer with an empty Neo4j of its own."""
    settings = Settings()
    config = EmbeddedConfig(home=home, cache_dir=settings.cache_dir, version=settings.neo4j_version)
    with open_store(config, migrated=False) as address:
        environment = {
            **os.environ,
            "ENTOURAGE_BENCH_URI": address.uri,
            "ENTOURAGE_BENCH_PASSWORD": address.password.get_secret_value(),
        }
        text = subprocess.run(
            [sys.executable, "-m", "bench.plain", str(folder)],
            check=True, stdout=subprocess.PIPE, text=True, env=environment,
        ).stdout  # fmt: skip
    found: dict[str, Any] = json.loads(text)
    return found


def main() -> None:
    """Measure both and print a table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--follows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    arguments = parser.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="entourage-bench-") as name:
        root = Path(name)
        folder = write_sample(root / "sample", arguments.follows, arguments.seed)
        console.print(f"{arguments.follows:,} follows and a year of interactions; ours first, then the plain stack")
        found = ours(folder, root / "neo4j")
        peer = None if arguments.no_peer else peer_of(folder, root / "peer")

    stages = found.stages
    table = Table("", "stage", "seconds", "peak MB", "Neo4j MB", title=f"pipeline, {arguments.follows:,} follows")
    for stage, seconds in stages.seconds.items():
        memory = (f"{stages.megabytes.get(stage, 0):.0f}", f"{stages.neo4j_megabytes.get(stage, 0):.0f}")
        table.add_row("ours", stage, f"{seconds:.2f}", *memory)
    total = sum(stages.seconds.values())
    table.add_row("ours", "all", f"{total:.2f}", "", "")
    figures: dict[str, dict[str, object]] = {
        "follows_read_per_s": figure(round(found.read), FOLLOWS_READ),
        "prepared_per_s": figure(round(found.served["prepared"]), PREPARED),
        "unprepared_per_s": figure(round(found.served["unprepared"]), UNPREPARED),
        "new_weights_per_s": figure(round(found.served["new_weights"]), None),
        "answer_bytes": figure(round(found.answer_bytes), None),
        "all_s": figure(round(total, 2), None),
    }
    said = ""
    if peer is not None:
        for stage, one in peer["stages"].items():
            table.add_row("peer", stage, f"{one['seconds']:.2f}", f"{one['mb']:.0f}", "–")
        peer_total = sum(one["seconds"] for one in peer["stages"].values())
        table.add_row("peer", "all", f"{peer_total:.2f}", "", "")
        without = peer_total - peer["stages"]["load"]["seconds"]
        figures["times_faster"] = figure(round(peer_total / total, 2), TIMES_FASTER)
        figures["times_faster_than_peer_without_load"] = figure(round(without / total, 2), None)
        # Louvain has many answers of equal quality; only where both found the same members can candidates be compared.
        alike = found.sizes.keys() & peer["sizes"].keys()
        share = sum(found.sizes[one] for one in alike) / sum(found.sizes.values())
        both = [(set(found.first[one]), set(peer["first"][one])) for one in alike if found.first[one]]
        overlap = sum(len(a & b) for a, b in both) / max(sum(len(a) for a, _ in both), 1)
        figures["accounts_alike"] = figure(round(share, 4), None)
        figures["first_five_in_common"] = figure(round(overlap, 3), None)
        said = (
            f"communities: ours {len(found.sizes)}, peer {len(peer['sizes'])}; found alike by both: {len(alike)} with "
            f"{share:.1%} of accounts, where {overlap:.0%} of our first five are among the peer's (it knows no gates, "
            f"topics and roles)\ntimes faster than the peer, databases included: {peer_total / total:.1f}; "
            f"than the peer without its load: {without / total:.1f}\n"
        )
    console.print(table)
    console.print(
        f"{said}the whole graph read once more: {found.read:,.0f} follows a second\n"
        f"answers a second of one API process, {CONNECTIONS} connections: prepared {found.served['prepared']:,.0f} "
        f"({found.answer_bytes:,.0f} bytes each, as gzip), asked for the first time {found.served['unprepared']:,.0f}, "
        f"each with weights of its own {found.served['new_weights']:,.0f}"
    )
    for stage, seconds in stages.seconds.items():
        figures[f"{stage}_s"] = figure(round(seconds, 3), None)
        figures[f"{stage}_mb"] = figure(round(stages.megabytes.get(stage, 0)), None)
    print(json.dumps(figures))


def figure(value: float, target: float | None) -> dict[str, object]:
    """A figure, its target, and whether it holds."""
    return {"value": value, "target": target, "holds": target is None or value >= target}


if __name__ == "__main__":
    main()
