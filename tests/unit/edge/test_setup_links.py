"""Somebody without an account configures one connection, by a link that was sent to them."""

import re
from collections.abc import Iterator

import pytest

from platforma import bootstrap
from platforma.adapters.memory.sso import MemoryDNS
from tests.fakes.saml_browser import SAMLConnection, Visitor, connection_of
from tests.persons import Fields
from tests.setup_links import (
    ANY,
    DRAFT,
    METADATA,
    OIDC_DRAFT,
    Link,
    connection,
    linked,
    links_of,
    made,
    one_key_for_all,
    over,
)
from tests.signing_in import Browser
from tests.world import URL, Tenant


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    one_key_for_all(monkeypatch)


@pytest.fixture
def dns(world) -> Iterator[MemoryDNS]:
    records = MemoryDNS()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bootstrap.sso.ports, "dns", lambda: records)
        bootstrap.sso.made.clear()
        yield records


@pytest.fixture
def link(tenant: Tenant) -> Link:
    return linked(tenant, made(tenant, DRAFT))


@pytest.fixture
def oidc(tenant: Tenant) -> Link:
    return linked(tenant, made(tenant, OIDC_DRAFT))


# What it does


def test_a_link_is_told_once_and_good_for_three_days(link, world):
    token = link.address.partition("token=")[2]

    (listed,) = links_of(link)

    assert re.fullmatch(rf"/sso/{link.connection_id}/setup\?token=[\w-]{{69}}", link.address)
    assert listed == {name: value for name, value in link.told.items() if name != "url"}
    assert listed["status"] == "open" and listed["created_by"]["type"] == "oauth_client"
    assert token not in str(link.tenant.events())
    world.clock.move(days=2, hours=23)
    assert link.open().status == 200
    world.clock.move(hours=1, seconds=1)
    assert over(link.open())
    assert links_of(link)[0]["status"] == "expired"


def test_the_customers_administrator_configures_saml_from_draft_to_a_passed_test(link, tenant, world):
    shown = link.enter()
    for value in ("metadata", "acs", "slo"):
        assert f"{URL}/sso/{link.connection_id}/{value}" in shown.text
    assert "None is known yet." in shown.text and shown.text.count("BEGIN CERTIFICATE") == 2
    assert world.call("GET", f"/sso/{link.connection_id}/metadata").status == 200

    saved = link.saved(metadata_xml=METADATA)

    assert "Your provider is saved." in saved.text and "https://idp.test/saml" in saved.text
    assert connection(link)["saml"]["entity_id"] == "https://idp.test/saml"
    vouched = {"domain": "acme.test", "tenant_id": tenant.id, "vouched": True}
    platform = world.token(world.platform_client)
    assert world.call("POST", "/v1/domains", token=platform, json_body=vouched).status == 201
    tenant.call("PATCH", f"/v1/sso-connections/{link.connection_id}", {"provisioning": {"jit": True}}, headers=ANY)
    link.open(link.path)
    started = link.send("/test")
    ada = Visitor(SAMLConnection(tenant, link.connection_id), link.browser)
    ada.start(at=started.headers["location"])
    came = ada.post(ada.response(attributes={"email": ["ada@acme.test"], "groups": ["Engineers"]}))
    assert came.status == 200 and "ada@acme.test" in came.text and f'href="{link.path}"' in came.text
    assert "A test passed: 2" in link.open(link.path).text


def test_a_test_by_a_link_tells_what_came_and_nothing_of_roles_or_users(tenant, world):
    connected = connection_of(tenant)
    link = linked(tenant, connected.id)
    link.enter()
    ada = Visitor(connected, link.browser)
    ada.start(at=link.send("/test").headers["location"])

    came = ada.post(ada.response(attributes={"email": ["ada@acme.test"], "groups": ["Engineers"]}))

    assert "Engineers" in came.text
    for text in ("operator", "viewer", "A user would be made", "Roles by the mapping"):
        assert text not in came.text


def test_a_test_that_fails_says_why(tenant):
    connected = connection_of(tenant)
    link = linked(tenant, connected.id)
    link.enter()
    ada = Visitor(connected, link.browser)
    ada.start(at=link.send("/test").headers["location"])

    failed = ada.post("bm9uc2Vuc2U=")

    assert failed.status == 422 and "The message is not XML in base64." in failed.text
    assert f'href="{link.path}"' in failed.text and failed.request_id in failed.text


def test_the_customers_administrator_configures_openid_and_the_secret_is_shown_to_nobody(oidc, world):
    shown = oidc.enter()
    for value in ("callback", "slo", "keys", "backchannel-logout"):
        assert f"{URL}/sso/{oidc.connection_id}/{value}" in shown.text

    saved = oidc.saved(issuer="https://op.test", client_id="c", client_secret="a secret of theirs")

    assert "kept, and never shown" in saved.text and "a secret of theirs" not in saved.text
    assert connection(oidc)["oidc"] == {"issuer": "https://op.test", "client_id": "c", "has_secret": True}
    assert "a secret of theirs" in world.vault.provider_secrets.kept.values()
    assert "a secret of theirs" not in str(oidc.tenant.events())
    again = oidc.saved(issuer="https://op.test", client_id="d")
    assert connection(oidc)["oidc"] == {"issuer": "https://op.test", "client_id": "d", "has_secret": True}
    assert "kept, and never shown" in again.text


