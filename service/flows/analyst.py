"""Read-only access for analysts, by a user of Neo4j of their own."""

from __future__ import annotations

import secrets

from service.domain import StoreAddress
from service.store.analyst import USER, give_access, remove_access

__all__ = ["USER", "give_analyst", "remove_analyst"]

PASSWORD_BYTES = 24


def give_analyst(address: StoreAddress, *, reset: bool = False) -> str:
    """Make the read-only user, or give it a new password; returns the password, which is never shown again.

    Raises:
        As `store.analyst.give_access`.
    """
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    give_access(address, password, reset=reset)
    return password


def remove_analyst(address: StoreAddress) -> bool:
    """Remove the read-only user; False where there is none."""
    return remove_access(address)
