"""What changed, put on top of a graph, gives what building the later graph from nothing gives, byte for byte."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from service.analytics.catching_up import caught_up
from service.analytics.graph import build_graph
from service.domain import (
    AccountColumns,
    BrandColumns,
    Changes,
    EndorsementColumns,
    EngagementColumns,
    FollowColumns,
    MentionColumns,
    PostingColumns,
    Snapshot,
    Texts,
    TopicColumns,
    WordColumns,
)
from service.errors import RunFailed
from tests.unit.analytics_graphs import assert_equal, words_of

TOPICS = ["jardin", "slow food", "vélo", "thé", "été", "zinc"]
WORDS = ["bain", "four", "pain", "sel", "œuf"]


@dataclass
class World:
    """A small world in plain Python: accounts by number, and what there is of each kind by who has it."""

    accounts: dict[int, tuple[str, str | None, bool, int, int]] = field(default_factory=dict)
    follows: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    engaged: dict[tuple[int, int, int], tuple[int, int, int, int]] = field(default_factory=dict)
    topics: dict[int, dict[str, tuple[int, int, str, int]]] = field(default_factory=dict)
    posted: dict[int, dict[int, tuple[int, int, int]]] = field(default_factory=dict)
    words: dict[int, dict[str, tuple[int, str, int]]] = field(default_factory=dict)
    brands: dict[str, str | None] = field(default_factory=dict)
    mentions: dict[tuple[int, str, str], int] = field(default_factory=dict)
    endorsed: dict[tuple[int, int], int] = field(default_factory=dict)
    endorsed_latest: dict[str, int] = field(default_factory=lambda: {"at": -1})

    def copy(self) -> World:
        return World(**{one.name: dict(getattr(self, one.name)) for one in dataclasses.fields(self)})

    def grow(self, rng: random.Random, *, changes: int, newcomers: int) -> None:
        """Change some of everything, at random."""
        for _ in range(newcomers):
            number = max(self.accounts, default=0) + rng.randrange(1, 4)
            key = f"t:{rng.choice('abéz')}{rng.random():.6f}"
            self.accounts[number] = (key, rng.choice([None, "h"]), False, -1, 0)
        numbers = list(self.accounts)
        for _ in range(changes):
            a, b = rng.sample(numbers, 2)
            match rng.randrange(11):
                case 0 | 1:
                    self.follows[a, b] = (rng.choice([1.0, 2.5]), rng.choice([-1, 9_000]))
                case 2:
                    if self.follows:
                        del self.follows[rng.choice(list(self.follows))]
                case 3:
                    counts = tuple(rng.choice([0, 1, 7]) for _ in range(4))
                    self.engaged[a, b, rng.randrange(-9, 9_000)] = counts  # type: ignore[assignment]
                case 4:
                    self.accounts[a] = (self.accounts[a][0], f"h{rng.random()}", True, rng.randrange(99), 5)
                case 5:
                    self.topics[a] = {
                        name: (rng.randrange(1, 9), 5, f"p{rng.randrange(9)}", rng.randrange(99))
                        for name in rng.sample(TOPICS, rng.randrange(4))
                    }
                case 6:
                    self.posted[a] = dict.fromkeys(rng.sample(range(-5, 99), rng.randrange(4)), (3, 1, 1))
                case 7:
                    self.words[a] = {
                        word: (rng.randrange(1, 5), f"p{rng.randrange(3)}", 7)
                        for word in rng.sample(WORDS, rng.randrange(4))
                    }
                case 8:
                    self.brands[f"brand{rng.randrange(4)}"] = rng.choice([None, "Brand"])
                    self.mentions[a, rng.choice(list(self.brands)), f"p{rng.randrange(5)}"] = rng.randrange(99)
                case 9:
                    self.endorsed[a, b] = rng.choice([-1, rng.randrange(10**12)])
                    self.endorsed_latest["at"] = max(self.endorsed_latest["at"], self.endorsed[a, b])
                case 10:
                    if self.endorsed:
                        del self.endorsed[rng.choice(list(self.endorsed))]
                        self.endorsed_latest["at"] += rng.randrange(9)


def ints(values: Any, *shape: int) -> Any:
    return np.array(list(values), dtype=np.int64).reshape(-1, *shape)


def described(world: World, numbers: list[int]) -> AccountColumns:
    rows = [world.accounts[number] for number in numbers]
    return AccountColumns(
        n=ints(numbers),
        key=[row[0] for row in rows],
        handle=[row[1] for row in rows],
        opted_out=np.array([row[2] for row in rows], dtype=np.bool_),
        followers=ints(row[3] for row in rows),
        bio=ints(row[4] for row in rows),
    )


def followed(rows: dict[tuple[int, int], tuple[float, int]]) -> FollowColumns:
    return FollowColumns(
        source=ints(a for a, _ in rows),
        target=ints(b for _, b in rows),
        weight=np.array([weight for weight, _ in rows.values()], dtype=np.float64),
        day=ints(day for _, day in rows.values()),
    )


def engaged(rows: dict[tuple[int, int, int], tuple[int, int, int, int]]) -> EngagementColumns:
    return EngagementColumns(
        ints(a for a, *_ in rows), ints(b for _, b, _ in rows), ints(day for *_, day in rows), ints(rows.values(), 4)
    )


def said(world: World, numbers: list[int]) -> dict[str, Any]:
    """Topics, posts and words of some accounts, as columns."""
    topics = [(a, name, *one) for a in numbers for name, one in world.topics.get(a, {}).items()]
    posted = [(a, day, counts) for a in numbers for day, counts in world.posted.get(a, {}).items()]
    words = [(str(a), word, *one) for a in numbers for word, one in world.words.get(a, {}).items()]
    return {
        "topics": TopicColumns(
            account=ints(row[0] for row in topics),
            topic=[row[1] for row in topics],
            posts=ints(row[2] for row in topics),
            first=ints(row[3] for row in topics),
            post=[row[4] for row in topics],
            latest=ints(row[5] for row in topics),
        ),
        "postings": PostingColumns(
            ints(row[0] for row in posted), ints(row[1] for row in posted), ints((row[2] for row in posted), 3)
        ),
        "words": words_of(words, {str(a): a for a in numbers}) if words else WordColumns(
            [], ints([]), ints([]), ints([]), ints([]), ints([]), [], ints([])
        ),
    }  # fmt: skip


def branded(world: World) -> dict[str, Any]:
    """Brands, mentions and endorsements, as columns: these are always read whole."""
    brands, mentions = world.brands, world.mentions
    owner = min(world.accounts)
    return {
        "brands": BrandColumns(
            key=list(brands),
            name=list(brands.values()),
            own=ints([owner] * len(brands)),
            own_brand=list(brands),
            account=ints([owner] * len(brands)),
            brand=list(brands),
            relation=np.zeros(len(brands), dtype=np.int8),
            since=ints([5] * len(brands)),
            until=ints([-1] * len(brands)),
        ),
        "mentions": MentionColumns(
            account=ints(a for a, *_ in mentions),
            brand=[brand for _, brand, _ in mentions],
            post=[post for *_, post in mentions],
            at=ints(mentions.values()),
            stance=np.zeros(len(mentions), dtype=np.int8),
            paid=np.zeros(len(mentions), dtype=np.int8),
            answered=np.ones(len(mentions), dtype=np.bool_),
        ),
        "endorsements": EndorsementColumns(
            ints(a for a, _ in world.endorsed),
            ints(b for _, b in world.endorsed),
            ints(world.endorsed.values()),
            world.endorsed_latest["at"],
        ),
    }


def snapshot_of(world: World, version: int) -> Snapshot:
    return Snapshot(
        version=version,
        accounts=described(world, list(world.accounts)),
        follows=followed(world.follows),
        followed_at=version * 10,
        engagements=engaged(world.engaged),
        **said(world, list(world.accounts)),
        **branded(world),
    )


def changes_between(before: World, now: World, version: int) -> Changes:
    """What Neo4j would say: what is new or other than before, what ended; of posts all, of those who have others."""
    follows = {pair: one for pair, one in now.follows.items() if before.follows.get(pair) != one}
    follows |= {pair: (np.nan, -1) for pair in before.follows if pair not in now.follows}
    renewed = [
        a
        for a in now.accounts
        if any(
            getattr(before, kind).get(a, {}) != getattr(now, kind).get(a, {}) for kind in ("topics", "posted", "words")
        )
    ]
    return Changes(
        version=version,
        accounts=described(now, [a for a, one in now.accounts.items() if before.accounts.get(a) != one]),
        follows=followed(follows),
        followed_at=version * 10,
        engagements=engaged({key: one for key, one in now.engaged.items() if before.engaged.get(key) != one}),
        renewed=ints(renewed),
        **said(now, renewed),
        **branded(now),
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_changes(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    world.grow(rng, changes=rng.choice([0, 80]), newcomers=12)
    graph = build_graph(snapshot_of(world, 1))
    for version in range(2, 8):
        before = world.copy()
        world.grow(rng, changes=rng.randrange(12), newcomers=rng.choice([0, 0, 3]))
        graph = caught_up(graph, changes_between(before, world, version))
        assert_equal(graph, build_graph(snapshot_of(world, version)))


def test_what_did_not_change_is_not_copied() -> None:
    rng = random.Random(3)
    world = World()
    world.grow(rng, changes=90, newcomers=12)
    before = world.copy()
    graph = build_graph(snapshot_of(world, 1))
    a, b = next((a, b) for a in world.accounts for b in world.accounts if a != b and (a, b) not in world.follows)
    world.follows[a, b] = (1.0, -1)
    later = caught_up(graph, changes_between(before, world, 2))
    assert later.m == graph.m + 1
    shared = {name for name in vars(graph) if name not in ("brand_keys", "brand_names") and same(graph, later, name)}
    kinds = {name.split("_")[0] for name in shared}
    assert kinds == {
        "number", "keys", "handles", "opted", "followers", "bio", "engaged", "topic", "word", "quoted", "posted",
    }  # fmt: skip


def same(one: Any, other: Any, name: str) -> bool:
    """The very same array, or texts that are the very same arrays."""
    a, b = getattr(one, name), getattr(other, name)
    if isinstance(a, Texts):
        return a.data is b.data and a.offsets is b.offsets
    return isinstance(a, np.ndarray) and a is b


@pytest.mark.parametrize(
    ("pair", "weight", "says"),
    [((1, 1), 1.0, "follows itself"), ((1, 2), -1.0, "not positive"), ((1, 99), 1.0, "which was not read")],
)
def test_what_cannot_be_is_refused(pair: tuple[int, int], weight: float, says: str) -> None:
    world = World(accounts={1: ("t:a", None, False, -1, 0), 2: ("t:b", None, False, -1, 0)})
    later = world.copy()
    later.follows[pair] = (weight, -1)
    graph = build_graph(snapshot_of(world, 1))
    with pytest.raises(RunFailed, match=says):
        caught_up(graph, changes_between(world, later, 2))


def test_an_account_with_another_key_is_refused() -> None:
    world = World(accounts={1: ("t:a", None, False, -1, 0), 2: ("t:b", None, False, -1, 0)})
    later = world.copy()
    later.accounts[2] = ("t:c", None, False, -1, 0)
    with pytest.raises(RunFailed, match="another key"):
        caught_up(build_graph(snapshot_of(world, 1)), changes_between(world, later, 2))
