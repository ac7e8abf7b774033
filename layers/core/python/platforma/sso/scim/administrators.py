"""
The lock-out guard where a directory takes away (policy, lock-out guard): the last administrator's rights are kept, that is
recorded, and the rest of what the directory asked for is done.
"""

from platforma.identity.errors import WouldLockOut
from platforma.identity.lockout import Administration, Afterwards, could_administer, require_administrator
from platforma.identity.model import User
from platforma.identity.ports import Directory, Groups

KEPT = "administrator_kept"
"""The reason in the event of a change that would have taken the last one."""


def may_take(before: User, after: User | None, *, directory: Directory, groups: Groups, judge: Administration) -> bool:
    """
    Whether what *after* leaves of the user may be: it is not the last administrator, or stays one.

    One who cannot sign in without SSO is none that the guard would count. The write must be conditioned on the turn that was
    read before.
    """
    if not is_counted(before, judge):
        return True
    try:
        require_administrator(
            before.tenant_id,
            Afterwards(users={before.id: after}),
            directory=directory,
            groups=groups,
            administration=judge,
        )
    except WouldLockOut:
        return False
    return True


def is_counted(user: User, judge: Administration) -> bool:
    """Whether the guard could count the user as an administrator at all."""
    return user.has_password and could_administer(user, judge)
