"""Queries for analysts about brands and signs of manipulation, beside plain loops over the graph."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import networkx as nx
import pytest

from service.domain import Follow
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.store.plain_sample import (
    Plain,
    Row,
    check_example,
    check_names,
    explore,
    floats,
    top,
    without_times,
)

NAMES = (
    "path", "employee_audiences", "brand_mentions", "complaints", "untapped", "competitors", "suspicious_rings",
    "endorsement_rings", "copied_bios", "bursts",
)  # fmt: skip
BRANDS = ("aubade", "nordlys", "velora")


@pytest.mark.parametrize("name", NAMES)
def test_examples_say_something_and_name_nobody_who_opted_out(plain_sample: tuple[Store, Plain], name: str) -> None:
    check_example(*plain_sample, name)


# --- brands -------------------------------------------------------------------------------------------------------


def ways(plain: Plain, graph: nx.Graph[str], brand: str, key: str) -> list[Row]:
    """All shortest ways from a brand's own accounts and employees to an account."""
    employees = {a for a, held in plain.held(brand).items() if "employee" in held}
    starts = {a for a in employees | plain.own[brand] if a in graph}
    near = {a: nx.shortest_path_length(graph, a, key) for a in starts if key in graph and nx.has_path(graph, a, key)}
    found = []
    for start, steps in near.items():
        for way in nx.all_shortest_paths(graph, start, key) if steps == min(near.values()) else []:
            turns = []
            for one, other in pairwise(way):
                forth, back = (one, other) in plain.follows, (other, one) in plain.follows
                turns.append("both" if forth and back else "forth" if forth else "back")
            found.append(
                {
                    "steps": steps, "starts": "own account" if start in plain.own[brand] else "employee", "keys": way,
                    "handles": [plain.handle(one) or "" for one in way], "follows": turns,
                }
            )  # fmt: skip
    return found


