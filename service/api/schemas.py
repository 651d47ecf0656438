"""What is sent and answered over HTTP, beside the documents that runs publish (`service.domain`)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from service.domain import AccountType, Candidate, Community, CommunityGroup, Frozen, RunSpec

Limit = Annotated[int, Field(ge=1, le=200, description="Items a page.")]
Cursor = Annotated[str, Field(max_length=512, description="`next_cursor` of the page before.")]
RunId = Annotated[str, Field(max_length=100, description="A kept run; the current one when not said.")]


class RunRequest(Frozen):
    """What to analyse, and whether readers see it when it is done."""

    publish: bool = Field(default=False, description="Make this the run that everybody reads.")
    dry_run: bool = Field(default=False, description="Only say what it would take; nothing is asked for.")
    spec: RunSpec = RunSpec()


def _as_written(body: Any) -> Any:
    """Validate a body as JSON, where a number in quotes is no number and `"yes"` is no boolean.

    The body comes parsed. In Python's terms, though, being strict would refuse an array for a tuple.
    """
    if not isinstance(body, dict):
        return body
    try:
        text = json.dumps(body)
    except RecursionError:
        raise PydanticCustomError("nesting", "This is nested too deeply") from None
    return RunRequest.model_validate_json(text, strict=True)


StrictRunRequest = Annotated[RunRequest, BeforeValidator(_as_written)]


class NoQuery(Frozen):
    """No parameter at all."""


class ReadQuery(Frozen):
    """Which run to read."""

    run: RunId | None = None


class PageQuery(ReadQuery):
    """Which page to read."""

    limit: Limit = 20
    cursor: Cursor | None = None


class CommunitiesQuery(PageQuery):
    """Which communities to list."""

    respectable: bool | None = Field(default=None, description="Only those that are, or are not, respectable.")
    level: int = Field(
        default=0, ge=0, le=100, description="0: communities. From 1 on: groups of them; a run may have no such level."
    )


class AmbassadorsQuery(PageQuery):
    """Which candidates to list."""

    include_not_respectable: bool = Field(
        default=False, description="Also of a community that fails a test of respectability."
    )


class RunSummary(BaseModel):
    """Which run an answer comes from, and how fresh it is."""

    model_config = ConfigDict(extra="forbid")

    id: str
    graph_version: int | None
    as_of: datetime | None = Field(description="Latest event time in the graph that was analysed.")
    finished_at: datetime | None
    stale: bool = Field(description="Neo4j does not answer at the moment: a newer run may exist.")


class CommunityPage(BaseModel):
    """One page of communities, largest first."""

    run: RunSummary
    total: int
    next_cursor: str | None
    items: list[Community | CommunityGroup]


class CommunityAnswer(BaseModel):
    """One community, or one group of them."""

    run: RunSummary
    community: Community | CommunityGroup


class AmbassadorPage(BaseModel):
    """One page of the candidates of a community, best first."""

    run: RunSummary
    community: Community | CommunityGroup
    total: int
    empty_reason: str | None = Field(description="Why there are no candidates, where there are none.")
    next_cursor: str | None
    items: list[Candidate]


class Standing(BaseModel):
    """Where one account stands in one of its communities."""

    community: dict[str, Any] = Field(description="Id, label, size and whether it is respectable.")
    primary: bool = Field(description="Whether it is the account's own community; in others nobody is scored.")
    share: float = Field(description="Of the weight of the account's ties, how much is to this community.")
    type: AccountType | None
    in_base: bool | None
    score: float | None
    rank: int | None
    parts: dict[str, dict[str, float | None]] = Field(description="Raw value, x and points of each known part.")
    measures: dict[str, float] = Field(description="Measures over the whole network, of the account's own community.")
    candidate: Candidate | None
    not_candidate_reason: str | None


class AccountAnswer(BaseModel):
    """One account and where it stands."""

    run: RunSummary
    key: str
    handle: str | None
    network: str
    native_id: str
    opted_out: bool
    reported_followers: int | None
    followers: int = Field(description="In the graph, now.")
    following: int = Field(description="In the graph, now.")
    standings: list[Standing]


class Health(BaseModel):
    """Whether the service does its work."""

    status: str = Field(examples=["ready"])
