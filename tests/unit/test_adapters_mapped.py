"""Mappings: what is wrong in one is named, paths find what RFC 9535 says, signatures are those of senders' pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonpath
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from service import console
from service.adapters import Adapter, Unusable, adapter_of
from service.adapters.mapped import (
    MAX_BYTES,
    MOST_COST,
    MOST_EVENTS,
    MOST_NOTES,
    MOST_PATHS,
    MOST_RULES,
    MOST_TEXT,
    MOST_THINGS,
    MOST_WANTED,
    Challenge,
    Rule,
    Signature,
    Taken,
    WebhookMapping,
)
from service.adapters.paths import MOST_CHARACTERS, path_of
from service.adapters.standard_webhooks import sign
from service.domain import Frozen, Reader
from service.errors import BadInput, SignatureInvalid
from service.files.events import EVENTS, EventSource, read_body, read_events
from service.flows.reading import KINDS, adapter_for, event_source, mapping_of
from service.flows.trying import MOST_CHARACTERS as MOST_SHOWN_OF_A_TEXT
from service.flows.trying import MOST_MEMBERS, MOST_SHOWN, Tried, try_example

NOW = 1_800_000_000_000
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "platforms" / "mapping.md").read_text(encoding="utf-8")
ERASED = '[[events]]\ntype = "account.erased"\ndata = { account = "$.id" }\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


GITHUB, SLACK, STRIPE, SHOPIFY = blocks("toml")[1:]


def by(text: str) -> Adapter:
    return adapter_for(reader(text))


def reader(text: str) -> Reader:
    return Reader("mapped", mapping_of(text.encode(), "m.toml"))


def one_field(path: str, kind: str = "follow.created", field: str = "follower") -> str:
    needed = dict.fromkeys(sorted(KINDS[kind].required), "$.there") | {field: path}
    return (
        f'[[events]]\ntype = "{kind}"\ndata = {{ {", ".join(f"{k} = {json.dumps(v)}" for k, v in needed.items())} }}\n'
    )


def found(path: str, of: Any) -> list[Any]:
    return path_of(path).values(of)


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_example_of_the_page_is_read_as_the_page_says() -> None:
    mapping, body = blocks("toml")[0], blocks("json")[0].encode()
    tried = try_example(reader(mapping), "forum", body, NOW)
    (item,) = tried.items
    assert (tried.accepted, item.status) == (1, "accepted")
    at = "2025-03-01T12:00:00.000+00:00"
    assert [one.event for one in item.events] == [
        {"type": "follow.created", "data": {"follower": 1017, "followee": 2044, "at": at}},
        {"type": "follow.deleted", "data": {"follower": 1018, "followee": 2044, "at": at}},
    ]
    assert (3, "events.1.where", '@.action is "rename", not "follow".') in [
        (one.thing, one.place, one.message) for one in item.unread
    ]
    signature = "sha256=" + hmac.new(b"forum-secret", body, hashlib.sha256).hexdigest()
    delivered = by(mapping).delivered({"x-forum-signature": signature}, body, {"a": "forum-secret"}, NOW / 1000)
    assert (delivered.id, delivered.secret) == (hashlib.sha256(body).hexdigest(), "a")


def keys(model: type[Frozen], before: str = "") -> Iterator[tuple[str, str]]:
    inside: dict[Any, tuple[type[Frozen], str]] = {
        "signature": (Signature, ""), "challenge": (Challenge, ""), "events": (Rule, ""), "events.data": (Taken, ".*"),
    }  # fmt: skip
    for name, field in model.model_fields.items():
        key = f"{before}{name}"
        yield key, field.description or ""
        if key in inside:
            child, more = inside[key]
            yield from keys(child, f"{key}{more}.")


def test_the_table_of_the_page_has_every_key_of_the_model() -> None:
    rows = re.findall(r"^\| `([\w.*]+)` \| (.*) \|$", PAGE.split("## Every key")[1].split("\n## ")[0], re.MULTILINE)
    expected = list(keys(WebhookMapping))
    assert [name for name, _ in rows] == [name for name, _ in expected]
    for (name, said), (_, description) in zip(rows, expected, strict=True):
        assert said.startswith(description.split(": seconds")[0]), name


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    limits = PAGE.split("## Limits")[1]
    assert f"{MAX_BYTES:,} bytes, {MOST_RULES} rules, {MOST_PATHS} different paths" in limits
    assert f"| {MOST_CHARACTERS} characters |" in limits
    assert f"| {MOST_COST} of" in limits
    assert f"| {MOST_WANTED} |" in limits
    assert f"| {MOST_THINGS:,} |" in limits
    assert f"| {MOST_EVENTS:,}, with {MOST_TEXT:,} characters" in limits


@pytest.mark.parametrize("block", blocks("toml")[1:], ids=lambda block: block.splitlines()[0])
def test_every_scheme_of_the_page_is_one(block: str) -> None:
    assert mapping_of((block + ERASED).encode(), "m.toml")


@pytest.mark.parametrize("path", re.findall(r"`([$][^`]*)`", PAGE.split("## Paths")[1].split("It is the grammar")[0]))
def test_every_path_of_the_page_is_one(path: str) -> None:
    assert path_of(path).text == path


def test_paths_of_the_page_find_what_it_says() -> None:
    included = [
        {"type": "user", "id": 1},
        {"type": "post", "id": 2, "age": 17},
        {"type": "user", "id": 3, "age": 18},
        {},
    ]
    assert found("$.included[?@.type == 'user'].id", {"included": included}) == [1, 3]
    assert found("$.included[?@.id && !(@.age < 18)].id", {"included": included}) == [1, 3]


# --- mappings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "^m.toml cannot be used: events: Field required"),
        ("x = 1\ny z\n", r"m.toml is no TOML: .*line 2"),
        ("{", r"m.toml is no JSON: .*line 1"),
        ("events = []", "events: Tuple should have at least 1 item"),
        ("colour = 1\n" + ERASED, "colour: Extra inputs"),
        (ERASED + "data.x = 1", "is no TOML"),
        ('[[events]]\ntype = "dance"\ndata = { x = 1 }', r"events\.1\.type: there is no kind 'dance'; there are ac"),
        (ERASED + '[[events]]\ntype = "account.erased"\ndata = { acount = 1 }',
         r"events\.2\.data\.acount: account\.erased has no such field; it has account, network, at; "
         r"events\.2\.data\.account: is missing, without which there is no account\.erased"),
        (one_field("$..id"), r"events\.1\.data\.follower: '\$\.\.id' cannot be used: `\.\.` looks everywhere"),
        (one_field("$.a b"), r"events\.1\.data\.follower: '\$\.a b' is no JSONPath \(RFC 9535\): unexpected token"),
        (one_field("$['a','b']"), "more than one selector"),
        (one_field("$[?match(@.a, '(a+)+$')]"), "a filter compares values"),
        (one_field("$[?@.a == $.b]"), "a filter compares values"),
        (one_field("$[?@.a == @.b[*]]"), "not comparable"),
        (one_field("$[?@[?@.a]]"), "a filter compares values"),
        (one_field("$[?@.a == 9007199254740993]"), "below 9,007,199,254,740,992"),
        (one_field("$[?@.a == 1e999]"), "is no JSONPath"),
        (one_field("$[1e2]"), "is no JSONPath"),
        (one_field("$[::0]"), "step 0"),
        (one_field("$.a|$.b"), "is no JSONPath"),
        (one_field("$" + ".a" * 150), "more than 300 characters"),
        (one_field("$[?" + "!" * 250 + "@.a]"), r"have \d+ of \*, slices, filters"),
        (one_field("@lea"), "is no JSONPath"),
        (ERASED + 'where = { "action" = "x" }', r"events\.1\.where: 'action' is no path"),
        (ERASED + 'where = { "$.a" = [] }', r"events\.1\.where: \$\.a is to be a text"),
        (ERASED + 'where = { "$.a" = nan }', r"events\.1\.where|is no TOML"),
        (ERASED + 'where = { "$.a" = { b = 1 } }', r"events\.1\.where: \$\.a is to be a text"),
        (ERASED + f'where = {{ "$.a" = {list(range(51))} }}', "51 values to be one of, of at most 50"),
        ('items = "@.x"\n' + ERASED, r"items: begin the path with \$"),
        ('items = "$.x[*]"\n' + one_field("$.y[*]", "follow.snapshot", "followers"),
         r"events\.1\.data\.followers: begin the path with @"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = { path = "$.a", unit = "s" } }',
         "a unit is said of times"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = "$.a", at = { path = "$.a", unit = "h" } }',
         r"events\.1\.data\.at\.unit: Input should be 's', 'ms' or 'us'"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = "$.a", at = { value = 1, unit = "s" } }',
         "unit goes with a path"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = { path = "$.a", value = 1 } }', "say a path, or a"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = {} }', "say a path, or a value"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = [1] }', "this field takes one value"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = [[1]] }', "a value of your own is"),
        ('[[events]]\ntype = "follow.snapshot"\ndata = { account = "$.a", followers = ["$.x", "@.y"] }',
         r"cannot be used: events\.1\.data\.followers: a list holds values of your own, and one of these begins with"),
        ('[[events]]\ntype = "interaction.recorded"\n[events.data]\nid = "$.i"\naccount = "$.a"\ntarget = "$.t"\n'
         'kind = "likee"\nat = { value = "nonsense" }\n',
         r"cannot be used: events\.1\.data\.kind: The kind .*; events\.1\.data\.at: The time "),
        (one_field("$.a").replace("data = {", 'data = { weight = "x",'), r"events\.1\.data\.weight: The weight"),
        (one_field("$.a").replace("data = {", 'data = { network = "F OO:x",'), r"events\.1\.data\.network: The net"),
        (one_field("$.a").replace("data = {", 'data = { record = " ",'), "The record is empty, which says nothing"),
        ('[[events]]\ntype = "account.erased"\ndata = { account = "$.a", x = { value = 1, colour = 2 } }',
         r"cannot be used: events\.1\.data\.x\.colour: Extra inputs are not permitted\.$"),
        ('[[events]]\ntype = "follow.deleted"\ndata = { at = "$.t" }',
         r"cannot be used: events\.1\.data: there is no follow\.deleted without followee and follower, or record\.$"),
        ('[[events]]\ntype = "follow.deleted"\ndata = { follower = "$.a" }', "without followee and"),
        ("".join(one_field(f"$.a{k}") for k in range(20)) + one_field("$.b"), "at most 20 items"),
        ("".join(one_field(f"$[{k}:]") for k in range(16)) + "".join(one_field(f"$[:{k}]") for k in range(1, 4)) +
         one_field("$[?@.a == 1 || @.b == 2 || @.c == 3 || @.d == 4]"), "the paths have 31 of"),
        ('[challenge]\nwhere = { "$[?' + "!" * 28 + '@.a]" = 1 }\nanswer = "$[*]"\n' + one_field("$[*]"),
         "the paths have 31 of"),
        ('[signature]\nheader = "a b"\n' + ERASED, r"signature\.header: this is no name of a header"),
        ('[signature]\nheader = "a"\nencoding = "octal"\n' + ERASED, r"signature\.encoding: Input should be 'hex' or"),
        ('[signature]\nheader = "a"\nalgorithm = "md5"\n' + ERASED, r"signature\.algorithm: Input should be"),
        ('[signature]\nheader = "a"\nsigned = "{bodi}"\n' + ERASED, r"signature: signed: there is no \{bodi\}"),
        ('[signature]\nheader = "a"\nsigned = "{body}{body}"\n' + ERASED, "is to stand there once"),
        ('[signature]\nheader = "a"\nsigned = "x"\n' + ERASED, "is to stand there once"),
        ('[signature]\nheader = "a"\ntimestamp_header = "t"\n' + ERASED, "go together"),
        ('[signature]\nheader = "a"\nsigned = "{timestamp}{body}"\n' + ERASED, "go together"),
        ('[signature]\nheader = "a"\nsigned = "{id}{body}"\n' + ERASED, "id_header is missing"),
        ('[signature]\nheader = "a"\ntimestamp_prefix = "t="\n' + ERASED, "of no use without timestamp_header"),
        ('[challenge]\nwhere = {}\nanswer = "$.c"\n' + ERASED, r"challenge\.where: Dictionary should have at least 1"),
        ("#" * 100_001, "larger than 100,000 bytes"),
        ("x = " + "[" * 20_000, "is no TOML"),
        ("x = " + "1" * 5_000, "is no TOML"),
        ('{"about": "\\ud800", "events": []}', "cannot be used"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        mapping_of(text.encode(), "m.toml")


def test_more_paths_than_a_mapping_may_have_are_refused() -> None:
    rules = [
        {"type": "account.erased", "data": {"account": f"$.a{k}"}, "where": {f"$.b{k}.c{j}": 1 for j in range(9)}}
        for k in range(11)
    ]
    with pytest.raises(BadInput, match="there are 110 different paths, of at most 100"):
        mapping_of(json.dumps({"events": rules}).encode(), "m.json")


def test_paths_of_the_challenge_count_as_paths() -> None:
    asked = {"where": {f"$.c{k}": 1 for k in range(10)}, "answer": "$.c"}
    rules = [
        {"type": "account.erased", "data": {"account": f"$.a{k}"}, "where": {f"$.b{k}.c{j}": 1 for j in range(9)}}
        for k in range(9)
    ]
    with pytest.raises(BadInput, match="there are 101 different paths, of at most 100"):
        mapping_of(json.dumps({"events": rules, "challenge": asked}).encode(), "m.json")


def test_what_is_kept_is_the_same_however_it_was_written_and_is_read_again() -> None:
    kept = mapping_of(blocks("toml")[0].encode(), "m.toml")
    assert mapping_of(kept.encode(), "m.json") == kept
    assert mapping_of(json.dumps(json.loads(kept), indent=3).encode(), "m.json") == kept
    assert '"signature":{"header":"x-forum-signature","prefix":"sha256="}' in kept  # what is not said is not kept
    literal = mapping_of(one_field("@.a").replace('"@.a"', '{ value = "@lea" }').encode(), "m.toml")
    assert mapping_of(literal.encode(), "m.json") == literal
    assert by(literal).events({"there": 1})[0]["data"]["follower"] == "@lea"
    several = one_field("$.post", "post.published", "post") + 'topics = { value = ["$x", "y"] }\n'
    several = several.replace("data = {", "[events.data]\n").replace(" }\n", "\n", 1)
    assert mapping_of(mapping_of(several.encode(), "m.toml").encode(), "m.json") == mapping_of(
        several.encode(), "m.toml"
    )
    assert by(several).events({"post": 1})[0]["data"]["topics"] == ["$x", "y"]


def test_an_end_is_said_by_both_accounts_or_by_the_record() -> None:
    for data in ('follower = "$.a", followee = "$.b"', 'record = "$.r"', 'record = "$.r", follower = "$.a"'):
        assert by(f'[[events]]\ntype = "follow.deleted"\ndata = {{ {data} }}\n').events({"r": 1})


@given(kind=st.sampled_from(sorted(EVENTS)), data=st.data())
def test_a_value_of_ones_own_is_taken_where_an_event_may_have_it(kind: str, data: st.DataObject) -> None:
    """Of fields that a mapping leaves to the sender there is a value that can be used: that of the kind's example."""
    given_example = EVENTS[kind].schema.example
    name = data.draw(st.sampled_from(sorted(given_example)))
    odd = st.one_of(st.text(max_size=5), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
    value = data.draw(st.one_of(st.just(given_example[name]), odd))
    assume(not isinstance(value, list) or all(isinstance(one, str) for one in value))
    rule = {"type": kind, "data": {one: f"$.{one}" for one in given_example} | {name: {"value": value}}}
    (judged,) = read_events([{"type": kind, "data": given_example | {name: value}}], EventSource("s", "n"), NOW)
    try:
        mapping_of(json.dumps({"events": [rule]}).encode(), "m.json")
    except BadInput:
        assert judged.code is not None or (isinstance(value, str) and not value.strip())
    else:
        assert judged.code in (None, "self_loop", "bad_time")


def test_a_source_needs_a_mapping_and_others_take_none() -> None:
    with pytest.raises(BadInput, match="give one with --mapping"):
        adapter_of("mapped").by(None, KINDS)
    with pytest.raises(BadInput, match="without a mapping"):
        adapter_of("entourage").by("{}", KINDS)


PIECES = st.sampled_from([
    "[[events]]\n", "[events.data]\n", "[signature]\n", "[challenge]\n", 'type = "follow.created"\n',
    'follower = "$.a"\n',
    'followee = "@.b[*]"\n', "where = ", '{ "$.a" = 1 }\n', 'header = "h"\n', 'signed = "{body}', '"\n', "items = ",
    "$[?@.a==1]", "at = { path = ", '"$.t"', ', unit = "us" }\n', "nan", "1e999", "2025-01-01", "\x00", "é", "\\ud800",
])  # fmt: skip


@given(
    content=st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=14).map(lambda some: "".join(some).encode()))
)
@example(b'{"events": [{"type": "account.erased", "data": {"account": 1e999}}]}')
@example(b'{"events": [{"type": "account.erased", "data": {"account": NaN}}]}')
@example(b'{"about": ' + b"[" * 5_000)
def test_whatever_a_mapping_holds_it_is_read_or_refused(content: bytes) -> None:
    try:
        kept = mapping_of(content, "m")
    except BadInput:
        kept = None
    try:
        adapter_for(Reader("mapped", content.decode(errors="surrogateescape")))
    except BadInput:
        return
    assert kept is not None


