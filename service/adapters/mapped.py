"""Any other webhook: a mapping says where in a body our events are, by JSONPath, and how deliveries are signed.

A mapping is TOML for people and JSON where it is kept; both are read by the same model. docs/platforms/mapping.md
explains every key of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_serializer, model_validator

from service.adapters import Adapter, Delivered, Event, Kind, Unread, Unusable
from service.adapters.paths import Found, Path, path_of
from service.adapters.standard_webhooks import TOLERANCE_SECONDS
from service.domain import Frozen
from service.errors import BadInput, SignatureInvalid
from service.forms import parsed, wrong_places

MAX_BYTES = 100_000
"""Of a mapping."""

MOST_RULES = 20
MOST_PATHS = 100
MOST_COST = 30
"""Of all paths together: how often they may look at every value that an item holds."""

MOST_THINGS = 10_000
"""In one item."""

MOST_EVENTS = 1_000
"""Of one item."""

MOST_TEXT = 4_000_000
"""Characters in the texts of all events of one item, which can all hold the same."""

MOST_WANTED = 50
MOST_NOTES = 100
_MOST_ANSWERED = 1_000
_UNITS = {"s": Decimal(1_000), "ms": Decimal(1), "us": Decimal("0.001")}
_MILLISECONDS_FROM = 100_000_000_000
_YEAR_10000 = 253_402_300_800_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
_ID = re.compile(r"[!-~]{1,255}")
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
"""A time that is a number: whoever writes it otherwise, as 1e9 or 1_000, may mean something else."""

_TIMESTAMP = re.compile(r"[0-9]{1,15}")


def _plain(value: Any) -> bool:
    """Whether a value of a mapping's own is a text, a finite number, true or false; or a list of these."""
    if isinstance(value, list):
        return bool(value) and not any(isinstance(one, list) for one in value) and all(map(_plain, value))
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _looks_like_a_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("$", "@"))


def _a_path(text: str) -> str:
    path_of(text)
    return text


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError("this is no name of a header")
    return name.lower()


def _conditions(where: dict[str, Any]) -> dict[str, Any]:
    for path, wanted in where.items():
        path_of(path)
        if isinstance(wanted, list) and len(wanted) > MOST_WANTED:
            raise ValueError(f"{path} has {len(wanted)} values to be one of, of at most {MOST_WANTED}")
        if not _plain(wanted):
            raise ValueError(f"{path} is to be a text, a number, true or false, or a list of these that is not empty")
    return where


