"""The routes of version 1. Each asks one flow and puts the answer together; nothing is computed here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from service.api.paging import answer, page, read_cursor
from service.api.schemas import (
    AccountAnswer,
    AmbassadorPage,
    AmbassadorsQuery,
    CommunitiesQuery,
    CommunityAnswer,
    CommunityPage,
    Health,
    NoQuery,
    PageQuery,
    ReadQuery,
    StrictRunRequest,
)
from service.domain import MEASURED_PROPERTIES, PART_NAMES, Community, CommunityGroup, Run, RunEstimate
from service.errors import CommunityNotFound, InvalidRequest, NotFound
from service.flows.estimates import estimate_requested
from service.flows.importing import line_schemas
from service.flows.published import Published, PublishedReader
from service.flows.requests import check_ready, request_run, run_by_id
from service.store.driver import AsyncStore

Answers = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Answers:
    """Declare problem documents of these statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem details (RFC 9457).", "content": content} for status in statuses}


READS: Answers = {304: {"description": "What If-None-Match names is still right."}, **problems(400, 404, 422, 503)}

v1 = APIRouter(prefix="/v1")
health = APIRouter(prefix="/health", tags=["system"])


def _store(request: Request) -> AsyncStore:
    store: AsyncStore = request.app.state.store
    return store


def _reader(request: Request) -> PublishedReader:
    reader: PublishedReader = request.app.state.reader
    return reader


StoreDep = Annotated[AsyncStore, Depends(_store)]
ReaderDep = Annotated[PublishedReader, Depends(_reader)]


async def _no_query(_query: Annotated[NoQuery, Query()]) -> None:
    """Refuse every parameter by name, as routes with parameters refuse those that they do not know."""


NO_QUERY = Depends(_no_query)


