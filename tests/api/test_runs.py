"""Runs over HTTP: listed, watched, and compared with earlier ones."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service import console
from service.__main__ import app as command
from service.api.app import create_app
from service.api.schemas import ChangesPage
from service.domain import Definition, Follow, Run, RunError, RunSpec, ScoringRules, StoreAddress
from service.errors import RunFailed, RunNotFound, StoreUnavailable
from service.flows import watching
from service.flows.differences import CommunityChange, read_changes
from service.flows.watching import RunWatches, watch_to_the_end
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows
from service.store.runs import claim, create_run, fail, report
from service.store.runs import get_run as read_one
from tests.api.conftest import api_settings, publish, two_circles
from tests.api.test_empty import is_problem
from tests.api.test_keys import made
from tests.backtest_reports import finished_backtest

SPEC = RunSpec(
    rules=ScoringRules(micro_share=1.0, macro_top_share=0, rewirings=0, reweightings=0),
    communities=(Definition(name="Some", accounts=("t:a0", "t:a1", "t:b0")), Definition(name="Bees", brand="bee")),
)
"""Everybody who is followed is a candidate."""


def queued(store: Store, spec: RunSpec | None = None) -> str:
    """A run that waits; no engine works it off."""

    async def create() -> str:
        async with AsyncStore(store.address) as asynchronous:
            return (await create_run(asynchronous, spec or RunSpec(seed=7), False))[0].id

    return asyncio.run(create())


def events(text: str) -> list[dict[str, str]]:
    """Events of a stream, as a browser reads them."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append(fields)
    return found


# --- which there are ------------------------------------------------------------------------------------


def test_runs_are_listed_last_first_without_backtests(api: TestClient, store: Store) -> None:
    assert api.get("/v1/runs").json() == {"items": [], "before": None}
    ids = [queued(store, RunSpec(seed=seed)) for seed in range(5)]
    finished_backtest(store)
    claim(store, ids[2])
    fail(store, ids[2], RunError(code="broken", message="It broke."))
    listed = api.get("/v1/runs").json()
    assert [one["id"] for one in listed["items"]] == ids[::-1]
    assert listed["before"] is None
    assert [api.get(f"/v1/runs/{one['id']}").json() for one in listed["items"]] == listed["items"]
    assert [one["id"] for one in api.get("/v1/runs?state=failed").json()["items"]] == [ids[2]]
    assert api.get("/v1/runs?state=done").json()["items"] == []
    first = api.get("/v1/runs?limit=2").json()
    second = api.get("/v1/runs", params={"limit": 2, "before": first["before"]}).json()
    third = api.get("/v1/runs", params={"limit": 2, "before": second["before"]}).json()
    assert [one["id"] for page in (first, second, third) for one in page["items"]] == ids[::-1]
    assert third["before"] is None
    is_problem(api.get("/v1/runs?before=r-none"), 404, "run_not_found")
    is_problem(api.get("/v1/runs?state=asleep"), 422, "invalid_request")
    is_problem(api.get("/v1/runs?limit=0"), 422, "invalid_request")


# --- how one goes on ------------------------------------------------------------------------------------


