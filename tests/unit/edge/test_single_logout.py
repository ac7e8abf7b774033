"""Single logout, both ways, and everything that must not end anybody's session."""

import base64
import re
import zlib
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml import XMLVerifier

from platforma import bootstrap
from tests.fakes.identity_provider import PERSISTENT, SAML, SAMLP, Pair, identifier, pair, posted, signed
from tests.fakes.saml_browser import SAMLConnection, Visitor, connection_of
from tests.persons import Fields
from tests.signing_in import Browser
from tests.world import URL, Reply, Tenant

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


@pytest.fixture
def connection(tenant: Tenant) -> SAMLConnection:
    return connection_of(tenant)


@pytest.fixture
def ada(connection: SAMLConnection) -> Visitor:
    made = Visitor(connection, Browser(connection.tenant.world))
    made.sign_in()
    return made


def request(visitor: Visitor, **more: str | None) -> str:
    """A logout request of the provider's, unsigned, with *more* in place of what is usual."""
    connection = visitor.connection
    now = connection.tenant.world.clock()
    said = {
        "issuer": "https://idp.test/saml",
        "destination": f"{URL}{connection.path}/slo",
        "name": "ada-1",
        "index": "s1",
        "issued": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    } | more
    index = f"<samlp:SessionIndex>{said['index']}</samlp:SessionIndex>" if said["index"] else ""
    return (
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{identifier()}" Version="2.0" '
        f'IssueInstant="{said["issued"]}" Destination="{said["destination"]}"><saml:Issuer>{said["issuer"]}</saml:Issuer>'
        f'<saml:NameID Format="{PERSISTENT}">{said["name"]}</saml:NameID>{index}</samlp:LogoutRequest>'
    )


def by_redirect(document: str, by: Pair | None = None, *, lower: bool = False, algorithm: str = RSA_SHA256) -> str:
    """The query that carries *document* by redirect, signed; percent-encodings in lower case as some send them."""
    deflater = zlib.compressobj(wbits=-15)
    message = base64.b64encode(deflater.compress(document.encode()) + deflater.flush()).decode()

    def encoded(text: str) -> str:
        made = quote(text, safe="")
        return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), made) if lower else made

    query = f"SAMLRequest={encoded(message)}&RelayState=r1&SigAlg={encoded(algorithm)}"
    signature = (by or pair()).key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{query}&Signature={quote(base64.b64encode(signature).decode(), safe='')}"


def ask(visitor: Visitor, query: str) -> Reply:
    return visitor.connection.tenant.world.call("GET", f"{visitor.connection.path}/slo?{query}")


def refused(reply: Reply, visitor: Visitor) -> None:
    assert reply.status == 422, reply.text
    assert visitor.browser.session is not None


@pytest.mark.parametrize("lower", [False, True])
def test_the_provider_ends_a_session_by_redirect_and_is_answered(ada, lower, tenant):
    session = ada.browser.session

    reply = ask(ada, by_redirect(request(ada), lower=lower))

    assert reply.status == 302
    assert ada.browser.session is None
    answer = {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}
    assert (urlsplit(reply.headers["location"]).netloc, answer["RelayState"]) == ("idp.test", "r1")
    root = etree.fromstring(zlib.decompress(base64.b64decode(answer["SAMLResponse"]), -15))
    assert etree.QName(root).localname == "LogoutResponse"
    assert root.get("InResponseTo")
    (event,) = tenant.events(action="sso.sign_outs.start", resource=session.id)
    assert event["user_id"] == session.user_id


def test_the_provider_ends_a_session_by_post(ada):
    form = {"SAMLRequest": posted(signed(request(ada)))}

    reply = ada.connection.tenant.world.call("POST", f"{ada.connection.path}/slo", form=form)

    assert reply.status == 302
    assert ada.browser.session is None


def test_only_the_sessions_that_the_provider_names_end_and_all_where_it_names_none(ada, world):
    other = Visitor(ada.connection, Browser(world))
    other.sign_in()

    ask(ada, by_redirect(request(ada, index="another")))
    assert ada.browser.session is not None
    ask(ada, by_redirect(request(ada, index=None)))

    assert (ada.browser.session, other.browser.session) == (None, None)


def test_a_session_by_a_password_is_none_of_the_providers(ada, tenant, world):
    user_id = ada.browser.session.user_id
    own = Browser(world)
    own.sign_in(tenant.id, user_id)

    ask(ada, by_redirect(request(ada, index=None)))

    assert own.session is not None
    assert ada.browser.session is None