@v1.post(
    "/runs",
    tags=["runs"],
    status_code=202,
    response_model=Run | RunEstimate,
    responses={
        200: {
            "model": Run | RunEstimate,
            "description": "The run that answers already, or what `dry_run` asks for.",
        },
        **problems(400, 409, 413, 415, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def post_run(
    request: Request,
    store: StoreDep,
    body: StrictRunRequest,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Run | RunEstimate:
    """Ask for an analysis; it is carried out by the engine. Follow `Location` until its state is done or failed.

    Asked again of an unchanged graph, or with the same Idempotency-Key, the run that is there is returned with 200.
    With `dry_run` nothing is asked for, and no key remembered: the answer is what the run would take.
    """
    if body.dry_run:
        response.status_code = 200
        return await estimate_requested(store, body.spec, request.app.state.run_memory_mb)
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    run, created = await request_run(store, body.spec, body.publish, idempotency_key, digest)
    response.status_code = 202 if created else 200
    response.headers["Location"] = f"/v1/runs/{run.id}"
    return run


@v1.get("/schemas", tags=["imports"], responses=problems(422), dependencies=[NO_QUERY])
async def list_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of lines that can be imported, by kind."""
    return line_schemas()


@v1.get("/schemas/{kind}", tags=["imports"], responses=problems(404, 422), dependencies=[NO_QUERY])
async def get_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of lines that can be imported."""
    schemas = line_schemas()
    if kind not in schemas:
        raise NotFound(f"There is no kind of lines {kind[:80]!r}; there are {', '.join(schemas)}.")
    return schemas[kind]


@v1.get("/runs/{run_id}", tags=["runs"], response_model=Run, responses=problems(404, 422, 503), dependencies=[NO_QUERY])
async def get_run(store: StoreDep, run_id: str) -> Run:
    """One run: its state, how far it has come, what it found or why it failed."""
    return await run_by_id(store, run_id)


@v1.get("/communities", tags=["communities"], responses={200: {"model": CommunityPage}, **READS})
async def list_communities(
    request: Request, reader: ReaderDep, query: Annotated[CommunitiesQuery, Query()]
) -> Response:
    """The communities of a run, largest first; with `level`, groups of communities that belong together."""
    question = f"communities?respectable={query.respectable}&level={query.level}"
    if query.level and query.respectable is not None:
        raise InvalidRequest("Groups of communities are not tested for respectability; leave out `respectable`.")
    published, offset = await _where(reader, query, question)
    if query.level:
        lines: Sequence[bytes] = [
            line for group, line in await reader.groups(published.run) if group.level == query.level
        ]
        return answer(request, published, page(lines, published.run.id, question, offset, query.limit))
    lines = (await reader.part(published.run.id, "communities")).lines
    if query.respectable is not None:
        listed = await reader.communities(published.run.id)
        lines = [line for line, one in zip(lines, listed, strict=True) if one.respectable is query.respectable]
    return answer(request, published, page(lines, published.run.id, question, offset, query.limit))


@v1.get("/communities/{community_id}", tags=["communities"], responses={200: {"model": CommunityAnswer}, **READS})
async def get_community(
    request: Request, reader: ReaderDep, community_id: str, query: Annotated[ReadQuery, Query()]
) -> Response:
    """One community: size, tests, gates, ties inside and out. Or one group: what it consists of."""
    published = await reader.published(query.run)
    _, line = await _community(reader, published, community_id)
    return answer(request, published, {"community": line})


@v1.get(
    "/communities/{community_id}/ambassadors",
    tags=["communities"],
    responses={200: {"model": AmbassadorPage}, **READS},
)
async def list_ambassadors(
    request: Request, reader: ReaderDep, community_id: str, query: Annotated[AmbassadorsQuery, Query()]
) -> Response:
    """The ambassador candidates of a community, best first, each with its parts and the follows they rest on."""
    question = f"ambassadors/{community_id}?include_not_respectable={query.include_not_respectable}"
    published, offset = await _where(reader, query, question)
    community, line = await _community(reader, published, community_id)
    if isinstance(community, CommunityGroup):
        parts = ", ".join(community.parts[:5]) + (", ..." if len(community.parts) > 5 else "")
        reason = f"This is a group of communities, and candidates are ranked within one; ask for its parts: {parts}."
        members = page([], published.run.id, question, offset, query.limit)
        return answer(request, published, {"community": line, "empty_reason": json.dumps(reason).encode(), **members})
    lines = (await reader.part(published.run.id, f"candidates/{community_id}")).lines
    said = community.no_candidates_reason
    if lines and not community.respectable and not query.include_not_respectable:
        failed = ", ".join(test.test for test in community.tests if test.passed is False)
        said = f"The community is not respectable (it fails: {failed}); ask with include_not_respectable=true."
        lines = []
    members = page(lines, published.run.id, question, offset, query.limit)
    return answer(request, published, {"community": line, "empty_reason": json.dumps(said).encode(), **members})


@v1.get(
    "/accounts/{key:path}",
    tags=["accounts"],
    responses={200: {"model": AccountAnswer}, **problems(404, 422, 503)},
)
async def get_account(
    request: Request,
    reader: ReaderDep,
    key: Annotated[str, Path(min_length=1, description="`network:id`; the id may hold slashes.")],
    query: Annotated[ReadQuery, Query()],
) -> Response:
    """One account as the graph has it, and where it stands in each of its communities."""
    published = await reader.published(query.run)
    found = await reader.account(published.run.id, key)
    account = found["account"]
    standings = [await _standing(reader, published.run.id, account, one) for one in found["memberships"]]
    document = {
        "key": account["key"],
        "handle": account.get("handle"),
        "network": account["network"],
        "native_id": account["native_id"],
        "opted_out": account.get("opted_out", False),
        "reported_followers": account.get("followers"),
        "followers": found["followers"],
        "following": found["following"],
        "standings": standings,
    }
    return answer(
        request, published, {name: json.dumps(value).encode() for name, value in document.items()}, changing=True
    )


@health.get("/live", response_model=Health, responses=problems(422), dependencies=[NO_QUERY])
async def live() -> Health:
    """The process answers."""
    return Health(status="live")


@health.get("/ready", response_model=Health, responses=problems(422, 503), dependencies=[NO_QUERY])
async def ready(store: StoreDep) -> Health:
    """Neo4j answers and its schema is the one this version needs."""
    await check_ready(store)
    return Health(status="ready")


# --- what routes share ----------------------------------------------------------------------------------


async def _where(reader: PublishedReader, query: PageQuery, question: str) -> tuple[Published, int]:
    """Return the run to read and where to go on; a cursor stays with the run it came from."""
    if query.cursor is None:
        return await reader.published(query.run), 0
    run_id, offset = read_cursor(query.cursor, question)
    if query.run not in (None, run_id):
        raise InvalidRequest(
            f"The cursor pages run {run_id}, and run={query.run} asks for another; send one of the two."
        )
    return await reader.published(run_id), offset


async def _community(
    reader: PublishedReader, published: Published, community_id: str
) -> tuple[Community | CommunityGroup, bytes]:
    lines = (await reader.part(published.run.id, "communities")).lines
    for one, line in zip(await reader.communities(published.run.id), lines, strict=True):
        if one.id == community_id:
            return one, line
    for group, line in await reader.groups(published.run):
        if group.id == community_id:
            return group, line
    raise CommunityNotFound(
        f"There is no community {community_id} in run {published.run.id}; GET /v1/communities lists them."
    )


async def _standing(
    reader: PublishedReader, run_id: str, account: dict[str, Any], membership: dict[str, Any]
) -> dict[str, Any]:
    candidate = None
    if membership.get("rank") is not None:
        part = await reader.part(run_id, f"candidates/{membership['community']['id']}")
        candidate = json.loads(part.lines[membership["rank"] - 1])
    return {
        "community": membership["community"],
        "primary": membership.get("primary", True),
        "share": membership["share"],
        "type": membership.get("type"),
        "in_base": membership.get("in_base"),
        "score": membership.get("score"),
        "rank": membership.get("rank"),
        "parts": {
            part: {
                "raw": membership[part],
                "x": membership.get(f"{part}_x"),
                "points": membership.get(f"{part}_points"),
            }
            for part in PART_NAMES
            if part in membership
        },
        "measures": {name: membership[name] for name in MEASURED_PROPERTIES if name in membership},
        "candidate": candidate,
        "not_candidate_reason": None if candidate else _why_not(account, membership),
    }


def _why_not(account: dict[str, Any], membership: dict[str, Any]) -> str:
    if not membership.get("primary", True):
        return "Secondary membership: an account is compared, and may be a candidate, in its own community."
    if not membership["in_base"]:
        gate = "it opted out" if account.get("opted_out") else "it did not pass an integrity gate when the run was made"
        return f"Outside the base of its community: {gate}."
    if membership["type"] == "macro":
        return "Macro-influencer: its audience is too large for a micro-influencer, and only those are candidates."
    return "Below the micro-influencer cut-off: not in the top share of its community by authority."
