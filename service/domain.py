"""Frozen values that pass between the rooms of the service.

Nothing here does I/O or computes; the models of published documents are at the same time the schema of the
HTTP API, so that what is stored, served and documented is one thing.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, get_args, overload

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

MILLION = 1_000_000

Progress = Callable[[str, int, int | None], None]
"""Called as `progress(stage, done, total)`; `total` is None while it is not known."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


# --- where the graph lives ------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoreAddress:
    """A Neo4j database that answers: Bolt address, credentials, database name."""

    uri: str
    user: str
    password: SecretStr
    database: str = "neo4j"


@dataclass(frozen=True)
class EmbeddedConfig:
    """How to run the embedded Neo4j.

    `home` holds data, logs, password and state of one server; `cache_dir` the jars, shared by all servers.
    `heap_mb` and `page_cache_mb` are in MiB; None lets the machine's memory decide.
    """

    home: Path
    cache_dir: Path
    version: str | None = None
    port: int = 7687
    heap_mb: int | None = None
    page_cache_mb: int | None = None


StoreSource = StoreAddress | EmbeddedConfig


# --- edges on their way in ------------------------------------------------------------------------------


class Follow(NamedTuple):
    """One active follow: `follower` follows `followee`.

    Both are account keys (`network:native_id`). `at` is the event time in milliseconds since 1970 UTC, or
    None where the source does not know it. Of two follows with the same ends the one with the greater
    `(at, weight)` stands, an unknown time counting as the earliest: the order of arrival does not matter.
    """

    follower: str
    followee: str
    weight: float = 1.0
    at: int | None = None


@dataclass(frozen=True)
class Applied:
    """What one batch changed in the graph: how many of its lines made something new, or changed what was there.

    `version` is the graph's version afterwards.
    """

    accounts_created: int
    created: int
    updated: int
    version: int


# --- the graph as arrays --------------------------------------------------------------------------------

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

DAY_MS = 86_400_000
"""Milliseconds of a day."""


