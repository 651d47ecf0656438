"""A user of Neo4j that can only read, for analysts: where Neo4j has roles, which its Community edition has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.domain import StoreAddress
from service.errors import Conflict, EntourageError, NoReadOnlyUsers
from service.store.driver import Store

USER = "analyst"
ROLE = "reader"
COMMUNITY = "community"

EDITION = "CALL dbms.components() YIELD name, edition WHERE name = 'Neo4j Kernel' RETURN edition"
ROLES = "SHOW USERS YIELD user, roles WHERE user = $user RETURN roles"
CREATE = f"CREATE USER {USER} SET PASSWORD $password CHANGE NOT REQUIRED"
RENEW = f"ALTER USER {USER} SET PASSWORD $password CHANGE NOT REQUIRED"
GRANT = f"GRANT ROLE {ROLE} TO {USER}"
REMOVE = f"DROP USER {USER}"

_OF_EVERYBODY = {"PUBLIC", ROLE}


def give_access(address: StoreAddress, password: str, *, reset: bool) -> None:
    """Make the user `analyst` with the role `reader`, or with `reset` give it another password.

    Raises:
        NoReadOnlyUsers: this Neo4j has no roles; nothing was changed.
        Conflict: there is such a user already, without `reset`; or it has more roles, which may write.
        StoreRefused: the user of the service may not manage users, or the server has none to manage.
    """
    with Store(address) as store:
        [found] = store.statement(EDITION)
        roles = _roles(store)
        asked = statements(found["edition"], roles, reset=reset)
        store.administer(asked[0], password=password)
        try:
            store.administer(GRANT)
        except EntourageError:
            if roles is None:  # nobody has seen its password
                store.administer(REMOVE)
            raise


def remove_access(address: StoreAddress) -> bool:
    """Remove the user `analyst`; False where there is none.

    Raises:
        Conflict: it has other roles, too: it is somebody else's.
    """
    with Store(address) as store:
        roles = _roles(store)
        if roles is None:
            return False
        _only_reads(roles)
        store.administer(REMOVE)
        return True


def statements(edition: str, roles: Sequence[str] | None, *, reset: bool) -> list[str]:
    """Return the statements that give access, in order; those with `$password` take the password.

    Args:
        edition: of Neo4j, as `dbms.components()` says it.
        roles: those that the user has; None where there is no such user.
        reset: whether it may be there already.

    Raises:
        NoReadOnlyUsers, Conflict: as `give_access`.
    """
    if edition == COMMUNITY:
        raise NoReadOnlyUsers(
            "This Neo4j is the Community edition, which has no roles: each of its users may write, so none was made. "
            "Ask by `entourage query`, open sessions in access mode READ, or work on a copy; see docs/read-only.md."
        )
    _only_reads(roles or ())
    if roles is not None and not reset:
        raise Conflict(
            f"There is a user {USER} already; `entourage store analyst --reset` gives it a new password, and --remove "
            "removes it."
        )
    return [CREATE if roles is None else RENEW, GRANT]


def _only_reads(roles: Sequence[str]) -> None:
    more = sorted({*roles} - _OF_EVERYBODY)
    if more:
        raise Conflict(
            f"The user {USER} of this Neo4j has other roles, too ({', '.join(more)}), so that it may do more than "
            "read: take these away (REVOKE ROLE), or remove it yourself (DROP USER)."
        )


def _roles(store: Store) -> list[str] | None:
    rows: list[dict[str, Any]] = store.administer(ROLES, user=USER)
    return list(rows[0]["roles"] or []) if rows else None
