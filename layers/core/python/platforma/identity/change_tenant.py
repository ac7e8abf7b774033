"""A tenant is renamed, given a logo, suspended or taken into use again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platforma.identity.changes import changed
from platforma.identity.fields import parse_name
from platforma.identity.lockout import settled
from platforma.identity.logo import parse_logo
from platforma.identity.model import Tenant
from platforma.identity.ports import Tenants
from platforma.identity.read_tenant import read_tenant
from platforma.kernel.errors import Conflict, FieldError, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt


def change_tenant(
    tenant_id: str, changes: Mapping[str, object], *, if_match: int | None, tenants: Tenants, attempt: Attempt
) -> Tenant:
    """
    The tenant after *changes*: `name`, `logo`, and `status` as `active` or `suspended`. *if_match* None means any version.

    Raises:
        NotFound: there is none.
        Unprocessable: a field is not valid, or not one of these.
        PreconditionFailed: it has another version.
        Conflict: it is pending deletion, or deleted.
    """

    def write() -> Tenant:
        before = read_tenant(tenant_id, tenants=tenants)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        after = replace(before, version=before.version + 1, **_parsed(changes))
        if before.status not in ("active", "suspended"):
            raise Conflict("The tenant is deleted or about to be; it can only be restored.")
        event = attempt.event("success", resource=tenant_id, resource_type="tenant", changes=changed(before, after))
        tenants.replace(before, after, event)
        return after

    return settled(write, again_if_stale=if_match is None)


def _parsed(changes: Mapping[str, object]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "name":
            fields["name"] = parse_name(value)
        elif name == "logo":
            fields["logo"] = parse_logo(value)
        elif name == "status" and value in ("active", "suspended"):
            fields["status"] = value
        elif name == "status":
            raise Unprocessable(errors=[FieldError("/status", "Must be active or suspended.")])
        else:
            raise Unprocessable(errors=[FieldError(f"/{name}", "Cannot be changed.")])
    return fields
