"""Market, after Empire Avenue: a price that moves with what an account does and with who backs it, and its history.

What Empire Avenue published (2010 and later): a virtual exchange on which people were shares. "When you join Empire
Avenue your Share Price starts at 10 Eaves", and each share that is bought or sold moves it a little
(blog.empireavenue.com, FAQ on the share price); "just as important is your activity on social networks", and a day of
little activity lowers it (play.empire.kred/blog/2010/05/18). Network scores stood behind that, for activity, audience
and, "most importantly", interaction, and "do not have a theoretical maximum" (its help page, as quoted at
emilayusof.blogspot.com/2011/05); they looked back over 30 days and did not reward what was excessive or repetitive
(play.empire.kred/blog/2011/08/31). The formulas were never published.

What is done here:

    price_i = 10 + activity_i + backing_i
    activity_i = Σ_days ln(1 + done_i + 2 · received_i) · (90 - age) / 90       over the last 90 days, age 0 to 89
    backing_i = Σ_j w_j                     over endorsements j → i that are on no cycle of endorsements
    w_j = ln(1 + activity_j)

done is what i posted, and did with others, on a day; received what others did with i. Of one kind at most 3 of a pair
and day count (`responses_a_day`); of an account's reposts of a day, which may be told as posts, as interactions, or as
both, the larger number. The price of a day comes from what is known of the account itself up to that day, and from
nothing that others are measured by.

An endorsement takes the place of buying shares. It counts as long as it stands, by what its giver does, never by how
the giver is backed. One that lies on a directed cycle counts nothing: both ends are then in the same strongly connected
component of the graph of endorsements. So nobody's price rises by backing each other in rings, however long they are.
Where the graph knows no activity at all, every endorsement weighs 1.

Different from Empire Avenue: nothing is bought, so there are no dividends, nobody is backed more than once by the same
account, and backing costs its giver nothing; the size of the audience counts only by what it does; there is one price
and not a score a network.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from service.analytics.graph import rows_of
from service.analytics.lenses.observed import Observed
from service.analytics.rounding import significant
from service.domain import DAY_MS, ENGAGEMENT_NAMES, MILLION, Bool, Float64, Graph, Int32, Int64, LensValues

START: Final = 10
"""The price of who does nothing and has no backing, in eaves (as Empire Avenue's)."""

WINDOW: Final = 90
"""Days that count, the last one most: its weight is 1, that of the day before 89 ninetieths, and so on (c)."""

RECEIVED: Final = 2
"""What others do with an account counts so many times what it does itself (c)."""

UNKNOWN_WEIGHT: Final = 1
"""What an endorsement is worth where nobody's activity is known, in eaves (c)."""

NOTHING_KNOWN = "Neither interactions nor posts nor endorsements are known in this graph."
NO_ACTIVITY = "Neither interactions nor posts are known in this graph."
NO_ENDORSEMENTS = "No endorsements are known in this graph."

REPOSTS: Final = ENGAGEMENT_NAMES.index("reposts")


def market(seen: Observed) -> LensValues:
    """Price all accounts; see the module for formulas.

    Figures: `backers`, endorsements of an account that add to its price; `backing_left_out`, those that do not because
    they are on a cycle; `backing_weight` (w), what its own endorsement adds to the price of others; and `ring`: those
    with the same number are on cycles of endorsements together. NaN where they cannot be known, or there is none.
    """
    graph, n = seen.graph, seen.n
    active = seen.interacted or len(graph.posted_day) > 0
    endorsed = graph.endorsed_latest >= 0 or len(graph.endorsed_idx) > 0
    activity = _activity(seen)
    weight = endorsement_weights(activity) if active else np.full(n, UNKNOWN_WEIGHT * MILLION, dtype=np.int64)
    source, ring = rows_of(graph.endorsed_ptr), endorsement_rings(graph)
    cycled = _cycled(graph, ring)
    counts = ~cycled & _begun(graph.endorsed_at, seen.today)
    backing, backers, left_out = np.zeros((3, n), dtype=np.int64)
    np.add.at(backing, graph.endorsed_idx[counts], weight[source[counts]])
    np.add.at(backers, graph.endorsed_idx[counts], weight[source[counts]] > 0)
    np.add.at(left_out, graph.endorsed_idx, cycled)
    parts = {"start": np.full(n, START * MILLION if active or endorsed else 0, dtype=np.int64)}
    part_reasons: dict[str, str] = {}
    for name, points, known, reason in (
        ("activity", activity, active, NO_ACTIVITY),
        ("backing", backing, endorsed, NO_ENDORSEMENTS),
    ):
        if known:
            parts[name] = points
        else:
            part_reasons[name] = reason
    unknown = np.full(n, np.nan)
    return LensValues(
        lens="market",
        value=np.sum(list(parts.values()), axis=0, dtype=np.int64),
        parts=parts,
        null=np.full(n, -1 if active or endorsed else 0, dtype=np.int8),
        reasons=(NOTHING_KNOWN,),
        part_reasons=part_reasons,
        figures={
            "backers": backers if endorsed else unknown,
            "backing_left_out": left_out if endorsed else unknown,
            "backing_weight": weight / MILLION if active or endorsed else unknown,
            "ring": np.where(ring > 0, ring, np.nan),
        },
        cut_offs={
            "start": START,
            "window_days": WINDOW,
            "received_times": RECEIVED,
            "times_a_day": seen.rules.responses_a_day,
        },
        properties={"market_weight": "backing_weight", "endorsement_ring": "ring"},
    )


def endorsement_weights(activity: Int64) -> Int64:
    """What the endorsement of accounts of some activity adds to a price: both in millionths, int64 each."""
    return np.rint(MILLION * significant(np.log1p(activity / MILLION))).astype(np.int64)


def on_cycles(graph: Graph) -> Bool:
    """Which endorsements lie on a directed cycle of endorsements: bool[s]."""
    return _cycled(graph, endorsement_rings(graph))


def _cycled(graph: Graph, ring: Int32) -> Bool:
    source, target = rows_of(graph.endorsed_ptr), graph.endorsed_idx
    cycled: Bool = (ring[source] == ring[target]) & (ring[source] > 0)
    return cycled


def endorsement_rings(graph: Graph) -> Int32:
    """Number the groups of accounts that are on cycles of endorsements together: int32[n], 0 for who is on none.

    These are the strongly connected components of more than one account, numbered from 1 by their first accounts.
    """
    source, target = rows_of(graph.endorsed_ptr), graph.endorsed_idx
    if not len(target):
        return np.zeros(graph.n, dtype=np.int32)
    # Takes a while to import, and not all graphs have endorsements.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    there = csr_array((np.ones(len(target)), (source, target)), shape=(graph.n, graph.n))
    _, label = connected_components(there, directed=True, connection="strong")
    _, first, label, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    rings = np.flatnonzero(size > 1)
    number = np.zeros(len(size), dtype=np.int32)
    number[rings[np.argsort(first[rings])]] = np.arange(1, len(rings) + 1)
    return number[label]


def own_days(graph: Graph, i: int, most: int) -> tuple[Int64, Int64, Int64]:
    """What this lens sees of one account: its days (since 1970 UTC, ascending), and done and received on each.

    Args:
        graph: the whole graph.
        i: the account.
        most: of one kind so many of a pair and day count (`responses_a_day`).
    """
    counts = np.minimum(graph.engaged_counts, most)
    given = slice(graph.engaged_ptr[i], graph.engaged_ptr[i + 1])
    gotten = np.flatnonzero(graph.engaged_idx == i)
    posted = slice(graph.posted_ptr[i], graph.posted_ptr[i + 1])
    return by_day(
        (graph.engaged_day[given], counts[graph.engaged_code[given]]),
        (graph.engaged_day[gotten], counts[graph.engaged_code[gotten]]),
        (graph.posted_day[posted], graph.posted_counts[posted][:, [0, 2]]),
    )


def by_day(
    given: tuple[Int32 | Int64, Int64], gotten: tuple[Int32 | Int64, Int64], posted: tuple[Int32 | Int64, Int32 | Int64]
) -> tuple[Int64, Int64, Int64]:
    """Add up what one account did and received by day, as `own_days` returns it.

    Args:
        given: day and counts (int64[k, 4], columns as ENGAGEMENT_NAMES, each at most `responses_a_day`) of what it did
            with others, a row for each pair and day.
        gotten: the same of what others did with it.
        posted: day and counts (int[k, 2]: posts, and of these reposts) of what it posted.
    """
    parts = (given[0], gotten[0], posted[0])
    day, place = np.unique(np.concatenate(parts).astype(np.int64), return_inverse=True)
    at_given, at_gotten, at_posted = np.split(place, np.cumsum([len(one) for one in parts])[:2])
    gave, received = np.zeros((len(day), len(ENGAGEMENT_NAMES)), dtype=np.int64), np.zeros(len(day), dtype=np.int64)
    posts = np.zeros((len(day), 2), dtype=np.int64)
    np.add.at(gave, at_given, given[1])
    np.add.at(received, at_gotten, gotten[1].sum(axis=1))
    np.add.at(posts, at_posted, posted[1])
    done = gave.sum(axis=1) + posts[:, 0] - np.minimum(gave[:, REPOSTS], posts[:, 1])  # what was told twice counts once
    return day, done, received


def price_history(
    day: Int64, done: Int64, received: Int64, begun: Int64, weight: Float64, today: int, days: int
) -> Int64:
    """Price one account on each of the last days, by the formula of the module.

    The last price is exactly the value of the lens. Endorsements that were withdrawn do not show, and those that stand
    weigh what they weigh now, back to the day on which they began.

    Args:
        day, done, received: what the account did and received by day, each day once, as `own_days` gives them; of
            `days + 89` days at least.
        begun, weight: since when each endorsement stands that counts for this account, in milliseconds since 1970 UTC,
            -1 where unknown (it then counts on all days), and `backing_weight` of who gave it.
        today: the last day, in days since 1970 UTC.
        days: how many days, at least 1.

    Returns:
        int64[days], in millionths, the day of `today` last.
    """
    counted, worth = done + RECEIVED * received, np.rint(weight * MILLION).astype(np.int64)
    prices = np.full(days, START * MILLION, dtype=np.int64)
    for place in range(days):
        then = today - (days - 1 - place)
        age = then - day
        lately = (age >= 0) & (age < WINDOW)
        prices[place] += _worth(counted[lately], age[lately]).sum() + worth[_begun(begun, then)].sum()
    return prices


def _worth(counted: Int64 | Float64, age: Int64 | int) -> Int64:
    """What days with so much on them, so many days ago, add to a price: int64, in millionths."""
    return np.rint(MILLION * significant(np.log1p(counted) * ((WINDOW - age) / WINDOW))).astype(np.int64)


def _begun(at: Int64, day: int) -> Bool:
    """Which endorsements stand on a day; those of unknown time (-1) always do."""
    begun: Bool = (at < 0) | (at // DAY_MS <= day)
    return begun


def _activity(seen: Observed) -> Int64:
    """Activity of each account in millionths, int64[n]: day by day, so that no array has a place for each of its days.

    Numbers are whole ones as floats, whose sums are exact below 2⁵³.
    """
    graph, n = seen.graph, seen.n
    counts = np.minimum(graph.engaged_counts, seen.rules.responses_a_day).astype(np.float64)
    total, reposts = counts.sum(axis=1), counts[:, REPOSTS]
    author = rows_of(graph.posted_ptr)
    engaged, posted = _by_age(seen, graph.engaged_day), _by_age(seen, graph.posted_day)
    activity = np.zeros(n, dtype=np.int64)
    for age in range(WINDOW):
        some, theirs = engaged[age], posted[age]
        if not len(some) and not len(theirs):
            continue
        code, actor, by = graph.engaged_code[some], seen.actor[some], author[theirs]
        times, posts = total[code], graph.posted_counts[theirs].astype(np.float64)
        counted = np.zeros(n)
        counted += np.bincount(actor, weights=times, minlength=n)
        counted += RECEIVED * np.bincount(seen.target[some], weights=times, minlength=n)
        counted += np.bincount(by, weights=posts[:, 0], minlength=n)
        if posts[:, 2].any():  # what was told twice counts once
            told = np.bincount(by, weights=posts[:, 2], minlength=n)
            counted -= np.minimum(told, np.bincount(actor, weights=reposts[code], minlength=n))
        who = np.flatnonzero(counted)
        activity[who] += _worth(counted[who], age)
    return activity


def _by_age(seen: Observed, day: Int32) -> list[Int64]:
    """Which of some rows are of each of the last days, the latest day first."""
    within = np.flatnonzero(seen.within(day, WINDOW))
    age = (seen.today - day[within]).astype(np.uint8)  # small numbers are sorted much faster
    order = within[np.argsort(age, kind="stable")]
    return np.split(order, np.cumsum(np.bincount(age, minlength=WINDOW))[:-1])
