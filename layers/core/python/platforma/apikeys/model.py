"""What an API key is once it is known, and the rules that need nothing but the key itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal, NamedTuple

from platforma.apikeys.format import Environment
from platforma.kernel.clock import rfc3339
from platforma.keys.stored_secret import StoredSecret

OwnerType = Literal["user", "oauth_client"]
Status = Literal["active", "suspended", "expired", "revoked"]
Refusal = Literal[
    "malformed",
    "unknown",
    "expired",
    "revoked",
    "suspended",
    "insufficient_scope",
    "denied",
    "ip_not_allowed",
    "rate_limited",
]
Code = Literal["valid"] | Refusal
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most *limit* requests (their costs, summed) in a window of *period_seconds*, which opens at its first request."""

    limit: int
    period_seconds: int

    def as_json(self) -> dict[str, int]:
        """As the API writes it."""
        return {"limit": self.limit, "period_seconds": self.period_seconds}


@dataclass(frozen=True, slots=True)
class Charge:
    """
    What a rate limit said: *allowed* or not, what is left in this window, and when the next one may open.

    *of* says whose limit it is: the key's own, or one that its owner's or its tenant's keys share. Of a shared one,
    *remaining* leaves out what other instances hold.
    """

    allowed: bool
    limit: RateLimit
    remaining: int
    resets_at: datetime
    of: Literal["key", "owner", "tenant"] = "key"

    def as_json(self) -> dict[str, Any]:
        """As the API writes it."""
        shown = {"remaining": self.remaining, "resets_at": rfc3339(self.resets_at), "of": self.of}
        return {**self.limit.as_json(), **shown}


class Window(NamedTuple):
    """A window of a counter: when it opened, how much of it is *used* by now, and what was *granted* just now."""

    opened: datetime
    used: int
    granted: int


@dataclass(frozen=True, slots=True)
class APIKey:
    """
    A key on record. It acts as its owner, within its scopes.

    *ancestors* are the keys through which it was made, nearest first, and *token_id* the token: it ends with them.
    *until_used* says that its successor's first good use ends it. *ends_predecessor* says the same of its predecessor,
    and is false again once that is done. *secret* is a hash and a ticket; neither gives the secret back.
    """

    id: str
    tenant_id: str
    name: str
    environment: Environment
    scopes: tuple[str, ...]
    owner_type: OwnerType
    owner_id: str
    prefix: str
    created_at: datetime
    created_by: str
    secret: StoredSecret = field(repr=False)
    ip_range: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    enabled: bool = True
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_ip: str | None = None
    predecessor_id: str | None = None
    successor_id: str | None = None
    until_used: bool = False
    ends_predecessor: bool = False
    ancestors: tuple[str, ...] = ()
    token_id: str | None = None
    version: int = 1

    def status(self, now: datetime) -> Status:
        """Whether it is good for anything at *now*, and if not, why. Its expiry is to the millisecond."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        return "active" if self.enabled else "suspended"

    def allows(self, address: str | None) -> bool:
        """Whether a request may come from *address*; an unknown one is outside of every range."""
        return not self.ip_range or within(address, self.ip_range)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The key as the API shows it: all but the secret, which nobody can show."""
        return {
            "id": self.id,
            "name": self.name,
            "prefix": self.prefix,
            "environment": self.environment,
            "scopes": list(self.scopes),
            "owner": {"type": self.owner_type, "id": self.owner_id},
            "status": self.status(now),
            "enabled": self.enabled,
            "ip_range": list(self.ip_range),
            "rate_limit": self.rate_limit.as_json() if self.rate_limit else None,
            "expires_at": _text(self.expires_at),
            "created_at": _text(self.created_at),
            "created_by": self.created_by,
            "revoked_at": _text(self.revoked_at),
            "last_used_at": _text(self.last_used_at),
            "last_used_ip": self.last_used_ip,
            "predecessor_id": self.predecessor_id,
            "successor_id": self.successor_id,
        }


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its text, which is known only here and only now."""

    key: APIKey
    text: str = field(repr=False)


def changes(before: APIKey | None, after: APIKey, now: datetime) -> Mapping[str, Any]:
    """What of a key differs, as an audit event tells it; never an address, never a secret."""
    old = _told(before, now) if before else {}
    new = _told(after, now)
    moved = [name for name in new if old.get(name) != new[name]]
    return {
        "before": {name: old[name] for name in moved if name in old} or None,
        "after": {name: new[name] for name in moved},
    }


def within(address: str | None, ranges: tuple[str, ...]) -> bool:
    """Whether *address* lies in one of *ranges*; a v4-mapped v6 address is its v4 address."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in _networks(ranges))


@lru_cache(maxsize=1024)
def _networks(ranges: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in ranges)


def _told(key: APIKey, now: datetime) -> dict[str, Any]:
    shown = key.as_json(now)
    for name in ("id", "last_used_at", "last_used_ip", "created_at"):
        del shown[name]
    return shown


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


class Holder(NamedTuple):
    """
    Whose keys share a limit: an owner's, or all of a tenant's (*id* is the tenant's then). A directory has its own, and a
    link by which a connection is configured.
    """

    tenant_id: str
    type: Literal["user", "oauth_client", "tenant", "directory", "setup_link"]
    id: str


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """A limit as it was set."""

    holder: Holder
    limit: RateLimit
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"holder": {"type": self.holder.type, "id": self.holder.id}, **self.limit.as_json()}
