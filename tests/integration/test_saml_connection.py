"""A SAML connection of the deployed system through its life: metadata by address, trial, enforcement, groups, sign-outs."""

import base64
import json
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from tests.connected import ANY, connected
from tests.fakes.identity_provider import (
    PERSISTENT,
    SAML,
    SAMLP,
    FakeIdentityProvider,
    Pair,
    Saying,
    identifier,
    pair,
    posted,
    signed,
)
from tests.integration.conftest import Running
from tests.peer import Peer, serving
from tests.visiting import Person, signed_in
from tests.world import PASSWORD

FIRST, NEXT = pair("idp"), pair("next", days=10)
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


@dataclass
class Provider:
    """The provider of a connection, whose metadata stands behind an address that the system reads."""

    running: Running
    token: str
    site: Peer
    id: str = ""
    domain: str = ""
    says: FakeIdentityProvider = field(default_factory=FakeIdentityProvider)

    def publish(self, *pairs: Pair) -> None:
        """Name these certificates from now on."""
        document = FakeIdentityProvider(pairs=pairs).metadata().encode()
        self.site.answer = lambda _path, _form: (200, document)

    def api(self, method: str, what: str = "", **more: Any) -> httpx.Response:
        headers = ANY if method == "PATCH" else {}
        return self.running.call(method, f"/v1/sso-connections/{self.id}{what}", token=self.token, headers=headers, **more)

    def upkeep(self) -> dict[str, int]:
        """Have the schedule run a day after the metadata was read."""
        table, database = self.running.output["CredentialTable"], self.running.aws("dynamodb")
        key = {"pk": {"S": f"SSO#{self.id}"}, "sk": {"S": "SSO"}}
        item = database.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        state = json.loads(item["state"]["S"])
        state["saml"]["refreshed_at"] = "2020-01-01T00:00:00Z"
        told = {":s": {"S": json.dumps(state)}}
        names = {"#s": "state"}
        database.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=told,
        )
        function = f"{self.running.stack['aws']['stacks'][1]}-sso_upkeep"
        event = json.dumps({"source": "schedule", "job": "upkeep"})
        answer = self.running.aws("lambda").invoke(FunctionName=function, Payload=event)
        counted: dict[str, int] = json.loads(answer["Payload"].read())
        return counted

    def response(self, request_id: str | None, by: Pair = NEXT, name: str = "ada", groups: tuple[str, ...] = ()) -> str:
        """What it answers about somebody of the domain's."""
        at = f"{self.running.stack['url']}/sso/{self.id}"
        said = {"email": [f"{name}@{self.domain}"], "groups": list(groups)}
        saying = Saying(datetime.now(UTC), f"{at}/acs", f"{at}/metadata", request_id, name_id=name, attributes=said)
        return posted(signed(saying.response(saying.assertion()), by))

    def sign_in(self, person: Person, begin: str = "", by: Pair = NEXT, **more: Any) -> httpx.Response:
        """The whole way in this person's browser."""
        begun = person.http.get(begin or f"/sso/{self.id}/start")
        assert begun.status_code == 302, begun.text
        sent = {name: values[0] for name, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}
        asked = etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"]), -15))
        form = {"SAMLResponse": self.response(asked.get("ID"), by, **more), "RelayState": sent["RelayState"]}
        return person.http.post(f"/sso/{self.id}/acs", data=form)

    def mapped(self, name: str = "ada") -> list[str]:
        """The roles that the connection gave."""
        query = {"email": f"{name}@{self.domain}"}
        (user,) = self.running.call("GET", "/v1/users", token=self.token, params=query).json()["items"]
        return list(user["mapped_roles"])


