"""Frozen values that pass between the rooms of the service.

Nothing here does I/O or computes; the models of published documents are at the same time the schema of the
HTTP API, so that what is stored, served and documented is one thing.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import operator
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, overload

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

MILLION = 1_000_000

DAY_MS = 86_400_000
"""Milliseconds of a day."""

Progress = Callable[[str, int, int | None], None]
"""Called as `progress(stage, done, total)`; `total` is None while it is not known."""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


# --- where the graph lives ------------------------------------------------------------------------------


ErasureKeys = Callable[[], tuple[bytes, ...]]
"""Gives the secret keys under which digests of erased accounts are made: the first makes new ones, all are tried."""


@dataclass(frozen=True)
class StoreAddress:
    """A Neo4j database that answers: Bolt address, credentials, database name.

    `erasure_keys` are needed to write into a graph of which accounts were erased: they must not come back.
    """

    uri: str
    user: str
    password: SecretStr
    database: str = "neo4j"
    erasure_keys: ErasureKeys | None = field(default=None, compare=False, repr=False)


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
    erasure_keys: ErasureKeys | None = field(default=None, compare=False, repr=False)


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

    `version` is the graph's version afterwards; `ended` counts the follows that complete lists of followers ended.
    """

    accounts_created: int
    created: int
    updated: int
    version: int
    ended: int = 0


@dataclass(frozen=True)
class JournalMark:
    """How far a journal is applied to the graph: up to its delivery of sequence `applied`, and which one that is.

    `token` is drawn when a delivery is journaled: it tells it from another one with the same sequence, which there is
    where a journal was put back to an earlier state.
    """

    journal: str
    applied: int
    token: str


# --- imports: files that were handed in ----------------------------------------------------------------------


@dataclass(frozen=True)
class NewImport:
    """An import to be journaled. `options` and what it is called are as they were said; `digest` is a SHA-256.

    `key` is the Idempotency-Key; `created_at` is in milliseconds since 1970 UTC.
    """

    id: str
    key: str | None
    name: str
    options: str
    check: bool
    digest: bytes
    size: int
    created_at: int


class ImportTurn(NamedTuple):
    """An import that is to be carried out now: where it is to go on, and what is known of it."""

    id: str
    name: str
    options: str
    check: bool
    done: str | None
    cancelling: bool


# --- deliveries: what integrations push -------------------------------------------------------------------

DeliveryState = Literal["journaled", "applied", "dead"]


class NewDead(NamedTuple):
    """An event that cannot be used: its position, why, and the event itself as JSON."""

    position: int
    code: str
    message: str
    event: str


class Reader(NamedTuple):
    """By what a delivery is read: the platform it came from, and the mapping that its adapter reads by, as JSON."""

    platform: str
    mapping: str | None = None


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to be journaled. Times are milliseconds since 1970 UTC.

    `id` is made of source and `webhook_id`; under the same id another `digest`, the SHA-256 of the body, is a conflict.
    `events` counts those that can be used, `dead` are those that cannot. `reader` is None for events of ours.
    """

    id: str
    source: str
    network: str | None
    webhook_id: str
    digest: bytes
    received_at: int
    events: int
    body: bytes
    dead: tuple[NewDead, ...] = ()
    erasures: tuple[ErasureRequest, ...] = ()
    reader: Reader | None = None


class ErasureRequest(NamedTuple):
    """Somebody's wish to be erased, from the moment at which it is on disk.

    `id` is made of the account's digest, so that the same wish twice is one; `asked_at` is in milliseconds since 1970.
    """

    id: str
    key: str
    handle: str | None
    asked_at: int


class Receipt(NamedTuple):
    """What is journaled under the id of a delivery: where, since when, and whether with the same body."""

    sequence: int
    received_at: int
    same_body: bool


class Again(NamedTuple):
    """A delivery that was made of dead letters, to try them again: its id, sequence, and how many events it has."""

    id: str
    sequence: int
    events: int


class PendingDelivery(NamedTuple):
    """A delivery that is not in the graph yet."""

    sequence: int
    token: str
    source: str
    network: str | None
    received_at: int
    body: bytes
    reader: Reader | None = None


class Settled(NamedTuple):
    """What became of a delivery, and which of its events could not be applied."""

    seq: int
    state: Literal["applied", "dead"]
    dead: tuple[NewDead, ...] = ()


class SecretUse(NamedTuple):
    """When a secret of a source was used, in milliseconds since 1970 UTC."""

    source: str
    secret: str
    at: int


class KeyUse(NamedTuple):
    """When an API key was used, in milliseconds since 1970 UTC."""

    key: str
    at: int


@dataclass(frozen=True)
class JournalSize:
    """How much is journaled: deliveries, events and bytes that wait for the graph, and since when the oldest does.

    `sequence` is that of the latest delivery; all up to `applied_up_to` are in the graph, or dead.
    """

    deliveries: int
    events: int
    bytes: int
    oldest_received_at: int | None
    dead_letters: int
    sequence: int
    applied_up_to: int
    file_bytes: int


class DeadItem(NamedTuple):
    """A dead letter as it is kept."""

    position: int
    code: str
    message: str
    event: str
    replayed_in: str | None


# --- the graph as arrays --------------------------------------------------------------------------------

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]


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
            start, stop, step = index.indices(len(self))
            if step != 1:
                return self.take(np.arange(start, stop, step, dtype=np.int64))
            ends = self.offsets[start : max(start, stop) + 1]
            return Texts(self.data[ends[0] : ends[-1]], _offsets(np.diff(ends).astype(np.int64)))
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

    def joined(self, others: Texts) -> Texts:
        """These texts, and then others."""
        lengths = np.concatenate([np.diff(self.offsets), np.diff(others.offsets)]).astype(np.int64)
        return Texts(np.concatenate([self.data, others.data]), _offsets(lengths))


def _offsets(lengths: Int64) -> Int32 | Int64:
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    return offsets.astype(np.int32) if offsets[-1] <= np.iinfo(np.int32).max else offsets


UNKNOWN_TIME = -1
"""Stands for a time that is not known, which comes before all others."""


@dataclass(frozen=True)
class FollowTable:
    """Follows as arrays, each pair of accounts once, in order of their ends.

    Attributes:
        keys: keys of all accounts, ascending by code point.
        source, target: int32, positions of the ends among `keys`.
        weight: float64, positive.
        at: int64, milliseconds since 1970 UTC, UNKNOWN_TIME where unknown.
    """

    keys: Texts
    source: Int32
    target: Int32
    weight: Float64
    at: Int64


@dataclass(frozen=True)
class AccountColumns:
    """Accounts as read from the store, in any order: parallel columns of one length.

    `n` is the account's integer in the store (unique), `followers` the reported number of followers or -1, `bio` what
    `bio_digest` says of its description, None: nothing of any.
    """

    n: Int64
    key: list[str]
    handle: list[str | None]
    opted_out: Bool
    followers: Int64
    bio: Int64 | None = None


LEAST_BIO = 12
"""Descriptions of fewer letters and digits are no sign of anything: many people write the same few words."""


def bio_digest(text: str | None) -> int:
    """A number that stands for the letters and digits of a description, in 64 bits with a sign; 0: fewer than 12."""
    said = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text or "").casefold()))
    if len(said) < LEAST_BIO:
        return 0
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "little", signed=True)


@dataclass(frozen=True)
class FollowColumns:
    """Follows as read from the store, in any order: parallel columns of one length.

    `source` and `target` hold `n` of follower and followee; `day` is since when, in days since 1970 UTC, -1 where it is
    not known, None: of none. A pair occurs once.
    """

    source: Int64
    target: Int64
    weight: Float64
    day: Int64 | None = None


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
    Accounts that are a brand's own: `own` holds their `n`, `own_brand` the brand's key; a pair occurs once.
    Relations of accounts to brands: `account` holds `n` of the account, `brand` the brand's key, `relation` the
    position in RELATION_NAMES; `since` and `until` are in milliseconds since 1970 UTC (before it negative), -1 where
    absent.
    """

    key: list[str]
    name: list[str | None]
    own: Int64
    own_brand: list[str]
    account: Int64
    brand: list[str]
    relation: Int8
    since: Int64
    until: Int64


@dataclass(frozen=True)
class TopicColumns:
    """What accounts write and share about, as read from the store, in any order: parallel columns of one length.

    `account` holds `n` of the account, `topic` the name of a topic, `posts` how many different posts about it the
    account wrote or shared (reposted), at least 1, and `first` when it first did, in milliseconds since 1970 UTC, -1
    where no time is known. `post` and `latest` are key and time of the latest of these posts (of equal times the one
    with the greatest key), likewise; no `post` at all: none is named. A pair occurs once.
    """

    account: Int64
    topic: list[str]
    posts: Int64
    first: Int64
    post: list[str] = field(default_factory=list)
    latest: Int64 | None = None


@dataclass(frozen=True)
class WordColumns:
    """What accounts say in posts that they write and share, in any order: two groups of parallel columns.

    Words: `account` holds `n` of the account, `word` a position in `names`, `posts` how many different posts with this
    word the account wrote or shared, at least 1, and `post` which of its quoted posts is the latest with this word: its
    place among those of the account. A pair of account and word occurs once.
    Quoted posts, those of an account ascending by key: `quoted_account` holds `n` of who wrote or shared it,
    `quoted_post` its key and `quoted_at` when, in milliseconds since 1970 UTC, -1 where unknown.
    """

    names: list[str]
    account: Int64
    word: Int64
    posts: Int64
    post: Int64
    quoted_account: Int64
    quoted_post: list[str]
    quoted_at: Int64


