"""The last administrator stays, whoever takes the role away and how, in memory and in DynamoDB."""

from collections.abc import Callable
from typing import Any

import pytest

from platforma.identity import (
    User,
    add_member,
    change_group,
    create_group,
    delete_group,
    delete_user,
    list_users,
    read_principal,
    read_user,
    remove_member,
    set_roles,
)
from platforma.identity.errors import (
    WouldLockOut,
)
from platforma.kernel.errors import Unavailable
from tests.contract.directory.world import KNOWN, PASSWORD, race


def test_the_last_administrator_stays_whatever_way_is_tried(world):
    tenant, admin = world.tenant()
    world.user(tenant, "invited@acme.test", roles=["admin"])

    for changes in ({"status": "suspended"}, {"roles": ["viewer"]}):
        with pytest.raises(WouldLockOut):
            world.change(admin, changes)
    with pytest.raises(WouldLockOut):
        delete_user(tenant.id, admin.id, if_match=None, **world.ports(), attempt=world.attempt())

    assert read_user(tenant.id, admin.id, directory=world.make()[1]) == admin


def test_the_last_administrator_stays_when_a_group_makes_it_one(world):
    tenant, admin = world.tenant()
    user = world.user(tenant, password=PASSWORD)
    group = create_group(
        tenant.id, name="Admins", roles=["admin"], known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt()
    )
    add_member(tenant.id, group.id, user.id, **world.ports(), attempt=world.attempt())
    world.change(admin, {"roles": []})
    rest = {**world.ports(), "attempt": world.attempt()}

    with pytest.raises(WouldLockOut):
        change_group(tenant.id, group.id, {"roles": ["viewer"]}, if_match=None, known_roles=KNOWN, **rest)
    with pytest.raises(WouldLockOut):
        delete_group(tenant.id, group.id, if_match=None, **rest)
    with pytest.raises(WouldLockOut):
        remove_member(tenant.id, group.id, user.id, **rest)
    with pytest.raises(WouldLockOut):
        delete_user(tenant.id, user.id, if_match=None, **rest)


def test_twenty_administrators_who_remove_each_other_at_once_leave_one(world):
    tenant, admin = world.tenant()
    others = [world.user(tenant, f"a{number}@acme.test", roles=["admin"], password=PASSWORD) for number in range(3)]
    admins = [admin, *others]

    def remove(number: int) -> User:
        victim = admins[number % len(admins)]
        return set_roles(
            tenant.id, victim.id, [], if_match=None, known_roles=KNOWN, attempt=world.attempt(), **world.ports()
        )

    results = race(20, remove)
    left = [user for user in list_users(tenant.id, **world.ports()).items if "admin" in user.roles]

    assert len(left) == 1
    assert all(isinstance(result, User | WouldLockOut | Unavailable) for result in results)


def test_administrators_who_take_each_other_away_in_every_way_at_once_leave_one(world):
    tenant, ada = world.tenant()
    bob, eve, sam = (
        world.user(tenant, f"{name}@acme.test", roles=roles, password=PASSWORD)
        for name, roles in (("bob", ["admin"]), ("eve", []), ("sam", ["admin"]))
    )
    group = create_group(
        tenant.id, name="Admins", roles=["admin"], known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt()
    )
    add_member(tenant.id, group.id, eve.id, **world.ports(), attempt=world.attempt())

    def rest() -> dict[str, Any]:
        return {**world.ports(), "attempt": world.attempt()}

    ways: list[Callable[[], Any]] = [
        lambda: world.change(ada, {"status": "suspended"}),
        lambda: set_roles(tenant.id, bob.id, ["viewer"], if_match=None, known_roles=KNOWN, **rest()),
        lambda: remove_member(tenant.id, group.id, eve.id, **rest()),
        lambda: delete_user(tenant.id, sam.id, if_match=None, **rest()),
        lambda: change_group(tenant.id, group.id, {"roles": []}, if_match=None, known_roles=KNOWN, **rest()),
        lambda: delete_group(tenant.id, group.id, if_match=None, **rest()),
        lambda: world.change(sam, {"status": "suspended"}),
        lambda: set_roles(tenant.id, ada.id, [], if_match=None, known_roles=KNOWN, **rest()),
    ]
    results = race(16, lambda number: ways[number % len(ways)]())

    left = [
        user.id
        for user in list_users(tenant.id, **world.ports()).items
        if user.status == "active" and "admin" in read_principal(tenant.id, user.id, **world.ports()).roles
    ]
    assert len(left) >= 1
    assert any(isinstance(result, WouldLockOut | Unavailable) for result in results)
