"""What lenses say of accounts: scorecards, what values rest on, rankings by a mix, and how alike lenses are."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, pairwise, repeat
from typing import Any

import numpy as np
from pydantic_core import from_json, to_json

from service.analytics.brands import ms_of
from service.analytics.lenses.combining import Mixed, mixed, rank_correlations
from service.analytics.lenses.market import WINDOW, by_day, price_history
from service.analytics.lenses.standing import FOLLOW_POINTS, POINTS, WINDOWS
from service.analytics.rounding import significant
from service.analytics.sensitive import may_be_named
from service.analytics.ties import decay_of, interaction_value
from service.domain import (
    ENGAGEMENT_NAMES,
    LENS_NAMES,
    MILLION,
    MIXABLE,
    PART_NAMES,
    Bool,
    Community,
    Float64,
    Int64,
    LensMix,
    LensName,
    LensSummary,
    Run,
    ScoringRules,
    StoreAddress,
    SubTopic,
    account_name,
)
from service.errors import InvalidRequest, RunNotFound
from service.flows.asking import read_weights
from service.flows.lens_parts import WITHIN_COMMUNITIES
from service.flows.masking import Mask
from service.flows.published import PublishedReader, reading
from service.store.driver import AsyncStore, Row
from service.store.lenses import (
    LensColumns,
    LensPast,
    Listening,
    list_mixes,
    no_mix,
    read_accounts,
    read_answered_posts,
    read_backers,
    read_engaged_followers,
    read_entities,
    read_lens_history,
    read_own_days,
    read_scored,
    read_statement,
    read_statement_days,
    read_ties,
    read_ties_page,
    read_topics,
)
from service.store.published import no_account

PRICE_DAYS = 90
"""Days of the history of a price."""

MOST_TOPICS, MOST_SHOWN = 50, 10
"""Topics of an account, and other things that a value rests on, that are shown at most."""

MOST_ACCOUNTS = 200_000
"""More accounts are not ranked while somebody waits."""

ERRORS_NAMED = 20
"""So many of the things that are wrong with a request are named."""

BACK = {"day": 1, "week": 7, "month": 28}
"""Changes are told over so many days: against the latest published run whose data is at least so much older ..."""

TIMES_BACK = 2
"""... and at most so many times as much."""

DAY_ONE = date(1970, 1, 1)

EXAMPLE = "context:0.5,standing:0.5"

UNMEASURED = "The run did not measure this account through this lens: its specification left the lens out."
TOO_NEW = "This account is newer than what the run saw."
NO_VALUE = "The lens has no value for this account; it counts 0 here."


# --- one account ------------------------------------------------------------------------------------------


async def scorecard(store: AsyncStore, reader: PublishedReader, run: Run, key: str) -> dict[str, Any]:
    """Say what all lenses of a run say of one account, and how that changed.

    Raises:
        AccountNotFound: there is no such account, or it is to be erased.
        RunNotFound: what the run found is no longer kept.
    """
    found, said = await _of_account(store, reader, run, key)
    past = await read_lens_history(store, key)
    lenses = {name: {**one, "change": changes(run, one["value"], past, name)} for name, one in said.items()}
    return {**found, "lenses": lenses}


async def read_scorecard(address: StoreAddress, key: str, run_id: str | None = None) -> tuple[Run, dict[str, Any]]:
    """Do what `scorecard` does, for the command; return the run, too. Raises what that does, and what reading does."""
    async with reading(address) as reader:
        published = await reader.published(run_id)
        found = await scorecard(reader.store, reader, published.run, key)
        return published.run, from_json(published.mask.without(key).cleaned(to_json(found)))


async def lens_of_account(
    store: AsyncStore, reader: PublishedReader, run: Run, key: str, lens: LensName
) -> dict[str, Any]:
    """Say what one lens says of one account: its value with parts, figures, cut-offs, changes and history.

    Raises:
        AccountNotFound: there is no such account, or it is to be erased.
        RunNotFound: what the run found is no longer kept.
    """
    found, said = await _of_account(store, reader, run, key)
    past = await read_lens_history(store, key)
    summary = summary_of(run, lens)
    one = said.get(lens, {"value": None, "parts": {}, "reason": UNMEASURED, "figures": {}})
    place = LENS_NAMES.index(lens)
    return {
        **found,
        "lens": lens,
        **one,
        "part_reasons": {} if summary is None else summary.part_reasons,
        "cut_offs": {} if summary is None else summary.cut_offs,
        "change": changes(run, one["value"], past, lens),
        "history": [{"run": then.run, "as_of": then.as_of, "value": then.values[place]} for then in past],
    }


async def _of_account(
    store: AsyncStore, reader: PublishedReader, run: Run, key: str
) -> tuple[dict[str, Any], dict[LensName, dict[str, Any]]]:
    """The account with its community, and what each lens says of it."""
    reader.check_shown(key)
    row = await read_scored(store, run.id, key)
    if row is None:
        raise no_account(key)
    if row["removed"]:
        raise RunNotFound(f"What run {run.id} found is no longer kept; read the current run.")
    scored = row["scored"] or {}
    community = scored.get("community")
    silent: dict[str, Any] = {"value": None, "parts": {}, "reason": TOO_NEW, "figures": {}}
    said = from_json(scored["details"]) if scored else dict.fromkeys(_asked(run), silent)
    return {
        "account": row["account"],
        "community": None if community is None else {"id": community, "label": row["label"]},
    }, said


def _asked(run: Run) -> tuple[LensName, ...]:
    return run.spec.lenses if run.quality is not None and run.quality.lenses else ()


def summary_of(run: Run, lens: LensName) -> LensSummary | None:
    """What a run says of a lens as a whole; None where it did not measure through it."""
    return next((one for one in run.quality.lenses if one.lens == lens), None) if run.quality is not None else None


def changes(run: Run, value: float | None, past: Sequence[LensPast], lens: LensName) -> dict[str, Any]:
    """How a value changed over a day, a week and a month: against which run, or why that cannot be said."""
    place = LENS_NAMES.index(lens)
    return {name: _change(run, value, past, place, timedelta(days=days)) for name, days in BACK.items()}


def _change(run: Run, value: float | None, past: Sequence[LensPast], place: int, back: timedelta) -> dict[str, Any]:
    nothing = {"difference": None, "run": None, "as_of": None, "before": None}
    if value is None:
        return {**nothing, "reason": "There is no value now."}
    if run.as_of is None:
        return {**nothing, "reason": "Nothing in the graph has a time."}
    then = [
        one for one in past if one.as_of is not None and run.as_of - TIMES_BACK * back <= one.as_of <= run.as_of - back
    ]
    if not then:
        days = back.days
        return {
            **nothing,
            "reason": f"No published run is kept whose data is {days} to {TIMES_BACK * days} days older.",
        }
    last = max(then, key=lambda one: (one.as_of, one.finished_at))
    before = last.values[place]
    if before is None:
        return {**nothing, "run": last.run, "as_of": last.as_of, "reason": "There was no value then."}
    difference = round(value * MILLION) - round(before * MILLION)
    return {
        "difference": difference / MILLION, "run": last.run, "as_of": last.as_of, "before": before, "reason": None,
    }  # fmt: skip


# --- what values rest on --------------------------------------------------------------------------------


async def evidence_of(
    store: AsyncStore, reader: PublishedReader, run: Run, key: str, lens: LensName, value: float | None, mask: Mask
) -> dict[str, Any]:
    """Say what a value of a lens rests on beside its parts, as the graph has it now, up to the day of the run's data.

    Of social_capital and profile the topics of the account, each with the topic that it is part of, the brands that its
    posts about it name, and its latest post; of profile also the followers who engaged most; of market who backs it and
    its price day by day; of context the posts that got most responses, each with its visibility, impact and trust.
    """
    first, last = _days(run, run.spec.rules.role_days)
    begin, until = _moments(first, last)
    found: dict[str, Any] = {}
    if lens in ("social_capital", "profile"):
        topics = [one for one in await read_topics(store, key, until, MOST_TOPICS) if may_be_named(one["topic"])]
        part_of = await _part_of(reader, run)
        brands = await read_entities(store, key, until, [one["topic"] for one in topics])
        found["topics"] = [
            {
                **one,
                "part_of": part_of.get(one["topic"]),
                "entities": [
                    {name: brand[name] for name in ("brand", "name", "posts")}
                    for brand in brands
                    if brand["topic"] == one["topic"]
                ],
            }
            for one in topics
        ]
    if lens == "profile":
        engaged = await read_engaged_followers(store, key, first, last, MOST_SHOWN + len(mask.keys))
        found["engaged_followers"] = [one for one in engaged if not mask.hides(one["account"])][:MOST_SHOWN]
    if lens == "market" and value is not None:
        found |= await _backing(store, run, key, value, mask)
    if lens == "context":
        found["posts"] = list(map(_post, await read_answered_posts(store, key, begin, until, MOST_SHOWN)))
    return found


def _post(row: Row) -> dict[str, Any]:
    """Visibility, impact and trust of a post, and what they come from."""
    impact = row["likes"] + row["replies"] + row["reposts"]
    trust = (row["replies"] + row["reposts"]) / impact if impact else None
    return {
        **{name: row[name] for name in ("post", "at", "kind", "likes", "replies", "reposts")},
        "visibility": row["audience"],
        "impact": impact,
        "trust": None if trust is None else float(significant(np.array([trust]))[0]),
    }


async def _backing(store: AsyncStore, run: Run, key: str, value: float, mask: Mask) -> dict[str, Any]:
    """Who backs an account, and its price day by day, made by the same formula of what the graph holds now.

    Endorsements that came after the data of the run do not count. Whoever may not be named backs without a name.
    """
    first, last = _days(run, PRICE_DAYS + WINDOW - 1)
    most = run.spec.rules.responses_a_day
    backers, rows = await asyncio.gather(read_backers(store, run.id, key), read_own_days(store, key, first, last, most))
    for one in backers:
        later = one["at"] is not None and run.as_of is not None and one["at"] > run.as_of
        one["counts"] = one["counts"] and one["weight"] is not None and not later
    counted = [one for one in backers if one["counts"]]
    prices = await asyncio.to_thread(_prices, rows, counted, last)
    return {
        "backers": [_named(one, mask) for one in backers],
        "changed_since": (round(value * MILLION) - int(prices[-1])) / MILLION,
        "prices": [
            {"day": last - timedelta(days=PRICE_DAYS - 1 - place), "price": price / MILLION}
            for place, price in enumerate(prices.tolist())
        ],
    }


def _prices(rows: list[Row], backers: list[Row], last: date) -> Int64:
    """Prices of the last days in millionths, of what an account did and received, and of the backers that count."""
    told = {
        kind: (
            np.array([(row["day"] - DAY_ONE).days for row in rows if row["kind"] == kind], dtype=np.int64),
            np.array([row["counts"] for row in rows if row["kind"] == kind], dtype=np.int64).reshape(-1, columns),
        )
        for kind, columns in (("given", len(ENGAGEMENT_NAMES)), ("gotten", len(ENGAGEMENT_NAMES)), ("posted", 2))
    }
    day, done, received = by_day(told["given"], told["gotten"], told["posted"])
    begun = np.array([-1 if one["at"] is None else ms_of(one["at"]) for one in backers], dtype=np.int64)
    weight = np.array([one["weight"] for one in backers], dtype=np.float64)
    return price_history(day, done, received, begun, weight, (last - DAY_ONE).days, PRICE_DAYS)


def _named(row: Row, mask: Mask) -> dict[str, Any]:
    """A backer, without a name where it may not be named."""
    said = {name: value for name, value in row.items() if name != "hidden"}
    return {**said, "account": None, "handle": None} if row["hidden"] or mask.hides(row["account"]) else said


async def _part_of(reader: PublishedReader, run: Run) -> dict[str, str]:
    lines = (await reader.part_if_any(run.id, "subtopics")).lines
    found = map(SubTopic.model_validate_json, lines)
    return {one.topic: one.part_of for one in found}


def last_day(run: Run) -> date:
    """The last day of a run's data."""
    return DAY_ONE if run.as_of is None else run.as_of.astimezone(UTC).date()


