"""What a notebook asks of the graph: dtypes, candidates, arrays, measures of its own, and pictures of all of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from service.domain import StoreAddress
from service.errors import (
    AccountNotFound,
    EntourageError,
    InvalidRequest,
    NothingPublished,
    OwnMeasureNotFound,
    QueryNotFound,
    StoreRefused,
    StoreTimedOut,
)
from service.flows.access_request import account_data
from service.flows.explore import ask, explore_queries
from service.flows.own_measures import forget_own_measure
from service.notebook import Connection, community_flows, community_map, ego_network, score_parts
from service.notebook.frames import DTYPES
from service.store import own_measures
from service.store.driver import Store
from tests.conftest import clear
from tests.store.query_page import fill_with_sample


@pytest.fixture(scope="module")
def graph(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with Store(store_address) as store:
        clear(store)
        fill_with_sample(store_address, tmp_path_factory.mktemp("sample"))
        forget_own_measure(store_address, "effective_size")
        store.statement(  # as docs say that it is done by hand
            "MATCH (g:Graph {id: 1}) SET g.v = g.v + 1, g.masks_v = coalesce(g.masks_v, 0) + 1 WITH g "
            "MATCH (a:Account)-[m:MEMBER_OF {primary: true}]->() WHERE m.rank IN [2, 9] "
            "SET a.opted_out = true, a.v = g.v"
        )
    kept = tmp_path_factory.mktemp("graphs")
    with Connection(store_address, kept=kept, run_timeout_s=600, closing=ExitStack()) as connection:
        yield connection


def test_a_query_is_a_frame_with_the_dtypes_that_it_declares(graph: Connection) -> None:
    for name, query in explore_queries().items():
        if name == "own_measure":
            continue
        rows = ask(graph.address, query, {**query.defaults, **query.examples}, 60).rows
        found = graph.query(name, **query.examples)
        assert list(found.columns) == [one.name for one in query.columns]
        assert len(found) == len(rows)
        for column in query.columns:
            assert str(found[column.name].dtype) == DTYPES.get(column.type, "object")
            for cell, row in zip(found[column.name], rows, strict=True):
                value = row[column.name]
                if value is None:
                    assert pd.isna(cell)
                elif column.type == "DATE":
                    assert cell == pd.Timestamp(value)
                else:
                    assert cell == value


def test_a_query_that_gives_nothing_has_its_columns_all_the_same(graph: Connection) -> None:
    found = graph.query("why_candidate", key="of:nobody")
    assert found.empty
    assert found.dtypes["score"] == np.float64
    assert str(found.dtypes["rank"]) == "Int64"


def test_queries_are_listed(graph: Connection) -> None:
    listed = graph.queries()
    assert list(listed["name"]) == list(explore_queries())
    assert listed.set_index("name").loc["bridges", "parameters"] == "here, there, most=20"


@pytest.mark.parametrize(
    ("ask_it", "error", "says"),
    [
        (lambda graph: graph.query("candidate"), QueryNotFound, "candidates"),
        (lambda graph: graph.query("candidates", eech=3), InvalidRequest, "eech"),
        (lambda graph: graph.query("why_candidate"), InvalidRequest, "key"),
        (lambda graph: graph.cypher("CREATE (a:Account {key: 'x:1'})"), StoreRefused, "read access mode"),
        (lambda graph: graph.cypher("MATCH (a) SET a.key = 'x'"), StoreRefused, "read access mode"),
        (lambda graph: graph.cypher("RETURN 1 AS"), StoreRefused, "SyntaxError"),
        (
            lambda graph: graph.cypher("UNWIND range(1, 10000000000) AS i RETURN sum(i) AS n", timeout_s=0.2),
            StoreTimedOut,
            "longer",
        ),
        (lambda graph: graph.cypher("RETURN 1 AS n", timeout_s=0), InvalidRequest, "time"),
        (lambda graph: graph.query("inventory", timeout_s=-1), InvalidRequest, "time"),
        (lambda graph: graph.cypher("RETURN $n AS n", n={1, 2}), InvalidRequest, "n"),
        (lambda graph: graph.cypher("RETURN $n AS n", n=2**70), InvalidRequest, "n"),
        (lambda graph: graph.analyze(sed=3), InvalidRequest, "sed"),
        (lambda graph: graph.backtest(share=2), InvalidRequest, "share"),
        (lambda graph: graph.candidates(objective="fame"), InvalidRequest, "mass"),
        (lambda graph: graph.candidates("nowhere"), EntourageError, "nowhere"),
        (lambda graph: score_parts(graph.query("communities")), InvalidRequest, r"candidates\(\)"),
        (lambda graph: ego_network(graph, "of:nobody"), AccountNotFound, "of:nobody"),
        (lambda graph: community_map(graph, least=5000), InvalidRequest, "least"),
        (lambda graph: community_flows(graph, before="r-none"), InvalidRequest, "two runs"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do(graph: Connection, ask_it: object, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        ask_it(graph)  # type: ignore[operator]


def test_statements_are_frames_with_dtypes_told_from_values(graph: Connection) -> None:
    found = graph.cypher(
        "UNWIND [1, null, 3] AS i RETURN i AS whole, CASE i WHEN 1 THEN 2 WHEN 3 THEN 0.5 END AS number, "
        "i > 1 AS more, toString(i) AS text, date('2026-05-01') AS day, "
        "datetime('2026-05-01T02:00:00+02:00') AS at, [i] AS items, $given AS given, "
        "localdatetime('2026-05-01T02:00') AS local",
        given=7,
    )
    assert [str(kind) for kind in found.dtypes.drop("text")] == [
        "Int64", "float64", "boolean", "datetime64[s]", "datetime64[us, UTC]", "object", "Int64", "datetime64[us]",
    ]  # fmt: skip
    assert found["local"][0] == pd.Timestamp("2026-05-01T02:00")
    assert found["at"][0] == pd.Timestamp("2026-05-01T00:00:00Z")
    assert found["text"].tolist()[::2] == ["1", "3"]
    nothing = graph.cypher("MATCH (x:Nothing) RETURN x.a AS a, x.b AS b")
    assert nothing.empty
    assert list(nothing.columns) == ["a", "b"]


def test_candidates_are_those_that_the_graph_holds(graph: Connection) -> None:
    community = graph.query("communities")["community"][0]
    asked = graph.candidates(community, each=1000)
    held = graph.cypher(
        "MATCH (current:Current) MATCH (:Run {id: current.run})-[:FOUND]->(c:Community {id: $community}) "
        "MATCH (c)<-[m:MEMBER_OF]-(a:Account) WHERE m.rank IS NOT NULL AND NOT coalesce(a.opted_out, false) "
        "RETURN a.key AS account, m.rank AS rank, m.rank_low AS rank_low, m.rank_high AS rank_high, m.score AS score, "
        "m.trust_points AS trust_points ORDER BY rank",
        community=community,
    )
    assert len(asked) > 10
    for name in ("account", "rank", "rank_low", "rank_high"):
        assert asked[name].tolist() == held[name].tolist()
    assert np.allclose(asked["score"], held["score"])
    assert np.allclose(asked["trust_points"], held["trust_points"])
    parts = [name for name in asked.columns if name.endswith("_points")]
    assert np.allclose(asked[parts].sum(axis=1), asked["score"])
    mixed = graph.candidates(community, weights={"trust": 0.7, "lens.context": 0.3}, each=5)
    assert np.allclose(mixed["trust_points"].fillna(0) + mixed["lens.context_points"].fillna(0), mixed["score"])


def test_candidates_of_all_are_those_of_respectable_communities(graph: Connection) -> None:
    found = graph.query("communities", most=1000).set_index("community")
    largest = graph.candidates(communities=1000, each=1)["community"]
    assert found.loc[largest, "respectable"].all()
    assert len(largest) == found["respectable"].sum() < len(found)
    # One that is named is asked for.
    other = found[~found["respectable"] & (found["candidates"] > 0)].index[0]
    assert set(graph.candidates(other)["community"]) == {other}


def test_the_snapshot_is_the_graph(graph: Connection) -> None:
    follows, arrays = graph.to_networkx(), graph.to_arrays()
    held = graph.cypher("MATCH (a:Account)-[f:FOLLOWS]->(b:Account) RETURN a.key AS a, b.key AS b, f.weight AS weight")
    expected = {(a, b): weight for a, b, weight in held.itertuples(index=False)}
    assert {(a, b): weight for a, b, weight in follows.edges(data="weight")} == expected
    matrix = arrays.matrix().tocoo()
    keys = arrays.keys
    assert keys == sorted(follows)
    assert {(keys[i], keys[j]): w for i, j, w in zip(*matrix.coords, matrix.data, strict=True)} == expected
    out = [key for key, is_out in zip(keys, arrays.opted_out, strict=True) if is_out]
    assert out == [key for key in sorted(follows) if follows.nodes[key]["opted_out"]]
    assert out
    arrays.weight[:] = 0  # a copy: the next one is as it was
    assert graph.to_arrays().weight.min() > 0


def test_a_measure_is_written_replaced_ranked_by_and_taken_back(graph: Connection) -> None:
    rank = nx.pagerank(graph.to_networkx())
    written = graph.write_measure("own_pagerank", pd.Series(rank), meaning="PageRank of follows")
    assert written.accounts == len(rank)
    held = graph.cypher(
        "MATCH (a:Account)-[v:MEASURED]->(m:OwnMeasure {name: 'own_pagerank'}) "
        "RETURN a.key AS key, v.value AS value, m.meaning AS meaning, m.graph_version AS version"
    )
    assert dict(zip(held["key"], held["value"], strict=True)) == rank
    assert set(held["meaning"]) == {"PageRank of follows"}
    assert set(held["version"]) == {graph.snapshot().version} == {graph.to_networkx().graph["version"]}

    some = dict(list(rank.items())[:10])
    graph.write_measure("own_pagerank", some, meaning="of ten")
    listed = graph.own_measures()
    assert listed[["name", "meaning", "accounts"]].to_numpy().tolist() == [["own_pagerank", "of ten", 10]]

    # Nothing of one that cannot be written is left, and what was there stays.
    for values in (
        {**some, "of:nobody": 1.0},
        {**some, "sample:u000001": math.nan},
        {},
        {"sample:u000001": "much"},
        {5: 1.0},
        pd.Series([1.0, 2.0], index=["sample:u000001", "sample:u000001"]),
    ):
        with pytest.raises((AccountNotFound, InvalidRequest)):
            graph.write_measure("own_pagerank", values, meaning="broken")  # type: ignore[arg-type]
    for name, meaning in (("Own PageRank", "broken"), (5, "broken"), ("own_pagerank", ""), ("own_pagerank", None)):
        with pytest.raises(InvalidRequest):
            graph.write_measure(name, some, meaning=meaning)  # type: ignore[arg-type]
    assert graph.own_measures().equals(listed)
    assert graph.cypher("MATCH (m:OwnMeasure) RETURN count(m) AS n")["n"][0] == 1

    key = next(iter(some))
    data = json.loads(b"".join(account_data(graph.address, key, None)))
    assert [(one["measure"], one["meaning"], one["value"]) for one in data["measured"]] == [
        ("own_pagerank", "of ten", some[key])
    ]

    graph.remove_measure("own_pagerank")
    assert graph.own_measures().empty
    assert graph.own_measures()["name"].tolist() == []
    assert graph.cypher("MATCH (m:OwnMeasure) RETURN count(m) AS n")["n"][0] == 0
    with pytest.raises(OwnMeasureNotFound, match="own_pagerank"):
        graph.remove_measure("own_pagerank")
    assert graph.query("own_measure", measure="own_pagerank").empty


def test_a_measure_is_seen_whole_or_not_at_all(graph: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written in several transactions, and looked at between any two of them; one that dies half-way leaves nothing."""
    monkeypatch.setattr(own_measures, "VALUES_AT_ONCE", 100)
    keys = graph.to_arrays().keys
    graph.write_measure("slow", dict.fromkeys(keys, 1.0), meaning="ones")
    seen: set[tuple[float, ...]] = set()
    write = Store.write

    def looking(store: Store, name: str, /, **parameters: object) -> list[dict[str, object]]:
        rows = write(store, name, **parameters)
        found = graph.cypher(
            "MATCH (m:OwnMeasure {name: 'slow'})<-[v:MEASURED]-() "
            "RETURN count(v) AS n, min(v.value) AS a, max(v.value) AS b"
        )
        seen.add(tuple(found.iloc[0]))
        seen.add(tuple(graph.own_measures()["accounts"]))
        return rows

    monkeypatch.setattr(Store, "write", looking)
    graph.write_measure("slow", dict.fromkeys(keys, 2.0), meaning="twos")
    assert seen == {(len(keys), 1.0, 1.0), (len(keys), 2.0, 2.0), (len(keys),)}

    def dying(store: Store, name: str, /, **parameters: object) -> list[dict[str, object]]:
        if name == "own_measures/finish":
            raise KeyboardInterrupt
        return write(store, name, **parameters)

    monkeypatch.setattr(Store, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        graph.write_measure("slow", dict.fromkeys(keys, 3.0), meaning="threes")
    monkeypatch.setattr(Store, "write", write)
    assert graph.own_measures()["meaning"].tolist() == ["twos"]
    assert graph.cypher("MATCH (m:OwnMeasure) RETURN count(m) AS n")["n"][0] == 1

    # One that was killed is swept away by a later one, after a day.
    with Store(graph.address) as store:
        store.write("own_measures/begin", name="slow 1", meaning="killed", graph_version=1)
        store.statement("MATCH (m:OwnMeasure {name: 'slow 1'}) SET m.written_at = datetime() - duration({days: 2})")
    assert graph.own_measures()["meaning"].tolist() == ["twos"]
    graph.write_measure("slow", dict.fromkeys(keys[:1], 4.0), meaning="one")
    assert graph.cypher("MATCH (m:OwnMeasure) RETURN count(m) AS n")["n"][0] == 1
    graph.remove_measure("slow")


# --- pictures ---------------------------------------------------------------------------------------------


def texts(picture: object) -> list[str]:
    return [one.get_text() for one in picture.axes.texts]  # type: ignore[attr-defined]


def test_the_map_shows_communities_as_large_as_they_are(graph: Connection) -> None:
    found = graph.query("communities", most=1000)
    drawn = found[found["size"] >= 5]
    picture = community_map(graph)
    rims = [one for one in picture.axes.patches if one.get_alpha() is None]
    assert np.allclose(sorted(one.radius**2 for one in rims), sorted(drawn["size"]))
    labels = texts(picture)
    for row in drawn.itertuples():
        assert any(f"{row.size:,} accounts" in label and ", ".join(row.topics[:2]) in label for label in labels)
    dots = {len(one.get_offsets()) for one in picture.axes.collections}
    assert {int(row.candidates) for row in drawn.itertuples()} <= dots
    assert community_map(graph)._repr_png_() == picture._repr_png_()


def test_texts_are_shown_as_they_are(graph: Connection) -> None:
    """What stands between two $ is no formula."""
    with Store(graph.address) as store:
        store.statement("MATCH (c:Community) SET c.kept = c.topics, c.topics = ['$aapl_{', '$tsla']")
    try:
        picture = community_map(graph)
        assert any("aapl_{" in text for text in texts(picture))
        assert picture._repr_png_().startswith(b"\x89PNG")
        key = graph.query("candidates", each=1)["account"][0]
        assert ego_network(graph, key)._repr_png_().startswith(b"\x89PNG")
    finally:
        with Store(graph.address) as store:
            store.statement("MATCH (c:Community) SET c.topics = c.kept REMOVE c.kept")


def test_an_ego_network_shows_who_is_around(graph: Connection) -> None:
    key = graph.query("candidates", each=1)["account"][0]
    ties = graph.query("neighbourhood", key=key, most=12)
    handles = {*ties["source_handle"], *ties["target_handle"]}
    picture = ego_network(graph, key, most=12)
    assert {f"@{handle}" for handle in handles} <= set(texts(picture))
    pairs = {frozenset(pair) for pair in zip(ties["source"], ties["target"], strict=True)}
    assert len(picture.axes.lines) == len(pairs)


def test_bars_of_parts_add_up_to_scores(graph: Connection, tmp_path: Path) -> None:
    candidates = graph.candidates(each=6, communities=1)
    picture = score_parts(candidates)
    ends: dict[float, float] = {}
    for bar in picture.axes.patches:
        middle = round(bar.get_y() + bar.get_height() / 2)
        ends[middle] = max(ends.get(middle, 0.0), bar.get_x() + bar.get_width())
    assert np.allclose([ends[at] for at in sorted(ends)], candidates["score"])
    for ending, mark in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        picture.save(tmp_path / f"parts.{ending}")
        assert (tmp_path / f"parts.{ending}").read_bytes().startswith(mark)
    with pytest.raises(InvalidRequest, match="cannot be written"):
        picture.save(tmp_path / "parts.docx")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        picture.save(tmp_path / "nowhere" / "parts.png")


def test_flows_between_runs_keep_every_account(graph: Connection) -> None:
    served = graph.served()
    finer = graph.analyze(start="cold", rules={"resolutions": [4.0], "confidence_seeds": 0, "rewirings": 0})
    assert graph.served() == served
    moves = graph.query("moves", before=served, after=finer)
    picture = community_flows(graph, served, finer, least=1)
    high: dict[bool, float] = {}
    for bar in picture.axes.patches:
        right = bar.get_x() > 0.5
        high[right] = high.get(right, 0.0) + bar.get_height()
    assert high == {False: moves["accounts"].sum(), True: moves["accounts"].sum()}
    assert len(picture.axes.collections) == len(moves)


def test_an_empty_graph_says_so(store_address: StoreAddress, tmp_path: Path) -> None:
    with Store(store_address) as store:
        clear(store)
    graph = Connection(store_address, kept=tmp_path, run_timeout_s=60, closing=ExitStack())
    assert graph.query("communities").empty
    assert graph.queries().shape[0] > 30
    for draw in (community_map, community_flows, lambda graph: ego_network(graph, "t:a"), Connection.served):
        with pytest.raises(NothingPublished):
            draw(graph)
    with pytest.raises(EntourageError):
        graph.candidates()
    with pytest.raises(EntourageError):
        graph.analyze()
