"""How well an analysis of the sample finds what was planted in it: `python -m tests.unit.planted` prints figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.analysis import analyse
from service.domain import ROLE_NAMES, Analysis, Bool, Float64, Graph, Int64, RunSpec, ScoringRules, no_progress
from service.sample import DEMO_FOLLOWS, Sample
from tests.unit.sample_graph import sample_and_graph

FIRST = 10
PLANTED_ROLES = ("networker", "broadcaster", "heavy_user")
RANKINGS = (
    "score", "resonance", "authority", "reach", "trust", "relevance", "followers", "pagerank", "engagement", "chance",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Figures of one sample.

    `ndcg` has an array for each ranking, with NDCG@10 against latent influence in each respectable community. `roles`
    has right, wrong and missed accounts for each planted role, over the bases of all communities, of which `share` has
    it.
    """

    ndcg: dict[str, Float64]
    roles: dict[str, tuple[int, int, int]]
    share: dict[str, float]


def ndcg(order: Int64, gain: Float64) -> float:
    """Normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen 2002)."""
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    best, got = np.sort(gain)[::-1][:FIRST], gain[order[:FIRST]]
    return float((got * discount[: len(got)]).sum() / (best * discount[: len(best)]).sum())


def analysed(follows: int = DEMO_FOLLOWS, seed: int = 7) -> tuple[Sample, Graph, Analysis]:
    sample, graph = sample_and_graph(follows, seed)
    return sample, graph, analyse(graph, RunSpec(rules=ScoringRules(rewirings=0, reweightings=0)), no_progress)


def evaluate(sample: Sample, graph: Graph, analysis: Analysis) -> Found:
    """Rank the members of each respectable community that could be candidates, and compare with the planted truth."""
    people = sample.people
    # So far: received from anybody, from the first day on; the same for everybody who is ranked.
    engagement = np.bincount(sample.interactions.target, minlength=graph.n)
    values = {
        "followers": np.diff(graph.in_ptr),
        "pagerank": analysis.measures["pagerank"],
        "engagement": engagement,
        "chance": np.random.default_rng(0).permutation(graph.n),
    }
    rows: dict[str, list[float]] = {name: [] for name in RANKINGS}
    truth = {
        "networker": people.second != people.community,
        "broadcaster": people.broadcaster,
        "heavy_user": people.heavy_user,
    }
    counts = {role: np.zeros(3, dtype=np.int64) for role in PLANTED_ROLES}
    based: list[Int64] = []
    for community, scores in zip(analysis.communities, analysis.scores, strict=True):
        base = np.flatnonzero(scores.in_base)
        based.append(scores.members[base].astype(np.int64))
        for role in PLANTED_ROLES:
            has: Bool = scores.roles[ROLE_NAMES.index(role), base]  # type: ignore[index]
            planted = truth[role][scores.members[base]]
            counts[role] += [(has & planted).sum(), (has & ~planted).sum(), (~has & planted).sum()]
        if not community.respectable:
            continue
        able = base[scores.type[base] != 2]
        gain = people.influence[scores.members[able]]

        def order(value: Float64) -> Int64:
            return np.lexsort((np.arange(len(value)), -value))

        candidate = scores.rank[able]
        first = np.where(candidate > 0, -candidate.astype(np.float64), -1e9)
        rows["score"].append(ndcg(order(first), gain))
        for row, part in enumerate(("authority", "reach", "resonance", "trust", "relevance")):
            rows[part].append(ndcg(order(np.nan_to_num(scores.raw[row, able])), gain))
        for name, value in values.items():
            rows[name].append(ndcg(order(value[scores.members[able]].astype(np.float64)), gain))
    everybody = np.concatenate(based)
    return Found(
        {name: np.array(found) for name, found in rows.items()},
        {role: (int(one[0]), int(one[1]), int(one[2])) for role, one in counts.items()},
        {role: float(truth[role][everybody].mean()) for role in PLANTED_ROLES},
    )


def interval(values: Float64, seed: int = 1) -> tuple[float, float, float]:
    """Mean, and the 90% interval of it by a seeded bootstrap over communities."""
    drawn = np.random.default_rng(seed).choice(values, (2_000, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(values.mean()), float(low), float(high)


def main() -> None:
    for follows, seeds in ((DEMO_FOLLOWS, (7, 1, 2, 3)), (50_000, (7, 1))):
        found = [evaluate(*analysed(follows, seed)) for seed in seeds]
        pooled = {name: np.concatenate([one.ndcg[name] for one in found]) for name in RANKINGS}
        communities = len(pooled["score"])
        print(f"{follows:,} follows, seeds {seeds}: NDCG@{FIRST} within {communities} communities (90% interval)")
        for name, values in pooled.items():
            print("  {:<11} {:.3f} ({:.3f} to {:.3f})".format(name, *interval(values)))
        for role in PLANTED_ROLES:
            right, wrong, missed = (sum(one.roles[role][i] for one in found) for i in range(3))
            share = np.mean([one.share[role] for one in found])
            precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
            print(f"  {role:<11} precision {precision:.2f}, recall {recall:.2f} ({share:.3f} of the base planted)")


if __name__ == "__main__":
    main()
