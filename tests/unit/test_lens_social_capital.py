"""Social capital, against its documented examples, a slow plain version, and its laws."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.social_capital import NO_DATA, NO_RESPONSES, social_capital
from service.domain import ENGAGEMENT_NAMES, MILLION

from .analytics_graphs import laws
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f"]
DAYS = ["2025-09-01", "2025-12-31", "2026-01-01", "2026-02-20", "2026-03-31"]
WEIGHTS = {"likes": 1, "replies": 3, "mentions": 3, "reposts": 2}
PARTS = ("reach", "amplification", "network")


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What six accounts did."""
    pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
    done = st.fixed_dictionaries({kind: st.integers(0, 5) for kind in ENGAGEMENT_NAMES})
    return {
        "as_of": "2026-03-31",
        "accounts": NAMES,
        "follows": [[*pair, None] for pair in draw(st.lists(st.sampled_from(pairs), unique=True))],
        "interactions": [
            [*pair, day, draw(done)]
            for pair, day in draw(
                st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(DAYS)), unique=True, max_size=12)
            )
        ],
        "posts": [
            [name, draw(st.sampled_from(DAYS)), {"posts": 1}]
            for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
        ],
    }


def lately(history: dict[str, Any], day: str) -> bool:
    return day_of(history["as_of"]) - 90 < day_of(day)


