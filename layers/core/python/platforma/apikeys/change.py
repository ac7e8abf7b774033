"""Changing a key: its name and ranges, its scopes and expiry downwards, on and off."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from platforma.apikeys.model import APIKey, changes
from platforma.apikeys.ports import Keys
from platforma.apikeys.validation import (
    Faults,
    to_milliseconds,
    valid_ip_range,
    valid_name,
    valid_rate_limit,
    valid_scopes,
    valid_sooner_end,
)
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, Forbidden, PreconditionFailed
from platforma.kernel.events import Attempt

CHANGEABLE = frozenset({"name", "scopes", "enabled", "ip_range", "rate_limit", "expires_at"})
NEVER_NULL = CHANGEABLE - {"rate_limit", "expires_at"}


def change_key(
    tenant_id: str,
    key_id: str,
    wanted: Mapping[str, Any],
    *,
    narrows: Callable[[tuple[str, ...], tuple[str, ...]], bool],
    keys: Keys,
    clock: Clock,
    attempt: Attempt,
    if_match: int | None = None,
) -> APIKey:
    """
    The key as it is after *wanted*, of `CHANGEABLE` names: `name` str, `scopes` and `ip_range` tuples of str, `enabled`
    bool, `rate_limit` a `RateLimit` or None, `expires_at` RFC 3339 text.

    *narrows(held, asked)* says whether *asked* gives no more than the key's scopes *held*; a caller who may widen passes
    another rule. Warning: one that always agrees lets the key outgrow whoever changes it. An expiry only moves nearer.
    Switching off bites at once, everywhere: the key's own item says so, and every check reads it.

    Raises:
        NotFound: no such key of this tenant.
        PreconditionFailed: it is not at version *if_match*, or was changed in the same moment.
        Conflict: it is revoked.
        Forbidden: the scopes would widen.
        Unprocessable: a field is not valid; `errors` points at each.
    """
    now = to_milliseconds(clock())
    before = keys.get(tenant_id, key_id)
    if if_match is not None and before.version != if_match:
        raise PreconditionFailed
    if before.status(now) == "revoked":
        raise Conflict("The key is revoked, for good.")
    fields = _validated(before, wanted, now)
    if "scopes" in fields and not narrows(before.scopes, fields["scopes"]):
        raise Forbidden("The scopes of a key can be narrowed only.")
    if all(getattr(before, name) == value for name, value in fields.items()):
        return before
    secret = before.secret if fields.get("enabled", True) else replace(before.secret, ticket="", ticket_expires=0)
    after = replace(before, **fields, secret=secret, version=before.version + 1)
    told = changes(before, after, now)
    keys.change(before, after, attempt.event("success", resource=key_id, resource_type="api_key", changes=told))
    return after


def _validated(before: APIKey, wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    fields = dict(wanted)
    faults = Faults()
    for name in fields.keys() - CHANGEABLE:
        faults.add(f"/{name}", "Not a field that can be changed.")
    for name in fields.keys() & NEVER_NULL:
        if fields[name] is None:
            faults.add(f"/{name}", "Not null.")
    faults.raise_if_any()
    if "name" in fields:
        valid_name(fields["name"], faults)
    if "scopes" in fields:
        fields["scopes"] = tuple(dict.fromkeys(fields["scopes"]))
        valid_scopes(fields["scopes"], faults)
    if "ip_range" in fields:
        fields["ip_range"] = valid_ip_range(tuple(fields["ip_range"]), faults)
    if "rate_limit" in fields:
        valid_rate_limit(fields["rate_limit"], faults)
    if "expires_at" in fields:
        fields["expires_at"] = valid_sooner_end(fields["expires_at"], before.expires_at, now, faults)
    faults.raise_if_any()
    return fields
