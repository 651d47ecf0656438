"""Erasing accounts: hidden at once, then removed bit by bit from all that is kept; nothing late brings them back.

The wish is on disk before it is answered: in the journal of the machine that took it (a request, an event), or in the
graph (an import). The machine's writer carries it out, a transaction at a time, and applies deliveries in between. What
was done is seen from the graph and the disk alone, so whoever begins again after a crash goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from service.domain import Erasure, ErasureRequest, HiddenAccount, StoreAddress
from service.errors import JournalError, StoreUnavailable
from service.files.rejects import clean_reports
from service.files.snapshots import forget_before
from service.flows.masking import ERASED_MARK, Mask
from service.flows.receiving import Deliveries
from service.journal.imports import FOLDER as IMPORTS
from service.journal.imports import Imports
from service.journal.journal import Journal, now_ms
from service.records import ACCOUNT_FIELDS, Statement, mention_of, without_mentions
from service.store.changes import apply_batch
from service.store.driver import AsyncStore, Store
from service.store.erasures import (
    Pending,
    asked_in_graph,
    begin,
    clean_documents,
    clean_files,
    clean_texts,
    count_removed,
    erased_version,
    erasure_of,
    finish,
    id_of,
    interrupt_runs,
    machine_cleaned,
    machine_seen,
    not_found,
    pending,
    posts_of,
    read_account_to_erase,
    read_erasure,
    read_erasures,
    remove_account,
    remove_some_posts,
    remove_some_ties,
)
from service.store.published import no_account

DEAD_AT_ONCE = 500
SEEN_SECONDS = 60.0
"""How often a machine says that its journal is in use."""

AGAIN_SECONDS = 60.0
"""So long after an erasure kept graphs are looked for again: an analysis that was ended may have been keeping one."""

NAMING = frozenset(
    {"account", "accounts", "target", "follower", "followee", "followers", "endorsed", "handle", "author", "user", "id"}
)
"""Members of events that name accounts."""

LONG_ID = 12
"""Ids of so many characters, such as addresses, are looked for within texts of platforms, too."""

_WORDS = re.compile(r"""[\s,;|"'{}\[\]()<>@\\]+""")
"""What separates words in a line of a file, whatever its format."""

log = logging.getLogger(__name__)


class Places(NamedTuple):
    """Where a machine keeps more than its journal: `graphs` between analyses, `reports` of rejected lines."""

    graphs: Path
    reports: Path


