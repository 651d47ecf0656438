"""Authority, against its documented example, a slow plain version, and its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.analytics.lenses.authority import NO_DATA, PART_REASONS, WEIGHTS, authority, benchmark_topics
from service.domain import ENGAGEMENT_NAMES, MILLION

from .analytics_graphs import laws, make_graph
from .lens_examples import assert_adds_up, assert_documented, day_of, documented, observed, of_account

NAMES = ["a", "b", "c", "d", "e", "f"]
DAYS = ["2025-09-01", "2025-12-01", "2025-12-02", "2026-01-20", "2026-03-31"]
TOPICS = ["art", "beer", "coffee", "prayer"]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """What six accounts did and wrote about, in two communities and outside."""
    pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
    done = st.fixed_dictionaries({kind: st.integers(0, 5) for kind in ENGAGEMENT_NAMES})
    counts = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(
        lambda two: {"posts": sum(two) or 1, "reposts": two[0], "links": 0}
    )
    placed = draw(st.permutations(NAMES))
    return {
        "as_of": "2026-03-31",
        "communities": [placed[:4], placed[4:5]],
        "accounts": NAMES,
        "followers": {
            name: draw(st.sampled_from([0, 3, 12_345])) for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
        },
        "follows": [[*pair, None] for pair in draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12))],
        "interactions": [
            [*pair, day, draw(done)]
            for pair, day in draw(
                st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(DAYS)), unique=True, max_size=20)
            )
        ],
        "posts": [
            [name, day, draw(counts)]
            for name, day in draw(
                st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(DAYS)), unique=True, max_size=8)
            )
        ],
        "topics": [
            [name, topic, draw(st.integers(1, 30))]
            for name, topic in draw(
                st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TOPICS)), unique=True, max_size=20)
            )
        ],
    }


def lately(history: dict[str, Any], day: str, days: int) -> bool:
    return day_of(history["as_of"]) - days < day_of(day)


def topics_in(history: dict[str, Any]) -> list[str]:
    """Benchmark topics: of three accounts or more, most first; nobody is to be named by prayer."""
    has = {topic: sum(one == topic for _, one, _ in history["topics"]) for topic in TOPICS if topic != "prayer"}
    return sorted((topic for topic in has if has[topic] >= 3), key=lambda topic: (-has[topic], topic))


def plain_steady(history: dict[str, Any], name: str, has: set[str] | None) -> float:
    """T: damped responses by who is in `has`, or by anybody."""
    by_day: dict[str, int] = {}
    for a, b, day, done in history["interactions"]:
        if b == name and lately(history, day, 120) and (has is None or a in has):
            by_day[day] = by_day.get(day, 0) + sum(min(times, 3) for times in done.values())
    return math.fsum(math.log(1 + n) for n in by_day.values())


def plain_audience(history: dict[str, Any], name: str) -> int:
    acted = [(a, day) for a, _, day, done in history["interactions"] if any(done.values())]
    acted += [(one, day) for one, day, _ in history["posts"]]
    ever, awake = {a for a, _ in acted}, {a for a, day in acted if lately(history, day, 90)}
    judged = set(NAMES) if 2 * len(ever) >= len(NAMES) else ever
    followers = {a for a, b, _ in history["follows"] if b == name}
    return max(history["followers"].get(name, 0), len(followers)) - len(followers & (judged - awake))


def plain_activity(history: dict[str, Any], name: str) -> float:
    total = []
    for day in DAYS:
        if not lately(history, day, 120):
            continue
        own = reposts = written = 0
        for a, _, when, done in history["interactions"]:
            if (a, when) == (name, day):
                own += sum(min(times, 3) for kind, times in done.items() if kind != "reposts")
                reposts += min(done["reposts"], 3)
        for one, when, counts in history["posts"]:
            if (one, when) == (name, day):
                own += counts["posts"] - counts["reposts"]
                written += counts["reposts"]
        total.append(math.log(1 + own + max(reposts, written)))
    return math.fsum(total)


def scaled(raw: dict[str, float]) -> dict[str, float]:
    most = max(raw.values(), default=0)
    return {name: math.log(1 + value) / math.log(1 + most) if most else 0.0 for name, value in raw.items()}


def plain(history: dict[str, Any]) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """x of each part by name, and authority by topic and name."""
    posts = {(name, topic): count for name, topic, count in history["topics"]}
    by_topic = {}
    for topic in topics_in(history):
        has = {name for name in NAMES if (name, topic) in posts}
        by_topic[topic] = scaled({name: plain_steady(history, name, has) if name in has else 0.0 for name in NAMES})
    x: dict[str, dict[str, float]] = {}
    if history["interactions"] and by_topic:
        x["authority"] = {}
        for name in NAMES:
            own = {topic: posts.get((name, topic), 0) for topic in by_topic}
            x["authority"][name] = sum(own[topic] * by_topic[topic][name] for topic in own) / (sum(own.values()) + 5)
    elif history["interactions"]:
        x["authority"] = scaled({name: plain_steady(history, name, None) for name in NAMES})
    audience = {name: plain_audience(history, name) for name in NAMES}
    if history["follows"] or any(history["followers"].values()):
        x["audience"] = scaled(audience)  # type: ignore[arg-type]
    if history["interactions"] or history["posts"]:
        x["activity"] = scaled({name: plain_activity(history, name) for name in NAMES})
    return x, by_topic


@pytest.mark.parametrize("shuffle", [None, 1, 2])
def test_the_documented_example_is_what_comes_out(shuffle: int | None) -> None:
    [example] = documented("authority")
    seen = observed(example, shuffle)
    values = authority(seen)
    assert_adds_up(seen, values)
    assert_documented(seen, values, example["expected"])
    assert values.cut_offs["benchmark_topics"] == ["coffee", "music"]
    assert values.cut_offs["least_members"] == 3


@laws
@given(histories(), st.integers(0, 3))
def test_values_and_parts_are_those_of_a_plain_count(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = authority(seen)
    assert_adds_up(seen, values)
    x, _ = plain(history)
    assert values.part_reasons == {part: why for part, why in PART_REASONS.items() if part not in x}
    whole = sum(WEIGHTS[part] for part in x)  # type: ignore[literal-required]
    for name in NAMES:
        found = of_account(seen, values, name)
        if not x:
            assert (found["value"], found["reason"]) == (None, NO_DATA)
            continue
        assert set(found["parts"]) == set(x)
        for part, by_name in x.items():
            wanted = 100 * WEIGHTS[part] / whole * by_name[name]  # type: ignore[literal-required]
            assert found["parts"][part] == pytest.approx(wanted, abs=3e-6)
    assert values.value.max() <= 100 * MILLION


@laws
@given(histories(), st.integers(0, 3))
def test_figures_by_topic_are_those_of_a_plain_count(history: dict[str, Any], shuffle: int) -> None:
    seen = observed(history, shuffle)
    values = authority(seen)
    topics = topics_in(history)
    assert values.cut_offs["benchmark_topics"] == topics
    posts = {(name, topic): count for name, topic, count in history["topics"]}
    _, by_topic = plain(history)
    least = 3  # ⌈√6⌉
    for name in NAMES:
        found = of_account(seen, values, name)["figures"]
        assert all(np.isnan(row[len(topics) :]).all() and len(row) == 8 for row in found.values())
        home = next((one for one in history["communities"] if name in one), [])
        about = sum(posts.get((name, topic), 0) for topic in topics)
        for place, topic in enumerate(topics):
            share = posts.get((name, topic), 0) / about if about else math.nan
            assert found["fingerprint"][place] == pytest.approx(share, abs=1e-8, nan_ok=True)
            wanted = by_topic[topic][name] if about and history["interactions"] else math.nan
            assert found["topic_authority"][place] == pytest.approx(wanted, abs=1e-8, nan_ok=True)
            members = {one for one in home if (one, topic) in posts}
            others = members - {name}
            responded = {
                a
                for a, b, day, done in history["interactions"]
                if b == name and a in others and lately(history, day, 120) and any(done.values())
            }
            if len(members) < least:
                assert math.isnan(found["topic_resonance"][place])
            else:
                assert found["topic_resonance"][place] == pytest.approx(len(responded) / len(others), abs=1e-8)


def test_a_burst_counts_less_than_a_steady_response() -> None:
    """A hundred responses on one day, and ten a day on ten days, by ten accounts who know the topic."""
    crowd = [f"c{i:02}" for i in range(34)]
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "topics": [[name, "coffee", 95] for name in ("burst", "steady", *crowd)],
        "interactions": [[name, "burst", "2026-03-20", {"likes": 3}] for name in crowd]
        + [[name, "steady", f"2026-03-{day}", {"likes": 1}] for name in crowd[:10] for day in range(10, 20)],
    }
    seen = observed(history)
    values = authority(seen)
    burst, steady = (of_account(seen, values, name)["figures"]["topic_authority"][0] for name in ("burst", "steady"))
    assert steady == 1
    assert burst == pytest.approx(math.log(1 + math.log(103)) / math.log(1 + 10 * math.log(11)), abs=1e-8)
    for name in crowd:  # as much again in the same days: frantic
        history["interactions"] += [[name, "burst", "2026-03-21", {"replies": 3, "likes": 3}]]
    seen = observed(history)
    assert of_account(seen, authority(seen), "burst")["figures"]["topic_authority"][0] < 0.8


@laws
@given(histories(), st.sampled_from(NAMES), st.sampled_from(DAYS))
def test_who_has_nothing_about_a_topic_affirms_no_authority_on_it(history: dict[str, Any], name: str, day: str) -> None:
    if not topics_in(history):
        history["topics"] = [[one, "coffee", 2] for one in NAMES]
    history["interactions"].append(["b", "a", "2026-03-30", {"likes": 1}])
    before = authority(seen := observed(history))
    history["interactions"].append(["nobody", name, day, dict.fromkeys(ENGAGEMENT_NAMES, 3)])
    after = authority(more := observed(history))
    for one in NAMES:
        found = of_account(more, after, one)
        wanted = of_account(seen, before, one)
        assert found["parts"]["authority"] * _weight(after) == pytest.approx(
            wanted["parts"]["authority"] * _weight(before), abs=1e-5
        )


def _weight(values: Any) -> float:
    """Weight of the parts that are not null, to compare points where another part came to be known."""
    return sum(WEIGHTS[part] for part in values.parts)  # type: ignore[literal-required]


def test_one_post_makes_no_authority() -> None:
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "topics": [["a", "coffee", 1], ["b", "coffee", 95], ["c", "coffee", 1]],
        "interactions": [["c", "a", "2026-03-01", {"likes": 1}], ["c", "b", "2026-03-01", {"likes": 1}]],
    }
    seen = observed(history)
    values = authority(seen)
    # There are no followers: of 0.6 and 0.2, authority has 75 points. 1 / (1 + 5), and 95 / (95 + 5).
    assert [of_account(seen, values, name)["parts"]["authority"] for name in "ab"] == [12.5, 71.25]


def test_benchmark_topics_are_those_of_most_accounts_that_may_be_named() -> None:
    accounts = [f"x:{i}" for i in range(9)]
    has = {"prayer": 9, "bread": 8, "tea": 5, "art": 5, "rare": 2, **{f"topic {one}": 3 for one in "abcdefg"}}
    told = [(account, topic, 1) for topic, count in has.items() for account in accounts[:count]]
    graph = make_graph([], accounts, topics=told)
    names = [graph.topic_names[t] for t in benchmark_topics(graph)]
    assert names == ["bread", "art", "tea", "topic a", "topic b", "topic c", "topic d", "topic e"]
    graph = make_graph([], accounts, topics=told, opted_out=accounts[:2])
    assert [graph.topic_names[t] for t in benchmark_topics(graph)] == ["bread", "art", "tea"]


def test_an_audience_that_sleeps_is_none_and_is_known() -> None:
    history: dict[str, Any] = {
        "as_of": "2026-03-31",
        "follows": [["b", "a", None]],
        "posts": [["b", "2025-10-01", {"posts": 1}]],
    }
    found = of_account(seen := observed(history), authority(seen), "a")
    assert found["parts"] == {"audience": 0, "activity": 0}


def test_an_empty_graph_has_no_values() -> None:
    seen = observed({"as_of": "2026-03-31"})
    values = authority(seen)
    assert_adds_up(seen, values)
    assert values.value.shape == (0,)
    assert all(np.shape(figure) == (0, 8) for figure in values.figures.values())
