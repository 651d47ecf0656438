"""From a graph and a specification to everything a run publishes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from service.analytics.activity import Activity, activity
from service.analytics.affinity import BrandTies, brand_ties, detractors
from service.analytics.communities import (
    Partition,
    community_id,
    community_label,
    find_communities,
    most_followed,
)
from service.analytics.confidence import confidence
from service.analytics.defined import defined_members
from service.analytics.documents import Described, basis_lines, candidate_lines, excluded_lines, ranked, word_lines
from service.analytics.engine import Engine, get_engine
from service.analytics.evidence import Measured
from service.analytics.graph import entries_of, lengths, project, rows_of, subgraph
from service.analytics.hierarchy import coarser_levels, describe_levels
from service.analytics.integrity import Integrity, integrity
from service.analytics.intervals import REWEIGHTED, Intervals, rank_intervals, replicate_scores, replicate_x
from service.analytics.lenses.all import measure_lenses
from service.analytics.lenses.documents import lens_basis_lines, lens_documents
from service.analytics.lenses.observed import Observed
from service.analytics.lenses.topics_tree import subtopics
from service.analytics.lineage import Overlaps, continued, lineage_of, overlaps
from service.analytics.measures import days_observed, influence, resonance, trust
from service.analytics.network import measure_network
from service.analytics.reweighting import reweighted
from service.analytics.roles import Habits, Roles, habits, roles_of
from service.analytics.rounding import significant, steadied
from service.analytics.scoring import (
    MICRO,
    MacroRule,
    gates_of,
    macro_rule,
    macros_of,
    require_weights,
    score_community,
    why_no_candidates,
)
from service.analytics.sensitive import may_be_named
from service.analytics.ties import TieGraph, tie_graph, tie_parts, ties_among
from service.analytics.topics import NAMED, CommunityTopics, community_values, distinctive_topics, relevance, topics_of
from service.domain import (
    GATE_NAMES,
    PART_NAMES,
    Analysis,
    Before,
    Bool,
    Brand,
    Community,
    CommunityScores,
    Definition,
    Ended,
    Float32,
    Float64,
    Gate,
    Graph,
    Int8,
    Int32,
    Int64,
    KeepLines,
    LensSummary,
    LensValues,
    Level,
    Lineage,
    NullLens,
    PartName,
    Progress,
    PublishedPart,
    Quality,
    RespectableTest,
    RunSpec,
    ScoringRules,
    SubTopic,
    WordIndex,
)
from service.errors import EmptyGraph

SUSPICIOUS_SHARE = 0.20
CONFIDENCE = 0.70
"""A respectable community has a smaller share of suspicious accounts than the one, and at least a mean confidence of
the other; an account that is less sure of its community stands between it and others that it belongs to (c)."""

MOST_FOLLOWED = 5
"""So many of a community's most followed members are listed with it."""


