"""Encryption for callers, through the functions: contexts, tenants, versions of keys, and what outlives them."""

import base64
import os
from itertools import count

import pytest

from platforma import bootstrap
from platforma.kernel.ids import new_id
from platforma.keys.encryption import data
from platforma.keys.envelope import open_with, seal_with
from platforma.keys.errors import DoesNotOpen
from tests.world import Tenant, World, running

LIMIT = 1 << 20


@pytest.fixture(scope="module")
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def other(world: World) -> Tenant:
    return world.tenant("other", "admin@other.test")


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def encrypt(tenant: Tenant, raw: bytes = b"secret", context: dict[str, str] | None = None) -> str:
    body = {"plaintext": text(raw), "context": context or {}}
    return tenant.call("POST", "/v1/encryption/encrypt", body, expect=200).json["ciphertext"]


def decrypt(tenant: Tenant, ciphertext: str, context: dict[str, str] | None = None):
    return tenant.call("POST", "/v1/encryption/decrypt", {"ciphertext": ciphertext, "context": context or {}})


@pytest.mark.parametrize("raw", [b"", b"\x00", b"secret", bytes(LIMIT)])
def test_what_was_encrypted_decrypts(tenant, raw):
    answer = decrypt(tenant, encrypt(tenant, raw, {"record": "1"}), {"record": "1"})

    assert (answer.status, base64.b64decode(answer.json["plaintext"])) == (200, raw)


def test_more_than_a_mebibyte_is_too_large(tenant):
    body = {"plaintext": text(bytes(LIMIT + 1))}

    assert tenant.call("POST", "/v1/encryption/encrypt", body).status == 413


@pytest.mark.parametrize("context", [{}, {"record": "2"}, {"record": "1", "more": ""}, {"Record": "1"}, {"record1": ""}])
def test_with_another_context_it_does_not_decrypt(tenant, context):
    answer = decrypt(tenant, encrypt(tenant, context={"record": "1"}), context)

    assert (answer.status, answer.json["code"]) == (422, "does_not_decrypt")


def test_the_order_in_which_a_context_is_written_does_not_matter(tenant):
    sealed = encrypt(tenant, context={"a": "1", "b": "2"})

    assert decrypt(tenant, sealed, {"b": "2", "a": "1"}).status == 200


def test_another_tenants_ciphertext_does_not_decrypt_and_says_nothing_more(tenant, other):
    encrypt(other)
    foreign = decrypt(other, encrypt(tenant))
    damaged = decrypt(other, text(base64.b64decode(encrypt(other))[:-1] + b"\x00"))

    assert (foreign.status, foreign.json["code"]) == (422, "does_not_decrypt")
    assert {k: v for k, v in foreign.json.items() if k != "request_id"} == {
        k: v for k, v in damaged.json.items() if k != "request_id"
    }


def test_every_flipped_byte_and_every_truncation_is_noticed(tenant):
    sealed = base64.b64decode(encrypt(tenant))

    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert decrypt(tenant, text(changed)).json["code"] == "does_not_decrypt"
    for length in (0, 1, 5, 64, len(sealed) - 1):
        assert decrypt(tenant, text(sealed[:length])).json["code"] == "does_not_decrypt"


@pytest.mark.parametrize("bad", ["@@@", "YQ", "YQ==\n", 7, None])
def test_what_is_no_base64_is_refused(tenant, bad):
    assert tenant.call("POST", "/v1/encryption/decrypt", {"ciphertext": bad}).status == 422


@pytest.mark.parametrize("context", [{"a": 1}, {"a": None}, [], "a", {"": "x"}, {str(n): "x" for n in range(17)}])
def test_a_context_is_a_few_texts(tenant, context):
    assert tenant.call("POST", "/v1/encryption/encrypt", {"plaintext": "", "context": context}).status == 422


def test_two_texts_of_one_context_are_under_keys_of_their_own_and_share_nothing(tenant):
    """A month's key is shared by instances that do not count together: a nonce may come twice, key and nonce do not."""
    with pytest.MonkeyPatch.context() as patch:
        salts = count()
        patch.setattr(data.os, "urandom", lambda size: next(salts).to_bytes(16) if size == 16 else bytes(size))
        sealed = [base64.b64decode(encrypt(tenant, b"the same text", {"record": "1"})) for _ in range(100)]

    assert {one[53:65] for one in sealed} == {bytes(12)}
    for part in (slice(21, 53), slice(65, None)):  # commitment, ciphertext and tag
        assert len({one[part] for one in sealed}) == 100


