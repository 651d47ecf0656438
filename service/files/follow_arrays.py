"""Reading follows into arrays: what `FollowReader` reads, a million lines a second instead of a quarter of one.

A kernel takes plain lines apart, as most lines of a large file are: printable ASCII without quotes, as many columns as
there are, ids and numbers within what `service.files.values` takes. At the first line that is anything else it stops,
and that line (and what belongs to it, where quotes go on) is read by `FollowReader` itself. So what a line means is
said in one place; the kernel may only be more cautious than that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.compiled import compiled
from service.domain import UNKNOWN_TIME, Float64, FollowTable, Int32, Int64, Texts, UInt8
from service.files.follows import FollowFile, FollowReader
from service.files.layout import COMMENT
from service.files.lines import Line, LineStream, TextStream, numbered
from service.files.opening import open_stream
from service.files.reading import Lines
from service.files.rejects import Rejected
from service.files.values import FUTURE_MS, MAX_ID_CHARACTERS

__all__ = ["FUTURE_MS", "AccountNumbers", "FollowArrays", "FollowPart", "open_follow_arrays", "standing"]

ROWS = 1 << 16
"""Follows that are handed over at once."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_NORMAL, _SEPARATOR, _END, _SPECIAL = 0, 1, 2, 3
_AT_END, _NOT_PLAIN, _NO_ROOM, _GOES_ON = 0, 1, 2, 3
_TAB, _SPACE = 9, 32
_NOT_PLAIN_TIME = -2
_MOST_LINE = 1 << 13
"""Longer lines are left to the reader of lines."""

_TOGETHER = 128
"""Lines whose accounts are looked up together."""

UInt64 = npt.NDArray[np.uint64]
_EMPTY, _TAG = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0xFFFFF80000000000)
_FNV_BASIS, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


class FollowPart(NamedTuple):
    """Some follows as columns, in the order of the file: accounts by number, times in ms or UNKNOWN_TIME."""

    source: Int32
    target: Int32
    weight: Float64
    at: Int64

    def first(self, rows: int) -> FollowPart:
        """A copy of the first rows."""
        return FollowPart(
            self.source[:rows].copy(), self.target[:rows].copy(), self.weight[:rows].copy(), self.at[:rows].copy()
        )


class AccountNumbers:
    """Numbers keys of accounts, from 0, in the order in which they come: a hash table over one array of bytes."""

    def __init__(self) -> None:
        self.slots: UInt64 = np.full((1 << 12, 2), _EMPTY)
        """Of each key its entry and where it begins; side by side, because memory is what looking up waits for."""
        self.hashes: UInt64 = np.zeros(1 << 11, dtype=np.uint64)
        self.starts: Int64 = np.zeros((1 << 11) + 1, dtype=np.int64)
        self.bytes: UInt8 = np.zeros(1 << 16, dtype=np.uint8)
        self.used: Int64 = np.zeros(3, dtype=np.int64)
        """How many accounts there are, how many bytes their keys have, and what only kernels need."""

    def __len__(self) -> int:
        return int(self.used[0])

    def number(self, key: str) -> int:
        """Return the number of a key; a new one where it was not there."""
        data = np.frombuffer(key.encode(), dtype=np.uint8)
        self.make_room(len(data))
        nothing = data[:0]
        mark = np.uint64(_mark(nothing, data, 0, len(data)))
        found = _number(mark, nothing, data, 0, len(data), self.slots, self.hashes, self.starts, self.bytes, self.used)
        return int(found)

    def make_room(self, size: int) -> None:
        """Make room for two more keys that have so many bytes together."""
        accounts, used = int(self.used[0]), int(self.used[1])
        if accounts + 2 > len(self.hashes):
            self.hashes = np.resize(self.hashes, 2 * len(self.hashes))
            self.starts = np.resize(self.starts, len(self.hashes) + 1)
            self.slots = np.full((2 * len(self.slots), 2), _EMPTY)
            _fill(self.slots, self.hashes, self.starts, accounts)
        if used + size > len(self.bytes):
            self.bytes = np.resize(self.bytes, max(2 * len(self.bytes), used + size))

    def ranked(self) -> tuple[Texts, Int32]:
        """Return the keys in order of their code points, and the place in it of each number."""
        count, data = len(self), self.bytes.tobytes()
        ends = self.starts[: count + 1].tolist()
        keys = [data[ends[i] : ends[i + 1]] for i in range(count)]
        order = np.array(sorted(range(count), key=keys.__getitem__), dtype=np.int64)
        place = np.empty(count, dtype=np.int32)
        place[order] = np.arange(count, dtype=np.int32)
        return Texts(self.bytes[: int(self.used[1])], self.starts[: count + 1].copy()).take(order), place


