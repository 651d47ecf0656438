"""Posts by day, mentions of brands, own accounts and first uses of topics in the arrays of a graph."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.graph import build_graph, columns_of, subgraph
from service.domain import DAY_MS, Graph
from service.errors import RunFailed
from tests.unit.analytics_graphs import assert_equal, columns, laws, make_graph

NAMES = [f"x:{i}" for i in range(5)]
BRANDS = ["bee", "é", "owl"]
account = st.sampled_from(NAMES)
times = st.sampled_from([None, -5, 3 * DAY_MS, 9 * DAY_MS + 1])


@st.composite
def spoken(draw: st.DrawFn) -> dict[str, Any]:
    """What five accounts post, mention and own."""
    counts = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)).map(
        lambda one: (1 + sum(one), one[1], one[2])
    )
    days = draw(st.dictionaries(st.tuples(account, st.integers(-2, 9)), counts, max_size=8))
    said = draw(
        st.dictionaries(
            st.tuples(account, st.sampled_from(BRANDS), st.sampled_from(["x:p1", "x:p2", "x:é"])),
            st.tuples(times, st.sampled_from([None, -1, 0, 1]), st.sampled_from([None, True, False]), st.booleans()),
            max_size=8,
        )
    )
    topics = draw(
        st.dictionaries(
            st.tuples(account, st.sampled_from(["a", "b"])),
            st.tuples(st.integers(1, 9), st.integers(-1, 99)),
            max_size=6,
        )
    )
    return {
        "postings": [(who, day, counts) for (who, day), counts in days.items()],
        "mentions": [(*key, *value) for key, value in said.items()],
        "own": sorted(draw(st.sets(st.tuples(account, st.sampled_from(BRANDS)), max_size=4))),
        "topics": [(*key, *value) for key, value in topics.items()],
        "brands": dict.fromkeys(BRANDS),
    }


def held(graph: Graph) -> dict[str, list[Any]]:
    """The same as the arrays hold it, by plain loops, sorted."""
    found: dict[str, list[Any]] = {"postings": [], "mentions": [], "topics": []}
    for i, key in enumerate(graph.keys):
        for e in range(int(graph.posted_ptr[i]), int(graph.posted_ptr[i + 1])):
            found["postings"].append((key, int(graph.posted_day[e]), tuple(graph.posted_counts[e].tolist())))
        for e in range(int(graph.mention_ptr[i]), int(graph.mention_ptr[i + 1])):
            at, stance, paid = (int(one[e]) for one in (graph.mention_at, graph.mention_stance, graph.mention_paid))
            found["mentions"].append(
                (
                    key, graph.brand_keys[int(graph.mention_brand[e])], graph.mention_post[e],
                    None if at == -1 else at,
                    None if stance == 9 else stance, None if paid == -1 else bool(paid),
                    bool(graph.mention_answered[e]),
                )
            )  # fmt: skip
        for e in range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1])):
            topic = graph.topic_names[int(graph.topic_idx[e])]
            found["topics"].append((key, topic, int(graph.topic_posts[e]), int(graph.topic_first[e])))
    pairs = zip(graph.own_account.tolist(), graph.own_brand.tolist(), strict=True)
    found["own"] = [(graph.keys[i], graph.brand_keys[b]) for i, b in pairs]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def told(said: dict[str, Any], members: list[str] = NAMES) -> dict[str, list[Any]]:
    names = ("postings", "mentions", "topics", "own")
    return {name: sorted((row for row in said[name] if row[0] in members), key=repr) for name in names}


@laws
@given(spoken(), st.integers(0, 99), st.sets(st.integers(0, 4)))
def test_arrays_hold_what_was_said_in_any_order_and_so_do_parts(
    said: dict[str, Any], shuffle: int, chosen: set[int]
) -> None:
    graph = make_graph([], NAMES, **said)
    assert held(graph) == told(said)
    shuffled = make_graph([], NAMES, **said, shuffle=shuffle)
    assert_equal(dataclasses.replace(shuffled, number=graph.number), graph)
    assert_equal(build_graph(columns_of(graph)), graph)
    own = {account for account, _ in said["own"]}
    assert graph.brand_account.tolist() == [name in own for name in NAMES]
    members = sorted(chosen)
    part = subgraph(graph, np.array(members, dtype=np.int32))
    assert held(part) == told(said, [NAMES[i] for i in members])
    assert part.brand_keys == graph.brand_keys
    days = [day for _, day, _ in said["postings"]]
    assert graph.as_of == (max(days) * DAY_MS if days else None)


def changed(**columns_: Any) -> Any:
    """Columns of a small graph, some of them replaced: `name={field: values}`."""
    snapshot = columns(
        [], NAMES, own=[("x:0", "bee")], topics=[("x:0", "a", 2, 5)],
        postings=[("x:0", 3, (2, 1, 0)), ("x:1", 3, (1, 0, 0))],
        mentions=[("x:0", "bee", "x:p", 7, 1, None, False), ("x:1", "bee", "x:p", 7, 1, None, False)],
    )  # fmt: skip
    for name, fields in columns_.items():
        snapshot = dataclasses.replace(snapshot, **{name: dataclasses.replace(getattr(snapshot, name), **fields)})
    return snapshot


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"postings": {"account": np.array([1, 99])}}, "account number 99"),
        ({"postings": {"account": np.array([1, 1])}}, "x:0 on one day were read twice"),
        ({"postings": {"counts": np.array([[2, 1, 0], [0, 0, 0]])}}, "number of posts"),
        ({"postings": {"counts": np.array([[2, 1, 0], [1, 2, 0]])}}, "fewer posts than"),
        ({"mentions": {"account": np.array([1, 99])}}, "account number 99"),
        ({"mentions": {"account": np.array([1, 1])}}, "mentions brand bee twice"),
        ({"mentions": {"brand": ["bee", "wasp"]}}, "brand wasp"),
        ({"mentions": {"stance": np.array([1, 2], dtype=np.int8)}}, "stance"),
        ({"mentions": {"paid": np.array([1, 2], dtype=np.int8)}}, "x:p"),
        ({"mentions": {"at": np.array([7, 10**15])}}, "years 1 to 9999"),
        ({"brands": {"own": np.array([99])}}, "account number 99"),
        ({"brands": {"own_brand": ["wasp"]}}, "brand wasp"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    build_graph(changed())
    with pytest.raises(RunFailed, match=says):
        build_graph(changed(**wrong))
