"""`make demo` from nothing: embedded Neo4j, sample, analysis, ambassadors; again: nothing changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

from service.settings import Settings


def test_demo_prints_ambassadors_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ENTOURAGE_NEO4J_URI")},
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_CACHE_DIR": str(Settings().cache_dir),
        "ENTOURAGE_NEO4J_HEAP_MB": "512",
        "ENTOURAGE_NEO4J_PAGE_CACHE_MB": "128",
        "COLUMNS": "160",
    }

    def demo() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "service", "demo", "--once"],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    first = demo()
    assert re.search(r"in \d+ communities", first)
    assert "everybody in it was invented" in first
    assert re.search(r"^\S.* · around @\S+", first, re.MULTILINE), "what a community is about, and around whom it is"
    candidates = re.findall(r"^ *1 \(1-\d+\) +@\S+ +\d+\.\d +(open|employees_|customers_)", first, re.MULTILINE)
    assert len(candidates) == 5
    # The two kinds of ambassadors of each brand, with what they are to it.
    for brand in ("Maison Aubade", "Nordlys Outdoor", "Velora Cycles"):
        part = first.split(f"{brand}  brand ")[1].split("  brand ")[0]
        inside, outside = part.split("Employees and collaborators: ")[1].split("Customers and users: ")
        assert re.search(rf"(employee|collaborator) of {brand}", inside)
        assert re.search(rf"(customer|user) of {brand}", outside)
        assert len(re.findall(r"^ *\d +@", inside, re.MULTILINE)) >= 1
    run = re.search(r"Run (\S+),", first)
    assert run is not None
    second = demo()
    assert run[1] in second
    assert "nothing has changed" not in first
    server = f"--home-dir={tmp_path}"
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(part.startswith(server) for part in process.info["cmdline"] or [])
    ]
    assert left == [], "the last user stopped Neo4j"
