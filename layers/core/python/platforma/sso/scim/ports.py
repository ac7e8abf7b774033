"""
What provisioning asks of storage. Every write commits its event in the same transaction; every read is consistent.

What another directory, or a person, made is as if it did not exist: a directory is asked for by its connection's id.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from platforma.identity.model import Page
from platforma.kernel.events import Event
from platforma.keys.stored_secret import StoredSecret
from platforma.sso.scim.model import ProvisionedUser, SCIMToken


class SCIMTokens(Protocol):
    """The tokens of connections' directories."""

    def of_connection(self, connection_id: str) -> tuple[SCIMToken, ...]:
        """Those of a connection, by age."""

    def add(self, token: SCIMToken, event: Event) -> None:
        """
        Keep a new token.

        Raises:
            NotFound: its connection is gone.
        """

    def remove(self, token: SCIMToken, event: Event) -> None:
        """
        Forget a token: it is refused from the next request.

        Raises:
            NotFound: it is gone.
        """

    def note_use(self, token: SCIMToken, stored: StoredSecret, used_at: datetime) -> None:
        """Keep a fresh ticket and the time of a use, unless the token is gone or has another secret."""


class ProvisionedUsers(Protocol):
    """The users that directories keep."""

    def user(self, tenant_id: str, connection_id: str, user_id: str) -> ProvisionedUser | None:
        """The directory's user of this id."""

    def user_named(self, tenant_id: str, connection_id: str, user_name: str) -> ProvisionedUser | None:
        """The directory's user of this `userName`, in whatever case."""

    def user_known_as(self, tenant_id: str, connection_id: str, external_id: str) -> ProvisionedUser | None:
        """The directory's user with this `externalId`."""

    def user_ids(self, tenant_id: str, connection_id: str) -> Iterator[str]:
        """The ids of all the directory's users, lazily, by age; some perhaps of users who are gone."""

    def several_users(self, tenant_id: str, connection_id: str, user_ids: Sequence[str]) -> list[ProvisionedUser]:
        """Those of the users that are the directory's, by age."""

    def user_ids_after(self, tenant_id: str, connection_id: str, *, limit: int, after: str | None) -> Page[str]:
        """A page of the same."""

    def every_user(self, tenant_id: str, connection_id: str, *, after: str | None = None) -> Iterator[ProvisionedUser]:
        """All the directory's users, or those made *after* one, lazily, by age."""

    def add_user(self, user: ProvisionedUser, event: Event) -> None:
        """
        Keep a new user, whether or not one of the address was removed before.

        Raises:
            NotUnique: another user of the directory has the `userName` or the `externalId`.
            EmailTaken: another user of the tenant has the address.
        """

    def change_user(self, before: ProvisionedUser, after: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """
        Change a user in all but password and groups; one who is `managed` no more is left to the tenant.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
            NotUnique: another user of the directory has the `userName` or the `externalId`.
            EmailTaken: another user of the tenant has the address.
            TurnTaken: *turn* has passed (see `platforma.identity.lockout`).
        """

    def remove_user(self, user: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """
        Delete the user with all that is kept of it here; its address stays a removed user's, whom no sign-in brings back.

        Raises:
            PreconditionFailed: its version is not that of *user* any more, or it is gone.
            TurnTaken: *turn* has passed.
        """
