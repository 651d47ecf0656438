"""Reading files whose lines follow a schema: accounts, interactions, posts, brands and all that is not a follow."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from service.domain import Follow
from service.errors import BadInput, NothingImported, UnreadableFile
from service.files.layout import OBJECT_FORMATS, UNREAD_SHOWN, check_network, find_header, refuse_other_kinds
from service.files.lines import ELEMENT, STANDARD_INPUT, Line, LineStream
from service.files.opening import SEVERAL_KINDS, open_stream
from service.files.reading import LineReader, SkippedLine, json_object, text_of
from service.files.rejects import Rejected
from service.files.schemas import SCHEMAS, Context, Given, Said, Schema
from service.files.values import FUTURE_MS, BadLine
from service.records import Statement

OF_FORMAT = ("account", "target", "network")
"""Fields that say which accounts a line is about: in files of `SEVERAL_KINDS` only the format does, as of follows."""


def check_as_of(as_of: int | None) -> None:
    """Raise BadInput for a time at which nothing can have been said; None stands for when the file was written."""
    if as_of is not None and not 0 <= as_of <= int(time.time() * 1000) + FUTURE_MS:
        raise BadInput(
            "Lines cannot have been said before 1970 or in the future: the latest statement stands, so a wrong time "
            "would stay; give another as_of."
        )


@dataclass(frozen=True)
class RecordFile:
    """A file of lines of one kind and how to read it. What is not said is found from the file itself.

    Attributes:
        path: the file; `-` is standard input. Compressed with gzip or not.
        kind: which schema its lines follow.
        format: `csv` (any separator, quotes, a header), `ndjson` or `parquet`; or one of
            `SEVERAL_KINDS`, of which the lines of the kind are read.
        network: where ids are from that do not say so; None: they are whole keys, `network:id`.
        columns: which column (or key of the JSON objects) holds a field, where it is not called the same.
        values: fields that have one value in the whole file.
        as_of: when lines were said that do not say so, in milliseconds since 1970 UTC; None: when the file was last
            written, so that the same file says the same again.
        name: what to call the file in messages; its path when not said.

    Raises:
        BadInput: an option has a value that cannot be used.
    """

    path: Path
    kind: str
    format: str | None = None
    network: str | None = "local"
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    as_of: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in SCHEMAS:
            raise BadInput(f"There is no kind of lines {self.kind!r}; choose one of {', '.join(SCHEMAS)}.")
        formats = ("csv", "ndjson", "parquet", *(one for one, kinds in SEVERAL_KINDS.items() if self.kind in kinds))
        if self.format is not None and self.format not in formats:
            known = f"{', '.join(formats[:-1])} or {formats[-1]}"
            raise BadInput(f"{self.kind} are read as {known}, not as {self.format!r}.")
        check_network(self.network)
        check_as_of(self.as_of)
        fields = SCHEMAS[self.kind].fields
        for name in (*self.columns, *self.values):
            if name not in fields:
                raise BadInput(f"Lines of {self.kind} have no field {name!r}; they have {', '.join(fields)}.")
            if self.format in SEVERAL_KINDS and name in OF_FORMAT:
                raise BadInput(
                    f"A file of the format {self.format} says itself which accounts are in it, the same for all kinds "
                    f"of lines; leave {name} out of columns and values, and say as its network (--network) where ids "
                    "are from."
                )


class Entry(NamedTuple):
    """A usable line and what it says: in a list of accounts first a follow, then perhaps one back."""

    line: Line
    said: Said | list[Follow | Statement]


@contextmanager
def open_records(
    file: RecordFile, reject: Callable[[Rejected], None], most_expanded: int | None = None
) -> Iterator[RecordReader]:
    """Open a file of lines of one kind; `reject` is called with each line that cannot be used.

    A packed one may expand to `most_expanded` bytes; None: to any number.

    Raises:
        UnreadableFile: it cannot be opened, is of another kind, or lacks a column that is needed.
        NothingImported: it is empty.
    """
    with open_stream(file.path, file.format, file.kind, name=file.name, most_expanded=most_expanded) as stream:
        yield RecordReader(file, stream, reject)


class RecordReader(LineReader[Entry]):
    """What the lines of one file say, in the order of the file. Iterate over it once."""

    def __init__(self, file: RecordFile, stream: LineStream, reject: Callable[[Rejected], None]) -> None:
        super().__init__(stream, reject)
        self._schema = SCHEMAS[file.kind]
        now = int(time.time() * 1000)
        as_of = written_at(file.path, now) if file.as_of is None else file.as_of
        self._context = Context(None if stream.keys else file.network, as_of, now + FUTURE_MS)
        self._values = dict(file.values)
        # What is said of the file comes before what its format says, but for which accounts it is about.
        said = {_plain(column) for column in file.columns.values()}
        of_format = {name: one for name, one in stream.fields.items() if name in OF_FORMAT or _plain(one) not in said}
        taken = next((one for name, one in of_format.items() if _plain(one) in said), None)
        if taken is not None:
            raise UnreadableFile(f"The column {taken} of {stream.name} says which account it is, and nothing else.")
        self._instead = "handle" if "handle" in of_format and "handle" not in file.columns else None
        elsewhere = {*file.values, "network"} if file.format in SEVERAL_KINDS else {*file.values}
        self._fields = _FieldNames(self._schema, {**of_format, **file.columns}, elsewhere)
        head = self._lines.head()
        refuse_other_kinds(stream.name, head)
        data = [line for line in head if line.data.strip()]
        if not data:
            raise NothingImported(f"{stream.name} is empty; there is nothing to import.")
        self._header_line = 0
        self._delimiter, self._columns = ",", list[str | None]()
        objects = file.format in OBJECT_FORMATS or (file.format is None and data[0].data.lstrip().startswith(b"{"))
        self._given = self._object if objects else self._row
        if stream.columns is not None:
            self._fields.check(stream.name, stream.columns, [self._fields.of(one) for one in stream.columns])
        if not objects:
            self._header_line = data[0].number
            self._find_columns(data[0])

    @property
    def ignored(self) -> list[str]:
        """Columns that the schema does not know, as far as they were seen."""
        return list(self._fields.ignored)

    def taken(self, line: Line, text: str) -> Entry:
        """Return what a line says."""
        given = self._given(line, text)
        if self._instead in given and not self._is_usable(self._instead, given[self._instead]):
            del given[self._instead]
        given.update(self._values)
        return Entry(line, self._schema.says(Given(self._schema, given, self._context)))

    def _is_usable(self, name: str, value: object) -> bool:
        try:
            self._schema.fields[name].parse(value, name, self._context.latest)
        except BadLine:
            return False
        return True

    def _find_columns(self, header: Line) -> None:
        try:
            text = text_of(header)
        except BadLine as bad:
            raise UnreadableFile(f"The first line of {self.name} should hold its column names. {bad.message}") from None
        _, self._delimiter, names = find_header(
            [text], lambda names: sum(self._fields.of(name) is not None for name in names)
        )
        self._columns = [self._fields.of(name) for name in names]
        self._fields.ignored = dict.fromkeys(
            name for name, column in zip(names, self._columns, strict=True) if column is None
        )
        self._fields.check(self.name, names, self._columns)
        self._ids = [i for i, column in enumerate(self._columns) if column in self._schema.ids]

    def _row(self, line: Line, text: str) -> dict[str, object]:
        if not text.strip():
            raise SkippedLine("empty")
        if line.number <= self._header_line:
            raise SkippedLine("header")
        row = self.cells(text, self._delimiter, len(self._columns), self._ids)
        # A line may end early: cells at its end that are empty are often left out.
        return {column: cell for column, cell in zip(self._columns, row, strict=False) if column is not None}

    def _object(self, line: Line, text: str) -> dict[str, object]:  # noqa: ARG002 - called like _row
        given: dict[str, object] = {}
        for name, value in json_object(text).items():
            column = self._fields.of(name)
            if column is None:
                if name != ELEMENT and len(self._fields.ignored) < UNREAD_SHOWN:
                    self._fields.ignored[name] = None
            elif column in given:
                raise BadLine("bad_json", f"The line gives {column} twice.")
            else:
                given[column] = value
        return given


class _FieldNames:
    """Which field a column is, by its name: as it was said, or called the same but for capitals and `_id`."""

    def __init__(self, schema: Schema, columns: Mapping[str, str], elsewhere: Collection[str]) -> None:
        self._schema = schema
        self._said = {_plain(column): field for field, column in columns.items()}
        self._columns = columns
        self._elsewhere = {*columns, *elsewhere}
        self._known: dict[str, str | None] = {}
        self.ignored: dict[str, None] = {}

    def of(self, name: str) -> str | None:
        """Return the field that a column of this name is, or None."""
        if name not in self._known:
            if len(self._known) > 10_000:  # objects whose keys are data
                self._known.clear()
            self._known[name] = self._find(_plain(name))
        return self._known[name]

    def _find(self, plain: str) -> str | None:
        if plain in self._said:
            return self._said[plain]
        fields = self._schema.fields
        for one in (plain, re.sub(r"_(id|key)$", "", plain), next(iter(fields)) if plain in ("id", "key") else ""):
            if one in fields and one not in self._elsewhere:
                return one
        return None

    def check(self, file: str, names: Sequence[str], columns: Sequence[str | None]) -> None:
        """Raise UnreadableFile where a field has two columns, or one that is needed has none."""
        kind, shown = self._schema.kind, ", ".join(name.strip()[:40] for name in names[:20])
        for name, column in self._columns.items():
            if name not in columns:
                raise UnreadableFile(f"{file} has no column {column!r}; its columns are: {shown}.")
        found = [column for column in columns if column is not None]
        twice = next((column for column in found if found.count(column) > 1), None)
        if twice is not None:
            raise UnreadableFile(f"{file} has two columns for {twice}; its columns are: {shown}.")
        missing = [one for one in self._schema.required if one not in found and one not in self._elsewhere]
        if missing:
            raise UnreadableFile(
                f"{file} has no column for {', '.join(missing)}, which lines of {kind} must have; its columns are: "
                f"{shown}. Say which one it is with --column {missing[0]}=NAME, or give one value for all lines with "
                f"--set {missing[0]}=VALUE."
            )


def _plain(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", name.strip().strip("\"'").lower())


def written_at(path: Path, now: int) -> int:
    """Return when a file was last written, in milliseconds since 1970 UTC; `now` for standard input."""
    if path == STANDARD_INPUT:
        return now
    try:
        return min(now, path.stat().st_mtime_ns // 1_000_000)
    except OSError:
        return now
