"""Trying how an example of what a platform sends would be read: nothing is kept, and no graph is needed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from service.adapters import Unusable
from service.domain import OWN_PLATFORM, Frozen, Reader
from service.files.events import EventSource, Item, read_body, read_events
from service.flows.reading import adapter_for, event_source
from service.journal.journal import now_ms

_SOURCE = "example"
_DEEPEST = 20
"""How far values in values are shown; what an event may hold is not as deep."""


class TriedEvent(Frozen):
    """An event that an item would become; `code` and `message` say why it cannot be used."""

    event: Any = Field(description="The event, as POST /v1/webhooks/{source} takes it from sources of our own.")
    code: str | None = None
    message: str | None = None


class Unread(Frozen):
    """Why something was not read."""

    thing: int = Field(description="Which of the things found in the item, from 1.")
    place: str = Field(description="Place in the mapping, such as events.1.where; entries are counted from 1.")
    message: str


class TriedItem(Frozen):
    """What one item of a body would become. Where one of its events cannot be used, all of it is rejected."""

    index: int
    status: Literal["accepted", "ignored", "rejected"]
    code: str | None = None
    message: str | None = None
    events: tuple[TriedEvent, ...] = ()
    unread: tuple[Unread, ...] = Field(default=(), description="What was not read, and why; at most a hundred.")


class Tried(Frozen):
    """What an example would become."""

    accepted: int
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
        BadInput: there is no such platform, or the mapping cannot be used.
        MalformedBody: it is no JSON.
        InvalidRequest: there is nothing in it, or too much.
    """
    adapter = adapter_for(reader)
    network = adapter.network if network is None else network
    now = now_ms() if now is None else now
    body = read_body(example, of_platform=not (reader is None or reader.platform == OWN_PLATFORM))
    source = event_source(_SOURCE, network, reader)
    items = []
    for item in read_events(body, source, now):
        try:
            events = adapter.events(item.event)
        except Unusable:  # which read_events says
            events = []
        judged = read_events(events, EventSource(_SOURCE, network), now)
        items.append(
            TriedItem(
                index=item.index,
                status=_status(item),
                code=item.code,
                message=item.message,
                events=tuple(TriedEvent(event=_shown(one.event), code=one.code, message=one.message) for one in judged),
                unread=tuple(
                    Unread(thing=one.thing, place=one.place, message=_text(one.message))
                    for one in adapter.unread(item.event)
                ),
            )
        )
    statuses = [one.status for one in items]
    return Tried(
        accepted=statuses.count("accepted"),
        ignored=statuses.count("ignored"),
        rejected=statuses.count("rejected"),
        items=tuple(items),
    )


def _status(item: Item) -> Literal["accepted", "ignored", "rejected"]:
    if item.code is not None:
        return "rejected"
    return "ignored" if item.ignored else "accepted"


def _shown(value: Any, depth: int = 0) -> Any:
    """A value of JSON that can be written as JSON again, whatever it holds."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not -1e308 <= value <= 1e308:
        return str(value)
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {_text(name): _shown(one, depth + 1) for name, one in value.items()}
    return [_shown(one, depth + 1) for one in value] if isinstance(value, list) else value


def _text(text: str) -> str:
    """Half characters, which JSON can escape and UTF-8 cannot hold, as question marks."""
    return text.encode(errors="replace").decode()
