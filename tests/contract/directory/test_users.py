"""Users and their passwords, in memory and in DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from platforma.identity import (
    User,
    add_member,
    change_password,
    create_group,
    create_user,
    delete_user,
    list_members,
    list_users,
    read_principal,
    read_user,
)
from platforma.identity.errors import (
    EmailTaken,
    WrongPassword,
)
from platforma.identity.passwords import verify_password
from platforma.identity.throttle import Attempts, charge_attempt
from platforma.kernel.errors import NotFound, PreconditionFailed, RateLimited, Unavailable
from platforma.kernel.ids import new_id
from tests.contract.directory.world import KNOWN, NOW, PASSWORD, World, race


def test_a_user_is_read_back_as_it_was_made(world):
    tenant, admin = world.tenant()

    user = world.user(tenant, password=PASSWORD, roles=["viewer", "operator"], attributes={"team": "blue", "grade": 3})

    assert read_user(tenant.id, user.id, directory=world.make()[1]) == user
    assert read_user(tenant.id, admin.id, directory=world.make()[1]) == admin


def test_a_user_is_found_with_its_password_in_its_own_tenant_alone(world):
    tenant, admin = world.tenant()
    invited, directory = world.user(tenant), world.make()[1]

    found, stored = directory.with_password(tenant.id, "ADA@acme.test")
    assert (found, stored) == (admin, directory.password_hash(tenant.id, admin.id))
    assert directory.with_password(tenant.id, invited.email) == (invited, None)
    assert directory.with_password(tenant.id, "nobody@acme.test") is None
    assert directory.with_password(world.tenant()[0].id, invited.email) is None


@pytest.mark.parametrize("changed", [False, True])
def test_who_exists_is_not_told_by_how_often_vault_is_asked(dynamodb_world, changed):
    """A cold instance asks once for each address, and not again; with Vault gone it answers for none."""
    world = dynamodb_world
    tenant, admin = world.tenant()
    if changed:  # then the password is under another data key than the address
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(_set_password, world, admin).result()

    def asked(email: str) -> int:
        before = world.keys.calls
        world.make()[1].with_password(tenant.id, email)
        return world.keys.calls - before

    def cold() -> list[int | str]:
        told: list[int | str] = [asked(email) for email in ("ada@acme.test", "nobody@acme.test") * 2]
        world.keys.gone = True
        told += [asked(email) for email in ("ada@acme.test", "nobody@acme.test")]
        return told

    def cold_and_alone() -> list[str]:
        told = []
        for email in ("ada@acme.test", "nobody@acme.test"):
            with pytest.raises(Unavailable) as refused:
                asked(email)
            told.append(refused.value.code)
        return told

    with ThreadPoolExecutor(1) as instance:
        assert instance.submit(cold).result() == [1, 1, 0, 0, 0, 0]
    with ThreadPoolExecutor(1) as instance:
        assert instance.submit(cold_and_alone).result() == ["unavailable"] * 2


def _set_password(world: World, user: User) -> None:
    change_password(
        user.tenant_id,
        user.id,
        current_password=PASSWORD,
        new_password="grey mornings at sea",
        directory=world.make()[1],
        counts=world.counts(),
        attempt=world.attempt(),
    )


def test_an_address_has_one_user_whatever_its_case_and_width(world):
    tenant, _ = world.tenant()

    for email in ("ADA@acme.test", "\uff41\uff44\uff41@acme.test", "ada@ACME.test"):
        with pytest.raises(EmailTaken):
            world.user(tenant, email)
    world.user(world.tenant()[0], "bob@acme.test")


def test_of_twenty_users_with_one_address_one_is_made(world):
    tenant, _ = world.tenant()

    results = race(20, lambda number: world.user(tenant, ["new@acme.test", "NEW@acme.test"][number % 2]))

    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, EmailTaken) for result in results) == 19


def test_of_twenty_changes_to_one_version_one_is_made(world):
    tenant, _ = world.tenant()
    user = world.user(tenant)

    results = race(20, lambda number: world.change(user, {"name": f"Bob {number}"}, if_match=1))

    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, PreconditionFailed) for result in results) == 19


def test_an_address_given_up_is_free_and_the_new_one_taken(world):
    tenant, _ = world.tenant()
    user = world.user(tenant)

    world.change(user, {"email": "robert@acme.test"})

    world.user(tenant, "bob@acme.test")
    with pytest.raises(EmailTaken):
        world.user(tenant, "robert@acme.test")
    ports = world.ports()
    assert list_users(tenant.id, email="ROBERT@acme.test", **ports).items[0].id == user.id


def test_a_refused_write_leaves_no_event_and_no_trace(world):
    tenant, admin = world.tenant()
    user = world.user(tenant)
    before = len(world.events()), world.versions(tenant.id)

    with pytest.raises(EmailTaken):
        world.change(user, {"email": admin.email, "roles": ["viewer"]})

    assert (len(world.events()), world.versions(tenant.id)) == before
    assert read_user(tenant.id, user.id, directory=world.make()[1]) == user


def test_a_write_tells_its_attempt_that_it_is_entered(world):
    tenant, _ = world.tenant()
    attempt = world.attempt("settings.users.create")

    create_user(
        tenant.id,
        email="c@acme.test",
        name="C",
        known_roles=KNOWN,
        directory=world.make()[1],
        attempt=attempt,
    )

    assert attempt.entered
    assert "settings.users.create" in world.events()


def test_only_what_changes_rights_moves_the_versions(world):
    tenant, _ = world.tenant()
    start = world.versions(tenant.id)

    user = world.user(tenant, roles=["viewer"])
    world.change(user, {"name": "Robert", "email": "robert@acme.test"})
    same = world.versions(tenant.id)
    world.change(user, {"attributes": {"team": "red"}})
    world.change(user, {"roles": ["operator"]})
    policy = world.versions(tenant.id)
    world.change(user, {"status": "suspended"})
    revocation = world.versions(tenant.id)

    assert same == start == ("active", 1, 1)
    assert policy == ("active", 3, 1)
    assert revocation == ("active", 3, 2)


def test_a_deleted_user_is_gone_with_its_address(world):
    tenant, _ = world.tenant()
    user = world.user(tenant, roles=["viewer"], password=PASSWORD)
    group = create_group(tenant.id, name="Ops", known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt())
    add_member(tenant.id, group.id, user.id, **world.ports(), attempt=world.attempt())

    delete_user(tenant.id, user.id, if_match=None, **world.ports(), attempt=world.attempt())

    assert read_principal(tenant.id, user.id, **world.ports()) is None
    assert list_members(tenant.id, group.id, groups=world.make()[2]).items == ()
    assert world.make()[1].password_hash(tenant.id, user.id) is None
    world.user(tenant)


def test_another_tenants_user_is_not_found(world):
    tenant, _ = world.tenant()
    user = world.user(tenant)
    other, _ = world.tenant()

    with pytest.raises(NotFound):
        read_user(other.id, user.id, directory=world.make()[1])
    with pytest.raises(NotFound):
        world.change(replace(user, tenant_id=other.id), {"name": "Mallory"})


def test_pages_give_every_user_once_in_order(world):
    tenant, admin = world.tenant()
    made = [admin.id, *(world.user(tenant, f"u{number}@acme.test").id for number in range(6))]

    seen, after = [], None
    while True:
        page = list_users(tenant.id, limit=3, after=after, **world.ports())
        assert len(page.items) <= 3
        seen += [user.id for user in page.items]
        if (after := page.after) is None:
            break

    assert seen == sorted(made)


def test_a_list_is_filtered_by_status_and_by_role_even_through_groups(world):
    tenant, admin = world.tenant()
    viewer, member = world.user(tenant, "v@acme.test", roles=["viewer"]), world.user(tenant, "m@acme.test")
    group = create_group(
        tenant.id, name="Viewers", roles=["viewer"], known_roles=KNOWN, groups=world.make()[2], attempt=world.attempt()
    )
    add_member(tenant.id, group.id, member.id, **world.ports(), attempt=world.attempt())

    viewers = list_users(tenant.id, role="viewer", **world.ports())
    active = list_users(tenant.id, status="active", role="admin", **world.ports())

    assert {user.id for user in viewers.items} == {viewer.id, member.id}
    assert [user.id for user in active.items] == [admin.id]


def test_a_password_is_changed_by_who_knows_it(world):
    tenant, admin = world.tenant()
    rest = {"directory": world.make()[1], "counts": world.counts(), "attempt": world.attempt()}

    with pytest.raises(WrongPassword):
        change_password(tenant.id, admin.id, current_password="no", new_password="another good one", **rest)
    change_password(tenant.id, admin.id, current_password=PASSWORD, new_password="another good one", **rest)

    stored = world.make()[1].password_hash(tenant.id, admin.id)
    assert verify_password("another good one", stored) is None
    assert world.versions(tenant.id) == ("active", 1, 2)


def test_each_of_twenty_attempts_at_once_is_charged_or_refused(world):
    tenant, admin = world.tenant()
    subject = f"user:{admin.id}"
    counts = [world.counts() for _ in range(20)]

    results = race(20, lambda number: charge_attempt(tenant.id, subject, counts=counts[number], now=NOW))
    charged = counts[0].read(tenant.id, subject)
    counts[0].forget(tenant.id, subject)

    assert charged == Attempts(sum(isinstance(result, Attempts) for result in results), NOW)
    assert all(isinstance(result, (Attempts, RateLimited)) for result in results)
    assert counts[0].read(tenant.id, subject) is None


def test_a_standing_without_attributes_needs_no_key(world):
    tenant, admin = world.tenant()
    ports = world.ports()

    world.keys.gone = True

    assert read_principal(tenant.id, admin.id, **ports).roles == {"admin"}


def test_nothing_stored_in_dynamodb_tells_of_the_person(dynamodb_world):
    world = dynamodb_world
    tenant, _ = world.tenant()
    world.user(tenant, "zoe@acme.test", name="Zoe", attributes={"badge": "Tuesday"}, password="grey mornings at sea")

    stored = str(boto3.client("dynamodb", region_name="eu-central-1").scan(TableName="identity")["Items"])

    assert not any(word in stored for word in ("zoe@", "Zoe", "ada@", "Ada", "badge", "Tuesday", "acme.test", "argon2"))


def test_a_known_address_is_remembered_until_then_and_in_its_tenant_alone(world):
    tenant, _ = world.tenant()
    counts = world.counts()

    counts.remember(tenant.id, "account:a from b", until=NOW)

    assert counts.remembers(tenant.id, "account:a from b", now=NOW - timedelta(seconds=1))
    assert not counts.remembers(tenant.id, "account:a from b", now=NOW)
    assert not counts.remembers(new_id("ten"), "account:a from b", now=NOW - timedelta(seconds=1))
    assert counts.read(tenant.id, "account:a from b") is None


def test_a_rehash_is_kept_unless_the_user_changed_since(world):
    _, admin = world.tenant()
    directory = world.make()[1]
    stale = replace(admin, version=admin.version + 1)

    directory.rehash(admin, "another hash")
    directory.rehash(stale, "a third")

    assert directory.password_hash(admin.tenant_id, admin.id) == "another hash"
