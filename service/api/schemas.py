"""What is sent and answered over HTTP, beside the documents that runs publish (`service.domain`)."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.domain import (
    OWN_PLATFORM,
    AccountType,
    BacktestReport,
    BacktestSpec,
    Brand,
    Candidate,
    Community,
    CommunityGroup,
    Definition,
    Delivery,
    DeliveryState,
    Detractor,
    Erasure,
    Excluded,
    FittingCommunity,
    Frozen,
    Gate,
    GateName,
    Import,
    ImportState,
    LensName,
    LensShares,
    NewSchedule,
    Outcome,
    PartWeights,
    QualityMeasure,
    Reader,
    RoleName,
    Run,
    RunError,
    RunSpec,
    RunState,
    Said,
    Schedule,
    Scope,
    ScoringRules,
    SizeBand,
    Stage,
    Track,
    folded_topic,
)
from service.flows.differences import ChangesSummary, CommunityChange
from service.flows.import_options import ImportOptions
from service.flows.importing import ImportReport

Limit = Annotated[int, Field(ge=1, le=200, description="Items a page.")]
Cursor = Annotated[str, Field(max_length=512, description="`next_cursor` of the page before.")]
BriefText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_000,
        description="What is looked for, as a text in English or French, or some words: relevance to it counts.",
        examples=["A sourdough kit for home bakers who care for slow food"],
    ),
]
Topic = Annotated[str, Field(min_length=1, max_length=100, description="A topic: relevance to it counts.")]
RunId = Annotated[str, Field(max_length=100, description="A kept run; the current one when not said.")]


class RunRequest(Frozen):
    """What to analyse, and whether readers see it when it is done."""

    publish: bool = Field(default=False, description="Make this the run that everybody reads.")
    dry_run: bool = Field(default=False, description="Only say what it would take; nothing is asked for.")
    spec: RunSpec = RunSpec()


def as_written(kind: type[Frozen]) -> BeforeValidator:
    """Validate a body as JSON, where a number in quotes is no number and `"yes"` is no boolean.

    The body comes parsed. In Python's terms, though, being strict would refuse an array for a tuple.
    """

    def read(body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        try:
            text = json.dumps(body)
        except RecursionError:
            raise PydanticCustomError("nesting", "This is nested too deeply") from None
        return kind.model_validate_json(text, strict=True)

    return BeforeValidator(read)


class BacktestAnswer(Frozen):
    """A back-test: what it asks, how far it is, and its report when it is done. `error` says why it failed."""

    id: str
    state: RunState
    stage: Stage
    progress: float | None = Field(description="Share of the stage done; null when unknown.")
    spec: BacktestSpec
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: RunError | None
    report: BacktestReport | None


StrictBacktestSpec = Annotated[BacktestSpec, as_written(BacktestSpec)]
StrictRunRequest = Annotated[RunRequest, as_written(RunRequest)]


class NoQuery(Frozen):
    """No parameter at all."""


class ReadQuery(Frozen):
    """Which run to read."""

    run: RunId | None = None


class RunsQuery(Frozen):
    """Which runs to list."""

    state: RunState | None = Field(default=None, description="Only those in this state.")
    before: str | None = Field(
        default=None, max_length=100, description="Id of a run: only those that were asked for before it."
    )
    limit: int = Field(default=20, ge=1, le=200)


class RunList(BaseModel):
    """Runs, those asked for last first; `before` lists the next ones, null at the end."""

    items: tuple[Run, ...]
    before: str | None


class ChartQuery(Frozen):
    """Which figures of a back-test to draw."""

    outcome: Outcome = Field(default="engagement", description="What was measured afterwards.")
    measure: QualityMeasure = Field(default="ndcg", description="How well a ranking put those first who counted.")
    first: int | None = Field(default=None, ge=1, description="How many from the top; the most that were asked for.")
    lang: Literal["en", "fr"] = "en"


class PageQuery(ReadQuery):
    """Which page to read."""

    limit: Limit = 20
    cursor: Cursor | None = None


class ChangesQuery(Frozen):
    """With which run to compare, and which page of the communities to read."""

    since: str | None = Field(
        default=None,
        max_length=100,
        description="The earlier run; when not said, the published run that finished last before.",
    )
    community: str | None = Field(default=None, max_length=100, description="Only this community.")
    limit: Limit = 20
    cursor: Cursor | None = None


class CommunitiesQuery(PageQuery):
    """Which communities to list."""

    kind: Literal["found", "defined"] = Field(
        default="found", description="Those that the run found, or those that people defined."
    )
    respectable: bool | None = Field(default=None, description="Only those that are, or are not, respectable.")
    level: int = Field(
        default=0, ge=0, le=100, description="0: communities. From 1 on: groups of them; a run may have no such level."
    )
    brief: BriefText | None = None


class AskingQuery(PageQuery):
    """What is asked of candidates: by what they are ranked, and which of them are shown."""

    objective: str | None = Field(
        default=None,
        max_length=100,
        description="A campaign's objective: the recipe says whom it asks for, and weights.",
    )
    topic: Topic | None = None
    brief: BriefText | None = None
    weights: str | None = Field(
        default=None,
        max_length=600,
        description="Weights of parts, and of lenses as extra parts (`lens.context`), that sum to 1; those that are "
        "not named get 0. They win over the objective's.",
        examples=["authority:0.4,trust:0.6"],
    )
    track: Track | None = Field(default=None, description="Only candidates of this track.")
    role: RoleName | None = Field(default=None, description="Only those with this role.")
    size_band: SizeBand | None = Field(default=None, description="Only those with an audience of this size.")

    @field_validator("topic")
    @classmethod
    def _as_topics_are_written(cls, topic: str | None) -> str | None:
        return None if topic is None else folded_topic(topic)

    def asked(self) -> str:
        """The question without the page, in one form: what a cursor is bound to."""
        asked = self.model_dump(mode="json", exclude={"run", "limit", "cursor"}, exclude_none=True)
        return json.dumps(asked, sort_keys=True, separators=(",", ":"))


class AmbassadorsQuery(AskingQuery):
    """Which candidates of a community to list, and how to rank them."""

    brand: str | None = Field(
        default=None, max_length=500, description="Key of a brand: affinity to it counts, its detractors are left out."
    )
    include_not_respectable: bool = Field(
        default=False, description="Also of a community that fails a test of respectability."
    )


class BrandAmbassadorsQuery(AskingQuery):
    """Which candidates of a brand to list, and how to rank them."""

    standing: Literal["advocate", "untapped"] | None = Field(
        default=None, description="Only spontaneous advocates, or only those who are untapped."
    )


class InfluencersQuery(PageQuery):
    """Which influencers of a community to list: macro and micro apart, or all by lenses."""

    objective: str | None = Field(default=None, max_length=100, description="A campaign's objective.")
    role: RoleName | None = Field(default=None, description="Only those with this role.")
    size_band: SizeBand | None = Field(default=None, description="Only those with an audience of this size.")
    lens: LensName | None = Field(default=None, description="Rank all members that are compared by this lens.")
    weights: str | None = Field(
        default=None,
        max_length=300,
        description="Rank them by a mix: weights of lenses, and of parts of the ambassador score as `score.trust`, "
        "that sum to 1.",
        examples=["context:0.5,standing:0.5"],
    )
    mix: str | None = Field(default=None, max_length=64, description="Rank them by a mix that was named.")

    @property
    def by_lenses(self) -> bool:
        """Whether they are ranked by lenses."""
        return self.lens is not None or self.weights is not None or self.mix is not None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        others = [name for name in ("objective", "role", "size_band") if getattr(self, name) is not None]
        if self.by_lenses and others:
            wrong = {"others": ", ".join(others)}
            said = "a ranking by lenses is of all members that are compared; leave out {others}"
            raise PydanticCustomError("lens", said, wrong)
        if self.cursor is not None and not self.by_lenses:
            raise PydanticCustomError("cursor", "a cursor is of a ranking by lenses; say which")
        return self


class ExcludedQuery(PageQuery):
    """Which members that gates keep out to name."""

    gate: Literal["brand_account", "suspicious", "inactive"] | None = Field(
        default=None, description="Only those that this gate keeps out."
    )


class DefineRequest(Frozen):
    """A community to define, and whether the run that scores it is for everybody."""

    definition: Definition
    publish: bool = Field(default=False, description="Make the run that scores it the one that everybody reads.")


class NameRequest(Frozen):
    """What people call a community."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        description="The name; null takes it away."
    )

    @field_validator("name")
    @classmethod
    def _says_something(cls, name: str | None) -> str | None:
        if name is not None and not name.strip():
            raise PydanticCustomError("name", "A name has at least one character that can be seen")
        return None if name is None else name.strip()


