"""The command that asks the query library, on a real store: tables, CSV, JSON, files, refusals, and the clock."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from service.domain import Follow, StoreAddress
from service.errors import StoreTimedOut
from service.flows.explore import find_query
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.queries import Queries
from tests.e2e.test_brand_candidates import command


def test_rows_are_the_same_in_every_form(store: Store, store_address: StoreAddress, tmp_path: Path) -> None:
    apply_follows(store, [Follow("t:a", "t:b", 1.0, 1_000), Follow("t:b", "t:c", 1.0, None)])
    rows = list(csv.DictReader(io.StringIO(command(store_address, tmp_path, "query", "inventory", "--format", "csv"))))
    found = {row["what"]: (row["count"], row["first"], row["last"]) for row in rows}
    assert found["accounts"] == ("3", "", "")
    assert found["follows"] == ("2", "1970-01-01T00:00:01+00:00", "1970-01-01T00:00:01+00:00")
    assert found["posts"] == ("0", "", "")
    as_json = json.loads(command(store_address, tmp_path, "query", "inventory", "--format", "json"))
    assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in as_json] == rows
    table = command(store_address, tmp_path, "query", "inventory")
    assert "follows" in table
    assert f"{len(rows)} rows" in table
    said = command(store_address, tmp_path, "query", "inventory", "--format", "csv", "--out", "rows.csv")
    assert "Wrote rows.csv" in said
    assert list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text(encoding="utf-8")))) == rows


def test_what_is_there_and_what_is_not_is_said_without_asking(store_address: StoreAddress, tmp_path: Path) -> None:
    assert "What is in the graph" in command(store_address, tmp_path, "query")
    about = command(store_address, tmp_path, "query", "inventory", "--about")
    assert "entourage query inventory" in about
    assert "MATCH (a:Account)" in about
    assert "MATCH (a:Account)" in command(store_address, tmp_path, "query", "inventory", "--format", "browser")
    assert "query_not_found" in command(store_address, tmp_path, "query", "inventary", expect=4)
    assert "invalid_request" in command(store_address, tmp_path, "query", "inventory", "--param", "x=1", expect=3)


def test_a_query_that_takes_too_long_is_ended(store: Store) -> None:
    slow = replace(
        find_query("inventory"),
        text="UNWIND range(1, 1000000000) AS i WITH i WHERE i % 7 = 3 RETURN count(i) AS count",
    )
    store.queries = Queries({"explore/slow": slow})
    with pytest.raises(StoreTimedOut, match="took longer"):
        store.read_within(0.5, "explore/slow")
