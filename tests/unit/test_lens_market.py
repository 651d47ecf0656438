"""Market, against its documented example, a slow plain version, and its laws: above all, that rings gain nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.graph import rows_of
from service.analytics.lenses.market import (
    NO_ACTIVITY,
    NO_ENDORSEMENTS,
    NOTHING_KNOWN,
    market,
    on_cycles,
    own_days,
    price_history,
)
from service.analytics.lenses.observed import Observed
from service.domain import ENGAGEMENT_NAMES, MILLION, Int64, LensValues

from .analytics_graphs import laws
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f"]
DAYS = ["2025-06-01", "2025-12-31", "2026-01-01", "2026-02-20", "2026-03-30", "2026-03-31"]
AS_OF = "2026-03-31"
PAIRS = [(a, b) for a in NAMES for b in NAMES if a != b]
Endorsement = tuple[str, str, str | None]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What six accounts did, and whom they endorse."""
    done = st.fixed_dictionaries({kind: st.integers(0, 5) for kind in ENGAGEMENT_NAMES})
    placed = st.tuples(st.sampled_from(PAIRS), st.sampled_from(DAYS))
    days = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(DAYS)), unique=True, max_size=8)
    posts = {
        one: {"posts": draw(st.integers(4, 30)), "links": draw(st.integers(0, 2)), "reposts": draw(st.integers(0, 2))}
        for one in draw(days)
    }
    endorsed = draw(st.lists(st.sampled_from(PAIRS), unique=True, max_size=10))
    return {
        "as_of": AS_OF,
        "accounts": NAMES,
        "interactions": [
            [*pair, day, draw(done)] for pair, day in draw(st.lists(placed, unique=True, min_size=1, max_size=12))
        ],
        "posts": [[*one, counts] for one, counts in posts.items()],
        "endorsements": [[*pair, draw(st.sampled_from([None, *DAYS]))] for pair in endorsed],
        "withdrawn": "2020-01-01",
    }


# --- the plain version: read line by line ------------------------------------------------------------------------


def plain_activity(history: dict[str, Any], name: str, last: int) -> float:
    days: dict[int, list[int]] = {}  # given, given reposts, posts, posted reposts, received
    for a, b, day, done in history.get("interactions", []):
        times = {kind: min(count, 3) for kind, count in done.items()}
        if name in (a, b):
            of = days.setdefault(day_of(day), [0, 0, 0, 0, 0])
            if name == a:
                of[0] += sum(times.values())
                of[1] += times.get("reposts", 0)
            else:
                of[4] += sum(times.values())
    for a, day, counts in history.get("posts", []):
        if a == name:
            of = days.setdefault(day_of(day), [0, 0, 0, 0, 0])
            of[2] += counts.get("posts", 0)
            of[3] += counts.get("reposts", 0)
    total = 0.0
    for day, (gave, gave_reposts, posts, posted_reposts, received) in days.items():
        done = (gave - gave_reposts) + (posts - posted_reposts) + max(gave_reposts, posted_reposts)
        if 0 <= last - day < 90:
            total += math.log(1 + done + 2 * received) * (90 - (last - day)) / 90
    return total


def reaches(endorsements: list[Any], start: str, end: str) -> bool:
    """Whether one gets from an account to another along endorsements."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        new = {b for a, b, *_ in endorsements if a == here} - seen
        seen |= new
        todo += new
    return end in seen


def plain_backers(history: dict[str, Any], name: str) -> list[tuple[str, str | None]]:
    """Who endorses an account, on no cycle, and since when."""
    said = history["endorsements"]
    return [(a, day) for a, b, day in said if b == name and not reaches(said, name, a)]


def priced(history: dict[str, Any], shuffle: int | None = None) -> tuple[Observed, LensValues]:
    seen = observed(history, shuffle)
    values = market(seen)
    assert_adds_up(seen, values)
    return seen, values


def prices(history: dict[str, Any]) -> dict[str, int]:
    """Price of each account in millionths."""
    seen, values = priced(history)
    return {key.removeprefix("net:"): price for key, price in zip(seen.graph.keys, values.value.tolist(), strict=True)}


def history_of(seen: Observed, values: LensValues, i: int, days: int) -> Int64:
    """The history of one account's price, from what the lens says of all."""
    graph, weight = seen.graph, np.asarray(values.figures["backing_weight"])
    counts = (graph.endorsed_idx == i) & ~on_cycles(graph)
    source = rows_of(graph.endorsed_ptr)[counts]
    own = own_days(graph, i, seen.rules.responses_a_day)
    return price_history(*own, graph.endorsed_at[counts], weight[source], seen.today, days)


