"""A tenant's own roles: written, guarded, and never those that are built in."""

import pytest

from platforma.adapters.memory.policies import MemoryPolicies
from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.policy import change_role, create_role, delete_role, get_role, list_roles
from platforma.policy.errors import WouldLockOut
from platforma.policy.model import Versions
from platforma.policy.ports import Member
from platforma.policy.roles import BUILT_IN
from tests.unit.policy.worlds import NOON, TENANT, user


class Tenant:
    """A tenant whose only administrator holds the role `chief`."""

    def __init__(self):
        self.events = []
        self.store = MemoryPolicies(self.events.append)
        self.store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
        self.people = [Member(user("chief"), able=True)]
        self.create("chief", "settings:manage", "orders:read")

    def ports(self):
        attempt = Attempt("req", "settings.roles.update", lambda: NOON, tenant_id=TENANT)
        return {"store": self.store, "attempt": attempt}

    def create(self, name, *actions):
        return create_role(TENANT, name=name, actions=actions, **self.ports(), clock=lambda: NOON)

    def guarded(self):
        return {**self.ports(), "holders": lambda _, roles: [one for one in self.people if one.subject.roles & roles]}


@pytest.fixture
def tenant():
    return Tenant()


def test_a_role_is_kept_with_its_event_and_listed_after_the_built_in_ones(tenant):
    clerk = tenant.create("clerk", "orders.orders.*")

    assert get_role(TENANT, "clerk", store=tenant.store) == clerk
    assert [role.name for role in list_roles(TENANT, store=tenant.store)] == [*BUILT_IN, "chief", "clerk"]
    assert tenant.events[-1].changes["after"]["actions"] == ["orders.orders.*"]


@pytest.mark.parametrize("name", [*BUILT_IN, "platform", "chief"])
def test_a_name_is_taken_once(tenant, name):
    with pytest.raises(Conflict):
        tenant.create(name, "orders:read")


@pytest.mark.parametrize(
    ("name", "actions", "pointer"),
    [
        ("Clerk", ["orders:read"], "/name"),
        ("clerk", [], "/actions"),
        ("clerk", ["orders:read", "orders"], "/actions/1"),
        ("clerk", ["platform:read"], "/actions/0"),
    ],
)
def test_a_role_that_cannot_be_meant_is_pointed_at(tenant, name, actions, pointer):
    with pytest.raises(Unprocessable) as refused:
        tenant.create(name, *actions)

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]


def test_a_change_names_what_it_changes_and_leaves_the_rest(tenant):
    tenant.create("clerk", "orders:read")
    changed = change_role(TENANT, "clerk", if_match=1, description="Clerks", **tenant.guarded())

    assert (changed.actions, changed.description, changed.version) == (("orders:read",), "Clerks", 2)
    with pytest.raises(PreconditionFailed):
        change_role(TENANT, "clerk", if_match=1, actions=["orders:manage"], **tenant.guarded())


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_roles_are_fixed(tenant, name):
    with pytest.raises(Conflict):
        change_role(TENANT, name, if_match=None, actions=["*"], **tenant.guarded())
    with pytest.raises(Conflict):
        delete_role(TENANT, name, if_match=None, **tenant.guarded())


def test_a_role_that_is_not_there_is_not_found(tenant):
    for name in ("clerk", "No Role"):
        with pytest.raises(NotFound):
            delete_role(TENANT, name, if_match=None, **tenant.guarded())


def test_the_last_administrators_role_neither_goes_nor_shrinks_below_administering(tenant):
    with pytest.raises(WouldLockOut):
        delete_role(TENANT, "chief", if_match=None, **tenant.guarded())
    with pytest.raises(WouldLockOut):
        change_role(TENANT, "chief", if_match=None, actions=["settings:read"], **tenant.guarded())
    change_role(TENANT, "chief", if_match=None, actions=["settings:*"], **tenant.guarded())

    tenant.people.append(Member(user("admin", id="usr_2"), able=True))
    delete_role(TENANT, "chief", if_match=2, **tenant.guarded())

    assert tenant.store.role(TENANT, "chief") is None
