"""People sign in by a SAML provider, from our metadata to the session."""

from urllib.parse import quote

import jwt
from lxml import etree
from signxml import XMLVerifier

from platforma import bootstrap
from platforma.sso.profile import ADDRESS_AS_NAME
from tests.fakes.identity_provider import encrypted, posted, signed
from tests.fakes.saml_browser import Visitor, connection_of
from tests.signing_in import REDIRECT_URI, Browser, app_of, page_of
from tests.unit.edge.saml.looking import refused, user_of, why
from tests.world import URL

METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"


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
