"""`entourage serve` as real processes: runs, crashes of each process, and the end of all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from service.adapters.standard_webhooks import sign
from service.domain import Follow, StoreAddress
from service.flows.keys import add_key
from service.flows.seals import sealer
from service.flows.sources import add_source
from service.settings import Settings
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.serving import Service, wait_for

FOLLOWS = [Follow(f"t:{c}{i}", f"t:{c}{j}") for c in "ab" for i in range(8) for j in range(8) if i != j and (i + j) % 3]


@pytest.fixture
def service(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[Service]:
    """The service over the tests' Neo4j."""
    apply_follows(store, sorted(FOLLOWS))
    running = Service.over(store_address, tmp_path)
    yield running
    running.close()


def test_runs_are_carried_out_and_crashes_of_one_process_leave_the_other(service: Service) -> None:
    run = service.run_to_the_end(seed=1)
    assert run["state"] == "done", run
    assert service.get("/v1/communities")["run"]["id"] == run["id"], "what was reported done is read"

    service.child("_engine").kill()
    assert service.get("/v1/communities")["run"]["id"] == run["id"]
    second = service.run_to_the_end(seed=2)
    assert (second["state"], second["digest"]) != ("failed", None)
    assert second["id"] != run["id"]

    api = service.child("_api")
    api.kill()
    answer = wait_for(lambda: service.get("/v1/communities"), "the API to come back")
    assert answer["run"]["id"] == second["id"]

    children = psutil.Process(service.process.pid).children(recursive=True)
    assert service.end() == 0
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_killed_supervisor_takes_its_processes_along(service: Service) -> None:
    children = [service.child("_api"), service.child("_engine")]
    service.process.kill()
    service.process.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_a_taken_port_is_said_in_one_sentence(service: Service, tmp_path: Path) -> None:
    port = service.url.rsplit(":", 1)[1]
    second = subprocess.run(
        [sys.executable, "-m", "service", "serve", "--port", port],
        capture_output=True, text=True, timeout=60, check=False,
        env={
            **os.environ,
            **{name: value for name, value in psutil.Process(service.process.pid).environ().items() if "NEO4J" in name},
        },
    )  # fmt: skip
    assert second.returncode == 6
    assert "port_taken" in second.stderr
    assert "Traceback" not in second.stderr


def test_neo4j_killed_under_the_service_comes_back_and_the_last_set_is_served_meanwhile(tmp_path: Path) -> None:
    environment = {
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
        "ENTOURAGE_NEO4J_PORT": "7740",
        "ENTOURAGE_NEO4J_HEAP_MB": "512",
        "ENTOURAGE_NEO4J_PAGE_CACHE_MB": "128",
    }
    service = Service(environment, tmp_path)
    try:
        home = tmp_path / "data" / "neo4j"
        java = next(
            process for process in psutil.process_iter(["cmdline"])
            if f"--home-dir={home}" in (process.info["cmdline"] or [])
        )  # fmt: skip
        password = (home / "password").read_text().strip()
        port = next(one.laddr.port for one in java.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
        from pydantic import SecretStr

        with Store(StoreAddress(f"bolt://127.0.0.1:{port}", "neo4j", SecretStr(password))) as store:
            apply_follows(store, sorted(FOLLOWS))
        run = service.run_to_the_end(seed=1)
        assert run["state"] == "done", run
        before = service.get("/v1/communities")
        ambassadors = f"/v1/communities/{before['items'][0]['id']}/ambassadors"
        candidates = service.get(ambassadors)["items"]

        java.kill()
        answer = wait_for(lambda: found if (found := service.get("/v1/communities"))["run"]["stale"] else None, "stale")
        assert (answer["items"], answer["run"]["id"]) == (before["items"], run["id"])
        assert service.get(ambassadors)["items"] == candidates
        assert service.client.get("/health/live").status_code == 200

        wait_for(lambda: service.client.get("/health/ready").status_code == 200, "Neo4j to come back")
        assert service.get("/v1/communities")["run"] == before["run"]
        assert service.run_to_the_end(seed=2)["state"] == "done"
        assert service.end() == 0
    finally:
        service.close()


class Line:
    """A line to Neo4j that is cut until it is mended: connections to it are refused, and then passed on."""

    def __init__(self, address: StoreAddress) -> None:
        self._to = int(address.uri.rsplit(":", 1)[1])
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._socket.getsockname()[1]}"

    def mend(self) -> None:
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._socket.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for end in (one, other):
            end.close()


def test_deliveries_are_taken_in_by_a_service_that_starts_while_neo4j_is_away(
    store_address: StoreAddress, store: Store, tmp_path: Path
) -> None:
    """Who pushes and who asks is known from the journal; all else begins when Neo4j answers."""
    environment = {
        "ENTOURAGE_NEO4J_USER": store_address.user,
        "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_AUTHENTICATION": "true",
    }
    journal = tmp_path / "data" / "journal"
    _, secret = add_source(store_address, journal, sealer(None, tmp_path / "data"), "shop", "t")
    _, key = add_key(store_address, journal, "x", ["ingest", "run"], None)
    line = Line(store_address)
    service = Service({**environment, "ENTOURAGE_NEO4J_URI": line.uri}, tmp_path)
    try:
        service.client.headers["Authorization"] = f"Bearer {key}"
        body = b'{"type": "follow.created", "data": {"follower": "1", "followee": "2"}}'
        now = int(time.time())
        headers = {
            "webhook-id": "a",
            "webhook-timestamp": str(now),
            "webhook-signature": sign(secret, "a", now, body),
            "Content-Type": "application/json",
        }
        taken = service.client.post("/v1/webhooks/shop", content=body, headers=headers)
        assert taken.status_code == 202, taken.text
        assert service.client.get("/health/ready").status_code == 503
        assert service.client.post("/v1/runs", json={}).json()["code"] == "store_unavailable"
        assert service.get(taken.json()["url"])["state"] == "journaled"
        line.mend()
        wait_for(lambda: service.get(taken.json()["url"])["state"] == "applied", "the delivery to be applied")
        assert service.client.get("/health/ready").status_code == 200
        assert service.run_to_the_end(seed=1)["state"] == "done"
    finally:
        service.close()
        line.close()
