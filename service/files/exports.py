"""Writing what the graph holds as an import folder: lines that, imported again, give the same graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.files.manifest import MANIFEST
from service.files.schemas import SCHEMAS
from service.files.tables import ColumnType, FileFormat, TableFile
from service.records import ACCOUNT_FIELDS, NEVER, THINGS, State

Line = dict[str, Any]
Identity = tuple[Any, ...]

_TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(("at", "as_of", "created_at", "since", "until", "erasure_asked_at"), "time"),
    **dict.fromkeys(("followers", "likes", "replies", "mentions", "reposts", "stance"), "integer"),
    **dict.fromkeys(("paid", "opted_out", "withdrawn"), "boolean"),
    **dict.fromkeys(("events", "topics", "accounts", "competitors"), "texts"),
    "day": "day",
    "hours": "integers",
    "weight": "number",
}
"""Types of fields of lines, of all kinds alike; all others are texts."""


def time_text(milliseconds: int | None) -> str | None:
    """Return a time as RFC 3339 in UTC, with milliseconds only where it has some; None where it is unknown."""
    if milliseconds is None or milliseconds == NEVER:
        return None
    whole, rest = divmod(milliseconds, 1000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03}Z" if rest else f"{text}Z"


def follow_lines(rows: Iterable[Any]) -> Iterator[Line]:
    """Yield follows or unfollows as lines."""
    for row in rows:
        yield {**dict(row), "at": time_text(row["at"])}


def said_lines(thing: str, identity: Identity, state: State) -> Iterator[Line]:
    """Yield the lines that say what is known of a thing: one for each time at which something of it was said."""
    names = THINGS[thing]
    known = {
        name: (value, at)
        for name, value, at in zip(names.fields, state.values, state.said, strict=True)
        if value is not None
    }
    times = sorted({at for _, at in known.values()}) or [NEVER]
    for time in times:
        said = {name: value for name, (value, at) in known.items() if at == time}
        yield _LINES[thing](identity, said, time)


def _dated(*identity: str, **times: bool) -> Callable[[Identity, dict[str, Any], int], Line]:
    """Return how a thing becomes a line whose columns are its identity, its fields and `as_of`."""

    def line(key: Identity, said: dict[str, Any], time: int) -> Line:
        fields = {name: time_text(value) if name in times else value for name, value in said.items()}
        return {**dict(zip(identity, key, strict=True)), **fields, "as_of": time_text(time)}

    return line


def _engagement(key: Identity, said: dict[str, Any], time: int) -> Line:  # noqa: ARG001 - called like the others
    account, target, day = key
    events = [f"{event:x}" for event in said.pop("events", ())]
    return {"account": account, "target": target, "day": day, **said, "events": events or None}


def _endorsement(key: Identity, said: dict[str, Any], time: int) -> Line:
    account, endorsed, topic = key
    return {"account": account, "endorsed": endorsed, "topic": topic or None, **said, "at": time_text(time)}


def _response(key: Identity, said: dict[str, Any], time: int) -> Line:  # noqa: ARG001
    account, post, kind, at = key
    return {"account": account, "post": post, "kind": kind, "at": time_text(at)}


def _person(key: Identity, said: dict[str, Any], time: int) -> Line:  # noqa: ARG001
    return {"person": key[0], "account": key[1]}


_LINES: dict[str, Callable[[Identity, dict[str, Any], int], Line]] = {
    "accounts": _dated("account", created_at=True, erasure_asked_at=True),
    "engagements": _engagement,
    "posts": _dated("post", at=True),
    "responses": _response,
    "brands": _dated("brand"),
    "mentions": _dated("post", "brand"),
    "relations": _dated("account", "brand", "relation", since=True, until=True),
    "persons": _person,
    "endorsements": _endorsement,
}


def split_opt_outs(lines: Iterable[Line]) -> Iterator[tuple[str, Line]]:
    """Take lines of accounts apart: whether an account opted out is said in a file of its own."""
    for line in lines:
        opted_out = line.pop("opted_out", None)
        if opted_out is not None:
            yield "opt_outs", {"account": line["account"], "at": line["as_of"], "opted_out": opted_out}
        if opted_out is None or any(name in line for name in ACCOUNT_FIELDS):
            yield "accounts", line


class LineFile(TableFile):
    """A file of lines of one kind, as `import` reads it."""

    def __init__(self, folder: Path, kind: str, file_format: FileFormat) -> None:
        self.kind = kind
        self.name = f"{kind}.{file_format}"
        fields = [name for name in SCHEMAS[kind].fields if name not in ("network", "email")]
        super().__init__(folder / self.name, {name: _TYPES.get(name, "text") for name in fields}, file_format)


def write_manifest(folder: Path, files: Iterable[LineFile], description: str, as_of: datetime) -> None:
    """Write the manifest of a folder of files with whole keys."""
    manifest = {
        "entourage_import": 1,
        "description": description,
        "network": None,
        "as_of": as_of.isoformat(),
        "files": [{"file": file.name, "kind": file.kind} for file in files],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
