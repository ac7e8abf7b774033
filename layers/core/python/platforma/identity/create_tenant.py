"""A tenant comes into being together with its key in Vault and its first administrator."""

from platforma.identity.changes import shown
from platforma.identity.email_address import parse_email
from platforma.identity.fields import parse_name
from platforma.identity.links import LinkRequest, LinkRequests
from platforma.identity.model import NewTenant, Tenant, User
from platforma.identity.passwords import hash_password, parse_password
from platforma.identity.ports import TenantKeys, Tenants
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id


def create_tenant(
    name: object,
    *,
    admin_email: object,
    admin_name: object,
    admin_password: object = None,
    tenants: Tenants,
    keys: TenantKeys,
    attempt: Attempt,
    invitations: LinkRequests | None = None,
) -> NewTenant:
    """
    A new tenant, whose administrator has the role `admin`; one without a password is invited, to whom *invitations* has a
    link mailed.

    The key is made first. Should the rest fail, a key without a tenant is left in Vault, which opens nothing.

    Raises:
        Unprocessable: a field is not valid.
        Unavailable: Vault or the database is; there is no tenant.
    """
    now = attempt.clock()
    tenant = Tenant(id=new_id("ten"), name=parse_name(name), status="active", created_at=now)
    email = parse_email(admin_email, pointer="/admin/email")
    person = parse_name(admin_name, pointer="/admin/name")
    hashed = None
    if admin_password is not None:
        hashed = hash_password(parse_password(admin_password, about=(email, person), pointer="/admin/password"))
    admin = User(
        id=new_id("usr"),
        tenant_id=tenant.id,
        email=email,
        name=person,
        status="invited" if hashed is None else "active",
        created_at=now,
        roles=("admin",),
        has_password=hashed is not None,
    )
    keys.create_tenant_key(tenant.id)
    changes = {"before": None, "after": {**shown(tenant), "admin": {"user_id": admin.id}}}  # no more: this log is not theirs
    if invitations is not None and hashed is None:
        invitations.put(LinkRequest(tenant.id, user_id=admin.id))
    tenants.create(
        tenant, admin, hashed, attempt.event("success", resource=tenant.id, resource_type="tenant", changes=changes)
    )
    return NewTenant(tenant, admin)
