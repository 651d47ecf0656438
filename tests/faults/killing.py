"""Deliveries pushed into a real service whose processes are killed again and again.

    python -m tests.faults.killing 200

kills API, writer or Neo4j 200 times at random moments under load, and says what was lost, twice, or in parts.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
from pydantic import SecretStr

from service.adapters.standard_webhooks import sign
from service.domain import StoreAddress
from service.errors import StoreError
from service.settings import Settings
from service.store.driver import Store
from tests.plain_events import PlainGraph
from tests.serving import Service, wait_for

SENDERS = 4
VICTIMS = ("api", "writer", "neo4j")


@dataclass
class Outcome:
    """What killing found out."""

    kills: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    attempts: int = 0
    lost: int = 0
    wrong: int = 0
    in_parts: int = 0
    likes: int = 0
    looked: int = 0


def delivery(number: int, rng: random.Random) -> list[dict[str, Any]]:
    """Events of one delivery: follows of an account of its own, one like, maybe an unfollow, maybe one bad event.

    Likes are of many pairs and days, so that what is known of one does not grow with the length of the test.
    """
    who = f"d{number}"
    events: list[dict[str, Any]] = [
        {"type": "follow.created", "timestamp": 1_000 + number, "data": {"follower": who, "followee": f"h{i}"}}
        for i in range(1, 2 + number % 5)
    ]
    events.append(
        {
            "type": "interaction.recorded",
            "timestamp": number // 500 * 86_400,
            "data": {"id": who, "account": f"fan{number % 500}", "target": "hub", "kind": "like"},
        }
    )
    pair = {"follower": f"u{rng.randrange(20)}", "followee": f"u{20 + rng.randrange(20)}"}
    kind = rng.choice(["follow.created", "follow.deleted"])
    events.append({"type": kind, "timestamp": rng.randrange(1, 1_000), "data": pair})
    if rng.random() < 0.2:
        events.append({"type": "follow.created", "data": {"follower": who}})
    return events


class Load:
    """Senders that push deliveries until they are told to end; each is sent until it is acknowledged."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secret = url, secret
        self.acknowledged: dict[int, list[dict[str, Any]]] = {}
        self.sequence = self.attempts = self.numbers = 0
        self.refused: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(i,)) for i in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self.threads:
            thread.join()

    def _send(self, seed: int) -> None:
        rng = random.Random(seed)
        client = httpx2.Client(base_url=self.url, timeout=20.0)
        while not self._ended.is_set():
            with self._lock:
                self.numbers += 1
                number = self.numbers
            events = delivery(number, rng)
            body = json.dumps(events).encode()
            while True:
                now = int(time.time())
                headers = {
                    "webhook-id": f"m{number}", "webhook-timestamp": str(now), "content-type": "application/json",
                    "webhook-signature": sign(self.secret, f"m{number}", now, body),
                }  # fmt: skip
                with self._lock:
                    self.attempts += 1
                try:
                    answer = client.post("/v1/webhooks/load", content=body, headers=headers)
                except httpx2.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    break
                self.refused[answer.status_code] += 1
                time.sleep(0.1)
            with self._lock:
                self.acknowledged[number] = events
                self.sequence = max(self.sequence, answer.json()["sequence"])
            time.sleep(rng.random() * 0.05)
        client.close()


