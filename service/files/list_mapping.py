"""A mapping of a list: how the accounts that a platform lists for one account are read, column by column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import permutations
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, field_validator, model_validator

from service.domain import Frozen
from service.errors import BadInput
from service.files.toml_files import read_toml
from service.files.values import BadLine, is_network, native_id, not_in_future, time_ms

FOLDER = Path(__file__).resolve().parent / "lists"
MAX_CELL_CHARACTERS = 2_000
"""A longer cell is no id: links may be longer than the ids made of them."""

Holds = Literal["followers", "following", "mutual"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIED = datetime(2023, 3, 5, tzinfo=UTC)
"""Formats of times are tried with it: day, month and year cannot be taken for each other unseen."""
_SWAPPED = datetime(2004, 5, 6, 7, 8, 9, tzinfo=UTC)
"""Each of its parts can stand for each other one: two formats that take them differently are found with it."""


def _column(given: Any) -> str | int:
    if type(given) is str and given.strip() and len(given) <= 200:
        return given.strip()
    if type(given) is int and 1 <= given <= 1_000:
        return given
    raise ValueError("say the name of a column, or its position from 1")


Column = Annotated[str | int, PlainValidator(_column)]


class Cell(Frozen):
    """What is read of one column: the cell as it is, or what a template makes of the parts that a pattern finds."""

    column: Column = Field(description="Name of the column, or its position from 1 where names differ by language.")
    pattern: str | None = Field(
        default=None, max_length=1_000, description="Regular expression that the whole cell has to fit."
    )
    template: str | None = Field(
        default=None,
        max_length=1_000,
        description="What is made of it: {group} stands for a named group of the pattern.",
    )
    example: str | None = Field(default=None, description="A cell that fits the pattern, for messages and lists.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.pattern is None:
            if self.template is not None or self.example is not None:
                raise ValueError("template and example need a pattern")
            return self
        groups = self._compiled.groupindex
        for name in self._groups:
            if name not in groups:
                raise ValueError(f"template: the pattern has no group called {name!r}")
        if self.example is None:
            raise ValueError("a pattern needs an example, a cell that fits it")
        try:
            self.read(self.example)
        except BadLine:
            raise ValueError("the example does not fit the pattern") from None
        return self

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what may mean something else in a later Python
                return re.compile(self.pattern or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"the pattern is no regular expression: {error}") from None

    @cached_property
    def _groups(self) -> list[str]:
        """Groups that the template names."""
        try:
            parts = list(Formatter().parse(self.template or ""))
        except ValueError as error:
            raise ValueError(f"template: {error}; write a brace as two") from None
        for _, name, form, conversion in parts:
            if name is not None and (not name.isidentifier() or form or conversion):
                raise ValueError(f"template: write only names of groups in braces, not {name!r}")
        return [name for _, name, _, _ in parts if name is not None]

    def read(self, cell: str) -> str:
        """Return what a cell says.

        Raises:
            BadLine: it does not fit the pattern.
        """
        text = cell.strip()
        if self.pattern is None or not text:
            return text
        match = self._compiled.fullmatch(text) if len(text) <= MAX_CELL_CHARACTERS else None
        if match is None or any(match[name] is None for name in self._groups):
            where = self.column if isinstance(self.column, int) else repr(self.column)
            raise BadLine("bad_id", f"{text[:80]!r} in column {where} is not written like {self.example}.")
        return text if self.template is None else self.template.format_map(match.groupdict())

    def fits(self, cell: str) -> bool:
        """Whether a cell fits the pattern; without one nothing is said to."""
        try:
            return self.pattern is not None and self.read(cell) != ""
        except BadLine:
            return False

    def id_of(self, said: str) -> str:
        """Return the id of the account of a list, as somebody said it: like a cell, or the id itself.

        Raises:
            BadLine: it is neither.
        """
        try:
            return native_id(self.read(said), "account")
        except BadLine:
            cell = self._cell_of(said.strip())
            if cell is None or not self.fits(cell) or self.read(cell) != said.strip():
                raise
            return native_id(said, "account")

    def _cell_of(self, made: str) -> str | None:
        """Return the example with its parts replaced by those of which the template would make an id.

        Only where that cell reads as this very id can the id be one; None where the template cannot have made it.
        """
        match = None if self.template is None else self._compiled.fullmatch((self.example or "").strip())
        if match is None:
            return None
        literals = [""]
        for text, name, _, _ in Formatter().parse(self.template or ""):
            literals[-1] += text
            literals += [] if name is None else [""]
        place = len(literals[0]) if made.startswith(literals[0]) else -1
        parts: dict[str, str] = {}
        for i, (name, after) in enumerate(zip(self._groups, literals[1:], strict=True), 1):
            end = made.find(after, place + 1) if i < len(self._groups) else len(made) - len(after)
            if not -1 < place < end:
                return None
            parts[name] = made[place:end]
            place = end + len(after)
        cell = match.string
        for name in sorted(parts, key=match.start, reverse=True):
            cell = cell[: match.start(name)] + parts[name] + cell[match.end(name) :]
        return cell


class Name(Frozen):
    """The name shown: what stands in these columns, with a space between."""

    columns: tuple[Column, ...] = Field(min_length=1, description="Columns, by name or position from 1.")


class Time(Frozen):
    """Since when."""

    column: Column = Field(description="The column, by name or position from 1.")
    formats: tuple[Annotated[str, Field(max_length=50)], ...] = Field(
        default=(),
        description="How it is written, as of Python's strptime, e.g. %d %b %Y for 05 Mar 2023 (English, UTC where no "
        "zone is said); not said: RFC 3339, or Unix time.",
    )

    @field_validator("formats")
    @classmethod
    def _whole_dates(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for one in formats:
            read = _read_as(_written_as(_TRIED, one), one)
            if read is None or read.date() != _TRIED.date():
                raise ValueError(f"{one!r} does not read back year, month and day of what it writes")
            parts = re.findall("%(.)", one)
            if "Z" in parts:
                raise ValueError(
                    f"{one!r}: names of zones (%Z) do not say which time it is; only offsets (%z) are read"
                )
            if ("I" in parts) != ("p" in parts) or {"H", "I"} <= {*parts}:
                raise ValueError(f"{one!r}: write hours as %H, or as %I together with %p")
        for one, other in permutations(formats, 2):
            written = _written_as(_SWAPPED, one)
            if _read_as(written, other) not in (None, _read_as(written, one)):
                raise ValueError(f"{one!r} and {other!r} read {written} as two times; leave one of them out")
        return formats

    def read(self, cell: str, latest: int) -> int | None:
        """Return a time in milliseconds since 1970 UTC; None where nothing is said.

        Raises:
            BadLine: it is in none of the formats, before 1970, or after `latest`.
        """
        text = cell.strip()
        if not text:
            return None
        if not self.formats:
            return time_ms(text, latest)
        for one in self.formats:
            found = _read_as(text, one)
            if found is not None and found >= _EPOCH:
                return not_in_future((found - _EPOCH) // timedelta(milliseconds=1), latest)
        raise BadLine("bad_time", f"The time is not written like {_TRIED.strftime(self.formats[0])}.")


def _written_as(moment: datetime, written: str) -> str:
    """Return a time in a format; nothing where that cannot be written."""
    try:
        return moment.strftime(written)
    except ValueError:
        return ""


def _read_as(text: str, written: str) -> datetime | None:
    """Return the time that a text says in a format, UTC where it says no zone; None where it is not written so."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # days without a year, which mappings may not read
            found = datetime.strptime(text, written)
    except (ValueError, re.error):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


