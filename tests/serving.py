"""A running `entourage serve`, for tests: its address, its processes, and its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil

from service.domain import StoreAddress


class Service:
    """A running `entourage serve`; its API asks for no keys, unless the environment says so."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.log = (folder / "serve.log").open("w+")
        environment = {"ENTOURAGE_AUTHENTICATION": "false", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0"],
            env={**os.environ, **environment, "COLUMNS": "200"}, stdout=self.log, stderr=self.log, cwd=folder,
        )  # fmt: skip
        self.url = wait_for(lambda: re.search(r"http://127.0.0.1:\d+", self.said()), "the address")[0]
        self.client = httpx2.Client(base_url=self.url, timeout=20.0)

    @classmethod
    def over(cls, address: StoreAddress, folder: Path) -> Service:
        """A service over a Neo4j that runs already."""
        environment = {
            "ENTOURAGE_NEO4J_URI": address.uri,
            "ENTOURAGE_NEO4J_USER": address.user,
            "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
        }
        return cls(environment, folder)

    def said(self) -> str:
        assert self.process.poll() is None, Path(self.log.name).read_text()
        return Path(self.log.name).read_text()

    def get(self, address: str) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get(address).json()
        return body

    def child(self, command: str) -> psutil.Process:
        def find() -> psutil.Process | None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # also one that has ended and was not waited for
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