@contextmanager
def open_follow_arrays(
    file: FollowFile, reject: Callable[[Rejected], None], most_expanded: int | None = None
) -> Iterator[FollowArrays]:
    """Open a file of follows to be read into arrays; raises as `open_follows` does."""
    with open_stream(file.path, file.format, "follows", name=file.name, most_expanded=most_expanded) as stream:
        yield FollowArrays(file, stream, reject)


class FollowArrays(FollowReader):
    """The follows of one file as parts of columns, in the order of the file. Read them once."""

    def _opened(self, stream: LineStream) -> Lines:
        return _BlockLines(stream) if isinstance(stream, TextStream) else super()._opened(stream)

    def parts(self, accounts: AccountNumbers) -> Iterator[FollowPart]:
        """Yield what the usable lines hold, at most ROWS follows at once.

        Args:
            accounts: numbers accounts; those of the file are added.

        Raises:
            UnreadableFile: as iterating over a `FollowReader` does; what came before has been yielded.
        """
        lines, plain = self._lines, self._plain()
        blocks = lines if isinstance(lines, _BlockLines) else None
        part = FollowPart(
            np.zeros(ROWS, dtype=np.int32),
            np.zeros(ROWS, dtype=np.int32),
            np.ones(ROWS),
            np.zeros(ROWS, dtype=np.int64),
        )
        rows = 0
        while True:
            if rows == ROWS:
                yield part.first(rows)
                rows = 0
            if plain is not None and blocks is not None and blocks.fill_block():
                taken, done = plain.take(blocks, accounts, part, rows)
                self.used += taken
                rows += taken
                if done:
                    continue
            line = lines.next()
            if line is None:
                break
            follow = self.used_of(line)
            if follow is not None:
                part.source[rows], part.target[rows] = (
                    accounts.number(follow.follower),
                    accounts.number(follow.followee),
                )
                part.weight[rows] = follow.weight
                part.at[rows] = UNKNOWN_TIME if follow.at is None else follow.at
                rows += 1
        if rows:
            yield part.first(rows)
        lines.raise_what_stopped()

    def _plain(self) -> _PlainLines | None:
        """How the kernel is to read lines of this layout; None where all are left to the reader of lines."""
        layout = self._layout
        delimiter = -1 if layout.delimiter is None else ord(layout.delimiter)
        known = delimiter in (-1, _TAB) or (_SPACE <= delimiter <= 126 and layout.delimiter not in COMMENT)
        columns = [layout.follower, layout.followee, layout.weight, layout.time]
        if layout.format == "ndjson" or layout.dict_data or not known or any(isinstance(one, str) for one in columns):
            return None
        classes = np.full(256, _SPECIAL, dtype=np.uint8)
        classes[_SPACE:127] = _NORMAL
        classes[ord('"')] = _SPECIAL
        classes[[10, 13]] = _END
        classes[[_TAB, _SPACE] if delimiter == -1 else delimiter] = _SEPARATOR
        how = [-1 if one is None else int(one) for one in columns]
        how += [len(classes) << 8 if layout.width is None else layout.width, delimiter == -1]
        how += [layout.format == "edgelist", layout.optional, self._network is None, self._reverse, self._latest]
        prefix = b"" if self._network is None else f"{self._network}:".encode()
        return _PlainLines(classes, np.array(how, dtype=np.int64), np.frombuffer(prefix, dtype=np.uint8))


