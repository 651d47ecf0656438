"""Everything that the graph holds about one account, read as it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import neo4j.time

from service.errors import AccountNotFound
from service.records import THINGS, State
from service.store.driver import Row, Store, not_prepared
from service.store.things import Identity, state_of, stored

FILES_AT_ONCE = 8
"""Published files that are on their way at a time; each is about a mebibyte."""


class HeldAccount(NamedTuple):
    """One account: what was said of it, of when a complete list of its followers is, and its properties as stored.

    `complete_at` is in milliseconds since 1970 UTC, None where there is no such list.
    """

    said: State
    complete_at: int | None
    stored: dict[str, Any]


def read_held_account(store: Store, key: str) -> HeldAccount:
    """Return what is known of an account itself.

    Raises:
        AccountNotFound: there is no account with this key.
    """
    rows = store.read("access/account", key=key)
    if not rows:
        raise AccountNotFound(f"There is no account {key[:200]}; a key is network:id, for instance mastodon:42.")
    [row] = rows
    stored_as = {name: _plain(value) for name, value in sorted(row["stored"].items())}
    return HeldAccount(state_of(THINGS["accounts"], row), row["followers_complete_at"], stored_as)


def read_ties(store: Store, what: str, key: str) -> Iterator[Row]:
    """Yield `follows_out`, `follows_in`, `unfollows_out`, `unfollows_in` or `follow_records` of an account."""
    return map(dict, store.stream(f"access/{what}", key=key))


def read_things(store: Store, thing: str, what: str, key: str) -> Iterator[tuple[Identity, State]]:
    """Yield things that have to do with an account, of the kind `thing`, as a query of `cypher/access/` finds them."""
    return stored(store, THINGS[thing], f"access/{what}", key=key)


def read_own_brands(store: Store, key: str) -> Iterator[Row]:
    """Yield the brands of which an account is the own account."""
    return map(dict, store.stream("access/own_brands", key=key))


def read_memberships(store: Store, key: str) -> Iterator[Row]:
    """Yield the memberships of an account in communities that runs found, with the runs that still have them."""
    for row in store.stream("access/memberships", key=key):
        yield {name: _plain(value) for name, value in dict(row).items()}


def read_scored(store: Store, key: str) -> Iterator[Row]:
    """Yield what the lenses of runs say of an account."""
    for row in store.stream("access/scored", key=key):
        yield {name: _plain(value) for name, value in dict(row).items()}


def read_measured(store: Store, key: str) -> Iterator[Row]:
    """Yield what measures of analysts give an account."""
    for row in store.stream("access/measured", key=key):
        yield {name: _plain(value) for name, value in dict(row).items()}


def read_most_followed(store: Store, key: str) -> Iterator[Row]:
    """Yield communities, and groups of them, that name an account among their most followed."""
    return map(dict, store.stream("access/most_followed", key=key))


def read_documents(store: Store, forms: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield JSON that holds one of some texts: of what (definition, run, schedule), its id, property, and the JSON."""
    for row in store.stream("access/documents", forms=[*forms]):
        yield row["kind"], row["id"], row["property"], row["document"]


def read_published_runs(store: Store) -> list[str]:
    """Return the ids of the runs of which is kept what they published, latest first."""
    return [row["id"] for row in store.read("access/published_runs")]


def read_files(store: Store, run_id: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield the published files of a run, in no particular order: part, number in it, lines with their ends."""
    for row in store.stream("access/files", rows_at_once=FILES_AT_ONCE, run=run_id):
        yield row["part"], row["seq"], bytes(row["bytes"] or b"")


def read_lines(store: Store, run_id: str, part: str) -> list[bytes]:
    """Return the lines of a published part; none where there is no such part."""
    rows = store.read("published/part", run=run_id, part=part)
    return [line for row in rows for line in bytes(row["bytes"] or b"").split(b"\n")[:-1]]


def read_version(store: Store) -> int:
    """Return the version of the graph.

    Raises:
        MigrationError: the graph has not been migrated.
    """
    rows = store.read("published/freshness")
    if not rows:
        raise not_prepared()
    return int(rows[0]["graph_version_now"])


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it; times in RFC 3339."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, neo4j.time.DateTime | neo4j.time.Date):
        native = value.to_native()
        return native.isoformat().replace("+00:00", "Z") if isinstance(native, datetime) else native.isoformat()
    return value
