"""Files of follows as people have them: formats, headers, columns, line ends, ids, bad lines."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.domain import Follow
from service.errors import BadInput, ConfigurationError, ExpandsTooFar, NothingImported, UnreadableFile
from service.files import lines as lines_module
from service.files.follows import FollowFile, open_follows
from service.files.lines import MAX_LINE_BYTES
from service.files.rejects import Rejected, RejectReport
from tests.unit.follow_reading import read, read_file

AB = [("a1", "b2"), ("b2", "c3")]


@pytest.mark.parametrize(
    ("content", "format_", "skipped"),
    [
        ("follower,followee\na1,b2\nb2,c3\n", "csv", {"header": 1}),
        ("a1,b2\nb2,c3\n", "csv", {}),
        ("a1;b2\nb2;c3\n", "csv", {}),
        ("a1|b2\nb2|c3\n", "csv", {}),
        ("a1\tb2\nb2\tc3\n", "edgelist", {}),
        ("from\tto\na1\tb2\nb2\tc3\n", "csv", {"header": 1}),
        ("a1 b2\nb2   c3\n", "edgelist", {}),
        ("  a1 b2\n\n b2 c3\n\n", "edgelist", {"empty": 2}),
        ("# Directed graph\n# FromNodeId\tToNodeId\na1\tb2\n# more\nb2\tc3", "edgelist", {"comment": 3}),
        ("% bip\na1 b2 1\nb2 c3 7\n", "edgelist", {"comment": 1}),
        ("source target weight\na1 b2 1\nb2 c3 7\n", "edgelist", {"header": 1}),
        ("a1 b2 {'weight': 0.5, 'since': 2}\nb2 c3 {}\n", "edgelist", {}),
        ("a1,b2,{'weight': 0.5, 'since': 2}\nb2,c3,{}\n", "edgelist", {}),
        ("a1\tb2\t{}\nb2\tc3\t{}\n", "edgelist", {}),
        ('{"from": "a1", "to": "b2"}\n{"to": "c3", "from": "b2", "x": [1]}\n', "ndjson", {}),
        ('"from","to"\n"a1","b2"\n"b2","c3"\n', "csv", {"header": 1}),
        ('"from" "to"\n"a1" "b2"\n"b2" "c3"\n', "csv", {"header": 1}),
        ('name;from;to\n"x;y";a1;b2\n"""z""";b2;c3\n', "csv", {"header": 1}),
        ('a1, "b2"\n"b2", c3\n', "csv", {}),
        ("# exported by x\nfrom,to\na1,b2\n\nb2,c3\n", "csv", {"comment": 1, "header": 1, "empty": 1}),
        ("from,to,\na1,b2,\nb2,c3,,\n", "csv", {"header": 1}),
    ],
)  # fmt: skip
def test_formats_are_found_from_the_file(tmp_path: Path, content: str, format_: str, skipped: dict[str, int]) -> None:
    for data in (content.encode(), b"\xef\xbb\xbf" + content.encode(), gzip.compress(content.encode())):
        reading = read(tmp_path, data)
        assert reading.pairs == AB
        assert reading.rejected == []
        assert reading.skipped == skipped
    assert read(tmp_path, content, format=format_).pairs == AB


@pytest.mark.parametrize(
    "names",
    [
        ("follower", "followee"), ("Follower", "Followed"), ("FOLLOWER_ID", "FOLLOWING_ID"), ("follower id", "user id"),
        ("user", "follows"), ("user_id", "followed_id"), ("account", "following"), ("From", "To"), ("source", "target"),
        ("source_id", "target_id"), ("src", "dst"), ("id_1", "id_2"), (":START_ID", ":END_ID"),
        ("from_node", "to_node"),
        ("FromNodeId", "ToNodeId"), ("followerUsername", "followeeUsername"),
    ],
)  # fmt: skip
def test_known_column_names_in_any_order_and_place(tmp_path: Path, names: tuple[str, str]) -> None:
    one, other = names
    assert read(tmp_path, f"{one},{other}\na1,b2\n").pairs == [("a1", "b2")]
    assert read(tmp_path, f"{other};x;{one}\nb2;7;a1\n").pairs == [("a1", "b2")]
    assert read(tmp_path, json.dumps({other: "b2", "x": 7, one: "a1"})).pairs == [("a1", "b2")]


@pytest.mark.parametrize(
    "header",
    [
        "influencer,fan", "account_id,tweet_id", "follower,follower_id,followee,followee_id", "id,target",
        "x,y,weight,time", "source,target,from,to",
    ],
)  # fmt: skip
def test_unclear_columns_are_refused_with_what_there_is(tmp_path: Path, header: str) -> None:
    columns = header.split(",")
    with pytest.raises(UnreadableFile) as refused:
        read(tmp_path, header + "\n" + ",".join("123456"[: len(columns)]) + "\n")
    for name in [*columns, "--follower", "--followee"]:
        assert name in refused.value.message
    clear = read(tmp_path, header + "\n" + ",".join("123456"[: len(columns)]), follower_column=columns[1],
                 followee_column=columns[0])  # fmt: skip
    assert clear.pairs == [("2", "1")]


def test_text_without_a_header_is_data(tmp_path: Path) -> None:
    assert read(tmp_path, "lea,tom\ntom,ana\n").pairs == [("lea", "tom"), ("tom", "ana")]
    assert read(tmp_path, "from,to\nto,from\n", has_header=False).pairs == [("from", "to"), ("to", "from")]
    assert read(tmp_path, "p1,p2\na1,b2\n", has_header=True, follower_column="1", followee_column="2").pairs == [
        ("a1", "b2")
    ]


def test_column_names_that_are_not_utf8_are_not_passed_over(tmp_path: Path) -> None:
    content = "followed,follower,prénom\n1,2,x\n3,4,y\n".encode("latin-1")
    with pytest.raises(UnreadableFile, match="UTF-8"):
        read(tmp_path, content)
    assert read(tmp_path, content, has_header=False).reasons == [(1, "not_utf8")]
    assert read(tmp_path, b"# donn\xe9es\n1,2\n").pairs == [("1", "2")]


def test_columns_by_name_or_position(tmp_path: Path) -> None:
    content = "When,Fan,Star,Tie\n2024-05-01,a1,b2,0.5\n1714521600,b2,c3,2\n"
    by_name = {"follower_column": "fan", "followee_column": "Star", "weight_column": "tie", "time_column": "WHEN"}
    by_position = {"follower_column": "2", "followee_column": "3", "weight_column": "4", "time_column": "1"}
    follows = [Follow("x:a1", "x:b2", 0.5, 1714521600000), Follow("x:b2", "x:c3", 2.0, 1714521600000)]
    assert read(tmp_path, content, network="x", **by_name).follows == follows
    assert read(tmp_path, content, network="x", has_header=True, **by_position).follows == follows
    bare = content.split("\n", 1)[1]
    assert read(tmp_path, bare, network="x", **by_position).follows == follows
    turned = [Follow(b, a, w, t) for a, b, w, t in follows]
    assert read(tmp_path, bare, network="x", reverse=True, **by_position).follows == turned


@pytest.mark.parametrize(
    ("content", "options", "named"),
    [
        ("from,to\n1,2\n", {"weight_column": "wieght"}, ["wieght", "from, to"]),
        ("from,to\n1,2\n", {"weight_column": "3"}, ["2 columns", "3"]),
        ("1,2\n1,3\n", {"time_column": "4"}, ["2 columns", "4"]),
        ("1 2 5\n1 3 6\n", {"weight_column": "weight"}, ["weight", "position, 1 to 3"]),
        ("1 2 {'weight': 5}\n", {"weight_column": "w"}, ["'w'", "weight"]),
        ("1 2 {}\n", {"weight_column": "w"}, ["'w'", "nothing else"]),
        ('{"from": 1, "to": 2}\n', {"time_column": "at"}, ["'at'", "from, to"]),
        ('{"from": 1, "to": 2}\n', {"follower_column": "1"}, ["'1'", "from, to"]),
        ("from,to\n1,2\n", {"follower_column": "to", "followee_column": "2"}, ["both", "to"]),
        ("1,2\n", {"follower_column": "2", "followee_column": "2"}, ["both", "2"]),
        ("a,b,a\n1,2,3\n", {"follower_column": "a", "followee_column": "b"}, ["2 columns 'a'", "position"]),
        ("1,2\n1,3\n", {"weight_column": "9" * 5000}, ["2 columns"]),
    ],
)  # fmt: skip
def test_columns_that_are_not_there(tmp_path: Path, content: str, options: dict[str, str], named: list[str]) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(tmp_path, content, **options)
    for words in named:
        assert words in refused.value.message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 18])
def test_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, block: int) -> None:
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", block)
    for last in ("", end):
        reading = read(tmp_path, end.join(["from,to", "a1,b2", "", "b2", "b2,c3"]) + last)
        assert reading.pairs == AB
        assert reading.reasons == [(4, "missing_field")]
        assert reading.lines == 5


def test_ids_keep_every_digit(tmp_path: Path) -> None:
    big = ["9223372036854775807", "18446744073709551615", "1534669860424323078", "007", "1e5", "-3", "9" * 256]
    content = "".join(f"{one},x\n" for one in big)
    assert [a for a, _ in read(tmp_path, content).pairs] == big
    numbers = [9223372036854775807, 2**64 - 1, 10**200, -3, 0]
    content = "".join(f'{{"from": {one}, "to": "x"}}\n' for one in numbers)
    assert [a for a, _ in read(tmp_path, content).pairs] == [str(one) for one in numbers]


def test_ids_of_all_languages(tmp_path: Path) -> None:
    ids = ["zoë", "мария", "李 小龍", "o'neil", "@lea", "a:b", "😀", "x\u00a0y", "#tag"]
    content = "from,to\n" + "".join(f" {one} ,x\n" for one in ids)
    assert [a for a, _ in read(tmp_path, content).pairs] == ids


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a1", "missing_field"), (b"a1,", "empty_id"), (b" ,b2,1", "empty_id"), (b"a1,a1,1", "self_loop"),
        (b"a1, a1 ,1", "self_loop"), (b"a1,b2,1,2024,9", "too_many_fields"), (b"a1,b\xff,1,2024", "not_utf8"),
        (b"a1,b\0,1,2024", "nul"), (b"a1,b\x07,1,2024-01-01", "bad_id"), (b"a1,b\xc2\x85z,1,2024-01-01", "bad_id"),
        (b"a1," + b"b" * 257 + b",1,2024-01-01", "bad_id"), (b"a1," + b"b" * MAX_LINE_BYTES, "too_long"),
        (b"a1,b2,0,2024-01-01", "bad_weight"), (b"a1,b2,-1,2024-01-01", "bad_weight"),
        (b"a1,b2,nan,2024-01-01", "bad_weight"), (b"a1,b2,inf,2024-01-01", "bad_weight"),
        (b"a1,b2,1e999,2024-01-01", "bad_weight"), (b"a1,b2,1e-999,2024-01-01", "bad_weight"),
        (b"a1,b2,1_0,2024-01-01", "bad_weight"), (b"a1,b2,,2024-01-01", "bad_weight"),
        ("a1,b2,١,2024-01-01".encode(), "bad_weight"), (b"a1,b2,0x10,2024-01-01", "bad_weight"),
        (b"a1,b2,1,yesterday", "bad_time"), (b"a1,b2,1,-", "bad_time"), (b"a1,b2,1", "missing_field"),
        (b"a1,b2,1,2024-02-30", "bad_time"), (b"a1,b2,1,2999-01-01", "time_in_future"),
        (b'a1,"b2,1,2024-01-01', "bad_quotes"), (b'"a1"x,b2,1,2024-01-01', "bad_quotes"),
    ],
)  # fmt: skip
def test_one_bad_line_costs_only_itself(tmp_path: Path, line: bytes, reason: str) -> None:
    content = b"from,to,w,t\na1,b2,1,2024-01-01\n" + line + b"\nb2,c3,1,2024-01-01\n"
    for end in (b"\n", b"\r\n"):
        reading = read(tmp_path, content.replace(b"\n", end), weight_column="w", time_column="t")
        assert reading.pairs == AB
        assert reading.reasons == [(3, reason)]
        [rejected] = reading.rejected
        assert rejected.message.endswith(".")
        assert rejected.text == line.decode(errors="replace")[:200]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"from": "a"', "bad_json"), ('["a", "b"]', "bad_json"), ("a,b", "bad_json"), ("[" * 100_000, "bad_json"),
        ('{"from": ' + "9" * 5000 + ', "to": "b"}', "bad_json"), ('{"from": "a"}', "missing_field"),
        ('{"from": "a", "to": null}', "empty_id"), ('{"from": 1.0, "to": "b"}', "bad_id"),
        ('{"from": true, "to": "b"}', "bad_id"), ('{"from": ["a"], "to": "b"}', "bad_id"),
        ('{"from": "\\ud800", "to": "b"}', "bad_id"), ('{"from": "a\\u0000", "to": "b"}', "bad_id"),
        ('{"from": "a", "to": "b", "w": true, "t": 1}', "bad_weight"),
        ('{"from": "a", "to": "b", "w": NaN, "t": 1}', "bad_weight"),
        ('{"from": "a", "to": "b", "w": ' + "9" * 400 + ', "t": 1}', "bad_weight"),
        ('{"from": "a", "to": "b", "w": 1, "t": {}}', "bad_time"),
        ('{"from": "a", "to": "b", "w": 1, "t": Infinity}', "bad_time"),
        ('{"from": 1, "to": "1", "w": 1, "t": 1}', "self_loop"),
    ],
)  # fmt: skip
def test_one_bad_object_costs_only_itself(tmp_path: Path, line: str, reason: str) -> None:
    good = '{"from": "a1", "to": "b2", "w": 2, "t": 1714521600}\n'
    reading = read(tmp_path, good + line + "\n" + good, weight_column="w", time_column="t")
    assert reading.follows == [Follow("local:a1", "local:b2", 2.0, 1714521600000)] * 2
    assert reading.reasons == [(2, reason)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{'weight': __import__('os')}", "bad_data"), ("{'weight': 9**9**9}", "bad_data"), ("{1, 2}", "bad_data"),
        ("{'weight': " + "[" * 1500 + "]" * 1500 + "}", "bad_data"), ("{'x': '" + "y" * 5000 + "'}", "bad_data"),
        ("{'a': '\\d'}", "missing_field"), ("{'weight': None}", "bad_weight"), ("", "bad_data"),
        ("{'weight': 01}", "bad_data"), ("{'weight': [1]}", "bad_weight"),
    ],
)  # fmt: skip
def test_data_of_networkx_edges_is_never_evaluated(tmp_path: Path, data: str, reason: str) -> None:
    content = f"a1 b2 {{'weight': 0.5, 'label': 'x'}}\na1 b2 {data}\nb2 c3 {{\"weight\": 7}}\n"
    reading = read(tmp_path, content, weight_column="weight")
    assert [follow.weight for follow in reading.follows] == [0.5, 7.0]
    assert reading.reasons == [(2, reason)]


def test_line_numbers_with_line_breaks_in_quotes(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        'from,bio,to\r\na1,"two\r\nlines, ""here""",b2\r\nx,,x\r\n"b2","\r\n\r\n",c3\r\ny,"of\r\nit",y\r\nlast\r\n',
    )
    assert reading.pairs == AB
    assert reading.reasons == [(4, "self_loop"), (8, "self_loop"), (10, "missing_field")]
    assert reading.skipped == {"header": 1, "continued": 4}


