"""GraphML, GEXF and Pajek into a real graph and read back, compared with what networkx holds."""

from __future__ import annotations

import gzip
import json
import random
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner

from service.__main__ import app as command
from service.domain import no_progress
from service.errors import BadInput, ExpandsTooFar, NothingImported, UnreadableFile
from service.files.follow_arrays import AccountNumbers, open_follow_arrays
from service.files.follows import FollowFile, open_follows
from service.flows.import_options import ImportOptions, file_to_import
from service.flows.importing import FolderReport, import_file, import_folder, import_parts
from service.flows.several_kinds import parts_of_file
from service.store.driver import Store
from tests.conftest import clear
from tests.store.graph_dump import dump, edges, graph_version

BOMB = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
Load = Callable[..., FolderReport]

WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "graphml": lambda graph, path: nx.write_graphml(graph, path),
    "gexf": lambda graph, path: nx.write_gexf(graph, path),
    "net": lambda graph, path: nx.write_pajek(graph, path),
}


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    """Import a graph file as the command does; the counts of each report must add up."""

    def run(path: Path, check: bool = False, most_expanded: int | None = None, **options: Any) -> FolderReport:
        parts = parts_of_file(path, ImportOptions(**options), most_expanded)
        assert parts is not None
        report = import_parts(
            store.address, parts, tmp_path / "imports", no_progress, check=check, most_expanded=most_expanded
        )
        for one in report.files:
            assert one.lines == one.used + sum(one.skipped.values()) + sum(one.rejected.values())
        return report

    return run


def accounts(store: Store) -> dict[str, dict[str, Any]]:
    names = ("handle", "name", "bio", "lang", "followers", "opted_out")
    rows = store.statement("MATCH (a:Account) RETURN properties(a) AS properties")
    return {one["properties"]["key"]: {n: one["properties"].get(n) for n in names} for one in rows}


def some_graph(kind: type[Any], seed: int, nodes: int = 40, ties: int = 150) -> Any:
    """A graph with names in many scripts, isolated nodes, attributes that are not read, and no loops."""
    chance = random.Random(seed)
    graph = kind()
    for i in range(nodes):
        graph.add_node(f"u{i}", handle=f"h.{i}", name=f"Zoë <{i}> & «Ми»", Bio=f"line one, {i}", followers=str(7 * i))
        graph.nodes[f"u{i}"]["betweenness"] = "0.5"
    while graph.number_of_edges() < ties:
        a, b = chance.sample(range(nodes - 3), 2)
        at = f"20{chance.randrange(10, 25)}-0{chance.randrange(1, 10)}-11T10:00:00Z"
        graph.add_edge(f"u{a}", f"u{b}", weight=chance.choice([0.25, 1.0, 3.5, 1e-3, 12345.678]), at=at)
    return graph


def ms(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)


@pytest.mark.parametrize("ending", WRITERS)
def test_what_networkx_writes_is_in_the_graph_and_again_changes_nothing(
    store: Store, load: Load, tmp_path: Path, ending: str
) -> None:
    graph = some_graph(nx.DiGraph, seed=1)
    path = tmp_path / f"graph.{ending}"
    WRITERS[ending](graph, path)
    looked = load(path, network="x", check=True)
    assert accounts(store) == {}
    assert graph_version(store) == 0
    report = load(path, network="x")
    assert [one.kind for one in report.files] == ["accounts", "follows"]
    assert edges(store) == {
        (f"x:{a}", f"x:{b}"): (data["weight"], ms(data["at"])) for a, b, data in graph.edges(data=True)
    }
    found = accounts(store)
    assert found.keys() == {f"x:{one}" for one in graph}
    for one, data in graph.nodes(data=True):
        said = found[f"x:{one}"]
        assert (said["handle"], said["name"], said["bio"]) == (data["handle"], data["name"], data["Bio"])
        assert said["followers"] == int(data["followers"])
    assert "betweenness" in report.files[0].ignored
    assert not {"@element", "handle", "Bio"} & set(report.files[0].ignored)
    assert [one.created for one in looked.files] == [one.created for one in report.files]
    version = graph_version(store)
    again = load(path, network="x")
    assert [(one.created, one.updated) for one in again.files] == [(0, 0), (0, 0)]
    assert graph_version(store) == version


