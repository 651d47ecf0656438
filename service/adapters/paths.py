"""Paths into JSON, as RFC 9535 (JSONPath) has them; each takes a time that is linear in what it is looked up in.

The library reads a path as the RFC says, and compares values; walking along it is done here. What the library finds it
keeps with its place, which takes many times as long, and a text it takes for JSON that is to be read first. Left out is
what can take long without bound or finds the same value twice: `..`, functions such as `match`, several selectors in
one pair of brackets, and in filters anything but values of the one that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonpath import UNDEFINED, JSONPathEnvironment, JSONPathError
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

Step = Callable[[Iterable[Any]], Iterator[Any]]
"""From some values to those that one segment of a path finds in them."""


@dataclass(frozen=True)
class Path:
    """A path that was read.

    Attributes:
        text: as it was written.
        inside: whether it begins at the thing itself, with @, and not at the whole, with $.
        wide: whether it can find several values: with `*`, a slice or a filter.
        steps: its segments.
    """

    text: str
    inside: bool
    wide: bool
    steps: tuple[Step, ...]

    def values(self, of: Any) -> list[Any]:
        """Return what the path finds in a value of JSON, in order; nothing where there is nothing."""
        found: Iterable[Any] = (of,)
        for step in self.steps:
            found = step(found)
        return list(found)


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
        steps = tuple(_step(one) for one in selectors)
    except ValueError as error:
        raise ValueError(f"{_shown(text)} cannot be used: {error}") from None
    wide = not all(isinstance(one, NameSelector | IndexSelector) for one in selectors)
    return Path(text, text.startswith("@"), wide, steps)


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are the same, as RFC 9535 compares them: 1 is 1.0, and is neither "1" nor true."""
    return _STRICT.compare(one, "==", other)


def _shown(text: str) -> str:
    return ascii(text) if len(text) <= 80 else ascii(text[:80]) + "..."


def _selector(segment: Any) -> JSONPathSelector:
    if isinstance(segment, JSONPathRecursiveDescentSegment):
        raise ValueError("`..` looks everywhere, which can take long; say where it is")
    if len(segment.selectors) != 1:
        raise ValueError("there is more than one selector in a pair of brackets; write a path for each")
    selector: JSONPathSelector = segment.selectors[0]
    return selector


def _step(selector: JSONPathSelector) -> Step:
    if isinstance(selector, NameSelector):
        name = selector.name
        return lambda found: (one[name] for one in found if isinstance(one, dict) and name in one)
    if isinstance(selector, IndexSelector):
        index = selector.index
        return lambda found: (one[index] for one in found if isinstance(one, list) and -len(one) <= index < len(one))
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
        one, other, operator = _operand(expression.left), _operand(expression.right), expression.operator
        return lambda value: _STRICT.compare(one(value), operator, other(value))
    there = _operand(expression)
    return lambda value: there(value) is not UNDEFINED


def _operand(expression: BaseExpression) -> Callable[[Any], Any]:
    """A side of a comparison: what is written there, or what is found in the value that is judged."""
    if isinstance(expression, RelativeFilterQuery) and expression.path.singular_query():
        keys = [_key(segment) for segment in expression.path.segments]
        return lambda value: _at(value, keys)
    if isinstance(expression, IntegerLiteral) and abs(expression.value) > _EXACT:
        raise ValueError(f"a filter cannot compare with whole numbers beyond {_EXACT:,}")
    if isinstance(expression, FilterExpressionLiteral):
        written = expression.value
        return lambda value: written  # noqa: ARG005
    if isinstance(expression, Nil):
        return lambda value: None  # noqa: ARG005
    raise ValueError(
        "a filter compares values such as @.type with each other, with texts, numbers, true, false and null"
    )


def _key(segment: Any) -> str | int:
    selector = _selector(segment)
    if isinstance(selector, NameSelector):
        return selector.name
    if isinstance(selector, IndexSelector):
        return selector.index
    raise ValueError("it holds what is no part of RFC 9535")


def _at(value: Any, keys: list[str | int]) -> Any:
    for key in keys:
        if isinstance(key, str):
            value = value.get(key, UNDEFINED) if isinstance(value, dict) else UNDEFINED
        else:
            value = value[key] if isinstance(value, list) and -len(value) <= key < len(value) else UNDEFINED
    return value
