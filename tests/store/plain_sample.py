"""The sample, imported, analysed and changed since, with all that is in the graph as plain Python values.

Answers of queries for analysts are compared with what plain loops over these values give.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from service.domain import Follow, StoreAddress, no_progress
from service.flows.importing import import_folder
from service.sample_files import write_sample
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.conftest import publish
from tests.conftest import clear

Row = dict[str, Any]
PARTS = ("authority", "reach", "resonance", "trust", "relevance")
RELATIONS = {"EMPLOYEE_OF": "employee", "COLLABORATES_WITH": "collaborator", "CUSTOMER_OF": "customer", "USES": "user"}


@dataclass(frozen=True)
class Engaged:
    """What one account did with another on a day."""

    a: str
    b: str
    day: date
    likes: int
    replies: int
    mentions: int
    reposts: int

    @property
    def count(self) -> int:
        return self.likes + self.replies + self.mentions + self.reposts

    @property
    def weight(self) -> int:
        return self.likes + 2 * self.reposts + 3 * (self.replies + self.mentions)


@dataclass
class Plain:
    """The graph. Accounts, posts and brands go by their keys; a membership is the primary one in the served run."""

    accounts: dict[str, Row]
    follows: dict[tuple[str, str], datetime | None]
    unfollows: list[tuple[str, str, datetime]]
    engaged: list[Engaged]
    posts: dict[str, Row]
    authors: dict[str, set[str]]
    about: dict[str, set[str]]
    responses: list[tuple[str, str, str, datetime | None]]
    mentions: list[tuple[str, str, int | None, bool]]
    relations: list[tuple[str, str, str, datetime | None, datetime | None]]
    own: dict[str, set[str]]
    endorses: list[tuple[str, str, str, datetime | None]]
    persons: dict[str, set[str]]
    communities: dict[str, Row]
    home: dict[str, str]
    membership: dict[str, Row]
    scored: dict[str, Row]
    as_of: datetime
    followers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    following: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def today(self) -> date:
        return self.as_of.date()

    def hidden(self, key: str) -> bool:
        return bool(self.accounts[key].get("opted_out"))

    def handle(self, key: str) -> str | None:
        return self.accounts[key].get("handle")

    def named(self, key: str) -> Row:
        return {"account": key, "handle": self.handle(key)}

    def lately(self, day: date, days: int) -> bool:
        return self.today - timedelta(days=days) < day <= self.today

    def dated(self, a: str, b: str) -> datetime | None:
        """Since when a follows b, where that is known: a list of all followers does not tell."""
        at = self.follows[a, b]
        return None if at == self.accounts[b].get("followers_complete_at") else at

    def said(self, key: str) -> set[str]:
        """Different posts that an account wrote or shared."""
        shared = {post for a, post, kind, _ in self.responses if a == key and kind == "repost"}
        return shared | {post for post, authors in self.authors.items() if key in authors}

    def held(self, brand: str | None = None) -> dict[str, set[str]]:
        """What accounts are to a brand, or to any, at the end of the data."""
        found: dict[str, set[str]] = defaultdict(set)
        for a, kind, of, since, until in self.relations:
            begun, ended = since is None or since <= self.as_of, until is not None and until <= self.as_of
            if brand in (None, of) and begun and not ended:
                found[a].add(RELATIONS[kind])
        return found

    def members(self, community: str) -> list[str]:
        return sorted(key for key, home in self.home.items() if home == community)

    def candidates(self, community: str) -> list[str]:
        found = [key for key in self.members(community) if self.membership[key].get("rank") is not None]
        return sorted(found, key=lambda key: self.membership[key]["rank"])

    def silent(self, a: str, b: str) -> bool:
        return not any({one.a, one.b} == {a, b} for one in self.engaged)


def native(value: Any) -> Any:
    """Times and dates of the driver as those of Python, at any depth; floats to 9 digits, so that sums compare."""
    if isinstance(value, dict):
        return {name: native(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [native(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.9g}")
    value = value.to_native() if hasattr(value, "to_native") else value
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def explore(store: Store, name: str, **given: Any) -> list[Row]:
    """Rows of a query for analysts, with its example where nothing else is given."""
    query = store.queries[f"explore/{name}"]
    rows = store.read(query.name, **{**query.defaults, **query.examples, **given})
    found: list[Row] = native(rows)
    return found


def read_plain(store: Store) -> Plain:
    """Read everything by the plainest statements there are."""

    def rows(statement: str) -> list[Row]:
        found: list[Row] = native(store.statement(statement))
        return found

    def pairs(label: str, types: str, to: str) -> list[Row]:
        return rows(
            f"MATCH (a:{label})-[r:{types}]->(b:{to}) RETURN a.key AS a, coalesce(b.key, b.name) AS b, "
            "type(r) AS type, properties(r) AS r"
        )

    [run] = rows("MATCH (c:Current) MATCH (r:Run {id: c.run}) RETURN r.id AS id, r.as_of AS as_of")
    found = rows("MATCH (r:Run)-[:FOUND]->(c:Community) RETURN r.id AS run, properties(c) AS c, elementId(c) AS id")
    communities = {one["id"]: one["c"] for one in found if one["run"] == run["id"] and one["c"]["level"] == 0}
    places = [
        one
        for one in rows("MATCH (a:Account)-[m:MEMBER_OF]->(c) RETURN a.key AS a, properties(m) AS m, elementId(c) AS c")
        if one["c"] in communities and one["m"].get("primary")
    ]
    authors, about = defaultdict(set), defaultdict(set)
    for one in pairs("Account", "POSTED", "Post"):
        authors[one["b"]].add(one["a"])
    for one in pairs("Post", "ABOUT", "Topic"):
        about[one["a"]].add(one["b"])
    own, persons = defaultdict(set), defaultdict(set)
    for one in pairs("Account", "ACCOUNT_OF", "Brand"):
        own[one["b"]].add(one["a"])
    for one in pairs("Person", "HAS", "Account"):
        persons[one["a"]].add(one["b"])
    posts = {one["p"]["key"]: one["p"] for one in rows("MATCH (p:Post) RETURN properties(p) AS p")}
    plain = Plain(
        accounts={one["a"]["key"]: one["a"] for one in rows("MATCH (a:Account) RETURN properties(a) AS a")},
        follows={(one["a"], one["b"]): one["r"].get("at") for one in pairs("Account", "FOLLOWS", "Account")},
        unfollows=[(one["a"], one["b"], one["r"]["at"]) for one in pairs("Account", "UNFOLLOWED", "Account")],
        engaged=[
            Engaged(
                one["a"], one["b"], one["r"]["day"],
                *(one["r"].get(kind) or 0 for kind in ("likes", "replies", "mentions", "reposts")),
            )
            for one in pairs("Account", "ENGAGED", "Account")
        ],
        posts=posts,
        authors=authors,
        about=about,
        responses=[
            (one["a"], one["b"], one["r"]["kind"], one["r"].get("at")) for one in pairs("Account", "RESPONDED", "Post")
        ],
        mentions=[
            (one["a"], one["b"], one["r"].get("stance"), bool(one["r"].get("paid") or posts[one["a"]].get("paid")))
            for one in pairs("Post", "MENTIONS", "Brand")
        ],
        relations=[
            (one["a"], one["type"], one["b"], one["r"].get("since"), one["r"].get("until"))
            for one in pairs("Account", "|".join(RELATIONS), "Brand")
        ],
        own=own,
        endorses=[
            (one["a"], one["b"], one["r"].get("topic") or "", one["r"].get("at"))
            for one in pairs("Account", "ENDORSES", "Account")
        ],
        persons=persons,
        communities={one["id"]: one for one in communities.values()},
        home={one["a"]: communities[one["c"]]["id"] for one in places},
        membership={one["a"]: one["m"] for one in places},
        scored={
            one["a"]: one["s"]
            for one in rows("MATCH (a:Account)-[s:SCORED]->(r:Run) RETURN a.key AS a, properties(s) AS s, r.id AS run")
            if one["run"] == run["id"]
        },
        as_of=run["as_of"],
    )  # fmt: skip
    for a, b in plain.follows:
        plain.followers[b].add(a)
        plain.following[a].add(b)
    return plain


def load_sample(address: StoreAddress, folder: Path) -> Plain:
    """Load the sample of the demo, analyse it, and change it; return what is in the graph then."""
    with Store(address) as store:
        clear(store)
        import_folder(address, write_sample(folder / "sample"), folder / "reports", no_progress)
        publish(store)
        change(store)
        return read_plain(store)


def change(store: Store) -> None:
    """Let some opt out since the analysis, make some dates unknown, and add a run that found other things before."""
    # Of each of the largest communities the second candidate, and some who are followed by many.
    store.statement(
        "MATCH (c:Current) MATCH (:Run {id: c.run})-[:FOUND]->(k:Community {level: 0}) "
        "WITH k ORDER BY k.size DESC LIMIT 5 MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->(k) "
        "WHERE m.rank IN [2, 9] OR a.key IN ['sample:u000110', 'sample:u000092', 'sample:u001096'] "
        "SET a.opted_out = true"
    )
    # An earlier run that found other things: a community with the same id and another member.
    store.statement(
        "CREATE (r:Run {id: 'earlier', state: 'done', publish: true, as_of: datetime('2025-01-01T00:00:00Z')}) "
        "WITH r MATCH (a:Account) WHERE a.key < 'sample:u000400' "
        "MERGE (c:Community {id: 'cjqmnpx266o', run: 'earlier', level: 0}) SET c.respectable = true "
        "MERGE (r)-[:FOUND]->(c) "
        "CREATE (a)-[:MEMBER_OF {primary: true, rank: 1, score: 99.0, in_base: true, authority: 1.0}]->(c) "
        "CREATE (a)-[:SCORED {community: c.id, standing: 1000.0}]->(r)"
    )
    # Lists of all followers, and follows of unknown dates.
    for key in ("sample:u000131", "sample:u000363"):
        store.statement(
            "MATCH (a:Account {key: $key})<-[f:FOLLOWS]-(b) WITH a, f, b ORDER BY f.at, b.key "
            "WITH a, collect(f)[10..14] AS some SET a.followers_complete_at = some[0].at "
            "FOREACH (f IN some | SET f.at = a.followers_complete_at)",
            key=key,
        )
    store.statement(
        "MATCH (a:Account)-[f:FOLLOWS]->(b) WITH f ORDER BY a.key, b.key WITH collect(f) AS found "
        "FOREACH (i IN range(0, size(found) - 1, 40) | FOREACH (f IN [found[i]] | SET f.at = null))"
    )
    store.statement("MATCH (p:Post) WHERE p.key ENDS WITH '7' SET p.at = null")
    store.statement("MATCH ()-[r:RESPONDED]->(p:Post) WHERE p.key ENDS WITH '3' SET r.at = null")
    store.statement(
        "MATCH (a:Account)-[u:UNFOLLOWED]->(b) WITH u, b ORDER BY u.at DESC LIMIT 1 "
        "SET b.followers_complete_at = u.at + duration({milliseconds: 1})"
    )
    # Accounts that follow each other and say nothing; endorsements that come back, between two and round three.
    store.statement(
        "UNWIND range(1190, 1196) AS i UNWIND range(1190, 1196) AS j WITH i, j WHERE i <> j "
        "MATCH (a:Account {key: 'sample:u00' + i}), (b:Account {key: 'sample:u00' + j}) MERGE (a)-[:FOLLOWS]->(b)"
    )
    store.statement(
        "UNWIND [[0, 1], [1, 0], [1, 2], [2, 0], [2, 1], [3, 4], [4, 3], [5, 5], [4, 5], [6, 110], [110, 6]] AS pair "
        "UNWIND ['jazz', ''] AS topic WITH pair, topic WHERE topic = 'jazz' OR pair[0] < 2 "
        "MATCH (a:Account {key: 'sample:u' + right('00000' + pair[0], 6)}) "
        "MATCH (b:Account {key: 'sample:u' + right('00000' + pair[1], 6)}) "
        "CREATE (a)-[:ENDORSES {topic: topic, v: 1, at: CASE WHEN pair[0] < 4 THEN "
        "datetime('2025-01-01T00:00:00Z') + duration({days: pair[0] + size(topic)}) END}]->(b)"
    )
    # The brand replied to one complaint, and to the author of another one on the same day.
    store.statement(
        "MATCH (own:Account)-[:ACCOUNT_OF]->(b:Brand {key: 'nordlys'}) "
        "MATCH (a:Account)-[:POSTED]->(p:Post)-[:MENTIONS {stance: -1}]->(b) "
        "WHERE p.at IS NOT NULL WITH own, a, p ORDER BY p.at "
        "WITH own, collect(a) AS authors, collect(p) AS posts WITH own, authors[4] AS a, posts[4] AS p, posts[-2] AS q "
        "CREATE (own)-[:RESPONDED {kind: 'reply'}]->(q) CREATE (own)-[:ENGAGED {day: date(p.at), mentions: 1}]->(a)"
    )


def check_example(store: Store, plain: Plain, name: str) -> None:
    """The example of a query gives rows, the same each time, that name nobody who opted out."""
    rows = explore(store, name)
    assert rows
    assert rows == explore(store, name)
    check_names(plain, rows)


def check_names(plain: Plain, rows: list[Row]) -> None:
    """Nobody who opted out is in rows, by key or handle, at any depth."""
    out = {key for key in plain.accounts if plain.hidden(key)}
    never = out | {plain.accounts[key]["handle"] for key in out if plain.accounts[key].get("handle")}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                walk(one)
        else:
            assert not isinstance(value, str) or value not in never, value

    walk(rows)


def top(rows: list[Row], key: Any, most: int) -> list[Row]:
    """The first rows in an order that must have no ties."""
    keys = [key(row) for row in rows]
    assert len({repr(one) for one in keys}) == len(keys)
    return sorted(rows, key=key)[:most]


def floats(rows: list[Row]) -> list[Row]:
    """Rows as `explore` gives them: floats to 9 digits."""
    found: list[Row] = native(rows)
    return found


def without_times(store: Store) -> dict[str, Any]:
    """Write a small graph in which nothing has a time into an empty one; return values of parameters for it."""
    apply_follows(store, [Follow("t:b", "t:a"), Follow("t:a", "t:b"), Follow("t:a", "t:c"), Follow("t:c", "t:b")])
    store.statement(
        "CREATE (:Current {id: 1, run: 'r'}), (r:Run {id: 'r'}), (c:Community {id: 'c', level: 0, respectable: true}), "
        "(b:Brand {key: 'b'}), (:Brand {key: 'o'}), (p:Post {key: 'p'}), (r)-[:FOUND]->(c), "
        "(p)-[:MENTIONS {stance: -1}]->(b) WITH c, b, p MATCH (a:Account) "
        "CREATE (a)-[:MEMBER_OF {primary: true, rank: 1}]->(c), (a)-[:EMPLOYEE_OF]->(b), (a)-[:POSTED]->(p)"
    )
    return {"key": "t:a", "one": "t:a", "brand": "b", "community": "c"}
