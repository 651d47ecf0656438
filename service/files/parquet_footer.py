"""What the footer of a Parquet file says of its columns.

Read here, because pyarrow ends the whole process where a damaged footer contradicts itself.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_FOOTER_BYTES = 16 << 20
PAGE_HEADER_BYTES = 16
DICTIONARY_PAGE = 2

_BYTE_ARRAY = 6
_MAGIC = b"PAR1"


class ColumnChunk(NamedTuple):
    """One column of a row group: whether it holds text or bytes, how it is encoded, its unpacked bytes, its begin."""

    is_text: bool
    encodings: frozenset[int]
    unpacked: int
    begin: int


def column_chunks(raw: io.BufferedReader, size: int) -> Iterator[ColumnChunk]:
    """Yield the columns of each row group of a file of so many bytes.

    Raises:
        ValueError: the footer cannot be read.
    """
    raw.seek(max(size - 8, 0))
    end = raw.read(8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != _MAGIC or length > min(size - 8, MOST_FOOTER_BYTES):
        raise ValueError("its footer is damaged, encrypted or too large")
    raw.seek(size - 8 - length)
    try:
        footer = _Compact(raw.read(length)).struct()
        for group in footer.get(4, ()):
            for column in group[1]:
                described = column[3]
                data, dictionary = described[9], described.get(11, 0)
                begin = dictionary if 0 < dictionary < data else data
                yield ColumnChunk(described[1] == _BYTE_ARRAY, frozenset(described[2]), described[6], max(begin, 0))
    except (IndexError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("its footer is damaged") from None


def page(header: bytes) -> tuple[int, int]:
    """Return type and unpacked bytes of a page, as its header begins; (-1, 0) where it does not begin like one."""
    read = _Compact(header)
    try:
        found = [read.number() for _ in range(2) if read.byte() == 0x15]  # the next field, a 32-bit number
    except IndexError:
        found = []
    return (found[0], found[1]) if len(found) == 2 else (-1, 0)


class _Compact:
    """Values in the compact protocol of Thrift. What is not there raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def struct(self) -> dict[int, Any]:
        """Return a structure: its fields by number."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.number()
            fields[number] = self._value(head & 15, in_list=False)
        return fields

    def number(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise IndexError

    def _value(self, kind: int, *, in_list: bool) -> Any:
        if kind in (1, 2):
            return self.byte() == 1 if in_list else kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.number()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._unsigned())
        if kind in (9, 10):
            head = self.byte()
            length = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15, in_list=True) for _ in range(length)]
        if kind == 11:
            length = self._unsigned()
            kinds = self.byte() if length else 0
            return [
                (self._value(kinds >> 4, in_list=True), self._value(kinds & 15, in_list=True)) for _ in range(length)
            ]
        if kind == 12:
            return self.struct()
        raise IndexError

    def _bytes(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise IndexError
        self._at += length
        return taken