class Eraser:
    """Carries out erasures for the machine of one journal, step by step."""

    def __init__(self, store: Store, journal: Journal, places: Places) -> None:
        self._store = store
        self._journal = journal
        self._places = places
        self._imports = Imports(journal)
        self._steps: Iterator[None] | None = None
        self.waits_for: str | None = None
        self._seen = self._again_at = float("-inf")
        self._begun: set[str] = set()
        self._erased_v: int | None = None
        self._forget_until = 0.0

    @property
    def busy(self) -> bool:
        """Whether an erasure is being carried out."""
        return self._steps is not None

    def look(self) -> None:
        """See whether somebody is to be erased, here or on another machine. Cheap where nobody is."""
        now = time.monotonic()
        if now - self._seen > SEEN_SECONDS:
            machine_seen(self._store, self._journal.id)
            self._seen = now
        self._forget_graphs()
        if now < self._again_at:
            return
        asked = self._journal.erasures()
        for request in asked:
            if request.id not in self._begun:  # also while another one waits for something
                begin(self._store, request)
                self._begun.add(request.id)
        if self._steps is None:
            if not asked and self._store.address.erasure_keys is not None:
                asked = asked_in_graph(self._store)
            under_way = pending(self._store)
            for one in under_way:
                if self._journal.id in one.machines:
                    self._finish(one)
            if asked or any(self._journal.id not in one.machines for one in under_way):
                self._steps = self._carry_out(asked)

    def step(self) -> bool:
        """Do one step of what is under way, if anything is; False where it waits for something (`waits_for`).

        Raises:
            StoreError: Neo4j is away; it goes on from there later.
        """
        if self._steps is None:
            return False
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except (JournalError, OSError) as error:
            # Whatever it is, deliveries are not to wait for it.
            log.error("An erasure could not go on, and is tried again in a minute: %s", error)
            self._steps, self.waits_for, self._again_at = None, None, time.monotonic() + AGAIN_SECONDS
            return False
        except BaseException:
            self._steps, self.waits_for = None, None  # begun anew by the next look: what is done is not done again
            raise
        return self.waits_for is None

    def _finish(self, one: Pending) -> None:
        """End an erasure, unless another machine may still have something of it on disk."""
        receipt = erasure_of(self._store, one.id)
        if receipt is not None and not receipt.waiting_for:
            finish(self._store, one.id)

    def _carry_out(self, asked: list[ErasureRequest]) -> Iterator[None]:
        """Erase everybody who is to be erased now, together: a step is a transaction or so."""
        for request in asked:
            begin(self._store, request)
            yield
        erasures = [one for one in pending(self._store) if self._journal.id not in one.machines]
        if not erasures:  # they were erased before
            self._journal.forget_erasures([request.id for request in asked])
            return
        received, handed_in = self._journal.size().sequence, self._imports.handed_in()
        for one in erasures:
            yield from self._remove(one)
        # They may have read who is erased. From now on nothing of such an attempt is written any more.
        interrupt_runs(self._store)
        yield from self._clean_texts(erasures)
        mask = Mask(
            tuple(HiddenAccount(one.key, one.handle, None) for one in erasures),
            posts=frozenset(post for one in erasures for post in posts_of(self._store, one.id)),
        )
        yield from self._clean_results(erasures, mask)
        yield from self._wait("deliveries", lambda: self._journal.applied_up_to() >= received)
        yield from self._wait("imports", lambda: self._imports.all_ended(handed_in))
        yield from self._clean_machine(erasures, mask)
        # From here on the graph alone knows of them, and they are hidden by what it says until they are done.
        self._journal.forget_erasures([*(request.id for request in asked), *(one.id for one in erasures)])
        machine_cleaned(self._store, [one.id for one in erasures], self._journal.id)
        for one in erasures:
            self._finish(one)
            yield

    def _remove(self, one: Pending) -> Iterator[None]:
        """Remove an account and what it wrote from what people bring."""
        while remove_some_posts(self._store, one):
            yield
        while remove_some_ties(self._store, one):
            yield
        remove_account(self._store, one)
        yield

    def _clean_texts(self, erasures: list[Pending]) -> Iterator[None]:
        """Take mentions by handle out of what others wrote."""
        handles = {mention_of(one.handle) for one in erasures if one.handle}
        if not handles:
            return
        for kind in ("posts", "accounts"):
            changed = 0
            for count in clean_texts(self._store, kind, handles, lambda text: without_mentions(text, handles)):
                changed += count
                yield
            self._count(erasures, {f"mentions_in_{kind}": changed})

    def _clean_results(self, erasures: list[Pending], mask: Mask) -> Iterator[None]:
        """Take the accounts out of what runs found and published, and out of what people ask for."""
        gone = {"documents": clean_documents(self._store, mask.erased_text), "published_files": 0}
        yield
        for changed in clean_files(self._store, _Files(mask).cleaned):
            gone["published_files"] += changed
            yield
        self._count(erasures, gone)

    def _wait(self, what: str, done: Callable[[], bool]) -> Iterator[None]:
        """Wait for what may name them and is on its way into the graph: bodies of deliveries, files of imports."""
        while not done():
            self.waits_for = what
            yield
        self.waits_for = None

    def _clean_machine(self, erasures: list[Pending], mask: Mask) -> Iterator[None]:
        """Take the accounts out of what this machine keeps: journal, reports of rejected lines, graphs of analyses."""
        gone = {"dead_letters": 0, "rejected_lines": 0}
        look = Traces(erasures, mask)
        after = (0, -1)
        while rows := self._journal.dead_letters_after(after, DEAD_AT_ONCE):
            for seq, position, network, platform, message, event in rows:
                if (left := look.left(event, network, of_platform=platform is not None)) != event:
                    self._journal.rewrite_dead(seq, position, None if left is None else look.text(message), left)
                    gone["dead_letters"] += 1
            after = rows[-1][:2]
            yield
        for folder in (self._places.reports, self._journal.path.parent / IMPORTS):
            gone["rejected_lines"] += clean_reports(folder, look.names_one, self._imports.is_open)
        self._imports.forget(look.names_one)
        yield
        self._forget_until = time.monotonic() + AGAIN_SECONDS
        self._forget_graphs()
        self._count(erasures, gone)

    def _count(self, erasures: list[Pending], gone: Mapping[str, int]) -> None:
        """Put on each receipt what was done for all of them together."""
        for one in erasures:
            count_removed(self._store, one.id, {name: count for name, count in gone.items() if count})

    def _forget_graphs(self) -> None:
        """Remove graphs that were kept before somebody was erased, here or by another machine."""
        identity, version = erased_version(self._store)
        if version != self._erased_v:
            self._erased_v, self._forget_until = version, time.monotonic() + AGAIN_SECONDS
        if identity is not None and version is not None and time.monotonic() < self._forget_until:
            forget_before(self._places.graphs / identity, version)


