"""What the three ports keep together, under one lock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from typing import Any, Protocol, TypeVar

from platforma.identity.errors import TurnTaken
from platforma.identity.model import Group, Page, Tenant, User
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.kernel.given import carried

T = TypeVar("T", Tenant, User, Group)
Identified = TypeVar("Identified", bound="HasID")


class HasID(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """By which it is found."""


@dataclass(slots=True)
class MemoryVersions:
    """A tenant's status and counters, as every function that authenticates sees them."""

    status: str = "active"
    policy: int = 1
    revocation: int = 1


@dataclass(slots=True)
class MemoryIdentity:
    """What the three ports below keep together. *record* is told each event in the moment of its write."""

    record: Callable[[Event], None] = field(default=lambda _: None)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    passwords: dict[tuple[str, str], str] = field(default_factory=dict)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)
    identities: dict[tuple[str, str], str] = field(default_factory=dict)
    removed: set[tuple[str, str]] = field(default_factory=set)
    versions: dict[str, MemoryVersions] = field(default_factory=dict)
    signed_out: dict[tuple[str, str], tuple[datetime, str | None]] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock)

    def moves(self, tenant_id: str, *, policy: bool = False, revocation: bool = False) -> None:
        """Move the tenant's versions."""
        versions = self.versions.setdefault(tenant_id, MemoryVersions())
        versions.policy += policy
        versions.revocation += revocation

    def signs_out(self, user: User, event: Event, staying: str | None = None) -> None:
        """Note that the user is signed out wherever they are, but for the session *staying*."""
        self.signed_out[user.tenant_id, user.id] = parse_rfc3339(event.timestamp), staying

    def requires(self, stored: T | None, before: T) -> None:
        """Refuse unless *stored* is what *before* was."""
        if stored is None or stored.version != before.version:
            raise PreconditionFailed

    def check_turn(self, tenant_id: str, turn: int | None) -> None:
        """Refuse unless the lock-out guard's turn is *turn*."""
        if turn is not None and self.versions[tenant_id].policy != turn:
            raise TurnTaken

    def commit(self, event: Event) -> None:
        """Enter the event; nothing can fail after it."""
        self.record(event)
        entered((event,))


def page_of(things: Iterable[Identified], limit: int, after: str | None) -> Page[Identified]:
    """A page of *things* by id."""
    following = sorted((thing for thing in list(things) if after is None or thing.id > after), key=lambda thing: thing.id)
    more = len(following) > limit
    return Page(tuple(following[:limit]), following[limit - 1].id if more else None)


def given_by(before: User | None, after: User, event: Event) -> User:
    """*after*, with who gave it its roles and memberships."""
    had = (*before.roles, *before.groups) if before else ()
    givers = carried(before.givers if before else {}, had, (*after.roles, *after.groups), event)
    return replace(after, givers=givers)
