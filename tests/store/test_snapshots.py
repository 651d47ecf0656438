"""Reading the graph as columns: everything that was written, cut at one version."""

from __future__ import annotations

import random
import threading

import pytest

from service.domain import Follow
from service.errors import MigrationError, StoreError
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
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 17)
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


def test_progress_ends_with_everything_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 4)
    apply_follows(store, [Follow(f"t:{i}", f"t:{i + 1}") for i in range(20)])
    said: list[tuple[str, int, int | None]] = []
    read_snapshot(store, lambda *step: said.append(step))
    assert said == sorted(said)
    assert said[-1] == ("snapshot", 21, 21)


@pytest.mark.parametrize(
    "by_hand",
    [
        "CREATE (:Account {key: 'by:hand'})",
        "MATCH (g:Graph) SET g.n = g.n + 1 CREATE (:Account {n: g.n})",
        "MATCH (a:Account {key: 't:1'}) CREATE (a)-[:FOLLOWS {weight: 1.0, v: 1}]->(:Account {key: 'by:hand'})",
        "MATCH (a:Account {key: 't:1'}) CREATE (:Account {key: 'by:hand'})-[:FOLLOWS {weight: 1.0, v: 9}]->(a)",
    ],
)
def test_what_cannot_be_read_is_not_left_out_in_silence(store: Store, by_hand: str) -> None:
    """Columns stay parallel beside nodes without key or number, and the answer is an error that says so."""
    apply_follows(store, [Follow("t:1", "t:2"), Follow("t:2", "t:3")])
    store.statement(by_hand)
    with pytest.raises(StoreError, match="not written by Entourage"):
        read_snapshot(store)


def test_a_follow_without_weight_or_time_counts_once(store: Store) -> None:
    apply_follows(store, [Follow("t:1", "t:2")])
    store.statement("MATCH (a:Account {key: 't:2'}), (b:Account {key: 't:1'}) CREATE (a)-[:FOLLOWS {v: 1}]->(b)")
    store.statement("MATCH (a:Account {key: 't:1'})-[f:FOLLOWS]->() SET f.weight = 3")
    _, follows, _ = as_follows(store)
    assert follows == {Follow("t:1", "t:2", 3.0, None), Follow("t:2", "t:1", 1.0, None)}


def test_a_graph_that_was_not_migrated_is_refused(store: Store) -> None:
    store.statement("MATCH (g:Graph) DELETE g")
    try:
        with pytest.raises(MigrationError, match="entourage migrate"):
            read_snapshot(store)
    finally:
        store.statement("CREATE (:Graph {id: 1, v: 0, n: 0})")


@pytest.mark.parametrize("catch_ups", [0, 2])
def test_the_cut_is_at_one_version_while_others_write(
    store: Store, monkeypatch: pytest.MonkeyPatch, catch_ups: int
) -> None:
    """A writer adds follows in pairs and raises their weights together: each cut has both of a pair, equal."""
    monkeypatch.setattr(snapshots, "VALUES_A_ROW", 7)
    monkeypatch.setattr(snapshots, "CATCH_UPS", catch_ups)
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
        cuts = [as_follows(store) for _ in range(15)]
    finally:
        stop.set()
        writer.join()
    assert len(versions) > 15
    for _, follows, version in cuts:
        halves: dict[str, set[tuple[str, str, float]]] = {"t": set(), "u": set()}
        for one in follows:
            halves[one.follower[0]].add((one.follower[2:], one.followee[2:], one.weight))
        assert halves["t"] == halves["u"]
        assert (
            max((weight for *_, weight in halves["t"]), default=0) == versions.index(version) + 1 if version else True
        )
    assert cuts[-1][2] > cuts[0][2]
