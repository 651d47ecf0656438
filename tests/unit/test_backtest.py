"""Back-tests: measures of rankings, the graph as it was, what leaks, outcomes, and whole reports."""

from __future__ import annotations

import functools
import itertools
import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import spearmanr

from service.analytics.analysis import analyse
from service.analytics.backtest import BASELINES, RANKINGS, _Sum, cut_days, outcomes_after
from service.analytics.calibration import fit_weights, part_weights
from service.analytics.forecast import expected_responses
from service.analytics.graph import build_graph, columns_of
from service.analytics.past import as_it_was, require_no_future
from service.analytics.ranking_quality import at_places, discounts, ndcg, precision, standard_ranks
from service.domain import (
    DAY_MS,
    PART_NAMES,
    BacktestReport,
    BacktestSpec,
    EndorsementColumns,
    EngagementColumns,
    FollowColumns,
    Graph,
    LensShares,
    PartWeights,
    Past,
    Texts,
    no_progress,
)
from service.errors import FutureLeaked, InvalidRequest, NothingToTest
from service.flows.backtest import backtest, ranked_before, run_of_backtest
from service.flows.backtest_chart import chart
from service.flows.calibrate import calibrate, windows
from service.sample import DAY, MIN_FOLLOWS
from tests.unit.analytics_graphs import endorsed_in, laws, make_graph
from tests.unit.plain_scores import plain_x
from tests.unit.sample_graph import past_of, sample_and_graph, snapshot_of

FOLLOWS = 6_000
SPEC = BacktestSpec(first=(5, 10), draws=40)


@functools.cache
def sampled() -> tuple[Graph, Past, BacktestReport]:
    sample, graph = sample_and_graph(FOLLOWS)
    past = past_of(sample, cut_days(graph, SPEC)[1])
    return graph, past, backtest(graph, past, SPEC, no_progress)


# --- how well a ranking did --------------------------------------------------------------------------------------

tied = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=6)


@laws
@given(tied, st.integers(1, 7))
def test_measures_are_means_over_all_orders_of_what_ties(pairs: list[tuple[int, int]], first: int) -> None:
    """Against brute force: every order that puts higher values first, each as likely as the others."""
    value, gain = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    if not gain.any():
        return
    n = len(pairs)
    orders = [
        p for p in itertools.permutations(range(n)) if all(value[a] >= value[b] for a, b in itertools.pairwise(p))
    ]
    weights = discounts(first)
    ideal = sum(g * w for g, w in zip(sorted(gain, reverse=True), weights, strict=False))
    expected = np.mean([sum(gain[i] * w for i, w in zip(order, weights, strict=False)) for order in orders]) / ideal
    assert ndcg(gain, at_places(value, weights)[:, None], weights)[0] == pytest.approx(expected)
    last = sorted(gain, reverse=True)[min(first, n) - 1]
    good = {i for i in range(n) if gain[i] >= last and gain[i] > 0}
    hits = np.mean([len(good & set(order[:first])) for order in orders]) / first
    assert precision(gain, at_places(value, np.ones(first))[:, None], first)[0] == pytest.approx(hits)


@laws
@given(tied)
def test_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    found = float(standard_ranks(one) @ standard_ranks(other))
    constant = len(set(one)) == 1 or len(set(other)) == 1
    assert found == pytest.approx(0.0 if constant else spearmanr(one, other).statistic)


def test_the_best_order_has_1_and_no_order_what_chance_has() -> None:
    gain = np.array([5.0, 0.0, 3.0, 1.0, 0.0])
    weights = discounts(3)
    placed = np.stack([at_places(gain, weights), at_places(np.zeros(5), weights)], axis=1)
    best, chance = ndcg(gain, placed, weights)
    assert best == pytest.approx(1)
    drawn = [
        ndcg(gain, at_places(np.random.default_rng(i).random(5), weights)[:, None], weights)[0] for i in range(4000)
    ]
    assert chance == pytest.approx(np.mean(drawn), abs=0.01)


