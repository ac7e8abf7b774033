import re

import pytest

from platforma.oauth import authorization_server, errors, openid_configuration, parse_form, protected_resource
from platforma.oauth.authorization.errors import AuthorizationError
from platforma.oauth.errors import InvalidRequest, OAuthError

ISSUER = "https://id.platforma.test"
PROVING = ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"]
SIGNED = ["ES256", "EdDSA", "PS256", "RS256"]


def test_metadata_lists_what_exists_and_nothing_else():
    assert authorization_server(ISSUER) == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/oauth2/authorize",
        "pushed_authorization_request_endpoint": f"{ISSUER}/oauth2/par",
        "device_authorization_endpoint": f"{ISSUER}/oauth2/device_authorization",
        "token_endpoint": f"{ISSUER}/oauth2/token",
        "introspection_endpoint": f"{ISSUER}/oauth2/introspect",
        "revocation_endpoint": f"{ISSUER}/oauth2/revoke",
        "userinfo_endpoint": f"{ISSUER}/oauth2/userinfo",
        "registration_endpoint": f"{ISSUER}/oauth2/register",
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": ["email", "offline_access", "openid", "profile"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "token_endpoint_auth_methods_supported": [*PROVING, "none"],
        "token_endpoint_auth_signing_alg_values_supported": SIGNED,
        "revocation_endpoint_auth_methods_supported": [*PROVING, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": SIGNED,
        "introspection_endpoint_auth_methods_supported": PROVING,
        "introspection_endpoint_auth_signing_alg_values_supported": SIGNED,
        "dpop_signing_alg_values_supported": SIGNED,
        "request_object_signing_alg_values_supported": SIGNED,
        "protected_resources": [ISSUER],
    }


def test_discovery_says_the_same_and_more():
    document = authorization_server(ISSUER, internal_url="https://internal.test")

    said = openid_configuration(ISSUER, internal_url="https://internal.test")
    assert document.items() <= said.items()
    assert said["end_session_endpoint"] == f"{ISSUER}/oauth2/logout"
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == "https://internal.test/oauth2/token"


def test_a_form_is_decoded_and_empty_parameters_are_as_if_not_sent():
    assert parse_form(b"scope=a%3Ab+c&empty=&grant_type=x") == {"scope": "a:b c", "grant_type": "x"}
    assert parse_form(b"") == {}


def test_a_target_may_be_named_again_and_several_are_the_name_of_none():
    assert parse_form(b"resource=https://a.test&resource=https://a.test") == {"resource": "https://a.test"}
    assert parse_form(b"resource=https://a.test&resource=https://b.test") == {"resource": "https://a.test https://b.test"}


@pytest.mark.parametrize(
    "body", [b"a=1&a=1", b"a=1&a=", b"nonsense", b"a=%ff", b"a=\xff", b"&".join(b"p%d=1" % n for n in range(65))]
)
def test_a_form_with_a_repeated_or_unreadable_parameter_is_refused(body):
    with pytest.raises(InvalidRequest):
        parse_form(body)


def test_every_description_is_of_the_characters_that_the_rfc_allows():
    described = [cls.public for cls in OAuthError.__subclasses__()]

    assert all(re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", text) for text in described)


def test_every_code_is_one_of_the_standards():
    def below(cls):
        return [cls, *(inner for sub in cls.__subclasses__() for inner in below(sub))]

    codes = {cls.code for cls in below(OAuthError) if cls not in (OAuthError, AuthorizationError)}

    assert codes | {errors.InvalidToken.code} == {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "invalid_scope",
        "invalid_redirect_uri",
        "invalid_client_metadata",
        "invalid_target",
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "invalid_token",
        "insufficient_scope",
        "authorization_pending",
        "slow_down",
        "expired_token",
        "access_denied",
        "login_required",
        "consent_required",
        "unmet_authentication_requirements",
        "invalid_request_object",
        "registration_not_supported",
        "invalid_request_uri",
    }


def test_the_api_says_what_it_is_to_who_has_a_token_for_it():
    document = protected_resource(ISSUER)

    assert (document["resource"], document["authorization_servers"]) == (ISSUER, [ISSUER])
    assert document["bearer_methods_supported"] == ["header"]
