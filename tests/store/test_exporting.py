"""Round trips: what is exported, imported into an empty graph, is the same graph; into its own, it changes nothing."""

from __future__ import annotations

import csv
import itertools
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from service.domain import Follow, no_progress
from service.errors import ConfigurationError, Conflict, EmptyGraph
from service.files.follows import FollowFile
from service.files.schemas import SCHEMAS
from service.flows.exporting import export_folder
from service.flows.importing import import_file, import_folder
from service.records import NEVER, THINGS, Statement, interaction_event
from service.store.changes import apply_batch
from service.store.driver import Store
from service.store.edges import apply_follows, apply_unfollows
from service.store.things import apply_statements
from tests.conftest import clear
from tests.store.graph_dump import dump, graph_version

DAY = 86_400_000
DAYS = [date(2025, 1, day) for day in (1, 2, 3)]
TOPICS = ["a|b", "[x", '"', "é, ü", "名前", "c++"]
TEXTS = [*TOPICS, "#", "two\nlines", "'", "=1+1", "a\u2028b", "tab\there", "-", "null", "true", "0"]
IDS = [f"t:{one}" for one in [*"abcdef", "9223372036854775808", 'q"uote', "x,y", "ü|z", "[1]"]] + ["u.v-w:1"]
POSTS = [f"t:p{i}" for i in range(12)]
BRANDS = ["aubade", "nordlys", "zenit"]


def fill(store: Store, seed: int) -> None:
    """A graph with every kind of thing, odd texts and ids, and fields said at different times."""
    chance = random.Random(seed)
    some = chance.choice
    statements: list[Statement] = []

    def say(thing: str, identity: tuple[Any, ...], *values: Any, dated: bool = True) -> None:
        statements.append(Statement(thing, identity, values, when(), dated))

    def text() -> str | None:
        return some([None, *TEXTS])

    def when() -> int:
        return some([0, DAY, 2 * DAY + 1, 1_740_830_400_123])

    for _ in range(60):
        one, other = chance.sample(IDS, 2)
        handle, language = some([None, *TOPICS]), some([None, "fr", "pt-br"])
        profile = (handle, text(), text(), language, text(), some([None, 0, DAY + 7]), some([None, 12]))
        say(
            "accounts",
            (one,),
            *profile,
            some([None, "f" * 64]),
            some([None, True, False]),
            some([None, DAY]),
            dated=some([True, False]),
        )
        event = interaction_event(some(["like", "reply"]), str(chance.random()), when())
        say("engagements", (one, other, some(DAYS)), some([None, 2]), None, None, 1, None, (event,))
        topics = some([None, (), tuple(sorted(chance.sample(TOPICS, 2)))])
        kind, paid = some([None, "text"]), some([None, True])
        say("posts", (some(POSTS),), some([None, one]), when(), kind, None, text(), topics, paid)
        say("responses", (one, some(POSTS), some(["like", "repost"]), some([NEVER, DAY])))
        accounts = some([None, (), (one,), tuple(sorted((one, other)))])
        say("brands", (some(BRANDS),), text(), accounts, some([None, ("rival",)]))
        say("mentions", (some(POSTS), some(BRANDS)), some([None, -1, 0, 1]), some([None, True, False]))
        relation = (one, some(BRANDS), some(["employee", "user"]))
        say("relations", relation, some([None, 0]), some([None, DAY]), text())
        say("persons", (some(["p 1", "p|2"]), one))
        say("endorsements", (one, other, some(["", "jardin"])), some([True, False]))
    for thing, group in itertools.groupby(sorted(statements, key=lambda one: one.thing), key=lambda one: one.thing):
        apply_statements(store, THINGS[thing], [*group])
    pairs = [tuple(chance.sample(IDS, 2)) for _ in range(80)]
    apply_follows(store, [Follow(a, b, some([1.0, 0.1, 1e-7]), some([None, when()])) for a, b in pairs])
    apply_unfollows(store, [Statement("unfollows", pair, (), when()) for pair in pairs[:30]])
    apply_batch(store, "complete_followers", [Statement("complete_followers", (b,), (), when()) for _, b in pairs[:5]])


