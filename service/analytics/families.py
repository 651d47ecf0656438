"""What is read of a graph, kind by kind, as sorted arrays: accounts, follows, interactions, brands, topics, and so on.

Whatever order it was read in, the arrays are the same; what cannot be is refused.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from service.analytics.sparse import entries_pointers, first_twice, rows_both_ways
from service.domain import (
    DAY_MS,
    PAID_UNKNOWN,
    POSTING_NAMES,
    STANCE_UNKNOWN,
    AccountColumns,
    Bool,
    BrandColumns,
    EndorsementColumns,
    EngagementColumns,
    Float64,
    FollowColumns,
    Int8,
    Int32,
    Int64,
    MentionColumns,
    PostingColumns,
    Texts,
    TopicColumns,
    WordColumns,
)
from service.errors import RunFailed

MOST_GAPS = 4
"""Up to so many numbers for each account are looked up in a table: eight bytes each."""

YEARS_MS = (-62_135_596_800_000, 253_402_300_799_999)
"""First and last millisecond of the years 1 to 9999, which dates can show."""

MOST_COUNTED = 10**12
"""Largest count of a day that is taken, as in an import: the counts of a window then add up in 64 bits."""

MOST_POSTS = int(np.iinfo(np.int32).max)
"""Largest number of posts of an account that is taken: about one topic, or of one day."""


@dataclass(frozen=True)
class Accounts:
    """Accounts as `domain.Graph` has them; `sorted_number` are their numbers ascending, `by_number` whose each is."""

    number: Int32
    keys: Texts
    handles: Texts
    opted_out: Bool
    followers: Int64
    bio: Int64
    sorted_number: Int32
    by_number: Int64

    @classmethod
    def of(cls, number: Int32, keys: Texts, handles: Texts, opted_out: Bool, followers: Int64, bio: Int64) -> Accounts:
        """Put accounts together that are in order of their keys."""
        by_number = np.argsort(number, kind="stable")
        return cls(number, keys, handles, opted_out, followers, bio, number[by_number], by_number)

    @property
    def n(self) -> int:
        """Number of accounts."""
        return len(self.number)

    def positions(self, what: str, numbers: Int64) -> Int64:
        """Translate `Account.n` to positions in key order.

        Raises:
            RunFailed: there is no such account; `what` says what names it.
        """
        if len(numbers) == 0:
            return np.zeros(0, dtype=np.int64)
        most = int(self.sorted_number[-1]) if self.n else -1
        if most < MOST_GAPS * self.n:
            # Looking into a table takes a tenth of the time of searching.
            table = np.full(most + 2, -1, dtype=np.int64)
            table[self.number] = np.arange(self.n)
            positions: Int64 = table[np.where((numbers < 0) | (numbers > most), most + 1, numbers)]
            found = positions >= 0
        else:
            place = np.searchsorted(self.sorted_number, numbers)
            found = place < self.n
            found[found] = self.sorted_number[place[found]] == numbers[found]
            positions = self.by_number[np.minimum(place, self.n - 1)]
        if not bool(np.all(found)):
            unknown = int(numbers[~found].min())
            raise RunFailed(
                f"A {what} names account number {unknown}, which was not read; analyse again, "
                "and import your files anew if this comes back."
            )
        return positions


def accounts_of(columns: AccountColumns) -> Accounts:
    """Sort accounts by key.

    Raises:
        RunFailed: an account stands twice, or has a number that does not fit.
    """
    by_key = sorted(range(len(columns.key)), key=columns.key.__getitem__)
    order = np.array(by_key, dtype=np.int64)
    keys = [columns.key[i] for i in by_key]
    number = columns.n[order]
    if any(a == b for a, b in itertools.pairwise(keys)) or bool(np.any(np.diff(np.sort(number)) == 0)):
        raise RunFailed("An account was read twice; check that the constraints on Account.key and Account.n exist.")
    if len(keys) and (number.min() < 0 or number.max() > np.iinfo(np.int32).max):
        raise RunFailed("An account has a number that is not in 0..2147483647; export the graph and import it anew.")
    return Accounts.of(
        number=number.astype(np.int32),
        keys=Texts.of(keys),
        handles=Texts.of(columns.handle[i] or "" for i in by_key),
        opted_out=columns.opted_out[order],
        followers=columns.followers[order],
        bio=np.zeros(len(keys), dtype=np.int64) if columns.bio is None else columns.bio[order],
    )


@dataclass(frozen=True)
class Follows:
    """Follows as `domain.Graph` has them: in rows by follower, and (`in_`) by followee."""

    ptr: Int64
    idx: Int32
    weight: Float64
    day: Int32
    in_ptr: Int64
    in_idx: Int32


def follows_of(columns: FollowColumns, accounts: Accounts) -> Follows:
    """Sort follows by their ends.

    Raises:
        RunFailed: they name an unknown account, are of oneself, stand twice, or have a weight or time that cannot be.
    """
    source = accounts.positions("follow", columns.source).astype(np.int32)
    target = accounts.positions("follow", columns.target).astype(np.int32)
    if bool(np.any(source == target)):
        itself = accounts.keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} follows itself; delete that FOLLOWS relationship and analyse again.")
    if not bool(np.all(np.isfinite(columns.weight) & (columns.weight > 0))):
        raise RunFailed("A follow has a weight that is not positive and finite; set it right and analyse again.")
    day = np.full(len(source), -1, dtype=np.int64) if columns.day is None else columns.day
    if bool(np.any((day < YEARS_MS[0] // DAY_MS) | (day > YEARS_MS[1] // DAY_MS))):
        raise RunFailed("A follow has a time outside the years 1 to 9999; set it right and analyse again.")
    ptr, idx, weight, in_ptr, in_idx, _ = rows_both_ways(source, target, columns.weight, accounts.n)
    twice = first_twice(ptr, idx)
    if twice != (-1, -1):
        pair = f"{accounts.keys[twice[0]]} follows {accounts.keys[twice[1]]}"
        raise RunFailed(f"A follow exists twice ({pair}); delete one of the relationships and analyse again.")
    days: Float64 | Int64 = day
    if not bool(np.all(day == day[:1])):  # none is known, mostly
        days = rows_both_ways(source, target, day.astype(np.float64), accounts.n)[2]
    return Follows(ptr, idx, weight, days.astype(np.int32), in_ptr, in_idx)


@dataclass(frozen=True)
class Engagements:
    """Interactions as `domain.Graph` has them."""

    ptr: Int64
    idx: Int32
    day: Int32
    code: Int32
    counts: Int64


def engagements_of(columns: EngagementColumns, accounts: Accounts) -> Engagements:
    """Sort interactions by their ends and day, and number the different counts.

    Raises:
        RunFailed: they name an unknown account, are with oneself, stand twice, or have a count or day that cannot be.
    """
    source = accounts.positions("count of interactions", columns.source)
    target = accounts.positions("count of interactions", columns.target)
    day, counts = columns.day, columns.counts
    if bool(np.any(source == target)):
        itself = accounts.keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} engages with itself; delete that ENGAGED relationship and analyse again.")
    if bool(np.any((counts < 0) | (counts > MOST_COUNTED))):
        raise RunFailed(f"A count of interactions is not in 0..{MOST_COUNTED:,}; set it right and analyse again.")
    if bool(np.any((day < YEARS_MS[0] // DAY_MS) | (day > YEARS_MS[1] // DAY_MS))):
        raise RunFailed("Interactions have a day outside the years 1 to 9999; set it right and analyse again.")
    n = accounts.n
    pair = source * n + target
    order = np.lexsort((day, pair))
    pair, day, counts = pair[order], day[order], counts[order]
    twice = np.flatnonzero((np.diff(pair) == 0) & (np.diff(day) == 0))
    if len(twice):
        one, other = divmod(int(pair[twice[0]]), n)
        raise RunFailed(
            f"Interactions of {accounts.keys[one]} with {accounts.keys[other]} stand twice on one day; "
            "delete one of the ENGAGED relationships and analyse again."
        )
    different, code = distinct(counts)
    return Engagements(
        ptr=entries_pointers(pair // max(n, 1), n),
        idx=(pair % max(n, 1)).astype(np.int32),
        day=day.astype(np.int32),
        code=code,
        counts=different,
    )


def distinct(rows: Int64) -> tuple[Int64, Int32]:
    """Sort rows of numbers and leave out what stands twice; and which of these each row is."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    code = np.empty(len(ordered), dtype=np.int32)
    code[order] = np.cumsum(new) - 1
    return ordered[new], code


