"""The direction of imports, and what may happen when a module is imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "service"

BASE = {"domain", "errors"}
ROOMS = {"store", "files", "analytics"}
MAY_IMPORT = {
    "__main__": {*BASE, *ROOMS, "flows", "api", "settings", "console", ""},
    "console": {*BASE, *ROOMS, "flows"},
    "api": {*BASE, "store", "flows", "api", ""},
    "flows": {*BASE, *ROOMS, "flows", "sample"},
    "store": {*BASE, "store"},
    "files": {*BASE, "files"},
    "analytics": {*BASE, "analytics"},
    "sample": BASE,
    "domain": set[str](),
    "errors": set[str](),
    "settings": set[str](),
}
SETTINGS_READERS = {"__main__", "api.app"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SERVICE.rglob("*.py")):
        name = ".".join(path.relative_to(SERVICE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            yield name, path


def imported(name: str, path: Path) -> set[str]:
    """Modules of the service that a module imports, below `service`."""
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name.removeprefix("service.") for one in node.names if one.name.startswith("service.")}
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                source = ".".join(["service", *package.split("."), source]).strip(".")
            if source == "service":
                found |= {
                    one.name if (SERVICE / one.name).exists() or (SERVICE / f"{one.name}.py").exists() else ""
                    for one in node.names
                }
            elif source.startswith("service."):
                found.add(source.removeprefix("service."))
    return found


def test_imports_go_downwards_only() -> None:
    wrong = []
    for name, path in modules():
        room = name.split(".")[0]
        for target in imported(name, path):
            if target == "settings" and name in SETTINGS_READERS:
                continue
            if target.split(".")[0] not in MAY_IMPORT[room]:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_nothing_is_built_when_a_module_is_imported() -> None:
    """No connection, no thread, no file outside the caches of Python: asked of a fresh interpreter."""
    program = """
import socket, sys, threading
def refuse(*_, **__): raise SystemExit('a socket was opened')
socket.socket.connect = refuse
for name in sys.argv[1:]:
    __import__(name)
extra = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
assert extra == [], extra
import gc, neo4j, fastapi
built = [o for o in gc.get_objects() if isinstance(o, (neo4j.Driver, neo4j.AsyncDriver, fastapi.FastAPI))]
assert built == [], built
"""
    names = ["service", *(f"service.{name}" for name, _ in modules())]
    done = subprocess.run(
        [sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_cypher_is_in_files_only() -> None:
    """Statements outside the library: migrations keep their own books, the embedded server asks if it is up."""
    allowed = {"store.migrations", "store.embedded"}
    wrong = []
    for name, path in modules():
        if name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and any(word in node.value for word in ("MATCH (", "MERGE (", "CREATE (", "UNWIND ")):  # type: ignore[attr-defined]
                wrong.append(f"{name}:{node.lineno}")  # type: ignore[attr-defined]
    assert wrong == []
