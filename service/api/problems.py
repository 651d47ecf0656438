"""Problem details (RFC 9457) for every error that leaves over HTTP."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from service.errors import EntourageError, InvalidRequest, RouteNotFound, StoreError, StoreRefused

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "2"

log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One wrong field: where it is, and what is wrong with it."""

    field: str = Field(examples=["body.spec.seed"])
    message: str = Field(examples=["Input should be greater than or equal to 0"])


class Problem(BaseModel):
    """An error, as application/problem+json (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A link to what the code means.", examples=["/errors#community_not_found"])
    title: str = Field(examples=["Community not found"])
    status: int = Field(examples=[404])
    detail: str = Field(
        description="What is wrong, and what to do.", examples=["There is no community cabc in run r-1."]
    )
    code: str = Field(description="Stable; meant for programs.", examples=["community_not_found"])
    errors: list[FieldProblem] | None = Field(default=None, description="Each wrong field, for invalid requests.")


def problem(error: EntourageError, *, status: int | None = None, headers: dict[str, str] | None = None) -> JSONResponse:
    """Turn an error into a response; `status` where HTTP knows better than the error's class."""
    status = status or error.status
    headers = dict(headers or {})
    if status in (429, 503):
        headers.setdefault("Retry-After", RETRY_AFTER_SECONDS)
    body: dict[str, Any] = {
        "type": f"/errors#{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.message,
        "code": error.code,
        **error.fields,
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of this application a problem document."""
    app.add_exception_handler(EntourageError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EntourageError)  # noqa: S101 - registered for it
    if error.status >= 500:
        log.warning("%s %s: %s (%s)", request.method, request.url.path, error.message, error.code)
    if isinstance(error, StoreError) and error.code in (StoreError.code, StoreRefused.code):
        # What Neo4j says of a statement is for the log, not for strangers.
        return problem(StoreError("Neo4j refused this; the service's log says why."))
    return problem(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    fields = [
        {"field": ".".join(str(step) for step in item["loc"]), "message": _sentence(item)} for item in error.errors()
    ]
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return problem(InvalidRequest("The body is not valid JSON; send a JSON object.", errors=fields), status=400)
    named = "; ".join(f"{item['field']}: {item['message']}" for item in fields[:5])
    return problem(InvalidRequest(f"This request cannot be used: {named}.", errors=fields))


def _sentence(item: dict[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "There is no such field or parameter"
    return str(item["msg"])


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == 405:
        said = f"{request.url.path} does not take {request.method}; the Allow header lists what it takes."
    elif error.status_code == 404:
        said = f"There is nothing at {request.url.path}; /docs lists what there is."
    elif error.status_code == 400:
        said = "The body is not JSON that can be read; send a JSON object."
    else:
        said = f"{str(error.detail).rstrip('.')}."
    kind = RouteNotFound if error.status_code in (404, 405) else InvalidRequest
    headers = dict(error.headers or {})
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
    return problem(kind(said), status=error.status_code, headers=headers)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    incident = secrets.token_hex(6)
    log.error("incident %s: %s %s", incident, request.method, request.url.path, exc_info=error)
    return problem(
        EntourageError(
            f"Something went wrong that nobody foresaw; the service's log holds it as incident {incident}.",
            incident=incident,
        )
    )
