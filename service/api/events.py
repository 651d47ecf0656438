"""Routes of integrations: events pushed by webhook, what became of them, and the sources that may push."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.reading import NO_QUERY, problems
from service.api.schemas import (
    DeliveriesQuery,
    DeliveryList,
    PlatformList,
    Rotation,
    ShownPlatform,
    ShownSource,
    SourceList,
    SourceWithSecret,
    StrictExample,
    StrictNewMapping,
    StrictNewSource,
    StrictReplay,
    StrictRotation,
    as_kept,
    text_of,
)
from service.domain import Delivery, Source, StoreAddress
from service.errors import NotFound
from service.flows.reading import platforms
from service.flows.receiving import Checked, Deliveries, Received, Receiver, Replayed, event_schemas
from service.flows.seals import Sealer
from service.flows.sources import add_source, list_sources, map_source, rotate_source, switch_source
from service.flows.trying import Tried, try_example

T = TypeVar("T")

events = APIRouter()

SourceName = Annotated[str, Path(max_length=64)]


@dataclass(frozen=True)
class Administration:
    """What managing sources needs."""

    address: StoreAddress
    journal: FilePath
    sealer: Sealer
    deliveries: Deliveries

    async def change(self, do: Callable[..., T], *arguments: object, **named: object) -> T:
        """Change sources in a thread; when this returns, deliveries are judged by the change."""
        done = await asyncio.to_thread(do, self.address, self.journal, *arguments, **named)
        await asyncio.to_thread(self.deliveries.refresh)
        return done


def _receiver(request: Request) -> Receiver:
    receiver: Receiver = request.app.state.receiver
    return receiver


def _deliveries(request: Request) -> Deliveries:
    deliveries: Deliveries = request.app.state.deliveries
    return deliveries


def _administration(request: Request) -> Administration:
    administration: Administration = request.app.state.administration
    return administration


ReceiverDep = Annotated[Receiver, Depends(_receiver)]
DeliveriesDep = Annotated[Deliveries, Depends(_deliveries)]
AdministrationDep = Annotated[Administration, Depends(_administration)]

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One event, an array of up to 1,000 of them, or an object whose `events` are such an array; "
        "`GET /v1/event-schemas` has the schema of each kind.",
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
                "example": {
                    "type": "follow.created",
                    "timestamp": "2025-03-01T12:00:00Z",
                    "data": {"follower": "1017", "followee": "2044"},
                },
            },
            "application/activity+json": {"schema": {"type": "object"}},
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    },
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in (
            ("webhook-id", "Id of the delivery; the same for each attempt to send it."),
            ("webhook-timestamp", "When this attempt is made, in seconds since 1970 UTC; at most five minutes off."),
            (
                "webhook-signature",
                "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several with spaces between them.",
            ),
        )
    ],
}
_REFUSED = problems(400, 401, 403, 404, 413, 415, 422)


@events.post(
    "/v1/webhooks/{source}",
    tags=["events"],
    status_code=202,
    responses={
        200: {
            "model": Received,
            "description": "Taken in, as X wants to be told; or what a platform that asks who we are wants to hear.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        202: {"model": Received},
        **_REFUSED,
        **problems(409, 429, 503),
    },
    dependencies=[NO_QUERY],
    openapi_extra=_BODY,
)
async def post_events(request: Request, receiver: ReceiverDep, source: SourceName) -> Response:
    """Push events, signed as Standard Webhooks 1.0 says. What got a 202 is on disk, and will be in the graph.

    A source of a platform (`GET /v1/platforms`) takes what that platform sends, signed as it signs. The three headers
    are those of Standard Webhooks.

    Each event is judged for itself: one that cannot be used is kept as a dead letter, with the reason, and spoils no
    other. Where none can be used, the answer is 422 and nothing is kept, unless a platform sent it. Sent again with the
    same webhook-id and body,
    the answer is the same, and nothing happens twice. 429 and 503 say when to try again.
    """
    answer = await receiver.receive(source, request.headers, await request.body())
    return Response(answer.body, answer.status, media_type="text/plain" if answer.challenge else "application/json")


def _asked(request: Request) -> dict[str, str]:
    """The parameters by which a platform asks; others are refused by name, as everywhere."""
    known = {name for platform in platforms() for name in platform.asks}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        error = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
        raise RequestValidationError([{**error, "loc": ("query", name), "input": None} for name in unknown])
    return dict(request.query_params)


@events.get("/v1/webhooks/{source}", tags=["events"], responses=problems(400, 403, 404, 422, 503))
async def answer_challenge(
    receiver: ReceiverDep, source: SourceName, asked: Annotated[dict[str, str], Depends(_asked)]
) -> dict[str, str]:
    """Answer a platform that asks whether this service knows the secret of the source (X's `crc_token`)."""
    return await receiver.challenged(source, asked)


@events.post(
    "/v1/webhooks/{source}/test",
    tags=["events"],
    response_model=Checked,
    responses={**_REFUSED, **problems(503)},
    dependencies=[NO_QUERY],
    openapi_extra=_BODY,
)
async def test_events(request: Request, receiver: ReceiverDep, source: SourceName) -> Checked:
    """Learn what would become of a delivery, or what is wrong with its signature or events; nothing is kept."""
    return await receiver.check(source, request.headers, await request.body())


@events.get("/v1/event-schemas", tags=["events"], responses=problems(422), dependencies=[NO_QUERY])
async def list_event_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of events, by kind, with an example of each."""
    return event_schemas()


@events.get("/v1/event-schemas/{kind}", tags=["events"], responses=problems(404, 422), dependencies=[NO_QUERY])
async def get_event_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of events."""
    schemas = event_schemas()
    if kind not in schemas:
        raise NotFound(f"There is no kind of events {kind[:80]!r}; there are {', '.join(schemas)}.")
    return schemas[kind]


@events.get("/v1/deliveries", tags=["events"], response_model=DeliveryList, responses=problems(422, 503))
async def list_deliveries(deliveries: DeliveriesDep, query: Annotated[DeliveriesQuery, Query()]) -> DeliveryList:
    """Deliveries that this machine took, latest first, as long as outcomes are kept."""
    found = await asyncio.to_thread(
        deliveries.list, query.state, query.source, query.before, query.limit, dead_letters=query.dead_letters
    )
    return DeliveryList(items=tuple(found), before=found[-1].sequence if len(found) == query.limit else None)


@events.get(
    "/v1/deliveries/{delivery}",
    tags=["events"],
    response_model=Delivery,
    responses=problems(404, 422, 503),
    dependencies=[NO_QUERY],
)
async def get_delivery(deliveries: DeliveriesDep, delivery: str) -> Delivery:
    """What became of a delivery: journaled, applied or dead, with its dead letters and the reason of each."""
    return await asyncio.to_thread(deliveries.get, delivery)


@events.post(
    "/v1/deliveries/replay",
    tags=["events"],
    status_code=202,
    response_model=Replayed,
    responses=problems(400, 404, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def replay_deliveries(deliveries: DeliveriesDep, body: StrictReplay) -> Replayed:
    """Try dead letters again: those of one delivery, or of all that came in a time range."""
    if body.delivery is not None:
        return await asyncio.to_thread(deliveries.replay, body.delivery)
    since, until = body.range_ms()
    return await asyncio.to_thread(deliveries.replay_range, since, until, body.source)


@events.get(
    "/v1/sources", tags=["sources"], response_model=SourceList, responses=problems(422, 503), dependencies=[NO_QUERY]
)
async def get_sources(administration: AdministrationDep) -> SourceList:
    """Who may push events, and when each secret was last used."""
    found = await asyncio.to_thread(list_sources, administration.address)
    return SourceList(items=tuple(shown(one) for one in found))


@events.post(
    "/v1/sources",
    tags=["sources"],
    status_code=201,
    response_model=SourceWithSecret,
    responses=problems(400, 409, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def post_source(administration: AdministrationDep, body: StrictNewSource) -> SourceWithSecret:
    """Make a source. The answer holds its secret, which is not shown again.

    With a platform, what it pushes is read by the adapter of that platform, as the platform sends it.
    """
    source, secret = await administration.change(
        add_source, administration.sealer, body.name, body.network,
        platform=body.platform, mapping=body.reader.mapping, secret=text_of(body.secret),
    )  # fmt: skip
    return SourceWithSecret(source=shown(source), secret=secret if body.secret is None else None)


@events.post(
    "/v1/sources/{source}/rotate",
    tags=["sources"],
    response_model=SourceWithSecret,
    responses=problems(400, 404, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def post_rotation(
    administration: AdministrationDep, source: SourceName, body: StrictRotation | None = None
) -> SourceWithSecret:
    """Give a source a new secret. The one before stays valid until the next rotation, unless `at_once`."""
    asked = Rotation() if body is None else body
    changed, secret = await administration.change(
        rotate_source, administration.sealer, source, at_once=asked.at_once, secret=text_of(asked.secret)
    )
    return SourceWithSecret(source=shown(changed), secret=secret if asked.secret is None else None)


@events.post(
    "/v1/sources/{source}/disable",
    tags=["sources"],
    response_model=ShownSource,
    responses=problems(404, 422, 503),
    dependencies=[NO_QUERY],
)
async def disable_source(administration: AdministrationDep, source: SourceName) -> ShownSource:
    """Take nothing from a source any more; `enable` undoes it."""
    return await _switched(administration, source, disabled=True)


@events.post(
    "/v1/sources/{source}/enable",
    tags=["sources"],
    response_model=ShownSource,
    responses=problems(404, 422, 503),
    dependencies=[NO_QUERY],
)
async def enable_source(administration: AdministrationDep, source: SourceName) -> ShownSource:
    """Let a source push again, with the secrets it has."""
    return await _switched(administration, source, disabled=False)


@events.put(
    "/v1/sources/{source}/mapping",
    tags=["sources"],
    response_model=ShownSource,
    responses=problems(400, 404, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def put_mapping(administration: AdministrationDep, source: SourceName, body: StrictNewMapping) -> ShownSource:
    """Let a source of the platform mapped be read by another mapping; what was taken in before is read as it was."""
    return shown(await administration.change(map_source, source, as_kept(body.mapping)))


@events.post(
    "/v1/sources/try",
    tags=["sources"],
    response_model=Tried,
    responses=problems(400, 413, 415, 422),
    dependencies=[NO_QUERY],
)
async def post_example(body: StrictExample) -> Tried:
    """Learn what would become of something that a platform sends, before there is a source; nothing is kept."""
    example = json.dumps(body.example).encode()
    return await asyncio.to_thread(try_example, body.reader, body.network, example)


@events.get(
    "/v1/platforms", tags=["sources"], response_model=PlatformList, responses=problems(422), dependencies=[NO_QUERY]
)
async def list_platforms() -> PlatformList:
    """The platforms of which sources can be made, and what of each is read."""
    return PlatformList(items=tuple(ShownPlatform.model_validate(one, from_attributes=True) for one in platforms()))


@events.get("/metrics", tags=["system"], responses=problems(422, 503), dependencies=[NO_QUERY])
async def metrics(deliveries: DeliveriesDep) -> Response:
    """Numbers of the journal, in the text format of Prometheus."""
    size = await asyncio.to_thread(deliveries.size)
    numbers = (
        ("pending_deliveries", "Deliveries that wait for the graph.", size.deliveries),
        ("pending_events", "Events in them.", size.events),
        ("pending_bytes", "Bytes of their bodies.", size.bytes),
        ("file_bytes", "Bytes of the journal's files.", size.file_bytes),
        ("dead_letters", "Events that could not be used and were not replayed.", size.dead_letters),
        ("sequence", "Sequence of the latest delivery.", size.sequence),
        ("applied_up_to", "All deliveries up to this sequence are in the graph, or dead.", size.applied_up_to),
        (
            "oldest_pending_timestamp_seconds",
            "When the oldest waiting delivery came; 0 where none waits.",
            0 if size.oldest_received_at is None else size.oldest_received_at / 1000,
        ),
    )
    text = "".join(
        f"# HELP entourage_journal_{name} {meaning}\n# TYPE entourage_journal_{name} gauge\n"
        f"entourage_journal_{name} {value}\n"
        for name, meaning, value in numbers
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _switched(administration: Administration, name: str, *, disabled: bool) -> ShownSource:
    return shown(await administration.change(switch_source, name, disabled=disabled))


def shown(source: Source) -> ShownSource:
    """A source as it may be shown: nothing of its secrets but their ids and times."""
    document = source.model_dump(exclude={"secrets": {"__all__": {"sealed"}}})
    mapping = None if source.mapping is None else json.loads(source.mapping)
    return ShownSource.model_validate(document | {"mapping": mapping})


class AppliedUpTo:
    """ASGI middleware that says in every answer up to which delivery the graph holds what this machine took.

    The header `Entourage-Applied-Up-To` is never ahead of the truth: it may be a fraction of a second behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the header to the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Before the answer is made: what it says of the graph is at least as new.
        applied = scope["app"].state.deliveries.applied_up_to

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and applied is not None:
                MutableHeaders(scope=message)["Entourage-Applied-Up-To"] = str(applied)
            await send(message)

        await self.app(scope, receive, marked)
