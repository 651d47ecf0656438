"""Reading a file of follows in tests; every reading checks that each line is accounted for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from service.domain import Follow
from service.files.follows import FollowFile, open_follows
from service.files.rejects import Rejected


class Reading(NamedTuple):
    follows: list[Follow]
    rejected: list[Rejected]
    skipped: dict[str, int]
    lines: int

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Native ids of the follows."""
        return [(a.partition(":")[2], b.partition(":")[2]) for a, b, _, _ in self.follows]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(one.line, one.reason) for one in self.rejected]


def read_file(path: Path, **options: Any) -> Reading:
    rejected: list[Rejected] = []
    with open_follows(FollowFile(path, **options), rejected.append) as reader:
        follows = list(reader)
        assert reader.used == len(follows)
        assert reader.rejected == Counter(one.reason for one in rejected)
        assert reader.lines == len(follows) + len(rejected) + sum(reader.skipped.values())
        assert len({one.line for one in rejected}) == len(rejected), "a line is rejected once"
        assert all(1 <= one.line <= reader.lines and len(one.text) <= 200 for one in rejected)
        return Reading(follows, rejected, dict(reader.skipped), reader.lines)


def read(folder: Path, content: bytes | str, **options: Any) -> Reading:
    path = folder / "some file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, **options)