class _PlainLines(NamedTuple):
    """How the kernel reads the lines of a file: classes of bytes, what columns there are, what stands before ids."""

    classes: UInt8
    how: Int64
    prefix: UInt8

    def take(self, lines: _BlockLines, accounts: AccountNumbers, part: FollowPart, rows: int) -> tuple[int, bool]:
        """Take plain lines from where the block is at; how many follows, and whether no other line came in the way."""
        begin = rows
        while True:
            at, rows, why = _take_plain(
                lines.data, lines.at, self.classes, self.how, self.prefix,
                accounts.slots, accounts.hashes, accounts.starts, accounts.bytes, accounts.used,
                *part, rows,
            )  # fmt: skip
            lines.at = at
            if why != _NO_ROOM or rows == ROWS:
                lines.number += rows - begin
                return rows - begin, why != _NOT_PLAIN
            accounts.make_room(_MOST_LINE + 2 * len(self.prefix))


class _BlockLines(Lines):
    """Lines as `Lines` has them, over blocks from which many can be taken at once."""

    def __init__(self, stream: TextStream) -> None:
        super().__init__(iter(()))
        self.number = 0
        self.at = 0
        self.data: UInt8 = np.zeros(0, dtype=np.uint8)
        self._block = b""
        self._blocks = stream.blocks(lambda: self.number)

    def fill_block(self) -> bool:
        """Whether the next lines stand in the block: none was put back, and the file goes on."""
        return not self._back and self._filled()

    def _filled(self) -> bool:
        if self.at < len(self._block):
            return True
        self._block, self.at = self._from_file(self._blocks) or b"", 0
        self.data = np.frombuffer(self._block, dtype=np.uint8)
        return bool(self._block)

    def next(self) -> Line | None:
        if self._back:
            return self._back.popleft()
        if not self._filled():
            return None
        end = _LINE_END.search(self._block, self.at)
        data = self._block[self.at : end.start() if end else None]
        self.at = end.end() if end else len(self._block)
        self.number += 1
        return numbered(self.number, data)


# --- kernels ----------------------------------------------------------------------------------------------------


@compiled
def _mark(prefix: UInt8, data: UInt8, begin: int, end: int) -> np.uint64:
    """Hash of the key that is `prefix` and then bytes of `data`."""
    mark = _FNV_BASIS
    for i in range(len(prefix)):
        mark = (mark ^ np.uint64(prefix[i])) * _FNV_PRIME
    for i in range(begin, end):
        mark = (mark ^ np.uint64(data[i])) * _FNV_PRIME
    return mark ^ (mark >> np.uint64(32))


@compiled
def _number(
    mark: np.uint64,
    prefix: UInt8,
    data: UInt8,
    begin: int,
    end: int,
    slots: UInt64,
    hashes: UInt64,
    starts: Int64,
    known: UInt8,
    used: Int64,
) -> int:
    """Number of the key that is `prefix` and then bytes of `data`, whose hash is known; there must be room for it."""
    mask = np.uint64(len(slots) - 1)
    size, before = len(prefix) + end - begin, len(prefix)
    wanted = _entry(mark, size, 0)
    slot = mark & mask
    while slots[slot, 0] != _EMPTY:
        entry = slots[slot, 0]
        if entry >> np.uint64(32) == wanted >> np.uint64(32):
            first, same = np.int64(slots[slot, 1]), True
            for i in range(before):
                if known[first + i] != prefix[i]:
                    same = False
                    break
            if same:
                for i in range(end - begin):
                    if known[first + before + i] != data[begin + i]:
                        same = False
                        break
            if same:
                return int(entry & np.uint64(0xFFFFFFFF))
        slot = (slot + np.uint64(1)) & mask
    account = int(used[0])
    first = used[1]
    slots[slot, 0] = _entry(mark, size, account)
    slots[slot, 1] = first
    hashes[account] = mark
    starts[account] = first
    for i in range(before):
        known[first + i] = prefix[i]
    for i in range(end - begin):
        known[first + before + i] = data[begin + i]
    starts[account + 1] = first + size
    used[0] += 1
    used[1] += size
    return account


@compiled
def _entry(mark: np.uint64, size: int, account: int) -> np.uint64:
    """What a slot says of a key: its number, its length, and bits of its hash, so that few others are looked at."""
    return (mark & _TAG) | (np.uint64(size) << np.uint64(32)) | np.uint64(account)


@compiled
def _fill(slots: UInt64, hashes: UInt64, starts: Int64, accounts: int) -> None:
    """Put accounts into empty slots."""
    mask = np.uint64(len(slots) - 1)
    for account in range(accounts):
        slot = hashes[account] & mask
        while slots[slot, 0] != _EMPTY:
            slot = (slot + np.uint64(1)) & mask
        slots[slot, 0] = _entry(hashes[account], starts[account + 1] - starts[account], account)
        slots[slot, 1] = starts[account]


