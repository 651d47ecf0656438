"""Communities over time, over HTTP and in the graph: ids, lineage, names, what is written, and what is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.__main__ import app as command
from service.domain import Follow, RunSpec, ScoringRules, StoreAddress
from service.errors import InvalidRequest
from service.flows.analyze import execute
from service.records import Statement
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows, apply_unfollows
from service.store.results import remove_old
from service.store.runs import claim, create_run, read_run
from tests.api.conftest import publish, two_circles
from tests.api.test_empty import is_problem

RULES = ScoringRules(
    micro_share=1.0, macro_top_share=0, rewirings=0, reweightings=0, resolutions=(1.0,), confidence_seeds=2
)
SPEC = RunSpec(rules=RULES)
NOW = 1_760_000_000_000


def circle(name: str, size: int) -> list[Follow]:
    """Everybody follows everybody."""
    return [Follow(f"t:{name}{i}", f"t:{name}{j}") for i in range(size) for j in range(size) if i != j]


def add(store: Store, *follows: Follow) -> None:
    apply_follows(store, sorted(follows))


def end(store: Store, *pairs: tuple[str, str]) -> None:
    """End follows."""
    apply_unfollows(store, [Statement("unfollows", pair, (), NOW) for pair in pairs])


def apart(store: Store, one: list[str], other: list[str]) -> None:
    """End all follows between two groups that follow each other."""
    end(store, *((a, b) for a in one for b in other), *((b, a) for a in one for b in other))


def ask(store: Store, spec: RunSpec = SPEC, *, publish: bool = False) -> tuple[str, bool]:
    async def create() -> tuple[str, bool]:
        async with AsyncStore(store.address) as asynchronous:
            run, created = await create_run(asynchronous, spec, publish)
            return run.id, created

    return asyncio.run(create())


def carried_out(store: Store, run_id: str, kept: Path, runs_kept: int | None = None) -> str:
    claim(store, run_id)
    execute(store.address, run_id, kept, runs_kept=runs_kept)
    return run_id


def of(api: TestClient, first: str, run: str | None = None) -> dict[str, Any]:
    """The community of an account."""
    params = {} if run is None else {"run": run}
    [own] = [one for one in api.get(f"/v1/accounts/{first}", params=params).json()["standings"] if one["primary"]]
    found: dict[str, Any] = own["community"]
    return found


def memberships(store: Store, run: str) -> dict[tuple[str, str], str]:
    """Element ids of the memberships of a run, by account and community."""
    rows = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c)<-[m:MEMBER_OF]-(a) RETURN a.key AS a, c.id AS c, elementId(m) AS m",
        run=run,
    )
    return {(row["a"], row["c"]): row["m"] for row in rows}


# --- ids and lineage ----------------------------------------------------------------------------------------


def test_a_community_keeps_its_id_although_its_anchor_is_gone(api: TestClient, store: Store) -> None:
    add(store, *circle("a", 8), *circle("b", 7), *[Follow(f"t:a{i}", "t:star") for i in range(8)])
    first = publish(store, SPEC)
    identity = of(api, "t:a1")["id"]
    end(store, *((f"t:a{i}", "t:star") for i in range(8)))
    second = publish(store, SPEC)
    assert of(api, "t:a1")["id"] == identity
    assert read_run(store, second).spec.start == first
    found = api.get(f"/v1/communities/{identity}/lineage").json()
    assert [step["run"] for step in found["steps"]] == [second, first]
    assert [step["event"] for step in found["steps"]] == ["continues", "born"]
    [origin] = found["steps"][0]["predecessors"]
    assert (origin["id"], origin["relation"], origin["accounts"]) == (identity, "continues", 8)
    assert (origin["share_of_it"], origin["share_of_this"]) == (pytest.approx(8 / 9), 1.0)
    assert found["ended"] is None
    cold = publish(store, SPEC.model_copy(update={"start": "cold", "seed": 1}))
    assert of(api, "t:a1")["id"] != identity, "without a start it is named after its anchor"
    assert read_run(store, cold).spec.start == "cold"
    assert api.get(f"/v1/communities/{of(api, 't:a1')['id']}/lineage").json()["steps"][0]["event"] == "born"


def test_merges_splits_births_and_deaths_are_told(api: TestClient, store: Store) -> None:
    add(store, *circle("a", 8), *circle("b", 6), *circle("c", 9), *circle("d", 5))
    publish(store, SPEC)
    a, b, c, d = (of(api, f"t:{name}0")["id"] for name in "abcd")
    # b merges into a, c splits, d dies, e is born.
    add(store, *(Follow(f"t:a{i}", f"t:b{j}") for i in range(8) for j in range(6)), *circle("e", 7))
    apart(store, [f"t:c{i}" for i in range(5)], [f"t:c{i}" for i in range(5, 9)])
    end(store, *((f"t:d{i}", f"t:d{j}") for i in range(5) for j in range(5) if i != j))
    publish(store, SPEC)
    merged, large, small, born = (of(api, key)["id"] for key in ("t:b0", "t:c0", "t:c8", "t:e0"))
    assert (merged, large) == (a, c)
    assert len({a, b, c, d, small, born}) == 6

    def last(identity: str) -> dict[str, Any]:
        step: dict[str, Any] = api.get(f"/v1/communities/{identity}/lineage").json()["steps"][0]
        return step

    assert last(a)["event"] == "merges"
    assert {(one["id"], one["relation"], one["accounts"]) for one in last(a)["predecessors"]} == {
        (a, "continues", 8),
        (b, "merges", 6),
    }
    assert (last(c)["event"], last(small)["event"], last(born)["event"]) == ("splits", "splits", "born")
    assert [(one["id"], one["relation"]) for one in last(small)["predecessors"]] == [(c, "splits")]
    steps = api.get(f"/v1/communities/{c}/lineage").json()["steps"]
    assert (steps[0]["parts"], steps[1]["parts"]) == ([], [small])
    for identity, event, into in ((b, "merged", [a]), (d, "died", [])):
        ended = api.get(f"/v1/communities/{identity}/lineage").json()["ended"]
        assert (ended["event"], ended["into"]) == (event, into)
    rows = store.statement(
        "MATCH (c:Community)-[e:CONTINUES|MERGES|SPLITS]->(p:Community) "
        "RETURN c.id AS c, type(e) AS how, p.id AS p, e.counts AS counts"
    )
    assert {(row["c"], row["how"], row["p"]) for row in rows if row["counts"]} == {
        (a, "CONTINUES", a),
        (a, "MERGES", b),
        (c, "CONTINUES", c),
        (small, "SPLITS", c),
    }
    is_problem(api.get("/v1/communities/cnone/lineage"), 404, "community_not_found")
    is_problem(api.get(f"/v1/communities/{a}/lineage?limit=3"), 422, "invalid_request")


def test_what_a_run_starts_from_is_settled_when_it_begins(api: TestClient, store: Store, tmp_path: Path) -> None:
    two_circles(store)
    first, _ = ask(store, publish=True)
    second, _ = ask(store, SPEC.model_copy(update={"seed": 2}), publish=True)
    assert read_run(store, second).spec.start == "auto"
    carried_out(store, first, tmp_path)
    carried_out(store, second, tmp_path)
    assert [read_run(store, run).spec.start for run in (first, second)] == ["cold", first]
    # Whatever it started from, the current run answers what asks for no other start.
    assert ask(store, SPEC.model_copy(update={"seed": 2})) == (second, False)
    for start in (first, second):
        assert ask(store, SPEC.model_copy(update={"seed": 2, "start": start})) == (second, False)
    other, created = ask(store, SPEC.model_copy(update={"seed": 2, "start": "cold"}))
    assert created
    carried_out(store, other, tmp_path)
    for start in ("r-none", other[:-1], ask(store, SPEC.model_copy(update={"seed": 9}))[0]):
        with pytest.raises(InvalidRequest, match="No run can start from"):
            ask(store, SPEC.model_copy(update={"start": start}))
    answer = api.post("/v1/runs", json={"spec": {"start": "r-none"}})
    is_problem(answer, 422, "invalid_request")


# --- what is written --------------------------------------------------------------------------------------


def test_only_communities_in_which_something_changed_are_written(api: TestClient, store: Store) -> None:
    add(store, *circle("a", 8), *circle("b", 7), *circle("c", 6))
    first = publish(store, SPEC)
    before = memberships(store, first)
    published = {key: api.get(f"/v1/accounts/{key}", params={"run": first}).json() for key in ("t:a0", "t:b0", "t:c0")}
    end(store, ("t:b0", "t:b1"))
    second = publish(store, SPEC)
    after = memberships(store, second)
    assert after.keys() == before.keys()
    assert {key[0][:3] for key in after if after[key] != before[key]} == {"t:b"}
    assert memberships(store, first) == before
    # Analysts find all of the run that is served by `run`, and of each run by FOUND; platforms read both as they were.
    [row] = store.statement("MATCH (c:Community {run: $run})<-[m:MEMBER_OF]-() RETURN count(m) AS n", run=second)
    assert row["n"] == len(after)
    for key, document in published.items():
        again = api.get(f"/v1/accounts/{key}", params={"run": first}).json()
        assert again["standings"] == document["standings"]
    # Whole numbers of communities are exact for both.
    for run in (first, second):
        rows = store.statement(
            "MATCH (:Run {id: $run})-[:FOUND]->(c:Community {level: 0})<-[m:MEMBER_OF {primary: true}]-(:Account) "
            "RETURN c.id AS id, c.size AS size, count(m) AS members",
            run=run,
        )
        assert all(row["size"] == row["members"] for row in rows)
        assert len(rows) == 3
    history = api.get(f"/v1/communities/{of(api, 't:a0')['id']}/lineage").json()["steps"]
    assert [(step["run"], step["same"]) for step in history] == [(second, True), (first, False)]
    changes = api.get(f"/v1/runs/{second}/changes").json()
    assert [one["candidates"]["moved"] > 0 for one in changes["items"] if one["id"] == of(api, "t:b0")["id"]] == [True]
    assert all(one["members"]["came"] == one["members"]["left"] == 0 for one in changes["items"])


def test_an_experiment_writes_all_of_its_own_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    two_circles(store)
    first = publish(store, SPEC)
    nodes = "MATCH (c:Community {run: $run}) RETURN c {.*} AS c, COUNT { (c)<-[:MEMBER_OF]-() } AS n ORDER BY c.id"
    before = store.statement(nodes, run=first)
    other = SPEC.model_copy(update={"seed": 3})
    experiment, _ = ask(store, other)
    carried_out(store, experiment, tmp_path)
    assert store.statement(nodes, run=first) == before
    alone = store.statement("MATCH (c:Community {run: $run})<-[m:MEMBER_OF]-() RETURN count(m) AS n", run=experiment)
    assert alone[0]["n"] == len(memberships(store, experiment)) > 0
    assert not set(memberships(store, first).values()) & set(memberships(store, experiment).values())


# --- names -------------------------------------------------------------------------------------------------


def test_a_name_stays_and_is_seen_at_once(api: TestClient, store: Store) -> None:
    two_circles(store)
    first = publish(store, SPEC)
    one = of(api, "t:a0")["id"]
    asked = api.get(f"/v1/communities/{one}")
    listed = api.get("/v1/communities")
    assert (asked.json()["community"]["name"], asked.json()["community"]["name_question"]) == (None, None)
    for path in (f"/v1/communities/{one}", "/v1/communities"):
        api.get(path)  # it is answered from memory from now on
    named = api.patch(f"/v1/communities/{one}", json={"name": "  Bäcker & Co "})
    assert (named.status_code, named.json()["name"]) == (200, "Bäcker & Co")
    for path, seen in ((f"/v1/communities/{one}", asked), ("/v1/communities", listed)):
        again = api.get(path, headers={"If-None-Match": seen.headers["ETag"]})
        assert again.status_code == 200, "a name makes it another answer"
        document = again.json()
        item = document.get("community") or next(item for item in document["items"] if item["id"] == one)
        assert item["name"] == "Bäcker & Co"
        assert api.get(path, headers={"If-None-Match": again.headers["ETag"]}).status_code == 304
    assert api.get(f"/v1/communities/{one}?run={first}").json()["community"]["name"] == "Bäcker & Co"
    add(store, Follow("t:b0", "t:b9"))
    publish(store, SPEC)
    assert api.get(f"/v1/communities/{one}").json()["community"]["name"] == "Bäcker & Co"
    assert api.patch(f"/v1/communities/{one}", json={"name": None}).json()["name"] is None
    assert api.get(f"/v1/communities/{one}").json()["community"]["name"] is None
    is_problem(api.patch("/v1/communities/cnone", json={"name": "x"}), 404, "community_not_found")
    for body in ({}, {"name": ""}, {"name": "  "}, {"name": "x" * 201}, {"name": 1}, {"name": "x", "more": 1}, []):
        is_problem(api.patch(f"/v1/communities/{one}", json=body), 422, "invalid_request")


def test_names_are_asked_about_after_a_split_and_move_with_a_merge(api: TestClient, store: Store) -> None:
    add(store, *circle("a", 9), *circle("b", 6), *circle("c", 8))
    publish(store, SPEC)
    a, b, c = (of(api, f"t:{name}0")["id"] for name in "abc")
    api.patch(f"/v1/communities/{a}", json={"name": "Bakers"})
    api.patch(f"/v1/communities/{b}", json={"name": "Runners"})
    # a splits; b merges into c, which has no name.
    apart(store, [f"t:a{i}" for i in range(5)], [f"t:a{i}" for i in range(5, 9)])
    pairs = [(f"t:c{i}", f"t:b{j}") for i in range(8) for j in range(6)]
    add(store, *(Follow(*pair) for pair in pairs), *(Follow(*pair[::-1]) for pair in pairs))
    publish(store, SPEC)
    part = of(api, "t:a8")["id"]

    def name_of(identity: str) -> tuple[str | None, dict[str, Any] | None]:
        found = api.get(f"/v1/communities/{identity}").json()["community"]
        return found["name"], found["name_question"]

    assert of(api, "t:b0")["id"] == c
    assert name_of(a) == ("Bakers", {"question": "split", "asked_of": a, "suggested": None})
    assert name_of(part) == (None, {"question": "split", "asked_of": a, "suggested": "Bakers"})
    name, question = name_of(c)
    assert name == "Runners"
    assert question is not None
    assert (question["question"], question["asked_of"]) == ("merged", b)
    api.patch(f"/v1/communities/{a}", json={"name": "Bakers"})
    api.patch(f"/v1/communities/{part}", json={"name": "Home bakers"})
    assert (name_of(a), name_of(part)) == (("Bakers", None), ("Home bakers", None))
    add(store, Follow("t:c0", "t:new"))
    publish(store, SPEC)
    assert (name_of(a), name_of(part)) == (("Bakers", None), ("Home bakers", None))
    assert name_of(c)[1] is not None, "nobody has answered yet"


def test_the_commands_name_communities_and_tell_their_history(
    api: TestClient, store: Store, store_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_circles(store)
    publish(store, SPEC)
    one = of(api, "t:a0")["id"]
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", store_address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_USER", store_address.user)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", store_address.password.get_secret_value())

    def said(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(command, [*words])
        assert result.exit_code == status, result.output
        return result.stdout

    assert "has no name" in said("name", one)
    assert "Bakers" in said("name", one, "Bakers")
    assert "Bakers" in said("communities")
    assert json.loads(said("communities", "--json"))[0]["name"] == "Bakers"
    assert json.loads(said("name", one, "--json"))["name"] == "Bakers"
    assert "born" in said("lineage", one)
    assert json.loads(said("lineage", one, "--json")) == api.get(f"/v1/communities/{one}/lineage").json()
    said("name", one, "x", "--remove", status=2)
    said("name", one, " ", status=2)
    assert "has no name" in said("name", one, "--remove")
    assert CliRunner().invoke(command, ["lineage", "cnone"]).exit_code != 0


# --- what is kept -----------------------------------------------------------------------------------------


def test_of_older_runs_only_the_run_and_lineages_stay(api: TestClient, store: Store, tmp_path: Path) -> None:
    add(store, *circle("a", 8), *circle("b", 7))
    runs = [publish(store, SPEC)]
    experiment, _ = ask(store, SPEC.model_copy(update={"seed": 5}))
    carried_out(store, experiment, tmp_path)
    for turn in range(3):
        add(store, Follow("t:b0", f"t:new{turn}"))
        run, _ = ask(store, publish=True)
        runs.append(carried_out(store, run, tmp_path))
    assert read_run(store, runs[0]).removed_at is None
    before = memberships(store, runs[3])
    add(store, Follow("t:b0", "t:new9"))
    last, _ = ask(store, publish=True)
    carried_out(store, last, tmp_path, runs_kept=2)
    kept = [run for run in [*runs, experiment, last] if read_run(store, run).removed_at is None]
    assert kept == [runs[3], last]
    assert memberships(store, runs[3]) == before
    assert api.get(f"/v1/communities?run={runs[3]}").status_code == 200
    assert api.get("/v1/communities").json()["run"]["id"] == last
    for run in (*runs[:3], experiment):
        is_problem(api.get(f"/v1/communities?run={run}"), 404, "run_not_found")
        assert api.get(f"/v1/runs/{run}").json()["removed_at"] is not None
        assert store.statement("MATCH (f:RunFile {run: $run}) RETURN f", run=run) == []
        with pytest.raises(InvalidRequest, match="kept"):
            ask(store, SPEC.model_copy(update={"start": run}))
    assert memberships(store, experiment) == {}
    assert store.statement("MATCH (c:Community {run: $run}) RETURN c", run=experiment) == []
    a, b = (of(api, f"t:{name}0")["id"] for name in "ab")
    # What did not change since the first run is still there, and belongs to the last.
    assert {key for key in memberships(store, last) if key[1] == a} == {(f"t:a{i}", a) for i in range(8)}
    for identity in (a, b):
        steps = api.get(f"/v1/communities/{identity}/lineage").json()["steps"]
        assert [step["run"] for step in steps] == [last, *runs[::-1]]
    assert remove_old(store, 2) == []
    # A removal that was cut off is ended by the next.
    store.statement(
        "MATCH (r:Run {id: $run}) SET r.emptied = null CREATE (:RunFile {run: $run, part: 'x', seq: 0})", run=runs[1]
    )
    assert remove_old(store, 2) == [runs[1]]
    assert store.statement("MATCH (f:RunFile {run: $run}) RETURN f", run=runs[1]) == []
    assert remove_old(store, 1) == [runs[3]]
    assert remove_old(store, 1) == [], "the current run is always kept"