def test_sums_over_communities_are_means_of_those_that_were_drawn() -> None:
    rng = np.random.default_rng(2)
    values = rng.random((3, 21, 2))
    total = _Sum([4, 5, 9])
    total.draw(BacktestSpec(draws=20))
    for place, community in enumerate((4, 5, 9)):
        total.add(community, values[place])
    mean, drawn = total.means()
    np.testing.assert_allclose(mean, values[:, 0].mean(axis=0))
    assert total.times.sum(axis=1).tolist() == [3] * 20
    for draw in range(20):
        chosen = np.repeat(np.arange(3), total.times[draw])
        np.testing.assert_allclose(drawn[draw], values[chosen, draw + 1].mean(axis=0))


# --- the graph as it was -------------------------------------------------------------------------------------------


def same_arrays(one: Graph, other: Graph) -> None:
    for field in fields(Graph):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, Texts):
            assert list(a) == list(b), field.name
        else:
            np.testing.assert_array_equal(a, b, err_msg=field.name)


def test_the_graph_as_it_was_is_the_one_of_the_events_before() -> None:
    """Against the sample told only up to the cut: follows, interactions, posts, topics, mentions and relations."""
    sample, graph = sample_and_graph(FOLLOWS)
    past = sampled()[1]
    was, there, left_out = as_it_was(graph, past)
    before = past.before_day * DAY
    early = replace(
        sample,
        follows=_older(sample.follows, before),
        interactions=_older(sample.interactions, before),
        relations=_older(sample.relations, before, "since"),
    )
    told = snapshot_of(early)
    posted = told.postings.day < past.before_day
    mentioned = told.mentions.at < 1000 * before
    assert [graph.keys[i] for i in there.tolist()] == list(was.keys)
    assert was.m == len(early.follows.at) == graph.m - left_out.follows
    assert set(_pairs(was)) == {
        (f"sample:u{a:06}", f"sample:u{b:06}")
        for a, b in zip(early.follows.follower.tolist(), early.follows.followee.tolist(), strict=True)
    }
    assert len(was.engaged_day) == len(told.engagements.day)
    assert was.engaged_counts[was.engaged_code].sum() == told.engagements.counts.sum()
    assert was.posted_counts.sum() == told.postings.counts[posted].sum()
    assert len(was.mention_at) == np.count_nonzero(mentioned)
    assert len(was.relation_account) == len(early.relations.account)
    assert np.all(was.relation_until < 1000 * before)
    assert np.all(was.followers == -1)
    assert left_out.accounts == graph.n - was.n
    assert was.as_of is not None
    assert was.as_of < 1000 * before


def _older(columns, before, at="at"):  # type: ignore[no-untyped-def]
    kept = getattr(columns, at) < before
    return replace(columns, **{one.name: getattr(columns, one.name)[kept] for one in fields(columns)})


def _pairs(graph: Graph) -> list[tuple[str, str]]:
    source = np.repeat(np.arange(graph.n), np.diff(graph.out_ptr)).tolist()
    return [(graph.keys[i], graph.keys[j]) for i, j in zip(source, graph.out_idx.tolist(), strict=True)]


