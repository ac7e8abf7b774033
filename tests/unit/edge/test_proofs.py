"""Tokens that are bound to a key or certificate, from the token endpoint to our routes and other APIs' gateways."""

import base64
from collections.abc import Iterator

import pytest

from platforma import bootstrap
from platforma.oauth.client_certificate import certificate_thumbprint
from platforma.oauth.dpop import NONCE_SPAN_SECONDS
from tests.proving import Holder, certificate
from tests.world import URL, Tenant, World, running

TOKEN_URL = f"{URL}/oauth2/token"
ME = f"{URL}/v1/me"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture
def holder(world: World) -> Holder:
    return Holder(lambda: world.clock().timestamp())


@pytest.fixture(scope="module")
def client(tenant: Tenant) -> dict[str, str]:
    body = {"name": "bound", "roles": ["admin"], "scopes": ["*"], "dpop_bound_access_tokens": True}
    return tenant.call("POST", "/v1/oauth-clients", body, expect=201).json


class Asking:
    """The token endpoint and `/v1/me`, asked with proofs; the nonce is kept as a client keeps it."""

    def __init__(self, world: World, holder: Holder, client: dict[str, str]) -> None:
        self.world, self.holder, self.client, self.nonce = world, holder, client, None

    def post(self, proof, **form):
        headers = {**self.world.basic(self.client), **({"DPoP": proof} if proof else {})}
        return self._kept(
            self.world.call("POST", "/oauth2/token", form={"grant_type": "client_credentials", **form}, headers=headers)
        )

    def token(self):
        self.post(self.holder.proof("POST", TOKEN_URL))
        reply = self.post(self.holder.proof("POST", TOKEN_URL, nonce=self.nonce))
        assert reply.status == 200, reply.text
        return reply.json["access_token"]

    def me(self, token, proof=None, scheme="DPoP"):
        headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof else {})}
        return self._kept(self.world.call("GET", "/v1/me", headers=headers))

    def proof(self, token, **more):
        return self.holder.proof("GET", ME, token=token, **{"nonce": self.nonce, **more})

    def _kept(self, reply):
        self.nonce = reply.headers.get("dpop-nonce", self.nonce)
        return reply


@pytest.fixture
def asking(world: World, holder: Holder, client: dict[str, str]) -> Asking:
    return Asking(world, holder, client)


def test_a_proof_without_nonce_is_told_the_one_to_use_and_the_next_one_gets_a_bound_token(asking):
    first = asking.post(asking.holder.proof("POST", TOKEN_URL))
    second = asking.post(asking.holder.proof("POST", TOKEN_URL, nonce=first.headers["dpop-nonce"]))

    assert (first.status, first.json["error"]) == (400, "use_dpop_nonce")
    assert (second.status, second.json["token_type"]) == (200, "DPoP")


def test_a_client_whose_tokens_must_be_bound_gets_none_without_a_proof(asking):
    reply = asking.post(None)

    assert (reply.status, reply.json["error"]) == (400, "invalid_dpop_proof")


def test_a_bound_token_is_good_with_its_key(asking):
    token = asking.token()

    assert asking.me(token, asking.proof(token)).status == 200
    assert asking.me(token, asking.proof(token), scheme="dPoP").status == 200


def test_a_route_asks_for_its_nonce_too(asking):
    token = asking.token()

    reply = asking.me(token, asking.proof(token, nonce=None))

    assert reply.status == 401
    assert 'error="use_dpop_nonce"' in reply.headers["www-authenticate"]
    assert reply.headers["dpop-nonce"] == asking.nonce


def test_a_bound_token_is_no_bearer_token(asking):
    token = asking.token()

    assert asking.me(token, scheme="Bearer").status == 401
    assert asking.me(token, asking.proof(token), scheme="Bearer").status == 401
    assert asking.me(token).status == 401


def test_a_bearer_token_is_no_bound_one(asking, tenant):
    asking.token()

    assert asking.me(tenant.token, asking.proof(tenant.token)).status == 401


def test_an_api_key_is_no_bound_token(asking, tenant):
    key = tenant.call("POST", "/v1/api-keys", {"name": "k", "environment": "live", "scopes": ["*"]}, expect=201).json["key"]

    assert asking.me(key, asking.proof(key)).status == 401


def test_a_proof_is_good_once(asking):
    token = asking.token()
    proof = asking.proof(token)
    assert asking.me(token, proof).status == 200

    assert asking.me(token, proof).status == 401


