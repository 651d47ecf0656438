"""The page that documents the query library, made from the statements themselves and what they give of the sample.

    python -m tests.store.query_page

writes docs/queries.md anew, with an embedded store of its own.
"""

from __future__ import annotations

import itertools
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import networkx as nx

from service.analytics.graph import to_networkx
from service.console import shown_value
from service.domain import EmbeddedConfig, RunSpec, StoreAddress, no_progress
from service.flows.explore import Answer, ask, example_command, explore_queries
from service.flows.importing import import_folder
from service.flows.own_measures import keep_own_measure
from service.flows.runs import analyze
from service.flows.snapshots import read_graph_at
from service.sample import DEMO_FOLLOWS
from service.sample_files import write_sample
from service.settings import Settings
from service.store.driver import Store
from service.store.embedded import running
from service.store.migrations import migrate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "queries.md"
ROWS, CELL = 3, 60
"""Rows of an example that are shown, and characters of a cell."""

RUN_ID = re.compile(r"r-\d{8}T\d{6}-[0-9a-f]{6}")
"""Ids of runs have the time in them, and differ."""

HEAD = """# The query library

Questions that analysts ask of the graph, each a Cypher statement in [`cypher/explore`](../cypher/explore). One source
for all:

- `entourage query` lists them, `entourage query NAME --param NAME=VALUE` asks one and prints a table, `--format csv` or
  `json` gives rows for other programs, `--out FILE` writes them to a file, `--about` shows the statement. It only
  reads, and Neo4j ends what takes longer than `--timeout` (60 seconds).
- `--format browser` prints a statement for Neo4j Browser, with its parameters before it.

What a run found is that of the run that is served. Nobody who opted out is named. Days and weeks count back from the
end of the data, never from today. Rows are in an order without ties. Examples are the first rows of the answer from the
synthetic sample (`entourage sample`; nobody in it exists). This page is made from the statements: `make query-page`
writes it anew.
"""


def query_page(address: StoreAddress) -> str:
    """Write the page, of a store that holds the sample, analysed."""
    parts = [HEAD]
    for group, some in itertools.groupby(explore_queries().items(), key=lambda one: one[1].group):
        parts.append(f"## {group}\n")
        parts += [
            _section(name, ask(address, query, {**query.defaults, **query.examples}, 120)) for name, query in some
        ]
    return "\n".join(parts)


def _section(name: str, answer: Answer) -> str:
    query = answer.query
    lines = [f"### {name}", "", query.answers, "", "```sh", example_command(query), "```", ""]
    if query.parameters:
        lines += ["| parameter | type | meaning | if not given |", "|---|---|---|---|"]
        for one in query.parameters:
            default = f"`{shown_cell(query.defaults[one.name])}`" if one.name in query.defaults else ""
            lines.append(f"| `{one.name}` | {_escaped(one.type)} | {_escaped(one.meaning)} | {default} |")
        lines.append("")
    lines += ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {_escaped(one.type)} | {_escaped(one.meaning)} |" for one in query.columns]
    columns = [one.name for one in query.columns]
    lines += ["", f"Cost: {query.cost}.", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(shown_cell(row[name]) for name in columns)} |" for row in answer.rows[:ROWS]]
    return "\n".join([*lines, ""])


def shown_cell(value: Any) -> str:
    """A value as a cell of a table of Markdown."""
    shown = _escaped(shown_value(value)) if value != "" else '""'
    shown = RUN_ID.sub("r-…", shown)
    return shown if len(shown) <= CELL else shown[: CELL - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Write the page, of an embedded store that holds the sample for as long as that takes."""
    with tempfile.TemporaryDirectory() as folder, sample_store(Path(folder)) as address:
        fill_with_sample(address, Path(folder))
        PAGE.write_text(query_page(address), encoding="utf-8")
    print(f"Wrote {PAGE}.")


@contextmanager
def sample_store(folder: Path) -> Iterator[StoreAddress]:
    """An embedded store without accounts, migrated, that is there for as long as pages are made."""
    config = Settings()
    home = EmbeddedConfig(home=folder / "neo4j", cache_dir=config.cache_dir, version=config.neo4j_version, port=7695)
    with running(home) as address:
        with Store(address) as store:
            migrate(store)
        yield address


def fill_with_sample(address: StoreAddress, folder: Path) -> None:
    """Import the sample as `entourage sample` writes it, analyse it, and write a measure as an analyst would."""
    import_folder(address, write_sample(folder / "sample", DEMO_FOLLOWS), folder / "reports", no_progress)
    analyze(address, RunSpec(), True, no_progress, 600)
    graph = read_graph_at(address, folder / "graphs", no_progress)
    size = nx.effective_size(to_networkx(graph).to_undirected())
    values = [(account, value) for account, value in size.items() if not math.isnan(value)]
    meaning = "Burt's effective size"
    keep_own_measure(address, "effective_size", values, meaning=meaning, graph_version=graph.version)


if __name__ == "__main__":
    main()