@dataclass(frozen=True)
class Brands:
    """Brands, their own accounts and relations to them as `domain.Graph` has them; `place` of each key among `keys`."""

    keys: list[str]
    names: list[str | None]
    place: dict[str, int]
    own_account: Int32
    own_brand: Int32
    relations: Int64


def brands_of(columns: BrandColumns, accounts: Accounts) -> Brands:
    """Sort brands by key, their own accounts by account and brand; pairs of these that are alike become one.

    Relations are five rows (account, brand, relation, since, until), in this order; those alike in all become one.

    Raises:
        RunFailed: a brand stands twice, an account or brand is not known, a relation has a time that no calendar shows.
    """
    order = sorted(range(len(columns.key)), key=columns.key.__getitem__)
    keys = [columns.key[k] for k in order]
    if any(a == b for a, b in itertools.pairwise(keys)):
        raise RunFailed("A brand was read twice; check that the constraint on Brand.key exists.")
    place = {key: k for k, key in enumerate(keys)}
    own = [
        accounts.positions("brand's own account", columns.own),
        _brand_positions("brand's own account", columns.own_brand, place),
    ]
    pairs = distinct(np.stack(own, axis=1))[0].astype(np.int32)
    account = accounts.positions("relation", columns.account)
    brand = _brand_positions("relation", columns.brand, place)
    for times in (columns.since, columns.until):
        _check_times("A relation of account {} to a brand has a time", times, account, accounts)
    relations = [account, brand, columns.relation.astype(np.int64), columns.since, columns.until]
    return Brands(
        keys=keys,
        names=[columns.name[k] for k in order],
        place=place,
        own_account=pairs[:, 0].copy(),
        own_brand=pairs[:, 1].copy(),
        relations=distinct(np.stack(relations, axis=1))[0].T.copy(),
    )


