"""docs/graph-model.md as values: labels and relationships with their properties, and indexes."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[1] / "docs"
SCORED = "(:Account)-[:SCORED]->(:Run)"


class Property(NamedTuple):
    """A property as it is documented: its type, and when it is there."""

    type: str
    when: str


class Index(NamedTuple):
    """An index as it is documented: on a label or type, on which properties, and whether they are unique."""

    on: str
    properties: tuple[str, ...]
    is_unique: bool


def documented() -> dict[str, dict[str, Property]]:
    """Return properties by what has them: `(:Post)`, `(:Post)-[:ABOUT]->(:Topic)`, as headings say.

    `(:Label {id: 1})`, of which there is one, is `(:Label)`. Of a heading that names several types each is there.
    """
    found: dict[str, dict[str, Property]] = {}
    model = _page().split("## Indexes and constraints")[0]
    for heading, text in re.findall(r"^### `(\([^\n]+\))`\n(.*?)(?=^##|\Z)", model, re.MULTILINE | re.DOTALL):
        for one in _each_type(heading.replace(" {id: 1}", "")):
            assert one not in found, one
            found[one] = _properties(text)
    assert found[SCORED] == {}, "it is listed on the page of lenses"
    lenses = (DOCS / "lenses" / "README.md").read_text(encoding="utf-8").split("## In the graph")[1]
    found[SCORED] = _properties(lenses)
    return found


def documented_properties(label: str) -> set[str]:
    """Names of the properties of a label."""
    return set(documented()[f"(:{label})"])


def documented_types() -> set[str]:
    """Names of all types of relationships."""
    return {kind for one in documented() for kind in re.findall(r"\[:(\w+)\]", one)}


def documented_indexes() -> dict[str, Index]:
    """Return indexes by name."""
    text = _page().split("## Indexes and constraints")[1].split("\n## ")[0]
    row = r"^\| `(\w+)` \| `[\(\[]:(\w+) {([\w, ]+)}[\)\]]` \| (unique|range) \| .+ \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert len(rows) == text.count("\n| `"), "a row cannot be read"
    found = {name: Index(on, tuple(of.split(", ")), kind == "unique") for name, on, of, kind in rows}
    assert len(found) == len(rows)
    return found


def _page() -> str:
    return (DOCS / "graph-model.md").read_text(encoding="utf-8")


def _each_type(heading: str) -> list[str]:
    pieces = [piece.split("|") for piece in re.split(r"(?<=\[:)([A-Z_|]+)(?=\])", heading)]
    return ["".join(chosen) for chosen in itertools.product(*pieces)]


def _properties(text: str) -> dict[str, Property]:
    rows = re.findall(r"^\| `(\w+)` \| `?([A-Z][\w<> ]+?)`? \| .+ \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == text.count("\n| `"), "a row cannot be read"
    found = {name: Property(kind, when) for name, kind, when in rows}
    assert len(found) == len(rows), "a property is there twice"
    return found
