"""Reading what runs published: for the HTTP service with a cache that outlives the database, and for the command."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from service.content.words import Brief
from service.domain import (
    Brand,
    Candidate,
    Community,
    CommunityGroup,
    CommunityName,
    Current,
    ErasureRequest,
    FittingCommunity,
    HiddenAccount,
    PublishedPart,
    Run,
    StoreAddress,
)
from service.errors import (
    EntourageError,
    InvalidRequest,
    NotFound,
    NothingPublished,
    RunNotFound,
    StoreUnavailable,
)
from service.flows.brand_limits import Sees, may_see
from service.flows.briefs import CommunityWords, fit_of
from service.flows.lens_parts import measure_lenses
from service.flows.masking import Mask
from service.flows.questions import Population, Question, community_population, union_population
from service.store.differences import published_before, read_member_changes
from service.store.driver import AsyncStore
from service.store.erasures import read_hidden
from service.store.lenses import LensColumns, read_members
from service.store.lineage import list_names
from service.store.published import (
    no_account,
    read_account,
    read_current,
    read_neighbours,
    read_part,
    read_posts,
    read_ties,
)
from service.store.runs import get_run

CACHE_BYTES = 256 * 2**20
"""Published pages kept in memory; the least recently used go first."""

RUNS_PARSED = 4
"""Runs whose communities are kept as objects, too, to look one up."""

POPULATIONS_KEPT = 32
"""Communities whose candidates are kept parsed; the least recently used go first."""

LENSES_KEPT = 8
"""Populations of which it is kept what lenses say; the least recently used go first. Whoever asks while it is read
waits for the same."""

CHECK_SECONDS = 3.0
"""Longest wait for Neo4j when asking which run is current."""

AWAY_SECONDS = 1.0
"""After Neo4j did not answer, it is not asked again for this long; requests are answered from memory at once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """A run that is done, and whether Neo4j could not be asked if it is still the current one.

    `names` is the version of the names of communities, where that was asked, too. `mask` says whom its documents name
    and answers may not.
    """

    run: Run
    stale: bool
    names: int | None = None
    mask: Mask = field(default_factory=Mask)


def age_s(finished_at: datetime | None) -> int | None:
    """Return how many whole seconds ago a run was done."""
    # Neo4j said when: where its clock is ahead, the run was done just now.
    return None if finished_at is None else max(0, int((datetime.now(UTC) - finished_at).total_seconds()))


class Names(NamedTuple):
    """Names that people gave to communities, by id, and how often they had done so then."""

    version: int
    of: dict[str, CommunityName]