def _check_times(says: str, times: Int64, account: Int64, accounts: Accounts) -> None:
    """Refuse times in milliseconds that no calendar shows; `says` has a place for the account's key."""
    wrong = (times < YEARS_MS[0]) | (times > YEARS_MS[1])
    if bool(np.any(wrong)):
        where = says.format(accounts.keys[int(account[wrong].min())])
        raise RunFailed(f"{where} outside the years 1 to 9999; set it right and analyse again.")


@dataclass(frozen=True)
class Topics:
    """Topics of accounts as `domain.Graph` has them."""

    names: Texts
    ptr: Int64
    idx: Int32
    posts: Int32
    first: Int64
    post: Texts
    latest: Int64


def topics_of_accounts(columns: TopicColumns, accounts: Accounts) -> Topics:
    """Sort topics of accounts by account, then name.

    Raises:
        RunFailed: they name an unknown account, stand twice, or have a count of posts or a time that cannot be.
    """
    account = accounts.positions("count of posts", columns.account)
    names = sorted(set(columns.topic))
    position = {name: k for k, name in enumerate(names)}
    topic = np.array([position[name] for name in columns.topic], dtype=np.int64)
    if bool(np.any((columns.posts < 1) | (columns.posts > MOST_POSTS))):
        raise RunFailed(
            f"An account has a topic with a number of posts that is not in 1..{MOST_POSTS}; analyse again, "
            "and import your files anew if this comes back."
        )
    _check_times("A post that account {} wrote or shared has a time", columns.first, account, accounts)
    order = np.lexsort((topic, account))
    account, topic = account[order], topic[order]
    twice = np.flatnonzero((np.diff(account) == 0) & (np.diff(topic) == 0))
    if len(twice):
        first = twice[0]
        raise RunFailed(
            f"Topic {names[topic[first]]} of account {accounts.keys[account[first]]} was read twice; "
            "check that the constraint on Topic.name exists."
        )
    return Topics(
        names=Texts.of(names),
        ptr=entries_pointers(account, accounts.n),
        idx=topic.astype(np.int32),
        posts=columns.posts[order].astype(np.int32),
        first=columns.first[order],
        post=Texts.of([columns.post[e] for e in order.tolist()] if columns.post else [""] * len(order)),
        latest=np.full(len(order), -1, dtype=np.int64) if columns.latest is None else columns.latest[order],
    )


