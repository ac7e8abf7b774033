"""Replacing a key by a new one, with a time in which both work. No rotation makes a life longer, old or new."""

from dataclasses import replace
from datetime import timedelta

from platforma.apikeys import format as key_format
from platforma.apikeys.issue import mint
from platforma.apikeys.model import IssuedKey, changes
from platforma.apikeys.ports import Keys
from platforma.apikeys.validation import Faults, to_milliseconds
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.keys.ports import Secrets

DEFAULT_GRACE = 3600
MAX_GRACE = 30 * 86400


def rotate_key(
    tenant_id: str,
    key_id: str,
    *,
    created_by: str,
    keys: Keys,
    secrets: Secrets,
    clock: Clock,
    attempt: Attempt,
    grace_period_seconds: int = DEFAULT_GRACE,
    until_used: bool = False,
    if_match: int | None = None,
) -> IssuedKey:
    """
    The successor of a key: new id and secret; scopes, owner, limits, bounds and expiry are its predecessor's.

    The old one ends at the sooner of its own expiry and the grace; with *until_used*, as soon as a check finds the successor
    valid. A key is rotated once: what comes next is rotating the successor. Costs a bcrypt.

    Raises:
        NotFound: no such key of this tenant.
        PreconditionFailed: it is not at version *if_match*, or was changed in the same moment.
        Conflict: it is revoked, expired, switched off, or was rotated already.
        Unprocessable: the grace is not valid.
        Unavailable: nothing was changed.
    """
    faults = Faults()
    if not 0 <= grace_period_seconds <= MAX_GRACE:
        faults.add("/grace_period_seconds", f"0 to {MAX_GRACE}.")
    faults.raise_if_any()
    now = to_milliseconds(clock())
    before = keys.get(tenant_id, key_id)
    if if_match is not None and before.version != if_match:
        raise PreconditionFailed
    if (status := before.status(now)) != "active":
        raise Conflict(f"The key is {status}; only an active one can be rotated.")
    if before.successor_id is not None:
        raise Conflict("The key was rotated already; rotate its successor.", successor_id=before.successor_id)
    minted = mint(before.environment, secrets=secrets, now=now)
    end = now + timedelta(seconds=grace_period_seconds)
    after = replace(
        before,
        successor_id=minted.id,
        expires_at=end if before.expires_at is None else min(before.expires_at, end),
        until_used=until_used,
        secret=replace(before.secret, ticket="", ticket_expires=0),
        version=before.version + 1,
    )
    successor = replace(
        before,
        id=minted.id,
        prefix=key_format.prefix(minted.text),
        secret=minted.stored,
        created_at=now,
        created_by=created_by,
        last_used_at=None,
        last_used_ip=None,
        predecessor_id=before.id,
        ends_predecessor=until_used,
        version=1,
    )
    told = changes(before, after, now)
    event = attempt.event("success", resource=key_id, resource_type="api_key", changes=told)
    keys.rotate(before, after, successor, event)
    return IssuedKey(successor, minted.text)
