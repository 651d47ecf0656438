"""How a file is to be read, as somebody said it: typed after the command, or as parameters over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from service.domain import Frozen
from service.errors import BadInput
from service.files.account_lists import ListFile
from service.files.follows import FollowFile
from service.files.lines import STANDARD_INPUT
from service.files.list_mapping import list_mapping
from service.files.manifest import is_folder
from service.files.opening import SEVERAL_KINDS, several_kinds
from service.files.records import RecordFile
from service.files.values import BadLine, time_ms

ImportFile = FollowFile | RecordFile | ListFile

FOR_FOLLOWS = ("follower", "followee", "weight", "time", "reverse", "no_header")
FOR_OTHERS = ("column", "set", "as_of")
FOR_LISTS = ("list", "account", "network", "as_of")


class ImportOptions(Frozen):
    """How to read a file. What is not said is found from the file itself."""

    kind: str | None = Field(default=None, description="What its lines hold: follows if not said.")
    network: str | None = Field(
        default=None, description="Where the accounts live: keys are network:id; local if not said."
    )
    keys: bool = Field(default=False, description="Ids in the file are whole keys, network:id.")
    format: str | None = Field(
        default=None,
        description="csv, ndjson, parquet, (follows only) edgelist, or graphml, gexf, pajek, nodexl, which hold "
        "several kinds of lines; found from the file if not said.",
    )
    column: tuple[str, ...] = Field(
        default=(), description="FIELD=COLUMN: which column holds a field that is called otherwise."
    )
    set: tuple[str, ...] = Field(default=(), description="FIELD=VALUE: a field that has one value in the whole file.")
    as_of: str | None = Field(
        default=None,
        description="When lines were said that do not say so; else when the file came. Of a list of all followers it "
        "has to be said, unless it is a file on this machine: then else when that was last written.",
    )
    follower: str | None = Field(default=None, description="Follows: column (name, or position from 1) of who follows.")
    followee: str | None = Field(default=None, description="Follows: column of who is followed.")
    weight: str | None = Field(
        default=None, description="Follows: column of the tie's weight; without it each counts 1."
    )
    time: str | None = Field(default=None, description="Follows: column of the time of the follow.")
    reverse: bool = Field(default=False, description="Follows: a line a, b says that b follows a.")
    no_header: bool = Field(default=False, description="Follows: the first line is data, not column names.")
    list: str | None = Field(
        default=None,
        description="The file is a list of accounts that belongs to one account, of this kind, e.g. "
        "mastodon_following; `entourage lists` says which there are.",
    )
    account: str | None = Field(default=None, description="With list: the account that the list belongs to.")


def as_option(name: str) -> str:
    """How an option is written after the command."""
    return f"--{name.replace('_', '-')}"


def as_parameter(name: str) -> str:
    """How an option is written as a parameter over HTTP."""
    return name


def file_to_import(
    path: Path, options: ImportOptions, written: Callable[[str], str] = as_option, *, name: str | None = None
) -> ImportFile | None:
    """Return a file and how to read it; None for a folder, whose manifest says that.

    Args:
        path: the file or folder.
        options: what was said.
        written: how an option is written where it was said, for messages.
        name: what to call the file; its path when not said.

    Raises:
        BadInput: options that do not go together, or with a value that cannot be used.
    """
    given = [one for one in ImportOptions.model_fields if getattr(options, one)]
    if name is None and is_folder(path):
        if given:
            raise BadInput(f"{_listed(given, written)} cannot be said of a folder; say it in its manifest.json.")
        return None
    if options.list is not None or options.account is not None:
        return _list_to_import(path, options, given, written, name)
    for_follows = [one for one in given if one in FOR_FOLLOWS]
    for_others = [one for one in given if one in FOR_OTHERS]
    if options.keys and options.network:
        raise BadInput(
            f"Either ids are whole keys ({written('keys')}), or they are ids of one network ({written('network')}); "
            "not both."
        )
    network = None if options.keys else "local" if options.network is None else options.network
    file_format = options.format
    if name is None and file_format is None:
        found = several_kinds(path)
        file_format = found if found and options.kind in (None, *SEVERAL_KINDS[found]) else None
    if file_format in SEVERAL_KINDS and options.kind is None:
        raise BadInput(
            f"A file of the format {file_format} holds several kinds of lines, and one import reads one of them: hand "
            f"it in once for each, with {written('kind')} one of {', '.join(SEVERAL_KINDS[file_format])}."
        )
    if options.kind in (None, "follows"):
        if for_others:
            raise BadInput(
                f"{_listed(for_others, written)} cannot be said of follows; say {written('kind')}, or use "
                f"{written('follower')}, {written('time')}, ..."
            )
        return FollowFile(
            path=path,
            format=file_format,
            network=network,
            follower_column=options.follower,
            followee_column=options.followee,
            weight_column=options.weight,
            time_column=options.time,
            reverse=options.reverse,
            has_header=False if options.no_header else None,
            schema_names=options.kind is not None,
            name=name,
        )
    assert options.kind is not None  # noqa: S101 - None stands for follows
    if for_follows:
        raise BadInput(f"{_listed(for_follows, written)} can only be said of follows, not of {options.kind}.")
    return RecordFile(
        path,
        options.kind,
        format=file_format,
        network=network,
        columns=_pairs(written("column"), options.column),
        values=_pairs(written("set"), options.set),
        as_of=None if options.as_of is None else moment(written("as_of"), options.as_of),
        name=name,
    )


def _list_to_import(
    path: Path, options: ImportOptions, given: list[str], written: Callable[[str], str], name: str | None
) -> ListFile:
    """Return a list of accounts and how to read it. A mapping of one's own is read only where no name was given."""
    if options.list is None or options.account is None:
        one, other = ("list", "account") if options.account is None else ("account", "list")
        raise BadInput(
            f"With {written(one)} say {written(other)}, too: which list it is, and the account that it belongs to."
        )
    others = [one for one in given if one not in FOR_LISTS]
    if others:
        raise BadInput(f"{_listed(others, written)} cannot be said of a list: its mapping says how it is read.")
    mapping = list_mapping(options.list, Path(options.list) if name is None else None)
    of_no_time = name is not None or path == STANDARD_INPUT or path.is_fifo()
    if mapping.complete and options.as_of is None and of_no_time:
        raise BadInput(
            f"A list of all followers ends what was followed before it was made, and what is handed in does not say "
            f"when that was: say when it was downloaded, {written('as_of')} 2025-03-01T12:00:00Z."
        )
    return ListFile(
        path,
        mapping,
        options.list,
        options.account,
        network=options.network,
        as_of=None if options.as_of is None else moment(written("as_of"), options.as_of),
        name=name,
    )


def _listed(names: list[str], written: Callable[[str], str]) -> str:
    return ", ".join(written(one) for one in names)


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """Take `FIELD=VALUE` apart."""
    taken = [one.partition("=") for one in given]
    for field, equals, value in taken:
        if not (field and equals and value):
            raise BadInput(f"{option} is written as FIELD=VALUE, for instance {option} handle=Username.")
    return {field.strip(): value for field, _, value in taken}


def moment(option: str, text: str) -> int:
    """Read a time that was said, in milliseconds since 1970 UTC."""
    try:
        return time_ms(text, 2**53)
    except BadLine as bad:
        raise BadInput(f"{option}: {bad.message}") from None
