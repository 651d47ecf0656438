"""Access requests: everything that is known about one account, as one JSON document that is written as it is read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from service.domain import Progress, StoreAddress
from service.errors import ConfigurationError
from service.files.events import read_body
from service.files.exports import Line, follow_lines, said_lines, split_opt_outs, time_text
from service.files.json_stream import json_forms, json_pieces, places_of
from service.files.tables import shown
from service.files.values import folded_handle
from service.journal.journal import FILE, Journal
from service.records import THINGS
from service.store.access import (
    HeldAccount,
    read_documents,
    read_files,
    read_held_account,
    read_lines,
    read_measured,
    read_memberships,
    read_most_followed,
    read_own_brands,
    read_published_runs,
    read_scored,
    read_things,
    read_ties,
    read_version,
)
from service.store.driver import Store

BODIES_EVENTS = 1_000
BODIES_BYTES = 4 << 20


def account_data(address: StoreAddress, key: str, journal: Path | None) -> Iterator[bytes]:
    """Return everything that is known about an account, as pieces of a JSON document.

    It is read while it is taken, in bounded memory, also of an account with millions of followers; changes that are
    made meanwhile may be in it or not (`changed_meanwhile` says whether there were any). Its last member, `complete`,
    is there only where all before it is.

    Args:
        address: the graph.
        key: the account's key.
        journal: folder of the journal of this machine; None, or one without a journal: `journal` is null.

    Raises:
        AccountNotFound: the graph holds no such account; raised at once, before the first piece is asked for.
        StoreError: Neo4j does not answer; while it is read, too, and then what came is no JSON.
        JournalError: the journal cannot be read; likewise.
    """
    with Store(address) as store:
        held = read_held_account(store, key)
        version = read_version(store)
    return _pieces(address, key, held, version, journal)


def write_account_data(address: StoreAddress, key: str, out: Path, journal: Path | None, progress: Progress) -> int:
    """Write what `account_data` returns into a file that only its owner can read, and that appears when it is whole.

    Args:
        address, key, journal: as of `account_data`.
        out: the file; one that is there is replaced.
        progress: told of stage `account-data`, in bytes.

    Returns:
        Its length in bytes.

    Raises:
        ConfigurationError: it cannot be written.
        AccountNotFound, StoreError, JournalError: as of `account_data`; then there is no file.
    """
    pieces = account_data(address, key, journal)
    partial = out.absolute().with_name(f"{out.name}.partial-{time.time_ns():x}")
    written = 0
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in pieces:
                file.write(piece)
                written += len(piece)
                progress("account-data", written, None)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(out.absolute())
    except OSError as error:
        raise ConfigurationError(
            f"The data cannot be written to {out}: {error.strerror}; choose a file in a folder that you may write to."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    progress("account-data", written, written)
    return written


def _pieces(address: StoreAddress, key: str, held: HeldAccount, version: int, journal: Path | None) -> Iterator[bytes]:
    with Store(address) as store:
        yield from json_pieces(_document(store, key, held, version, journal))


def _document(store: Store, key: str, held: HeldAccount, version: int, journal: Path | None) -> dict[str, Any]:
    """The document; its iterators read when they are asked for the first item, in its order."""

    def ties(what: str) -> Iterator[Line]:
        return map(shown, follow_lines(read_ties(store, what, key)))

    def things(thing: str, what: str) -> Iterator[Line]:
        return (
            shown(line)
            for identity, state in read_things(store, thing, what, key)
            for line in said_lines(thing, identity, state)
        )

    said = [*split_opt_outs(said_lines("accounts", (key,), held.said))]
    complete = [] if held.complete_at is None else [{"account": key, "at": time_text(held.complete_at)}]
    return {
        "entourage_account_data": 1,
        "account": key,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "graph_version": version,
        "accounts": [shown(line) for kind, line in said if kind == "accounts"],
        "opt_outs": [shown(line) for kind, line in said if kind == "opt_outs"],
        "complete_followers": complete,
        "stored": held.stored,
        "follows": {"out": ties("follows_out"), "in": ties("follows_in")},
        "unfollows": {"out": ties("unfollows_out"), "in": ties("unfollows_in")},
        "follow_records": ties("follow_records"),
        "interaction_counts": {
            "out": things("engagements", "engagements_out"), "in": things("engagements", "engagements_in")
        },
        "posts": things("posts", "posts"),
        "mentions": things("mentions", "mentions"),
        "responses": {
            "given": things("responses", "responses_given"), "received": things("responses", "responses_received")
        },
        "brand_relations": things("relations", "relations"),
        "own_account_of": read_own_brands(store, key),
        "endorsements": {
            "given": things("endorsements", "endorsements_given"),
            "received": things("endorsements", "endorsements_received"),
        },
        "persons": things("persons", "persons"),
        "memberships": read_memberships(store, key),
        "scored": read_scored(store, key),
        "measured": read_measured(store, key),
        "most_followed": read_most_followed(store, key),
        "named_in": _named_in(store, key),
        "published": _published(store, key),
        "journal": None if journal is None or not (journal / FILE).exists() else {
            "pending": _pending(journal, _Names.of(key, held)),
            "dead_letters": _dead_letters(journal, _Names.of(key, held)),
        },
        "changed_meanwhile": lambda: read_version(store) != version,
        "complete": True,
    }  # fmt: skip


# --- where JSON names it --------------------------------------------------------------------------------------


def _named_in(store: Store, key: str) -> Iterator[Line]:
    """Definitions of communities, runs and schedules that name the account, and where in them."""
    for kind, id_, name, document in read_documents(store, json_forms(key)):
        places = places_of(json.loads(document), lambda text: text == key)
        if places:
            yield {"in": kind, "id": id_, "property": name, "places": places}


def _published(store: Store, key: str) -> Iterator[Line]:
    """What kept runs published about the account: whole documents that are about it, of others where they name it."""
    forms = [form.encode(errors="surrogatepass") for form in json_forms(key)]
    for run in read_published_runs(store):
        for part, _, content in read_files(store, run):
            if not any(form in content for form in forms):
                continue
            for line in content.split(b"\n"):
                if any(form in line for form in forms):
                    yield from _of_line(store, run, part, json.loads(line), key)


def _of_line(store: Store, run: str, part: str, document: Any, key: str) -> Iterator[Line]:
    if not isinstance(document, dict) or document.get("key") != key:
        places = places_of(document, lambda text: text == key)
        if places:
            named = {name: document[name] for name in ("id", "key", "label") if name in document}
            yield {"run": run, "part": part, "about_it": False, "document_of": named, "places": places}
        return
    yield {"run": run, "part": part, "about_it": True, "document": document}
    kind, _, community = part.partition("/")
    if kind == "candidates":
        # What a candidate says stands in a line that names nobody: by rank, after a first one and those of words.
        words = read_lines(store, run, f"words/{community}")
        place = json.loads(words[0])["words"] + document["rank"] if words else 0
        for said in words[place : place + 1]:
            yield {"run": run, "part": f"words/{community}", "about_it": True, "document": json.loads(said)}


# --- the journal ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Names:
    """What events call an account: its key; its id or handle, where its network is meant; its e-mail address."""

    key: str
    network: str
    own: frozenset[str]
    email_sha256: str | None

    @classmethod
    def of(cls, key: str, held: HeldAccount) -> _Names:
        network, _, native_id = key.partition(":")
        fields = dict(zip(THINGS["accounts"].fields, held.said.values, strict=True))
        handle = fields["handle"]
        own = {folded_handle(native_id)} | ({folded_handle(handle)} if isinstance(handle, str) else set())
        email = fields["email_sha256"]
        return cls(key, network, frozenset(own), email if isinstance(email, str) else None)

    def in_event(self, event: Any, network: str | None) -> bool:
        """Whether an event names the account; what it names lives in `network` unless the event says otherwise."""
        data = event.get("data") if isinstance(event, dict) else None
        said = data.get("network") if isinstance(data, dict) else None
        here = (said if isinstance(said, str) else network) == self.network

        def names_it(text: str) -> bool:
            if text == self.key or (here and folded_handle(text.strip().lstrip("@")) in self.own):
                return True
            if self.email_sha256 is None:
                return False
            folded = text.strip().lower()
            return self.email_sha256 in (folded, sha256(folded.encode(errors="surrogatepass")).hexdigest())

        return bool(places_of(event, names_it, numbers=True))


def _pending(folder: Path, names: _Names) -> Iterator[Line]:
    """Events that name the account and wait for the graph."""
    after = 0
    with Journal(folder) as journal:
        while deliveries := journal.pending(BODIES_EVENTS, BODIES_BYTES, after):
            for one in deliveries:
                after = one.sequence
                for event in read_body(one.body, of_platform=one.reader is not None):
                    if names.in_event(event, one.network):
                        yield {"source": one.source, "received_at": time_text(one.received_at), "event": event}


def _dead_letters(folder: Path, names: _Names) -> Iterator[Line]:
    """Events that name the account and could not be used."""
    with Journal(folder) as journal:
        for delivery, source, network, received_at, item in journal.dead_letters():
            event = json.loads(item.event)
            if names.in_event(event, network):
                yield {
                    "delivery": delivery, "source": source, "received_at": time_text(received_at),
                    "index": item.position, "code": item.code, "message": item.message, "event": event,
                    "replayed_in": item.replayed_in,
                }  # fmt: skip
