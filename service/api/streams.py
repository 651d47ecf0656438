"""What a watch brings, as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.flows.watching import Followed, Watch, has_ended

EVENT_STREAM = "text/event-stream"
RETRY_MS = 2_000
"""How long a client should wait before it connects again."""

T = TypeVar("T", bound=Followed)


async def followed(request: Request, watch: Watch[T], last_event_id: str | None, shown: Callable[[T], str]) -> Response:
    """Answer with what a watch brings; 204 where it has ended, and the client knows.

    Args:
        request: who asks; HEAD gets the headers only.
        watch: is closed, however this ends.
        last_event_id: of the last event that came, as the client says.
        shown: the data of an event, as JSON.
    """
    if has_ended(watch.watched) and watch.moment == last_event_id:
        watch.close()
        return Response(status_code=204)  # a browser connects no more
    stream = _EventStream(watch, last_event_id, shown)
    if request.scope.get("state", {}).get("head"):
        watch.close()
        return Response(headers=dict(stream.headers))
    return stream


class _EventStream(StreamingResponse):
    """Server-Sent Events. However the stream ends, the watch is closed with it."""

    def __init__(self, watch: Watch[T], known: str | None, shown: Callable[[T], str]) -> None:
        self._close = watch.close
        # Proxies are told to pass on each event as it comes.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_events(watch, known, shown), media_type=EVENT_STREAM, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until what is watched ends or the client goes away."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


async def _events(watch: Watch[T], known: str | None, shown: Callable[[T], str]) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    async for one in watch.news(known):
        if one is None:
            yield ": nothing new\n\n"
        else:
            name = one.state if has_ended(one) else "progress"
            yield f"event: {name}\nid: {watch.moment}\ndata: {shown(one)}\n\n"
