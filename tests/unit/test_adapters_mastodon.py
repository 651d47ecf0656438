"""Activities of ActivityPub as events of ours: what each says, who is believed, and what is left of follows."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters import Unusable, adapter_of
from service.adapters.mastodon import ADAPTER
from service.adapters.standard_webhooks import new_secret, sign
from service.domain import Reader
from service.errors import SignatureInvalid
from service.files.events import Said
from service.flows.reading import mapping_of
from service.flows.trying import try_example
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

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "platforms" / "mastodon.md").read_text(encoding="utf-8")

CONTEXT = "https://www.w3.org/ns/activitystreams"
LEA = "https://mastodon.example/users/lea"
NOE = "https://other.example/users/noe"
MALLORY = "https://bad.example/users/mallory"

# Members as the serializers of Mastodon write them (github.com/mastodon/mastodon, app/serializers/activitypub/:
# follow, undo_follow, accept_follow, reject_follow, block, delete_actor), and ids as its TagManager and the page
# https://docs.joinmastodon.org/spec/activitypub/ have them.
FOLLOW_ID = "https://mastodon.example/bd06bb61-01e0-447a-9dc8-95915db9aec8"
FOLLOW: dict[str, Any] = {"@context": CONTEXT, "id": FOLLOW_ID, "type": "Follow", "actor": LEA, "object": NOE}
EMBEDDED = {name: value for name, value in FOLLOW.items() if name != "@context"}
UNDO = {"@context": CONTEXT, "id": f"{LEA}#follows/7/undo", "type": "Undo", "actor": LEA, "object": EMBEDDED}
ACCEPT = {"@context": CONTEXT, "id": f"{NOE}#accepts/follows/9", "type": "Accept", "actor": NOE, "object": EMBEDDED}
REJECT = {"@context": CONTEXT, "id": f"{NOE}#rejects/follows/9", "type": "Reject", "actor": NOE, "object": EMBEDDED}
BLOCK = {"@context": CONTEXT, "id": f"{LEA}#blocks/3", "type": "Block", "actor": LEA, "object": NOE, "to": NOE}
DELETE = {
    "@context": CONTEXT, "id": f"{LEA}#delete", "type": "Delete", "actor": LEA, "to": [f"{CONTEXT}#Public"],
    "object": LEA,
}  # fmt: skip
MOVE = {  # https://docs.joinmastodon.org/spec/activitypub/#Move
    "@context": CONTEXT, "id": f"{LEA}#moves/1", "actor": LEA, "type": "Move", "object": LEA,
    "target": "https://lea.example/users/109835986274379", "to": f"{LEA}/followers",
}  # fmt: skip
FLAG = {  # https://docs.joinmastodon.org/spec/activitypub/#Flag
    "@context": CONTEXT, "id": "https://mastodon.example/ccb4f39a-506a-490e-9a8c-71831c7713a4", "type": "Flag",
    "actor": "https://mastodon.example/actor", "content": "Please take a look at this user and their posts",
    "object": [NOE, "https://other.example/posts/380590"], "to": NOE,
}  # fmt: skip
LIKE = {"@context": CONTEXT, "id": f"{LEA}#likes/1", "type": "Like", "actor": LEA, "object": f"{NOE}/statuses/1"}
NOTE = {
    "@context": CONTEXT, "id": f"{LEA}/statuses/1/activity", "type": "Create", "actor": LEA,
    "published": "2025-03-01T12:00:00Z", "object": {"id": f"{LEA}/statuses/1", "type": "Note", "content": "<p>Hi</p>"},
}  # fmt: skip
BARE_UNDO = {**UNDO, "object": FOLLOW_ID}
REVOKED = {**UNDO, "actor": NOE, "object": ACCEPT}
ACTIVITIES = [FOLLOW, UNDO, BARE_UNDO, ACCEPT, REVOKED, REJECT, BLOCK, DELETE, MOVE, FLAG, LIKE, NOTE]

CREATED = {"type": "follow.created", "data": {"follower": LEA, "followee": NOE, "record": f"{LEA} {FOLLOW_ID}"}}
ENDED = {"type": "follow.deleted", "data": {"follower": LEA, "followee": NOE}}
ENDED_RECORD = {"type": "follow.deleted", "data": {"record": f"{LEA} {FOLLOW_ID}"}}
ENDED_BOTH = {"type": "follow.deleted", "data": {**ENDED["data"], **ENDED_RECORD["data"]}}  # type: ignore[dict-item]
DELETED = {"type": "account.deleted", "data": {"account": LEA}}


def without(activity: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in activity.items() if name not in names}


@pytest.mark.parametrize(
    ("activity", "events"),
    [
        (FOLLOW, [CREATED]),
        (UNDO, [ENDED_BOTH]),
        (BARE_UNDO, [ENDED_RECORD]),
        ({**UNDO, "object": {"id": FOLLOW_ID}}, [ENDED_RECORD]),
        ({**UNDO, "object": without(EMBEDDED, "object")}, [ENDED_RECORD]),
        ({**UNDO, "object": without(EMBEDDED, "id", "actor")}, [ENDED]),
        (REJECT, [ENDED]),
        ({**REJECT, "object": without(EMBEDDED, "object")}, [ENDED]),
        (REVOKED, [ENDED]),
        ({**UNDO, "actor": NOE, "object": without(ACCEPT, "actor", "id")}, [ENDED]),
        (BLOCK, [ENDED, {"type": "follow.deleted", "data": {"follower": NOE, "followee": LEA}}]),
        (DELETE, [DELETED]),
        ({**DELETE, "object": {"id": LEA, "type": "Person"}}, [DELETED]),
        ({**DELETE, "object": {"id": f"{LEA}/statuses/1", "type": "Tombstone"}}, []),
        (ACCEPT, []),
        (MOVE, []),
        (FLAG, []),
        (LIKE, []),
        (NOTE, []),
        ({**UNDO, "object": LIKE}, []),
        ({**UNDO, "object": BLOCK}, []),
        ({**REJECT, "object": {**LIKE, "type": "QuoteRequest"}}, []),
        ({"type": "Something", "actor": 5}, []),
    ],
)
def test_what_an_activity_says(activity: dict[str, Any], events: list[Any]) -> None:
    assert ADAPTER.events(activity) == events
    assert all(item.code is None for item in read(ADAPTER, [activity]))


@pytest.mark.parametrize(
    "activity",
    [
        without(FOLLOW, "@context"),
        {**FOLLOW, "@context": ["https://w3id.org/security/v1", {"x": {"@id": "y"}}], "cc": [], "signature": {"a": 1}},
        {**FOLLOW, "type": ["Follow"]},
        {**FOLLOW, "type": ["https://x.example/Wish", "Follow"]},
        {**FOLLOW, "actor": {"id": LEA, "type": "Person", "name": "Léa"}, "object": {"id": NOE}},
        {**FOLLOW, "actor": [LEA], "object": [{"id": NOE, "type": "Service"}]},
        {**FOLLOW, "id": f" {FOLLOW_ID} "},
    ],
)
def test_the_same_follow_in_other_words(activity: dict[str, Any]) -> None:
    assert ADAPTER.events(activity) == [CREATED]
    assert read(ADAPTER, [activity])[0].said == read(ADAPTER, [FOLLOW])[0].said


@pytest.mark.parametrize("activity", [without(FOLLOW, "id"), {**FOLLOW, "id": None}, {**FOLLOW, "id": " "}])
def test_activities_may_have_no_id(activity: dict[str, Any]) -> None:
    assert ADAPTER.events(activity) == [{"type": "follow.created", "data": {"follower": LEA, "followee": NOE}}]


@pytest.mark.parametrize("activity", [FOLLOW, UNDO, REJECT, DELETE])
def test_published_is_the_time_and_without_it_when_it_came(activity: dict[str, Any]) -> None:
    times = {one.at for one in read(ADAPTER, [activity])[0].said}
    assert times == {NOW}
    dated = {**activity, "published": "2025-03-01T12:00:00Z"}
    assert [event["timestamp"] for event in ADAPTER.events(dated)] == ["2025-03-01T12:00:00Z"]
    assert {one.at for one in read(ADAPTER, [dated])[0].said} == {1_740_830_400_000}


@pytest.mark.parametrize(
    ("activity", "code"),
    [
        (["Follow"], "bad_event"),
        ("Follow", "bad_event"),
        ({}, "missing_field"),
        (without(FOLLOW, "actor"), "missing_field"),
        (without(FOLLOW, "object"), "missing_field"),
        ({**FOLLOW, "object": [NOE, MALLORY]}, "bad_id"),
        ({**FOLLOW, "object": []}, "bad_id"),
        ({**FOLLOW, "object": {"type": "Person"}}, "bad_id"),
        ({**FOLLOW, "actor": 2**60}, "bad_id"),
        ({**FOLLOW, "actor": "lea"}, "bad_id"),
        ({**FOLLOW, "actor": f"{LEA} {NOE}"}, "bad_id"),
        ({**FOLLOW, "id": 2**60}, "bad_id"),
        ({**FOLLOW, "published": 1_740_830_400}, "bad_time"),
        ({**UNDO, "object": {}}, "missing_field"),
        ({**UNDO, "object": without(EMBEDDED, "id", "object")}, "missing_field"),
        ({**UNDO, "actor": MALLORY}, "foreign_follow"),
        ({**UNDO, "actor": MALLORY, "object": ACCEPT}, "foreign_follow"),
        ({**UNDO, "actor": MALLORY, "object": without(ACCEPT, "actor")}, "foreign_follow"),
        ({**REJECT, "actor": MALLORY}, "foreign_follow"),
        ({**REJECT, "object": FOLLOW_ID}, "unnamed_follower"),
        ({**REJECT, "object": {"id": FOLLOW_ID}}, "unnamed_follower"),
        ({**UNDO, "actor": NOE, "object": {**ACCEPT, "object": FOLLOW_ID}}, "unnamed_follower"),
    ],
)
def test_what_cannot_be_used(activity: Any, code: str) -> None:
    with pytest.raises(Unusable) as raised:
        ADAPTER.events(activity)
    assert raised.value.code == code
    [item] = read(ADAPTER, [activity])
    assert item.code == code
    if code not in ("bad_event", "missing_field", "bad_id", "bad_time"):
        assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize(
    ("activity", "code"),
    [
        ({**FOLLOW, "object": LEA}, "self_loop"),
        ({**FOLLOW, "actor": f"https://mastodon.example/users/{'l' * 300}"}, "bad_id"),
        ({**FOLLOW, "id": f"{FOLLOW_ID}{'9' * 1_000}"}, "bad_id"),
        ({**FOLLOW, "published": "yesterday"}, "bad_time"),
        ({**FOLLOW, "published": "2031-03-01T12:00:00Z"}, "time_in_future"),
    ],
)
def test_what_our_events_refuse_is_a_dead_letter(activity: dict[str, Any], code: str) -> None:
    assert [item.code for item in read(ADAPTER, [FOLLOW, activity, UNDO])] == [None, code, None]


def test_nobody_ends_or_makes_follows_of_others() -> None:
    """All that Mallory can send that names Léa's follow of Noé leaves it as it is."""
    forged = [
        {**EMBEDDED, "object": MALLORY},
        {**EMBEDDED, "actor": LEA, "object": NOE},
        FOLLOW_ID,
        {"id": FOLLOW_ID},
        without(EMBEDDED, "actor"),
        without(EMBEDDED, "object"),
        {**ACCEPT, "object": {**EMBEDDED, "object": MALLORY}},
        LEA,
        {"id": LEA, "type": "Person"},
    ]
    kinds = ["Undo", "Reject", "Accept", "Delete", "Block", "Update", "Announce"]
    sent = [{"id": FOLLOW_ID, "type": kind, "actor": MALLORY, "object": one} for kind in kinds for one in forged]
    sent += [{"type": "Undo", "actor": MALLORY, "object": {**one, "actor": MALLORY}} for one in sent]
    items = [item for at, one in enumerate(sent) for item in read(ADAPTER, [one], NOW + at)]
    said: Said = [one for item in items for one in item.said]
    assert len(said) > 10
    follow = said_by(read(ADAPTER, [FOLLOW]))
    assert live_pairs([*follow, *said]) == keys("mastodon", [(LEA, NOE)])
    other = said_by(read(ADAPTER, [{**FOLLOW, "object": MALLORY}]))
    assert live_pairs([*other, *said]) == set(), "but Mallory need not be followed"


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_kept(value: Any) -> None:
    assert_read_or_kept(ADAPTER, value)


