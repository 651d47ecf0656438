"""Routes about accounts that do not want to be named, or known: opting out, erasure, receipts."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.events import AdministrationDep, DeliveriesDep
from service.api.reading import NO_QUERY, AccountKey, ReaderDep, StoreDep, problems
from service.api.schemas import ErasureList, ErasuresQuery, OptedOut, StrictOptOut
from service.domain import Erasure
from service.flows.erasing import ask_erasure, erasure_by_id, latest_erasures, opt_out
from service.flows.published import PublishedReader

erasures = APIRouter(prefix="/v1", tags=["privacy"])


@erasures.delete(
    "/accounts/{key:path}",
    status_code=202,
    response_model=Erasure,
    responses={
        200: {"model": Erasure, "description": "It was erased before."},
        **problems(404, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def delete_account(
    store: StoreDep, deliveries: DeliveriesDep, reader: ReaderDep, response: Response, key: AccountKey
) -> Erasure:
    """Erase an account, for ever: it is in no answer from now on, and removed from all that is kept within minutes.

    Follow `Location` until `state` is done: the receipt counts what was removed, and does not say of whom. What comes
    about the account later, by events or imports, is dropped. Asked again, the answer is the same erasure. While Neo4j
    is away nobody knows whether there is such an account, and the wish is kept.
    """
    erasure = await ask_erasure(store, deliveries, key)
    await reader.mask()  # which remembers it until what was read before is forgotten
    response.status_code = 200 if erasure.state == "done" else 202
    response.headers["Location"] = f"/v1/erasures/{erasure.id}"
    return erasure


@erasures.patch(
    "/accounts/{key:path}",
    response_model=OptedOut,
    responses=problems(400, 404, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def patch_account(administration: AdministrationDep, key: AccountKey, body: StrictOptOut) -> OptedOut:
    """Let an account opt out, or take that back. Who opted out stays in the graph, and is in no answer as a candidate.

    It holds at once for all that was published, evidence of others too, and for every analysis from then on.
    """
    await asyncio.to_thread(opt_out, administration.address, key, body.opted_out)
    return OptedOut(key=key, opted_out=body.opted_out)


@erasures.get("/erasures", response_model=ErasureList, responses=problems(422, 503))
async def list_erasures(store: StoreDep, query: Annotated[ErasuresQuery, Query()]) -> ErasureList:
    """Receipts of erasures, those asked for last first. Where Neo4j does not know of one yet, it is not among them."""
    return ErasureList(items=tuple(await latest_erasures(store, query.limit)))


@erasures.get("/erasures/{erasure}", response_model=Erasure, responses=problems(404, 422, 503), dependencies=[NO_QUERY])
async def get_erasure(store: StoreDep, deliveries: DeliveriesDep, erasure: str) -> Erasure:
    """The receipt of an erasure: how far it is, and what was removed."""
    return await erasure_by_id(store, deliveries, erasure)


class Unnamed:
    """ASGI middleware that lets no answer name an account while it is being erased, whatever route gives it.

    What was published is masked as it is read; this is for the rest. Afterwards nothing is left that could be named.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and clean its answer where it is JSON."""
        if scope["type"] != "http" or (erasing := _reader(scope).erasing) is None:
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def cleaned(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            headers = MutableHeaders(scope=start)
            # What is streamed, which has no length, is too long to be held.
            if not headers.get("content-type", "").startswith("application/json") or "content-length" not in headers:
                await send(message)
                return
            if message["type"] == "http.response.start":
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            if "content-encoding" not in headers:
                said = erasing.cleaned(bytes(body))
                body[:] = said
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})

        await self.app(scope, receive, cleaned)


def _reader(scope: Scope) -> PublishedReader:
    reader: PublishedReader = scope["app"].state.reader
    return reader