def no_words() -> WordColumns:
    """Words of nobody."""
    none = np.zeros(0, dtype=np.int64)
    return WordColumns([], none, none, none, none, none, [], none)


class Content(NamedTuple):
    """What a text says: topics that it names (hashtags, sites of links), and its words, each once, in their order."""

    topics: tuple[str, ...]
    words: tuple[str, ...]


ReadText = Callable[[str, str], Content]
"""Reads what a text says, given its language, empty where nobody stated it."""


PostingName = Literal["posts", "links", "reposts"]
POSTING_NAMES: tuple[PostingName, ...] = ("posts", "links", "reposts")
"""What is counted of posts: all of them, and of these links and reposts; arrays of counts have a column for each."""


@dataclass(frozen=True)
class PostingColumns:
    """Posts as read from the store, counted by author and day, in any order: parallel columns of one length.

    `account` holds `n` of the author; `day` is in days since 1970 UTC; `counts` is int64[p, 3], a column for each of
    POSTING_NAMES. An account occurs once a day. Posts without a time are not among them.
    """

    account: Int64
    day: Int64
    counts: Int64


STANCE_UNKNOWN = 9
"""Stands for the stance of a mention that nobody has stated; others are -1, 0 and 1."""

PAID_UNKNOWN = -1
"""Stands for a mention of which nobody has said whether it was paid; others are 0 and 1."""


@dataclass(frozen=True)
class MentionColumns:
    """Mentions of brands in posts as read from the store, in any order: parallel columns of one length.

    `account` holds `n` of the post's author, `brand` the brand's key, `post` the post's key; `at` is the time of the
    post in milliseconds since 1970 UTC, -1 where unknown; `stance` is -1, 0, 1 or STANCE_UNKNOWN, `paid` 0, 1 or
    PAID_UNKNOWN (1 also where the whole post is said to be paid); `answered` says whether an account of the brand
    replied to the post. A post of an account mentions a brand once.
    `read` says whether a stance was read from the post's text, as nobody stated it; None: none was. `text` holds the
    texts of posts of which nobody stated it, empty for all others; it is empty where they have been read.
    """

    account: Int64
    brand: list[str]
    post: list[str]
    at: Int64
    stance: Int8
    paid: Int8
    answered: Bool
    read: Bool | None = None
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EndorsementColumns:
    """Endorsements that stand, as read from the store, in any order: parallel columns of one length.

    `source` and `target` hold `n` of who endorses and of who is endorsed; `at` is since when, in milliseconds since
    1970 UTC, -1 where unknown. A pair occurs once: where it stands on several topics, with the earliest known time.
    `latest` is the time of the latest endorsement or withdrawal of all, likewise, -1 where none is known.
    """

    source: Int64
    target: Int64
    at: Int64
    latest: int = -1


def no_endorsements() -> EndorsementColumns:
    """Endorsements of nobody."""
    none = np.zeros(0, dtype=np.int64)
    return EndorsementColumns(none, none, none)


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
    postings: PostingColumns
    mentions: MentionColumns
    words: WordColumns = field(default_factory=no_words)
    endorsements: EndorsementColumns = field(default_factory=no_endorsements)


@dataclass(frozen=True)
class Changes:
    """What changed of the graph after a version, until another one.

    `accounts` are those that came or were described anew. `follows` came or changed; a weight of NaN says that the
    follow ended. `engagements` came or changed. `renewed` holds `n` of the accounts, each once, of which all topics,
    posts and words are here, as those known of them no longer stand. `brands`, `mentions` and `endorsements` are all
    that there are. `followed_at` is the time of the latest of these follows and unfollows, in milliseconds since 1970
    UTC, -1 where none is known.
    """

    version: int
    accounts: AccountColumns
    follows: FollowColumns
    followed_at: int
    engagements: EngagementColumns
    renewed: Int64
    topics: TopicColumns
    postings: PostingColumns
    words: WordColumns
    brands: BrandColumns
    mentions: MentionColumns
    endorsements: EndorsementColumns


@dataclass(frozen=True)
class Past:
    """What the store holds of the time before a day beside what `Graph` holds by time, in any order.

    `before_day` is the first day that is not of that time, in days since 1970 UTC. `source` and `target` are `n` of
    follower and followee of each follow that is older; `followed_at` is the time of the latest of them, `topics_at`
    that of the latest post or share on a topic that was counted, both in ms since 1970 UTC, -1 where none has any.
    `topics` are as in `Snapshot`, of older posts and shares alone. Follows and posts without a time are counted;
    `with_undated` says whether follows without one are among the follows, as if all of them were older.
    """

    before_day: int
    source: Int64
    target: Int64
    followed_at: int
    topics: TopicColumns
    topics_at: int
    follows_without_time: int
    posts_without_time: int
    with_undated: bool


@dataclass(frozen=True)
class Graph:
    """Follows and whatever else accounts do at one version as compressed sparse rows. Immutable by convention.

    Accounts are numbered 0..n-1 in the order of their keys (by code point); a follow i → j means i follows j. Takes
    about 116 bytes an account with short keys and no handles, 20 a follow, 12 a pair and day of interactions, 28 a
    topic of an account, 12 a word of an account, 16 a post that is quoted, 16 a day on which an account posted, 19 a
    mention of a brand, 12 an endorsement, and what keys of posts take.

    Attributes:
        version: the graph version that was read.
        as_of: latest event time, ms since 1970 UTC: of follows and unfollows, endorsements and withdrawals their time,
            of interactions and posts the first moment of their day (in UTC), which is never later than what happened.
            None where nothing has a time. Later events can only raise it.
        followed_at: time of the latest follow or unfollow, ms since 1970 UTC, -1 where none is known.
        number: int32[n], `Account.n` in the store.
        keys, handles: length n; a handle is empty where it is not known.
        opted_out: bool[n].
        followers: int64[n], reported followers, -1 where not reported.
        bio: int64[n], stands for what the account says of itself (`bio_digest`), 0 where it says nothing or little.
        out_ptr: int64[n+1]; followees of i are `out_idx[out_ptr[i]:out_ptr[i+1]]`, ascending.
        out_idx: int32[m].
        out_weight: float64[m], weight of each follow: positive, finite.
        out_day: int32[m], since when, in days since 1970 UTC, -1 where it is not known.
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
        own_account, own_brand: int32[o], accounts that are a brand's own, and position of the brand in `brand_keys`; by
            account, then brand.
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
        topic_first: int64[t], when the account first did, ms since 1970 UTC, -1 where no time is known.
        topic_post: length t, key of the latest of these posts, empty where none is named.
        topic_latest: int64[t], when it was written or shared, ms since 1970 UTC, -1 where unknown.
        word_names: length k, the words that accounts say in posts, in their order (by code point). A part of a graph
            knows all words of the whole.
        word_ptr: int64[n+1]; words of i are `word_idx[word_ptr[i]:word_ptr[i+1]]`, ascending.
        word_idx: int32[w], position in `word_names`.
        word_posts: int32[w], in how many different posts that the account wrote or shared, at least 1.
        word_post: int32[w], place of the latest of them among the quoted posts of the account.
        quoted_ptr: int64[n+1]; quoted posts of i are at `quoted_ptr[i]:quoted_ptr[i+1]`, ascending by key.
        quoted_post: keys of the posts.
        quoted_at: int64, when they were written or shared, ms since 1970 UTC, -1 where unknown.
        posted_ptr: int64[n+1]; days on which i posted are at `posted_ptr[i]:posted_ptr[i+1]`, ascending.
        posted_day: int32[p], days since 1970 UTC.
        posted_counts: int32[p, 3], a column for each of POSTING_NAMES.
        mention_ptr: int64[n+1]; mentions of brands by i are at `mention_ptr[i]:mention_ptr[i+1]`, by time, brand, post.
        mention_brand: int32[q], position in `brand_keys`.
        mention_post: length q, keys of the posts.
        mention_at: int64[q], ms since 1970 UTC, -1 where unknown.
        mention_stance: int8[q], -1, 0, 1 or STANCE_UNKNOWN.
        mention_paid: int8[q], 0, 1 or PAID_UNKNOWN.
        mention_answered: bool[q], whether an account of the brand replied to the post.
        mention_read: bool[q], whether the stance was read from the post's text, as nobody stated it.
        endorsed_ptr: int64[n+1]; accounts that i endorses are `endorsed_idx[endorsed_ptr[i]:endorsed_ptr[i+1]]`,
            ascending, never i itself; an endorsement that was withdrawn is not among them.
        endorsed_idx: int32[s].
        endorsed_at: int64[s], since when, ms since 1970 UTC, -1 where unknown.
        endorsed_latest: time of the latest endorsement or withdrawal of all, ms since 1970 UTC, -1 where none is known.
            A part of a graph has that of the whole.
    """

    version: int
    as_of: int | None
    followed_at: int
    number: Int32
    keys: Texts
    handles: Texts
    opted_out: Bool
    followers: Int64
    bio: Int64
    out_ptr: Int64
    out_idx: Int32
    out_weight: Float64
    out_day: Int32
    in_ptr: Int64
    in_idx: Int32
    engaged_ptr: Int64
    engaged_idx: Int32
    engaged_day: Int32
    engaged_code: Int32
    engaged_counts: Int64
    brand_keys: list[str]
    brand_names: list[str | None]
    own_account: Int32
    own_brand: Int32
    relation_account: Int32
    relation_brand: Int32
    relation_name: Int8
    relation_since: Int64
    relation_until: Int64
    topic_names: Texts
    topic_ptr: Int64
    topic_idx: Int32
    topic_posts: Int32
    topic_first: Int64
    topic_post: Texts
    topic_latest: Int64
    word_names: Texts
    word_ptr: Int64
    word_idx: Int32
    word_posts: Int32
    word_post: Int32
    quoted_ptr: Int64
    quoted_post: Texts
    quoted_at: Int64
    posted_ptr: Int64
    posted_day: Int32
    posted_counts: Int32
    mention_ptr: Int64
    mention_brand: Int32
    mention_post: Texts
    mention_at: Int64
    mention_stance: Int8
    mention_paid: Int8
    mention_answered: Bool
    mention_read: Bool
    endorsed_ptr: Int64
    endorsed_idx: Int32
    endorsed_at: Int64
    endorsed_latest: int

    @property
    def brand_account(self) -> Bool:
        """Accounts that are a brand's own: bool[n], made anew each time."""
        own = np.zeros(self.n, dtype=np.bool_)
        own[self.own_account] = True
        return own

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


