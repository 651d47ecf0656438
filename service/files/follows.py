"""Reading follows from a file, line by line: every line is either a follow, or skipped, or rejected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from service.domain import Follow
from service.files.layout import COMMENT, FollowFile, find_layout, is_comment
from service.files.lines import Line, LineStream
from service.files.opening import open_stream
from service.files.reading import LineReader, SkippedLine, checked, json_object
from service.files.rejects import Rejected
from service.files.values import FUTURE_MS, BadLine, account_key, dictionary, native_id, time_or_none, weight

__all__ = ["FollowFile", "FollowReader", "open_follows"]


@contextmanager
def open_follows(
    file: FollowFile, reject: Callable[[Rejected], None], most_expanded: int | None = None
) -> Iterator[FollowReader]:
    """Open a file of follows; `reject` is called with each line that cannot be used.

    A packed one may expand to `most_expanded` bytes; None: to any number.

    Raises:
        UnreadableFile: it cannot be opened, is of another kind, or its columns cannot be told.
        NothingImported: it is empty.
    """
    with open_stream(file.path, file.format, "follows", name=file.name, most_expanded=most_expanded) as stream:
        yield FollowReader(file, stream, reject)


class FollowReader(LineReader[Follow]):
    """The follows of one file, each once, in the order of the file. Iterate over it once."""

    def __init__(self, file: FollowFile, stream: LineStream, reject: Callable[[Rejected], None]) -> None:
        super().__init__(stream, reject)
        self._latest = int(time.time() * 1000) + FUTURE_MS
        self._network = None if stream.keys else file.network
        self._reverse = file.reverse
        if stream.fields:
            ends = stream.fields["follower"], stream.fields["followee"]
            file = replace(file, format="ndjson", follower_column=ends[0], followee_column=ends[1], schema_names=True)
        self._layout = find_layout(file, stream.name, self._lines.head(), stream.columns or ())
        positions = (self._layout.follower, self._layout.followee)
        self._ids = tuple(one for one in positions if isinstance(one, int))
        self._columns = {"csv": self._csv, "edgelist": self._edge_list, "ndjson": self._ndjson}[self._layout.format]

    @property
    def ignored(self) -> list[str]:
        """Columns that are not read, as far as the first lines name them."""
        return list(self._layout.unread)

    def taken(self, line: Line, text: str) -> Follow:
        """Return the follow that a line holds."""
        return self._follow(self._columns(line, text))

    def _follow(self, row: Any) -> Follow:
        """Make a follow of a row, in which the layout's columns can be looked up."""
        layout = self._layout
        try:
            follower = native_id(row[layout.follower], "follower")
            followee = native_id(row[layout.followee], "followee")
            if follower == followee:
                raise BadLine("self_loop", "An account cannot follow itself.")
            tie = 1.0 if layout.weight is None or self._left_out(row, layout.weight) else weight(row[layout.weight])
            at = (
                None
                if layout.time is None or self._left_out(row, layout.time)
                else time_or_none(row[layout.time], self._latest)
            )
        except LookupError:
            raise self._missing(row) from None
        if self._reverse:
            follower, followee = followee, follower
        return Follow(account_key(self._network, follower), account_key(self._network, followee), tie, at)

    def _left_out(self, row: Any, column: int | str) -> bool:
        """Whether a value that may be left out is."""
        if not self._layout.optional:
            return False
        value = row.get(column) if isinstance(row, dict) else row[column] if column < len(row) else None  # type: ignore[operator]
        return value is None or value == ""

    def _missing(self, row: Any) -> BadLine:
        layout = self._layout
        needed = {
            "follower": layout.follower,
            "followee": layout.followee,
            "weight": layout.weight,
            "time": layout.time,
        }
        there = row if isinstance(row, dict) else range(len(row))
        name = next(name for name, column in needed.items() if column is not None and column not in there)
        return BadLine("missing_field", f"The line has no {name}.")

    # --- the columns of one line, or SkippedLine ---

    def _ndjson(self, line: Line, text: str) -> dict[str, object]:  # noqa: ARG002 - like the others
        return json_object(text)

    def _edge_list(self, line: Line, text: str) -> Sequence[str] | dict[int | str, object]:
        layout = self._layout
        if not text.strip():
            raise SkippedLine("empty")
        if is_comment(text):
            raise SkippedLine("comment")
        if layout.has_header and line.number == layout.first_line:
            raise SkippedLine("header")
        if not layout.dict_data:
            return checked(text.split(layout.delimiter), layout.width)
        cells = text.split(layout.delimiter, 2)
        row: dict[int | str, object] = dict(enumerate(cells[:2]))
        if layout.weight is not None or layout.time is not None:
            row.update(dictionary(cells[2] if len(cells) == 3 else ""))
        return row

    def _csv(self, line: Line, text: str) -> Sequence[str]:
        layout = self._layout
        if not text.strip():
            raise SkippedLine("empty")
        if line.number <= layout.first_line:
            if line.number < layout.first_line and text.lstrip().startswith(COMMENT):
                raise SkippedLine("comment")
            if layout.has_header and line.number == layout.first_line:
                raise SkippedLine("header")
        return self.cells(text, layout.delimiter, layout.width, self._ids)
