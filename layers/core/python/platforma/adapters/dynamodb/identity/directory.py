"""The users of a tenant in DynamoDB."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.identity.items import (
    FactorsItem,
    MemberItem,
    OwnedItem,
    UserItem,
    moves,
    read,
    read_page,
    reading,
)
from platforma.adapters.dynamodb.identity.people import People, bare_standing
from platforma.adapters.dynamodb.single import written
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.identity.errors import EmailTaken
from platforma.identity.model import Page, Standing, User
from platforma.kernel.errors import Broken, PreconditionFailed
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.keys.ports import Secrets

_PREFIX = "USER#"
_FILTERED = 100
"""How many roles and groups a filter asks for; of more it asks nothing (a filter holds 300 operators)."""


class DynamoDirectory:
    """`Directory`."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope, secrets: Secrets) -> None:
        self._tables = tables
        self._outbox = outbox
        self._people = People(envelope, secrets)

    def user(self, tenant_id: str, user_id: str) -> User | None:
        """The user."""
        item = read(UserItem, tenant_id, _PREFIX + user_id)
        return None if item is None else self._people.users([item])[0]

    def user_by_email(self, tenant_id: str, email: str) -> User | None:
        """The user with this address."""
        owned = read(OwnedItem, tenant_id, self._people.email_sk(tenant_id, email))
        return None if owned is None else self.user(tenant_id, owned.owner)

    def users(
        self, tenant_id: str, *, limit: int, after: str | None, status: str | None, role: str | None, groups: frozenset[str]
    ) -> Page[User]:
        """Users by id."""
        only: Condition | None = None if status is None else UserItem.status == status
        if role is not None:
            has_role = _any_of(frozenset({role}), groups)
            only = has_role if only is None else only & has_role
        return read_page(UserItem, tenant_id, _PREFIX, limit=limit, after=after, only=only, make=self._people.users)

    def standing(self, tenant_id: str, user_id: str) -> Standing | None:
        """What a decision needs of the user."""
        item = read(UserItem, tenant_id, _PREFIX + user_id)
        return None if item is None else self._people.standing(item)

    def add(self, user: User, password_hash: str | None, event: Event) -> None:
        """Add a user."""
        item = self._people.item(user, password_hash)
        t = Transaction(self._tables, self._outbox)
        t.put(_owned(item), OwnedItem.pk.does_not_exist(), refused=EmailTaken())
        t.put(item, UserItem.pk.does_not_exist(), refused=Broken("An id was made twice."))
        t.commit(event)

    def replace(self, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Change a user in all but password and groups."""
        t = Transaction(self._tables, self._outbox)
        actions: list[Any] = [UserItem.version.set(after.version)]
        if (before.email, before.name) != (after.email, after.name):
            actions.append(UserItem.person.set(self._people.sealed_person(after)))
        if before.attributes != after.attributes:
            described = self._people.sealed_attributes(after)
            actions.append(UserItem.described.remove() if described is None else UserItem.described.set(described))
        if before.roles != after.roles:
            actions.append(UserItem.roles.set(set(after.roles)) if after.roles else UserItem.roles.remove())
        if before.status != after.status:
            actions.append(UserItem.status.set(after.status))
        old, new = (self._people.email_sk(user.tenant_id, user.email) for user in (before, after))
        if old != new:
            actions.append(UserItem.email_key.set(new))
            mine = OwnedItem.owner == before.id
            t.delete(OwnedItem(before.tenant_id, old), mine, refused=PreconditionFailed())
            t.put(OwnedItem(after.tenant_id, new, owner=after.id), OwnedItem.pk.does_not_exist(), refused=EmailTaken())
        t.update(_keys(before), actions, UserItem.version == before.version, refused=PreconditionFailed())
        rights = (before.roles, before.attributes) != (after.roles, after.attributes)
        moves(t, after.tenant_id, policy=rights, revocation=before.status != after.status, turn=turn)
        t.commit(event)

    def remove(self, user: User, event: Event, *, turn: int | None) -> None:
        """Delete the user, its address, its password, its factors and its memberships."""
        t = Transaction(self._tables, self._outbox)
        t.delete(_keys(user), UserItem.version == user.version, refused=PreconditionFailed())
        t.delete(OwnedItem(user.tenant_id, self._people.email_sk(user.tenant_id, user.email)))
        t.delete(FactorsItem(user.tenant_id, f"FACTORS#{user.id}"))
        for group_id in user.groups:
            t.delete(MemberItem(user.tenant_id, f"MEMBER#{group_id}#{user.id}"))
        moves(t, user.tenant_id, policy=True, revocation=True, turn=turn)
        t.commit(event)

    def password_hash(self, tenant_id: str, user_id: str) -> str | None:
        """The user's password hash, if it has one."""
        item = read(UserItem, tenant_id, _PREFIX + user_id)
        return None if item is None else self._people.password_hash(item)

    def set_password(self, before: User, after: User, password_hash: str, event: Event) -> None:
        """Give the user this password hash."""
        t = Transaction(self._tables, self._outbox)
        self.put_password(t, before, after, password_hash)
        t.commit(event)

    def put_password(self, transaction: Transaction, before: User, after: User, password_hash: str) -> None:
        """Let *transaction* give the user this password hash, if it is still of the version of *before*."""
        actions: list[Any] = [
            UserItem.password.set(self._people.sealed_password(after, password_hash)),
            UserItem.status.set(after.status),
            UserItem.version.set(after.version),
        ]
        transaction.update(_keys(before), actions, UserItem.version == before.version, refused=PreconditionFailed())
        moves(transaction, after.tenant_id, revocation=True)

    def rehash(self, user: User, password_hash: str) -> None:
        """Keep the same password under another profile."""
        sealed = self._people.sealed_password(user, password_hash)
        written(_keys(user), [UserItem.password.set(sealed)], UserItem.version == user.version)

    def turn(self, tenant_id: str) -> int:
        """The tenant's policy version."""
        item = read(VersionsItem, tenant_id, SK)
        return 0 if item is None else int(item.policy_version)

    def holders(self, tenant_id: str, *, roles: frozenset[str], groups: frozenset[str]) -> Iterator[Standing]:
        """Users not suspended who have one of *roles* or are in one of *groups*; their attributes stay sealed."""
        only = UserItem.status != "suspended"
        if len(roles) + len(groups) <= _FILTERED:
            only &= _any_of(roles, groups)
        with reading():
            for item in UserItem.query(tenant_id, UserItem.sk.startswith(_PREFIX), only, consistent_read=True):
                yield bare_standing(item, {})


def _any_of(roles: frozenset[str], groups: frozenset[str]) -> Condition:
    conditions = [UserItem.roles.contains(role) for role in sorted(roles)]
    conditions += [UserItem.groups.contains(group_id) for group_id in sorted(groups)]
    return reduce(or_, conditions)


def _keys(user: User) -> UserItem:
    return UserItem(user.tenant_id, _PREFIX + user.id)


def _owned(item: UserItem) -> OwnedItem:
    return OwnedItem(item.pk, item.email_key, owner=item.sk.removeprefix(_PREFIX))
