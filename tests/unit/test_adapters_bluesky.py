"""Events of Jetstream as events of ours: what each says, when it happened, and what is left of follows."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters import Unusable, adapter_of
from service.adapters.bluesky import ADAPTER
from service.adapters.standard_webhooks import new_secret, sign
from service.errors import SignatureInvalid
from service.files.events import Said
from tests.unit.platform_reading import (
    JSON,
    NOW,
    Pair,
    assert_read_or_kept,
    examples_of,
    keys,
    live_pairs,
    read,
    said_by,
    spoiled,
)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "platforms" / "bluesky.md").read_text(encoding="utf-8")

# Shapes as github.com/bluesky-social/jetstream has them: internal/subscribe/testdata/golden_v1.jsonl (captured from
# /subscribe), docs/README.md 5.1 and 5.2, lexicons/network/bsky/jetstream/subscribeEvents.json, and for what is in
# identity and account lexicons/com/atproto/sync/subscribeRepos.json. Accounts and ids are made up.
LEA = "did:plc:leaaaaaaaaaaaaaaaaaaaaaa"
NOE = "did:web:noe.example"
KEY = "3l3qo2vuowo2b"
REV = "3l3qo2vutsw2b"
"""The revision in the example of docs/README.md 5.1, which was seen 78 ms later."""
REV_US = 1_725_911_162_251_036
SEEN_US = 1_725_911_162_329_308
MESSAGE = "network.bsky.jetstream.subscribeEvents#"

RECORD = {"$type": "app.bsky.graph.follow", "createdAt": "2024-09-09T19:46:02.102Z", "subject": NOE}
DELETE_COMMIT = {"rev": REV, "operation": "delete", "collection": "app.bsky.graph.follow", "rkey": KEY}
COMMIT = {**DELETE_COMMIT, "operation": "create", "record": RECORD, "cid": "bafyreib25swk3a6waplk2ie75u4a3qfejnko"}


def of_1(kind: str, body: dict[str, Any], did: str = LEA, seen: int = SEEN_US, **more: Any) -> dict[str, Any]:
    """An event as `/subscribe` sends it."""
    return {"did": did, "time_us": seen, "kind": kind, kind: body, **more}


def of_2(kind: str, body: dict[str, Any], did: str = LEA, seen: int = SEEN_US, seq: int = 12_345) -> dict[str, Any]:
    """A frame as `subscribeEvents` sends it."""
    at = datetime.fromtimestamp(seen // 1_000_000, UTC).replace(microsecond=seen % 1_000_000)
    known = {"seq": seq, "did": did, "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    payload = {"$type": MESSAGE + kind, **known, **(body if kind == "commit" else {kind: body})}
    return {"$type": "message", "payload": payload}


def changed(name: str, value: Any, commit: dict[str, Any] = COMMIT) -> dict[str, Any]:
    """The follow as version 1 has it, with another value in its commit; None: without it."""
    return of_1("commit", {key: one for key, one in {**commit, name: value}.items() if one is not None})


IDENTITY = {"did": LEA, "seq": 30_340_180_350, "time": "2024-09-09T19:46:02.251Z", "handle": "lea.example"}
GONE = {"did": LEA, "seq": 30_340_180_351, "time": "2024-09-09T19:46:02.251Z", "active": False, "status": "deleted"}
EVENTS = [
    make(kind, body)
    for make in (of_1, of_2)
    for kind, body in (
        ("commit", COMMIT),
        ("commit", DELETE_COMMIT),
        ("commit", {**COMMIT, "collection": "app.bsky.feed.like"}),
        ("identity", IDENTITY),
        ("account", GONE),
    )
]
AT = "2024-09-09T19:46:02.251Z"
CREATED = {
    "type": "follow.created",
    "timestamp": AT,
    "data": {"follower": LEA, "followee": NOE, "record": f"{LEA}/{KEY}"},
}
ENDED = {"type": "follow.deleted", "timestamp": AT, "data": {"record": f"{LEA}/{KEY}"}}
DELETED = {"type": "account.deleted", "timestamp": AT, "data": {"account": LEA}}


def tid(microseconds: int, clock: int = 0) -> str:
    """A TID as https://atproto.com/specs/tid has it: big-endian bits in groups of five, a zero first."""
    bits = f"{microseconds:054b}{clock:010b}".rjust(65, "0")
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[int(bits[at : at + 5], 2)] for at in range(0, 65, 5))


