import jwt
import pytest

from platforma.oauth import issue_token, verify_access_token
from platforma.oauth.errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
    UnsupportedGrantType,
)

ISSUER = "https://id.platforma.test"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def issue(by, attempt):
    def issued(client, audiences=(), **form):
        form = {**GRANT, **form}
        return issue_token(form, client=client, attempt=attempt(), by=by, is_live=lambda _: True, audiences=audiences)

    return issued


def test_a_stock_library_verifies_the_token_with_the_key_set(register, issue, signing_keys):
    client, _ = register(roles=["operator"])

    answer = issue(client).as_json()

    token = answer["access_token"]
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(signing_keys.jwks())[header["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=ISSUER, issuer=ISSUER, options=options)
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": ISSUER,
        "sub": client.id,
        "aud": ISSUER,
        "iat": 1795514400,
        "exp": 1795518000,
        "client_id": client.id,
        "tenant_id": client.tenant_id,
        "scope": "infrastructure:manage",
        "roles": ["operator"],
    }


def test_the_answer_is_that_of_the_rfc_and_has_no_refresh_token(register, issue):
    client, _ = register()

    answer = issue(client).as_json()

    assert {**answer, "access_token": ...} == {
        "access_token": ...,
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "infrastructure:manage",
    }


def test_our_own_verifier_reads_the_token(register, issue, signing_keys, clock):
    client, _ = register(roles=["operator"])
    answer = issue(client, scope="infrastructure:read")

    token = verify_access_token(answer.access_token, signing_keys=signing_keys, issuer=ISSUER, clock=clock)

    assert token == answer.claims
    assert (token.sub, token.scope, token.roles) == (client.id, ("infrastructure:read",), ("operator",))


def test_no_two_tokens_have_one_id(register, issue):
    client, _ = register()

    assert issue(client).claims.jti != issue(client).claims.jti


@pytest.mark.parametrize(
    ("registered", "asked", "given"),
    [
        (["infrastructure:manage", "orders:read"], None, "infrastructure:manage orders:read"),
        (["infrastructure:manage"], "infrastructure:read", "infrastructure:read"),
        (["infrastructure:manage"], "infrastructure.clusters.get", "infrastructure.clusters.get"),
        (["*"], "settings:manage orders:*", "settings:manage orders:*"),
        (["orders:read"], "orders:read orders:read", "orders:read"),
        (["orders:read", "openid"], None, "orders:read"),
    ],
)
def test_a_scope_narrows(register, issue, registered, asked, given):
    client, _ = register(scopes=registered)

    answer = issue(client, **({} if asked is None else {"scope": asked})).as_json()

    assert answer["scope"] == given


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        (["infrastructure:read"], "infrastructure:manage"),
        (["infrastructure:read"], "*"),
        (["*:manage"], "settings:read"),
        (["*"], "platform:manage"),
        (["*"], "openid"),
        (["openid", "orders:read"], "openid"),
        (["*"], "infrastructure"),
        (["*"], "orders:read  orders:manage"),
        (["*"], " orders:read"),
        (["*"], "orders:read\norders:manage"),
        (["*"], 'orders:read"'),
        (["*"], "orders:read " * 300),
        ([], None),
        (["openid"], None),
    ],
)
def test_a_scope_never_widens(register, issue, registered, asked):
    client, _ = register(scopes=registered)

    with pytest.raises(InvalidScope):
        issue(client, **({} if asked is None else {"scope": asked}))


@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "Client_Credentials"]
)
def test_other_grants_are_not_offered(register, issue, grant_type):
    client, _ = register()

    with pytest.raises(UnsupportedGrantType):
        issue(client, grant_type=grant_type)


def test_a_request_without_grant_type_is_malformed(register, by, attempt):
    client, _ = register()

    with pytest.raises(InvalidRequest):
        issue_token({}, client=client, attempt=attempt(), by=by, is_live=lambda _: True)


def test_a_client_without_the_grant_is_not_authorized(register, issue):
    client, _ = register(grant_types=[])

    with pytest.raises(UnauthorizedClient):
        issue(client)


def test_a_token_is_meant_for_the_resource_that_was_asked_for(register, issue):
    client, _ = register()

    assert issue(client).claims.audience == ISSUER
    assert issue(client, resource=ISSUER).claims.audience == ISSUER
    assert issue(client, {"https://api.test"}, resource="https://api.test").claims.audience == "https://api.test"


def test_tokens_for_unregistered_resources_are_not_issued(register, issue):
    client, _ = register()

    with pytest.raises(InvalidTarget):
        issue(client, {"https://api.test"}, resource="https://other.test")


def test_the_representation_of_an_answer_hides_the_token(register, issue):
    client, _ = register()
    answer = issue(client)

    assert answer.access_token not in repr(answer)
