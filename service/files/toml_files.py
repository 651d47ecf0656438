"""Reading what people write as TOML: a file either is what it should be, or each wrong place in it is named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import UnreadableFile

MAX_BYTES = 1 << 20

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, model: type[M], about: str) -> M:
    """Read a file as a document of ours.

    Args:
        path: the file.
        model: what it should hold.
        about: what such a file does, for the message about one that is far too large: "a mapping only says ...".

    Raises:
        UnreadableFile: it cannot be read, or is not of the form of the model; each wrong place is named.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # a NUL in a name
        raise UnreadableFile(f"{str(path)!r} cannot be read: there is no such file.") from error
    if content is None:
        raise UnreadableFile(f"{path} is larger than {MAX_BYTES:,} bytes; {about}.")
    try:
        document = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path} is not UTF-8; save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:  # besides what is no TOML: very long numbers, very deep brackets
        raise UnreadableFile(f"{path} is no TOML: {error}.") from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(
            f"{_place(item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise UnreadableFile(f"{path} cannot be used: {wrong}.") from None


def _place(where: tuple[int | str, ...]) -> str:
    """Where something stands: entries of lists are counted from 1."""
    return ".".join(str(one + 1) if isinstance(one, int) else one for one in where) or "the file"
