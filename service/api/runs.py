"""Routes about runs: which there are, how one goes on, and what changed between two."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from service.api.paging import answer, page_of, read_cursor, summary
from service.api.reading import NO_QUERY, ReaderDep, SeesDep, StoreDep, problems
from service.api.schemas import ChangesPage, ChangesQuery, RunList, RunsQuery
from service.api.streams import EVENT_STREAM, followed
from service.domain import Run
from service.errors import InvalidRequest
from service.flows.brand_limits import limited_run
from service.flows.differences import changes, paired, run_before, summary_of
from service.flows.published import Published
from service.flows.watching import RunWatches, has_ended, latest_runs

runs = APIRouter(prefix="/v1/runs", tags=["runs"])


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

    def shown(run: Run) -> str:
        if has_ended(run):
            return limited_run(run, sees).model_dump_json()
        return run.model_dump_json(include={"id", "state", "stage", "progress", "created_at", "started_at"})

    return await followed(request, await watches.watch(run_id), last_event_id, shown)


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
        replace(published, mask=await reader.mask()),  # of both runs
        {
            "since": summary(Published(since, stale=False)),
            "summary": summary_of(pairs, run, since).model_dump_json().encode(),
            **page_of(lines, len(pairs), since.id, question, offset, query.limit),
        },
        changing=True,
    )
