"""Queries for analysts: which there are, what they take, and their answers. They are the files of `cypher/explore`."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from service.domain import StoreAddress
from service.errors import InvalidRequest, QueryNotFound
from service.store.driver import Store
from service.store.queries import Declared, Query, load_queries

AREA = "explore/"

GROUPS = (
    "The graph",
    "Communities",
    "Between communities",
    "Accounts",
    "Candidates",
    "Brands",
    "Over time",
    "Manipulation",
)
"""In which order queries are listed."""

TYPES = {
    "INTEGER": "a whole number",
    "FLOAT": "a number",
    "BOOLEAN": "true or false",
    "DATE": "a day such as 2026-05-01",
}
"""Types of parameters in words."""


def explore_queries() -> dict[str, Query]:
    """Return all queries for analysts by name, those of a group together."""
    found = {name.removeprefix(AREA): query for name, query in load_queries().items() if name.startswith(AREA)}
    return dict(sorted(found.items(), key=lambda one: (GROUPS.index(str(one[1].group)), one[0])))


def find_query(name: str) -> Query:
    """Return a query for analysts.

    Raises:
        QueryNotFound: there is none of this name.
    """
    queries = explore_queries()
    if name not in queries:
        near = difflib.get_close_matches(name, queries, n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise QueryNotFound(f"There is no query {name[:80]!r}; {meant}`entourage query` lists those that there are.")
    return queries[name]


def read_parameters(query: Query, given: Sequence[str]) -> dict[str, Any]:
    """Read parameters such as `most=5` as the types that a query declares; defaults stand for those that are not given.

    A list is written with commas between its items, or as JSON.

    Raises:
        InvalidRequest: one is not known, there twice, not of its type, or missing; the message says what is needed.
    """
    declared = {one.name: one for one in query.parameters}
    values: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or name not in declared:
            raise InvalidRequest(f"{_no_parameter(query, name)} Write NAME=VALUE.")
        if name in values:
            raise InvalidRequest(f"Parameter {name} is there twice.")
        values[name] = _read(declared[name], text)
    return with_defaults(query, values)


def with_defaults(query: Query, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for all parameters of a query: those given, and defaults for the others.

    Raises:
        InvalidRequest: one is not known, or missing; the message says what is needed.
    """
    declared = {one.name: one for one in query.parameters}
    for name in given:
        if name not in declared:
            raise InvalidRequest(_no_parameter(query, name))
    values = {**query.defaults, **given}
    if missing := [one for name, one in declared.items() if name not in values]:
        said = "; ".join(f"{one.name} ({one.meaning}), such as {example_of(query, one.name)}" for one in missing)
        raise InvalidRequest(f"Query {query.name.removeprefix(AREA)} needs {said}.")
    return values


def _no_parameter(query: Query, name: str) -> str:
    there = ", ".join(one.name for one in query.parameters) or "none"
    return f"Query {query.name.removeprefix(AREA)} has no parameter {name[:80]!r}; there are: {there}."


def _read(parameter: Declared, text: str) -> Any:
    kind = parameter.type
    try:
        if kind.startswith("LIST<"):
            return _read_list(kind[len("LIST<") : -1], text)
        return _read_one(kind, text)
    except ValueError:
        needed = TYPES.get(kind, f"of type {kind}")
        raise InvalidRequest(f"Parameter {parameter.name} must be {needed}: {text[:80]!r} is not.") from None


def _read_one(kind: str, text: str) -> Any:
    if kind == "INTEGER":
        return int(text)
    if kind == "FLOAT":
        return float(text)
    if kind == "DATE":
        return date.fromisoformat(text)
    if kind == "BOOLEAN":
        if text.lower() not in ("true", "false"):
            raise ValueError
        return text.lower() == "true"
    return text


def _read_list(kind: str, text: str) -> list[Any]:
    if text.startswith("["):
        items = json.loads(text)
        if not isinstance(items, list):
            raise ValueError
        return [_read_one(kind, str(one)) for one in items]
    return [_read_one(kind, one.strip()) for one in text.split(",")] if text else []


