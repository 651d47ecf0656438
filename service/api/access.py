"""Who may ask what: the API key of a request, and the scope that each route needs."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.guard import WITH_BODY
from service.api.problems import problem
from service.domain import SCOPES, ApiKey
from service.domain import Scope as KeyScope
from service.errors import EntourageError, KeyInvalid, KeyRequired, ScopeMissing
from service.flows.brand_limits import Sees
from service.flows.keys import FORM
from service.flows.receiving import Deliveries

OPEN = frozenset({"health", "docs", "redoc", "openapi.json", "webhooks", "schemas", "event-schemas",
                  "platforms"})  # fmt: skip
"""Areas that need no key: whether the service lives, what it can do, and deliveries, which are signed."""

NEEDED: dict[tuple[str, str], tuple[KeyScope, ...]] = {
    ("GET", "accounts"): ("read",),
    ("GET", "backtests"): ("read", "run"),
    ("POST", "backtests"): ("run",),
    ("GET", "brands"): ("read",),
    ("GET", "communities"): ("read",),
    ("GET", "lenses"): ("read",),
    ("GET", "mixes"): ("read",),
    ("PUT", "mixes"): ("run",),
    ("DELETE", "mixes"): ("run",),
    ("POST", "scores"): ("read",),
    ("GET", "runs"): ("read", "run"),
    ("GET", "runs/changes"): ("read",),
    ("POST", "runs"): ("run",),
    ("POST", "communities"): ("run",),
    ("PATCH", "communities"): ("run",),
    ("DELETE", "communities"): ("run",),
    ("GET", "schedules"): ("run",),
    ("POST", "schedules"): ("run",),
    ("DELETE", "schedules"): ("run",),
    ("GET", "deliveries"): ("ingest",),
    ("POST", "deliveries"): ("ingest",),
    ("GET", "imports"): ("ingest",),
    ("POST", "imports"): ("ingest",),
    ("GET", "metrics"): ("ingest",),
}
"""Scopes by method and area: any of them is enough, and admin always is. Whatever is not here needs admin."""


def needed(method: str, path: str) -> tuple[KeyScope, ...] | None:
    """Return the scopes of which a key needs one to ask this; None where no key is needed."""
    steps = path.split("/")
    area = steps[2] if len(steps) > 2 and steps[1] == "v1" else steps[1] if len(steps) > 1 else ""
    if area in OPEN:
        return None
    if area == "runs" and steps[4:5] == ["changes"]:
        area = "runs/changes"  # what runs published, not how one stands
    if area == "accounts" and len(steps) > 4 and steps[-1] == "data":
        area = "accounts/data"
    return (*NEEDED.get((method, area), ()), "admin")


def seen_by(request: Request) -> Sees:
    """Return the brands that whoever asks may see; None for all."""
    sees: Sees = request.scope.get("state", {}).get("sees")
    return sees


class Access:
    """ASGI middleware that passes on only what its API key may ask, and with it which brands it may see."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scopes = needed(scope["method"], scope["path"])
        if scopes is None:
            await self.app(scope, receive, send)
            return
        try:
            key = await _key(Headers(scope=scope), scope["app"].state.deliveries)
            if not set(key.scopes) & set(scopes):
                raise ScopeMissing(
                    f"This API key has the scopes {', '.join(key.scopes)}; this needs {' or '.join(scopes)}.",
                    needed=list(scopes),
                )
        except EntourageError as error:
            headers = _challenge(error)
            if scope["method"] in WITH_BODY:
                headers["Connection"] = "close"  # its body is not read
            await problem(error, headers=headers)(scope, receive, send)
            return
        sees = None if key.brands is None else frozenset(key.brands)
        await self.app({**scope, "state": {**scope.get("state", {}), "sees": sees}}, receive, send)


async def _key(headers: Headers, deliveries: Deliveries) -> ApiKey:
    """Return the key of a request.

    Raises:
        KeyRequired: there is none.
        KeyInvalid: it cannot be used.
        JournalError: no key can be known now.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise KeyRequired(
            "This needs an API key: send Authorization: Bearer ent_...; `entourage keys add NAME --scope read` makes "
            "one."
        )
    given = given.strip()
    if not FORM.fullmatch(given):
        raise KeyInvalid("This is not an API key: those begin with ent_ and have 56 characters.")
    try:
        return deliveries.key(given)
    except KeyInvalid:
        await asyncio.to_thread(deliveries.refresh)  # it may have been made this very moment
        return deliveries.key(given)


def _challenge(error: EntourageError) -> dict[str, str]:
    """How to ask with a key, as RFC 6750 says."""
    if isinstance(error, KeyRequired):
        return {"WWW-Authenticate": 'Bearer realm="entourage"'}
    if isinstance(error, KeyInvalid):
        return {"WWW-Authenticate": 'Bearer realm="entourage", error="invalid_token"'}
    if isinstance(error, ScopeMissing):
        scopes = " ".join(one for one in SCOPES if one in str(error.fields["needed"]))
        return {"WWW-Authenticate": f'Bearer realm="entourage", error="insufficient_scope", scope="{scopes}"'}
    return {}
