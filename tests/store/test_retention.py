"""What is older than it may be kept is removed, and an analysis then is as if it had never been there."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.__main__ import app as command
from service.domain import DAY_MS, Changes, Follow, Graph, ReadText, Retention, RunSpec, no_progress
from service.errors import StoreError
from service.flows import snapshots as snapshot_flow
from service.flows.retention import Pruner, prune
from service.flows.snapshots import read_graph
from service.records import THINGS, Statement
from service.store import retention, snapshots
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import Change
from service.store.retention import count_due, remove_due
from service.store.runs import read_run
from service.store.snapshots import Held, read_changes
from tests.conftest import clear
from tests.store.graph_dump import dump, graph_version
from tests.store.test_catching_up import caught_up, read_whole, ways  # noqa: F401 - a fixture
from tests.store.test_runs import published
from tests.unit.analytics_graphs import assert_equal

TODAY = 20_000
NOW = datetime(1970, 1, 1, 13, 45, tzinfo=UTC) + timedelta(days=TODAY)
KEPT = Retention(posts=300, interactions=200, unfollows=100)
World = dict[str, list[Any]]


def values(thing: str, **said: object) -> tuple[Any, ...]:
    return tuple(said.get(name) for name in THINGS[thing].fields)


def age(at: int, kept: int | None) -> bool:
    """Whether a time (ms) is older than so many days of TODAY, from plain numbers of days."""
    return kept is not None and at // DAY_MS < TODAY - kept


def make_world(seed: int = 3) -> tuple[World, World]:
    """Everything, and the same without what is too old for KEPT: found line by line, without the graph."""
    rng = random.Random(seed)

    def moment() -> int:
        edge = rng.choice([None, None, 100, 200, 300])  # around midnight, where it matters
        if edge is not None:
            return (TODAY - edge) * DAY_MS + rng.choice([-1, 0, 1])
        return rng.randrange(TODAY - 500, TODAY) * DAY_MS + rng.randrange(DAY_MS)

    names = [f"t:{i:02}" for i in range(30)]
    pairs = [(a, b) for a in names for b in names if a != b]
    rng.shuffle(pairs)
    whole: World = {
        "accounts": [Statement("accounts", (one,), values("accounts", handle=one[2:]), 5) for one in names],
        "brands": [Statement("brands", (f"b{i}",), values("brands", name=f"B{i}"), 5) for i in range(3)],
        "follows": [Follow(a, b, 1.0, moment()) for a, b in pairs[:100]],
        "unfollows": [Statement("unfollows", pair, (), moment()) for pair in pairs[150:180]],
        "engagements": [
            Statement(
                "engagements",
                (*pair, date(1970, 1, 1) + timedelta(days=moment() // DAY_MS)),
                values("engagements", likes=rng.randrange(1, 4), reposts=1),
                5,
            )
            for pair in pairs[:50]
        ],
        "endorsements": [
            Statement("endorsements", (*pair, rng.choice(["", "tea"])), (rng.random() < 0.7,), moment())
            for pair in pairs[:30]
        ],
    }
    records = [(f"r{i:02}", *pair, moment()) for i, pair in enumerate(pairs[180:210])]
    whole["follow_records"] = [
        one
        for record, a, b, at in records
        for one in (
            Statement("follow_records", (record, a, b), (1.0,), at - DAY_MS),
            Statement("follow_records", (record,), (), at),
            Statement("follow_records", (f"unknown{record}",), (), at),
        )
    ]
    kept = dict(whole)
    kept["follow_records"] = [
        one for i, one in enumerate(whole["follow_records"]) if not age(records[i // 3][3], KEPT.unfollows)
    ]
    kept["unfollows"] = [one for one in whole["unfollows"] if not age(one.at, KEPT.unfollows)]
    first = date(1970, 1, 1) + timedelta(days=TODAY - 200)
    kept["engagements"] = [one for one in whole["engagements"] if one.identity[2] >= first]
    kept["endorsements"] = [one for one in whole["endorsements"] if not (one.values[0] and age(one.at, KEPT.unfollows))]
    posts, gone = [], set()
    for i in range(24):
        said_at = moment()
        at = said_at if rng.random() < 0.8 else None
        topics = tuple(sorted(rng.sample(["tea", "vélo", "jardin", f"only{i}"], 2)))
        said = values(
            "posts", account=rng.choice(names), at=at, kind="text", lang="en", text=f"Cycling number{i}", topics=topics
        )
        posts.append(Statement("posts", (f"t:p{i}",), said, said_at))
        if age(said_at, KEPT.posts):
            gone.add(f"t:p{i}")
    responses = [
        Statement("responses", (rng.choice(names), f"t:p{rng.randrange(32)}", kind, at), (), at)
        for kind in ("like", "repost", "reply")
        for at in [*(moment() for _ in range(20)), -1, -1, -1]
    ]
    mentions = [
        Statement("mentions", (f"t:p{rng.randrange(32)}", f"b{rng.randrange(3)}"), (1, None), 5) for _ in range(20)
    ]
    whole |= {"posts": posts, "responses": responses, "mentions": mentions}
    kept["posts"] = [one for one in posts if one.identity[0] not in gone]
    kept["responses"] = [
        one for one in responses if one.identity[1] not in gone and not (one.at >= 0 and age(one.at, 200))
    ]
    kept["mentions"] = [one for one in mentions if one.identity[0] not in gone]
    return whole, kept


def load(store: Store, world: World) -> None:
    for kind, batch in world.items():
        if batch:
            apply_batch(store, kind, batch)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "THINGS_A_BATCH", 5)
    monkeypatch.setattr(retention, "POSTS_A_BATCH", 3)


def without_version(graph: Graph) -> Graph:
    return replace(graph, version=0)


@pytest.mark.usefixtures("small_batches")
def test_what_is_pruned_was_never_there(store: Store, tmp_path: Path, ways: list[str]) -> None:  # noqa: F811
    whole, kept = make_world()
    load(store, whole)
    caught_up(store, tmp_path, ways)
    version = graph_version(store)
    rehearsed = prune(store.address, KEPT, NOW, no_progress, dry_run=True)
    assert graph_version(store) == version
    seen: list[tuple[int, int | None]] = []
    done = prune(store.address, KEPT, NOW, lambda _, count, total: seen.append((count, total)))
    assert done.kinds == rehearsed.kinds
    things = {one.kind: one.things for one in done.kinds}
    of_records = (len(whole["follow_records"]) - len(kept["follow_records"])) // 3
    assert {kind: things[kind] for kind in ("interactions", "unfollows", "ended_records", "withdrawals", "posts")} == {
        "interactions": len(whole["engagements"]) - len(kept["engagements"]),
        "unfollows": len(whole["unfollows"]) - len(kept["unfollows"]) + of_records,
        "ended_records": 2 * of_records,
        "withdrawals": len(whole["endorsements"]) - len(kept["endorsements"]),
        "posts": len(whole["posts"]) - len(kept["posts"]),
    }
    assert all(things.values())
    assert seen[-1] == (sum(things.values()), sum(things.values()))
    assert len(seen) > 15
    assert graph_version(store) > version

    graph, way = caught_up(store, tmp_path, ways)
    assert way == "all"
    assert_equal(graph, read_whole(store))
    nothing = prune(store.address, KEPT, NOW, no_progress)
    assert not any(one.things for one in nothing.kinds)
    assert graph_version(store) == graph.version
    left = dump(store)

    clear(store)
    load(store, kept)
    assert dump(store) == left
    assert_equal(without_version(read_whole(store)), without_version(graph))


@pytest.mark.usefixtures("small_batches")
def test_a_pruning_that_is_cut_off_is_done_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After any batch what is caught up is what reading all gives; a batch that fails removes nothing."""
    whole, kept = make_world(4)
    load(store, whole)
    cutoffs = KEPT.cutoffs(NOW)
    read_graph(store, tmp_path, no_progress)
    done = Change.done
    while any((due := count_due(store, cutoffs)).values()):
        for batch, (kind, things) in enumerate(remove_due(store, cutoffs)):
            assert 0 < things <= due[kind]
            if batch == 9:
                break
        assert_equal(read_graph(store, tmp_path, no_progress), read_whole(store))

        def broken(change: Change, created: int, updated: int) -> Any:
            done(change, created, updated)
            raise StoreError("The lights went out.")

        before = dump(store), graph_version(store)
        monkeypatch.setattr(Change, "done", broken)
        with pytest.raises(StoreError):
            next(remove_due(store, cutoffs))
        monkeypatch.setattr(Change, "done", done)
        assert (dump(store), graph_version(store)) == before
    assert caplog.records == []
    left = dump(store)
    clear(store)
    load(store, kept)
    assert dump(store) == left


