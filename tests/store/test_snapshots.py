"""Reading the graph as columns: everything that was written, cut at one version."""

from __future__ import annotations

import random
import threading

import pytest

from service.domain import Follow
from service.store import snapshots
from service.store.driver import Store
from service.store.edges import apply_follows
from service.store.snapshots import read_snapshot


def as_follows(store: Store) -> tuple[dict[str, tuple[str | None, bool, int]], set[Follow], int]:
    accounts, follows, version = read_snapshot(store)
    key = dict(zip(accounts.n.tolist(), accounts.key, strict=True))
    assert len(key) == len(accounts.key)
    described = dict(
        zip(
            accounts.key,
            zip(accounts.handle, accounts.opted_out.tolist(), accounts.followers.tolist(), strict=True),
            strict=True,
        )
    )
    read = [
        Follow(key[a], key[b], weight, None if at == -1 else at)
        for a, b, weight, at in zip(
            follows.source.tolist(), follows.target.tolist(), follows.weight.tolist(), follows.at.tolist(), strict=True
        )
    ]
    assert len(set(read)) == len(read)
    return described, set(read), version


def test_an_empty_graph(store: Store) -> None:
    assert as_follows(store) == ({}, set(), 0)


def test_everything_that_was_written_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "ACCOUNTS_A_ROW", 7)
    monkeypatch.setattr(snapshots, "FOLLOWS_OF_A_ROW", 5)
    rng = random.Random(1)
    names = [f"net:{name}" for name in ["é", "名前", "x y", "9223372036854775808", *map(str, range(40))]]
    pairs = {(a, b) for a in names for b in rng.sample(names, 6) if a != b}
    written = {Follow(a, b, rng.choice([1.0, 0.25, 7.5]), rng.choice([None, 0, 1_600_000_000_123])) for a, b in pairs}
    applied = apply_follows(store, sorted(written, key=lambda one: one[:2]))
    store.statement("MATCH (a:Account {key: 'net:é'}) SET a.handle = 'é', a.opted_out = true, a.followers = 12")
    store.statement("CREATE (:Account {key: 'net:alone', n: $n, v: 1})", n=applied.accounts_created + 1)
    store.statement("MATCH (g:Graph) SET g.n = g.n + 1")
    accounts, follows, version = as_follows(store)
    assert follows == written
    assert version == applied.version
    assert accounts.keys() == {*names, "net:alone"}
    assert accounts["net:é"] == ("é", True, 12)
    assert accounts["net:alone"] == (None, False, -1)


def test_the_cut_is_at_one_version_while_others_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer adds follows in pairs and raises their weights together: each cut has both of a pair, equal."""
    monkeypatch.setattr(snapshots, "FOLLOWS_OF_A_ROW", 3)
    stop, versions = threading.Event(), []

    def write() -> None:
        rng = random.Random(2)
        with Store(store.address) as own:
            for turn in range(1, 10_000):
                a, b = rng.sample(range(60), 2)
                # Two edges far apart in the order of reading.
                pair = [Follow(f"t:{a}", f"t:{b}", turn), Follow(f"u:{a}", f"u:{b}", turn)]
                versions.append(apply_follows(own, pair).version)
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        cuts = [as_follows(store) for _ in range(25)]
    finally:
        stop.set()
        writer.join()
    assert len(versions) > 25
    for _, follows, version in cuts:
        halves: dict[str, set[tuple[str, str, float]]] = {"t": set(), "u": set()}
        for one in follows:
            halves[one.follower[0]].add((one.follower[2:], one.followee[2:], one.weight))
        assert halves["t"] == halves["u"]
        assert (
            max((weight for *_, weight in halves["t"]), default=0) == versions.index(version) + 1 if version else True
        )
    assert cuts[-1][2] > cuts[0][2]
