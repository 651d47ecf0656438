"""Fixtures of store tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.domain import StoreAddress
from service.store.driver import Store
from tests.store.plain_sample import Plain, load_sample


@pytest.fixture(scope="module")
def plain_sample(
    store_address: StoreAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Plain]]:
    """The sample, analysed and changed since, and all that is in it as plain values; once for a file of tests."""
    plain = load_sample(store_address, tmp_path_factory.mktemp("sample"))
    with Store(store_address) as store:
        yield store, plain
