"""Graphs for the tests of analytics: from plain edges, from real files, and drawn by Hypothesis."""

from __future__ import annotations

import ast
import csv
import dataclasses
import functools
import gzip
import json
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from service.analytics.analysis import analyse
from service.analytics.graph import build_graph
from service.analytics.ties import TieGraph, tie_graph
from service.domain import (
    PAID_UNKNOWN,
    RELATION_NAMES,
    STANCE_UNKNOWN,
    AccountColumns,
    Analysis,
    BrandColumns,
    EndorsementColumns,
    EngagementColumns,
    FollowColumns,
    Graph,
    MentionColumns,
    PostingColumns,
    RunSpec,
    ScoringRules,
    Snapshot,
    TopicColumns,
    WordColumns,
    no_progress,
)

Edge = tuple[str, str, float]
Related = tuple[str, str, str, int | None, int | None]
"""An account, a brand, what it is to it, since and until in milliseconds."""
Engaged = tuple[str, str, int, tuple[int, int, int, int]]
"""Who engaged with whom on which day since 1970: likes, replies, mentions, reposts."""
Topical = tuple[str, str, int] | tuple[str, str, int, int]
"""An account, a topic, how many posts about it the account wrote or shared, and when first, in milliseconds."""
Posting = tuple[str, int, tuple[int, int, int]]
"""An account, a day since 1970, and how many posts, and of these links and reposts, it wrote then."""
Mentioning = tuple[str, str, str, int | None, int | None, bool | None, bool]
"""An account, a brand, a post of the account that mentions it, when in milliseconds, stance, paid, answered."""
Endorsed = tuple[str, str, int | None]
"""Who endorses whom, since when in milliseconds."""
Shared = Callable[[str], Path]
laws = settings(deadline=None, max_examples=30)
"""For tests of laws over drawn graphs; how long one takes on a busy machine says nothing."""

WEIGHTS = st.sampled_from([1.0, 2.0, 0.25, 7.5])


