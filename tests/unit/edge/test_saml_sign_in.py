"""People sign in by a SAML provider, and everything that must not sign anybody in."""

from urllib.parse import quote

import jwt
import pytest
from lxml import etree
from signxml import XMLVerifier

from platforma import bootstrap
from platforma.sso.profile import ADDRESS_AS_NAME
from tests.fakes.identity_provider import encrypted, pair, posted, signed
from tests.fakes.saml_browser import SAMLConnection, Visitor, connection_of
from tests.persons import Fields
from tests.signing_in import REDIRECT_URI, TWO_FACTORS, Browser, app_of, page_of
from tests.world import URL, Reply, Tenant

SESSION = "__Host-platforma"
METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"


@pytest.fixture
def connection(tenant: Tenant) -> SAMLConnection:
    return connection_of(tenant)


@pytest.fixture
def ada(connection: SAMLConnection) -> Visitor:
    return Visitor(connection, Browser(connection.tenant.world))


def session_of(visitor: Visitor):
    return visitor.browser.session


def user_of(visitor: Visitor) -> dict:
    session = visitor.browser.session
    assert session is not None
    return visitor.connection.tenant.call("GET", f"/v1/users/{session.user_id}", expect=200).json


def refused(reply: Reply, visitor: Visitor) -> str:
    """The reference that the person is shown; nobody is signed in."""
    assert 400 <= reply.status < 500, reply.text
    assert not any(cookie.startswith(f"{SESSION}=") for cookie in reply.cookies)
    assert reply.request_id in reply.text
    assert SESSION not in visitor.browser.cookies
    return reply.request_id


def why(connection: SAMLConnection, reference: str) -> str:
    traces = bootstrap.parts.sso.traces().latest(connection.tenant.id, connection.id, limit=50)
    return next(each.why for each in traces if each.reference == reference) or ""


# Our side


