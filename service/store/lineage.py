"""What an earlier run found, for the run that starts from it; histories of communities, and the names people give."""

from __future__ import annotations

import numpy as np

from service.domain import (
    Before,
    CommunityHistory,
    CommunityName,
    Ended,
    Int32,
    LineageStep,
    NameQuestion,
    Predecessor,
    Run,
)
from service.errors import CommunityNotFound, InvalidRequest
from service.store.driver import AsyncStore, AsyncTx, Row, Store
from service.store.runs import in_utc
from service.store.snapshots import VALUES_A_ROW


def read_before(store: Store, run: Run, number: Int32) -> Before:
    """Read which community each account was in in an earlier run.

    Args:
        store: the graph.
        run: that run, which is done.
        number: int32[n], `Account.n` of the accounts of the graph of now.

    Raises:
        InvalidRequest: nothing is left of what that run found.
    """
    rows = store.read("lineage/before", run=run.id)
    if run.quality is None or run.removed_at is not None or len(rows) < run.quality.communities:
        raise InvalidRequest(
            f"The communities of run {run.id} are no longer kept, so that no run can start from it; start from a later "
            "one, or cold."
        )
    place = np.full(int(number.max(initial=0)) + 1, -1, dtype=np.int64)
    place[number] = np.arange(len(number))
    labels = np.full(len(number), -1, dtype=np.int32)
    confidence = np.full(len(number), np.nan)
    outreach = np.zeros(len(number), dtype=np.int64)
    for community, row in enumerate(rows):
        members, sure = np.array(row["members"], dtype=np.int64), np.array(row["confidence"], dtype=np.float64)
        there = members < len(place)
        at = place[members[there]]
        labels[at[at >= 0]] = community
        confidence[at[at >= 0]] = sure[there][at >= 0]
    for row in store.read("lineage/outreach_before", run=run.id, step=VALUES_A_ROW):
        members = np.array(row["members"], dtype=np.int64)
        there = members < len(place)
        at, points = place[members[there]], np.array(row["outreach"], dtype=np.int64)[there]
        outreach[at[at >= 0]] = points[at >= 0]
    return Before(
        run=run.id,
        ids=[row["id"] for row in rows],
        written=[row["written"] for row in rows],
        sizes=np.array([row["size"] for row in rows], dtype=np.int64),
        labels=labels,
        confidence=confidence,
        quality=run.quality,
        rules=run.spec.rules,
        outreach=outreach,
    )


async def read_history(store: AsyncStore, community_id: str) -> CommunityHistory:
    """Read what published runs found of a community.

    Raises:
        CommunityNotFound: none found a community of this id.
    """
    rows = await store.read("lineage/history", id=community_id)
    if not rows:
        raise CommunityNotFound(
            f"No published run found a community {community_id}; GET /v1/communities lists those that there are."
        )
    steps = tuple(
        LineageStep(
            run=row["run"],
            finished_at=in_utc(row["finished_at"]),
            as_of=in_utc(row["as_of"]),
            size=row["size"],
            label=row["label"],
            same=row["same"],
            event="continues" if row["same"] else row["event"],
            predecessors=tuple(Predecessor.model_validate(one) for one in row["predecessors"]),
            parts=tuple(row["parts"]),
        )
        for row in rows
    )
    last, ended = rows[0], None
    if last["ended"] is not None:
        ended = Ended(id=community_id, event=last["ended"], size=last["size"], into=tuple(last["ended_into"]))
    names = await list_names(store)
    return CommunityHistory(id=community_id, name=names.get(community_id), steps=steps, ended=ended)


# --- names ----------------------------------------------------------------------------------------------


async def list_names(store: AsyncStore) -> dict[str, CommunityName]:
    """Return the names that people gave, and open questions about them, by id of the community."""
    rows = await store.read("names/all")
    return {
        row["id"]: CommunityName(
            id=row["id"],
            name=row["name"],
            name_question=NameQuestion(question=row["question"], asked_of=row["asked_of"], suggested=row["suggested"])
            if row["question"]
            else None,
            named_at=in_utc(row["named_at"]),
        )
        for row in rows
    }


async def keep_name(store: AsyncStore, community_id: str, name: str | None) -> CommunityName:
    """Give a community a name, or take it away; an open question about it is answered with that.

    Raises:
        CommunityNotFound: no run found a community of this id.
    """

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run("names/set", id=community_id, name=name)

    [row] = await store.write_transaction(work)
    if not row["known"]:
        raise CommunityNotFound(
            f"No run found a community {community_id}, so that it cannot be named; GET /v1/communities lists them. "
            "What people defined is named where it is defined."
        )
    return (await list_names(store))[community_id]
