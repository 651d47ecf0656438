"""Routes about imports: files that are handed in, how each goes on, and what was left out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from service.api.guard import FILES
from service.api.problems import problem
from service.api.reading import NO_QUERY, IdempotencyKey, problems
from service.api.schemas import ImportList, ImportQuery, ImportsQuery, ShownImport
from service.api.streams import EVENT_STREAM, followed
from service.domain import Import
from service.errors import EntourageError, MalformedBody
from service.flows.imports import HandedIn, ImportWatches, whole_lines

imports = APIRouter(prefix="/v1/imports", tags=["imports"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself: CSV or TSV, NDJSON, a plain edge list, each packed with gzip or not, or "
        "Parquet. What it is is known by its first bytes; `format` says so where these cannot tell. Of GraphML, GEXF, "
        "Pajek and NodeXL say `format`, and as `kind` which of the kinds of lines in it is to be read.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(FILES)},
    }
}


def _handed_in(request: Request) -> HandedIn:
    handed_in: HandedIn = request.app.state.handed_in
    return handed_in


def _watches(request: Request) -> ImportWatches:
    watches: ImportWatches = request.app.state.import_watches
    return watches


HandedInDep = Annotated[HandedIn, Depends(_handed_in)]
WatchesDep = Annotated[ImportWatches, Depends(_watches)]


@imports.post(
    "",
    status_code=202,
    response_model=ShownImport,
    responses={
        200: {"model": ShownImport, "description": "The import that was asked for under this Idempotency-Key before."},
        **problems(400, 409, 413, 415, 422, 503),
    },
    openapi_extra=_BODY,
)
async def post_import(
    request: Request,
    handed_in: HandedInDep,
    query: Annotated[ImportQuery, Query()],
    idempotency_key: IdempotencyKey = None,
    content_length: Annotated[int | None, Header(ge=0, include_in_schema=False)] = None,
) -> Response:
    """Hand a file in to be imported, with the options that `entourage import` has. What got a 202 is on disk.

    Files are imported in the order in which they came, one at a time, also where Neo4j is away when they come: follow
    one at `Location`, or at `Location` + `/events`. An import that is cut off goes on where it was. With the same
    Idempotency-Key the same file and parameters are the same import.
    """
    try:
        taken, created = await handed_in.take(
            query.options(),
            query.name,
            query.check,
            idempotency_key,
            content_length,
            request.headers.get("content-encoding", "").strip().lower() == "gzip",
            request.stream(),
        )
    except ClientDisconnect:
        return problem(MalformedBody("The body did not come whole; send the file again."))
    except EntourageError as error:
        # Of the body there may be more to come, so the connection cannot be used again.
        return problem(error, headers={"Connection": "close"})
    return Response(
        shown(taken).model_dump_json(),
        status_code=202 if created else 200,
        media_type="application/json",
        headers={"Location": f"/v1/imports/{taken.id}"},
    )


@imports.get("", response_model=ImportList, responses=problems(422, 503))
async def list_imports(handed_in: HandedInDep, query: Annotated[ImportsQuery, Query()]) -> ImportList:
    """Imports that were handed in to this machine, latest first, for as long as they are kept."""
    found = await handed_in.latest(query.state, query.before, query.limit)
    return ImportList(
        items=tuple(shown(one) for one in found), before=found[-1].sequence if len(found) == query.limit else None
    )


@imports.get("/{import_id}", response_model=ShownImport, responses=problems(404, 422, 503), dependencies=[NO_QUERY])
async def get_import(handed_in: HandedInDep, import_id: str) -> ShownImport:
    """How an import stands: its state, how far it is, what it did or why it failed."""
    return shown(await handed_in.get(import_id))


@imports.get(
    "/{import_id}/events",
    response_class=Response,
    responses={
        200: {
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
            "description": "Events as they happen: `progress`, and at the end the import's state with all of it.",
        },
        204: {"description": "The import has ended, and Last-Event-ID says that this is known."},
        **problems(404, 422, 429, 503),
    },
    dependencies=[NO_QUERY],
)
async def get_import_events(
    request: Request,
    watches: WatchesDep,
    import_id: str,
    last_event_id: Annotated[str | None, Header(description="Id of the last event that came.")] = None,
) -> Response:
    """Follow an import as Server-Sent Events: an event whenever it has come further, to its end.

    Each has the whole import as its data, the last one the state of its end as its name; then the stream closes.
    Connect again with Last-Event-ID, as browsers do, and nothing comes twice.
    """
    return await followed(
        request, await watches.watch(import_id), last_event_id, lambda one: shown(one).model_dump_json()
    )


@imports.post(
    "/{import_id}/cancel",
    response_model=ShownImport,
    responses={
        202: {"model": ShownImport, "description": "It is being carried out, and ends after the batch under way."},
        **problems(404, 409, 415, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def cancel_import(handed_in: HandedInDep, import_id: str) -> Response:
    """Cancel an import that waits or is being carried out. What was in the graph before stays; `error` says so.

    200: it is cancelled. 202: it will be, after the batch under way; ask again. 409: it is done, or has failed.
    """
    one = await handed_in.cancel(import_id)
    return Response(
        shown(one).model_dump_json(),
        status_code=200 if one.state == "cancelled" else 202,
        media_type="application/json",
    )


@imports.get(
    "/{import_id}/rejects",
    response_class=Response,
    responses={
        200: {
            "content": {"application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}},
            "description": "One JSON object a line: `line` (its number), `reason`, `message`, `text` (its beginning).",
        },
        **problems(404, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def get_import_rejects(handed_in: HandedInDep, import_id: str) -> Response:
    """The lines that an import left out, each with number, reason and beginning; while it goes on, those so far."""
    path = await handed_in.rejects(import_id)
    return StreamingResponse(
        whole_lines(path),
        media_type="application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="{path.name}"',
            "Cache-Control": "no-store",
        },
    )


def shown(one: Import) -> ShownImport:
    """An import as it is shown."""
    return ShownImport.model_validate(one.model_dump())
