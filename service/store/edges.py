"""Writing follows into the graph, and their ends: each batch is one transaction, ordered with all others by its lock.

What a pair of accounts ends up as depends on three times, and not on the order in which they became known: f, when the
follow was last seen; u, when it last ended; and m, the latest time of which a complete list of the followers of the
followee is known. Such a list ends all follows a millisecond before its time, and those in it are seen at its time. So
it is a follow where f > max(u, m - 1). Else, if anything was ever said of the pair, it is a tombstone with the time
max(u, m - 1). An unknown time comes before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from service.domain import Applied, Follow
from service.errors import ConfigurationError
from service.records import Statement, erasure_digest
from service.store.driver import Store, Tx, not_prepared

_UNKNOWN_TIME = -1
_NO_NODE = -1
Pair = tuple[str, str]
Nodes = dict[str, int]
"""Accounts by key: the ids that Neo4j gives their nodes, which are good for one transaction."""


def stronger(one: Follow, other: Follow) -> Follow:
    """Return which of two follows with the same ends stands: the later, or the heavier at the same time."""
    return max(one, other, key=lambda follow: (_time(follow), follow.weight))


def _time(follow: Follow) -> int:
    return _UNKNOWN_TIME if follow.at is None else follow.at


class Change:
    """A transaction that changes the graph: it holds the version lock, and raises the version if anything changed.

    Raises:
        MigrationError: the graph has not been migrated.
    """

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        graph = tx.run("edges/lock")
        if not graph:
            raise not_prepared()
        self._before, self._numbered = graph[0]["v"], graph[0]["n"]
        self.unfollowed: int = graph[0]["unfollowed"]
        self.complete_lists: bool = graph[0]["complete_lists"]
        self._checks: list[str] = graph[0]["erasure_checks"]
        self.masked = False
        self.ended = 0
        self._new_accounts = self._new_others = 0
        self._removed = False

    @property
    def version(self) -> int:
        """The version with which everything that changes is stamped."""
        return int(self._before) + 1

    @property
    def any_erased(self) -> bool:
        """Whether anything was ever erased."""
        return bool(self._checks)

    def erased(self, names: Iterable[str]) -> set[str]:
        """Return which of these keys of accounts and posts, or handles as texts name them, were erased.

        Raises:
            ConfigurationError: the secret keys do not tell: they are not those under which accounts were erased.
        """
        return erased_among(self.tx, self._checks, names) if self._checks else set()

    def known_accounts(self, keys: Sequence[str]) -> set[str]:
        """Return which of these accounts are in the graph; each key is there once."""
        return {*keys} - _missing(account_nodes(self.tx.run, keys))

    def ensure_accounts(self, keys: Sequence[str]) -> Nodes:
        """Create the accounts that are not in the graph yet, each key being there once; return the nodes of all."""
        nodes = account_nodes(self.tx.run, keys)
        new = [key for key in keys if nodes[key] == _NO_NODE]
        if new:
            ids = [key.split(":", 1) for key in new]
            [created] = self.tx.run(
                "edges/create_accounts",
                keys=new,
                networks=[network for network, _ in ids],
                native_ids=[native_id for _, native_id in ids],
                first=self._numbered + self._new_accounts + 1,
                v=self.version,
            )
            nodes.update(zip(new, created["nodes"], strict=True))
            self._new_accounts += len(new)
        return nodes

    def ensure(self, kind: Literal["posts", "brands"], keys: Sequence[str]) -> None:
        """Create the posts or brands that are not in the graph yet, with nothing known of them."""
        if keys:
            [merged] = self.tx.run(f"{kind}/ensure", keys=keys, v=self.version)
            self._new_others += merged["created"]

    def note_removed(self) -> None:
        """Say that something which a snapshot holds was removed and has left nothing that tells.

        Graphs that are kept of before are then not caught up, but read whole.
        """
        self._removed = True

    def done(self, created: int, updated: int) -> Applied:
        """End the change: nothing may follow it in its transaction."""
        version = int(self._before)
        if self._new_accounts or self._new_others or created or updated or self._removed:
            version = self.version
            numbered = self._numbered + self._new_accounts
            self.tx.run("edges/set_version", v=version, n=numbered, removed=self._removed, masked=int(self.masked))
        return Applied(self._new_accounts, created, updated, version, self.ended)


def apply_follows(store: Store, batch: Sequence[Follow]) -> Applied:
    """Put a batch of follows into the graph, with the accounts that are not there yet, in one transaction.

    Done again it changes nothing, and neither the order within a batch nor that of batches matters: of follows
    with the same ends the greatest `(at, weight)` stands, unless there was an unfollow at that time or later. The
    graph's version goes up by one if anything changed, and whatever changed is stamped with it. Batches of several
    processes wait for each other.

    Args:
        store: the graph, migrated.
        batch: any number of follows, in any order, with duplicates or not.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """
    return in_one_change(store, lambda change: put_follows(change, FollowBatch.of(batch)))


def in_one_change(store: Store, put: Callable[[Change], tuple[int, int]]) -> Applied:
    """Carry out a change of the graph in one transaction; `put` returns what it created and updated."""

    def work(tx: Tx) -> Applied:
        change = Change(tx)
        return change.done(*put(change))

    return store.write_transaction(work)


def erased_among(tx: Tx, checks: Sequence[str], names: Iterable[str]) -> set[str]:
    """Return which of some names were erased from a graph; see `Change.erased`."""
    secrets = () if tx.erasure_keys is None else tx.erasure_keys()
    if not {erasure_digest(secret, "") for secret in secrets}.issuperset(checks):
        raise ConfigurationError(
            "Accounts were erased from this graph under another secret key than this machine's, which cannot recognise "
            "them; set ENTOURAGE_SECRETS_KEY to the keys of all machines that erased any, with commas between them."
        )
    of = {erasure_digest(secret, name): name for name in set(names) for secret in secrets}
    return {of[row["digest"]] for row in tx.run("erasures/known", digests=sorted(of))}


class FollowBatch(NamedTuple):
    """Follows of which each pair has one: `strongest` by pair, in order; `keys` are those of all accounts, in order.

    To make one needs no graph, so it can be done while a transaction before it goes on.
    """

    strongest: dict[Pair, Follow]
    keys: list[str]

    @classmethod
    def of(cls, follows: Iterable[Follow]) -> FollowBatch:
        """Return any number of follows, in any order, with duplicates or not, as a batch."""
        strongest: dict[Pair, Follow] = {}
        for follow in follows:
            ends = (follow.follower, follow.followee)
            known = strongest.get(ends)
            strongest[ends] = follow if known is None else stronger(known, follow)
        return cls({pair: strongest[pair] for pair in sorted(strongest)}, _keys(strongest))

    def without(self, gone: set[str]) -> FollowBatch:
        """Return the batch without the follows of and by some accounts."""
        left = {pair: follow for pair, follow in self.strongest.items() if gone.isdisjoint(pair)}
        return FollowBatch(left, _keys(left))


def put_follows(change: Change, batch: FollowBatch) -> tuple[int, int]:
    """Put follows into the graph within a change; see `apply_follows`. Returns how many were created and updated."""
    standing = batch.strongest
    nodes = change.ensure_accounts(batch.keys)
    ended = 0
    outlived = _before_complete_list(change, standing)
    if outlived:
        # What came before a complete list that is known already has ended, like any follow before its unfollow.
        ended, _ = put_unfollows(change, [Statement("unfollows", pair, (), at) for pair, at in outlived.items()])
        standing = {pair: follow for pair, follow in standing.items() if pair not in outlived}
    if change.unfollowed:
        standing = _not_unfollowed(change.tx, standing, nodes)
    [merged] = change.tx.run(
        "edges/merge_follows",
        **pair_columns(standing, nodes),
        weights=[float(follow.weight) for follow in standing.values()],
        times=[_time(follow) for follow in standing.values()],
        v=change.version,
    )
    return merged["created"], merged["updated"] + ended


def _before_complete_list(change: Change, follows: dict[Pair, Follow]) -> dict[Pair, int]:
    """Return which follows a complete list of the followee's followers ended that is known already, and when."""
    ends = ends_by_lists(change, [followee for _, followee in follows])
    return {
        pair: ends[pair[1]] for pair, follow in follows.items() if pair[1] in ends and _time(follow) <= ends[pair[1]]
    }