def test_what_is_removed_while_a_graph_is_read(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was read whole nor what was caught up holds it, and nobody is blamed."""
    whole, _ = make_world()
    load(store, whole)
    read_all, times = snapshots._read_all, []

    def removed_meanwhile(own: Store, *rest: Any) -> None:
        times.append(len(times))
        read_all(own, *rest)
        if len(times) == 1:
            for _ in remove_due(store, replace(KEPT.cutoffs(NOW), posts=None)):
                pass

    monkeypatch.setattr(snapshots, "_read_all", removed_meanwhile)
    graph = read_graph(store, tmp_path, no_progress)
    assert times == [0, 1]
    monkeypatch.undo()
    assert_equal(graph, read_whole(store))

    apply_batch(store, "follows", [Follow("t:00", "t:new")])

    def removed_before(own: Store, after: int, read: ReadText) -> tuple[Changes, Held]:
        for _ in remove_due(store, KEPT.cutoffs(NOW)):
            pass
        return read_changes(own, after, read)

    monkeypatch.setattr(snapshot_flow, "read_changes", removed_before)
    before = len(graph.topic_idx)
    graph = read_graph(store, tmp_path, no_progress)
    assert_equal(graph, read_whole(store))
    assert len(graph.topic_idx) < before


def test_a_graph_is_caught_up_again_after_it_was_pruned(
    store: Store,
    tmp_path: Path,
    ways: list[str],  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    load(store, make_world()[0])
    assert caught_up(store, tmp_path, ways)[1] == "all"
    prune(store.address, KEPT, NOW, no_progress)
    assert caught_up(store, tmp_path, ways)[1] == "all"
    apply_batch(store, "follows", [Follow("t:00", "t:new")])
    graph, way = caught_up(store, tmp_path, ways)
    assert way == "changes"
    assert_equal(graph, read_whole(store))
    prune(store.address, KEPT, NOW, no_progress)
    assert caught_up(store, tmp_path, ways)[1] == "kept"
    assert caplog.records == []


def test_what_comes_late_goes_with_the_next_pruning(store: Store) -> None:
    whole, kept = make_world()
    load(store, whole)
    prune(store.address, KEPT, NOW, no_progress)
    load(store, whole)
    prune(store.address, KEPT, NOW, no_progress)
    left = dump(store)
    clear(store)
    load(store, kept)
    assert dump(store) == left


def test_what_is_not_said_is_kept_for_ever(store: Store) -> None:
    load(store, make_world()[0])
    before = dump(store)
    assert prune(store.address, Retention(), NOW, no_progress).kinds == ()
    assert dump(store) == before
    prune(store.address, Retention(posts=300), NOW, no_progress)
    after = [one[2] for one in dump(store) if len(one) == 6]
    assert {"ENGAGED", "UNFOLLOWED", "WITHDREW", "POSTED"} <= set(after)
    assert after.count("ENGAGED") == [one[2] for one in before].count("ENGAGED")


def test_the_run_that_is_read_stays_however_old_it_is(store: Store) -> None:
    runs = [published(store, RunSpec(seed=seed)).id for seed in range(4)]
    for days, run in zip((400, 100, 20, 90), runs, strict=True):
        store.statement("MATCH (r:Run {id: $run}) SET r.finished_at = $at", run=run, at=NOW - timedelta(days=days))
    kept = Retention(runs=30)
    rehearsed = prune(store.address, kept, NOW, no_progress, dry_run=True)
    done = prune(store.address, kept, NOW, no_progress)
    assert [one.things for one in done.kinds] == [one.things for one in rehearsed.kinds] == [2]
    assert [read_run(store, run).removed_at is None for run in runs] == [False, False, True, True]
    assert [one.things for one in prune(store.address, kept, NOW, no_progress).kinds] == [0]


# --- once a day -----------------------------------------------------------------------------------------


def never() -> bool:
    return False


@pytest.mark.usefixtures("small_batches")
def test_of_several_services_one_prunes_a_day(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    load(store, make_world()[0])
    version = graph_version(store)
    assert not Pruner(store, Retention(), never).look(NOW), "where everything is kept nothing is even noted"
    assert store.statement("MATCH (p:Pruning) RETURN p") == []

    one, other = Pruner(store, KEPT, lambda: True), Pruner(store, KEPT, never)
    assert not one.look(NOW), "it has something else to do after the first batch"
    assert graph_version(store) == version + 1
    assert not other.look(NOW)
    assert graph_version(store) == version + 1, "the first one lives"
    other._next = 0.0
    assert other.look(NOW + timedelta(minutes=2)), "the first one has been silent"
    assert not any(count_due(store, KEPT.cutoffs(NOW)).values())
    version = graph_version(store)
    assert one.look(NOW + timedelta(minutes=3))
    assert Pruner(store, KEPT, never).look(NOW + timedelta(minutes=4))
    assert graph_version(store) == version
    assert other.look(NOW + timedelta(days=30))
    assert graph_version(store) > version
    assert "posts" in caplog.text


def test_many_services_look_at_once(store: Store) -> None:
    def claimed(by: int) -> bool:
        with Store(store.address) as own:
            return retention.claim_pruning(own, "2026-03-01", f"s{by}", 1_000_000).mine

    for _ in range(3):
        store.statement("MATCH (p:Pruning) DELETE p")
        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(claimed, range(6))) == 1


# --- the command ----------------------------------------------------------------------------------------


def test_the_command_asks_before_it_removes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    load(store, make_world()[0])
    address = store.address
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", address.password.get_secret_value())

    def told(*words: str) -> Any:
        return CliRunner().invoke(command, ["prune", "--as-of", NOW.isoformat(), *words])

    before, pending = dump(store), store.statement("MATCH (e:EndedRecord) RETURN count(e) AS n")[0]["n"]
    assert "kept for ever" in told("--yes").output
    assert json.loads(told("--json").output)["kinds"] == []
    monkeypatch.setenv("ENTOURAGE_KEEP_UNFOLLOWS_DAYS", "100")
    refused = told()
    assert refused.exit_code != 0
    assert "--dry-run" in str(refused.exception)
    rehearsed = json.loads(told("--dry-run", "--json").output)
    assert dump(store) == before
    done = json.loads(told("--yes", "--json").output)
    assert [one["kind"] for one in done["kinds"]] == ["unfollows", "ended_records", "withdrawals"]
    assert done["kinds"] == rehearsed["kinds"]
    left = store.statement("MATCH (e:EndedRecord) RETURN count(e) AS n")[0]["n"]
    assert len(dump(store)) + left == len(before) + pending - sum(one["things"] for one in done["kinds"])
    assert "follows that ended" in told("--dry-run").output
    monkeypatch.setenv("ENTOURAGE_KEEP_UNFOLLOWS_DAYS", "0")
    assert told("--yes").exit_code != 0
