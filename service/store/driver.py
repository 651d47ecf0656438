"""Talking to Neo4j: run queries of the library by name, with our errors instead of the driver's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from service.domain import ErasureKeys, StoreAddress
from service.errors import (
    BadInput,
    MigrationError,
    StoreAuthFailed,
    StoreError,
    StoreRefused,
    StoreTimedOut,
    StoreUnavailable,
)
from service.store.queries import Queries, load_queries

T = TypeVar("T")
Row = dict[str, Any]

CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0
READ_RETRY_SECONDS = 2.0
_OPTIONS: dict[str, Any] = {
    "connection_timeout": CONNECT_SECONDS,
    "connection_acquisition_timeout": 30.0,
    "notifications_min_severity": "OFF",
    "user_agent": "entourage",
}


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Let no exception of the driver out: each leaves as one of ours, with what to do.

    Raises:
        StoreAuthFailed: the server refused user or password.
        StoreUnavailable: no answer, or the connection broke.
        StoreTimedOut: it took longer than was allowed.
        StoreError: anything else Neo4j refused; its own code is named.
    """
    uri = _shown(uri)
    try:
        yield
    except AuthError as error:
        raise StoreAuthFailed(
            f"Neo4j at {uri} refused the user or the password; check ENTOURAGE_NEO4J_USER and ENTOURAGE_NEO4J_PASSWORD."
        ) from error
    except (ServiceUnavailable, SessionExpired, OSError) as error:
        raise StoreUnavailable(
            f"Neo4j at {uri} does not answer; see `entourage store status`, and try again when it runs."
        ) from error
    except TransientError as error:
        raise StoreUnavailable(
            f"Neo4j at {uri} could not finish this now ({error.code}); try again in a moment."
        ) from error
    except ClientError as error:
        if "TransactionTimedOut" in (error.code or ""):
            raise StoreTimedOut(
                "Neo4j ended a query that took longer than it may; ask for less, or give it more time."
            ) from error
        said = f"Neo4j refused a statement ({error.code}): {error.message}"
        # What is wrong with a statement stays wrong; what is wrong with the database may be mended.
        of_statement = (error.code or "").startswith(("Neo.ClientError.Statement.", "Neo.ClientError.Schema."))
        raise (StoreRefused if of_statement else StoreError)(said) from error
    except (Neo4jError, DriverError) as error:
        raise StoreError(f"Neo4j could not do this: {error}") from error


@contextmanager
def _address_errors(uri: str) -> Iterator[None]:
    """Raise BadInput for an address the driver cannot parse, or that is not for Bolt; it connects only later."""
    said = f"Neo4j cannot be reached at {_shown(uri)}; write its address like neo4j://db.example:7687."
    if uri.partition(":")[0].lower().partition("+")[0] not in ("bolt", "neo4j"):
        raise BadInput(said)
    try:
        yield
    except (ConfigurationError, ValueError):
        raise BadInput(said) from None  # what the driver says holds the whole address


def _shown(uri: str) -> str:
    """An address as messages may show it: scheme, host and port, and nothing that could be a secret."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        return "the address that was given"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}"


def not_prepared() -> MigrationError:
    """The error for a graph that has not been migrated."""
    return MigrationError("The graph has not been prepared; run `entourage migrate`.")


class Tx:
    """A transaction under way; queries are called by name. The work that uses it may run twice."""

    def __init__(self, tx: neo4j.ManagedTransaction, queries: Queries, erasure_keys: ErasureKeys | None = None) -> None:
        self._tx = tx
        self._queries = queries
        self.erasure_keys = erasure_keys

    def parameters(self, name: str) -> set[str]:
        """Names of the parameters that a query declares."""
        return {one.name for one in self._queries[name].parameters}

    def run(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query of the library and return its rows."""
        query = self._queries[name]
        query.check(parameters)
        # Not .data(): it goes through lists and bytes item by item, seconds for a page or a column.
        return [dict(record) for record in self._tx.run(query.text, parameters)]


