"""X as events: who sent it, challenges and what they must not sign, follows and unfollows, laws over anything else."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.adapters import Delivered, Unusable, adapter_of
from service.adapters.standard_webhooks import is_secret, new_secret, sign
from service.domain import Follow
from service.errors import BadInput, SignatureInvalid
from service.files.events import read_body
from tests.unit.adapter_reading import AT, IDS, JSON, changed, from_json, items, plain_hmac, read

X = adapter_of("x")
SECRETS = {"new": "consumer-secret-2 made up for tests".replace(" ", "-"), "old": "consumer-secret-1"}

# Users and events are shaped as https://docs.x.com/x-api/activity/event-payloads shows follow.follow, shortened.
SOURCE: dict[str, Any] = {
    "location": "San Francisco, CA",
    "name": "Example User",
    "created_at": "2023-10-23T13:44:53.000Z",
    "protected": False,
    "verified": True,
    "public_metrics": {"followers_count": 5502, "followers_count_str": "5502", "following_count": 652},
    "description": "Building with the X AnotherUser @XDevelopers",
    "entities": {"url": {"urls": [{"start": 0, "end": 23, "url": "https://t.co/xxxxxxxx"}]}},
    "username": "ExampleUser",
    "id": "1111111111111111111",
}
TARGET: dict[str, Any] = {
    "name": "AnotherUser",
    "created_at": "2007-05-23T06:01:13.000Z",
    "public_metrics": {"followers_count": 4934564},
    "description": "Updates about X AnotherUser changes and service issues.",
    "username": "AnotherUser",
    "id": "4444444444444444444",
}
FOLLOW: dict[str, Any] = {
    "data": {
        "event_uuid": "-7953119945885597316",
        "filter": {"user_id": "1111111111111111111"},
        "event_type": "follow.follow",
        "tag": "follows",
        "payload": {"source": {"data": SOURCE}, "target": {"data": TARGET}},
    }
}
UNFOLLOW: dict[str, Any] = {
    "data": FOLLOW["data"] | {"event_uuid": "-4233426745281461957", "event_type": "follow.unfollow", "tag": "unfollows"}
}
PAIR = ("x:1111111111111111111", "x:4444444444444444444")
ACCOUNTS = {
    "x:1111111111111111111": {
        "at": AT,
        "handle": "ExampleUser",
        "name": "Example User",
        "bio": "Building with the X AnotherUser @XDevelopers",
        "location": "San Francisco, CA",
        "created_at": 1_698_068_693_000,
        "followers": 5502,
    },
    "x:4444444444444444444": {
        "at": AT,
        "handle": "AnotherUser",
        "name": "AnotherUser",
        "bio": "Updates about X AnotherUser changes and service issues.",
        "created_at": 1_179_900_073_000,
        "followers": 4934564,
    },
}
# https://docs.x.com/x-api/account-activity/introduction; users have the fields of those of direct messages there.
ACTIVITY: dict[str, Any] = {
    "for_user_id": "2244994945",
    "follow_events": [
        {
            "type": "follow",
            "created_timestamp": "1517588749178",
            "target": {"id": "4337869213", "name": "Harrison Test", "screen_name": "Harris_0ff", "followers_count": 8},
            "source": {
                "id": "3001969357",
                "created_timestamp": "1422556069340",
                "name": "Jordan Brinks",
                "screen_name": "furiouscamper",
                "location": "Boulder, CO",
                "description": "Alter Ego - X PE opinions-are-my-own",
                "followers_count": 22,
            },
        }
    ],
}
BODY = json.dumps(FOLLOW).encode()


def signature(message: bytes, secret: str = SECRETS["new"]) -> str:
    """As https://docs.x.com/x-api/webhooks/quickstart says: HMAC-SHA256 with the consumer secret, in base64."""
    return "sha256=" + base64.b64encode(plain_hmac(secret.encode(), message)).decode()


def delivered(headers: Mapping[str, str], body: bytes = BODY) -> Delivered:
    return X.delivered(headers, body, SECRETS, 1_800_000_000)


def signed(body: bytes, secret: str = SECRETS["new"]) -> dict[str, str]:
    return {"x-twitter-webhooks-signature": signature(body, secret), "content-type": "application/json"}


def with_user(role: str, **fields: Any) -> dict[str, Any]:
    """The follow, with other fields of one of its users."""
    item = copy.deepcopy(FOLLOW)
    item["data"]["payload"][role]["data"].update(fields)
    return item