@pytest.fixture(scope="module")
def provider(running: Running, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with serving(running, tmp_path_factory.mktemp("saml")) as site:
        made = Provider(running, token, site)
        made.publish(FIRST)
        body = {
            "name": "IdP",
            "type": "saml",
            "saml": {"metadata_url": site.url + "/metadata"},
            "group_mappings": [{"group": "Engineers", "role": "operator"}],
            "provisioning": {"jit": True},
        }
        with connected(running, token, **body) as (made.id, made.domain):
            yield made


@pytest.fixture
def ada(running: Running) -> Iterator[Person]:
    with Person(running, "") as person:
        yield person


def test_a_next_certificate_is_taken_over_from_the_metadata_and_a_former_one_signs_nobody_in(
    running: Running, token: str, provider: Provider, ada: Person
):
    assert provider.sign_in(ada, by=FIRST).status_code == 303
    provider.publish(FIRST, NEXT)
    assert provider.upkeep()["refreshed"] == 1
    assert len(provider.api("GET").json()["saml"]["certificates"]) == 2
    assert (provider.sign_in(ada, by=FIRST).status_code, provider.sign_in(ada, by=NEXT).status_code) == (303, 303)

    provider.publish(NEXT)
    counted = provider.upkeep()

    refused = provider.sign_in(ada, by=FIRST)
    assert (counted["refreshed"], refused.status_code) == (1, 422)
    health = provider.api("GET", "/health").json()
    reference = refused.headers["x-request-id"]
    assert reference in refused.text
    (told,) = [each["why"] for each in health["failures"] if each["reference"] == reference]
    assert told == "The signature is not one of the identity provider's, by any certificate in its metadata."
    assert [each["status"] for each in health["certificates"]] == ["ending"]
    assert counted["ending"] >= 1  # which a metric counts
    query = {"action": "settings.sso_connections.announce_expiry", "resource": provider.id}
    (event,) = running.call("GET", "/v1/audit/events", token=token, params=query).json()["items"]
    assert event["changes"]["after"]["days"] == 14


def test_a_trial_passes_then_the_domains_passwords_are_refused_but_for_who_breaks_glass(
    running: Running, token: str, provider: Provider, ada: Person
):
    ids = {}
    for name, role in (("glass", "admin"), ("eve", "viewer")):
        body = {"email": f"{name}@{provider.domain}", "name": name, "password": PASSWORD, "roles": [role]}
        ids[name] = running.call("POST", "/v1/users", token=token, json=body).json()["id"]
    wanted = {"enforced": True, "break_glass": [ids["glass"]]}
    assert provider.api("PATCH", json=wanted).json()["code"] == "test_first"
    link = provider.api("POST", "/test").json()["url"]

    tried = provider.sign_in(ada, link, name="tried", groups=("Engineers",))

    assert (tried.status_code, "operator (Engineers)" in tried.text) == (200, True)
    assert "__Host-platforma" not in ada.http.cookies
    assert provider.api("PATCH", json=wanted).status_code == 200
    tenant = running.stack["tenant"]["id"]
    with Person(running, f"eve@{provider.domain}") as eve:
        page = eve.http.get(f"/login?tenant={tenant}").text
        form = {
            "token": page.partition('name="token" value="')[2].partition('"')[0],
            "tenant": tenant,
            "email": eve.email,
            "password": PASSWORD,
        }
        refused = eve.http.post("/login", data=form)
        assert (refused.status_code, "through its identity provider" in refused.text) == (403, True)
    assert signed_in(running, f"glass@{provider.domain}")
    assert provider.sign_in(ada).status_code == 303
    assert provider.api("PATCH", json={"enforced": False}).status_code == 200


def test_a_role_goes_with_its_group_unless_the_connection_says_otherwise(provider: Provider, ada: Person):
    assert provider.sign_in(ada, groups=("Engineers",)).status_code == 303
    assert provider.mapped() == ["operator"]
    assert provider.sign_in(ada).status_code == 303
    assert provider.mapped() == []

    provider.api("PATCH", json={"provisioning": {"deprovision_on_group_loss": False}})
    assert provider.sign_in(ada, groups=("Engineers",)).status_code == 303
    assert provider.sign_in(ada).status_code == 303

    assert provider.mapped() == ["operator"]


def test_a_provider_begins_sign_ins_where_that_was_opted_in_and_each_response_is_good_once(provider: Provider, ada: Person):
    acs = f"/sso/{provider.id}/acs"
    assert ada.http.post(acs, data={"SAMLResponse": provider.response(None)}).status_code == 422

    assert provider.api("PATCH", json={"saml": {"idp_initiated": True}}).status_code == 200
    form = {"SAMLResponse": provider.response(None), "RelayState": "https://evil.test/"}
    begun = ada.http.post(acs, data=form)

    assert (begun.status_code, begun.headers["location"]) == (303, "/factors")
    assert ada.http.post(acs, data=form).status_code == 422


def test_metadata_and_issuers_inside_are_never_called(running: Running, token: str, provider: Provider):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            moved = {"saml": {"metadata_url": f"https://{host}:{port}/"}}
            assert provider.api("PATCH", json=moved).json()["code"] == "metadata_refused"
        oidc = {"issuer": f"https://localhost:{port}", "client_id": "c", "client_secret": "s"}
        with connected(running, token, name="inside", type="oidc", oidc=oidc) as (connection_id, _):
            assert running.call("GET", f"/sso/{connection_id}/start").status_code == 422
        listening.settimeout(1)
        with pytest.raises(TimeoutError):
            listening.accept()


def logout_request(provider: Provider, index: str | None = None) -> str:
    at, now = f"{provider.running.stack['url']}/sso/{provider.id}/slo", datetime.now(UTC)
    told = f"<samlp:SessionIndex>{index}</samlp:SessionIndex>" if index else ""
    return (
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{identifier()}" Version="2.0" '
        f'IssueInstant="{now:%Y-%m-%dT%H:%M:%SZ}" Destination="{at}"><saml:Issuer>{provider.says.entity_id}</saml:Issuer>'
        f'<saml:NameID Format="{PERSISTENT}">ada</saml:NameID>{told}</samlp:LogoutRequest>'
    )


def as_entra_sends(document: str, by: Pair) -> str:
    """By redirect, with percent-encodings in lower case and spaces as `+`, and signed just so."""
    deflater = zlib.compressobj(wbits=-15)
    message = base64.b64encode(deflater.compress(document.encode()) + deflater.flush()).decode()

    def written(text: str) -> str:
        first, *rest = quote_plus(text, safe="!*()").split("%")
        return first + "".join("%" + each[:2].lower() + each[2:] for each in rest)

    query = f"SAMLRequest={written(message)}&RelayState=a+state+of%3atheirs&SigAlg={written(RSA_SHA256)}"
    signature = by.key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{query}&Signature={written(base64.b64encode(signature).decode())}"


def test_single_logout_by_the_provider_by_redirect_as_entra_id_sends_it_and_by_post(provider: Provider, ada: Person):
    slo = f"/sso/{provider.id}/slo"
    assert provider.sign_in(ada).status_code == 303
    forged = ada.http.get(f"{slo}?{as_entra_sends(logout_request(provider), pair('thief'))}")
    assert (forged.status_code, ada.http.get("/factors").status_code) == (422, 200)

    answered = ada.http.get(f"{slo}?{as_entra_sends(logout_request(provider), NEXT)}")

    told = {name: values[0] for name, values in parse_qs(urlsplit(answered.headers["location"]).query).items()}
    assert (answered.status_code, told["RelayState"], "SAMLResponse" in told) == (302, "a state of:theirs", True)
    assert ada.http.get("/factors").status_code == 303
    assert provider.sign_in(ada).status_code == 303
    assert ada.http.post(slo, data={"SAMLRequest": posted(signed(logout_request(provider), NEXT))}).status_code == 302
    assert ada.http.get("/factors").status_code == 303


def test_who_signs_out_here_is_led_on_to_the_provider_with_a_signed_request(provider: Provider, ada: Person):
    assert provider.sign_in(ada).status_code == 303

    there = ada.visit("/sign-out").headers["location"]

    where = urlsplit(there)
    sent = {name: values[0] for name, values in parse_qs(where.query).items()}
    root = etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"]), -15))
    assert (where.netloc, etree.QName(root).localname) == ("idp.test", "LogoutRequest")
    assert root.findtext(f"{{{SAML}}}NameID") == "ada"
    metadata = etree.fromstring(ada.http.get(f"/sso/{provider.id}/metadata").content)
    shown = next(metadata.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")).text
    key = x509.load_der_x509_certificate(base64.b64decode(shown)).public_key()
    query = where.query.partition("&Signature=")[0].encode()
    key.verify(base64.b64decode(sent["Signature"]), query, padding.PKCS1v15(), hashes.SHA256())
    assert ada.http.get("/factors").status_code == 303
