"""A mapping: which labels, relationships or statements of another graph hold which kinds of lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from service.domain import Frozen
from service.files.follows import FollowFile
from service.files.layout import check_network
from service.files.manifest import follow_file
from service.files.records import RecordFile
from service.files.schemas import SCHEMAS
from service.files.toml_files import read_toml

_SCHEMES = ("bolt", "neo4j", "bolt+s", "neo4j+s", "bolt+ssc", "neo4j+ssc")


class OtherNeo4j(Frozen):
    """Where the other graph is. The password is never here."""

    uri: str = Field(description="Its address, such as neo4j://graph.example:7687.")
    user: str = Field(default="neo4j", description="A user who may read it.")
    password_env: str = Field(min_length=1, description="Name of the environment variable that holds the password.")
    database: str = Field(default="neo4j", description="Which database of the server.")
    timeout_s: int = Field(default=3600, ge=1, le=7 * 86_400, description="How long the rows of one entry may take.")

    @model_validator(mode="before")
    @classmethod
    def _no_password(cls, given: Any) -> Any:
        if isinstance(given, dict) and "password" in given:
            raise ValueError(
                "a password does not belong into this file; put it into an environment variable, and name that as "
                "password_env"
            )
        return given

    @field_validator("uri")
    @classmethod
    def _an_address(cls, uri: str) -> str:
        scheme, _, rest = uri.partition("://")
        if scheme not in _SCHEMES or not rest or any(mark in uri for mark in "@?# ") or not uri.isprintable():
            raise ValueError("write it like neo4j://graph.example:7687, without user and password")
        return uri


class MappedLines(Frozen):
    """Lines of one kind: from nodes with a label, relationships of a type, or rows of a statement that only reads."""

    kind: str = Field(description=f"Which kind of lines they are: {', '.join(SCHEMAS)}.")
    label: str | None = Field(default=None, min_length=1, description="Label of the nodes.")
    relationship: str | None = Field(default=None, min_length=1, description="Type of the relationships.")
    statement: str | None = Field(default=None, min_length=1, description="Cypher whose columns are fields.")
    fields: dict[str, str] = Field(
        default={},
        description="Field by field, the property that holds it; of relationships start.PROPERTY and end.PROPERTY are "
        "those of the nodes at its ends; of a statement, the column where it is not called the same.",
    )
    values: dict[str, str] = Field(default={}, description="Fields that have one value in all lines.")
    network: str | None = Field(default=None, description="Where the ids are from; that of the mapping when not said.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind not in SCHEMAS:
            raise ValueError(f"there is no kind {self.kind!r}; choose one of {', '.join(SCHEMAS)}")
        if [self.label, self.relationship, self.statement].count(None) != 2:
            raise ValueError("say one of label, relationship and statement")
        known = SCHEMAS[self.kind].fields
        for place, names in (("fields", self.fields), ("values", self.values)):
            unknown = next((name for name in names if name not in known), None)
            if unknown is not None:
                raise ValueError(f"{place}.{unknown}: {self.kind} have no such field; they have {', '.join(known)}")
        if self.kind == "follows" and self.values:
            raise ValueError("values cannot be said of follows")
        columns = [one.strip().lower() for one in self.fields.values()]
        twice = next((name for name, one in zip(self.fields, columns, strict=True) if columns.count(one) > 1), None)
        if self.statement is not None and twice is not None:
            raise ValueError(f"fields.{twice}: its column holds another field, too; have the statement return it twice")
        missing = [one for one in SCHEMAS[self.kind].required if one not in self.fields and one not in self.values]
        if missing and self.statement is None:
            raise ValueError(f"fields.{missing[0]} is missing, which lines of {self.kind} must have")
        return self


class Mapping(Frozen):
    """What a mapping file holds."""

    neo4j: OtherNeo4j = Field(description="Where the other graph is.")
    network: str = Field(default="local", description="Where ids are from: keys are network:id.")
    keys: bool = Field(default=False, description="Ids are whole keys, network:id, where no network is said.")
    lines: tuple[MappedLines, ...] = Field(min_length=1, description="What is read, entry by entry.")


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        UnreadableFile: it cannot be read, or is not of the form described here; each wrong place is named.
    """
    return read_toml(path, Mapping, "a mapping only says what to read")


def mapped_file(mapping: Mapping, place: int, path: Path, name: str) -> FollowFile | RecordFile:
    """Return how the rows of an entry are read from NDJSON.

    Args:
        mapping: the mapping.
        place: which entry, from 0.
        path: where its rows are.
        name: what to call them in messages.

    Raises:
        BadInput: a network cannot be one.
    """
    lines = mapping.lines[place]
    network = lines.network or (None if mapping.keys else mapping.network)
    check_network(network)
    columns = lines.fields if lines.statement is not None else {}
    if lines.kind == "follows":
        return follow_file(path, columns, format="ndjson", network=network, name=name)
    return RecordFile(
        path, lines.kind, format="ndjson", network=network, columns=columns, values=lines.values, name=name
    )
