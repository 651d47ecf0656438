"""Reading graphs of somebody else's making, with labels of their own: nothing is ever written into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import neo4j
from neo4j.exceptions import BrokenRecordError
from neo4j.time import Date, DateTime

from service.domain import StoreAddress
from service.errors import BadInput, StoreAuthFailed, StoreRefused, StoreUnavailable
from service.store.driver import Store

ROWS_AT_ONCE = 2_000


class OtherGraph(Store):
    """A connection to a graph that is only read: each question is one transaction in read mode, ended after a time.

    Args:
        address: where it is.
        seconds: how long Neo4j may take for one question, with all of its rows.
    """

    def __init__(self, address: StoreAddress, seconds: float) -> None:
        super().__init__(address)
        self._seconds = seconds

    def nodes(self, label: str, properties: Sequence[str]) -> Iterator[list[Any]]:
        """Yield values of properties of all nodes with a label; errors are those of `rows`."""
        for row in self._ask(self.queries["others/nodes"].text, label=label, properties=list(properties)):
            yield [_plain(name, value) for name, value in zip(properties, row["values"], strict=True)]

    def relationships(
        self, kind: str, start: Sequence[str], own: Sequence[str], end: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Yield values of properties of the start, of itself, and of the end of all relationships of a type."""
        asked = {"type": kind, "start": list(start), "own": list(own), "end": list(end)}
        for row in self._ask(self.queries["others/relationships"].text, **asked):
            yield [_plain(name, value) for name, value in zip([*start, *own, *end], row["values"], strict=True)]

    def rows(self, statement: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a statement by column: text, numbers, booleans, lists of them; times as RFC 3339 says them.

        Raises:
            BadInput: Neo4j does not take the statement, it would write, or a value is none of these.
            StoreAuthFailed: Neo4j refused user or password.
            StoreTimedOut: it took longer than it may.
            StoreError: Neo4j does not answer.
        """
        for row in self._ask(statement):
            yield {name: _plain(name, value) for name, value in row.items()}

    def _ask(self, statement: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        options = {"fetch_size": ROWS_AT_ONCE, "default_access_mode": neo4j.READ_ACCESS}
        try:
            with self._session(**options) as session, session.begin_transaction(timeout=self._seconds) as transaction:
                for row in transaction.run(statement, parameters):
                    try:
                        values = dict(row)
                    except BrokenRecordError as error:
                        raise BadInput(
                            "a row holds a value that cannot be read, such as a time after the year 9999; leave it "
                            "out by a statement."
                        ) from error
                    yield values
        except StoreRefused as error:
            raise BadInput(error.message) from error
        except StoreAuthFailed as error:
            raise StoreAuthFailed("The Neo4j that is read refused the user or the password.") from error
        except StoreUnavailable as error:
            raise StoreUnavailable(
                "The Neo4j that is read does not answer, or broke off; is its address right, and does it run?"
            ) from error


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(name, one) for one in value]
    if isinstance(value, DateTime):
        return value.iso_format() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, Date):
        return value.iso_format()
    raise BadInput(
        f"{name[:80]} holds a {type(value).__name__}, which no field can hold; name a property that is text, a number, "
        "a time or a list, or turn it into one by a statement."
    )
