"""One suite over the keepers of data keys and secrets: in memory, and in a real OpenBao reached as functions reach Vault."""

import os
import shutil
import socket
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from moto import mock_aws

from platforma.adapters import vault_session
from platforma.adapters.kms import KMS
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.adapters.vault import Vault
from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen, NoSuchKey
from platforma.keys.secrets import CachedSecrets
from tests import moto_kms
from tests.contract.openbao import POLICY, OpenBao

NOON = datetime.now(UTC)


def ticking():
    """A clock on which two seconds pass between any two looks at it."""
    seconds = iter(range(0, 800, 2))
    return lambda: NOON + timedelta(seconds=next(seconds))


@pytest.fixture
def vault(bao) -> Vault:
    return Vault(bao.addr, "function", bao.client)


@pytest.fixture
def kms(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    moto_kms.complete(monkeypatch)
    with mock_aws():
        moto_kms.make_platforms_keys()
        yield KMS(moto_kms.PREFIX)


@pytest.fixture(params=["memory", "vault", "kms"])
def data_keys(request):
    return MemoryDataKeys() if request.param == "memory" else request.getfixturevalue(request.param)


@pytest.fixture
def tenant_id(data_keys) -> str:
    tenant_id = new_id("ten")
    data_keys.create_tenant_key(tenant_id)
    return tenant_id


def test_a_data_key_is_unwrapped_to_what_it_was(data_keys, tenant_id):
    key = data_keys.generate(tenant_id, "identity")

    assert data_keys.unwrap(tenant_id, "identity", key.wrapped) == key.plaintext
    assert len(key.plaintext) == 32


def test_every_data_key_is_another(data_keys, tenant_id):
    assert len({data_keys.generate(tenant_id, "identity").plaintext for _ in range(10)}) == 10


def test_the_platform_has_a_key_of_its_own(data_keys):
    key = data_keys.generate(PLATFORM, "signing")

    assert data_keys.unwrap(PLATFORM, "signing", key.wrapped) == key.plaintext


def test_what_signs_tokens_is_under_a_key_that_others_of_the_platform_have_no_way_to(bao):
    """The same wrapped key, asked for by a role that has the platform's key and not this one."""
    wrapped = Vault(bao.addr, "function", bao.client).generate(PLATFORM, "signing").wrapped
    bao.root.sys.create_or_update_policy(
        "no-signing", 'path "transit/+/platform" { capabilities = ["update"] }\npath "transit/datakey/plaintext/platform" '
        '{ capabilities = ["update"] }',
    )  # fmt: skip
    bao.allow("no-signing", policy="no-signing")
    other = Vault(bao.addr, "no-signing", lambda: bao.client("no-signing"))

    assert other.generate(PLATFORM, "audit")
    with pytest.raises(Unavailable):
        other.generate(PLATFORM, "signing")
    with pytest.raises((Unavailable, DoesNotOpen)):
        other.unwrap(PLATFORM, "signing", wrapped)


def test_a_data_key_opens_for_its_purpose_alone(data_keys, tenant_id):
    key = data_keys.generate(tenant_id, "identity")

    with pytest.raises(DoesNotOpen):
        data_keys.unwrap(tenant_id, "audit", key.wrapped)


def test_a_data_key_opens_for_its_tenant_alone(data_keys, tenant_id):
    key = data_keys.generate(tenant_id, "identity")

    with pytest.raises(DoesNotOpen):
        data_keys.unwrap(PLATFORM, "identity", key.wrapped)


def test_a_damaged_data_key_does_not_open(data_keys, tenant_id):
    wrapped = data_keys.generate(tenant_id, "identity").wrapped
    for position in (0, 10, len(wrapped) // 2, len(wrapped) - 3):
        damaged = bytearray(wrapped)
        damaged[position] ^= 1
        with pytest.raises(DoesNotOpen):
            data_keys.unwrap(tenant_id, "identity", bytes(damaged))


@pytest.mark.parametrize("wrapped", [b"", b"vault:v1:", b"vault:v2:" + b64encode(bytes(60)), b"\xff" * 89, b"x" * 20])
def test_what_never_was_a_data_key_does_not_open(data_keys, tenant_id, wrapped):
    with pytest.raises(DoesNotOpen):
        data_keys.unwrap(tenant_id, "identity", wrapped)


def test_a_destroyed_key_opens_nothing_and_can_be_destroyed_again(data_keys, tenant_id):
    wrapped = data_keys.generate(tenant_id, "identity").wrapped

    for _ in range(2):
        data_keys.destroy_tenant_key(tenant_id)

    with pytest.raises(NoSuchKey):
        data_keys.generate(tenant_id, "identity")
    with pytest.raises(NoSuchKey):
        data_keys.unwrap(tenant_id, "identity", wrapped)


def test_many_are_unwrapped_in_order(data_keys, tenant_id):
    keys = [data_keys.generate(tenant_id, "audit") for _ in range(30)]

    assert data_keys.unwrap_all(tenant_id, "audit", [key.wrapped for key in keys]) == [key.plaintext for key in keys]


def test_many_are_unwrapped_all_or_none(data_keys, tenant_id):
    good, other = data_keys.generate(tenant_id, "audit"), data_keys.generate(tenant_id, "identity")

    with pytest.raises(DoesNotOpen):
        data_keys.unwrap_all(tenant_id, "audit", [good.wrapped, other.wrapped])


def test_a_key_that_is_there_is_not_made_again(data_keys, tenant_id):
    key = data_keys.generate(tenant_id, "identity")

    data_keys.create_tenant_key(tenant_id)

    assert data_keys.unwrap(tenant_id, "identity", key.wrapped) == key.plaintext


def test_a_tenant_without_key_has_no_data_keys_and_gets_none_by_asking(data_keys):
    stranger = new_id("ten")

    for _ in range(2):
        with pytest.raises(NoSuchKey):
            data_keys.generate(stranger, "identity")
    with pytest.raises(NoSuchKey):
        data_keys.unwrap(stranger, "identity", b"vault:v1:" + b64encode(bytes(60)))


def test_a_rotation_makes_a_version_and_the_old_one_goes_on_opening(data_keys, tenant_id):
    old = data_keys.generate(tenant_id, "identity")

    data_keys.rotate(tenant_id)
    new = data_keys.generate(tenant_id, "identity")

    assert (data_keys.version_of(old.wrapped), data_keys.version_of(new.wrapped)) == (1, 2)
    assert data_keys.unwrap(tenant_id, "identity", old.wrapped) == old.plaintext
    known = data_keys.describe(tenant_id)
    assert (sorted(known.versions), known.latest_version, known.min_decryption_version) == ([1, 2], 2, 1)
    assert known.rotated_every == timedelta(days=90 if isinstance(data_keys, KMS) else 30)


def test_a_tenants_key_rotates_as_often_as_it_is_told(data_keys, tenant_id):
    data_keys.rotate_every(tenant_id, timedelta(days=120))

    known = data_keys.describe(tenant_id)
    assert known.rotated_every == timedelta(days=120)
    assert known.next_rotation == known.versions[1] + timedelta(days=120)


def test_rewrapped_a_data_key_is_the_same_under_the_newest_version(data_keys, tenant_id):
    keys = [data_keys.generate(tenant_id, "identity") for _ in range(5)]
    data_keys.rotate(tenant_id)

    again = data_keys.rewrap_all(tenant_id, "identity", [key.wrapped for key in keys])

    assert {data_keys.version_of(one) for one in again} == {2}
    assert data_keys.unwrap_all(tenant_id, "identity", again) == [key.plaintext for key in keys]


def test_what_does_not_open_is_not_rewrapped_and_keeps_nothing_else_from_it(data_keys, tenant_id):
    good, other = data_keys.generate(tenant_id, "identity"), data_keys.generate(tenant_id, "audit")

    first, second = data_keys.rewrap_all(tenant_id, "identity", [good.wrapped, other.wrapped])

    assert data_keys.unwrap(tenant_id, "identity", first) == good.plaintext
    assert second is None


def test_a_retired_version_opens_nothing_and_a_trimmed_one_is_gone(data_keys, tenant_id):
    old = data_keys.generate(tenant_id, "identity")
    data_keys.rotate(tenant_id)
    new = data_keys.generate(tenant_id, "identity")

    data_keys.retire(tenant_id, 2)
    with pytest.raises(DoesNotOpen):
        data_keys.unwrap(tenant_id, "identity", old.wrapped)
    assert data_keys.rewrap_all(tenant_id, "identity", [old.wrapped]) == [None]

    data_keys.trim(tenant_id, 2)
    known = data_keys.describe(tenant_id)
    assert (sorted(known.versions), known.min_decryption_version) == ([2], 2)
    assert data_keys.unwrap(tenant_id, "identity", new.wrapped) == new.plaintext


def test_a_tenant_without_key_has_nothing_to_rotate(data_keys):
    for ask in (data_keys.describe, data_keys.rotate):
        with pytest.raises(NoSuchKey):
            ask(new_id("ten"))


@pytest.mark.parametrize("purpose", ["", "a|b", "Audit", "a" * 33, "a\n"])
def test_a_purpose_that_would_be_ambiguous_is_refused(data_keys, tenant_id, purpose):
    with pytest.raises(Broken):
        data_keys.generate(tenant_id, purpose)


def test_an_envelope_over_it_opens(data_keys, tenant_id):
    sealed = Envelope(data_keys).seal(tenant_id, "identity", "usr_a", b"ada@example.test")

    assert Envelope(data_keys).open(tenant_id, "identity", "usr_a", sealed) == b"ada@example.test"


@pytest.fixture(params=["memory", "vault"])
def source(request):
    return MemorySecrets() if request.param == "memory" else request.getfixturevalue("vault")


def test_peppers_and_secrets_are_found(source):
    secrets = CachedSecrets(source)

    assert secrets.pepper() == secrets.pepper(1)
    assert len({secrets.pepper().key, secrets.secret("lookup"), secrets.secret("cursor")}) == 3


def test_data_of_an_older_version_of_the_tenants_key_still_opens(vault, bao):
    tenant_id = new_id("ten")
    vault.create_tenant_key(tenant_id)
    old = vault.generate(tenant_id, "identity")

    bao.write(f"transit/keys/tenant-{tenant_id}/rotate")
    new = vault.generate(tenant_id, "identity")

    assert (old.wrapped[:9], new.wrapped[:9]) == (b"vault:v1:", b"vault:v2:")
    assert vault.unwrap_all(tenant_id, "identity", [new.wrapped, old.wrapped]) == [new.plaintext, old.plaintext]


def test_a_destroyed_tenants_data_is_gone_for_good(vault, bao):
    tenant_id = new_id("ten")
    vault.create_tenant_key(tenant_id)
    old = vault.generate(tenant_id, "identity")
    bao.write(f"transit/keys/tenant-{tenant_id}/config", deletion_allowed=True)
    bao.root.delete(f"transit/keys/tenant-{tenant_id}")

    with pytest.raises(NoSuchKey):
        vault.unwrap(tenant_id, "identity", old.wrapped)
    vault.create_tenant_key(tenant_id)
    with pytest.raises(DoesNotOpen):
        vault.unwrap(tenant_id, "identity", old.wrapped)


def test_signatures_verify_with_the_published_key_of_their_version(vault, bao):
    old = vault.sign_ed25519("audit-checkpoint", b"checkpoint")
    bao.write("transit/keys/audit-checkpoint/rotate")
    new = vault.sign_ed25519("audit-checkpoint", b"checkpoint")

    keys = vault.ed25519_public_keys("audit-checkpoint")

    Ed25519PublicKey.from_public_bytes(keys[1]).verify(old, b"checkpoint")
    Ed25519PublicKey.from_public_bytes(keys[2]).verify(new, b"checkpoint")


def test_a_role_reaches_what_its_policy_names_and_no_more(vault):
    with pytest.raises(Unavailable):
        vault.sign_ed25519("another", b"x")


@pytest.mark.parametrize("tenant_id", ["../../sys/seal", "platform", "ten_", "ten_A", ""])
def test_what_is_no_tenant_never_becomes_a_path(vault, tenant_id):
    with pytest.raises(Broken):
        vault.generate(tenant_id, "identity")


def test_a_token_is_renewed_before_it_ends(bao):
    """By another certificate, which shows that it was read again."""
    now = [datetime.now(UTC)]
    asked = []

    def certificate():
        asked.append(now[0])
        return bao.client()

    vault = Vault(bao.addr, "function", certificate, lambda: now[0])
    vault.read_secret("peppers")
    now[0] += timedelta(minutes=11)
    vault.read_secret("peppers")
    now[0] += timedelta(minutes=2)
    vault.read_secret("peppers")

    assert len(asked) == 2


def test_a_refused_token_is_replaced_once(bao, vault):
    vault.read_secret("peppers")
    vault._connection._session.client.token = "forged"

    assert vault.read_secret("peppers")


def test_a_broken_connection_is_replaced_once(bao, vault):
    vault.read_secret("peppers")
    vault._connection._session.client.adapter.base_uri = "https://127.0.0.1:1"

    assert vault.read_secret("peppers")


def test_a_certificate_for_another_role_is_not_let_in(bao):
    vault = Vault(bao.addr, "function", lambda: bao.client("stranger"))

    with pytest.raises(Unavailable):
        vault.read_secret("peppers")


def test_a_vault_that_another_authority_vouches_for_is_not_trusted(bao, tmp_path):
    from tests.contract.openbao import _Authority

    foreign = _Authority(tmp_path).issue("function", server=False)

    with pytest.raises(Unavailable):
        Vault(bao.addr, "function", lambda: foreign).read_secret("peppers")


def test_neither_proxies_nor_tokens_of_the_environment_are_used(bao, vault, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_TOKEN", "someone-elses")

    assert vault.read_secret("peppers")


def test_a_failure_carries_no_token_and_no_key(bao, vault):
    key = vault.generate(PLATFORM, "identity")
    token = vault._connection._session.client.token

    with pytest.raises(DoesNotOpen) as caught:
        vault.unwrap(PLATFORM, "audit", key.wrapped)

    error, seen = caught.value, []
    while error is not None:
        seen.append(f"{error!r} {vars(error)}")
        error = error.__cause__ or error.__context__
    assert token not in "".join(seen)
    assert key.wrapped.decode() not in "".join(seen)


def test_hvac_is_not_imported_before_vault_is_asked():
    program = """
import sys
from platforma.adapters.vault import Vault
Vault("https://127.0.0.1:1", "role", lambda: None)
sys.exit("hvac" in sys.modules or "requests" in sys.modules)
"""

    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}

    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_a_permission_that_is_taken_away_is_unavailable_and_given_again_serves(bao):
    bao.root.sys.create_or_update_policy("shrinking", POLICY)
    bao.allow("shrinking", policy="shrinking")
    vault = Vault(bao.addr, "shrinking", lambda: bao.client("shrinking"), ticking())
    key = vault.generate(PLATFORM, "identity")

    bao.root.sys.create_or_update_policy("shrinking", 'path "kv/data/platforma/peppers" { capabilities = ["read"] }')
    with pytest.raises(Unavailable):
        vault.unwrap(PLATFORM, "identity", key.wrapped)
    bao.root.sys.create_or_update_policy("shrinking", POLICY)

    assert vault.unwrap(PLATFORM, "identity", key.wrapped) == key.plaintext


def test_a_vault_that_is_slow_is_unavailable(monkeypatch, bao):
    monkeypatch.setattr(vault_session, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        vault = Vault(f"https://127.0.0.1:{silent.getsockname()[1]}", "function", bao.client)

        with pytest.raises(Unavailable):
            vault.generate(PLATFORM, "identity")


def test_a_sealed_or_absent_vault_is_unavailable(tmp_path_factory):
    home = tmp_path_factory.mktemp("sealed")
    server = OpenBao(home)
    try:
        server.start()
        server.set_up()
        vault = Vault(server.addr, "function", server.client, ticking())
        key = vault.generate(PLATFORM, "identity")
        envelope = Envelope(vault)
        envelope.seal(PLATFORM, "identity", "r", b"x")

        server.root.sys.seal()
        with pytest.raises(Unavailable):
            vault.unwrap(PLATFORM, "identity", key.wrapped)
        assert envelope.open(PLATFORM, "identity", "r", envelope.seal(PLATFORM, "identity", "r", b"y")) == b"y"
        with pytest.raises(Unavailable):
            envelope.seal(PLATFORM, "audit", "r", b"x")

        server.stop()
        with pytest.raises(Unavailable):
            vault.unwrap(PLATFORM, "identity", key.wrapped)

        server.start()
        server.serve()
        assert vault.unwrap(PLATFORM, "identity", key.wrapped) == key.plaintext
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
