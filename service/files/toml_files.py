"""Reading what people write as TOML: a file either is what it should be, or each wrong place in it is named."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import UnreadableFile
from service.forms import parsed, said_of

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
    document = parsed(content, str(path), "TOML", UnreadableFile)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise UnreadableFile(f"{path} cannot be used: {said_of(error)}.") from None
