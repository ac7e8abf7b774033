"""A shredded tenant, through the functions: nothing of it decrypts, its log verifies, and a statement says so."""

import base64
import json

import pytest

from platforma import bootstrap
from platforma.adapters.dynamodb.sealed_records import DynamoDBSealedRecords
from platforma.adapters.s3_source import S3Source
from platforma.audit import note
from platforma.audit.verify import Trusted, verify
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import wrapping_of
from platforma.keys.errors import NoSuchKey
from tests.world import BUCKET, Tenant, World, running

ANY = {"If-Match": "*"}


@pytest.fixture
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture
def doomed(world: World) -> Tenant:
    """A tenant with a user, an object and a ciphertext, whose key has two versions."""
    tenant = world.tenant("doomed", "admin@doomed.test")
    tenant.user("ada@doomed.test", ("operator",))
    tenant.call("POST", "/v1/encryption/keys/rotate", expect=200)
    tenant.call("PUT", "/v1/objects/secret.txt", raw=b"secret", expect=200)
    tenant.call("POST", "/v1/encryption/encrypt", {"plaintext": "c2VjcmV0"}, expect=200)
    return tenant


def platform_call(world: World, method: str, path: str, **more):
    return world.call(method, path, token=world.token(world.platform_client), **more)


def shred(world: World, tenant: Tenant) -> None:
    deleted = platform_call(world, "DELETE", f"/v1/tenants/{tenant.id}?immediate=true", headers=ANY)
    assert (deleted.status, deleted.json["status"]) == (202, "deleted")


def sealed_for(tenant_id: str):
    records = DynamoDBSealedRecords({name: name for name in bootstrap.TABLES})
    for table in records.tables:
        after = None
        while True:
            page, after = records.page(table, after)
            for record in page:
                wrapping = wrapping_of(record.ciphertext)
                if wrapping and wrapping.tenant_id == tenant_id:
                    yield wrapping
            if after is None:
                break


def statement(world: World, tenant: Tenant) -> dict:
    answer = platform_call(world, "GET", f"/v1/tenants/{tenant.id}/shredding")
    assert answer.status == 200, answer.text
    return answer.json


def test_nothing_of_it_decrypts_anywhere(world, doomed):
    sealed_before = list(sealed_for(doomed.id))
    shred(world, doomed)
    world.clock.move(minutes=6)  # what instances have of keys in memory is gone by then

    assert {wrapping.purpose for wrapping in sealed_before} >= {"identity", "audit", "object", "keyring"}
    for wrapping in (*sealed_before, *sealed_for(doomed.id)):
        with pytest.raises(NoSuchKey):
            bootstrap.parts.ground.vault().unwrap(doomed.id, wrapping.purpose, wrapping.wrapped)


def test_everything_that_waited_is_in_its_log_which_verifies(world, doomed):
    told = {event["id"] for event in doomed.events()}
    shred(world, doomed)

    key = note.VerifierKey(f"platforma.test/audit/{doomed.id}", bootstrap.parts.ground.vault().ed25519_public_keys("")[1])
    report = verify(S3Source(BUCKET), Trusted((key,)))

    [log] = [log for log in report.logs if log.log_id == doomed.id]
    assert list(log.faults) == []
    assert log.entries >= len(told)
    assert list(bootstrap.audit_store().pending(doomed.id, limit=1).rows) == []


def test_the_statement_is_signed_and_tells_where_the_log_stands(world, doomed):
    shred(world, doomed)

    said = statement(world, doomed)

    text = note.opened(said["statement"].encode(), [note.parse_key(key) for key in said["verifier_keys"]])
    title, facts, _ = text.split("\n")
    stated = json.loads(facts)
    head = bootstrap.audit_store().head(doomed.id)
    checkpoint = note.parse_checkpoint(note.text_of(bootstrap.published().checkpoint(doomed.id)))
    assert title == "platforma key destruction 1"
    assert stated["keys"] == said["keys"] == [{"id": f"tenant-{doomed.id}", "versions": [1, 2]}]
    assert stated["logs"] == [{"id": doomed.id, "size": head.size, "root": base64.b64encode(checkpoint.root).decode()}]
    assert said["verifier_keys"][0].startswith("platforma.test/statements+")


def test_there_is_no_statement_of_a_key_that_stands(world, doomed):
    platform_call(world, "DELETE", f"/v1/tenants/{doomed.id}", headers=ANY)

    assert platform_call(world, "GET", f"/v1/tenants/{doomed.id}/shredding").status == 404


def test_a_tenant_does_not_read_its_own_statement_or_anothers(world, doomed):
    assert doomed.call("GET", f"/v1/tenants/{doomed.id}/shredding").status == 403


def test_its_log_ends_and_troubles_no_sweep(world, doomed):
    shred(world, doomed)
    world.clock.move(minutes=11)

    world.sweep()

    assert doomed.id not in set(bootstrap.audit_store().logs())
    assert doomed.id in bootstrap.audit_store().logs_of(doomed.id)


def test_an_event_that_an_instance_still_sealed_is_set_aside(world, doomed):
    shred(world, doomed)
    bootstrap.outbox().enter(_straggler(world, doomed.id))
    world.clock.move(minutes=6)

    answer = world.sweep()

    assert (len(answer["set_aside"]), answer["aside"]) == (1, 1)
    assert world.sweep()["set_aside"] == []


def _straggler(world: World, tenant_id: str):
    attempt = Attempt("late", "me.read", world.clock, tenant_id=tenant_id, principal_type="api_key", principal_id="key_x")
    return attempt.event("denied", reason="unauthenticated")


def test_what_identity_providers_gave_it_is_gone_from_vault_and_others_stays(world: World, doomed: Tenant):
    other, references = world.tenant("other", "admin@other.test"), [new_id("sso"), new_id("sso")]
    for reference in references:
        world.vault.keep_provider_secret(doomed.id, reference, "its secret")
    world.vault.keep_provider_secret(other.id, references[0], "another's")

    shred(world, doomed)

    assert world.vault.provider_secrets.kept == {(other.id, references[0]): "another's"}