class Signature(Frozen):
    """How deliveries are signed: with HMAC, in a header."""

    header: str = Field(description="The header that holds the signature.")
    prefix: str = Field(default="", max_length=50, description="What stands before the signature, such as `sha256=`.")
    separator: str = Field(
        default="",
        max_length=1,
        description="What stands between several signatures in the header, of which one must be right: those that "
        "begin with the prefix.",
    )
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    algorithm: Literal["sha256", "sha512"] = Field(default="sha256", description="The hash of the HMAC.")
    signed: str = Field(
        default="{body}",
        max_length=300,
        description="What is signed: `{body}`, with `{timestamp}` and `{id}` where these are signed too.",
    )
    timestamp_header: str | None = Field(
        default=None, description="The header that says when, in seconds or milliseconds since 1970 UTC."
    )
    timestamp_prefix: str = Field(
        default="",
        max_length=50,
        description="What stands before the time; of several parts with the separator between them, the one that "
        "begins so.",
    )
    id_header: str | None = Field(
        default=None, description="The header that says which delivery it is; else the hash of the body does."
    )

    _headers = field_validator("header")(_header)

    @field_validator("timestamp_header", "id_header")
    @classmethod
    def _optional_headers(cls, name: str | None) -> str | None:
        return None if name is None else _header(name)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = _PLACEHOLDER.findall(self.signed)
        unknown = next((one for one in parts if one not in ("{body}", "{timestamp}", "{id}")), None)
        if unknown is not None:
            raise ValueError(f"signed: there is no {unknown}; there are {{body}}, {{timestamp}} and {{id}}")
        if parts.count("{body}") != 1:
            raise ValueError("signed: {body} is to stand there once")
        if ("{timestamp}" in parts) != (self.timestamp_header is not None):
            raise ValueError(
                "timestamp_header and {timestamp} in signed go together: a time that is not signed is none"
            )
        if "{id}" in parts and self.id_header is None:
            raise ValueError("id_header is missing, which says the {id} in signed")
        if self.timestamp_prefix and self.timestamp_header is None:
            raise ValueError("timestamp_prefix is of no use without timestamp_header")
        return self

    def delivered(self, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float) -> Delivered:
        """Find out who sent a delivery. Raises SignatureInvalid."""
        given = self._parts(headers, self.header, self.prefix)
        parts = {"{body}": body}
        delivery = hashlib.sha256(body).hexdigest()
        if self.timestamp_header is not None:
            parts["{timestamp}"] = self._timestamp(headers, now).encode()
        if self.id_header is not None:
            delivery = _there(headers, self.id_header)
            if not _ID.fullmatch(delivery):
                raise SignatureInvalid(
                    f"The header {self.id_header} is not 1 to 255 printable ASCII characters without spaces."
                )
            parts["{id}"] = delivery.encode()
        signed = b"".join(parts.get(one, one.encode()) for one in _PLACEHOLDER.split(self.signed))
        signatures = [self._decoded(one) for one in given]
        for secret_id, secret in secrets.items():
            right = hmac.digest(secret.encode(), signed, self.algorithm)
            if any(hmac.compare_digest(right, one) for one in signatures):
                return Delivered(delivery, secret_id)
        raise SignatureInvalid(
            f"The signature in {self.header} is not right; compare the secret of this source with that of the sender, "
            "[signature] of the mapping with what the sender says of its signatures, and send the body unchanged."
        )

    def _parts(self, headers: Mapping[str, str], header: str, prefix: str) -> list[str]:
        whole = _there(headers, header)
        parts = [one.strip() for one in whole.split(self.separator)] if self.separator else [whole.strip()]
        found = [one.removeprefix(prefix) for one in parts if one.startswith(prefix)]
        if not found:
            raise SignatureInvalid(f"Nothing in the header {header} begins with {prefix}.")
        return found

    def _timestamp(self, headers: Mapping[str, str], now: float) -> str:
        header = self.timestamp_header or ""
        text = self._parts(headers, header, self.timestamp_prefix)[0]
        if not _TIMESTAMP.fullmatch(text):
            raise SignatureInvalid(
                f"The header {header} is not a time in whole seconds or milliseconds since 1970 UTC."
            )
        seconds = int(text) / 1_000 if int(text) >= _MILLISECONDS_FROM else int(text)
        if abs(seconds - now) > TOLERANCE_SECONDS:
            raise SignatureInvalid(
                f"The header {header} is more than {TOLERANCE_SECONDS // 60} minutes off; sign each attempt anew, and "
                "set the clock."
            )
        return text

    def _decoded(self, text: str) -> bytes:
        """The bytes of a signature; none where it is not written so, which no signature equals."""
        try:
            return binascii.unhexlify(text) if self.encoding == "hex" else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return b""


def _there(headers: Mapping[str, str], header: str) -> str:
    value = headers.get(header, "")
    if not value:
        raise SignatureInvalid(f"The header {header} is missing, by which the mapping of this source goes.")
    return value


class Challenge(Frozen):
    """A signed delivery by which the sender only asks whether we are there, and wants to hear something out of it."""

    where: dict[str, Any] = Field(min_length=1, max_length=10, description="By what it is told; all of it must hold.")
    answer: str = Field(description="Where the text is that the sender wants to hear.")

    _where = field_validator("where")(_conditions)
    _answer = field_validator("answer")(_a_path)