# --- who sent it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["new", "old"])
def test_an_event_signed_with_any_live_secret_is_taken(secret: str) -> None:
    taken = delivered(signed(BODY, SECRETS[secret]))
    assert taken == Delivered("-7953119945885597316", secret, None, same_body=False)


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    """Made by `printf %s '{}' | openssl dgst -sha256 -hmac consumer-secret-1 -binary | openssl base64`."""
    right = "sha256=H4meMWcwlqSHL7wO/BpET0jhnxnl04kmvyplRyRVync="
    assert signature(b"{}", "consumer-secret-1") == right
    assert delivered({"x-twitter-webhooks-signature": right}, b"{}").secret == "old"


def test_the_platform_gives_the_secret() -> None:
    assert X.gives_secret
    assert all(is_secret(one) for one in SECRETS.values())


@pytest.mark.parametrize(
    "given",
    ["sha256=" + "A" * 43 + "=", "sha256=", "sha256", "sha256=no base64!", "ü", "\ud800", signature(BODY)[:-1],
     signature(BODY) + "=", signature(BODY).removeprefix("sha256="), signature(BODY).replace("sha256", "SHA256"),
     signature(BODY) + "\n", "sha256=" + plain_hmac(SECRETS["new"].encode(), BODY).hex(),
     signature(BODY, "another secret"), signature(BODY + b" "), signature(b"")],
)  # fmt: skip
def test_any_other_signature_is_refused(given: str) -> None:
    with pytest.raises(SignatureInvalid, match="x-twitter-webhooks-signature is not right"):
        delivered({"x-twitter-webhooks-signature": given})


def test_a_signature_has_one_spelling() -> None:
    """The last digit of base64 holds bits that count nothing: other texts say the same bytes."""
    given = signature(BODY)
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = given[:-2] + digits[digits.index(given[-2]) ^ 1] + "="
    assert base64.b64decode(other[7:]) == base64.b64decode(given[7:])
    with pytest.raises(SignatureInvalid):
        delivered({"x-twitter-webhooks-signature": other})


@pytest.mark.parametrize("headers", [{}, {"x-twitter-webhooks-signature": ""}, {"x-hub-signature": signature(BODY)}])
def test_a_missing_header_is_named(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid, match="x-twitter-webhooks-signature is missing"):
        delivered(headers)


def test_another_body_or_no_secret_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        delivered(signed(BODY), BODY + b" ")
    with pytest.raises(SignatureInvalid):
        X.delivered(signed(BODY), BODY, {}, 0)


@pytest.mark.parametrize("uuid", [None, "", 5, 2**63, {}, ["a"], "two words", "é", "\ud800", "x" * 256])
def test_an_event_without_an_id_is_told_by_its_body(uuid: Any) -> None:
    body = json.dumps({"data": FOLLOW["data"] | {"event_uuid": uuid}}).encode()
    assert delivered(signed(body), body).id == "sha256-" + hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"\xff\xfe", b"[]", b"[" * 100_000, b'{"data": 5}', b"{" + b" " * 600]
)
def test_a_body_that_cannot_be_read_has_an_id_all_the_same(body: bytes) -> None:
    """What is wrong with it is said by who reads it: it is certain that X sent it."""
    assert delivered(signed(body), body).id == "sha256-" + hashlib.sha256(body).hexdigest()


def test_a_repeated_event_has_the_same_id_and_the_first_one_stands() -> None:
    again = json.dumps({"data": FOLLOW["data"] | {"tag": "another subscription"}}).encode()
    one, other = delivered(signed(BODY)), delivered(signed(again), again)
    assert one.id == other.id
    assert not one.same_body
    unfollow = json.dumps(UNFOLLOW).encode()
    assert delivered(signed(unfollow), unfollow).id != one.id


def test_a_forwarder_of_the_stream_signs_as_standard_webhooks_says() -> None:
    secret, body = new_secret(), json.dumps([FOLLOW, UNFOLLOW]).encode()
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": sign(secret, "m1", 1_700_000_000, body),
    }
    assert X.delivered(headers, body, {**SECRETS, "t": secret}, 1_700_000_010) == Delivered("m1", "t")
    assert [item.code for item in items("x", read_body(body))] == [None, None]
    with pytest.raises(SignatureInvalid):
        X.delivered(headers, body + b" ", {**SECRETS, "t": secret}, 1_700_000_010)
    with pytest.raises(SignatureInvalid):  # not by the signature of X instead
        delivered(signed(BODY) | {"webhook-signature": "v1,AAAA"})


