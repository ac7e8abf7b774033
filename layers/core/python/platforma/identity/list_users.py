"""The users of a tenant, page by page."""

from platforma.identity.email_address import folded
from platforma.identity.model import Page, User
from platforma.identity.ports import Directory, Groups
from platforma.identity.principals import read_all
from platforma.kernel.errors import FieldError, Unprocessable

_STATUSES = frozenset({"active", "suspended", "invited"})
_MAX_GROUPS = 90


def list_users(
    tenant_id: str,
    *,
    directory: Directory,
    groups: Groups,
    limit: int = 50,
    after: str | None = None,
    email: str | None = None,
    status: str | None = None,
    role: str | None = None,
) -> Page[User]:
    """
    A page of the users that fit all that is given, oldest first; a *role* may come by hand, by a mapping or by a group.

    Raises:
        Unprocessable: there is no such status, or more groups give the role than a list can be filtered by.
    """
    if status is not None and status not in _STATUSES:
        raise Unprocessable(errors=[FieldError("/status", "Must be active, suspended or invited.")])
    giving = _groups_with(tenant_id, role, groups) if role is not None else frozenset[str]()
    if email is None:
        return directory.users(tenant_id, limit=limit, after=after, status=status, role=role, groups=giving)
    user = directory.user_by_email(tenant_id, folded(email)) if len(email) <= 254 else None
    if user is None or after is not None or not _fits(user, status, role, giving):
        return Page((), None)
    return Page((user,), None)


def _fits(user: User, status: str | None, role: str | None, giving: frozenset[str]) -> bool:
    has_role = role is None or role in user.given or not giving.isdisjoint(user.groups)
    return has_role and status in (None, user.status)


def _groups_with(tenant_id: str, role: str, groups: Groups) -> frozenset[str]:
    found = frozenset(group.id for group in read_all(tenant_id, groups=groups).values() if role in group.roles)
    if len(found) > _MAX_GROUPS:
        raise Unprocessable(errors=[FieldError("/role", "Too many groups give this role to filter by it.")])
    return found
