"""
Verification of API keys: from a presented text to the key, or to the reason why it is refused.

The cheapest test comes first: form and CRC32, keyed checksum, one consistent read, status and address, and only then the
secret. So the quarter second of bcrypt is never spent on a key that is forged, dead or used from a wrong address, and about
once an hour on a good one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from platforma.apikeys.format import check_checksum, parse
from platforma.apikeys.model import APIKey, Charge, Code, Refusal
from platforma.apikeys.ports import Keys
from platforma.apikeys.rate_limit import Limiter
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, Malformed, Unauthenticated, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.keys import stored_secret
from platforma.keys.ports import Secrets
from platforma.keys.stored_secret import StoredSecret

USE_NOTED_EVERY = timedelta(minutes=1)

Permits = Callable[[APIKey], Refusal | None]
"""What else stands in the way of a genuine key: its owner's state, its scopes, a policy. None: nothing does."""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """
    The result of a check. *key* is None if the answer must say nothing about the key: malformed, unknown.

    *charge* is set if a rate limit was charged.
    """

    code: Code
    key: APIKey | None = None
    charge: Charge | None = None


class _Examined(NamedTuple):
    refusal: Refusal | None
    key: APIKey | None


_MALFORMED = _Examined("malformed", None)
_UNKNOWN = _Examined("unknown", None)
_NO_KEYS: Mapping[Refusal | None, KeyCheck] = {"malformed": KeyCheck("malformed"), "unknown": KeyCheck("unknown")}


def verify_key(
    presented: str,
    *,
    keys: Keys,
    secrets: Secrets,
    clock: Clock,
    ip_address: str | None,
    attempt: Attempt,
    permits: Permits | None = None,
) -> APIKey:
    """
    Turn a presented API key into the tenant, owner and scopes it stands for.

    Nothing about *presented* is verified yet. *attempt* only lends the request's facts to an event. No rate limit is
    charged here, and the states of the key's owner and tenant are not looked at unless *permits* does so.

    Raises:
        Unauthenticated: malformed, forged, unknown, revoked, expired, suspended, from a wrong address, or not permitted;
            one error for all. Its facts, for our own log, name the `cause`, and of a genuine but dead key `key_id` and
            `tenant_id`.
        Unavailable: it could not be checked.
    """
    now = clock()
    found = _examine(presented, keys=keys, secrets=secrets, now=now, ip_address=ip_address)
    refusal, key = found.refusal, found.key
    if refusal is None and key is not None and permits is not None:
        refusal = permits(key)
    if refusal is None and key is not None:
        _note_use(key, keys=keys, now=now, ip_address=ip_address, attempt=attempt)
    if refusal is not None or key is None:
        facts = {} if key is None else {"key_id": key.id, "tenant_id": key.tenant_id}
        raise Unauthenticated(cause=refusal or "unknown", **facts)
    return key


def check_key(
    presented: str,
    *,
    tenant_id: str,
    keys: Keys,
    secrets: Secrets,
    limiter: Limiter,
    clock: Clock,
    ip_address: str | None,
    attempt: Attempt,
    permits: Permits | None = None,
    cost: int = 1,
) -> KeyCheck:
    """
    What to tell a tenant about a key that was presented to it. Another tenant's key is unknown, whatever its state.

    Its rate limits are charged last, all or none, and only if nothing else refuses; a *cost* of 0 only looks. Only a
    valid key counts as used.

    Raises:
        Unavailable: it could not be checked or counted; treat it as invalid.
    """
    now = clock()
    found = _examine(presented, keys=keys, secrets=secrets, now=now, ip_address=ip_address, tenant_id=tenant_id)
    key = found.key
    if key is None:
        return _NO_KEYS[found.refusal]
    if found.refusal is not None:
        return KeyCheck(found.refusal, key)
    if permits is not None and (refusal := permits(key)):
        return KeyCheck(refusal, key)
    charge = limiter.charge(key, cost, now)
    if charge is not None and not charge.allowed:
        return KeyCheck("rate_limited", key, charge)
    _note_use(key, keys=keys, now=now, ip_address=ip_address, attempt=attempt)
    return KeyCheck("valid", key, charge)


def _examine(
    presented: str,
    *,
    keys: Keys,
    secrets: Secrets,
    now: datetime,
    ip_address: str | None,
    tenant_id: str | None = None,
) -> _Examined:
    try:
        unverified = parse(presented)
    except Malformed:
        return _MALFORMED
    try:
        check_checksum(unverified, secrets.pepper(unverified.pepper_version))
    except Unauthenticated:
        return _UNKNOWN
    key = keys.find(unverified.id)
    if key is None or (tenant_id is not None and key.tenant_id != tenant_id):
        return _UNKNOWN
    refusal = _standing(key, keys=keys, now=now, ip_address=ip_address)
    if refusal is not None:
        return _Examined(refusal, key)
    try:
        renewed = stored_secret.verify(unverified.secret, key.secret, bound_to=key.id, secrets=secrets, now=now)
    except Unauthenticated:
        return _UNKNOWN
    if renewed is not None:
        refusal = _renewal_refused(key, renewed, keys=keys, now=now, ip_address=ip_address)
    return _Examined(refusal, key)


def _renewal_refused(
    key: APIKey, renewed: StoredSecret, *, keys: Keys, now: datetime, ip_address: str | None
) -> Refusal | None:
    """
    Store the fresh ticket even if the key is refused for another reason, so that nobody can cause a second hash within the
    hour.

    The write fails if the key was switched off or revoked while its secret was hashed; then its status is read again. If
    the table takes no writes, the key is not refused for that.
    """
    try:
        keys.renew_ticket(key, renewed)
    except Unavailable:
        return None
    except Conflict:
        current = keys.find(key.id)
        return "revoked" if current is None else _own_standing(current, now, ip_address)
    return None


def _standing(key: APIKey, *, keys: Keys, now: datetime, ip_address: str | None) -> Refusal | None:
    """Why the key, or one through which it was made, may not be used now and from there; a key ends with its ancestors."""
    if refusal := _own_standing(key, now, ip_address):
        return refusal
    for ancestor_id in key.ancestors:
        ancestor = keys.find(ancestor_id)
        if ancestor is None:
            return "revoked"
        if refusal := _own_standing(ancestor, now, ip_address):
            return refusal
    return None


def _own_standing(key: APIKey, now: datetime, ip_address: str | None) -> Refusal | None:
    status = key.status(now)
    if status != "active":
        return status
    return None if key.allows(ip_address) else "ip_not_allowed"


def _note_use(key: APIKey, *, keys: Keys, now: datetime, ip_address: str | None, attempt: Attempt) -> None:
    """
    Record a good use: its time and address, once a minute, and the end of a predecessor. A failure here refuses
    nothing.
    """
    try:
        if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
            keys.note_use(key, used_at=now, ip_address=ip_address)
        if key.ends_predecessor:
            keys.end_predecessor(key, now, _ending(key, attempt))
    except Unavailable:
        return


def _ending(key: APIKey, attempt: Attempt) -> Event:
    """The event of a predecessor's end: by the key, whoever asked for the check, beside the request's own event."""
    by_key = replace(
        attempt,
        action="settings.api_keys.end",
        tenant_id=key.tenant_id,
        principal_type="api_key",
        principal_id=key.id,
        user_id=key.owner_id if key.owner_type == "user" else None,
        decision=None,
    )
    return by_key.event("success", resource=key.predecessor_id, resource_type="api_key", reason="successor_used", part=2)
