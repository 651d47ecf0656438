"""Query files: header and statement must agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import QueryFileInvalid
from service.store.queries import load_queries

GOOD = """// answers: Who is there?
// parameter: key STRING the key
// column: name STRING the name
// mode: read
// index: account_key
MATCH (a:Account {key: $key}) WHERE a.name <> '$no; // comment'
RETURN a.name AS name
"""


def library(folder: Path, text: str) -> Path:
    (folder / "area").mkdir()
    (folder / "area" / "one.cypher").write_text(text, encoding="utf-8")
    return folder


def test_a_good_file(tmp_path: Path) -> None:
    query = load_queries(library(tmp_path, GOOD))["area/one"]
    assert query.answers == "Who is there?"
    assert [(p.name, p.type, p.meaning) for p in query.parameters] == [("key", "STRING", "the key")]
    assert [column.name for column in query.columns] == ["name"]
    assert (query.mode, query.indexes) == ("read", ("account_key",))
    query.check({"key": 1})
    for wrong in ({}, {"key": 1, "other": 2}, {"other": 2}):
        with pytest.raises(QueryFileInvalid, match="area/one"):
            query.check(wrong)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("// parameter: key STRING the key\n", ""),
        ("$key", "'x'"),
        ("// answers: Who is there?\n", ""),
        ("// mode: read", "// mode: perhaps"),
        ("// mode: read", "// mood: good"),
        ("key STRING the key", "key the key"),
        ("RETURN a.name AS name", "RETURN a.name AS name; RETURN 1"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(QueryFileInvalid, match="area/one"):
        load_queries(library(tmp_path, GOOD.replace(old, new)))


def test_an_unknown_query_and_an_empty_library(tmp_path: Path) -> None:
    with pytest.raises(QueryFileInvalid, match="nothing/here"):
        load_queries()["nothing/here"]
    with pytest.raises(QueryFileInvalid, match="no query files"):
        load_queries(tmp_path)
