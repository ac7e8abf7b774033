"""A connection's directory as a test calls for it: over SCIM, with a token of its own."""

from dataclasses import dataclass, replace
from typing import Any

from platforma import bootstrap
from platforma.kernel.events import Attempt
from platforma.sso.scim.patch import PATCH_OP
from tests.fakes.identity_provider import FakeIdentityProvider
from tests.world import Reply, Tenant, World

METADATA = FakeIdentityProvider().metadata()
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Directory:
    """A connection's directory, as an identity provider calls for it."""

    world: World
    tenant: Tenant
    connection: str
    token: str

    def call(self, method: str, path: str, body: Any = None, *, expect: int | None = None, **headers: str) -> Reply:
        sent = {"Content-Type": "application/scim+json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        reply = self.world.call(method, f"/scim/v2{path}", token=self.token, json_body=body, headers=sent)
        assert expect is None or reply.status == expect, reply.text
        return reply

    def user(self, name: str = "ada@acme.test", **fields: Any) -> dict[str, Any]:
        return self.call("POST", "/Users", {"schemas": [USER], "userName": name, **fields}, expect=201).json

    def patch(self, path: str, *operations: dict[str, Any], expect: int = 200, **headers: str) -> dict[str, Any]:
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        return self.call("PATCH", path, body, expect=expect, **headers).json

    def found(self, query: str, path: str = "/Users") -> list[str]:
        return [each["id"] for each in self.call("GET", f"{path}?{query}", expect=200).json["Resources"]]


def connect(world: World, tenant: Tenant, domain: str = "acme.test", **fields: Any) -> Directory:
    """A connection of the tenant's, for a domain that is vouched for, and a token of its directory."""
    body = {"domain": domain, "tenant_id": tenant.id, "vouched": True}
    vouched = world.call("POST", "/v1/domains", token=world.token(world.platform_client), json_body=body)
    assert vouched.status == 201, vouched.text
    made = {"name": "Okta", "type": "saml", "domains": [domain], "saml": {"metadata_xml": METADATA}, **fields}
    connection = tenant.call("POST", "/v1/sso-connections", made, expect=201).json["id"]
    path = f"/v1/sso-connections/{connection}/scim-tokens"
    return Directory(world, tenant, connection, tenant.call("POST", path, expect=201).json["token"])


def refused(reply: Reply, status: int, scim_type: str | None = None) -> dict[str, Any]:
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/scim+json"
    assert (reply.json["schemas"], reply.json["status"], reply.json.get("scimType")) == ([ERROR], str(status), scim_type)
    return reply.json


def give_password(tenant: Tenant, user_id: str) -> None:
    """Have the user have a password, as by a link that was mailed."""
    directory = bootstrap.parts.identity.directory()
    before = directory.user(tenant.id, user_id)
    after = replace(before, has_password=True, version=before.version + 1)
    attempt = Attempt("request", "settings.passwords.set", tenant.world.clock, tenant_id=tenant.id, principal_type="user")
    directory.set_password(before, after, "hash", attempt.event("success", resource=user_id))
