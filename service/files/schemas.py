"""The schema of each kind of line that can be imported: its fields, what they may hold, and what a line then says.

One description serves three ends: lines are read by it, it is published as JSON Schema, and the command explains it.
In CSV every value is a cell of text and an empty cell says nothing; in NDJSON values may be JSON numbers, booleans and
arrays, and null says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.files import values
from service.files.values import BadLine, account_key
from service.records import INTERACTION_KINDS, RELATIONS, Match, Statement, day_of, interaction_event

Said = list[Statement] | Match


@dataclass(frozen=True)
class Context:
    """What is known of all lines of a file.

    Attributes:
        network: where accounts live that do not say so; None: the file holds whole keys, `network:id`.
        as_of: when lines were said that do not say so, in milliseconds since 1970 UTC.
        latest: the latest time that is believed, in the same unit.
    """

    network: str | None
    as_of: int
    latest: int


@dataclass(frozen=True)
class Field:
    """One field of a line: how it is read, its JSON Schema, and what it means."""

    parse: Callable[[object, str, int], Any]
    schema: dict[str, Any]
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Schema:
    """One kind of lines.

    Attributes:
        kind: its name.
        about: what such a file holds, in a sentence.
        fields: its fields by name.
        says: what a line with these values says.
        ids: fields that identify something: they can hold no line break.
        example: a line, as JSON.
    """

    kind: str
    about: str
    fields: dict[str, Field]
    says: Callable[[Given], Said]
    ids: tuple[str, ...]
    example: dict[str, Any]

    @property
    def required(self) -> list[str]:
        """Fields that every line must have."""
        return [name for name, field in self.fields.items() if field.required]

    def json_schema(self) -> dict[str, Any]:
        """Return the schema of one NDJSON line as JSON Schema (2020-12); a CSV file has the same names as columns.

        It is the form to write: reading forgives spaces around a value and capitals of fixed words, and takes an empty
        text as null.
        """
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.kind,
            "description": self.about,
            "type": "object",
            "properties": {
                name: {
                    **(field.schema if field.required else {"anyOf": [field.schema, {"type": "null"}]}),
                    "description": field.meaning,
                }
                for name, field in self.fields.items()
            },
            "required": self.required,
            "examples": [self.example],
        }


class Given:
    """The values of one line, parsed: by field name, with None where it says nothing."""

    def __init__(self, schema: Schema, given: dict[str, object], context: Context) -> None:
        """Parse the given values.

        Raises:
            BadLine: a value cannot be used, or a required one is not there.
        """
        self._context = context
        self._values: dict[str, Any] = {}
        for name, field in schema.fields.items():
            value = given.get(name)
            if value is None or (type(value) is str and not value.strip()):
                if field.required:
                    raise BadLine("missing_field", f"The line has no {name}.")
                self._values[name] = None
            else:
                self._values[name] = field.parse(value, name, context.latest)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    @property
    def network(self) -> str | None:
        """Where the line's ids are from; None where they are whole keys."""
        return self._values.get("network") or self._context.network

    def key(self, name: str) -> str:
        """Return the key of the account or post in a field."""
        return self.key_of(self._values[name])

    def key_of(self, native_id: str) -> str:
        """Return the key of an account or post by its id."""
        return account_key(self.network, native_id)

    def statement(self, thing: str, identity: tuple[Any, ...], *fields: Any, at: int | None = None) -> Statement:
        """Make a statement, said at `at`; by default when the line says, or else when its file was written."""
        if at is None:
            at = self._values.get("as_of")
        return Statement(thing, identity, fields, self._context.as_of if at is None else at, at is not None)

    def pair(self, one: str, other: str) -> tuple[str, str]:
        """Return the keys of two different accounts.

        Raises:
            BadLine: they are the same.
        """
        keys = self.key(one), self.key(other)
        if keys[0] == keys[1]:
            raise BadLine("self_loop", f"{one} and {other} are the same account.")
        return keys


# --- fields that several kinds have -----------------------------------------------------------------------------

ID = {"type": ["string", "integer"], "minLength": 1, "maxLength": values.MAX_ID_CHARACTERS}
TIME = {"type": ["string", "number"], "examples": ["2025-03-01T12:00:00Z", 1740830400]}
FLAG = {"type": ["boolean", "string", "integer"], "examples": [True]}
BRAND = {"type": "string", "pattern": values.BRAND_PATTERN}


