"""One suite over where clients are kept: in memory, and in DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from platforma.adapters.dynamodb.clients import ClientItem, DynamoDBClients, TenantClientItem
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.adapters.memory.clients import MemoryClients
from platforma.kernel.errors import Conflict, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.stored_secret import StoredSecret
from platforma.oauth import Change, Client, ClientSecret
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Place:
    """An implementation, and how to look behind it."""

    clients: object
    versions: object
    events: object


def memory():
    events = []
    clients = MemoryClients(events.append)

    def versions(tenant_id):
        return 1 + clients.policy_version[tenant_id], 1 + clients.revocation_version[tenant_id]

    return Place(clients, versions, lambda: [event.id for event in events])


def dynamodb(tables):
    tables.bind()
    outbox = KeptEvents(tables, "credential")
    others = outbox.ids()

    def versions(tenant_id):
        item = VersionsItem.get(tenant_id, SK, consistent_read=True)
        return item.policy_version, item.revocation_version

    clients = DynamoDBClients(tables, outbox, lambda: NOW)
    return Place(clients, versions, lambda: list(outbox.ids() - others))


@pytest.fixture(scope="module")
def tables():
    """Tables that all tests here share: each has a tenant of its own."""
    with tables_on_moto("credential", "policy") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request):
    if request.param == "memory":
        return memory()
    return dynamodb(request.getfixturevalue("tables"))


@pytest.fixture
def tenant_id(place):
    tenant_id = new_id("ten")
    if not isinstance(place.clients, MemoryClients):
        VersionsItem(tenant_id, SK).save()
    return tenant_id


@pytest.fixture
def clients(place):
    return place.clients


def secret(number=1, *, ticket="t"):
    stored = StoredSecret(f"$2b$12${number}", 1, ticket, 1795518000)
    return ClientSecret(
        id=new_id("cli")[4:], selector=f"selector{number}", stored=stored, created_at=NOW + timedelta(seconds=number)
    )


def a_client(tenant_id, **fields):
    fields = {"roles": ("viewer",), "scopes": ("orders:read", "openid"), "secrets": (secret(),), **fields}
    return Client(
        id=new_id("cli"),
        tenant_id=tenant_id,
        name="worker ü",
        type="confidential",
        grant_types=("client_credentials",),
        redirect_uris=(),
        token_endpoint_auth_method=None,
        status="active",
        created_at=NOW,
        **fields,
    )


def event():
    return Attempt("req", "settings.oauth_clients.update", lambda: NOW).event("success")


def test_what_is_kept_comes_back_as_it_was(clients, tenant_id):
    plain, full = (
        a_client(tenant_id, secrets=(), roles=(), scopes=()),
        replace(
            a_client(tenant_id),
            token_endpoint_auth_method="client_secret_post",
            redirect_uris=("https://a.test/cb",),
            secrets=(secret(1), replace(secret(2), last_used_at=NOW)),
            jwks={"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
            post_logout_redirect_uris=("https://a.test/out",),
            first_party=True,
            profile="fapi2",
        ),
    )
    clients.add(plain, event())
    clients.add(full, event())

    assert clients.get(plain.id) == plain
    assert clients.get(full.id) == full


def test_there_is_no_client_that_was_not_added(clients):
    assert clients.get(new_id("cli")) is None


def test_a_write_enters_its_event_and_a_refused_one_does_not(place, clients, tenant_id):
    client = a_client(tenant_id)
    first, second, third = event(), event(), event()
    clients.add(client, first)

    with pytest.raises(Conflict):
        clients.add(client, second)
    with pytest.raises(PreconditionFailed):
        clients.change(Change(replace(client, version=9), replace(client, version=10)), third)

    assert place.events() == [first.id]
    assert (first.attempt.entered, second.attempt.entered, third.attempt.entered) == (True, False, False)


def test_pages_hold_each_client_of_the_tenant_once_in_the_order_of_ids(clients, tenant_id):
    kept = [a_client(tenant_id) for _ in range(5)]
    for client in kept:
        clients.add(client, event())
    clients.add(a_client(new_id("ten")), event())

    pages, after = [], None
    for _ in range(9):
        page, after = clients.page(tenant_id, limit=2, after=after)
        pages.append(page)
        if after is None:
            break

    assert [client for page in pages for client in page] == sorted(kept, key=lambda client: client.id)
    assert max(len(page) for page in pages) == 2


def test_a_page_may_be_larger_than_one_read_of_many(clients, tenant_id, monkeypatch):
    monkeypatch.setattr("platforma.adapters.dynamodb.clients._BATCH", 2)
    for _ in range(3):
        clients.add(a_client(tenant_id, secrets=()), event())

    page, after = clients.page(tenant_id, limit=200, after=None)

    assert (len(page), after) == (3, None)


def test_a_change_writes_what_differs(clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())
    after = client.changed(name="second", roles=(), scopes=("*",), token_endpoint_auth_method="client_secret_basic")

    clients.change(Change(client, after), event())
    again = after.changed(token_endpoint_auth_method=None)
    clients.change(Change(after, again), event())

    assert clients.get(client.id) == again


def test_of_twenty_changes_at_once_one_wins(place, clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())
    start = Barrier(20)

    def race(number):
        start.wait()
        try:
            clients.change(Change(client, client.changed(name=f"name {number}")), event())
        except PreconditionFailed:
            return None
        return f"name {number}"

    with ThreadPoolExecutor(20) as pool:
        won = [name for name in pool.map(race, range(20)) if name]

    assert [clients.get(client.id).name] == won
    assert len(place.events()) == 2


def test_a_change_keeps_the_tickets_and_times_written_meanwhile(clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())
    renewed = replace(client.secrets[0], last_used_at=NOW, stored=replace(client.secrets[0].stored, ticket="new"))
    clients.note_use(client.id, renewed)

    clients.change(Change(client, client.changed(name="second", secrets=(*client.secrets, secret(2)))), event())

    assert clients.get(client.id).secrets[0] == renewed
    assert len(clients.get(client.id).secrets) == 2


def test_a_use_is_noted_of_the_one_secret_and_makes_no_version(clients, tenant_id):
    client = a_client(tenant_id, secrets=(secret(1), secret(2)))
    clients.add(client, event())
    used = replace(
        client.secrets[1],
        last_used_at=NOW + timedelta(seconds=5),
        stored=replace(client.secrets[1].stored, ticket="new", version=2, ticket_expires=1795519000),
    )

    assert clients.note_use(client.id, used)

    assert clients.get(client.id) == replace(client, secrets=(client.secrets[0], used))


def test_a_secret_that_was_taken_away_is_not_brought_back_by_a_check(clients, tenant_id):
    client = a_client(tenant_id, secrets=(secret(1), secret(2)))
    clients.add(client, event())
    clients.change(Change(client, client.changed(secrets=client.secrets[1:])), event())

    assert not clients.note_use(client.id, client.secrets[0])

    assert clients.get(client.id).secrets == client.secrets[1:]


def test_a_secret_with_another_hash_is_another_secret(clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())
    other = replace(client.secrets[0], stored=replace(client.secrets[0].stored, hash="$2b$12$other"))

    assert not clients.note_use(client.id, other)


def test_a_use_of_a_client_that_never_was_makes_none(clients):
    client_id = new_id("cli")

    assert not clients.note_use(client_id, secret())

    assert clients.get(client_id) is None


def test_suspension_ends_the_tickets_and_no_check_brings_them_back(place, clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())

    clients.change(Change(client, client.changed(status="suspended")), event())

    assert not clients.note_use(client.id, client.secrets[0])
    kept = clients.get(client.id).secrets[0].stored
    assert (kept.hash, kept.ticket, kept.ticket_expires) == (client.secrets[0].stored.hash, "", 0)
    assert place.versions(tenant_id) == (1, 2)


def test_a_deleted_client_leaves_a_tombstone_that_no_list_shows(place, clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())

    clients.change(Change(client, client.changed(status="deleted", secrets=())), event())

    kept = clients.get(client.id)
    assert (kept.status, kept.secrets, kept.tenant_id) == ("deleted", (), tenant_id)
    assert clients.page(tenant_id, limit=10, after=None) == ([], None)
    assert not clients.note_use(client.id, client.secrets[0])
    assert place.versions(tenant_id) == (1, 2)


@pytest.mark.parametrize(("fields", "moved"), [({"roles": ()}, 1), ({"scopes": ()}, 1), ({"name": "second"}, 0)])
def test_a_change_of_rights_moves_the_policies_in_the_same_write(place, clients, tenant_id, fields, moved):
    client = a_client(tenant_id)
    clients.add(client, event())

    clients.change(Change(client, client.changed(**fields)), event())

    assert place.versions(tenant_id) == (1 + moved, 1)


def test_of_a_change_and_twenty_checks_at_once_none_leaves_a_ticket_on_a_suspended_client(clients, tenant_id):
    client = a_client(tenant_id)
    clients.add(client, event())
    start = Barrier(21)

    def suspend():
        start.wait()
        clients.change(Change(client, client.changed(status="suspended")), event())

    def check(_):
        start.wait()
        clients.note_use(client.id, client.secrets[0])

    with ThreadPoolExecutor(21) as pool:
        suspended = pool.submit(suspend)
        list(pool.map(check, range(20)))
        suspended.result()

    assert clients.get(client.id).secrets[0].stored.ticket == ""


def test_the_tombstone_is_swept_and_the_live_client_is_not(tables):
    clients = dynamodb(tables).clients
    client = a_client(new_id("ten"))
    clients.add(client, event())
    assert ClientItem.get(f"CLIENT#{client.id}", "CLIENT").expires is None

    clients.change(Change(client, client.changed(status="deleted", secrets=())), event())

    assert ClientItem.get(f"CLIENT#{client.id}", "CLIENT").expires == int((NOW + timedelta(days=90)).timestamp())
    assert TenantClientItem.count(client.tenant_id) == 0


def test_without_its_table_the_answer_is_unavailable(tables):
    clients = dynamodb(tables).clients
    client = a_client(new_id("ten"))
    Tables({"credential": "lost"}, "eu-central-1").bind()

    for read in (
        lambda: clients.get(client.id),
        lambda: clients.page(client.tenant_id, limit=1, after=None),
        lambda: clients.note_use(client.id, client.secrets[0]),
        lambda: clients.add(client, event()),
    ):
        with pytest.raises(Unavailable):
            read()
