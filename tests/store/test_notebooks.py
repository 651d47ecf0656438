"""The notebooks: each runs from top to bottom on the sample, and its page in docs shows what it gives."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib.image
import nbformat
import pytest

from service.domain import StoreAddress
from service.store.driver import Store
from tests.conftest import clear
from tests.store.notebook_pages import NOTEBOOKS, PAGES, page_of, run_notebook


@pytest.fixture(scope="module")
def data(store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty graph: the first notebook fills it with the sample, as it does for a new analyst."""
    with Store(store_address) as store:
        clear(store)
    return tmp_path_factory.mktemp("notebooks")


def test_there_are_seven_and_each_has_its_page() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{place}-" for place in range(1, 8)]
    assert {path.stem for path in PAGES.glob("*.md")} == {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_gave_is_not_in_it(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_page_is_true(path: Path, store_address: StoreAddress, data: Path) -> None:
    made, pictures = page_of(path, run_notebook(path, store_address, data))
    shown = (PAGES / f"{path.stem}.md").read_text(encoding="utf-8")
    wrong = [one for one in zip(shown.splitlines(), made.splitlines(), strict=False) if one[0] != one[1]]
    assert wrong[:3] == [], "write it anew: make notebook-pages"
    assert made == shown
    assert {one.name for one in PAGES.glob(f"{path.stem}-*")} == pictures.keys()
    assert set(re.findall(r"\]\(([\w-]+\.(?:png|svg))\)", shown)) == pictures.keys()
    for name, content in pictures.items():
        if name.endswith(".svg"):
            assert content == (PAGES / name).read_bytes()
        else:
            # Something is drawn on it, and so is on the one in docs.
            for picture in (content, (PAGES / name).read_bytes()):
                assert matplotlib.image.imread(io.BytesIO(picture), format="png").std() > 0.03