def test_a_stray_quote_does_not_swallow_the_lines_below(tmp_path: Path) -> None:
    many = "".join(f"u{i},v{i}\n" for i in range(30_000))
    for content in (f'from,to\na1,"b2\n{many}', f'from,to\na1,"b2\n{many}x,"y\n'):
        reading = read(tmp_path, content)
        assert reading.pairs == [(f"u{i}", f"v{i}") for i in range(30_000)]
        assert reading.rejected[0].line == 2
        assert {reason for _, reason in reading.reasons} == {"bad_quotes"}
    # Closed by another stray quote a few lines below: the id would hold line breaks.
    reading = read(tmp_path, 'from,to\na1,"b2\nc3,d4\ne5",f6\n')
    assert reading.pairs == [("c3", "d4")]
    assert reading.reasons == [(2, "bad_quotes"), (4, "bad_quotes")]
    # An id that is quoted over two lines leaves no second half behind that looks like an account.
    reading = read(tmp_path, 'from,to\n"a\nx",b\na1,b2\nb2,c3\n')
    assert reading.pairs == AB
    assert reading.reasons == [(2, "bad_quotes"), (3, "bad_quotes")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01T12:30:00Z", "2024-05-01T12:30:00+00:00"), ("2024-05-01t12:30:00z", "2024-05-01T12:30:00+00:00"),
        ("2024-05-01 12:30:00+02:00", "2024-05-01T12:30:00+02:00"), ("2024-05-01", "2024-05-01T00:00:00+00:00"),
        ("2024-02-29T23:59:59.123456789-05:30", "2024-02-29T23:59:59.123-05:30"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
        ("1082040961", "2004-04-15T14:56:01+00:00"), ("1082040961.5", "2004-04-15T14:56:01.500+00:00"),
        ("1082040961123", "2004-04-15T14:56:01.123+00:00"), ("0", "1970-01-01T00:00:00+00:00"),
        ("100000000000", "1973-03-03T09:46:40+00:00"), (" 1082040961 ", "2004-04-15T14:56:01+00:00"),
        ("1082040961.123", "2004-04-15T14:56:01.123+00:00"),
        ("2024-05-01T12:30:00", None), ("2024-05-01T12:30Z", None), ("2024-05-01T24:00:00Z", None), ("1e9", None),
        ("20240501T123000Z", None), ("2024-W18-3", None), ("-1", None), ("1969-12-31T23:59:59Z", None),
        ("1970-01-01T00:30:00+01:00", None), ("1714521600123456", None), ("2024-05-01T12:30:00+25:00", None),
        ("9" * 400, None), ("٢٠٢٤-05-01", None), ("0000-01-01", None), ("01/05/2024", None),
    ],
)  # fmt: skip
def test_times(tmp_path: Path, text: str, expected: str | None) -> None:
    reading = read(tmp_path, f"from,to,t\na,b,{text}\n", time_column="t")
    if expected is None:
        assert reading.reasons == [(2, "bad_time")]
    else:
        [follow] = reading.follows
        at = datetime.fromisoformat(expected)
        assert follow.at == round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def test_times_in_json_are_numbers_or_text(tmp_path: Path) -> None:
    content = "".join(
        f'{{"from": 1, "to": 2, "t": {text}}}\n'
        for text in ("1082040961", "1082040961.123", "1082040961123", '"1082040961"', '"2004-04-15T14:56:01Z"')
    )
    times = [follow.at for follow in read(tmp_path, content, time_column="t").follows]
    assert times == [1082040961000, 1082040961123, 1082040961123, 1082040961000, 1082040961000]


