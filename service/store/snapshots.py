"""Reading the whole graph over Bolt, as columns, cut at one version.

Neo4j gives no snapshot isolation: a long read sees some of what is written meanwhile, and even of one transaction some
before the rest. So the version is noted, holding the version lock for a moment, so that all up to it can be read; all
is read, and what changed after that version is read again, at last in one transaction that holds the version lock: what
comes out is the graph at the version under that lock. Brands, relations to them, mentions of them and endorsements are
few beside follows: they are read under the lock only. What the graph held then of accounts, follows, interactions and
brands is counted there too, so that nothing is lost in silence.

What accounts write and share about and how much they post a day is counted by Neo4j. Posts themselves are read where
they have a text: what it says is found out at once, and the text is not kept. Of an account whose posts or reposts
changed all of this is read anew, because a post that is no longer about a topic, or is of another day now, leaves
nothing to be read.

Values come as lists, a range of accounts a row, because a row a value costs many times more; `Account.n` stands for
long keys. Rows are streamed, so that Neo4j makes the next one while this process takes in the last, and over several
connections at once, because Neo4j makes the rows of one query on one processor.

Whom a follow or an interaction leads to is read as the id that Neo4j gave the account, which costs half of looking up
its number there, and becomes that number here. Neo4j may give the id of an account that is gone to another one: only
where an account is removed while all is read, and then there are fewer accounts than could be read.

What is removed and leaves nothing that tells (old interactions, posts, unfollows) raises `removed_v` of the graph to
the version of its removal. Of a graph of before no changes can be told; and where it happens while all is read, all is
read once more, under the lock.
"""

from __future__ import annotations

import itertools
import operator
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from service.domain import (
    ENGAGEMENT_NAMES,
    POSTING_NAMES,
    AccountColumns,
    BrandColumns,
    Changes,
    Content,
    EndorsementColumns,
    EngagementColumns,
    FollowColumns,
    MentionColumns,
    PostingColumns,
    Progress,
    ReadText,
    Snapshot,
    TopicColumns,
    WordColumns,
    bio_digest,
    no_progress,
)
from service.errors import StoreError
from service.records import NO_END
from service.store.driver import AsyncStore, Row, Store, Tx, not_prepared

VALUES_A_ROW = 10_000
TEXTS_A_ROW = 2_000
PARTS = 5
"""For progress: follows of all accounts, then their interactions, their topics, their posts, and what these say."""

WORDS_KEPT = 200
"""Words of an account: those of most posts, of equal numbers the first by code point."""

READERS = 2
"""Connections that read a part of the graph side by side: twice as fast as one; more leave Neo4j no processor for
anybody else."""

_ENDED = float("nan")
"""Weight that stands for a follow that is no more."""

CATCH_UPS = 2
"""How often what changed is read without the lock first: writers wait only while the rest is read under it."""


@dataclass(frozen=True)
class State:
    """Which graph a store holds, at which version, and how much of what an analysis reads.

    `removed` is the version at which something was last removed without a trace, -1 where nothing ever was;
    `engagements` are counts of interactions, one a pair and day; `about` is how many topics posts have, all together;
    `posts` are those with an author, `texts` about how many of them have a text.
    """

    identity: str
    version: int
    removed: int
    accounts: int
    follows: int
    engagements: int
    about: int
    posts: int
    texts: int


def read_state(store: Store) -> State:
    """Say what the store holds now.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not answer.
    """
    return _state(store.write("snapshot/identity"))


async def get_state(store: AsyncStore) -> State:
    """Do what `read_state` does, for the API."""
    return _state(await store.write("snapshot/identity"))


def _state(rows: list[Row]) -> State:
    if not rows:
        raise not_prepared()
    [row] = rows
    counts = (row[name] for name in ("accounts", "follows", "engagements", "about", "posts", "texts"))
    return State(row["identity"], row["v"], row["removed_v"], *counts)


def changed_since(store: Store, version: int, most: int) -> int:
    """Count follows, interactions, posts and reposts that changed after a version; of each kind at most `most`."""
    [row] = store.read("snapshot/changed", after=version, most=most)
    return int(row["changed"])


def no_reading(text: str, language: str) -> Content:  # noqa: ARG001
    """Read nothing of a text."""
    return Content((), ())


