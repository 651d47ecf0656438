"""Everything but follows in the graph: written, found by version, the same in any order and when said twice."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest

from service.domain import Follow
from service.records import NEVER, RELATIONS, THINGS, Match, Statement, interaction_event
from service.store.driver import Store
from service.store.edges import apply_follows, apply_unfollows
from service.store.matching import NoMatch, matched
from service.store.things import apply_statements, check_statements
from tests.conftest import clear
from tests.store.graph_dump import dump, graph_version

DAY = 86_400_000
SPRING = date(2025, 3, 1)


def put(store: Store, *statements: Statement) -> list[tuple[int, int]]:
    """Apply statements one by one; return how many each created and updated."""
    done = []
    for statement in statements:
        if statement.thing == "unfollows":
            applied = apply_unfollows(store, [statement])
        else:
            applied = apply_statements(store, THINGS[statement.thing], [statement])
        done.append((applied.created, applied.updated))
    return done


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


EVERY: dict[str, tuple[Statement, str]] = {
    "account": (
        Statement("accounts", ("t:1",), ("Léa", "L.", "Pain.", "fr", "Lyon", DAY, 812, "ab", True), 5 * DAY),
        "MATCH (x:Account {key: 't:1'}) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "unfollow": (
        Statement("unfollows", ("t:1", "t:2"), (), DAY),
        "MATCH (:Account {key: 't:1'})-[x:UNFOLLOWED]->(:Account {key: 't:2'}) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "engagement": (
        Statement("engagements", ("t:1", "t:2", SPRING), (0, 2, 0, 0, None, (interaction_event("like", "e", 0),)), DAY),
        "MATCH (:Account)-[x:ENGAGED {day: date('2025-03-01')}]->(:Account) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "post": (
        Statement("posts", ("t:p1",), ("t:1", DAY, "photo", "fr", "Bonjour", ("jardin", "slow food"), False), DAY),
        "MATCH (:Account {key: 't:1'})-[:POSTED]->(x:Post)-[:ABOUT]->(:Topic {name: 'slow food'}) WHERE x.v > $v "
        "RETURN count(x) AS found",
    ),
    "response": (
        Statement("responses", ("t:2", "t:p1", "like", 2 * DAY), (), 2 * DAY),
        "MATCH (:Account)-[x:RESPONDED {kind: 'like'}]->(:Post) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "brand": (
        Statement("brands", ("aubade",), ("Maison Aubade", ("t:3",), ("nordlys",)), DAY),
        "MATCH (x:Brand {key: 'aubade', name: 'Maison Aubade'}) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "account of a brand": (
        Statement("brands", ("aubade",), (None, ("t:3", "t:4"), None), 2 * DAY),
        "MATCH (:Account {key: 't:4'})-[x:ACCOUNT_OF]->(:Brand) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "competitor": (
        Statement("brands", ("aubade",), (None, None, ("nordlys", "zenit")), 2 * DAY),
        "MATCH (:Brand)-[x:COMPETES_WITH]->(:Brand {key: 'zenit'}) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "mention": (
        Statement("mentions", ("t:p1", "aubade"), (1, False), DAY),
        "MATCH (:Post)-[x:MENTIONS {stance: 1, paid: false}]->(:Brand) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "person": (
        Statement("persons", ("person 1", "t:1"), (), DAY),
        "MATCH (:Person {key: 'person 1'})-[x:HAS]->(:Account) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "endorsement": (
        Statement("endorsements", ("t:1", "t:2", "jardin"), (False,), DAY),
        "MATCH (:Account)-[x:ENDORSES {topic: 'jardin'}]->(:Account) WHERE x.v > $v RETURN count(x) AS found",
    ),
    "endorsement withdrawn": (
        Statement("endorsements", ("t:1", "t:2", "jardin"), (True,), 2 * DAY),
        "MATCH (:Account)-[x:WITHDREW {topic: 'jardin'}]->(:Account) WHERE x.v > $v RETURN count(x) AS found",
    ),
    **{
        relation: (
            Statement("relations", ("t:1", "aubade", relation), (DAY, 2 * DAY, "crm"), DAY),
            f"MATCH (:Account)-[x:{kind} {{source: 'crm'}}]->(:Brand) WHERE x.v > $v RETURN count(x) AS found",
        )
        for relation, kind in RELATIONS.items()
    },
}


def test_every_kind_of_thing_is_written_and_found_by_version(store: Store) -> None:
    apply_follows(store, [Follow("t:9", "t:8", at=1)])
    assert store.statement("MATCH ()-[x:FOLLOWS]->() WHERE x.v > 0 RETURN count(x) AS found") == [{"found": 1}]
    for name, (statement, question) in EVERY.items():
        before = graph_version(store)
        assert put(store, statement) in ([(1, 0)], [(0, 1)]), name
        assert graph_version(store) == before + 1, name
        assert store.statement(question, v=before) == [{"found": 1}], name
        assert store.statement(question, v=before + 1) == [{"found": 0}], name
        whole = dump(store)
        assert put(store, statement) == [(0, 0)], f"{name} again"
        assert (dump(store), graph_version(store)) == (whole, before + 1), f"{name} again"
    kinds = {row["type"] for row in store.statement("MATCH ()-[r]->() RETURN DISTINCT type(r) AS type")}
    assert kinds - {"MIGRATED_TO"} == {
        "FOLLOWS", "UNFOLLOWED", "ENGAGED", "RESPONDED", "POSTED", "ABOUT", "MENTIONS", "ACCOUNT_OF", "COMPETES_WITH",
        "HAS", "WITHDREW", *RELATIONS.values(),
    }  # fmt: skip


def test_each_relationship_and_node_that_changes_has_an_index_of_versions(store: Store) -> None:
    indexed = {
        row["labelsOrTypes"][0]
        for row in store.statement("SHOW INDEXES YIELD labelsOrTypes, properties WHERE properties = ['v']")
    }
    assert indexed == {
        "Account", "Post", "Brand", "Person", "FOLLOWS", "UNFOLLOWED", "ENGAGED", "RESPONDED", "MENTIONS", "ACCOUNT_OF",
        "COMPETES_WITH", "HAS", "ENDORSES", "WITHDREW", *RELATIONS.values(),
    }  # fmt: skip


def test_an_account_with_all_its_properties(store: Store) -> None:
    put(store, EVERY["account"][0])
    [row] = store.statement("MATCH (a:Account) RETURN properties(a) AS a")
    created = row["a"].pop("created_at").to_native()
    assert created == at(DAY)
    assert row["a"] == {
        "key": "t:1", "n": 1, "network": "t", "native_id": "1", "v": 1, "handle": "Léa", "handle_folded": "léa",
        "name": "L.", "bio": "Pain.", "lang": "fr", "location": "Lyon", "followers": 812, "email_sha256": "ab",
        "opted_out": True, "said": [5 * DAY],
    }  # fmt: skip
    # Fields said at other times keep their own; what a line leaves out stays.
    put(store, Statement("accounts", ("t:1",), ("Lou", None, None, None, None, None, 5, None, None), 4 * DAY))
    put(store, Statement("accounts", ("t:1",), ("Lia", None, None, None, None, None, 900, None, None), 6 * DAY))
    [row] = store.statement(
        "MATCH (a:Account) RETURN a.handle AS handle, a.bio AS bio, a.followers AS f, a.said AS said"
    )
    assert (row["handle"], row["bio"], row["f"]) == ("Lia", "Pain.", 900)
    assert row["said"] == [6 * DAY, *[5 * DAY] * 5, 6 * DAY, *[5 * DAY] * 2, NEVER]


def various(chance: random.Random) -> list[Statement]:
    """Statements about few things, so that many are about the same one, with few times, so that many are equal."""

    def some(*values: Any) -> Any:
        return chance.choice([None, *values])

    def one(kind: str) -> Statement:
        account, other = chance.sample(["t:1", "t:2", "t:3"], 2)
        when = chance.choice([1, 2, 3]) * DAY
        brand = chance.choice(["aubade", "nordlys"])
        return {
            "accounts": lambda: Statement(
                "accounts",
                (account,),
                (
                    some("a", "b"),
                    some("x"),
                    None,
                    some("fr", "en"),
                    None,
                    some(DAY),
                    some(0, 7),
                    None,
                    some(True, False),
                    some(DAY),
                ),
                when,
            ),
            "unfollows": lambda: Statement("unfollows", (account, other), (), when),
            "engagements": lambda: Statement(
                "engagements",
                (account, other, SPRING),
                (some(1, 2), some(3), None, None, None, tuple(chance.sample([5, 300, 1 << 40, (1 << 62) + 33], 2))),
                when,
            ),
            "posts": lambda: Statement(
                "posts",
                ("t:p",),
                (
                    some(account),
                    some(DAY),
                    some("text"),
                    None,
                    some("x", "y"),
                    some((), ("a",), ("a", "b")),
                    some(True),
                ),
                when,
            ),
            "responses": lambda: Statement("responses", (account, "t:p", "like", when), (), when),
            "brands": lambda: Statement(
                "brands", (brand,), (some("A", "B"), some((), ("t:1",), ("t:1", "t:2")), some(("zenit",))), when
            ),
            "mentions": lambda: Statement("mentions", ("t:p", brand), (some(-1, 0, 1), some(True, False)), when),
            "relations": lambda: Statement(
                "relations", (account, brand, chance.choice([*RELATIONS])), (some(DAY), some(2 * DAY), some("hr")), when
            ),
            "persons": lambda: Statement("persons", ("p", account), (), when),
            "endorsements": lambda: Statement(
                "endorsements", (account, other, ""), (chance.choice([True, False]),), when
            ),
        }[kind]()

    kinds = [*THINGS, "unfollows"]
    return [one(kind) for kind in kinds for _ in range(8)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_batches_and_repetition_do_not_matter(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    statements = various(chance)
    follows = [
        Follow(
            *chance.sample(["t:1", "t:2", "t:3"], 2), chance.choice([1.0, 2.0]), chance.choice([None, DAY, 2 * DAY])
        )
        for _ in range(8)
    ]  # fmt: skip
    found = []
    for _ in range(3):
        clear(store)
        todo: list[Any] = [*statements, *follows, *chance.sample(statements, 20), *chance.sample(follows, 3)]
        chance.shuffle(todo)
        while todo:
            group = todo[: chance.randrange(1, 25)]
            del todo[: len(group)]
            apply_follows(store, [one for one in group if isinstance(one, Follow)])
            rest = [one for one in group if isinstance(one, Statement)]
            for thing, same in itertools.groupby(sorted(rest, key=lambda one: one.thing), key=lambda one: one.thing):
                if thing == "unfollows":
                    apply_unfollows(store, [*same])
                else:
                    apply_statements(store, THINGS[thing], [*same])
        found.append(dump(store))
        numbers = [row["n"] for row in store.statement("MATCH (a:Account) RETURN a.n AS n ORDER BY n")]
        assert numbers == list(range(1, len(numbers) + 1))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 30


def test_the_later_of_follow_and_unfollow_stands(store: Store) -> None:
    def state() -> list[tuple[str, int | None]]:
        rows = store.statement("MATCH (:Account {key: 't:1'})-[r]->() RETURN type(r) AS type, r.at.epochMillis AS at")
        return [(row["type"], row["at"]) for row in rows]

    apply_follows(store, [Follow("t:1", "t:2", at=5)])
    assert put(store, Statement("unfollows", ("t:1", "t:2"), (), 4)) == [(0, 0)]
    assert state() == [("FOLLOWS", 5)]
    assert put(store, Statement("unfollows", ("t:1", "t:2"), (), 5)) == [(1, 0)], "at the same time the unfollow stands"
    assert state() == [("UNFOLLOWED", 5)]
    for follow in (Follow("t:1", "t:2", at=5), Follow("t:1", "t:2"), Follow("t:1", "t:2", 9.0, 3)):
        assert apply_follows(store, [follow]).created == 0
    assert state() == [("UNFOLLOWED", 5)]
    assert put(store, Statement("unfollows", ("t:1", "t:2"), (), 7, False)) == [(0, 0)], "undated, it says nothing new"
    assert put(store, Statement("unfollows", ("t:1", "t:2"), (), 7)) == [(0, 1)]
    assert apply_follows(store, [Follow("t:1", "t:2", at=8)]).created == 1
    assert state() == [("FOLLOWS", 8)]


def test_an_undated_repeat_changes_nothing(store: Store) -> None:
    """A copy of a file is written later than the file, but says nothing new."""
    said = Statement("accounts", ("t:1",), ("a", *[None] * 8), DAY, False)
    put(store, said)
    version = graph_version(store)
    assert put(store, said._replace(at=2 * DAY)) == [(0, 0)]
    assert graph_version(store) == version
    assert put(store, said._replace(at=3 * DAY, values=("b", *[None] * 8))) == [(0, 1)]


def test_an_event_counts_once_and_adds_up(store: Store) -> None:
    events = [interaction_event("like", f"e{i}", 3_600_000 * (i % 3)) for i in range(5)]
    identity = ("t:1", "t:2", SPRING)
    for event in [*events, *events[:2]]:
        put(store, Statement("engagements", identity, (*[None] * 5, (event,)), DAY))
    [row] = store.statement("MATCH ()-[e:ENGAGED]->() RETURN e.likes AS likes, e.replies AS replies, e.hours AS hours")
    assert (row["likes"], row["replies"]) == (5, 0)
    assert row["hours"] == [2, 2, 1, *[0] * 21]
    # A count that was stated stands where it is greater than what was counted.
    put(store, Statement("engagements", identity, (4, 2, None, None, None, None), DAY))
    put(store, Statement("engagements", identity, (*[None] * 5, (interaction_event("reply", "e9", 0),)), DAY))
    [row] = store.statement("MATCH ()-[e:ENGAGED]->() RETURN e.likes AS likes, e.replies AS replies")
    assert (row["likes"], row["replies"]) == (5, 2)


def test_checking_says_what_applying_does_and_writes_nothing(store: Store) -> None:
    chance = random.Random(4)
    for _ in range(3):
        statements = various(chance)
        for name, thing in THINGS.items():
            batch = [one for one in statements if one.thing == name]
            before = dump(store)
            accounts, created, updated = check_statements(store, thing, batch)
            assert dump(store) == before
            applied = apply_statements(store, thing, batch)
            assert (len(accounts), len(created), updated) == (
                applied.accounts_created, applied.created, applied.updated,
            )  # fmt: skip


@pytest.fixture
def people(store: Store) -> Store:
    said = [
        ("t:1", "Lea.Martin", "e1"),
        ("t:2", "STRAẞE", "e2"),
        ("t:3", "twin", "e3"),
        ("t:4", "Twin", "e3"),
        ("u:5", "lea.martin", None),
    ]
    batch = [
        Statement("accounts", (key,), (handle, *[None] * 6, email, None), DAY) for key, handle, email in said
    ]  # fmt: skip
    apply_statements(store, THINGS["accounts"], batch)
    return store


@pytest.mark.parametrize(
    ("network", "account", "handle", "email", "found"),
    [
        ("t", "t:1", None, None, "t:1"), ("t", "t:77", None, None, "no_match"),
        ("t", "t:77", "twin", "e1", "no_match"), ("t", "t:1", "twin", "e2", "t:1"),
        ("t", None, "LEA.MARTIN", None, "t:1"), (None, None, "lea.martin", None, "ambiguous_match"),
        ("u", None, "Lea.Martin", None, "u:5"), ("t", None, "straße", None, "t:2"),
        ("t", None, "twin", None, "ambiguous_match"), ("t", None, None, "e1", "t:1"),
        ("t", None, None, "e3", "ambiguous_match"), ("t", None, "twin", "e1", "ambiguous_match"),
        ("t", None, "lea.martin", "e1", "t:1"), ("t", None, "lea.martin", "e2", "ambiguous_match"),
        ("t", None, "nobody", "e1", "t:1"), ("t", None, "nobody", "e9", "no_match"),
        ("v", None, "lea.martin", None, "no_match"),
    ],
)  # fmt: skip
def test_matching_never_guesses(
    people: Store, network: str | None, account: str | None, handle: str | None, email: str | None, found: str
) -> None:
    said = Statement("relations", ("", "aubade", "customer"), (None, None, None), DAY)
    decoy = Match("t", None, "nobody", None, said)
    answers = matched(people, [decoy, Match(network, account, handle, email, said), decoy])
    assert [one.reason for one in (answers[0], answers[2]) if isinstance(one, NoMatch)] == ["no_match"] * 2
    answer = answers[1]
    if isinstance(answer, NoMatch):
        assert answer.reason == found
    else:
        assert answer == said._replace(identity=(found, "aubade", "customer"))
