"""Events that integrations push: the kinds there are, their schemas, and what a body of them says.

An event is `{"type": "follow.created", "timestamp": "2025-03-01T12:00:00Z", "data": {...}}`, as the Standard Webhooks
specification has it; CloudEvents 1.0 in structured mode, whose `time` is the timestamp, are read likewise. Fields that
no schema knows are ignored. Nothing here does I/O.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from service.domain import Follow
from service.errors import InvalidRequest, MalformedBody
from service.files import values
from service.files.schemas import (
    AS_OF,
    BRAND,
    ID,
    NETWORK,
    RELATION,
    RELATION_FIELDS,
    SCHEMAS,
    TOPIC,
    Context,
    Field,
    Given,
    Schema,
    endorsement,
    flag_field,
    id_field,
    interaction,
    related,
    time_field,
)
from service.files.values import FUTURE_MS, BadLine
from service.records import NO_END, Statement, asks_erasure

MOST_EVENTS = 1_000
"""Events in one body."""

MOST_LEVELS = 64
"""Of lists and objects in each other: what is taken in must be shown, written and searched again."""

MOST_OF_ITEM, MOST_OF_BODY = 1_000, 10_000
"""Events that one thing of a platform may become, and all things of a body."""

MAX_RECORD_CHARACTERS = 1_024
RECORD_BYTES = 12
"""Of the digest of a follow's id: among 10⁹ of them two are the same with a probability of 10⁻¹¹."""

Said = list[Follow | Statement]


@dataclass(frozen=True)
class EventSource:
    """What is known of all events of a source.

    Attributes:
        name: its name; ids of interactions are unique in it.
        network: where accounts live that do not say so; None: ids are whole keys, `network:id`.
        translate: reads what its platform sends as events, raising BadLine; without, it sends events.
        explain: says what was not found in something of which the events cannot be used; empty where it does not know.
    """

    name: str
    network: str | None
    translate: Callable[[Any], list[Any]] | None = None
    explain: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Item:
    """What became of one event: what it says, or a code and a sentence why it cannot be used.

    `event` is the event as it came; `events` counts those that it is, where a platform sent it.
    """

    index: int
    event: object
    said: Said
    code: str | None = None
    message: str | None = None
    events: int = 1

    @property
    def ignored(self) -> bool:
        """Whether it is what a platform sends and nobody here reads."""
        return self.events == 0 and self.code is None

    @property
    def status(self) -> Literal["accepted", "ignored", "rejected"]:
        """What became of it, as answers say."""
        if self.code is not None:
            return "rejected"
        return "ignored" if self.ignored else "accepted"


def read_body(body: bytes, *, of_platform: bool = False) -> list[Any]:
    """Return the events of a body: one, an array, or an object whose `events` are an array.

    Args:
        body: as it came.
        of_platform: whether it is in the form of a platform, whose objects are not looked into here.

    Raises:
        MalformedBody: it is not JSON in UTF-8.
        InvalidRequest: there is no event in it, or there are too many.
    """
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not JSON in UTF-8; send one event, or an array of events.") from None
    if _deeper_than(document, MOST_LEVELS):
        raise MalformedBody(
            f"The body is nested more than {MOST_LEVELS} levels deep; send events as they are described."
        )
    if not of_platform and isinstance(document, dict) and "type" not in document and "events" in document:
        document = document["events"]
        if not isinstance(document, list):
            raise InvalidRequest("The field events is not an array; put the events of a batch into an array.")
    events = document if isinstance(document, list) else [document]
    if not events:
        raise InvalidRequest("There is no event in the body; send one event, or an array of events.")
    if len(events) > MOST_EVENTS:
        raise InvalidRequest(f"There are {len(events):,} events in the body; send at most {MOST_EVENTS:,} at a time.")
    return events


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # could not be written as JSON again
        raise ValueError(text)
    return number


def _deeper_than(document: Any, levels: int) -> bool:
    """Whether there are lists and objects within each other beyond so many levels."""
    level = [document]
    for _ in range(levels):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def read_events(events: list[Any], source: EventSource, received_at: int) -> list[Item]:
    """Return what each event says, in order. The same events, source and time give the same.

    Args:
        events: as `read_body` returns them.
        source: who sent them.
        received_at: when they came, in milliseconds since 1970 UTC: the time of events that have none. Times more than
            five minutes later are not believed.
    """
    items = []
    context = Context(source.network, received_at, received_at + FUTURE_MS)
    undated: Counter[tuple[str, str]] = Counter()
    became = 0
    for index, event in enumerate(events):
        try:
            read = [event]
            if source.translate is not None:
                read = source.translate(event)
                if len(read) > MOST_OF_ITEM or became + len(read) > MOST_OF_BODY:
                    raise BadLine(
                        "too_many_events",
                        f"This is more than {MOST_OF_ITEM:,} events, or with those before it in the body more than "
                        f"{MOST_OF_BODY:,}; send less at a time.",
                    )
            items.append(Item(index, event, _all_said(read, source, context, undated), events=len(read)))
            became += len(read)
        except BadLine as bad:
            found = "" if source.explain is None else source.explain(event)
            items.append(Item(index, event, [], bad.reason, f"{bad.message} {found}".rstrip()))
    return items


