"""The direction of imports, and what may happen when a module is imported."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from service import errors

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "service"

BASE = {"compiled", "domain", "errors", "forms", "records"}
ROOMS = {"store", "journal", "files", "analytics", "content", "adapters"}
MAY_IMPORT = {
    "__main__": {*BASE, *ROOMS, "flows", "sample", "sample_files", "api", "configured", "settings", "console", ""},
    "notebook": {*BASE, "analytics", "flows", "sample", "configured", "notebook"},
    "configured": {"domain", "errors", "flows"},
    "console": {*BASE, *ROOMS, "flows"},
    "api": {*BASE, "configured", "store", "flows", "api", ""},
    "flows": {*BASE, *ROOMS, "flows", "sample", "sample_files"},
    "store": {*BASE, "store"},
    "journal": {*BASE, "journal"},
    "files": {*BASE, "files"},
    "adapters": {*BASE, "adapters"},
    "analytics": {*BASE, "analytics"},
    "content": {*BASE, "content"},
    "sample": {*BASE, "sample_words"},
    "sample_files": {*BASE, "sample", "sample_words"},
    "sample_words": set[str](),
    "compiled": set[str](),
    "domain": set[str](),
    "errors": set[str](),
    "forms": {"errors"},
    "records": set[str](),
    "settings": set[str](),
}
SETTINGS_READERS = {"__main__", "api.app", "configured"}


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


def test_nothing_is_built_when_a_module_is_imported(tmp_path: Path) -> None:
    """No connection, process, thread or file: asked of a fresh interpreter."""
    program = """
import os, sys, threading
done = []
def watch(event, given):
    # The cache of compiled kernels lies in __pycache__, too: Numba looks there whether it could write.
    if event in ('open', 'os.mkdir') and os.path.basename(str(given[0])) == '__pycache__':
        return
    if event == 'open' and given[0] != os.devnull and (
        set(str(given[1] or '')) & set('wax+') or (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    ):
        done.append((event, given))
    elif event in ('socket.connect', 'subprocess.Popen', 'os.posix_spawn', 'os.mkdir', 'os.rename'):
        done.append((event, given))
sys.addaudithook(watch)
for name in sys.argv[1:]:
    __import__(name)
assert done == [], done
extra = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
assert extra == [], extra
import gc, neo4j, fastapi
built = [o for o in gc.get_objects() if isinstance(o, (neo4j.Driver, neo4j.AsyncDriver, fastapi.FastAPI))]
assert built == [], built
"""
    names = ["service", *(f"service.{name}" for name, _ in modules())]
    done = subprocess.run(
        # -B: Python's own cache of compiled modules is no file of ours.
        [sys.executable, "-B", "-c", program, *names],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_cypher_is_in_files_only() -> None:
    """Statements outside the library.

    Migrations keep their own books, the embedded server asks if it is up, a first load holds whatever there is.
    """
    allowed = {"store.migrations", "store.embedded", "store.loading"}
    wrong = []
    for name, path in modules():
        if name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and any(word in node.value for word in ("MATCH (", "MERGE (", "CREATE (", "UNWIND ")):  # type: ignore[attr-defined]
                wrong.append(f"{name}:{node.lineno}")  # type: ignore[attr-defined]
    assert wrong == []


def error_classes() -> list[type[errors.EntourageError]]:
    """Those of `service.errors`; private ones elsewhere are told apart by their own room only, never by users."""
    found = (one for one in vars(errors).values() if isinstance(one, type))
    return [one for one in found if issubclass(one, errors.EntourageError)]


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """Each class stands under its parent, with status and exit code unless they are the parent's."""
    drawn: dict[str, tuple[str, int, int]] = {}
    above: list[str] = []
    lines = (errors.__doc__ or "").splitlines()
    for line in lines[lines.index("EntourageError") : lines.index("", lines.index("EntourageError"))]:
        depth = len(re.match(r"[│├└─ ]*", line)[0]) // 4  # type: ignore[index]
        name = re.findall(r"\w+", line)[0]
        above[depth:] = [name]
        parent = above[depth - 1] if depth else ""
        numbers = re.search(r"(\d{3}), exit (\d+)$", line)
        status, exit_code = (int(numbers[1]), int(numbers[2])) if numbers else drawn[parent][1:] if depth else (500, 1)
        drawn[name] = (parent, status, exit_code)
    real = {
        one.__name__: ("" if one is errors.EntourageError else one.__mro__[1].__name__, one.status, one.exit_code)
        for one in error_classes()
    }
    assert drawn == real


def test_every_error_has_a_code_of_its_own_and_a_title() -> None:
    classes = error_classes()
    assert all("code" in vars(one) and "title" in vars(one) for one in classes)
    codes = [one.code for one in classes]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert all(400 <= one.status < 600 and one.exit_code not in (0, 2, errors.EXIT_LINES_REJECTED) for one in classes)


def test_errors_elsewhere_are_private_and_look_like_their_parent() -> None:
    for name, _ in modules():
        importlib.import_module(f"service.{name}")
    others = [one for one in below(errors.EntourageError) if one not in error_classes()]
    assert all(one.__name__.startswith("_") and "code" not in vars(one) for one in others), others


def below(root: type[errors.EntourageError]) -> Iterator[type[errors.EntourageError]]:
    for child in root.__subclasses__():
        yield child
        yield from below(child)
