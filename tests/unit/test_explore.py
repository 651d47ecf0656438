"""Queries for analysts: what is typed becomes values of the right types, and rows become text."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from service import console
from service.errors import InvalidRequest, QueryNotFound
from service.flows.explore import (
    AREA,
    GROUPS,
    Answer,
    example_command,
    explore_queries,
    find_query,
    for_browser,
    read_parameters,
)
from service.store.queries import Declared, Query

ALL_TYPES = Query(
    name="explore/everything",
    text="RETURN $key AS key, $n, $share, $on, $day, $keys, $counts",
    answers="What is everything?",
    parameters=(
        Declared("key", "STRING", "key of an account"),
        Declared("n", "INTEGER", "how many"),
        Declared("share", "FLOAT", "a share"),
        Declared("on", "BOOLEAN", "whether"),
        Declared("day", "DATE", "a day"),
        Declared("keys", "LIST<STRING>", "keys"),
        Declared("counts", "LIST<INTEGER>", "counts"),
    ),
    columns=(
        Declared("key", "STRING", "the key"),
        Declared("at", "ZONED DATETIME", "when"),
        Declared("of", "LIST<MAP>", "x"),
    ),
    mode="read",
    indexes=(),
    group="Accounts",
    cost="nothing",
    defaults={"n": 20, "share": 0.5, "on": False, "keys": ["a:1", "a:2"], "counts": []},
    examples={"key": "a: 1", "day": "2026-05-01"},
)


def test_parameters_are_read_as_their_types() -> None:
    given = ["key=a=b, c", "n=-3", "share=1e-2", "on=True", "day=2026-02-03", "keys=a:1, b:2", "counts=[1, 2]"]
    assert read_parameters(ALL_TYPES, given) == {
        "key": "a=b, c", "n": -3, "share": 0.01, "on": True, "day": date(2026, 2, 3), "keys": ["a:1", "b:2"],
        "counts": [1, 2],
    }  # fmt: skip
    assert read_parameters(ALL_TYPES, ["key=", "day=2026-02-03", "keys="]) == {
        **ALL_TYPES.defaults, "key": "", "day": date(2026, 2, 3), "keys": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["n=1.5"], "n must be a whole number"),
        (["share=x"], "share must be a number"),
        (["on=yes"], "on must be true or false"),
        (["day=1.2.2026"], "day must be a day such as 2026-05-01"),
        (["counts=1,x"], "counts must be of type LIST<INTEGER>"),
        (["counts=[1"], "counts must be of type LIST<INTEGER>"),
        (["fame=1"], "no parameter 'fame'; there are: key, n,"),
        (["n"], "Write NAME=VALUE"),
        (["n=1", "n=2"], "n is there twice"),
        (["n=1"], "needs key \\(key of an account\\), such as key=a: 1; day \\(a day\\), such as day=2026-05-01"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(given: list[str], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read_parameters(ALL_TYPES, given)


def test_a_query_that_is_not_there_is_not_found_and_a_near_one_named() -> None:
    with pytest.raises(QueryNotFound, match="did you mean inventory"):
        find_query("inventry")
    with pytest.raises(QueryNotFound, match="`entourage query` lists"):
        find_query("xyz")


def test_every_query_is_listed_once_under_a_known_group_and_can_be_typed() -> None:
    queries = explore_queries()
    assert [one.group for one in queries.values()] == sorted(
        (str(one.group) for one in queries.values()), key=GROUPS.index
    )
    for name, query in queries.items():
        assert query.name == AREA + name
        assert query.answers.endswith("?"), name
        assert query.mode == "read"
        assert example_command(query).startswith(f"entourage query {name}")
        typed = [
            f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"
            for key, value in query.examples.items()
        ]
        assert read_parameters(query, typed) == {**query.defaults, **query.examples}, name
        for one in (*query.parameters, *query.columns):
            assert len(one.meaning) > 2, name
    out = Console(file=io.StringIO(), width=200)
    out.print(console.queries_table(queries))
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in shown for name in queries)


ROWS = [
    {"key": "a:1", "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "of": [{"n": 1, "on": date(2026, 1, 1)}]},
    {"key": 'with "quotes", é', "at": None, "of": []},
]


def test_rows_as_csv_and_json_are_what_was_given() -> None:
    answer = Answer(ALL_TYPES, ROWS)
    head, *lines = list(csv.reader(io.StringIO(answer.to_csv())))
    assert head == ["key", "at", "of"]
    assert lines == [
        ["a:1", "2026-01-02T03:04:00+00:00", '[{"n": 1, "on": "2026-01-01"}]'],
        ['with "quotes", é', "", "[]"],
    ]
    assert json.loads(answer.to_json()) == [
        {"key": "a:1", "at": "2026-01-02T03:04:00+00:00", "of": [{"n": 1, "on": "2026-01-01"}]},
        {"key": 'with "quotes", é', "at": None, "of": []},
    ]


def test_rows_and_queries_are_drawn() -> None:
    out = Console(file=io.StringIO(), width=160)
    out.print(console.rows_table(["key", "at", "of"], ROWS))
    out.print(console.query_card(ALL_TYPES, example_command(ALL_TYPES)))
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    for text in (
        "2026-01-02 03:04+00:00",
        "n: 1, on: 2026-01-01",
        "how many (20 if not given)",
        "entourage query everything",
    ):
        assert text in shown


def test_a_statement_for_the_browser_sets_its_parameters_first() -> None:
    text = for_browser(ALL_TYPES, read_parameters(ALL_TYPES, ['key=it\'s "me"', "day=2026-05-01"]))
    first, *_ = text.splitlines()
    assert first == ":param n => 20;"
    assert ':param key => "it\'s \\"me\\"";' in text
    assert ":param day => date('2026-05-01');" in text
    assert text.endswith("$counts;")
