"""The API over the tests' real Neo4j, with a small published run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.domain import Follow, RunSpec, StoreAddress
from service.flows.analyze import execute
from service.flows.writing import Writer
from service.journal.journal import Journal
from service.settings import Settings
from service.store.driver import AsyncStore, Store
from service.store.edges import apply_follows
from service.store.runs import claim, create_run


def api_settings(address: StoreAddress, **changes: Any) -> Settings:
    """Settings of an API that asks for no keys, unless `changes` say so: what keys may do has tests of its own."""
    given = {"authentication": False, **changes}
    return Settings(neo4j_uri=address.uri, neo4j_user=address.user, neo4j_password=address.password, **given)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Folder of the API's journal."""
    return tmp_path / "journal"


@pytest.fixture
def api(store_address: StoreAddress, store: Store, journal: Path) -> Iterator[TestClient]:  # an empty graph
    """The API over an empty graph; errors come as the responses a client gets."""
    app = create_app(api_settings(store_address), journal)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def applied(store: Store, journal: Path) -> Iterator[Callable[[], None]]:
    """Does what the writer process does until nothing is pending."""
    with Journal(journal) as own:
        writer = Writer(store, own)

        def work() -> None:
            while writer.turn():
                pass

        yield work


def two_circles(store: Store) -> None:
    """Two communities of eight and six, tied by one follow; e1 is alone with e0."""
    follows = []
    for circle, size in (("a", 8), ("b", 6)):
        for i in range(size):
            follows += [Follow(f"t:{circle}{i}", f"t:{circle}{j}") for j in range(size) if j != i and (j <= i or j < 3)]
    follows += [Follow("t:a7", "t:b5"), Follow("t:e1", "t:e0")]
    apply_follows(store, sorted(follows))


def publish(store: Store, spec: RunSpec | None = None) -> str:
    """Run an analysis in this process and publish it; return the run's id."""

    async def create() -> str:
        async with AsyncStore(store.address) as asynchronous:
            run, created = await create_run(asynchronous, spec or RunSpec(), True)
            assert created
            return run.id

    run_id = asyncio.run(create())
    claim(store, run_id)
    with TemporaryDirectory() as kept:
        execute(store.address, run_id, Path(kept))
    return run_id


@pytest.fixture
def run_id(store: Store) -> str:
    """Id of a published run over two circles."""
    two_circles(store)
    return publish(store)
