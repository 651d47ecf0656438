"""Deliveries of platforms over HTTP: who they are from, what becomes of them, and how sources of them are made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.adapters import adapters
from service.domain import NewDelivery, Reader
from service.flows.reading import platforms
from service.journal.journal import FILE, Journal, now_ms
from service.store.driver import Store
from tests.api.test_webhooks import Sender, code
from tests.store.graph_dump import dump, edges

CONSUMER_SECRET = "consumer-secret-of-the-app"
LEA, NOE = "did:plc:lea", "did:plc:noe"


def source(api: TestClient, name: str, **how: Any) -> str:
    """Make a source of a platform; return the secret that was drawn, if one was."""
    made = api.post("/v1/sources", json={"name": name, "platform": name, **how})
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


def twitch(secret: str, body: bytes, kind: str = "notification", message: str = "m1") -> dict[str, str]:
    """Headers as Twitch sends them: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/."""
    sent = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    signature = hmac.new(secret.encode(), message.encode() + sent.encode() + body, hashlib.sha256).hexdigest()
    return {
        "Twitch-Eventsub-Message-Id": message, "Twitch-Eventsub-Message-Timestamp": sent,
        "Twitch-Eventsub-Message-Signature": f"sha256={signature}", "Twitch-Eventsub-Message-Type": kind,
        "content-type": "application/json",
    }  # fmt: skip


def followed(user: str, broadcaster: str, at: str, **more: Any) -> bytes:
    event = {"user_id": user, "user_login": f"login{user}", "broadcaster_user_id": broadcaster, "followed_at": at}
    subscription = {"id": "s1", "type": "channel.follow", "version": "2", "status": "enabled"}
    return json.dumps({"subscription": subscription, "event": event, **more}).encode()


def x(body: bytes, secret: str = CONSUMER_SECRET) -> dict[str, str]:
    """Headers as X sends them: https://docs.x.com/x-api/webhooks/quickstart."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-twitter-webhooks-signature": f"sha256={digest}", "content-type": "application/json"}


def activity(kind: str, follower: Any, followee: Any, uuid: str) -> bytes:
    users = {"source": {"data": {"id": follower}}, "target": {"data": {"id": followee}}}
    return json.dumps({"data": {"event_uuid": uuid, "event_type": kind, "payload": users}}).encode()


def commit(operation: str, key: str, at: int, follower: str = LEA, subject: str = NOE) -> dict[str, Any]:
    """An event of Jetstream: a record that is made or deleted at `at`, in seconds since 1970."""
    record = {"record": {"$type": "app.bsky.graph.follow", "subject": subject}} if operation == "create" else {}
    body = {"operation": operation, "collection": "app.bsky.graph.follow", "rkey": key, **record}
    return {"did": follower, "time_us": at * 1_000_000, "kind": "commit", "commit": body}


# --- Twitch ---------------------------------------------------------------------------------------------------------


