"""Candidates as seen from a brand: through the flow, and through the command as people see it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.console import active_relations
from service.domain import BrandCandidates, Candidate, RunSpec, ScoringRules, StoreAddress
from service.errors import BrandNotFound, NothingPublished, RunNotFound
from service.flows.asking import read_brand_candidates
from service.flows.published import read_brands, read_candidates, read_communities
from service.store.driver import Store
from tests.api.conftest import publish, two_circles

SPEC = RunSpec(rules=ScoringRules(micro_share=1.0, macro_top_share=0))
"""Everybody who is followed is a candidate."""

RELATIONS = [
    # account, brand, type, since, until; the latest follow is from 2024-06-01
    ("t:a0", "aubade", "EMPLOYEE_OF", "2023-03-05T00:00:00Z", None),
    ("t:a0", "aubade", "CUSTOMER_OF", None, None),
    ("t:a1", "aubade", "COLLABORATES_WITH", None, "2030-01-01T00:00:00Z"),
    ("t:a2", "aubade", "EMPLOYEE_OF", None, "2024-06-01T00:00:00Z"),
    ("t:a2", "aubade", "USES", None, None),
    ("t:a3", "aubade", "CUSTOMER_OF", "2024-06-02T00:00:00Z", None),
    ("t:a3", "nordlys", "EMPLOYEE_OF", None, None),
    ("t:b0", "aubade", "CUSTOMER_OF", None, None),
    ("t:b0", "nordlys", "EMPLOYEE_OF", None, None),
    ("t:b1", 'caf"é\\', "USES", None, None),
    ("t:e0", "aubade", "CUSTOMER_OF", None, None),
]


def brands(store: Store) -> None:
    """Two circles of people, some of whom are something to a brand; t:b2 is a brand's own account."""
    two_circles(store)
    store.statement("MATCH ({key: 't:a7'})-[f:FOLLOWS]->() SET f.at = datetime('2024-06-01T00:00:00Z')")
    store.statement(
        "UNWIND [['aubade', 'Maison Aubade'], ['nordlys', 'Nordlys'], ['caf\"é\\\\', null], ['alone', 'Alone']] AS b "
        "CREATE (:Brand {key: b[0], name: b[1], v: 1})"
    )
    for account, brand, kind, since, until in RELATIONS:
        store.statement(
            f"MATCH (a:Account {{key: $account}}), (b:Brand {{key: $brand}}) CREATE (a)-[:{kind} "
            "{since: datetime($since), until: datetime($until), v: 1}]->(b)",
            account=account, brand=brand, since=since, until=until,
        )  # fmt: skip
    store.statement("MATCH (a:Account {key: 't:b2'}), (b:Brand {key: 'nordlys'}) CREATE (a)-[:ACCOUNT_OF {v: 1}]->(b)")


@pytest.fixture
def run_id(store: Store) -> str:
    brands(store)
    return publish(store, SPEC)


def keys(found: BrandCandidates) -> list[list[str]]:
    return [[one.candidate.key for one in track.candidates] for track in found.tracks]


def of_brand(address: StoreAddress, brand: str, run: str | None = None) -> BrandCandidates:
    return asyncio.run(read_brand_candidates(address, brand, run))


def test_candidates_of_a_brand_by_what_they_are_to_it(store_address: StoreAddress, run_id: str, store: Store) -> None:
    everybody: dict[str, Candidate] = {}
    labels = {}
    for community in asyncio.run(read_communities(store_address)):
        for one in asyncio.run(read_candidates(store_address, community.id)):
            everybody[one.key] = one
            labels[one.key] = community.label
    found = of_brand(store_address, "aubade", run_id)
    assert (found.brand.key, found.brand.name) == ("aubade", "Maison Aubade")
    assert [track.track for track in found.tracks] == ["employees_collaborators", "customers_users"]
    assert [set(one) for one in keys(found)] == [{"t:a0", "t:a1"}, {"t:a2", "t:b0"}]
    for track in found.tracks:
        assert track.total == len(track.candidates)
        order = [(-one.candidate.score_millionths, one.candidate.key) for one in track.candidates]
        assert order == sorted(order)
        for one in track.candidates:
            plain = everybody[one.candidate.key]
            assert [part.raw for part in one.candidate.parts[:5]] == [part.raw for part in plain.parts[:5]]
            assert (one.candidate.relations, one.candidate.roles) == (plain.relations, plain.roles)
            assert one.candidate.track == track.track
            assert one.candidate.brand is not None
            assert one.candidate.brand.brand == "aubade"
            assert sum(part.points_millionths or 0 for part in one.candidate.parts) == one.candidate.score_millionths
            assert one.community_label == labels[one.candidate.key]
    # The track of a candidate on its own is about any brand; here it is about this one.
    assert everybody["t:b0"].track == "employees_collaborators"
    assert [set(one) for one in keys(of_brand(store_address, "nordlys"))] == [{"t:a3", "t:b0"}, set()]
    assert keys(of_brand(store_address, 'caf"é\\')) == [[], ["t:b1"]]
    assert [reason.en for reason in everybody["t:a0"].reasons if reason.about == "relation"] == [
        "Employee of Maison Aubade since March 2023 (counts 1.00 of 1).",
        "Customer of Maison Aubade (counts 0.80 of 1).",
    ]
    assert "t:b2" not in everybody
    assert everybody["t:e0"].relations, "a candidate of a community that is not respectable, and so not of the brand's"