class _Kept:
    """What was read of runs, and made of it, to be given again.

    It is replaced as a whole where it may be out of date: what is being read at that moment then goes into the one that
    nobody asks any more. So whoever reads takes hold of it before.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.parts: OrderedDict[tuple[str, str], PublishedPart] = OrderedDict()
        self.bytes = 0
        self.communities: OrderedDict[str, list[Community]] = OrderedDict()
        self.groups: OrderedDict[str, list[CommunityGroup]] = OrderedDict()
        self.populations: OrderedDict[tuple[str, str], Population] = OrderedDict()
        self.making: dict[tuple[str, str], asyncio.Task[Population]] = {}
        self.lenses: OrderedDict[tuple[str, tuple[str, ...]], asyncio.Task[LensColumns]] = OrderedDict()
        self.names = Names(0, {})

    def keep(self, run_id: str, part: PublishedPart) -> None:
        """Keep a part of a run, unless it is kept; the least recently used go where there are too many."""
        if (run_id, part.name) not in self.parts:
            self.parts[run_id, part.name] = part
            self.bytes += _size(part)
            while self.bytes > CACHE_BYTES and len(self.parts) > 1:
                self.bytes -= _size(self.parts.popitem(last=False)[1])


class PublishedReader:
    """The published sets, as one service process sees them.

    Every request asks which run is current, so that a run that was reported done is seen by whatever is read after;
    requests that wait at the same time share one such question. Pages of a run never change, so they are kept in
    memory; with `fetch_ahead` those of a new current run are read at once, so that it can be served while Neo4j is
    away. `store` is the graph they are read from.
    """

    def __init__(
        self,
        store: AsyncStore,
        *,
        fetch_ahead: bool = False,
        erasing: Callable[[], Sequence[ErasureRequest]] = tuple,
    ) -> None:
        self.store = store
        self._erasing = erasing
        self._hidden: tuple[int, list[HiddenAccount]] = (0, [])
        self._mask = Mask()
        self._masks: dict[int | None, Mask] = {}
        self._asked: dict[str, ErasureRequest] = {}
        self._ahead = fetch_ahead
        self._kept = _Kept()
        self._last: Run | None = None
        self._asking: asyncio.Task[Current] | None = None
        self._waiting: asyncio.Task[Current] | None = None
        self._away_until = 0.0
        self._prefetch: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """End what goes on in the background, after the part that is being read."""
        self._last = None
        if self._prefetch is not None:
            await self._prefetch

    async def published(self, run_id: str | None = None) -> Published:
        """Return the current run, or the kept run of this id.

        Raises:
            NothingPublished: there is no current run.
            RunNotFound: no run of this id has published anything.
            StoreUnavailable: Neo4j does not answer, and nothing is known from before.
        """
        if run_id is not None:
            run = await self._run(run_id)
            await self.mask()
            return Published(run, stale=False, mask=self._masked(run))
        try:
            asked = await self._current()
            current, names = asked.run, asked.names
            if current is None:
                raise NothingPublished(
                    "Nothing has been published yet: import follows and run `entourage analyze`, "
                    'or POST /v1/runs with {"publish": true}.'
                )
            run = await self._run(current)
        except StoreUnavailable:
            if self._last is None:
                raise
            return Published(self._last, stale=True, mask=self._masked(self._last))
        if self._last is None or self._last.id != run.id:
            self._last = run
            if self._ahead:
                self._prefetch = asyncio.create_task(self._fetch_ahead(run, self._prefetch))
        await self.mask(asked)
        return Published(run, stale=False, names=names, mask=self._masked(run))

    async def mask(self, current: Current | None = None) -> Mask:
        """Return whom no answer may name now; while Neo4j does not answer, those known from before.

        What was read of runs is forgotten where an erasure has begun, or was done and has rewritten it.
        """
        try:
            now = (await self._current() if current is None else current).masks
            if now != self._hidden[0]:
                hidden = await read_hidden(self.store)
                (seen, before), self._hidden = self._hidden, (now, hidden)
                # After more than one change somebody may have been erased whom nobody here saw to be erased.
                if _to_erase(before) != _to_erase(hidden) or now - seen > 1:
                    self._forget()
        except StoreUnavailable:
            pass
        return self._masked()

    def _masked(self, run: Run | None = None) -> Mask:
        """The accounts that the graph knows to be hidden (of a run: since then), and those to be erased here."""
        version, hidden = self._hidden
        # Who was asked for stays hidden until what was read is forgotten: pages in memory still name them.
        self._asked.update((one.id, one) for one in self._erasing())
        asked = list(self._asked.values())
        epoch = f"{version}{''.join(one.id for one in asked)}"
        if epoch != self._mask.epoch:
            here = [HiddenAccount(one.key, one.handle or self._handle_of(one.key), None) for one in asked]
            self._mask, self._masks = Mask((*hidden, *here), epoch), {}
        if run is None:
            return self._mask
        if run.graph_version not in self._masks:
            self._masks[run.graph_version] = self._mask.at(run.graph_version)
        return self._masks[run.graph_version]

    @property
    def erasing(self) -> Mask | None:
        """The accounts that are being erased, as far as this process knows; None where there are none."""
        erasing = self._masked().erasing
        return erasing if erasing.hidden else None

    def _handle_of(self, key: str) -> str | None:
        """The handle of an account as pages that are in memory have it."""
        found = b'"key":%s,"handle":"' % to_json(key)
        for part in self._kept.parts.values():
            for line in part.lines:
                if (at := line.find(found)) >= 0:
                    handle: str = from_json(line[at + len(found) - 1 : line.index(b'"', at + len(found)) + 1])
                    return handle
        return None

    def _forget(self) -> None:
        """Forget all that was read of runs, and what was made of it; what is being read is not kept either."""
        self._kept = _Kept()
        self._asked = {}
        if self._ahead and self._last is not None:
            self._prefetch = asyncio.create_task(self._fetch_ahead(self._last, self._prefetch))

    async def current(self) -> Current | None:
        """Return which run is current, as Neo4j says now; None where it does not answer."""
        try:
            return await self._current()
        except StoreUnavailable:
            return None

    async def names(self, published: Published) -> Names:
        """Return the names that people gave to communities; while Neo4j does not answer, those known from before."""
        kept = self._kept
        try:
            now = (await self._current()).names if published.names is None else published.names
            if now != kept.names.version:
                kept.names = Names(now, await list_names(self.store))
        except StoreUnavailable:
            pass
        return kept.names

    async def part(self, run_id: str, name: str) -> PublishedPart:
        """Return one part of a published run; see `store.published.read_part` for the errors."""
        kept = self._kept
        found = kept.parts.get((run_id, name))
        if found is not None:
            kept.parts.move_to_end((run_id, name))
            return found
        self._check_away()
        part = await read_part(self.store, run_id, name)
        kept.keep(run_id, part)
        return part

    async def part_if_any(self, run_id: str, name: str) -> PublishedPart:
        """Return one part of a published run, without lines where the run has published none of this name."""
        kept = self._kept
        try:
            return await self.part(run_id, name)
        except NotFound:
            empty = PublishedPart(name=name, lines=[])
            kept.keep(run_id, empty)
            return empty

    async def defined(self, run: Run, sees: Sees = None) -> list[tuple[Community, bytes]]:
        """Return the communities that people defined, of a published run, each with its line of the part `defined`.

        Left out are those defined by a brand that may not be seen.
        """
        if run.quality is None or not run.quality.defined:
            return []
        lines = (await self.part(run.id, "defined")).lines
        found = [(Community.model_validate_json(line), line) for line in lines]
        return [(one, line) for one, line in found if one.kind != "brand" or may_see(sees, one.subject)]

    async def brands(self, run_id: str, sees: Sees = None) -> dict[str, str | None]:
        """Return the names of the brands that a published run knew and that may be seen, by key."""
        lines = (await self.part_if_any(run_id, "brands")).lines
        found = map(Brand.model_validate_json, lines)
        return {brand.key: brand.name for brand in found if may_see(sees, brand.key)}

    async def population(self, run: Run, community: Community, question: Question) -> Population:
        """Return the candidates of a community with what a question needs of them.

        Raises:
            InvalidRequest: the run was made by an earlier version, which did not publish that.
        """

        async def make() -> Population:
            lines = (await self.part(run.id, f"candidates/{community.id}")).lines
            basis = await self._basis(run, community)
            defined = community.kind != "found"
            return await asyncio.to_thread(community_population, community.label, lines, basis, defined=defined)

        return await self._completed(run, await self._population((run.id, community.id), make), question)

    async def everybody(self, run: Run, question: Question) -> Population:
        """Return the candidates of all respectable communities that a run found, with what a question needs of them.

        Raises:
            InvalidRequest: the run was made by an earlier version, which did not publish what that needs.
        """

        async def make() -> Population:
            parts = []
            for community in await self.communities(run.id):
                if community.respectable:
                    lines = (await self.part(run.id, f"candidates/{community.id}")).lines
                    parts.append((community.label, lines, await self._basis(run, community)))
            return await asyncio.to_thread(union_population, parts)

        return await self._completed(run, await self._population((run.id, ""), make), question)

    async def lens_columns(self, run_id: str, ids: tuple[str, ...]) -> LensColumns:
        """Return what lenses say of the members of some communities that are compared."""
        kept, key = self._kept, (run_id, ids)
        if key not in kept.lenses:
            self._check_away()
            kept.lenses[key] = asyncio.create_task(read_members(self.store, run_id, ids))
            while len(kept.lenses) > LENSES_KEPT:
                kept.lenses.popitem(last=False)
        kept.lenses.move_to_end(key)
        try:
            return await asyncio.shield(kept.lenses[key])
        except Exception:
            kept.lenses.pop(key, None)  # whoever asks next tries again
            raise

    async def fitting(self, run: Run, communities: Sequence[Community], brief: Brief) -> list[FittingCommunity]:
        """Say how well communities fit a brief, best first; of equals the larger, then by id."""
        parts = await self._lines_of(run, "words", [one.id for one in communities])
        fits = await asyncio.to_thread(lambda: [fit_of(brief, CommunityWords.of(lines)) for lines in parts])
        found = [
            FittingCommunity.model_validate({**one.model_dump(), "fit": fit})
            for one, fit in zip(communities, fits, strict=True)
        ]
        return sorted(found, key=lambda one: (-one.fit.relevance, -one.size, one.id))

    async def _completed(self, run: Run, population: Population, question: Question) -> Population:
        """Add what accounts say, for briefs, and what lenses say, where they have weight; each once."""
        if question.brief is not None and not population.words:
            parts = await self._lines_of(run, "words", population.labels)
            words = await asyncio.to_thread(lambda: [CommunityWords.of(lines) for lines in parts])
            if not population.words:  # nobody else was faster
                population.words.extend(words)
        new = [lens for lens in question.mix[1] if lens not in population.lenses]
        if new:
            parts = await self._lines_of(run, "lenses", population.labels)
            if not all(parts) and run.spec.lenses:
                raise InvalidRequest(
                    f"Run {run.id} did not publish what questions need that give weight to lenses; analyse again."
                )
            population.lenses.update(await asyncio.to_thread(measure_lenses, new, parts, len(population.candidates)))
        return population

    async def _lines_of(self, run: Run, kind: str, communities: Iterable[str]) -> list[Sequence[bytes]]:
        """What was published of some kind of each community, by id; no lines where that is nothing."""
        return [(await self.part_if_any(run.id, f"{kind}/{community}")).lines for community in communities]

    async def _basis(self, run: Run, community: Community) -> Sequence[bytes]:
        lines = (await self.part_if_any(run.id, f"basis/{community.id}")).lines
        if not lines:
            raise InvalidRequest(
                f"Run {run.id} published only its own candidates, not what other questions need; analyse again, or ask "
                "without brand, objective, topic, weights, role, track and size_band."
            )
        return lines

    async def _population(
        self, key: tuple[str, str], make: Callable[[], Coroutine[Any, Any, Population]]
    ) -> Population:
        """Return a population; who asks for it while it is made waits for the same one."""
        kept = self._kept
        if key in kept.populations:
            kept.populations.move_to_end(key)
            return kept.populations[key]
        if key not in kept.making:
            kept.making[key] = asyncio.create_task(make())
        try:
            found = await asyncio.shield(kept.making[key])
        finally:
            if key in kept.making and kept.making[key].done():
                del kept.making[key]
        kept.populations[key] = found
        while len(kept.populations) > POPULATIONS_KEPT:
            kept.populations.popitem(last=False)
        return found

    async def communities(self, run_id: str) -> list[Community]:
        """Return the communities of a published run."""
        kept = self._kept
        if run_id not in kept.communities:
            part = await self.part(run_id, "communities")
            kept.communities[run_id] = [Community.model_validate_json(line) for line in part.lines]
            while len(kept.communities) > RUNS_PARSED:
                kept.communities.popitem(last=False)
        return kept.communities[run_id]

    async def groups(self, run: Run) -> list[tuple[CommunityGroup, bytes]]:
        """Return the groups of communities of a published run, by level, each with its line of the part `groups`."""
        if run.quality is None or not run.quality.hierarchy:
            return []  # of a run of earlier times there is no such part
        kept = self._kept
        lines = (await self.part(run.id, "groups")).lines
        if run.id not in kept.groups:
            kept.groups[run.id] = [CommunityGroup.model_validate_json(line) for line in lines]
            while len(kept.groups) > RUNS_PARSED:
                kept.groups.popitem(last=False)
        return list(zip(kept.groups[run.id], lines, strict=True))

    async def account(self, run_id: str, key: str) -> dict[str, Any]:
        """Return one account with its memberships in a run; see `store.published.read_account`.

        Raises:
            AccountNotFound: there is none of this key, or it is to be erased.
        """
        self._check_away()
        self.check_shown(key)
        return await read_account(self.store, run_id, key)

    def check_shown(self, key: str) -> None:
        """Raise AccountNotFound for an account that is to be erased."""
        if not self.shows(key):
            raise no_account(key)

    def shows(self, key: str) -> bool:
        """Whether an account is not to be erased."""
        return not self._masked().erasing.hides(key)

    async def neighbours(self, run_id: str, community_id: str, key: str) -> dict[str, dict[str, Any]]:
        """Return who stands just above and below an account; see `store.published.read_neighbours`."""
        self._check_away()
        return await read_neighbours(self.store, run_id, community_id, key)

    async def ties(self, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return ties as the graph has them now; see `store.published.read_ties`."""
        self._check_away()
        return await read_ties(self.store, pairs)

    async def posts(self, keys: list[str]) -> list[dict[str, Any]]:
        """Return posts as the graph has them now; see `store.published.read_posts`."""
        self._check_away()
        return await read_posts(self.store, keys)

    async def published_before(self, run: Run) -> Run | None:
        """Return the published run that finished last before another one; None where there is none."""
        self._check_away()
        found = await published_before(self.store, run.id)
        return None if found is None else await self._run(found)

    async def member_changes(
        self, run: Run, since: Run, communities: Mapping[str, Sequence[str]], most: int
    ) -> dict[str, dict[str, Any]]:
        """Return who came to communities and left them; see `store.differences.read_member_changes`."""
        self._check_away()
        return await read_member_changes(self.store, run.id, since.id, communities, most)

    async def _run(self, run_id: str) -> Run:
        kept = self._kept
        if run_id not in kept.runs:
            self._check_away()
            run = await get_run(self.store, run_id)
            if run.backtest is not None:
                raise RunNotFound(f"Run {run_id} is a back-test; read it at /v1/backtests/{run_id}.")
            if run.state != "done":
                raise RunNotFound(f"Run {run_id} is {run.state} and has published nothing; read a run that is done.")
            if run.removed_at is not None:
                raise RunNotFound(
                    f"What run {run_id} published was removed, as it is older than the runs that are kept "
                    "(ENTOURAGE_RUNS_KEPT, ENTOURAGE_KEEP_RUNS_DAYS); read the current run."
                )
            kept.runs[run_id] = run
        return kept.runs[run_id]

    async def _current(self) -> Current:
        """Ask which run is current, not before this call; share the question with whoever waits for one, too."""
        self._check_away()
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._ask_after(self._asking))
        return await asyncio.shield(self._waiting)

    async def _ask_after(self, before: asyncio.Task[Current] | None) -> Current:
        if before is not None:
            await asyncio.wait([before])
        self._asking, self._waiting = self._waiting, None
        question = asyncio.create_task(read_current(self.store))
        # Left to its own end, which the store bounds: the driver loses a connection that is cancelled as it opens.
        await asyncio.wait([question], timeout=CHECK_SECONDS)
        if not question.done():
            question.add_done_callback(lambda late: late.cancelled() or late.exception())
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise StoreUnavailable("Neo4j takes too long to answer; try again in a moment.")
        try:
            return question.result()
        except StoreUnavailable:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise

    def _check_away(self) -> None:
        if time.monotonic() < self._away_until:
            raise StoreUnavailable("Neo4j does not answer at the moment; try again in a second.")

    async def _fetch_ahead(self, run: Run, before: asyncio.Task[None] | None) -> None:
        """Read all parts of a run, until another one is current; not cancelled, for the reason in `_ask_after`."""
        if before is not None:
            await asyncio.wait([before])
        try:
            await self.groups(run)
            for name in ("brands", "detractors"):
                await self.part_if_any(run.id, name)
            communities = [*await self.communities(run.id), *(one for one, _ in await self.defined(run))]
            for community in communities:
                for kind in ("lenses", "basis", "macros"):
                    if community.respectable and self._last is run:
                        await self.part_if_any(run.id, f"{kind}/{community.id}")
            # Last what is asked for most: where not all has room in memory, what came first goes first.
            for community in communities:
                if self._last is run:
                    await self.part(run.id, f"candidates/{community.id}")
        except EntourageError as error:
            log.warning("The pages of run %s could not all be fetched ahead: %s", run.id, error.message)


