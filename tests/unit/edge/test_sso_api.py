"""Connections and domains through their functions."""

from collections.abc import Iterator

import pytest

from platforma import bootstrap
from platforma.adapters.memory.sso import MemoryDNS
from tests.fakes.identity_provider import FakeIdentityProvider, pair
from tests.world import Tenant, World, running

METADATA = FakeIdentityProvider().metadata()
SAML = {"name": "Okta", "type": "saml", "domains": ["acme.test"], "saml": {"metadata_xml": METADATA}}
OIDC = {
    "name": "Entra",
    "type": "oidc",
    "oidc": {"issuer": "https://op.test", "client_id": "c", "client_secret": "a secret of theirs"},
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def dns(world: World) -> Iterator[MemoryDNS]:
    records = MemoryDNS()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bootstrap.sso.ports, "dns", lambda: records)
        bootstrap.sso.made.clear()
        yield records


@pytest.fixture(scope="module")
def tenant(world: World, dns: MemoryDNS) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def other(world: World, tenant: Tenant) -> Tenant:
    return world.tenant("other", "admin@other.test")


def create(tenant: Tenant, body: dict | None = None, expect: int = 201, **fields) -> dict:
    return tenant.call("POST", "/v1/sso-connections", {**(body or SAML), **fields}, expect=expect).json


def claim(tenant: Tenant, domain: str, **fields) -> dict:
    return tenant.call("POST", "/v1/domains", {"domain": domain, **fields}, expect=201).json


def platform(world: World) -> str:
    return world.token(world.platform_client)


def vouch(world: World, tenant: Tenant, domain: str):
    body = {"domain": domain, "tenant_id": tenant.id, "vouched": True}
    return world.call("POST", "/v1/domains", token=platform(world), json_body=body)


def test_a_saml_connection_is_made_by_pasting_metadata(tenant):
    made = create(tenant)

    assert made["saml"]["entity_id"] == "https://idp.test/saml"
    assert made["saml"]["certificates"] == [pair().base64]
    assert made["oidc"] is None
    shown = tenant.call("GET", f"/v1/sso-connections/{made['id']}", expect=200)
    assert shown.json == made
    assert shown.headers["etag"] == '"v1"'


def test_an_oidc_connections_secret_is_in_vault_and_in_no_answer(world, tenant):
    made = create(tenant, OIDC)

    assert made["oidc"] == {"issuer": "https://op.test", "client_id": "c", "has_secret": True}
    assert "a secret of theirs" in world.vault.provider_secrets.kept.values()
    assert "a secret of theirs" not in str(tenant.events(resource=made["id"]))


def test_a_new_secret_replaces_the_old_one(world, tenant):
    made = create(tenant, OIDC)
    path, body = f"/v1/sso-connections/{made['id']}", {"oidc": {"client_secret": "the next one"}}

    tenant.call("PATCH", path, body, headers={"If-Match": '"v1"'}, expect=200)

    kept = bootstrap.connections().get(made["id"]).oidc.secret_ref
    assert world.vault.provider_secrets.kept[tenant.id, kept] == "the next one"
    assert list(world.vault.provider_secrets.kept.values()).count("the next one") == 1


def test_a_secret_set_to_null_goes_and_keys_of_ours_authenticate(world, tenant):
    made = create(tenant, OIDC)
    reference = bootstrap.connections().get(made["id"]).oidc.secret_ref
    path, body = f"/v1/sso-connections/{made['id']}", {"oidc": {"client_secret": None}}

    changed = tenant.call("PATCH", path, body, headers={"If-Match": "*"}, expect=200).json

    assert changed["oidc"]["has_secret"] is False
    assert (tenant.id, reference) not in world.vault.provider_secrets.kept


def test_a_stale_change_keeps_the_old_secret_and_leaves_no_other(world, tenant):
    made = create(tenant, OIDC)
    before = dict(world.vault.provider_secrets.kept)
    path, body = f"/v1/sso-connections/{made['id']}", {"oidc": {"client_secret": "stale"}}

    tenant.call("PATCH", path, body, headers={"If-Match": '"v7"'}, expect=412)

    assert world.vault.provider_secrets.kept == before