def _all_said(read: list[Any], source: EventSource, context: Context, undated: Counter[tuple[str, str]]) -> Said:
    """What events say together; of what a platform tells of accounts besides what cannot be used is left out."""
    said: Said = []
    for event in read:
        try:
            said += _said(event, source.name, context, undated)
        except BadLine:
            if source.translate is None or len(read) == 1 or event["type"] != "account.upserted":
                raise
    return said


def _said(event: Any, source: str, context: Context, undated: Counter[tuple[str, str]]) -> Said:
    if not isinstance(event, dict):
        raise BadLine("bad_event", "The event is not a JSON object.")
    kind = event.get("type")
    known = EVENTS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise BadLine("unknown_type", f"The type is none of {', '.join(EVENTS)}.")
    data = event.get("data")
    if not isinstance(data, dict):
        raise BadLine("bad_data", "The field data is not a JSON object.")
    said_at = event.get("timestamp", event.get("time"))
    if said_at is not None and data.get(known.time) is None:
        data = {**data, known.time: said_at}
    line = Given(known.schema, data, context)
    at = line[known.time]
    if at is None:
        at = context.as_of
        if "follower" in known.schema.fields and line["follower"] is not None and line["followee"] is not None:
            # In one body the later of two that are about the same pair stands: each has a millisecond of its own.
            pair = line.pair("follower", "followee")
            at += undated[pair]
            undated[pair] += 1
    return known.says(line, Moment(at, source))


class Moment(NamedTuple):
    """The time of an event, as it says or else when it came, in milliseconds since 1970 UTC, and its source."""

    at: int
    source: str