# --- challenges -------------------------------------------------------------------------------------------------


def test_a_challenge_is_answered_with_the_latest_secret() -> None:
    assert X.challenged({"crc_token": "challenge_string", "nonce": "1"}, SECRETS) == {
        "response_token": signature(b"challenge_string", SECRETS["new"])
    }


def test_a_challenge_as_x_sends_them_is_answered() -> None:
    """A UUID in base64, as logs of public projects show it."""
    token = base64.b64encode(b"3dd82dfc-b9db-46d8-940e-3bcc903d8244").decode()
    assert X.challenged({"crc_token": token}, SECRETS) == {"response_token": signature(token.encode())}


@pytest.mark.parametrize("token", ["a", "-_.+/=", "A" * 512, "true", "123"])
def test_a_token_of_that_form_is_answered(token: str) -> None:
    assert X.challenged({"crc_token": token}, SECRETS) == {"response_token": signature(token.encode())}


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "A" * 513,
        "two words",
        "a\n",
        "\n",
        "é",
        "\ud800",
        "{}",
        "[]",
        '"a"',
        "a,b",
        "a:b",
        "٣",
        "a\0",
        "%7B%7D",
    ],
)
def test_any_other_token_is_bad_input(token: str | None) -> None:
    with pytest.raises(BadInput, match="crc_token") as raised:
        X.challenged({} if token is None else {"crc_token": token}, SECRETS)
    assert not isinstance(raised.value, SignatureInvalid)


def test_an_event_cannot_be_forged_by_asking_for_its_signature() -> None:
    """The answer to a challenge signs what is asked, with the key of deliveries: anybody may ask."""
    for body in (BODY, json.dumps([FOLLOW]).encode(), json.dumps(ACTIVITY).encode(), b"{}", b"[]", b" 1", b'"x"'):
        with pytest.raises(BadInput):
            X.challenged({"crc_token": body.decode()}, SECRETS)


@pytest.mark.parametrize("body", ["1", "123", "-1", "1e5", "1.5", "true", "false", "null", "NaN", "-Infinity", "token"])
def test_what_a_challenge_signed_is_no_delivery(body: str) -> None:
    """Numbers and such are JSON, too; each would have become a dead letter."""
    answer = X.challenged({"crc_token": body}, SECRETS)
    with pytest.raises(SignatureInvalid, match="challenge"):
        delivered({"x-twitter-webhooks-signature": answer["response_token"]}, body.encode())


ASKED = (
    st.text(max_size=20)
    | st.text('0123456789.eE+-truefalsn{}[]" :,', max_size=8)
    | JSON.map(json.dumps)
    | st.from_regex(r"[A-Za-z0-9_.+/=-]{1,600}", fullmatch=True)
)


@settings(max_examples=500, deadline=None)
@given(ASKED, ASKED)
@example("1", "1")
@example(BODY.decode(), BODY.decode())
def test_no_answer_to_a_challenge_is_the_signature_of_a_delivery(token: str, body: str) -> None:
    with suppress(BadInput):
        headers = {"x-twitter-webhooks-signature": X.challenged({"crc_token": token}, SECRETS)["response_token"]}
        for one in (token, body):
            with pytest.raises(SignatureInvalid):
                delivered(headers, one.encode(errors="replace"))


# --- follows ----------------------------------------------------------------------------------------------------


def test_the_documented_follow() -> None:
    assert X.events(FOLLOW) == [
        {"type": "follow.created", "data": {"follower": "1111111111111111111", "followee": "4444444444444444444"}},
        {
            "type": "account.upserted",
            "data": {
                "account": "1111111111111111111",
                "handle": "ExampleUser",
                "name": "Example User",
                "bio": "Building with the X AnotherUser @XDevelopers",
                "location": "San Francisco, CA",
                "created_at": "2023-10-23T13:44:53.000Z",
                "followers": 5502,
            },
        },
        {
            "type": "account.upserted",
            "data": {
                "account": "4444444444444444444",
                "handle": "AnotherUser",
                "name": "AnotherUser",
                "bio": "Updates about X AnotherUser changes and service issues.",
                "created_at": "2007-05-23T06:01:13.000Z",
                "followers": 4934564,
            },
        },
    ]
    found = read("x", FOLLOW)
    assert found.follows == [Follow(*PAIR, 1.0, AT)]
    assert found.accounts == ACCOUNTS


