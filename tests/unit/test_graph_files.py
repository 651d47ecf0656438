"""GraphML, GEXF and Pajek as lines: compared with networkx, and with whatever bytes there may be."""

from __future__ import annotations

import gzip
import json
import string
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import UnreadableFile
from service.files import graph_files
from service.files.graph_files import GRAPH_FORMATS, graph_format, open_graph_file, survey_graph

ENDINGS = {"graphml": "graphml", "gexf": "gexf", "pajek": "net"}


def lines(path: Path, kind: str, file_format: str | None = None) -> list[dict[str, str]]:
    file_format = file_format or graph_format(path)
    assert file_format is not None
    with open_graph_file(path, file_format, kind) as stream:
        found = list(stream)
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    return [json.loads(line.data) for line in found]


def written(tmp_path: Path, content: str | bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --- beside networkx ------------------------------------------------------------------------------------------------

# What XML can hold; networkx writes quotes and line breaks into Pajek as they are, so that nobody can read them.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=8)
WORD = st.text(string.ascii_letters + string.digits + "-_.éб", min_size=1, max_size=6)


@st.composite
def graphs(draw: st.DrawFn, text: st.SearchStrategy[str]) -> Any:
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    names = draw(st.lists(text, min_size=1, max_size=8, unique=True))
    for name in names:
        graph.add_node(name, **draw(st.fixed_dictionaries({}, optional={"name": text, "Lang": text})))
    ends = st.sampled_from(names)
    for a, b, weight in draw(st.lists(st.tuples(ends, ends, st.floats(0.001, 1e6)), max_size=15)):
        graph.add_edge(a, b, weight=weight, note=draw(text))
    return graph


def pairs(graph: Any) -> Counter[tuple[str, str, float, str]]:
    found: Counter[tuple[str, str, float, str]] = Counter()
    for a, b, data in graph.edges(data=True):
        found[a, b, data["weight"], data["note"]] += 1
        if not graph.is_directed() and a != b:
            found[b, a, data["weight"], data["note"]] += 1
    return found


@pytest.mark.parametrize("file_format", GRAPH_FORMATS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_networkx_writes_is_read_as_networkx_reads_it(file_format: str, data: st.DataObject) -> None:
    graph = data.draw(graphs(WORD if file_format == "pajek" else TEXT))
    write = {"graphml": nx.write_graphml, "gexf": nx.write_gexf, "pajek": nx.write_pajek}[file_format]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"g.{ENDINGS[file_format]}"
        write(graph, path)
        survey = survey_graph(path, file_format)
        nodes, ties = lines(path, "accounts"), lines(path, "follows")
    assert (survey.nodes, survey.edges) == (graph.number_of_nodes(), graph.number_of_edges())
    assert survey.undirected == (0 if graph.is_directed() else survey.edges)
    assert {one["@id"]: (one.get("name"), one.get("Lang")) for one in nodes} == {
        node: (said.get("name"), said.get("Lang")) for node, said in graph.nodes(data=True)
    }
    assert Counter((one["@source"], one["@target"], float(one["weight"]), one["note"]) for one in ties) == pairs(graph)


# --- any bytes ------------------------------------------------------------------------------------------------------

TAGS = ["graphml", "gexf", "graph", "node", "edge", "nodes", "edges", "data", "key", "default", "hyperedge",
        "attributes", "attribute", "attvalue", "meta", "description"]  # fmt: skip
NAMES = ["id", "source", "target", "for", "key", "class", "title", "value", "directed", "type", "weight", "edgedefault",
         "attr.name", "xmlns", "label"]  # fmt: skip
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a", "b", "node", "edge", "true", "mutual", ""]))
PIECES = st.one_of(
    st.tuples(st.sampled_from(TAGS), ATTRIBUTES).map(
        lambda one: f"<{one[0]} " + " ".join(f'{name}="{value}"' for name, value in one[1].items()) + ">"
    ),
    st.sampled_from(TAGS).map(lambda tag: f"</{tag}>"),
    st.sampled_from(["text", "&lt;", "&x;", "<!DOCTYPE x>", "<![CDATA[x]]>", "<!-- x -->", "<?x?>", "\n"]),
)
TREES = st.recursive(
    st.sampled_from(["text", ""]),
    lambda inner: st.tuples(st.sampled_from(TAGS), ATTRIBUTES, st.lists(inner, max_size=4)).map(
        lambda one: (
            f"<{one[0]} "
            + " ".join(f'{name}="{value}"' for name, value in one[1].items() if name != "xmlns")
            + f">{''.join(one[2])}</{one[0]}>"
        )
    ),
    max_leaves=25,
)
WORDS = st.sampled_from(
    ["*Vertices", "*Arcs", "*Edges", "*Arcslist", "*Edgeslist", "*Network", "*Matrix", "*", "1", "2", "3", "-1",
     "9" * 30, "a", '"b c"', '"', "0.5", "nan", "%", "ellipse", "²"]
)  # fmt: skip
PAJEK = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=12).map("\n".join)


@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(PIECES, max_size=12).map(lambda all_: "".join(all_).encode()),
        st.tuples(st.sampled_from(["graphml", "gexf"]), TREES).map(
            lambda one: f"<{one[0]}>{one[1]}</{one[0]}>".encode()
        ),
        PAJEK.map(str.encode),
        PAJEK.map(lambda text: f"*Vertices 3\n1 a\n2 b\n*Arcs\n{text}".encode()),
    ),
    packed=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_whatever_stands_in_a_file_it_is_read_or_refused(content: bytes, packed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), gzip.compress(content) if packed else content, "x")
        assert graph_format(path) in (None, *GRAPH_FORMATS)
        for file_format in GRAPH_FORMATS:
            try:
                survey = survey_graph(path, file_format)
            except UnreadableFile:
                continue
            nodes, ties = lines(path, "accounts", file_format), lines(path, "follows", file_format)
            assert len(nodes) == survey.nodes
            assert survey.edges <= len(ties) <= survey.edges + survey.undirected
            assert len(lines(path, "opt_outs", file_format)) == survey.nodes