def columns(
    edges: Iterable[Edge],
    accounts: Iterable[str] = (),
    *,
    opted_out: Iterable[str] = (),
    followers: Mapping[str, int] | None = None,
    handles: Mapping[str, str] | None = None,
    at: int | None = None,
    unfollowed: int | None = None,
    engaged: Iterable[Engaged] = (),
    brands: Mapping[str, str | None] | None = None,
    own: Iterable[str | tuple[str, str]] = (),
    relations: Iterable[Related] = (),
    topics: Iterable[Topical] = (),
    postings: Iterable[Posting] = (),
    mentions: Iterable[Mentioning] = (),
    endorsed: Iterable[Endorsed] = (),
    withdrawn: int | None = None,
    shuffle: int | None = None,
) -> Snapshot:
    """Columns as the store returns them; `shuffle` seeds their order and the numbers of accounts.

    The first follow is from the time `at`, the last unfollow from `unfollowed`, the last endorsement that was withdrawn
    is so since `withdrawn`. Brands are those named and those of
    own accounts, relations and mentions. An account that is a brand's own comes with the brand, or alone: then it is
    that of the first brand named, or of "own-brand".
    """
    edges = list(edges)
    followed = at if edges else None
    related, interactions, topical = list(relations), list(engaged), list(topics)
    posted, mentioning, endorsing = list(postings), list(mentions), list(endorsed)
    first_brand = next(iter([*(brands or {}), *(one[1] for one in (*related, *mentioning))]), "own-brand")
    owned = [(one, first_brand) if isinstance(one, str) else one for one in own]
    known = dict.fromkeys((one[1] for one in (*owned, *related, *mentioning)), None)
    names: dict[str, str | None] = known | dict(brands or {})
    ends = {key for a, b, *_ in (*edges, *interactions, *endorsing) for key in (a, b)}
    keys = sorted(ends | set(accounts))
    numbers = list(range(1, len(keys) + 1))
    if shuffle is not None:
        order = random.Random(shuffle)
        places = order.sample(range(len(edges)), len(edges))
        edges = [edges[place] for place in places]
        order.shuffle(keys)
        order.shuffle(related)
        order.shuffle(owned)
        order.shuffle(interactions)
        order.shuffle(topical)
        order.shuffle(posted)
        order.shuffle(mentioning)
        order.shuffle(endorsing)
        names = dict(order.sample(list(names.items()), len(names)))
        numbers = order.sample(range(10 * len(keys) + 1), len(keys))
    number = dict(zip(keys, numbers, strict=True))
    out = set(opted_out)
    return Snapshot(
        version=1,
        accounts=AccountColumns(
            n=np.array(numbers, dtype=np.int64),
            key=keys,
            handle=[(handles or {}).get(key) for key in keys],
            opted_out=np.array([key in out for key in keys], dtype=np.bool_),
            followers=np.array([(followers or {}).get(key, -1) for key in keys], dtype=np.int64),
        ),
        follows=FollowColumns(
            source=np.array([number[a] for a, _, _ in edges], dtype=np.int64),
            target=np.array([number[b] for _, b, _ in edges], dtype=np.int64),
            weight=np.array([w for _, _, w in edges], dtype=np.float64),
        ),
        followed_at=max((time for time in (followed, unfollowed) if time is not None), default=-1),
        engagements=EngagementColumns(
            source=np.array([number[a] for a, *_ in interactions], dtype=np.int64),
            target=np.array([number[b] for _, b, *_ in interactions], dtype=np.int64),
            day=np.array([day for _, _, day, _ in interactions], dtype=np.int64),
            counts=np.array([counts for *_, counts in interactions], dtype=np.int64).reshape(-1, 4),
        ),
        brands=BrandColumns(
            key=list(names),
            name=list(names.values()),
            own=np.array([number[key] for key, _ in owned], dtype=np.int64),
            own_brand=[brand for _, brand in owned],
            account=np.array([number[account] for account, *_ in related], dtype=np.int64),
            brand=[brand for _, brand, *_ in related],
            relation=np.array([RELATION_NAMES.index(one) for _, _, one, *_ in related], dtype=np.int8),  # type: ignore[arg-type]
            since=np.array([-1 if since is None else since for *_, since, _ in related], dtype=np.int64),
            until=np.array([-1 if until is None else until for *_, until in related], dtype=np.int64),
        ),
        topics=TopicColumns(
            account=np.array([number[account] for account, *_ in topical], dtype=np.int64),
            topic=[topic for _, topic, *_ in topical],
            posts=np.array([posts for _, _, posts, *_ in topical], dtype=np.int64),
            first=np.array([one[3] if len(one) == 4 else -1 for one in topical], dtype=np.int64),
        ),
        postings=PostingColumns(
            account=np.array([number[account] for account, *_ in posted], dtype=np.int64),
            day=np.array([day for _, day, _ in posted], dtype=np.int64),
            counts=np.array([counts for *_, counts in posted], dtype=np.int64).reshape(-1, 3),
        ),
        mentions=MentionColumns(
            account=np.array([number[account] for account, *_ in mentioning], dtype=np.int64),
            brand=[brand for _, brand, *_ in mentioning],
            post=[post for _, _, post, *_ in mentioning],
            at=np.array([-1 if at is None else at for *_, at, _, _, _ in mentioning], dtype=np.int64),
            stance=np.array([STANCE_UNKNOWN if one is None else one for *_, one, _, _ in mentioning], dtype=np.int8),
            paid=np.array([PAID_UNKNOWN if one is None else one for *_, one, _ in mentioning], dtype=np.int8),
            answered=np.array([one for *_, one in mentioning], dtype=np.bool_),
        ),
        endorsements=EndorsementColumns(
            source=np.array([number[a] for a, *_ in endorsing], dtype=np.int64),
            target=np.array([number[b] for _, b, _ in endorsing], dtype=np.int64),
            at=np.array([-1 if at is None else at for *_, at in endorsing], dtype=np.int64),
            latest=max((at for at in (withdrawn, *(at for *_, at in endorsing)) if at is not None), default=-1),
        ),
    )


def words_of(said: Iterable[tuple[str, str, int, str, int]], number: Mapping[str, int]) -> WordColumns:
    """Words of accounts as columns: account, word, posts, and key and time of the latest of these posts."""
    rows = list(said)
    names = sorted({word for _, word, *_ in rows}, reverse=True)
    quoted = sorted({(account, post, at) for account, _, _, post, at in rows})
    place: dict[tuple[str, str], int] = {}
    for account, post, _ in quoted:
        place[account, post] = sum(other == account for other, _ in place)
    return WordColumns(
        names=names,
        account=np.array([number[account] for account, *_ in rows], dtype=np.int64),
        word=np.array([names.index(word) for _, word, *_ in rows], dtype=np.int64),
        posts=np.array([posts for _, _, posts, *_ in rows], dtype=np.int64),
        post=np.array([place[account, post] for account, _, _, post, _ in rows], dtype=np.int64),
        quoted_account=np.array([number[account] for account, *_ in quoted], dtype=np.int64),
        quoted_post=[post for _, post, _ in quoted],
        quoted_at=np.array([at for *_, at in quoted], dtype=np.int64),
    )


