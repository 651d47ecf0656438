"""Documents without accounts that may not be named, and events without accounts that were erased."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.domain import ERASED, Definition, HiddenAccount
from service.flows.erasing import Traces
from service.flows.masking import Mask
from service.store.erasures import Pending

LEA = Mask((HiddenAccount("m:lea", "lea.martin", 7), HiddenAccount("m:5", None, 9)))


def cleaned(document: Any, mask: Mask = LEA) -> Any:
    return json.loads(mask.cleaned(json.dumps(document, separators=(",", ":")).encode()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"accounts": ["m:lea", "m:leah", "@lea.martin", "m:5", "5"]}, {"accounts": ["m:leah", "5"]}),
        ([{"key": "m:lea"}, {"key": "m:leah"}], [{"key": "m:leah"}]),
        ({"evidence": [{"follower": "m:5", "followee": "m:1"}], "x": 1}, {"evidence": [], "x": 1}),
        ({"above": {"key": "m:lea", "score": 1.5}, "below": None}, {"above": None, "below": None}),
        ({"label": "tea · around @lea.martin, @ada and 5"}, {"label": "tea · around someone, @ada and someone"}),
        ({"label": "around 55 and @lea.martin2"}, {"label": "around 55 and @lea.martin2"}),
        ({"en": "Asked by @Lea.Martin.", "fr": "À @lea.martin"}, {"en": "Asked by someone.", "fr": "À quelqu’un"}),
        ({"why": "m:lea follows m:leah, m:5."}, {"why": "someone follows m:leah, someone."}),
        ({"topics": ["5", "lea.martin"]}, {"topics": ["5", "lea.martin"]}),
        ({"m:lea": {"x": 1}, "m:leah": 2}, {"m:leah": 2}),
        ({"definition": {"name": "x", "accounts": ["m:5"], "topic": None, "brand": None}},
         {"definition": {"name": "x", "accounts": [ERASED], "topic": None, "brand": None}}),
        ({"key": "m:lea"}, None),
    ],
)  # fmt: skip
def test_a_document_without_hidden_accounts(before: Any, after: Any) -> None:
    assert cleaned(before) == after
    many = Mask((*LEA.hidden, *(HiddenAccount(f"x:{i}", f"x{i}", 1) for i in range(200))))
    assert cleaned(before, many) == after


def test_what_names_nobody_stays_as_it_is() -> None:
    document = b'{"a": [1, "m:zoe"], "label": "around @ada" }'
    assert LEA.cleaned(document) is document
    assert LEA.erased_lines(document + b"\n") == document + b"\n"


def test_a_run_masks_who_opted_out_since() -> None:
    assert LEA.at(8).keys == {"m:5"}
    assert LEA.at(9).keys == set()
    assert Mask((HiddenAccount("m:1", None, None),)).at(10**9).keys == {"m:1"}


def test_an_erased_account_keeps_its_place_in_published_lines() -> None:
    lines = [
        {"key": "m:lea", "handle": "lea.martin", "name": "@lea.martin", "rank": 1, "reasons": [{"en": "x"}],
         "parts": [{"part": "trust", "x": 0.5, "evidence": [{"follower": "m:1"}]}], "raw": {"trust": 0.25}},
        {"key": "m:1", "rank": 2, "topics": {"tea": [1, 2, "p:1", 3], "cake": [1, 2, "p:2", 3]}, "post": "p:1"},
    ]  # fmt: skip
    content = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    mask = Mask((HiddenAccount("m:lea", "lea.martin", None),), posts=frozenset({"p:1"}))
    after = [json.loads(line) for line in mask.erased_lines(content).splitlines()]
    assert after == [
        {"key": ERASED, "handle": None, "name": "", "rank": 1, "reasons": [],
         "parts": [{"part": "trust", "x": 0.5, "evidence": []}], "raw": {"trust": 0.25}},
        {"key": "m:1", "rank": 2, "topics": {"tea": [1, 2, "", 3], "cake": [1, 2, "p:2", 3]}, "post": None},
    ]  # fmt: skip
    assert Mask().shown(mask.erased_lines(content).splitlines()) == mask.erased_lines(content).splitlines()[1:]


def test_a_definition_of_nobody_else_stays_one() -> None:
    said = Definition(name="Friends of @lea.martin", accounts=("m:5", "m:lea")).model_dump_json()
    left = Definition.model_validate_json(LEA.erased_text(said))
    assert (left.name, left.accounts) == ("Friends of someone", (ERASED,))


TRACES = [Pending("e", "forum:5", "like", 0, ()), Pending("f", "m:lea", "Lea@host.social", 0, ())]


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ({"data": {"follower": "7", "followee": "9", "weight": 5, "kind": "like"}}, True),
        ({"data": {"follower": "7", "followee": "5"}}, False),
        ({"data": {"follower": 5, "followee": "9"}}, False),
        ({"data": {"network": "elsewhere", "follower": "5", "followee": "9"}}, True),
        ({"data": {"network": "m", "account": "lea"}}, False),
        ({"data": {"note": "forum:5"}}, False),
        ({"data": {"handle": "@LIKE"}}, False),
        ([1, "5", {"followers": ["4", "5"]}], False),
    ],
)
def test_dead_letters_about_the_erased_go_and_others_stay(event: Any, left: bool) -> None:
    traces = Traces(TRACES, Mask(tuple(HiddenAccount(one.key, one.handle, None) for one in TRACES)))
    text = json.dumps(event)
    assert traces.left(text, "forum") == (text if left else None)


def test_mentions_in_dead_letters_of_others_are_taken_out() -> None:
    traces = Traces(TRACES, Mask(tuple(HiddenAccount(one.key, one.handle, None) for one in TRACES)))
    event = json.dumps({"data": {"account": "7", "text": "Ask @lea@host.social, or @lea@other.social, @like!"}})
    left = traces.left(event, "forum")
    assert left is not None
    assert json.loads(left)["data"]["text"] == "Ask @…, or @lea@other.social, @…!"


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ({"event": {"user_id": "1017", "broadcaster_user_id": "5"}}, False),
        ({"actor": "https://s.example/users/lea", "type": "Block"}, False),
        ({"object": {"id": "https://s.example/users/lea#follows/3"}}, False),
        ({"who": {"uid": 1017}}, False),
        ({"from": [["1017"]]}, False),
        ({"screen_name": "@Lea"}, False),
        ({"who": {"uid": 10170}}, True),
        ({"actor": "https://s.example/users/noe"}, True),
        ({"count": True, "text": "something else"}, True),
    ],
)
def test_what_platforms_send_names_accounts_under_any_member(event: dict[str, Any], left: bool) -> None:
    traces = Traces(
        [Pending("e", "forum:1017", "lea", 0, ()), Pending("f", "forum:https://s.example/users/lea", None, 0, ())],
        Mask(()),
    )
    text = json.dumps(event)
    assert traces.left(text, "forum", of_platform=True) == (text if left else None)
    assert traces.left(text, "elsewhere", of_platform=True) == (None if "screen_name" in event else text)


def test_dead_letters_of_an_earlier_version_are_looked_at_as_text() -> None:
    mask = Mask((HiddenAccount("forum:1017", "lea", None),))
    traces = Traces([Pending("e", "forum:1017", "lea", 0, ())], mask)
    for event in ('{"a":' * 900 + '"1017"' + "}" * 900, '{"a":' * 900 + '"5"' + "}" * 900, '{"text": "a\\ud800"}'):
        left = traces.left(event, "forum", of_platform=True)
        assert left == (None if "1017" in event else event)
