"""Routes about back-tests: would scores of before have said who is responded to afterwards?"""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.reading import NO_QUERY, IdempotencyKey, StoreDep, problems
from service.api.schemas import BacktestAnswer, ChartQuery, StrictBacktestSpec
from service.domain import BacktestReport, Run
from service.errors import Conflict
from service.flows.backtest_chart import chart
from service.flows.requests import backtest_by_id, request_backtest

backtests = APIRouter(prefix="/v1/backtests", tags=["science"])


@backtests.post(
    "",
    status_code=202,
    response_model=BacktestAnswer,
    responses={
        200: {"model": BacktestAnswer, "description": "The back-test that answered this Idempotency-Key before."},
        **problems(400, 409, 413, 415, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def post_backtest(
    store: StoreDep,
    body: StrictBacktestSpec,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BacktestAnswer:
    """Ask for a back-test; the engine carries it out, as it does runs. Follow `Location` until it is done or failed."""
    # Without lenses a question is written as it was before there were any: who asks it again means the same.
    asked = body.model_dump_json(exclude=None if body.lenses else {"lenses"})
    digest = hashlib.sha256(b"backtest" + asked.encode()).hexdigest()
    run, created = await request_backtest(store, body, idempotency_key, digest)
    response.status_code = 202 if created else 200
    response.headers["Location"] = f"/v1/backtests/{run.id}"
    return shown(run, None)


@backtests.get(
    "/{backtest_id}", response_model=BacktestAnswer, responses=problems(404, 422, 503), dependencies=[NO_QUERY]
)
async def get_backtest(store: StoreDep, backtest_id: str) -> BacktestAnswer:
    """One back-test: its state, how far it has come, and its report or why it failed."""
    return shown(*await backtest_by_id(store, backtest_id))


@backtests.get(
    "/{backtest_id}/chart",
    response_class=Response,
    responses={
        200: {"content": {"image/svg+xml": {}}, "description": "The chart."},
        **problems(404, 409, 422, 503),
    },
)
async def get_chart(store: StoreDep, backtest_id: str, query: Annotated[ChartQuery, Query()]) -> Response:
    """The figures of one measure as a picture: each ranking with its interval, the score first."""
    _, report = await backtest_by_id(store, backtest_id)
    if report is None:
        raise Conflict(f"Back-test {backtest_id} has no report yet; ask again when its state is done.")
    drawn = chart(BacktestReport.model_validate_json(report), query.outcome, query.measure, query.first, query.lang)
    return Response(drawn, media_type="image/svg+xml")


def shown(run: Run, report: bytes | None) -> BacktestAnswer:
    """A back-test as it is shown."""
    assert run.backtest is not None  # noqa: S101 - the caller has looked
    return BacktestAnswer(
        **run.model_dump(include={"id", "state", "stage", "progress", "created_at", "started_at", "finished_at"}),
        error=run.error,
        spec=run.backtest,
        report=None if report is None else BacktestReport.model_validate_json(report),
    )
