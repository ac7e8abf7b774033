"""A tenant whose people write policies."""

from platforma.adapters.memory.policies import MemoryPolicies
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.policy import (
    create_policy,
    replace_policy,
)
from platforma.policy.model import Versions
from platforma.policy.ports import Member
from tests.unit.policy.worlds import NOON, SAMPLE, TENANT, user


class Office:
    """A tenant with its people, its rules, its events and a clock."""

    def __init__(self):
        self.now = NOON
        self.events = []
        self.store = MemoryPolicies(self.events.append)
        self.store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
        self.people = [Member(user("admin", id="usr_1"), able=True), Member(user("viewer", id="usr_2"), able=True)]
        self.ports = {"store": self.store, "clock": lambda: self.now}

    def holders(self, tenant_id, roles):
        return [member for member in self.people if member.subject.roles & roles]

    def attempt(self):
        return Attempt("req", "settings.policies.create", lambda: self.now, tenant_id=TENANT, principal_id="usr_1")

    def create(self, document=SAMPLE, attachments=(("tenant", TENANT),), **more):
        attached = [{"type": kind, "id": name} for kind, name in attachments]
        fields = {"name": "x", "document": document, "attachments": attached, **more}
        return create_policy(TENANT, **fields, **self.ports, holders=self.holders, attempt=self.attempt())

    def replace(self, policy, *, if_match=None, document=SAMPLE, attachments=(("tenant", TENANT),)):
        attached = [{"type": kind, "id": name} for kind, name in attachments]
        fields = {"name": "y", "document": document, "attachments": attached, "if_match": if_match}
        return replace_policy(TENANT, policy.id, **fields, **self.ports, holders=self.holders, attempt=self.attempt())


class Counted(MemoryPolicies):
    """Counts the reads, and fails them on request."""

    def __init__(self):
        super().__init__()
        self.looks, self.loads, self.fails = 0, 0, False

    def versions(self, tenant_id):
        self.looks += 1
        if self.fails:
            raise Unavailable
        return super().versions(tenant_id)

    def load(self, tenant_id):
        self.loads += 1
        return super().load(tenant_id)
