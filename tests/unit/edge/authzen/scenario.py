"""
The fixture of OpenID AuthZEN's certification scenario, in a tenant of ours.

The scenario's `alice` and `bob` stand for two users of the tenant, whose ids are ours. Its fixture is four policies, the two
records as known resources, and bob's attribute `role`. Source: openid/authzen,
certification/authorization-api-1_0-scenario.md (2026).
"""

from itertools import count
from typing import Any

from tests.world import Reply, Tenant

SINGLE, SEVERAL = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search/"
READ, WRITE = {"name": "read"}, {"name": "write"}
ONE, TWO = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}
ARCHIVED, ACTIVE = {"properties": {"status": "archived"}}, {"properties": {"status": "active"}}
_COUNT = count()
RECORDS = {"resources": ["record:*"]}
OF_ALICE = [
    {"effect": "allow", "actions": ["resources.record.read"], **RECORDS},
    {
        "effect": "allow",
        "actions": ["resources.record.write"],
        **RECORDS,
        "conditions": {"resource_attributes": {"status": {"not_equals": "archived"}}},
    },
    {
        "effect": "allow",
        "actions": ["resources.record.delete"],
        **RECORDS,
        "conditions": {"action_attributes": {"soft": True}},
    },
]
OF_BOB = {"effect": "allow", "actions": ["resources.record.read"], **RECORDS}
OF_ADMINS = {
    "effect": "allow",
    "actions": ["resources.record.write"],
    **RECORDS,
    "conditions": {"principal_attributes": {"role": "admin"}, "resource_attributes": {"status": "archived"}},
}


class Fixture:
    """The scenario's fixture in a tenant, asked as a decision point's client: one that may ask and vouch."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.world = tenant, tenant.world
        self.alice, self.bob = ({"type": "user", "id": tenant.user(f"{name}@acme.test")} for name in ("alice", "bob"))
        change = {"attributes": {"role": "admin"}}
        tenant.call("PATCH", f"/v1/users/{self.bob['id']}", change, expect=200, headers={"If-Match": "*"})
        for record, told in ((ONE, ACTIVE), (TWO, ARCHIVED)):
            body = {"attributes": told["properties"]}
            tenant.call("PUT", f"/v1/resources/record/{record['id']}", body, expect=200)
        for document, attachment in (
            ({"statements": OF_ALICE}, self.alice),
            (OF_BOB, self.bob),
            (OF_ADMINS, {"type": "tenant", "id": tenant.id}),
        ):
            policy = {"name": "record", "document": document, "attachments": [attachment]}
            tenant.call("POST", "/v1/policies", policy, expect=201)
        asking = {"effect": "allow", "actions": ["decisions:manage"], "resources": ["*"]}
        self.client = tenant.client_with()
        attachment = {"type": "oauth_client", "id": self.client["client_id"]}
        tenant.call("POST", "/v1/policies", {"name": "p", "document": asking, "attachments": [attachment]}, expect=201)
        self.world.clock.move(seconds=5)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        """Send *body* as the decision point's client."""
        return self.world.call("POST", path, token=self.world.token(self.client), json_body=body, **more)

    def decision(self, subject: Any, action: Any, resource: Any, **more: Any) -> bool:
        """The decision on one question."""
        reply = self.post(SINGLE, {"subject": subject, "action": action, "resource": resource, **more})
        assert reply.status == 200, reply.text
        assert isinstance(reply.json["decision"], bool)
        return bool(reply.json["decision"])

    def decisions(self, **body: Any) -> list[bool]:
        """The decisions on several questions."""
        reply = self.post(SEVERAL, body)
        assert reply.status == 200, reply.text
        return [each["decision"] for each in reply.json["evaluations"]]

    def search(self, kind: str, body: Any) -> dict[str, Any]:
        """The answer to a search."""
        reply = self.post(SEARCH + kind, body)
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def found(self, kind: str, body: Any, name: str = "id") -> set[str]:
        """The ids (or names) that a search of one page finds."""
        answer = self.search(kind, body)
        assert answer["page"] == {"next_token": "", "count": len(answer["results"])}
        return {each[name] for each in answer["results"]}

    def all(self, kind: str, body: dict[str, Any], limit: int) -> list[list[dict[str, str]]]:
        """The results of each page of a search."""
        pages: list[list[dict[str, str]]] = []
        page: dict[str, Any] = {"limit": limit}
        while True:
            answer = self.search(kind, {**body, "page": page})
            pages.append(answer["results"])
            if not answer["page"]["next_token"]:
                return pages
            page = {"token": answer["page"]["next_token"]}

    def question(self, **changed: Any) -> dict[str, Any]:
        """A good question with these parts in place of its own; None takes one away."""
        whole = {"subject": self.alice, "action": READ, "resource": ONE, **changed}
        return {name: part for name, part in whole.items() if part is not None}


USERS = {"subject": {"type": "user"}}
RECORD = {"resource": {"type": "record"}}