@compiled
def _plain_weight(data: UInt8, begin: int, end: int) -> float:
    """A weight that is plain digits, perhaps with a point; 0 for anything else: too long to be exact, or no weight."""
    number, digits, after, point = 0, 0, 0, False
    for i in range(begin, end):
        one = int(data[i])
        if 48 <= one <= 57:
            number = 10 * number + one - 48
            digits += 1
            after += point
        elif one == 46 and not point and digits:
            point = True
        else:
            return 0.0
    if digits == 0 or digits > 15:
        return 0.0
    power = 1.0
    for _ in range(after):
        power *= 10.0
    return number / power  # both are exact, so that this is the float nearest to what is written


@compiled
def _digits(data: UInt8, begin: int, end: int) -> int:
    """A number of plain digits; -1 for anything else."""
    number = 0
    for i in range(begin, end):
        one = int(data[i])
        if one < 48 or one > 57:
            return -1
        number = 10 * number + one - 48
    return number


@compiled
def _plain_time(data: UInt8, begin: int, end: int) -> int:
    """A time in milliseconds that is Unix time in digits, or RFC 3339 with Z; _NOT_PLAIN_TIME for anything else."""
    size = end - begin
    if size <= 15 and data[begin + 4 if size > 4 else begin] != 45:
        whole = _digits(data, begin, end)
        if whole < 0:
            return _NOT_PLAIN_TIME
        return whole if whole >= 100_000_000_000 else 1000 * whole
    if size not in (10, 20, 24) or data[begin + 4] != 45 or data[begin + 7] != 45:
        return _NOT_PLAIN_TIME
    year = _digits(data, begin, begin + 4)
    month = _digits(data, begin + 5, begin + 7)
    day = _digits(data, begin + 8, begin + 10)
    # Days that some months do not have are left to those who know a calendar.
    if year < 1970 or month < 1 or month > 12 or day < 1 or day > 28:
        return _NOT_PLAIN_TIME
    earlier = year - (month <= 2)
    since_march = (month + 9) % 12
    days = 365 * earlier + earlier // 4 - earlier // 100 + earlier // 400 + (153 * since_march + 2) // 5 + day - 719_469
    if size == 10:
        return days * 86_400_000
    if (data[begin + 10] != 84 and data[begin + 10] != 32) or data[begin + 13] != 58 or data[begin + 16] != 58:
        return _NOT_PLAIN_TIME
    hour = _digits(data, begin + 11, begin + 13)
    minute = _digits(data, begin + 14, begin + 16)
    second = _digits(data, begin + 17, begin + 19)
    part = 0
    if size == 24:
        part = _digits(data, begin + 20, begin + 23)
        if data[begin + 19] != 46 or part < 0:
            return _NOT_PLAIN_TIME
    if data[end - 1] != 90 or min(hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return _NOT_PLAIN_TIME
    return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1000 + part


@compiled
def _is_key(data: UInt8, begin: int, end: int) -> bool:
    """Whether an id is a whole key: a network, a colon, an id without space around it."""
    colon = begin
    while colon < end and data[colon] != 58:
        one = data[colon]
        if not (97 <= one <= 122 or 48 <= one <= 57 or one == 95 or one == 46 or one == 45):
            return False
        colon += 1
    return 1 <= colon - begin <= 64 and colon + 1 < end and data[colon + 1] != 32


@compiled
def _take_plain(
    data: UInt8,
    begin: int,
    classes: UInt8,
    how: Int64,
    prefix: UInt8,
    slots: UInt64,
    hashes: UInt64,
    starts: Int64,
    known: UInt8,
    used: Int64,
    source: Int32,
    target: Int32,
    weight: Float64,
    at: Int64,
    rows: int,
) -> tuple[int, int, int]:
    """Take plain lines from `begin` on; where that ended, how many rows there are then, and why it ended."""
    ends, marks = np.zeros((_TOGETHER, 4), dtype=np.int64), np.zeros((_TOGETHER, 2), dtype=np.uint64)
    mask, reverse = np.uint64(len(slots) - 1), how[9] != 0
    while True:
        most = min(_TOGETHER, len(source) - rows, (len(hashes) - used[0]) // 2)
        if most <= 0:
            return begin, rows, _NO_ROOM
        begin, lines, why = _cut_plain(
            data, begin, classes, how, len(prefix), len(known) - used[1], ends, weight[rows:], at[rows:], most
        )
        # Of a large table each look into it waits for memory. Looks that nothing hangs on wait together, and those that
        # follow find what they need nearby.
        for row in range(lines):
            for end in range(2):
                marks[row, end] = _mark(prefix, data, ends[row, 2 * end], ends[row, 2 * end + 1])
        seen = np.uint64(0)
        for row in range(lines):
            seen ^= slots[marks[row, 0] & mask, 0] ^ slots[marks[row, 1] & mask, 0]
        for row in range(lines):
            for end in range(2):
                slot = marks[row, end] & mask
                if slots[slot, 0] != _EMPTY:
                    seen ^= np.uint64(known[np.int64(slots[slot, 1])])
        used[2] = np.int64(seen & _EMPTY >> np.uint64(1))  # or the compiler leaves it all out
        for row in range(lines):
            one = _number(marks[row, 0], prefix, data, ends[row, 0], ends[row, 1], slots, hashes, starts, known, used)
            other = _number(marks[row, 1], prefix, data, ends[row, 2], ends[row, 3], slots, hashes, starts, known, used)
            source[rows + row], target[rows + row] = (other, one) if reverse else (one, other)
        rows += lines
        if why != _GOES_ON:
            return begin, rows, why


@compiled
def _cut_plain(
    data: UInt8,
    begin: int,
    classes: UInt8,
    how: Int64,
    prefix: int,
    room: int,
    ends: Int64,
    weight: Float64,
    at: Int64,
    most: int,
) -> tuple[int, int, int]:
    """Take plain lines apart, at most so many, and such that their keys have room: two with a prefix of so many bytes.

    Where the ids of follower and followee begin and end goes to `ends`.

    Returns:
        Where that ended, how many lines there were, and why it ended.
    """
    follower, followee, weight_at, time_at, width, white = how[0], how[1], how[2], how[3], how[4], how[5] != 0
    edges, optional, whole_keys, latest = how[6] != 0, how[7] != 0, how[8] != 0, how[10]
    first, last = np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)
    size, rows = len(data), 0
    while begin < size:
        if rows == most:
            return begin, rows, _GOES_ON
        for k in range(4):
            first[k] = last[k] = -1
        # Cut the line into cells, without the space around them.
        cell, end, cell_begin = 0, begin, begin
        cell_first, cell_last = -1, -1
        said = False
        while True:
            kind = _END if end == size else classes[data[end]]
            if kind == _NORMAL:
                if data[end] != _SPACE:
                    if cell_first < 0:
                        cell_first = end
                        if not said and edges and (data[end] == 35 or data[end] == 37):
                            return begin, rows, _NOT_PLAIN
                        said = True
                    cell_last = end + 1
                end += 1
                continue
            if kind == _SPECIAL or end - begin > _MOST_LINE:
                return begin, rows, _NOT_PLAIN
            if not white or cell_first >= 0:
                if cell >= width and cell_first >= 0:
                    return begin, rows, _NOT_PLAIN
                if cell_first < 0:
                    cell_first, cell_last = end, cell_begin  # of spaces alone it ends before it begins
                if cell == follower:
                    first[0], last[0] = cell_first, cell_last
                if cell == followee:
                    first[1], last[1] = cell_first, cell_last
                if cell == weight_at:
                    first[2], last[2] = cell_first, cell_last
                if cell == time_at:
                    first[3], last[3] = cell_first, cell_last
                cell += 1
            cell_first = cell_last = -1
            if kind == _END:
                break
            end += 1
            cell_begin = end
        following = end + 1
        if following < size and data[end] == 13 and data[following] == 10:
            following += 1
        # What it says.
        for k in range(2):
            length = last[k] - first[k]
            if first[k] < 0 or length < 1 or length > MAX_ID_CHARACTERS:
                return begin, rows, _NOT_PLAIN
            if whole_keys and not _is_key(data, first[k], last[k]):
                return begin, rows, _NOT_PLAIN
        if last[0] - first[0] == last[1] - first[1]:
            same = True
            for i in range(last[0] - first[0]):
                if data[first[0] + i] != data[first[1] + i]:
                    same = False
                    break
            if same:
                return begin, rows, _NOT_PLAIN
        tie = 1.0
        if weight_at >= 0 and (not optional or (first[2] >= 0 and last[2] != first[2])):
            tie = 0.0 if first[2] < 0 else _plain_weight(data, first[2], last[2])
            if tie <= 0.0:
                return begin, rows, _NOT_PLAIN
        time = UNKNOWN_TIME
        if time_at >= 0:
            if first[3] < 0:
                if not optional:
                    return begin, rows, _NOT_PLAIN
            elif last[3] > first[3]:
                time = _plain_time(data, first[3], last[3])
                if time < 0 or time > latest:
                    return begin, rows, _NOT_PLAIN
        room -= 2 * prefix + end - begin
        if room < 0:
            return begin, rows, _GOES_ON if rows else _NO_ROOM
        ends[rows, 0], ends[rows, 1], ends[rows, 2], ends[rows, 3] = first[0], last[0], first[1], last[1]
        weight[rows], at[rows] = tie, time
        rows += 1
        begin = following
    return begin, rows, _AT_END


# --- which follows stand -----------------------------------------------------------------------------------------


class Standing(NamedTuple):
    """What comes of follows that were read, and what each file made new and changed, had it come batch by batch."""

    table: FollowTable
    created: list[int]
    updated: list[int]


def standing(accounts: AccountNumbers, files: Sequence[Sequence[FollowPart]], batch: int) -> Standing:
    """Return each pair once: of several follows with the same ends the one with the greatest (time, weight).

    Args:
        accounts: which number is whose.
        files: follows of each file.
        batch: how many lines would be written at once: of these only the strongest one of a pair counts.
    """
    rows = [sum(len(part.source) for part in parts) for parts in files]
    source, target, weight, at = (
        np.concatenate([np.zeros(0, dtype=kind), *(part[column] for parts in files for part in parts)])
        for column, kind in enumerate((np.int32, np.int32, np.float64, np.int64))
    )
    keys, place = accounts.ranked()
    pair = place[source].astype(np.int64) << 32 | place[target]
    del source, target
    order = np.argsort(pair, kind="stable")
    ends = np.cumsum(np.array(rows, dtype=np.int64))
    pair = pair[order]
    created, updated = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    first = np.ones(len(pair), dtype=np.bool_)
    first[1:] = pair[1:] != pair[:-1]
    pair = pair[first]
    starts = np.append(np.flatnonzero(first), len(order))
    weight, at = _strongest(order, starts, weight, at, ends, batch, created, updated)
    return Standing(
        FollowTable(keys, (pair >> 32).astype(np.int32), (pair & 0xFFFFFFFF).astype(np.int32), weight, at),
        created.tolist(),
        updated.tolist(),
    )


@compiled
def _strongest(
    order: Int64,
    starts: Int64,
    weight: Float64,
    at: Int64,
    ends: Int64,
    batch: int,
    created: Int64,
    updated: Int64,
) -> tuple[Float64, Int64]:
    """Weight and time of the follow that stands of each pair, whose rows are `order[starts[k]:starts[k + 1]]`."""
    pairs = len(starts) - 1
    of_weight, of_at = np.empty(pairs), np.empty(pairs, dtype=np.int64)
    for k in range(pairs):
        row = order[starts[k]]
        file = np.searchsorted(ends, row, side="right")
        created[file] += 1
        best_weight, best_at = weight[row], at[row]
        if starts[k + 1] > starts[k] + 1:
            counted, in_batch = -1, -1  # in which batch the pair was last made or changed
            for e in range(starts[k], starts[k + 1]):
                row = order[e]
                file = np.searchsorted(ends, row, side="right")
                begin = 0 if file == 0 else ends[file - 1]
                in_batch = (row - begin) // batch
                mark = file * (1 << 40) + in_batch
                if e == starts[k]:
                    counted = mark
                elif at[row] > best_at or (at[row] == best_at and weight[row] > best_weight):
                    best_weight, best_at = weight[row], at[row]
                    if mark != counted:
                        counted = mark
                        updated[file] += 1
        of_weight[k], of_at[k] = best_weight, best_at
    return of_weight, of_at
