"""Neo4j's jars: fetched once from Maven Central, kept in the cache, checked before each start.

Layout below `cache_dir/neo4j/`:

    repository/             the files as Maven lays them out, shared by all versions; each with its `.sha1`
    <version>.json          the manifest: class path in order, with size and SHA-256 of each jar; written last
    lock                    held by the one process that is filling or repairing

Without a manifest the fetching is not finished, and goes on from the files that are whole; with one, a jar
that is missing or differs is fetched again. `jgo` finds out which jars there are (it reads Maven's POMs);
the bytes are fetched here, because jgo writes straight to the final name, only warns when a checksum is
wrong, and takes a POM that it could not fetch for one without dependencies. POSIX only (`fcntl`).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests

from service.domain import Progress, no_progress
from service.errors import ConfigurationError, CorruptJarCache, DiskFull, NoNetworkForJars, StoreStartFailed

NEO4J_VERSION = "2026.05.0"
"""The Neo4j that runs unless another is asked for. The only place that names it."""

MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"

_COORDINATES = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")
_THREADS = 6
_ATTEMPTS = 3
_TIMEOUT_SECONDS = (10.0, 60.0)  # to connect, and between two reads
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Jar:
    """One jar of the class path: path below the repository, size in bytes, SHA-256 in hex."""

    path: str
    size: int
    sha256: str


def main_class(version: str) -> str:
    """Return the class that starts a server of this version.

    Raises:
        ConfigurationError: not a version that can be run here.
    """
    match = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?", version)
    line = (int(match[1]), int(match[2])) if match else (0, 0)
    if line >= (2025, 1):
        return "org.neo4j.server.Neo4jCommunity"
    if line == (5, 26):
        return "org.neo4j.server.CommunityEntryPoint"
    raise ConfigurationError(
        f"Neo4j {version} cannot be run here; leave ENTOURAGE_NEO4J_VERSION unset for {NEO4J_VERSION}, "
        "or name a 5.26 or 2025+ release such as 5.26.30."
    )


def class_path(cache_dir: Path, version: str, progress: Progress = no_progress) -> list[Path]:
    """Return Neo4j's jars in class path order, each verified against the manifest; fetch what is not there.

    The first call fetches 160 MB. A call that finds everything in place hashes it, in about 0.1 s.

    Raises:
        ConfigurationError: there is no such Neo4j.
        NoNetworkForJars: something must be fetched for the first time and Maven Central does not answer.
        CorruptJarCache: a jar is damaged or gone and could not be fetched again.
        DiskFull: no room left.
        StoreStartFailed: the cache cannot be written, or what came is not what Maven Central says it is.
    """
    main_class(version)
    cache = _Cache(cache_dir / "neo4j", version, progress)
    with _disk_errors(cache.root):
        jars = cache.manifest()
        if jars is None or cache.damaged(jars):
            with cache.lock(), closing(cache.remote):
                jars = cache.manifest()  # anew: another process may have done the work meanwhile
                if jars is None:
                    jars = cache.fill()
                elif damaged := cache.damaged(jars):
                    cache.repair(damaged)
    return [cache.repository / jar.path for jar in jars]


class _Cache:
    """The jars of one version below `root`."""

    def __init__(self, root: Path, version: str, progress: Progress) -> None:
        self.root = root
        self.version = version
        self.progress = progress
        self.repository = root / "repository"
        self.manifest_path = root / f"{version}.json"
        self.remote = _Remote(MAVEN_CENTRAL, self.repository)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Wait until no other process fills or repairs this cache."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.progress("Waiting for another process to fetch Neo4j", 0, None)
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def manifest(self) -> list[Jar] | None:
        """Return what the manifest lists, or None where there is none that can be read."""
        try:
            return [Jar(**jar) for jar in json.loads(self.manifest_path.read_text())["jars"]]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def damaged(self, jars: list[Jar]) -> list[Jar]:
        """Return those of `jars` whose file is missing or is not what the manifest says."""

        def is_damaged(jar: Jar) -> bool:
            path = self.repository / jar.path
            return not path.is_file() or path.stat().st_size != jar.size or _digest(path, "sha256") != jar.sha256

        with ThreadPoolExecutor(_THREADS) as pool:  # hashing frees the interpreter lock
            return [jar for jar, bad in zip(jars, pool.map(is_damaged, jars), strict=True) if bad]

    def fill(self) -> list[Jar]:
        """Fetch everything that is not there yet, and write the manifest."""
        self._remove_unfinished()
        try:
            artifacts = self._resolve()
            self._in_threads([artifact.resolve for artifact in artifacts])
        except _NotThere as error:
            raise ConfigurationError(
                f"Maven Central does not have all of Neo4j {self.version} ({error.message}): check "
                f"ENTOURAGE_NEO4J_VERSION, or leave it unset for {NEO4J_VERSION}."
            ) from error
        paths = dict.fromkeys(artifact.cached_path for artifact in artifacts)
        jars = [
            Jar(path.relative_to(self.repository).as_posix(), path.stat().st_size, _digest(path, "sha256"))
            for path in paths
        ]
        write_atomically(
            self.manifest_path,
            json.dumps({"version": self.version, "jars": [asdict(jar) for jar in jars]}, indent=1).encode(),
        )
        return jars

    def repair(self, damaged: list[Jar]) -> None:
        """Fetch damaged jars again."""
        which = f"Neo4j's jar {self.repository / damaged[0].path}"
        if len(damaged) > 1:
            which += f" (and {len(damaged) - 1} more)"
        try:
            self._in_threads([partial(self.remote.fetch, jar.path) for jar in damaged])
        except (NoNetworkForJars, _NotThere) as error:
            raise CorruptJarCache(
                f"{which} is damaged or missing and could not be fetched again: connect to the network and start "
                f"again, or delete {self.root} to have everything fetched anew."
            ) from error
        if self.damaged(damaged):
            raise CorruptJarCache(
                f"{which} is damaged, and Maven Central now gives another file of this name: delete {self.root} to "
                "have everything fetched anew."
            )

    def _remove_unfinished(self) -> None:
        """Delete what an interrupted process left, and files that are not what their `.sha1` says."""
        for path in self.repository.rglob("*"):
            if not path.is_file() or path.suffix == ".sha1":
                continue
            checksum = _sha1_file(path)
            if not checksum.is_file() or checksum.read_text() != _digest(path, "sha1"):
                path.unlink()

    def _resolve(self) -> list[Any]:
        """Ask jgo which artifacts make up this version, in class path order."""
        # Imported here: it takes a while, and is needed once.
        from jgo.maven import MavenContext, PythonResolver

        progress, remote, root, repository = self.progress, self.remote, self.root, self.repository
        found = 0

        class Resolver(PythonResolver):
            def download(self, artifact: Any) -> Path:
                nonlocal found
                if artifact.packaging == "pom":
                    found += 1
                    progress("Finding Neo4j's jars", found, None)
                # jgo swallows OSError and RuntimeError here, and would carry on with part of the class path.
                with _disk_errors(root):
                    return remote.fetch(artifact.cached_path.relative_to(repository).as_posix())

        # Everything is passed, so that no jgo settings, M2_REPO or ~/.m2 of the user's plays a part.
        context = MavenContext(
            resolver=Resolver(), repo_cache=repository, local_repos=[], remote_repos={"central": remote.url}
        )
        try:
            roots, others = context.resolver.resolve(
                [context.create_dependency(f"{coordinate}:{self.version}") for coordinate in _COORDINATES]
            )
        except (ValueError, RuntimeError, AssertionError, SyntaxError) as error:
            raise StoreStartFailed(
                f"What Maven Central says about Neo4j {self.version} cannot be read ({error}): delete {root} and start "
                "again."
            ) from error
        return [dependency.artifact for dependency in (*roots, *others)]

    def _in_threads(self, tasks: list[Callable[[], object]]) -> None:
        """Run tasks a few at a time; after the first failure start no more, and raise it."""
        self.progress("Fetching Neo4j", 0, len(tasks))
        pool = ThreadPoolExecutor(_THREADS)
        try:
            for done, future in enumerate(as_completed([pool.submit(task) for task in tasks]), 1):
                future.result()
                self.progress("Fetching Neo4j", done, len(tasks))
        finally:
            pool.shutdown(cancel_futures=True)


class _NotThere(StoreStartFailed):
    """Maven Central answered that it has no such file."""


class _Remote:
    """Fetches files of a Maven repository over HTTP; connections are kept, one a thread."""

    def __init__(self, url: str, repository: Path) -> None:
        self.url = url
        self.repository = repository
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()

    def fetch(self, path: str) -> Path:
        """Fetch the file, check it against the SHA-1 that the repository publishes, and put it in place whole.

        Raises NoNetworkForJars, _NotThere, StoreStartFailed, or OSError of the disk.
        """
        target = self.repository / path
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._fetch_once(path, target)
            except requests.RequestException as error:
                if attempt == _ATTEMPTS:
                    raise NoNetworkForJars(
                        f"Neo4j's jars are not on this machine yet and {self.url} does not answer: connect to the "
                        "network and start again (what has come is kept), or name a running Neo4j in "
                        "ENTOURAGE_NEO4J_URI."
                    ) from error
            except _ChecksumWrong as error:
                if attempt == _ATTEMPTS:
                    raise StoreStartFailed(
                        f"What {self.url} sent for {path} does not match its checksum; a proxy may be changing it: "
                        "try again from another network."
                    ) from error
            time.sleep(0.3 * attempt)
        raise AssertionError("unreachable")

    def _fetch_once(self, path: str, target: Path) -> Path:
        unfinished = target.with_name(target.name + ".part")
        digest = hashlib.sha1(usedforsecurity=False)
        with self._get(path) as response, unfinished.open("wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
        with self._get(path + ".sha1") as response:
            expected = response.text.split()[0].lower() if response.text.strip() else ""
        if digest.hexdigest() != expected:
            unfinished.unlink()
            raise _ChecksumWrong(path)
        _sha1_file(target).write_text(expected)
        unfinished.replace(target)
        return target

    def _get(self, path: str) -> requests.Response:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._sessions.append(self._local.session)
        url = f"{self.url}/{path}"
        response: requests.Response = self._local.session.get(url, stream=True, timeout=_TIMEOUT_SECONDS)
        if response.status_code >= 400:
            response.close()  # an error keeps it alive, and its connection with it
        if response.status_code in (404, 410):
            raise _NotThere(f"no file {url}")
        response.raise_for_status()
        return response


class _ChecksumWrong(Exception):
    """Bytes came that are not what the repository's checksum says."""


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, finds it whole or as it was before."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"There is no room left on the disk of {root}: free about 500 MB, or set ENTOURAGE_CACHE_DIR to "
                "another disk, and start again (what has come is kept)."
            ) from error
        raise StoreStartFailed(
            f"The cache of Neo4j's jars in {root} cannot be used ({error.strerror}): make it writable, or set "
            "ENTOURAGE_CACHE_DIR to a folder that is."
        ) from error


def _sha1_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha1")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