StrictNameRequest = Annotated[NameRequest, as_written(NameRequest)]


class OptOut(Frozen):
    """Whether an account wants to be left out."""

    opted_out: bool = Field(description="False takes an earlier wish back.")


StrictOptOut = Annotated[OptOut, as_written(OptOut)]


class OptedOut(Frozen):
    """What an account wishes now."""

    key: str
    opted_out: bool


class ErasuresQuery(Frozen):
    """Which receipts of erasures."""

    limit: int = Field(default=20, ge=1, le=200, description="How many at most.")


class ErasureList(Frozen):
    """Receipts of erasures, those asked for last first."""

    items: tuple[Erasure, ...]


StrictDefineRequest = Annotated[DefineRequest, as_written(DefineRequest)]


StrictNewSchedule = Annotated[NewSchedule, as_written(NewSchedule)]


class ScheduleList(BaseModel):
    """All schedules of runs, in the order in which they were made."""

    items: tuple[Schedule, ...]


class RunSummary(BaseModel):
    """Which run an answer comes from, and how fresh it is."""

    model_config = ConfigDict(extra="forbid")

    id: str
    graph_version: int | None
    as_of: datetime | None = Field(description="Latest event time in the graph that was analysed.")
    finished_at: datetime | None
    stale: bool = Field(description="Neo4j does not answer at the moment: a newer run may exist.")


