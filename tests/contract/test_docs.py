"""Documentation says what is true: settings, errors, targets, links, and the compose file."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import errors
from service.domain import LENS_NAMES, ScoringRules
from service.files.schemas import SCHEMAS
from service.flows.importing import line_schemas
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def subclasses(base: type) -> list[type]:
    return [one for child in base.__subclasses__() for one in (child, *subclasses(child))]


def variables() -> set[str]:
    return {f"ENTOURAGE_{name.upper()}" for name in Settings.model_fields}


def test_readme_lists_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `(ENTOURAGE_\w+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(variables())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_only_settings_that_exist(page: Path) -> None:
    named = set(re.findall(r"ENTOURAGE_[A-Z0-9_]+[A-Z0-9]", page.read_text(encoding="utf-8")))
    assert named <= variables() | {"ENTOURAGE_TEST_DATA"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_error_is_documented_with_its_status_and_exit_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = {
        code: (int(status), int(exit_code))
        for code, status, exit_code in re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    }
    classes: list[Any] = [errors.EntourageError, *subclasses(errors.EntourageError)]
    assert rows == {one.code: (one.status, one.exit_code) for one in classes}


def test_every_rule_of_the_score_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+?) \|", page, re.MULTILINE)
    documented: dict[str, Any] = {}
    for name, shown in rows:
        *outer, last = name.split(".")
        inside = documented
        for step in outer:
            inside = inside.setdefault(step, {})
        default = json.loads(f"[{shown}]")
        inside[last] = default if len(default) > 1 else default[0]
    assert documented == ScoringRules().model_dump(mode="json")
    assert ScoringRules.model_validate(documented) == ScoringRules(), "names are as a rules file spells them"


def test_every_code_of_a_failed_run_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page.partition("## Why a run failed")[2], re.MULTILINE)
    given = {
        keyword.value.value
        for path in (ROOT / "service").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert sorted(rows) == sorted(given)


def test_every_kind_of_lines_is_documented_with_what_it_needs() -> None:
    page = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8").split("## Kinds of lines")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert [(kind, re.findall(r"`(\w+)`", needed)) for kind, needed in rows] == [
        (kind, schema.required) for kind, schema in SCHEMAS.items()
    ]
    published = json.loads((ROOT / "docs" / "schemas.json").read_text(encoding="utf-8"))
    assert published == line_schemas(), "write it anew: entourage schema --json > docs/schemas.json"


def test_every_reason_for_leaving_a_line_out_is_documented() -> None:
    page = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8").split("| reason | the line |")[1]
    documented = {
        one for cell in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for one in re.findall(r"`(\w+)`", cell)
    }
    raised = {"bad_kind", "bad_relation"}  # named after their field
    pushed: set[str] = set()
    for path in [*(ROOT / "service" / "files").glob("*.py"), ROOT / "service" / "store" / "matching.py"]:
        found = set(re.findall(r'(?:BadLine|NoMatch)\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
        if path.name == "events.py":
            pushed = found
        else:
            raised |= found
    assert documented == raised
    of_events = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert len(pushed) > 3
    assert all(one in documented or f"`{one}`" in of_events for one in pushed)


@pytest.mark.parametrize("lens", LENS_NAMES)
def test_every_lens_has_a_page_with_a_worked_example(lens: str) -> None:
    """The example is computed anew by the tests of each lens."""
    text = (ROOT / "docs" / "lenses" / f"{lens}.md").read_text(encoding="utf-8")
    said = [
        "**What the original published.**",
        "**Here.**",
        "**Null**",
        "**Example.**",
        "```json",
        "**What it misses.**",
    ]
    places = [text.find(one) for one in said]
    assert -1 not in places
    assert places == sorted(places)
    overview = (ROOT / "docs" / "lenses" / "README.md").read_text(encoding="utf-8")
    assert f"| [`{lens}`]({lens}.md) |" in overview


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))
        assert named <= targets, f"{page.name} names {named - targets}"


def test_compose_starts_the_service_after_a_healthy_neo4j() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    neo4j, service = compose["services"]["neo4j"], compose["services"]["service"]
    assert "cypher-shell" in neo4j["healthcheck"]["test"][1]
    assert service["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    given = {name for name in service["environment"] if name.startswith("ENTOURAGE_")}
    assert given <= variables()
    for ports in (neo4j["ports"], service["ports"]):
        assert all(port.startswith("127.0.0.1:") for port in ports), "published on loopback only"


def test_locked_versions_satisfy_the_lower_bounds() -> None:
    import tomllib

    from packaging.requirements import Requirement

    lock = {
        match[1].lower(): match[2]
        for match in re.finditer(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(lock[requirement.name.lower()]), line
