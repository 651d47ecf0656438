"""Cursors, ETags, and pages put together from prepared bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from pydantic_core import from_json, to_json

from service.api.access import seen_by
from service.api.remembered import Answer, Answers, age_header, names
from service.errors import InvalidCursor
from service.flows.brand_limits import limited
from service.flows.published import Names, Published

_SEPARATOR = "|"
NAMELESS = b'"name":null,"name_question":null'
"""How a run publishes a community: names are what people give it, then and later."""


def make_cursor(run_id: str, question: str, offset: int) -> str:
    """Make an opaque cursor: where to go on, in which run, for which question."""
    text = _SEPARATOR.join((run_id, str(offset), _checksum(run_id, question, offset)))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, question: str) -> tuple[str, int]:
    """Return run id and offset of a cursor that was made for this question.

    Raises:
        InvalidCursor: it was not, or is not one of ours.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        run_id, digits, checksum = text.split(_SEPARATOR)
        offset = int(digits)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor(_WRONG) from error
    if checksum != _checksum(run_id, question, offset) or offset < 0:
        raise InvalidCursor(_WRONG)
    return run_id, offset


_WRONG = "This cursor does not belong to this question; start again without one, and change nothing while paging."


def _checksum(run_id: str, question: str, offset: int) -> str:
    return hashlib.sha256(_SEPARATOR.join((run_id, question, str(offset))).encode()).hexdigest()[:12]


def summary(published: Published) -> bytes:
    """The `run` member of every answer."""
    run = published.run
    document = {
        "id": run.id,
        "graph_version": run.graph_version,
        "as_of": _time(run.as_of),
        "finished_at": _time(run.finished_at),
        "stale": published.stale,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _time(value: object) -> str | None:
    return None if value is None else str(value.isoformat()).replace("+00:00", "Z")  # type: ignore[attr-defined]


def named(community_id: str, line: bytes, names: Names) -> bytes:
    """The document of a community with what people call it: `name`, and `name_question` where one is open."""
    name = names.of.get(community_id)
    if name is None:
        return line
    said = to_json({"name": name.name, "name_question": name.name_question})[1:-1]
    if NAMELESS in line:  # never within a text, where quotes are escaped
        return line.replace(NAMELESS, said, 1)
    return line[:-1] + b"," + said + b"}"  # published by an earlier version


def answer(
    request: Request,
    published: Published,
    members: Mapping[str, bytes],
    *,
    changing: bool = False,
    names_version: int | None = None,
) -> Response:
    """Put an answer together from members that are JSON already; 304 where the caller has it.

    `changing` is for answers that hold more than the run published: they get no ETag. Who may see some brands only gets
    nothing of others. `names_version` is that of the names of communities, where the answer has any.
    Nobody is named whom the mask of what was published hides.
    """
    headers = {"Cache-Control": "no-cache", **age_header(published.run.finished_at)}
    sees = seen_by(request)
    if not changing:
        seen = "" if sees is None else json.dumps(sorted(sees))
        question = (
            f"{published.run.id}{published.run.digest}{published.stale}{request.url.path}?{request.url.query}{seen}"
            f"{'' if names_version is None else names_version}{published.mask.epoch}"
        )
        # Weak: it is the same for an answer that is sent packed and as it is.
        headers["ETag"] = f'W/"{hashlib.sha256(question.encode()).hexdigest()[:32]}"'
        headers["Vary"] = "Accept-Encoding"
        if names(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
    if sees is not None:
        members = {name: to_json(limited(from_json(value), sees)) for name, value in members.items()}
    members = {name: published.mask.cleaned(value) for name, value in members.items()}
    members = {"run": summary(published), **members}
    body = object_of(members)
    if not changing and not published.stale and sees is None:
        # The run is named, or a cursor pages one: such an answer stands for ever, others while the run is current.
        pinned = "run" in request.query_params or "cursor" in request.query_params
        answers: Answers = request.app.state.answers
        scope = request.scope
        answers.keep(
            scope["path"],
            scope["query_string"],
            Answer(published.run.id, pinned, headers["ETag"].encode(), body, published.run.finished_at, names_version,
                   published.mask.epoch),
        )  # fmt: skip
    return Response(body, media_type="application/json", headers=headers)


def object_of(members: Mapping[str, bytes]) -> bytes:
    """Put a JSON object together from members that are JSON already."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members.items()) + b"}"


def encoded(found: Mapping[str, Any]) -> dict[str, bytes]:
    """Members of an answer as JSON."""
    return {name: to_json(value) for name, value in found.items()}


def naming(published: Published, key: str) -> Published:
    """The same for who asks about one account by its key, which may then be named."""
    return replace(published, mask=published.mask.without(key))


def page(lines: Sequence[bytes], run_id: str, question: str, offset: int, limit: int) -> dict[str, bytes]:
    """The members of one page: total, next_cursor, items."""
    return page_of(lines[offset : offset + limit], len(lines), run_id, question, offset, limit)


def page_of(
    items: Sequence[bytes], total: int, run_id: str, question: str, offset: int, limit: int
) -> dict[str, bytes]:
    """The members of one page, of which only its own items are at hand: total, next_cursor, items."""
    end = offset + limit
    following = json.dumps(make_cursor(run_id, question, end)) if end < total else "null"
    return {
        "total": str(total).encode(),
        "next_cursor": following.encode(),
        "items": b"[" + b",".join(items) + b"]",
    }