class Store:
    """A connection to the graph, for the command, imports and analyses. A context manager; not thread-safe."""

    def __init__(self, address: StoreAddress, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self.address = address
        self.queries = load_queries()
        with _address_errors(address.uri):
            self._driver = neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password.get_secret_value()),
                max_transaction_retry_time=retry_seconds,
                **_OPTIONS,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._driver.close()

    @contextmanager
    def _session(self, **options: Any) -> Iterator[neo4j.Session]:
        with store_errors(self.address.uri), self._driver.session(database=self.address.database, **options) as session:
            yield session

    def read(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run one read query in a managed transaction and return its rows."""
        return self.read_within(None, name, **parameters)

    def read_within(self, seconds: float | None, name: str, /, **parameters: Any) -> list[Row]:
        """Do what `read` does; Neo4j ends the query after so many seconds, None: after as many as it is set to.

        Raises:
            StoreTimedOut: it took longer.
        """

        return self._read(seconds, lambda tx: Tx(tx, self.queries).run(name, **parameters))

    def read_statement(self, seconds: float, text: str, /, **parameters: Any) -> tuple[list[str], list[Row]]:
        """Do what `read_within` does with a statement that is not of the library, for analysts; it may only read.

        Returns:
            Its columns, and its rows.
        """

        def work(tx: neo4j.ManagedTransaction) -> tuple[list[str], list[Row]]:
            result = tx.run(text, parameters)
            return list(result.keys()), [dict(record) for record in result]

        return self._read(seconds, work)

    def _read(self, seconds: float | None, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        with self._session() as session:
            return session.execute_read(neo4j.unit_of_work(timeout=seconds)(work))

    def stream(self, name: str, /, *, rows_at_once: int = 1_000, **parameters: Any) -> Iterator[neo4j.Record]:
        """Run one read query and yield its records as they come: for results too large to hold at once.

        Neo4j sends `rows_at_once`, and more when these were taken.
        """
        query = self.queries[name]
        query.check(parameters)
        with self._session(fetch_size=rows_at_once) as session:
            yield from session.run(query.text, parameters)

    def write(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run one write query in a managed transaction and return its rows."""
        return self.write_transaction(lambda tx: tx.run(name, **parameters))

    def write_transaction(self, work: Callable[[Tx], T], *, timeout_s: float | None = None) -> T:
        """Run several queries in one managed write transaction; `work` may be called again after a conflict.

        With `timeout_s`, Neo4j ends the transaction after so many seconds, whether or not we still live.
        """

        @neo4j.unit_of_work(timeout=timeout_s)
        def managed(tx: neo4j.ManagedTransaction) -> T:
            return work(Tx(tx, self.queries, self.address.erasure_keys))

        with self._session() as session:
            return session.execute_write(managed)

    def auto_commit(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query outside a managed transaction, as `CALL { } IN TRANSACTIONS` demands."""
        query = self.queries[name]
        query.check(parameters)
        with self._session() as session:
            return session.run(query.text, parameters).data()

    def statement(self, text: str, **parameters: Any) -> list[Row]:
        """Run a statement that is not of the library: migrations and EXPLAIN only."""
        with self._session() as session:
            return session.run(text, parameters).data()

    def administer(self, text: str, **parameters: Any) -> list[Row]:
        """Run an administration command, which is about the server and not about its graph."""
        with store_errors(self.address.uri), self._driver.session(database="system") as session:
            return session.run(text, parameters).data()

    def statements(self, statements: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Run statements that are not of the library in one write transaction: migrations only."""

        def work(tx: neo4j.ManagedTransaction) -> None:
            for text, parameters in statements:
                tx.run(text, parameters).consume()

        with self._session() as session:
            session.execute_write(work)


class AsyncTx:
    """The same as `Tx`, for the service."""

    def __init__(self, tx: neo4j.AsyncManagedTransaction, queries: Queries) -> None:
        self._tx = tx
        self._queries = queries

    async def run(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query of the library and return its rows."""
        query = self._queries[name]
        query.check(parameters)
        return [dict(record) async for record in await self._tx.run(query.text, parameters)]


class AsyncStore:
    """A connection pool to the graph for the HTTP service. An async context manager.

    `connect_seconds` and `retry_seconds` bound how long a request waits for a database that is away.
    """

    def __init__(
        self,
        address: StoreAddress,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        retry_seconds: float = READ_RETRY_SECONDS,
    ) -> None:
        self.address = address
        self.queries = load_queries()
        with _address_errors(address.uri):
            self._driver = neo4j.AsyncGraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password.get_secret_value()),
                max_transaction_retry_time=retry_seconds,
                **{**_OPTIONS, "connection_timeout": connect_seconds},
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._driver.close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[neo4j.AsyncSession]:
        with store_errors(self.address.uri):
            async with self._driver.session(database=self.address.database) as session:
                yield session

    async def read(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run one read query in a managed transaction and return its rows."""

        async def work(tx: neo4j.AsyncManagedTransaction) -> list[Row]:
            return await AsyncTx(tx, self.queries).run(name, **parameters)

        async with self._session() as session:
            return await session.execute_read(work)

    async def write(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run one write query in a managed transaction and return its rows."""
        return await self.write_transaction(lambda tx: tx.run(name, **parameters))

    async def write_transaction(
        self, work: Callable[[AsyncTx], Coroutine[Any, Any, T]], *, timeout_s: float | None = None
    ) -> T:
        """Run several queries in one managed write transaction; `work` may be called again after a conflict.

        With `timeout_s`, Neo4j ends the transaction after so many seconds, whether or not we still live.
        """

        @neo4j.unit_of_work(timeout=timeout_s)
        async def managed(tx: neo4j.AsyncManagedTransaction) -> T:
            return await work(AsyncTx(tx, self.queries))

        async with self._session() as session:
            return await session.execute_write(managed)
