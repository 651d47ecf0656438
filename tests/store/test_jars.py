"""Neo4j's jars, fetched from a small Maven repository on loopback that can be made to fail."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.errors import ConfigurationError, CorruptJarCache, DiskFull, NoNetworkForJars, StoreStartFailed
from service.store import jars
from service.store.jars import NEO4J_VERSION, class_path, main_class

ROOT = Path(__file__).resolve().parents[2]

# What depends on what: artifact -> (group, version, dependencies). Small, but with all that Neo4j's own POMs have
# which matters here: a parent POM that manages versions, and a dependency reached on two ways.
ARTIFACTS = {
    "neo4j": ("org.neo4j", NEO4J_VERSION, ["kernel", "cypher"]),
    "neo4j-server": ("org.neo4j.app", NEO4J_VERSION, ["kernel", "bolt"]),
    "kernel": ("org.neo4j", NEO4J_VERSION, ["netty"]),
    "cypher": ("org.neo4j", NEO4J_VERSION, []),
    "bolt": ("org.neo4j", NEO4J_VERSION, ["netty"]),
    "netty": ("io.netty", "4.1.9", []),
}


class Repository:
    """A Maven repository over HTTP. `refuse` are substrings of paths that get 503; `hold` ones wait."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.refuse: list[str] = []
        self.hold: list[str] = []
        self.released = threading.Event()
        self._add("org.neo4j", "parent", NEO4J_VERSION, "pom", self._parent())
        for artifact, (group, version, needs) in ARTIFACTS.items():
            self._add(group, artifact, version, "pom", self._pom(group, artifact, version, needs))
            self._add(group, artifact, version, "jar", f"jar of {artifact} ".encode() * 50)
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                repository.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.lstrip("/")
        self.requests.append(path)
        body = self.files.get(path)
        if any(part in path for part in self.refuse):
            request.send_error(503)
        elif body is None:
            request.send_error(404)
        else:
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if any(path.endswith(part) for part in self.hold):
                request.wfile.write(body[:100])
                request.wfile.flush()
                self.released.wait(30)
                body = body[100:]
            request.wfile.write(body)

    def jar_requests(self) -> list[str]:
        return sorted(path for path in self.requests if path.endswith(".jar"))

    def _add(self, group: str, artifact: str, version: str, packaging: str, body: bytes) -> None:
        path = f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.{packaging}"
        self.files[path] = body
        self.files[path + ".sha1"] = hashlib.sha1(body, usedforsecurity=False).hexdigest().encode()

    @staticmethod
    def _parent() -> bytes:
        return (
            f"<project><modelVersion>4.0.0</modelVersion><groupId>org.neo4j</groupId><artifactId>parent</artifactId>"
            f"<version>{NEO4J_VERSION}</version><packaging>pom</packaging><dependencyManagement><dependencies>"
            "<dependency><groupId>io.netty</groupId><artifactId>netty</artifactId><version>4.1.9</version></dependency>"
            "</dependencies></dependencyManagement></project>"
        ).encode()

    @staticmethod
    def _pom(group: str, artifact: str, version: str, needs: list[str]) -> bytes:
        dependencies = "".join(
            f"<dependency><groupId>{ARTIFACTS[need][0]}</groupId><artifactId>{need}</artifactId>"
            + ("" if need == "netty" else f"<version>{ARTIFACTS[need][1]}</version>")
            + "</dependency>"
            for need in needs
        )
        return (
            "<project><modelVersion>4.0.0</modelVersion>"
            f"<parent><groupId>org.neo4j</groupId><artifactId>parent</artifactId><version>{NEO4J_VERSION}</version>"
            f"</parent><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
            f"<dependencies>{dependencies}</dependencies></project>"
        ).encode()


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    repository = Repository()
    repository.thread.start()
    monkeypatch.setattr(jars, "MAVEN_CENTRAL", repository.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield repository
    repository.released.set()
    repository.server.shutdown()
    repository.server.server_close()
    repository.thread.join()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "MAVEN_CENTRAL", "http://127.0.0.1:9")  # nothing listens on the discard port
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def cold(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def warm(cold: Path, repository: Repository) -> Path:
    class_path(cold, NEO4J_VERSION)
    repository.requests.clear()
    return cold


def fetch_in_a_process(cache: Path, repository: Repository) -> subprocess.Popen[str]:
    code = (
        "import sys; from pathlib import Path; from service.store import jars; jars.MAVEN_CENTRAL = sys.argv[2]; "
        "print(len(jars.class_path(Path(sys.argv[1]), jars.NEO4J_VERSION)))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(cache), repository.url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def names(paths: list[Path]) -> list[str]:
    return [path.stem.rsplit("-", 1)[0] for path in paths]


def test_every_jar_once_in_a_stable_order(cold: Path, repository: Repository) -> None:
    stages: list[str] = []
    paths = class_path(cold, NEO4J_VERSION, lambda stage, _done, _total: stages.append(stage))
    assert sorted(names(paths)) == sorted(ARTIFACTS)
    assert [path.read_bytes() for path in paths] == [f"jar of {name} ".encode() * 50 for name in names(paths)]
    assert all(path.is_relative_to(cold / "neo4j") for path in paths)
    assert stages[0] == "Finding Neo4j's jars"
    assert stages[-1] == "Fetching Neo4j"
    repository.requests.clear()
    assert class_path(cold, NEO4J_VERSION) == paths
    assert repository.requests == []


def test_maven_settings_of_the_user_play_no_part(
    cold: Path, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "home" / ".m2" / "repository"
    for path in repository.files:
        (local / path).parent.mkdir(parents=True, exist_ok=True)
        (local / path).write_bytes(b"not what Neo4j published")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("M2_REPO", str(local))
    assert all(b"not what" not in path.read_bytes() for path in class_path(cold, NEO4J_VERSION))


def test_an_interrupted_first_start_goes_on_where_it_was(cold: Path, repository: Repository) -> None:
    repository.refuse = ["netty-4.1.9.jar"]
    with pytest.raises(NoNetworkForJars, match=r"connect to the network and start again"):
        class_path(cold, NEO4J_VERSION)
    assert not (cold / "neo4j" / f"{NEO4J_VERSION}.json").exists()
    there = {path.name for path in (cold / "neo4j").rglob("*.jar")}
    repository.refuse = []
    repository.requests.clear()
    assert len(class_path(cold, NEO4J_VERSION)) == len(ARTIFACTS)
    assert not [path for path in repository.jar_requests() if path.rsplit("/", 1)[-1] in there]


def test_a_killed_first_start_leaves_nothing_half_written(cold: Path, repository: Repository) -> None:
    repository.hold = ["netty-4.1.9.jar"]
    killed = fetch_in_a_process(cold, repository)
    deadline = time.monotonic() + 30
    while not list(cold.rglob("netty*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    # What other tools, or a power cut, may leave under a final name.
    half = cold / "neo4j/repository/org/neo4j/cypher" / NEO4J_VERSION / f"cypher-{NEO4J_VERSION}.jar"
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"half")
    repository.released.set()
    paths = class_path(cold, NEO4J_VERSION)
    assert [path.read_bytes() for path in paths] == [f"jar of {name} ".encode() * 50 for name in names(paths)]
    assert not list(cold.rglob("*.part"))


def test_a_pom_that_cannot_be_read_is_not_one_without_dependencies(cold: Path, repository: Repository) -> None:
    repository.refuse = ["kernel-"]
    with pytest.raises(NoNetworkForJars):
        class_path(cold, NEO4J_VERSION)
    repository.refuse = []
    assert "netty" in names(class_path(cold, NEO4J_VERSION))


def test_two_processes_fetch_once(cold: Path, repository: Repository) -> None:
    both = [fetch_in_a_process(cold, repository) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [str(len(ARTIFACTS))] * 2
    assert repository.jar_requests() == sorted(set(repository.jar_requests()))
    assert len(repository.jar_requests()) == len(ARTIFACTS)


@pytest.mark.parametrize("damage", ["another byte", "shorter", "gone"])
def test_a_damaged_jar_is_fetched_again(warm: Path, repository: Repository, damage: str) -> None:
    jar = class_path(warm, NEO4J_VERSION)[1]
    good = jar.read_bytes()
    _damage(jar, damage)
    assert class_path(warm, NEO4J_VERSION)[1].read_bytes() == good
    assert [path.rsplit("/", 1)[-1] for path in repository.jar_requests()] == [jar.name]


def _damage(jar: Path, how: str) -> None:
    content = jar.read_bytes()
    if how == "gone":
        jar.unlink()
    else:
        jar.write_bytes(content[:-1] + (b"" if how == "shorter" else b"!"))


def test_a_damaged_jar_without_network_is_named(warm: Path, no_network: None) -> None:
    jar = class_path(warm, NEO4J_VERSION)[0]
    _damage(jar, "another byte")
    with pytest.raises(CorruptJarCache) as caught:
        class_path(warm, NEO4J_VERSION)
    assert str(jar) in caught.value.message
    assert f"delete {warm / 'neo4j'}" in caught.value.message


def test_a_damaged_manifest_is_written_anew(warm: Path, repository: Repository) -> None:
    manifest = warm / "neo4j" / f"{NEO4J_VERSION}.json"
    paths = class_path(warm, NEO4J_VERSION)
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:40])
    paths[0].write_bytes(b"damaged meanwhile")
    assert class_path(warm, NEO4J_VERSION) == paths
    assert json.loads(manifest.read_bytes()) == json.loads(whole)
    assert len(repository.jar_requests()) == 1


def test_no_network_at_the_first_start(cold: Path, no_network: None) -> None:
    with pytest.raises(NoNetworkForJars, match=r"not on this machine yet .* ENTOURAGE_NEO4J_URI\.$"):
        class_path(cold, NEO4J_VERSION)


def test_bytes_that_do_not_match_their_checksum_are_refused(cold: Path, repository: Repository) -> None:
    path = next(path for path in repository.files if path.endswith("bolt-" + NEO4J_VERSION + ".jar"))
    repository.files[path] = b"changed on the way"
    with pytest.raises(StoreStartFailed, match="does not match its checksum"):
        class_path(cold, NEO4J_VERSION)
    assert not list(cold.rglob("bolt*.jar"))


def test_a_full_disk_while_fetching(cold: Path, repository: Repository) -> None:
    for packaging in ("pom", "jar"):
        folder = cold / "neo4j" / "repository" / "io" / "netty" / "netty" / "4.1.9"
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"netty-4.1.9.{packaging}.part"
        unfinished.symlink_to("/dev/full")  # writing to it fails as on a full disk
        with pytest.raises(DiskFull, match=r"no room left on the disk of .*neo4j: free"):
            class_path(cold, NEO4J_VERSION)
        unfinished.unlink()
    assert len(class_path(cold, NEO4J_VERSION)) == len(ARTIFACTS)


def test_a_version_that_does_not_exist(cold: Path, repository: Repository) -> None:
    with pytest.raises(ConfigurationError, match=r"does not have all of Neo4j 2099\.1\.0"):
        class_path(cold, "2099.1.0")


@pytest.mark.parametrize("version", ["", "latest", "4.4.40", "5.25.1", "5.27.0", "2024.01.0", "2026.05.0-SNAPSHOT"])
def test_versions_that_cannot_be_run(cold: Path, version: str) -> None:
    with pytest.raises(ConfigurationError, match="ENTOURAGE_NEO4J_VERSION"):
        class_path(cold, version)
    assert not cold.exists()


def test_main_class_by_line() -> None:
    assert main_class(NEO4J_VERSION) == "org.neo4j.server.Neo4jCommunity"
    assert main_class("2025.01.0") == "org.neo4j.server.Neo4jCommunity"
    assert main_class("5.26.30") == "org.neo4j.server.CommunityEntryPoint"
