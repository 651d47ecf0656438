"""Do the scores say what happens next, and what does manipulation change? All figures of docs/validity.md.

    python -m bench.validity [--data FOLDER] [--follows 12500] [--draws 200]

Back-tests and calibrations of messages among students (collegemsg, cut at 60% and 80% of its time) and of the synthetic
sample; authority and reach beside an outside truth (Twitch: who is a partner, how many views); briefs beside interests
that were planted; bought followers, follow rings and bursts in the sample. Graphs that FOLDER does not hold are passed
over. Takes a minute or two.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.stats import rankdata, spearmanr

from bench.histories import friendships, messages, without_follows
from service.analytics.analysis import analyse
from service.analytics.backtest import RANKINGS, cut_days
from service.analytics.graph import rows_of
from service.analytics.ranking_quality import at_places, discounts, ndcg
from service.analytics.scoring import MACRO
from service.content.relevance import word_index
from service.content.words import read_brief
from service.domain import (
    OUTCOMES,
    PART_NAMES,
    Analysis,
    BacktestSpec,
    Float64,
    Graph,
    Past,
    RunSpec,
    ScoringRules,
    no_progress,
)
from service.flows.backtest import backtest, split_at
from service.flows.calibrate import calibrate, windows
from service.flows.recipes import recipe_of, weighed_by
from service.sample import DEMO_FOLLOWS, make_sample
from service.sample_words import TOPICS
from tests.unit.attacks import bought, burst, fake_ring, ring
from tests.unit.sample_graph import past_of, sample_and_graph, with_texts

CUTS = (0.6, 0.8)
RULES = ScoringRules(rewirings=0, reweightings=0)


def histories(data: Path, follows: int) -> Iterator[tuple[str, Graph, Callable[[int], Past]]]:
    """Graphs with times, and how to get what they do not hold by time of the time before a day."""
    path = data / "collegemsg" / "CollegeMsg.txt"
    if path.exists():
        yield "collegemsg", messages(path), without_follows
    for seed in (7, 1):
        sample, graph = sample_and_graph(follows, seed)
        yield f"sample, seed {seed}", graph, lambda day, sample=sample: past_of(sample, day)  # type: ignore[misc]


def proof(data: Path, follows: int, draws: int) -> None:
    for name, graph, past in histories(data, follows):
        for share in CUTS:
            spec = BacktestSpec(share=share, draws=draws)
            report = backtest(graph, past(cut_days(graph, spec)[1]), spec, no_progress)
            print(f"\n{name}, cut at {share:.0%} ({report.cut}): {len(report.communities)} communities")
            print("  NDCG@20 within communities (90% interval); score minus it (90% interval)")
            for outcome in OUTCOMES:
                print(f"  {outcome}")
                some = {one.ranking: one for one in report.figures if (one.outcome, one.first) == (outcome, 20)
                        and one.measure == "ndcg"}  # fmt: skip
                for ranking in (ranking for ranking in RANKINGS if ranking in some):
                    one = some[ranking]
                    ahead = (
                        ""
                        if one.ahead is None
                        else f"  {one.ahead:+.3f} ({one.ahead_low:+.3f} to {one.ahead_high:+.3f})"
                    )
                    print(f"    {ranking:<19} {one.value:.3f} ({one.low:.3f} to {one.high:.3f}){ahead}")
            if report.coverage is not None:
                one = report.coverage
                print(f"  small accounts: {one.covered:.1%} of {one.accounts:,} in the {one.interval:.0%} interval")
            by_places(graph, past, spec)
            by_recipe(graph, past, spec, "visibility")
        for outcome in OUTCOMES:
            spec = BacktestSpec(draws=draws)
            found = calibrate(graph, [past(cut) for cut, _ in windows(graph, spec)], spec, outcome, None, no_progress)
            weights = ", ".join(f"{part} {weight:g}" for part, weight in found.fitted.model_dump().items())
            print(f"\n{name}, calibrated to {outcome}: {weights}\n  {found.sentence.en}")


def by_places(graph: Graph, past: Callable[[int], Past], spec: BacktestSpec) -> None:
    """NDCG@20 of the score as it is, beside the same weights on mid-rank percentiles."""
    _, cut, until = cut_days(graph, spec)
    found = split_at(graph, past(cut), spec, (cut, until), no_progress).found
    weights = np.array([getattr(spec.rules.weights, part) for part in PART_NAMES[:5]])
    first = discounts(20)
    for outcome in OUTCOMES:
        values = []
        for ranked, after in found:
            worth = after.worth(outcome, len(ranked.ranked))
            if len(worth) >= 40 and worth.any():
                x = np.nan_to_num(ranked.x)
                percentiles = 1 - (2.0 * ranked.community.base) ** -x  # as score_table has it, the other way round
                scores = [np.round(weights @ one, 9) for one in (x, percentiles)]
                placed = np.stack([at_places(one, first) for one in scores], axis=1)
                values.append(ndcg(worth, placed, first))
        ours, plain = np.mean(values, axis=0)
        print(f"  {outcome}: NDCG@20 of the score {ours:.3f}, of percentiles with the same weights {plain:.3f}")


def by_recipe(graph: Graph, past: Callable[[int], Past], spec: BacktestSpec, objective: str) -> None:
    """NDCG@20 of the score with the weights of a recipe that gives some to lenses."""
    asked = weighed_by(recipe_of(objective), spec)
    report = backtest(graph, past(cut_days(graph, spec)[1]), asked, no_progress)
    for one in report.figures:
        if (one.ranking, one.measure, one.first) == ("score", "ndcg", 20):
            shown = f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
            print(f"  {one.outcome}: NDCG@20 with the weights of {objective} {shown}")


def outside_truth(data: Path) -> None:
    """AUC for being a partner, and Spearman's correlation with views, of what ranks accounts of a whole network."""
    for place in ("ENGB", "PTBR"):
        edges = data / "musae-twitch" / f"{place}_edges.csv"
        if not edges.exists():
            continue
        graph, partner, views = friendships(edges, edges.with_name(f"{place}_target.csv"))
        analysis = analyse(graph, RunSpec(rules=RULES, measures=("pagerank",)), no_progress, keep=lambda _: [])
        values = {
            "degree": np.diff(graph.in_ptr).astype(np.float64),
            "PageRank": np.asarray(analysis.measures["pagerank"], dtype=np.float64),
            "authority × size of the community": across(graph, analysis, "authority"),
            "reach × size of the community": across(graph, analysis, "reach"),
        }
        print(f"\ntwitch {place}: AUC for partner; Spearman's correlation with views")
        for name, value in values.items():
            correlation = float(spearmanr(value, views).statistic)
            print(f"  {name:<34} {auc(value, partner):.3f}  {correlation:.3f}")


