"""Erasing an account: nothing is left of it anywhere, nothing brings it back, and a crash halfway is made good."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from service.domain import ErasureRequest, NewDelivery
from service.errors import ConfigurationError
from service.files.events import EventSource, read_events
from service.flows.erasing import Places, note_erasure
from service.flows.importing import import_folder
from service.flows.own_measures import keep_own_measure, own_measures
from service.flows.receiving import dead_items, delivery_id
from service.flows.writing import Writer, erase_now
from service.journal.journal import Journal
from service.records import erasure_digest, erasure_id
from service.store import erasures as store_erasures
from service.store.driver import Store
from service.store.erasures import erasure_of
from tests.api.conftest import publish
from tests.store.graph_dump import dump

SECRET = b"of this test"
NOW = 1_750_000_000_000


class World(NamedTuple):
    """A published run over the sample, with a journal and what else a machine keeps."""

    store: Store
    journal: Journal
    places: Places
    sample: Path
    run: str

    def turns(self, most: int = 10_000) -> None:
        """Let a writer work until nothing is left to do, as it does in its own process."""
        writer = Writer(self.store, self.journal, self.places)
        for _ in range(most):
            busy = writer.turn()
            assert writer._eraser is not None
            if not busy and not writer._eraser.busy:
                return
        raise AssertionError("it goes on for ever")


def write_circles(folder: Path) -> Path:
    """A folder to import: two circles of people with handles, posts, interactions and a brand."""
    folder.mkdir()
    people = [f"{circle}-person{i:02}" for circle, size in (("ash", 9), ("birch", 7)) for i in range(size)]
    rows = {
        "accounts": [
            {"account": one, "handle": f"{one}.x", "bio": f"I am number {i}", "followers": 100 + i, "as_of": NOW}
            for i, one in enumerate(people)
        ],
        "follows": [
            {"follower": one, "followee": other, "at": NOW}
            for one in people
            for other in people
            if one != other and (one[:3] == other[:3] and (other <= one or other[-1] < "4"))
        ]
        + [{"follower": "ash-person07", "followee": "birch-person05", "at": NOW}],
        "interactions": [
            {"account": one, "target": other, "kind": "like", "at": NOW, "id": f"{one}{other}"}
            for one in people
            for other in people[:4]
            if one != other
        ],
        "posts": [
            {
                "post": f"post-{one}-{n}",
                "account": one,
                "at": NOW,
                "text": f"Words number {n} that only {'abcdefghijklmnop'[i] * 9} says",
                "topics": ["trees", f"only{'abcdefghijklmnop'[i] * 5}"],
            }
            for i, one in enumerate(people)
            for n in range(3)
        ],
        "mentions": [{"post": f"post-{one}-0", "brand": "garden", "stance": -1} for one in people[:2]],
        "brand_relations": [{"account": one, "brand": "garden", "relation": "customer"} for one in people[:3]],
        "endorsements": [{"account": people[1], "endorsed": people[0], "topic": "trees", "at": NOW}],
    }
    files = []
    for kind, lines in rows.items():
        (folder / f"{kind}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
        files.append({"file": f"{kind}.ndjson", "kind": kind, "network": "forest"})
    (folder / "manifest.json").write_text(json.dumps({"entourage_import": 1, "network": "forest", "files": files}))
    return folder


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Iterator[World]:
    address = replace(store.address, erasure_keys=lambda: (SECRET,))
    sample = write_circles(tmp_path / "circles")
    report = import_folder(address, sample, tmp_path / "imports", lambda *_: None)
    assert not report.rejected, report
    with Store(address) as store, Journal(tmp_path / "journal") as journal:
        run = publish(store)
        yield World(store, journal, Places(tmp_path / "graphs", tmp_path / "imports"), sample, run)


class Person(NamedTuple):
    key: str
    handle: str
    texts: list[str]


def best_candidate(world: World) -> Person:
    """A candidate who is named in the evidence of others, too."""
    rows = world.store.statement(
        "MATCH (a:Account)-[m:MEMBER_OF {rank: 1}]->(c:Community) "
        "WHERE EXISTS { (a)-[:POSTED]->(:Post) } AND EXISTS { (a)-[:FOLLOWS]->()-[:MEMBER_OF]->(c) } "
        "RETURN a.key AS key, a.handle AS handle, COLLECT { MATCH (a)-[:POSTED]->(p) RETURN p.text } AS texts "
        "ORDER BY size(texts) DESC, key LIMIT 1"
    )
    return Person(rows[0]["key"], rows[0]["handle"], [text for text in rows[0]["texts"] if text])


def everything(store: Store) -> str:
    """All that the database holds, as one text: labels, properties of nodes and relationships, bytes of pages."""
    nodes = store.statement("MATCH (x) RETURN labels(x) AS labels, properties(x) AS properties")
    ties = store.statement("MATCH ()-[r]->() RETURN type(r) AS type, properties(r) AS properties")
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for row in (*nodes, *ties)
        for value in row["properties"].values()
    )


def bytes_below(*folders: Path) -> bytes:
    return b"".join(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())


def found_in(text: str, who: Person) -> list[str]:
    """What of a person a text still holds."""
    words = set(re.split(r"[^\w.:-]+", text.lower()))
    native = who.key.split(":", 1)[1]
    return [
        *(
            name
            for name in (who.key, native, who.handle)
            if name.lower() in words or f"@{name}".lower() in text.lower()
        ),
        *(one for one in who.texts if one in text),
    ]


def deliver(world: World, *events: dict[str, Any], name: str, erasures: tuple[ErasureRequest, ...] = ()) -> int:
    items = read_events(list(events), EventSource("s", "forest"), NOW)
    body = json.dumps(events).encode()
    new = NewDelivery(
        delivery_id("s", name), "s", "forest", name, sha256(body).digest(), NOW,
        sum(one.code is None for one in items), body, dead_items(items), erasures,
    )  # fmt: skip
    return world.journal.append([new])[0].sequence


def request_for(who: Person) -> ErasureRequest:
    return ErasureRequest(erasure_id(erasure_digest(SECRET, who.key)), who.key, who.handle, NOW)


def naming_events(who: Person, other: str) -> list[dict[str, Any]]:
    native = who.key.split(":", 1)[1]
    return [
        {"type": "follow.created", "timestamp": NOW, "data": {"follower": native, "followee": other}},
        {"type": "follow.created", "timestamp": NOW, "data": {"follower": other, "followee": native}},
        {"type": "follow.created", "timestamp": NOW, "data": {"follower": native, "followee": native}},
        {"type": "nonsense", "data": {"account": native}},
        {
            "type": "post.published",
            "timestamp": NOW,
            "data": {"post": "late1", "account": other, "text": f"Thank you @{who.handle}, well done!"},
        },
        {"type": "post.published", "timestamp": NOW, "data": {"post": "late2", "account": native, "text": "It is me."}},
    ]


def test_nothing_of_an_erased_account_is_left_and_nothing_brings_it_back(world: World, tmp_path: Path) -> None:
    who = best_candidate(world)
    other = "birch-person06"
    world.store.statement(
        "MATCH (a:Account {key: $key}) MATCH (b:Account) WHERE b.key <> a.key WITH a, b LIMIT 1 "
        "CREATE (:Person {key: 'crm-1', v: 1})-[:HAS {v: 1}]->(a) "
        "CREATE (b)-[:POSTED]->(:Post {key: 'forest:thanks', v: 1, text: 'Many thanks to @' + toUpper($handle) + '!'}) "
        "CREATE (:Account {key: 'forest:friend', network: 'forest', native_id: 'friend', n: 999, v: 1, "
        "  bio: 'A friend of @' + $handle + '.'}) "
        "CREATE (:CommunityName {id: 'c1', name: 'Friends of @' + $handle}) "
        "CREATE (:Definition {id: 'd1', name: 'x', definition: $definition})",
        key=who.key, handle=who.handle, definition=json.dumps({"name": "x", "accounts": [who.key, "forest:other"]}),
    )  # fmt: skip
    keep_own_measure(
        world.store.address,
        "nearness",
        [(who.key, 0.0), ("forest:friend", 1.0)],
        meaning=f"to @{who.handle}, {who.key}",
    )
    world.places.graphs.mkdir()
    [graph] = world.store.write("snapshot/identity")
    kept = world.places.graphs / graph["identity"] / "1"
    kept.mkdir(parents=True)
    (kept / "keys.npy").write_text(who.key)
    world.places.reports.mkdir(exist_ok=True)
    report = world.places.reports / "follows.csv-1.rejected.ndjson"
    native = who.key.split(":", 1)[1]
    lines = [
        {"line": 1, "reason": "x", "message": "m", "text": text} for text in (f"{native},{native}", "somebody,else")
    ]
    report.write_text("".join(json.dumps(line) + "\n" for line in lines))
    deliver(world, *naming_events(who, other), name="before")
    assert found_in(everything(world.store), who)

    before = deliver(world, *naming_events(who, other), name="pending")
    world.journal.ask_erasure(request_for(who))
    world.turns()

    assert world.journal.applied_up_to() == before
    assert found_in(everything(world.store), who) == []
    assert (
        found_in(bytes_below(tmp_path / "journal", world.places.graphs, world.places.reports).decode("latin-1"), who)
        == []
    )
    assert json.loads(report.read_text())["text"] == "somebody,else"
    assert world.journal.erasures() == []
    assert not world.store.statement("MATCH (p:Person {key: 'crm-1'}) RETURN p")
    [post] = world.store.statement("MATCH (p:Post {key: 'forest:thanks'}) RETURN p.text AS text")
    assert post["text"] == "Many thanks to @…!"
    [friend] = world.store.statement("MATCH (a:Account {key: 'forest:friend'}) RETURN a.bio AS bio")
    assert friend["bio"] == "A friend of @…."
    receipt = erasure_of(world.store, request_for(who).id)
    assert receipt is not None
    assert receipt.state == "done"
    assert receipt.removed["accounts"] == receipt.removed["persons"] == 1
    assert receipt.removed["posts"] >= len(who.texts)
    assert receipt.removed["followers"] > 0
    assert receipt.removed["measured"] == 1
    [measure] = own_measures(world.store.address)
    assert (measure.name, measure.meaning, measure.accounts) == ("nearness", "to someone, someone", 1)
    assert receipt.removed["dead_letters"] >= 2

    after = dump(world.store)
    deliver(world, *naming_events(who, other), name="late")
    import_folder(world.store.address, world.sample, tmp_path / "again", lambda *_: None)
    world.turns()
    assert dump(world.store) == after
    assert found_in(everything(world.store), who) == []
    world.journal.ask_erasure(request_for(who))  # asked once more
    world.turns()
    assert erasure_of(world.store, request_for(who).id) == receipt


def test_when_the_command_is_done_the_journal_holds_nothing(world: World, tmp_path: Path) -> None:
    who = best_candidate(world)
    erasure = note_erasure(world.store.address, tmp_path / "journal", who.key)
    erase_now(world.store.address, tmp_path / "journal", world.places, lambda *_: None, erasure)
    assert found_in(bytes_below(tmp_path / "journal").decode("latin-1"), who) == []
    assert found_in(everything(world.store), who) == []
    receipt = erasure_of(world.store, erasure)
    assert receipt is not None
    assert receipt.state == "done"


def test_published_pages_stay_whole_without_the_erased(world: World) -> None:
    who = best_candidate(world)
    before = pages(world)
    world.journal.ask_erasure(request_for(who))
    world.turns()
    after = pages(world)
    assert after.keys() == before.keys()
    native = who.key.split(":", 1)[1]
    for part, lines in before.items():
        assert len(after[part]) == len(lines), part
        for was, now in zip(lines, after[part], strict=True):
            named = who.key in was or f"@{who.handle}" in was or f'"{native}"' in was
            if not named and not part.startswith("words/"):
                assert now == was, part
            document = json.loads(was)
            if document.get("key") == who.key:
                assert json.loads(now)["key"] == "erased:"


def pages(world: World) -> dict[str, list[str]]:
    """Lines by part, checked against their checksums as a reader does."""
    import asyncio

    from service.store.driver import AsyncStore
    from service.store.published import read_part

    names = [
        row["part"] for row in world.store.statement("MATCH (f:RunFile) RETURN DISTINCT f.part AS part ORDER BY part")
    ]

    async def read() -> dict[str, list[str]]:
        async with AsyncStore(world.store.address) as store:
            return {name: [line.decode() for line in (await read_part(store, world.run, name)).lines] for name in names}

    return asyncio.run(read())


STEPS = ("begin", "remove_some_posts", "remove_some_ties", "remove_account", "interrupt_runs", "clean_documents",
         "count_removed", "machine_cleaned", "finish")  # fmt: skip


@pytest.mark.parametrize("after_it", [False, True])
def test_an_erasure_that_is_cut_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch, after_it: bool) -> None:
    """Cut off before, and after, each kind of transaction: begun again, the outcome is the same."""
    from service.flows import erasing

    who = best_candidate(world)
    world.journal.ask_erasure(request_for(who))
    for name in STEPS:
        real: Callable[..., Any] = getattr(store_erasures, name)

        def cut(*args: Any, _real: Callable[..., Any] = real, **more: Any) -> Any:
            if after_it:
                _real(*args, **more)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(erasing, name, cut)
            with suppress(KeyboardInterrupt):
                world.turns()
    world.turns()
    assert found_in(everything(world.store), who) == []
    receipt = erasure_of(world.store, request_for(who).id)
    assert receipt is not None
    assert (receipt.state, receipt.removed["accounts"]) == ("done", 1)
    assert world.journal.erasures() == []


def test_an_account_of_the_graph_that_asks_is_erased(world: World) -> None:
    who = best_candidate(world)
    native = who.key.split(":", 1)[1]
    deliver(world, {"type": "account.erased", "timestamp": NOW, "data": {"account": native}}, name="wish")
    world.turns()
    world.turns()  # the wish was in the graph only after the first look
    assert found_in(everything(world.store), who) == []


def test_a_running_analysis_that_may_have_read_it_is_begun_once_more(world: World) -> None:
    who = best_candidate(world)
    world.store.statement(
        "CREATE (:Run {id: 'r-running', state: 'running', token: 7, attempts: 1, heartbeat_at: datetime(), spec: '{}'})"
    )
    world.journal.ask_erasure(request_for(who))
    world.turns()
    [run] = world.store.statement("MATCH (r:Run {id: 'r-running'}) RETURN r.state AS state, r.attempts AS attempts")
    assert run == {"state": "queued", "attempts": 0}


def test_another_secret_key_takes_nothing_in(world: World) -> None:
    who = best_candidate(world)
    world.journal.ask_erasure(request_for(who))
    world.turns()
    for keys in (None, lambda: (b"another",)):
        with pytest.raises(ConfigurationError, match="ENTOURAGE_SECRETS_KEY"):
            import_folder(replace(world.store.address, erasure_keys=keys), world.sample, Path("x"), lambda *_: None)
    both = replace(world.store.address, erasure_keys=lambda: (b"another", SECRET))
    import_folder(both, world.sample, Path("x"), lambda *_: None)
    assert found_in(everything(world.store), who) == []


def test_an_erasure_waits_for_other_machines(world: World) -> None:
    who = best_candidate(world)
    world.store.statement(
        "CREATE (:Journal {id: 'elsewhere', seen_at: datetime()}) "
        "CREATE (:Journal {id: 'long ago', seen_at: datetime() - duration({days: 31})})"
    )
    world.journal.ask_erasure(request_for(who))
    world.turns()
    receipt = erasure_of(world.store, request_for(who).id)
    assert receipt is not None
    assert (receipt.state, receipt.waiting_for) == ("removing", ("elsewhere",))
    world.store.statement("MATCH (e:Erasure) SET e.machines = e.machines + 'elsewhere'")
    world.turns()
    receipt = erasure_of(world.store, request_for(who).id)
    assert receipt is not None
    assert (receipt.state, receipt.waiting_for) == ("done", ())
    assert found_in(everything(world.store), who) == []
