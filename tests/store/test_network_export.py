"""What network files and tables of results hold is what the graph holds, value by value, and nobody who may not be."""

from __future__ import annotations

import csv
import json
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest

from service.analytics.palette import GREYS, OKABE_ITO
from service.domain import Follow, no_progress
from service.errors import (
    CommunityNotFound,
    ConfigurationError,
    Conflict,
    EmptyGraph,
    NothingPublished,
    RunNotFound,
)
from service.files.results import TABLES
from service.flows.network_export import APART, NODE, export_network
from service.flows.own_measures import keep_own_measure
from service.flows.results_export import export_results
from service.store.driver import Store
from service.store.edges import apply_follows
from tests.api.conftest import publish, two_circles
from tests.store.plain_sample import Plain

Row = dict[str, Any]
ERASING = "sample:u000300"
"""An account that is to be erased, in a community of the sample."""
ACCOUNT_FIELDS = ("handle", "name", "bio", "lang", "location", "followers", "opted_out", "created_at")


@pytest.fixture(scope="module")
def analysed(plain_sample: tuple[Store, Plain]) -> Store:
    """The analysed sample, in which somebody asked to be erased, with a weight that has many digits."""
    store, _ = plain_sample
    store.statement("MATCH (a:Account {key: $key}) SET a.erasure_asked_at = datetime()", key=ERASING)
    store.statement("MATCH (a:Account)-[f:FOLLOWS]->() WITH f ORDER BY a.key LIMIT 7 SET f.weight = 1.0 / 3")
    return store


def time_text(value: Any) -> str:
    at: datetime = value.to_native().astimezone(UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def plain(properties: Row) -> Row:
    """Properties as the graph has them, with times as text; lists stay lists."""
    return {name: time_text(value) if hasattr(value, "to_native") else value for name, value in properties.items()}


def in_xml(value: Any) -> Any:
    """What a value of the graph is in XML: of no list in the sample has an item a |."""
    return "|".join(value) if isinstance(value, list) and value else "[]" if value == [] else value


def expected_nodes(store: Store, community: str | None = None) -> dict[str, Row]:
    """Every account with what the served run found of it, by a statement of its own."""
    [current] = store.statement("MATCH (c:Current {id: 1}) RETURN c.run AS run")
    rows = store.statement("MATCH (a:Account) WHERE a.erasure_asked_at IS NULL RETURN properties(a) AS a")
    nodes = {row["a"]["key"]: {n: v for n, v in plain(row["a"]).items() if n in ACCOUNT_FIELDS} for row in rows}
    found = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c:Community {level: 0, kind: 'found'})<-[m:MEMBER_OF]-(a:Account) "
        "WHERE m.primary AND NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL "
        "RETURN a.key AS key, c.id AS community, c.topics AS topics, properties(m) AS m",
        run=current["run"],
    )
    for row in found:
        nodes[row["key"]] |= {"community": row["community"], "community_topics": row["topics"], **row["m"]}
    if community is not None:
        members = store.statement(
            "MATCH (:Run {id: $run})-[:FOUND]->(:Community {id: $community})<-[m:MEMBER_OF]-(a) WHERE m.primary "
            "RETURN collect(a.key) AS keys",
            run=current["run"],
            community=community,
        )
        nodes = {key: nodes[key] for key in members[0]["keys"] if key in nodes}
    return {key: {name: in_xml(value) for name, value in node.items()} for key, node in nodes.items()}


def expected_edges(store: Store, nodes: dict[str, Row]) -> dict[tuple[str, str], Row]:
    rows = store.statement(
        "MATCH (a:Account)-[f:FOLLOWS]->(b:Account) "
        "RETURN a.key AS a, b.key AS b, coalesce(f.weight, 1.0) AS weight, f.at AS at"
    )
    return {
        (row["a"], row["b"]): {"weight": row["weight"], **({} if row["at"] is None else {"at": time_text(row["at"])})}
        for row in rows
        if row["a"] in nodes and row["b"] in nodes
    }


