"""Writing a JSON document that is larger than memory: pieces of text, made as they are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PIECE_CHARACTERS = 65_536


def json_pieces(document: Any) -> Iterator[bytes]:
    """Yield a document as JSON in UTF-8, piece by piece.

    Mappings are written in their order; iterators become arrays, an item at a time, with nothing of them kept; what can
    be called stands for what it returns when its place is written. What raises ends the text in the middle: it is JSON
    only where all of it came.
    """
    waiting: list[str] = []
    size = 0
    for text in _texts(document):
        waiting.append(text)
        size += len(text)
        if size >= PIECE_CHARACTERS:
            yield "".join(waiting).encode(errors="surrogatepass")
            waiting, size = [], 0
    yield ("".join(waiting) + "\n").encode(errors="surrogatepass")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield "{"
        for place, (name, inner) in enumerate(value.items()):
            yield f"{',' if place else ''}\n{json.dumps(name, ensure_ascii=False)}: "
            yield from _texts(inner)
        yield "}"
    elif isinstance(value, Iterator):
        yield "["
        for place, item in enumerate(value):
            yield f"{',' if place else ''}\n{json.dumps(item, ensure_ascii=False)}"
        yield "]"
    elif callable(value):
        yield from _texts(value())
    else:
        yield json.dumps(value, ensure_ascii=False)


def json_forms(text: str) -> tuple[str, ...]:
    """Return how a text may stand within JSON, without its quotes: with letters as they are, or escaped."""
    return tuple({json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (False, True)})


def places_of(document: Any, wanted: Callable[[str], bool], *, numbers: bool = False) -> list[str]:
    """Return where in a document a wanted text is, as JSON pointers (RFC 6901): as a value, or a name of a member.

    With `numbers` also whole numbers that are written like that: ids may be such.
    """
    found: list[str] = []
    waiting = [("", document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                below = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
                if wanted(name):
                    found.append(below)
                waiting.append((below, inner))
        elif isinstance(value, list):
            waiting += [(f"{place}/{number}", inner) for number, inner in enumerate(value)]
        elif (isinstance(value, str) and wanted(value)) or (numbers and type(value) is int and wanted(str(value))):
            found.append(place)
    return sorted(set(found))
