"""From what callers ask to questions, and the answers that are more than a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json

from service.content.words import Brief, read_brief
from service.domain import (
    BRAND_TRACKS,
    LENS_NAMES,
    LENS_PARTS,
    MILLION,
    PART_NAMES,
    Brand,
    BrandCandidate,
    BrandCandidates,
    BrandTrack,
    Candidate,
    Community,
    LensShares,
    PartWeights,
    RoleName,
    Run,
    ScoringRules,
    SizeBand,
    StoreAddress,
    Track,
    TrackCandidates,
    lens_part,
)
from service.errors import AccountNotFound, BrandNotFound, CommunityNotFound, InvalidRequest
from service.flows.briefs import BriefMeasure, unmeasured
from service.flows.published import PublishedReader, called, reading
from service.flows.questions import Question, document, selected
from service.flows.recipes import asks_for, recipe_of
from service.store.queries import load_queries


def asked_question(
    brand: str | None,
    objective: str | None,
    topic: str | None,
    weights: str | None,
    track: Track | None,
    role: RoleName | None,
    size_band: SizeBand | None,
    *,
    brief: str | None = None,
    standing: str | None = None,
    of_brand: bool = False,
    needs_brand: bool = True,
) -> Question:
    """Put a question together; what an objective asks for stands where the caller says nothing.

    Args:
        brand, topic: to measure affinity and relevance to.
        brief: text to measure relevance to, instead of a topic.
        objective: name of a recipe.
        weights: as `authority:0.4,trust:0.6`.
        track, role, size_band, standing: filters.
        of_brand: the question is about a brand across communities: without a track it is about its two tracks.
        needs_brand: refuse an objective that needs a brand where none is named.

    Raises:
        InvalidRequest: there is no such objective, it needs a brand, a brief says nothing or comes with a topic, or
            weights cannot be used.
    """
    if brief is not None and topic is not None:
        why = "brief and topic are two ways to say what is looked for"
        raise InvalidRequest(f"Relevance is measured to one thing: {why}; leave one out.", errors=_wrong("brief", why))
    asked = None if brief is None else usable_brief(brief)
    recipe = None if objective is None else recipe_of(objective)
    if recipe is not None and recipe.needs_brand and brand is None and needs_brand:
        raise InvalidRequest(f"Objective {recipe.name} is about a brand; name one with brand=.")
    given, lenses = (None, {}) if weights is None else parse_weights(weights)
    tracks: tuple[Track, ...] = recipe.tracks if recipe is not None and brand is not None else ()
    if track is not None:
        tracks = (track,)
    elif of_brand and not tracks:
        tracks = ("employees_collaborators", "customers_users")
    return Question(
        brand=brand,
        topic=topic,
        brief=asked,
        recipe=recipe,
        weights=given,
        lenses=lenses,
        tracks=tracks,
        roles=(role,) if role is not None else recipe.roles if recipe is not None else (),
        size_band=size_band,
        standing=standing,
    )


def usable_brief(text: str) -> Brief:
    """Read a brief.

    Raises:
        InvalidRequest: no word in it says what is looked for.
    """
    brief = read_brief(text)
    if not brief.words:
        why = "there is no word in it that says what is looked for"
        raise InvalidRequest(f"The brief cannot be used: {why}.", errors=_wrong("brief", why))
    return brief


def parse_weights(text: str) -> tuple[PartWeights, LensShares]:
    """Read weights such as `authority:0.4,lens.context:0.6`: those of the parts, and those of lenses as extra parts.

    Parts that are not named get 0.

    Raises:
        InvalidRequest: they cannot be used; `errors` names the field.
    """
    given = read_weights(text, (*PART_NAMES, *LENS_PARTS), "part", "authority:0.4,trust:0.6")
    parts = PartWeights.model_validate({part: given.get(part, 0.0) for part in PART_NAMES})
    return parts, {lens: given[lens_part(lens)] for lens in LENS_NAMES if given.get(lens_part(lens))}


def read_weights(text: str, names: Sequence[str], kind: str, example: str) -> dict[str, float]:
    """Read weights of some of a number of things, which sum to 1.

    Raises:
        InvalidRequest: they cannot be used; `errors` names the field.
    """

    def wrong(why: str) -> InvalidRequest:
        message = f"Weights cannot be used: {why}; write them like {example}."
        return InvalidRequest(message, errors=_wrong("weights", why))

    given: dict[str, float] = {}
    for one in text.split(","):
        name, colon, value = one.strip().partition(":")
        if name not in names or not colon:
            raise wrong(f"{one.strip()[:40]!r} is no weight of a {kind}; there are {', '.join(names)}")
        if name in given:
            raise wrong(f"{name} is there twice")
        try:
            given[name] = float(value)
        except ValueError:
            raise wrong(f"{value[:40]!r} of {name} is no number") from None
        if not 0 <= given[name] <= 1:
            raise wrong(f"that of {name} is not between 0 and 1")
    if abs(sum(given.values()) - 1) > 1e-9:
        raise wrong(f"they sum to {sum(given.values()):g}, not to 1")
    return given


def _wrong(field: str, why: str) -> list[dict[str, str]]:
    return [{"field": f"query.{field}", "message": why}]


def described_question(question: Question, rules: ScoringRules, measured: BriefMeasure | None = None) -> dict[str, Any]:
    """Say what was asked, with defaults resolved: what an answer shows of its question.

    Args:
        question: what was asked.
        rules: of the run.
        measured: the brief as it was measured; without, nobody was compared.
    """
    recipe = question.recipe
    weights, lenses = question.mix
    return {
        "brand": question.brand,
        "topic": question.topic,
        "brief": None if question.brief is None else measured.described() if measured else unmeasured(question.brief),
        "objective": None
        if recipe is None
        else recipe.model_dump(mode="json", include={"name", "title", "types", "rank_by", "why", "why_not"}),
        "weights": (weights or rules.weights).model_dump(),
        "lenses": dict(lenses),
        "tracks": list(question.tracks),
        "roles": list(question.roles),
        "size_band": question.size_band,
        "standing": question.standing,
    }


def nobody_because(community: Community | None, question: Question, *, include: bool) -> str | None:
    """Say why there are no ambassadors for a question before anybody is ranked; None where there may be.

    Args:
        community: None for all of them.
        question: what is asked.
        include: candidates of a community that is not respectable are wanted, too.
    """
    if question.recipe is not None and not asks_for(question.recipe, "micro"):
        where = "" if community is None else f"; ask /v1/communities/{community.id}/influencers for them"
        return (
            f"Objective {question.recipe.name} asks for {' and '.join(question.recipe.types)}-influencers{where}. "
            f"{question.recipe.why_not['micro'].en}"
        )
    if community is None:
        return None
    if not community.candidates:
        return community.no_candidates_reason or "There is no candidate."
    if not community.respectable and not include:
        failed = ", ".join(test.test for test in community.tests if test.passed is False)
        return f"The community is not respectable (it fails: {failed}); ask with include_not_respectable=true."
    return None


def of_influencers(
    question: Question, macros: Sequence[bytes], micros: Sequence[bytes], limit: int
) -> dict[str, bytes]:
    """The two groups of a community's influencers, as JSON: those that an objective asks for, and why not the other."""
    recipe = question.recipe
    shown = [line for line in macros if _passes(line, question)]
    groups = {}
    for name, kind, lines in (("macros", "macro", shown), ("micros", "micro", micros)):
        asked = recipe is None or kind in recipe.types
        why_not = None if asked or recipe is None else recipe.why_not[kind].model_dump()  # type: ignore[index]
        listed = lines if asked else []
        groups[name] = (
            b'{"asked":%s,"why_not":%s,"total":%d,"items":[' % (to_json(asked), to_json(why_not), len(listed))
            + b",".join(listed[:limit])
            + b"]}"
        )
    return groups


