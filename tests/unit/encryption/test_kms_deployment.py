"""A deployment whose tenants' keys are in KMS, through its functions: the same life of a key, and nothing of it in Vault."""

import boto3
import pytest

from platforma import bootstrap
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import NoSuchKey
from tests.unit.encryption.test_encryption_api import decrypt, encrypt
from tests.unit.encryption.test_rewrap import rotate_and_start, until_retired
from tests.unit.shredding.test_shredded_tenant import sealed_for, shred, statement
from tests.world import Tenant, World, running

ANY = {"If-Match": "*"}


@pytest.fixture
def world(monkeypatch):
    with running(monkeypatch, kms=True) as made:
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    tenant = world.tenant("acme", "admin@acme.test")
    tenant.user()
    tenant.call("PUT", "/v1/objects/a.txt", raw=b"hello", expect=200)
    return tenant


def test_all_that_is_sealed_is_under_keys_of_kms_and_vault_has_no_key_of_the_tenant(world, tenant):
    wrapped = [wrapping.wrapped for owner in (tenant.id, PLATFORM) for wrapping in sealed_for(owner)]

    assert len(wrapped) > 10
    assert {one[:7] for one in wrapped} == {b"kms:v1:"}
    with pytest.raises(NoSuchKey):
        world.vault.describe(tenant.id)


def test_the_private_halves_that_sign_tokens_are_under_the_key_for_that(world, tenant):
    client = boto3.client("kms")
    (signing,) = {wrapping.wrapped for wrapping in sealed_for(PLATFORM) if wrapping.purpose == "signing"}
    meant = client.describe_key(KeyId="alias/platforma-state/signing")["KeyMetadata"]["KeyId"]

    told = client.decrypt(
        CiphertextBlob=signing.removeprefix(b"kms:v1:"), EncryptionContext={"tenant": PLATFORM, "purpose": "signing"}
    )

    assert told["KeyId"].endswith(meant)


def test_a_key_rotates_and_every_record_is_moved_and_the_old_version_ends(world, tenant):
    sealed = encrypt(tenant)

    rotate_and_start(tenant)
    told = until_retired(world, tenant)

    assert (told["status"], told["remaining"], told["oldest_version"]) == ("done", 0, 2)
    assert {wrapping.wrapped[:7] for wrapping in sealed_for(tenant.id)} == {b"kms:v2:"}
    key = tenant.call("GET", "/v1/encryption/keys", expect=200).json["items"][0]
    assert ([each["version"] for each in key["versions"]], key["min_decryption_version"]) == ([2], 2)
    old = boto3.client("kms").describe_key(KeyId=f"alias/platforma-state/{tenant.id}/1")["KeyMetadata"]
    assert old["KeyState"] == "PendingDeletion"
    world.clock.move(minutes=10)
    assert decrypt(tenant, sealed).status == 200
    assert tenant.call("GET", "/v1/objects/a.txt", expect=200).text == "hello"
    assert "ada@acme.test" in {user["email"] for user in tenant.call("GET", "/v1/users", expect=200).json["items"]}


def test_how_often_it_is_renewed_is_what_kms_takes_and_anything_else_is_refused_in_words(tenant):
    path = "/v1/encryption/keys/rotation-period"

    refused = tenant.call("POST", path, {"auto_rotate_period": 30 * 86_400}, expect=422).json
    told = tenant.call("POST", path, {"auto_rotate_period": 180 * 86_400}, expect=200).json

    assert "90 to 2560 days" in refused["detail"]
    assert refused["errors"][0]["pointer"] == "/auto_rotate_period"
    assert told["auto_rotate_period"] == 180 * 86_400
    assert told["next_rotation"]


def test_the_platforms_own_key_is_not_rotated_by_hand(world):
    token = world.token(world.platform_client)

    refused = world.call("POST", "/v1/encryption/keys/rotate", token=token)
    listed = world.call("GET", "/v1/encryption/keys", token=token)

    assert refused.status == 409
    assert listed.json["items"][0]["latest_version"] == 1


def test_a_shredded_tenants_key_opens_nothing_in_any_version_and_the_statement_names_them(world, tenant):
    tenant.call("POST", "/v1/encryption/keys/rotate", expect=200)
    before = list(sealed_for(tenant.id))

    shred(world, tenant)

    assert '"versions": [1, 2]' in statement(world, tenant)["statement"]
    for wrapping in before:
        with pytest.raises(NoSuchKey):
            bootstrap.parts.ground.data_keys().unwrap(tenant.id, wrapping.purpose, wrapping.wrapped)
    client = boto3.client("kms")
    states = [
        client.describe_key(KeyId=f"alias/platforma-state/{tenant.id}{each}")["KeyMetadata"]["KeyState"]
        for each in ("", "/1", "/2")
    ]
    assert states == ["PendingDeletion"] * 3
