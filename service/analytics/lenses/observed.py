"""What lenses look at: everything a run knows of accounts and what they do, up to the day of its `as_of`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from service.analytics.activity import Activity, by_network
from service.analytics.graph import rows_of
from service.analytics.scoring import audience_of
from service.analytics.ties import TieGraph
from service.domain import DAY_MS, PART_NAMES, Bool, Float64, Graph, Int32, Int64, PartName, ScoringRules


@dataclass(frozen=True)
class Observed:
    """What all lenses look at. Interactions are rows by actor, target, then day.

    Attributes:
        graph: n accounts, with the follows that count.
        ties: their ties in the window of the rules.
        labels: int32[n], community of each account, -1 for none.
        rules: cut-offs.
        doing: what each account does, and of whom that is known.
        raw: float64[6, n], raw values of the parts of the ambassador score (in the order of PART_NAMES) that each
            account has in its own community; NaN where a part is null there, and for accounts of no community.
        outreach_before: int64[n], outreach in the run that this one starts from, 0 where it is not known.
        ring: int32[n], number of the follow ring that an account is in, 0 for none (see `analytics.integrity`).
    """

    graph: Graph
    ties: TieGraph
    labels: Int32
    rules: ScoringRules
    doing: Activity
    raw: Float64
    outreach_before: Int64
    ring: Int32

    @property
    def n(self) -> int:
        """Number of accounts."""
        return self.graph.n

    @property
    def today(self) -> int:
        """The last day that counts, that of `as_of`, in days since 1970 UTC; 0 where nothing has a time."""
        return 0 if self.graph.as_of is None else self.graph.as_of // DAY_MS

    @cached_property
    def audience(self) -> Int64:
        """Followers of each account: those that its network reports, else those in the graph: int64[n]."""
        return audience_of(self.graph.followers, np.diff(self.graph.in_ptr))

    @cached_property
    def networks(self) -> list[Int64]:
        """Accounts of each network, ascending: see `activity.by_network`."""
        return by_network(self.graph)

    @cached_property
    def actor(self) -> Int64:
        """Who did something: int64[e], ascending."""
        return rows_of(self.graph.engaged_ptr)

    @property
    def target(self) -> Int32:
        """With whom: int32[e], never the actor."""
        return self.graph.engaged_idx

    @property
    def interacted(self) -> bool:
        """Whether anybody is known to have done anything with somebody else."""
        return len(self.graph.engaged_idx) > 0

    def lately(self, days: int) -> Bool:
        """Which interactions are of the last `days` days: bool[e]; None of a later day than `as_of` is."""
        return self.within(self.graph.engaged_day, days)

    def within(self, day: Int32, days: int) -> Bool:
        """Which of some days (since 1970 UTC) are among the last `days`."""
        within: Bool = (day > self.today - days) & (day <= self.today)
        return within

    def done(self, most: int | None = None) -> Int64:
        """How often each interaction was done: int64[e, 4], a column for each of ENGAGEMENT_NAMES, at most `most`."""
        counts = self.graph.engaged_counts if most is None else np.minimum(self.graph.engaged_counts, most)
        return counts[self.graph.engaged_code]

    def received(self, values: Int64 | Float64, of: Bool) -> Float64:
        """Sum values of some interactions by whom they were done with: float64[n].

        They are added in the order of rows; sums of whole numbers below 2⁵³ are exact.
        """
        total: Float64 = np.bincount(self.target[of], weights=values[of], minlength=self.n).astype(np.float64)
        return total

    def given(self, values: Int64 | Float64, of: Bool) -> Float64:
        """Sum values of some interactions by who did them: float64[n]; added likewise."""
        total: Float64 = np.bincount(self.actor[of], weights=values[of], minlength=self.n).astype(np.float64)
        return total

    def by_pair(self, values: Int64 | Float64, of: Bool) -> tuple[Int64, Int64, Float64]:
        """Sum values of some interactions by pair: who did something, with whom, and the sum; by actor, then target.

        They are added in the order of rows, where those of a pair follow each other.
        """
        actor, target = self.actor[of], self.target[of].astype(np.int64)
        another = np.ones(len(actor), dtype=np.bool_)
        another[1:] = (actor[1:] != actor[:-1]) | (target[1:] != target[:-1])
        place = np.cumsum(another) - 1
        total = np.bincount(place, weights=values[of], minlength=int(np.count_nonzero(another))).astype(np.float64)
        return actor[another], target[another], total

    def part(self, name: PartName) -> Float64:
        """Raw values of a part of the ambassador score, as `raw` has them: float64[n]."""
        raw: Float64 = self.raw[PART_NAMES.index(name)]
        return raw
