"""Settings: which addresses of a server are taken, and what is said of the others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from service.configured import settings as read_settings
from service.domain import StoreAddress
from service.errors import BadInput, ConfigurationError, StoreUnavailable
from service.settings import Settings
from service.store.driver import AsyncStore, Store, store_errors

REFUSED = [
    "neo4j://user:s3cret@db.example:7687",
    "bolt://s3cret@db.example",
    "bolt://@db.example",
    "neo4j://db.example:7687?password=s3cret",
    "neo4j://db.example?",
    "neo4j://db.example#s3cret",
    "neo4j://db.example/s3cret",
    "neo4j:user:s3cret@db.example",
    "neo4j://user:s3cret",
    "http://s3cret",
    "https://user:s3cret@db.example:7473",
    "bolt+routing://s3cret",
    "s3cret",
    "s3cret:7687",
    "neo4j://",
    "neo4j://:7687",
    "bolt://[s3cret",
    "bolt://s3cret:99999",
    "bolt://s3cret..example",
    "bolt://s3cret example",
    " bolt://s3cret",
    "bolt://s3cret\n",
]


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc", "NEO4J"])
@pytest.mark.parametrize("place", ["db.example:7687", "localhost", "10.0.0.1:1", "[::1]:7687", "bücher.example", "h/"])
def test_addresses_of_a_server_are_taken_as_they_are(scheme: str, place: str) -> None:
    assert Settings(neo4j_uri=f"{scheme}://{place}").neo4j_uri == f"{scheme}://{place}"


@pytest.mark.parametrize("uri", REFUSED)
def test_other_addresses_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(neo4j_uri=uri)
    [error] = refused.value.errors(include_input=False, include_url=False)
    assert error["loc"] == ("neo4j_uri",)
    assert "ENTOURAGE_NEO4J_USER and ENTOURAGE_NEO4J_PASSWORD" in error["msg"]
    for text in (error["msg"], str(refused.value), repr(refused.value)):
        assert "s3cret" not in text
        assert "user:" not in text


def test_a_notebook_finds_the_settings_of_the_folder_that_it_is_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENTOURAGE_NEO4J_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    below = tmp_path / "notebooks" / "mine"
    below.mkdir(parents=True)
    (tmp_path / ".env").write_text("ENTOURAGE_NEO4J_URI=neo4j://db.example:7687\n")
    assert read_settings(below).neo4j_uri == read_settings(tmp_path).neo4j_uri == "neo4j://db.example:7687"
    (below / ".env").write_text("ENTOURAGE_NEO4J_URI=neo4j://mine.example:7687\n")
    assert read_settings(below).neo4j_uri == "neo4j://mine.example:7687"
    monkeypatch.setenv("ENTOURAGE_NEO4J_URI", "neo4j://said.example:7687")
    assert read_settings(below).neo4j_uri == "neo4j://said.example:7687"
    (below / ".env").write_text("ENTOURAGE_PORT=s3cret\n")
    with pytest.raises(ConfigurationError, match="ENTOURAGE_PORT") as refused:
        read_settings(below)
    assert "s3cret" not in str(refused.value)


@settings(deadline=None)
@given(st.text(alphabet="@:/?#[]%+. \\\n\tbolt4jü7", max_size=30), st.sampled_from(["", "bolt://", "neo4j+s://"]))
def test_whatever_is_taken_has_no_place_for_a_secret(text: str, begin: str) -> None:
    try:
        uri = Settings(neo4j_uri=begin + text).neo4j_uri
    except ValidationError:
        return
    assert uri is not None
    place = uri.split("://", 1)[1]
    assert set(place).isdisjoint("@?# \n\t")
    assert "/" not in place.removesuffix("/")


@pytest.mark.parametrize("uri", ["http://s3cret", "neo4j://user:s3cret@db.example", "neo4j://db.example?x=s3cret"])
def test_the_command_ends_with_one_sentence(uri: str, tmp_path: Path) -> None:
    environment = {**os.environ, "ENTOURAGE_NEO4J_URI": uri, "ENTOURAGE_NEO4J_PASSWORD": "x", "COLUMNS": "400"}
    ended = subprocess.run(
        [sys.executable, "-m", "service", "communities"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 9, ended.stderr
    said = ended.stderr.strip()
    assert "\n" not in said
    assert "ENTOURAGE_NEO4J_URI: " in said
    assert said.endswith("ENTOURAGE_NEO4J_PASSWORD. (configuration_error)")
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "uri", ["http://h", "h:7687", "neo4j://user:s3cret@h:1", "bolt://user:s3cret@h", "bolt://[::1"]
)
def test_an_address_that_comes_another_way_is_refused_too(uri: str) -> None:
    address = StoreAddress(uri, "neo4j", SecretStr("x"))

    async def connect() -> None:
        async with AsyncStore(address):
            pass

    for attempt in (lambda: Store(address), lambda: asyncio.run(connect())):
        with pytest.raises(BadInput) as refused:
            attempt()
        assert "s3cret" not in refused.value.message
        assert refused.value.message.endswith(":7687.")
        assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("neo4j://user:s3cret@db.example:7687/s3cret?x=s3cret#s3cret", "neo4j://db.example:7687"),
        ("bolt://[::1]:7690", "bolt://[::1]:7690"),
        ("bolt+s://db.example", "bolt+s://db.example"),
        ("s3cret", "the address that was given"),
        ("bolt://s3cret:s3cret", "the address that was given"),
    ],
)
def test_messages_show_host_and_port_of_an_address(uri: str, shown: str) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as away, store_errors(uri):
        raise OSError("no route")
    assert away.value.message.startswith(f"Neo4j at {shown} does not")
