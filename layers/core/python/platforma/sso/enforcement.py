"""
Domains whose people sign in by their provider alone, and the administrators who may do otherwise when the provider fails.

Where none of those is able to any more, every administrator of the domain is: a tenant is never locked out by its provider.
"""

from platforma.identity.lockout import AdministrationOf
from platforma.identity.model import User
from platforma.identity.ports import Directory, Groups
from platforma.sso.domain_name import domain_of
from platforma.sso.errors import BreakGlassNeeded, TestFirst
from platforma.sso.find_connection import enabled_connections
from platforma.sso.model import Connection
from platforma.sso.ports import Connections, Domains


def require_enforceable(
    connection: Connection, *, directory: Directory, groups: Groups, administration: AdministrationOf
) -> None:
    """
    That people can be made to sign in by the connection, and somebody still can without it.

    Raises:
        TestFirst: no trial passed with the settings as they are.
        BreakGlassNeeded: none of those named is an active administrator with a password.
    """
    if connection.tested_at is None:
        raise TestFirst
    if not _any_breaks_glass(connection, directory, groups, administration):
        raise BreakGlassNeeded


def requires_provider(
    user: User,
    *,
    connections: Connections,
    domains: Domains,
    directory: Directory,
    groups: Groups,
    administration: AdministrationOf,
) -> bool:
    """Whether the user signs in by the provider of the address's domain, and in no other way."""
    domain = domain_of(user.email)
    known = enabled_connections(user.tenant_id, connections=connections)
    enforced = [each for each in known if each.enforced and domain in each.domains]
    if not enforced or domains.owner(domain) != user.tenant_id or any(user.id in each.break_glass for each in enforced):
        return False
    if any(_any_breaks_glass(each, directory, groups, administration) for each in enforced):
        return True
    return not _breaks_glass(user, groups, administration)


def _any_breaks_glass(
    connection: Connection, directory: Directory, groups: Groups, administration: AdministrationOf
) -> bool:
    named = (directory.user(connection.tenant_id, user_id) for user_id in connection.break_glass)
    return any(user is not None and _breaks_glass(user, groups, administration) for user in named)


def _breaks_glass(user: User, groups: Groups, administration: AdministrationOf) -> bool:
    """Whether the user is active, has a password and administers the tenant."""
    alive = groups.several(user.tenant_id, user.groups)
    roles = frozenset(user.given).union(*(group.roles for group in alive))
    joined = frozenset(group.id for group in alive)
    able = user.status == "active" and user.has_password
    return able and administration(user.tenant_id).administers(user.id, roles, joined)