@dataclass(frozen=True, eq=False)
class Texts(Sequence[str]):
    """Many short texts as two arrays: no Python object a text.

    Attributes:
        data: uint8, the UTF-8 of all texts, one after the other.
        offsets: int32[n+1] where `data` has less than 2 GiB, else int64[n+1]; text i is at
            `offsets[i]:offsets[i + 1]` of `data`.
    """

    data: UInt8
    offsets: Int32 | Int64

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Pack texts, in their order."""
        encoded = [text.encode() for text in texts]
        lengths = np.array([len(one) for one in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), _offsets(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Texts: ...
    def __getitem__(self, index: int | slice) -> str | Texts:
        if isinstance(index, slice):
            return self.take(np.arange(len(self), dtype=np.int64)[index])
        place = range(len(self))[operator.index(index)]  # an IndexError where there is no such text
        return self.data[self.offsets[place] : self.offsets[place + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        data, ends = self.data.tobytes(), self.offsets.tolist()
        return (data[start:end].decode() for start, end in itertools.pairwise(ends))

    def take(self, indices: Int32 | Int64) -> Texts:
        """Pick texts, in the order of `indices`."""
        lengths = (self.offsets[indices + 1] - self.offsets[indices]).astype(np.int64)
        offsets = _offsets(lengths)
        # Byte k of the result is byte k − (start there) + (start here) of these.
        shift = self.offsets[indices].astype(np.int64) - offsets[:-1]
        return Texts(self.data[np.repeat(shift, lengths) + np.arange(int(offsets[-1]), dtype=np.int64)], offsets)


def _offsets(lengths: Int64) -> Int32 | Int64:
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    return offsets.astype(np.int32) if offsets[-1] <= np.iinfo(np.int32).max else offsets


@dataclass(frozen=True)
class AccountColumns:
    """Accounts as read from the store, in any order: parallel columns of one length.

    `n` is the account's integer in the store (unique), `followers` the reported number of followers or -1.
    """

    n: Int64
    key: list[str]
    handle: list[str | None]
    opted_out: Bool
    followers: Int64


@dataclass(frozen=True)
class FollowColumns:
    """Follows as read from the store, in any order: parallel columns of one length.

    `source` and `target` hold `n` of follower and followee. A pair occurs once.
    """

    source: Int64
    target: Int64
    weight: Float64


EngagementName = Literal["likes", "replies", "mentions", "reposts"]
ENGAGEMENT_NAMES: tuple[EngagementName, ...] = ("likes", "replies", "mentions", "reposts")
"""What is counted of interactions; arrays of counts have a column for each, in this order."""


@dataclass(frozen=True)
class EngagementColumns:
    """Interactions as read from the store, counted by pair and day, in any order: parallel columns of one length.

    `source` and `target` hold `n` of who engaged and with whom; `day` is in days since 1970 UTC; `counts` is
    int64[e, 4], a column for each of ENGAGEMENT_NAMES. A pair occurs once a day.
    """

    source: Int64
    target: Int64
    day: Int64
    counts: Int64


RelationName = Literal["employee", "collaborator", "customer", "user"]
RELATION_NAMES: tuple[RelationName, ...] = ("employee", "collaborator", "customer", "user")
"""What an account may be to a brand; arrays hold positions in this tuple."""


@dataclass(frozen=True)
class BrandColumns:
    """Brands and who has to do with them, as read from the store, in any order: three groups of parallel columns.

    Brands: `key` (unique) and `name`, None where unknown.
    Accounts that are a brand's own: `own` holds their `n`, each once.
    Relations of accounts to brands: `account` holds `n` of the account, `brand` the brand's key, `relation` the
    position in RELATION_NAMES; `since` and `until` are in milliseconds since 1970 UTC (before it negative), -1 where
    absent.
    """

    key: list[str]
    name: list[str | None]
    own: Int64
    account: Int64
    brand: list[str]
    relation: Int8
    since: Int64
    until: Int64


@dataclass(frozen=True)
class TopicColumns:
    """What accounts write and share about, as read from the store, in any order: parallel columns of one length.

    `account` holds `n` of the account, `topic` the name of a topic, `posts` how many different posts about it the
    account wrote or shared (reposted), at least 1. A pair occurs once.
    """

    account: Int64
    topic: list[str]
    posts: Int64


@dataclass(frozen=True)
class Snapshot:
    """All that an analysis reads of the graph, as it was at one version.

    `followed_at` is the time of the latest follow or unfollow, in milliseconds since 1970 UTC, -1 where none is known.
    """

    version: int
    accounts: AccountColumns
    follows: FollowColumns
    followed_at: int
    engagements: EngagementColumns
    brands: BrandColumns
    topics: TopicColumns


@dataclass(frozen=True)
class Graph:
    """Follows, interactions and topics at one version as compressed sparse rows. Immutable by convention.

    Accounts are numbered 0..n-1 in the order of their keys (by code point); a follow i → j means i follows j. Takes
    about 68 bytes an account with short keys and no handles, 16 a follow, 12 a pair and day of interactions, 8 a topic
    of an account.

    Attributes:
        version: the graph version that was read.
        as_of: latest event time, ms since 1970 UTC: of follows and unfollows their time, of interactions the first
            moment of their day (in UTC), which is never later than what happened. None where nothing has a time. Later
            events can only raise it.
        number: int32[n], `Account.n` in the store.
        keys, handles: length n; a handle is empty where it is not known.
        opted_out: bool[n].
        followers: int64[n], reported followers, -1 where not reported.
        out_ptr: int64[n+1]; followees of i are `out_idx[out_ptr[i]:out_ptr[i+1]]`, ascending.
        out_idx: int32[m].
        out_weight: float64[m], weight of each follow: positive, finite.
        in_ptr, in_idx: the same for followers of i. Their weights are only in `out_weight`.
        engaged_ptr: int64[n+1]; interactions of i with others are at `engaged_ptr[i]:engaged_ptr[i+1]` of the three
            arrays below, by account, then day; an account stands once a day, i itself never.
        engaged_idx: int32[e], the account that i engaged with.
        engaged_day: int32[e], days since 1970 UTC.
        engaged_code: int32[e], row of `engaged_counts`.
        engaged_counts: int64[k, 4], the different counts that occur, ascending: a column for each of ENGAGEMENT_NAMES.
            A part of a graph has the rows of the whole.
        brand_keys, brand_names: length b, all brands in the order of their keys (by code point);
            `brand_names[k]` is None where unknown. A part of a graph knows all brands of the whole.
        brand_account: bool[n], accounts that are a brand's own.
        relation_account: int32[r], ascending: accounts that have to do with a brand, once for each relation. Those of
            one account stand by brand, then relation, since, until; none stands twice.
        relation_brand: int32[r], position in `brand_keys`.
        relation_name: int8[r], position in RELATION_NAMES.
        relation_since, relation_until: int64[r], ms since 1970 UTC, -1 where absent.
        topic_names: length k, the topics that some account wrote or shared posts about, in the order of their names (by
            code point). A part of a graph knows all topics of the whole.
        topic_ptr: int64[n+1]; topics of i are `topic_idx[topic_ptr[i]:topic_ptr[i+1]]`, ascending.
        topic_idx: int32[t], position in `topic_names`.
        topic_posts: int32[t], how many different posts about it the account wrote or shared (reposted), at least 1.
    """

    version: int
    as_of: int | None
    number: Int32
    keys: Texts
    handles: Texts
    opted_out: Bool
    followers: Int64
    out_ptr: Int64
    out_idx: Int32
    out_weight: Float64
    in_ptr: Int64
    in_idx: Int32
    engaged_ptr: Int64
    engaged_idx: Int32
    engaged_day: Int32
    engaged_code: Int32
    engaged_counts: Int64
    brand_keys: list[str]
    brand_names: list[str | None]
    brand_account: Bool
    relation_account: Int32
    relation_brand: Int32
    relation_name: Int8
    relation_since: Int64
    relation_until: Int64
    topic_names: Texts
    topic_ptr: Int64
    topic_idx: Int32
    topic_posts: Int32

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.keys)

    @property
    def m(self) -> int:
        """Number of follows."""
        return int(self.out_idx.shape[0])

    def name(self, i: int) -> str:
        """What people call account i: `@handle`, or its native id where no handle is known."""
        return account_name(self.keys[i], self.handles[i])


def account_name(key: str, handle: str) -> str:
    """What people call an account: `@handle`, or its native id where the handle is empty."""
    return f"@{handle}" if handle else key.split(":", 1)[-1]


# --- what a run is asked --------------------------------------------------------------------------------


class Frozen(BaseModel):
    """Base of our own documents: immutable, unknown fields rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