def ends_by_lists(change: Change, accounts: Iterable[str]) -> dict[str, int]:
    """Return when complete lists of the followers of these accounts end what was known before, where there are any."""
    return _ends_by_lists(change.tx.run, accounts) if change.complete_lists else {}


def _ends_by_lists(run: Any, accounts: Iterable[str]) -> dict[str, int]:
    """Return when complete lists of the followers of these accounts end what was known before, where there are any."""
    return {key: at - 1 for key, at in _complete_lists(run, accounts).items()}


def _complete_lists(run: Any, accounts: Iterable[str]) -> dict[str, int]:
    """Return of which of these accounts a complete list of followers is known, and its time."""
    keys = sorted(set(accounts))
    return {keys[row["i"]]: row["at"] for row in run("edges/complete_lists", keys=keys)}


def account_nodes(run: Any, keys: Sequence[str]) -> Nodes:
    """Return the nodes of accounts; `_NO_NODE` for those that are not in the graph."""
    if not keys:
        return {}
    [found] = run("edges/account_nodes", keys=keys)
    return dict(zip(keys, found["nodes"], strict=True))


def _keys(pairs: Iterable[Pair]) -> list[str]:
    return sorted({key for pair in pairs for key in pair})


def pair_columns(pairs: Iterable[Pair], nodes: Nodes) -> dict[str, list[int]]:
    """Return sorted pairs as the parameters of queries; neighbours in the batch are then neighbours on disk.

    Parallel lists of plain values: maps, one a follow, take the driver seven times as long to pack. Nodes: each is
    looked up by its key once, and Neo4j finds it by its id in a third of the time.
    """
    ends = [(nodes[follower], nodes[followee]) for follower, followee in pairs]
    return {"followers": [follower for follower, _ in ends], "followees": [followee for _, followee in ends]}