def test_a_domain_of_the_connection_is_claimed_and_proved(link, dns):
    assert "Show the DNS record" in link.enter().text

    assert link.send("/domains", domain="acme.test").headers["location"].endswith("?done=claimed")
    pending = link.open(link.path)
    record = re.search(r"platforma-domain=\w+", pending.text)[0]
    assert "_platforma-challenge.acme.test" in pending.text
    refused = link.send("/domains", domain="acme.test")
    assert refused.status == 409 and "The DNS record was not found." in refused.text
    dns.records["_platforma-challenge.acme.test"] = [record]
    assert link.send("/domains", domain="acme.test").headers["location"].endswith("?done=proved")

    assert "Proved." in link.open(link.path).text
    assert link.tenant.call("GET", "/v1/domains/acme.test", expect=200).json["status"] == "proved"


def test_the_page_speaks_german_and_names_the_tenant(link):
    link.enter()
    cookies = "; ".join(f"{name}={value}" for name, value in link.browser.cookies.items())

    page = link.tenant.world.call("GET", link.path, headers={"Cookie": cookies, "Accept-Language": "de"})

    assert "Single Sign-on einrichten" in page.text and ">acme</p>" in page.text and 'lang="de"' in page.text


def test_everything_is_in_the_tenants_log_under_the_link(link):
    link.enter()
    link.saved(metadata_xml=METADATA)
    link.send("/finish")

    told = {event["action"]: event for event in link.tenant.events(resource=link.connection_id)}

    assert told["settings.sso_setup_links.create"]["changes"]["after"]["setup_link"] == link.told["id"]
    for action in ("sso.setups.open", "sso.setups.configure", "sso.setups.finish"):
        assert (told[action]["principal_type"], told[action]["principal_id"]) == ("setup_link", link.told["id"]), action
    after = told["sso.setups.configure"]["changes"]["after"]
    assert after["saml"]["entity_id"] == "https://idp.test/saml" and after["draft"] is False


def test_who_is_done_ends_the_link_and_the_session(link):
    link.enter()

    assert "You are done" in link.send("/finish").text

    assert links_of(link)[0]["status"] == "finished"
    assert over(link.open()) and over(link.open(link.path))


def test_a_new_link_ends_the_older_ones_and_their_sessions(link, tenant):
    link.enter()

    newer = linked(tenant, link.connection_id)

    assert over(link.open()) and over(link.open(link.path))
    assert [each["status"] for each in links_of(link)] == ["open", "replaced"]
    assert newer.enter().status == 200
    created = tenant.events(action="settings.sso_setup_links.create")[0]
    assert created["changes"]["before"] == {"setup_link": link.told["id"]}


def test_a_session_lasts_an_hour_and_the_link_opens_another(link, world):
    link.enter()
    world.clock.move(hours=1)

    assert over(link.open(link.path))
    assert link.enter().status == 200


def test_the_answer_with_the_link_is_not_replayed(tenant):
    path = f"/v1/sso-connections/{made(tenant, DRAFT)}/setup-links"
    key = {"Idempotency-Key": "one"}

    tenant.call("POST", path, headers=key, expect=201)

    assert tenant.call("POST", path, headers=key, expect=409).json["code"] == "already_created"


# Drafts


def test_nobody_signs_in_by_a_draft(tenant, world, link):
    vouched = {"domain": "acme.test", "tenant_id": tenant.id, "vouched": True}
    world.call("POST", "/v1/domains", token=world.token(world.platform_client), json_body=vouched)

    for path in ("/start", "/slo?out=x"):
        assert world.call("GET", f"/sso/{link.connection_id}{path}").status == 404
    assert world.call("POST", f"/sso/{link.connection_id}/acs", form={"SAMLResponse": "x"}).status == 404
    browser = Browser(world)
    form = {"token": Fields(browser.get("/login").text).hidden["token"], "email": "ada@acme.test", "sso": "1"}
    assert browser.post("/login", form).headers["location"] == f"/login?tenant={tenant.id}", "to the password"


@pytest.mark.parametrize("body", [{**DRAFT, "saml": {"metadata_xml": METADATA}}, {"name": "n", "type": "saml"}])
def test_a_draft_has_no_provider_and_another_connection_has_one(tenant, body):
    tenant.call("POST", "/v1/sso-connections", body, expect=422)


def test_a_draft_is_configured_by_the_api_as_well(tenant, link, oidc):
    path = "/v1/sso-connections/"

    tenant.call("PATCH", path + link.connection_id, {"saml": {"metadata_xml": METADATA}}, headers=ANY, expect=200)
    half = tenant.call("PATCH", path + oidc.connection_id, {"oidc": {"client_id": "c"}}, headers=ANY, expect=422)
    whole = {"oidc": {"issuer": "https://op.test", "client_id": "c"}}
    tenant.call("PATCH", path + oidc.connection_id, whole, headers=ANY, expect=200)

    assert half.json["errors"][0]["pointer"] == "/oidc/issuer"
    assert connection(link)["draft"] is False and connection(oidc)["draft"] is False


@pytest.mark.parametrize("change", [None, {"saml": {"metadata_xml": METADATA}, "enabled": False}])
def test_a_link_to_try_what_nobody_signs_in_by_is_refused_at_once(tenant, link, change):
    path = f"/v1/sso-connections/{link.connection_id}"
    if change:
        tenant.call("PATCH", path, change, headers=ANY, expect=200)

    assert tenant.call("POST", f"{path}/test", expect=409).json["code"] == "connection_not_in_use"


def test_a_draft_cannot_be_enforced(tenant, link):
    body = {"enforced": True, "break_glass": [tenant.admin_id]}
    path = f"/v1/sso-connections/{link.connection_id}"

    assert tenant.call("PATCH", path, body, headers=ANY, expect=409).json["code"] == "test_first"
