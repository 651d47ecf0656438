"""Manipulation of a graph: followers that were bought, rings of accounts that follow each other, bursts of likes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from service.analytics.graph import build_graph, columns_of
from service.domain import EngagementColumns, FollowColumns, Graph, bio_digest


def with_follows(graph: Graph, follows: Iterable[tuple[str, str]], bio: str = "", day: int = -1) -> Graph:
    """The graph with these follows since a day, too; accounts that it does not hold are made, with this bio.

    What is there stays.
    """
    now = columns_of(graph)
    wanted = list(follows)
    known = dict(zip(now.accounts.key, now.accounts.n.tolist(), strict=True))
    new = sorted({key for pair in wanted for key in pair} - set(known))
    first = int(now.accounts.n.max()) + 1
    known.update({key: first + i for i, key in enumerate(new)})
    there = set(zip(now.follows.source.tolist(), now.follows.target.tolist(), strict=True))
    added = sorted({(known[a], known[b]) for a, b in wanted} - there)
    source, target = (np.array([pair[side] for pair in added], dtype=np.int64) for side in (0, 1))
    accounts = replace(
        now.accounts,
        n=np.append(now.accounts.n, np.arange(first, first + len(new))),
        key=[*now.accounts.key, *new],
        handle=[*now.accounts.handle, *[None] * len(new)],
        opted_out=np.append(now.accounts.opted_out, np.zeros(len(new), dtype=np.bool_)),
        followers=np.append(now.accounts.followers, np.full(len(new), -1)),
        bio=np.append(graph.bio, np.full(len(new), bio_digest(bio))),
    )
    return build_graph(
        replace(
            now,
            accounts=accounts,
            follows=FollowColumns(
                np.append(now.follows.source, source),
                np.append(now.follows.target, target),
                np.append(now.follows.weight, np.ones(len(added))),
                np.append(graph.out_day.astype(np.int64), np.full(len(added), day)),
            ),
        )
    )


def bought(graph: Graph, buyer: str, share: float) -> Graph:
    """With so many new accounts, a share of all, that follow the buyer and do nothing else."""
    network = buyer.split(":")[0]
    count = max(1, round(share * graph.n))
    return with_follows(graph, ((f"{network}:fake{i:05}", buyer) for i in range(count)))


def ring(graph: Graph, members: list[str]) -> Graph:
    """With all of these accounts following each other; those that the graph does not hold are new."""
    return with_follows(graph, ((a, b) for a in members for b in members if a != b))


def fake_ring(graph: Graph, buyer: str, size: int) -> Graph:
    """With a ring of the buyer and new accounts."""
    network = buyer.split(":")[0]
    return ring(graph, [buyer, *(f"{network}:fake{i:05}" for i in range(size - 1))])


def burst(graph: Graph, liked: str, by: list[str], likes: int) -> Graph:
    """With so many likes by each of these accounts on the last day."""
    now = columns_of(graph)
    known = dict(zip(now.accounts.key, now.accounts.n.tolist(), strict=True))
    engaged, day = now.engagements, int(graph.engaged_day.max())
    who = np.array([known[one] for one in by], dtype=np.int64)
    there = (engaged.target == known[liked]) & (engaged.day == day) & np.isin(engaged.source, who)
    counts = np.append(engaged.counts[~there], np.tile([likes, 0, 0, 0], (len(by), 1)), axis=0)
    return build_graph(
        replace(
            now,
            engagements=EngagementColumns(
                np.append(engaged.source[~there], who),
                np.append(engaged.target[~there], np.full(len(by), known[liked])),
                np.append(engaged.day[~there], np.full(len(by), day)),
                counts,
            ),
        )
    )