def _to_erase(hidden: Sequence[HiddenAccount]) -> set[str]:
    return {one.key for one in hidden if one.version is None}


def _size(part: PublishedPart) -> int:
    return sum(map(len, part.lines)) + 100


# --- for the command ------------------------------------------------------------------------------------


@asynccontextmanager
async def reading(address: StoreAddress) -> AsyncIterator[PublishedReader]:
    """A reader of published runs, for as long as it is used."""
    async with AsyncStore(address) as store:
        reader = PublishedReader(store)
        try:
            yield reader
        finally:
            await reader.close()


def called(community: Community, names: Mapping[str, CommunityName]) -> Community:
    """The community with what people call it."""
    name = names.get(community.id)
    if name is None:
        return community
    return community.model_copy(update={"name": name.name, "name_question": name.name_question})


async def read_served(address: StoreAddress) -> Run:
    """Read the current run.

    Raises:
        NothingPublished: there is none.
        StoreError: Neo4j does not answer.
    """
    async with reading(address) as reader:
        return (await reader.published()).run


async def read_communities(
    address: StoreAddress, run_id: str | None = None, *, defined: bool = False, brief: Brief | None = None
) -> Sequence[Community]:
    """Read the communities of the current run, or of a kept one: those that were found, or those that people defined.

    With a brief they come with how well they fit it, best first.

    Raises:
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        StoreError: Neo4j does not answer.
    """
    async with reading(address) as reader:
        published = await reader.published(run_id)
        run = published.run
        found: Sequence[Community] = (
            [one for one, _ in await reader.defined(run)] if defined else await reader.communities(run.id)
        )
        names = (await reader.names(published)).of
        found = [published.mask.unnamed(called(one, names)) for one in found]
        return found if brief is None else await reader.fitting(run, found, brief)