def test_an_empty_time_is_not_known(tmp_path: Path) -> None:
    assert [one.at for one in read(tmp_path, "from,to,t\na,b,\na,c, \n", time_column="t").follows] == [None, None]
    content = '{"from": 1, "to": 2, "t": null}\n{"from": 1, "to": 2, "t": 0}\n'
    assert [one.at for one in read(tmp_path, content, time_column="t").follows] == [None, 0]


def test_whole_keys(tmp_path: Path) -> None:
    content = "from,to\na:1,b:x:2\na:1,b\na:1,:b\nA:1,b:2\na:1,a:1\n"
    reading = read(tmp_path, content, network=None)
    assert [(one.follower, one.followee) for one in reading.follows] == [("a:1", "b:x:2")]
    assert reading.reasons == [(3, "bad_key"), (4, "bad_key"), (5, "bad_key"), (6, "self_loop")]


def test_a_time_just_ahead_is_believed_and_one_far_ahead_is_not(tmp_path: Path) -> None:
    now = int(datetime.now(UTC).timestamp())
    reading = read(tmp_path, f"from,to,t\na,b,{now + 60}\na,c,{now + 3600}\n", time_column="t")
    assert len(reading.follows) == 1
    assert reading.reasons == [(3, "time_in_future")]


# --- compressed, cut off, missing, of another kind ------------------------------------------------------


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    plain = tmp_path / "plain.gz"
    plain.write_text("a1,b2\nb2,c3\n")
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(b"a1,b2\nb2") + gzip.compress(b",c3\n") + b"\0" * 20)
    assert read_file(plain).pairs == read_file(packed).pairs == AB


