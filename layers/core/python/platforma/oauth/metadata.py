"""What clients find out by themselves (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2): only what exists."""

from platforma.keys.signing import ALGORITHMS as SIGNING_ALGORITHMS
from platforma.oauth.authorization.model import PROMPTS, RESPONSE_MODES
from platforma.oauth.claims import CLAIMS
from platforma.oauth.client_assertion import ALGORITHMS
from platforma.oauth.dpop import ALGORITHMS as DPOP_ALGORITHMS
from platforma.oauth.model import AUTH_METHODS, GRANT_TYPES
from platforma.oauth.scope import OPENID_SCOPES
from platforma.oauth.sessions.model import ACR_VALUES

_ENDPOINTS = {
    "pushed_authorization_request_endpoint": "par",
    "device_authorization_endpoint": "device_authorization",
    "token_endpoint": "token",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "userinfo_endpoint": "userinfo",
}
_ANYBODY = (*AUTH_METHODS, "none")
_ASSERTION_ALGORITHMS = [alg for alg in ALGORITHMS if alg != "Ed25519"]


def authorization_server(issuer: str, *, internal_url: str | None = None) -> dict[str, object]:
    """
    The document at `/.well-known/oauth-authorization-server`.

    *internal_url* is where the same endpoints are reached under mutual TLS (RFC 8705 section 5).
    """
    endpoints = {name: f"/oauth2/{path}" for name, path in _ENDPOINTS.items()}
    document: dict[str, object] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        **{name: issuer + path for name, path in endpoints.items()},
        "registration_endpoint": f"{issuer}/oauth2/register",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": sorted(OPENID_SCOPES),
        "grant_types_supported": list(GRANT_TYPES),
        "dpop_signing_alg_values_supported": [alg for alg in DPOP_ALGORITHMS if alg != "Ed25519"],
        "request_object_signing_alg_values_supported": _ASSERTION_ALGORITHMS,
        "protected_resources": [issuer],
    }
    for endpoint, methods in (("token", _ANYBODY), ("revocation", _ANYBODY), ("introspection", AUTH_METHODS)):
        document[f"{endpoint}_endpoint_auth_methods_supported"] = list(methods)
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = _ASSERTION_ALGORITHMS
    if internal_url is not None:
        document["tls_client_certificate_bound_access_tokens"] = True
        document["mtls_endpoint_aliases"] = {name: internal_url + path for name, path in endpoints.items()}
    return document


def protected_resource(issuer: str) -> dict[str, object]:
    """What this API is to who has a token for it (RFC 9728 section 2): `/.well-known/oauth-protected-resource`."""
    return {
        "resource": issuer,
        "authorization_servers": [issuer],
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": [alg for alg in DPOP_ALGORITHMS if alg != "Ed25519"],
        "resource_name": "PLATFORMA Security",
    }


def openid_configuration(issuer: str, *, internal_url: str | None = None) -> dict[str, object]:
    """
    The document at `/.well-known/openid-configuration`: the same, with the members that OpenID Connect has besides.

    A `request_uri` is taken where it was pushed (RFC 9126), and a client's own is not.
    """
    return {
        **authorization_server(issuer, internal_url=internal_url),
        "end_session_endpoint": f"{issuer}/oauth2/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "claims_supported": list(CLAIMS),
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "acr_values_supported": list(ACR_VALUES),
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": ["en", "de"],
    }