def test_our_metadata_is_signed_and_has_the_current_and_the_next_certificate(world, connection):
    reply = world.call("GET", f"{connection.path}/metadata")

    assert (reply.status, reply.headers["content-type"]) == (200, "application/samlmetadata+xml")
    root = etree.fromstring(reply.text.encode())
    assert root.get("entityID") == f"{URL}{connection.path}/metadata"
    keys = root.findall(f".//{METADATA}KeyDescriptor[@use='signing']//{{*}}X509Certificate")
    assert len({key.text for key in keys}) == 2
    lines = "\n".join(keys[0].text[at : at + 64] for at in range(0, len(keys[0].text), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    XMLVerifier().verify(root, x509_cert=pem, id_attribute="ID")
    assert world.call("GET", f"{connection.path}/metadata").text.count(keys[0].text) == 2


def test_a_sign_in_begins_with_a_request_of_ours_and_a_short_lived_cookie_that_comes_back_from_other_sites(ada):
    request = ada.start()

    assert request.get("AssertionConsumerServiceURL") == f"{URL}{ada.connection.path}/acs"
    (cookie,) = (name for name in ada.browser.cookies if name.startswith("__Host-platforma-sso-"))
    assert cookie.removeprefix("__Host-platforma-sso-") == ada.relay
    line = ada.browser.get(f"{ada.connection.path}/start").cookies[0]
    assert all(part in line for part in ("Path=/", "Secure", "HttpOnly", "SameSite=None", "Max-Age=600"))


def test_a_provider_that_takes_posts_alone_gets_the_request_by_a_form(tenant):
    metadata = connection_of(tenant).provider.metadata(
        services='<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        'Location="https://idp.test/sso/post"/>'
    )
    connection = connection_of(tenant, saml={"metadata_xml": metadata})

    reply = Browser(tenant.world).get(f"{connection.path}/start")

    assert reply.status == 200
    assert 'action="https://idp.test/sso/post"' in reply.text
    assert 'name="SAMLRequest"' in reply.text
    assert "form-action https://idp.test;" in reply.headers["content-security-policy"]


# Signing in


def test_a_person_signs_in_is_made_and_has_the_roles_of_the_mapping(ada, tenant):
    reply = ada.sign_in()

    assert (reply.status, reply.headers["location"]) == (303, "/factors")
    user = user_of(ada)
    assert (user["email"], user["status"], user["roles"]) == ("ada@acme.test", "active", [])
    assert (user["mapped_roles"], user["managed_by"], user["connection_id"]) == (["operator"], "jit", ada.connection.id)
    sources = tenant.call("GET", f"/v1/users/{user['id']}/roles?explain=true", expect=200).json["sources"]
    assert [(each["role"], each["managed_by"], each["mapped_group"]) for each in sources] == [
        ("operator", "mapping", "Engineers")
    ]
    made = tenant.events(resource=user["id"], action="sso.assertions.consume")
    assert made[0]["changes"]["after"]["mapped_roles"] == ["operator"]
    assert (made[0]["user_id"], made[0]["result"]) == (user["id"], "success")


def test_the_same_person_is_the_same_user_and_follows_the_provider(ada, world):
    ada.sign_in()
    first = user_of(ada)
    again = Visitor(ada.connection, Browser(world))

    again.sign_in(attributes={"email": ["ada.l@acme.test"], "name": ["Ada L"], "groups": ["Sales"]})

    user = user_of(again)
    assert user["id"] == first["id"]
    assert (user["email"], user["name"], user["mapped_roles"]) == ("ada.l@acme.test", "Ada L", ["viewer"])


def test_a_role_goes_with_its_group_and_one_given_by_hand_stays(ada, tenant, world):
    ada.sign_in()
    user = user_of(ada)
    path = f"/v1/users/{user['id']}"
    tenant.call("PUT", f"{path}/roles", {"roles": ["billing"]}, headers={"If-Match": "*"}, expect=200)

    Visitor(ada.connection, Browser(world)).sign_in(attributes={"email": ["ada@acme.test"], "groups": []})

    assert tenant.call("GET", f"{path}/roles", expect=200).json["roles"] == ["billing", "viewer"]
    event = tenant.events(resource=user["id"], action="sso.assertions.consume")[0]
    assert event["changes"] == {"before": {"mapped_roles": ["operator"]}, "after": {"mapped_roles": ["viewer"]}}


def test_a_connection_that_takes_no_roles_away_takes_none_away(tenant, world):
    rules = {"jit": True, "deprovision_on_group_loss": False}
    connection = connection_of(tenant, provisioning=rules)
    ada = Visitor(connection, Browser(world))
    ada.sign_in()

    Visitor(connection, Browser(world)).sign_in(attributes={"email": ["ada@acme.test"], "groups": []})

    assert user_of(ada)["mapped_roles"] == ["operator"]


def test_a_sign_in_without_a_change_writes_the_user_not_at_all(ada, world):
    ada.sign_in()
    version = user_of(ada)["version"]

    Visitor(ada.connection, Browser(world)).sign_in()

    assert user_of(ada)["version"] == version


def test_tokens_say_how_and_when_the_provider_authenticated_the_person(ada, world):
    app = app_of(ada.connection.tenant, first_party=True)
    _, flow = page_of(ada.browser.get(app.link()))
    back = quote(f"/oauth2/authorize?flow={flow}", safe="")
    earlier = world.clock().replace(microsecond=0)
    ada.start(back)
    world.clock.move(seconds=50)
    reply = ada.post(ada.response(now=earlier))

    assert reply.headers["location"] == f"/oauth2/authorize?flow={flow}"
    code = ada.browser.get(reply.headers["location"]).headers["location"]
    tokens = app.redeem(code.partition("code=")[2].partition("&")[0]).json
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["amr"], claims["acr"]) == (["fed", "pwd"], "urn:platforma:acr:aal1")
    assert claims["auth_time"] == int(earlier.timestamp())
    assert claims["roles"] == ["operator"]


def test_a_second_factor_at_the_provider_is_one_here(ada):
    told = {
        "http://schemas.microsoft.com/claims/authnmethodsreferences": ["http://schemas.microsoft.com/claims/multipleauthn"]
    }
    ada.sign_in(attributes={"email": ["ada@acme.test"], **told})

    assert ada.browser.session.acr == "urn:platforma:acr:aal2"


def test_who_asks_for_a_fresh_authentication_gets_no_older_one(ada, world):
    app = app_of(ada.connection.tenant)
    _, flow = page_of(ada.browser.get(app.link(prompt="login")))
    request = ada.start(quote(f"/oauth2/authorize?flow={flow}", safe=""))

    assert request.get("ForceAuthn") == "true"
    old = world.clock()
    world.clock.move(minutes=3)
    ada.start(quote(f"/oauth2/authorize?flow={flow}", safe=""))
    saying = ada.connection.saying(ada.request_id)
    instant = old.strftime("%Y-%m-%dT%H:%M:%SZ")
    late = saying.assertion().replace(f'AuthnInstant="{saying.now:%Y-%m-%dT%H:%M:%SZ}"', f'AuthnInstant="{instant}"')
    reference = refused(ada.post(posted(signed(saying.response(late)))), ada)
    assert "fresh authentication" in why(ada.connection, reference)


def test_an_encrypted_assertion_signs_in(ada, world):
    ada.start()
    root = etree.fromstring(world.call("GET", f"{ada.connection.path}/metadata").text.encode())
    key = root.find(f".//{METADATA}KeyDescriptor[@use='encryption']//{{*}}X509Certificate").text
    ours = bootstrap.parts.sso.provider_keys().read(bootstrap.parts.sso.connections().get(ada.connection.id))[0][0]
    assert ours.certificate == key
    to = type("To", (), {"key": ours.private_key()})()
    saying = ada.connection.saying(ada.request_id)
    sealed = encrypted(signed(saying.assertion()), to)

    reply = ada.post(posted(saying.response(sealed)))

    assert reply.status == 303, reply.text


def test_a_sign_in_leads_to_a_registered_redirect_uri_too(ada):
    app_of(ada.connection.tenant)

    assert ada.sign_in(quote(REDIRECT_URI, safe="")).headers["location"] == REDIRECT_URI


def test_a_name_that_is_an_address_is_the_address_where_no_attribute_is(ada, tenant, world):
    """As Okta sends it: a NameID and nothing besides. An attribute goes before it; the domain must be the connection's."""
    told = {"name_id": "ada@acme.test", "name_id_format": ADDRESS_AS_NAME}
    assert ada.sign_in(**told, attributes={"groups": ["Engineers"]}).status == 303
    assert user_of(ada)["email"] == "ada@acme.test"

    other = Visitor(ada.connection, Browser(world))
    other.sign_in(**(told | {"name_id": "u7@acme.test"}), attributes={"mail": ["bob@acme.test"]})
    assert user_of(other)["email"] == "bob@acme.test"

    third = Visitor(ada.connection, Browser(world))
    third.start()
    message = third.response(**(told | {"name_id": "eve@evil.test"}), attributes={"groups": ["Engineers"]})
    refused(third.post(message), third)


def test_a_session_that_was_there_is_renewed_and_another_persons_ends(ada, tenant, world):
    eve = tenant.user("eve@acme.test")
    other = ada.browser.sign_in(tenant.id, eve)
    ada.sign_in()
    mine = ada.browser.session

    ada.sign_in()

    assert bootstrap.parts.oauth.sessions().get(other.id).ended_at is not None
    assert ada.browser.session.id == mine.id


def test_a_provider_may_begin_a_sign_in_where_that_was_opted_in(tenant, world):
    connection = connection_of(tenant)
    body = {"saml": {"idp_initiated": True}}
    tenant.call("PATCH", f"/v1/sso-connections/{connection.id}", body, headers={"If-Match": "*"}, expect=200)
    ada = Visitor(connection, Browser(world))

    reply = ada.post(ada.response(request_id=None), relay="https://evil.test/")

    assert (reply.status, reply.headers["location"]) == (303, "/factors")
    assert user_of(ada)["email"] == "ada@acme.test"


# Who is linked, and who is not


def test_an_invited_user_is_linked_by_a_proved_domain_and_active_from_then_on(ada, tenant):
    body = {"email": "ada@acme.test", "name": "Ada", "roles": ["billing"]}
    invited = tenant.call("POST", "/v1/users", body, expect=201).json

    ada.sign_in()

    user = user_of(ada)
    assert (user["id"], user["status"], user["roles"]) == (invited["id"], "active", ["billing"])
    assert (user["managed_by"], user["mapped_roles"]) == ("manual", ["operator"])


def test_takeover_of_a_user_with_a_password_by_an_address(ada, tenant):
    tenant.user("ada@acme.test", roles=("admin",))

    reference = refused(ada.sign_in(), ada)

    assert "in another way already" in why(ada.connection, reference)
    (event,) = [each for each in tenant.events(action="sso.assertions.consume") if each["request_id"] == reference]
    assert (event["result"], event["reason"], event["principal_type"]) == ("denied", "signs_in_otherwise", "system")


def test_takeover_by_a_second_connection_of_the_tenant(ada, tenant, world):
    ada.sign_in()
    second = Visitor(connection_of(tenant, name="Second", vouched=()), Browser(world))

    refused(second.sign_in(), second)
    refused(second.sign_in(name_id="other", attributes={"email": ["ada@acme.test"]}), second)


def test_takeover_by_another_tenants_connection_for_the_domain(ada, world):
    ada.sign_in()
    other = world.tenant("other", "admin@other.test")
    theirs = Visitor(connection_of(other, vouched=()), Browser(world))

    reference = refused(theirs.sign_in(), theirs)

    assert "not proved" in why(theirs.connection, reference)


def test_nobody_is_provisioned_for_a_domain_that_is_not_proved(tenant, world):
    ada = Visitor(connection_of(tenant, vouched=()), Browser(world))

    refused(ada.sign_in(), ada)

    assert not [each for each in tenant.call("GET", "/v1/users").json["items"] if each["email"] == "ada@acme.test"]


def test_nobody_of_another_domain_signs_in_though_the_provider_says_so(ada):
    reference = refused(ada.sign_in(attributes={"email": ["ceo@victim.test"]}), ada)

    assert why(ada.connection, reference) == "The connection is not for the domain victim.test."


def test_a_known_person_whose_address_moves_to_another_domain_does_not_sign_in(ada, world):
    ada.sign_in()
    again = Visitor(ada.connection, Browser(world))

    refused(again.sign_in(attributes={"email": ["ada@elsewhere.test"]}), again)


def test_a_removed_user_does_not_come_back(ada, tenant, world):
    ada.sign_in()
    tenant.call("DELETE", f"/v1/users/{user_of(ada)['id']}", headers={"If-Match": "*"}, expect=204)
    again = Visitor(ada.connection, Browser(world))

    reference = refused(again.sign_in(), again)

    assert "removed" in why(ada.connection, reference)


def test_a_suspended_user_does_not_sign_in(ada, tenant, world):
    ada.sign_in()
    body = {"status": "suspended"}
    tenant.call("PATCH", f"/v1/users/{user_of(ada)['id']}", body, headers={"If-Match": "*"}, expect=200)
    again = Visitor(ada.connection, Browser(world))

    refused(again.sign_in(), again)


def test_a_connection_that_makes_nobody_makes_nobody(tenant, world):
    ada = Visitor(connection_of(tenant, provisioning={"jit": False}), Browser(world))

    refused(ada.sign_in(), ada)


def test_equal_names_of_two_formats_are_two_people(ada, world):
    ada.sign_in()
    other = Visitor(ada.connection, Browser(world))
    format_ = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

    refused(other.sign_in(name_id_format=format_), other)


def test_the_last_administrator_by_a_mapping_keeps_the_role_and_the_log_says_so(tenant, world):
    mapping = [{"group": "Engineers", "role": "admin"}]
    connection = connection_of(tenant, group_mappings=mapping, provisioning={"jit": True})
    ada = Visitor(connection, Browser(world))
    ada.sign_in()
    user = user_of(ada)
    _have_a_password(tenant, user["id"])
    body = {"status": "suspended"}
    tenant.call("PATCH", f"/v1/users/{tenant.admin_id}", body, headers={"If-Match": "*"}, expect=200)

    Visitor(connection, Browser(world)).sign_in(attributes={"email": ["ada@acme.test"], "groups": []})

    assert user_of(ada)["mapped_roles"] == ["admin"]
    reasons = [each.get("reason") for each in tenant.events(action="sso.assertions.consume")]
    assert "kept_last_administrator" not in reasons  # nothing changed, and so nothing was written


def _have_a_password(tenant: Tenant, user_id: str) -> None:
    directory = bootstrap.parts.identity.directory()
    before = directory.user(tenant.id, user_id)
    attempt = Browser(tenant.world).attempt(tenant.id, user_id, "settings.passwords.set")
    after = type(before)(**{name: getattr(before, name) for name in before.__slots__} | {"version": before.version + 1})
    directory.set_password(before, after, "a hash", attempt.event("success", resource=user_id))


# What signs nobody in


def test_replay_of_a_response(ada, world):
    ada.start()
    message = ada.response()
    assert ada.post(message).status == 303
    del ada.browser.cookies[SESSION]

    refused(ada.post(message), ada)


def test_replay_of_an_idp_initiated_response(tenant, world):
    connection = connection_of(tenant)
    body = {"saml": {"idp_initiated": True}}
    tenant.call("PATCH", f"/v1/sso-connections/{connection.id}", body, headers={"If-Match": "*"}, expect=200)
    ada, thief = Visitor(connection, Browser(world)), Visitor(connection, Browser(world))
    message = ada.response(request_id=None)
    assert ada.post(message).status == 303

    refused(thief.post(message), thief)


def test_a_response_to_another_browsers_request(ada, world):
    ada.start()
    victim = Visitor(ada.connection, Browser(world))
    victim.start()

    refused(victim.post(ada.response()), victim)
    refused(victim.post(ada.response(), relay=ada.relay), victim)


def test_a_response_at_the_acs_of_another_connection(ada, tenant, world):
    other = connection_of(tenant, name="Other", vouched=())
    ada.start()

    reply = ada.browser.post(f"{other.path}/acs", {"SAMLResponse": ada.response(), "RelayState": ada.relay})

    refused(reply, ada)


def test_a_flow_of_one_connection_is_none_at_another(ada, tenant, world):
    other = Visitor(connection_of(tenant, name="Other", vouched=()), ada.browser)
    ada.start()

    message = posted(signed((saying := other.connection.saying(ada.request_id)).response(saying.assertion())))

    refused(other.post(message, relay=ada.relay), other)


def test_a_flow_is_over_after_ten_minutes(ada, world):
    ada.start()
    world.clock.move(minutes=11)

    refused(ada.post(ada.response()), ada)


def test_a_forged_flow_cookie(ada):
    ada.start()
    name = f"__Host-platforma-sso-{ada.relay}"
    body, _, mac = ada.browser.cookies[name].partition(".")
    ada.browser.cookies[name] = f"{body}.{'0' * len(mac)}"

    refused(ada.post(ada.response()), ada)


def test_a_response_signed_by_somebody_else(ada):
    ada.start()
    saying = ada.connection.saying(ada.request_id)

    reference = refused(ada.post(posted(signed(saying.response(saying.assertion()), pair("thief")))), ada)

    assert "not one of the identity provider's" in why(ada.connection, reference)


def test_an_open_relay_state(ada):
    ada.start()

    refused(ada.post(ada.response(), relay="https://evil.test/"), ada)


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.test/", "//evil.test/", "/\\evil.test", "/login@evil.test", "javascript:alert(1)"),
        *(f"{URL}.evil.test/login", "/v1/users", "/login#x", "https:/login", "\t/login", f"{REDIRECT_URI}x"),
    ],
)
def test_an_open_redirect_by_return_to(ada, target):
    app_of(ada.connection.tenant)

    reply = ada.browser.get(f"{ada.connection.path}/start?return_to={quote(target, safe='')}")

    assert reply.status == 400
    assert "location" not in reply.headers