def test_a_moved_issuer_is_not_sent_the_secret_of_another(tenant):
    made = create(tenant, OIDC)
    path, body = f"/v1/sso-connections/{made['id']}", {"oidc": {"issuer": "https://evil.test"}}

    refused = tenant.call("PATCH", path, body, headers={"If-Match": "*"}, expect=422)

    assert refused.json["errors"][0]["pointer"] == "/oidc/client_secret"


def test_a_deleted_connections_secret_is_gone(world, tenant):
    made = create(tenant, OIDC)
    reference = bootstrap.connections().get(made["id"]).oidc.secret_ref

    tenant.call("DELETE", f"/v1/sso-connections/{made['id']}", headers={"If-Match": "*"}, expect=204)

    assert (tenant.id, reference) not in world.vault.provider_secrets.kept
    tenant.call("GET", f"/v1/sso-connections/{made['id']}", expect=404)


def test_without_vault_no_connection_is_made(world, tenant):
    before = tenant.call("GET", "/v1/sso-connections?limit=200", expect=200).json["items"]
    world.vault.provider_secrets.gone = True
    try:
        create(tenant, OIDC, expect=503)
    finally:
        world.vault.provider_secrets.gone = False

    assert tenant.call("GET", "/v1/sso-connections?limit=200", expect=200).json["items"] == before


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"saml": {"metadata_xml": "<a/>"}}, "/saml"),
        ({"saml": {}}, "/saml"),
        ({"saml": {"metadata_xml": METADATA, "metadata_url": "https://idp.test"}}, "/saml"),
        ({"saml": {"metadata_url": "http://idp.test/metadata"}}, "/saml/metadata_url"),
        ({"saml": None}, "/saml"),
        ({"oidc": OIDC["oidc"]}, "/saml"),
        ({"domains": ["acme"]}, "/domains/0"),
        ({"domains": ["acme.test", "älter.test"]}, "/domains/1"),
        ({"group_mappings": [{"group": "a", "role": "nobody"}]}, "/group_mappings/0/role"),
        ({"group_mappings": [{"group": " a", "role": "viewer"}]}, "/group_mappings/0/group"),
        ({"group_mappings": [{"group": "a", "role": "viewer", "match": "regex"}]}, "/group_mappings/0/match"),
        ({"provisioning": {"default_roles": ["nobody"]}}, "/provisioning/default_roles/0"),
        ({"attribute_mapping": {"phone": "tel"}}, "/attribute_mapping/phone"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_a_faulty_field_is_named(tenant, fields, pointer):
    assert create(tenant, expect=422, **fields)["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("issuer", ["http://op.test", "https://op.test?a=b", "https://op.test#a", "op.test"])
def test_an_issuer_is_an_https_url_without_query(tenant, issuer):
    refused = create(tenant, OIDC, expect=422, oidc={"issuer": issuer, "client_id": "c"})

    assert refused["errors"][0]["pointer"] == "/oidc/issuer"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/metadata", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://10.0.0.1/"]
)
def test_metadata_is_never_fetched_from_inside(tenant, url):
    refused = create(tenant, expect=422, saml={"metadata_url": url})

    assert refused["code"] == "metadata_refused"


def test_metadata_behind_a_url_is_read_there(tenant, monkeypatch):
    class Site:
        def get(self, url: str) -> bytes:
            assert url == "https://idp.test/metadata"
            return METADATA.encode()

    monkeypatch.setitem(bootstrap.sso.ports, "fetch", Site)
    bootstrap.sso.made.pop("create_connection", None)
    made = create(tenant, saml={"metadata_url": "https://idp.test/metadata"})
    bootstrap.sso.made.pop("create_connection", None)

    assert made["saml"]["metadata_url"] == "https://idp.test/metadata"
    assert made["saml"]["entity_id"] == "https://idp.test/saml"


def test_a_change_is_told_before_and_after(tenant):
    made = create(tenant)
    body = {"group_mappings": [{"group": "Engineers", "role": "operator"}], "enabled": False}

    tenant.call("PATCH", f"/v1/sso-connections/{made['id']}", body, headers={"If-Match": "*"}, expect=200)

    (event,) = tenant.events(resource=made["id"], action="settings.sso_connections.update")
    told = {"group": "Engineers", "match": "exact", "role": "operator"}
    assert event["changes"] == {
        "before": {"enabled": True, "group_mappings": []},
        "after": {"enabled": False, "group_mappings": [told]},
    }


