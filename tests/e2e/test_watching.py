"""Runs watched over a real server: events while a run goes on, its end, and clients that go away."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.domain import Follow, RunError, RunSpec, StoreAddress
from service.flows.watching import MOST_WATCHERS
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.runs import canonical_json, fail, report
from tests.serving import Service, wait_for


@pytest.fixture
def service(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[Service]:
    """The service over the tests' Neo4j, with a small graph."""
    apply_follows(
        store, sorted(Follow(f"t:{i}", f"t:{j}") for i in range(8) for j in range(8) if i != j and i + j != 7)
    )
    running = Service.over(store_address, tmp_path)
    yield running
    running.close()


def running_run(store: Store, run_id: str) -> None:
    """A run that this test carries out itself: it is running from the beginning, so that no engine takes it."""
    store.statement(
        "CREATE (:Run {id: $id, state: 'running', stage: 'snapshot', publish: false, spec: $spec, "
        "created_at: datetime(), started_at: datetime(), heartbeat_at: datetime()})",
        id=run_id, spec=canonical_json(RunSpec()),
    )  # fmt: skip


class Watcher:
    """A client that reads a stream as it comes, without a library in between."""

    def __init__(self, service: Service, run_id: str, last: str | None = None) -> None:
        parts = urlsplit(service.url)
        self.socket = socket.create_connection((str(parts.hostname), parts.port or 80), timeout=30.0)
        lines = [f"GET /v1/runs/{run_id}/events HTTP/1.1", f"Host: {parts.netloc}", "Accept-Encoding: gzip"]
        lines += [] if last is None else [f"Last-Event-ID: {last}"]
        self.socket.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        self.lines = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.status = int(self.lines.readline().split()[1])

    def event(self) -> dict[str, str] | None:
        """The next event; None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := self.lines.readline():
            name, colon, value = line.rstrip("\r\n").partition(": ")
            if colon and name in ("event", "id", "data"):
                fields[name] = value
            elif not name and "data" in fields:
                return fields
            elif name == "0":
                return None  # the last chunk
        return None

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


def test_a_run_is_followed_from_being_asked_for_to_its_end(service: Service) -> None:
    run = service.client.post("/v1/runs", json={"publish": True}).json()
    watcher = Watcher(service, run["id"])
    assert watcher.status == 200
    found = []
    while (event := watcher.event()) is not None:
        found.append(event)
    watcher.close()
    assert [one["event"] for one in found] == ["progress"] * (len(found) - 1) + ["done"]
    assert len(found) > 1, "it was followed while it went on"
    states = [json.loads(one["data"])["state"] for one in found]
    assert states == sorted(states, key=["queued", "running", "done"].index)
    assert len({one["id"] for one in found}) == len(found), "nothing came twice"
    ended: dict[str, Any] = json.loads(found[-1]["data"])
    assert ended == service.get(f"/v1/runs/{run['id']}")
    assert ended["current"] is True


def test_events_come_while_a_run_goes_on_and_go_on_after_a_break(service: Service, store: Store) -> None:
    running_run(store, "r-1")
    first, second = Watcher(service, "r-1"), Watcher(service, "r-1")
    for watcher in (first, second):
        begin = watcher.event()
        assert begin is not None
        assert json.loads(begin["data"])["stage"] == "snapshot"
    report(store, "r-1", "scores", 0.25)
    for watcher in (first, second):
        event = watcher.event()
        assert event is not None
        assert event["event"] == "progress"
        said = json.loads(event["data"])
        assert (said["id"], said["state"], said["stage"], said["progress"]) == ("r-1", "running", "scores", 0.25)
    first.close()
    again = Watcher(service, "r-1", last=event["id"])
    report(store, "r-1", "pages", None)
    for watcher in (second, again):
        event = watcher.event()
        assert event is not None
        assert json.loads(event["data"])["stage"] == "pages", "what is known does not come again"
    fail(store, "r-1", RunError(code="broken", message="It broke."))
    for watcher in (second, again):
        event = watcher.event()
        assert event is not None
        assert event["event"] == "failed"
        assert json.loads(event["data"])["error"] == {"code": "broken", "message": "It broke."}
        assert watcher.event() is None, "the stream closes"
        watcher.close()
    known = Watcher(service, "r-1", last=event["id"])
    assert known.status == 204
    known.close()


def test_who_goes_away_makes_room_and_the_service_ends_at_once(service: Service, store: Store) -> None:
    running_run(store, "r-1")
    watchers = [Watcher(service, "r-1") for _ in range(MOST_WATCHERS)]
    assert {one.status for one in watchers} == {200}
    refused = service.client.get("/v1/runs/r-1/events")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_watchers")
    assert refused.headers["retry-after"]
    assert service.client.get("/health/live").status_code == 200
    watchers.pop().close()

    def let_in() -> Watcher | None:
        one = Watcher(service, "r-1")
        if one.status == 200:
            return one
        one.close()
        return None

    watchers.append(wait_for(let_in, "a place", seconds=20.0))
    assert service.client.get("/v1/runs/r-1/events").status_code == 429
    began = time.monotonic()
    assert service.end() == 0
    assert time.monotonic() - began < 15.0
    for one in watchers:
        while one.event() is not None:
            pass
        one.close()
    said = Path(service.log.name).read_text()
    assert "graceful shutdown exceeded" not in said, said
