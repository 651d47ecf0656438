"""Routes about candidates: ambassadors and influencers of a community, ambassadors and detractors of a brand."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic_core import to_json

from service.api.lens_schemas import LensInfluencersAnswer
from service.api.lenses import ranking_page
from service.api.paging import answer, encoded, naming, page, page_of
from service.api.reading import (
    READS,
    AccountKey,
    ReaderDep,
    SeesDep,
    StoreDep,
    find_community,
    find_single,
    group_has_none,
    problems,
    where,
)
from service.api.schemas import (
    AmbassadorPage,
    AmbassadorsQuery,
    BrandAmbassadorPage,
    BrandAmbassadorsQuery,
    BrandList,
    DetractorPage,
    ExcludedPage,
    ExcludedQuery,
    ExplanationAnswer,
    InfluencersAnswer,
    InfluencersQuery,
    PageQuery,
    ReadQuery,
)
from service.domain import CommunityGroup
from service.errors import BrandNotFound, InvalidRequest
from service.flows.asking import (
    asked_question,
    described_question,
    explain_account,
    nobody_because,
    of_influencers,
)
from service.flows.brand_limits import Sees
from service.flows.lenses import members_columns, usable_mix
from service.flows.published import Published, PublishedReader
from service.flows.questions import Population, Question, Ranking, document, selected

candidates = APIRouter(prefix="/v1")

CommunityId = Annotated[str, Path(max_length=100)]
BrandKey = Annotated[str, Path(min_length=1, max_length=500)]


@candidates.get(
    "/communities/{community_id}/ambassadors",
    tags=["communities"],
    responses={200: {"model": AmbassadorPage}, **READS},
)
async def list_ambassadors(
    request: Request,
    reader: ReaderDep,
    sees: SeesDep,
    community_id: CommunityId,
    query: Annotated[AmbassadorsQuery, Query()],
) -> Response:
    """The ambassador candidates of a community, best first, each with its parts and what they rest on.

    Without brand, objective, topic and weights ranks are those that the run published. Filters (track, role, size_band)
    select from the ranking and change no rank. Only micro-influencers are candidates.
    """
    asked = f"ambassadors/{community_id}?{query.asked()}"
    published, offset = await where(reader, query, asked)
    community, line = await find_community(reader, published, community_id, sees)
    question = asked_question(query.brand, query.objective, query.topic, query.weights, query.track, query.role,
                              query.size_band, brief=query.brief)  # fmt: skip
    if sees is not None and question.tracks and question.brand is None:
        raise InvalidRequest("With a key of some brands, track is what somebody is to one of them; add brand=.")
    brands = await _brands(reader, published, question.brand, sees)
    members = {
        "community": line,
        "question": _question(question, published),
        "rules": _rules(published),
    }
    if isinstance(community, CommunityGroup):
        nobody = page([], published.run.id, asked, offset, query.limit)
        return answer(request, published, {**members, "empty_reason": to_json(group_has_none(community)), **nobody})
    why = nobody_because(community, question, include=query.include_not_respectable)
    if why is not None:
        members |= {"empty_reason": to_json(why), **page([], published.run.id, asked, offset, query.limit)}
        return answer(request, published, members)
    if question.prepared:
        lines = published.mask.shown((await reader.part(published.run.id, f"candidates/{community_id}")).lines)
        members |= {"empty_reason": b"null", **page(lines, published.run.id, asked, offset, query.limit)}
        return answer(request, published, members)
    population = await reader.population(published.run, community, question)
    found = _page_of_question(population, question, published, brands, asked, offset, query.limit)
    return answer(request, published, {**members, **found})


@candidates.get(
    "/communities/{community_id}/influencers",
    tags=["communities"],
    responses={200: {"model": InfluencersAnswer | LensInfluencersAnswer}, **READS},
)
async def list_influencers(
    request: Request,
    store: StoreDep,
    reader: ReaderDep,
    sees: SeesDep,
    community_id: CommunityId,
    query: Annotated[InfluencersQuery, Query()],
) -> Response:
    """The influencers of a community, macro and micro apart: macros by audience, micros by score.

    With an objective the answer says which of the two it asks for, and why not the other, which is then left out.
    With a lens, or a mix of them, all members that are compared are ranked together.
    """
    weights = await usable_mix(store, query.lens, query.weights, query.mix)
    asked = f"influencers/{community_id}?{json.dumps(weights)}"
    published, offset = await where(reader, query, asked)
    community, line = await find_single(reader, published, community_id, sees)
    if query.by_lenses:
        columns = await members_columns(reader, published.run, community)
        found = await ranking_page(published, columns, weights, asked, offset, query.limit)
        members = {"community": line, **encoded({"lens": query.lens, "mix": query.mix}), **found}
        return answer(request, published, members, changing=True)
    question = asked_question(None, query.objective, None, None, None, query.role, query.size_band, needs_brand=False)
    mask = published.mask
    macros = mask.shown((await reader.part_if_any(published.run.id, f"macros/{community_id}")).lines)
    if question.prepared or not community.candidates:
        micros = mask.shown((await reader.part(published.run.id, f"candidates/{community_id}")).lines)
    else:
        population = await reader.population(published.run, community, question)
        ranking = population.ranking(question, published.run.spec.rules)
        positions = selected(population, ranking, question, mask.hides)
        micros = [document(population, ranking, at, None) for at in positions]
    groups = of_influencers(question, macros, micros, query.limit)
    return answer(
        request,
        published,
        {
            "community": line,
            "question": _question(question, published),
            "rules": _rules(published),
            **groups,
        },
    )


@candidates.get(
    "/communities/{community_id}/excluded", tags=["communities"], responses={200: {"model": ExcludedPage}, **READS}
)
async def list_excluded(
    request: Request,
    reader: ReaderDep,
    sees: SeesDep,
    community_id: CommunityId,
    query: Annotated[ExcludedQuery, Query()],
) -> Response:
    """The members that an integrity gate keeps out of the base, by name; who opted out is counted and never named."""
    asked = f"excluded/{community_id}?{query.gate}"
    published, offset = await where(reader, query, asked)
    community, _ = await find_single(reader, published, community_id, sees)
    lines = published.mask.shown((await reader.part_if_any(published.run.id, f"excluded/{community_id}")).lines)
    if query.gate is not None:
        ending = f'"gate":"{query.gate}"}}'.encode()
        lines = [line for line in lines if line.endswith(ending)]
    gates = to_json([gate.model_dump() for gate in community.gates])
    return answer(request, published, {"gates": gates, **page(lines, published.run.id, asked, offset, query.limit)})


@candidates.get(
    "/communities/{community_id}/accounts/{key:path}",
    tags=["communities"],
    responses={200: {"model": ExplanationAnswer}, **problems(404, 422, 503)},
)
async def explain(
    request: Request,
    reader: ReaderDep,
    sees: SeesDep,
    community_id: CommunityId,
    key: AccountKey,
    query: Annotated[ReadQuery, Query()],
) -> Response:
    """One account in one community, explained: parts, who is just above and below, evidence as the graph has it now."""
    published = await reader.published(query.run)
    community, line = await find_single(reader, published, community_id, sees)
    found = await explain_account(reader, published.run, community, key)
    return answer(
        request,
        naming(published, key),
        {"community": line, **encoded(found)},
        changing=True,
    )


@candidates.get("/brands", tags=["brands"], responses={200: {"model": BrandList}, **READS})
async def list_brands(
    request: Request, reader: ReaderDep, sees: SeesDep, query: Annotated[ReadQuery, Query()]
) -> Response:
    """The brands that a run knew, by key; of a key of some brands, those."""
    published = await reader.published(query.run)
    brands = await reader.brands(published.run.id, sees)
    return answer(request, published, {"items": to_json([{"key": key, "name": name} for key, name in brands.items()])})


@candidates.get(
    "/brands/{brand}/ambassadors", tags=["brands"], responses={200: {"model": BrandAmbassadorPage}, **READS}
)
async def list_brand_ambassadors(
    request: Request,
    reader: ReaderDep,
    sees: SeesDep,
    brand: BrandKey,
    query: Annotated[BrandAmbassadorsQuery, Query()],
) -> Response:
    """Ambassador candidates of a brand across all respectable communities, each naming its community.

    Without a track: employees and collaborators, and customers and users; `open` are those without an active relation.
    Percentiles are over all bases together.
    """
    asked = f"brands/{brand}/ambassadors?{query.asked()}"
    published, offset = await where(reader, query, asked)
    brands = await _brands(reader, published, brand, sees)
    question = asked_question(
        brand, query.objective, query.topic, query.weights, query.track, query.role, query.size_band,
        brief=query.brief, standing=query.standing, of_brand=True,
    )  # fmt: skip
    population = await reader.everybody(published.run, question)
    why = nobody_because(None, question, include=True)
    members: dict[str, bytes] = {
        "brand": to_json({"key": brand, "name": brands[brand]}),
        "question": _question(question, published),
        "rules": _rules(published),
    }
    if why is not None:
        members |= {"empty_reason": to_json(why), **page([], published.run.id, asked, offset, query.limit)}
    else:
        members |= _page_of_question(population, question, published, brands, asked, offset, query.limit)
    members["communities"] = to_json(population.labels)
    return answer(request, published, members)


@candidates.get("/brands/{brand}/detractors", tags=["brands"], responses={200: {"model": DetractorPage}, **READS})
async def list_detractors(
    request: Request, reader: ReaderDep, sees: SeesDep, brand: BrandKey, query: Annotated[PageQuery, Query()]
) -> Response:
    """Accounts that speak against a brand, most unfavourable mentions first, with complaints still unanswered."""
    asked = f"brands/{brand}/detractors"
    published, offset = await where(reader, query, asked)
    brands = await _brands(reader, published, brand, sees)
    mark = b'"brand":' + to_json(brand) + b","
    lines = [
        line
        for line in published.mask.shown((await reader.part_if_any(published.run.id, "detractors")).lines)
        if mark in line and json.loads(line)["brand"] == brand
    ]
    members = {"brand": to_json({"key": brand, "name": brands[brand]}), "rules": _rules(published)}
    return answer(request, published, {**members, **page(lines, published.run.id, asked, offset, query.limit)})


# --- what these share -------------------------------------------------------------------------------------------------


async def _brands(
    reader: PublishedReader, published: Published, brand: str | None, sees: Sees
) -> dict[str, str | None]:
    """Names of the brands of a run, where one is asked for.

    Raises:
        BrandNotFound: the run did not know it, or it may not be seen.
    """
    if brand is None:
        return {}
    brands = await reader.brands(published.run.id, sees)
    if brand not in brands:
        raise BrandNotFound(f"Run {published.run.id} knows no brand {brand}; GET /v1/brands lists those it knows.")
    return brands


def _rules(published: Published) -> bytes:
    return published.run.spec.rules.model_dump_json().encode()


def _question(question: Question, published: Published) -> bytes:
    """What was asked, where nobody was compared for it."""
    return to_json(described_question(question, published.run.spec.rules))


def _page_of_question(
    population: Population,
    question: Question,
    published: Published,
    brands: dict[str, str | None],
    asked: str,
    offset: int,
    limit: int,
) -> dict[str, bytes]:
    """The members of one page of candidates that answer a question, and the question as it was understood."""
    ranking: Ranking = population.ranking(question, published.run.spec.rules)
    positions = selected(population, ranking, question, published.mask.hides)
    name = brands.get(question.brand) if question.brand is not None else None
    shown = [document(population, ranking, at, name) for at in positions[offset : offset + limit]]
    why: Any = None
    if not positions:
        why = f"None of the {len(ranking.places):,} candidates passes the filters."
        if not len(ranking.places):
            why = "There is no candidate."
    return {
        "question": to_json(described_question(question, published.run.spec.rules, ranking.brief)),
        "empty_reason": to_json(why),
        **page_of(shown, len(positions), published.run.id, asked, offset, limit),
    }
