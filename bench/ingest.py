"""Events pushed into a real service: how fast they are acknowledged, applied and visible, beside a bare MERGE loop.

    python -m bench.ingest
    python -m bench.ingest --deliveries 20000 --batches 100

One service (`entourage serve` with its own embedded Neo4j) takes everything; its load generator runs on the same
machine. The peer writes the same batches of follows with the same driver and nothing else: UNWIND, MERGE of both
accounts, MERGE of the follow.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import psutil
import uvloop

from service.adapters.standard_webhooks import sign
from service.settings import Settings
from tests.serving import Service, wait_for

WARM_UP = 40
BARE = """
UNWIND $rows AS row
MERGE (a:Account {key: row.follower})
MERGE (b:Account {key: row.followee})
MERGE (a)-[f:FOLLOWS]->(b)
SET f.at = datetime({epochMillis: row.at})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=10_000, help="of one event each")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batches", type=int, default=100, help="of 1,000 follows each")
    parser.add_argument("--accounts", type=int, default=50_000, help="among which follows are drawn")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measured(Path(folder), given))


async def measured(folder: Path, given: argparse.Namespace) -> None:
    print(f"disk sync: {disk_sync_ms(folder):.2f} ms (median of 200)")
    service = Service(
        {
            "ENTOURAGE_DATA_DIR": str(folder / "data"),
            "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
            "ENTOURAGE_NEO4J_PORT": "7780",
        },
        folder,
    )
    try:
        secret = service.client.post("/v1/sources", json={"name": "bench", "network": "t"}).json()["secret"]
        rng = random.Random(1)
        events = follows(rng, given.accounts)

        single = [[next(events)] for _ in range(given.deliveries)]
        latencies, seconds = await push(service.url, secret, single, given.connections)
        rate = len(single) / seconds
        print(
            f"one event a delivery, {given.connections} connections: {rate:,.0f} acknowledged/s, "
            f"p50 {1e3 * quantile(latencies, 0.5):.1f} ms, p99 {1e3 * quantile(latencies, 0.99):.1f} ms"
        )
        applied(service)

        def drawn(count: int) -> list[list[dict[str, Any]]]:
            return [[next(events) for _ in range(1_000)] for _ in range(count)]

        # Both write to a warm server that knows most of the accounts.
        await push(service.url, secret, drawn(WARM_UP), 4)
        applied(service)
        bare_loop(folder / "data" / "neo4j", drawn(WARM_UP))
        batches = drawn(given.batches)
        start = time.perf_counter()
        latencies, seconds = await push(service.url, secret, batches, 4)
        applied(service)
        whole = time.perf_counter() - start
        edges = 1_000 * len(batches)
        print(
            f"batches of 1,000: {edges / seconds:,.0f} edges/s acknowledged (p99 "
            f"{1e3 * quantile(latencies, 0.99):.0f} ms), {edges / whole:,.0f} edges/s applied"
        )
        bare = edges / bare_loop(folder / "data" / "neo4j", drawn(given.batches))
        print(f"bare UNWIND/MERGE loop: {bare:,.0f} edges/s; ours is {edges / whole / bare:.2f} times that")

        half = [[next(events)] for _ in range(int(rate / 2 * 10))]
        seen, taken = await visible(service, folder, secret, half, rate / 2, given.connections)
        print(
            f"acknowledged at {rate / 2:,.0f} deliveries/s: p50 {1e3 * quantile(taken, 0.5):.1f} ms, "
            f"p99 {1e3 * quantile(taken, 0.99):.1f} ms"
        )
        print(
            f"visible in the graph after acknowledgement, at {rate / 2:,.0f} deliveries/s: "
            f"p50 {quantile(seen, 0.5):.2f} s, p99 {quantile(seen, 0.99):.2f} s ({len(seen)} looked at)"
        )
    finally:
        service.close()


def disk_sync_ms(folder: Path) -> float:
    times = []
    with (folder / "sync").open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def follows(rng: random.Random, accounts: int) -> Iterator[dict[str, Any]]:
    """Follows whose followees are popular to very different degrees."""
    at = 1_700_000_000
    while True:
        a, b = rng.randrange(accounts), int(accounts * rng.random() ** 3)
        if a != b:
            at += 1
            yield {"type": "follow.created", "timestamp": at % 1_750_000_000, "data": {"follower": a, "followee": b}}


_NUMBERS = iter(range(10**9))