def test_a_type_does_not_change(tenant):
    made = create(tenant)
    body = {"oidc": {"issuer": "https://op.test", "client_id": "c"}}

    tenant.call("PATCH", f"/v1/sso-connections/{made['id']}", body, headers={"If-Match": "*"}, expect=422)


def test_who_lacks_settings_manage_connects_no_identity_provider(world, tenant):
    token = world.token(tenant.client_with(roles=("admin",), scopes=("settings.sso_connections.*",)))
    made = create(tenant)

    body = {"group_mappings": [{"group": "a", "role": "admin"}]}
    assert world.call("POST", "/v1/sso-connections", token=token, json_body=SAML).status == 403
    path, anything = f"/v1/sso-connections/{made['id']}", {"If-Match": "*"}
    assert world.call("PATCH", path, token=token, json_body=body, headers=anything).status == 403


def test_a_viewer_sees_no_connection(world, tenant):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("GET", "/v1/sso-connections", token=token).status == 403


def test_a_mapping_is_tried_without_anything_coming_of_it(tenant):
    rules = {"group_mappings": [{"group": "Eng*", "match": "glob", "role": "operator"}]}
    made = create(tenant, provisioning={"default_roles": ["viewer"]}, **rules)
    path = f"/v1/sso-connections/{made['id']}/test-mapping"

    by_groups = tenant.call("POST", path, {"groups": ["Engineers"]}, expect=200).json
    attributes = {"email": "ada@acme.test", "groups": ["Sales"]}
    by_claims = tenant.call("POST", path, {"attributes": attributes}, expect=200).json

    assert by_groups["roles"] == ["operator"]
    assert by_groups["matches"] == [{"role": "operator", "source": "mapping", "group": "Engineers", "mapping": 0}]
    assert (by_claims["email"], by_claims["roles"]) == ("ada@acme.test", ["viewer"])
    assert tenant.call("GET", "/v1/users", expect=200).json["items"][0]["email"] == "admin@acme.test"


def test_a_domain_is_proved_by_its_record(tenant, dns):
    made = claim(tenant, "proved.test")
    assert (made["status"], made["txt_name"]) == ("pending", "_platforma-challenge.proved.test")
    assert tenant.call("POST", "/v1/domains/proved.test/verify", expect=409).json["code"] == "domain_not_proved"

    dns.records[made["txt_name"]] = ["v=spf1 -all", made["txt_value"]]
    proved = tenant.call("POST", "/v1/domains/proved.test/verify", expect=200).json

    assert proved["status"] == "proved"
    assert bootstrap.domains().owner("proved.test") == tenant.id


def test_a_claim_excludes_nobody_until_it_is_proved(tenant, other, dns):
    mine, theirs = claim(tenant, "shared.test"), claim(other, "shared.test")
    assert mine["txt_value"] != theirs["txt_value"]

    dns.records[mine["txt_name"]] = [mine["txt_value"]]
    tenant.call("POST", "/v1/domains/shared.test/verify", expect=200)

    dns.records[mine["txt_name"]] = [mine["txt_value"], theirs["txt_value"]]
    assert other.call("POST", "/v1/domains/shared.test/verify", expect=409).json["code"] == "domain_taken"


def test_another_tenants_record_proves_nothing(tenant, other, dns):
    mine, theirs = claim(tenant, "foreign.test"), claim(other, "foreign.test")

    dns.records[mine["txt_name"]] = [mine["txt_value"]]

    assert theirs["txt_name"] == mine["txt_name"]
    assert other.call("POST", "/v1/domains/foreign.test/verify", expect=409).json["code"] == "domain_not_proved"


def test_a_resolver_that_is_gone_proves_nothing(tenant, dns):
    claim(tenant, "gone.test")
    dns.gone = True
    try:
        tenant.call("POST", "/v1/domains/gone.test/verify", expect=503)
    finally:
        dns.gone = False