def same(found: Any, expected: Any) -> bool:
    """Equal, and of the same type."""
    return type(found) is type(expected) and found == expected


def check_network(network: Any, nodes: dict[str, Row], edges: dict[tuple[str, str], Row], also: set[str]) -> None:
    """All nodes and edges, in order, with all values and no other ones; `also` are names that the format adds."""
    assert list(network.nodes) == sorted(nodes)
    for key, given in network.nodes(data=True):
        found = {name: value for name, value in given.items() if name not in also}
        assert found.keys() == nodes[key].keys(), key
        assert all(same(found[name], nodes[key][name]) for name in found), (key, found, nodes[key])
    assert list(network.edges) == sorted(edges)
    for source, target, given in network.edges(data=True):
        found = {name: value for name, value in given.items() if name not in also}
        assert found == edges[source, target]


@pytest.fixture(scope="module")
def big_community(analysed: Store) -> str:
    [row] = analysed.statement(
        "MATCH (c:Current) MATCH (:Run {id: c.run})-[:FOUND]->(k:Community {level: 0}) "
        "RETURN k.id AS id ORDER BY k.size DESC LIMIT 1"
    )
    return str(row["id"])


@pytest.mark.parametrize("restricted", [False, True])
def test_graphml_holds_what_the_graph_holds(
    analysed: Store, big_community: str, tmp_path: Path, restricted: bool
) -> None:
    community = big_community if restricted else None
    file = tmp_path / "out.graphml"
    report = export_network(analysed.address, file, "graphml", None, community, no_progress)
    network = nx.read_graphml(file)
    nodes = expected_nodes(analysed, community)
    edges = expected_edges(analysed, nodes)
    assert network.is_directed()
    check_network(network, nodes, edges, set())
    assert network.graph["keys"] is True
    assert (network.graph["run"], network.graph["graph_version"]) == (report.run, report.version)
    assert network.graph.get("only_community") == community
    assert (report.accounts, report.follows, report.left_out) == (len(nodes), len(edges), 0)
    assert not report.changed_meanwhile
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {name for node in nodes.values() for name in node} <= NODE.keys()


@pytest.mark.parametrize("restricted", [False, True])
def test_gexf_holds_what_the_graph_holds_and_a_picture(
    analysed: Store, big_community: str, tmp_path: Path, restricted: bool
) -> None:
    community = big_community if restricted else None
    file = tmp_path / "out.gexf"
    export_network(analysed.address, file, "gexf", None, community, no_progress)
    network = nx.read_gexf(file)
    nodes = expected_nodes(analysed, community)
    check_network(network, nodes, expected_edges(analysed, nodes), {"label", "viz", "id"})
    assert "<description>Entourage: ids are whole keys; " in file.read_text(encoding="utf-8")
    look = {key: given["viz"] for key, given in network.nodes(data=True)}
    assert all(given["label"] == nodes[key].get("handle", key) for key, given in network.nodes(data=True))
    colours: dict[str | None, set[str]] = {}
    for key, node in nodes.items():
        one = look[key]["color"]
        colours.setdefault(node.get("community"), set()).add(f"#{one['r']:02x}{one['g']:02x}{one['b']:02x}")
    assert colours.pop(None, {APART}) == {APART}
    assert all(len(found) == 1 for found in colours.values()), "a community has one colour"
    drawn = {next(iter(found)) for found in colours.values()}
    assert drawn <= {*OKABE_ITO, *GREYS}
    assert len(drawn & {*OKABE_ITO}) == min(len(colours), len(OKABE_ITO))
    places = {key: (viz["position"]["x"], viz["position"]["y"]) for key, viz in look.items()}
    assert len(set(places.values())) == len(places), "no two accounts are in one place"
    scored = sorted((node["score"], look[key]["size"]) for key, node in nodes.items() if "score" in node)
    assert [size for _, size in scored] == sorted(size for _, size in scored)
    for of in colours:
        # Discs do not overlap, and the best candidate is nearest to the middle of its disc.
        members = [key for key, node in nodes.items() if node.get("community") == of]
        best = [key for key in members if nodes[key].get("rank") == 1]
        middle = np.mean([places[key] for key in members], axis=0)
        if best and len(members) > 50:
            away = sorted(members, key=lambda key: float(np.linalg.norm(middle - places[key])))
            assert best[0] in away[:5]


