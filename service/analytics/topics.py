"""What a community writes and shares about more than everybody else does: topics for its label.

Each account counts once for a topic, however much it posts, so that one loud account names no community. Who has opted
out does not count. Cut-offs are conventions; all of them stand here.
"""

from __future__ import annotations

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.rounding import significant
from service.analytics.sensitive import may_be_named
from service.domain import Float64, Graph, Int32, Int64

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


def distinctive_topics(graph: Graph, labels: Int32) -> list[tuple[str, ...]]:
    """Find the topics that may stand in the labels of communities.

    For each community and topic, accounts with at least one post about the topic are compared among members and among
    all others; accounts without any topics are left out of both. Of the topics that pass the cut-offs above, those with
    the highest `surprise` are taken that `may_be_named`, ties by name.

    Args:
        graph: n accounts with their topics.
        labels: int32[n], community of each account from 0 on; -1 for none.

    Returns:
        Of each community up to NAMED topics, strongest first.
    """
    found: list[list[str]] = [[] for _ in range(int(labels.max(initial=-1)) + 1)]
    topics = len(graph.topic_names)
    if topics == 0:
        return [() for _ in found]
    counted = (np.diff(graph.topic_ptr) > 0) & ~graph.opted_out
    account = rows_of(graph.topic_ptr)
    kept = counted[account]
    account, topic = account[kept], graph.topic_idx[kept].astype(np.int64)
    everybody, about = int(counted.sum()), np.bincount(topic, minlength=topics)
    sizes = np.bincount(labels[counted & (labels >= 0)], minlength=len(found))

    placed = labels[account] >= 0
    pairs, members = np.unique(labels[account[placed]].astype(np.int64) * topics + topic[placed], return_counts=True)
    community, topic = pairs // topics, pairs % topics
    size, others, outside = sizes[community], about[topic] - members, everybody - sizes[community]
    more = members * outside >= TIMES_OUTSIDE * others * size
    enough = (members >= LEAST_MEMBERS) & (members * ONE_IN >= size) & more
    community, topic = community[enough], topic[enough]
    z = significant(surprise(members[enough], size[enough], others[enough], outside[enough]))
    strong = z >= LEAST_Z
    community, topic, z = community[strong], topic[strong], z[strong]
    order = np.lexsort((topic, -z, community))  # topics are in the order of their names
    for one, place in zip(community[order].tolist(), topic[order].tolist(), strict=True):
        if len(found[one]) < NAMED and may_be_named(graph.topic_names[place]):
            found[one].append(graph.topic_names[place])
    return [tuple(names) for names in found]


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