@pytest.mark.parametrize("ending", WRITERS)
def test_undirected_edges_are_two_follows_and_reverse_turns_round(
    store: Store, load: Load, tmp_path: Path, ending: str
) -> None:
    graph = some_graph(nx.Graph, seed=2)
    path = tmp_path / f"graph.{ending}"
    WRITERS[ending](graph, path)
    report = load(path)
    said = {(f"local:{a}", f"local:{b}"): (d["weight"], ms(d["at"])) for a, b, d in graph.edges(data=True)}
    both = said | {(b, a): value for (a, b), value in said.items()}
    assert edges(store) == both
    assert "150 of the edges have no direction: each is two follows" in report.description
    assert report.files[1].lines == 300
    clear(store)
    directed = nx.DiGraph(graph)
    WRITERS[ending](directed, path)
    load(path, reverse=True)
    assert edges(store) == {
        (f"local:{b}", f"local:{a}"): (d["weight"], ms(d["at"])) for a, b, d in directed.edges(data=True)
    }


@pytest.mark.parametrize("ending", WRITERS)
def test_of_parallel_edges_the_greater_time_and_weight_stands(
    store: Store, load: Load, tmp_path: Path, ending: str
) -> None:
    graph = some_graph(nx.MultiDiGraph, seed=3, nodes=12, ties=200)
    path = tmp_path / f"graph.{ending}"
    WRITERS[ending](graph, path)
    report = load(path)
    expected: dict[tuple[str, str], tuple[int, float]] = {}
    for a, b, data in graph.edges(data=True):
        pair, said = (f"local:{a}", f"local:{b}"), (ms(data["at"]), data["weight"])
        expected[pair] = max(expected.get(pair, said), said)
    assert edges(store) == {pair: (weight, at) for pair, (at, weight) in expected.items()}
    assert report.files[1].lines == 200


def test_gzip_and_what_it_may_expand_to(store: Store, load: Load, tmp_path: Path) -> None:
    for ending, write in WRITERS.items():
        clear(store)
        graph = some_graph(nx.DiGraph, seed=4)
        plain = tmp_path / f"graph.{ending}"
        write(graph, plain)
        packed = tmp_path / f"packed-{ending}"  # known by its beginning
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        with pytest.raises(ExpandsTooFar):
            load(packed, most_expanded=1_000)
        assert graph_version(store) == 0
        load(packed)
        assert len(edges(store)) == graph.number_of_edges()


def test_an_export_that_says_so_has_whole_keys(store: Store, load: Load, tmp_path: Path) -> None:
    graph = nx.DiGraph([("m:1", "m:2"), ("m:2", "t:3")], keys=True)
    graph.nodes["m:1"]["opted_out"] = True
    graph.nodes["m:2"]["opted_out"] = False
    marked = tmp_path / "marked.graphml"
    nx.write_graphml(graph, marked)
    report = load(marked)
    assert [one.kind for one in report.files] == ["accounts", "follows", "opt_outs"]
    assert "whole keys" in report.description
    assert edges(store).keys() == {("m:1", "m:2"), ("m:2", "t:3")}
    assert {key: one["opted_out"] for key, one in accounts(store).items()} == {"m:1": True, "m:2": None, "t:3": None}
    assert report.files[2].skipped == {"not opted out": 2}
    with pytest.raises(BadInput, match="leave out --network"):
        load(marked, network="m")
    clear(store)
    nx.write_gexf(graph, marked)
    text = marked.read_text().replace(
        "<graph ", "<meta><description>Entourage: ids are whole keys.</description></meta><graph ", 1
    )
    gexf = tmp_path / "marked.gexf"
    gexf.write_text(text)
    load(gexf)
    assert edges(store).keys() == {("m:1", "m:2"), ("m:2", "t:3")}


