"""What changed between two kept runs: communities, their members, and who stands where among their candidates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field
from pydantic_core import from_json

from service.domain import MILLION, PART_NAMES, Community, Frozen, GateName, PartName, Run, StoreAddress
from service.errors import CommunityNotFound, RunNotFound
from service.flows.brand_limits import Sees
from service.flows.published import PublishedReader, reading

NAMED = 100
"""So many of each kind of change are named in one community; counts say how many there are."""


# --- what is answered -----------------------------------------------------------------------------------


class BeforeAndNow(Frozen):
    """A number in the earlier run and in the later one; null where the run does not have what is counted."""

    before: int | None
    now: int | None


class CommunityCounts(Frozen):
    """How many communities are in both runs, only in the later one, and only in the earlier one."""

    both: int
    came: int
    left: int


class ChangesSummary(Frozen):
    """Two runs as a whole."""

    communities: CommunityCounts
    accounts: BeforeAndNow
    follows: BeforeAndNow
    candidates: BeforeAndNow
    same_rules: bool = Field(
        description="Whether both runs scored by the same rules; otherwise scores may have moved because of these."
    )


class MembersChange(Frozen):
    """Who came to a community and who left it: all are counted, the first by key are named, but for who opted out."""

    came: int
    left: int
    came_keys: tuple[str, ...]
    left_keys: tuple[str, ...]


class CandidateCounts(BeforeAndNow):
    """How many candidates a community had and has, who came, who left, and whose rank or score moved."""

    came: int
    left: int
    moved: int


class CandidateCame(Frozen):
    """Somebody who is a candidate in the later run only."""

    key: str
    handle: str | None
    name: str
    rank: int
    score: float


class WhereNow(Frozen):
    """Where somebody who is no longer a candidate of a community is in the later run.

    `elsewhere`: no member of it any more; `community` is then its own one, null where it has no ties, and `rank` its
    rank among the candidates there, null where it is none. `gate`: kept out by this gate. `macro`: its audience has
    become too large. `below_cutoff`: no longer in the top share that makes a micro-influencer.
    """

    reason: Literal["elsewhere", "gate", "macro", "below_cutoff"]
    community: str | None = None
    rank: int | None = None
    gate: GateName | None = None


class CandidateLeft(Frozen):
    """Somebody who was a candidate in the earlier run only, with rank and score of then."""

    key: str
    handle: str | None
    name: str
    rank: int
    score: float
    now: WhereNow


class CandidateMoved(Frozen):
    """A candidate of both runs whose rank or score moved.

    The changes of the parts sum to that of the score, exactly; a part that is null in a run counts as 0 there.
    """

    key: str
    handle: str | None
    name: str
    rank_before: int
    rank: int
    score_before: float
    score: float
    score_change: float
    score_change_millionths: int
    parts_millionths: dict[PartName, int]


class CommunityChange(Frozen):
    """What changed in one community. `status`: in both runs, or only in the later one (came), the earlier one (left).

    Candidates who came and who left are in order of rank, those who moved by how far, the score first.
    """

    id: str
    kind: Literal["found", "accounts", "topic", "brand"]
    subject: str | None
    label: str
    status: Literal["both", "came", "left"]
    size: BeforeAndNow
    members: MembersChange
    candidates: CandidateCounts
    came: tuple[CandidateCame, ...]
    left: tuple[CandidateLeft, ...]
    moved: tuple[CandidateMoved, ...]


# --- the difference of two lists of candidates ----------------------------------------------------------


class Place(NamedTuple):
    """A candidate's place in one run: rank, score, and points of each part that is known, in millionths."""

    key: str
    handle: str | None
    name: str
    rank: int
    score: int
    points: Mapping[PartName, int]


class Move(NamedTuple):
    """One who is a candidate in both runs: where, and by how much it moved."""

    before: Place
    now: Place

    @property
    def score(self) -> int:
        """By how much the score changed, in millionths of points."""
        return self.now.score - self.before.score

    @property
    def parts(self) -> dict[PartName, int]:
        """By how much the points of each part changed that is known in either run."""
        known = [part for part in PART_NAMES if part in self.before.points or part in self.now.points]
        return {part: self.now.points.get(part, 0) - self.before.points.get(part, 0) for part in known}

    @property
    def changed(self) -> bool:
        """Whether rank, score or a part moved."""
        return self.now.rank != self.before.rank or self.score != 0 or any(self.parts.values())


