"""What happens before a request reaches a route: host, size and type of the body are checked, HEAD becomes GET."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.errors import BodyTooLarge, EntourageError, InvalidRequest

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class Guard:
    """ASGI middleware in front of the application.

    On loopback only names of this machine are answered, so that no web page can reach the API by giving its own name
    this address (DNS rebinding). A body is read up to `max_body_bytes` and no further, whatever its headers say.
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
        if request.method not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        body = await self._body(request, receive)
        if body is None:
            error = BodyTooLarge(f"The body is larger than {self.max_body_bytes} bytes; send less at a time.")
            # The rest of the body is not read, so the connection cannot be used again.
            await problem(error, headers={"Connection": "close"})(scope, receive, send)
            return
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if body and kind != "application/json":
            error = InvalidRequest("Send JSON, with Content-Type: application/json.")
            await problem(error, status=415)(scope, receive, send)
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


class Head:
    """ASGI middleware that answers HEAD as GET is answered, without the body."""

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

        await self.app({**scope, "method": "GET"}, receive, send_head)


def _name(host: str) -> str:
    """The host without its port."""
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdigit() else host).lower()