def across(graph: Graph, analysis: Analysis, part: str) -> Float64:
    """A part of all accounts, times the size of its community: how many times the average, or how many people."""
    values = np.zeros(graph.n)
    for community, scores in zip(analysis.communities, analysis.scores, strict=True):
        values[scores.members] = scores.raw[PART_NAMES.index(part)] * community.size  # type: ignore[arg-type]
    return values


def auc(value: Float64, truth: Float64) -> float:
    """Chance that one who is ranks above one who is not, ties counting half (Mann and Whitney 1947)."""
    yes = truth == 1
    ranks, positives = rankdata(value), int(yes.sum())
    return float((ranks[yes].sum() - positives * (positives + 1) / 2) / (positives * (len(value) - positives)))


def briefs(follows: int) -> None:
    """Briefs that are topics' names in French and English: do they find who was planted to care for the topic?"""
    print("\nbriefs: who cares for a topic, found by its name in words; mean over the topics of the sample")
    for seed in (7, 1):
        sample = make_sample(follows, seed)
        graph = with_texts(sample)
        index = word_index(graph)
        assert index is not None
        talks = np.diff(index.ptr) > 0
        place = {name: k for k, name in enumerate(index.names)}
        weight = csr_array((index.weight, index.idx, index.ptr), shape=(graph.n, len(place))).tocsc()
        place_of = np.array([place[name] for name in graph.word_names], dtype=np.int32)
        said = (graph.word_posts.astype(float), place_of[graph.word_idx], graph.word_ptr)
        posts = csr_array(said, shape=weight.shape).tocsc()
        found: dict[str, list[tuple[float, float]]] = {"relevance": [], "posts with its words": []}
        for topic, (_, french, english) in enumerate(TOPICS):
            cares = (sample.people.topic == topic).any(axis=1)[talks].astype(float)
            if not 0 < cares.sum() < len(cares):
                continue
            brief = read_brief(f"{french}, {english}")
            for name, table in zip(found, (weight, posts), strict=True):
                value = np.zeros(graph.n)
                for _, forms in brief.words:
                    columns = [table[:, [place[form]]].toarray()[:, 0] for form in forms if form in place]
                    value += np.max([np.zeros(graph.n), *columns], axis=0)
                first = np.argsort(-value[talks], kind="stable")[:20]
                found[name].append((auc(value[talks], cares), float(cares[first].mean())))
        for name, figures in found.items():
            area, precise = np.mean(figures, axis=0)
            print(f"  sample, seed {seed}: {name:<22} AUC {area:.3f}  precision@20 {precise:.3f}")


