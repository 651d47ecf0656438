"""Folders with a manifest: what it may say, what is refused, and in which order files are imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.errors import BadInput, EntourageError, UnreadableFile
from service.files.account_lists import ListFile
from service.files.follows import FollowFile
from service.files.manifest import is_folder, listed_files, read_manifest
from service.files.records import RecordFile


def write(folder: Path, *files: dict[str, Any], **said: Any) -> Path:
    for file in files:
        if "/" not in file["file"]:
            (folder / file["file"]).touch()
    (folder / "manifest.json").write_text(json.dumps({"entourage_import": 1, "files": files, **said}))
    return folder


def test_files_come_in_the_order_of_their_kinds_with_what_the_folder_says(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {"file": "c.csv", "kind": "crm", "values": {"brand": "aubade", "relation": "user"}},
        {"file": "f.csv", "kind": "follows", "columns": {"at": "since"}, "reverse": True, "network": "other"},
        {"file": "a.csv", "kind": "accounts", "columns": {"handle": "Pseudo"}, "as_of": "2025-03-01T12:00:00Z"},
        {"file": "b.ndjson", "kind": "accounts", "format": "ndjson"},
        network="mastodon",
        as_of="2024-01-01T00:00:00+01:00",
    )
    for path in (folder, folder / "manifest.json"):
        assert is_folder(path)
        first, second, follows, customers = listed_files(path, read_manifest(path))
        assert isinstance(first, RecordFile)
        assert isinstance(second, RecordFile)
        assert isinstance(follows, FollowFile)
        assert isinstance(customers, RecordFile)
        assert (first.path.name, first.columns, first.as_of) == ("a.csv", {"handle": "Pseudo"}, 1_740_830_400_000)
        assert (second.format, second.network, second.as_of) == ("ndjson", "mastodon", 1_704_063_600_000)
        assert (follows.network, follows.time_column, follows.reverse) == ("other", "since", True)
        assert follows.schema_names
        assert customers.values == {"brand": "aubade", "relation": "user"}
    assert not is_folder(tmp_path / "a.csv")


def test_keys_instead_of_ids(tmp_path: Path) -> None:
    folder = write(tmp_path, {"file": "a.csv", "kind": "accounts"}, network=None)
    [file] = listed_files(folder, read_manifest(folder))
    assert file.network is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Invalid JSON"), ("{", "Invalid JSON"), ("[]", "the file"), ("{}", "entourage_import"),
        ('{"entourage_import": 2, "files": []}', "entourage_import"), ('{"entourage_import": 1, "files": []}', "files"),
        ('{"entourage_import": 1, "files": [{"kind": "accounts"}]}', r"used: files\.1\.file: Field required\.$"),
        ('{"entourage_import": 1, "nonsense": 1, "files": [{"file": "a", "kind": "accounts"}]}', "nonsense"),
        ('{"entourage_import": 1, "as_of": "2024-01-01T00:00", "files": [{"file": "a", "kind": "posts"}]}', "as_of"),
        ('{"entourage_import": 1, "files": [{"file": "a"}]}', r"files\.1: say one of kind and list"),
        ('{"entourage_import": 1, "files": [{"file": "a", "kind": "posts", "list": "x", "account": "y"}]}', "say one"),
        ('{"entourage_import": 1, "files": [{"file": "a", "list": "x"}]}', r"files\.1: say list and account together"),
        ('{"entourage_import": 1, "files": [{"file": "a", "list": "x", "account": "y", "reverse": true}]}',
         "reverse cannot be said of a list"),
        ("x" * (1 << 20) + "xx", "larger than"),
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_used(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UnreadableFile, match=says):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r'has no manifest\.json.*"entourage_import": 1'):
        read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../out.csv", "/etc/passwd", "link.csv", "none.csv", "sub", "a\0b", ".."])
def test_only_files_of_the_folder_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "out.csv").touch()
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "link.csv").symlink_to(tmp_path / "out.csv")
    manifest = {"entourage_import": 1, "files": [{"file": name, "kind": "accounts"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UnreadableFile, match="not a file in this folder"):
        listed_files(folder, read_manifest(folder))


@pytest.mark.parametrize(
    "file",
    [
        {"kind": "dances"}, {"kind": "accounts", "columns": {"x": "y"}}, {"kind": "accounts", "values": {"x": "y"}},
        {"kind": "accounts", "network": "A B"}, {"kind": "follows", "columns": {"x": "y"}},
        {"kind": "accounts", "format": "edgelist"},
    ],
)  # fmt: skip
def test_kinds_fields_and_networks_that_do_not_exist(tmp_path: Path, file: dict[str, Any]) -> None:
    folder = write(tmp_path, {"file": "a.csv", **file})
    with pytest.raises((BadInput, EntourageError)):
        listed_files(folder, read_manifest(folder))


def test_lists_come_with_follows_and_their_mapping_lies_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('about = "x"\nnetwork = "n"\nholds = "mutual"\n[id]\ncolumn = "ID"\n')
    for name in ("l.csv", "m.csv", "u.csv"):
        (tmp_path / name).touch()
    listed = {"file": "l.csv", "list": "mastodon_following", "account": "a@b.c"}
    own = {"file": "m.csv", "list": "own.toml", "account": "a", "network": "x", "as_of": "2024-01-01T00:00:00Z"}
    folder = write(tmp_path, {"file": "u.csv", "kind": "unfollows"}, listed, own, network="other")
    first, second, last = listed_files(folder, read_manifest(folder))
    assert isinstance(first, ListFile)
    assert isinstance(second, ListFile)
    assert (first.network, first.called, first.account) == (None, "mastodon_following", "a@b.c"), "its mapping says it"
    assert (second.network, second.as_of, second.mapping.holds) == ("x", 1_704_067_200_000, "mutual")
    assert isinstance(last, RecordFile)
    outside = write(tmp_path, {**own, "list": "../own.toml"})
    with pytest.raises(UnreadableFile, match=r"'\.\./own\.toml', listed in .*, is not a file in this folder"):
        listed_files(outside, read_manifest(outside))