class Difference(NamedTuple):
    """Candidates only in the later list, and only in the earlier one, by rank; those who moved, the furthest first."""

    came: list[Place]
    left: list[Place]
    moved: list[Move]


def difference(before: Iterable[Place], now: Iterable[Place]) -> Difference:
    """Compare the candidates of a community in two runs."""
    earlier, later = {one.key: one for one in before}, {one.key: one for one in now}
    moves = [Move(earlier[key], place) for key, place in later.items() if key in earlier]
    return Difference(
        came=sorted((one for key, one in later.items() if key not in earlier), key=lambda one: one.rank),
        left=sorted((one for key, one in earlier.items() if key not in later), key=lambda one: one.rank),
        moved=sorted(
            (one for one in moves if one.changed),
            key=lambda one: (-abs(one.score), -abs(one.now.rank - one.before.rank), one.now.key),
        ),
    )


def place_of(line: bytes) -> Place:
    """Read the place of a candidate from its published document."""
    document = from_json(line)
    points = {one["part"]: one["points_millionths"] for one in document["parts"]}
    return Place(
        document["key"],
        document["handle"],
        document["name"],
        document["rank"],
        document["score_millionths"],
        {part: value for part, value in points.items() if value is not None},
    )


def _difference_of_lines(before: Sequence[bytes], now: Sequence[bytes]) -> Difference:
    return difference(map(place_of, before), map(place_of, now))


# --- two runs -------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """A community as the earlier and the later run have it; None where a run does not."""

    before: Community | None
    now: Community | None

    @property
    def named(self) -> Community:
        """The community as the later run that has it describes it."""
        found = self.now or self.before
        assert found is not None  # noqa: S101 - one of them has it
        return found


async def run_before(reader: PublishedReader, run: Run) -> Run:
    """Return the published run that finished last before another one.

    Raises:
        RunNotFound: there is none.
    """
    found = await reader.published_before(run)
    if found is None:
        raise RunNotFound(f"No published run finished before {run.id}; say with which to compare it.")
    return found


async def paired(
    reader: PublishedReader, run: Run, since: Run, sees: Sees = None, community_id: str | None = None
) -> list[Pair]:
    """Match the communities of two runs by id: those of the later run in its order, then those that only were.

    Left out are those defined by a brand that may not be seen. With `community_id` only this one.

    Raises:
        CommunityNotFound: neither run has a community of this id.
    """
    before, now = await _communities(reader, since, sees), await _communities(reader, run, sees)
    ids = [*now, *(one for one in before if one not in now)]
    if community_id is not None:
        if community_id not in ids:
            raise CommunityNotFound(f"There is no community {community_id} in run {run.id}, nor in run {since.id}.")
        ids = [community_id]
    return [Pair(before.get(one), now.get(one)) for one in ids]


async def _communities(reader: PublishedReader, run: Run, sees: Sees) -> dict[str, Community]:
    """Communities of a run by id: those that were found, then those that people defined."""
    defined = [one for one, _ in await reader.defined(run, sees)]
    return {one.id: one for one in [*await reader.communities(run.id), *defined]}


def summary_of(pairs: Sequence[Pair], run: Run, since: Run) -> ChangesSummary:
    """Count what two runs have and had."""

    def both(name: str) -> BeforeAndNow:
        return BeforeAndNow(before=getattr(since.quality, name, None), now=getattr(run.quality, name, None))

    return ChangesSummary(
        communities=CommunityCounts(
            both=sum(one.before is not None and one.now is not None for one in pairs),
            came=sum(one.before is None for one in pairs),
            left=sum(one.now is None for one in pairs),
        ),
        accounts=both("accounts"),
        follows=both("follows"),
        candidates=both("candidates"),
        same_rules=run.spec.rules == since.spec.rules,
    )


