"""A graph that holds as much as the service ever writes: each flow is gone through once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from service.domain import (
    DAY_MS,
    MEASURE_NAMES,
    Definition,
    ErasureRequest,
    Follow,
    KeyUse,
    NewSchedule,
    Retention,
    RunError,
    RunSpec,
    ScoringRules,
    SecretUse,
    StoreAddress,
    no_progress,
)
from service.flows.definitions import with_definitions
from service.flows.erasing import Places
from service.flows.importing import import_folder
from service.flows.keys import add_key, revoke_key
from service.flows.own_measures import keep_own_measure
from service.flows.retention import prune
from service.flows.schedules import add_schedule, ask_where_due
from service.flows.seals import Sealer
from service.flows.sources import add_source
from service.flows.writing import Writer
from service.journal.journal import Journal
from service.records import Statement, erasure_digest, erasure_id
from service.sample import END
from service.sample_files import write_sample
from service.store.changes import apply_batch
from service.store.definitions import keep_definition
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows
from service.store.erasures import begin
from service.store.keys import note_key_uses
from service.store.lenses import keep_mix
from service.store.lineage import keep_name
from service.store.results import remove_old
from service.store.retention import claim_pruning, note_pruned
from service.store.runs import CANCELLED, cancel_run, claim, create_run, fail, report
from service.store.sources import note_uses
from tests.api.conftest import publish
from tests.backtest_reports import finished_backtest
from tests.conftest import clear
from tests.store.test_deliveries import journaled

NOW = END * 1_000
"""When events happened, in milliseconds since 1970 UTC: at the end of the sample."""

SECRET = b"of this test"
CIRCLE, WHEEL = 12, 200
Scan = Callable[[Store], None]


def fill(address: StoreAddress, folder: Path, scan: Scan) -> None:
    """Go through all that writes into the graph, beginning with an empty one.

    `scan` is called whenever something is there that the next step may remove.
    """
    with Store(replace(address, erasure_keys=lambda: (SECRET,))) as store, Journal(folder / "journal") as journal:
        clear(store)
        bring(store, folder)
        push(store, journal)
        ask(store, folder)
        publish(store, scored(store))
        name_all(store)
        scan(store)
        move(store)
        publish(store, scored(store))
        scan(store)
        use_up(store)
        begin_erasures(store)
        scan(store)
        end_erasures(store, journal, folder, scan)
        scan(store)


def bring(store: Store, folder: Path) -> None:
    """Import the sample, circles that will split, merge and end, and `f`, a ring once it is seen to post."""
    report = import_folder(store.address, write_sample(folder / "sample", 2_000), folder / "reports", no_progress)
    assert not report.rejected
    joined = circle("a") + circle("b") + across("a", "b")
    alone = [one for name in "cdef" for one in circle(name)]
    # Around a wheel, where one community begins and another ends is a matter of chance.
    wheel = [Follow(f"t:w{i}", f"t:w{(i + step) % WHEEL}", at=NOW) for i in range(WHEEL) for step in (1, 2)]
    apply_follows(store, sorted(joined + alone + wheel))


MAPPING = json.dumps({"events": [{"type": "follow.deleted", "where": {"$.is": "gone"}, "data": {"record": "$.id"}}]})


def circle(name: str) -> list[Follow]:
    """Everybody of a circle follows everybody else."""
    return [Follow(f"t:{name}{i}", f"t:{name}{j}", at=NOW) for i in range(CIRCLE) for j in range(CIRCLE) if i != j]


def across(one: str, other: str) -> list[Follow]:
    """Everybody of one circle follows everybody of the other, and the other way round."""
    pairs = [(f"t:{one}{i}", f"t:{other}{j}") for i in range(CIRCLE) for j in range(CIRCLE)]
    return [Follow(*pair, at=NOW) for a, b in pairs for pair in ((a, b), (b, a))]


def push(store: Store, journal: Journal) -> None:
    """Let events of every kind come in by a webhook."""
    said: list[tuple[str, dict[str, Any]]] = [
        ("account.upserted", {"account": "a0", "handle": "a.zero", "name": "A", "bio": "x", "location": "Here",
                              "lang": "en", "created_at": NOW, "followers": 3, "email": "a@example.org"}),
        ("account.upserted", {"account": "a1", "handle": "a.one"}),
        ("follow.snapshot", {"account": "a2", "followers": ["a0", "a1"], "complete": True}),
        ("follow.created", {"follower": "late", "followee": "a2"}),
        *(("follow.created", {"follower": f, "followee": "a1", "record": f"r-{f}"}) for f in ("late", "later")),
        ("follow.deleted", {"record": "r-later", "follower": "later", "followee": "a1"}),
        ("follow.deleted", {"record": "of a follow that nobody told of"}),
        ("post.published", {"post": "p", "account": "a0", "kind": "text", "topics": ["jazz"], "paid": True,
                            "text": "Hm", "lang": "en", "mentions": [{"brand": "aubade", "stance": 1, "paid": True}]}),
        ("interaction.recorded", {"id": "e1", "account": "a1", "target": "a0", "kind": "like", "post": "p"}),
        ("brand_relation.set", {"account": "a0", "brand": "aubade", "relation": "customer", "since": 1}),
        ("brand_relation.removed", {"account": "a0", "brand": "aubade", "relation": "customer"}),
        ("endorsement.given", {"account": "a1", "endorsed": "a0", "topic": "jazz"}),
        ("endorsement.given", {"account": "a0", "endorsed": "a1", "topic": "jazz"}),
        *(("post.published", {"post": f"f{i}", "account": f"f{i}", "at": NOW}) for i in range(CIRCLE)),
        ("account.deleted", {"account": "nobody here knows it"}),
        ("account.erased", {"account": "e0"}),
    ]  # fmt: skip
    events = [{"type": kind, "timestamp": END + i, "data": data} for i, (kind, data) in enumerate(said)]
    journaled(journal, *events, now=NOW + DAY_MS)
    writer = Writer(store, journal)
    while writer.turn():
        pass
    assert not list(journal.dead_letters())


def ask(store: Store, folder: Path) -> None:
    """Make all that people make: definitions, a mix, keys, a source, schedules, and runs that have other ends."""
    address, journal = store.address, folder / "journal"
    for definition in (
        Definition(name="Some", accounts=tuple(f"sample:u{i:06}" for i in range(60))),
        Definition(name="Who opted out", accounts=("t:e0",)),
        Definition(name="Jazz", topic="jazz"),
        Definition(name="Aubade", brand="aubade"),
    ):
        over(store, keep_definition, definition)
    over(store, keep_mix, "both", {"standing": 0.5, "authority": 0.5})
    keep_own_measure(address, "mine", [("sample:u000001", 1.0)], meaning="of one", graph_version=1)
    store.write("own_measures/begin", name="mine too", meaning="under way", graph_version=1)
    key, _ = add_key(address, journal, "Dashboard", ["read"], ["aubade"])
    note_key_uses(store, [KeyUse(key.id, NOW)])
    revoke_key(address, journal, key.id)
    sealer = Sealer([Fernet.generate_key().decode()])
    source, _ = add_source(address, journal, sealer, "shop", "t")
    add_source(address, journal, sealer, "forum", "t", platform="mapped", mapping=MAPPING)
    note_uses(store, [SecretUse("shop", source.secrets[0].id, NOW)])
    made = datetime.now(UTC) - timedelta(days=3)
    over(store, add_schedule, NewSchedule(after_changes=1), made)
    over(store, add_schedule, NewSchedule(daily_at="03:00"), made)
    for run in ask_where_due(store, datetime.now(UTC)):
        claim(store, run)
        report(store, run, "scores", 0.5)
        fail(store, run, RunError(code="broken", message="It broke."))
    waiting, _ = over(store, create_run, RunSpec(seed=3), True, "key of a request", "digest of a request")
    claim(store, waiting.id)
    over(store, cancel_run, waiting.id)
    fail(store, waiting.id, CANCELLED)
    finished_backtest(store)


def scored(store: Store) -> RunSpec:
    """A run with every measure, all that people defined, and macro-influencers and rings in so small a graph."""
    rules = ScoringRules(macro_reported_followers=100, ring_members=8)
    spec: RunSpec = over(store, with_definitions, RunSpec(measures=MEASURE_NAMES, brand="aubade", rules=rules))
    return spec


def name_all(store: Store) -> None:
    """Give each community that was found a name."""
    for row in store.statement("MATCH (c:Community {level: 0, kind: 'found'}) RETURN c.id AS id ORDER BY id"):
        over(store, keep_name, row["id"], f"Name of {row['id']}")


def move(store: Store) -> None:
    """Let a community split, two merge, and one end."""
    later = NOW + DAY_MS
    apply_follows(store, sorted(across("c", "d")))
    ended = across("a", "b") + circle("e")
    lines = [Statement("unfollows", (one.follower, one.followee), (), later) for one in ended]
    apply_batch(store, "unfollows", lines)


def use_up(store: Store) -> None:
    """Remove what is old, and let one service be about to."""
    day = datetime.fromtimestamp(NOW / 1000, UTC)
    claim_pruning(store, "2026-01-01", "one", NOW)
    note_pruned(store, "2026-01-01", "one")
    claim_pruning(store, "2026-01-02", "other", NOW)
    prune(store.address, Retention(posts=300, interactions=300, unfollows=300), day, no_progress)
    remove_old(store, 1)


def begin_erasures(store: Store) -> None:
    """Begin to erase an account."""
    [row] = store.statement("MATCH (:Person)-[:HAS]->(a:Account)-[:POSTED]->() RETURN min(a.key) AS key")
    key = row["key"]
    begin(store, ErasureRequest(erasure_id(erasure_digest(SECRET, key)), key, "u.one", NOW))


def end_erasures(store: Store, journal: Journal, folder: Path, scan: Scan) -> None:
    """Let a machine end what was begun, and what an event asked for."""
    writer = Writer(store, journal, Places(folder / "graphs", folder / "reports"))
    for turn in range(1_000):
        if not writer.turn() and not writer.erasing:
            return
        if turn in (2, 6):  # in the middle of it
            scan(store)
    raise AssertionError("it goes on for ever")


def over(store: Store, work: Callable[..., Any], *given: Any) -> Any:
    """Do what the service does over a pool of connections."""

    async def connected() -> Any:
        async with AsyncStore(store.address) as pool:
            return await work(pool, *given)

    return asyncio.run(connected())