def test_tids_of_tests_are_those_of_the_platform() -> None:
    assert tid(0) == "2222222222222"  # https://atproto.com/specs/tid
    assert tid(1_724_171_495_793_000, 512) == "3l25zusnsfck2"  # the example of the package @atcute/tid
    assert tid(REV_US, 7) == REV


@pytest.mark.parametrize("make", [of_1, of_2])
@pytest.mark.parametrize(
    ("kind", "body", "events"),
    [
        ("commit", COMMIT, [CREATED]),
        ("commit", DELETE_COMMIT, [ENDED]),
        ("commit", {**COMMIT, "unknown": {"a": [1]}, "record": {**RECORD, "via": {"uri": "at://x"}}}, [CREATED]),
        ("commit", {**COMMIT, "cid": None, "record": {"subject": NOE}}, [CREATED]),
        ("commit", {**COMMIT, "collection": "app.bsky.graph.block"}, []),
        ("commit", {"collection": "app.bsky.feed.post"}, []),
        ("identity", IDENTITY, []),
        ("account", GONE, [DELETED]),
        *(
            ("account", {**GONE, "status": status}, [])
            for status in ("takendown", "suspended", "deactivated", "desynchronized", "throttled", "new", None, 5)
        ),
        ("account", {**GONE, "active": True, "status": None}, []),
        ("account", {**GONE, "active": True}, []),
        ("sync", {"did": LEA, "blocks": "YQ", "rev": REV, "seq": 5, "time": AT}, []),
        ("info", {"name": "OutdatedCursor"}, []),
    ],
)
def test_what_an_event_says(make: Any, kind: str, body: dict[str, Any], events: list[Any]) -> None:
    event = make(kind, body)
    assert ADAPTER.events(event) == events
    assert read(ADAPTER, [event])[0].code is None


def test_frames_that_are_no_messages_and_payloads_without_a_frame() -> None:
    assert ADAPTER.events({"$type": "error", "error": "ConsumerTooSlow", "message": "..."}) == []
    info = {"$type": MESSAGE + "info", "name": "OutdatedCursor", "message": "..."}
    assert ADAPTER.events({"$type": "message", "payload": info}) == []
    assert ADAPTER.events(of_2("commit", COMMIT)["payload"]) == [CREATED]


@pytest.mark.parametrize(
    ("rev", "seen", "at"),
    [
        (REV, SEEN_US, AT),
        (REV, REV_US, AT),
        (REV, SEEN_US + 7_200_000_000, AT),  # seen late, as after an outage, or by another Jetstream
        (REV, REV_US - 200_000, "2024-09-09T19:46:02.051Z"),  # the clock of the account's host is ahead
        (tid(REV_US + 86_400_000_000), SEEN_US, "2024-09-09T19:46:02.329Z"),
        (tid(2**53 - 1), SEEN_US, "2024-09-09T19:46:02.329Z"),
        ("", SEEN_US, "2024-09-09T19:46:02.329Z"),
        (None, SEEN_US, "2024-09-09T19:46:02.329Z"),
        (5, SEEN_US, "2024-09-09T19:46:02.329Z"),
        ("z" * 13, SEEN_US, "2024-09-09T19:46:02.329Z"),
        (REV.upper(), SEEN_US, "2024-09-09T19:46:02.329Z"),
        (REV + "2", SEEN_US, "2024-09-09T19:46:02.329Z"),
        (tid(0), SEEN_US, "1970-01-01T00:00:00.000Z"),
        (tid(50_000_000_000_000), SEEN_US, "1971-08-02T16:53:20.000Z"),  # its milliseconds would be read as seconds
    ],
)
@pytest.mark.parametrize("make", [of_1, of_2])
def test_the_time_is_the_revision_but_never_later_than_when_it_was_seen(
    make: Any, rev: Any, seen: int, at: str
) -> None:
    for commit in (COMMIT, DELETE_COMMIT):
        event = make("commit", {**commit, "rev": rev}, seen=seen)
        [ours] = ADAPTER.events(event)
        assert ours["timestamp"] == at
        [item] = read(ADAPTER, [event])
        assert item.code is None
        assert datetime.fromtimestamp(item.said[-1].at / 1_000, UTC) == datetime.fromisoformat(ours["timestamp"])  # type: ignore[operator]


