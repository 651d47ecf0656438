"""Finding the accounts that lines of a customer list mean: one account each, or a reason why not; never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from service.records import Match, Statement
from service.store.driver import Store


class NoMatch(NamedTuple):
    """Why a line was not matched: a stable reason and a sentence."""

    reason: str
    message: str


def matched(store: Store, matches: Sequence[Match]) -> list[Statement | NoMatch]:
    """Return each line's statement with the account it is about, or why there is none.

    An id decides alone. Otherwise everything else the line gives (handle, e-mail) has to point to one and the same
    account; what points to nothing does not count against what points to one.
    """
    by_key = _found(store, "accounts/with_keys", {"keys": [one.account for one in matches]})
    by_handle = _found(
        store,
        "accounts/with_handles",
        {"handles": [one.handle for one in matches], "networks": [one.network for one in matches]},
    )
    by_email = _found(store, "accounts/with_emails", {"digests": [one.email_sha256 for one in matches]})
    return [_match(one, by_key[i], by_handle[i], by_email[i]) for i, one in enumerate(matches)]


def _found(store: Store, query: str, columns: dict[str, list[str | None]]) -> list[list[str]]:
    """Return the accounts found for each line; none where it does not give the first of the columns."""
    asked = next(iter(columns.values()))
    places = [i for i, value in enumerate(asked) if value is not None]
    found: list[list[str]] = [[] for _ in asked]
    if places:
        for row in store.read(query, **{name: [values[i] for i in places] for name, values in columns.items()}):
            found[places[row["i"]]] = row["found"]
    return found


def _match(match: Match, by_key: list[str], by_handle: list[str], by_email: list[str]) -> Statement | NoMatch:
    if match.account is not None:
        found = set(by_key)
    else:
        if len(by_handle) > 1 or len(by_email) > 1:
            what = "handle" if len(by_handle) > 1 else "e-mail address"
            return NoMatch("ambiguous_match", f"More than one account has this {what}; give the account's id instead.")
        found = {*by_handle, *by_email}
    if len(found) > 1:
        return NoMatch(
            "ambiguous_match", "Handle and e-mail address belong to different accounts; give the account's id."
        )
    if not found:
        return NoMatch("no_match", "No account in the graph has this id, handle or e-mail address.")
    _, *rest = match.statement.identity
    return match.statement._replace(identity=(*found, *rest))