def _not_unfollowed(tx: Tx, follows: dict[Pair, Follow], nodes: Nodes) -> dict[Pair, Follow]:
    """Leave out the follows that an unfollow ended; take away the unfollows that a follow came after."""
    pairs = sorted(follows)
    ended = {pairs[row["i"]]: row["at"] for row in tx.run("edges/unfollowed", **pair_columns(pairs, nodes))}
    again = sorted(pair for pair, at in ended.items() if _time(follows[pair]) > at)
    if again:
        tx.run("edges/remove_unfollowed", **pair_columns(again, nodes))
    return {pair: follow for pair, follow in follows.items() if pair not in ended or pair in again}


def apply_unfollows(store: Store, batch: Sequence[Statement]) -> Applied:
    """End follows, in one transaction: the same promises as `apply_follows`.

    An unfollow ends the follows with the same ends of that time and earlier ones, also those that come later, so it
    leaves a tombstone. A statement without a time of its own does not make a known unfollow newer.

    Args:
        store: the graph, migrated.
        batch: statements about `unfollows`; their identity is (follower, followee).

    Returns:
        `created` counts new tombstones, `updated` those that became newer.

    Raises:
        MigrationError: the graph has not been migrated.
        StoreError: Neo4j did not take the batch; then nothing of it is in the graph.
    """

    return in_one_change(store, lambda change: put_unfollows(change, batch))


def put_unfollows(change: Change, batch: Sequence[Statement], *, of_records: bool = False) -> tuple[int, int]:
    """End follows within a change; see `apply_unfollows`. Returns how many tombstones were created and updated.

    `of_records` says that this is so because all records of these pairs ended (see `store.follow_records`).
    """
    pairs = sorted({_pair(statement) for statement in batch})
    nodes = change.ensure_accounts(_keys(pairs))
    ends = ends_by_lists(change, [followee for _, followee in pairs])
    known, times, created, updated = _standing_unfollows(change.tx.run, pairs, nodes, batch, ends)
    changed = sorted(pair for pair, at in times.items() if known.get(pair) != at)
    if changed:
        change.tx.run(
            "edges/merge_unfollows",
            **pair_columns(changed, nodes),
            times=[times[pair] for pair in changed],
            of_records=of_records,
            v=change.version,
        )
        change.unfollowed += len(changed)
    return created, updated


def put_complete_lists(change: Change, batch: Sequence[Statement]) -> tuple[int, int]:
    """Say that follows of an account of a time or later are all there are, within a change.

    What was said of earlier follows and unfollows of the account, or is said later, is ended by it.

    Args:
        change: the change.
        batch: statements about `complete_followers`; their identity is the account who is followed.

    Returns:
        Of how many accounts there was no complete list before, and of how many an earlier one.
    """
    latest = _latest_lists(batch)
    change.ensure_accounts(sorted(latest))
    known = _complete_lists(change.tx.run, latest)
    changed = sorted(key for key, at in latest.items() if at > known.get(key, _UNKNOWN_TIME))
    if changed:
        times = [latest[key] for key in changed]
        [done] = change.tx.run("edges/end_earlier_follows", keys=changed, times=times, v=change.version)
        change.ended += done["ended"]
        change.complete_lists = True
        change.unfollowed += 1  # how many does not matter: whether there may be any does
    created = sum(key not in known for key in changed)
    return created, len(changed) - created


