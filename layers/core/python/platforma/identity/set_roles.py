"""A user's roles are given by hand, all at once."""

from collections.abc import Callable

from platforma.identity.change_user import change_user
from platforma.identity.lockout import AdministrationOf, by_role
from platforma.identity.model import User
from platforma.identity.ports import Directory, Groups
from platforma.kernel.events import Attempt


def set_roles(
    tenant_id: str,
    user_id: str,
    roles: object,
    *,
    if_match: int | None,
    known_roles: frozenset[str],
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[User, User], None] | None = None,
) -> User:
    """
    The user with exactly *roles*, and those of its groups as before. *if_match* None means any version.

    *may* is as in `change_user`.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no user of this id.
        Unprocessable: a role does not exist.
        PreconditionFailed: the user has another version.
        WouldLockOut: the user is the last administrator who can sign in.
    """
    return change_user(
        tenant_id,
        user_id,
        {"roles": roles},
        if_match=if_match,
        known_roles=known_roles,
        directory=directory,
        groups=groups,
        attempt=attempt,
        administration=administration,
        may=may,
    )