@dataclass(frozen=True)
class Words:
    """Words of accounts and the posts that are quoted for them, as `domain.Graph` has them."""

    names: Texts
    ptr: Int64
    idx: Int32
    posts: Int32
    post: Int32
    quoted_ptr: Int64
    quoted_post: Texts
    quoted_at: Int64


def words_of(columns: WordColumns, accounts: Accounts) -> Words:
    """Sort words of accounts by account, then word; names that nobody says are left out.

    Raises:
        RunFailed: they name an unknown account or have a time that cannot be.
    """
    account = accounts.positions("word", columns.account)
    quoted = accounts.positions("quoted post", columns.quoted_account)
    _check_times("A post that account {} wrote or shared has a time", columns.quoted_at, quoted, accounts)
    said, word = np.unique(columns.word, return_inverse=True)
    names = [columns.names[k] for k in said.tolist()]
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    place = np.empty(len(names), dtype=np.int64)
    place[by_name] = np.arange(len(names))
    word = place[word]
    order = np.lexsort((word, account))
    by_account = np.argsort(quoted, kind="stable")  # those of one account come ascending by key
    return Words(
        names=Texts.of(names[k] for k in by_name.tolist()),
        ptr=entries_pointers(account, accounts.n),
        idx=word[order].astype(np.int32),
        posts=columns.posts[order].astype(np.int32),
        post=columns.post[order].astype(np.int32),
        quoted_ptr=entries_pointers(quoted, accounts.n),
        quoted_post=Texts.of(columns.quoted_post[k] for k in by_account.tolist()),
        quoted_at=columns.quoted_at[by_account],
    )


@dataclass(frozen=True)
class Postings:
    """Days on which accounts posted as `domain.Graph` has them."""

    ptr: Int64
    day: Int32
    counts: Int32


def postings_of(columns: PostingColumns, accounts: Accounts) -> Postings:
    """Sort posts counted by account and day by both.

    Raises:
        RunFailed: they name an unknown account, stand twice, or have a count or day that cannot be.
    """
    account = accounts.positions("day of posts", columns.account)
    day, counts = columns.day, columns.counts
    parts = counts[:, 1:]
    # Each part is looked at alone first: sums of what is within bounds cannot overflow.
    wrong = (counts[:, 0] < 1) | (counts[:, 0] > MOST_POSTS) | np.any((parts < 0) | (parts > MOST_POSTS), axis=1)
    if bool(np.any(wrong)) or bool(np.any(parts.sum(axis=1) > counts[:, 0])):
        raise RunFailed(
            f"An account has a number of posts of a day that is not in 1..{MOST_POSTS}, or fewer posts than "
            f"{' and '.join(POSTING_NAMES[1:])} among them; analyse again, and import your files anew if this comes "
            "back."
        )
    _check_times("A post of account {} has a time", _moments(day), account, accounts)
    order = np.lexsort((day, account))
    account, day = account[order], day[order]
    twice = np.flatnonzero((np.diff(account) == 0) & (np.diff(day) == 0))
    if len(twice):
        raise RunFailed(
            f"Posts of account {accounts.keys[account[twice[0]]]} on one day were read twice; analyse again, "
            "and import your files anew if this comes back."
        )
    return Postings(entries_pointers(account, accounts.n), day.astype(np.int32), counts[order].astype(np.int32))