def end_of(day: date) -> datetime:
    """When a day has ended."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _days(run: Run, days: int) -> tuple[date, date]:
    """The first and the last of so many days that end with the run's data."""
    last = last_day(run)
    return last - timedelta(days=min(days, last.toordinal()) - 1), last


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    """When some days begin, and when they have ended."""
    return datetime.combine(first, time(), UTC), end_of(last)


# --- what standing rests on -------------------------------------------------------------------------------


async def statement(
    store: AsyncStore, run: Run, key: str, published: int, mask: Mask, offset: int, limit: int
) -> tuple[list[dict[str, Any]], int, int]:
    """Return a page of the activity statement of an account: actions that gave it standing, the latest first.

    They are as the graph has them now. Each says who did what when, how often, how much of that counts, how many times
    for who did it, and the points. Those of accounts that may not be named have no actor.

    Args:
        store: the graph.
        run: whose standing it is.
        key: of the account.
        published: its points in that run.
        mask: whom an answer may not name.
        offset: so many actions come before the page.
        limit: how many the page has at most.

    Returns:
        The actions of the page, how many there are, and the points by which what was published differs from the sum of
        all of them, because the graph changed since.
    """
    most = run.spec.rules.responses_a_day
    days = await read_statement_days(store, run.id, key, *_days(run, WINDOWS[0]), POINTS, FOLLOW_POINTS, most)
    some, skip = _covering(np.array([one.actions for one in days], dtype=np.int64), offset, limit)
    shown = [one.day for one in days[some]]
    rows = await read_statement(store, run.id, key, shown, ENGAGEMENT_NAMES, skip, limit) if shown else []
    total = sum(one.actions for one in days)
    return [_action(row, most, mask) for row in rows], total, published - sum(one.points for one in days)