LINES = [f"{i},{i * 7919 % 100_003}\n" for i in range(1, 50_000)]


def damaged(damage: str) -> bytes:
    data = bytearray(gzip.compress("".join(LINES).encode()))
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "changed":
        data[len(data) // 2 : len(data) // 2 + 50] = b"\xff" * 50
    else:
        data += b"garbage"
    return bytes(data)


@pytest.mark.parametrize("damage", ["cut", "changed", "garbage"])
def test_a_damaged_gzip_says_where_it_stopped(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "follows.csv.gz"
    if damage == "cut":
        path.write_bytes(damaged(damage))
    else:  # of a file on disk, which can be read twice, not one line is used: see below
        os.mkfifo(path)

        def feed() -> None:
            with suppress(BrokenPipeError):  # nobody reads on after the damage
                path.write_bytes(damaged(damage))

        threading.Thread(target=feed).start()
    follows = []
    with open_follows(FollowFile(path), pytest.fail) as reader, pytest.raises(UnreadableFile) as stopped:
        follows.extend(reader)
    done = len(follows)
    assert 10_000 < done < 50_000
    assert [f"{a[6:]},{b[6:]}\n" for a, b, _, _ in follows] == LINES[:done], "no half line was used"
    assert stopped.value.fields["line"] == done == reader.lines
    assert f"after line {done:,}" in stopped.value.message
    assert "gzip" in stopped.value.message
    assert ("may be wrong" in stopped.value.message) == (damage != "cut")


@pytest.mark.parametrize("flipped", [None, 0.3, 0.7])
def test_a_damaged_gzip_file_is_not_read_at_all(tmp_path: Path, flipped: float | None) -> None:
    """A flipped bit shows only in the checksum at the end, long after wrong ids would have been used."""
    data = bytearray(damaged("changed" if flipped is None else "garbage"))
    if flipped is not None:
        data = data.removesuffix(b"garbage")
        data[int(len(data) * flipped)] ^= 0x10
    path = tmp_path / "follows.csv.gz"
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=r"damaged.*nothing of it"), open_follows(FollowFile(path), pytest.fail):
        pytest.fail("it was opened")


def test_a_gzip_cut_off_at_once(tmp_path: Path) -> None:
    for size in (2, 5, 15):
        with pytest.raises(UnreadableFile, match="before its first line ended"):
            read(tmp_path, gzip.compress(b"a1,b2\n")[:size])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("from,to\n1,2\n".encode("utf-16"), "UTF-16"), (b"PK\x03\x04rest", "ZIP"), (b"PAR1\x15\x04\x15", "Parquet"),
        (b"BZh91AY&SY", "bzip2"), (b"\xfd7zXZ\0\0", "xz"), (b"\x28\xb5\x2f\xfd\x04", "zstd"),
        (b'[\n  {"from": 1, "to": 2}\n]', "JSON array"), (b'[{"from": 1, "to": 2}]', "JSON array"),
        (b'<?xml version="1.0"?>\n<graphml>', "GraphML"), (b"graph [\n  node [", "GML"), (b"*Vertices 3\n", "Pajek"),
        (b'Creator "igraph"\n', "GML"), (b"SQLite format 3\0", "SQLite"), (gzip.compress(b"a,b", mtime=0), "twice"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "UTF-8"), (b"\0\x01\x02\n\xff\xfe\n", "UTF-8"),
        (b"one\ntwo\nthree\n", "does not look like"),
        (b"It is a truth universally acknowledged\nthat\na single man must be\nin want.", "does not look like"),
    ],
)  # fmt: skip
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    if says == "twice":
        content = gzip.compress(content)
    with pytest.raises(UnreadableFile, match=says):
        read(tmp_path, content)


