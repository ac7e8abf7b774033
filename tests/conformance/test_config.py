"""OpenID Connect Core: Config Certification Profile (OpenID Connect Discovery 1.0, RFC 8414)."""

import re
from typing import Any
from urllib.parse import urlsplit

from tests.running import Running

_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def test_oidcc_discovery_endpoint_verification(running: Running, metadata: dict[str, Any]):
    reply, issuer = running.call("GET", "/.well-known/openid-configuration"), running.stack["url"]

    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (200, "application/json")
    assert metadata["issuer"] == issuer
    assert not urlsplit(issuer).query and not urlsplit(issuer).fragment
    assert "code" in metadata["response_types_supported"]
    assert set(metadata["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert "none" not in metadata["id_token_signing_alg_values_supported"]
    assert "authorization_code" in metadata["grant_types_supported"]
    assert "openid" in metadata["scopes_supported"]
    assert all(_SCOPE.fullmatch(scope) for scope in metadata["scopes_supported"])
    assert {"sub", "iss", "auth_time", "acr"} <= set(metadata["claims_supported"])
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "RS256" in metadata["request_object_signing_alg_values_supported"]
    assert {"client_secret_basic", "client_secret_post"} <= set(metadata["token_endpoint_auth_methods_supported"])
    for name in ("request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"):
        assert isinstance(metadata[name], bool)
    endpoints = {name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "registration_endpoint"} <= endpoints.keys()
    assert all(value.startswith("https://") for value in endpoints.values())
    for listed in (value for name, value in metadata.items() if name.endswith("_supported") and isinstance(value, list)):
        assert listed and len(set(listed)) == len(listed)

    keys = running.call("GET", urlsplit(metadata["jwks_uri"]).path).json()["keys"]
    assert keys and len({key["kid"] for key in keys}) == len(keys)
    assert not any(_PRIVATE & key.keys() for key in keys)
    assert {"RSA", "EC", "OKP"} == {key["kty"] for key in keys}
    assert {key["use"] for key in keys} == {"sig"}
