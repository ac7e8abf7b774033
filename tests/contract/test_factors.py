"""One suite over where factors are kept: in memory, and in DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from platforma.adapters.dynamodb.identity.factors import DynamoFactors
from platforma.adapters.dynamodb.identity.items import FactorsItem, UserItem
from platforma.adapters.memory.identity.factors import MemoryFactors
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.identity.factors import TOTP, Passkey
from platforma.kernel.errors import PlatformaError, PreconditionFailed
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen
from tests.contract.on_moto import tables_on_moto

TENANT, LISTED = new_id("ten"), new_id("ten")
APP = TOTP("JBSWY3DPEHPK3PXP", "2026-11-24T12:00:00Z", confirmed=True, last_step=7)
KEY = Passkey("id", "public", 3, "laptop", backed_up=True, transports=("internal",), created_at="2026-11-24T12:00:00Z")


@pytest.fixture(scope="module")
def tables():
    with tables_on_moto("identity") as tables:
        yield tables


class Place:
    """A store, and whose factors it may hold."""

    def __init__(self, tables):
        self._there, self._tables = set(), tables
        self.store = (
            MemoryFactors(exists=lambda *user: user in self._there)
            if tables is None
            else DynamoFactors(tables, None, Envelope(MemoryDataKeys(TENANT, LISTED)))
        )

    def person(self, tenant_id=TENANT):
        user_id = new_id("usr")
        self._there.add((tenant_id, user_id))
        if self._tables is not None:
            made = {"email_key": "e", "person": b"p", "status": "active", "version": 1, "created_at": "2026-11-24T12:00:00Z"}
            UserItem(tenant_id, f"USER#{user_id}", **made).save()
        return self.store.read(tenant_id, user_id)

    def gone(self, factors):
        self._there.discard((factors.tenant_id, factors.user_id))
        if self._tables is not None:
            UserItem(factors.tenant_id, f"USER#{factors.user_id}").delete()


@pytest.fixture(params=["memory", "dynamodb"])
def place(request):
    return Place(None if request.param == "memory" else request.getfixturevalue("tables"))


@pytest.fixture
def store(place):
    return place.store


@pytest.fixture
def nobody(place):
    return place.person()


def test_who_has_none_has_none(nobody):
    assert (nobody.version, nobody.as_json(), nobody.second) == (0, [], False)


def test_what_was_put_is_read(store, nobody):
    whole = nobody.changed(totp=APP, recovery=("a", "b"), passkeys=(KEY,), spent={"c": 1.0})

    store.put(nobody, whole, None)

    assert store.read(TENANT, nobody.user_id) == whole


def test_what_was_replaced_is_not_replaced_again(store, nobody):
    store.put(nobody, nobody.changed(totp=APP), None)

    with pytest.raises(PreconditionFailed):
        store.put(nobody, nobody.changed(passkeys=(KEY,)), None)
    assert store.read(TENANT, nobody.user_id).totp == APP


def test_of_twenty_at_once_one_wins(store, nobody):
    barrier = Barrier(20)

    def race(number):
        barrier.wait()
        try:
            store.put(nobody, nobody.changed(recovery=(str(number),)), None)
        except PlatformaError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(race, range(20))) == 1


def test_another_tenants_are_another_persons(store, nobody):
    store.put(nobody, nobody.changed(totp=APP), None)

    assert store.read(new_id("ten"), nobody.user_id).totp is None


def test_what_is_kept_tells_nothing_and_is_good_for_its_person_alone(tables):
    place = Place(tables)
    store, nobody, other = place.store, place.person(), place.person()
    store.put(other, other.changed(totp=APP, passkeys=(KEY,)), None)
    item = FactorsItem.get(TENANT, f"FACTORS#{other.user_id}")

    assert APP.secret.encode() not in item.box
    assert b"laptop" not in item.box

    FactorsItem(TENANT, f"FACTORS#{nobody.user_id}", box=item.box, version=1).save()
    with pytest.raises(DoesNotOpen):
        store.read(TENANT, nobody.user_id)


def test_all_of_a_tenants_people_are_listed_once_and_nobody_elses(place, store, nobody):
    mine = [place.person(LISTED) for _ in range(3)]
    for one in (*mine, nobody):
        store.put(one, one.changed(totp=APP), None)

    assert {one.user_id for one in store.every(LISTED)} == {one.user_id for one in mine}
    assert all(one.totp == APP for one in store.every(LISTED))
    assert list(store.every(new_id("ten"))) == []


def test_of_who_was_deleted_meanwhile_nothing_is_kept(place, store, nobody):
    place.gone(nobody)

    with pytest.raises(PreconditionFailed):
        store.put(nobody, nobody.changed(totp=APP), None)

    assert store.read(TENANT, nobody.user_id).totp is None
