"""The groups of a tenant in DynamoDB."""

import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from platforma.adapters.dynamodb.identity.items import (
    GroupItem,
    MemberItem,
    OwnedItem,
    UserItem,
    managed_of,
    managed_text,
    moves,
    read,
    read_page,
    reading,
)
from platforma.adapters.dynamodb.identity.people import givers, mapped_actions
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.errors import GroupNameTaken
from platforma.identity.model import Group, Page, User
from platforma.kernel import given
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, PreconditionFailed
from platforma.kernel.events import Event

_PREFIX = "GROUP#"


class DynamoGroups:
    """`Groups`. A deleted group's id may stay in users and its list of members: nothing finds a group by it any more."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox

    def group(self, tenant_id: str, group_id: str) -> Group | None:
        """The group."""
        item = read(GroupItem, tenant_id, _PREFIX + group_id)
        return None if item is None else _group(item)

    def several(self, tenant_id: str, group_ids: tuple[str, ...]) -> tuple[Group, ...]:
        """Those of the groups that exist, by id."""
        if not group_ids:
            return ()
        keys = [(tenant_id, _PREFIX + group_id) for group_id in group_ids]
        with reading():
            found = [_group(item) for item in GroupItem.batch_get(keys, consistent_read=True)]
        return tuple(sorted(found, key=lambda group: group.id))

    def named(self, tenant_id: str, name: str) -> Group | None:
        """The group that has the name."""
        owned = read(OwnedItem, tenant_id, _name_key(name))
        return None if owned is None else self.group(tenant_id, owned.owner)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Group]:
        """Groups by id."""
        return read_page(
            GroupItem, tenant_id, _PREFIX, limit=limit, after=after, make=lambda items: [_group(item) for item in items]
        )

    def add(self, group: Group, event: Event) -> None:
        """Add a group."""
        item = _item(group, given.carried({}, (), group.roles, event))
        t = Transaction(self._tables, self._outbox)
        name = OwnedItem(group.tenant_id, item.name_key, owner=group.id)
        t.put(name, OwnedItem.pk.does_not_exist(), refused=GroupNameTaken())
        t.put(item, GroupItem.pk.does_not_exist(), refused=Broken("An id was made twice."))
        t.commit(event)

    def replace(self, before: Group, after: Group, event: Event, *, turn: int | None) -> None:
        """Change a group."""
        t = Transaction(self._tables, self._outbox)
        old, new = _name_key(before.name), _name_key(after.name)
        if old != new:
            t.delete(OwnedItem(before.tenant_id, old), OwnedItem.owner == before.id, refused=PreconditionFailed())
            name = OwnedItem(after.tenant_id, new, owner=after.id)
            t.put(name, OwnedItem.pk.does_not_exist(), refused=GroupNameTaken())
        givers_after = given.carried(before.givers, before.roles, after.roles, event)
        t.put(_item(after, givers_after), GroupItem.version == before.version, refused=PreconditionFailed())
        moves(t, after.tenant_id, policy=before.roles != after.roles, turn=turn)
        t.commit(event)

    def remove(self, group: Group, event: Event, *, turn: int | None) -> None:
        """Delete the group."""
        t = Transaction(self._tables, self._outbox)
        keys = GroupItem(group.tenant_id, _PREFIX + group.id)
        t.delete(keys, GroupItem.version == group.version, refused=PreconditionFailed())
        t.delete(OwnedItem(group.tenant_id, _name_key(group.name)))
        moves(t, group.tenant_id, policy=True, turn=turn)
        t.commit(event)

    def members(self, tenant_id: str, group_id: str, *, limit: int, after: str | None) -> Page[str]:
        """Ids of the group's members, by id."""
        prefix = f"MEMBER#{group_id}#"
        return read_page(
            MemberItem, tenant_id, prefix, limit=limit, after=after, make=lambda items: [item.user_id for item in items]
        )

    def add_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Put the user into the group."""
        t = Transaction(self._tables, self._outbox)
        sk = _PREFIX + group.id
        t.check(GroupItem, group.tenant_id, sk, GroupItem.pk.exists(), refused=PreconditionFailed())
        t.put(MemberItem(group.tenant_id, f"MEMBER#{group.id}#{after.id}", user_id=after.id))
        self._regroup(t, before, after, event, turn)
        t.commit(event)

    def remove_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Take the user out of the group."""
        t = Transaction(self._tables, self._outbox)
        t.delete(MemberItem(group.tenant_id, f"MEMBER#{group.id}#{after.id}"))
        self._regroup(t, before, after, event, turn)
        t.commit(event)

    def regroup(
        self, before: Group, after: Group, moved: Sequence[tuple[User, User]], event: Event, *, turn: int | None
    ) -> None:
        """Put several users into the group, or take them out."""
        t = Transaction(self._tables, self._outbox)
        keys = GroupItem(before.tenant_id, _PREFIX + before.id)
        actions = [GroupItem.version.set(after.version)]
        if after.modified_at is not None:
            actions.append(GroupItem.modified_at.set(rfc3339(after.modified_at)))
        if after.size is not None:
            actions.append(GroupItem.size.set(after.size))
        if before.unfinished and not after.unfinished:
            actions.append(GroupItem.unfinished.remove())
        t.update(keys, actions, GroupItem.version == before.version, refused=PreconditionFailed())
        for old, new in moved:
            member = MemberItem(new.tenant_id, f"MEMBER#{before.id}#{new.id}", user_id=new.id)
            if before.id in new.groups:
                t.put(member)
            else:
                t.delete(member)
            user_actions: list[Any] = [_groups_of(new), givers(old, new, event), UserItem.version.set(new.version)]
            user_actions += mapped_actions(old, new)
            if old.roles != new.roles:
                user_actions.append(UserItem.roles.set(set(new.roles)) if new.roles else UserItem.roles.remove())
            user = UserItem(old.tenant_id, f"USER#{old.id}")
            t.update(user, user_actions, UserItem.version == old.version, refused=PreconditionFailed())
        moves(t, after.tenant_id, policy=True, turn=turn)
        t.commit(event)

    def _regroup(self, t: Transaction, before: User, after: User, event: Event, turn: int | None) -> None:
        actions: list[Any] = [_groups_of(after), givers(before, after, event), UserItem.version.set(after.version)]
        keys = UserItem(before.tenant_id, f"USER#{before.id}")
        t.update(keys, actions, UserItem.version == before.version, refused=PreconditionFailed())
        moves(t, after.tenant_id, policy=True, turn=turn)