class ChangesPage(BaseModel):
    """One page of communities with what changed in each from the run `since` to the run `run`."""

    run: RunSummary
    since: RunSummary
    summary: ChangesSummary
    total: int
    next_cursor: str | None
    items: list[CommunityChange]


class CommunityPage(BaseModel):
    """One page of communities, largest first; of a brief those that fit it best first, and how well."""

    run: RunSummary
    total: int
    next_cursor: str | None
    items: list[FittingCommunity | Community | CommunityGroup]


class CommunityAnswer(BaseModel):
    """One community, or one group of them."""

    run: RunSummary
    community: Community | CommunityGroup


class AskedObjective(BaseModel):
    """An objective: which types it asks for and why, and why not the others."""

    name: str
    title: Said
    types: list[AccountType]
    rank_by: str
    why: Said
    why_not: dict[str, Said]


class AskedWord(BaseModel):
    """A word of a brief, and how many of the accounts compared say it; null where nobody was compared."""

    word: str
    accounts: int | None


class AskedBrief(BaseModel):
    """A brief as it was understood: its words without those that every text has."""

    text: str
    words: list[AskedWord]


class AskedQuestion(BaseModel):
    """What was asked, with defaults resolved.

    `weights` of the six parts and those of `lenses`, which are extra parts, are before those of null parts are shared
    out, and sum to 1 together.
    """

    brand: str | None
    topic: str | None
    brief: AskedBrief | None
    objective: AskedObjective | None
    weights: PartWeights
    lenses: LensShares
    tracks: list[Track]
    roles: list[RoleName]
    size_band: SizeBand | None
    standing: str | None


class AmbassadorPage(BaseModel):
    """One page of the candidates of a community, best first. `rules` are all cut-offs of the run."""

    run: RunSummary
    community: Community | CommunityGroup
    question: AskedQuestion
    rules: ScoringRules
    total: int
    empty_reason: str | None = Field(description="Why there are no candidates, where there are none.")
    next_cursor: str | None
    items: list[Candidate]