# --- against the example and the plain version -------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_documented_example_is_what_comes_out(shuffle: int | None) -> None:
    [example] = documented("market")
    seen, values = priced(example, shuffle)
    assert_documented(seen, values, example["expected"])


@laws
@given(histories(), st.integers(0, 3))
def test_prices_are_those_of_a_plain_version(history: dict[str, Any], shuffle: int) -> None:
    seen, values = priced(history, shuffle)
    last = day_of(AS_OF)
    activity = {name: plain_activity(history, name, last) for name in NAMES}
    for name in NAMES:
        backers = [a for a, _ in plain_backers(history, name)]
        found = of_account(seen, values, name)
        assert found["parts"]["start"] == 10
        assert found["parts"]["activity"] == pytest.approx(activity[name], abs=1e-5)
        assert found["parts"]["backing"] == pytest.approx(sum(math.log1p(activity[a]) for a in backers), abs=1e-5)
        assert found["figures"]["backing_weight"] == pytest.approx(math.log1p(activity[name]), abs=1e-5)
        assert found["figures"]["backers"] == sum(activity[a] > 0 for a in backers)
        all_of_it = [a for a, b, _ in history["endorsements"] if b == name]
        assert found["figures"]["backing_left_out"] == len(all_of_it) - len(backers)


@laws
@given(histories())
def test_a_history_is_the_same_formula_and_ends_exactly_at_the_price(history: dict[str, Any]) -> None:
    seen, values = priced(history)
    weight = dict(zip(seen.graph.keys, np.asarray(values.figures["backing_weight"]).tolist(), strict=True))
    for i, key in enumerate(seen.graph.keys):
        name = key.removeprefix("net:")
        found = history_of(seen, values, i, 100)
        assert (found.dtype, len(found)) == (np.int64, 100)
        assert found[-1] == values.value[i]
        for ago in (1, 39, 99):
            then = day_of(AS_OF) - ago
            backing = sum(
                weight[f"net:{a}"] for a, day in plain_backers(history, name) if day is None or day_of(day) <= then
            )
            wanted = 10 + plain_activity(history, name, then) + backing
            assert found[-1 - ago] / MILLION == pytest.approx(wanted, abs=1e-5)
        assert history_of(seen, values, i, 1).tolist() == found[-1:].tolist()


# --- rings -------------------------------------------------------------------------------------------------------


def ring_of(size: int, *, outside: bool) -> tuple[dict[str, Any], list[Endorsement]]:
    """Accounts that all do something, some backed from outside; and the endorsements that make a ring of them."""
    names = [f"r{i:02}" for i in range(size)]
    history: dict[str, Any] = {
        "as_of": AS_OF,
        "posts": [[name, "2026-03-30", {"posts": 3 + i}] for i, name in enumerate([*names, "x", "y"])],
        "endorsements": [["x", names[0], None], ["y", names[-1], "2026-02-20"], ["x", "y", None]] if outside else [],
        "withdrawn": "2026-01-01",
    }
    return history, [(one, names[(i + 1) % size], None) for i, one in enumerate(names)]


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("size", [2, 3, 50])
def test_a_ring_raises_no_price_by_a_millionth(size: int, outside: bool) -> None:
    history, ring = ring_of(size, outside=outside)
    before = prices(history)
    assert max(before.values()) > 10 * MILLION
    history["endorsements"] += ring
    seen, values = priced(history)
    assert prices(history) == before
    for i, (name, *_) in enumerate(ring):
        figures = of_account(seen, values, name)["figures"]
        assert figures["backing_left_out"] == 1
        assert figures["backers"] == (outside and i in (0, size - 1))
    # All but one of it is no ring, and counts.
    history["endorsements"].remove(ring[-1])
    chain = prices(history)
    assert all(chain[target] > before[target] for _, target, _ in ring[:-1])
    assert chain[ring[0][0]] == before[ring[0][0]]


