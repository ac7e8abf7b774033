import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.jwk import to_jwk
from platforma.oauth import add_secret, delete_client, delete_secret, get_client, list_clients, patch_client


@pytest.fixture
def change(tenant_id, attempt, clients):
    return {"tenant_id": tenant_id, "attempt": attempt(), "clients": clients}


def pointers(refused):
    return [error["pointer"] for error in refused.value.errors]


def test_a_new_client_has_one_secret_and_no_trace_of_it_is_shown(register, events):
    client, secret = register(roles=["operator"])

    assert secret.startswith("cs_")
    assert secret not in f"{client.as_json()}{events}"
    assert client.as_json()["secrets"] == [
        {"id": client.secrets[0].id, "created_at": "2026-11-24T10:00:00.000Z", "last_used_at": None}
    ]


def test_creation_enters_its_event(register, events):
    client, _ = register()

    assert [(event.resource, event.result, event.attempt.entered) for event in events] == [(client.id, "success", True)]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"name": None}, "/name"),
        ({"type": "native"}, "/type"),
        ({"type": []}, "/type"),
        ({"grant_types": ["password"]}, "/grant_types/0"),
        ({"grant_types": ["client_credentials", "client_credentials"]}, "/grant_types/1"),
        ({"grant_types": "client_credentials"}, "/grant_types"),
        ({"type": "public"}, "/grant_types"),
        ({"scopes": ["infrastructure:write"]}, "/scopes/0"),
        ({"scopes": ["a b"]}, "/scopes/0"),
        ({"scopes": [1]}, "/scopes/0"),
        ({"scopes": ["orders:read"] * 101}, "/scopes"),
        ({"scopes": [f"a{n}{'b' * 60}:read" for n in range(60)]}, "/scopes"),
        ({"scopes": ["platform:manage"]}, "/scopes/0"),
        ({"scopes": ["platform.tenants.*"]}, "/scopes/0"),
        ({"roles": ["Admin"]}, "/roles/0"),
        ({"token_endpoint_auth_method": "none"}, "/token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "/token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "/jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "/jwks/keys/0"),
        ({"jwks": {"keys": []}}, "/jwks"),
        ({"jwks": {"keys": [{}]}, "jwks_uri": "https://a.test/jwks"}, "/jwks"),
        ({"jwks_uri": "http://a.test/jwks"}, "/jwks_uri"),
        ({"jwks_uri": "https://u@a.test/jwks"}, "/jwks_uri"),
        ({"backchannel_logout_uri": "https:///x"}, "/backchannel_logout_uri"),
        ({"backchannel_logout_session_required": True}, "/backchannel_logout_uri"),
        ({"require_signed_request_object": True}, "/jwks"),
        ({"post_logout_redirect_uris": ["http://evil.test/"]}, "/post_logout_redirect_uris/0"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "/tls_client_auth_subject_dn"),
        ({"tls_client_auth_san_dns": "a.test"}, "/tls_client_auth_subject_dn"),
        ({"id_token_signed_response_alg": "none"}, "/id_token_signed_response_alg"),
        ({"first_party": "yes"}, "/first_party"),
        ({"profile": "fapi1"}, "/profile"),
        ({"profile": "fapi2"}, "/token_endpoint_auth_method"),
        ({"profile": "fapi2", "dpop_bound_access_tokens": False}, "/dpop_bound_access_tokens"),
        ({"profile": "fapi2", "require_pushed_authorization_requests": False}, "/require_pushed_authorization_requests"),
        ({"profile": "fapi2", "id_token_signed_response_alg": "RS256"}, "/id_token_signed_response_alg"),
        ({"redirect_uris": ["http://evil.test/cb"]}, "/redirect_uris/0"),
        ({"status": "suspended"}, "/status"),
        ({"client_id": "cli_x"}, "/client_id"),
        ({"a/b~": 1}, "/a~1b~0"),
    ],
)
def test_a_field_at_fault_is_named(register, fields, pointer):
    with pytest.raises(Unprocessable) as refused:
        register(**fields)

    assert pointer in pointers(refused)


def test_the_profile_fapi2_brings_what_it_demands(register):
    jwks = {"keys": [to_jwk(Ed25519PrivateKey.generate().public_key())]}

    client, secret = register(profile="fapi2", token_endpoint_auth_method="private_key_jwt", jwks=jwks)

    assert (client.require_pushed_authorization_requests, client.dpop_bound_access_tokens) == (True, True)
    assert (client.id_token_signed_response_alg, secret) == ("ES256", None)


def test_only_a_platform_client_may_hold_platform_manage(register):
    client, _ = register(tenant_id=PLATFORM, scopes=["platform:manage"])

    assert client.platform


@pytest.mark.parametrize(
    "uri", ["https://a.test/cb?x=1", "http://127.0.0.1/cb", "http://[::1]:8080/", "http://localhost:3000/"]
)
def test_redirect_uris_of_web_and_loopback_are_taken(register, uri):
    assert register(redirect_uris=[uri])[0].redirect_uris == (uri,)