@pytest.mark.parametrize("content", ["", "\n\n\r\n", "\ufeff", "# only\n% comments\n", "{]\n{]\n"])
def test_nothing_to_import(tmp_path: Path, content: str) -> None:
    for data in (content.encode(), gzip.compress(content.encode())):
        with pytest.raises(NothingImported):
            read(tmp_path, data)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "absent.csv", "absent.csv cannot be read: No such file"),
        (tmp_path, "Is a directory"),
        (Path("a\0b"), "no such file"),
        (tmp_path / ("x" * 300), "too long"),
        (Path("/proc/self/mem"), "Input/output error"),
    ):
        with pytest.raises(UnreadableFile, match=says):
            read_file(path)


def test_a_file_that_goes_away_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "follows.csv"
    path.write_text("".join(f"{i},{i + 1}\n" for i in range(100_000)))
    read_block = lines_module._Source.readinto

    def failing(source: Any, buffer: memoryview) -> int:
        if source.read_bytes > 300_000:
            raise OSError(116, "Stale file handle")
        return read_block(source, buffer)

    monkeypatch.setattr(lines_module._Source, "readinto", failing)
    with (
        open_follows(FollowFile(path), pytest.fail) as reader,
        pytest.raises(UnreadableFile, match="Stale file handle"),
    ):
        for _ in reader:
            pass
    assert 20_000 < reader.used < 100_000


