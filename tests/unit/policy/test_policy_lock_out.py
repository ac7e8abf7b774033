"""No policy may shut out the last administrator."""

import pytest

from platforma.kernel.errors import Conflict
from platforma.kernel.ids import new_id
from platforma.policy.errors import Moved, WouldLockOut
from platforma.policy.model import Role
from platforma.policy.ports import Member
from tests.unit.policy.worlds import SAMPLE, TENANT, user

FREEZE = {"effect": "deny", "actions": ["settings.users.*"], "resources": ["user:usr_7"], "conditions": {"mfa": True}}


@pytest.mark.parametrize(
    "document",
    [
        FREEZE,
        {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]},
        {"effect": "deny", "actions": ["*"], "resources": ["user:x"]},
        {"effect": "allow", "actions": ["*"], "resources": ["cluster:*"]},
        {"statements": [SAMPLE, FREEZE]},
    ],
)
def test_a_policy_that_could_shut_out_the_last_administrator_is_refused(office, document):
    with pytest.raises(WouldLockOut):
        office.create(document)

    assert not office.events


@pytest.mark.parametrize(
    ("document", "attachments"),
    [
        (SAMPLE, [("tenant", TENANT)]),
        (
            {"effect": "deny", "actions": ["*:*", "settings:read", "settings.users.list"], "resources": ["*"]},
            [("tenant", TENANT)],
        ),
        (FREEZE, [("role", "viewer")]),
        (FREEZE, []),
        ({"effect": "allow", "actions": ["settings:manage"], "resources": ["*"]}, [("tenant", TENANT)]),
    ],
)
def test_a_policy_that_leaves_an_administrator_is_not_refused(office, document, attachments):
    assert office.create(document, attachments).version == 1


def test_a_second_administrator_out_of_its_reach_lets_it_pass(office):
    office.people.append(Member(user("admin", "operator", id="usr_3"), able=True))

    assert office.create(FREEZE, [("role", "viewer"), ("group", new_id("grp"))])
    office.people[0] = Member(user("admin", "viewer", id="usr_1"), able=True)
    assert office.create(FREEZE, [("role", "viewer")])
    office.people[1:] = [Member(user("admin", id="usr_3"), able=False)]
    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "viewer")])


def test_a_role_of_the_tenants_own_can_administer(office):
    office.people = [Member(user("chief", id="usr_1"), able=True)]
    office.store.put_role(
        Role(tenant_id=TENANT, name="chief", actions=("settings:manage",)), office.attempt().event("success")
    )

    assert office.create(FREEZE, [("role", "viewer")])
    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "chief")])


def test_of_two_policies_that_each_leave_the_others_administrator_one_is_refused(office):
    """Both are checked on the same rules; the second write finds them moved, looks again, and is refused."""
    office.people = [
        Member(user("admin", "left", id="usr_1"), able=True),
        Member(user("admin", "right", id="usr_2"), able=True),
    ]
    create, raced = office.store.create, []

    def create_after_the_other(policy, event, *, unmoved=None):
        if not raced:
            raced.append(True)
            office.create(FREEZE, [("role", "left")])
        create(policy, event, unmoved=unmoved)

    office.store.create = create_after_the_other

    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "right")])
    assert len(office.store.load(TENANT).policies) == 1


def test_rules_that_never_stand_still_are_a_conflict(office, monkeypatch):
    def moved(*_, **__):
        raise Moved

    office.people.append(Member(user("admin", id="usr_3"), able=True))
    monkeypatch.setattr(office.store, "create", moved)

    with pytest.raises(Conflict):
        office.create(FREEZE, [("role", "viewer")])
