"""Mappings of lists: what is wrong in one is named by its place, and what is right reads as it says."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from service.__main__ import app as command
from service.errors import BadInput, UnreadableFile
from service.files.list_mapping import (
    FOLDER,
    Cell,
    ListMapping,
    Name,
    Time,
    list_mapping,
    read_list_mapping,
    shipped_lists,
)
from service.files.values import BadLine

HEAD = 'about = "A list."\nnetwork = "n"\nholds = "followers"\n'
ID = '[id]\ncolumn = "who"\n'
PATTERN = "pattern = '(?P<a>[a-z]+)@(?P<b>[a-z]+)'\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD, r"id: Field required"),
        (HEAD + "[id]\n", r"id\.column: Field required"),
        (HEAD + "[id]\ncolumn = 0\n", r"id\.column: say the name of a column, or its position from 1"),
        (HEAD + "[id]\ncolumn = true\n", r"id\.column: say the name of a column"),
        (HEAD + '[id]\ncolumn = ["a"]\n', r"id\.column: say the name of a column"),
        (HEAD + '[id]\ncolumn = " "\n', r"id\.column: say the name of a column"),
        (HEAD + ID + 'colour = "red"\n', r"id\.colour: Extra inputs"),
        ('colour = "red"\n' + HEAD + ID, r"colour: Extra inputs"),
        (HEAD.replace('"n"', '"N N"') + ID, r"network: use 1 to 64 of the characters"),
        (HEAD.replace("followers", "friends") + ID, r"holds: .*'followers', 'following' or 'mutual'"),
        (HEAD.replace('"A list."', '""') + ID, r"about: "),
        (HEAD + ID + 'template = "{a}"\n', r"id: template and example need a pattern"),
        (HEAD + ID + 'example = "a"\n', r"id: template and example need a pattern"),
        (HEAD + ID + 'pattern = "("\nexample = "a"\n', r"id: the pattern is no regular expression"),
        (HEAD + ID + PATTERN, r"id: a pattern needs an example"),
        (HEAD + ID + PATTERN + 'example = "a"\n', r"id: the example does not fit the pattern"),
        (HEAD + ID + PATTERN + 'example = "a@b"\ntemplate = "{c}"\n', r"id: template: .*no group called 'c'"),
        (HEAD + ID + PATTERN + 'example = "a@b"\ntemplate = "{a"\n', r"id: template: .*brace"),
        (HEAD + ID + PATTERN + 'example = "a@b"\ntemplate = "{a.b}"\n', r"id: template: write only names of groups"),
        (HEAD + ID + PATTERN + 'example = "a@b"\ntemplate = "{a:>9999999}"\n', r"id: template: write only names"),
        (HEAD + ID + PATTERN + 'example = "a@b"\ntemplate = "{}"\n', r"id: template: write only names"),
        (HEAD + ID + "[handle]\n" + PATTERN, r"handle\.column: Field required"),
        (HEAD + ID + "[name]\ncolumns = []\n", r"name\.columns: "),
        (HEAD + ID + '[name]\ncolumns = ["a", -1]\n', r"name\.columns\.2: say the name of a column"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%d %b"]\n', r"time\.formats: '%d %b' does not read back"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%d %d"]\n', r"time\.formats: '%d %d' does not read back"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%"]\n', r"time\.formats: '%' does not read back"),
        (HEAD + "complete = true\n" + ID + '[time]\ncolumn = "t"\n', r"the file: time: who is in a complete list"),
        (HEAD.replace("followers", "mutual") + "complete = true\n" + ID, r"the file: complete: only a list of"),
        (HEAD + "preamble = 3\n[id]\ncolumn = 1\n", r"the file: preamble: name a column"),
        (HEAD + "[id]\ncolumn = 1\n", r"the file: id\.column: a position needs a pattern"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%Y-%m-%d %Z"]\n', r"time\.formats: .*names of zones \(%Z\)"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%Y-%m-%d %I:%M"]\n', r"time\.formats: .*%I together with %p"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%Y-%m-%d %H:%M %p"]\n', r"time\.formats: .*%I together with"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%d %b %Y", "%m/%d/%Y", "%d/%m/%Y"]\n',
         r"time\.formats: '%m/%d/%Y' and '%d/%m/%Y' read 05/06/2004 as two times"),
        (HEAD + ID + '[time]\ncolumn = "t"\nformats = ["%Y-%m-%d %M:%H", "%Y-%m-%d %H:%M"]\n', r"as two times"),
        (HEAD + "preamble = -1\n" + ID, r"preamble: "),
        (HEAD + "x =\ny", r"is no TOML: .*line 4"),
        (HEAD + "x = " + "[" * 20_000, "is no TOML: .*recursion"),
        (HEAD + "x = " + "1" * 5_000, "is no TOML: .*digits"),
        (HEAD + "[id]\ncolumn = 1\n" + "x = 1\n", r"id\.x: Extra inputs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(UnreadableFile, match=says) as wrong:
        read_list_mapping(path)
    assert wrong.value.message.startswith(str(path))


MORE = st.text(max_size=60).map(lambda text: (HEAD + ID + text).encode())
CELLS = st.fixed_dictionaries(
    {"column": st.one_of(st.text(max_size=5), st.integers(-1, 3), st.booleans())},
    optional={
        name: st.one_of(st.text(max_size=12), st.text("(?P<a>)[]*+.{}ab|\\^$", max_size=20))
        for name in ("pattern", "template", "example")
    },
)
FORMATS = st.lists(st.text("%dbBYymjHMSzZpU :/.-", max_size=12), max_size=3)


def toml(document: dict[str, Any]) -> str:
    """A document as TOML: its tables after its values; texts are written as JSON writes them, which TOML reads."""
    plain = [f"{name} = {json.dumps(value)}" for name, value in document.items() if not isinstance(value, dict)]
    tables = [f"[{name}]\n{toml(value)}" for name, value in document.items() if isinstance(value, dict)]
    return "\n".join(plain + tables) + "\n"


DOCUMENTS = st.fixed_dictionaries(
    {"about": st.text(max_size=5), "network": st.sampled_from(["n", "N"]), "id": CELLS},
    optional={
        "holds": st.sampled_from(["followers", "following", "mutual", "x"]),
        "complete": st.booleans(),
        "preamble": st.integers(-1, 200),
        "handle": CELLS,
        "time": st.fixed_dictionaries({"column": st.just("t"), "formats": FORMATS}),
    },
).map(lambda one: toml(one).encode(errors="surrogatepass"))


@given(content=st.one_of(st.binary(max_size=100), MORE, DOCUMENTS))
def test_whatever_stands_in_it_it_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.toml"
        path.write_bytes(content)
        try:
            mapping = read_list_mapping(path)
        except UnreadableFile:
            return
    if mapping.id.example is not None:
        mapping.id.read(mapping.id.example)


WORDS = st.text("abcXYZ019-_", min_size=1, max_size=8)


@given(user=WORDS, host=WORDS, before=st.text("/:x{}.\\(", max_size=5), between=st.text("/:x{}.\\(", max_size=5))
def test_a_template_puts_parts_where_it_says_and_knows_what_it_made(
    user: str, host: str, before: str, between: str
) -> None:
    literals = [one.replace("{", "{{").replace("}", "}}") for one in (before, between)]
    cell = Cell(
        column="who",
        pattern=r"(?P<user>[^@]+)@(?P<host>[^@]+)",
        template=f"{literals[0]}{{host}}{literals[1]}{{user}}",
        example="a@b",
    )
    made = before + host + between + user
    assert cell.read(f" {user}@{host} ") == made
    assert cell.id_of(f"{user}@{host}") == made
    assert cell.id_of(made) == made, "an id is one, too"
    with pytest.raises(BadLine, match=re.escape(repr(user))):
        cell.read(user)


@given(user=WORDS, host=WORDS)
def test_an_id_is_only_what_the_template_makes_of_parts_that_fit(user: str, host: str) -> None:
    cell = Cell(
        column="who", pattern="(?P<user>[ab]+)@(?P<host>[XY]+)", template="https://{host}/{user}#", example="a@X"
    )
    made = f"https://{host}/{user}#"
    if {*user} <= {*"ab"} and {*host} <= {*"XY"}:
        assert cell.id_of(made) == made
    else:
        with pytest.raises(BadLine):
            cell.id_of(made)


def test_formats_that_read_all_they_share_alike_may_stand_together() -> None:
    formats = ("%d %b %Y", "%d %B %Y", "%Y-%m-%d", "%Y-%m-%d %H:%M %z", "%m/%d/%Y %I:%M %p", "%%Z %Y-%m-%d")
    assert Time(column="t", formats=formats).read("%Z 2023-03-05", LATEST) == 1_677_974_400_000


def test_a_group_that_took_no_part_is_not_made_up() -> None:
    cell = Cell(column=1, pattern="(?P<a>[a-z]+)(@(?P<b>[a-z]+))?", template="{b}/{a}", example="lea@m")
    with pytest.raises(BadLine, match=r"'lea' in column 1 is not written like lea@m\."):
        cell.read("lea")


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2035, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))
LATEST = 1_900_000_000_000


@given(moment=MOMENTS, written=st.sampled_from(["%d %b %Y", "%Y-%m-%d %H:%M:%S", "%B %d, %Y", "%m/%d/%Y %I:%M:%S %p"]))
def test_times_are_read_in_the_first_format_that_fits(moment: datetime, written: str) -> None:
    whole = moment.replace(microsecond=0)
    if "%S" not in written:
        whole = whole.replace(hour=0, minute=0, second=0)
    time = Time(column="t", formats=("%d.%m.%Y", written))
    expected = (whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
    if expected > LATEST:
        with pytest.raises(BadLine) as bad:
            time.read(moment.strftime(written), LATEST)
        assert bad.value.reason == "time_in_future"
    else:
        assert time.read(moment.strftime(written), LATEST) == expected
    assert time.read("  ", LATEST) is None


@pytest.mark.parametrize("cell", ["03/05/2023", "5 Mrz 2023", "2023", "05 Mar 1969", "x" * 10_000])
def test_other_times_are_refused_rather_than_guessed(cell: str) -> None:
    with pytest.raises(BadLine, match=r"not written like 05 Mar 2023\.") as bad:
        Time(column="t", formats=("%d %b %Y",)).read(cell, LATEST)
    assert bad.value.reason == "bad_time"


def test_zones_are_heard_and_without_formats_times_are_as_everywhere() -> None:
    zoned = Time(column="t", formats=("%Y-%m-%d %H:%M %z",))
    assert zoned.read("2023-03-05 01:00 +0200", LATEST) == 1_677_970_800_000
    plain = Time(column="t")
    assert plain.read("2023-03-05", LATEST) == plain.read("1677974400", LATEST) == 1_677_974_400_000


def test_names_lead_to_shipped_mappings_and_paths_to_files(tmp_path: Path) -> None:
    assert set(shipped_lists()) == {path.stem for path in FOLDER.iterdir()}
    assert list_mapping("mastodon_following", None) == shipped_lists()["mastodon_following"]
    own = tmp_path / "own.toml"
    own.write_text(HEAD + ID)
    assert list_mapping(str(own), own).about == "A list."
    with pytest.raises(BadInput, match=r"no list 'x'; choose one of gotosocial_followers, .*, or the path"):
        list_mapping("x", Path("x"))
    with pytest.raises(BadInput, match=r"no list .*; choose one of [\w, ]+\.$"):
        list_mapping(str(own), None)
    with pytest.raises(UnreadableFile, match="No such file"):
        list_mapping("gone.toml", tmp_path / "gone.toml")
    with pytest.raises(UnreadableFile, match="no such file"):
        list_mapping("\0.toml", Path("\0.toml"))


@pytest.mark.parametrize("name", sorted(shipped_lists()))
def test_shipped_mappings_say_where_they_are_from_and_refuse_long_cells_at_once(name: str) -> None:
    mapping = shipped_lists()[name]
    assert (FOLDER / f"{name}.toml").read_text(encoding="utf-8").startswith("# "), "the source is named first"
    assert mapping.id.example is not None
    for hostile in ("a" * 200_000, "a." * 900, "a@" + "a." * 900, "linkedin.com/in/" + "?" * 1_900 + " "):
        with pytest.raises(BadLine):
            mapping.id.read(hostile + "@@")


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "platforms" / "lists.md").read_text(encoding="utf-8")


def test_the_page_lists_each_shipped_mapping_and_what_it_says() -> None:
    held = {"followers": "follows the account", "following": "the account follows", "mutual": "follow each other"}
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \| (yes|no) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == list(shipped_lists())
    for name, says, since, complete in rows:
        mapping = shipped_lists()[name]
        assert held[mapping.holds] in says
        assert (since != "no", complete == "yes") == (mapping.time is not None, mapping.complete)


def test_mappings_on_the_page_can_be_used(tmp_path: Path) -> None:
    found = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 2
    for content in found:
        path = tmp_path / "m.toml"
        path.write_text(content)
        read = read_list_mapping(path)
    named = {one for part in (read, read.id, read.handle, read.name, read.time) for one in part.model_fields_set}  # type: ignore[union-attr]
    assert named == {name for kind in (ListMapping, Cell, Name, Time) for name in kind.model_fields}, "all is shown"


def test_the_command_shows_them_all_and_each_as_it_is_written() -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(command, ["lists", *words])
        assert done.exit_code == 0
        return done.stdout

    table = run()
    for name, mapping in shipped_lists().items():
        assert name in table
        assert run(name) == (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        assert json.loads(run(name, "--json")) == {name: json.loads(mapping.model_dump_json())}
    assert list(json.loads(run("--json"))) == list(shipped_lists())
    refused = CliRunner().invoke(command, ["lists", "x"])
    assert isinstance(refused.exception, BadInput)
