"""Data of an embedded server that is replaced: whatever was done when the process died, one of the two stands whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from service.domain import EmbeddedConfig, no_progress
from service.store.embedded import _Server


class _Killed(BaseException):
    pass


def server_of(home: Path) -> _Server:
    return _Server(EmbeddedConfig(home=home, cache_dir=home), no_progress)


def set_up(home: Path) -> Path:
    """An old graph, and a new one that is ready; the folder of its data."""
    for data, graph in ((home / "data", "old"), (home / "loading" / "stage" / "data", "new")):
        for part in ("databases", "transactions"):
            (data / part / "neo4j").mkdir(parents=True)
            (data / part / "neo4j" / "store").write_text(graph)
    return home / "loading" / "stage" / "data"


def graph_in(home: Path) -> set[str]:
    return {one.read_text() for one in (home / "data").rglob("store")}


def killed_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """Die before the nth change of a file or folder."""
    left = iter(range(step))

    def dying(work: Callable[..., object]) -> Callable[..., object]:
        def worked(*given: object, **named: object) -> object:
            if next(left, None) is None:
                raise _Killed
            return work(*given, **named)

        return worked

    patch.setattr(Path, "rename", dying(Path.rename))
    patch.setattr(Path, "replace", dying(Path.replace))
    patch.setattr(shutil, "rmtree", dying(shutil.rmtree))


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("again", range(4))
def test_killed_at_any_step_and_once_more(tmp_path: Path, step: int, again: int) -> None:
    data = set_up(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        killed_at(step, patch)
        with pytest.raises(_Killed):
            server_of(tmp_path).commit_replacement(data)
    complete = (tmp_path / "loading" / "complete").exists()
    with pytest.MonkeyPatch.context() as patch:
        killed_at(again, patch)
        with suppress(_Killed):
            server_of(tmp_path).end_replacement()
    server_of(tmp_path).end_replacement()
    assert graph_in(tmp_path) == ({"new"} if complete else {"old"})
    assert not (tmp_path / "loading").exists()
    assert complete == (step >= 2)


def test_a_replacement_that_is_done(tmp_path: Path) -> None:
    server_of(tmp_path).commit_replacement(set_up(tmp_path))
    assert graph_in(tmp_path) == {"new"}
    assert not (tmp_path / "loading").exists()
    server_of(tmp_path).end_replacement()
    assert graph_in(tmp_path) == {"new"}


STARTER = """
import subprocess, sys, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


def test_a_server_is_stopped_whose_starter_lives_and_does_not_ask_after_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True) as starter:
        try:
            assert starter.stdout is not None
            started = psutil.Process(int(starter.stdout.readline()))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(psutil.Process, "kill", lambda _: pytest.fail("it was waited for in vain"))
                server_of(tmp_path).stop_process(started)
            assert started.status() == psutil.STATUS_ZOMBIE
        finally:
            starter.kill()