def test_a_proof_by_another_key_is_refused(asking, world):
    token = asking.token()
    thief = Holder(lambda: world.clock().timestamp())

    assert asking.me(token, thief.proof("GET", ME, token=token, nonce=asking.nonce)).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"htm": "POST"},
        {"htm": "get"},
        {"htu": f"{URL}/v1/users"},
        {"htu": "https://other.test/v1/me"},
        {"htu": "http://platforma.test/v1/me"},
        {"htu": "https://platforma.test@other.test/v1/me"},
        {"htu": 1},
        {"htu": "https://["},
        {"ath": None},
        {"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"nonce": "made-up"},
        {"nonce": 1},
        {"header": {"typ": "JWT"}},
        {"header": {"crit": ["htm"]}},
        {"header": {"jku": "https://evil.test/"}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    ],
)
def test_a_proof_for_something_else_is_refused(asking, change):
    token = asking.token()

    assert asking.me(token, asking.proof(token, **change)).status == 401


def test_a_proof_that_holds_the_private_key_is_refused(asking):
    token = asking.token()
    private = {**asking.holder.jwk, "d": "AAAA"}

    assert asking.me(token, asking.proof(token, header={"jwk": private})).status == 401


@pytest.mark.parametrize(("seconds", "status"), [(8, 200), (-8, 200), (61, 401), (-61, 401)])
def test_a_clock_that_is_a_little_off_is_borne_with(asking, world, seconds, status):
    token = asking.token()
    iat = int(world.clock().timestamp()) + seconds

    assert asking.me(token, asking.proof(token, iat=iat)).status == status


@pytest.mark.parametrize(("claim", "seconds"), [("exp", 0), ("exp", -1), ("nbf", 61)])
def test_a_proof_that_says_when_it_is_good_is_good_then(asking, world, claim, seconds):
    token = asking.token()

    assert asking.me(token, asking.proof(token, **{claim: int(world.clock().timestamp()) + seconds})).status == 401


def test_query_fragment_case_and_port_of_the_url_do_not_matter(asking):
    token = asking.token()

    assert asking.me(token, asking.proof(token, htu="HTTPS://Platforma.test:443/v1/me?a=1#b")).status == 200


def test_the_host_header_is_not_believed(asking):
    token = asking.token()
    proof = asking.proof(token, htu="https://evil.test/v1/me")
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Host": "evil.test", "X-Forwarded-Host": "evil.test"}

    assert asking.world.call("GET", "/v1/me", headers=headers).status == 401


def test_two_proofs_at_once_are_none(asking):
    token = asking.token()

    assert asking.me(token, f"{asking.proof(token)}, {asking.proof(token)}").status == 401


def test_a_nonce_is_good_for_two_spans_and_the_next_one_is_told_in_time(asking, world):
    token = asking.token()
    old = asking.nonce
    world.clock.move(seconds=NONCE_SPAN_SECONDS)

    reply = asking.me(token, asking.proof(token))
    assert reply.status == 200
    assert reply.headers["dpop-nonce"] != old

    world.clock.move(seconds=NONCE_SPAN_SECONDS)
    assert asking.me(token, asking.holder.proof("GET", ME, token=token, nonce=old)).status == 401


@pytest.fixture
def shown(monkeypatch, world: World):
    """The header in which the edge hands over the client's certificate."""
    monkeypatch.setenv("CLIENT_CERTIFICATE_HEADER", "x-client-certificate")
    for part in (bootstrap.settings, bootstrap.edge):
        part.cache_clear()

    def header(der: bytes | None) -> dict[str, str]:
        return {"X-Client-Certificate": base64.b64encode(der).decode()} if der else {}

    yield header
    monkeypatch.delenv("CLIENT_CERTIFICATE_HEADER")
    for part in (bootstrap.settings, bootstrap.edge):
        part.cache_clear()


def test_a_token_bound_to_a_certificate_is_good_over_its_connection_alone(world, tenant, shown):
    ours, other = certificate(world.clock), certificate(world.clock, days=2)
    body = {"name": "mtls", "roles": ["admin"], "scopes": ["*"], "tls_client_certificate_bound_access_tokens": True}
    client = tenant.call("POST", "/v1/oauth-clients", body, expect=201).json
    form = {"grant_type": "client_credentials"}

    without = world.call("POST", "/oauth2/token", form=form, headers=world.basic(client))
    reply = world.call("POST", "/oauth2/token", form=form, headers={**world.basic(client), **shown(ours)})

    assert (without.status, without.json["error"]) == (400, "invalid_request")
    token = reply.json["access_token"]
    assert reply.json["token_type"] == "Bearer"
    statuses = [world.call("GET", "/v1/me", token=token, headers=shown(each)).status for each in (ours, other, None)]
    assert statuses == [200, 401, 401]


def test_the_certificate_of_a_binding_is_named_by_its_thumbprint(world):
    assert len(certificate_thumbprint(certificate(world.clock))) == 43