def test_brands_that_are_not_known(store_address: StoreAddress, run_id: str, store: Store) -> None:
    assert keys(of_brand(store_address, "alone")) == [[], []]
    with pytest.raises(BrandNotFound, match="no brand aub"):
        of_brand(store_address, "aub")
    with pytest.raises(RunNotFound):
        of_brand(store_address, "aubade", "r-none")
    assert [one.key for one in asyncio.run(read_brands(store_address))] == ["alone", "aubade", 'caf"é\\', "nordlys"]
    assert keys(of_brand(store_address, "alone", run_id)) == [[], []]
    store.statement("MATCH (b:Brand {key: 'aubade'}) DETACH DELETE b")
    assert of_brand(store_address, "aubade", run_id).tracks[0].total == 2, "a kept run says what it found"


def test_nothing_published(store_address: StoreAddress, store: Store) -> None:
    with pytest.raises(NothingPublished):
        of_brand(store_address, "aubade")


def test_the_order_of_writing_does_not_show(store_address: StoreAddress, run_id: str, store: Store) -> None:
    """Relations written in the opposite order, and with another inner order of brands, publish the same bytes."""

    def digest(run: str) -> Any:
        return store.statement("MATCH (r:Run {id: $run}) RETURN r.digest AS digest", run=run)[0]["digest"]

    first = digest(run_id)
    store.statement("MATCH (b:Brand) DETACH DELETE b")
    store.statement(
        "UNWIND [['alone', 'Alone'], ['nordlys', 'Nordlys'], ['caf\"é\\\\', null], ['aubade', 'Maison Aubade']] AS b "
        "CREATE (:Brand {key: b[0], name: b[1], v: 2})"
    )
    for account, brand, kind, since, until in reversed(RELATIONS):
        store.statement(
            f"MATCH (a:Account {{key: $account}}), (b:Brand {{key: $brand}}) CREATE (a)-[:{kind} "
            "{since: datetime($since), until: datetime($until), v: 2}]->(b)",
            account=account, brand=brand, since=since, until=until,
        )  # fmt: skip
    store.statement("MATCH (a:Account {key: 't:b2'}), (b:Brand {key: 'nordlys'}) CREATE (a)-[:ACCOUNT_OF {v: 2}]->(b)")
    store.statement("MATCH (g:Graph) SET g.v = g.v + 1")
    assert digest(publish(store, SPEC)) == first


def test_relations_in_short(store_address: StoreAddress, run_id: str) -> None:
    said = {
        one.candidate.key: (active_relations(one.candidate), active_relations(one.candidate, "nordlys"))
        for brand in ("aubade", "nordlys")
        for track in of_brand(store_address, brand).tracks
        for one in track.candidates
    }
    assert said["t:a0"] == ("employee and customer of Maison Aubade",) * 2
    assert said["t:a2"] == ("user of Maison Aubade",) * 2, "who was an employee and is no longer"
    assert said["t:a3"] == ("employee of Nordlys",) * 2, "who will be a customer and is not yet"
    assert said["t:b0"] == (
        "customer of Maison Aubade; employee of Nordlys",
        "employee of Nordlys; customer of Maison Aubade",
    )


# --- the command ---------------------------------------------------------------------------------------------