def test_the_documented_unfollow() -> None:
    found = read("x", UNFOLLOW)
    assert found.follows == []
    assert found.unfollows == [(*PAIR, AT)]
    assert found.accounts == ACCOUNTS


def test_without_times_what_comes_later_stands() -> None:
    assert read("x", UNFOLLOW, AT + 1).unfollows[0][2] > (read("x", FOLLOW, AT).follows[0].at or 0)


def test_users_that_are_not_wrapped_in_data_are_read_the_same() -> None:
    """So the schema of the API has them (FollowActivityResponsePayload), other than the examples."""
    item = {"data": FOLLOW["data"] | {"payload": {"source": SOURCE, "target": TARGET}}}
    assert X.events(item) == X.events(FOLLOW)


@pytest.mark.parametrize("role", ["source", "target"])
@pytest.mark.parametrize("user", [None, {}, {"data": None}, {"data": {}}, {"data": []}, {"data": {"id": ""}}, "text", 5,
                                  {"errors": [{"title": "Not Found"}]}, {"data": {"username": "gone"}}])  # fmt: skip
def test_an_account_that_is_gone_makes_a_dead_letter_that_names_it(role: str, user: Any) -> None:
    item = {"data": FOLLOW["data"] | {"payload": {**FOLLOW["data"]["payload"], role: user}}}
    with pytest.raises(Unusable, match=f"There is no data.payload.{role}.data.id; .*deleted") as raised:
        X.events(item)
    assert raised.value.code == "missing_field"
    del item["data"]["payload"][role]
    assert read("x", item).code == "missing_field"


@pytest.mark.parametrize("item", [None, 5, "text", [], [FOLLOW], {}, {"data": None}, {"data": 5}, {"data": {}},
                                  {"data": {"event_type": None}}, {"data": {"event_type": 5}}, {"errors": [{}]},
                                  {"data": {"event_type": ["follow.follow"]}}, {"data": {"id": "1", "text": "a post"}},
                                  {"data": {"event_type": "follow.follow"}}, {"for_user_id": "1"}])  # fmt: skip
def test_what_is_no_event_is_unusable(item: Any) -> None:
    with pytest.raises(Unusable):
        X.events(item)


ODD: dict[str, list[Any]] = {
    "username": [None, "", " ", 5, True, {}, ["a"], "a\0b", "\ud800", "x" * 300, "@", "https://x.com/", "a b"],
    "name": [None, "", " \n", 5, True, {}, ["a"], "a\0b", "\ud800", "x" * 257],
    "description": [None, "", 5, {}, "a\x1bb", "\udfff", "x" * 5_001],
    "location": [None, "", 5, {}, ["Paris"], "a\0", "x" * 257],
    "created_at": [None, "", 5, True, {}, "yesterday", "Mon Mar 26 16:33:26 +0000 2018", "2023-10-23",
                   "2023-10-23T13:44:53", "2023-02-30T13:44:53Z", "1969-12-31T23:59:59Z", "2023-10-23T24:00:00Z",
                   "2023-10-23T13:44:60Z", "2023-10-23T13:44:53+99:00", "0000-01-01T00:00:00Z"],
    "public_metrics": [None, 5, "text", [], {}, *({"followers_count": one} for one in (
                       None, "5502", -1, 10**12 + 1, 10**30, 5.5, True, {}, []))],
}  # fmt: skip
FIELDS = {"username": "handle", "description": "bio", "public_metrics": "followers"}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
@pytest.mark.parametrize("role", ["source", "target"])
def test_what_is_odd_of_an_account_is_left_out_and_does_not_cost_the_follow(name: str, value: Any, role: str) -> None:
    found = read("x", with_user(role, **{name: value}))
    assert found.follows == [Follow(*PAIR, 1.0, AT)]
    key = PAIR[role == "target"]
    field = FIELDS.get(name, name)
    assert found.accounts[key] == {other: kept for other, kept in ACCOUNTS[key].items() if other != field}


def test_texts_as_long_as_they_may_be_are_kept() -> None:
    found = read("x", with_user("source", name="é" * 256, description="a\n" * 2_500, location="x" * 256))
    assert found.accounts[PAIR[0]]["name"] == "é" * 256
    assert found.accounts[PAIR[0]]["location"] == "x" * 256
    assert len(found.accounts[PAIR[0]]["bio"]) == 4_999  # without the last line break


