"""Reading files of lines with a schema in tests; every reading checks that each line is accounted for."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from service.files.records import RecordFile, open_records
from service.files.rejects import Rejected
from service.files.schemas import Said

WRITTEN = 1_700_000_000
"""When files were last written, in seconds."""


class Reading(NamedTuple):
    said: list[Said]
    rejected: list[Rejected]
    skipped: dict[str, int]
    ignored: list[str]
    lines: int

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(one.line, one.reason) for one in self.rejected]


def read_file(path: Path, kind: str, **options: Any) -> Reading:
    rejected: list[Rejected] = []
    with open_records(RecordFile(path, kind, **options), rejected.append) as reader:
        said = [entry.said for entry in reader]
        assert reader.used == len(said)
        assert reader.rejected == Counter(one.reason for one in rejected)
        assert reader.lines == len(said) + len(rejected) + sum(reader.skipped.values())
        assert len({one.line for one in rejected}) == len(rejected), "a line is rejected once"
        assert all(1 <= one.line <= reader.lines and len(one.text) <= 200 for one in rejected)
        return Reading(said, rejected, dict(reader.skipped), reader.ignored, reader.lines)


def read(folder: Path, kind: str, content: bytes | str, **options: Any) -> Reading:
    path = folder / "some file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (WRITTEN, WRITTEN))
    return read_file(path, kind, **options)
