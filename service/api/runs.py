"""Routes about runs: which there are, how one goes on, and what changed between two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.paging import answer, page_of, read_cursor, summary
from service.api.reading import NO_QUERY, ReaderDep, SeesDep, StoreDep, problems
from service.api.schemas import ChangesPage, ChangesQuery, RunList, RunsQuery
from service.domain import Run
from service.errors import InvalidRequest
from service.flows.brand_limits import Sees, limited_run
from service.flows.differences import changes, paired, run_before, summary_of
from service.flows.published import Published
from service.flows.watching import RunWatches, Watch, has_ended, latest_runs, moment

runs = APIRouter(prefix="/v1/runs", tags=["runs"])

EVENT_STREAM = "text/event-stream"
RETRY_MS = 2_000
"""How long a client should wait before it connects again."""


def _watches(request: Request) -> RunWatches:
    watches: RunWatches = request.app.state.watches
    return watches


WatchesDep = Annotated[RunWatches, Depends(_watches)]


@runs.get("", response_model=RunList, responses=problems(404, 422, 503))
async def list_runs(store: StoreDep, sees: SeesDep, query: Annotated[RunsQuery, Query()]) -> RunList:
    """Runs that were asked for, the last first; back-tests are at addresses of their own."""
    found = await latest_runs(store, query.state, query.before, query.limit)
    return RunList(
        items=tuple(limited_run(run, sees) for run in found),
        before=found[-1].id if len(found) == query.limit else None,
    )


@runs.get(
    "/{run_id}/events",
    response_class=Response,
    responses={
        200: {
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
            "description": "Events as they happen: `progress`, and at the end the run's state with the whole run.",
        },
        204: {"description": "The run has ended, and Last-Event-ID says that this is known."},
        **problems(404, 422, 429, 503),
    },
    dependencies=[NO_QUERY],
)
async def get_run_events(
    request: Request,
    watches: WatchesDep,
    sees: SeesDep,
    run_id: str,
    last_event_id: Annotated[str | None, Header(description="Id of the last event that came.")] = None,
) -> Response:
    """Follow a run as Server-Sent Events: an event whenever it has come further, to its end; then the stream closes.

    The last event has the state of the run's end as its name, and the whole run as its data. While Neo4j is away no
    events come, and the stream stays. Connect again with Last-Event-ID, as browsers do, and nothing comes twice.
    """
    watch = await watches.watch(run_id)
    if has_ended(watch.run) and moment(watch.run) == last_event_id:
        watch.close()
        return Response(status_code=204)  # a browser connects no more
    stream = EventStream(watch, last_event_id, sees)
    if request.scope.get("state", {}).get("head"):
        watch.close()
        return Response(headers=dict(stream.headers))
    return stream


@runs.get("/{run_id}/changes", responses={200: {"model": ChangesPage}, **problems(400, 404, 422, 503)})
async def get_run_changes(
    request: Request, reader: ReaderDep, sees: SeesDep, run_id: str, query: Annotated[ChangesQuery, Query()]
) -> Response:
    """What changed since an earlier run: communities, their members, and whose score moved by which part.

    Both runs are kept ones. Communities are matched by id; the largest of the later run come first, then those that it
    does not have any more. Of each kind of change a community names at most 100 accounts, and counts all.
    """
    published = await reader.published(run_id)
    run, since_id, offset = published.run, query.since, 0
    question = f"changes/{run.id}?community={query.community}"
    if query.cursor is not None:
        since_id, offset = read_cursor(query.cursor, question)
        if query.since not in (None, since_id):
            raise InvalidRequest(
                f"The cursor pages changes since {since_id}, and since={query.since} asks for others; send one of them."
            )
    since = await run_before(reader, run) if since_id is None else (await reader.published(since_id)).run
    pairs = await paired(reader, run, since, sees, query.community)
    found = await changes(reader, run, since, pairs[offset : offset + query.limit])
    lines = [one.model_dump_json().encode() for one in found]
    return answer(
        request,
        published,
        {
            "since": summary(Published(since, stale=False)),
            "summary": summary_of(pairs, run, since).model_dump_json().encode(),
            **page_of(lines, len(pairs), since.id, question, offset, query.limit),
        },
        changing=True,
    )


class EventStream(StreamingResponse):
    """What a watch brings, as Server-Sent Events. However the stream ends, the watch is closed with it."""

    def __init__(self, watch: Watch, known: str | None, sees: Sees) -> None:
        self._watch = watch
        # Proxies are told to pass on each event as it comes.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_events(watch, known, sees), media_type=EVENT_STREAM, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the run ends or the client goes away."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watch.close()


async def _events(watch: Watch, known: str | None, sees: Sees) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    async for run in watch.news(known):
        if run is None:
            yield ": nothing new\n\n"
        elif has_ended(run):
            yield _event(run.state, run, limited_run(run, sees).model_dump_json())
        else:
            fields = {"id", "state", "stage", "progress", "created_at", "started_at"}
            yield _event("progress", run, run.model_dump_json(include=fields))


def _event(name: str, run: Run, data: str) -> str:
    return f"event: {name}\nid: {moment(run)}\ndata: {data}\n\n"
