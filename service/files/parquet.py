"""Rows of a Parquet file as the lines of NDJSON that would hold the same, read without holding the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from service.errors import UnreadableFile
from service.files.lines import MAX_LINE_BYTES, Line, bounded, expands_too_far
from service.files.parquet_footer import DICTIONARY_PAGE, PAGE_HEADER_BYTES, ColumnChunk, column_chunks, page

BATCH_ROWS = 1_024
BATCH_BYTES = 256 << 20
"""Texts of a column that repeat are kept once in the file, and once a row when read: batches are shorter where one
value could be long."""

MOST_CHUNK_BYTES = 2 << 30
MOST_COLUMNS = 2_000
BUFFER_BYTES = 1 << 20

_BY_DICTIONARY = frozenset({2, 8})
_ONCE_A_VALUE = frozenset({0, 3, 4, 6, 9})
"""Encodings of Parquet in which every value stands by itself: plain, run lengths, delta lengths, split bytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_MS = 253_402_300_800_000
_DAY_MS = 86_400_000
_NOT_UTF8 = "\udcff"


@contextmanager
def open_parquet(name: str, raw: io.BufferedReader, size: int, most_expanded: int | None) -> Iterator[ParquetStream]:
    """Open a Parquet file.

    Args:
        name: what to call it in messages.
        raw: the file; it is closed by whoever opened it.
        size: its bytes.
        most_expanded: bytes that its rows may come to; None: any number.

    Raises:
        UnreadableFile: it is damaged, encrypted, or of a form that is not read.
        ExpandsTooFar: its rows come to more than they may.
    """
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(
            raw, buffer_size=BUFFER_BYTES, pre_buffer=False, thrift_string_size_limit=64 << 20
        )
    except _unreadable() as error:
        raise UnreadableFile(f"{name} is no Parquet file that can be read: {_reason(error)}.") from None
    yield ParquetStream(name, file, raw, size, most_expanded)


