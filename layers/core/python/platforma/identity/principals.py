"""From a user's id to what a decision needs of it, and from roles to who has them."""

from collections.abc import Iterator, Mapping

from platforma.identity.model import Group, Principal, Standing, User
from platforma.identity.ports import Directory, Groups
from platforma.kernel.ids import is_id


def read_principal(tenant_id: str, user_id: str, *, directory: Directory, groups: Groups) -> Principal | None:
    """
    The user as decisions see it, read consistently; None where there is none.

    Groups that are gone give nothing and are not among its groups.
    """
    standing = directory.standing(tenant_id, user_id) if is_id(user_id, "usr") else None
    if standing is None:
        return None
    return _principal(tenant_id, standing, {group.id: group for group in groups.several(tenant_id, standing.groups)})


def read_holders(
    tenant_id: str, roles: frozenset[str], *, directory: Directory, groups: Groups
) -> Iterator[tuple[Principal, bool]]:
    """
    The users not suspended who have one of *roles*, by hand or by a group, lazily and by age, without their attributes.

    Beside each: whether it is active and can sign in without SSO.
    """
    alive = read_all(tenant_id, groups=groups)
    giving = frozenset(group.id for group in alive.values() if not roles.isdisjoint(group.roles))
    for standing in directory.holders(tenant_id, roles=roles, groups=giving):
        principal = _principal(tenant_id, standing, alive)
        if not roles.isdisjoint(principal.roles):
            yield principal, standing.status == "active" and standing.has_password


def read_page(
    tenant_id: str, *, directory: Directory, groups: Groups, limit: int, after: str | None
) -> tuple[list[Principal], str | None]:
    """Some of the tenant's users as decisions see them, by age, and where to go on."""
    page = directory.users(tenant_id, limit=limit, after=after, status=None, role=None, groups=frozenset())
    alive = read_all(tenant_id, groups=groups)
    return [_principal(tenant_id, _standing(user), alive) for user in page.items], page.after


def read_all(tenant_id: str, *, groups: Groups) -> dict[str, Group]:
    """Every group of the tenant, by id."""
    found: dict[str, Group] = {}
    after: str | None = None
    while True:
        page = groups.page(tenant_id, limit=200, after=after)
        found.update((group.id, group) for group in page.items)
        if (after := page.after) is None:
            return found


def _standing(user: User) -> Standing:
    return Standing(user.id, user.status, user.has_password, user.given, user.groups, user.attributes)


def _principal(tenant_id: str, standing: Standing, alive: Mapping[str, Group]) -> Principal:
    joined = frozenset(standing.groups) & alive.keys()
    return Principal(
        id=standing.user_id,
        tenant_id=tenant_id,
        active=standing.status != "suspended",
        roles=frozenset(standing.roles).union(*(alive[group_id].roles for group_id in joined)),
        groups=joined,
        attributes=standing.attributes,
    )
