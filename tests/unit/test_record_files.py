"""Lines with a schema: what each field takes and refuses, headers, files of other kinds, and laws over any bytes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.errors import BadInput, EntourageError, NothingImported, UnreadableFile
from service.files.lines import MAX_LINE_BYTES
from service.files.records import RecordFile
from service.files.schemas import SCHEMAS
from service.records import Match, Statement, interaction_event
from tests.unit.record_reading import WRITTEN, Reading, read, read_file

RECORDS = [kind for kind in SCHEMAS if kind != "follows"]
AT = 1_740_830_400_000  # 2025-03-01T12:00:00Z


def csv_of(lines: list[dict[str, Any]]) -> str:
    """What a CSV writer makes of objects, lists with | between their items."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for line in lines for name in line)))
    writer.writeheader()
    for line in lines:
        writer.writerow({name: "|".join(value) if isinstance(value, list) else value for name, value in line.items()})
    return text.getvalue()


def said(folder: Path, kind: str, line: dict[str, Any]) -> Any:
    """What one line says, or why it is refused."""
    from_json = read(folder, kind, json.dumps(line) + "\n")
    return from_json.said[0] if from_json.said else from_json.rejected[0].reason


# --- schemas ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_example_of_each_kind_is_valid(kind: str) -> None:
    schema = SCHEMAS[kind].json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(SCHEMAS[kind].example, schema)
    for name in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in SCHEMAS[kind].example.items() if key != name}, schema)
    assert all(field["description"].endswith(".") for field in schema["properties"].values())


@pytest.mark.parametrize("kind", RECORDS)
def test_csv_and_ndjson_say_the_same(tmp_path: Path, kind: str) -> None:
    example_line = SCHEMAS[kind].example
    from_json = read(tmp_path, kind, json.dumps(example_line) + "\n")
    from_csv = read(tmp_path, kind, csv_of([example_line]))
    assert from_json.rejected == from_csv.rejected == []
    assert from_json.said == from_csv.said
    assert len(from_json.said) == 1


def test_what_a_line_of_each_kind_says(tmp_path: Path) -> None:
    undated = WRITTEN * 1000
    nothing = (None,) * 8
    expected: dict[str, tuple[dict[str, Any], Any]] = {
        "accounts": (
            {"account": 7, "handle": "@Lea", "followers": "12", "lang": "pt_BR", "as_of": "2025-03-01T12:00:00Z"},
            [Statement("accounts", ("local:7",), ("Lea", None, None, "pt-br", None, None, 12, None, None, None), AT)],
        ),
        "opt_outs": (
            {"account": "7"},
            [Statement("accounts", ("local:7",), (*nothing, True, None), undated, False)],
        ),
        "complete_followers": (
            {"account": "b", "at": AT},
            [Statement("complete_followers", ("local:b",), (), AT)],
        ),
        "unfollows": (
            {"follower": "a", "followee": "b", "at": AT},
            [Statement("unfollows", ("local:a", "local:b"), (), AT)],
        ),
        "interactions": (
            {"id": "e1", "account": "a", "target": "b", "kind": "REPLY", "at": "2025-03-01T12:00:00Z", "post": "p"},
            [
                Statement(
                    "engagements",
                    ("local:a", "local:b", date(2025, 3, 1)),
                    (*nothing[:5], (interaction_event("reply", "e1", AT),)),
                    AT,
                ),
                Statement("responses", ("local:a", "local:p", "reply", AT), (), AT),
            ],
        ),
        "interaction_counts": (
            {"account": "a", "target": "b", "day": "2025-03-01", "likes": 2, "events": ["ff"]},
            [
                Statement(
                    "engagements", ("local:a", "local:b", date(2025, 3, 1)), (2, 0, 0, 0, None, (255,)), undated, False
                )
            ],
        ),
        "posts": (
            {"post": "p", "account": "a", "at": AT, "text": " Bonjour\r\n!", "topics": ["#Jardin ", "slow  food"]},
            [
                Statement(
                    "posts",
                    ("local:p",),
                    ("local:a", AT, None, None, "Bonjour\n!", ("jardin", "slow food"), None),
                    AT,
                )
            ],
        ),
        "responses": (
            {"account": "a", "post": "p", "kind": "like"},
            [Statement("responses", ("local:a", "local:p", "like", -1), (), -1)],
        ),
        "brands": (
            {"brand": "aubade", "accounts": [9, "8"], "competitors": []},
            [Statement("brands", ("aubade",), (None, ("local:8", "local:9"), ()), undated, False)],
        ),
        "mentions": (
            {"post": "p", "brand": "aubade", "stance": "-1", "paid": "no"},
            [Statement("mentions", ("local:p", "aubade"), (-1, False), undated, False)],
        ),
        "brand_relations": (
            {"account": "a", "brand": "aubade", "relation": "user", "since": "2020-01-01", "until": "2999-01-01"},
            [
                Statement(
                    "relations",
                    ("local:a", "aubade", "user"),
                    (1_577_836_800_000, 32_472_144_000_000, None),
                    undated,
                    False,
                )
            ],
        ),
        "crm": (
            {
                "handle": "https://m.example/@Lea?x=1",
                "email": " Lea@Example.org",
                "brand": "aubade",
                "relation": "user",
            },
            Match(
                "local",
                None,
                "lea",
                hashlib.sha256(b"lea@example.org").hexdigest(),
                Statement("relations", ("", "aubade", "user"), (None, None, None), undated, False),
            ),
        ),
        "persons": (
            {"person": "p 1", "account": "a", "network": "mastodon"},
            [Statement("persons", ("p 1", "mastodon:a"), (), undated, False)],
        ),
        "endorsements": (
            {"account": "a", "endorsed": "b", "withdrawn": True, "at": AT},
            [Statement("endorsements", ("local:a", "local:b", ""), (True,), AT)],
        ),
    }
    assert expected.keys() == {*RECORDS}
    for kind, (line, statements) in expected.items():
        assert said(tmp_path, kind, line) == statements, kind


