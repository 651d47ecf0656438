"""What happens before a request reaches a route: host, size and type of the body are checked, HEAD becomes GET."""

from __future__ import annotations

import re
import zlib

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.errors import BodyTooLarge, EntourageError, InvalidRequest, MalformedBody

JSON = frozenset({"application/json"})
EVENTS = re.compile(r"application/json|text/json|application/[a-z0-9.+-]+\+json")
"""What deliveries may be said to be: JSON of any kind, which no page of another site can send without asking first."""

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
WEBHOOKS = "/v1/webhooks/"
IMPORTS = "/v1/imports"
FILES = JSON | {
    "application/gexf+xml",
    "application/graphml+xml",
    "application/gzip",
    "application/jsonl",
    "application/ndjson",
    "application/octet-stream",
    "application/vnd.apache.parquet",
    "application/x-gzip",
    "application/x-ndjson",
    "application/x-parquet",
    "application/xml",
    "text/csv",
    "text/tab-separated-values",
}
"""What a file may be said to be; its first bytes decide. None of these can be sent by the page of another site without
asking first, as text/plain can, or no type at all."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class Guard:
    """ASGI middleware in front of the application.

    On loopback only names of this machine are answered, so that no web page can reach the API by giving its own name
    this address (DNS rebinding). A body is read up to `max_body_bytes` and no further, whatever its headers say. Files
    to import are not read here: of them only type and encoding are looked at.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, loopback_only: bool) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if self.loopback_only and _name(request.headers.get("host", "")) not in LOOPBACK:
            error: EntourageError = InvalidRequest("This service answers to localhost and 127.0.0.1 only.")
            await problem(error, status=421)(scope, receive, send)
            return
        if request.method not in WITH_BODY:
            await self.app(scope, receive, send)
            return
        if request.method == "POST" and scope["path"] == IMPORTS:
            refused = _refused_file(request)
            if refused is not None:
                await problem(refused, status=415, headers={"Connection": "close"})(scope, receive, send)
                return
            await self.app(scope, receive, send)
            return
        body = await self._body(request, receive)
        if body is None:
            error = BodyTooLarge(f"The body is larger than {self.max_body_bytes} bytes; send less at a time.")
            # The rest of the body is not read, so the connection cannot be used again.
            await problem(error, headers={"Connection": "close"})(scope, receive, send)
            return
        answer = None
        try:
            body = _unpacked(body, request.headers.get("content-encoding", "identity"), self.max_body_bytes)
        except InvalidRequest as error_of_encoding:
            answer = problem(error_of_encoding, status=415)
        except EntourageError as error_of_size:
            answer = problem(error_of_size)
        kind = content_type(request)
        right = EVENTS.fullmatch(kind) if scope["path"].startswith(WEBHOOKS) else kind in JSON
        if answer is None and body and not right:
            answer = problem(InvalidRequest("Send JSON, with Content-Type: application/json."), status=415)
        if answer is not None:
            await answer(scope, receive, send)
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)

    async def _body(self, request: Request, receive: Receive) -> bytes | None:
        """Read the body, or return None as soon as it is too large."""
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > self.max_body_bytes:
            return None
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self.max_body_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)


def content_type(request: Request) -> str:
    """The type of a body as its sender says it, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _refused_file(request: Request) -> InvalidRequest | None:
    """Say why a file is not taken in: its type, or how it is packed."""
    if content_type(request) not in FILES:
        return InvalidRequest(f"Send the file with a Content-Type that is one of {', '.join(sorted(FILES))}.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity", "gzip"):
        return InvalidRequest("Send the file as it is, or with Content-Encoding: gzip.")
    return None


def _unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """Return a body as it was before it was packed, without ever holding more than `most` bytes of it.

    Raises:
        BodyTooLarge: it is larger.
        InvalidRequest: it is packed in a way that is not known.
        MalformedBody: it is not packed as its header says.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise InvalidRequest("Send the body as it is, or with Content-Encoding: gzip.")
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise MalformedBody("The body is not gzip, as its Content-Encoding says.") from None
    if len(unpacked) > most:
        raise BodyTooLarge(f"The body is larger than {most} bytes when it is unpacked; send less at a time.")
    if not unpacking.eof or unpacking.unused_data:
        raise MalformedBody("The body is not one whole gzip stream.")
    return unpacked


class Head:
    """ASGI middleware that answers HEAD as GET is answered, without the body.

    `head` in the state of the request tells a route whose answer would not end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        state = {**scope.get("state", {}), "head": True}
        await self.app({**scope, "method": "GET", "state": state}, receive, send_head)


def _name(host: str) -> str:
    """The host without its port."""
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdigit() else host).lower()
