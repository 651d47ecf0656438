"""Reading the graph as columns: everything that was written, cut at one version."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import pytest

from service.analytics.graph import build_graph
from service.domain import ENGAGEMENT_NAMES, RELATION_NAMES, Follow, Snapshot, bio_digest
from service.errors import MigrationError, StoreError, StoreUnavailable
from service.records import THINGS, Statement
from service.store import snapshots
from service.store.driver import Store
from service.store.edges import apply_follows, apply_unfollows
from service.store.snapshots import read_snapshot
from service.store.things import apply_statements


def as_follows(store: Store) -> tuple[dict[str, tuple[str | None, bool, int]], set[Follow], int]:
    """Accounts with what describes them, follows without their times, and the version."""
    snapshot = read_snapshot(store)
    accounts, follows, version = snapshot.accounts, snapshot.follows, snapshot.version
    key = dict(zip(accounts.n.tolist(), accounts.key, strict=True))
    assert len(key) == len(accounts.key)
    described = dict(
        zip(
            accounts.key,
            zip(accounts.handle, accounts.opted_out.tolist(), accounts.followers.tolist(), strict=True),
            strict=True,
        )
    )
    read = [
        Follow(key[a], key[b], weight)
        for a, b, weight in zip(follows.source.tolist(), follows.target.tolist(), follows.weight.tolist(), strict=True)
    ]
    assert len(set(read)) == len(read)
    return described, set(read), version


TYPES = {"employee": "EMPLOYEE_OF", "collaborator": "COLLABORATES_WITH", "customer": "CUSTOMER_OF", "user": "USES"}
Said = tuple[str, str, str, int, int]
Engaged = tuple[str, str, int, tuple[int, ...]]
"""Who engaged with whom, on which day since 1970, and how often in each way."""


def relate(store: Store, relations: list[Said]) -> None:
    """Write relations of accounts that are there to brands, each of which comes into being, in a version of its own."""
    for account, brand, relation, since, until in relations:
        store.statement(
            "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 "
            "WITH g MATCH (a:Account {key: $account}) MERGE (b:Brand {key: $brand}) ON CREATE SET b.v = g.v "
            f"CREATE (a)-[:{TYPES[relation]} {{v: g.v, since: datetime({{epochMillis: $since}}), "
            "until: CASE WHEN $until >= 0 THEN datetime({epochMillis: $until, timezone: '+05:00'}) END}]->(b)",
            account=account,
            brand=brand,
            since=since,
            until=until,
        )


def as_relations(store: Store) -> tuple[dict[str, str | None], list[tuple[str, str]], list[Said]]:
    """Brands with their names, brands' own accounts, and relations, as a snapshot has them."""
    snapshot = read_snapshot(store)
    brands = snapshot.brands
    key = dict(zip(snapshot.accounts.n.tolist(), snapshot.accounts.key, strict=True))
    assert len(set(brands.key)) == len(brands.key)
    columns = zip(
        brands.account.tolist(), brands.brand, brands.relation.tolist(), brands.since.tolist(), brands.until.tolist(),
        strict=True,
    )  # fmt: skip
    return (
        dict(zip(brands.key, brands.name, strict=True)),
        sorted((key[n], brand) for n, brand in zip(brands.own.tolist(), brands.own_brand, strict=True)),
        sorted((key[n], brand, RELATION_NAMES[kind], since, until) for n, brand, kind, since, until in columns),
    )


def engage(store: Store, engaged: Iterable[Engaged]) -> int:
    """Write counts of interactions the way an import does; returns the version afterwards."""
    thing = THINGS["engagements"]
    said = [
        Statement("engagements", (a, b, date(1970, 1, 1) + timedelta(days=day)), (*counts, None, None), 0)
        for a, b, day, counts in engaged
    ]
    return apply_statements(store, thing, said).version


def engaged_in(snapshot: Snapshot) -> list[Engaged]:
    key = dict(zip(snapshot.accounts.n.tolist(), snapshot.accounts.key, strict=True))
    read = snapshot.engagements
    columns = zip(read.source.tolist(), read.target.tolist(), read.day.tolist(), read.counts.tolist(), strict=True)
    return sorted((key[a], key[b], day, tuple(counts)) for a, b, day, counts in columns)


