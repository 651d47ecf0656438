"""From raw values to scores: percentiles, types, points and ranks."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.activity import activity
from service.analytics.scoring import (
    MACRO,
    MEMBER,
    MICRO,
    by_part,
    exponential_scores,
    gates_of,
    macro_rule,
    macros_of,
    points_of,
    require_weights,
    score_community,
    score_table,
    share_of,
    weights_in_force,
    why_no_candidates,
)
from service.domain import MILLION, PART_NAMES, CommunityScores, Graph, PartWeights, ScoringRules
from service.errors import InvalidRequest
from tests.unit.analytics_graphs import follows, laws, make_graph
from tests.unit.plain_scores import plain_x

RULES = ScoringRules()
AUTHORITY, REACH, RESONANCE, TRUST, RELEVANCE, AFFINITY = range(6)


# --- x -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "percentiles"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0.125, 0.375, 0.625, 0.875]),
        ([4.0, 1.0, 4.0, 2.0], [0.75, 0.125, 0.75, 0.375]),
        ([0.0, 0.0, 5.0, 1.0], [0.0, 0.0, 0.875, 0.625]),
        ([7.0], [0.5]),
        ([0.0], [0.0]),
        ([], []),
    ],
)
def test_x_by_hand(raw: list[float], percentiles: list[float]) -> None:
    expected = [-math.log(1 - p) / math.log(2 * len(raw)) for p in percentiles]
    assert exponential_scores(np.array(raw)).tolist() == pytest.approx(expected, abs=1e-9)


@laws
@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 3.0]), min_size=1, max_size=15))
def test_x_is_of_mid_ranks(raw: list[float]) -> None:
    for value, x in zip(raw, exponential_scores(np.array(raw)).tolist(), strict=True):
        assert x == pytest.approx(plain_x(value, raw), abs=1e-9)


def test_each_halving_of_those_ahead_is_one_step() -> None:
    """Alone at the top is 1; p = 1 − 2⁻ᵏ is k steps."""
    x = exponential_scores(np.arange(1.0, 65.0))
    assert x[-1] == 1.0
    table = score_table(64)
    assert [float(table[int(128 * (1 - 2.0**-k))]) for k in range(1, 7)] == pytest.approx([k / 7 for k in range(1, 7)])
    assert np.all(np.diff(table[:-1]) > 0)


@pytest.mark.parametrize(
    ("share", "count", "expected"),
    [(0.15, 100, 15), (0.15, 101, 16), (0.15, 1, 1), (0.07, 100, 7), (0.005, 475, 3), (0.0, 9, 0), (1.0, 9, 9)],
)
def test_shares_round_up(share: float, count: int, expected: int) -> None:
    assert share_of(share, count) == expected


# --- weights -----------------------------------------------------------------------------------------------


def test_weights_of_null_parts_are_shared_out() -> None:
    weights = weights_in_force(by_part(RULES.weights), ["resonance", "relevance", "affinity"])
    assert weights == pytest.approx(
        {"authority": 0.2 / 0.55, "reach": 0.15 / 0.55, "trust": 0.2 / 0.55,
         "resonance": 0, "relevance": 0, "affinity": 0}
    )  # fmt: skip
    assert sum(weights.values()) == pytest.approx(1)
    assert weights_in_force(by_part(RULES.weights), []) == pytest.approx(RULES.weights.model_dump())
    only = PartWeights(authority=0, reach=0, trust=0, resonance=0.5, relevance=0.25, affinity=0.25)
    assert set(weights_in_force(by_part(only), ["resonance", "relevance", "affinity"]).values()) == {0}
    require_weights(ScoringRules(weights=only))
    with pytest.raises(InvalidRequest, match="names no brand"):
        require_weights(
            ScoringRules(weights=PartWeights(authority=0, reach=0, trust=0, resonance=0, relevance=0, affinity=1))
        )


# --- macro -------------------------------------------------------------------------------------------------


def star(leaves: int, hub: str = "a:hub", **more: object) -> Graph:
    network = hub.split(":")[0]
    return make_graph([(f"{network}:leaf{i:03}", hub, 1.0) for i in range(leaves)], **more)


def macros(graph: Graph, rules: ScoringRules = RULES, members: list[str] | None = None) -> set[str]:
    chosen = [i for i, key in enumerate(graph.keys) if members is None or key in members]
    found = macros_of(macro_rule(graph, rules), np.array(chosen, dtype=np.int32), rules)
    return {graph.keys[i] for i, is_macro in zip(chosen, found.tolist(), strict=True) if is_macro}


def test_macro_by_in_degree_stands_out_in_network_and_community() -> None:
    assert macros(star(20)) == {"a:hub"}  # a median of 0 counts as 1, and 20 ≥ 20 · 1
    assert macros(star(19)) == set()
    # in the top of the network, but its fellow members have many followers too
    edges = [(f"a:{j}", f"a:top{t}", 1.0) for t in range(4) for j in range(39 + (t == 0))]
    graph = make_graph(edges)
    assert macros(graph) == {"a:top0"}
    assert macros(graph, members=["a:top0", "a:top1", "a:top2"]) == set()


def test_macro_ties_at_the_last_place_are_in() -> None:
    edges = [(f"a:{hub}{i:02}", f"a:{hub}", 1.0) for hub in ("p", "q") for i in range(30)]
    assert macros(make_graph(edges)) == {"a:p", "a:q"}  # ⌈0.005 · 62⌉ = 1, and both are first


def test_networks_are_judged_apart() -> None:
    edges = [(f"a:{i}", "a:hub", 1.0) for i in range(100)] + [(f"b:{i}", "b:hub", 1.0) for i in range(25)]
    assert macros(make_graph(edges)) == {"a:hub", "b:hub"}
    assert macros(make_graph([(x.replace("b:", "a:b"), y.replace("b:", "a:b"), w) for x, y, w in edges])) == {"a:hub"}


def test_macro_by_reported_followers_where_most_report() -> None:
    keys = [f"a:leaf{i:03}" for i in range(39)] + ["a:hub"]
    everybody = dict.fromkeys(keys, 50) | {"a:leaf007": 100_000, "a:leaf008": 99_999}
    assert macros(star(39, followers=everybody)) == {"a:leaf007"}  # the hub reports 50, and that counts
    silent_hub = {key: value for key, value in everybody.items() if key != "a:hub"}
    assert macros(star(39, followers=silent_hub)) == {"a:leaf007", "a:hub"}  # says nothing: judged by in-degree
    few = dict(list(everybody.items())[:35])
    assert len(few) / 40 < 0.9
    assert macros(star(39, followers=few)) == {"a:hub"}
    just_enough = dict(list(everybody.items())[:36])
    assert macros(star(39, followers=just_enough)) == {"a:leaf007", "a:hub"}


def test_nobody_is_macro_without_followers() -> None:
    assert macros(make_graph([], ["a:1", "a:2"])) == set()


# --- scores ------------------------------------------------------------------------------------------------


def scored(
    authority: list[float],
    reach: list[float] | None = None,
    trust: list[float] | None = None,
    *,
    resonance: list[float] | None = None,
    macro: tuple[int, ...] = (),
    opted_out: tuple[int, ...] = (),
    followed: bool = True,
    rules: ScoringRules = RULES,
) -> CommunityScores:
    """Scores of a ring of accounts (each has one follower) with given raw values."""
    k = len(authority)
    names = [f"x:{i:03}" for i in range(k)]
    edges = [(names[i], names[(i + 1) % k], 1.0) for i in range(k)] if followed and k > 1 else []
    graph = make_graph(edges, names, opted_out=[names[i] for i in opted_out])
    raw = {
        "authority": np.array(authority),
        "reach": np.array(reach or authority),
        "trust": np.array(trust or authority),
    }
    if resonance is not None:
        raw["resonance"] = np.array(resonance)
    flags = np.isin(np.arange(k), macro)
    members = np.arange(k, dtype=np.int32)
    gate = gates_of(graph, activity(graph, rules), members)
    return score_community(graph, members, raw, flags, gate, np.diff(graph.in_ptr), rules)  # type: ignore[arg-type]


def test_points_by_hand() -> None:
    scores = scored([0.1, 0.4, 0.2, 0.3], reach=[0.0, 0.0, 0.0, 0.2], trust=[0.5, 0.5, 0.5, 0.5])
    authority = [plain_x(value, [0.1, 0.4, 0.2, 0.3]) for value in (0.1, 0.4, 0.2, 0.3)]
    highest = plain_x(0.2, [0.0, 0.0, 0.0, 0.2])
    assert scores.x[AUTHORITY].tolist() == authority
    assert highest == 1.0
    assert scores.x[REACH].tolist() == [0, 0, 0, 1]
    assert scores.x[TRUST].tolist() == [pytest.approx(math.log(2) / math.log(8), abs=1e-9)] * 4
    assert scores.points[AUTHORITY].tolist() == [round(100 * MILLION * 0.2 / 0.55 * x) for x in authority]
    assert scores.points[REACH].tolist() == [0, 0, 0, round(100 * MILLION * 0.15 / 0.55)]
    for part in (RESONANCE, RELEVANCE, AFFINITY):
        assert np.all(np.isnan(scores.raw[part]))
        assert np.all(np.isnan(scores.x[part]))
        assert np.all(scores.points[part] == 0)
    assert scores.score.tolist() == scores.points.sum(axis=0).tolist()
    assert scores.type.tolist() == [MEMBER, MICRO, MEMBER, MEMBER]
    assert scores.rank.tolist() == [0, 1, 0, 0]


def test_points_of_who_is_first_in_everything_are_100() -> None:
    """Four parts of a sixth and one of a third: each rounded by itself, they would come to a millionth more."""
    weights = dict.fromkeys(PART_NAMES[:4], 1 / 6) | {"relevance": 1 / 3, "affinity": 0.0}
    points = points_of(np.ones((6, 1)), weights)[:, 0].tolist()
    assert sum(round(100 * MILLION * weight) for weight in weights.values()) == 100 * MILLION + 1
    assert sum(points) == 100 * MILLION
    assert points[RELEVANCE] == round(100 * MILLION / 3) - 1


raw_values = st.sampled_from([0.0, 0.01, 0.02, 0.1, 0.3, 0.7])


@laws
@given(st.data(), st.integers(1, 30))
def test_laws_of_scores(data: st.DataObject, k: int) -> None:
    draw = lambda: data.draw(st.lists(raw_values, min_size=k, max_size=k))  # noqa: E731
    out = tuple(data.draw(st.sets(st.integers(0, k - 1))))
    macro = tuple(data.draw(st.sets(st.integers(0, k - 1))))
    authority, reach, trust = draw(), draw(), draw()
    resonance = draw() if data.draw(st.booleans()) else None
    scores = scored(authority, reach, trust, resonance=resonance, macro=macro, opted_out=out)
    base = [i for i in range(k) if i not in out]
    assert scores.in_base.tolist() == [i in base for i in range(k)]
    for i in range(k):
        if i in base:
            assert scores.score[i] == sum(scores.points[:, i].tolist())
            assert 0 <= scores.score[i] <= 100 * MILLION
        else:
            assert scores.score[i] == -1
            assert np.all(np.isnan(scores.x[:, i]))
            assert scores.points[:, i].sum() == 0
        assert (scores.type[i] == MACRO) == (i in macro)
        assert (scores.rank[i] > 0) == (scores.type[i] == MICRO)
    first = math.ceil(Fraction(15, 100) * len(base))
    best = {i for part in (authority, resonance) if part for i in sorted(base, key=lambda i: (-part[i], i))[:first]}
    expected = {i for i in best if i not in macro and k > 1}
    assert set(np.flatnonzero(scores.type == MICRO).tolist()) == expected
    by_rank = sorted(expected, key=lambda i: (-scores.score[i], i))
    assert [int(scores.rank[i]) for i in by_rank] == list(range(1, len(by_rank) + 1))


def test_who_opted_out_moves_nobody_else() -> None:
    """The others' x are as if the opted-out had no row at all: x is over the base alone."""
    with_them = scored([0.1, 0.9, 0.2, 0.3, 0.8], opted_out=(1, 4))
    without = exponential_scores(np.array([0.1, 0.2, 0.3]))
    assert with_them.x[AUTHORITY][[0, 2, 3]].tolist() == without.tolist()


