"""Answers that were given before, given again as they are: most requests ask what was asked already."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.flows.published import PublishedReader, age_s

REMEMBERED_BYTES = 64 * 2**20
"""Bodies of answers that are kept; the least recently used go first."""

WORTH_PACKING = 1_024
"""Smaller bodies are sent as they are."""


@dataclass
class Answer:
    """An answer: the run it comes from, whether a request named that run, its ETag, its body, and the run's end; the
    version of the names of communities in it, None where it has none; the epoch of the mask of who may not be named.
    """

    run_id: str
    pinned: bool
    etag: bytes
    body: bytes
    finished_at: datetime | None
    names: int | None = None
    masks: str = ""
    packed: bytes | None = None

    def gzipped(self) -> bytes:
        """The body as gzip, packed once."""
        if self.packed is None:
            self.packed = gzip.compress(self.body, 6, mtime=0)
        return self.packed


class Answers:
    """Answers by path and query, as one service process gave them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()
        self._bytes = 0

    def get(self, path: str, query: bytes) -> Answer | None:
        """Return what was answered to this question lately, whatever run is current now."""
        found = self._kept.get((path, query))
        if found is not None:
            self._kept.move_to_end((path, query))
        return found

    def keep(self, path: str, query: bytes, answer: Answer) -> None:
        """Keep an answer."""
        self.drop(path, query)
        self._kept[path, query] = answer
        self._bytes += len(answer.body)
        while self._bytes > REMEMBERED_BYTES and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)

    def drop(self, path: str, query: bytes) -> None:
        """Forget an answer."""
        dropped = self._kept.pop((path, query), None)
        if dropped is not None:
            self._bytes -= len(dropped.body)


class Remembered:
    """ASGI middleware that gives remembered answers, without parameters being read again.

    An answer stands while the run it comes from is current, which is asked for every request as the routes ask it, or
    where the request names the run: runs never change. Only whole answers of published runs are kept (`paging.answer`);
    nothing is remembered of what Neo4j is asked for each time, nor of what is answered to keys of some brands.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        state = scope["app"].state
        answers: Answers = state.answers
        found = answers.get(scope["path"], scope["query_string"])
        if found is None or scope.get("state", {}).get("sees") is not None:
            await self.app(scope, receive, send)
            return
        reader: PublishedReader = state.reader
        if not await _stands(found, reader):
            answers.drop(scope["path"], scope["query_string"])
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("if-none-match")
        age = [(name.lower().encode(), value.encode()) for name, value in age_header(found.finished_at).items()]
        sent = [(b"cache-control", b"no-cache"), (b"vary", b"accept-encoding"), *age]
        if given is not None and names(given, found.etag.decode()):
            await _send(send, 304, [*sent, (b"etag", found.etag)], b"")
            return
        body = found.body
        if len(body) >= WORTH_PACKING and accepts_gzip(headers.get("accept-encoding", "")):
            body = found.gzipped()
            sent.append((b"content-encoding", b"gzip"))
        sent += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"etag", found.etag),
        ]
        await _send(send, 200, sent, body)


async def _stands(answer: Answer, reader: PublishedReader) -> bool:
    """Whether an answer is still right: of the current run, or the one it was asked of, with names as they are now, and
    naming nobody who does not want to be named any more.
    """
    current = await reader.current()
    if (await reader.mask(current)).epoch != answer.masks:
        return False
    if current is None:  # Neo4j does not answer, which the answer then has to say
        return answer.pinned
    return (answer.pinned or answer.run_id == current.run) and answer.names in (None, current.names)


def age_header(finished_at: datetime | None) -> dict[str, str]:
    """The header that says how old the run of an answer is, as it is sent."""
    age = age_s(finished_at)
    return {} if age is None else {"Entourage-Run-Age": str(age)}


def names(given: str, etag: str) -> bool:
    """Whether an If-None-Match names an ETag; weak or strong does not matter there."""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return given.strip() == "*" or etag.removeprefix("W/") in tags


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding takes gzip: named, or by `*`, and not with a quality of 0."""
    quality: dict[str, float] = {}
    for one in header.lower().split(","):
        coding, _, weight = one.partition(";")
        try:
            quality[coding.strip()] = float(weight.partition("=")[2] or 1)
        except ValueError:
            quality[coding.strip()] = 0.0
    return quality.get("gzip", quality.get("*", 0.0)) > 0


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