def test_return_to_a_redirect_uri_of_another_tenants_client(ada, world):
    app_of(world.tenant("other", "admin@other.test"))

    assert ada.browser.get(f"{ada.connection.path}/start?return_to={quote(REDIRECT_URI, safe='')}").status == 400


def test_strangers_write_nothing_into_a_tenants_log_or_its_connections_health(ada, tenant, world):
    before = len(tenant.events())
    stranger = Visitor(ada.connection, Browser(world))

    refused(stranger.post("bm9uc2Vuc2U="), stranger)
    refused(stranger.post(ada.response(request_id="_made_up")), stranger)
    stranger.browser.get(f"{ada.connection.path}/start")

    assert len([each for each in tenant.events() if each["action"].startswith("sso.")]) == 0
    assert len(tenant.events()) == before + 2  # the two searches themselves
    assert not bootstrap.parts.sso.traces().latest(tenant.id, ada.connection.id, limit=10)


def test_many_failures_of_one_address_are_not_kept_for_good(ada, tenant):
    ada.start()

    statuses = [ada.post("bm9uc2Vuc2U=").status for _ in range(25)]

    assert statuses[:20] == [422] * 20
    assert set(statuses[21:]) == {429}
    assert len([each for each in tenant.events(limit="200") if each["action"] == "sso.assertions.consume"]) <= 22


