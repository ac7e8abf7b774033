"""A service is who its client certificate names, where the edge hands one over; anything doubtful is nobody."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from platforma import bootstrap
from platforma.edge.client_certificate import presented_certificate, verify_service_certificate
from platforma.kernel.errors import Unauthenticated
from tests.world import Clock, Reply, Tenant, World

URI = "spiffe://platforma/service/backup"
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def certificate(
    clock: Clock,
    *uris: str,
    usage: x509.ObjectIdentifier = CLIENT,
    authority: bool = False,
    begins: timedelta = timedelta(hours=-1),
    ends: timedelta = timedelta(hours=1),
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backup")])
    names: list[x509.GeneralName] = [x509.DNSName("backup"), *map(x509.UniformResourceIdentifier, uris)]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock() + begins)
        .not_valid_after(clock() + ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def der(leaf: x509.Certificate) -> bytes:
    return leaf.public_bytes(serialization.Encoding.DER)


def pem(leaf: x509.Certificate) -> str:
    return leaf.public_bytes(serialization.Encoding.PEM).decode()


def header(leaf: x509.Certificate) -> dict[str, str]:
    return {"X-Client-Cert": base64.b64encode(der(leaf)).decode()}


@pytest.fixture
def behind_an_edge(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setenv("CLIENT_CERTIFICATE_HEADER", "x-client-cert")
    bootstrap.settings.cache_clear()


def registered(tenant: Tenant, name: str = "backup", roles: tuple[str, ...] = ("viewer",)) -> None:
    tenant.world.set_up({"tenant_id": tenant.id, "service": {"name": name, "roles": list(roles)}})


def test_the_service_is_whom_the_uri_names():
    clock = Clock()

    assert verify_service_certificate(der(certificate(clock, URI)), clock=clock) == "backup"
    assert verify_service_certificate(pem(certificate(clock, URI)).encode(), clock=clock) == "backup"


@pytest.mark.parametrize(
    ("uris", "how"),
    [
        ((), {}),
        ((URI, "spiffe://platforma/service/other"), {}),
        (("spiffe://platforma/function/policy_decide",), {}),
        (("spiffe://elsewhere/service/backup",), {}),
        (("spiffe://platforma/service/",), {}),
        (("spiffe://platforma/service/a/b",), {}),
        (("spiffe://platforma/service/Backup",), {}),
        (("spiffe://platforma/service/backup?x",), {}),
        (("SPIFFE://platforma/service/backup",), {}),
        ((URI,), {"usage": SERVER}),
        ((URI,), {"authority": True}),
        ((URI,), {"ends": timedelta(0)}),
        ((URI,), {"begins": timedelta(seconds=1)}),
    ],
)
def test_any_other_certificate_is_nobodys(uris: tuple[str, ...], how: dict[str, Any]):
    clock = Clock()

    with pytest.raises(Unauthenticated):
        verify_service_certificate(der(certificate(clock, *uris, **how)), clock=clock)


@pytest.mark.parametrize("junk", [b"", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----\n", b"\xff" * 300])
def test_what_is_no_certificate_is_nobodys(junk: bytes):
    with pytest.raises(Unauthenticated):
        verify_service_certificate(junk, clock=Clock())


@pytest.mark.parametrize("text", ["", "%%%", "A" * 16385])
def test_a_header_that_holds_none_is_none(text: str):
    assert presented_certificate({}, {"x-client-cert": text}, header="x-client-cert") is None


def test_the_gateway_hands_it_over_in_the_event_and_no_header_counts():
    event = {"requestContext": {"identity": {"clientCert": {"clientCertPem": "PEM"}}}}

    assert presented_certificate(event, {"x-client-cert": "QQ=="}, header="") == b"PEM"
    assert presented_certificate({"requestContext": {"identity": {}}}, {"x-client-cert": "QQ=="}, header="") is None


def test_behind_an_edge_that_hands_it_over_the_event_does_not_count():
    event = {"requestContext": {"identity": {"clientCert": {"clientCertPem": "PEM"}}}}

    assert presented_certificate(event, {}, header="x-client-cert") is None


@pytest.mark.usefixtures("behind_an_edge")
def test_a_service_is_its_tenants_principal_with_its_roles(world: World, tenant: Tenant):
    registered(tenant)

    reply = world.call("GET", "/v1/me", headers=header(certificate(world.clock, URI)))

    assert reply.status == 200
    assert reply.json["principal"] == {"type": "service", "id": "backup"}
    assert (reply.json["tenant_id"], reply.json["roles"]) == (tenant.id, ["viewer"])
    (event,) = tenant.events(request_id=reply.request_id)
    assert (event["principal_type"], event["principal_id"], event["user_id"]) == ("service", "backup", None)


def test_on_aws_the_gateways_certificate_is_the_service(world: World, tenant: Tenant):
    registered(tenant)
    function, event = world.event("GET", "/v1/me", headers={}, body=None)
    event["requestContext"]["identity"]["clientCert"] = {"clientCertPem": pem(certificate(world.clock, URI))}

    answer = world.function(str(function)).handler(event, None)

    assert Reply(answer["statusCode"], {}, answer["body"]).json["roles"] == ["viewer"]


def test_where_no_edge_is_named_a_header_is_only_a_header(world: World, tenant: Tenant):
    registered(tenant)

    assert world.call("GET", "/v1/me", headers=header(certificate(world.clock, URI))).status == 401


@pytest.mark.usefixtures("behind_an_edge")
def test_a_service_may_what_its_roles_may(world: World, tenant: Tenant):
    registered(tenant)
    shown = header(certificate(world.clock, URI))
    question = {"resource": {"type": "cluster", "id": "cls_eu01"}, "context": {}}

    answers = [
        world.call("POST", "/v1/authorize", headers=shown, json_body={**question, "action": action}).json["decision"]
        for action in ("infrastructure.clusters.get", "infrastructure.clusters.delete")
    ]

    assert answers == ["allow", "deny"]
    assert world.call("GET", "/v1/users", headers=shown).status == 403


@pytest.mark.usefixtures("behind_an_edge")
@pytest.mark.parametrize("end", ["suspended", "deleted"])
def test_a_service_that_is_suspended_or_deleted_is_nobody_at_once(world: World, tenant: Tenant, end: str):
    registered(tenant)
    shown, any_version = header(certificate(world.clock, URI)), {"If-Match": "*"}
    assert world.call("GET", "/v1/me", headers=shown).status == 200

    if end == "deleted":
        tenant.call("DELETE", "/v1/services/backup", headers=any_version, expect=204)
    else:
        tenant.call("PATCH", "/v1/services/backup", {"status": end}, headers=any_version, expect=200)

    assert world.call("GET", "/v1/me", headers=shown).status == 401
    assert tenant.call("GET", "/v1/services/backup").status == (404 if end == "deleted" else 200)


@pytest.mark.usefixtures("behind_an_edge")
def test_a_services_roles_are_changed_and_it_may_what_the_new_ones_may(world: World, tenant: Tenant):
    registered(tenant)
    (listed,) = tenant.call("GET", "/v1/services", expect=200).json["items"]
    assert listed == {"name": "backup", "roles": ["viewer"], "status": "active", "version": 1}

    changed = tenant.call("PATCH", "/v1/services/backup", {"roles": ["admin"]}, headers={"If-Match": '"v1"'}, expect=200)

    assert (changed.json["roles"], changed.headers["etag"]) == (["admin"], '"v2"')
    assert world.call("GET", "/v1/users", headers=header(certificate(world.clock, URI))).status == 200
    assert tenant.call("PATCH", "/v1/services/backup", {"roles": []}, headers={"If-Match": '"v1"'}).status == 412
    assert tenant.call("PATCH", "/v1/services/backup", {"roles": []}).status == 428


def test_who_lacks_what_a_service_may_do_neither_gives_it_more_nor_brings_it_back(world: World, tenant: Tenant):
    registered(tenant, roles=("operator",))
    tenant.call("PATCH", "/v1/services/backup", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)
    token = world.token(tenant.client_with(("admin",), ("settings.services.*", "billing:read")))

    def change(**fields: object) -> int:
        return world.call("PATCH", "/v1/services/backup", token=token, json_body=fields, headers={"If-Match": "*"}).status

    assert [change(roles=["admin"]), change(status="active"), change(status="suspended")] == [403, 403, 200]


@pytest.mark.usefixtures("behind_an_edge")
def test_another_credential_comes_before_the_certificate(world: World, tenant: Tenant):
    registered(tenant)
    shown = header(certificate(world.clock, URI))

    assert world.call("GET", "/v1/me", token=tenant.token, headers=shown).json["roles"] == ["admin"]
    assert world.call("GET", "/v1/me", token="junk", headers=shown).status == 401


@pytest.mark.usefixtures("behind_an_edge")
def test_a_service_that_is_not_registered_is_nobody(world: World, tenant: Tenant):
    assert world.call("GET", "/v1/me", headers=header(certificate(world.clock, URI))).status == 401


@pytest.mark.usefixtures("behind_an_edge")
def test_a_service_ends_with_its_tenant(world: World, tenant: Tenant):
    registered(tenant)
    platform = world.token(world.platform_client)
    body = {"status": "suspended"}
    world.call("PATCH", f"/v1/tenants/{tenant.id}", token=platform, json_body=body, headers={"If-Match": "*"})
    world.clock.move(seconds=5)

    assert world.call("GET", "/v1/me", headers=header(certificate(world.clock, URI))).status == 401


@pytest.mark.usefixtures("behind_an_edge")
def test_a_service_that_may_make_keys_names_their_owner(world: World, tenant: Tenant):
    registered(tenant, roles=("admin",))
    body = {"name": "key", "environment": "live", "scopes": ["infrastructure:read"]}
    shown = header(certificate(world.clock, URI))

    assert world.call("POST", "/v1/api-keys", headers=shown, json_body=body).status == 422
    owner = {"type": "user", "id": tenant.admin_id}
    assert world.call("POST", "/v1/api-keys", headers=shown, json_body={**body, "owner": owner}).status == 201


def test_registering_it_again_changes_nothing_and_another_role_does(world: World, tenant: Tenant):
    registered(tenant)
    registered(tenant)
    assert bootstrap.services().get("backup").version == 1

    registered(tenant, roles=("operator",))

    assert bootstrap.services().get("backup").roles == ("operator",)


def test_a_name_is_one_tenants(world: World, tenant: Tenant):
    registered(tenant)
    other = world.tenant("other", "admin@other.test")

    with pytest.raises(Exception, match="taken"):
        registered(other)


@pytest.mark.parametrize("service", [{"name": "A b", "roles": []}, {"name": "backup", "roles": ["nothing"]}])
def test_a_service_that_cannot_be_is_refused(world: World, tenant: Tenant, service: dict[str, Any]):
    with pytest.raises(Exception, match="valid"):
        world.set_up({"tenant_id": tenant.id, "service": service})
