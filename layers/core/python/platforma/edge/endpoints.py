"""
Every endpoint is one row here. Routing, both OpenAPI documents, `/v1/operations` and the isolation tests are made from it.
It is long because it is one table: what is served stands nowhere else.

*access* says who may call:
  public      anyone; a public document, recorded from the access log only
  client      an OAuth client that authenticates to this very endpoint (RFC 6749 section 2.3)
  self        any authenticated caller; what it shows or does concerns the caller
  own         any authenticated caller for what is theirs, those with the permission for all of the tenant's
  permission  those whom the decision engine grants the operation
*may_wait* says that the answer may be a 202 with `Retry-After`, *secret* that it shows a secret once. *body* and *answer*
name models in `platforma.edge.schemas` as `module.Model`. *resource* is the type of what `{id}` names.
"""

from dataclasses import dataclass
from typing import Literal

Access = Literal["public", "client", "self", "own", "permission"]
_READING = frozenset(["get", "list", "read", "search", "describe", "head", "export", "download", "verify"])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: what is asked for, who answers, and what a caller must hold."""

    method: str
    path: str
    operation: str
    function: str
    access: Access
    summary: str
    resource: str | None = None
    body: str | None = None
    answer: str | None = None
    status: int = 200
    query: str | None = None
    if_match: bool = False
    may_wait: bool = False
    secret: bool = False

    @property
    def permission(self) -> str | None:
        """`domain:read` or `domain:manage`; None where no permission is looked at (policy.md, Words)."""
        if self.access not in ("own", "permission"):
            return None
        domain, _, verb = self.operation.split(".")
        return f"{domain}:{'read' if verb in _READING else 'manage'}"

    @property
    def public(self) -> bool:
        """Whether it is answered without any credential."""
        return self.access == "public"

    @property
    def changes(self) -> bool:
        """Whether it may change state."""
        return self.method not in ("GET", "HEAD") and self.operation.rsplit(".", 1)[1] not in _READING


def _e(method: str, path: str, operation: str, function: str, access: Access, summary: str, **more: object) -> Endpoint:
    return Endpoint(method, path, operation, function, access, summary, **more)  # type: ignore[arg-type]


ENDPOINTS: tuple[Endpoint, ...] = (
    # OAuth 2.0 and OpenID Connect
    _e("POST", "/oauth2/token", "oauth.tokens.issue", "oauth_token", "client", "Issue an access token"),
    _e(
        "GET",
        "/.well-known/openid-configuration",
        "oauth.metadata.get",
        "oauth_metadata",
        "public",
        "OpenID Connect metadata",
    ),
    _e(
        *("GET", "/.well-known/oauth-authorization-server", "oauth.server_metadata.get", "oauth_metadata", "public"),
        "Authorization server metadata (RFC 8414)",
    ),
    _e(
        "GET",
        "/.well-known/jwks.json",
        "oauth.signing_keys.list",
        "oauth_metadata",
        "public",
        "Public signing keys (RFC 7517)",
    ),
    _e(
        *("POST", "/v1/oauth-clients", "settings.clients.create", "oauth_clients", "permission", "Register a client"),
        resource="client",
        body="oauth.ClientCreate",
        answer="oauth.ClientCreated",
        secret=True,
        status=201,
    ),
    _e(
        *("GET", "/v1/oauth-clients", "settings.clients.list", "oauth_clients", "permission", "List the tenant's clients"),
        resource="client",
        answer="oauth.ClientList",
        query="common.Paging",
    ),
    _e(
        *("GET", "/v1/oauth-clients/{id}", "settings.clients.get", "oauth_clients", "permission", "Read a client"),
        resource="client",
        answer="oauth.ClientView",
    ),
    _e(
        *("PATCH", "/v1/oauth-clients/{id}", "settings.clients.update", "oauth_clients", "permission", "Change a client"),
        resource="client",
        body="oauth.ClientPatch",
        answer="oauth.ClientView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/oauth-clients/{id}", "settings.clients.delete", "oauth_clients", "permission", "Delete a client"),
        resource="client",
        status=204,
        if_match=True,
    ),
    _e(
        *("POST", "/v1/oauth-clients/{id}/secrets", "settings.client_secrets.create", "oauth_clients", "permission"),
        "Give a client a second secret",
        resource="client",
        answer="oauth.SecretCreated",
        secret=True,
        status=201,
    ),
    _e(
        *("DELETE", "/v1/oauth-clients/{id}/secrets/{secret_id}", "settings.client_secrets.delete", "oauth_clients"),
        "permission",
        "Retire a client's secret",
        resource="client",
        status=204,
    ),
    # API keys
    _e(
        *("POST", "/v1/api-keys", "settings.api_keys.create", "apikeys_manage", "permission", "Issue an API key"),
        resource="api_key",
        body="apikeys.KeyCreate",
        answer="apikeys.KeyCreated",
        secret=True,
        status=201,
    ),
    _e(
        *("GET", "/v1/api-keys", "settings.api_keys.list", "apikeys_manage", "own", "List API keys"),
        resource="api_key",
        answer="apikeys.KeyList",
        query="common.Paging",
    ),
    _e(
        *("GET", "/v1/api-keys/{id}", "settings.api_keys.get", "apikeys_manage", "own", "Read an API key, never its secret"),
        resource="api_key",
        answer="apikeys.KeyView",
    ),
    _e(
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
    _e(
        *("DELETE", "/v1/api-keys/{id}", "settings.api_keys.delete", "apikeys_manage", "permission", "Revoke an API key"),
        resource="api_key",
        status=204,
        if_match=True,
    ),
    _e(
        *("POST", "/v1/api-keys/{id}/rotate", "settings.api_keys.rotate", "apikeys_manage", "permission"),
        "Replace a key, the old one living on for a grace",
        resource="api_key",
        body="apikeys.KeyRotate",
        answer="apikeys.KeyCreated",
        secret=True,
        status=201,
    ),
    _e(
        *("POST", "/v1/api-keys/verify", "settings.api_keys.verify", "apikeys_verify", "permission", "Check an API key"),
        body="apikeys.KeyVerify",
        answer="apikeys.KeyVerified",
    ),
    _e(
        *("GET", "/.well-known/api-key-format", "catalogue.api_key_format.get", "platform_catalogue", "public"),
        "The format of API keys, for secret scanners",
    ),
    # Tenants
    _e(
        *("POST", "/v1/tenants", "platform.tenants.create", "identity_tenants", "permission", "Create a tenant"),
        resource="tenant",
        body="identity.TenantCreate",
        answer="identity.TenantCreated",
        status=201,
    ),
    _e(
        *("GET", "/v1/tenants", "platform.tenants.list", "identity_tenants", "permission", "List tenants"),
        resource="tenant",
        answer="identity.TenantList",
        query="common.Paging",
    ),
    _e(
        *("GET", "/v1/tenants/{id}", "platform.tenants.get", "identity_tenants", "permission", "Read a tenant"),
        resource="tenant",
        answer="identity.TenantView",
    ),
    _e(
        *(
            "PATCH",
            "/v1/tenants/{id}",
            "platform.tenants.update",
            "identity_tenants",
            "permission",
            "Rename or suspend a tenant",
        ),
        resource="tenant",
        body="identity.TenantPatch",
        answer="identity.TenantView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/tenants/{id}", "platform.tenants.delete", "identity_tenants", "permission", "Delete a tenant"),
        resource="tenant",
        answer="identity.TenantView",
        query="identity.Deletion",
        status=202,
        if_match=True,
    ),
    _e(
        *("POST", "/v1/tenants/{id}/restore", "platform.tenants.restore", "identity_tenants", "permission"),
        "Take a tenant's deletion back",
        resource="tenant",
        answer="identity.TenantView",
        if_match=True,
    ),
    # Users and roles
    _e(
        *("POST", "/v1/users", "settings.users.create", "identity_users", "permission", "Create a user"),
        resource="user",
        body="identity.UserCreate",
        answer="identity.UserView",
        status=201,
    ),
    _e(
        *("GET", "/v1/users", "settings.users.list", "identity_users", "permission", "List users"),
        resource="user",
        answer="identity.UserList",
        query="identity.UserQuery",
    ),
    _e(
        *("GET", "/v1/users/{id}", "settings.users.get", "identity_users", "permission", "Read a user"),
        resource="user",
        answer="identity.UserView",
    ),
    _e(
        *("PATCH", "/v1/users/{id}", "settings.users.update", "identity_users", "permission", "Change or suspend a user"),
        resource="user",
        body="identity.UserPatch",
        answer="identity.UserView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/users/{id}", "settings.users.delete", "identity_users", "permission", "Delete a user"),
        resource="user",
        status=204,
        if_match=True,
    ),
    _e(
        *(
            "PUT",
            "/v1/users/{id}/roles",
            "settings.user_roles.set",
            "identity_users",
            "permission",
            "Set a user's own roles",
        ),
        resource="user",
        body="identity.RolesSet",
        answer="identity.UserView",
        if_match=True,
    ),
    _e(
        *(
            "GET",
            "/v1/users/{id}/roles",
            "settings.user_roles.get",
            "identity_users",
            "permission",
            "A user's roles, and why",
        ),
        resource="user",
        answer="identity.UserRoles",
        query="identity.RolesQuery",
    ),
    _e(
        *("POST", "/v1/groups", "settings.groups.create", "identity_users", "permission", "Create a group"),
        resource="group",
        body="identity.GroupCreate",
        answer="identity.GroupView",
        status=201,
    ),
    _e(
        *("GET", "/v1/groups", "settings.groups.list", "identity_users", "permission", "List groups"),
        resource="group",
        answer="identity.GroupList",
        query="common.Paging",
    ),
    _e(
        *("GET", "/v1/groups/{id}", "settings.groups.get", "identity_users", "permission", "Read a group"),
        resource="group",
        answer="identity.GroupView",
    ),
    _e(
        *("PATCH", "/v1/groups/{id}", "settings.groups.update", "identity_users", "permission", "Change a group"),
        resource="group",
        body="identity.GroupPatch",
        answer="identity.GroupView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/groups/{id}", "settings.groups.delete", "identity_users", "permission", "Delete a group"),
        resource="group",
        status=204,
        if_match=True,
    ),
    _e(
        *("PUT", "/v1/groups/{id}/roles", "settings.group_roles.set", "identity_users", "permission", "Set a group's roles"),
        resource="group",
        body="identity.RolesSet",
        answer="identity.GroupView",
        if_match=True,
    ),
    _e(
        *("GET", "/v1/groups/{id}/members", "settings.group_members.list", "identity_users", "permission"),
        "List a group's members",
        resource="group",
        answer="identity.MemberList",
        query="common.Paging",
    ),
    _e(
        *("PUT", "/v1/groups/{id}/members/{user_id}", "settings.group_members.add", "identity_users", "permission"),
        "Put a user into a group",
        resource="group",
        status=204,
    ),
    _e(
        *("DELETE", "/v1/groups/{id}/members/{user_id}", "settings.group_members.remove", "identity_users", "permission"),
        "Take a user out of a group",
        resource="group",
        status=204,
    ),
    _e(
        *("GET", "/v1/roles", "settings.roles.list", "policy_manage", "permission", "List roles, built-in and own"),
        resource="role",
        answer="policy.RoleList",
    ),
    _e(
        *("POST", "/v1/roles", "settings.roles.create", "policy_manage", "permission", "Make a role"),
        resource="role",
        body="policy.RoleCreate",
        answer="policy.RoleView",
        status=201,
    ),
    _e(
        *("PATCH", "/v1/roles/{id}", "settings.roles.update", "policy_manage", "permission", "Change a role of one's own"),
        resource="role",
        body="policy.RolePatch",
        answer="policy.RoleView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/roles/{id}", "settings.roles.delete", "policy_manage", "permission", "Delete a role of one's own"),
        resource="role",
        status=204,
        if_match=True,
    ),
    _e("GET", "/v1/me", "settings.me.get", "identity_me", "self", "Who the caller is and may be", answer="identity.Me"),
    # Decisions
    _e(
        *("POST", "/v1/policies", "settings.policies.create", "policy_manage", "permission", "Write a policy"),
        resource="policy",
        body="policy.PolicyWrite",
        answer="policy.PolicyView",
        status=201,
    ),
    _e(
        *("GET", "/v1/policies", "settings.policies.list", "policy_manage", "permission", "List policies"),
        resource="policy",
        answer="policy.PolicyList",
        query="common.Paging",
    ),
    _e(
        *("GET", "/v1/policies/{id}", "settings.policies.get", "policy_manage", "permission", "Read a policy"),
        resource="policy",
        answer="policy.PolicyView",
    ),
    _e(
        *("PUT", "/v1/policies/{id}", "settings.policies.update", "policy_manage", "permission", "Replace a policy"),
        resource="policy",
        body="policy.PolicyWrite",
        answer="policy.PolicyView",
        if_match=True,
    ),
    _e(
        *("DELETE", "/v1/policies/{id}", "settings.policies.delete", "policy_manage", "permission", "Delete a policy"),
        resource="policy",
        status=204,
        if_match=True,
    ),
    _e(
        *("GET", "/v1/policies/{id}/versions", "settings.policy_versions.list", "policy_manage", "permission"),
        "List a policy's versions",
        resource="policy",
        answer="policy.PolicyList",
        query="common.Paging",
    ),
    _e(
        *(
            "POST",
            "/v1/policies/validate",
            "settings.policy_documents.verify",
            "policy_manage",
            "permission",
            "Check a policy",
        ),
        body="policy.PolicyCheck",
        answer="policy.PolicyChecked",
    ),
    _e(
        *("POST", "/v1/authorize", "decisions.decisions.read", "policy_decide", "self", "Ask for a decision"),
        body="policy.AuthorizeRequest",
        answer="policy.DecisionView",
    ),
    _e(
        *("POST", "/v1/authorize/batch", "decisions.batches.read", "policy_decide", "self", "Ask for up to 100 decisions"),
        body="policy.AuthorizeBatch",
        answer="policy.DecisionBatch",
    ),
    _e(
        *(
            "POST",
            "/v1/protected-apis",
            "settings.protected_apis.create",
            "policy_apis",
            "permission",
            "Protect another API",
        ),
        resource="protected_api",
        body="policy.ProtectedAPIWrite",
        answer="policy.ProtectedAPIView",
        status=201,
    ),
    _e(
        *("GET", "/v1/protected-apis", "settings.protected_apis.list", "policy_apis", "permission", "List protected APIs"),
        resource="protected_api",
        answer="policy.ProtectedAPIList",
        query="common.Paging",
    ),
    _e(
        *(
            "GET",
            "/v1/protected-apis/{id}",
            "settings.protected_apis.get",
            "policy_apis",
            "permission",
            "Read a protected API",
        ),
        resource="protected_api",
        answer="policy.ProtectedAPIView",
    ),
    _e(
        *("DELETE", "/v1/protected-apis/{id}", "settings.protected_apis.delete", "policy_apis", "permission"),
        "Stop protecting an API",
        resource="protected_api",
        status=204,
        if_match=True,
    ),
    _e(
        *("PUT", "/v1/resources/{type}/{id}", "settings.resources.set", "policy_apis", "permission"),
        "Tell what is known of a resource",
        resource="resource",
        body="policy.ResourceWrite",
        answer="policy.ResourceView",
    ),
    _e(
        *("GET", "/v1/resources/{type}/{id}", "settings.resources.get", "policy_apis", "permission"),
        "Read what is known of a resource",
        resource="resource",
        answer="policy.ResourceView",
    ),
    _e(
        *("DELETE", "/v1/resources/{type}/{id}", "settings.resources.delete", "policy_apis", "permission"),
        "Forget a resource",
        resource="resource",
        status=204,
        if_match=True,
    ),
    # Audit
    _e(
        *("POST", "/v1/audit/events", "audit.events.write", "audit_events", "permission", "Write events of another service"),
        body="audit.ExternalEvents",
        answer="audit.ExternalWritten",
    ),
    _e(
        *(
            "GET",
            "/v1/audit/events/{id}/proof",
            "audit.proofs.get",
            "audit_events",
            "permission",
            "Prove that an event is in the log",
        ),
        resource="event",
        answer="audit.ProofView",
        may_wait=True,
    ),
    _e(
        *("GET", "/v1/audit/logs", "audit.logs.list", "audit_events", "permission", "List the tenant's logs"),
        answer="audit.LogList",
    ),
    _e(
        *("GET", "/v1/audit/consistency", "audit.consistency.get", "audit_events", "permission"),
        "Prove that a log only grew",
        answer="audit.ConsistencyView",
        query="audit.ConsistencyQuery",
    ),
    _e(
        *(
            "GET",
            "/audit/{log_id}/keys",
            "audit.keys.list",
            "audit_events",
            "permission",
            "The keys that sign a log's checkpoints",
        ),
        answer="audit.LogKeys",
    ),
    _e(
        *(
            "GET",
            "/audit/{log_id}/checkpoint",
            "audit.checkpoints.get",
            "audit_events",
            "permission",
            "A log's newest checkpoint",
        ),
    ),
    _e(
        *("GET", "/v1/audit/events", "audit.events.search", "audit_events", "own", "Search the audit log"),
        answer="audit.EventList",
        query="audit.EventQuery",
    ),
    _e(
        *("GET", "/v1/audit/events/{id}", "audit.events.get", "audit_events", "own", "Read an audit event"),
        resource="event",
        answer="audit.EventView",
    ),
    # The catalogue
    _e(
        "GET",
        "/v1/operations",
        "catalogue.operations.list",
        "platform_catalogue",
        "public",
        "Every operation, its permission",
    ),
    _e("GET", "/openapi.json", "catalogue.openapi.get", "platform_catalogue", "public", "This API, as OpenAPI 3.1"),
)

BY_ROUTE = {(row.method, row.path): row for row in ENDPOINTS}
BY_OPERATION = {row.operation: row for row in ENDPOINTS}