def test_a_connection_that_is_switched_off_deleted_or_of_a_tenant_that_is_gone_signs_nobody_in(tenant, world):
    connection = connection_of(tenant)
    path = f"/v1/sso-connections/{connection.id}"
    ada = Visitor(connection, Browser(world))
    ada.start()
    tenant.call("PATCH", path, {"enabled": False}, headers={"If-Match": "*"}, expect=200)

    assert ada.post(ada.response()).status == 404
    assert ada.browser.get(f"{connection.path}/start").status == 404
    tenant.call("DELETE", path, headers={"If-Match": "*"}, expect=204)
    assert world.call("GET", f"{connection.path}/metadata").status == 404


def test_bodies_that_are_no_form_and_things_that_are_no_connection(ada, world):
    assert world.call("POST", f"{ada.connection.path}/acs", raw=b"{}").status == 415
    assert world.call("GET", "/sso/nonsense/start").status == 404
    assert world.call("POST", "/sso/nonsense/acs", form={"SAMLResponse": "x"}).status == 404
    refused(ada.browser.post(f"{ada.connection.path}/acs", {}), ada)


# The page


def test_login_finds_the_connection_by_the_domain_of_an_address(ada, tenant, world):
    page = ada.browser.get("/login")
    token = Fields(page.text).hidden["token"]
    found = ada.browser.post("/login", {"token": token, "email": "Ada@ACME.test", "sso": "1"})

    assert found.status == 303
    assert found.headers["location"] == f"{ada.connection.path}/start?return_to=%2Ffactors"
    assert "form-action 'self' https:" in page.headers["content-security-policy"]
    assert ada.browser.post("/login", {"token": token, "email": "a@nobody.test", "sso": "1"}).status == 403


