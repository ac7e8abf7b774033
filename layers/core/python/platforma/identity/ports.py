"""
What identity asks of storage and of Vault. Two real implementations each: DynamoDB and memory, Vault and memory.

Every write takes the event that tells of it and commits both in one transaction, or raises and commits nothing.
Every read is consistent. *turn* is the lock-out guard's: see `platforma.identity.lockout`.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from platforma.identity.model import Group, Page, Standing, Tenant, User
from platforma.kernel.events import Attempt, Event

MAX_MOVED = 45
"""How many users are put into a group, or taken out, at once: two items each, of the hundred that a transaction has."""


class TenantKeys(Protocol):
    """A tenant's key in Vault: without it none of the tenant's sealed fields can be read."""

    def create_tenant_key(self, tenant_id: str) -> None:
        """See that the tenant has its key; doing it again changes nothing."""


class Shredder(Protocol):
    """What makes a tenant's sealed fields unreadable for good."""

    def shred(self, tenant_id: str, attempt: Attempt) -> None:
        """
        Destroy the tenant's key, and with it everything sealed under it, and state so; doing it again changes nothing.

        Raises:
            Unavailable: it is not done.
        """


class Tenants(Protocol):
    """Every tenant of the platform."""

    def create(self, tenant: Tenant, admin: User, password_hash: str | None, event: Event) -> None:
        """Add the tenant, its versions and its first user."""

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant, whatever its status."""

    def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """Tenants by id, which is by age."""

    def replace(self, before: Tenant, after: Tenant, event: Event) -> None:
        """
        Change a tenant; a new status bites everywhere at once.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
        """

    def note_end(self, tenant: Tenant) -> Tenant:
        """
        The deleted tenant as it is once its key is destroyed, which is noted: without *purge_after*. The deletion was told
        of and nothing else changes, so that there is no event; noted twice, it is noted.
        """


class Directory(Protocol):
    """The people of a tenant."""

    def user(self, tenant_id: str, user_id: str) -> User | None:
        """The user."""

    def user_by_email(self, tenant_id: str, email: str) -> User | None:
        """The user with this address, compared as `email_address.folded` does."""

    def with_password(self, tenant_id: str, email: str) -> tuple[User, str | None] | None:
        """
        The user with this address, and its password hash if it has one. For an address that is nobody's it asks storage and
        Vault as often, so that the time does not tell.
        """

    def users(
        self, tenant_id: str, *, limit: int, after: str | None, status: str | None, role: str | None, groups: frozenset[str]
    ) -> Page[User]:
        """Users by id, which is by age; with a *role* only those who have it, by hand or as a member of one of *groups*."""

    def standing(self, tenant_id: str, user_id: str) -> Standing | None:
        """What a decision needs of the user; needs Vault only where the user has attributes."""

    def identity(self, tenant_id: str, connection_id: str, subject: str) -> str:
        """
        The name of an identity: of whom the connection's provider calls *subject*. It says nothing of the person, and no two
        connections or tenants have the same one.
        """

    def owner_of(self, tenant_id: str, identity: str) -> str | None:
        """The id of the user whose identity it is, or was until the user was removed."""

    def add(self, user: User, password_hash: str | None, event: Event, *, unless_removed: bool = False) -> None:
        """
        Add a user, with the identities that it has; *unless_removed*: not one whose address or identity is a removed user's.

        Raises:
            EmailTaken: another user of the tenant has the address.
            IdentityTaken: another user has an identity.
            UserRemoved: it was removed.
        """

    def replace(self, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """
        Change a user in all but password and groups, which have their own ways.

        New roles or attributes move the policy version, a new status the revocation version; who is suspended is signed out
        wherever they are, for good. An identity of a removed user
        may become this one's.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
            EmailTaken: another user of the tenant has the new address.
            IdentityTaken: another user has a new identity.
            TurnTaken: *turn* has passed.
        """

    def remove(self, user: User, event: Event, *, turn: int | None) -> None:
        """
        Delete the user with all that is kept of it here, but that its address and identities are a removed user's.

        Raises:
            PreconditionFailed: its version is not that of *user* any more, or it is gone.
            TurnTaken: *turn* has passed.
        """

    def password_hash(self, tenant_id: str, user_id: str) -> str | None:
        """The user's password hash, if it has one."""

    def set_password(
        self, before: User, after: User, password_hash: str, event: Event, *, staying: str | None = None
    ) -> None:
        """
        Give the user this password hash, and the status of *after*; signs them out wherever they are, but for the session
        *staying*.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
        """

    def rehash(self, user: User, password_hash: str) -> None:
        """
        Keep the same password under another profile, if the user is still of this version: nothing that anybody can tell
        changes, so that it has no event and moves nothing.
        """

    def turn(self, tenant_id: str) -> int:
        """The tenant's policy version."""

    def holders(self, tenant_id: str, *, roles: frozenset[str], groups: frozenset[str]) -> Iterator[Standing]:
        """
        Users not suspended who have one of *roles* by hand or are in one of *groups*, lazily, by age.

        Some who are neither may be among them; their attributes are left out.
        """


class Groups(Protocol):
    """The groups of a tenant, and who is in them."""

    def group(self, tenant_id: str, group_id: str) -> Group | None:
        """The group."""

    def several(self, tenant_id: str, group_ids: tuple[str, ...]) -> tuple[Group, ...]:
        """Those of the groups that exist."""

    def named(self, tenant_id: str, name: str) -> Group | None:
        """The group that has the name, and keeps others from it."""

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Group]:
        """Groups by id, which is by age."""

    def add(self, group: Group, event: Event) -> None:
        """
        Add a group.

        Raises:
            GroupNameTaken: another group of the tenant has the name.
        """

    def replace(self, before: Group, after: Group, event: Event, *, turn: int | None) -> None:
        """
        Change a group.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
            GroupNameTaken: another group of the tenant has the new name.
            TurnTaken: *turn* has passed.
        """

    def remove(self, group: Group, event: Event, *, turn: int | None) -> None:
        """
        Delete the group: from now on it gives nobody anything.

        Raises:
            PreconditionFailed: its version is not that of *group* any more, or it is gone.
            TurnTaken: *turn* has passed.
        """

    def members(self, tenant_id: str, group_id: str, *, limit: int, after: str | None) -> Page[str]:
        """Ids of the group's members, by id."""

    def add_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """
        Put the user into the group; its groups are then those of *after*.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or the group or the user is gone.
            TurnTaken: *turn* has passed.
        """

    def remove_member(self, group: Group, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """
        Take the user out of the group; its groups are then those of *after*.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
            TurnTaken: *turn* has passed.
        """

    def regroup(
        self, before: Group, after: Group, moved: Sequence[tuple[User, User]], event: Event, *, turn: int | None
    ) -> None:
        """
        Put several users into the group, or take them out, as their groups before and after say; their own and their mapped
        roles are then those of after. `MAX_MOVED` at most.

        Raises:
            PreconditionFailed: the version of the group or of a user is not that of before any more, or one is gone.
            TurnTaken: *turn* has passed.
        """
