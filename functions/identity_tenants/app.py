"""Tenants, for platform clients; those whose time is over are ended by a schedule."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.operator import also_scheduled, operated
from platforma.edge.schemas.identity import ShreddingView, TenantView
from platforma.edge.statements import shredding_shown

api = API("identity_tenants", bootstrap.edge)


@api.serves("platform.tenants.create")
def create_tenant(call: Call) -> Answer:
    admin = call.body.admin
    new = bootstrap.identity.create_tenant(
        call.body.name,
        admin_email=admin.email,
        admin_name=admin.name,
        admin_password=admin.password,
        invitations=bootstrap.link_requests(),
        attempt=call.attempt,
    )
    body = {**TenantView.of(new.tenant), "admin": {"user_id": new.admin.id}}
    return created(body, new.tenant.version, new.tenant.id)


@api.serves("platform.tenants.list")
def list_tenants(call: Call) -> Answer:
    page = bootstrap.identity.list_tenants(**call.page())
    return listed([TenantView.of(tenant) for tenant in page.items], call.next_cursor(page.after))


@api.serves("platform.tenants.get")
def get_tenant(call: Call) -> Answer:
    tenant = bootstrap.identity.read_tenant(call.path["id"])
    return shown(TenantView.of(tenant), tenant.version)


@api.serves("platform.tenants.update")
def update_tenant(call: Call) -> Answer:
    tenant = bootstrap.identity.change_tenant(call.path["id"], call.given(), if_match=call.if_match, attempt=call.attempt)
    return shown(TenantView.of(tenant), tenant.version)


@api.serves("platform.tenants.delete")
def delete_tenant(call: Call) -> Answer:
    tenant = bootstrap.identity.delete_tenant(
        call.path["id"], immediate=call.parameters.immediate == "true", if_match=call.if_match, attempt=call.attempt
    )
    return shown(TenantView.of(tenant), tenant.version, status=202)


@api.serves("platform.tenants.restore")
def restore_tenant(call: Call) -> Answer:
    tenant = bootstrap.identity.restore_tenant(call.path["id"], if_match=call.if_match_given, attempt=call.attempt)
    return shown(TenantView.of(tenant), tenant.version)


@api.serves("platform.tenants.get_shredding")
def read_shredding(call: Call) -> Answer:
    done = bootstrap.shredding.read_shredding(call.path["id"])
    return Answer(200, ShreddingView.of(shredding_shown(done, bootstrap.statements().keys())))


@operated("identity_tenants", counted=("ended",))
def purge(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return {"ended": bootstrap.purge_tenants(request_id)}


handler = also_scheduled(api.handler, purge)
