"""Graphs kept on disk, so that an analysis reads only what changed since.

A folder holds one graph: an array a file (`.npy`, mapped when it is loaded), and `graph.json`, which names the format,
every other value, and the checksum of each array. It is written aside and renamed, and never changed afterwards: who
has mapped it can go on reading it, even when it is deleted. What is kept here is a cache: it may be deleted at any
time, and whatever cannot be read is as good as absent. So nothing waits for the disk: what a power cut damages is read
again.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import shutil
import time
import typing
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import numpy as np

from service.domain import Graph

FORMAT = 8
"""Raised when what a Graph holds changes: folders of another format are not read."""

HEAD = "graph.json"
ASIDE = ".aside-"
"""Folders that are being written begin with this."""

ABANDONED_SECONDS = 3600.0
"""A folder that was begun so long ago and is still aside was left by a process that died."""

UNUSED_SECONDS = 30 * 86_400.0
IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Folders of stores have such names; others are not ours to remove."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class _Unreadable(Exception):
    """A kept graph that cannot be used; says why."""


def save(graph: Graph, root: Path, known: Graph | None = None) -> None:
    """Keep a graph as `root/<version>`, and remove the graphs of other versions and what processes that died left.

    Of arrays that are the very ones of `known`, which was loaded from there, the files are linked, not written again.

    Nothing is lost where it cannot be kept (no space, no permission): a warning says so, and the next analysis reads
    everything.
    """
    try:
        _save(graph, root, known)
    except OSError as error:
        log.warning(
            "The graph could not be kept in %s (%s); the next analysis reads all of it again.", root, error.strerror
        )


def _save(graph: Graph, root: Path, known: Graph | None) -> None:
    root.mkdir(parents=True, exist_ok=True)
    aside = Path(mkdtemp(prefix=ASIDE, dir=root))
    try:
        arrays = {} if known is None else _linked(graph, known, root / str(known.version), aside)
        values = _values(graph, "", aside, arrays)
        (aside / HEAD).write_text(json.dumps({"format": FORMAT, "arrays": arrays, "values": values}))
        kept = root / str(graph.version)
        if kept.exists():
            shutil.rmtree(kept)  # the same version, perhaps damaged: what was read last stands
        aside.rename(kept)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for other in root.iterdir():
        abandoned = other.name.startswith(ASIDE) and time.time() - other.stat().st_mtime > ABANDONED_SECONDS
        if abandoned or (other.name.isdecimal() and other != kept):
            shutil.rmtree(other, ignore_errors=True)


def forget_before(root: Path, version: int) -> None:
    """Remove the graphs of earlier versions below `root`, and what is being kept at this moment."""
    with suppress(OSError):  # there are none
        for folder in root.iterdir():
            earlier = folder.name.isdecimal() and int(folder.name) < version
            if earlier or folder.name.startswith(ASIDE):
                shutil.rmtree(folder, ignore_errors=True)


def forget_unused(kept: Path) -> None:
    """Remove the graphs of stores below `kept` that nobody has kept or loaded for UNUSED_SECONDS."""
    with suppress(OSError):  # nothing could be kept, or another process was faster
        for root in kept.iterdir():
            if IDENTITY.fullmatch(root.name) and time.time() - root.stat().st_mtime > UNUSED_SECONDS:
                shutil.rmtree(root, ignore_errors=True)


def load(root: Path) -> Graph | None:
    """Return the newest graph kept below `root`, its arrays mapped read-only; None where there is none to be read.

    A graph that is damaged, or of another format, is passed over with a warning.
    """
    try:
        found = sorted((folder for folder in root.iterdir() if folder.name.isdecimal()), key=lambda one: -int(one.name))
    except OSError:
        return None
    for folder in found:
        try:
            graph = _load(folder)
            os.utime(root)  # it is in use, see `forget_unused`
            return graph
        except (OSError, ValueError, KeyError, TypeError, _Unreadable) as error:
            log.warning("The graph kept in %s cannot be used (%s); all of it is read again.", folder, error)
    return None


def _load(folder: Path) -> Graph:
    head = json.loads((folder / HEAD).read_bytes())
    if head["format"] != FORMAT:
        raise _Unreadable(f"its format is {head['format']}, not {FORMAT}")
    return _made(Graph, head["values"], "", folder, head["arrays"])


# --- a dataclass of arrays to files and back ------------------------------------------------------------------


def _linked(graph: Graph, known: Graph, kept: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Link the files of arrays that two graphs share, as far as that can be done; what was written of each by name."""
    linked: dict[str, dict[str, Any]] = {}
    with suppress(OSError):  # somebody removed it meanwhile, or the system knows no links
        written = json.loads((kept / HEAD).read_bytes())["arrays"]
        before = dict(_arrays(known, ""))
        for name, array in _arrays(graph, ""):
            if array is before[name]:
                os.link(kept / f"{name}.npy", folder / f"{name}.npy")
                linked[name] = written[name]
    return linked


def _arrays(one: Any, path: str) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Arrays of a dataclass and of those within, by name."""
    for field in dataclasses.fields(one):
        name, value = f"{path}{field.name}", getattr(one, field.name)
        if isinstance(value, np.ndarray):
            yield name, value
        elif dataclasses.is_dataclass(value):
            yield from _arrays(value, f"{name}.")


def _values(one: Any, path: str, folder: Path, arrays: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Write the arrays of a dataclass that are not there yet, and return its other values.

    Dataclasses within are taken apart likewise.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(one):
        name, value = f"{path}{field.name}", getattr(one, field.name)
        if isinstance(value, np.ndarray):
            if name not in arrays:
                arrays[name] = _write_array(folder / f"{name}.npy", value)
        elif dataclasses.is_dataclass(value):
            values[field.name] = _values(value, f"{name}.", folder, arrays)
        else:
            values[field.name] = value
    return values


def _made(kind: type[T], values: dict[str, Any], path: str, folder: Path, arrays: dict[str, dict[str, Any]]) -> T:
    """Make a dataclass of what `_values` wrote."""
    types = typing.get_type_hints(kind)
    made: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name, is_a = f"{path}{field.name}", types[field.name]
        if name in arrays:
            made[field.name] = _read_array(folder / f"{name}.npy", arrays[name])
        elif isinstance(is_a, type) and dataclasses.is_dataclass(is_a):
            made[field.name] = _made(is_a, values[field.name], f"{name}.", folder, arrays)
        else:
            made[field.name] = values[field.name]
    return kind(**made)


def _write_array(file: Path, array: np.ndarray[Any, Any]) -> dict[str, Any]:
    np.save(file, array, allow_pickle=False)
    return {"bytes": file.stat().st_size, "crc32": _checksum(array)}


def _read_array(file: Path, written: dict[str, Any]) -> np.ndarray[Any, Any]:
    if file.stat().st_size != written["bytes"]:
        raise _Unreadable(f"{file.name} has {file.stat().st_size:,} bytes, not {written['bytes']:,}")
    # Copy on write, though nobody writes: kernels would have to be compiled anew for arrays that are marked read-only.
    array: np.ndarray[Any, Any] = np.load(file, mmap_mode="c", allow_pickle=False)
    if _checksum(array) != written["crc32"]:
        raise _Unreadable(f"{file.name} is not what was written")
    return array.view(np.ndarray)  # plain arrays are cut faster


def _checksum(array: np.ndarray[Any, Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data)