def test_elements_that_cannot_be_used_are_named(store: Store, load: Load, tmp_path: Path) -> None:
    path = tmp_path / "some.graphml"
    path.write_text(
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        '<key id="w" for="edge" attr.name="weight" attr.type="double"/><key id="n" for="node" attr.name="Followers"/>\n'
        '<graph edgedefault="directed">\n'
        '<node id="a"/><node/>\n<node id="b"><data key="n">many</data></node>\n'
        '<edge source="a" target="b"/>\n<edge source="a" target="a"/>\n<edge source="a"/>\n'
        '<edge source="b" target="a"><data key="w">-1</data></edge>\n'
        '<edge directed="false" source="c" target="c"/>\n<edge directed="false" source="d"/>\n'
        '<hyperedge><endpoint node="a"/><endpoint node="b"/></hyperedge>\n'
        "</graph></graphml>"
    )
    report = load(path)
    people, ties = report.files
    assert (people.rejected, people.used) == ({"missing_field": 1, "bad_count": 1}, 1)
    assert (ties.rejected, ties.used) == ({"self_loop": 2, "missing_field": 3, "bad_weight": 1}, 1)
    assert people.report is not None
    assert ties.report is not None
    said = [json.loads(line) for one in (people, ties) for line in one.report.read_text().splitlines()]  # type: ignore[union-attr]
    assert [(one["reason"], json.loads(one["text"])["@element"]) for one in said] == [
        ("missing_field", "node 2, line 4"), ("bad_count", "node 3, line 5"), ("self_loop", "edge 2, line 7"),
        ("missing_field", "edge 3, line 8"), ("bad_weight", "edge 4, line 9"), ("self_loop", "edge 5, line 10"),
        ("missing_field", "edge 6, line 11"), ("missing_field", "hyperedge 7, line 12"),
    ]  # fmt: skip
    assert json.loads(said[2]["text"])["@source"] == "a"
    assert edges(store).keys() == {("local:a", "local:b")}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.graphml", f'\n<!DOCTYPE x [{BOMB}]>\n<graphml>&e9;</graphml>', r"Line 2 .*document type"),
        ("a.gexf", '<!DOCTYPE gexf SYSTEM "file:///etc/passwd">\n<gexf/>', r"Line 1 .*document type"),
        ("a.graphml", "<graphml>\n<graph>\n<node id='a'>\n</graph></graphml>", r"Line 4 .*mismatched tag"),
        ("a.gexf", "<gexf>\n<graph>", r"Line 2 .*no element found"),
        ("a.gexf", "<graphml/>", r"outermost tag is <graphml> and not <gexf>"),
        ("a.graphml", "", r"Line 1 .*no element found"),
        ("a.net", "*Vertices 2\n1 a\n2 a\n", r"Line 3 .*label 'a' is that of vertex 1, too"),
        ("a.net", "*Vertices 2\n1 a\n2 b\n*Matrix\n0 1\n1 0\n", r"Line 4 .*\*matrix is not read"),
        ("a.net", "1 2\n", r"Line 1 .*before \*Vertices"),
    ],
)  # fmt: skip
def test_files_that_are_refused_leave_nothing(
    store: Store, load: Load, tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UnreadableFile, match=says):
        load(tmp_path / name)
    assert graph_version(store) == 0


def test_a_pipe_is_refused(load: Load) -> None:
    for file_format in ("graphml", "nodexl"):
        with pytest.raises(UnreadableFile, match="save it to a file"):
            load(Path("-"), format=file_format)


