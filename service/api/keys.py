"""Routes about the keys of the API itself."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from service.api.events import AdministrationDep
from service.api.reading import NO_QUERY, problems
from service.api.schemas import KeyList, KeyWithSecret, ShownKey, StrictNewKey
from service.domain import ApiKey
from service.flows.keys import add_key, list_keys, revoke_key

keys = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[NO_QUERY])


@keys.get("", response_model=KeyList, responses=problems(422, 503))
async def get_keys(administration: AdministrationDep) -> KeyList:
    """The keys of the API, also those that were revoked, and when each was last used."""
    found = await asyncio.to_thread(list_keys, administration.address)
    return KeyList(items=tuple(shown(one) for one in found))


@keys.post("", status_code=201, response_model=KeyWithSecret, responses=problems(400, 413, 415, 422, 503))
async def post_key(administration: AdministrationDep, body: StrictNewKey) -> KeyWithSecret:
    """Make a key. The answer holds it, and it is not shown again: of the key itself only a digest is kept."""
    made, secret = await administration.change(add_key, body.name, body.scopes, body.brands)
    return KeyWithSecret(key=shown(made), secret=secret)


@keys.post("/{key}/revoke", response_model=ShownKey, responses=problems(404, 422, 503))
async def post_revocation(administration: AdministrationDep, key: str) -> ShownKey:
    """Let a key do nothing any more, for ever: here at once, on other machines of the service within seconds."""
    return shown(await administration.change(revoke_key, key))


def shown(key: ApiKey) -> ShownKey:
    """A key as it may be shown."""
    return ShownKey.model_validate(key.model_dump(exclude={"sha256"}))
