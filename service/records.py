"""What people know about their graph, as statements, and how statements about the same thing come together.

A line of an import (and later an event of an integration) becomes statements. Each is about one thing of the graph,
found by its identity, and gives some of its fields at a time. Putting statements together is commutative, associative
and idempotent: they may come in any order, twice, and from several files, and the graph ends up the same.

Nothing here does I/O.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

Value = str | int | float | bool | tuple[str, ...] | tuple[int, ...] | None
"""What a field holds. Times are milliseconds since 1970 UTC. None: nothing is known."""

NEVER = -1
"""Time of a field about which nothing was said."""


NO_END = 253_402_300_799_999
"""`until` of a relation of which it was said that it lasts: the last millisecond of the year 9999.

Saying nothing would leave an end standing that was said before.
"""


class Statement(NamedTuple):
    """What one line says about one thing.

    `values` are parallel to the thing's fields, None where the line says nothing. `at` is when it was said, in
    milliseconds since 1970 UTC; `dated` is False where the line itself does not say so and `at` is the time of its
    file.
    """

    thing: str
    identity: tuple[str | int | date, ...]
    values: tuple[Value, ...]
    at: int
    dated: bool = True


def erasure_digest(secret: bytes, what: str) -> str:
    """Return what is kept of an erased key: BLAKE2b under a secret key, 20 bytes in hex.

    Without the secret nobody can tell whose it is, not even by trying keys.
    """
    return hashlib.blake2b(what.encode(), key=secret, digest_size=20).hexdigest()


def erasure_id(digest: str) -> str:
    """Return the id of the erasure of the account with this digest: asked twice, it is one."""
    return "e" + digest[:20]


MENTION = re.compile(r"@([\w](?:[\w.\-]*\w)?(?:@[\w](?:[\w.\-]*\w)?)?)")
"""How texts name an account by its handle; in some networks a handle names its server, too."""

UNNAMED = "@…"
"""What stands in a text for the handle of an erased account."""


def without_mentions(text: str, gone: Collection[str]) -> str:
    """Return a text without mentions of some handles, which are given as `mention_of` writes them."""
    return MENTION.sub(lambda found: UNNAMED if mention_of(found[1]) in gone else found[0], text)


def mention_of(handle: str) -> str:
    """Return a handle as it is looked for in texts: what differs by capitals or composition is the same."""
    return "@" + unicodedata.normalize("NFKC", handle).lower()


class State(NamedTuple):
    """What the graph holds of one thing: the value of each field, and when it was said (NEVER where it was not)."""

    values: tuple[Value, ...]
    said: tuple[int, ...]


def latest(state: State, statements: Iterable[Statement]) -> tuple[State, int]:
    """Put statements into a state: of each field the latest value stands, at the same time the greater.

    A statement leaves a field alone about which it says nothing. An undated statement that repeats what is known does
    not make it any newer: so a copy of a file changes nothing.

    Returns:
        The state, and how many statements changed it.
    """
    values, said = list(state.values), list(state.said)
    changed = 0
    for statement in statements:
        news = False
        for i, value in enumerate(statement.values):
            if value is None:
                continue
            if value == values[i]:
                if statement.dated and statement.at > said[i]:
                    said[i], news = statement.at, True
            elif values[i] is None or (statement.at, value) > (said[i], values[i]):
                values[i], said[i], news = value, statement.at, True
        changed += news
    return State(tuple(values), tuple(said)), changed


# --- interactions: counts of a pair and day ----------------------------------------------------------------

InteractionKind = Literal["like", "reply", "mention", "repost"]
INTERACTION_KINDS: tuple[InteractionKind, ...] = ("like", "reply", "mention", "repost")
_KIND_BITS, _HOUR_BITS = 2, 5
_DAY_MS = 86_400_000


def interaction_event(kind: InteractionKind, event_id: str, at: int) -> int:
    """Return what is kept of one interaction in the record of its pair and day: 63 bits, the same for a repeat.

    The upper 56 bits are a digest of its id, below them its kind and its hour of the day (UTC).
    """
    digest = int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=7).digest(), "big")
    hour = at % _DAY_MS // 3_600_000
    return (digest << _KIND_BITS | INTERACTION_KINDS.index(kind)) << _HOUR_BITS | hour


def day_of(at: int) -> date:
    """The day (UTC) of a time in milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC).date()


def counted(state: State, statements: Iterable[Statement]) -> tuple[State, int]:
    """Put counts and single events of a pair and day together.

    Fields are likes, replies, mentions, reposts, hours (24 counts) and events. Events are a set: one that is there
    already is not counted again. Where counts were stated as well, the greater of the stated and the counted stands,
    because a day's count grows until the day is over. Takes time in proportion to what is new and what is known.

    Returns:
        The state, and how many statements changed it.
    """
    events = set(_numbers(state.values[5]))
    of_events = [0] * _COUNTS
    for event in events:
        _count(of_events, event)
    counts = list(map(max, of_events, _stated(state.values)))
    changed = 0
    for statement in statements:
        before, known = list(counts), len(events)
        for event in _numbers(statement.values[5]):
            if event not in events:
                events.add(event)
                _count(of_events, event)
        counts = list(map(max, counts, of_events, _stated(statement.values)))
        changed += counts != before or len(events) > known
    kinds, hours = counts[: len(INTERACTION_KINDS)], tuple(counts[len(INTERACTION_KINDS) :])
    return State((*kinds, hours if any(hours) else None, tuple(sorted(events)) or None), state.said), changed


