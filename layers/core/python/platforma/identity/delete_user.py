"""A user is deleted; what it owned ends with it, since its owner can't be found any more."""

from platforma.identity.changes import gone
from platforma.identity.lockout import (
    AdministrationOf,
    Afterwards,
    by_role,
    could_administer,
    require_administrator,
    settled,
)
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_user import read_user
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt


def delete_user(
    tenant_id: str,
    user_id: str,
    *,
    if_match: int | None,
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> None:
    """
    Delete the user, its address and its password. *if_match* None means any version.

    Raises:
        NotFound: this tenant has no user of this id.
        PreconditionFailed: the user has another version.
        WouldLockOut: the user is the last administrator who can sign in.
    """

    def write() -> None:
        turn: int | None = directory.turn(tenant_id)
        user = read_user(tenant_id, user_id, directory=directory)
        if if_match not in (None, user.version):
            raise PreconditionFailed
        judge = administration(tenant_id)
        if could_administer(user, judge):
            afterwards = Afterwards(users={user_id: None})
            require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        else:
            turn = None
        event = attempt.event("success", resource=user_id, resource_type="user", changes=gone(user))
        directory.remove(user, event, turn=turn)

    settled(write, again_if_stale=if_match is None)
