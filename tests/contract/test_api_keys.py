"""What `Keys` and `Limits` promise, of each implementation."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event

import boto3
import pytest
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.apikeys import DynamoDBKeys
from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices
from platforma.adapters.dynamodb.leaks import DynamoDBLeaks
from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits, DynamoDBLimitSettings
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.versions import VersionsItem, make_versions
from platforma.adapters.memory.apikeys import MemoryKeys, MemoryLeaks, MemoryLimits, MemoryLimitSettings
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.apikeys import Holder, RateLimit, SharedLimit, bound_by, revoke_key, rotate_key
from platforma.apikeys.leaks import LeakResponse
from platforma.kernel.errors import (
    AlreadyUsed,
    Conflict,
    NotFound,
    PlatformaError,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from platforma.kernel.ids import new_id
from platforma.keys import stored_secret
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import isolate
from tests.unit.apikeys.world import NOW, World

LIMIT = RateLimit(7, 60)
BOTH = {"credential": "credential", "policy": "credential"}


class EventItem(Item):
    table = "credential"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class Outbox:
    """An event is an item here too; and one whose id was used refuses the transaction that it is in."""

    def items(self, event):
        return [(EventItem(event.id, "EVENT", action=event.action), EventItem.pk.does_not_exist(), AlreadyUsed())]


class Recorded:
    def __init__(self):
        self.ids = set()

    def __call__(self, event):
        if event.id in self.ids:
            raise AlreadyUsed
        self.ids.add(event.id)


@dataclass
class Places:
    keys: object
    limits: object
    settings: object
    notices: object
    leaks: object
    data_keys: MemoryDataKeys | None = None


@pytest.fixture(scope="module")
def dynamodb():
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        isolate(patch)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        Tables(BOTH, "eu-central-1").bind()
        yield boto3.client("dynamodb", region_name="eu-central-1")


@pytest.fixture
def table(dynamodb):
    dynamodb.create_table(
        TableName="credential",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    yield dynamodb
    if dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName="credential")


@pytest.fixture(params=["memory", "dynamodb"])
def places(request, monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)
    if request.param == "memory":
        keys = MemoryKeys(Recorded())
        return Places(keys, MemoryLimits(), MemoryLimitSettings(Recorded()), keys.notices, MemoryLeaks(keys, Recorded()))
    request.getfixturevalue("table")
    tables = Tables(BOTH, "eu-central-1")
    data_keys = MemoryDataKeys()
    settings = DynamoDBLimitSettings(tables, Outbox())
    keys, notices = DynamoDBKeys(tables, Outbox(), Envelope(data_keys)), DynamoDBNotices(tables, Outbox())
    return Places(keys, DynamoDBLimits(), settings, notices, DynamoDBLeaks(tables, Outbox()), data_keys)


@pytest.fixture
def world(places):
    world = World(keys=places.keys, limits=places.limits)
    if places.data_keys:
        places.data_keys.create_tenant_key(world.tenant_id)
    return world


@pytest.fixture
def settings(places):
    return places.settings


def moved(world, settings):
    if isinstance(settings, MemoryLimitSettings):
        return settings.moved
    make_versions(world.tenant_id)
    return VersionsItem.get(world.tenant_id, "VERSIONS").policy_version


def race(do, times=20):
    """What became of *times* attempts at once: answers, or errors of ours."""

    def attempt(number):
        try:
            return do(number)
        except PlatformaError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(attempt, range(times)))


def won(results):
    return [result for result in results if not isinstance(result, PlatformaError)]


def rotate(world, key_id, **more):
    return rotate_key(world.tenant_id, key_id, created_by="usr", secrets=world.secrets, **world.use(), **more)


def test_what_is_added_is_found_and_read(world):
    parent = world.issue().key
    key = world.issue(
        expires_in=60,
        ip_range=("10.0.0.0/8", "2001:db8::/32"),
        rate_limit=LIMIT,
        scopes=("orders:read", "invoices.*"),
        bound=replace(bound_by(parent), token_id="jti"),
    ).key

    assert world.keys.find(key.id) == key
    assert world.keys.get(world.tenant_id, key.id) == key


def test_what_is_not_there_is_not_found(world):
    key = world.issue().key

    assert world.keys.find(new_id("key")) is None
    for tenant_id, key_id in ((world.tenant_id, new_id("key")), (new_id("ten"), key.id)):
        with pytest.raises(NotFound):
            world.keys.get(tenant_id, key_id)


def test_an_id_is_taken_once(world):
    key = world.issue().key

    with pytest.raises(Conflict):
        world.keys.add(key, world.attempt().event("success"))


def test_pages_hold_every_key_of_the_tenant_once_and_no_others(world):
    mine = sorted(world.issue().key.id for _ in range(7))
    world.tenant_id, first = new_id("ten"), world.tenant_id
    world.issue()

    pages, after = [], None
    while True:
        page, after = world.keys.page(first, limit=3, after=after)
        pages.append([key.id for key in page])
        if after is None:
            break

    assert pages == [mine[:3], mine[3:6], mine[6:]]


def test_a_page_that_ends_with_the_last_key_has_no_next(world):
    world.issue()

    assert world.keys.page(world.tenant_id, limit=1)[1] is None


def test_an_owners_pages_hold_the_owners_keys_alone(world):
    first = world.user_id
    mine = sorted(world.issue().key.id for _ in range(3))
    world.user_id = new_id("usr")
    world.issue()

    page, after = world.keys.page(world.tenant_id, limit=2, owner_id=first)
    rest, end = world.keys.page(world.tenant_id, limit=2, after=after, owner_id=first)

    assert [key.id for key in (*page, *rest)] == mine
    assert end is None


def test_a_change_is_kept_whole_and_removes_what_is_gone(world):
    before = world.issue(ip_range=("10.0.0.0/8",), rate_limit=LIMIT, expires_in=60).key
    after = replace(before, ip_range=(), rate_limit=None, expires_at=None, name="new", enabled=False, version=2)

    world.keys.change(before, after, world.attempt().event("success"))

    assert world.keys.find(before.id) == after


def test_of_racing_changes_one_is_made(world):
    before = world.issue().key

    def change(number):
        after = replace(before, name=f"name {number}", version=2)
        world.keys.change(before, after, world.attempt().event("success"))
        return after

    results = race(change)

    assert won(results) == [world.keys.find(before.id)]
    assert {type(result) for result in results} == {type(before), PreconditionFailed}


def test_a_change_whose_event_is_refused_is_not_made(world):
    before = world.issue().key
    event = world.attempt().event("success")
    world.keys.change(before, replace(before, name="new", version=2), event)
    current = world.keys.find(before.id)

    with pytest.raises(AlreadyUsed):
        world.keys.change(current, replace(current, name="newer", version=3), event)

    if not isinstance(world.keys, MemoryKeys):  # memory has no way back
        assert world.keys.find(before.id) == current


def test_the_attempt_of_what_was_written_is_entered(world):
    attempt = world.attempt()
    key = world.issue().key

    world.keys.change(key, replace(key, name="new", version=2), attempt.event("success"))

    assert attempt.entered


def test_of_racing_rotations_one_is_done(world):
    key = world.issue().key

    results = race(lambda _: rotate(world, key.id))

    (winner,) = won(results)
    assert world.keys.find(key.id).successor_id == winner.key.id
    assert len(world.keys.page(world.tenant_id, limit=50)[0]) == 2


def test_a_renewed_ticket_is_no_change_of_the_key(world):
    key = world.issue().key
    renewed = replace(key.secret, ticket="new", ticket_expires=5)

    world.keys.renew_ticket(key, renewed)

    kept = world.keys.get(world.tenant_id, key.id)
    assert kept == replace(key, secret=renewed)


@pytest.mark.parametrize("end", [{"revoked_at": NOW}, {"enabled": False}])
def test_no_racing_check_brings_back_the_ticket_of_a_key_that_was_ended(world, end):
    key = world.issue().key
    ended = replace(key, **end, secret=replace(key.secret, ticket="", ticket_expires=0), version=2)
    world.keys.change(key, ended, world.attempt().event("success"))

    with pytest.raises(Conflict):
        world.keys.renew_ticket(key, key.secret)

    assert world.keys.find(key.id).secret.ticket == ""


@pytest.mark.parametrize("ticket", ["good", "over"])
def test_once_a_revocation_has_answered_no_check_that_begins_later_accepts(world, ticket):
    """Checks run before, while and after; where the ticket is over, each hashes and writes another one."""
    issued = world.issue()
    if ticket == "over":
        world.passes(hours=2)
    accepted_once, answered, seen = Event(), Event(), []

    def check(_number):
        late = 0
        while late < 3:
            begun_after = answered.is_set()
            try:
                accepted = world.verify(issued.text).id == issued.key.id
            except Unauthenticated:
                accepted = False
            accepted_once.set()
            late += begun_after
            seen.append((begun_after, accepted))

    with ThreadPoolExecutor(8) as pool:
        checks = [pool.submit(check, number) for number in range(8)]
        accepted_once.wait(10)
        revoke_key(world.tenant_id, issued.key.id, **world.use())
        answered.set()
        for one in checks:
            one.result(30)

    assert (False, True) in seen and (True, False) in seen
    assert (True, True) not in seen
    assert world.keys.find(issued.key.id).secret.ticket == ""


def test_a_use_is_noted_once_a_minute(world):
    key = world.issue().key

    for seconds, address in ((0, "192.0.2.1"), (59, "192.0.2.2"), (60, "192.0.2.3")):
        world.keys.note_use(key, used_at=NOW + timedelta(seconds=seconds), ip_address=address)

    kept = world.keys.get(world.tenant_id, key.id)
    assert (kept.last_used_at, kept.last_used_ip) == (NOW + timedelta(seconds=60), "192.0.2.3")


def test_a_change_keeps_the_last_use(world):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    world.keys.change(key, replace(key, name="new", version=2), world.attempt().event("success"))

    kept = world.keys.get(world.tenant_id, key.id)
    assert (kept.last_used_at, kept.last_used_ip) == (NOW, "192.0.2.1")


def test_a_check_is_given_no_address(world):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    assert world.keys.find(key.id).last_used_ip is None


def test_a_predecessor_ends_once_and_not_later_than_it_would(world):
    old = world.issue(expires_in=60)
    new = rotate(world, old.key.id, until_used=True).key

    world.keys.end_predecessor(new, NOW + timedelta(seconds=30), world.attempt().event("success"))
    world.keys.end_predecessor(new, NOW + timedelta(seconds=40), world.attempt().event("success"))

    assert world.keys.find(old.key.id).expires_at == NOW + timedelta(seconds=30)
    assert not world.keys.find(new.id).ends_predecessor


def test_a_revoked_predecessor_is_left_as_it_is(world):
    old = world.issue()
    new = rotate(world, old.key.id, until_used=True).key
    revoked = revoke_key(world.tenant_id, old.key.id, **world.use())

    world.keys.end_predecessor(new, NOW, world.attempt().event("success"))

    assert world.keys.find(old.key.id) == revoked
    assert not world.keys.find(new.id).ends_predecessor


def test_racing_charges_are_granted_to_the_limit_and_no_further(places):
    key_id = new_id("key")

    charges = won(race(lambda _: places.limits.charge(key_id, LIMIT, 1, NOW)))

    assert sorted(charge.remaining for charge in charges if charge.allowed) == list(range(7))


def test_a_charge_is_made_whole_or_not_at_all(places):
    key_id = new_id("key")

    granted = [places.limits.charge(key_id, LIMIT, cost, NOW) for cost in (8, 5, 3, 2, 1)]

    assert [(charge.allowed, charge.remaining) for charge in granted] == [
        (False, 7),
        (True, 2),
        (False, 2),
        (True, 0),
        (False, 0),
    ]


def test_looking_charges_nothing(places):
    key_id = new_id("key")

    looks = [places.limits.charge(key_id, LIMIT, cost, NOW) for cost in (0, 2, 0, 0)]

    assert [look.remaining for look in looks] == [7, 5, 5, 5]


def test_a_window_opens_with_its_first_charge_and_ends_after_its_period(places):
    key_id = new_id("key")
    places.limits.charge(key_id, LIMIT, 7, NOW)

    late = places.limits.charge(key_id, LIMIT, 1, NOW + timedelta(milliseconds=59999))
    anew = places.limits.charge(key_id, LIMIT, 1, NOW + timedelta(seconds=60))

    assert (late.allowed, late.resets_at) == (False, NOW + timedelta(seconds=60))
    assert (anew.allowed, anew.remaining, anew.resets_at) == (True, 6, NOW + timedelta(seconds=120))


def test_a_lower_limit_counts_what_was_charged_before(places):
    key_id = new_id("key")
    places.limits.charge(key_id, LIMIT, 5, NOW)

    assert not places.limits.charge(key_id, RateLimit(5, 60), 1, NOW).allowed


def test_a_notice_is_due_at_its_time_and_the_next_one_follows_it(world, places):
    key = world.issue(expires_in=60 * 86400).key
    due = NOW + timedelta(days=30)
    assert list(places.notices.due(due - timedelta(milliseconds=1))) == []
    (notice,) = places.notices.due(due)

    world.now = due
    places.notices.tell(notice, key, world.attempt().event("success"))

    assert (notice.key_id, notice.days) == (key.id, 30)
    assert list(places.notices.due(due)) == []
    assert [later.days for later in places.notices.due(NOW + timedelta(days=46))] == [14]


def test_of_racing_tellers_one_tells(world, places):
    key = world.issue(expires_in=31 * 86400).key
    world.passes(days=2)
    (notice,) = places.notices.due(world.now)

    results = race(lambda _: places.notices.tell(notice, key, world.attempt().event("success")))

    assert [type(result) for result in won(results)] == [type(None)]
    assert {type(result) for result in results} == {type(None), AlreadyUsed}


def test_of_a_key_that_changed_meanwhile_nothing_is_told(world, places):
    key = world.issue(expires_in=31 * 86400).key
    world.passes(days=2)
    (notice,) = places.notices.due(world.now)
    revoke_key(world.tenant_id, key.id, **world.use())

    with pytest.raises(PreconditionFailed):
        places.notices.tell(notice, key, world.attempt().event("success"))

    places.notices.drop(notice)
    assert list(places.notices.due(world.now)) == []


def test_a_new_end_has_its_own_notice(world, places):
    before = world.issue(expires_in=90 * 86400).key
    after = replace(before, expires_at=NOW + timedelta(days=20), version=2)
    world.keys.change(before, after, world.attempt().event("success"))

    assert [(notice.key_id, notice.days) for notice in places.notices.due(NOW + timedelta(days=7))] == [(after.id, 14)]


def test_of_racing_reports_of_one_place_one_is_entered_with_its_revocation(world, places):
    key = world.issue().key
    revoked = replace(key, revoked_at=NOW, version=2)

    results = race(lambda _: places.leaks.report(key, revoked, "place", world.attempt().event("success")))

    assert won(results) == [None]
    assert {type(result) for result in results} <= {type(None), AlreadyUsed, PreconditionFailed}
    assert world.keys.find(key.id).revoked_at == NOW
    with pytest.raises(AlreadyUsed):
        places.leaks.report(revoked, revoked, "place", world.attempt().event("success"))
    places.leaks.report(revoked, revoked, "another", world.attempt().event("success"))


def test_of_racing_responses_one_is_kept(world, places):
    first = places.leaks.response(world.tenant_id)
    assert first == LeakResponse("revoke", 1)

    def respond(_):
        places.leaks.respond(world.tenant_id, first, LeakResponse("notify", 2), world.attempt().event("success"))

    assert won(race(respond)) == [None]
    assert places.leaks.response(world.tenant_id) == LeakResponse("notify", 2)


def test_racing_leases_are_granted_to_the_limit_and_no_further(places):
    holder = Holder(new_id("ten"), "user", new_id("usr"))

    leases = won(race(lambda _: places.limits.lease(holder, RateLimit(50, 60), least=1, block=7, now=NOW)))

    assert sum(lease.granted for lease in leases) == 50
    assert {lease.opened for lease in leases} == {NOW}


def test_a_lease_is_what_is_left_where_that_is_enough(places):
    holder = Holder(new_id("ten"), "tenant", new_id("ten"))

    taken = [places.limits.lease(holder, LIMIT, least=least, block=5, now=NOW)[1:] for least in (1, 3, 2, 1)]

    assert taken == [(5, 5), (5, 0), (7, 2), (7, 0)]


def test_a_lease_of_nothing_looks(places):
    holder = Holder(new_id("ten"), "user", new_id("usr"))
    places.limits.lease(holder, LIMIT, least=1, block=5, now=NOW)

    assert places.limits.lease(holder, LIMIT, least=0, block=0, now=NOW) == (NOW, 5, 0)


def test_holders_of_one_id_have_counters_apart(places):
    same = new_id("usr")
    holders = [Holder(tenant, kind, same) for tenant in ("ten_1", "ten_2") for kind in ("user", "oauth_client")]

    assert [places.limits.lease(holder, LIMIT, least=7, block=7, now=NOW).granted for holder in holders] == [7] * 4


def test_a_limit_is_kept_replaced_and_taken_away(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)
    assert settings.get(holder) is None
    first, second = SharedLimit(holder, LIMIT), SharedLimit(holder, RateLimit(1, 1), 2)

    settings.put(None, first, world.attempt().event("success"))
    settings.put(first, second, world.attempt().event("success"))
    assert settings.get(holder) == second
    settings.delete(second, world.attempt().event("success"))

    assert settings.get(holder) is None


def test_of_racing_limits_one_is_set(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)

    def put(number):
        limit = SharedLimit(holder, RateLimit(number + 1, 60))
        settings.put(None, limit, world.attempt().event("success"))
        return limit

    assert won(race(put)) == [settings.get(holder)]


def test_a_limit_moves_its_tenants_rules(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)
    before = moved(world, settings)

    settings.put(None, SharedLimit(holder, LIMIT), world.attempt().event("success"))
    settings.delete(SharedLimit(holder, LIMIT), world.attempt().event("success"))

    assert moved(world, settings) == before + 2


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_an_address_is_sealed_in_the_table(world, places, table):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.123")

    items = table.scan(TableName="credential")["Items"]

    assert b"192.0.2.123" not in repr(items).encode()


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_without_vault_the_time_of_use_is_noted_alone(world, places):
    key = world.issue().key
    places.data_keys.gone = True

    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    assert world.keys.find(key.id).last_used_at == NOW


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_what_is_over_is_swept_and_what_is_not_stays(world, places, table):
    lasting, ending = world.issue().key, world.issue(expires_in=60).key
    revoke_key(world.tenant_id, lasting.id, **world.use())

    items = table.scan(TableName="credential")["Items"]

    swept = [int(item["expires"]["N"]) for item in items if "EVENT" not in item["sk"]["S"]]
    assert sorted(set(swept)) == [int((NOW + timedelta(days=90, seconds=more)).timestamp()) for more in (0, 60)]
    assert len(swept) == 6
    assert ending.expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_a_table_that_does_not_answer_is_unavailable(places, table):
    table.delete_table(TableName="credential")

    for ask in (lambda: places.keys.find(new_id("key")), lambda: places.limits.charge("key", LIMIT, 1, NOW)):
        with pytest.raises(Unavailable):
            ask()


def test_of_a_key_that_is_forgotten_nothing_is_left(world: World):
    key = world.issue().key
    other = world.issue().key

    for _ in range(2):
        world.keys.forget(key)

    assert world.keys.find(key.id) is None
    assert [each.id for each in world.keys.page(world.tenant_id, limit=10)[0]] == [other.id]
    assert [each.id for each in world.keys.page(world.tenant_id, limit=10, owner_id=key.owner_id)[0]] == [other.id]