_COUNTS = len(INTERACTION_KINDS) + 24
"""Numbers of a pair and day: one of each kind, and one of each hour."""


def _count(counts: list[int], event: int) -> None:
    counts[event >> _HOUR_BITS & (1 << _KIND_BITS) - 1] += 1
    counts[len(INTERACTION_KINDS) + (event & (1 << _HOUR_BITS) - 1)] += 1


def _stated(values: tuple[Value, ...]) -> list[int]:
    kinds = [value if isinstance(value, int) else 0 for value in values[: len(INTERACTION_KINDS)]]
    return [*kinds, *(_numbers(values[4]) or (0,) * 24)]


def _numbers(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else ()


# --- the things ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thing:
    """A kind of thing that statements are about.

    Attributes:
        name: what it is called, also the area of its queries.
        identity: names of what tells one from another.
        fields: names of what is said about it, in the order of a statement's values.
        together: how statements are put into a state.
        accounts, posts, brands: which of those names hold keys of accounts, posts, brands (or lists of them), which
            come into being where the graph does not have them yet.
    """

    name: str
    identity: tuple[str, ...]
    fields: tuple[str, ...] = ()
    together: Callable[[State, Iterable[Statement]], tuple[State, int]] = latest
    accounts: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    @property
    def nothing(self) -> State:
        """The state of a thing about which nothing is known."""
        return State((None,) * len(self.fields), (NEVER,) * len(self.fields))

    def mentioned(self, statements: Iterable[Statement], names: tuple[str, ...]) -> list[str]:
        """Return all different keys in the named parts of statements, sorted."""
        if not names:
            return []
        places = [i for i, name in enumerate((*self.identity, *self.fields)) if name in names]
        found: set[str] = set()
        for statement in statements:
            parts = (*statement.identity, *statement.values)
            for place in places:
                part = parts[place]
                if isinstance(part, str):
                    found.add(part)
                elif isinstance(part, tuple):
                    found.update(part)  # type: ignore[arg-type]
        return sorted(found)


ACCOUNT_FIELDS = ("handle", "name", "bio", "lang", "location", "created_at", "followers", "email_sha256", "opted_out",
                  "erasure_asked_at")  # fmt: skip
RELATIONS = {
    "employee": "EMPLOYEE_OF",
    "collaborator": "COLLABORATES_WITH",
    "customer": "CUSTOMER_OF",
    "user": "USES",
}
"""Relations of people to brands, and the types of relationships they are in the graph."""

THINGS = {
    thing.name: thing
    for thing in (
        Thing("accounts", ("account",), ACCOUNT_FIELDS, accounts=("account",)),
        Thing(
            "engagements",
            ("account", "target", "day"),
            ("likes", "replies", "mentions", "reposts", "hours", "events"),
            counted,
            accounts=("account", "target"),
        ),
        Thing(
            "posts",
            ("post",),
            ("account", "at", "kind", "lang", "text", "topics", "paid"),
            accounts=("account",),
            posts=("post",),
        ),
        Thing("responses", ("account", "post", "kind", "at"), accounts=("account",), posts=("post",)),
        Thing(
            "brands",
            ("brand",),
            ("name", "accounts", "competitors"),
            accounts=("accounts",),
            brands=("brand", "competitors"),
        ),
        Thing("mentions", ("post", "brand"), ("stance", "paid"), posts=("post",), brands=("brand",)),
        Thing(
            "relations",
            ("account", "brand", "relation"),
            ("since", "until", "source"),
            accounts=("account",),
            brands=("brand",),
        ),
        Thing("persons", ("person", "account"), accounts=("account",)),
        Thing("endorsements", ("account", "endorsed", "topic"), ("withdrawn",), accounts=("account", "endorsed")),
    )
}
"""Every kind of thing but follows, their ends and complete lists of followers, which have a path of their own."""


def asks_erasure(account: str, at: int) -> Statement:
    """Return that an account asks to be erased: until it is, it is not to be named either."""
    wishes = {"opted_out": True, "erasure_asked_at": at}
    return Statement("accounts", (account,), tuple(wishes.get(name) for name in ACCOUNT_FIELDS), at)


class Match(NamedTuple):
    """A line of a customer list: a statement about an account that has to be found in the graph first.

    `statement` has an empty account. One of the identifiers at least is there.
    """

    network: str | None
    account: str | None
    handle: str | None
    email_sha256: str | None
    statement: Statement
