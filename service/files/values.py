"""Ids, weights and times as files spell them. Nothing here passes through a float that need not."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
import unicodedata
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime

from service.domain import folded_topic

FUTURE_MS = 5 * 60 * 1000
"""How far ahead of the clock a time may be: clocks differ. The latest time wins, so a wrong one would stay."""

MAX_ID_CHARACTERS = 256
MAX_DICTIONARY_CHARACTERS = 4_096
_MILLISECONDS_FROM = 100_000_000_000
YEAR_10000_MS = 253_402_300_800_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
NETWORK_PATTERN = "^[a-z0-9_.-]{1,64}$"
BRAND_PATTERN = "^[a-z0-9][a-z0-9_.-]{0,63}$"
LANGUAGE_PATTERN = "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$"
MAX_COUNT = 10**12
_NETWORK = re.compile(NETWORK_PATTERN[1:-1], re.ASCII)
_BRAND = re.compile(BRAND_PATTERN[1:-1], re.ASCII)
_LANGUAGE = re.compile(LANGUAGE_PATTERN[1:-1], re.ASCII)
_WHOLE = re.compile(r"\+?\d{1,15}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EVENT = re.compile(r"[0-9a-f]{1,16}", re.ASCII)
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
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


def native_id(value: object, role: str, most: int = MAX_ID_CHARACTERS) -> str:
    """Return an id as text without white space around it; whole numbers of JSON keep every digit.

    Args:
        value: text, or a whole number of JSON.
        role: `follower` or `followee`, for the sentence of the report.
        most: how many characters it may have.

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
    if len(text) > most:
        raise BadLine("bad_id", f"The {role}'s id has more than {most:,} characters.")
    # Surrogates (Cs) can come from JSON escapes and cannot be stored as UTF-8.
    if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadLine("bad_id", f"The {role}'s id holds control characters.")
    return text


def is_network(text: str) -> bool:
    """Whether a text can name a network."""
    return _NETWORK.fullmatch(text) is not None


def account_key(network: str | None, text: str) -> str:
    """Return the key of an account or post: `network:id`; without a network the text must be one.

    Raises:
        BadLine: it is no key.
    """
    if network is not None:
        return f"{network}:{text}"
    before, colon, native = text.partition(":")
    if not colon or not native or native != native.strip() or not is_network(before):
        raise BadLine("bad_key", f"{text[:80]!r} is not a key: network:id, the network of a-z, 0-9, _, . and -.")
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
    if type(value) is float:
        value = repr(value)
    if type(value) is int:
        milliseconds = value if value >= _MILLISECONDS_FROM else value * 1000
    elif type(value) is str:
        text = value.strip()
        if match := _UNIX_TIME.fullmatch(text):
            whole = int(match[1])
            milliseconds = whole if whole >= _MILLISECONDS_FROM else whole * 1000 + _thousandths(match[2])
        elif match := _RFC3339.fullmatch(text):
            milliseconds = _rfc3339_ms(match)
    if milliseconds is None or not 0 <= milliseconds < YEAR_10000_MS:
        raise BadLine(
            "bad_time",
            "The time is neither RFC 3339 (such as 2024-05-01T12:00:00Z or 2024-05-01) "
            "nor Unix time in seconds or milliseconds.",
        )
    return not_in_future(milliseconds, latest)


def not_in_future(milliseconds: int, latest: int) -> int:
    """Return a time; raise BadLine where it is after the latest that is believed."""
    if milliseconds > latest:
        raise BadLine("time_in_future", "The time lies more than five minutes in the future.")
    return milliseconds


def time_or_none(value: object, latest: int) -> int | None:
    """Return a time as `time_ms` does, or None where there is nothing: the time is not known."""
    if value is None or (type(value) is str and not value.strip()):
        return None
    return time_ms(value, latest)


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


# --- fields by name, as the schemas of lines have them: (value, name of the field, latest time believed) ---


def id_of(value: object, name: str, latest: int) -> str:  # noqa: ARG001 - all of these are called alike
    """Return an id; see `native_id`."""
    return native_id(value, name)


def time_of(value: object, name: str, latest: int) -> int:  # noqa: ARG001
    """Return a time in milliseconds since 1970 UTC; see `time_ms`."""
    return time_ms(value, latest)


def any_time_of(value: object, name: str, latest: int) -> int:  # noqa: ARG001
    """Return a time that may lie in the future, as the end of a contract does."""
    return time_ms(value, YEAR_10000_MS)


def weight_of(value: object, name: str, latest: int) -> float:  # noqa: ARG001
    """Return a weight; see `weight`."""
    return weight(value)


def text(value: object, name: str, characters: int) -> str:
    """Return a text of at most so many characters, without white space around it; numbers of JSON are no text.

    Raises:
        BadLine: it is longer, no text, or holds control characters other than line breaks and tabs.
    """
    if type(value) is not str:
        raise BadLine("bad_text", f"The {name} must be text.")
    # However a line break was written, so that the same text is the same in every format.
    stripped = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(stripped) > characters:
        raise BadLine("bad_text", f"The {name} has more than {characters:,} characters.")
    if not stripped.isprintable() and any(
        unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t" for one in stripped
    ):
        raise BadLine("bad_text", f"The {name} holds control characters.")
    return stripped


