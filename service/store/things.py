"""Writing statements about accounts, posts, brands and all that is not a follow: read what is known, fold, write.

The rules by which statements come together are plain functions (`service.records`); here they meet the graph: under
the version lock, what is known of the things of a batch is read, the batch is put on top, and what changed is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import neo4j.time

from service.domain import Applied
from service.records import ACCOUNT_FIELDS, NEVER, State, Statement, Thing
from service.store.driver import Row, Store
from service.store.edges import Change, in_one_change, missing_accounts

Identity = tuple[Any, ...]
_WISHES = [ACCOUNT_FIELDS.index(name) for name in ("opted_out", "erasure_asked_at")]


def apply_statements(store: Store, thing: Thing, batch: Sequence[Statement]) -> Applied:
    """Put statements about one kind of thing into the graph, with what they name, in one transaction.

    Done again it changes nothing, and the order within a batch or of batches does not matter. The graph's version goes
    up by one if anything changed, and whatever changed is stamped with it.

    Args:
        store: the graph, migrated.
        thing: what the statements are about.
        batch: any number of them.

    Returns:
        `created` counts statements that made a thing, `updated` those that changed one. Accounts count as made when
        they were not in the graph.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """

    return in_one_change(store, lambda change: put_statements(change, thing, batch))


def put_statements(change: Change, thing: Thing, batch: Sequence[Statement]) -> tuple[int, int]:
    """Put statements about one kind of thing into the graph within a change; see `apply_statements`."""
    before, after, created, updated = _folded(change.tx.run, thing, batch)
    change.ensure_accounts(thing.mentioned(batch, thing.accounts))
    change.ensure("posts", thing.mentioned(batch, thing.posts))
    change.ensure("brands", thing.mentioned(batch, thing.brands))
    changed = sorted(identity for identity, state in after.items() if before.get(identity) != state)
    if changed:
        name = f"{thing.name}/write"
        columns = {
            **_identities(thing, changed),
            **_states(thing, [after[one] for one in changed]),
            "v": change.version,
        }
        declared = change.tx.parameters(name)
        change.tx.run(name, **{column: values for column, values in columns.items() if column in declared})
        if thing.name == "accounts" and any(
            _wish(before.get(one, thing.nothing)) != _wish(after[one]) for one in changed
        ):
            change.masked = True
    return created, updated


def _wish(account: State) -> list[Any]:
    """What an account wishes to be: named or not, erased or not."""
    return [account.values[place] for place in _WISHES]


def check_statements(store: Store, thing: Thing, batch: Sequence[Statement]) -> tuple[set[str], set[Identity], int]:
    """Say what a batch would do to the graph as it is now, without writing.

    Returns:
        Keys of accounts that are not in the graph, identities of things that are not, and how many statements would
        change a thing that is.
    """
    before, after, _, updated = _folded(store.read, thing, batch)
    accounts = thing.mentioned(batch, thing.accounts)
    return missing_accounts(store, accounts), after.keys() - before.keys(), updated


def stored(store: Store, thing: Thing, query: str | None = None, **parameters: Any) -> Iterator[tuple[Identity, State]]:
    """Yield everything of one kind that the graph holds, in order of identity, as it is read.

    With `query`, what that finds instead, which has the same columns.
    """
    for row in store.stream(query or f"export/{thing.name}", **parameters):
        yield tuple(_value(name, row[name]) for name in thing.identity), state_of(thing, row)


def _folded(
    run: Callable[..., list[Row]], thing: Thing, batch: Sequence[Statement]
) -> tuple[dict[Identity, State], dict[Identity, State], int, int]:
    """Return the things of a batch before and after it, and how many statements made or changed one."""
    said: dict[Identity, list[Statement]] = {}
    for statement in batch:
        said.setdefault(statement.identity, []).append(statement)
    identities = sorted(said)
    rows = run(f"{thing.name}/known", **_identities(thing, identities))
    before = {identities[row["i"]]: state_of(thing, row) for row in rows}
    after: dict[Identity, State] = {}
    updated = 0
    for identity, statements in said.items():
        state = before.get(identity)
        if state is None:
            state, _ = thing.together(thing.nothing, statements[:1])
            statements = statements[1:]
        after[identity], changed = thing.together(state, statements)
        updated += changed
    return before, after, len(after) - len(before), updated


def _identities(thing: Thing, identities: Sequence[Identity]) -> dict[str, Any]:
    return {name: [identity[i] for identity in identities] for i, name in enumerate(thing.identity)}


def _states(thing: Thing, states: Sequence[State]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [_plain(state.values[i]) for state in states] for i, name in enumerate(thing.fields)
    }
    columns["said"] = [_packed(state) for state in states]
    return columns


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def state_of(thing: Thing, row: Mapping[str, Any]) -> State:
    """Return a state from a row. An empty list was said to be empty where it has a time, or else was never said."""
    values = [_value(name, row[name]) for name in thing.fields]
    said = _unpacked(values, row["said"])
    return State(tuple(None if v == () and at == NEVER else v for v, at in zip(values, said, strict=True)), said)


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value) if name == "hours" else tuple(sorted(value))
    return value.to_native() if isinstance(value, neo4j.time.Date) else value


def _packed(state: State) -> list[int] | None:
    """Return the times of a state as they are kept: one where all that is known has the same, which is the rule."""
    times = {said for value, said in zip(state.values, state.said, strict=True) if value is not None}
    if times <= {NEVER}:
        return None
    return [*times] if len(times) == 1 and () not in state.values else list(state.said)


def _unpacked(values: Sequence[Any], said: list[int] | None) -> tuple[int, ...]:
    if said is None:
        return (NEVER,) * len(values)
    if len(said) == 1:
        return tuple(NEVER if value is None or value == () else said[0] for value in values)
    return (*said, *(NEVER,) * (len(values) - len(said)))