def test_nothing_in_it(store: Store, load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text("<graphml><graph/></graphml>")
    with pytest.raises(NothingImported, match=r"nothing to import in .*: 0 nodes and 0 edges"):
        load(tmp_path / "a.graphml")


def test_one_kind_of_a_graph_file_and_options_of_each(store: Store, load: Load, tmp_path: Path) -> None:
    graph = nx.DiGraph()
    graph.add_node("a", label="Lea", Username="lea.m", id="7")
    graph.add_node("b", label="b")
    graph.add_edge("a", "b", strength=4.0, since="2024-03-01", weight=9.0)
    path = tmp_path / "g.graphml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nx.write_graphml(graph, path)
    load(path)
    assert accounts(store)["local:a"]["handle"] == "Lea", "a label is a handle where there is none"
    assert accounts(store)["local:b"]["handle"] is None, "but not where it only repeats the id"
    clear(store)
    load(path, column=("handle=Username", "name=label"), weight="strength", time="since")
    assert (accounts(store)["local:a"]["handle"], accounts(store)["local:a"]["name"]) == ("lea.m", "Lea")
    assert edges(store) == {("local:a", "local:b"): (4.0, ms("2024-03-01T00:00:00Z"))}
    with pytest.raises(UnreadableFile, match="no column 'wucht'; its columns are: @source, @target"):
        load(path, weight="wucht")
    clear(store)
    for wrong, error, says in (
        (
            {"weight": "wucht"},
            UnreadableFile,
            r"no column 'wucht'; its columns are: @source, @target, strength, since, weight\.",
        ),
        ({"column": ("handle=Nick",)}, UnreadableFile, "no column 'Nick'; its columns are: @id"),
        ({"column": ("account=Username",)}, BadInput, "leave account out of columns and values"),
        ({"set": ("network=t",)}, BadInput, "leave network out of columns and values"),
        ({"column": ("network=Username",)}, BadInput, "leave network out of columns and values"),
        ({"column": ("name=@ID",)}, UnreadableFile, "column @id of .* says which account it is"),
    ):
        with pytest.raises(error, match=says):
            load(path, **wrong)
        assert graph_version(store) == 0
    assert parts_of_file(path, ImportOptions(kind="follows"), None) is None
    file = file_to_import(path, ImportOptions(kind="follows"))
    assert file is not None
    import_file(store.address, file, tmp_path, no_progress)
    assert edges(store) == {("local:a", "local:b"): (9.0, None)}
    with pytest.raises(BadInput, match="says itself who follows whom"):
        load(path, follower="a")
    with pytest.raises(BadInput, match="once for each, with kind one of accounts, follows, opt_outs"):
        file_to_import(path, ImportOptions(format="gexf"), str, name="x")


def test_accounts_and_follows_of_one_file_are_about_the_same_accounts(store: Store, load: Load, tmp_path: Path) -> None:
    path = tmp_path / "g.graphml"
    nodes = "".join(
        f'<node id="{one}"><data key="network">mastodon</data><data key="account">other</data></node>' for one in "ab"
    )
    path.write_text(f'<graphml><graph edgedefault="directed">{nodes}<edge source="a" target="b"/></graph></graphml>')
    report = load(path, network="twitter")
    assert accounts(store).keys() == {"twitter:a", "twitter:b"}
    assert edges(store).keys() == {("twitter:a", "twitter:b")}
    assert report.files[0].ignored == ("network", "account")
    listed = {"file": "g.graphml", "kind": "accounts", "format": "graphml", "values": {"network": "x"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"entourage_import": 1, "files": [listed]}))
    with pytest.raises(BadInput, match="leave network out of columns and values"):
        import_folder(store.address, tmp_path, tmp_path / "imports", no_progress)


def test_options_that_no_part_takes_are_refused(store: Store, load: Load, tmp_path: Path) -> None:
    ties, people = tmp_path / "ties.graphml", tmp_path / "people.graphml"
    default = '<key id="opted_out" for="node"><default>true</default></key>'
    ties.write_text(f'<graphml>{default}<graph edgedefault="directed"><edge source="a" target="b"/></graph></graphml>')
    people.write_text('<graphml><graph><node id="a"><data key="x">1</data></node></graph></graphml>')
    for path, options in (
        (ties, {"column": ("name=x",)}), (ties, {"as_of": "2024-01-01"}), (people, {"weight": "x"}),
        (people, {"reverse": True}),
    ):  # fmt: skip
        name = next(iter(options)).replace("_", "-")
        with pytest.raises(BadInput, match=f"--{name} cannot be said of this file, which holds only"):
            load(path, **options)
    assert graph_version(store) == 0
    assert [one.kind for one in load(ties).files] == ["follows"]


