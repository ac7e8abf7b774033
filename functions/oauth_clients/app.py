"""OAuth clients and their secrets; and services, which prove themselves by a certificate."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.bodies import read_document
from platforma.edge.call import Call
from platforma.edge.registrations import presented_token, registration_of
from platforma.edge.schemas.identity import ServiceView
from platforma.edge.schemas.oauth import CertificateDenied, InitialAccessTokenCreated, SecretView
from platforma.identity.fields import require_roles

api = API("oauth_clients", bootstrap.edge)


@api.serves("settings.clients.create")
def create_client(call: Call) -> Answer:
    bootstrap.giving(call).check(scopes=call.body.scopes, roles=call.body.roles)
    require_roles(call.body.roles or (), known_roles=bootstrap.known_roles(call))
    client, secret = bootstrap.oauth.create_client(call.given(), tenant_id=call.tenant_id, attempt=call.attempt)
    return created({**client.as_json(), "client_secret": secret}, client.version, client.id)


@api.serves("settings.clients.list")
def list_clients(call: Call) -> Answer:
    page, after = bootstrap.oauth.list_clients(call.tenant_id, **call.page())
    return listed([client.as_json() for client in page], call.next_cursor(after))


@api.serves("settings.clients.get")
def get_client(call: Call) -> Answer:
    client = bootstrap.oauth.get_client(call.path["id"], tenant_id=call.tenant_id)
    return shown(client.as_json(), client.version)


@api.serves("settings.clients.update")
def update_client(call: Call) -> Answer:
    fields, giving = call.given(), bootstrap.giving(call)
    client = bootstrap.oauth.get_client(call.path["id"], tenant_id=call.tenant_id)
    giving.check(scopes=fields.get("scopes"))
    giving.check_roles(client.roles, client.roles if fields.get("roles") is None else fields["roles"])
    require_roles(fields.get("roles") or (), known_roles=bootstrap.known_roles(call) | frozenset(client.roles))
    if fields.get("status") == "active":
        giving.check(scopes=client.scopes)
    client = bootstrap.oauth.patch_client(
        call.path["id"], fields, tenant_id=call.tenant_id, if_version=call.if_match, attempt=call.attempt
    )
    return shown(client.as_json(), client.version)


@api.serves("settings.clients.delete")
def delete_client(call: Call) -> Answer:
    bootstrap.oauth.delete_client(call.path["id"], tenant_id=call.tenant_id, if_version=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.client_secrets.create")
def create_secret(call: Call) -> Answer:
    client = bootstrap.oauth.get_client(call.path["id"], tenant_id=call.tenant_id)
    bootstrap.giving(call).check(scopes=client.scopes, roles=client.roles)
    secret, text = bootstrap.oauth.add_secret(call.path["id"], tenant_id=call.tenant_id, attempt=call.attempt)
    return Answer(201, {**SecretView.of(secret), "client_secret": text}, resource=call.path["id"])


@api.serves("settings.client_secrets.delete")
def delete_secret(call: Call) -> Answer:
    bootstrap.oauth.delete_secret(call.path["id"], call.path["secret_id"], tenant_id=call.tenant_id, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.initial_access_tokens.create")
def create_initial_access_token(call: Call) -> Answer:
    bootstrap.giving(call).check(scopes=call.body.scopes)
    text, token = bootstrap.oauth.new_initial_access_token(call.tenant_id, call.body.scopes, expires_in=call.body.expires_in)
    made = {"initial_access_token": text, "expires_at": token.expires_at, "scopes": token.scopes}
    return Answer(201, InitialAccessTokenCreated.of(made))


@api.serves("oauth.registrations.create")
def register(call: Call) -> Answer:
    made = bootstrap.oauth.register_client(read_document(call), presented_token(call), attempt=call.attempt)
    return Answer(201, made.as_json(bootstrap.issuer()), resource=made.client.id)


@api.serves("oauth.registrations.get")
def get_registration(call: Call) -> Answer:
    return Answer(200, registration_of(call, bootstrap.oauth, bootstrap.snapshots).as_json(bootstrap.issuer()))


@api.serves("oauth.registrations.replace")
def replace_registration(call: Call) -> Answer:
    mine = registration_of(call, bootstrap.oauth, bootstrap.snapshots)
    changed = bootstrap.oauth.update_registration(mine, read_document(call), attempt=call.attempt)
    return Answer(200, changed.as_json(bootstrap.issuer()))


@api.serves("oauth.registrations.delete")
def delete_registration(call: Call) -> Answer:
    mine = registration_of(call, bootstrap.oauth, bootstrap.snapshots)
    bootstrap.oauth.delete_registration(mine, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.services.list")
def list_services(call: Call) -> Answer:
    page = bootstrap.identity.list_services(call.tenant_id, **call.page())
    return listed([ServiceView.of(service) for service in page.items], call.next_cursor(page.after))


@api.serves("settings.services.get")
def get_service(call: Call) -> Answer:
    service = bootstrap.identity.read_service(call.tenant_id, call.path["id"])
    return shown(ServiceView.of(service), service.version)


@api.serves("settings.services.update")
def update_service(call: Call) -> Answer:
    service = bootstrap.identity.change_service(
        call.tenant_id,
        call.path["id"],
        call.given(),
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
        may=bootstrap.giving(call).check_service,
    )
    return shown(ServiceView.of(service), service.version)


@api.serves("settings.services.delete")
def delete_service(call: Call) -> Answer:
    bootstrap.identity.delete_service(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.client_certificates.deny")
def deny_certificate(call: Call) -> Answer:
    until = bootstrap.oauth.deny_certificate(call.tenant_id, call.body.thumbprint, attempt=call.attempt)
    return Answer(200, CertificateDenied.of({"thumbprint": call.body.thumbprint, "denied_until": until}))


handler = api.handler
