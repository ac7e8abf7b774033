"""Connections to identity providers, and whose a domain is."""

from platforma.edge.endpoints.row import Endpoint, row

_CONNECTIONS = "/v1/sso-connections"
_HTML = "text/html; charset=utf-8"

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", _CONNECTIONS, "settings.sso_connections.create", "sso_connections", "permission"),
        "Connect an identity provider",
        resource="sso_connection",
        body="sso.ConnectionCreate",
        answer="sso.ConnectionView",
        status=201,
    ),
    row(
        *("GET", _CONNECTIONS, "settings.sso_connections.list", "sso_connections", "permission"),
        "List the tenant's connections",
        resource="sso_connection",
        answer="sso.ConnectionList",
        query="common.Paging",
    ),
    row(
        *("GET", f"{_CONNECTIONS}/{{id}}", "settings.sso_connections.get", "sso_connections", "permission"),
        "Read a connection",
        resource="sso_connection",
        answer="sso.ConnectionView",
    ),
    row(
        *("PATCH", f"{_CONNECTIONS}/{{id}}", "settings.sso_connections.update", "sso_connections", "permission"),
        "Change a connection",
        resource="sso_connection",
        body="sso.ConnectionPatch",
        answer="sso.ConnectionView",
        if_match=True,
    ),
    row(
        *("DELETE", f"{_CONNECTIONS}/{{id}}", "settings.sso_connections.delete", "sso_connections", "permission"),
        "Delete a connection",
        resource="sso_connection",
        status=204,
        if_match=True,
    ),
    row(
        *("POST", f"{_CONNECTIONS}/{{id}}/test-mapping", "settings.sso_connections.verify", "sso_connections"),
        "permission",
        "See what groups and attributes would give",
        resource="sso_connection",
        body="sso.MappingTest",
        answer="sso.MappingTested",
    ),
    row(
        *("POST", f"{_CONNECTIONS}/{{id}}/test", "settings.sso_connections.test", "sso_connections", "permission"),
        "A link for a sign-in that is only tried: good once, for ten minutes",
        resource="sso_connection",
        answer="sso.TrialLink",
    ),
    row(
        *("GET", f"{_CONNECTIONS}/{{id}}/health", "settings.sso_connection_health.get", "sso_connections", "permission"),
        "How a connection fares: sign-ins, failures in words, certificates",
        resource="sso_connection",
        answer="sso.HealthView",
    ),
    row(
        *("POST", "/v1/domains", "settings.domains.create", "sso_connections", "own"),
        "Claim a domain, or (platform clients) vouch for a tenant's",
        resource="domain",
        body="sso.DomainCreate",
        answer="sso.DomainView",
        status=201,
    ),
    row(
        *("GET", "/v1/domains", "settings.domains.list", "sso_connections", "permission"),
        "List the tenant's claims",
        resource="domain",
        answer="sso.DomainList",
        query="common.Paging",
    ),
    row(
        *("GET", "/v1/domains/{domain}", "settings.domains.get", "sso_connections", "permission"),
        "Read a claim",
        resource="domain",
        answer="sso.DomainView",
    ),
    row(
        *("DELETE", "/v1/domains/{domain}", "settings.domains.delete", "sso_connections", "permission"),
        "Give up a domain",
        resource="domain",
        status=204,
        if_match=True,
    ),
    row(
        *("POST", "/v1/domains/{domain}/verify", "settings.domains.prove", "sso_connections", "permission"),
        "Prove a domain by its DNS record",
        resource="domain",
        answer="sso.DomainView",
    ),
    row(
        *("GET", "/sso/{id}/metadata", "sso.metadata.get", "sso_sign_in", "public"),
        "Our metadata for a SAML identity provider",
        resource="sso_connection",
        produces="application/samlmetadata+xml",
    ),
    row(
        *("GET", "/sso/{id}/start", "sso.sign_ins.start", "sso_sign_in", "public", "Sign in by an identity provider"),
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        status=302,
        also=(200,),
    ),
    row(
        *("GET", "/sso/{id}/keys", "sso.keys.get", "sso_sign_in", "public"),
        "Our keys for an OpenID provider (RFC 7517), for private_key_jwt",
        resource="sso_connection",
    ),
    row(
        *("GET", "/sso/{id}/callback", "sso.answers.consume", "sso_sign_in", "public"),
        "An OpenID provider's answer, by the person's browser",
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        status=303,
        also=(200, 403, 409, 429),
    ),
    row(
        *("POST", "/sso/{id}/acs", "sso.assertions.consume", "sso_sign_in", "public"),
        "A SAML response, by the person's browser",
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        consumes="form",
        status=303,
        also=(200, 403, 409, 429),
    ),
)