def test_whatever_happens_afterwards_the_past_is_the_same() -> None:
    """Interactions, posts, accounts and reported followers of afterwards are changed at random; nothing of it shows."""
    graph, past, report = sampled()
    rng = np.random.default_rng(3)
    now = columns_of(graph)
    engaged, posted = now.engagements, now.postings
    later = engaged.day >= past.before_day
    counts = engaged.counts.copy()
    counts[later] = rng.integers(0, 50, counts[later].shape)
    gone = later & (rng.random(len(later)) < 0.5)
    late = (posted.day >= past.before_day)[:, None]
    newcomer, fans = int(now.accounts.n.max()) + 1, now.accounts.n[:50]
    changed = replace(
        now,
        accounts=replace(
            now.accounts,
            n=np.append(now.accounts.n, newcomer),
            key=[*now.accounts.key, "a:newcomer"],
            handle=[*now.accounts.handle, None],
            opted_out=np.append(now.accounts.opted_out, np.False_),
            followers=np.append(rng.integers(0, 10**6, graph.n), 10**7),
            bio=rng.integers(0, 5, graph.n + 1),
        ),
        follows=FollowColumns(
            np.append(now.follows.source, fans),
            np.append(now.follows.target, np.full(len(fans), newcomer)),
            np.append(now.follows.weight, np.ones(len(fans))),
            np.append(graph.out_day.astype(np.int64), np.full(len(fans), past.before_day)),
        ),
        engagements=EngagementColumns(engaged.source[~gone], engaged.target[~gone], engaged.day[~gone], counts[~gone]),
        postings=replace(posted, counts=np.where(late, posted.counts * 3, posted.counts)),
    )
    other = build_graph(changed)
    one_was, _, _ = as_it_was(graph, past)
    other_was, _, _ = as_it_was(other, past)
    same_arrays(one_was, other_was)
    ranked, _, _ = ranked_before(other_was, SPEC, no_progress)
    for before, after in zip(ranked_before(one_was, SPEC, no_progress)[0], ranked, strict=True):
        np.testing.assert_array_equal(before.values, after.values)
    assert report.figures


def test_endorsements_of_afterwards_or_without_time_are_left_out() -> None:
    graph, past, _ = sampled()
    now, cut = columns_of(graph), DAY_MS * past.before_day
    n = now.accounts.n
    endorsements = EndorsementColumns(n[:3], n[1:4], np.array([cut - 1, cut, -1]), cut + 5)
    was, _, _ = as_it_was(build_graph(replace(now, endorsements=endorsements)), past)
    assert endorsed_in(was) == [(graph.keys[0], graph.keys[1], cut - 1)]
    assert (was.endorsed_latest, was.as_of) == (cut - 1, cut - 1)


def planted_leaks() -> list[tuple[str, Graph, Past]]:
    graph, past, _ = sampled()
    was, _, _ = as_it_was(graph, past)
    cut = DAY_MS * past.before_day
    late = np.array([past.before_day], dtype=np.int32)
    return [
        ("a follow", replace(was, followed_at=cut), past),
        ("a follow", replace(was, out_day=np.append(was.out_day[:-1], late)), past),
        ("the latest post on a topic", replace(was, topic_latest=np.append(was.topic_latest[:-1], cut)), past),
        ("words of posts", replace(was, word_idx=late), past),
        ("a bio", replace(was, bio=np.ones(was.n, dtype=np.int64)), past),
        ("a post or share on a topic", was, replace(past, topics_at=cut)),
        ("an interaction", replace(was, engaged_day=np.append(was.engaged_day[:-1], late)), past),
        ("a post", replace(was, posted_day=np.append(was.posted_day[:-1], late)), past),
        ("the first use of a topic", replace(was, topic_first=np.append(was.topic_first[:-1], cut)), past),
        ("a mention of a brand", replace(was, mention_at=np.append(was.mention_at[:-1], cut)), past),
        ("an endorsement", replace(was, endorsed_latest=cut), past),
        ("an endorsement", replace(was, endorsed_at=np.array([cut])), past),
        ("a relation to a brand", replace(was, relation_since=np.append(was.relation_since[:-1], cut)), past),
        ("a reported number of followers", replace(was, followers=graph.followers[: was.n]), past),
    ]


@pytest.mark.parametrize("place", range(14))
def test_a_planted_leak_is_caught(place: int) -> None:
    name, was, past = planted_leaks()[place]
    with pytest.raises(FutureLeaked, match=f"holds {name} of"):
        require_no_future(was, past)


