"""How deliveries of a source are read: by the adapter of its platform, as events of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from service.adapters import Adapter, Event, Kind, Unusable, adapter_of, adapters
from service.adapters.mapped import document_of
from service.domain import OWN_PLATFORM, Reader, Source
from service.errors import BadInput
from service.files.events import EVENTS, EventKind, EventSource
from service.files.schemas import TIME
from service.files.values import YEAR_10000_MS, BadLine, is_network

log = logging.getLogger(__name__)

ADAPTERS_KEPT = 64
"""Adapters that were made of a mapping and are kept made."""


def reader_of(source: Source) -> Reader | None:
    """Return by what a source's deliveries are read; None for events of ours."""
    return None if source.platform == OWN_PLATFORM else Reader(source.platform, source.mapping)


def platforms() -> list[Adapter]:
    """Return the adapters of all platforms but our own, by name."""
    return [adapter for name, adapter in adapters().items() if name != OWN_PLATFORM]


@lru_cache(ADAPTERS_KEPT)
def adapter_for(reader: Reader | None) -> Adapter:
    """Return the adapter by which deliveries are read.

    Raises:
        BadInput: there is none of this name, or the mapping is none.
    """
    adapter = adapter_of(OWN_PLATFORM if reader is None else reader.platform)
    return adapter if reader is None else adapter.by(reader.mapping, KINDS)


def check_network(network: str | None) -> None:
    """Raise BadInput where accounts of a source cannot live in a network of this name."""
    if network is not None and not is_network(network):
        raise BadInput("The network is not 1 to 64 of the characters a-z, 0-9, _, . and -.")


def event_source(name: str, network: str | None, reader: Reader | None) -> EventSource:
    """Return what is known of all events of a source, with how they are read.

    Args:
        name: of the source.
        network: where its accounts live that do not say so; None: ids are whole keys, `network:id`.
        reader: by what it is read.
    """
    if reader is None:
        return EventSource(name, network)
    return EventSource(name, network, translation(reader), None if reader.mapping is None else explanation(reader))


def explanation(reader: Reader) -> Callable[[Any], str]:
    """Return how it is said which path of a mapping found nothing in something of which the events cannot be used."""

    def explain(item: Any) -> str:
        try:
            notes = adapter_for(reader).unread(item)
        except BadInput:
            return ""
        return next((f"{one.place}: {one.message}" for one in notes if ".data." in one.place), "")

    return explain


def translation(reader: Reader) -> Callable[[Any], list[Event]]:
    """Return how a platform's deliveries become events, such that what cannot be used ends as events do that cannot."""

    def translate(item: Any) -> list[Event]:
        try:
            return adapter_for(reader).events(item)
        except Unusable as error:
            raise BadLine(error.code, error.message) from None
        except BadInput as error:  # what was journaled by another version must not stop the rest
            raise BadLine("unknown_platform", error.message) from None
        except Exception:  # nor what somebody sent of which an adapter did not think: it is kept, with the reason
            log.exception("The adapter of %s failed; what it failed on is a dead letter.", reader.platform)
            raise BadLine(
                "adapter_failed", f"The adapter of {reader.platform} failed on this; the service's log says how."
            ) from None

    return translate


def mapping_of(content: bytes, name: str) -> str:
    """Return the mapping in a file, TOML or JSON, as it is kept: as JSON.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        BadInput: it cannot be used; each wrong place is named.
    """
    return document_of(content, name, KINDS)


def _kind(kind: EventKind) -> Kind:
    schema = kind.schema

    def wrong(name: str, value: Any) -> str | None:
        """What is wrong with a value that every event will have; whether a time is over is seen when one comes."""
        if isinstance(value, str) and not value.strip():
            return f"The {name} is empty, which says nothing."
        try:
            schema.fields[name].parse(value, name, YEAR_10000_MS)
        except BadLine as bad:
            return bad.message
        return None

    return Kind(
        fields=tuple(schema.fields),
        required=frozenset(schema.required),
        lists=frozenset(name for name, field in schema.fields.items() if "array" in field.schema.get("type", ())),
        times=frozenset(name for name, field in schema.fields.items() if field.schema == TIME),
        alternatives=kind.alternatives,
        wrong=wrong,
    )


KINDS = {name: _kind(kind) for name, kind in EVENTS.items()}
"""Kinds of events as mappings know them."""
