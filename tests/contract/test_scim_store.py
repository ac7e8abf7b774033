"""What tokens of directories and provisioned users promise, of memory and of DynamoDB alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from platforma.adapters.dynamodb.identity import DynamoDirectory, DynamoGroups
from platforma.adapters.dynamodb.sso import DynamoConnections
from platforma.adapters.dynamodb.sso.provisioned_users import DynamoProvisionedUsers
from platforma.adapters.dynamodb.sso.scim_tokens import DynamoSCIMTokens
from platforma.adapters.dynamodb.versions import make_versions
from platforma.adapters.memory.identity import MemoryDirectory, MemoryGroups, MemoryIdentity
from platforma.adapters.memory.identity.store import MemoryVersions
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.adapters.memory.sso import MemoryConnections
from platforma.adapters.memory.sso.scim import MemoryProvisionedUsers, MemorySCIMTokens
from platforma.identity.errors import EmailTaken, TurnTaken, UserRemoved
from platforma.identity.model import Group, Managed, MappedRole, User
from platforma.identity.ports import MAX_MOVED
from platforma.kernel.errors import NotFound, PlatformaError, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.keys.secrets import CachedSecrets
from platforma.keys.stored_secret import StoredSecret
from platforma.sso.model import Connection, OIDCSettings
from platforma.sso.scim.errors import NotUnique
from platforma.sso.scim.model import ProvisionedUser, SCIMToken
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACME, OKTA, ENTRA = new_id("ten"), new_id("sso"), new_id("sso")


@dataclass
class Stores:
    users: Any
    directory: Any
    groups: Any
    connections: Any
    tokens: Any


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        identity = MemoryIdentity(versions={ACME: MemoryVersions()})
        connections = MemoryConnections()
        people = (MemoryProvisionedUsers(identity), MemoryDirectory(identity), MemoryGroups(identity))
        yield Stores(*people, connections, MemorySCIMTokens(connections))
        return
    with tables_on_moto("identity", "credential", "policy") as tables:
        make_versions(ACME)
        keys = MemoryDataKeys()
        keys.create_tenant_key(ACME)
        sealing = (Envelope(keys), CachedSecrets(MemorySecrets()))
        kept = KeptEvents(tables, "credential")
        yield Stores(
            DynamoProvisionedUsers(tables, kept, *sealing),
            DynamoDirectory(tables, kept, *sealing),
            DynamoGroups(tables, kept),
            DynamoConnections(tables, kept),
            DynamoSCIMTokens(tables, kept),
        )


def event():
    return Attempt("request", "scim.users.create", lambda: NOW, tenant_id=ACME, principal_type="directory").event("success")


def user(
    email: str = "ada@acme.test", *, connection: str = OKTA, external: str | None = None, **fields: Any
) -> ProvisionedUser:
    made = User(new_id("usr"), ACME, email, "Ada", "active", NOW, managed=Managed("scim", connection), **fields)
    document = {"userName": email} | ({} if external is None else {"externalId": external})
    return ProvisionedUser(made, document, NOW)


def added(stores: Stores, *args: Any, **fields: Any) -> ProvisionedUser:
    made = user(*args, **fields)
    stores.users.add_user(made, event())
    return made


def test_a_user_is_found_by_id_name_and_external_id(stores):
    ada = added(stores, "Ada@acme.test", external="e1")

    assert stores.users.user(ACME, OKTA, ada.user.id) == ada
    assert stores.users.user_named(ACME, OKTA, "ADA@acme.test") == ada
    assert stores.users.user_known_as(ACME, OKTA, "e1") == ada
    assert tuple(stores.users.user_ids(ACME, OKTA)) == (ada.user.id,)
    assert list(stores.users.every_user(ACME, OKTA)) == [ada]
    assert stores.directory.user(ACME, ada.user.id).email == "Ada@acme.test"


def test_users_are_listed_from_where_a_page_ended(stores):
    made = sorted((added(stores, f"u{number}@acme.test") for number in range(3)), key=lambda each: each.user.id)
    ids = [each.user.id for each in made]

    first = stores.users.user_ids_after(ACME, OKTA, limit=2, after=None)
    assert (first.items, first.after) == (tuple(ids[:2]), ids[1])
    rest = stores.users.user_ids_after(ACME, OKTA, limit=2, after=ids[1])
    assert (rest.items, rest.after) == ((ids[2],), None)
    assert list(stores.users.every_user(ACME, OKTA, after=ids[0])) == made[1:]
    assert stores.users.user_ids_after(ACME, ENTRA, limit=2, after=None).items == ()


def test_another_directorys_user_is_as_if_it_did_not_exist(stores):
    ada = added(stores, external="e1")

    assert stores.users.user(ACME, ENTRA, ada.user.id) is None
    assert stores.users.user_named(ACME, ENTRA, "ada@acme.test") is None
    assert stores.users.user_known_as(ACME, ENTRA, "e1") is None
    assert tuple(stores.users.user_ids(ACME, ENTRA)) == ()
    assert list(stores.users.every_user(ACME, ENTRA)) == []
    assert stores.users.several_users(ACME, ENTRA, [ada.user.id]) == []


def test_a_user_made_by_hand_is_no_directorys(stores):
    bob = User(new_id("usr"), ACME, "bob@acme.test", "Bob", "active", NOW)
    stores.directory.add(bob, None, event())

    assert stores.users.user(ACME, OKTA, bob.id) is None
    with pytest.raises(EmailTaken):
        added(stores, "bob@acme.test")
    assert stores.users.user_named(ACME, OKTA, "bob@acme.test") is None


def test_names_and_external_ids_are_unique_within_a_directory(stores):
    added(stores, external="e1")

    with pytest.raises(NotUnique):
        stores.users.add_user(replace(user("eve@acme.test"), document={"userName": "ADA@acme.test"}), event())
    with pytest.raises(NotUnique):
        added(stores, "eve@acme.test", external="e1")
    added(stores, "eve@acme.test", external="e1", connection=ENTRA)


def test_of_racing_creations_of_one_name_one_wins(stores):
    def create(number: int) -> bool:
        try:
            stores.users.add_user(replace(user(f"u{number}@acme.test"), document={"userName": "one"}), event())
        except PlatformaError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1


def test_a_change_moves_the_names(stores):
    ada = added(stores, external="e1")
    moved = replace(ada, user=replace(ada.user, version=2), document={"userName": "countess", "externalId": "e2"})

    stores.users.change_user(ada, moved, event(), turn=None)

    assert stores.users.user_named(ACME, OKTA, "ada@acme.test") is None
    assert stores.users.user_named(ACME, OKTA, "Countess") == moved
    assert stores.users.user_known_as(ACME, OKTA, "e1") is None
    added(stores, "ada2@acme.test", external="e1")


def test_a_change_needs_the_version_and_the_turn(stores):
    ada = added(stores)
    after = replace(ada, user=replace(ada.user, name="A", version=2))

    with pytest.raises(TurnTaken):
        stores.users.change_user(ada, after, event(), turn=stores.directory.turn(ACME) + 1)
    stores.users.change_user(ada, after, event(), turn=None)
    with pytest.raises(PreconditionFailed):
        stores.users.change_user(ada, after, event(), turn=None)
    with pytest.raises(PreconditionFailed):
        stores.users.remove_user(ada, event(), turn=None)


def test_one_who_is_let_go_is_the_tenants_and_its_names_are_free(stores):
    ada = added(stores)

    stores.users.change_user(ada, replace(ada, user=replace(ada.user, managed=None, version=2)), event(), turn=None)

    assert stores.users.user(ACME, OKTA, ada.user.id) is None
    assert tuple(stores.users.user_ids(ACME, OKTA)) == ()
    assert stores.directory.user(ACME, ada.user.id).managed is None
    stores.users.add_user(replace(user("eve@acme.test"), document={"userName": "ada@acme.test"}), event())


def test_one_who_was_removed_is_made_again_by_a_directory_alone(stores):
    ada = added(stores, external="e1")
    stores.users.remove_user(ada, event(), turn=None)

    assert stores.users.user(ACME, OKTA, ada.user.id) is None
    again = User(new_id("usr"), ACME, "ada@acme.test", "Ada", "active", NOW)
    with pytest.raises(UserRemoved):
        stores.directory.add(again, None, event(), unless_removed=True)
    added(stores, external="e1")


def test_the_names_of_one_who_was_deleted_by_hand_are_free(stores):
    ada = added(stores, external="e1")
    stores.directory.remove(ada.user, event(), turn=None)

    assert stores.users.user_named(ACME, OKTA, "ada@acme.test") is None
    again = added(stores, external="e1")
    assert stores.users.user_known_as(ACME, OKTA, "e1") == again


def team() -> Group:
    managed = Managed("scim", OKTA)
    return Group(new_id("grp"), ACME, "Team", NOW, roles=("viewer",), managed=managed, mapped=("viewer",), external_id="g1")


def moved(group: Group, user: User, *, inside: bool, **fields: Any) -> tuple[User, User]:
    return user, replace(user, groups=(group.id,) if inside else (), version=user.version + 1, **fields)


def test_several_users_are_put_into_a_group_and_taken_out_at_once(stores):
    group, users = team(), [added(stores, f"u{number}@acme.test").user for number in range(MAX_MOVED)]
    stores.groups.add(group, event())
    before, after = stores.directory.turn(ACME), replace(group, version=2, modified_at=NOW)
    mapped = (MappedRole("billing", OKTA, None, NOW),)

    pairs = [moved(group, user, inside=True, mapped=mapped) for user in users]
    stores.groups.regroup(group, after, pairs, event(), turn=before)

    assert stores.groups.group(ACME, group.id) == after
    assert stores.groups.members(ACME, group.id, limit=100, after=None).items == tuple(sorted(user.id for user in users))
    assert stores.directory.user(ACME, users[0].id) == pairs[0][1]
    assert stores.directory.turn(ACME) == before + 1

    out = [moved(group, new, inside=False, mapped=(), roles=("admin",)) for _, new in pairs]
    stores.groups.regroup(after, replace(after, version=3), out, event(), turn=None)
    assert stores.groups.members(ACME, group.id, limit=100, after=None).items == ()
    assert stores.directory.user(ACME, users[0].id) == out[0][1]


def test_a_groups_name_finds_it_in_whatever_case_and_no_other(stores):
    group = team()
    stores.groups.add(group, event())

    assert stores.groups.named(ACME, "tEAM").id == group.id
    assert stores.groups.named(ACME, "Teams") is None
    assert stores.groups.named(new_id("ten"), "Team") is None


def test_a_group_is_unfinished_until_that_is_ended(stores):
    group, ada = replace(team(), unfinished=True), added(stores).user
    stores.groups.add(group, event())

    assert stores.groups.group(ACME, group.id).unfinished
    part = replace(group, version=2)
    stores.groups.regroup(group, part, [moved(group, ada, inside=True)], event(), turn=None)
    assert stores.groups.group(ACME, group.id).unfinished
    whole = replace(part, version=3, unfinished=False)
    stores.groups.regroup(part, whole, [], event(), turn=None)
    assert not stores.groups.group(ACME, group.id).unfinished
    stores.groups.replace(whole, replace(group, version=4), event(), turn=None)
    assert stores.groups.group(ACME, group.id).unfinished


def test_of_several_users_all_or_none_are_moved(stores):
    group, ada, eve = team(), added(stores).user, added(stores, "eve@acme.test").user
    stores.groups.add(group, event())
    pairs = [moved(group, ada, inside=True), moved(group, replace(eve, version=9), inside=True)]
    after = replace(group, version=2)

    with pytest.raises(PreconditionFailed):
        stores.groups.regroup(group, after, pairs, event(), turn=None)
    with pytest.raises(PreconditionFailed):
        stores.groups.regroup(after, replace(group, version=3), pairs[:1], event(), turn=None)
    with pytest.raises(TurnTaken):
        stores.groups.regroup(group, after, pairs[:1], event(), turn=stores.directory.turn(ACME) + 1)

    assert stores.directory.user(ACME, ada.id) == ada
    assert stores.groups.group(ACME, group.id) == group


def connection() -> Connection:
    oidc = OIDCSettings("https://op.test", "client")
    return Connection(OKTA, ACME, "Okta", "oidc", ("acme.test",), NOW, oidc=oidc)


def token(**fields: Any) -> SCIMToken:
    stored = StoredSecret("hash", 1, "ticket", 1)
    return SCIMToken(new_id("sso"), ACME, OKTA, "selector", stored, NOW, **fields)


def test_a_token_needs_its_connection_and_is_forgotten_once(stores):
    with pytest.raises(NotFound):
        stores.tokens.add(token(), event())
    stores.connections.add(connection(), event())
    one, two = token(expires_at=NOW), token()

    stores.tokens.add(one, event())
    stores.tokens.add(two, event())

    assert set(stores.tokens.of_connection(OKTA)) == {one, two}
    stores.tokens.remove(one, event())
    with pytest.raises(NotFound):
        stores.tokens.remove(one, event())
    assert stores.tokens.of_connection(OKTA) == (two,)


def test_a_use_is_noted_of_a_token_that_is_there(stores):
    stores.connections.add(connection(), event())
    one, fresh = token(), StoredSecret("hash", 2, "another", 2)
    stores.tokens.add(one, event())

    stores.tokens.note_use(one, fresh, NOW)
    stores.tokens.note_use(replace(one, stored=replace(one.stored, hash="other")), one.stored, NOW)

    (kept,) = stores.tokens.of_connection(OKTA)
    assert (kept.stored, kept.last_used_at) == (fresh, NOW)
    stores.tokens.remove(kept, event())
    stores.tokens.note_use(one, fresh, NOW)
    assert stores.tokens.of_connection(OKTA) == ()