def test_a_past_that_was_read_wrong_gives_no_report() -> None:
    """As if the query of follows had forgotten its time: the report is refused, not made."""
    graph, past, _ = sampled()
    now = columns_of(graph).follows
    leaking = replace(past, source=now.source, target=now.target, followed_at=graph.followed_at)
    with pytest.raises(FutureLeaked, match="a follow"):
        backtest(graph, leaking, SPEC, no_progress)


# --- outcomes and reports ----------------------------------------------------------------------------------------


def test_outcomes_are_those_of_a_slow_plain_version() -> None:
    graph, past, _ = sampled()
    was, there, _ = as_it_was(graph, past)
    found, _, labels = ranked_before(was, SPEC, no_progress)
    first, cut, until = cut_days(graph, SPEC)
    outcomes = outcomes_after(graph, there, labels, found, (cut, until))
    before: set[tuple[str, str]] = set()
    after: dict[tuple[str, str], int] = {}
    rows = np.repeat(np.arange(graph.n), np.diff(graph.engaged_ptr)).tolist()
    for i, j, day, code in zip(
        rows, graph.engaged_idx.tolist(), graph.engaged_day.tolist(), graph.engaged_code.tolist(), strict=True
    ):
        pair = graph.keys[i], graph.keys[j]
        if day < cut:
            before.add(pair)
        else:
            after[pair] = after.get(pair, 0) + int(graph.engaged_counts[code].sum())
    assert first < cut < until
    assert found
    for ranked, outcome in zip(found, outcomes, strict=True):
        members = {was.keys[i] for i in ranked.members.tolist()}
        names = [was.keys[i] for i in ranked.members[ranked.ranked].tolist()]
        received = dict.fromkeys(names, 0)
        new = dict.fromkeys(names, 0)
        for (who, whom), count in after.items():
            if who in members and whom in received:
                received[whom] += count
                new[whom] += (who, whom) not in before
        assert outcome.worth("engagement", len(names)).tolist() == [received[name] for name in names]
        assert outcome.worth("responders", len(names)).tolist() == [new[name] for name in names]


def test_a_report_holds_every_ranking_and_measure_once() -> None:
    _, past, report = sampled()
    expected = {
        (outcome, *measure, ranking)
        for outcome in ("engagement", "responders")
        for measure in (("ndcg", 5), ("ndcg", 10), ("precision", 5), ("precision", 10), ("spearman", None))
        for ranking in RANKINGS
    }
    assert {(one.outcome, one.measure, one.first, one.ranking) for one in report.figures} == expected
    assert len(report.figures) == len(expected)
    for one in report.figures:
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9
        assert (one.ahead is None) == (one.ranking == "score")
    by = {(one.outcome, one.measure, one.first, one.ranking): one for one in report.figures}
    for verdict in report.verdicts:
        key = verdict.outcome, verdict.measure, verdict.first
        values = {name: by[(*key, name)].value for name in BASELINES}
        assert values[verdict.strongest] == max(values.values())
        assert verdict.ahead == pytest.approx(by[(*key, "score")].value - values[verdict.strongest], abs=2e-6)
        assert verdict.says == ("ahead" if verdict.low > 0 else "behind" if verdict.high < 0 else "level")
    assert report.cut == date(1970, 1, 1) + timedelta(days=past.before_day)
    assert BacktestReport.model_validate_json(report.model_dump_json()) == report


def test_engagement_so_far_is_ahead_of_chance_in_the_sample() -> None:
    """A law of the sample: whoever was responded to is again; chance is exactly at the base rate."""
    _, _, report = sampled()
    by = {
        one.ranking: one
        for one in report.figures
        if (one.outcome, one.measure, one.first) == ("engagement", "ndcg", 10)
    }
    assert by["engagement"].low > by["random"].high
    assert by["score"].low > by["random"].high


