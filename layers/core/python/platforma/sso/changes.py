"""How a change of a connection or a claim stands in the audit event: what differs; long things by their fingerprints."""

from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from platforma.kernel.events import Attempt, Event
from platforma.sso.model import Connection, Domain


def connection_event(attempt: Attempt, before: Connection | None, after: Connection | None) -> Event:
    """The event of a connection that was made, changed or deleted."""
    named = after or before
    assert named is not None
    changes = _differences(_told(before), _told(after))
    return attempt.event("success", resource=named.id, resource_type="sso_connection", changes=changes)


def domain_event(attempt: Attempt, before: Domain | None, after: Domain | None) -> Event:
    """The event of a claim that was made, changed or given up."""
    named = after or before
    assert named is not None
    shown = [None if each is None else {"domain": each.name, "status": each.status} for each in (before, after)]
    changes = _differences(shown[0], shown[1])
    return attempt.event("success", resource=named.name, resource_type="domain", changes=changes)


def _told(connection: Connection | None) -> dict[str, Any] | None:
    if connection is None:
        return None
    told = connection.as_json()
    for name in ("id", "created_at"):
        del told[name]
    if told["saml"] is not None:
        told["saml"]["certificates"] = [sha256(b64decode(one)).hexdigest() for one in told["saml"]["certificates"]]
        del told["saml"]["refreshed_at"]
    if connection.oidc is not None:  # a new secret is a change, and its reference is no secret
        told["oidc"]["secret"] = connection.oidc.secret_ref
    return told


def _differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """What differs; of lists only what came and what went."""
    if before is None or after is None:
        return {"before": before, "after": after}
    moved = [name for name in after if before[name] != after[name]]
    old, new = {name: before[name] for name in moved}, {name: after[name] for name in moved}
    for name in moved:
        if isinstance(before[name], list) and isinstance(after[name], list):
            old[name] = [each for each in before[name] if each not in after[name]]
            new[name] = [each for each in after[name] if each not in before[name]]
    return {"before": old, "after": new}
