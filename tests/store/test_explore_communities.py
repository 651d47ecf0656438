"""Queries for analysts about communities, between them and over time: beside plain Python over raw rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest

from service.analytics.topics import surprise
from service.domain import Follow, StoreAddress, no_progress
from service.flows.importing import import_folder
from service.sample_files import write_sample
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.conftest import publish
from tests.conftest import clear

Row = dict[str, Any]
Pair = tuple[str, str]

QUERIES = [
    "communities", "bridges", "between", "flows_between", "reciprocity", "values", "growth", "lineage", "outsiders",
    "core", "roles", "gates", "activity", "topic_communities", "overlap", "isolates_and_groups", "hubs_and_periphery",
]  # fmt: skip
ALL = 1_000_000


def explore(store: Store, name: str, **given: Any) -> list[Row]:
    """Rows of a query with its examples and defaults, but for what is given."""
    query = store.queries[f"explore/{name}"]
    return store.read(query.name, **{**query.defaults, **query.examples, **given})


def example(store: Store, name: str, parameter: str) -> Any:
    return store.queries[f"explore/{name}"].examples[parameter]


def near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)


@dataclass
class Raw:
    """What is in the graph, read by the plainest statements.

    `found` are communities of the run with their properties, `own` the community of each account, `member` and
    `second` properties of memberships by account and community; `wrote` are (account, post, when) of posts that were
    written, and of reposts.
    """

    run: str
    accounts: dict[str, Row]
    follows: set[Pair]
    found: dict[str, Row]
    own: dict[str, str]
    member: dict[str, Row]
    second: dict[Pair, Row]

    @property
    def graph(self) -> nx.DiGraph[str]:
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.accounts)
        graph.add_edges_from(self.follows)
        return graph

    @property
    def hidden(self) -> set[str]:
        return {key for key, one in self.accounts.items() if one.get("opted_out")}

    def members(self, community: str) -> set[str]:
        return {key for key, own in self.own.items() if own == community}

    def inside(self, community: str) -> nx.DiGraph[str]:
        return nx.DiGraph(self.graph.subgraph(self.members(community)))

    def handle(self, key: str) -> str | None:
        handle: str | None = self.accounts[key].get("handle")
        return handle

    def by_size(self) -> list[str]:
        return sorted(self.found, key=lambda id: (-self.found[id]["size"], id))


def raw_rows(store: Store, run: str) -> Raw:
    accounts = store.statement("MATCH (a:Account) RETURN a {.*} AS a")
    follows = store.statement("MATCH (a:Account)-[:FOLLOWS]->(b:Account) RETURN a.key AS a, b.key AS b")
    found = store.statement("MATCH (:Run {id: $run})-[:FOUND]->(c:Community) RETURN c {.*} AS c", run=run)
    member = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c:Community)<-[m:MEMBER_OF]-(a:Account) "
        "RETURN a.key AS key, c.id AS id, m {.*} AS m",
        run=run,
    )
    first = [one for one in member if one["m"]["primary"]]
    return Raw(
        run=run,
        accounts={one["a"]["key"]: one["a"] for one in accounts},
        follows={(one["a"], one["b"]) for one in follows},
        found={one["c"]["id"]: one["c"] for one in found if one["c"]["level"] == 0},
        own={one["key"]: one["id"] for one in first},
        member={one["key"]: one["m"] for one in first},
        second={(one["key"], one["id"]): one["m"] for one in member if not one["m"]["primary"]},
    )


def told(store: Store) -> list[tuple[str, str, str, datetime | None]]:
    """Account, post, topic and when, of posts about topics that were written or reposted."""
    wrote = store.statement(
        "MATCH (a:Account)-[:POSTED]->(p:Post)-[:ABOUT]->(t) RETURN a.key AS a, p.key AS p, t.name AS t, p.at AS at"
    )
    shared = store.statement(
        "MATCH (a:Account)-[w:RESPONDED {kind: 'repost'}]->(p:Post)-[:ABOUT]->(t) "
        "RETURN a.key AS a, p.key AS p, t.name AS t, w.at AS at"
    )
    return [(one["a"], one["p"], one["t"], one["at"]) for one in wrote + shared]


@pytest.fixture(scope="module")
def filled(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str]]:
    """The sample of the demo, analysed."""
    folder = tmp_path_factory.mktemp("sample")
    with Store(store_address) as store:
        clear(store)
        import_folder(store_address, write_sample(folder / "sample"), folder / "reports", no_progress)
        yield store, publish(store)


@pytest.fixture(scope="module")
def sample(filled: tuple[Store, str]) -> tuple[Store, Raw]:
    """The same with all that is in it."""
    store, run = filled
    return store, raw_rows(store, run)


# --- laws of all of them ----------------------------------------------------------------------------------


def test_every_example_gives_rows_in_a_total_order_and_twice_the_same(sample: tuple[Store, Raw]) -> None:
    store, _ = sample
    for name in QUERIES:
        query = store.queries[f"explore/{name}"]
        rows = explore(store, name)
        assert rows, name
        assert explore(store, name) == rows, name
        if "most" in query.defaults and name != "between":  # there several lines are of one account
            assert len(rows) <= query.defaults["most"]
            assert explore(store, name, most=3) == rows[:3], name
            assert explore(store, name, most=ALL)[: len(rows)] == rows, name


def named(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(named, value.values()))
    if isinstance(value, list):
        return set().union(*map(named, value))
    return {value} if isinstance(value, str) else set()


def test_nobody_is_named_who_opted_out_before_the_run_or_since_nor_who_is_to_be_erased(
    sample: tuple[Store, Raw],
) -> None:
    store, raw = sample
    assert raw.hidden
    for name in QUERIES:
        before = explore(store, name, **({"some": ALL} if name == "gates" else {}))
        assert not named(before) & raw.hidden, name
        new = sorted(named(before) & set(raw.accounts))[:5]
        handles = {raw.handle(key) for key in new}
        for wish in ("opted_out: true", "erasure_asked_at: datetime()"):
            store.statement(f"MATCH (a:Account) WHERE a.key IN $keys SET a += {{{wish}}}", keys=new)
            try:
                assert not named(explore(store, name)) & {*new, *handles}, (name, wish)
            finally:
                store.statement(
                    "MATCH (a:Account) WHERE a.key IN $keys SET a += {opted_out: null, erasure_asked_at: null}",
                    keys=new,
                )


# --- Communities ------------------------------------------------------------------------------------------


def test_communities(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    rows = explore(store, "communities", most=ALL)
    assert [one["community"] for one in rows] == raw.by_size()
    assert explore(store, "communities") == rows[:20]
    for row in rows:
        members = raw.members(row["community"])
        inside = raw.inside(row["community"])
        given = sum(a in members for a, _ in raw.follows)
        who = [raw.member[key] for key in members]
        assert row["size"] == len(members)
        assert row["base"] == sum(one["in_base"] for one in who)
        assert row["candidates"] == sum("rank" in one for one in who)
        assert row["confidence"] == pytest.approx(np.mean([one["confidence"] for one in who]), rel=1e-6)
        assert row["reciprocity"] == pytest.approx(nx.overall_reciprocity(inside), rel=1e-6)
        assert row["stays_inside"] == near(inside.number_of_edges() / given)
        assert row["respectable"] == (row["failed_tests"] == [])
    assert any(row["respectable"] for row in rows)
    assert any(not row["respectable"] for row in rows)


def test_reciprocity(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    rows = explore(store, "reciprocity")
    whole = nx.overall_reciprocity(raw.graph)
    graphs = {id: raw.inside(id) for id in raw.found if raw.found[id]["size"] >= 10}
    assert [row["community"] for row in rows] == sorted(graphs, key=lambda id: (-graphs[id].number_of_edges(), id))
    for row in rows:
        graph = graphs[row["community"]]
        returned = sum(graph.has_edge(b, a) for a, b in graph.edges)
        assert (row["follows_inside"], row["returned"]) == (graph.number_of_edges(), returned)
        assert row["reciprocity"] == near(nx.overall_reciprocity(graph))
        assert row["whole_graph"] == near(whole)
        assert row["times"] == near(nx.overall_reciprocity(graph) / whole)


def test_values_are_those_of_the_service_and_of_everybody_counted_once(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    posts = [one for one in told(store) if one[0] not in raw.hidden]
    about: dict[str, set[str]] = defaultdict(set)
    for account, _, topic, _ in posts:
        about[topic].add(account)
    everybody = {one[0] for one in posts}
    said = 0
    for community in (id for id in raw.found if raw.found[id]["size"] >= 10):
        members = raw.members(community) & everybody
        others = everybody - members
        rows = explore(store, "values", community=community, most=ALL)
        expected = {topic: len(who & members) for topic, who in about.items() if len(who & members) >= 3}
        assert {row["topic"]: row["members"] for row in rows} == expected
        assert rows == sorted(rows, key=lambda row: (-row["surprise"], row["topic"]))
        for row in rows:
            who = about[row["topic"]]
            counts = len(who & members), len(members), len(who & others), len(others)
            assert row["others"] == counts[2]
            assert row["share"] == near(counts[0] / counts[1])
            assert row["share_elsewhere"] == near(counts[2] / counts[3])
            assert row["ratio"] == near(row["share"] / row["share_elsewhere"] if counts[2] else None)
            [z] = surprise(*(np.array([count]) for count in counts))
            assert row["surprise"] == pytest.approx(z, rel=1e-6, abs=1e-5)
        names = [row["topic"] for row in rows if row["named"]]
        assert names == raw.found[community]["values"], "strongest first, as the service says"
        for row in rows:
            if row["named"]:  # in the sample all topics are stated
                said += 1
                assert row["said_share"] == pytest.approx(row["share"], rel=1e-6)
                assert row["said_elsewhere"] == pytest.approx(row["share_elsewhere"], rel=1e-6)
            else:
                assert (row["said_share"], row["said_elsewhere"]) == (None, None)
    assert said > 20


def test_core(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    community = example(store, "core", "community")
    graph = raw.inside(community)
    mutual = graph.to_undirected(reciprocal=True)
    for least in (1, 5):
        expected = [
            {
                "account": key,
                "handle": raw.handle(key),
                "mutual": mutual.degree(key),
                "share": near(mutual.degree(key) / (len(graph) - 1)),
                "followers_inside": graph.in_degree(key),
                "follows_inside": graph.out_degree(key),
            }
            for key in sorted(graph, key=lambda key: (-mutual.degree(key), key))
            if mutual.degree(key) >= least and key not in raw.hidden
        ]
        assert explore(store, "core", least=least, most=ALL) == expected


def test_roles(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    for community in (id for id in raw.found if raw.found[id]["size"] >= 10):
        base = {key: raw.member[key] for key in raw.members(community) if raw.member[key]["in_base"]}
        assert not any(raw.member[key].get("roles") for key in raw.members(community) - base.keys())
        roles = Counter(role for one in base.values() for role in one.get("roles", ()))
        expected = []
        for role, accounts in sorted(roles.items(), key=lambda one: (-one[1], one[0])):
            who = {key: one for key, one in base.items() if role in one.get("roles", ())}
            best = min((key for key in who if key not in raw.hidden), key=lambda key: (-who[key]["score"], key))
            expected.append(
                {
                    "role": role,
                    "accounts": accounts,
                    "share": near(accounts / len(base)),
                    "candidates": sum("rank" in one for one in who.values()),
                    "best": best,
                    "handle": raw.handle(best),
                    "score": who[best]["score"],
                }
            )
        assert explore(store, "roles", community=community) == expected


def test_gates(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    expected = []
    for community in raw.by_size():
        members = raw.members(community)
        gates = Counter(raw.member[key].get("gate") for key in members)
        del gates[None]
        for gate, accounts in sorted(gates.items(), key=lambda one: (-one[1], one[0])):
            who = [key for key in sorted(members) if raw.member[key].get("gate") == gate and key not in raw.hidden]
            share = near(accounts / len(members))
            row = {"community": community, "size": len(members), "gate": gate, "accounts": accounts, "share": share}
            expected.append({**row, "names": who[:3]})
    assert explore(store, "gates") == expected
    assert {row["gate"] for row in expected} == {"opted_out", "brand_account", "inactive"}
    kept_out = sum(raw.found[id]["size"] - raw.found[id]["base"] for id in raw.found)
    assert sum(row["accounts"] for row in expected) == kept_out
    first = expected[0]["community"]
    assert explore(store, "gates", community=first) == [row for row in expected if row["community"] == first]


def test_topic_communities(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    posts = told(store)
    for topic in (example(store, "topic_communities", "topic"), "velo"):
        by_community = defaultdict(list)
        for account, post, about, at in posts:
            if about == topic and account in raw.own:
                by_community[raw.own[account]].append((account, post, at))
        rows = {row["community"]: row for row in explore(store, "topic_communities", topic=topic, most=ALL)}
        assert rows.keys() == by_community.keys()
        for community, lines in by_community.items():
            members, times = {one[0] for one in lines}, [one[2] for one in lines if one[2]]
            assert rows[community] == {
                "community": community,
                "topics": raw.found[community]["topics"],
                "members": len(members),
                "share": near(len(members) / raw.found[community]["size"]),
                "posts": len({one[1] for one in lines}),
                "first": min(times),
                "last": max(times),
            }
        order = [(-row["members"], -row["posts"], id) for id, row in rows.items()]
        assert order == sorted(order)
    assert explore(store, "topic_communities", topic="of no post") == []


def test_isolates_and_groups(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    rows = explore(store, "isolates_and_groups", least=1)
    *groups, isolates = rows
    assert (isolates["level"], isolates["id"], isolates["communities"]) == (None, None, [])
    assert isolates["accounts"] == len(raw.accounts) - len(raw.own) > 0
    part_of = {
        row["id"]: row["whole"]
        for row in store.statement("MATCH (c:Community)-[:PART_OF]->(g:Community) RETURN c.id AS id, g.id AS whole")
    }
    levels = {row["level"] for row in groups}
    assert levels == set(range(1, len(levels) + 1))
    for level in levels:
        there = [row for row in groups if row["level"] == level]
        assert sum(row["accounts"] for row in there) == len(raw.own)
        assert sum(row["share"] for row in there) + isolates["share"] == near(1.0)
        held = defaultdict(list)
        for community in sorted(raw.found):
            whole = community
            for _ in range(level):
                whole = part_of[whole]
            held[whole].append(community)
        assert {row["id"]: row["communities"] for row in there} == held
        for row in there:
            assert row["accounts"] == sum(raw.found[id]["size"] for id in row["communities"])
            assert row["part_of"] == part_of.get(row["id"])
    assert explore(store, "isolates_and_groups") == [row for row in groups if row["accounts"] >= 10] + [isolates]


def gini(values: list[int]) -> float:
    """Half the mean difference of all pairs over the mean: the definition, not the formula of the query."""
    mean = sum(values) / len(values)
    return sum(abs(a - b) for a in values for b in values) / (2 * len(values) ** 2 * mean)


def test_hubs_and_periphery(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    rows = explore(store, "hubs_and_periphery", least=2)
    assert [row["community"] for row in rows] == raw.by_size()
    assert explore(store, "hubs_and_periphery") == [row for row in rows if row["size"] >= 50]
    for row in rows:
        graph = raw.inside(row["community"])
        degrees = sorted((degree for _, degree in graph.in_degree), reverse=True)
        follows = graph.number_of_edges()
        assert (row["size"], row["follows_inside"]) == (len(graph), follows)
        assert row["topics"] == raw.found[row["community"]]["topics"]
        assert row["gini"] == near(gini(degrees))
        assert row["top_1_percent"] == near(sum(degrees[: math.ceil(len(degrees) / 100)]) / follows)
        assert row["top_10_percent"] == near(sum(degrees[: math.ceil(len(degrees) / 10)]) / follows)
        assert row["unfollowed"] == near(degrees.count(0) / len(degrees))


# --- Between communities ----------------------------------------------------------------------------------


def test_bridges(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    here, there = (raw.members(example(store, "bridges", one)) for one in ("here", "there"))
    graph, expected = raw.graph, []
    for key in raw.accounts.keys() - raw.hidden:
        followers, follows = set(graph.predecessors(key)), set(graph.successors(key))
        counts = [len(one) for one in (followers & here, follows & here, followers & there, follows & there)]
        if all(counts):
            h, t = counts[0] + counts[1], counts[2] + counts[3]
            expected.append((key, *counts, 2 / (1 / h + 1 / t)))
    expected.sort(key=lambda one: (-round(one[-1], 9), one[0]))
    rows = explore(store, "bridges", most=ALL)
    columns = ("account", "followers_here", "follows_here", "followers_there", "follows_there")
    assert [tuple(row[one] for one in columns) for row in rows] == [one[:-1] for one in expected]
    assert [row["bridging"] for row in rows] == [near(one[-1]) for one in expected]
    for row in rows:
        assert (row["handle"], row["community"]) == (raw.handle(row["account"]), raw.own.get(row["account"]))
    assert {row["community"] for row in rows} > {example(store, "bridges", "here"), example(store, "bridges", "there")}


def test_between(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    elsewhere = defaultdict(list)
    for (key, community), membership in raw.second.items():
        elsewhere[key].append((community, membership["share"]))
    expected = []
    for key in sorted(elsewhere.keys() - raw.hidden, key=lambda key: (raw.member[key]["share"], key)):
        own = raw.member[key]
        assert own["confidence"] == 1.0, "in the sample all are sure, so that those are left who belong to several"
        row = {"account": key, "handle": raw.handle(key), "community": raw.own[key], "confidence": 1.0}
        for community, share in sorted(elsewhere[key], key=lambda one: (-one[1], one[0])):
            expected.append({**row, "share": own["share"], "elsewhere": community, "share_elsewhere": share})
    assert explore(store, "between", most=ALL) == expected
    first = list(dict.fromkeys(row["account"] for row in expected))[:20]
    assert explore(store, "between") == [row for row in expected if row["account"] in first]
    one = expected[0]["community"]
    assert explore(store, "between", community=one, most=ALL) == [row for row in expected if row["community"] == one]
    everybody = explore(store, "between", below=1.1, most=ALL)
    assert {row["account"] for row in everybody} == raw.own.keys() - raw.hidden


def test_flows_between(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    flows = Counter((raw.own[a], raw.own[b]) for a, b in raw.follows if a in raw.own and b in raw.own)
    given: Counter[str] = Counter()
    leaving: Counter[str] = Counter()
    incoming: Counter[str] = Counter()
    for (source, target), follows in flows.items():
        given[source] += follows
        if source != target:
            leaving[source] += follows
            incoming[target] += follows
    expected = []
    for (source, target), follows in sorted(flows.items(), key=lambda one: (-one[1], one[0])):
        if source != target:
            by_size = leaving[source] * incoming[target] / sum(incoming[id] for id in raw.found if id != source)
            row = {"source": source, "target": target, "follows": follows, "share": near(follows / given[source])}
            expected.append({**row, "expected": near(by_size), "times_expected": near(follows / by_size)})
    rows = explore(store, "flows_between", most=ALL)
    assert rows == expected
    assert explore(store, "flows_between") == rows[:50]


def test_outsiders(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    community = example(store, "outsiders", "community")
    members = raw.members(community)
    inside = Counter(b for a, b in raw.follows if a in members and b not in members | raw.hidden)
    followers = Counter(b for _, b in raw.follows)
    expected = [
        {
            "account": key,
            "handle": raw.handle(key),
            "own_community": raw.own.get(key),
            "members": count,
            "share": near(count / len(members)),
            "followers": followers[key],
            "share_of_followers": near(count / followers[key]),
        }
        for key, count in sorted(inside.items(), key=lambda one: (-one[1], one[0]))
    ]
    assert explore(store, "outsiders", most=ALL) == expected


def test_overlap(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    belongs = defaultdict(set)
    for key, community in [*raw.own.items(), *raw.second]:
        belongs[community].add(key)
    for least in (1, 3):
        audience = {}
        for community in raw.found:
            members = raw.members(community)
            counts = Counter(a for a, b in raw.follows if b in members)
            audience[community] = {key for key, count in counts.items() if count >= least}
        expected = {}
        for one, other in combinations(sorted(raw.found), 2):
            both, second = len(audience[one] & audience[other]), len(belongs[one] & belongs[other])
            if both or second:
                sizes = len(audience[one]), len(audience[other])
                share = near(both / min(sizes)) if all(sizes) else None
                expected[one, other] = (second, *sizes, both, share)
        rows = explore(store, "overlap", least=least, most=ALL)
        columns = ("members_of_both", "audience_of_one", "audience_of_other", "audience_of_both", "share")
        assert {(row["one"], row["other"]): tuple(row[one] for one in columns) for row in rows} == expected
        order = [(-row["audience_of_both"], -row["members_of_both"], row["one"], row["other"]) for row in rows]
        assert order == sorted(order)


# --- Over time --------------------------------------------------------------------------------------------


def test_activity(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    [run] = store.statement("MATCH (r:Run {id: $run}) RETURN r.as_of AS as_of", run=raw.run)
    last = run["as_of"].to_native().date()
    engaged = store.statement(
        "MATCH (a)-[e:ENGAGED]->(b) RETURN a.key AS a, b.key AS b, e.day AS day, "
        "e.likes + e.replies + e.mentions + e.reposts AS n"
    )
    posted = store.statement("MATCH (a)-[:POSTED]->(p) WHERE p.at IS NOT NULL RETURN a.key AS a, p.at AS at")

    def week(day: date) -> int:
        return (last - day).days // 7

    active: dict[tuple[str | None, int], set[str]] = defaultdict(set)
    posts: Counter[tuple[str | None, int]] = Counter()
    inside: Counter[tuple[str | None, int]] = Counter()
    for one in engaged:
        place = raw.own.get(one["a"]), week(one["day"].to_native())
        active[place].add(one["a"])
        inside[place] += one["n"] if place[0] == raw.own.get(one["b"]) else 0
    for one in posted:
        place = raw.own.get(one["a"]), week(one["at"].to_native().date())
        active[place].add(one["a"])
        posts[place] += 1
    for weeks in (4, 60):  # longer ago than anything that happened
        expected = [
            {
                "community": id,
                "topics": raw.found[id]["topics"],
                "week": ago,
                "first_day": last - timedelta(days=7 * ago + 6),
                "active": len(active[id, ago]),
                "share": near(len(active[id, ago]) / raw.found[id]["size"]),
                "posts": posts[id, ago],
                "interactions_inside": inside[id, ago],
            }
            for id in raw.by_size()
            if raw.found[id]["size"] >= 10
            for ago in range(weeks)
        ]
        assert explore(store, "activity", weeks=weeks) == expected
    assert expected[-1]["active"] == 0


def test_of_the_first_run_all_communities_are_born_and_all_members_joined(sample: tuple[Store, Raw]) -> None:
    store, raw = sample
    rows = explore(store, "lineage")
    assert [row["community"] for row in rows] == raw.by_size()
    assert {row["happened"] for row in rows} == {"born"}
    assert {row["predecessor"] for row in rows} == {None}
    community = example(store, "growth", "community")
    assert explore(store, "growth") == [
        {
            "change": "joined",
            "other": None,
            "accounts": len(raw.members(community)),
            "share_of_before": None,
            "share_of_after": 1.0,
            "run_before": None,
            "run_after": raw.run,
        }
    ]


@pytest.fixture(scope="module")
def two_runs(filled: tuple[Store, str]) -> tuple[Store, Raw, Raw]:
    """The sample, changed and analysed again: some moved, some came, two pairs are one circle now."""
    store, run = filled
    before = raw_rows(store, run)
    large = before.by_size()
    ties = Counter(key for pair in before.follows for key in pair)
    hosts = sorted(before.members(large[0]), key=lambda key: (-ties[key], key))[:40]
    movers = sorted(before.members(large[1]), key=lambda key: (ties[key], key))[:12]
    new = [f"sample:new{i}" for i in range(14)]
    pairs = [sorted(before.members(id)) for id in large if before.found[id]["size"] == 2]
    alone = [pair for pair in pairs if all(ties[key] == 2 for key in pair)][:2]
    circle = [key for pair in alone for key in pair]
    assert len(circle) == 4
    follows = {(a, b) for group in (new, circle) for a in group for b in group if a != b}
    follows |= {tie for mover in movers for host in hosts for tie in ((mover, host), (host, mover))}
    apply_follows(store, [Follow(a, b) for a, b in sorted(follows - before.follows)])
    # Who only follows would be empty, and in no community.
    store.statement(
        "MATCH (g:Graph) SET g.v = g.v + 1 WITH g.v AS v "
        "MATCH (a:Account)-[:FOLLOWS]->(b:Account) WHERE a.key IN $new AND b.key IN $new "
        "CREATE (a)-[:ENGAGED {day: date('2025-06-20'), likes: 2, replies: 1, mentions: 0, reposts: 0, v: v}]->(b)",
        new=new,
    )
    return store, before, raw_rows(store, publish(store))


def test_growth_between_two_runs(two_runs: tuple[Store, Raw, Raw]) -> None:
    store, before, after = two_runs
    moved = 0
    for community in sorted(before.found.keys() | after.found.keys()):
        then, now = before.members(community), after.members(community)
        counts = Counter([("stayed", None, len(then & now) > 0)] * len(then & now))
        counts.update(("joined", before.own.get(key), True) for key in now - then)
        counts.update(("left", after.own.get(key), True) for key in then - now)
        moved += len(then ^ now)
        expected = {
            (change, other): (
                count,
                None if change == "joined" else near(count / len(then)),
                None if change == "left" else near(count / len(now)),
            )
            for (change, other, _), count in counts.items()
        }
        rows = explore(store, "growth", community=community)
        shares = ("accounts", "share_of_before", "share_of_after")
        assert {(row["change"], row["other"]): tuple(row[one] for one in shares) for row in rows} == expected
        assert {(row["run_before"], row["run_after"]) for row in rows} == {(before.run, after.run)}
        assert explore(store, "growth", community=community, before=before.run, after=after.run) == rows
        back = explore(store, "growth", community=community, before=after.run, after=before.run)
        turned = {"joined": "left", "left": "joined", "stayed": "stayed"}
        assert {(turned[row["change"]], row["other"], row["accounts"]) for row in back} == {
            (row["change"], row["other"], row["accounts"]) for row in rows
        }
    assert moved > 20
    assert explore(store, "growth", community="of no run") == []


def test_moves_between_two_runs(two_runs: tuple[Store, Raw, Raw]) -> None:
    store, before, after = two_runs

    def moves(then: Raw, now: Raw) -> dict[tuple[str | None, str | None], int]:
        return Counter((then.own.get(key), now.own.get(key)) for key in then.own.keys() | now.own.keys())

    rows = explore(store, "moves")
    expected = moves(before, after)
    assert {(row["source"], row["target"]): row["accounts"] for row in rows} == expected
    assert len(rows) == len(expected)
    assert [row["accounts"] for row in rows] == sorted(expected.values(), reverse=True)
    for row in rows:
        source, target = row["source"], row["target"]
        assert row["share_of_source"] == (near(row["accounts"] / len(before.members(source))) if source else None)
        assert row["share_of_target"] == (near(row["accounts"] / len(after.members(target))) if target else None)
        assert row["source_topics"] == (before.found[source]["topics"] or [] if source else [])
        assert row["target_topics"] == (after.found[target]["topics"] or [] if target else [])
        assert (row["run_before"], row["run_after"]) == (before.run, after.run)
    back = explore(store, "moves", before=after.run, after=before.run)
    assert {(row["source"], row["target"]): row["accounts"] for row in back} == moves(after, before)
    assert {bool(row["source"] and row["target"] and row["source"] != row["target"]) for row in rows} == {True, False}


def test_of_runs_that_are_not_done_nothing_is_said(two_runs: tuple[Store, Raw, Raw]) -> None:
    store, _, after = two_runs
    some = max(after.found, key=lambda one: int(after.found[one]["size"]))
    store.statement("CREATE (:Run {id: 'failed', state: 'failed'}), (:Run {id: 'going', state: 'running'})")
    for run in ("failed", "going", "of nobody"):
        assert explore(store, "moves", after=run) == []
        assert explore(store, "growth", community=some, after=run) == []
        for row in [*explore(store, "moves", before=run), *explore(store, "growth", community=some, before=run)]:
            assert row["run_before"] is None
    store.statement("MATCH (r:Run) WHERE r.id IN ['failed', 'going'] DELETE r")


def test_lineage_of_two_runs(two_runs: tuple[Store, Raw, Raw]) -> None:
    store, before, after = two_runs
    rows = explore(store, "lineage", most=ALL)
    goes_on = [row for row in rows if row["community"] in after.found]
    ended = [row for row in rows if row["community"] not in after.found]
    assert rows == goes_on + ended
    assert {row["community"] for row in goes_on} == after.found.keys()
    assert {row["community"] for row in ended} == before.found.keys() - after.found.keys()
    for row in goes_on:
        now = after.members(row["community"])
        assert (row["size"], row["went_to"]) == (len(now), [])
        if row["happened"] == "born":
            assert row["community"] not in before.found
            assert row["predecessor"] is None
            continue
        then = before.members(row["predecessor"])
        assert row["accounts"] == len(then & now)
        assert row["share_of_predecessor"] == pytest.approx(len(then & now) / len(then), rel=1e-6)
        assert row["share_of_community"] == pytest.approx(len(then & now) / len(now), rel=1e-6)
        assert (row["happened"] in ("continues", "unchanged")) == (row["community"] == row["predecessor"])
        assert row["happened"] != "unchanged" or then == now
    for row in ended:
        then = before.members(row["community"])
        assert row["size"] == len(then)
        where = {after.own[key] for key in then if key in after.own}
        assert set(row["went_to"]) <= where
        assert bool(row["went_to"]) == (row["happened"] != "died")
    assert {row["happened"] for row in rows} >= {"continues", "merges", "born", "merged"}


# --- a graph made by hand ---------------------------------------------------------------------------------

BY_HAND = """
CREATE (:Current {id: 1, run: 'r2'})
CREATE (r1:Run {id: 'r1', state: 'done', start: 'cold'}), (r2:Run {id: 'r2', state: 'done', start: 'r1'})
CREATE (old:Community {id: 'a', run: 'r1', level: 0, kind: 'found', size: 5, topics: []})
CREATE (a:Community {id: 'a', run: 'r2', level: 0, kind: 'found', size: 3, topics: []})
CREATE (b:Community {id: 'b', run: 'r2', level: 0, kind: 'found', size: 3, topics: []})
CREATE (t:Community {id: 't', run: 'r2', level: 0, kind: 'topic', size: 3, topics: []})
CREATE (r1)-[:FOUND]->(old), (r1)-[:FOUND]->(b), (r2)-[:FOUND]->(a), (r2)-[:FOUND]->(b), (r2)-[:FOUND]->(t)
WITH *
UNWIND ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'x', 'y'] AS key
CREATE (k:Account {key: key})
FOREACH (_ IN CASE WHEN key STARTS WITH 'a' THEN [1] ELSE [] END |
  CREATE (k)-[:MEMBER_OF {primary: true, in_base: true, share: 0.9, confidence: 0.9}]->(a)
  CREATE (k)-[:MEMBER_OF {primary: true, in_base: true, share: 0.9, confidence: 0.9}]->(old))
