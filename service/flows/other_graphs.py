"""Import from a Neo4j graph of somebody else's making: its rows become lines on disk, and those parts to import."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from service.domain import Progress, StoreAddress
from service.errors import BadInput, ConfigurationError, NothingImported, StoreError
from service.files.mapping import MappedLines, mapped_file, read_mapping
from service.files.schemas import SCHEMAS
from service.flows.importing import Parts
from service.store.others import OtherGraph

TOLD_ROWS = 10_000


@contextmanager
def parts_of_graph(path: Path, environment: Mapping[str, str], progress: Progress) -> Iterator[Parts]:
    """Read all that a mapping names from the other graph, and return it as parts to import; they go away afterwards.

    Each entry is one transaction, so that what is read of it is of one moment. Nothing is imported before all is read.

    Args:
        path: the mapping file.
        environment: variables, one of which holds the password.
        progress: told of a stage for each entry, in rows.

    Raises:
        UnreadableFile: the mapping cannot be used.
        BadInput: the password is not there, or what an entry names cannot be read; the entry is named.
        NothingImported: there is not one row.
        StoreError: the other Neo4j does not answer, refuses the user, or takes too long; the entry is named.
        ConfigurationError: the rows cannot be put aside.
    """
    mapping = read_mapping(path)
    variable = mapping.neo4j.password_env
    if variable not in environment:
        raise BadInput(
            f"The environment variable {variable}, which neo4j.password_env of {path} names, is not set; put the "
            "password into it."
        )
    of = mapping.neo4j
    address = StoreAddress(of.uri, of.user, SecretStr(environment[variable]), of.database)
    counts: list[int] = []
    with tempfile.TemporaryDirectory(prefix="entourage-") as folder:
        files = [
            mapped_file(mapping, i, Path(folder) / f"{i + 1}-{one.kind}.ndjson", f"{path}, lines.{i + 1} ({one.kind})")
            for i, one in enumerate(mapping.lines)
        ]
        with OtherGraph(address, of.timeout_s) as graph:
            for i, (one, file) in enumerate(zip(mapping.lines, files, strict=True)):
                counts.append(_put_aside(graph, one, file.path, f"lines.{i + 1} ({one.kind}) of {path}", progress))
        if not any(counts):
            raise NothingImported(
                f"Nothing that {path} names is in the graph; are labels and types spelled as they are there?"
            )
        order = list(SCHEMAS)
        found = sorted((order.index(one.kind), i) for i, one in enumerate(mapping.lines) if counts[i])
        yield Parts(str(path), _described(mapping.lines, counts), [files[i] for _, i in found])


def _described(lines: tuple[MappedLines, ...], counts: list[int]) -> str:
    said = "; ".join(
        f"{count:,} {'row' if count == 1 else 'rows'} of lines.{i} ({one.kind})"
        for i, (one, count) in enumerate(zip(lines, counts, strict=True), start=1)
    )
    return f"From Neo4j: {said}."


def _put_aside(graph: OtherGraph, lines: MappedLines, path: Path, place: str, progress: Progress) -> int:
    """Write the rows of an entry to a file, and return how many there are."""
    count = 0
    try:
        with path.open("x", encoding="ascii") as file:
            for count, row in enumerate(_rows(graph, lines), start=1):
                file.write(json.dumps(row) + "\n")
                if count % TOLD_ROWS == 0:
                    progress(f"read {lines.kind}", count, None)
    except (BadInput, StoreError) as error:
        raise type(error)(f"{place}: {error.message}") from error
    except OSError as error:
        raise ConfigurationError(
            f"Rows cannot be put aside in {path.parent.parent} ({error.strerror}); let TMPDIR name a folder with room."
        ) from error
    return count


def _rows(graph: OtherGraph, lines: MappedLines) -> Iterator[dict[str, Any]]:
    """Yield the rows of an entry by field, or for a statement by column."""
    if lines.statement is not None:
        yield from graph.rows(lines.statement)
        return
    if lines.label is not None:
        fields, rows = list(lines.fields), graph.nodes(lines.label, list(lines.fields.values()))
    else:
        assert lines.relationship is not None  # noqa: S101 - one of the three is said
        named: dict[str, list[tuple[str, str]]] = {"start": [], "own": [], "end": []}
        for field, wanted in lines.fields.items():
            where, dot, name = wanted.partition(".")
            at_end = bool(dot) and where in ("start", "end")
            named[where if at_end else "own"].append((field, name if at_end else wanted))
        fields = [field for group in named.values() for field, _ in group]
        rows = graph.relationships(lines.relationship, *([name for _, name in group] for group in named.values()))
    for row in rows:
        yield dict(zip(fields, row, strict=True))
