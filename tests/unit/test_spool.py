"""Lines put aside on disk: they come back as they went, and nothing is left behind however it ends."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RunFailed
from service.files.spool import Spool
from tests.unit.analytics_graphs import laws

LINES = st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")) | st.just(b"x" * 20_000), max_size=6)


@laws
@given(st.lists(LINES, max_size=5))
def test_lines_come_back_as_often_as_one_likes(batches: list[list[bytes]]) -> None:
    with TemporaryDirectory() as folder, Spool(Path(folder)) as spool:
        kept = [spool.keep(iter(lines)) for lines in batches]
        for _ in range(2):
            assert [list(lines) for lines in kept] == batches
        # side by side
        assert [list(pair) for lines in kept for pair in zip(lines, lines, strict=True)] == [
            [line, line] for lines in batches for line in lines
        ]
        for lines, expected in zip(kept, batches, strict=True):
            assert len(lines) == len(expected)
            assert [lines[at] for at in range(len(lines))] == expected
            assert lines[1:3] == expected[1:3]


def test_lines_are_put_aside_as_they_come(tmp_path: Path) -> None:
    """Not gathered first: each is let go before the next one is made."""
    held: list[int] = []

    class Line(bytes):
        """Bytes that are counted while they are there."""

        there = 0

        def __init__(self, _: bytes) -> None:
            Line.there += 1

        def __del__(self) -> None:
            Line.there -= 1

    def lines() -> Iterator[bytes]:
        for number in range(3):
            held.append(Line.there)
            yield Line(b"%d" % number)

    with Spool(tmp_path / "not" / "there yet") as spool:
        kept = spool.keep(lines())
        assert held[0] == 0
        assert max(held) <= 1, "the one that was made before, at most"
        assert list(kept) == [b"0", b"1", b"2"]
        assert list(tmp_path.rglob("*")) == [tmp_path / "not", tmp_path / "not" / "there yet"], "a file without a name"


def test_an_error_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield b"one"
        raise KeyError("two")

    with pytest.raises(KeyError), Spool(tmp_path) as spool:
        spool.keep(lines())
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from service.files.spool import Spool\n"
        "Spool(Path(sys.argv[1])).keep(b'x' * 1000 if n < 5000 else os.kill(os.getpid(), signal.SIGKILL)"
        " for n in range(5001))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    """As where a file may not grow any more; what waits to be written does no harm when the file is closed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with Spool(tmp_path) as spool, pytest.raises(RunFailed, match="make room there"):
            spool.keep(b"x" * 1_000 for _ in range(1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunFailed, match=str(tmp_path / "file")):
        Spool(tmp_path / "file" / "below")
