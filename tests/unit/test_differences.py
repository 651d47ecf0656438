"""Laws of the difference between two lists of candidates."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from service.domain import PART_NAMES, PartName
from service.flows.differences import CommunityChange, Place, difference
from service.store.queries import bundled


def ranked(points: dict[str, tuple[int, int, int]], known: tuple[PartName, ...]) -> list[Place]:
    """Candidates as runs publish them: ranks by score, then key; points of the known parts that sum to the score."""
    scored = sorted((-sum(given[: len(known)]), key, given) for key, given in points.items())
    return [
        Place(key, None, f"@{key}", rank, -score, dict(zip(known, given, strict=False)))
        for rank, (score, key, given) in enumerate(scored, 1)
    ]


KEYS = st.sampled_from([f"t:{i}" for i in range(6)])
POINTS = st.tuples(*[st.integers(0, 3)] * 3)


def rankings() -> st.SearchStrategy[list[Place]]:
    """Few accounts and few scores, so that those of two lists are often the same; parts differ in number and kind."""
    parts = st.sampled_from((PART_NAMES[:3], PART_NAMES[1:3], PART_NAMES[:1]))
    return st.builds(ranked, st.dictionaries(KEYS, POINTS, max_size=6), parts)


@given(rankings())
def test_nothing_changes_from_a_list_to_itself(ranking: list[Place]) -> None:
    assert difference(ranking, ranking) == ([], [], [])


@given(rankings(), rankings())
def test_back_again_is_the_opposite(before: list[Place], now: list[Place]) -> None:
    there, back = difference(before, now), difference(now, before)
    assert (back.came, back.left) == (there.left, there.came)
    assert [(one.before, one.now) for one in back.moved] == [(one.now, one.before) for one in there.moved]
    assert [one.score for one in back.moved] == [-one.score for one in there.moved]
    negated = [{part: -change for part, change in one.parts.items()} for one in there.moved]
    assert [one.parts for one in back.moved] == negated


@given(rankings(), rankings())
def test_the_parts_of_a_move_sum_to_the_change_of_its_score(before: list[Place], now: list[Place]) -> None:
    for one in difference(before, now).moved:
        assert sum(one.parts.values()) == one.score == one.now.score - one.before.score
        assert set(one.parts) == set(one.before.points) | set(one.now.points)


@given(rankings(), rankings())
def test_everybody_is_somewhere_once(before: list[Place], now: list[Place]) -> None:
    found = difference(before, now)
    came, left = {one.key for one in found.came}, {one.key for one in found.left}
    moved = {one.now.key for one in found.moved}
    stayed = {one.key for one in before} & {one.key for one in now}
    assert {one.key for one in now} == came | stayed
    assert {one.key for one in before} == left | stayed
    assert moved <= stayed
    places = {one.key: (one.rank, one.score, one.points) for one in before}
    still = {one.key for one in now if places.get(one.key) == (one.rank, one.score, one.points)}
    assert not moved & still
    assert [one.rank for one in found.came] == sorted(one.rank for one in found.came)
    assert [one.rank for one in found.left] == sorted(one.rank for one in found.left)
    assert [abs(one.score) for one in found.moved] == sorted((abs(one.score) for one in found.moved), reverse=True)


def test_the_documented_item_is_one_that_could_be_answered() -> None:
    page = (bundled("migrations").parent / "docs" / "http-api.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```json\n(.*?)```", page.partition("## What changed")[2].partition("\n## ")[0], re.DOTALL)
    change = CommunityChange.model_validate_json(example)
    for one in change.moved:
        assert sum(one.parts_millionths.values()) == one.score_change_millionths
        assert one.score_change == one.score - one.score_before
    size, members, candidates = change.size, change.members, change.candidates
    for count, came, left in ((size, members.came, members.left), (candidates, candidates.came, candidates.left)):
        assert count.before is not None
        assert count.before + came - left == count.now