@dataclass(frozen=True)
class WordIndex:
    """How much each word of an account counts for texts that hold it, beside the words of everybody else.

    Attributes:
        names: words, in their order (by code point).
        ptr: int64[n+1]; words of account i are `idx[ptr[i]:ptr[i+1]]`, ascending.
        idx: int32[t], position in `names`.
        weight: float64[t], above 0.
        topic_ptr, topic_idx: words of each topic of the graph, likewise.
    """

    names: Texts
    ptr: Int64
    idx: Int32
    weight: Float64
    topic_ptr: Int64
    topic_idx: Int32


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
    """Weights of the six parts of the ambassador score; with those of lenses, where any have weight, they sum to 1.

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


class RelationStrengths(Frozen):
    """What each relation to a brand counts in affinity while it lasts (c)."""

    employee: Share = 1.0
    collaborator: Share = 0.9
    customer: Share = 0.8
    user: Share = 0.6


MOST_DEFINED = 10_000
"""Most accounts that a community can be defined by."""

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
    kept_slack: Share = Field(
        default=0.02,
        description="The resolution of the run before is kept while it misses these two by no more than this (c).",
    )
    lineage_most: Annotated[float, Field(ge=0.5, le=1)] = Field(
        default=0.5, description="A community continues, merges or splits where this share of one is in the other (c)."
    )
    lineage_least: Share = Field(
        default=0.1, description="It continues, or an event is named, only where this share of the other is, too (c)."
    )
    confidence_seeds: int = Field(
        default=10,
        ge=0,
        le=1_000,
        description="Seeds with which communities are looked for again, to see who stays together; 0 for none (c).",
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
    responses_a_day: int = Field(
        default=3,
        ge=1,
        description="What one account does with another on one day counts as at most so many interactions (c).",
    )
    burst_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="A burst: so large a share of at least 20 interactions received is beyond that (c)."
    )
    trust_prior_ties: float = Field(default=10, ge=0, description="Ties the community's mean trust counts for (c).")
    follow_back_discount: Share = Field(
        default=0.5, description="How much following everybody back lowers a mutual tie (c)."
    )
    trust_weeks: int = Field(
        default=12, ge=1, le=104, description="Weeks up to `as_of` in which exchanges count for trust (c)."
    )
    relevance_prior_posts: float = Field(
        default=5, gt=0, description="Posts about something else that everybody is taken to have, for relevance (c)."
    )
    relation: RelationStrengths = RelationStrengths()
    relation_half_life_days: float = Field(
        default=180, ge=1, description="Days after which a relation to a brand that ended counts half (c)."
    )
    mention_half_life_days: float = Field(
        default=90, ge=1, description="Days after which a favourable mention counts half in affinity (c)."
    )
    mention_scale: float = Field(
        default=3, gt=0, description="Unpaid favourable mentions that bring their share of affinity to 63% (c)."
    )
    detractor_mentions: int = Field(
        default=2, ge=1, description="A detractor has at least so many unfavourable mentions in the window ..."
    )
    untapped_share: Share = Field(
        default=0.10, description="Untapped: this top share of a track, without a favourable mention yet (c)."
    )
    leave_out_suspicious: bool = Field(
        default=True,
        description="Follows of empty accounts and within follow rings count nothing, where activity is known.",
    )
    real_followers: int = Field(
        default=3,
        ge=1,
        description="Who was never seen to do anything is empty unless one who was follows it, or so many in "
        "return (c).",
    )
    ring_members: int = Field(
        default=20, ge=3, description="A follow ring has at least so many accounts that follow each other ..."
    )
    ring_density: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.8, description="... at least this share of all of each other, and never engage with each other (c)."
    )
    copied_bios: int = Field(
        default=10,
        ge=2,
        description="A bio is a copy where so many accounts have it; as many followers with copies are a sign (c).",
    )
    follow_burst: int = Field(
        default=20, ge=2, description="A burst of follows: at least so many, and half of an account's, on one day (c)."
    )
    inactive_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="Who did nothing for so many days is inactive, where activity is known.",
    )
    activity_known_share: Share = Field(
        default=0.50,
        description="Share of a network's accounts that must have been seen to do something for all of them to be "
        "judged; else only those that were (c).",
    )
    active_share: Share = Field(
        default=0.30, description="A respectable community has at least this share of active members (c)."
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
    role_days: int = Field(
        default=365, ge=1, le=36_500, description="Days up to `as_of` in which roles look for habits (c)."
    )
    networker_participation: Share = Field(default=0.30, description="Networker: participation from here on ... (c)")
    networker_share: Share = Field(default=0.25, description="... and in this top share of the community (c).")
    broadcaster_share: Share = Field(
        default=0.50, description="Broadcaster: this share of posts are reposts and links (c) ..."
    )
    broadcaster_posts: int = Field(default=20, ge=1, description="... of at least so many posts (c).")
    heavy_user_share: Share = Field(
        default=0.10, description="Heavy user: in this top share of the community by active days (c)."
    )
    opinion_leader_share: Share = Field(
        default=0.05, description="Opinion leader: in this top share of the community by authority (c)."
    )
    specialist_share: Share = Field(
        default=0.25, description="Specialist: in this lowest share of the community by topic entropy (c)."
    )
    specialist_posts: int = Field(
        default=5, ge=1, description="... of those with at least so many posts on topics (c)."
    )
    trend_items: int = Field(
        default=5, ge=1, description="Trend discoverer: took up at least so many topics that spread (c) ..."
    )
    trend_adopters: int = Field(default=10, ge=2, description="... which is to at least so many accounts (c) ...")
    trend_first: Share = Field(default=0.20, description="... half of them among this first share of adopters (c) ...")
    trend_p: Share = Field(default=0.05, description="... which chance would do more rarely than this (c).")
    reweightings: int = Field(
        default=100,
        ge=0,
        le=1_000,
        description="Random reweightings of ties behind the interval of a rank; 0 for none.",
    )
    interval: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.90, description="Share of the reweightings that the interval of a rank holds (c)."
    )
    weights: PartWeights = PartWeights()
    evidence_items: int = Field(default=5, ge=0, le=50, description="Items of evidence shown for each part.")


LensName = Literal["social_capital", "standing", "authority", "market", "audience", "profile", "context"]
LENS_NAMES: tuple[LensName, ...] = get_args(LensName)
"""Lenses: ways to measure the visible part of an account's influence; see `analytics.lenses`."""


@dataclass(frozen=True)
class LensValues:
    """What one lens says of all n accounts of a graph; arrays have a value for each account.

    Attributes:
        lens: its name.
        value: int64[n], in millionths of the lens's unit; 0 where it is null.
        parts: int64[n] each, in millionths: they sum to the value exactly. A part that is null for all is not in it.
        null: int8[n], position in `reasons` of why the value is null, -1 where there is one.
        reasons: sentences.
        part_reasons: why parts that are null for all of them are; their weight is shared out among the others.
        figures: further figures by name: float64[n] with NaN where unknown, int64[n], float64[n, k] likewise, or a
            list of n texts, None where unknown.
        cut_offs: what the data of this run decided, by name, to be shown with every value.
        properties: figures that the graph has as properties of their own, by the name of the property.
    """

    lens: LensName
    value: Int64
    parts: dict[str, Int64]
    null: Int8
    reasons: tuple[str, ...]
    part_reasons: dict[str, str] = field(default_factory=dict)
    figures: dict[str, npt.NDArray[Any] | list[str | None]] = field(default_factory=dict)
    cut_offs: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


MIXABLE: tuple[str, ...] = (
    *LENS_NAMES,
    *(f"score.{part}" for part in ("authority", "reach", "resonance", "trust", "relevance")),
)
"""What can be mixed: lenses, and the parts of the ambassador score that need no brand, as `score.` and their name."""


LensPart = Literal[
    "lens.social_capital",
    "lens.standing",
    "lens.authority",
    "lens.market",
    "lens.audience",
    "lens.profile",
    "lens.context",
]
LENS_PARTS: tuple[LensPart, ...] = get_args(LensPart)
"""Lenses as extra parts of the ambassador score, in the order of LENS_NAMES."""

