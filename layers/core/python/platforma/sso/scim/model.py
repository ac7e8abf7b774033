"""A directory's tokens, and the users and groups that it provisioned: our own, with what the directory says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from platforma.identity.model import Group, Managed, User
from platforma.kernel.clock import rfc3339
from platforma.keys.stored_secret import StoredSecret
from platforma.sso.model import Connection

MAX_TOKENS = 5


@dataclass(frozen=True, slots=True)
class SCIMToken:
    """
    What is kept of a token by which a connection's directory calls. *selector* is the part of its text that finds it.

    *expires_at* None: good until it is revoked, or its connection is disabled or deleted.
    """

    id: str
    tenant_id: str
    connection_id: str
    selector: str
    stored: StoredSecret
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it: nothing that is secret."""
        times = {name: getattr(self, name) for name in ("created_at", "expires_at", "last_used_at")}
        return {"id": self.id, **{name: None if at is None else rfc3339(at) for name, at in times.items()}}


@dataclass(frozen=True, slots=True)
class Directory:
    """
    The directory that calls: a connection, whose users and groups alone it sees.

    *domains* are those of the connection that its tenant has proved, or was vouched for. *until* is when nothing further is
    begun for its request, by `time.monotonic`.
    """

    connection: Connection
    domains: tuple[str, ...]
    until: float = inf

    @property
    def tenant_id(self) -> str:
        """Whose directory it is."""
        return self.connection.tenant_id

    @property
    def id(self) -> str:
        """The connection's."""
        return self.connection.id

    @property
    def manages(self) -> Managed:
        """How what it made is marked."""
        return Managed("scim", self.connection.id)


@dataclass(frozen=True, slots=True)
class ProvisionedUser:
    """A user whom a directory keeps, and what it says of the person, in canonical form."""

    user: User
    document: Mapping[str, Any]
    modified_at: datetime

    @property
    def user_name(self) -> str:
        """What the directory calls the person; another's of the same directory is another, whatever the case."""
        return str(self.document["userName"])

    @property
    def external_id(self) -> str | None:
        """The directory's own id of the person."""
        found = self.document.get("externalId")
        return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class ProvisionedGroup:
    """A group that a directory keeps, and the ids of its members; its name is the directory's `displayName`."""

    group: Group
    members: tuple[str, ...] = ()
