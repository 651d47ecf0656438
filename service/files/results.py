"""Columns of what a run found, as exports write them: name, type and meaning of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from service.domain import LENS_NAMES, MEASURED_PROPERTIES, PART_NAMES
from service.files.manifest import MANIFEST
from service.files.tables import ColumnType, TableFile


class Column(NamedTuple):
    """A column of a table, or an attribute of a node."""

    type: ColumnType
    meaning: str


Columns = dict[str, Column]

ACCOUNT: Columns = {
    "handle": Column("text", "its handle"),
    "name": Column("text", "name shown"),
    "bio": Column("text", "what it says about itself"),
    "lang": Column("text", "its language"),
    "location": Column("text", "where it says it is"),
    "created_at": Column("time", "when it was made"),
    "followers": Column("integer", "followers its network reports"),
    "opted_out": Column("boolean", "true where it does not want to be named"),
}
"""What people brought of an account, named as in the schema `accounts`."""

_WHOLE = ("in_degree", "out_degree", "core")

MEMBERSHIP: Columns = {
    "primary": Column("boolean", "whether it is the account's own community"),
    "share": Column("number", "how much of the weight of the account's ties is to this community, 0 to 1"),
    "confidence": Column("number", "chance to be in this community under another seed, 0 to 1"),
    "between": Column("boolean", "true where the account stands between this community and others"),
    "type": Column("text", "macro, micro or member"),
    "in_base": Column("boolean", "whether the account is among those that are compared"),
    "gate": Column("text", "what keeps it out of the base"),
    "roles": Column("texts", "roles that it has"),
    "score": Column("number", "ambassador score, 0 to 100"),
    "rank": Column("integer", "rank among candidates, 1 is the best; only candidates have one"),
    "rank_low": Column("integer", "best rank of the interval"),
    "rank_high": Column("integer", "worst rank of the interval"),
    "macro_rank": Column("integer", "rank among macros"),
    **{
        name: column
        for part in PART_NAMES
        for name, column in {
            part: Column("number", f"raw value of the part {part}"),
            f"{part}_x": Column("number", f"{part} among those that are compared, 0 to 1"),
            f"{part}_points": Column("number", f"points of the score that {part} gives; points of all parts sum to it"),
        }.items()
    },
    **{
        name: Column("integer" if name in _WHOLE else "number", f"measure over the whole network: {name}")
        for name in MEASURED_PROPERTIES
    },
    "empty_followers": Column("integer", "followers that count nothing because they are empty"),
    "ring_follows": Column("integer", "followers that count nothing because they are in a ring of follows"),
}
"""Properties of MEMBER_OF."""

COMMUNITY: Columns = {
    "id": Column("text", "id, the same from run to run"),
    "kind": Column("text", "found, or by what people defined it: accounts, topic, brand"),
    "subject": Column("text", "topic or key of the brand by which people defined it"),
    "level": Column("integer", "0: a community; 1 and on: a group of them"),
    "part_of": Column("text", "id of the group of the next level that it is part of"),
    "topics": Column("texts", "what it is about most, at most a few"),
    "size": Column("integer", "accounts"),
    "communities": Column("integer", "of a group: communities in it"),
    "respectable": Column("boolean", "whether it passes the tests of a community"),
    "failed_tests": Column("texts", "tests that it does not pass"),
    "confidence": Column("number", "chance of members to be here under another seed, on average, 0 to 1"),
    "between_members": Column("integer", "members that stand between it and others"),
    "secondary_members": Column("integer", "accounts of other communities that belong here, too"),
    "base": Column("integer", "accounts that are compared"),
    "micros": Column("integer", "micros in the base"),
    "macros": Column("integer", "macros in the base"),
    "candidates": Column("integer", "ambassador candidates"),
    "no_candidates_reason": Column("text", "why there are none"),
    "follows_inside": Column("integer", "follows between members"),
    "follows_in": Column("integer", "follows of members by others"),
    "follows_out": Column("integer", "follows of others by members"),
    "reciprocity": Column("number", "share of follows inside that go both ways, 0 to 1"),
    "values": Column("texts", "topics that members write and share about more than others do, strongest first"),
    "values_share": Column("numbers", "for each of these, share of members who do, 0 to 1"),
    "values_share_elsewhere": Column("numbers", "likewise share of all others"),
    "event": Column("text", "born, continues, merges or splits, since the run before"),
    "ended": Column("text", "what became of it where the next run no longer found it: died, merged, split"),
    "ended_in": Column("text", "id of that run"),
    "ended_into": Column("texts", "ids of the communities that it went into"),
}
"""Properties of communities. What names people (`label`, `most_followed`) is left out."""

TIES: Columns = {
    "source": Column("text", "id of the community whose members follow"),
    "target": Column("text", "id of another one whose members are followed"),
    "follows": Column("integer", "follows from the one to the other"),
}

LINEAGE: Columns = {
    "community": Column("text", "id of the community"),
    "relation": Column("text", "CONTINUES, MERGES or SPLITS"),
    "before": Column("text", "id of the community that it comes from"),
    "before_run": Column("text", "id of the latest run that found that one"),
    "accounts": Column("integer", "accounts that both have"),
    "share_of_it": Column("number", "their share of the one before, 0 to 1"),
    "share_of_this": Column("number", "their share of the community, 0 to 1"),
    "counts": Column("boolean", "whether that is enough to call it an event"),
}

SCORED: Columns = {
    "community": Column("text", "id of the account's community"),
    **{lens: Column("number", f"value of the lens {lens}") for lens in LENS_NAMES},
    "standing_points": Column("integer", "points that others gave in the window of standing"),
    "standing_weight": Column("integer", "how many times an action of the account counts"),
    "outreach": Column("integer", "points of what it does for others, which never fall"),
    "outreach_level": Column("integer", "their level"),
    "follow_ring": Column("number", "number of the ring of follows that it is in"),
    "market_weight": Column("number", "what its endorsement adds to the price of others"),
    "endorsement_ring": Column("number", "number of the group that is on cycles of endorsements together"),
    "details": Column("text", "all lenses with value, parts, reason and figures, as JSON"),
}
"""Properties of SCORED."""

MEASURED: Columns = {
    "measure": Column("text", "name of a measure that an analyst wrote, whatever the run"),
    "value": Column("number", "its value, in a unit of its own"),
}
"""What measures of analysts give accounts."""

KEYED = {"account": Column("text", "key of the account, network:id")}

TABLES: dict[str, Columns] = {
    "communities": COMMUNITY,
    "memberships": {**KEYED, "community": Column("text", "id of the community"), **MEMBERSHIP},
    "community_ties": TIES,
    "lineage": LINEAGE,
    "lens_scores": {**KEYED, **SCORED},
    "own_measures": {**KEYED, **MEASURED},
}
"""All tables of results, in the order in which they are written."""


def types(columns: Columns) -> dict[str, ColumnType]:
    """The types of columns by name."""
    return {name: column.type for name, column in columns.items()}


def write_results_manifest(
    folder: Path, about: Mapping[str, Any], tables: Sequence[tuple[str, str, TableFile]]
) -> None:
    """Write the manifest of a folder of results: what they are of, and of each table file, rows and columns.

    Args:
        folder: where to.
        about: what is said of all of them.
        tables: name, name of the file, and the file.
    """
    manifest = {
        "entourage_results": 1,
        **about,
        "tables": [
            {
                "table": name,
                "file": file,
                "rows": written.rows,
                "columns": [{"name": one, **column._asdict()} for one, column in TABLES[name].items()],
            }
            for name, file, written in tables
        ],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