ScorePart = PartName | LensPart


def lens_part(lens: LensName) -> LensPart:
    """What a lens is called as an extra part of the ambassador score."""
    return LENS_PARTS[LENS_NAMES.index(lens)]


def _in_order(shares: dict[LensName, float]) -> dict[LensName, float]:
    return {lens: shares[lens] for lens in LENS_NAMES if shares.get(lens)}


LensShares = Annotated[dict[LensName, Share], AfterValidator(_in_order)]
"""Weights of lenses as extra parts, in the order of LENS_NAMES; those that weigh nothing are not in it."""


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

SPREADING: tuple[MeasureName, ...] = (
    "pagerank", "betweenness", "bridging", "brand_pagerank", "community_pagerank",
)  # fmt: skip
"""Those of which one new follow anywhere changes the last digits of all accounts."""


def folded_topic(text: str) -> str:
    """Write a topic as topics are kept: compatible forms made one, lower case, without #, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().lstrip("#").split())


class Definition(Frozen):
    """A community as people define it: by a list of accounts, by a topic, or by a brand. Exactly one of the three.

    Of a topic are all who wrote or shared a post about it; of a brand its own accounts, and all who follow one of them
    or engaged with one in the window. Accounts that the graph does not hold are passed over.
    """

    name: Annotated[str, Field(min_length=1, max_length=200, description="What people call it; its label.")]
    accounts: tuple[Annotated[str, Field(min_length=1, max_length=1_000)], ...] | None = Field(
        default=None, min_length=1, max_length=MOST_DEFINED, description="Keys of accounts, `network:id`."
    )
    topic: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="A topic, in lower case and without #."
    )
    brand: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="The key of a brand."
    )

    @field_validator("accounts")
    @classmethod
    def _each_once(cls, accounts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """In one order: the same accounts make the same definition."""
        return None if accounts is None else tuple(sorted(set(accounts)))

    @field_validator("topic")
    @classmethod
    def _as_topics_are_written(cls, topic: str | None) -> str | None:
        return None if topic is None else folded_topic(topic)

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(one is not None for one in (self.accounts, self.topic, self.brand)) != 1:
            raise PydanticCustomError("definition", "give one of accounts, topic and brand, and only one")
        return self

    @property
    def kind(self) -> Literal["accounts", "topic", "brand"]:
        """By what it is defined."""
        return "accounts" if self.accounts is not None else "topic" if self.topic is not None else "brand"

    @property
    def id(self) -> str:
        """The id of the community: the same for the same accounts, topic or brand, whatever its name."""
        said = self.model_dump_json(exclude={"name"})
        return "d" + base64.b32encode(hashlib.sha256(said.encode()).digest()).decode().lower()[:10]


AUTO, COLD = "auto", "cold"
"""What a run starts from, beside the id of a run: the one that readers see now; none."""


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
    lenses: tuple[LensName, ...] = Field(
        default=LENS_NAMES,
        description="Lenses through which all accounts are measured; without any, a run takes less time.",
    )
    start: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        default="auto",
        description="Id of the run whose communities this one starts from, so that they keep their ids and change as "
        "little as the graph did; `auto`: the one that readers see now; `cold`: none, everything is found anew.",
    )
    rules: ScoringRules = ScoringRules()
    communities: tuple[Definition, ...] = Field(
        default=(),
        max_length=1_000,
        description="Communities that people defined, scored beside those that are found; when not given, all that "
        "were defined in the graph.",
    )

    @field_validator("communities")
    @classmethod
    def _by_id(cls, communities: tuple[Definition, ...]) -> tuple[Definition, ...]:
        """Each once, in one order; of two that define the same the last one names it."""
        by_id = {one.id: one for one in communities}
        return tuple(by_id[key] for key in sorted(by_id))

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

    @field_validator("lenses")
    @classmethod
    def _lenses_in_order(cls, lenses: tuple[LensName, ...]) -> tuple[LensName, ...]:
        """Likewise."""
        return tuple(name for name in LENS_NAMES if name in lenses)

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


class Current(NamedTuple):
    """The run that readers see by default, None before the first was published; `names` grows with every name that
    people give to a community, `masks` whenever somebody opts out, takes that back, asks to be erased, or is.
    """

    run: str | None
    names: int
    masks: int = 0


ErasureState = Literal["asked", "removing", "done"]


class Erasure(BaseModel):
    """The receipt of an erasure: how far it is, and what was removed. It does not say of whom.

    `asked`: the account is hidden in every answer, and nothing was removed yet; `removing`: it is being removed;
    `done`: nothing of it is left. `removed` counts, by what it was. `waiting_for` are the machines (ids of their
    journals) on which something of it may still be on disk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    state: ErasureState
    asked_at: datetime
    begun_at: datetime | None = None
    done_at: datetime | None = None
    removed: dict[str, int] = Field(default_factory=dict)
    waiting_for: tuple[str, ...] = ()


class HiddenAccount(NamedTuple):
    """An account that no answer may name: since which version of the graph, None where it is to be erased."""

    key: str
    handle: str | None
    version: int | None


ERASED = "erased:"
"""What stands for the key of an erased account where documents keep its place: no account can have it."""


class Freshness(NamedTuple):
    """The run that readers see by default, and what it saw of the graph; all null before the first was published."""

    run: str | None
    as_of: datetime | None
    finished_at: datetime | None
    graph_version: int | None
    graph_version_now: int | None


RunState = Literal["queued", "running", "done", "failed", "cancelled"]
Stage = Literal[
    "queued",
    "snapshot",
    "past",
    "words",
    "communities",
    "confidence",
    "measures",
    "scores",
    "lenses",
    "outcomes",
    "pages",
    "write_back",
    "publish",
    "done",
]


# --- back-tests: what scores would have said -------------------------------------------------------------


WITHOUT_CHANCE = {"rewirings": 0, "reweightings": 0, "confidence_seeds": 0}
"""Rules of an analysis that nobody asks how much of it is chance."""


class BacktestSpec(Frozen):
    """What a back-test asks: would scores from before a day have said who is responded to afterwards?

    The cut is the first moment of a day in UTC.
    """

    cut: date | None = Field(
        default=None, description="First day of the time afterwards; when not given, `share` says it."
    )
    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.7, description="Share of the days with interactions, first to last, that are before the cut."
    )
    horizon_days: int | None = Field(
        default=None, ge=1, le=36_500, description="Days afterwards that are looked at; to the last one when not given."
    )
    first: tuple[Annotated[int, Field(ge=1, le=1_000)], ...] = Field(
        default=(10, 20),
        min_length=1,
        max_length=5,
        description="How many accounts from the top of each ranking count.",
    )
    undated_follows: Literal["leave_out", "keep"] = Field(
        default="leave_out",
        description="`keep` takes follows without a time for older than the cut; where some are not, the figures know "
        "a little of what comes afterwards.",
    )
    draws: int = Field(default=200, ge=20, le=1_000, description="Draws of the bootstrap behind each interval.")
    interval: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.90, description="Share of the draws that an interval holds."
    )
    seed: int = Field(default=42, ge=0, le=2**31 - 1, description="Seed of everything random.")
    rules: ScoringRules = ScoringRules(**WITHOUT_CHANCE)
    lenses: LensShares = Field(
        default_factory=dict,
        description="Weights of lenses as extra parts of the score; what they leave of 1 is that of the six parts, "
        "which share it as `rules.weights` say.",
    )

    @field_validator("lenses")
    @classmethod
    def _leave_something(cls, lenses: LensShares) -> LensShares:
        if sum(lenses.values()) > 1 + 1e-9:
            raise PydanticCustomError("lenses", "weights of lenses must not sum to more than 1")
        return lenses

    @field_validator("first")
    @classmethod
    def _ascending(cls, first: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(first)))

    @field_validator("rules")
    @classmethod
    def _without_chance(cls, rules: ScoringRules) -> ScoringRules:
        """What a back-test does not look at: modularity of rewired graphs, confidence, intervals of ranks."""
        return rules.model_copy(update=WITHOUT_CHANCE)


# --- what a run publishes -------------------------------------------------------------------------------


class TieEvidence(Frozen):
    """One tie in the graph that a part rests on.

    `kind` is follow where `follower` follows `followee` (and may engage with it as well), engagement where it only
    engages with it. `mutual` says whether both follow each other. `weight` is that of the tie; `likes`, `replies`,
    `mentions` and `reposts` count what the follower did in the window (`window_days`), `last_engaged` is the last day
    on which it did.

    `contribution` is in the unit of the part's raw value: inflow for authority, what the raw value loses
    without this tie (all else held fixed) for reach, engagements over exposure for resonance, s/(n + prior) for trust.
    `share` is the contribution over the raw value.
    """

    kind: Literal["follow", "engagement"]
    follower: str
    follower_handle: str | None = None
    followee: str
    mutual: bool
    weight: float
    likes: int
    replies: int
    mentions: int
    reposts: int
    last_engaged: date | None
    contribution: float
    share: float


class TopicEvidence(Frozen):
    """Posts of an account about one topic: how many different ones it wrote or shared; `first` is when it first did.

    `post` is the key of the latest of them, `latest` when it wrote or shared it.
    """

    kind: Literal["topic"] = "topic"
    account: str
    topic: str
    posts: int
    first: datetime | None
    post: str | None
    latest: datetime | None
    contribution: float
    share: float


