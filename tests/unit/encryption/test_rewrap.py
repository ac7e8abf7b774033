"""Records moved to the newest version of their tenant's key: all of them, whatever table, and through every crash."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platforma import bootstrap
from platforma.adapters.dynamodb.rewrap import DynamoDBRewraps
from platforma.adapters.dynamodb.sealed_records import DynamoDBSealedRecords
from platforma.kernel.errors import Unavailable
from platforma.keys.encryption.errors import Moved
from platforma.keys.envelope import wrapping_of
from tests.unit.encryption.test_encryption_api import decrypt, encrypt
from tests.world import Tenant, World, running


@pytest.fixture
def world(monkeypatch):
    with running(monkeypatch) as made:
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    tenant = world.tenant()
    tenant.user()
    tenant.call("POST", "/v1/api-keys", {"name": "k", "environment": "live", "scopes": ["*"]}, expect=201)
    return tenant


def tick(world: World) -> str:
    """One run of the schedule, a minute and a bit after the last."""
    world.clock.move(seconds=61)
    return world.function("keys_upkeep").handler({}, type("Context", (), {"aws_request_id": "tick"})())["rewrap"]


def ticks(world: World, count: int) -> None:
    for _ in range(count):
        tick(world)


def records(tenant: Tenant) -> list:
    found = DynamoDBSealedRecords(bootstrap.settings().tables)
    mine = []
    for table in found.tables:
        page, after = found.page(table, None)
        assert after is None
        mine += [one for one in page if wrapping_of(one.ciphertext).tenant_id == tenant.id]
    return mine


def versions(world: World, tenant: Tenant) -> set[int]:
    return {world.vault.version_of(wrapping_of(one.ciphertext).wrapped) for one in records(tenant)}


def progress(tenant: Tenant) -> dict:
    return tenant.call("GET", "/v1/encryption/rewrap", expect=200).json


def until_retired(world: World, tenant: Tenant) -> dict:
    for _ in range(20):
        tick(world)
        if (told := progress(tenant))["status"] != "running":
            return told
    raise AssertionError(told)


def rotate_and_start(tenant: Tenant, trim: str = "at_once") -> dict:
    tenant.call("POST", "/v1/encryption/keys/rotate", expect=200)
    return tenant.call("POST", f"/v1/encryption/rewrap?trim={trim}", expect=202).json


def test_all_is_moved_the_old_version_ends_and_everything_still_opens(world, tenant):
    sealed = encrypt(tenant)
    assert versions(world, tenant) == {1}

    started = rotate_and_start(tenant)
    told = until_retired(world, tenant)

    assert (started["status"], started["target_version"], started["remaining"]) == ("running", 2, None)
    assert (told["status"], told["remaining"], told["oldest_version"]) == ("done", 0, 2)
    assert told["rewrapped"] >= 5
    assert versions(world, tenant) == {2}
    key = tenant.call("GET", "/v1/encryption/keys", expect=200).json["items"][0]
    assert [each["version"] for each in key["versions"]] == [2]
    assert key["min_decryption_version"] == 2
    world.clock.move(minutes=10)
    assert {"ada@acme.test", "admin@acme.test"} == {
        user["email"] for user in tenant.call("GET", "/v1/users", expect=200).json["items"]
    }
    assert decrypt(tenant, sealed).status == 200
    assert tenant.events()


def test_the_ends_of_versions_stand_in_the_tenants_log(world, tenant):
    rotate_and_start(tenant)
    until_retired(world, tenant)

    for verb in ("retire", "trim"):
        (event,) = tenant.events(action=f"crypto.keys.{verb}")
        assert (event["source"], event["principal_id"]) == ("schedule", "keys_upkeep")


def test_nothing_is_retired_while_an_instance_may_still_seal_under_the_old_version(world, tenant):
    rotate_and_start(tenant)

    seen = []
    for _ in range(5):
        tick(world)
        seen.append(progress(tenant)["status"])

    assert seen == ["running"] * 5
    assert world.vault.describe(tenant.id).min_decryption_version == 1


def test_a_record_written_late_under_the_old_version_is_moved_too(world, tenant):
    late = bootstrap.envelope()
    rotate_and_start(tenant)
    tick(world)
    late.seal(tenant.id, "identity", "warm", b"")

    tenant.user("late@acme.test")
    told = until_retired(world, tenant)

    assert told["status"] == "done"
    assert versions(world, tenant) == {2}


def test_without_being_told_the_versions_are_kept_as_long_as_backups(world, tenant):
    rotate_and_start(tenant, trim="after_backups")
    told = until_retired(world, tenant)
    assert told["status"] == "retired"
    assert sorted(world.vault.describe(tenant.id).versions) == [1, 2]
    assert world.vault.describe(tenant.id).min_decryption_version == 2

    world.clock.move(days=35)
    tick(world)

    assert progress(tenant)["status"] == "done"
    assert sorted(world.vault.describe(tenant.id).versions) == [2]


def test_what_another_changes_in_between_is_left_to_the_next_pass(world, tenant, monkeypatch):
    rotate_and_start(tenant)
    replace, lost = DynamoDBSealedRecords.replace, []

    def lose_once(self, record, ciphertext):
        if not lost:
            lost.append(record)
            return False
        return replace(self, record, ciphertext)

    monkeypatch.setattr(DynamoDBSealedRecords, "replace", lose_once)
    tick(world)
    assert progress(tenant)["remaining"] == 1
    told = until_retired(world, tenant)

    assert (told["remaining"], versions(world, tenant)) == (0, {2})


def test_what_stands_there_now_is_never_overwritten(world, tenant):
    found = DynamoDBSealedRecords(bootstrap.settings().tables)
    record = next(one for one in records(tenant) if one.table == "identity")

    assert found.replace(record, b"new")
    assert not found.replace(record, b"newer")


@pytest.mark.parametrize("write", range(12))
def test_killed_before_or_after_any_write_it_goes_on_and_loses_nothing(world, tenant, monkeypatch, write):
    """The writes of a run in order: jobs, passes, records. One of them dies, after it was done or before."""
    rotate_and_start(tenant)
    world.clock.move(minutes=7)
    count = 0

    def dying(method):
        def call(*arguments, **named):
            nonlocal count
            count += 1
            if count == write + 1 and write % 2:
                raise Unavailable
            done = method(*arguments, **named)
            if count == write + 1:
                raise Unavailable
            return done

        return call

    with monkeypatch.context() as patch:
        for owner, name in ((DynamoDBRewraps, "put_job"), (DynamoDBRewraps, "put_pass"), (DynamoDBSealedRecords, "replace")):
            patch.setattr(owner, name, dying(getattr(owner, name)))
        with pytest.raises(Unavailable):
            ticks(world, 3)

    told = until_retired(world, tenant)
    assert (told["status"], told["remaining"], versions(world, tenant)) == ("done", 0, {2})
    world.clock.move(minutes=10)
    assert len(tenant.call("GET", "/v1/users", expect=200).json["items"]) == 2


def test_one_pass_serves_all_tenants_and_touches_no_other(world, tenant):
    second, third = world.tenant("second", "a@second.test"), world.tenant("third", "a@third.test")
    for one in (tenant, second):
        rotate_and_start(one)
    world.vault.rotate(third.id)

    until_retired(world, tenant)

    assert progress(second)["status"] == "done"
    assert versions(world, second) == {2}
    assert 1 in versions(world, third)


def test_of_two_workers_one_stops(world, tenant):
    rotate_and_start(tenant)
    store, now = bootstrap.rewraps(), world.clock()
    tick(world)
    seen = store.current_pass()

    with pytest.raises(Moved):
        store.put_pass(replace(seen, started_at=now + timedelta(hours=1)))


def test_started_twice_it_is_one_job(tenant):
    first = rotate_and_start(tenant)

    again = tenant.call("POST", "/v1/encryption/rewrap", expect=202).json

    assert again["started_at"] == first["started_at"]


def test_a_shredded_tenants_job_comes_to_its_end(world, tenant):
    rotate_and_start(tenant)
    world.vault.destroy_tenant_key(tenant.id)

    tick(world)

    assert bootstrap.rewraps().job(tenant.id).status == "done"
    assert bootstrap.rewraps().open_jobs() == []
