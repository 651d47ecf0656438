"""Every statement of the library, asked of the real store: columns, mode, and the indexes it relies on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.domain import Follow
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.queries import Query, load_queries

SAMPLES: dict[str, Any] = {
    "STRING": "x",
    "INTEGER": 1,
    "FLOAT": 1.0,
    "BOOLEAN": True,
    "MAP": {},
    "LIST<MAP>": [],
    "LIST<STRING>": [],
    "LIST<INTEGER>": [],
    "LIST<FLOAT>": [],
    "LIST<BOOLEAN>": [],
    "DATE": None,
    "LIST<DATE>": [],
    "LIST<LIST>": [],
    "ZONED DATETIME": None,
    "BYTES": b"x",
}
LIBRARY = load_queries()


def explain(store: Store, query: Query) -> Any:
    with store._session() as session:
        parameters = {one.name: SAMPLES[one.type] for one in query.parameters}
        result = session.run("EXPLAIN " + query.text, parameters)  # type: ignore[arg-type]
        keys = result.keys()
        return keys, result.consume()


def operators(plan: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(plan["operatorType"], str(plan["args"].get("Details", "")))]
    for child in plan.get("children", []):
        found += operators(child)
    return found


@pytest.fixture
def filled(store: Store) -> Store:
    """Enough accounts that looking one up by an index is worth while to the planner."""
    apply_follows(
        store, [Follow(f"t:{i:04}", f"t:{(i * 7 + 1) % 2000:04}") for i in range(2000) if i != (i * 7 + 1) % 2000]
    )
    store.statement("UNWIND range(1, 200) AS i CREATE (:Run {id: 'r' + i, state: 'done'})")
    store.statement(
        "UNWIND range(1, 500) AS i CREATE (:RunFile {run: 'r' + (i / 10), part: 'p' + (i % 10), seq: 0}) "
        "CREATE (c:Community {id: 'c' + i, run: 'r' + (i / 10)}) "
        "WITH i, c MATCH (a:Account {n: i}) CREATE (a)-[:MEMBER_OF]->(c)"
    )
    store.statement("CALL db.resampleOutdatedIndexes()")
    return store


def test_every_statement_is_what_its_header_says(filled: Store) -> None:
    wrong = []
    for name, query in LIBRARY.items():
        keys, summary = explain(filled, query)
        if list(keys) != [column.name for column in query.columns]:
            wrong.append(f"{name}: gives {list(keys)}")
        if (summary.query_type == "r") != (query.mode == "read"):
            wrong.append(f"{name}: is {summary.query_type}")
        steps = operators(summary.plan)
        if any(operator.startswith("AllNodesScan") for operator, _ in steps):
            wrong.append(f"{name}: scans all nodes")
    assert wrong == []


def test_every_index_that_a_header_names_is_used(filled: Store) -> None:
    schema = {
        row["name"]: (row["labelsOrTypes"][0], ", ".join(row["properties"]))
        for row in filled.statement("SHOW INDEXES YIELD name, labelsOrTypes, properties WHERE labelsOrTypes <> []")
    }
    wrong = []
    for name, query in LIBRARY.items():
        _, summary = explain(filled, query)
        steps = operators(summary.plan)
        for index in query.indexes:
            # As in «UNIQUE a:Account(key) WHERE key = $key» or «RANGE INDEX (a)-[f:FOLLOWS(v)]->(b) WHERE v > $after».
            used = {
                (label, properties)
                for operator, details in steps
                if "Index" in operator or "Unique" in operator
                for label, properties in re.findall(r":(\w+)\(([\w, ]+)\)", details)
            }
            if schema[index] not in used:
                wrong.append(f"{name}: {index} is not in {steps}")
    assert wrong == []


def test_statements_without_an_index_scan_nothing(filled: Store) -> None:
    """But those for analysts: some of their questions are about the whole graph, and say so as their cost."""
    for name, query in LIBRARY.items():
        if not query.indexes and query.group is None:
            _, summary = explain(filled, query)
            scans = [one for one, _ in operators(summary.plan) if "Scan" in one]
            assert scans == [], name
