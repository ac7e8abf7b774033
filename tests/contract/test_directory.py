"""One suite over tenants, users and groups in memory and in DynamoDB."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from argon2 import PasswordHasher
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.identity import DynamoAttemptCounts, DynamoDirectory, DynamoGroups, DynamoTenants
from platforma.adapters.dynamodb.tables import TABLES, Item, Tables
from platforma.adapters.dynamodb.versions import VersionsItem
from platforma.adapters.memory.identity import (
    MemoryAttemptCounts,
    MemoryDirectory,
    MemoryGroups,
    MemoryIdentity,
    MemoryTenants,
)
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.identity import (
    AttemptCounts,
    Directory,
    Groups,
    Tenant,
    Tenants,
    User,
    add_member,
    change_group,
    change_password,
    change_tenant,
    change_user,
    create_group,
    create_tenant,
    create_user,
    delete_group,
    delete_tenant,
    delete_user,
    explain_roles,
    list_members,
    list_tenants,
    list_users,
    read_principal,
    read_user,
    remove_member,
    restore_tenant,
    set_roles,
)
from platforma.identity.errors import (
    EmailTaken,
    GroupNameTaken,
    IdentityTaken,
    UserRemoved,
    WouldLockOut,
    WrongPassword,
)
from platforma.identity.model import Managed, MappedRole
from platforma.identity.passwords import verify_password
from platforma.identity.throttle import Attempts, charge_attempt
from platforma.kernel.errors import NotFound, PlatformaError, PreconditionFailed, RateLimited, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import isolate

KNOWN = frozenset({"admin", "operator", "developer", "viewer", "billing"})
NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """Argon2's strength is tried in the unit tests; here it would only take time."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("platforma.identity.passwords._hasher", lambda _profile: cheap)