class InfluencerGroup(BaseModel):
    """Macro- or micro-influencers of a community: whether the objective asks for them, and why not."""

    asked: bool
    why_not: Said | None
    total: int
    items: list[Candidate]


class InfluencersAnswer(BaseModel):
    """The influencers of a community: macros by audience, micros by score."""

    run: RunSummary
    community: Community
    question: AskedQuestion
    rules: ScoringRules
    macros: InfluencerGroup
    micros: InfluencerGroup


class ExcludedPage(BaseModel):
    """One page of members that gates keep out; `gates` count all, those who opted out, too."""

    run: RunSummary
    gates: list[Gate]
    total: int
    next_cursor: str | None
    items: list[Excluded]


class BrandList(BaseModel):
    """The brands that a run knew, by key."""

    run: RunSummary
    items: list[Brand]


class BrandAmbassadorPage(BaseModel):
    """One page of the candidates of a brand across communities; `communities` are the labels of theirs, by id."""

    run: RunSummary
    brand: Brand
    question: AskedQuestion
    rules: ScoringRules
    total: int
    empty_reason: str | None
    next_cursor: str | None
    items: list[Candidate]
    communities: dict[str, str]


class DetractorPage(BaseModel):
    """One page of those who speak against a brand."""

    run: RunSummary
    brand: Brand
    rules: ScoringRules
    total: int
    next_cursor: str | None
    items: list[Detractor]


class DefinedAnswer(BaseModel):
    """A community that was defined, and the run that scores it."""

    id: str
    definition: Definition
    created: bool = Field(description="Whether it is new; defined again, a community only gets its name.")
    run: Run


class Standing(BaseModel):
    """Where one account stands in one of its communities."""

    community: dict[str, Any] = Field(description="Id, label, size and whether it is respectable.")
    primary: bool = Field(description="Whether it is the account's own community; in others nobody is scored.")
    share: float | None = Field(description="Of the weight of the account's ties, how much is to this community.")
    confidence: float | None = Field(
        description="Of its own community: the chance that it is there under another seed of the search."
    )
    between: bool = Field(
        description="Whether it stands between its own community and the others listed: it is not sure to be there."
    )
    type: AccountType | None
    in_base: bool | None
    gate: GateName | None = Field(description="The gate that keeps it out of the base.")
    roles: list[RoleName]
    score: float | None
    rank: int | None
    macro_rank: int | None
    parts: dict[str, dict[str, float | None]] = Field(description="Raw value, x and points of each known part.")
    measures: dict[str, float] = Field(
        default_factory=dict, description="Measures over the whole network, of the account's own community."
    )
    candidate: Candidate | None
    macro: Candidate | None = Field(description="The document of a macro-influencer.")
    not_candidate_reason: str | None


class Neighbour(BaseModel):
    """Who stands next to an account, and what separates them: millionths of points, the other's minus the account's."""

    key: str
    handle: str | None
    type: AccountType
    score: float
    difference_millionths: int
    parts_millionths: dict[str, int]


class TieNow(BaseModel):
    """A tie of an account's evidence as the graph has it now."""

    follower: str
    followee: str
    parts: list[str] = Field(description="Parts that it is evidence of.")
    in_graph: bool
    follows: bool
    followed_at: datetime | None
    first_engaged: date | None
    last_engaged: date | None


class PostNow(BaseModel):
    """A post of an account's evidence as the graph has it now; of who opted out neither author nor text."""

    post: str
    evidence_of: list[str] = Field(description="Topics, and keys of brands, that it is evidence of.")
    in_graph: bool
    at: datetime | None
    author: str | None
    kind: str | None
    lang: str | None
    text: str | None


class ExplanationAnswer(BaseModel):
    """One account in one community, explained."""

    run: RunSummary
    community: Community
    account: dict[str, Any]
    standing: Standing
    above: Neighbour | None
    below: Neighbour | None
    evidence: list[TieNow]
    posts: list[PostNow]
    cypher: str = Field(description="Shows one of these ties in the graph; its parameters are follower and followee.")


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

    status: str = Field(examples=["live"])


