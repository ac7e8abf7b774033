"""Groups, their members, and the roles that both bring, in memory and in DynamoDB."""

from dataclasses import replace

import pytest

from platforma.identity import (
    add_member,
    change_group,
    change_user,
    create_group,
    delete_group,
    explain_roles,
    list_members,
    read_principal,
    remove_member,
)
from platforma.identity.errors import (
    GroupNameTaken,
)
from platforma.identity.model import Managed
from platforma.kernel.events import Attempt
from tests.contract.directory.test_connected_users import CONNECTION
from tests.contract.directory.world import KNOWN


def test_a_groups_roles_are_its_members_until_the_group_goes(world):
    tenant, _ = world.tenant()
    user = world.user(tenant, roles=["viewer"])
    group = create_group(
        tenant.id, name="Ops", roles=["operator"], known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt()
    )

    add_member(tenant.id, group.id, user.id, **world.ports(), attempt=world.attempt())
    inside = read_principal(tenant.id, user.id, **world.ports())
    sources = explain_roles(tenant.id, user.id, **world.ports())
    delete_group(tenant.id, group.id, if_match=None, **world.ports(), attempt=world.attempt())
    outside = read_principal(tenant.id, user.id, **world.ports())

    assert (inside.roles, inside.groups) == ({"viewer", "operator"}, {group.id})
    assert [(source.role, source.group_id) for source in sources] == [("viewer", None), ("operator", group.id)]
    assert (outside.roles, outside.groups) == ({"viewer"}, set())


def test_members_come_and_go_and_are_listed(world):
    tenant, _ = world.tenant()
    users = [world.user(tenant, f"u{number}@acme.test") for number in range(3)]
    group = create_group(tenant.id, name="Ops", known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt())
    for user in (*users, users[0]):
        add_member(tenant.id, group.id, user.id, **world.ports(), attempt=world.attempt())

    for _ in range(2):
        remove_member(tenant.id, group.id, users[1].id, **world.ports(), attempt=world.attempt())
    first = list_members(tenant.id, group.id, groups=world.make()[2], limit=1)
    rest = list_members(tenant.id, group.id, groups=world.make()[2], after=first.after)

    assert [*first.items, *rest.items] == sorted([users[0].id, users[2].id])


def test_who_gave_a_role_or_a_membership_is_kept_for_as_long_as_it_is_held(world):
    tenant, admin = world.tenant()
    _, directory, groups = world.make()
    bob = world.user(tenant, roles=["viewer"])
    first = directory.user(tenant.id, bob.id).givers["viewer"]
    group = create_group(tenant.id, name="Ops", known_roles=KNOWN, groups=groups, attempt=world.attempt())

    def as_carol() -> Attempt:
        attempt = world.attempt(tenant_id=tenant.id)
        attempt.principal_id = "usr_carol"
        return attempt

    change_user(
        tenant.id,
        bob.id,
        {"roles": ["viewer", "billing"]},
        if_match=None,
        known_roles=KNOWN,
        attempt=as_carol(),
        **world.ports(),
    )
    add_member(tenant.id, group.id, bob.id, attempt=as_carol(), **world.ports())

    kept = directory.user(tenant.id, bob.id).givers
    assert kept["viewer"] == first
    assert {name: kept[name].by_id for name in ("billing", group.id)} == {"billing": "usr_carol", group.id: "usr_carol"}
    assert directory.user(tenant.id, admin.id).givers.keys() == {"admin"}
    change_user(tenant.id, bob.id, {"roles": []}, if_match=None, known_roles=KNOWN, attempt=as_carol(), **world.ports())
    assert directory.user(tenant.id, bob.id).givers.keys() == {group.id}


def test_a_group_name_is_taken_once(world):
    tenant, _ = world.tenant()
    groups = world.make()[2]
    group = create_group(tenant.id, name="Ops", known_roles=KNOWN, groups=groups, attempt=world.attempt())

    with pytest.raises(GroupNameTaken):
        create_group(tenant.id, name="OPS", known_roles=KNOWN, groups=groups, attempt=world.attempt())
    change_group(
        tenant.id,
        group.id,
        {"name": "Operations"},
        if_match=1,
        known_roles=KNOWN,
        **world.ports(),
        attempt=world.attempt(),
    )
    create_group(tenant.id, name="ops", known_roles=KNOWN, groups=groups, attempt=world.attempt())


def test_a_group_is_read_back_with_who_keeps_it(world):
    tenant, _ = world.tenant()
    group = create_group(tenant.id, name="Eng", known_roles=KNOWN, attempt=world.attempt(), groups=world.make()[2])
    kept = replace(group, managed=Managed("scim", CONNECTION), version=2)

    world.make()[2].replace(group, kept, world.attempt().event("success"), turn=None)

    assert world.make()[2].group(tenant.id, group.id) == kept
    assert kept.managed_by == "scim"
