"""Users and groups: what is refused, what is told to the audit log, and who may not go."""

from datetime import timedelta

import pytest

from platforma.adapters.memory.identity import MemoryDirectory
from platforma.identity import (
    add_member,
    change_group,
    change_password,
    change_user,
    create_group,
    delete_group,
    delete_user,
    list_users,
    read_holders,
    read_principal,
    read_user,
    remove_member,
    set_roles,
)
from platforma.identity.errors import NotYetAccepted, WouldLockOut, WrongPassword
from platforma.identity.lockout import ByRole
from platforma.identity.model import MAX_GROUPS_OF_A_USER
from platforma.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Unavailable,
    Unprocessable,
)

KNOWN = frozenset({"admin", "operator", "developer", "viewer", "billing"})
PASSWORD = "correct horse battery"


def test_a_user_without_a_password_is_invited_and_has_its_rights(house):
    user = house.user(roles=["viewer"])

    principal = read_principal(house.tenant.id, user.id, directory=house.directory, groups=house.groups)

    assert (user.status, user.has_password) == ("invited", False)
    assert (principal.active, principal.roles) == (True, {"viewer"})


def test_a_suspended_user_is_not_active(house):
    user = house.user(roles=["viewer"])

    change_user(house.tenant.id, user.id, {"status": "suspended"}, if_match=1, known_roles=KNOWN, **house.people())

    assert not read_principal(house.tenant.id, user.id, directory=house.directory, groups=house.groups).active


def test_no_event_holds_a_password_or_its_hash(house):
    house.user(password="grey mornings at sea")
    change_password(
        house.tenant.id,
        house.admin.id,
        current_password=PASSWORD,
        new_password="grey evenings at sea",
        directory=house.directory,
        counts=house.counts,
        attempt=house.attempt(),
    )

    said = repr(house.events)

    assert not any(secret in said for secret in (PASSWORD, "grey mornings", "grey evenings", "argon2"))


def test_the_event_tells_what_changed_and_nothing_else(house):
    user = house.user(roles=["viewer"])

    change_user(
        house.tenant.id, user.id, {"name": "Robert", "roles": ["viewer"]}, if_match=1, known_roles=KNOWN, **house.people()
    )

    event = house.events[-1]
    assert (event.resource, event.resource_type, event.result) == (user.id, "user", "success")
    assert event.changes == {"before": {"name": "Bob"}, "after": {"name": "Robert"}}


def test_a_stale_version_changes_nothing(house):
    user = house.user()
    change_user(house.tenant.id, user.id, {"name": "Robert"}, if_match=1, known_roles=KNOWN, **house.people())

    with pytest.raises(PreconditionFailed):
        change_user(house.tenant.id, user.id, {"name": "Bert"}, if_match=1, known_roles=KNOWN, **house.people())
    with pytest.raises(PreconditionFailed):
        delete_user(house.tenant.id, user.id, if_match=1, **house.people())

    assert read_user(house.tenant.id, user.id, directory=house.directory).name == "Robert"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"status": "invited"}, "/status"),
        ({"status": None}, "/status"),
        ({"password": "x"}, "/password"),
        ({"id": "usr_x"}, "/id"),
        ({"email": None}, "/email"),
        ({"roles": ["root"]}, "/roles/0"),
        ({"attributes": None}, "/attributes"),
    ],
)
def test_a_change_that_is_not_valid_names_its_field(house, changes, pointer):
    user = house.user()

    with pytest.raises(Unprocessable) as refused:
        change_user(house.tenant.id, user.id, changes, if_match=None, known_roles=KNOWN, **house.people())

    assert refused.value.errors[0]["pointer"] == pointer


@pytest.mark.parametrize("user_id", ["", "usr_", "usr_x#y", "grp_01j0000000e008000000000000", "USER#", "../usr"])
def test_what_is_no_id_is_not_found(house, user_id):
    with pytest.raises(NotFound):
        read_user(house.tenant.id, user_id, directory=house.directory)
    assert read_principal(house.tenant.id, user_id, directory=house.directory, groups=house.groups) is None


def test_a_change_without_a_version_is_tried_again_when_another_came_first(house):
    class Overtaken(MemoryDirectory):
        times = 2

        def replace(self, before, after, event, *, turn):
            if self.times:
                self.times -= 1
                raise PreconditionFailed
            super().replace(before, after, event, turn=turn)

    user, directory = house.user(), Overtaken(house.store)

    changed = change_user(
        house.tenant.id,
        user.id,
        {"name": "Robert"},
        if_match=None,
        known_roles=KNOWN,
        **house.people(directory=directory),
    )

    assert (changed.name, changed.version) == ("Robert", 2)


def test_whether_a_caller_may_is_asked_again_of_what_came_first(house):
    user, asked = house.user(), []

    def may(before, after):
        """At first it may; but meanwhile another gives the user a role that it may not take."""
        asked.append((before.roles, after.roles))
        if len(asked) == 1:
            set_roles(house.tenant.id, user.id, ["admin"], if_match=None, known_roles=KNOWN, **house.people())
        if "admin" in before.roles:
            raise Forbidden

    with pytest.raises(Forbidden):
        set_roles(house.tenant.id, user.id, [], if_match=None, known_roles=KNOWN, **house.people(may=may))

    assert asked == [((), ()), (("admin",), ())]
    assert read_user(house.tenant.id, user.id, directory=house.directory).roles == ("admin",)