def test_a_score_of_one_lens_alone_is_that_lens() -> None:
    """Every figure of the score is then that of the lens, with its interval: places keep the order of values."""
    graph, past, before = sampled()
    report = backtest(graph, past, SPEC.model_copy(update={"lenses": {"market": 1.0}}), no_progress)
    by = {(one.outcome, one.measure, one.first, one.ranking): one for one in report.figures}
    for (*measure, ranking), one in by.items():
        if ranking == "score":
            lens = by[(*measure, "lens.market")]  # type: ignore[index]
            assert (one.value, one.low, one.high) == (lens.value, lens.low, lens.high)
            assert lens.ahead == 0
    others = [one for one in before.figures if one.ranking != "score"]
    kept = [(one.ranking, one.value) for one in report.figures if one.ranking != "score"]
    assert kept == [(one.ranking, one.value) for one in others], "other rankings do not depend on it"


def test_parts_and_lenses_are_weighed_together_as_in_a_question() -> None:
    """The score of a back-test with lenses is that of the same weights in a question, member by member."""
    graph, past, _ = sampled()
    was, _, _ = as_it_was(graph, past)
    shares: LensShares = {"standing": 0.25, "context": 0.35}
    rules = SPEC.rules.model_copy(
        update={"weights": PartWeights(authority=0.5, reach=0, resonance=0, trust=0.5, relevance=0, affinity=0)}
    )
    found, _, _ = ranked_before(was, SPEC.model_copy(update={"rules": rules, "lenses": shares}), no_progress)
    columns = [list(RANKINGS).index(name) for name in ("lens.standing", "lens.context")]
    analysis = analyse(was, run_of_backtest(SPEC.model_copy(update={"rules": rules})), no_progress)
    scores = {one.id: one_scores for one, one_scores in zip(analysis.communities, analysis.scores, strict=False)}
    assert found
    for ranked in found:
        of = scores[ranked.community.id]
        base = np.flatnonzero(of.in_base)
        weights = {"authority": 0.2, "trust": 0.2, **shares}
        x = {part: dict(zip(base, of.x[PART_NAMES.index(part), base], strict=True)) for part in ("authority", "trust")}  # type: ignore[arg-type]
        for lens, column in zip(shares, columns, strict=True):
            values = next(one for one in analysis.lenses if one.lens == lens)
            of_base = [float(values.value[of.members[i]]) if values.null[of.members[i]] < 0 else 0.0 for i in base]
            x[lens] = {i: plain_x(value, of_base) for i, value in zip(base, of_base, strict=True)}
            own = [values.value[of.members[i]] if values.null[of.members[i]] < 0 else 0 for i in ranked.ranked]
            assert ranked.values[:, column].tolist() == own
        for place, i in enumerate(ranked.ranked.tolist()):
            score = sum(100 * 1_000_000 * weights[name] * x[name][i] for name in weights)
            assert ranked.values[place, 0] == pytest.approx(score, abs=3)


def test_lenses_that_weigh_more_than_everything_are_refused() -> None:
    with pytest.raises(ValidationError, match="not sum to more than 1"):
        BacktestSpec(lenses={"market": 0.7, "context": 0.4})
    assert BacktestSpec(lenses={"market": 0.2, "standing": 0.1, "context": 0}).lenses == {
        "standing": 0.1,
        "market": 0.2,
    }


def test_the_order_in_which_things_were_read_does_not_show() -> None:
    graph, past, report = sampled()
    now = columns_of(graph)
    rng = np.random.default_rng(1)
    follows, engaged = rng.permutation(graph.m), rng.permutation(len(graph.engaged_day))
    shuffled = build_graph(
        replace(
            now,
            follows=FollowColumns(
                *(getattr(now.follows, one)[follows] for one in ("source", "target", "weight", "day"))  # type: ignore[index]
            ),
            engagements=EngagementColumns(
                *(getattr(now.engagements, one)[engaged] for one in ("source", "target", "day", "counts"))
            ),
        )
    )
    order = rng.permutation(len(past.source))
    mixed = replace(past, source=past.source[order], target=past.target[order])
    assert backtest(shuffled, mixed, SPEC, no_progress) == report


