"""The page for integrators: what it tells a newcomer to type works, with curl and with the official library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.domain import StoreAddress
from service.files.events import EVENTS, event_schemas
from service.store.driver import Store
from tests.serving import Service, wait_for

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_from_secret_to_first_edge(store_address: StoreAddress, store: Store, tmp_path: Path) -> None:
    environment = {
        "ENTOURAGE_NEO4J_URI": store_address.uri,
        "ENTOURAGE_NEO4J_USER": store_address.user,
        "ENTOURAGE_NEO4J_PASSWORD": store_address.password.get_secret_value(),
        "ENTOURAGE_DATA_DIR": str(tmp_path / "data"),
        "ENTOURAGE_AUTHENTICATION": "true",
    }
    service = Service(environment, tmp_path)
    try:
        [command] = re.findall(r"^entourage (sources add .*)$", PAGE, re.MULTILINE)

        def entourage(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "service", *arguments],
                env={**os.environ, **environment}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        key = re.findall(r"^ent_\S+$", entourage("keys", "add", "Shop", "--scope", "ingest"), re.MULTILINE)[0]
        service.client.headers["Authorization"] = f"Bearer {key}"
        secret = re.findall(r"^whsec_\S+$", entourage(*command.split()), re.MULTILINE)[0]
        given = {**os.environ, "SECRET": secret}
        answers = []
        if shutil.which("curl") and shutil.which("openssl"):
            script = block("sh").replace("http://127.0.0.1:8000", service.url)
            done = subprocess.run(["sh", "-c", script], env=given, capture_output=True, text=True, check=True)
            answers.append(json.loads(done.stdout))
        program = block("python").replace("http://127.0.0.1:8000", service.url)
        done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
        assert [answer["accepted"] for answer in answers] == [1] * len(answers)
        last = answers[-1]
        wait_for(lambda: service.get(last["url"])["state"] == "applied", "the delivery to be applied")
        wait_for(lambda: service.get("/health/ready")["applied_up_to"] >= last["sequence"], "the mark to be told")
        followers = store.statement("MATCH (a)-[:FOLLOWS]->(:Account {key: 'mastodon:2044'}) RETURN a.key AS key")
        assert {row["key"] for row in followers} >= {"mastodon:1018"}
        assert len(followers) == len(answers)
        assert "shop" in entourage("sources", "list")
        assert secret not in entourage("sources", "list", "--json")
        listed = json.loads(entourage("deliveries", "list", "--json"))
        assert [one["state"] for one in listed] == ["applied"] * len(answers)
        assert json.loads(entourage("deliveries", "show", listed[0]["id"])) == listed[0]
        entourage("sources", "disable", "shop")
        wait_for(
            lambda: (
                subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, check=False).returncode
            ),
            "the source to be refused",
        )
        entourage("sources", "enable", "shop")
        [name] = [one for one in (tmp_path / "data" / "journal").iterdir() if one.name == "journal.db"]
        assert name.stat().st_mode & 0o077 == 0, "readable by its owner only"
        assert (tmp_path / "data" / "secrets.key").stat().st_mode & 0o077 == 0
        assert secret not in Path(service.log.name).read_text()
        [listed_key] = json.loads(entourage("keys", "list", "--json"))
        assert listed_key["scopes"] == ["ingest"]
        assert key not in entourage("keys", "list")
        assert service.client.get(last["url"]).status_code == 200
        entourage("keys", "revoke", f"ent_{listed_key['id']}")
        wait_for(lambda: service.client.get(last["url"]).status_code == 401, "the key to be refused")
        assert "revoked" in entourage("keys", "list")
        assert key not in Path(service.log.name).read_text()
    finally:
        service.close()


def test_every_kind_of_event_stands_on_the_page_with_its_example() -> None:
    sections = dict(re.findall(r"^### ([\w.]+)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(EVENTS)
    for name, kind in EVENTS.items():
        [example] = re.findall(r"```json\n(.*?)```", sections[name], re.DOTALL)
        assert json.loads(example) == kind.json_schema()["examples"][0]
        assert kind.schema.about in sections[name]
    published = json.loads((ROOT / "docs" / "event-schemas.json").read_text(encoding="utf-8"))
    assert published == event_schemas(), "write it anew from service.files.events.event_schemas()"


@pytest.mark.parametrize("language", ["js"])
def test_the_other_language_does_the_same(language: str) -> None:
    """Not run, for want of its runtime on every machine: it names the same headers and the same address."""
    program = block(language)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature", "/v1/webhooks/shop"):
        assert name in program