def _action(row: Row, most: int, mask: Mask) -> dict[str, Any]:
    kind, counted = row["kind"], min(row["times"], most)
    hidden = row["hidden"] or mask.hides(row["actor"])
    return {
        "day": row["day"],
        "actor": None if hidden else row["actor"],
        "actor_handle": None if hidden else row["handle"],
        "kind": kind,
        "times": row["times"],
        "counted": counted,
        "weight": row["weight"],
        "points": counted * (FOLLOW_POINTS if kind == "follows" else POINTS[kind]) * row["weight"],
    }


def _covering(sizes: Int64, offset: int, limit: int) -> tuple[slice, int]:
    """Which of some groups, one after the other, hold the rows of a page, and how many of their rows come before it."""
    ends = np.cumsum(sizes)
    first = int(np.searchsorted(ends, offset, side="right"))
    last = int(np.searchsorted(ends, offset + limit))
    return slice(first, last + 1), offset - (int(ends[first - 1]) if first else 0)


# --- whom accounts influence ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ties:
    """All ties of an account to those who listen to it, or to whom it listens; those that weigh nothing are left out.

    Attributes:
        total: weight of all ties.
        weights: float64[w], weights of ties with accounts that may be named, each once, the largest first.
        sizes: int64[w], how many accounts have a tie of each of these weights.
        accounts: keys of those k of them that engaged, or were engaged with, in the window.
        place: int64[k], which of the weights their ties have.
        follows: bool[k], whether their ties have a follow that counts.
        counts: int64[k, 4], their interactions in the window, a column for each of ENGAGEMENT_NAMES.
        quiet: weights of the follows of all others, each with its place in `weights`.
    """

    total: float
    weights: Float64
    sizes: Int64
    accounts: list[str]
    place: Int64
    follows: Bool
    counts: Int64
    quiet: list[tuple[float, int]]


