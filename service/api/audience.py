"""Routes about audiences: of an account, a community, or a brand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response

from service.api.audience_schemas import AudienceAnswer, AudienceQuery
from service.api.paging import answer, encoded
from service.api.reading import CHANGING, AccountKey, ReaderDep, SeesDep, StoreDep, find_single
from service.errors import BrandNotFound
from service.flows.audience import Audience, AudienceKind, about_audience, audience_of, overlap, parse_audience
from service.flows.brand_limits import Sees
from service.flows.published import Published, PublishedReader
from service.store.driver import AsyncStore

audiences = APIRouter(prefix="/v1")

Asked = Annotated[AudienceQuery, Query()]


@audiences.get(
    "/accounts/{key:path}/audience", tags=["accounts"], responses={200: {"model": AudienceAnswer}, **CHANGING}
)
async def get_account_audience(
    request: Request, store: StoreDep, reader: ReaderDep, sees: SeesDep, key: AccountKey, query: Asked
) -> Response:
    """Who follows an account: when to reach them, how they grow, who left, who they are, and how they are connected.

    All of it is as the graph has it now, up to the day of the run's data.
    """
    return await _answer(request, store, reader, sees, "account", key, query)


@audiences.get(
    "/communities/{community_id}/audience",
    tags=["communities"],
    responses={200: {"model": AudienceAnswer}, **CHANGING},
)
async def get_community_audience(
    request: Request, store: StoreDep, reader: ReaderDep, sees: SeesDep, community_id: str, query: Asked
) -> Response:
    """The same of the members of a community."""
    return await _answer(request, store, reader, sees, "community", community_id, query)


@audiences.get("/brands/{brand}/audience", tags=["brands"], responses={200: {"model": AudienceAnswer}, **CHANGING})
async def get_brand_audience(
    request: Request,
    store: StoreDep,
    reader: ReaderDep,
    sees: SeesDep,
    brand: Annotated[str, Path(min_length=1, max_length=500)],
    query: Asked,
) -> Response:
    """The same of who follows any of a brand's own accounts."""
    return await _answer(request, store, reader, sees, "brand", brand, query)


async def _answer(
    request: Request,
    store: AsyncStore,
    reader: PublishedReader,
    sees: Sees,
    kind: AudienceKind,
    key: str,
    query: AudienceQuery,
) -> Response:
    published = await reader.published(query.run)
    mask = await reader.mask()  # of the graph as it is now, and not only since the run
    audience = await _audience(store, reader, published, sees, kind, key)
    other = None
    if query.other is not None and (asked := parse_audience(query.other)) is not None:
        other = await _audience(store, reader, published, sees, *asked)
    for one in (audience, other):
        if one is not None and one.kind == "account":
            mask = mask.without(one.key)
    about = await about_audience(store, published.run, audience, ZoneInfo(query.tz), mask)
    about["overlap"] = None if other is None else await asyncio.to_thread(overlap, audience, other)
    return answer(request, replace(published, mask=mask), encoded(about), changing=True)


async def _audience(
    store: AsyncStore, reader: PublishedReader, published: Published, sees: Sees, kind: AudienceKind, key: str
) -> Audience:
    """Read an audience, where there is one that may be seen.

    Raises:
        AccountNotFound: there is no such account, or it is to be erased.
        CommunityNotFound: the run has no such community, or it is a group, or of a brand that may not be seen.
        BrandNotFound: the run knows no such brand, or it may not be seen.
    """
    run = published.run
    if kind == "community":
        community, _ = await find_single(reader, published, key, sees)
        return await audience_of(store, run, kind, key, community.label, community)
    if kind == "brand":
        brands = await reader.brands(run.id, sees)
        if key not in brands:
            raise BrandNotFound(f"Run {run.id} knows no brand {key}; GET /v1/brands lists those it knows.")
        return await audience_of(store, run, kind, key, brands[key])
    account = await reader.account(run.id, key)
    own = next((one["community"]["id"] for one in account["memberships"] if one.get("primary", True)), None)
    communities = await reader.communities(run.id)
    community_of_it = next((one for one in communities if one.id == own), None)
    return await audience_of(store, run, kind, key, account["account"].get("handle"), community_of_it)