def manipulation(follows: int) -> None:
    """What attacks change for members of the three largest communities, one in ten by score, before and after."""
    _, graph = sample_and_graph(follows)
    analysis = analysed(graph, RULES)
    for rules, title in (
        (RULES, "as it is"),
        (RULES.model_copy(update={"leave_out_suspicious": False}), "signs not looked for"),
    ):
        before = ranks(graph, analysed(graph, rules))
        print(
            f"\nmanipulation, {title}: places gained of 100 (median, most) by score, PageRank, followers; change of x"
        )
        for name, attack in attacks(graph, analysis):
            gained: list[tuple[float, float, float]] = []
            moved: list[Float64] = []
            for member in chosen(graph, analysis):
                attacked = attack(member)
                after = ranks(attacked, analysed(attacked, rules))
                gained.append(
                    tuple(100 * (was - now) for was, now in zip(before[member][0], after[member][0], strict=True))
                )  # type: ignore[arg-type]
                moved.append(after[member][1] - before[member][1])
            columns = np.array(gained).T
            shown = "  ".join(f"{np.median(one):+5.1f} {one.max():+5.1f}" for one in columns)
            parts = " ".join(
                f"{part} {change:+.2f}"
                for part, change in zip(PART_NAMES, np.nan_to_num(np.array(moved)).mean(axis=0), strict=False)
            )
            print(f"  {name:<38} {shown}   {parts}")


def attacks(graph: Graph, analysis: Analysis) -> list[tuple[str, Callable[[str], Graph]]]:
    home = {graph.keys[int(i)]: scores for scores in analysis.scores for i in scores.members}

    def real(member: str, count: int) -> list[str]:
        others = sorted(graph.keys[i] for i in home[member].members.tolist() if graph.keys[i] != member)
        return [others[i] for i in np.random.default_rng(0).permutation(len(others))[:count].tolist()]

    return [
        ("1% of all accounts bought", lambda member: bought(graph, member, 0.01)),
        ("10% of all accounts bought", lambda member: bought(graph, member, 0.10)),
        ("ring of 50, 49 of them new", lambda member: fake_ring(graph, member, 50)),
        ("ring of 50 members", lambda member: ring(graph, [member, *real(member, 49)])),
        ("500 likes a day by 3 members", lambda member: burst(graph, member, real(member, 3), 500)),
    ]


def chosen(graph: Graph, analysis: Analysis) -> list[str]:
    found: list[str] = []
    for scores in analysis.scores[:3]:
        able = np.flatnonzero(scores.in_base & (scores.type != MACRO))
        order = able[np.argsort(-scores.score[able], kind="stable")]
        found += [graph.keys[int(scores.members[i])] for i in order[5 :: max(1, len(order) // 8)].tolist()]
    return found


def analysed(graph: Graph, rules: ScoringRules) -> Analysis:
    return analyse(graph, RunSpec(rules=rules, measures=("pagerank",)), no_progress, keep=lambda _: [])


def ranks(graph: Graph, analysis: Analysis) -> dict[str, tuple[tuple[float, float, float], Float64]]:
    """Of each account, its place in its community as a share of it, by score, by plain PageRank of all follows, and by
    follower count; and x of its parts."""
    plain = nx.DiGraph()
    plain.add_nodes_from(range(graph.n))
    plain.add_edges_from(zip(rows_of(graph.out_ptr).tolist(), graph.out_idx.tolist(), strict=True))
    pagerank = np.array(list(nx.pagerank(plain).values()))
    followers = np.diff(graph.in_ptr)
    found = {}
    for scores in analysis.scores:
        able = np.flatnonzero(scores.in_base & (scores.type != MACRO))
        members = scores.members[able]
        if not len(able):
            continue
        places = [
            rankdata(-np.asarray(value, dtype=np.float64), method="average") / len(able)
            for value in (scores.score[able], pagerank[members], followers[members])
        ]
        for at, i in enumerate(able.tolist()):
            score, rank, count = (float(place[at]) for place in places)
            found[graph.keys[int(scores.members[i])]] = ((score, rank, count), scores.x[:5, i])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with collegemsg, musae-twitch"
    )
    parser.add_argument("--follows", type=int, default=DEMO_FOLLOWS, help="size of the sample")
    parser.add_argument("--draws", type=int, default=200, help="draws behind each interval")
    given = parser.parse_args()
    proof(given.data, given.follows, given.draws)
    outside_truth(given.data)
    briefs(given.follows)
    manipulation(given.follows)


if __name__ == "__main__":
    main()
