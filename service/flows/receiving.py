"""Taking deliveries in: signature, parsing, journal; and what can be asked about them afterwards."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import Field

from service.adapters import Adapter, Delivered
from service.domain import (
    Again,
    ApiKey,
    Delivery,
    DeliveryState,
    ErasureKeys,
    ErasureRequest,
    Follow,
    Frozen,
    JournalSize,
    KeyUse,
    NewDead,
    NewDelivery,
    Reader,
    SecretUse,
    Source,
)
from service.errors import DeliveryConflict, EntourageError, InvalidRequest, JournalError, KeyInvalid, SourceDisabled
from service.files.events import EventSource, Item, event_schemas, read_body, read_events
from service.flows.keys import digest_of
from service.flows.reading import adapter_for, event_source, reader_of
from service.flows.seals import Sealer
from service.flows.trying import TriedItem, try_example
from service.journal.committer import Committer
from service.journal.journal import Journal, now_ms
from service.records import ACCOUNT_FIELDS
from service.store.erasures import id_of
from service.store.sources import not_found

T = TypeVar("T")

_ERASURE_FIELD = ACCOUNT_FIELDS.index("erasure_asked_at")

KEY_USE_MS = 60_000
"""How exactly it is known when an API key was last used."""

REFRESH_SECONDS = 0.25
"""How old what is known of the journal may be: sources, keys, and up to where it is applied."""

__all__ = ["Committer", "Deliveries", "Received", "Receiver", "event_schemas"]


class Answer(NamedTuple):
    """What is answered to a delivery: JSON, but to a `challenge` the text that the platform wants to hear."""

    body: bytes
    status: int
    challenge: bool = False


class ItemResult(Frozen):
    """What became of one event of a delivery when it came; `code` and `message` say why it was rejected.

    Of a platform's deliveries, `ignored` is what its adapter does not read, and what says nothing.
    """

    index: int
    status: Literal["accepted", "ignored", "rejected"]
    code: str | None = None
    message: str | None = None


class Received(Frozen):
    """The answer to a delivery: it is on disk, and will be in the graph.

    The delivery is in the graph when `applied_up_to` of later answers, or of /health/ready, has reached `sequence`.
    """

    delivery: str = Field(description="Its id.")
    sequence: int
    url: str = Field(description="Where to ask what became of it.")
    accepted: int
    ignored: int
    rejected: int
    items: tuple[ItemResult, ...]


class Checked(Frozen):
    """The answer to a test: what would have become of a delivery. Nothing was kept."""

    source: str
    signed_with: str = Field(description="Id of the secret with which it was signed.")
    accepted: int
    challenges: int
    ignored: int
    rejected: int
    items: tuple[TriedItem, ...]


class Replayed(Frozen):
    """Dead letters that were journaled again, each delivery's as a delivery of its own."""

    deliveries: tuple[str, ...]
    events: int
    sequence: int | None = Field(description="That of the last of them; null where there was nothing to replay.")


