"""Routes about schedules: runs that the service asks for by itself."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from service.api.reading import NO_QUERY, StoreDep, problems
from service.api.schemas import ScheduleList, StrictNewSchedule
from service.domain import NewSchedule, Schedule
from service.flows.schedules import add_schedule, list_schedules, remove_schedule

schedules = APIRouter(prefix="/v1/schedules", tags=["runs"], dependencies=[NO_QUERY])

# Where a specification says nothing of communities, answers say nothing of them, so that it can be sent again.


@schedules.get("", response_model=ScheduleList, response_model_exclude_unset=True, responses=problems(422, 503))
async def get_schedules(store: StoreDep) -> ScheduleList:
    """The schedules of runs, in the order in which they were made, with what each last asked for and when it is due."""
    return ScheduleList(items=tuple(await list_schedules(store, datetime.now(UTC))))


@schedules.post(
    "",
    status_code=201,
    response_model=Schedule,
    response_model_exclude_unset=True,
    responses={
        200: {"model": Schedule, "description": "A schedule that says the same is there already."},
        **problems(400, 413, 415, 422, 503),
    },
)
async def post_schedule(store: StoreDep, body: StrictNewSchedule, response: Response) -> Schedule:
    """Have the service ask for a run by itself: after so many changes of the graph, or once a day.

    The same schedule twice is one. Communities that people defined are among what its runs score, unless `spec` says
    which.
    """
    schedule, created = await add_schedule(store, body, datetime.now(UTC))
    response.status_code = 201 if created else 200
    return schedule


@schedules.delete(
    "/{schedule_id}",
    response_model=NewSchedule,
    response_model_exclude_unset=True,
    responses=problems(404, 422, 503),
)
async def delete_schedule(store: StoreDep, schedule_id: str) -> NewSchedule:
    """End a schedule; the answer is what it said, with which it can be made again. Runs that it asked for stay."""
    return await remove_schedule(store, schedule_id)