FOREACH (_ IN CASE WHEN key STARTS WITH 'b' THEN [1] ELSE [] END |
  CREATE (k)-[:MEMBER_OF {primary: true, in_base: true, share: 0.8, confidence: 0.8}]->(b))
FOREACH (_ IN CASE WHEN key IN ['x', 'a1', 'b1'] THEN [1] ELSE [] END |
  CREATE (k)-[:MEMBER_OF {primary: false, in_base: true}]->(t))
"""


def follow(store: Store, *pairs: str) -> None:
    store.statement(
        "UNWIND $pairs AS p MATCH (a:Account {key: p[0]}), (b:Account {key: p[1]}) CREATE (a)-[:FOLLOWS]->(b)",
        pairs=[pair.split() for pair in pairs],
    )


@pytest.fixture
def by_hand(store: Store) -> Store:
    """Two communities, a1 to a3 and b1 to b3, x and y in none; x, a1 and b1 are what people defined as a community."""
    store.statement(BY_HAND)
    return store


def test_a_bridge_counts_by_its_weaker_side_and_may_be_in_no_community(by_hand: Store) -> None:
    follow(by_hand, "a1 x", "x a1", "b1 x", "x b1", "b2 x", "x b2", "a1 y", "y b1", "a2 b1", "b1 a2", "b1 b2", "b2 b1")
    rows = explore(by_hand, "bridges", here="a", there="b")
    of_x = {"account": "x", "handle": None, "community": None, "followers_here": 1, "follows_here": 1}
    of_x |= {"followers_there": 2, "follows_there": 2, "bridging": near(8 / 3)}
    of_b1 = {"account": "b1", "handle": None, "community": "b", "followers_here": 1, "follows_here": 1}
    of_b1 |= {"followers_there": 1, "follows_there": 1, "bridging": near(2.0)}
    assert rows == [of_x, of_b1]  # y leads one way only, a2 is followed by nobody of its own
    by_hand.statement("MATCH (a:Account {key: 'x'}) SET a.opted_out = true")
    assert explore(by_hand, "bridges", here="a", there="b") == [of_b1]


def test_who_is_not_sure_comes_first_also_where_it_belongs_nowhere_else(by_hand: Store) -> None:
    by_hand.statement("MATCH (:Account {key: 'b2'})-[m:MEMBER_OF {primary: true}]->() SET m.confidence = 0.4")
    by_hand.statement("MATCH (:Account {key: 'b3'})-[m:MEMBER_OF {primary: true}]->() SET m.confidence = 0.6")
    by_hand.statement(
        "MATCH (a:Account), (c:Community {id: 'a', run: 'r2'}) WHERE a.key IN ['b1', 'b3'] "
        "CREATE (a)-[:MEMBER_OF {primary: false, share: 0.15}]->(c)"
    )
    rows = explore(by_hand, "between")
    columns = ("account", "community", "confidence", "share", "elsewhere", "share_elsewhere")
    assert [tuple(row[one] for one in columns) for row in rows] == [
        ("b2", "b", 0.4, 0.8, None, None),
        ("b3", "b", 0.6, 0.8, "a", 0.15),
        ("b1", "b", 0.8, 0.8, "a", 0.15),
    ]
    assert explore(by_hand, "between", community="a") == []


def test_a_community_that_people_defined_has_a_core_and_outsiders(by_hand: Store) -> None:
    follow(by_hand, "a1 x", "x a1", "b1 x", "x y", "a1 y", "a1 a2")
    [row] = explore(by_hand, "core", community="t", least=1, most=1)
    assert row == {
        "account": "a1", "handle": None, "mutual": 1, "share": 0.5, "followers_inside": 1, "follows_inside": 1,
    }  # fmt: skip
    rows = explore(by_hand, "outsiders", community="t")
    assert [(row["account"], row["own_community"], row["members"], row["share"]) for row in rows] == [
        ("y", None, 2, near(2 / 3)),
        ("a2", "a", 1, near(1 / 3)),
    ]
    # Nor do they count among communities that were found.
    assert {row["community"] for row in explore(by_hand, "hubs_and_periphery", least=1)} == {
        "a",
    }
    assert explore(by_hand, "isolates_and_groups")[-1]["accounts"] == 2


def test_few_hubs_are_unequal(by_hand: Store) -> None:
    follow(by_hand, "a1 a2", "a3 a2", "b1 b2", "b2 b3", "b3 b1", "a1 b1")
    rows = explore(by_hand, "hubs_and_periphery", least=1)
    assert [(row["community"], row["gini"], row["top_1_percent"], row["unfollowed"]) for row in rows] == [
        ("a", near(2 / 3), 1.0, near(2 / 3)),
        ("b", near(0.0), near(1 / 3), 0.0),
    ]


def test_who_left_the_graph_for_no_community(by_hand: Store) -> None:
    by_hand.statement(
        "MATCH (a:Account), (c:Community {id: 'a', run: 'r1'}) WHERE a.key IN ['x', 'y'] "
        "CREATE (a)-[:MEMBER_OF {primary: true, in_base: true}]->(c)"
    )
    rows = explore(by_hand, "growth", community="a")
    assert [(row["change"], row["other"], row["accounts"], row["share_of_before"]) for row in rows] == [
        ("stayed", None, 3, near(0.6)),
        ("left", None, 2, near(0.4)),
    ]
    assert [(row["change"], row["accounts"]) for row in explore(by_hand, "growth", community="b")] == [("stayed", 3)]
    by_hand.statement("MATCH (r:Run {id: 'r1'}) SET r.removed_at = datetime()")
    [row] = explore(by_hand, "growth", community="a")
    assert (row["change"], row["accounts"], row["run_before"]) == ("joined", 3, None)


def test_what_did_not_change_has_no_origin_but_itself(by_hand: Store) -> None:
    by_hand.statement(
        "MATCH (a:Community {id: 'a', run: 'r2'}), (old:Community {id: 'a', run: 'r1'}), (b:Community {id: 'b'}), "
        "(r1:Run {id: 'r1'}) "
        "CREATE (a)-[:CONTINUES {accounts: 3, share_of_it: 0.6, share_of_this: 1.0, counts: true}]->(old) "
        "CREATE (r1)-[:FOUND]->(z:Community {id: 'z', run: 'r1', level: 0, kind: 'found', size: 4, topics: ['tea'], "
        "ended: 'merged', ended_in: 'r2', ended_into: ['a']}) "
        "CREATE (a)-[:MERGES {accounts: 1, share_of_it: 0.25, share_of_this: 1.0 / 3, counts: false}]->(z) "
        # What b came from when it last changed is of before the run that is served.
        "CREATE (b)-[:SPLITS {accounts: 3, share_of_it: 0.1, share_of_this: 1.0, counts: true}]->(:Community {id: 'w'})"
    )
    columns = ("community", "happened", "predecessor", "accounts", "share_of_predecessor", "counts", "went_to")
    assert [tuple(row[one] for one in columns) for row in explore(by_hand, "lineage")] == [
        ("a", "continues", "a", 3, 0.6, True, []),
        ("a", "merges", "z", 1, 0.25, False, []),
        ("b", "unchanged", "b", 3, 1.0, True, []),
        ("z", "merged", None, None, None, None, ["a"]),
    ]


def test_a_flow_is_expected_by_what_others_receive_from_outside(by_hand: Store) -> None:
    by_hand.statement(
        "MATCH (r:Run {id: 'r2'}) CREATE (r)-[:FOUND]->(c:Community {id: 'c', run: 'r2', level: 0, kind: 'found'}) "
        "WITH c MATCH (a:Account) WHERE a.key IN ['x', 'y'] CREATE (a)-[:MEMBER_OF {primary: true}]->(c)"
    )
    follow(by_hand, "a1 b1", "a1 b2", "a2 x", "a1 a2", "b1 x", "b2 x", "b3 x", "x b1")
    # b receives 3 from outside and c 4: of the 3 follows that leave a, 9 / 7 are expected to go to b.
    rows = {(row["source"], row["target"]): row for row in explore(by_hand, "flows_between")}
    assert rows.keys() == {("a", "b"), ("a", "c"), ("b", "c"), ("c", "b")}
    numbers = [rows["a", "b"][one] for one in ("follows", "share", "expected", "times_expected")]
    assert numbers == [2, 0.5, near(9 / 7), near(14 / 9)]
    assert rows["b", "c"]["times_expected"] == near(1.0)  # a receives nothing, and so is expected to
