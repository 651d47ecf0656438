"""From a graph and a specification to everything a run publishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from service.analytics.communities import (
    Partition,
    community_id,
    community_label,
    find_communities,
    most_followed,
)
from service.analytics.engine import Engine, get_engine
from service.analytics.evidence import Measured, candidate_lines
from service.analytics.graph import lengths, project, subgraph
from service.analytics.hierarchy import coarser_levels, describe_levels
from service.analytics.measures import influence, trust
from service.analytics.network import measure_network
from service.analytics.rounding import significant, steadied
from service.analytics.scoring import (
    MACRO,
    MICRO,
    MacroRule,
    macro_rule,
    macros_of,
    score_community,
    weights_in_force,
    why_no_candidates,
)
from service.analytics.ties import TieGraph, tie_graph, ties_among
from service.analytics.topics import distinctive_topics
from service.domain import (
    Analysis,
    Community,
    CommunityScores,
    Gate,
    Graph,
    Int32,
    KeepLines,
    Level,
    Progress,
    Quality,
    RespectableTest,
    RunSpec,
    ScoringRules,
)
from service.errors import EmptyGraph

ACTIVE_SHARE = 0.30
SUSPICIOUS_SHARE = 0.20
CONFIDENCE = 0.70
"""Thresholds of respectable communities whose data is not there yet: shown, and null for now (c)."""

MOST_FOLLOWED = 5
"""So many of a community's most followed members are listed with it."""


def analyse(graph: Graph, spec: RunSpec, progress: Progress, keep: KeepLines = list) -> Analysis:
    """Find the communities of a graph, measure their members, and score candidates in each.

    A function of (graph, spec) alone: the same for any order in which accounts, follows and interactions were read, any
    hash seed. Everything inside a community (followers, ties, PageRank, reach, trust) is taken over its own graph: its
    members and the follows and interactions among them. Over the whole graph are taken `followers`, the in-degrees that
    make an account macro, and the days and the mean that chances of influence are made of.
    Members who have opted out take part in the measures, because others do follow them, but are in nobody's comparison
    and are named nowhere. So do brands' own accounts, but they may be named: they are no private persons.

    Args:
        graph: at least one account.
        spec: engine, seed and rules.
        progress: told of stage `communities`, a step for each resolution and rewiring, of stage `measures`, a step for
            each, and of stage `scores`, a step for each member.
        keep: takes in the lines of each community's candidates as they are made (4 KB each, 100 bytes a follow and
            more in all), and returns what stands for them in the analysis; by default a list.

    Raises:
        EmptyGraph: the graph has no account.
        InvalidRequest: the rules give weight only to parts that cannot be measured, or ask for a damping too near 1.
    """
    if graph.n == 0:
        raise EmptyGraph("The graph has no accounts yet; import follows first.")
    weights_in_force(spec.rules)  # a specification that cannot be scored fails before the long work
    engine = get_engine(spec.engine)
    ties = tie_graph(graph, spec.rules)
    projection = project(ties)
    partition = find_communities(ties, projection, engine, spec, progress)
    measures, secondary = measure_network(graph, ties, projection, partition.labels, engine, spec, progress)
    levels = coarser_levels(projection, partition.labels, partition.chosen.resolution, engine, spec)
    del projection  # a third of the memory of all arrays
    secondary_members = np.bincount(secondary.community, minlength=len(partition.members)).tolist()
    macro = macro_rule(graph, spec.rules)
    communities: list[Community] = []
    scores: list[CommunityScores] = []
    candidates: list[Sequence[bytes]] = []
    done, total = 0, sum(len(members) for members in partition.members)
    topics = distinctive_topics(graph, partition.labels)
    for members, named, others in zip(partition.members, topics, secondary_members, strict=True):
        progress("scores", done, total)
        found, scored, lines = _analyse_community(graph, ties, members, named, partition, macro, engine, spec.rules)
        communities.append(found.model_copy(update={"secondary_members": others}))
        scores.append(scored)
        candidates.append(keep(lines))
        done += len(members)
    progress("scores", total, total)
    communities, groups, hierarchy = describe_levels(graph, ties, partition.labels, levels, communities)
    return Analysis(
        quality=_quality(graph, partition, communities, hierarchy, engine),
        labels=partition.labels,
        communities=communities,
        groups=groups,
        scores=scores,
        candidate_lines=candidates,
        measures=measures,
        secondary=secondary,
    )


