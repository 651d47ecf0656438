"""The sample: the same bytes for a seed, at any size what it says, and the planted truth really in it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest

from service.domain import no_progress
from service.errors import BadInput, ConfigurationError, Conflict
from service.files.manifest import listed_files, read_manifest
from service.files.records import RecordFile, open_records
from service.sample import (
    DAY,
    DAYS,
    DEMO_FOLLOWS,
    END,
    MAX_FOLLOWS,
    MIN_FOLLOWS,
    NETWORK,
    NOWHERE,
    UNFAVOURABLE,
    YEAR,
    Sample,
    handles,
    make_sample,
)
from service.sample_files import write_sample
from tests.unit.follow_reading import read_file

SEEDS = (1, 2, 3, 4, 7)


@pytest.fixture(scope="module")
def samples() -> dict[int, Sample]:
    return {seed: make_sample(seed=seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "out")


def digest(folder: Path) -> dict[str, str]:
    files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def rank(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def spearman(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.corrcoef(rank(one), rank(other))[0, 1])


# --- the same bytes, any size ----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = digest(folder)
    assert digest(write_sample(tmp_path / "again")) == first
    assert digest(write_sample(tmp_path / "again")) == first, "an earlier sample is replaced"
    other = digest(write_sample(tmp_path / "other", seed=8))
    assert [name for name in first if other[name] == first[name]] == ["manifest.json"]
    program = (
        "import sys; from pathlib import Path; from service.sample_files import *; write_sample(Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "hashed")],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        check=True,
    )
    assert digest(tmp_path / "hashed") == first


@pytest.mark.parametrize("follows", [MIN_FOLLOWS, 2_001, 12_500, 100_000])
def test_any_size_is_what_was_asked_for(follows: int) -> None:
    sample = make_sample(follows, 3)
    people, n = sample.people, sample.people.n
    assert n == round(follows / 10.4)
    for ties, count in ((sample.follows, follows), (sample.unfollows, follows // 60)):
        assert len(ties.at) == count
        assert (ties.follower != ties.followee).all()
        assert ((ties.follower >= 0) & (ties.follower < n) & (ties.followee >= 0) & (ties.followee < n)).all()
        assert (np.diff(ties.at) >= 0).all()
        assert (ties.at <= END).all()
    pairs = sample.follows.follower * n + sample.follows.followee
    ended = sample.unfollows.follower * n + sample.unfollows.followee
    assert len(np.unique(pairs)) == follows
    assert not np.isin(ended, pairs).any()
    joined = END - DAYS * DAY + np.floor(people.joined * DAY)
    for who in (sample.follows.follower, sample.follows.followee):
        assert (sample.follows.at >= joined[who]).all(), "nobody follows or is followed before joining"
    assert (sample.posts.at >= joined[sample.posts.author]).all()
    assert (sample.posts.at >= END - YEAR * DAY).all()
    assert (sample.posts.at < END).all()
    acts = sample.interactions
    assert (acts.account != acts.target).all()
    assert (acts.at >= joined[acts.account]).all()
    assert (acts.at < END).all()
    about = acts.post >= 0
    assert (sample.posts.author[acts.post[about]] == acts.target[about]).all()
    assert (sample.posts.at[acts.post[about]] < acts.at[about]).all()
    assert 1 <= len(acts.at) / follows <= 1.5
    assert len(set(handles(people, 3))) == n
    assert len(np.unique(people.community[people.community >= 0])) >= 4


@pytest.mark.parametrize("files", [0, 1, 5])
def test_a_sample_that_was_cut_off_is_written_again(tmp_path: Path, folder: Path, files: int) -> None:
    def stops(stage: str, done: int, total: int | None) -> None:
        if done == files:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "out", progress=stops)
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert digest(write_sample(tmp_path / "out")) == digest(folder)


@pytest.mark.parametrize("follows", [MIN_FOLLOWS - 1, MAX_FOLLOWS + 1, 0, -5])
def test_sizes_that_cannot_be_had(tmp_path: Path, follows: int) -> None:
    with pytest.raises(BadInput, match="2,000 to 10,000,000"):
        write_sample(tmp_path / "out", follows)
    assert not (tmp_path / "out").exists()


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text('{"entourage_import": 1, "synthetic": true}')
    (tmp_path / "file").write_text("")
    for taken in ("mine", "file"):
        with pytest.raises(Conflict, match="holds no sample"):
            write_sample(tmp_path / taken)
    with pytest.raises(ConfigurationError, match="choose a folder"):
        write_sample(tmp_path / "file" / "below")
    assert (tmp_path / "mine" / "manifest.json").read_text() == '{"entourage_import": 1, "synthetic": true}'


# --- the files are what the import reads --------------------------------------------------------------------------


def test_every_line_can_be_imported(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.synthetic
    assert manifest.network == NETWORK
    assert "nobody in it exists" in manifest.description.lower()
    assert (folder / "README.txt").read_text().startswith(manifest.description)
    for file in listed_files(folder, manifest):
        if not isinstance(file, RecordFile):
            reading = read_file(file.path, network=NETWORK, schema_names=True)
            assert reading.rejected == []
            assert len(reading.follows) == DEMO_FOLLOWS
            assert all(follow.at is not None for follow in reading.follows)
            continue
        rejected: list[Any] = []
        with open_records(file, rejected.append) as reader:
            assert sum(1 for _ in reader) > 2, file.kind
            assert (rejected, reader.ignored) == ([], []), file.kind
    listed = {one.file for one in manifest.files}
    written = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
    assert written - listed == {"manifest.json", "README.txt", "truth/accounts.csv", "truth/trends.csv"}


def test_everything_that_is_named_is_there(folder: Path) -> None:
    accounts = {row["account"] for row in rows(folder, "accounts.csv")}
    posts = {row["post"] for row in rows(folder, "posts.csv")}
    brands = [json.loads(line) for line in (folder / "brands.ndjson").read_text().splitlines()]
    keys = {brand["brand"] for brand in brands}
    assert len(keys) == 3
    for name in ("follows", "unfollows", "interactions", "posts", "responses", "brand_relations", "persons",
                 "endorsements", "opt_outs", "truth/accounts", "mentions"):  # fmt: skip
        for row in rows(folder, f"{name}.csv"):
            for column in ("account", "target", "endorsed", "follower", "followee"):
                assert row.get(column, "u000000") in accounts
            assert not row.get("post") or row["post"] in posts
            assert row.get("brand", "aubade") in keys
    for brand in brands:
        assert brand["accounts"]
        assert {*brand["accounts"]} <= accounts
        assert {*brand["competitors"]} <= keys
    assert len({row["account"] for row in rows(folder, "truth/accounts.csv")}) == len(accounts)
    assert len({row["id"] for row in rows(folder, "interactions.csv")}) == len(rows(folder, "interactions.csv"))
    relations = Counter((row["brand"], row["relation"]) for row in rows(folder, "brand_relations.csv"))
    assert set(relations) == {(b, r) for b in keys for r in ("employee", "collaborator", "customer", "user")}
    texts = [row["text"] for row in rows(folder, "posts.csv")]
    assert any('"' in text for text in texts)
    assert any("," in text for text in texts)
    assert any("é" in text for text in texts)
    assert {row["lang"] for row in rows(folder, "posts.csv")} == {"fr", "en"}


# --- it looks like life, for every seed ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_follows_have_the_shape_of_a_follower_graph(samples: dict[int, Sample], seed: int) -> None:
    sample = samples[seed]
    people, n = sample.people, sample.people.n
    followers = np.sort(np.bincount(sample.follows.followee, minlength=n))[::-1]
    assert followers[0] > 10 * np.median(followers), "popularity has a heavy tail"
    assert followers[: n // 10].sum() > 0.3 * followers.sum()
    graph = nx.DiGraph(zip(sample.follows.follower.tolist(), sample.follows.followee.tolist(), strict=True))
    assert 0.25 < nx.reciprocity(graph) < 0.6
    habits = np.array([nx.reciprocity(graph, node) or 0 for node in graph if graph.degree(node) >= 10])
    assert habits.std() > 0.1, "some follow back, some do not"
    sizes = np.sort(np.bincount(people.community[people.community >= 0]))
    assert sizes[-1] > 2 * sizes[0]
    home = people.community[sample.follows.follower] == people.community[sample.follows.followee]
    assert 0.7 < home.mean() < 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_communities_are_there_with_noise_between(samples: dict[int, Sample], seed: int) -> None:
    sample = samples[seed]
    graph = nx.Graph(zip(sample.follows.follower.tolist(), sample.follows.followee.tolist(), strict=True))
    found = nx.community.louvain_communities(graph, seed=1)
    people = np.flatnonzero(sample.people.community >= 0)
    agree = 0
    for one in found:
        planted = sample.people.community[[*one]]
        agree += max(Counter(planted[planted >= 0].tolist()).values(), default=0)
    assert agree / len(people) > 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_interactions_follow_habits_and_influence(samples: dict[int, Sample], seed: int) -> None:
    sample = samples[seed]
    people, acts = sample.people, sample.interactions
    hours = np.bincount(acts.at // 3600 % 24, minlength=24) / len(acts.at)
    assert hours.max() > 2 * hours.min()
    weekdays = np.bincount((acts.at - END) // DAY % 7, minlength=7) / len(acts.at)
    assert weekdays[5:].mean() < 0.9 * weekdays[:5].mean(), "less on Saturdays and Sundays"
    followers = np.bincount(sample.follows.followee, minlength=people.n)
    received = np.bincount(acts.target, minlength=people.n)
    seen = (followers >= 5) & (people.community >= 0)
    correlation = spearman(received[seen] / followers[seen], people.influence[seen])
    assert 0.4 < correlation < 0.97, "engagement tells of influence, but not all of it"
    assert spearman(people.influence[seen], people.popularity[seen]) < 0.6
    assert Counter(acts.kind.tolist()).keys() == {0, 1, 2, 3}
    pairs = Counter(zip(acts.account.tolist(), acts.target.tolist(), strict=True))
    assert sum(1 for (a, b), count in pairs.items() if count >= 4 and pairs[b, a] >= 4) >= 5, "people talk for weeks"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_planted_shows(samples: dict[int, Sample], seed: int) -> None:
    sample = samples[seed]
    people, posts = sample.people, sample.posts
    bought = np.flatnonzero(people.bought)
    assert len(bought) >= 6
    assert np.ptp(people.joined[bought]) < 4, "made within a few days"
    assert not np.isin(posts.author, bought).any()
    assert not np.isin(sample.interactions.account, bought).any()
    ring = np.isin(sample.follows.follower, bought)
    whom = sample.follows.followee[ring]
    assert (people.buyer[whom] | people.bought[whom]).mean() == 1
    assert people.buyer[whom].any()
    for one in np.flatnonzero(people.detractor):
        bad = (posts.author == one) & (posts.stance == UNFAVOURABLE) & (posts.at > END - 90 * DAY)
        good = (posts.author == one) & (posts.stance == 1) & (posts.at > END - 90 * DAY)
        assert bad.sum() >= 2
        assert bad.sum() > good.sum()
    loud = np.flatnonzero(people.broadcaster)
    assert len(loud) > 5
    for one in loud:
        kinds = posts.kind[posts.author == one]
        assert len(kinds) >= 20
    share = np.isin(posts.kind, [1, 4])
    assert share[np.isin(posts.author, loud)].mean() > 0.7 > 0.4 > share[~np.isin(posts.author, loud)].mean()
    wrote = np.bincount(posts.author, minlength=people.n)
    assert wrote[people.heavy_user].mean() > 3 * wrote[~people.heavy_user & ~people.broadcaster].mean()
    spread = [trend for trend in sample.trends if len(trend.adopters) >= 8]
    assert spread, "some trends catch on"
    for trend in spread:
        when = dict(zip(trend.adopters.tolist(), rank(trend.at).tolist(), strict=True))
        early = np.median([when[one] for one in trend.starters]) / len(trend.adopters)
        assert early < 0.5
    assert people.opted_out.sum() >= 3
    assert (people.community[people.opted_out] != NOWHERE).all()
    assert sample.endorsements.withdrawn.any()
    assert len(np.unique(sample.persons)) == sample.persons.size
    paid = posts.paid[posts.brand >= 0]
    assert {1, 0} <= set(paid.tolist())


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    write_sample(tmp_path / "out", 2_000, 1, lambda *one: told.append(one))
    assert told[0][:2] == ("sample", 0)
    assert told[-1][1] == told[-1][2]
    write_sample(tmp_path / "out", 2_000, 1, no_progress)