@given(st.integers(0, 253_370_764_799_999_999), st.integers(0, 2**53 - 1), st.integers(0, 1_023))
@settings(deadline=None)
def test_any_time_is_kept_to_the_millisecond(seen: int, revised: int, clock: int) -> None:
    [event] = ADAPTER.events(of_1("commit", {**COMMIT, "rev": tid(revised, clock)}, seen=seen))
    told = datetime.fromisoformat(event["timestamp"])
    assert round(told.timestamp() * 1_000) == min(seen, revised) // 1_000


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({**GONE, "time": "2024-09-09T21:46:02.251+02:00"}, AT),
        ({**GONE, "time": "2031-01-01T00:00:00Z"}, "2024-09-09T19:46:02.329Z"),
        ({**GONE, "time": "1969-01-01T00:00:00Z"}, "2024-09-09T19:46:02.329Z"),
        ({**GONE, "time": "2024-09-09T19:46:02"}, "2024-09-09T19:46:02.329Z"),
        ({**GONE, "time": ["2024"]}, "2024-09-09T19:46:02.329Z"),
        ({**GONE, "time": "\ud800"}, "2024-09-09T19:46:02.329Z"),
        ({"active": False, "status": "deleted"}, "2024-09-09T19:46:02.329Z"),
    ],
)
def test_deletions_have_the_time_of_the_relay(body: dict[str, Any], at: str) -> None:
    event = of_1("account", body)
    assert ADAPTER.events(event) == [{**DELETED, "timestamp": at}]
    [item] = read(ADAPTER, [event])
    assert item.said[0].at == round(datetime.fromisoformat(at).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ([], "bad_event"),
        (5, "bad_event"),
        ({}, "missing_field"),
        ({"$type": "message"}, "missing_field"),
        ({"$type": "message", "payload": 5}, "missing_field"),
        ({"$type": "com.atproto.sync.subscribeRepos#commit", "repo": LEA}, "missing_field"),
        ({"kind": ["commit"]}, "bad_data"),
        (of_1("commit", None), "missing_field"),  # type: ignore[arg-type]
        (of_1("commit", []), "missing_field"),  # type: ignore[arg-type]
        (of_1("commit", COMMIT, did=""), "missing_field"),
        (of_1("commit", COMMIT, did="plc:lea"), "bad_id"),
        (of_1("commit", COMMIT, did="did:PLC:lea"), "bad_id"),
        (of_1("commit", COMMIT, did="did:plc:"), "bad_id"),
        (of_1("commit", COMMIT, did="did:plc:lea:"), "bad_id"),
        (of_1("commit", COMMIT, did="did:plc:lea/x"), "bad_id"),
        (of_1("commit", COMMIT, did="did:plc:lea\n"), "bad_id"),
        (of_1("commit", COMMIT, did=2**60), "bad_id"),  # type: ignore[arg-type]
        (of_1("commit", COMMIT, seen="2024"), "bad_time"),  # type: ignore[arg-type]
        (of_1("commit", COMMIT, seen=True), "bad_time"),
        (of_1("commit", COMMIT, seen=-1), "bad_time"),
        (of_1("commit", COMMIT, seen=10**30), "bad_time"),
        (of_1("commit", COMMIT, seen=1.5e15), "bad_time"),  # type: ignore[arg-type]
        (changed("collection", None), "missing_field"),
        (changed("operation", None), "missing_field"),
        (changed("operation", "upsert"), "unknown_operation"),
        (changed("operation", ["create"]), "unknown_operation"),
        (changed("operation", "update"), "changed_follow"),
        (changed("rkey", None), "missing_field"),
        (changed("rkey", "a/b"), "bad_id"),
        (changed("rkey", ".."), "bad_id"),
        (changed("rkey", "x" * 513), "bad_id"),
        (changed("rkey", 2**60), "bad_id"),
        (changed("rkey", "a/b", DELETE_COMMIT), "bad_id"),
        (changed("record", None), "missing_field"),
        (changed("record", {}), "missing_field"),
        (changed("record", NOE), "missing_field"),
        (changed("record", {"subject": {"did": NOE}}), "bad_id"),
        (changed("record", {"subject": "noe.example"}), "bad_id"),
        (of_1("account", {**GONE, "did": NOE}), "bad_data"),
        (of_1("account", {**GONE, "active": None}), "missing_field"),
        (of_1("account", {**GONE, "active": "false"}), "bad_flag"),
    ],
)
def test_what_cannot_be_used(event: Any, code: str) -> None:
    with pytest.raises(Unusable) as raised:
        ADAPTER.events(event)
    assert raised.value.code == code
    [item] = read(ADAPTER, [event])
    assert item.code == code
    if code in ("changed_follow", "unknown_operation"):
        assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (changed("record", {"subject": LEA}), "self_loop"),
        (changed("record", {"subject": f"did:web:{'n' * 300}.example"}), "bad_id"),
        (of_1("commit", DELETE_COMMIT, did=f"did:web:{'n' * 1_100}.example"), "bad_id"),
        (changed("rev", None) | {"time_us": (NOW + 600_000) * 1_000}, "time_in_future"),
        (
            of_1("account", {**GONE, "did": f"did:web:{'n' * 300}.example"}, did=f"did:web:{'n' * 300}.example"),
            "bad_id",
        ),
    ],
)
def test_what_our_events_refuse_is_a_dead_letter(event: dict[str, Any], code: str) -> None:
    assert [item.code for item in read(ADAPTER, [changed("cid", None), event, EVENTS[1]])] == [None, code, None]


