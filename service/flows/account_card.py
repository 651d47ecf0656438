"""One account at a glance, for the command: what the graph holds of it, where it stands, and what lenses say."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from service.domain import Run, StoreAddress
from service.flows.asking import published_document, standing_of
from service.flows.lenses import scorecard
from service.flows.published import reading

SHOWN = ("key", "handle", "name", "network", "bio", "lang", "location", "opted_out")
"""What is shown of an account itself, where it is known."""


async def read_account_card(address: StoreAddress, key: str, run_id: str | None = None) -> tuple[Run, dict[str, Any]]:
    """Read what a run says of one account, with what the graph holds of it now.

    Returns:
        The run, and: account (what is known of it), followers and following (in the graph), reported_followers,
        standings (as `flows.asking.standing_of`, its own community first), lenses (as `flows.lenses.scorecard`).

    Raises:
        AccountNotFound: there is no such account, or it is to be erased.
        NothingPublished, RunNotFound: there is no such run.
        StoreError: Neo4j does not answer.
    """
    async with reading(address) as reader:
        published = await reader.published(run_id)
        run = published.run
        found = await reader.account(run.id, key)
        account, standings = found["account"], []
        for one in found["memberships"]:
            document = await published_document(reader, run.id, one["community"]["id"], one)
            standings.append(standing_of(account, one, document))
        card = {
            "account": {name: account[name] for name in SHOWN if account.get(name) is not None},
            "followers": found["followers"],
            "following": found["following"],
            "reported_followers": account.get("followers"),
            "standings": standings,
            "lenses": (await scorecard(reader.store, reader, run, key))["lenses"],
        }
        return run, from_json(published.mask.without(key).cleaned(to_json(card)))
