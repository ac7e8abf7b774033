"""The items of API keys, and what of a key stands where in them. Only here are the two translated."""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.tables import Item
from platforma.apikeys.model import APIKey, RateLimit
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.keys.stored_secret import StoredSecret

KEPT_AFTER_END = timedelta(days=90)
"""How long a key that is over can be read, and is told from one that never was."""


class KeyItem(Item):
    """A key. *last_used_ip* is sealed under the tenant's key; *hash* and *ticket* are what is kept of the secret."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    name = UnicodeAttribute()
    environment = UnicodeAttribute()
    scopes = UnicodeAttribute()
    owner_type = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    prefix = UnicodeAttribute()
    created_at = UnicodeAttribute()
    created_by = UnicodeAttribute()
    hash = UnicodeAttribute()
    ticket = UnicodeAttribute(null=True)
    ticket_version = NumberAttribute()
    ticket_expires = NumberAttribute()
    ip_range = UnicodeAttribute(null=True)
    rate_limit = NumberAttribute(null=True)
    rate_period = NumberAttribute(null=True)
    enabled = BooleanAttribute()
    revoked_at = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    last_used_at = UnicodeAttribute(null=True)
    last_used_ip = BinaryAttribute(null=True, legacy_encoding=False)
    predecessor_id = UnicodeAttribute(null=True)
    successor_id = UnicodeAttribute(null=True)
    until_used = BooleanAttribute(null=True)
    ends_predecessor = BooleanAttribute(null=True)
    ancestors = UnicodeAttribute(null=True)
    token_id = UnicodeAttribute(null=True)
    version = NumberAttribute()


class KeyPointer(Item):
    """Says that the tenant (or, under another sort key, the owner) has a key of this id."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    key_id = UnicodeAttribute()


def fields_of(key: APIKey) -> dict[str, Any]:
    """The attributes of the key's item, but for what its use writes: time and address of the last one."""
    limit, secret = key.rate_limit, key.secret
    return {
        "tenant_id": key.tenant_id,
        "name": key.name,
        "environment": key.environment,
        "scopes": " ".join(key.scopes),
        "owner_type": key.owner_type,
        "owner_id": key.owner_id,
        "prefix": key.prefix,
        "created_at": rfc3339(key.created_at),
        "created_by": key.created_by,
        "hash": secret.hash,
        "ticket": secret.ticket or None,
        "ticket_version": secret.version,
        "ticket_expires": secret.ticket_expires,
        "ip_range": " ".join(key.ip_range) or None,
        "rate_limit": limit.limit if limit else None,
        "rate_period": limit.period_seconds if limit else None,
        "enabled": key.enabled,
        "revoked_at": _text(key.revoked_at),
        "expires_at": _text(key.expires_at),
        "predecessor_id": key.predecessor_id,
        "successor_id": key.successor_id,
        "until_used": key.until_used or None,
        "ends_predecessor": key.ends_predecessor or None,
        "ancestors": " ".join(key.ancestors) or None,
        "token_id": key.token_id,
        "version": key.version,
        "expires": _swept(key),
    }


def key_of(item: KeyItem, last_used_ip: str | None = None) -> APIKey:
    """The key that *item* holds; its address has to be opened first."""
    held = item.attribute_values  # each look through an attribute's descriptor costs, and every check comes by here
    get = held.get
    limit, period = get("rate_limit"), get("rate_period")
    return APIKey(
        id=held["pk"][4:],
        tenant_id=held["tenant_id"],
        name=held["name"],
        environment=held["environment"],
        scopes=tuple(held["scopes"].split(" ")),
        owner_type=held["owner_type"],
        owner_id=held["owner_id"],
        prefix=held["prefix"],
        created_at=parse_rfc3339(held["created_at"]),
        created_by=held["created_by"],
        secret=StoredSecret(held["hash"], int(held["ticket_version"]), get("ticket") or "", int(held["ticket_expires"])),
        ip_range=_many(get("ip_range")),
        rate_limit=None if limit is None or period is None else RateLimit(int(limit), int(period)),
        enabled=held["enabled"],
        revoked_at=_moment(get("revoked_at")),
        expires_at=_moment(get("expires_at")),
        last_used_at=_moment(get("last_used_at")),
        last_used_ip=last_used_ip,
        predecessor_id=get("predecessor_id"),
        successor_id=get("successor_id"),
        until_used=bool(get("until_used")),
        ends_predecessor=bool(get("ends_predecessor")),
        ancestors=_many(get("ancestors")),
        token_id=get("token_id"),
        version=int(held["version"]),
    )


def pointers_of(key: APIKey) -> tuple[str, str]:
    """The sort keys, under its tenant, by which the key is listed."""
    return f"KEY#{key.id}", f"OWNER#{key.owner_id}#KEY#{key.id}"


def _swept(key: APIKey) -> int | None:
    ends = [moment for moment in (key.revoked_at, key.expires_at) if moment is not None]
    return int((min(ends) + KEPT_AFTER_END).timestamp()) if ends else None


def _many(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(" ")) if text else ()


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_rfc3339(text)