def plain(history: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Listeners, responders, responses and raw parts of each account, by reading the history line by line."""
    acted = [(a, day) for a, _, day, done in history["interactions"] if any(done.values())]
    acted += [(name, day) for name, day, _ in history["posts"]]
    seen, awake = {a for a, _ in acted}, {a for a, day in acted if lately(history, day)}
    judged = set(NAMES) if 2 * len(seen) >= len(NAMES) else seen
    found = {}
    for name in NAMES:
        r: dict[str, int] = {}
        responses = 0
        for a, b, day, done in history["interactions"]:
            if b == name and lately(history, day) and any(done.values()):
                r[a] = r.get(a, 0) + sum(WEIGHTS[kind] * min(times, 3) for kind, times in done.items())
                responses += sum(min(times, 3) for times in done.values())
        followers = {a for a, b, _ in history["follows"] if b == name}
        listeners = {a for a in followers if a in awake or a not in judged} | set(r)
        found[name] = {"listeners": len(listeners), "responders": len(r), "responses": responses, "r": r}
    for one in found.values():
        r = one["r"]
        one["reach"] = math.log(1 + one["listeners"])
        one["amplification"] = math.fsum(math.log(1 + times) for times in r.values()) / (one["listeners"] + 10)
        one["network"] = math.fsum(math.log(1 + found[a]["listeners"]) for a in r) / (len(r) + 10)
    return found


@pytest.mark.parametrize("shuffle", [None, 1, 2])
@pytest.mark.parametrize("example", documented("social_capital"))
def test_the_documented_examples_are_what_comes_out(example: dict[str, Any], shuffle: int | None) -> None:
    seen = observed(example, shuffle)
    values = social_capital(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])


@laws
@given(histories(), st.integers(0, 3))
def test_parts_and_figures_are_those_of_a_plain_count(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = social_capital(seen)
    assert_adds_up(seen, values)
    counted = plain(history)
    known = PARTS if history["interactions"] else PARTS[:1]
    assert set(values.parts) == set(known)
    assert values.part_reasons == {part: NO_RESPONSES for part in PARTS if part not in known}
    for name in NAMES:
        found = of_account(seen, values, name)
        for figure in ("listeners", "responders", "responses"):
            assert found["figures"][figure] == counted[name][figure]
        if not history["interactions"] and not history["follows"]:
            assert (found["value"], found["reason"]) == (None, NO_DATA)
            continue
        for part in known:
            most = max(one[part] for one in counted.values())
            wanted = 100 / len(known) * counted[name][part] / most if most else 0
            assert found["parts"][part] == pytest.approx(wanted, abs=3e-6)
    assert values.value.max() <= 100 * MILLION


def test_who_does_nothing_does_not_listen_unless_nobody_is_known_to_do_anything() -> None:
    history: dict[str, Any] = {"as_of": "2026-03-31", "follows": [["b", "a", None], ["c", "a", None]]}
    assert of_account(seen := observed(history), social_capital(seen), "a")["figures"]["listeners"] == 2
    history["posts"] = [["a", "2026-03-01", {"posts": 1}], ["b", "2026-03-01", {"posts": 1}]]
    assert of_account(seen := observed(history), social_capital(seen), "a")["figures"]["listeners"] == 1


def test_flooding_does_not_pay() -> None:
    def value(times: int) -> Any:
        history = {
            "as_of": "2026-03-31",
            "follows": [["b", "a", None], ["a", "c", None]],
            "interactions": [["b", "a", "2026-03-01", {"replies": times}], ["b", "c", "2026-03-01", {"replies": 3}]],
        }
        return of_account(seen := observed(history), social_capital(seen), "a")

    assert value(500) == value(3)


def test_one_devoted_listener_is_no_likelihood() -> None:
    """Of forty listeners each says a word once; another account has one, who answers three times every day."""
    many = [f"m{i}" for i in range(40)]
    month = [f"2026-03-{day:02}" for day in range(1, 32)]
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "follows": [[name, "wide", None] for name in many] + [["friend", "dear", None]],
        "interactions": [[name, "wide", "2026-03-01", {"likes": 1}] for name in many]
        + [["friend", "dear", day, {"replies": 3}] for day in month],
    }
    seen = observed(history)
    values = social_capital(seen)
    wide, dear = (of_account(seen, values, name)["parts"]["amplification"] for name in ("wide", "dear"))
    # 40 · ln 2 / (40 + 10) = 0.5545, and ln(1 + 31 · 9) / (1 + 10) = 0.5122
    assert (wide, dear) == (pytest.approx(100 / 3), pytest.approx(100 / 3 * 0.5122 / 0.5545, abs=0.005))


@laws
@given(histories())
def test_a_new_responder_never_lowers_reach_nor_one_who_responds_more_amplification(history: dict[str, Any]) -> None:
    def raw(of: dict[str, Any]) -> tuple[int, float]:
        seen = observed(of)
        found = of_account(seen, social_capital(seen), "a")
        return found["figures"]["listeners"], found["parts"]["amplification"]

    # More than anybody else can have, so that the scale stays.
    scale = [[f"z{i}", "scale", "2026-03-31", dict.fromkeys(ENGAGEMENT_NAMES, 3)] for i in range(60)]
    history = {**history, "interactions": [*history["interactions"], *scale, ["b", "a", "2026-03-02", {"likes": 1}]]}
    before = raw(history)
    more = {**history, "interactions": [*history["interactions"], ["b", "a", "2026-03-03", {"replies": 1}]]}
    after = raw(more)
    assert after[0] == before[0]
    assert after[1] > before[1]
    other = {**history, "interactions": [*history["interactions"], ["new", "a", "2026-03-03", {"replies": 1}]]}
    assert raw(other)[0] == before[0] + 1


def test_what_is_later_than_the_window_s_last_day_or_of_no_weight_is_not_there() -> None:
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "follows": [["b", "a", None]],
        "interactions": [["c", "a", "2026-03-01", {}], ["d", "a", "2025-12-31", {"replies": 3}]],
    }
    found = of_account(seen := observed(history), social_capital(seen), "a")
    assert {name: int(found["figures"][name]) for name in ("listeners", "responders", "responses")} == {
        "listeners": 1, "responders": 0, "responses": 0,
    }  # fmt: skip
    assert found["parts"]["amplification"] == 0


def test_an_empty_graph_has_no_values() -> None:
    seen = observed({"as_of": "2026-03-31"})
    values = social_capital(seen)
    assert_adds_up(seen, values)
    assert values.value.shape == (0,)
