"""Pushing events over HTTP: signatures, batches, replays, refusals, and what can be asked afterwards."""

from __future__ import annotations

import base64
import gzip
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from service.adapters.standard_webhooks import sign
from service.files.events import EVENTS
from service.store.driver import Store
from tests.store.graph_dump import dump

FOLLOW = {"type": "follow.created", "timestamp": "2025-03-01T12:00:00Z", "data": {"follower": "1", "followee": "2"}}


class Sender:
    """A source, with the official library of Standard Webhooks as its signer."""

    def __init__(self, api: TestClient, name: str = "shop", network: str | None = "t") -> None:
        self.api, self.name = api, name
        made = api.post("/v1/sources", json={"name": name, "network": network})
        assert made.status_code == 201, made.text
        self.secret = made.json()["secret"]
        self.sent = 0

    def headers(self, body: bytes, webhook_id: str | None = None, when: float | None = None) -> dict[str, str]:
        self.sent += 1
        webhook_id = webhook_id or f"msg_{self.sent}"
        moment = datetime.fromtimestamp(int(when or time.time()), UTC)
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(webhook_id, moment, body.decode()),
            "content-type": "application/json",
        }

    def post(self, events: Any, webhook_id: str | None = None, test: bool = False, **headers: str) -> Response:
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        address = f"/v1/webhooks/{self.name}{'/test' if test else ''}"
        return self.api.post(address, content=body, headers={**self.headers(body, webhook_id), **headers})


@pytest.fixture
def shop(api: TestClient) -> Sender:
    return Sender(api)


def code(response: Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]


