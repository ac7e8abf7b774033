"""Ending a key, for good."""

from dataclasses import replace

from platforma.apikeys.model import APIKey, changes
from platforma.apikeys.ports import Keys
from platforma.apikeys.validation import to_milliseconds
from platforma.kernel.clock import Clock
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt


def revoke_key(
    tenant_id: str, key_id: str, *, keys: Keys, clock: Clock, attempt: Attempt, if_match: int | None = None
) -> APIKey:
    """
    The key, revoked: it and every key made through it are refused from this write on, and its ticket is gone with it.

    It stays readable, without a way back. Revoking it again changes nothing, and *attempt* then enters no transaction.

    Raises:
        NotFound: no such key of this tenant.
        PreconditionFailed: it is not at version *if_match*, or was changed in the same moment.
    """
    before = keys.get(tenant_id, key_id)
    if if_match is not None and before.version != if_match:
        raise PreconditionFailed
    if before.revoked_at is not None:
        return before
    now = to_milliseconds(clock())
    ended = replace(before.secret, ticket="", ticket_expires=0)
    after = replace(before, revoked_at=now, secret=ended, ends_predecessor=False, version=before.version + 1)
    told = changes(before, after, now)
    keys.change(before, after, attempt.event("success", resource=key_id, resource_type="api_key", changes=told))
    return after
