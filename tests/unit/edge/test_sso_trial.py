"""A sign-in that is only tried, how a connection fares, and domains whose people sign in by their provider alone."""

from urllib.parse import quote, urlsplit

import pytest

from tests.fakes.identity_provider import FakeIdentityProvider, pair, posted, signed
from tests.fakes.saml_browser import SAMLConnection, Visitor, connection_of
from tests.persons import Fields
from tests.signing_in import Browser
from tests.world import PASSWORD, URL, Reply, Tenant

SESSION = "__Host-platforma"
ANY = {"If-Match": "*"}


@pytest.fixture
def connection(tenant: Tenant) -> SAMLConnection:
    return connection_of(tenant)


@pytest.fixture
def ada(connection: SAMLConnection) -> Visitor:
    return Visitor(connection, Browser(connection.tenant.world))


def path(connection: SAMLConnection) -> str:
    return f"/v1/sso-connections/{connection.id}"


def link(connection: SAMLConnection) -> str:
    told = connection.tenant.call("POST", f"{path(connection)}/test", expect=200).json
    assert told["url"].startswith(URL)
    return told["url"].removeprefix(URL)


def tried(visitor: Visitor, **more) -> Reply:
    visitor.start(at=link(visitor.connection))
    return visitor.post(visitor.response(**more))


def health(connection: SAMLConnection) -> dict:
    return connection.tenant.call("GET", f"{path(connection)}/health", expect=200).json


def changed(connection: SAMLConnection, body: dict) -> Reply:
    return connection.tenant.call("PATCH", path(connection), body, headers=ANY)


# A trial


def test_a_trial_shows_claims_matches_and_roles_and_changes_nothing(ada, tenant):
    before = tenant.call("GET", "/v1/users", expect=200).json["items"]

    reply = tried(ada, attributes={"email": ["ada@acme.test"], "groups": ["Engineers"], "team": ["<b>blue</b>"]})

    assert reply.status == 200
    for text in ("nobody was signed in", "ada@acme.test", "operator (Engineers)", "A user would be made", "team"):
        assert text in reply.text
    assert "<b>blue" not in reply.text
    assert SESSION not in ada.browser.cookies
    assert tenant.call("GET", "/v1/users", expect=200).json["items"] == before
    assert tenant.call("GET", path(ada.connection), expect=200).json["tested_at"]


def test_a_trial_tells_what_a_known_person_would_gain_and_lose(ada, tenant, world):
    ada.sign_in()

    other = Visitor(ada.connection, Browser(world))
    reply = tried(other, attributes={"email": ["ada@acme.test"], "groups": []})

    assert "This person is a user already" in reply.text
    assert "<dt>Gained</dt><dd>viewer</dd>" in reply.text
    assert "<dt>Lost</dt><dd>operator</dd>" in reply.text
    user = tenant.call("GET", f"/v1/users/{ada.browser.session.user_id}", expect=200).json
    assert user["mapped_roles"] == ["operator"]


def test_a_trial_that_fails_says_so_with_a_reference_and_passes_nothing(ada):
    reply = tried(ada, attributes={"email": ["ada@elsewhere.test"]})

    assert reply.status == 403
    assert health(ada.connection)["failures"][0]["reference"] == reply.request_id
    assert ada.connection.tenant.call("GET", path(ada.connection)).json["tested_at"] is None


def test_a_trials_link_used_twice_late_or_at_another_connection(ada, tenant, world):
    once, late = link(ada.connection), link(ada.connection)
    other = connection_of(tenant, name="Other", vouched=())
    ada.start(at=once)

    assert ada.browser.get(once).status == 404
    assert ada.browser.get(late.replace(ada.connection.id, other.id)).status == 404
    assert ada.browser.get(late[:-1] + ("0" if late[-1] != "0" else "1")).status == 404
    world.clock.move(minutes=11)
    assert ada.browser.get(late).status == 404


def test_a_trial_is_of_the_settings_as_they_were(ada):
    tried(ada)

    changed(ada.connection, {"saml": {"metadata_xml": FakeIdentityProvider().metadata()}})

    assert ada.connection.tenant.call("GET", path(ada.connection)).json["tested_at"] is None


def test_who_lacks_settings_manage_gets_no_trial(connection, world, tenant):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("POST", f"{path(connection)}/test", token=token).status == 403


# Health


def test_health_tells_of_sign_ins_failures_in_words_certificates_and_domains(ada, world):
    assert health(ada.connection)["status"] == "unused"
    ada.sign_in()
    again = Visitor(ada.connection, Browser(world))
    again.start()
    world.clock.move(seconds=1)
    failed = again.post("bm9uc2Vuc2U=")

    told = health(ada.connection)

    assert told["status"] == "failing"
    assert [each["user_id"] for each in told["last_sign_ins"]] == [ada.browser.session.user_id]
    (failure,) = told["failures"]
    assert (failure["reference"], failure["code"]) == (failed.request_id, "assertion_rejected")
    assert failure["why"] == "The message is not XML in base64."
    assert [each["status"] for each in told["certificates"]] == ["good"]
    assert told["domains"] == [{"domain": "acme.test", "owned": True}]


