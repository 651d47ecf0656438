"""Signs of manipulation: found by their definition, and what bought followers, rings and bursts then change."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.activity import activity
from service.analytics.analysis import analyse
from service.analytics.graph import build_graph, columns_of
from service.analytics.integrity import TIMES_USUAL, integrity
from service.analytics.scoring import MACRO
from service.domain import Analysis, Candidate, Graph, RunSpec, ScoringRules, bio_digest, no_progress
from tests.unit.analytics_graphs import Edge, Engaged, columns, edge_lists, edges_of, laws, make_graph
from tests.unit.attacks import bought, burst, fake_ring, ring, with_follows
from tests.unit.sample_graph import sample_and_graph
from tests.unit.test_analytics_measures import TODAY, interactions

RULES = ScoringRules(rewirings=0, reweightings=0)
SMALL = ScoringRules(ring_members=3, ring_density=0.7, real_followers=2)
BOUND = 0.15
"""A ring of 50 real members moves a member's rank by at most this share of its community, see docs/validity.md."""


def plain_signs(graph: Graph, rules: ScoringRules) -> tuple[set[str], set[frozenset[str]]]:
    """Empty accounts and rings, as they are defined, by sets and networkx."""
    doing = activity(graph, rules)
    keys, follows = list(graph.keys), set(edges_of(graph))
    known = {key for key, one in zip(keys, doing.known.tolist(), strict=True) if one}
    seen = {key for key, one in zip(keys, doing.seen.tolist(), strict=True) if one}
    rows = np.repeat(np.arange(graph.n), np.diff(graph.engaged_ptr)).tolist()
    engaged = {(keys[i], keys[j]) for i, j in zip(rows, graph.engaged_idx.tolist(), strict=True)}
    silent = {a for a, _ in follows if a in known and a not in seen and all(b != a for _, b in engaged)}
    real = {a: [c for c, b in follows if b == a and c not in silent] for a in silent}
    empty = {a for a, by in real.items() if all((a, c) in follows for c in by) and len(by) < rules.real_followers}
    wordless = nx.Graph()
    for a, b in follows:
        able = a in known and b in known and a not in empty and b not in empty
        if able and (b, a) in follows and (a, b) not in engaged and (b, a) not in engaged:
            wordless.add_edge(a, b)
    core = nx.k_core(wordless, rules.ring_members - 1)
    return empty, {
        frozenset(part) for part in nx.connected_components(core)
        if core.subgraph(part).size() * 2 >= rules.ring_density * len(part) * (len(part) - 1)
    }  # fmt: skip


@laws
@given(edge_lists(), interactions(), st.booleans())
def test_signs_are_those_of_their_definition(edges: list[Edge], engaged: list[Engaged], dense: bool) -> None:
    if dense:  # so that there are rings
        edges = edges + [(f"x:{i}", f"x:{j}", 1.0) for i in range(5) for j in range(5) if i != j]
        edges = [(a, b, 1.0) for a, b in sorted({(a, b) for a, b, _ in edges})]
    graph = make_graph(edges, engaged=engaged, at=TODAY * 86_400_000)
    if graph.n == 0:
        return
    found = integrity(graph, activity(graph, SMALL), SMALL)
    empty, rings = plain_signs(graph, SMALL)
    assert {graph.keys[i] for i in np.flatnonzero(found.empty).tolist()} == empty
    numbers = range(1, int(found.ring.max(initial=0)) + 1)
    in_rings = [frozenset(graph.keys[i] for i in np.flatnonzero(found.ring == one).tolist()) for one in numbers]
    assert set(in_rings) == rings
    assert [min(one) for one in in_rings] == sorted(min(one) for one in in_rings)
    talk = {(a, b) for a, b, _, _ in engaged} | {(b, a) for a, b, _, _ in engaged}
    follows = set(edges_of(graph))
    gone = {(a, b) for a, b in follows if a in empty or b in empty}
    gone |= {
        (a, b) for one in rings for a in one for b in one
        if {(a, b), (b, a)} <= follows and (a, b) not in talk
    }  # fmt: skip
    assert set(edges_of(found.counted)) == follows - gone


def test_where_nothing_is_known_of_what_accounts_do_nothing_is_said() -> None:
    graph = make_graph([(f"x:{i}", "x:star", 1.0) for i in range(30)])
    found = integrity(graph, activity(graph, RULES), RULES)
    assert found.counted is graph
    assert not found.empty.any()
    assert not found.ring.any()


def test_nothing_is_looked_for_when_the_rule_is_off() -> None:
    _, graph, _ = sampled()
    off = RULES.model_copy(update={"leave_out_suspicious": False})
    assert integrity(graph, activity(graph, off), off).counted is graph


# --- manipulation ------------------------------------------------------------------------------------------------


def analysed(graph: Graph) -> Analysis:
    return analyse(graph, RunSpec(rules=RULES, measures=("pagerank",)), no_progress)