def endorse(store: Store, a: str, b: str, topic: str, at: int, *, withdrawn: bool = False) -> int:
    """Give or withdraw an endorsement; returns the version afterwards."""
    said = Statement("endorsements", (a, b, topic), (withdrawn,), at)
    return apply_statements(store, THINGS["endorsements"], [said]).version


def endorsed_of(snapshot: Snapshot) -> list[tuple[str, str, int]]:
    key = dict(zip(snapshot.accounts.n.tolist(), snapshot.accounts.key, strict=True))
    read = snapshot.endorsements
    return sorted(
        (key[a], key[b], at)
        for a, b, at in zip(read.source.tolist(), read.target.tolist(), read.at.tolist(), strict=True)
    )


def test_endorsements_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair once, since the earliest known time of its topics; the latest time is that of a withdrawal, too."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 2)
    assert read_snapshot(store).endorsements.latest == -1
    endorse(store, "t:1", "t:2", "tea", 70)
    endorse(store, "t:1", "t:2", "", 50)
    endorse(store, "t:2", "t:1", "tea", 40)
    endorse(store, "t:2", "t:1", "jazz", 60)
    endorse(store, "t:3", "t:1", "", 30)
    endorse(store, "t:3", "t:2", "", 10)
    endorse(store, "t:3", "t:2", "", 90, withdrawn=True)
    store.statement("MATCH ()-[r:ENDORSES]->() WHERE r.at.epochMillis IN [30, 40] REMOVE r.at")  # nobody knows when
    snapshot = read_snapshot(store)
    assert endorsed_of(snapshot) == [("t:1", "t:2", 50), ("t:2", "t:1", 60), ("t:3", "t:1", -1)]
    assert snapshot.endorsements.latest == 90
    assert build_graph(snapshot).as_of == 90
    endorse(store, "t:1", "t:2", "", 95, withdrawn=True)
    assert endorsed_of(read_snapshot(store))[0] == ("t:1", "t:2", 70), "that on tea still stands"
    # By hand: without time and topic, twice.
    endorse(store, "t:4", "t:2", "", 20)
    store.statement(
        "MATCH (a:Account {key: 't:4'}), (b:Account {key: 't:1'}) UNWIND [1, 2] AS i CREATE (a)-[:ENDORSES {v: 1}]->(b)"
    )
    assert endorsed_of(read_snapshot(store))[-2:] == [("t:4", "t:1", -1), ("t:4", "t:2", 20)]