def test_where_to_cut() -> None:
    graph, _, _ = sampled()
    first, end = int(graph.engaged_day.min()), int(graph.engaged_day.max()) + 1
    assert cut_days(graph, BacktestSpec(share=0.25)) == (first, first + round(0.25 * (end - first)), end)
    day = date(1970, 1, 1) + timedelta(days=first + 20)
    assert cut_days(graph, BacktestSpec(cut=day, horizon_days=7)) == (first, first + 20, first + 27)
    for cut in (date(1970, 1, 1) + timedelta(days=first), date(1970, 1, 1) + timedelta(days=end), date(1999, 1, 1)):
        with pytest.raises(NothingToTest, match="must be after the first"):
            cut_days(graph, BacktestSpec(cut=cut))
    with pytest.raises(NothingToTest, match="no interactions"):
        cut_days(make_graph([("x:a", "x:b", 1.0)]), BacktestSpec())


def test_what_cannot_be_measured_is_said() -> None:
    sample, graph = sample_and_graph(MIN_FOLLOWS)
    spec = BacktestSpec(first=(500,), draws=20)
    with pytest.raises(NothingToTest, match="No community of the time before can be measured"):
        backtest(graph, past_of(sample, cut_days(graph, spec)[1]), spec, no_progress)


# --- the picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_chart_shows_every_ranking(lang: str) -> None:
    _, _, report = sampled()
    drawn = ET.fromstring(chart(report, "responders", "ndcg", None, lang))  # type: ignore[arg-type]
    texts = ["".join(one.itertext()) for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    some = [one for one in report.figures if (one.outcome, one.measure, one.first) == ("responders", "ndcg", 10)]
    assert len(some) == len(RANKINGS)
    assert all(f"{one.value:.3f}" in texts for one in some)
    assert "NDCG@10" in texts[0]
    assert ("follower count" if lang == "en" else "le nombre d'abonnés") in texts
    legend = {"en": ["ambassador score", "part of it", "lens", "simple baseline"],
              "fr": ["score d'ambassadeur", "une partie", "lentille", "mesure simple"]}  # fmt: skip
    assert texts[-4:] == legend[lang]


def test_a_chart_of_figures_that_are_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="`first` may be 5, 10"):
        chart(sampled()[2], "engagement", "ndcg", 7)


# --- calibration -------------------------------------------------------------------------------------------------


def test_planted_weights_are_found_again() -> None:
    rng = np.random.default_rng(5)
    planted = np.array([0.5, 0.0, 0.3, 0.2, 0.0])
    data = []
    for _ in range(40):
        x = rng.exponential(0.2, (200, 5))
        data.append((x, rng.poisson(20 * np.exp(6 * x @ planted)).astype(np.float64)))
    assert fit_weights(data) == pytest.approx(planted, abs=0.03)


def test_no_other_weights_fit_better() -> None:
    """The loss is convex: the optimum is at or below every other weighting that was tried, at the best scale for it."""
    rng = np.random.default_rng(6)
    x = rng.random((60, 3))
    worth = rng.poisson(5 * x[:, 0] ** 2 + x[:, 1]).astype(np.float64)
    share = worth / worth.sum()

    def loss(weights: np.ndarray) -> float:  # type: ignore[type-arg]
        values = []
        for scale in np.geomspace(0.1, 50, 80):
            scores = scale * (x @ weights)
            values.append(float(-(share @ (scores - np.log(np.exp(scores).sum())))))
        return min(values)

    found = fit_weights([(x, worth)])
    assert found.sum() == pytest.approx(1)
    assert np.all(found >= 0)
    assert all(loss(found) <= loss(rng.dirichlet(np.ones(3))) + 2e-3 for _ in range(200))


