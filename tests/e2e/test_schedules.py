"""Schedules as people use them: made with the command, and carried out by a running service by itself."""

from __future__ import annotations

import json
from pathlib import Path

from service.domain import Follow, StoreAddress
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.e2e.test_main_job import Entourage
from tests.e2e.test_main_job import entourage as entourage
from tests.e2e.test_serve import FOLLOWS
from tests.serving import Service, wait_for


def test_schedules_are_made_listed_and_removed_with_the_command(store: Store, entourage: Entourage) -> None:
    assert "no schedule yet" in entourage("schedules", "list").stderr
    said = entourage("schedules", "add", "--daily-at", "03:00", "--seed", "7", "--no-publish").stdout
    assert "is made" in said
    assert "daily at 03:00 UTC" in said
    assert "there already" in entourage("schedules", "add", "--daily-at", "03:00", "--seed", "7", "--no-publish").stdout
    made = json.loads(entourage("schedules", "add", "--after-changes", "1000", "--json").stdout)
    assert (made["after_changes"], made["publish"], "communities" in made["spec"]) == (1000, True, False)
    table = entourage("schedules", "list").stdout
    assert made["id"] in table
    assert "after 1,000 changes" in table
    daily, after = json.loads(entourage("schedules", "list", "--json").stdout)
    assert (daily["spec"]["seed"], daily["publish"], after) == (7, False, made)
    removed = entourage("schedules", "remove", made["id"]).stdout
    assert json.loads(removed[removed.index("{") :])["after_changes"] == 1000
    assert "schedule_not_found" in entourage("schedules", "remove", made["id"], expect=4).stderr
    for wrong in ((), ("--after-changes", "5", "--daily-at", "03:00"), ("--daily-at", "25:00")):
        assert "bad_input" in entourage("schedules", "add", *wrong, expect=3).stderr
    assert "five seconds" in " ".join(entourage("schedules", "add", "--help").stdout.split())


def test_a_running_service_publishes_by_itself_after_changes(
    store_address: StoreAddress, store: Store, tmp_path: Path, entourage: Entourage
) -> None:
    service = Service.over(store_address, tmp_path)
    try:
        made = service.client.post("/v1/schedules", json={"after_changes": 10})
        assert made.status_code == 201, made.text
        assert service.get("/health/ready")["run"] is None
        lines = "".join(f"{one.follower},{one.followee}\n" for one in sorted(FOLLOWS))
        (tmp_path / "follows.csv").write_text(f"follower,followee\n{lines}")
        entourage("import", "follows.csv", "--keys")
        first = wait_for(lambda: service.get("/health/ready")["run"], "a run of its own accord", seconds=240.0)
        assert service.get("/v1/communities")["run"]["id"] == first
        assert service.get(f"/v1/runs/{first}")["publish"] is True
        [schedule] = service.get("/v1/schedules")["items"]
        assert schedule["last_run"] == first
        ready = service.get("/health/ready")
        assert ready["graph_version"] == ready["graph_version_now"]

        apply_follows(store, [Follow(f"t:c{i}", f"t:c{i + 1}") for i in range(10)])
        second = wait_for(
            lambda: run if (run := service.get("/health/ready")["run"]) != first else None,
            "a run after more changes",
            seconds=240.0,
        )
        assert int(service.client.get("/v1/communities").headers["entourage-run-age"]) >= 0
        rows = store.statement("MATCH (r:Run) RETURN r.id AS id, r.state AS state ORDER BY id")
        assert rows == [{"id": one, "state": "done"} for one in sorted((first, second))]
        assert service.end() == 0
    finally:
        service.close()
