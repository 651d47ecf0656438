"""Communities that people define, as kept in the graph until they are forgotten."""

from __future__ import annotations

from service.domain import Definition
from service.errors import CommunityNotFound
from service.store.driver import AsyncStore, AsyncTx, Row


async def list_definitions(store: AsyncStore) -> list[Definition]:
    """Return what people defined, by id."""
    return [Definition.model_validate_json(row["definition"]) for row in await store.read("definitions/all")]


async def keep_definition(store: AsyncStore, definition: Definition) -> bool:
    """Keep a definition for later runs; return whether it is new. One of the same id gets its name."""

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run(
            "definitions/write", id=definition.id, name=definition.name, definition=definition.model_dump_json()
        )

    [row] = await store.write_transaction(work)
    return bool(row["created"])


async def forget_definition(store: AsyncStore, community_id: str) -> Definition:
    """Forget a definition, and return it, so that it can be defined again. Runs that are kept stay as they are.

    Raises:
        CommunityNotFound: nobody defined a community of this id.
    """

    async def work(tx: AsyncTx) -> list[Row]:
        return await tx.run("definitions/remove", id=community_id)

    rows = await store.write_transaction(work)
    if not rows:
        raise CommunityNotFound(
            f"Nobody defined a community {community_id}; only those can be forgotten, GET /v1/communities?kind=defined "
            "lists them."
        )
    return Definition.model_validate_json(rows[0]["definition"])
