"""What lenses look at, from plain words; and the worked examples of the documentation, computed anew."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.analytics.activity import activity
from service.analytics.graph import build_graph
from service.analytics.lenses.observed import Observed
from service.domain import (
    DAY_MS,
    ENGAGEMENT_NAMES,
    MILLION,
    PART_NAMES,
    POSTING_NAMES,
    Float64,
    FollowColumns,
    Graph,
    Int32,
    Int64,
    LensValues,
    ScoringRules,
)

from .analytics_graphs import columns, default_ties

DOCS = Path(__file__).resolve().parents[2] / "docs" / "lenses"


def day_of(text: str) -> int:
    """Days since 1970 of a date."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def observed(example: dict[str, Any], shuffle: int | None = None) -> Observed:
    """What an example says, as lenses see it. Names stand for keys `net:name`; all members but `as_of` may be absent.

    as_of: the last day. communities: lists of names; who is in none has no community. accounts: further names.
    follows: [follower, followee, day or null]. interactions: [who, with whom, day, {kind: times}]. posts: [who, day,
    {posts, links, reposts}]. endorsements: [who, whom, day or null]. withdrawn: day of the last one that was. topics:
    [who, topic, posts]. followers: reported ones. raw: by part of the ambassador score and name. outreach_before: by
    name. `shuffle` seeds the order in which all of it is read.
    """

    def key(name: str) -> str:
        return f"net:{name}"

    follows = example.get("follows", [])
    names = {name for community in example.get("communities", []) for name in community}
    at = day_of(example["as_of"]) * DAY_MS
    told = columns(
        [(key(a), key(b), 1.0) for a, b, _ in follows],
        [
            key(name)
            for name in names | set(example.get("accounts", [])) | {name for name, *_ in example.get("posts", [])}
        ],
        followers={key(name): count for name, count in example.get("followers", {}).items()},
        unfollowed=at,
        engaged=[
            (key(a), key(b), day_of(day), tuple(done.get(kind, 0) for kind in ENGAGEMENT_NAMES))  # type: ignore[misc]
            for a, b, day, done in example.get("interactions", [])
        ],
        postings=[
            (key(name), day_of(day), tuple(counts.get(kind, 0) for kind in POSTING_NAMES))  # type: ignore[misc]
            for name, day, counts in example.get("posts", [])
        ],
        endorsed=[
            (key(a), key(b), None if day is None else day_of(day) * DAY_MS)
            for a, b, day in example.get("endorsements", [])
        ],
        withdrawn=day_of(example["withdrawn"]) * DAY_MS if "withdrawn" in example else None,
        topics=[(key(name), topic, posts) for name, topic, posts in example.get("topics", [])],
        shuffle=shuffle,
    )
    number = dict(zip(told.accounts.key, told.accounts.n.tolist(), strict=True))
    begun = {(number[key(a)], number[key(b)]): -1 if day is None else day_of(day) for a, b, day in follows}
    pairs = zip(told.follows.source.tolist(), told.follows.target.tolist(), strict=True)
    dated = FollowColumns(
        told.follows.source, told.follows.target, told.follows.weight,
        np.array([begun[pair] for pair in pairs], dtype=np.int64),
    )  # fmt: skip
    graph = build_graph(replace(told, follows=dated))
    place = {name.removeprefix("net:"): i for i, name in enumerate(graph.keys)}
    labels = np.full(graph.n, -1, dtype=np.int32)
    for community, members in enumerate(example.get("communities", [])):
        labels[[place[name] for name in members]] = community
    raw = np.full((len(PART_NAMES), graph.n), np.nan)
    for part, values in example.get("raw", {}).items():
        for name, value in values.items():
            raw[PART_NAMES.index(part), place[name]] = value
    before = np.zeros(graph.n, dtype=np.int64)
    for name, points in example.get("outreach_before", {}).items():
        before[place[name]] = points
    return seen_in(graph, labels, raw, before)


def seen_in(graph: Graph, labels: Int32, raw: Float64 | None = None, before: Int64 | None = None) -> Observed:
    """A graph as lenses see it, by the default rules, without rings; raw values and outreach of before where said."""
    rules = ScoringRules()
    raw = np.full((len(PART_NAMES), graph.n), np.nan) if raw is None else raw
    before = np.zeros(graph.n, dtype=np.int64) if before is None else before
    rings = np.zeros(graph.n, dtype=np.int32)
    return Observed(graph, default_ties(graph), labels, rules, activity(graph, rules), raw, before, rings)


def of_account(seen: Observed, values: LensValues, name: str) -> dict[str, Any]:
    """What a lens says of one account: value or null, parts, reason, figures."""
    i = list(seen.graph.keys).index(f"net:{name}")
    known = values.null[i] < 0
    return {
        "value": values.value[i] / MILLION if known else None,
        "parts": {part: points[i] / MILLION for part, points in values.parts.items()} if known else {},
        "reason": None if known else values.reasons[values.null[i]],
        "figures": {figure: found[i] for figure, found in values.figures.items()},
    }


def assert_adds_up(seen: Observed, values: LensValues) -> None:
    """The law of all lenses: parts sum to values exactly, none is below 0, and what is null has a reason."""
    total = np.sum(list(values.parts.values()), axis=0)
    assert np.array_equal(total, values.value)
    assert all(part.dtype == np.int64 and (part >= 0).all() for part in values.parts.values())
    assert values.value.dtype == np.int64
    assert values.null.dtype == np.int8
    assert (values.value[values.null >= 0] == 0).all()
    assert values.null.max(initial=-1) < len(values.reasons)
    for figure in values.figures.values():
        assert len(figure) == seen.n


def documented(lens: str) -> list[dict[str, Any]]:
    """The examples of a lens's page: each fenced block of JSON."""
    text = (DOCS / f"{lens}.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def assert_documented(seen: Observed, values: LensValues, expected: dict[str, Any]) -> None:
    """Compare with what an example says is expected, by name: value, parts, reason and figures, as far as it says."""
    for name, wanted in expected.items():
        found = of_account(seen, values, name)
        for said, value in wanted.items():
            if isinstance(value, dict):
                for member, number in value.items():
                    assert _rounded(found[said][member], number), (name, said, member, found[said][member])
            else:
                assert _rounded(found[said], value), (name, said, found[said])


def _rounded(found: Any, wanted: Any) -> bool:
    """Whether a number is the one that a page shows with two decimals, or something else is the same."""
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_rounded, found, wanted))
    if wanted is None:
        return found is None or (isinstance(found, float) and bool(np.isnan(found)))
    return bool(found == (pytest.approx(wanted, abs=0.005) if isinstance(wanted, float | int) else wanted))
