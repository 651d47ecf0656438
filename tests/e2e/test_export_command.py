"""The command that exports networks and tables, on a real store: what it says, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx

from service.domain import StoreAddress
from service.store.driver import Store
from tests.api.conftest import publish, two_circles
from tests.e2e.test_brand_candidates import command


def test_networks_and_tables_are_written_and_refused(store: Store, store_address: StoreAddress, tmp_path: Path) -> None:
    two_circles(store)
    run = publish(store)
    said = command(store_address, tmp_path, "export", "out.gexf")
    assert "16 accounts" in said
    assert run in said
    report = json.loads(command(store_address, tmp_path, "export", "out.xml", "--format", "graphml", "--json"))
    assert (report["accounts"], report["run"], report["changed_meanwhile"]) == (16, run, False)
    assert set(nx.read_graphml(tmp_path / "out.xml")) == set(nx.read_gexf(tmp_path / "out.gexf"))
    assert "conflict" in command(store_address, tmp_path, "export", "out.gexf", expect=5)
    command(store_address, tmp_path, "export", "out.gexf", "--force", "--run", run)
    community = nx.read_gexf(tmp_path / "out.gexf").nodes["t:a0"]["community"]
    command(store_address, tmp_path, "export", "some.graphml", "--community", community)
    assert set(nx.read_graphml(tmp_path / "some.graphml")) == {f"t:a{i}" for i in range(8)}
    assert "16 memberships" in command(store_address, tmp_path, "export", "results", "--results")
    assert (tmp_path / "results" / "memberships.ndjson").read_text().count("\n") == 16
    command(store_address, tmp_path, "export", "everything", "--format", "parquet")
    assert (tmp_path / "everything" / "follows.parquet").is_file()
    assert "bad_input" in command(store_address, tmp_path, "export", "y", "--force", expect=3)
    assert "run_not_found" in command(store_address, tmp_path, "export", "y.gexf", "--run", "r-none", expect=4)
    assert "community_not_found" in command(store_address, tmp_path, "export", "y.gexf", "--community", "c", expect=4)
    assert not (tmp_path / "y.gexf").exists()