def _groups_of(user: User) -> Any:
    return UserItem.groups.set(set(user.groups)) if user.groups else UserItem.groups.remove()


def _name_key(name: str) -> str:
    return "GROUPNAME#" + sha256(unicodedata.normalize("NFKC", name).casefold().encode()).hexdigest()


def _item(group: Group, by: Mapping[str, given.Given]) -> GroupItem:
    return GroupItem(
        group.tenant_id,
        _PREFIX + group.id,
        name=group.name,
        name_key=_name_key(group.name),
        description=group.description,
        roles=set(group.roles) or None,
        managed=managed_text(group.managed),
        givers=given.written(by),
        mapped=set(group.mapped) or None,
        external_id=group.external_id,
        modified_at=None if group.modified_at is None else rfc3339(group.modified_at),
        size=group.size,
        unfinished=group.unfinished or None,
        created_at=rfc3339(group.created_at),
        version=group.version,
    )


def _group(item: GroupItem) -> Group:
    return Group(
        id=item.sk.removeprefix(_PREFIX),
        tenant_id=item.pk,
        name=item.name,
        description=item.description,
        roles=tuple(sorted(item.roles or ())),
        created_at=parse_rfc3339(item.created_at),
        version=int(item.version),
        managed=managed_of(item.managed),
        givers=given.read(item.givers),
        mapped=tuple(sorted(item.mapped or ())),
        external_id=item.external_id,
        modified_at=None if item.modified_at is None else parse_rfc3339(item.modified_at),
        size=None if item.size is None else int(item.size),
        unfinished=bool(item.unfinished),
    )
