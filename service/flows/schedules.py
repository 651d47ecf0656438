"""Schedules: runs that the service asks for by itself, after so many changes or at a time of day."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from service.domain import NewSchedule, Run, Schedule, StoreAddress
from service.flows.definitions import ask_for_run
from service.store.driver import AsyncStore, Store
from service.store.schedules import (
    Asked,
    KeptSchedule,
    deal_with,
    keep_schedule,
    list_kept_schedules,
    read_kept_schedules,
    remove_kept_schedule,
    schedule_id,
)
from service.store.snapshots import changed_since

LOOK_EVERY_SECONDS = 5.0
REST = 9
"""After a look nothing is looked at for so many times as long as it took: where there is much to count, it may take a
tenth of the time."""

log = logging.getLogger(__name__)


# --- for the API ----------------------------------------------------------------------------------------


async def list_schedules(store: AsyncStore, now: datetime) -> list[Schedule]:
    """Return all schedules, in the order in which they were made, with when each is due next."""
    return [_shown(kept, now) for kept in await list_kept_schedules(store)]


async def add_schedule(store: AsyncStore, said: NewSchedule, now: datetime) -> tuple[Schedule, bool]:
    """Make a schedule; return it and whether it is new. Of days before `now` it asks for nothing."""
    created = await keep_schedule(store, said, now)
    made = schedule_id(said)
    return next(one for one in await list_schedules(store, now) if one.id == made), created


async def remove_schedule(store: AsyncStore, id_: str) -> NewSchedule:
    """End a schedule, and return what it said. Raises ScheduleNotFound."""
    return await remove_kept_schedule(store, id_)


# --- for the command ------------------------------------------------------------------------------------


async def schedules_at(address: StoreAddress) -> list[Schedule]:
    """Do what `list_schedules` does, for the command."""
    async with AsyncStore(address) as store:
        return await list_schedules(store, datetime.now(UTC))


async def add_schedule_at(address: StoreAddress, said: NewSchedule) -> tuple[Schedule, bool]:
    """Do what `add_schedule` does, for the command."""
    async with AsyncStore(address) as store:
        return await add_schedule(store, said, datetime.now(UTC))


async def remove_schedule_at(address: StoreAddress, id_: str) -> NewSchedule:
    """Do what `remove_schedule` does, for the command."""
    async with AsyncStore(address) as store:
        return await remove_schedule(store, id_)


# --- for the engine -------------------------------------------------------------------------------------


class Lookout:
    """Looks at schedules now and then, for an engine that has nothing else to do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = 0.0

    def look(self) -> None:
        """Ask for the runs of schedules that are due, unless it was looked a moment ago."""
        began = time.monotonic()
        if began >= self._next:
            ask_where_due(self._store, datetime.now(UTC))
            ended = time.monotonic()
            self._next = ended + max(LOOK_EVERY_SECONDS, REST * (ended - began))


def ask_where_due(store: Store, now: datetime) -> list[str]:
    """Ask for a run for each schedule that is due at `now`; return their ids.

    However many services look at the same time, what made a schedule due is asked for once.
    """
    runs = []
    for kept in read_kept_schedules(store):
        if _occasion(store, kept, now) is not None:
            asked = deal_with(store, kept.schedule.id, now, lambda locked: _ask(store, locked, now))
            if asked is not None and asked.run is not None:
                log.info("Schedule %s asked for run %s.", kept.schedule.id, asked.run)
                runs.append(asked.run)
    return runs


def moment_due(kept: KeptSchedule, now: datetime) -> datetime | None:
    """Return the moment of `daily_at` that is still to be dealt with: the latest one, of several that were missed.

    None where there is none since the schedule was made, and for schedules by changes.
    """
    if kept.schedule.daily_at is None:
        return None
    latest = _latest_moment(kept.schedule.daily_at, now)
    return latest if latest > (kept.due_at or kept.schedule.created_at) else None


def _occasion(store: Store, kept: KeptSchedule, now: datetime) -> str | None:
    """Name what makes a schedule due, the same for all that look; None while it is not."""
    most = kept.schedule.after_changes
    if most is None:
        moment = moment_due(kept, now)
        return None if moment is None else moment.isoformat()
    # What a run of its own that goes on will have seen is known when it has ended. A run that failed is not asked for
    # again before as many further changes came: the version at which it was asked for counts as seen.
    if kept.waiting or changed_since(store, kept.seen, most) < most:
        return None
    return f"after version {kept.seen}"


def _ask(store: Store, kept: KeptSchedule, now: datetime) -> Asked | None:
    """Ask for the run of a schedule that is locked, unless it is not due any more, or there is nothing to analyse."""
    occasion = _occasion(store, kept, now)
    if occasion is None:
        return None
    run = asyncio.run(_create(store.address, kept.schedule, occasion)).id if kept.accounts else None
    return Asked(run, moment_due(kept, now))


async def _create(address: StoreAddress, schedule: Schedule, occasion: str) -> Run:
    # Should what follows fail, the next look gets the same run. No header holds a line end, so no client's key does.
    key = f"schedule\n{schedule.id}\n{schedule.created_at.isoformat()}\n{occasion}"
    async with AsyncStore(address) as store:
        run, _ = await ask_for_run(store, schedule.spec, schedule.publish, key, schedule.id)
    return run


def _shown(kept: KeptSchedule, now: datetime) -> Schedule:
    """Return a schedule with when it is due next: a moment that has passed where it is to be made up for."""
    schedule = kept.schedule
    if schedule.daily_at is None:
        return schedule
    following = _latest_moment(schedule.daily_at, now) + timedelta(days=1)
    return schedule.model_copy(update={"next_at": moment_due(kept, now) or following})


def _latest_moment(daily_at: str, now: datetime) -> datetime:
    """Return when it was this time of day last, in UTC."""
    hour, minute = map(int, daily_at.split(":"))
    today = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)