def ambassadors(
    address: StoreAddress, folder: Path, *arguments: str, columns: int = 120, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "service", "ambassadors", *arguments],
        env={
            **os.environ,
            "ENTOURAGE_NEO4J_URI": address.uri,
            "ENTOURAGE_NEO4J_USER": address.user,
            "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
            "ENTOURAGE_DATA_DIR": str(folder / "data"),
            "COLUMNS": str(columns),
        },
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def test_the_command(store_address: StoreAddress, run_id: str, tmp_path: Path) -> None:
    both = ambassadors(store_address, tmp_path, "--brand", "aubade", "--json").stdout
    assert BrandCandidates.model_validate_json(both) == of_brand(store_address, "aubade")
    one = json.loads(
        ambassadors(
            store_address, tmp_path, "--brand", "aubade", "--track", "customers_users", "--limit", "1", "--json"
        ).stdout
    )
    assert [(track["track"], track["total"], len(track["candidates"])) for track in one["tracks"]] == [
        ("customers_users", 2, 1)
    ]
    for columns in (80, 120, 160):
        table = ambassadors(store_address, tmp_path, "--brand", "aubade", columns=columns).stdout
        employees, customers = table.split("Customers and users: 2 candidates")
        assert "Maison Aubade" in employees
        assert "Employees and collaborators: 2 candidates" in employees
        assert sorted(re.findall(r"^\d  (\S+)  +\d", employees, re.MULTILINE)) == ["a0", "a1"]
        assert sorted(re.findall(r"^\d  (\S+)  +\d", customers, re.MULTILINE)) == ["a2", "b0"]
        assert max(map(len, table.splitlines())) <= columns
        plain = ambassadors(store_address, tmp_path, "--limit", "9", columns=columns).stdout
        assert "employee and customer of Maison Aubade" in " ".join(plain.split())
        assert max(map(len, plain.splitlines())) <= columns
        assert "employees_collaborators" in plain
    missing = ambassadors(store_address, tmp_path, "--brand", "none", expect=4).stderr
    assert "brand_not_found" in missing
    ambassadors(store_address, tmp_path, "c1", "--brand", "aubade", expect=4)
    for wrong in (["--brand", "aubade", "--include-not-respectable"], ["--brand", "aubade", "--track", "x"]):
        ambassadors(store_address, tmp_path, *wrong, expect=2)


def test_without_brands_nothing_is_said_of_them(store_address: StoreAddress, store: Store, tmp_path: Path) -> None:
    two_circles(store)
    publish(store)
    table = ambassadors(store_address, tmp_path).stdout
    assert " of " not in table.split("strongest reasons")[1].split("\n")[1]
    assert "open" in table


