"""API keys."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", "/v1/api-keys", "settings.api_keys.create", "apikeys_manage", "own", "Issue an API key"),
        resource="api_key",
        body="apikeys.KeyCreate",
        answer="apikeys.KeyCreated",
        secret=True,
        status=201,
    ),
    row(
        *("GET", "/v1/api-keys", "settings.api_keys.list", "apikeys_manage", "own", "List API keys"),
        resource="api_key",
        answer="apikeys.KeyList",
        query="common.Paging",
    ),
    row(
        *("GET", "/v1/api-keys/{id}", "settings.api_keys.get", "apikeys_manage", "own", "Read an API key, never its secret"),
        resource="api_key",
        answer="apikeys.KeyView",
    ),
    row(
        *(
            "PATCH",
            "/v1/api-keys/{id}",
            "settings.api_keys.update",
            "apikeys_manage",
            "permission",
            "Narrow or switch a key",
        ),
        resource="api_key",
        body="apikeys.KeyPatch",
        answer="apikeys.KeyView",
        if_match=True,
    ),
    row(
        *("DELETE", "/v1/api-keys/{id}", "settings.api_keys.delete", "apikeys_manage", "own", "Revoke an API key"),
        resource="api_key",
        status=204,
        if_match=True,
    ),
    row(
        *("POST", "/v1/api-keys/{id}/rotate", "settings.api_keys.rotate", "apikeys_manage", "own"),
        "Replace a key, the old one living on for a grace",
        resource="api_key",
        body="apikeys.KeyRotate",
        may_be_empty=True,
        answer="apikeys.KeyCreated",
        secret=True,
        status=201,
    ),
    row(
        *("POST", "/v1/api-keys/verify", "settings.api_keys.verify", "apikeys_verify", "permission", "Check an API key"),
        body="apikeys.KeyVerify",
        answer="apikeys.KeyVerified",
    ),
    row(
        *("GET", "/v1/api-keys/{id}/usage", "settings.api_key_usage.get", "audit_events", "own"),
        "What a key was really used for, and the narrowest scopes that would have done",
        resource="api_key",
        answer="apikeys.KeyUsage",
        query="apikeys.KeyUsageQuery",
    ),
    row(
        *("POST", "/v1/api-keys/leaks", "settings.api_keys.report_leaks", "apikeys_manage", "public"),
        "Report keys that were found in public (GitHub's secret scanning partner protocol, JSON signed as raw bytes)",
        consumes="bytes",
        answer="apikeys.LeakLabels",
    ),
    row(
        *("GET", "/v1/api-keys/leak-response", "settings.leak_response.get", "apikeys_manage", "permission"),
        "Read what is done with a key that leaked",
        answer="apikeys.LeakResponseView",
    ),
    row(
        *("PUT", "/v1/api-keys/leak-response", "settings.leak_response.set", "apikeys_manage", "permission"),
        "Say what is done with a key that leaked",
        body="apikeys.LeakResponse",
        answer="apikeys.LeakResponseView",
        if_match=True,
    ),
    row(
        *("PUT", "/v1/rate-limits/{type}/{id}", "settings.rate_limits.set", "apikeys_manage", "permission"),
        "Limit all keys of a user or client together",
        resource="rate_limit",
        body="apikeys.RateLimit",
        answer="apikeys.SharedLimitView",
    ),
    row(
        *("GET", "/v1/rate-limits/{type}/{id}", "settings.rate_limits.get", "apikeys_manage", "permission"),
        "Read the limit that an owner's keys share, or the tenant's",
        resource="rate_limit",
        answer="apikeys.SharedLimitView",
    ),
    row(
        *("DELETE", "/v1/rate-limits/{type}/{id}", "settings.rate_limits.delete", "apikeys_manage", "permission"),
        "Let an owner's keys have no limit together",
        resource="rate_limit",
        status=204,
        if_match=True,
    ),
    row(
        *("PUT", "/v1/tenants/{id}/rate-limit", "platform.rate_limits.set", "apikeys_manage", "permission"),
        "Limit all keys of a tenant together",
        resource="tenant",
        body="apikeys.RateLimit",
        answer="apikeys.SharedLimitView",
    ),
    row(
        *("GET", "/v1/tenants/{id}/rate-limit", "platform.rate_limits.get", "apikeys_manage", "permission"),
        "Read the limit that a tenant's keys share",
        resource="tenant",
        answer="apikeys.SharedLimitView",
    ),
    row(
        *("DELETE", "/v1/tenants/{id}/rate-limit", "platform.rate_limits.delete", "apikeys_manage", "permission"),
        "Let a tenant's keys have no limit together",
        resource="tenant",
        status=204,
        if_match=True,
    ),
    row(
        *("GET", "/.well-known/api-key-format", "catalogue.api_key_format.get", "platform_catalogue", "public"),
        "The format of API keys, for secret scanners",
    ),
)
