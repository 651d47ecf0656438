"""A small load generator: questions over HTTP on kept connections, as fast as one process can ask.

    python -m bench.asking HOST PORT SECONDS CONNECTIONS GZIP < paths

reads one path a line, asks them in turn on every connection, and prints one JSON object: answers, seconds, bytes of an
answer as sent, and how many were no 200.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator

import uvloop


class Asker(asyncio.Protocol):
    """One connection that asks the next question when the last was answered."""

    def __init__(self, paths: Iterator[str], head: str, until: float, done: asyncio.Future[None]) -> None:
        self.paths, self.head, self.until, self.done = paths, head, until, done
        self.answers = self.bytes = self.wrong = 0
        self.buffer = bytearray()
        self.missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        path = next(self.paths, None)
        if path is None or time.perf_counter() > self.until:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.transport.write(f"GET {path} HTTP/1.1\r\n{self.head}\r\n".encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self.missing < 0:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            self.wrong += b" 200 " not in head[:15]
            self.missing = length - (len(self.buffer) - end - 4)
            self.buffer.clear()
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self.missing = -1
            self.answers += 1
            self.ask()


async def asked(
    host: str, port: int, seconds: float, connections: int, gzip: bool, paths: list[str]
) -> dict[str, float]:
    """Ask for so many seconds, over and over where there are fewer paths; each path once for 0 seconds."""
    loop = asyncio.get_running_loop()
    questions = iter(paths) if seconds == 0 else itertools.cycle(paths)
    head = f"Host: {host}:{port}\r\n" + ("Accept-Encoding: gzip\r\n" if gzip else "")
    begin = time.perf_counter()
    until = begin + (seconds or 3600)
    askers = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        _, asker = await loop.create_connection(
            lambda done=done: Asker(questions, head, until, done),
            host,
            port,  # type: ignore[misc]
        )
        askers.append(asker)
    await asyncio.gather(*(asker.done for asker in askers))
    answers = sum(asker.answers for asker in askers)
    return {
        "answers": answers,
        "seconds": time.perf_counter() - begin,
        "bytes": sum(asker.bytes for asker in askers) / max(answers, 1),
        "wrong": sum(asker.wrong for asker in askers),
    }


def main() -> None:
    host, port, seconds, connections, gzip = sys.argv[1:]
    paths = sys.stdin.read().split()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(asked(host, int(port), float(seconds), int(connections), gzip == "1", paths))))


if __name__ == "__main__":
    main()