def example_of(query: Query, name: str) -> str:
    """A parameter as it is typed, with the value that it has in the examples, or by default."""
    value = query.examples.get(name, query.defaults.get(name))
    return f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"


def example_command(query: Query) -> str:
    """The command that asks a query with its examples."""
    words = ["entourage", "query", query.name.removeprefix(AREA)]
    for name in query.examples:
        words += ["--param", example_of(query, name)]
    return " ".join(f"'{word}'" if " " in word else word for word in words)


@dataclass(frozen=True)
class Answer:
    """Rows that a query gave: numbers, texts, booleans, dates, datetimes, None, and lists and maps of these."""

    query: Query
    rows: list[dict[str, Any]]

    def to_csv(self) -> str:
        """Write as CSV with a header; lists and maps as JSON, times as RFC 3339, what is not known empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        columns = [one.name for one in self.query.columns]
        writer.writerow(columns)
        writer.writerows([_cell(row[name]) for name in columns] for row in self.rows)
        return file.getvalue()

    def to_json(self) -> str:
        """Write as a JSON list of objects, a row each."""
        return json.dumps(_plain(self.rows), indent=2, ensure_ascii=False)


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.isoformat() if isinstance(value, date | time) else value


def native(value: Any) -> Any:
    """A value as the driver gives it with Python's own dates and times instead of Neo4j's."""
    if isinstance(value, list):
        return [native(one) for one in value]
    if isinstance(value, dict):
        return {name: native(one) for name, one in value.items()}
    found = value.to_native() if hasattr(value, "to_native") else value
    if isinstance(found, datetime) and found.tzinfo is not None:
        return found.astimezone(UTC)
    return found


def ask(address: StoreAddress, query: Query, parameters: Mapping[str, Any], timeout_s: float) -> Answer:
    """Ask a query; it only reads, and Neo4j ends it after so many seconds.

    Raises:
        StoreTimedOut: it took longer.
        StoreError: Neo4j did not answer.
    """
    with Store(address) as store, _usable(parameters, timeout_s):
        rows = store.read_within(timeout_s, query.name, **parameters)
    return Answer(query, _native_rows(rows))


def ask_statement(
    address: StoreAddress, text: str, parameters: Mapping[str, Any], timeout_s: float
) -> tuple[list[str], list[dict[str, Any]]]:
    """Ask a statement of an analyst's own; it only reads, and Neo4j ends it after so many seconds.

    Returns:
        Its columns, and its rows.

    Raises:
        InvalidRequest: a parameter cannot be a value of Neo4j, or there is no time to answer in.
        StoreRefused: it is no statement that Neo4j understands, or it writes.
        StoreTimedOut: it took longer.
        StoreError: Neo4j did not answer.
    """
    with Store(address) as store, _usable(parameters, timeout_s):
        columns, rows = store.read_statement(timeout_s, text, **parameters)
    return columns, _native_rows(rows)


@contextmanager
def _usable(parameters: Mapping[str, Any], timeout_s: float) -> Iterator[None]:
    """Refuse a time that is none: the driver takes 0 for any time. And what the driver cannot send."""
    if not timeout_s > 0:
        raise InvalidRequest(f"A question needs time to be answered in: {timeout_s} seconds are none.")
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        named = ", ".join(parameters)
        raise InvalidRequest(f"A parameter ({named}) is no value that Neo4j takes: {error}.") from None


def _native_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: native(value) for name, value in row.items()} for row in rows]


def for_browser(query: Query, parameters: Mapping[str, Any]) -> str:
    """A query as Neo4j Browser takes it: its parameters first."""
    lines = [f":param {name} => {_literal(value)};" for name, value in parameters.items()]
    return "\n".join([*lines, f"{query.text};"])


def _literal(value: Any) -> str:
    return f"date('{value.isoformat()}')" if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