def _moments(day: Int64) -> Int64:
    """First moments of days, in milliseconds; of days far beyond the years 1 to 9999 some that are, too."""
    moments: Int64 = DAY_MS * np.clip(day, YEARS_MS[0] // DAY_MS - 1, YEARS_MS[1] // DAY_MS + 1)
    return moments


@dataclass(frozen=True)
class Mentions:
    """Mentions of brands as `domain.Graph` has them."""

    ptr: Int64
    brand: Int32
    post: Texts
    at: Int64
    stance: Int8
    paid: Int8
    answered: Bool
    read: Bool


def mentions_of(columns: MentionColumns, accounts: Accounts, brands: Brands) -> Mentions:
    """Sort mentions by account, time, brand, post.

    Raises:
        RunFailed: they name an unknown account or brand, stand twice, or have a stance, payment or time that cannot be.
    """
    account = accounts.positions("mention", columns.account)
    brand = _brand_positions("mention", columns.brand, brands.place)
    names = sorted(set(columns.post))
    place = {name: k for k, name in enumerate(names)}
    post = np.array([place[name] for name in columns.post], dtype=np.int64)
    for what, values, known in (
        ("stance", columns.stance, (-1, 0, 1, STANCE_UNKNOWN)),
        ("payment", columns.paid, (0, 1, PAID_UNKNOWN)),
    ):
        wrong = ~np.isin(values, known)
        if bool(np.any(wrong)):
            raise RunFailed(
                f"A mention of a brand in post {names[int(post[wrong].min())]} has a {what} that cannot be; "
                "set it right and analyse again."
            )
    _check_times("A post of account {} that mentions a brand has a time", columns.at, account, accounts)
    order = np.lexsort((brand, post, account))
    alike = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in (account, post, brand):
        alike &= np.diff(column[order]) == 0
    twice = order[:-1][alike]
    if len(twice):
        first = int(twice[0])
        raise RunFailed(
            f"Post {columns.post[first]} mentions brand {columns.brand[first]} twice; delete one of the MENTIONS "
            "relationships and analyse again."
        )
    order = np.lexsort((post, brand, columns.at, account))
    return Mentions(
        ptr=entries_pointers(account, accounts.n),
        brand=brand[order].astype(np.int32),
        post=Texts.of(names).take(post[order]),
        at=columns.at[order],
        stance=columns.stance[order],
        paid=columns.paid[order],
        answered=columns.answered[order],
        read=np.zeros(len(order), dtype=np.bool_) if columns.read is None else columns.read[order],
    )


@dataclass(frozen=True)
class Endorsements:
    """Endorsements as `domain.Graph` has them; `latest` is the time of the latest one or withdrawal, or -1."""

    ptr: Int64
    idx: Int32
    at: Int64
    latest: int


def endorsements_of(columns: EndorsementColumns, accounts: Accounts) -> Endorsements:
    """Sort endorsements by who endorses, then who is endorsed.

    Raises:
        RunFailed: they name an unknown account, are of oneself, stand twice, or have a time that cannot be.
    """
    source = accounts.positions("endorsement", columns.source)
    target = accounts.positions("endorsement", columns.target)
    if bool(np.any(source == target)):
        itself = accounts.keys[int(source[source == target].min())]
        raise RunFailed(f"Account {itself} endorses itself; delete that ENDORSES relationship and analyse again.")
    _check_times("An endorsement by account {} has a time", columns.at, source, accounts)
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    twice = np.flatnonzero((np.diff(source) == 0) & (np.diff(target) == 0))
    if len(twice):
        pair = f"{accounts.keys[source[twice[0]]]} endorses {accounts.keys[target[twice[0]]]}"
        raise RunFailed(f"An endorsement was read twice ({pair}); analyse again.")
    return Endorsements(
        entries_pointers(source, accounts.n), target.astype(np.int32), columns.at[order], int(columns.latest)
    )


def _brand_positions(what: str, names: list[str], place: dict[str, int]) -> Int64:
    """Translate keys of brands to positions in their order."""
    unknown = {name for name in names if name not in place}
    if unknown:
        raise RunFailed(f"A {what} names brand {min(unknown)}, which was not read; analyse again.")
    return np.array([place[name] for name in names], dtype=np.int64)