def make_graph(edges: Iterable[Edge], accounts: Iterable[str] = (), **more: object) -> Graph:
    """The graph of some edges; arguments as of `columns`."""
    return build_graph(columns(edges, accounts, **more))  # type: ignore[arg-type]


def assert_equal(one: Any, other: Any) -> None:
    """The same values in all fields; arrays of the same types."""
    assert type(one) is type(other)
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if dataclasses.is_dataclass(a):
            assert_equal(a, b)
        elif isinstance(a, np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert (type(a), a) == (type(b), b), field.name


def edges_of(graph: Graph) -> dict[tuple[str, str], float]:
    """Follows as a dictionary, read from the rows of followees, by plain loops."""
    return {
        (graph.keys[i], graph.keys[int(graph.out_idx[e])]): float(graph.out_weight[e])
        for i in range(graph.n)
        for e in range(int(graph.out_ptr[i]), int(graph.out_ptr[i + 1]))
    }


def engaged_in(graph: Graph) -> list[Engaged]:
    """Interactions as the arrays hold them, by plain loops."""
    return [
        (
            graph.keys[i],
            graph.keys[int(graph.engaged_idx[e])],
            int(graph.engaged_day[e]),
            tuple(graph.engaged_counts[int(graph.engaged_code[e])].tolist()),  # type: ignore[misc]
        )
        for i in range(graph.n)
        for e in range(int(graph.engaged_ptr[i]), int(graph.engaged_ptr[i + 1]))
    ]


def topics_in(graph: Graph) -> list[tuple[str, str, int]]:
    """Topics of accounts as the arrays hold them, without times, by plain loops."""
    return [(account, topic, posts) for account, topic, posts, _ in timed_topics_in(graph)]


def timed_topics_in(graph: Graph) -> list[tuple[str, str, int, int]]:
    """Topics of accounts as the arrays hold them, by plain loops."""
    return [
        (
            graph.keys[i],
            graph.topic_names[int(graph.topic_idx[e])],
            int(graph.topic_posts[e]),
            int(graph.topic_first[e]),
        )
        for i in range(graph.n)
        for e in range(int(graph.topic_ptr[i]), int(graph.topic_ptr[i + 1]))
    ]


def postings_in(graph: Graph) -> list[Posting]:
    """Posts by account and day as the arrays hold them, by plain loops."""
    return [
        (graph.keys[i], int(graph.posted_day[e]), tuple(graph.posted_counts[e].tolist()))
        for i in range(graph.n)
        for e in range(int(graph.posted_ptr[i]), int(graph.posted_ptr[i + 1]))
    ]


def mentions_in(graph: Graph) -> list[Mentioning]:
    """Mentions of brands as the arrays hold them, by plain loops."""
    return [
        (
            graph.keys[i],
            graph.brand_keys[int(graph.mention_brand[e])],
            graph.mention_post[e],
            None if graph.mention_at[e] == -1 else int(graph.mention_at[e]),
            None if graph.mention_stance[e] == STANCE_UNKNOWN else int(graph.mention_stance[e]),
            None if graph.mention_paid[e] == PAID_UNKNOWN else bool(graph.mention_paid[e]),
            bool(graph.mention_answered[e]),
        )
        for i in range(graph.n)
        for e in range(int(graph.mention_ptr[i]), int(graph.mention_ptr[i + 1]))
    ]


def endorsed_in(graph: Graph) -> list[Endorsed]:
    """Endorsements as the arrays hold them, by plain loops."""
    return [
        (
            graph.keys[i],
            graph.keys[int(graph.endorsed_idx[e])],
            None if graph.endorsed_at[e] == -1 else int(graph.endorsed_at[e]),
        )
        for i in range(graph.n)
        for e in range(int(graph.endorsed_ptr[i]), int(graph.endorsed_ptr[i + 1]))
    ]


def own_in(graph: Graph) -> list[tuple[str, str]]:
    """Brands' own accounts as the arrays hold them, by plain loops."""
    pairs = zip(graph.own_account.tolist(), graph.own_brand.tolist(), strict=True)
    return [(graph.keys[i], graph.brand_keys[k]) for i, k in pairs]


def default_ties(graph: Graph) -> TieGraph:
    """The ties of a graph by the default rules."""
    return tie_graph(graph, ScoringRules())


def mutual(*pairs: tuple[str, str]) -> list[Edge]:
    """Follows both ways, of weight 1."""
    return [edge for a, b in pairs for edge in ((a, b, 1.0), (b, a, 1.0))]


def clique(names: Iterable[str]) -> list[Edge]:
    """Everybody follows everybody else."""
    names = list(names)
    return [(a, b, 1.0) for a in names for b in names if a != b]


def follows(*pairs: str) -> list[Edge]:
    """`follows("a>b", ...)`: a follows b, on network x, with weight 1."""
    return [(f"x:{a}", f"x:{b}", 1.0) for a, b in (pair.split(">") for pair in pairs)]


@st.composite
def edge_lists(draw: st.DrawFn, most: int = 9, weights: st.SearchStrategy[float] = WEIGHTS) -> list[Edge]:
    """Follows among up to `most` accounts; at least one."""
    count = draw(st.integers(2, most))
    names = [f"x:{i}" for i in range(count)]
    pairs = draw(
        st.sets(
            st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1]),
            min_size=1,
            max_size=count * (count - 1),
        )
    )
    return [(a, b, draw(weights)) for a, b in sorted(pairs)]