PartName = Literal["authority", "reach", "resonance", "trust", "relevance", "affinity"]
PART_NAMES: tuple[PartName, ...] = ("authority", "reach", "resonance", "trust", "relevance", "affinity")

Share = Annotated[float, Field(ge=0, le=1)]
EngagementWeight = Annotated[float, Field(ge=0, le=1_000_000)]


class PartWeights(Frozen):
    """Weights of the six parts of the ambassador score; they must sum to 1.

    Parts that a whole community lacks the data for are null, and their weight is shared out in proportion.
    """

    authority: Share = 0.20
    reach: Share = 0.15
    resonance: Share = 0.20
    trust: Share = 0.20
    relevance: Share = 0.15
    affinity: Share = 0.10


class EngagementWeights(Frozen):
    """What one interaction of each kind counts in the weight of a tie. One that counts 0 makes no tie."""

    likes: EngagementWeight = 1
    replies: EngagementWeight = 3
    mentions: EngagementWeight = 3
    reposts: EngagementWeight = 2


QualityFunction = Literal["modularity", "directed_modularity", "cpm"]
"""What communities maximise; see `analytics.leiden`."""


class ScoringRules(Frozen):
    """Every cut-off of the score, in this one place. Shown with each run. (c) marks a convention.

    A run with other values is another run: they are part of its specification.
    """

    window_days: int = Field(
        default=90, ge=1, le=36_500, description="Days of interactions that count, the last one that of `as_of` (c)."
    )
    half_life_days: float = Field(
        default=30, ge=1, description="Days after which an interaction counts half in the weight of a tie (c)."
    )
    engagement: EngagementWeights = EngagementWeights()
    quality_function: QualityFunction = Field(
        default="modularity",
        description="What communities maximise: modularity, directed_modularity, or cpm (the constant Potts model).",
    )
    resolutions: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.25, 0.5, 1.0, 2.0, 4.0), min_length=1, description="Resolutions γ tried; higher is finer."
    )
    modularity_kept: Share = Field(default=0.95, description="Keep γ with Q ≥ this · max Q (c).")
    useful_kept: Share = Field(default=0.95, description="Of these, keep U ≥ this · their max U; finest wins (c).")
    useful_min_cap: int = Field(
        default=50, ge=1, description="A useful community has at least min(this, ⌈√N⌉) accounts (c)."
    )
    useful_max_cap: int = Field(
        default=5_000, ge=1, description="A useful community has at most min(this, N/3) accounts (c)."
    )
    rewirings: int = Field(
        default=20,
        ge=0,
        le=1_000,
        description="Randomly rewired graphs whose modularity stands beside that of the graph; 0 for none (c).",
    )
    secondary_share: Annotated[float, Field(ge=0.01, le=1)] = Field(
        default=0.2, description="Share of an account's tie weight to another community that makes it a member too (c)."
    )
    damping: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.85, description="Damping of PageRank.")
    influence_prior: Share = Field(
        default=0.05,
        description="p₀ where there are no interactions: chance that one followed moves a follower.",
    )
    influence_prior_days: float = Field(default=10, gt=0, description="Days of observation p₀ counts for (c).")
    trust_prior_ties: float = Field(default=10, ge=0, description="Ties the community's mean trust counts for (c).")
    follow_back_discount: Share = Field(
        default=0.5, description="How much following everybody back lowers a mutual tie (c)."
    )
    macro_reported_followers: int = Field(
        default=100_000,
        ge=1,
        description="Macro from this many reported followers, where most accounts report (c).",
    )
    macro_reporting_share: Share = Field(
        default=0.90, description="Share of a network's accounts that must report followers for that (c)."
    )
    macro_top_share: Share = Field(default=0.005, description="Else macro: in-degree in this top share (c) ...")
    macro_median_multiple: float = Field(
        default=20, ge=1, description="... and at least this many times the community's median in-degree (c)."
    )
    micro_share: Share = Field(default=0.15, description="Micro: top share of the base by authority or resonance (c).")
    weights: PartWeights = PartWeights()
    evidence_items: int = Field(default=5, ge=0, le=50, description="Items of evidence shown for each part.")