class WordEvidence(Frozen):
    """Posts of an account that say a word of a brief, in any of its forms, or are about a topic that does.

    `posts` is how many different ones it wrote or shared at least; `post` the key of the latest of them, `latest` when
    it wrote or shared it.
    """

    kind: Literal["word"] = "word"
    account: str
    word: str
    posts: int
    post: str | None
    latest: datetime | None
    contribution: float
    share: float


class RelationEvidence(Frozen):
    """What an account is to a brand, as evidence of affinity."""

    kind: Literal["relation"] = "relation"
    account: str
    brand: str
    relation: RelationName
    since: datetime | None
    until: datetime | None
    contribution: float
    share: float


class MentionEvidence(Frozen):
    """A post of an account that speaks well of a brand and is not known to be paid, as evidence of affinity.

    `read` says that nobody stated so: its text was read (`service/content/stance.py`).
    """

    kind: Literal["mention"] = "mention"
    account: str
    brand: str
    post: str
    at: datetime | None
    read: bool = False
    contribution: float
    share: float


class LensEvidence(Frozen):
    """What one part of a lens gives to an account's value through it, in the lens's unit; all of them sum to it."""

    kind: Literal["lens"] = "lens"
    account: str
    lens: LensName
    part: str
    contribution: float
    share: float


Evidence = Annotated[
    TieEvidence | TopicEvidence | WordEvidence | RelationEvidence | MentionEvidence | LensEvidence,
    Field(discriminator="kind"),
]


class Part(Frozen):
    """One part of a score. Null raw, x and points mean that the whole community lacks the data.

    A part `lens.…` is a lens that a question, or its recipe, gave weight; raw is then the value through this lens.
    `weight` is the weight in force after the weights of null parts were shared out. `points` is
    `points_millionths` / 10⁶, of the score's 100. `note` says what a value stands for where the account has no data of
    its own. Evidence is in order of contribution.
    """

    part: ScorePart
    weight: float
    raw: float | None
    x: float | None
    points: float | None
    points_millionths: int | None
    null_reason: str | None = None
    note: str | None = None
    evidence: tuple[Evidence, ...] = ()


class Said(Frozen):
    """A sentence in English and in French, with the numbers it rests on inside."""

    en: str
    fr: str


class Reason(Said):
    """A sentence about why an account is a candidate. `about` is a part of the score, a role, relation or brand.

    `brand` is the key of the brand that it speaks of, null where it speaks of none.
    """

    about: str
    brand: str | None = None


AccountType = Literal["macro", "micro", "member"]
GateName = Literal["erased", "opted_out", "brand_account", "suspicious", "inactive"]
GATE_NAMES: tuple[GateName, ...] = get_args(GateName)
"""Integrity gates, in the order in which they are asked: who is kept out by several is counted by the first."""
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


SizeBand = Literal["lt1k", "1k_10k", "10k_100k", "100k_1m", "gt1m"]
SIZE_BANDS: tuple[SizeBand, ...] = get_args(SizeBand)
SIZE_BAND_FROM = (1_000, 10_000, 100_000, 1_000_000)
"""Followers from which the second and later bands begin."""

RoleName = Literal[
    "networker", "broadcaster", "heavy_user", "opinion_leader", "specialist", "trend_discoverer", "celebrity"
]
ROLE_NAMES: tuple[RoleName, ...] = get_args(RoleName)
MICRO_ROLES: tuple[RoleName, ...] = ROLE_NAMES[:3]
"""Roles inside one community; the others are those of an account with a large audience."""


class RoleMeasure(Frozen):
    """A number that a role rests on, and the threshold it passes (null where it is only shown)."""

    measure: str
    value: float
    threshold: float | None


class Role(Frozen):
    """A role, how strongly it shows (0 to 1), and what it rests on.

    `emerging`: an account that is not macro shows the pattern of a macro role.
    """

    role: RoleName
    emerging: bool
    strength: float
    measures: tuple[RoleMeasure, ...]


class RankInterval(Frozen):
    """Ranks that an account takes in 90% (`interval`) of the reweightings, its own rank always among them.

    `tied_with` counts the other candidates of the same population whose intervals overlap with it: the ranks of these
    cannot be told apart.
    """

    low: int
    high: int
    tied_with: int


class PassedGate(Frozen):
    """An integrity gate: `passed` is true, or null where the data for it is lacking."""

    gate: GateName
    passed: bool | None


class BrandStanding(Frozen):
    """How one account stands with one brand, at the run's `as_of`.

    `relations` are those to this brand, `track` comes from the active ones. Mentions are counted over the window
    (`window_days`): favourable ones that are not known to be paid, all favourable ones, unfavourable ones, and the rest
    (neutral, or nobody said). `exchanges` are interactions with the brand's own accounts in the window, both ways;
    `answered_share` is the share of the account's mentions in the window that the brand replied to, null without
    mentions; `last_contact` is the day of the last mention or exchange in the window. `spoken_well`: the account ever
    mentioned the brand favourably, paid or not.

    `advocate`: at least one unpaid favourable mention in the window, and no detractor. `detractor`: at least
    `detractor_mentions` unfavourable ones, and more than favourable ones. `untapped`: in the top `untapped_share` of
    its track and has not spoken well of the brand yet.
    """

    brand: str
    brand_name: str | None
    track: Track
    relations: tuple[BrandRelation, ...]
    relation_strength: float
    mention_strength: float
    affinity: float
    favourable_unpaid: int
    favourable: int
    unfavourable: int
    other_mentions: int
    exchanges: int
    answered_share: float | None
    last_contact: date | None
    spoken_well: bool
    advocate: bool
    detractor: bool
    untapped: bool = False


SignName = Literal["empty_followers", "follow_ring", "burst", "follow_burst", "copied_bios"]


class Sign(Said):
    """A sign of manipulation, what it rests on, and what it costs: of `count` of `total` `left_out` count nothing.

    They are followers in the graph, or, of a burst, interactions received from the community in the window. `accounts`
    are some of those they come from, as evidence: of followers the first by key, of a burst those who did most (nobody
    who opted out is named). Followers who came on one day, and those whose bio is a copy, count as others do, unless
    they are empty or of a ring.
    """

    sign: SignName
    count: int
    total: int
    left_out: int
    share: float
    accounts: tuple[str, ...]


class Candidate(Frozen):
    """An ambassador candidate of one community, or a macro-influencer in it, with the reasons that can be checked.

    `score_millionths` is exactly the sum of the parts' `points_millionths`; `score` is the same in points
    of 100. Scores compare only within `population`. Candidates are ranked by score, ties by key; macros are ranked by
    audience (reported followers, else followers in the graph), and their rank has no interval. `size_band` is of the
    same number. `brand` is how the account stands with the brand that was asked for, null where none was.

    `relations` are those to any brand, by brand, then employee, collaborator, customer, user. `track` comes from the
    active ones: employees_collaborators where one is of an employee or collaborator, else customers_users where one is
    of a customer or user, else open. `signs` are those of manipulation; the score is already without what they carry.
    `confidence` is the chance that it is in this community under another seed of the search, null where not computed.
    """

    key: str
    handle: str | None
    name: str
    community: str
    confidence: float | None = None
    rank: int
    rank_interval: RankInterval | None
    score: float
    score_millionths: int
    population: str
    type: AccountType
    size_band: SizeBand
    track: Track
    relations: tuple[BrandRelation, ...] = ()
    roles: tuple[Role, ...] = ()
    followers: int
    reported_followers: int | None
    followers_in_community: int
    brand: BrandStanding | None = None
    reasons: tuple[Reason, ...]
    parts: tuple[Part, ...]
    gates: tuple[PassedGate, ...]
    signs: tuple[Sign, ...] = ()


class Gate(Frozen):
    """An integrity gate and how many members it kept out of the base. `known` is False without data.

    A member that several gates keep out is counted by the first, in their order, so that base and exclusions add up to
    the size of the community.
    """

    gate: GateName
    known: bool
    excluded: int


class Excluded(Frozen):
    """A member that an integrity gate keeps out of the base, by name. Who opted out is counted and never named."""

    key: str
    handle: str | None
    gate: GateName


class RespectableTest(Frozen):
    """One test a respectable community passes. `passed` is None where the data is lacking."""

    test: Literal["size", "active_share", "suspicious_share", "confidence"]
    passed: bool | None
    value: float | None
    threshold: float


class TopicExample(Frozen):
    """A member who wrote and shared much about a topic: so many different posts."""

    account: str
    posts: int


class CommunityValue(Frozen):
    """A topic that members write and share about more than others do.

    `members` of those who have any topics do, which is `share` of them; `share_elsewhere` is that of all other
    accounts. `strength` is the surprise of this difference over that of the strongest topic. `examples` did most.
    """

    topic: str
    members: int
    share: float
    share_elsewhere: float
    strength: float
    examples: tuple[TopicExample, ...]


class NameQuestion(Frozen):
    """An open question: a community split, or others merged into it, since people gave `asked_of` its name; is that the
    right one? `suggested` is the name in question, where this community has another or none.
    """

    question: Literal["split", "merged"]
    asked_of: str
    suggested: str | None


