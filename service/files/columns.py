"""Which columns hold who follows, who is followed, weight and time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.errors import UnreadableFile

_SUFFIX = re.compile(r"(?<=.)_?(node_?id|user_?id|user_?name|screen_?name|id|key|name|handle|account|user|node)$")
_USER = frozenset({"user", "account", "userid", "accountid"})
# Names of the two ends in order of trust: (who follows, who is followed). In `user, follower` the user is followed.
_PAIRS = (
    ((frozenset({"follower"}), frozenset({"followee", "followed", "following"})),),
    ((frozenset({"follower"}), _USER),),
    ((_USER, frozenset({"followee", "followed", "following", "follows"})),),
    (
        (frozenset({"from"}), frozenset({"to"})),
        (frozenset({"source"}), frozenset({"target"})),
        (frozenset({"src"}), frozenset({"dst", "dest"})),
        (frozenset({"start"}), frozenset({"end"})),
        (frozenset({"id_1", "id1"}), frozenset({"id_2", "id2"})),
    ),
)
# Words that a line of column names is made of, beside the known pairs.
_WORDS = frozenset(
    """
    account at author count created date destination edge end fan followed followee follower followers following
    follows friend from handle id influencer key member name node people person profile receiver relation
    relationship score screen sender sharer since source src dst dest star start strength target time timestamp to
    type user userid username weight
    """.split()  # noqa: SIM905 - easier to read
)
_NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?", re.ASCII)


def is_position(column: str) -> bool:
    """Whether a column was given by its position from 1."""
    return column.isascii() and column.isdigit()


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds column names: known ones, words of that kind, or text above numbers."""
    first, others = rows[0], [row for row in rows[1:] if len(row) >= 2]
    if _known_pairs(first):
        return True
    words = [re.findall(r"[^\W\d_]+", cell.lower()) for cell in first if not re.search(r"\d", cell)]
    if sum(bool(tokens) and _WORDS.issuperset(tokens) for tokens in words) >= 2:
        return True
    return (
        bool(others)
        and len(first) >= 2
        and not any(_is_number(cell) for cell in first[:2])
        and all(_is_number(cell) for row in others for cell in row[:2])
    )


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None


def find_ends(
    file: str, names: Sequence[str], follower: str | None, followee: str | None, *, positions: bool = True
) -> tuple[int, int]:
    """Return the positions from 0 of (who follows, who is followed) among named columns.

    Args:
        file: what to call the file in messages.
        names: the columns there are.
        follower, followee: what was said; None where the column should be found by its name.
        positions: whether columns may be given by position.

    Raises:
        UnreadableFile: no such column, or it cannot be told which ones to use.
    """
    given = [
        None if column is None else find_column(file, names, column, positions=positions)
        for column in (follower, followee)
    ]
    if None in given:
        pairs = [
            pair
            for pair in _known_pairs(names)
            if all(said is None or said == found for said, found in zip(given, pair, strict=True))
        ]
        if len(pairs) == 1:
            given = list(pairs[0])
    one, other = given
    if one is None or other is None:
        raise UnreadableFile(
            f"{file} does not say by its column names who follows whom; its columns are: {listed(names)}. "
            "Name them with --follower and --followee, or say --no-header if the first line is data. If the file holds "
            "something else, such as accounts or posts, say its --kind (`entourage schema` lists them)."
        )
    if one == other:
        raise UnreadableFile(f"{file}: follower and followee cannot both be column {names[one]!r}.")
    return one, other


def find_column(file: str, names: Sequence[str], wanted: str, *, positions: bool = True) -> int:
    """Return the position from 0 of a column given by name (case is ignored), or by position from 1.

    Raises:
        UnreadableFile: there is no such column, or more than one; the message lists what there is.
    """
    if positions and is_position(wanted):
        return find_position(file, len(names), wanted)
    stripped = [name.strip() for name in names]
    for found in (
        [i for i, name in enumerate(stripped) if name == wanted.strip()],
        [i for i, name in enumerate(stripped) if name.casefold() == wanted.strip().casefold()],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise UnreadableFile(f"{file} has {len(found)} columns {wanted!r}; give the position from 1 instead.")
    if names and all(_is_number(name) for name in names):
        raise UnreadableFile(
            f"{file} has no column {wanted!r}: its first line holds numbers, not names. "
            f"Give the position, 1 to {len(names)}."
        )
    if not names:
        raise UnreadableFile(f"{file} has no column {wanted!r}: its lines name two accounts and nothing else.")
    raise UnreadableFile(f"{file} has no column {wanted!r}; its columns are: {listed(names)}.")


def find_position(file: str, width: int, wanted: str) -> int:
    """Return the position from 0 of a column given by position from 1.

    Raises:
        UnreadableFile: there are fewer columns, or a name was given where columns have none.
    """
    if not is_position(wanted):
        raise UnreadableFile(f"{file} has no column names, so no column {wanted!r}; give the position, 1 to {width}.")
    # Longer than any number of columns, and int() refuses very long numbers.
    if len(wanted) > 9 or not 1 <= int(wanted) <= width:
        raise UnreadableFile(f"{file} has {width} columns; there is no column {wanted}.")
    return int(wanted) - 1


def _known_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return every pair of columns that names of the most trusted kind there is point to."""
    spellings = [_spellings(name) for name in names]
    for kind in _PAIRS:
        found = []
        for first, second in kind:
            # A third candidate on either side makes nothing clearer, and a hostile header may have 10⁵.
            ones = [i for i, one in enumerate(spellings) if one & first][:2]
            others = [j for j, other in enumerate(spellings) if other & second][:2]
            found += [(i, j) for i in ones for j in others if i != j]
        if found:
            return found
    return []


def _spellings(name: str) -> set[str]:
    """Return a name in lower case with and without what only says that it is an id or a name."""
    plain = re.sub(r"[\s.-]+", "_", name.strip().strip("\"':").lower())
    return {plain, _SUFFIX.sub("", plain)}


def listed(names: Sequence[str]) -> str:
    """Names of columns for a message."""
    shown = [name.strip()[:40] for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
