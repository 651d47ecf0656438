"""What routes share that read published runs: dependencies, which run and page, and looking a community up."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from service.api.access import seen_by
from service.api.paging import read_cursor
from service.api.schemas import NoQuery, PageQuery
from service.domain import Community, CommunityGroup
from service.errors import CommunityNotFound, InvalidRequest
from service.flows.brand_limits import Sees
from service.flows.published import Published, PublishedReader
from service.store.driver import AsyncStore

Answers = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Answers:
    """Declare problem documents of these statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem details (RFC 9457).", "content": content} for status in statuses}


READS: Answers = {304: {"description": "What If-None-Match names is still right."}, **problems(400, 404, 422, 503)}

CHANGING = problems(400, 404, 422, 503)
"""Answers that hold more than a run published: they have no ETag."""


def _store(request: Request) -> AsyncStore:
    store: AsyncStore = request.app.state.store
    return store


def _reader(request: Request) -> PublishedReader:
    reader: PublishedReader = request.app.state.reader
    return reader


StoreDep = Annotated[AsyncStore, Depends(_store)]
ReaderDep = Annotated[PublishedReader, Depends(_reader)]
SeesDep = Annotated[Sees, Depends(seen_by)]
AccountKey = Annotated[str, Path(min_length=1, description="`network:id`; the id may hold slashes.")]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


async def _no_query(_query: Annotated[NoQuery, Query()]) -> None:
    """Refuse every parameter by name, as routes with parameters refuse those that they do not know."""


NO_QUERY = Depends(_no_query)


async def where(reader: PublishedReader, query: PageQuery, question: str) -> tuple[Published, int]:
    """Return the run to read and where to go on; a cursor stays with the run it came from."""
    if query.cursor is None:
        return await reader.published(query.run), 0
    run_id, offset = read_cursor(query.cursor, question)
    if query.run not in (None, run_id):
        raise InvalidRequest(
            f"The cursor pages run {run_id}, and run={query.run} asks for another; send one of the two."
        )
    return await reader.published(run_id), offset


async def find_community(
    reader: PublishedReader, published: Published, community_id: str, sees: Sees
) -> tuple[Community | CommunityGroup, bytes]:
    """Find a community, found or defined, or a group of them, with its line.

    Raises:
        CommunityNotFound: the run has none of this id, or it is of a brand that may not be seen.
    """
    lines = (await reader.part(published.run.id, "communities")).lines
    for one, line in zip(await reader.communities(published.run.id), lines, strict=True):
        if one.id == community_id:
            return one, line
    for one, line in await reader.defined(published.run, sees):
        if one.id == community_id:
            return one, line
    for group, line in await reader.groups(published.run):
        if group.id == community_id:
            return group, line
    raise CommunityNotFound(
        f"There is no community {community_id} in run {published.run.id}; GET /v1/communities lists them."
    )


async def find_single(
    reader: PublishedReader, published: Published, community_id: str, sees: Sees
) -> tuple[Community, bytes]:
    """Find a community, where a group of them cannot answer.

    Raises:
        CommunityNotFound: the run has none of this id, or it is a group.
    """
    found, line = await find_community(reader, published, community_id, sees)
    if isinstance(found, CommunityGroup):
        raise CommunityNotFound(f"{community_id}: {group_has_none(found)}")
    return found, line


def group_has_none(group: CommunityGroup) -> str:
    """Say why a group of communities has no candidates."""
    parts = ", ".join(group.parts[:5]) + (", ..." if len(group.parts) > 5 else "")
    return f"This is a group of communities, and candidates are ranked within one; ask for its parts: {parts}."