class Community(Frozen):
    """A community of one run. Sizes of those that were found plus isolates equal the accounts of the graph.

    `kind` says by what people defined it, and `subject` is then the topic, or the key of the brand.
    """

    id: str
    kind: Literal["found", "accounts", "topic", "brand"] = "found"
    subject: str | None = None
    level: int
    label: str
    topics: tuple[str, ...] = Field(
        default=(), description="Topics in the label: what members write and share about more than others do."
    )
    values: tuple[CommunityValue, ...] = Field(
        default=(), description="What members write and share about more than others do, strongest first."
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
    confidence: float | None = Field(
        default=None, description="Chance that a member is here under another seed of the search, on average."
    )
    between_members: int = Field(
        default=0, description="Members that stand between this community and others: they are not sure to be here."
    )
    secondary_members: int = Field(default=0, description="Accounts of other communities that belong here, too.")
    follows_inside: int
    follows_in: int
    follows_out: int
    reciprocity: float
    most_followed: tuple[str, ...]
    part_of: str | None = Field(default=None, description="Id of the group of the next level that it is part of.")
    name: str | None = Field(default=None, description="What people call it; null in what a run publishes.")
    name_question: NameQuestion | None = Field(default=None, description="What people are asked about its name.")


class Recipe(Frozen):
    """What an objective asks for: types, tracks and roles (empty: any), how to rank, weights, and why.

    `rank_by` is score, or audience. `why_not` says of each type that is not asked for why it is not. `weights` of parts
    and those of `lenses`, which are extra parts, sum to 1 together.
    """

    name: str
    title: Said
    types: tuple[Literal["macro", "micro"], ...] = Field(min_length=1)
    tracks: tuple[Track, ...]
    roles: tuple[RoleName, ...]
    rank_by: Literal["score", "audience"]
    needs_brand: bool
    why: Said
    why_not: dict[Literal["macro", "micro"], Said] = Field(default_factory=dict)
    weights: PartWeights
    lenses: LensShares = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if abs(sum(self.weights.model_dump().values()) + sum(self.lenses.values()) - 1) > 1e-9:
            raise PydanticCustomError("weights", "weights, with those of lenses, must sum to 1")
        if set(self.why_not) != {"macro", "micro"} - set(self.types):
            raise PydanticCustomError("why_not", "say why_not of each type that is not among types, and of no other")
        return self


class BrandBasis(Frozen):
    """What a question about one brand needs of one candidate: its standing, and affinity with evidence and reasons."""

    standing: BrandStanding
    evidence: tuple[RelationEvidence | MentionEvidence, ...]
    reasons: tuple[Reason, ...]


class CandidateBasis(Frozen):
    """What a question that was not prepared needs of one candidate, beside the candidate itself.

    `raw` are the raw values of the parts that are not null. `replicates` is base64 of float32[r, 4], little-endian, row
    after row: authority, reach, resonance and trust of the candidate in each of the run's r reweightings. `topics` has
    of each topic how many different posts about it the candidate wrote or shared, when it first did (ms since 1970
    UTC, -1 where no time is known), and key and time of the latest of them; `topic_posts` is the sum of these numbers.
    `brands` has the brands that the candidate has to do with, by key; where the standing says that it is a brand's
    detractor, it is no candidate for that brand.
    """

    key: str
    track: Track
    size_band: SizeBand
    roles: tuple[RoleName, ...]
    raw: dict[PartName, float]
    replicates: str
    topic_posts: int
    topics: dict[str, tuple[int, int, str, int]]
    brands: dict[str, BrandBasis]


class CommunityBasis(Frozen):
    """What questions that were not prepared need of one community: the first line of `basis/<id>`.

    `base` is the number of accounts compared. `raw` has of each part that is not null base64 of float64[base],
    little-endian, ascending: the raw values of the base. `null_reasons` says why of the others (affinity is always
    among them: no brand is named). `topics` has of each topic that a member of the base wrote or shared about base64 of
    float64, ascending: relevance to this topic of those who did.
    """

    community: str
    size: int
    base: int
    raw: dict[PartName, str]
    null_reasons: dict[PartName, str]
    topics: dict[str, str]


class LensesHead(Frozen):
    """What questions that weigh lenses need of one community: the first line of `lenses/<id>`.

    `values` has of each lens base64 of float64, little-endian, ascending: values of those of the base who have one.
    `null_reasons` says why of lenses through which nobody of the base has any. After it comes a line for each
    candidate, in order of rank.
    """

    community: str
    values: dict[LensName, str]
    null_reasons: dict[LensName, str]


class SaidByLens(Frozen):
    """What one lens says of one account: a value that is the sum of its parts, or null with the reason."""

    value: float | None
    parts: dict[str, float]
    reason: str | None


class CandidateLenses(Frozen):
    """What lenses say of a candidate."""

    key: str
    lenses: dict[LensName, SaidByLens]


class WordsHead(Frozen):
    """First line of `words/<id>`: how many accounts of the community are compared, and how many lines of words follow.

    After these comes one line for each candidate, in order of rank.
    """

    base: int
    words: int


class WordBasis(Frozen):
    """What one word counts in a community: base64 of int32 and of float64 of one length, little-endian.

    `places` are those of accounts of the base, in the order of their keys, ascending; `weights` as `WordIndex.weight`.
    """

    word: str
    places: str
    weights: str


class CandidateWords(Frozen):
    """What a candidate says: its place in the base in the order of keys, and its words.

    Of each in how many posts at least, and key and time of the latest of these (ms since 1970 UTC, -1 where unknown).
    """

    place: int
    words: dict[str, tuple[int, str, int]]


class Complaint(Frozen):
    """An unfavourable mention of a brand in the window. `read` says that nobody stated so: its text was read."""

    post: str
    at: datetime | None
    answered: bool
    read: bool = False


class Detractor(Frozen):
    """An account that speaks against a brand, with its complaints of the window, latest first."""

    key: str
    handle: str | None
    name: str
    community: str | None
    brand: str
    followers: int
    favourable: int
    unfavourable: int
    unanswered: int
    complaints: tuple[Complaint, ...]


class CommunityFit(Frozen):
    """How well a community fits a brief.

    `relevance` is the mean of its base, 0 for who says nothing of the brief; `accounts` of its base say any word of it,
    which is `share` of them.
    """

    relevance: float
    accounts: int
    share: float


class FittingCommunity(Community):
    """A community as it answers a brief."""

    fit: CommunityFit


Relation = Literal["continues", "merges", "splits"]
LineageEvent = Literal["born", "continues", "merges", "splits"]
EndEvent = Literal["died", "merged", "split"]


class Predecessor(Frozen):
    """A community of the run before that this one comes from.

    `relation`: this one continues it (and has its id), it merges into this one, or this one splits off from it;
    `counts` says whether enough accounts do so to call that an event.
    `accounts` are those that were there and are here; `share_of_it` is their share of the accounts there were there
    (also of those that are gone), `share_of_this` their share of the accounts here.
    """

    id: str
    relation: Relation
    accounts: int
    share_of_it: float
    share_of_this: float
    counts: bool


class Lineage(Frozen):
    """Where a community comes from. `event` says what happened to it since the run before, where several did the first
    of: others merged into it, it split (or split off), it continues, it is born.
    """

    id: str
    event: LineageEvent
    predecessors: tuple[Predecessor, ...]


class Ended(Frozen):
    """A community of the run before that is no more: it merged into another, it split, or it died; with those that most
    of it, or most of whom, are found in now.
    """

    id: str
    event: EndEvent
    size: int
    into: tuple[str, ...]


class CommunityName(Frozen):
    """What people call a community, since when, and what they are asked about it: naming it again answers that."""

    id: str
    name: str | None
    name_question: NameQuestion | None = None
    named_at: datetime | None = None


class LineageStep(Frozen):
    """A community in one published run: how large it was, and what had happened to it since the run before.

    `parts` are communities that split off from it afterwards. Where all memberships, with scores, are those of the run
    before, that is `same`.
    """

    run: str
    finished_at: datetime | None
    as_of: datetime | None
    size: int
    label: str
    same: bool
    event: LineageEvent
    predecessors: tuple[Predecessor, ...]
    parts: tuple[str, ...]


class CommunityHistory(Frozen):
    """What published runs found of a community, the latest first; `ended` where a later run no longer found it."""

    id: str
    name: CommunityName | None
    steps: tuple[LineageStep, ...]
    ended: Ended | None


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
    ties: int = Field(default=0, description="Ties there were when it was measured.")
    run: str | None = Field(default=None, description="Run that measured it, where an earlier one did.")


class SubTopic(Frozen):
    """A topic that is part of another one: nearly all accounts that have it have that one; see `lenses.topics_tree`."""

    topic: str
    part_of: str


class LensMix(Frozen):
    """A mix of lenses and parts of the ambassador score that people named: what each of them weighs; they sum to 1."""

    name: str
    weights: dict[str, float]
    created_at: datetime


class OwnMeasure(Frozen):
    """A measure that an analyst wrote to the graph: for so many accounts, computed on one version of the graph."""

    name: str
    meaning: str
    graph_version: int
    written_at: datetime
    accounts: int


class NullLens(Frozen):
    """Why a lens has no value for some accounts, and how many they are."""

    reason: str
    accounts: int


class LensSummary(Frozen):
    """What a run says of one lens as a whole.

    `accounts` have a value; `null` says why others have none, `part_reasons` why nobody has some of its parts;
    `cut_offs` is what the lens counts and what the data decided.
    """

    lens: LensName
    accounts: int
    null: tuple[NullLens, ...]
    part_reasons: dict[str, str]
    cut_offs: dict[str, Any]


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
    defined: int = Field(default=0, description="Communities that people defined, beside those that were found.")
    candidates: int
    resolution: float
    modularity: float
    chance: Chance | None = None
    empty_accounts: int = Field(default=0, description="Accounts that follow others and do nothing else.")
    follows_left_out: int = Field(
        default=0, description="Follows that count nothing: of empty accounts, and within follow rings."
    )
    useful_min: int
    useful_max: int
    levels: tuple[LevelTried, ...]
    hierarchy: tuple[Level, ...] = Field(default=(), description="Levels of groups above the communities.")
    lenses: tuple[LensSummary, ...] = Field(default=(), description="What each lens measured, of how many accounts.")
    engine: str


class RunError(Frozen):
    """Why a run failed, or that it was cancelled."""

    code: str
    message: str


class Run(Frozen):
    """One analysis: queued, running, done, failed or cancelled. `current` is the run that readers see by default.

    Of a run that is older than those that are kept, what it published is gone since `removed_at`.
    """

    id: str
    state: RunState
    stage: Stage
    progress: float | None = Field(default=None, description="Share of the stage done; null when unknown.")
    publish: bool
    current: bool
    spec: RunSpec
    backtest: BacktestSpec | None = Field(
        default=None, description="Of a back-test, what it asks; it publishes nothing but its report."
    )
    graph_version: int | None = None
    as_of: datetime | None = None
    created_at: datetime
    attempts: int = Field(
        default=0, description="How often it was begun; more than once where the process that worked on it died."
    )
    token: int | None = Field(default=None, exclude=True)
    started_at: datetime | None = Field(default=None, description="When it was begun last.")
    cancel_asked_at: datetime | None = Field(default=None, description="When somebody asked to cancel it.")
    finished_at: datetime | None = None
    removed_at: datetime | None = Field(default=None, description="When what it had published was removed.")
    digest: str | None = Field(default=None, description="SHA-256 over everything the run published.")
    quality: Quality | None = None
    error: RunError | None = None


Outcome = Literal["engagement", "responders"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""What is measured afterwards: interactions received from the community; members who respond for the first time."""

QualityMeasure = Literal["ndcg", "precision", "spearman"]
RankingKind = Literal["score", "part", "lens", "baseline"]


class LeftOut(Frozen):
    """What of the graph was left out of the graph of the time before: it is later, or nobody knows when it was."""

    accounts: int
    follows: int
    follows_without_time: int
    posts_without_time: int
    relations: int
    mentions: int


class RankingFigure(Frozen):
    """How well one ranking put those first who counted afterwards: mean over communities, with its interval.

    `first` is how many from the top counted, null for Spearman's correlation, which looks at all. `ahead` is the value
    of the score minus this one, with the interval of that difference; null for the score itself.
    """

    outcome: Outcome
    measure: QualityMeasure
    first: int | None
    ranking: str
    kind: RankingKind
    value: float
    low: float
    high: float
    ahead: float | None = None
    ahead_low: float | None = None
    ahead_high: float | None = None
    communities: int


class Verdict(Frozen):
    """The score beside the strongest baseline of one measure. `says` is `ahead` or `behind` where the interval of the
    difference does not hold 0, else `level`."""

    outcome: Outcome
    measure: QualityMeasure
    first: int | None
    strongest: str
    ahead: float
    low: float
    high: float
    says: Literal["ahead", "behind", "level"]
    sentence: Said


class Coverage(Frozen):
    """How often what small accounts received afterwards lay in the interval that was expected before.

    Small are those with fewer than SMALL_FOLLOWERS followers in the graph. `covered`, `below` and `above` are shares of
    `accounts`; `interval` is the share that was aimed at: counts are whole numbers, so that more is covered where they
    are small.
    """

    accounts: int
    interval: float
    covered: float
    below: float
    above: float


SMALL_FOLLOWERS = 2_000
"""Accounts with fewer followers are small: measured all the same, but as an estimate with an interval."""


class MeasuredCommunity(Frozen):
    """One community of the time before, and what came of it: members ranked, and outcomes of all of them together."""

    id: str
    label: str
    size: int
    ranked: int
    engagement: int
    responders: int


class BacktestReport(Frozen):
    """What a back-test found. `cut` is the first day of the time afterwards, `until` the one after its last.

    `communities` are the respectable ones of the time before, canonical order; `left_out_communities` counts the others
    by why: not respectable, too few to rank, nobody responded to. A measure over the first k looks at those with at
    least 2k members ranked.
    """

    graph_version: int
    began: date
    cut: date
    until: date
    accounts: int
    follows: int
    interactions_before: int
    interactions_after: int
    left_out: LeftOut
    with_undated: bool
    communities: tuple[MeasuredCommunity, ...]
    left_out_communities: dict[str, int]
    figures: tuple[RankingFigure, ...]
    verdicts: tuple[Verdict, ...]
    coverage: Coverage | None
    notes: tuple[Said, ...]


class FittedWindow(Frozen):
    """A time before a cut and the time afterwards, up to, not with, `until`; `communities` were looked at."""

    cut: date
    until: date
    communities: int


class Calibration(Frozen):
    """Weights of parts fitted to what happened, beside those that are documented.

    They are fitted on the earlier windows and compared on the later one, `check`, which had no say in them. `kept` says
    whether they are better there beyond chance: the interval of `ahead` is above 0. `figures` are those of the later
    window: `fitted`, `documented`, and the simple baselines.
    """

    graph_version: int
    outcome: Outcome
    first: int
    objective: str | None
    documented: PartWeights
    fitted: PartWeights
    windows: tuple[FittedWindow, ...]
    check: FittedWindow
    ahead: float
    low: float
    high: float
    kept: bool
    sentence: Said
    figures: tuple[RankingFigure, ...]


@dataclass(frozen=True)
class CommunityScores:
    """Scores of one community as parallel arrays over its members (indices into the graph, ascending).

    `gate` is int8[k], position of the gate that keeps a member out of the base, -1 for members of the base. `raw` and
    `x` are float64[6, k] in the order of PART_NAMES, NaN where a part is null; `points` is int64[6, k] in millionths, 0
    where null; `score` int64[k]. `type` indexes ("member", "micro", "macro"). `rank` is 1.. for candidates, best first,
    0 for everyone else; `macro_rank` likewise for macros of the base, largest audience first; `audience` is int64[k].
    Members outside the base have NaN x and score -1. `weights` are those in force, `null_reasons` say why of parts that
    are null. `roles` is bool[7, k] in the order of ROLE_NAMES, `intervals` are low, high and tied_with of the
    candidates by rank, int64 each; both come after the rest.
    """

    members: Int32
    gate: Int8
    type: Int8
    raw: Float64
    x: Float64
    points: Int64
    score: Int64
    rank: Int32
    macro_rank: Int32
    audience: Int64
    weights: dict[PartName, float]
    null_reasons: dict[PartName, str]
    roles: Bool | None = None
    intervals: tuple[Int64, Int64, Int64] | None = None

    @property
    def in_base(self) -> Bool:
        """Members that are compared: bool[k]."""
        return self.gate < 0


@dataclass(frozen=True)
class SecondaryMemberships:
    """Communities that accounts belong to besides their own: parallel arrays, by account, then community.

    `account` is int32[s], `community` int32[s] (position in canonical order), `share` float64[s], how much of the
    weight of the account's ties is to that community.
    """

    account: Int32
    community: Int32
    share: Float64


@dataclass(frozen=True)
class Before:
    """What an earlier run found, for the run that starts from it.

    Attributes:
        run: its id.
        ids: of its communities.
        written: of each the run that its node in the graph names: the latest that found it like this.
        sizes: int64[k], accounts in each of them then, also those that are gone.
        labels: int32[n], which of them each account of the graph of now was in, -1 for none.
        confidence: float64[n], how sure it was of each of them, NaN where that is not known.
        quality: what it found as a whole.
        rules: those it had.
        outreach: int64[n], outreach of each account in points (see `analytics.lenses.standing`), 0 where not known.
    """

    run: str
    ids: Sequence[str]
    written: Sequence[str]
    sizes: Int64
    labels: Int32
    confidence: Float64
    quality: Quality
    rules: ScoringRules
    outreach: Int64


KeepLines = Callable[[Iterable[bytes]], Sequence[bytes]]
"""Keeps lines somewhere as they come, and returns them from there."""


@dataclass(frozen=True)
class PublishedPart:
    """One named part of a published set: prepared JSON documents, one a line; they may be read more than once.

    Parts are `communities` (all that were found, canonical order), `defined` (those that people defined, by id),
    `groups` (by level, then canonical order), and of each community, found or defined, `candidates/<id>` (`Candidate`
    by rank), `macros/<id>` (likewise), `excluded/<id>` (`Excluded` by gate, then key) and `basis/<id>` (one
    `CommunityBasis`, then a `CandidateBasis` for each candidate by rank); `detractors` of all brands (`Detractor` by
    brand, most unfavourable mentions first, then key); `brands` (`Brand`, all of the graph, by key). Where the run
    measured through lenses there are `subtopics` (`SubTopic`, by name) and, of each community that has a basis,
    `lenses/<id>` (one `LensesHead`, then a `CandidateLenses` for each candidate by rank). Parts of a community without
    any line are left out, but `candidates`, and `basis` of those that are respectable.
    """

    name: str
    lines: Sequence[bytes]


@dataclass(frozen=True)
class Analysis:
    """Everything a run computed, ready to be published and written back.

    `communities` are in canonical order: size descending, then smallest account key; `defined` are those that people
    defined, by id, left out where they have no member. `scores` are parallel to both, one after the other. `parts` are
    what is published of accounts (see `PublishedPart`): JSON documents, kept where whoever asked for the analysis keeps
    them (`KeepLines`): as objects they would take many times the memory.
    `labels` is int32[n]: position of each account's community in that order, -1 for isolates.
    `groups` are those of each level above, finest first, in canonical order.
    `measures` are values of all accounts by the name of the property that holds them, `share` (of the account's own
    community) and, where it was asked for, `confidence` among them.
    `between` is bool[n], accounts that are not sure to be in their community and belong to others, too.
    `lineage` says of each community that was found where it comes from, `ended` what became of those that are no more;
    both are empty where the run starts from none.
    `lenses` are values of all accounts, in the order of LENS_NAMES; `lens_documents` says all of them of each account,
    in the order of accounts: a JSON object each, by lens `value`, `parts`, `reason` and `figures`.
    """

    quality: Quality
    labels: Int32
    communities: list[Community]
    defined: list[Community]
    groups: list[list[CommunityGroup]]
    scores: list[CommunityScores]
    parts: list[PublishedPart]
    measures: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]
    secondary: SecondaryMemberships
    between: Bool
    lineage: list[Lineage]
    ended: list[Ended]
    lenses: list[LensValues]
    lens_documents: Sequence[bytes]

    @property
    def scored(self) -> list[Community]:
        """All communities, found and then defined, in the places of `scores`."""
        return [*self.communities, *self.defined]

    @property
    def candidates(self) -> list[list[Candidate]]:
        """The candidates of each community that was found, best first, as objects."""
        lines = {part.name: part.lines for part in self.parts}
        return [
            [Candidate.model_validate_json(line) for line in lines[f"candidates/{community.id}"]]
            for community in self.communities
        ]


TYPE_NAMES: tuple[AccountType, ...] = ("member", "micro", "macro")


class DeadLetter(Frozen):
    """An event that could not be used, by its position in the delivery, with a code and a sentence why.

    `replayed_in` names the delivery in which it was tried again.
    """

    index: int
    code: str
    message: str
    event: Any
    replayed_in: str | None = None


ImportState = Literal["queued", "running", "done", "failed", "cancelled"]


class ImportProgress(Frozen):
    """How far an import has come."""

    read_bytes: int = Field(description="Bytes of the file read so far.")
    total_bytes: int = Field(description="Bytes of the file.")
    lines: int = Field(description="Lines that are in the graph, skipped, or in the report of rejected lines.")


class ImportFailure(Frozen):
    """Why an import failed, or that it was cancelled; `lines` and others as far as they are known."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class Import(Frozen):
    """A file that was handed in to be imported, and what became of it.

    `sequence` counts the imports of the machine that took it; they are done in this order, one at a time.
    """

    id: str
    sequence: int
    name: str = Field(description="What the file is called in reports.")
    options: dict[str, Any] = Field(description="How the file is read, as far as it was said.")
    check: bool = Field(description="Whether nothing is written: the report then says what an import would do.")
    state: ImportState
    cancelling: bool = Field(description="Whether it was asked to be cancelled, and has not ended yet.")
    sha256: str = Field(description="Of the file as it came.")
    attempts: int = Field(description="How often it was begun: more than once where it was cut off, and went on.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: ImportProgress
    note: str | None = Field(description="What it waits for, where it does.")
    report: dict[str, Any] | None = Field(description="What the import did, when it is done.")
    error: ImportFailure | None = Field(description="Why it failed, or that it was cancelled.")
    rejects: str | None = Field(description="Where each rejected line stands with number and reason, if there are any.")


class Delivery(Frozen):
    """What a source sent at once, and what became of it: journaled, then applied to the graph, or dead as a whole.

    `sequence` counts the deliveries of the machine that took it. `events` counts those that could be used when they
    came; `dead_letters` are those that could not, or that the graph refused. `version` is that of the graph in which
    the delivery is.
    """

    id: str
    sequence: int
    source: str
    webhook_id: str
    state: DeliveryState
    received_at: datetime
    settled_at: datetime | None
    events: int
    version: int | None
    replay_of: str | None
    dead_letters: tuple[DeadLetter, ...]

    @classmethod
    def of(
        cls,
        delivery_id: str,
        sequence: int,
        source: str,
        webhook_id: str,
        state: DeliveryState,
        received_at: int,
        events: int,
        settled_at: int | None,
        version: int | None,
        replay_of: str | None,
        dead: Iterable[DeadItem],
    ) -> Self:
        """Make one of what the journal holds; times are milliseconds since 1970 UTC."""
        return cls(
            id=delivery_id,
            sequence=sequence,
            source=source,
            webhook_id=webhook_id,
            state=state,
            received_at=moment_of(received_at),
            settled_at=None if settled_at is None else moment_of(settled_at),
            events=events,
            version=version,
            replay_of=replay_of,
            dead_letters=tuple(
                DeadLetter(
                    index=one.position,
                    code=one.code,
                    message=one.message,
                    event=shown_json(json.loads(one.event)),
                    replayed_in=one.replayed_in,
                )
                for one in dead
            ),
        )


def shown_json(value: Any, levels: int = 64) -> Any:
    """Return a value of JSON such that it can be written again, whatever it holds.

    Half characters, which JSON can escape and UTF-8 cannot hold, are question marks; what is not finite is text; what
    is nested deeper than so many levels is left out.
    """
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list) and not levels:
        return "..."
    if isinstance(value, dict):
        return {shown_json(name): shown_json(one, levels - 1) for name, one in value.items()}
    return [shown_json(one, levels - 1) for one in value] if isinstance(value, list) else value


def moment_of(milliseconds: int) -> datetime:
    """Turn milliseconds since 1970 UTC into a time."""
    whole, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=rest * 1000)


class SourceSecret(Frozen):
    """A secret of a source, sealed: with whose key only a service can open it. `id` may be shown."""

    id: str
    sealed: str
    created_at: datetime
    last_used_at: datetime | None = None


Scope = Literal["read", "ingest", "run", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class ApiKey(Frozen):
    """A key of the HTTP API. Of the key itself only its SHA-256 is kept; `id` is the part of it that may be shown.

    `scopes` is what it may do: read what runs published; ingest: see and replay deliveries; run: ask for runs, by
    hand or by schedule, and define communities; admin: all of it, and manage sources and keys. `brands` are those it
    may see, null for all; a key of some brands only reads.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    brands: tuple[str, ...] | None = None
    sha256: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewSchedule(Frozen):
    """When the service asks for a run by itself, and for which. Exactly one of the two says when."""

    after_changes: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="When so many follows, interactions, posts and reposts changed since the graph version of the "
        "current run.",
    )
    daily_at: str | None = Field(
        default=None,
        pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Once a day at this time, HH:MM in UTC.",
        examples=["03:00"],
    )
    publish: bool = Field(default=True, description="Make its runs those that everybody reads.")
    spec: RunSpec = RunSpec()

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.after_changes is None) == (self.daily_at is None):
            raise PydanticCustomError("schedule", "say one of after_changes and daily_at, and only one")
        return self


class Schedule(Frozen):
    """A schedule of runs, and what it last asked for. Its id is made from what it says."""

    id: str = Field(examples=["daily-0300-k2x7w4ma"])
    after_changes: int | None
    daily_at: str | None
    next_at: datetime | None = Field(
        description="When it is due next, of `daily_at`; a moment that has passed is made up for as soon as the "
        "service has nothing else to do. Null of `after_changes`."
    )
    last_run: str | None = Field(description="The run that it last asked for, or that answered already.")
    last_asked_at: datetime | None
    created_at: datetime
    publish: bool
    spec: RunSpec


OWN_PLATFORM = "entourage"
"""The platform of a source that pushes events of ours as they are."""


class Source(Frozen):
    """Who may push events: with which secrets, the latest first, and where accounts live that do not say so.

    `platform` names the adapter that reads what it sends, `mapping` is what that one reads by, as JSON, if it needs it.
    """

    name: str
    network: str | None
    platform: str = OWN_PLATFORM
    mapping: str | None = None
    disabled: bool = False
    created_at: datetime
    secrets: tuple[SourceSecret, ...]


# --- how long things are kept ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Retention:
    """For how many days things are kept after they happened; None: for ever.

    `interactions` are counts of a pair and day, and responses to posts; `unfollows` are follows that ended, and
    endorsements that were withdrawn; `runs` is what analyses published.
    """

    posts: int | None = None
    interactions: int | None = None
    unfollows: int | None = None
    runs: int | None = None

    @property
    def anything(self) -> bool:
        """Whether anything is not kept for ever."""
        return self != FOR_EVER

    def cutoffs(self, now: datetime) -> Cutoffs:
        """Return what is kept at a time: everything of that many whole days (UTC) before the day that it is."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

        def first_kept(days: int | None) -> datetime | None:
            return None if days is None else today - timedelta(days=days)

        return Cutoffs(*map(first_kept, (self.posts, self.interactions, self.unfollows, self.runs)))


FOR_EVER = Retention()


@dataclass(frozen=True)
class Cutoffs:
    """What happened before these times is not kept; None: it is, whenever that was."""

    posts: datetime | None
    interactions: datetime | None
    unfollows: datetime | None
    runs: datetime | None
