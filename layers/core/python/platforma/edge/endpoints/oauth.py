"""OAuth 2.0, OpenID Connect, and their clients."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", "/oauth2/token", "oauth.tokens.issue", "oauth_token", "client", "Issue an access token"),
        wire="oauth",
        consumes="form",
    ),
    row(
        "GET",
        "/.well-known/openid-configuration",
        "oauth.metadata.get",
        "oauth_metadata",
        "public",
        "OpenID Connect metadata",
    ),
    row(
        *("GET", "/.well-known/oauth-authorization-server", "oauth.server_metadata.get", "oauth_metadata", "public"),
        "Authorization server metadata (RFC 8414)",
    ),
    row(
        "GET",
        "/.well-known/jwks.json",
        "oauth.signing_keys.list",
        "oauth_metadata",
        "public",
        "Public signing keys (RFC 7517)",
    ),
    row(
        *("POST", "/v1/oauth-clients", "settings.clients.create", "oauth_clients", "permission", "Register a client"),
        resource="client",
        body="oauth.ClientCreate",
        answer="oauth.ClientCreated",
        secret=True,
        status=201,
    ),
    row(
        *("GET", "/v1/oauth-clients", "settings.clients.list", "oauth_clients", "permission", "List the tenant's clients"),
        resource="client",
        answer="oauth.ClientList",
        query="common.Paging",
    ),
    row(
        *("GET", "/v1/oauth-clients/{id}", "settings.clients.get", "oauth_clients", "permission", "Read a client"),
        resource="client",
        answer="oauth.ClientView",
    ),
    row(
        *("PATCH", "/v1/oauth-clients/{id}", "settings.clients.update", "oauth_clients", "permission", "Change a client"),
        resource="client",
        body="oauth.ClientPatch",
        answer="oauth.ClientView",
        if_match=True,
    ),
    row(
        *("DELETE", "/v1/oauth-clients/{id}", "settings.clients.delete", "oauth_clients", "permission", "Delete a client"),
        resource="client",
        status=204,
        if_match=True,
    ),
    row(
        *("POST", "/v1/oauth-clients/{id}/secrets", "settings.client_secrets.create", "oauth_clients", "permission"),
        "Give a client a second secret",
        resource="client",
        answer="oauth.SecretCreated",
        secret=True,
        status=201,
    ),
    row(
        *("DELETE", "/v1/oauth-clients/{id}/secrets/{secret_id}", "settings.client_secrets.delete", "oauth_clients"),
        "permission",
        "Retire a client's secret",
        resource="client",
        status=204,
    ),
)
