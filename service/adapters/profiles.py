"""What a platform says of an account beside its id: of each field only what an `account.upserted` can hold.

A profile that is odd must not cost the follow it came with: what cannot be used of it is left out.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from service.adapters import Event

NAME_CHARACTERS = 256
BIO_CHARACTERS = 5_000
LOCATION_CHARACTERS = 256
MOST_FOLLOWERS = 10**12
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,64}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upserted(account: Any, fields: dict[str, Any], at: Any = None) -> list[Event]:
    """Return the event that says this of an account; none where nothing is said.

    Args:
        account: its id.
        fields: fields of `account.upserted`; those that are None are left out.
        at: when it was so; None: it is not known.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    return [event("account.upserted", {"account": account, **known}, at)] if known else []


def event(kind: str, data: dict[str, Any], at: Any = None) -> Event:
    """Return an event; without a time where it is not known, so that the time of its arrival counts."""
    return {"type": kind, "data": data} if at is None else {"type": kind, "timestamp": at, "data": data}


def handle(value: Any) -> str | None:
    """Return a handle of ASCII letters, digits and `_`, as Twitch and X have them."""
    return value if isinstance(value, str) and _HANDLE.fullmatch(value) else None


def text(value: Any, characters: int) -> str | None:
    """Return a text of at most so many characters, without control characters but line breaks and tabs."""
    if not isinstance(value, str) or not value.strip() or len(value) > characters:
        return None
    odd = any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\r\n\t" for one in value)
    return None if odd else value


def followers(value: Any) -> int | None:
    """Return a number of followers."""
    return value if type(value) is int and 0 <= value <= MOST_FOLLOWERS else None


def seconds(value: Any) -> float | None:
    """Return a time as RFC 3339 spells it, in whole seconds since 1970 UTC; None where it is none, or before 1970."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        since = (datetime.fromisoformat(match[1] + match[2]) - _EPOCH).total_seconds()
    except ValueError:
        return None
    return since if since >= 0 else None


def time(value: Any) -> str | None:
    """Return a time as it is spelled; None where it is none that can be read. Whether it is past, nobody here knows."""
    return value if seconds(value) is not None else None
