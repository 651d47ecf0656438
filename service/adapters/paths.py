"""Paths into JSON, as RFC 9535 (JSONPath) has them; each takes a time that is linear in what it is looked up in.

The library reads a path, as the RFC says; walking along it is done here. What the library finds it keeps with its
place, which takes many times as long, a text it takes for JSON that is to be read first, and of texts it takes slices.
Left out is what can take long without bound or finds the same value twice: `..`, functions such as `match`, several
selectors in one pair of brackets, and in filters anything but values of the one that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from jsonpath import JSONPathEnvironment, JSONPathError
from jsonpath.filter import (
    BaseExpression,
    FilterExpressionLiteral,
    InfixExpression,
    IntegerLiteral,
    Nil,
    PrefixExpression,
    RelativeFilterQuery,
)
from jsonpath.path import JSONPath
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector, SliceSelector, WildcardSelector

MOST_CHARACTERS = 300
_EXACT = 2**53
_STRICT = JSONPathEnvironment(strict=True)
_NOTHING = object()
"""Where there is no value."""

Step = Callable[[Iterable[Any]], Iterable[Any]]
"""From some values to those that one segment of a path finds in them."""


@dataclass(frozen=True)
class Path:
    """A path that was read.

    Attributes:
        text: as it was written.
        inside: whether it begins at the thing itself, with @, and not at the whole, with $.
        cost: how often it may look at every value there is: for each `*`, slice and filter, and for each comparison and
            connective in a filter. Of a path that finds one value at most, 0.
        keys: its names and indices up to the first `*`, slice or filter.
        steps: its segments from there to the last `*`, slice or filter.
        rest: its names and indices after that.
    """

    text: str
    inside: bool
    cost: int
    keys: tuple[str | int, ...]
    steps: tuple[Step, ...]
    rest: tuple[str | int, ...]

    @property
    def wide(self) -> bool:
        """Whether it can find several values."""
        return bool(self.steps)

    def find(self, of: Any) -> Found:
        """Find what there is in a value of JSON, in order; nothing where there is nothing."""
        start = _at(of, self.keys)
        if start is _NOTHING:
            return _NONE
        if not self.steps:
            return Found([start], 1)
        entries: Iterable[Any] = [start]
        for step in self.steps:
            entries = step(entries)
        entries = list(entries)
        if not self.rest:
            return Found(entries, len(entries))
        return Found([value for one in entries if (value := _at(one, self.rest)) is not _NOTHING], len(entries))

    def values(self, of: Any) -> list[Any]:
        """Return what the path finds in a value of JSON, in order."""
        return self.find(of).values


class Found(NamedTuple):
    """What a path finds.

    Attributes:
        values: in order.
        entries: how many the path up to its last `*`, slice or filter finds: more than values, where some of these lack
            what the rest of the path names.
    """

    values: list[Any]
    entries: int


_NONE = Found([], 0)


@lru_cache(1_024)
def path_of(text: str) -> Path:
    """Read a path.

    Raises:
        ValueError: it is none, or one that is left out here; with a sentence about it, without a full stop.
    """
    if not text.startswith(("$", "@")):
        raise ValueError(f"{_shown(text)} is no path; one begins with $, the whole, or @, the thing itself")
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the path has more than {MOST_CHARACTERS} characters")
    try:
        text.encode()
        parsed = _STRICT.compile("$" + text[1:])
    except UnicodeEncodeError:
        raise ValueError(f"{_shown(text)} holds half a character") from None
    except (JSONPathError, ValueError, ArithmeticError, RecursionError) as error:
        # Besides its own errors the library lets numbers fail that Python does not take.
        wrong = error.args[0] if isinstance(error, JSONPathError) and error.args else "it cannot be read"
        raise ValueError(f"{_shown(text)} is no JSONPath (RFC 9535): {wrong}") from None
    try:
        if not isinstance(parsed, JSONPath):
            raise ValueError("it is more than one path")
        selectors = [_selector(segment) for segment in parsed.segments]
        first = next((place for place, one in enumerate(selectors) if _key(one) is None), len(selectors))
        last = max((place + 1 for place, one in enumerate(selectors) if _key(one) is None), default=len(selectors))
        steps = tuple(_step(one) for one in selectors[first:last])
    except ValueError as error:
        raise ValueError(f"{_shown(text)} cannot be used: {error}") from None
    cost = sum(_cost(one) for one in selectors[first:])
    return Path(text, text.startswith("@"), cost, _keys(selectors[:first]), steps, _keys(selectors[last:]))


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 80 else ascii(text[:80]) + "..."


def _selector(segment: Any) -> JSONPathSelector:
    if isinstance(segment, JSONPathRecursiveDescentSegment):
        raise ValueError("`..` looks everywhere, which can take long; say where it is")
    if len(segment.selectors) != 1:
        raise ValueError("there is more than one selector in a pair of brackets; write a path for each")
    selector: JSONPathSelector = segment.selectors[0]
    return selector


def _key(selector: JSONPathSelector) -> str | int | None:
    """The name or index of which a selector finds the value; None where it can find several."""
    if isinstance(selector, NameSelector):
        return selector.name
    return selector.index if isinstance(selector, IndexSelector) else None


def _keys(selectors: Iterable[JSONPathSelector]) -> tuple[str | int, ...]:
    return tuple(key for one in selectors if (key := _key(one)) is not None)


def _at(value: Any, keys: Iterable[str | int]) -> Any:
    for key in keys:
        if isinstance(key, str):
            value = value.get(key, _NOTHING) if isinstance(value, dict) else _NOTHING
        else:
            value = value[key] if isinstance(value, list) and -len(value) <= key < len(value) else _NOTHING
        if value is _NOTHING:
            break
    return value


def _step(selector: JSONPathSelector) -> Step:
    key = _key(selector)
    if key is not None:
        return lambda found: (value for one in found if (value := _at(one, (key,))) is not _NOTHING)
    if isinstance(selector, SliceSelector):
        part = selector.slice
        if part.step == 0:
            raise ValueError("a slice with the step 0 finds nothing")
        return lambda found: (value for one in found if isinstance(one, list) for value in one[part])
    if isinstance(selector, WildcardSelector):
        return lambda found: (value for one in found for value in _children(one))
    if isinstance(selector, Filter):
        holds = _test(selector.expression.expression)
        return lambda found: (value for one in found for value in _children(one) if holds(value))
    raise ValueError("it holds what is no part of RFC 9535")


def _children(of: Any) -> Iterable[Any]:
    if isinstance(of, dict):
        return of.values()
    return of if isinstance(of, list) else ()


def _cost(selector: JSONPathSelector) -> int:
    if not isinstance(selector, Filter):
        return 1
    return 1 + sum(1 for one in _parts(selector.expression.expression) if not isinstance(one, FilterExpressionLiteral))


def _parts(expression: BaseExpression) -> Iterator[BaseExpression]:
    yield expression
    for one in expression.children():
        yield from _parts(one)


# --- filters --------------------------------------------------------------------------------------------------------


def _test(expression: BaseExpression) -> Callable[[Any], bool]:
    """What a filter says of a value."""
    if isinstance(expression, PrefixExpression):
        negated = _test(expression.right)
        return lambda value: not negated(value)
    if isinstance(expression, InfixExpression) and expression.operator in ("&&", "||"):
        left, right = _test(expression.left), _test(expression.right)
        if expression.operator == "&&":
            return lambda value: left(value) and right(value)
        return lambda value: left(value) or right(value)
    if isinstance(expression, InfixExpression):
        one, other, compare = _operand(expression.left), _operand(expression.right), _COMPARISONS[expression.operator]
        return lambda value: compare(one(value), other(value))
    there = _operand(expression)
    return lambda value: there(value) is not _NOTHING


def _operand(expression: BaseExpression) -> Callable[[Any], Any]:
    """A side of a comparison: what is written there, or what is found in the value that is judged."""
    if isinstance(expression, RelativeFilterQuery) and expression.path.singular_query():
        keys = _keys(_selector(segment) for segment in expression.path.segments)
        return lambda value: _at(value, keys)
    if isinstance(expression, IntegerLiteral) and abs(expression.value) >= _EXACT:  # read as a float
        raise ValueError(f"a filter compares with whole numbers below {_EXACT:,} only")
    if isinstance(expression, FilterExpressionLiteral):
        written = expression.value
        return lambda value: written  # noqa: ARG005
    if isinstance(expression, Nil):
        return lambda value: None  # noqa: ARG005
    raise ValueError(
        "a filter compares values such as @.type with each other, with texts, numbers, true, false and null"
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are the same, as RFC 9535 compares them: 1 is 1.0, and is neither "1" nor true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    return bool(one == other)


def _less(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one < other
    numbers = not isinstance(one, bool) and not isinstance(other, bool)
    return numbers and isinstance(one, int | float) and isinstance(other, int | float) and one < other


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": same,
    "!=": lambda one, other: not same(one, other),
    "<": _less,
    ">": lambda one, other: _less(other, one),
    "<=": lambda one, other: _less(one, other) or same(one, other),
    ">=": lambda one, other: _less(other, one) or same(one, other),
}