def test_macros_are_compared_but_no_candidates() -> None:
    scores = scored([0.1, 0.9, 0.2, 0.3], macro=(1,))
    assert scores.x[AUTHORITY].tolist() == [plain_x(value, [0.1, 0.9, 0.2, 0.3]) for value in (0.1, 0.9, 0.2, 0.3)]
    assert not np.any(scores.rank)


def test_ranks_tie_by_key() -> None:
    scores = scored([0.5] * 20)
    assert np.flatnonzero(scores.rank).tolist() == [0, 1, 2]
    assert scores.rank[:3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("scores", "graph", "says"),
    [
        (scored([0.1, 0.9]), make_graph(follows("a>b", "b>a")), None),
        (scored([0.1, 0.9], opted_out=(0, 1)), make_graph(follows("a>b", "b>a")), "opted out"),
        (scored([0.1, 0.9], macro=(1,)), make_graph(follows("a>b", "b>a")), "macro"),
        (scored([1.0]), make_graph([], ["x:a"]), "followed by another member"),
    ],
)
def test_why_there_are_no_candidates(scores: CommunityScores, graph: Graph, says: str | None) -> None:
    reason = why_no_candidates(graph, scores)
    assert (reason is None) == (says is None)
    assert says is None or says in str(reason)


def test_scores_follow_the_order_of_parts() -> None:
    assert [PART_NAMES[row] for row in (AUTHORITY, REACH, RESONANCE, TRUST, RELEVANCE, AFFINITY)] == list(PART_NAMES)
    assert PART_NAMES == ("authority", "reach", "resonance", "trust", "relevance", "affinity")
