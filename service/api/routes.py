"""The routes of version 1. Each asks one flow and puts the answer together; nothing is computed here."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from service.api.events import AdministrationDep
from service.api.paging import answer, named, naming, page, page_of
from service.api.reading import (
    NO_QUERY,
    READS,
    AccountKey,
    IdempotencyKey,
    ReaderDep,
    SeesDep,
    StoreDep,
    find_community,
    problems,
    where,
)
from service.api.schemas import (
    AccountAnswer,
    CommunitiesQuery,
    CommunityAnswer,
    CommunityPage,
    DefinedAnswer,
    Health,
    Readiness,
    ReadQuery,
    StrictDefineRequest,
    StrictNameRequest,
    StrictRunRequest,
)
from service.domain import (
    MEASURED_PROPERTIES,
    CommunityGroup,
    CommunityHistory,
    CommunityName,
    Definition,
    Run,
    RunEstimate,
)
from service.errors import InvalidRequest, NotFound
from service.flows.access_request import account_data
from service.flows.asking import published_document, standing_of, usable_brief
from service.flows.brand_limits import Sees, limited_run, may_see
from service.flows.definitions import ask_for_run, define_and_score, forget
from service.flows.estimates import estimate_requested
from service.flows.importing import line_schemas
from service.flows.lineage import history_of, name_community
from service.flows.published import PublishedReader, age_s
from service.flows.requests import cancel_by_id, check_ready, freshness, run_by_id

v1 = APIRouter(prefix="/v1")

health = APIRouter(prefix="/health", tags=["system"])


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
    idempotency_key: IdempotencyKey = None,
) -> Run | RunEstimate:
    """Ask for an analysis; it is carried out by the engine. Follow `Location` until it is done, failed or cancelled.

    Asked again of an unchanged graph, or with the same Idempotency-Key, the run that is there is returned with 200.
    With `dry_run` nothing is asked for, and no key remembered: the answer is what the run would take.
    """
    if body.dry_run:
        response.status_code = 200
        return await estimate_requested(store, body.spec, request.app.state.run_memory_mb)
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    run, created = await ask_for_run(store, body.spec, body.publish, idempotency_key, digest)
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
async def get_run(store: StoreDep, sees: SeesDep, run_id: str) -> Run:
    """One run: its state, how far it has come, what it found or why it failed."""
    run = await run_by_id(store, run_id)
    return limited_run(run, sees)


@v1.post(
    "/runs/{run_id}/cancel",
    tags=["runs"],
    response_model=Run,
    responses={
        202: {"model": Run, "description": "It is running, and will be cancelled within seconds."},
        **problems(404, 409, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def post_cancel(store: StoreDep, sees: SeesDep, response: Response, run_id: str) -> Run:
    """Cancel a run, or a back-test, that is queued or running; one that has ended answers 409.

    200 when it is cancelled, as it is at once unless a process works on it: then 202, and it is within seconds.
    """
    run = await cancel_by_id(store, run_id)
    response.status_code = 200 if run.state == "cancelled" else 202
    return limited_run(run, sees)


@v1.get("/communities", tags=["communities"], responses={200: {"model": CommunityPage}, **READS})
async def list_communities(
    request: Request, reader: ReaderDep, sees: SeesDep, query: Annotated[CommunitiesQuery, Query()]
) -> Response:
    """The communities of a run, largest first; with `level`, groups of communities that belong together.

    With a brief, those that fit it best come first.
    """
    question = f"communities?respectable={query.respectable}&level={query.level}&kind={query.kind}&brief={query.brief}"
    if query.level and query.respectable is not None:
        raise InvalidRequest("Groups of communities are not tested for respectability; leave out `respectable`.")
    if query.level and query.kind == "defined":
        raise InvalidRequest("Communities that people defined are in no group; leave out `level`.")
    if query.level and query.brief is not None:
        raise InvalidRequest("A brief is measured against communities, not against groups of them; leave out `level`.")
    brief = None if query.brief is None else usable_brief(query.brief)
    published, offset = await where(reader, query, question)
    run = published.run
    if query.level:
        lines = [line for group, line in await reader.groups(run) if group.level == query.level]
        return answer(request, published, page(lines, run.id, question, offset, query.limit))
    if query.kind == "defined":
        listed = await reader.defined(run, sees)
    else:
        parsed = await reader.communities(run.id)
        listed = list(zip(parsed, (await reader.part(run.id, "communities")).lines, strict=True))
    chosen = [(one, line) for one, line in listed if query.respectable in (None, one.respectable)]
    if brief is not None:
        fitting = await reader.fitting(run, [one for one, _ in chosen], brief)
        chosen = [(one, one.model_dump_json().encode()) for one in fitting]
    names = await reader.names(published)
    shown = [named(one.id, line, names) for one, line in chosen[offset : offset + query.limit]]
    members = page_of(shown, len(chosen), run.id, question, offset, query.limit)
    return answer(request, published, members, names_version=names.version)


@v1.post(
    "/communities",
    tags=["communities"],
    status_code=202,
    response_model=DefinedAnswer,
    responses={
        200: {"model": DefinedAnswer, "description": "A run that scores it is there already."},
        **problems(400, 409, 413, 415, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def post_community(
    store: StoreDep,
    body: StrictDefineRequest,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> DefinedAnswer:
    """Define a community: by a list of accounts, a topic, or a brand's network. It is scored like one that was found.

    It is kept, and scored by every run that is asked for from then on. The answer names the first of them: follow
    `Location` until it is done, then read the community with `?run=`, or without, where the run was to be published.
    Sent again with the same Idempotency-Key, it names the same run.
    """
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    created, run, new = await define_and_score(store, body.definition, body.publish, idempotency_key, digest)
    response.status_code = 202 if new else 200
    response.headers["Location"] = f"/v1/runs/{run.id}"
    return DefinedAnswer(id=body.definition.id, definition=body.definition, created=created, run=run)


@v1.delete(
    "/communities/{community_id}",
    tags=["communities"],
    response_model=Definition,
    responses=problems(404, 422, 503),
    dependencies=[NO_QUERY],
)
async def delete_community(store: StoreDep, community_id: str) -> Definition:
    """Forget a community that people defined; the answer is its definition, with which it can be defined again.

    Runs that are kept say what they said; later ones do not score it.
    """
    return await forget(store, community_id)


@v1.get("/communities/{community_id}", tags=["communities"], responses={200: {"model": CommunityAnswer}, **READS})
async def get_community(
    request: Request, reader: ReaderDep, sees: SeesDep, community_id: str, query: Annotated[ReadQuery, Query()]
) -> Response:
    """One community: size, tests, gates, ties inside and out. Or one group: what it consists of."""
    published = await reader.published(query.run)
    found, line = await find_community(reader, published, community_id, sees)
    if isinstance(found, CommunityGroup):
        return answer(request, published, {"community": line})
    names = await reader.names(published)
    return answer(request, published, {"community": named(found.id, line, names)}, names_version=names.version)


@v1.patch(
    "/communities/{community_id}",
    tags=["communities"],
    response_model=CommunityName,
    responses=problems(404, 413, 415, 422, 503),
    dependencies=[NO_QUERY],
)
async def patch_community(store: StoreDep, community_id: str, body: StrictNameRequest) -> CommunityName:
    """Name a community, for everybody who reads it; null takes the name away. It is kept from run to run.

    Where the community split or merged since, a question about the name is open (`name_question`): naming the community
    again, or confirming its name, answers it.
    """
    return await name_community(store, community_id, body.name)


@v1.get(
    "/communities/{community_id}/lineage",
    tags=["communities"],
    response_model=CommunityHistory,
    responses=problems(404, 422, 503),
    dependencies=[NO_QUERY],
)
async def get_lineage(store: StoreDep, reader: ReaderDep, community_id: str) -> CommunityHistory:
    """The history of a community over published runs: what it came from, what split off, and whether it is no more."""
    return (await reader.mask()).unnamed(await history_of(store, community_id))


@v1.get(
    "/accounts/{key:path}/data",
    tags=["accounts"],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One JSON document. It is whole where its last member, `complete`, is there.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **problems(404, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def get_account_data(
    request: Request, administration: AdministrationDep, reader: ReaderDep, key: AccountKey
) -> StreamingResponse:
    """Everything that is known about one account, for an access request; docs/privacy.md says what is in it.

    It names other people where they have ties to the account: whoever passes it on decides about their data, too. It is
    written as it is read; should something fail meanwhile, the answer is cut off, and is no JSON.
    """
    await reader.mask()
    reader.check_shown(key)
    pieces = await asyncio.to_thread(account_data, administration.address, key, administration.journal)
    if request.scope.get("state", {}).get("head"):
        pieces = iter(())
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/json", headers=headers)


@v1.get(
    "/accounts/{key:path}",
    tags=["accounts"],
    responses={200: {"model": AccountAnswer}, **problems(404, 422, 503)},
)
async def get_account(
    request: Request,
    reader: ReaderDep,
    sees: SeesDep,
    key: AccountKey,
    query: Annotated[ReadQuery, Query()],
) -> Response:
    """One account as the graph has it, and where it stands in each of its communities."""
    published = await reader.published(query.run)
    found = await reader.account(published.run.id, key)
    account = found["account"]
    hidden = await _ids_of_defined(reader, published.run) - await _ids_of_defined(reader, published.run, sees)
    shown = [one for one in found["memberships"] if one["community"]["id"] not in hidden]
    standings = [await _standing(reader, published.run, account, one, sees) for one in shown]
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
        request,
        naming(published, key),
        {name: json.dumps(value).encode() for name, value in document.items()},
        changing=True,
    )


@health.get("/live", response_model=Health, responses=problems(422), dependencies=[NO_QUERY])
async def live() -> Health:
    """The process answers."""
    return Health(status="live")


@health.get("/ready", response_model=Readiness, responses=problems(422, 503), dependencies=[NO_QUERY])
async def ready(request: Request, store: StoreDep) -> Readiness:
    """Neo4j answers and its schema is the one this version needs; and how fresh the run is that is read by default."""
    await check_ready(store, request.app.state.loading)
    fresh = await freshness(store)
    return Readiness(
        status="ready",
        applied_up_to=request.app.state.deliveries.applied_up_to,
        run=fresh.run,
        as_of=fresh.as_of,
        graph_version=fresh.graph_version,
        graph_version_now=fresh.graph_version_now,
        age_s=age_s(fresh.finished_at),
    )


# --- standings -----------------------------------------------------------------------------------------


async def _ids_of_defined(reader: PublishedReader, run: Run, sees: Sees = None) -> set[str]:
    return {one.id for one, _ in await reader.defined(run, sees)}


async def _standing(
    reader: PublishedReader, run: Run, account: dict[str, Any], membership: dict[str, Any], sees: Sees
) -> dict[str, Any]:
    document = await published_document(reader, run.id, membership["community"]["id"], membership)
    measures = {name: membership[name] for name in MEASURED_PROPERTIES if name in membership}
    if not may_see(sees, run.spec.brand):
        measures.pop("brand_pagerank", None)
    return {**standing_of(account, membership, document), "measures": measures}
