"""Trying how an example of what a platform sends would be read: nothing is kept, and no graph is needed."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from pydantic import Field

from service.adapters import Unread
from service.domain import OWN_PLATFORM, Frozen, Reader
from service.files.events import EventSource, read_body, read_events
from service.files.values import BadLine
from service.flows.reading import adapter_for, check_network, event_source
from service.journal.journal import now_ms

DEEPEST = 20
"""How far values in values are shown; what an event may hold is not as deep."""

MOST_MEMBERS = 50
"""Of an object or array that are shown."""

MOST_CHARACTERS = 1_000
"""Of a text that are shown."""

MOST_EVENTS = 1_000
"""Shown of all items together, and as many reasons why something was not read."""

MOST_SHOWN = 1_000_000
"""Characters and values in these events that are shown."""

_SOURCE = "example"


class TriedEvent(Frozen):
    """An event that an item would become; `code` and `message` say why it cannot be used."""

    event: Any = Field(description="The event, as POST /v1/webhooks/{source} takes it from sources of our own.")
    code: str | None = None
    message: str | None = None


class TriedItem(Frozen):
    """What one item of a body would become. Where one of its events cannot be used, all of it is rejected."""

    index: int
    status: Literal["accepted", "challenge", "ignored", "rejected"] = Field(
        description="A challenge is answered and nothing of it is kept: the sender only finds out whether we are there."
    )
    code: str | None = None
    message: str | None = None
    answer: str | None = Field(default=None, description="What is answered to a challenge.")
    events: tuple[TriedEvent, ...] = Field(
        default=(),
        description="Of long texts, arrays and objects the beginning, with how much was left out; of all items a "
        "thousand at most.",
    )
    more_events: int = Field(default=0, description="Events that are not shown.")
    unread: tuple[Unread, ...] = Field(
        default=(), description="What was not read, and why; at most a hundred, and a thousand of all items."
    )


class Tried(Frozen):
    """What an example would become."""

    accepted: int
    challenges: int
    ignored: int
    rejected: int
    items: tuple[TriedItem, ...]


def try_example(reader: Reader | None, network: str | None, example: bytes, now: int | None = None) -> Tried:
    """Say what an example of a body would become.

    Args:
        reader: by what it is read, as of a source; None: events of ours.
        network: where its accounts live that do not say so; None: where those of the platform do, else ids are whole
            keys, `network:id`.
        example: the body.
        now: when it came, in milliseconds since 1970 UTC; by default now.

    Raises:
        BadInput: there is no such platform, or the network or the mapping cannot be used.
        MalformedBody: it is no JSON.
        InvalidRequest: there is nothing in it, or too much.
    """
    check_network(network)
    adapter = adapter_for(reader)
    network = adapter.network if network is None else network
    now = now_ms() if now is None else now
    body = read_body(example, of_platform=not (reader is None or reader.platform == OWN_PLATFORM))
    answer = adapter.asked(example)
    if answer is not None:
        return _tried([TriedItem(index=0, status="challenge", answer=answer)])
    source = event_source(_SOURCE, network, reader)
    shown, events_left, notes_left = _Shown(), MOST_EVENTS, MOST_EVENTS
    items = []
    for index, one in enumerate(body):
        (item,) = read_events([one], source, now)
        try:
            events = [item.event] if source.translate is None else source.translate(item.event)
        except BadLine:  # which read_events says
            events = []
        judged = read_events(events[:events_left], EventSource(_SOURCE, network), now)
        told = [TriedEvent(event=shown.of(one.event), code=one.code, message=one.message) for one in judged]
        events_left -= len(told)
        notes = adapter.unread(item.event)[:notes_left]
        notes_left -= len(notes)
        items.append(
            TriedItem(
                index=index,
                status=item.status,
                code=item.code,
                message=item.message,
                events=tuple(told),
                more_events=len(events) - len(told),
                unread=tuple(notes),
            )
        )
    return _tried(items)


def _tried(items: list[TriedItem]) -> Tried:
    statuses = [one.status for one in items]
    return Tried(
        accepted=statuses.count("accepted"),
        challenges=statuses.count("challenge"),
        ignored=statuses.count("ignored"),
        rejected=statuses.count("rejected"),
        items=tuple(items),
    )


class _Shown:
    """Values of JSON as they are shown: whatever they hold, they can be written as JSON again, and not without end."""

    def __init__(self) -> None:
        self._left = MOST_SHOWN

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return as much of a value as is shown; `... (3 more)` says how much was left out."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, float) and not -1e308 <= value <= 1e308:
            return str(value)
        if not isinstance(value, dict | list):
            return value
        members = MOST_MEMBERS if depth <= DEEPEST else 0
        members = min(members, len(value), self._left)
        self._left -= members
        left_out = f"... ({len(value) - members:,} more)" if len(value) > members else ""
        if isinstance(value, list):
            several = [self.of(one, depth + 1) for one in value[:members]]
            return [*several, left_out] if left_out else several
        named = {self._text(name): self.of(one, depth + 1) for name, one in islice(value.items(), members)}
        return named | {left_out: None} if left_out else named

    def _text(self, text: str) -> str:
        """The beginning of a text; half characters, which JSON can escape and UTF-8 cannot hold, as question marks."""
        characters = min(len(text), MOST_CHARACTERS, self._left)
        self._left -= characters
        more = f"... ({len(text) - characters:,} more)" if len(text) > characters else ""
        return text[:characters].encode(errors="replace").decode() + more
