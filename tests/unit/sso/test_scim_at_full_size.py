"""A directory of 10,000 users with a group of 5,000: what each request looks at and writes there, and that it ends."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest

from platforma.adapters.memory.identity import MemoryDirectory, MemoryGroups, MemoryIdentity
from platforma.adapters.memory.identity.store import MemoryVersions
from platforma.adapters.memory.logouts import MemoryLogoutQueue, MemoryLogouts
from platforma.adapters.memory.sessions import MemoryRevocations, MemorySessions
from platforma.adapters.memory.sso.scim import MemoryProvisionedUsers
from platforma.edge.scim_resources import GroupResources
from platforma.identity.model import Group, Managed, User
from platforma.identity.ports import MAX_MOVED
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.model import Connection, GroupMapping, OIDCSettings
from platforma.sso.scim import groups
from platforma.sso.scim.model import Directory, ProvisionedUser
from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import list_users, query_of
from platforma.sso.scim.showing import shown_group
from platforma.sso.scim.users import change_user

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACME, OKTA = new_id("ten"), new_id("sso")
USERS, MEMBERS = 10_000, 5_000
PAGES = -(-MEMBERS // MAX_MOVED)


class Counted:
    """A port that counts what it is asked for: calls by name, and users by `users`."""

    def __init__(self, port: Any, seen: Counter[str]) -> None:
        self._port, self._seen = port, seen

    def __getattr__(self, name: str) -> Any:
        """A method that counts."""
        method = getattr(self._port, name)

        def counted(*args: Any, **more: Any) -> Any:
            self._seen[name] += 1
            if name == "several_users":
                self._seen["users"] += len(args[2])
            return method(*args, **more)

        return counted


class Full:
    """The directory at its full size, and what it costs."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        identity = MemoryIdentity(versions={ACME: MemoryVersions()})
        self.store, self.users = identity, MemoryProvisionedUsers(identity)
        self.ids = sorted(new_id("usr") for _ in range(USERS))
        for number, user_id in enumerate(self.ids):
            self._make(number, user_id)
        mapping = (GroupMapping("Big", "operator"),)
        oidc = OIDCSettings("https://op.test", "client")
        connection = Connection(OKTA, ACME, "Okta", "oidc", ("acme.test",), NOW, oidc=oidc, group_mappings=mapping)
        self.caller = Directory(connection, ("acme.test",))
        self.groups = Counted(MemoryGroups(identity), self.seen)
        ports = {
            "provisioned_users": Counted(self.users, self.seen),
            "directory": MemoryDirectory(identity),
            "groups": self.groups,
        }
        self.list = partial(list_users, self.caller, **{k: ports[k] for k in ("provisioned_users", "groups")}, issuer="")
        revocations = MemoryRevocations()
        sessions = MemorySessions(revocations, MemoryLogouts(revocations.enter), MemoryLogoutQueue())
        self.change_user = partial(change_user, self.caller, if_match=None, **ports, sessions=sessions, clock=lambda: NOW)
        self.resources = GroupResources(
            SimpleNamespace(
                create_group=partial(groups.create_group, **ports),
                change_group=partial(groups.change_group, **ports),
                remove_group=partial(groups.remove_group, **ports),
                read_group=partial(groups.read_group, groups=self.groups),
                shown_group=partial(shown_group, issuer=""),
            )
        )

    def _make(self, number: int, user_id: str) -> None:
        """A user who is there, put where `add_user` would, which looks for others of the name each time."""
        user = User(user_id, ACME, f"u{number}@acme.test", "U", "active", NOW, managed=Managed("scim", OKTA))
        self.store.users[ACME, user.id] = user
        document = {"userName": f"u{number}", "externalId": f"e{number}", "title": f"t{USERS - number:05}"}
        self.users._said[ACME, user.id] = ProvisionedUser(user, document, NOW)

    def keep(self, users: dict[Any, User], kept: dict[Any, Group]) -> None:
        """Have these users and groups, and no others."""
        self.store.users.clear()
        self.store.users.update(users)
        self.store.groups.clear()
        self.store.groups.update(kept)

    def roles(self, user_id: str) -> tuple[str, ...]:
        user = self.store.users[ACME, user_id]
        return tuple(role for each in user.groups for role in self.store.groups[ACME, each].roles)

    def listed(self, **asked: Any) -> dict[str, Any]:
        return self.list(query_of(asked))

    def patch(self, group_id: str, *operations: dict[str, Any]) -> Any:
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        return self.resources.update(self.caller, group_id, body, None, attempt(), query_of({}))


def attempt() -> Attempt:
    return Attempt("request", "scim.groups.update", lambda: NOW, tenant_id=ACME, principal_type="directory")


def group(ids: Iterable[str]) -> dict[str, Any]:
    return {"displayName": "Big", "externalId": "g1", "members": [{"value": each} for each in ids]}


