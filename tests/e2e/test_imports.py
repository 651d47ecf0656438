"""A file handed in to a real service whose importer is killed on the way: one whole import, and nothing twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.domain import StoreAddress
from service.store.driver import Store
from tests.serving import Service, wait_for

FOLLOWS = 45_000


@pytest.fixture
def service(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[Service]:
    """The service over the tests' Neo4j, with an empty graph and data of its own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENTOURAGE_DATA_DIR", str(tmp_path / "data"))
        running = Service.over(store_address, tmp_path)
        yield running
        running.close()


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", "imports", *arguments],
        env={**os.environ, "ENTOURAGE_DATA_DIR": str(folder)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_import_whose_process_is_killed_is_done_once_and_whole(
    service: Service, store: Store, tmp_path: Path
) -> None:
    uploads = tmp_path / "data" / "journal" / "imports"
    parts = urlsplit(service.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as broken:
        head = f"POST /v1/imports HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: text/csv\r\nContent-Length: 999\r\n"
        broken.sendall(f"{head}\r\nfollower,followee\na,b\n".encode())
        wait_for(lambda: uploads.is_dir() and list(uploads.iterdir()), "the file that begins to come")
    wait_for(lambda: not list(uploads.iterdir()), "half a file to go away")
    assert service.get("/v1/imports")["items"] == []

    pairs = [(f"a{i}", f"b{i % 5_000}") for i in range(FOLLOWS)]
    lines = ["follower,followee", *(",".join(pair) for pair in pairs), "loop,loop"]
    body = "\n".join(lines).encode()
    answer = service.client.post(
        "/v1/imports", params={"network": "m", "name": "a.csv"}, content=body, headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 202, answer.text
    address = answer.headers["location"]
    wait_for(lambda: service.get(address)["progress"]["lines"] > 0, "the first batch")
    service.child("_importer").send_signal(signal.SIGKILL)
    cut = service.get(address)
    assert cut["state"] == "running"
    assert cut["progress"]["lines"] < FOLLOWS
    ended = wait_for(lambda: one if (one := service.get(address))["state"] in ("done", "failed") else None, "its end")

    report = ended["report"]
    assert (ended["state"], ended["attempts"]) == ("done", 2), ended
    assert (report["lines"], report["used"], report["rejected"]) == (FOLLOWS + 2, FOLLOWS, {"self_loop": 1})
    assert report["created"] + report["unchanged"] == FOLLOWS
    assert report["unchanged"] <= 20_000, "at most the batch under way was applied twice"
    rows = store.statement("MATCH (a:Account)-[:FOLLOWS]->(b:Account) RETURN a.native_id AS a, b.native_id AS b")
    assert sorted((row["a"], row["b"]) for row in rows) == sorted(pairs)

    folder = tmp_path / "data"
    assert [one["id"] for one in json.loads(command(folder, "list", "--json").stdout)] == [ended["id"]]
    watched = command(folder, "watch", ended["id"], "--json")
    assert (watched.returncode, json.loads(watched.stdout)["lines"]) == (10, FOLLOWS + 2)
    rejects = command(folder, "rejects", ended["id"]).stdout
    assert rejects == service.client.get(f"{address}/rejects").text
    assert json.loads(rejects)["line"] == FOLLOWS + 2
    assert command(folder, "cancel", ended["id"]).returncode == 5
    assert command(folder, "show", "i0").returncode == 4
