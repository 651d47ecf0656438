"""The commands of the README run, in its order, on a graph of their own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx2

from service.sample_files import write_sample
from service.settings import Settings
from tests.e2e.test_serve import Service

ROOT = Path(__file__).resolve().parents[2]


def readme_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_readme_commands_run(tmp_path: Path) -> None:
    commands = readme_commands()
    assert {line.split()[0] for line in commands} == {"make", "entourage", "curl"}
    environment = {
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
        "ENTOURAGE_NEO4J_PORT": "7760",
        "ENTOURAGE_NEO4J_HEAP_MB": "512",
        "ENTOURAGE_NEO4J_PAGE_CACHE_MB": "128",
    }
    follows = (write_sample(tmp_path / "other") / "follows.csv").read_text().splitlines()
    (tmp_path / "follows.csv").write_text("\n".join(["follower,followee,followed_at", *follows[1:]]) + "\n")
    (tmp_path / "customers.csv").write_text("handle,since\n@aubade,2024-05-01\n")

    def entourage(line: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "service", *shlex.split(line)[1:]],
            env={**os.environ, **environment}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    ours = [line for line in commands if line.startswith("entourage") and line != "entourage serve"]
    # Neo4j is started first and stopped last, so that not every command has to.
    middle = [line for line in ours if line not in ("entourage store start", "entourage store stop")]
    assert len(middle) == len(ours) - 2
    entourage("entourage store start")
    try:
        said = "".join([entourage(line) for line in middle])
        [key] = re.findall(r"^ent_\S+$", said, re.MULTILINE)
        service = Service({**environment, "ENTOURAGE_AUTHENTICATION": "true"}, tmp_path)
        try:
            for line in commands:
                if line.startswith("curl"):
                    assert fetch(line.replace("$KEY", "ent_"), service.url).status_code == 401
                    answer = fetch(line.replace("$KEY", key), service.url)
                    assert answer.status_code in (200, 202), f"{line}: {answer.text}"
        finally:
            service.close()
    finally:
        entourage("entourage store stop")


def fetch(line: str, url: str) -> httpx2.Response:
    """Do what a curl command does, of the service at `url`."""
    words = iter(shlex.split(line)[1:])
    method, headers, body, address = "GET", {}, None, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            address = word.replace("http://127.0.0.1:8000", url)
    return httpx2.request(method, address, headers=headers, content=body)