def test_path(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(key for key in plain.accounts if not plain.hidden(key))
    graph.add_edges_from(pair for pair in plain.follows if not any(map(plain.hidden, pair)))
    seen: Counter[int] = Counter()
    out = next(key for key in plain.accounts if plain.hidden(key))
    for brand in BRANDS:
        for key in [out, "sample:u000729", *sorted(plain.held(brand))[:5], *sorted(plain.accounts)[::60]]:
            expected = [] if plain.hidden(key) else ways(plain, graph, brand, key)
            expected = top(expected, lambda one: (one["steps"], one["starts"] == "employee", one["keys"]), 10_000)
            rows = explore(store, "path", brand=brand, key=key, most=10_000, steps=6)
            assert rows == [one for one in expected if one["steps"] <= 6]
            assert (
                explore(store, "path", brand=brand, key=key, most=2, steps=2)
                == [one for one in expected if one["steps"] <= 2][:2]
            )
            seen[expected[0]["steps"] if expected else -1] += 1
    assert all(seen[steps] for steps in (-1, 0, 1, 2, 3)), seen


@pytest.mark.parametrize("brand", BRANDS)
def test_employee_audiences(plain_sample: tuple[Store, Plain], brand: str) -> None:
    store, plain = plain_sample
    held, anything = plain.held(brand), plain.held()
    for known in (0, 5):
        expected = []
        for key, relations in held.items():
            works = [one for one in ("employee", "collaborator") if one in relations]
            followers = plain.followers[key] - plain.own[brand]
            told = [j for j in followers if j in anything]
            buyers = [j for j in told if {"customer", "user"} & held.get(j, set())]
            if not works or key in plain.own[brand] or plain.hidden(key) or len(told) < max(known, 1):
                continue
            expected.append(
                {
                    **plain.named(key), "relations": works, "followers": len(followers), "known": len(told),
                    "customers": len(buyers), "share_of_known": len(buyers) / len(told),
                    "share_of_followers": len(buyers) / len(followers),
                }
            )  # fmt: skip
        assert expected
        rows = explore(store, "employee_audiences", brand=brand, known=known, most=10_000)
        in_order = top(expected, lambda one: (-one["share_of_known"], -one["customers"], one["account"]), 10_000)
        assert rows == floats(in_order)
        assert explore(store, "employee_audiences", brand=brand, known=known, most=1) == rows[:1]


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("days", [1, 30, 182, 700])
def test_brand_mentions(plain_sample: tuple[Store, Plain], brand: str, days: int) -> None:
    store, plain = plain_sample
    first = plain.today - timedelta(days=days - 1)
    first -= timedelta(days=first.weekday())
    weeks = [first + timedelta(days=7 * i) for i in range((plain.today - first).days // 7 + 1)]
    found: dict[date, Counter[str]] = defaultdict(Counter)
    authors: dict[date, set[str]] = defaultdict(set)
    counted = 0
    for post, of, stance, paid in plain.mentions:
        at = plain.posts[post].get("at")
        if of != brand or at is None or plain.authors[post] & plain.own[brand] or not first <= at.date() <= plain.today:
            continue
        week = at.date() - timedelta(days=at.weekday())
        kind = {1: "favourable", 0: "neutral", -1: "unfavourable", None: "unknown"}[stance]
        found[week]["paid" if paid else kind] += 1
        authors[week] |= plain.authors[post]
        counted += 1
    kinds = ("favourable", "neutral", "unfavourable", "unknown", "paid")
    rows = explore(store, "brand_mentions", brand=brand, days=days)
    assert rows == [
        {"week": week, **{kind: found[week][kind] for kind in kinds}, "authors": len(authors[week])} for week in weeks
    ]
    assert sum(row[kind] for row in rows for kind in kinds) == counted
    if days == 700:
        assert all(sum(row[kind] for row in rows) for kind in kinds if kind != "unfavourable")


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("days", [20, 90, 400])
def test_complaints(plain_sample: tuple[Store, Plain], brand: str, days: int) -> None:
    store, plain = plain_sample
    held = plain.held(brand)
    answered, expected = 0, []
    for post, of, stance, _ in plain.mentions:
        at = plain.posts[post].get("at")
        if of != brand or stance != -1 or at is None or not plain.lately(at.date(), days):
            continue
        day = at.date()
        [author] = plain.authors[post]
        replied = any(a in plain.own[brand] and p == post and kind == "reply" for a, p, kind, _ in plain.responses)
        later = any(
            one.a in plain.own[brand] and one.b == author and day <= one.day <= plain.today
            and one.replies + one.mentions > 0
            for one in plain.engaged
        )  # fmt: skip
        if replied or later or author in plain.own[brand] or plain.hidden(author):
            answered += replied or later
            continue
        expected.append(
            {
                "post": post, "at": at, "waits": (plain.today - day).days, **plain.named(author),
                "followers": len(plain.followers[author]), "relations": sorted(held.get(author, ())),
                "responders": len({a for a, p, _, _ in plain.responses if p == post} - {author}),
            }
        )  # fmt: skip
    of_author = Counter(one["account"] for one in expected)
    for one in expected:
        one["complaints"] = of_author[one["account"]]
    rows = explore(store, "complaints", brand=brand, days=days, most=10_000)
    assert rows == top(expected, lambda one: (one["at"], one["post"]), 10_000)
    assert explore(store, "complaints", brand=brand, days=days, most=1) == rows[:1]
    if brand == "nordlys" and days == 400:
        assert answered >= 2


@pytest.mark.parametrize("brand", BRANDS)
def test_untapped(plain_sample: tuple[Store, Plain], brand: str) -> None:
    store, plain = plain_sample
    spoke = {a for post, of, _, _ in plain.mentions if of == brand for a in plain.authors[post]}
    expected = []
    for key, relations in plain.held(brand).items():
        if key in spoke or key in plain.own[brand] or plain.hidden(key):
            continue
        begun = [
            since
            for a, _, of, since, until in plain.relations
            if (a, of) == (key, brand) and since and since <= plain.as_of and (until is None or until > plain.as_of)
        ]
        home, rank = plain.home.get(key), plain.membership.get(key, {}).get("rank")
        expected.append(
            {
                **plain.named(key),
                "relations": [one for one in ("employee", "collaborator", "customer", "user") if one in relations],
                "since": min(begun, default=None), "community": home, "rank": rank,
                "candidates": plain.communities[home]["candidates"] if home and rank else None,
                "followers": len(plain.followers[key]), "posts": sum(key in of for of in plain.authors.values()),
            }
        )  # fmt: skip
    rows = explore(store, "untapped", brand=brand, most=10_000)
    assert rows == top(expected, lambda one: (one["rank"] is None, -one["followers"], one["account"]), 10_000)
    assert explore(store, "untapped", brand=brand, most=3) == rows[:3]
    assert {row["rank"] is None for row in rows} == {True, False}


@pytest.mark.parametrize("most", [1, 10, 10_000])
def test_competitors(plain_sample: tuple[Store, Plain], most: int) -> None:
    store, plain = plain_sample
    for brand in BRANDS:
        for other in BRANDS:
            rows = explore(store, "competitors", brand=brand, other=other, most=most)
            check_names(plain, rows)
            if brand == other:
                assert rows == []
                continue
            owners = plain.own[brand] | plain.own[other]
            one, two = ({j for own in plain.own[of] for j in plain.followers[own]} - owners for of in (brand, other))
            expected = []
            for name, these in (("both", one & two), (brand, one - two), (other, two - one)):
                shown = sorted(
                    (j for j in these if not plain.hidden(j)), key=lambda key: (-len(plain.followers[key]), key)
                )
                for j in shown[:most]:
                    buys = [of for of in sorted((brand, other)) if {"customer", "user"} & plain.held(of).get(j, set())]
                    expected.append(
                        {
                            "follows": name, "accounts": len(these), "share": len(these) / len(one | two),
                            **plain.named(j), "community": plain.home.get(j), "followers": len(plain.followers[j]),
                            "customer": buys,
                        }
                    )  # fmt: skip
            assert rows == floats(expected)
            totals = {row["follows"]: row["accounts"] for row in rows}
            assert sum(totals.values()) == len(one | two)


# --- manipulation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("common", [0, 1, 3, 5])
def test_suspicious_rings(plain_sample: tuple[Store, Plain], common: int) -> None:
    store, plain = plain_sample
    friends = {key: plain.followers[key] & plain.following[key] - {key} for key in plain.accounts}
    spoke = {frozenset((one.a, one.b)) for one in plain.engaged}
    did: Counter[str] = Counter()
    for one in plain.engaged:
        did[one.a] += one.count
    for authors in plain.authors.values():
        did.update(authors)
    expected = []
    for a, of in friends.items():
        for b in of:
            shared = friends[a] & friends[b]
            if (
                a > b
                or plain.hidden(a)
                or plain.hidden(b)
                or frozenset((a, b)) in spoke
                or len(shared) < max(common, 1)
            ):
                continue
            silent = [o for o in shared if not {frozenset((a, o)), frozenset((b, o))} & spoke]
            either = (friends[a] | friends[b]) - {a, b}
            expected.append(
                {
                    **plain.named(a), "other": b, "other_handle": plain.handle(b), "common": len(shared),
                    "silent": len(silent), "share": len(shared) / len(either), "did": did[a] + did[b],
                }
            )  # fmt: skip
    rows = explore(store, "suspicious_rings", common=common, most=10_000)
    assert rows == floats(
        top(
            expected,
            lambda one: (-one["silent"], -one["share"], -one["common"], one["account"], one["other"]),
            10_000,
        )
    )
    assert explore(store, "suspicious_rings", common=common, most=4) == rows[:4]
    # The ring that was made stands at the top, each pair of it: they do nothing else.
    ring = {f"sample:u00{i}" for i in range(1190, 1197)}
    assert {one for row in rows[:21] for one in (row["account"], row["other"])} == ring
    assert {row["did"] for row in rows[:21]} == {0}


def test_endorsement_rings(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    pairs = {(a, b) for a, b, _, _ in plain.endorses if not plain.hidden(a) and not plain.hidden(b)}
    graph: nx.DiGraph[str] = nx.DiGraph(pairs)
    expected = []
    for ring in nx.simple_cycles(graph, length_bound=3):
        if len(ring) == 1:
            continue
        start = ring.index(min(ring))
        keys = ring[start:] + ring[:start]
        times, topics = [], set()
        for one, other in zip(keys, keys[1:] + keys[:1], strict=True):
            of = [(topic, at) for a, b, topic, at in plain.endorses if (a, b) == (one, other)]
            topics |= {topic for topic, _ in of}
            times.append(min((at for _, at in of if at), default=None))
        expected.append(
            {
                "size": len(keys), "keys": keys, "handles": [plain.handle(one) or "" for one in keys],
                "topics": sorted(topics), "closed": None if None in times else max(filter(None, times)),
                "interactions": sum(one.count for one in plain.engaged if {one.a, one.b} <= {*keys} and one.a != one.b),
            }
        )  # fmt: skip
    assert {(one["size"], one["closed"] is None) for one in expected} == {(2, False), (2, True), (3, False)}
    assert explore(store, "endorsement_rings") == top(
        expected,
        lambda one: (one["size"], -one["closed"].timestamp() if one["closed"] else 0, one["keys"]),
        20,
    )


def test_copied_bios(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    groups = defaultdict(list)
    for key, account in sorted(plain.accounts.items()):
        text = "".join(letter for letter in account.get("bio", "").lower() if letter.isalnum())
        if len(text) >= 12:
            groups[text].append(key)
    doing = {a for a, _, _, _ in plain.responses} | {one.a for one in plain.engaged}
    doing |= {a for authors in plain.authors.values() for a in authors}
    for least in (2, 10):
        expected = []
        for keys in groups.values():
            named = [key for key in keys if not plain.hidden(key)]
            if len(keys) < least or not named:
                continue
            ties = Counter(to for key in keys for to in plain.following[key] if not plain.hidden(to))
            followed = sorted((-count, to) for to, count in ties.items() if count > 1)[:5]
            expected.append(
                {
                    "bio": plain.accounts[named[0]]["bio"], "accounts": len(keys), "unseen": len({*keys} - doing),
                    "keys": named[:10], "followed": [to for _, to in followed],
                    "followed_by": [-count for count, _ in followed],
                }
            )  # fmt: skip
        rows = explore(store, "copied_bios", least=least, most=10_000)
        assert rows == top(expected, lambda one: (-one["unseen"], -one["accounts"], one["keys"][0]), 10_000)
        assert explore(store, "copied_bios", least=least, most=3) == rows[:3]
        assert rows[0]["bio"] == "Love life | DM for collab"  # what was planted: bought followers


@pytest.mark.parametrize(("least", "times"), [(2, 1), (2, 10), (5, 10), (5, 100)])
def test_bursts(plain_sample: tuple[Store, Plain], least: int, times: int) -> None:
    store, plain = plain_sample
    days: dict[str, Counter[date]] = defaultdict(Counter)
    came = defaultdict(set)
    for a, b in plain.follows:
        if (at := plain.dated(a, b)) and at.date() <= plain.today:
            days[b][at.date()] += 1
            came[b, at.date()].add(a)
    everywhere: Counter[date] = Counter()
    for one in days.values():
        everywhere.update(one)
    doing = {a for a, _, _, _ in plain.responses} | {one.a for one in plain.engaged}
    doing |= {a for authors in plain.authors.values() for a in authors}
    expected = []
    for key, one in days.items():
        dated, others = one.total(), (plain.today - min(one)).days
        for day, gained in one.items():
            usual = (dated - gained) / others if others else 0.0
            share, of_all = gained / dated, everywhere[day] / everywhere.total()
            if gained >= least and gained >= times * usual and share >= 3 * of_all and not plain.hidden(key):
                expected.append(
                    {
                        **plain.named(key), "day": day, "gained": gained, "dated": dated, "usual": usual,
                        "share": share, "share_of_all": of_all, "unseen": len(came[key, day] - doing),
                    }
                )  # fmt: skip
    rows = explore(store, "bursts", least=least, times=times, most=10_000)
    assert rows == floats(
        top(expected, lambda one: (-one["gained"], -one["share"], one["account"], one["day"]), 10_000)
    )
    assert explore(store, "bursts", least=least, times=times, most=2) == rows[:2]
    if least == 5:
        assert [row["account"] for row in rows] == ["sample:u001160", "sample:u000034", "sample:u000516"]  # the buyers


# --- small graphs, last: they empty the store ----------------------------------------------------------------------


def test_a_path_ends_after_six_steps_and_goes_round_who_opted_out(store: Store) -> None:
    apply_follows(store, [Follow(f"t:{i + i % 2}", f"t:{i + 1 - i % 2}") for i in range(8)])
    store.statement(
        "CREATE (b:Brand {key: 'b'}), (:Current {id: 1, run: 'r'}), "
        "(:Run {id: 'r', as_of: datetime('2025-01-31T00:00:00Z')}) "
        "WITH b MATCH (a:Account {key: 't:0'}), (e:Account {key: 't:8'}) "
        "CREATE (a)-[:ACCOUNT_OF]->(b), (e)-[:EMPLOYEE_OF {until: datetime('2025-01-31T00:00:00Z')}]->(b)"
    )
    [row] = explore(store, "path", brand="b", key="t:6", steps=6)
    assert row["keys"] == [f"t:{i}" for i in range(7)]
    assert row["follows"] == ["forth", "back"] * 3
    assert explore(store, "path", brand="b", key="t:6", steps=5) == []
    assert explore(store, "path", brand="b", key="t:7", steps=6) == []  # t:8 is no employee any more
    store.statement("MATCH (:Account {key: 't:8'})-[r:EMPLOYEE_OF]->() REMOVE r.until")
    [row] = explore(store, "path", brand="b", key="t:7", steps=6)
    assert (row["starts"], row["keys"]) == ("employee", ["t:8", "t:7"])
    store.statement("MATCH (a:Account {key: 't:2'}) SET a.opted_out = true")
    apply_follows(store, [Follow("t:1", "t:9"), Follow("t:9", "t:3")])
    [row] = explore(store, "path", brand="b", key="t:3", steps=6)
    assert row["keys"] == ["t:0", "t:1", "t:9", "t:3"]


def test_competitors_without_followers(store: Store) -> None:
    apply_follows(store, [Follow("t:j", "t:a"), Follow("t:b", "t:a")])
    store.statement(
        "CREATE (b:Brand {key: 'b'}), (c:Brand {key: 'c'}), (:Current {id: 1, run: 'r'}), "
        "(:Run {id: 'r', as_of: datetime('2025-01-31T00:00:00Z')}) WITH b, c "
        "MATCH (a:Account {key: 't:a'}), (o:Account {key: 't:b'}) CREATE (a)-[:ACCOUNT_OF]->(b), (o)-[:ACCOUNT_OF]->(c)"
    )
    found = [
        (row["follows"], row["accounts"], row["share"], row["account"])
        for row in explore(store, "competitors", brand="b", other="c")
    ]
    assert found == [("both", 0, 0.0, None), ("b", 1, 1.0, "t:j"), ("c", 0, 0.0, None)]
    store.statement("MATCH (a:Account {key: 't:j'}) SET a.opted_out = true")
    assert [row["account"] for row in explore(store, "competitors", brand="b", other="c")] == [None, None, None]


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_has_a_time_nothing_fails(store: Store, name: str) -> None:
    values = {**without_times(store), "other": "o"}
    declared = {parameter.name for parameter in store.queries[f"explore/{name}"].parameters}
    given = {parameter: value for parameter, value in values.items() if parameter in declared}
    explore(store, name, **given)
    store.statement("MATCH (c:Current) DELETE c")  # nothing was analysed yet
    explore(store, name, **given)
