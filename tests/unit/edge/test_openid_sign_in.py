"""People sign in by an OpenID provider, and everything that must not sign anybody in."""

import base64
from urllib.parse import quote, unquote

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from platforma import bootstrap
from platforma.oauth.client_keys import ClientKeys
from tests.fakes.openid_provider import ISSUER, SECRET, FakeOpenIDProvider, OpenIDVisitor, callback
from tests.signing_in import Browser, app_of, page_of
from tests.world import Reply, Tenant, World

SESSION = "__Host-platforma"


@pytest.fixture
def provider(world: World, monkeypatch) -> FakeOpenIDProvider:
    made = FakeOpenIDProvider(world.clock)
    monkeypatch.setattr(bootstrap.parts.ground, "fetch", lambda: made)
    monkeypatch.setitem(bootstrap.oidc.ports, "calls", lambda: made)
    monkeypatch.setitem(bootstrap.oidc.ports, "client_keys", lambda: ClientKeys(made, world.clock))
    return made


def connected(world: World, tenant: Tenant, **oidc) -> str:
    token = world.token(world.platform_client)
    body = {"domain": "acme.test", "tenant_id": tenant.id, "vouched": True}
    world.call("POST", "/v1/domains", token=token, json_body=body)
    connection = {
        "name": "Entra",
        "type": "oidc",
        "domains": ["acme.test"],
        "oidc": {"issuer": ISSUER, "client_id": "client", "client_secret": SECRET} | oidc,
        "group_mappings": [{"group": "Engineers", "role": "operator"}],
        "provisioning": {"jit": True, "default_roles": ["viewer"]},
    }
    connection["oidc"] = {name: value for name, value in connection["oidc"].items() if value is not None}
    return str(tenant.call("POST", "/v1/sso-connections", connection, expect=201).json["id"])


@pytest.fixture
def ada(world, tenant, provider) -> OpenIDVisitor:
    return OpenIDVisitor(tenant, connected(world, tenant), provider, Browser(world))


def refused(reply: Reply, visitor: OpenIDVisitor) -> str:
    """Why nobody is signed in, as it is kept under the reference that the person is shown."""
    assert 400 <= reply.status < 500, reply.text
    assert reply.request_id in reply.text
    assert SESSION not in visitor.browser.cookies
    traces = bootstrap.parts.sso.traces().latest(visitor.tenant.id, visitor.connection_id, limit=50)
    return next((each.why or "" for each in traces if each.reference == reply.request_id), "")


def user_of(visitor: OpenIDVisitor) -> dict:
    session = visitor.browser.session
    assert session is not None
    return visitor.tenant.call("GET", f"/v1/users/{session.user_id}", expect=200).json


def test_a_person_signs_in_by_code_with_pkce_and_has_the_roles_of_the_mapping(ada, provider):
    asked = ada.start()
    reply = ada.back()

    assert (reply.status, reply.headers["location"]) == (303, "/factors")
    assert (asked["response_type"], asked["code_challenge_method"], asked["x"]) == ("code", "S256", "1")
    assert asked["redirect_uri"] == callback(ada) == provider.forms[0]["redirect_uri"]
    user = user_of(ada)
    assert (user["email"], user["name"], user["mapped_roles"]) == ("ada@acme.test", "Ada", ["operator"])


def test_we_authenticate_by_the_secret_that_vault_keeps(ada, provider):
    provider.userinfo = {"sub": "ada-1"}
    ada.start()
    provider.headers = {}
    ada.back()

    # The last call was the token's: the ID token had all that was looked for.
    name, _, secret = base64.b64decode(provider.headers["Authorization"].partition(" ")[2]).decode().partition(":")
    assert (name, unquote(secret)) == ("client", SECRET)


def test_we_authenticate_by_the_form_where_the_provider_takes_nothing_else(ada, provider):
    provider.configuration = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert ada.sign_in().status == 303
    assert provider.forms[0]["client_secret"] == SECRET


def test_we_authenticate_by_a_key_that_we_publish_where_there_is_no_secret(world, tenant, provider):
    ada = OpenIDVisitor(tenant, connected(world, tenant, client_secret=None), provider, Browser(world))

    assert ada.sign_in().status == 303

    keys = world.call("GET", f"{ada.path}/keys").json["keys"]
    assert len(keys) == 2
    assert all("d" not in key for key in keys)
    assertion = provider.forms[0]["client_assertion"]
    kid = jwt.get_unverified_header(assertion)["kid"]
    key = jwt.PyJWK(next(each for each in keys if each["kid"] == kid)).key
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(assertion, key, algorithms=["RS256"], audience=ISSUER, options=options)
    assert (claims["iss"], claims["sub"]) == ("client", "client")


def test_what_the_id_token_lacks_is_asked_of_userinfo(ada, provider):
    provider.claims = {"sub": "ada-1"}
    provider.userinfo = {"sub": "ada-1", "email": "ada@acme.test", "groups": ["Engineers"]}

    assert ada.sign_in().status == 303
    assert user_of(ada)["mapped_roles"] == ["operator"]


def test_a_rotated_key_is_found(ada, provider, world):
    assert ada.sign_in().status == 303
    provider.rotate()
    world.clock.move(minutes=1)

    again = OpenIDVisitor(ada.tenant, ada.connection_id, provider, Browser(world))

    assert again.sign_in().status == 303


def test_tokens_say_how_the_provider_authenticated_the_person(ada, provider):
    provider.claims |= {"amr": ["pwd", "otp", "mfa", "made up", 7]}

    ada.sign_in()

    assert ada.browser.session.amr == ("fed", "mfa", "otp", "pwd")
    assert ada.browser.session.acr == "urn:platforma:acr:aal2"


