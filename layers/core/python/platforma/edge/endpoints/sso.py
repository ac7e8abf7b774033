"""Connections to identity providers, and whose a domain is."""

from platforma.edge.endpoints.row import Endpoint, row

_CONNECTIONS = "/v1/sso-connections"
_LINKS = f"{_CONNECTIONS}/{{id}}/setup-links"
_SETUP = "/sso/{id}/setup"
_HTML = "text/html; charset=utf-8"
_FORM = 2 << 20
"""Metadata of half a MiB in a form, most of its punctuation in three characters."""


def _setup(path: str, verb: str, summary: str) -> Endpoint:
    """A form of the page that a setup link opens."""
    return row(
        *("POST", _SETUP + path, f"sso.setups.{verb}", "sso_connections", "public", summary),
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        consumes="form",
        max_body=_FORM,
        status=303,
        also=(200, 403, 404, 409, 412, 422, 429),
    )


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
        refuses=(409,),
    ),
    row(
        *("GET", f"{_CONNECTIONS}/{{id}}/health", "settings.sso_connection_health.get", "sso_connections", "permission"),
        "How a connection fares: sign-ins, failures in words, certificates",
        resource="sso_connection",
        answer="sso.HealthView",
    ),
    row(
        *("POST", _LINKS, "settings.sso_setup_links.create", "sso_connections", "permission"),
        "A link by which the customer's own administrator configures the connection: for three days, in place of older ones",
        resource="sso_connection",
        answer="sso.SetupLinkCreated",
        secret=True,
        status=201,
    ),
    row(
        *("GET", _LINKS, "settings.sso_setup_links.list", "sso_connections", "permission"),
        "List the links by which a connection may be, or was, configured",
        resource="sso_connection",
        answer="sso.SetupLinkList",
    ),
    row(
        *("DELETE", f"{_LINKS}/{{link_id}}", "settings.sso_setup_links.delete", "sso_connections", "permission"),
        "Revoke a link by which a connection may be configured",
        resource="sso_connection",
        status=204,
    ),
    row(
        *("GET", _SETUP, "sso.setups.get", "sso_connections", "public", "Configure a connection, by a setup link"),
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        also=(403, 404),
    ),
    _setup("", "open", "Exchange a setup link for a session of an hour"),
    _setup("/provider", "configure", "Tell who the identity provider is"),
    _setup("/domains", "prove", "Claim a domain of the connection, or prove it by its DNS record"),
    _setup("/test", "test", "Try a sign-in that signs nobody in"),
    _setup("/finish", "finish", "Be done: the link ends"),
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
        *("POST", "/sso/{id}/backchannel-logout", "sso.logout_tokens.consume", "sso_sign_in", "public"),
        "An OpenID provider tells of the end of a session of its own (back-channel logout)",
        resource="sso_connection",
        wire="oauth",
        consumes="form",
    ),
    row(
        *("GET", "/sso/{id}/slo", "sso.sign_outs.start", "sso_sign_in", "public"),
        "Sign-out at the provider, by redirect: asked for by it, answered, or on to it",
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        status=302,
        also=(200, 303),
    ),
    row(
        *("POST", "/sso/{id}/slo", "sso.sign_outs.consume", "sso_sign_in", "public"),
        "Single logout by POST",
        resource="sso_connection",
        produces=_HTML,
        wire="page",
        consumes="form",
        status=302,
        also=(200, 303, 403, 409),
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