def cuts_while(store: Store, write: Callable[[Store, int], None]) -> list[Snapshot]:
    """Read the graph 15 times or more while a thread writes turn after turn, each a version, more than 15."""
    stop, turns = threading.Event(), 0

    def keep_writing() -> None:
        nonlocal turns
        with Store(store.address) as own:
            while not stop.is_set():
                turns += 1
                write(own, turns)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        cuts = []
        while len(cuts) < 15 or turns <= 15:
            cuts.append(read_snapshot(store))
    finally:
        stop.set()
        writer.join()
    return cuts


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_endorsements_are_cut_at_the_same_version_as_follows(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer gives and withdraws an endorsement, at times that are its turns."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(60)])
    start = read_snapshot(store).version

    def write(own: Store, turn: int) -> None:
        endorse(own, "t:9", "t:50", "", turn, withdrawn=turn % 2 == 0)

    cuts = cuts_while(store, write)
    for cut in cuts:
        turn = cut.version - start
        assert endorsed_of(cut) == ([("t:9", "t:50", turn)] if turn % 2 else [])
        assert cut.endorsements.latest == (turn or -1)
    assert cuts[-1].version > cuts[0].version


def test_bios_and_days_of_follows_are_read(store: Store) -> None:
    """Of bios a number that stands for their letters, of follows the day; what is not known says so."""
    day = 86_400_000
    apply_follows(
        store, [Follow("t:1", "t:2", at=20_000 * day - 1), Follow("t:2", "t:1", at=20_000 * day), Follow("t:3", "t:1")]
    )
    bios = {"t:1": "Ｔravels by train  & TEA", "t:2": "travels by Train, tea", "t:3": "tea"}
    for key, bio in bios.items():
        store.statement("MATCH (a:Account {key: $key}) SET a.bio = $bio", key=key, bio=bio)
    graph = build_graph(read_snapshot(store))
    assert graph.bio.tolist() == [bio_digest("travelsbytraintea")] * 2 + [0]
    assert graph.bio[0] != 0
    assert bio_digest(None) == bio_digest("") == 0 != bio_digest("travels by plane, tea")
    assert graph.out_day.tolist() == [19_999, 20_000, -1]


def test_interactions_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    rng = random.Random(6)
    names = [f"net:{i}" for i in range(30)]
    places = {(*rng.sample(names, 2), rng.choice([-400, 0, 19_999, 20_000])) for _ in range(150)}
    written = [(*place, tuple(rng.choice([0, 1, 3, 10**12]) for _ in range(4))) for place in sorted(places)]
    engage(store, written)
    engage(store, [])
    assert engaged_in(read_snapshot(store)) == written
    store.statement("MATCH (:Account {key: $a})-[e:ENGAGED]->() REMOVE e.likes, e.mentions", a=written[0][0])
    expected = [
        (a, b, day, (0, counts[1], 0, counts[3]) if a == written[0][0] else counts) for a, b, day, counts in written
    ]
    assert engaged_in(read_snapshot(store)) == expected


def test_topics_of_accounts_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post that somebody wrote and shared counts once; likes and replies say nothing of what one writes about."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 2)
    posts = [
        ("t:p1", "t:1", ("velo", "été")),
        ("t:p2", "t:1", ("velo",)),
        ("t:p3", None, ("velo",)),
        ("t:p4", "t:2", ()),
    ]
    said = [
        Statement("posts", (key,), (account, None, None, None, None, topics, None), 1) for key, account, topics in posts
    ]
    apply_statements(store, THINGS["posts"], said)
    responses = [
        ("t:1", "t:p1", "repost", 5), ("t:1", "t:p1", "repost", 6), ("t:3", "t:p1", "repost", 5),
        ("t:3", "t:p3", "repost", -1), ("t:4", "t:p1", "like", 5), ("t:5", "t:p1", "reply", 5),
    ]  # fmt: skip
    apply_statements(store, THINGS["responses"], [Statement("responses", one, (), 1) for one in responses])
    expected = [("t:1", "velo", 2), ("t:1", "été", 1), ("t:3", "velo", 2), ("t:3", "été", 1)]
    assert topics_of(read_snapshot(store)) == expected
    # By hand: a topic twice, an account and a topic that cannot be told.
    store.statement(
        "MATCH (p:Post {key: 't:p2'}), (t:Topic {name: 'velo'}) CREATE (p)-[:ABOUT]->(t), (p)-[:ABOUT]->(:Topic)"
    )
    assert topics_of(read_snapshot(store)) == expected


def topics_of(snapshot: Snapshot) -> list[tuple[str, str, int]]:
    key = dict(zip(snapshot.accounts.n.tolist(), snapshot.accounts.key, strict=True))
    read = snapshot.topics
    columns = zip(read.account.tolist(), read.topic, read.posts.tolist(), strict=True)
    return sorted((key[n], topic, posts) for n, topic, posts in columns)


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_topics_are_cut_at_the_same_version_as_follows(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer moves one post from author to author, far apart in the order of reading: one has it at each version."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(60)])
    start = read_snapshot(store).version

    def write(own: Store, turn: int) -> None:
        said = (f"t:{turn * 7 % 60}", None, None, None, None, (f"topic {turn % 5}",), None)
        apply_statements(own, THINGS["posts"], [Statement("posts", ("t:p",), said, turn)])

    cuts = cuts_while(store, write)
    for cut in cuts:
        turn = cut.version - start
        assert topics_of(cut) == ([(f"t:{turn * 7 % 60}", f"topic {turn % 5}", 1)] if turn else [])
    assert cuts[-1].version > cuts[0].version


def test_the_latest_follow_or_unfollow_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_follows(store, [Follow("t:1", "t:2", at=5), Follow("t:2", "t:3")])
    assert read_snapshot(store).followed_at == 5
    apply_unfollows(store, [Statement("unfollows", ("t:1", "t:2"), (), 70)])
    apply_unfollows(store, [Statement("unfollows", ("t:2", "t:3"), (), 60)])
    assert read_snapshot(store).followed_at == 70
    # one that comes while the graph is read
    whole = store.stream

    def unfollows_meanwhile(name: str, /, **parameters: int) -> Iterator[object]:
        if name == "snapshot/accounts":
            with Store(store.address) as own:
                apply_unfollows(own, [Statement("unfollows", ("t:3", "t:1"), (), 80)])
        yield from whole(name, **parameters)

    monkeypatch.setattr(store, "stream", unfollows_meanwhile)
    assert read_snapshot(store).followed_at == 80


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_interactions_are_cut_at_the_same_version_as_follows(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer raises the likes of two pairs and makes a new day of a third at each version, all together."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(60)])
    start = read_snapshot(store).version

    def write(own: Store, turn: int) -> None:
        counts = (turn, 0, 0, 1)
        engage(own, [("t:3", "t:9", 7, counts), ("t:50", "t:9", 7, counts), ("t:20", "t:9", turn, counts)])

    cuts = cuts_while(store, write)
    for cut in cuts:
        turn = cut.version - start
        expected = [("t:20", "t:9", day, (day, 0, 0, 1)) for day in range(1, turn + 1)]
        if turn:
            expected += [(a, "t:9", 7, (turn, 0, 0, 1)) for a in ("t:3", "t:50")]
        assert engaged_in(cut) == sorted(expected)
    assert cuts[-1].version > cuts[0].version


def test_an_empty_graph(store: Store) -> None:
    assert as_follows(store) == ({}, set(), 0)
    assert as_relations(store) == ({}, [], [])


def test_everything_that_was_written_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 17)
    rng = random.Random(1)
    names = [f"net:{name}" for name in ["é", "名前", "x y", "9223372036854775808", *map(str, range(40))]]
    pairs = {(a, b) for a in names for b in rng.sample(names, 6) if a != b}
    written = {Follow(a, b, rng.choice([1.0, 0.25, 7.5]), rng.choice([None, 0, 1_600_000_000_123])) for a, b in pairs}
    applied = apply_follows(store, sorted(written, key=lambda one: one[:2]))
    store.statement("MATCH (a:Account {key: 'net:é'}) SET a.handle = 'é', a.opted_out = true, a.followers = 12")
    store.statement("CREATE (:Account {key: 'net:alone', n: $n, v: 1})", n=applied.accounts_created + 1)
    store.statement("MATCH (g:Graph) SET g.n = g.n + 1")
    accounts, follows, version = as_follows(store)
    assert follows == {one._replace(at=None) for one in written}
    assert read_snapshot(store).followed_at == max(one.at for one in written if one.at is not None)
    assert version == applied.version
    assert accounts.keys() == {*names, "net:alone"}
    assert accounts["net:é"] == ("é", True, 12)
    assert accounts["net:alone"] == (None, False, -1)


def test_brands_and_relations_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 3)
    rng = random.Random(4)
    names = [f"net:{i}" for i in range(20)]
    apply_follows(store, [Follow(a, names[0]) for a in names[1:]])
    written = [
        (
            account,
            brand,
            relation,
            rng.choice([0, -86_400_000, 1_600_000_000_123]),
            rng.choice([-1, 0, 1_700_000_000_000]),
        )
        for account in names
        for brand, relation in rng.sample([(b, r) for b in ("aubade", "é 名") for r in TYPES], 3)
    ]
    relate(store, written)
    store.statement("CREATE (:Brand {key: 'unknown', v: 1}), (:Brand {key: 'rival', name: '', v: 1})")
    store.statement("MATCH (b:Brand {key: 'aubade'}) SET b.name = 'Maison Aubade'")
    store.statement(  # one account of two brands, and a relation that is none of ours
        "MATCH (a:Account {key: 'net:3'}), (b:Brand) WHERE b.key IN ['aubade', 'rival'] "
        "CREATE (a)-[:ACCOUNT_OF {v: 1}]->(b), (b)-[:COMPETES_WITH {v: 1}]->(:Brand {key: 'other' + b.key})"
    )
    store.statement("MATCH (a:Account {key: 'net:4'})-[r:EMPLOYEE_OF|USES|CUSTOMER_OF|COLLABORATES_WITH]->() DELETE r")
    store.statement("MATCH (a:Account {key: 'net:4'}), (b:Brand {key: 'rival'}) CREATE (a)-[:USES {v: 1}]->(b)")
    store.statement("MATCH (a:Account {key: 'net:4'}) CREATE (a)-[:USES {v: 1}]->(:Tool {key: 'hammer'})")
    brands, own, relations = as_relations(store)
    nameless = ("é 名", "unknown", "rival", "otheraubade", "otherrival")
    assert brands == {"aubade": "Maison Aubade", **dict.fromkeys(nameless)}
    assert own == [("net:3", "aubade"), ("net:3", "rival")]
    kept = [one for one in written if one[0] != "net:4"]
    assert relations == sorted([*kept, ("net:4", "rival", "user", -1, -1)])


@pytest.mark.parametrize("by_hand", ["CREATE (:Brand)", "CREATE (:Brand {key: 7})"])
def test_a_brand_without_a_key_is_not_left_out_in_silence(store: Store, by_hand: str) -> None:
    apply_follows(store, [Follow("t:1", "t:2")])
    store.statement("CREATE (:Brand {key: 'fine', v: 1})")
    store.statement(by_hand)
    with pytest.raises(StoreError, match="2 brands, but 1 could be read"):
        read_snapshot(store)


def test_progress_ends_with_everything_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 4)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(20)])
    said: list[tuple[str, int, int | None]] = []
    read_snapshot(store, lambda *step: said.append(step))
    assert said == sorted(said)
    assert said[-1] == ("snapshot", 105, 105), "21 accounts: follows, interactions, topics, posts and what these say"