def test_fitted_weights_leave_affinity_as_it_is_and_sum_to_1() -> None:
    fitted = part_weights(np.array([1 / 3, 1 / 3, 1 / 3, 0, 0]), PartWeights())
    assert fitted.affinity == 0.1
    assert sum(fitted.model_dump().values()) == pytest.approx(1, abs=1e-12)


def test_windows_of_a_calibration_do_not_look_into_each_other() -> None:
    graph, _, _ = sampled()
    days = windows(graph, SPEC)
    assert [until for _, until in days[:-1]] == [cut for cut, _ in days[1:]]
    assert days[-1][1] == int(graph.engaged_day.max()) + 1


def test_calibration_says_whether_to_keep_what_it_found() -> None:
    sample, graph = sample_and_graph(FOLLOWS)
    pasts = [past_of(sample, cut) for cut, _ in windows(graph, SPEC)]
    found = calibrate(graph, pasts, SPEC, "responders", None, no_progress)
    by = {one.ranking: one for one in found.figures}
    assert set(by) == {"fitted", "documented", *BASELINES}
    assert found.ahead == pytest.approx(by["fitted"].value - by["documented"].value, abs=2e-6)
    assert found.kept == (found.low > 0)
    assert ("Keep them" in found.sentence.en) == found.kept
    # The later window has no say: with other interactions there, the weights are the same.
    now = columns_of(graph)
    last = now.engagements.day >= windows(graph, SPEC)[-1][0]
    counts = np.where(
        last[:, None], np.random.default_rng(0).permutation(now.engagements.counts), now.engagements.counts
    )
    other = build_graph(replace(now, engagements=replace(now.engagements, counts=counts)))
    assert calibrate(other, pasts, SPEC, "responders", None, no_progress).fitted == found.fitted


# --- small accounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [30, 90])
def test_intervals_hold_what_a_poisson_process_does(horizon: int) -> None:
    """Rates after a gamma distribution, counts after Poisson's: the model itself, drawn anew."""
    rng = np.random.default_rng(horizon)
    rates = rng.gamma(0.8, 8 / 90, 20_000)
    earlier, later, after = (rng.poisson(rates * days).astype(np.float64) for days in (45, 45, horizon))
    expected = expected_responses(earlier, later, 90, horizon, 0.9)
    assert expected is not None
    inside = np.mean((after >= expected[0]) & (after <= expected[1]))
    assert 0.90 <= inside <= 0.97, "whole numbers: somewhat more than aimed at"
    narrow = expected_responses(earlier, later, 90, horizon, 0.5)
    assert narrow is not None
    assert np.all(narrow[0] >= expected[0])
    assert np.all(narrow[1] <= expected[1])


def test_who_was_hardly_seen_has_a_wide_interval_and_bursts_make_it_wider() -> None:
    steady = np.array([0.0, 10.0, 20.0, 30.0])
    calm = expected_responses(steady, steady, 90, 90, 0.9)
    wild = expected_responses(np.array([0.0, 20.0, 0.0, 60.0]), np.array([0.0, 0.0, 40.0, 0.0]), 90, 90, 0.9)
    assert calm is not None
    assert wild is not None
    assert np.all(wild[1] - wild[0] >= calm[1] - calm[0])
    assert calm[0][0] == 0 < calm[1][0], "an account that received nothing may receive something"
    assert expected_responses(np.zeros(4), np.zeros(4), 90, 30, 0.9) is None


def test_small_accounts_of_the_sample_are_covered_at_the_stated_rate() -> None:
    report = sampled()[2]
    assert report.coverage is not None
    assert report.coverage.accounts == sum(one.ranked for one in report.communities)
    assert report.coverage.covered >= report.coverage.interval
    assert report.coverage.covered + report.coverage.below + report.coverage.above == pytest.approx(1, abs=2e-6)
