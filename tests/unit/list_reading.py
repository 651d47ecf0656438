"""Reading lists of accounts in tests; every reading checks that each line is accounted for."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from service.domain import Follow
from service.files.account_lists import ListFile, open_list
from service.files.list_mapping import shipped_lists
from service.files.rejects import Rejected
from service.records import ACCOUNT_FIELDS, Statement

WRITTEN = 1_700_000_000
"""When files were last written, in seconds."""


class Listing(NamedTuple):
    follows: list[tuple[str, str, int | None]]
    accounts: dict[str, tuple[str | None, str | None]]
    complete: list[tuple[str, int]]
    rejected: list[Rejected]
    skipped: dict[str, int]
    ignored: list[str]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(one.line, one.reason) for one in self.rejected]


def read_list(path: Path, name: str, account: str, **options: Any) -> Listing:
    mapping = options.pop("mapping", None) or shipped_lists()[name]
    rejected: list[Rejected] = []
    follows: list[tuple[str, str, int | None]] = []
    accounts: dict[str, tuple[str | None, str | None]] = {}
    complete: list[tuple[str, int]] = []
    with open_list(ListFile(path, mapping, name, account, **options), rejected.append) as reader:
        entries = 0
        for entry in reader:
            entries += 1
            assert reader.used == entries, "what is yielded is used, and nothing else is"
            assert isinstance(entry.said, list)
            assert isinstance(entry.said[0], Follow)
            for said in entry.said:
                if isinstance(said, Follow):
                    follows.append((said.follower, said.followee, said.at))
                    assert said.weight == 1.0
                elif said.thing == "accounts":
                    accounts[said.identity[0]] = described(said)
                else:
                    assert said.thing == "complete_followers"
                    complete.append((said.identity[0], said.at))
        assert reader.used == entries
        assert reader.rejected == Counter(one.reason for one in rejected)
        assert reader.lines == entries + len(rejected) + sum(reader.skipped.values())
        assert len({one.line for one in rejected}) == len(rejected), "a line is rejected once"
        return Listing(follows, accounts, complete, rejected, dict(reader.skipped), reader.ignored)


def described(said: Statement) -> tuple[str | None, str | None]:
    values = dict(zip(ACCOUNT_FIELDS, said.values, strict=True))
    assert all(value is None for name, value in values.items() if name not in ("handle", "name"))
    return values["handle"], values["name"]


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "some list"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (WRITTEN, WRITTEN))
    return path
