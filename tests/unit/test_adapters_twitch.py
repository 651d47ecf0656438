"""Twitch EventSub as events: who sent it, challenges, revocations, follows, and laws over anything else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters import Delivered, Unusable, adapter_of
from service.adapters.standard_webhooks import new_secret, sign
from service.domain import Follow, Reader
from service.errors import BadInput, MalformedBody, NotFound, SignatureInvalid
from service.files.events import read_body
from service.flows.trying import try_example
from tests.unit.adapter_reading import AT, IDS, JSON, changed, from_json, items, plain_hmac, read

TWITCH = adapter_of("twitch")

# Headers and bodies are those of https://dev.twitch.tv/docs/eventsub/handling-webhook-events/ and, for channel.follow,
# of https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/#channelfollow.
MESSAGE = "e76c6bd4-55c9-4987-8304-da1588d8988b"
SENT = "2019-11-16T10:11:12.634234626Z"
SENT_AT = datetime(2019, 11, 16, 10, 11, 12, tzinfo=UTC).timestamp()
SECRETS = {"new": "whsec_" + "B" * 44, "old": "s3cre7s3cre7"}
SUBSCRIPTION = {
    "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
    "status": "enabled",
    "type": "channel.follow",
    "version": "2",
    "cost": 0,
    "condition": {"broadcaster_user_id": "1337", "moderator_user_id": "1337"},
    "transport": {"method": "webhook", "callback": "https://example.com/webhooks/callback"},
    "created_at": "2019-11-16T10:11:12.634234626Z",
}
FOLLOW: dict[str, Any] = {
    "subscription": SUBSCRIPTION,
    "event": {
        "user_id": "1234",
        "user_login": "cool_user",
        "user_name": "Cool_User",
        "broadcaster_user_id": "1337",
        "broadcaster_user_login": "cooler_user",
        "broadcaster_user_name": "Cooler_User",
        "followed_at": "2020-07-15T18:16:11.17106713Z",
    },
}
FOLLOWED_AT = 1_594_836_971_171
CHALLENGE = {
    "challenge": "pogchamp-kappa-360noscope-vohiyo",
    "subscription": SUBSCRIPTION | {"status": "webhook_callback_verification_pending"},
}
REVOCATION = {"subscription": SUBSCRIPTION | {"status": "authorization_revoked"}}
# https://dev.twitch.tv/docs/eventsub/websocket-reference/
ON_A_WEBSOCKET = {
    "metadata": {
        "message_id": "befa7b53-d79d-478f-86b9-120f112b044e",
        "message_type": "notification",
        "message_timestamp": "2022-11-16T10:11:12.464757833Z",
        "subscription_type": "channel.follow",
        "subscription_version": "2",
    },
    "payload": FOLLOW,
}


def signed(
    body: bytes,
    *,
    secret: str = SECRETS["new"],
    message: str = MESSAGE,
    sent: str = SENT,
    kind: str = "notification",
) -> dict[str, str]:
    """Headers as Twitch sends them: HMAC-SHA256 over id, time and body, in hexadecimal."""
    digest = plain_hmac(secret.encode(), message.encode() + sent.encode() + body)
    return {
        "twitch-eventsub-message-id": message,
        "twitch-eventsub-message-retry": "0",
        "twitch-eventsub-message-type": kind,
        "twitch-eventsub-message-signature": "sha256=" + digest.hex(),
        "twitch-eventsub-message-timestamp": sent,
        "twitch-eventsub-subscription-type": "channel.follow",
        "twitch-eventsub-subscription-version": "2",
    }


BODY = json.dumps(FOLLOW).encode()


def delivered(headers: Mapping[str, str], body: bytes = BODY, now: float = SENT_AT + 1) -> Delivered:
    return TWITCH.delivered(headers, body, SECRETS, now)


def without(item: dict[str, Any], *path: str) -> dict[str, Any]:
    """The same without one of its members."""
    rest = copy.deepcopy(item)
    of = rest
    for name in path[:-1]:
        of = of[name]
    del of[path[-1]]
    return rest


# --- who sent it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["new", "old"])
def test_a_message_signed_with_any_live_secret_is_taken(secret: str) -> None:
    assert delivered(signed(BODY, secret=SECRETS[secret])) == Delivered(MESSAGE, secret, None, same_body=False)


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    """Made by `printf %s id time body | openssl dgst -sha256 -hmac s3cre7s3cre7`."""
    headers = signed(b"{}", secret="s3cre7s3cre7")
    right = "sha256=80ab6d99aa692ce15f1fbf421dc26e9a72530927cfd4e9b912116d8b8ae56b83"
    assert headers["twitch-eventsub-message-signature"] == right
    assert delivered(headers, b"{}").secret == "old"


def test_what_twitchs_own_tool_sends_is_taken() -> None:
    """Sent by `twitch event trigger follow -s SECRET -f 9007199254740993 -t 1337` (github.com/twitchdev/twitch-cli)."""
    sent = "2026-11-30T07:42:23.967774059Z"
    body = (
        b'{"subscription":{"id":"49f32cdb-3e23-e7df-0f26-41c8c5a92914","status":"enabled","type":"channel.follow",'
        b'"version":"2","condition":{"broadcaster_user_id":"1337","moderator_user_id":"9007199254740993"},'
        b'"transport":{"method":"webhook","callback":"null"},"created_at":"2026-11-30T07:42:23.967774059Z","cost":0},'
        b'"event":{"user_id":"9007199254740993","user_login":"testFromUser","user_name":"testFromUser",'
        b'"broadcaster_user_id":"1337","broadcaster_user_login":"testBroadcaster",'
        b'"broadcaster_user_name":"testBroadcaster","followed_at":"2026-11-30T07:42:23.967774059Z"}}'
    )
    headers = {
        "twitch-eventsub-message-id": "94800393-d608-fee5-d2c2-d7a6337eeb1a",
        "twitch-eventsub-message-retry": "0",
        "twitch-eventsub-message-signature": "sha256=99bbfdff31ceaeffda2544f566c942a4a2854491517cc62eb495f4cf682f223c",
        "twitch-eventsub-message-timestamp": sent,
        "twitch-eventsub-message-type": "notification",
        "twitch-eventsub-subscription-type": "channel.follow",
        "twitch-eventsub-subscription-version": "2",
    }
    secrets = {"ours": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA="}
    taken = TWITCH.delivered(headers, body, secrets, datetime.fromisoformat("2026-11-30T07:42:25+00:00").timestamp())
    assert taken == Delivered("94800393-d608-fee5-d2c2-d7a6337eeb1a", "ours", None, same_body=False)
    at = 1_796_024_543_967
    assert read("twitch", json.loads(body)).follows == [Follow("twitch:9007199254740993", "twitch:1337", 1.0, at)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"twitch-eventsub-message-signature": "sha256=" + "0" * 64}, "signature"),
        ({"twitch-eventsub-message-signature": "sha256="}, "signature"),
        ({"twitch-eventsub-message-signature": "ü" * 10}, "signature"),
        ({"twitch-eventsub-message-signature": "\ud800"}, "signature"),
        ({"twitch-eventsub-message-id": "another"}, "signature"),
        ({"twitch-eventsub-message-id": "two words"}, "id"),
        ({"twitch-eventsub-message-id": "x" * 256}, "id"),
        ({"twitch-eventsub-message-id": "é"}, "id"),
        ({"twitch-eventsub-message-timestamp": "2019-11-16T10:11:13.634234626Z"}, "signature"),
        ({"twitch-eventsub-message-timestamp": "2019-11-16T10:11:12.634234626+00:00"}, "signature"),
        ({"twitch-eventsub-message-timestamp": "2019-11-16T10:11:12.634234626"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "2019-11-16"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "1573899072"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "2019-13-16T10:11:12Z"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "2019-11-16T24:00:00Z"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": "٢٠١٩-11-16T10:11:12Z"}, "timestamp"),
        ({"twitch-eventsub-message-timestamp": SENT + "\n"}, "timestamp"),
    ],
)
def test_a_message_that_was_changed_is_refused_and_the_header_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(SignatureInvalid, match=f"twitch-eventsub-message-{named} "):
        delivered(signed(BODY) | change)


@pytest.mark.parametrize(
    "spell",
    [str.upper, lambda given: given[:-1], lambda given: given + "0", lambda given: given.removeprefix("sha256="),
     lambda given: given.replace("sha256=", "sha1="), lambda given: " " + given],
)  # fmt: skip
def test_a_signature_is_spelled_in_one_way(spell: Any) -> None:
    headers = signed(BODY)
    given = headers["twitch-eventsub-message-signature"]
    with pytest.raises(SignatureInvalid, match="twitch-eventsub-message-signature "):
        delivered(headers | {"twitch-eventsub-message-signature": spell(given)})


def test_a_wrong_secret_or_another_body_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match="signature"):
        delivered(signed(BODY, secret="a secret of somebody else"))
    with pytest.raises(SignatureInvalid, match="signature"):
        delivered(signed(BODY), BODY + b" ")
    with pytest.raises(SignatureInvalid, match="signature"):
        TWITCH.delivered(signed(BODY), BODY, {}, SENT_AT)


@pytest.mark.parametrize("name", ["id", "timestamp", "type", "signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    headers = signed(BODY)
    if value is None:
        del headers[f"twitch-eventsub-message-{name}"]
    else:
        headers[f"twitch-eventsub-message-{name}"] = value
    with pytest.raises(SignatureInvalid, match=f"twitch-eventsub-message-{name} is missing"):
        delivered(headers)


def test_messages_older_than_ten_minutes_are_refused() -> None:
    assert delivered(signed(BODY), now=SENT_AT + 600).id == MESSAGE
    assert delivered(signed(BODY), now=SENT_AT - 60).id == MESSAGE
    with pytest.raises(SignatureInvalid, match="twitch-eventsub-message-timestamp is more than 10 minutes ago"):
        delivered(signed(BODY), now=SENT_AT + 601)


def test_a_time_with_an_offset_is_that_time() -> None:
    sent = "2019-11-16T12:11:12.634234626+02:00"
    assert delivered(signed(BODY, sent=sent), now=SENT_AT + 600).id == MESSAGE
    with pytest.raises(SignatureInvalid, match="timestamp"):
        delivered(signed(BODY, sent=sent), now=SENT_AT + 601)


def test_what_is_signed_can_be_cut_into_id_time_and_body_in_one_way_only() -> None:
    """Nothing stands between the three: whoever saw a message must not be able to make another one of it."""
    body = json.dumps(FOLLOW, separators=(",", ":")).encode()
    whole = MESSAGE.encode() + SENT.encode() + body
    headers = signed(body)
    taken = []
    for first in range(1, len(whole)):
        for second in range(first + 1, min(first + 40, len(whole)) + 1):
            message, sent = whole[:first].decode(), whole[first:second].decode()
            cut = headers | {"twitch-eventsub-message-id": message, "twitch-eventsub-message-timestamp": sent}
            with suppress(SignatureInvalid):
                delivered(cut, whole[second:])
                taken.append(whole[second:])
    assert body in taken
    for one in taken:
        if one != body:
            with pytest.raises(MalformedBody):
                read_body(one)


def test_a_repeated_message_has_the_same_id_and_the_first_one_stands() -> None:
    again = json.dumps(FOLLOW | {"more": 1}).encode()
    one, other = delivered(signed(BODY)), delivered(signed(again, sent="2019-11-16T10:15:12Z"), again)
    assert one.id == other.id == MESSAGE
    assert not one.same_body


def test_a_forwarder_signs_as_standard_webhooks_says() -> None:
    secret, body = new_secret(), json.dumps([ON_A_WEBSOCKET]).encode()
    headers = {
        "webhook-id": ON_A_WEBSOCKET["metadata"]["message_id"],  # type: ignore[index]
        "webhook-timestamp": "1700000000",
        "webhook-signature": sign(secret, ON_A_WEBSOCKET["metadata"]["message_id"], 1_700_000_000, body),  # type: ignore[index]
    }
    taken = TWITCH.delivered(headers, body, {"s": "not of that form", "t": secret}, 1_700_000_010)
    assert taken == Delivered("befa7b53-d79d-478f-86b9-120f112b044e", "t")
    with pytest.raises(SignatureInvalid):
        TWITCH.delivered(headers, body + b" ", {"t": secret}, 1_700_000_010)
    with pytest.raises(SignatureInvalid):  # not by Twitch's own headers instead
        TWITCH.delivered(signed(BODY) | {"webhook-signature": "v1,AAAA"}, BODY, SECRETS, SENT_AT)


def test_nothing_is_asked_by_get() -> None:
    with pytest.raises(NotFound):
        TWITCH.challenged({"crc_token": "1"}, SECRETS)


# --- challenges and revocations ---------------------------------------------------------------------------------


def test_a_challenge_is_answered_once_it_is_certain_who_asks() -> None:
    body = json.dumps(CHALLENGE).encode()
    taken = delivered(signed(body, kind="webhook_callback_verification"), body)
    assert taken == Delivered(MESSAGE, "new", "pogchamp-kappa-360noscope-vohiyo", same_body=False)
    with pytest.raises(SignatureInvalid):
        delivered(signed(body, kind="webhook_callback_verification", secret="another one"), body)


def test_a_challenge_can_be_tried_without_headers() -> None:
    tried = try_example(Reader("twitch", None), None, json.dumps(CHALLENGE).encode())
    assert [(one.status, one.answer, one.events) for one in tried.items] == [("challenge", CHALLENGE["challenge"], ())]
    follow = {**FOLLOW, "challenge": "x"}
    assert try_example(Reader("twitch", None), None, json.dumps(follow).encode()).challenges == 0
    unsaid = {**CHALLENGE, "challenge": "a\nb"}
    assert try_example(Reader("twitch", None), None, json.dumps(unsaid).encode()).rejected == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"\xff", b"[" * 100_000, b"{}", b"[]", b'"pogchamp"', b'{"challenge": ""}', b'{"challenge": 5}',
     b'{"challenge": null}', b'{"challenge": ["a"]}', b'{"challenge": "a\\nb"}', b'{"challenge": "\\ud800"}',
     '{"challenge": "é"}'.encode(), b'{"challenge": "' + b"a" * 1_025 + b'"}'],
)  # fmt: skip
def test_a_challenge_that_cannot_be_answered_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput) as raised:
        delivered(signed(body, kind="webhook_callback_verification"), body)
    assert not isinstance(raised.value, SignatureInvalid)


def test_only_a_message_that_asks_is_answered() -> None:
    body = json.dumps(CHALLENGE).encode()
    assert delivered(signed(body), body).answer is None


# https://dev.twitch.tv/docs/api/reference/#get-eventsub-subscriptions lists what statuses there are.
@pytest.mark.parametrize(
    "status",
    ["authorization_revoked", "user_removed", "moderator_removed", "notification_failures_exceeded", "version_removed",
     "chat_user_banned", "what Twitch may add"],
)  # fmt: skip
@pytest.mark.parametrize("on_a_websocket", [False, True])
def test_a_revocation_is_kept_as_a_dead_letter_that_says_why(status: str, on_a_websocket: bool) -> None:
    item: Any = {"subscription": SUBSCRIPTION | {"status": status}}
    body = json.dumps(item).encode()
    assert delivered(signed(body, kind="revocation"), body) == Delivered(MESSAGE, "new", None, same_body=False)
    if on_a_websocket:
        item = {"metadata": {"message_type": "revocation"}, "payload": item}
    found = read("twitch", item)
    assert found.code == "revoked"
    assert found.message is not None
    assert "channel.follow" in found.message
    assert (status if " " not in status else "unknown") in found.message
    assert "subscribe again" in found.message


def test_a_revocation_of_anything_is_told() -> None:
    for kind in ("stream.online", "\ud800", 5, {"a": 1}):
        item = {"subscription": SUBSCRIPTION | {"type": kind, "status": "user_removed"}}
        assert read("twitch", item).code == "revoked"


def test_a_message_of_a_type_that_is_not_known_is_a_dead_letter() -> None:
    body = b'{"news": "of a kind that Twitch may add"}'
    assert delivered(signed(body, kind="something_new"), body).answer is None
    assert read("twitch", json.loads(body)).code == "missing_field"


# --- follows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", [FOLLOW, ON_A_WEBSOCKET, from_json(json.dumps(FOLLOW))])
def test_the_documented_follow(item: Any) -> None:
    assert TWITCH.events(item) == [
        {
            "type": "follow.created",
            "timestamp": "2020-07-15T18:16:11.17106713Z",
            "data": {"follower": "1234", "followee": "1337"},
        },
        {
            "type": "account.upserted",
            "timestamp": "2020-07-15T18:16:11.17106713Z",
            "data": {"account": "1234", "handle": "cool_user", "name": "Cool_User"},
        },
        {
            "type": "account.upserted",
            "timestamp": "2020-07-15T18:16:11.17106713Z",
            "data": {"account": "1337", "handle": "cooler_user", "name": "Cooler_User"},
        },
    ]
    found = read("twitch", item)
    assert found.follows == [Follow("twitch:1234", "twitch:1337", 1.0, FOLLOWED_AT)]
    assert found.accounts == {
        "twitch:1234": {"at": FOLLOWED_AT, "handle": "cool_user", "name": "Cool_User"},
        "twitch:1337": {"at": FOLLOWED_AT, "handle": "cooler_user", "name": "Cooler_User"},
    }


def test_a_follow_without_a_time_happened_when_it_came() -> None:
    for followed_at in (None, ""):
        found = read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], "followed_at": followed_at}})
        assert found.follows == [Follow("twitch:1234", "twitch:1337", 1.0, AT)]
    assert read("twitch", without(FOLLOW, "event", "followed_at")).follows[0].at == AT


@pytest.mark.parametrize("followed_at", ["yesterday", True, {}, [], "2020-07-15T18:16:11", -1, "2999-01-01T00:00:00Z"])
def test_a_follow_with_a_time_that_cannot_be_read_is_a_dead_letter(followed_at: Any) -> None:
    found = read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], "followed_at": followed_at}})
    assert found.code in ("bad_time", "time_in_future")


@pytest.mark.parametrize("name", ["user_id", "broadcaster_user_id"])
def test_a_follow_without_one_of_its_accounts_is_a_dead_letter_that_names_it(name: str) -> None:
    for item in (
        without(FOLLOW, "event", name),
        {**FOLLOW, "event": {**FOLLOW["event"], name: None}},
        {**FOLLOW, "event": {**FOLLOW["event"], name: ""}},
    ):
        with pytest.raises(Unusable) as raised:
            TWITCH.events(item)
        assert (raised.value.code, raised.value.message) == ("missing_field", f"There is no {name}.")


@pytest.mark.parametrize("value", [True, 1.5, {}, {"a": 1}, ["1"], " ", "a\0b", "x" * 257])
@pytest.mark.parametrize("name", ["user_id", "broadcaster_user_id"])
def test_an_id_that_is_none_is_a_dead_letter(name: str, value: Any) -> None:
    found = read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], name: value}})
    assert found.code in ("bad_id", "empty_id", "missing_field")


@pytest.mark.parametrize("item", [None, 5, "text", [], [FOLLOW], {}, {"subscription": None}, {"subscription": {}},
                                  {"event": FOLLOW["event"]}, {"subscription": SUBSCRIPTION},
                                  {"subscription": SUBSCRIPTION, "event": None}, {"metadata": {}}, {"metadata": 5},
                                  {"subscription": {"type": "channel.follow"}},
                                  {"metadata": {"message_type": "notification"}, "payload": 5}])  # fmt: skip
def test_what_is_no_message_is_unusable(item: Any) -> None:
    with pytest.raises(Unusable) as raised:
        TWITCH.events(item)
    assert raised.value.code == "missing_field"


@pytest.mark.parametrize("event", [5, "text", [], [FOLLOW["event"]], False])
def test_an_event_that_is_no_object_is_unusable(event: Any) -> None:
    with pytest.raises(Unusable) as raised:
        TWITCH.events({**FOLLOW, "event": event})
    assert raised.value.code == "bad_event"


@pytest.mark.parametrize("name", ["user_login", "user_name", "broadcaster_user_login", "broadcaster_user_name"])
@pytest.mark.parametrize("value", [None, "", " ", 5, True, {}, ["a"], "a\0b", "\ud800", "x" * 257, "@", "https://a/"])
def test_an_odd_name_does_not_cost_the_follow(name: str, value: Any) -> None:
    found = read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], name: value}})
    assert found.follows == [Follow("twitch:1234", "twitch:1337", 1.0, FOLLOWED_AT)]
    field = "handle" if name.endswith("login") else "name"
    key = "twitch:1337" if name.startswith("broadcaster") else "twitch:1234"
    kept = value if field == "name" and value in ("@", "https://a/") else None
    assert found.accounts[key].get(field) == kept


def test_names_in_any_script_are_kept() -> None:
    found = read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], "user_name": "쿨유저 ✓"}})
    assert found.accounts["twitch:1234"]["name"] == "쿨유저 ✓"


def test_a_follow_of_which_no_names_are_known_says_nothing_of_the_accounts() -> None:
    item = {"subscription": SUBSCRIPTION, "event": {"user_id": "1", "broadcaster_user_id": "2"}}
    assert TWITCH.events(item) == [{"type": "follow.created", "data": {"follower": "1", "followee": "2"}}]


def test_what_nobody_knows_is_passed_over() -> None:
    item = {**FOLLOW, "new": [1], "event": {**FOLLOW["event"], "user_mood": "good", "type": "account.erased"}}
    assert TWITCH.events(item) == TWITCH.events(FOLLOW)


def test_later_names_stand_also_when_they_come_first() -> None:
    """What is said of an account has the time of the follow, not that of its arrival."""
    later = {
        **FOLLOW["event"],
        "user_login": "renamed",
        "followed_at": "2021-07-15T18:16:11Z",
        "broadcaster_user_id": "9",
    }
    found = read("twitch", {**FOLLOW, "event": later})
    assert found.accounts["twitch:1234"]["at"] > read("twitch", FOLLOW).accounts["twitch:1234"]["at"]


@pytest.mark.parametrize("text", ["9007199254740993", "18446744073709551617"])
def test_ids_beyond_2_to_the_53_keep_every_digit(text: str) -> None:
    for written in (text, f'"{text}"'):
        item = from_json(json.dumps(FOLLOW).replace('"1234"', written))
        assert read("twitch", item).follows[0].follower == f"twitch:{text}"


def test_somebody_who_follows_himself_is_a_dead_letter() -> None:
    assert read("twitch", {**FOLLOW, "event": {**FOLLOW["event"], "user_id": "1337"}}).code == "self_loop"


@pytest.mark.parametrize("kind", ["stream.online", "channel.update", "channel.subscribe", "user.update"])
def test_other_subscriptions_are_ignored(kind: str) -> None:
    found = read("twitch", {"subscription": SUBSCRIPTION | {"type": kind}, "event": FOLLOW["event"]})
    assert found.ignored
    assert found.code is None


@pytest.mark.parametrize("kind", ["session_welcome", "session_keepalive", "session_reconnect"])
def test_what_a_websocket_says_of_itself_is_ignored(kind: str) -> None:
    assert read("twitch", {"metadata": {"message_type": kind}, "payload": {"session": {"id": "a"}}}).ignored
    assert read("twitch", {"metadata": {"message_type": kind}, "payload": {}}).ignored


def test_the_example_of_the_page_becomes_what_it_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "platforms" / "twitch.md"
    sent, becomes = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert TWITCH.events(json.loads(sent)) == json.loads(becomes)
    assert read("twitch", json.loads(sent)).code is None


# --- laws -------------------------------------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(JSON | changed(FOLLOW) | changed(ON_A_WEBSOCKET) | changed(REVOCATION))
def test_any_json_gives_events_or_is_unusable(item: Any) -> None:
    with suppress(Unusable):
        assert all(set(one) <= {"type", "timestamp", "data"} for one in TWITCH.events(item))
    items("twitch", [item])


HEADER_NAMES = st.sampled_from([*signed(b""), "webhook-id", "webhook-timestamp", "webhook-signature"])
HEADER_VALUES = st.text(max_size=80) | st.sampled_from([*signed(b"{}").values(), "1573899072", "v1,AAAA"])


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(HEADER_NAMES, HEADER_VALUES), st.binary(max_size=40))
def test_any_headers_and_bytes_are_refused_in_one_way(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        delivered(signed(BODY) | headers, body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps({"challenge": value}).encode()))
def test_any_challenge_is_answered_as_it_is_or_bad_input(body: bytes) -> None:
    with suppress(BadInput):
        taken = delivered(signed(body, kind="webhook_callback_verification"), body)
        assert taken.answer == json.loads(body)["challenge"]
        assert taken.answer
        assert taken.answer.isascii()


@settings(max_examples=300, deadline=None)
@given(st.lists(IDS, min_size=2, max_size=2, unique=True), st.integers(0, AT // 1000), st.integers(0, 999_999_999))
def test_a_follow_comes_back_as_the_same_pair_and_time(ids: list[str], second: int, nanoseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    event = {
        "user_id": ids[0],
        "broadcaster_user_id": ids[1],
        "followed_at": f"{at:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z",
    }
    item = from_json(json.dumps({"subscription": SUBSCRIPTION, "event": event}))
    expected = Follow(f"twitch:{ids[0]}", f"twitch:{ids[1]}", 1.0, second * 1000 + nanoseconds // 1_000_000)
    assert read("twitch", item).follows == [expected]


def test_what_comes_several_at_once_is_of_other_types() -> None:
    """`drop.entitlement.grant` has `events`: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/."""
    subscription = {"id": "s", "type": "drop.entitlement.grant", "version": "1", "status": "enabled"}
    assert read("twitch", {"subscription": subscription, "events": [{"id": "1", "data": {}}]}).ignored
    ended = {**subscription, "status": "authorization_revoked"}
    assert read("twitch", {"subscription": ended}).code == "revoked"
