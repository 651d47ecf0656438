"""What a community writes and shares about more than everybody else does: topics for its label, and for relevance.

Each account counts once for a topic, however much it posts, so that one loud account names no community. Who has opted
out does not count. Cut-offs are conventions; all of them stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.rounding import significant
from service.analytics.sensitive import may_be_named
from service.domain import CommunityValue, Float64, Graph, Int32, Int64, ScoringRules, TopicExample

NAMED = 2
"""A label has at most so many topics."""

LEAST_MEMBERS = 3
"""A topic of a label is one of at least so many members ..."""

ONE_IN = 20
"""... and of at least one in so many of the members who have any topics."""

TIMES_OUTSIDE = 1.5
"""... and so many times as frequent among them as among all others: in large graphs even little is no chance."""

LEAST_Z = 3.5
"""Its surprise is at least so many standard deviations: topics and communities are many, labels are read."""


@dataclass(frozen=True)
class CommunityTopics:
    """What a community writes and shares about more than others do, strongest first, of what may be named.

    Attributes:
        names: topics.
        topic: int64[t], their positions among the graph's topics.
        weight: float64[t], surprise of each over that of the first, in 0..1.
        members, size: int64[t], how many members wrote or shared about it, of those who have any topics.
        others, outside: int64[t], the same of all other accounts.
    """

    names: tuple[str, ...]
    topic: Int64
    weight: Float64
    members: Int64
    size: Int64
    others: Int64
    outside: Int64


_NONE = np.zeros(0, dtype=np.int64)
NO_TOPICS = CommunityTopics((), _NONE, np.zeros(0), _NONE, _NONE, _NONE, _NONE)

VALUES = 10
"""So many of the topics that stand out are listed with a community ..."""

EXAMPLES = 3
"""... each with so many of the members who wrote and shared most about it."""


def distinctive_topics(graph: Graph, labels: Int32) -> list[CommunityTopics]:
    """Find the topics that stand out in communities.

    For each community and topic, accounts with at least one post about the topic are compared among members and among
    all others; accounts without any topics are left out of both. Of the topics that pass the cut-offs above, those
    that `may_be_named` are taken, in order of `surprise`, ties by name: neither a label nor a reason should say what
    religion, politics, health or sexuality people have to do with.

    Args:
        graph: n accounts with their topics.
        labels: int32[n], community of each account from 0 on; -1 for none.
    """
    count = int(labels.max(initial=-1)) + 1
    topics = len(graph.topic_names)
    if topics == 0:
        return [NO_TOPICS] * count
    counted = (np.diff(graph.topic_ptr) > 0) & ~graph.opted_out
    account = rows_of(graph.topic_ptr)
    kept = counted[account]
    account, topic = account[kept], graph.topic_idx[kept].astype(np.int64)
    everybody, about = int(counted.sum()), np.bincount(topic, minlength=topics)
    sizes = np.bincount(labels[counted & (labels >= 0)], minlength=count)

    placed = labels[account] >= 0
    pairs, members = np.unique(labels[account[placed]].astype(np.int64) * topics + topic[placed], return_counts=True)
    community, topic = pairs // topics, pairs % topics
    size, others, outside = sizes[community], about[topic] - members, everybody - sizes[community]
    more = members * outside >= TIMES_OUTSIDE * others * size
    enough = (members >= LEAST_MEMBERS) & (members * ONE_IN >= size) & more
    community, topic = community[enough], topic[enough]
    counts = np.stack([members[enough], size[enough], others[enough], outside[enough]])
    z = significant(surprise(*counts))
    strong = z >= LEAST_Z
    nameable = {t: may_be_named(graph.topic_names[t]) for t in np.unique(topic[strong]).tolist()}
    strong &= np.array([nameable.get(t, False) for t in topic.tolist()], dtype=np.bool_)
    community, topic, z, counts = community[strong], topic[strong], z[strong], counts[:, strong]
    order = np.lexsort((topic, -z, community))  # topics are in the order of their names
    community, topic, z, counts = community[order], topic[order], z[order], counts[:, order]
    found = [NO_TOPICS] * count
    for one in np.unique(community).tolist():
        own = community == one
        names = tuple(graph.topic_names[t] for t in topic[own].tolist())
        found[one] = CommunityTopics(names, topic[own], significant(z[own] / z[own].max()), *counts[:, own])
    return found


def topics_of(graph: Graph, members: Int32) -> CommunityTopics:
    """Find the topics that stand out among some accounts (int32[k]) beside all others: see `distinctive_topics`."""
    labels = np.full(graph.n, -1, dtype=np.int32)
    labels[members] = 0
    return distinctive_topics(graph, labels)[0]


def community_values(community: Graph, topics: CommunityTopics) -> tuple[CommunityValue, ...]:
    """Say what a community talks about more than the rest, strongest first, with members as examples.

    Args:
        community: its own graph.
        topics: that stand out in it.
    """
    account, found = rows_of(community.topic_ptr), []
    for place, name in enumerate(topics.names[:VALUES]):
        entries = np.flatnonzero(community.topic_idx == topics.topic[place])
        entries = entries[~community.opted_out[account[entries]]]
        most = entries[np.lexsort((account[entries], -community.topic_posts[entries]))][:EXAMPLES]
        inside = topics.members[place] / topics.size[place]
        outside = topics.others[place] / max(int(topics.outside[place]), 1)
        shares = significant(np.array([inside, outside]))
        found.append(
            CommunityValue(
                topic=name,
                members=int(topics.members[place]),
                share=float(shares[0]),
                share_elsewhere=float(shares[1]),
                strength=float(topics.weight[place]),
                examples=tuple(
                    TopicExample(account=community.keys[int(account[e])], posts=int(community.topic_posts[e]))
                    for e in most
                ),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Relevance:
    """How much of what accounts write and share is what their community talks about; arrays are of the community.

    Attributes:
        raw: float64[k], Σ_t q_t · p_it / (P_i + prior), q_t being the weight of topic t in the community.
        posts: int64[k], P_i, posts about topics: one that is about two counts for each.
        about: int64[k], how many of these are about topics of the community.
        weight: float64[topics of the graph], q.
    """

    raw: Float64
    posts: Int64
    about: Int64
    weight: Float64


def relevance(community: Graph, topics: CommunityTopics, rules: ScoringRules) -> Relevance | None:
    """Relevance of each member to what its community talks about more than the rest; None where nothing stands out.

    `relevance_prior_posts` posts about something else are added to everybody's: one post does not win. Who wrote and
    shared nothing about any topic has 0.
    """
    if not topics.names:
        return None
    weight = np.zeros(len(community.topic_names))
    weight[topics.topic] = topics.weight
    account, posts = rows_of(community.topic_ptr), community.topic_posts.astype(np.float64)

    def total(values: Float64) -> Float64:
        result: Float64 = np.bincount(account, weights=values, minlength=community.n).astype(np.float64)
        return result

    q = weight[community.topic_idx]
    every = total(posts)
    raw = total(q * posts) / (every + rules.relevance_prior_posts)
    return Relevance(raw, every.astype(np.int64), total(posts * (q > 0)).astype(np.int64), weight)


def surprise(members: Int64, size: Int64, others: Int64, outside: Int64) -> Float64:
    """How surprising it is that a topic is so much more frequent, or less, in a community than outside.

    The signed root of the log-likelihood ratio of two binomials (Dunning 1993, "Accurate methods for the statistics of
    surprise and coincidence"), of accounts instead of words. It holds for small counts as well, and for topics that
    nobody outside writes about. With x of n members, X of N others and p = (x + X) / (n + N),

        G² = 2 · Σ O · ln(O / E), over x, n − x, X, N − X, and what p lets expect of them: pn, (1 − p)n, pN, (1 − p)N

    Args:
        members: int64[k], x. size: int64[k], n. others: int64[k], X. outside: int64[k], N. All from 0 on, n + N > 0.

    Returns:
        float64[k], √G², below 0 where the topic is less frequent inside: in standard deviations, where it is chance.
    """
    share = (members + others) / (size + outside)
    observed = np.stack([members, size - members, others, outside - others]).astype(np.float64)
    expected = np.stack([share * size, (1 - share) * size, share * outside, (1 - share) * outside])
    seen = observed > 0  # 0 · ln 0 is 0; what was seen was expected
    ratio = np.divide(observed, expected, out=np.ones_like(observed), where=seen)
    g: Float64 = np.sqrt(np.maximum(2 * np.sum(observed * np.log(ratio), axis=0), 0))
    return np.where(members * outside >= others * size, g, -g)