def test_login_of_a_tenant_with_a_connection_offers_it_and_goes_on_with_the_authorization(ada, tenant):
    app = app_of(tenant)
    _, flow = page_of(ada.browser.get(app.link()))
    page = ada.browser.get(f"/login?flow={flow}")
    hidden = Fields(page.text).hidden

    assert 'name="sso"' in page.text
    assert "https://idp.test" in page.headers["content-security-policy"]
    form = {"token": hidden["token"], "flow": flow, "email": "ada@acme.test", "password": "", "sso": "1"}
    reply = ada.browser.post("/login", form)
    ada.start(at=reply.headers["location"])
    assert ada.post(ada.response()).headers["location"] == f"/oauth2/authorize?flow={flow}"


def test_a_domain_of_another_tenant_leads_nowhere_from_a_tenants_own_page(ada, world):
    other = world.tenant("other", "admin@other.test")
    page = ada.browser.get(f"/login?tenant={other.id}")
    form = {**Fields(page.text).hidden, "email": "ada@acme.test", "sso": "1"}

    assert ada.browser.post("/login", {name: form[name] for name in ("token", "tenant", "email", "sso")}).status == 403


def test_two_factors_here_and_one_there_are_not_mixed(ada, tenant):
    eve = tenant.user("eve@acme.test")
    ada.browser.sign_in(tenant.id, eve, TWO_FACTORS)

    ada.sign_in()

    assert ada.browser.session.acr == "urn:platforma:acr:aal1"
