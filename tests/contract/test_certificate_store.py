"""Certificates on record, in memory and in DynamoDB (moto): one suite."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.dynamodb.certificates import CertificateItem, DynamoDBCertificates
from platforma.adapters.memory.certificates import MemoryCertificates
from platforma.certificates.model import Certificate, Condemned, Issued, Order, Proof
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ISSUED = Issued("chain", "ab12", NOW, NOW + timedelta(days=90))


@pytest.fixture(scope="module")
def tables():
    with tables_on_moto("key") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def store(request):
    if request.param == "memory":
        return MemoryCertificates()
    tables = request.getfixturevalue("tables")
    store = DynamoDBCertificates(tables, KeptEvents(tables, "key"))
    for one in store.all():
        CertificateItem(f"{PLATFORM}#CERTIFICATES", one.id).delete()
    return store


@pytest.fixture
def event():
    return lambda: Attempt("r", "platform.certificates.create", lambda: NOW, principal_type="system").event("success")


def certificate(**fields):
    return Certificate(new_id("crt"), ("a.test", "*.a.test"), NOW, **fields)


def test_what_was_added_is_read_as_it_was(store, event):
    proof = Proof("_acme-challenge.a.test", ("x", "y"))
    order = Order("answered", NOW, "https://ca.test/1", NOW, (proof,), ("change",), NOW, ISSUED)
    whole = certificate(
        issued=ISSUED,
        order=order,
        sealed_key=b"\x00sealed",
        condemned=Condemned("old", "cd", "superseded"),
        places={"acm": "arn"},
        renew_at=NOW,
        ask_at=NOW,
        attempts=3,
        next_attempt_at=NOW,
        problem="why",
        ended=True,
        failed=True,
        revoked_at=NOW,
    )

    store.add(whole, event())

    assert store.get(whole.id) == whole


def test_an_id_is_taken_once(store, event):
    one = certificate()
    store.add(one, event())

    with pytest.raises(Conflict):
        store.add(one, event())


def test_a_change_counts_and_a_stale_one_is_refused(store, event):
    one = certificate()
    store.add(one, event())

    after = store.replace(one.changed(attempts=1), event())

    assert (after.version, store.get(one.id)) == (2, after)
    with pytest.raises(PreconditionFailed):
        store.replace(one.changed(attempts=9))
    assert store.get(one.id).attempts == 1


def test_a_key_that_is_no_longer_needed_is_gone(store, event):
    one = certificate(sealed_key=b"sealed")
    store.add(one, event())

    store.replace(replace(one, sealed_key=None))

    assert store.get(one.id).sealed_key is None


def test_listed_newest_first_and_on_from_any(store, event):
    made = []
    for number in range(5):
        one = replace(certificate(), id=f"crt_01m8h0000{number}7vv98000000000000"[:30])
        store.add(one, event())
        made.append(one.id)

    first = [one.id for one in store.listed(after=None, limit=3)]
    rest = [one.id for one in store.listed(after=first[-1], limit=3)]

    assert first + rest == sorted(made, reverse=True)
    assert sorted(one.id for one in store.all()) == sorted(made)


def test_one_that_is_not_there_is_none(store):
    assert store.get(new_id("crt")) is None
