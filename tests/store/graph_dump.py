"""The whole graph that people brought, as plain values that can be compared."""

from __future__ import annotations

from typing import Any

from service.store.driver import Store

Edges = dict[tuple[str, str], tuple[float, int | None]]
"""Follows: weight and time in milliseconds since 1970 UTC, by their ends."""

_INTERNAL = ("v", "n")  # when it was written, and in which order
_LABELS = ("Account", "Post", "Topic", "Brand", "Person")


def dump(store: Store) -> list[tuple[Any, ...]]:
    """Return every node and relationship with all properties but those that only say when they were written."""
    nodes = store.statement(
        f"MATCH (x:{'|'.join(_LABELS)}) RETURN labels(x) AS labels, properties(x) AS properties, elementId(x) AS id"
    )
    names = {row["id"]: (*row["labels"], row["properties"].get("key") or row["properties"]["name"]) for row in nodes}
    ties = store.statement(
        f"MATCH (a:{'|'.join(_LABELS)})-[r]->(b:{'|'.join(_LABELS)}) "
        "RETURN elementId(a) AS a, type(r) AS type, elementId(b) AS b, properties(r) AS properties"
    )
    assert len(names) == len(set(names.values()))
    found = [(*names[row["id"]], _plain(row["properties"])) for row in nodes]
    found += [(*names[row["a"]], row["type"], *names[row["b"]], _plain(row["properties"])) for row in ties]
    return sorted(found, key=repr)


def edges(store: Store) -> Edges:
    """Return all follows."""
    rows = store.statement(
        "MATCH (a:Account)-[f:FOLLOWS]->(b:Account) "
        "RETURN a.key AS a, b.key AS b, f.weight AS weight, f.at.epochMillis AS at"
    )
    assert len({(row["a"], row["b"]) for row in rows}) == len(rows), "a pair occurs once"
    return {(row["a"], row["b"]): (row["weight"], row["at"]) for row in rows}


def _plain(properties: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((name, repr(value)) for name, value in properties.items() if name not in _INTERNAL)


def graph_version(store: Store) -> int:
    """Return the version of the graph."""
    [row] = store.statement("MATCH (g:Graph {id: 1}) RETURN g.v AS v")
    return int(row["v"])
