"""A day on four platforms and a forum, told as each of them tells it, into a running service: the graph is what was.

Who follows whom is played first, and known; then every platform tells it in its own form, in its own order, some of it
twice, while processes of the service are killed.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.domain import StoreAddress
from service.store.driver import Store
from tests.serving import Service, wait_for
from tests.store.graph_dump import dump, edges

DAY = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * 1000
PEOPLE = 60
SECRET = "secret-that-the-platform-gave"


@dataclass
class Played:
    """A day of one platform: what happened, in order, and who follows whom in the end."""

    happened: list[tuple[int, bool, int, int, str]] = field(default_factory=list)
    """Time in milliseconds since 1970 UTC, whether a follow began or ended, follower, followee, and which follow."""

    live: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """Since when each follows whom, and which follow that is."""


def play(rng: random.Random, steps: int, *, unfollows: bool = True) -> Played:
    """Let people follow each other, and stop to, for a day."""
    day = Played()
    for number in range(steps):
        at = DAY + 86_400_000 * number // steps + rng.randrange(1, 500)
        follower, followee = rng.sample(range(PEOPLE), 2)
        if day.live and unfollows and rng.random() < 0.4:
            follower, followee = rng.choice(sorted(day.live))
        pair = follower, followee
        if pair not in day.live:
            day.live[pair] = (at, f"f{number}")
            day.happened.append((at, True, *pair, f"f{number}"))
        elif unfollows:
            day.happened.append((at, False, *pair, day.live.pop(pair)[1]))
    return day


def rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tid(at: int) -> str:
    """A TID (https://atproto.com/specs/tid) of a time in milliseconds."""
    bits = f"{at * 1000:054b}".ljust(64, "0").rjust(65, "0")
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[int(bits[place : place + 5], 2)] for place in range(0, 65, 5))


# --- how each platform tells it -------------------------------------------------------------------------------------


def did(person: int) -> str:
    return f"did:plc:{base64.b32encode(hashlib.sha256(b'%d' % person).digest()).decode().lower()[:24]}"


def bluesky(day: Played, rng: random.Random) -> list[Any]:
    """Jetstream: in any order, some of it twice, from two instances that saw it at different times, and much else."""
    told = []
    for at, began, follower, followee, which in day.happened:
        commit = {"rev": tid(at), "operation": "create" if began else "delete", "rkey": f"3k{which}"}
        commit["collection"] = "app.bsky.graph.follow"
        if began:
            record = {"$type": commit["collection"], "subject": did(followee), "createdAt": rfc3339(at - 400)}
            commit |= {"record": record, "cid": "bafy"}  # type: ignore[dict-item]
        for _ in range(rng.choice([1, 1, 1, 2])):
            seen = (at + rng.randrange(2_000)) * 1000
            told.append({"did": did(follower), "time_us": seen, "kind": "commit", "commit": commit})
    like = {"rev": tid(DAY), "operation": "create", "collection": "app.bsky.feed.like", "rkey": "3l", "record": {}}
    told += [{"did": did(one), "time_us": DAY * 1000, "kind": "commit", "commit": like} for one in range(40)]
    gone = {"active": False, "status": "deleted", "did": did(10_000), "time": rfc3339(DAY)}
    told.append({"did": did(10_000), "time_us": DAY * 1000, "kind": "account", "account": gone})
    rng.shuffle(told)
    return told


def actor(person: int) -> str:
    return f"https://social{person % 5}.example/users/p{person}"


def mastodon(day: Played, rng: random.Random) -> list[Any]:
    """Activities, in order, for they have no times; but some come again later, from servers that try again."""
    told: list[Any] = []
    again: list[tuple[int, Any]] = []
    for number, (_, began, follower, followee, which) in enumerate(day.happened):
        follow = {"id": f"{actor(follower)}#follows/{which}", "type": "Follow", "actor": actor(follower),
                  "object": actor(followee)}  # fmt: skip
        undone = follow["id"] if rng.random() < 0.5 else follow
        undo = {"id": f"{follow['id']}/undo", "type": "Undo", "actor": actor(follower), "object": undone}
        activity = {"@context": "https://www.w3.org/ns/activitystreams", **(follow if began else undo)}
        told.append(activity)
        if rng.random() < 0.2:
            again.append((number + rng.randrange(1, 200), activity))
        told += [one for when, one in again if when == number]
    return [*told, *(one for when, one in again if when >= len(day.happened))]