class ParquetStream:
    """The rows of a Parquet file, numbered from 1, each as the JSON of an object by column.

    Attributes:
        name: what to call the file in messages.
        total_bytes: its size on disk.
        columns: names of its columns.
        fields, keys: nothing is said of them.
    """

    fields: Mapping[str, str] = MappingProxyType({})
    keys = False

    def __init__(self, name: str, file: Any, raw: io.BufferedReader, size: int, most_expanded: int | None) -> None:
        self.name = name
        self.total_bytes: int | None = size
        self._file = file
        self._raw = raw
        self._most = most_expanded
        self._done = self._expanded = 0
        try:
            self._rows = max(file.metadata.num_rows, 0)
            self.columns: Sequence[str] | None = list(file.schema_arrow.names)
            self._batch_rows = self._checked(self.columns)
        except _unreadable() as error:
            raise UnreadableFile(f"{name} is no Parquet file that can be read: {_reason(error)}.") from None

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far, by the share of its rows."""
        return 0 if not self._rows else int((self.total_bytes or 0) * min(self._done / self._rows, 1.0))

    def _checked(self, columns: Sequence[str]) -> int:
        """Refuse what cannot be read in bounded memory; return how many rows to read at once."""
        if not columns:
            raise UnreadableFile(f"{self.name} is a Parquet file without columns.")
        if len(columns) > MOST_COLUMNS:
            raise UnreadableFile(f"{self.name} has more than {MOST_COLUMNS:,} columns; leave out those not needed.")
        if len(set(columns)) < len(columns):
            raise UnreadableFile(f"{self.name} has several columns of one name; give each a name of its own.")
        largest = total = 0
        for chunk in column_chunks(self._raw, self.total_bytes or 0):
            total += max(chunk.unpacked, 0)
            if chunk.is_text:
                largest = max(largest, self._longest(chunk))
            if chunk.unpacked > MOST_CHUNK_BYTES:
                raise UnreadableFile(
                    f"{self.name} has a row group with more than {MOST_CHUNK_BYTES >> 20:,} MiB in one column; "
                    "write it with smaller row groups."
                )
        if self._most is not None and total > self._most:
            raise expands_too_far(self.name, self._most)
        return max(1, min(BATCH_ROWS, BATCH_BYTES // max(largest, 1)))

    def _longest(self, chunk: ColumnChunk) -> int:
        """Return how long a value of a column may be that is kept once and read once a row; 0 where none is so kept."""
        self._raw.seek(chunk.begin)
        kind, size = page(self._raw.read(PAGE_HEADER_BYTES))
        encodings = chunk.encodings - _ONCE_A_VALUE
        if kind == DICTIONARY_PAGE and encodings <= _BY_DICTIONARY:
            return size
        return chunk.unpacked if encodings else 0

    def __iter__(self) -> Iterator[Line]:
        """Yield every row; one that holds text that is no UTF-8 comes as bytes that are none, either.

        Raises:
            UnreadableFile: reading failed on the way.
            ExpandsTooFar: the rows come to more than they may.
        """
        try:
            batches = self._file.iter_batches(batch_size=self._batch_rows, use_threads=False)
            for batch in batches:
                # Long texts count as they are read, although of their lines only the beginning is kept.
                size, read = self._expanded, self._expanded + batch.nbytes
                self._check_size(read)
                for line in self._lines(batch):
                    size += len(line.data)
                    self._check_size(size)
                    self._done = line.number
                    yield line
                self._expanded = max(size, read)
        except _unreadable() as error:
            where = f"after row {self._done:,}" if self._done else "before its first row"
            raise UnreadableFile(
                f"Reading {self.name} stopped {where}: {_reason(error)}.", line=self._done, damaged=True
            ) from None

    def _check_size(self, size: int) -> None:
        if self._most is not None and size > self._most:
            too_far = expands_too_far(self.name, self._most)
            too_far.fields["line"] = self._done
            raise too_far

    def _lines(self, batch: Any) -> Iterator[Line]:
        names = batch.schema.names
        columns = [_values(column) for column in batch.columns]
        for i, row in enumerate(zip(*columns, strict=True), start=self._done + 1):
            # What is not UTF-8 was read as surrogates, and becomes the bytes that it was.
            text = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_json)
            data = text.encode("utf-8", "surrogateescape")
            yield bounded(i, data)


def _values(column: Any) -> list[Any]:
    """Return the values of a column as JSON has them; those that have no place there as something no field takes."""
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.storage
        kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind):
        to_ms = _TO_MS[kind.unit]
        return [None if one is None else _moment(to_ms(one)) for one in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(kind):
        return [None if one is None else _day(one) for one in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_date64(kind):
        return [None if one is None else _day(one // _DAY_MS) for one in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        column = column.cast(pa.large_binary()) if not pa.types.is_string(kind) else column.cast(pa.binary())
        return [None if one is None else _text(one) for one in column.to_pylist()]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, UnicodeDecodeError):
        return [_one(value) for value in column]


_TO_MS: Mapping[str, Callable[[int], int]] = {
    "s": lambda value: value * 1_000,
    "ms": lambda value: value,
    "us": lambda value: value // 1_000,
    "ns": lambda value: value // 1_000_000,
}


def _moment(ms: int) -> str | int:
    """A time as RFC 3339 (Unix milliseconds below 10¹¹ would be taken for seconds); a number where it has none."""
    if not 0 <= ms < _YEAR_10000_MS:
        return ms
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _day(days: int) -> str | int:
    said = _moment(days * _DAY_MS)
    return said[:10] if isinstance(said, str) else said


def _text(value: bytes) -> str:
    # Longer ones are cut: their line is too long whatever comes after.
    return value[: MAX_LINE_BYTES + 1].decode("utf-8", "surrogateescape")


def _one(value: Any) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError, UnicodeDecodeError):
        return _NOT_UTF8


def _json(value: object) -> object:
    """What json has no form for: whole decimals are numbers, others keep their digits as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value, "f")
    if isinstance(value, datetime):
        value = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return _text(value)
    return str(value)


def _unreadable() -> tuple[type[Exception], ...]:
    """What pyarrow raises for files that it cannot read, and what Python does for values that it cannot hold."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, ValueError, OverflowError, TypeError, KeyError, MemoryError, RecursionError)


def _reason(error: Exception) -> str:
    said = str(error).splitlines()
    return (said[0] if said else type(error).__name__).rstrip(". ")[:300]