@given(spoiled(ACTIVITIES))
@settings(max_examples=1_000, deadline=None)
def test_any_spoiled_activity_is_read_or_kept(activity: Any) -> None:
    assert_read_or_kept(ADAPTER, activity)


ACCOUNTS = [LEA, NOE, "https://pixel.example/@ana", "https://mastodon.example/users/ben"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["follow", "follow", "follow", "undo", "undo by id", "reject", "revoke", "block", "delete"]),
        st.permutations(range(len(ACCOUNTS))).map(lambda order: order[:2]),
        st.booleans(),
    ),
    max_size=25,
)


class Server:
    """A server as ActivityPub describes it, that keeps who follows whom, and writes down what was sent to it."""

    def __init__(self) -> None:
        self.live: dict[Pair, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.sent: list[dict[str, Any]] = []

    def step(self, what: str, one: str, other: str, odd: bool) -> None:
        """Do something, where it makes sense: `odd` ways are without an id, or with lists in place of values."""
        pair = (one, other)
        follow = self.live.get(pair)
        number = len(self.sent)
        if {one, other} & self.gone or (what in ("undo", "undo by id", "reject", "revoke")) == (follow is None):
            return
        if what == "follow" and follow is None:
            follow = {"id": f"{one}#follows/{number}", "type": "Follow", "actor": one, "object": [other]}
            self.live[pair] = without(follow, "id") if odd else follow
            self.sent.append(self.live[pair])
        elif what in ("undo", "undo by id") and follow is not None:
            del self.live[pair]
            by_id = what == "undo by id" and "id" in follow
            self.sent.append({"type": ["Undo"], "actor": one, "object": follow["id"] if by_id else [follow]})
        elif what in ("reject", "revoke") and follow is not None:
            del self.live[pair]
            rejected = {"type": "Reject", "actor": {"id": other}, "object": without(follow, "id") if odd else follow}
            self.sent.append(
                rejected
                if what == "reject"
                else {"type": "Undo", "actor": other, "object": {"type": "Accept", "actor": other, "object": follow}}
            )
        elif what == "block":
            for ended in (pair, (other, one)):
                self.live.pop(ended, None)
            self.sent.append({"id": f"{one}#blocks/{number}", "type": "Block", "actor": one, "object": other})
        elif what == "delete" and odd:
            self.gone.add(one)
            self.live = {pair: follow for pair, follow in self.live.items() if one not in pair}
            self.sent.append({"type": "Delete", "actor": one, "object": {"id": one, "type": "Person"}})


def happened(steps: list[Any]) -> Server:
    server = Server()
    for what, (one, other), odd in steps:
        server.step(what, ACCOUNTS[one], ACCOUNTS[other], odd)
    return server


@given(STEPS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_with_times_any_order_and_repeats_give_what_the_server_has(steps: list[Any], chance: random.Random) -> None:
    server = happened(steps)
    sent = [{**one, "published": f"2026-09-01T14:00:{second:02}.5+02:00"} for second, one in enumerate(server.sent)]
    sent += chance.choices(sent, k=5) if sent else []
    chance.shuffle(sent)
    said = [one for activity in sent for one in said_by(read(ADAPTER, [activity]))]
    assert live_pairs(said) == keys("mastodon", server.live)


@given(STEPS, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_without_times_what_comes_in_order_gives_what_the_server_has(steps: list[Any], chance: random.Random) -> None:
    """Follows that have an id may come again, even after they ended through their follower."""
    server = happened(steps)
    said: Said = []
    for at, activity in enumerate(server.sent):
        said += said_by(read(ADAPTER, [activity], NOW + at))
    undone = [one["object"] for one in server.sent if one["type"] == ["Undo"]]
    ended = [one[0] if isinstance(one, list) else next(x for x in server.sent if x.get("id") == one) for one in undone]
    for activity in [one for one in ended if "id" in one]:
        said += said_by(read(ADAPTER, [activity], NOW + 1_000))
    assert live_pairs(said) == keys("mastodon", server.live)


@pytest.mark.parametrize("undo", [UNDO, BARE_UNDO])
def test_without_times_an_undo_that_comes_before_its_follow_ends_it(undo: dict[str, Any]) -> None:
    said = said_by(read(ADAPTER, [undo])) + said_by(read(ADAPTER, [FOLLOW], NOW + 5_000))
    assert live_pairs(said) == set()


def test_deliveries_are_signed_as_standard_webhooks() -> None:
    assert adapter_of("mastodon") is ADAPTER
    secret, body, now = new_secret(), json.dumps(FOLLOW).encode(), NOW // 1_000
    headers = {"webhook-id": "m1", "webhook-timestamp": str(now), "webhook-signature": sign(secret, "m1", now, body)}
    delivered = ADAPTER.delivered(headers, body, {"k1": secret}, now)
    assert (delivered.id, delivered.secret, delivered.answer, delivered.same_body) == ("m1", "k1", None, True)
    signed_as_in_the_fediverse = {"signature": 'keyId="https://mastodon.example/users/lea#main-key",signature="YQ=="'}
    for wrong in (signed_as_in_the_fediverse, {**headers, "webhook-signature": sign(new_secret(), "m1", now, body)}):
        with pytest.raises(SignatureInvalid):
            ADAPTER.delivered(wrong, body, {"k1": secret}, now)


def test_examples_of_the_page_become_what_it_says() -> None:
    for payload, events in examples_of(PAGE):
        assert ADAPTER.events(payload) == events
        assert read(ADAPTER, [payload])[0].code is None


def test_notifications_are_read_by_the_mapping_of_the_page() -> None:
    """Example: https://docs.joinmastodon.org/methods/streaming/#notification, of other types."""
    [mapping] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    reader = Reader("mapped", mapping_of(mapping.encode(), "the page"))
    account = {"id": "108892712797543112", "username": "a", "acct": "a@pl.example", "display_name": "a", "bot": True,
               "url": "https://pl.example/users/a", "followers_count": 3, "note": "<p>a</p>"}  # fmt: skip
    status = {"id": "108914343542683797", "uri": "https://mastodon.social/users/shop/statuses/1", "content": "<p>b</p>"}
    said = {"id": "68739215", "created_at": "2022-08-30T23:09:54.070Z", "account": account}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("follow", {}), ("favourite", {"status": status}), ("reblog", {"status": status}), ("poll", {"status": status}),
    ]  # fmt: skip
    body = json.dumps([{**said, "type": kind, **more} for kind, more in kinds]).encode()
    tried = try_example(reader, "mastodon-profiles", body)
    assert [one.status for one in tried.items] == ["accepted", "accepted", "accepted", "ignored"]
    follow, profile = (one.event for one in tried.items[0].events)
    pair = {"follower": account["url"], "followee": "https://mastodon.social/@shop"}
    assert follow == {"type": "follow.created", "data": {**pair, "at": "2022-08-30T23:09:54.070Z"}}
    assert profile["data"]["handle"] == "a@pl.example"
    assert [one.event["data"]["kind"] for item in tried.items[1:3] for one in item.events] == ["like", "repost"]
