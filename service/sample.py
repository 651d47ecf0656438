"""A synthetic social graph of invented people, of any size, the same bytes for a seed: for the demo, tests and trials.

Everybody has latent traits: communities, popularity, sociability, influence, habits, inclination to follow back, day of
joining. Follows, interactions, posts and all the rest arise from these and chance alone, never from anything that the
service measures. So what an analysis finds was not put there by its own formula, and finding what was planted proves
something. The planted truth is written beside the graph, and never imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from service.domain import Bool, Float64, Int64
from service.errors import BadInput
from service.sample_words import BRANDS, FIRST_NAMES, LAST_NAMES, TOPICS

VERSION = 2
"""Raised when the same size and seed come to give another sample, which must not be mixed with the earlier one."""

NETWORK = "sample"
SEED = 7
DEMO_FOLLOWS = 12_500
MIN_FOLLOWS, MAX_FOLLOWS = 2_000, 10_000_000
FOLLOWS_EACH = 10.4
"""Follows for each account, on average: some 200 accounts at the smallest size."""

LAST_DAY = datetime(2025, 6, 30, tzinfo=UTC)
DAYS = 730
"""So many days before the last one the first follow may lie; posts and interactions fill the last year."""

YEAR = 365
DAY = 86_400
END = int(LAST_DAY.timestamp())
NOWHERE = -1
"""Community of isolated pairs and of bought followers."""

INTERACTION_KINDS = ("like", "reply", "mention", "repost")
RESPONSE_KINDS = ("like", "reply", "repost")
POST_KINDS = ("text", "link", "photo", "video", "repost")
RELATIONS = ("employee", "collaborator", "customer", "user")
SOURCES = ("hr", "partners", "crm", "declared")
FAVOURABLE, NEUTRAL, UNFAVOURABLE, UNKNOWN = 1, 0, -1, -9
"""Stances of mentions; also, of `paid`: 1 yes, 0 no, -9 unknown."""

_INSIDE = 0.84  # of the follows that people start, in a community of their own; the rest go anywhere
_INTERACTIONS = 1.25  # for each follow
_POSTS = 2.5  # for each account
_TREND_DAYS = 9.0  # from seeing a new topic to taking it up, on average
_TREND_PEOPLE = 2_000  # a trend that has so many goes on without being told


@dataclass(frozen=True)
class People:
    """Accounts with their latent traits; all arrays have length n.

    Attributes:
        community: int64, planted community, -1 for isolated pairs and bought followers.
        second: int64, a second community where a bridge is at home, too; else the same as `community`.
        popularity, sociability, influence, activity: float64 > 0: how much one is followed, follows, moves others
            with what one posts, and posts.
        follows_back: float64 in [0, 1].
        joined: float64, days after the first day.
        peak, weekend: float64, hour of the day (UTC) around which one is there; how much one is there on weekends.
        french: bool, language.
        topic: int64[n, 2], topics one likes best.
        broadcaster, heavy_user, bought, buyer, detractor, opted_out: bool.
        brand: int64, the brand whose own account this is, -1 for people.
    """

    community: Int64
    second: Int64
    popularity: Float64
    sociability: Float64
    influence: Float64
    activity: Float64
    follows_back: Float64
    joined: Float64
    peak: Float64
    weekend: Float64
    french: Bool
    topic: Int64
    broadcaster: Bool
    heavy_user: Bool
    bought: Bool
    buyer: Bool
    detractor: Bool
    opted_out: Bool
    brand: Int64

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.community)


@dataclass(frozen=True)
class Ties:
    """Follows or unfollows in order of time: positions of both accounts, seconds since 1970 UTC. int64[m] each."""

    follower: Int64
    followee: Int64
    at: Int64


@dataclass(frozen=True)
class Posts:
    """Posts in order of author and time. int64[p] each, `topic` int64[p, 2] with -1 for none.

    `topic` counts TOPICS first, then trends. `brand` is the brand mentioned or -1, `stance` and `paid` what is known
    of it. `french` is bool[p].
    """

    author: Int64
    at: Int64
    kind: Int64
    topic: Int64
    french: Bool
    brand: Int64
    stance: Int64
    paid: Int64


@dataclass(frozen=True)
class Interactions:
    """Interactions in order of time. int64[i] each; `post` is a position among posts, or -1.

    Of those about a post, `told` (bool[i]) says that the interaction itself names it; the others are told as responses.
    """

    account: Int64
    target: Int64
    kind: Int64
    at: Int64
    post: Int64
    told: Bool


@dataclass(frozen=True)
class Trend:
    """A topic that did not exist before: who used it first, and when everybody who took it up did."""

    name: str
    starters: list[int]
    adopters: Int64
    at: Int64


@dataclass(frozen=True)
class Relations:
    """What people are to brands. int64[r] each; `until` is -1 while it lasts."""

    account: Int64
    brand: Int64
    relation: Int64
    since: Int64
    until: Int64


@dataclass(frozen=True)
class Endorsements:
    """Who stands up for whom. int64[e] each; those that were withdrawn come a second time, later."""

    account: Int64
    endorsed: Int64
    topic: Int64
    at: Int64
    withdrawn: Bool


@dataclass(frozen=True)
class Sample:
    """A whole sample."""

    people: People
    follows: Ties
    unfollows: Ties
    posts: Posts
    interactions: Interactions
    trends: list[Trend]
    relations: Relations
    endorsements: Endorsements
    persons: Int64
    """int64[k, 2], pairs of accounts of one person."""


def make_sample(follows: int = DEMO_FOLLOWS, seed: int = SEED) -> Sample:
    """Draw a sample with exactly so many follows.

    Raises:
        BadInput: fewer than 2,000 or more than 10 million follows, or a negative seed.
    """
    if not MIN_FOLLOWS <= follows <= MAX_FOLLOWS or seed < 0:
        raise BadInput(
            f"A sample has {MIN_FOLLOWS:,} to {MAX_FOLLOWS:,} follows, and a seed from 0; "
            f"{follows:,} follows and seed {seed} were asked for."
        )
    # Each part has a stream of chance of its own, so that a change of one leaves the others alone.
    people = _people(np.random.default_rng([seed, 0]), follows)
    ties, unfollows = _ties(np.random.default_rng([seed, 1]), people, follows)
    relations = _relations(np.random.default_rng([seed, 2]), people)
    trends = _trends(np.random.default_rng([seed, 3]), people, ties)
    posts = _posts(np.random.default_rng([seed, 4]), people, trends, relations)
    interactions = _interactions(np.random.default_rng([seed, 5]), people, ties, posts)
    endorsements = _endorsements(np.random.default_rng([seed, 6]), people, ties)
    persons = _persons(np.random.default_rng([seed, 7]), people)
    return Sample(people, ties, unfollows, posts, interactions, trends, relations, endorsements, persons)


def topic_name(topic: int, trends: list[Trend]) -> str:
    """What a topic is called as a hashtag."""
    return TOPICS[topic][0] if topic < len(TOPICS) else trends[topic - len(TOPICS)].name


def handles(people: People, seed: int) -> list[str]:
    """Return invented handles such as `lea.martin`, all different, with a number where the names run out."""
    first, last = FIRST_NAMES.split(), LAST_NAMES.split()
    names = len(first) * len(last)
    order = np.random.default_rng([seed, 8]).permutation(names)
    found = []
    for i in range(people.n):
        turn, name = divmod(i, names)
        place = int(order[name])
        said = f"{first[place % len(first)]}.{last[place // len(first)]}"
        found.append(f"{said}{turn + 1}" if turn else said)
    for number, (key, _, _, _) in enumerate(BRANDS):
        for place, i in enumerate(np.flatnonzero(people.brand == number).tolist()):
            found[i] = f"{key}.{place + 1}" if place else key
    return found


# --- who they are ----------------------------------------------------------------------------------------------


def _people(rng: np.random.Generator, follows: int) -> People:
    n = round(follows / FOLLOWS_EACH)
    bought_count, pairs = max(6, n // 100), max(2, n // 100)
    regular = n - bought_count - 2 * pairs
    groups = max(4, round(8 * (n / 1200) ** 0.4))
    # Sizes fall off slowly, as those of real communities do: the largest is some times the smallest.
    size = (np.arange(groups) + 2.0) ** -0.8
    edges = np.rint(np.cumsum(size / size.sum()) * regular).astype(np.int64)
    community = np.full(n, NOWHERE, dtype=np.int64)
    community[:regular] = np.searchsorted(edges, np.arange(regular), side="right")
    bought = np.zeros(n, dtype=np.bool_)
    bought[n - bought_count :] = True

    popularity = 1 + rng.pareto(1.4, n)
    # Influence is a trait of its own; those whom many follow have somewhat more of it.
    influence = np.exp(0.8 * rng.standard_normal(n) + 0.25 * np.log(popularity))
    activity = rng.lognormal(0, 0.9, n)
    heavy_user = rng.random(n) < 0.04
    activity[heavy_user] *= 7
    joined = (DAYS - 90) * rng.beta(1, 2.5, n)
    joined[bought] = DAYS - 120 + 3 * rng.random(bought_count)

    # Three favourites of each community, shared by most of its members; French and English in a mix of its own.
    favourites = np.argsort(rng.random((groups + 1, len(TOPICS))), axis=1)[:, :3]
    topic = favourites[community, :][np.arange(n)[:, None], np.argsort(rng.random((n, 3)), axis=1)[:, :2]]
    other = rng.random((n, 2)) < 0.25
    topic[other] = rng.integers(0, len(TOPICS), int(other.sum()))
    topic[:, 1] = np.where(topic[:, 0] == topic[:, 1], (topic[:, 1] + 1) % len(TOPICS), topic[:, 1])
    french = rng.random(n) < rng.choice([0.1, 0.5, 0.85], groups + 1)[community]

    second = community.copy()
    bridges = rng.choice(regular, max(6, regular // 70), replace=False)
    second[bridges] = (community[bridges] + rng.integers(1, groups, len(bridges))) % groups

    brand = np.full(n, -1, dtype=np.int64)
    own = rng.choice(regular, 4, replace=False)
    brand[own] = [0, 0, 1, 2]
    popularity[own] = np.quantile(popularity, 0.995)

    def some(share: float, least: int) -> Bool:
        chosen = np.zeros(n, dtype=np.bool_)
        able = np.flatnonzero(brand[:regular] < 0)
        chosen[rng.choice(able, max(least, int(share * regular)), replace=False)] = True
        return chosen

    return People(
        community=community,
        second=second,
        popularity=popularity,
        sociability=rng.lognormal(0, 0.8, n),
        influence=influence,
        activity=activity,
        follows_back=rng.beta(0.9, 2.6, n),
        joined=joined,
        peak=np.where(rng.random(n) < 0.7, rng.normal(18.5, 2, n), rng.normal(11, 2, n)) % 24,
        weekend=rng.uniform(0.3, 1.0, n),
        french=french,
        topic=topic,
        broadcaster=(rng.random(n) < 0.04) & (community != NOWHERE),
        heavy_user=heavy_user & (community != NOWHERE),
        bought=bought,
        buyer=some(0.0, 3),
        detractor=some(0.003, 3),
        opted_out=some(0.01, 3),
        brand=brand,
    )


# --- whom they follow --------------------------------------------------------------------------------------------


def _ties(rng: np.random.Generator, people: People, wanted: int) -> tuple[Ties, Ties]:
    """Draw exactly so many follows, and some more that ended."""
    n = people.n
    special = _bought_ties(rng, people)
    alone = np.flatnonzero((people.community == NOWHERE) & ~people.bought).reshape(-1, 2)
    pairs = np.concatenate([special[0] * n + special[1], alone[:, 0] * n + alone[:, 1], alone[:, 1] * n + alone[:, 0]])
    day = np.concatenate([special[2], np.tile(people.joined[alone].max(axis=1) + 1, 2)])
    ended = wanted // 60
    regular = wanted - len(pairs) + ended

    # The same pair may be drawn twice, so more are drawn until there are enough different ones.
    drawn, drawn_day = np.empty(0, dtype=np.int64), np.empty(0)
    while len(drawn) < regular:
        more, more_day = _drawn_ties(rng, people, int(1.1 * (regular - len(drawn))) + 100)
        drawn, first = np.unique(np.concatenate([drawn, more]), return_index=True)
        drawn_day = np.concatenate([drawn_day, more_day])[first]
    kept = rng.permutation(len(drawn))[:regular]
    drawn, drawn_day = drawn[kept], drawn_day[kept]
    follows = _in_order(np.concatenate([pairs, drawn[ended:]]), np.concatenate([day, drawn_day[ended:]]), n)
    end = drawn_day[:ended] + (DAYS - drawn_day[:ended]) * rng.random(ended)
    return follows, _in_order(drawn[:ended], end, n)


def _drawn_ties(rng: np.random.Generator, people: People, draws: int) -> tuple[Int64, Float64]:
    """Draw follows that people start, and those that come back for them, as (follower · n + followee, day)."""
    regular = int((people.community != NOWHERE).sum())
    chance = np.cumsum(people.sociability[:regular])
    follower = np.minimum(np.searchsorted(chance, rng.random(draws) * chance[-1]), regular - 1)
    where = np.where(rng.random(draws) < 0.5, people.second[follower], people.community[follower])
    followee = _by_popularity(rng, people, np.where(rng.random(draws) < _INSIDE, where, NOWHERE), regular)
    follower, followee = follower[follower != followee], followee[follower != followee]
    start = np.maximum(people.joined[follower], people.joined[followee])
    day = start + (DAYS - start) * rng.beta(1, 1.6, len(follower))
    back = rng.random(len(follower)) < people.follows_back[followee]
    day_back = day + np.minimum(rng.exponential(5, len(follower)), 0.999 * (DAYS - day))
    pairs = np.concatenate([follower * people.n + followee, followee[back] * people.n + follower[back]])
    return pairs, np.concatenate([day, day_back[back]])


def _by_popularity(rng: np.random.Generator, people: People, where: Int64, regular: int) -> Int64:
    """Draw an account for each entry of `where`, in that community (or anywhere), in proportion to popularity.

    Accounts stand in order of community, so that a community is a range of the running sum.
    """
    total = np.concatenate([[0.0], np.cumsum(people.popularity[:regular])])
    bounds = np.searchsorted(people.community[:regular], np.arange(people.community.max() + 2))
    low = np.where(where == NOWHERE, 0, bounds[where])
    high = np.where(where == NOWHERE, regular, bounds[where + 1])
    place = total[low] + rng.random(len(where)) * (total[high] - total[low])
    found: Int64 = np.clip(np.searchsorted(total, place, side="right") - 1, low, high - 1)
    return found


def _bought_ties(rng: np.random.Generator, people: People) -> tuple[Int64, Int64, Float64]:
    """Bought followers follow a few buyers in a burst of hours, and each other in a ring."""
    bought, buyers = np.flatnonzero(people.bought), np.flatnonzero(people.buyer)
    k = len(bought)
    chosen = np.argsort(rng.random((k, len(buyers))), axis=1)[:, :2]
    steps = np.arange(1, min(5, k))
    follower = np.concatenate([np.repeat(bought, 2), np.repeat(bought, len(steps))])
    followee = np.concatenate([buyers[chosen].ravel(), bought[(np.arange(k)[:, None] + steps) % k].ravel()])
    day = DAYS - 116 + 0.5 * rng.random(len(follower))
    return follower, followee, np.maximum(day, np.maximum(people.joined[follower], people.joined[followee]))


def _in_order(pairs: Int64, day: Float64, n: int) -> Ties:
    at = END - DAYS * DAY + np.floor(day * DAY).astype(np.int64)
    order = np.lexsort((pairs, at))
    return Ties(pairs[order] // n, pairs[order] % n, at[order])


# --- what they are to brands --------------------------------------------------------------------------------------


def _relations(rng: np.random.Generator, people: People) -> Relations:
    regular = np.flatnonzero((people.community != NOWHERE) & (people.brand < 0))
    share = {"employee": 0.02, "collaborator": 0.012, "customer": 0.05, "user": 0.04}
    found: list[tuple[Int64, Int64, Int64]] = []
    for brand, (_, _, topics, _) in enumerate(BRANDS):
        liked = [i for i, (name, _, _) in enumerate(TOPICS) if name in topics]
        fond = 1 + 4 * np.isin(people.topic[regular], liked).any(axis=1)
        # Those who work for a brand know each other: most of them are of two communities.
        home = np.isin(people.community[regular], rng.choice(people.community.max() + 1, 2, replace=False))
        for relation, name in enumerate(RELATIONS):
            weight = np.where(home, 12.0, 1.0) if name == "employee" else fond.astype(np.float64)
            count = max(5, round(share[name] * len(regular)))
            chosen = regular[np.argsort(rng.exponential(size=len(regular)) / weight)[:count]]
            found.append((chosen, np.full(count, brand), np.full(count, relation)))
    account, of_brand, kind = (np.concatenate([one[i] for one in found]) for i in range(3))
    since = END - (rng.random(len(account)) * 6 * YEAR * DAY).astype(np.int64)
    until = since + (rng.random(len(account)) * (END - since)).astype(np.int64)
    until[rng.random(len(account)) >= 0.12] = -1
    return Relations(account, of_brand, kind, since // DAY * DAY, np.where(until < 0, -1, (until // DAY + 1) * DAY))


# --- what they write ---------------------------------------------------------------------------------------------


def _trends(rng: np.random.Generator, people: People, ties: Ties) -> list[Trend]:
    """Let new topics spread along follows: from a few starters to their followers, and on, each time with a delay."""
    order = np.argsort(ties.followee, kind="stable")
    followers = ties.follower[order]
    bounds = np.searchsorted(ties.followee[order], np.arange(people.n + 1))
    groups = int(people.community.max()) + 1
    there = people.joined - (DAYS - YEAR)  # since which day of the last year
    trends = []
    for number in range(max(3, groups // 2)):
        members = np.flatnonzero((people.community == number % groups) & (people.brand < 0))
        # Starters are people whom others listen to, but not the most popular ones; they are there when it begins.
        begin = max(rng.uniform(YEAR * 0.2, YEAR * 0.6), float(np.sort(there[members])[2]) + 1)
        weight = np.where(there[members] < begin, people.influence[members] ** 2, 0.0)
        starters = np.sort(rng.choice(members, 3, replace=False, p=weight / weight.sum()))
        adopted = dict(zip(starters.tolist(), (10 * rng.random(3)).tolist(), strict=True))
        wave = starters.tolist()
        for _ in range(4):
            if len(adopted) > _TREND_PEOPLE:
                break
            following = []
            for one in wave:
                near = followers[bounds[one] : bounds[one + 1]]
                chance = min(0.3, 0.03 * float(people.influence[one]))
                for other in near[rng.random(len(near)) < chance].tolist():
                    days = adopted[one] + 2 + float(rng.exponential(_TREND_DAYS))
                    if other not in adopted and not people.bought[other] and there[other] < begin + days:
                        adopted[other] = days
                        following.append(other)
            wave = following
        adopters = np.array(sorted(adopted), dtype=np.int64)
        days = np.minimum(begin + np.array([adopted[one] for one in adopters.tolist()]), YEAR - 0.1)
        at = END - YEAR * DAY + np.floor(days * DAY).astype(np.int64)
        trends.append(Trend(f"vague{number + 1}", starters.tolist(), adopters, at))
    return trends


def _posts(rng: np.random.Generator, people: People, trends: list[Trend], relations: Relations) -> Posts:
    n, count = people.n, round(_POSTS * people.n)
    weight = np.cumsum(np.where(people.bought, 0.0, people.activity))
    author = np.minimum(np.searchsorted(weight, rng.random(count) * weight[-1]), n - 1)
    # Everybody who is called a broadcaster is seen to be one: at least two dozen posts.
    loud = np.flatnonzero(people.broadcaster)
    author = np.concatenate([author, np.repeat(loud, 24)])
    at = _moments(rng, people, author)
    kind = _chosen(rng, np.array([0.40, 0.20, 0.25, 0.05, 0.10]), len(author))
    shared = _chosen(rng, np.array([0.06, 0.36, 0.04, 0.02, 0.52]), len(author))
    kind = np.where(people.broadcaster[author], shared, kind)
    topic = people.topic[author]
    topic = np.where(rng.random((len(author), 1)) < 0.5, topic, topic[:, ::-1])
    topic[:, 1] = np.where(rng.random(len(author)) < 0.35, topic[:, 1], -1)

    for number, trend in enumerate(trends):
        author = np.concatenate([author, trend.adopters])
        at = np.concatenate([at, trend.at])
        kind = np.concatenate([kind, np.zeros(len(trend.adopters), dtype=np.int64)])
        new = np.full((len(trend.adopters), 2), -1, dtype=np.int64)
        new[:, 0] = len(TOPICS) + number
        topic = np.concatenate([topic, new])

    # People speak of brands they have to do with, now and then; collaborators are sometimes paid for it.
    speakers = rng.permutation(len(relations.account))[: max(12, int(0.8 * len(relations.account)))]
    by, of_brand = relations.account[speakers], relations.brand[speakers]
    stance = np.array([FAVOURABLE, NEUTRAL, UNKNOWN, UNFAVOURABLE])[
        _chosen(rng, np.array([0.6, 0.2, 0.16, 0.04]), len(by))
    ]
    collaborator = relations.relation[speakers] == RELATIONS.index("collaborator")
    paid = np.where(collaborator & (rng.random(len(by)) < 0.5), 1, np.where(rng.random(len(by)) < 0.6, 0, UNKNOWN))
    spoken_at = _moments(rng, people, by)
    # Detractors complain several times within the last weeks.
    angry = np.repeat(np.flatnonzero(people.detractor), 4)
    angry_brand = np.repeat(rng.integers(0, len(BRANDS), len(angry) // 4), 4)
    angry_at = END - (rng.random(len(angry)) * 75 * DAY).astype(np.int64) - 3600
    brand_posts = len(by) + len(angry)
    author = np.concatenate([author, by, angry])
    at = np.concatenate([at, spoken_at, angry_at])
    kind = np.concatenate([kind, np.zeros(brand_posts, dtype=np.int64)])
    topic = np.concatenate([topic, np.full((brand_posts, 2), -1, dtype=np.int64)])
    before = len(author) - brand_posts
    brand = np.concatenate([np.full(before, -1), of_brand, angry_brand])
    stance = np.concatenate([np.full(before, UNKNOWN), stance, np.full(len(angry), UNFAVOURABLE)])
    paid = np.concatenate([np.full(before, UNKNOWN), paid, np.zeros(len(angry), dtype=np.int64)])
    french = np.where(rng.random(len(author)) < 0.93, people.french[author], ~people.french[author])
    order = np.lexsort((kind, at, author))
    return Posts(
        author[order], at[order], kind[order], topic[order], french[order], brand[order], stance[order], paid[order]
    )


def _moments(rng: np.random.Generator, people: People, who: Int64) -> Int64:
    """Draw a moment of the last year for each of these accounts, after they joined, by their habits."""
    first = np.maximum(people.joined[who] - (DAYS - YEAR), 0)
    day = np.floor(first + 1 + (YEAR - 2 - first) * rng.random(len(who))).astype(np.int64)
    # Those who are away on weekends come on a weekday before. LAST_DAY is a Monday, and so is the day YEAR - 7 k.
    weekday = (day - YEAR) % 7
    away = (weekday >= 5) & (rng.random(len(who)) > people.weekend[who])
    day = np.where(away, np.maximum(day - rng.integers(2, 5, len(who)), np.ceil(first).astype(np.int64)), day)
    hour = (people.peak[who] + rng.normal(0, 2.2, len(who))) % 24
    at = END - (YEAR - day) * DAY + np.floor(hour * 3600).astype(np.int64)
    joined = END - DAYS * DAY + np.ceil(people.joined[who] * DAY).astype(np.int64)
    return np.clip(at, joined, END - 1)


def _chosen(rng: np.random.Generator, chances: Float64, count: int) -> Int64:
    return np.minimum(np.searchsorted(np.cumsum(chances), rng.random(count)), len(chances) - 1)


# --- what they do with each other ----------------------------------------------------------------------------------


def _interactions(rng: np.random.Generator, people: People, ties: Ties, posts: Posts) -> Interactions:
    count = round(_INTERACTIONS * len(ties.at))
    forth = ties.follower * people.n + ties.followee
    back = ties.followee * people.n + ties.follower
    mutual = np.isin(back, forth)
    # Followers act on those who move them, and more among friends; bought followers do nothing for anybody.
    weight = people.influence[ties.followee] * np.sqrt(people.activity[ties.follower]) * np.where(mutual, 2.5, 1.0)
    weight[people.bought[ties.follower]] = 0
    chance = np.cumsum(weight)
    tie = np.minimum(np.searchsorted(chance, rng.random(count) * chance[-1]), len(weight) - 1)
    account, target = ties.follower[tie], ties.followee[tie]
    # One in twelve comes from somebody who does not follow: it was seen by way of others.
    strange = np.flatnonzero(rng.random(count) < 0.08)
    passers = rng.choice(np.flatnonzero(people.community != NOWHERE), len(strange))
    keep = passers != target[strange]
    account[strange[keep]] = passers[keep]
    kind = _chosen(rng, np.array([0.62, 0.16, 0.10, 0.12]), count)
    kind = np.where(people.broadcaster[account] & (rng.random(count) < 0.4), INTERACTION_KINDS.index("repost"), kind)
    at = _moments(rng, people, account)

    talk = _conversations(rng, people, ties, mutual)
    account, target = np.concatenate([account, talk[0]]), np.concatenate([target, talk[1]])
    at = np.concatenate([at, talk[2]])
    kind = np.concatenate([kind, np.full(len(talk[2]), INTERACTION_KINDS.index("reply"))])
    order = np.lexsort((kind, target, account, at))
    account, target, kind, at = (one[order] for one in (account, target, kind, at))

    # About which post: the latest of the target before it, for two in three (mentions are about no post).
    key = posts.author * (END + DAY) + posts.at
    post = np.searchsorted(key, target * (END + DAY) + at, side="left") - 1
    about = (post >= 0) & (posts.author[np.maximum(post, 0)] == target) & (rng.random(len(at)) < 0.66)
    about &= kind != INTERACTION_KINDS.index("mention")
    return Interactions(account, target, kind, at, np.where(about, post, -1), rng.random(len(at)) < 0.5)


def _conversations(rng: np.random.Generator, people: People, ties: Ties, mutual: Bool) -> tuple[Int64, Int64, Int64]:
    """Let some pairs of friends talk for weeks: replies that go back and forth, every few days."""
    able = np.flatnonzero(mutual & (ties.follower < ties.followee) & ~people.bought[ties.follower])
    chosen = rng.permutation(able)[: max(5, len(ties.at) // 300)]
    turns = rng.integers(8, 31, len(chosen))
    tie = np.repeat(chosen, turns)
    turn = np.arange(len(tie)) - np.repeat(np.cumsum(turns) - turns, turns)
    one, other = ties.follower[tie], ties.followee[tie]
    begin = np.repeat(rng.uniform(0, YEAR - 75, len(chosen)), turns)
    at = END - YEAR * DAY + np.floor((begin + turn * 2.2 + rng.random(len(tie))) * DAY).astype(np.int64)
    joined = np.maximum(people.joined[one], people.joined[other])
    at = np.clip(at, END - DAYS * DAY + np.ceil(joined * DAY).astype(np.int64) + turn, END - 1)
    even = turn % 2 == 0
    return np.where(even, one, other), np.where(even, other, one), at


def _endorsements(rng: np.random.Generator, people: People, ties: Ties) -> Endorsements:
    able = np.flatnonzero(~people.bought[ties.follower] & (people.brand[ties.follower] < 0))
    chance = np.cumsum(people.influence[ties.followee[able]])
    count = max(10, people.n // 40)
    tie = np.unique(able[np.minimum(np.searchsorted(chance, rng.random(count) * chance[-1]), len(able) - 1)])
    account, endorsed = ties.follower[tie], ties.followee[tie]
    topic = people.topic[endorsed, 0]
    at = ties.at[tie] + np.floor((END - ties.at[tie]) * 0.9 * rng.random(len(tie))).astype(np.int64)
    gone = rng.random(len(tie)) < 0.08
    later = at[gone] + 1 + np.floor((END - 2 - at[gone]) * rng.random(int(gone.sum()))).astype(np.int64)
    withdrawn = np.concatenate([np.zeros(len(tie), dtype=np.bool_), np.ones(len(later), dtype=np.bool_)])
    columns = (
        np.concatenate([account, account[gone]]),
        np.concatenate([endorsed, endorsed[gone]]),
        np.concatenate([topic, topic[gone]]),
        np.concatenate([at, later]),
        withdrawn,
    )
    order = np.lexsort((columns[4], columns[1], columns[0], columns[3]))
    return Endorsements(*(one[order] for one in columns))


def _persons(rng: np.random.Generator, people: People) -> Int64:
    regular = np.flatnonzero((people.community != NOWHERE) & (people.brand < 0))
    count = max(2, math.floor(0.005 * len(regular)))
    return rng.permutation(regular)[: 2 * count].reshape(-1, 2)
