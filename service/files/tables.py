"""Writing rows as CSV, NDJSON or Parquet: columns of known types, rows as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

FileFormat = Literal["ndjson", "csv", "parquet"]
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)

ColumnType = Literal["text", "integer", "number", "boolean", "time", "day", "texts", "integers", "numbers"]
"""Types of columns. A time is given as RFC 3339 text in UTC, a day as a date, lists as lists or tuples."""

ROWS_AT_ONCE = 20_000
"""Rows of Parquet that are held until they are written, as a row group."""

Row = Mapping[str, Any]


class TableFile:
    """A file of rows. A context manager; the file is made, readable by its owner only, when it is opened.

    CSV has a header, lists with | between their items or as JSON, what is not known empty. NDJSON leaves it out.
    Parquet has typed columns (times as timestamps in milliseconds UTC) and is packed with Zstandard.

    Attributes:
        rows: how many were written.
    """

    def __init__(self, file: Path, columns: Mapping[str, ColumnType], file_format: FileFormat) -> None:
        self.rows = 0
        self._columns = columns
        self._format = file_format
        file.touch(mode=0o600, exist_ok=False)
        if file_format == "parquet":
            import pyarrow.parquet as pq  # it takes a while to load, and few commands need it

            self._held: dict[str, list[Any]] = {name: [] for name in columns}
            self._schema = _arrow_schema(tuple(columns.items()))
            self._parquet = pq.ParquetWriter(file, self._schema, compression="zstd")
            return
        self._file = file.open("w", encoding="utf-8", newline="")
        if file_format == "csv":
            self._csv = csv.DictWriter(self._file, list(columns), lineterminator="\n")
            self._csv.writeheader()

    def write(self, row: Row) -> None:
        """Write a row; what is not in it, or None, is not known.

        Raises:
            ValueError: it holds something that is no column.
        """
        self.rows += 1
        if self._format == "csv":
            self._csv.writerow({name: _cell(value) for name, value in row.items()})
        elif self._format == "ndjson":
            self._file.write(json.dumps(shown(row), ensure_ascii=False) + "\n")
        else:
            if unknown := row.keys() - self._columns.keys():
                raise ValueError(f"no columns: {sorted(unknown)}")
            for name, values in self._held.items():
                value = row.get(name)
                values.append(datetime.fromisoformat(value) if value and self._columns[name] == "time" else value)
            if self.rows % ROWS_AT_ONCE == 0:
                self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        # What could not be written is not tried again when the file is closed: that would hide why.
        held, self._held = self._held, {name: [] for name in self._columns}
        self._parquet.write_table(pa.Table.from_pydict(held, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        if self._format != "parquet":
            self._file.close()
            return
        try:
            if next(iter(self._held.values())):
                self._write_group()
            self._parquet.close()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Close the file as it is, after an error, and raise none."""
        with suppress(Exception):
            (self._parquet if self._format == "parquet" else self._file).close()
        if self._format == "parquet":
            self._parquet.is_open = False  # otherwise it tries again when it goes away

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


@cache
def _arrow_schema(columns: tuple[tuple[str, ColumnType], ...]) -> Any:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ms", "UTC"),
        "day": pa.date32(),
        "texts": pa.list_(pa.string()),
        "integers": pa.list_(pa.int64()),
        "numbers": pa.list_(pa.float64()),
    }
    return pa.schema([(name, types[type_]) for name, type_ in columns])


def shown(row: Row) -> dict[str, Any]:
    """Return a row as JSON can hold it, without what is not known."""
    return {name: _json(value) for name, value in row.items() if value is not None}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any) -> Any:
    """Return a value as a cell of CSV."""
    if isinstance(value, list | tuple):
        return joined(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def joined(items: list[Any] | tuple[Any, ...]) -> str:
    """Write a list as one text: with | between its items, or as JSON where an item needs it."""
    texts = [str(one) for one in items]
    if not texts or texts[0].startswith("[") or any("|" in one or one != one.strip() for one in texts):
        return json.dumps(list(items), ensure_ascii=False)
    return "|".join(texts)