def test_a_platform_client_vouches_for_a_tenant(world, tenant, other):
    made = vouch(world, tenant, "vouched.test")

    assert (made.status, made.json["status"]) == (201, "vouched")
    assert tenant.call("GET", "/v1/domains/vouched.test", expect=200).json["status"] == "vouched"
    assert vouch(world, other, "vouched.test").json["code"] == "domain_taken"
    other.call("GET", "/v1/domains/vouched.test", expect=404)


def test_a_tenants_own_claim_can_be_vouched_for(world, tenant):
    claim(tenant, "later.test")

    assert vouch(world, tenant, "later.test").json["status"] == "vouched"


def test_no_tenant_vouches_for_itself(tenant, other):
    for fields in ({"tenant_id": tenant.id, "vouched": True}, {"vouched": True}, {"tenant_id": other.id}):
        tenant.call("POST", "/v1/domains", {"domain": "own.test", **fields}, expect=403)
    tenant.call("GET", "/v1/domains/own.test", expect=404)


def test_who_may_not_change_settings_claims_nothing(world, tenant):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("POST", "/v1/domains", token=token, json_body={"domain": "viewer.test"}).status == 403


def test_nobody_is_vouched_for_who_is_no_tenant(world, tenant):
    body = {"domain": "nobody.test", "tenant_id": tenant.id[:-4] + "0000", "vouched": True}

    assert world.call("POST", "/v1/domains", token=platform(world), json_body=body).status == 422


@pytest.mark.parametrize(
    "domain", ["acme", "acme.", ".acme.test", "a b.test", "127.0.0.1", "-a.test", "a" * 64 + ".test", "ä.test"]
)
def test_what_is_no_domain_is_refused(tenant, domain):
    tenant.call("POST", "/v1/domains", {"domain": domain}, expect=422)


def upkeep(world: World) -> dict:
    context = type("Context", (), {"aws_request_id": "upkeep"})()
    return world.function("sso_upkeep").handler({"source": "schedule", "job": "upkeep"}, context)


def test_a_domain_is_lost_after_three_days_without_its_record(world, tenant, other, dns):
    made = claim(tenant, "lost.test")
    dns.records[made["txt_name"]] = [made["txt_value"]]
    tenant.call("POST", "/v1/domains/lost.test/verify", expect=200)
    dns.records[made["txt_name"]] = []
    theirs = claim(other, "lost.test")

    for _ in range(3):
        world.clock.move(days=1, minutes=1)
        assert upkeep(world)["lost"] == 0
        assert tenant.call("GET", "/v1/domains/lost.test", expect=200).json["status"] == "proved"
    world.clock.move(days=1, minutes=1)
    dns.gone = True
    assert upkeep(world).items() >= {"checked": 0, "lost": 0}.items()
    dns.gone = False

    assert upkeep(world)["lost"] == 1
    assert tenant.call("GET", "/v1/domains/lost.test", expect=200).json["status"] == "pending"
    dns.records[made["txt_name"]] = [theirs["txt_value"]]
    other.call("POST", "/v1/domains/lost.test/verify", expect=200)


def test_a_record_that_is_back_is_told_and_the_domain_stays(world, tenant, dns):
    made = claim(tenant, "back.test")
    dns.records[made["txt_name"]] = [made["txt_value"]]
    tenant.call("POST", "/v1/domains/back.test/verify", expect=200)
    dns.records[made["txt_name"]] = []
    world.clock.move(days=2)
    upkeep(world)
    dns.records[made["txt_name"]] = [made["txt_value"]]
    world.clock.move(days=2)
    upkeep(world)

    shown = tenant.call("GET", "/v1/domains/back.test", expect=200).json
    assert (shown["status"], shown["failed_since"]) == ("proved", None)
    assert len(tenant.events(resource="back.test", action="settings.domains.check")) == 2


def test_a_domain_given_up_is_free(tenant, other, world):
    vouch(world, tenant, "free.test")

    tenant.call("DELETE", "/v1/domains/free.test", expect=428)
    tenant.call("DELETE", "/v1/domains/free.test", headers={"If-Match": "*"}, expect=204)

    assert vouch(world, other, "free.test").status == 201
