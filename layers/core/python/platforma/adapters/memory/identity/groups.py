"""The groups of a tenant in memory."""

from collections.abc import Sequence
from dataclasses import replace

from platforma.adapters.memory.identity.store import MemoryIdentity, given_by, page_of
from platforma.identity.email_address import folded
from platforma.identity.errors import GroupNameTaken
from platforma.identity.model import Group, Page, User
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.given import carried


class MemoryGroups:
    """`Groups`."""

    def __init__(self, store: MemoryIdentity) -> None:
        self._store = store

    def group(self, tenant_id: str, group_id: str) -> Group | None:
        """The group."""
        return self._store.groups.get((tenant_id, group_id))

    def several(self, tenant_id: str, group_ids: tuple[str, ...]) -> tuple[Group, ...]:
        """Those of the groups that exist, by id."""
        found = (self.group(tenant_id, group_id) for group_id in sorted(group_ids))
        return tuple(group for group in found if group is not None)

    def named(self, tenant_id: str, name: str) -> Group | None:
        """The group that has the name."""
        same = (group for (tenant, _), group in self._store.groups.items() if tenant == tenant_id)
        return next((group for group in same if folded(group.name) == folded(name)), None)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Group]:
        """Groups by id."""
        return page_of((group for (tenant, _), group in self._store.groups.items() if tenant == tenant_id), limit, after)

    def add(self, group: Group, event: Event) -> None:
        """Add a group."""
        with self._store.lock:
            self._require_free(group)
            self._store.commit(event)
            givers = carried({}, (), group.roles, event)
            self._store.groups[group.tenant_id, group.id] = replace(group, givers=givers)

    def replace(self, before: Group, after: Group, event: Event, *, turn: int | None) -> None:
        """Change a group."""
        with self._store.lock:
            self._require_free(after)
            self._store.requires(self.group(before.tenant_id, before.id), before)
            self._store.check_turn(after.tenant_id, turn)
            self._store.commit(event)
            givers = carried(before.givers, before.roles, after.roles, event)
            self._store.groups[after.tenant_id, after.id] = replace(after, givers=givers)
            self._store.moves(after.tenant_id, policy=before.roles != after.roles or turn is not None)

    def remove(self, group: Group, event: Event, *, turn: int | None) -> None:
        """Delete the group."""
        with self._store.lock:
            self._store.requires(self.group(group.tenant_id, group.id), group)
            self._store.check_turn(group.tenant_id, turn)
            self._store.commit(event)
            del self._store.groups[group.tenant_id, group.id]
            self._store.moves(group.tenant_id, policy=True)

    def members(self, tenant_id: str, group_id: str, *, limit: int, after: str | None) -> Page[str]:
        """Ids of the group's members, by id."""
        users = (user for (tenant, _), user in self._store.users.items() if tenant == tenant_id and group_id in user.groups)
        page = page_of(users, limit, after)
        return Page(tuple(user.id for user in page.items), page.after)

    def add_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Put the user into the group."""
        with self._store.lock:
            if self.group(group.tenant_id, group.id) is None:
                raise PreconditionFailed
            self._store.check_turn(group.tenant_id, turn)
            self._regroup(before, after, event)

    def remove_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Take the user out of the group."""
        with self._store.lock:
            self._store.check_turn(group.tenant_id, turn)
            self._regroup(before, after, event)

    def regroup(
        self, before: Group, after: Group, moved: Sequence[tuple[User, User]], event: Event, *, turn: int | None
    ) -> None:
        """Put several users into the group, or take them out."""
        with self._store.lock:
            self._store.requires(self.group(before.tenant_id, before.id), before)
            for old, _ in moved:
                self._store.requires(self._store.users.get((old.tenant_id, old.id)), old)
            self._store.check_turn(after.tenant_id, turn)
            self._store.commit(event)
            self._store.groups[after.tenant_id, after.id] = after
            for old, new in moved:
                self._store.users[new.tenant_id, new.id] = given_by(old, new, event)
            self._store.moves(after.tenant_id, policy=True)

    def _regroup(self, before: User, after: User, event: Event) -> None:
        self._store.requires(self._store.users.get((before.tenant_id, before.id)), before)
        self._store.commit(event)
        self._store.users[after.tenant_id, after.id] = given_by(before, after, event)
        self._store.moves(after.tenant_id, policy=True)

    def _require_free(self, group: Group) -> None:
        for other in self._store.groups.values():
            same = other.tenant_id == group.tenant_id and folded(other.name) == folded(group.name)
            if same and other.id != group.id:
                raise GroupNameTaken
