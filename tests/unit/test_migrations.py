"""Migration files: how they are named, split, and told apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import MigrationError, MigrationGap
from service.store.migrations import expected_version, load_migrations, split_statements

SCHEMA = "CREATE INDEX x IF NOT EXISTS FOR (t:Thing) ON (t.x);"
DATA = "CREATE (:Thing);"
BATCHES = "MATCH (t:Thing) CALL (t) { SET t.x = 1 } IN 4 CONCURRENT TRANSACTIONS OF 10 ROWS;"


def folder(path: Path, *texts: str) -> Path:
    for number, text in enumerate(texts, 1):
        (path / f"V{number:04}__File.cypher").write_text(text, encoding="utf-8")
    return path


def test_statements_are_split_where_they_end_only() -> None:
    text = "RETURN 'a;b'; // c;d\nRETURN `e;f` /* g;h */;\n\n;RETURN \"i\\\";j\"; // 'k\n/* `l */"
    assert split_statements(text) == ("RETURN 'a;b'", "RETURN `e;f` /* g;h */", 'RETURN "i\\";j"')


QUOTED = st.sampled_from(
    ["'a;b'", '"it\'s; // no comment"', "`c``;d`", r"'\';'", "/* e;'f */", "// g;`h\n", '"/*"', "''"]
)
WORDS = st.sampled_from(["RETURN 1", "MATCH (a) / 2", "x", " \n", "CREATE (:T {a: 1})"])
STATEMENT = st.tuples(st.sampled_from(["RETURN", "MATCH"]), st.lists(QUOTED | WORDS, max_size=6)).map(
    lambda parts: " ".join([parts[0], *parts[1], "END"])
)


@given(st.lists(STATEMENT, max_size=5), st.sampled_from([";", ";\n", " ; // a;'b\n", ";; /* c;` */"]))
def test_statements_that_are_joined_are_split_again(statements: list[str], end: str) -> None:
    assert split_statements(end.join([*statements, ""])) == tuple(statements)


@pytest.mark.parametrize("text", ["RETURN 'a", 'RETURN "a; RETURN 1', "RETURN `a;", "/* RETURN 1;", r"RETURN 'a\'"])
def test_a_quotation_without_an_end_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MigrationError, match=r"V0001__File\.cypher.*has no end"):
        load_migrations(folder(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (SCHEMA, "schema"),
        ("// why\ncreate fulltext index a FOR (t:Thing) ON EACH [t.name]; CALL db.awaitIndexes();", "schema"),
        ("DROP CONSTRAINT a IF EXISTS;", "schema"),
        ("CYPHER 5 CREATE RANGE INDEX a FOR (t:Thing) ON (t.x);", "schema"),
        (DATA, "data"),
        ("CREATE (index:Index {constraint: 1});", "data"),
        ("CREATE (:Thing {text: '} IN TRANSACTIONS'}) // } IN TRANSACTIONS\n;", "data"),
        ("CREATE (:Thing {text: 'CREATE INDEX'});", "data"),
        (BATCHES, "batches"),
        (BATCHES.replace("IN 4 CONCURRENT", "IN"), "batches"),
        (BATCHES.replace("4 CONCURRENT", "concurrent"), "batches"),
        (":auto MATCH (t:Thing) DELETE t;", "batches"),
    ],
)
def test_kinds_of_statements(tmp_path: Path, text: str, kind: str) -> None:
    assert [migration.kind for migration in load_migrations(folder(tmp_path, text))] == [kind]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (SCHEMA + DATA, "schema and data"),
        (DATA + BATCHES, "data and batches"),
        (BATCHES + SCHEMA, "schema and batches"),
    ],
)
def test_kinds_do_not_mix_in_a_file(tmp_path: Path, text: str, kinds: str) -> None:
    with pytest.raises(MigrationError, match=rf"V0002__File\.cypher mixes {kinds}"):
        load_migrations(folder(tmp_path, SCHEMA, text))


def test_names_and_numbers(tmp_path: Path) -> None:
    folder(tmp_path, SCHEMA, DATA)
    (tmp_path / "V0003__More_to_know.cypher").write_text(DATA)
    assert [one.version for one in load_migrations(tmp_path)] == ["0001", "0002", "0003"]
    assert load_migrations(tmp_path)[2].description == "More to know"
    assert expected_version(tmp_path) == "0003"
    (tmp_path / "V0003__Twice.cypher").write_text(DATA)
    with pytest.raises(MigrationGap, match="there twice"):
        load_migrations(tmp_path)
    (tmp_path / "V0003__Twice.cypher").unlink()
    (tmp_path / "V0002__File.cypher").unlink()
    with pytest.raises(MigrationGap, match="0002 is missing"):
        load_migrations(tmp_path)


@pytest.mark.parametrize(
    "name", ["next.cypher", "V1__One.cypher", "V0001_One.cypher", "V0001__.cypher", "v0001__a.cypher"]
)
def test_a_file_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(DATA)
    with pytest.raises(MigrationError, match=re.escape(name)):
        load_migrations(tmp_path)


@pytest.mark.parametrize("text", ["", "// nothing\n", " ;;\n/* nothing; */"])
def test_a_file_without_a_statement_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MigrationError, match=r"V0001__File\.cypher holds no statement"):
        load_migrations(folder(tmp_path, text))


def test_no_files_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationGap, match="no migrations"):
        load_migrations(tmp_path)


def test_what_changes_a_checksum(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        return load_migrations(folder(tmp_path, text))[0].checksum

    known = checksum("CREATE (:A);\nCREATE (:B);\n")
    assert checksum("\ufeff// why\r\nCREATE (:A);\r\n/* and */ CREATE (:B)") == known
    for other in ("CREATE (:A); CREATE (:C);", "CREATE (:B); CREATE (:A);", "CREATE (:A);"):
        assert checksum(other) != known


def test_the_files_that_ship() -> None:
    migrations = load_migrations()
    assert migrations[-1].version == expected_version()
    assert [one.kind for one in migrations[:2]] == ["schema", "data"]
    for migration in migrations:
        if migration.kind == "schema":
            created = [one for one in migration.statements if one.upper().startswith("CREATE")]
            assert all(" IF NOT EXISTS " in one for one in created), "so that it can be run again"
            assert any("awaitIndexes" in one for one in migration.statements)
