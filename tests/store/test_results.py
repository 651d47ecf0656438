"""Results in the graph against the analysis they came from, read back with Cypher of the test's own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.analytics.lenses.documents import lens_documents
from service.domain import (
    GATE_NAMES,
    MICRO_ROLES,
    PART_NAMES,
    ROLE_NAMES,
    TYPE_NAMES,
    Analysis,
    Before,
    Community,
    CommunityGroup,
    CommunityScores,
    CommunityValue,
    Graph,
    LensName,
    LensValues,
    PublishedPart,
    RespectableTest,
    RunError,
    RunSpec,
    SecondaryMemberships,
    StoreAddress,
    Texts,
    TopicExample,
    no_progress,
)
from service.errors import AccountNotFound, CommunityNotFound, Conflict, NotFound, PublishedSetCorrupt, RunNotFound
from service.store import results
from service.store.driver import AsyncStore, Store
from service.store.lineage import read_before
from service.store.published import current_run_id, read_account, read_part
from service.store.results import (
    FILE_BYTES,
    clean_attempts,
    clean_failed,
    digest_of,
    finish,
    write_back,
    write_pages,
)
from service.store.runs import CANCELLED, claim, create_run, fail, interrupt, read_run
from tests.store.test_runs import QUALITY, outcomes

BROKEN = RunError(code="broken", message="It broke.")


def awaited(address: StoreAddress, work: Any, *arguments: Any) -> Any:
    """What an asynchronous function of the store gives."""

    async def call() -> Any:
        async with AsyncStore(address) as store:
            made: Coroutine[Any, Any, Any] = work(store, *arguments)
            return await made

    return asyncio.run(call())


def running(store: Store) -> str:
    """A run that was claimed; several may be running here, as none may otherwise."""
    store.statement("MATCH (l:Lease) REMOVE l.run")
    seed = len(store.statement("MATCH (r:Run) RETURN r.id"))
    run, _ = awaited(store.address, create_run, RunSpec(seed=seed), True)
    return claim(store, run.id).id


def part(address: StoreAddress, run_id: str, name: str) -> PublishedPart:
    found = awaited(address, read_part, run_id, name)
    assert isinstance(found, PublishedPart)
    return found


def a_lens(name: LensName, n: int, rng: np.random.Generator) -> LensValues:
    """Values of a lens that no graph needs to make sense of; those of some accounts are null."""
    parts = {part: rng.integers(0, 10**9, n) for part in ("one", "two")}
    null = rng.choice(np.array([-1, -1, 0, 1], dtype=np.int8), n)
    parts = {part: np.where(null < 0, values, 0) for part, values in parts.items()}
    rate = np.where(rng.random(n) < 0.5, np.nan, rng.random(n))
    return LensValues(
        lens=name,
        value=parts["one"] + parts["two"],
        parts=parts,
        null=null,
        reasons=("There is “nothing” to see.", "Nor here."),
        figures={
            "outreach": rng.integers(0, 3, n),
            "rate": rate,
            "list": np.where(np.isnan(rate)[:, None], np.nan, rng.random((n, 3))),
            "tier": [None if one < 0.3 else f'"{one:.2f}"' for one in rng.random(n).tolist()],
        },
        properties={f"{name}_rate": "rate", f"{name}_tier": "tier", "outreach": "outreach"}
        if name == "standing"
        else {f"{name}_rate": "rate"},
    )


def an_analysis(store: Store, sizes: list[int], isolates: int, seed: int) -> tuple[Graph, Analysis]:
    """Accounts in the store, and scores of all kinds for them that no analysis needs to make sense of."""
    rng = np.random.default_rng(seed)
    n = sum(sizes) + isolates
    keys = sorted(f"net:{i}" for i in rng.choice(10 * n, n, replace=False).tolist())
    store.statement(
        "UNWIND range(0, size($keys) - 1) AS i "
        "CREATE (:Account {key: $keys[i], n: i + 1, network: 'net', native_id: split($keys[i], ':')[1], v: 1})",
        keys=keys,
    )
    empty = np.zeros(0)
    graph = Graph(
        version=1, as_of=None, followed_at=-1, number=np.arange(1, n + 1, dtype=np.int32), keys=Texts.of(keys),
        handles=Texts.of([""] * n), opted_out=np.zeros(n, np.bool_),
        followers=np.full(n, -1), bio=np.zeros(n, np.int64), out_day=empty.astype(np.int32),
        out_ptr=np.zeros(n + 1, np.int64), out_idx=empty.astype(np.int32), out_weight=empty,
        in_ptr=np.zeros(n + 1, np.int64), in_idx=empty.astype(np.int32),
        engaged_ptr=np.zeros(n + 1, np.int64), engaged_idx=empty.astype(np.int32), engaged_day=empty.astype(np.int32),
        engaged_code=empty.astype(np.int32), engaged_counts=np.zeros((0, 4), np.int64),
        brand_keys=[], brand_names=[], own_account=empty.astype(np.int32), own_brand=empty.astype(np.int32),
        relation_account=empty.astype(np.int32), relation_brand=empty.astype(np.int32),
        relation_name=empty.astype(np.int8), relation_since=empty.astype(np.int64),
        relation_until=empty.astype(np.int64),
        topic_names=Texts.of([]), topic_ptr=np.zeros(n + 1, np.int64), topic_idx=empty.astype(np.int32),
        topic_posts=empty.astype(np.int32), topic_first=empty.astype(np.int64),
        topic_post=Texts.of([]), topic_latest=empty.astype(np.int64),
        word_names=Texts.of([]), word_ptr=np.zeros(n + 1, np.int64), word_idx=empty.astype(np.int32),
        word_posts=empty.astype(np.int32), word_post=empty.astype(np.int32), quoted_ptr=np.zeros(n + 1, np.int64),
        quoted_post=Texts.of([]), quoted_at=empty.astype(np.int64),
        posted_ptr=np.zeros(n + 1, np.int64), posted_day=empty.astype(np.int32),
        posted_counts=np.zeros((0, 3), np.int32), mention_ptr=np.zeros(n + 1, np.int64),
        mention_brand=empty.astype(np.int32), mention_post=Texts.of([]), mention_at=empty.astype(np.int64),
        mention_stance=empty.astype(np.int8), mention_paid=empty.astype(np.int8),
        mention_answered=empty.astype(np.bool_), mention_read=empty.astype(np.bool_),
        endorsed_ptr=np.zeros(n + 1, np.int64), endorsed_idx=empty.astype(np.int32),
        endorsed_at=empty.astype(np.int64), endorsed_latest=-1,
    )  # fmt: skip
    order = rng.permutation(n).astype(np.int32)
    labels = np.full(n, -1, np.int32)
    communities, scores = [], []
    start = 0
    for c, size in enumerate(sizes):
        members = np.sort(order[start : start + size])
        start += size
        labels[members] = c
        in_base = rng.random(size) < 0.8
        gate = np.where(in_base, -1, rng.integers(0, len(GATE_NAMES), size)).astype(np.int8)
        raw = rng.random((6, size))
        raw[[2, 4, 5]] = np.nan  # parts the community lacks the data for
        x = np.where(in_base, rng.random((6, size)), np.nan)
        x[np.isnan(raw)] = np.nan
        points = np.where(np.isnan(x), 0, rng.integers(0, 20_000_000, (6, size)))
        score = np.where(in_base, points.sum(axis=0), -1)
        rank = np.zeros(size, np.int32)
        rank[: size // 3] = np.arange(1, size // 3 + 1)
        scores.append(
            CommunityScores(
                members=members,
                gate=gate,
                type=rng.integers(0, 3, size).astype(np.int8),
                raw=raw,
                x=x,
                points=points,
                score=score,
                rank=rank,
                macro_rank=np.where(rank == 0, np.arange(size), 0).astype(np.int32),
                audience=rng.integers(0, 9, size),
                weights=dict.fromkeys(PART_NAMES, 1 / 6),
                null_reasons={},
                roles=rng.random((len(ROLE_NAMES), size)) < 0.3,
                intervals=(rng.integers(1, 5, size // 3), rng.integers(5, 9, size // 3), np.zeros(size // 3, np.int64)),
            )  # fmt: skip
        )
        communities.append(
            Community(
                id=f"c{c}",
                level=0,
                label=f"Around @a{c}",
                topics=("coffee", "latte art")[: c % 3],
                size=size,
                respectable=c % 2 == 0,
                tests=(
                    RespectableTest(test="size", passed=c % 2 == 0, value=float(size), threshold=5.0),
                    RespectableTest(test="confidence", passed=None, value=None, threshold=0.7),
                ),
                base=int(in_base.sum()),
                gates=(),
                macros=0,
                micros=1,
                candidates=0,
                no_candidates_reason=None,
                follows_inside=3,
                follows_in=2,
                follows_out=1,
                reciprocity=0.25,
                most_followed=("net:1", "net:2"),
                values=tuple(
                    CommunityValue(
                        topic=topic,
                        members=3,
                        share=0.5,
                        share_elsewhere=0.1,
                        strength=1.0,
                        examples=(TopicExample(account="net:1", posts=4),),
                    )
                    for topic in ("coffee", "latte art")[: c % 3]
                ),
            )  # fmt: skip
        )
    placed = np.flatnonzero(labels >= 0)
    secondary = placed[:3] if len(sizes) > 1 else placed[:0]
    return graph, Analysis(
        quality=QUALITY,
        labels=labels,
        communities=[one.model_copy(update={"part_of": "g0"}) for one in communities],
        groups=[
            [a_group("g0", 1, [one.id for one in communities], "h0")],
            [a_group("h0", 2, ["g0"], None)],
        ]
        if communities
        else [],
        between=rng.random(n) < 0.2,
        lineage=[],
        ended=[],
        lenses=(lenses := [a_lens("standing", graph.n, rng), a_lens("profile", graph.n, rng)]),
        lens_documents=list(lens_documents(lenses, np.arange(graph.n))),
        scores=scores,
        defined=[],
        parts=[],
        measures={"share": rng.random(graph.n), "core": rng.integers(0, 9, graph.n)},
        secondary=SecondaryMemberships(
            account=secondary.astype(np.int32),
            community=((labels[secondary] + 1) % max(len(sizes), 1)).astype(np.int32),
            share=rng.random(len(secondary)),
        ),
    )


def a_group(group: str, level: int, parts: list[str], whole: str | None) -> CommunityGroup:
    return CommunityGroup(
        id=group, level=level, label="around @a", size=7, parts=tuple(parts), part_of=whole, communities=3,
        candidates=1, follows_inside=5, follows_in=4, follows_out=3, most_followed=("net:1",),
    )  # fmt: skip


def written(store: Store, run_id: str) -> list[dict[str, Any]]:
    """All memberships and communities of a run as the graph has them, in a fixed order."""
    return store.statement(
        "MATCH (a:Account)-[m:MEMBER_OF]->(c:Community)<-[:FOUND]-(:Run {id: $run}) "
        "RETURN a.key AS key, m {.*} AS m, c {.*} AS c ORDER BY key, c.id",
        run=run_id,
    )


# --- the analysts' view ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("sizes", "isolates"), [([7, 3, 1], 2), ([40, 30, 20], 0), ([], 3)])
def test_the_graph_says_what_the_analysis_says(
    store: Store, monkeypatch: pytest.MonkeyPatch, sizes: list[int], isolates: int
) -> None:
    monkeypatch.setattr(results, "MEMBERS_A_BATCH", 11)
    monkeypatch.setattr(results, "COMMUNITIES_A_BATCH", 2)
    graph, analysis = an_analysis(store, sizes, isolates, seed=len(sizes))
    run_id = running(store)
    told: list[tuple[str, int, int | None]] = []
    write_back(store, run_id, graph, analysis, lambda *now: told.append(now))
    everything = written(store, run_id)
    rows = [row for row in everything if row["m"]["primary"]]
    secondary = analysis.secondary
    assert sorted((row["key"], row["c"]["id"], row["m"]) for row in everything if not row["m"]["primary"]) == sorted(
        (graph.keys[i], f"c{c}", {"primary": False, "share": share})
        for i, c, share in zip(secondary.account, secondary.community, secondary.share.tolist(), strict=True)
    )
    assert {row["key"]: row["c"]["id"] for row in rows} == {
        key: f"c{label}" for key, label in zip(graph.keys, analysis.labels.tolist(), strict=True) if label >= 0
    }
    assert len(rows) == sum(sizes), "one primary membership each, none for isolates"
    by_key = {row["key"]: row["m"] for row in rows}
    for community, scores in zip(analysis.communities, analysis.scores, strict=True):
        for k, i in enumerate(scores.members):
            m = by_key[graph.keys[i]]
            assert m.pop("primary") is True
            assert m.pop("between", False) == analysis.between[i]
            assert (m.pop("share"), m.pop("core")) == (analysis.measures["share"][i], analysis.measures["core"][i])
            assert (m.pop("type"), m.pop("in_base")) == (TYPE_NAMES[scores.type[k]], scores.in_base[k])
            gate = int(scores.gate[k])
            assert m.pop("gate", None) == (GATE_NAMES[gate] if gate >= 0 else None)
            rank = int(scores.rank[k])
            assert (m.pop("rank", 0), m.pop("macro_rank", 0)) == (rank, scores.macro_rank[k])
            assert scores.intervals is not None
            low, high = (scores.intervals[end][rank - 1] if rank else None for end in (0, 1))
            assert (m.pop("rank_low", None), m.pop("rank_high", None)) == (low, high)
            plain = TYPE_NAMES[scores.type[k]] == "member"
            assert scores.roles is not None
            has = [
                name
                for name, of in zip(ROLE_NAMES, scores.roles[:, k], strict=True)
                if of and (name in MICRO_ROLES or not plain)
            ]
            assert m.pop("roles", []) == has
            assert m.pop("score", -1e-6) == scores.score[k] / 1e6
            for p, name in enumerate(PART_NAMES):
                for suffix, value in (("", scores.raw[p, k]), ("_x", scores.x[p, k])):
                    assert m.pop(name + suffix, None) == (None if math.isnan(value) else value)
                points = m.pop(f"{name}_points", None)
                assert points == (None if math.isnan(scores.x[p, k]) else scores.points[p, k] / 1e6)
            assert m == {}, "nothing else"
        [row] = store.statement("MATCH (c:Community {id: $id, run: $run}) RETURN c {.*}", id=community.id, run=run_id)
        c = row["c"]
        failed = [test.test for test in community.tests if test.passed is False]
        assert (c.pop("run"), c.pop("failed_tests")) == (run_id, failed)
        listed = zip(c.pop("values"), c.pop("values_share"), c.pop("values_share_elsewhere"), strict=True)
        assert list(listed) == [(one.topic, one.share, one.share_elsewhere) for one in community.values]
        document = community.model_dump(
            mode="json", exclude={"tests", "gates", "values", "part_of", "name", "name_question"}
        )
        assert len(c.pop("members_digest")) == 64
        assert c == {name: value for name, value in document.items() if value is not None}
    groups = {group.id: group for level in analysis.groups for group in level}
    for group in groups.values():
        [row] = store.statement(
            "MATCH (g:Community {id: $id, run: $run}) "
            "RETURN g {.*} AS g, [(p)-[:PART_OF]->(g) | p.id] AS parts, [(g)-[:PART_OF]->(w) | w.id] AS wholes",
            id=group.id, run=run_id,
        )  # fmt: skip
        assert sorted(row["parts"]) == sorted(group.parts)
        assert row["wholes"] == ([group.part_of] if group.part_of else [])
        document = group.model_dump(mode="json", exclude={"parts", "part_of"})
        assert row["g"] == {"run": run_id, **document}
    parts = sum(len(group.parts) for group in groups.values())
    total = len(sizes) + len(groups) + parts + sum(sizes) + len(secondary.account) + graph.n
    assert told[-1] == ("write_back", total, total)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_the_graph_says_what_lenses_say(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MEMBERS_A_BATCH", 7)
    graph, analysis = an_analysis(store, [12, 8], 4, 3)
    run_id = running(store)
    write_back(store, run_id, graph, analysis, no_progress)
    rows = store.statement(
        "MATCH (a:Account)-[s:SCORED]->(r:Run {id: $run}) RETURN a.n AS n, s {.*} AS said", run=run_id
    )
    said = {row["n"] - 1: row["said"] for row in rows}
    assert sorted(said) == list(range(graph.n)), "also of accounts without a community"
    for i, label in enumerate(analysis.labels.tolist()):
        details = json.loads(said[i].pop("details"))
        assert said[i].pop("community", None) == (analysis.communities[label].id if label >= 0 else None)
        for lens in analysis.lenses:
            one = details.pop(lens.lens)
            known = lens.null[i] < 0
            assert said[i].pop(lens.lens, None) == one["value"] == (lens.value[i] / 10**6 if known else None)
            assert one["parts"] == ({name: values[i] / 10**6 for name, values in lens.parts.items()} if known else {})
            assert one["reason"] == (None if known else lens.reasons[lens.null[i]])
            figures = lens.figures
            rate = None if np.isnan(figures["rate"][i]) else figures["rate"][i]
            assert one["figures"] == {
                "outreach": figures["outreach"][i],
                "rate": rate,
                "list": None if rate is None else np.asarray(figures["list"][i]).tolist(),
                "tier": figures["tier"][i],
            }
            for name, figure in lens.properties.items():
                assert said[i].pop(name, None) == one["figures"][figure]
        assert (said[i], details) == ({}, {})


def test_outreach_of_a_run_is_known_to_the_next_one(store: Store) -> None:
    graph, analysis = an_analysis(store, [12, 8], 4, 3)
    run_id = running(store)
    write_back(store, run_id, graph, analysis, no_progress)
    finish(store, run_id, QUALITY.model_copy(update={"communities": 2}), "d", None, 1, True)
    before = read_before(store, read_run(store, run_id), graph.number)
    assert before.outreach.tolist() == np.asarray(analysis.lenses[0].figures["outreach"]).tolist()
    assert before.outreach.any()


def test_writing_twice_changes_nothing(store: Store) -> None:
    graph, analysis = an_analysis(store, [9, 4], 1, seed=1)
    first, second = running(store), running(store)
    write_back(store, first, graph, analysis, no_progress)
    once = written(store, first)
    write_back(store, first, graph, analysis, no_progress)
    assert written(store, first) == once
    write_back(store, second, graph, analysis, no_progress)
    assert written(store, first) == once, "runs do not touch each other"
    assert len(written(store, second)) == len(once)


def test_an_account_that_has_gone_is_left_out(store: Store) -> None:
    graph, analysis = an_analysis(store, [6], 0, seed=1)
    store.statement("MATCH (a:Account {key: $key}) DELETE a", key=graph.keys[2])
    run_id = running(store)
    write_back(store, run_id, graph, analysis, no_progress)
    assert [row["key"] for row in written(store, run_id)] == [key for key in graph.keys if key != graph.keys[2]]


def test_nothing_is_written_for_a_run_that_was_given_up(store: Store) -> None:
    graph, analysis = an_analysis(store, [6], 0, seed=1)
    run_id = running(store)
    fail(store, run_id, BROKEN)
    with pytest.raises(Conflict):
        write_back(store, run_id, graph, analysis, no_progress)
    with pytest.raises(Conflict):
        write_pages(store, run_id, [PublishedPart("communities", [b"{}"])])
    with pytest.raises(Conflict):
        finish(store, run_id, QUALITY, "d", None, 1, True)
    left = store.statement("MATCH (x) WHERE x:Community OR x:RunFile OR x:Current RETURN x")
    assert left == []


# --- the published set ----------------------------------------------------------------------------------


SMALL = 1_000


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 1,000 bytes and transactions of three, so that little content makes many of both."""
    monkeypatch.setattr(results, "FILE_BYTES", SMALL)
    monkeypatch.setattr(results, "BYTES_A_BATCH", 3 * SMALL)


