"""What opens things: API keys, client secrets, the tenant's key, the keys that sign tokens."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from platforma.apikeys.model import APIKey
from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence
from platforma.kernel.clock import rfc3339
from platforma.keys.signing_key import states
from platforma.oauth.model import Client

_NAMED = 50
Record = TypeVar("Record")


def credentials(look: Look) -> list[Evidence]:
    """Keys and client secrets: their use, their age, their end."""
    keys, all_keys = _bounded(_keys(look))
    clients, all_clients = _bounded(_clients(look))
    now = look.now
    active = [key for key in keys if key.status(now) == "active"]
    unused = [key.id for key in active if now - (key.last_used_at or key.created_at) > thresholds.DORMANT]
    old = [key.id for key in active if now - key.created_at > thresholds.SECRET_AGE]
    endless = [key.id for key in active if key.expires_at is None]
    secrets = [(client.id, secret) for client in clients if client.status == "active" for secret in client.secrets]
    old += [client_id for client_id, secret in secrets if now - secret.created_at > thresholds.SECRET_AGE]
    count = {"active_keys": len(active), "client_secrets": len(secrets), "looked_at_all": all_keys and all_clients}
    dormant = f"{len(unused)} of {len(active)} active keys were unused for 90 days."
    aged = f"{len(old)} of {len(active) + len(secrets)} keys and client secrets are older than a year."
    without = f"{len(endless)} of {len(active)} active keys have no expiry."
    return [
        look.seen("dormant_keys", _good(unused, all_keys), dormant, facts={**count, "dormant": unused[:_NAMED]}),
        look.seen("key_ages", _good(old, all_keys and all_clients), aged, facts={**count, "old": old[:_NAMED]}),
        look.seen("keys_expire", _good(endless, all_keys), without, facts={**count, "without_expiry": endless[:_NAMED]}),
    ]


def tenant_key(look: Look) -> list[Evidence]:
    """The key that the tenant's fields are sealed under."""
    key = look.at.tenant_keys.describe(look.tenant_id)
    age = look.now - key.renewed_at
    period = key.rotated_every
    facts = {
        "latest_version": key.latest_version,
        "made_at": rfc3339(key.versions[key.latest_version]),
        "rotation_period_days": period.days if period else None,
    }
    rotated = f"rotated every {period.days} days" if period else "rotated by nobody"
    told = f"Version {key.latest_version} is {age.days} days old, {rotated}."
    good = period is not None and age <= thresholds.TENANT_KEY_AGE
    return [look.seen("tenant_key_rotated", good, told, facts=facts)]


def signing_keys(look: Look) -> list[Evidence]:
    """The keys that sign tokens, which all tenants share."""
    found = look.at.signing_keys.all()
    known = states(found, look.now)
    active = [key for key in found if known[key.kid] == "active"]
    old = [key.kid for key in active if look.now - key.active_at > thresholds.SIGNING_KEY_AGE]
    facts = {"active": [{"kid": key.kid, "algorithm": key.algorithm, "active_at": rfc3339(key.active_at)} for key in active]}
    told = f"{len(active) - len(old)} of {len(active)} active signing keys are young enough."
    return [look.seen("signing_keys_rotated", bool(active) and not old, told, facts=facts)]


def _good(wrong: list[str], whole: bool) -> bool | None:
    return False if wrong else True if whole else None


def _bounded(found: Iterator[Record]) -> tuple[list[Record], bool]:
    some = list(islice(found, thresholds.MOST_CREDENTIALS))
    return some, next(found, None) is None


def _keys(look: Look) -> Iterator[APIKey]:
    after: str | None = None
    while True:
        keys, after = look.at.keys.page(look.tenant_id, limit=200, after=after)
        yield from keys
        if after is None:
            return


def _clients(look: Look) -> Iterator[Client]:
    after: str | None = None
    while True:
        clients, after = look.at.clients.page(look.tenant_id, limit=200, after=after)
        yield from clients
        if after is None:
            return
