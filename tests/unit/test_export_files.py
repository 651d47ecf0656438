"""Tables and network files as other readers read them, and which options of an export go together."""

from __future__ import annotations

import csv
import io
import json
import random
import resource
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput, ConfigurationError, Conflict
from service.files.networks import GexfFile, GraphmlFile, Look, network_file, writable
from service.files.tables import ROWS_AT_ONCE, ColumnType, TableFile
from service.flows.export_options import ExportOptions
from service.flows.exporting import new_folder
from service.flows.network_export import new_file
from tests.unit.analytics_graphs import laws

COLUMNS: dict[str, ColumnType] = {
    "text": "text",
    "whole": "integer",
    "number": "number",
    "flag": "boolean",
    "at": "time",
    "day": "day",
    "texts": "texts",
    "numbers": "numbers",
}
ROWS: list[dict[str, Any]] = [
    {"text": 'a,"b"\nü', "whole": 2**62, "number": 0.1, "flag": False, "at": "2025-03-01T12:00:00.007Z"},
    {"day": date(2025, 1, 2), "texts": ["a|b", "[c"], "numbers": [1.0, 1 / 3]},
    {"texts": [], "flag": True, "number": 5e-324, "text": None},
    {},
]


def test_a_table_is_the_same_in_every_format(tmp_path: Path) -> None:
    for file_format in ("csv", "ndjson", "parquet"):
        with TableFile(tmp_path / f"t.{file_format}", COLUMNS, file_format) as table:  # type: ignore[arg-type]
            for row in ROWS:
                table.write(row)
        assert table.rows == len(ROWS)
    lines = [json.loads(line) for line in (tmp_path / "t.ndjson").read_text(encoding="utf-8").split("\n")[:-1]]
    parquet = pq.read_table(tmp_path / "t.parquet")
    assert parquet.schema.field("at").type == pa.timestamp("ms", "UTC")
    assert pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    for row, line, typed, cell in zip(ROWS, lines, parquet.to_pylist(), cells, strict=True):
        known = {name: value for name, value in row.items() if value is not None}
        assert line == {n: v.isoformat() if isinstance(v, date) else v for n, v in known.items()}
        if "at" in known:
            known["at"] = datetime(2025, 3, 1, 12, 0, 0, 7_000, tzinfo=UTC)
        assert {name: value for name, value in typed.items() if value is not None} == known
        assert {name for name, value in cell.items() if value != ""} == known.keys()
        if "number" in known:
            assert float(cell["number"]) == known["number"]
    assert cells[1]["texts"] == '["a|b", "[c"]'


def test_parquet_is_written_in_groups_and_unknown_columns_are_refused(tmp_path: Path) -> None:
    with TableFile(tmp_path / "t.parquet", {"n": "integer"}, "parquet") as table:
        for n in range(ROWS_AT_ONCE + 1):
            table.write({"n": n})
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 2
    assert pq.read_table(tmp_path / "t.parquet")["n"].to_pylist() == list(range(ROWS_AT_ONCE + 1))
    for file_format in ("csv", "parquet"):
        with (
            TableFile(tmp_path / f"x.{file_format}", {"n": "integer"}, file_format) as table,  # type: ignore[arg-type]
            pytest.raises(ValueError, match="other"),
        ):
            table.write({"other": 1})


