"""What lenses say of each account, as JSON: value, parts and figures of all of them in one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import to_json

from service.analytics.packing import packed
from service.domain import MILLION, Int32, Int64, LensesHead, LensValues

ACCOUNTS_AT_ONCE = 2_000
"""Documents are made of so many accounts at once: as objects, those of all would take many times the memory."""


NOBODY = "Nobody is compared: no member passes the integrity gates."


def lens_documents(
    lenses: Sequence[LensValues], accounts: Int32 | Int64, *, with_figures: bool = True
) -> Iterator[bytes]:
    """Yield one JSON object for each of some accounts: for each lens `value`, `parts`, `reason` and `figures`.

    What is null, NaN or unknown is null; `parts` is empty and `reason` a sentence where the value is null.
    """
    for first in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        some = accounts[first : first + ACCOUNTS_AT_ONCE]
        columns = [_columns(lens, some, with_figures=with_figures) for lens in lenses]
        names = [to_json(lens.lens).decode() for lens in lenses]
        for row in zip(*columns, strict=True) if columns else (() for _ in some):
            yield ("{" + ",".join(f"{name}:{said}" for name, said in zip(names, row, strict=True)) + "}").encode()


def lens_basis_lines(
    lenses: Sequence[LensValues], keys: Sequence[str], community: str, base: Int32, candidates: Int32
) -> Iterator[bytes]:
    """Write out what questions need that weigh lenses: a `domain.LensesHead`, then a `domain.CandidateLenses` each.

    Args:
        lenses: values of all accounts.
        keys: of all accounts.
        community: its id.
        base: int32[b], positions of the accounts that are compared.
        candidates: int32[c], those of the candidates, best first.
    """
    values, null_reasons = {}, {}
    for lens in lenses:
        of_base = lens.null[base]
        known = base[of_base < 0]
        values[lens.lens] = packed(np.sort(lens.value[known]) / MILLION)
        if len(known) == 0:  # the reason of most of them
            null_reasons[lens.lens] = lens.reasons[int(np.bincount(of_base).argmax())] if len(base) else NOBODY
    head = LensesHead(community=community, values=values, null_reasons=null_reasons)
    yield head.model_dump_json().encode()
    documents = lens_documents(lenses, candidates, with_figures=False)
    for i, said in zip(candidates.tolist(), documents, strict=True):
        yield b'{"key":%s,"lenses":%s}' % (to_json(keys[i]), said)


def _columns(lens: LensValues, some: Int32 | Int64, *, with_figures: bool) -> list[str]:
    """JSON of one lens for some accounts."""
    null = lens.null[some].tolist()
    parts = {name: _numbers(part[some] / MILLION) for name, part in lens.parts.items()}
    figures = {name: _values(figure, some) for name, figure in lens.figures.items()} if with_figures else {}
    begins, ends = (',"figures":{', "}}") if with_figures else ("", "}")
    known = '{"value":%s,"parts":{' + ",".join(f'"{name}":%s' for name in parts) + '},"reason":null' + begins
    figured = ",".join(f'"{name}":%s' for name in figures) + ends
    unknown = ['{"value":null,"parts":{},"reason":' + to_json(one).decode() + begins for one in lens.reasons]
    rows = zip(_numbers(lens.value[some] / MILLION), *parts.values(), strict=True)
    more = zip(*figures.values(), strict=True) if figures else iter([()] * len(null))
    return [
        (known % row if reason < 0 else unknown[reason]) + figured % figure
        for reason, row, figure in zip(null, rows, more, strict=True)
    ]


def _values(values: npt.NDArray[Any] | list[str | None], some: Int32 | Int64) -> list[str]:
    if isinstance(values, list):
        return [to_json(values[i]).decode() for i in some.tolist()]
    values = values[some]
    if values.ndim == 1:
        return _numbers(values)
    unknown = np.isnan(values).all(axis=1).tolist()
    rows = zip(unknown, values.tolist(), strict=True)
    return ["null" if no else to_json(row, inf_nan_mode="null").decode() for no, row in rows]


def _numbers(values: npt.NDArray[Any]) -> list[str]:
    """JSON of each number, null for NaN: all at once, which is much faster."""
    return to_json(values.tolist(), inf_nan_mode="null").decode()[1:-1].split(",") if len(values) else []