async def read_groups(address: StoreAddress, level: int, run_id: str | None = None) -> list[CommunityGroup]:
    """Read the groups of one level above the communities of the current run, or of a kept one; see `read_communities`.

    There are none at a level that the run has not.
    """
    async with reading(address) as reader:
        published = await reader.published(run_id)
        groups = [group for group, _ in await reader.groups(published.run) if group.level == level]
        return [published.mask.unnamed(group) for group in groups]


async def read_candidates(address: StoreAddress, community_id: str, run_id: str | None = None) -> list[Candidate]:
    """Read all candidates of a community of the current run, or of a kept one, best first.

    Raises:
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        CommunityNotFound: the run has no such community.
        StoreError: Neo4j does not answer.
    """
    async with reading(address) as reader:
        published = await reader.published(run_id)
        part = await reader.part(published.run.id, f"candidates/{community_id}")
        mask = published.mask
        return [Candidate.model_validate_json(mask.cleaned(line)) for line in mask.shown(part.lines)]


async def read_brands(address: StoreAddress) -> list[Brand]:
    """Read the brands of the graph as it is now, by key.

    Raises:
        StoreError: Neo4j does not answer.
    """
    async with AsyncStore(address) as store:
        return await _brands(store)


async def _brands(store: AsyncStore) -> list[Brand]:
    [row] = await store.read("snapshot/brands")
    return sorted(
        (Brand(key=key, name=name or None) for key, name in zip(row["key"], row["name"], strict=True)),
        key=lambda one: one.key,
    )