def test_one_key_gives_every_tenant_another_however_it_came_to_hold_it(tenant, other):
    """Each tenant has a key of its own; were it the same, a ciphertext would still be of one tenant."""
    month, salt, nonce = os.urandom(32), bytes(16), bytes(12)
    sealed = seal_with(month, data._binding(tenant.id, 30, {}, salt), nonce, b"secret")

    with pytest.raises(DoesNotOpen):
        open_with(month, data._binding(other.id, 30, {}, salt), sealed)


def test_what_was_encrypted_before_there_were_salts_still_decrypts(world, tenant):
    encrypt(tenant)
    day = int(world.clock().timestamp() // 86_400) // 30 * 30
    key = bootstrap.parts.encryption.keyring().key(tenant.id, data._name(day))
    old = seal_with(key, data._binding(tenant.id, day, {"a": "b"}, b""), bytes(12), b"long ago")

    answer = decrypt(tenant, text(b"\x01" + day.to_bytes(4, "big") + old), {"a": "b"})

    assert base64.b64decode(answer.json["plaintext"]) == b"long ago"


def test_a_warm_instance_asks_vault_nothing(world, tenant):
    sealed = encrypt(tenant)
    world.vault.calls = 0

    for _ in range(5):
        decrypt(tenant, sealed)
        encrypt(tenant)

    assert world.vault.calls == 0


def test_reading_takes_crypto_read_and_encrypting_crypto_manage(world, tenant):
    token = world.token(tenant.client, scope="crypto:read")

    sealed = encrypt(tenant)
    refused = world.call("POST", "/v1/encryption/encrypt", token=token, json_body={"plaintext": ""})
    allowed = world.call("POST", "/v1/encryption/decrypt", token=token, json_body={"ciphertext": sealed})
    assert (refused.status, allowed.status) == (403, 200)


def test_a_rotation_adds_a_version_that_is_told_with_its_age(world, tenant):
    before = tenant.call("GET", "/v1/encryption/keys", expect=200).json["items"][0]
    world.clock.move(minutes=3)

    rotated = tenant.call("POST", "/v1/encryption/keys/rotate", expect=200).json

    assert rotated["latest_version"] == before["latest_version"] + 1
    assert rotated["versions"][-1]["age"] == 0
    assert rotated["versions"][-2]["age"] >= 180
    assert rotated["auto_rotate_period"] == 30 * 86400
    (event,) = tenant.events(action="crypto.keys.rotate", result="success", limit="1")
    assert event["changes"]["after"] == {"version": rotated["latest_version"]}


def test_nobody_sees_another_tenants_versions(tenant, other):
    mine = tenant.call("GET", "/v1/encryption/keys", expect=200).json["items"]
    theirs = other.call("GET", "/v1/encryption/keys", expect=200).json["items"]

    assert {key["id"] for key in mine} == {f"tenant-{tenant.id}"}
    assert {key["id"] for key in theirs} == {f"tenant-{other.id}"}


def test_where_none_was_started_there_is_no_rewrap_to_be_read(other):
    assert other.call("GET", "/v1/encryption/rewrap").status == 404


def test_a_shredded_tenants_ciphertext_is_gone(world):
    doomed = world.tenant(f"doomed {new_id('ten')}", "admin@doomed.test")
    sealed = encrypt(doomed)
    assert decrypt(doomed, sealed).status == 200

    world.vault.destroy_tenant_key(doomed.id)
    world.clock.move(minutes=6)

    assert decrypt(doomed, sealed).status in (500, 503)


def test_a_tenant_says_how_often_its_key_rotates_and_its_log_says_so(tenant, other):
    week = 7 * 24 * 3600

    said = tenant.call("POST", "/v1/encryption/keys/rotation-period", {"auto_rotate_period": week}, expect=200)

    assert said.json["auto_rotate_period"] == week
    [event] = tenant.events(action="crypto.keys.schedule")
    assert event["changes"] == {"before": {"auto_rotate_period": 30 * 86400.0}, "after": {"auto_rotate_period": float(week)}}
    assert other.call("GET", "/v1/encryption/keys").json["items"][0]["auto_rotate_period"] == 30 * 86400


@pytest.mark.parametrize("period", [0, 86_399, 31_536_001, "7d", None])
def test_a_period_of_less_than_a_day_or_more_than_a_year_is_none(tenant, period):
    assert tenant.call("POST", "/v1/encryption/keys/rotation-period", {"auto_rotate_period": period}).status == 422