EngineName = Literal["auto", "fast", "reference"]

MeasureName = Literal[
    "degree",
    "strength",
    "pagerank",
    "core",
    "participation",
    "within_module_z",
    "clustering",
    "betweenness",
    "bridging",
    "brand_pagerank",
    "community_pagerank",
]
MEASURE_NAMES: tuple[MeasureName, ...] = get_args(MeasureName)
"""Measures of accounts over the whole network that a run can write to the graph; see `analytics.network`."""

MEASURED_PROPERTIES = (
    "in_degree",
    "out_degree",
    "in_strength",
    "out_strength",
    *MEASURE_NAMES[2:],
)
"""The properties of a membership that hold them: two of degree, two of strength, of all others one of the same name."""


class RunSpec(Frozen):
    """What a run computes. A run is a function of (graph version, RunSpec)."""

    engine: EngineName = Field(
        default="auto",
        validate_default=True,
        description="`fast` is compiled kernels, `reference` networkx with python-louvain; `auto` becomes `fast`.",
    )
    seed: int = Field(default=42, ge=0, le=2**31 - 1, description="Seed of everything random.")
    measures: tuple[MeasureName, ...] = Field(
        default=MEASURE_NAMES[:7],
        description="Measures of accounts over the whole network that are written to the graph, beside the scores.",
    )
    brand: str | None = Field(default=None, max_length=500, description="Key of the brand of `brand_pagerank`.")
    rules: ScoringRules = ScoringRules()

    @field_validator("engine")
    @classmethod
    def _resolved(cls, engine: EngineName) -> EngineName:
        """A specification names the engine itself: what is best may change, what a run was asked must not."""
        return "fast" if engine == "auto" else engine

    @field_validator("measures")
    @classmethod
    def _in_order(cls, measures: tuple[MeasureName, ...]) -> tuple[MeasureName, ...]:
        """Each once, in one order: the same measures make the same specification."""
        return tuple(name for name in MEASURE_NAMES if name in measures)

    @model_validator(mode="after")
    def _brand_where_it_is_needed(self) -> Self:
        if ("brand_pagerank" in self.measures) != (self.brand is not None):
            raise PydanticCustomError(
                "brand", "measure brand_pagerank needs the key of a brand as `brand`, and nothing else does"
            )
        return self