def measure(graph: Graph, ties: TieGraph, members: Int32, engine: Engine, rules: ScoringRules) -> Measured:
    """Measure the members of one community, from its own graph. Raw values are rounded to significant digits.

    Args:
        graph: the whole graph.
        ties: its ties.
        members: int32[k], indices into it, ascending.
        engine: computes the heavy measures.
        rules: their parameters.
    """
    community = subgraph(graph, members)
    inside = ties_among(ties, members)
    chances = influence(inside, rules)
    trusted = trust(community, rules)
    return Measured(
        graph=community,
        ties=inside,
        in_degree=lengths(graph.in_ptr, members),
        influence=chances,
        trust=trusted,
        raw={
            "authority": significant(steadied(engine.pagerank(inside, rules.damping))),
            "reach": significant(steadied(engine.reach(inside, chances))),
            "trust": significant(steadied(trusted.raw)),
        },
    )


def _analyse_community(
    graph: Graph,
    ties: TieGraph,
    members: Int32,
    topics: tuple[str, ...],
    partition: Partition,
    macro: MacroRule,
    engine: Engine,
    rules: ScoringRules,
) -> tuple[Community, CommunityScores, Iterator[bytes]]:
    measured = measure(graph, ties, members, engine, rules)
    own = measured.graph
    scores = score_community(own, members, measured.raw, macros_of(macro, members, rules), rules)
    identity = community_id(own, measured.ties)
    tests = _respectable_tests(own.n, partition.useful_min)
    community = Community(
        id=identity,
        level=0,
        label=community_label(own, measured.raw["authority"], topics),
        topics=topics,
        size=own.n,
        respectable=all(test.passed is not False for test in tests),
        tests=tests,
        base=int(np.count_nonzero(scores.in_base)),
        gates=_gates(own),
        macros=int(np.count_nonzero(scores.type == MACRO)),
        micros=int(np.count_nonzero(scores.type == MICRO)),
        candidates=int(np.count_nonzero(scores.rank)),
        no_candidates_reason=why_no_candidates(own, scores),
        follows_inside=own.m,
        follows_in=int(measured.in_degree.sum()) - own.m,
        follows_out=int(lengths(graph.out_ptr, members).sum()) - own.m,
        reciprocity=float(significant(np.array([measured.trust.mutual.sum() / max(own.m, 1)]))[0]),
        most_followed=most_followed(own, MOST_FOLLOWED),
    )
    return community, scores, candidate_lines(measured, scores, identity, rules)


def _respectable_tests(size: int, smallest: int) -> tuple[RespectableTest, ...]:
    return (
        RespectableTest(test="size", passed=size >= smallest, value=size, threshold=smallest),
        RespectableTest(test="active_share", passed=None, value=None, threshold=ACTIVE_SHARE),
        RespectableTest(test="suspicious_share", passed=None, value=None, threshold=SUSPICIOUS_SHARE),
        RespectableTest(test="confidence", passed=None, value=None, threshold=CONFIDENCE),
    )


def _gates(community: Graph) -> tuple[Gate, ...]:
    brand_account = community.brand_account & ~community.opted_out  # those were kept out before
    return (
        Gate(gate="erased", known=False, excluded=0),
        Gate(gate="opted_out", known=True, excluded=int(community.opted_out.sum())),
        Gate(gate="brand_account", known=bool(community.brand_keys), excluded=int(brand_account.sum())),
        Gate(gate="suspicious", known=False, excluded=0),
        Gate(gate="inactive", known=False, excluded=0),
    )


def _quality(
    graph: Graph, partition: Partition, communities: list[Community], hierarchy: tuple[Level, ...], engine: Engine
) -> Quality:
    tiny = [community.size for community in communities if community.size < partition.useful_min]
    return Quality(
        accounts=graph.n,
        follows=graph.m,
        isolates=int(np.count_nonzero(partition.labels < 0)),
        communities=len(communities),
        respectable=sum(community.respectable for community in communities),
        tiny=len(tiny),
        accounts_in_tiny=sum(tiny),
        candidates=sum(community.candidates for community in communities),
        resolution=partition.chosen.resolution,
        modularity=partition.chosen.modularity,
        chance=partition.chance,
        useful_min=partition.useful_min,
        useful_max=partition.useful_max,
        levels=partition.levels,
        hierarchy=hierarchy,
        engine=engine.name,
    )
