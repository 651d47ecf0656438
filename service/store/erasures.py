"""Erasing accounts from the graph, and recognising what was erased, so that nothing late brings it back.

Of an erased account a digest of its key under a secret stays, `(:Erased)`; of its posts and its handle, too. The
receipt, `(:Erasure)`, holds key and handle only until the erasure is done. Each function here is one transaction and
may be called again after a crash: what is gone is gone, and what is removed is counted in the transaction that does it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import neo4j

from service.domain import ERASED, Definition, Erasure, ErasureKeys, ErasureRequest, HiddenAccount
from service.errors import ConfigurationError, ErasureNotFound
from service.records import erasure_digest, erasure_id, mention_of
from service.store.driver import AsyncStore, Row, Store, Tx
from service.store.edges import Change, in_one_change
from service.store.runs import interrupt_for_erasure

POSTS_AT_ONCE, TIES_AT_ONCE, TEXTS_AT_ONCE, FILES_AT_ONCE = 500, 10_000, 20_000, 20


class Pending(NamedTuple):
    """An erasure under way: what it looks for, and the machines (ids of journals) that have nothing of it any more."""

    id: str
    key: str
    handle: str | None
    asked_at: int
    machines: tuple[str, ...]


def secrets_of(keys: ErasureKeys | None) -> tuple[bytes, ...]:
    """Return the secrets under which digests are made; the first makes new ones.

    Raises:
        ConfigurationError: nobody said which.
    """
    if keys is None:
        raise ConfigurationError(
            "Erased accounts are recognised by a secret key, which this process has not; set ENTOURAGE_SECRETS_KEY."
        )
    return keys()


def id_of(keys: ErasureKeys | None, key: str) -> str:
    """Return the id of the erasure of an account, whether it was asked for or not. Raises ConfigurationError."""
    return erasure_id(erasure_digest(secrets_of(keys)[0], key))


def begin(store: Store, request: ErasureRequest) -> None:
    """Begin an erasure: from now on the account is hidden, never a candidate, and nothing about it is taken in.

    Raises:
        ConfigurationError: the secret key is not the one under which others were erased.
    """

    receipt = erasure_of(store, request.id)
    if receipt is not None and receipt.state == "done":  # it was erased before, and nothing has come of it since
        return

    def work(tx: Tx) -> None:
        change = Change(tx)
        secret = secrets_of(tx.erasure_keys)[0]
        change.erased(())  # raises where the keys are not those of earlier erasures
        [begun] = tx.run(
            "erasures/begin",
            id=request.id,
            digest=erasure_digest(secret, request.key),
            check=erasure_digest(secret, ""),
            key=request.key,
            handle=request.handle,
            asked_at=request.asked_at,
            v=change.version,
        )
        if begun["handle"]:
            tx.run("erasures/keep_digest", digest=erasure_digest(secret, mention_of(begun["handle"])), v=change.version)
        persons = [row["person"] for row in tx.run("erasures/persons", key=request.key)]
        tx.run("erasures/keep_persons", id=request.id, persons=persons)
        change.masked = True
        change.done(0, 1)

    store.write_transaction(work)


def pending(store: Store) -> list[Pending]:
    """Return the erasures that are under way."""
    return [Pending(**{**row, "machines": tuple(row["machines"])}) for row in store.read("erasures/pending")]


def asked_in_graph(store: Store, most: int = 100) -> list[ErasureRequest]:
    """Return accounts of the graph that asked to be erased, by an import or an event."""
    return [
        ErasureRequest(id_of(store.address.erasure_keys, row["key"]), row["key"], row["handle"], row["asked_at"])
        for row in store.read("erasures/asked", most=most)
    ]


def remove_some_posts(store: Store, erasure: Pending) -> bool:
    """Remove some posts of the account with all that hangs on them; False where it has none any more."""
    posts = [row["post"] for row in store.read("erasures/some_posts", key=erasure.key, most=POSTS_AT_ONCE)]
    if not posts:
        return False

    def put(change: Change) -> Counter[str]:
        secret = secrets_of(change.tx.erasure_keys)[0]
        digests = [erasure_digest(secret, post) for post in posts]
        change.tx.run("erasures/keep_posts", id=erasure.id, posts=posts)
        [gone] = change.tx.run("erasures/remove_posts", posts=posts, digests=digests, v=change.version)
        return Counter(posts=gone["posts"], topics=gone["topics"])

    _removing(store, erasure.id, put)
    return True


def remove_some_ties(store: Store, erasure: Pending) -> bool:
    """Remove some relationships of the account; False where it has none any more."""

    def put(change: Change) -> Counter[str]:
        gone: Counter[str] = Counter()
        for row in change.tx.run("erasures/remove_ties", key=erasure.key, most=TIES_AT_ONCE):
            gone[_counted_as(row["type"], out=row["out"])] += row["count"]
        return gone

    return bool(_removing(store, erasure.id, put))


def remove_account(store: Store, erasure: Pending) -> None:
    """Remove the account itself, and persons that were nothing but this account; graphs kept before are out of date."""

    def put(change: Change) -> Counter[str]:
        [kept] = change.tx.run("erasures/keep_persons", id=erasure.id, persons=[])
        [gone] = change.tx.run("erasures/remove_account", key=erasure.key, persons=kept["persons"])
        return Counter(accounts=gone["accounts"], persons=gone["persons"])

    _removing(store, erasure.id, put)


def _counted_as(kind: str, *, out: bool) -> str:
    """What a receipt calls a relationship."""
    both = {
        "FOLLOWS": ("follows", "followers"),
        "UNFOLLOWED": ("unfollows", "unfollowers"),
        "ENGAGED": ("interactions", "interactions_received"),
        "ENDORSES": ("endorsements", "endorsements_received"),
        "WITHDREW": ("endorsements", "endorsements_received"),
    }
    one = {
        "FOLLOW_RECORD": "follow_records",
        "RESPONDED": "responses",
        "MEMBER_OF": "memberships",
        "SCORED": "scored",
        "MEASURED": "measured",
        "HAS": "persons_tied",
        "ACCOUNT_OF": "brand_accounts",
    }
    if kind in both:
        return both[kind][0 if out else 1]
    return one.get(kind, "relations")


def _removing(store: Store, erasure: str, put: Callable[[Change], Counter[str]]) -> Counter[str]:
    """Remove something in one change of the graph, and count it on the receipt, in the same transaction."""

    def work(tx: Tx) -> Counter[str]:
        change = Change(tx)
        gone = +put(change)
        _count(tx, erasure, gone)
        if gone:
            _note_erased(change)
        change.done(0, gone.total())
        return gone

    return store.write_transaction(work)


def _note_erased(change: Change) -> None:
    """Say that graphs kept of before are not to be caught up, but deleted."""
    change.note_removed()
    change.tx.run("erasures/set_erased_v", v=change.version)


def _count(tx: Tx, erasure: str, gone: Mapping[str, int]) -> None:
    if gone:
        [row] = tx.run("erasures/removed", id=erasure)
        removed = Counter(json.loads(row["removed"]))
        removed.update(gone)
        tx.run("erasures/set_removed", id=erasure, removed=json.dumps(removed, sort_keys=True))


def count_removed(store: Store, erasure: str, gone: Mapping[str, int]) -> None:
    """Count on the receipt what was removed elsewhere."""
    store.write_transaction(lambda tx: _count(tx, erasure, gone))


# --- what others say -----------------------------------------------------------------------------------------


def clean_texts(store: Store, kind: str, handles: Collection[str], clean: Callable[[str], str]) -> Iterator[int]:
    """Take handles out of the texts of others, some at a time; yields how many texts were changed.

    Args:
        store: the graph.
        kind: posts, or accounts (what they say of themselves).
        handles: as texts name them (`records.mention_of`).
        clean: returns a text without them.
    """
    after = ""
    while True:
        [row] = store.read(f"erasures/texts_of_{kind}", after=after, handles=sorted(handles), most=TEXTS_AT_ONCE)
        if row["last"] is None:
            return
        after = row["last"]
        changed = [(key, before, text) for key, before in row["found"] if (text := clean(before)) != before]
        if changed:
            columns = dict(zip(("keys", "befores", "texts"), map(list, zip(*changed, strict=True)), strict=True))

            def put(change: Change, columns: dict[str, list[str]] = columns) -> tuple[int, int]:
                # What was said anew meanwhile was cleaned on its way in.
                change.tx.run(f"erasures/write_texts_of_{kind}", **columns, v=change.version)
                _note_erased(change)  # kept graphs may hold words of them
                return 0, len(columns["keys"])

            in_one_change(store, put)
        yield len(changed)


def clean_files(store: Store, clean: Callable[[str, bytes], bytes]) -> Iterator[int]:
    """Rewrite published files of kept runs, some at a time; yields how many were changed.

    Args:
        store: the graph.
        clean: returns the content of a file of a part without what is to be erased; as many lines as before.
    """
    last: dict[str, Any] = {"run": "", "part": "", "seq": -1}
    while rows := store.read("erasures/files", **last, most=FILES_AT_ONCE):
        changed = 0
        for row in rows:
            before = bytes(row["bytes"] or b"")
            after = clean(row["part"], before)
            if after != before:
                place = {name: row[name] for name in last}
                digests = {"before": sha256(before).hexdigest(), "sha256": sha256(after).hexdigest()}
                # What a run is writing anew at this moment is looked at when that run has ended.
                [written] = store.write("erasures/write_file", **place, bytes=after, **digests)
                changed += written["written"]
        last = {name: rows[-1][name] for name in last}
        yield changed


def clean_documents(store: Store, clean: Callable[[str], str]) -> int:
    """Rewrite what runs, communities, names, definitions and schedules say in words; return how many were changed.

    Args:
        store: the graph.
        clean: returns the text of a property without what is to be erased.
    """
    rows: list[Row] = []
    ids: set[str] = set()
    for record in store.stream("erasures/documents"):
        if "definition" in record["properties"]:
            ids.add(record["properties"]["id"])
        for name, before in record["properties"].items():
            texts = before if isinstance(before, list) else [before]
            if texts and all(isinstance(one, str) for one in texts):
                cleaned = [text for one in texts if (text := clean(one)) != ERASED]
                after = cleaned if isinstance(before, list) else "".join(cleaned)
                if after != before:
                    rows.append({"node": record["node"], "name": name, "before": before, "after": after})
                    if name == "definition":
                        rows += _with_its_id(record, str(after), ids)
    for start in range(0, len(rows), 1000):
        store.write("erasures/write_documents", rows=rows[start : start + 1000])
    return len({row["node"] for row in rows})


def _with_its_id(record: neo4j.Record, definition: str, ids: set[str]) -> list[Row]:
    """A definition of fewer accounts has another id, by which runs publish it; unless there is one of that id."""
    before, after = record["properties"]["id"], Definition.model_validate_json(definition).id
    if after in ids:
        return []
    ids.add(after)
    return [{"node": record["node"], "name": "id", "before": before, "after": after}]


def posts_of(store: Store, erasure: str) -> list[str]:
    """Return the keys of the posts that were removed by an erasure that is not done."""
    rows = store.read("erasures/posts", id=erasure)
    return rows[0]["posts"] if rows else []


def interrupt_runs(store: Store) -> None:
    """Have running analyses begun once more: they may have read what is erased."""
    for row in store.read("erasures/running"):
        interrupt_for_erasure(store, row["id"])


# --- the end, and what is known afterwards ---------------------------------------------------------------------


def machine_seen(store: Store, journal: str) -> None:
    """Note that the journal of a machine is in use: erasures wait for it."""
    store.write("journals/seen", journal=journal)


def machine_cleaned(store: Store, erasures: Iterable[str], journal: str) -> None:
    """Note that a machine has nothing of some accounts any more."""
    store.write("erasures/cleaned", ids=list(erasures), journal=journal)


def finish(store: Store, erasure: str) -> None:
    """End an erasure: nothing says any more whose it was."""
    store.write_transaction(lambda tx: _finish(tx, erasure))


def _finish(tx: Tx, erasure: str) -> None:
    tx.run("edges/lock")
    tx.run("erasures/finish", id=erasure)


def erased_version(store: Store) -> tuple[str | None, int | None]:
    """Return the name of the graph, and the version at which an account was last erased; None each before the first."""
    rows = store.read("erasures/state")
    return (rows[0]["identity"], rows[0]["erased_v"]) if rows else (None, None)


def erasure_of(store: Store, erasure: str) -> Erasure | None:
    """Return a receipt; None where the graph has none of this id."""
    rows = store.read("erasures/get", id=erasure)
    return _receipt(rows[0]) if rows else None


async def read_erasure(store: AsyncStore, erasure: str) -> Erasure | None:
    """Return a receipt; None where the graph has none of this id."""
    rows = await store.read("erasures/get", id=erasure)
    return _receipt(rows[0]) if rows else None


async def read_erasures(store: AsyncStore, most: int) -> list[Erasure]:
    """Return receipts, those asked for last first."""
    return [_receipt({**row, "waiting_for": []}) for row in await store.read("erasures/list", most=most)]


def _receipt(row: Row) -> Erasure:
    kept = row["erasure"]
    times: dict[str, datetime] = {
        name: kept[name].to_native() for name in ("asked_at", "begun_at", "done_at") if kept.get(name) is not None
    }
    return Erasure(
        id=kept["id"],
        state=kept["state"],
        removed=json.loads(kept["removed"]),
        waiting_for=tuple(row["waiting_for"]),
        **times,
    )


def not_found(erasure: str) -> ErasureNotFound:
    """The error for an id of which there is no erasure."""
    return ErasureNotFound(f"There is no erasure {erasure[:80]}; DELETE /v1/accounts/(key) answers with the id of one.")


async def read_hidden(store: AsyncStore) -> list[HiddenAccount]:
    """Return the accounts that no answer may name."""
    return [HiddenAccount(row["key"], row["handle"], row["v"]) for row in await store.read("erasures/hidden")]


async def read_account_to_erase(store: AsyncStore, key: str) -> tuple[bool, str | None]:
    """Return whether an account is in the graph, and its handle."""
    rows = await store.read("accounts/known", account=[key])
    return (True, rows[0]["handle"]) if rows else (False, None)