# --- one by one -----------------------------------------------------------------------------------------------------


def test_gexf_in_its_several_ways(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """<?xml version="1.0" encoding="ISO-8859-1"?>
<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">
  <graph defaultedgetype="directed">
    <attributes class="node"><attribute id="0" title="lang" type="string"><default>fr</default></attribute></attributes>
    <nodes>
      <node id="a" label="Lé"><viz:color r="1" g="2" b="3"/><nodes><node id="b" label="b"/></nodes></node>
      <node id="c"><attvalues><attvalue for="0" value="en"/></attvalues></node>
    </nodes>
    <edges>
      <edge source="a" target="b" type="mutual" weight="2"/>
      <edge source="b" target="c" type="undirected"/>
      <edge source="c" target="a" start="2020-01-01" label="x"/>
      <viz:edge source="a" target="c"/>
    </edges>
  </graph>
</gexf>""".encode("latin-1"),
        "x",
    )
    assert graph_format(path) == "gexf"
    assert lines(path, "accounts") == [
        {"@element": "node 2, line 6", "@id": "b", "lang": "fr"},
        {"@element": "node 1, line 6", "@id": "a", "lang": "fr", "label": "Lé"},
        {"@element": "node 3, line 7", "@id": "c", "lang": "en"},
    ]
    assert [(one["@source"], one["@target"], one.get("weight")) for one in lines(path, "follows")] == [
        ("a", "b", "2"), ("b", "a", "2"), ("b", "c", None), ("c", "b", None), ("c", "a", None),
    ]  # fmt: skip
    assert lines(path, "follows")[4]["start"] == "2020-01-01"


