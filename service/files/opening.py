"""Opening a file of any format as lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.files.graph_files import GRAPH_FORMATS, open_graph_file
from service.files.lines import LineStream, open_lines


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
        with open_graph_file(path, file_format, kind, name=name, most_expanded=most_expanded) as stream:
            yield stream
    else:
        with open_lines(path, file_format, name=name, most_expanded=most_expanded) as lines:
            yield lines