def test_a_fresh_authentication_is_asked_for_and_required(ada, provider, world):
    app = app_of(ada.tenant)
    _, flow = page_of(ada.browser.get(app.link(prompt="login")))
    asked = ada.start(f"?return_to={quote(f'/oauth2/authorize?flow={flow}', safe='')}")
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    provider.claims |= {"auth_time": int(world.clock().timestamp()) - 600}

    assert "fresh authentication" in refused(ada.back(), ada)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.test"}, "another issuer"),
        ({"aud": "another"}, "another client"),
        ({"aud": ["client", "another"]}, "made for another client"),
        ({"aud": ["client", "another"], "azp": "another"}, "made for another client"),
        ({"azp": "another"}, "made for another client"),
        ({"nonce": "another"}, "another browser"),
        ({"nonce": None}, "another browser"),
        ({"sub": None}, "names nobody"),
        ({"sub": 7}, "names nobody"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "no usable times"),
        ({"iat": None}, "no usable times"),
        ({"iat": True}, "no usable times"),
        ({"nbf": 2**39}, "not good yet"),
        ({"at_hash": "wrong"}, "do not belong together"),
        ({"email_verified": False}, "not verified"),
        ({"email": "ceo@victim.test"}, "not for the domain victim.test"),
        ({"email": None}, "no e-mail address"),
        ({"groups": None, "_claim_names": {"groups": "src1"}}, "too many"),
        ({"groups": {"a": 1}}, "neither a text"),
    ],
)
def test_a_token_that_says_something_else(ada, provider, claims, reason):
    provider.claims |= claims

    assert reason in refused(ada.sign_in(), ada)


def test_a_token_without_a_signature(ada, provider, monkeypatch):
    said = {"iss": ISSUER, "aud": "client", "sub": "ada-1", "email": "ada@acme.test"}
    monkeypatch.setattr(provider, "token", lambda: jwt.encode(said, None, algorithm="none"))

    assert refused(ada.sign_in(), ada) == "The ID token is signed by none, which is not taken."


def test_a_token_signed_by_a_mac_under_the_providers_public_key(ada, provider, monkeypatch):
    public = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    monkeypatch.setattr(
        provider, "token", lambda: f"{header}.e30.{base64.urlsafe_b64encode(public[:32]).decode().rstrip('=')}"
    )

    assert "HS256" in refused(ada.sign_in(), ada)


def test_a_token_signed_by_another_key_of_the_same_name(ada, provider):
    provider.published = [provider.jwk()]
    provider.key = rsa.generate_private_key(65537, 2048)

    assert "not signed by a key" in refused(ada.sign_in(), ada)


def test_userinfo_about_somebody_else(ada, provider):
    provider.claims = {"sub": "ada-1"}
    provider.userinfo = {"sub": "eve", "email": "ada@acme.test"}

    assert "somebody else" in refused(ada.sign_in(), ada)


def test_a_mix_up_of_two_providers(ada, provider):
    ada.start()
    assert "another issuer" in refused(ada.back(iss="https://evil.test"), ada)
    ada.start()
    assert "another issuer" in refused(ada.back(iss=None), ada)
    assert not provider.forms


def test_an_answer_in_another_browser(ada, provider, world):
    ada.start()
    victim = OpenIDVisitor(ada.tenant, ada.connection_id, provider, Browser(world))

    refused(victim.back(), victim)
    assert not provider.forms


def test_a_state_of_which_only_the_handle_is_right(ada, provider):
    state = ada.start()["state"]

    assert "another browser" in refused(ada.back(state=state[:16] + "x" * 43), ada)


def test_an_answer_shown_twice(ada, provider):
    ada.start()
    name = next(each for each in ada.browser.cookies if each.startswith("__Host-platforma-sso-"))
    kept = ada.browser.cookies[name]
    assert ada.back().status == 303
    ada.browser.cookies = {name: kept}

    assert "used before" in refused(ada.back(), ada)
    assert len(provider.forms) == 1


def test_a_provider_that_says_no_or_breaks(ada, provider, world):
    ada.start()
    assert "access_denied" in refused(ada.back(code=None, error="access_denied"), ada)
    provider.token_status = 400
    assert "400 invalid_grant" in refused(ada.sign_in(), ada)
    provider.gone = True
    world.clock.move(minutes=11)
    assert ada.browser.get(f"{ada.path}/start").status == 422


@pytest.mark.parametrize(
    "configuration",
    [
        *({"issuer": "https://other.test"}, {"token_endpoint": "http://op.test/token"}, {"jwks_uri": None}),
        *({"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "https://user@op.test/"}),
    ],
)
def test_a_configuration_of_another_issuer_or_with_endpoints_that_are_none(ada, provider, configuration):
    provider.configuration = configuration

    assert ada.browser.get(f"{ada.path}/start").status == 422


def test_an_issuer_inside_is_never_called(world, tenant, monkeypatch):
    made = connected(world, tenant, issuer="https://127.0.0.1:8443")

    assert Browser(world).get(f"/sso/{made}/start").status == 422


def test_saml_and_openid_do_not_answer_for_each_other(ada, world):
    assert world.call("GET", f"{ada.path}/metadata").status == 404
    assert world.call("POST", f"{ada.path}/acs", form={"SAMLResponse": "x"}).status == 404


def test_strangers_write_nothing(ada, provider, tenant):
    ada.provider.asked = {"state": "x" * 59, "nonce": "n"}

    refused(ada.back(), ada)

    assert not [each for each in tenant.events() if each["action"].startswith("sso.")]