def test_two_exports_are_the_same_bytes(analysed: Store, tmp_path: Path) -> None:
    for file_format in ("graphml", "gexf"):
        for name in ("one", "two"):
            export_network(analysed.address, tmp_path / f"{name}.{file_format}", file_format, None, None, no_progress)  # type: ignore[arg-type]
        assert (tmp_path / f"one.{file_format}").read_bytes() == (tmp_path / f"two.{file_format}").read_bytes()


def read_table(folder: Path, name: str, file_format: str) -> list[Row]:
    """Rows of a table as plain values: what is not known is left out."""
    file = folder / f"{name}.{file_format}"
    if file_format == "parquet":
        rows = pq.read_table(file).to_pylist()
    elif file_format == "ndjson":
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    else:
        with file.open(encoding="utf-8", newline="") as table:
            rows = [typed(name, row) for row in csv.DictReader(table)]
    return [{column: value for column, value in row.items() if value is not None} for row in rows]


def typed(table: str, cells: dict[str, str]) -> Row:
    """Cells of CSV by the types that the manifest says."""

    def one(cell: str, type_: str) -> Any:
        if type_ in ("texts", "integers", "numbers"):
            items = json.loads(cell) if cell.startswith("[") else cell.split("|")
            return [float(item) if type_ == "numbers" else item for item in items]
        read = {"integer": int, "number": float, "boolean": {"true": True, "false": False}.get}.get(type_, str)
        return read(cell)

    return {name: one(cell, TABLES[table][name].type) for name, cell in cells.items() if cell != ""}