class ListMapping(Frozen):
    """What a mapping file of a list holds."""

    about: str = Field(min_length=1, max_length=500, description="What the list is, and from where it is downloaded.")
    network: str = Field(description="Where its ids are from: keys are network:id.")
    holds: Holds = Field(description="Whether it lists followers of the account, whom it follows, or both at once.")
    complete: bool = Field(
        default=False, description="Whether the followers in it are all there are: earlier ones not in it have ended."
    )
    preamble: int = Field(
        default=0, ge=0, le=100, description="How many lines that are not empty may come before the names of columns."
    )
    without_columns: tuple[str, ...] = Field(
        default=(), description="Columns that the list does not have: one that has them is another list."
    )
    id: Cell = Field(description="The account that is listed.")
    handle: Cell | None = Field(default=None, description="Its handle.")
    name: Name | None = Field(default=None, description="Its name.")
    time: Time | None = Field(default=None, description="Since when.")

    @field_validator("network")
    @classmethod
    def _a_network(cls, network: str) -> str:
        if not is_network(network):
            raise ValueError("use 1 to 64 of the characters a-z, 0-9, _, . and -")
        return network

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.complete and self.holds != "followers":
            raise ValueError("complete: only a list of followers can be complete")
        if self.complete and self.time is not None:
            raise ValueError("time: who is in a complete list was seen at the time of the list; leave the time out")
        if self.preamble and not any(isinstance(one, str) for one in self.needed):
            raise ValueError("preamble: name a column, so that the line of names can be told from what comes before it")
        if isinstance(self.id.column, int) and self.id.pattern is None:
            raise ValueError(
                "id.column: a position needs a pattern of ids, so that a line of names can be told from an account"
            )
        return self

    @property
    def needed(self) -> list[str | int]:
        """Columns that a list must have."""
        return [self.id.column, *([] if self.time is None else [self.time.column])]

    @property
    def columns(self) -> list[str | int]:
        """All columns that are read, each once."""
        more = [] if self.handle is None else [self.handle.column]
        return list(dict.fromkeys([*self.needed, *more, *(() if self.name is None else self.name.columns)]))


def list_like(columns: Iterable[str]) -> str | None:
    """Return which of the lists that come with Entourage has these columns; None where none has."""
    there = {column.strip().strip('"').casefold() for column in columns}
    for name, mapping in shipped_lists().items():
        named = {one.casefold() for one in mapping.columns if isinstance(one, str)}
        if named and named <= there and there.isdisjoint(one.casefold() for one in mapping.without_columns):
            return name
    return None


@cache
def shipped_lists() -> dict[str, ListMapping]:
    """Return the mappings that come with Entourage, by name."""
    return {path.stem: read_list_mapping(path) for path in sorted(FOLDER.glob("*.toml"))}


def read_list_mapping(path: Path) -> ListMapping:
    """Read a mapping file of a list.

    Raises:
        UnreadableFile: it cannot be read, or is not of the form described here; each wrong place is named.
    """
    return read_toml(path, ListMapping, "a mapping only says how a list is read")


def list_mapping(name: str, file: Path | None) -> ListMapping:
    """Return a mapping that comes with Entourage, or else the one in a file.

    Args:
        name: what was asked for.
        file: where it is, if it is a file of one's own; None: it cannot be.

    Raises:
        BadInput: there is no such mapping.
        UnreadableFile: the file is no mapping.
    """
    found = shipped_lists().get(name)
    if found is not None:
        return found
    if file is not None and file.suffix == ".toml":
        return read_list_mapping(file)
    own = "" if file is None else ", or the path of a mapping of your own that ends in .toml"
    raise BadInput(f"There is no list {name[:80]!r}; choose one of {', '.join(shipped_lists())}{own}.")
