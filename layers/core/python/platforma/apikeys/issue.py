"""A new key: what may be asked for, and how it is made."""

from dataclasses import dataclass, field
from datetime import datetime

from platforma.apikeys import format as key_format
from platforma.apikeys.format import Environment
from platforma.apikeys.model import APIKey, IssuedKey, OwnerType, RateLimit, changes
from platforma.apikeys.ports import Keys
from platforma.apikeys.validation import (
    Faults,
    expiry,
    to_milliseconds,
    valid_ip_range,
    valid_name,
    valid_rate_limit,
    valid_scopes,
)
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.ports import Secrets
from platforma.keys.stored_secret import StoredSecret, store

MAX_ANCESTORS = 4


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a caller asks for; nothing of it is verified. *expires_at* is RFC 3339 text; without an expiry it is for good."""

    name: str
    environment: str
    scopes: tuple[str, ...]
    expires_at: str | None = None
    expires_in: int | None = None
    ip_range: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh key's id and text, and what is kept of it."""

    id: str
    environment: Environment
    text: str = field(repr=False)
    stored: StoredSecret


@dataclass(frozen=True, slots=True)
class Bound:
    """What the credential used to make a key bounds it by: its expiry, and the keys or token that the new one ends with."""

    not_after: datetime | None = None
    ancestors: tuple[str, ...] = ()
    token_id: str | None = None


UNBOUND = Bound()


def bound_by(key: APIKey) -> Bound:
    """The bound of a key made through *key*."""
    return Bound(key.expires_at, (key.id, *key.ancestors), key.token_id)


def mint(environment: Environment, *, secrets: Secrets, now: datetime) -> Minted:
    """
    A fresh id, secret and text. Costs a bcrypt.

    Raises:
        Unavailable: the current pepper cannot be had.
    """
    pepper = secrets.pepper()
    key_id, secret = new_id("key"), key_format.new_secret()
    stored = store(secret, bound_to=key_id, pepper=pepper, now=now)
    return Minted(key_id, environment, key_format.make(environment, key_id, secret, pepper), stored)


def issue_key(
    request: KeyRequest,
    *,
    tenant_id: str,
    owner_type: OwnerType,
    owner_id: str,
    created_by: str,
    keys: Keys,
    secrets: Secrets,
    clock: Clock,
    attempt: Attempt,
    bound: Bound = UNBOUND,
) -> IssuedKey:
    """
    Make and keep a key. It lives no longer than *bound* says, whatever was asked for.

    That the scopes lie within what the caller holds, and that the owner exists and is the tenant's, the caller has checked.

    Raises:
        Unprocessable: a field is not valid; `errors` points at each.
        Conflict: made through a key that was made through a key and so on, too often.
        Unavailable: nothing was made.
    """
    now = to_milliseconds(clock())
    faults = Faults()
    valid_name(request.name, faults)
    if request.environment not in ("live", "test"):
        faults.add("/environment", "Either `live` or `test`.")
    valid_scopes(request.scopes, faults)
    expires_at = expiry(request.expires_at, request.expires_in, now, faults)
    ip_range = valid_ip_range(request.ip_range, faults)
    valid_rate_limit(request.rate_limit, faults)
    faults.raise_if_any()
    if len(bound.ancestors) > MAX_ANCESTORS:
        raise Conflict("Keys made through keys end here: make this one through a key nearer to its owner.")
    if bound.not_after is not None and (expires_at is None or bound.not_after < expires_at):
        expires_at = to_milliseconds(bound.not_after)
    minted = mint("live" if request.environment == "live" else "test", secrets=secrets, now=now)
    key = APIKey(
        id=minted.id,
        tenant_id=tenant_id,
        name=request.name,
        environment=minted.environment,
        scopes=tuple(dict.fromkeys(request.scopes)),
        owner_type=owner_type,
        owner_id=owner_id,
        prefix=key_format.prefix(minted.text),
        created_at=now,
        created_by=created_by,
        secret=minted.stored,
        ip_range=ip_range,
        rate_limit=request.rate_limit,
        expires_at=expires_at,
        ancestors=bound.ancestors,
        token_id=bound.token_id,
    )
    event = attempt.event("success", resource=key.id, resource_type="api_key", changes=changes(None, key, now))
    keys.add(key, event)
    return IssuedKey(key, minted.text)