WITH_HANDLES = frozenset({"candidates", "detractors", "excluded", "macros"})
"""Published parts whose lines are about an account, with its handle."""


class _Files:
    """Cleans published files in their order; words of a candidate stand at the place that the candidate has."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._part = ""
        self._lines = 0
        self._places: dict[str, list[int]] = {}
        self._head = 0

    def cleaned(self, part: str, content: bytes) -> bytes:
        """Return the content of a file without the accounts, of as many lines."""
        if part != self._part:
            self._part, self._lines = part, 0
        kind, _, community = part.partition("/")
        if kind in WITH_HANDLES:  # a run may have known an account by another handle, which labels then have
            self._mask = self._mask.with_handles_of(content)
        after = self._mask.erased_lines(content)
        lines = after.split(b"\n")[:-1]
        if kind == "candidates":
            if self._lines == 0:
                self._places[community] = []
            self._places[community] += [self._lines + i for i, line in enumerate(lines) if ERASED_MARK in line]
        elif kind == "words" and self._places.get(community):
            after = b"".join(line + b"\n" for line in self._without_words(community, lines))
        self._lines += len(lines)
        return after

    def _without_words(self, community: str, lines: list[bytes]) -> list[bytes]:
        if self._lines == 0 and lines:
            self._head = int(json.loads(lines[0])["words"]) + 1
        for place in self._places[community]:
            at = self._head + place - self._lines
            if 0 <= at < len(lines):
                lines[at] = b'{"place":%d,"words":{}}' % json.loads(lines[at])["place"]
        return lines


class Traces:
    """Looks for erased accounts in what people sent: by key, by id within their network, by handle."""

    def __init__(self, erasures: list[Pending], mask: Mask) -> None:
        self._keys = {one.key for one in erasures}
        self._ids = {tuple(one.key.split(":", 1)) for one in erasures}
        self._natives = {native for _, native in self._ids}
        self._handles = {one.handle.lower() for one in erasures if one.handle}
        self._mentions = {mention_of(handle) for handle in self._handles}
        self._mask = mask

    def text(self, text: str) -> str:
        """A text without mentions of them."""
        return self._mask.erased_text(without_mentions(text, self._mentions))

    def left(self, event: str, network: str | None, *, of_platform: bool = False) -> str | None:
        """Return an event, as JSON, without mentions of them in texts; None where it is about one of them.

        In what came in the form of a platform any member may name accounts. Rather too much goes than too little.
        """
        try:
            return self._left(event, network, everywhere=of_platform)
        except (ValueError, RecursionError):  # kept by an earlier version, which let more through
            return None if self.names_one(event) else event

    def _left(self, event: str, network: str | None, *, everywhere: bool) -> str | None:
        value = json.loads(event)
        here = network or "local"
        if isinstance(value, dict):
            data = value.get("data")
            for told in (value, data if isinstance(data, dict) else {}):
                if isinstance(told.get("network"), str):
                    here = told["network"]
        if self._about(value, here, everywhere=everywhere):
            return None
        cleaned = json.dumps(self._unmentioned(value))
        return event if json.loads(event) == json.loads(cleaned) else cleaned

    def _about(self, value: Any, network: str, member: str = "", *, everywhere: bool = False) -> bool:
        if isinstance(value, dict):
            return any(self._about(one, network, name, everywhere=everywhere) for name, one in value.items())
        if isinstance(value, list):
            return any(self._about(one, network, member, everywhere=everywhere) for one in value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        text = str(value).strip()
        if text in self._keys:
            return True
        # An id may be any number or word: it is one where accounts are named.
        folded = text.lower().removeprefix("@")
        if everywhere and any(of == network and native in text for of, native in self._ids if len(native) >= LONG_ID):
            return True  # as the id of a follow holds that of its actor
        named = everywhere or member.lower() in NAMING
        return named and ((network, text) in self._ids or folded in self._handles)

    def _unmentioned(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._unmentioned(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._unmentioned(one) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def names_one(self, text: str) -> bool:
        """Whether a line of a file may name one of them: as a word of it. Rather too many than too few."""
        words = set(_WORDS.split(text)) | set(_WORDS.split(text.lower()))
        return bool(words & (self._keys | self._natives | self._handles)) or any(key in text for key in self._keys)


# --- for the service and the command ------------------------------------------------------------------------


async def ask_erasure(store: AsyncStore, deliveries: Deliveries, key: str) -> Erasure:
    """Note that an account is to be erased, and hide it from now on. While Neo4j is away, it is taken on trust.

    Raises:
        AccountNotFound: the graph has no such account, and none was erased under this key.
        JournalError: it cannot be noted now.
        ConfigurationError: there is no secret key.
    """
    erasure = id_of(store.address.erasure_keys, key)
    handle = None
    try:
        if (known := await read_erasure(store, erasure)) is not None:
            return known
        there, handle = await read_account_to_erase(store, key)
        if not there:
            raise no_account(key)
    except StoreUnavailable:
        log.warning("Neo4j is away; an account that is to be erased is hidden, and removed when it answers again.")
    await asyncio.to_thread(deliveries.ask_erasure, ErasureRequest(erasure, key, handle, now_ms()))
    return await erasure_by_id(store, deliveries, erasure)


def opt_out(address: StoreAddress, key: str, opted_out: bool) -> None:
    """Let an account opt out, or take that back: from now on.

    Raises:
        AccountNotFound: there is no such account.
    """
    with Store(address) as store:
        if not store.read("accounts/known", account=[key]):
            raise no_account(key)
        wish = [opted_out if name == "opted_out" else None for name in ACCOUNT_FIELDS]
        apply_batch(store, "accounts", [Statement("accounts", (key,), tuple(wish), now_ms())])


async def erasure_by_id(store: AsyncStore, deliveries: Deliveries, erasure: str) -> Erasure:
    """Return a receipt.

    Raises:
        ErasureNotFound: there is none of this id.
        StoreUnavailable: Neo4j does not answer, and this machine does not know it either.
    """
    noted = [one for one in deliveries.erasing if one.id == erasure]
    try:
        known = await read_erasure(store, erasure)
    except StoreUnavailable:
        if not noted:
            raise
        known = None
    if known is not None:
        return known
    if noted:
        return _asked(noted[0])
    raise not_found(erasure)


async def latest_erasures(store: AsyncStore, most: int) -> list[Erasure]:
    """Return receipts, those asked for last first."""
    return await read_erasures(store, most)


def _asked(request: ErasureRequest) -> Erasure:
    return Erasure(id=request.id, state="asked", asked_at=datetime.fromtimestamp(request.asked_at / 1000, UTC))


def list_erasures(address: StoreAddress, most: int) -> list[Erasure]:
    """Return receipts for the command, those asked for last first."""

    async def read() -> list[Erasure]:
        async with AsyncStore(address) as store:
            return await read_erasures(store, most)

    return asyncio.run(read())


def about_account(address: StoreAddress, key: str) -> tuple[int, int, int] | None:
    """Return how many follow an account in the graph, how many it follows, and how many posts it wrote.

    None where it was erased, or is being erased.

    Raises:
        AccountNotFound: there is no such account.
    """
    with Store(address) as store:
        if erasure_of(store, id_of(address.erasure_keys, key)) is not None:
            return None
        rows = store.read("erasures/about", key=key)
    if not rows:
        raise no_account(key)
    return rows[0]["followers"], rows[0]["following"], rows[0]["posts"]


def note_erasure(address: StoreAddress, folder: Path, key: str) -> str:
    """Note for the command that an account is to be erased, in the journal below a folder; return the erasure's id."""
    erasure = id_of(address.erasure_keys, key)
    with Store(address) as store, Journal(folder) as journal:
        rows = store.read("accounts/known", account=[key])
        journal.ask_erasure(ErasureRequest(erasure, key, rows[0]["handle"] if rows else None, now_ms()))
    return erasure


def receipt_of(address: StoreAddress, erasure: str) -> Erasure:
    """Return a receipt for the command. Raises ErasureNotFound."""
    with Store(address) as store:
        receipt = erasure_of(store, erasure)
    if receipt is None:
        raise not_found(erasure)
    return receipt
