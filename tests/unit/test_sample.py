"""The sample: the same bytes for a seed, the shape of a follower graph, communities that are really there."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from service.errors import ConfigurationError
from service.sample import (
    COMMUNITY_SIZES,
    DAYS,
    ISOLATED_PAIRS,
    LAST_DAY,
    NETWORK,
    NOWHERE,
    Sample,
    make_sample,
    write_sample,
)
from tests.unit.follow_reading import read_file


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_sample(tmp_path).read_bytes()
    assert write_sample(tmp_path / "other.csv").read_bytes() == first
    assert write_sample(tmp_path / "seed 8", seed=8).read_bytes() != first
    for hash_seed in ("0", "1"):
        code = "import sys; from pathlib import Path; from service.sample import *; write_sample(Path(sys.argv[1]))"
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / hash_seed)], check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        assert (
            hashlib.sha256((tmp_path / hash_seed / "follows.csv").read_bytes()).digest()
            == hashlib.sha256(first).digest()
        )


def test_the_file_holds_the_sample_and_every_line_is_usable(tmp_path: Path, sample: Sample) -> None:
    path = write_sample(tmp_path)
    reading = read_file(path, network=NETWORK, time_column="followed_at")
    assert reading.skipped == {"header": 1}
    assert reading.rejected == []
    assert reading.pairs == [
        (sample.handles[i], sample.handles[j]) for i, j in zip(sample.follower, sample.followee, strict=True)
    ]
    assert [follow.at for follow in reading.follows] == (sample.followed_at * 1000).tolist()
    with path.open(newline="") as lines:
        assert next(csv.reader(lines)) == ["follower", "followee", "followed_at"]


def test_people_and_times(sample: Sample) -> None:
    assert len(sample.handles) == len(set(sample.handles)) == len(sample.community) == 1_200
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", handle) for handle in sample.handles)
    assert Counter(sample.community.tolist()) == {**dict(enumerate(COMMUNITY_SIZES)), NOWHERE: 2 * ISOLATED_PAIRS}
    assert (np.diff(sample.followed_at) >= 0).all()
    last = int(LAST_DAY.timestamp())
    assert last - DAYS * 86_400 <= sample.followed_at[0] < sample.followed_at[-1] <= last
    assert datetime.now(UTC) > LAST_DAY
    assert sample.followed_at[-1] > last - 7 * 86_400


def test_it_has_the_shape_of_a_follower_graph(sample: Sample) -> None:
    graph = nx.DiGraph(zip(sample.follower.tolist(), sample.followee.tolist(), strict=True))
    assert graph.number_of_edges() == len(sample.follower), "each pair once"
    assert nx.number_of_selfloops(graph) == 0
    assert len(graph) == 1_200
    assert 11_000 < len(sample.follower) < 13_000
    followers = np.sort([degree for _, degree in graph.in_degree()])[::-1]
    assert followers[0] > 15 * np.median(followers), "popularity has a heavy tail"
    assert followers[:120].sum() > 0.3 * followers.sum()
    assert 0.25 < nx.reciprocity(graph) < 0.6
    habits = np.array([nx.reciprocity(graph, node) or 0 for node in graph if graph.degree(node) >= 10])
    assert habits.std() > 0.1, "some follow back, some do not"
    parts = sorted(map(len, nx.weakly_connected_components(graph)), reverse=True)
    assert parts == [1_200 - 2 * ISOLATED_PAIRS] + [2] * ISOLATED_PAIRS


def test_its_communities_are_there_with_noise_between(sample: Sample) -> None:
    inside = (sample.community[sample.follower] == sample.community[sample.followee]).mean()
    assert 0.75 < inside < 0.9
    graph = nx.Graph(zip(sample.follower.tolist(), sample.followee.tolist(), strict=True))
    found = nx.community.louvain_communities(graph, seed=1)
    agree = sum(max(Counter(sample.community[list(one)].tolist()).values()) for one in found)
    assert agree / 1_200 > 0.9


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ENTOURAGE_DATA_DIR"):
        write_sample(tmp_path / "file")