def analyse(
    graph: Graph,
    spec: RunSpec,
    progress: Progress,
    keep: KeepLines = list,
    words: WordIndex | None = None,
    before: Before | None = None,
    ready: Callable[[PublishedPart], None] = lambda _: None,
) -> Analysis:
    """Find the communities of a graph, measure their members, and score candidates in each.

    A function of (graph, spec, words, before) alone: the same for any order in which accounts, follows and interactions
    were read, any hash seed. Everything inside a community (followers, ties, PageRank, reach, resonance, trust) is
    taken over its own graph: its members and the follows and interactions among them. Over the whole graph are taken
    `followers`, the in-degrees that make an account macro, the days and the mean that chances of influence are made of,
    what accounts do and what roles look at.
    Members who have opted out take part in the measures, because others do follow them, but are in nobody's comparison
    and are named nowhere. So do brands' own accounts, but they may be named: they are no private persons.

    Args:
        graph: at least one account.
        spec: engine, seed and rules.
        progress: told of stage `communities`, a step for each resolution and rewiring, of stage `confidence`, a step
            for each seed, of stage `measures`, a step for each, of stage `scores`, a step for each member, and of stage
            `lenses`, a step for each.
        keep: takes in the lines of each community's candidates as they are made (4 KB each, 100 bytes a follow and
            more in all), and those that lenses say of each account, and returns what stands for them in the analysis;
            by default a list.
        words: what words of accounts count for briefs; None: nothing is published for these.
        before: the run that this one starts from: communities that continue those of it keep their ids. None: every
            community is named after its anchor.
        ready: told of each part of the published set once all its lines were kept.

    Raises:
        EmptyGraph: the graph has no account.
        InvalidRequest: the rules give weight only to parts that cannot be measured, or ask for a damping too near 1.
    """
    if graph.n == 0:
        raise EmptyGraph("The graph has no accounts yet; import follows first.")
    require_weights(spec.rules)  # a specification that cannot be scored fails before the long work
    engine = get_engine(spec.engine)
    doing = activity(graph, spec.rules)
    signs = integrity(graph, doing, spec.rules)
    read, graph = graph, signs.counted
    ties = tie_graph(graph, spec.rules)
    projection = project(ties)
    partition = find_communities(ties, projection, engine, spec, progress, before)
    known = known_confidence(partition, before, spec)
    sure = confidence(projection, partition.labels, partition.chosen.resolution, engine, spec, progress, known)
    measures, secondary = measure_network(graph, ties, projection, partition.labels, engine, spec, progress)
    levels = coarser_levels(projection, partition.labels, partition.chosen.resolution, engine, spec)
    seen = habits(graph, projection, partition.labels, doing, spec.rules)
    del projection  # a third of the memory of all arrays
    between = np.zeros(graph.n, dtype=np.bool_)
    between[secondary.account] = sure[secondary.account] < CONFIDENCE
    pairs = _overlaps(partition, before)
    continues = continued(pairs, len(partition.members), spec.rules.lineage_most, spec.rules.lineage_least)
    taken = set(before.ids) if before else set()
    everything = _Everything(
        graph=graph,
        ties=ties,
        days=days_observed(graph, ties),
        partition=partition,
        doing=doing,
        signs=signs,
        read=read,
        habits=seen,
        brands=brand_ties(graph, ties.window),
        macro=macro_rule(graph, spec.rules),
        engine=engine,
        spec=spec,
        words=words,
        confidence=sure,
        between=between,
    )
    secondary_members = np.bincount(secondary.community, minlength=len(partition.members)).tolist()
    communities: list[Community] = []
    scores: list[CommunityScores] = []
    parts: list[PublishedPart] = []

    def publish(pages: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        for name, lines in pages:
            part = PublishedPart(name, keep(lines))
            parts.append(part)
            ready(part)

    done, total = 0, sum(len(members) for members in partition.members)
    topics = distinctive_topics(graph, partition.labels)
    assessed = _assessed(everything, zip(partition.members, topics, strict=True))
    for (one, replicates), others, then in zip(assessed, secondary_members, continues.tolist(), strict=True):
        progress("scores", done, total)
        identity = before.ids[then] if before and then >= 0 else None
        found, scored, pages = _describe(everything, one, replicates, identity=identity, taken=taken)
        taken.add(found.id)
        communities.append(found.model_copy(update={"secondary_members": others}))
        scores.append(scored)
        publish(pages)
        done += len(one.members)
    progress("scores", total, total)
    communities, groups, hierarchy = describe_levels(graph, ties, partition.labels, levels, communities)
    defined: list[Community] = []
    for definition in spec.communities:
        members = defined_members(graph, ties.window, definition)
        if len(members):
            one = _assess(everything, members, topics_of(graph, members))
            found, scored, pages = _describe(everything, one, _replicates(everything, one), definition, definition.id)
            defined.append(found)
            scores.append(scored)
            publish(pages)
    brands = zip(graph.brand_keys, graph.brand_names, strict=True)
    listed = [Brand(key=key, name=name).model_dump_json().encode() for key, name in brands]
    publish([("brands", listed), ("detractors", _detractor_lines(everything, communities))])
    if spec.lenses:
        publish([("subtopics", _subtopic_lines(graph))])
    lineage: list[Lineage] = []
    ended: list[Ended] = []
    if before is not None:
        ids = [community.id for community in communities]
        lineage, ended = lineage_of(pairs, continues, ids, before, spec.rules)
    if not np.isnan(sure).all():
        measures["confidence"] = sure
    lenses = measure_lenses(_observed(everything, scores, before), spec.lenses, progress)
    if lenses:
        publish(_lens_pages(lenses, graph, [*communities, *defined], scores))
    return Analysis(
        quality=_quality(read, signs, partition, communities, defined, hierarchy, lenses, engine),
        labels=partition.labels,
        communities=communities,
        defined=defined,
        groups=groups,
        scores=scores,
        parts=parts,
        measures={**measures, **_carried(signs)},
        secondary=secondary,
        between=between,
        lineage=lineage,
        ended=ended,
        lenses=lenses,
        lens_documents=keep(lens_documents(lenses, np.arange(graph.n))),
    )


def _observed(everything: _Everything, scores: list[CommunityScores], before: Before | None) -> Observed:
    """What lenses look at; `scores` of communities that were found come first."""
    graph = everything.graph
    raw = np.full((len(PART_NAMES), graph.n), np.nan)
    for one in scores[: len(everything.partition.members)]:
        raw[:, one.members] = one.raw
    outreach = np.zeros(graph.n, dtype=np.int64) if before is None else before.outreach
    labels, ring = everything.partition.labels, everything.signs.ring
    return Observed(graph, everything.ties, labels, everything.spec.rules, everything.doing, raw, outreach, ring)


def known_confidence(partition: Partition, before: Before | None, spec: RunSpec) -> Float64 | None:
    """Confidence of the members of communities that have the same members as in the run before; NaN for all others.

    It holds as long as what is known of chance does, which another graph or question would end.

    Returns:
        float64[n]; None where nothing holds.
    """
    if before is None or before.rules != spec.rules or partition.chance is None or partition.chance.run is None:
        return None
    known = np.full(len(partition.labels), np.nan)
    for members in partition.members:
        then = before.labels[members]
        if then[0] >= 0 and before.sizes[then[0]] == len(members) and (then == then[0]).all():
            known[members] = before.confidence[members]
    return known


def _overlaps(partition: Partition, before: Before | None) -> Overlaps:
    """What communities share with those of the run before, if there is one."""
    sizes = np.array([len(members) for members in partition.members], dtype=np.int64)
    if before is None:
        return overlaps(np.full_like(partition.labels, -1), partition.labels, np.zeros(0, dtype=np.int64), sizes)
    return overlaps(before.labels, partition.labels, before.sizes, sizes)


@dataclass(frozen=True)
class _Everything:
    """What is known of the whole graph when its communities are scored, one after the other.

    `graph` is without the follows that do not count, `read` with them.
    """

    graph: Graph
    ties: TieGraph
    days: int
    partition: Partition
    doing: Activity
    signs: Integrity
    read: Graph
    habits: Habits
    brands: BrandTies
    macro: MacroRule
    engine: Engine
    spec: RunSpec
    words: WordIndex | None
    confidence: Float64
    between: Bool


def measure(
    graph: Graph,
    ties: TieGraph,
    members: Int32,
    in_degree: Int64,
    topics: CommunityTopics,
    days: int,
    engine: Engine,
    rules: ScoringRules,
) -> Measured:
    """Measure the members of one community, from its own graph. Raw values are rounded to significant digits.

    Args:
        graph: the whole graph.
        ties: its ties.
        members: int32[k], indices into it, ascending.
        in_degree: int64[k], their followers in the whole graph, also those whose follows do not count.
        topics: what the community talks about more than others.
        days: days of the window for which interactions are known; 0: there are none.
        engine: computes the heavy measures.
        rules: their parameters.
    """
    community = subgraph(graph, members)
    inside = ties_among(ties, members)
    followees = rows_of(inside.in_ptr).astype(np.int32)
    parts = tie_parts(community, inside.window, inside.in_idx, followees)
    chances = influence(inside, rules)
    trusted = trust(community, inside, parts, rules, follows=graph.m > 0)
    resonant = resonance(inside, parts, days, rules.responses_a_day) if days else None
    relevant = relevance(community, topics, rules)
    raw: dict[PartName, Float64] = {
        "authority": engine.pagerank(inside, rules.damping),
        "reach": engine.reach(inside, chances),
        "trust": trusted.raw,
    }
    if resonant is not None:
        raw["resonance"] = resonant.raw
    if relevant is not None:
        raw["relevance"] = relevant.raw
    return Measured(
        graph=community,
        ties=inside,
        parts=parts,
        in_degree=in_degree,
        influence=chances,
        trust=trusted,
        resonance=resonant,
        relevance=relevant,
        topics=topics,
        raw={part: significant(steadied(raw[part])) for part in PART_NAMES if part in raw},
    )


@dataclass(frozen=True)
class _Assessed:
    """What is computed of a community before it is put into words.

    `gate` is int8[k], which one keeps each member out or -1; `candidates` int32[c] are those of them that are ranked,
    best first.
    """

    members: Int32
    measured: Measured
    gate: Int8
    scores: CommunityScores
    roles: Roles
    candidates: Int32


def _assess(everything: _Everything, members: Int32, topics: CommunityTopics) -> _Assessed:
    """Measure the members of a community, and score them."""
    rules = everything.spec.rules
    followers = lengths(everything.read.in_ptr, members)
    measured = measure(
        everything.graph, everything.ties, members, followers, topics, everything.days, everything.engine, rules
    )
    own = measured.graph
    macro, gate = macros_of(everything.macro, members, rules), gates_of(own, everything.doing, members)
    scores = score_community(own, members, measured.raw, macro, gate, measured.in_degree, rules)
    roles = roles_of(
        members, scores.in_base, macro, measured.raw["authority"], scores.audience, everything.habits, rules
    )
    return _Assessed(members, measured, gate, replace(scores, roles=roles.has), roles, ranked(scores.rank))


def _assessed(
    everything: _Everything, communities: Iterable[tuple[Int32, CommunityTopics]]
) -> Iterator[tuple[_Assessed, Float32]]:
    """Assess communities in turn, with replicates: a thread draws those of the next one while one is described.

    The kernel that draws runs without the interpreter's lock; all else would only wait for it.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: tuple[_Assessed, Future[Float32]] | None = None
        for members, topics in communities:
            one = _assess(everything, members, topics)
            drawing = thread.submit(_replicates, everything, one)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = one, drawing
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def _replicates(everything: _Everything, one: _Assessed) -> Float32:
    return reweighted(one.measured, one.candidates, everything.spec.seed, everything.spec.rules)


def _describe(
    everything: _Everything,
    one: _Assessed,
    replicates: Float32,
    definition: Definition | None = None,
    identity: str | None = None,
    taken: Container[str] = (),
) -> tuple[Community, CommunityScores, Iterator[tuple[str, Iterable[bytes]]]]:
    """Say what was found of a community and how sure its ranks are, and prepare its pages."""
    graph, rules = everything.graph, everything.spec.rules
    members, measured, candidates = one.members, one.measured, one.candidates
    again = _replicate_scores(one.scores, candidates, replicates)
    intervals = rank_intervals(again, one.scores.rank[candidates], rules.interval)
    scores = replace(one.scores, intervals=intervals)
    own, topics = measured.graph, measured.topics
    identity = identity or community_id(own, measured.ties, taken)
    found = definition is None  # of a community that people defined nobody doubts who is in it
    sure = everything.confidence[members] if found else np.full(own.n, np.nan)
    tests = _respectable_tests(everything, members, sure)
    community = Community(
        id=identity,
        kind="found" if definition is None else definition.kind,
        subject=None if definition is None else definition.topic or definition.brand,
        level=0,
        label=definition.name if definition else community_label(own, measured.raw["authority"], topics.names[:NAMED]),
        topics=topics.names[:NAMED],
        values=community_values(own, topics),
        size=own.n,
        respectable=all(test.passed is not False for test in tests),
        tests=tests,
        base=int(np.count_nonzero(scores.in_base)),
        gates=_gates(own, one.gate, everything.doing.known[members], looked_for=rules.leave_out_suspicious),
        macros=int(np.count_nonzero(scores.macro_rank)),
        micros=int(np.count_nonzero(scores.type == MICRO)),
        candidates=len(candidates),
        confidence=next(test.value for test in tests if test.test == "confidence"),
        between_members=int(np.count_nonzero(everything.between[members])) if found else 0,
        no_candidates_reason=why_no_candidates(own, scores),
        follows_inside=own.m,
        follows_in=int(lengths(graph.in_ptr, members).sum()) - own.m,
        follows_out=int(lengths(graph.out_ptr, members).sum()) - own.m,
        reciprocity=float(significant(np.array([own_reciprocity(measured)]))[0]),
        most_followed=most_followed(own, MOST_FOLLOWED),
    )
    described = Described(
        whole=graph,
        read=everything.read,
        signs=everything.signs,
        measured=measured,
        scores=scores,
        roles=one.roles,
        doing=everything.doing,
        brands=everything.brands,
        community=identity,
        confidence=sure,
        rules=rules,
    )
    return community, scores, _pages(described, community, candidates, intervals, replicates, everything.words)


def _pages(
    described: Described,
    community: Community,
    candidates: Int32,
    intervals: Intervals,
    replicates: Float32,
    words: WordIndex | None,
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """What is published of a community, by part; parts without lines are left out, except candidates."""
    yield f"candidates/{community.id}", candidate_lines(described, candidates, intervals)
    macros = ranked(described.scores.macro_rank)
    if len(macros):
        yield f"macros/{community.id}", candidate_lines(described, macros, None)
    if _may_be_asked(community):
        yield f"basis/{community.id}", basis_lines(described, candidates, replicates)
        if words is not None:
            yield f"words/{community.id}", word_lines(described, words, candidates)
    excluded = list(excluded_lines(described))
    if excluded:
        yield f"excluded/{community.id}", excluded


def _may_be_asked(community: Community) -> bool:
    """Whether what questions need that were not prepared is published of a community."""
    return community.candidates > 0 or community.respectable


def _lens_pages(
    lenses: list[LensValues], graph: Graph, communities: list[Community], scores: list[CommunityScores]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """What is published of lenses for questions, of each community that has a basis."""
    for community, scored in zip(communities, scores, strict=True):
        if _may_be_asked(community):
            base, candidates = scored.members[scored.in_base], scored.members[ranked(scored.rank)]
            yield f"lenses/{community.id}", lens_basis_lines(lenses, graph.keys, community.id, base, candidates)


def _replicate_scores(scores: CommunityScores, candidates: Int32, replicates: Float32) -> Int64:
    base = {
        part: np.sort(scores.raw[PART_NAMES.index(part), scores.in_base])
        for part in REWEIGHTED
        if part not in scores.null_reasons
    }
    fixed = sum(scores.points[row, candidates] for row, part in enumerate(PART_NAMES) if part not in REWEIGHTED)
    x = replicate_x(replicates, base)
    return replicate_scores(x, scores.weights, np.asarray(fixed, dtype=np.int64))


def _detractor_lines(everything: _Everything, communities: list[Community]) -> Iterator[bytes]:
    labels = everything.partition.labels.tolist()
    ids = [communities[label].id if label >= 0 else None for label in labels]
    found = detractors(everything.graph, everything.brands, everything.ties.window, ids, everything.spec.rules)
    return (one.model_dump_json().encode() for one in found)


def _subtopic_lines(graph: Graph) -> Iterator[bytes]:
    """Topics that are part of another one, by name; of both those that may be named."""
    parents = subtopics(graph)
    for topic in np.flatnonzero(parents >= 0).tolist():
        one, whole = graph.topic_names[topic], graph.topic_names[int(parents[topic])]
        if may_be_named(one) and may_be_named(whole):
            yield SubTopic(topic=one, part_of=whole).model_dump_json().encode()


def _carried(signs: Integrity) -> dict[str, Int64]:
    """How many followers of each account count nothing, by sign; nothing where all follows count."""
    if not signs.empty.any() and not signs.ring.any():
        return {}
    return {"empty_followers": signs.empty_followers, "ring_follows": signs.ring_follows}


def own_reciprocity(measured: Measured) -> float:
    """Share of the follows inside a community that are returned."""
    return float(np.count_nonzero(measured.parts.mutual)) / max(measured.graph.m, 1)


def _respectable_tests(everything: _Everything, members: Int32, sure: Float64) -> tuple[RespectableTest, ...]:
    smallest, least = everything.partition.useful_min, everything.spec.rules.active_share
    known = everything.doing.known[members]
    active = None
    if known.any():
        share = np.count_nonzero(everything.doing.active[members]) / np.count_nonzero(known)
        active = float(significant(np.array([share]))[0])
    return (
        RespectableTest(test="size", passed=len(members) >= smallest, value=len(members), threshold=smallest),
        RespectableTest(
            test="active_share", passed=None if active is None else active >= least, value=active, threshold=least
        ),
        _suspicious_share(everything, members),
        _confident(sure),
    )


def _confident(confidence: Float64) -> RespectableTest:
    """Mean confidence of the members, null where it is not known (NaN)."""
    value = None
    if not np.isnan(confidence).any():
        value = float(significant(np.array([confidence.mean()]))[0])
    passed = None if value is None else value >= CONFIDENCE
    return RespectableTest(test="confidence", passed=passed, value=value, threshold=CONFIDENCE)


def _suspicious_share(everything: _Everything, members: Int32) -> RespectableTest:
    """Share of empty accounts among the members and the empty accounts that follow them; these are in no community."""
    share = None
    if everything.spec.rules.leave_out_suspicious and everything.doing.known[members].any():
        read, entries = everything.read, entries_of(everything.read.in_ptr, members)
        followers = np.unique(read.in_idx[entries])
        empty = np.count_nonzero(everything.signs.empty[followers])
        share = float(significant(np.array([empty / (empty + len(members))]))[0])
    passed = None if share is None else share < SUSPICIOUS_SHARE
    return RespectableTest(test="suspicious_share", passed=passed, value=share, threshold=SUSPICIOUS_SHARE)


def _gates(community: Graph, gate: Int8, known: Bool, *, looked_for: bool) -> tuple[Gate, ...]:
    """The gates with how many members each keeps out; the last ones are known where they are for any member.

    Empty accounts have no ties that count, and so are members of no community.
    """
    is_known = {
        "opted_out": True,
        "brand_account": bool(community.brand_keys),
        "suspicious": looked_for and bool(known.any()),
        "inactive": bool(known.any()),
    }
    return tuple(
        Gate(gate=name, known=is_known.get(name, False), excluded=int(np.count_nonzero(gate == place)))
        for place, name in enumerate(GATE_NAMES)
    )


def _quality(
    graph: Graph,
    signs: Integrity,
    partition: Partition,
    communities: list[Community],
    defined: list[Community],
    hierarchy: tuple[Level, ...],
    lenses: list[LensValues],
    engine: Engine,
) -> Quality:
    tiny = [community.size for community in communities if community.size < partition.useful_min]
    return Quality(
        accounts=graph.n,
        follows=graph.m,
        isolates=int(np.count_nonzero(partition.labels < 0)),
        empty_accounts=int(np.count_nonzero(signs.empty)),
        follows_left_out=graph.m - signs.counted.m,
        communities=len(communities),
        respectable=sum(community.respectable for community in communities),
        tiny=len(tiny),
        accounts_in_tiny=sum(tiny),
        defined=len(defined),
        candidates=sum(community.candidates for community in communities),
        resolution=partition.chosen.resolution,
        modularity=partition.chosen.modularity,
        chance=partition.chance,
        useful_min=partition.useful_min,
        useful_max=partition.useful_max,
        levels=partition.levels,
        hierarchy=hierarchy,
        lenses=tuple(map(_lens_summary, lenses)),
        engine=engine.name,
    )


def _lens_summary(lens: LensValues) -> LensSummary:
    without = np.bincount(lens.null[lens.null >= 0], minlength=len(lens.reasons)).tolist()
    return LensSummary(
        lens=lens.lens,
        accounts=int(np.count_nonzero(lens.null < 0)),
        null=tuple(
            NullLens(reason=why, accounts=count) for why, count in zip(lens.reasons, without, strict=True) if count
        ),
        part_reasons=lens.part_reasons,
        cut_offs=lens.cut_offs,
    )
