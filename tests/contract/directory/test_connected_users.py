"""Users that a connection to an identity provider makes, links and gives roles, in memory and in DynamoDB."""

from dataclasses import replace
from typing import Any

import pytest

from platforma.identity import (
    Tenant,
    User,
    delete_user,
    explain_roles,
    list_users,
    read_principal,
    read_user,
    set_roles,
)
from platforma.identity.errors import (
    IdentityTaken,
    UserRemoved,
    WouldLockOut,
)
from platforma.identity.model import Managed, MappedRole
from platforma.kernel.ids import new_id
from tests.contract.directory.world import KNOWN, NOW, PASSWORD, World, race

CONNECTION = "sso_01j0000000e008000000000000"


def linked(world: World, tenant: Tenant, email: str = "bob@acme.test", subject: str = "bob-1", **fields: Any) -> User:
    """A user whom a sign-in made."""
    directory = world.make()[1]
    user = User(
        id=new_id("usr"),
        tenant_id=tenant.id,
        email=email,
        name="Bob",
        status="active",
        created_at=NOW,
        identities=(directory.identity(tenant.id, CONNECTION, subject),),
        managed=Managed("jit", CONNECTION),
        **fields,
    )
    event = world.attempt(tenant_id=tenant.id).event("success", resource=user.id)
    directory.add(user, None, event, unless_removed=True)
    return user


def mapped(role: str, group: str | None = "Engineers") -> MappedRole:
    return MappedRole(role, CONNECTION, group, NOW)


def replaced(world: World, user: User, **fields: Any) -> User:
    after = replace(user, version=user.version + 1, **fields)
    event = world.attempt(tenant_id=user.tenant_id).event("success", resource=user.id)
    world.make()[1].replace(user, after, event, turn=None)
    return after


def test_a_user_of_a_connections_is_read_back_as_it_was_made_and_found_by_its_identity(world):
    tenant, _ = world.tenant()
    user = linked(world, tenant, mapped=(mapped("operator"), mapped("viewer", None)))
    directory = world.make()[1]

    assert read_user(tenant.id, user.id, directory=directory) == user
    assert directory.owner_of(tenant.id, user.identities[0]) == user.id
    assert directory.owner_of(tenant.id, directory.identity(tenant.id, CONNECTION, "bob-2")) is None


def test_an_identity_is_one_connections_and_one_tenants(world):
    tenant, _ = world.tenant()
    linked(world, tenant)
    directory = world.make()[1]

    other = directory.identity(tenant.id, "sso_01j0000000e008000000000001", "bob-1")

    assert directory.owner_of(tenant.id, other) is None
    elsewhere = world.tenant()[0].id
    assert directory.owner_of(elsewhere, directory.identity(elsewhere, CONNECTION, "bob-1")) is None


def test_of_twenty_sign_ins_that_make_one_identitys_user_one_does(world):
    tenant, _ = world.tenant()

    results = race(20, lambda number: linked(world, tenant, f"bob{number}@acme.test"))

    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, IdentityTaken) for result in results) == 19


def test_an_identity_of_anothers_is_not_linked(world):
    tenant, _ = world.tenant()
    user, other = linked(world, tenant), world.user(tenant, "eve@acme.test")

    with pytest.raises(IdentityTaken):
        replaced(world, other, identities=user.identities)


def test_roles_of_connections_are_the_principals_and_move_the_policy_version(world):
    tenant, _ = world.tenant()
    user = linked(world, tenant)
    before = world.versions(tenant.id)

    replaced(world, user, mapped=(mapped("operator"),))

    principal = read_principal(tenant.id, user.id, **world.ports())
    assert principal is not None
    assert principal.roles == {"operator"}
    assert world.versions(tenant.id) == ("active", before[1] + 1, before[2])
    assert [one.id for one in list_users(tenant.id, role="operator", **world.ports()).items] == [user.id]
    (source,) = explain_roles(tenant.id, user.id, **world.ports())
    assert (source.source, source.managed_by, source.connection_id, source.mapped_group, source.at) == (
        *("mapping", "mapping", CONNECTION, "Engineers"),
        NOW,
    )


def test_roles_of_connections_and_those_given_by_hand_do_not_touch_each_other(world):
    tenant, _ = world.tenant()
    user = replaced(world, linked(world, tenant), mapped=(mapped("operator"),))

    by_hand = set_roles(
        tenant.id, user.id, ["viewer"], if_match=None, known_roles=KNOWN, attempt=world.attempt(), **world.ports()
    )
    assert (by_hand.roles, by_hand.given) == (("viewer",), ("operator", "viewer"))
    assert replaced(world, by_hand, mapped=()).given == ("viewer",)


def test_an_administrator_by_a_mapping_is_one_to_the_lock_out_guard(world):
    tenant, admin = world.tenant()
    other = world.user(tenant, "eve@acme.test", password=PASSWORD)
    replaced(world, other, mapped=(mapped("admin"),))

    delete_user(tenant.id, admin.id, if_match=None, attempt=world.attempt(), **world.ports())

    with pytest.raises(WouldLockOut):
        delete_user(tenant.id, other.id, if_match=None, attempt=world.attempt(), **world.ports())


def test_a_removed_user_is_not_made_again_by_a_sign_in_with_the_identity_or_the_address(world):
    tenant, _ = world.tenant()
    user = linked(world, tenant)
    delete_user(tenant.id, user.id, if_match=None, attempt=world.attempt(), **world.ports())

    for email, subject in (("bob@acme.test", "bob-2"), ("robert@acme.test", "bob-1")):
        with pytest.raises(UserRemoved):
            linked(world, tenant, email, subject)
    assert world.make()[1].owner_of(tenant.id, user.identities[0]) == user.id


def test_a_removed_user_who_is_made_by_hand_again_may_have_the_identity_again(world):
    tenant, _ = world.tenant()
    user = linked(world, tenant)
    delete_user(tenant.id, user.id, if_match=None, attempt=world.attempt(), **world.ports())

    again = replaced(world, world.user(tenant), identities=user.identities)

    assert world.make()[1].owner_of(tenant.id, user.identities[0]) == again.id


def test_an_identity_given_up_is_nobodys(world):
    tenant, _ = world.tenant()
    user = linked(world, tenant)

    replaced(world, user, identities=())

    assert world.make()[1].owner_of(tenant.id, user.identities[0]) is None