DAY = 86_400_000
TIMES = st.sampled_from([None, -3 * DAY, 0, DAY, 1_600_000_000_123])


@st.composite
def related_to_brands(draw: st.DrawFn, accounts: list[str]) -> list[Related]:
    """Relations of some accounts to up to three brands, at times around 1970 and later."""
    relation = st.tuples(
        st.sampled_from(accounts), st.sampled_from(["b1", "b2", "é"]), st.sampled_from(RELATION_NAMES), TIMES, TIMES
    )
    return draw(st.lists(relation, max_size=12))


def relations_in(graph: Graph) -> list[Related]:
    """Relations as the arrays hold them, by plain loops."""
    return [
        (
            graph.keys[int(graph.relation_account[e])],
            graph.brand_keys[int(graph.relation_brand[e])],
            RELATION_NAMES[int(graph.relation_name[e])],
            None if graph.relation_since[e] == -1 else int(graph.relation_since[e]),
            None if graph.relation_until[e] == -1 else int(graph.relation_until[e]),
        )
        for e in range(len(graph.relation_account))
    ]


def congress(shared_data: Shared) -> list[Edge]:
    """The file's edges go from author to sharer: who shares listens, so the sharer follows the author."""
    result = []
    for line in shared_data("congress117-twitter/congress.edgelist").read_text().splitlines():
        author, sharer, data = line.split(" ", 2)
        result.append((f"twitter:{sharer}", f"twitter:{author}", float(ast.literal_eval(data)["weight"])))
    return result


def uk_faculty(shared_data: Shared) -> list[Edge]:
    with shared_data("uk-faculty/edges.csv").open(newline="") as lines:
        return [(f"uk:{row['from']}", f"uk:{row['to']}", float(row["weight"])) for row in csv.DictReader(lines)]


def lfr(shared_data: Shared, mixing: str) -> tuple[list[Edge], dict[str, int]]:
    """Follows both ways along the edges of a planted-partition graph, and each account's planted community."""
    name = f"LFR_N1000_ad5_mc50_mu{mixing}"
    with gzip.open(shared_data(f"lfr/networks/{name}.csv.gz"), "rt") as lines:
        ends = [line.split("\t")[:2] for line in lines]
    with gzip.open(shared_data(f"lfr/ground_truth/{name}.json.gz"), "rt") as truth:
        planted = json.load(truth)["communities"]
    pairs = sorted({(f"lfr:{min(pair)}", f"lfr:{max(pair)}") for pair in ends if pair[0] != pair[1]})
    return mutual(*pairs), {f"lfr:{account}": c for c, members in enumerate(planted) for account in members}


def undirected(graph: Graph) -> nx.Graph:
    """The projection w_ij + w_ji, by networkx."""
    result = nx.Graph()
    result.add_nodes_from(graph.keys)
    for (a, b), weight in sorted(edges_of(graph).items()):
        result.add_edge(a, b, weight=weight + (result[a][b]["weight"] if result.has_edge(a, b) else 0.0))
    return result


@functools.cache
def analysed_congress(find: Shared) -> tuple[Graph, Analysis]:
    """The congress graph and its analysis by default rules, made once for all tests that only look at it."""
    graph = make_graph(congress(find))
    return graph, analyse(graph, RunSpec(), no_progress)