def test_a_pushed_follow_is_journaled_then_applied(shop: Sender, store: Store, applied: Callable[[], None]) -> None:
    response = shop.post(FOLLOW)
    assert response.status_code == 202
    answer = response.json()
    assert answer == {
        "delivery": answer["delivery"],
        "sequence": 1,
        "url": f"/v1/deliveries/{answer['delivery']}",
        "accepted": 1,
        "ignored": 0,
        "rejected": 0,
        "items": [{"index": 0, "status": "accepted", "code": None, "message": None}],
    }
    assert shop.api.get(answer["url"]).json()["state"] == "journaled"
    applied()
    found = shop.api.get(answer["url"]).json()
    assert (found["state"], found["events"], found["dead_letters"]) == ("applied", 1, [])
    assert found["version"] == 1
    assert len(store.statement("MATCH (:Account {key: 't:1'})-[:FOLLOWS]->(:Account {key: 't:2'}) RETURN 1")) == 1
    deadline = time.monotonic() + 10
    while shop.api.get("/health/ready").json()["applied_up_to"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert shop.api.get("/v1/sources").headers["Entourage-Applied-Up-To"] == "1"


def test_sent_again_the_answer_is_the_same_and_nothing_happens(
    shop: Sender, store: Store, applied: Callable[[], None]
) -> None:
    undated = {"type": "follow.created", "data": {"follower": "1", "followee": "2"}}
    events = [undated, {"type": "nonsense"}]
    first = shop.post(events, "msg_same")
    applied()
    before = dump(store)
    again = shop.post(events, "msg_same")
    assert (again.status_code, again.content) == (202, first.content)
    applied()
    assert dump(store) == before
    other = shop.post([undated], "msg_same")
    assert code(other) == (409, "delivery_conflict")
    assert Sender(shop.api, "crm").post([undated], "msg_same").status_code == 202, "ids are of each source"


def test_an_interaction_counts_once_by_its_id_in_its_source(
    shop: Sender, store: Store, applied: Callable[[], None]
) -> None:
    data = {"id": "e1", "account": "1", "target": "2", "kind": "like"}
    event = {"type": "interaction.recorded", "timestamp": "2025-03-01T05:10:00Z", "data": data}
    for sender in (shop, shop, Sender(shop.api, "crm")):
        assert sender.post(event).status_code == 202
        applied()
    assert store.statement("MATCH ()-[e:ENGAGED]->() RETURN e.likes AS likes, e.hours[5] AS at_five") == [
        {"likes": 2, "at_five": 2}
    ]


def test_each_event_of_a_batch_is_judged_for_itself(shop: Sender, store: Store, applied: Callable[[], None]) -> None:
    late = datetime.fromtimestamp(time.time() + 400, UTC).isoformat()
    events: list[Any] = [
        FOLLOW,
        {"type": "follow.created", "data": {"follower": "1"}},
        {"type": "follow.created", "data": {"follower": "1", "followee": "1"}},
        {"type": "follow.paused", "data": {}},
        {"type": "follow.created", "timestamp": late, "data": {"follower": "1", "followee": "3"}},
        "text",
        {"type": "follow.created"},
        {"type": "account.upserted", "data": {"account": "4", "handle": "four", "unknown": [1]}, "more": 1},
    ]
    answer = shop.post(events).json()
    assert [item["code"] for item in answer["items"]] == [
        None, "missing_field", "self_loop", "unknown_type", "time_in_future", "bad_event", "bad_data", None,
    ]  # fmt: skip
    assert (answer["accepted"], answer["rejected"]) == (2, 6)
    assert all(item["message"] for item in answer["items"] if item["code"])
    applied()
    found = shop.api.get(answer["url"]).json()
    assert found["state"] == "applied"
    assert [(one["index"], one["code"]) for one in found["dead_letters"]] == [
        (item["index"], item["code"]) for item in answer["items"] if item["code"]
    ]
    assert [one["event"] for one in found["dead_letters"]] == [events[one["index"]] for one in found["dead_letters"]]
    assert {row["key"] for row in store.statement("MATCH (a:Account) RETURN a.key AS key")} == {"t:1", "t:2", "t:4"}


def test_where_no_event_can_be_used_nothing_is_kept(shop: Sender) -> None:
    refused = shop.post({"type": "follow.created", "data": {"follower": "1"}})
    assert code(refused) == (422, "invalid_request")
    assert [item["code"] for item in refused.json()["items"]] == ["missing_field"]
    assert shop.api.get("/v1/deliveries").json() == {"items": [], "before": None}


def test_dead_letters_are_replayed_by_time_range(shop: Sender, applied: Callable[[], None]) -> None:
    ids = [shop.post([FOLLOW, {"type": "nonsense"}]).json()["delivery"] for _ in range(3)]
    applied()
    assert shop.api.get("/v1/deliveries?state=dead").json()["items"] == []
    span = {"since": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}
    assert shop.api.post("/v1/deliveries/replay", json={**span, "source": "other"}).json()["events"] == 0
    replayed = shop.api.post("/v1/deliveries/replay", json={**span, "source": "shop"})
    assert replayed.status_code == 202
    assert (replayed.json()["events"], len(replayed.json()["deliveries"]), replayed.json()["sequence"]) == (3, 3, 6)
    applied()
    again = [shop.api.get(f"/v1/deliveries/{one}").json() for one in replayed.json()["deliveries"]]
    assert [(one["state"], one["replay_of"]) for one in again] == [("dead", one) for one in ids]
    assert shop.api.post("/v1/deliveries/replay", json={"delivery": ids[0]}).json()["events"] == 0
    assert code(shop.api.post("/v1/deliveries/replay", json={"delivery": "dno"})) == (404, "delivery_not_found")
    assert code(shop.api.post("/v1/deliveries/replay", json={"since": "2020-01-01T00:00:00Z"})) == (
        422, "invalid_request",
    )  # fmt: skip
    listed = shop.api.get("/v1/deliveries?limit=4").json()
    assert [one["sequence"] for one in listed["items"]] == [6, 5, 4, 3]
    rest = shop.api.get(f"/v1/deliveries?limit=4&before={listed['before']}").json()
    assert ([one["sequence"] for one in rest["items"]], rest["before"]) == ([2, 1], None)


def test_cloud_events_are_taken_as_they_are(shop: Sender, store: Store, applied: Callable[[], None]) -> None:
    cloud = {
        "specversion": "1.0", "id": "A-1", "source": "/shop", "type": "follow.created", "time": "2025-03-01T12:00:00Z",
        "datacontenttype": "application/json", "myextension": 5, "data": {"follower": "1", "followee": "2"},
    }  # fmt: skip
    for body, kind in ((cloud, "application/cloudevents+json"), ([cloud], "application/cloudevents-batch+json")):
        assert shop.post(body, **{"content-type": f"{kind}; charset=utf-8"}).status_code == 202
    assert shop.post({"events": [cloud]}).status_code == 202
    applied()
    [row] = store.statement("MATCH ()-[f:FOLLOWS]->() RETURN f.at.epochMillis AS at")
    assert row == {"at": 1_740_830_400_000}


def test_signatures(shop: Sender) -> None:
    body = json.dumps(FOLLOW).encode()
    address = "/v1/webhooks/shop"

    def refused(changed: dict[str, str | None], content: bytes = body, when: float | None = None) -> None:
        given = {**shop.headers(body, when=when), **changed}
        headers = {name: value.encode("latin-1") for name, value in given.items() if value is not None}
        assert code(shop.api.post(address, content=content, headers=headers)) == (401, "signature_invalid")

    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        refused({name: None})
        refused({name: ""})
        refused({name: "\x7f"})
    for signature in ("v1,", "v1", "v1,!!!!", "v2,abcd", ",", "v1,====", "v1,\u00ff", "v1a,abcd", "v1,é", " " * 100):
        refused({"webhook-signature": signature})
    for timestamp in ("1e9", "nan", "-1", "9" * 400, "0x10", "١٢٣", " 1"):
        refused({"webhook-timestamp": timestamp.encode().decode("latin-1")})
    refused({"webhook-id": "x" * 256})
    refused({}, content=body + b" ")
    refused({}, when=time.time() - 400)
    refused({}, when=time.time() + 400)
    refused({"webhook-id": "another"})
    good = shop.headers(body)["webhook-signature"]
    several = f"v1a,abcd v1,{base64.b64encode(b'0' * 32).decode()} {good}"
    assert (
        shop.api.post(
            address, content=body, headers={**shop.headers(body, f"msg_{shop.sent}"), "webhook-signature": several}
        ).status_code
        == 202
    )
    assert code(shop.api.post("/v1/webhooks/nobody", content=body, headers=shop.headers(body))) == (
        404, "source_not_found",
    )  # fmt: skip
    assert shop.secret not in str(shop.api.get("/v1/sources").json())


def test_our_signature_is_that_of_the_official_library(shop: Sender) -> None:
    body = json.dumps({"text": "Léa ☀"}).encode()
    for webhook_id in ("m", "msg.1", "x" * 255):
        now = int(time.time())
        official = Webhook(shop.secret).sign(webhook_id, datetime.fromtimestamp(now, UTC), body.decode())
        assert sign(shop.secret, webhook_id, now, body) == official


def test_two_secrets_are_live_while_a_source_rotates(shop: Sender) -> None:
    first = shop.secret

    def status(secret: str) -> int:
        shop.secret = secret
        return shop.post(FOLLOW).status_code

    second = shop.api.post("/v1/sources/shop/rotate").json()["secret"]
    assert [status(first), status(second)] == [202, 202]
    third = shop.api.post("/v1/sources/shop/rotate", json={}).json()["secret"]
    assert [status(first), status(second), status(third)] == [401, 202, 202]
    fourth = shop.api.post("/v1/sources/shop/rotate", json={"at_once": True}).json()["secret"]
    assert [status(third), status(fourth)] == [401, 202]
    assert shop.api.post("/v1/sources/shop/disable").json()["disabled"] is True
    assert code(shop.post(FOLLOW)) == (403, "source_disabled")
    assert shop.api.post("/v1/sources/shop/enable").json()["disabled"] is False
    assert status(fourth) == 202
    assert code(shop.api.post("/v1/sources", json={"name": "shop"})) == (409, "source_exists")
    assert code(shop.api.post("/v1/sources/nobody/rotate")) == (404, "source_not_found")
    assert code(shop.api.post("/v1/sources", json={"name": "No"})) == (422, "invalid_request")


def test_it_is_known_when_a_secret_was_last_used(shop: Sender, applied: Callable[[], None]) -> None:
    assert shop.api.get("/v1/sources").json()["items"][0]["secrets"][0]["last_used_at"] is None
    before = datetime.now(UTC)
    shop.post(FOLLOW)
    applied()
    [used] = shop.api.get("/v1/sources").json()["items"][0]["secrets"]
    assert abs((datetime.fromisoformat(used["last_used_at"]) - before).total_seconds()) < 10


def test_a_delivery_can_be_tried_without_being_kept(shop: Sender) -> None:
    tried = shop.post([FOLLOW, {"type": "nonsense"}], test=True)
    assert tried.status_code == 200
    assert (tried.json()["accepted"], tried.json()["rejected"]) == (1, 1)
    assert tried.json()["signed_with"] == shop.api.get("/v1/sources").json()["items"][0]["secrets"][0]["id"]
    assert shop.api.get("/v1/deliveries").json()["items"] == []
    body = json.dumps(FOLLOW).encode()
    wrong = {**shop.headers(body), "webhook-signature": "v1,AAAA"}
    assert code(shop.api.post("/v1/webhooks/shop/test", content=body, headers=wrong)) == (401, "signature_invalid")


def test_bodies_that_cannot_be_read(shop: Sender) -> None:
    for body in (b"", b"{", b"\xff\xfe", b"\x00", b'{"a": NaN}', b"[" * 100_000, b"1" * 5_000, b"\xef\xbb\xbf{}"):
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = None
        headers = shop.headers(body) if text is not None else {"content-type": "application/json"}
        if text is None:
            now = int(time.time())
            headers |= {
                "webhook-id": "m", "webhook-timestamp": str(now),
                "webhook-signature": sign(shop.secret, "m", now, body),
            }  # fmt: skip
        assert code(shop.api.post("/v1/webhooks/shop", content=body, headers=headers)) == (400, "malformed_body"), body
    for events in ([], [FOLLOW] * 1_001, {"events": 5}, {"events": []}):
        assert code(shop.post(events)) == (422, "invalid_request")
    assert code(shop.post(FOLLOW, **{"content-type": "text/plain"})) == (415, "invalid_request")
    assert shop.post([FOLLOW] * 1_000).status_code == 202


def test_packed_bodies_and_bombs(shop: Sender) -> None:
    body = json.dumps([FOLLOW] * 50).encode()
    packed = {"content-encoding": "gzip"}

    def post(content: bytes, **headers: str) -> Response:
        return shop.api.post("/v1/webhooks/shop", content=content, headers={**shop.headers(body), **packed, **headers})

    assert post(gzip.compress(body)).status_code == 202
    assert code(post(gzip.compress(b" " * (200 << 20)))) == (413, "body_too_large")
    assert code(post(b"no gzip")) == (400, "malformed_body")
    assert code(post(gzip.compress(body)[:-9])) == (400, "malformed_body")
    assert code(post(gzip.compress(body) + gzip.compress(body))) == (400, "malformed_body")
    assert code(post(body, **{"content-encoding": "br"})) == (415, "invalid_request")


def test_every_kind_of_event_has_a_schema_whose_example_is_taken(shop: Sender) -> None:
    schemas = shop.api.get("/v1/event-schemas").json()
    assert list(schemas) == list(EVENTS)
    for kind, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        [example] = schema["examples"]
        Draft202012Validator(schema).validate(example)
        assert shop.api.get(f"/v1/event-schemas/{kind}").json() == schema
        assert shop.post(example).status_code == 202, kind
        data = schema["properties"]["data"]
        for name in data["required"]:
            without = {**example, "data": {key: value for key, value in example["data"].items() if key != name}}
            assert not Draft202012Validator(schema).is_valid(without)
            assert code(shop.post(without)) == (422, "invalid_request"), (kind, name)
    assert code(shop.api.get("/v1/event-schemas/nothing")) == (404, "not_found")


def test_the_journal_is_measured(shop: Sender, applied: Callable[[], None]) -> None:
    shop.post([FOLLOW, {"type": "nonsense"}])

    def numbers() -> dict[str, float]:
        lines = shop.api.get("/metrics").text.splitlines()
        return {line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")}

    waiting = numbers()
    assert waiting["entourage_journal_pending_events"] == waiting["entourage_journal_pending_deliveries"] == 1
    assert waiting["entourage_journal_pending_bytes"] > 100
    assert time.time() - waiting["entourage_journal_oldest_pending_timestamp_seconds"] < 60
    assert waiting["entourage_journal_dead_letters"] == waiting["entourage_journal_sequence"] == 1
    applied()
    done = numbers()
    assert done["entourage_journal_pending_events"] == done["entourage_journal_pending_bytes"] == 0
    assert done["entourage_journal_applied_up_to"] == 1


# --- hostile input --------------------------------------------------------------------------------------------------

INJECTIONS = [
    "'", '"', "`", "\\", "\\'", "';--", "' OR 1=1 //", "') DETACH DELETE n //", "`}) MATCH (n) DETACH DELETE n //",
    "\\u0027", "$key", "{key}", "${7*7}", "{{7*7}}", "%s%n", "../../etc/passwd", "<script>alert(1)</script>",
    "'; DROP TABLE deliveries; --", '"; DROP TABLE deliveries; --', "1; PRAGMA writable_schema=1", "robert'); --",
    "MATCH (n) DETACH DELETE n", "CALL apoc.help('x')", "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l", "/*", "*/",
    "//", "a b", "a\tb", "Ω≈ç√", "👩‍👩‍👧‍👦", "ﷺ", "\u202eabc", "\ufeff", "\u2028", "null", "true", "NaN", "-0",
]  # fmt: skip


def injections() -> list[str]:
    rng = random.Random(3)
    made = [a + b for a in INJECTIONS for b in INJECTIONS]
    rng.shuffle(made)
    return (INJECTIONS + made)[:200]


def test_injected_statements_change_nothing_but_values(shop: Sender, store: Store, applied: Callable[[], None]) -> None:
    texts = injections()
    assert len(set(texts)) == 200
    events: list[Any] = []
    for text in texts:
        events += [
            {"type": "account.upserted", "data": {"account": text, "handle": text, "name": text, "bio": text,
                                                  "location": text}},
            {"type": "follow.created", "data": {"follower": text, "followee": "hub"}},
            {"type": "post.published", "data": {"post": text, "account": text, "text": text, "topics": [text]}},
            {"type": "endorsement.given", "data": {"account": text, "endorsed": "hub", "topic": text}},
            {"type": "interaction.recorded", "data": {"id": text, "account": text, "target": "hub", "kind": "like"}},
            {"type": "brand_relation.set",
             "data": {"account": text, "brand": "b", "relation": "user", "source": text}},
        ]  # fmt: skip
    taken = 0
    for at in range(0, len(events), 600):
        answer = shop.post(events[at : at + 600]).json()
        taken += answer["accepted"]
    assert taken > 1_000
    applied()
    found = store.statement("MATCH (x) UNWIND labels(x) AS label RETURN DISTINCT label")
    assert {row["label"] for row in found} <= {
        "Account", "Post", "Topic", "Brand", "Graph", "Journal", "Source", "SourceSecret", "__Neo4jMigration",
        "__Neo4jMigrationsLock",
    }  # fmt: skip
    keys = {row["key"] for row in store.statement("MATCH (a:Account) RETURN a.key AS key")}
    # Ids hold no control characters; everything else is a value like any other.
    assert keys == {f"t:{text.strip()}" for text in texts if text.strip() and "\t" not in text.strip()} | {"t:hub"}
    assert store.statement("MATCH (g:Graph) RETURN g.v > 0 AS ok") == [{"ok": True}]


def mutated(rng: random.Random, body: bytes, headers: dict[str, str], secret: str) -> tuple[bytes, dict[str, Any]]:
    """A request spoiled in one of many ways; some are signed anew, so that parsing is reached."""
    headers = dict(headers)
    kind = rng.randrange(9)
    if kind == 0:
        spoiled = bytearray(body)
        for _ in range(rng.randint(1, 4)):
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
        return bytes(spoiled) if bytes(spoiled) != body else body + b"x", headers
    if kind == 1:
        name = rng.choice(["webhook-id", "webhook-timestamp", "webhook-signature"])
        value = headers[name]
        at = rng.randrange(len(value))
        headers[name] = value[:at] + chr(rng.choice([*range(33, 127), *range(160, 255)])) + value[at + 1 :]
        if headers[name] == value:
            headers.pop(name)
        return body, headers
    if kind == 2:
        headers.pop(rng.choice(["webhook-id", "webhook-timestamp", "webhook-signature"]))
        return body, headers
    junk: list[bytes] = [
        b"[" * rng.randint(1, 60_000),
        b'{"type":' * rng.randint(1, 20_000),
        b'{"type":"follow.created","data":{"follower":' + b"9" * rng.randint(300, 6_000) + b',"followee":"2"}}',
        b'{"type":"follow.created","data":{"follower":"\\ud800","followee":"2"}}',
        b'{"type":"follow.created","data":{"follower":"a\\u0000","followee":"2"}}',
        b'{"type":"follow.created","timestamp":1e400,"data":{"follower":"1","followee":"2"}}',
        b'{"type":"follow.created","data":{"follower":"1","followee":"2","weight":' + b"9" * 400 + b"}}",
        b'{"type":"follow.created","timestamp":' + b"9" * 40 + b',"data":{"follower":"1","followee":"2"}}',
        b'{"type":["follow.created"],"data":{"follower":"1","followee":"2"}}',
        b'{"type":"follow.created","data":[[["1"]]]}',
        b'{"type":"follow.snapshot","data":{"account":"1","followers":{"a":1}}}',
        b'{"type":"follow.snapshot","data":{"account":"1","followers":[null,[1]]}}',
        b'{"type":"post.published","data":{"post":"1","mentions":[{"brand":5}]}}',
        b'{"type":"post.published","data":{"post":{"a":1},"topics":5}}',
        b'{"type":"interaction.recorded","data":{"id":"1","account":"1","target":"2","kind":{"a":[]}}}',
        bytes(rng.randrange(256) for _ in range(rng.randint(1, 200))),
        body.decode().encode("utf-16"),
        b"\x00" + body,
    ]
    spoiled_body = rng.choice(junk)
    now = int(time.time())
    headers["webhook-timestamp"] = str(now)
    headers["webhook-signature"] = sign(secret, headers["webhook-id"], now, spoiled_body)
    return spoiled_body, headers


@pytest.mark.parametrize("requests", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_mutated_requests_are_refused_and_none_breaks_the_service(shop: Sender, requests: int) -> None:
    rng = random.Random(requests)
    statuses: dict[int, int] = {}
    body = json.dumps(FOLLOW).encode()
    for i in range(requests):
        content, headers = mutated(rng, body, shop.headers(body, f"m{i}"), shop.secret)
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        response = shop.api.post("/v1/webhooks/shop", content=content, headers=encoded)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        assert 400 <= response.status_code < 500, (content[:200], headers, response.text[:300])
    assert set(statuses) <= {400, 401, 413, 422}
    assert min(statuses[400], statuses[401], statuses[422]) > requests // 20, statuses
    assert shop.api.get("/v1/deliveries").json()["items"] == []
    assert shop.post(FOLLOW).status_code == 202
