"""Lists of accounts as platforms give them: what each line says, for every shipped mapping and its variants."""

from __future__ import annotations

import csv
import gzip
import io
import random
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import BadInput, NothingImported, UnreadableFile
from service.files.account_lists import ListFile, open_list
from service.files.follows import FollowFile, open_follows
from service.files.list_mapping import ListMapping, shipped_lists
from service.flows import importing
from service.flows.importing import Done
from tests.unit.list_reading import WRITTEN, read_list, written

LEA = "mastodon:https://mastodon.social/users/lea"
NOTES = (
    'Notes:\r\n"When exporting your connection data, you may notice that some of the email addresses are missing. You '
    'will only see email addresses for connections who have allowed it, see https://www.linkedin.com/help ."\r\n\r\n'
)
CONNECTIONS = (
    "First Name,Last Name,URL,Email Address,Company,Position,Connected On\r\n"
    'Noor,"Weiss, PhD",https://www.linkedin.com/in/noor-weiss-1a2b3c,,"Acme, Ltd",Engineer,05 Mar 2023\r\n'
    ",,,,,,\r\nTariq,Blum,,,,,06 Mar 2023\r\n"
    "J\u00fcrgen,,https://de.linkedin.com/in/j%C3%BCrgen/?trk=x,,,,7 Dec 2025\r\n"
)
CHANNEL = "UC00000000000000000000aa"
OWN = "UC00000000000000000000zz"


def day(year: int, month: int, one: int) -> int:
    from datetime import UTC, datetime

    return int(datetime(year, month, one, tzinfo=UTC).timestamp() * 1000)


# --- each shipped mapping, on samples after public documentation ---


@pytest.mark.parametrize("header", [
    "Account address,Show boosts,Notify on new posts,Languages", "Account address,Show boosts", "Account address",
    "Show boosts,ACCOUNT ADDRESS ,colour",
])  # fmt: skip
def test_whom_an_account_on_mastodon_follows(tmp_path: Path, header: str) -> None:
    names = [one.strip().lower() for one in header.split(",")]
    cells = {"account address": "Gargron@mastodon.social", "show boosts": "true", "languages": '"de, fr"'}
    other = {"account address": "@a.b_9@social.example:3000", "show boosts": "false"}
    lines = [header, *(",".join(one.get(name, "") for name in names) for one in (cells, other))]
    listed = read_list(written(tmp_path, "\n".join(lines) + "\n"), "mastodon_following", "lea@mastodon.social")
    ends = ["https://mastodon.social/users/Gargron", "https://social.example:3000/users/a.b_9"]
    assert listed.follows == [(LEA, f"mastodon:{one}", None) for one in ends]
    assert list(listed.accounts.values()) == [("Gargron@mastodon.social", None), ("a.b_9@social.example:3000", None)]
    assert (listed.rejected, listed.complete) == ([], [])
    assert [one.lower() for one in listed.ignored] == [one for one in names if one != "account address"]


def test_addresses_that_cannot_be_ids_are_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    content = (
        "Account address,Show boosts\nnoor,true\n,true\nnoor@Mastodon.Social,true\nnoor@b@c,true\n"
        "lea@mastodon.social,true\nx y@b.c,true\n\nnoor@b.c,true,true\nnoor@b.c\n\"noor@b.c\n"
    )  # fmt: skip
    listed = read_list(written(tmp_path, content), "mastodon_following", "https://mastodon.social/users/lea")
    assert listed.reasons == [
        (2, "bad_id"), (3, "empty_id"), (4, "bad_id"), (5, "bad_id"), (6, "self_loop"), (7, "bad_id"),
        (9, "too_many_fields"), (11, "bad_quotes"),
    ]  # fmt: skip
    assert listed.rejected[0].message == "'noor' in column 'Account address' is not written like lea@mastodon.social."
    assert [one[1] for one in listed.follows] == ["mastodon:https://b.c/users/noor"]
    assert listed.skipped == {"header": 1, "empty": 1}


def test_all_followers_of_an_account_on_gotosocial(tmp_path: Path) -> None:
    path = written(tmp_path, "Account address\nnoor@a.example\ntariq@b.example\nlea@mastodon.social\n")
    listed = read_list(path, "gotosocial_followers", "@lea@mastodon.social")
    at = WRITTEN * 1000
    ends = ["https://a.example/users/noor", "https://b.example/users/tariq"]
    assert listed.follows == [(f"mastodon:{one}", LEA, at) for one in ends]
    assert listed.complete == [(LEA, at)], "that the account itself is listed leaves nobody out"
    dated = read_list(path, "gotosocial_followers", "@lea@mastodon.social", as_of=1_600_000_000_000)
    assert {one[2] for one in dated.follows} == {1_600_000_000_000}
    assert dated.complete == [(LEA, 1_600_000_000_000)]