BASE = {kind: dict(schema.example) for kind, schema in SCHEMAS.items()}


@pytest.mark.parametrize(
    ("kind", "field", "bad", "reason"),
    [
        ("accounts", "account", "", "missing_field"), ("accounts", "account", None, "missing_field"),
        ("accounts", "account", " ", "missing_field"), ("accounts", "account", 1.5, "bad_id"),
        ("accounts", "account", True, "bad_id"), ("accounts", "account", "x" * 257, "bad_id"),
        ("accounts", "account", "a\u0007", "bad_id"), ("accounts", "account", "\ud800", "bad_id"),
        ("accounts", "network", "Not One", "bad_network"), ("accounts", "handle", "@", "empty_id"),
        ("accounts", "bio", 7, "bad_text"), ("accounts", "bio", "x" * 5_001, "bad_text"),
        ("accounts", "name", "a\u0000b", "bad_text"), ("accounts", "lang", "français", "bad_lang"),
        ("accounts", "followers", -1, "bad_count"), ("accounts", "followers", 1.5, "bad_count"),
        ("accounts", "followers", "1,000", "bad_count"), ("accounts", "followers", 10**13, "bad_count"),
        ("accounts", "followers", True, "bad_count"), ("accounts", "created_at", "yesterday", "bad_time"),
        ("accounts", "created_at", "2999-01-01", "time_in_future"), ("accounts", "as_of", "2024-13-01", "bad_time"),
        ("accounts", "email", "lea", "bad_email"), ("accounts", "email_sha256", "abc", "bad_digest"),
        ("unfollows", "followee", "1017", "self_loop"), ("endorsements", "endorsed", "1017", "self_loop"),
        ("interactions", "target", "1017", "self_loop"), ("interactions", "kind", "wave", "bad_kind"),
        ("interactions", "kind", 1, "bad_kind"), ("interactions", "id", "", "missing_field"),
        ("interactions", "at", "", "missing_field"), ("interactions", "at", "2025-03-01T12:00:00", "bad_time"),
        ("interaction_counts", "day", "2025-3-1", "bad_time"),
        ("interaction_counts", "day", "2999-01-01", "time_in_future"),
        ("interaction_counts", "day", 20250301, "bad_time"), ("interaction_counts", "likes", "many", "bad_count"),
        ("interaction_counts", "hours", [1, 2], "bad_hours"), ("interaction_counts", "hours", [-1] * 24, "bad_count"),
        ("interaction_counts", "hours", {"0": 1}, "bad_list"), ("interaction_counts", "events", ["xyz"], "bad_events"),
        ("interaction_counts", "events", ["f" * 16], "bad_events"), ("posts", "kind", "dance", "bad_kind"),
        ("posts", "topics", "[unclosed", "bad_list"), ("posts", "topics", ["#"], "bad_text"),
        ("posts", "topics", [7], "bad_text"), ("posts", "topics", "x" * 101, "bad_text"),
        ("posts", "paid", "perhaps", "bad_flag"), ("posts", "paid", 2, "bad_flag"), ("posts", "paid", 1.0, "bad_flag"),
        ("brands", "brand", "Maison Aubade", "bad_brand"), ("brands", "brand", "-x", "bad_brand"),
        ("brands", "competitors", ["aubade"], "self_loop"), ("brands", "accounts", [""], "empty_id"),
        ("mentions", "stance", 2, "bad_stance"), ("mentions", "stance", 0.5, "bad_stance"),
        ("mentions", "stance", True, "bad_stance"), ("brand_relations", "relation", "friend", "bad_relation"),
        ("brand_relations", "until", "2020-01-01", "bad_time"), ("crm", "relation", "friend", "bad_relation"),
    ],
)  # fmt: skip
def test_a_bad_value_costs_only_its_line(tmp_path: Path, kind: str, field: str, bad: Any, reason: str) -> None:
    good = BASE[kind]
    reading = read(tmp_path, kind, "".join(json.dumps(one) + "\n" for one in (good, {**good, field: bad}, good)))
    assert len(reading.said) == 2
    assert reading.reasons == [(2, reason)]
    message = reading.rejected[0].message
    assert message.endswith(".")
    if isinstance(bad, str | int | float) and not (isinstance(bad, str) and {"\u0000", "\ud800"} & {*bad}):
        in_csv = read(tmp_path, kind, csv_of([good, {**good, field: bad}, good]))
        if reason in ("bad_text", "bad_id", "bad_stance", "bad_flag", "bad_count", "bad_kind") and not isinstance(
            bad, str
        ):
            return  # in a cell a number is a text like any other
        assert in_csv.reasons == [(3, reason)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "bad_json"), (b"[]", "bad_json"), (b'{"account": 1, "account_id": 2}', "bad_json"),
        (b"\xff", "not_utf8"),
        (b'{"account": "a\0"}', "nul"), (b'{"account": "' + b"x" * MAX_LINE_BYTES + b'"}', "too_long"),
        (b"[" * 100_000, "bad_json"), (b'{"account": ' + b"9" * 5_000 + b"}", "bad_json"), (b"null", "bad_json"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_object_costs_only_itself(tmp_path: Path, line: bytes, reason: str) -> None:
    reading = read(tmp_path, "accounts", b'{"account": 1}\n' + line + b'\n\n{"account": 2}\n')
    assert len(reading.said) == 2
    assert reading.reasons == [(2, reason)]
    assert reading.skipped == {"empty": 1}


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", ["handle,account", "Handle,Account_ID", '"handle","account id"', "HANDLE,id"])
def test_columns_are_found_by_name(tmp_path: Path, separator: str, header: str) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        content = mark + f"{header}\nlea,7\n".replace(",", separator).encode()
        [[statement]] = read(tmp_path, "accounts", content).said
        assert (statement.identity, statement.values[0]) == (("local:7",), "lea")  # type: ignore[union-attr]


def test_columns_that_are_called_otherwise_and_values_for_all_lines(tmp_path: Path) -> None:
    content = "Pseudo,Identifiant,network,note\nlea,7,,x\nlou,8,other,y\n"
    reading = read(
        tmp_path, "accounts", content, columns={"handle": "pseudo", "account": "Identifiant"}, values={"lang": "FR"},
        network="mastodon",
    )  # fmt: skip
    assert [one[0].identity for one in reading.said] == [("mastodon:7",), ("other:8",)]  # type: ignore[union-attr]
    assert [one[0].values[3] for one in reading.said] == ["fr", "fr"]  # type: ignore[union-attr]
    assert reading.ignored == ["note"]
    keys = read(tmp_path, "accounts", "account\nm:7\nnone\n", network=None)
    assert keys.said[0][0].identity == ("m:7",)  # type: ignore[union-attr]
    assert keys.reasons == [(3, "bad_key")]


def test_when_lines_were_said(tmp_path: Path) -> None:
    content = "account,handle,as_of\n1,a,\n2,b,2025-03-01T12:00:00Z\n"
    for as_of, expected in ((None, WRITTEN * 1000), (5, 5)):
        reading = read(tmp_path, "accounts", content, as_of=as_of)
        found = [(one[0].at, one[0].dated) for one in reading.said]  # type: ignore[union-attr]
        assert found == [(expected, False), (AT, True)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name,bio\na,b\n", "no column for account"), ("account,Account_id\n1,2\n", "two columns for account"),
        ("PK\x03\x04 x", "ZIP archive or a spreadsheet"), ("[{\n", "JSON array"), ("<html>\n", "XML or HTML"),
        (b"\xff\xfea\0", "UTF-16"), (b"caf\xe9,account\n1,2\n", "not UTF-8"),
    ],
)  # fmt: skip
def test_files_of_another_kind_are_refused(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(tmp_path, "accounts", content)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(tmp_path, "brand_relations", "user,brand\n1,aubade\n")
    for words in ("account, relation", "user, brand", "--column account=NAME", "--set account=VALUE"):
        assert words in refused.value.message
    with pytest.raises(UnreadableFile, match="no column 'Pseudo'"):
        read(tmp_path, "accounts", "account,handle\n1,a\n", columns={"handle": "Pseudo"})
    for content in ("", "\n\n"):
        with pytest.raises(NothingImported):
            read(tmp_path, "accounts", content)
    assert read(tmp_path, "accounts", "account,handle\n").skipped == {"header": 1}
    for options in (
        {"kind": "dances"},
        {"format": "xml"},
        {"network": "A B"},
        {"columns": {"x": "y"}},
        {"values": {"x": "y"}},
        {"as_of": 2**52},
        {"as_of": -1},
    ):
        with pytest.raises(BadInput):
            RecordFile(tmp_path, **{"kind": "accounts", **options})  # type: ignore[arg-type]


def test_texts_over_several_lines_and_short_lines(tmp_path: Path) -> None:
    content = 'post,text,topics\n1,"two\r\nlines, ""here""",a|b\n2\n3,x,"[""a|b"", ""c""]"\n4,y,z,too much\n"5\n6",z\n'
    reading = read(tmp_path, "posts", content)
    assert [(one[0].values[4], one[0].values[5]) for one in reading.said] == [  # type: ignore[union-attr]
        ('two\nlines, "here"', ("a", "b")), (None, None), ("x", ("a|b", "c")),
    ]  # fmt: skip
    assert reading.reasons == [(6, "too_many_fields"), (7, "bad_quotes"), (8, "bad_quotes")]


def test_compressed_and_from_a_pipe(tmp_path: Path) -> None:
    packed = tmp_path / "accounts.csv.gz"
    packed.write_bytes(gzip.compress(b"account\n1\n"))
    assert len(read_file(packed, "accounts").said) == 1
    program = (
        "from pathlib import Path; from service.files.records import *\n"
        "with open_records(RecordFile(Path('-'), 'accounts'), print) as r: print([e.said[0].identity for e in r])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="account\n7\n", text=True, capture_output=True, check=True
    )
    assert done.stdout == "[('local:7',)]\n"


# --- laws ---------------------------------------------------------------------------------------------------------

ODD = st.sampled_from(
    [b"a", b"17", b"9223372036854775808", b",", b";", b"\t", b"|", b" ", b'"', b'""', b"{", b"}", b"[", b"]", b"#",
     b"\n",
     b"\r\n", b"\r", b"\0", b"\xff", "é".encode(), "\u2028".encode(), b"\xef\xbb\xbf", b"account", b"handle,account\n",
     b"post,text,topics\n", b'{"account": 1}\n', b'{"post": "p", "at": 1e999}\n', b"2025-03-01T12:00:00Z", b"-1",
     b"id,account,target,kind,at\n", b"e,a,b,like,0\n", b"x" * 300, b"9" * 5_000, b"\\ud800", b"true", b"null",
     b"brand,accounts\n", b"aubade", b"account,target,day,likes,hours\n", b"2025-03-01", b"@", b"lea@example.org"]
)  # fmt: skip
CONTENT = st.lists(ODD | st.binary(max_size=8), max_size=50).map(b"".join)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["csv", "ndjson"]),
        "network": st.sampled_from([None, "m"]),
        "columns": st.sampled_from([{"account": "a"}, {"account": "handle"}]),
        "values": st.sampled_from([{"account": "a"}, {"account": "x:1", "handle": "y"}]),
    },
)