class Readiness(BaseModel):
    """Whether the service can do its work, up to which delivery the graph is, and how fresh the current run."""

    status: str = Field(examples=["ready"])
    applied_up_to: int | None = Field(
        default=None,
        description="Sequence up to which all deliveries that this machine took are in the graph; null where the "
        "journal cannot be read.",
    )
    run: str | None = Field(description="The run that is read by default; null before the first was published.")
    as_of: datetime | None = Field(description="Latest event time that it saw.")
    graph_version: int | None = Field(description="Version of the graph that it saw.")
    graph_version_now: int | None = Field(description="Version of the graph now.")
    age_s: int | None = Field(description="Whole seconds since it was done.")


class DeliveriesQuery(Frozen):
    """Which deliveries to list."""

    state: DeliveryState | None = Field(default=None, description="Only those in this state.")
    source: str | None = Field(default=None, max_length=64, description="Only those of this source.")
    dead_letters: bool = Field(default=False, description="Only those with dead letters that were not replayed.")
    before: int | None = Field(default=None, ge=0, le=2**63 - 1, description="Only those with a lower sequence.")
    limit: int = Field(default=20, ge=1, le=200)


class DeliveryList(BaseModel):
    """Deliveries, latest first; `before` lists the next ones, null at the end."""

    items: tuple[Delivery, ...]
    before: int | None


class ImportQuery(ImportOptions):
    """How to read a file that is handed in, what to call it, and whether to look only."""

    column: list[str] = Field(  # type: ignore[assignment]  # of a tuple FastAPI would take the first value only
        default=[], description="FIELD=COLUMN: which column holds a field that is called otherwise. Repeatable."
    )
    set: list[str] = Field(  # type: ignore[assignment]
        default=[], description="FIELD=VALUE: a field that has one value in the whole file. Repeatable."
    )
    check: bool = Field(default=False, description="Write nothing; only say what an import would do.")
    name: str | None = Field(default=None, description="What to call the file in reports.")

    def options(self) -> ImportOptions:
        """How to read it."""
        return ImportOptions.model_validate(self.model_dump(exclude={"check", "name"}))


class ImportsQuery(Frozen):
    """Which imports to list."""

    state: ImportState | None = Field(default=None, description="Only those in this state.")
    before: int | None = Field(default=None, ge=0, le=2**63 - 1, description="Only those with a lower sequence.")
    limit: int = Field(default=20, ge=1, le=200)


class ShownImport(Import):
    """A file that was handed in to be imported, and what became of it."""

    report: ImportReport | None = Field(description="What the import did, when it is done.")  # type: ignore[assignment]


class ImportList(BaseModel):
    """Imports, latest first; `before` lists the next ones, null at the end."""

    items: tuple[ShownImport, ...]
    before: int | None


class Replay(Frozen):
    """Which dead letters to try again: those of a delivery, or of all that came from `since` to before `until`."""

    delivery: str | None = Field(default=None, max_length=100)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    source: str | None = Field(default=None, max_length=64, description="With a time range: only of this source.")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        of_range = (self.since, self.until) != (None, None)
        if (self.delivery is not None) == of_range or (self.source is not None and not of_range):
            raise PydanticCustomError("replay", "say delivery, or since and until with or without source")
        if of_range and (self.since is None or self.until is None):
            raise PydanticCustomError("replay", "a time range needs since and until")
        return self

    def range_ms(self) -> tuple[int, int]:
        """The time range in milliseconds since 1970 UTC."""
        since, until = (0 if one is None else int(one.timestamp() * 1000) for one in (self.since, self.until))
        return since, until


StrictReplay = Annotated[Replay, as_written(Replay)]


def as_kept(mapping: dict[str, Any] | None) -> str | None:
    """Return a mapping as sources keep it."""
    return None if mapping is None else json.dumps(mapping, sort_keys=True, ensure_ascii=False)


