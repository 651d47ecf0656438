"""Communities over time: where they come from, and what people call them."""

from __future__ import annotations

from service.domain import CommunityHistory, CommunityName, StoreAddress
from service.flows.published import PublishedReader
from service.store.driver import AsyncStore
from service.store.lineage import keep_name, read_history


async def history_of(store: AsyncStore, community_id: str) -> CommunityHistory:
    """Return the history of a community; see `store.lineage.read_history`."""
    return await read_history(store, community_id)


async def name_community(store: AsyncStore, community_id: str, name: str | None) -> CommunityName:
    """Name a community; see `store.lineage.keep_name`."""
    return await keep_name(store, community_id, name)


async def history_at(address: StoreAddress, community_id: str) -> CommunityHistory:
    """Do what `history_of` does, for the command."""
    async with AsyncStore(address) as store:
        return (await PublishedReader(store).mask()).unnamed(await read_history(store, community_id))


async def name_at(address: StoreAddress, community_id: str, name: str | None) -> CommunityName:
    """Do what `name_community` does, for the command."""
    async with AsyncStore(address) as store:
        return await keep_name(store, community_id, name)