def test_graphml_in_its_several_ways(tmp_path: Path) -> None:
    document = """<?xml version="1.0" encoding="UTF-16"?>
<g:graphml xmlns:g="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
  <g:graph edgedefault="undirected">
    <g:node id="a"><g:data key="d"><y:ShapeNode><y:NodeLabel>drawn</y:NodeLabel></y:ShapeNode></g:data>
      <g:graph edgedefault="directed"><g:node id="b"><g:data key="n">B &amp; <![CDATA[<b>]]></g:data></g:node>
        <g:edge source="b" target="a"/></g:graph></g:node>
    <g:edge source="a" target="c"/><g:edge source="a" target="d" directed="true"/>
  </g:graph>
  <g:key id="n" for="all" attr.name="name"/>
</g:graphml>"""
    path = written(tmp_path, document.encode("utf-16"), "x")
    assert graph_format(path) == "graphml"
    assert [(one["@id"], one.get("name")) for one in lines(path, "accounts")] == [("b", "B & <b>"), ("a", None)]
    assert [(one["@source"], one["@target"]) for one in lines(path, "follows")] == [
        ("b", "a"), ("a", "c"), ("c", "a"), ("a", "d")
    ]  # fmt: skip


def test_pajek_in_its_several_ways(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '% from a handbook\n*Network "who"\n*Vertices 5 3\n1 "Lea M" 0.1 0.2 0.5 ellipse x_fact 2 handle lea\n2 Tom\n'
        '4 "Kim" 0.1 0.2 lang fr\n\n*Arcs :1 "friends"\n1 2 3\n2 1\n1 9\n3 1 2 at 2020-01-01\n*Edges\n2 4 0.5 c Blue\n'
        "*Arcslist\n1 2 4\n*Edgeslist\n4 5\n",
        "x.net",
    )
    assert lines(path, "accounts") == [
        {"@element": "node 1, line 4", "@id": "Lea M", "x_fact": "2", "handle": "lea"},
        {"@element": "node 2, line 5", "@id": "Tom"},
        {"@element": "node 3, line 6", "@id": "Kim", "lang": "fr"},
    ]
    assert [(one.get("@source"), one.get("@target"), one.get("weight")) for one in lines(path, "follows")] == [
        ("Lea M", "Tom", "3"), ("Tom", "Lea M", None), ("Lea M", None, None), ("3", "Lea M", "2"),
        ("Tom", "Kim", "0.5"), ("Kim", "Tom", "0.5"), ("Lea M", "Tom", None), ("Lea M", "Kim", None),
        ("Kim", "5", None), ("5", "Kim", None),
    ]  # fmt: skip
    with pytest.raises(UnreadableFile, match=r"Line 3 .*vertex 1 is there twice"):
        lines(written(tmp_path, "*Vertices 2\n1 a\n1 b", "z.net"), "accounts")


def test_capitals_of_weight_and_at_do_not_matter(tmp_path: Path) -> None:
    keys = '<key id="a" attr.name="Weight" for="edge"/><key id="b" attr.name="AT" for="edge"/>'
    tie = '<edge source="a" target="b"><data key="a">2</data><data key="b">2020</data></edge>'
    [one] = lines(written(tmp_path, f"<graphml>{keys}<graph>{tie}</graph></graphml>", "x"), "follows")[:1]
    assert (one["weight"], one["at"]) == ("2", "2020")


def test_how_a_file_is_known(tmp_path: Path) -> None:
    assert graph_format(written(tmp_path, "", "x.GraphML")) == "graphml"
    assert graph_format(written(tmp_path, "", "x.net.gz")) == "pajek"
    assert graph_format(written(tmp_path, "<!-- a -->\n<html/>", "x")) is None
    assert graph_format(written(tmp_path, "a,b\n", "x.csv")) is None
    assert graph_format(written(tmp_path, "%\n*vertices 1\n", "y")) == "pajek"
    assert graph_format(written(tmp_path, b"\x1f\x8bbroken", "y")) is None
    assert graph_format(tmp_path) is None
    assert graph_format(Path("-")) is None


