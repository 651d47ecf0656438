"""What lenses say of each account, as JSON: value, parts and figures of all of them in one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import to_json

from service.domain import MILLION, LensValues

ACCOUNTS_AT_ONCE = 2_000
"""Documents are made of so many accounts at once: as objects, those of all would take many times the memory."""


def lens_documents(lenses: Sequence[LensValues], n: int) -> Iterator[bytes]:
    """Yield one JSON object for each of n accounts: for each lens `value`, `parts`, `reason` and `figures`.

    What is null, NaN or unknown is null; `parts` is empty and `reason` a sentence where the value is null.
    """
    for first in range(0, n, ACCOUNTS_AT_ONCE):
        some = slice(first, min(first + ACCOUNTS_AT_ONCE, n))
        columns = [_columns(lens, some) for lens in lenses]
        names = [to_json(lens.lens).decode() for lens in lenses]
        for row in zip(*columns, strict=True) if columns else (() for _ in range(some.stop - some.start)):
            yield ("{" + ",".join(f"{name}:{said}" for name, said in zip(names, row, strict=True)) + "}").encode()


def _columns(lens: LensValues, some: slice) -> list[str]:
    """JSON of one lens for some accounts."""
    null = lens.null[some].tolist()
    parts = {name: _numbers(part[some] / MILLION) for name, part in lens.parts.items()}
    figures = {name: _values(figure[some]) for name, figure in lens.figures.items()}
    known = '{"value":%s,"parts":{' + ",".join(f'"{name}":%s' for name in parts) + '},"reason":null,"figures":{'
    figured = ",".join(f'"{name}":%s' for name in figures) + "}}"
    unknown = ['{"value":null,"parts":{},"reason":' + to_json(one).decode() + ',"figures":{' for one in lens.reasons]
    rows = zip(_numbers(lens.value[some] / MILLION), *parts.values(), strict=True)
    more = zip(*figures.values(), strict=True) if figures else iter([()] * len(null))
    return [
        (known % row if reason < 0 else unknown[reason]) + figured % figure
        for reason, row, figure in zip(null, rows, more, strict=True)
    ]


def _values(values: npt.NDArray[Any] | list[str | None]) -> list[str]:
    if isinstance(values, list):
        return [to_json(one).decode() for one in values]
    if values.ndim == 1:
        return _numbers(values)
    unknown = np.isnan(values).all(axis=1).tolist()
    rows = zip(unknown, values.tolist(), strict=True)
    return ["null" if no else to_json(row, inf_nan_mode="null").decode() for no, row in rows]


def _numbers(values: npt.NDArray[Any]) -> list[str]:
    """JSON of each number, null for NaN: all at once, which is much faster."""
    return to_json(values.tolist(), inf_nan_mode="null").decode()[1:-1].split(",") if len(values) else []
