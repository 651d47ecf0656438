"""Reading lists as people download them from platforms: accounts that belong to one account, each line a follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.domain import Follow
from service.errors import BadInput, NothingImported, UnreadableFile
from service.files.columns import listed
from service.files.layout import UNREAD_SHOWN, check_network, find_header, refuse_other_kinds
from service.files.lines import Line, LineStream, open_lines
from service.files.list_mapping import ListMapping
from service.files.reading import LineReader, SkippedLine, text_of
from service.files.records import Entry, check_as_of, written_at
from service.files.rejects import Rejected
from service.files.schemas import SCHEMAS, Context, Given
from service.files.values import FUTURE_MS, BadLine, account_key, native_id
from service.records import Statement


@dataclass(frozen=True)
class ListFile:
    """A list of accounts that belongs to one account, and how to read it.

    Attributes:
        path: the file, CSV with any separator; `-` is standard input. Compressed with gzip or not.
        mapping: how its lines are read.
        called: what the mapping is called, for messages.
        account: the account that the list belongs to: its id, or written as accounts are in the list.
        network: where ids are from; None: what the mapping says.
        as_of: when the list was made, in milliseconds since 1970 UTC; None: when the file was last written.
        name: what to call the file in messages; its path when not said.

    Raises:
        BadInput: an option has a value that cannot be used.
    """

    path: Path
    mapping: ListMapping
    called: str
    account: str
    network: str | None = None
    as_of: int | None = None
    name: str | None = None

    kind = "follows"
    """What its lines count as."""

    def __post_init__(self) -> None:
        check_network(self.network)
        check_as_of(self.as_of)
        try:
            self.mapping.id.id_of(self.account)
        except BadLine:
            like = "" if self.mapping.id.example is None else f"; write it like {self.mapping.id.example}"
            raise BadInput(
                f"{self.account[:80]!r} cannot be the account of a list that is read as {self.called}{like}."
            ) from None

    @property
    def account_id(self) -> str:
        """Id of the account that the list belongs to."""
        return self.mapping.id.id_of(self.account)


@contextmanager
def open_list(
    file: ListFile, reject: Callable[[Rejected], None], most_expanded: int | None = None
) -> Iterator[ListReader]:
    """Open a list; `reject` is called with each line that cannot be used.

    A packed one may expand to `most_expanded` bytes; None: to any number.

    Raises:
        UnreadableFile: it cannot be opened, is of another kind, or lacks a column that its mapping names.
        NothingImported: it is empty.
    """
    with open_lines(file.path, "csv", name=file.name, most_expanded=most_expanded) as stream:
        yield ListReader(file, stream, reject)


class ListReader(LineReader[Entry]):
    """What the lines of a list say, in the order of the file. Iterate over it once.

    Each line says a follow, one more in the other direction where connections are mutual, and, where the mapping names
    columns for that, who the account is. A complete list also says so, with its last usable line: only where it was
    read to its end and every line could be used, because a follower in a line that could not would seem to have left.
    That the account itself is listed leaves nobody out. Where the last line has no line break the file may have been
    cut off there, in the middle of an account: of a complete list it is not believed.
    """

    def __init__(self, file: ListFile, stream: LineStream, reject: Callable[[Rejected], None]) -> None:
        super().__init__(stream, reject)
        self._mapping = file.mapping
        self._called = file.called
        now = int(time.time() * 1000)
        as_of = written_at(file.path, now) if file.as_of is None else file.as_of
        self._context = Context(file.network or file.mapping.network, as_of, now + FUTURE_MS)
        self._account = file.account_id
        self._delimiter, self._names, self._header_line = ",", list[str](), 0
        self._find_columns()
        self._at: dict[str | int, int | None] = {one: self._place(one, self._names) for one in self._mapping.columns}
        # Nothing that is read can hold a line break: were it so, a stray quote would make the accounts below vanish.
        self._ids = [place for place in self._at.values() if place is not None]

    @property
    def ignored(self) -> list[str]:
        """Columns that the mapping does not name."""
        read = {*self._at.values()}
        return [name for i, name in enumerate(self._names) if name and i not in read][:UNREAD_SHOWN]

    def __iter__(self) -> Iterator[Entry]:
        """Yield what each usable line says.

        Raises:
            UnreadableFile: reading failed on the way; `fields["line"]` is the last line that was read whole.
        """
        if not self._mapping.complete:
            yield from super().__iter__()
            return
        held = None  # the last one says that the list is complete, and which it is shows only after it
        entries = super().__iter__()
        while True:
            stopped = None
            try:
                entry = next(entries, None)
            except UnreadableFile as error:
                entry, stopped = None, error
            if held is not None:
                if entry is None and stopped is None and self.not_complete is None:
                    held = held._replace(said=[*held.said, *self._statements("complete_followers", {})])
                # One that is held counts as used when it is yielded: it may not be in the graph before.
                self.used -= entry is not None
                yield held
                self.used += entry is not None
            if stopped is not None:
                raise stopped
            if entry is None:
                return
            held = entry

    @property
    def not_complete(self) -> str | None:
        """Why a list of all followers is not taken as complete, as far as it was read; None where it is, or is none."""
        if not self._mapping.complete:
            return None
        left_out = self.rejected.total() - self.rejected["self_loop"]
        why = []
        if left_out:
            why.append(f"{left_out:,} {'line was' if left_out == 1 else 'lines were'} left out")
        if self.rejected["cut_off"]:
            why.append("the file does not end with a line break, as if it was cut off")
        if continued := self.skipped["continued"]:
            why.append(f"{continued:,} {'line stands' if continued == 1 else 'lines stand'} inside quotes of others")
        return "; ".join(why) or None

    def taken(self, line: Line, text: str) -> Entry:
        """Return what a line says."""
        if not text.strip():
            raise SkippedLine("empty")
        if line.number <= self._header_line:
            raise SkippedLine("header" if line.number == self._header_line else "preamble")
        if self._mapping.complete and not line.ended:
            raise BadLine(
                "cut_off", "The last line has no line break at its end, as if the file was cut off in an account."
            )
        row = self.cells(text, self._delimiter, len(self._names), self._ids)
        if not any(cell.strip() for cell in row):
            raise SkippedLine("empty")
        mapping = self._mapping
        listed = native_id(mapping.id.read(self._cell(row, mapping.id.column)), "account")
        if listed == self._account:
            raise BadLine("self_loop", "The list names the account that it belongs to.")
        at = self._context.as_of if mapping.complete else None
        if mapping.time is not None:
            at = mapping.time.read(self._cell(row, mapping.time.column), self._context.latest)
        own, other = (account_key(self._context.network, one) for one in (self._account, listed))
        said: list[Follow | Statement] = []
        if mapping.holds != "following":
            said.append(Follow(other, own, at=at))
        if mapping.holds != "followers":
            said.append(Follow(own, other, at=at))
        handle = "" if mapping.handle is None else mapping.handle.read(self._cell(row, mapping.handle.column))
        columns = () if mapping.name is None else mapping.name.columns
        name = " ".join(filter(None, (self._cell(row, one) for one in columns)))
        if handle or name:
            said += self._statements("accounts", {"account": listed, "handle": handle, "name": name})
        return Entry(line, said)

    def _statements(self, kind: str, given: dict[str, object]) -> Any:
        """Return what a line of a kind would say, of the account of the list unless another is given."""
        schema = SCHEMAS[kind]
        return schema.says(Given(schema, {"account": self._account, **given}, self._context))

    def _cell(self, row: Sequence[str], column: str | int) -> str:
        """Return what stands in a column; nothing where the list does not have it, or the line ends before it."""
        place = self._at[column]
        return row[place].strip() if place is not None and place < len(row) else ""

    # --- which line names the columns, and where they are ---

    def _find_columns(self) -> None:
        head = self._lines.head()
        refuse_other_kinds(self.name, head)
        lines = [(line.number, text) for line in head if (text := _text(line))][: self._mapping.preamble + 1]
        if not lines:
            if any(line.data.strip() for line in head):
                raise UnreadableFile(f"{self.name} does not hold text in UTF-8; save it as UTF-8 text and import that.")
            raise NothingImported(f"{self.name} is empty; there is nothing to import.")
        place, self._delimiter, self._names = find_header(
            [text for _, text in lines],
            lambda names: sum(self._place(one, names) is not None for one in self._mapping.columns),
        )
        self._header_line = lines[place][0]
        above = any(line.data.strip() for line in head if line.number < self._header_line)
        if above and not self._mapping.preamble:
            raise UnreadableFile(
                f"The first line of {self.name}, which should name its columns, is not text in UTF-8; save the file as "
                "UTF-8 text and import that."
            )
        folded = [name.casefold() for name in self._names]
        named = [one for one in self._mapping.columns if isinstance(one, str)]
        twice = next((one for one in named if folded.count(one.casefold()) > 1), None)
        if twice is not None:
            raise UnreadableFile(f"{self.name} has two columns {twice!r}; take the wrong one out.")
        lacking = [one for one in self._mapping.needed if self._place(one, self._names) is None]
        foreign = [one for one in self._mapping.without_columns if self._place(one, self._names) is not None]
        if foreign:
            raise UnreadableFile(
                f"{self.name} has a column {foreign[0]!r}, which the list {self._called} does not have: it is another "
                "list. `entourage lists` says which there are."
            )
        if lacking:
            raise UnreadableFile(
                f"{self.name} has no column {', '.join(map(repr, lacking))}, which the list {self._called} must have; "
                f"its columns are: {listed(self._names)}. `entourage lists` says which other lists there are."
            )
        cell = self._mapping.id
        if isinstance(cell.column, int) and cell.fits(self._names[cell.column - 1]):
            raise UnreadableFile(
                f"{self.name} begins with an account, where the names of its columns should be; add such a line."
            )

    def _place(self, column: str | int, names: Sequence[str]) -> int | None:
        """Return where a column is; None where it is not."""
        if isinstance(column, int):
            return column - 1 if column <= len(names) else None
        folded = [name.casefold() for name in names]
        return folded.index(column.casefold()) if column.casefold() in folded else None


def _text(line: Line) -> str:
    """Return the text of a line; none where there is nothing in it, or what is no text."""
    try:
        return text_of(line).strip()
    except BadLine:
        return ""