def test_one_long_line_is_read_and_what_is_too_long_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = "".join(f'<node id="{i}"/>' for i in range(50_000))
    path = written(tmp_path, f"<graphml><graph>{nodes}</graph></graphml>", "x.graphml")
    assert len(lines(path, "accounts")) == 50_000
    bio = "b" * 200_000
    long = f'<graphml><graph><node id="a"><data key="bio">{bio}</data></node></graph></graphml>'
    with open_graph_file(written(tmp_path, long, "y.graphml"), "graphml", "accounts") as stream:
        [line] = stream
    assert not line.whole
    assert len(line.data) < 2_000
    monkeypatch.setattr(graph_files, "MOST_TAG_BYTES", 300_000)
    with pytest.raises(UnreadableFile, match="a tag is longer"):
        survey_graph(written(tmp_path, f'<graphml a="{"x" * 2_000_000}"/>', "z"), "graphml")
    with pytest.raises(UnreadableFile, match="more than 500 deep"):
        survey_graph(written(tmp_path, "<graphml>" + "<graph>" * 600, "z"), "graphml")
    for names in ("<t{0}/>", '<t a{0}=""/>', '<t xmlns:p{0}="u"/>'):
        tags = "".join(names.format(i) for i in range(11_000))
        with pytest.raises(UnreadableFile, match="more than 10,000 names"):
            survey_graph(written(tmp_path, f"<graphml>{tags}</graphml>", "z"), "graphml")
    keys = "".join(f'<key id="k{i}" for="node"/>' for i in range(3_000))
    with pytest.raises(UnreadableFile, match="more than 2,000 attributes"):
        survey_graph(written(tmp_path, f"<graphml>{keys}</graphml>", "z"), "graphml")
    data = "".join(f'<data key="k{i}">1</data>' for i in range(3_000))
    with pytest.raises(UnreadableFile, match="more than 2,000 attributes"):
        survey_graph(written(tmp_path, f"<graphml><graph><node>{data}</node></graph></graphml>", "z"), "graphml")


def refused(tmp_path: Path, content: str, says: str, name: str = "z.graphml") -> None:
    path = written(tmp_path, content, name)
    file_format = graph_format(path)
    assert file_format is not None
    with pytest.raises(UnreadableFile, match=says):
        survey_graph(path, file_format)


def test_long_names_and_large_defaults_are_refused(tmp_path: Path) -> None:
    long, longer = "n" * 256, "n" * 257
    tags = "".join(f"<{'t' * 1_000}{i}/>" for i in range(1_100))
    refused(tmp_path, f"<graphml>{tags}</graphml>", "with more than 1,048,576 characters")
    for wrong in (
        f'<key id="{longer}" for="node"/>',
        f'<key id="k" for="node" attr.name="{longer}"/>',
        f'<graph><node id="a"><data key="{longer}">1</data></node></graph>',
        f'<graph>\n<node id="a" {longer}="1"/></graph>',
    ):
        refused(tmp_path, f"<graphml>{wrong}</graphml>", "Line [12] .*longer than 256 characters")
    refused(tmp_path, f"*Vertices 1\n1 a 0.1 shape {longer} 1", "Line 2 .*longer than 256 characters", "z.net")
    fine = f'<graphml><graph><node id="a"><data key="{long}">1</data></node></graph></graphml>'
    assert lines(written(tmp_path, fine, "x.graphml"), "accounts")[0][long] == "1"

    def defaults(count: int) -> str:
        return "".join(f'<key id="k{i}" for="node"><default>{"d" * 60_000}</default></key>' for i in range(count))

    refused(tmp_path, f"<graphml>{defaults(3)}</graphml>", "Line 1 .*defaults of nodes come to more than 131,072 bytes")
    attributes = defaults(3).replace("<key", "<attribute").replace("</key", "</attribute")
    gexf = f'<gexf><graph><attributes class="node">{attributes}</attributes></graph></gexf>'
    refused(tmp_path, gexf, "defaults of nodes come to more than", "z.gexf")
    two = f'<graphml>{defaults(2)}<graph><node id="a"/></graph></graphml>'
    assert len(lines(written(tmp_path, two, "y.graphml"), "accounts")[0]["k1"]) == 60_000, "nothing is cut"