@laws
@given(histories(), st.sampled_from(PAIRS))
def test_an_endorsement_that_closes_a_cycle_raises_no_price(history: dict[str, Any], pair: tuple[str, str]) -> None:
    said = [one for one in history["endorsements"] if tuple(one[:2]) != pair]
    history["endorsements"] = said
    before = prices(history)
    history["endorsements"] = [*said, [*pair, None]]
    after = prices(history)
    closes = reaches(said, pair[1], pair[0])
    assert all(after[name] <= before[name] for name in NAMES if closes or name != pair[1])
    if not closes:
        assert after[pair[1]] >= before[pair[1]]


# --- other laws --------------------------------------------------------------------------------------------------


def test_whoever_withdraws_an_endorsement_lowers_the_price() -> None:
    history, chain = ring_of(3, outside=False)
    history["endorsements"] = list(chain[:2])
    with_both = prices(history)
    history["endorsements"] = list(chain[:1])
    after = prices(history)
    assert after["r02"] < with_both["r02"]
    assert {name: price for name, price in after.items() if name != "r02"} == {
        name: price for name, price in with_both.items() if name != "r02"
    }


def test_how_a_backer_is_backed_does_not_matter() -> None:
    history, [first, *_] = ring_of(3, outside=False)
    history["endorsements"] = [list(first)]
    before = prices(history)
    history["endorsements"] += [["x", "r00", None], ["y", "r00", None], ["r02", "r00", None]]
    after = prices(history)
    assert after["r01"] == before["r01"] > 10 * MILLION
    assert after["r00"] > before["r00"]


@laws
@given(histories(), st.sampled_from(NAMES))
def test_a_price_comes_from_the_own_history_alone(history: dict[str, Any], name: str) -> None:
    """What others do with each other shows in nobody's activity but their own."""
    seen, values = priced(history)
    history["interactions"] = [one for one in history["interactions"] if name in one[:2]]
    history["posts"] = [[name, "2020-01-01", {"posts": 1}], *(one for one in history["posts"] if one[0] == name)]
    seen_alone, alone = priced(history)
    of_all, of_one = (of_account(*one, name)["parts"]["activity"] for one in ((seen, values), (seen_alone, alone)))
    assert of_all == of_one


def test_bursts_and_floods_pay_little() -> None:
    def price(*interactions: list[Any]) -> int:
        return prices({"as_of": AS_OF, "interactions": list(interactions)})["b"] - 10 * MILLION

    once = price(["a", "b", AS_OF, {"replies": 3}])
    assert price(["a", "b", AS_OF, {"replies": 500}]) == once
    twice = price(["a", "b", AS_OF, {"replies": 3}], ["c", "b", AS_OF, {"replies": 3}])
    on_two_days = price(["a", "b", AS_OF, {"replies": 3}], ["c", "b", "2026-03-30", {"replies": 3}])
    assert once < twice < on_two_days
    assert price(["a", "b", "2026-02-14", {"replies": 3}]) == pytest.approx(once / 2, abs=1), "45 days ago: half"
    assert price(["a", "b", "2025-12-31", {"replies": 3}]) == 0


def test_what_is_not_known_is_not_made_up() -> None:
    names = {"as_of": AS_OF, "accounts": ["a", "b"]}
    seen, values = priced(names)
    assert set(values.null.tolist()) == {0}
    assert values.reasons == (NOTHING_KNOWN,)
    assert math.isnan(of_account(seen, values, "a")["figures"]["backers"])

    seen, values = priced({**names, "posts": [["a", "2020-01-01", {"posts": 1}]]})
    assert values.value.tolist() == [10 * MILLION] * 2, "who did nothing lately is at exactly 10"
    assert values.part_reasons == {"backing": NO_ENDORSEMENTS}
    assert set(values.parts) == {"start", "activity"}

    seen, values = priced({**names, "endorsements": [["a", "b", None], ["b", "c", None], ["c", "b", None]]})
    assert values.value.tolist() == [10 * MILLION, 11 * MILLION, 10 * MILLION], "each endorsement weighs 1"
    assert values.part_reasons == {"activity": NO_ACTIVITY}
    assert history_of(seen, values, 1, 3).tolist() == [11 * MILLION] * 3

    _, values = priced({**names, "withdrawn": "2026-01-01"})
    assert values.value.tolist() == [10 * MILLION] * 2, "there were endorsements; none stands"
