"""How a change stands in the audit event: what differs, before and after; never a password or its hash."""

import hashlib
from collections.abc import Mapping
from typing import Any

from platforma.identity.model import Group, Tenant, User

_FIELDS: Mapping[type, tuple[str, ...]] = {
    Tenant: ("name", "status", "logo"),
    User: ("email", "name", "status", "roles", "mapped_roles", "attributes"),
    Group: ("name", "description", "roles"),
}


def shown(thing: Tenant | User | Group) -> dict[str, Any]:
    """The fields of *thing* that a caller can set, as JSON."""
    values = {name: getattr(thing, name) for name in _FIELDS[type(thing)]}
    if values.get("logo") is not None:  # a picture is told of by what it is, not by all its bytes
        values["logo"] = f"sha256:{hashlib.sha256(values['logo'].encode()).hexdigest()}"
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def made(thing: Tenant | User | Group) -> dict[str, Any]:
    """*thing* came into being."""
    return {"before": None, "after": shown(thing)}


def gone(thing: Tenant | User | Group) -> dict[str, Any]:
    """*thing* was deleted."""
    return {"before": shown(thing), "after": None}


def changed(before: Tenant | User | Group, after: Tenant | User | Group) -> dict[str, Any]:
    """What differs between *before* and *after*, and nothing else."""
    old, new = shown(before), shown(after)
    names = [name for name in new if old[name] != new[name]]
    return {"before": {name: old[name] for name in names}, "after": {name: new[name] for name in names}}
