"""Routes about lenses: scorecards, one lens of an account, whom it influences, rankings by a mix, and mixes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic_core import to_json

from service.api.lens_schemas import (
    CorrelationsAnswer,
    CorrelationsChartQuery,
    CorrelationsQuery,
    InfluencePage,
    InfluencesQuery,
    LensAnswer,
    LensesAnswer,
    LensQuery,
    MixList,
    ScorecardAnswer,
    ScoresAnswer,
    StrictMixRequest,
    StrictScoresRequest,
)
from service.api.paging import answer, encoded, naming, object_of, page_of
from service.api.reading import (
    CHANGING,
    NO_QUERY,
    READS,
    AccountKey,
    ReaderDep,
    SeesDep,
    StoreDep,
    find_single,
    problems,
    where,
)
from service.api.schemas import PageQuery, ReadQuery
from service.domain import LensMix, LensName
from service.flows.brand_limits import Sees
from service.flows.lens_chart import correlation_chart
from service.flows.lenses import (
    account_columns,
    correlations,
    evidence_of,
    influences,
    lens_of_account,
    members_columns,
    mix_named,
    rank_by_mix,
    scorecard,
    statement,
)
from service.flows.published import Published, PublishedReader
from service.store.lenses import LensColumns, forget_mix, keep_mix, list_mixes

lenses = APIRouter(prefix="/v1")

MixName = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9_-]{0,63}$", description="Lower case letters, digits, - and _.")]


@lenses.get("/lenses", tags=["lenses"], responses={200: {"model": LensesAnswer}, **READS})
async def list_lenses(request: Request, reader: ReaderDep, query: Annotated[ReadQuery, Query()]) -> Response:
    """The lenses of a run: of how many accounts each says something, why not of others, and what it counts."""
    published = await reader.published(query.run)
    quality = published.run.quality
    items = [] if quality is None else [one.model_dump(mode="json") for one in quality.lenses]
    return answer(request, published, {"items": to_json(items)})


@lenses.get("/lenses/correlations", tags=["lenses"], responses={200: {"model": CorrelationsAnswer}, **CHANGING})
async def get_correlations(
    request: Request, reader: ReaderDep, sees: SeesDep, query: Annotated[CorrelationsQuery, Query()]
) -> Response:
    """How alike the lenses rank the accounts of a community, or of all of them: Spearman's rank correlations.

    Near 1, two lenses say the same; near 0, one says what the other does not.
    """
    published, found = await _correlations(reader, sees, query)
    return answer(request, published, encoded(found), changing=True)


@lenses.get(
    "/lenses/correlations/chart",
    tags=["lenses"],
    response_class=Response,
    responses={
        200: {"content": {"image/svg+xml": {}}, "description": "The picture."},
        **problems(404, 422, 503),
    },
)
async def get_correlations_chart(
    reader: ReaderDep, sees: SeesDep, query: Annotated[CorrelationsChartQuery, Query()]
) -> Response:
    """The same as a picture."""
    _, found = await _correlations(reader, sees, query)
    return Response(correlation_chart(found, query.lang), media_type="image/svg+xml")


async def _correlations(
    reader: PublishedReader, sees: Sees, query: CorrelationsQuery
) -> tuple[Published, dict[str, Any]]:
    published = await reader.published(query.run)
    columns = await _members_columns(reader, published, query.community, sees)
    found = await asyncio.to_thread(correlations, columns, published.run)
    return published, {"community": query.community, **found}


async def _members_columns(
    reader: PublishedReader, published: Published, community_id: str | None, sees: Sees
) -> LensColumns:
    """What lenses say of the members of a community that may be seen, or of those of all that were found."""
    community = None
    if community_id is not None:
        community, _ = await find_single(reader, published, community_id, sees)
    return await members_columns(reader, published.run, community)


async def ranking_page(
    published: Published, columns: LensColumns, weights: Mapping[str, float], asked: str, offset: int, limit: int
) -> dict[str, bytes]:
    """The members of one page of a ranking by a mix."""
    items, total, about = await asyncio.to_thread(rank_by_mix, columns, weights, published.mask, offset, limit)
    return encoded(about) | page_of(list(map(to_json, items)), total, published.run.id, asked, offset, limit)


@lenses.get(
    "/accounts/{key:path}/scorecard", tags=["accounts"], responses={200: {"model": ScorecardAnswer}, **CHANGING}
)
async def get_scorecard(
    request: Request, store: StoreDep, reader: ReaderDep, key: AccountKey, query: Annotated[ReadQuery, Query()]
) -> Response:
    """What every lens says of one account: values with their parts, and how they changed."""
    published = await reader.published(query.run)
    found = await scorecard(store, reader, published.run, key)
    return answer(request, naming(published, key), encoded(found), changing=True)


@lenses.get("/accounts/{key:path}/lenses/{lens}", tags=["accounts"], responses={200: {"model": LensAnswer}, **CHANGING})
async def get_lens(
    request: Request,
    store: StoreDep,
    reader: ReaderDep,
    key: AccountKey,
    lens: LensName,
    query: Annotated[LensQuery, Query()],
) -> Response:
    """What one lens says of one account, since when, and what it rests on.

    Of `standing`, `statement` is a page of the activity statement: every action that gave points, the latest first, as
    the graph has them now. Their points, and `changed_since`, sum to the points of the run.
    """
    asked = f"lenses/{lens}/{key}"
    published, offset = await where(reader, query, asked)
    published = naming(published, key)
    found = await lens_of_account(store, reader, published.run, key, lens)
    found["evidence"] = await evidence_of(store, reader, published.run, key, lens, found["value"], published.mask)
    members = encoded(found)
    if lens == "standing" and found["figures"]:
        points = found["figures"]["points"]
        actions, total, since = await statement(store, published.run, key, points, published.mask, offset, query.limit)
        page = page_of(list(map(to_json, actions)), total, published.run.id, asked, offset, query.limit)
        members["statement"] = object_of(encoded({"points": points, "changed_since": since}) | page)
    return answer(request, published, members, changing=True)


@lenses.get("/accounts/{key:path}/influences", tags=["accounts"], responses={200: {"model": InfluencePage}, **CHANGING})
async def get_influences(
    request: Request,
    store: StoreDep,
    reader: ReaderDep,
    key: AccountKey,
    query: Annotated[InfluencesQuery, Query()],
) -> Response:
    """All accounts that one account influences, or that influence it, with what share of its ties each has.

    Who follows an account, or engaged with it in the window of the run, listens to it. Ties are those of the graph now.
    """
    asked = f"influences/{query.direction}/{key}"
    published, offset = await where(reader, query, asked)
    published = naming(published, key)
    account = await reader.account(published.run.id, key)
    inwards = query.direction == "influences"
    listed, total = await influences(store, published.run, key, published.mask, offset, query.limit, inwards=inwards)
    shown = {name: account["account"].get(name) for name in ("key", "handle")}
    members = {
        "account": to_json({**shown, "opted_out": account["account"].get("opted_out", False)}),
        "direction": to_json(query.direction),
        **page_of(list(map(to_json, listed)), total, published.run.id, asked, offset, query.limit),
    }
    return answer(request, published, members, changing=True)


@lenses.post(
    "/scores",
    tags=["lenses"],
    responses={200: {"model": ScoresAnswer}, **problems(400, 404, 413, 415, 422, 503)},
    dependencies=[NO_QUERY],
)
async def post_scores(
    request: Request,
    store: StoreDep,
    reader: ReaderDep,
    sees: SeesDep,
    body: StrictScoresRequest,
) -> Response:
    """Rank accounts by any mix of lenses and parts of the ambassador score, with what each gives them.

    Who is compared is the population that is asked about: the members of a community, some accounts, or the members of
    all communities. Scores compare only within it.
    """
    weights = (body.weights or {}) if body.mix is None else (await mix_named(store, body.mix)).weights
    asked = body.asked(weights)
    published, offset = await where(reader, PageQuery(run=body.run, cursor=body.cursor), asked)
    not_compared: list[str] = []
    if body.population.accounts is not None:
        columns, not_compared = await account_columns(store, reader, published.run, body.population.accounts)
    else:
        columns = await _members_columns(reader, published, body.population.community, sees)
    members = {
        **encoded({"population": body.population.model_dump(), "mix": body.mix, "not_compared": not_compared}),
        **await ranking_page(published, columns, weights, asked, offset, body.limit),
    }
    return answer(request, published, members, changing=True)


@lenses.get("/mixes", tags=["lenses"], response_model=MixList, responses=problems(422, 503), dependencies=[NO_QUERY])
async def get_mixes(store: StoreDep) -> MixList:
    """The mixes that were named, by name."""
    return MixList(items=tuple(await list_mixes(store)))


@lenses.put(
    "/mixes/{name}",
    tags=["lenses"],
    response_model=LensMix,
    responses={
        201: {"model": LensMix, "description": "The name is new."},
        **problems(400, 413, 415, 422, 503),
    },
    dependencies=[NO_QUERY],
)
async def put_mix(store: StoreDep, name: MixName, body: StrictMixRequest, response: Response) -> LensMix:
    """Keep a mix under a name, to rank by `mix=` it; put again, it has the new weights."""
    mix, created = await keep_mix(store, name, body.weights)
    response.status_code = 201 if created else 200
    return mix


@lenses.delete(
    "/mixes/{name}", tags=["lenses"], response_model=LensMix, responses=problems(404, 422, 503), dependencies=[NO_QUERY]
)
async def delete_mix(store: StoreDep, name: MixName) -> LensMix:
    """Forget a mix; the answer is what it was, with which it can be kept again."""
    return await forget_mix(store, name)
