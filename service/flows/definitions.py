"""Communities that people define: kept in the graph, and scored by every run that is asked for from then on."""

from __future__ import annotations

from service.domain import Definition, Run, RunSpec, StoreAddress
from service.store.definitions import forget_definition, keep_definition, list_definitions
from service.store.driver import AsyncStore
from service.store.published import current_run_id
from service.store.runs import create_run, get_run


async def with_definitions(store: AsyncStore, spec: RunSpec) -> RunSpec:
    """Add what people defined in the graph to a specification that says nothing of it.

    So a run stays a function of the graph and its specification, whatever is defined later.
    """
    if "communities" in spec.model_fields_set:
        return spec
    return RunSpec.model_validate({**spec.model_dump(), "communities": await list_definitions(store)})


async def ask_for_run(
    store: AsyncStore,
    spec: RunSpec,
    publish: bool,
    idempotency_key: str | None = None,
    request_digest: str | None = None,
) -> tuple[Run, bool]:
    """Queue a run for the engine, or return the one that answers already; see `store.runs.create_run`.

    Communities that people defined are among what it scores, unless the specification says which.
    """
    return await create_run(store, await with_definitions(store, spec), publish, idempotency_key, request_digest)


async def define(store: AsyncStore, definition: Definition) -> bool:
    """Keep a definition; return whether it is new. Defined again, a community gets the new name."""
    return await keep_definition(store, definition)


async def define_and_score(
    store: AsyncStore,
    definition: Definition,
    publish: bool,
    idempotency_key: str | None = None,
    request_digest: str | None = None,
) -> tuple[bool, Run, bool]:
    """Keep a definition, and ask for a run that scores it, with the rules of the current run.

    With an `idempotency_key` the run that answered this request before answers again; see `store.runs.create_run`.

    Returns:
        Whether the definition is new, the run, and whether the run is new.
    """
    created = await keep_definition(store, definition)
    current = await current_run_id(store)
    spec = RunSpec() if current is None else (await get_run(store, current)).spec
    asked = RunSpec.model_validate({**spec.model_dump(exclude={"communities", "start"})})
    run, new = await ask_for_run(store, asked, publish, idempotency_key, request_digest)
    return created, run, new


async def forget(store: AsyncStore, community_id: str) -> Definition:
    """Forget a definition, and return it. Raises CommunityNotFound."""
    return await forget_definition(store, community_id)


async def define_at(address: StoreAddress, definition: Definition) -> bool:
    """Do what `define` does, for the command."""
    async with AsyncStore(address) as store:
        return await define(store, definition)


async def forget_at(address: StoreAddress, community_id: str) -> Definition:
    """Do what `forget` does, for the command."""
    async with AsyncStore(address) as store:
        return await forget(store, community_id)


async def definitions_at(address: StoreAddress) -> list[Definition]:
    """What people defined, by id, for the command."""
    async with AsyncStore(address) as store:
        return await list_definitions(store)