def _passes(line: bytes, question: Question) -> bool:
    if not question.roles and question.size_band is None:
        return True
    one = from_json(line)
    has = {role["role"] for role in one["roles"]}
    return (not question.roles or bool(has & set(question.roles))) and question.size_band in (None, one["size_band"])


# --- one account in one community -------------------------------------------------------------------------------------


async def explain_account(reader: PublishedReader, run: Run, community: Community, key: str) -> dict[str, Any]:
    """Explain where one account stands in one community.

    Returns:
        account: key, handle and name; standing: type, rank, score and parts, or why it is compared with nobody;
        candidate: its whole document where it is a candidate or a macro-influencer of the base; above, below: who is
        next to it, and what separates them: points of each part, that add up to the difference of the scores; evidence:
        each tie of the candidate's evidence as the graph has it now: since when, first and last day of interactions;
        posts: each post of its evidence as the graph has it now, with its text where its author has not opted out;
        cypher: a statement that shows one of these ties in the graph, given its follower and followee.

    Raises:
        AccountNotFound: there is no such account, or it is no member of this community in this run.
    """
    found = await reader.account(run.id, key)
    account = found["account"]
    membership = next((one for one in found["memberships"] if one["community"]["id"] == community.id), None)
    if membership is None:
        raise AccountNotFound(f"Account {key} is no member of community {community.id} in run {run.id}.")
    candidate = await published_document(reader, run.id, community.id, membership)
    near = {}
    if membership.get("score") is not None:
        neighbours = await reader.neighbours(run.id, community.id, key)
        near = {side: _separation(membership, other) for side, other in neighbours.items()}
    return {
        "account": {
            "key": account["key"],
            "handle": account.get("handle"),
            "opted_out": account.get("opted_out", False),
        },
        "standing": standing_of(account, membership, candidate),
        "above": near.get("above"),
        "below": near.get("below"),
        "evidence": await _evidence_now(reader, candidate),
        "posts": await _posts_now(reader, candidate),
        "cypher": load_queries()["published/tie"].text,
    }


