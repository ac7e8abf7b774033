"""A tenant with an admin, memory in the place of tables, and a clock that stands still until it is told."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from platforma.adapters.memory.apikeys import MemoryKeys, MemoryLimits, MemoryLimitSettings
from platforma.adapters.memory.keys import MemorySecrets
from platforma.apikeys import APIKey, IssuedKey, KeyRequest, Limiter, SharedLimits, check_key, issue_key, verify_key
from platforma.apikeys.verify import KeyCheck
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
REQUEST = KeyRequest(name="ci", environment="live", scopes=("infrastructure:read",))


@dataclass
class World:
    now: datetime = NOW
    tenant_id: str = field(default_factory=lambda: new_id("ten"))
    user_id: str = field(default_factory=lambda: new_id("usr"))
    secrets: MemorySecrets = field(default_factory=MemorySecrets)
    limits: MemoryLimits = field(default_factory=MemoryLimits)
    limit_settings: Any = field(default_factory=MemoryLimitSettings)
    events: list[Event] = field(default_factory=list)
    keys: Any = None
    limiter: Any = None

    def __post_init__(self) -> None:
        self.keys = self.keys or MemoryKeys(self.events.append)
        self.limiter = self.limiter or self.instance()

    def clock(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)

    def instance(self, limits: Any = None) -> Limiter:
        """What charges in one instance of a function, with nothing leased yet."""
        return Limiter(limits or self.limits, SharedLimits(self.limit_settings, lambda _: self.limit_settings.moved).of)

    def attempt(self, action: str = "settings.api_keys.create") -> Attempt:
        return Attempt(
            request_id="req",
            action=action,
            clock=self.clock,
            tenant_id=self.tenant_id,
            principal_type="user",
            principal_id=self.user_id,
            user_id=self.user_id,
        )

    def issue(self, **wanted: Any) -> IssuedKey:
        bound = {"bound": wanted.pop("bound")} if "bound" in wanted else {}
        return issue_key(
            replace(REQUEST, **wanted),
            tenant_id=self.tenant_id,
            owner_type="user",
            owner_id=self.user_id,
            created_by=self.user_id,
            keys=self.keys,
            secrets=self.secrets,
            clock=self.clock,
            attempt=self.attempt(),
            **bound,
        )

    def use(self) -> dict[str, Any]:
        """What every use case that changes a key takes."""
        return {"keys": self.keys, "clock": self.clock, "attempt": self.attempt("settings.api_keys.update")}

    def verify(self, text: str, ip_address: str | None = "192.0.2.1", **more: Any) -> APIKey:
        attempt = Attempt(request_id="req", action="a.b.c", clock=self.clock)
        return verify_key(text, secrets=self.secrets, ip_address=ip_address, **{**self.use(), "attempt": attempt}, **more)

    def check(self, text: str, ip_address: str | None = "192.0.2.1", **more: Any) -> KeyCheck:
        taken = {"tenant_id": self.tenant_id, "limiter": self.limiter, **self.use(), **more}
        return check_key(text, secrets=self.secrets, ip_address=ip_address, **taken)