def test_an_unsigned_logout_request(ada):
    query = by_redirect(request(ada))

    refused(ask(ada, query.partition("&Signature=")[0]), ada)
    form = {"SAMLRequest": posted(request(ada))}
    refused(ada.connection.tenant.world.call("POST", f"{ada.connection.path}/slo", form=form), ada)


def test_a_logout_request_signed_by_somebody_else_or_changed_since(ada):
    query = by_redirect(request(ada))

    refused(ask(ada, by_redirect(request(ada), pair("thief"))), ada)
    refused(ask(ada, query.replace("RelayState=r1", "RelayState=r2")), ada)
    refused(ask(ada, by_redirect(request(ada), algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1")), ada)


def test_a_logout_request_shown_twice_or_late(ada, world):
    query = by_redirect(request(ada, index="another"))
    old = (world.clock() - timedelta(minutes=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ask(ada, query).status == 302

    refused(ask(ada, query), ada)
    refused(ask(ada, by_redirect(request(ada, issued=old))), ada)


@pytest.mark.parametrize("bent", [{"issuer": "https://evil.test"}, {"destination": "https://evil.test/slo"}, {"name": ""}])
def test_a_logout_request_for_somebody_else(ada, bent):
    refused(ask(ada, by_redirect(request(ada, **bent))), ada)


def test_a_logout_request_about_a_stranger_ends_nothing(ada):
    assert ask(ada, by_redirect(request(ada, name="eve-1"))).status == 302
    assert ada.browser.session is not None


def test_a_logout_request_that_inflates_without_end(ada):
    deflater = zlib.compressobj(9, wbits=-15)
    bomb = base64.b64encode(deflater.compress(b" " * (8 << 20)) + deflater.flush()).decode()
    query = f"SAMLRequest={quote(bomb, safe='')}&SigAlg={quote(RSA_SHA256, safe='')}"
    signature = base64.b64encode(pair().key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()

    refused(ask(ada, f"{query}&Signature={quote(signature, safe='')}"), ada)


def sign_out(visitor: Visitor) -> Reply:
    page = visitor.browser.get("/sign-out")
    assert "https://idp.test" in page.headers["content-security-policy"]
    return visitor.browser.post("/sign-out", {"token": Fields(page.text).hidden["token"]})


def test_who_signs_out_here_signs_out_at_the_provider_too(ada, world):
    sid = ada.browser.session.id
    reply = sign_out(ada)

    assert reply.status == 303
    assert bootstrap.parts.oauth.sessions().get(sid).ended_at is not None
    asked = world.call("GET", reply.headers["location"])
    sent = {name: values[0] for name, values in parse_qs(urlsplit(asked.headers["location"]).query).items()}
    root = etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"]), -15))
    name = root.find(f"{{{SAML}}}NameID")
    assert (name.text, name.get("Format")) == ("ada-1", PERSISTENT)
    assert root.findtext(f"{{{SAMLP}}}SessionIndex") == "s1"
    query = urlencode({"SAMLResponse": "x"})
    assert world.call("GET", f"{ada.connection.path}/slo?{query}").headers["location"] == "/sign-out"


def test_a_providers_place_for_posts_gets_a_signed_form(ada, world, tenant):
    services = (
        '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.test/out"/>'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.test/in"/>'
    )
    metadata = ada.connection.provider.metadata(services=services).replace(
        '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        'Location="https://idp.test/slo"/>',
        "",
    )
    body = {"saml": {"metadata_xml": metadata}}
    path = f"/v1/sso-connections/{ada.connection.id}"
    tenant.call("PATCH", path, body, headers={"If-Match": "*"}, expect=200)

    reply = world.call("GET", sign_out(ada).headers["location"])

    assert reply.status == 200
    assert 'action="https://idp.test/out"' in reply.text
    message = base64.b64decode(reply.text.partition('name="SAMLRequest" value="')[2].partition('"')[0])
    ours = bootstrap.parts.sso.provider_keys().read(bootstrap.parts.sso.connections().get(ada.connection.id))[0][0]
    lines = "\n".join(ours.certificate[at : at + 64] for at in range(0, len(ours.certificate), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    XMLVerifier().verify(etree.fromstring(message), x509_cert=pem, id_attribute="ID")


def test_a_sign_out_link_that_is_forged_or_old(ada, world):
    where = sign_out(ada).headers["location"]

    assert world.call("GET", where[:-1] + ("0" if where[-1] != "0" else "1")).status == 404
    assert world.call("GET", f"{ada.connection.path}/slo?out=x").status == 404
    assert world.call("GET", f"{ada.connection.path}/slo").status == 404
    world.clock.move(minutes=6)
    assert world.call("GET", where).status == 404
