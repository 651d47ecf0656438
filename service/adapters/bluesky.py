"""Bluesky: events of Jetstream, as its websocket sends them.

Formats: https://github.com/bluesky-social/jetstream, docs/README.md 5.1 (version 1, `/subscribe`), and 5.2 with
lexicons/network/bsky/jetstream/subscribeEvents.json (version 2). What ids look like: https://atproto.com/specs/did,
record-key and tid.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from service.adapters import Adapter, Event, Unusable, member, needed

FOLLOW = "app.bsky.graph.follow"
MESSAGE = "network.bsky.jetstream.subscribeEvents#"
"""What types of version 2 begin with."""

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
_RECORD_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_CLOCK_BITS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999 = 253_370_764_800_000_000


class Bluesky(Adapter):
    """Jetstream says who follows whom, by records that are made and deleted, and what becomes of accounts."""

    name = "bluesky"
    about = "Follows, their ends and deleted accounts, as events of Jetstream."
    network = "bluesky"

    def events(self, item: Any) -> list[Event]:
        """Read an event of Jetstream: commits to follows, and accounts; others say nothing that is read.

        Identities are among those: they come of every account of the network, known here or not.

        Raises:
            Unusable: it is none, or not as documented.
        """
        if not isinstance(item, dict):
            raise Unusable("bad_event", "The event is not a JSON object.")
        if item.get("$type") == "error":  # the last frame of a connection
            return []
        event = item.get("payload") if item.get("$type") == "message" else item
        kind = member(event, "$type")
        if isinstance(kind, str) and kind.startswith(MESSAGE):
            kind = kind.removeprefix(MESSAGE)
            body = event if kind == "commit" else member(event, kind)
        else:
            kind = needed(event, "kind")
            if not isinstance(kind, str):
                raise Unusable("bad_data", "The kind is not text.")
            body = member(event, kind)
        if kind == "commit":
            return _commit(event, body)
        if kind == "account":
            return _account(event, body)
        return []


def _commit(event: Any, commit: Any) -> list[Event]:
    if needed(commit, "collection") != FOLLOW:
        return []
    operation, key, follower = needed(commit, "operation"), needed(commit, "rkey"), _did(event, "did")
    if not isinstance(key, str) or not _RECORD_KEY.fullmatch(key) or key in (".", ".."):
        raise Unusable("bad_id", "The rkey is no record key.")
    record = f"{follower}/{key}"  # unambiguous: a DID holds no slash
    # The revision is a time, the same from every Jetstream, and it orders the commits of one repository: a follow and
    # its end stay in order whoever was asked for them. But the clock of the account's host sets it, which may be
    # ahead; so a commit is never later than when it was seen.
    at = _time(event, _microseconds_of_tid(member(commit, "rev")))
    if operation == "create":
        followee = _did(needed(commit, "record"), "subject")
        return [_event("follow.created", at, follower=follower, followee=followee, record=record)]
    if operation == "delete":
        return [_event("follow.deleted", at, record=record)]
    if operation == "update":
        raise Unusable(
            "changed_follow",
            "This record of a follow was rewritten, which does not say whom it named before; push an event "
            "follow.deleted and one follow.created in its place.",
        )
    raise Unusable("unknown_operation", "The operation is none of create, update, delete.")


def _account(event: Any, account: Any) -> list[Event]:
    """An account that was deleted is gone for good; one that is suspended or deactivated may come back."""
    active = needed(account, "active")
    if type(active) is not bool:
        raise Unusable("bad_flag", "The field active is neither true nor false.")
    if active or member(account, "status") != "deleted":
        return []
    return [_event("account.deleted", _time_of(event, account), account=_own_did(event, account))]


def _event(kind: str, at: str, **data: str) -> Event:
    return {"type": kind, "timestamp": at, "data": data}


def _did(of: Any, name: str) -> str:
    """Return a DID. Raises Unusable where there is none."""
    found = needed(of, name)
    if not isinstance(found, str) or not _DID.fullmatch(found):
        raise Unusable("bad_id", f"The {name} is no DID.")
    return found


def _own_did(event: Any, body: Any) -> str:
    """Return of whom an event is, which it says twice. Raises Unusable where these differ: an erasure is final."""
    did = _did(event, "did")
    if member(body, "did") not in (None, did):
        raise Unusable("bad_data", "The event names two accounts.")
    return did


def _time_of(event: Any, body: Any) -> str:
    """Return when an account changed: as the relay says, the same from every Jetstream behind it."""
    return _time(event, _microseconds_of_text(member(body, "time")))


def _time(event: Any, said: int | None) -> str:
    """Return the time of an event: what was said, in microseconds, but never later than when Jetstream saw it.

    Raises:
        Unusable: it does not say when it was seen.
    """
    seen = member(event, "time_us")
    if type(seen) is not int:
        seen = _microseconds_of_text(member(event, "time"))
    if seen is None or not 0 <= seen < _YEAR_9999:
        raise Unusable("bad_time", "There is neither a time_us, in microseconds since 1970 UTC, nor a time.")
    first = seen if said is None or said < 0 else min(said, seen)
    return (_EPOCH + timedelta(microseconds=first)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _microseconds_of_text(text: Any) -> int | None:
    """Return a time of RFC 3339 in microseconds since 1970 UTC, None where it is none."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if time is None or time.tzinfo is None else (time - _EPOCH) // timedelta(microseconds=1)


def _microseconds_of_tid(tid: Any) -> int | None:
    """Return the time in a TID in microseconds since 1970 UTC, None where it is none.

    It is a number of 64 bits in base 32, with digits in the order of ASCII: a zero, 53 bits of time, and 10 bits that
    tell clocks apart.
    """
    if not isinstance(tid, str) or not _TID.fullmatch(tid):
        return None
    number = 0
    for digit in tid:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number >> _CLOCK_BITS


ADAPTER = Bluesky()