async def influences(
    store: AsyncStore, run: Run, key: str, mask: Mask, offset: int, limit: int, *, inwards: bool
) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the accounts that listen to one (`inwards`: it influences them), or to which it listens.

    The weight of each tie is made as in a run (`analytics.ties`), over the window that ends with the run's data, of
    what the graph holds now; follows that the run left out count nothing. A share is of the weight of all of them.
    Strongest first, ties by key.

    Returns:
        The accounts of the page with their shares, and how many there are.
    """
    rules = run.spec.rules
    asked = Listening(run.id, key, *_days(run, rules.window_days), sorted(mask.keys), inwards)
    ties = await asyncio.to_thread(_weighed, await read_ties(store, asked), rules)
    some, skip = _covering(ties.sizes, offset, limit)
    row_of = {
        ties.accounts[k]: k for k in np.flatnonzero((ties.place >= some.start) & (ties.place < some.stop)).tolist()
    }
    engaged = [(account, int(ties.place[k])) for account, k in row_of.items()]
    quiet = [(follow, place) for follow, place in ties.quiet if some.start <= place < some.stop]
    rows = await read_ties_page(store, asked, engaged, quiet, skip, limit)
    return [_listener(row, ties, row_of.get(row["account"])) for row in rows], int(ties.sizes.sum())


def _weighed(rows: list[Row], rules: ScoringRules) -> _Ties:
    """Weigh all ties, of what `read_ties` reads."""
    accounts = [account for row in rows for account in row["accounts"]]
    shown = ~np.array([hidden for row in rows for hidden in row["hidden"]], dtype=np.bool_)
    several = [len(row["accounts"]) for row in rows]
    follow = np.repeat(np.array([row["follow"] or 0.0 for row in rows], dtype=np.float64), several)
    follows = np.repeat(np.array([row["follow"] is not None for row in rows], dtype=np.bool_), several)

    columns = 1 + len(ENGAGEMENT_NAMES)
    of_each = [days for row in rows for days in row["days"]]
    days = np.fromiter(chain.from_iterable(of_each), dtype=np.int64).reshape(-1, columns)
    bounds = np.cumsum([0, *(len(one) // columns for one in of_each)])
    aged = (interaction_value(days[:, 1:], rules) * decay_of(rules)[days[:, 0]]).tolist()
    engagement = [math.log1p(math.fsum(aged[begin:end])) for begin, end in pairwise(bounds.tolist())]
    weight = significant(follow + np.array(engagement, dtype=np.float64))
    counts = np.add.reduceat(days[:, 1:], bounds[:-1], axis=0)

    quiet = [row for row in rows if row["quiet"]]
    quiet_follow = [float(row["follow"]) for row in quiet]
    quiet_weight = significant(np.array(quiet_follow, dtype=np.float64))
    quiet_shown = np.array([row["quiet_shown"] for row in quiet], dtype=np.int64)

    listed = np.flatnonzero(shown & (weight > 0))
    weights, place = np.unique(np.append(weight[listed], quiet_weight), return_inverse=True)
    weights, place = weights[::-1], len(weights) - 1 - place
    sizes = np.zeros(len(weights), dtype=np.int64)
    np.add.at(sizes, place, np.append(np.ones(len(listed), dtype=np.int64), quiet_shown))
    return _Ties(
        total=math.fsum(chain(weight.tolist(), *map(repeat, quiet_weight.tolist(), (row["quiet"] for row in quiet)))),
        weights=weights,
        sizes=sizes,
        accounts=[accounts[k] for k in listed.tolist()],
        place=place[: len(listed)],
        follows=follows[listed],
        counts=counts[listed],
        quiet=list(zip(quiet_follow, place[len(listed) :].tolist(), strict=True)),
    )


def _listener(row: Row, ties: _Ties, k: int | None) -> dict[str, Any]:
    """One of the accounts of a page; `k` is its place among those with interactions."""
    weight = float(ties.weights[row["place"]])
    counts = [0] * len(ENGAGEMENT_NAMES) if k is None else ties.counts[k].tolist()
    return {
        "account": row["account"],
        "handle": row["handle"],
        "share": float(significant(np.array([weight / ties.total]))[0]),
        "weight": weight,
        "follows": k is None or bool(ties.follows[k]),
        **dict(zip(ENGAGEMENT_NAMES, counts, strict=True)),
    }


# --- rankings ---------------------------------------------------------------------------------------------


async def usable_mix(
    store: AsyncStore, lens: LensName | None, weights: str | None, mix: str | None
) -> dict[str, float]:
    """Return the weights of what was asked: one lens, weights such as `context:0.5,standing:0.5`, or a named mix.

    Raises:
        InvalidRequest: weights cannot be used, or contradict the lens or the mix.
        MixNotFound: there is no mix of this name.
    """
    if mix is not None:
        if weights is not None or lens is not None:
            raise InvalidRequest("A mix says what everything weighs; leave out lens and weights, or the mix.")
        return (await mix_named(store, mix)).weights
    if weights is None:
        return {} if lens is None else {lens: 1.0}
    given = read_weights(weights, MIXABLE, "lens", EXAMPLE)
    if lens is not None and not given.get(lens):
        raise InvalidRequest(
            f"The weights give nothing to {lens}, which lens= asks for; give it some, or leave it out."
        )
    return given


async def mix_named(store: AsyncStore, name: str) -> LensMix:
    """Return a mix by its name.

    Raises:
        MixNotFound: there is none.
    """
    found = next((one for one in await list_mixes(store) if one.name == name), None)
    if found is None:
        raise no_mix(name)
    return found


async def members_columns(reader: PublishedReader, run: Run, community: Community | None) -> LensColumns:
    """What lenses say of the members of a community that are compared, or of those of all that were found.

    Raises:
        InvalidRequest: the run measured through no lens, or there are too many accounts.
    """
    _require_lenses(run)
    communities = await reader.communities(run.id) if community is None else [community]
    if sum(one.base for one in communities) > MOST_ACCOUNTS:
        raise InvalidRequest(
            f"More than {MOST_ACCOUNTS:,} accounts cannot be compared while you wait; ask about a smaller community, "
            "or name the accounts."
        )
    return await reader.lens_columns(run.id, tuple(one.id for one in communities))


async def account_columns(
    store: AsyncStore, reader: PublishedReader, run: Run, keys: Sequence[str]
) -> tuple[LensColumns, list[str]]:
    """What lenses say of some accounts.

    Returns:
        Columns of those that can be compared, and the others: they are newer than the run, or have opted out.

    Raises:
        InvalidRequest: the run measured through no lens, or an account is not there; `errors` names the first of them.
    """
    _require_lenses(run)
    columns, there = await read_accounts(store, run.id, keys)
    shown = {key for key in there if reader.shows(key)}
    missing = [(place, key) for place, key in enumerate(keys) if key not in shown]
    if missing:
        errors = [
            {"field": f"body.population.accounts.{place}", "message": "there is no such account"}
            for place, _ in missing[:ERRORS_NAMED]
        ]
        raise InvalidRequest(f"There is no account {missing[0][1][:200]}; keys are network:id.", errors=errors)
    compared = set(columns.keys)
    return columns, [key for key in keys if key not in compared]


def _require_lenses(run: Run) -> None:
    if run.quality is None or not run.quality.lenses:
        raise InvalidRequest(
            f"Run {run.id} measured through no lens: it is of an earlier version, or its specification left them out; "
            "analyse again."
        )


def ranked(columns: LensColumns, weights: Mapping[str, float]) -> tuple[Mixed | None, list[int], dict[str, Float64]]:
    """Rank accounts by a mix.

    Returns:
        The mix, None where nobody has anything that it weighs, with accounts in the order of their keys; their places
        in the columns in that order; and of each measure the values likewise.
    """
    order = sorted(range(len(columns.keys)), key=columns.keys.__getitem__)
    values = {name: _measure(columns, name)[order] for name in MIXABLE if weights.get(name)}
    return mixed(values, weights), order, values


def _measure(columns: LensColumns, name: str) -> Float64:
    if name.startswith("score."):
        raw: Float64 = columns.raw[PART_NAMES.index(name.removeprefix("score."))]
        return raw
    values: Float64 = columns.values[LENS_NAMES.index(name)]
    return values


def rank_by_mix(
    columns: LensColumns, weights: Mapping[str, float], mask: Mask, offset: int, limit: int
) -> tuple[list[dict[str, Any]], int, dict[str, Any]]:
    """Rank accounts by a mix and explain a page of them.

    Returns:
        The accounts of the page, best first, how many there are, and what holds for all of them: how many are compared,
        the weights in force, and measures that nobody has.
    """
    found, order, values = ranked(columns, weights)
    about = {
        "compared": len(order),
        "weights": {name: weight for name, weight in weights.items() if weight},
        "weights_in_force": {} if found is None else dict(zip(found.names, found.weights, strict=True)),
        "without": [name for name, of in values.items() if np.isnan(of).all()],
        "relative_to_communities": [name for name in values if name in WITHIN_COMMUNITIES and len(columns.own) > 1],
    }
    if found is None:
        return [], 0, about
    best = [k for k in np.argsort(found.rank).tolist() if not mask.hides(columns.keys[order[k]])]
    return [_ranked(columns, order, found, values, k) for k in best[offset : offset + limit]], len(best), about


def _ranked(
    columns: LensColumns, order: list[int], found: Mixed, values: Mapping[str, Float64], k: int
) -> dict[str, Any]:
    at = order[k]
    measures = []
    for row, name in enumerate(found.names):
        value = float(values[name][k])
        known = not math.isnan(value)
        measures.append(
            {
                "measure": name,
                "value": value if known else None,
                "x": float(found.x[row, k]),
                "weight": found.weights[row],
                "points": found.points[row, k] / MILLION,
                "points_millionths": int(found.points[row, k]),
                "note": None if known else NO_VALUE,
            }
        )
    key, handle = columns.keys[at], columns.handles[at]
    return {
        "rank": int(found.rank[k]),
        "key": key,
        "handle": handle or None,
        "name": account_name(key, handle),
        "community": columns.communities[at],
        "type": columns.types[at],
        "score": found.score[k] / MILLION,
        "score_millionths": int(found.score[k]),
        "measures": measures,
    }


# --- how alike lenses are ---------------------------------------------------------------------------------


def correlations(columns: LensColumns, run: Run) -> dict[str, Any]:
    """How alike the lenses of a run rank accounts: Spearman's correlation of each two, over those that have both."""
    names = [name for name in LENS_NAMES if name in _asked(run)]
    table = np.array([columns.values[LENS_NAMES.index(name)] for name in names]).reshape(len(names), -1)
    found, both = rank_correlations(table)
    return {
        "lenses": names,
        "accounts": len(columns.keys),
        "correlation": [[None if math.isnan(one) else one for one in row] for row in found.tolist()],
        "compared": both.tolist(),
    }
