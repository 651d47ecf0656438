"""The HTTP application."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from uvicorn.config import STARTUP_FAILURE

from service import __version__
from service.api.access import Access, needed
from service.api.audience import audiences
from service.api.backtests import backtests
from service.api.candidates import candidates
from service.api.erasures import Unnamed, erasures
from service.api.events import Administration, AppliedUpTo, events
from service.api.guard import LOOPBACK, Guard, Head
from service.api.imports import imports
from service.api.keys import keys
from service.api.lenses import lenses
from service.api.problems import Problem, install
from service.api.reading import problems
from service.api.remembered import Answers, Remembered
from service.api.routes import health, v1
from service.api.runs import runs
from service.api.schedules import schedules
from service.configured import store_address
from service.errors import ConfigurationError
from service.flows.imports import HandedIn, ImportWatches
from service.flows.published import PublishedReader
from service.flows.receiving import Committer, Deliveries, Receiver
from service.flows.seals import sealer
from service.flows.watching import RunWatches
from service.settings import Settings
from service.store.driver import AsyncStore

DESCRIPTION = """Communities of a follower graph, and who in them could become an ambassador.

Every error is a problem document (RFC 9457) with a stable `code`. Lists are paged with opaque cursors that stay with
the run they came from. Answers name the run they come from; `?run=` reads a kept one.
"""


def create_app(settings: Settings, journal: Path | None = None, loading: Path | None = None) -> FastAPI:
    """Build the application; it connects to Neo4j when it starts.

    Args:
        settings: of the service.
        journal: folder of the journal; in the data directory when not said.
        loading: folder that is there while an embedded Neo4j stands still for a first load.

    Raises:
        ConfigurationError: no Neo4j is named, or an API without keys would listen beyond loopback.
    """
    address = store_address(settings)
    check_host(settings.host, authentication=settings.authentication)
    journal = settings.data_dir / "journal" if journal is None else journal

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncStore(address, connect_seconds=2.0, retry_seconds=1.0) as store:
            app.state.store = store
            app.state.loading = loading
            app.state.run_memory_mb = settings.run_memory_mb
            app.state.answers = Answers()
            app.state.watches = RunWatches(store, lambda: app.state.ending())
            app.state.deliveries = Deliveries(journal)
            app.state.reader = PublishedReader(store, fetch_ahead=True, erasing=lambda: app.state.deliveries.erasing)
            committer = Committer(
                journal,
                most_bytes=settings.journal_max_mb << 20,
                least_free_bytes=settings.journal_min_free_mb << 20,
            )
            app.state.handed_in = HandedIn(
                app.state.deliveries,
                journal,
                most_bytes=settings.import_max_mb << 20,
                least_free_bytes=settings.journal_min_free_mb << 20,
            )
            app.state.import_watches = ImportWatches(app.state.handed_in, lambda: app.state.ending())
            sealing = sealer(settings.secrets_key, settings.data_dir)
            app.state.receiver = Receiver(app.state.deliveries, committer, sealing, address.erasure_keys)
            app.state.administration = Administration(address, journal, sealing, app.state.deliveries)
            yield
            await app.state.import_watches.close()
            await asyncio.to_thread(committer.close)
            await asyncio.to_thread(app.state.deliveries.close)
            await app.state.watches.close()
            await app.state.reader.close()

    app = FastAPI(title="Entourage", version=__version__, description=DESCRIPTION, lifespan=lifespan)
    app.state.ending = lambda: False
    app.add_middleware(Unnamed)
    app.add_middleware(Remembered)
    app.add_middleware(Guard, max_body_bytes=settings.max_body_bytes, loopback_only=not settings.authentication)
    if settings.authentication:
        app.add_middleware(Access)
    app.add_middleware(Head)
    app.add_middleware(AppliedUpTo)
    install(app)
    app.include_router(backtests)
    app.include_router(candidates)
    app.include_router(erasures)
    app.include_router(events)
    app.include_router(imports)
    app.include_router(keys)
    app.include_router(lenses)
    app.include_router(audiences)  # after lenses, of which one is called audience, too
    app.include_router(schedules)
    app.include_router(v1)
    app.include_router(runs)
    app.include_router(health)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schema["components"]["schemas"].update(problem.pop("$defs"))
            schema["components"]["schemas"]["Problem"] = problem
            _say_who_may(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def run_api(settings: Settings, journal: Path, loading: Path | None = None) -> None:
    """Serve the application until SIGTERM."""
    app = create_app(settings, journal, loading)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    app.state.ending = lambda: server.should_exit  # streams that would go on end with the service
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def check_host(host: str, *, authentication: bool) -> None:
    """Raise ConfigurationError for an address beyond loopback where no keys are asked for."""
    if host not in LOOPBACK and not authentication:
        raise ConfigurationError(
            f"Without authentication the API listens on loopback only, not on {host}; leave ENTOURAGE_AUTHENTICATION "
            "on, and give those who ask a key."
        )


def _say_who_may(schema: dict[str, Any]) -> None:
    """Add to the description of each operation which keys may use it, and what others get."""
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, `ent_...`."}
    }
    refused = {str(status): answer for status, answer in problems(401, 403).items()}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scopes = needed(method.upper(), path)
            if scopes is not None:
                operation["security"] = [{"key": []}]
                operation["description"] += f"\n\nNeeds a key with the scope {' or '.join(scopes)}."
                operation["responses"].update(refused)