def test_a_reader_that_fails_ends_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection breaks off after a row: nothing is taken for whole, and no thread is left."""
    apply_follows(store, [Follow(f"x:{i}", f"x:{i + 1}") for i in range(300)])
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 3)
    whole = store.stream

    def breaks_off(name: str, /, **parameters: int) -> Iterator[object]:
        for record in whole(name, **parameters):
            yield record
            if parameters.get("first", 1) > 1:
                raise StoreUnavailable("The connection was lost.")

    monkeypatch.setattr(store, "stream", breaks_off)
    before = threading.active_count()
    with pytest.raises(StoreUnavailable, match="was lost"):
        read_snapshot(store)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "by_hand",
    [
        "CREATE (:Account {key: 'by:hand'})",
        "MATCH (g:Graph) SET g.n = g.n + 1 CREATE (:Account {n: g.n})",
        "MATCH (a:Account {key: 't:1'}) CREATE (a)-[:FOLLOWS {weight: 1.0, v: 1}]->(:Account {key: 'by:hand'})",
        "MATCH (a:Account {key: 't:1'}) CREATE (:Account {key: 'by:hand'})-[:FOLLOWS {weight: 1.0, v: 9}]->(a)",
        "MATCH (a:Account {key: 't:1'}), (b:Account {key: 't:2'}) CREATE (a)-[:ENGAGED {likes: 1, v: 9}]->(b)",
        "MATCH (a:Account {key: 't:1'}), (b:Account {key: 't:2'}) UNWIND [1, 2] AS likes "
        "CREATE (a)-[:ENGAGED {day: date('2024-02-29'), likes: likes, v: 9}]->(b)",
    ],
)
def test_what_cannot_be_read_is_not_left_out_in_silence(store: Store, by_hand: str) -> None:
    """Columns stay parallel beside nodes without key or number, and the answer is an error that says so."""
    apply_follows(store, [Follow("t:1", "t:2"), Follow("t:2", "t:3")])
    store.statement(by_hand)
    with pytest.raises(StoreError, match="not written by Entourage"):
        read_snapshot(store)


def test_a_follow_without_weight_or_time_counts_once(store: Store) -> None:
    apply_follows(store, [Follow("t:1", "t:2")])
    store.statement("MATCH (a:Account {key: 't:2'}), (b:Account {key: 't:1'}) CREATE (a)-[:FOLLOWS {v: 1}]->(b)")
    store.statement("MATCH (a:Account {key: 't:1'})-[f:FOLLOWS]->() SET f.weight = 3")
    _, follows, _ = as_follows(store)
    assert follows == {Follow("t:1", "t:2", 3.0, None), Follow("t:2", "t:1", 1.0, None)}
    assert read_snapshot(store).followed_at == -1


def test_what_is_read_is_what_plain_statements_say(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row and property by property, of a graph in which numbers of accounts and ids of Neo4j lie far apart."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 5)
    rng = random.Random(11)
    store.statement("UNWIND range(1, 50) AS i CREATE (:Post {key: 't:' + i, v: 1})")
    names = [f"t:{i}" for i in rng.sample(range(1000), 60)]
    for part in (names[:20], names[20:]):  # ranges without follows, and accounts that nobody follows
        pairs = {(a, b) for a in part[:8] for b in rng.sample(part[4:], 5) if a != b}
        apply_follows(store, [Follow(a, part[0], 1.0) for a in part[1:]])
        apply_follows(
            store,
            [Follow(a, b, rng.choice([1.0, 0.5, 3.0]), rng.choice([None, 7, 1_600_000_000_123])) for a, b in pairs],
        )
        store.statement("MATCH (p:Post) WITH p LIMIT 25 DELETE p")  # ids that Neo4j may give again
    engage(store, [(a, rng.choice([b for b in names if b != a]), day, (1, 2, 0, day)) for day, a in enumerate(names)])
    store.statement("MATCH (:Account)-[f:FOLLOWS]->() WHERE rand() < 0.2 REMOVE f.weight")
    store.statement("MATCH (:Account)-[f:FOLLOWS]->() WHERE rand() < 0.2 SET f.weight = 2, f.at = NULL")
    store.statement("MATCH (a:Account {key: $key}) CREATE (a)-[:FOLLOWS {v: 1}]->(a)", key=names[3])

    snapshot = read_snapshot(store)
    key = dict(zip(snapshot.accounts.n.tolist(), snapshot.accounts.key, strict=True))
    accounts = store.statement("MATCH (a:Account) RETURN a.n AS n, a.key AS key")
    assert sorted(key.items()) == sorted((row["n"], row["key"]) for row in accounts)
    follows = store.statement(
        "MATCH (a:Account)-[f:FOLLOWS]->(b:Account) RETURN a.key AS a, b.key AS b, f.weight AS weight, f.at AS at"
    )
    read = snapshot.follows
    assert sorted(
        (key[a], key[b], weight)
        for a, b, weight in zip(read.source.tolist(), read.target.tolist(), read.weight.tolist(), strict=True)
    ) == sorted((row["a"], row["b"], 1.0 if row["weight"] is None else row["weight"]) for row in follows)
    times = [row["at"].to_native().timestamp() for row in follows if row["at"] is not None]
    assert snapshot.followed_at == round(max(times) * 1000)
    engaged = store.statement(
        "MATCH (a:Account)-[e:ENGAGED]->(b:Account) RETURN a.key AS a, b.key AS b, properties(e) AS e, e.day AS day"
    )
    assert engaged_in(snapshot) == sorted(
        (
            row["a"],
            row["b"],
            (row["day"].to_native() - date(1970, 1, 1)).days,
            tuple(row["e"].get(name, 0) for name in ENGAGEMENT_NAMES),
        )
        for row in engaged
    )


def test_an_account_that_comes_while_the_graph_is_read_is_in_the_cut(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its follows and interactions are read before anything is known of it, once from here and once from there."""
    apply_follows(store, [Follow("t:1", "t:2", at=5)])
    whole = store.stream

    def newcomer(name: str, /, **parameters: int) -> Iterator[object]:
        if name == "snapshot/follows":  # all accounts have been read
            with Store(store.address) as own:
                apply_follows(own, [Follow("t:1", "t:new", 2.0, 9), Follow("t:new", "t:2")])
                engage(own, [("t:2", "t:new", 7, (1, 0, 0, 0))])
        yield from whole(name, **parameters)

    monkeypatch.setattr(store, "stream", newcomer)
    accounts, follows, version = as_follows(store)
    assert accounts.keys() == {"t:1", "t:2", "t:new"}
    assert follows == {Follow("t:1", "t:2"), Follow("t:1", "t:new", 2.0), Follow("t:new", "t:2")}
    snapshot = read_snapshot(store)
    assert (snapshot.version, snapshot.followed_at) == (version, 9)
    assert engaged_in(snapshot) == [("t:2", "t:new", 7, (1, 0, 0, 0))]