def test_twitch_asks_who_we_are_then_tells_of_follows(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    secret = source(api, "twitch")
    asked = json.dumps({"challenge": "pogchamp-kappa-360noscope-vohiyo", "subscription": {"id": "s1"}}).encode()
    answer = api.post("/v1/webhooks/twitch", content=asked,
                      headers=twitch(secret, asked, "webhook_callback_verification"))  # fmt: skip
    assert (answer.status_code, answer.text) == (200, "pogchamp-kappa-360noscope-vohiyo")
    assert answer.headers["content-type"].startswith("text/plain")
    assert api.get("/v1/deliveries").json()["items"] == [], "nothing was delivered"

    body = followed("9007199254740993", "1337", "2025-07-15T18:16:11.17106713Z")
    first = api.post("/v1/webhooks/twitch", content=body, headers=twitch(secret, body))
    assert first.status_code == 202
    applied()
    assert edges(store) == {("twitch:9007199254740993", "twitch:1337"): (1.0, 1_752_603_371_171)}
    [row] = store.statement("MATCH (a:Account {key: 'twitch:9007199254740993'}) RETURN a.handle AS handle")
    assert row["handle"] == "login9007199254740993"

    before = dump(store)
    other = followed("9007199254740993", "1337", "2025-07-15T18:16:11.17106713Z", unknown={"new": [1]})
    again = api.post("/v1/webhooks/twitch", content=other, headers=twitch(secret, other))
    assert (again.status_code, again.content) == (202, first.content), "an id that was there is not taken in again"
    applied()
    assert dump(store) == before


def test_nothing_is_taken_for_twitch_that_it_did_not_sign(api: TestClient) -> None:
    secret = source(api, "twitch")
    body = followed("1", "2", "2025-07-15T18:16:11Z")
    asked = b'{"challenge": "x"}'
    right = twitch(secret, body)
    for headers, content in (
        (right, body + b" "),
        ({**right, "Twitch-Eventsub-Message-Id": "m2"}, body),
        (twitch("another secret", body), body),
        (twitch("another secret", asked, "webhook_callback_verification"), asked),
        ({name: value for name, value in right.items() if "Signature" not in name}, body),
        ({"content-type": "application/json"}, body),
    ):
        answer = api.post("/v1/webhooks/twitch", content=content, headers=headers)
        assert code(answer) == (401, "signature_invalid")
        assert secret not in answer.text
    assert api.get("/v1/deliveries").json()["items"] == []


def test_an_ended_subscription_is_kept_where_people_see_it(api: TestClient, applied: Callable[[], None]) -> None:
    secret = source(api, "twitch")
    body = json.dumps({"subscription": {"type": "channel.follow", "status": "authorization_revoked"}}).encode()
    answer = api.post("/v1/webhooks/twitch", content=body, headers=twitch(secret, body, "revocation"))
    assert (answer.status_code, answer.json()["rejected"]) == (202, 1), "else Twitch would send it again"
    applied()
    [delivery] = api.get("/v1/deliveries", params={"state": "dead"}).json()["items"]
    [dead] = delivery["dead_letters"]
    assert dead["code"] == "revoked"
    assert "authorization_revoked" in dead["message"]


# --- X --------------------------------------------------------------------------------------------------------------


def test_x_checks_that_we_know_the_secret_then_tells_of_follows(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    made = api.post("/v1/sources", json={"name": "x", "platform": "x", "secret": CONSUMER_SECRET})
    assert (made.status_code, made.json()["secret"]) == (201, None), "whoever gave it knows it"
    token = "9b4507b3-9040-4669-9ca3-6b94edb50553"
    expected = base64.b64encode(hmac.new(CONSUMER_SECRET.encode(), token.encode(), hashlib.sha256).digest()).decode()
    answer = api.get("/v1/webhooks/x", params={"crc_token": token})
    assert answer.json() == {"response_token": f"sha256={expected}"}
    assert CONSUMER_SECRET not in api.get("/v1/sources").text

    for kind, uuid in (("follow.follow", "-7953119945885597316"), ("follow.unfollow", "-42"), ("post.create", "5")):
        body = activity(kind, "1849999999999999999", 2**60 + 1, uuid)
        taken = api.post("/v1/webhooks/x", content=body, headers=x(body))
        assert (taken.status_code, taken.json()["rejected"]) == (200, 0), "which is what X calls taken"
        applied()
        there = kind == "follow.follow"
        assert edges(store).keys() == ({("x:1849999999999999999", f"x:{2**60 + 1}")} if there else set())
    latest = api.get("/v1/deliveries").json()["items"][0]
    assert (latest["state"], latest["events"], latest["dead_letters"]) == ("applied", 0, [])


def test_nobody_has_a_forged_event_signed_by_the_challenge(api: TestClient) -> None:
    source(api, "x", secret=CONSUMER_SECRET)
    forged = activity("follow.follow", "1", "2", "3")
    for token in (forged.decode(), "{}", "[]", " ", "", "a b", '"a"', "x" * 600):
        answer = api.get("/v1/webhooks/x", params={"crc_token": token})
        assert code(answer) == (400, "bad_input"), token
    for token in ("5", "true", "null", "1e5"):  # JSON, and signed for whoever asks
        signed = api.get("/v1/webhooks/x", params={"crc_token": token}).json()["response_token"]
        headers = {"x-twitter-webhooks-signature": signed, "content-type": "application/json"}
        answer = api.post("/v1/webhooks/x", content=token, headers=headers)
        assert code(answer) == (401, "signature_invalid"), token
    assert code(api.post("/v1/webhooks/x", content=forged, headers=x(forged, "not the secret"))) == (
        401, "signature_invalid",
    )  # fmt: skip


def test_other_sources_are_asked_nothing_by_get(api: TestClient) -> None:
    source(api, "bluesky")
    Sender(api)
    for name in ("bluesky", "shop"):
        assert code(api.get(f"/v1/webhooks/{name}", params={"crc_token": "abc"})) == (404, "not_found")
    assert code(api.get("/v1/webhooks/nobody")) == (404, "source_not_found")
    api.post("/v1/sources/bluesky/disable")
    assert code(api.get("/v1/webhooks/bluesky")) == (403, "source_disabled")


# --- Bluesky, Mastodon ----------------------------------------------------------------------------------------------


class Forwarder(Sender):
    """A forwarder of a platform, which signs as Standard Webhooks says."""

    def __init__(self, api: TestClient, name: str, **how: Any) -> None:
        self.api, self.name, self.sent = api, name, 0
        self.secret = source(api, name, **how)


def test_an_unfollow_that_names_only_its_record(api: TestClient, store: Store, applied: Callable[[], None]) -> None:
    bluesky = Forwarder(api, "bluesky")
    at = 1_700_000_000
    answer = bluesky.post([commit("delete", "k2", at + 50), commit("create", "k1", at), {"kind": "identity"}])
    assert [one["status"] for one in answer.json()["items"]] == ["accepted", "accepted", "ignored"]
    applied()
    assert edges(store).keys() == {(f"bluesky:{LEA}", f"bluesky:{NOE}")}
    bluesky.post(commit("create", "k2", at + 9, subject="did:plc:zoe"))
    bluesky.post(commit("delete", "k1", at + 10))
    applied()
    assert edges(store) == {}
    rows = store.statement("MATCH ()-[u:UNFOLLOWED]->(b) RETURN b.key AS key, u.at.epochMillis AS at")
    assert {row["key"]: row["at"] for row in rows} == {
        f"bluesky:{NOE}": (at + 10) * 1000, "bluesky:did:plc:zoe": (at + 50) * 1000,
    }  # fmt: skip


def test_accounts_that_are_deleted_are_erased_where_they_are_known(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    bluesky = Forwarder(api, "bluesky")
    bluesky.post(commit("create", "k1", 1_700_000_000))
    applied()
    gone = {"active": False, "status": "deleted"}
    for did in (LEA, "did:plc:unknown"):
        event = {"did": did, "time_us": 1_700_000_100_000_000, "kind": "account", "account": {"did": did, **gone}}
        assert bluesky.post(event).json()["accepted"] == 1
    applied()
    rows = store.statement("MATCH (a:Account) RETURN a.key AS key, a.erasure_asked_at.epochMillis AS at ORDER BY key")
    assert [(row["key"], row["at"]) for row in rows] == [
        (f"bluesky:{LEA}", 1_700_000_100_000), (f"bluesky:{NOE}", None),
    ]  # fmt: skip


def test_who_is_deleted_in_the_body_that_names_them_first_is_erased(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    bluesky = Forwarder(api, "bluesky")
    gone = {"active": False, "status": "deleted"}
    events = [{"did": did, "time_us": 1_700_000_100_000_000, "kind": "account", "account": gone}
              for did in ("did:plc:unknown", LEA)]  # fmt: skip
    bluesky.post([events[0], commit("create", "k1", 1_700_000_000), events[1]])
    applied()
    rows = store.statement("MATCH (a:Account) WHERE a.erasure_asked_at IS NOT NULL RETURN a.key AS key")
    assert [row["key"] for row in rows] == [f"bluesky:{LEA}"]


def test_activities_come_under_their_own_type(api: TestClient, store: Store, applied: Callable[[], None]) -> None:
    mastodon = Forwarder(api, "mastodon")
    lea, noe = "https://a.example/users/lea", "https://b.example/users/noe"
    follow = {"id": "https://a.example/1", "type": "Follow", "actor": lea, "object": noe}
    for kind in ("application/activity+json", 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'):
        assert mastodon.post(follow, **{"content-type": kind}).status_code == 202
    applied()
    assert edges(store).keys() == {(f"mastodon:{lea}", f"mastodon:{noe}")}
    mallory = {
        "id": "https://m.example/2",
        "type": "Undo",
        "actor": "https://m.example/users/m",
        "object": follow["id"],
    }
    mastodon.post(mallory)
    applied()
    assert edges(store), "it was not mallory's follow"
    mastodon.post({**mallory, "actor": lea, "id": "https://a.example/3"})
    applied()
    assert edges(store) == {}


# --- any other, by a mapping ----------------------------------------------------------------------------------------

MAPPING: dict[str, Any] = {
    "signature": {"header": "x-hub-signature-256", "prefix": "sha256=", "encoding": "hex"},
    "events": [
        {"type": "follow.created", "where": {"$.do": "follow"}, "data": {"follower": "$.who", "followee": "$.whom"}}
    ],
}


def hub(api: TestClient, what: Any, secret: str = CONSUMER_SECRET) -> Response:
    body = json.dumps(what).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={digest}", "content-type": "application/json"}
    return api.post("/v1/webhooks/forum", content=body, headers=headers)


def test_a_mapping_reads_what_no_adapter_knows(api: TestClient, store: Store, applied: Callable[[], None]) -> None:
    how = {"platform": "mapped", "network": "forum", "mapping": MAPPING, "secret": CONSUMER_SECRET}
    source(api, "forum", **how)
    [listed] = api.get("/v1/sources").json()["items"]
    assert (listed["platform"], listed["network"], listed["mapping"]) == ("mapped", "forum", MAPPING)
    assert hub(api, {"do": "follow", "who": 2**60 + 1, "whom": "b"}).json()["accepted"] == 1
    assert hub(api, {"do": "wave"}).json()["ignored"] == 1
    assert code(hub(api, {"do": "follow", "who": 1, "whom": 2}, "not the secret")) == (401, "signature_invalid")
    applied()
    assert edges(store).keys() == {(f"forum:{2**60 + 1}", "forum:b")}


def test_dead_letters_are_replayed_by_the_mapping_of_now(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    wrong = {**MAPPING, "events": [{**MAPPING["events"][0], "data": {"follower": "$.who", "followee": "$.target"}}]}
    source(api, "forum", platform="mapped", network="forum", mapping=wrong, secret=CONSUMER_SECRET)
    answer = hub(api, {"do": "follow", "who": "a", "whom": "b"})
    assert (answer.status_code, answer.json()["rejected"]) == (202, 1), "a platform does not mend what it sends"
    assert "events.1.data.followee: $.target finds nothing" in answer.json()["items"][0]["message"]
    applied()
    assert api.get(answer.json()["url"]).json()["state"] == "dead"
    put = api.put("/v1/sources/forum/mapping", json={"mapping": MAPPING})
    assert put.json()["mapping"] == MAPPING
    assert api.post("/v1/deliveries/replay", json={"delivery": answer.json()["delivery"]}).json()["events"] == 1
    applied()
    assert edges(store).keys() == {("forum:a", "forum:b")}


def test_what_was_taken_in_is_read_as_it_was(api: TestClient, store: Store, applied: Callable[[], None]) -> None:
    source(api, "forum", platform="mapped", network="forum", mapping=MAPPING, secret=CONSUMER_SECRET)
    hub(api, {"do": "follow", "who": "a", "whom": "b"})
    other = {**MAPPING, "events": [{**MAPPING["events"][0], "where": {"$.do": "other"}}]}
    api.put("/v1/sources/forum/mapping", json={"mapping": other})
    applied()
    assert edges(store).keys() == {("forum:a", "forum:b")}


def test_sent_again_after_the_mapping_was_mended_it_is_read_anew(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    wrong = {**MAPPING, "events": [{**MAPPING["events"][0], "where": {"$.does": "follow"}}]}
    source(api, "forum", platform="mapped", network="forum", mapping=wrong, secret=CONSUMER_SECRET)
    first = hub(api, {"do": "follow", "who": "a", "whom": "b"}).json()
    assert (first["accepted"], first["ignored"]) == (0, 1)
    applied()
    api.put("/v1/sources/forum/mapping", json={"mapping": MAPPING})
    again = hub(api, {"do": "follow", "who": "a", "whom": "b"}).json()
    assert again["accepted"] == 1
    assert again["delivery"] != first["delivery"]
    assert hub(api, {"do": "follow", "who": "a", "whom": "b"}).json() == again
    applied()
    assert edges(store).keys() == {("forum:a", "forum:b")}


def test_deliveries_with_open_dead_letters_are_listed(api: TestClient, applied: Callable[[], None]) -> None:
    bluesky = Forwarder(api, "bluesky")
    mixed = bluesky.post([commit("create", "k1", 1_700_000_000), 5]).json()
    bluesky.post(commit("create", "k2", 1_700_000_000, subject="did:plc:zoe"))
    applied()
    asked = {"dead_letters": "true"}
    [one] = api.get("/v1/deliveries", params=asked).json()["items"]
    assert (one["id"], one["state"]) == (mixed["delivery"], "applied")
    api.post("/v1/deliveries/replay", json={"delivery": one["id"]})
    applied()
    [again] = api.get("/v1/deliveries", params=asked).json()["items"]
    assert again["replay_of"] == one["id"]


# --- sources --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"platform": "myspace"}, "'myspace'"),
        ({"platform": "mapped"}, "mapping"),
        ({"platform": "twitch", "mapping": MAPPING}, "without a mapping"),
        ({"platform": "x", "secret": "short"}, "8 to 200"),
        ({"platform": "x", "secret": "with spaces in it"}, "8 to 200"),
        ({"platform": "bluesky", "secret": "whsec_!!!!!!!!"}, "Standard Webhooks"),
        ({"platform": "mapped", "mapping": {**MAPPING, "events": [{"type": "follow", "data": {"a": 1}}]}},
         "events.1.type"),
        ({"platform": "mapped", "mapping": {**MAPPING, "events": [{"type": "follow.created", "data": {"a": "$["}}]}},
         "events.1.data.a"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_not_made(api: TestClient, how: dict[str, Any], said: str) -> None:
    answer = api.post("/v1/sources", json={"name": "new", **how})
    assert code(answer) == (400, "bad_input")
    assert said in answer.json()["detail"]
    assert how.get("secret", "?????") not in answer.text
    assert api.get("/v1/sources").json()["items"] == []


def test_a_secret_is_in_no_answer(api: TestClient) -> None:
    for secret in ([CONSUMER_SECRET], {"a": CONSUMER_SECRET}):
        answer = api.post("/v1/sources", json={"name": "new", "platform": "x", "secret": secret})
        assert code(answer) == (422, "invalid_request")
        assert CONSUMER_SECRET not in answer.text
    source(api, "x", secret=CONSUMER_SECRET)
    assert code(api.post("/v1/sources/x/rotate")) == (400, "bad_input"), "X would not know a secret that is drawn"
    rotated = api.post("/v1/sources/x/rotate", json={"secret": "another-secret-of-the-app"})
    assert (rotated.status_code, rotated.json()["secret"]) == (200, None)
    body = activity("follow.follow", "1", "2", "3")
    for secret in (CONSUMER_SECRET, "another-secret-of-the-app"):
        assert api.post("/v1/webhooks/x", content=body, headers=x(body, secret)).status_code == 200
    token = api.get("/v1/webhooks/x", params={"crc_token": "abc"}).json()["response_token"]
    assert token == x(b"abc", "another-secret-of-the-app")["x-twitter-webhooks-signature"]


def test_all_platforms_are_listed(api: TestClient) -> None:
    listed = {one["name"]: one for one in api.get("/v1/platforms").json()["items"]}
    assert listed.keys() == {one.name for one in platforms()} == {"bluesky", "mapped", "mastodon", "twitch", "x"}
    assert [name for name, one in listed.items() if one["gives_secret"]] == ["x"]


def test_an_example_is_tried_without_a_source(api: TestClient) -> None:
    asked = {"platform": "bluesky", "example": [commit("create", "k", 1_700_000_000), {"kind": "identity"}, 5]}
    tried = api.post("/v1/sources/try", json=asked).json()
    assert [one["status"] for one in tried["items"]] == ["accepted", "ignored", "rejected"]
    [event] = tried["items"][0]["events"]
    assert event["event"]["data"] == {"follower": LEA, "followee": NOE, "record": f"{LEA}/k"}
    told = api.post("/v1/sources/try", json={"platform": "mapped", "network": "f", "mapping": MAPPING,
                                             "example": {"do": "wave"}}).json()  # fmt: skip
    assert [one["place"] for one in told["items"][0]["unread"]] == ["events.1.where"]
    own = api.post(
        "/v1/sources/try", json={"example": {"type": "account.opted_out", "data": {"account": "t:1"}}}
    ).json()
    assert own["accepted"] == 1
    assert api.get("/v1/deliveries").json()["items"] == []
    assert code(api.post("/v1/sources/try", json={"platform": "myspace", "example": 1})) == (400, "bad_input")


def test_a_delivery_can_be_tested_with_its_signature(api: TestClient) -> None:
    secret = source(api, "twitch")
    body = followed("1", "2", "2025-07-15T18:16:11Z")
    answer = api.post("/v1/webhooks/twitch/test", content=body, headers=twitch(secret, body))
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert api.get("/v1/deliveries").json()["items"] == []


# --- the journal ----------------------------------------------------------------------------------------------------


def test_a_platform_that_this_version_does_not_know_stops_nothing(
    api: TestClient, store: Store, journal: Path, applied: Callable[[], None]
) -> None:
    """As where a service is put back to an earlier version while deliveries wait."""
    shop = Sender(api)
    with Journal(journal) as own:
        own.append([NewDelivery("d1", "s", "t", "w1", b"1", now_ms(), 1, b'{"a": 1}', reader=Reader("myspace"))])
    shop.post({"type": "follow.created", "data": {"follower": "1", "followee": "2"}})
    applied()
    [dead] = api.get("/v1/deliveries/d1").json()["dead_letters"]
    assert dead["code"] == "unknown_platform"
    assert edges(store)


def test_a_journal_of_before_is_read(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append([NewDelivery("d1", "s", "t", "w1", b"1", 5, 1, b"{}")])
    with sqlite3.connect(tmp_path / FILE) as db:
        for column in ("platform", "mapping"):
            db.execute(f"ALTER TABLE deliveries DROP COLUMN {column}")
    with Journal(tmp_path) as journal:
        journal.append([NewDelivery("d2", "s", "t", "w2", b"2", 6, 1, b"{}", reader=Reader("mapped", "{}"))])
        assert [one.reader for one in journal.pending(10, 1000)] == [None, Reader("mapped", "{}")]


# --- what strangers send --------------------------------------------------------------------------------------------


def test_what_cannot_be_shown_or_written_again_is_no_delivery(api: TestClient) -> None:
    mastodon = Forwarder(api, "mastodon")
    nested = b'{"a":' * 100 + b"1" + b"}" * 100
    for body in (b'{"type": "Follow", "x": 1e999}', b'{"type": "Follow", "x": NaN}', nested, b"[" * 65 + b"]" * 65):
        assert code(mastodon.post(body)) == (400, "malformed_body"), body[:40]
    assert mastodon.post(b'{"a":' * 63 + b"[]" + b"}" * 63).status_code == 202
    assert mastodon.post(b'{"type": "Like", "x": 1e308}').status_code == 202


def test_half_characters_are_kept_and_shown_as_question_marks(
    api: TestClient, store: Store, applied: Callable[[], None]
) -> None:
    mastodon = Forwarder(api, "mastodon")
    body = b'{"type": "Follow", "actor": "https://e.example/u", "object": "bad", "summary": "a\\ud800", "\\udfff": 5}'
    taken = mastodon.post(body).json()
    assert taken["rejected"] == 1
    applied()
    for address in (taken["url"], "/v1/deliveries"):
        found = api.get(address)
        assert found.status_code == 200
        shown = found.json() if address == taken["url"] else found.json()["items"][0]
        assert shown["dead_letters"][0]["event"] == {
            "type": "Follow", "actor": "https://e.example/u", "object": "bad", "summary": "a?", "?": 5,
        }  # fmt: skip


def test_what_an_earlier_version_took_in_stops_nothing(
    api: TestClient, store: Store, journal: Path, applied: Callable[[], None]
) -> None:
    shop = Sender(api)
    bodies = (b"[1e999]", b'{"a":' * 500 + b"1" + b"}" * 500, b"\xff", b"[]")
    with Journal(journal) as own:
        own.append([NewDelivery(f"d{n}", "s", "t", f"w{n}", b"1", now_ms(), 1, body) for n, body in enumerate(bodies)])
    shop.post({"type": "follow.created", "data": {"follower": "1", "followee": "2"}})
    applied()
    assert edges(store).keys() == {("t:1", "t:2")}
    for n in range(len(bodies)):
        found = api.get(f"/v1/deliveries/d{n}").json()
        assert (found["state"], len(found["dead_letters"])) == ("dead", 1)
        assert api.post("/v1/deliveries/replay", json={"delivery": f"d{n}"}).json()["events"] == 1
    applied()
    assert api.get("/metrics").text.count("\nentourage_journal_pending_deliveries 0") == 1


def test_an_adapter_that_fails_costs_what_it_failed_on(
    api: TestClient, store: Store, applied: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bluesky = Forwarder(api, "bluesky")

    def events(item: Any) -> list[Any]:
        return [{"type": "follow.created", "data": {"follower": "a", "followee": item["who"]}}]

    monkeypatch.setattr(adapters()["bluesky"], "events", events)
    answer = bluesky.post([{"who": "b"}, {}, {"who": "c"}]).json()
    assert [one["code"] for one in answer["items"]] == [None, "adapter_failed", None]
    applied()
    assert edges(store).keys() == {("bluesky:a", "bluesky:b"), ("bluesky:a", "bluesky:c")}


def test_an_odd_profile_does_not_cost_the_follow(api: TestClient, store: Store, applied: Callable[[], None]) -> None:
    source(api, "x", secret=CONSUMER_SECRET)
    users = {role: {"data": {"id": one, "username": role, "created_at": "2099-01-01T00:00:00.000Z"}}
             for role, one in (("source", "1"), ("target", "2"))}  # fmt: skip
    body = json.dumps({"data": {"event_uuid": "5", "event_type": "follow.follow", "payload": users}}).encode()
    assert api.post("/v1/webhooks/x", content=body, headers=x(body)).json()["accepted"] == 1
    applied()
    assert edges(store).keys() == {("x:1", "x:2")}


def test_a_body_becomes_so_many_events_at_most(api: TestClient) -> None:
    mapping = {"items": "$.a[*]", "events": [{"type": "account.opted_out", "data": {"account": "@.id"}}] * 10}
    source(api, "forum", platform="mapped", network="forum", mapping={**MAPPING, **mapping}, secret=CONSUMER_SECRET)
    things = [{"id": n} for n in range(99)]
    answer = hub(api, [{"a": things}] * 12).json()
    assert [one["code"] for one in answer["items"]] == [None] * 10 + ["too_many_events"] * 2
    assert api.get(answer["url"]).json()["events"] == 9_900
    assert hub(api, {"a": things + [{"id": 100}] * 2}).json()["items"][0]["status"] == "rejected"


def test_any_json_is_taken_for_json_and_nothing_else(api: TestClient) -> None:
    bluesky = Forwarder(api, "bluesky")
    for kind in ("application/vnd.api+json", "text/json", "application/scim+json; charset=utf-8"):
        assert bluesky.post({"kind": "identity"}, **{"content-type": kind}).status_code == 202, kind
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain+json", ""):
        assert bluesky.post({"kind": "identity"}, **{"content-type": kind}).status_code == 415, kind


def test_secrets_are_of_the_form_that_their_scheme_takes(api: TestClient) -> None:
    for platform, secret, status in (
        ("x", "whsec_test_abcdefgh1234", 201),
        ("bluesky", "whsec_test_abcdefgh1234", 400),
        ("bluesky", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 201),
        ("entourage", CONSUMER_SECRET, 400),
    ):
        made = api.post(
            "/v1/sources", json={"name": f"{platform}{len(secret)}", "platform": platform, "secret": secret}
        )
        assert made.status_code == status, made.text
        assert secret not in made.text
    body = activity("follow.follow", "1", "2", "3")
    given = x(body, "whsec_test_abcdefgh1234")
    assert api.post("/v1/webhooks/x23", content=body, headers=given).status_code == 200
