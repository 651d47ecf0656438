"""What platforms send, read as events: how long that takes beside events of Entourage, which need no reading.

    python -m bench.adapters

Bodies of 1,000 follows each, as each platform has them, from bytes to what goes into the graph, in this process; the
median of several rounds, all forms in turn. The peer are the same 1,000 follows as events of Entourage.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from service.domain import Reader
from service.files.events import read_body, read_events
from service.flows.reading import event_source, mapping_of

FOLLOWS = 1_000
NOW = 1_800_000_000_000
MAPPING = b"""
[[events]]
type = "follow.created"
where = { "$.do" = "follow" }
data = { follower = "$.who.id", followee = "$.whom.id", at = "$.at" }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    taken: dict[str, list[float]] = {}
    forms = {name: (reader, json.dumps(items).encode()) for name, (reader, items) in bodies().items()}
    for _ in range(given.rounds):
        for name, (reader, body) in forms.items():
            began = time.process_time()
            items = read_events(read_body(body, of_platform=reader is not None), event_source("s", "n", reader), NOW)
            taken.setdefault(name, []).append(time.process_time() - began)
            wrong = [item.message for item in items if item.code is not None]
            if wrong:
                raise SystemExit(f"{name}: {wrong[0]}")
    own = statistics.median(taken["entourage"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:10} {FOLLOWS / median:>9,.0f} follows/s  {median / own:4.1f} times as long as events")


def bodies() -> dict[str, tuple[Reader | None, list[Any]]]:
    """The same follows in each form."""
    numbers = range(FOLLOWS)
    return {
        "entourage": (None, [
            {"type": "follow.created", "timestamp": 1_700_000_000 + n, "data": {"follower": f"u{n}", "followee": "b"}}
            for n in numbers
        ]),
        "bluesky": (Reader("bluesky"), [
            {"did": f"did:plc:{n:024}", "time_us": 1_700_000_000_000_000 + n, "kind": "commit", "commit": {
                "rev": "3l25zusnsfck2", "operation": "create", "collection": "app.bsky.graph.follow", "rkey": f"3k{n}",
                "record": {"$type": "app.bsky.graph.follow", "subject": "did:plc:b"},
            }} for n in numbers
        ]),
        "mastodon": (Reader("mastodon"), [
            {"id": f"https://a.example/{n}", "type": "Follow", "actor": f"https://a.example/u{n}",
             "object": "https://b.example/b"} for n in numbers
        ]),
        "twitch": (Reader("twitch"), [
            {"subscription": {"type": "channel.follow", "status": "enabled"}, "event": {
                "user_id": f"1{n}", "user_login": f"u{n}", "broadcaster_user_id": "5", "broadcaster_user_login": "b",
                "followed_at": "2023-07-15T18:16:11.17106713Z",
            }} for n in numbers
        ]),
        "x": (Reader("x"), [
            {"data": {"event_uuid": str(n), "event_type": "follow.follow", "payload": {
                "source": {"data": {"id": f"1{n}", "username": f"u{n}"}},
                "target": {"data": {"id": "5", "username": "b"}},
            }}} for n in numbers
        ]),
        "mapped": (Reader("mapped", mapping_of(MAPPING, "the mapping")), [
            {"do": "follow", "who": {"id": n}, "whom": {"id": FOLLOWS}, "at": 1_700_000_000 + n} for n in numbers
        ]),
    }  # fmt: skip


if __name__ == "__main__":
    main()