def _latest_lists(batch: Sequence[Statement]) -> dict[str, int]:
    latest: dict[str, int] = {}
    for statement in batch:
        key = str(statement.identity[0])
        latest[key] = max(latest.get(key, 1), statement.at)  # the millisecond before it must be a time, too
    return latest


def _pair(statement: Statement) -> Pair:
    follower, followee = statement.identity
    return str(follower), str(followee)


def _standing_unfollows(
    run: Any, pairs: Sequence[Pair], nodes: Nodes, batch: Sequence[Statement], ends: dict[str, int]
) -> tuple[dict[Pair, int], dict[Pair, int], int, int]:
    """Return tombstones as they are, tombstones as they should be, and how many lines create and change one."""
    columns = pair_columns(pairs, nodes)
    follows = {pairs[row["i"]]: row["at"] for row in run("edges/known_follows", **columns)}
    known = {pairs[row["i"]]: row["at"] for row in run("edges/unfollowed", **columns)}
    times = dict(known)
    created = updated = 0
    for statement in batch:
        pair = _pair(statement)
        at = max(statement.at, ends.get(pair[1], _UNKNOWN_TIME))
        if at < follows.get(pair, _UNKNOWN_TIME):
            continue
        if pair not in times:
            created += 1
        elif statement.dated and at > times[pair]:
            updated += 1
        else:
            continue
        times[pair] = at
    return known, times, created, updated


def check_follows(store: Store, batch: Sequence[Follow]) -> tuple[set[str], set[Pair], int]:
    """Say what a batch of follows would do to the graph as it is now, without writing.

    Returns:
        Keys of accounts that are not in the graph, pairs that do not follow yet, and how many follows would change.
    """
    pairs = sorted({(follow.follower, follow.followee) for follow in batch})
    nodes = account_nodes(store.read, _keys(pairs))
    columns = pair_columns(pairs, nodes)
    known = {pairs[row["i"]]: (row["at"], row["weight"]) for row in store.read("edges/known_follows", **columns)}
    ended = {pairs[row["i"]]: row["at"] for row in store.read("edges/unfollowed", **columns)}
    ends = _ends_by_lists(store.read, [followee for _, followee in pairs])
    created: set[Pair] = set()
    updated: set[Pair] = set()
    for follow in batch:
        pair = (follow.follower, follow.followee)
        if pair in ended and _time(follow) <= ended[pair]:
            continue
        if pair[1] in ends and _time(follow) <= ends[pair[1]]:
            if pair not in known and pair not in ended:
                updated.add(pair)
            continue
        if pair not in known:
            created.add(pair)
        elif (_time(follow), follow.weight) > known[pair]:
            updated.add(pair)
    return _missing(nodes), created, len(updated)


def check_unfollows(store: Store, batch: Sequence[Statement]) -> tuple[set[str], set[Pair], int]:
    """Say what a batch of unfollows would do to the graph as it is now, without writing; see `check_follows`."""
    pairs = sorted({_pair(statement) for statement in batch})
    ends = _ends_by_lists(store.read, [followee for _, followee in pairs])
    nodes = account_nodes(store.read, _keys(pairs))
    known, times, _, updated = _standing_unfollows(store.read, pairs, nodes, batch, ends)
    return _missing(nodes), times.keys() - known.keys(), updated


def check_complete_lists(store: Store, batch: Sequence[Statement]) -> tuple[set[str], set[str], int]:
    """Say what complete lists would do to the graph as it is now, without writing; see `check_follows`."""
    latest = _latest_lists(batch)
    known = _complete_lists(store.read, latest)
    updated = sum(key in known and at > known[key] for key, at in latest.items())
    return missing_accounts(store, sorted(latest)), latest.keys() - known.keys(), updated


def ended_by(store: Store, batch: Sequence[Statement]) -> set[Pair]:
    """Return which follows in the graph as it is now complete lists would end."""
    latest = _latest_lists(batch)
    known = _complete_lists(store.read, latest)
    keys = sorted(key for key, at in latest.items() if at > known.get(key, _UNKNOWN_TIME))
    rows = store.read("edges/earlier_follows", keys=keys, times=[latest[key] for key in keys])
    return {(row["follower"], keys[row["i"]]) for row in rows}


def missing_accounts(store: Store, keys: Sequence[str]) -> set[str]:
    """Return which of these accounts are not in the graph; each key is there once."""
    return _missing(account_nodes(store.read, keys))


def _missing(nodes: Nodes) -> set[str]:
    return {key for key, node in nodes.items() if node == _NO_NODE}