class StageEstimate(Frozen):
    """What one stage of a run would take: bytes of memory at its peak, and seconds."""

    stage: str
    memory_bytes: int
    seconds: float


class RunEstimate(Frozen):
    """What a run over the graph as it is now would take: roughly, by the size of the graph.

    `memory_bytes` is the most that any stage needs, `available_bytes` what there is. What does not fit is refused.
    """

    accounts: int
    follows: int
    engagements: int
    stages: tuple[StageEstimate, ...]
    memory_bytes: int
    seconds: float
    available_bytes: int | None
    fits: bool


RunState = Literal["queued", "running", "done", "failed"]
Stage = Literal["queued", "snapshot", "communities", "measures", "scores", "pages", "write_back", "publish", "done"]


# --- what a run publishes -------------------------------------------------------------------------------


class Evidence(Frozen):
    """One tie in the graph that a part rests on.

    `kind` is follow where `follower` follows `followee` (and may engage with it as well), engagement where it only
    engages with it. `mutual` says whether both follow each other. `weight` is that of the tie; `likes`, `replies`,
    `mentions` and `reposts` count what the follower did in the window (`window_days`).

    `contribution` is in the unit of the part's raw value: inflow for authority, what the raw value loses
    without this tie (all else held fixed) for reach, s/(n + prior) for trust. `share` is the contribution
    over the raw value.
    """

    kind: Literal["follow", "engagement"] = "follow"
    follower: str
    follower_handle: str | None = None
    followee: str
    mutual: bool
    weight: float
    likes: int = 0
    replies: int = 0
    mentions: int = 0
    reposts: int = 0
    contribution: float
    share: float


class Part(Frozen):
    """One part of a score. Null raw, x and points mean that the whole community lacks the data.

    `weight` is the weight in force after the weights of null parts were shared out. `points` is
    `points_millionths` / 10⁶, of the score's 100.
    """

    part: PartName
    weight: float
    raw: float | None
    x: float | None
    points: float | None
    points_millionths: int | None
    null_reason: str | None = None
    evidence: tuple[Evidence, ...] = ()


AccountType = Literal["macro", "micro", "member"]
BrandTrack = Literal["employees_collaborators", "customers_users"]
Track = Literal["employees_collaborators", "customers_users", "open"]
BRAND_TRACKS: tuple[BrandTrack, ...] = ("employees_collaborators", "customers_users")
TRACK_OF: dict[RelationName, BrandTrack] = {
    "employee": "employees_collaborators",
    "collaborator": "employees_collaborators",
    "customer": "customers_users",
    "user": "customers_users",
}


class BrandRelation(Frozen):
    """What an account is to a brand. `active` is False where it had not begun, or had ended, at the run's `as_of`.

    It has ended where `until` is at or before `as_of`, and has not begun where `since` is after it. Where a run has no
    `as_of`, every relation is active.
    """

    brand: str
    brand_name: str | None
    relation: RelationName
    track: BrandTrack
    since: datetime | None
    until: datetime | None
    active: bool