def test_a_list_of_which_a_line_cannot_be_used_is_not_complete(tmp_path: Path) -> None:
    for lines in ("noor@a.example\nbroken\n", "broken\nnoor@a.example\n"):
        listed = read_list(
            written(tmp_path, f"Account address\n{lines}"), "gotosocial_followers", "lea@mastodon.social"
        )
        assert (len(listed.follows), listed.complete) == (1, [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_list_cut_off_at_any_byte_is_complete_only_where_a_line_ends(tmp_path: Path, pack: Any, end: bytes) -> None:
    lines = [b"Account address", b"noor@a.b", b"tom@mastodon.social", b"lea@mastodon.social", b""]
    whole = end.join(lines)
    said = ["https://a.b/users/noor", "https://mastodon.social/users/tom"]
    for size in range(whole.index(b"noor@a.b") + 9, len(whole) + 1):
        part = whole[:size]
        listed = read_list(written(tmp_path, pack(part)), "gotosocial_followers", "lea@mastodon.social")
        at_an_end = part.endswith((b"\n", b"\r"))
        assert bool(listed.complete) == at_an_end, part
        assert [one[1] for one in listed.reasons if one[1] != "self_loop"] == ["cut_off"] * (not at_an_end), part
        assert [one[0].removeprefix("mastodon:") for one in listed.follows] == said[: len(listed.follows)], part
    # Whom an account follows ends nothing, and lists that were made by hand often end so.
    rest = read_list(written(tmp_path, b"Account address\nnoor@a.b"), "mastodon_following", "lea@mastodon.social")
    assert len(rest.follows) == 1


def test_a_list_whose_quotes_hold_lines_of_their_own_is_not_complete(tmp_path: Path) -> None:
    content = 'Account address,Note\nnoor@a.b,"one\nbob@a.b,two"\ntom@a.b,\n'
    file = ListFile(written(tmp_path, content), shipped_lists()["gotosocial_followers"], "g", "lea@m.n")
    with open_list(file, lambda _: None) as reader:
        assert len(list(reader)) == 2
        assert reader.not_complete == "1 line stands inside quotes of others"
    assert read_list(file.path, "gotosocial_followers", "lea@m.n").complete == []


def test_a_list_that_was_cut_off_is_not_complete_and_what_is_there_is_read(tmp_path: Path) -> None:
    chance = random.Random(5)
    lines = [f"{chance.getrandbits(80):x}@b.example" for _ in range(5_000)]
    whole = gzip.compress("\n".join(["Account address", *lines, ""]).encode())
    file = ListFile(
        written(tmp_path, whole[: len(whole) // 2]), shipped_lists()["gotosocial_followers"], "g", "lea@a.b"
    )
    entries: list[Any] = []
    with open_list(file, lambda _: None) as reader:
        with pytest.raises(UnreadableFile, match="gzip data ends early") as stopped:
            entries.extend(reader)
        assert len(entries) == reader.used == stopped.value.fields["line"] - 1
        assert reader.used > 1_000
    assert {len(entry.said) for entry in entries} == {2}, "a follow and who it is, and nothing of completeness"


@pytest.mark.parametrize("before", [
    "", NOTES, NOTES.replace("\r\n\r\n", "\r\n"), NOTES.replace(' ."', ' .",,,,,,').replace("Notes:", "Notes:,,,,,,"),
    'Notes:\r\n"a quote\r\nover, several\r\nlines"\r\n', "Notes: one stray \" quote\r\n",
])  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_connections_on_linkedin_with_notes_before_them_or_without(tmp_path: Path, before: str, delimiter: str) -> None:
    table = io.StringIO()
    csv.writer(table, delimiter=delimiter).writerows(csv.reader(io.StringIO(CONNECTIONS)))
    path = written(tmp_path, "\ufeff" + before + table.getvalue())
    listed = read_list(path, "linkedin_connections", "https://www.linkedin.com/in/lea-martin/")
    lea, noor, other = "linkedin:lea-martin", "linkedin:noor-weiss-1a2b3c", "linkedin:j%C3%BCrgen"
    first, second = day(2023, 3, 5), day(2025, 12, 7)
    assert listed.follows == [(noor, lea, first), (lea, noor, first), (other, lea, second), (lea, other, second)]
    assert listed.accounts == {
        noor: ("noor-weiss-1a2b3c", "Noor Weiss, PhD"), other: ("j%C3%BCrgen", "J\u00fcrgen")
    }  # fmt: skip
    assert [one[1] for one in listed.reasons] == ["empty_id"]
    assert listed.skipped["empty"] >= 1, "a row of empty cells"
    assert listed.ignored == ["Email Address", "Company", "Position"]
    assert listed.skipped.get("preamble", 0) == sum(1 for line in before.splitlines() if line.strip())


def test_connections_lack_optional_columns_or_have_more(tmp_path: Path) -> None:
    content = "Connected On,URL,Score\n,www.linkedin.com/in/noor,9\n31 Feb 2024,linkedin.com/in/x,9\n01 Jan 2999,x,\n"
    listed = read_list(written(tmp_path, content), "linkedin_connections", "lea")
    assert listed.follows == [("linkedin:noor", "linkedin:lea", None), ("linkedin:lea", "linkedin:noor", None)]
    assert listed.accounts == {"linkedin:noor": ("noor", None)}
    assert listed.reasons == [(3, "bad_time"), (4, "bad_id")]


def test_connections_of_before_there_were_addresses_are_refused_with_what_they_have(tmp_path: Path) -> None:
    old = "First Name,Last Name,Email Address,Company,Position,Connected On\nNoor,Weiss,,,,15 Oct 2018\n"
    for content in (old, NOTES + old):
        with pytest.raises(UnreadableFile, match=(
            r"has no column 'URL', which the list linkedin_connections must have; its columns are: First Name, "
            r"Last Name, Email Address, Company, Position, Connected On\. `entourage lists`"
        )):  # fmt: skip
            read_list(written(tmp_path, content), "linkedin_connections", "lea")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"has two columns 'Account address'"):
        read_list(written(tmp_path, "account ADDRESS,Account address\na@b.c,d@e.f\n"), "mastodon_following", "lea@m.n")


@pytest.mark.parametrize("header", ["Channel Id,Channel Url,Channel Title", "Kanal-ID,Kanal-URL,Kanaltitel"])
def test_subscriptions_on_youtube_in_any_language(tmp_path: Path, header: str) -> None:
    content = (
        f'{header}\n{CHANNEL},http://www.youtube.com/channel/{CHANNEL},"Bread, slowly"\n\n'
        f"UC00000000000000000000-_,,\nUCshort,,x\n{OWN},,me\n{CHANNEL}\n"
    )
    listed = read_list(written(tmp_path, content), "youtube_subscriptions", OWN)
    me = f"youtube:{OWN}"
    assert [one[:2] for one in listed.follows] == [
        (me, f"youtube:{CHANNEL}"), (me, "youtube:UC00000000000000000000-_"), (me, f"youtube:{CHANNEL}")
    ]  # fmt: skip
    assert listed.accounts == {f"youtube:{CHANNEL}": (None, "Bread, slowly")}
    assert listed.reasons == [(5, "bad_id"), (6, "self_loop")]


def test_a_first_line_that_holds_an_account_is_not_lost_as_names_of_columns(tmp_path: Path) -> None:
    path = written(tmp_path, f"{CHANNEL},http://www.youtube.com/channel/{CHANNEL},Bread\n{CHANNEL},,x\n")
    with pytest.raises(UnreadableFile, match="begins with an account, where the names of its columns should be"):
        read_list(path, "youtube_subscriptions", OWN)


def test_a_quote_that_a_title_leaves_open_does_not_swallow_the_channels_below(tmp_path: Path) -> None:
    channels = [f"UC0000000000000000000{i:03}" for i in range(5)]
    content = (
        f'Channel Id,Channel Url,Channel Title\n{channels[0]},u,"Foo\n{channels[1]},u,Bar\n{channels[2]},u,Baz\n'
        f'{channels[3]},u,Qux"\n{channels[4]},u,Last\n'
    )
    listed = read_list(written(tmp_path, content), "youtube_subscriptions", OWN)
    assert [one[1] for one in listed.follows] == [f"youtube:{channels[i]}" for i in (1, 2, 4)]
    assert (listed.reasons, listed.skipped) == ([(2, "bad_quotes"), (5, "bad_quotes")], {"header": 1})


def test_a_first_line_that_is_no_text_is_not_followed_by_names_of_columns(tmp_path: Path) -> None:
    content = b"Cha\xeene,URL,Titre\n" + f"{CHANNEL},u,x\n{CHANNEL},u,x\n".encode()
    with pytest.raises(UnreadableFile, match=r"The first line of .* is not text in UTF-8"):
        read_list(written(tmp_path, content), "youtube_subscriptions", OWN)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_by_position_are_found_with_any_separator(tmp_path: Path, delimiter: str) -> None:
    mapping = ListMapping.model_validate(
        {"about": "x", "network": "forum", "holds": "followers",
         "id": {"column": 1, "pattern": "[0-9].*", "example": "17"}}
    )  # fmt: skip
    path = written(tmp_path, f"id{delimiter}name\n17{delimiter}Lea\n")
    assert read_list(path, "own", "1", mapping=mapping).follows == [("forum:17", "forum:1", None)]
    with pytest.raises(UnreadableFile, match="begins with an account"):
        read_list(written(tmp_path, f"17{delimiter}Lea\n18{delimiter}Tom\n"), "own", "1", mapping=mapping)


# --- what holds for all of them ---


@pytest.mark.parametrize("name", sorted(shipped_lists()))
@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", NothingImported, "is empty"), (b"\n \n", NothingImported, "is empty"),
        (b"\xff\xff\xff", UnreadableFile, "UTF-8"),
        (b'[{"string_list_data": []}]', UnreadableFile, "JSON array"), (b"PK\x03\x04xx", UnreadableFile, "ZIP"),
        (b"PAR1xxxx", UnreadableFile, "Parquet"), (b"<html>", UnreadableFile, "XML"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(tmp_path: Path, name: str, content: bytes, error: type, says: str) -> None:
    mapping = shipped_lists()[name]
    with pytest.raises(error, match=says):
        read_list(written(tmp_path, content), name, str(mapping.id.example))


@pytest.mark.parametrize(
    ("name", "account"),
    [("mastodon_following", "lea"), ("mastodon_following", ""), ("mastodon_following", "https://m.example/@lea"),
     ("linkedin_connections", "a/b"), ("linkedin_connections", "Lea Martin"), ("youtube_subscriptions", "@bread"),
     ("mastodon_following", "https://m.example/users/a\0b"),
     ("mastodon_following", "https://Mastodon.Social/users/lea"), ("mastodon_following", "https://m.example/users/"),
     ("mastodon_following", "https://mastodon.social/users/lea?x=1"), ("mastodon_following", "https://a:b@c/users/x#y"),
     ("linkedin_connections", "@lea-martin"), ("linkedin_connections", "lea-martin?trk=1"),
     ("linkedin_connections", "lea@example.com"), ("linkedin_connections", "www.linkedin.com")],
)  # fmt: skip
def test_the_account_of_a_list_has_to_be_one(name: str, account: str) -> None:
    with pytest.raises(BadInput, match=rf"cannot be the account of a list that is read as {name}; write it like"):
        ListFile(Path("x"), shipped_lists()[name], name, account)


def test_other_options_of_a_list_are_checked() -> None:
    mapping = shipped_lists()["linkedin_connections"]
    with pytest.raises(BadInput, match="cannot name a network"):
        ListFile(Path("x"), mapping, "l", "lea", network="A B")
    with pytest.raises(BadInput, match="before 1970 or in the future"):
        ListFile(Path("x"), mapping, "l", "lea", as_of=1 << 50)


@settings(max_examples=150)
@given(data=st.data(), name=st.sampled_from(sorted(shipped_lists())))
def test_whatever_stands_in_a_list_each_line_is_accounted_for(data: st.DataObject, name: str) -> None:
    mapping = shipped_lists()[name]
    header = ",".join(str(one) for one in mapping.columns)
    pieces = st.sampled_from(
        ["a@b.c", "linkedin.com/in/x", CHANNEL, ",", ";", '"', "\n", "\r", "\0", "05 Mar 2023", "\t"]
    )
    body = data.draw(st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=30).map("".join))
    content = data.draw(st.one_of(st.just(f"{header}\n{body}"), st.just(body))).encode(errors="surrogatepass")
    content = data.draw(st.one_of(st.just(content), st.binary(max_size=60)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            read_list(written(Path(folder), content), name, str(mapping.id.example))
        except (UnreadableFile, NothingImported):
            return


IDS = st.one_of(
    st.integers(0, 1 << 70).map(str),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=9),
)
NAMES = st.text("abc \u00e9\u4f60-,;\"'", max_size=9)


@given(
    rows=st.lists(st.tuples(IDS, NAMES, NAMES), max_size=20),
    holds=st.sampled_from(["followers", "following", "mutual"]),
    order=st.permutations(["who", "first", "last", "more"]),
    delimiter=st.sampled_from(",;\t|"),
    notes=st.integers(0, 3),
    bom=st.booleans(),
)
def test_a_list_written_by_any_csv_writer_says_what_was_written(
    rows: list[tuple[str, str, str]], holds: Any, order: list[str], delimiter: str, notes: int, bom: bool
) -> None:
    mapping = ListMapping(
        about="x", network="n", holds=holds, preamble=3, id={"column": "Who"}, name={"columns": ("First", "Last")}
    )  # type: ignore[arg-type]  # pydantic makes cells of these
    text = io.StringIO()
    text.writelines(f'note {i} "\n' for i in range(notes))
    table = csv.writer(text, delimiter=delimiter)
    table.writerow(order)
    for who, first, last in rows:
        cells = {"who": who, "first": first, "last": last, "more": "9007199254740993"}
        table.writerow([cells[one] for one in order])
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode())
        listed = read_list(path, "own", "me", mapping=mapping)
    there = {"followers": [0], "following": [1], "mutual": [0, 1]}[holds]
    pairs = [((f"n:{who}", "n:me"), ("n:me", f"n:{who}")) for who, _, _ in rows if who.strip() != "me"]
    assert [one[:2] for one in listed.follows] == [pair[i] for pair in pairs for i in there]
    last = {f"n:{who}": " ".join(filter(None, (a.strip(), b.strip()))) for who, a, b in rows if a.strip() or b.strip()}
    last.pop("n:me", None)
    assert {key: name for key, (_, name) in listed.accounts.items()} == last
    assert [one for _, one in listed.reasons] == ["self_loop"] * sum(who == "me" for who, _, _ in rows)


@given(
    lines=st.lists(st.sampled_from(["a@b.c", "d@e.f", "broken", "", "lea@m.n", '"g@h.i\n"', '"g@h.i"']), max_size=25),
    size=st.integers(1, 4),
    complete=st.booleans(),
)
def test_an_import_that_is_cut_off_after_any_batch_goes_on_as_if_nothing_had_happened(
    lines: list[str], size: int, complete: bool
) -> None:
    name = "gotosocial_followers" if complete else "mastodon_following"
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "BATCH_LINES", size)
        path = written(Path(folder), "Account address\n" + "\n".join([*lines, ""]))
        file = ListFile(path, shipped_lists()[name], name, "lea@m.n")

        def batches(before: Done) -> tuple[list[Any], list[Any], Any]:
            rejected: list[Any] = []
            with open_list(file, rejected.append) as reader:
                found = list(importing._batches(reader, None, before, threading.Event()))
                return found, rejected, (reader.lines, reader.used, reader.skipped, reader.rejected)

        whole, _, counts = batches(Done())
        items = [item for batch in whole for item in batch.items]
        said = [one for item in items for one in item.said if getattr(one, "thing", "") == "complete_followers"]
        usable = [line for line in lines if "@" in line and line != "lea@m.n" and "\n" not in line]
        assert len(said) == int(complete and bool(usable) and all(line in ("", "lea@m.n", *usable) for line in lines))
        done = 0
        for batch in whole:
            done += len(batch.items)
            rest, _, again = batches(batch.after)
            assert [item for one in rest for item in one.items] == items[done:]
            assert again == counts


def test_whom_somebody_follows_is_not_taken_for_all_followers(tmp_path: Path) -> None:
    """GoToSocial writes both lists with the same first column; of the wrong one everybody would seem to have left."""
    path = written(tmp_path, "Account address,Show boosts\ntom@mastodon.social,true\n")
    with pytest.raises(UnreadableFile, match="is another list"):
        read_list(path, "gotosocial_followers", "lea@mastodon.social")


@pytest.mark.parametrize("start", ["Account address,Show boosts", "Account address;Show boosts", NOTES + CONNECTIONS])
def test_a_list_is_not_taken_for_follows(tmp_path: Path, start: str) -> None:
    path = written(tmp_path, f"{start}\ntom@mastodon.social,true\n")
    said = r"--list (mastodon_following|linkedin_connections) --account"
    with pytest.raises(UnreadableFile, match=said), open_follows(FollowFile(path), lambda _: None):
        pass
    with open_follows(FollowFile(path, follower_column="1", followee_column="2"), lambda _: None) as reader:
        assert [*reader]
