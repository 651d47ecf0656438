"""Mappings of other graphs: what is wrong in one is named by its place, and secrets in it are refused unseen."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import UnreadableFile
from service.files.mapping import read_mapping

HEAD = '[neo4j]\nuri = "bolt://h"\npassword_env = "P"\n'
LINES = '[[lines]]\nkind = "accounts"\nlabel = "User"\nfields = { account = "id" }\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + 'password = "s3cret"\n' + LINES, "neo4j: a password does not belong into this file"),
        ('[neo4j]\nuri = "bolt://u:s3cret@h"\npassword_env = "P"\n' + LINES, r"neo4j\.uri: write it like"),
        ('[neo4j]\nuri = "http://h"\npassword_env = "P"\n' + LINES, r"neo4j\.uri: write it like"),
        ('[neo4j]\nuri = "bolt://h"\n' + LINES, r"neo4j\.password_env: Field required"),
        (HEAD, "lines: Field required"),
        (HEAD + LINES + '[[lines]]\nkind = "dances"\nlabel = "x"', r"lines\.2: there is no kind 'dances'"),
        (HEAD + LINES + 'relationship = "X"', r"lines\.1: say one of label, relationship and statement"),
        (HEAD + LINES.replace("account =", "acount ="), r"lines\.1: fields\.acount: accounts have no such field"),
        (HEAD + LINES.replace("account =", "handle ="), r"lines\.1: fields\.account is missing"),
        (HEAD + LINES + 'values = { langu = "fr" }', r"lines\.1: values\.langu: accounts have no such field"),
        (HEAD + LINES + "colour = 1", r"lines\.1\.colour: Extra inputs"),
        (HEAD + "x =\ny", r"is no TOML: .*line 4"),
        (HEAD + '[[lines]]\nkind = "follows"\nrelationship = "F"\nfields = { follower = "start.id" }',
         r"fields\.followee is missing"),
        (HEAD + "x = " + "[" * 20_000, "is no TOML: .*recursion"),
        (HEAD + "x = " + "1" * 5_000, "is no TOML: .*digits"),
        (HEAD + '[[lines]]\nkind = "accounts"\nstatement = "RETURN 1 AS a"\nfields = { account = "a", handle = "A" }',
         r"lines\.1: fields\.account: its column holds another field, too"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(UnreadableFile, match=says) as wrong:
        read_mapping(path)
    assert "s3cret" not in wrong.value.message


MORE = st.text(max_size=60).map(lambda text: (HEAD + LINES + text).encode())


@given(content=st.one_of(st.binary(max_size=100), MORE))
def test_whatever_stands_in_it_it_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.toml"
        path.write_bytes(content)
        try:
            read_mapping(path)
        except UnreadableFile:
            return
