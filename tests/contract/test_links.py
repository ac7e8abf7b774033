"""One suite over where one-time links are kept: in memory, and in DynamoDB (moto)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from moto import mock_aws

from platforma.adapters.dynamodb.identity import DynamoDirectory, DynamoTenants
from platforma.adapters.dynamodb.links import DynamoLinks
from platforma.adapters.dynamodb.tables import TABLES, Tables
from platforma.adapters.memory.identity import MemoryDirectory, MemoryIdentity, MemoryLinks, MemoryTenants
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.identity import create_tenant
from platforma.identity.errors import LinkSpent
from platforma.identity.links import Link
from platforma.kernel.errors import PlatformaError, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.directory.world import SeenOutbox
from tests.contract.on_moto import isolate, make_tables

NOW = datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC)
DIGEST = "ab" * 32


@pytest.fixture(params=["memory", "dynamodb"])
def ports(request, monkeypatch):
    """A call that gives a thread its own (links, directory), over one tenant whose administrator is `admin`."""
    monkeypatch.setattr("platforma.identity.passwords._hasher", lambda _: PasswordHasher(1, 8, 1))
    if request.param == "memory":
        store = MemoryIdentity()
        directory = MemoryDirectory(store)
        links = MemoryLinks(store, directory)
        yield (lambda: (links, directory)), _admin(MemoryTenants(store))
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    isolate(monkeypatch)
    with mock_aws():
        make_tables(*TABLES)
        keys, secrets, outbox = MemoryDataKeys(), MemorySecrets(), SeenOutbox()

        def made():
            tables, envelope = Tables({name: name for name in TABLES}, "eu-central-1").bind(), Envelope(keys)
            directory = DynamoDirectory(tables, outbox, envelope, secrets)
            return DynamoLinks(tables, outbox, directory), directory

        tables = Tables({name: name for name in TABLES}, "eu-central-1").bind()
        yield made, _admin(DynamoTenants(tables, outbox, Envelope(keys), secrets), keys)


def _admin(tenants, keys=None):
    person = {"admin_email": "ada@acme.test", "admin_name": "Ada", "admin_password": "correct horse battery"}
    return create_tenant("Acme", **person, tenants=tenants, keys=keys or MemoryDataKeys(), attempt=attempt()).admin


def attempt() -> Attempt:
    return Attempt(new_id("evt"), "settings.password_links.send", lambda: NOW, tenant_id=new_id("ten"))


def a_link(admin) -> Link:
    return Link(DIGEST, admin.tenant_id, admin.id, "reset", NOW + timedelta(hours=1), "mark")


def spend(made, admin, password_hash="new", before=None):
    links, _ = made()
    before = before or admin
    after = replace(before, version=before.version + 1)
    links.spend(a_link(admin), before, after, password_hash, attempt().event("success"))


def test_a_link_is_found_as_it_was_kept_and_no_other_is(ports):
    made, admin = ports
    made()[0].add(a_link(admin), attempt().event("success"))

    assert made()[0].find(DIGEST) == a_link(admin)
    assert made()[0].find("cd" * 32) is None


def test_spending_gives_the_password_and_takes_the_link(ports):
    made, admin = ports
    made()[0].add(a_link(admin), attempt().event("success"))

    spend(made, admin)

    assert made()[0].find(DIGEST) is None
    assert made()[1].password_hash(admin.tenant_id, admin.id) == "new"


def test_of_twenty_who_spend_it_at_once_one_does(ports):
    made, admin = ports
    made()[0].add(a_link(admin), attempt().event("success"))
    start = threading.Barrier(20)

    def one(number):
        start.wait()
        try:
            spend(made, admin, f"hash {number}")
        except PlatformaError as error:
            return error
        return f"hash {number}"

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(one, range(20)))

    (winner,) = [result for result in results if isinstance(result, str)]
    assert made()[1].password_hash(admin.tenant_id, admin.id) == winner
    assert all(isinstance(each, (LinkSpent, PreconditionFailed)) for each in results if each != winner)


def test_a_user_who_changed_meanwhile_keeps_password_and_link(ports):
    made, admin = ports
    made()[0].add(a_link(admin), attempt().event("success"))
    stored = made()[1].password_hash(admin.tenant_id, admin.id)

    with pytest.raises(PreconditionFailed):
        spend(made, admin, before=replace(admin, version=9))

    assert made()[0].find(DIGEST) == a_link(admin)
    assert made()[1].password_hash(admin.tenant_id, admin.id) == stored


def test_a_link_that_was_never_kept_gives_nothing(ports):
    made, admin = ports
    stored = made()[1].password_hash(admin.tenant_id, admin.id)

    with pytest.raises(LinkSpent):
        spend(made, admin)
    assert made()[1].password_hash(admin.tenant_id, admin.id) == stored
