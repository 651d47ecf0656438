"""What platforms send, in tests: signatures by the plain recipe, readings as the service reads them, any JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from service.domain import OWN_PLATFORM, Follow, Reader
from service.files.events import Item, read_body, read_events
from service.flows.reading import event_source
from service.records import Statement

AT = 1_800_000_000_000
"""When deliveries come: 2027-01-15T08:00:00Z."""

IDS = st.integers(1, 2**63).map(str)


def plain_hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 as RFC 2104 writes it down, of nothing but SHA-256."""
    padded = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in padded) + message).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in padded) + inner).digest()


class Read(NamedTuple):
    """What became of one thing that a platform sent."""

    follows: list[Follow]
    statements: list[Statement]
    code: str | None
    message: str | None
    ignored: bool

    @property
    def accounts(self) -> dict[str, dict[str, Any]]:
        """What is said of each account by its key, with when it was said; what is not said is left out."""
        names = ("handle", "name", "bio", "lang", "location", "created_at", "followers")
        return {
            str(one.identity[0]): {"at": one.at}
            | {name: value for name, value in zip(names, one.values, strict=False) if value is not None}
            for one in self.statements
            if one.thing == "accounts"
        }

    @property
    def unfollows(self) -> list[tuple[Any, ...]]:
        """Who no longer follows whom, and since when."""
        return [(*one.identity, one.at) for one in self.statements if one.thing == "unfollows"]


def read(platform: str, item: Any, at: int = AT) -> Read:
    """Read one thing as the service does, by the adapter of its platform."""
    [found] = items(platform, [item], at)
    return Read(
        [one for one in found.said if isinstance(one, Follow)],
        [one for one in found.said if isinstance(one, Statement)],
        found.code,
        found.message,
        found.ignored,
    )


def items(platform: str, events: list[Any], at: int = AT) -> list[Item]:
    """Read what is in a body; what cannot be used says why in a way that can be kept."""
    assert platform != OWN_PLATFORM
    found = read_events(events, event_source("s", platform, Reader(platform)), at)
    for item in found:
        assert (item.code is None) == (item.message is None)
        f"{item.code} {item.message} {json.dumps(item.event)}".encode()
        for one in item.said if item.code is None else ():
            for value in one if isinstance(one, Follow) else (*one.identity, *one.values):
                if isinstance(value, str):
                    value.encode()
                    assert "\0" not in value
    return found


def from_json(text: str) -> Any:
    """A value as a body holds it."""
    [value] = read_body(text.encode())
    return value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12) | st.sampled_from(["", "1", "a\0b", "\ud800", "x" * 300, "2025-03-01T12:00:00Z", "enabled"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6,
)  # fmt: skip
"""Any value of JSON: lone surrogates, too, which escapes can write."""


def changed(example: Any) -> st.SearchStrategy[Any]:
    """An example in which anything, at any depth, may be anything else, or missing."""
    if isinstance(example, dict):
        members = st.fixed_dictionaries({}, optional={name: changed(value) for name, value in example.items()})
        whole = st.fixed_dictionaries({name: changed(value) for name, value in example.items()})
        return st.just(example) | whole | members | JSON
    if isinstance(example, list):
        return st.just(example) | st.lists(changed(example[0]), max_size=3) | JSON
    return st.just(example) | JSON
