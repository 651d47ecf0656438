"""Rows as pandas DataFrames, with the types that a query declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from service.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

DTYPES = {
    "INTEGER": "Int64",
    "FLOAT": "float64",
    "BOOLEAN": "boolean",
    "STRING": "string",
    "DATE": "datetime64[s]",
    "ZONED DATETIME": "datetime64[us, UTC]",
    "LOCAL DATETIME": "datetime64[us]",
}
"""The dtype of each type of a column: whole numbers and booleans may be missing (NA); lists and maps stay objects."""

_PYTHON_TYPES: dict[type, str] = {
    bool: "BOOLEAN",
    int: "INTEGER",
    float: "FLOAT",
    str: "STRING",
    datetime: "ZONED DATETIME",
    date: "DATE",
}


def missing_extra(error: ImportError) -> ConfigurationError:
    """The error for a library that notebooks need and that is not installed."""
    return ConfigurationError(
        f"Notebooks need {error.name}, which is not installed: `make notebooks`, or pip install '.[notebooks]' in a "
        "clone of the project."
    )


def told_types(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, str]:
    """Tell the Cypher type of each column from its values."""
    return {name: _type_of([row[name] for row in rows]) for name in columns}


def frame(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    """Make a DataFrame of rows.

    Args:
        rows: values as `flows.explore` gives them, all with the same columns.
        types: Cypher type of each column, in their order; of a type that is not in DTYPES values stay what they are.

    Raises:
        ConfigurationError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise missing_extra(error) from error
    columns = {}
    for name, kind in types.items():
        values = [row[name] for row in rows]
        dtype = DTYPES.get(kind, "object")
        if dtype == "float64":
            values = [float("nan") if value is None else value for value in values]
        columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns, columns=list(types))


def missing(value: Any) -> bool:
    """Whether a cell of a DataFrame holds nothing: None, NA, NaN or NaT."""
    return value is None or (not isinstance(value, str) and str(value) in ("<NA>", "nan", "NaT"))


def _type_of(values: Sequence[Any]) -> str:
    """The Cypher type that all values have which are not None; nothing that is listed where they have several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "FLOAT"
    if kinds == {datetime} and not all(value.tzinfo for value in values if value is not None):
        return "LOCAL DATETIME"
    return _PYTHON_TYPES.get(kinds.pop(), "") if len(kinds) == 1 else ""