def test_an_account_that_goes_while_the_graph_is_read_is_not_taken_for_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neo4j may give its id to the next account: nothing is read rather than follows of the wrong one."""
    apply_follows(store, [Follow("t:1", "t:2"), Follow("t:1", "t:3")])
    whole = store.stream

    def another(name: str, /, **parameters: int) -> Iterator[object]:
        if name == "snapshot/follows" and parameters["first"] == 1:
            with Store(store.address) as own:
                own.statement("MATCH (a:Account {key: 't:3'}) DETACH DELETE a")
                apply_follows(own, [Follow("t:1", "t:4")])
        yield from whole(name, **parameters)

    monkeypatch.setattr(store, "stream", another)
    with pytest.raises(StoreError, match="accounts, but"):
        read_snapshot(store)


def test_a_graph_that_was_not_migrated_is_refused(store: Store) -> None:
    store.statement("MATCH (g:Graph) DELETE g")
    try:
        with pytest.raises(MigrationError, match="entourage migrate"):
            read_snapshot(store)
    finally:
        store.statement("CREATE (:Graph {id: 1, v: 0, n: 0})")


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_the_cut_is_at_one_version_while_others_write(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer adds follows in pairs and raises their weights together: each cut has both of a pair, equal."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    stop, versions = threading.Event(), []

    def write() -> None:
        rng = random.Random(2)
        with Store(store.address) as own:
            for turn in range(1, 10_000):
                a, b = rng.sample(range(60), 2)
                # Two edges far apart in the order of reading.
                pair = [Follow(f"t:{a}", f"t:{b}", turn), Follow(f"u:{a}", f"u:{b}", turn)]
                versions.append(apply_follows(own, pair).version)
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        cuts = [as_follows(store) for _ in range(15)]
    finally:
        stop.set()
        writer.join()
    assert len(versions) > 15
    for _, follows, version in cuts:
        halves: dict[str, set[tuple[str, str, float]]] = {"t": set(), "u": set()}
        for one in follows:
            halves[one.follower[0]].add((one.follower[2:], one.followee[2:], one.weight))
        assert halves["t"] == halves["u"]
        assert (
            max((weight for *_, weight in halves["t"]), default=0) == versions.index(version) + 1 if version else True
        )
    assert cuts[-1][2] > cuts[0][2]


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_follows_that_end_while_the_graph_is_read_are_not_in_the_cut(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    stop = threading.Event()
    held: set[tuple[str, str]] = {(f"t:{a}", f"t:{b}") for a in range(12) for b in range(12) if a != b}
    at_version = {apply_follows(store, [Follow(*pair, at=0) for pair in held]).version: set(held)}

    def write() -> None:
        rng = random.Random(3)
        pairs = sorted(held)
        with Store(store.address) as own:
            for turn in range(1, 10_000):
                pair = rng.choice(pairs)
                if pair in held:
                    held.remove(pair)
                    version = apply_unfollows(own, [Statement("unfollows", pair, (), turn)]).version
                else:
                    held.add(pair)
                    version = apply_follows(own, [Follow(*pair, at=turn)]).version
                at_version[version] = set(held)
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        cuts = []
        while len(cuts) < 15 or len({version for _, _, version in cuts}) <= 5:
            cuts.append(as_follows(store))
    finally:
        stop.set()
        writer.join()
    for _, follows, version in cuts:
        assert {(one.follower, one.followee) for one in follows} == at_version[version]


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_relations_are_cut_at_the_same_version_as_follows(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer moves one relation from brand to brand, and at each move adds a follow and dates the relation so."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}", 1.0, 0) for i in range(60)])
    relate(store, [("t:7", "b0", "employee", 0, -1)])
    store.statement("UNWIND range(1, 5) AS i CREATE (:Brand {key: 'b' + i, v: 1})")
    start = store.statement("MATCH (g:Graph) RETURN g.v AS v")[0]["v"]

    def write(own: Store, turn: int) -> None:
        own.statement(
            "MATCH (g:Graph {id: 1}) SET g.lock = 1 WITH g SET g.v = g.v + 1 "
            "WITH g MATCH (a:Account {key: 't:7'})-[r:EMPLOYEE_OF]->() DELETE r "
            "WITH g, a MATCH (b:Brand {key: 'b' + ($turn % 6)}), (c:Account {key: 't:' + ($turn % 30 + 10)}) "
            "CREATE (a)-[:EMPLOYEE_OF {v: g.v, since: datetime({epochMillis: $turn})}]->(b) "
            "MERGE (a)-[f:FOLLOWS]->(c) SET f.v = g.v, f.weight = 1.0, f.at = datetime({epochMillis: $turn})",
            turn=turn,
        )

    cuts = cuts_while(store, write)
    for cut in cuts:
        turn = cut.version - start
        assert (cut.brands.brand, cut.brands.since.tolist()) == ([f"b{turn % 6}"], [turn]), "once, never between brands"
        assert cut.followed_at == turn
    assert cuts[-1].version > cuts[0].version
