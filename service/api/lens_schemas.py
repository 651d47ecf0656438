"""What is sent and answered over HTTP about lenses."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.api.schemas import Cursor, Limit, PageQuery, ReadQuery, RunId, RunSummary, as_written
from service.domain import MIXABLE, MOST_DEFINED, AccountType, Community, Frozen, LensMix, LensName, LensSummary

# --- what is asked ----------------------------------------------------------------------------------------


class LensQuery(PageQuery):
    """Which run to read, and which page of the statement."""

    limit: int = Field(default=100, ge=1, le=1_000, description="Actions a page.")

    @model_validator(mode="after")
    def _one_run(self) -> Self:
        _require_one_run(self.run, self.cursor)
        return self


def _require_one_run(run: str | None, cursor: str | None) -> None:
    if cursor is not None and run is not None:
        raise PydanticCustomError("cursor", "a cursor stays with the run it came from; leave out run")


class InfluencesQuery(PageQuery):
    """Whom to list, and which page."""

    direction: Literal["influences", "influenced_by"] = Field(
        default="influences", description="Whom the account influences, or who influences it."
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="Accounts a page.")


class CorrelationsQuery(ReadQuery):
    """Of whom."""

    community: str | None = Field(
        default=None, max_length=100, description="Of the members of this community; when not said, of all of them."
    )


class CorrelationsChartQuery(CorrelationsQuery):
    """Of whom, and in which language."""

    lang: Literal["en", "fr"] = "en"


def usable_weights(weights: dict[str, float]) -> dict[str, float]:
    """Return the weights of a mix that are above 0, in one order.

    Raises:
        PydanticCustomError: a name is none of what can be mixed, a weight is not in 0..1, or they do not sum to 1.
    """
    unknown = sorted(set(weights) - set(MIXABLE))
    if unknown:
        wrong = {"name": unknown[0][:40], "there": ", ".join(MIXABLE)}
        raise PydanticCustomError("weights", "{name} cannot be mixed; there are {there}", wrong)
    if any(not 0 <= one <= 1 for one in weights.values()):
        raise PydanticCustomError("weights", "each weight is from 0 to 1")
    if abs(sum(weights.values()) - 1) > 1e-9:
        raise PydanticCustomError("weights", "weights must sum to 1")
    return {name: weights[name] for name in MIXABLE if weights.get(name)}


MixWeights = Annotated[
    dict[str, float],
    AfterValidator(usable_weights),
    Field(
        description="Weights of lenses, and of parts of the ambassador score as `score.trust`; they sum to 1.",
        examples=[{"standing": 0.5, "context": 0.3, "score.trust": 0.2}],
    ),
]


class MixRequest(Frozen):
    """A mix of lenses and parts."""

    weights: MixWeights


StrictMixRequest = Annotated[MixRequest, as_written(MixRequest)]


class ScoredPopulation(Frozen):
    """Who is compared: the members of a community, some accounts, or, where neither is said, of all communities."""

    community: Annotated[str, Field(max_length=100, description="Id of a community.")] | None = None
    accounts: tuple[Annotated[str, Field(min_length=1, max_length=1_000)], ...] | None = Field(
        default=None, min_length=1, max_length=MOST_DEFINED, description="Keys of accounts."
    )

    @field_validator("accounts")
    @classmethod
    def _each_once(cls, accounts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if accounts is None else tuple(dict.fromkeys(accounts))

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.community is not None and self.accounts is not None:
            raise PydanticCustomError("population", "say one of community and accounts, or neither")
        return self


class ScoresRequest(Frozen):
    """A ranking to be made: of whom, by which mix, and which page of it."""

    population: ScoredPopulation = ScoredPopulation()
    weights: MixWeights | None = None
    mix: str | None = Field(default=None, max_length=64, description="A mix that was named, instead of weights.")
    run: RunId | None = None
    limit: Limit = 20
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _one_mix(self) -> Self:
        if (self.weights is None) == (self.mix is None):
            raise PydanticCustomError("weights", "say one of weights and mix, and only one")
        _require_one_run(self.run, self.cursor)
        return self

    def asked(self, weights: dict[str, float]) -> str:
        """The question with the weights of its mix and without the page, in one form: what a cursor is bound to."""
        asked = self.model_dump(mode="json", include={"population"}, exclude_none=True) | {"weights": weights}
        return "scores?" + json.dumps(asked, sort_keys=True, separators=(",", ":"))


StrictScoresRequest = Annotated[ScoresRequest, as_written(ScoresRequest)]


# --- what is answered -------------------------------------------------------------------------------------


class LensChange(BaseModel):
    """How a value changed: against which published run, whose data is older; or why that cannot be said."""

    difference: float | None
    run: str | None
    as_of: datetime | None
    before: float | None
    reason: str | None


class LensChanges(BaseModel):
    """Changes over a day, a week, and a month of 28 days."""

    day: LensChange
    week: LensChange
    month: LensChange


class LensSaid(BaseModel):
    """What one lens says of an account: parts sum to the value exactly; where it is null, `reason` says why."""

    value: float | None
    parts: dict[str, float]
    reason: str | None
    figures: dict[str, Any] = Field(description="Further figures; null where unknown.")
    change: LensChanges


class ScoredAccount(BaseModel):
    """An account that is shown because it was asked for."""

    key: str
    handle: str | None
    opted_out: bool


class OwnCommunity(BaseModel):
    """The community of an account."""

    id: str
    label: str | None


class ScorecardAnswer(BaseModel):
    """What every lens of a run says of one account; the run says until when its data goes."""

    run: RunSummary
    account: ScoredAccount
    community: OwnCommunity | None
    lenses: dict[LensName, LensSaid]


class LensPastValue(BaseModel):
    """A value of a lens in a published run."""

    run: str
    as_of: datetime | None
    value: float | None


class StatementAction(BaseModel):
    """One action that gave points: counted · points of its kind · weight. No actor where it may not be named."""

    day: date | None = Field(description="Null of a follow of which nobody knows since when.")
    actor: str | None
    actor_handle: str | None
    kind: Literal["likes", "replies", "mentions", "reposts", "follows"]
    times: int
    counted: int
    weight: int
    points: int


class Statement(BaseModel):
    """A page of an activity statement. Points of all actions, and `changed_since`, sum to `points` exactly."""

    points: int
    changed_since: int = Field(
        description="What the graph gives more or less now than it did when the run was made, with the sign turned."
    )
    total: int
    next_cursor: str | None
    items: list[StatementAction]


class Entity(BaseModel):
    """A brand that an account names in posts about a topic, and in how many."""

    brand: str
    name: str | None
    posts: int


class TopicOfAccount(BaseModel):
    """A topic that an account wrote or shared about: the topic that it is part of, and brands in posts about it."""

    topic: str
    part_of: str | None = Field(description="The topic that nearly all have who have this one, if there is any.")
    posts: int
    post: str = Field(description="Key of the latest.")
    latest: datetime | None
    entities: list[Entity]


class EngagedFollower(BaseModel):
    """A follower, how many follow it, on how many days of the year it engaged, and how often."""

    account: str
    handle: str | None
    followers: int = Field(description="All of them: also those that count nothing for lenses.")
    days: int
    responses: int


class AnsweredPost(BaseModel):
    """A post: followers of its author and of those who passed it on, responses, and how many were more than likes."""

    post: str
    at: datetime | None
    kind: str | None
    likes: int
    replies: int
    reposts: int
    visibility: int
    impact: int
    trust: float | None = Field(description="Share of the responses that are no likes; null without any.")


class Backer(BaseModel):
    """Who endorses an account, since when, and what that adds to its price, where it counts."""

    account: str | None = Field(description="Null where it may not be named.")
    handle: str | None
    at: datetime | None
    weight: float | None
    counts: bool = Field(
        description="False on a cycle of endorsements, as backing each other pays nothing, or where it came later."
    )


class PriceOfDay(BaseModel):
    """A price at the end of a day."""

    day: date
    price: float


class LensEvidence(BaseModel):
    """What a value rests on beside its parts, as the graph has it now; what a lens does not rest on is left out."""

    topics: list[TopicOfAccount] | None = None
    engaged_followers: list[EngagedFollower] | None = None
    backers: list[Backer] | None = None
    changed_since: float | None = Field(
        default=None, description="The price of the run less that which the graph gives now for its last day."
    )
    prices: list[PriceOfDay] | None = Field(
        default=None,
        description="Of the last 90 days, of what the graph holds now, with the backers of now at their weights of "
        "the run.",
    )
    posts: list[AnsweredPost] | None = None


class LensAnswer(LensSaid):
    """What one lens says of one account, and what that rests on."""

    run: RunSummary
    account: ScoredAccount
    community: OwnCommunity | None
    lens: LensName
    part_reasons: dict[str, str] = Field(description="Why nobody has some parts.")
    cut_offs: dict[str, Any] = Field(description="What the lens counts, and what the data decided.")
    history: list[LensPastValue] = Field(description="Values in published runs that are kept, the earliest first.")
    evidence: LensEvidence
    statement: Statement | None = Field(default=None, description="Of standing: what gave points.")


class LensesAnswer(BaseModel):
    """The lenses of a run."""

    run: RunSummary
    items: list[LensSummary]


class Influence(BaseModel):
    """An account that listens to another one, or is listened to, and its share in the weight of all such ties."""

    account: str
    handle: str | None
    share: float
    weight: float
    follows: bool
    likes: int
    replies: int
    mentions: int
    reposts: int


class InfluencePage(BaseModel):
    """One page of the accounts that one account influences, or that influence it; the largest share first."""

    run: RunSummary
    account: ScoredAccount
    direction: Literal["influences", "influenced_by"]
    total: int
    next_cursor: str | None
    items: list[Influence]


class MixedMeasure(BaseModel):
    """What one lens, or part of the ambassador score, gives an account in a mix: points are 100 · weight · x."""

    measure: str
    value: float | None
    x: float
    weight: float
    points: float
    points_millionths: int
    note: str | None


class MixedAccount(BaseModel):
    """An account in a ranking by a mix. `score_millionths` is exactly the sum of its measures' `points_millionths`."""

    rank: int
    key: str
    handle: str | None
    name: str
    community: str | None
    type: AccountType | None
    score: float
    score_millionths: int
    measures: list[MixedMeasure]


