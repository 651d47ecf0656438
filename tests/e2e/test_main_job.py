"""The main job on real graphs, through the command, the store and HTTP."""

from __future__ import annotations

import ast
import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.domain import Candidate, CommunityCandidates, StoreAddress
from service.store.driver import Store
from tests.api.conftest import api_settings

Shared = Callable[[str], Path]
Entourage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def entourage(store_address: StoreAddress, tmp_path: Path) -> Entourage:
    """Run the command in a process of its own against the tests' Neo4j."""
    environment = {
        **os.environ,
        "ENTOURAGE_NEO4J_URI": store_address.uri,
        "ENTOURAGE_NEO4J_USER": store_address.user,
        "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
    }

    def run(*arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def http(store_address: StoreAddress, store: Store) -> Iterator[TestClient]:  # an empty graph
    """The API over the tests' Neo4j."""
    with TestClient(create_app(api_settings(store_address)), base_url="http://127.0.0.1:8000") as client:
        yield client


def congress_follows(shared_data: Shared) -> dict[tuple[str, str], float]:
    """Read independently: a line `author sharer {'weight': w}` says that the sharer listens to the author."""
    follows = {}
    for line in shared_data("congress117-twitter/congress.edgelist").read_text().splitlines():
        author, sharer, data = line.split(" ", 2)
        follows[f"twitter:{sharer}", f"twitter:{author}"] = float(ast.literal_eval(data)["weight"])
    return follows


def congress_labels(shared_data: Shared) -> dict[str, tuple[str, str]]:
    """Party and chamber of each account, joined on the user name."""
    people = json.loads(shared_data("congress117-twitter/labels/historical-users.json").read_text())
    by_name: dict[str, tuple[str, str]] = {}
    for person in people:
        for account in person.get("accounts", []):
            before = [
                one if isinstance(one, str) else next(iter(one.values())) for one in account.get("prev_names", [])
            ]
            for name in [account["screen_name"], *before]:
                by_name[name.lower()] = (person.get("party", "?"), person.get("chamber", "?"))
    names = json.loads(shared_data("congress117-twitter/congress_network_data.json").read_text())[0]["usernameList"]
    return {f"twitter:{i}": by_name[name.lower()] for i, name in enumerate(names)}


def agreement(communities: list[set[str]], labels: dict[str, Any]) -> float:
    """Share of accounts whose label is the most frequent one of their community."""
    return sum(max(Counter(labels[key] for key in one).values()) for one in communities) / len(labels)


def independent_communities(follows: dict[tuple[str, str], float]) -> list[list[set[str]]]:
    """What networkx's own Louvain finds with a few seeds."""
    graph = nx.Graph()
    for (a, b), weight in sorted(follows.items()):
        graph.add_edge(a, b, weight=weight + (graph[a][b]["weight"] if graph.has_edge(a, b) else 0))
    return [nx.community.louvain_communities(graph, seed=seed) for seed in range(4)]


def pages(http: TestClient, address: str, **query: Any) -> list[Any]:
    """Follow the cursor to the end."""
    items: list[Any] = []
    cursor = None
    while True:
        answer = http.get(address, params={**query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


def check_published(http: TestClient, store: Store, follows: dict[tuple[str, str], float], run: dict[str, Any]) -> None:
    """What must hold of every published run, read over HTTP and compared with the graph and the source file."""
    accounts = {key for pair in follows for key in pair}
    communities = pages(http, "/v1/communities", limit=3)
    assert len(communities) == run["quality"]["communities"]
    assert sum(one["size"] for one in communities) + run["quality"]["isolates"] == len(accounts)
    members = {
        row["key"]: row["id"]
        for row in store.statement(
            "MATCH (a:Account)-[:MEMBER_OF {primary: true}]->(c:Community {run: $run}) RETURN a.key AS key, c.id AS id",
            run=run["id"],
        )
    }
    assert Counter(members.values()) == {one["id"]: one["size"] for one in communities}
    followers = Counter(followee for _, followee in follows)
    seen = 0
    for community in communities:
        found = [
            Candidate.model_validate(item)
            for item in pages(
                http, f"/v1/communities/{community['id']}/ambassadors", limit=4, include_not_respectable=True
            )
        ]
        assert len(found) == community["candidates"]
        assert [one.rank for one in found] == list(range(1, len(found) + 1))
        assert found == sorted(found, key=lambda one: (-one.score_millionths, one.key))
        for candidate in found:
            seen += 1
            assert candidate.type == "micro"
            assert members[candidate.key] == community["id"]
            assert candidate.followers == followers[candidate.key]
            assert sum(part.points_millionths or 0 for part in candidate.parts) == candidate.score_millionths
            assert candidate.reasons
            for part in candidate.parts:
                for item in part.evidence:
                    assert (item.follower, item.followee) in follows, "evidence is a follow of the file"
                    assert item.mutual == ((item.followee, item.follower) in follows)
        account = http.get(f"/v1/accounts/{found[0].key}").json() if found else None
        assert account is None or account["key"] == found[0].key
    assert seen == run["quality"]["candidates"] > 0


def test_congress_from_file_to_candidates(
    shared_data: Shared, entourage: Entourage, http: TestClient, store: Store
) -> None:
    file = str(shared_data("congress117-twitter/congress.edgelist"))
    follows = congress_follows(shared_data)
    load = ("import", file, "--network", "twitter", "--reverse", "--weight", "weight", "--json")
    report = json.loads(entourage(*load).stdout)
    assert (report["accounts_created"], report["created"], report["rejected"]) == (475, 13_289, {})
    stored = {
        (row["a"], row["b"]): row["w"]
        for row in store.statement("MATCH (a)-[f:FOLLOWS]->(b) RETURN a.key AS a, b.key AS b, f.weight AS w")
    }
    assert stored == follows
    again = json.loads(entourage(*load).stdout)
    assert (again["created"], again["version"]) == (0, report["version"])

    run = json.loads(entourage("analyze", "--json").stdout)
    assert run["state"] == "done"
    assert run["current"]
    check_published(http, store, follows, run)

    communities = json.loads(entourage("communities", "--json").stdout)
    assert communities == http.get("/v1/communities").json()["items"]
    found = [
        {
            row["key"]
            for row in store.statement(
                "MATCH (a)-[:MEMBER_OF {primary: true}]->(c {id: $id}) RETURN a.key AS key", id=one["id"]
            )
        }
        for one in communities
    ]
    # Who listens to whom in Congress follows party and chamber: what was found must do so about as much as what an
    # independent Louvain finds, and far beyond the larger party's share of all.
    labels = congress_labels(shared_data)
    for kind in (lambda label: label[0], lambda label: label):
        ours = agreement(found, {key: kind(label) for key, label in labels.items()})
        others = [
            agreement(partition, {key: kind(label) for key, label in labels.items()})
            for partition in independent_communities(follows)
        ]
        assert ours >= min(others) - 0.02
    assert agreement(found, {key: party for key, (party, _) in labels.items()}) >= 0.8
    assert max(Counter(party for party, _ in labels.values()).values()) / 475 < 0.6

    shown = [CommunityCandidates.model_validate(one) for one in json.loads(entourage("ambassadors", "--json").stdout)]
    assert [one.community.id for one in shown] == [one["id"] for one in communities if one["respectable"]][:5]
    for one in shown:
        served = http.get(f"/v1/communities/{one.community.id}/ambassadors", params={"limit": 5}).json()["items"]
        assert [candidate.model_dump(mode="json") for candidate in one.candidates] == served
    table = entourage("ambassadors").stdout
    assert all(candidate.name in table for one in shown for candidate in one.candidates)

    unchanged = json.loads(entourage("analyze", "--json").stdout)
    assert unchanged["id"] == run["id"], "an unchanged graph gives the run that is there"


def test_uk_faculty_through_the_api(shared_data: Shared, entourage: Entourage, http: TestClient, store: Store) -> None:
    file = shared_data("uk-faculty/edges.csv")
    with file.open(newline="") as lines:
        follows = {(f"uk:{r['from']}", f"uk:{r['to']}"): float(r["weight"]) for r in csv.DictReader(lines)}
    entourage("import", str(file), "--network", "uk", "--weight", "weight")
    run = json.loads(entourage("analyze", "--json").stdout)
    check_published(http, store, follows, run)
    with shared_data("uk-faculty/groups.csv").open(newline="") as lines:
        group = {f"uk:{row['node']}": row["group"] for row in csv.DictReader(lines)}
    rows = store.statement(
        "MATCH (a:Account)-[:MEMBER_OF {primary: true}]->(c:Community) RETURN c.id AS c, collect(a.key) AS keys"
    )
    agree = sum(max(Counter(group[key] for key in row["keys"]).values()) for row in rows)
    assert agree / len(group) >= 0.9


def test_errors_end_with_one_sentence_and_their_exit_code(entourage: Entourage, store: Store, tmp_path: Path) -> None:
    assert store.read("accounts/any_of_other_network", network="none") == []
    missing = entourage("import", str(tmp_path / "absent.csv"), expect=3)
    assert "absent.csv" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert "run `entourage" in entourage("communities", expect=4).stderr
    assert "empty_graph" in entourage("analyze", expect=5).stderr
    (tmp_path / "rules.json").write_text('{"damping": 2, "nonsense": 1}')
    wrong = entourage("analyze", "--rules", str(tmp_path / "rules.json"), expect=3).stderr
    assert "damping" in wrong
    assert "nonsense" in wrong
    (tmp_path / "some.csv").write_text("follower,followee\na,b\nb,b\nb,a\n")
    partly = entourage("import", str(tmp_path / "some.csv"), expect=10)
    assert "1 " in partly.stdout
    assert "Left out" in partly.stdout
