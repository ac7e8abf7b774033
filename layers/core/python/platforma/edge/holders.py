"""The people who hold a role, as the policy area asks for them and the identity area knows them."""

from collections.abc import Iterator

from platforma.identity.model import Group, Standing
from platforma.identity.ports import Directory, Groups
from platforma.policy.model import Subject
from platforma.policy.ports import Member


class HoldersOf:
    """`Holders`, from the directory."""

    def __init__(self, directory: Directory, groups: Groups) -> None:
        self._directory, self._groups = directory, groups

    def __call__(self, tenant_id: str, roles: frozenset[str]) -> Iterator[Member]:
        """The active users who hold one of *roles*, by hand or by a group, lazily."""
        known = {group.id: group for group in self._all_groups(tenant_id)}
        giving = frozenset(group.id for group in known.values() if not roles.isdisjoint(group.roles))
        for standing in self._directory.holders(tenant_id, roles=roles, groups=giving):
            yield _member(tenant_id, standing, known)

    def _all_groups(self, tenant_id: str) -> Iterator[Group]:
        after: str | None = None
        while True:
            page = self._groups.page(tenant_id, limit=200, after=after)
            yield from page.items
            if (after := page.after) is None:
                return


def _member(tenant_id: str, standing: Standing, known: dict[str, Group]) -> Member:
    alive = [known[group_id] for group_id in standing.groups if group_id in known]
    subject = Subject(
        type="user",
        id=standing.user_id,
        tenant_id=tenant_id,
        roles=frozenset(standing.roles).union(*(group.roles for group in alive)),
        groups=frozenset(group.id for group in alive),
        attributes=standing.attributes,
    )
    return Member(subject, able=standing.status == "active" and standing.has_password)
