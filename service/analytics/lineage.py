"""Which communities of a run are those of an earlier one: matched by the accounts they share, not by their names.

After Greene, Doyle and Cunningham, "Tracking the evolution of communities in dynamic social networks" (2010): each
community of now is compared with each of then, and a match may continue one, merge several or split one. They compare
by the Jaccard index, under which the small half of an uneven split or merge matches nothing; here either share is
enough: of those of then how many are here now, and of those here now how many were there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain import (
    Before,
    Ended,
    EndEvent,
    Float64,
    Int32,
    Int64,
    Lineage,
    LineageEvent,
    Predecessor,
    Relation,
    ScoringRules,
)

SAYS_MOST: tuple[Relation, ...] = ("merges", "splits", "continues")


@dataclass(frozen=True)
class Overlaps:
    """Pairs of communities that share accounts, those that share most first.

    Attributes:
        then, now: int64[p], positions of the two.
        accounts: int64[p], how many they share.
        of_then, of_now: float64[p], share of each that these are.
    """

    then: Int64
    now: Int64
    accounts: Int64
    of_then: Float64
    of_now: Float64


def overlaps(then: Int32, now: Int32, sizes_then: Int64, sizes_now: Int64) -> Overlaps:
    """Compare two partitions of the same n accounts.

    Args:
        then, now: int32[n], community of each account, -1 for none.
        sizes_then, sizes_now: int64[k], accounts in each: also those that are in none of the n.
    """
    both = (then >= 0) & (now >= 0)
    codes = then[both].astype(np.int64) * len(sizes_now) + now[both]
    pairs, accounts = np.unique(codes, return_counts=True)
    first, second = np.divmod(pairs, max(len(sizes_now), 1))
    of_then, of_now = accounts / sizes_then[first], accounts / sizes_now[second]
    # Of equals the pair that is more alike, then by position: sizes before names.
    order = np.lexsort((second, first, -np.minimum(of_then, of_now), -accounts))
    return Overlaps(first[order], second[order], accounts[order], of_then[order], of_now[order])


def continued(pairs: Overlaps, now: int, most: float, least: float) -> Int64:
    """Say of each community of now which one of then it continues: the one it shares most accounts with.

    Each is continued at most once. Most of one must be in the other, and a part of the other, too.

    Args:
        pairs: see `overlaps`.
        now: how many communities there are now.
        most: share of at least one of the two that both have.
        least: share of the other that both have.

    Returns:
        int64[now], position of the one of then, -1 where it continues none.
    """
    found = np.full(now, -1, dtype=np.int64)
    taken: set[int] = set()
    enough = (np.maximum(pairs.of_then, pairs.of_now) >= most) & (np.minimum(pairs.of_then, pairs.of_now) >= least)
    for then, here in zip(pairs.then[enough].tolist(), pairs.now[enough].tolist(), strict=True):
        if found[here] < 0 and then not in taken:
            found[here] = then
            taken.add(then)
    return found


def agreed(then: Int32, now: Int32, most: float, least: float) -> Int32:
    """Of each account say whether its community of now is the one that its community of then continues in: int32[n].

    1 where it is, 0 where it is not; accounts in no community of then are 0.
    """
    sizes_then, sizes_now = (np.bincount(labels[labels >= 0]).astype(np.int64) for labels in (then, now))
    of_now = continued(overlaps(then, now, sizes_then, sizes_now), len(sizes_now), most, least)
    same = (then >= 0) & (now >= 0)
    same[same] = of_now[now[same]] == then[same]
    return same.astype(np.int32)


def lineage_of(
    pairs: Overlaps, continues: Int64, ids: Sequence[str], before: Before, rules: ScoringRules
) -> tuple[list[Lineage], list[Ended]]:
    """Say where each community comes from, and what became of those that are no more.

    A community of then is a predecessor where most of it is here now (it merges into this one) or most of this one was
    there (this one splits off), and of course where this one continues it.

    Args:
        pairs, continues: see `overlaps` and `continued`.
        ids: of the communities of now.
        before: the communities of then.
        rules: what is most of a community, and how small a share makes no event.

    Returns:
        Of each community its lineage, and of each that is not continued, in the order of then, where its accounts went.
    """
    most, least = rules.lineage_most, rules.lineage_least
    predecessors: list[list[Predecessor]] = [[] for _ in ids]
    into: dict[int, list[tuple[str, str]]] = {}
    events: list[set[Relation]] = [set() for _ in ids]
    heir = {then: now for now, then in enumerate(continues.tolist()) if then >= 0}
    for then, now, accounts, of_then, of_now in zip(
        pairs.then.tolist(),
        pairs.now.tolist(),
        pairs.accounts.tolist(),
        pairs.of_then.tolist(),
        pairs.of_now.tolist(),
        strict=True,
    ):
        relation: Relation
        if continues[now] == then:
            relation = "continues"
        elif max(of_then, of_now) >= most:  # of two halves, both may be: the larger share says which it is
            relation = "merges" if of_then > of_now else "splits"
        else:
            continue
        counts = relation == "continues" or min(of_then, of_now) >= least
        if counts:
            events[now].add(relation)
            if relation == "splits" and then in heir:
                events[heir[then]].add("splits")
        predecessors[now].append(
            Predecessor(
                id=before.ids[then],
                relation=relation,
                accounts=accounts,
                share_of_it=of_then,
                share_of_this=of_now,
                counts=counts,
            )
        )
        into.setdefault(then, []).append((relation, ids[now]))
    found = [
        Lineage(id=one, event=_event(of), predecessors=tuple(named))
        for one, of, named in zip(ids, events, predecessors, strict=True)
    ]
    ended = []
    for then, identity in enumerate(before.ids):
        if then not in heir:
            went = into.get(then, [])
            merged = any(relation == "merges" for relation, _ in went)
            event: EndEvent = "merged" if merged else "split" if went else "died"
            ended.append(
                Ended(id=identity, event=event, size=int(before.sizes[then]), into=tuple(one for _, one in went))
            )
    return found, ended


def _event(events: set[Relation]) -> LineageEvent:
    """The one that says most; what only small parts of it did is told by its predecessors alone."""
    for event in SAYS_MOST:
        if event in events:
            return event
    return "born"
