"""PageRank, reach and trust against published answers, exact solutions and the formulas written out plainly."""

from __future__ import annotations

import itertools
import math
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.analytics.analysis import measure
from service.analytics.engine import get_engine
from service.analytics.evidence import (
    Measured,
    authority_evidence,
    reach_evidence,
    resonance_evidence,
    trust_evidence,
)
from service.analytics.graph import rows_of, strengths, to_networkx
from service.analytics.measures import days_observed, influence, resonance, trust
from service.analytics.rounding import significant, steadied
from service.analytics.ties import TieGraph, TieParts, tie_graph, tie_parts
from service.analytics.topics import NO_TOPICS
from service.domain import DAY_MS, Graph, Int32, ScoringRules
from service.errors import InvalidRequest
from tests.unit.analytics_graphs import (
    Edge,
    Engaged,
    clique,
    congress,
    default_ties,
    edge_lists,
    edges_of,
    follows,
    laws,
    make_graph,
    mutual,
    uk_faculty,
)

Shared = Callable[[str], Path]
RULES = ScoringRules()
ENGINE = get_engine("auto")


# --- authority ---------------------------------------------------------------------------------------------


def only(i: int) -> Int32:
    """One account."""
    return np.array([i], dtype=np.int32)


def power_step(edges: list[tuple[str, str, float]], rank: dict[str, float], damping: float) -> dict[str, float]:
    """One iteration from the definition, in dictionaries; dangling mass spread evenly."""
    given_out = dict.fromkeys(rank, 0.0)
    for a, _, w in edges:
        given_out[a] += w
    dangling = sum(value for key, value in rank.items() if given_out[key] == 0)
    result = dict.fromkeys(rank, (1 - damping + damping * dangling) / len(rank))
    for a, b, w in edges:
        result[b] += damping * rank[a] * w / given_out[a]
    return result


@pytest.mark.parametrize("name", ["example-directed", "example-undirected", "test-pr-directed", "test-pr-undirected"])
def test_pagerank_of_ldbc_graphalytics(name: str, shared_data: Shared) -> None:
    """The published answers are some iterations of the same plain step whose limit the engine must give."""
    folder = shared_data("ldbc-graphalytics")
    properties = dict(
        line.split(" = ") for line in (folder / f"{name}.properties").read_text().splitlines() if " = " in line
    )
    damping = float(properties[f"graph.{name}.pr.damping-factor"])
    pairs = [line.split()[:2] for line in (folder / f"{name}.e").read_text().splitlines()]
    edges = [(f"l:{a}", f"l:{b}", 1.0) for a, b in pairs]
    if properties[f"graph.{name}.directed"] == "false":
        edges += [(b, a, w) for a, b, w in edges]
    keys = [f"l:{line.strip()}" for line in (folder / f"{name}.v").read_text().splitlines()]

    rank = dict.fromkeys(keys, 1 / len(keys))
    for _ in range(int(properties[f"graph.{name}.pr.num-iterations"])):
        rank = power_step(edges, rank, damping)
    published = dict(line.split() for line in (folder / f"{name}-PR").read_text().splitlines())
    assert rank == pytest.approx({f"l:{key}": float(value) for key, value in published.items()}, abs=1e-7)

    for _ in range(300):
        rank = power_step(edges, rank, damping)
    graph = make_graph(edges, keys)
    assert dict(zip(graph.keys, ENGINE.pagerank(graph, damping).tolist(), strict=True)) == pytest.approx(
        rank, rel=1e-12
    )


def exact_pagerank(graph: Graph, damping: float) -> np.ndarray:
    """Solve π = damping · Pᵀπ + (1 − damping)/n exactly, as a dense linear system."""
    step = np.full((graph.n, graph.n), 1 / graph.n)
    for i in range(graph.n):
        row = slice(int(graph.out_ptr[i]), int(graph.out_ptr[i + 1]))
        if row.stop > row.start:
            step[i] = 0
            step[i, graph.out_idx[row]] = graph.out_weight[row] / graph.out_weight[row].sum()
    return np.linalg.solve(np.eye(graph.n) - damping * step.T, np.full(graph.n, (1 - damping) / graph.n))