class Taken(Frozen):
    """What a field holds: what a path finds, or a value of the mapping's own."""

    path: str | None = Field(default=None, description="Where the value is.")
    unit: Literal["s", "ms", "us"] | None = Field(
        default=None, description="Of a time that is a number: seconds, milliseconds or microseconds since 1970 UTC."
    )
    value: Any = Field(default=None, description="A value that is the same for all.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return given
        if isinstance(given, list) and any(map(_looks_like_a_path, given)):
            raise ValueError(
                "a list holds values of your own, and one of these begins with $ or @; write one path that finds "
                "several, or a list of such texts as { value = ... }"
            )
        return {"path": given} if _looks_like_a_path(given) else {"value": given}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.path is None) == (self.value is None):
            raise ValueError("say a path, or a value of your own; a text that begins with $ or @ as { value = ... }")
        if self.path is not None:
            path_of(self.path)
            return self
        if self.unit is not None:
            raise ValueError("unit goes with a path; write a time of your own as 2025-03-01T12:00:00Z")
        if not _plain(self.value):
            raise ValueError(
                "a value of your own is a text, a number, true or false, or a list of these that is not empty"
            )
        return self

    @model_serializer
    def _as_written(self) -> Any:
        if self.path is not None:
            return self.path if self.unit is None else {"path": self.path, "unit": self.unit}
        several = self.value if isinstance(self.value, list) else [self.value]
        return {"value": self.value} if any(map(_looks_like_a_path, several)) else self.value


class Rule(Frozen):
    """An event that a thing is, where all conditions hold."""

    type: str = Field(description="Which kind of events it is.")
    where: dict[str, Any] = Field(
        default={},
        max_length=20,
        description="Paths, and what one of the values found there must be: a value, or a list of which it is one. All "
        "must hold.",
    )
    data: dict[str, Taken] = Field(min_length=1, description="Fields of the event, and where each is.")

    _where = field_validator("where")(_conditions)


class WebhookMapping(Frozen):
    """What a mapping says."""

    about: str = Field(default="", max_length=500, description="What it is for.")
    items: str | None = Field(
        default=None, description="Where the things are of which each may be an event; the whole when not said."
    )
    signature: Signature | None = Field(
        default=None, description="How deliveries are signed; as Standard Webhooks says when not said."
    )
    challenge: Challenge | None = Field(
        default=None, description="How the sender asks by a delivery whether we are there, where it does."
    )
    events: tuple[Rule, ...] = Field(min_length=1, max_length=MOST_RULES, description="Which events a thing is.")

    @field_validator("items")
    @classmethod
    def _from_the_whole(cls, items: str | None) -> str | None:
        if items is not None and path_of(items).inside:
            raise ValueError("begin the path with $, the whole; @ is each of the things that it finds")
        return items

    @model_validator(mode="after")
    def _not_too_much(self) -> Self:
        paths = {one for rule in self.events for one in (*rule.where, *(of.path for of in rule.data.values())) if one}
        paths |= {self.items} if self.items is not None else set()
        paths |= {*self.challenge.where, self.challenge.answer} if self.challenge is not None else set()
        if len(paths) > MOST_PATHS:
            raise ValueError(f"there are {len(paths)} different paths, of at most {MOST_PATHS}")
        cost = sum(path_of(one).cost for one in paths)
        if cost > MOST_COST:
            raise ValueError(
                f"the paths have {cost} of *, slices, filters, and comparisons and connectives in these, of at most "
                f"{MOST_COST}"
            )
        return self


# --- reading a mapping ----------------------------------------------------------------------------------------------


