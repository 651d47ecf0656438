"""Rendered copies of the notebooks: what they say, with what their cells give of the sample, as Markdown and pictures.

    python -m tests.store.notebook_pages

writes docs/notebooks anew, with an embedded store of its own.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from service.domain import StoreAddress
from service.notebook.frames import missing
from tests.store.query_page import RUN_ID, sample_store, shown_cell

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = ROOT / "docs" / "notebooks"
PICTURES = {"image/png": "png", "image/svg+xml": "svg"}

FIRST_CELL = "from tests.store.notebook_pages import tables_as_markdown\n\ntables_as_markdown()"
"""Goes before the cells of a notebook: pages show DataFrames as tables of Markdown."""

CELL_SECONDS = 240
"""A cell that takes longer hangs."""


def tables_as_markdown() -> None:
    """Have the kernel that this runs in give DataFrames as Markdown, too."""
    import pandas as pd
    from IPython.core.getipython import get_ipython

    formatters = get_ipython().display_formatter.formatters  # type: ignore[union-attr]
    formatters["text/markdown"].for_type(pd.DataFrame, _table)


def _table(found: Any) -> str:
    index = [] if list(found.index) == list(range(len(found))) or not _named(found) else [""]
    lines = [f"| {' | '.join([*index, *map(str, found.columns)])} |", f"|{'---|' * (len(index) + len(found.columns))}"]
    for name, row in zip(found.index, found.itertuples(index=False), strict=True):
        cells = [_cell(value) for value in row]
        lines.append(f"| {' | '.join([*([str(name)] if index else []), *cells])} |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if missing(value) or value == "":
        return ""
    # pandas holds days as times.
    return shown_cell(value.date() if hasattr(value, "tzinfo") and value.tzinfo is None else value)


def _named(found: Any) -> bool:
    return any(isinstance(name, str) for name in found.index)


def run_notebook(path: Path, address: StoreAddress, data: Path) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom, in a kernel that finds the graph at an address; return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FIRST_CELL))
    ours_alone = Config({"KernelManager": {"transport": "ipc"}})
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", config=ours_alone)
    client.execute(
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ENTOURAGE_DATA_DIR": str(data),
            "ENTOURAGE_NEO4J_URI": address.uri,
            "ENTOURAGE_NEO4J_USER": address.user,
            "ENTOURAGE_NEO4J_PASSWORD": address.password.get_secret_value(),
            "ENTOURAGE_NEO4J_DATABASE": address.database,
        }
    )
    del notebook.cells[0]
    return notebook


def page_of(path: Path, notebook: nbformat.NotebookNode) -> tuple[str, dict[str, bytes]]:
    """Return the page of a notebook that was run, and its pictures by name of file."""
    pictures: dict[str, bytes] = {}
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        parts += [_shown(path.stem, output, pictures) for output in cell.outputs]
    head, *rest = parts
    made = (
        f"[The notebook](../../notebooks/{path.name}). This page is made by running it on the sample: "
        "`make notebook-pages`."
    )
    return "\n\n".join([head, made, *filter(None, rest)]) + "\n", pictures


def _shown(stem: str, output: nbformat.NotebookNode, pictures: dict[str, bytes]) -> str:
    if output.output_type == "stream":
        return _block(output.text)
    data = output.data
    for kind, ending in PICTURES.items():
        if kind in data:
            name = f"{stem}-{len(pictures) + 1}.{ending}"
            pictures[name] = base64.b64decode(data[kind]) if ending == "png" else data[kind].encode()
            said = data["text/plain"].removeprefix("Picture: ")
            return f"![{'Picture' if said.startswith('<') else said}]({name})"
    if "text/markdown" in data:
        return RUN_ID.sub("r-…", data["text/markdown"])
    return _block(data["text/plain"])


def _block(text: str) -> str:
    return f"```text\n{RUN_ID.sub('r-…', text.rstrip())}\n```"


def main() -> None:
    """Write the pages, with an embedded store that is there for as long as that takes."""
    PAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sample_store(Path(folder)) as address:
        for old in PAGES.iterdir():
            old.unlink()
        for path in NOTEBOOKS:
            page, pictures = page_of(path, run_notebook(path, address, Path(folder)))
            (PAGES / f"{path.stem}.md").write_text(page, encoding="utf-8")
            for name, content in pictures.items():
                (PAGES / name).write_bytes(content)
            print(f"Wrote {PAGES / path.stem}.md and {len(pictures)} pictures.")


if __name__ == "__main__":
    main()
