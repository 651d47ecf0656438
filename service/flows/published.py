"""Reading what runs published: for the HTTP service with a cache that outlives the database, and for the command."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from service.domain import (
    BRAND_TRACKS,
    Brand,
    BrandCandidate,
    BrandCandidates,
    BrandTrack,
    Candidate,
    Community,
    CommunityGroup,
    PublishedPart,
    Run,
    StoreAddress,
    TrackCandidates,
)
from service.errors import BrandNotFound, EntourageError, NothingPublished, RunNotFound, StoreUnavailable
from service.store.driver import AsyncStore
from service.store.published import current_run_id, read_account, read_part
from service.store.runs import get_run

CACHE_BYTES = 256 * 2**20
"""Published pages kept in memory; the least recently used go first."""

RUNS_PARSED = 4
"""Runs whose communities are kept as objects, too, to look one up."""

CHECK_SECONDS = 3.0
"""Longest wait for Neo4j when asking which run is current."""

AWAY_SECONDS = 1.0
"""After Neo4j did not answer, it is not asked again for this long; requests are answered from memory at once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """A run that is done, and whether Neo4j could not be asked if it is still the current one."""

    run: Run
    stale: bool


class PublishedReader:
    """The published sets, as one service process sees them.

    Every request asks which run is current, so that a run that was reported done is seen by whatever is read after;
    requests that wait at the same time share one such question. Pages of a run never change, so they are kept in
    memory; those of a new current run are fetched ahead, so that it can be served while Neo4j is away.
    """

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._runs: dict[str, Run] = {}
        self._parts: OrderedDict[tuple[str, str], PublishedPart] = OrderedDict()
        self._bytes = 0
        self._communities: OrderedDict[str, list[Community]] = OrderedDict()
        self._groups: OrderedDict[str, list[CommunityGroup]] = OrderedDict()
        self._last: Run | None = None
        self._asking: asyncio.Task[str | None] | None = None
        self._waiting: asyncio.Task[str | None] | None = None
        self._away_until = 0.0
        self._prefetch: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """End what goes on in the background."""
        if self._prefetch is not None:
            self._prefetch.cancel()

    async def published(self, run_id: str | None = None) -> Published:
        """Return the current run, or the kept run of this id.

        Raises:
            NothingPublished: there is no current run.
            RunNotFound: no run of this id has published anything.
            StoreUnavailable: Neo4j does not answer, and nothing is known from before.
        """
        if run_id is not None:
            return Published(await self._run(run_id), stale=False)
        try:
            current = await self._current_id()
            if current is None:
                raise NothingPublished(
                    "Nothing has been published yet: import follows and run `entourage analyze`, "
                    'or POST /v1/runs with {"publish": true}.'
                )
            run = await self._run(current)
        except StoreUnavailable:
            if self._last is None:
                raise
            return Published(self._last, stale=True)
        if self._last is None or self._last.id != run.id:
            self._last = run
            if self._prefetch is not None:
                self._prefetch.cancel()
            self._prefetch = asyncio.create_task(self._fetch_ahead(run))
        return Published(run, stale=False)

    async def part(self, run_id: str, name: str) -> PublishedPart:
        """Return one part of a published run; see `store.published.read_part` for the errors."""
        found = self._parts.get((run_id, name))
        if found is not None:
            self._parts.move_to_end((run_id, name))
            return found
        self._check_away()
        part = await read_part(self._store, run_id, name)
        if (run_id, name) not in self._parts:
            self._parts[run_id, name] = part
            self._bytes += _size(part)
            while self._bytes > CACHE_BYTES and len(self._parts) > 1:
                self._bytes -= _size(self._parts.popitem(last=False)[1])
        return part

    async def communities(self, run_id: str) -> list[Community]:
        """Return the communities of a published run."""
        if run_id not in self._communities:
            part = await self.part(run_id, "communities")
            self._communities[run_id] = [Community.model_validate_json(line) for line in part.lines]
            while len(self._communities) > RUNS_PARSED:
                self._communities.popitem(last=False)
        return self._communities[run_id]

    async def groups(self, run: Run) -> list[tuple[CommunityGroup, bytes]]:
        """Return the groups of communities of a published run, by level, each with its line of the part `groups`."""
        if run.quality is None or not run.quality.hierarchy:
            return []  # of a run of earlier times there is no such part
        lines = (await self.part(run.id, "groups")).lines
        if run.id not in self._groups:
            self._groups[run.id] = [CommunityGroup.model_validate_json(line) for line in lines]
            while len(self._groups) > RUNS_PARSED:
                self._groups.popitem(last=False)
        return list(zip(self._groups[run.id], lines, strict=True))

    async def account(self, run_id: str, key: str) -> dict[str, Any]:
        """Return one account with its memberships in a run; see `store.published.read_account`."""
        self._check_away()
        return await read_account(self._store, run_id, key)

    async def _run(self, run_id: str) -> Run:
        if run_id not in self._runs:
            self._check_away()
            run = await get_run(self._store, run_id)
            if run.state != "done":
                raise RunNotFound(f"Run {run_id} is {run.state} and has published nothing; read a run that is done.")
            self._runs[run_id] = run
        return self._runs[run_id]

    async def _current_id(self) -> str | None:
        """Ask which run is current, not before this call; share the question with whoever waits for one, too."""
        self._check_away()
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._ask_after(self._asking))
        return await asyncio.shield(self._waiting)

    async def _ask_after(self, before: asyncio.Task[str | None] | None) -> str | None:
        if before is not None:
            await asyncio.wait([before])
        self._asking, self._waiting = self._waiting, None
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await current_run_id(self._store)
        except TimeoutError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise StoreUnavailable("Neo4j takes too long to answer; try again in a moment.") from None
        except StoreUnavailable:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise

    def _check_away(self) -> None:
        if time.monotonic() < self._away_until:
            raise StoreUnavailable("Neo4j does not answer at the moment; try again in a second.")

    async def _fetch_ahead(self, run: Run) -> None:
        try:
            await self.groups(run)
            for community in await self.communities(run.id):
                await self.part(run.id, f"candidates/{community.id}")
        except EntourageError as error:
            log.warning("The pages of run %s could not all be fetched ahead: %s", run.id, error.message)


