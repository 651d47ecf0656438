"""A slow plain model of what events do: sorted by time and applied one after the other to dictionaries."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


class PlainGraph:
    """Follows, tombstones and complete lists, as a reader of the documentation would keep them.

    Of a pair it keeps everything that was ever said, and says only in the end what stands.
    """

    def __init__(self) -> None:
        self.follows: dict[tuple[str, str], list[tuple[int, float]]] = {}
        self.unfollows: dict[tuple[str, str], list[int]] = {}
        self.complete: dict[str, int] = {}

    def add(self, event: Event, network: str = "t") -> None:
        data, at = event["data"], event["timestamp"] * 1000
        match event["type"]:
            case "follow.created":
                pair = (f"{network}:{data['follower']}", f"{network}:{data['followee']}")
                self.follows.setdefault(pair, []).append((at, data.get("weight", 1.0)))
            case "follow.deleted":
                pair = (f"{network}:{data['follower']}", f"{network}:{data['followee']}")
                self.unfollows.setdefault(pair, []).append(at)
            case "follow.snapshot":
                account = f"{network}:{data['account']}"
                for follower in data["followers"]:
                    self.follows.setdefault((f"{network}:{follower}", account), []).append((at, 1.0))
                if data.get("complete"):
                    self.complete[account] = max(self.complete.get(account, -1), at)

    def standing(self) -> tuple[dict[tuple[str, str], tuple[int, float]], dict[tuple[str, str], int]]:
        """Return follows with time and weight, and tombstones with time."""
        follows, tombstones = {}, {}
        for pair in {*self.follows, *self.unfollows}:
            since = max(self.follows.get(pair, []), default=(-1, 0.0))
            ended = max(self.unfollows.get(pair, []), default=-1)
            complete = self.complete.get(pair[1], -1)
            if since[0] > ended and since[0] >= complete:
                follows[pair] = since
            else:
                tombstones[pair] = max(ended, complete - 1)
        return follows, tombstones
