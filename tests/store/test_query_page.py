"""docs/queries.md shows every query as it is, with what it gives of the sample."""

from __future__ import annotations

from pathlib import Path

from service.domain import StoreAddress
from service.store.driver import Store
from tests.store.query_page import PAGE, fill_with_sample, query_page


def test_the_page_of_queries_is_true(store: Store, store_address: StoreAddress, tmp_path: Path) -> None:
    assert store.address == store_address
    fill_with_sample(store_address, tmp_path)
    made = query_page(store_address).splitlines()
    shown = PAGE.read_text(encoding="utf-8").splitlines()
    wrong = [(there, here) for there, here in zip(shown, made, strict=False) if there != here]
    assert wrong[:3] == [], "write it anew: make query-page"
    assert len(shown) == len(made)
