"""Child processes: spawned, never forked, handed the store's address by environment, ended with their parent."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from service.domain import StoreAddress
from service.journal.journal import journal_errors

GRACE_SECONDS = 5.0
"""How long a child that was asked to end may take before it is killed."""

ORPHAN_GRACE_SECONDS = 10.0
"""The same for a child whose parent has died; longer, because it may have a child of its own to end."""

GIVES_MEMORY_BACK = {"MALLOC_MMAP_THRESHOLD_": "4194304", "MALLOC_TRIM_THRESHOLD_": "4194304"}
"""Environment in which the C library of Linux (glibc) gives arrays from 4 MiB on back when they are freed.

By itself it soon begins to keep arrays of up to 32 MiB for later: 17 bytes a follow in an analysis of 10⁶ follows.
"""


def spawn(
    arguments: Sequence[str], address: StoreAddress, nice: int = 0, *, stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start `entourage` with these arguments in a process of its own.

    The address goes by way of the environment, where other users of the machine cannot read it, as they can arguments.
    The child is in a session of its own: Ctrl-C in a terminal reaches the parent only, which then ends its children.
    Its standard input is a pipe that this process holds open; see `end_with_parent`.

    Args:
        arguments: of the command.
        address: the graph store that the child is to use.
        nice: how much more than this process the child yields to others, 0 to 19.
        stderr: where its standard error goes; to ours when not said.
    """
    environment = {
        **GIVES_MEMORY_BACK,
        **os.environ,
        "ENTOURAGE_NEO4J_URI": address.uri,
        "ENTOURAGE_NEO4J_USER": address.user,
        "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
        "ENTOURAGE_NEO4J_DATABASE": address.database,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        env=environment, stdin=subprocess.PIPE, stderr=stderr, start_new_session=True,
    )  # fmt: skip
    if nice:
        # At once, before it has threads: on Linux only threads started afterwards inherit it.
        # Beyond our own: the lowest priority is 19, and only root may give a higher one than we have.
        os.setpriority(os.PRIO_PROCESS, child.pid, min(os.getpriority(os.PRIO_PROCESS, 0) + nice, 19))
    return child


def end(child: subprocess.Popen[bytes], grace_s: float = GRACE_SECONDS) -> int:
    """Ask a child to end, kill it when it has not after `grace_s` seconds, and return its exit status."""
    child.terminate()
    try:
        status = child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        status = child.wait()
    if child.stdin is not None:
        child.stdin.close()
    return status


def end_with_parent() -> None:
    """In a child: end this process when its parent has died, however it died.

    The parent holds the other end of our standard input and never writes to it. When the parent is gone, the system
    closes that end: the process then gets SIGTERM, and ends hard if it has not ended after ORPHAN_GRACE_SECONDS.
    """

    def watch() -> None:
        # os.read, not sys.stdin: a daemon thread that holds the lock of sys.stdin breaks the end of the interpreter.
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(ORPHAN_GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


@contextmanager
def alone(path: Path, stop: threading.Event, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock that one process of a journal has at a time; False where `stop` was set before it was free.

    Without `wait`, also where it is not free.
    """
    with journal_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not wait or stop.wait(0.2):
                    yield False
                    return
        yield True
    finally:
        os.close(descriptor)
