"""The users of a tenant in DynamoDB."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.identity.items import (
    FactorsItem,
    MemberItem,
    OwnedItem,
    UserItem,
    managed_text,
    moves,
    read,
    read_page,
    reading,
)
from platforma.adapters.dynamodb.identity.people import People, bare_standing, givers, mapped_actions
from platforma.adapters.dynamodb.revocations import signs_out
from platforma.adapters.dynamodb.single import written
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.identity.errors import EmailTaken, IdentityTaken, UserRemoved
from platforma.identity.model import Page, Standing, User
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Broken, PlatformaError, PreconditionFailed
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.keys.ports import Secrets

_PREFIX = "USER#"
_IDENTITY = "IDENTITY#"
_NOBODY = "usr_00000000000000000000000000"
_FREE = OwnedItem.pk.does_not_exist() | (OwnedItem.removed == True)  # noqa: E712  an expression
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

    def with_password(self, tenant_id: str, email: str) -> tuple[User, str | None] | None:
        """The user with this address, and its password hash; for nobody as slowly."""
        place = self._people.email_sk(tenant_id, email)
        owned = read(OwnedItem, tenant_id, place)
        item = read(UserItem, tenant_id, _PREFIX + (owned.owner if owned is not None else _NOBODY))
        if item is None:
            self._people.rehearse(tenant_id, place)
            return None
        return self._people.with_password(item)

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

    def identity(self, tenant_id: str, connection_id: str, subject: str) -> str:
        """The name of an identity."""
        return self._people.identity(tenant_id, connection_id, subject)

    def owner_of(self, tenant_id: str, identity: str) -> str | None:
        """The id of the user whose identity it is, or was."""
        owned = read(OwnedItem, tenant_id, _IDENTITY + identity)
        return None if owned is None else owned.owner

    def add(self, user: User, password_hash: str | None, event: Event, *, unless_removed: bool = False) -> None:
        """Add a user."""
        t = Transaction(self._tables, self._outbox)
        self.put_new(t, user, password_hash, event, unless_removed=unless_removed)
        t.commit(event)

    def put_new(
        self,
        t: Transaction,
        user: User,
        password_hash: str | None,
        event: Event,
        *,
        unless_removed: bool = False,
        provisioned: bytes | None = None,
    ) -> None:
        """Let *t* add a user by *event*; *provisioned* is what its directory says of it, sealed."""
        item = self._people.item(user, password_hash, event)
        item.provisioned = provisioned
        free = OwnedItem.pk.does_not_exist() if unless_removed else _FREE
        t.put(_owned(item), free, refused=_taken(EmailTaken()))
        for identity in user.identities:
            t.put(_identity(user, identity), free, refused=_taken(IdentityTaken()))
        t.put(item, UserItem.pk.does_not_exist(), refused=Broken("An id was made twice."))

    def replace(self, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Change a user in all but password and groups."""
        t = Transaction(self._tables, self._outbox)
        self.put_changes(t, before, after, event, turn=turn)
        t.commit(event)

    def put_changes(
        self, t: Transaction, before: User, after: User, event: Event, *, turn: int | None, more: Sequence[Any] = ()
    ) -> None:
        """Let *t* change a user by *event* in all but password and groups, and do *more* actions on its item."""
        actions: list[Any] = [UserItem.version.set(after.version), *more]
        if (before.email, before.name) != (after.email, after.name):
            actions.append(UserItem.person.set(self._people.sealed_person(after)))
        if before.attributes != after.attributes:
            described = self._people.sealed_attributes(after)
            actions.append(UserItem.described.remove() if described is None else UserItem.described.set(described))
        if before.roles != after.roles:
            actions.append(UserItem.roles.set(set(after.roles)) if after.roles else UserItem.roles.remove())
            actions.append(givers(before, after, event))
        actions += self._provisioned(t, before, after)
        if before.status != after.status:
            actions.append(UserItem.status.set(after.status))
        old, new = (self._people.email_sk(user.tenant_id, user.email) for user in (before, after))
        if old != new:
            actions.append(UserItem.email_key.set(new))
            mine = OwnedItem.owner == before.id
            t.delete(OwnedItem(before.tenant_id, old), mine, refused=PreconditionFailed())
            t.put(OwnedItem(after.tenant_id, new, owner=after.id), _FREE, refused=EmailTaken())
        t.update(_keys(before), actions, UserItem.version == before.version, refused=PreconditionFailed())
        rights = (before.given, before.attributes) != (after.given, after.attributes)
        if before.status != after.status == "suspended":
            signs_out(t, after.tenant_id, after.id, parse_rfc3339(event.timestamp))
        moves(t, after.tenant_id, policy=rights, revocation=before.status != after.status, turn=turn)

    def _provisioned(self, t: Transaction, before: User, after: User) -> list[Any]:
        """What connections keep of a user, as actions on its item."""
        actions = mapped_actions(before, after)
        if before.managed != after.managed:
            kept = managed_text(after.managed)
            actions.append(UserItem.managed.set(kept) if kept else UserItem.managed.remove())
        if before.identities != after.identities:
            held = set(after.identities)
            actions.append(UserItem.identities.set(held) if held else UserItem.identities.remove())
            for identity in sorted(held - set(before.identities)):
                t.put(_identity(after, identity), _FREE, refused=IdentityTaken())
            for identity in sorted(set(before.identities) - held):
                t.delete(_identity(before, identity), OwnedItem.owner == before.id, refused=PreconditionFailed())
        return actions

    def remove(self, user: User, event: Event, *, turn: int | None) -> None:
        """Delete the user with password, factors and memberships; its address and identities are a removed user's."""
        t = Transaction(self._tables, self._outbox)
        self.put_removal(t, user, event, turn=turn)
        t.commit(event)

    def put_removal(self, t: Transaction, user: User, event: Event, *, turn: int | None) -> None:
        """Let *t* delete a user by *event*."""
        t.delete(_keys(user), UserItem.version == user.version, refused=PreconditionFailed())
        t.put(OwnedItem(user.tenant_id, self._people.email_sk(user.tenant_id, user.email), owner=user.id, removed=True))
        for identity in user.identities:
            t.put(_identity(user, identity, removed=True))
        t.delete(FactorsItem(user.tenant_id, f"FACTORS#{user.id}"))
        for group_id in user.groups:
            t.delete(MemberItem(user.tenant_id, f"MEMBER#{group_id}#{user.id}"))
        signs_out(t, user.tenant_id, user.id, parse_rfc3339(event.timestamp))
        moves(t, user.tenant_id, policy=True, revocation=True, turn=turn)

    def password_hash(self, tenant_id: str, user_id: str) -> str | None:
        """The user's password hash, if it has one."""
        item = read(UserItem, tenant_id, _PREFIX + user_id)
        return None if item is None else self._people.password_hash(item)

    def set_password(
        self, before: User, after: User, password_hash: str, event: Event, *, staying: str | None = None
    ) -> None:
        """Give the user this password hash."""
        t = Transaction(self._tables, self._outbox)
        self.put_password(t, before, after, password_hash, event, staying=staying)
        t.commit(event)

    def put_password(
        self, t: Transaction, before: User, after: User, password_hash: str, event: Event, *, staying: str | None = None
    ) -> None:
        """Let *t* give the user this password hash by *event*, if it is still of the version of *before*."""
        actions: list[Any] = [
            UserItem.password.set(self._people.sealed_password(after, password_hash)),
            UserItem.status.set(after.status),
            UserItem.version.set(after.version),
        ]
        t.update(_keys(before), actions, UserItem.version == before.version, refused=PreconditionFailed())
        signs_out(t, after.tenant_id, after.id, parse_rfc3339(event.timestamp), staying)
        moves(t, after.tenant_id, revocation=True)

    def rehash(self, user: User, password_hash: str) -> None:
        """Keep the same password under another profile."""
        sealed = self._people.sealed_password(user, password_hash)
        written(_keys(user), [UserItem.password.set(sealed)], UserItem.version == user.version)

    def said_by_directory(self, tenant_id: str, user_id: str) -> dict[str, Any] | None:
        """What the user's directory says of it, if one provisions it: `document` and `modified_at`."""
        item = read(UserItem, tenant_id, _PREFIX + user_id)
        return None if item is None else self._people.provisioned(item)

    def turn(self, tenant_id: str) -> int:
        """The tenant's policy version."""
        item = read(VersionsItem, tenant_id, SK)
        return 0 if item is None else int(item.policy_version)

    def holders(self, tenant_id: str, *, roles: frozenset[str], groups: frozenset[str]) -> Iterator[Standing]:
        """Users not suspended who have one of *roles* or are in one of *groups*; their attributes stay sealed."""
        only = UserItem.status != "suspended"
        if 2 * len(roles) + len(groups) <= _FILTERED:
            only &= _any_of(roles, groups)
        with reading():
            for item in UserItem.query(tenant_id, UserItem.sk.startswith(_PREFIX), only, consistent_read=True):
                yield bare_standing(item, {})


def _any_of(roles: frozenset[str], groups: frozenset[str]) -> Condition:
    conditions = [UserItem.roles.contains(role) for role in sorted(roles)]
    conditions += [UserItem.mapped_roles.contains(role) for role in sorted(roles)]
    conditions += [UserItem.groups.contains(group_id) for group_id in sorted(groups)]
    return reduce(or_, conditions)


def _keys(user: User) -> UserItem:
    return UserItem(user.tenant_id, _PREFIX + user.id)


def _identity(user: User, identity: str, *, removed: bool | None = None) -> OwnedItem:
    return OwnedItem(user.tenant_id, _IDENTITY + identity, owner=user.id, removed=removed)


def _taken(error: PlatformaError) -> Callable[[dict[str, Any] | None], PlatformaError]:
    """That it is taken, or that it is a removed user's."""
    return lambda item: UserRemoved() if item is not None and item.get("removed", {}).get("BOOL") else error


def _owned(item: UserItem) -> OwnedItem:
    return OwnedItem(item.pk, item.email_key, owner=item.sk.removeprefix(_PREFIX))