@pytest.mark.parametrize(
    "uri",
    [
        "https:///cb",
        "https://a.test/cb#f",
        "https://a.test/#",
        "https://u@a.test/",
        "https://a.test\\@b.test/",
        "https://a.test:99999/",
        "https://[::1/",
        "http://127.0.0.1.evil.test/",
        "com.example.app:/cb",
        "javascript:alert(1)",
        "/cb",
        "https://a.test/ü",
        "https://a.test/ b",
        "https://a.test/\n",
        "https://a.test/" + "x" * 2048,
    ],
)
def test_other_redirect_uris_are_refused(register, uri):
    with pytest.raises(Unprocessable):
        register(redirect_uris=[uri])


def test_a_public_client_has_no_secret_and_may_have_a_private_scheme(register):
    client, secret = register(type="public", grant_types=[], redirect_uris=["com.example.app:/cb"])

    assert (secret, client.secrets) == (None, ())


def test_another_tenants_client_is_not_found(register, clients, attempt):
    client, _ = register()
    other = {"tenant_id": new_id("ten"), "clients": clients}

    with pytest.raises(NotFound):
        get_client(client.id, **other)
    with pytest.raises(NotFound):
        patch_client(client.id, {"name": "mine"}, **other, if_version=None, attempt=attempt())
    with pytest.raises(NotFound):
        delete_client(client.id, **other, if_version=None, attempt=attempt())
    with pytest.raises(NotFound):
        delete_secret(client.id, client.secrets[0].id, **other, attempt=attempt())


def test_a_patch_makes_the_next_version_and_tells_what_differs(register, change, events):
    client, _ = register()

    after = patch_client(client.id, {"name": "renamed", "scopes": ["orders:read"]}, **change, if_version=1)

    assert (after.version, after.name, after.scopes) == (2, "renamed", ("orders:read",))
    assert events[-1].changes == {
        "before": {"name": "worker", "scopes": ["infrastructure:manage"]},
        "after": {"name": "renamed", "scopes": ["orders:read"]},
    }


def test_a_patch_that_changes_nothing_makes_no_version(register, change, events):
    client, _ = register()

    assert patch_client(client.id, {"name": client.name}, **change, if_version=1).version == 1
    assert len(events) == 1


def test_a_patch_of_another_version_is_refused(register, change):
    client, _ = register()
    patch_client(client.id, {"name": "second"}, **change, if_version=1)

    with pytest.raises(PreconditionFailed):
        patch_client(client.id, {"name": "third"}, **change, if_version=1)


def test_a_patch_of_any_version_outlives_a_race(register, change, clients, monkeypatch):
    client, _ = register()
    inner, raced = clients.change, []

    def interrupted(*given):
        if not raced:
            raced.append(1)
            raise PreconditionFailed
        inner(*given)

    monkeypatch.setattr(clients, "change", interrupted)

    assert patch_client(client.id, {"name": "second"}, **change, if_version=None).name == "second"


@pytest.mark.parametrize("fields", [{"type": "public"}, {"scopes": None}, {"status": "deleted"}, {"tenant_id": "x"}])
def test_what_cannot_be_patched_is_refused(register, change, fields):
    client, _ = register()

    with pytest.raises(Unprocessable):
        patch_client(client.id, fields, **change, if_version=None)


def test_suspension_moves_the_revocations_and_nothing_else_does(register, change, clients, tenant_id):
    client, _ = register()
    patch_client(client.id, {"name": "second"}, **change, if_version=None)
    assert (clients.policy_version[tenant_id], clients.revocation_version[tenant_id]) == (0, 0)

    patch_client(client.id, {"status": "suspended"}, **change, if_version=None)

    assert (clients.policy_version[tenant_id], clients.revocation_version[tenant_id]) == (0, 1)


@pytest.mark.parametrize("fields", [{"roles": ["viewer"]}, {"scopes": ["orders:read"]}])
def test_a_change_of_rights_moves_the_policies(register, change, clients, tenant_id, fields):
    client, _ = register()

    patch_client(client.id, fields, **change, if_version=None)

    assert (clients.policy_version[tenant_id], clients.revocation_version[tenant_id]) == (1, 0)


def test_a_deleted_client_is_gone_and_its_tokens_end(register, change, clients, tenant_id):
    client, _ = register()

    delete_client(client.id, **change, if_version=1)

    assert clients.revocation_version[tenant_id] == 1
    assert list_clients(tenant_id, limit=10, after=None, clients=clients) == ([], None)
    with pytest.raises(NotFound):
        get_client(client.id, tenant_id=tenant_id, clients=clients)
    with pytest.raises(NotFound):
        delete_client(client.id, **change, if_version=None)


def test_a_third_secret_is_refused(register, change, secrets, clock):
    client, _ = register()
    add_secret(client.id, **change, secrets=secrets, clock=clock)

    with pytest.raises(Conflict):
        add_secret(client.id, **change, secrets=secrets, clock=clock)


def test_a_public_client_gets_no_secret(register, change, secrets, clock):
    client, _ = register(type="public", grant_types=[])

    with pytest.raises(Conflict):
        add_secret(client.id, **change, secrets=secrets, clock=clock)


def test_a_secret_that_the_client_has_not_is_not_found(register, change):
    client, _ = register()

    with pytest.raises(NotFound):
        delete_secret(client.id, "x", **change)