@pytest.mark.parametrize("damping", [0.3, 0.85, 0.99])
def test_pagerank_is_the_exact_solution(damping: float, shared_data: Shared) -> None:
    for edges in (congress(shared_data), uk_faculty(shared_data)):
        graph = make_graph(edges)
        np.testing.assert_allclose(ENGINE.pagerank(graph, damping), exact_pagerank(graph, damping), rtol=1e-9)


@laws
@given(edge_lists())
def test_pagerank_sums_to_one_and_inflow_explains_it(edges: list[Edge]) -> None:
    graph = make_graph(edges, ["x:zz"])
    rank = ENGINE.pagerank(graph, RULES.damping)
    assert math.fsum(rank) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(rank, exact_pagerank(graph, RULES.damping), rtol=1e-9)
    ties = default_ties(graph)
    given_out = strengths(ties.out_ptr, ties.out_weight)
    everybody = (1 - RULES.damping + RULES.damping * rank[given_out == 0].sum()) / graph.n
    for i in range(graph.n):
        inflow = authority_evidence(ties, rank, only(i), RULES)
        assert everybody + math.fsum(inflow) == pytest.approx(rank[i], rel=1e-9)


@pytest.mark.parametrize("leaves", [5, 300, 5000])
def test_pagerank_of_hubs_that_never_settle_to_the_last_bit(leaves: int) -> None:
    """The sums of a hub swing in their last bits for ever, more the more followers it has; here by hand.

    hub = (1 − d)/n + d · leaves · leaf and leaf = (1 − d)/n + d · hub/leaves
    """
    graph = make_graph(mutual(*(("x:hub", f"x:{i:04}") for i in range(leaves))))
    rank = ENGINE.pagerank(graph, 0.85)
    each = 0.15 / (leaves + 1)
    hub = (each + 0.85 * leaves * each) / (1 - 0.85**2)
    assert rank[-1] == pytest.approx(hub, rel=1e-11)
    assert len(set(significant(rank[:-1]).tolist())) == 1


def test_pagerank_is_that_of_networkx(shared_data: Shared) -> None:
    graph = make_graph(congress(shared_data))
    expected = nx.pagerank(to_networkx(graph), alpha=0.85, tol=1e-13 / graph.n, max_iter=500)
    assert dict(zip(graph.keys, ENGINE.pagerank(graph, 0.85).tolist(), strict=True)) == pytest.approx(
        expected, rel=1e-9
    )


def test_damping_too_near_one_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="choose at most"):
        ENGINE.pagerank(make_graph(follows("a>b", "b>a")), 0.999999)


# --- reach -------------------------------------------------------------------------------------------------


def plain_reach(keys: list[str], p: dict[tuple[str, str], float]) -> dict[str, float]:
    """The formula written out; `p[i, j]` is the probability that i influences j, absent where j does not follow i."""
    result = {}
    for i in keys:
        total = 0.0
        for j in keys:
            if j != i:
                missed = 1 - p.get((i, j), 0.0)
                for k in keys:
                    if k not in (i, j):
                        missed *= 1 - p.get((i, k), 0.0) * p.get((k, j), 0.0)
                total += 1 - missed
        result[i] = total / max(len(keys) - 1, 1)
    return result


def chances(graph: Graph, influence: np.ndarray) -> dict[tuple[str, str], float]:
    followees = rows_of(graph.in_ptr).tolist()
    return {
        (graph.keys[i], graph.keys[j]): p
        for i, j, p in zip(followees, graph.in_idx.tolist(), influence.tolist(), strict=True)
    }