@given(text=st.one_of(st.text(max_size=40), st.text(alphabet="$@.[]*?:'\"ab01-=<>!&|(), ", max_size=25)))
def test_whatever_stands_for_a_path_it_is_read_or_refused(text: str) -> None:
    try:
        path = path_of(text)
    except ValueError:
        return
    assert path.values({"a": [0, {"b": "ab"}], "b": "a"}) is not None


# --- paths ----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "é", "a b", "'", '"', "\\", "0", ""])
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([1.0, 0.5]), st.sampled_from(["a", "b", "", "é"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=25,
)
SIMPLE = st.lists(st.one_of(NAMES, st.integers(-3, 3), st.just("*")), max_size=4)


def plainly(of: Any, keys: list[str | int]) -> list[Any]:
    """What a path of names, indices and * finds, step by step."""
    values = [of]
    for key in keys:
        children: list[Any] = []
        for value in values:
            if key == "*":
                children += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
            elif isinstance(key, str) and isinstance(value, dict):
                children += [item for name, item in value.items() if name == key]
            elif isinstance(key, int) and isinstance(value, list):
                places = range(len(value))
                children += [value[place] for place in places if key in (place, place - len(value))]
        values = children
    return values


@given(of=JSON, keys=SIMPLE)
@example(of={"a": [[1, 2], [3]]}, keys=["a", "*", -2])
def test_simple_paths_find_what_a_plain_walk_finds(of: Any, keys: list[str | int]) -> None:
    steps = ["[*]" if key == "*" else f"[{key if isinstance(key, int) else json.dumps(key)}]" for key in keys]
    assert repr(found("$" + "".join(steps), of)) == repr(plainly(of, keys))


OPERANDS = st.sampled_from(
    ["@", "@.a", "@.b", "@[0]", "@.a.b", "1", "1.0", "0.5", "'a'", "true", "false", "null", "-1"]
)
TESTS = st.recursive(
    st.one_of(
        st.sampled_from(["@.a", "@[0]"]),
        st.tuples(OPERANDS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), OPERANDS).map(" ".join),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from([" && ", " || "]), inner).map(lambda some: f"({''.join(some)})"),
    ),
    max_leaves=3,
)
SLICES = st.tuples(*[st.one_of(st.just(""), st.integers(-3, 3).map(str))] * 2, st.sampled_from(["1", "2", "-1"]))
SEGMENTS = st.one_of(
    st.sampled_from([".a", ".b", "[*]", ".*", "[0]", "[-1]"]),
    SLICES.map(":".join).map("[{}]".format),
    TESTS.map("[?{}]".format),
)


