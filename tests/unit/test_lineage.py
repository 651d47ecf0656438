"""Which communities of a run are those of an earlier one: by laws, plain definitions, and planted events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.communities import choose_level, connected_parts, find_communities, modularity
from service.analytics.engine import get_engine
from service.analytics.graph import project
from service.analytics.leiden import leiden
from service.analytics.lineage import agreed, continued, lineage_of, overlaps
from service.analytics.ties import tie_graph
from service.domain import Before, Chance, Int32, Quality, RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import clique, make_graph
from tests.unit.changed_graphs import (
    follows_changed,
    nobody_reached_out,
    partition_before,
    plant,
    recognised,
    seen_from,
)
from tests.unit.sample_graph import sample_and_graph

RULES = ScoringRules(rewirings=0, reweightings=0, confidence_seeds=0)
QUALITY = Quality(
    accounts=0, follows=0, isolates=0, communities=0, respectable=0, candidates=0, resolution=1.0, modularity=0.5,
    useful_min=1, useful_max=9, levels=(), engine="fast",
)  # fmt: skip
LABELS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), min_size=1, max_size=60)


def compact(labels: list[int]) -> Int32:
    """Labels 0..k-1, -1 stays."""
    names = sorted({one for one in labels if one >= 0})
    return np.array([names.index(one) if one >= 0 else -1 for one in labels], dtype=np.int32)


def told(then: Int32, now: Int32, gone: int = 0) -> tuple[dict[str, tuple[str, set[tuple[str, str]]]], dict[str, str]]:
    """Event and predecessors of each community of now, and what became of those that ended; names are c0, c1, … then
    and n0, n1, … now, where nothing is continued. `gone` accounts of the first community of then are no more.
    """
    before = partition_before(then, QUALITY)
    if gone:
        before.sizes[0] += gone
    sizes = np.bincount(now[now >= 0]).astype(np.int64)
    pairs = overlaps(then, now, before.sizes, sizes)
    continues = continued(pairs, len(sizes), RULES.lineage_most, RULES.lineage_least)
    ids = [before.ids[one] if one >= 0 else f"n{place}" for place, one in enumerate(continues.tolist())]
    found, ended = lineage_of(pairs, continues, ids, before, RULES)
    return (
        {one.id: (one.event, {(p.relation, p.id) for p in one.predecessors}) for one in found},
        {one.id: one.event for one in ended},
    )


def groups(*sizes: tuple[int, int, int]) -> tuple[Int32, Int32]:
    """Two partitions: of each (then, now, count) so many accounts."""
    return tuple(np.concatenate([np.full(size[2], size[side], dtype=np.int32) for size in sizes]) for side in (0, 1))  # type: ignore[return-value]


# --- matching ------------------------------------------------------------------------------------------


@given(LABELS)
def test_overlaps_count_what_both_hold(pairs: list[tuple[int, int]]) -> None:
    then, now = compact([one for one, _ in pairs]), compact([other for _, other in pairs])
    sizes = [np.bincount(labels[labels >= 0]).astype(np.int64) for labels in (then, now)]
    found = overlaps(then, now, *sizes)
    plain = {}
    for one, other in zip(then.tolist(), now.tolist(), strict=True):
        if one >= 0 and other >= 0:
            plain[one, other] = plain.get((one, other), 0) + 1
    assert (
        dict(zip(zip(found.then.tolist(), found.now.tolist(), strict=True), found.accounts.tolist(), strict=True))
        == plain
    )
    for k, (one, other) in enumerate(zip(found.then.tolist(), found.now.tolist(), strict=True)):
        assert found.of_then[k] == plain[one, other] / np.count_nonzero(then == one)
        assert found.of_now[k] == plain[one, other] / np.count_nonzero(now == other)
    assert found.accounts.tolist() == sorted(found.accounts.tolist(), reverse=True)


@given(LABELS)
def test_each_is_continued_at_most_once_and_by_most_of_one(pairs: list[tuple[int, int]]) -> None:
    then, now = compact([one for one, _ in pairs]), compact([other for _, other in pairs])
    sizes = [np.bincount(labels[labels >= 0]).astype(np.int64) for labels in (then, now)]
    found = continued(overlaps(then, now, *sizes), len(sizes[1]), 0.5, 0.1).tolist()
    named = [one for one in found if one >= 0]
    assert len(named) == len(set(named))
    for other, one in enumerate(found):
        both = np.count_nonzero((then == one) & (now == other))
        if one >= 0:
            shares = sorted((both / sizes[0][one], both / sizes[1][other]))
            assert shares[1] >= 0.5
            assert shares[0] >= 0.1


@given(LABELS)
def test_everything_of_then_continues_or_ends(pairs: list[tuple[int, int]]) -> None:
    then, now = compact([one for one, _ in pairs]), compact([other for _, other in pairs])
    events, ended = told(then, now)
    assert {f"c{one}" for one in set(then.tolist()) - {-1}} == {one for one in events if one[0] == "c"} | set(ended)
    assert not set(events) & set(ended)
    for one, (event, predecessors) in events.items():
        assert (event == "born") <= all(relation != "continues" for relation, _ in predecessors)
        assert ("continues", one) in predecessors if one[0] == "c" else event in ("born", "merges", "splits")


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.integers(0, 2**31))
def test_the_same_partition_continues_whatever_its_numbers(labels: list[int], seed: int) -> None:
    then = compact(labels)
    count = int(then.max()) + 1
    other = np.random.default_rng(seed).permutation(count).astype(np.int32)
    now = np.where(then < 0, -1, other[then] if count else -1).astype(np.int32)
    events, ended = told(then, now)
    assert all(event == "continues" and len(named) == 1 for event, named in events.values())
    assert ended == {}
    assert agreed(then, now, 0.5, 0.1).tolist() == (then >= 0).astype(int).tolist()


def test_events_by_their_definitions() -> None:
    # Two merge: the larger goes on.
    events, ended = told(*groups((0, 0, 60), (1, 0, 40)))
    assert events == {"c0": ("merges", {("continues", "c0"), ("merges", "c1")})}
    assert ended == {"c1": "merged"}
    # One splits in halves, or very unevenly: the larger part goes on.
    for part in (50, 15):
        events, ended = told(*groups((0, 0, 100 - part), (0, 1, part)))
        assert events == {"c0": ("splits", {("continues", "c0")}), "n1": ("splits", {("splits", "c0")})}
        assert ended == {}
    # A few who leave, and a few who are swallowed, are no event.
    events, ended = told(*groups((0, 0, 95), (0, 1, 5), (1, 0, 4)))
    assert events["c0"] == ("continues", {("continues", "c0"), ("merges", "c1")})
    assert events["n1"] == ("born", {("splits", "c0")})
    assert ended == {"c1": "merged"}
    # New accounts, and accounts that are gone.
    assert told(*groups((-1, 0, 30))) == ({"n0": ("born", set())}, {})
    assert told(*groups((0, -1, 30))) == ({}, {"c0": "died"})
    # Half of the accounts are gone, the rest stays together.
    assert told(*groups((0, 0, 30)), gone=30) == ({"c0": ("continues", {("continues", "c0")})}, {})
    # Scattered over many others, no more than a third in any: died.
    events, ended = told(*groups((0, 1, 10), (0, 2, 10), (0, 3, 10), (1, 1, 90), (2, 2, 90), (3, 3, 90), (4, 0, 50)))
    assert ended == {"c0": "died"}
    assert {event for event, _ in events.values()} == {"continues"}


def test_ids_of_before_are_not_given_to_what_is_new() -> None:
    """The anchor of a new community may be that of one which lives on elsewhere."""
    names = [f"net:a{i}" for i in range(6)], [f"net:b{i}" for i in range(6)]
    graph = make_graph([*clique(names[0]), *clique(names[1])])
    cold = analyse(graph, RunSpec(rules=RULES), no_progress)
    # As if the community of the second six had had the id that the first six would get.
    labels = np.array([-1] * 6 + [0] * 6, dtype=np.int32)
    taken = next(one.id for one in cold.communities if "net:a0" in one.most_followed)
    sizes, unknown = np.array([6], dtype=np.int64), np.full(len(labels), np.nan)
    before = Before("r", [taken], ["r"], sizes, labels, unknown, QUALITY, RULES, nobody_reached_out(len(labels)))
    warm = analyse(graph, RunSpec(rules=RULES), no_progress, before=before)
    ids = {one.most_followed[0][:5]: one.id for one in warm.communities}
    assert ids["net:b"] == taken
    assert ids["net:a"] not in {one.id for one in cold.communities}
    assert len(set(ids.values())) == 2


# --- a search that starts from communities -----------------------------------------------------------------


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_search_goes_on_from_what_it_starts_with(engine: str) -> None:
    _, graph = sample_and_graph(5_000)
    projection = project(tie_graph(graph, RULES))
    one = get_engine(engine)  # type: ignore[arg-type]
    cold = one.partition(projection, 1.0, 42)
    tied = np.diff(projection.ptr) > 0
    again = one.partition(projection, 1.0, 7, start=cold)
    same = agreed(compact(np.where(tied, cold, -1).tolist()), compact(np.where(tied, again, -1).tolist()), 0.5, 0.1)
    assert same[tied].mean() > 0.97, "little is left to be gained"
    # From accounts without any it gets as far as from nothing, and by Leiden from one community of all (Louvain only
    # moves single accounts and merges).
    starts = [np.full(graph.n, -1, dtype=np.int32), np.zeros(graph.n, dtype=np.int32)]
    for start in starts if engine == "fast" else starts[:1]:
        found = one.partition(projection, 1.0, 42, start=start)
        reached = modularity(projection, connected_parts(projection, found))
        assert reached > 0.97 * modularity(projection, connected_parts(projection, cold))
    assert leiden(projection, 1.0, 3, start=cold).tolist() == leiden(projection, 1.0, 3, start=cold).tolist()


@pytest.mark.parametrize(("other", "moves"), [(1.0, False), (1.02, False), (1.3, True)])
def test_who_is_as_well_off_in_its_community_stays(other: float, moves: bool) -> None:
    """An account between two alike groups, in the first one: as much holds it there, or a little less, or much less."""
    pairs = [("t:v", "t:a0", 1.0), ("t:v", "t:b0", other)]
    groups = [[f"t:{name}{number}" for number in range(6)] for name in "ab"]
    graph = make_graph([*clique(groups[0]), *clique(groups[1]), *pairs])
    projection = project(tie_graph(graph, ScoringRules(rewirings=0)))
    start = np.array([int(key.startswith("t:b")) for key in graph.keys], dtype=np.int32)
    v = list(graph.keys).index("t:v")
    for seed in range(20):
        found = leiden(projection, 1.0, seed, start=start)
        here = found[v] == found[list(graph.keys).index("t:a0")]
        assert here != moves, seed


def test_communities_that_people_know_hardly_change_with_one_follow() -> None:
    """Two runs after each other on one graph find the same; one follow later nearly the same."""
    _, graph = sample_and_graph(5_000)
    one = get_engine("fast")
    first = one.partition(project(tie_graph(graph, RULES)), 1.0, 42)
    for seed in (1, 2):
        first = one.partition(project(tie_graph(graph, RULES)), 1.0, seed, start=first)
    for seed in range(5):
        later = follows_changed(graph, 2 / graph.m, seed)
        found = one.partition(project(tie_graph(later, RULES)), 1.0, 42 + seed, start=first)
        assert np.count_nonzero(found != first) <= 3


def test_the_resolution_of_before_stays_while_it_is_nearly_good_enough() -> None:
    resolutions = (0.5, 1.0, 2.0)
    quality = [(0.60, 0.9), (0.60, 0.9), (0.60, 0.9)]
    assert choose_level(resolutions, quality, RULES) == 2
    assert choose_level(resolutions, quality, RULES, 1.0) == 1
    assert choose_level(resolutions, quality, RULES, 3.0) == 2, "it is no longer tried"
    for q, u, stays in ((0.565, 0.9, True), (0.555, 0.9, False), (0.6, 0.84, True), (0.6, 0.83, False)):
        changed = [(0.60, 0.9), (q, u), (0.60, 0.9)]
        assert (choose_level(resolutions, changed, RULES, 1.0) == 1) is stays


def test_what_is_known_of_chance_holds_for_a_graph_of_nearly_as_many_ties() -> None:
    _, graph = sample_and_graph(5_000)
    ties = tie_graph(graph, RULES)
    spec = RunSpec(rules=RULES.model_copy(update={"rewirings": 2}))
    projection, engine = project(ties), get_engine("fast")
    cold = find_communities(ties, projection, engine, spec, no_progress)
    assert cold.chance is not None
    assert (cold.chance.ties, cold.chance.run) == (ties.m, None)

    def warm(chance: Chance, spec: RunSpec = spec) -> Chance | None:
        quality = QUALITY.model_copy(update={"chance": chance, "resolution": cold.chosen.resolution})
        before = partition_before(cold.labels, quality)
        return find_communities(ties, projection, engine, spec, no_progress, before).chance

    assert warm(cold.chance) == cold.chance.model_copy(update={"run": "r-before"})
    measured = warm(cold.chance.model_copy(update={"ties": round(ties.m * 1.2)}))
    assert measured is not None
    assert measured.run is None
    other = warm(cold.chance, spec.model_copy(update={"rules": RULES.model_copy(update={"rewirings": 3})}))
    assert other is not None
    assert (other.rewirings, other.run) == (3, None)


# --- the sample, changed -----------------------------------------------------------------------------------


def test_a_small_change_of_the_graph_changes_few_ids() -> None:
    _, graph = sample_and_graph()
    cold = analyse(graph, RunSpec(rules=RULES), no_progress)
    assert (cold.lineage, cold.ended) == ([], [])
    later = follows_changed(graph, 0.01, 1)
    warm = analyse(later, RunSpec(rules=RULES), no_progress, before=seen_from(later, graph, cold))
    ids = [np.array([one.id for one in of.communities]) for of in (cold, warm)]
    large = np.array([cold.communities[label].size >= 50 if label >= 0 else False for label in cold.labels])
    kept = ids[0][cold.labels[large]] == ids[1][warm.labels[large]]
    assert kept.mean() >= 0.95
    assert [one.id for one in warm.lineage] == [one.id for one in warm.communities]


def test_nothing_is_said_of_a_graph_that_did_not_change() -> None:
    _, graph = sample_and_graph()
    cold = analyse(graph, RunSpec(rules=RULES), no_progress)
    warm = analyse(graph, RunSpec(rules=RULES), no_progress, before=seen_from(graph, graph, cold))
    assert {one.event for one in warm.lineage} == {"continues"}
    assert warm.ended == []
    assert [one.id for one in warm.communities] == [one.id for one in cold.communities]


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_events_are_recognised(seed: int) -> None:
    _, graph = sample_and_graph(20_000)
    cold = analyse(graph, RunSpec(rules=RULES), no_progress)
    large = [place for place, one in enumerate(cold.communities) if one.size >= 50]
    later, planted = plant(graph, cold.labels, np.random.default_rng(seed).permutation(large).tolist(), seed)
    before = seen_from(later, graph, cold)
    warm = analyse(later, RunSpec(rules=RULES), no_progress, before=before)
    found = recognised(planted, before, warm, later)
    assert all(all_of_them >= 2 for _, all_of_them in found.values())
    right, planted_in_all = (sum(one[k] for one in found.values()) for k in (0, 1))
    assert right >= 0.95 * planted_in_all, found
