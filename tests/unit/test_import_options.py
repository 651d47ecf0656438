"""What is typed after `entourage import`: which options go together, and what they come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from service.errors import BadInput
from service.files.account_lists import ListFile
from service.files.follows import FollowFile
from service.files.list_mapping import shipped_lists
from service.files.records import RecordFile
from service.flows.import_options import ImportOptions, as_parameter, file_to_import


def typed(path: Path, **given: Any) -> Any:
    return file_to_import(path, ImportOptions(**given))


def test_follows_and_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    follows = typed(path, network="m", time="at", reverse=True)
    assert follows == FollowFile(path, network="m", time_column="at", reverse=True)
    assert typed(path) == FollowFile(path, network="local")
    assert typed(path, kind="follows", keys=True) == FollowFile(path, network=None, schema_names=True)
    people = typed(path, kind="accounts", column=("handle=Pseudo = x",), set=("lang=fr",), as_of="2024-01-01")
    expected = RecordFile(
        path, "accounts", columns={"handle": "Pseudo = x"}, values={"lang": "fr"}, as_of=1_704_067_200_000
    )
    assert people == expected
    assert typed(tmp_path) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"column": ("a=b",)}, "--column cannot be said of follows"), ({"as_of": "2024-01-01"}, "--as-of cannot"),
        ({"kind": "posts", "follower": "1", "reverse": True}, "--follower, --reverse can only be said of follows"),
        ({"kind": "posts", "column": ("x",)}, "FIELD=VALUE"), ({"kind": "posts", "set": ("=x",)}, "FIELD=VALUE"),
        ({"kind": "posts", "as_of": "soon"}, "--as-of: The time is neither"), ({"kind": "dances"}, "no kind of lines"),
        ({"keys": True, "network": "m"}, "not both"), ({"network": ""}, "cannot name a network"),
        ({"kind": "posts", "format": "edgelist"}, "csv, ndjson or parquet"),
        ({"list": "mastodon_following"}, "With --list say --account, too"),
        ({"account": "x"}, "With --account say --list, too"),
        ({"list": "x", "account": "x"}, "no list 'x'; choose one of .*, or the path of a mapping of your own"),
        ({"list": "mastodon_following", "account": "a@b.c", "keys": True, "time": "t"}, "--keys, --time cannot be"),
        ({"list": "mastodon_following", "account": "a@b.c", "as_of": "soon"}, "--as-of: The time is neither"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        typed(tmp_path / "x.csv", **given)


@pytest.mark.parametrize("given", [{"kind": "posts"}, {"network": "m"}, {"reverse": True}, {"set": ("a=b",)}])
def test_a_folder_says_everything_itself(tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"cannot be said of a folder.*manifest\.json"):
        typed(tmp_path, **given)


def test_over_http_options_are_called_as_parameters_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^set, as_of cannot be said of follows; say kind, or use follower, time"):
        file_to_import(tmp_path / "x", ImportOptions(as_of="2024-01-01", set=("a=b",)), as_parameter)
    named = file_to_import(tmp_path, ImportOptions(kind="posts"), as_parameter, name="posts.csv")
    assert named == RecordFile(tmp_path, "posts", name="posts.csv"), "what has a name is no folder"


def test_lists_are_read_by_their_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    one = typed(path, list="mastodon_following", account="a@b.c", network="fediverse", as_of="2024-01-01")
    mapping = shipped_lists()["mastodon_following"]
    assert one == ListFile(path, mapping, "mastodon_following", "a@b.c", "fediverse", 1_704_067_200_000)
    own = tmp_path / "own.toml"
    own.write_text('about = "x"\nnetwork = "n"\nholds = "mutual"\n[id]\ncolumn = "who"\n')
    assert typed(path, list=str(own), account="a").mapping.holds == "mutual"
    with pytest.raises(BadInput, match="There is no list"):
        file_to_import(path, ImportOptions(list=str(own), account="a"), as_parameter, name="x.csv")


def test_of_a_complete_list_without_a_time_of_its_own_the_time_has_to_be_said(tmp_path: Path) -> None:
    """The time of an upload, or of a pipe, is later than the list: what was followed between would end."""
    pipe, file = tmp_path / "pipe", tmp_path / "followers.csv"
    os.mkfifo(pipe)
    said = {"list": "gotosocial_followers", "account": "lea@m.example"}
    for path in (Path("-"), pipe):
        with pytest.raises(BadInput, match=r"say when it was downloaded, --as-of 2025-"):
            typed(path, **said)
        assert typed(path, **said, as_of="2024-01-01").as_of == 1_704_067_200_000
    with pytest.raises(BadInput, match=r"say when it was downloaded, as_of 2025-"):
        file_to_import(file, ImportOptions(**said), as_parameter, name="followers.csv")
    assert typed(file, **said).as_of is None, "the file says when it was written"
    assert typed(Path("-"), list="mastodon_following", account="lea@m.example").as_of is None