def command(address: StoreAddress, folder: Path, *arguments: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={
            **os.environ,
            "ENTOURAGE_NEO4J_URI": address.uri,
            "ENTOURAGE_NEO4J_USER": address.user,
            "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
            "ENTOURAGE_DATA_DIR": str(folder / "data"),
            "COLUMNS": "140",
        },
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_commands_that_explain(store_address: StoreAddress, run_id: str, tmp_path: Path) -> None:
    community = asyncio.run(read_communities(store_address))[0]
    best = asyncio.run(read_candidates(store_address, community.id))[0]
    told = command(store_address, tmp_path, "explain", best.key, "--community", community.id)
    assert f"{best.score:.2f}" in told
    assert all(part.part in told for part in best.parts)
    assert best.reasons[0].en[:40] in " ".join(told.split())
    assert "below: " in told
    french = command(store_address, tmp_path, "explain", best.key, "--community", community.id, "--lang", "fr")
    assert best.reasons[0].fr[:30] in " ".join(french.split())
    found = json.loads(command(store_address, tmp_path, "explain", best.key, "--community", community.id, "--json"))
    assert found["standing"]["candidate"] == best.model_dump(mode="json")
    assert "account_not_found" in command(
        store_address, tmp_path, "explain", "t:none", "--community", community.id, expect=4
    )
    assert "community_not_found" in command(store_address, tmp_path, "explain", best.key, "--community", "c", expect=4)
    assert best.name in command(store_address, tmp_path, "influencers", community.id)
    listed = command(store_address, tmp_path, "ambassadors", community.id, "--objective", "targeted", "--lang", "fr")
    assert "Campagne ciblée" in listed
    assert "invalid_request" in command(
        store_address, tmp_path, "ambassadors", community.id, "--objective", "advocacy", expect=3
    )
    assert "macro-influencers" in command(store_address, tmp_path, "ambassadors", community.id, "--objective", "mass")
    assert "trend_scouting" in command(store_address, tmp_path, "recipes")


def test_one_community_and_one_account_at_a_glance(
    store_address: StoreAddress, run_id: str, store: Store, tmp_path: Path
) -> None:
    one = asyncio.run(read_communities(store_address))[0]
    best = asyncio.run(read_candidates(store_address, one.id))[0]
    shown = " ".join(command(store_address, tmp_path, "community", one.id).split())
    assert f"{one.base:,} of {one.size:,} are compared" in shown
    assert best.name in shown
    assert all(test.test in shown for test in one.tests)
    found = json.loads(command(store_address, tmp_path, "community", one.id, "--limit", "1", "--json"))
    assert found["community"]["id"] == one.id
    assert found["micros"] == [best.model_dump(mode="json")]
    assert "community_not_found" in command(store_address, tmp_path, "community", "cnone", expect=4)
    command(store_address, tmp_path, "name", one.id, "Home [bakers]")
    assert "Home [bakers]" in command(store_address, tmp_path, "community", one.id)
    found = json.loads(command(store_address, tmp_path, "community", one.id, "--json"))
    assert found["community"]["name"] == "Home [bakers]"
    store.statement(
        "MATCH (n:CommunityName {id: $id}) SET n.question = 'split', n.asked_of = 'cother', n.suggested = 'Bread' "
        "WITH n MATCH (c:Current) SET c.names_v = c.names_v + 1",
        id=one.id,
    )
    shown = " ".join(command(store_address, tmp_path, "community", one.id).split())
    assert "Home [bakers]" in shown
    assert "It could be called “Bread”, as cother is or was." in shown

    shown = " ".join(command(store_address, tmp_path, "account", best.key, "--lang", "fr").split())
    assert best.name in shown
    assert best.reasons[0].fr[:30] in shown
    card = json.loads(command(store_address, tmp_path, "account", best.key, "--json"))
    assert card["standings"][0]["candidate"] == best.model_dump(mode="json")
    assert card["lenses"] == json.loads(command(store_address, tmp_path, "scorecard", best.key, "--json"))["lenses"]
    assert "account_not_found" in command(store_address, tmp_path, "account", "t:none", expect=4)
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1, g.masks_v = coalesce(g.masks_v, 0) + 1 "
        "WITH g MATCH (a:Account {key: $key}) SET a.opted_out = true, a.v = g.v",
        key=best.key,
    )
    card = json.loads(command(store_address, tmp_path, "account", best.key, "--json"))
    assert card["account"]["opted_out"] is True
    assert (card["standings"][0]["candidate"], card["standings"][0]["rank"]) == (None, None)
    assert best.name not in command(store_address, tmp_path, "community", one.id)


def test_communities_that_people_define(store_address: StoreAddress, run_id: str, store: Store, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("t:a0\n\nt:a1\nt:b0\n", encoding="utf-8")
    said = command(store_address, tmp_path, "define", "Mine", "--accounts", str(keys))
    community = re.search(r"Community (d\w{10})", said)
    assert community is not None
    assert "there already" in command(store_address, tmp_path, "define", "Ours", "--accounts", str(keys))
    assert "only one" in command(store_address, tmp_path, "define", "x", "--topic", "a", "--brand", "b", expect=3)
    assert "cannot be read" in command(store_address, tmp_path, "define", "x", "--accounts", "none.txt", expect=3)
    command(store_address, tmp_path, "analyze")
    listed = json.loads(command(store_address, tmp_path, "communities", "--defined", "--json"))
    assert [(one["id"], one["label"], one["size"], one["kind"]) for one in listed] == [
        (community[1], "Ours", 3, "accounts")
    ]
    [row] = store.statement(
        "MATCH (:Account {key: 't:a0'})-[m:MEMBER_OF]->(:Community {kind: 'accounts'}) "
        "RETURN m.primary AS p, m.score AS s"
    )
    assert row["p"] is False
    assert row["s"] is not None
    gone = command(store_address, tmp_path, "forget", community[1])
    assert json.loads(gone[gone.index("{") :]) == {"name": "Ours", "accounts": ["t:a0", "t:a1", "t:b0"]}
    assert "community_not_found" in command(store_address, tmp_path, "forget", community[1], expect=4)