class MixedPage(BaseModel):
    """One page of a ranking by a mix of lenses."""

    run: RunSummary
    compared: int = Field(description="How many accounts are compared; scores compare only among these.")
    weights: dict[str, float]
    weights_in_force: dict[str, float] = Field(description="After weights of measures that nobody has were shared out.")
    without: list[str] = Field(description="Measures of the mix that nobody has.")
    relative_to_communities: list[str] = Field(
        description="Measures of the mix that are relative to each account's own community, where several are compared."
    )
    total: int
    next_cursor: str | None
    items: list[MixedAccount]


class ScoresAnswer(MixedPage):
    """Accounts ranked by a mix."""

    population: ScoredPopulation
    not_compared: list[str] = Field(
        description="Of accounts that were named, those that the run did not measure, as they are newer, or opted out."
    )
    mix: str | None


class LensInfluencersAnswer(MixedPage):
    """The members of a community that are compared, ranked by lenses."""

    community: Community
    lens: LensName | None
    mix: str | None


class CorrelationsAnswer(BaseModel):
    """How alike lenses rank accounts: matrices in the order of `lenses`."""

    run: RunSummary
    community: str | None
    lenses: list[LensName]
    accounts: int
    correlation: list[list[float | None]] = Field(
        description="Spearman's rank correlation; null where fewer than 3 accounts have both, or all the same."
    )
    compared: list[list[int]] = Field(description="How many accounts have both.")


class MixList(BaseModel):
    """Mixes that were named, by name."""

    items: tuple[LensMix, ...]
