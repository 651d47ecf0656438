"""Which topics are sub-topics of which: what nearly everybody has who has another one.

Sanderson and Croft (1999, "Deriving concept hierarchies from text"): x subsumes y where P(x|y) ≥ 0.8 and P(y|x) < 1,
over the documents in which terms stand. Here accounts stand for documents, and P(y|x) < P(x|y) is asked: topic a is a
sub-topic of b where at least 80% of the accounts that write or share about a do so about b, and a smaller share the
other way round. The latter says no more than that b has more accounts,

    |a ∩ b| / |b| < |a ∩ b| / |a|    if and only if    |b| > |a|

so that a path from topics to those they are part of never comes back. Who has opted out does not count.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.compiled import compiled
from service.analytics.graph import rows_of
from service.analytics.sparse import entries_pointers
from service.domain import Graph, Int32, Int64

NEARLY_ALL: Final = 0.8
"""Share of the accounts of a sub-topic that have the topic (Sanderson and Croft's)."""

LEAST_ACCOUNTS: Final = 3
"""A sub-topic has at least so many accounts (c): of fewer, nearly all is chance."""


def subtopics(graph: Graph) -> Int32:
    """Find the topic that each topic is a sub-topic of: int32[k], -1 for none.

    Of several, the most specific is taken, which has fewest accounts; of those the first by name. All topics of the
    graph are looked at, also those that may not be named: that is for whoever shows them to ask. Takes time in
    proportion to Σ (topics of an account)², and memory to the topics of all accounts.
    """
    k = len(graph.topic_names)
    account = rows_of(graph.topic_ptr)
    kept = ~graph.opted_out[account]
    account, topic = account[kept], graph.topic_idx[kept]
    order = np.argsort(topic, kind="stable")
    accounts = np.bincount(topic, minlength=k).astype(np.int64)
    # A product that exceeds a whole number only by a rounding error is that number.
    least = np.ceil(np.round(NEARLY_ALL * accounts, 9)).astype(np.int64)
    least[accounts < LEAST_ACCOUNTS] = -1
    return _parents(
        graph.topic_ptr, graph.topic_idx, entries_pointers(topic, k), account[order].astype(np.int32), accounts, least
    )


@compiled
def _parents(ptr: Int64, idx: Int32, of_ptr: Int64, of_idx: Int32, accounts: Int64, least: Int64) -> Int32:
    """Count, topic by topic, which others its accounts have.

    Args:
        ptr, idx: topics of accounts. of_ptr, of_idx: accounts of topics, of those that count.
        accounts: int64[k], how many of these a topic has.
        least: int64[k], how many of them must have a topic that it is part of, -1 where it cannot be part of any.
    """
    k = len(accounts)
    parent = np.full(k, -1, np.int32)
    both = np.zeros(k, np.int64)
    for a in range(k):
        if least[a] < 0:
            continue
        for e in range(of_ptr[a], of_ptr[a + 1]):
            for f in range(ptr[of_idx[e]], ptr[of_idx[e] + 1]):
                both[idx[f]] += 1
        best = -1
        for e in range(of_ptr[a], of_ptr[a + 1]):
            for f in range(ptr[of_idx[e]], ptr[of_idx[e] + 1]):
                b = idx[f]
                over = both[b] >= least[a] and accounts[b] > accounts[a]
                both[b] = 0  # asked once, and clean for the next topic
                if over and (best < 0 or accounts[b] < accounts[best] or (accounts[b] == accounts[best] and b < best)):
                    best = b
        parent[a] = best
    return parent