def _size(part: PublishedPart) -> int:
    return sum(map(len, part.lines)) + 100


# --- for the command ------------------------------------------------------------------------------------


async def read_communities(address: StoreAddress, run_id: str | None = None) -> list[Community]:
    """Read the communities of the current run, or of a kept one.

    Raises:
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        StoreError: Neo4j does not answer.
    """
    async with AsyncStore(address) as store:
        reader = PublishedReader(store)
        try:
            return await reader.communities((await reader.published(run_id)).run.id)
        finally:
            await reader.close()


async def read_groups(address: StoreAddress, level: int, run_id: str | None = None) -> list[CommunityGroup]:
    """Read the groups of one level above the communities of the current run, or of a kept one; see `read_communities`.

    There are none at a level that the run has not.
    """
    async with AsyncStore(address) as store:
        reader = PublishedReader(store)
        try:
            run = (await reader.published(run_id)).run
            return [group for group, _ in await reader.groups(run) if group.level == level]
        finally:
            await reader.close()


async def read_candidates(address: StoreAddress, community_id: str, run_id: str | None = None) -> list[Candidate]:
    """Read all candidates of a community of the current run, or of a kept one, best first.

    Raises:
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        CommunityNotFound: the run has no such community.
        StoreError: Neo4j does not answer.
    """
    async with AsyncStore(address) as store:
        reader = PublishedReader(store)
        try:
            run = (await reader.published(run_id)).run
            part = await reader.part(run.id, f"candidates/{community_id}")
            return [Candidate.model_validate_json(line) for line in part.lines]
        finally:
            await reader.close()


async def read_brands(address: StoreAddress) -> list[Brand]:
    """Read the brands of the graph as it is now, by key.

    Raises:
        StoreError: Neo4j does not answer.
    """
    async with AsyncStore(address) as store:
        return await _brands(store)


async def read_brand_candidates(address: StoreAddress, brand: str, run_id: str | None = None) -> BrandCandidates:
    """Read the candidates of the current run, or of a kept one, that are something to a brand, by what they are to it.

    Listed are the candidates of respectable communities with an active relation to this brand. Who is an employee or a
    collaborator of it is in that track, whatever else they are to it; the others are its customers and users. A track
    is in order of score, ties by key. But a score compares only within its community (`population`), because it says
    how someone stands among its members: so the order across communities is one of standing at home, not of size, and
    each candidate comes with the label of their community.

    Raises:
        BrandNotFound: neither a candidate of the run nor the graph knows this brand.
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        StoreError: Neo4j does not answer.
    """
    # Most candidates have nothing to do with the brand, and looking for its key is far faster than parsing them.
    mark = b'"brand":' + TypeAdapter(str).dump_json(brand)
    named: Brand | None = None
    tracks: dict[BrandTrack, list[BrandCandidate]] = {track: [] for track in BRAND_TRACKS}
    async with AsyncStore(address) as store:
        reader = PublishedReader(store)
        try:
            run = (await reader.published(run_id)).run
            for community in await reader.communities(run.id):
                for line in (await reader.part(run.id, f"candidates/{community.id}")).lines:
                    if mark not in line:
                        continue
                    candidate = Candidate.model_validate_json(line)
                    relations = [relation for relation in candidate.relations if relation.brand == brand]
                    if relations and named is None:
                        named = Brand(key=brand, name=relations[0].brand_name)
                    active = {relation.track for relation in relations if relation.active}
                    if active and community.respectable:
                        track = next(track for track in BRAND_TRACKS if track in active)
                        tracks[track].append(BrandCandidate(community_label=community.label, candidate=candidate))
        finally:
            await reader.close()
        if named is None:
            named = next((one for one in await _brands(store) if one.key == brand), None)
    if named is None:
        raise BrandNotFound(f"There is no brand {brand}; check its key, or import it and what people are to it first.")
    for found in tracks.values():
        found.sort(key=lambda one: (-one.candidate.score_millionths, one.candidate.key))
    return BrandCandidates(
        brand=named,
        tracks=tuple(
            TrackCandidates(track=track, total=len(found), candidates=tuple(found)) for track, found in tracks.items()
        ),
    )


async def _brands(store: AsyncStore) -> list[Brand]:
    [row] = await store.read("snapshot/brands")
    return sorted(
        (Brand(key=key, name=name or None) for key, name in zip(row["key"], row["name"], strict=True)),
        key=lambda one: one.key,
    )