def test_a_run_that_has_ended_gives_one_event(api: TestClient, store: Store, run_id: str) -> None:
    answer = api.get(f"/v1/runs/{run_id}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    assert answer.text.startswith("retry: ")
    [event] = events(answer.text)
    assert event["event"] == "done"
    assert json.loads(event["data"]) == api.get(f"/v1/runs/{run_id}").json()
    known = api.get(f"/v1/runs/{run_id}/events", headers={"Last-Event-ID": event["id"]})
    assert (known.status_code, known.content) == (204, b""), "a browser connects no more"
    failed = queued(store)
    fail(store, failed, RunError(code="broken", message="It broke."))
    [event] = events(api.get(f"/v1/runs/{failed}/events", headers={"Last-Event-ID": "running.scores.0.5"}).text)
    assert event["event"] == "failed"
    assert json.loads(event["data"])["error"]["code"] == "broken"
    assert events(api.get(f"/v1/runs/{finished_backtest(store)}/events").text)[0]["event"] == "done"
    is_problem(api.get("/v1/runs/r-none/events"), 404, "run_not_found")


def test_head_of_a_stream_ends(api: TestClient, store: Store) -> None:
    waiting = queued(store)
    for _ in range(3):
        head = api.head(f"/v1/runs/{waiting}/events")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith("text/event-stream")
    assert api.app.state.watches.watchers == 0  # type: ignore[attr-defined]


def test_no_more_watch_than_a_process_takes(
    api: TestClient, store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_WATCHERS", 0)
    answer = api.get(f"/v1/runs/{run_id}/events")
    is_problem(answer, 429, "too_many_watchers")
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.setattr(watching, "MOST_WATCHERS", 1)
    for _ in range(3):
        assert api.get(f"/v1/runs/{run_id}/events").status_code == 200
    is_problem(api.get("/v1/runs/r-none/events"), 404, "run_not_found")
    assert api.app.state.watches.watchers == 0  # type: ignore[attr-defined]


def test_one_question_serves_all_who_watch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    run_id = queued(store)
    claim(store, run_id)

    async def counted(pool: AsyncStore, of: str) -> Run:
        nonlocal asked
        asked += 1
        return await read_one(pool, of)

    async def follow(watches: RunWatches) -> list[str]:
        watch = await watches.watch(run_id)
        try:
            return [run.stage for run in [one async for one in watch.news()] if run is not None]
        finally:
            watch.close()

    async def all_of_them() -> list[list[str]]:
        async with AsyncStore(store.address) as pool:
            watches = RunWatches(pool)
            followers = [asyncio.create_task(follow(watches)) for _ in range(20)]
            for stage in ("measures", "scores"):
                await asyncio.sleep(1.5)
                await asyncio.to_thread(report, store, run_id, stage, 0.5)
            await asyncio.sleep(1.5)
            await asyncio.to_thread(fail, store, run_id, RunError(code="broken", message="It broke."))
            found = await asyncio.gather(*followers)
            assert watches.watchers == 0
            await watches.close()
            return found

    monkeypatch.setattr(watching, "get_run", counted)
    began = time.monotonic()
    found = asyncio.run(all_of_them())
    assert all(stages == found[0] for stages in found)
    assert found[0][1:] == ["measures", "scores", "scores"], "the last time failed"
    assert asked <= (time.monotonic() - began) / watching.POLL_SECONDS + 2


def test_neo4j_being_away_pauses_the_news_and_hearts_beat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = queued(store)
    away = True

    async def sometimes(pool: AsyncStore, of: str) -> Run:
        if away:
            raise StoreUnavailable("away")
        return await read_one(pool, of)

    async def follow() -> list[Run | None]:
        nonlocal away
        found: list[Run | None] = []
        async with AsyncStore(store.address) as pool:
            watches = RunWatches(pool)
            watch = await watches.watch(run_id)
            monkeypatch.setattr(watching, "get_run", sometimes)
            async for one in watch.news():
                found.append(one)
                if len(found) == 4:
                    fail(store, run_id, RunError(code="broken", message="It broke."))
                    away = False
            watch.close()
        return found

    monkeypatch.setattr(watching, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.05)
    found = asyncio.run(follow())
    assert found[0] is not None
    assert found[1:4] == [None] * 3
    assert found[-1] is not None
    assert (found[0].state, found[-1].state) == ("queued", "failed")


def test_the_command_watches_to_the_end(store: Store, run_id: str) -> None:
    seen: list[str] = []
    run = asyncio.run(watch_to_the_end(store.address, run_id, lambda stage, _done, _total: seen.append(stage)))
    assert (run.id, run.state, seen) == (run_id, "done", [])
    failed = queued(store, RunSpec(seed=9))
    fail(store, failed, RunError(code="broken", message="It broke."))
    with pytest.raises(RunFailed, match="It broke"):
        asyncio.run(watch_to_the_end(store.address, failed, lambda *_: None))
    with pytest.raises(RunNotFound):
        asyncio.run(watch_to_the_end(store.address, "r-none", lambda *_: None))


# --- what changed ---------------------------------------------------------------------------------------


@pytest.fixture
def two_runs(store: Store) -> tuple[str, str]:
    """Two published runs; between them t:z came to the first circle, t:a7 left the graph's ties, and a1 was heard."""
    two_circles(store)
    store.statement("CREATE (b:Brand {key: 'bee', v: 1})<-[:ACCOUNT_OF {v: 1}]-(:Account {key: 't:bee', n: 99, "
                    "network: 't', native_id: 'bee', v: 1})")  # fmt: skip
    apply_follows(store, [Follow("t:a5", "t:bee"), Follow("t:a6", "t:bee")])
    before = publish(store, SPEC)
    store.statement("MATCH (:Account {key: 't:a7'})-[f:FOLLOWS]-() DELETE f")
    apply_follows(store, [*(Follow("t:z", f"t:a{i}") for i in range(4)), *(Follow(f"t:a{i}", "t:z") for i in range(5))])
    return before, publish(store, SPEC)


def changes(api: TestClient, run: str, **query: Any) -> tuple[dict[str, Any], list[CommunityChange]]:
    answer = api.get(f"/v1/runs/{run}/changes", params=query)
    assert answer.status_code == 200, answer.text
    page = ChangesPage.model_validate(answer.json())
    return answer.json(), page.items


def of_circle(found: list[CommunityChange]) -> CommunityChange:
    """The change of the circle of a0: the one that both t:z and t:a7 are about."""
    [one] = [one for one in found if "t:z" in one.members.came_keys and "t:a7" in one.members.left_keys]
    return one


def test_what_changed_between_two_runs(api: TestClient, two_runs: tuple[str, str]) -> None:
    before, now = two_runs
    document, found = changes(api, now)
    assert (document["run"]["id"], document["since"]["id"]) == (now, before), "the published run before, if not said"
    assert document["summary"]["same_rules"] is True
    assert document["summary"]["accounts"]["now"] - document["summary"]["accounts"]["before"] == 1
    assert document["total"] == len(found)
    circle = of_circle(found)
    assert (circle.status, circle.kind) == ("both", "found")
    assert circle.size.now is not None
    assert circle.size.before is not None
    assert circle.size.now - circle.size.before == circle.members.came - circle.members.left
    assert [one.key for one in circle.came] == ["t:z"]
    [left] = [one for one in circle.left if one.key == "t:a7"] or [None]
    if left is not None:  # where a7 was a candidate
        assert (left.now.reason, left.now.community) == ("elsewhere", None)
    assert circle.moved
    was, is_ = (listed(api, run, circle.id) for run in (before, now))
    assert {one.key for one in circle.came} == is_.keys() - was.keys()
    assert {one.key for one in circle.left} == was.keys() - is_.keys()
    for one in circle.moved:
        assert sum(one.parts_millionths.values()) == one.score_change_millionths
        assert one.score_change_millionths == is_[one.key]["score_millionths"] - was[one.key]["score_millionths"]
        assert (one.rank_before, one.rank) == (was[one.key]["rank"], is_[one.key]["rank"])
        for part, change in one.parts_millionths.items():
            points = [
                next(p["points_millionths"] or 0 for p in run[one.key]["parts"] if p["part"] == part)
                for run in (was, is_)
            ]
            assert change == points[1] - points[0]
    sizes = [abs(one.score_change_millionths) for one in circle.moved]
    assert sizes == sorted(sizes, reverse=True)
    [some] = [one for one in found if one.kind == "accounts"]
    assert (some.label, some.members.came, some.members.left) == ("Some", 0, 0)


def listed(api: TestClient, run: str, community: str) -> dict[str, dict[str, Any]]:
    answer = api.get(
        f"/v1/communities/{community}/ambassadors",
        params={"run": run, "limit": 200, "include_not_respectable": True},
    )
    return {one["key"]: one for one in answer.json()["items"]}


def test_the_other_way_round_is_the_opposite(api: TestClient, two_runs: tuple[str, str]) -> None:
    before, now = two_runs
    there = {one.id: one for one in changes(api, now, since=before)[1]}
    back = {one.id: one for one in changes(api, before, since=now)[1]}
    assert there.keys() == back.keys()
    for key, one in there.items():
        other = back[key]
        assert {one.status, other.status} in ({"both"}, {"came", "left"})
        assert (one.size.before, one.size.now) == (other.size.now, other.size.before)
        assert (one.members.came_keys, one.members.left_keys) == (other.members.left_keys, other.members.came_keys)
        assert [(c.key, c.rank) for c in one.came] == [(c.key, c.rank) for c in other.left]
        assert [(c.key, c.rank) for c in one.left] == [(c.key, c.rank) for c in other.came]
        assert [c.parts_millionths for c in other.moved] == [
            {part: -change for part, change in c.parts_millionths.items()} for c in one.moved
        ]


def test_a_run_does_not_differ_from_itself(api: TestClient, two_runs: tuple[str, str]) -> None:
    document, found = changes(api, two_runs[1], since=two_runs[1])
    assert document["summary"]["communities"] == {"both": len(found), "came": 0, "left": 0}
    assert len(found) >= 3
    for one in found:
        assert (one.status, one.came, one.left, one.moved) == ("both", (), (), ())
        assert (one.members.came, one.members.left) == (0, 0)


def test_pages_of_changes_are_the_list_cut_up(api: TestClient, two_runs: tuple[str, str], store: Store) -> None:
    before, now = two_runs
    _, whole = changes(api, now)
    cursor, items = None, []
    for _ in whole:
        document, some = changes(api, now, limit=1, **({"cursor": cursor} if cursor else {}))
        assert document["since"]["id"] == before
        items += some
        cursor = document["next_cursor"]
    assert cursor is None
    assert items == whole
    first = changes(api, now, limit=1)[0]["next_cursor"]
    is_problem(api.get(f"/v1/runs/{before}/changes", params={"cursor": first}), 400, "invalid_cursor")
    is_problem(api.get(f"/v1/runs/{now}/changes", params={"cursor": first, "community": "c"}), 400, "invalid_cursor")
    is_problem(api.get(f"/v1/runs/{now}/changes", params={"cursor": first, "since": now}), 422, "invalid_request")
    _, [one] = changes(api, now, community=whole[0].id)
    assert one == whole[0]


def test_runs_that_cannot_be_compared(api: TestClient, two_runs: tuple[str, str], store: Store) -> None:
    before, now = two_runs
    detail = is_problem(api.get(f"/v1/runs/{before}/changes"), 404, "run_not_found")["detail"]
    assert "No published run finished before" in detail
    is_problem(api.get("/v1/runs/r-none/changes"), 404, "run_not_found")
    is_problem(api.get(f"/v1/runs/{now}/changes?since=r-none"), 404, "run_not_found")
    is_problem(api.get(f"/v1/runs/{queued(store)}/changes"), 404, "run_not_found")
    is_problem(api.get(f"/v1/runs/{finished_backtest(store)}/changes"), 404, "run_not_found")
    is_problem(api.get(f"/v1/runs/{now}/changes?community=cnone"), 404, "community_not_found")


def test_who_opted_out_is_counted_and_not_named(api: TestClient, two_runs: tuple[str, str], store: Store) -> None:
    before, now = two_runs
    _, found = changes(api, now, since=before)
    circle = of_circle(found)
    moved = circle.moved[0].key
    for key in (moved, "t:z", "t:a7"):
        store.statement("MATCH (a:Account {key: $key}) SET a.opted_out = true", key=key)
    document, later = changes(api, now, since=before)
    assert not {f'"{key}"' for key in (moved, "t:z", "t:a7")} & set(json.dumps(document).replace(",", " ").split())
    [same] = [one for one in later if one.id == circle.id]
    assert same.candidates == circle.candidates
    assert (same.members.came, same.members.left) == (circle.members.came, circle.members.left)
    assert same.came == ()
    # A run that knows of it keeps them out.
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 WITH g MATCH (a:Account {opted_out: true}) SET a.v = g.v"
    )
    third = publish(store, SPEC)
    assert f'"{moved}"' not in api.get(f"/v1/runs/{third}/changes").text


def test_who_is_kept_out_or_below_the_cut_off_is_said_where_they_are(
    api: TestClient, two_runs: tuple[str, str], store: Store
) -> None:
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1 WITH g "
        "MATCH (a:Account {key: 't:a0'}), (b:Brand {key: 'bee'}) SET a.v = g.v CREATE (a)-[:ACCOUNT_OF {v: g.v}]->(b)"
    )
    fewer = SPEC.rules.model_copy(update={"micro_share": 0.4})
    third = publish(store, SPEC.model_copy(update={"rules": fewer}))
    document, found = changes(api, third)
    assert document["since"]["id"] == two_runs[1]
    assert document["summary"]["same_rules"] is False
    gone = {one.key: one.now for community in found if community.kind == "found" for one in community.left}
    assert (gone["t:a0"].reason, gone["t:a0"].gate) == ("gate", "brand_account")
    assert "below_cutoff" in {one.reason for one in gone.values()}


