"""Connections to identity providers, the domains that prove whom they may sign in, and links to configure one by."""

from functools import partial

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.domains import vouched_tenant
from platforma.edge.pages import setup
from platforma.edge.schemas.sso import (
    ConnectionView,
    DomainView,
    HealthView,
    MappingTested,
    SetupLinkCreated,
    SetupLinkList,
    TrialLink,
)

api = API("sso_connections", bootstrap.edge)


@api.serves("settings.sso_connections.create")
def create_connection(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("connecting an identity provider")
    connection = bootstrap.sso.create_connection(
        call.tenant_id, call.given(), known_roles=bootstrap.known_roles(call), attempt=call.attempt
    )
    return created(ConnectionView.of(connection.as_json()), connection.version, connection.id)


@api.serves("settings.sso_connections.list")
def list_connections(call: Call) -> Answer:
    page = bootstrap.sso.list_connections(call.tenant_id, **call.page())
    return listed([ConnectionView.of(each.as_json()) for each in page.items], call.next_cursor(page.after))


@api.serves("settings.sso_connections.get")
def get_connection(call: Call) -> Answer:
    connection = bootstrap.sso.read_connection(call.path["id"], tenant_id=call.tenant_id)
    return shown(ConnectionView.of(connection.as_json()), connection.version)


@api.serves("settings.sso_connections.update")
def update_connection(call: Call) -> Answer:
    bootstrap.sso.read_connection(call.path["id"], tenant_id=call.tenant_id)
    bootstrap.giving(call).require_manage("changing an identity provider")
    connection = bootstrap.sso.change_connection(
        call.path["id"],
        call.given(),
        tenant_id=call.tenant_id,
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
    )
    return shown(ConnectionView.of(connection.as_json()), connection.version)


@api.serves("settings.sso_connections.delete")
def delete_connection(call: Call) -> Answer:
    bootstrap.sso.delete_connection(call.path["id"], tenant_id=call.tenant_id, if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.sso_connections.verify")
def test_mapping(call: Call) -> Answer:
    connection = bootstrap.sso.read_connection(call.path["id"], tenant_id=call.tenant_id)
    groups = None if call.body.groups is None else tuple(call.body.groups)
    run = bootstrap.sso.try_mapping(connection, call.body.attributes, groups)
    return Answer(200, MappingTested.of(run.as_json()))


@api.serves("settings.sso_connections.test")
def begin_trial(call: Call) -> Answer:
    connection = bootstrap.sso.read_connection(call.path["id"], tenant_id=call.tenant_id)
    url, until = bootstrap.sso.trial_link(connection)
    return Answer(200, TrialLink.of({"url": url, "expires_at": until}))


@api.serves("settings.sso_connection_health.get")
def get_health(call: Call) -> Answer:
    connection = bootstrap.sso.read_connection(call.path["id"], tenant_id=call.tenant_id)
    return Answer(200, HealthView.of(bootstrap.sso.read_health(connection)))


@api.serves("settings.sso_setup_links.create")
def create_setup_link(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("having somebody else configure an identity provider")
    link, url = bootstrap.sso.create_setup_link(call.path["id"], tenant_id=call.tenant_id, attempt=call.attempt)
    return Answer(201, SetupLinkCreated.of({**link.as_json("open"), "url": url}), resource=call.path["id"])


@api.serves("settings.sso_setup_links.list")
def list_setup_links(call: Call) -> Answer:
    found = bootstrap.sso.list_setup_links(call.path["id"], tenant_id=call.tenant_id)
    return Answer(200, SetupLinkList.of({"items": found, "next_cursor": None}))


@api.serves("settings.sso_setup_links.delete")
def revoke_setup_link(call: Call) -> Answer:
    bootstrap.sso.revoke_setup_link(call.path["id"], call.path["link_id"], tenant_id=call.tenant_id, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.domains.create")
def claim_domain(call: Call) -> Answer:
    if (tenant_id := vouched_tenant(call, bootstrap.snapshots, bootstrap.identity.read_tenant)) is not None:
        domain = bootstrap.sso.vouch_for_domain(tenant_id, call.body.domain, attempt=call.attempt)
    else:
        domain = bootstrap.sso.claim_domain(call.tenant_id, call.body.domain, attempt=call.attempt)
    return created(DomainView.of(domain.as_json()), domain.version, domain.name)


@api.serves("settings.domains.list")
def list_domains(call: Call) -> Answer:
    page = bootstrap.sso.list_domains(call.tenant_id, **call.page())
    return listed([DomainView.of(each.as_json()) for each in page.items], call.next_cursor(page.after))


@api.serves("settings.domains.get")
def get_domain(call: Call) -> Answer:
    domain = bootstrap.sso.read_domain(call.tenant_id, call.path["domain"])
    return shown(DomainView.of(domain.as_json()), domain.version)


@api.serves("settings.domains.delete")
def release_domain(call: Call) -> Answer:
    bootstrap.sso.release_domain(call.tenant_id, call.path["domain"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.domains.prove")
def verify_domain(call: Call) -> Answer:
    domain = bootstrap.sso.verify_domain(call.tenant_id, call.path["domain"], attempt=call.attempt)
    return shown(DomainView.of(domain.as_json()), domain.version)


for verb, form in {
    "get": setup.show_setup,
    "open": setup.open_setup,
    "configure": setup.configure,
    "prove": setup.prove_domain,
    "test": setup.test,
    "finish": setup.finish,
}.items():
    api.serves(f"sso.setups.{verb}")(partial(form, world=bootstrap))


handler = api.handler