def test_a_pipe_and_standard_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = gzip.compress(b"a1,b2\nb2,c3\n")

    def feed() -> None:
        with pipe.open("wb", buffering=0) as end:
            for i in range(len(data)):
                end.write(data[i : i + 1])

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open_follows(FollowFile(pipe), pytest.fail) as reader:
        assert [follow.follower for follow in reader] == ["local:a1", "local:b2"]
        assert (reader.total_bytes, reader.read_bytes) == (None, len(data))
    feeder.join()
    code = (
        "from pathlib import Path; from service.files.follows import *\n"
        "with open_follows(FollowFile(Path('-')), print) as reader: print([f[:2] for f in reader])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    closed = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", sys.executable, "-c", code], capture_output=True, check=False
    )
    assert b"UnreadableFile: 'standard input' cannot be read" in closed.stderr
    assert done.stdout.decode().strip() == "[('local:a1', 'local:b2'), ('local:b2', 'local:c3')]"


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xlsx"}, {"network": ""}, {"network": "a:b"}, {"network": "Twitter"}, {"network": "x" * 65},
        {"network": "x\n"}, {"delimiter": ""}, {"delimiter": ", "}, {"delimiter": "\n"}, {"delimiter": '"'},
    ],
)  # fmt: skip
def test_options_that_cannot_be_used(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        FollowFile(Path("x"), **options)


# --- the report -----------------------------------------------------------------------------------------


def test_the_report_of_rejected_lines(tmp_path: Path) -> None:
    with RejectReport(tmp_path / "imports", "who follows/whom?.csv") as report:
        assert report.path is None
    assert not (tmp_path / "imports").exists(), "nothing rejected, nothing written"
    rejected = [
        Rejected(3, "self_loop", "An account cannot follow itself.", "é\x00\u2028,é"),
        Rejected(9, "a", "b", "c"),
    ]
    old_mask = os.umask(0)
    try:
        with RejectReport(tmp_path / "imports", "who follows/whom?.csv") as report:
            for one in rejected:
                report.write(one)
    finally:
        os.umask(old_mask)
    assert report.path is not None
    assert report.path.name.startswith("who_follows_whom_.csv-2")
    assert report.path.name.endswith(".rejected.ndjson")
    assert stat.S_IMODE(report.path.stat().st_mode) == 0o600
    lines = report.path.read_bytes().decode().split("\n")
    assert [Rejected(**json.loads(line)) for line in lines[:-1]] == rejected


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ENTOURAGE_DATA_DIR"), RejectReport(tmp_path / "file", "x") as report:
        report.write(Rejected(1, "a", "b", "c"))
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), encoding="ascii")
    report = RejectReport(tmp_path, "x")
    report._file = full
    with pytest.raises(ConfigurationError, match="No space left"), report:
        report.write(Rejected(1, "a", "b", "c"))


