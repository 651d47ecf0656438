"""A back-test that is done, without the work: its report has one figure."""

from __future__ import annotations

import asyncio
from datetime import date

from service.domain import BacktestReport, BacktestSpec, LeftOut, MeasuredCommunity, RankingFigure
from service.flows.backtest import run_of_backtest
from service.store.driver import AsyncStore, Store
from service.store.runs import claim, create_run, finish_backtest

REPORT = BacktestReport(
    graph_version=1,
    began=date(2026, 1, 1),
    cut=date(2026, 3, 1),
    until=date(2026, 4, 1),
    accounts=100,
    follows=500,
    interactions_before=900,
    interactions_after=300,
    left_out=LeftOut(
        accounts=0, follows=0, follows_without_time=0, posts_without_time=0, relations=0, mentions=0
    ),
    with_undated=False,
    communities=(MeasuredCommunity(id="c", label="c", size=100, ranked=90, engagement=300, responders=20),),
    left_out_communities={},
    figures=(
        RankingFigure(
            outcome="engagement", measure="ndcg", first=20, ranking="score", kind="score",
            value=0.5, low=0.4, high=0.6, communities=1,
        ),
    ),
    verdicts=(),
    coverage=None,
    notes=(),
)  # fmt: skip


def finished_backtest(store: Store) -> str:
    """Queue a back-test and mark it as done; return its id."""
    spec = BacktestSpec()

    async def create() -> str:
        async with AsyncStore(store.address) as asynchronous:
            run, _ = await create_run(asynchronous, run_of_backtest(spec), False, backtest=spec)
            return run.id

    run_id = asyncio.run(create())
    claim(store, run_id)
    finish_backtest(store, run_id, REPORT)
    return run_id
