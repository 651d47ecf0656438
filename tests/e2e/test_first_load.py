"""A first load while a service runs on the same embedded Neo4j: deliveries are taken, and applied once, after it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.adapters.standard_webhooks import sign
from service.domain import EmbeddedConfig, no_progress
from service.files.follows import FollowFile
from service.flows import loading
from service.flows.importing import import_file
from service.store.driver import Store
from service.store.embedded import running
from tests.serving import Service, wait_for

PORT = 7730


def pushed(service: Service, secret: str, name: str, body: bytes) -> dict[str, Any]:
    now = int(time.time())
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, name, now, body),
        "Content-Type": "application/json",
    }
    taken = service.client.post("/v1/webhooks/shop", content=body, headers=headers)
    assert taken.status_code == 202, taken.text
    answer: dict[str, Any] = taken.json()
    return answer


@pytest.mark.long
def test_a_running_service_takes_deliveries_while_the_store_is_loaded(
    embedded_config: EmbeddedConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BULK_BYTES", 0)
    environment = {
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_CACHE_DIR": str(embedded_config.cache_dir),
        "ENTOURAGE_NEO4J_PORT": str(PORT),
        "ENTOURAGE_NEO4J_HEAP_MB": "512",
    }
    config = replace(embedded_config, home=tmp_path / "data" / "neo4j", port=PORT, heap_mb=512)
    file = tmp_path / "follows.csv"
    file.write_text("".join(f"u{i},u{i * 7 % 1000}\n" for i in range(1, 3_000)))
    service = Service(environment, tmp_path)
    try:
        secret = service.client.post("/v1/sources", json={"name": "shop", "network": "t"}).json()["secret"]
        wait_for(lambda: service.client.get("/health/ready").status_code == 200, "the service to be ready")
        with running(config) as address, ThreadPoolExecutor(1) as aside, Store(address) as store:
            load = aside.submit(
                import_file, address, FollowFile(file, network="t"), tmp_path / "1", no_progress, embedded=config
            )
            wait_for(lambda: service.client.get("/health/ready").json().get("code") == "store_loading", "the load", 300)
            data = b'{"id": "e1", "account": "u1", "target": "u2", "kind": "like"}'
            like = b'{"type": "interaction.recorded", "timestamp": "2025-03-01T12:00:00Z", "data": ' + data + b"}"
            taken = pushed(service, secret, "during", like)
            assert service.get(taken["url"])["state"] == "journaled"
            report = load.result()
            assert (report.version, report.accounts_created) == (
                1,
                store.statement("MATCH (a:Account) RETURN count(a) AS n")[0]["n"],
            )
            wait_for(
                lambda: service.get(taken["url"])["state"] in ("applied", "dead"), "the delivery to be applied", 300
            )
            assert service.client.get("/health/ready").status_code == 200
            assert store.statement("MATCH (s:Source)-[:HAS_SECRET]->() RETURN s.name AS name") == [{"name": "shop"}]
            assert store.statement("MATCH (j:Journal) RETURN j.applied AS n") == [{"n": taken["sequence"]}]
            assert store.statement("MATCH ()-[e:ENGAGED]->() RETURN sum(e.likes) AS likes") == [{"likes": 1}]
    finally:
        service.close()