def values(ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


@pytest.fixture(scope="module")
def filled() -> Full:
    return Full()


@pytest.fixture
def full(filled: Full) -> Iterator[Full]:
    """It without groups, before and after."""
    before = dict(filled.store.users)
    filled.seen.clear()
    yield filled
    filled.keep(before, {})


@pytest.fixture(scope="module")
def made(filled: Full) -> tuple[str, dict[Any, User], dict[Any, Group]]:
    """The id of the group of 5,000, and what is kept once it is made."""
    before = dict(filled.store.users)
    made = filled.resources.create(filled.caller, group(filled.ids[:MEMBERS]), attempt())
    kept = dict(filled.store.users), dict(filled.store.groups)
    filled.keep(before, {})
    return made["id"], *kept


@pytest.fixture
def big(full: Full, made: tuple[str, dict[Any, User], dict[Any, Group]]) -> str:
    """The id of the group of 5,000."""
    group_id, users, groups_kept = made
    full.keep(users, groups_kept)
    full.seen.clear()
    return group_id


@pytest.mark.parametrize("start", [1, 5_001, 9_901, 9_999, 10_001])
def test_a_page_by_index_reads_itself_alone_and_says_how_many_there_are(full, start):
    page = full.listed(startIndex=start, count=100)

    assert page["totalResults"] == USERS
    assert [each["id"] for each in page["Resources"]] == full.ids[start - 1 : start + 99]
    assert full.seen["users"] == len(page["Resources"])


def test_a_name_is_one_look_up(full):
    (found,) = full.listed(filter='userName eq "U777"')["Resources"]

    assert found["id"] == full.ids[777]
    assert (full.seen["user_named"], full.seen["every_user"]) == (1, 0)


def test_a_filter_or_an_order_looks_at_each_user_once(full):
    assert full.listed(filter='userName sw "u999"')["totalResults"] == 11
    assert full.listed(filter='externalId co "123" and userName sw "u"')["totalResults"] == 20
    assert full.listed(sortBy="title", count=1)["Resources"][0]["id"] == full.ids[-1]
    assert full.seen["every_user"] == 3


def test_cursors_lead_through_all_of_them(full):
    seen, after, pages = [], None, 0
    while True:
        page = full.list(replace(query_of({"cursor": "", "count": 200}), after=after))
        seen += [each["id"] for each in page["Resources"]]
        pages += 1
        if (after := page.get("after")) is None:
            break

    assert seen == full.ids
    assert pages == USERS // 200


def test_a_group_of_5000_is_made_in_as_few_transactions_as_hold_it(full):
    made = full.resources.create(full.caller, group(full.ids[:MEMBERS]), attempt())

    assert [each["value"] for each in made["members"]] == full.ids[:MEMBERS]
    assert (full.seen["add"], full.seen["regroup"], full.seen["users"]) == (1, PAGES, 2 * MEMBERS)
    assert full.roles(full.ids[MEMBERS - 1]) == ("operator",)


def test_a_making_that_is_cut_short_again_and_again_ends(full):
    """Each request has the time for 40 pages, and does no page a second time."""
    body, tries = group(full.ids[:MEMBERS]), 0
    while True:
        tries += 1
        with pytest.MonkeyPatch.context() as patch:
            moments = chain(repeat(0.0, 40), repeat(2.0))
            patch.setattr("platforma.sso.scim.memberships.time.monotonic", moments.__next__)
            try:
                made = full.resources.create(replace(full.caller, until=1.0), body, attempt())
                break
            except Unavailable:
                continue

    assert tries == 3
    assert full.seen["regroup"] == PAGES
    assert [each["value"] for each in made["members"]] == full.ids[:MEMBERS]


def test_a_change_of_some_members_costs_what_they_cost(full, big):
    added = full.patch(big, {"op": "add", "path": "members", "value": values(full.ids[MEMBERS : MEMBERS + 100])})
    assert not added.whole
    assert (full.seen["regroup"], full.seen["users"], full.seen["members"]) == (3, 200, 0)

    full.seen.clear()
    full.patch(big, {"op": "remove", "path": f'members[value eq "{full.ids[0]}"]'})
    full.patch(big, {"op": "Remove", "path": "members", "value": values(full.ids[1:2])})
    assert (full.seen["regroup"], full.seen["users"], full.seen["members"]) == (2, 2, 0)
    assert full.roles(full.ids[0]) == full.roles(full.ids[1]) == ()


def test_a_replacement_writes_the_difference_alone(full, big):
    full.resources.replace(full.caller, big, group(full.ids[90 : MEMBERS + 45]), None, attempt())

    assert full.seen["regroup"] == 3
    shown = full.resources.get(full.caller, big, query_of({}))
    assert [each["value"] for each in shown["members"]] == full.ids[90 : MEMBERS + 45]


def test_without_its_members_a_group_is_one_read(full, big):
    shown = full.resources.get(full.caller, big, query_of({"excludedAttributes": "members"}))

    assert "members" not in shown
    assert full.seen == {"group": 1}


def test_what_the_mapping_gives_moves_for_all_members_in_one_write(full, big):
    full.patch(big, {"op": "replace", "path": "displayName", "value": "Not mapped"})

    assert full.roles(full.ids[0]) == ()
    assert (full.seen["replace"], full.seen["regroup"], full.seen["users"]) == (1, 0, 0)


def test_one_of_the_members_is_deactivated_as_anybody_is(full, big):
    member = full.ids[9]

    full.change_user(member, lambda before: {**before, "active": False}, attempt=attempt())

    assert full.store.users[ACME, member].status == "suspended"
    assert full.seen == {"user": 1, "change_user": 1}


def test_a_large_group_gives_nothing_from_the_first_write_of_its_deletion(full, big):
    with pytest.raises(Unavailable):
        full.resources.delete(replace(full.caller, until=0.0), big, None, attempt())
    assert {full.roles(each) for each in full.ids[:MEMBERS]} == {()}

    full.resources.delete(full.caller, big, None, attempt())

    assert not any(user.groups for user in full.store.users.values())