@pytest.mark.parametrize("write", ["add", "remove", "delete", "roles"])
def test_whether_a_caller_may_give_a_group_is_asked_of_the_group_as_it_then_is(house, write):
    user = house.user()
    group = create_group(
        house.tenant.id, name="Ops", roles=["viewer"], known_roles=KNOWN, groups=house.groups, attempt=house.attempt()
    )
    if write == "remove":
        add_member(house.tenant.id, group.id, user.id, **house.people())

    def may(group, *_):
        if "admin" in group.roles:
            raise Forbidden
        change_group(house.tenant.id, group.id, {"roles": ["admin"]}, if_match=None, known_roles=KNOWN, **house.people())

    rest, place = house.people(may=may), (house.tenant.id, group.id)
    writes = {
        "add": lambda: add_member(*place, user.id, **rest),
        "remove": lambda: remove_member(*place, user.id, **rest),
        "delete": lambda: delete_group(*place, if_match=None, **rest),
        "roles": lambda: change_group(*place, {"roles": []}, if_match=None, known_roles=KNOWN, **rest),
    }
    with pytest.raises(Forbidden):
        writes[write]()

    member = read_user(house.tenant.id, user.id, directory=house.directory)
    assert member.groups == ((group.id,) if write == "remove" else ())
    assert house.groups.group(house.tenant.id, group.id).roles == ("admin",)


def test_an_account_is_not_taken_over_by_who_was_asked_before_its_group_became_more(house):
    user = house.user()
    group = create_group(house.tenant.id, name="Ops", known_roles=KNOWN, groups=house.groups, attempt=house.attempt())
    add_member(house.tenant.id, group.id, user.id, **house.people())
    asked = []

    def may(before, _):
        asked.append(house.groups.several(house.tenant.id, before.groups)[0].roles)
        if asked[-1]:
            raise Forbidden
        change_group(house.tenant.id, group.id, {"roles": ["admin"]}, if_match=None, known_roles=KNOWN, **house.people())

    with pytest.raises(Forbidden):
        change_user(
            house.tenant.id, user.id, {"email": "mine@evil.test"}, if_match=None, known_roles=KNOWN, **house.people(may=may)
        )

    assert asked == [(), ("admin",)]


def test_an_invited_user_is_not_made_active_by_somebody_else(house):
    user = house.user()

    def change(status):
        return change_user(
            house.tenant.id, user.id, {"status": status}, if_match=None, known_roles=KNOWN, **house.people()
        ).status

    with pytest.raises(NotYetAccepted):
        change("active")
    assert [change("suspended"), change("active")] == ["suspended", "invited"]
    with pytest.raises(NotYetAccepted):
        change("active")


def test_endless_contention_ends_as_unavailable(house):
    class Contended(MemoryDirectory):
        def replace(self, before, after, event, *, turn):
            raise PreconditionFailed

    with pytest.raises(Unavailable):
        set_roles(
            house.tenant.id,
            house.user().id,
            ["viewer"],
            if_match=None,
            known_roles=KNOWN,
            **house.people(directory=Contended(house.store)),
        )


def test_an_administrator_who_cannot_sign_in_does_not_count(house):
    house.user("eve@acme.test", roles=["admin"])
    suspended = house.user("sam@acme.test", roles=["admin"], password=PASSWORD)
    change_user(house.tenant.id, suspended.id, {"status": "suspended"}, if_match=1, known_roles=KNOWN, **house.people())

    with pytest.raises(WouldLockOut):
        set_roles(house.tenant.id, house.admin.id, [], if_match=None, known_roles=KNOWN, **house.people())


def test_a_custom_role_that_administers_counts(house):
    house.user("eve@acme.test", roles=["owner"], password=PASSWORD, known_roles=KNOWN | {"owner"})

    changed = set_roles(
        house.tenant.id,
        house.admin.id,
        [],
        if_match=None,
        known_roles=KNOWN,
        **house.people(administration=lambda _: ByRole(frozenset({"admin", "owner"}))),
    )

    assert changed.roles == ()


def test_an_administrator_through_two_groups_may_lose_one(house):
    user = house.user(password=PASSWORD)
    one, two = (
        create_group(
            house.tenant.id,
            name=name,
            roles=["admin"],
            known_roles=KNOWN,
            groups=house.groups,
            attempt=house.attempt(),
        )
        for name in ("One", "Two")
    )
    for group in (one, two):
        add_member(house.tenant.id, group.id, user.id, **house.people())
    set_roles(house.tenant.id, house.admin.id, [], if_match=None, known_roles=KNOWN, **house.people())

    remove_member(house.tenant.id, one.id, user.id, **house.people())
    with pytest.raises(WouldLockOut):
        remove_member(house.tenant.id, two.id, user.id, **house.people())