@pytest.mark.parametrize("file_format", ["csv", "ndjson", "parquet"])
def test_tables_of_results_hold_what_the_graph_holds(
    analysed: Store, plain_sample: tuple[Store, Plain], tmp_path: Path, file_format: Any
) -> None:
    _, sample = plain_sample
    followers = {key: float(len(sample.followers[key])) for key in sample.accounts}
    keep_own_measure(analysed.address, "followers", followers.items(), meaning="followers", graph_version=1)
    report = export_results(analysed.address, tmp_path / "out", file_format, None, no_progress)
    tables = {name: read_table(tmp_path / "out", name, file_format) for name in TABLES}
    assert report.rows == {name: len(rows) for name, rows in tables.items()}
    shown = "NOT coalesce(a.opted_out, false) AND a.erasure_asked_at IS NULL"

    def graph(statement: str) -> list[Row]:
        return analysed.statement(f"MATCH (r:Run {{id: $run}}) {statement}", run=report.run)

    expected = graph("MATCH (r)-[:FOUND]->(c) RETURN properties(c) AS c, [(c)-[:PART_OF]->(g) | g.id] AS part_of")
    communities = {row["c"]["id"]: row for row in expected}
    internal = {"run", "members_digest", "label", "most_followed"}
    assert len(tables["communities"]) == len(communities)
    for row in tables["communities"]:
        found = communities[row["id"]]
        if found["part_of"]:
            assert row.pop("part_of") == found["part_of"][0]
        assert row == {name: value for name, value in found["c"].items() if name not in internal}

    expected = graph(
        f"MATCH (r)-[:FOUND]->(c)<-[m:MEMBER_OF]-(a) WHERE {shown} "
        "RETURN a.key AS account, c.id AS community, properties(m) AS m"
    )
    memberships = {(row["account"], row["community"]): row["m"] for row in expected}
    assert [(row["account"], row["community"]) for row in tables["memberships"]] == sorted(memberships)
    for row in tables["memberships"]:
        found = memberships[row.pop("account"), row.pop("community")]
        assert row.keys() == found.keys()
        assert all(same(row[name], found[name]) for name in row), (row, found)

    expected = graph(f"MATCH (r)<-[s:SCORED]-(a) WHERE {shown} RETURN a.key AS account, properties(s) AS s")
    scored = {row["account"]: row["s"] for row in expected}
    assert [row["account"] for row in tables["lens_scores"]] == sorted(scored)
    for row in tables["lens_scores"]:
        found = scored[row.pop("account")]
        assert row.keys() == found.keys()
        assert all(same(row[name], found[name]) for name in row), (row, found)

    home = {key: community for (key, community), m in memberships.items() if m["primary"]}
    counted: dict[tuple[str, str], int] = {}
    for source, target in expected_edges(analysed, {key: {} for key in home}):
        if home[source] != home[target]:
            counted[home[source], home[target]] = counted.get((home[source], home[target]), 0) + 1
    assert {(row["source"], row["target"]): row["follows"] for row in tables["community_ties"]} == counted

    assert tables["own_measures"] == [
        {"account": key, "measure": "followers", "value": followers[key]}
        for key in sorted(followers)
        if not sample.hidden(key) and key != ERASING
    ]

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["run"] == report.run
    for table in manifest["tables"]:
        assert table["rows"] == len(tables[table["table"]])
        assert {one["name"] for one in table["columns"]} >= {name for row in tables[table["table"]] for name in row}
        assert (tmp_path / "out" / table["file"]).is_file()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_nobody_is_named_who_does_not_want_to_be(
    analysed: Store, plain_sample: tuple[Store, Plain], tmp_path: Path
) -> None:
    _, sample = plain_sample
    out = {key for key in sample.accounts if sample.hidden(key)}
    export_results(analysed.address, tmp_path / "out", "ndjson", None, no_progress)
    export_network(analysed.address, tmp_path / "out.graphml", "graphml", None, None, no_progress)
    handles = {handle for key in {*out, ERASING} if (handle := sample.accounts[key].get("handle"))}
    for file in (tmp_path / "out").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not [key for key in {*out, ERASING} if key in text], file.name
        assert not [one for one in handles if re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", text)], file.name
    network = nx.read_graphml(tmp_path / "out.graphml")
    assert ERASING not in network
    assert out <= set(network)
    for key in out - {ERASING}:
        assert network.nodes[key]["opted_out"] is True
        assert network.nodes[key].keys() <= set(ACCOUNT_FIELDS)


def test_lineage_and_an_earlier_run(store: Store, tmp_path: Path) -> None:
    two_circles(store)
    first = publish(store)
    apply_follows(store, [Follow("t:a7", "t:b1"), Follow("t:n1", "t:a0"), Follow("t:n1", "t:a1")])
    second = publish(store)
    report = export_results(store.address, tmp_path / "now", "ndjson", None, no_progress)
    rows = store.statement(
        "MATCH (:Run {id: $run})-[:FOUND]->(c)-[e]->(p:Community) WHERE type(e) <> 'PART_OF' "
        "RETURN c.id AS community, type(e) AS relation, p.id AS before, p.run AS before_run, e.accounts AS accounts, "
        "e.share_of_it AS share_of_it, e.share_of_this AS share_of_this, e.counts AS counts "
        "ORDER BY community, relation, before",
        run=second,
    )
    assert read_table(tmp_path / "now", "lineage", "ndjson") == rows
    assert rows
    assert report.run == second
    export_network(store.address, tmp_path / "then.graphml", "graphml", first, None, no_progress)
    then = nx.read_graphml(tmp_path / "then.graphml")
    assert then.graph["run"] == first
    assert "community" not in then.nodes["t:n1"]
    for key, given in then.nodes(data=True):
        found = store.statement(
            "MATCH (a:Account {key: $key})-[m:MEMBER_OF {primary: true}]->(c)<-[:FOUND]-(:Run {id: $run}) "
            "RETURN c.id AS community, m.score AS score",
            key=key,
            run=first,
        )
        assert [(given.get("community"), given.get("score"))] == (
            [(row["community"], row["score"]) for row in found] or [(None, None)]
        )


def test_texts_that_xml_cannot_hold_do_not_break_the_file(store: Store, tmp_path: Path) -> None:
    odd = "a\x00b\x0bc\ufffe\r\n\t<&>\"'] ]>\u2028\x85é名 x "
    keys = ["t:q\"<&>'", "t:ü|z", "t:a b", "t:bad\uffff", "t:ok"]
    apply_follows(store, [Follow(a, b, 0.1) for a in keys for b in keys if a != b])
    store.statement("MATCH (a:Account {key: 't:ok'}) SET a.bio = $odd, a.handle = $odd", odd=odd.replace("\x00", ""))
    for file_format, read in (("graphml", nx.read_graphml), ("gexf", nx.read_gexf)):
        file = tmp_path / f"out.{file_format}"
        report = export_network(store.address, file, file_format, None, None, no_progress)  # type: ignore[arg-type]
        network = read(file)
        written = [key for key in keys if "\uffff" not in key]
        assert sorted(network.nodes) == sorted(written)
        assert report.left_out == 1
        assert report.run is None
        assert sorted(network.edges) == sorted((a, b) for a in written for b in written if a != b)
        assert network.nodes["t:ok"]["bio"] == "ab\ufffdc\ufffd\r\n\t<&>\"'] ]>\u2028\x85é名 x "


def test_what_cannot_be_exported_is_said_and_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(
        name: str = "out.gexf", run: str | None = None, community: str | None = None, force: bool = False
    ) -> Any:
        return export_network(store.address, tmp_path / name, "gexf", run, community, no_progress, force=force)

    with pytest.raises(EmptyGraph):
        network()
    two_circles(store)
    with pytest.raises(NothingPublished):
        network(community="c")
    with pytest.raises(NothingPublished):
        export_results(store.address, tmp_path / "out", "csv", None, no_progress)
    with pytest.raises(RunNotFound):
        network(run="r-none")
    publish(store)
    with pytest.raises(CommunityNotFound):
        network(community="c-none")
    store.statement(
        "CREATE (:Run {id: 'r-gone', state: 'done', stage: 'publish', spec: '{}', publish: true, "
        "created_at: datetime(), removed_at: datetime()})"
    )
    with pytest.raises(RunNotFound, match="no longer kept"):
        network(run="r-gone")
    (tmp_path / "mine.gexf").write_text("mine")
    (tmp_path / "folder.gexf").mkdir()
    for name in ("mine.gexf", "folder.gexf"):
        with pytest.raises(Conflict):
            network(name)
    with pytest.raises(ConfigurationError):
        network("mine.gexf/below.gexf")
    assert (tmp_path / "mine.gexf").read_text() == "mine"

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.files.networks.GexfFile.end", fails)
    with pytest.raises(ConfigurationError, match="No space left"):
        network("mine.gexf", force=True)
    assert (tmp_path / "mine.gexf").read_text() == "mine"
    monkeypatch.undo()
    network("mine.gexf", force=True)
    assert len(nx.read_gexf(tmp_path / "mine.gexf")) == 16
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.gexf", "mine.gexf"]


def test_that_the_graph_changes_meanwhile_is_said(store: Store, tmp_path: Path) -> None:
    two_circles(store)
    done = []

    def change(stage: str, _: int, __: int | None) -> None:
        if stage == "accounts" and not done:
            apply_follows(store, [Follow("t:new", "t:a0")])
            done.append(stage)

    report = export_network(store.address, tmp_path / "out.graphml", "graphml", None, None, change)
    assert report.changed_meanwhile
    assert "t:new" not in nx.read_graphml(tmp_path / "out.graphml")