def choice(value: object, name: str, options: Sequence[str]) -> str:
    """Return which of the options a value names; capitals do not matter."""
    found = value.strip().lower() if type(value) is str else ""
    if found not in options:
        raise BadLine(f"bad_{name}", f"The {name} is none of {', '.join(options)}.")
    return found


def network(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return the name of a network."""
    found = value.strip() if type(value) is str else ""
    if not is_network(found):
        raise BadLine("bad_network", "The network is not 1 to 64 of the characters a-z, 0-9, _, . and -.")
    return found


def brand(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return the key of a brand."""
    found = value.strip() if type(value) is str else ""
    if not _BRAND.fullmatch(found):
        raise BadLine("bad_brand", f"The {name} is no key of a brand: 1 to 64 of a-z, 0-9, _, . and -.")
    return found


def language(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return a language tag in lower case, such as fr or pt-br."""
    found = value.strip() if type(value) is str else ""
    if not _LANGUAGE.fullmatch(found):
        raise BadLine("bad_lang", f"The {name} is no language tag such as fr or pt-BR.")
    return found.lower().replace("_", "-")


def handle(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return a handle without what people write around it: `@`, or the address of the profile."""
    found = native_id(value, name)
    if "://" in found:
        found = found.split("://", 1)[1].split("?", 1)[0].rstrip("/").rpartition("/")[2]
    found = found.lstrip("@").strip()
    if not found:
        raise BadLine("empty_id", f"The {name} is empty.")
    return found


def folded_handle(text: str) -> str:
    """Return what is compared of a handle: capitals and ways to write the same letter do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def email(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return the SHA-256 of an e-mail address in lower case, hexadecimal; the address itself goes no further."""
    found = value.strip().lower() if type(value) is str else ""
    if not _EMAIL.fullmatch(found):
        raise BadLine("bad_email", f"The {name} is no e-mail address.")
    return hashlib.sha256(found.encode(errors="surrogatepass")).hexdigest()


def digest(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return a SHA-256 in hexadecimal."""
    found = value.strip().lower() if type(value) is str else ""
    if not _DIGEST.fullmatch(found):
        raise BadLine("bad_digest", f"The {name} is not 64 hexadecimal digits.")
    return found


def topic(value: object, name: str, latest: int) -> str:  # noqa: ARG001
    """Return a topic: lower case, without #, single spaces."""
    found = folded_topic(text(value, name, 100))
    if not found:
        raise BadLine("bad_text", f"The {name} holds an empty topic.")
    return found


def count(value: object, name: str, latest: int) -> int:  # noqa: ARG001
    """Return a whole number from 0 to 10¹²."""
    if type(value) is str and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise BadLine("bad_count", f"The {name} is not a whole number from 0 to {MAX_COUNT:,}.")
    return value


def flag(value: object, name: str, latest: int) -> bool:  # noqa: ARG001
    """Return true or false."""
    if type(value) is bool:
        return value
    found = _FLAGS.get(str(value).strip().lower()) if type(value) in (str, int) else None
    if found is None:
        raise BadLine("bad_flag", f"The {name} is neither true nor false.")
    return found


def stance(value: object, name: str, latest: int) -> int:  # noqa: ARG001
    """Return -1 (unfavourable), 0 or 1 (favourable)."""
    found = value.strip() if type(value) is str else str(value) if type(value) is int else ""
    if found not in ("-1", "0", "1", "+1"):
        raise BadLine("bad_stance", f"The {name} is none of -1, 0 and 1.")
    return int(found)


def day(value: object, name: str, latest: int) -> date:
    """Return a day, written as 2025-03-01."""
    try:
        found = date.fromisoformat(value.strip()) if type(value) is str and len(value.strip()) == 10 else None
    except ValueError:
        found = None
    if found is None or found.toordinal() < _EPOCH_DAY:
        raise BadLine("bad_time", f"The {name} is not a day such as 2025-03-01.")
    if found > datetime.fromtimestamp(latest / 1000, UTC).date():
        raise BadLine("time_in_future", f"The {name} lies in the future.")
    return found


def items(value: object, name: str) -> list[object]:
    """Return the items of a list: an array, or in a cell its JSON, or values with | between them."""
    if type(value) is str:
        cell = value.strip()
        if not cell.startswith("["):
            return [one for one in cell.split("|") if one.strip()]
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list):
        raise BadLine("bad_list", f"The {name} is no list.")
    return value


def hours(value: object, name: str, latest: int) -> tuple[int, ...]:
    """Return 24 counts."""
    found = tuple(count(one, name, latest) for one in items(value, name))
    if len(found) != 24:
        raise BadLine("bad_hours", f"The {name} are {len(found)} numbers instead of 24.")
    return found


def events(value: object, name: str, latest: int) -> tuple[int, ...]:  # noqa: ARG001
    """Return the marks of single events as an export writes them: hexadecimal numbers."""
    found = set()
    for one in items(value, name):
        if type(one) is not str or not _EVENT.fullmatch(one) or int(one, 16) >= 1 << 63:
            raise BadLine("bad_events", f"The {name} are not as an export writes them.")
        found.add(int(one, 16))
    return tuple(sorted(found))


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