def test_communities_of_hidden_brands_are_left_out(
    two_runs: tuple[str, str], store_address: StoreAddress, journal: Path
) -> None:
    app = create_app(api_settings(store_address, authentication=True), journal)
    whole, limited = made(store_address, journal, "read"), made(store_address, journal, "read", brands=["owl"])
    asks = made(store_address, journal, "run")
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        address = f"/v1/runs/{two_runs[1]}/changes"
        seen = {one["label"] for one in client.get(address, headers=whole).json()["items"]}
        shown = client.get(address, headers=limited).json()
        assert seen - {one["label"] for one in shown["items"]} == {"Bees"}
        assert shown["total"] == len(shown["items"]) == sum(shown["summary"]["communities"].values())
        is_problem(client.get(address, headers=asks), 403, "scope_missing")
        listed = client.get("/v1/runs", headers=limited).json()["items"]
        assert [[one["name"] for one in run["spec"]["communities"]] for run in listed] == [["Some"]] * 2
        [event] = events(client.get(f"/v1/runs/{two_runs[1]}/events", headers=limited).text)
        assert json.loads(event["data"]) == listed[0]


def test_the_commands_about_runs(
    two_runs: tuple[str, str], store_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", store_address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_USER", store_address.user)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", store_address.password.get_secret_value())

    def said(*words: str) -> str:
        result = CliRunner().invoke(command, ["runs", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    before, now = two_runs
    assert said("list").index(now) < said("list").index(before)
    assert [one["id"] for one in json.loads(said("list", "--json", "--state", "done"))] == [now, before]
    assert json.loads(said("show", before))["id"] == before
    assert json.loads(said("watch", now, "--json"))["state"] == "done"
    assert "moved" in said("changes", now)
    assert json.loads(said("changes", now, "--since", before, "--json"))["since"] == before


def test_the_command_shows_what_changed(store: Store, two_runs: tuple[str, str]) -> None:
    found = asyncio.run(read_changes(store.address, two_runs[1], None, None, 20))
    with console.out.capture() as captured:
        console.out.print(console.changes(found))
    said = captured.get()
    assert "came" in said
    assert "t:z" in said or "@z" in said or " z " in said
    assert "moved" in said
    assert "authority" in said
    same = asyncio.run(read_changes(store.address, two_runs[1], two_runs[1], None, 20))
    with console.out.capture() as captured:
        console.out.print(console.changes(same))
    assert "Nothing changed" in captured.get()
