"""Opening a file of any format as lines, also of one that holds several kinds of lines at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.errors import UnreadableFile
from service.files.graph_files import (
    GRAPH_FORMATS,
    GRAPH_KINDS,
    graph_format,
    open_graph_file,
    survey_graph,
)
from service.files.lines import STANDARD_INPUT, LineStream, open_lines
from service.files.nodexl import NODEXL_KINDS, is_nodexl, nodexl_kinds, open_nodexl

SEVERAL_KINDS: dict[str, tuple[str, ...]] = {**dict.fromkeys(GRAPH_FORMATS, GRAPH_KINDS), "nodexl": NODEXL_KINDS}
"""Formats that hold several kinds of lines, and which. They are opened to read one of them."""


@dataclass(frozen=True)
class Contents:
    """What a file of such a format holds: the kinds of lines, in words, and whether its ids are whole keys."""

    kinds: list[str]
    described: str
    keys: bool = False


def several_kinds(path: Path) -> str | None:
    """Return which of the formats that hold several kinds of lines a file has; None for none of them."""
    return graph_format(path) or ("nodexl" if is_nodexl(path) else None)


def contents(path: Path, file_format: str, most_expanded: int | None) -> Contents:
    """Read a file to its end, and return what it holds.

    Raises:
        UnreadableFile: it cannot be read, or is of a form that is not read.
        ExpandsTooFar: it expands to more than it may.
    """
    if path == STANDARD_INPUT or path.is_fifo():
        raise UnreadableFile(
            f"A file of the format {file_format} is read more than once, and a pipe cannot be; save it to a file and "
            "import that."
        )
    if file_format in GRAPH_FORMATS:
        survey = survey_graph(path, file_format, most_expanded=most_expanded)
        return Contents(survey.kinds, survey.described(file_format), survey.keys)
    counts = nodexl_kinds(path, most_expanded=most_expanded)
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(20))
    return Contents(
        [kind for kind in NODEXL_KINDS if kind in counts], f"NodeXL: {said}." if said else "NodeXL: nothing."
    )


@contextmanager
def open_stream(
    path: Path, file_format: str | None, kind: str, *, name: str | None = None, most_expanded: int | None = None
) -> Iterator[LineStream]:
    """Open a file as its lines, or as those that its elements of a kind come to, where it is of a format that has such.

    Raises:
        UnreadableFile: it cannot be read, or is of a form that is not read.
        ExpandsTooFar: it expands to more than it may.
    """
    if file_format in GRAPH_FORMATS:
        with open_graph_file(path, file_format, kind, name=name, most_expanded=most_expanded) as elements:
            yield elements
    elif file_format == "nodexl":
        with open_nodexl(path, kind, name=name, most_expanded=most_expanded) as rows:
            yield rows
    else:
        with open_lines(path, file_format, name=name, most_expanded=most_expanded) as lines:
            yield lines