class Deliveries:
    """What the service knows of its journal, kept a fraction of a second old by a thread.

    Calls that read the journal block for the time of a disk access.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._documents: dict[str, str] = {}
        self.sources: dict[str, Source] = {}
        self._key_documents: dict[str, str] = {}
        self._keys: dict[str, ApiKey] = {}
        self._used: deque[KeyUse] = deque()
        self._noted: dict[str, int] = {}
        self.erasing: tuple[ErasureRequest, ...] = ()
        self.applied_up_to: int | None = None
        self._failed: JournalError | None = None
        self._ended = threading.Event()
        self.refresh()
        self._thread = threading.Thread(target=self._watch, name="journal-reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()
        self._note_uses()
        with self._lock:
            if self._journal is not None:
                self._journal.close()

    def refresh(self) -> None:
        """Read again who may push or ask, who is to be erased, and up to where the journal is applied.

        An error is kept for who asks.
        """
        try:
            self.applied_up_to, documents, keys, erasing = self.ask(
                lambda journal: (journal.applied_up_to(), journal.sources(), journal.keys(), journal.erasures())
            )
            self.erasing = tuple(erasing)
            self._failed = None
        except JournalError as error:
            self.applied_up_to, self._failed = None, error
            return
        if documents != self._documents:
            self.sources = {name: Source.model_validate_json(document) for name, document in documents.items()}
            self._documents = documents
        if keys != self._key_documents:
            known = map(ApiKey.model_validate_json, keys.values())
            self._keys = {key.sha256: key for key in known if key.revoked_at is None}
            self._key_documents = keys

    def key(self, given: str) -> ApiKey:
        """Return the API key that somebody gave, and note its use. What was known before the journal failed is enough.

        Raises:
            KeyInvalid: it is not known, or was revoked.
            JournalError: the journal cannot be used, and no key is known from before.
        """
        key = self._keys.get(digest_of(given))
        if key is None:
            if self._failed is not None and not self._keys:
                raise self._failed
            raise KeyInvalid(
                "This API key is not known, or was revoked; `entourage keys list` lists those that there are."
            )
        now = now_ms()
        if now - self._noted.get(key.id, 0) > KEY_USE_MS:
            self._noted[key.id] = now
            self._used.append(KeyUse(key.id, now))
        return key

    def source(self, name: str) -> Source:
        """Return a source that may push.

        Raises:
            SourceNotFound: there is none of this name.
            SourceDisabled: it may not push any more.
            JournalError: the journal cannot be used.
        """
        if self._failed is not None:
            raise self._failed
        source = self.sources.get(name)
        if source is None:
            raise not_found(name)
        if source.disabled:
            raise SourceDisabled(f"The source {name} is disabled; `entourage sources enable {name}` undoes that.")
        return source

    def size(self) -> JournalSize:
        """Return how much is journaled. Raises JournalError."""
        return self.ask(lambda journal: journal.size())

    def get(self, delivery_id: str) -> Delivery:
        """Return a delivery. Raises DeliveryNotFound, JournalError."""
        return self.ask(lambda journal: journal.delivery(delivery_id))

    def list(
        self, state: DeliveryState | None, source: str | None, before: int | None, limit: int, *, dead_letters: bool
    ) -> list[Delivery]:
        """Return deliveries, latest first; with `dead_letters` those that have open ones. Raises JournalError."""
        return self.ask(
            lambda journal: journal.deliveries(state, source, before, limit, with_dead_letters=dead_letters)
        )

    def replay(self, delivery_id: str) -> Replayed:
        """Journal the dead letters of a delivery again. Raises DeliveryNotFound, JournalError."""
        return self.ask(lambda journal: _replayed(replay(journal, [delivery_id])))

    def replay_range(self, since: int, until: int, source: str | None) -> Replayed:
        """Journal the dead letters of deliveries again that came in a time range (ms since 1970 UTC, end excluded)."""
        return self.ask(lambda journal: _replayed(replay(journal, journal.dead_deliveries(since, until, source))))

    def ask_erasure(self, request: ErasureRequest) -> None:
        """Note that somebody is to be erased: hidden from now on, also after a crash. Raises JournalError."""
        self.ask(lambda journal: journal.ask_erasure(request))
        self.refresh()

    def ask(self, question: Callable[[Journal], T]) -> T:
        """Ask the journal something. Raises JournalError."""
        with self._lock:
            try:
                if self._journal is None:
                    self._journal = Journal(self._folder)
                return question(self._journal)
            except JournalError:
                if self._journal is not None:
                    self._journal.close()
                self._journal = None
                raise

    def _watch(self) -> None:
        while not self._ended.wait(REFRESH_SECONDS):
            self.refresh()
            self._note_uses()

    def _note_uses(self) -> None:
        used = [self._used.popleft() for _ in range(len(self._used))]
        if used:
            # That a use is not known is no reason to fail; the journal's state is known from `refresh`.
            with suppress(JournalError):
                self.ask(lambda journal: journal.note_used_keys(used))


def replay(journal: Journal, delivery_ids: Iterable[str]) -> list[Again]:
    """Journal the dead letters of deliveries again, each one's as a delivery of its own, read as its source is now.

    Of deliveries without dead letters that are left nothing is returned.

    Raises:
        DeliveryNotFound: there is no such delivery.
        JournalError: the journal cannot be used.
    """
    sources = {name: Source.model_validate_json(document) for name, document in journal.sources().items()}
    readers = {name: reader_of(source) for name, source in sources.items()}
    return [again for one in delivery_ids if (again := journal.replay(one, readers)) is not None]


def _replayed(done: list[Again]) -> Replayed:
    return Replayed(
        deliveries=tuple(again.id for again in done),
        events=sum(again.events for again in done),
        sequence=done[-1].sequence if done else None,
    )


class Receiver:
    """Takes deliveries in: what it returned for is on disk."""

    def __init__(
        self, deliveries: Deliveries, committer: Committer, sealer: Sealer, erasure_keys: ErasureKeys | None = None
    ) -> None:
        self._erasure_keys = erasure_keys
        self._deliveries = deliveries
        self._committer = committer
        self._sealer = sealer
        self._opened: dict[str, str] = {}
        self._latest: dict[str, int] = {}

    async def receive(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Verify, parse and journal a delivery; return the answer as JSON (`Received`): the same for the same.

        Where the platform only asks who we are, nothing is journaled, and the answer is what it wants to hear.

        Raises:
            SourceNotFound, SourceDisabled, SignatureInvalid: it is not to be taken in.
            MalformedBody: it is no JSON.
            InvalidRequest: there is nothing in it; of events of ours, too: none can be used.
            DeliveryConflict: its id came with another body before.
            JournalError: it cannot be journaled now.
        """
        source, adapter, delivered = await self._verified(name, headers, body)
        if delivered.answer is not None:
            return Answer(delivered.answer.encode(), 200, challenge=True)
        reader = reader_of(source)
        sender = event_source(name, source.network, reader)
        now = self._moment(name)
        events = read_body(body, of_platform=reader is not None)
        items = await _items(reader, events, sender, now)
        self._note_latest(name, items, now)
        new = NewDelivery(
            # By another mapping what is sent again is read anew.
            id=delivery_id(name, delivered.id if source.mapping is None else f"{delivered.id}\n{source.mapping}"),
            source=name,
            network=source.network,
            webhook_id=delivered.id,
            digest=hashlib.sha256(body if delivered.same_body else delivered.id.encode()).digest(),
            received_at=now,
            events=sum(_weight(item) for item in items),
            body=body,
            reader=reader,
            dead=dead_items(items),
            erasures=self._erasures(items),
        )
        if not new.events and not adapter.keeps_unusable:
            raise InvalidRequest(_nothing(items), items=_verdicts(items)["items"])
        receipt = await self._committer.append(new, SecretUse(name, delivered.secret, now))
        if not receipt.same_body:
            raise DeliveryConflict(
                f"The webhook-id {delivered.id} came with another body before; use an id of its own for each delivery."
            )
        if new.erasures:
            await asyncio.to_thread(self._deliveries.refresh)  # hidden before the answer
        if receipt.received_at != now:
            items = await _items(reader, events, sender, receipt.received_at)
        document = {
            "delivery": new.id,
            "sequence": receipt.sequence,
            "url": f"/v1/deliveries/{new.id}",
            **_verdicts(items),
        }
        return Answer(json.dumps(document, separators=(",", ":")).encode(), adapter.answered)

    def _moment(self, name: str) -> int:
        """The time of a delivery, in milliseconds since 1970 UTC: later than those before of the same source.

        Of two deliveries without times of their own the one that came later stands.
        """
        self._latest[name] = max(now_ms(), self._latest.get(name, 0) + 1)
        return self._latest[name]

    def _note_latest(self, name: str, items: list[Item], received_at: int) -> None:
        """Let what comes next be later than the events of these that have no time: of several each has its own."""
        times = (one.at or 0 for item in items for one in item.said)
        soon = (at for at in times if received_at < at <= received_at + 1_000)
        self._latest[name] = max(self._latest[name], *soon, received_at)

    def _erasures(self, items: list[Item]) -> tuple[ErasureRequest, ...]:
        """Who asks to be erased in these events."""
        asked = {
            str(one.identity[0]): one.at
            for item in items
            for one in item.said
            if not isinstance(one, Follow) and one.thing == "accounts" and one.values[_ERASURE_FIELD] is not None
        }
        if not asked or self._erasure_keys is None:
            return ()
        return tuple(ErasureRequest(id_of(self._erasure_keys, key), key, None, at) for key, at in asked.items())

    async def check(self, name: str, headers: Mapping[str, str], body: bytes) -> Checked:
        """Say what would become of a delivery; nothing is kept. Raises what `receive` raises but for the journal's."""
        source, _, delivered = await self._verified(name, headers, body)
        tried = await asyncio.to_thread(try_example, reader_of(source), source.network, body)
        return Checked(source=name, signed_with=delivered.secret, **dict(tried))

    async def challenged(self, name: str, query: Mapping[str, str]) -> dict[str, str]:
        """Answer a platform that asks by GET whether we know the secret of a source.

        Raises:
            SourceNotFound, SourceDisabled: it is not to be answered.
            NotFound: its platform asks nothing by GET.
            BadInput: the question cannot be answered.
        """
        source = await self._source(name)
        return adapter_for(reader_of(source)).challenged(query, self._secrets(source))

    async def _verified(self, name: str, headers: Mapping[str, str], body: bytes) -> tuple[Source, Adapter, Delivered]:
        source = await self._source(name)
        adapter, secrets = adapter_for(reader_of(source)), self._secrets(source)
        if source.mapping is None:
            return source, adapter, adapter.delivered(headers, body, secrets, time.time())
        return source, adapter, await asyncio.to_thread(adapter.delivered, headers, body, secrets, time.time())

    async def _source(self, name: str) -> Source:
        try:
            return self._deliveries.source(name)
        except EntourageError:
            await asyncio.to_thread(self._deliveries.refresh)  # it may have been made this very moment
            return self._deliveries.source(name)

    def _secrets(self, source: Source) -> dict[str, str]:
        """Live secrets of a source by id; opened once."""
        for one in source.secrets:
            if one.sealed not in self._opened:
                self._opened[one.sealed] = self._sealer.opened(one.sealed)
        return {one.id: self._opened[one.sealed] for one in source.secrets}


