"""Mixes of lenses against their formula, and correlations against SciPy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from service.analytics.lenses.combining import mixed, rank_correlations
from service.analytics.lenses.documents import NOBODY, lens_basis_lines, lens_documents
from service.analytics.packing import unpacked
from service.analytics.scoring import exponential_scores
from service.domain import MILLION, CandidateLenses, LensesHead, LensValues

from .analytics_graphs import laws

VALUES = st.sampled_from([0.0, 0.5, 1.0, 3.0, float("nan")])


@laws
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=20), st.integers(0, 10), st.integers(0, 10))
def test_a_mix_is_the_weighted_sum_of_places(rows: list[tuple[float, float, float]], one: int, two: int) -> None:
    values = {name: np.array([row[at] for row in rows]) for at, name in enumerate(("a", "b", "c"))}
    weights = {"a": one / 20, "b": two / 20, "c": 1 - (one + two) / 20}
    found = mixed(values, weights)
    known = {name for name, of in values.items() if not np.isnan(of).all()}
    total = sum(weights[name] for name in known)
    if total == 0:
        assert found is None
        return
    assert found is not None
    assert sum(found.weights) == pytest.approx(1)
    for at, name in enumerate(found.names):
        assert found.weights[at] == pytest.approx(weights[name] / total if name in known else 0)
        places = exponential_scores(np.nan_to_num(values[name]))
        assert np.allclose(found.points[at], 100 * MILLION * found.weights[at] * places, atol=2)
    assert np.array_equal(found.points.sum(axis=0), found.score)
    assert found.score.max() <= 100 * MILLION
    order = sorted(range(len(rows)), key=lambda k: (-found.score[k], k))
    assert [found.rank[k] for k in order] == list(range(1, len(rows) + 1))


@laws
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=20))
def test_correlations_are_those_of_scipy(rows: list[tuple[float, float]]) -> None:
    values = np.array(rows, dtype=np.float64).T
    found, both = rank_correlations(values)
    known = ~np.isnan(values).any(axis=0)
    assert both[0, 1] == both[1, 0] == known.sum()
    a, b = values[:, known]
    if known.sum() < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(found[0, 1])
    else:
        assert found[0, 1] == found[1, 0] == pytest.approx(spearmanr(a, b).statistic, abs=1e-8)
        assert found[0, 0] == 1 or np.isnan(found[0, 0])


def a_lens(n: int) -> LensValues:
    null = np.array([-1, 0] * n, dtype=np.int8)[:n]
    part = np.where(null < 0, np.arange(n) * 1_000_001, 0)
    return LensValues(
        lens="standing", value=part, parts={"only": part}, null=null, reasons=('Not "known".',),
        figures={
            "rate": np.where(np.arange(n) % 3 == 0, np.nan, np.arange(n) / 7),
            "count": np.arange(n),
            "tier": [None if k % 4 else "“é”" for k in range(n)],
            "each": np.where((np.arange(n)[:, None] + [0, 1]) % 4 < 2, np.nan, np.ones((n, 2))),
        },
    )  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 5, 2_001, 4_000])
def test_documents_say_what_the_arrays_say(n: int) -> None:
    lens = a_lens(n)

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    found = [json.loads(line, parse_constant=refuse) for line in lens_documents([lens], np.arange(n))]
    assert len(found) == n
    for k, document in enumerate(found):
        known = lens.null[k] < 0
        assert document == {
            "standing": {
                "value": lens.value[k] / MILLION if known else None,
                "parts": {"only": lens.parts["only"][k] / MILLION} if known else {},
                "reason": None if known else 'Not "known".',
                "figures": {
                    "rate": None if k % 3 == 0 else k / 7,
                    "count": k,
                    "tier": None if k % 4 else "“é”",
                    "each": [None, [None, 1.0], [1.0, 1.0], [1.0, None]][k % 4],
                },
            }
        }
    assert list(lens_documents([], np.arange(3))) == [b"{}"] * 3


def test_documents_of_some_accounts_are_those_of_all_without_figures() -> None:
    lens, some = a_lens(50), np.array([49, 0, 7, 8], dtype=np.int32)
    every = [json.loads(line) for line in lens_documents([lens], np.arange(50))]
    for k in some.tolist():
        del every[k]["standing"]["figures"]
    found = [json.loads(line) for line in lens_documents([lens], some, with_figures=False)]
    assert found == [every[k] for k in some.tolist()]


def test_what_questions_need_of_lenses() -> None:
    """Values of the base that are known, ascending, and what is said of each candidate, who is named in front."""
    lens, keys = a_lens(10), [f'n:"{k}"' for k in range(10)]
    base, candidates = np.array([9, 6, 4, 1], dtype=np.int32), np.array([6, 1], dtype=np.int32)
    first, *rest = lens_basis_lines([lens], keys, "c", base, candidates)
    head = LensesHead.model_validate_json(first)
    assert (head.community, head.null_reasons) == ("c", {})
    assert unpacked(head.values["standing"]).tolist() == [4.000004, 6.000006]
    found = [CandidateLenses.model_validate_json(line) for line in rest]
    assert [one.key for one in found] == ['n:"6"', 'n:"1"']
    assert found[0].lenses["standing"].parts == {"only": 6.000006}
    assert found[1].lenses["standing"].model_dump() == {"value": None, "parts": {}, "reason": 'Not "known".'}
    for few, why in (
        (base[3:], 'Not "known".'),
        (base[:0], NOBODY),
    ):
        [nobody] = lens_basis_lines([lens], keys, "c", few, candidates[:0])
        assert LensesHead.model_validate_json(nobody).null_reasons == {"standing": why}
