"""What a file of follows looks like: its format, separator, header and columns, found from its first lines."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from service.errors import BadInput, NothingImported, UnreadableFile
from service.files.columns import find_column, find_ends, find_position, is_position, looks_like_header
from service.files.lines import ELEMENT, Line
from service.files.list_mapping import list_like
from service.files.opening import SEVERAL_KINDS
from service.files.values import BadLine, dictionary, is_network

Format = Literal["csv", "ndjson", "edgelist"]
FORMATS = ("csv", "ndjson", "edgelist", "parquet", *SEVERAL_KINDS)
OBJECT_FORMATS = ("ndjson", "parquet", *SEVERAL_KINDS)
"""Formats whose lines are JSON objects when they are read."""

COMMENT = ("#", "%")

UNREAD_SHOWN = 50
"""How many columns that are not read are listed."""

_OPEN_LINES = 50
_DELIMITERS = ("\t", ",", ";", "|")
_HEADER_DELIMITERS = (",", "\t", ";", "|")


def check_network(network: str | None) -> None:
    """Raise BadInput for what cannot name a network; None stands for files of whole keys."""
    if network is not None and not is_network(network):
        raise BadInput(f"{network[:80]!r} cannot name a network; use 1 to 64 of the characters a-z, 0-9, _, . and -.")


@dataclass(frozen=True)
class FollowFile:
    """A file of follows and how to read it. What is not said is found from the file itself.

    A line `a b` says that a follows b; `reverse` turns every line round. Columns are given by name, or by
    position from 1; in NDJSON by field name; in networkx edge lists (`0 4 {'weight': 0.5}`) weight and time by the
    key of the dictionary. Weight and time are read only where their column is given.

    Attributes:
        path: the file; `-` is standard input. Compressed with gzip or not.
        format: `csv` (any separator, quotes), `ndjson`, `edgelist` (white space or tab, `#` and `%` comments,
            no quotes), `parquet`, or one of `SEVERAL_KINDS`, of which the follows are read.
        network: where the accounts live; keys are `network:native_id`. None: the file holds whole keys.
        follower_column, followee_column, weight_column, time_column: as above.
        reverse: who is followed comes first.
        has_header: whether the first line holds column names.
        delimiter: one character that separates columns.
        schema_names: columns `at` and `weight` are read where they are there, as the schema of follows has them.
        name: what to call the file in messages; its path when not said.

    Raises:
        BadInput: an option has a value that cannot be used.
    """

    path: Path
    format: str | None = None
    network: str | None = "local"
    follower_column: str | None = None
    followee_column: str | None = None
    weight_column: str | None = None
    time_column: str | None = None
    reverse: bool = False
    has_header: bool | None = None
    delimiter: str | None = None
    schema_names: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise BadInput(f"There is no format {self.format!r}; choose one of {', '.join(FORMATS)}.")
        check_network(self.network)
        of_lines = (self.follower_column, self.followee_column, self.has_header, self.delimiter)
        if self.format in SEVERAL_KINDS and any(one is not None for one in of_lines):
            raise BadInput(
                f"A file of the format {self.format} says itself who follows whom; leave out the columns of follower "
                "and followee, and whether there is a header, or turn all edges round."
            )
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise BadInput(f"{self.delimiter!r} cannot separate columns; give one character.")


@dataclass(frozen=True)
class Layout:
    """How to take a line apart. A column is a position from 0, or a key of an object or of dictionary data.

    Attributes:
        format: see FollowFile.
        delimiter: what separates columns; None is any white space.
        first_line: number of the first line that holds data or column names; comments may stand before it.
        has_header: whether that line holds column names.
        width: more columns than this mean that a separator stands inside a value; None: not checked.
        dict_data: lines end with a dictionary.
        optional: weight and time may be left out: they are then 1, and not known.
        unread: names of columns that are not read, as far as they are known.
    """

    format: Format
    follower: int | str
    followee: int | str
    weight: int | str | None
    time: int | str | None
    delimiter: str | None = None
    first_line: int = 1
    has_header: bool = False
    width: int | None = None
    dict_data: bool = False
    optional: bool = False
    unread: tuple[str, ...] = ()


def is_comment(text: str) -> bool:
    """Whether a line of an edge list is a comment."""
    return text.lstrip().startswith(COMMENT)


def find_layout(file: FollowFile, name: str, head: Sequence[Line], columns: Sequence[str] = ()) -> Layout:
    """Find out how a file is laid out.

    Args:
        file: what was said about it.
        name: what to call it in messages.
        head: its first lines.
        columns: names of columns that are known otherwise.

    Raises:
        NothingImported: there is not one line of data.
        UnreadableFile: it is of another kind, has no such column, or it cannot be told which columns to use.
    """
    refuse_other_kinds(name, head)
    if file.follower_column is None and file.followee_column is None:
        _refuse_lists(name, head)
    data = [(line.number, text) for line in head if (text := _text(line)) is not None]
    if not data:
        if any(line.data.strip() for line in head):
            raise UnreadableFile(f"{name} does not hold text in UTF-8; save it as UTF-8 text and import that.")
        raise NothingImported(f"{name} is empty; there is nothing to import.")
    if file.format in OBJECT_FORMATS or (file.format is None and data[0][1].lstrip().startswith("{")):
        return _ndjson(file, name, [text for _, text in data], columns)
    rows = [(number, text) for number, text in data if not is_comment(text)]
    if not rows:
        raise NothingImported(f"{name} holds only comments; there is nothing to import.")
    if file.has_header is not False and any(_may_be_header(line) for line in head if line.number < rows[0][0]):
        # Were its column names passed over, the columns would be taken by position, and perhaps the wrong way round.
        raise UnreadableFile(
            f"The first line of {name} is not text in UTF-8, so its columns cannot be told; "
            "save the file as UTF-8, or say --no-header if the first line is data."
        )
    return _delimited(file, name, rows[0][0], [text for _, text in rows])


def _text(line: Line) -> str | None:
    """Return the text of a line that can tell something about the file."""
    if not line.whole or b"\0" in line.data:
        return None
    try:
        return line.data.decode() if line.data.strip() else None
    except UnicodeDecodeError:
        return None


def _may_be_header(line: Line) -> bool:
    """Whether a line that is not text could have held column names."""
    return _text(line) is None and bool(line.data.strip()) and not line.data.lstrip().startswith((b"#", b"%"))


_OTHER_KINDS = (
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet; save the table as CSV"),
    (b"PAR1", "a Parquet file, packed with gzip or said to be of another format; unpack it, name no other format"),
    (b"BZh", "compressed with bzip2; unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz; unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it, or pack it with gzip"),
    (b"\x1f\x8b", "compressed with gzip twice; unpack it once"),
    (b"sqlite format 3\0", "an SQLite database; save the table as CSV"),
    (b"<", "XML or HTML; where it is GraphML or GEXF say so as its format, else save its edges as CSV"),
    (b"graph [", "GML; save its edges as CSV"),
    (b'creator "', "GML; save its edges as CSV"),
    (b"*vertices", "a Pajek network; say so as its format"),
    (b"[[", "a JSON array; write one object a line"),
    (b"[{", "a JSON array; write one object a line (jq -c '.[]')"),
)


def refuse_other_kinds(name: str, head: Sequence[Line]) -> None:
    """Raise UnreadableFile for what is no text of lines: archives, spreadsheets, XML, JSON arrays."""
    start = b"".join(line.data[:64].strip() for line in head[:3])
    for opening, kind in _OTHER_KINDS:
        if start[: len(opening)] == opening or start[: len(opening)].lower() == opening:
            raise UnreadableFile(f"{name} is {kind}, and import that.")


def _refuse_lists(name: str, head: Sequence[Line]) -> None:
    """Raise UnreadableFile for a list of one account, whose columns are not those of who follows whom."""
    for line in head[:10]:
        known = list_like(re.split(r"[,;\t]", line.data.decode("utf-8-sig", "replace")))
        if known is not None:
            raise UnreadableFile(
                f"{name} looks like a list of one account: import it with --list {known} --account ID, or name the "
                "columns of who follows whom with --follower and --followee."
            )


# --- NDJSON ---------------------------------------------------------------------------------------------


def _ndjson(file: FollowFile, name: str, texts: Sequence[str], columns: Sequence[str]) -> Layout:
    fields: dict[str, None] = dict.fromkeys(columns)
    for text in texts:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            fields.update(dict.fromkeys(value))
    if not fields:
        raise NothingImported(f"Not one of the first lines of {name} is a JSON object; there is nothing to import.")
    names = [one for one in fields if one != ELEMENT]
    ends = find_ends(name, names, file.follower_column, file.followee_column, positions=False)
    follower, followee = (names[one] for one in ends)
    weight = _key(name, names, file.weight_column) or ("weight" if file.schema_names else None)
    time = _key(name, names, file.time_column) or ("at" if file.schema_names else None)
    return Layout(
        format="ndjson",
        follower=follower,
        followee=followee,
        weight=weight,
        time=time,
        optional=file.schema_names,
        unread=tuple(one for one in names if one not in (follower, followee, weight, time))[:UNREAD_SHOWN],
    )


def _key(name: str, keys: Sequence[str], wanted: str | None) -> str | None:
    """Return the key of a JSON object or of dictionary data that was asked for."""
    return None if wanted is None else keys[find_column(name, keys, wanted, positions=False)]


# --- separated columns ----------------------------------------------------------------------------------

# `0 4 {'weight': 0.5}` as networkx writes it, with any separator.
_BETWEEN = r"(\s+|\s*[,;|]\s*)"
_DICT_LINE = re.compile(rf"\s*[^\s,;|{{]+{_BETWEEN}[^\s,;|{{]+{_BETWEEN}\{{.*\}}\s*")


def _delimited(file: FollowFile, name: str, first_line: int, texts: Sequence[str]) -> Layout:
    dict_line = _DICT_LINE.fullmatch(texts[0]) if file.format != "csv" else None
    if dict_line and dict_line[1].strip() == dict_line[2].strip():
        return _with_dictionaries(file, name, first_line, texts, file.delimiter or dict_line[1].strip() or None)
    texts = _records(texts)
    delimiter = file.delimiter or _delimiter(texts)
    if delimiter is None and file.format == "csv":
        delimiter = " " if _widths(texts, " ")[0] else ","
    rows = [split(text, delimiter) for text in texts]
    if file.format is None and delimiter is None and not _regular(rows):
        raise UnreadableFile(
            f"{name} does not look like a list of follows: its first lines have no columns in common. "
            f"If it is one, say which format it has: {', '.join(FORMATS)}."
        )
    header = rows[0] if _has_header(file, rows) else None
    width = max(len(row) for row in (rows if header is None else rows[:1]))

    def column(wanted: str | None, usual: str) -> int | None:
        if wanted is None:
            names = [] if header is None or not file.schema_names else [one.strip().lower() for one in header]
            return names.index(usual) if usual in names else None
        return find_position(name, width, wanted) if header is None else find_column(name, header, wanted)

    # First the columns that were asked for by name: where they are missing, nothing else needs saying.
    weight, time = column(file.weight_column, "weight"), column(file.time_column, "at")
    if header is None:
        follower, followee = _numbered_ends(file, name, width)
    else:
        follower, followee = find_ends(name, header, file.follower_column, file.followee_column)
    return Layout(
        format=file.format or _format(texts, delimiter, header is not None),  # type: ignore[arg-type]
        follower=follower,
        followee=followee,
        weight=weight,
        time=time,
        delimiter=delimiter,
        first_line=first_line,
        has_header=header is not None,
        width=width,
        optional=file.schema_names,
        unread=tuple(
            one.strip()
            for i, one in enumerate(header or ())
            if one.strip() and i not in (follower, followee, weight, time)
        )[:UNREAD_SHOWN],
    )


def _records(texts: Sequence[str]) -> list[str]:
    """Put lines together that a quote keeps open until a line close below."""
    records: list[str] = []
    i = 0
    while i < len(texts):
        end = i
        if texts[i].count('"') % 2:
            below = range(i + 1, min(i + _OPEN_LINES, len(texts)))
            end = next((j for j in below if texts[j].count('"') % 2), i)
        records.append("\n".join(texts[i : end + 1]))
        i = end + 1
    return records


def _has_header(file: FollowFile, rows: Sequence[Sequence[str]]) -> bool:
    if file.has_header is not None:
        return file.has_header
    columns = (file.follower_column, file.followee_column, file.weight_column, file.time_column)
    return any(column is not None and not is_position(column) for column in columns) or looks_like_header(rows)


def _numbered_ends(file: FollowFile, name: str, width: int) -> tuple[int, int]:
    """Return the positions of the two ends where columns have no names: the first two unless said."""
    follower = find_position(name, width, file.follower_column or "1")
    followee = find_position(name, width, file.followee_column or "2")
    if follower == followee:
        raise UnreadableFile(f"{name}: follower and followee cannot both be column {follower + 1}.")
    return follower, followee


def _format(texts: Sequence[str], delimiter: str | None, has_header: bool) -> Format:
    """Return `edgelist` for what SNAP and the like write, where comments may stand between the lines."""
    if delimiter is None or (delimiter == "\t" and not has_header and not any('"' in text for text in texts)):
        return "edgelist"
    return "csv"


def split(text: str, delimiter: str | None) -> list[str]:
    """Split one line for a look at it; white space separates where `delimiter` is None."""
    if delimiter is None:
        return text.split()
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=delimiter != " "), [])
    except csv.Error:
        return text.split(delimiter)


def find_header(texts: Sequence[str], known: Callable[[Sequence[str]], int]) -> tuple[int, str, list[str]]:
    """Return which of some lines holds the names of columns, what separates them, and the names.

    It is the first of those with the most names that are known; where several separators find as many, the one that
    cuts it into more columns.

    Args:
        texts: the lines, at least one.
        known: says how many of some names are known.
    """
    best = max(
        (known(names), -place, len(names), -rank, names)
        for place, text in enumerate(texts)
        for rank, delimiter in enumerate(_HEADER_DELIMITERS)
        for names in [[name.strip() for name in split(text, delimiter)]]
    )
    _, place, _, rank, names = best
    return -place, _HEADER_DELIMITERS[-rank], names


def _delimiter(texts: Sequence[str]) -> str | None:
    """Return the character that cuts most lines into the same number of columns; None: white space does."""
    candidates = (*_DELIMITERS, " ") if texts[0].startswith('"') else _DELIMITERS
    found = [(lines, width, -rank) for rank, one in enumerate(candidates) for lines, width in [_widths(texts, one)]]
    lines, width, rank = max(found)
    return candidates[-rank] if width >= 2 and 2 * lines >= len(texts) else None


def _widths(texts: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Return the most common number of columns from 2 on, as (lines that have it, the number)."""
    widths = Counter(len(split(text, delimiter)) for text in texts)
    return max(((lines, width) for width, lines in widths.items() if width >= 2), default=(0, 0))


def _regular(rows: Sequence[Sequence[str]]) -> bool:
    """Whether at least half of the lines have one number of columns, of two or more."""
    widths = Counter(len(row) for row in rows if len(row) >= 2)
    return bool(widths) and 2 * max(widths.values()) >= len(rows)


def _with_dictionaries(
    file: FollowFile, name: str, first_line: int, texts: Sequence[str], delimiter: str | None
) -> Layout:
    keys: dict[str, None] = {}
    for text in texts:
        cells = text.split(delimiter, 2)
        with suppress(BadLine):
            keys.update(dict.fromkeys(dictionary(cells[2] if len(cells) == 3 else "")))
    follower, followee = _numbered_ends(file, name, 2)
    return Layout(
        format="edgelist",
        follower=follower,
        followee=followee,
        weight=_key(name, list(keys), file.weight_column),
        time=_key(name, list(keys), file.time_column),
        delimiter=delimiter,
        first_line=first_line,
        dict_data=True,
    )