def _text(characters: int) -> tuple[Callable[[object, str, int], str], dict[str, Any]]:
    return (
        lambda value, name, latest: values.text(value, name, characters),  # noqa: ARG005 - like the others
        {"type": "string", "maxLength": characters},
    )


def _choice(options: tuple[str, ...]) -> tuple[Callable[[object, str, int], str], dict[str, Any]]:
    return (
        lambda value, name, latest: values.choice(value, name, options),  # noqa: ARG005
        {"enum": list(options)},
    )


def _list(parse: Callable[[object, str, int], Any], item: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return (
        lambda value, name, latest: tuple(sorted({parse(one, name, latest) for one in values.items(value, name)})),
        {"type": ["array", "string"], "items": item},
    )


def id_field(meaning: str, *, required: bool = True) -> Field:
    """A field that holds an id."""
    return Field(values.id_of, ID, meaning, required)


def time_field(meaning: str, *, required: bool = False) -> Field:
    """A field that holds a time, not later than now."""
    return Field(values.time_of, TIME, meaning, required)


def _any_time(meaning: str) -> Field:
    return Field(values.any_time_of, TIME, meaning)


def _count(meaning: str) -> Field:
    return Field(values.count, {"type": ["integer", "string"], "minimum": 0}, meaning)


def flag_field(meaning: str) -> Field:
    """A field that is true or false."""
    return Field(values.flag, FLAG, meaning)


def _brand(meaning: str) -> Field:
    return Field(values.brand, BRAND, meaning, True)


NETWORK = Field(
    values.network, {"type": "string", "pattern": values.NETWORK_PATTERN}, "Where the ids of this line are from."
)
AS_OF = time_field("When this was known; without it the time of the file. Of each field the latest value stands.")
RELATION = Field(*_choice(tuple(RELATIONS)), "What the account is to the brand.", True)
RELATION_FIELDS = {
    "since": _any_time("When it began."),
    "until": _any_time("When it ended, or will; empty while it lasts."),
    "source": Field(*_text(100), "Who says so, e.g. hr, crm, declared."),
    "as_of": AS_OF,
}
TOPIC = Field(values.topic, {"type": "string", "maxLength": 100}, "About what; # and capitals do not matter.")


# --- what a line of each kind says --------------------------------------------------------------------------------


def _account(line: Given) -> Said:
    names = ("handle", "name", "bio", "lang", "location", "created_at", "followers", "email_sha256")
    said = tuple(line[name] for name in names)
    digest = line["email_sha256"] or line["email"]
    erasure = line["erasure_asked_at"]
    return [line.statement("accounts", (line.key("account"),), *said[:-1], digest, None, erasure)]


def _opt_out(line: Given) -> Said:
    opted_out = True if line["opted_out"] is None else line["opted_out"]
    return [line.statement("accounts", (line.key("account"),), *(None,) * 8, opted_out, None, at=line["at"])]


def _unfollow(line: Given) -> Said:
    return [line.statement("unfollows", line.pair("follower", "followee"), at=line["at"])]


def _complete_followers(line: Given) -> Said:
    return [line.statement("complete_followers", (line.key("account"),), at=line["at"])]


def _interaction(line: Given) -> Said:
    return interaction(line, line["id"], line["at"])


def interaction(line: Given, event_id: str, at: int) -> list[Statement]:
    """Return what an interaction says that is told from others by this id and happened at this time."""
    account, target = line.pair("account", "target")
    kind = line["kind"]
    event = interaction_event(kind, event_id, at)
    said = [line.statement("engagements", (account, target, day_of(at)), *(None,) * 5, (event,), at=at)]
    if line["post"] is not None and kind != "mention":
        said.append(line.statement("responses", (account, line.key("post"), kind, at), at=at))
    return said


def _interaction_counts(line: Given) -> Said:
    counts = [line[name] or 0 for name in ("likes", "replies", "mentions", "reposts")]
    if not any(counts) and not line["events"]:
        raise BadLine("bad_count", "The line counts nothing: likes, replies, mentions and reposts are all 0 or empty.")
    day: date = line["day"]
    return [
        line.statement("engagements", (*line.pair("account", "target"), day), *counts, line["hours"], line["events"])
    ]


def _post(line: Given) -> Said:
    account = None if line["account"] is None else line.key("account")
    said = (account, *(line[name] for name in ("at", "kind", "lang", "text", "topics", "paid")))
    return [
        line.statement("posts", (line.key("post"),), *said, at=line["at"] if line["as_of"] is None else line["as_of"])
    ]


def _response(line: Given) -> Said:
    at = -1 if line["at"] is None else line["at"]
    return [line.statement("responses", (line.key("account"), line.key("post"), line["kind"], at), at=at)]


def _brand_line(line: Given) -> Said:
    accounts = None if line["accounts"] is None else tuple(sorted(line.key_of(one) for one in line["accounts"]))
    competitors = line["competitors"]
    if competitors and line["brand"] in competitors:
        raise BadLine("self_loop", "A brand cannot compete with itself.")
    return [line.statement("brands", (line["brand"],), line["name"], accounts, competitors)]


def _mention(line: Given) -> Said:
    return [line.statement("mentions", (line.key("post"), line["brand"]), line["stance"], line["paid"])]


def _relation(line: Given) -> Said:
    return [related(line, line.key("account"))]


def related(line: Given, account: str, unless_said: int | None = None) -> Statement:
    """Return what a line says about an account and a brand; `unless_said` is when it ends where the line is silent."""
    since, until = line["since"], unless_said if line["until"] is None else line["until"]
    if since is not None and until is not None and until < since:
        raise BadLine("bad_time", "The relation ends before it begins.")
    return line.statement("relations", (account, line["brand"], line["relation"]), since, until, line["source"])


def _crm(line: Given) -> Said:
    account = None if line["account"] is None else line.key("account")
    handle = None if line["handle"] is None else values.folded_handle(line["handle"])
    digest = line["email_sha256"] or line["email"]
    if account is handle is digest is None:
        raise BadLine("missing_field", "The line has neither account, handle, email nor email_sha256.")
    return Match(line.network, account, handle, digest, related(line, ""))


def _person(line: Given) -> Said:
    return [line.statement("persons", (line["person"], line.key("account")))]


def _endorsement(line: Given) -> Said:
    return [endorsement(line, withdrawn=bool(line["withdrawn"]))]


def endorsement(line: Given, *, withdrawn: bool) -> Statement:
    """Return that an endorsement was given, or withdrawn."""
    identity = (*line.pair("account", "endorsed"), line["topic"] or "")
    return line.statement("endorsements", identity, withdrawn, at=line["at"])


def _named(*schemas: Schema) -> dict[str, Schema]:
    return {schema.kind: schema for schema in schemas}


SCHEMAS = _named(
    Schema(
        "accounts",
        "Accounts: who they are. Only the id is needed; a line that leaves a field empty says nothing about it.",
        {
            "account": id_field("Id of the account in its network."),
            "network": NETWORK,
            "handle": Field(values.handle, ID, "Its handle, with or without @."),
            "name": Field(*_text(256), "Name shown."),
            "bio": Field(*_text(5_000), "What it says about itself."),
            "lang": Field(values.language, {"type": "string", "pattern": values.LANGUAGE_PATTERN}, "Its language."),
            "location": Field(*_text(256), "Where it says it is."),
            "created_at": time_field("When it was made."),
            "followers": _count("Followers its network reports."),
            "email": Field(values.email, {"type": "string"}, "E-mail address; only its SHA-256 is kept."),
            "email_sha256": Field(
                values.digest, {"type": "string"}, "SHA-256 of the e-mail address in lower case, hexadecimal."
            ),
            "erasure_asked_at": time_field("When it asked to be erased."),
            "as_of": AS_OF,
        },
        _account,
        ("account",),
        {"account": "1017", "handle": "lea.martin", "bio": "Pain, levain, vélo.", "lang": "fr", "followers": 812},
    ),
    Schema(
        "follows",
        "Follows: who follows whom. Read leniently: other columns may be named, see the options of the command.",
        {
            "follower": id_field("Id of the account that follows."),
            "followee": id_field("Id of the account that is followed."),
            "at": time_field("Since when; empty where not known, which counts as the earliest time."),
            "weight": Field(
                values.weight_of,
                {"type": ["number", "string"], "exclusiveMinimum": 0},
                "Strength of the tie, 1 if not said.",
            ),
        },
        lambda line: [],  # noqa: ARG005 - follows have a reader of their own
        ("follower", "followee"),
        {"follower": "1017", "followee": "2044", "at": "2025-03-01T12:00:00Z"},
    ),
    Schema(
        "unfollows",
        "Unfollows: who no longer follows whom. The later of follow and unfollow stands, of two at once the unfollow.",
        {
            "follower": id_field("Id of the account that followed."),
            "followee": id_field("Id of the account that was followed."),
            "network": NETWORK,
            "at": time_field("Since when; without it the time of the file."),
        },
        _unfollow,
        ("follower", "followee"),
        {"follower": "1017", "followee": "2044", "at": "2025-05-09T08:30:00Z"},
    ),
    Schema(
        "complete_followers",
        "Accounts of which all followers are known: follows of that time or later are all there are, earlier ones end.",
        {
            "account": id_field("Id of the account that is followed."),
            "network": NETWORK,
            "at": time_field("Of when the list is; without it the time of the file."),
        },
        _complete_followers,
        ("account",),
        {"account": "2044", "at": "2025-05-09T08:30:00Z"},
    ),
    Schema(
        "interactions",
        "Interactions, one a line. The same id twice counts once. They are kept as counts a pair of accounts and day.",
        {
            "id": Field(values.id_of, ID, "Id of the event, unique in its network.", True),
            "account": id_field("Id of the account that acts."),
            "target": id_field("Id of the account it is about."),
            "network": NETWORK,
            "kind": Field(*_choice(INTERACTION_KINDS), "What happened.", True),
            "at": time_field("When.", required=True),
            "post": id_field("Id of the post it is about, where known.", required=False),
        },
        _interaction,
        ("id", "account", "target", "post"),
        {"id": "e88", "account": "1017", "target": "2044", "kind": "reply", "at": "2025-03-01T12:00:00Z", "post": "p5"},
    ),
    Schema(
        "interaction_counts",
        "Interactions as counts a pair and day (UTC). Of two statements the greater count stands, each for itself.",
        {
            "account": id_field("Id of the account that acts."),
            "target": id_field("Id of the account it is about."),
            "network": NETWORK,
            "day": Field(values.day, {"type": "string", "format": "date"}, "Day in UTC.", True),
            "likes": _count("How many likes."),
            "replies": _count("How many replies."),
            "mentions": _count("How many mentions."),
            "reposts": _count("How many reposts."),
            "hours": Field(
                values.hours,
                {
                    "type": ["array", "string"],
                    "items": {"type": "integer", "minimum": 0},
                    "minItems": 24,
                    "maxItems": 24,
                },
                "How many in each hour of the day (UTC): 24 numbers.",
            ),
            "events": Field(
                values.events,
                {"type": ["array", "string"], "items": {"type": "string", "pattern": "^[0-9a-f]{1,16}$"}},
                "Marks of the single events among these counts, as an export writes them.",
            ),
        },
        _interaction_counts,
        ("account", "target"),
        {"account": "1017", "target": "2044", "day": "2025-03-01", "likes": 3, "replies": 1},
    ),
    Schema(
        "posts",
        "Posts: what accounts publish. The text may be left out where only topics are known.",
        {
            "post": id_field("Id of the post in its network."),
            "account": id_field("Id of its author.", required=False),
            "network": NETWORK,
            "at": time_field("When it was published."),
            "kind": Field(
                *_choice(("text", "link", "photo", "video", "audio", "poll", "reply", "repost", "other")), "Its form."
            ),
            "lang": Field(values.language, {"type": "string", "pattern": values.LANGUAGE_PATTERN}, "Its language."),
            "text": Field(*_text(50_000), "Its text."),
            "topics": Field(*_list(values.topic, {"type": "string", "maxLength": 100}), "What it is about."),
            "paid": flag_field("Whether somebody paid for it; empty where not known."),
            "as_of": time_field("When it was last edited; without it when it was published."),
        },
        _post,
        ("post", "account"),
        {
            "post": "p5",
            "account": "2044",
            "at": "2025-03-01T09:10:00Z",
            "kind": "photo",
            "topics": ["jardin", "slow food"],
        },
    ),
    Schema(
        "responses",
        "Responses to posts: who liked, answered or reposted which post.",
        {
            "account": id_field("Id of the account that responds."),
            "post": id_field("Id of the post."),
            "network": NETWORK,
            "kind": Field(*_choice(("like", "reply", "repost")), "How.", True),
            "at": time_field("When."),
        },
        _response,
        ("account", "post"),
        {"account": "1017", "post": "p5", "kind": "like", "at": "2025-03-01T12:00:00Z"},
    ),
    Schema(
        "brands",
        "Brands, their own accounts and their competitors. Lists are whole: what they leave out is no longer so.",
        {
            "brand": _brand("Key of the brand, chosen by you: a-z, 0-9, _, . and -."),
            "name": Field(*_text(256), "Its name."),
            "network": NETWORK,
            "accounts": Field(*_list(values.id_of, ID), "Ids of its own accounts."),
            "competitors": Field(*_list(values.brand, BRAND), "Keys of the brands it competes with."),
            "as_of": AS_OF,
        },
        _brand_line,
        ("brand", "accounts"),
        {"brand": "aubade", "name": "Maison Aubade", "accounts": ["77"], "competitors": ["nordlys"]},
    ),
    Schema(
        "mentions",
        "Mentions of brands in posts, with the stance and whether they were paid for, where the source knows.",
        {
            "post": id_field("Id of the post."),
            "network": NETWORK,
            "brand": _brand("Key of the brand."),
            "stance": Field(
                values.stance, {"enum": [-1, 0, 1, "-1", "0", "1"]}, "-1 unfavourable, 0 neutral, 1 favourable."
            ),
            "paid": flag_field("Whether the brand paid for it; empty where not known."),
            "as_of": AS_OF,
        },
        _mention,
        ("post", "brand"),
        {"post": "p5", "brand": "aubade", "stance": 1, "paid": False},
    ),
    Schema(
        "brand_relations",
        "Who works for a brand, works with it, buys from it or uses it, by id of the account.",
        {
            "account": id_field("Id of the account."),
            "network": NETWORK,
            "brand": _brand("Key of the brand."),
            "relation": RELATION,
            **RELATION_FIELDS,
        },
        _relation,
        ("account", "brand"),
        {"account": "1017", "brand": "aubade", "relation": "customer", "since": "2023-04-01", "source": "crm"},
    ),
    Schema(
        "crm",
        "A customer or staff list. Each line is matched with one account of the graph, by id, handle or e-mail; "
        "where there is none, or more than one, the line goes to the report.",
        {
            "account": id_field("Id of the account; where it is there, it alone decides.", required=False),
            "network": NETWORK,
            "handle": Field(values.handle, ID, "Its handle, @handle or profile address."),
            "email": Field(values.email, {"type": "string"}, "E-mail address; only its SHA-256 is looked up."),
            "email_sha256": Field(
                values.digest, {"type": "string"}, "SHA-256 of the e-mail address in lower case, hexadecimal."
            ),
            "brand": _brand("Key of the brand."),
            "relation": RELATION,
            **RELATION_FIELDS,
        },
        _crm,
        ("account", "brand"),
        {"handle": "@lea.martin", "email": "lea@example.org", "brand": "aubade", "relation": "customer"},
    ),
    Schema(
        "persons",
        "Which accounts belong to one person, declared or from a customer list; never inferred.",
        {
            "person": Field(values.id_of, ID, "Key of the person, chosen by you; not a name.", True),
            "account": id_field("Id of one of their accounts."),
            "network": NETWORK,
        },
        _person,
        ("person", "account"),
        {"person": "p-204", "account": "1017", "network": "mastodon"},
    ),
    Schema(
        "endorsements",
        "Endorsements: who stands up for whom, on which topic; given, or withdrawn later.",
        {
            "account": id_field("Id of the account that endorses."),
            "endorsed": id_field("Id of the account that is endorsed."),
            "network": NETWORK,
            "topic": TOPIC,
            "at": time_field("When it was given or withdrawn; without it the time of the file."),
            "withdrawn": flag_field("True where it was withdrawn at that time."),
        },
        _endorsement,
        ("account", "endorsed"),
        {"account": "1017", "endorsed": "2044", "topic": "slow food", "at": "2025-03-01T12:00:00Z"},
    ),
    Schema(
        "opt_outs",
        "Accounts that do not want to be named: never a candidate, in no evidence. Can be taken back.",
        {
            "account": id_field("Id of the account."),
            "network": NETWORK,
            "at": time_field("When; without it the time of the file."),
            "opted_out": flag_field("False where it is taken back; true if not said."),
        },
        _opt_out,
        ("account",),
        {"account": "1017", "at": "2025-03-01T12:00:00Z"},
    ),
)
"""Every kind of lines that can be imported. A folder is imported in this order, customer lists after accounts."""