class Candidate(Frozen):
    """An ambassador candidate of one community, with the reasons that can be checked.

    `score_millionths` is exactly the sum of the parts' `points_millionths`; `score` is the same in points
    of 100. Scores compare only within `population`. Ties of score are broken by key.

    `relations` are those to any brand, by brand, then employee, collaborator, customer, user. `track` comes from the
    active ones: employees_collaborators where one is of an employee or collaborator, else customers_users where one is
    of a customer or user, else open.
    """

    key: str
    handle: str | None
    name: str
    community: str
    rank: int
    score: float
    score_millionths: int
    population: str
    type: AccountType
    track: Track
    relations: tuple[BrandRelation, ...] = ()
    followers: int
    followers_in_community: int
    reasons: tuple[str, ...]
    parts: tuple[Part, ...]


class Gate(Frozen):
    """An integrity gate and how many members it kept out of the base. `known` is False without data.

    A member that several gates keep out is counted by the first, in their order, so that base and exclusions add up to
    the size of the community.
    """

    gate: Literal["erased", "opted_out", "brand_account", "suspicious", "inactive"]
    known: bool
    excluded: int


class RespectableTest(Frozen):
    """One test a respectable community passes. `passed` is None where the data is lacking."""

    test: Literal["size", "active_share", "suspicious_share", "confidence"]
    passed: bool | None
    value: float | None
    threshold: float


class Community(Frozen):
    """A community of one run. Sizes of all communities plus isolates equal the accounts of the graph."""

    id: str
    level: int
    label: str
    topics: tuple[str, ...] = Field(
        default=(), description="Topics in the label: what members write and share about more than others do."
    )
    size: int
    respectable: bool
    tests: tuple[RespectableTest, ...]
    base: int
    gates: tuple[Gate, ...]
    macros: int
    micros: int
    candidates: int
    no_candidates_reason: str | None
    secondary_members: int = Field(default=0, description="Accounts of other communities that belong here, too.")
    follows_inside: int
    follows_in: int
    follows_out: int
    reciprocity: float
    most_followed: tuple[str, ...]
    part_of: str | None = Field(default=None, description="Id of the group of the next level that it is part of.")


class CommunityGroup(Frozen):
    """Communities of one run that belong together, at a level above them; sizes of a level plus isolates are all.

    Nobody is scored within it: `candidates` counts those of its communities.
    """

    id: str
    level: int = Field(ge=1)
    label: str
    size: int = Field(description="Accounts.")
    parts: tuple[str, ...] = Field(description="Ids of what it consists of, one level below, largest first.")
    part_of: str | None = Field(default=None, description="Id of the group of the next level that it is part of.")
    communities: int = Field(description="Communities of level 0 in it.")
    candidates: int
    follows_inside: int
    follows_in: int
    follows_out: int
    most_followed: tuple[str, ...]


class CommunityCandidates(Frozen):
    """A community with its candidates, best first."""

    community: Community
    candidates: tuple[Candidate, ...]


class Brand(Frozen):
    """A brand of the graph."""

    key: str
    name: str | None


class BrandCandidate(Frozen):
    """A candidate as seen from a brand: with the label of the community within which the score compares."""

    community_label: str
    candidate: Candidate


class TrackCandidates(Frozen):
    """Candidates of one track of a brand, highest score first; `total` counts those that are left out, too."""

    track: BrandTrack
    total: int
    candidates: tuple[BrandCandidate, ...]


class BrandCandidates(Frozen):
    """The candidates that have to do with one brand, by what they are to it."""

    brand: Brand
    tracks: tuple[TrackCandidates, ...]


class LevelTried(Frozen):
    """One resolution that was tried: communities found, modularity at γ = 1, share in useful communities."""

    resolution: float
    communities: int
    modularity: float
    useful_share: float
    chosen: bool


class Level(Frozen):
    """A level above the communities of a run: γ at which they were merged, how many groups, modularity at γ = 1."""

    level: int
    resolution: float
    communities: int
    modularity: float


