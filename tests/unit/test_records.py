"""Laws of statements: in any order, any grouping and said twice they come to what the definition says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.records import (
    INTERACTION_KINDS,
    NEVER,
    THINGS,
    State,
    Statement,
    counted,
    day_of,
    interaction_event,
    latest,
)

NOTHING = State((None, None, None), (NEVER,) * 3)
VALUES = st.tuples(
    st.none() | st.sampled_from(["a", "b", "é"]), st.none() | st.integers(0, 3), st.none() | st.booleans()
)
TIMES = st.integers(0, 4)
SAID = st.lists(st.builds(lambda values, at: Statement("x", ("i",), values, at), VALUES, TIMES), max_size=8)


def put(together: Callable[..., tuple[State, int]], statements: list[Statement], state: State) -> State:
    """Put statements into a state, one by one and all at once: it comes to the same, with as many changes."""
    at_once, changed = together(state, statements)
    changes = 0
    for statement in statements:
        before = state
        state, changing = together(state, [statement])
        assert changing == (state != before) or before == UNCOUNTED  # what is made is not changed
        changes += changing
    assert (at_once, changed) == (state, changes)
    return state


@settings(max_examples=300, deadline=None)
@given(SAID, st.randoms(use_true_random=False))
def test_of_each_field_the_latest_stands(statements: list[Statement], chance: random.Random) -> None:
    expected_values, expected_said = [], []
    for i in range(3):
        said = [(one.at, one.values[i]) for one in statements if one.values[i] is not None]
        at, value = max(said, key=lambda pair: (pair[0], pair[1])) if said else (NEVER, None)  # type: ignore[type-var]
        expected_values.append(value)
        expected_said.append(at)
    expected = State(tuple(expected_values), tuple(expected_said))
    shuffled = [*statements, *chance.sample(statements, len(statements) // 2)]
    chance.shuffle(shuffled)
    assert put(latest, statements, NOTHING) == expected
    assert put(latest, shuffled, NOTHING) == expected
    assert put(latest, shuffled, expected) == expected, "said again it changes nothing"


def test_what_is_not_dated_does_not_make_what_is_known_newer() -> None:
    known = State(("a", 1, None), (5, 5, NEVER))
    repeat = Statement("x", ("i",), ("a", None, None), 9, False)
    assert put(latest, [repeat], known) == known
    assert put(latest, [repeat._replace(dated=True)], known).said == (9, 5, NEVER)
    assert put(latest, [repeat._replace(values=("b", None, None))], known).values == ("b", 1, None)


def test_what_somebody_wrote_by_hand_gives_way_to_what_is_said() -> None:
    by_hand = State(("z", None, True), (NEVER,) * 3)
    said = [Statement("x", ("i",), ("a", None, False), 0)]
    assert put(latest, said, by_hand) == State(("a", None, False), (0, NEVER, 0))


EVENTS = [interaction_event(kind, f"e{i}", hour * 3_600_000) for i in range(4) for kind in INTERACTION_KINDS[:2] for hour in (0, 23)]  # fmt: skip  # noqa: E501
HOURS = st.none() | st.lists(st.integers(0, 3), min_size=24, max_size=24).map(tuple)
COUNTS = st.builds(
    lambda counts, hours, events: Statement(
        "engagements", ("a", "b", date(2025, 1, 1)), (*counts, hours, tuple(sorted(events)) or None), 0
    ),
    st.tuples(*[st.none() | st.integers(0, 5)] * 4), HOURS, st.sets(st.sampled_from(EVENTS), max_size=5),
)  # fmt: skip
UNCOUNTED = THINGS["engagements"].nothing


@settings(max_examples=300, deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_counts_are_the_greater_of_what_was_stated_and_what_was_counted(
    statements: list[Statement], chance: random.Random
) -> None:
    events = {event for one in statements for event in (one.values[5] or ())}  # type: ignore[union-attr]
    plain = [(event >> 5 & 3, event & 31) for event in events]
    kinds, by_hour = Counter(kind for kind, _ in plain), Counter(hour for _, hour in plain)
    counts = [max(kinds[i], *(one.values[i] or 0 for one in statements)) for i in range(4)]  # type: ignore[type-var]
    hours = [max(by_hour[h], *((one.values[4] or (0,) * 24)[h] for one in statements)) for h in range(24)]  # type: ignore[index]
    expected = (*counts, tuple(hours) if any(hours) else None, tuple(sorted(events)) or None)
    shuffled = [*statements, *chance.sample(statements, len(statements) // 2)]
    chance.shuffle(shuffled)
    assert put(counted, statements, UNCOUNTED).values == expected
    assert put(counted, shuffled, UNCOUNTED).values == expected
    done = put(counted, statements, UNCOUNTED)
    assert put(counted, shuffled, done) == done


@pytest.mark.parametrize("kind", INTERACTION_KINDS)
def test_a_mark_tells_kind_and_hour_and_one_id_from_another(kind: str) -> None:
    at = int(datetime(2025, 3, 1, 17, 59, 59, tzinfo=UTC).timestamp() * 1000)
    marks = {interaction_event(kind, f"id {i}", at) for i in range(5_000)}  # type: ignore[arg-type]
    assert len(marks) == 5_000
    assert all(0 <= mark < 1 << 63 for mark in marks)
    assert {INTERACTION_KINDS[mark >> 5 & 3] for mark in marks} == {kind}
    assert {mark & 31 for mark in marks} == {17}
    assert interaction_event("like", "é", at) == interaction_event("like", "é", at)


def test_days_begin_at_midnight_utc() -> None:
    assert day_of(0) == date(1970, 1, 1)
    assert day_of(86_400_000 - 1) == date(1970, 1, 1)
    assert day_of(86_400_000) == date(1970, 1, 2)


def test_things_are_named_by_all_their_keys() -> None:
    brand = Statement("brands", ("aubade",), (None, ("t:2", "t:1"), ("zenit", "aubade")), 0)
    thing = THINGS["brands"]
    assert thing.mentioned([brand, brand], thing.accounts) == ["t:1", "t:2"]
    assert thing.mentioned([brand], thing.brands) == ["aubade", "zenit"]
    assert thing.mentioned([brand], thing.posts) == []
    for one in THINGS.values():
        assert {*one.accounts, *one.posts, *one.brands} <= {*one.identity, *one.fields}
        assert len(one.nothing.values) == len(one.nothing.said) == len(one.fields)