class SeenItem(Item):
    """An event as this test's outbox keeps it."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class SeenOutbox:
    def items(self, event: Event) -> list[Any]:
        item = SeenItem(event.tenant_id, event.id, action=event.action)
        return [(item, SeenItem.pk.does_not_exist(), PreconditionFailed("The event is there."))]


@dataclass
class World:
    """The ports, made anew for each thread, and what can be seen of them from elsewhere."""

    make: Callable[[], tuple[Tenants, Directory, Groups]]
    versions: Callable[[str], tuple[str, int, int]]
    events: Callable[[], list[str]]
    keys: MemoryDataKeys
    counts: Callable[[], AttemptCounts]

    def attempt(self, action: str = "settings.users.update", tenant_id: str = "") -> Attempt:
        return Attempt(new_id("evt"), action, lambda: NOW, principal_type="user", tenant_id=tenant_id or new_id("ten"))

    def shred(self, tenant_id: str, _attempt: Attempt) -> None:
        self.keys.destroy_tenant_key(tenant_id)

    def ports(self) -> dict[str, Any]:
        _, directory, groups = self.make()
        return {"directory": directory, "groups": groups}

    def tenant(self, password: str | None = PASSWORD) -> tuple[Tenant, User]:
        made = create_tenant(
            "Acme",
            admin_email="ada@acme.test",
            admin_name="Ada",
            admin_password=password,
            tenants=self.make()[0],
            keys=self.keys,
            attempt=self.attempt(),
        )
        return made.tenant, made.admin

    def user(self, tenant: Tenant, email: str = "bob@acme.test", **fields: Any) -> User:
        fields = {"name": "Bob", "roles": [], "known_roles": KNOWN, **fields}
        return create_user(tenant.id, email=email, **fields, directory=self.make()[1], attempt=self.attempt())

    def change(self, user: User, changes: dict[str, Any], if_match: int | None = None) -> User:
        return change_user(
            user.tenant_id,
            user.id,
            changes,
            if_match=if_match,
            known_roles=KNOWN,
            attempt=self.attempt(),
            **self.ports(),
        )


def _memory() -> World:
    events: list[str] = []
    store = MemoryIdentity(record=lambda event: events.append(event.action))

    def versions(tenant_id: str) -> tuple[str, int, int]:
        found = store.versions[tenant_id]
        return found.status, found.policy, found.revocation

    counts = MemoryAttemptCounts()
    ports = MemoryTenants(store), MemoryDirectory(store), MemoryGroups(store)
    return World(lambda: ports, versions, lambda: events, MemoryDataKeys(), lambda: counts)


def _dynamo() -> World:
    client = boto3.client("dynamodb", region_name="eu-central-1")
    for name in TABLES:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    keys, secrets, own = MemoryDataKeys(), MemorySecrets(), threading.local()

    def make() -> tuple[Tenants, Directory, Groups]:
        if not hasattr(own, "ports"):
            own.ports = made()
        return own.ports

    def made() -> tuple[Tenants, Directory, Groups]:
        tables, envelope = Tables({name: name for name in TABLES}, "eu-central-1").bind(), Envelope(keys)
        outbox = SeenOutbox()
        tenants = DynamoTenants(tables, outbox, envelope, secrets)
        return tenants, DynamoDirectory(tables, outbox, envelope, secrets), DynamoGroups(tables, outbox)

    def counts() -> AttemptCounts:
        return DynamoAttemptCounts(Tables({name: name for name in TABLES}, "eu-central-1").bind(), secrets)

    def versions(tenant_id: str) -> tuple[str, int, int]:
        item = VersionsItem.get(tenant_id, "VERSIONS", consistent_read=True)
        return item.status, int(item.policy_version), int(item.revocation_version)

    return World(make, versions, lambda: [item.action for item in SeenItem.scan()], keys, counts)


@pytest.fixture(params=["memory", "dynamodb"])
def world(request) -> World:
    return _memory() if request.param == "memory" else request.getfixturevalue("dynamodb_world")


@pytest.fixture
def dynamodb_world(monkeypatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    isolate(monkeypatch)
    with mock_aws():
        yield _dynamo()


def race(racers: int, run: Callable[[int], Any]) -> list[Any]:
    """What each of the racers, let go together, returned or raised."""
    start = threading.Barrier(racers)

    def one(number: int) -> Any:
        start.wait()
        try:
            return run(number)
        except PlatformaError as error:
            return error

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(one, range(racers)))


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


def test_a_tenant_deleted_can_be_restored_with_its_status_seen_everywhere(world):
    tenant, _ = world.tenant()
    tenants = world.make()[0]

    deleted = delete_tenant(tenant.id, if_match=1, tenants=tenants, shredder=world, attempt=world.attempt())
    while_deleted = world.versions(tenant.id)
    restored = restore_tenant(tenant.id, if_match=None, tenants=tenants, attempt=world.attempt())

    assert (deleted.status, while_deleted) == ("pending_deletion", ("pending_deletion", 1, 2))
    assert (restored.status, world.versions(tenant.id)) == ("active", ("active", 1, 3))
    assert tenants.get(tenant.id) == restored


def test_a_tenant_deleted_at_once_has_no_key(world):
    tenant, _ = world.tenant()
    tenants = world.make()[0]

    deleted = delete_tenant(
        tenant.id, immediate=True, if_match=None, tenants=tenants, shredder=world, attempt=world.attempt()
    )

    assert deleted.status == "deleted"
    with pytest.raises(PlatformaError):
        world.keys.generate(tenant.id, "identity")


def test_tenants_are_listed_page_by_page_and_renamed(world):
    made = [world.tenant()[0] for _ in range(3)]
    tenants = world.make()[0]
    change_tenant(made[0].id, {"name": "Ajax"}, if_match=1, tenants=tenants, attempt=world.attempt())

    first = list_tenants(tenants=tenants, limit=2)
    rest = list_tenants(tenants=tenants, limit=2, after=first.after)

    names = {tenant.id: tenant.name for tenant in (*first.items, *rest.items)}
    assert names == {made[0].id: "Ajax", made[1].id: "Acme", made[2].id: "Acme"}


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


def test_nothing_stored_in_dynamodb_tells_of_the_person(world):
    if world.make()[0].__class__ is MemoryTenants:
        pytest.skip("memory seals nothing")
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


def test_a_group_is_read_back_with_who_keeps_it(world):
    tenant, _ = world.tenant()
    group = create_group(tenant.id, name="Eng", known_roles=KNOWN, attempt=world.attempt(), groups=world.make()[2])
    kept = replace(group, managed=Managed("scim", CONNECTION), version=2)

    world.make()[2].replace(group, kept, world.attempt().event("success"), turn=None)

    assert world.make()[2].group(tenant.id, group.id) == kept
    assert kept.managed_by == "scim"
