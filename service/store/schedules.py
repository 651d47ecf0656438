"""Schedules of runs, as kept in the graph until they are removed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from service.domain import NewSchedule, RunSpec, Schedule, moment_of
from service.errors import ScheduleNotFound
from service.store.driver import AsyncStore, AsyncTx, Row, Store, Tx
from service.store.runs import canonical_json


@dataclass(frozen=True)
class KeptSchedule:
    """A schedule with what decides whether it is due.

    Attributes:
        schedule: what it says, and what it last asked for.
        due_at: last moment of `daily_at` that was dealt with.
        waiting: whether the run that it last asked for has not ended.
        seen: latest graph version that it has asked for, or that this run or the current one saw; -1 where there is
            none.
        version: version of the graph now.
        accounts: how many accounts there are.
    """

    schedule: Schedule
    due_at: datetime | None
    waiting: bool
    seen: int
    version: int
    accounts: int


@dataclass(frozen=True)
class Asked:
    """What became of a schedule that was due: the run, None where there was nothing to analyse; the moment it was for.

    `moment` is the moment of `daily_at`; None for a schedule by changes.
    """

    run: str | None
    moment: datetime | None


def schedule_id(said: NewSchedule) -> str:
    """Name a schedule by what it says, e.g. `daily-0300-k2x7w4ma`: the same said twice is one schedule."""
    when = f"after-{said.after_changes}" if said.daily_at is None else f"daily-{said.daily_at.replace(':', '')}"
    digest = hashlib.sha256(f"{said.publish} {_spec_text(said.spec)}".encode()).digest()
    return f"{when}-{base64.b32encode(digest).decode().lower()[:8]}"


# --- for the API and the command ------------------------------------------------------------------------


async def list_kept_schedules(store: AsyncStore) -> list[KeptSchedule]:
    """Return all schedules, in the order in which they were made."""
    return [_kept(row) for row in await store.read("schedules/all")]


async def keep_schedule(store: AsyncStore, said: NewSchedule, now: datetime) -> bool:
    """Keep a schedule; return whether it is new. One that says the same stays as it is."""

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run(
            "schedules/write",
            id=schedule_id(said),
            after_changes=said.after_changes,
            daily_at=said.daily_at,
            publish=said.publish,
            spec=_spec_text(said.spec),
            created_at=_milliseconds(now),
        )

    [row] = await store.write_transaction(work)
    return bool(row["created"])


async def remove_kept_schedule(store: AsyncStore, id_: str) -> NewSchedule:
    """End a schedule, and return what it said, so that it can be made again. Runs that it asked for stay.

    Raises:
        ScheduleNotFound: there is none with this id.
    """

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run("schedules/remove", id=id_)

    rows = await store.write_transaction(work)
    if not rows:
        raise ScheduleNotFound(f"There is no schedule {id_[:80]}; GET /v1/schedules lists them.")
    return NewSchedule.model_validate({**rows[0], "spec": _spec(rows[0])})


# --- for the engine -------------------------------------------------------------------------------------


def read_kept_schedules(store: Store) -> list[KeptSchedule]:
    """Do what `list_kept_schedules` does, without asyncio."""
    return [_kept(row) for row in store.read("schedules/all")]


def deal_with(store: Store, id_: str, now: datetime, ask: Callable[[KeptSchedule], Asked | None]) -> Asked | None:
    """Lock a schedule, let `ask` look at it and ask for a run, and note what it did.

    Of several services one at a time gets here, and sees what the one before noted. `ask` may be called again where
    Neo4j could not commit, and must get the same run then; it returns None where the schedule is not due any more.
    """

    def work(tx: Tx) -> Asked | None:
        if not tx.run("schedules/lock", id=id_):
            return None
        kept = next(one for one in map(_kept, tx.run("schedules/all")) if one.schedule.id == id_)
        asked = ask(kept)
        if asked is not None:
            tx.run(
                "schedules/dealt_with",
                id=id_,
                run=asked.run,
                at=_milliseconds(now),
                due_at=None if asked.moment is None else _milliseconds(asked.moment),
                v=kept.version,
            )
        return asked

    return store.write_transaction(work)


# --- rows -----------------------------------------------------------------------------------------------


def _kept(row: Row) -> KeptSchedule:
    schedule = Schedule(
        id=row["id"],
        after_changes=row["after_changes"],
        daily_at=row["daily_at"],
        next_at=None,
        last_run=row["last_run"],
        last_asked_at=_moment(row["last_asked_at"]),
        created_at=_moment(row["created_at"]),
        publish=row["publish"],
        spec=_spec(row),
    )
    return KeptSchedule(schedule, _moment(row["due_at"]), row["waiting"], row["seen"], row["v"], row["accounts"])


def _spec_text(spec: RunSpec) -> str:
    """Write a specification as runs keep it, but without communities where it says nothing of them.

    Its runs then score what is defined when each of them is asked for.
    """
    if "communities" in spec.model_fields_set:
        return canonical_json(spec)
    said = {name: value for name, value in json.loads(canonical_json(spec)).items() if name != "communities"}
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def _spec(row: Row) -> RunSpec:
    return RunSpec.model_validate_json(row["spec"])


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment_of(milliseconds)