@given(
    of=JSON.filter(lambda value: isinstance(value, dict | list)), segments=st.lists(SEGMENTS, max_size=3).map("".join)
)
def test_paths_find_what_the_library_finds(of: Any, segments: str) -> None:
    """But for texts, of which it takes slices; `?@`; and 1 and true in arrays, which are the same to Python."""
    strict = jsonpath.JSONPathEnvironment(strict=True)
    expected = strict.findall(f"${segments}", without_traps(of))
    assert repr(found(f"${segments}", without_traps(of))) == repr(expected)


def without_traps(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_traps(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_traps(one) for one in value]
    return None if isinstance(value, str | bool) else value


@pytest.mark.parametrize(
    ("path", "of", "finds"),
    [
        ("$", "text", ["text"]),
        ("$[0:2]", "text", []),
        ("$[*]", "text", []),
        ("$[0]", {"0": 1}, []),
        ("$[1]", [1, 2], [2]),
        ("$[2]", [1, 2], []),
        ("$[-2]", [1, 2], [1]),
        ("$[-3]", [1, 2], []),
        ("$.a", {"a": None}, [None]),
        ("$[?@.a == true]", [{"a": 1}, {"a": True}], [{"a": True}]),
        ("$[?@.a == 1]", [{"a": 1.0}, {"a": True}, {"a": "1"}], [{"a": 1.0}]),
        ("$[?@.a == @.b]", [{}, {"a": [1], "b": [True]}], [{}]),
        ("$[?@.a == @.b]", [{"a": {"x": [1]}, "b": {"x": [1.0]}}, {"a": 1}], [{"a": {"x": [1]}, "b": {"x": [1.0]}}]),
        ("$[?@.a <= 'b']", [{"a": "a"}, {"a": 1}, {"a": "c"}], [{"a": "a"}]),
        ("$[?@.a > 0]", [{"a": True}, {"a": 10**30}], [{"a": 10**30}]),
        ("$[?@.a]", [{"a": None}, {}], [{"a": None}]),
        ("$[?@]", [0, None, "", []], [0, None, "", []]),
        ("$[?@ == 'x']", {"p": "x", "q": "y"}, ["x"]),
    ],
)  # fmt: skip
def test_paths_find_what_the_rfc_says_where_python_would_not(path: str, of: Any, finds: list[Any]) -> None:
    assert found(path, of) == finds


# --- events ---------------------------------------------------------------------------------------------------------


def read(text: str, item: Any) -> Any:
    return by(text).events(item)


def test_every_rule_that_holds_makes_an_event_and_none_is_nothing() -> None:
    text = (
        '[[events]]\ntype = "account.opted_out"\nwhere = { "$.a" = [1, "x"], "$.tags[*]" = "t" }\n'
        'data = { account = "$.id" }\n'
        '[[events]]\ntype = "account.erased"\nwhere = { "$.a" = "x" }\ndata = { account = "$.id" }\n'
    )
    erased, opted_out = ({"type": f"account.{one}", "data": {"account": "7"}} for one in ("erased", "opted_out"))
    assert read(text, {"a": "x", "tags": ["s", "t"], "id": "7"}) == [opted_out, erased]
    assert read(text, {"a": 1.0, "tags": ["t"], "id": "7"}) == [opted_out]
    assert read(text, {"a": True, "tags": ["t"], "id": "7"}) == []
    assert read(text, "text") == []


def test_nothing_found_is_nothing_said_and_several_are_a_list_only_where_the_field_takes_one() -> None:
    single = one_field("$.x[*]")
    assert read(single, {"there": "b", "x": []}) == [{"type": "follow.created", "data": {"followee": "b"}}]
    assert read(single, {"there": "b", "x": ["a"]})[0]["data"] == {"followee": "b", "follower": "a"}
    with pytest.raises(Unusable, match=r"\$\.x\[\*\] finds 2 values, and follower takes one") as wrong:
        read(single, {"there": "b", "x": ["a", "c"]})
    assert wrong.value.code == "several_values"
    wide, whole = (one_field(path, "follow.snapshot", "followers") for path in ("$.x[*]", "$.x"))
    assert read(wide, {"there": "b", "x": ["a"]})[0]["data"]["followers"] == ["a"]
    assert read(wide, {"there": "b", "x": [["a"]]})[0]["data"]["followers"] == [["a"]]
    assert "followers" not in read(wide, {"there": "b", "x": []})[0]["data"]
    assert read(whole, {"there": "b", "x": []})[0]["data"]["followers"] == []


def test_whole_numbers_keep_every_digit_and_others_are_no_ids() -> None:
    body = b'{"there": 2, "x": 1234567890123456789012345678901}'
    (item,) = read_events(read_body(body), event_source("s", "n", reader(one_field("$.x"))), NOW)
    assert item.said[0].follower == "n:1234567890123456789012345678901"  # type: ignore[union-attr]
    tried = try_example(reader(one_field("$.x")), "n", b'{"there": 2, "x": 1.0}', NOW)
    assert [(one.status, one.code) for one in tried.items] == [("rejected", "bad_id")]


@pytest.mark.parametrize(
    ("unit", "value", "at"),
    [
        ("us", 1740830400123999, "2025-03-01T12:00:00.123+00:00"),
        ("us", "1740830400123999", "2025-03-01T12:00:00.123+00:00"),
        ("ms", 1740830400123, "2025-03-01T12:00:00.123+00:00"),
        ("ms", 86_400_000, "1970-01-02T00:00:00.000+00:00"),
        ("s", 1740830400, "2025-03-01T12:00:00.000+00:00"),
        ("s", 1740830400.5, "2025-03-01T12:00:00.500+00:00"),
        ("s", 0, "1970-01-01T00:00:00.000+00:00"),
    ],
)
def test_times_are_numbers_of_their_unit(unit: str, value: Any, at: str) -> None:
    text = (
        f'[[events]]\ntype = "account.erased"\ndata = {{ account = "$.a", at = {{ path = "$.t", unit = "{unit}" }} }}\n'
    )
    assert read(text, {"a": 1, "t": value})[0]["data"]["at"] == at
    assert "at" not in read(text, {"a": 1, "t": None})[0]["data"]
    for wrong in ("yesterday", -1, True, [], {}, float("inf"), 10**400, 10**20, "1" * 50, "nan", "1e9", "9e999999",
                  "1_000", "１２３", " 1", "1\n", "1.", ".5", "+1", "", 1e300):  # fmt: skip
        with pytest.raises(Unusable, match=f"The at is no number of {unit}"):
            read(text, {"a": 1, "t": wrong})


@given(
    unit=st.sampled_from(["s", "ms", "us"]),
    value=st.one_of(st.text(alphabet="0123456789.eE+-_１٣ \n", max_size=25), st.integers(), st.floats()),
)
@example(unit="s", value="9e999999")
@example(unit="us", value="1_000")
@example(unit="ms", value="１２３")
def test_a_time_is_read_as_it_was_meant_or_not_at_all(unit: str, value: Any) -> None:
    text = one_field("$.there").replace('"$.there", ', f'"$.there", at = {{ path = "$.t", unit = "{unit}" }}, ', 1)
    events, code = events_or_code(by(text), {"there": 1, "t": value})
    parts = re.match(r"(\d{1,20})(?:\.(\d{1,20}))?\Z", str(value), re.ASCII)
    fraction = (parts[2] or "") if parts else ""
    number = Fraction(int(parts[1] + fraction), 10 ** len(fraction)) if parts else Fraction(-1)
    milliseconds = number * {"s": Fraction(1_000), "ms": Fraction(1), "us": Fraction(1, 1_000)}[unit]
    if 0 <= milliseconds < 253_402_300_800_000:
        since = datetime.fromisoformat(events[0]["data"]["at"]) - datetime(1970, 1, 1, tzinfo=UTC)
        assert since == timedelta(milliseconds=int(milliseconds))
    else:
        assert (events, code) == ([], "bad_time")


def test_items_are_found_in_each_item_of_an_array_and_not_without_end() -> None:
    text = 'items = "$.e[*]"\n[[events]]\ntype = "account.erased"\ndata = { account = "@.id", network = "$.n" }\n'
    body = json.dumps([{"n": "x", "e": [{"id": 1}, {"id": 2}]}, {"n": "y", "e": [{"id": 3}]}, {"n": "z"}]).encode()
    items = read_events(read_body(body), event_source("s", None, reader(text)), NOW)
    assert [[one.identity[0] for one in item.said] for item in items] == [["x:1", "x:2"], ["y:3"], []]  # type: ignore[union-attr]
    assert [item.ignored for item in items] == [False, False, True]
    assert len(read(text, {"e": [{"id": 1}] * MOST_EVENTS})) == MOST_EVENTS
    with pytest.raises(Unusable, match="more than 1,000 events"):
        read(text, {"e": [{"id": 1}] * (MOST_EVENTS + 1)})
    with pytest.raises(Unusable, match="more than 4,000,000 characters"):
        read(text, {"e": [{"id": 1}] * MOST_EVENTS, "n": "x" * (MOST_TEXT // MOST_EVENTS + 1)})
    few = text.replace("data =", 'where = { "@.id" = 1 }\ndata =')
    assert read(few, {"e": [{}] * MOST_THINGS}) == []
    with pytest.raises(Unusable, match=r"\$\.e\[\*\] finds 10,001 things, of at most 10,000") as wrong:
        read(few, {"e": [{}] * (MOST_THINGS + 1)})
    assert wrong.value.code == "too_many_things"


class Counted(str):
    """A text that counts how often it is compared with others."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)


@pytest.mark.parametrize("wanted", ['"x"', '["x", "z"]'])
def test_what_holds_of_the_item_is_found_out_once_and_not_for_each_thing(wanted: str) -> None:
    text = f'items = "$.a[*]"\n{ERASED}where = {{ "$.b[*]" = {wanted} }}\n'
    item = {"a": [0] * 200, "b": [Counted(f"y{one}") for one in range(200)]}
    Counted.looks = 0
    assert read(text, item) == []
    assert 0 < Counted.looks <= 400


def test_a_list_with_less_than_there_are_entries_is_none_unless_a_filter_says_so() -> None:
    text = (
        '[[events]]\ntype = "follow.snapshot"\ndata = { account = "$.id", followers = "$.f[*].id", complete = true }\n'
    )
    body = {"id": 9, "f": [{"id": 1}, {"name": "x"}, {"id": 3}]}
    with pytest.raises(Unusable, match=r"\$\.f\[\*\]\.id finds something in 2 of 3 entries only") as wrong:
        read(text, body)
    assert wrong.value.code == "missing_field"
    assert read(text.replace("$.f[*].id", "$.f[?@.id].id"), body)[0]["data"]["followers"] == [1, 3]
    for short in ("$.f[0:2].id", "$.f[?@].id"):
        with pytest.raises(Unusable, match="entries only"):
            read(text.replace("$.f[*].id", short), body)
    assert "followers" not in read(text, {"id": 9, "f": []})[0]["data"]
    (item,) = read_events([{"id": 9, "f": [{"id": 1}, {"id": None}]}], event_source("s", "n", reader(text)), NOW)
    assert item.code == "empty_id"


def test_values_too_deep_to_be_compared_are_said_to_be() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    text = one_field("$.x[?@.a == @.b]")
    with pytest.raises(Unusable, match="nested too deep") as wrong:
        read(text, {"there": 1, "x": [{"a": deep, "b": [*deep]}]})
    assert wrong.value.code == "too_deep"


RICH = """
items = "$.list[*]"
[[events]]
type = "post.published"
where = { "@.a" = [1, "a", true] }
data = { post = "@.a", account = "@.b", at = { path = "@.t", unit = "s" }, topics = "@.list[*]", mentions = "@.list" }
[[events]]
type = "follow.snapshot"
where = { "@.list[?@.a == 1].b" = "b" }
data = { account = "$.a", followers = "@.list[?@.a].a", complete = "@.t", at = "$.t" }
[[events]]
type = "interaction.recorded"
data = { id = "@.b", account = "$.b", target = "@.a", kind = "like", at = "@[0]" }
[[events]]
type = "account.upserted"
where = { "$.t" = 1 }
data = { account = "@", bio = "@.b", followers = "$.t", created_at = "@[-1]" }
"""
RICH_NAMES = st.sampled_from(["a", "b", "t", "list", "type", "events"])
RICH_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=4),
        st.sampled_from(["a", "b", "\ud800", 1, 10**40]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(RICH_NAMES, inner, max_size=6)),
    max_leaves=30,
)


@given(item=RICH_JSON)
@example({"list": [{"a": 1, "b": "b", "t": 1e400, "list": [{"a": 1, "b": "b"}]}], "a": "\ud800", "t": 1})
def test_whatever_comes_becomes_events_or_a_dead_letter(item: Any) -> None:
    (judged,) = read_events([item], event_source("s", "n", reader(RICH)), NOW)
    events, code = events_or_code(by(RICH), item)
    assert all(one["type"] in EVENTS for one in events)
    single = read_events(events, EventSource("s", "n"), NOW)
    assert judged.ignored == (not events and code is None)
    assert judged.code == next((one.code for one in single if one.code is not None), code)


def events_or_code(adapter: Adapter, item: Any) -> tuple[list[Any], str | None]:
    try:
        return adapter.events(item), None
    except Unusable as error:
        return [], error.code


@given(item=RICH_JSON)
@example(json.loads('{"list": [{"a": 1, "b": "x", "list": ' + "[" * 400 + "]" * 400 + "}]}"))
def test_whatever_is_tried_what_comes_out_can_be_shown(item: Any) -> None:
    example_body = json.dumps(item).encode()
    for one in (reader(RICH), None):
        try:
            tried = try_example(one, "n", example_body, NOW)
        except BadInput:
            continue
        assert Tried.model_validate_json(tried.model_dump_json()).rejected == tried.rejected


# --- trying ---------------------------------------------------------------------------------------------------------


def test_trying_says_what_each_event_would_be_and_why_others_are_none() -> None:
    text = (
        'items = "$.e[*]"\n'
        + one_field("@.who.id").replace('"$.there"', '"@.whom"')
        + (
            '[[events]]\ntype = "account.erased"\nwhere = { "@.gone" = [true, "yes"] }\n'
            'data = { account = "@.who.id" }\n'
        )
    )
    body = b'{"e": [{"who": {"id": 1}, "whom": 2}, {"whom": 2, "gone": {}}]}'
    tried = try_example(reader(text), "n", body, NOW)
    (item,) = tried.items
    assert (tried.accepted, tried.ignored, tried.rejected, item.code) == (0, 0, 1, "missing_field")
    assert [(one.event["type"], one.code) for one in item.events] == [
        ("follow.created", None),
        ("follow.created", "missing_field"),
    ]
    assert [tuple(one.model_dump().values()) for one in item.unread] == [
        (1, "events.2.where", '@.gone finds nothing; it would have to be true or "yes".'),
        (2, "events.1.data.follower", "@.who.id finds nothing."),
        (2, "events.2.where", '@.gone is an object, not true or "yes".'),
    ]
    (nothing,) = try_example(reader(text), "n", b'{"f": 1}', NOW).items
    assert (nothing.status, [one.message for one in nothing.unread]) == ("ignored", ["$.e[*] finds nothing."])
    (many,) = try_example(reader(text), "n", json.dumps({"e": [{}] * 900}).encode(), NOW).items
    assert len(many.unread) == MOST_NOTES


def test_trying_works_for_events_of_ours_too() -> None:
    body = b'[{"type": "follow.created", "data": {"follower": 1, "followee": 2}}, {"type": "dance"}]'
    tried = try_example(None, "n", body, NOW)
    assert [(one.status, one.code) for one in tried.items] == [("accepted", None), ("rejected", "unknown_type")]
    assert tried.items[0].events[0].event == json.loads(body)[0]
    with pytest.raises(BadInput, match="not JSON"):
        try_example(None, "n", b"x", NOW)


def test_a_challenge_is_tried_as_it_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"token": "t", "challenge": "3eZbrw1a", "type": "url_verification"}'
    tried = try_example(reader(SLACK + ERASED), "n", body, NOW)
    (item,) = tried.items
    assert (item.status, item.answer, item.events) == ("challenge", "3eZbrw1a", ())
    assert (tried.challenges, tried.accepted, tried.ignored, tried.rejected) == (1, 0, 0, 0)
    console.show_tried(tried)
    shown = capsys.readouterr().out
    assert '0  challenge\n   is answered with "3eZbrw1a"\n1 challenge, 0 accepted' in shown
    other = try_example(reader(SLACK + ERASED), "n", body.replace(b"url_", b""), NOW)
    assert (other.challenges, [one.status for one in other.items]) == (0, ["rejected"])


@pytest.mark.parametrize("one", [None, reader(ERASED), Reader("twitch", None)])
def test_a_network_that_no_source_can_have_is_not_tried(one: Reader | None) -> None:
    with pytest.raises(BadInput, match="The network is not 1 to 64 of the characters"):
        try_example(one, "F OO:x", b"{}", NOW)


def test_of_much_the_beginning_is_shown_and_how_much_was_left_out() -> None:
    text = (
        'items = "$.a[*]"\n[[events]]\ntype = "post.published"\n'
        'data = { post = "@.id", text = "$.big", topics = "@.topics[*]", lang = "@.lang" }\n'
    )
    thing = {"id": 1, "topics": [f"t{k}" for k in range(MOST_MEMBERS + 3)], "lang": "x" * (MOST_SHOWN_OF_A_TEXT + 4)}
    body = {"a": [thing] * 900, "big": {f"k{k}": "y" for k in range(40_000)}}
    tried = try_example(reader(text), "n", json.dumps(body).encode(), NOW)
    (item,) = tried.items
    data = item.events[0].event["data"]
    assert data["topics"] == [*thing["topics"][:MOST_MEMBERS], "... (3 more)"]  # type: ignore[index]
    assert data["lang"] == "x" * MOST_SHOWN_OF_A_TEXT + "... (4 more)"
    assert len(data["text"]) == MOST_MEMBERS + 1
    assert list(data["text"].items())[-2:] == [(f"k{MOST_MEMBERS - 1}", "y"), ("... (39,950 more)", None)]
    assert len(tried.model_dump_json()) < 2 * MOST_SHOWN + 500 * len(item.events)


def test_of_many_events_a_thousand_are_shown_and_the_others_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = 'items = "$[*]"\n[[events]]\ntype = "account.erased"\ndata = { account = "@" }\n' + ERASED
    tried = try_example(reader(text), "n", json.dumps([[1] * 400] * 4).encode(), NOW)
    assert [(len(one.events), one.more_events) for one in tried.items] == [(800, 0), (200, 600), (0, 800), (0, 800)]
    assert sum(len(one.unread) for one in tried.items) == 400
    assert {one.code for one in tried.items} == {"missing_field"}
    console.show_tried(tried)
    assert "\n   600 more events\n" in capsys.readouterr().out


# --- signatures -----------------------------------------------------------------------------------------------------

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a1"
    b"4d10d2c447fce8b6703c"
)
"""The example of https://api.slack.com/authentication/verifying-requests-from-slack."""


def test_github_signs_as_its_page_says() -> None:
    """Values of https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": signature, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
    secrets = {"new": "another", "old": "It's a Secret to Everybody"}
    delivered = by(GITHUB + ERASED).delivered(headers, b"Hello, World!", secrets, 0)
    assert (delivered.id, delivered.secret, delivered.answer) == (headers["x-github-delivery"], "old", None)


def test_slack_signs_as_its_page_says() -> None:
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    secrets = {"a": "8f742231b10e8888abcd99yyyzzz85a5"}
    assert by(SLACK + ERASED).delivered(headers, SLACK_BODY, secrets, 1531420618 + 299).secret == "a"
    with pytest.raises(SignatureInvalid, match="5 minutes off"):
        by(SLACK + ERASED).delivered(headers, SLACK_BODY, secrets, 1531420618 + 301)


def signed(secret: str, text: bytes) -> bytes:
    return hmac.new(secret.encode(), text, hashlib.sha256).digest()


def test_slack_hears_its_challenge_once_it_is_known_to_be_slack() -> None:
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=" + signed("slack-secret", b"v0:1531420618:" + body).hex(),
    }
    adapter = by(SLACK + ERASED)
    delivered = adapter.delivered(headers, body, {"a": "slack-secret"}, 1531420618)
    assert delivered.answer == "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    with pytest.raises(SignatureInvalid):
        adapter.delivered(headers, body, {"a": "other-secret"}, 1531420618)
    for other in (b'{"type": "event_callback", "challenge": "x"}', b'{"type": "url_verification"}', b"x",
                  b'{"type": "url_verification", "challenge": "a\\nb"}'):  # fmt: skip
        headers["x-slack-signature"] = "v0=" + signed("slack-secret", b"v0:1531420618:" + other).hex()
        assert adapter.delivered(headers, other, {"a": "slack-secret"}, 1531420618).answer is None


def test_stripe_and_shopify_sign_as_they_document() -> None:
    """https://docs.stripe.com/webhooks#verify-manually and https://shopify.dev/docs/apps/build/webhooks/verify-deliveries."""
    body, now = b'{"id": 7}', 1492774577
    right = signed("whsec_c2VjcmV0c2VjcmV0", f"{now}.".encode() + body).hex()
    headers = {"stripe-signature": f"t={now},v1={'0' * 64},v1={right},v0={'1' * 64}"}
    assert by(STRIPE + ERASED).delivered(headers, body, {"a": "whsec_c2VjcmV0c2VjcmV0"}, now).secret == "a"
    headers = {
        "x-shopify-hmac-sha256": base64.b64encode(signed("shop-secret", body)).decode(),
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    }
    assert (
        by(SHOPIFY + ERASED).delivered(headers, body, {"a": "shop-secret"}, now).id == headers["x-shopify-webhook-id"]
    )


EVERYTHING = """
[signature]
header = "x-sig"
prefix = "v1="
separator = ";"
encoding = "base64"
algorithm = "sha512"
signed = "to:{id}/{timestamp}/{body}"
timestamp_header = "x-time"
timestamp_prefix = "t="
id_header = "x-id"
"""


def everything(body: bytes) -> dict[str, str]:
    right = hmac.new(b"some-secret", b"to:d1/1800000000123/" + body, hashlib.sha512).digest()
    return {"x-sig": f"v1={base64.b64encode(right).decode()}", "x-time": "t=1800000000123", "x-id": "d1"}


@given(body=st.binary(max_size=60))
def test_what_is_signed_is_taken_whatever_it_holds(body: bytes) -> None:
    delivered = by(EVERYTHING + ERASED).delivered(everything(body), body, {"a": "some-secret"}, NOW / 1000)
    assert (delivered.id, delivered.secret, delivered.same_body) == ("d1", "a", False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x-sig": ""}, "x-sig is missing"),
        ({"x-sig": "v2=abc"}, "Nothing in the header x-sig begins with v1="),
        ({"x-sig": "v1="}, "is not right"),
        ({"x-sig": "v1=*"}, "is not right"),
        ({"x-sig": "v1=" + base64.b64encode(bytes(64)).decode()}, "is not right"),
        ({"x-sig": "v1=ééé"}, "is not right"),
        ({"x-time": ""}, "x-time is missing"),
        ({"x-time": "1800000000123"}, "Nothing in the header x-time begins with t="),
        ({"x-time": "t=soon"}, "is not a time"),
        ({"x-time": "t=1800000000124"}, "is not right"),
        ({"x-time": "t=1800000000"}, "is not right"),
        ({"x-time": "t=1799999699"}, "5 minutes off"),
        ({"x-time": "t=1800000301"}, "5 minutes off"),
        ({"x-time": "t=" + "9" * 16}, "is not a time"),
        ({"x-id": ""}, "x-id is missing"),
        ({"x-id": "d 1"}, "printable ASCII"),
        ({"x-id": "d2"}, "is not right"),
    ],
)  # fmt: skip
def test_what_is_not_signed_right_is_refused(change: dict[str, str], says: str) -> None:
    adapter, headers = by(EVERYTHING + ERASED), everything(b"{}")
    with pytest.raises(SignatureInvalid, match=says):
        adapter.delivered(headers | change, b"{}", {"a": "some-secret"}, NOW / 1000)


def test_half_a_signature_or_more_than_one_is_none() -> None:
    adapter, headers = by(EVERYTHING + ERASED), everything(b"{}")
    whole = base64.b64decode(headers["x-sig"].removeprefix("v1="))
    for one in (whole[:32], whole + b"x", whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        changed = headers | {"x-sig": f"v1={base64.b64encode(one).decode()}"}
        with pytest.raises(SignatureInvalid, match="is not right"):
            adapter.delivered(changed, b"{}", {"a": "some-secret"}, NOW / 1000)
    several = headers | {"x-sig": f"v1=AAAA; {headers['x-sig']};v2=x"}
    assert adapter.delivered(several, b"{}", {"a": "some-secret"}, NOW / 1000).secret == "a"


@given(body=st.binary(max_size=20), secret=st.text(string.ascii_letters, min_size=8, max_size=12))
def test_another_body_or_secret_is_refused(body: bytes, secret: str) -> None:
    headers, adapter = everything(b"{}"), by(EVERYTHING + ERASED)
    if body != b"{}":
        with pytest.raises(SignatureInvalid):
            adapter.delivered(headers, body, {"a": "some-secret"}, NOW / 1000)
    with pytest.raises(SignatureInvalid):
        adapter.delivered(headers, b"{}", {"a": secret}, NOW / 1000)
    with pytest.raises(SignatureInvalid):
        adapter.delivered(headers, b"{}", {}, NOW / 1000)


def test_standard_webhooks_are_taken_without_a_scheme_and_from_forwarders() -> None:
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
    now = NOW // 1000
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, "m1", now, b"{}"),
    }
    for text in (ERASED, GITHUB + ERASED):
        assert by(text).delivered(headers, b"{}", {"a": secret}, NOW / 1000).id == "m1"
        with pytest.raises(SignatureInvalid):
            by(text).delivered(headers, b"[]", {"a": secret}, NOW / 1000)
    of_its_own = headers | {"x-hub-signature-256": "sha256=00", "x-github-delivery": "m1"}
    with pytest.raises(SignatureInvalid, match="x-hub-signature-256 is not right"):
        by(GITHUB + ERASED).delivered(of_its_own, b"{}", {"a": secret}, now)
