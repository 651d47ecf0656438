"""The service: its processes started, watched, started again when they crash, and ended together."""

from __future__ import annotations

import http.client
import logging
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from service.domain import EmbeddedConfig, StoreAddress, StoreSource
from service.errors import EntourageError, PortTaken, StoreError
from service.flows.processes import end, spawn
from service.store.driver import Store
from service.store.embedded import ensure_alive, loading_folder
from service.store.migrations import migrate

POLL_SECONDS = 0.5
PREPARE_SECONDS = 1.0
API_START_SECONDS = 60.0
LONGEST_BACK_OFF_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A process that has lived this long is started again at once when it crashes."""

log = logging.getLogger(__name__)


@dataclass
class _Watched:
    """A process of the service, and how often it crashed lately."""

    name: str
    arguments: list[str]
    nice: int
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    crashes: int = 0
    start_again_at: float | None = None


class _Prepared:
    """Sets `done` when the graph's schema is up to date, trying again while Neo4j does not answer."""

    def __init__(self, address: StoreAddress, stop: threading.Event, migrated: bool) -> None:
        self._address = address
        self._stop = stop
        self.done = threading.Event()
        if migrated:
            self.done.set()
        else:
            threading.Thread(target=self._migrate, name="migration", daemon=True).start()

    def _migrate(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                with Store(self._address, retry_seconds=0.0) as store:
                    migrate(store)
            except StoreError as error:
                if error.message != said:
                    log.warning("Deliveries wait in the journal: %s", error.message)
                    said = error.message
                self._stop.wait(PREPARE_SECONDS)
            else:
                log.warning("Neo4j answers, and its schema is up to date; the service goes on.")
                self.done.set()
                return


def serve(
    source: StoreSource,
    address: StoreAddress,
    journal: Path,
    *,
    host: str,
    port: int,
    authentication: bool = True,
    migrated: bool = True,
    ready: Callable[[str], None],
    stop: threading.Event | None = None,
) -> None:
    """Run the API, the writer, the engine and the importer until Ctrl-C, SIGTERM or `stop`.

    Where Neo4j was away when its schema was to be brought up to date, the API takes deliveries and files in by itself;
    the others begin as soon as Neo4j answers and is migrated.

    Args:
        source: how the graph store was opened; an embedded one that crashes is started again on its port.
        address: where the graph store answers.
        journal: folder of the journal of deliveries.
        host: address the API listens on.
        port: its port; 0 takes a free one.
        authentication: whether the API asks for keys.
        migrated: whether the graph's schema is up to date.
        ready: called once with the API's URL when it answers.
        stop: ends the service when set; Ctrl-C and SIGTERM do, too, where this is the main thread.

    Raises:
        PortTaken: another program listens there.
        EntourageError: the API does not start.
    """
    stop = stop or threading.Event()
    port = _free_port(host, port)
    before = _stop_on_signals(stop)
    watched: list[_Watched] = []
    try:

        def start(name: str, nice: int, *arguments: str) -> None:
            watched.append(_Watched(name, [*arguments], nice, spawn(arguments, address, nice)))

        keys = () if authentication else ("--no-authentication",)
        loading = ("--loading", str(loading_folder(source))) if isinstance(source, EmbeddedConfig) else ()
        start("API", 0, "_api", "--host", host, "--port", str(port), "--journal", str(journal), *keys, *loading)
        prepared = _Prepared(address, stop, migrated)

        def start_others() -> None:
            if len(watched) == 1 and prepared.done.is_set():
                # What is acknowledged can wait for the graph; who waits for an acknowledgement cannot.
                start("writer", 10, "_writer", "--journal", str(journal))
                start("engine", 0, "_engine")
                start("importer", 10, "_importer", "--journal", str(journal), *_embedded(source))

        start_others()
        _wait_until_it_answers(watched[0], host, port, stop)
        if not stop.is_set():
            ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        while not stop.wait(POLL_SECONDS):
            start_others()
            if isinstance(source, EmbeddedConfig):
                _revive_neo4j(source)
            for one in watched:
                _start_again_if_dead(one, address)
    finally:
        for one in reversed(watched):
            end(one.process, grace_s=15.0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _embedded(source: StoreSource) -> list[str]:
    """How the embedded Neo4j is run, as arguments of a process; none where the graph is elsewhere."""
    if not isinstance(source, EmbeddedConfig):
        return []
    given = {
        "--home": source.home,
        "--cache-dir": source.cache_dir,
        "--neo4j-version": source.version,
        "--neo4j-port": source.port,
        "--heap-mb": source.heap_mb,
        "--page-cache-mb": source.page_cache_mb,
    }
    return [part for name, value in given.items() if value is not None for part in (name, str(value))]


def _free_port(host: str, port: int) -> int:
    """Return a port that is free now: the one asked for, or any for 0."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"The API cannot listen on {host}:{port} ({error.strerror}); name another with --port, or 0 for a "
                "free one."
            ) from error
        return int(probe.getsockname()[1])


def _stop_on_signals(stop: threading.Event) -> dict[signal.Signals, signal._HANDLER]:
    """Let Ctrl-C and SIGTERM set `stop`; return the handlers that were there."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}


def _wait_until_it_answers(api: _Watched, host: str, port: int, stop: threading.Event) -> None:
    deadline = time.monotonic() + API_START_SECONDS
    while not stop.wait(0.1):
        if api.process.poll() is not None:
            raise EntourageError("The API ended while it started; its log above says why.")
        if _answers(host, port):
            return
        if time.monotonic() > deadline:
            raise EntourageError(f"The API does not answer after {API_START_SECONDS:.0f} s; its log above may say why.")


def _answers(host: str, port: int) -> bool:
    # Asked by way of loopback: the API may refuse to answer to another name of this machine.
    to = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(to, port, timeout=2.0)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _revive_neo4j(config: EmbeddedConfig) -> None:
    try:
        if ensure_alive(config):
            log.warning("Neo4j had crashed and was started again.")
    except StoreError as error:
        log.warning("Neo4j could not be started again yet: %s", error.message)


def _start_again_if_dead(one: _Watched, address: StoreAddress) -> None:
    status = one.process.poll()
    if status is None:
        return
    now = time.monotonic()
    if one.start_again_at is None:
        one.crashes = 1 if now - one.started > STEADY_SECONDS else one.crashes + 1
        wait = min(0.5 * 2 ** (one.crashes - 1), LONGEST_BACK_OFF_SECONDS)
        one.start_again_at = now + wait
        log.warning("The %s ended with status %s; it is started again in %.1f s.", one.name, status, wait)
    elif now >= one.start_again_at:
        end(one.process)
        one.process = spawn(one.arguments, address, one.nice)
        one.started, one.start_again_at = now, None
