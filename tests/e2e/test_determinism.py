"""The same follows and the same question give the same published bytes, whatever the order of arrival and hash seed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pydantic import SecretStr

from service.domain import Follow, PublishedPart, RunSpec, StoreAddress
from service.records import THINGS, Statement
from service.store.driver import AsyncStore, Store
from service.store.results import digest_of

ROOT = Path(__file__).resolve().parents[2]


def follows_of(seed: int) -> list[Follow]:
    """About 3,000 follows of 400 accounts with weights and times, in planted communities, some accounts far out."""
    rng = np.random.default_rng(seed)
    follower = rng.integers(0, 400, 3_000)
    near = follower // 50 * 50 + rng.integers(0, 50, 3_000)
    followee = np.where(rng.random(3_000) < 0.85, near, rng.integers(0, 400, 3_000))
    weight = rng.integers(1, 40, 3_000) / 7
    at = rng.integers(1_600_000_000_000, 1_700_000_000_000, 3_000)
    pairs = {
        (f"net:{a}", f"net:{b}"): (float(w), int(t))
        for a, b, w, t in zip(follower, followee, weight, at, strict=True)
        if a != b
    }
    return [Follow(a, b, w, t) for (a, b), (w, t) in sorted(pairs.items())]


def posts_of(seed: int) -> list[Statement]:
    """Posts of the planted communities, each about a topic of its own, one that may not be named, and a common one."""
    rng = np.random.default_rng(seed)
    posts = []
    for number in range(800):
        account = int(rng.integers(0, 400))
        topics = sorted({f"topic {account // 50}", rng.choice(["vote2026", "photo", "café"])})
        said = (f"net:{account}", None, None, None, None, tuple(map(str, topics)), None)
        posts.append(Statement("posts", (f"net:p{number}",), said, 1))
    return posts


def import_and_analyse(address: StoreAddress, seed: int) -> str:
    """Import follows and posts shuffled, in batches, and analyse them in this process; return the run's id."""
    from service.flows.analyze import execute
    from service.store.edges import apply_follows
    from service.store.runs import claim, create_run
    from service.store.things import apply_statements

    rng = random.Random(seed)
    follows = follows_of(1)
    follows += rng.sample(follows, 200)  # some arrive twice
    rng.shuffle(follows)

    async def create(spec: RunSpec) -> str:
        async with AsyncStore(address) as store:
            return (await create_run(store, spec, True))[0].id

    with Store(address) as store:
        while follows:
            size = rng.choice([1, 7, 150, 1_000, 2_500])
            apply_follows(store, follows[:size])
            follows = follows[size:]
        posts = posts_of(2)
        rng.shuffle(posts)
        for start in range(0, len(posts), 300):
            apply_statements(store, THINGS["posts"], posts[start : start + 300])
        run_id = claim(store, asyncio.run(create(RunSpec()))).id
    with TemporaryDirectory() as kept:
        execute(address, run_id, Path(kept))
    return run_id


def published_by(store: Store, address: StoreAddress, hash_seed: int) -> dict[str, Any]:
    """Everything a run publishes and writes back, done in a fresh interpreter on an empty graph."""
    from tests.conftest import clear

    clear(store)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "OMP_NUM_THREADS": str(1 + hash_seed % 2),
        "OPENBLAS_NUM_THREADS": str(1 + hash_seed % 2),
    }
    given = {"uri": address.uri, "user": address.user, "password": address.password.get_secret_value()}
    done = subprocess.run(
        [sys.executable, "-c", "from tests.e2e.test_determinism import main; main()"],
        input=json.dumps({**given, "seed": hash_seed}), env=environment, cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.strip()
    [run] = store.statement("MATCH (r:Run {id: $run}) RETURN r {.*} AS r", run=run_id)
    names = [
        row["name"]
        for row in store.statement(
            "MATCH (f:RunFile {run: $run}) RETURN DISTINCT f.part AS name ORDER BY name", run=run_id
        )
    ]
    return {
        "digest": run["r"]["digest"],
        "quality": run["r"]["quality"],
        "as_of": run["r"]["as_of"],
        "parts": {
            name: b"".join(file["bytes"] for file in store.stream("published/part", run=run_id, part=name))
            for name in names
        },
        "members": store.statement(
            "MATCH (a)-[m:MEMBER_OF]->(c)<-[:FOUND]-(:Run {id: $run}) RETURN a.key AS key, c.id AS id, m {.*} AS m "
            "ORDER BY key, id",
            run=run_id,
        ),
    }


def main() -> None:
    """What the fresh interpreter does: read from standard input where the graph is and which order to take."""
    given = json.loads(sys.stdin.read())
    address = StoreAddress(given["uri"], given["user"], SecretStr(given["password"]))
    print(import_and_analyse(address, given["seed"]))


def test_shuffled_input_and_hash_seeds_publish_the_same_bytes(store: Store, store_address: StoreAddress) -> None:
    first = published_by(store, store_address, 0)
    assert len(first["members"]) > 300
    assert len(first["parts"]) > 3
    assert any(first["parts"][name] for name in first["parts"] if name.startswith("candidates/"))
    labels = [json.loads(line)["label"] for line in first["parts"]["communities"].splitlines()]
    assert sum(label.startswith("topic ") for label in labels) >= 5, labels
    assert not any("vote" in label or "photo" in label for label in labels)
    parts = [PublishedPart(name, content.split(b"\n")[:-1]) for name, content in first["parts"].items()]
    assert first["digest"] == digest_of(parts)
    for hash_seed in range(1, 5):
        assert published_by(store, store_address, hash_seed) == first, f"PYTHONHASHSEED={hash_seed}"