async def changes(reader: PublishedReader, run: Run, since: Run, pairs: Sequence[Pair]) -> list[CommunityChange]:
    """Say what changed in these communities between two runs."""
    found: dict[str, Difference] = {}
    for pair in pairs:
        part = f"candidates/{pair.named.id}"
        before = [] if pair.before is None else (await reader.part(since.id, part)).lines
        now = [] if pair.now is None else (await reader.part(run.id, part)).lines
        found[pair.named.id] = await asyncio.to_thread(_difference_of_lines, before, now)
    asked = {
        key: [
            *(place.key for place in (*one.came[:NAMED], *one.left[:NAMED])),
            *(move.now.key for move in one.moved[:NAMED]),
        ]
        for key, one in found.items()
    }
    members = await reader.member_changes(run, since, asked, NAMED)
    return [_change(pair, found[pair.named.id], members[pair.named.id]) for pair in pairs]


def _change(pair: Pair, found: Difference, members: Mapping[str, Any]) -> CommunityChange:
    """Put together what changed in one community; candidates who are not in the graph or opted out are not named."""
    accounts = {one["key"]: one for one in members["accounts"]}
    before, now, named = pair.before, pair.now, pair.named
    return CommunityChange(
        id=named.id,
        kind=named.kind,
        subject=named.subject,
        label=named.label,
        status="came" if before is None else "left" if now is None else "both",
        size=BeforeAndNow(before=before and before.size, now=now and now.size),
        members=MembersChange(
            came=members["came"], left=members["left"], came_keys=members["came_keys"], left_keys=members["left_keys"]
        ),
        candidates=CandidateCounts(
            before=before and before.candidates,
            now=now and now.candidates,
            came=len(found.came),
            left=len(found.left),
            moved=len(found.moved),
        ),
        came=tuple(CandidateCame(**_shown(one)) for one in found.came[:NAMED] if one.key in accounts),
        left=tuple(
            CandidateLeft(**_shown(one), now=_where_now(accounts[one.key]))
            for one in found.left[:NAMED]
            if one.key in accounts
        ),
        moved=tuple(_moved(one) for one in found.moved[:NAMED] if one.now.key in accounts),
    )


def _shown(place: Place) -> dict[str, Any]:
    return {
        "key": place.key,
        "handle": place.handle,
        "name": place.name,
        "rank": place.rank,
        "score": place.score / MILLION,
    }


def _moved(move: Move) -> CandidateMoved:
    return CandidateMoved(
        **_shown(move.now),
        rank_before=move.before.rank,
        score_before=move.before.score / MILLION,
        score_change=move.score / MILLION,
        score_change_millionths=move.score,
        parts_millionths=move.parts,
    )


def _where_now(account: Mapping[str, Any]) -> WhereNow:
    here, own = account["here"], account["own"]
    if here is None:
        own = own or {}
        return WhereNow(reason="elsewhere", community=own.get("community"), rank=own.get("rank"))
    if here.get("gate") is not None:
        return WhereNow(reason="gate", gate=here["gate"])
    return WhereNow(reason="macro" if here["type"] == "macro" else "below_cutoff")


# --- for the command ------------------------------------------------------------------------------------


class Changes(Frozen):
    """What changed between two runs: `run` is the later one."""

    run: str
    since: str
    summary: ChangesSummary
    total: int = Field(description="Communities of either run.")
    communities: tuple[CommunityChange, ...]


async def read_changes(
    address: StoreAddress, run_id: str, since_id: str | None, community_id: str | None, limit: int
) -> Changes:
    """Say what changed between two kept runs, in the first communities; without `since_id` since the run before.

    Raises:
        RunNotFound: no run of such an id has published anything, or none was published before.
        CommunityNotFound: neither run has this community.
    """
    async with reading(address) as reader:
        run = (await reader.published(run_id)).run
        since = await run_before(reader, run) if since_id is None else (await reader.published(since_id)).run
        pairs = await paired(reader, run, since, community_id=community_id)
        mask = await reader.mask()  # of both runs
        return Changes(
            run=run.id,
            since=since.id,
            summary=summary_of(pairs, run, since),
            total=len(pairs),
            communities=tuple(map(mask.unnamed, await changes(reader, run, since, pairs[:limit]))),
        )
