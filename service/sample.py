"""A small synthetic follower graph for the demo: invented people, planted communities, the same bytes for a seed.

Everybody has latent traits (community, appeal, sociability, inclination to follow back, day of joining), and follows
arise from these and chance alone, never from anything that the service measures. So what the analysis finds was not
put there by its own formula.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from service.domain import Float64, Int64
from service.errors import ConfigurationError

NETWORK = "sample"
SEED = 7
COMMUNITY_SIZES = (270, 215, 180, 150, 125, 100, 80, 56)
ISOLATED_PAIRS = 12
BRIDGES = 16
LAST_DAY = datetime(2025, 6, 30, tzinfo=UTC)
DAYS = 730
NOWHERE = -1
"""Community of the isolated pairs."""

_INSIDE = 0.84
_DRAWN_FOLLOWS = 11_500
_FIRST_NAMES = (
    "ada adil aiko alma amir anna aram asha bela bruno carla chen clara dana dario dina edda elif emil enzo esra "
    "fadi fatou felix fumi gita goran hana hugo ida ilya ines ivo jana jonas juno kaito karim kira lara lea leo lina "
    "luca maja malik mara mika mina nadia nils noor nuno olga omar oskar paula pavel petra rafi rana remy rosa ruben "
    "sami sara selma sofia tariq theo tilda uma vera victor wanda yara yusuf zoe"
)
_LAST_NAMES = (
    "abel adler amsel arndt banks bauer becker berg blum brandt castell conti costa dahl diaz duarte ekman engel "
    "falk ferro fink frank galo garcia gross haas hagen hansen heller holm ito jansen jung kaya keller klein kovac "
    "kruse lang larsen lenz lindt lopez maier marek martin meyer moreno mori nagy neri noll novak okafor olsen ortiz "
    "park peters popov quist rau reyes rossi roth sato sauer silva sommer stark stein sun tanaka toth ullman vidal "
    "vogel wagner weiss winter wolf yilmaz zanetti"
)


@dataclass(frozen=True)
class Sample:
    """A sample graph.

    Attributes:
        handles: length n, all different.
        community: int64[n], the planted community of each account, -1 in an isolated pair.
        follower, followee: int64[m], positions in `handles`; each pair once, nobody follows themselves.
        followed_at: int64[m], seconds since 1970 UTC, ascending.
    """

    handles: list[str]
    community: Int64
    follower: Int64
    followee: Int64
    followed_at: Int64


def make_sample(seed: int = SEED) -> Sample:
    """Draw a sample graph: 1,200 accounts in eight communities and twelve isolated pairs, about 12,000 follows."""
    rng = np.random.default_rng(seed)
    in_communities = sum(COMMUNITY_SIZES)
    accounts = in_communities + 2 * ISOLATED_PAIRS
    community = np.concatenate(
        [np.repeat(np.arange(len(COMMUNITY_SIZES)), COMMUNITY_SIZES), np.full(2 * ISOLATED_PAIRS, NOWHERE)]
    )
    appeal = 1 + rng.pareto(1.4, size=accounts)
    sociability = rng.lognormal(0, 0.8, size=accounts)
    follows_back = rng.beta(0.9, 2.6, size=accounts)
    joined = (DAYS - 90) * rng.beta(1, 2.5, size=accounts)
    second = _second_communities(rng, community)

    # Who starts a follow, and in which community they look: their own, for a bridge either of two, or anywhere.
    # More are drawn than needed: the same pair may come twice, and follows back come on top.
    draws = _DRAWN_FOLLOWS
    weight = sociability[:in_communities]
    follower = rng.choice(in_communities, size=draws, p=weight / weight.sum())
    where = np.where(rng.random(draws) < 0.5, second[follower], community[follower])
    where = np.where(rng.random(draws) < _INSIDE, where, NOWHERE)
    followee = _drawn_by_appeal(rng, where, community[:in_communities], appeal[:in_communities])
    pairs = np.arange(in_communities, accounts).reshape(-1, 2)
    follower, followee = np.concatenate([follower, pairs[:, 0]]), np.concatenate([followee, pairs[:, 1]])

    back = rng.random(len(follower)) < follows_back[followee]
    start = np.maximum(joined[follower], joined[followee])
    day = start + (DAYS - start) * rng.beta(1, 1.6, size=len(follower))
    day_back = day + np.minimum(rng.exponential(5, size=len(follower)), 0.999 * (DAYS - day))
    return _sorted(
        _handles(rng, accounts),
        community,
        np.concatenate([follower, followee[back]]),
        np.concatenate([followee, follower[back]]),
        np.concatenate([day, day_back[back]]),
    )


def _second_communities(rng: np.random.Generator, community: Int64) -> Int64:
    """Return the community in which everybody is at home besides their own: the same one, but for a few bridges."""
    second = community.copy()
    bridges = rng.choice(np.flatnonzero(community != NOWHERE), size=BRIDGES, replace=False)
    step = rng.integers(1, len(COMMUNITY_SIZES), size=BRIDGES)
    second[bridges] = (community[bridges] + step) % len(COMMUNITY_SIZES)
    return second


def _drawn_by_appeal(rng: np.random.Generator, where: Int64, community: Int64, appeal: Float64) -> Int64:
    """Draw an account for each entry of `where`, in that community (or anywhere), in proportion to appeal."""
    drawn = np.empty(len(where), dtype=np.int64)
    for place in range(NOWHERE, len(COMMUNITY_SIZES)):
        there = np.flatnonzero(community == place) if place != NOWHERE else np.arange(len(community))
        wanted = where == place
        share = appeal[there] / appeal[there].sum()
        drawn[wanted] = rng.choice(there, size=int(wanted.sum()), p=share)
    return drawn


def _handles(rng: np.random.Generator, accounts: int) -> list[str]:
    """Return invented handles such as `lea.martin`, all different."""
    first, last = _FIRST_NAMES.split(), _LAST_NAMES.split()
    names = rng.choice(len(first) * len(last), size=accounts, replace=False)
    return [f"{first[i % len(first)]}.{last[i // len(first)]}" for i in names]


def _sorted(handles: list[str], community: Int64, follower: Int64, followee: Int64, day: Float64) -> Sample:
    """Keep the first follow of each pair, without self-follows, in order of time."""
    first_day = LAST_DAY - timedelta(days=DAYS)
    at = int(first_day.timestamp()) + np.floor(day * 86_400).astype(np.int64)
    order = np.lexsort((followee, follower, at))
    order = order[follower[order] != followee[order]]
    _, first = np.unique(follower[order] * len(handles) + followee[order], return_index=True)
    order = order[np.sort(first)]
    return Sample(handles, community, follower[order], followee[order], at[order])


def write_sample(path: Path, seed: int = SEED) -> Path:
    """Write the sample as CSV (`follower,followee,followed_at`) and return the file.

    Args:
        path: a file that ends in `.csv`, or else a folder, which gets a `follows.csv`. What is there is replaced.
        seed: the same seed, the same bytes.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    sample = make_sample(seed)
    file = path if path.suffix == ".csv" else path / "follows.csv"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="ascii", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(("follower", "followee", "followed_at"))
            for i, j, at in zip(sample.follower, sample.followee, sample.followed_at, strict=True):
                time = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                writer.writerow((sample.handles[i], sample.handles[j], time))
    except OSError as error:
        raise ConfigurationError(
            f"The sample cannot be written to {file}: {error.strerror}; "
            "let ENTOURAGE_DATA_DIR name a folder with room that you may write to."
        ) from error
    return file
