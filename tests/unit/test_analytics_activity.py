"""Activity and the gate of the inactive, against plain counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.analytics.activity import activity
from service.analytics.analysis import analyse
from service.domain import DAY_MS, Graph, RunSpec, ScoringRules, no_progress
from tests.unit.analytics_graphs import Engaged, clique, laws, make_graph
from tests.unit.test_analytics_analysis import check_laws

TODAY = 20_000
NAMES = [f"{network}:{i}" for network in "xy" for i in range(4)]
DAYS = st.sampled_from([TODAY, TODAY - 1, TODAY - 89, TODAY - 90, TODAY - 364, TODAY - 365, TODAY + 1])
Posting = tuple[str, int, tuple[int, int, int]]


@st.composite
def engagements(draw: st.DrawFn) -> list[Engaged]:
    pair = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda one: one[0] != one[1])
    drawn = draw(st.dictionaries(st.tuples(pair, DAYS), st.tuples(*[st.integers(0, 2)] * 4), max_size=14))
    return [(pair[0], pair[1], day, counts) for (pair, day), counts in drawn.items()]


@st.composite
def postings(draw: st.DrawFn) -> list[Posting]:
    counts = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(
        lambda one: (1 + sum(one), one[1], one[2])
    )
    drawn = draw(st.dictionaries(st.tuples(st.sampled_from(NAMES), DAYS), counts, max_size=10))
    return [(name, day, counts) for (name, day), counts in drawn.items()]


@laws
@given(engagements(), postings(), st.sampled_from([0.0, 0.5, 1.0]))
def test_activity_is_what_is_counted(engaged: list[Engaged], posted: list[Posting], share: float) -> None:
    rules = ScoringRules(activity_known_share=share)
    graph = make_graph([], NAMES, engaged=engaged, postings=posted, unfollowed=TODAY * DAY_MS)
    today = max([TODAY, *(day for _, _, day, _ in engaged), *(day for _, day, _ in posted)])
    found = activity(graph, rules)
    for i, key in enumerate(graph.keys):
        days = {day for a, _, day, counts in engaged if a == key and any(counts)}
        days |= {day for a, day, _ in posted if a == key}
        assert found.days[i] == len({day for day in days if day > today - 365})
        assert found.active[i] == any(day > today - 90 for day in days)
        year = [counts for a, day, counts in posted if a == key and day > today - 365]
        own, links, reposts = (sum(column) for column in zip((0, 0, 0), *year, strict=True))
        given_ = sum(counts[3] for a, _, day, counts in engaged if a == key and day > today - 365)
        most = max(reposts, given_)
        assert found.posts[i] == own - reposts + most
        assert found.passed_on[i] == links + most
        assert found.reposted[i] == sum(counts[3] for _, b, day, counts in engaged if b == key and day > today - 365)
    seen = {a for a, _, _, counts in engaged if any(counts)} | {a for a, _, _ in posted}
    for network in "xy":
        accounts = [key for key in graph.keys if key.startswith(network)]
        active = [key for key in accounts if key in seen]
        everybody = len(active) >= share * len(accounts) and bool(active)
        for key in accounts:
            assert found.known[list(graph.keys).index(key)] == (everybody or key in seen)


def ring(**more: object) -> Graph:
    return make_graph(clique(f"x:{i}" for i in range(10)), unfollowed=TODAY * DAY_MS, **more)


def gates(graph: Graph) -> dict[str, tuple[bool, int]]:
    analysis = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0)), no_progress)
    check_laws(graph, analysis)
    return {gate.gate: (gate.known, gate.excluded) for gate in analysis.communities[0].gates}


def test_who_has_done_nothing_lately_is_compared_with_nobody() -> None:
    assert gates(ring())["inactive"] == (False, 0), "nothing is known of what anybody does"
    recent = [(f"x:{i}", TODAY - 5, (1, 0, 0)) for i in range(6)]
    assert gates(ring(postings=recent))["inactive"] == (True, 4), "most were seen, so the others did nothing"
    some = [*recent[:3], ("x:3", TODAY - 90, (1, 0, 0)), ("x:4", TODAY - 89, (1, 0, 0))]
    assert gates(ring(postings=some[:4]))["inactive"] == (True, 1), "of few seen, only those are judged"
    liking = [("x:0", "x:1", TODAY, (1, 0, 0, 0)), ("x:2", "x:1", TODAY - 200, (1, 0, 0, 0))]
    assert gates(ring(engaged=liking))["inactive"] == (True, 1), "to be engaged with is not to be active"
    both = ring(postings=[("x:0", TODAY - 90, (1, 0, 0))], opted_out=["x:0"])
    assert gates(both)["opted_out"] == (True, 1)
    assert gates(both)["inactive"] == (True, 0), "counted by the first gate"


def test_a_community_where_few_are_active_is_not_respectable() -> None:
    posted = [(f"x:{i}", TODAY - (5 if i < 2 else 200), (1, 0, 0)) for i in range(10)]
    graph = ring(postings=posted)
    [community] = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0)), no_progress).communities
    assert [(test.test, test.value) for test in community.tests if test.passed is False] == [("active_share", 0.2)]
    assert not community.respectable


def test_excluded_are_named_but_those_who_opted_out() -> None:
    posted = [(f"x:{i}", TODAY - (5 if i < 8 else 200), (1, 0, 0)) for i in range(10)]
    graph = ring(postings=posted, opted_out=["x:9"], own=[("x:0", "shop")], brands={"shop": None})
    analysis = analyse(graph, RunSpec(rules=ScoringRules(rewirings=0)), no_progress)
    [lines] = [list(part.lines) for part in analysis.parts if part.name.startswith("excluded/")]
    assert lines == [
        b'{"key":"x:0","handle":null,"gate":"brand_account"}',
        b'{"key":"x:8","handle":null,"gate":"inactive"}',
    ]
