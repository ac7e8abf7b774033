"""A denied client certificate is good for nothing within five seconds: no service, no client, no token bound to it."""

from datetime import timedelta

import pytest

from infra.vault import apply
from platforma import bootstrap
from platforma.oauth import certificate_thumbprint
from platforma.oauth.denied_certificates import LONGEST_LIFE
from tests.unit.edge.test_client_certificate import URI, certificate, der, header, registered
from tests.world import Tenant, World, running

FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        patch.setenv("CLIENT_CERTIFICATE_HEADER", "x-client-cert")
        bootstrap.settings.cache_clear()
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


def deny(tenant: Tenant, leaf):
    thumbprint = certificate_thumbprint(der(leaf))
    return tenant.call("POST", "/v1/client-certificates/deny", {"thumbprint": thumbprint}, expect=200)


def me(world: World, leaf, **more) -> int:
    return world.call("GET", "/v1/me", headers=header(leaf), **more).status


def client_of(tenant: Tenant) -> dict[str, str]:
    body = {
        "name": "client",
        "roles": ["viewer"],
        "scopes": ["*"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_uri": URI,
        "tls_client_certificate_bound_access_tokens": True,
    }
    return tenant.call("POST", "/v1/oauth-clients", body, expect=201).json


def token_of(world: World, client: dict[str, str], leaf):
    return world.call("POST", "/oauth2/token", form={**FORM, "client_id": client["client_id"]}, headers=header(leaf))


def test_a_warm_instance_refuses_a_denied_certificate_within_five_seconds(world, tenant):
    registered(tenant)
    leaf = certificate(world.clock, URI)
    before = me(world, leaf)

    deny(tenant, leaf)
    world.clock.move(seconds=5)

    assert (before, me(world, leaf)) == (200, 401)


def test_the_services_next_certificate_is_good(world, tenant):
    registered(tenant)
    deny(tenant, certificate(world.clock, URI))
    world.clock.move(seconds=5)

    assert me(world, certificate(world.clock, URI)) == 200


def test_a_token_that_is_bound_to_it_is_good_no_more(world, tenant):
    client, leaf = client_of(tenant), certificate(world.clock, URI)
    token = token_of(world, client, leaf).json["access_token"]
    before = me(world, leaf, token=token)

    deny(tenant, leaf)
    world.clock.move(seconds=5)

    assert (before, me(world, leaf, token=token)) == (200, 401)


def test_it_authenticates_no_client(world, tenant):
    client, leaf = client_of(tenant), certificate(world.clock, URI)
    before = token_of(world, client, leaf).status

    deny(tenant, leaf)

    after = token_of(world, client, leaf)
    assert (before, after.status, after.json["error"]) == (200, 401, "invalid_client")


def test_another_tenant_denies_nothing_of_this_one(world, tenant):
    registered(tenant)
    leaf = certificate(world.clock, URI)

    deny(world.tenant("other", "admin@other.test"), leaf)
    world.clock.move(seconds=5)

    assert me(world, leaf) == 200


def test_the_tenants_log_says_which_was_denied(world, tenant):
    leaf = certificate(world.clock, URI)

    deny(tenant, leaf)

    [event] = tenant.events(action="settings.client_certificates.deny")
    assert (event["resource"], event["result"]) == (certificate_thumbprint(der(leaf)), "success")


@pytest.mark.parametrize("thumbprint", ["", "x" * 42, "x" * 44, "=" * 43, None])
def test_what_is_no_thumbprint_is_refused(tenant, thumbprint):
    assert tenant.call("POST", "/v1/client-certificates/deny", {"thumbprint": thumbprint}).status == 422


def test_a_viewer_denies_nothing(world, tenant):
    viewer = world.token(tenant.client_with(("viewer",)))

    answer = world.call("POST", "/v1/client-certificates/deny", token=viewer, json_body={"thumbprint": "x" * 43})

    assert answer.status == 403


def test_a_denial_is_remembered_longer_than_any_certificate_of_our_ca_lives():
    lives = [timedelta(hours=int(role["max_ttl"].removesuffix("h"))) for role in apply.table("pki_roles").values()]

    assert max(lives) <= LONGEST_LIFE