async def _items(reader: Reader | None, events: list[Any], sender: EventSource, received_at: int) -> list[Item]:
    """Read events; by a mapping in a thread, because that may take long if somebody means harm."""
    if reader is None or reader.mapping is None:
        return read_events(events, sender, received_at)
    return await asyncio.to_thread(read_events, events, sender, received_at)


def delivery_id(source: str, webhook_id: str) -> str:
    """Return the id of a delivery: the same for the same source and webhook-id."""
    digest = hashlib.blake2b(f"{source}\n{webhook_id}".encode(), digest_size=15).digest()
    return "d" + base64.b32encode(digest).decode().lower()


def _weight(item: Item) -> int:
    """How many events an item is that can be used: what a platform sends may be several at once."""
    return 0 if item.code is not None or item.ignored else max(1, item.events)


def dead_items(items: list[Item]) -> tuple[NewDead, ...]:
    """Return the events that cannot be used, as dead letters."""
    return tuple(
        NewDead(item.index, item.code, item.message or "", json.dumps(item.event))
        for item in items
        if item.code is not None
    )


def _verdicts(items: list[Item]) -> dict[str, Any]:
    """Members of an answer: how many events can be used, and of each whether it can, as plain values.

    Not as models: a model an event takes ten times as long.
    """
    rejected = sum(item.code is not None for item in items)
    ignored = sum(item.ignored for item in items)
    return {
        "accepted": len(items) - rejected - ignored,
        "ignored": ignored,
        "rejected": rejected,
        "items": [
            {
                "index": item.index,
                "status": item.status,
                "code": item.code,
                "message": item.message,
            }
            for item in items
        ],
    }


def _nothing(items: list[Item]) -> str:
    first = items[0]
    if len(items) == 1:
        return f"The event cannot be used: {first.message} ({first.code})"
    return f"None of the {len(items)} events can be used; the first: {first.message} ({first.code})"