async def published_document(
    reader: PublishedReader, run_id: str, community_id: str, membership: dict[str, Any]
) -> dict[str, Any] | None:
    """The published document of a candidate, or of a macro-influencer of the base; None of everybody else."""
    for rank, part in (("rank", "candidates"), ("macro_rank", "macros")):
        if membership.get(rank) is not None:
            lines = (await reader.part_if_any(run_id, f"{part}/{community_id}")).lines
            if membership[rank] <= len(lines):
                document: dict[str, Any] = json.loads(lines[membership[rank] - 1])
                return document
    return None


def standing_of(account: dict[str, Any], membership: dict[str, Any], document: dict[str, Any] | None) -> dict[str, Any]:
    """Where an account stands in one of its communities, by its membership and its published document.

    Who opted out since the run is no candidate of it any more.
    """
    if account.get("opted_out"):
        document = None
        places = ("rank", "rank_low", "rank_high", "macro_rank")
        membership = {name: value for name, value in membership.items() if name not in places}
    candidate = document if membership.get("rank") is not None else None
    return {
        "community": membership["community"],
        "primary": membership.get("primary", True),
        "share": membership.get("share"),
        "confidence": membership.get("confidence"),
        "between": membership.get("between", False),
        "type": membership.get("type"),
        "in_base": membership.get("in_base"),
        "gate": membership.get("gate"),
        "roles": membership.get("roles", []),
        "score": membership.get("score"),
        "rank": membership.get("rank"),
        "macro_rank": membership.get("macro_rank"),
        "parts": {
            part: {
                "raw": membership[part],
                "x": membership.get(f"{part}_x"),
                "points": membership.get(f"{part}_points"),
            }
            for part in PART_NAMES
            if part in membership
        },
        "candidate": candidate,
        "macro": document if candidate is None else None,
        "not_candidate_reason": None if candidate else why_not(account, membership),
    }


def why_not(account: dict[str, Any], membership: dict[str, Any]) -> str:
    """Say why an account is no candidate of a community."""
    if account.get("opted_out"):
        return "It opted out: nobody is named who does not want to be."
    if "in_base" not in membership:
        return "Secondary membership: an account is compared, and may be a candidate, in its own community."
    if not membership["in_base"]:
        said = {
            "opted_out": "it opted out",
            "brand_account": "it is a brand's own account",
            "inactive": "it had done nothing for so long when the run was made",
        }
        gate = said.get(str(membership.get("gate")))
        return (
            f"Outside the base of its community: {gate or 'it did not pass an integrity gate when the run was made'}."
        )
    if membership["type"] == "macro":
        return "Macro-influencer: its audience is too large for a micro-influencer, and only those are candidates."
    return (
        "Below the micro-influencer cut-off: not in the top share of its community by authority or resonance, or "
        "followed by no other member."
    )


