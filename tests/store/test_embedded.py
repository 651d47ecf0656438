"""The embedded Neo4j: started, shared, killed and stopped for real."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import psutil
import pytest

from service.domain import EmbeddedConfig, StoreAddress
from service.errors import Conflict, DiskFull, NoNetworkForJars, PortTaken, StoreAuthFailed, StoreStartFailed
from service.store import embedded, jars
from service.store.embedded import ensure_alive, memory_mb, running, start, status, stop

ROOT = Path(__file__).resolve().parents[2]

USER = """
import json, sys
from pathlib import Path
from service.domain import EmbeddedConfig
from service.store.embedded import running, status
options = json.loads(sys.argv[1])
config = EmbeddedConfig(**options | {"home": Path(options["home"]), "cache_dir": Path(options["cache_dir"])})
with running(config) as address:
    print(status(config).pid, address.uri, flush=True)
    sys.stdin.read()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """A port that another program holds."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield int(other.getsockname()[1])


class OtherProcess:
    """Another process that uses the server until `leave`, or until it is killed."""

    def __init__(self, config: EmbeddedConfig) -> None:
        options = {name: str(value) if isinstance(value, Path) else value for name, value in vars(config).items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> tuple[int, str]:
        """Wait until it uses the server; return the server's process id and address."""
        assert self.process.stdout is not None
        pid, uri = self.process.stdout.readline().split()
        return int(pid), uri

    def leave(self) -> str:
        """End its use and return what it printed on the terminal's error output."""
        return self.process.communicate("", timeout=120)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def ask(address: StoreAddress, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    with (
        neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password.get_secret_value())) as driver,
        driver.session(database=address.database) as session,
    ):
        return session.run(statement, parameters).data()


def server(config: EmbeddedConfig) -> psutil.Process:
    pid = status(config).pid
    assert pid is not None
    return psutil.Process(pid)


@pytest.fixture(scope="module")
def make_config(embedded_config: EmbeddedConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A function that makes the configuration of a new, small server; what still runs at the end is stopped."""
    configs: list[EmbeddedConfig] = []

    def make(**options: Any) -> EmbeddedConfig:
        home = tmp_path_factory.mktemp("neo4j") / "données de 'neo4j'"
        small = {"home": home, "port": free_port(), "heap_mb": 256, "page_cache_mb": 32}
        configs.append(replace(embedded_config, **small | options))
        return configs[-1]

    yield make
    for config in configs:
        stop(config)


@pytest.fixture(scope="module")
def config(make_config: Any) -> EmbeddedConfig:
    return make_config()


@pytest.fixture(scope="module")
def address(config: EmbeddedConfig) -> Iterator[StoreAddress]:
    """A server that this process uses throughout the module."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENTOURAGE_NEO4J_PASSWORD", "not-for-children")
        environment.setenv("JAVA_TOOL_OPTIONS", "-Xmx16m")  # a user's settings for other programs
        with running(config) as address:
            yield address


# --- a server that runs ---


def test_it_answers_where_it_says(config: EmbeddedConfig, address: StoreAddress) -> None:
    [row] = ask(address, "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' RETURN *")
    version = config.version or jars.NEO4J_VERSION
    assert (row["versions"], row["edition"]) == ([version], "community")
    assert address.uri == f"bolt://127.0.0.1:{config.port}"
    now = status(config)
    assert (now.running, now.kept, now.uri, now.version, now.home) == (True, False, address.uri, version, config.home)
    assert (now.heap_mb, now.page_cache_mb) == (256, 32)
    assert now.since is not None


def test_only_bolt_on_loopback_is_open(config: EmbeddedConfig, address: StoreAddress) -> None:
    sockets = server(config).net_connections("inet")
    assert [s for s in sockets if s.type == socket.SOCK_DGRAM] == []
    [listener] = [s for s in sockets if s.status == psutil.CONN_LISTEN]
    assert listener.laddr.ip.removeprefix("::ffff:") == "127.0.0.1"
    assert listener.laddr.port == config.port
    assert all(s.raddr.ip.removeprefix("::ffff:") == "127.0.0.1" for s in sockets if s.raddr)


def test_the_password_is_in_its_file_only(config: EmbeddedConfig, address: StoreAddress) -> None:
    password = address.password.get_secret_value()
    file = config.home / "password"
    assert file.read_text() == password
    assert len(password) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.home.stat().st_mode) == 0o700
    for process in psutil.process_iter(["cmdline"]):
        assert not any(password in argument for argument in process.info["cmdline"] or [])
    environment = server(config).environ()
    assert not [value for value in environment.values() if password in value or "not-for-children" in value]
    for path in config.home.rglob("*"):
        if path.is_file() and path != file:
            assert password.encode() not in path.read_bytes(), path
    assert password not in repr(address)


