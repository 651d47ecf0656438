"""Graphs kept on disk: what is read back is what was kept, and what is damaged is as good as absent."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service.domain import Graph
from service.files import snapshots
from service.files.snapshots import HEAD, forget_unused, load, save
from tests.unit.analytics_graphs import assert_equal, make_graph


def a_graph(version: int = 7) -> Graph:
    edges = [("x:a", "x:b", 2.5), ("x:b", "x:c", 1.0), ("x:c", "x:a", 0.1), ("x:ü", "x:a", 1e300)]
    graph = make_graph(
        edges,
        handles={"x:a": "née", "x:b": "b"},
        opted_out=["x:c"],
        at=1_700_000_000_000,
        brands={"shop": None, "bank": "The Bank"},
        own=["x:b"],
        relations=[("x:a", "shop", "employee", 5, None), ("x:a", "bank", "user", None, -7)],
        topics=[("x:a", "café", 3), ("x:ü", "café", 1), ("x:ü", "vélo", 2)],
        endorsed=[("x:a", "x:b", 5), ("x:a", "x:c", None), ("x:ü", "x:a", -7)],
        withdrawn=9,
    )
    return dataclasses.replace(graph, version=version)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    for number, graph in enumerate((a_graph(), make_graph([]), make_graph([], ["x:alone"]))):
        root = tmp_path / str(number)
        save(graph, root)
        read = load(root)
        assert read is not None
        assert_equal(read, graph)
        assert [path.name for path in root.iterdir()] == [str(graph.version)]


def test_arrays_are_mapped_and_may_be_read_after_the_folder_is_gone(tmp_path: Path) -> None:
    graph = a_graph()
    save(graph, tmp_path)
    read = load(tmp_path)
    assert read is not None
    assert isinstance(read.out_idx.base, np.memmap)
    save(a_graph(version=8), tmp_path)  # removes version 7
    assert [path.name for path in tmp_path.iterdir()] == ["8"]
    assert_equal(read, graph)


def test_the_newest_version_is_read(tmp_path: Path) -> None:
    save(a_graph(version=9), tmp_path)
    (tmp_path / "9").rename(tmp_path / "kept")
    save(a_graph(version=10), tmp_path)
    (tmp_path / "kept").rename(tmp_path / "9")
    read = load(tmp_path)
    assert read is not None
    assert read.version == 10, "by number, not by text"


def flip_a_bit(folder: Path) -> None:
    file = folder / "out_idx.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def shorten(folder: Path) -> None:
    file = folder / "in_idx.npy"
    file.write_bytes(file.read_bytes()[:-1])


def change_head(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        head = json.loads((folder / HEAD).read_bytes())
        change(head)
        (folder / HEAD).write_text(json.dumps(head))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        shorten,
        lambda folder: (folder / "out_ptr.npy").unlink(),
        lambda folder: (folder / "out_ptr.npy").write_bytes(b""),
        lambda folder: (folder / HEAD).unlink(),
        lambda folder: (folder / HEAD).write_bytes((folder / HEAD).read_bytes()[:100]),
        lambda folder: (folder / HEAD).write_bytes(b"\xff"),
        lambda folder: (folder / HEAD).write_text("[]"),
        change_head(lambda head: head.update(format=snapshots.FORMAT + 1)),
        change_head(lambda head: head.pop("values")),
    ],
)
def test_what_is_damaged_is_passed_over_with_a_warning(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    save(a_graph(), tmp_path)
    damage(tmp_path / "7")
    with caplog.at_level(logging.WARNING):
        assert load(tmp_path) is None
    [record] = caplog.records
    assert str(tmp_path / "7") in record.getMessage()
    save(a_graph(), tmp_path)
    assert load(tmp_path) is not None, "what was read anew takes the place of what was damaged"


def test_graphs_of_stores_that_nobody_uses_are_forgotten(tmp_path: Path) -> None:
    used, unused = f"{1:08x}-0000-0000-0000-000000000000", f"{2:08x}-0000-0000-0000-000000000000"
    for name in (used, unused, "holiday pictures"):
        save(a_graph(), tmp_path / name)
        os.utime(tmp_path / name, (0, 0))
    assert load(tmp_path / used) is not None
    forget_unused(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [used, "holiday pictures"]


def test_where_nothing_is_kept_nothing_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path / "absent") is None
    assert caplog.records == []


def test_where_it_cannot_be_kept_a_warning_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "file"
    root.write_text("not a folder")
    save(a_graph(), root)
    [record] = caplog.records
    assert "could not be kept" in record.getMessage()
    assert root.read_text() == "not a folder"


def test_a_process_that_dies_while_keeping_leaves_the_last_one_whole(tmp_path: Path) -> None:
    save(a_graph(version=7), tmp_path)
    script = (
        "import dataclasses, os, pathlib, sys\n"
        "from service.files.snapshots import load, save\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "graph = dataclasses.replace(load(root), version=8)\n"
        "pathlib.Path.rename = lambda path, target: os._exit(9)\n"  # everything is written, nothing renamed yet
        "save(graph, root)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=120)
    assert done.returncode == 9
    left = [path for path in tmp_path.iterdir() if path.name.startswith(snapshots.ASIDE)]
    assert len(left) == 1
    read = load(tmp_path)
    assert read is not None
    assert_equal(read, a_graph(version=7))
    os.utime(left[0], (0, 0))
    save(a_graph(version=8), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["8"], "what was left long ago is removed"


def test_files_of_arrays_that_are_the_same_are_linked(tmp_path: Path) -> None:
    save(a_graph(), tmp_path)
    known = load(tmp_path)
    assert known is not None
    numbers = {path.name: path.stat().st_ino for path in (tmp_path / "7").glob("*.npy")}
    later = dataclasses.replace(known, version=8, out_weight=known.out_weight * 2)
    save(later, tmp_path, known)
    again = {path.name: path.stat().st_ino for path in (tmp_path / "8").glob("*.npy")}
    assert again.keys() == numbers.keys()
    assert {name for name, number in again.items() if number != numbers[name]} == {"out_weight.npy"}
    read = load(tmp_path)
    assert read is not None
    assert_equal(read, later)


def test_what_cannot_be_linked_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system without links, or where somebody removed what was kept."""
    save(a_graph(), tmp_path)
    known = load(tmp_path)
    assert known is not None
    later, links = dataclasses.replace(known, version=8), []

    def link(source: Path, target: Path) -> None:
        if len(links) == 3:
            raise OSError("no more")
        links.append(source.name)
        real(source, target)

    real = os.link
    monkeypatch.setattr(os, "link", link)
    save(later, tmp_path, known)
    assert len(links) == 3
    read = load(tmp_path)
    assert read is not None
    assert_equal(read, later)