class Chance(Frozen):
    """Modularity at γ = 1 that the same search finds in graphs whose ties are rewired at random, degrees kept.

    `mean` and standard `deviation` over so many rewirings.
    """

    rewirings: int
    mean: float
    deviation: float


class Quality(Frozen):
    """What a run found, as a whole.

    `modularity` is that of the chosen communities at γ = 1; `chance` is what it would be without any communities.
    """

    accounts: int
    follows: int
    isolates: int
    communities: int
    respectable: int
    tiny: int = Field(default=0, description="Communities below the smallest useful size; they are listed, too.")
    accounts_in_tiny: int = 0
    candidates: int
    resolution: float
    modularity: float
    chance: Chance | None = None
    useful_min: int
    useful_max: int
    levels: tuple[LevelTried, ...]
    hierarchy: tuple[Level, ...] = Field(default=(), description="Levels of groups above the communities.")
    engine: str


class RunError(Frozen):
    """Why a run failed."""

    code: str
    message: str


class Run(Frozen):
    """One analysis: queued, running, done or failed. `current` is the run that readers see by default."""

    id: str
    state: RunState
    stage: Stage
    progress: float | None = Field(default=None, description="Share of the stage done; null when unknown.")
    publish: bool
    current: bool
    spec: RunSpec
    graph_version: int | None = None
    as_of: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    digest: str | None = Field(default=None, description="SHA-256 over everything the run published.")
    quality: Quality | None = None
    error: RunError | None = None


@dataclass(frozen=True)
class CommunityScores:
    """Scores of one community as parallel arrays over its members (indices into the graph, ascending).

    `raw` and `x` are float64[6, k] in the order of PART_NAMES, NaN where a part is null; `points` is
    int64[6, k] in millionths, 0 where null; `score` int64[k]. `type` indexes ("member", "micro", "macro").
    `rank` is 1.. for candidates, best first, 0 for everyone else. Members outside the base have `in_base`
    False, NaN x and score -1.
    """

    members: Int32
    in_base: Bool
    type: npt.NDArray[np.int8]
    raw: Float64
    x: Float64
    points: Int64
    score: Int64
    rank: Int32


@dataclass(frozen=True)
class SecondaryMemberships:
    """Communities that accounts belong to besides their own: parallel arrays, by account, then community.

    `account` is int32[s], `community` int32[s] (position in canonical order), `share` float64[s], how much of the
    weight of the account's ties is to that community.
    """

    account: Int32
    community: Int32
    share: Float64


KeepLines = Callable[[Iterable[bytes]], Sequence[bytes]]
"""Keeps lines somewhere as they come, and returns them from there."""


@dataclass(frozen=True)
class Analysis:
    """Everything a run computed, ready to be published and written back.

    `communities`, `scores` and `candidate_lines` are parallel, in canonical order: size descending, then smallest
    account key. Lines are candidates as JSON documents, best first, kept where whoever asked for the analysis keeps
    them (`KeepLines`): as objects they would take many times the memory.
    `labels` is int32[n]: position of each account's community in that order, -1 for isolates.
    `groups` are those of each level above, finest first, in canonical order.
    `measures` are values of all accounts by the name of the property that holds them, `share` (of the account's own
    community) among them.
    """

    quality: Quality
    labels: Int32
    communities: list[Community]
    groups: list[list[CommunityGroup]]
    scores: list[CommunityScores]
    candidate_lines: list[Sequence[bytes]]
    measures: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]
    secondary: SecondaryMemberships

    @property
    def candidates(self) -> list[list[Candidate]]:
        """The candidates of each community, best first, as objects."""
        return [[Candidate.model_validate_json(line) for line in lines] for lines in self.candidate_lines]


# --- published pages ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PublishedPart:
    """One named part of a published set: prepared JSON documents, one a line; they may be read more than once.

    Parts are `communities` (all of them, canonical order), `groups` (by level, then canonical order) and
    `candidates/<community id>` (by rank).
    """

    name: str
    lines: Sequence[bytes]


TYPE_NAMES: tuple[AccountType, ...] = ("member", "micro", "macro")
