"""Pages of a run that are written from a thread while the next ones are made."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, cast

import pytest

from service.domain import PublishedPart, Run
from service.errors import Conflict
from service.flows import analyze
from service.flows.analyze import _Pages
from service.store.driver import Store

STORE = cast("Store", None)
RUN = Run.model_construct(id="r", token=1)
PARTS = [PublishedPart(f"candidates/{number}", [b"{}"]) for number in range(5)]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of parts as they are written."""
    names: list[str] = []

    def write_pages(_: Store, __: str, parts: Iterable[PublishedPart], ___: int | None) -> str:
        names.extend(part.name for part in parts)
        return f"digest of {len(names)}"

    monkeypatch.setattr(analyze, "write_pages", write_pages)
    return names


def test_all_parts_are_written_in_turn(written: list[str]) -> None:
    with _Pages(STORE, RUN) as pages:
        for part in PARTS:
            pages.add(part)
        assert pages.digest() == "digest of 5"
    assert written == [part.name for part in PARTS]


def test_what_the_thread_raises_is_raised_by_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def refused(*_: Any) -> str:
        failed.set()
        raise Conflict("The run was taken over.")

    def publish() -> None:
        with _Pages(STORE, RUN) as pages:
            assert failed.wait(30)
            for part in PARTS * 1_000:  # at the latest once the thread has ended
                pages.add(part)
            pages.digest()

    monkeypatch.setattr(analyze, "write_pages", refused)
    with pytest.raises(Conflict, match="taken over"):
        publish()


def test_left_with_an_error_what_waits_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, go_on = threading.Event(), threading.Event()
    names: list[str] = []

    def slowly(_: Store, __: str, parts: Iterable[PublishedPart], ___: int | None) -> str:
        for part in parts:
            names.append(part.name)
            taken.set()
            go_on.wait(30)
        return ""

    monkeypatch.setattr(analyze, "write_pages", slowly)
    pages = _Pages(STORE, RUN)
    for part in PARTS:
        pages.add(part)
    assert taken.wait(30)
    threading.Timer(0.2, go_on.set).start()
    pages.__exit__(KeyError, KeyError(), None)
    assert names == [PARTS[0].name]