def test_accounts_of_which_nothing_is_known_are_not_said() -> None:
    payload = {"source": {"data": {"id": "1"}}, "target": {"data": {"id": "2"}}}
    item = {"data": {"event_type": "follow.follow", "payload": payload}}
    assert X.events(item) == [{"type": "follow.created", "data": {"follower": "1", "followee": "2"}}]


def test_what_nobody_knows_is_passed_over() -> None:
    item = {"new": 1, "data": FOLLOW["data"] | {"type": "account.erased", "includes": {"users": [5]}}}
    assert X.events(item) == X.events(FOLLOW)
    assert X.events(with_user("source", opted_out=True, account="7", lang="fr", as_of=5)) == X.events(FOLLOW)


@pytest.mark.parametrize("text", ["9007199254740993", "18446744073709551617"])
def test_ids_beyond_2_to_the_53_keep_every_digit(text: str) -> None:
    for written in (text, f'"{text}"'):
        item = from_json(json.dumps(FOLLOW).replace('"id": "1111111111111111111"', f'"id": {written}'))
        assert read("x", item).follows[0].follower == f"x:{text}"


def test_an_id_as_text_stands_before_one_as_a_number() -> None:
    """Numbers may have lost digits on their way, as those of the longform example of the Account Activity API have."""
    item = with_user("source", id=1_661_523_610_111_193_000, id_str="1661523610111193088")
    assert read("x", item).follows[0].follower == "x:1661523610111193088"
    for odd in (None, "", 5, {}):
        assert read("x", with_user("source", id=17, id_str=odd)).follows[0].follower == "x:17"


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}, ["1"], " ", "a\0b", "x" * 257])
def test_an_id_that_is_none_is_a_dead_letter(value: Any) -> None:
    assert read("x", with_user("target", id=value)).code in ("bad_id", "missing_field", "empty_id")


def test_somebody_who_follows_himself_is_a_dead_letter() -> None:
    assert read("x", with_user("target", id="1111111111111111111")).code == "self_loop"


@pytest.mark.parametrize(
    "kind",
    ["post.create", "like.create", "mute.mute", "block.block", "profile.update.handle", "oauth.revoke", "follow"],
)
def test_other_events_are_ignored(kind: str) -> None:
    found = read("x", {"data": FOLLOW["data"] | {"event_type": kind}})
    assert found.ignored
    assert found.code is None


# --- the Account Activity API -----------------------------------------------------------------------------------


def test_a_follow_of_the_account_activity_api_has_a_time() -> None:
    found = read("x", ACTIVITY)
    assert found.follows == [Follow("x:3001969357", "x:4337869213", 1.0, 1_517_588_749_178)]
    assert found.accounts == {
        "x:3001969357": {
            "at": 1_517_588_749_178,
            "handle": "furiouscamper",
            "name": "Jordan Brinks",
            "bio": "Alter Ego - X PE opinions-are-my-own",
            "location": "Boulder, CO",
            "followers": 22,
        },
        "x:4337869213": {"at": 1_517_588_749_178, "handle": "Harris_0ff", "name": "Harrison Test", "followers": 8},
    }


def test_an_unfollow_of_the_account_activity_api_ends_the_follow() -> None:
    [one] = ACTIVITY["follow_events"]
    found = read("x", {"for_user_id": "1", "follow_events": [one, one | {"type": "unfollow", "created_timestamp": AT}]})
    assert [follow.at for follow in found.follows] == [1_517_588_749_178]
    assert found.unfollows == [("x:3001969357", "x:4337869213", AT)]


@pytest.mark.parametrize(
    "change",
    [{"type": None}, {"type": "block"}, {"type": 5}, {"type": ["follow"]}, {"source": None}, {"target": {}},
     {"created_timestamp": "yesterday"}, {"created_timestamp": {}}, {"source": {"id": "4337869213"}}],
)  # fmt: skip
def test_an_activity_that_cannot_be_read_is_a_dead_letter(change: dict[str, Any]) -> None:
    [one] = ACTIVITY["follow_events"]
    assert read("x", {"for_user_id": "1", "follow_events": [one | change]}).code is not None


@pytest.mark.parametrize("activities", [None, 5, "text", {}, [5], [None], [[]]])
def test_activities_that_are_none_are_a_dead_letter(activities: Any) -> None:
    assert read("x", {"for_user_id": "1", "follow_events": activities}).code is not None