def read_snapshot(store: Store, progress: Progress = no_progress, read_text: ReadText = no_reading) -> Snapshot:
    """Read all that an analysis reads of the graph, at one version.

    They come in no particular order.

    Args:
        store: the graph.
        progress: told of stage `snapshot`.
        read_text: reads what posts say: their words, and the topics of those of which no topics were stated.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not answer, or the graph holds accounts, follows, interactions or brands that cannot be
            read.
    """
    state = _graph_now(store)
    gathered = _Gathered(read_text)
    _read_all(store, state, progress, gathered)
    rest = _catch_up(store, state["v"], gathered)
    if rest.held["removed_v"] > state["v"]:
        # What was read of it stands among the rest, and nothing tells what it is.
        state, gathered, rest = _read_locked(store, progress, read_text)
    accounts, follows, engaged = gathered.accounts.columns(), gathered.follows.columns(), gathered.engagements.columns()
    for things, read in (
        ("accounts", len(accounts.key)), ("follows", len(follows.source)), ("engagements", len(engaged.source)),
    ):  # fmt: skip
        if read != rest.held[things]:
            raise StoreError(
                f"The graph holds {rest.held[things]:,} {things}, but {read:,} could be read: remove accounts that "
                "were not written by Entourage (they have no `key` or no `n`) with their relationships, and ENGAGED "
                "without a date as `day` or several of a pair and day; if there are none, try again."
            )
    progress("snapshot", PARTS * state["n"], PARTS * state["n"])
    return Snapshot(
        version=rest.held["v"],
        accounts=accounts,
        follows=follows,
        followed_at=gathered.follows.latest,
        engagements=engaged,
        brands=_brand_columns(rest),
        topics=gathered.topics.columns(),
        postings=gathered.postings.columns(),
        mentions=_mention_columns(rest.mentions),
        words=gathered.words.columns(),
        endorsements=_endorsement_columns(rest),
    )


@dataclass(frozen=True)
class Held:
    """How many of each thing a graph holds; `removed` is the version at which something last left no trace, or -1."""

    removed: int
    accounts: int
    follows: int
    engagements: int


def read_changes(store: Store, after: int, read_text: ReadText = no_reading) -> tuple[Changes, Held]:
    """Read what changed after a version, and what the graph then holds.

    These are all changes only where nothing was removed after that version, see `Held.removed`.

    Args:
        store: the graph.
        after: the version.
        read_text: the one that was used for what is known of that version.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not answer, or the graph holds brands that cannot be read.
    """
    gathered = _Gathered(read_text)
    rest = _catch_up(store, after, gathered)
    changes = Changes(
        version=rest.held["v"],
        accounts=gathered.accounts.columns(),
        follows=gathered.follows.columns(ended=True),
        followed_at=gathered.follows.latest,
        engagements=gathered.engagements.columns(),
        renewed=np.array(sorted(gathered.renewed), dtype=np.int64),
        topics=gathered.topics.columns(),
        postings=gathered.postings.columns(),
        words=gathered.words.columns(),
        brands=_brand_columns(rest),
        mentions=_mention_columns(rest.mentions),
        endorsements=_endorsement_columns(rest),
    )
    return changes, Held(rest.held["removed_v"], rest.held["accounts"], rest.held["follows"], rest.held["engagements"])


class _Gathered:
    """What was read so far."""

    def __init__(self, read_text: ReadText) -> None:
        self.accounts, self.follows, self.engagements = _Accounts(), _Follows(), _Engagements()
        self.topics, self.postings = TopicGatherer(), _Postings()
        self.words = WordGatherer(read_text, self.topics)
        self.renewed: set[int] = set()

    def change(self, changed: _Changed) -> None:
        """Put what changed on top."""
        self.accounts.add(changed.accounts)
        self.follows.end(changed.unfollowed)
        self.follows.add(changed.follows)
        self.engagements.add(changed.engagements)
        self.topics.renew(changed.posts)
        self.postings.renew(changed.posts)
        self.words.renew(changed.posts)
        self.renewed.update(account for row in changed.posts for account in row["account"])


def _catch_up(store: Store, version: int, gathered: _Gathered) -> _Rest:
    """Read what changed after a version, at last under the lock, together with what is read there only."""
    for _ in range(CATCH_UPS):
        now = _graph_now(store)["v"]
        if now == version:
            break
        gathered.change(_changed(store.read, version))
        version = now

    last = store.write_transaction(lambda tx: _rest(tx, version))
    if last.changed is not None:
        gathered.change(last.changed)
    return last


