"""Ids, weights and times as files spell them. Nothing here passes through a float that need not."""

from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
import warnings
from datetime import date

MAX_ID_CHARACTERS = 256
MAX_DICTIONARY_CHARACTERS = 4_096
_MILLISECONDS_FROM = 100_000_000_000
_YEAR_10000 = 253_402_300_800_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_UNIX_TIME = re.compile(r"(\d{1,15})(?:\.(\d+))?", re.ASCII)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))?)?", re.ASCII
)


class BadLine(Exception):
    """One line cannot be used. It never leaves this room: the line goes to the report."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def native_id(value: object, role: str) -> str:
    """Return an id as text without white space around it; whole numbers of JSON keep every digit.

    Args:
        value: text, or a whole number of JSON.
        role: `follower` or `followee`, for the sentence of the report.

    Raises:
        BadLine: it is empty, too long, holds control characters, or is neither text nor a whole number.
    """
    if type(value) is int:
        value = str(value)
    elif value is None:
        value = ""
    elif type(value) is not str:
        raise BadLine("bad_id", f"The {role}'s id must be text or a whole number.")
    text = value.strip()
    if not text:
        raise BadLine("empty_id", f"The {role}'s id is empty.")
    if len(text) > MAX_ID_CHARACTERS:
        raise BadLine("bad_id", f"The {role}'s id has more than {MAX_ID_CHARACTERS} characters.")
    # Surrogates (Cs) can come from JSON escapes and cannot be stored as UTF-8.
    if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadLine("bad_id", f"The {role}'s id holds control characters.")
    return text


def weight(value: object) -> float:
    """Return a weight.

    Raises:
        BadLine: it is not a finite number greater than 0.
    """
    number = math.nan
    if type(value) is str and _NUMBER.fullmatch(text := value.strip()):
        number = float(text)
    elif type(value) is float or type(value) is int:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not (0 < number < math.inf):
        raise BadLine("bad_weight", "The weight is not a finite number greater than 0.")
    return number


def time_ms(value: object, latest: int) -> int:
    """Return a time as milliseconds since 1970 UTC.

    Known are RFC 3339 (with offset; a date alone is its midnight UTC), and Unix time: below 10¹¹ in seconds
    (until the year 5138), from 10¹¹ on in milliseconds (from March 1973). Parts of a millisecond are cut off.

    Args:
        value: text, or a number of JSON.
        latest: the latest time that is believed, in the same unit.

    Raises:
        BadLine: it is neither, lies before 1970 or after `latest`.
    """
    milliseconds = None
    if type(value) is float or type(value) is int:
        value = repr(value)
    if type(value) is str:
        text = value.strip()
        if match := _UNIX_TIME.fullmatch(text):
            whole = int(match[1])
            milliseconds = whole if whole >= _MILLISECONDS_FROM else whole * 1000 + _thousandths(match[2])
        elif match := _RFC3339.fullmatch(text):
            milliseconds = _rfc3339_ms(match)
    if milliseconds is None or not 0 <= milliseconds < _YEAR_10000:
        raise BadLine(
            "bad_time",
            "The time is neither RFC 3339 (such as 2024-05-01T12:00:00Z or 2024-05-01) "
            "nor Unix time in seconds or milliseconds.",
        )
    if milliseconds > latest:
        raise BadLine("time_in_future", "The time lies more than five minutes in the future.")
    return milliseconds


def _thousandths(digits: str | None) -> int:
    return int((digits or "0")[:3].ljust(3, "0"))


def _rfc3339_ms(match: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second, fraction, utc, sign, offset_hour, offset_minute = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    if hour is None:
        return days * 86_400_000
    if utc is None and sign is None:
        raise BadLine("bad_time", "The time has no offset from UTC; write 2024-05-01T12:00:00Z or +02:00.")
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:  # 60: a leap second
        return None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign is not None:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            return None
        offset = int(offset_hour) * 3_600 + int(offset_minute) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * 1000 + _thousandths(fraction)


def dictionary(text: str) -> dict[str, object]:
    """Return the data of an edge as networkx writes it: a Python dictionary of literals, never evaluated.

    Raises:
        BadLine: it is anything else, or too long.
    """
    value: object = None
    if len(text) <= MAX_DICTIONARY_CHARACTERS:
        try:
            value = _simple_dictionary(text)
            if value is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a backslash in a text of the file concerns nobody
                    value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            value = None
    if not isinstance(value, dict):
        raise BadLine("bad_data", "What follows the two ids is not a dictionary of plain values.")
    return {str(key): item for key, item in value.items()}


def _simple_dictionary(text: str) -> object:
    """Read what is JSON but for its quotes, ten times faster than Python's own parser; None where it is not."""
    if '"' in text or "\\" in text:
        return None
    try:
        return json.loads(text.replace("'", '"'))
    except ValueError:
        return None