def some_parts(size: int = SMALL) -> list[PublishedPart]:
    """Parts of all kinds for files of `size` bytes: `candidates/c0` fills five of them, all parts together nine."""
    rng = np.random.default_rng(3)
    long_lines = [b'"' + rng.bytes(size * 2 // 5).hex().encode() + b'"' for _ in range(5)]
    return [
        PublishedPart("communities", [b'{"id":"c0","label":"\xe2\x80\xa8 is no end of line"}', b'{"id":"c1"}']),
        PublishedPart("candidates/c0", [b'{"n":%d}' % i for i in range(20)] + long_lines + [b"{}"]),
        PublishedPart("candidates/c1", []),
        PublishedPart("candidates/c2", [b'"' + b"x" * (2 * size) + b'"', b"{}", b""]),
    ]


@pytest.mark.usefixtures("small_files")
def test_what_was_published_is_read_back(store: Store) -> None:
    run_id = running(store)
    parts = some_parts()
    digest = write_pages(store, run_id, parts)
    with pytest.raises(RunNotFound):
        part(store.address, run_id, "communities")
    finish(store, run_id, QUALITY, digest, None, 1, False)
    for each in parts:
        assert part(store.address, run_id, each.name) == each
    with pytest.raises(CommunityNotFound):
        part(store.address, run_id, "candidates/c9")
    with pytest.raises(NotFound):
        part(store.address, run_id, "nonsense")
    with pytest.raises(RunNotFound):
        part(store.address, "r-none", "communities")


@pytest.mark.parametrize("size", [SMALL, FILE_BYTES])
def test_files_are_whole_lines_of_at_most_a_mebibyte(store: Store, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FILE_BYTES == 2**20
    monkeypatch.setattr(results, "FILE_BYTES", size)
    run_id = running(store)
    parts = some_parts(size)
    digest = write_pages(store, run_id, parts)
    assert write_pages(store, run_id, parts) == digest, "written again"
    finish(store, run_id, QUALITY, digest, None, 1, False)
    number = 0
    for each in parts:
        files = list(store.stream("published/part", run=run_id, part=each.name))
        number += len(files)
        assert [row["seq"] for row in files] == list(range(len(files)))
        assert b"".join(row["bytes"] for row in files) == b"".join(line + b"\n" for line in each.lines)
        for row in files:
            assert hashlib.sha256(row["bytes"]).hexdigest() == row["sha256"]
            assert row["bytes"].count(b"\n") == row["lines"]
            assert row["bytes"][-1:] in (b"", b"\n")
            assert len(row["bytes"]) <= size or row["lines"] == 1
    assert number == 1 + 5 + 1 + 2


def test_the_digest_depends_on_names_and_contents_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = some_parts()
    whole = hashlib.sha256()
    for each in sorted(parts, key=lambda each: each.name):
        content = b"".join(line + b"\n" for line in each.lines)
        whole.update(f"{each.name}\n{len(content)}\n".encode() + content)
    first, second = running(store), running(store)
    assert write_pages(store, first, parts) == whole.hexdigest()
    monkeypatch.setattr(results, "FILE_BYTES", 100)
    assert write_pages(store, second, parts[::-1]) == whole.hexdigest()
    finish(store, second, QUALITY, whole.hexdigest(), None, 1, False)
    assert [part(store.address, second, each.name) for each in parts] == parts
    others = [
        [PublishedPart("a", [b"b"])],
        [PublishedPart("a", [b"b", b""])],
        [PublishedPart("a", []), PublishedPart("b", [])],
        [PublishedPart("b", [b"a"])],
        [PublishedPart("a", [b"b"]), PublishedPart("", [])],
    ]
    assert len({digest_of(other) for other in others}) == len(others)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(
    "damage",
    [
        "SET f.bytes = null",
        "SET f.sha256 = 'x'",
        "SET f.lines = f.lines + 1",
        "DELETE f",
    ],
)
@pytest.mark.parametrize("seq", [0, 2, 4])
def test_a_damaged_part_is_not_served(store: Store, damage: str, seq: int) -> None:
    run_id = running(store)
    finish(store, run_id, QUALITY, write_pages(store, run_id, some_parts()), None, 1, True)
    store.statement(f"MATCH (f:RunFile {{run: $run, part: 'candidates/c0', seq: $seq}}) {damage}", run=run_id, seq=seq)
    with pytest.raises(PublishedSetCorrupt):
        part(store.address, run_id, "candidates/c0")
    assert part(store.address, run_id, "communities") == some_parts()[0], "the other parts are"


def test_one_changed_byte_is_noticed(store: Store) -> None:
    run_id = running(store)
    finish(store, run_id, QUALITY, write_pages(store, run_id, some_parts()), None, 1, True)
    where = "MATCH (f:RunFile {run: $run, part: 'communities', seq: 0}) "
    [row] = store.statement(where + "RETURN f.bytes AS bytes", run=run_id)
    changed = bytearray(row["bytes"])
    changed[8] ^= 1
    store.statement(where + "SET f.bytes = $bytes", run=run_id, bytes=bytes(changed))
    with pytest.raises(PublishedSetCorrupt):
        part(store.address, run_id, "communities")


@pytest.mark.usefixtures("small_files")
def test_a_second_attempt_begins_without_what_the_first_has_written(store: Store) -> None:
    graph, analysis = an_analysis(store, [9, 4], 1, seed=1)
    run_id = running(store)
    first = read_run(store, run_id).token
    assert first is not None
    write_back(store, run_id, graph, analysis, no_progress, first)
    write_pages(store, run_id, some_parts(), first)
    interrupt(store, run_id, BROKEN, first)
    second = claim(store, run_id).token
    assert second is not None
    for write in (
        lambda: clean_attempts(store, run_id, first),
        lambda: write_back(store, run_id, graph, analysis, no_progress, first),
        lambda: write_pages(store, run_id, [PublishedPart("stale", [b"{}"])], first),
    ):
        with pytest.raises(Conflict, match="begun again"):
            write()
    assert len(written(store, run_id)) > 0
    clean_attempts(store, run_id, second)
    assert written(store, run_id) == []
    assert store.statement("MATCH (x:Community|RunFile) RETURN x") == []
    write_back(store, run_id, graph, analysis, no_progress, second)
    clean_attempts(store, run_id, second)  # in the middle, as nobody does: what is its own goes, too
    assert written(store, run_id) == []


# --- becoming current -----------------------------------------------------------------------------------


def test_the_pointer_moves_with_the_state_or_not_at_all(store: Store) -> None:
    assert awaited(store.address, current_run_id) is None
    first, second, third = running(store), running(store), running(store)
    finish(store, first, QUALITY, "1", None, 1, True)
    assert awaited(store.address, current_run_id) == first
    finish(store, second, QUALITY, "2", None, 1, False)
    assert awaited(store.address, current_run_id) == first
    fail(store, third, BROKEN)
    with pytest.raises(Conflict):
        finish(store, third, QUALITY, "3", None, 1, True)
    assert awaited(store.address, current_run_id) == first
    finish(store, first, QUALITY, "1", None, 1, True)  # the same commit, tried again by the driver
    assert awaited(store.address, current_run_id) == first


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("cancelled", [False, True])
def test_only_what_failed_and_cancelled_runs_left_behind_is_removed(store: Store, cancelled: bool) -> None:
    graph, analysis = an_analysis(store, [9, 4], 1, seed=1)
    done, failed, at_work = running(store), running(store), running(store)
    for run_id in (done, failed, at_work):
        write_back(store, run_id, graph, analysis, no_progress)
        digest = write_pages(store, run_id, some_parts())
    finish(store, done, QUALITY, digest, None, 1, True)
    fail(store, failed, CANCELLED if cancelled else BROKEN)
    kept = written(store, done), written(store, at_work)
    assert clean_failed(store) == [failed]
    counts = store.statement(
        "MATCH (x) WHERE (x:Community OR x:RunFile) RETURN x.run AS run, labels(x)[0] AS label, count(*) AS n"
    )
    assert sorted((row["run"], row["label"], row["n"]) for row in counts) == sorted(
        (run_id, label, n) for run_id in (done, at_work) for label, n in (("Community", 4), ("RunFile", 9))
    )
    assert store.statement("MATCH (:Community {run: $run})<-[m:MEMBER_OF]-() RETURN m", run=failed) == []
    assert (written(store, done), written(store, at_work)) == kept
    assert part(store.address, done, "candidates/c0") == some_parts()[1]
    assert clean_failed(store) == []


def test_several_may_clean_at_once(store: Store) -> None:
    """As the engine and a command do: what one has removed does not trouble the other."""
    graph, analysis = an_analysis(store, [900, *[20] * 40], 0, seed=1)
    run_id = running(store)
    write_back(store, run_id, graph, analysis, no_progress)
    fail(store, run_id, BROKEN)
    outcomes(store.address, 4, clean_failed)
    assert written(store, run_id) == []
    assert store.statement("MATCH (c:Community) RETURN c.id") == []


# --- one account ----------------------------------------------------------------------------------------


def test_an_account_with_its_place_in_a_run(store: Store) -> None:
    graph, analysis = an_analysis(store, [6, 5], 1, seed=2)
    run_id, other = running(store), running(store)
    write_back(store, run_id, graph, analysis, no_progress)
    i = int(analysis.scores[1].members[0])
    key, isolate = graph.keys[i], graph.keys[int(np.flatnonzero(analysis.labels < 0)[0])]
    store.statement(
        "MATCH (a:Account {key: $key}), (b:Account) WHERE b.key IN $others CREATE (b)-[:FOLLOWS {weight: 1.0}]->(a)",
        key=key, others=[k for k in graph.keys if k != key][:3],
    )  # fmt: skip
    store.statement(
        "MATCH (a:Account {key: $key}), (b:Account {key: $other}) CREATE (a)-[:FOLLOWS]->(b)", key=key, other=isolate
    )
    found = awaited(store.address, read_account, run_id, key)
    assert found["account"]["key"] == key
    assert found["account"]["network"] == "net"
    assert (found["followers"], found["following"]) == (3, 1)
    membership, *others = found["memberships"]
    assert membership["primary"]
    secondary = analysis.secondary
    assert [(one["primary"], one["community"]["id"], one["share"]) for one in others] == [
        (False, analysis.communities[c].id, share)
        for a, c, share in zip(secondary.account, secondary.community, secondary.share.tolist(), strict=True)
        if a == i
    ]
    community = analysis.communities[1]
    assert membership.pop("community") == {
        "id": community.id, "label": community.label, "size": community.size, "kind": "found",
        "respectable": community.respectable,
    }  # fmt: skip
    [row] = [row for row in written(store, run_id) if row["key"] == key and row["m"]["primary"]]
    assert membership == row["m"]
    assert awaited(store.address, read_account, other, key)["memberships"] == []
    assert awaited(store.address, read_account, run_id, isolate)["memberships"] == []
    with pytest.raises(AccountNotFound):
        awaited(store.address, read_account, run_id, "net:none")


# --- what is written already ------------------------------------------------------------------------------


def successor(store: Store, graph: Graph, analysis: Analysis, earlier: str) -> tuple[str, list[str]]:
    """Write an analysis as a run after an earlier one; the run, and ids of the communities it shares with that one."""
    run_id = running(store)
    before = Before(
        run=earlier,
        ids=[one.id for one in analysis.communities],
        written=[earlier] * len(analysis.communities),
        sizes=np.array([one.size for one in analysis.communities]),
        labels=analysis.labels,
        confidence=np.full(graph.n, np.nan),
        quality=QUALITY,
        rules=RunSpec().rules,
        outreach=np.zeros(graph.n, dtype=np.int64),
    )
    succession = write_back(store, run_id, graph, analysis, no_progress, before=before, share=True)
    return run_id, [row["id"] for row in succession.shared]


def nearly(values: Any, share: float, place: int) -> Any:
    """The same values, one of them off by a share of itself."""
    changed = values.copy()
    changed[place] *= 1 + share
    return changed


def test_values_that_are_off_by_a_thousandth_are_not_written_again(store: Store) -> None:
    graph, analysis = an_analysis(store, [7, 5, 3], 2, seed=4)
    analysis = replace(
        analysis, measures={**analysis.measures, "pagerank": np.random.default_rng(1).random(graph.n) + 0.1}
    )
    first = running(store)
    write_back(store, first, graph, analysis, no_progress)
    finish(store, first, QUALITY, "d", None, 1, True)
    everything = [one.id for one in analysis.communities]
    assert successor(store, graph, analysis, first)[1] == everything
    account = int(analysis.scores[1].members[0])
    for share, shared in ((0.0005, everything), (-0.0005, everything), (0.002, [everything[0], everything[2]])):
        ranks = nearly(analysis.measures["pagerank"], share, account)
        other = replace(analysis, measures={**analysis.measures, "pagerank": ranks})
        assert successor(store, graph, other, first)[1] == shared
        raw = nearly(analysis.scores[1].raw, share, (0, 2))
        scores = [analysis.scores[0], replace(analysis.scores[1], raw=raw), analysis.scores[2]]
        assert successor(store, graph, replace(analysis, scores=scores), first)[1] == shared


def test_what_is_exact_or_was_not_known_is_written_again(store: Store) -> None:
    graph, analysis = an_analysis(store, [7, 5], 0, seed=6)
    analysis = replace(analysis, measures={**analysis.measures, "pagerank": np.ones(graph.n)})
    first = running(store)
    write_back(store, first, graph, analysis, no_progress)
    finish(store, first, QUALITY, "d", None, 1, True)
    account, last = int(analysis.scores[1].members[0]), [analysis.communities[0].id]
    shares = nearly(analysis.measures["share"], 1e-9, account)
    assert successor(store, graph, replace(analysis, measures={**analysis.measures, "share": shares}), first)[1] == last
    points = analysis.scores[1].points.copy()
    points[0, 0] += 1
    scores = [analysis.scores[0], replace(analysis.scores[1], points=points)]
    assert successor(store, graph, replace(analysis, scores=scores), first)[1] == last
    raw = analysis.scores[1].raw.copy()
    raw[2, 0] = 0.5  # of a part that was not known before
    scores = [analysis.scores[0], replace(analysis.scores[1], raw=raw)]
    assert successor(store, graph, replace(analysis, scores=scores), first)[1] == last
    store.statement("MATCH (:Account {key: $key})-[m:MEMBER_OF]->() DELETE m", key=graph.keys[account])
    assert successor(store, graph, analysis, first)[1] == last