def _rest(tx: Tx, version: int) -> _Rest:
    [held] = tx.run("snapshot/lock")
    return _Rest(
        held=held,
        changed=_changed(tx.run, version) if held["v"] != version else None,
        brands=tx.run("snapshot/brands"),
        brand_accounts=tx.run("snapshot/brand_accounts"),
        relations=tx.run("snapshot/relations", step=VALUES_A_ROW),
        mentions=tx.run("snapshot/mentions", step=VALUES_A_ROW),
        endorsements=tx.run("snapshot/endorsements", step=VALUES_A_ROW),
        endorsed_latest=tx.run("snapshot/endorsed_latest"),
    )


def _read_locked(store: Store, progress: Progress, read_text: ReadText) -> tuple[Row, _Gathered, _Rest]:
    """Read everything while all writers wait: what they have to say is journaled meanwhile."""

    def work(tx: Tx) -> tuple[Row, _Gathered, _Rest]:
        [state] = tx.run("snapshot/state")
        gathered = _Gathered(read_text)
        _read_all(store, state, progress, gathered)
        return state, gathered, _rest(tx, state["v"])

    return store.write_transaction(work)


def _graph_now(store: Store) -> Row:
    """Version and size of the graph, as cypher/snapshot/state.cypher says them."""
    states = store.write("snapshot/state")
    if not states:
        raise not_prepared()
    return states[0]


def _changed(run: Callable[..., list[Row]], after: int) -> _Changed:
    return _Changed(
        accounts=run("snapshot/accounts_changed", after=after),
        unfollowed=run("snapshot/unfollowed_changed", after=after),
        follows=run("snapshot/follows_changed", after=after),
        engagements=run("snapshot/engagements_changed", after=after),
        posts=run("snapshot/posts_changed", after=after),
    )