def test_health_forgets_after_seven_days(ada, world):
    ada.sign_in()
    world.clock.move(days=7, minutes=1)

    assert health(ada.connection)["last_sign_ins"] == []


def test_a_certificate_that_ends_and_one_that_has_ended_are_told_of(tenant, world):
    metadata = FakeIdentityProvider(pairs=(pair("soon", days=20),)).metadata()
    connection = connection_of(tenant, saml={"metadata_xml": metadata})

    assert [each["status"] for each in health(connection)["certificates"]] == ["ending"]
    world.clock.move(days=21)
    assert (health(connection)["status"], health(connection)["certificates"][0]["status"]) == ("failing", "expired")
    ada = Visitor(connection, Browser(world))
    ada.start()
    saying = connection.saying(ada.request_id)
    ada.post(posted(signed(saying.response(saying.assertion()), pair("soon", days=20))))
    assert "signed with a certificate that expired on" in health(connection)["failures"][0]["why"]


# Enforcement


def password(tenant: Tenant, email: str) -> Reply:
    browser = Browser(tenant.world)
    page = browser.get(f"/login?tenant={tenant.id}")
    form = {name: Fields(page.text).hidden[name] for name in ("token", "tenant")}
    return browser.post("/login", {**form, "email": email, "password": PASSWORD})


def test_sso_is_enforced_only_after_a_trial_and_with_somebody_who_breaks_glass(ada, tenant):
    assert changed(ada.connection, {"enforced": True}).json["code"] == "test_first"
    tried(ada)
    assert changed(ada.connection, {"enforced": True}).json["code"] == "break_glass_needed"
    eve = tenant.user("eve@acme.test")
    assert changed(ada.connection, {"enforced": True, "break_glass": [eve]}).json["code"] == "break_glass_needed"

    reply = changed(ada.connection, {"enforced": True, "break_glass": [tenant.admin_id]})

    assert (reply.status, reply.json["enforced"]) == (200, True)
    assert changed(ada.connection, {"break_glass": []}).json["code"] == "break_glass_needed"


def enforced(ada: Visitor) -> None:
    tried(ada)
    body = {"enforced": True, "break_glass": [ada.connection.tenant.admin_id]}
    assert changed(ada.connection, body).status == 200


def test_passwords_are_refused_for_an_enforced_domains_people_and_not_for_who_breaks_glass(ada, tenant):
    tenant.user("eve@acme.test")
    tenant.user("bob@elsewhere.test")
    enforced(ada)

    refused = password(tenant, "eve@acme.test")

    assert refused.status == 403
    assert "through its identity provider" in refused.text
    assert not any(cookie.startswith(f"{SESSION}=") for cookie in refused.cookies)
    assert password(tenant, "admin@acme.test").status == 303
    assert password(tenant, "bob@elsewhere.test").status == 303
    assert tenant.events(action="oauth.login.submit", result="denied")[0]["reason"] == "sso_required"


def test_an_address_typed_otherwise_does_not_get_around_enforcement(ada, tenant):
    tenant.user("eve@acme.test")
    enforced(ada)

    for typed in ("EVE@ACME.TEST", "eve@\uff41cme.test", "\uff45ve@acme.test"):
        assert password(tenant, typed).status == 403


def test_enforcement_that_is_lifted_or_whose_domain_is_lost_binds_nobody(ada, tenant):
    tenant.user("eve@acme.test")
    enforced(ada)
    tenant.call("DELETE", "/v1/domains/acme.test", headers=ANY, expect=204)
    assert password(tenant, "eve@acme.test").status == 303

    changed(ada.connection, {"enforced": False})
    assert password(tenant, "eve@acme.test").status == 303


def test_when_nobody_can_break_glass_any_more_administrators_sign_in_by_password(ada, tenant):
    tenant.user("eve@acme.test")
    tenant.user("zoe@acme.test", roles=("admin",))
    enforced(ada)
    assert password(tenant, "zoe@acme.test").status == 403
    tenant.call("DELETE", f"/v1/users/{tenant.admin_id}", headers=ANY, expect=204)

    assert password(tenant, "zoe@acme.test").status == 303
    assert password(tenant, "eve@acme.test").status == 403


def test_enforced_people_sign_in_by_the_provider(ada, world):
    enforced(ada)

    visitor = Visitor(ada.connection, Browser(world))
    assert visitor.sign_in(quote("/factors")).status == 303
    assert urlsplit(visitor.browser.get("/factors").headers.get("location", "/factors")).path == "/factors"