def test_records_with_the_longest_ids_are_told_apart() -> None:
    did = f"did:web:{'n' * 240}.example"
    ids = ["x" * 512, "x" * 511 + "y"]
    assert len(did) == 256
    follows = [of_1("commit", {**COMMIT, "rkey": key, "record": {"subject": NOE}}, did=did) for key in ids]
    assert len({one.identity[0] for one in said_by(read(ADAPTER, follows))}) == 2  # type: ignore[union-attr]


def test_numbers_keep_every_digit() -> None:
    """Jetstream's sequence may exceed what a double holds; nothing of ours depends on it."""
    event = of_1("commit", COMMIT, cursor=2**63 + 1)
    assert read(ADAPTER, [event])[0].said == read(ADAPTER, [of_1("commit", COMMIT)])[0].said
    [item] = read(ADAPTER, [of_1("commit", {**COMMIT, "rev": None}, seen=2**50 + 999)])
    assert item.said[0].at == (2**50 + 999) // 1_000


def test_of_two_records_of_a_pair_the_follow_lasts_as_long_as_one() -> None:
    first, second = (of_1("commit", {**COMMIT, "rev": tid(REV_US + n * 1_000), "rkey": f"k{n}"}) for n in (0, 1))
    ends = [of_1("commit", {**DELETE_COMMIT, "rev": tid(REV_US + 5_000 + n), "rkey": f"k{n}"}) for n in (0, 1)]
    for end in ends:
        assert live_pairs(said_by(read(ADAPTER, [first, second, end]))) == keys("bluesky", [(LEA, NOE)])
    assert live_pairs(said_by(read(ADAPTER, [first, second, *ends]))) == set()
    assert "two records" in PAGE


def test_nobody_ends_follows_of_others() -> None:
    """Record keys are chosen by accounts: the same key of another account is another record."""
    follow = of_1("commit", COMMIT)
    others = [of_1("commit", DELETE_COMMIT, did=NOE), of_1("commit", DELETE_COMMIT, did=f"{LEA}a")]
    assert live_pairs(said_by(read(ADAPTER, [follow, *others]))) == keys("bluesky", [(LEA, NOE)])


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_kept(value: Any) -> None:
    assert_read_or_kept(ADAPTER, value)


