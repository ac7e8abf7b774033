"""Tenants, users and groups, in memory and in DynamoDB, as one suite sees them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.identity import DynamoAttemptCounts, DynamoDirectory, DynamoGroups, DynamoTenants
from platforma.adapters.dynamodb.tables import TABLES, Item, Tables
from platforma.adapters.dynamodb.versions import VersionsItem
from platforma.adapters.memory.identity import (
    MemoryAttemptCounts,
    MemoryDirectory,
    MemoryGroups,
    MemoryIdentity,
    MemoryTenants,
)
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.identity import (
    AttemptCounts,
    Directory,
    Groups,
    Tenant,
    Tenants,
    User,
    change_user,
    create_tenant,
    create_user,
)
from platforma.kernel.errors import PlatformaError, PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import make_tables

KNOWN = frozenset({"admin", "operator", "developer", "viewer", "billing"})
NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
PASSWORD = "correct horse battery"


class SeenItem(Item):
    """An event as this test's outbox keeps it."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class SeenOutbox:
    def items(self, event: Event) -> list[Any]:
        item = SeenItem(event.tenant_id, event.id, action=event.action)
        return [(item, SeenItem.pk.does_not_exist(), PreconditionFailed("The event is there."))]


@dataclass
class World:
    """The ports, made anew for each thread, and what can be seen of them from elsewhere."""

    make: Callable[[], tuple[Tenants, Directory, Groups]]
    versions: Callable[[str], tuple[str, int, int]]
    events: Callable[[], list[str]]
    keys: MemoryDataKeys
    counts: Callable[[], AttemptCounts]

    def attempt(self, action: str = "settings.users.update", tenant_id: str = "") -> Attempt:
        return Attempt(new_id("evt"), action, lambda: NOW, principal_type="user", tenant_id=tenant_id or new_id("ten"))

    def shred(self, tenant_id: str, _attempt: Attempt) -> None:
        self.keys.destroy_tenant_key(tenant_id)

    def ports(self) -> dict[str, Any]:
        _, directory, groups = self.make()
        return {"directory": directory, "groups": groups}

    def tenant(self, password: str | None = PASSWORD) -> tuple[Tenant, User]:
        made = create_tenant(
            "Acme",
            admin_email="ada@acme.test",
            admin_name="Ada",
            admin_password=password,
            tenants=self.make()[0],
            keys=self.keys,
            attempt=self.attempt(),
        )
        return made.tenant, made.admin

    def user(self, tenant: Tenant, email: str = "bob@acme.test", **fields: Any) -> User:
        fields = {"name": "Bob", "roles": [], "known_roles": KNOWN, **fields}
        return create_user(tenant.id, email=email, **fields, directory=self.make()[1], attempt=self.attempt())

    def change(self, user: User, changes: dict[str, Any], if_match: int | None = None) -> User:
        return change_user(
            user.tenant_id,
            user.id,
            changes,
            if_match=if_match,
            known_roles=KNOWN,
            attempt=self.attempt(),
            **self.ports(),
        )


def in_memory() -> World:
    events: list[str] = []
    store = MemoryIdentity(record=lambda event: events.append(event.action))

    def versions(tenant_id: str) -> tuple[str, int, int]:
        found = store.versions[tenant_id]
        return found.status, found.policy, found.revocation

    counts = MemoryAttemptCounts()
    ports = MemoryTenants(store), MemoryDirectory(store), MemoryGroups(store)
    return World(lambda: ports, versions, lambda: events, MemoryDataKeys(), lambda: counts)


def in_dynamodb() -> World:
    make_tables(*TABLES)
    keys, secrets, own = MemoryDataKeys(), MemorySecrets(), threading.local()

    def make() -> tuple[Tenants, Directory, Groups]:
        if not hasattr(own, "ports"):
            own.ports = made()
        return own.ports

    def made() -> tuple[Tenants, Directory, Groups]:
        tables, envelope = Tables({name: name for name in TABLES}, "eu-central-1").bind(), Envelope(keys)
        outbox = SeenOutbox()
        tenants = DynamoTenants(tables, outbox, envelope, secrets)
        return tenants, DynamoDirectory(tables, outbox, envelope, secrets), DynamoGroups(tables, outbox)

    def counts() -> AttemptCounts:
        return DynamoAttemptCounts(Tables({name: name for name in TABLES}, "eu-central-1").bind(), secrets)

    def versions(tenant_id: str) -> tuple[str, int, int]:
        item = VersionsItem.get(tenant_id, "VERSIONS", consistent_read=True)
        return item.status, int(item.policy_version), int(item.revocation_version)

    return World(make, versions, lambda: [item.action for item in SeenItem.scan()], keys, counts)


def race(racers: int, run: Callable[[int], Any]) -> list[Any]:
    """What each of the racers, let go together, returned or raised."""
    start = threading.Barrier(racers)

    def one(number: int) -> Any:
        start.wait()
        try:
            return run(number)
        except PlatformaError as error:
            return error

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(one, range(racers)))