def document_of(content: bytes, name: str, kinds: Mapping[str, Kind]) -> str:
    """Return the mapping in a file as it is kept: JSON, the same for the same.

    Args:
        content: TOML, or JSON, which begins with a brace.
        name: what to call the file in messages.
        kinds: the kinds of events of ours.

    Raises:
        BadInput: it cannot be used; each wrong place is named, and of what is no TOML or JSON the line.
    """
    _check_size(content, name)
    document = parsed(content, name, "JSON" if content.lstrip().startswith(b"{") else "TOML", BadInput)
    try:
        kept = json.dumps(document, default=_text_of_time)
    except RecursionError:
        raise BadInput(f"{name} is nested too deep.") from None
    mapping = _mapping(kept, name, kinds)
    kept_as = mapping.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(kept_as, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _check_size(content: bytes | str, name: str) -> None:
    if len(content) > MAX_BYTES:
        raise BadInput(f"{name} is larger than {MAX_BYTES:,} bytes; a mapping only says where things are.")


def _text_of_time(value: date | time) -> str:
    """A time of TOML, which JSON has not, as text."""
    return value.isoformat()


def _mapping(document: str, name: str, kinds: Mapping[str, Kind]) -> WebhookMapping:
    _check_size(document, name)
    try:
        mapping = WebhookMapping.model_validate_json(document)
    except ValidationError as error:
        wrong = wrong_places(error)
    else:
        wrong = [*_wrong_fields(mapping, kinds)]
        if not wrong:
            return mapping
    shown = "; ".join(f"{place[:120]}: {message}" if place else message for place, message in wrong[:20])
    raise BadInput(f"{name} cannot be used: {ascii(shown)[1:-1] if not shown.isprintable() else shown}.")


def _wrong_fields(mapping: WebhookMapping, kinds: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    for number, rule in enumerate(mapping.events, start=1):
        kind = kinds.get(rule.type)
        if kind is None:
            yield f"events.{number}.type", f"there is no kind {rule.type[:80]!r}; there are {', '.join(kinds)}"
            continue
        for name, of in rule.data.items():
            place = f"events.{number}.data.{name}"
            if name not in kind.fields:
                yield place, f"{rule.type} has no such field; it has {', '.join(kind.fields)}"
            elif of.unit is not None and name not in kind.times:
                yield place, "a unit is said of times only"
            elif isinstance(of.value, list) and name not in kind.lists:
                yield place, "this field takes one value"
            elif mapping.items is not None and name in kind.lists and of.path is not None and of.path[0] == "$":
                yield place, "begin the path with @: with items, a list is one of the thing itself"
            elif of.path is None and (wrong := kind.wrong(name, of.value)) is not None:
                yield place, wrong.rstrip(".")
        for name in kind.fields:
            if name in kind.required and name not in rule.data:
                yield f"events.{number}.data.{name}", f"is missing, without which there is no {rule.type}"
        if not any(one <= rule.data.keys() for one in kind.alternatives):
            needed = ", or ".join(" and ".join(sorted(one)) for one in kind.alternatives)
            yield f"events.{number}.data", f"there is no {rule.type} without {needed}"


# --- reading what was sent ------------------------------------------------------------------------------------------


class Mapped(Adapter):
    """Reads whatever a mapping describes."""

    name = "mapped"
    about = "Any other webhook, by a mapping of your own: docs/platforms/mapping.md."

    def __init__(self, mapping: WebhookMapping | None = None, kinds: Mapping[str, Kind] | None = None) -> None:
        self._mapping = mapping
        self._kinds = kinds or {}
        self.signs_itself = mapping is not None and mapping.signature is not None
        rules = () if mapping is None else mapping.events
        self._rules = [(one, _conditions_of(one.where)) for one in rules]

    def by(self, mapping: str | None, kinds: Mapping[str, Kind]) -> Adapter:
        """Return the adapter that reads by a mapping. Raises BadInput: there is none, or it cannot be used."""
        if mapping is None:
            raise BadInput(f"Sources of the platform {self.name} are read by a mapping; give one with --mapping.")
        return Mapped(_mapping(mapping, "The mapping", kinds), kinds)

    def delivered(self, headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: float) -> Delivered:
        """Find out who sent a delivery, by what the mapping says of signatures, or as Standard Webhooks says.

        The latter also where the mapping says how deliveries are signed, and one has only what Standard Webhooks has:
        a forwarder sent it. Raises SignatureInvalid.
        """
        scheme = None if self._mapping is None else self._mapping.signature
        forwarded = scheme is not None and scheme.header not in headers and "webhook-signature" in headers
        if scheme is None or forwarded:
            delivered = super().delivered(headers, body, secrets, now)
        else:
            delivered = scheme.delivered(headers, body, secrets, now)
        # A header of the sender's own may come with another body when it tries again.
        own_id = scheme is not None and not forwarded
        return Delivered(delivered.id, delivered.secret, answer=self.asked(body), same_body=not own_id)

    def asked(self, body: bytes) -> str | None:
        """Return what the sender wants to hear, where by what the mapping says it only asks."""
        challenge = None if self._mapping is None else self._mapping.challenge
        if challenge is None:
            return None
        try:
            looked = _Looked(json.loads(body.decode()))
            asks = looked.first_unlike(_conditions_of(challenge.where)) is None
            found = looked.find(path_of(challenge.answer)).values if asks else []
        except (ValueError, RecursionError, Unusable):  # whoever reads it says what is wrong
            return None
        answer = found[0] if len(found) == 1 else None
        can_be_said = isinstance(answer, str) and answer.isprintable() and len(answer) <= _MOST_ANSWERED
        return answer if can_be_said else None

    def events(self, item: Any) -> list[Event]:
        """Read an item as the mapping says."""
        return self._read(item, _Notes(0))

    def unread(self, item: Any) -> list[Unread]:
        """Say which conditions do not hold, and which paths find nothing."""
        notes = _Notes(MOST_NOTES)
        with suppress(Unusable):  # which is said of the item itself
            self._read(item, notes)
        return notes.kept

    def _read(self, item: Any, notes: _Notes) -> list[Event]:
        mapping = self._mapping
        if mapping is None:
            raise Unusable("no_mapping", "There is no mapping by which this could be read.")
        looked = _Looked(item)
        things = [item] if mapping.items is None else looked.find(path_of(mapping.items)).values
        if not things:
            notes.add(1, "items", f"{mapping.items} finds nothing.")
        if len(things) > MOST_THINGS:
            raise Unusable(
                "too_many_things", f"{mapping.items} finds {len(things):,} things, of at most {MOST_THINGS:,}."
            )
        events: list[Event] = []
        characters = 0
        for thing, looked.thing in enumerate(things, start=1):
            for number, (rule, conditions) in enumerate(self._rules, start=1):
                unlike = looked.first_unlike(conditions)
                if unlike is not None:
                    if notes.room:
                        notes.add(thing, f"events.{number}.where", _unlike(unlike, looked.find(unlike.path).values))
                    continue
                data = self._data(rule, looked, notes, thing, f"events.{number}.data")
                events.append({"type": rule.type, "data": data})
                if len(events) > MOST_EVENTS:
                    raise Unusable("too_many_events", f"There are more than {MOST_EVENTS:,} events in it.")
                characters += sum(len(value) for value in data.values() if isinstance(value, str))
                if characters > MOST_TEXT:
                    raise Unusable("too_much_text", f"Its events have more than {MOST_TEXT:,} characters of text.")
        return events

    def _data(self, rule: Rule, looked: _Looked, notes: _Notes, thing: int, place: str) -> dict[str, Any]:
        data = {}
        for name, of in rule.data.items():
            value = self._value(rule.type, name, of, looked)
            if value is None:
                notes.add(thing, f"{place}.{name}", f"{of.path} finds nothing.")
            else:
                data[name] = value
        return data

    def _value(self, kind: str, name: str, of: Taken, looked: _Looked) -> Any:
        if of.path is None:
            return of.value
        path = path_of(of.path)
        found, entries = looked.find(path)
        if path.wide and name in self._kinds[kind].lists:
            if len(found) < entries:
                raise Unusable(
                    "missing_field",
                    f"{of.path} finds something in {len(found):,} of {entries:,} entries only; mend what is sent, or "
                    "leave out the others with a filter such as [?@.id].",
                )
            value = found or None
        elif len(found) > 1:
            raise Unusable("several_values", f"{of.path} finds {len(found):,} values, and {name} takes one.")
        else:
            value = found[0] if found else None
        return value if value is None or of.unit is None else _moment(value, of.unit, name)


class _Condition:
    """A path, and what one of the values must be that it finds."""

    def __init__(self, path: str, wanted: Any) -> None:
        self.path = path_of(path)
        self.wanted = wanted if isinstance(wanted, list) else [wanted]
        self._wanted = {(isinstance(one, bool), one) for one in self.wanted}  # 1 and true are the same to Python

    def holds(self, found: list[Any]) -> bool:
        """Whether one of the values found is one of those wanted."""
        wanted = self._wanted
        return bool(found) and any(
            isinstance(one, str | int | float) and (isinstance(one, bool), one) in wanted for one in found
        )


def _conditions_of(where: Mapping[str, Any]) -> list[_Condition]:
    return [_Condition(path, wanted) for path, wanted in where.items()]


class _Looked:
    """What paths find in an item and in one thing in it after the other, each looked up once.

    So are conditions of the item itself: they hold for all of its things, or for none.
    """

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self._in_whole: dict[str, Found] = {}
        self._held: dict[_Condition, bool] = {}
        self.thing = whole

    @property
    def thing(self) -> Any:
        """Where paths begin that begin with @."""
        return self._thing

    @thing.setter
    def thing(self, thing: Any) -> None:
        self._thing = thing
        self._in_thing: dict[str, Found] = {}

    def find(self, path: Path) -> Found:
        """Return what a path finds."""
        known, of = (self._in_thing, self._thing) if path.inside else (self._in_whole, self._whole)
        found = known.get(path.text)
        if found is None:
            try:
                found = known[path.text] = path.find(of)
            except RecursionError:
                raise Unusable("too_deep", f"{path.text} compares values that are nested too deep.") from None
        return found

    def first_unlike(self, conditions: Iterable[_Condition]) -> _Condition | None:
        """Return the first condition that does not hold; None where all do."""
        for one in conditions:
            if one.path.inside:
                holds = one.holds(self.find(one.path).values)
            else:
                known = self._held.get(one)
                holds = known if known is not None else one.holds(self.find(one.path).values)
                self._held[one] = holds
            if not holds:
                return one
        return None


class _Notes:
    """The first few notes."""

    def __init__(self, most: int) -> None:
        self.kept: list[Unread] = []
        self._most = most

    @property
    def room(self) -> bool:
        """Whether one more is kept."""
        return len(self.kept) < self._most

    def add(self, thing: int, place: str, message: str) -> None:
        """Keep a note while there is room."""
        if self.room:
            self.kept.append(Unread(thing=thing, place=place, message=message))


def _unlike(condition: _Condition, found: list[Any]) -> str:
    wants = " or ".join(_shown(one) for one in condition.wanted)
    if not found:
        return f"{condition.path.text} finds nothing; it would have to be {wants}."
    return f"{condition.path.text} is {', '.join(_shown(one) for one in found[:3])}, not {wants}."


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value[:80] if isinstance(value, str) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def _moment(value: Any, unit: str, name: str) -> str:
    """A number of some unit since 1970 UTC as a time, to the millisecond."""
    text = value if isinstance(value, str) else str(value) if type(value) in (int, float) else ""
    milliseconds = Decimal(text) * _UNITS[unit] if _NUMBER.fullmatch(text) else None
    if milliseconds is None or milliseconds >= _YEAR_10000:
        raise Unusable("bad_time", f"The {name} is no number of {unit} since 1970 UTC, such as 1740830400 or 0.5.")
    return (_EPOCH + timedelta(milliseconds=int(milliseconds))).isoformat(timespec="milliseconds")


ADAPTER = Mapped()
