"""Stances that nobody stated are read from the texts of posts when a graph is read; what was stated stands."""

from __future__ import annotations

from pathlib import Path

from service.domain import STANCE_UNKNOWN, Graph, no_progress
from service.flows.snapshots import read_graph
from service.store.driver import Store

POSTS = """
    MERGE (g:Graph {id: 1}) SET g.v = 1, g.n = 1
    CREATE (a:Account {key: 't:a', n: 1, v: 1}), (b:Brand {key: 'velora', name: 'Velora Cycles', v: 1})
    WITH a, b
    UNWIND $posts AS post
    CREATE (a)-[:POSTED]->(p:Post {key: post.key, at: datetime('2026-01-01T00:00:00Z'), v: 1})-[m:MENTIONS {v: 1}]->(b)
    SET p.text = post.text, p.lang = post.lang, m.stance = post.stance
"""


def said(graph: Graph) -> dict[str, tuple[int, bool]]:
    stances, read = graph.mention_stance.tolist(), graph.mention_read.tolist()
    return dict(zip(graph.mention_post, zip(stances, read, strict=True), strict=True))


def test_stances_are_read_where_nobody_stated_them(store: Store, tmp_path: Path) -> None:
    posts = [
        {"key": "t:1", "text": "I love my Velora Cycles bike", "lang": "en", "stance": None},
        {"key": "t:2", "text": "Velora Cycles, c'est nul", "lang": "fr-FR", "stance": None},
        {"key": "t:3", "text": "I love my Velora Cycles bike", "lang": None, "stance": -1},
        {"key": "t:4", "text": "I love my Velora Cycles bike", "lang": "de", "stance": None},
        {"key": "t:5", "text": None, "lang": "en", "stance": None},
        {"key": "t:6", "text": "Great, the Velora Cycles bike is broken", "lang": None, "stance": None},
        {"key": "t:7", "text": "velora is the best", "lang": None, "stance": None},
    ]
    store.statement(POSTS, posts=posts)
    expected = {
        "t:1": (1, True),
        "t:2": (-1, True),
        "t:3": (-1, False),
        "t:4": (STANCE_UNKNOWN, False),
        "t:5": (STANCE_UNKNOWN, False),
        "t:6": (STANCE_UNKNOWN, False),
        "t:7": (1, True),
    }
    assert said(read_graph(store, tmp_path, no_progress)) == expected
    assert said(read_graph(store, tmp_path, no_progress)) == expected, "as it was kept"
    # Somebody states one, and another post comes: the kept graph is caught up.
    store.statement(
        "MATCH (g:Graph {id: 1}) SET g.v = 2 WITH g MATCH (p:Post {key: 't:1'})-[m:MENTIONS]->(:Brand) "
        "SET m.stance = 0, m.v = 2, p.v = 2"
    )
    assert said(read_graph(store, tmp_path, no_progress)) == {**expected, "t:1": (0, False)}