def test_a_user_is_in_so_many_groups_at_most(house):
    user = house.user()
    made = [
        create_group(house.tenant.id, name=f"G{number}", known_roles=KNOWN, groups=house.groups, attempt=house.attempt())
        for number in range(MAX_GROUPS_OF_A_USER + 1)
    ]
    for group in made[:-1]:
        add_member(house.tenant.id, group.id, user.id, **house.people())

    with pytest.raises(Conflict):
        add_member(house.tenant.id, made[-1].id, user.id, **house.people())


def test_joining_twice_writes_once(house):
    user = house.user()
    group = create_group(house.tenant.id, name="Ops", known_roles=KNOWN, groups=house.groups, attempt=house.attempt())
    add_member(house.tenant.id, group.id, user.id, **house.people())
    before = len(house.events)

    again = house.attempt()
    add_member(house.tenant.id, group.id, user.id, **house.people(attempt=again))

    assert (len(house.events), again.entered) == (before, False)


def test_a_group_takes_known_roles_only(house):
    group = create_group(house.tenant.id, name="Ops", known_roles=KNOWN, groups=house.groups, attempt=house.attempt())

    with pytest.raises(Unprocessable):
        change_group(house.tenant.id, group.id, {"roles": ["root"]}, if_match=1, known_roles=KNOWN, **house.people())


def test_a_list_by_address_finds_that_one_or_none(house):
    user = house.user()
    ports = {"directory": house.directory, "groups": house.groups}

    assert list_users(house.tenant.id, email="BOB@acme.test", **ports).items == (user,)
    assert list_users(house.tenant.id, email="BOB@acme.test", status="active", **ports).items == ()
    assert list_users(house.tenant.id, email="x" * 300, **ports).items == ()
    with pytest.raises(Unprocessable):
        list_users(house.tenant.id, status="gone", **ports)


def test_a_new_password_is_not_the_current_one_nor_one_that_is_refused(house):
    rest = {"current_password": PASSWORD, "directory": house.directory, "counts": house.counts, "attempt": house.attempt()}

    for chosen in (PASSWORD, "short", None):
        with pytest.raises(Unprocessable) as refused:
            change_password(house.tenant.id, house.admin.id, new_password=chosen, **rest)
        assert refused.value.errors[0]["pointer"] == "/new_password"


def test_a_user_without_a_password_proves_none(house):
    user = house.user()

    for current in ("", None, PASSWORD):
        with pytest.raises(WrongPassword):
            change_password(
                house.tenant.id,
                user.id,
                current_password=current,
                new_password="grey mornings at sea",
                directory=house.directory,
                counts=house.counts,
                attempt=house.attempt(),
            )


def test_guessing_the_current_password_is_slowed_down_even_for_who_then_knows_it(house):
    def change(current):
        change_password(
            house.tenant.id,
            house.admin.id,
            current_password=current,
            new_password="grey mornings at sea",
            directory=house.directory,
            counts=house.counts,
            attempt=house.attempt(),
        )

    for _ in range(5):
        with pytest.raises(WrongPassword):
            change("a wrong one")
    with pytest.raises(RateLimited) as limited:
        change(PASSWORD)
    house.now += timedelta(seconds=limited.value.retry_after)
    change(PASSWORD)

    assert house.counts.read(house.tenant.id, f"user:{house.admin.id}") is None


def test_who_joins_a_group_that_takes_the_last_administrators_rights_is_refused(house):
    class Denied(ByRole):
        def administers(self, user_id, roles, groups):
            return "admin" in roles and not groups

    group = create_group(house.tenant.id, name="Frozen", known_roles=KNOWN, groups=house.groups, attempt=house.attempt())

    with pytest.raises(WouldLockOut):
        add_member(house.tenant.id, group.id, house.admin.id, **house.people(administration=lambda _: Denied()))


def test_a_policy_written_in_the_meantime_is_judged_by(house):
    house.user("eve@acme.test", roles=["admin"], password=PASSWORD)
    asked = []

    class Only(ByRole):
        def administers(self, user_id, roles, groups):
            return user_id == house.admin.id

    def administration(tenant_id):
        """Between the first judgement and its write a policy denies all but Ada."""
        asked.append(tenant_id)
        if len(asked) == 1:
            house.store.moves(tenant_id, policy=True)
            return ByRole()
        return Only()

    with pytest.raises(WouldLockOut):
        delete_user(house.tenant.id, house.admin.id, if_match=None, **house.people(administration=administration))

    assert len(asked) == 2


def test_holders_of_a_role_are_found_by_hand_and_by_group(house):
    viewer, member = house.user("v@acme.test", roles=["viewer"], password=PASSWORD), house.user("m@acme.test")
    group = create_group(
        house.tenant.id,
        name="Viewers",
        roles=["viewer"],
        known_roles=KNOWN,
        groups=house.groups,
        attempt=house.attempt(),
    )
    add_member(house.tenant.id, group.id, member.id, **house.people())

    found = read_holders(house.tenant.id, frozenset({"viewer"}), directory=house.directory, groups=house.groups)

    assert {(principal.id, able) for principal, able in found} == {(viewer.id, True), (member.id, False)}