def twitch_id(person: int) -> str:
    return str(9_007_199_254_740_993 + person)


def twitch(day: Played, rng: random.Random) -> list[tuple[bytes, dict[str, str]]]:
    """Notifications, signed, in any order, some of them twice; unfollows are not told."""
    told = []
    for at, _, follower, followee, which in day.happened:
        event = {"user_id": twitch_id(follower), "user_login": f"p{follower}", "user_name": f"P {follower}",
                 "broadcaster_user_id": twitch_id(followee), "broadcaster_user_login": f"p{followee}",
                 "followed_at": rfc3339(at)}  # fmt: skip
        subscription = {"id": "s", "type": "channel.follow", "version": "2", "status": "enabled"}
        told += [(f"m-{which}", {"subscription": subscription, "event": event})] * rng.choice([1, 1, 2])
    rng.shuffle(told)
    return [signed_by_twitch(message, json.dumps(what).encode()) for message, what in told]


def signed_by_twitch(message: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    sent = rfc3339(int(time.time() * 1000))
    signature = hmac.new(SECRET.encode(), message.encode() + sent.encode() + body, hashlib.sha256).hexdigest()
    names = {"Id": message, "Timestamp": sent, "Signature": f"sha256={signature}", "Type": "notification"}
    return body, {f"Twitch-Eventsub-Message-{name}": value for name, value in names.items()}


def x_id(person: int) -> str:
    return str(1_850_000_000_000_000_000 + person)


def x(day: Played, rng: random.Random) -> list[tuple[bytes, dict[str, str]]]:
    """Events, signed, in order, for they have no times; some come again right away or later, with the same id."""
    told = []
    for _, began, follower, followee, which in day.happened:
        payload = {role: {"data": {"id": x_id(one), "username": f"p{one}", "public_metrics": {"followers_count": one}}}
                   for role, one in (("source", follower), ("target", followee))}  # fmt: skip
        kind = "follow.follow" if began else "follow.unfollow"
        body = json.dumps({"data": {"event_uuid": f"{kind}-{which}", "event_type": kind, "payload": payload}}).encode()
        digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        told.append((body, {"x-twitter-webhooks-signature": f"sha256={digest}"}))
        if rng.random() < 0.1:
            told.append(rng.choice(told))
    return told


FORUM = """
about = "Who watches whom in a forum"
items = "$.changes[*]"

[[events]]
type = "follow.created"
where = { "@.change" = "watch" }
[events.data]
follower = "@.member"
followee = "@.watched"
at = { path = "@.when", unit = "us" }

[[events]]
type = "follow.deleted"
where = { "@.change" = "unwatch" }
[events.data]
follower = "@.member"
followee = "@.watched"
at = { path = "@.when", unit = "us" }
"""


def forum(day: Played, rng: random.Random) -> list[Any]:
    """Changes, a few in each notice, in any order."""
    changes = [
        {"change": "watch" if began else "unwatch", "member": follower, "watched": followee, "when": at * 1000}
        for at, began, follower, followee, _ in day.happened
    ]
    rng.shuffle(changes)
    return [{"changes": changes[at : at + 7], "forum": "f"} for at in range(0, len(changes), 7)]


# --- into the service -----------------------------------------------------------------------------------------------


@dataclass
class Running:
    """A service, and the command on the same data."""

    service: Service
    environment: dict[str, str]

    def entourage(self, *arguments: str, said: str | None = None, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments], env={**os.environ, **self.environment},
            input=said, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def push(self, name: str, lines: list[Any], folder: Path) -> dict[str, int]:
        """Push lines, as a file."""
        file = folder / f"{name}.ndjson"
        file.write_text("".join(json.dumps(one) + "\n" for one in lines))
        answer: dict[str, int] = json.loads(
            self.entourage("sources", "push", name, str(file), "--url", self.service.url, "--json")
        )
        return answer

    def post(self, name: str, deliveries: list[tuple[bytes, dict[str, str]]]) -> None:
        """Deliver as a platform does: whatever is not taken is sent again."""
        for body, headers in deliveries:
            wait_for(lambda body=body, headers=headers: self._taken(name, body, headers), f"{name} to be taken")  # type: ignore[misc]

    def _taken(self, name: str, body: bytes, headers: dict[str, str]) -> bool:
        answer = self.service.client.post(
            f"/v1/webhooks/{name}", content=body, headers={**headers, "content-type": "application/json"}
        )
        assert answer.status_code in (200, 202, 503), answer.text
        return answer.status_code != 503

    def applied(self) -> None:
        def done() -> bool:
            latest = self.service.get("/v1/deliveries?limit=1")["items"][0]["sequence"]
            return bool(self.service.get("/health/ready")["applied_up_to"] == latest)

        wait_for(done, "all that was pushed to be applied")


@pytest.fixture
def running(store_address: StoreAddress, store: Store, tmp_path: Path) -> Iterator[Running]:  # an empty graph
    environment = {
        "ENTOURAGE_NEO4J_URI": store_address.uri,
        "ENTOURAGE_NEO4J_USER": store_address.user,
        "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
    }
    service = Service(environment, tmp_path)
    try:
        yield Running(service, environment)
    finally:
        service.close()


def test_a_day_of_five_platforms(running: Running, store: Store, tmp_path: Path) -> None:
    rng = random.Random(20260601)
    days = {
        name: play(rng, 700, unfollows=name != "twitch") for name in ("bluesky", "mastodon", "twitch", "x", "forum")
    }
    (tmp_path / "forum.toml").write_text(FORUM)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    for name in ("bluesky", "mastodon"):
        running.entourage("sources", "add", name, "--platform", name)
    for name in ("twitch", "x"):
        said = running.entourage("sources", "add", name, "--platform", name, "--secret-file", str(tmp_path / "secret"))
        assert SECRET not in said
    how = ("--platform", "mapped", "--mapping", str(tmp_path / "forum.toml"), "--network", "forum")
    running.entourage("sources", "add", "forum", *how)

    lines = {"bluesky": bluesky(days["bluesky"], rng), "mastodon": mastodon(days["mastodon"], rng),
             "forum": forum(days["forum"], rng)}  # fmt: skip
    webhooks = {"twitch": twitch(days["twitch"], rng), "x": x(days["x"], rng)}
    pushed = {name: running.push(name, told, tmp_path) for name, told in lines.items()}
    running.service.child("_writer").kill()
    for name, deliveries in webhooks.items():
        running.post(name, deliveries)
    assert pushed["bluesky"]["ignored"] == 40
    assert {name: (one["lines"], one["rejected"]) for name, one in pushed.items()} == {
        name: (len(told), 0) for name, told in lines.items()
    }
    running.applied()

    named: dict[str, Callable[[int], str]] = {
        "bluesky": did, "mastodon": actor, "twitch": twitch_id, "x": x_id, "forum": str,
    }  # fmt: skip
    found = edges(store)
    for name, day in days.items():
        keys = {pair: tuple(f"{name}:{named[name](one)}" for one in pair) for pair in day.live}
        there = {pair: at for pair, (_, at) in found.items() if pair[0].startswith(f"{name}:")}
        assert there.keys() == set(keys.values()), name
        if name in ("bluesky", "twitch", "forum"):  # the others do not say when
            assert there == {keys[pair]: at for pair, (at, _) in day.live.items()}, name
    assert not store.statement("MATCH (a:Account {key: $key}) RETURN a", key=f"bluesky:{did(10_000)}"), "never heard of"

    before, version = dump(store), store.statement("MATCH (g:Graph) RETURN g.v AS v")
    for name, told in lines.items():
        running.push(name, told, tmp_path)
    for name, deliveries in webhooks.items():
        running.post(name, deliveries)
    running.applied()
    assert dump(store) == before
    assert store.statement("MATCH (g:Graph) RETURN g.v AS v") == version
    assert running.service.get("/v1/deliveries?state=dead")["items"] == []
    assert SECRET not in Path(running.service.log.name).read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_is_pushed_as_it_comes(running: Running, store: Store, stop: signal.Signals) -> None:
    """What a pipe holds is sent a second later, not when it ends; lines that are no JSON are told and left out."""
    running.entourage("sources", "add", "bluesky", "--platform", "bluesky")
    rng = random.Random(5)
    lines = [json.dumps(one) for one in bluesky(play(rng, 20, unfollows=False), rng)]
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "sources", "push", "bluesky", "-", "--url", running.service.url, "--json"],
        env={**os.environ, **running.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write("\n".join([lines[0], "", "no JSON", *lines[1:]]) + "\n")
    process.stdin.flush()
    wait_for(lambda: running.service.get("/v1/deliveries")["items"], "the first lines to be pushed")
    running.applied()
    assert process.poll() is None
    process.stdin.write('{"kind": 5}\n')
    process.stdin.flush()
    wait_for(lambda: len(running.service.get("/v1/deliveries")["items"]) > 1, "the next line to be pushed")
    process.send_signal(stop)
    out, err = process.communicate()
    assert "Line 3 is left out" in err
    assert f"Line {len(lines) + 3} cannot be used" in err
    pushed = json.loads(out)
    assert (process.returncode, pushed["lines"], pushed["unreadable"]) == (10, len(lines) + 2, 1)
    assert edges(store)


def test_what_is_pushed_waits_for_the_service(running: Running) -> None:
    made = json.loads(running.entourage("sources", "add", "bluesky", "--platform", "bluesky", "--json"))
    file = Path(running.environment["ENTOURAGE_DATA_DIR"]) / "day.ndjson"
    file.write_text(json.dumps({"kind": "identity"}) + "\n")
    arguments = ("sources", "push", "bluesky", str(file), "--url")
    refused = running.entourage(*arguments, "http://127.0.0.1:9", "--patience", "0", code=3)
    assert refused == ""
    secret = file.with_name("secret")
    secret.write_text(made["secret"])
    assert "1 lines" in running.entourage(*arguments, running.service.url, "--secret-file", str(secret))
    secret.write_text("whsec_" + base64.b64encode(b"not the secret").decode())
    running.entourage(*arguments, running.service.url, "--secret-file", str(secret), code=3)
    running.entourage("sources", "push", "nobody", str(file), code=4)
    for url in ("foo", "https" + running.service.url.removeprefix("http")):
        running.entourage(*arguments, url, code=3)
    running.entourage("sources", "push", "bluesky", "-", "--secret-file", "-", said="{}\n", code=3)
    running.entourage("sources", "push", "bluesky", "-", "--url", running.service.url, said="{\n}\n", code=3)
    packed = file.with_name("day.ndjson.gz")
    packed.write_bytes(gzip.compress(file.read_bytes() * 3))
    assert "3 lines" in running.entourage("sources", "push", "bluesky", str(packed), "--url", running.service.url)


def test_a_mapping_in_five_minutes(running: Running, store: Store, tmp_path: Path) -> None:
    """The page of mappings, as a newcomer types it."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "platforms" / "mapping.md").read_text(encoding="utf-8")
    begun = page[page.index("## In five minutes") : page.index("## How it is read")]
    for kind, name in (("json", "example.json"), ("toml", "forum.toml")):
        [content] = re.findall(rf"^```{kind}\n(.*?)^```$", begun, re.MULTILINE | re.DOTALL)
        (tmp_path / name).write_text(content)
    (tmp_path / "secret.txt").write_text(SECRET)
    commands = [line.split()[1:] for line in re.findall(r"^entourage .*$", begun, re.MULTILINE)]
    assert [words[:2] for words in commands] == [["sources", "try"], ["sources", "add"], ["sources", "map"],
                                                 ["deliveries", "replay"]]  # fmt: skip

    def typed(words: list[str]) -> str:
        return running.entourage(*(str(tmp_path / one) if (tmp_path / one).exists() else one for one in words))

    assert "1 accepted" in typed(commands[0])
    typed(commands[1])
    if shutil.which("curl") and shutil.which("openssl"):
        [script] = re.findall(r"^```sh\n(.*?)^```$", begun, re.MULTILINE | re.DOTALL)
        script = script.replace("http://127.0.0.1:8000", running.service.url)
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["accepted"] == 1, done.stdout
        running.applied()
        assert edges(store).keys() == {("forum:1017", "forum:2044")}
    for words in commands[2:]:
        typed(words)