def test_only_who_says_no_is_passed_over_as_not_opted_out(tmp_path: Path) -> None:
    said = ["true", "YES", "1", "false", " No ", "0", "", "oui", "y", "2", "x" * 200_000]
    nodes = "".join(f'<node id="{i}"><data key="opted_out">{one}</data></node>' for i, one in enumerate(said))
    path = written(tmp_path, f'<graphml><graph>{nodes}<node id="b"/></graph></graphml>', "x.graphml")
    with open_graph_file(path, "graphml", "opt_outs") as stream:
        passed_over = [line.number - 1 for line in stream if line.skip]
    assert passed_over == [3, 4, 5, 6, len(said)]


def test_data_of_ports_and_defaults_elsewhere_are_not_those_of_nodes(tmp_path: Path) -> None:
    port = '<port name="p"><data key="k">of the port</data></port>'
    node = f'<node id="a"><data key="k">of the node</data>{port}</node>'
    key = '<key id="k" for="node" attr.name="name"><x><default>no</default></x></key>'
    path = written(tmp_path, f'<graphml>{key}<graph>{node}<node id="b"/></graph></graphml>', "x.graphml")
    assert [one.get("name") for one in lines(path, "accounts")] == ["of the node", None]


def test_directions_are_booleans_of_xml(tmp_path: Path) -> None:
    for default, said in (("directed", "0"), ("directed", "false"), ("undirected", None)):
        both = f'<edge source="a" target="b"{"" if said is None else f" directed={said!r}"}/>'
        one = f'<edge source="c" target="d" directed="{"1" if said == "0" else "true"}"/>'
        path = written(tmp_path, f'<graphml><graph edgedefault="{default}">{both}{one}</graph></graphml>', "x.graphml")
        ends = [(one["@source"], one["@target"]) for one in lines(path, "follows")]
        assert ends == [("a", "b"), ("b", "a"), ("c", "d")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('*Vertices 2\n1 "Lea "M" x"\n2 b', "Line 2 .*quotes do not match"),
        ('*Vertices 2\n1 "Lea\n2 b', "Line 2 .*quotes do not match"),
        ('*Vertices 2\n1 O"Brien\n2 b', "Line 2 .*quotes do not match"),
        ('*Vertices 2\n1 "Lea"M\n2 b', "Line 2 .*quotes do not match"),
        ('*Vertices 2\n1 "Lea ""M"""\n2 b', "Line 2 .*quotes do not match"),
        ('*Vertices 2\n1 a\n2 b\n*Arcs\n1 2 1 note "x', "Line 5 .*quotes do not match"),
        ('*Vertices 2\n1 a\n2 b\n*Arcs :1 "likes"\n1 2\n*Arcs :2 "hates"\n2 1', r"Line 6 .*second relation .*\(2\)"),
        ("*Vertices 2\n1 a\n2 b\n*Arcs\n1 2\n*Edges :2\n2 1", "Line 6 .*second relation"),
    ],
)
def test_pajek_that_cannot_be_told_is_refused(tmp_path: Path, text: str, says: str) -> None:
    refused(tmp_path, text, says, "z.net")


def test_one_relation_of_pajek_is_read(tmp_path: Path) -> None:
    text = '*Vertices 2\n1 a\n2 ""\n*Arcs :3 "likes"\n1 2\n*Edges :3\n2 1'
    assert len(lines(written(tmp_path, text, "x.net"), "follows")) == 3