@dataclass(frozen=True)
class EventKind:
    """A kind of events.

    Attributes:
        schema: of its data.
        time: the field that holds its time.
        says: what an event of this kind says.
        alternatives: fields of which one group at least has to be there besides those that the schema requires.
    """

    schema: Schema
    time: str
    says: Callable[[Given, Moment], Said]
    alternatives: tuple[frozenset[str], ...] = (frozenset(),)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of an event of this kind."""
        data = self.schema.json_schema()
        example = data.pop("examples")[0]
        del data["$schema"], data["title"], data["description"]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.schema.kind,
            "description": self.schema.about,
            "type": "object",
            "properties": {
                "type": {"const": self.schema.kind},
                "timestamp": {
                    "type": ["string", "number"],
                    "description": f"When it happened, where data has no {self.time}; without both, when it came.",
                },
                "data": data,
            },
            "required": ["type", "data"],
            "examples": [{"type": self.schema.kind, "timestamp": "2025-03-01T12:00:00Z", "data": example}],
        }


# --- what events of each kind say -----------------------------------------------------------------------------------


def _line(kind: str) -> Callable[[Given, Moment], Said]:
    """What a line of an import says, an event with the same fields says, too."""
    says = SCHEMAS[kind].says
    return lambda line, moment: [*says(line)]  # noqa: ARG005


def _follow(line: Given, moment: Moment) -> Said:
    follower, followee = line.pair("follower", "followee")
    follow = Follow(follower, followee, 1.0 if line["weight"] is None else line["weight"], moment.at)
    if line["record"] is None:
        return [follow]
    return [Statement("follow_records", (_record(line, moment), follower, followee), (follow.weight,), moment.at)]


def _unfollow(line: Given, moment: Moment) -> Said:
    pair: tuple[str, ...] = ()
    if line["follower"] is not None and line["followee"] is not None:
        pair = line.pair("follower", "followee")
    if line["record"] is not None:
        return [Statement("follow_records", (_record(line, moment), *pair), (), moment.at)]
    if not pair:
        missing = "followee" if line["followee"] is None else "follower"
        raise BadLine("missing_field", f"The line has no {missing}, and no record that says whose follow it was.")
    return [Statement("unfollows", pair, (), moment.at, line["at"] is not None)]


def _record(line: Given, moment: Moment) -> str:
    """What is kept of the id of a follow: a digest, the same for all sources of a network."""
    scope = f"source {moment.source}" if line.network is None else f"network {line.network}"
    return hashlib.blake2b(f"{scope}\n{line['record']}".encode(), digest_size=RECORD_BYTES).hexdigest()


def _snapshot(line: Given, moment: Moment) -> Said:
    account = line.key("account")
    followers = [line.key_of(one) for one in line["followers"]]
    if account in followers:
        raise BadLine("self_loop", "The account is among its own followers.")
    at = max(moment.at, 1)  # a complete list ends others in the millisecond before it
    said: Said = [Follow(one, account, 1.0, at) for one in followers]
    if line["complete"]:
        said.append(Statement("complete_followers", (account,), (), at))
    return said


def _interaction(line: Given, moment: Moment) -> Said:
    return [*interaction(line, f"{moment.source}\n{line['id']}", moment.at)]


def _post(line: Given, moment: Moment) -> Said:  # noqa: ARG001 - all of these are called alike
    said: Said = [*SCHEMAS["posts"].says(line)]
    at = line["at"] if line["as_of"] is None else line["as_of"]
    for brand, stance, paid in line["mentions"] or ():
        said.append(line.statement("mentions", (line.key("post"), brand), stance, paid, at=at))
    return said


def _relation_set(line: Given, moment: Moment) -> Said:  # noqa: ARG001
    return [related(line, line.key("account"), NO_END)]


def _relation_removed(line: Given, moment: Moment) -> Said:
    until = moment.at if line["until"] is None else line["until"]
    return [line.statement("relations", (line.key("account"), line["brand"], line["relation"]), None, until, None)]


def _endorsement(withdrawn: bool) -> Callable[[Given, Moment], Said]:
    return lambda line, moment: [endorsement(line, withdrawn=withdrawn)]  # noqa: ARG005


def _erased(line: Given, moment: Moment) -> Said:
    return [asks_erasure(line.key("account"), moment.at)]


def _deleted(line: Given, moment: Moment) -> Said:
    return [Statement("deleted_accounts", (line.key("account"),), (), moment.at)]


def _mention_of(value: object, name: str, latest: int) -> tuple[str, int | None, bool | None]:
    given = value if isinstance(value, dict) else {"brand": value}
    stance, paid = given.get("stance"), given.get("paid")
    return (
        values.brand(given.get("brand"), f"brand of {name}", latest),
        None if stance is None else values.stance(stance, f"stance of {name}", latest),
        None if paid is None else values.flag(paid, f"paid of {name}", latest),
    )


def _array(parse: Callable[[object, str, int], Any], item: dict[str, Any], meaning: str, required: bool) -> Field:
    def read(value: object, name: str, latest: int) -> list[Any]:
        if not isinstance(value, list):
            raise BadLine("bad_list", f"The {name} are no array.")
        return [parse(one, name, latest) for one in value]

    return Field(read, {"type": "array", "items": item}, meaning, required)


_MENTIONS = _array(
    _mention_of,
    {
        "type": ["object", "string"],
        "properties": {
            "brand": BRAND,
            "stance": {"enum": [-1, 0, 1, None]},
            "paid": {"type": ["boolean", "null"]},
        },
        "required": ["brand"],
    },
    "Brands it mentions, with stance (-1 unfavourable, 0 neutral, 1 favourable) and paid where they are known.",
    required=False,
)


def _fields(kind: str, *left_out: str, **more: Field) -> dict[str, Field]:
    return {name: field for name, field in SCHEMAS[kind].fields.items() if name not in left_out} | more


def _kinds(*kinds: EventKind) -> dict[str, EventKind]:
    return {kind.schema.kind: kind for kind in kinds}


def _schema(kind: str, about: str, fields: dict[str, Field], ids: tuple[str, ...], example: dict[str, Any]) -> Schema:
    return Schema(kind, about, fields, lambda line: [], ids, example)  # noqa: ARG005 - EventKind says it


_PAIR = {
    "follower": id_field("Id of the account that follows."),
    "followee": id_field("Id of the account that is followed."),
    "network": NETWORK,
}
_RECORD = Field(
    lambda value, name, latest: values.native_id(value, name, MAX_RECORD_CHARACTERS),  # noqa: ARG005
    ID | {"maxLength": MAX_RECORD_CHARACTERS},
    "Id of the follow itself, where its network has one: follow.deleted may say it in place of the accounts.",
)
_BRAND_RELATION = {name: SCHEMAS["brand_relations"].fields[name] for name in ("account", "network", "brand")}

EVENTS = _kinds(
    EventKind(
        _schema(
            "account.upserted",
            "What is known of an account; a field that is left out says nothing.",
            _fields("accounts"),
            ("account",),
            {"account": "1017", "handle": "lea.martin", "name": "Léa Martin", "lang": "fr", "followers": 812},
        ),
        "as_of",
        _line("accounts"),
    ),
    EventKind(
        _schema(
            "follow.created",
            "An account follows another.",
            _PAIR | {"at": time_field("Since when."), "weight": SCHEMAS["follows"].fields["weight"], "record": _RECORD},
            ("follower", "followee"),
            {"follower": "1017", "followee": "2044"},
        ),
        "at",
        _follow,
    ),
    EventKind(
        _schema(
            "follow.deleted",
            "An account no longer follows another. The later of the two stands; at the same time, the unfollow. Which "
            "follow ended is said by follower and followee, or by its record, or by both.",
            {
                "follower": id_field("Id of the account that followed.", required=False),
                "followee": id_field("Id of the account that was followed.", required=False),
                "network": NETWORK,
                "at": time_field("Since when."),
                "record": _RECORD,
            },
            ("follower", "followee"),
            {"follower": "1017", "followee": "2044"},
        ),
        "at",
        _unfollow,
        (frozenset({"follower", "followee"}), frozenset({"record"})),
    ),
    EventKind(
        _schema(
            "follow.snapshot",
            "Followers of an account at a time. Where these are all, follows of earlier times that are not among them "
            "end, also such that become known later.",
            {
                "account": id_field("Id of the account that is followed."),
                "network": NETWORK,
                "followers": _array(values.id_of, ID, "Ids of those who follow it.", required=True),
                "complete": flag_field("Whether these are all of them; not if not said."),
                "at": time_field("Of when the list is."),
            },
            ("account",),
            {"account": "2044", "followers": ["1017", "1018"], "complete": True},
        ),
        "at",
        _snapshot,
    ),
    EventKind(
        _schema(
            "interaction.recorded",
            "An account likes, answers, mentions or reposts another. The same id of the same source counts once.",
            _fields("interactions") | {"at": time_field("When.")},
            ("id", "account", "target", "post"),
            {"id": "e88", "account": "1017", "target": "2044", "kind": "reply", "post": "p5"},
        ),
        "at",
        _interaction,
    ),
    EventKind(
        _schema(
            "post.published",
            "A post, or a post that was edited (as_of says when): what it is about, which brands it mentions and how.",
            _fields("posts") | {"mentions": _MENTIONS},
            ("post", "account"),
            {
                "post": "p5", "account": "2044", "at": "2025-03-01T09:10:00Z", "kind": "photo",
                "topics": ["jardin", "slow food"], "mentions": [{"brand": "aubade", "stance": 1, "paid": False}],
            },
        ),
        "as_of",
        _post,
    ),
    EventKind(
        _schema(
            "brand_relation.set",
            "An account works for a brand, works with it, buys from it or uses it; without until, it lasts.",
            _BRAND_RELATION | {"relation": RELATION, **RELATION_FIELDS},
            ("account", "brand"),
            {"account": "1017", "brand": "aubade", "relation": "customer", "since": "2023-04-01", "source": "crm"},
        ),
        "as_of",
        _relation_set,
    ),
    EventKind(
        _schema(
            "brand_relation.removed",
            "A relation of an account to a brand has ended.",
            _BRAND_RELATION
            | {"relation": RELATION, "until": RELATION_FIELDS["until"], "as_of": AS_OF},
            ("account", "brand"),
            {"account": "1017", "brand": "aubade", "relation": "customer", "until": "2025-02-28"},
        ),
        "as_of",
        _relation_removed,
    ),
    *(
        EventKind(
            _schema(
                f"endorsement.{what}",
                about,
                _fields("endorsements", "topic", "withdrawn", topic=TOPIC),
                ("account", "endorsed"),
                {"account": "1017", "endorsed": "2044", "topic": "slow food"},
            ),
            "at",
            _endorsement(what == "withdrawn"),
        )
        for what, about in (
            ("given", "An account stands up for another, on a topic or as a whole."),
            ("withdrawn", "An account no longer stands up for another."),
        )
    ),
    EventKind(
        _schema(
            "account.opted_out",
            "An account does not want to be named; with opted_out false, it takes that back.",
            _fields("opt_outs"),
            ("account",),
            {"account": "1017"},
        ),
        "at",
        _line("opt_outs"),
    ),
    EventKind(
        _schema(
            "account.erased",
            "An account asks to be erased: from now on it is hidden, then removed, and never taken in again.",
            {"account": id_field("Id of the account."), "network": NETWORK, "at": time_field("When it asked.")},
            ("account",),
            {"account": "1017"},
        ),
        "at",
        _erased,
    ),
    EventKind(
        _schema(
            "account.deleted",
            "An account is no more on its network: where the graph knows it, it is erased, else nothing happens.",
            {"account": id_field("Id of the account."), "network": NETWORK, "at": time_field("When it was deleted.")},
            ("account",),
            {"account": "1017"},
        ),
        "at",
        _deleted,
    ),
)  # fmt: skip
"""Every kind of events that can be pushed."""


def event_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each kind of events, by kind."""
    return {name: kind.json_schema() for name, kind in EVENTS.items()}
