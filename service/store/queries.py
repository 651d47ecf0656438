"""The query library: every Cypher statement of the service, in files that analysts can run too.

A file `cypher/<area>/<name>.cypher` holds one statement under a header of comment lines:

    // answers: what the statement is for, in one sentence
    // parameter: rows LIST<MAP> what it is
    // column: created INTEGER what it is
    // mode: read
    // index: account_key

`parameter`, `column` and `index` may repeat or be absent. Parameters are checked both ways: each one the
statement uses must be declared, and each one declared must be used.

Statements under `cypher/explore` are for analysts. They have more lines: the `group` under which they are listed,
`cost` (what the work grows with), and of each parameter a `default`, or as `example` a value that means something in
the sample; both are JSON:

    // group: Communities
    // parameter: community STRING id of the community
    // parameter: most INTEGER how many at most
    // example: community "cjqmnpx266o"
    // default: most 20
    // cost: one look at each member of the community and its follows
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from service.errors import QueryFileInvalid

_KINDS = ("answers", "parameter", "column", "mode", "index", "group", "cost", "default", "example")
_HEADER_LINE = re.compile(r"//\s*(" + "|".join(_KINDS) + r"):\s*(.+?)\s*$")
_DECLARATION = re.compile(r"(\w+)\s+(ZONED DATETIME|LIST<[A-Z]+>|[A-Z]+)\s+(\S.*)$")
_PARAMETER = re.compile(r"\$(\w+)")
# Strings, quoted names and comments may hold a dollar sign or a semicolon that is no parameter and no end.
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|//[^\n]*|/\*.*?\*/""", re.DOTALL)


@dataclass(frozen=True)
class Declared:
    """A parameter or result column: name, Cypher type, meaning."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Query:
    """One statement with its header. `name` is `area/name`, as in the path of its file.

    `group`, `cost`, `defaults` and `examples` are those of statements for analysts.
    """

    name: str
    text: str
    answers: str
    parameters: tuple[Declared, ...]
    columns: tuple[Declared, ...]
    mode: Literal["read", "write"]
    indexes: tuple[str, ...]
    group: str | None = None
    cost: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)

    def check(self, given: Mapping[str, object]) -> None:
        """Raise QueryFileInvalid unless exactly the declared parameters are given."""
        declared = {parameter.name for parameter in self.parameters}
        if declared != given.keys():
            missing, unknown = sorted(declared - given.keys()), sorted(given.keys() - declared)
            raise QueryFileInvalid(
                f"Query {self.name} was called with the wrong parameters: missing {missing}, unknown {unknown}."
            )


class Queries(Mapping[str, Query]):
    """All statements by `area/name`."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = dict(queries)

    def __getitem__(self, name: str) -> Query:
        """Return the query; raise QueryFileInvalid where there is none of this name."""
        try:
            return self._queries[name]
        except KeyError:
            raise QueryFileInvalid(f"There is no query cypher/{name}.cypher.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def bundled(folder: str) -> Path:
    """Return `cypher/` or `migrations/`: inside an installed wheel, or else at the top of the source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_bundled" / folder
    return installed if installed.is_dir() else package.parent / folder


@cache
def load_queries(directory: Path | None = None) -> Queries:
    """Read and check every query file below `directory` (the library that ships with the service by default).

    Raises:
        QueryFileInvalid: a file has no valid header, or statement and header disagree.
    """
    root = directory or bundled("cypher")
    files = sorted(root.glob("*/*.cypher"))
    if not files:
        raise QueryFileInvalid(f"There are no query files in {root}; the installation is incomplete.")
    return Queries({query.name: query for query in (parse_query(root, file) for file in files)})


def parse_query(root: Path, file: Path) -> Query:
    """Read one query file; its name is its path below `root` without the ending."""
    name = file.relative_to(root).with_suffix("").as_posix()
    text = file.read_text(encoding="utf-8")
    header: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    lines = text.splitlines()
    for line in lines:
        if not line.startswith("//"):
            break
        match = _HEADER_LINE.match(line)
        if match is None:
            raise QueryFileInvalid(f"Query {name}: the header line «{line}» is not of a known kind.")
        header[match[1]].append(match[2])
    if len(header["answers"]) != 1 or header["mode"] not in (["read"], ["write"]):
        raise QueryFileInvalid(f"Query {name}: the header needs one `answers` and one `mode` (read or write).")
    for_analysts = name.startswith("explore/")
    if any(len(header[kind]) != for_analysts for kind in ("group", "cost")):
        raise QueryFileInvalid(
            f"Query {name}: statements under explore, and only those, have one `group` and one `cost`."
        )
    statement = _QUOTED.sub("''", text)
    if statement.strip().rstrip(";").count(";"):
        raise QueryFileInvalid(f"Query {name}: one statement a file.")
    parameters = tuple(_declared(name, line) for line in header["parameter"])
    used, declared = set(_PARAMETER.findall(statement)), {parameter.name for parameter in parameters}
    if used != declared:
        raise QueryFileInvalid(
            f"Query {name}: used but not declared {sorted(used - declared)}, "
            f"declared but not used {sorted(declared - used)}."
        )
    defaults, examples = (_values(name, header[kind], declared) for kind in ("default", "example"))
    if for_analysts and defaults.keys() | examples.keys() != declared:
        raise QueryFileInvalid(f"Query {name}: each parameter needs a `default` or an `example`.")
    return Query(
        name=name,
        text=text.strip().rstrip(";"),
        answers=header["answers"][0],
        parameters=parameters,
        columns=tuple(_declared(name, line) for line in header["column"]),
        mode="read" if header["mode"] == ["read"] else "write",
        indexes=tuple(header["index"]),
        group=next(iter(header["group"]), None),
        cost=next(iter(header["cost"]), None),
        defaults=defaults,
        examples=examples,
    )


def _values(name: str, lines: list[str], declared: set[str]) -> dict[str, Any]:
    values = {}
    for line in lines:
        parameter, _, value = line.partition(" ")
        try:
            values[parameter] = json.loads(value)
        except ValueError:
            raise QueryFileInvalid(f"Query {name}: the value of {parameter} is no JSON: {value}.") from None
    if unknown := values.keys() - declared:
        raise QueryFileInvalid(f"Query {name}: values of {sorted(unknown)}, which are no parameters.")
    return values


def _declared(query: str, line: str) -> Declared:
    match = _DECLARATION.match(line)
    if match is None:
        raise QueryFileInvalid(f"Query {query}: «{line}» should be: name TYPE meaning.")
    return Declared(name=match[1], type=match[2], meaning=match[3])