async def push(
    url: str, secret: str, deliveries: list[list[dict[str, Any]]], connections: int
) -> tuple[list[float], float]:
    """Push deliveries on so many connections; return the seconds that each took, and all together."""
    bodies = iter([json.dumps(events if len(events) > 1 else events[0]).encode() for events in deliveries])
    latencies: list[float] = []

    async def work() -> None:
        async with Connection(url, secret) as connection:
            for body in bodies:
                start = time.perf_counter()
                await connection.post(body)
                latencies.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return latencies, time.perf_counter() - start


class Connection:
    """One kept connection that pushes signed deliveries."""

    def __init__(self, url: str, secret: str) -> None:
        self.host, self.port = url.removeprefix("http://").split(":")
        self.secret = secret

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection(self.host, int(self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def post(self, body: bytes) -> dict[str, Any]:
        webhook_id, now = f"m{next(_NUMBERS)}", int(time.time())
        self.writer.write(
            f"POST /v1/webhooks/bench HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"webhook-id: {webhook_id}\r\nwebhook-timestamp: {now}\r\n"
            f"webhook-signature: {sign(self.secret, webhook_id, now, body)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await self.reader.readexactly(length)
        assert b" 202 " in head[:20], (head, answer[:300])
        document: dict[str, Any] = json.loads(answer)
        return document


def applied(service: Service) -> None:
    """Wait until all that was acknowledged is in the graph."""

    def all_of_it() -> bool:
        numbers = dict(
            line.split() for line in service.client.get("/metrics").text.splitlines() if not line.startswith("#")
        )
        return numbers["entourage_journal_sequence"] == numbers["entourage_journal_applied_up_to"]

    wait_for(all_of_it, "all to be applied", 600)


def driver_of(home: Path) -> neo4j.Driver:
    java = next(
        process for process in psutil.process_iter(["cmdline"])
        if f"--home-dir={home}" in (process.info["cmdline"] or [])
    )  # fmt: skip
    port = next(one.laddr.port for one in java.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    return neo4j.GraphDatabase.driver(
        f"bolt://127.0.0.1:{port}", auth=("neo4j", (home / "password").read_text().strip())
    )


def bare_loop(home: Path, batches: list[list[dict[str, Any]]]) -> float:
    """Seconds in which a loop without any promise writes the batches."""
    with driver_of(home) as driver, driver.session() as session:
        start = time.perf_counter()
        for batch in batches:
            rows = [
                {
                    "follower": f"t:{event['data']['follower']}",
                    "followee": f"t:{event['data']['followee']}",
                    "at": event["timestamp"] * 1000,
                }
                for event in batch
            ]
            session.execute_write(lambda tx, rows=rows: tx.run(BARE, rows=rows).consume())
        return time.perf_counter() - start


async def visible(
    service: Service, folder: Path, secret: str, deliveries: list[list[dict[str, Any]]], rate: float, connections: int
) -> tuple[list[float], list[float]]:
    """Push at a rate, and look for every fiftieth follow in the graph until it is there.

    Returns the seconds that each of these took after its acknowledgement, and those of all acknowledgements.
    """
    latencies: list[float] = []
    looked: list[asyncio.Task[float]] = []
    with driver_of(folder / "data" / "neo4j") as driver:

        def there(follower: str) -> bool:
            with driver.session() as session:
                return bool(session.run("MATCH (a:Account {key: $key})-[:FOLLOWS]->() RETURN 1", key=follower).single())

        async def look(follower: str) -> float:
            start = time.perf_counter()
            while not await asyncio.to_thread(there, follower):
                await asyncio.sleep(0.02)
            return time.perf_counter() - start

        opened = [await Connection(service.url, secret).__aenter__() for _ in range(connections)]
        queue: asyncio.Queue[int | None] = asyncio.Queue()

        async def work(connection: Connection) -> None:
            while (number := await queue.get()) is not None:
                event = deliveries[number][0]
                marked = number % 50 == 0
                if marked:
                    event["data"]["follower"] = f"new{number}"
                begun = time.perf_counter()
                await connection.post(json.dumps(event).encode())
                latencies.append(time.perf_counter() - begun)
                if marked:
                    looked.append(asyncio.create_task(look(f"t:new{number}")))

        tasks = [asyncio.create_task(work(one)) for one in opened]
        start = time.perf_counter()
        for number in range(len(deliveries)):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            queue.put_nowait(number)
        for _ in tasks:
            queue.put_nowait(None)
        await asyncio.gather(*tasks)
        seen = await asyncio.gather(*looked)
        for one in opened:
            await one.__aexit__()
    return list(seen), latencies


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
