"""A group is deleted; from that moment it gives nobody anything, however many were in it."""

from collections.abc import Callable

from platforma.identity.changes import gone
from platforma.identity.lockout import AdministrationOf, Afterwards, by_role, require_administrator, settled
from platforma.identity.model import Group
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_group import read_group
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt


def delete_group(
    tenant_id: str,
    group_id: str,
    *,
    if_match: int | None,
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[Group], None] | None = None,
) -> None:
    """
    Delete the group. *if_match* None means any version; *may* is asked, as in `change_group`, whether the caller may.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no group of this id.
        PreconditionFailed: the group has another version.
        WouldLockOut: only through it does the tenant have an administrator who can sign in.
    """

    def write() -> None:
        turn = directory.turn(tenant_id)
        group = read_group(tenant_id, group_id, groups=groups)
        if if_match not in (None, group.version):
            raise PreconditionFailed
        if may is not None:
            may(group)
        judge, afterwards = administration(tenant_id), Afterwards(groups={group_id: None})
        require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        groups.remove(
            group, attempt.event("success", resource=group_id, resource_type="group", changes=gone(group)), turn=turn
        )

    settled(write, again_if_stale=if_match is None)