def text_of(secret: SecretStr | None) -> str | None:
    """Return the text of a secret."""
    return None if secret is None else secret.get_secret_value()


class HowRead(Frozen):
    """How what a source pushes is read: without a platform as events of Entourage, ids being `network:id` without a
    network. With one, its accounts live where those of the platform do, unless a network is said."""

    network: str | None = Field(default=None, pattern="^[a-z0-9_.-]{1,64}$", examples=["mastodon"])
    platform: str = Field(default=OWN_PLATFORM, max_length=64, description="`GET /v1/platforms` lists them.")
    mapping: dict[str, Any] | None = Field(default=None, description="For the platform mapped: what its adapter reads.")

    @property
    def reader(self) -> Reader:
        """By what deliveries are read."""
        return Reader(self.platform, as_kept(self.mapping))


class NewSource(HowRead):
    """A source to be made, and how what it pushes is read."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$", examples=["shop"])
    secret: SecretStr | None = Field(default=None, description="That which the platform gave; else one is drawn.")


StrictNewSource = Annotated[NewSource, as_written(NewSource)]


class NewMapping(Frozen):
    """By what the adapter of a source reads from now on."""

    mapping: dict[str, Any]


StrictNewMapping = Annotated[NewMapping, as_written(NewMapping)]


class Example(HowRead):
    """Something that a platform sends, to learn what would become of it."""

    example: Any = Field(description="The body of a delivery: a value of JSON, or an array of them.")


StrictExample = Annotated[Example, as_written(Example)]


class ShownPlatform(BaseModel):
    """A platform whose deliveries are read."""

    name: str
    about: str = Field(description="What of it is read.")
    network: str | None = Field(description="Where its accounts live, unless the source says otherwise.")
    gives_secret: bool = Field(description="Whether it gives the secret, rather than taking one that is drawn here.")


class PlatformList(BaseModel):
    """All platforms, by name."""

    items: tuple[ShownPlatform, ...]


class Rotation(Frozen):
    """How to rotate a secret: `at_once` ends the ones before it now, as when one has leaked."""

    at_once: bool = False
    secret: SecretStr | None = Field(default=None, description="That which the platform gave; else one is drawn.")


StrictRotation = Annotated[Rotation, as_written(Rotation)]


class ShownSecret(Frozen):
    """What may be shown of a secret."""

    id: str
    created_at: datetime
    last_used_at: datetime | None


class ShownSource(Frozen):
    """Who may push events. The latest secret stands first; at most two are live."""

    name: str
    network: str | None
    platform: str = Field(description="Whose adapter reads what it pushes; entourage: it pushes events as they are.")
    mapping: dict[str, Any] | None = Field(description="What the adapter reads by, where it needs that.")
    disabled: bool
    created_at: datetime
    secrets: tuple[ShownSecret, ...]


class SourceList(BaseModel):
    """All sources, by name."""

    items: tuple[ShownSource, ...]


class SourceWithSecret(BaseModel):
    """A source with its new secret, which is not shown again; null where the platform gave it."""

    source: ShownSource
    secret: str | None = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class NewKey(Frozen):
    """A key to be made: what it is called, what it may do, and the brands it may see (null: all)."""

    name: str = Field(min_length=1, max_length=200, examples=["Dashboard"])
    scopes: tuple[Scope, ...] = Field(min_length=1, examples=[["read"]])
    brands: tuple[str, ...] | None = Field(default=None, description="Only with the scope read alone.")


StrictNewKey = Annotated[NewKey, as_written(NewKey)]


class ShownKey(Frozen):
    """A key of the API without the key itself, which begins with `ent_` and the id."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    brands: tuple[str, ...] | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyList(BaseModel):
    """All keys of the API, in the order in which they were made."""

    items: tuple[ShownKey, ...]


class KeyWithSecret(BaseModel):
    """A key of the API with the key itself, which is not shown again."""

    key: ShownKey
    secret: str = Field(examples=["ent_3f9a1c20_Z5mYt0cJrXb2wqf1aG8nVdS7kHuPe4LoRiTxNMQyB6E"])
