"""What a run will take: memory and time of each stage, from the size of the graph alone.

Bytes are those of the arrays and objects that a stage holds at its peak, as they were measured with `tracemalloc` on
generated graphs of 10⁵ and 10⁶ follows, rounded up. Seconds were measured on two cores of a small virtual machine and
are rough: expect a factor of three either way. Every constant stands in this file.
"""

from __future__ import annotations

import math

from service.domain import RunEstimate, RunSpec, StageEstimate

ACCOUNT, FOLLOW, ENGAGEMENT, TOPIC, POST, TEXT = 126, 20, 12, 44, 16, 200
"""Bytes of `domain.Graph`."""

INDEXED_TEXT = 200
"""Bytes of what the words of a text count, and of the documents that are made to find that out."""

READ_ACCOUNT, READ_FOLLOW, READ_ENGAGEMENT, READ_TOPIC, READ_POST, READ_TEXT = 528, 160, 230, 250, 130, 700
"""Bytes while the graph is read and built: columns twice, and the arrays made of them."""

TIE, ENGAGED_TIE, PROJECTED = 10, 20, 24
"""Bytes of a tie of follows alone, of one where there are interactions, and of its undirected projection."""

SEARCHED = 150
"""Bytes of a tie in each thread that looks for communities."""

MEASURED_TIE, MEASURED_ACCOUNT = 24, 200
SCORED_TIE, SCORED_ACCOUNT, REWEIGHTED, CANDIDATES = 110, 650, 3, 3 * 2**20
"""Bytes of measures and scores (of ties: of a copy of the largest community, which may be most of the graph), of the
candidates of an account in each reweighting, and of the documents that are being made: they are put aside on disk one
by one."""

LENS_ACCOUNT, LENS_FOLLOW, LENS_ENGAGEMENT = 1_100, 60, 80
"""Bytes of what lenses look at and say, of all of them together."""

PAGE_ACCOUNT, PAGES = 1_500, 32 * 2**20
"""Bytes of pages and rows that are being written, spread over all accounts: so much at most, as they go in batches."""

LANE_ACCOUNT = 60
"""Bytes of an account in each thread that solves community_pagerank."""

EXACT_PAIRS = 2 * 10**8
"""Betweenness is exact up to so many accounts · ties."""


def estimate(
    accounts: int,
    follows: int,
    engagements: int,
    spec: RunSpec,
    threads: int,
    available: int | None,
    topics: int = 0,
    posts: int = 0,
    texts: int = 0,
) -> RunEstimate:
    """Estimate a run before it begins.

    Args:
        accounts, follows, engagements: what the graph holds; engagements are counts of a pair and day.
        spec: what is asked.
        threads: how many resolutions and rewirings (and passes of community_pagerank) are computed side by side.
        available: bytes of memory there are; None where that is not known, and everything fits.
        topics: topics of all posts together; an account that writes often about the same has them once.
        posts: those with an author; several of an author and day count as one.
        texts: how many of them have a text.
    """
    n, f, e = accounts, follows, engagements
    ties = f + e  # at most: a pair may interact on many days, and follow
    graph = ACCOUNT * n + FOLLOW * f + ENGAGEMENT * e + TOPIC * topics + POST * posts + TEXT * texts
    tie = ENGAGED_TIE if e else TIE
    weighed = graph + tie * ties + PROJECTED * ties
    searches = len(spec.rules.resolutions) + spec.rules.rewirings
    again = spec.rules.confidence_seeds
    plain = 40 if spec.engine == "reference" else 1  # networkx keeps an object for everything
    stages = [
        StageEstimate(
            stage="snapshot",
            memory_bytes=READ_ACCOUNT * n
            + READ_FOLLOW * f
            + READ_ENGAGEMENT * e
            + READ_TOPIC * topics
            + READ_POST * posts
            + READ_TEXT * texts,
            seconds=n / 100_000 + f / 300_000 + e / 200_000 + (topics + posts) / 100_000 + texts / 10_000,
        ),
        StageEstimate(stage="words", memory_bytes=graph + INDEXED_TEXT * texts, seconds=texts / 50_000),
        StageEstimate(
            stage="communities",
            memory_bytes=weighed + plain * SEARCHED * ties * min(threads, searches),
            seconds=plain * searches * ties * 1.4e-6 / threads,
        ),
        StageEstimate(
            stage="confidence",
            memory_bytes=weighed + plain * SEARCHED * ties * min(threads, again),
            seconds=plain * again * ties * 5e-7 / threads,
        ),
        StageEstimate(
            stage="measures",
            memory_bytes=weighed
            + MEASURED_TIE * ties
            + MEASURED_ACCOUNT * n
            + (LANE_ACCOUNT * threads * n if "community_pagerank" in spec.measures else 0),
            seconds=sum(_seconds(name, n, ties, spec.engine, threads) for name in spec.measures),
        ),
        StageEstimate(
            stage="scores",
            memory_bytes=graph
            + INDEXED_TEXT * texts
            + (tie + SCORED_TIE) * ties
            + (SCORED_ACCOUNT + REWEIGHTED * spec.rules.reweightings) * n
            + CANDIDATES,
            seconds=plain * (8e-5 * n + (1e-6 + 2e-8 * spec.rules.reweightings) * ties),
        ),
        StageEstimate(
            stage="lenses",
            memory_bytes=graph
            + tie * ties
            + SCORED_ACCOUNT * n
            + (LENS_ACCOUNT * n + LENS_FOLLOW * f + LENS_ENGAGEMENT * e if spec.lenses else 0),
            seconds=len(spec.lenses) * (6e-6 * n + 2e-7 * (f + e)),
        ),
        StageEstimate(
            stage="write_back",
            memory_bytes=graph
            + SCORED_ACCOUNT * n
            + min(PAGE_ACCOUNT * n, PAGES)
            + (LENS_ACCOUNT * n if spec.lenses else 0),
            seconds=n / 4_000 + (n / 6_000 if spec.lenses else 0),
        ),
    ]
    most = max(stage.memory_bytes for stage in stages)
    return RunEstimate(
        accounts=n,
        follows=f,
        engagements=e,
        stages=tuple(stages),
        memory_bytes=most,
        seconds=round(sum(stage.seconds for stage in stages), 1),
        available_bytes=available,
        fits=available is None or most <= available,
    )


def _seconds(measure: str, n: int, ties: int, engine: str, threads: int) -> float:
    if measure in ("betweenness", "bridging"):
        return 5e-9 * n * ties if n * ties <= EXACT_PAIRS else 20 + 1e-5 * ties
    if measure == "community_pagerank":
        communities = math.sqrt(n)  # about what the rules of useful sizes lead to; there may be far more, or fewer
        return (6 if engine == "reference" else 1) * 1e-7 * communities * ties / threads
    return 1e-7 * ties
