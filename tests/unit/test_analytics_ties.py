"""Ties of follows and interactions, against the formula written out in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.graph import build_graph, project, rows_of, subgraph
from service.analytics.measures import influence
from service.analytics.ties import NO_DAY, TieGraph, both_ways, tie_graph, tie_parts, ties_among
from service.domain import (
    DAY_MS,
    ENGAGEMENT_NAMES,
    Analysis,
    EngagementWeights,
    Graph,
    RunSpec,
    ScoringRules,
    Texts,
    no_progress,
)
from service.errors import RunFailed
from tests.unit.analytics_graphs import (
    Edge,
    Engaged,
    clique,
    columns,
    edge_lists,
    edges_of,
    engaged_in,
    follows,
    laws,
    make_graph,
    mutual,
)

RULES = ScoringRules()
TODAY = 20_000
"""The day of the latest event in these tests, in days since 1970."""

NAMES = [f"x:{i}" for i in range(7)]
COUNTS = st.tuples(*[st.sampled_from([0, 0, 1, 2, 7, 10**12])] * 4)
DAYS = st.one_of(st.integers(TODAY - 3, TODAY), st.sampled_from([0, TODAY - 91, TODAY - 90, TODAY - 89, TODAY - 30]))


@st.composite
def interactions(draw: st.DrawFn) -> list[Engaged]:
    """Interactions among up to seven accounts, each pair once a day, some of them counting nothing."""
    keys = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), DAYS).filter(lambda one: one[0] != one[1])
    return [(*key, draw(COUNTS)) for key in sorted(draw(st.sets(keys, max_size=25)))]


RULE_SETS = st.sampled_from(
    [
        RULES,
        ScoringRules(window_days=1),
        ScoringRules(window_days=4, half_life_days=1),
        ScoringRules(engagement=EngagementWeights(likes=0, replies=0.5, mentions=0, reposts=1_000_000)),
    ]
)


def plain_ties(
    edges: list[Edge], engaged: list[Engaged], as_of_day: int, rules: ScoringRules
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], set[int]]]:
    """Weight of each tie j → i by the formula, and the days of the window on which j engaged with i."""
    weights = [getattr(rules.engagement, name) for name in ENGAGEMENT_NAMES]
    decayed: dict[tuple[str, str], float] = defaultdict(float)
    days: dict[tuple[str, str], set[int]] = defaultdict(set)
    for j, i, day, counts in sorted(engaged):
        every = sum((Fraction(c) * count for c, count in zip(weights, counts, strict=True)), Fraction(0))
        worth = float(every * min(Fraction(1), Fraction(rules.responses_a_day, max(sum(counts), 1))))
        age = as_of_day - day
        if worth and 0 <= age < rules.window_days:
            decayed[j, i] += worth * 2 ** (-age / rules.half_life_days)
            days[j, i].add(day)
    known = {(j, i): weight for j, i, weight in edges}
    return {
        pair: known.get(pair, 0.0) + math.log(1 + decayed.get(pair, 0.0)) for pair in known.keys() | days.keys()
    }, days


def weights_of(keys: list[str], ties: TieGraph) -> dict[tuple[str, str], float]:
    """Weights as the rows of those who are listened to hold them; the other rows hold the same."""
    back = {
        (keys[int(j)], keys[i]): float(weight)
        for i, j, weight in zip(rows_of(ties.in_ptr).tolist(), ties.in_idx, ties.in_weight, strict=True)
    }
    out = {
        (keys[j], keys[int(i)]): float(weight)
        for j, i, weight in zip(rows_of(ties.out_ptr).tolist(), ties.out_idx, ties.out_weight, strict=True)
    }
    assert out == back
    for ptr, idx in ((ties.out_ptr, ties.out_idx), (ties.in_ptr, ties.in_idx)):
        for start, end in pairwise(ptr.tolist()):
            assert idx[start:end].tolist() == sorted(set(idx[start:end].tolist()))
    return back


@laws
@given(edge_lists(most=7), interactions(), RULE_SETS, st.integers(0, 2**16))
def test_ties_are_their_formula(edges: list[Edge], engaged: list[Engaged], rules: ScoringRules, shuffle: int) -> None:
    graph = make_graph(edges, NAMES, engaged=engaged, at=TODAY * DAY_MS + 5)
    ties = tie_graph(graph, rules)
    expected, days = plain_ties(edges, engaged, TODAY, rules)
    found = weights_of(list(graph.keys), ties)
    assert found.keys() == expected.keys()
    largest = max(expected.values())
    scale = 2.0 ** -math.frexp(largest)[1]  # one power of two for all
    assert found == pytest.approx({pair: weight * scale for pair, weight in expected.items()}, rel=1e-12)
    # days and the chance of influence
    keys = list(graph.keys)
    active = {i: len(set().union(*(days[pair] for pair in days if pair[1] == i))) for i in keys}
    assert ties.active_days.tolist() == [active[key] for key in keys]
    possible = sum(active[i] for _, i in expected)
    prior = Fraction(sum(map(len, days.values())), possible) if possible else Fraction(rules.influence_prior)
    chances = influence(ties, rules)
    for e, i in enumerate(rows_of(ties.in_ptr).tolist()):
        pair = keys[int(ties.in_idx[e])], keys[i]
        assert ties.in_days[e] == len(days.get(pair, ()))
        assert 0 <= chances[e] <= 1
        assert chances[e] == pytest.approx(float((len(days.get(pair, ())) + 10 * prior) / (active[keys[i]] + 10)))
    # whatever the order
    other = tie_graph(make_graph(edges, NAMES, engaged=engaged, at=TODAY * DAY_MS + 5, shuffle=shuffle), rules)
    for name in ("in_ptr", "in_idx", "in_weight", "in_days", "active_days", "out_weight"):
        assert getattr(ties, name).tobytes() == getattr(other, name).tobytes(), name
    assert ties.mean_influence == other.mean_influence


@laws
@given(edge_lists(most=7), interactions(), RULE_SETS, st.sets(st.sampled_from(range(7)), min_size=1))
def test_ties_of_a_part(edges: list[Edge], engaged: list[Engaged], rules: ScoringRules, chosen: set[int]) -> None:
    """Cutting out members of the ties, or of the graph first, differs in the days that others see, not in ties."""
    graph = make_graph(edges, NAMES, engaged=engaged, at=TODAY * DAY_MS)
    members = np.array(sorted(chosen), dtype=np.int32)
    whole = tie_graph(graph, rules)
    part, cut = ties_among(whole, members), subgraph(graph, members)
    keys = [graph.keys[i] for i in sorted(chosen)]
    inside = {pair: w for pair, w in weights_of(list(graph.keys), whole).items() if set(pair) <= set(keys)}
    assert weights_of(keys, part) == inside
    assert part.active_days.tolist() == whole.active_days[members].tolist()
    assert part.mean_influence == whole.mean_influence
    assert engaged_in(cut) == [one for one in engaged_in(graph) if {one[0], one[1]} <= set(keys)]
    alone = tie_graph(cut, rules)
    np.testing.assert_array_equal(part.in_idx, alone.in_idx)
    np.testing.assert_array_equal(part.in_days, alone.in_days)


@laws
@given(edge_lists(most=7), interactions(), RULE_SETS)
def test_parts_of_a_tie_add_up(edges: list[Edge], engaged: list[Engaged], rules: ScoringRules) -> None:
    graph = make_graph(edges, NAMES, engaged=engaged, at=TODAY * DAY_MS)
    ties = tie_graph(graph, rules)
    expected, _ = plain_ties(edges, engaged, TODAY, rules)
    known = edges_of(graph)
    everybody = np.arange(graph.n, dtype=np.int32)
    for i, followee in enumerate(graph.keys):
        parts = tie_parts(graph, ties.window, everybody, np.full_like(everybody, i))
        for j, follower in enumerate(graph.keys):
            pair = follower, followee
            assert parts.follow[j] == known.get(pair, 0)
            assert parts.mutual[j] == (pair in known and pair[::-1] in known)
            inside = [
                counts for a, b, day, counts in engaged if (a, b) == pair and TODAY - rules.window_days < day <= TODAY
            ]
            assert parts.counts[j].tolist() == [sum(one[kind] for one in inside) for kind in range(4)]
            days = [day for a, b, day, counts in engaged if (a, b) == pair and TODAY - rules.window_days < day <= TODAY]
            assert parts.last[j] == max(days, default=NO_DAY)
            worth = dict(
                zip(("likes", "replies", "mentions", "reposts"), rules.engagement.model_dump().values(), strict=True)
            )
            counting = [
                TODAY - day
                for a, b, day, counts in engaged
                if (a, b) in (pair, pair[::-1]) and sum(c * w for c, w in zip(counts, worth.values(), strict=True)) > 0
            ]
            weeks = {age // 7 for age in counting if 0 <= age < 7 * rules.trust_weeks}
            assert parts.weeks[j] == len(weeks)
            assert parts.weight[j] == pytest.approx(expected.get(pair, 0.0), rel=1e-12)


def test_a_tie_by_hand() -> None:
    """A repost today and three likes 30 days ago: 2 + 3/2."""
    engaged = [("x:b", "x:a", TODAY, (0, 0, 0, 1)), ("x:b", "x:a", TODAY - 30, (3, 0, 0, 0))]
    graph = make_graph([("x:b", "x:a", 0.25), ("x:c", "x:a", 1.0)], engaged=engaged)
    ties = tie_graph(graph, RULES)
    parts = tie_parts(graph, ties.window, np.array([1, 2], dtype=np.int32), np.zeros(2, np.int32))
    assert parts.decayed.tolist() == [3.5, 0]
    assert parts.weight.tolist() == pytest.approx([0.25 + math.log(4.5), 1.0])
    assert parts.counts.tolist() == [[3, 0, 0, 1], [0, 0, 0, 0]]
    # a was engaged with on two days, by b on both: Σd = 2, ΣD = 2 ties · 2 days
    assert ties.mean_influence == 0.5
    assert influence(ties, RULES).tolist() == pytest.approx([(2 + 5) / 12, 5 / 12])


@pytest.mark.parametrize(("age", "counts"), [(0, True), (1, True), (88, True), (89, True), (90, False), (91, False)])
def test_the_window_has_ninety_days_with_that_of_as_of(age: int, counts: bool) -> None:
    engaged = [("x:b", "x:a", TODAY - age, (0, 1, 0, 0)), ("x:c", "x:d", TODAY, (1, 0, 0, 0))]
    found = weights_of(NAMES_OF_FOUR, tie_graph(make_graph([], engaged=engaged), RULES))
    assert (("x:b", "x:a") in found) == counts
    if counts:
        shown = found["x:b", "x:a"] / found["x:c", "x:d"]
        assert shown == pytest.approx(math.log(1 + 3 * 2 ** (-age / 30)) / math.log(2))


NAMES_OF_FOUR = ["x:a", "x:b", "x:c", "x:d"]


def test_days_after_as_of_do_not_count() -> None:
    graph = make_graph(follows("b>a"), engaged=[("x:b", "x:a", TODAY, (5, 0, 0, 0))])
    ties = tie_graph(replace(graph, as_of=TODAY * DAY_MS - 1), RULES)
    assert (ties.in_days.tolist(), ties.active_days.tolist(), ties.mean_influence) == ([0], [0, 0], None)


def test_huge_counts_are_exact_and_ties_finite() -> None:
    engaged = [("x:b", "x:a", TODAY - age, (10**12, 10**12 - age, 0, 10**12)) for age in range(90)]
    graph = make_graph([("x:a", "x:b", 1.7976931348623157e308)], engaged=engaged)
    assert engaged_in(graph) == sorted(engaged)
    ties = tie_graph(graph, RULES)
    assert np.all((ties.out_weight > 0) & (ties.out_weight < 1))
    assert np.isfinite(project(ties).weight.sum())
    parts = tie_parts(graph, ties.window, np.array([1], dtype=np.int32), np.zeros(1, np.int32))
    assert parts.counts.tolist() == [[90 * 10**12, 90 * 10**12 - sum(range(90)), 0, 90 * 10**12]]


def test_what_decays_to_nothing_stays_a_tie() -> None:
    rules = ScoringRules(window_days=36_500, half_life_days=1)
    engaged = [("x:b", "x:a", TODAY - 15_000, (1, 0, 0, 0)), ("x:c", "x:a", TODAY, (1, 0, 0, 0))]
    found = weights_of(NAMES_OF_FOUR, tie_graph(make_graph([], engaged=engaged), rules))
    assert 0 < found["x:b", "x:a"] < 1e-300


def test_follows_alone_are_ties_of_their_weight() -> None:
    graph = make_graph([("x:a", "x:b", 3.0), ("x:b", "x:c", 1.0), ("x:c", "x:a", 0.5)])
    plain, ties = both_ways(graph), tie_graph(graph, RULES)
    np.testing.assert_array_equal(ties.in_weight * 4, plain.in_weight)
    assert plain.in_weight.tolist() == [0.5, 3.0, 1.0]
    assert both_ways(ties) is ties
    assert set(influence(ties, RULES).tolist()) == {RULES.influence_prior}
    odd = ScoringRules(influence_prior=0.1, influence_prior_days=3)
    assert set(influence(ties, odd).tolist()) == {0.1}


# --- the arrays --------------------------------------------------------------------------------------------


@laws
@given(edge_lists(most=7), interactions(), st.integers(0, 2**16))
def test_interactions_are_held_whatever_the_order(edges: list[Edge], engaged: list[Engaged], shuffle: int) -> None:
    graph = make_graph(edges, NAMES, engaged=engaged)
    assert engaged_in(graph) == sorted(engaged)
    assert graph.as_of == (max(day for _, _, day, _ in engaged) * DAY_MS if engaged else None)
    assert len(set(map(tuple, graph.engaged_counts.tolist()))) == len({one[3] for one in engaged})
    other = make_graph(edges, NAMES, engaged=engaged, shuffle=shuffle)
    for name in ("ptr", "idx", "day", "code", "counts"):
        assert getattr(graph, f"engaged_{name}").tobytes() == getattr(other, f"engaged_{name}").tobytes()


def test_as_of_is_the_latest_event_of_any_kind() -> None:
    today = TODAY * DAY_MS
    engaged = [("x:a", "x:b", TODAY, (1, 0, 0, 0)), ("x:a", "x:b", 3, (1, 0, 0, 0))]
    assert make_graph(follows("a>b"), at=today + 7, engaged=engaged).as_of == today + 7
    assert make_graph(follows("a>b"), at=today - 7, engaged=engaged).as_of == today
    assert make_graph(follows("a>b"), at=today - 7, unfollowed=today + 1, engaged=engaged).as_of == today + 1
    assert make_graph(follows("a>b"), unfollowed=0).as_of == 0
    assert make_graph(follows("a>b")).as_of is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": np.array([1])}, "x:a engages with itself"),
        ({"source": np.array([99])}, "account number 99"),
        ({"counts": np.array([[0, 0, 0, -1]])}, "not in 0..1,000,000,000,000"),
        ({"counts": np.array([[0, 10**12 + 1, 0, 0]])}, "not in 0..1,000,000,000,000"),
        ({"day": np.array([2**40])}, "years 1 to 9999"),
        ({"day": np.array([-719_163])}, "years 1 to 9999"),
    ],
)
def test_interactions_that_make_no_sense_are_refused(change: dict[str, np.ndarray], says: str) -> None:
    snapshot = columns(follows("a>b"), engaged=[("x:a", "x:b", TODAY, (1, 0, 0, 0))])
    with pytest.raises(RunFailed, match=says):
        build_graph(replace(snapshot, engagements=replace(snapshot.engagements, **change)))


def test_interactions_that_stand_twice_are_refused() -> None:
    twice = [("x:a", "x:b", TODAY, (1, 0, 0, 0)), ("x:a", "x:b", TODAY, (2, 0, 0, 0))]
    with pytest.raises(RunFailed, match="x:a with x:b stand twice"):
        make_graph([], engaged=twice)


def test_numbers_beyond_32_bits_are_refused() -> None:
    snapshot = columns([], ["x:a"])
    with pytest.raises(RunFailed, match="number that is not in"):
        build_graph(replace(snapshot, accounts=replace(snapshot.accounts, n=np.array([2**31]))))


def bytes_of(graph: Graph) -> int:
    """All memory of the arrays of a graph."""
    total = 0
    for value in vars(graph).values():
        total += value.nbytes if isinstance(value, np.ndarray) else 0
        total += value.data.nbytes + value.offsets.nbytes if isinstance(value, Texts) else 0
    return total


def test_memory_of_a_graph() -> None:
    """116 bytes an account (keys like gen:123456, no handles), 22 a follow, 12 a pair and day, 28 a topic of one."""
    keys = [f"gen:{100_000 + i}" for i in range(2_000)]
    pairs = [(a, keys[(i * 7 + step) % 2_000]) for i, a in enumerate(keys) for step in range(1, 9)]
    edges = [(a, b, 1.0) for a, b in pairs if a != b]
    engaged = [(a, b, TODAY - day, (day % 3, 1, 0, 0)) for a, b, _ in edges[:5_000] for day in range(4)]
    topics = [(key, f"topic{place}", 1) for key in keys for place in range(5)]
    accounts, following, whole, talking = map(
        bytes_of,
        (
            make_graph([], keys),
            make_graph(edges),
            make_graph(edges, engaged=engaged),
            make_graph(edges, engaged=engaged, topics=topics),
        ),
    )
    fixed = 1_000  # what there is once: ends of pointers, the table of counts
    assert accounts <= 116 * len(keys) + fixed
    assert talking - whole <= 28 * len(topics) + fixed
    assert following - accounts <= 22 * len(edges) + fixed
    assert whole - following <= 12 * len(engaged) + fixed


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=8), st.data())
def test_texts_are_a_sequence(texts: list[str], data: st.DataObject) -> None:
    packed = Texts.of(texts)
    assert list(packed) == texts == [packed[i] for i in range(len(packed))]
    assert [packed[-1 - i] for i in range(len(packed))] == texts[::-1]
    assert (list(packed[1:]), list(packed[::-2])) == (texts[1:], texts[::-2])
    with pytest.raises(IndexError):
        packed[len(texts)]
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=9)) if texts else []
    taken = packed.take(np.array(places, dtype=np.int64))
    assert list(taken) == [texts[i] for i in places]
    assert (taken.data.dtype, taken.offsets.dtype, len(taken)) == (np.uint8, np.int32, len(places))


# --- what is published -------------------------------------------------------------------------------------


def everyone(graph: Graph, **rules: object) -> Analysis:
    spec = RunSpec(rules=ScoringRules(resolutions=(0.1,), micro_share=1.0, macro_top_share=0, **rules))  # type: ignore[arg-type]
    return analyse(graph, spec, no_progress)


@laws
@given(edge_lists(most=7), interactions())
def test_evidence_tells_what_the_graph_holds(edges: list[Edge], engaged: list[Engaged]) -> None:
    graph = make_graph(edges, NAMES, engaged=engaged, at=TODAY * DAY_MS)
    analysis = everyone(graph, evidence_items=50, leave_out_suspicious=False)
    expected, _ = plain_ties(edges, engaged, TODAY, RULES)
    known = edges_of(graph)
    place = {key: i for i, key in enumerate(graph.keys)}
    labels = analysis.labels.tolist()
    assert {key for key in graph.keys if labels[place[key]] >= 0} == {key for pair in expected for key in pair}
    for candidate in (one for candidates in analysis.candidates for one in candidates):
        inside = {j for j, i in expected if i == candidate.key and labels[place[j]] == labels[place[i]]}
        following = sum((j, candidate.key) in known for j in inside)
        assert candidate.followers_in_community == following > 0
        said = " ".join(reason.en for reason in candidate.reasons)
        if more := len(inside) - following:
            assert f"{following} member" in said
            assert f"and {more} more engage" in said
        else:
            assert "more engage" not in said
        for part in candidate.parts:
            if part.part == "authority":
                assert {item.follower for item in part.evidence} == inside
                assert sum(item.contribution for item in part.evidence) <= part.raw * (1 + 1e-8)  # type: ignore[operator]
            for item in part.evidence:
                pair = item.follower, item.followee
                assert item.kind == ("follow" if pair in known else "engagement")
                assert item.mutual == (pair in known and pair[::-1] in known)
                assert item.weight == pytest.approx(expected[pair], rel=1e-8)
                counted = [counts for a, b, day, counts in engaged if (a, b) == pair and day > TODAY - 90]
                shown = item.likes, item.replies, item.mentions, item.reposts
                assert shown == tuple(sum(one[kind] for one in counted) for kind in range(4))


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_those_who_only_engage_join_a_community(engine: str) -> None:
    """Two circles; e follows nobody and replies to b in the first one."""
    first, second = [f"x:a{i}" for i in range(5)], [f"x:b{i}" for i in range(5)]
    edges = clique(first) + clique(second) + mutual((first[0], second[0]))
    engaged = [("x:e", first[1], TODAY, (0, 2, 0, 0)), ("x:e", second[1], TODAY - 200, (0, 900, 0, 0))]
    graph = make_graph(edges, engaged=engaged)
    analysis = analyse(graph, RunSpec(engine=engine), no_progress)  # type: ignore[arg-type]
    labels = dict(zip(graph.keys, analysis.labels.tolist(), strict=True))
    assert labels["x:e"] == labels[first[1]] != labels[second[1]]
    sizes = {community.size: community for community in analysis.communities}
    assert sorted(sizes) == [5, 6]
    assert (sizes[6].follows_inside, sizes[6].follows_in, sizes[6].follows_out) == (20, 1, 1)
    assert sizes[6].reciprocity == 1
    (best,) = (one for candidates in analysis.candidates for one in candidates if one.key == first[1])
    assert best.rank == 1
    assert (best.followers, best.followers_in_community) == (4, 4)
    assert any("4 members follow this account, and 1 more engages with it" in reason.en for reason in best.reasons)
    kinds = {item.follower: item.kind for part in best.parts for item in part.evidence}
    assert kinds["x:e"] == "engagement"


def test_who_is_engaged_with_but_not_followed_is_no_candidate() -> None:
    engaged = [(f"x:{i}", "x:star", TODAY, (9, 9, 9, 9)) for i in range(9)]
    analysis = analyse(make_graph([], engaged=engaged), RunSpec(), no_progress)
    (community,) = analysis.communities
    assert community.most_followed == ()
    assert community.candidates == 0
    assert community.no_candidates_reason == "None of those who could be candidates is followed by another member."