@laws
@given(edge_lists(), st.data())
def test_reach_is_its_formula(edges: list[Edge], data: st.DataObject) -> None:
    graph = make_graph(edges, ["x:zz"])
    drawn = data.draw(st.lists(st.floats(0, 1), min_size=graph.m, max_size=graph.m))
    for p in (np.array(drawn), influence(default_ties(graph), RULES)):
        found = dict(zip(graph.keys, ENGINE.reach(graph, p).tolist(), strict=True))
        assert found == pytest.approx(plain_reach(graph.keys, chances(graph, p)), rel=1e-9, abs=1e-15)


def test_reach_of_a_real_graph(shared_data: Shared) -> None:
    graph = make_graph(uk_faculty(shared_data))
    p = influence(default_ties(graph), RULES)
    assert set(p.tolist()) == {0.05}
    found = dict(zip(graph.keys, ENGINE.reach(graph, p).tolist(), strict=True))
    assert found == pytest.approx(plain_reach(graph.keys, chances(graph, p)), rel=1e-10)


def test_reach_by_hand() -> None:
    # b and c follow a; c follows b: a moves b with p, c directly with p or through b with p²
    graph = make_graph(follows("b>a", "c>a", "c>b"))
    p = 0.05
    assert ENGINE.reach(graph, influence(default_ties(graph), RULES)).tolist() == pytest.approx(
        [(p + 1 - (1 - p) * (1 - p * p)) / 2, p / 2, 0.0]
    )
    alone = make_graph([], ["x:a"])
    assert ENGINE.reach(alone, influence(default_ties(alone), RULES)).tolist() == [0.0]


@laws
@given(edge_lists(), st.data())
def test_a_follow_gives_reach_what_is_lost_without_it(edges: list[Edge], data: st.DataObject) -> None:
    """Take the follow out, work the formula out again (same members), and the difference is its contribution."""
    graph = make_graph(edges)
    p = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.05, 0.3, 0.9]), min_size=graph.m, max_size=graph.m)))
    known = chances(graph, p)
    whole = plain_reach(graph.keys, known)
    for i, key in enumerate(graph.keys):
        found = reach_evidence(default_ties(graph), p, only(i))[0]
        followers = graph.in_idx[graph.in_ptr[i] : graph.in_ptr[i + 1]].tolist()
        for contribution, j in zip(found.tolist(), followers, strict=True):
            without = {ends: value for ends, value in known.items() if ends != (key, graph.keys[j])}
            lost = whole[key] - plain_reach(graph.keys, without)[key]
            assert contribution == pytest.approx(lost, abs=1e-12)


def test_certain_influence_can_be_taken_out() -> None:
    graph = make_graph(follows("b>a", "c>b", "c>a"))
    assert ENGINE.reach(graph, np.ones(3)).tolist() == pytest.approx([1.0, 0.5, 0.0])
    assert reach_evidence(default_ties(graph), np.ones(3), only(0))[0].tolist() == pytest.approx([0.5, 0.0], abs=1e-12)


# --- trust -------------------------------------------------------------------------------------------------


def measured(graph: Graph) -> Measured:
    """All accounts measured as one community."""
    ties = default_ties(graph)
    days = days_observed(graph, ties)
    return measure(
        graph, ties, np.arange(graph.n, dtype=np.int32), np.diff(graph.in_ptr), NO_TOPICS, days, ENGINE, RULES
    )


def parts_of(graph: Graph, rules: ScoringRules) -> tuple[TieGraph, TieParts]:
    """All ties, and what each incoming one consists of."""
    ties = tie_graph(graph, rules)
    return ties, tie_parts(graph, ties.window, ties.in_idx, rows_of(ties.in_ptr).astype(np.int32))


TODAY = 20_000


@st.composite
def interactions(draw: st.DrawFn) -> list[Engaged]:
    """Interactions among nine accounts within some months, at most once a pair and day."""
    names = [f"x:{i}" for i in range(9)]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda one: one[0] != one[1])
    counts = st.tuples(*[st.integers(0, 3)] * 4)
    day = st.sampled_from([TODAY, TODAY - 1, TODAY - 6, TODAY - 7, TODAY - 83, TODAY - 84, TODAY - 89, TODAY - 90])
    return [(*key, value) for key, value in draw(st.dictionaries(st.tuples(pair, day), counts, max_size=12)).items()
            for key in [(*key[0], key[1])]]  # fmt: skip


