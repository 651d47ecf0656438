"""Keys of the HTTP API as kept in the graph: of each only its SHA-256."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain import ApiKey, KeyUse, moment_of
from service.errors import KeyNotFound
from service.store.driver import Store

_TIMES = ("created_at", "last_used_at", "revoked_at")


def read_keys(store: Store) -> list[ApiKey]:
    """Return all keys, also those that were revoked, in the order in which they were made."""
    keys = []
    for row in store.read("keys/all"):
        times = {name: None if row[name] is None else moment_of(row[name]) for name in _TIMES}
        keys.append(ApiKey.model_validate({**row, **times}))
    return keys


def create_key(store: Store, key: ApiKey) -> None:
    """Keep a new key."""
    store.write(
        "keys/create",
        id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        brands=None if key.brands is None else list(key.brands),
        sha256=key.sha256,
        created_at=round(key.created_at.timestamp() * 1000),
    )


def revoke_key_in_graph(store: Store, key_id: str, at: int) -> None:
    """Note that a key was revoked at a time in milliseconds since 1970 UTC. Raises KeyNotFound."""
    if not store.write("keys/revoke", id=key_id, at=at):
        raise KeyNotFound(f"There is no API key {key_id[:80]}; `entourage keys list` lists them.")


def note_key_uses(store: Store, uses: Sequence[KeyUse]) -> None:
    """Note when keys were last used."""
    store.write("keys/used", ids=[use.key for use in uses], times=[use.at for use in uses])