@functools.cache
def sampled() -> tuple[list[tuple[str, int]], Graph, Analysis]:
    """Members of the three largest communities, one in ten by score, with the place of their community."""
    _, graph = sample_and_graph(6_000)
    analysis = analysed(graph)
    chosen = []
    for place in range(3):
        scores = analysis.scores[place]
        able = np.flatnonzero(scores.in_base & (scores.type != MACRO))
        order = able[np.argsort(-scores.score[able], kind="stable")]
        chosen += [(graph.keys[int(scores.members[i])], place) for i in order[:: max(1, len(order) // 4)].tolist()]
    return chosen, graph, analysis


def standings(graph: Graph, analysis: Analysis) -> dict[str, tuple[str, int, int]]:
    """Community, score and rank among all of the base that are no macros, of each of these."""
    found = {}
    for community, scores in zip(analysis.communities, analysis.scores, strict=True):
        able = np.flatnonzero(scores.in_base & (scores.type != MACRO))
        order = able[np.argsort(-scores.score[able], kind="stable")].tolist()
        for rank, i in enumerate(order, 1):
            found[graph.keys[int(scores.members[i])]] = (community.id, int(scores.score[i]), rank)
    return found


def test_bought_followers_of_the_sample_are_found() -> None:
    sample, graph = sample_and_graph(6_000)
    found = integrity(graph, activity(graph, RULES), RULES)
    assert np.all(found.empty[sample.people.bought])
    assert np.count_nonzero(found.empty) <= 2 * np.count_nonzero(sample.people.bought)
    assert not found.ring.any()


@pytest.mark.parametrize("place", range(0, 12, 3))
def test_bought_followers_and_fake_rings_move_nobody(place: int) -> None:
    """1% of all accounts following one, or a ring of 50 with 49 of them new: every score and rank stays as it was."""
    chosen, graph, analysis = sampled()
    buyer = chosen[place][0]
    before = standings(graph, analysis)
    for attacked in (bought(graph, buyer, 0.01), bought(graph, buyer, 0.10), fake_ring(graph, buyer, 50)):
        assert standings(attacked, analysed(attacked)) == before


def test_what_was_left_out_is_said_with_the_candidate() -> None:
    _, graph, analysis = sampled()
    [lines] = [part.lines for part in analysis.parts if part.name == f"candidates/{analysis.communities[0].id}"]
    buyer = Candidate.model_validate_json(lines[0])
    attacked = bought(graph, buyer.key, 0.05)
    after = analysed(attacked)
    [lines] = [part.lines for part in after.parts if part.name == f"candidates/{after.communities[0].id}"]
    found = {one.key: one for one in map(Candidate.model_validate_json, lines)}[buyer.key]
    new = attacked.n - graph.n
    [sign] = [one for one in found.signs if one.sign == "empty_followers"]
    had = sum(one.count for one in buyer.signs if one.sign == "empty_followers")
    assert (sign.count, sign.total, found.followers) == (had + new, found.followers, buyer.followers + new)
    assert sign.share == pytest.approx(sign.count / found.followers)
    assert len(sign.accounts) == RULES.evidence_items
    assert f"{sign.count} of the {found.followers} followers" in sign.en
    assert f"{sign.count} des {found.followers} abonnés" in sign.fr
    assert after.quality.empty_accounts == analysis.quality.empty_accounts + new
    assert after.quality.follows_left_out == analysis.quality.follows_left_out + new
    assert (found.score_millionths, found.rank) == (buyer.score_millionths, buyer.rank)
    [test] = [one for one in after.communities[0].tests if one.test == "suspicious_share"]
    assert test.value == pytest.approx(new / (new + after.communities[0].size), rel=0.1)


followings = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([-1, 100, 101, 102])),
    max_size=40,
    unique_by=lambda one: one[:2],
).map(lambda edges: [(a, b, day) for a, b, day in edges if a != b])


@laws
@given(followings, st.lists(st.sampled_from(["", "Love life", "Love life | DM", "love LIFE dm", "Mostly jazz, really"]),
                            min_size=10, max_size=10))  # fmt: skip
def test_copied_bios_and_bursts_of_follows_are_those_of_their_definition(
    follows: list[tuple[int, int, int]], bios: list[str]
) -> None:
    rules = ScoringRules(copied_bios=2, follow_burst=2, burst_share=0.5)
    graph = make_graph([], [f"x:{i}" for i in range(10)])
    for day in (-1, 100, 101, 102):
        graph = with_follows(graph, [(f"x:{a}", f"x:{b}") for a, b, on in follows if on == day], day=day)
    graph = replace(graph, bio=np.array([bio_digest(bio) for bio in bios]))
    found = integrity(graph, activity(graph, rules), rules)
    said = ["".join(one for one in bio.casefold() if one.isalnum()) for bio in bios]
    copied = [len(one) >= 12 and said.count(one) >= 2 for one in said]
    assert found.copied.tolist() == copied
    dated = [(b, day) for _, b, day in follows if day >= 0]
    for account in range(10):
        own = Counter(day for b, day in dated if b == account)
        everywhere = Counter(day for _, day in dated)
        bursts = [
            (-count, day) for day, count in own.items()
            if count >= 2 and 2 * count >= own.total()
            and count * len(dated) >= TIMES_USUAL * everywhere[day] * own.total()
        ]  # fmt: skip
        assert found.burst_day[account] == (min(bursts)[1] if bursts else -1)
    none = rules.model_copy(update={"leave_out_suspicious": False})
    silent = integrity(graph, activity(graph, none), none)
    assert not silent.copied.any()
    assert silent.burst_day.max() == -1


def test_followers_that_came_in_a_day_with_one_bio_are_named_and_cost_nothing_by_themselves() -> None:
    """Of bought ones it is said that they are empty, too; where nothing is known of activity, that they count."""
    _, graph, analysis = sampled()
    [lines] = [part.lines for part in analysis.parts if part.name == f"candidates/{analysis.communities[0].id}"]
    buyer = Candidate.model_validate_json(lines[0])
    day = (graph.as_of or 0) // 86_400_000 - 50
    fakes = [(f"sample:fake{i}", buyer.key) for i in range(3 * buyer.followers)]
    attacked = with_follows(graph, fakes, bio="Love life | DM for a collab", day=day)
    after = analysed(attacked)
    found = {one.key: one for part in after.candidates for one in part}[buyer.key]
    signs = {one.sign: one for one in found.signs}
    date = np.datetime64(day, "D").item()
    burst, copied = signs["follow_burst"], signs["copied_bios"]
    assert len(fakes) <= burst.count <= len(fakes) + buyer.followers
    assert burst.total == found.followers
    assert f"came on one day, {date.day} " in burst.en
    assert str(date.year) in burst.fr
    assert copied.count == copied.left_out == len(fakes)
    assert copied.en.endswith("word for word. They count nothing.")
    assert "mot pour mot. Ils ne comptent pas." in copied.fr
    assert (found.score_millionths, found.rank) == (buyer.score_millionths, buyer.rank)

    unknown = without_activity(attacked)
    scores = analysed(unknown)
    for one in (one for part in scores.candidates for one in part):
        for sign in one.signs:
            assert sign.sign in ("follow_burst", "copied_bios")
            assert sign.left_out == 0
            assert sign.en.endswith("count as others do.")
    named = {one.key for part in scores.candidates for one in part if one.signs}
    everybody = {one.key for part in scores.candidates for one in part}
    assert buyer.key in named or buyer.key not in everybody


def without_activity(graph: Graph) -> Graph:
    """The graph with its follows alone."""
    now = columns_of(graph)
    alone = columns([], [])
    return build_graph(
        replace(
            now, engagements=alone.engagements, postings=alone.postings, mentions=alone.mentions, topics=alone.topics
        )
    )


@pytest.mark.parametrize("place", range(1, 12, 4))
def test_a_ring_of_real_members_moves_a_rank_within_the_bound(place: int) -> None:
    """Fifty accounts of a community begin to follow each other: nobody among them gains more than is documented.

    Follows in return that were there before and never led to a word are left out with the ring's, which can cost some.
    """
    chosen, graph, analysis = sampled()
    member, community = chosen[place]
    scores = analysis.scores[community]
    others = sorted(graph.keys[i] for i in scores.members.tolist() if graph.keys[i] != member)
    drawn = np.random.default_rng(place).permutation(len(others))[:49].tolist()
    attacked = ring(graph, [member, *(others[i] for i in drawn)])
    before, after = standings(graph, analysis), standings(attacked, analysed(attacked))
    assert before[member][2] - after[member][2] <= BOUND * analysis.communities[community].size


def test_a_burst_of_likes_is_capped() -> None:
    """Three members like one of the community 500 times a day: as much as 3 times."""
    chosen, graph, analysis = sampled()
    member, community = chosen[1]
    scores = analysis.scores[community]
    fans = sorted(graph.keys[i] for i in scores.members[scores.in_base].tolist() if graph.keys[i] != member)[:3]
    many, few = (analysed(burst(graph, member, fans, likes)) for likes in (500, 3))
    row = 2  # resonance
    assert many.quality.modularity == few.quality.modularity
    for one, other in zip(many.scores, few.scores, strict=True):
        np.testing.assert_array_equal(one.members, other.members)
        np.testing.assert_array_equal(one.raw[row], other.raw[row])
    found = {one.key: one for part in many.candidates for one in part}[member]
    [sign] = [one for one in found.signs if one.sign == "burst"]
    assert 3 * 480 < sign.count < sign.total
    assert sign.share == pytest.approx(sign.count / sign.total)
    assert set(sign.accounts[:3]) == set(fans)
    assert "in bursts" in sign.en
    assert "par rafales" in sign.fr