def test_a_label_that_can_be_no_handle_is_left_out(store: Store, load: Load, tmp_path: Path) -> None:
    path = tmp_path / "g.graphml"
    keys = '<key id="l" for="node" attr.name="label"/><key id="n" for="node" attr.name="name"/>'
    nodes = "".join(
        f'<node id="{i}"><data key="l">{label}</data><data key="n">n{i}</data></node>'
        for i, label in enumerate(["lea", "two\nlines", "@", "x" * 300])
    )
    path.write_text(f"<graphml>{keys}<graph>{nodes}</graph></graphml>")
    report = load(path)
    assert (report.files[0].used, report.files[0].rejected) == (4, {})
    found = accounts(store)
    assert [found[f"local:{i}"]["handle"] for i in range(4)] == ["lea", None, None, None]
    assert [found[f"local:{i}"]["name"] for i in range(4)] == ["n0", "n1", "n2", "n3"]
    # Capitals of the column do not matter: the label is the name here, and no handle.
    clear(store)
    load(path, column=("name=Label",))
    assert [(found["handle"], found["name"]) for found in accounts(store).values()][:1] == [(None, "lea")]


def test_the_same_graph_in_every_format_is_the_same(store: Store, load: Load, tmp_path: Path) -> None:
    graph = some_graph(nx.DiGraph, seed=5)
    dumps = []
    for ending, write in WRITERS.items():
        clear(store)
        path = tmp_path / f"same.{ending}"
        write(graph, path)
        load(path, as_of="2024-01-01")
        dumps.append(dump(store))
    assert dumps[0] == dumps[1] == dumps[2]


def test_the_first_load_reads_what_batches_read(tmp_path: Path) -> None:
    graph = some_graph(nx.Graph, seed=6)
    path = tmp_path / "g.gexf"
    nx.write_gexf(graph, path)
    file = FollowFile(path, format="gexf")
    with open_follows(file, print) as reader:
        plain = [(one.follower, one.followee, one.weight, one.at) for one in reader]
    numbers = AccountNumbers()
    with open_follow_arrays(file, print) as arrays:
        [part] = arrays.parts(numbers)
    keys = [one for pair in plain for one in pair[:2]]
    number = {key: numbers.number(key) for key in keys}
    assert [(number[a], number[b], weight, at) for a, b, weight, at in plain] == list(
        zip(part.source.tolist(), part.target.tolist(), part.weight.tolist(), part.at.tolist(), strict=True)
    )
    assert len(plain) == 2 * graph.number_of_edges()


def test_a_folder_lists_each_kind_of_a_graph_file(store: Store, tmp_path: Path) -> None:
    graph = some_graph(nx.DiGraph, seed=7)
    nx.write_graphml(graph, tmp_path / "g.xml")
    files = [{"file": "g.xml", "kind": kind, "format": "graphml"} for kind in ("follows", "accounts")]
    (tmp_path / "manifest.json").write_text(json.dumps({"entourage_import": 1, "network": "y", "files": files}))
    report = import_folder(store.address, tmp_path, tmp_path / "imports", no_progress)
    assert [(one.kind, one.used) for one in report.files] == [("accounts", 40), ("follows", 150)]
    assert edges(store).keys() == {(f"y:{a}", f"y:{b}") for a, b in graph.edges}