def _separation(membership: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Who stands next to an account, and by which parts the other has more points (below 0: fewer)."""
    parts = {
        part: round((other.get(f"{part}_points") or 0) * MILLION)
        - round((membership.get(f"{part}_points") or 0) * MILLION)
        for part in PART_NAMES
        if f"{part}_points" in membership or f"{part}_points" in other
    }
    return {
        "key": other["key"],
        "handle": other.get("handle"),
        "type": other["type"],
        "score": other["score"],
        "difference_millionths": round(other["score"] * MILLION) - round(membership["score"] * MILLION),
        "parts_millionths": parts,
    }


async def _evidence_now(reader: PublishedReader, document: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The ties of a document's evidence as the graph has them now, each once."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for part in document["parts"] if document else []:
        for item in part["evidence"]:
            if item["kind"] in ("follow", "engagement"):
                pairs.setdefault((item["follower"], item["followee"]), []).append(part["part"])
    rows = {(row["follower"], row["followee"]): row for row in await reader.ties(list(pairs))}
    evidence = []
    for pair, parts in pairs.items():
        row = rows.get(pair, {})
        followed, engaged = bool(row.get("follows")), row.get("last_engaged") is not None
        evidence.append(
            {
                "follower": pair[0],
                "followee": pair[1],
                "parts": parts,
                "in_graph": followed or engaged,
                "follows": followed,
                "followed_at": _text(row.get("followed_at")),
                "first_engaged": _text(row.get("first_engaged")),
                "last_engaged": _text(row.get("last_engaged")),
            }
        )
    return evidence


async def _posts_now(reader: PublishedReader, document: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The posts of a document's evidence as the graph has them now, each once."""
    keys: dict[str, list[str]] = {}
    for part in document["parts"] if document else []:
        for item in part["evidence"]:
            if item.get("post"):
                keys.setdefault(item["post"], []).append(item.get("topic") or item["brand"])
    rows = {row["post"]: row for row in await reader.posts(list(keys))}
    found = []
    for key, about in keys.items():
        row = rows.get(key, {})
        said = {name: row.get(name) for name in ("author", "kind", "lang", "text")}
        found.append({"post": key, "evidence_of": about, "in_graph": bool(row), "at": _text(row.get("at")), **said})
    return found


def _text(value: Any) -> str | None:
    """A date or time of Neo4j as text."""
    return None if value is None else str(value.to_native().isoformat()).replace("+00:00", "Z")


# --- for the command --------------------------------------------------------------------------------------------------


async def community_of(reader: PublishedReader, run: Run, community_id: str) -> Community:
    """Find a community of a run, found or defined.

    Raises:
        CommunityNotFound: there is none of this id.
    """
    everything = [*await reader.communities(run.id), *(one for one, _ in await reader.defined(run))]
    for community in everything:
        if community.id == community_id:
            return community
    raise CommunityNotFound(f"There is no community {community_id}; `entourage communities` lists them.")


async def read_ambassadors(
    address: StoreAddress,
    community_id: str | None,
    question: Question,
    run_id: str | None,
    *,
    include: bool = False,
    most: int = 5,
    limit: int = 5,
) -> list[tuple[Community, list[Candidate], str | None]]:
    """Read the candidates that answer a question, of one community or of the largest respectable ones.

    With a brief, and no community named, of those that fit it best.

    Returns:
        Communities, each with its candidates, best first, and why there are none where there are none.

    Raises:
        NothingPublished, RunNotFound, CommunityNotFound, BrandNotFound: what is asked for is not there.
    """
    async with reading(address) as reader:
        published = await reader.published(run_id)
        run, mask = published.run, published.mask
        brands = await reader.brands(run.id)
        if question.brand is not None and question.brand not in brands:
            raise _no_brand(question.brand)
        if community_id is not None:
            chosen = [await community_of(reader, run, community_id)]
        else:
            every = [one for one in await reader.communities(run.id) if one.respectable or include]
            if question.brief is not None:
                every = [*await reader.fitting(run, every, question.brief)]
            chosen = every[:most]
        answers = []
        for community in chosen:
            why = nobody_because(community, question, include=include)
            lines: list[bytes] = []
            if why is None and question.prepared:
                lines = mask.shown((await reader.part(run.id, f"candidates/{community.id}")).lines)[:limit]
            elif why is None:
                population = await reader.population(run, community, question)
                ranking = population.ranking(question, run.spec.rules)
                name = brands.get(question.brand) if question.brand is not None else None
                places = selected(population, ranking, question, mask.hides)
                lines = [document(population, ranking, at, name) for at in places[:limit]]
                if not lines:
                    why = f"None of the {len(ranking.places):,} candidates passes the filters."
            candidates = [Candidate.model_validate_json(mask.cleaned(line)) for line in lines]
            answers.append((mask.unnamed(community), candidates, why))
        return answers


async def read_influencers(
    address: StoreAddress, community_id: str, run_id: str | None, limit: int
) -> tuple[Community, list[Candidate], list[Candidate]]:
    """Read a community, as people call it, with its macro- and micro-influencers, by audience and by score."""
    async with reading(address) as reader:
        published = await reader.published(run_id)
        run, mask = published.run, published.mask
        community = called(await community_of(reader, run, community_id), (await reader.names(published)).of)
        groups = []
        for part in ("macros", "candidates"):
            lines = mask.shown((await reader.part_if_any(run.id, f"{part}/{community.id}")).lines)
            groups.append([Candidate.model_validate_json(mask.cleaned(line)) for line in lines[:limit]])
        return mask.unnamed(community), groups[0], groups[1]


async def read_explanation(
    address: StoreAddress, key: str, community_id: str, run_id: str | None
) -> tuple[Community, dict[str, Any]]:
    """Read the explanation of one account in one community; see `explain_account`."""
    async with reading(address) as reader:
        published = await reader.published(run_id)
        mask = published.mask.without(key)
        community = await community_of(reader, published.run, community_id)
        found = await explain_account(reader, published.run, community, key)
        return mask.unnamed(community), from_json(mask.cleaned(to_json(found)))


async def read_brand_candidates(
    address: StoreAddress, brand: str, run_id: str | None = None, question: Question | None = None
) -> BrandCandidates:
    """Read the candidates of a run that are something to a brand, by what they are to it.

    Listed are the candidates of respectable communities with an active relation to this brand, but its detractors. Who
    is an employee or a collaborator of it is in that track, whatever else they are to it; the others are its customers
    and users. A track is in order of score among the candidates of all these communities; each candidate comes with the
    label of their community.

    Raises:
        BrandNotFound: the run did not know this brand.
        NothingPublished: there is no current run.
        RunNotFound: no run of this id has published anything.
        StoreError: Neo4j does not answer.
    """
    asked = question or asked_question(brand, None, None, None, None, None, None, of_brand=True)
    async with reading(address) as reader:
        published = await reader.published(run_id)
        run, mask = published.run, published.mask
        brands = await reader.brands(run.id)
        if brand not in brands:
            raise _no_brand(brand)
        population = await reader.everybody(run, asked)
    ranking = population.ranking(asked, run.spec.rules)
    tracks: dict[BrandTrack, list[BrandCandidate]] = {track: [] for track in BRAND_TRACKS}
    for at in selected(population, ranking, asked, mask.hides):
        candidate = Candidate.model_validate_json(mask.cleaned(document(population, ranking, at, brands[brand])))
        if candidate.track != "open":
            label = mask.unnamed_text(population.labels[candidate.community])
            tracks[candidate.track].append(BrandCandidate(community_label=label, candidate=candidate))
    return BrandCandidates(
        brand=Brand(key=brand, name=brands[brand]),
        tracks=tuple(
            TrackCandidates(track=track, total=len(found), candidates=tuple(found)) for track, found in tracks.items()
        ),
    )


def _no_brand(brand: str) -> BrandNotFound:
    return BrandNotFound(
        f"The run knows no brand {brand}; check its key, or import it and what people are to it, and analyse again."
    )