@given(spoiled(EVENTS))
@settings(max_examples=1_000, deadline=None)
def test_any_spoiled_event_is_read_or_kept(event: Any) -> None:
    assert_read_or_kept(ADAPTER, event)


ACCOUNTS = [LEA, NOE, "did:plc:anaaaaaaaaaaaaaaaaaaaaaa", "did:plc:benaaaaaaaaaaaaaaaaaaaaaa"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["toggle", "toggle", "toggle", "toggle", "delete account", "rename"]),
        st.permutations(range(len(ACCOUNTS))).map(lambda order: order[:2]),
        st.integers(1, 3_000),
    ),
    max_size=30,
)


class Network:
    """Repositories as atproto has them: records of follows by account and key, until they are deleted."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], str] = {}
        self.gone: set[str] = set()
        self.told: list[tuple[str, str, int, dict[str, Any]]] = []
        self.now = 1_780_000_000_000_000

    def step(self, what: str, one: str, other: str, passed_ms: int) -> None:
        self.now += passed_ms * 1_000
        if one in self.gone:
            return
        at = datetime.fromtimestamp(self.now // 1_000_000, UTC).isoformat().replace("+00:00", "Z")
        if what == "delete account":
            self.gone.add(one)
            self.records = {key: subject for key, subject in self.records.items() if key[0] != one}
            self.told.append(("account", one, self.now, {"active": False, "status": "deleted", "time": at}))
        elif what == "rename":
            self.told.append(("identity", one, self.now, {**IDENTITY, "did": one, "time": at}))
        else:
            commit = {"rev": tid(self.now, passed_ms % 1_024), "collection": "app.bsky.graph.follow"}
            key = next((key for (did, key), subject in self.records.items() if (did, subject) == (one, other)), None)
            if key is None:
                commit |= {"operation": "create", "rkey": tid(self.now - 900)}
                self.records[one, commit["rkey"]] = other
                self.told.append(("commit", one, self.now, {**commit, "record": {**RECORD, "subject": other}}))
            else:
                del self.records[one, key]
                self.told.append(("commit", one, self.now, {**commit, "operation": "delete", "rkey": key}))

    def live(self) -> set[Pair]:
        """Who follows whom: accounts that are gone are followed no more."""
        return {(did, subject) for (did, _), subject in self.records.items() if subject not in self.gone}


@given(STEPS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_order_and_repeats_from_any_jetstream_give_what_the_repositories_hold(
    steps: list[Any], chance: random.Random
) -> None:
    network = Network()
    for what, (one, other), passed in steps:
        network.step(what, ACCOUNTS[one], ACCOUNTS[other], passed)
    told = network.told + (chance.choices(network.told, k=8) if network.told else [])
    chance.shuffle(told)
    said: Said = []
    for seq, (kind, did, at, body) in enumerate(told):  # each is seen by one of several Jetstreams, some of them late
        make, lag = chance.choice([of_1, of_2]), chance.choice([0, 150_000, 3_600_000_000])
        event = make(kind, body, did=did, seen=at + lag, **({"seq": seq} if make is of_2 else {"cursor": seq}))
        said += said_by(read(ADAPTER, [event]))
    assert live_pairs(said) == keys("bluesky", network.live())


def test_deliveries_are_signed_as_standard_webhooks() -> None:
    assert adapter_of("bluesky") is ADAPTER
    secret, body, now = new_secret(), json.dumps(EVENTS).encode(), NOW // 1_000
    headers = {"webhook-id": "b1", "webhook-timestamp": str(now), "webhook-signature": sign(secret, "b1", now, body)}
    delivered = ADAPTER.delivered(headers, body, {"k1": secret}, now)
    assert (delivered.id, delivered.secret, delivered.answer, delivered.same_body) == ("b1", "k1", None, True)
    for wrong in ({}, {**headers, "webhook-signature": sign(new_secret(), "b1", now, body)}):
        with pytest.raises(SignatureInvalid):
            ADAPTER.delivered(wrong, body, {"k1": secret}, now)


def test_examples_of_the_page_become_what_it_says() -> None:
    for payload, events in examples_of(PAGE):
        assert ADAPTER.events(payload) == events
        assert read(ADAPTER, [payload])[0].code is None