@laws
@given(edge_lists(), interactions(), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 1.0, 10.0]))
def test_trust_is_its_formula(edges: list[Edge], engaged: list[Engaged], discount: float, prior: float) -> None:
    rules = ScoringRules(follow_back_discount=discount, trust_prior_ties=prior)
    graph = make_graph(edges, ["x:zz"], engaged=engaged, at=TODAY * DAY_MS)
    known = set(edges_of(graph))
    counting = [one for one in engaged if any(one[3]) and TODAY - 90 < one[2] <= TODAY]
    engaging = {(a, b) for a, b, _, _ in counting}
    share = {}
    for i in graph.keys:
        followers = [j for j in graph.keys if (j, i) in known]
        share[i] = sum((i, j) in known for j in followers) / len(followers) if followers else 0
    s: dict[tuple[str, str], float] = {}
    for i in graph.keys:
        for j in graph.keys:
            if (j, i) not in known | engaging:
                continue
            mutual = (j, i) in known and (i, j) in known
            available = [mutual * (1 - discount * share[i])]
            if counting:
                days = [day for a, b, day, counts in engaged if {a, b} == {i, j} and any(counts)]
                available.append(len({(TODAY - day) // 7 for day in days if TODAY - 84 < day <= TODAY}) / 12)
            done = [sum(column) for column in zip(*(c for a, b, _, c in counting if (a, b) == (j, i)), strict=True)]
            if done:
                available.append((sum(done) - done[0]) / sum(done))
            s[j, i] = sum(available) / len(available)
    mean = sum(s.values()) / len(s)
    ties, parts = parts_of(graph, rules)
    found = trust(graph, ties, parts, rules, follows=True)
    assert found.mean == pytest.approx(mean)
    for i, key in enumerate(graph.keys):
        own = [s[j, key] for j in graph.keys if (j, key) in s]
        weight = len(own) + prior
        expected = (sum(own) + prior * mean) / weight if weight else 0.0
        assert found.raw[i] == pytest.approx(expected)
        if own:
            shown = trust_evidence(ties, found, only(i), rules)
            assert shown.tolist() == pytest.approx([one / weight for one in own])
            assert math.fsum(shown) + prior * mean / weight == pytest.approx(expected)


def test_trust_by_hand() -> None:
    # a: two followers, follows one back: s = 1 − ½·½ = ¾. b: one follower, followed back: s = ½. mean = 1.25/3
    graph = make_graph(follows("b>a", "a>b", "c>a"))
    found = trust(graph, *parts_of(graph, RULES), RULES, follows=True)
    mean = (0.75 + 0.5) / 3
    assert found.raw.tolist() == pytest.approx([(0.75 + 10 * mean) / 12, (0.5 + 10 * mean) / 11, mean])


def test_trust_without_follows_rests_on_interactions_alone() -> None:
    # b replied once and liked once, in one week: 1/12 and ½; a liked back in that week: 1/12 and 0
    graph = make_graph([], engaged=[("x:b", "x:a", TODAY, (1, 1, 0, 0)), ("x:a", "x:b", TODAY - 1, (1, 0, 0, 0))])
    found = trust(graph, *parts_of(graph, RULES), RULES, follows=False)
    assert found.tie.tolist() == pytest.approx([(1 / 12 + 1 / 2) / 2, (1 / 12 + 0) / 2])


# --- resonance ---------------------------------------------------------------------------------------------


@laws
@given(edge_lists(), interactions(), st.sampled_from([1, 3, 10]))
def test_resonance_is_its_formula(edges: list[Edge], engaged: list[Engaged], most: int) -> None:
    graph = make_graph(edges, ["x:zz"], engaged=engaged, at=TODAY * DAY_MS)
    counting = [one for one in engaged if any(one[3]) and TODAY - 90 < one[2] <= TODAY]
    ties, parts = parts_of(graph, RULES)
    days = days_observed(graph, ties)
    assert days == max((TODAY - day + 1 for _, _, day, _ in counting), default=0)
    found = resonance(ties, parts, days, most) if days else None
    assert (found is None) == (not counting)
    if found is None:
        return
    pairs = set(edges_of(graph)) | {(a, b) for a, b, _, _ in counting}
    by_pair: dict[tuple[str, str], list[int]] = {}
    for a, b, _, c in counting:
        by_pair.setdefault((a, b), []).append(sum(c))
    counted = {pair: min(sum(done), most * len(done)) for pair, done in by_pair.items()}
    y = {key: sum(done for (_, b), done in counted.items() if b == key) for key in graph.keys}
    e = {key: days * sum(b == key for _, b in pairs) for key in graph.keys}
    middle, mu = statistics.median(e.values()), sum(y.values()) / sum(e.values())
    for i, key in enumerate(graph.keys):
        seen = e[key] + middle
        assert found.raw[i] == pytest.approx((y[key] + mu * middle) / seen if seen else 0.0)
        shown = resonance_evidence(ties, found, only(i)).tolist()
        # With e, its median and μ held fixed, taking away what j did takes away its share.
        for j, one in zip(ties.in_idx[ties.in_ptr[i] : ties.in_ptr[i + 1]].tolist(), shown, strict=True):
            less = y[key] - counted.get((graph.keys[j], key), 0)
            assert found.raw[i] - one == pytest.approx((less + mu * middle) / seen)


def test_few_observations_do_not_win() -> None:
    """Of two with the same rate, the one observed more stands first: twenty responses of ten beat two of one."""
    edges = [(f"x:{i}", "x:star", 1.0) for i in range(10)] + [("x:0", "x:lucky", 1.0)]
    edges += [(f"x:{i}", f"x:{i + 1}", 1.0) for i in range(9)]
    engaged = [(f"x:{i}", "x:star", TODAY, (2, 0, 0, 0)) for i in range(10)] + [("x:0", "x:lucky", TODAY, (2, 0, 0, 0))]
    graph = make_graph(edges, engaged=engaged)
    ties, parts = parts_of(graph, RULES)
    found = resonance(ties, parts, days_observed(graph, ties), 10)
    assert found is not None
    raw = dict(zip(graph.keys, found.raw.tolist(), strict=True))
    assert raw["x:star"] > raw["x:lucky"] > raw["x:5"] > 0


def test_a_burst_of_one_member_is_no_resonance() -> None:
    """A thousand likes of one day count as three; ten a day for ten days as thirty."""
    edges = [("x:a", "x:loud", 1.0), ("x:a", "x:liked", 1.0)]
    engaged = [("x:a", "x:loud", TODAY, (1000, 0, 0, 0))]
    engaged += [("x:a", "x:liked", TODAY - day, (10, 0, 0, 0)) for day in range(10)]
    graph = make_graph(edges, engaged=engaged)
    found = resonance(*parts_of(graph, RULES), 10, RULES.responses_a_day)
    assert found is not None
    assert dict(zip(graph.keys, found.received.tolist(), strict=True)) == {"x:a": 0, "x:loud": 3, "x:liked": 30}


# --- robustness --------------------------------------------------------------------------------------------


def test_rounding_to_nine_digits() -> None:
    values = np.array([0.0, 1.0, 0.1 + 0.2, 1 / 3, 123456789.4, 5e-324, 1e300, 0.0246820681234])
    rounded = significant(values).tolist()
    assert rounded == [0.0, 1.0, 0.3, 0.333333333, 123456789.0, 5e-324, 1e300, 0.0246820681]
    assert significant(significant(values)).tolist() == rounded


def test_steadied_values_lose_digits_beyond_the_thirteenth() -> None:
    values = np.array([0.0, 0.1 + 0.2, 1 / 3, 5e-324, 1e-300, -1e-300, 1e300, 0.04171421875 * (1 + 2**-52)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = steadied(values).tolist()
    assert found == pytest.approx(values.tolist(), rel=1e-12)
    assert found[1] == 0.3
    assert found[-1] == steadied(np.array([0.04171421875 * (1 - 2**-53)]))[0]


NEAR_A_HALF = st.builds(
    lambda digits, power: (digits + 0.5) * 10.0**power, st.integers(10**8, 10**9), st.integers(-30, 30)
)
NEAR_A_POWER = st.builds(
    lambda power, off: 10.0**power * (1 + off * 2.0**-52), st.integers(-30, 30), st.integers(-9, 9)
)


@settings(laws, max_examples=500)
@given(st.lists(st.floats() | NEAR_A_HALF | NEAR_A_POWER | NEAR_A_POWER.map(lambda value: -value * (1 - 1e-10))))
def test_rounding_is_that_of_decimal_text(values: list[float]) -> None:
    by_text = [float(f"{value:.9g}") for value in values]
    assert list(map(repr, significant(np.array(values, dtype=np.float64)).tolist())) == list(map(repr, by_text))


@laws
@given(edge_lists(), st.randoms(use_true_random=False))
def test_names_do_not_matter_to_measures(edges: list[Edge], order: object) -> None:
    """Renaming accounts, and so renumbering them, permutes raw values and changes none of them."""
    graph = make_graph(edges)
    new = list(graph.keys)
    order.shuffle(new)  # type: ignore[attr-defined]
    rename = dict(zip(graph.keys, new, strict=True))
    other = make_graph([(rename[a], rename[b], w) for a, b, w in edges])
    one, two = (measured(g) for g in (graph, other))
    for part, values in one.raw.items():
        by_name = dict(zip(other.keys, two.raw[part].tolist(), strict=True))
        assert values.tolist() == [by_name[rename[key]] for key in graph.keys], part


def test_values_at_a_half_of_the_last_digit_do_not_depend_on_names() -> None:
    """Reach of one of them is 0.041714218|75: whether it is just below or above depends on the order of factors."""
    pairs = ["01", "02", "03", "10", "12", "13", "20", "30", "32", "40", "41"]
    values = []
    for order in itertools.permutations(range(5)):
        graph = make_graph([(f"x:{order[int(a)]}", f"x:{order[int(b)]}", 1.0) for a, b in pairs])
        raw = measured(graph).raw
        values.append({part: [of_part[order[i]] for i in range(5)] for part, of_part in raw.items()})
    assert all(one == values[0] for one in values)


def test_symmetric_accounts_tie_exactly() -> None:
    graph = make_graph(clique(f"x:{i}" for i in range(7)) + [(f"y:{i}", "x:3", 0.1 * i) for i in range(1, 12)])
    raw = measured(graph).raw
    alike = [i for i, key in enumerate(graph.keys) if key.startswith("x") and key != "x:3"]
    for values in raw.values():
        assert len(set(values[alike].tolist())) == 1


@laws
@given(edge_lists(weights=st.sampled_from([5e-324, 1e-200, 1.0, 1e200, 1.7976931348623157e308])))
def test_extreme_weights_give_finite_measures(edges: list[Edge]) -> None:
    graph = make_graph(edges)
    raw = measured(graph).raw
    for values in raw.values():
        assert np.all(np.isfinite(values))
        assert np.all((values >= 0) & (values <= 1))
    assert math.fsum(raw["authority"]) == pytest.approx(1)


def test_only_ratios_of_weights_matter() -> None:
    edges = [("x:a", "x:b", 0.3), ("x:b", "x:a", 0.1), ("x:c", "x:a", 0.7), ("x:a", "x:c", 0.2)]
    plain = make_graph(edges)
    some = measured(plain).raw
    scaled = make_graph([(a, b, w * 1e250) for a, b, w in edges])
    for part, values in measured(scaled).raw.items():
        assert values.tolist() == some[part].tolist()
