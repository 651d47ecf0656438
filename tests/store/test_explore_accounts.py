"""Queries for analysts about accounts, candidates and what changed over time, beside plain loops over the graph."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median
from typing import Any

import pytest

from service.domain import Follow
from service.flows.own_measures import forget_own_measure, keep_own_measure
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.store.plain_sample import (
    PARTS,
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
    "why_candidate", "candidates", "candidate_lenses", "quiet_candidates", "unfollowed", "followers_in_common",
    "responders", "influences", "early_followers", "topics_of", "answered_posts", "same_person", "neighbourhood",
)  # fmt: skip
LENSES = ("social_capital", "standing", "authority", "market", "audience", "profile", "context")
BIG = ("sample:u000131", "sample:u000363", "sample:u000237", "sample:u000527")


@pytest.mark.parametrize("name", NAMES)
def test_examples_say_something_and_name_nobody_who_opted_out(plain_sample: tuple[Store, Plain], name: str) -> None:
    check_example(*plain_sample, name)


def some_accounts(plain: Plain, each: int = 60) -> list[str]:
    """The accounts followed by most, one who opted out, and every so many of the others."""
    out = [key for key in sorted(plain.accounts) if plain.hidden(key)]
    return [*BIG, *out[:2], *sorted(plain.accounts)[::each]]


# --- candidates ---------------------------------------------------------------------------------------------------


def test_why_candidate(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    seen = Counter[str]()
    for key in [*some_accounts(plain, 40), *plain.candidates("cjqmnpx266o")]:
        rows, own = explore(store, "why_candidate", key=key), plain.membership.get(key, {})
        check_names(plain, rows)
        if own.get("rank") is None or plain.hidden(key):
            assert rows == []
            continue
        home = plain.home[key]
        base = [plain.membership[one] for one in plain.members(home) if plain.membership[one].get("in_base")]
        lower = [one for one in plain.candidates(home) if plain.membership[one]["rank"] > own["rank"]]
        below = next((one for one in lower if not plain.hidden(one)), None)
        under = plain.membership[below] if below else {}
        expected = []
        for part in PARTS:
            known = [one[part] for one in base if one.get(part) is not None]
            expected.append(
                {
                    "community": home, "compared": len(base), "rank": own["rank"], "rank_low": own["rank_low"],
                    "rank_high": own["rank_high"], "score": own["score"], "part": part, "raw": own.get(part),
                    "median": median(known) if known else None, "x": own.get(f"{part}_x"),
                    "points": own.get(f"{part}_points"), "below": below, "below_points": under.get(f"{part}_points"),
                    "below_by": round(own["score"] - under["score"], 6) if below else None,
                }
            )  # fmt: skip
        assert rows == floats(sorted(expected, key=lambda one: (-(one["points"] or -1), one["part"])))
        assert sum(row["points"] or 0 for row in rows) == pytest.approx(own["score"], abs=1e-5)
        seen["below" if below else "last"] += 1
        seen["skipped"] += bool(below and plain.membership[below]["rank"] > own["rank"] + 1)
    assert all(seen[what] for what in ("below", "last", "skipped")), seen


@pytest.mark.parametrize("each", [1, 3, 1000])
def test_candidates(plain_sample: tuple[Store, Plain], each: int) -> None:
    store, plain = plain_sample
    expected = []
    for home, community in plain.communities.items():
        for key in plain.candidates(home) if community["respectable"] else []:
            own = plain.membership[key]
            if own["rank"] > each or plain.hidden(key):
                continue
            x, part = min((-own[f"{one}_x"], one) for one in PARTS if own.get(f"{one}_x") is not None)
            expected.append(
                {
                    "community": home, "topics": community["topics"], "size": community["size"],
                    **{name: own[name] for name in ("rank", "rank_low", "rank_high")}, **plain.named(key),
                    "score": own["score"], "roles": own.get("roles") or [], "strongest": part, "strongest_x": -x,
                }
            )  # fmt: skip
    expected = top(expected, lambda one: (-one["size"], one["community"], one["rank"]), len(expected))
    assert explore(store, "candidates", each=each) == expected
    counted = sum(one["candidates"] for one in plain.communities.values() if one["respectable"])
    out = [key for key, one in plain.membership.items() if one.get("rank") and plain.hidden(key)]
    if each == 1000:
        assert len(expected) == counted - len(out)


def test_candidate_lenses(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    for home, community in plain.communities.items():
        all_of_them = plain.candidates(home)
        expected = []
        for key in all_of_them:
            own = plain.scored[key]
            places = [
                (1 + sum(plain.scored[other].get(lens, -1e9) > own[lens] for other in all_of_them), lens)
                for lens in LENSES
                if own.get(lens) is not None
            ]
            (best, best_lens), (worst, worst_lens) = min(places), max(places)
            expected.append(
                {
                    "rank": plain.membership[key]["rank"], "candidates": len(all_of_them), **plain.named(key),
                    "score": plain.membership[key]["score"], **{lens: own.get(lens) for lens in LENSES},
                    "best_lens": best_lens, "best_place": best, "worst_lens": worst_lens, "worst_place": worst,
                }
            )  # fmt: skip
        expected = [one for one in expected if not plain.hidden(one["account"])]
        assert explore(store, "candidate_lenses", community=home, most=10_000) == expected
        assert explore(store, "candidate_lenses", community=home, most=3) == expected[:3]
        assert bool(expected) == bool(community["candidates"])
    assert explore(store, "candidate_lenses", community="none") == []


@pytest.mark.parametrize("days", [0, 14, 80])
def test_quiet_candidates(plain_sample: tuple[Store, Plain], days: int) -> None:
    store, plain = plain_sample
    done: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for post, authors in plain.authors.items():
        for a in authors:
            if at := plain.posts[post].get("at"):
                done[a].append((at.date(), "post"))
    for one in plain.engaged:
        done[one.a].append((one.day, "interaction"))
    for a, _, _, at in plain.responses:
        if at:
            done[a].append((at.date(), "interaction"))
    expected = []
    for home, community in plain.communities.items():
        for key in plain.candidates(home) if community["respectable"] else []:
            acts = [(day, did) for day, did in done[key] if day <= plain.today]
            last = max(acts)[0]
            quiet = (plain.today - last).days
            if quiet >= days and not plain.hidden(key):
                expected.append(
                    {
                        **plain.named(key), "community": home, "rank": plain.membership[key]["rank"], "last": last,
                        "days": quiet, "did": sorted({did for day, did in acts if day == last}),
                    }
                )  # fmt: skip
    assert expected
    rows = explore(store, "quiet_candidates", days=days, most=10_000)
    assert [{**row, "did": sorted(row["did"])} for row in rows] == top(
        expected, lambda one: (-one["days"], one["account"]), 10_000
    )
    assert explore(store, "quiet_candidates", days=days, most=5) == rows[:5]


# --- over time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "most"), [(30, 20), (1000, 10_000)])
def test_unfollowed(plain_sample: tuple[Store, Plain], days: int, most: int) -> None:
    store, plain = plain_sample
    between = Counter[frozenset[str]]()
    for one in plain.engaged:
        between[frozenset((one.a, one.b))] += one.count if one.day <= plain.today else 0
    ended = {(a, b): at for a, b, at in plain.unfollows}
    topics: dict[str, set[str]] = {}
    expected, undated = [], 0
    for a, b, at in plain.unfollows:
        if not plain.as_of - timedelta(days=days) < at <= plain.as_of or plain.hidden(a) or plain.hidden(b):
            continue
        if at == plain.accounts[b].get("followers_complete_at", at) - timedelta(milliseconds=1):
            undated += 1
            continue
        for one in (a, b):
            topics.setdefault(one, {topic for post in plain.said(one) for topic in plain.about[post]})
        back = (b, a) in plain.follows
        began = plain.dated(b, a) if back else None
        expected.append(
            {
                "at": at, "account": a, "handle": plain.handle(a), "followed": b, "followed_handle": plain.handle(b),
                "community": plain.home.get(a), "followed_community": plain.home.get(b),
                "mutual": (back and (began is None or began <= at)) or ((b, a) in ended and ended[b, a] >= at),
                "follows_back": back, "interactions": between[frozenset((a, b))],
                "topics": sorted(topics[a] & topics[b]),
            }
        )  # fmt: skip
    assert undated == 1
    rows = explore(store, "unfollowed", days=days, most=most)
    assert rows == top(expected, lambda one: (-one["at"].timestamp(), one["account"], one["followed"]), most)
    check_names(plain, rows)
    if days == 1000:
        assert {row["mutual"] for row in rows} == {row["follows_back"] for row in rows} == {True, False}


@pytest.mark.parametrize(("big", "first"), [(10, 10), (5, 3), (40, 25)])
def test_early_followers(plain_sample: tuple[Store, Plain], big: int, first: int) -> None:
    store, plain = plain_sample
    for home in ("cjqmnpx266o", "clzssbyh6jd"):
        members = [key for key in plain.members(home) if not plain.hidden(key)]
        early, followed, expected = defaultdict(list), Counter[str](), Counter[str]()
        for t in sorted(members, key=lambda key: (-len(plain.followers[key]), key))[:big]:
            line = sorted((at, j) for j in plain.followers[t] if (at := plain.dated(j, t)))
            for place, (_, j) in enumerate(line if len(line) > first else []):
                followed[j] += 1
                expected[j] += first / len(line)  # type: ignore[assignment]
                if place < first:
                    early[j].append(t)
        rows = [
            {
                **plain.named(j), "early": len(of), "followed": followed[j], "expected": expected[j],
                "examples": sorted(of),
            }
            for j, of in early.items()
            if not plain.hidden(j)
        ]  # fmt: skip
        found = explore(store, "early_followers", community=home, big=big, first=first, most=10_000)
        assert found == floats(top(rows, lambda one: (-one["early"], one["followed"], one["account"]), 10_000))
        assert explore(store, "early_followers", community=home, big=big, first=first, most=4) == found[:4]
        # Chance expects as many early ones as there are.
        assert sum(expected.values()) == pytest.approx(sum(map(len, early.values())))


# --- accounts -----------------------------------------------------------------------------------------------------


def test_followers_in_common(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    chosen = some_accounts(plain, 150)
    seen = Counter[str]()
    for one in chosen:
        for other in chosen:
            rows = explore(store, "followers_in_common", one=one, other=other, most=7)
            check_names(plain, rows)
            if one == other or plain.hidden(one) or plain.hidden(other):
                assert rows == []
                continue
            a, b = plain.followers[one] - {other}, plain.followers[other] - {one}
            said = {
                "of_one": len(a), "of_other": len(b), "common": len(a & b),
                "jaccard": len(a & b) / len(a | b) if a | b else None,
            }  # fmt: skip
            shared = sorted(a & b, key=lambda key: (-len(plain.followers[key]), key))
            expected: list[Row] = [
                {**said, **plain.named(key), "community": plain.home.get(key), "followers": len(plain.followers[key])}
                for key in shared
                if not plain.hidden(key)
            ]
            nobody = {**said, "account": None, "handle": None, "community": None, "followers": None}
            assert rows == floats(expected[:7] or [nobody])
            seen["some" if expected else "none"] += 1
            seen["more"] += len(expected) < len(shared)
    assert all(seen[what] for what in ("some", "none", "more")), seen


@pytest.mark.parametrize("days", [7, 90, 400])
def test_responders(plain_sample: tuple[Store, Plain], days: int) -> None:
    store, plain = plain_sample
    lately = [one for one in plain.engaged if plain.lately(one.day, days) and one.count and one.a != one.b]
    found = 0
    for key in some_accounts(plain):
        rows = explore(store, "responders", key=key, days=days, most=6)
        check_names(plain, rows)
        to_it = defaultdict(list)
        for one in lately:
            if one.b == key and not plain.hidden(one.a):
                to_it[one.a].append(one)
        expected = [
            {
                **plain.named(j), "responses": sum(one.count for one in of),
                **{kind: sum(getattr(one, kind) for one in of) for kind in ("likes", "replies", "mentions", "reposts")},
                "days": len({one.day for one in of}), "last": max(one.day for one in of),
                "follows": j in plain.followers[key],
                "answers": sum(one.count for one in lately if (one.a, one.b) == (key, j)),
            }
            for j, of in to_it.items()
        ]  # fmt: skip
        expected = [] if plain.hidden(key) else expected
        assert rows == top(expected, lambda one: (-one["responses"], -one["days"], one["account"]), 6)
        found += len(rows)
    assert found


@pytest.mark.parametrize("days", [1, 90, 400])
def test_influences(plain_sample: tuple[Store, Plain], days: int) -> None:
    store, plain = plain_sample
    lately = [one for one in plain.engaged if plain.lately(one.day, days) and one.a != one.b]
    given, got = Counter[str](), Counter[str]()
    pairs = Counter[tuple[str, str]]()
    for one in lately:
        given[one.a] += one.weight
        got[one.b] += one.weight
        pairs[one.a, one.b] += one.weight
    for key in some_accounts(plain):
        expected = [
            {
                **plain.named(j), "community": plain.home.get(j), "strength": weight, "share": weight / got[key],
                "share_of_listener": weight / given[j], "follows": j in plain.followers[key],
            }
            for (j, to), weight in pairs.items()
            if to == key and weight and not plain.hidden(j) and not plain.hidden(key)
        ]  # fmt: skip
        rows = explore(store, "influences", key=key, days=days, most=10_000)
        assert rows == floats(top(expected, lambda one: (-one["strength"], one["account"]), 10_000))
        assert explore(store, "influences", key=key, days=days, most=2) == rows[:2]
        if rows and not any(plain.hidden(j) for j, to in pairs if to == key):
            assert sum(row["share"] for row in rows) == pytest.approx(1)


@pytest.mark.parametrize("days", [90, 4000])
def test_neighbourhood(plain_sample: tuple[Store, Plain], days: int) -> None:
    store, plain = plain_sample
    strength = Counter[tuple[str, str]]()
    for one in plain.engaged:
        if plain.lately(one.day, days):
            strength[one.a, one.b] += one.weight
    tied = set(plain.follows) | {(one.a, one.b) for one in plain.engaged if plain.lately(one.day, days)}
    seen = Counter[str]()
    for key in some_accounts(plain, 150):
        rows = explore(store, "neighbourhood", key=key, days=days, most=8)
        check_names(plain, rows)
        if plain.hidden(key):
            assert rows == []
            continue
        both = {
            other: (
                strength[key, other] + strength[other, key],
                ((key, other) in plain.follows) + ((other, key) in plain.follows),
            )
            for other in plain.accounts
            if other != key and not plain.hidden(other) and ((key, other) in tied or (other, key) in tied)
        }
        around = {key, *sorted(both, key=lambda other: (-both[other][0], -both[other][1], other))[:8]}
        expected = [
            {
                "source": a, "source_handle": plain.handle(a), "source_community": plain.home.get(a),
                "target": b, "target_handle": plain.handle(b), "target_community": plain.home.get(b),
                "follows": (a, b) in plain.follows, "strength": strength[a, b],
            }
            for a, b in sorted(tied)
            if a in around and b in around and a != b
        ]  # fmt: skip
        assert rows == expected
        seen["cut" if len(both) > 8 else "whole"] += 1
        seen["only engaged"] += any(not row["follows"] for row in rows)
    assert all(seen[what] for what in ("cut", "whole", "only engaged")), seen


@pytest.mark.parametrize("each", [1, 5])
def test_own_measure(plain_sample: tuple[Store, Plain], each: int) -> None:
    store, plain = plain_sample
    # Some have none, some the same; who opted out has one, and is passed over.
    values = {key: float(len(plain.followers[key]) // 3) for key in sorted(plain.accounts)[::2]}
    keep_own_measure(store.address, "thirds", values.items(), meaning="followers by threes", graph_version=7)
    expected = []
    for community, about in sorted(plain.communities.items(), key=lambda one: (-one[1]["size"], one[0])):
        compared = [one for one in plain.members(community) if plain.membership[one].get("in_base") and one in values]
        shown = sorted((one for one in compared if not plain.hidden(one)), key=lambda one: (-values[one], one))[:each]
        expected += [
            {
                "community": community, "topics": about.get("topics") or [], "place": place, **plain.named(key),
                "value": values[key], "rank": plain.membership[key].get("rank"),
                "score": plain.membership[key].get("score"), "type": plain.membership[key].get("type"),
                "graph_version": 7,
            }
            for place, key in enumerate(shown, 1)
            if about["respectable"]
        ]  # fmt: skip
    rows = explore(store, "own_measure", measure="thirds", each=each)
    assert rows == floats(expected)
    assert each == 1 or {row["rank"] is None for row in rows} == {True, False}
    assert explore(store, "own_measure", measure="of nobody") == []
    forget_own_measure(store.address, "thirds")


def test_topics_of(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    said = {key: {post for post in plain.said(key) if plain.about[post]} for key in plain.accounts}
    for key in some_accounts(plain, 120):
        rows = explore(store, "topics_of", key=key, most=10_000)
        others = [one for one in plain.members(plain.home[key]) if one != key] if key in plain.home else []
        speakers = [one for one in others if said[one]]
        all_said = sum(len(said[one]) for one in speakers)
        topics = {topic for one in [key, *others] for post in said[one] for topic in plain.about[post]}
        expected = []
        for topic in topics:
            own = sum(topic in plain.about[post] for post in said[key])
            theirs = [sum(topic in plain.about[post] for post in said[one]) for one in speakers]
            expected.append(
                {
                    "topic": topic, "posts": own, "share": own / len(said[key]) if said[key] else None,
                    "members": sum(map(bool, theirs)),
                    "members_share": sum(map(bool, theirs)) / len(speakers) if speakers else None,
                    "members_posts_share": sum(theirs) / all_said if speakers else None,
                }
            )  # fmt: skip
        expected = [] if plain.hidden(key) else expected
        assert rows == floats(top(expected, lambda one: (-one["posts"], -one["members"], one["topic"]), 10_000))
        assert explore(store, "topics_of", key=key, most=3) == rows[:3]


def test_answered_posts(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    to = defaultdict(list)
    for a, post, kind, _ in plain.responses:
        if a not in plain.authors[post]:
            to[post].append((a, kind))

    def count(post: str, *kinds: str) -> int:
        return len({a for a, kind in to[post] if kind in kinds})

    def rows_of(posts: Any) -> list[Row]:
        return [
            {
                "post": post, "account": author, "handle": author and plain.handle(author),
                "at": plain.posts[post].get("at"), "kind": plain.posts[post].get("kind"),
                "topics": sorted(plain.about[post]), "accounts": count(post, "like", "reply", "repost"),
                "likes": count(post, "like"), "replies": count(post, "reply"), "reposts": count(post, "repost"),
            }
            for post in posts
            for author in [min(plain.authors[post], default=None)]
            if to[post] and not any(map(plain.hidden, plain.authors[post]))
        ]  # fmt: skip

    given = [("", "jazz"), ("", "python"), ("", "none"), ("", "")]
    given += [(key, topic) for key in some_accounts(plain, 100) for topic in ("", "jazz")]
    for key, topic in given:
        posts = [
            post
            for post in plain.posts
            if (key or topic) and (not key or key in plain.authors[post]) and (not topic or topic in plain.about[post])
        ]
        rows = explore(store, "answered_posts", key=key, topic=topic, most=10_000)
        assert rows == top(rows_of(posts), lambda one: (-one["accounts"], one["post"]), 10_000)
        assert explore(store, "answered_posts", key=key, topic=topic, most=2) == rows[:2]


def test_same_person(plain_sample: tuple[Store, Plain]) -> None:
    store, plain = plain_sample
    expected = []
    for person, accounts in plain.persons.items():
        ties = Counter(j for a in accounts for j in plain.followers[a] if j not in accounts)
        expected.append(
            {
                "person": person, "accounts": sorted(accounts),
                "handles": [plain.handle(a) or "" for a in sorted(accounts)], "networks": ["sample"],
                "followers": len(ties), "shared": sum(one > 1 for one in ties.values()),
            }
        )  # fmt: skip
    assert explore(store, "same_person") == sorted(expected, key=lambda one: one["person"])


# --- small graphs, last: they empty the store ----------------------------------------------------------------------


def test_a_follow_back_counts_by_when_it_was(store: Store) -> None:
    apply_follows(store, [Follow(a, b) for a, b in (("t:b", "t:a"), ("t:d", "t:c"), ("t:f", "t:e"), ("t:x", "t:g"))])
    store.statement("CREATE (:Current {id: 1, run: 'r'}), (:Run {id: 'r', as_of: datetime('2025-01-31T00:00:00Z')})")
    for a, b in (("a", "b"), ("c", "d"), ("e", "f"), ("g", "x"), ("x", "a")):
        store.statement(
            "MATCH (a:Account {key: $a}), (b:Account {key: $b}) "
            "CREATE (a)-[:UNFOLLOWED {at: datetime('2025-01-15T00:00:00Z')}]->(b)",
            a=f"t:{a}", b=f"t:{b}",
        )  # fmt: skip
    # d followed c before, f only afterwards; a had ended its follow of x later, x never followed g again.
    store.statement(
        "MATCH (d {key: 't:d'})-[f:FOLLOWS]->() MATCH (:Account {key: 't:f'})-[g:FOLLOWS]->() "
        "SET f.at = datetime('2025-01-01T00:00:00Z'), g.at = datetime('2025-01-20T00:00:00Z')"
    )
    store.statement(
        "MATCH (a:Account {key: 't:a'}), (x:Account {key: 't:x'}) "
        "CREATE (a)-[:UNFOLLOWED {at: datetime('2025-01-16T00:00:00Z')}]->(x)"
    )
    found = {
        row["account"] + row["followed"]: (row["mutual"], row["follows_back"])
        for row in explore(store, "unfollowed")
    }  # fmt: skip
    assert found == {
        "t:at:b": (True, True),  # since when b follows is not known
        "t:ct:d": (True, True),
        "t:et:f": (False, True),
        "t:gt:x": (True, True),
        "t:xt:a": (True, False),
        "t:at:x": (False, False),
    }
    assert len(explore(store, "unfollowed", days=16)) == 1
    store.statement("MATCH (a:Account {key: 't:b'}) SET a.opted_out = true")
    assert len(explore(store, "unfollowed")) == 5


def test_persons_in_several_networks_come_first(store: Store) -> None:
    apply_follows(store, [Follow("x:j", "x:a"), Follow("x:j", "y:a"), Follow("y:a", "x:a"), Follow("x:k", "x:b")])
    for person, keys in (
        ("p1", ["x:a", "x:b"]),
        ("p2", ["x:a", "y:a", "x:k"]),
        ("p3", ["x:j"]),
        ("p4", ["x:j", "x:b"]),
    ):
        store.statement(
            "CREATE (p:Person {key: $person}) WITH p MATCH (a:Account) WHERE a.key IN $keys "
            "SET a.network = left(a.key, 1) CREATE (p)-[:HAS]->(a)",
            person=person, keys=keys,
        )  # fmt: skip
    rows = explore(store, "same_person")
    assert [row["person"] for row in rows] == ["p2", "p1", "p4"]
    assert rows[0] == {
        "person": "p2", "accounts": ["x:a", "x:k", "y:a"], "handles": ["", "", ""], "networks": ["x", "y"],
        "followers": 1, "shared": 1,
    }  # fmt: skip
    store.statement("MATCH (a:Account {key: 'x:k'}) SET a.opted_out = true")
    assert [row["person"] for row in explore(store, "same_person")] == ["p1", "p4"]


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_has_a_time_nothing_fails(store: Store, name: str) -> None:
    values = {**without_times(store), "other": "t:c"}
    declared = {parameter.name for parameter in store.queries[f"explore/{name}"].parameters}
    given = {parameter: value for parameter, value in values.items() if parameter in declared}
    explore(store, name, **given)
    store.statement("MATCH (c:Current) DELETE c")  # nothing was analysed yet
    explore(store, name, **given)