def test_a_packed_file_may_expand_up_to_a_limit(tmp_path: Path) -> None:
    content = b"a,b\n" * 1_000 + b"\n" * 1_000_000
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content))
    assert path.stat().st_size < 5_000
    with open_follows(FollowFile(path), pytest.fail, len(content)) as reader:
        assert sum(1 for _ in reader) == 1_000
    too_far = pytest.raises(ExpandsTooFar, match="ENTOURAGE_IMPORT_MAX_EXPANDED_MB")
    with too_far, open_follows(FollowFile(path), pytest.fail, len(content) - 1):
        pytest.fail("it is not even opened")
    path.write_bytes(content)
    with open_follows(FollowFile(path), pytest.fail, 1) as reader:
        assert sum(1 for _ in reader) == 1_000, "what is not packed is as large as it is"


def test_a_pipe_may_expand_up_to_a_limit(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    packed = gzip.compress(b"a,b\n" * 1_000 + b"c,d\n" * 1_000_000)
    writer = threading.Thread(target=lambda: _write_until_closed(pipe, packed))
    writer.start()
    with (
        pytest.raises(ExpandsTooFar) as stopped,
        open_follows(FollowFile(pipe), pytest.fail, 1 << 20) as reader,
    ):
        list(reader)
    writer.join()
    assert 0 < reader.used == stopped.value.fields["line"] <= (1 << 20) / 4


def _write_until_closed(pipe: Path, content: bytes) -> None:
    with suppress(BrokenPipeError), pipe.open("wb") as file:
        file.write(content)


def test_columns_that_are_not_read_are_listed(tmp_path: Path) -> None:
    for content, unread in (
        ("follower,followee,network,\na,b,x,\n", ["network"]),
        ('{"follower": "a", "followee": "b", "network": "x", "weight": 2}\n', ["network"]),
        ("follower,followee,weight,at\na,b,2,\n", []),
        ("a b\n", []),
    ):
        path = tmp_path / "x"
        path.write_text(content)
        with open_follows(FollowFile(path, schema_names=True), print) as reader:
            assert [(one.follower, one.followee) for one in reader] == [("local:a", "local:b")]
            assert reader.ignored == unread
