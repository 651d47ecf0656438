"""Forms that people fill in, as TOML or JSON: a document either is what it should be, or each wrong place is named."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import ValidationError

    from service.errors import BadInput

_READ = {"TOML": tomllib.loads, "JSON": json.loads}


def parsed(content: bytes, name: str, written_as: Literal["TOML", "JSON"], wrong: type[BadInput]) -> Any:
    """Return what a document holds.

    Args:
        content: of the document.
        name: what to call it in messages.
        written_as: its form.
        wrong: the error for one that is not of this form, with the line where that is known.
    """
    try:
        return _READ[written_as](content.decode())
    except UnicodeDecodeError:
        raise wrong(f"{name} is not UTF-8; save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:  # besides what is none: very long numbers, very deep brackets
        raise wrong(f"{name} is no {written_as}: {error}.") from None


def wrong_places(error: ValidationError) -> list[tuple[str, str]]:
    """Return what is wrong with a document, and where: entries of lists are counted from 1; "" is the whole.

    A list of which an entry is wrong is not said to be too short, too, for which pydantic takes it.
    """
    wrong = error.errors(include_input=False, include_url=False, include_context=False)
    places = [one["loc"] for one in wrong]
    return [
        (_place(one["loc"]), one["msg"].removeprefix("Value error, "))
        for one in wrong
        if one["type"] != "too_short" or not any(_is_in(place, one["loc"]) for place in places)
    ]


def said_of(error: ValidationError) -> str:
    """Say in a line what is wrong with a file, and where."""
    return "; ".join(f"{place or 'the file'}: {message}" for place, message in wrong_places(error))


def _is_in(place: tuple[int | str, ...], of: tuple[int | str, ...]) -> bool:
    return len(place) > len(of) and place[: len(of)] == of


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(str(one + 1) if isinstance(one, int) else one for one in where)
