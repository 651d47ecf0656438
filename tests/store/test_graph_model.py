"""docs/graph-model.md beside a real graph that holds as much as the service ever writes: both say the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.domain import StoreAddress, no_progress
from service.store import migrations
from service.store.driver import Store
from tests.graph_model_page import Index, documented, documented_indexes
from tests.store.full_graph import fill

NODES = """
MATCH (x)
WITH CASE WHEN x:Community THEN '(:Community {level: ' + CASE WHEN x.level > 0 THEN 1 ELSE 0 END + '})'
  ELSE '(:' + reduce(all = '', label IN labels(x) | all + label) + ')' END AS what, properties(x) AS has
"""
TIES = """
MATCH (a)-[r]->(b)
WITH '(:' + labels(a)[0] + ')-[:' + type(r) + ']->(:' + labels(b)[0] + ')' AS what, properties(r) AS has
"""
COUNTED = """
WITH what, count(*) AS things, collect(has) AS all
RETURN what, things, COLLECT {
  UNWIND all AS has UNWIND keys(has) AS name
  WITH name, valueType(has[name]) AS type, count(*) AS times
  RETURN [name, type, times]
} AS properties
"""


@dataclass
class Seen:
    """What was found of a label or relationship: types of each property, and which all had whenever it was looked."""

    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    always: set[str] | None = None


class Live:
    """All that was found in the graph at any time."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = defaultdict(Seen)

    def look(self, store: Store) -> None:
        for query in (NODES, TIES):
            for row in store.statement(query + COUNTED):
                one, times = self.seen[row["what"]], dict[str, int]()
                for name, kind, count in row["properties"]:
                    if as_said := named_type(kind):
                        one.types[name].add(as_said)
                    times[name] = times.get(name, 0) + count
                everywhere = {name for name, count in times.items() if count == row["things"]}
                one.always = everywhere if one.always is None else one.always & everywhere


def named_type(kind: str) -> str:
    """A type as the page has it; nothing for a list without items, of which Neo4j knows no type."""
    kind = kind.replace(" NOT NULL", "")
    return "" if kind == "LIST<NOTHING>" else kind


@pytest.fixture(scope="module")
def live(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Live:
    found = Live()
    fill(store_address, tmp_path_factory.mktemp("full"), found.look)
    with Store(store_address) as store, migrations._lock(store, no_progress):
        found.look(store)
    return found


def test_every_label_relationship_and_property_is_documented_as_it_is(live: Live) -> None:
    """Both ways, with the labels at the ends of relationships and the types of properties."""
    page = {(what, name, one.type) for what, has in documented().items() for name, one in has.items()}
    found = {(what, name, kind) for what, one in live.seen.items() for name, has in one.types.items() for kind in has}
    # Bytes are a list of numbers to valueType(); drivers give them as bytes, and so does db.schema.
    found = found - {("(:RunFile)", "bytes", "LIST<INTEGER>")} | {("(:RunFile)", "bytes", "BYTE_ARRAY")}
    assert live.seen.keys() == documented().keys()
    assert found - page == set(), "is not documented like that"
    assert page - found == set(), "is not there like that"


def test_bytes_are_bytes(live: Live, store_address: StoreAddress) -> None:
    with Store(store_address) as store:
        [row] = store.statement(
            "CALL db.schema.nodeTypeProperties() YIELD nodeLabels, propertyName, propertyTypes "
            "WHERE nodeLabels = ['RunFile'] AND propertyName = 'bytes' RETURN propertyTypes AS types"
        )
    assert row["types"] == ["ByteArray"]
    assert documented()["(:RunFile)"]["bytes"].type == "BYTE_ARRAY"


def test_what_is_always_there_is_always_there(live: Live) -> None:
    for what, has in documented().items():
        always = {name for name, one in has.items() if one.when == "always"}
        assert always <= (live.seen[what].always or set()), what


def test_indexes_and_constraints_are_documented_as_they_are(live: Live, store_address: StoreAddress) -> None:
    with Store(store_address) as store:
        rows = store.statement("SHOW INDEXES YIELD name, type, labelsOrTypes, properties, owningConstraint, entityType")
        constraints = store.statement("SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties")
    ranges = [row for row in rows if row["type"] == "RANGE"]
    found = {row["name"]: as_index(row, row["owningConstraint"] is not None) for row in ranges}
    assert documented_indexes() == found
    assert {row["name"]: as_index(row, True) for row in constraints} == {
        name: one for name, one in found.items() if one.is_unique
    }
    others = [(row["type"], row["entityType"]) for row in rows if row["type"] != "RANGE"]
    assert sorted(others) == [("LOOKUP", "NODE"), ("LOOKUP", "RELATIONSHIP")]


def as_index(row: dict[str, Any], is_unique: bool) -> Index:
    [on] = row["labelsOrTypes"]
    return Index(on, tuple(row["properties"]), is_unique)