@pytest.mark.parametrize("item", [
    {"for_user_id": "1", "favorite_events": []}, {"for_user_id": "1", "tweet_create_events": [{"id": 1}]},
    {"for_user_id": "1", "follow_events": []}, {"user_event": {"revoke": {"source": {"user_id": "63046977"}}}},
    {"replay_job_status": {"job_state": "Complete"}},
])  # fmt: skip
def test_other_activities_are_ignored(item: Any) -> None:
    assert read("x", item).ignored


def test_the_example_of_the_page_becomes_what_it_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "platforms" / "x.md"
    sent, becomes = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert X.events(json.loads(sent)) == json.loads(becomes)
    assert read("x", json.loads(sent)).code is None


# --- laws -------------------------------------------------------------------------------------------------------


@settings(max_examples=600, deadline=None)
@given(JSON | changed(FOLLOW) | changed(UNFOLLOW) | changed(ACTIVITY))
def test_any_json_gives_events_or_is_unusable(item: Any) -> None:
    with suppress(Unusable):
        assert all(set(one) <= {"type", "timestamp", "data"} for one in X.events(item))
    items("x", [item])


PAST = st.datetimes().map(lambda time: time.isoformat() + "Z").filter(lambda text: text < "2027")


@settings(max_examples=400, deadline=None)
@given(
    changed({name: value for name, value in SOURCE.items() if name != "id"}), st.none() | PAST, st.text(max_size=300)
)
def test_whatever_is_said_of_an_account_does_not_cost_the_follow(profile: Any, created_at: Any, text: str) -> None:
    fields = profile if isinstance(profile, dict) else {}
    for name in ("username", "name", "description", "location"):
        said = {**fields, name: text, "created_at": created_at, "id": "1111111111111111111"}
        said.pop("id_str", None)
        item = {"data": FOLLOW["data"] | {"payload": {"source": {"data": said}, "target": {"data": TARGET}}}}
        assert read("x", item).follows == [Follow(*PAIR, 1.0, AT)]


HEADER_NAMES = st.sampled_from(["x-twitter-webhooks-signature", "webhook-id", "webhook-timestamp", "webhook-signature"])
HEADER_VALUES = st.text(max_size=60) | st.sampled_from([signature(b""), "sha256=", "v1,AAAA", "1800000000"])


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(HEADER_NAMES, HEADER_VALUES), st.binary(min_size=1, max_size=40))
def test_any_headers_and_bytes_are_refused_in_one_way(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        delivered(headers, body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps({"data": {"event_uuid": value}}).encode()))
def test_any_signed_body_has_an_id_that_can_be_kept(body: bytes) -> None:
    with suppress(SignatureInvalid):
        taken = delivered(signed(body), body)
        assert 1 <= len(taken.id) <= 255
        assert all("!" <= one <= "~" for one in taken.id)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30)) | ASKED.map(lambda token: {"crc_token": token}))
def test_any_question_is_answered_or_bad_input(query: dict[str, str]) -> None:
    with suppress(BadInput):
        answer = X.challenged(query, SECRETS)
        assert answer == {"response_token": signature(query["crc_token"].encode())}


@settings(max_examples=300, deadline=None)
@given(st.lists(IDS, min_size=2, max_size=2, unique=True), st.booleans(), st.booleans(), st.integers(0, AT))
def test_a_follow_comes_back_as_the_same_pair(ids: list[str], ends: bool, as_activity: bool, at: int) -> None:
    source, target = ({"id": one, "username": f"u{one}"} for one in ids)
    if as_activity:
        activity = {"type": "unfollow" if ends else "follow", "created_timestamp": str(at)}
        item: Any = {"for_user_id": ids[0], "follow_events": [activity | {"source": source, "target": target}]}
        when = at if at >= 10**11 else at * 1000  # as Unix time is read everywhere
    else:
        payload = {"source": {"data": source}, "target": {"data": target}}
        item = {"data": {"event_type": "follow.unfollow" if ends else "follow.follow", "payload": payload}}
        when = AT
    if when > AT:
        return
    found = read("x", from_json(json.dumps(item)))
    pair = (f"x:{ids[0]}", f"x:{ids[1]}")
    assert found.unfollows == ([(*pair, when)] if ends else [])
    assert found.follows == ([] if ends else [Follow(*pair, 1.0, when)])
    assert set(found.accounts) == set(pair)
