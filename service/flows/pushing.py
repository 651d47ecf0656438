"""Pushing what a platform says, a line at a time, to a service: what stands between a stream and a webhook."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import requests

from service.adapters.standard_webhooks import sign
from service.domain import Frozen
from service.errors import PushRefused

MOST_LINES = 500
MOST_BYTES = 512 << 10
"""Of one delivery; a service takes up to 1,000 events and 1 MiB unless it was told otherwise."""

LONGEST_LINE = 512 << 10
TIMEOUT_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 30.0
MOST_NAMED = 5
"""How many lines that cannot be used are named; all of them are dead letters."""

_WRONG_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.SSLError,
)
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class Pushed(Frozen):
    """What became of lines that were pushed; those that hold nothing are not counted."""

    lines: int = 0
    deliveries: int = 0
    accepted: int = 0
    ignored: int = 0
    rejected: int = 0
    unreadable: int = 0


class Batch(NamedTuple):
    """Lines that are sent together: where each stands, from 1, and the body."""

    numbers: list[int]
    body: bytes


def push(
    lines: Iterable[bytes],
    url: str,
    secret: str,
    *,
    note: Callable[[str], None],
    at_latest: float | None = None,
    patience: float | None = None,
) -> Iterator[Pushed]:
    """Push lines of NDJSON to a source, as deliveries signed as Standard Webhooks says, in order.

    Yields what was pushed so far, after each delivery.

    Where the service cannot take one now, it is sent again until it is taken: with the same id, which is made of its
    content, so that nothing counts twice, also when the same lines are pushed again.

    Args:
        lines: each one thing that the platform of the source says, as JSON.
        url: of the webhook of the source.
        secret: with which the source signs.
        note: told what a person should know: lines that are no JSON, the first that the service cannot use, and that
            it has to be waited for.
        at_latest: how many seconds a line waits for others to be sent with it; without, as long as there are any.
        patience: for how many seconds a delivery is sent again; without, until it is taken.

    Raises:
        PushRefused: the service refuses a delivery, or could not be reached for so long; or the first line is no JSON.
            What came before is there.
    """
    done = Pushed()
    named = 0
    with requests.Session() as session:
        for batch, unreadable in _batches(lines, at_latest, note):
            if batch is not None:
                answer = _send(session, batch, url, secret, note, patience)
                rejected = [one for one in answer["items"] if one["status"] == "rejected"]
                for one in rejected[: MOST_NAMED - named]:
                    line, why = batch.numbers[one["index"]], f"{one['message']} ({one['code']})"
                    note(f"Line {line:,} cannot be used: {why} It is kept as a dead letter of {answer['delivery']}.")
                named = min(MOST_NAMED, named + len(rejected))
                done = done.model_copy(
                    update={
                        "lines": done.lines + len(batch.numbers),
                        "deliveries": done.deliveries + 1,
                        **{name: getattr(done, name) + answer[name] for name in ("accepted", "ignored", "rejected")},
                    }
                )
            if unreadable:
                done = done.model_copy(
                    update={"lines": done.lines + unreadable, "unreadable": done.unreadable + unreadable}
                )
            yield done


def _send(
    session: requests.Session, batch: Batch, url: str, secret: str, note: Callable[[str], None], patience: float | None
) -> dict[str, Any]:
    delivery = "push_" + hashlib.blake2b(batch.body, digest_size=20).hexdigest()
    give_up = None if patience is None else time.monotonic() + patience
    pause = 0.5
    while True:
        now = int(time.time())
        headers = {
            "webhook-id": delivery, "webhook-timestamp": str(now), "Content-Type": "application/json",
            "webhook-signature": sign(secret, delivery, now, batch.body),
        }  # fmt: skip
        try:
            answer = session.post(url, data=batch.body, headers=headers, timeout=TIMEOUT_SECONDS)
        except _WRONG_ADDRESS as error:
            raise PushRefused(f"Nothing can be pushed to {url}: {type(error).__name__}; give --url the address of the "
                              "service, such as http://127.0.0.1:8000.") from error  # fmt: skip
        except requests.RequestException as error:
            why, asked = f"cannot be reached ({type(error).__name__})", None
        else:
            if answer.status_code in (200, 202):
                taken: dict[str, Any] = answer.json()
                return taken
            why, asked = _reason(answer), answer.headers.get("Retry-After", "")
            if answer.status_code not in _TRY_AGAIN:
                raise PushRefused(f"Lines {batch.numbers[0]:,} to {batch.numbers[-1]:,} were refused: {why}")
        if give_up is not None and time.monotonic() >= give_up:
            raise PushRefused(
                f"The service at {url} {why}; lines from {batch.numbers[0]:,} on were not pushed. Push them again when "
                "it answers: what it took already counts once."
            )
        if pause == 0.5:
            note(f"The service {why}; trying again.")
        time.sleep(min(float(asked), LONGEST_PAUSE_SECONDS) if asked and asked.isdigit() else pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _reason(answer: requests.Response) -> str:
    """What an answer says is wrong."""
    try:
        problem = answer.json()
        return f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return f"answered {answer.status_code}"


class _Gathered:
    """Lines that wait to be sent together, and how many that cannot be were left out meanwhile."""

    def __init__(self, at_latest: float | None) -> None:
        self._at_latest = at_latest
        self._lines: list[bytes] = []
        self._numbers: list[int] = []
        self._size = self._unreadable = 0
        self.until: float | None = None

    def has_room(self, line: bytes) -> bool:
        """Whether a line can still be sent with those that wait."""
        return not self._lines or (len(self._lines) < MOST_LINES and self._size + len(line) <= MOST_BYTES)

    def add(self, number: int, line: bytes) -> None:
        """Let a line wait."""
        if not self._lines:
            self.until = None if self._at_latest is None else time.monotonic() + self._at_latest
        self._lines.append(line)
        self._numbers.append(number)
        self._size += len(line) + 1

    def leave_out(self) -> None:
        """Count a line that cannot be sent."""
        self._unreadable += 1

    def take(self) -> Iterator[tuple[Batch | None, int]]:
        """Yield what waits, if anything does, and begin anew."""
        if self._lines:
            yield Batch(self._numbers, b"[" + b",".join(self._lines) + b"]"), self._unreadable
        elif self._unreadable:
            yield None, self._unreadable
        self._lines, self._numbers, self._unreadable, self._size, self.until = [], [], 0, 0, None


def _batches(
    lines: Iterable[bytes], at_latest: float | None, note: Callable[[str], None]
) -> Iterator[tuple[Batch | None, int]]:
    """Yield lines that are sent together, each with how many lines before its end are no JSON."""
    arrived = _read_ahead(lines)
    gathered = _Gathered(at_latest)
    number = 0
    while True:
        try:
            wait = None if gathered.until is None else max(0.0, gathered.until - time.monotonic())
            line = arrived.get(timeout=wait)
        except queue.Empty:
            yield from gathered.take()
            continue
        if line is None:
            yield from gathered.take()
            return
        if isinstance(line, BaseException):
            raise line
        number += 1
        line = line.strip()
        wrong = _wrong(line) if line else None
        if wrong is not None and number == 1:
            raise PushRefused(f"Line 1 is not pushed: {wrong} Each line is one thing: `jq -c . FILE` writes JSON so.")
        if wrong is not None:
            note(f"Line {number:,} is left out: {wrong}")
            gathered.leave_out()
        elif line:
            if not gathered.has_room(line):
                yield from gathered.take()
            gathered.add(number, line)


def lines_of(descriptor: int) -> Iterator[bytes]:
    """Yield lines as they come through a pipe.

    By `os.read`: a thread that waits in a reader of Python's holds its lock, which breaks the end of the interpreter.
    """
    left = b""
    while more := os.read(descriptor, 1 << 16):
        *lines, left = (left + more).split(b"\n")
        yield from lines
    if left:
        yield left


def _wrong(line: bytes) -> str | None:
    """Why a line cannot be sent; None where it can."""
    if len(line) > LONGEST_LINE:
        return f"it has more than {LONGEST_LINE:,} bytes."
    try:
        json.loads(line.decode())
    except (ValueError, RecursionError):
        return "it is not JSON in UTF-8."
    return None


def _read_ahead(lines: Iterable[bytes]) -> queue.Queue[bytes | BaseException | None]:
    """Read lines in a thread, because reading a pipe cannot be given up after a time; None comes at their end."""
    arrived: queue.Queue[bytes | BaseException | None] = queue.Queue(MOST_LINES)

    def read() -> None:
        try:
            for line in lines:
                arrived.put(line)
            arrived.put(None)
        except BaseException as error:
            arrived.put(error)

    threading.Thread(target=read, name="lines", daemon=True).start()
    return arrived