def test_settings_are_in_force(address: StoreAddress) -> None:
    rows = ask(address, "SHOW SETTINGS YIELD name, value")
    settings = {row["name"]: row["value"] for row in rows}
    assert settings["server.http.enabled"] == settings["server.https.enabled"] == "false"
    assert settings["dbms.usage_report.enabled"] == "false"
    assert settings["server.memory.pagecache.size"] == "32.00MiB"
    # The fleet came with 2026.
    assert settings.get("server.fleet_discovery.enabled", "false") == "false"
    assert settings.get("dbms.fleet_manager.enabled", "false") == "false"


def test_no_statement_reads_files_of_the_machine(address: StoreAddress, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("secret\n")
    with pytest.raises(neo4j.exceptions.Neo4jError, match="allow_csv_import_from_file_urls"):
        ask(address, "LOAD CSV FROM $file AS row RETURN row", file=f"file://{tmp_path}/secret.csv")


def test_another_process_uses_the_same_server_and_prints_nothing(config: EmbeddedConfig, address: StoreAddress) -> None:
    pid = status(config).pid
    other = OtherProcess(config)
    assert other.ready() == (pid, address.uri)
    assert other.leave() == ""
    assert ask(address, "RETURN 1 AS one") == [{"one": 1}]
    assert status(config).pid == pid


def test_it_has_a_session_of_its_own(config: EmbeddedConfig, address: StoreAddress) -> None:
    pid = server(config).pid
    assert os.getsid(pid) == pid != os.getsid(0)  # Ctrl-C in a terminal does not reach it


def test_stop_does_not_take_it_from_its_users(config: EmbeddedConfig, address: StoreAddress) -> None:
    with pytest.raises(Conflict, match="in use by another process"):
        stop(config)
    assert ask(address, "RETURN 1 AS one") == [{"one": 1}]


def test_nothing_is_to_be_restarted_while_it_lives(config: EmbeddedConfig, address: StoreAddress) -> None:
    pid = status(config).pid
    assert ensure_alive(config) is False
    assert status(config).pid == pid


def test_another_version_is_not_mistaken_for_the_one_that_runs(config: EmbeddedConfig, address: StoreAddress) -> None:
    other = "5.26.1" if config.version is None or not config.version.startswith("5.") else "2025.01.0"
    with (
        pytest.raises(StoreStartFailed, match=f"{other} is asked for: stop it first"),
        running(replace(config, version=other)),
    ):
        pass


def test_a_wrong_password_is_one_sentence(config: EmbeddedConfig, address: StoreAddress) -> None:
    file = config.home / "password"
    right = file.read_text()
    file.write_text("a-wrong-password")
    try:
        with pytest.raises(StoreAuthFailed) as caught, running(config):
            pass
    finally:
        file.write_text(right)
    assert caught.value.message == (
        f"The password of the embedded Neo4j in {file} is not the one it was set up with: put back the one it was set "
        f"up with, or delete {config.home} to begin with an empty graph."
    )
    with running(config) as again:
        assert ask(again, "RETURN 1 AS one") == [{"one": 1}]


# --- coming and going ---


def test_two_start_at_once_and_the_last_one_stops(make_config: Any) -> None:
    config = make_config()
    with ExitStack() as stack:
        both = [OtherProcess(config) for _ in range(2)]
        for other in both:
            stack.callback(other.kill)
        first, second = (other.ready() for other in both)
        assert first == second
        assert both[0].leave() == ""
        assert status(config).pid == first[0]
        both[1].kill()  # a killed user cannot stop the server, and does not count either
        assert status(config).pid == first[0]
        with running(config):
            assert status(config).pid == first[0]
    assert not status(config).running
    assert not psutil.pid_exists(first[0])
    assert "Stopped." in (config.home / "logs" / "neo4j.log").read_text()


def test_a_server_whose_starter_was_killed_is_adopted(make_config: Any) -> None:
    config = make_config()
    starter = OtherProcess(config)
    deadline = time.monotonic() + 60
    while not status(config).running:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    starter.kill()
    pid = status(config).pid
    with running(config) as address:
        assert status(config).pid == pid
        assert ask(address, "RETURN 1 AS one") == [{"one": 1}]
    assert not status(config).running


def test_a_server_that_ends_as_it_is_found_is_started_again(make_config: Any) -> None:
    """Whoever was stopping it was killed; here it is a process that looks like one that does not answer any more."""
    config = make_config()
    config.home.mkdir(mode=0o700)
    program = [sys.executable, "-c", "import time; time.sleep(1.5)", f"--home-dir={config.home}"]
    with subprocess.Popen(program) as stopping:
        state = {"version": embedded.NEO4J_VERSION, "port": config.port, "pid": stopping.pid}
        (config.home / "server.json").write_text(json.dumps(state))
        assert status(config).pid == stopping.pid
        with running(config) as address:
            assert stopping.poll() == 0
            assert ask(address, "RETURN 1 AS one") == [{"one": 1}]
    assert not status(config).running


@pytest.mark.long
def test_a_server_that_nobody_knows_is_replaced(make_config: Any) -> None:
    config = make_config()
    ask(start(config), "CREATE (:Kept)")
    pid = server(config).pid
    (config.home / "server.json").unlink()  # as if the starter had been killed before it could write it
    with running(config) as again:
        assert status(config).pid != pid
        assert not psutil.pid_exists(pid)
        assert ask(again, "MATCH (k:Kept) RETURN count(k) AS kept") == [{"kept": 1}]


def test_a_crashed_server_comes_back_on_its_port(make_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config()
    with running(config) as address:
        ask(address, "CREATE (:Kept)")
        server(config).kill()
        _wait(lambda: not status(config).running)
        _wait(lambda: embedded._is_free(config.port))
        monkeypatch.setattr(embedded, "DYING_SECONDS", 0.2)
        with listening(config.port), pytest.raises(PortTaken, match=f"Port {config.port} is in use by another program"):
            ensure_alive(config)
        assert ensure_alive(config) is True
        assert ask(address, "MATCH (k:Kept) RETURN count(k) AS kept") == [{"kept": 1}]
        # A process that comes now, with another wish for the port, finds it where it is.
        with running(replace(config, port=free_port())) as same:
            assert same == address
    assert not status(config).running


@pytest.mark.long
def test_a_port_that_is_taken_while_neo4j_starts(make_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    free = embedded._is_free
    with listening() as taken:
        # We look too early: Neo4j itself finds the port taken, and the next one is tried.
        monkeypatch.setattr(embedded, "_is_free", lambda port: port == taken or free(port))
        config = make_config(port=taken)
        with running(config) as address:
            assert address.uri != f"bolt://127.0.0.1:{taken}"
            assert ask(address, "RETURN 1 AS one") == [{"one": 1}]


def test_a_kept_server_goes_on_until_stop(make_config: Any) -> None:
    with listening() as taken:
        config = make_config(port=taken)
        address = start(config)
    assert address.uri != f"bolt://127.0.0.1:{taken}"
    with running(config) as same:
        assert same == address
    assert status(config).kept
    assert start(config) == address
    assert stop(config) is True
    assert not status(config).running
    assert stop(config) is False

    # What needs a home in which a server has been: its data without a password, and of another version.
    password = (config.home / "password").rename(config.home / "password-away")
    with pytest.raises(StoreAuthFailed, match=r"password is missing: put back"), running(config):
        pass
    password.rename(config.home / "password")
    state = json.loads((config.home / "server.json").read_text())
    assert state["data_version"] == (config.version or jars.NEO4J_VERSION)
    (config.home / "server.json").write_text(json.dumps(state | {"data_version": "2099.1.0"}))
    with (
        pytest.raises(StoreStartFailed, match=r"was written by Neo4j 2099\.1\.0, which .* cannot read"),
        running(config),
    ):
        pass


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- starts that fail ---


def test_a_start_that_fails_shows_the_end_of_the_log(make_config: Any) -> None:
    config = make_config(heap_mb=1)
    with pytest.raises(StoreStartFailed, match="see the end of its log below") as caught, running(config):
        pass
    assert "Too small maximum heap" in caught.value.message
    assert not status(config).running


def test_a_start_in_time_or_not_at_all(make_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config()
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    with pytest.raises(StoreStartFailed, match=r"does not answer after .* look into"), running(config):
        pass
    assert not status(config).running


def test_no_network_at_the_first_start(make_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "MAVEN_CENTRAL", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    config = make_config(cache_dir=tmp_path / "cold")
    with pytest.raises(NoNetworkForJars), running(config):
        pass
    assert not status(config).running


def test_a_full_disk(make_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config()
    full = psutil.disk_usage("/")._replace(free=1 << 20)
    monkeypatch.setattr(psutil, "disk_usage", lambda _path: full)
    with pytest.raises(DiskFull, match=r"no room left on the disk of .* free some"), running(config):
        pass
    assert not status(config).running


def test_a_home_that_cannot_be_used(make_config: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = make_config(home=tmp_path / "file")
    with pytest.raises(StoreStartFailed, match="cannot be used"), running(config):
        pass
    assert not status(config).running
    assert stop(config) is False


def test_nothing_is_written_by_looking(make_config: Any) -> None:
    config = make_config()
    assert not status(config).running
    assert stop(config) is False
    assert not config.home.exists()


# --- memory ---


@pytest.mark.parametrize("gib", [2, 4, 16, 64, 512])
def test_memory_leaves_room_for_an_analysis(gib: int, make_config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_machine_memory_mb", lambda: gib << 10)
    heap, page_cache = memory_mb(make_config(heap_mb=None, page_cache_mb=None))
    assert heap >= 512
    assert page_cache >= 128
    assert heap + page_cache <= (gib << 10) / 2
    monkeypatch.setattr(embedded, "_machine_memory_mb", lambda: 2 * gib << 10)
    more = memory_mb(make_config(heap_mb=None, page_cache_mb=None))
    assert more[0] >= heap
    assert more[1] >= page_cache
    assert memory_mb(make_config(heap_mb=300, page_cache_mb=None)) == (300, more[1])


def test_memory_is_what_the_control_group_allows() -> None:
    assert 0 < embedded._machine_memory_mb() <= psutil.virtual_memory().total >> 20