def read_bytes(kind: str, content: bytes, options: dict[str, Any]) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), kind, content, **options)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(RECORDS), CONTENT, OPTIONS)
@example("accounts", b'account\n"', {})
@example("posts", b'post,text\n1,"\n"\n', {})
def test_any_bytes_are_read_or_refused(kind: str, content: bytes, options: dict[str, Any]) -> None:
    with suppress(EntourageError):
        reading = read_bytes(kind, content, options)
        assert reading.lines == len(content.removeprefix(b"\xef\xbb\xbf").splitlines()) or content[:2] == b"\x1f\x8b"
        for one in reading.said:
            for statement in [one.statement] if isinstance(one, Match) else one:
                assert -1 <= statement.at < 2**48
                for value in (*statement.identity, *statement.values):
                    if isinstance(value, str):
                        value.encode()
                        assert "\0" not in value
                    elif isinstance(value, int):
                        assert -(2**63) <= value < 2**63


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.sampled_from(RECORDS), CONTENT, OPTIONS)
def test_any_bytes_are_read_or_refused_long(kind: str, content: bytes, options: dict[str, Any]) -> None:
    test_any_bytes_are_read_or_refused.hypothesis.inner_test(kind, content, options)  # type: ignore[attr-defined]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=12)
    | st.sampled_from(["fr", "2025-03-01", "like", "1", "a|b", "[1]", "aubade", "lea@example.org", "ff"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4,
)  # fmt: skip


def forgiven(value: Any) -> Any:
    """What a value is without what reading forgives: spaces around it, capitals; an empty text says nothing."""
    return (value.strip().lower() or None) if isinstance(value, str) else value


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_what_is_read_is_what_the_schema_allows(kind: str, data: st.DataObject) -> None:
    """A schema may allow more than can be read (any text as a time), but never less."""
    schema = SCHEMAS[kind]
    field = data.draw(st.sampled_from(sorted(schema.fields)))
    line = {**BASE[kind], field: data.draw(JSON)}
    with suppress(EntourageError):
        reading = read_bytes(kind, json.dumps(line).encode() + b"\n", {})
        if reading.said:
            jsonschema.validate({name: forgiven(value) for name, value in line.items()}, schema.json_schema())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).map(str.strip).filter(bool),
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30),
            st.lists(st.text(st.characters(categories=("Ll", "Nd", "Po")), min_size=1, max_size=6), max_size=3),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_what_a_csv_writer_wrote_says_what_the_json_says(rows: list[tuple[str, str, list[str]]]) -> None:
    def lines() -> list[dict[str, Any]]:
        return [
            {"post": post, "text": text, "topics": json.dumps(topics) if topics else None}
            for post, text, topics in rows
        ]

    def same(line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "topics": None if line["topics"] is None else json.loads(line["topics"])}

    text = io.StringIO()
    writer = csv.DictWriter(text, ["post", "text", "topics"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(lines())
    from_csv = read_bytes("posts", text.getvalue().encode(), {})
    from_json = read_bytes("posts", "".join(json.dumps(same(one)) + "\n" for one in lines()).encode(), {})
    assert from_csv.said == from_json.said
    assert [one.reason for one in from_csv.rejected] == [one.reason for one in from_json.rejected]
