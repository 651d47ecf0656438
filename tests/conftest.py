"""Fixtures of all tests. The store is always a real Neo4j, started as `make demo` starts it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.domain import EmbeddedConfig, StoreAddress
from service.settings import Settings
from service.store.driver import Store

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _data_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What commands and processes keep between calls goes into a temporary folder, not to the user's own data."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENTOURAGE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real graphs beside the project; skips where it is absent, fails if CI=true."""
    root = Path(os.environ.get("ENTOURAGE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not root.is_dir():
        message = f"no test data in {root}; set ENTOURAGE_TEST_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return root


@pytest.fixture(scope="session")
def shared_data(data_root: Path) -> Any:
    """A function from a path below the data folder to the file or folder: `shared_data("uk-faculty")`."""

    def find(name: str) -> Path:
        path = data_root / name
        assert path.exists(), f"{path} is missing from the test data"
        return path

    return find


@pytest.fixture(scope="session")
def embedded_config(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedConfig:
    """How the tests' own Neo4j is run: jars from the usual cache, data in a temporary folder."""
    settings = Settings()
    return EmbeddedConfig(
        home=tmp_path_factory.mktemp("neo4j"),
        cache_dir=settings.cache_dir,
        version=settings.neo4j_version,
        port=7690,
        heap_mb=768,
        page_cache_mb=128,
    )


@pytest.fixture(scope="session")
def store_address(embedded_config: EmbeddedConfig) -> Iterator[StoreAddress]:
    """One real Neo4j for the whole session, migrated."""
    from service.store.embedded import running
    from service.store.migrations import migrate

    with running(embedded_config) as address:
        with Store(address) as store:
            migrate(store)
        yield address


def clear(store: Store) -> None:
    """Empty the graph but for the chain of migrations and the singleton that holds version and counter."""
    store.statement(
        "MATCH (x) WHERE NOT x:__Neo4jMigration AND NOT x:__Neo4jMigrationsLock AND NOT x:Graph "
        "CALL (x) { DETACH DELETE x } IN TRANSACTIONS OF 10000 ROWS"
    )
    store.statement("MATCH (g:Graph) SET g = {id: 1, v: 0, n: 0}")


@pytest.fixture
def store(store_address: StoreAddress) -> Iterator[Store]:
    """A connection to an empty, migrated graph."""
    with Store(store_address) as store:
        clear(store)
        yield store
