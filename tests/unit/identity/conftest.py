"""A tenant in memory with one administrator, and everything written about it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from argon2 import PasswordHasher

from platforma.adapters.memory.identity import (
    MemoryAttemptCounts,
    MemoryDirectory,
    MemoryGroups,
    MemoryIdentity,
    MemoryTenants,
)
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.identity import Tenant, User, create_tenant, create_user
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id

KNOWN = frozenset({"admin", "operator", "developer", "viewer", "billing"})
PASSWORD = "correct horse battery"


@dataclass
class House:
    events: list[Event] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __post_init__(self):
        self.store = MemoryIdentity(record=self.events.append)
        self.tenants, self.directory = MemoryTenants(self.store), MemoryDirectory(self.store)
        self.groups, self.keys = MemoryGroups(self.store), MemoryDataKeys()
        self.counts = MemoryAttemptCounts()
        self.tenant, self.admin = self.make_tenant()

    def attempt(self) -> Attempt:
        return Attempt("req", "settings.users.update", lambda: self.now, principal_type="user", tenant_id=new_id("ten"))

    def shred(self, tenant_id: str, _attempt: Attempt) -> None:
        self.keys.destroy_tenant_key(tenant_id)

    def make_tenant(self, password: str | None = PASSWORD) -> tuple[Tenant, User]:
        made = create_tenant(
            "Acme",
            admin_email="ada@acme.test",
            admin_name="Ada",
            admin_password=password,
            tenants=self.tenants,
            keys=self.keys,
            attempt=self.attempt(),
        )
        return made.tenant, made.admin

    def user(self, email: str = "bob@acme.test", **fields: Any) -> User:
        fields = {"name": "Bob", "known_roles": KNOWN, **fields}
        return create_user(self.tenant.id, email=email, **fields, directory=self.directory, attempt=self.attempt())

    def people(self, **more: Any) -> dict[str, Any]:
        return {"directory": self.directory, "groups": self.groups, "attempt": self.attempt(), **more}


@pytest.fixture(autouse=True)
def _cheap_hashes(request, monkeypatch):
    """Argon2's strength is the passwords' own tests' business."""
    if not request.module.__name__.endswith("test_passwords"):
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr("platforma.identity.passwords._hasher", lambda _profile: cheap)


@pytest.fixture
def house() -> House:
    return House()
