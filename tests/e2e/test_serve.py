"""`entourage serve` as real processes: runs, crashes of each process, and the end of all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from service.domain import Follow, StoreAddress
from service.settings import Settings
from service.store.driver import Store
from service.store.edges import apply_follows

FOLLOWS = [Follow(f"t:{c}{i}", f"t:{c}{j}") for c in "ab" for i in range(8) for j in range(8) if i != j and (i + j) % 3]


class Service:
    """A running `entourage serve`."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.log = (folder / "serve.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0"],
            env={**os.environ, **environment, "COLUMNS": "200"}, stdout=self.log, stderr=self.log, cwd=folder,
        )  # fmt: skip
        self.url = wait_for(lambda: re.search(r"http://127.0.0.1:\d+", self.said()), "the address")[0]
        self.client = httpx2.Client(base_url=self.url, timeout=20.0)

    def said(self) -> str:
        assert self.process.poll() is None, Path(self.log.name).read_text()
        return Path(self.log.name).read_text()

    def get(self, address: str) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get(address).json()
        return body

    def child(self, command: str) -> psutil.Process:
        def find() -> psutil.Process | None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                if command in process.cmdline():
                    return process
            return None

        return wait_for(find, command)

    def run_to_the_end(self, seed: int) -> dict[str, Any]:
        asked = self.client.post("/v1/runs", json={"publish": True, "spec": {"seed": seed}})
        assert asked.status_code == 202, asked.text
        address = asked.headers["location"]
        return wait_for(
            lambda: run if (run := self.get(address))["state"] in ("done", "failed") else None, f"run {address}"
        )

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.end()
        self.client.close()
        self.log.close()


def wait_for(look: Callable[[], Any], what: str, seconds: float = 90.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except (httpx2.TransportError, psutil.NoSuchProcess):
            pass
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


@pytest.fixture
def service(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[Service]:
    """The service over the tests' Neo4j."""
    apply_follows(store, sorted(FOLLOWS))
    running = Service(
        {
            "ENTOURAGE_NEO4J_URI": store_address.uri,
            "ENTOURAGE_NEO4J_USER": store_address.user,
            "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
        },
        tmp_path,
    )
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
