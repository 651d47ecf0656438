"""What platforms send, read as events of ours: one small module a platform, found by being here.

A module of this package whose `ADAPTER` is an `Adapter` is a platform that `entourage sources add --platform` knows;
nothing else has to be changed to add one. Adapters do no I/O: a delivery in, events of ours out, the same for the same.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field

from service.adapters.standard_webhooks import verified
from service.domain import Frozen
from service.errors import BadInput, NotFound

Event = dict[str, Any]
"""An event of ours, as `GET /v1/event-schemas` describes it: `{"type": ..., "timestamp": ..., "data": {...}}`.

An `account.upserted` that comes with others of one item is left out where it cannot be used, and does not cost them.
"""


class Unusable(Exception):
    """Something a platform sent cannot be used: with a stable code, and a sentence that says why.

    It never leaves the flow that reads deliveries: what cannot be used becomes a dead letter.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Delivered:
    """A delivery of which it is certain who sent it.

    Attributes:
        id: which delivery it is, the same for each attempt to send it: 1 to 255 printable ASCII characters.
        secret: id of the secret with which it was signed.
        answer: what the platform wants to be answered at once, where it asks who we are and delivers nothing.
        same_body: whether each attempt has the same body: another one under the same id is then a conflict. Otherwise
            the first one stands.
    """

    id: str
    secret: str
    answer: str | None = None
    same_body: bool = True


@dataclass(frozen=True)
class Kind:
    """A kind of events of ours, as far as a mapping has to know it.

    Attributes:
        fields: names of all fields of its data.
        required: those without which there is no such event.
        lists: those that take several values.
        times: those that take a time.
        alternatives: fields of which one group at least has to be there besides.
        wrong: says what is wrong with a value for a field, in a sentence; None where it can be used.
    """

    fields: tuple[str, ...]
    required: frozenset[str]
    lists: frozenset[str]
    times: frozenset[str]
    alternatives: tuple[frozenset[str], ...]
    wrong: Callable[[str, Any], str | None]


class Unread(Frozen):
    """Why something in what a platform sent was not read, for people who try an example."""

    thing: int = Field(description="Which of the things found in the item, from 1.")
    place: str = Field(description="Place in the mapping, such as events.1.where; entries are counted from 1.")
    message: str


class Adapter(ABC):
    """How a platform sends what happens there.

    Attributes:
        name: what it is called, in `--platform`.
        about: what it reads, in a sentence.
        network: where its accounts live, unless the source says otherwise; None: ids are whole keys, `network:id`.
        gives_secret: whether the platform gives the secret, rather than taking the one that is drawn here.
        signs_itself: whether it signs in a way of its own, with any text for a secret.
        asks: parameters of the GET by which it asks whether we know the secret.
        keeps_unusable: whether a delivery is taken in of which nothing can be used: a platform does not mend what it
            sends, and stops sending where it is refused. All of it becomes dead letters.
        answered: the HTTP status that says that a delivery is taken in, of those that begin with 2.
    """

    name: str
    about: str
    network: str | None = None
    gives_secret: bool = False
    signs_itself: bool = False
    asks: tuple[str, ...] = ()
    keeps_unusable: bool = True
    answered: int = 202

    def delivered(self, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float) -> Delivered:
        """Find out who sent a delivery. As it is here, deliveries are signed as Standard Webhooks says.

        Args:
            headers: by name in lower case.
            body: as it was sent.
            secrets: live secrets of the source by id, the latest first.
            now: the time, in seconds since 1970 UTC.

        Raises:
            SignatureInvalid: it is not certain that the platform sent this, now.
        """
        webhook_id, secret = verified(headers, body, secrets, now)
        return Delivered(webhook_id, secret)

    def challenged(self, query: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002
        """Answer a GET by which the platform finds out whether we know the secret, as a JSON object.

        Raises:
            NotFound: it asks nothing by GET.
            BadInput: the question cannot be answered.
        """
        raise NotFound(f"Nothing can be read here; sources of the platform {self.name} send deliveries by POST.")

    def by(self, mapping: str | None, kinds: Mapping[str, Kind]) -> Adapter:  # noqa: ARG002
        """Return the adapter that reads by a mapping; itself where its platform needs none.

        Args:
            mapping: as JSON; None: there is none.
            kinds: the kinds of events of ours.

        Raises:
            BadInput: the mapping cannot be used, each wrong place being named; or there is one and none is needed.
        """
        if mapping is not None:
            raise BadInput(f"Sources of the platform {self.name} are read without a mapping; leave it out.")
        return self

    @abstractmethod
    def events(self, item: Any) -> list[Event]:
        """Read one thing that the platform sent as events of ours; none where it says nothing that is read.

        Args:
            item: a value of JSON: the body, or one of those in its array. Numbers of any size keep every digit.

        Raises:
            Unusable: it should say something that is read, but cannot be.
        """

    def asked(self, body: bytes) -> str | None:  # noqa: ARG002
        """Return what a body asks to hear, where by it a platform only finds out whether we are there, and says so."""
        return None

    def unread(self, item: Any) -> list[Unread]:  # noqa: ARG002
        """Say what of an item is not read, and why, where that depends on a mapping."""
        return []


@cache
def adapters() -> dict[str, Adapter]:
    """Return the adapter of each platform, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        adapter = getattr(importlib.import_module(f"{__name__}.{module.name}"), "ADAPTER", None)
        if isinstance(adapter, Adapter):
            found[adapter.name] = adapter
    return dict(sorted(found.items()))


def adapter_of(platform: str) -> Adapter:
    """Return the adapter of a platform.

    Raises:
        BadInput: there is none.
    """
    adapter = adapters().get(platform)
    if adapter is None:
        raise BadInput(f"There is no platform {platform[:80]!r}; there are {', '.join(adapters())}.")
    return adapter


# --- what adapters read by ------------------------------------------------------------------------------------------


def member(of: Any, *names: str) -> Any:
    """Return a member of objects in objects, such as `member(body, "event", "user_id")`; None where it is not there."""
    for name in names:
        if not isinstance(of, dict):
            return None
        of = of.get(name)
    return of


def needed(of: Any, *names: str) -> Any:
    """Return a member that has to be there and say something.

    Raises:
        Unusable: it is not there, null or empty.
    """
    value = member(of, *names)
    if value is None or value == "":
        raise Unusable("missing_field", f"There is no {'.'.join(names)}.")
    return value