@pytest.mark.parametrize("file_format", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("rows", [1_000, ROWS_AT_ONCE + 1])
def test_a_disk_that_is_full_is_what_is_said(tmp_path: Path, file_format: Any, rows: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    chance = random.Random(rows)

    def write() -> None:
        with TableFile(tmp_path / "t", {"text": "text"}, file_format) as table:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
            for _ in range(rows):
                table.write({"text": chance.randbytes(40).hex()})

    try:
        with pytest.raises(OSError, match="File too large"):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.gexf"

    def both_write() -> None:
        with new_file(path, force=False) as out:
            out.write("ours")
            path.write_text("theirs")

    with pytest.raises(Conflict, match="is there already"):
        both_write()
    assert path.read_text() == "theirs"
    with new_file(path, force=True) as out:
        out.write("ours")
    assert path.read_text() == "ours"
    assert [one.name for one in tmp_path.iterdir()] == ["out.gexf"]

    def no_links(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    with new_file(tmp_path / "other.gexf", force=False) as out:
        out.write("ours")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["other.gexf", "out.gexf"]


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name too long"), new_file(tmp_path / ("x" * 250), force=False):
        pass
    with pytest.raises(ConfigurationError, match="name too long"), new_folder(tmp_path / ("x" * 250)):
        pass
    with pytest.raises(Conflict, match="is a folder"), new_file(Path("/"), force=False):
        pass
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for path in (Path("/"), tmp_path / "link", Path("/dev/shm")):
        with pytest.raises(Conflict, match="name a new folder below it"), new_folder(path):
            pass
    with new_folder(tmp_path / "link" / "new") as partial:
        (partial / "x").write_text("x")
    assert (tmp_path / "there" / "new" / "x").read_text() == "x"


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@laws
@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=6), st.sampled_from(["graphml", "gexf"]))
def test_any_text_can_be_read_back(given: list[tuple[str, str]], file_format: Any) -> None:
    nodes = {key: text for key, text in given if writable(key)}
    out = io.StringIO()
    writing = network_file(file_format, out, {"text": "text"}, {"run": "r", "none": None})
    for key, text in nodes.items():
        writing.node(key, key, {"text": text, "none": None}, None)
    for key in nodes:
        writing.edge(key, key, 1 / 3, "2025-03-01T12:00:00Z")
    writing.end()
    root = ET.fromstring(out.getvalue().encode())  # the parser refuses what XML 1.0 does not allow
    space = root.tag.partition("}")[0] + "}"
    found = {}
    for node in root.iter(f"{space}node"):
        values = node.findall(f"{space}data") or node.findall(f"{space}attvalues/{space}attvalue")
        [value] = values
        found[node.attrib["id"]] = value.attrib.get("value", value.text) or ""
    shown = {key: "".join(one if writable(one) else "\ufffd" for one in text) for key, text in nodes.items()}
    assert found == shown
    edges = [(one.attrib["source"], one.attrib["target"]) for one in root.iter(f"{space}edge")]
    assert edges == [(key, key) for key in nodes]


def test_a_network_without_anything_is_one() -> None:
    for file_format, read in (("graphml", nx.read_graphml), ("gexf", nx.read_gexf)):
        out = io.StringIO()
        writing = network_file(file_format, out, {}, {})  # type: ignore[arg-type]
        writing.end()
        assert len(read(io.BytesIO(out.getvalue().encode()))) == 0


def test_types_and_looks_are_what_readers_expect() -> None:
    values: dict[str, Any] = {"whole": 2**40, "number": 1e-7, "flag": False, "texts": ["a", "b"], "text": "2"}
    columns: dict[str, ColumnType] = {name: COLUMNS[name] for name in values}
    for kind, read in ((GraphmlFile, nx.read_graphml), (GexfFile, nx.read_gexf)):
        out = io.StringIO()
        writing = kind(out, columns, {"graph_version": 7})
        writing.node("t:1", "one", values, Look(1.5, -2.0, 4.25, (1, 2, 3)))
        writing.node("t:2", "two", {}, None)
        writing.edge("t:1", "t:2", 0.1, None)
        writing.end()
        network = read(io.BytesIO(out.getvalue().encode()))
        found = {name: network.nodes["t:1"][name] for name in values}
        assert found == {**values, "texts": "a|b"}
        assert [type(one) for one in found.values()] == [int, float, bool, str, str]
        assert network.edges["t:1", "t:2"]["weight"] == 0.1
        assert "at" not in network.edges["t:1", "t:2"]
        if kind is GexfFile:
            drawn = network.nodes["t:1"]["viz"]
            assert drawn["position"] == {"x": 1.5, "y": -2.0, "z": 0.0}
            assert drawn["size"] == 4.25
            assert [drawn["color"][one] for one in "rgb"] == [1, 2, 3]
        else:
            assert network.graph["graph_version"] == 7
            assert network.graph["keys"] is True


def options(path: str, file_format: str | None = None, **given: Any) -> ExportOptions:
    return ExportOptions(
        Path(path), file_format, **{"results": False, "run": None, "community": None, "force": False, **given}
    )


@pytest.mark.parametrize(
    ("asked", "formats"),
    [
        (options("out"), (None, "ndjson")),
        (options("out", "CSV"), (None, "csv")),
        (options("out", "parquet", results=True, run="r"), (None, "parquet")),
        (options("out.GEXF", run="r", community="c", force=True), ("gexf", "ndjson")),
        (options("out.graphml"), ("graphml", "ndjson")),
        (options("out.xml", "graphml"), ("graphml", "ndjson")),
        (options("out.gexf", "csv"), (None, "csv")),
    ],
)
def test_the_format_is_what_was_said_or_else_the_ending(asked: ExportOptions, formats: tuple[Any, Any]) -> None:
    assert asked.formats() == formats


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (options("out", "xlsx"), "no format 'xlsx'"),
        (options("out.gexf", results=True), "--results"),
        (options("out", community="c"), "--community"),
        (options("out", results=True, force=True), "--force"),
        (options("out", run="r"), "--run"),
    ],
)
def test_options_that_do_not_go_together_are_refused(asked: ExportOptions, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asked.formats()