@pytest.fixture
def again(store: Store, tmp_path: Path) -> Callable[[Path], Any]:
    def load(folder: Path) -> Any:
        report = import_folder(store.address, folder, tmp_path / "imports", no_progress)
        assert report.rejected == 0, [one.report.read_text() for one in report.files if one.report]
        return report

    return load


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("file_format", ["ndjson", "csv", "parquet"])
def test_a_graph_comes_back_the_same(
    store: Store, again: Callable[[Path], Any], tmp_path: Path, file_format: Any, seed: int
) -> None:
    fill(store, seed)
    whole, version = dump(store), graph_version(store)
    report = export_folder(store.address, tmp_path / "out", file_format, no_progress)
    assert (report.version, report.changed_meanwhile) == (version, False)
    assert report.lines.keys() == SCHEMAS.keys() - {"crm", "interactions"}
    follows = [line for line in whole if len(line) > 3 and line[2] == "FOLLOWS"]
    assert len(follows) == report.lines["follows"]
    same = again(tmp_path / "out")
    assert graph_version(store) == version, "its own graph is not changed"
    assert {one.created + one.updated for one in same.files} == {0}
    clear(store)
    again(tmp_path / "out")
    assert dump(store) == whole
    second = export_folder(store.address, tmp_path / "second", file_format, no_progress)
    assert second.lines == report.lines
    for file in (tmp_path / "out").iterdir():
        if file.name != "manifest.json":
            assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


def test_files_are_what_their_format_says(store: Store, tmp_path: Path) -> None:
    import jsonschema

    fill(store, 3)
    export_folder(store.address, tmp_path / "json", "ndjson", no_progress)
    export_folder(store.address, tmp_path / "csv", "csv", no_progress)
    for file in sorted((tmp_path / "json").glob("*.ndjson")):
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
        schema = jsonschema.Draft202012Validator(SCHEMAS[file.stem].json_schema())
        assert [error.message for line in lines for error in schema.iter_errors(line)] == []
        with (tmp_path / "csv" / f"{file.stem}.csv").open(encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        assert len(rows) == len(lines)
        assert all(row.keys() >= line.keys() for row, line in zip(rows, lines, strict=True))


@pytest.mark.parametrize("name", ["congress", pytest.param("messages", marks=pytest.mark.long)])
def test_real_graphs_come_back_the_same(
    store: Store, again: Callable[[Path], Any], tmp_path: Path, shared_data: Callable[[str], Path], name: str
) -> None:
    file = {
        "congress": FollowFile(
            shared_data("congress117-twitter/congress.edgelist"),
            network="twitter",
            reverse=True,
            weight_column="weight",
        ),
        "messages": FollowFile(shared_data("collegemsg/CollegeMsg.txt"), network="c", time_column="3"),
    }[name]
    import_file(store.address, file, tmp_path, no_progress)
    whole = dump(store)
    export_folder(store.address, tmp_path / "out", "csv", no_progress)
    clear(store)
    again(tmp_path / "out")
    assert dump(store) == whole


def test_nothing_is_overwritten_and_nothing_half_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EmptyGraph):
        export_folder(store.address, tmp_path / "empty", "csv", no_progress)
    apply_follows(store, [Follow("t:1", "t:2")])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for taken in ("full", "file"):
        with pytest.raises(Conflict, match="choose another folder"):
            export_folder(store.address, tmp_path / taken, "csv", no_progress)
    with pytest.raises(ConfigurationError):
        export_folder(store.address, tmp_path / "file" / "below", "csv", no_progress)

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.flows.exporting.write_manifest", fails)
    with pytest.raises(ConfigurationError, match="No space left"):
        export_folder(store.address, tmp_path / "out", "csv", no_progress)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "full"]
    monkeypatch.undo()
    (tmp_path / "out").mkdir()
    export_folder(store.address, tmp_path / "out", "csv", no_progress)
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"manifest.json", "accounts.csv", "follows.csv"}
