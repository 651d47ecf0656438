"""Keys of the HTTP API: who may ask what. They are kept in the graph, and a copy in the journal of each machine."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from service.domain import SCOPES, ApiKey, StoreAddress
from service.errors import BadInput
from service.journal.journal import Journal, now_ms
from service.store.driver import Store
from service.store.keys import create_key, note_key_uses, read_keys, revoke_key_in_graph

PREFIX = "ent_"
MOST_BRANDS = 1_000
FORM = re.compile(PREFIX + r"[0-9a-f]{8}_[A-Za-z0-9_-]{43}")
"""What a key looks like: its id, and a secret of 256 bits as URL-safe base64."""


def add_key(
    address: StoreAddress, journal: Path, name: str, scopes: Sequence[str], brands: Sequence[str] | None
) -> tuple[ApiKey, str]:
    """Make a key of the HTTP API; returns it with the key itself, which is never shown again.

    Args:
        address: the graph store.
        journal: folder of this machine's journal, which gets a copy.
        name: who it is for; several keys may have the same.
        scopes: what it may do; see `domain.ApiKey`.
        brands: keys of the brands it may see; None for all.

    Raises:
        BadInput: the name, scopes or brands cannot be used.
    """
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise BadInput("The name of a key is 1 to 200 characters that can be printed.")
    unknown = [one for one in scopes if one not in SCOPES]
    if unknown or not scopes:
        raise BadInput(f"A key has one or more of the scopes {', '.join(SCOPES)}.")
    if brands is not None:
        if tuple(scopes) != ("read",):
            raise BadInput("A key that sees some brands only can read and no more; give it the scope read alone.")
        if not 0 < len(brands) <= MOST_BRANDS or not all(0 < len(one) <= 500 for one in brands):
            raise BadInput(f"The brands of a key are 1 to {MOST_BRANDS:,} keys of brands.")
    key_id = secrets.token_hex(4)
    shown = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=key_id,
        name=name,
        scopes=tuple(one for one in SCOPES if one in scopes),
        brands=None if brands is None else tuple(sorted(set(brands))),
        sha256=digest_of(shown),
        created_at=datetime.fromtimestamp(now_ms() / 1000, UTC),
    )
    with Store(address) as store:
        create_key(store, key)
        _copy(store, journal)
    return key, shown


def revoke_key(address: StoreAddress, journal: Path, key_id: str) -> ApiKey:
    """Let a key do nothing any more, for ever; `key_id` may have the prefix of keys. Raises KeyNotFound."""
    key_id = key_id.removeprefix(PREFIX)
    with Store(address) as store:
        revoke_key_in_graph(store, key_id, now_ms())
        _copy(store, journal)
        return next(key for key in read_keys(store) if key.id == key_id)


def list_keys(address: StoreAddress) -> list[ApiKey]:
    """Return all keys, also those that were revoked, in the order in which they were made."""
    with Store(address) as store:
        return read_keys(store)


def synchronise_keys(store: Store, journal: Journal) -> None:
    """Bring the journal's copy of the keys up to date, and tell the graph when they were last used."""
    used = journal.take_used_keys()
    if used:
        note_key_uses(store, used)
    # When a key was used is no matter of the copy: it would be written anew each minute.
    journal.keep_keys(lambda: {key.id: key.model_dump_json(exclude={"last_used_at"}) for key in read_keys(store)})


def digest_of(key: str) -> str:
    """Return what is kept of a key: its SHA-256, in hexadecimal. It has 256 random bits, so no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _copy(store: Store, folder: Path) -> None:
    with Journal(folder) as journal:
        synchronise_keys(store, journal)