def test_the_commands(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", store.address.uri)
    monkeypatch.setenv("ENTOURAGE_NEO4J_PASSWORD", store.address.password.get_secret_value())
    graph = nx.Graph([("a", "b"), ("b", "b")])
    nx.write_gexf(graph, tmp_path / "g.gexf")
    done = CliRunner().invoke(command, ["import", str(tmp_path / "g.gexf"), "--check"])
    assert "each is two follows" in " ".join(done.stdout.split())
    assert "Nothing was written." in done.stdout
    assert graph_version(store) == 0
    done = CliRunner().invoke(command, ["import", str(tmp_path / "g.gexf"), "--json"])
    assert done.exit_code == 10, done.output
    assert [one["rejected"] for one in json.loads(done.stdout)["files"]] == [{}, {"self_loop": 1}]
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        f'[neo4j]\nuri = "{store.address.uri}"\nuser = "{store.address.user}"\n'
        'password_env = "ENTOURAGE_NEO4J_PASSWORD"\n[[lines]]\nkind = "follows"\nrelationship = "FOLLOWS"\n'
        'fields = { follower = "end.native_id", followee = "start.native_id" }\nnetwork = "turned"\n'
    )
    done = CliRunner().invoke(command, ["import-neo4j", str(mapping)])
    assert done.exit_code == 0, done.output
    assert "From Neo4j: 2 rows of lines.1 (follows)." in " ".join(done.stdout.split())
    assert ("turned:a", "turned:b") in edges(store)


def test_sheets_of_nodexl_are_follows_interactions_and_accounts(store: Store, load: Load, tmp_path: Path) -> None:
    sheet = tmp_path / "edges.csv"
    sheet.write_text(
        ",,Visual,,,\nVertex 1,Vertex 2,Width,Relationship,Relationship Date (UTC),Tweet\n"
        "lea,tom,1,Followed,2024-03-01 10:00:00,\nlea,kim,1,Followed,,\n"
        'lea,tom,1,Mentions,2024-03-02 10:00:00,"Hello @tom,\nall well?"\n'
        "lea,tom,1,Mentions,2024-03-02 11:00:00,Hello @tom again\n"
        "kim,lea,1,Replies to,2024-03-02 12:00:00,yes\nkim,lea,1,Retweet,3/2/2024 12:00,no\n"
        "lea,lea,1,Tweet,2024-03-02 13:00:00,morning\n"
    )
    report = load(sheet, network="twitter")
    ties, events = report.files
    assert (ties.kind, ties.used, ties.skipped) == ("follows", 2, {"interactions": 4, "relationship 'Tweet'": 1})
    assert (events.kind, events.used, events.rejected) == ("interactions", 3, {"bad_time": 1})
    assert events.skipped == {"follows": 2, "relationship 'Tweet'": 1}
    assert "Tweet" in ties.ignored
    assert edges(store) == {("twitter:lea", "twitter:tom"): (1.0, None), ("twitter:lea", "twitter:kim"): (1.0, None)}
    rows = store.statement(
        "MATCH (a)-[e:ENGAGED]->(b) RETURN a.native_id AS a, b.native_id AS b, e.mentions AS mentions, "
        "e.replies AS replies, toString(e.day) AS day ORDER BY a"
    )
    assert [(row["a"], row["b"], row["mentions"], row["replies"], row["day"]) for row in rows] == [
        ("kim", "lea", 0, 1, "2024-03-02"), ("lea", "tom", 2, 0, "2024-03-02"),
    ]  # fmt: skip
    version = graph_version(store)
    assert [(one.created, one.updated) for one in load(sheet, network="twitter").files] == [(0, 0), (0, 0)]
    assert graph_version(store) == version
    people = tmp_path / "vertices.csv"
    people.write_text(
        "Vertex,Color,Followed,Followers,Tweets,Description,Location,Joined Twitter Date (UTC)\n"
        "lea,red,10,812,5,Bread and bikes,Lyon,2019-01-02 03:04:05\n"
    )
    report = load(people, network="twitter", column=("created_at=Joined Twitter Date (UTC)",))
    assert report.files[0].kind == "accounts"
    [row] = store.statement("MATCH (a:Account {key: 'twitter:lea'}) RETURN a.bio AS bio, a.location AS place, "
                            "a.followers AS followers, toString(a.created_at) AS at")  # fmt: skip
    assert (row["bio"], row["place"], row["followers"]) == ("Bread and bikes", "Lyon", 812)
    assert row["at"] == "2019-01-02T03:04:05Z"