def _read_all(store: Store, state: Row, progress: Progress, gathered: _Gathered) -> None:
    """Read everything but what is read under the lock only, while others may be writing."""
    last = state["n"]  # accounts are numbered from 1
    described = list(_rows(store, "snapshot/accounts", last, VALUES_A_ROW))
    gathered.accounts.add(described)
    numbers = _Numbers(described)
    del described  # a Python object for each value
    [ended] = store.read("snapshot/unfollowed_latest")
    gathered.follows.latest = ended["latest"]
    # So many accounts that their follows make rows of about VALUES_A_ROW; celebrities are followed, they do not follow.
    gatherers: tuple[tuple[str, _Follows | _Engagements | TopicGatherer | _Postings | WordGatherer, int, int], ...] = (
        ("snapshot/follows", gathered.follows, state["follows"], VALUES_A_ROW),
        ("snapshot/engagements", gathered.engagements, state["engagements"], VALUES_A_ROW),
        ("snapshot/topics", gathered.topics, state["about"], VALUES_A_ROW),
        ("snapshot/postings", gathered.postings, state["posts"], VALUES_A_ROW),
        ("snapshot/texts", gathered.words, state["posts"], TEXTS_A_ROW),
    )
    for part, (query, kind, held, values) in enumerate(gatherers):
        if held == 0:  # what came since is among what changed
            continue
        step = max(1, min(values, values * last // held))
        with closing(_rows(store, query, last, step)) as rows:
            for row, record in enumerate(rows):
                progress("snapshot", part * last + min(row * step, last), PARTS * last)
                kind.add([numbers.in_place_of_ids(record)])


def _rows(store: Store, query: str, last: int, step: int) -> Generator[Row, None, None]:
    """Rows of a query that is made for several readers, from READERS connections at once, in no particular order.

    Raises:
        StoreError: as the first reader that fails.
    """
    rows: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def read(reader: int) -> None:
        first, stride = 1 + reader * step, READERS * step
        try:
            for record in store.stream(query, first=first, last=last, step=step, stride=stride):
                rows.put(dict(record))
                if stop.is_set():
                    break
            rows.put(None)
        except BaseException as error:  # it is raised where the rows are taken
            rows.put(error)

    readers = [threading.Thread(target=read, args=(reader,), daemon=True) for reader in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        running = READERS
        while running:
            row = rows.get()
            if isinstance(row, BaseException):
                raise row
            if row is None:
                running -= 1
            else:
                yield row
    finally:
        stop.set()
        for reader in readers:
            reader.join()


@dataclass(frozen=True)
class _Changed:
    """What changed after a version, as rows of the queries."""

    accounts: list[Row]
    unfollowed: list[Row]
    follows: list[Row]
    engagements: list[Row]
    posts: list[Row]


@dataclass(frozen=True)
class _Rest:
    """What was read under the lock, as rows of the queries; None where nothing changed since it was last read."""

    held: Row
    changed: _Changed | None
    brands: list[Row]
    brand_accounts: list[Row]
    relations: list[Row]
    mentions: list[Row]
    endorsements: list[Row]
    endorsed_latest: list[Row]


def _brand_columns(rest: _Rest) -> BrandColumns:
    [brands], [own] = rest.brands, rest.brand_accounts

    def numbers(column: str) -> list[int]:
        return [value for row in rest.relations for value in row[column]]

    if len(brands["key"]) != rest.held["brands"]:
        raise StoreError(
            f"The graph holds {rest.held['brands']:,} brands, but {len(brands['key']):,} could be read: give each "
            "Brand a `key`, a text, or remove it."
        )
    return BrandColumns(
        key=brands["key"],
        name=[name or None for name in brands["name"]],
        own=np.array(own["account"], dtype=np.int64),
        own_brand=own["brand"],
        account=np.array(numbers("account"), dtype=np.int64),
        brand=[key for row in rest.relations for key in row["brand"]],
        relation=np.array(numbers("relation"), dtype=np.int8),
        since=np.array(numbers("since"), dtype=np.int64),
        until=np.array([-1 if until == NO_END else until for until in numbers("until")], dtype=np.int64),
    )


def _mention_columns(rows: list[Row]) -> MentionColumns:
    def values(column: str) -> npt.NDArray[np.int64]:
        return np.array([value for row in rows for value in row[column]], dtype=np.int64)

    def small(column: str) -> npt.NDArray[np.int8]:
        return np.clip(values(column), -128, 127).astype(np.int8)  # what is out of bounds stays so, and will be refused

    return MentionColumns(
        account=values("account"),
        brand=[row["brand"] for row in rows for _ in row["account"]],
        post=[key for row in rows for key in row["post"]],
        at=values("at"),
        stance=small("stance"),
        paid=small("paid"),
        answered=values("answered").astype(np.bool_),
        text=[text for row in rows for text in row["text"]],
    )


def _endorsement_columns(rest: _Rest) -> EndorsementColumns:
    source, target, at = (
        np.array([value for row in rest.endorsements for value in row[column]], dtype=np.int64)
        for column in ("source", "target", "at")
    )
    return EndorsementColumns(source, target, at, rest.endorsed_latest[0]["latest"])


class _Numbers:
    """Numbers of accounts by their ids within Neo4j, from rows of all accounts."""

    def __init__(self, rows: list[Row]) -> None:
        # First an id that no node has: so that there always is one that is not above the one that is looked for.
        ids = np.array([-1, *(one for row in rows for one in row["id"])], dtype=np.int64)
        numbers = np.array([-1, *(n for row in rows for n in row["n"])], dtype=np.int64)
        order = np.argsort(ids)
        self.ids, self.numbers = ids[order], numbers[order]

    def in_place_of_ids(self, row: Row) -> Row:
        """Give a row with `target_id` numbers as `target`.

        What leads to other nodes is left out: to an account that came since, so that it is among what changed, or to
        none that could be read, so that counting tells.
        """
        if "target_id" not in row:
            return row
        ids = np.array(row["target_id"], dtype=np.int64)
        place = np.searchsorted(self.ids, ids, side="right") - 1
        known = self.ids[place] == ids
        numbered = {**row, "target": self.numbers[place]}
        if np.all(known):
            return numbered
        # All columns are parallel but `latest`, one time for the whole row.
        return {name: value if name == "latest" else np.array(value)[known] for name, value in numbered.items()}


class _Accounts:
    """Gathers account columns; of an account that comes twice the later row stands."""

    def __init__(self) -> None:
        self.n: list[int] = []
        self.key: list[str] = []
        self.handle: list[str | None] = []
        self.opted_out: list[bool] = []
        self.followers: list[int] = []
        self.bio: list[int] = []

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.n += row["n"]
            self.key += row["key"]
            self.handle += [handle or None for handle in row["handle"]]
            self.opted_out += row["opted_out"]
            self.followers += row["followers"]
            self.bio += map(bio_digest, row["bio"])

    def columns(self) -> AccountColumns:
        n = np.array(self.n, dtype=np.int64)
        last = _last_of_each(n)
        return AccountColumns(
            n=n[last],
            key=[self.key[i] for i in last],
            handle=[self.handle[i] for i in last],
            opted_out=np.array(self.opted_out, dtype=np.bool_)[last],
            followers=np.array(self.followers, dtype=np.int64)[last],
            bio=np.array(self.bio, dtype=np.int64)[last],
        )


class _Follows:
    """Gathers follow columns; of a follow that comes twice the later row stands, also where it says that it ended."""

    def __init__(self) -> None:
        self.source: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.target: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.weight: list[npt.NDArray[np.float64]] = [np.empty(0, dtype=np.float64)]
        self.day: list[npt.NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        self.latest = -1  # when the latest of all follows and unfollows was

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.source.append(np.array(row["source"], dtype=np.int64))
            self.target.append(np.array(row["target"], dtype=np.int64))
            self.weight.append(np.array(row["weight"], dtype=np.float64))
            self.day.append(np.array(row["day"], dtype=np.int32))
            self.latest = max(self.latest, row["latest"])

    def end(self, rows: Iterable[Row]) -> None:
        """Take follows away that ended: some of them may have been read before.

        Who follows again did so later, so that it does no harm to have read an unfollow that is no more.
        """
        for row in rows:
            self.add([{**row, "weight": [_ENDED] * len(row["source"]), "day": [-1] * len(row["source"])}])

    def columns(self, *, ended: bool = False) -> FollowColumns:
        """All that was gathered; with `ended` also what ended, with a weight of NaN."""
        source, target = np.concatenate(self.source), np.concatenate(self.target)
        span = int(target.max(initial=0)) + 1
        last = _last_of_each(source * span + target)
        weight = np.concatenate(self.weight)
        if not ended:
            last = last[~np.isnan(weight[last])]
        day = np.concatenate(self.day)[last].astype(np.int64)
        return FollowColumns(source=source[last], target=target[last], weight=weight[last], day=day)


class _Engagements:
    """Gathers columns of interactions; of a pair and day that comes twice the later row stands."""

    def __init__(self) -> None:
        self.source: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.target: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.day: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.counts: list[npt.NDArray[np.int64]] = [np.empty((0, len(ENGAGEMENT_NAMES)), dtype=np.int64)]

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.source.append(np.array(row["source"], dtype=np.int64))
            self.target.append(np.array(row["target"], dtype=np.int64))
            self.day.append(np.array(row["day"], dtype=np.int64))
            self.counts.append(np.array([row[name] for name in ENGAGEMENT_NAMES], dtype=np.int64).T)

    def columns(self) -> EngagementColumns:
        source, target, day = (np.concatenate(one) for one in (self.source, self.target, self.day))
        order = np.lexsort((day, target, source))  # stable: of those alike the last one read stands last
        alike = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
        for column in (source, target, day):
            alike &= np.diff(column[order]) == 0
        last = order[np.append(~alike, True)] if len(order) else order
        return EngagementColumns(source[last], target[last], day[last], np.concatenate(self.counts)[last])


class TopicGatherer:
    """Gathers topics of accounts. Names are kept once each: what is gathered are positions among them."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.account: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.topic: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.posts: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.first: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.post: list[npt.NDArray[np.object_]] = [np.empty(0, dtype=np.object_)]
        self.latest: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take in topics of accounts, parallel columns a row."""
        for row in rows:
            self._add(
                np.array(row["account"], dtype=np.int64),
                row["topic"],
                np.array(row["posts"], dtype=np.int64),
                np.array(row["first"], dtype=np.int64),
                row["post"],
                np.array(row["latest"], dtype=np.int64),
            )

    def renew(self, rows: Iterable[Row]) -> None:
        """Forget the topics of the accounts that rows name, and take in those that the rows give them."""
        for row in rows:
            changed = np.array(row["account"], dtype=np.int64)
            account = np.concatenate(self.account)
            kept = ~np.isin(account, changed)
            self.account = [account[kept]]
            self.topic = [np.concatenate(self.topic)[kept]]
            self.posts = [np.concatenate(self.posts)[kept]]
            self.first = [np.concatenate(self.first)[kept]]
            self.post = [np.concatenate(self.post)[kept]]
            self.latest = [np.concatenate(self.latest)[kept]]
            self._add(
                np.repeat(changed, np.array([len(topics) for topics in row["topic"]], dtype=np.int64)),
                itertools.chain.from_iterable(row["topic"]),
                _flat(row["topic_posts"]),
                _flat(row["first"]),
                itertools.chain.from_iterable(row["topic_post"]),
                _flat(row["topic_latest"]),
            )

    def _add(
        self,
        account: npt.NDArray[np.int64],
        topic: Iterable[str],
        posts: npt.NDArray[np.int64],
        first: npt.NDArray[np.int64],
        post: Iterable[str],
        latest: npt.NDArray[np.int64],
    ) -> None:
        names = self.names
        self.account.append(account)
        self.topic.append(np.array([names.setdefault(name, len(names)) for name in topic], dtype=np.int64))
        self.posts.append(posts)
        self.first.append(first)
        self.post.append(np.array(list(post), dtype=np.object_))
        self.latest.append(latest)

    def columns(self) -> TopicColumns:
        """All that was gathered; where a topic of an account was both stated and read from texts, that is added up."""
        names = list(self.names)
        account, topic, posts, first = map(np.concatenate, (self.account, self.topic, self.posts, self.first))
        post, latest = np.concatenate(self.post), np.concatenate(self.latest)
        pair = account * max(len(names), 1) + topic
        if len(np.unique(pair)) < len(pair):
            order = np.array(sorted(range(len(pair)), key=lambda e: (pair[e], latest[e], post[e])), dtype=np.int64)
            ends = np.flatnonzero(np.diff(pair[order], append=-1))
            starts = np.append(0, ends[:-1] + 1)
            never = np.iinfo(np.int64).max
            earliest = np.minimum.reduceat(np.where(first < 0, never, first)[order], starts)
            posts, first = np.add.reduceat(posts[order], starts), np.where(earliest == never, -1, earliest)
            last = order[ends]
            account, topic, post, latest = account[last], topic[last], post[last], latest[last]
        return TopicColumns(
            account=account,
            topic=[names[place] for place in topic.tolist()],
            posts=posts,
            first=first,
            post=post.tolist(),
            latest=latest,
        )


class WordGatherer:
    """Gathers what accounts say, post by post; topics of posts that state none go to the topics of their accounts."""

    def __init__(self, read_text: ReadText, topics: TopicGatherer) -> None:
        self.read_text = read_text
        self.topics = topics
        self.names: dict[str, int] = {}
        self.said: list[npt.NDArray[np.int64]] = [np.empty((0, 4), dtype=np.int64)]  # account, word, posts, post
        self.quoted_account: list[int] = []
        self.quoted_post: list[str] = []
        self.quoted_at: list[int] = []

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Read the posts of accounts, parallel columns a row; all those of an account stand in one row."""
        for row in rows:
            posts = zip(row["account"], row["post"], row["at"], row["text"], row["lang"], row["stated"], strict=True)
            for account, of in itertools.groupby(sorted(posts), key=operator.itemgetter(0)):
                self._read(account, [post[1:] for post in of])

    def renew(self, rows: Iterable[Row]) -> None:
        """Forget what the accounts said that rows name, and read the posts that the rows give them."""
        for row in rows:
            changed = np.array(row["account"], dtype=np.int64)
            said = np.concatenate(self.said)
            self.said = [said[~np.isin(said[:, 0], changed)]]
            kept = np.flatnonzero(~np.isin(np.array(self.quoted_account, dtype=np.int64), changed)).tolist()
            self.quoted_account = [self.quoted_account[place] for place in kept]
            self.quoted_post = [self.quoted_post[place] for place in kept]
            self.quoted_at = [self.quoted_at[place] for place in kept]
            for account, texts in zip(row["account"], row["texts"], strict=True):
                self._read(account, sorted(map(tuple, texts)))

    def _read(self, account: int, posts: list[tuple[str, int, str, str, int]]) -> None:
        """Read the posts of an account, ascending: key, time, text, language, whether topics are stated.

        Topics stand for a post as if they were stated.
        """
        words: dict[str, _Used] = {}
        topics: dict[str, _Used] = {}
        for post, at, text, language, stated in posts:
            content = self.read_text(text, language)
            for word in content.words:
                words.setdefault(word, _Used()).note(at, post)
            if not stated:
                for topic in content.topics:
                    topics.setdefault(topic, _Used()).note(at, post)
        if topics:
            used = list(topics.values())
            self.topics.add(
                [
                    {
                        "account": [account] * len(used), "topic": list(topics), "posts": [one.posts for one in used],
                        "first": [one.first for one in used], "post": [one.post for one in used],
                        "latest": [one.latest for one in used],
                    }
                ]
            )  # fmt: skip
        most = sorted(words, key=lambda word: (-words[word].posts, word))[:WORDS_KEPT]
        if most:
            quoted = dict(sorted({words[word].post: words[word].latest for word in most}.items()))
            place = {post: k for k, post in enumerate(quoted)}
            names = self.names
            self.said.append(
                np.array(
                    [
                        (account, names.setdefault(word, len(names)), words[word].posts, place[words[word].post])
                        for word in most
                    ],
                    dtype=np.int64,
                )
            )
            self.quoted_account += [account] * len(quoted)
            self.quoted_post += quoted
            self.quoted_at += quoted.values()

    def columns(self) -> WordColumns:
        """All that was gathered."""
        said = np.concatenate(self.said)
        return WordColumns(
            names=list(self.names),
            account=said[:, 0],
            word=said[:, 1],
            posts=said[:, 2],
            post=said[:, 3],
            quoted_account=np.array(self.quoted_account, dtype=np.int64),
            quoted_post=self.quoted_post,
            quoted_at=np.array(self.quoted_at, dtype=np.int64),
        )


class _Used:
    """In how many posts of an account something is said, when first, and in which one last; -1 where unknown."""

    __slots__ = ("first", "latest", "post", "posts")

    def __init__(self) -> None:
        self.posts, self.first, self.latest, self.post = 0, -1, -1, ""

    def note(self, at: int, post: str) -> None:
        self.posts += 1
        if at >= 0 and (self.first < 0 or at < self.first):
            self.first = at
        if (at, post) >= (self.latest, self.post):
            self.latest, self.post = at, post


class _Postings:
    """Gathers posts counted by account and day."""

    def __init__(self) -> None:
        self.account: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.day: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self.counts: list[npt.NDArray[np.int64]] = [np.empty((0, len(POSTING_NAMES)), dtype=np.int64)]

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._add(
                np.array(row["account"], dtype=np.int64),
                np.array(row["day"], dtype=np.int64),
                np.array([row[name] for name in POSTING_NAMES], dtype=np.int64).T,
            )

    def renew(self, rows: Iterable[Row]) -> None:
        """Forget the posts of the accounts that rows name, and take in those that the rows give them."""
        for row in rows:
            changed = np.array(row["account"], dtype=np.int64)
            account = np.concatenate(self.account)
            kept = ~np.isin(account, changed)
            self.account = [account[kept]]
            self.day = [np.concatenate(self.day)[kept]]
            self.counts = [np.concatenate(self.counts)[kept]]
            self._add(
                np.repeat(changed, np.array([len(days) for days in row["day"]], dtype=np.int64)),
                _flat(row["day"]),
                np.stack([_flat(row[name]) for name in POSTING_NAMES], axis=1),
            )

    def _add(self, account: npt.NDArray[np.int64], day: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
        self.account.append(account)
        self.day.append(day)
        self.counts.append(counts)

    def columns(self) -> PostingColumns:
        return PostingColumns(np.concatenate(self.account), np.concatenate(self.day), np.concatenate(self.counts))


def _flat(lists: Iterable[Iterable[int]]) -> npt.NDArray[np.int64]:
    """All values of lists in lists, one after the other."""
    return np.fromiter(itertools.chain.from_iterable(lists), dtype=np.int64)


def _last_of_each(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Positions of the last occurrence of each distinct value, in no particular order."""
    ordered = np.sort(values)
    if not np.any(ordered[1:] == ordered[:-1]):  # mostly so, and ten times as fast as sorting positions
        return np.arange(len(values))
    _, first_from_the_end = np.unique(values[::-1], return_index=True)
    return (len(values) - 1 - first_from_the_end).astype(np.int64)
