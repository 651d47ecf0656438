"""Files that hold several kinds of lines at once: which kinds, and how each is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from service.errors import BadInput, NothingImported
from service.files.opening import SEVERAL_KINDS, contents, several_kinds
from service.flows.import_options import FOR_FOLLOWS, FOR_OTHERS, ImportOptions, as_option, file_to_import
from service.flows.importing import Parts


def parts_of_file(path: Path, options: ImportOptions, most_expanded: int | None) -> Parts | None:
    """Return the kinds of lines that a file holds, and how each is read; None where it holds one, or one is asked for.

    What was said of columns holds for accounts, what was said of weights, times and direction for follows.

    Raises:
        BadInput: options that do not go together, or with what the file says of itself.
        UnreadableFile: the file cannot be read.
        NothingImported: there is nothing in it.
    """
    file_format = options.format or several_kinds(path)
    if options.kind is not None or options.list is not None or file_format not in SEVERAL_KINDS:
        return None
    found = contents(path, file_format, most_expanded)
    if found.keys and options.network is not None:
        raise BadInput(f"The ids of {path} are whole keys, as it says itself; leave out --network.")
    if not found.kinds:
        raise NothingImported(f"There is nothing to import in {path}. {found.described}")
    _refuse_unused(found.kinds, file_format, options)
    files = [file_to_import(path, _said_of(kind, file_format, options)) for kind in found.kinds]
    return Parts(str(path), found.described, [file for file in files if file is not None])


def _refuse_unused(kinds: Sequence[str], file_format: str, options: ImportOptions) -> None:
    """Raise BadInput for an option that no kind takes."""
    taken = {name for kind in kinds for name, value in _said_of(kind, file_format, options) if value}
    unused = [as_option(name) for name, value in options if value and name not in taken]
    if unused:
        raise BadInput(f"{', '.join(unused)} cannot be said of this file, which holds only {', '.join(kinds)}.")


def _said_of(kind: str, file_format: str, options: ImportOptions) -> ImportOptions:
    """The options that concern a kind."""
    others = {*(FOR_OTHERS if kind == "follows" else FOR_FOLLOWS)}
    if kind not in ("follows", "accounts"):  # what was said of columns is said of accounts
        others |= {"column", "set"}
    said = options.model_dump(exclude=others)
    return ImportOptions.model_validate({**said, "kind": kind, "format": file_format})