def killed(folder: Path, cycles: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Kill one process a cycle under load, let all of it come back, and compare the graph with the plain model."""
    environment = {
        "ENTOURAGE_DATA_DIR": str(folder / "data"),
        "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
        "ENTOURAGE_NEO4J_PORT": "7760",
        "ENTOURAGE_NEO4J_HEAP_MB": "512",
        "ENTOURAGE_NEO4J_PAGE_CACHE_MB": "128",
        "ENTOURAGE_JOURNAL_MIN_FREE_MB": "0",
    }
    rng = random.Random(seed)
    outcome = Outcome()
    service = Service(environment, folder)
    load = None
    try:
        secret = service.client.post("/v1/sources", json={"name": "load", "network": "t"}).json()["secret"]
        address = _address(folder / "data" / "neo4j")
        load = Load(service.url, secret)
        for cycle in range(cycles):
            first = load.numbers
            time.sleep(rng.uniform(0.3, 1.5))
            victim = VICTIMS[cycle % 3] if cycle < 3 else rng.choice(VICTIMS)
            process = _neo4j(folder / "data" / "neo4j") if victim == "neo4j" else service.child(f"_{victim}")
            process.kill()
            outcome.kills[victim] += 1
            if victim == "neo4j":
                acknowledged = len(load.acknowledged)
                wait_for(lambda before=acknowledged: len(load.acknowledged) > before + 5, "202 while Neo4j is away")
            wait_for(lambda: service.client.get("/health/ready").status_code == 200, f"{victim} to come back", 180)
            outcome.in_parts += _in_parts(address, first, load.numbers, outcome)
            say(f"{cycle + 1} of {cycles}: {victim} killed, {len(load.acknowledged):,} deliveries acknowledged")
        load.end()
        last = load.sequence
        wait_for(lambda: service.get("/health/ready")["applied_up_to"] >= last, "all to be applied", 180)
        assert set(load.refused) <= {503, 429}, load.refused
        outcome.deliveries, outcome.attempts = len(load.acknowledged), load.attempts
        _compare(address, load.acknowledged, outcome)
        dead = sum("followee" not in event["data"] and "follower" in event["data"]
                   for events in load.acknowledged.values() for event in events)  # fmt: skip
        kept = service.client.get("/metrics").text
        assert f"entourage_journal_dead_letters {dead}\n" in kept, "each bad event is one dead letter"
        assert service.end() == 0
    finally:
        if load is not None:
            load.end()
        service.close()
    return outcome


def _neo4j(home: Path) -> psutil.Process:
    def find() -> psutil.Process | None:
        for process in psutil.process_iter(["cmdline"]):
            if f"--home-dir={home}" in (process.info["cmdline"] or []):
                return process
        return None

    found: psutil.Process = wait_for(find, "Neo4j")
    return found


def _address(home: Path) -> StoreAddress:
    port = next(
        one.laddr.port for one in _neo4j(home).net_connections("tcp") if one.status == psutil.CONN_LISTEN
    )  # fmt: skip
    return StoreAddress(f"bolt://127.0.0.1:{port}", "neo4j", SecretStr((home / "password").read_text().strip()))


def _in_parts(address: StoreAddress, first: int, last: int, outcome: Outcome) -> int:
    """How many of the deliveries of these numbers are in the graph with some of their follows only, now."""
    try:
        with Store(address) as store:
            rows = store.statement(
                "UNWIND range($first, $last) AS number MATCH (a:Account {key: 't:d' + number})-[:FOLLOWS]->() "
                "RETURN a.key AS key, count(*) AS n",
                first=first, last=last,
            )  # fmt: skip
    except StoreError:
        return 0
    outcome.looked += 1
    return sum(row["n"] != 1 + int(row["key"][3:]) % 5 for row in rows)


def _compare(address: StoreAddress, acknowledged: dict[int, list[dict[str, Any]]], outcome: Outcome) -> None:
    plain = PlainGraph()
    for events in acknowledged.values():
        for event in events:
            if event["type"].startswith("follow.") and "followee" in event["data"]:
                plain.add(event)
    follows, tombstones = plain.standing()
    with Store(address) as store:
        rows = store.statement(
            "MATCH (a:Account)-[r:FOLLOWS|UNFOLLOWED]->(b:Account) "
            "RETURN a.key AS a, b.key AS b, type(r) AS type, r.at.epochMillis AS at"
        )
        outcome.likes = store.statement("MATCH ()-[e:ENGAGED]->() RETURN sum(e.likes) AS n")[0]["n"]
    there = {(row["a"], row["b"], row["type"]): row["at"] for row in rows}
    expected = {(*pair, "FOLLOWS"): at for pair, (at, _) in follows.items()}
    expected |= {(*pair, "UNFOLLOWED"): at for pair, at in tombstones.items()}
    outcome.lost = len(expected.keys() - there.keys())
    outcome.wrong = (
        len(there.keys() - expected.keys())
        + (len(rows) - len(there))
        + sum(at != there[pair] for pair, at in expected.items() if pair in there)
    )


def main() -> None:
    cycles = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        print(killed(Path(folder), cycles, seed=int(time.time()), say=lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
